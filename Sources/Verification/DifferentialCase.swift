// One random program on two engines, from the same state, for the same number of issued slots; and how the end states
// differ.
import CSupport
import Glibc
import Interpreter
import Machine
import Translator

/// Two machines and the engines that run them, reused from case to case.
package final class DifferentialPair {
  package let machines: (Machine, Machine)
  package let engines: (any Engine, any Engine)

  /// `reference` and `subject` make the engines for a machine.
  package init(
    reference: (Machine) throws -> any Engine, subject: (Machine) throws -> any Engine
  ) throws {
    machines = (
      try Machine(ramSize: RandomProgram.memorySize), try Machine(ramSize: RandomProgram.memorySize)
    )
    engines = (try reference(machines.0), try subject(machines.1))
  }

  /// Interpreter and translator, wired as a session wires them.
  package convenience init() throws {
    try self.init(reference: Self.interpreter, subject: Self.translator)
  }

  /// Whether advanced loads leave entries; before the first program.
  package func setALAT(real: Bool) throws {
    try machines.0.setALAT(real: real)
    try machines.1.setALAT(real: real)
  }

  package static func interpreter(_ machine: Machine) -> any Engine {
    let interpreter = Interpreter()
    for cpu in machine.cpus { interpreter.attach(cpu) }
    return interpreter
  }

  package static func translator(_ machine: Machine) throws -> any Engine {
    let interpreter = Interpreter()
    for cpu in machine.cpus { Interpreter.installServices(cpu) }
    guard let translator = TranslatorEngine(machine: machine, codeSize: 16 << 20) else { throw LockstepError.noEngine }
    translator.stepper = { interpreter.step($0) }
    translator.codeObserver = { interpreter.invalidateCode(physical: $0, length: $1) }
    return translator
  }

  /// Has the translator work as a case asks; another subject works in one way only.
  private func configure(_ options: SubjectOptions) {
    guard let translator = engines.1 as? TranslatorEngine else { return }
    // Only a change: each drops all translations.
    let limit = options.instructionLimit ?? defaultLimit, cut = options.instructionLimit != nil
    if translator.returnsAfterBlock != cut { translator.returnsAfterBlock = cut }
    if translator.blockInstructionLimit != limit { translator.blockInstructionLimit = limit }
    translator.options = options.translator
    translator.regionThreshold = options.regionThreshold ?? TranslatorEngine.defaultRegionThreshold
  }

  private lazy var defaultLimit = (engines.1 as? TranslatorEngine)?.blockInstructionLimit ?? 0

  /// The differences after `slots` issued slots of `program` on both: none where the engines agree.
  package func run(_ program: RandomProgram, slots: Int64, _ options: SubjectOptions? = nil) -> [StateDifference] {
    run(slots: slots, options) { machine, _ in program.prepare(machine) }
  }

  /// The same from the state that `prepare` gives each machine.
  package func run(
    slots: Int64, _ options: SubjectOptions?, _ prepare: (Machine, any Engine) -> Void
  ) -> [StateDifference] {
    _ = defaultLimit
    if let options { configure(options) }
    prepare(machines.0, engines.0)
    prepare(machines.1, engines.1)
    let first = run(slots, machines.0, engines.0)
    let second = run(slots, machines.1, engines.1)
    var differences = StateComparison.differences(machines.0.cpus[0], machines.1.cpus[0])
    if first != second { differences.append(StateDifference(name: "stop reason", first: first, second: second)) }
    let a = machines.0.cpus[0].slots, b = machines.1.cpus[0].slots
    if a != b { differences.append(StateDifference(name: "issued slots", first: a, second: b)) }
    appendMemory(&differences)
    return differences
  }

  private func run(_ slots: Int64, _ machine: Machine, _ engine: any Engine) -> UInt64 {
    engine.invalidateCode(physical: 0, length: RandomProgram.memorySize)
    let cpu = machine.cpus[0]
    while Int64(bitPattern: cpu.slots) < slots {
      cpu.setBudget(slots - Int64(bitPattern: cpu.slots))
      let reason = engine.run(cpu)
      // An engine that comes back behind a block leaves it to the caller what waits there.
      if reason == KT_STOP_NONE { settleEvents(cpu) }
      cpu.pollTimer()
      if reason != KT_STOP_NONE && reason != KT_STOP_BUDGET { return UInt64(reason.rawValue) }
    }
    // Both stand behind what waits between two instructions.
    settleEvents(cpu)
    return UInt64(KT_STOP_BUDGET.rawValue)
  }

  private func appendMemory(_ differences: inout [StateDifference]) {
    let length = Int(RandomProgram.memorySize)
    guard memcmp(machines.0.ram, machines.1.ram, length) != 0 else { return }
    for offset in stride(from: 0, to: length, by: 8) where differences.count < 64 {
      let a = machines.0.ram.load(fromByteOffset: offset, as: UInt64.self)
      let b = machines.1.ram.load(fromByteOffset: offset, as: UInt64.self)
      if a != b { differences.append(StateDifference(name: "memory \(hexadecimal(UInt64(offset)))", first: a, second: b)) }
    }
  }

  /// The report of a case that differs: the program, the block that made the difference where the engine works in
  /// blocks, and the fields.
  package func describe(_ program: RandomProgram, slots: Int64, _ options: SubjectOptions? = nil) -> String {
    describe(program.listing, slots: slots, options) { machine, _ in program.prepare(machine) }
  }

  /// The same of a program whose text is `listing`, from the state that `prepare` gives each machine.
  func describe(
    _ listing: String, slots: Int64, _ options: SubjectOptions?, _ prepare: (Machine, any Engine) -> Void
  ) -> String {
    var differences = run(slots: slots, options, prepare)
    var text = listing + "differs after \(slots) slots"
    if let blocks = engines.1 as? any BlockEngine {
      if let found = followBlocks(slots, blocks, prepare) {
        text += ": block from \(place(found.start)), \(found.slots) slots, after \(found.before)"
        differences = found.differences
      } else {
        text += ", but not block by block"
      }
    }
    text += ", cfm \(hexadecimal(machines.0.cpus[0].pointee.cfm)), psr \(hexadecimal(machines.0.cpus[0].pointee.psr))\n"
    for difference in differences.prefix(24) {
      text += "  \(difference.name): \(difference.values.0) and \(difference.values.1)\n"
    }
    return text
  }

  private func place(_ start: UInt64) -> String { hexadecimal(start & ~15) + " slot \(start & 3)" }

  private struct DifferingBlock {
    var start: UInt64
    var before: UInt64
    var slots: UInt64
    var differences: [StateDifference]
  }

  /// Runs block by block, the reference following, up to the first difference.
  private func followBlocks(
    _ slots: Int64, _ engine: any BlockEngine, _ prepare: (Machine, any Engine) -> Void
  ) -> DifferingBlock? {
    let before = engine.returnsAfterBlock
    engine.returnsAfterBlock = true
    defer { engine.returnsAfterBlock = before }
    prepare(machines.0, engines.0)
    prepare(machines.1, engines.1)
    engines.0.invalidateCode(physical: 0, length: RandomProgram.memorySize)
    engine.invalidateCode(physical: 0, length: RandomProgram.memorySize)
    let reference = machines.0.cpus[0], subject = machines.1.cpus[0]
    while Int64(bitPattern: subject.slots) < slots {
      let start = subject.pointee.ip | UInt64(subject.pointee.ri), before = subject.slots
      subject.setBudget(slots - Int64(bitPattern: before))
      let reason = engine.run(subject)
      if reason == KT_STOP_NONE { settleEvents(subject) }
      subject.pollTimer()
      settleEvents(subject)
      follow(reference, to: subject.slots)
      settleEvents(reference)
      var differences = StateComparison.differences(reference, subject)
      if reference.slots != subject.slots {
        differences.append(StateDifference(name: "issued slots", first: reference.slots, second: subject.slots))
      }
      appendMemory(&differences)
      if !differences.isEmpty {
        return DifferingBlock(start: start, before: before, slots: subject.slots &- before, differences: differences)
      }
      if reason != KT_STOP_NONE && reason != KT_STOP_BUDGET { return nil }
    }
    return nil
  }

  private func follow(_ reference: CPU, to slots: UInt64) {
    while reference.slots < slots {
      reference.setBudget(Int64(bitPattern: slots &- reference.slots))
      let reason = engines.0.run(reference)
      reference.pollTimer()
      if reason != KT_STOP_BUDGET && reason != KT_STOP_NONE { return }
    }
  }

  private func settleEvents(_ cpu: CPU) {
    cpu.pointee.stop_reason = 0
    while cpu.pointee.event_check != 0 { if cpu.checkEvents() == .stopped { break } }
  }
}

/// How the subject of a case works.
package struct SubjectOptions: Sendable, Equatable {
  package var translator = TranslatorOptions.all
  /// Blocks of at most so many instructions, not linked; nil: the translator's own length, linked.
  package var instructionLimit: Int?
  /// Ways back that make a region (TranslatorEngine.regionThreshold); nil: as many as usual, too many for a short run.
  package var regionThreshold: Int32?

  package init() {}
}
