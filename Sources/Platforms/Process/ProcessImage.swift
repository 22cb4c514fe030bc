// Starts a program: its segments, the dynamic loader's, the stacks and what lies on them, as Linux 6.1 lays them out on
// ia64 (fs/binfmt_elf.c; arch/ia64: ustack.h, mm/init.c, processor.h).
import CSupport
import Glibc
import Machine

/// Why a program can't be started. `description` is one line: what is wrong, a colon, how to mend it.
public enum ProcessError: Error, Equatable, CustomStringConvertible {
  case image(path: String, ELFError)
  case mapping(path: String, address: UInt64, errno: Int32)
  case loaderMissing(loader: String, lookedFor: String)
  case argumentsTooLong(bytes: Int)
  case memory(String)
  case systemImage(path: String)
  case script(path: String, interpreter: String)
  case noName
  case noDirectory(sysroot: String)

  /// The limit on this process's addresses (RLIMIT_AS) in bytes, if there is one.
  static var addressLimit: UInt64? {
    var value = rlimit()
    getrlimit(__rlimit_resource_t(9), &value)
    return UInt64(value.rlim_cur) == UInt64.max ? nil : UInt64(value.rlim_cur)
  }

  /// One line: what is wrong, and how to mend it.
  public var description: String {
    switch self {
    case .image(let path, let error):
      let text = error.description
      return text.hasPrefix(path + ":") ? text : "\(path): \(text)"
    case .systemImage(let path): return "\(path): a kernel or another system image: use 'kittson boot'"
    case .script(let path, let interpreter):
      return "\(path): a script for \(interpreter): name that program, built for IA-64, and the script as its argument"
    case .noName: return "'' is no program's name: name an IA-64 ELF executable"
    case .noDirectory(let sysroot): return "-L \(sysroot): no directory: name a sysroot's"
    case .mapping(let path, let address, let code):
      if code == ENOMEM, let limit = Self.addressLimit {
        return "\(path): the limit on address space (ulimit -v \(limit >> 10)) leaves no room for its memory: raise it"
      }
      return "\(path): can't map its segment at \(hexadecimal(address)) (\(String(cString: strerror(code)))): "
        + "name a program linked for Linux/ia64"
    case .loaderMissing(let loader, let lookedFor):
      return "dynamic loader \(loader) is not there (looked for \(lookedFor)): name its sysroot with -L"
    case .argumentsTooLong(let bytes): return "arguments and environment have \(bytes) bytes: shorten them"
    case .memory(let text): return text
    }
  }
}

/// Where a started program stands.
struct ProcessStart {
  var entry: UInt64
  /// r12.
  var stackPointer: UInt64
  /// ar.bspstore.
  var backingStore: UInt64
}

extension LinuxProcess {
  /// The memory stack grows down from here (STACK_TOP).
  static let stackTop: UInt64 = 0x6000_0000_0000_0000 + AddressSpace.regionLimit
  /// The register backing store grows up from here: STACK_TOP less the largest stack (RGN_MAP_LIMIT / 2).
  static let backingStoreBottom = AddressSpace.pageUp(stackTop - AddressSpace.regionLimit / 2)
  /// Stack bytes where the limit is none or larger.
  private static let largestStack: UInt64 = 1 << 30
  /// Where position-independent programs go (ELF_ET_DYN_BASE).
  private static let sharedBase: UInt64 = AddressSpace.mapBase + 0x8_0000_0000

  /// Maps `image` and builds its stacks. The process is fresh.
  func start(_ image: ELFImage) throws(ProcessError) -> ProcessStart {
    let bias = image.type == .shared ? Self.sharedBase : 0
    try map(image, bias: bias, path: executablePath)
    setBreakStart(image.loadableSegments.map { bias &+ $0.virtualAddress &+ $0.memorySize }.max() ?? bias)
    var entry = bias &+ image.entry
    var loaderBase: UInt64 = 0
    if let loader = image.interpreter { (entry, loaderBase) = try mapLoader(loader) }
    let stackPointer = try buildStack(image, bias: bias, loaderBase: loaderBase)
    return ProcessStart(entry: entry, stackPointer: stackPointer, backingStore: Self.backingStoreBottom)
  }

  private func map(_ image: ELFImage, bias: UInt64, path: String) throws(ProcessError) {
    for segment in image.loadableSegments {
      let address = bias &+ segment.virtualAddress
      let start = AddressSpace.pageDown(address)
      let length = AddressSpace.pageUp(address &+ segment.memorySize) &- start
      if bias == 0, address >> 61 >= 5 { throw .systemImage(path: path) }
      do throws(Errno) {
        guard AddressSpace.isUserRange(address, segment.memorySize) else { throw Errno(ENOMEM) }
        // A page that two segments share belongs to both: it keeps what the first put there.
        var first = start
        if let area = memory.area(at: start) {
          try memory.protect(start, area.end - start, [.read, .write])
          first = area.end
        }
        if first < start + length { try memory.map(first, start + length - first, [.read, .write], name: path) }
        try memory.write(Array(segment.bytes), to: address)
        var protection = Protection(linux: UInt64(segment.flags >> 2 & 1 | segment.flags & 2))
        if segment.flags & 1 != 0 { protection.insert(.execute) }
        try memory.protect(start, length, protection)
      } catch { throw .mapping(path: path, address: address, errno: error.code) }
    }
  }

