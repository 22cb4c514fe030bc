// System V semaphores, message queues and shared memory, and POSIX message queues: the host's own. Where a structure's
// layout on ia64 is the host's it is passed on (arch/ia64/include/uapi/asm/msgbuf.h, shmbuf.h); struct semid64_ds is not.
import CSupport
import Glibc

extension LinuxProcess {
  // MARK: Semaphores

  /// IPC_64, which some callers set: the only form that there is here.
  private static let modernForm: Int32 = 0x100
  /// Bytes of struct ipc64_perm, with which all three structures of status begin.
  private static let permissionBytes = 48

  /// semctl, whose fourth argument is a number, a structure or an array.
  func semaphoreControl(_ call: SystemCall) throws(Errno) -> UInt64 {
    let command = call.int(2) & ~Self.modernForm
    switch command {
    case 1, 2, 18, 20: return try semaphoreStatus(call, command)  // IPC_SET, IPC_STAT, SEM_STAT, SEM_STAT_ANY
    case 3, 19: return try control(SYS_semctl, call, command, .output(40))  // IPC_INFO, SEM_INFO
    case 13: return try control(SYS_semctl, call, command, .output(.bytes(2 * (try semaphoreCount(call)))))  // GETALL
    case 17: return try control(SYS_semctl, call, command, .input(.bytes(2 * (try semaphoreCount(call)))))  // SETALL
    default: return try control(SYS_semctl, call, command, .value)
    }
  }

  /// A call of semctl with its last argument as `kind` says.
  private func control(
    _ number: Int32, _ call: SystemCall, _ command: Int32, _ kind: SyscallArgument
  ) throws(Errno) -> UInt64 {
    let wide = SystemCall(
      number: call.number, arguments: [call[0], call[1], UInt64(UInt32(bitPattern: command)), call[3], 0, 0])
    return try hostCall(number, [.value, .value, .value, kind], wide)
  }

  /// The host's struct semid64_ds, 13 words: permissions, otime, a free word, ctime, a free word, count.
  private func hostStatus(_ call: SystemCall, _ command: Int32, _ words: inout [UInt64]) throws(Errno) -> UInt64 {
    let result = words.withUnsafeMutableBytes { buffer in
      kt_host_syscall(
        Int64(SYS_semctl), call[0], call[1], UInt64(UInt32(bitPattern: command)),
        UInt64(UInt(bitPattern: buffer.baseAddress)), 0, 0)
    }
    if result < 0 { throw Errno(Int32(-result)) }
    return UInt64(result)
  }

  private func semaphoreCount(_ call: SystemCall) throws(Errno) -> UInt64 {
    var words = [UInt64](repeating: 0, count: 13)
    _ = try hostStatus(call, 2, &words)
    return words[10]
  }

  /// ia64's struct semid64_ds (sembuf.h): permissions, otime, ctime, count, two free words.
  private func semaphoreStatus(_ call: SystemCall, _ command: Int32) throws(Errno) -> UInt64 {
    var words = [UInt64](repeating: 0, count: 13)
    if command == 1 {
      let guest = try memory.read(call[3], UInt64(Self.permissionBytes))
      words.withUnsafeMutableBytes { $0.copyBytes(from: guest) }
      return try hostStatus(call, command, &words)
    }
    let result = try hostStatus(call, command, &words)
    let permissions = words.prefix(Self.permissionBytes / 8)
    try memory.write((permissions + [words[6], words[8], words[10], 0, 0]).withUnsafeBytes { Array($0) }, to: call[3])
    return result
  }

  // MARK: Message queues

  /// msgsnd and msgrcv: a type of 8 bytes stands before the text.
  func messageSend(_ call: SystemCall) throws(Errno) -> UInt64 {
    guard call[2] <= 1 << 20 else { throw Errno(EINVAL) }
    return try hostCall(SYS_msgsnd, [.value, .input(.bytes(8 + call[2])), .value, .value], call)
  }

  func messageReceive(_ call: SystemCall) throws(Errno) -> UInt64 {
    guard call[2] <= 1 << 20 else { throw Errno(EINVAL) }
    return try hostCall(SYS_msgrcv, [.value, .both(.bytes(8 + call[2])), .value, .value, .value], call)
  }

  func messageControl(_ call: SystemCall) throws(Errno) -> UInt64 {
    let command = call.int(1) & ~Self.modernForm
    let kind: SyscallArgument =
      switch command {
      case 1: .input(120)  // IPC_SET
      case 2, 11, 13: .both(120)  // IPC_STAT, MSG_STAT, MSG_STAT_ANY
      case 3, 12: .both(32)  // IPC_INFO, MSG_INFO
      default: .value
      }
    return try hostCall(SYS_msgctl, [.value, .value, kind], narrow(call, command))
  }

