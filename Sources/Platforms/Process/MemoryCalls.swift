// System calls on the process's own memory: brk, mmap and their like.
import CSupport
import Glibc

extension LinuxProcess {
  /// mmap's flags (asm-generic/mman.h, mman-common.h).
  enum MapFlag {
    static let shared: UInt64 = 1
    static let privately: UInt64 = 2
    static let typeMask: UInt64 = 0xf
    static let sharedValidate: UInt64 = 3
    static let fixed: UInt64 = 0x10
    static let anonymous: UInt64 = 0x20
    static let fixedNoReplace: UInt64 = 0x100000
  }

  /// Places the program break at `address`, the first page behind the program's data.
  func setBreakStart(_ address: UInt64) {
    breakStart = AddressSpace.pageUp(address)
    breakEnd = breakStart
  }

  /// Gives the new break, or the old one where it can't be moved.
  func brk(_ call: SystemCall) throws(Errno) -> UInt64 {
    let wanted = call[0]
    guard wanted >= breakStart, AddressSpace.isUserRange(breakStart, wanted - breakStart) else { return breakEnd }
    let oldEnd = AddressSpace.pageUp(breakEnd), newEnd = AddressSpace.pageUp(wanted)
    if newEnd > oldEnd {
      for area in memory.areas where area.start < newEnd && area.end > oldEnd { return breakEnd }
      guard (try? memory.map(oldEnd, newEnd - oldEnd, [.read, .write], name: "[heap]")) != nil else { return breakEnd }
    } else if newEnd < oldEnd {
      try memory.unmap(newEnd, oldEnd - newEnd)
    }
    breakEnd = wanted
    return breakEnd
  }

  func mmap(_ call: SystemCall) throws(Errno) -> UInt64 {
    guard call[5] % AddressSpace.pageSize == 0 else { throw Errno(EINVAL) }
    return try map(call, offset: call[5])
  }

  /// mmap with its offset in pages.
  func mmap2(_ call: SystemCall) throws(Errno) -> UInt64 {
    try map(call, offset: call[5] &* AddressSpace.pageSize)
  }

  private func map(_ call: SystemCall, offset: UInt64) throws(Errno) -> UInt64 {
    let (address, length, flags) = (call[0], call[1], call[3])
    let protection = Protection(linux: call[2])
    guard length > 0 else { throw Errno(EINVAL) }
    let type = flags & MapFlag.typeMask
    guard type == MapFlag.shared || type == MapFlag.privately || type == MapFlag.sharedValidate else {
      throw Errno(EINVAL)
    }
    let shared = type != MapFlag.privately
    let start: UInt64
    if flags & (MapFlag.fixed | MapFlag.fixedNoReplace) != 0 {
      start = address
      if flags & MapFlag.fixedNoReplace != 0 {
        for area in memory.areas where area.start < start &+ length && area.end > start { throw Errno(EEXIST) }
      }
    } else {
      start = try memory.findFree(length, hint: address)
    }
    if flags & MapFlag.anonymous != 0 {
      try memory.map(start, length, protection, shared: shared)
    } else {
      let descriptor = hostDescriptor(call[4])
      try checkMappable(descriptor, protection, shared: shared)
      try memory.map(
        start, length, protection, source: .file(descriptor: descriptor, offset: offset, shared: shared),
        shared: shared, name: fileName(of: descriptor))
    }
    return start
  }

  /// Whether a call maps pages that a second run takes over from the first.
  func mapsFromHost(_ call: SystemCall) -> Bool {
    (SyscallTable.isMmap(call.number) && call[3] & MapFlag.anonymous == 0) || SyscallTable.isAttach(call.number)
  }

  private func checkMappable(_ descriptor: Int32, _ protection: Protection, shared: Bool) throws(Errno) {
    let mode = Glibc.fcntl(descriptor, F_GETFL)
    guard mode >= 0 else { throw Errno(EBADF) }
    if mode & O_ACCMODE == O_WRONLY { throw Errno(EACCES) }
    if shared && protection.contains(.write) && mode & O_ACCMODE != O_RDWR { throw Errno(EACCES) }
  }

  /// The name of an open file; empty where it has none.
  func fileName(of descriptor: Int32) -> String {
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = Glibc.readlink("/proc/self/fd/\(descriptor)", &buffer, buffer.count)
    return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : ""
  }

  func munmap(_ call: SystemCall) throws(Errno) -> UInt64 {
    try memory.unmap(call[0], call[1])
    return 0
  }

  func mprotect(_ call: SystemCall) throws(Errno) -> UInt64 {
    try memory.protect(call[0], call[1], Protection(linux: call[2]))
    return 0
  }

