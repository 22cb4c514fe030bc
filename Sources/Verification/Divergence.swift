// What a lockstep run finds: the first difference, or how much was compared without one.
import CSupport
import Machine

/// A store that one engine made and the other did not, or made otherwise.
package struct StoreDifference: Equatable, Sendable {
  /// Number of the store within its block, from 0.
  package var index: Int
  package var interpreter: Store?
  package var translator: Store?

  package struct Store: Equatable, Sendable, CustomStringConvertible {
    package var address: UInt64
    package var value: UInt64
    package var size: Int
    package var description: String {
      "\(hexadecimal(value, digits: 2 * size)) to \(hexadecimal(address, digits: 16)), \(size) byte\(size == 1 ? "" : "s")"
    }
  }
}

/// The first place where the engines disagree.
package struct Divergence: Equatable, Sendable {
  /// Issued slots before and after the block.
  package var startSlots: UInt64
  package var endSlots: UInt64
  /// Address of the block's first instruction, slot in the low bits.
  package var start: UInt64
  package var processor: Int
  /// Number of the block in the run, from 0.
  package var block: UInt64
  package var fields: [StateDifference] = []
  package var store: StoreDifference?
  /// How the engines came back, where that differs.
  package var stops: (interpreter: String, translator: String)?
  /// The operation of the bound call site at `start`.
  package var operation: String?
  /// The instruction at `start`, or those of the block, as text.
  package var code: [String] = []
  /// Another difference than one of state, in words.
  package var remark: String?
  /// The instruction as a case of its own: the state before it.
  package var vector: StateVector?

  package static func == (a: Divergence, b: Divergence) -> Bool {
    a.startSlots == b.startSlots && a.endSlots == b.endSlots && a.start == b.start && a.processor == b.processor
      && a.block == b.block && a.fields == b.fields && a.store == b.store && a.operation == b.operation
      && a.code == b.code && a.remark == b.remark && a.stops?.interpreter == b.stops?.interpreter
      && a.stops?.translator == b.stops?.translator
  }
}

/// How much a run has compared.
package struct LockstepCounts: Equatable, Sendable {
  package var blocks: UInt64 = 0
  package var slots: UInt64 = 0
  package var stores: UInt64 = 0
  package init() {}
}

func stopName(_ reason: UInt64) -> String {
  switch UInt32(truncatingIfNeeded: reason) {
  case KT_STOP_NONE.rawValue, KT_STOP_BUDGET.rawValue: "goes on"
  case KT_STOP_EXIT.rawValue: "the guest ends"
  case KT_STOP_RESET.rawValue: "the guest asks for a reset"
  case KT_STOP_PROCESS_TRAP.rawValue: "a system call or fault of the process"
  case KT_STOP_HALT.rawValue: "the guest waits for an interrupt"
  case KT_STOP_REQUEST.rawValue: "asked to stop"
  case KT_STOP_FIRMWARE.rawValue: "a call of the firmware"
  default: "the guest can't go on"
  }
}