  private func narrow(_ call: SystemCall, _ command: Int32) -> SystemCall {
    SystemCall(number: call.number, arguments: [call[0], UInt64(UInt32(bitPattern: command)), call[2]])
  }

  /// mq_notify: with SIGEV_THREAD the structure names 32 bytes that the C library's helper thread is sent.
  func queueNotify(_ call: SystemCall) throws(Errno) -> UInt64 {
    guard call[1] != 0, try memory.load(call[1] + 12, as: Int32.self) == 2 else {
      return try hostCall(SYS_mq_notify, [.descriptor, .input(64)], call)
    }
    var event: [UInt64] = []
    for index in 0..<8 { event.append(try memory.load(call[1] + UInt64(8 * index))) }
    event[0] = try hostPointer(event[0], 32, .read)
    let place = UnsafeMutableBufferPointer<UInt64>.allocate(capacity: event.count)
    defer { place.deallocate() }
    _ = place.initialize(from: event)
    return try blockingCall(
      SYS_mq_notify, UInt64(bitPattern: Int64(hostDescriptor(call[0]))), UInt64(UInt(bitPattern: place.baseAddress)))
  }

  // MARK: Shared memory

  /// Bytes that Linux/ia64 aligns shared mappings to where the caller does not say where (SHMLBA).
  private static let attachAlignment: UInt64 = 1 << 20

  private enum AttachFlag {
    static let readOnly: UInt64 = 0o10000
    static let round: UInt64 = 0o20000
    static let replace: UInt64 = 0o40000
    static let execute: UInt64 = 0o100000
  }

  /// shmat: like a shared mapping of the whole segment.
  func attach(_ call: SystemCall) throws(Errno) -> UInt64 {
    let flags = call[2]
    var status = [UInt64](repeating: 0, count: 14)  // struct shmid64_ds; the size stands behind the permissions
    let known = status.withUnsafeMutableBytes { buffer in
      kt_host_syscall(
        Int64(SYS_shmctl), call[0], 2, UInt64(UInt(bitPattern: buffer.baseAddress)), 0, 0, 0)
    }
    if known < 0 { throw Errno(Int32(-known)) }
    let bytes = status[Self.permissionBytes / 8], size = AddressSpace.pageUp(bytes)
    let start = try attachAddress(call[1], size, flags)
    var protection: Protection = flags & AttachFlag.readOnly != 0 ? [.read] : [.read, .write]
    if flags & AttachFlag.execute != 0 { protection.insert(.execute) }
    let key = String(UInt32(truncatingIfNeeded: status[0]), radix: 16)
    try memory.map(
      start, size, protection,
      source: .segment(id: call.int(0), size: bytes, isReadOnly: flags & AttachFlag.readOnly != 0), shared: true,
      name: "/SYSV" + String(repeating: "0", count: 8 - key.count) + key)
    attachments[start] = size
    return start
  }

  private func attachAddress(_ wanted: UInt64, _ size: UInt64, _ flags: UInt64) throws(Errno) -> UInt64 {
    let mask = Self.attachAlignment - 1
    if wanted == 0 {
      guard flags & AttachFlag.replace == 0 else { throw Errno(EINVAL) }
      return (try memory.findFree(size + mask, hint: 0) + mask) & ~mask
    }
    let start = flags & AttachFlag.round != 0 ? wanted & ~mask : wanted
    guard start % AddressSpace.pageSize == 0, AddressSpace.isUserRange(start, size) else { throw Errno(EINVAL) }
    if flags & AttachFlag.replace == 0 {
      for area in memory.areas where area.start < start + size && area.end > start { throw Errno(EINVAL) }
    }
    return start
  }

  /// shmdt: the host detaches a segment when its last page is unmapped.
  func detach(_ call: SystemCall) throws(Errno) -> UInt64 {
    guard let size = attachments.removeValue(forKey: call[0]) else { throw Errno(EINVAL) }
    for area in memory.areas where area.start < call[0] + size && area.end > call[0] && area.name.hasPrefix("/SYSV") {
      let start = max(area.start, call[0])
      try memory.unmap(start, min(area.end, call[0] + size) - start)
    }
    return 0
  }

  /// In a second run: what the first one attached.
  func noteAttachment(_ call: SystemCall, _ mapping: HostMapping) {
    if SyscallTable.isAttach(call.number) { attachments[mapping.start] = mapping.length }
  }

  func sharedControl(_ call: SystemCall) throws(Errno) -> UInt64 {
    let command = call.int(1) & ~Self.modernForm
    let kind: SyscallArgument =
      switch command {
      case 1: .input(112)  // IPC_SET
      case 2, 13, 15: .both(112)  // IPC_STAT, SHM_STAT, SHM_STAT_ANY
      case 3: .both(72)  // IPC_INFO
      case 14: .both(48)  // SHM_INFO
      default: .value
      }
    return try hostCall(SYS_shmctl, [.value, .value, kind], narrow(call, command))
  }
}
