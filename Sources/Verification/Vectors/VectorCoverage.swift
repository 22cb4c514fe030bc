// What stands behind each row of the instruction table: whether its encodings come back from decoder and encoder, how the
// translator does it, how many vectors and how many instructions of random differential programs reach it.
import CSupport
import IA64
import Kittson
import Machine
import Translator

/// What is known of one row.
package struct RowCoverage: Sendable {
  /// Random instructions of the row came back from encoder and decoder as they were.
  package var decodes = false
  /// They have a text.
  package var prints = false
  /// Vectors that issue it, those whose result was as they say.
  package var vectors = 0
  package var equalVectors = 0
  /// The translator executed it by host code of its own, or by a call of the interpreter's function.
  package var isNative = false
  package var isHandedOver = false
  /// Executions in random programs that both engines agree on.
  package var differential = 0
}

package struct InstructionCoverage {
  /// By opcode.
  package private(set) var rows = [RowCoverage](repeating: RowCoverage(), count: instructionTable.count)
  /// Random programs on which the engines did not agree.
  package private(set) var disagreements = 0

  package init() {
    for row in instructionTable { checkEncodings(row) }
  }

  private mutating func checkEncodings(_ row: InstructionRow) {
    var random = RandomInstruction(seed: 0x5eed)
    var decodes = true, prints = true
    for _ in 0..<32 {
      let slot = random.slot(row.opcode)
      let unit = row.format.unit == .A ? Unit.I : row.format.unit
      let decoded = Decoder.decode(slot.slot, unit: unit, long: slot.long)
      decodes = decodes && decoded.opcode == row.opcode && Encoder.encode(decoded)?.slot == slot.slot
      prints = prints && !Disassembler.text(decoded, at: 0).isEmpty
    }
    rows[row.opcode.index].decodes = decodes
    rows[row.opcode.index].prints = prints
  }

  // MARK: Vectors

  /// Runs `vectors`, on both engines where nothing else is said.
  package mutating func add(_ vectors: [StateVector], on engines: [EngineKind] = EngineKind.allCases) throws {
    for engine in engines {
      let machine = try VectorMachine(engine, for: vectors)
      let probe = TranslationProbe(machine)
      for vector in vectors {
        var issued: [Opcode: Bool] = [:]  // whether the translator's own code did it
        var present: Opcode?
        func settle() {
          if let opcode = present { issued[opcode] = (issued[opcode] ?? false) || !probe.wasHandedOver() }
        }
        machine.observer = { cpu in
          settle()
          present = machine.opcode(cpu)
          probe.reset()
        }
        let outcome = machine.run(vector)
        settle()
        note(issued, outcome, engine)
      }
    }
  }

  private mutating func note(_ issued: [Opcode: Bool], _ outcome: VectorOutcome, _ engine: EngineKind) {
    var isEqual = false
    if case .equal = outcome { isEqual = true }
    for (opcode, native) in issued {
      if engine == .translator {
        if native { rows[opcode.index].isNative = true } else { rows[opcode.index].isHandedOver = true }
      } else {
        rows[opcode.index].vectors += 1
        rows[opcode.index].equalVectors += isEqual ? 1 : 0
      }
    }
  }

  // MARK: Random programs

  /// Runs random programs on both engines, `count` of them.
  package mutating func addPrograms(_ count: Int) throws {
    let pair = try DifferentialPair(
      reference: { try EngineFactory.make(.init(engine: .interpreter), for: $0) },
      subject: { try EngineFactory.make(.init(engine: .translator), for: $0) })
    for seed in 0..<UInt64(count) {
      let program = RandomProgram(seed: seed, mix: .all, count: 24)
      if !pair.run(program, slots: 200).isEmpty { disagreements += 1 }
      follow(program, pair)
    }
  }

  /// Runs the program once more, an instruction at a time, and counts.
  private mutating func follow(_ program: RandomProgram, _ pair: DifferentialPair) {
    program.prepare(pair.machines.0)
    pair.engines.0.invalidateCode(physical: 0, length: RandomProgram.memorySize)
    let cpu = pair.machines.0.cpus[0]
    for _ in 0..<200 {
      if let opcode = pair.machines.0.opcode(cpu) { rows[opcode.index].differential += 1 }
      cpu.setBudget(1)
      if pair.engines.0.run(cpu) != KT_STOP_BUDGET { return }
    }
  }
}

extension Configuration {
  fileprivate init(engine: EngineKind) {
    self.init()
    self.engine = engine
  }
}

extension VectorMachine {
  func opcode(_ cpu: CPU) -> Opcode? { machine.opcode(cpu) }
}

extension Machine {
  /// The instruction that the processor executes next, nil where the fetch would fault.
  fileprivate func opcode(_ cpu: CPU) -> Opcode? {
    guard let physical = cpu.peekFetch(cpu.pointee.ip), let code = host(physical: physical, length: 16) else { return nil }
    let decoded = Decoder.decode(InstructionBundle(loadingFrom: code))
    // The second slot of a long instruction is the instruction, and so is its third.
    let slot = min(Int(cpu.pointee.ri), decoded.count - 1)
    let instruction = decoded[slot]
    return instruction.opcode == .illegal ? nil : instruction.opcode
  }
}

// MARK: Who executed an instruction

/// Tells whether translated code handed the last instruction to the interpreter: as a call out of a block, or by leaving it.
private final class TranslationProbe {
  private let translator: TranslatorEngine?
  private var interpreted = 0

  init(_ machine: VectorMachine) {
    translator = machine.engine as? TranslatorEngine
    guard translator != nil, let present = machine.cpu.pointee.execute_instruction else { return }
    executeInstruction = present
    machine.cpu.pointee.execute_instruction = { cpu, instruction in
      handedOver = true
      return executeInstruction.unsafelyUnwrapped(cpu, instruction)
    }
  }

  func reset() {
    handedOver = false
    interpreted = translator?.statistics.interpreted ?? 0
  }

  func wasHandedOver() -> Bool { handedOver || translator?.statistics.interpreted != interpreted }
}

// What the wrapper around the interpreter's function reaches: a C function has no context.
nonisolated(unsafe) private var handedOver = false
nonisolated(unsafe) private var executeInstruction: (@convention(c) (CPU?, OpaquePointer?) -> Int32)?
