// System calls on signals. The host thread's mask is the guest thread's, and a signal with a guest handler has a handler
// of Kittson's on the host (kittson_signals.h): so what is pending, who receives it and what interrupts a system call is
// the host kernel's work, and most calls here are its own.
import CSupport
import Glibc

extension LinuxProcess {
  private static let unblockable: UInt64 = 1 << UInt64(SIGKILL - 1) | 1 << UInt64(SIGSTOP - 1)

  /// rt_sigaction: ia64's struct sigaction is handler, flags, mask (no restorer).
  func signalAction(_ call: SystemCall) throws(Errno) -> UInt64 {
    let signal = call.int(0)
    guard 1...64 ~= signal, call[3] == 8 else { throw Errno(EINVAL) }
    let old = signalActions[Int(signal)]
    if call[1] != 0 {
      guard signal != SIGKILL, signal != SIGSTOP else { throw Errno(EINVAL) }
      setAction(
        signal,
        SignalAction(
          handler: try memory.load(call[1]), flags: try memory.load(call[1] + 8),
          mask: try memory.load(call[1] + 16) & ~Self.unblockable))
    }
    if call[2] != 0 {
      try memory.write([old.handler, old.flags, old.mask].withUnsafeBytes { Array($0) }, to: call[2])
    }
    return 0
  }

  /// Sets a disposition, and what follows from it on the host.
  func setAction(_ signal: Int32, _ action: SignalAction) {
    signalActions[Int(signal)] = action
    let disposition =
      switch action.handler {
      case 0: KT_SIGNAL_DEFAULT
      case 1: KT_SIGNAL_IGNORE
      default: KT_SIGNAL_CAPTURE
      }
    kt_signals_set(signal, Int32(disposition), action.flags)
  }

  /// rt_sigprocmask: SIG_BLOCK 0, SIG_UNBLOCK 1, SIG_SETMASK 2.
  func signalProcessMask(_ call: SystemCall) throws(Errno) -> UInt64 {
    guard call[3] == 8 else { throw Errno(EINVAL) }
    let old = current.mask
    if call[1] != 0 {
      let set: UInt64 = try memory.load(call[1])
      switch call.int(0) {
      case 0: setMask(old | set)
      case 1: setMask(old & ~set)
      case 2: setMask(set)
      default: throw Errno(EINVAL)
      }
    }
    if call[2] != 0 { try memory.store(old, to: call[2]) }
    return 0
  }

  /// Gives the current thread a mask.
  func setMask(_ mask: UInt64) {
    current.mask = mask & ~Self.unblockable
    // While a captured signal waits for its delivery everything is blocked; the delivery sets the mask.
    if current.signals.pointee.captured == 0 { kt_signals_set_mask(current.mask) }
    current.attention.pointee = 1
  }

  func signalPending(_ call: SystemCall) throws(Errno) -> UInt64 {
    guard call[1] <= 8 else { throw Errno(EINVAL) }
    var pending: UInt64 = 0
    kt_host_syscall(
      Int64(SYS_rt_sigpending), UInt64(UInt(bitPattern: withUnsafeMutablePointer(to: &pending) { $0 })), 8, 0, 0, 0, 0)
    try memory.store(pending | current.signals.pointee.held, to: call[0])
    return 0
  }

  /// A guest's mask as the host's calls may have it, in memory of the thread's own; 0 for no mask.
  private func hostMask(_ address: UInt64, _ size: UInt64) throws(Errno) -> UInt64 {
    if address == 0 { return 0 }
    guard size == 8 else { throw Errno(EINVAL) }
    current.maskBuffer.pointee = try memory.load(address, as: UInt64.self) & ~kt_signals_fault_mask()
    return UInt64(UInt(bitPattern: current.maskBuffer))
  }

  /// rt_sigsuspend: always ends with EINTR, and the handler's frame holds the mask from before.
  func signalSuspend(_ call: SystemCall) throws(Errno) -> UInt64 {
    guard call[0] != 0 else { throw Errno(EFAULT) }
    return try blockingCall(SYS_rt_sigsuspend, try hostMask(call[0], call[1]), 8)
  }

  /// ppoll, epoll_pwait, pselect6: a signal mask while they wait.
  func pollMasked(_ call: SystemCall) throws(Errno) -> UInt64 {
    guard call[1] <= 1 << 20 else { throw Errno(EINVAL) }
    let descriptors = try hostPointer(call[0], 8 * call[1], .write)
    let time = try hostPointer(call[2], 16, .read)
    let mask = try hostMask(call[3], call[4])
    let result = try blockingCall(SYS_ppoll, descriptors, call[1], time, mask, 8)
    memory.noteHostWrite(call[0], 8 * call[1])
    return result
  }

