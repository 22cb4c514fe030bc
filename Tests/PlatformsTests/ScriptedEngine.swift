// An engine that executes a script instead of instructions: what a platform does with an engine's answers can be tested
// without one.
import CSupport
import Machine

final class ScriptedEngine: Engine {
  /// One entry per call of `run`; the last one is repeated.
  private let script: [(CPU) -> kt_stop_reason]
  private(set) var calls = 0
  private(set) var invalidated: [(UInt64, UInt64)] = []

  init(_ script: (CPU) -> kt_stop_reason...) { self.script = script }

  func run(_ cpu: CPU) -> kt_stop_reason {
    calls += 1
    let reason = script[min(calls, script.count) - 1](cpu)
    return reason
  }

  func invalidateCode(physical: UInt64, length: UInt64) { invalidated.append((physical, length)) }

  /// Uses up the budget.
  static func useBudget(_ cpu: CPU) -> kt_stop_reason {
    cpu.pointee.budget = 0
    return KT_STOP_BUDGET
  }

  /// Stores, and gives the reason that a device left.
  static func store(_ cpu: CPU, _ address: UInt64, _ value: UInt64, size: UInt32 = 8) -> kt_stop_reason {
    _ = cpu.store(address, size: size, value)
    return kt_stop_reason(cpu.pointee.stop_reason)
  }
}
