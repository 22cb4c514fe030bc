// execve. An IA-64 program runs in a fresh Kittson in this process's place, by way of the host's execve, so that the host
// does what execve does to threads, descriptors, timers and signals. A script's interpreter is looked for as any guest
// file is. Everything else is given to the host as it is: a program of the host's runs there, as under qemu-user, and what
// the host can't run is refused by it.
import CSupport
import Glibc

extension LinuxProcess {
  func execute(_ call: SystemCall) throws(Errno) -> SystemCallResult {
    try execute(try memory.string(call[0]), call[1], call[2])
  }

  /// execveat: AT_EMPTY_PATH names the open file itself.
  func executeAt(_ call: SystemCall) throws(Errno) -> SystemCallResult {
    guard call[4] & ~0x1100 == 0 else { throw Errno(EINVAL) }
    var path = try memory.string(call[1])
    if path.isEmpty, call[4] & 0x1000 == 0 { throw Errno(ENOENT) }
    if path.first != 0x2f, call.int(0) != AT_FDCWD {
      let directory = "/proc/self/fd/\(hostDescriptor(call[0]))"
      path = Array(directory.utf8) + (path.isEmpty ? [] : [0x2f] + path)
    }
    return try execute(path, call[2], call[3])
  }

  private func execute(_ path: [UInt8], _ argv: UInt64, _ envp: UInt64) throws(Errno) -> SystemCallResult {
    guard host != nil else {
      report(1033, "execve is not offered here: answered ENOSYS")
      throw Errno(ENOSYS)
    }
    var arguments = try strings(argv)
    let environment = try strings(envp)
    var file = hostPath(path)
    // A script's interpreter may be a script.
    for _ in 0..<5 {
      switch try kind(file) {
      case .ia64:
        try start(try command(file, arguments, environment), environment.filter { !Self.isForLoader($0) })
      case .script(let interpreter, let argument):
        arguments = [interpreter] + argument + [file] + arguments.dropFirst()
        file = hostPath(interpreter)
      case .other: try start([file] + arguments, environment)
      }
    }
    throw Errno(ELOOP)
  }

  private enum Kind {
    case ia64
    case script(interpreter: [UInt8], argument: [[UInt8]])
    case other
  }

  private func kind(_ file: [UInt8]) throws(Errno) -> Kind {
    let path = String(decoding: file, as: UTF8.self)
    var status = stat()
    if stat(path, &status) != 0 { throw Errno(errno) }
    guard status.st_mode & S_IFMT == S_IFREG, access(path, X_OK) == 0 else { throw Errno(EACCES) }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    if descriptor < 0 { return .other }  // executable and not readable: the host may know better
    defer { close(descriptor) }
    var head = [UInt8](repeating: 0, count: 256)
    head.removeLast(256 - max(0, pread(descriptor, &head, 256, 0)))
    if head.starts(with: [0x7f, 0x45, 0x4c, 0x46, 2, 1]), head.count >= 20, head[18] == 50, head[19] == 0 {
      return .ia64
    }
    guard head.starts(with: [0x23, 0x21]) else { return .other }
    let line = head.dropFirst(2).prefix { $0 != 10 && $0 != 0 }
    let words = line.split(maxSplits: 1, omittingEmptySubsequences: true) { $0 == 0x20 || $0 == 9 }
    guard let interpreter = words.first else { throw Errno(ENOEXEC) }
    let rest = words.dropFirst().map { word in Array(word.reversed().drop { $0 == 0x20 || $0 == 9 }.reversed()) }
    return .script(interpreter: Array(interpreter), argument: rest)
  }

  /// The command that runs an IA-64 program: Kittson's own, with the argv[0] and, where they would concern the host's
  /// dynamic loader, the variables of the guest's environment.
  private func command(
    _ file: [UInt8], _ arguments: [[UInt8]], _ environment: [[UInt8]]
  ) throws(Errno) -> [[UInt8]] {
    guard let executor = options.executor, executor.count >= 2 else {
      report(1033 << 8, "IA-64 programs can't be started from here: answered ENOEXEC")
      throw Errno(ENOEXEC)
    }
    var words = executor.map { Array($0.utf8) }
    var own = [Array("-0".utf8), arguments.first ?? []]
    for variable in environment where Self.isForLoader(variable) { own += [Array("-E".utf8), variable] }
    words.insert(contentsOf: own, at: 2)
    words.append(file.first == 0x2d ? Array("./".utf8) + file : file)
    return [words[0]] + words + arguments.dropFirst()
  }

  private static func isForLoader(_ variable: [UInt8]) -> Bool { variable.starts(with: "LD_".utf8) }

  /// The host's execve: `words` is the file and then argv. Returns only by throwing.
  private func start(_ words: [[UInt8]], _ environment: [[UInt8]]) throws(Errno) {
    let arguments = CStrings(words.dropFirst()), variables = CStrings(environment), file = CStrings(words.prefix(1))
    tracer?.depart(threadID(current))
    _ = try blockingCall(
      SYS_execve, UInt64(UInt(bitPattern: file.pointers[0])), UInt64(UInt(bitPattern: arguments.pointers)),
      UInt64(UInt(bitPattern: variables.pointers)))
  }

  /// A vector of strings that a null pointer ends; empty where there is none.
  private func strings(_ address: UInt64) throws(Errno) -> [[UInt8]] {
    if address == 0 { return [] }
    var result: [[UInt8]] = []
    var bytes = 0
    while true {
      let pointer: UInt64 = try memory.load(address &+ UInt64(8 * result.count))
      if pointer == 0 { return result }
      result.append(try memory.string(pointer, limit: 1 << 17))
      bytes += result[result.count - 1].count + 9
      // The kernel's limit with the usual stack.
      guard bytes < 2 << 20 else { throw Errno(E2BIG) }
    }
  }
}

/// C strings and the vector of their addresses with its ending null, as long as the value lives.
private final class CStrings {
  let pointers: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
  private let count: Int

  init(_ strings: some Collection<[UInt8]>) {
    count = strings.count
    pointers = .allocate(capacity: count + 1)
    pointers.initialize(repeating: nil, count: count + 1)
    for (index, string) in strings.enumerated() {
      let copy = UnsafeMutablePointer<CChar>.allocate(capacity: string.count + 1)
      for (offset, byte) in string.enumerated() { copy[offset] = CChar(bitPattern: byte) }
      copy[string.count] = 0
      pointers[index] = copy
    }
  }

  deinit {
    for index in 0..<count { pointers[index]?.deallocate() }
    pointers.deallocate()
  }
}
