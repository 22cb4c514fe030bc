// Random bytes as code, from random states, on both engines: whatever comes out must be an architectural outcome, and
// the same one. KITTSON_RANDOM_BUNDLES sets how many bundles are entered (100,000 if unset), KITTSON_SEED where to begin;
// KITTSON_KEEP names a directory for files of what fails (Tests/FailCases).
import CSupport
import Glibc
import IA64
import Machine
import Testing
import Verification

/// A machine's memory full of random bytes, and processor states to enter it with.
private struct RandomBytes {
  static let memorySize: UInt64 = 1 << 20
  /// Entries from one filling of memory.
  static let entries = 64

  let seed: UInt64

  /// Fills memory with random bytes; every fourth filling is of legal instructions, so that runs get farther.
  func fill(_ machine: Machine) {
    var random = SplitMix64(seed: seed)
    let words = machine.ram.assumingMemoryBound(to: UInt64.self)
    let count = Int(Self.memorySize / 8)
    guard seed & 3 == 0 else {
      for index in 0..<count { words[index] = random.next() }
      return
    }
    var instructions = RandomInstruction(seed: seed)
    instructions.boundaryBias = 128
    instructions.randomizesIgnoredBits = true
    let made = (0..<2048).map { _ in instructions.bundle(from: .everything) }
    for index in stride(from: 0, to: count, by: 2) {
      let bundle = made[Int(random.next() & 2047)]
      (words[index], words[index + 1]) = (bundle.low, bundle.high)
    }
  }

  /// The whole state at random.
  func prepare(_ cpu: CPU) {
    var random = SplitMix64(seed: seed ^ 0x5eed)
    cpu.reset()
    cpu.pointee.virtual_clock = 1
    cpu.pointee.deadline = 0
    cpu.pointee.budget = 0
    cpu.pointee.stop_reason = 0
    cpu.pointee.cr_iva = random.next() & 0xf8000
    prepareTranslations(cpu, &random)
    cpu.writeBSPSTORE(0x40000 + (random.next() & 0xfff8))
    cpu.pointee.ar_rsc = random.next() & 0x1f
    for n in 1..<32 { cpu.writeGR(n, value(&random)) }
    for n in 2..<128 {
      cpu.floats[n] = random.next() & 1 == 0
        ? kt_fr(significand: random.next() >> 2 | 1 << 62, sign_exponent: KT_FR_PACKED_DOUBLE)
        : kt_fr(significand: random.next() | (random.next() & 1) << 63, sign_exponent: random.next() & 0x3ffff)
      // A packed double is normal.
      if cpu.floats[n].sign_exponent & KT_FR_PACKED_DOUBLE != 0 { cpu.floats[n].significand &= ~(1 << 61) }
    }
    for n in 0..<16 { kt_bank_gr(cpu)[n] = value(&random) }
    for n in 0..<8 {
      kt_kernel_registers(cpu)[n] = value(&random)
      cpu.branches[n] = value(&random)
    }
    for n in 0..<8 {
      kt_data_breakpoints(cpu)[n] = value(&random)
      kt_instruction_breakpoints(cpu)[n] = value(&random)
    }
    for n in 0..<16 { _ = cpu.writeProtectionKey(UInt64(n), random.next() & 0x3_0f | 1) }
    cpu.pointee.cr_dcr = random.next() & 0x7f07
    // sf1 to sf3 as after a reset; of sf0 the trap disables, precision (never the reserved 1) and rounding at random.
    let precision = [0, 2, 3, 3][Int(random.next() & 3)] as UInt64
    cpu.pointee.ar_fpsr = random.next() & 0x3f | cpu.pointee.ar_fpsr & ~0x1fff | precision << 8
      | (random.next() & 3) << 10
    cpu.pointee.ar_ccv = value(&random)
    cpu.pointee.ar_unat = random.next()
    cpu.pointee.ar_lc = random.next() & 3
    cpu.pointee.ar_ec = random.next() & 3
  }

