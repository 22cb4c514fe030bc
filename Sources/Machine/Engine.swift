// What a platform asks of an engine. An engine (interpreter or translator) executes one guest processor until something
// happens that is not the guest's own business; the platform deals with it and calls again.
//
// The protocol is crossed once per time slice, never per instruction.
import CSupport

/// Executes guest instructions of one processor.
package protocol Engine: AnyObject {
  /// Runs from `ip`/`ri` until the guest stops, and says why (the same value stands in `stop_reason`).
  ///
  /// The caller sets `budget` (issued slots until the next event) and clears `stop_request` before. KT_STOP_BUDGET: the
  /// next instruction would exceed the budget, nothing of it was executed. KT_STOP_PROCESS_TRAP: `trap` holds the
  /// interruption, `ip`/`ri` the instruction that a handler's cr.iip would name. Every state field is precise.
  func run(_ cpu: UnsafeMutablePointer<kt_cpu>) -> kt_stop_reason

  /// Forgets what was derived from guest code in [physical, physical + length): the platform changed it behind the
  /// guest's back. Stores of guest processors do this themselves, through `kt_cpu.code_written`.
  func invalidateCode(physical: UInt64, length: UInt64)
}

/// An engine that works in blocks and can come back after each of them: what lockstep comparison needs.
package protocol BlockEngine: Engine {
  /// While set, `run` returns KT_STOP_NONE behind each block, with every state field precise.
  var returnsAfterBlock: Bool { get set }
  /// Blocks hold at most this many instructions. A change drops the blocks made before.
  var blockInstructionLimit: Int { get set }
}
