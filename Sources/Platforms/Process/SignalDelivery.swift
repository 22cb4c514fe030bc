// From a signal to what it does: which signal a fault is and what its siginfo says (arch/ia64/kernel/traps.c,
// mm/fault.c), and delivery between two instructions.
import CSupport
import Glibc
import Machine

/// A siginfo of a fault: ia64's has an immediate, flags and the interruption status behind the address.
struct FaultInformation: Equatable {
  var signal: Int32
  var code: Int32
  var address: UInt64
  var immediate: UInt32 = 0
  var flags: UInt32 = 0
  var status: UInt64 = 0

  /// Set in `flags` where `status` holds ISR.
  private static let statusIsValid: UInt32 = 1

  var bytes: [UInt8] {
    var words = [UInt64](repeating: 0, count: Int(KT_SIGINFO_BYTES) / 8)
    words[0] = UInt64(UInt32(bitPattern: signal))
    words[1] = UInt64(UInt32(bitPattern: code))
    words[2] = address
    words[3] = UInt64(immediate) | UInt64(flags) << 32
    words[4] = status
    return words.withUnsafeBytes { Array($0) }
  }

  /// What the trap of a processor that stands at `position` (ip and slot) tells a handler of `signal`.
  init(_ trap: kt_trap, signal: Int32, position: UInt64) {
    self.signal = signal
    code = 0x80  // SI_KERNEL
    address = 0
    guard let vector = Vector(rawValue: trap.vector) else { return }
    switch vector {
    case .breakInstruction:
      code = Self.code(ofBreak: trap.iim)
      (address, immediate, flags) = (position, UInt32(truncatingIfNeeded: trap.iim), Self.statusIsValid)
    case .generalException where trap.isr >> 4 & 0xf == 0: (code, address) = (1, position)  // ILL_ILLOPC
    case .generalException, .disabledFP, .virtualization: break
    case .naTConsumption:
      let page = trap.isr >> 4 & 0xf == 2
      (code, address) = (2, page ? trap.ifa : position)  // SEGV_ACCERR, ILL_ILLOPN
      noteStatus(trap)
      immediate = 26
    case .unsupportedDataReference:
      (code, address) = (2, position)  // ILL_ILLOPN
      noteStatus(trap)
    case .unalignedReference: (code, address) = (1, trap.ifa)  // BUS_ADRALN
    case .floatingPointFault, .floatingPointTrap:
      code = vector == .floatingPointFault ? Self.code(ofFault: trap.isr) : Self.code(ofTrap: trap.isr)
      address = position
      noteStatus(trap)
    case .debug: (code, address) = (4, trap.ifa)  // TRAP_HWBKPT
    case .takenBranch: (code, address) = (3, position)  // TRAP_BRANCH
    case .singleStep: (code, address) = (2, position)  // TRAP_TRACE
    case .lowerPrivilegeTransfer:
      (code, address) = (9, position)  // ILL_BADIADDR
      noteStatus(trap)
    default:
      let isMapped = vector == .dataAccessRights || vector == .instructionAccessRights
      (code, address) = (isMapped ? 2 : 1, trap.ifa)  // SEGV_ACCERR, SEGV_MAPERR
      noteStatus(trap)
    }
  }

  private mutating func noteStatus(_ trap: kt_trap) {
    flags = Self.statusIsValid
    status = trap.isr
  }

  private static func code(ofBreak number: UInt64) -> Int32 {
    switch number {
    case 0: 1  // ILL_ILLOPC
    case 1: 1  // FPE_INTDIV
    case 2: 2  // FPE_INTOVF
    case 3: 8  // FPE_FLTSUB
    case 4: 1  // SEGV_MAPERR
    case 5: 1  // BUS_ADRALN, with SIGSEGV
    case 6...10: Int32(number) + 3  // FPE_DECOVF, FPE_DECDIV, FPE_DECERR, FPE_INVASC, FPE_INVDEC
    case 11: 4  // SEGV_PSTKOVF
    case 0x3f000...0x3ffff: 11  // ILL_BNDMOD
    case 0..<0x80000: 10  // ILL_BREAK
    default: 1  // TRAP_BRKPT
    }
  }

  private static func code(ofFault isr: UInt64) -> Int32 {
    if isr & 0x11 != 0 { return 7 }  // FPE_FLTINV
    if isr & 0x22 != 0 { return 5 }  // FPE_FLTUND: a denormal operand
    return isr & 0x44 != 0 ? 3 : 0  // FPE_FLTDIV
  }