  /// Region 0 maps memory as it is; region 1 with rights, bits and keys at random; region 2 by the table walker.
  private func prepareTranslations(_ cpu: CPU, _ random: inout SplitMix64) {
    for region in 0..<8 {
      let walker: UInt64 = region == 2 ? 1 : random.next() & 1
      _ = cpu.writeRegionRegister(UInt64(region) << 61, 14 << 2 | UInt64(region) << 8 | walker)
    }
    func insert(_ slot: UInt64, _ va: UInt64, _ pte: UInt64, _ key: UInt64) {
      cpu.pointee.cr_ifa = va
      cpu.pointee.cr_itir = 20 << 2 | key << 8
      for instruction in [false, true] {
        _ = cpu.insertTranslationRegister(slot: slot, pte, instruction: instruction)
      }
    }
    insert(0, 0, 0x7e1, 0)
    insert(1, 1 << 61, 1 | random.next() & 0xfe0 | (random.next() & 7 == 0 ? 7 << 2 : 0), random.next() & 3)
    cpu.pointee.cr_pta = (random.next() & 0xf0000) | 15 << 2 | (random.next() & 1) << 8 | random.next() & 1
    _ = cpu.writeRegionRegister(3 << 61, 14 << 2 | 3 << 8)
  }

  /// Where to go on, and in which mode.
  func enter(_ cpu: CPU, entry: Int) {
    var random = SplitMix64(seed: seed &* 64 &+ UInt64(entry) ^ 0xe7e5)
    cpu.pointee.stop_reason = 0
    cpu.pointee.event_check = 0
    cpu.pointee.frame_incomplete = 0
    let few = random.next() & random.next() & random.next()
    var psr = few & (PSR.be | PSR.ac | PSR.dfl | PSR.dfh | PSR.db | PSR.lp | PSR.tb | PSR.pk | PSR.ss | PSR.si | PSR.sp)
    psr |= few & (PSR.id | PSR.da | PSR.dd | PSR.ed | PSR.ia)
    psr |= random.next() & (PSR.bn | PSR.i | PSR.up)
    if random.next() & 7 != 0 { psr |= PSR.ic }
    if random.next() & 1 == 0 { psr |= PSR.dt | PSR.it | PSR.rt }
    if random.next() & 15 == 0 { psr ^= PSR.dt }
    if random.next() & 1 == 0 { psr |= (random.next() & 3) << PSR.cplShift }
    cpu.setPSR(psr)
    let virtual = psr & PSR.it != 0 && random.next() & 3 == 0
    cpu.pointee.ip = random.next() & 0xffff0 | (virtual ? (random.next() & 3) << 61 : 0)
    cpu.pointee.ri = UInt32(random.next() % 3)
    if entry & 7 == 0 { renewFrame(cpu, &random) }
    for n in 1..<64 where random.next() & 3 == 0 { cpu.predicates[n] = UInt8(random.next() & 1) }
    for _ in 0..<4 { cpu.writeGR(1 + Int(random.next() % 31), value(&random)) }
  }

  private func renewFrame(_ cpu: CPU, _ random: inout SplitMix64) {
    let sof = Int(random.next() % 97), sor = random.next() & 1 == 0 ? 8 * Int(random.next() % UInt64(sof / 8 + 1)) : 0
    let sol = Int(random.next() % UInt64(sof + 1))
    cpu.pointee.cfm &= 0x3ffff
    guard cpu.rseAlloc(sof: sof, sol: sol, sor: sor) == .done else { return }
    if sor > 0 || random.next() & 3 == 0 {
      let gr = sor == 0 ? 0 : random.next() % UInt64(sor)
      cpu.pointee.cfm |= gr << 18 | (random.next() % 96) << 25 | (random.next() % 48) << 32
    }
    for n in 32..<(32 + sof) { cpu.writeGR(n, value(&random)) }
    if random.next() & 1 == 0 {
      for _ in 0..<4 { cpu.setNaT(1 + Int(random.next() % UInt64(31 + sof))) }
    }
  }