  private func mapLoader(_ loader: String) throws(ProcessError) -> (entry: UInt64, base: UInt64) {
    let path = String(decoding: hostPath(Array(loader.utf8)), as: UTF8.self)
    guard access(path, R_OK) == 0 else {
      throw .loaderMissing(loader: loader, lookedFor: (options.sysroot ?? "") + loader)
    }
    let image: ELFImage
    do throws(ELFError) {
      image = try ELFImage(bytes: try readFile(path, as: .image))
    } catch { throw .image(path: path, error) }
    let base = image.type == .shared ? AddressSpace.mapBase : 0
    try map(image, bias: base, path: path)
    return (base &+ image.entry, base)
  }

  // MARK: Stacks

  private func buildStack(_ image: ELFImage, bias: UInt64, loaderBase: UInt64) throws(ProcessError) -> UInt64 {
    let size = stackSize
    do throws(Errno) {
      try memory.map(Self.stackTop - size, size, [.read, .write], name: "[stack]")
      try memory.map(Self.backingStoreBottom, size, [.read, .write], name: "[rbs]")
      return try fillStack(image, bias: bias, loaderBase: loaderBase, size: size)
    } catch {
      if error.code == E2BIG { throw .argumentsTooLong(bytes: argumentBytes) }
      throw .mapping(path: "[stack]", address: Self.stackTop - size, errno: error.code)
    }
  }

  private var argumentBytes: Int {
    (options.arguments + options.environment).reduce(0) { $0 + $1.utf8.count + 9 }
  }

  /// Bytes of the memory stack, and of the backing store: the soft limit, unless the options say more or less.
  private var stackSize: UInt64 {
    var value = rlimit()
    getrlimit(__rlimit_resource_t(3), &value)
    let soft = options.stackSize ?? UInt64(value.rlim_cur)
    // Under a limit on addresses the two leave room for the rest.
    let largest = min(Self.largestStack, ProcessError.addressLimit.map { $0 / 16 } ?? .max)
    return max(1 << 20, AddressSpace.pageDown(min(soft, largest)))
  }

  /// Strings at the top, then the auxiliary vector, the environment, the arguments and their count; r12 points 16 bytes
  /// below the count (the scratch area).
  private func fillStack(
    _ image: ELFImage, bias: UInt64, loaderBase: UInt64, size: UInt64
  ) throws(Errno) -> UInt64 {
    guard UInt64(argumentBytes) < size / 4 else { throw Errno(E2BIG) }
    var top = Self.stackTop - 16
    func push(_ bytes: [UInt8]) throws(Errno) -> UInt64 {
      top -= UInt64(bytes.count)
      try memory.write(bytes, to: top)
      return top
    }
    func text(_ string: String) throws(Errno) -> UInt64 { try push(Array(string.utf8) + [0]) }
    let name = try text(executablePath)
    var environment: [UInt64] = []
    for entry in options.environment.reversed() { environment.insert(try text(entry), at: 0) }
    var arguments: [UInt64] = []
    for entry in options.arguments.reversed() { arguments.insert(try text(entry), at: 0) }
    top &= ~15
    let random = try push(randomBytes())
    let vector = auxiliaryVector(image, bias: bias, loaderBase: loaderBase, name: name, random: random)
    auxiliaryVector = vector.flatMap { [$0, $1] }.withUnsafeBytes { Array($0) }
    var words = [UInt64(arguments.count)] + arguments + [0] + environment + [0]
    for (type, value) in vector { words += [type, value] }
    top = (top - UInt64(8 * words.count)) & ~15
    try memory.write(words.withUnsafeBytes { Array($0) }, to: top)
    return top - 16
  }

  private func randomBytes() -> [UInt8] {
    if options.virtualClock != nil { return repeatableRandom(16) }
    var bytes = [UInt8](repeating: 0, count: 16)
    getentropy(&bytes, bytes.count)
    return bytes
  }

  /// Types as in include/uapi/linux/auxvec.h. There is no AT_SYSINFO: programs enter the kernel by break 0x100000.
  private func auxiliaryVector(
    _ image: ELFImage, bias: UInt64, loaderBase: UInt64, name: UInt64, random: UInt64
  ) -> [(UInt64, UInt64)] {
    var headers = bias &+ image.programHeaderOffset
    for segment in image.segments where segment.type == ELFImage.segmentLoad
      && image.programHeaderOffset >= segment.offset && image.programHeaderOffset - segment.offset < segment.fileSize
    { headers = bias &+ segment.virtualAddress &+ (image.programHeaderOffset - segment.offset) }
    return [
      (16, 0), (6, AddressSpace.pageSize), (17, 100),  // AT_HWCAP, AT_PAGESZ, AT_CLKTCK
      (3, headers), (4, 56), (5, UInt64(image.segments.count)),  // AT_PHDR, AT_PHENT, AT_PHNUM
      (7, loaderBase), (8, 0), (9, bias &+ image.entry),  // AT_BASE, AT_FLAGS, AT_ENTRY
      (11, UInt64(getuid())), (12, UInt64(geteuid())), (13, UInt64(getgid())), (14, UInt64(getegid())),
      (23, 0), (25, random), (31, name), (0, 0),  // AT_SECURE, AT_RANDOM, AT_EXECFN, AT_NULL
    ]
  }
}
