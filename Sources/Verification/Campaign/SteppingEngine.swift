// The interpreter an instruction at a time, with a look at each: for what counts or changes single instructions. Slower
// than the run loop, and nothing of it stands in that.
import CSupport
import IA64
import Interpreter
import Machine

package class SteppingEngine: Engine {
  let interpreter = Interpreter()
  /// Bundles that were decoded last, by their bits.
  private let decoded = UnsafeMutablePointer<(bundle: InstructionBundle, decoded: DecodedBundle)>.allocate(capacity: 1024)

  init(_ machine: Machine) {
    let nops = RandomProgram.nops
    decoded.initialize(repeating: (nops, Decoder.decode(nops)), count: 1024)
    for cpu in machine.cpus { interpreter.attach(cpu) }
  }

  deinit { decoded.deallocate() }

  package func run(_ cpu: CPU) -> kt_stop_reason {
    cpu.pointee.stop_reason = 0
    while true {
      if cpu.pointee.event_check | cpu.pointee.stop_request != 0 {
        if checkEvents(cpu) == .stopped { return kt_stop_reason(rawValue: cpu.pointee.stop_reason) }
        continue
      }
      if cpu.pointee.budget <= 0 {
        cpu.pointee.stop_reason = KT_STOP_BUDGET.rawValue
        return KT_STOP_BUDGET
      }
      if cpu.pointee.nat_live != 0 { cpu.scanNaT() }
      if execute(cpu) == .stopped { return kt_stop_reason(rawValue: cpu.pointee.stop_reason) }
    }
  }

  package func invalidateCode(physical: UInt64, length: UInt64) {
    interpreter.invalidateCode(physical: physical, length: length)
  }

  /// What may come between two instructions.
  func checkEvents(_ cpu: CPU) -> Status { cpu.checkEvents() }

  /// One instruction.
  func execute(_ cpu: CPU) -> Status { interpreter.step(cpu) }

  /// The instruction that comes next, nil where its fetch faults.
  func presentInstruction(_ cpu: CPU) -> Instruction? {
    presentBundle(cpu).map { $0[min(Int(cpu.pointee.ri), $0.count - 1)] }
  }

  /// The bundle that comes next, nil where its fetch faults.
  final func presentBundle(_ cpu: CPU) -> DecodedBundle? {
    guard let host = CodeText.host(cpu, cpu.pointee.ip) else { return nil }
    let bundle = InstructionBundle(loadingFrom: host)
    let place = decoded + Int(truncatingIfNeeded: (bundle.low ^ bundle.high &* 0x9e37_79b9_7f4a_7c15) >> 40 & 1023)
    if place.pointee.bundle != bundle { place.pointee = (bundle, Decoder.decode(bundle)) }
    return place.pointee.decoded
  }
}

/// The interpreter with something planted around single instructions: what the tests of the tester run as subject.
package final class PlantedEngine: SteppingEngine {
  /// Executes one instruction by calling its last argument, or does something else.
  private let around: (CPU, Instruction, () -> Status) -> Status

  package init(_ machine: Machine, around: @escaping (CPU, Instruction, () -> Status) -> Status) {
    self.around = around
    super.init(machine)
  }

  override func execute(_ cpu: CPU) -> Status {
    guard let instruction = presentInstruction(cpu) else { return super.execute(cpu) }
    return around(cpu, instruction) { super.execute(cpu) }
  }
}
