// Random guest programs: a seed gives a processor state, a page of data and code, legal and with operands that make most
// of it do something: loads and stores through pointers that lead into the data, branches within the program, loops that
// end, functions that return, register targets inside the frame. What faults goes on behind the fault, or ends in a
// handler that spins. Everything is a function of seed, mix and length.
import IA64
import Machine

package struct RandomProgram: Sendable {
  // Where things are in physical memory; in virtual mode every region shows the same.
  package static let handlers: UInt64 = 0x1_0000
  package static let codeBase: UInt64 = 0x2_0000
  package static let dataBase: UInt64 = 0x3_0000
  package static let dataSize: UInt64 = 0x1_0000
  package static let backingStore: UInt64 = 0x5_0000
  package static let backingStoreSize: UInt64 = 0x8000
  /// Bundles that changing code copies from.
  static let spares: UInt64 = 0x6_0000
  static let memoryShift: UInt32 = 20
  /// RAM that a machine needs for it.
  package static let memorySize: UInt64 = 1 << UInt64(memoryShift)
  /// General registers that hold pointers into the data, and such that hold addresses of nothing.
  static let pointers: [UInt8] = [9, 12, 13, 16, 17, 18, 19, 20, 33, 36]
  static let wildPointers: [UInt8] = [22, 23]
  /// Counts calls down, so that recursion ends.
  static let depth: UInt8 = 31

  package let seed: UInt64
  package let mix: Mix
  /// The code from `start` on. Shrinking replaces some of it by nops.
  package internal(set) var bundles: [InstructionBundle] = []
  /// Number of the bundle that branches to itself, at the main part's end; functions stand behind it.
  package private(set) var spinIndex = 0
  /// Where the program's first bundle stands in physical memory.
  package let start: UInt64
  /// The region in which it runs, and those of its data.
  let codeRegion: UInt64
  var mode: ProgramMode
  var plain: Plain = []
  private(set) var spareBundles: [InstructionBundle] = []
  /// The handlers' bundles with their offsets in the vector table.
  private(set) var handlerCode: [(Int, InstructionBundle)] = []
  private var state: SplitMix64
  private var random: RandomInstruction
  private let pools: [[Opcode]]
  /// Rows that most instructions are of, and with the operands that they treat in a way of their own: by unit.
  private let spotlight: [[Opcode]]
  var isSpotlit: Bool { !spotlight.isEmpty }

  /// Where the bundle to be made stands: branches lead to a bundle of `range`.
  private struct Place {
    var index: Int
    var range: Range<Int>
    /// Inside a function, whose first two registers hold what it needs to return.
    var isFunction = false
  }

  /// A program whose main part has `count` bundles or a few more. With a `spotlight` it runs round and round, and seven
  /// of eight instructions are of these rows.
  package init(seed: UInt64, mix: Mix, count: Int, spotlight: [Opcode] = []) {
    self.seed = seed
    self.mix = mix
    state = SplitMix64(seed: seed ^ 0x5bd1_e995_9d1b_54a5)
    // Now and then across the end of a granule.
    start = Self.codeBase + (seed & 3 == 0 ? 0x1000 - UInt64(count / 2) * 16 : (seed >> 2 & 63) << 4)
    mode = ProgramMode(seed: seed, mix: mix, probesFaults: !spotlight.isEmpty)
    // Translations are inserted without collection alone.
    if seed & 1 == 0, spotlight.contains(where: Self.inserts) { mode.psr &= ~(PSR.ic | PSR.cpl) }
    // The register stack loads on demand alone.
    if spotlight.contains(.loadrs) { mode.rsc &= ~3 }
    codeRegion = mode.translatesCode ? [0, 0, 1, 3][Int(state.next() & 3)] << 61 : 0
    random = RandomInstruction(seed: seed)
    random.predicateRate = spotlight.isEmpty ? 96 : 144
    pools = OpcodePools.pools(mix.instructions)
    self.spotlight = spotlight.isEmpty ? [] : OpcodePools.byUnit(spotlight)
    makeCode(count)
  }

  /// `{ .mib nop.m 0; nop.i 0; br.cond .;; }` (formats M48, I18, B1).
  package static let spin = InstructionBundle(template: Template(rawValue: 0x11), 1 << 27, 1 << 27, 4 << 37)

  // MARK: Shape

  private mutating func makeCode(_ count: Int) {
    let functions = mix.contains(.calls) ? 1 + Int(state.next() % 3) : 0
    // Calls are made before it is known where functions begin.
    var calls: [(bundle: Int, function: Int)] = []
    while bundles.count < count { addItem(count, functions, &calls) }
    spinIndex = bundles.count
    bundles.append(!isSpotlit ? Self.spin : CodeBuilder.branch(-spinIndex))
    var entries: [Int] = []
    for number in 0..<functions {
      entries.append(bundles.count)
      addFunction(number, functions, &calls)
    }
    for call in calls where call.function < entries.count { setCall(call.bundle, to: entries[call.function]) }
    if mix.contains(.changingCode) { for _ in 0..<8 { spareBundles.append(bundle(mainPlace(count))) } }
    if mix.contains(.faults) { makeHandlers() }
  }

  private mutating func makeHandlers() {
    let handlers = GuestHandlers(
      escape: codeRegion + start + UInt64(spinIndex) << 4, timerInterval: max(60, mode.timerInterval),
      dataEntry: mode.dataEntry, memoryShift: Self.memoryShift)
    for vector in Vector.allCases {
      let code = handlers.code(vector)
      for (index, bundle) in code.enumerated() { handlerCode.append((Int(vector.rawValue) + 16 * index, bundle)) }
    }
  }

  private func mainPlace(_ count: Int) -> Place { Place(index: bundles.count, range: 0..<max(count, bundles.count) + 1) }

  private mutating func addItem(_ count: Int, _ functions: Int, _ calls: inout [(bundle: Int, function: Int)]) {
    switch state.next() >> 1 & 7 {
    case 0 where mix.contains(.loops): addCountedLoop(mainPlace(count))
    case 1 where mix.contains([.loops, .rotation]): addPipelinedLoop(mainPlace(count))
    case 2 where functions > 0:
      calls.append((bundles.count, Int(state.next() % UInt64(functions))))
      bundles.append(Self.spin)
    case 3 where mix.contains(.changingCode) && state.next() & 1 == 0: addCodeChange(count)
    default: bundles.append(bundle(mainPlace(count)))
    }
  }

  /// Replaces the bundle by `{ .mmb nop; nop; br.call b0=target }`, predicated now and then.
  private mutating func setCall(_ index: Int, to target: Int) {
    var code = CodeBuilder()
    let qp = state.next() & 3 == 0 ? UInt8(state.next() & 63) : 0
    code.add(Instruction(opcode: .br_call, qp: qp, r1: 0, imm: Int64(target - index) << 4))
    code.finish()
    bundles[index] = code.bundles[0]
  }

  private mutating func append(_ build: (inout CodeBuilder) -> Void) {
    var code = CodeBuilder()
    build(&code)
    code.finish()
    bundles += code.bundles
  }

  private mutating func addBody(_ place: Place) {
    for _ in 0...Int(state.next() & 3) {
      // No branches out of the body: it would seldom be finished.
      var inner = place
      inner.index = bundles.count
      inner.range = bundles.count..<bundles.count + 2
      bundles.append(bundle(inner))
    }
  }

  private mutating func addBranchBack(_ opcode: Opcode, to target: Int, qp: UInt8 = 0) {
    let distance = Int64(target - bundles.count) << 4
    append { $0.add(Instruction(opcode: opcode, qp: qp, imm: distance)) }
  }

  private mutating func addCountedLoop(_ place: Place) {
    let turns = Int64(state.next() % 6)
    append { $0.add(Instruction(opcode: .mov_to_ar_i_imm, r3: ApplicationNumber.lc, imm: turns)) }
    let top = bundles.count
    addBody(place)
    addBranchBack(.br_cloop, to: top)
  }

  private mutating func addPipelinedLoop(_ place: Place) {
    let turns = Int64(state.next() % 4), stages = Int64(state.next() % 4)
    let counted = state.next() & 1 == 0
    append { code in
      code.add(Instruction(opcode: .mov_to_ar_i_imm, r3: ApplicationNumber.lc, imm: turns))
      code.add(Instruction(opcode: .mov_to_ar_i_imm, r3: ApplicationNumber.ec, imm: stages))
      code.add(Instruction(opcode: .mov_to_pr_rot, imm: 1 << 16))
    }
    let top = bundles.count
    addBody(place)
    // br.wtop ends as the predicate of a stage goes off.
    addBranchBack(counted ? .br_ctop : .br_wtop, to: top, qp: counted ? 0 : 17)
  }

  /// `alloc`, a body with calls of its own, and back: the frame it came from lives on below.
  private mutating func addFunction(_ number: Int, _ functions: Int, _ calls: inout [(bundle: Int, function: Int)]) {
    let sof = 8 + UInt32(state.next() % 56), sol = 4 + UInt32(state.next() % UInt64(sof - 4))
    let sor = mix.contains(.rotation) ? UInt32(state.next() % UInt64(sof / 8 + 1)) : 0
    append { code in
      code.add(Instruction(opcode: .alloc, r1: 32, aux: sof | sol << 8 | sor << 16))
      code.add(Instruction(opcode: .mov_from_br, r1: 33, r2: 0))
    }
    let first = bundles.count
    for _ in 0..<2 + Int(state.next() % 5) {
      let place = Place(index: bundles.count, range: first..<bundles.count + 2, isFunction: true)
      switch state.next() & 7 {
      case 0: addGuardedCall(number + Int(state.next() & 1), &calls)
      case 1 where mix.contains([.loops, .rotation]): addPipelinedLoop(place)
      default: bundles.append(bundle(place))
      }
    }
    append { code in
      code.add(Instruction(opcode: .mov_to_br, r1: 0, r2: 33))
      code.add(Instruction(opcode: .mov_to_ar_i, r2: 32, r3: ApplicationNumber.pfs))
      code.add(Instruction(opcode: .br_ret, r2: 0))
    }
  }

  /// A call of this function or the next while the counter lasts.
  private mutating func addGuardedCall(_ function: Int, _ calls: inout [(bundle: Int, function: Int)]) {
    append { code in
      code.add(.adds(Self.depth, -1, Self.depth))
      code.add(Instruction(opcode: .cmp_lt_imm, r1: 6, r3: Self.depth, r4: 7, imm: 0))
    }
    // Away over the call: it stands alone in its bundle.
    append { $0.add(Instruction(opcode: .br_cond, qp: 7, imm: 2 << 4)) }
    calls.append((bundles.count, function))
    bundles.append(InstructionBundle(template: Template(rawValue: 0x11), 1 << 27, 1 << 27, 1 << 38))
  }

  /// Copies a spare bundle over one of the program, as the manual wants code changed (SDM vol. 2, fc and sync.i).
  private mutating func addCodeChange(_ count: Int) {
    let spare = codeRegion + Self.spares + (state.next() & 7) << 4
    let target = codeRegion + start + (state.next() % UInt64(max(count, bundles.count + 6))) << 4
    append { code in
      code.add(.movl(10, spare), .movl(14, target))
      code.add(Instruction(opcode: .ld8_i, r1: 11, r3: 10, imm: 8), Instruction(opcode: .ld8, r1: 15, r3: 10))
      code.add(Instruction(opcode: .st8_i, r2: 11, r3: 14, imm: 8), Instruction(opcode: .st8, r2: 15, r3: 14))
      code.add(Instruction(opcode: .fc, r3: 14), Instruction(opcode: .sync_i), Instruction(opcode: .srlz_i))
    }
  }

  // MARK: Instructions

  private mutating func bundle(_ place: Place) -> InstructionBundle {
    while true {
      let template = Template.valid[Int(state.next() % UInt64(Template.valid.count))]
      if template.isLong && state.next() & 3 != 0 { continue }
      var slots: [UInt64] = []
      var long: UInt64 = 0
      for slot in 0..<(template.isLong ? 2 : 3) {
        let encoded = instruction(template.unit(template.isLong && slot == 1 ? 2 : slot)!, place)
        slots.append(encoded.slot)
        if slot == 1 { long = encoded.long }
      }
      return template.isLong
        ? InstructionBundle(template: template, slots[0], long, slots[1])
        : InstructionBundle(template: template, slots[0], slots[1], slots[2])
    }
  }

  private mutating func instruction(_ unit: Unit, _ place: Place) -> EncodedSlot {
    if let encoded = spotlit(unit, place) { return encoded }
    let fitting = pools[Int(unit.rawValue)]
    guard !fitting.isEmpty else { return random.slot(unit.nop) }
    var opcode = fitting[Int(state.next() % UInt64(fitting.count))]
    while isLeftOut(opcode, place) { opcode = fitting[Int(state.next() % UInt64(fitting.count))] }
    for _ in 0..<8 {
      var instruction = random.instruction(opcode)
      tame(&instruction, place)
      if let encoded = Encoder.encode(instruction) { return encoded }
    }
    return random.slot(opcode)
  }

  /// An instruction of the rows that the program is about, its operands now and then such as fault or hold a NaT.
  private mutating func spotlit(_ unit: Unit, _ place: Place) -> EncodedSlot? {
    guard isSpotlit, case let fitting = spotlight[Int(unit.rawValue)], !fitting.isEmpty else { return nil }
    if state.next() & 7 == 0 { return nil }
    let opcode = fitting[Int(state.next() % UInt64(fitting.count))]
    if isLeftOut(opcode, place), state.next() & 1 == 0 { return nil }
    for _ in 0..<8 {
      var instruction = random.instruction(opcode)
      let choice = state.next() & 15
      if choice != 0 { tame(&instruction, place) }
      switch choice {
      case 1, 2, 3: spoilTarget(&instruction)
      case 4, 5, 6, 7: chooseNaTSource(&instruction)
      case 8, 9: spoilAccess(&instruction)
      default: break
      }
      if let encoded = Encoder.encode(instruction) { return encoded }
    }
    return random.slot(opcode)
  }

  private static func inserts(_ opcode: Opcode) -> Bool { [.itc_d, .itc_i, .itr_d, .itr_i].contains(opcode) }

  /// A target that is an Illegal Operation: read-only, most often outside the frame, or the same twice.
  private mutating func spoilTarget(_ i: inout Instruction) {
    let flags = i.flags
    if flags.contains(.updatesBase), state.next() & 1 == 0 {
      i.r3 = flags.contains(.writesGR) && state.next() & 1 == 0 ? i.r1 : 0
    } else if flags.contains(.writesGR) {
      i.r1 = state.next() & 1 == 0 ? 0 : 127
    } else if flags.contains(.writesFR) {
      i.r1 = UInt8(state.next() & 1)
    } else if flags.contains(.writesPR) {
      i.r4 = i.r1
    }
  }

  /// Registers that hold NaT or NaTVal as a program begins, general and floating-point, and that few instructions write.
  /// `addl` can name the first of them alone.
  static let natRegisters: [UInt8] = [3, 4, 5, 6, 7]

  private mutating func chooseNaTSource(_ i: inout Instruction) {
    let sources = RowSources.of(i.opcode), all = sources.general | sources.floating
    guard all != 0 else { return }
    let number = i.opcode == .addl ? 3 : Self.natRegisters[1 + Int(state.next() & 3)]
    var field = Int(state.next() & 3)
    while all >> UInt8(field) & 1 == 0 { field = (field + 1) & 3 }
    switch field {
    case 0: i.r1 = number
    case 1: i.r2 = number
    case 2: i.r3 = number
    default: i.r4 = number
    }
  }

  private mutating func spoilAccess(_ i: inout Instruction) {
    if isAccess(i) { i.r3 = Self.wildPointers[Int(state.next() & 1)] }
  }

  /// What would end most programs early, most of the time; in a function what takes its frame away.
  private mutating func isLeftOut(_ opcode: Opcode, _ place: Place) -> Bool {
    switch opcode {
    case .rfi, .mov_to_rr, .mov_to_psr_l: state.next() & 7 != 0
    case .alloc, .cover, .loadrs, .br_ret: place.isFunction && state.next() & 7 != 0
    default: false
    }
  }

  /// Gives most instructions operands with which they do not fault.
  private mutating func tame(_ i: inout Instruction, _ place: Place) {
    if state.next() & 31 == 0 { return }
    if i.flags.contains(.writesGR) { i.r1 = target(place) }
    if i.opcode == .alloc {
      // The three sizes stand in `aux`, a byte each.
      let sof = UInt32(40 + state.next() % 56), sol = UInt32(state.next() % UInt64(sof + 1))
      i.aux = sof | sol << 8 | (mix.contains(.rotation) ? UInt32(state.next() % 4) << 16 : 0) | i.aux & 0xff00_0000
      i.r1 = 32 + UInt8(state.next() % 8)
    }
    // The handlers' address is left alone: without them a program has come to its end.
    if isSpotlit, i.opcode == .mov_to_cr { i.r3 = Self.controlRegisters[Int(state.next() & 15)] }
    if i.opcode == .mov_to_cr, i.r3 == 2 { i.r3 = [0, 1, 16, 19, 20, 21, 66][Int(state.next() % 7)] }
    tameState(&i)
    tameAccess(&i)
    if i.flags.contains(.relative) {
      let target = Int64(place.range.lowerBound) + Int64(state.next() % UInt64(place.range.count)) - Int64(place.index)
      // Loops end by the budget; too many of them and little else is executed.
      i.imm = (target <= 0 && state.next() & 3 != 0 ? Int64(1) : target) << 4
    }
    // One of a pair's targets is even, the other odd.
    if isSpotlit, i.flags.contains(.load), instructionTable[i.opcode.index].writesFloatPair { i.r2 = i.r1 ^ 1 }
    if i.flags.contains(.writesFR) && (i.r1 < 2 || isSpotlit && i.r1 < 8) { i.r1 += 8 }
  }

  /// Moves of application registers that programs use, with values they take, and the bits of the user mask.
  private mutating func tameState(_ i: inout Instruction) {
    switch i.opcode {
    case .mov_from_ar_i, .mov_to_ar_i, .mov_to_ar_i_imm:
      if isSpotlit { i.r3 = ApplicationNumber.pfs + UInt8(state.next() % 3) }
    case .mov_from_ar_m, .mov_to_ar_m, .mov_to_ar_m_imm:
      if state.next() & 3 == 0 { return }
      i.r3 = Self.applicationRegisters[Int(state.next() % UInt64(Self.applicationRegisters.count))]
      if isSpotlit, state.next() & 3 == 0 { i.r3 = ApplicationNumber.itc }
      // A small number, which ar.rsc takes as mode and privilege level.
      if i.opcode == .mov_to_ar_m && Int(i.r3) == AR.rsc { i.r2 = Self.depth }
    case .sum, .rum:
      // Not psr.be, unless programs are to have it.
      i.imm &= mix.contains(.bigEndian) ? 0x3e : 0x3c
    default: break
    }
  }

  private static let controlRegisters: [UInt8] = [0, 1, 8, 16, 17, 19, 20, 21, 22, 23, 24, 25, 66, 72, 73, 80]

  private static let applicationRegisters = [
    0, 7, AR.rsc, AR.bsp, AR.bsp, AR.bspstore, AR.rnat, AR.csd, AR.ccv, AR.unat, AR.fpsr, AR.itc,
  ].map { UInt8($0) }

  private func isAccess(_ i: Instruction) -> Bool {
    !i.flags.isDisjoint(with: [.load, .store, .semaphore]) || instructionTable[i.opcode.index].format.isProbe
  }

  private mutating func tameAccess(_ i: inout Instruction) {
    guard isAccess(i) else { return }
    let wild = i.flags.contains(.speculative) ? state.next() & 3 == 0 : state.next() & 63 == 0
    i.r3 = wild ? Self.wildPointers[Int(state.next() & 1)] : Self.pointers[Int(state.next() % UInt64(Self.pointers.count))]
    if i.flags.contains(.updatesBase) && i.flags.contains(.load) && !i.flags.contains(.writesFR) && i.r1 == i.r3 {
      i.r1 = 14
    }
  }

  private static let targets: [UInt8] = [1, 2, 3, 8, 10, 11, 14, 15, 21, 24, 27, 30, 32, 34, 35, 37, 40, 45, 63, 70]
  private static let functionTargets: [UInt8] = [1, 2, 3, 8, 10, 11, 14, 15, 21, 24, 27, 30, 34, 35, 37, 38, 39]

  private mutating func target(_ place: Place) -> UInt8 {
    // Pointers are seldom overwritten.
    if state.next() & 63 == 0 { return Self.pointers[0] }
    let choices = place.isFunction ? Self.functionTargets : Self.targets
    let choice = choices[Int(state.next() % UInt64(choices.count))]
    return isSpotlit && Self.natRegisters.contains(choice) ? 2 : choice
  }

  // MARK: Text

  /// The program as the disassembler writes it.
  package var listing: String {
    var text = "seed \(seed), \(bundles.count) bundles, \(mix.text)\n"
    text += mode.description + "\n"
    for (index, bundle) in bundles.enumerated() {
      let address = codeRegion + start + UInt64(index) * 16
      if Self.isNops(bundle) { continue }
      for (slot, line) in Disassembler.lines(bundle, at: address).enumerated() {
        text += (slot == 0 ? hexadecimal(address) : "        ") + "  " + line + "\n"
      }
    }
    return text
  }

  /// Whether a bundle does nothing.
  static func isNops(_ bundle: InstructionBundle) -> Bool {
    let decoded = Decoder.decode(bundle)
    return (0..<decoded.count).allSatisfy { isNop(decoded[$0].opcode) }
  }

  static func isNop(_ opcode: Opcode) -> Bool { [.nop_m, .nop_i, .nop_b, .nop_f, .nop_x].contains(opcode) }
}

