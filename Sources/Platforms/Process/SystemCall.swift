// One system call as a value: what the guest asked, what it got, and what the call changed in its memory. A recorder
// keeps these; a second run is given them instead of the host's answers.

/// A system call as Linux/ia64 receives it: the number from r15, up to eight arguments from the output registers of the
/// frame that executed `break 0x100000` (arch/ia64/kernel/ivt.S). A register that holds a NaT counts as −1.
package struct SystemCall: Equatable, Sendable {
  package var number: UInt64
  package var arguments: [UInt64]

  /// `arguments` may be shorter than six: the rest is zero.
  package init(number: UInt64, arguments: [UInt64]) {
    self.number = number
    self.arguments = arguments + [UInt64](repeating: 0, count: max(0, 6 - arguments.count))
  }

  subscript(_ index: Int) -> UInt64 { arguments[index] }
  /// An argument of C type int.
  func int(_ index: Int) -> Int32 { Int32(truncatingIfNeeded: arguments[index]) }
}

/// What a system call gives back: r8 and r10, and r9 for the one call with two results (pipe).
package struct SystemCallResult: Equatable, Sendable {
  /// r8: the result, or the error number.
  package var value: UInt64
  /// Whether r10 is −1 and `value` an error number.
  package var failed: Bool
  /// r9, where the call sets it.
  package var second: UInt64?
  /// The process's end, for the calls that don't return.
  package var end: RunEnd?
  /// The calling thread ends, and others of the process go on.
  package var endsThread = false
  /// The call has replaced the registers (rt_sigreturn): nothing of this result is written.
  package var keepsRegisters = false

  package init(value: UInt64, failed: Bool) {
    self.value = value
    self.failed = failed
  }

  /// A signal came before the call had any effect: it is made again behind the signal's handler.
  package static let restart = failure(SystemCallResult.restartCode)
  /// The kernel's own ERESTARTSYS, which no program ever sees.
  static let restartCode: Int32 = 512
  var isRestart: Bool { self == .restart }

  package static func success(_ value: UInt64) -> SystemCallResult { SystemCallResult(value: value, failed: false) }
  package static func failure(_ code: Int32) -> SystemCallResult {
    SystemCallResult(value: UInt64(bitPattern: Int64(code)), failed: true)
  }
}

/// How a second run of the same process repeats a call.
package enum SystemCallEffect: Sendable {
  /// The call depends only on the process's own state: it is made again.
  case own
  /// The call asks the host: its recorded result and memory ranges are used instead.
  case host
}

/// A call with its result and the memory that host code wrote for it, in order.
package struct SystemCallRecord: Equatable, Sendable {
  package var call: SystemCall
  package var result: SystemCallResult
  package var written: [(address: UInt64, bytes: [UInt8])]
  /// What the call mapped from the host.
  package var mapping: HostMapping?

  package init(
    call: SystemCall, result: SystemCallResult, written: [(address: UInt64, bytes: [UInt8])],
    mapping: HostMapping? = nil
  ) {
    self.call = call
    self.result = result
    self.written = written
    self.mapping = mapping
  }

  package static func == (a: SystemCallRecord, b: SystemCallRecord) -> Bool {
    a.call == b.call && a.result == b.result && a.mapping == b.mapping
      && a.written.elementsEqual(b.written) { $0.address == $1.address && $0.bytes == $1.bytes }
  }
}
