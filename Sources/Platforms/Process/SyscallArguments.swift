// System calls that mean the same on the host: their arguments are checked and turned into host addresses by a
// description of each, then the host's call is made.
import CSupport
import Glibc

extension LinuxProcess {
  /// Makes the host's call `number` with the guest's arguments.
  func hostCall(_ number: Int32, _ kinds: [SyscallArgument], _ call: SystemCall) throws(Errno) -> UInt64 {
    var host = [UInt64](repeating: 0, count: 6)
    var names: [UnsafeMutablePointer<CChar>] = []
    defer { for name in names { free(name) } }
    var written: [(address: UInt64, length: UInt64?)] = []
    var shortened: [(index: Int, bytes: UInt64)] = []
    for (index, kind) in kinds.enumerated() {
      let argument = call[index]
      switch kind {
      case .value, .named, .permissions, .creationMode, .signal, .address, .texts: host[index] = argument
      case .processID: host[index] = hostProcessID(argument)
      case .descriptor: host[index] = UInt64(bitPattern: Int64(hostDescriptor(argument)))
      case .path, .text:
        guard argument != 0 else { continue }
        var bytes = try memory.string(argument)
        if case .path = kind { bytes = hostPath(bytes) }
        bytes.append(0)
        let copied = bytes.withUnsafeBytes { strdup($0.baseAddress!.assumingMemoryBound(to: CChar.self)) }
        guard let copy = copied else { throw Errno(ENOMEM) }
        names.append(copy)
        host[index] = UInt64(UInt(bitPattern: copy))
      case .input(let layout): host[index] = try hostPointer(argument, layout.size, .read)
      case .output(let layout), .both(let layout):
        host[index] = try hostPointer(argument, layout.size, .write)
        written.append((argument, layout.size))
      case .inputArray(let count, let element):
        host[index] = try hostPointer(argument, try product(call[count], element.size), .read)
      case .bothArray(let count, let element):
        let total = try product(call[count], element.size)
        host[index] = try hostPointer(argument, total, .write)
        written.append((argument, total))
      case .inputSized(let size, _):
        host[index] = try transferPointer(argument, call, size, .read, &shortened)
      case .outputSized(let size):
        host[index] = try transferPointer(argument, call, size, .write, &shortened)
        written.append((argument, nil))
      }
    }
    for (index, bytes) in shortened { host[index] = bytes }
    let result = try blockingCall(number, host[0], host[1], host[2], host[3], host[4], host[5])
    if number == SYS_open || number == SYS_openat || number == SYS_creat || number == 437 { try refuseOwnMemory(Int32(result)) }
    for (address, length) in written where address != 0 {
      memory.noteHostWrite(address, length ?? result)
    }
    return result
  }

  /// Makes a host call that may take its time: meanwhile other threads of the guest run, and a signal may come.
  func blockingCall(
    _ number: Int32, _ a0: UInt64 = 0, _ a1: UInt64 = 0, _ a2: UInt64 = 0, _ a3: UInt64 = 0, _ a4: UInt64 = 0,
    _ a5: UInt64 = 0
  ) throws(Errno) -> UInt64 {
    let thread = current
    let attention = thread.attention
    let result: Int64
    if Self.isQuick(number) || !turns.isShared {
      result = kt_guest_syscall(attention, Int64(number), a0, a1, a2, a3, a4, a5)
    } else {
      turns.release()
      result = kt_guest_syscall(attention, Int64(number), a0, a1, a2, a3, a4, a5)
      turns.take(thread)
      current = thread
    }
    if result < 0 && result > -4096 { throw Errno(Int32(-result)) }
    return UInt64(bitPattern: result)
  }

  /// Calls that never wait for anything: not worth letting another thread run.
  private static func isQuick(_ number: Int32) -> Bool {
    switch number {
    case SYS_getpid, SYS_getppid, SYS_gettid, SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid, SYS_clock_gettime,
      SYS_gettimeofday, SYS_lseek, SYS_dup, SYS_times, SYS_kill, SYS_tkill, SYS_tgkill:
      true
    default: false
    }
  }