  /// Resizes a mapping in place, or moves it where MREMAP_MAYMOVE (1) or MREMAP_FIXED (2) says.
  func mremap(_ call: SystemCall) throws(Errno) -> UInt64 {
    let (old, flags) = (call[0], call[3])
    let oldSize = AddressSpace.pageUp(call[1]), newSize = AddressSpace.pageUp(call[2])
    guard old % AddressSpace.pageSize == 0, newSize > 0, flags & ~3 == 0, flags & 3 != 2 else { throw Errno(EINVAL) }
    guard let area = memory.area(at: old), area.end - old >= oldSize, oldSize > 0 else { throw Errno(EFAULT) }
    if flags & 2 == 0 {
      if newSize < oldSize { try memory.unmap(old + newSize, oldSize - newSize) }
      if newSize <= oldSize { return old }
      let end = old + oldSize
      if !area.shared, AddressSpace.isUserRange(end, newSize - oldSize),
        !memory.areas.contains(where: { $0.start < old + newSize && $0.end > end })
      {
        try memory.map(end, newSize - oldSize, area.protection, name: area.name)
        return old
      }
      guard flags & 1 != 0 else { throw Errno(ENOMEM) }
    }
    // A shared mapping would need its object mapped again.
    guard !area.shared else { throw Errno(ENOMEM) }
    let target = flags & 2 != 0 ? call[4] : try memory.findFree(newSize, hint: 0)
    try move(old, oldSize, to: target, newSize, area)
    return target
  }

  private func move(
    _ old: UInt64, _ oldSize: UInt64, to target: UInt64, _ newSize: UInt64, _ area: MemoryArea
  ) throws(Errno) {
    guard target % AddressSpace.pageSize == 0, AddressSpace.isUserRange(target, newSize),
      target >= old + oldSize || target + newSize <= old
    else {
      throw Errno(EINVAL)
    }
    try memory.move(old, oldSize, to: target, newSize)
  }

  func msync(_ call: SystemCall) throws(Errno) -> UInt64 {
    guard call[0] % AddressSpace.pageSize == 0 else { throw Errno(EINVAL) }
    let length = AddressSpace.pageUp(call[1])
    guard memory.accessibleLength(call[0], length, []) == length else { throw Errno(ENOMEM) }
    return 0  // shared mappings are the host's own: what is stored is in the file
  }

  /// Advice is taken where ignoring it would show: MADV_DONTNEED (4) gives zero pages.
  func madvise(_ call: SystemCall) throws(Errno) -> UInt64 {
    let (start, length) = (call[0], AddressSpace.pageUp(call[1]))
    guard start % AddressSpace.pageSize == 0 else { throw Errno(EINVAL) }
    guard length > 0 else { return 0 }
    guard memory.accessibleLength(start, length, []) == length else { throw Errno(ENOMEM) }
    guard call[2] == 4 else { return 0 }
    for area in memory.areas where area.start < start + length && area.end > start && !area.shared {
      let from = max(area.start, start), to = min(area.end, start + length)
      // A private file mapping would have to be read again; it keeps its content.
      if area.name.isEmpty || area.name.hasPrefix("[") {
        try memory.map(from, to - from, area.protection, name: area.name)
      }
    }
    return 0
  }

  /// Every mapped page counts as resident.
  func mincore(_ call: SystemCall) throws(Errno) -> UInt64 {
    let (start, length) = (call[0], AddressSpace.pageUp(call[1]))
    guard start % AddressSpace.pageSize == 0 else { throw Errno(EINVAL) }
    guard length > 0 else { return 0 }
    guard memory.accessibleLength(start, length, []) == length else { throw Errno(ENOMEM) }
    let pages = length / AddressSpace.pageSize
    for first in stride(from: 0, to: pages, by: 4096) {
      try memory.write([UInt8](repeating: 1, count: Int(min(4096, pages - first))), to: call[2] &+ first)
    }
    return 0
  }

  /// Locking and placement of memory change nothing that a program could see.
  func nothing(_ call: SystemCall) throws(Errno) -> UInt64 { 0 }

  /// get_mempolicy: the default policy, and nothing of nodes.
  func memoryPolicy(_ call: SystemCall) throws(Errno) -> UInt64 {
    guard call[4] == 0 else { throw Errno(EINVAL) }
    if call[0] != 0 { try memory.store(Int32(0), to: call[0]) }
    if call[1] != 0 {
      guard call[2] <= 1 << 15 else { throw Errno(EINVAL) }
      try memory.write([UInt8](repeating: 0, count: Int((call[2] + 63) / 64 * 8)), to: call[1])
    }
    return 0
  }

  func pageSize(_ call: SystemCall) throws(Errno) -> UInt64 { AddressSpace.pageSize }
}
