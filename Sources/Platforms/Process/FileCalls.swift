// System calls on files whose structures or pointers need more than a description of their arguments.
import CSupport
import Glibc
import Machine

extension LinuxProcess {
  // MARK: stat

  /// ia64's struct stat (arch/ia64/include/uapi/asm/stat.h): 18 words of 8 bytes.
  private func storeStatus(_ status: stat, at address: UInt64) throws(Errno) -> UInt64 {
    var words = [UInt64](repeating: 0, count: 18)
    words[0] = UInt64(status.st_dev)
    words[1] = UInt64(status.st_ino)
    words[2] = UInt64(status.st_nlink)
    words[3] = UInt64(status.st_mode) | UInt64(status.st_uid) << 32
    words[4] = UInt64(status.st_gid)
    words[5] = UInt64(status.st_rdev)
    words[6] = UInt64(bitPattern: Int64(status.st_size))
    for (index, time) in [status.st_atim, status.st_mtim, status.st_ctim].enumerated() {
      words[7 + 2 * index] = UInt64(bitPattern: Int64(time.tv_sec))
      words[8 + 2 * index] = UInt64(time.tv_nsec)
    }
    words[13] = UInt64(status.st_blksize)
    words[14] = UInt64(bitPattern: Int64(status.st_blocks))
    try memory.write(words.withUnsafeBytes { Array($0) }, to: address)
    return 0
  }

  private func status(_ directory: Int32, _ path: [UInt8], flags: Int32) throws(Errno) -> stat {
    var status = stat()
    let result = path.withCString { fstatat(directory, $0, &status, flags) }
    if result != 0 { throw Errno(errno) }
    return status
  }

  func statusOfPath(_ call: SystemCall) throws(Errno) -> UInt64 {
    try storeStatus(try status(AT_FDCWD, hostPath(try memory.string(call[0])), flags: 0), at: call[1])
  }

  func statusOfLink(_ call: SystemCall) throws(Errno) -> UInt64 {
    let path = hostPath(try memory.string(call[0]))
    return try storeStatus(try status(AT_FDCWD, path, flags: AT_SYMLINK_NOFOLLOW), at: call[1])
  }

  func statusOfDescriptor(_ call: SystemCall) throws(Errno) -> UInt64 {
    var status = stat()
    if fstat(hostDescriptor(call[0]), &status) != 0 { throw Errno(errno) }
    return try storeStatus(status, at: call[1])
  }

  func statusAt(_ call: SystemCall) throws(Errno) -> UInt64 {
    let path = hostPath(try memory.string(call[1]))
    return try storeStatus(try status(hostDescriptor(call[0]), path, flags: call.int(3)), at: call[2])
  }

  // MARK: File systems

  /// statfs64 and fstatfs64: the structure that statfs has, with its size before it.
  func systemOfPath(_ call: SystemCall) throws(Errno) -> UInt64 {
    guard call[1] == Layout.systemStat.size else { throw Errno(EINVAL) }
    let plain = SystemCall(number: call.number, arguments: [call[0], call[2]])
    return try hostCall(SYS_statfs, [.path, .output(.systemStat)], plain)
  }

  func systemOfDescriptor(_ call: SystemCall) throws(Errno) -> UInt64 {
    guard call[1] == Layout.systemStat.size else { throw Errno(EINVAL) }
    let plain = SystemCall(number: call.number, arguments: [call[0], call[2]])
    return try hostCall(SYS_fstatfs, [.descriptor, .output(.systemStat)], plain)
  }


  // MARK: readlink

  func readLink(_ call: SystemCall) throws(Errno) -> UInt64 {
    try readLink(AT_FDCWD, call[0], call[1], call[2])
  }

  func readLinkAt(_ call: SystemCall) throws(Errno) -> UInt64 {
    try readLink(hostDescriptor(call[0]), call[1], call[2], call[3])
  }

  private func readLink(
    _ directory: Int32, _ name: UInt64, _ buffer: UInt64, _ size: UInt64
  ) throws(Errno) -> UInt64 {
    guard Int32(truncatingIfNeeded: size) > 0 else { throw Errno(EINVAL) }
    let path = try memory.string(name)
    var target: [UInt8]
    let own = ["/proc/self/exe", "/proc/thread-self/exe", "/proc/\(getpid())/exe"]
    if own.contains(where: { path.elementsEqual($0.utf8) }) {
      target = Array(executablePath.utf8)
    } else {
      target = [UInt8](repeating: 0, count: 4096)
      let count = hostPath(path).withCString { name in
        target.withUnsafeMutableBytes { readlinkat(directory, name, $0.baseAddress!, $0.count) }
      }
      if count < 0 { throw Errno(errno) }
      target.removeLast(target.count - count)
    }
    let part = Array(target.prefix(Int(min(size, 4096))))
    try memory.write(part, to: buffer)
    return UInt64(part.count)
  }