  /// Addresses in memory, in the mapped regions and out of all; numbers.
  private func value(_ random: inout SplitMix64) -> UInt64 {
    let choice = random.next()
    switch choice & 7 {
    case 0, 1: return random.next() & 0xffff8
    case 2: return random.next() & 0xfffff
    case 3: return random.next() & 0xffff0 | (choice >> 8 & 3) << 61
    case 4: return random.next() & 0xff
    case 5: return 1 << (choice >> 8 & 63)
    default: return random.next()
    }
  }
}

/// What no outcome may break, in words; nil where all is well.
private func broken(_ cpu: CPU) -> String? {
  let c = cpu.pointee
  if c.gr.0 != 0 || cpu.predicates[0] != 1 { return "r0 or p0" }
  if cpu.readFR(0).significand != 0 || cpu.readFR(1).significand != 1 << 63 { return "f0 or f1" }
  if c.ri > 2 || c.ip & 15 != 0 { return "ip" }
  if !CFM.isPossible(c.cfm) { return "cfm \(c.cfm)" }
  if c.psr & (1 | 0x1fc0 | 1 << 16 | 0xf000_0000 | 3 << 41 | 0xffff_c000_0000_0000) != 0 { return "psr \(c.psr)" }
  for n in 0..<64 where cpu.predicates[n] > 1 { return "p\(n)" }
  return nil
}

@Suite struct RandomBytesTests {
  /// Runs `slots` slots from the present state; the reason of a stop but that of the budget.
  private func run(_ engine: any Engine, _ cpu: CPU, slots: Int64) -> UInt32 {
    cpu.setBudget(slots)
    let end = cpu.pointee.deadline
    while true {
      let reason = engine.run(cpu)
      cpu.setBudget(end - Int64(bitPattern: cpu.slots))
      if reason == KT_STOP_NONE && cpu.pointee.budget > 0 { continue }
      if reason != KT_STOP_NONE && reason != KT_STOP_BUDGET { return reason.rawValue }
      cpu.pointee.stop_reason = 0
      while cpu.pointee.event_check != 0 { if cpu.checkEvents() == .stopped { break } }
      return 0
    }
  }

  /// The first bundles from the present one on, were memory mapped as it is.
  private func code(_ cpu: CPU) -> String {
    (0..<4 as Range<UInt64>).flatMap { index in
      let address = cpu.pointee.ip &+ 16 * index
      let bundle = InstructionBundle(loadingFrom: cpu.machine.ram + Int(address & (RandomBytes.memorySize - 16)))
      return Disassembler.lines(bundle, at: address).map { "0x\(String(address, radix: 16)) \($0)\n" }
    }.joined()
  }

  /// Both machines as they are filled for a seed.
  private func fill(_ pair: DifferentialPair, _ bytes: RandomBytes) {
    for (machine, engine) in [(pair.machines.0, pair.engines.0), (pair.machines.1, pair.engines.1)] {
      bytes.fill(machine)
      bytes.prepare(machine.cpus[0])
      engine.invalidateCode(physical: 0, length: RandomBytes.memorySize)
    }
  }

  /// Enters the code on both and runs it for `slots`. The difference or broken rule, or nil.
  private func enter(_ pair: DifferentialPair, _ bytes: RandomBytes, _ entry: Int, slots: Int64) -> String? {
    let a = pair.machines.0.cpus[0], b = pair.machines.1.cpus[0]
    bytes.enter(a, entry: entry)
    bytes.enter(b, entry: entry)
    let first = run(pair.engines.0, a, slots: slots), second = run(pair.engines.1, b, slots: slots)
    // A stop without code to go on with is the machine check of a fetch from nowhere.
    for stop in [first, second] where stop != 0 && stop != KT_STOP_FATAL.rawValue { return "stop \(stop)" }
    for cpu in [a, b] { if let rule = broken(cpu) { return rule } }
    let differences = StateComparison.differences(a, b)
    if first == second && a.slots == b.slots && differences.isEmpty { return nil }
    return "stops \(first) and \(second), slots \(a.slots) and \(b.slots), "
      + differences.prefix(8).map { "\($0.name) \($0.values.0) and \($0.values.1)" }.joined(separator: ", ")
  }

