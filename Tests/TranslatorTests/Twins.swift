// One guest on both engines: what is done is done to both machines, and whatever the architecture shows must then be
// the same in both.
import CSupport
import Glibc
import IA64
import Interpreter
import Machine
import Testing
import Translator
import Verification

/// Guest code with labels: `build` is called twice, the second time with every label known.
func assemble(_ build: (inout CodeBuilder, inout Labels) -> Void) -> [InstructionBundle] {
  var labels = Labels()
  for _ in 0..<2 {
    var code = CodeBuilder()
    build(&code, &labels)
    code.finish()
    if labels.isComplete { return code.bundles }
    labels.isComplete = true
  }
  preconditionFailure("two passes are enough")
}

/// Numbers of bundles by name.
struct Labels {
  private var places: [String: Int] = [:]
  fileprivate(set) var isComplete = false

  /// The next bundle has this name.
  mutating func mark(_ name: String, _ code: inout CodeBuilder) { places[name] = code.label() }
  subscript(_ name: String) -> Int { places[name] ?? 0 }
}

extension CodeBuilder {
  /// A branch in a bundle of its own.
  mutating func branch(_ opcode: Opcode = .br_cond, qp: UInt8 = 0, b: UInt8 = 0, to target: Int) {
    addBranch(Instruction(opcode: opcode, qp: qp, r1: b), to: target)
  }
}

/// Instructions as tests write them.
extension Instruction {
  static func add(_ r1: UInt8, _ r2: UInt8, _ r3: UInt8, qp: UInt8 = 0) -> Instruction {
    Instruction(opcode: .add, qp: qp, r1: r1, r2: r2, r3: r3)
  }
  static func load(_ r1: UInt8, _ r3: UInt8, qp: UInt8 = 0) -> Instruction {
    Instruction(opcode: .ld8, qp: qp, r1: r1, r3: r3)
  }
  static func store(_ r3: UInt8, _ r2: UInt8, qp: UInt8 = 0) -> Instruction {
    Instruction(opcode: .st8, qp: qp, r2: r2, r3: r3)
  }
  /// `cmp.ltu p1,p2=r2,r3`.
  static func below(_ p1: UInt8, _ p2: UInt8, _ r2: UInt8, _ r3: UInt8) -> Instruction {
    Instruction(opcode: .cmp_ltu, r1: p1, r2: r2, r3: r3, r4: p2)
  }
  /// `tbit.nz p1,p2=r3,pos`, which is `tbit.z p2,p1=r3,pos`.
  static func testBit(_ p1: UInt8, _ p2: UInt8, _ r3: UInt8, _ position: UInt32) -> Instruction {
    Instruction(opcode: .tbit_z, r1: p2, r3: r3, r4: p1, aux: position)
  }
  static func setLC(_ r2: UInt8) -> Instruction {
    Instruction(opcode: .mov_to_ar_i, r2: r2, r3: ApplicationNumber.lc)
  }
}

final class Twins {
  static let code: UInt64 = 0x10000, data: UInt64 = 0x20000, vectors: UInt64 = 0x40000
  static let memory: UInt64 = 1 << 20
  /// The interpreter's and the translator's.
  let machines: [Machine]
  let engines: [any Engine]
  let translator: TranslatorEngine

  /// `threshold`: ways back that make a region.
  init(processors: Int = 1, threshold: Int32 = 1, options: TranslatorOptions = .all) throws {
    machines = [
      try Machine(ramSize: Self.memory, processors: processors), try Machine(ramSize: Self.memory, processors: processors),
    ]
    let subject = try DifferentialPair.translator(machines[1])
    engines = [DifferentialPair.interpreter(machines[0]), subject]
    translator = try #require(subject as? TranslatorEngine)
    translator.regionThreshold = threshold
    translator.options = options
    reset()
  }

  /// Memory of zeros, processors in physical mode at `code`, interruption collection on.
  func reset() {
    for (machine, engine) in zip(machines, engines) {
      memset(machine.ram, 0, Int(Self.memory))
      engine.invalidateCode(physical: 0, length: Self.memory)
      for cpu in machine.cpus {
        cpu.reset()
        cpu.pointee.virtual_clock = 1
        cpu.pointee.cr_iva = Self.vectors
        cpu.pointee.ar_bspstore = 0x80000 + UInt64(cpu.pointee.index) * 0x8000
        cpu.setPSR(PSR.bn | PSR.ic)
        cpu.pointee.ip = Self.code
        cpu.pointee.ri = 0
        cpu.pointee.deadline = 0
        cpu.pointee.budget = 0
      }
    }
  }

  func each(_ processor: Int = 0, _ body: (CPU) -> Void) { for machine in machines { body(machine.cpus[processor]) } }

  /// Puts code into memory, as a loader would.
  func place(_ bundles: [InstructionBundle], at physical: UInt64 = Twins.code) {
    for (machine, engine) in zip(machines, engines) {
      for (index, bundle) in bundles.enumerated() {
        let place = machine.ram + Int(physical) + index * 16
        place.storeBytes(of: bundle.low, as: UInt64.self)
        place.storeBytes(of: bundle.high, toByteOffset: 8, as: UInt64.self)
      }
      engine.invalidateCode(physical: physical, length: UInt64(bundles.count) * 16)
    }
  }

  /// Runs `slots` issued slots on both, and says what differs then; nil: nothing.
  func run(_ slots: Int64, processor: Int = 0) -> String? {
    let stops = [0, 1].map { side in
      let cpu = machines[side].cpus[processor]
      return run(cpu, engines[side], until: Int64(bitPattern: cpu.slots) + slots)
    }
    let first = machines[0].cpus[processor], second = machines[1].cpus[processor]
    var found = StateComparison.differences(first, second).map(\.description)
    if stops[0] != stops[1] { found.append("stops \(stops)") }
    if first.slots != second.slots { found.append("slots \(first.slots) / \(second.slots)") }
    if memcmp(machines[0].ram, machines[1].ram, Int(Self.memory)) != 0 { found.append("memory") }
    return found.isEmpty ? nil : found.prefix(8).joined(separator: "; ")
  }

  /// Runs both for 1 slot, 2 slots and so on to `most`, as long as nothing differs: processor 0, or those that `turns` names
  /// for a budget, each for so many slots. `between` is called before each budget.
  func runOn(
    to most: Int64, _ what: String = "", turns: (Int64) -> [(processor: Int, slots: Int64)] = { [(0, $0)] },
    at place: SourceLocation = #_sourceLocation, between: (Int64) -> Void = { _ in }
  ) {
    for budget in 1...most {
      between(budget)
      for (processor, slots) in turns(budget) {
        let found = run(slots, processor: processor)
        #expect(
          found == nil, "\(what) budget \(budget), processor \(processor): \(found ?? "")", sourceLocation: place)
        if found != nil { return }
      }
    }
  }

  /// Runs one side, its timer included, to a slot or to what stops it, and to behind what waits there.
  private func run(_ cpu: CPU, _ engine: any Engine, until end: Int64) -> UInt32 {
    while true {
      cpu.setBudget(end - Int64(bitPattern: cpu.slots))
      let reason = engine.run(cpu)
      cpu.pollTimer()
      cpu.pointee.stop_reason = 0
      while cpu.pointee.event_check != 0 { if cpu.checkEvents() == .stopped { break } }
      if reason != KT_STOP_NONE && reason != KT_STOP_BUDGET { return reason.rawValue }
      if Int64(bitPattern: cpu.slots) >= end { return KT_STOP_BUDGET.rawValue }
    }
  }

  /// The reference's processor.
  var cpu: CPU { machines[0].cpus[0] }
}