  /// Files of a process in procfs that show or reach its memory.
  private static let memoryFiles = [
    "mem", "maps", "smaps", "smaps_rollup", "numa_maps", "pagemap", "auxv", "environ", "cmdline",
  ]

  /// Closes an opened file by which the guest would reach Kittson's own memory, and says EACCES. Whatever name led to
  /// it, the kernel knows which file it is.
  private func refuseOwnMemory(_ descriptor: Int32) throws(Errno) {
    var system = [UInt64](repeating: 0, count: 15)  // struct statfs; its first word is the file system's type
    let known = system.withUnsafeMutableBytes { buffer in
      kt_host_syscall(
        Int64(SYS_fstatfs), UInt64(descriptor), UInt64(UInt(bitPattern: buffer.baseAddress)), 0, 0, 0, 0)
    }
    guard known == 0, system[0] == 0x9fa0 else { return }  // PROC_SUPER_MAGIC
    let parts = fileName(of: descriptor).split(separator: "/")
    guard parts.count >= 2, Self.memoryFiles.contains(String(parts[parts.count - 1])),
      Int(parts[parts.count - 2]) != nil, access("/proc/self/task/\(parts[parts.count - 2])", F_OK) == 0
    else { return }
    close(descriptor)
    throw Errno(EACCES)
  }

  private func product(_ count: UInt64, _ size: UInt64) throws(Errno) -> UInt64 {
    guard count <= 1 << 20 else { throw Errno(EINVAL) }
    return count * size
  }

  /// The host address of `size` guest bytes, all of which must be accessible.
  func hostPointer(_ address: UInt64, _ size: UInt64, _ wanted: Protection) throws(Errno) -> UInt64 {
    if address == 0 || size == 0 { return address == 0 ? 0 : UInt64(UInt(bitPattern: LinuxProcess.emptyBuffer)) }
    guard memory.accessibleLength(address, size, wanted) == size, let (host, _) = memory.translate(address) else {
      throw Errno(EFAULT)
    }
    return UInt64(UInt(bitPattern: host))
  }

  /// The host address of a transfer's buffer. Where only its beginning is accessible the transfer is shortened, as
  /// Linux ends it at the first bad page.
  private func transferPointer(
    _ address: UInt64, _ call: SystemCall, _ sizeIndex: Int, _ wanted: Protection,
    _ shortened: inout [(index: Int, bytes: UInt64)]
  ) throws(Errno) -> UInt64 {
    let size = call[sizeIndex]
    if address == 0 || size == 0 { return try hostPointer(address, 0, wanted) }
    let reach = memory.accessibleLength(address, size, wanted)
    guard reach > 0, let (pointer, _) = memory.translate(address) else { throw Errno(EFAULT) }
    if reach < size { shortened.append((sizeIndex, reach)) }
    return UInt64(UInt(bitPattern: pointer))
  }

  /// The host's descriptor of a guest's one: the same number, but for standard streams that the caller redirected.
  func hostDescriptor(_ argument: UInt64) -> Int32 {
    let number = Int32(truncatingIfNeeded: argument)
    return options.redirections[number] ?? number
  }

  /// The file behind a name: what names Kittson's own process is answered for the guest.
  func hostPath(_ name: [UInt8]) -> [UInt8] {
    let own = "/proc/\(getpid())/"
    for prefix in ["/proc/self/", "/proc/thread-self/", own] where name.starts(with: prefix.utf8) {
      switch String(decoding: name.dropFirst(prefix.utf8.count), as: UTF8.self) {
      case "exe": return Array(executablePath.utf8)
      // Nothing here may show or reach Kittson's own memory: the empty name is ENOENT.
      case "map_files": return []
      case let file where Self.memoryFiles.contains(file): return []
      default: return name
      }
    }
    guard let sysroot = options.sysroot, name.first == 0x2f else { return name }
    let inside = sysroot + String(decoding: name, as: UTF8.self)
    return access(inside, F_OK) == 0 ? Array(inside.utf8) : name
  }
}
