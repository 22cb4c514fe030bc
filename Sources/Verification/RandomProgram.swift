// Random guest programs: a seed gives a processor state, a page of data and a run of bundles, legal and with operands
// that make most of them do something: loads and stores through pointers that lead into the data, branches within the
// program, general register targets inside the frame. What faults ends in a handler that spins.
import CSupport
import Glibc
import IA64
import Machine

package struct RandomProgram {
  /// What the instructions are drawn from.
  package struct Mix: OptionSet, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }
    package static let integer = Mix(rawValue: 1 << 0)
    package static let memory = Mix(rawValue: 1 << 1)
    package static let branches = Mix(rawValue: 1 << 2)
    package static let floatingPoint = Mix(rawValue: 1 << 3)
    package static let system = Mix(rawValue: 1 << 4)
    /// The registers are renamed, and NaT bits are set.
    package static let rotation = Mix(rawValue: 1 << 5)
    package static let nat = Mix(rawValue: 1 << 6)
    package static let all = Mix(rawValue: 127)
  }

  package static let codeBase: UInt64 = 0x10_0000
  package static let dataBase: UInt64 = 0x20_0000
  package static let dataSize: UInt64 = 0x1_0000
  package static let backingStore: UInt64 = 0x24_0000
  package static let handlers: UInt64 = 0x30_0000
  /// RAM that a machine needs for it.
  package static let memorySize: UInt64 = 4 << 20
  /// General registers that hold pointers into the data.
  private static let pointers: [UInt8] = [9, 12, 13, 16, 17, 18, 19, 20, 33, 36]

  package let seed: UInt64
  package let mix: Mix
  package private(set) var bundles: [InstructionBundle] = []
  /// Where the program's first bundle stands.
  package let start: UInt64
  private var state: SplitMix64

  /// A program of `count` bundles, and one more that branches to itself.
  package init(seed: UInt64, mix: Mix, count: Int) {
    self.seed = seed
    self.mix = mix
    state = SplitMix64(seed: seed ^ 0x5bd1_e995_9d1b_54a5)
    // Now and then across the end of a granule.
    start = Self.codeBase + (seed & 3 == 0 ? 0x1000 - UInt64(count / 2) * 16 : (seed >> 2 & 63) << 4)
    var random = RandomInstruction(seed: seed)
    random.predicateRate = 96
    let opcodes = Self.opcodes(mix)
    for index in 0..<count { bundles.append(bundle(index, count, opcodes, &random)) }
    bundles.append(Self.spin)
  }

  /// `{ .mib nop.m 0; nop.i 0; br.cond .;; }` (formats M48, I18, B1).
  private static let spin = InstructionBundle(template: Template(rawValue: 0x11), 1 << 27, 1 << 27, 4 << 37)

  // MARK: Instructions

  private static func opcodes(_ mix: Mix) -> [Opcode] {
    Opcode.allCases.filter { opcode in
      guard opcode != .illegal else { return false }
      let row = instructionTable[opcode.index]
      let flags = row.flags
      if flags.contains(.modelSpecific) { return false }
      let isMemory = flags.contains(.load) || flags.contains(.store) || flags.contains(.semaphore)
      if isMemory && !mix.contains(.memory) { return false }
      if flags.contains(.usesFR) && !mix.contains(.floatingPoint) { return false }
      if flags.contains(.branch) && !mix.contains(.branches) { return false }
      if isMemory || flags.contains(.branch) || flags.contains(.usesFR) { return true }
      switch row.format.unit {
      case .A, .I, .X: return mix.contains(.system) || !flags.contains(.endsBlock)
      default: return mix.contains(.system) || (!flags.contains(.endsBlock) && !flags.contains(.privileged))
      }
    }
  }

  private mutating func bundle(
    _ index: Int, _ count: Int, _ opcodes: [Opcode], _ random: inout RandomInstruction
  ) -> InstructionBundle {
    while true {
      let template = Template.valid[Int(state.next() % UInt64(Template.valid.count))]
      if template.isLong && state.next() & 3 != 0 { continue }
      var slots: [UInt64] = []
      var long: UInt64 = 0
      for slot in 0..<(template.isLong ? 2 : 3) {
        let encoded = instruction(template.unit(template.isLong && slot == 1 ? 2 : slot)!, index, count, opcodes, &random)
        slots.append(encoded.slot)
        if slot == 1 { long = encoded.long }
      }
      return template.isLong
        ? InstructionBundle(template: template, slots[0], long, slots[1])
        : InstructionBundle(template: template, slots[0], slots[1], slots[2])
    }
  }

  private mutating func instruction(
    _ unit: Unit, _ index: Int, _ count: Int, _ opcodes: [Opcode], _ random: inout RandomInstruction
  ) -> EncodedSlot {
    let fitting = opcodes.filter { RandomInstruction.runs($0, on: unit) }
    guard !fitting.isEmpty else { return random.slot(unit.nop) }
    let opcode = fitting[Int(state.next() % UInt64(fitting.count))]
    for _ in 0..<8 {
      var instruction = random.instruction(opcode)
      tame(&instruction, index, count)
      if let encoded = Encoder.encode(instruction) { return encoded }
    }
    return random.slot(opcode)
  }

  /// Gives most instructions operands with which they do not fault.
  private mutating func tame(_ i: inout Instruction, _ index: Int, _ count: Int) {
    if state.next() & 31 == 0 { return }
    if i.flags.contains(.writesGR) { i.r1 = target() }
    if i.opcode == .alloc {
      // The three sizes stand in `aux`, a byte each.
      let sof = UInt32(40 + state.next() % 56), sol = UInt32(state.next() % UInt64(sof + 1))
      i.aux = sof | sol << 8 | (mix.contains(.rotation) ? UInt32(state.next() % 4) << 16 : 0) | i.aux & 0xff00_0000
      i.r1 = 32 + UInt8(state.next() % 8)
    }
    let isMemory = i.flags.contains(.load) || i.flags.contains(.store) || i.flags.contains(.semaphore)
    if isMemory {
      i.r3 = Self.pointers[Int(state.next() % UInt64(Self.pointers.count))]
      if i.flags.contains(.updatesBase) && i.flags.contains(.load) && !i.flags.contains(.writesFR) && i.r1 == i.r3 {
        i.r1 = 14
      }
    }
    if i.flags.contains(.relative) {
      let target = Int64(state.next() % UInt64(count + 1)) - Int64(index)
      // Loops end by the budget; too many of them and little else is executed.
      i.imm = (target <= 0 && state.next() & 3 != 0 ? Int64(1) : target) << 4
    }
    if i.flags.contains(.writesFR) && i.r1 < 2 { i.r1 += 6 }
  }

  private mutating func target() -> UInt8 {
    // Pointers are seldom overwritten.
    let choices: [UInt8] = [1, 2, 3, 8, 10, 11, 14, 15, 21, 24, 27, 30, 31, 32, 34, 35, 37, 40, 45, 63, 70]
    return state.next() & 63 == 0 ? Self.pointers[0] : choices[Int(state.next() % UInt64(choices.count))]
  }

  // MARK: State

  /// Puts the program and its state into a machine of `memorySize` bytes. The caller tells its engine that code changed.
  package func prepare(_ machine: Machine) {
    var random = SplitMix64(seed: seed &* 0x9e37_79b9 &+ 77)
    prepareMemory(machine, &random)
    let cpu = machine.cpus[0]
    cpu.reset()
    cpu.pointee.virtual_clock = 1
    cpu.pointee.deadline = 0
    cpu.pointee.budget = 0
    cpu.pointee.event_check = 0
    cpu.pointee.stop_reason = 0
    cpu.pointee.cr_iva = Self.handlers
    prepareFrame(cpu, &random)
    prepareRegisters(cpu, &random)
    cpu.setPSR(PSR.bn | PSR.ic | (random.next() & 7 == 0 ? 3 << PSR.cplShift : 0))
    cpu.pointee.event_check = 0
    cpu.pointee.ip = start
    cpu.pointee.ri = 0
  }

  private func prepareMemory(_ machine: Machine, _ random: inout SplitMix64) {
    memset(machine.ram, 0, Int(Self.memorySize))
    let data = (machine.ram + Int(Self.dataBase)).assumingMemoryBound(to: UInt64.self)
    for index in 0..<Int(Self.dataSize / 8) { data[index] = UInt64(index) &* 0x0101_0307_0b0d_1113 ^ seed }
    for _ in 0..<64 { data[Int(random.next() % (Self.dataSize / 8))] = random.next() }
    memset(machine.ram + Int(Self.backingStore), 0x5a, 0x4000)
    func place(_ bundle: InstructionBundle, _ address: UInt64) {
      (machine.ram + Int(address)).storeBytes(of: bundle.low, as: UInt64.self)
      (machine.ram + Int(address) + 8).storeBytes(of: bundle.high, as: UInt64.self)
    }
    for vector in 0..<0x80 { place(Self.spin, Self.handlers + UInt64(vector) << 8) }
    for (index, bundle) in bundles.enumerated() { place(bundle, start + UInt64(index) * 16) }
  }

  private func prepareFrame(_ cpu: CPU, _ random: inout SplitMix64) {
    cpu.writeBSPSTORE(Self.backingStore + 0x1000 + (random.next() & 0x3f) << 3)
    // A few frames below, so that there are dirty registers.
    for _ in 0..<Int(random.next() & 3) {
      _ = cpu.rseAlloc(sof: 20, sol: 16, sor: 0)
      for n in 32..<52 { cpu.writeGR(n, random.next()) }
      cpu.rseCall()
    }
    let rotating = mix.contains(.rotation) && random.next() & 1 == 0
    let sof = 72 + Int(random.next() % 25), sol = Int(random.next() % UInt64(sof + 1))
    let sor = rotating ? 8 * Int(random.next() % UInt64(sof / 8)) : 0
    _ = cpu.rseAlloc(sof: sof, sol: sol, sor: sor)
    if rotating {
      let gr = sor == 0 ? 0 : random.next() % UInt64(sor)
      cpu.pointee.cfm |= gr << 18 | (random.next() % 96) << 25 | (random.next() % 48) << 32
    }
    for n in 32..<(32 + sof) { cpu.writeGR(n, Self.value(&random)) }
  }

  private func prepareRegisters(_ cpu: CPU, _ random: inout SplitMix64) {
    for n in 1..<32 { cpu.writeGR(n, Self.value(&random)) }
    for n in Self.pointers { cpu.writeGR(Int(n), Self.dataBase + 0x4000 + (random.next() & 0x7ff0)) }
    if mix.contains(.nat), random.next() & 1 == 0 {
      for _ in 0..<Int(random.next() & 7) { cpu.setNaT([8, 10, 14, 21, 34, 35, 40][Int(random.next() % 7)]) }
    }
    for n in 1..<64 { cpu.predicates[n] = UInt8(random.next() & 1) }
    for n in 0..<8 { cpu.branches[n] = start + (random.next() % UInt64(bundles.count)) << 4 }
    for n in 2..<128 { cpu.floats[n] = Self.float(&random) }
    cpu.pointee.ar_lc = random.next() & 7
    cpu.pointee.ar_ec = random.next() & 7
    cpu.pointee.ar_pfs = CFM.make(sof: 40, sol: Int(random.next() & 15), sor: 0) | (random.next() & 63) << 52
    cpu.pointee.ar_unat = random.next()
    cpu.pointee.ar_ccv = Self.value(&random)
    for n in 0..<16 { kt_bank_gr(cpu)[n] = random.next() }
    for n in 0..<8 { kt_kernel_registers(cpu)[n] = random.next() }
  }

  /// A register's value: ends of ranges, small numbers and any.
  private static func value(_ random: inout SplitMix64) -> UInt64 {
    let choice = random.next()
    switch choice & 7 {
    case 0: return choice >> 8 & 0xff
    case 1: return UInt64(bitPattern: -Int64(choice >> 8 & 0xff))
    case 2: return 1 << (choice >> 8 & 63)
    case 3: return (1 << (choice >> 8 & 63)) - 1
    case 4: return random.next() & 0xffff_ffff
    default: return random.next()
    }
  }

  private static func float(_ random: inout SplitMix64) -> kt_fr {
    let choice = random.next()
    let sign = (choice >> 63) << 17
    switch choice & 15 {
    case 0: return kt_fr(significand: 0, sign_exponent: sign)
    case 1: return kt_fr(significand: 0, sign_exponent: 0x1fffe)  // NaTVal
    case 2: return kt_fr(significand: 1 << 63, sign_exponent: sign | 0x1ffff)  // infinity
    case 3: return kt_fr(significand: 3 << 62 | random.next() >> 2, sign_exponent: sign | 0x1ffff)  // NaN
    case 4, 5: return kt_fr(significand: random.next(), sign_exponent: 0x1003e)  // integer
    case 6, 7, 8, 9:
      // A double: exponents near 0, and the whole range now and then.
      let exponent = choice & 16 == 0 ? 1023 - 16 + (choice >> 8 & 31) : 1 + (choice >> 8) % 2046
      let bits = random.next() >> 12 | exponent << 52 | (choice >> 63) << 63
      return kt_fr(significand: bits, sign_exponent: KT_FR_PACKED_DOUBLE)
    case 10: return kt_fr(significand: random.next(), sign_exponent: sign | random.next() & 0x1ffff)
    default:
      return kt_fr(significand: 1 << 63 | random.next(), sign_exponent: sign | (0xffff - 16 + (choice >> 8 & 31)))
    }
  }

  // MARK: Text

  /// The program as the disassembler writes it.
  package var listing: String {
    var text = "seed \(seed), \(bundles.count) bundles\n"
    for (index, bundle) in bundles.enumerated() {
      let address = start + UInt64(index) * 16
      for (slot, line) in Disassembler.lines(bundle, at: address).enumerated() {
        text += (slot == 0 ? hexadecimal(address) : "        ") + "  " + line + "\n"
      }
    }
    return text
  }
}