  // MARK: Vectors

  func readVector(_ call: SystemCall) throws(Errno) -> UInt64 { try vector(SYS_readv, call, writes: true) }
  func writeVector(_ call: SystemCall) throws(Errno) -> UInt64 { try vector(SYS_writev, call, writes: false) }
  func positionedReadVector(_ call: SystemCall) throws(Errno) -> UInt64 { try vector(SYS_preadv, call, writes: true) }
  func positionedWriteVector(_ call: SystemCall) throws(Errno) -> UInt64 {
    try vector(SYS_pwritev, call, writes: false)
  }

  /// preadv2 and pwritev2: flags behind the position.
  func flaggedReadVector(_ call: SystemCall) throws(Errno) -> UInt64 { try vector(SYS_preadv2, call, writes: true) }
  func flaggedWriteVector(_ call: SystemCall) throws(Errno) -> UInt64 { try vector(SYS_pwritev2, call, writes: false) }

  /// `writes`: the call writes guest memory.
  private func vector(_ number: Int32, _ call: SystemCall, writes: Bool) throws(Errno) -> UInt64 {
    let parts = try vectorParts(call[1], call[2])
    var host: [iovec] = []
    for (base, length) in parts {
      let pointer = try hostPointer(base, length, writes ? .write : .read)
      host.append(iovec(iov_base: UnsafeMutableRawPointer(bitPattern: UInt(pointer)), iov_len: Int(length)))
    }
    let vector = UnsafeMutableBufferPointer<iovec>.allocate(capacity: max(1, host.count))
    defer { vector.deallocate() }
    _ = vector.initialize(from: host)
    let result = try blockingCall(
      number, UInt64(bitPattern: Int64(hostDescriptor(call[0]))), UInt64(UInt(bitPattern: vector.baseAddress)),
      UInt64(host.count), call[3], call[4], call[5])
    var rest = result
    for (base, length) in parts where writes && rest > 0 {
      memory.noteHostWrite(base, min(rest, length))
      rest -= min(rest, length)
    }
    return result
  }

  func vectorParts(_ address: UInt64, _ count: UInt64) throws(Errno) -> [(UInt64, UInt64)] {
    guard count <= 1024 else { throw Errno(EINVAL) }
    var parts: [(UInt64, UInt64)] = []
    for index in 0..<count {
      let base: UInt64 = try memory.load(address + 16 * index)
      let length: UInt64 = try memory.load(address + 16 * index + 8)
      guard Int64(bitPattern: length) >= 0 else { throw Errno(EINVAL) }
      parts.append((base, length))
    }
    return parts
  }

  // MARK: ioctl, fcntl, pipes

  /// Requests whose argument is a structure of the same layout on the host (asm-generic/ioctls.h): bytes, and whether
  /// the call writes it. The others take a number or nothing.
  private static let ioctlArguments: [UInt64: SyscallArgument] = [
    0x5401: .output(36),  // TCGETS
    0x5402: .input(36), 0x5403: .input(36), 0x5404: .input(36),  // TCSETS, TCSETSW, TCSETSF
    0x5405: .output(18), 0x5406: .input(18), 0x5407: .input(18), 0x5408: .input(18),  // TCGETA …
    0x540f: .output(4), 0x5410: .input(4),  // TIOCGPGRP, TIOCSPGRP
    0x5411: .output(4), 0x541b: .output(4),  // TIOCOUTQ, FIONREAD
    0x5413: .output(8), 0x5414: .input(8),  // TIOCGWINSZ, TIOCSWINSZ
    0x5421: .input(4), 0x5452: .input(4),  // FIONBIO, FIOASYNC
    0x5429: .output(4),  // TIOCGSID
    0x8004_5430: .output(4), 0x4004_5431: .input(4),  // TIOCGPTN, TIOCSPTLCK
    0x5409: .value, 0x540a: .value, 0x540b: .value,  // TCSBRK, TCXONC, TCFLSH
    0x540e: .value, 0x5422: .value, 0x5450: .value, 0x5451: .value,  // TIOCSCTTY, TIOCNOTTY, FIONCLEX, FIOCLEX
  ]

  func ioctl(_ call: SystemCall) throws(Errno) -> UInt64 {
    let request = call[1] & 0xffff_ffff
    guard let argument = Self.ioctlArguments[request] else {
      if Glibc.fcntl(hostDescriptor(call[0]), F_GETFD) < 0 { throw Errno(EBADF) }
      report(request << 16 | call.number, "ioctl \(hexadecimal(request)) is not known: answered ENOTTY")
      throw Errno(ENOTTY)
    }
    return try hostCall(SYS_ioctl, [.descriptor, .value, argument], call)
  }