extension InstructionRow {
  fileprivate var writesFloatPair: Bool { format == .M11 || format == .M12 }
}

extension Format {
  /// `probe`, `fc` and `lfetch`: they take an address, though they are neither loads nor stores.
  fileprivate var isProbe: Bool { [.M13, .M14, .M15, .M28, .M38, .M39, .M40, .M52].contains(self) }
}

/// The opcodes that programs draw from, by the unit that a slot is for.
enum OpcodePools {
  /// Indexed by the unit's raw value.
  static func pools(_ mix: RandomProgram.Mix) -> [[Opcode]] { all[Int(mix.rawValue)].byUnit }

  /// All of them.
  static func choice(_ mix: RandomProgram.Mix) -> [Opcode] { all[Int(mix.rawValue)].opcodes }

  private static let all: [(opcodes: [Opcode], byUnit: [[Opcode]])] = (0..<32).map { raw in
    let opcodes = opcodes(RandomProgram.Mix(rawValue: UInt32(raw)))
    return (opcodes, byUnit(opcodes))
  }

  static func byUnit(_ opcodes: [Opcode]) -> [[Opcode]] {
    [Unit.M, .I, .B, .F, .X].map { unit in opcodes.filter { RandomInstruction.runs($0, on: unit) } }
  }

  private static func opcodes(_ mix: RandomProgram.Mix) -> [Opcode] {
    Opcode.allCases.filter { opcode in
      guard opcode != .illegal else { return false }
      let row = instructionTable[opcode.index]
      let flags = row.flags
      if flags.contains(.modelSpecific) { return mix.contains(.system) }
      let isMemory = !flags.isDisjoint(with: [.load, .store, .semaphore])
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
}