  func epollWaitMasked(_ call: SystemCall) throws(Errno) -> UInt64 {
    try epollWait(call, SYS_epoll_pwait, call[3], mask: try hostMask(call[4], call[5]))
  }

  func epollWaitTimed(_ call: SystemCall) throws(Errno) -> UInt64 {
    let time = try hostPointer(call[3], 16, .read)
    return try epollWait(call, 441 /* epoll_pwait2 */, time, mask: try hostMask(call[4], call[5]))
  }

  func selectMasked(_ call: SystemCall) throws(Errno) -> UInt64 {
    guard 0...1024 ~= call.int(0) else { throw Errno(EINVAL) }
    let bytes = (UInt64(call.int(0)) + 63) / 64 * 8
    var sets: [UInt64] = []
    for index in 1...3 { sets.append(try hostPointer(call[index], bytes, .write)) }
    let time = try hostPointer(call[4], 16, .write)
    // The last argument points to a mask's address and size.
    let pair = UnsafeMutablePointer<UInt64>.allocate(capacity: 2)
    defer { pair.deallocate() }
    pair[0] = call[5] == 0 ? 0 : try hostMask(try memory.load(call[5]), try memory.load(call[5] + 8))
    pair[1] = 8
    let result = try blockingCall(
      SYS_pselect6, call[0], sets[0], sets[1], sets[2], time, UInt64(UInt(bitPattern: pair)))
    for index in 1...3 where call[index] != 0 { memory.noteHostWrite(call[index], bytes) }
    if call[4] != 0 { memory.noteHostWrite(call[4], 16) }
    return result
  }

  func alternateSignalStack(_ call: SystemCall) throws(Errno) -> UInt64 {
    var old = current.alternateStack
    if let cpu = current.cpu, old.holds(cpu.readGR(12)) { old.flags |= 1 }  // SS_ONSTACK
    if call[0] != 0 {
      let flags: Int32 = try memory.load(call[0] + 8)
      guard flags & ~(1 | 2 | GuestThread.AlternateStack.autoDisarm) == 0 else { throw Errno(EINVAL) }
      let size: UInt64 = try memory.load(call[0] + 16)
      if old.flags & 1 != 0 { throw Errno(EPERM) }
      // MINSIGSTKSZ of ia64.
      if flags & 2 == 0 && size < 131_027 { throw Errno(ENOMEM) }
      current.alternateStack = flags & 2 != 0
        ? GuestThread.AlternateStack()
        : GuestThread.AlternateStack(base: try memory.load(call[0]), flags: flags & ~1, size: size)
    }
    if call[1] != 0 {
      let words = [old.base, UInt64(UInt32(bitPattern: old.flags)), old.size]
      try memory.write(words.withUnsafeBytes { Array($0) }, to: call[1])
    }
    return 0
  }

  // MARK: Sending

  func kill(_ call: SystemCall) throws(Errno) -> SystemCallResult {
    try send(call.int(1), ownTarget: call.int(0) == processID) { () throws(Errno) in
      try hostCall(SYS_kill, [.processID, .value], call)
    }
  }

  func threadKill(_ call: SystemCall) throws(Errno) -> SystemCallResult {
    try send(call.int(1), ownTarget: call.int(0) == threadID(current)) { () throws(Errno) in
      try hostCall(SYS_tkill, [.processID, .value], call)
    }
  }

  func threadGroupKill(_ call: SystemCall) throws(Errno) -> SystemCallResult {
    let own = call.int(0) == processID && call.int(1) == threadID(current)
    return try send(call.int(2), ownTarget: own) { () throws(Errno) in
      try hostCall(SYS_tgkill, [.processID, .processID, .value], call)
    }
  }

  /// A signal to the process itself that ends it ends it here, so that whoever runs it hears of it; every other one is
  /// the host's to deliver.
  private func send(
    _ signal: Int32, ownTarget: Bool, _ host: () throws(Errno) -> UInt64
  ) throws(Errno) -> SystemCallResult {
    guard 0...64 ~= signal else { throw Errno(EINVAL) }
    if ownTarget, signal > 0, signalActions[Int(signal)].handler == 0, current.mask >> UInt64(signal - 1) & 1 == 0,
      Self.defaultAction(signal) == .terminate, threads.count == 1
    {
      var result = SystemCallResult.success(0)
      result.end = .killed(signal: signal)
      return result
    }
    return .success(try host())
  }

  enum DefaultAction { case terminate, ignore, stop }

  static func defaultAction(_ signal: Int32) -> DefaultAction {
    switch signal {
    case SIGCHLD, SIGCONT, SIGURG, SIGWINCH: .ignore
    case SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU: .stop
    default: .terminate
    }
  }
}