  private static func code(ofTrap isr: UInt64) -> Int32 {
    if isr & 0x880 != 0 { return 4 }  // FPE_FLTOVF
    if isr & 0x1100 != 0 { return 5 }  // FPE_FLTUND
    return isr & 0x2200 != 0 ? 6 : 0  // FPE_FLTRES
  }
}

extension LinuxProcess.SignalAction {
  static let onStack: UInt64 = 0x0800_0000
  static let noDefer: UInt64 = 0x4000_0000
  static let resetHandler: UInt64 = 0x8000_0000
}

extension LinuxProcess {
  /// Delivers what waits for the current thread, as the kernel does on its way back to the program. A value ends the
  /// process.
  func deliverSignals() -> RunEnd? {
    while current.attention.pointee != 0 {
      current.attention.pointee = 0
      guard let (signal, info) = takeSignal() else { return nil }
      let end = deliver(signal, info)
      // Lets the next one in.
      kt_signals_set_mask(current.mask)
      if let end { return end }
    }
    return nil
  }

  private func takeSignal() -> (Int32, [UInt8])? {
    let signals = current.signals
    var info = [UInt8](repeating: 0, count: Int(KT_SIGINFO_BYTES))
    var signal = kt_signals_take_held(signals, current.mask, &info)
    if signal != 0 {
      current.attention.pointee = 1  // there may be more
    } else if signals.pointee.captured != 0 {
      withUnsafeBytes(of: &signals.pointee.info) { info = Array($0) }
      signals.pointee.captured = 0
      signal = info.withUnsafeBytes { $0.load(as: Int32.self) }
    } else {
      return nil
    }
    if fixedID != nil { replaceSender(&info) }
    return (signal, info)
  }

  /// Under the virtual clock the process knows itself by another number than the host's.
  private func replaceSender(_ info: inout [UInt8]) {
    info.withUnsafeMutableBytes { bytes in
      if bytes.load(fromByteOffset: 8, as: Int32.self) <= 0, bytes.load(fromByteOffset: 16, as: Int32.self) == getpid() {
        bytes.storeBytes(of: processID, toByteOffset: 16, as: Int32.self)
      }
    }
  }

  private func deliver(_ signal: Int32, _ info: [UInt8]) -> RunEnd? {
    guard let (signal, info) = filtered(signal, info) else { return nil }
    let action = signalActions[Int(signal)]
    tracer?.signal(threadID(current), signal, info)
    if action.handler == 1 { return nil }
    if action.handler == 0 {
      switch Self.defaultAction(signal) {
      case .ignore: return nil
      case .stop:
        Glibc.kill(getpid(), SIGSTOP)
        return nil
      case .terminate: return .killed(signal: signal)
      }
    }
    return runHandler(signal, info, action)
  }

  private func runHandler(_ signal: Int32, _ info: [UInt8], _ action: SignalAction) -> RunEnd? {
    if action.flags & SignalAction.resetHandler != 0 { setAction(signal, SignalAction(flags: action.flags)) }
    guard enterHandler(signal, info, action) else {
      // The stack can't take the frame: SIGSEGV, and for SIGSEGV itself the end.
      if signal == SIGSEGV { return .killed(signal: SIGSEGV) }
      var failure = [UInt8](repeating: 0, count: info.count)
      failure[0] = UInt8(SIGSEGV)
      failure[8] = 0x80  // SI_KERNEL
      return force(SIGSEGV, failure)
    }
    var mask = current.mask | action.mask
    if action.flags & SignalAction.noDefer == 0 { mask |= 1 << UInt64(signal - 1) }
    setMask(mask)
    return nil
  }

  /// The signal that a debugger lets through; nil: none.
  private func filtered(_ signal: Int32, _ info: [UInt8]) -> (Int32, [UInt8])? {
    guard let signalFilter else { return (signal, info) }
    let chosen = signalFilter(signal)
    if chosen == signal { return (signal, info) }
    if chosen == 0 { return nil }
    var other = [UInt8](repeating: 0, count: info.count)  // SI_USER
    other[0] = UInt8(chosen)
    return (chosen, other)
  }

  /// A signal that the thread can't go on without: where it is blocked or ignored the process ends.
  func force(_ signal: Int32, _ info: [UInt8]) -> RunEnd? {
    guard let (signal, info) = filtered(signal, info) else { return nil }
    let action = signalActions[Int(signal)]
    tracer?.signal(threadID(current), signal, info)
    guard action.handler > 1, current.mask >> UInt64(signal - 1) & 1 == 0 else { return .killed(signal: signal) }
    return runHandler(signal, info, action)
  }
}
