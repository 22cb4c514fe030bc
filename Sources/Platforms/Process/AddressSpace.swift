// The memory of a Linux process: areas of guest pages over windows of host address space.
//
// A user address is 3 region bits and an offset; Linux/ia64 with 16 KiB pages maps the low 44 bits of regions 0 to 4
// (RGN_MAP_LIMIT in arch/ia64/include/asm/page.h), so a region is a window of 2^44 bytes. A window is reserved
// inaccessible on the host when it is first used; guest pages are then mapped into it. Addresses with bits 60:44 set
// and those of regions 5 to 7 belong to no window: they fault, and never alias.
//
// Host code reaches guest memory only through the functions here, which look at the areas first, so that no guest
// pointer can make Kittson itself fault or touch host memory.
import CSupport
import Glibc

/// A Linux error number (errno), as a system call reports it.
package struct Errno: Error, Equatable {
  package var code: Int32
  package init(_ code: Int32) { self.code = code }
}

/// What a process may do with a page (PROT_READ, PROT_WRITE, PROT_EXEC).
package struct Protection: OptionSet, Equatable, Sendable {
  package var rawValue: UInt8
  package init(rawValue: UInt8) { self.rawValue = rawValue }
  package static let read = Protection(rawValue: 1)
  package static let write = Protection(rawValue: 2)
  package static let execute = Protection(rawValue: 4)

  /// Linux/ia64 has no page that is writable and not readable.
  init(linux bits: UInt64) {
    self = Protection(rawValue: UInt8(bits & 7))
    if contains(.write) { insert(.read) }
  }
}

/// Guest pages with the same rights: [start, end), multiples of the page size.
package struct MemoryArea: Equatable {
  package var start, end: UInt64
  package var protection: Protection
  package var shared: Bool
  /// What it is, for reports: the file's name, "[heap]", "[stack]", "[rbs]", or empty.
  package var name: String

  /// Whether two areas of private memory that no file is behind are one where they meet.
  func joins(_ other: MemoryArea) -> Bool {
    name.isEmpty && other.name.isEmpty && !shared && !other.shared && protection == other.protection
  }
}