  func fcntl(_ call: SystemCall) throws(Errno) -> UInt64 {
    let argument: SyscallArgument
    switch call.int(1) {
    case 5, 36: argument = .both(32)  // F_GETLK, F_OFD_GETLK: struct flock
    case 6, 7, 37, 38: argument = .input(32)
    case 15: argument = .input(8)  // F_SETOWN_EX
    case 16: argument = .output(8)  // F_GETOWN_EX
    default: argument = .value
    }
    return try hostCall(SYS_fcntl, [.descriptor, .value, argument], call)
  }

  /// pipe() returns its two descriptors in r8 and r9 (sys_ia64_pipe).
  func pipe(_ call: SystemCall) throws(Errno) -> SystemCallResult {
    var ends: (Int32, Int32) = (0, 0)
    let result = withUnsafeMutableBytes(of: &ends) { Glibc.pipe($0.baseAddress!.assumingMemoryBound(to: Int32.self)) }
    if result != 0 { throw Errno(errno) }
    var answer = SystemCallResult.success(UInt64(ends.0))
    answer.second = UInt64(ends.1)
    return answer
  }

  // MARK: Sockets and readiness

  func send(_ call: SystemCall) throws(Errno) -> UInt64 {
    let wide = SystemCall(number: call.number, arguments: Array(call.arguments[..<4]) + [0, 0])
    return try hostCall(SYS_sendto, [.descriptor, .inputSized(by: 2), .value, .value, .value, .value], wide)
  }

  func receive(_ call: SystemCall) throws(Errno) -> UInt64 {
    let wide = SystemCall(number: call.number, arguments: Array(call.arguments[..<4]) + [0, 0])
    return try hostCall(SYS_recvfrom, [.descriptor, .outputSized(by: 2), .value, .value, .value, .value], wide)
  }

  func sendMessage(_ call: SystemCall) throws(Errno) -> UInt64 { try message(SYS_sendmsg, call, .read) }
  func receiveMessage(_ call: SystemCall) throws(Errno) -> UInt64 { try message(SYS_recvmsg, call, .write) }

  /// sendmmsg and recvmmsg: struct mmsghdr is a msghdr and the count of its bytes; one call for each here. What fails
  /// behind the first is seen by the next call.
  private func messages(
    _ call: SystemCall, flags: UInt64, _ one: (SystemCall) throws(Errno) -> UInt64
  ) throws(Errno) -> UInt64 {
    var done: UInt64 = 0, flags = flags
    while done < min(call[2], 1024) {
      let header = call[1] &+ 64 * done
      do throws(Errno) {
        let count = try one(SystemCall(number: call.number, arguments: [call[0], header, flags]))
        try memory.store(UInt32(truncatingIfNeeded: count), to: header + 56)
      } catch {
        if done == 0 { throw error }
        return done
      }
      done += 1
      // MSG_WAITFORONE: the others are taken if they are there (MSG_DONTWAIT).
      if flags & 0x10000 != 0 { flags |= 0x40 }
    }
    return done
  }

  func sendMessages(_ call: SystemCall) throws(Errno) -> UInt64 {
    try messages(call, flags: call[3]) { (one) throws(Errno) in try message(SYS_sendmsg, one, .read) }
  }

  func receiveMessages(_ call: SystemCall) throws(Errno) -> UInt64 {
    // A timeout, which the host too looks at only between messages, ends the wait for more of them.
    let flags = call[4] != 0 ? call[3] | 0x10000 : call[3]
    return try messages(call, flags: flags) { (one) throws(Errno) in try message(SYS_recvmsg, one, .write) }
  }