  private func slots(_ entry: Int) -> Int64 { Int64(3 + (entry & 7)) }

  /// One filling of memory, entered 64 times. The first difference or broken rule, or nil.
  private func fault(_ pair: DifferentialPair, _ seed: UInt64) -> String? {
    let bytes = RandomBytes(seed: seed)
    fill(pair, bytes)
    for entry in 0..<RandomBytes.entries {
      if let text = enter(pair, bytes, entry, slots: slots(entry)) { return narrow(pair, bytes, entry) ?? text }
    }
    return memcmp(pair.machines.0.ram, pair.machines.1.ram, Int(RandomBytes.memorySize)) == 0
      ? nil : "seed \(seed): memory differs"
  }

  /// The same entry for one slot, two and so on, up to the slot at which the engines part.
  private func narrow(_ pair: DifferentialPair, _ bytes: RandomBytes, _ last: Int) -> String? {
    let cpu = pair.machines.0.cpus[0]
    for count in 0...slots(last) {
      var place = ""
      for slots in [max(0, count - 1), count] {
        fill(pair, bytes)
        for entry in 0..<last { _ = enter(pair, bytes, entry, slots: self.slots(entry)) }
        if let text = enter(pair, bytes, last, slots: slots) {
          keep(pair, bytes, last, slots: slots, text)
          return "seed \(bytes.seed), entry \(last), after \(slots) slots: \(text)\n\(place)"
        }
        place = "psr \(String(cpu.pointee.psr, radix: 16)), cfm \(String(cpu.pointee.cfm, radix: 16)), "
          + "slot \(cpu.pointee.ri) of\n\(code(cpu))"
      }
    }
    return nil
  }

  /// Writes the case to a file in the directory that KITTSON_KEEP names.
  private func keep(_ pair: DifferentialPair, _ bytes: RandomBytes, _ last: Int, slots: Int64, _ text: String) {
    guard let directory = getenv("KITTSON_KEEP") else { return }
    fill(pair, bytes)
    for entry in 0..<last { _ = enter(pair, bytes, entry, slots: self.slots(entry)) }
    bytes.enter(pair.machines.0.cpus[0], entry: last)
    let name = "random bytes, seed \(bytes.seed), entry \(last)"
    guard let kept = FailCase(name, of: pair.machines.0, slots: slots, report: text + "\n").reduced(on: pair),
      let file = fopen("\(String(cString: directory))/random-\(bytes.seed).json", "w")
    else { return }
    fputs(kept.json.text(indented: true) + "\n", file)
    fclose(file)
  }

  /// Code that a translation puts where there is no memory ends the machine, on either engine.
  @Test func codeMappedToNoMemoryIsFatal() throws {
    let pair = try makePair()
    for (machine, engine) in [(pair.machines.0, pair.engines.0), (pair.machines.1, pair.engines.1)] {
      let cpu = machine.cpus[0]
      cpu.reset()
      cpu.pointee.virtual_clock = 1
      cpu.pointee.cr_ifa = 0
      cpu.pointee.cr_itir = 20 << 2
      #expect(cpu.insertTranslationRegister(slot: 0, 1 << 40 | 0x7e1, instruction: true) == .done)
      cpu.setPSR(PSR.it | PSR.ic)
      cpu.pointee.ip = 0x4000
      #expect(run(engine, cpu, slots: 10) == KT_STOP_FATAL.rawValue)
      #expect(cpu.pointee.ip == 0x4000)
    }
  }

  @Test func outcomesAreArchitecturalAndEqual() throws {
    let pair = try makePair()
    let bundles = environment("KITTSON_RANDOM_BUNDLES") ?? 100_000, first = environment("KITTSON_SEED") ?? 1
    var faults = 0
    for seed in first..<(first + max(1, bundles / UInt64(RandomBytes.entries))) {
      guard let text = fault(pair, seed) else { continue }
      faults += 1
      if faults <= 5 { Issue.record("\(text)") }
    }
    #expect(faults == 0)
  }
}