package final class AddressSpace {
  /// Bytes of a guest page.
  package static let pageSize: UInt64 = 16384
  /// Bytes of a window: what Linux maps of a region.
  static let windowSize: UInt64 = 1 << 44
  /// The last page of a window stays unmapped (RGN_MAP_LIMIT).
  static let regionLimit: UInt64 = windowSize - pageSize
  static let regionCount = 5
  /// Where mmap looks for room first (DEFAULT_MAP_BASE).
  static let mapBase: UInt64 = 0x2000_0000_0000_0000

  /// Sorted by start; neighbours never overlap.
  package private(set) var areas: [MemoryArea] = []
  private var windows = [UnsafeMutableRawPointer?](repeating: nil, count: regionCount)
  /// Windows that a limit on the address space kept from being reserved: only what is mapped in them is there.
  private var isSparse = [Bool](repeating: false, count: regionCount)

  /// Called after pages of [start, end) changed their rights, or their content other than by a guest store; `code`:
  /// some of them were or are executable.
  package var onChange: ((_ start: UInt64, _ end: UInt64, _ code: Bool) -> Void)?
  /// Called after host code wrote [address, address + length): a recorder of system calls listens.
  package var onHostWrite: ((UInt64, UInt64) -> Void)?
  /// Called after pages were mapped whose content is not the guest's own: a recorder listens.
  package var onHostMapping: ((HostMapping) -> Void)?

  /// prctl(PR_SET_UNALIGN, PR_UNALIGN_SIGBUS).
  package var reportsUnaligned = false

  package init() {}

  deinit {
    for area in areas where isSparse[Int(area.start >> 61)] { munmap(host(area.start), Int(area.end - area.start)) }
    for case let (window?, false) in zip(windows, isSparse) { munmap(window, Int(Self.windowSize)) }
  }

  // MARK: Translation

  /// Whether [start, start + length) lies within one region's window.
  static func isUserRange(_ start: UInt64, _ length: UInt64) -> Bool {
    let offset = start & (1 << 61 - 1)
    return start >> 61 < regionCount && offset < regionLimit && length <= regionLimit - offset
  }

  /// The host address of a guest address whose area is known.
  private func host(_ address: UInt64) -> UnsafeMutableRawPointer {
    windows[Int(address >> 61)]! + Int(address & (Self.windowSize - 1))
  }

  /// The area that holds `address`.
  package func area(at address: UInt64) -> MemoryArea? {
    let index = firstIndex(endingAfter: address)
    guard index < areas.count, areas[index].start <= address else { return nil }
    return areas[index]
  }

  /// The host address of `address` and the rights of its page; nil where nothing is mapped. The host mapping is
  /// contiguous to the end of the page.
  package func translate(_ address: UInt64) -> (host: UnsafeMutableRawPointer, protection: Protection)? {
    guard let area = area(at: address) else { return nil }
    return (host(address), area.protection)
  }

  /// Index of the first area that ends after `address`.
  private func firstIndex(endingAfter address: UInt64) -> Int {
    var low = 0
    var high = areas.count
    while low < high {
      let middle = (low + high) / 2
      if areas[middle].end <= address { low = middle + 1 } else { high = middle }
    }
    return low
  }

  // MARK: Access by host code

  /// Bytes from `address` on, at most `length`, that may be accessed as `wanted` says.
  package func accessibleLength(_ address: UInt64, _ length: UInt64, _ wanted: Protection) -> UInt64 {
    guard length > 0, Self.isUserRange(address, 0) else { return 0 }
    let end = address &+ min(length, Self.windowSize)
    var reached = address
    var index = firstIndex(endingAfter: address)
    while reached < end, index < areas.count, areas[index].start <= reached,
      areas[index].protection.isSuperset(of: wanted)
    {
      reached = areas[index].end
      index += 1
    }
    return min(reached, end) - address
  }

  /// The host address of [address, address + length) if the whole range may be read. EFAULT otherwise.
  package func readable(_ address: UInt64, _ length: UInt64) throws(Errno) -> UnsafeRawPointer {
    guard accessibleLength(address, max(length, 1), .read) >= length, Self.isUserRange(address, length),
      windows[Int(address >> 61)] != nil
    else { throw Errno(EFAULT) }
    return UnsafeRawPointer(host(address))
  }

  /// Lets `body` write to [address, address + length) through host memory, and tells the listeners. `body` returns how
  /// many bytes it wrote. EFAULT where the range may not be written.
  @discardableResult
  package func withWritable<R>(
    _ address: UInt64, _ length: UInt64, _ body: (UnsafeMutableRawPointer) -> (written: UInt64, result: R)
  ) throws(Errno) -> R {
    guard accessibleLength(address, max(length, 1), .write) >= length, Self.isUserRange(address, length),
      windows[Int(address >> 61)] != nil
    else { throw Errno(EFAULT) }
    let (written, result) = body(host(address))
    noteHostWrite(address, written)
    return result
  }

  /// Tells the listeners that host code wrote [address, address + length).
  func noteHostWrite(_ address: UInt64, _ length: UInt64) {
    guard length > 0 else { return }
    onHostWrite?(address, length)
    if holdsCode(address, address + length) { onChange?(address, address + length, true) }
  }

  private func holdsCode(_ start: UInt64, _ end: UInt64) -> Bool {
    var index = firstIndex(endingAfter: start)
    while index < areas.count, areas[index].start < end {
      if areas[index].protection.contains(.execute) { return true }
      index += 1
    }
    return false
  }

  package func write(_ bytes: [UInt8], to address: UInt64) throws(Errno) {
    try withWritable(address, UInt64(bytes.count)) { target in
      bytes.withUnsafeBytes { source in
        if let base = source.baseAddress { memcpy(target, base, source.count) }
      }
      return (UInt64(bytes.count), ())
    }
  }

  package func read(_ address: UInt64, _ length: UInt64) throws(Errno) -> [UInt8] {
    if length == 0 { return [] }
    return Array(UnsafeRawBufferPointer(start: try readable(address, length), count: Int(length)))
  }

  package func load<T: BitwiseCopyable>(_ address: UInt64, as type: T.Type = T.self) throws(Errno) -> T {
    try readable(address, UInt64(MemoryLayout<T>.size)).loadUnaligned(as: type)
  }

  package func store<T: BitwiseCopyable>(_ value: T, to address: UInt64) throws(Errno) {
    try withWritable(address, UInt64(MemoryLayout<T>.size)) { target in
      target.storeBytes(of: value, as: T.self)
      return (UInt64(MemoryLayout<T>.size), ())
    }
  }

  /// The NUL-terminated bytes at `address`, without the NUL. ENAMETOOLONG where `limit` bytes hold none.
  package func string(_ address: UInt64, limit: Int = 4096) throws(Errno) -> [UInt8] {
    let reach = accessibleLength(address, UInt64(limit), .read)
    guard reach > 0 else { throw Errno(EFAULT) }
    let start = host(address)
    if let end = memchr(start, 0, Int(reach)) {
      return Array(UnsafeRawBufferPointer(start: start, count: end - start))
    }
    throw Errno(reach < limit ? EFAULT : ENAMETOOLONG)
  }

  /// Writes whatever the pages' rights, for a debugger. False where there is no memory.
  func overwrite(_ bytes: [UInt8], at address: UInt64) -> Bool {
    let count = UInt64(bytes.count), pages = 0xfff as UInt64
    guard accessibleLength(address, count, []) == count else { return false }
    for offset in 0..<count {
      guard let (target, protection) = translate(address + offset) else { return false }
      let page = target - Int((address + offset) & pages)
      if !protection.contains(.write) { hostProtect(page, pages + 1, [.read, .write]) }
      target.storeBytes(of: bytes[Int(offset)], as: UInt8.self)
      if !protection.contains(.write) { hostProtect(page, pages + 1, protection) }
    }
    onChange?(address, address + count, true)
    return true
  }

  // MARK: Changing the map

  /// Where a mapping's content comes from.
  package enum Source {
    case zero
    /// `length` bytes of an open file from `offset` on; a private mapping of it is a copy.
    case file(descriptor: Int32, offset: UInt64, shared: Bool)
    /// The System V segment of that number and size.
    case segment(id: Int32, size: UInt64, isReadOnly: Bool)
  }

  /// Maps fresh pages at [start, start + length) in place of what was there. EINVAL for an unaligned or empty range,
  /// ENOMEM for one outside the user's regions or where the host has no memory.
  package func map(
    _ start: UInt64, _ length: UInt64, _ protection: Protection, source: Source = .zero, shared: Bool = false,
    name: String = ""
  ) throws(Errno) {
    let size = try checkedRange(start, length)
    // The host's file offsets are signed.
    if case .file(_, let offset, _) = source, offset > UInt64(Int64.max) - size { throw Errno(EOVERFLOW) }
    try reserve(region: Int(start >> 61))
    try claim(start, start + size)
    let heldCode = holdsCode(start, start + size)
    let end: UInt64
    do throws(Errno) {
      end = try fill(start, size, protection, source, shared: shared)
    } catch {
      giveBack(start, start + size)
      throw error
    }
    removeAreas(start, start + size)
    if end > start { insert(MemoryArea(start: start, end: end, protection: protection, shared: shared, name: name)) }
    if end < start + size, Self.keepsTail(source) {
      insert(MemoryArea(start: end, end: start + size, protection: [], shared: shared, name: name))
    }
    giveBack(start, start + size)
    onChange?(start, start + size, heldCode || protection.contains(.execute))
    if let onHostMapping, let contents = contents(of: source, start, end) {
      onHostMapping(
        HostMapping(
          start: start, end: end, length: size, protection: protection, shared: shared, keepsTail: Self.keepsTail(source),
          name: name, bytes: contents))
    }
  }

  /// Pages of a private mapping behind the file's end are there, but of no use until mprotect gives them rights.
  private static func keepsTail(_ source: Source) -> Bool {
    if case .file(_, _, shared: false) = source { return true }
    return false
  }

  /// Puts a mapping's pages on the host. Where those end that the guest may use.
  private func fill(
    _ start: UInt64, _ size: UInt64, _ protection: Protection, _ source: Source, shared: Bool
  ) throws(Errno) -> UInt64 {
    let target = host(start), fresh = MAP_ANONYMOUS | MAP_NORESERVE
    switch source {
    case .zero: try hostMap(target, size, protection, fresh | (shared ? MAP_SHARED : MAP_PRIVATE), -1, 0)
    case .file(let descriptor, let offset, shared: true):
      try hostMap(target, size, protection, MAP_SHARED, descriptor, offset)
      return try limit(start, start + size, toFile: descriptor, from: offset)
    case .file(let descriptor, let offset, shared: false):
      // What is no regular file the host maps, or refuses to.
      guard try isRegular(descriptor) else {
        try hostMap(target, size, protection, MAP_PRIVATE, descriptor, offset)
        return start + size
      }
      try hostMap(target, size, [.read, .write], fresh | MAP_PRIVATE, -1, 0)
      let end = try limit(start, start + size, toFile: descriptor, from: offset)
      try copyFile(descriptor, offset, to: target, end - start)
      if end > start { hostProtect(target, end - start, protection) }
      if end < start + size { hostProtect(host(end), start + size - end, []) }
      return end
    case .segment(let id, let bytes, let isReadOnly):
      // A host page is smaller than a guest's: what is left of the last one is there too.
      try hostMap(target, size, protection, fresh | MAP_SHARED, -1, 0)
      let flags = UInt64(isReadOnly ? 0o10000 : 0) | 0o40000  // SHM_RDONLY, SHM_REMAP
      let result = kt_host_syscall(
        Int64(SYS_shmat), UInt64(UInt32(bitPattern: id)), UInt64(UInt(bitPattern: target)), flags, 0, 0, 0)
      if result < 0 && result > -4096 { throw Errno(Int32(-result)) }
      hostProtect(target, min(size, (bytes + 4095) & ~4095), protection)
    }
    return start + size
  }

  private func isRegular(_ descriptor: Int32) throws(Errno) -> Bool {
    var status = stat()
    if fstat(descriptor, &status) != 0 { throw Errno(errno) }
    return status.st_mode & S_IFMT == S_IFREG
  }

  /// Pages behind the end of a mapped file do not exist for the guest.
  private func limit(
    _ start: UInt64, _ end: UInt64, toFile descriptor: Int32, from offset: UInt64
  ) throws(Errno) -> UInt64 {
    // A device (/dev/zero) has no size: all of it is there.
    guard try isRegular(descriptor) else { return end }
    var status = stat()
    if fstat(descriptor, &status) != 0 { throw Errno(errno) }
    let fileSize = UInt64(max(0, status.st_size))
    let mapped = fileSize > offset ? fileSize - offset : 0
    return start + min(end - start, Self.pageUp(mapped))
  }

  private func copyFile(
    _ descriptor: Int32, _ offset: UInt64, to target: UnsafeMutableRawPointer, _ length: UInt64
  ) throws(Errno) {
    var done: UInt64 = 0
    while done < length {
      let count = pread(descriptor, target + Int(done), Int(length - done), Int(offset + done))
      if count < 0 && errno == EINTR { continue }
      if count < 0 { throw Errno(errno) }
      if count == 0 { break }
      done += UInt64(count)
    }
  }

  /// Unmaps [start, start + length); what was not mapped stays so.
  package func unmap(_ start: UInt64, _ length: UInt64) throws(Errno) {
    let size = try checkedRange(start, length)
    if windows[Int(start >> 61)] != nil, !isSparse[Int(start >> 61)] {
      try hostMap(host(start), size, [], MAP_ANONYMOUS | MAP_NORESERVE | MAP_PRIVATE, -1, 0)
    }
    let heldCode = holdsCode(start, start + size)
    giveBack(start, start + size, removing: true)
    onChange?(start, start + size, heldCode)
  }

  /// Changes the rights of [start, start + length). ENOMEM where a page of it is not mapped.
  package func protect(_ start: UInt64, _ length: UInt64, _ protection: Protection) throws(Errno) {
    if length == 0 && start % Self.pageSize == 0 { return }
    let size = try checkedRange(start, length)
    guard accessibleLength(start, size, []) == size else { throw Errno(ENOMEM) }
    let heldCode = holdsCode(start, start + size)
    var changed: [MemoryArea] = []
    for area in areas where area.end > start && area.start < start + size {
      var part = area
      part.start = max(area.start, start)
      part.end = min(area.end, start + size)
      part.protection = protection
      changed.append(part)
    }
    removeAreas(start, start + size)
    for part in changed { insert(part) }
    hostProtect(host(start), size, protection)
    onChange?(start, start + size, heldCode || protection.contains(.execute))
  }

  /// Moves the pages of [old, old + oldSize), one area's, to `target`, growing or shrinking them to `newSize`. Nothing
  /// is copied: the host moves its own pages.
  package func move(_ old: UInt64, _ oldSize: UInt64, to target: UInt64, _ newSize: UInt64) throws(Errno) {
    guard var area = area(at: old), area.end - old >= oldSize else { throw Errno(EFAULT) }
    let size = try checkedRange(target, newSize)
    try reserve(region: Int(target >> 61))
    try claim(target, target + size)
    let flags: UInt64 = 3  // MREMAP_MAYMOVE, MREMAP_FIXED
    let result = kt_host_syscall(
      Int64(SYS_mremap), UInt64(UInt(bitPattern: host(old))), oldSize, size, flags,
      UInt64(UInt(bitPattern: host(target))), 0)
    if result < 0 && result > -4096 {
      giveBack(target, target + size)
      throw Errno(Int32(-result))
    }
    if !isSparse[Int(old >> 61)] {
      try hostMap(host(old), oldSize, [], MAP_ANONYMOUS | MAP_NORESERVE | MAP_PRIVATE, -1, 0)
    }
    let heldCode = area.protection.contains(.execute) || holdsCode(target, target + size)
    removeAreas(old, old + oldSize)
    removeAreas(target, target + size)
    giveBack(old, old + oldSize)
    area.start = target
    area.end = target + size
    insert(area)
    onChange?(old, old + oldSize, heldCode)
    onChange?(target, target + size, heldCode)
  }

  /// A free range of `length` bytes: at `hint` if that is free, else the first one from `hint` or the map base on.
  package func findFree(_ length: UInt64, hint: UInt64) throws(Errno) -> UInt64 {
    let size = Self.pageUp(length)
    guard size > 0, size <= Self.regionLimit, size >= length else { throw Errno(ENOMEM) }
    let wanted = Self.pageUp(hint)
    if wanted != 0, let found = firstFree(size, from: wanted) { return found }
    if let found = firstFree(size, from: Self.mapBase) { return found }
    throw Errno(ENOMEM)
  }

  private func firstFree(_ size: UInt64, from start: UInt64) -> UInt64? {
    var candidate = start
    var index = firstIndex(endingAfter: candidate)
    while Self.isUserRange(candidate, size) {
      guard index < areas.count, areas[index].start < candidate + size else { return candidate }
      candidate = areas[index].end
      index += 1
    }
    return nil
  }

  static func pageUp(_ value: UInt64) -> UInt64 { (value &+ (pageSize - 1)) & ~(pageSize - 1) }
  static func pageDown(_ value: UInt64) -> UInt64 { value & ~(pageSize - 1) }

  private func checkedRange(_ start: UInt64, _ length: UInt64) throws(Errno) -> UInt64 {
    guard start % Self.pageSize == 0, length > 0 else { throw Errno(EINVAL) }
    let size = Self.pageUp(length)
    guard size >= length, Self.isUserRange(start, size) else { throw Errno(size < length ? ENOMEM : EINVAL) }
    return size
  }

  private func reserve(region: Int) throws(Errno) {
    if windows[region] != nil { return }
    let memory = mmap(
      nil, Int(Self.windowSize), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
    if let memory, memory != MAP_FAILED {
      windows[region] = memory
      return
    }
    // Under a limit (RLIMIT_AS) the window is a range of addresses far from what the host has mapped, and every page of
    // it that the guest maps is claimed by itself.
    let free = Self.sparseBases.first { base in !windows.contains { $0 == UnsafeMutableRawPointer(bitPattern: base) } }
    guard let free else { throw Errno(ENOMEM) }
    windows[region] = UnsafeMutableRawPointer(bitPattern: free)
    isSparse[region] = true
  }

  /// Multiples of the window's size between the host's program (0x55…) and its stack, libraries and mappings (0x7f…), or
  /// below the program.
  private static let sparseBases: [UInt] = [1, 3, 4, 6, 2].map { $0 << 44 }

  /// The parts of [start, end) that no area holds.
  private func gaps(_ start: UInt64, _ end: UInt64) -> [(start: UInt64, end: UInt64)] {
    var result: [(start: UInt64, end: UInt64)] = []
    var reached = start
    var index = firstIndex(endingAfter: start)
    while index < areas.count, areas[index].start < end {
      if areas[index].start > reached { result.append((reached, areas[index].start)) }
      reached = areas[index].end
      index += 1
    }
    if reached < end { result.append((reached, end)) }
    return result
  }

  /// In a sparse window: takes the host's addresses for pages that are about to be mapped. ENOMEM where they are not free.
  private func claim(_ start: UInt64, _ end: UInt64) throws(Errno) {
    guard isSparse[Int(start >> 61)] else { return }
    let noReplace: Int32 = 0x100000
    var claimed: [(start: UInt64, end: UInt64)] = []
    for gap in gaps(start, end) {
      let size = Int(gap.end - gap.start), wanted = host(gap.start)
      let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | noReplace
      let memory = mmap(wanted, size, PROT_NONE, flags, -1, 0)
      if memory == wanted {
        claimed.append(gap)
        continue
      }
      if let memory, memory != MAP_FAILED { munmap(memory, size) }
      for part in claimed { munmap(host(part.start), Int(part.end - part.start)) }
      throw Errno(ENOMEM)
    }
  }

  /// In a sparse window: gives back what no area of [start, end) holds; `removing`: and all areas there.
  private func giveBack(_ start: UInt64, _ end: UInt64, removing: Bool = false) {
    if removing {
      let held = areas.filter { $0.end > start && $0.start < end }
      removeAreas(start, end)
      guard isSparse[Int(start >> 61)] else { return }
      for area in held {
        let from = max(area.start, start)
        munmap(host(from), Int(min(area.end, end) - from))
      }
    } else if isSparse[Int(start >> 61)] {
      for gap in gaps(start, end) { munmap(host(gap.start), Int(gap.end - gap.start)) }
    }
  }

  private func removeAreas(_ start: UInt64, _ end: UInt64) {
    var index = firstIndex(endingAfter: start)
    while index < areas.count, areas[index].start < end {
      let area = areas[index]
      var rest: [MemoryArea] = []
      if area.start < start {
        var part = area
        part.end = start
        rest.append(part)
      }
      if area.end > end {
        var part = area
        part.start = end
        rest.append(part)
      }
      areas.replaceSubrange(index...index, with: rest)
      index += rest.count
    }
  }

  private func insert(_ area: MemoryArea) {
    var area = area
    var index = firstIndex(endingAfter: area.start)
    // Joined as on Linux: mremap takes in one what was mapped piece by piece.
    if index < areas.count, areas[index].start == area.end, area.joins(areas[index]) {
      area.end = areas.remove(at: index).end
    }
    if index > 0, areas[index - 1].end == area.start, area.joins(areas[index - 1]) {
      index -= 1
      area.start = areas.remove(at: index).start
    }
    areas.insert(area, at: index)
  }

  // MARK: Host memory

  private func hostBits(_ protection: Protection) -> Int32 {
    // Guest code is data to the host: an executable page is readable there, and never executable.
    var bits = PROT_NONE
    if !protection.isEmpty { bits |= PROT_READ }
    if protection.contains(.write) { bits |= PROT_WRITE }
    return bits
  }

  private func hostMap(
    _ target: UnsafeMutableRawPointer, _ size: UInt64, _ protection: Protection, _ flags: Int32, _ descriptor: Int32,
    _ offset: UInt64
  ) throws(Errno) {
    let result = mmap(target, Int(size), hostBits(protection), flags | MAP_FIXED, descriptor, Int(offset))
    if result == MAP_FAILED { throw Errno(errno) }
  }

  private func hostProtect(_ target: UnsafeMutableRawPointer, _ size: UInt64, _ protection: Protection) {
    mprotect(target, Int(size), hostBits(protection))
  }
}