  /// sendmsg and recvmsg: struct msghdr and its ancillary data have one layout; the addresses in it are the guest's.
  private func message(_ number: Int32, _ call: SystemCall, _ wanted: Protection) throws(Errno) -> UInt64 {
    var header: msghdr = try memory.load(call[1])
    let guest = header
    func host(_ pointer: UnsafeMutableRawPointer?, _ size: Int) throws(Errno) -> UnsafeMutableRawPointer? {
      guard size >= 0, size <= 1 << 20 else { throw Errno(EINVAL) }
      let address = try hostPointer(UInt64(UInt(bitPattern: pointer)), UInt64(size), wanted)
      return UnsafeMutableRawPointer(bitPattern: UInt(address))
    }
    let parts = try vectorParts(UInt64(UInt(bitPattern: guest.msg_iov)), UInt64(guest.msg_iovlen))
    let vector = UnsafeMutablePointer<iovec>.allocate(capacity: max(1, parts.count))
    defer { vector.deallocate() }
    for (index, (base, length)) in parts.enumerated() {
      let pointer = try hostPointer(base, length, wanted)
      (vector + index).initialize(
        to: iovec(iov_base: UnsafeMutableRawPointer(bitPattern: UInt(pointer)), iov_len: Int(length)))
    }
    header.msg_iov = vector
    header.msg_name = try host(guest.msg_name, Int(guest.msg_namelen))
    header.msg_control = try host(guest.msg_control, guest.msg_controllen)
    let place = UnsafeMutablePointer<msghdr>.allocate(capacity: 1)
    defer { place.deallocate() }
    place.initialize(to: header)
    let result = try blockingCall(
      number, UInt64(bitPattern: Int64(hostDescriptor(call[0]))), UInt64(UInt(bitPattern: place)), call[2])
    if wanted == .read { return result }
    var answer = guest
    answer.msg_namelen = place.pointee.msg_namelen
    answer.msg_controllen = place.pointee.msg_controllen
    answer.msg_flags = place.pointee.msg_flags
    try memory.store(answer, to: call[1])
    memory.noteHostWrite(UInt64(UInt(bitPattern: guest.msg_name)), UInt64(guest.msg_namelen))
    memory.noteHostWrite(UInt64(UInt(bitPattern: guest.msg_control)), UInt64(guest.msg_controllen))
    var rest = result
    for (base, length) in parts where rest > 0 {
      memory.noteHostWrite(base, min(rest, length))
      rest -= min(rest, length)
    }
    return result
  }

  func getSocketOption(_ call: SystemCall) throws(Errno) -> UInt64 {
    let length: UInt32 = try memory.load(call[4])
    return try hostCall(
      SYS_getsockopt, [.descriptor, .value, .value, .output(.bytes(UInt64(min(length, 4096)))), .both(4)], call)
  }

  func select(_ call: SystemCall) throws(Errno) -> UInt64 {
    guard 0...1024 ~= call.int(0) else { throw Errno(EINVAL) }
    let sets = Layout.bytes((UInt64(call.int(0)) + 63) / 64 * 8)
    return try hostCall(SYS_select, [.value, .both(sets), .both(sets), .both(sets), .both(16)], call)
  }

  /// ia64's struct epoll_event is not packed: 4 bytes of events, 4 of padding, 8 of data. The host's has 12 bytes.
  func epollControl(_ call: SystemCall) throws(Errno) -> UInt64 {
    var event = [UInt8](repeating: 0, count: 12)
    if call[3] != 0 { event = try memory.read(call[3], 4) + memory.read(call[3] + 8, 8) }
    let result = event.withUnsafeBytes { bytes in
      kt_host_syscall(
        Int64(SYS_epoll_ctl), UInt64(bitPattern: Int64(hostDescriptor(call[0]))), call[1],
        UInt64(bitPattern: Int64(hostDescriptor(call[2]))), UInt64(UInt(bitPattern: bytes.baseAddress)), 0, 0)
    }
    if result < 0 { throw Errno(Int32(-result)) }
    return 0
  }

  func epollWait(_ call: SystemCall) throws(Errno) -> UInt64 {
    try epollWait(call, SYS_epoll_wait, call[3], mask: 0)
  }

  /// `time`: milliseconds, or for epoll_pwait2 the host address of a timespec.
  func epollWait(_ call: SystemCall, _ number: Int32, _ time: UInt64, mask: UInt64) throws(Errno) -> UInt64 {
    let count = call.int(2)
    guard count > 0 else { throw Errno(EINVAL) }
    let room = Int(min(count, 1024))
    let events = UnsafeMutableRawBufferPointer.allocate(byteCount: 12 * room, alignment: 8)
    defer { events.deallocate() }
    let result = try blockingCall(
      number, UInt64(bitPattern: Int64(hostDescriptor(call[0]))), UInt64(UInt(bitPattern: events.baseAddress)),
      UInt64(room), time, mask, 8)
    for index in 0..<Int(result) {
      let event = events[12 * index..<12 * index + 12]
      let unpacked = event.prefix(4) + [0, 0, 0, 0] + event.suffix(8)
      try memory.write(Array(unpacked), to: call[1] + UInt64(16 * index))
    }
    return result
  }
}

extension [UInt8] {
  /// Calls `body` with these bytes as a C string.
  fileprivate func withCString<R>(_ body: (UnsafePointer<CChar>) -> R) -> R {
    (self + [0]).withUnsafeBufferPointer { buffer in
      buffer.withMemoryRebound(to: CChar.self) { body($0.baseAddress!) }
    }
  }
}
