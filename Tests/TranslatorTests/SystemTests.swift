// The lowerings of system instructions against the interpreter, which has every rule: random programs of these
// instructions from states that bring the uncommon cases with them: privilege level 3, NaT in a source, reserved fields and
// registers, interrupts that wait, an interrupt in service, both formats of the hash table, a timer close by.
import CSupport
import Glibc
import IA64
import Machine
import Testing
import Translator

@Suite struct SystemTests {
  private struct Random {
    var state: UInt64
    mutating func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return (state ^ state >> 29) &* 0x9e37_79b9_7f4a_7c15
    }
    mutating func below(_ n: Int) -> Int { Int(next() >> 20) % n }
    mutating func pick<T>(_ values: [T]) -> T { values[below(values.count)] }
    mutating func chance(_ percent: Int) -> Bool { below(100) < percent }
  }

  private static let opcodes: [Opcode] = [
    .mov_from_rr, .mov_to_rr, .thash, .mov_from_psr, .mov_to_psr_l, .mov_from_cpuid, .mov_from_pmd, .mov_from_cr,
    .mov_to_cr, .ssm, .rsm, .fc, .fc_i, .srlz_d, .mov_from_ar_m, .mov_to_ar_m, .add,
  ]
  private static let controls = [
    CR.dcr, CR.itm, CR.iva, CR.pta, CR.ipsr, CR.isr, CR.iip, CR.ifa, CR.itir, CR.iipa, CR.ifs, CR.iim, CR.iha, CR.lid,
    CR.ivr, CR.tpr, CR.eoi, CR.irr0, CR.itv, CR.pmv, CR.cmcv, CR.lrr0, 3, 9, 100,
  ]
  private static let applications = [0, 7, AR.itc, AR.ccv, AR.unat]
  private static let masks: [UInt64] = [
    PSR.i, PSR.ic, PSR.i | PSR.ic, PSR.ac, PSR.dt, PSR.dfh, PSR.ic | PSR.ac, PSR.up, PSR.i | PSR.dfl, PSR.pp | PSR.sp, 1 << 6,
    PSR.mfh | PSR.i,
  ]

  private static func instruction(_ random: inout Random) -> Instruction {
    var i = Instruction(opcode: random.pick(opcodes))
    i.qp = random.chance(25) ? UInt8(1 + random.below(15)) : 0
    let target = UInt8(random.chance(3) ? 0 : 8 + random.below(8))
    let source = UInt8(8 + random.below(8)), index = UInt8(8 + random.below(8))
    // Fields that an instruction does not have must be 0.
    switch i.opcode {
    case .mov_from_cr: (i.r1, i.r3) = (target, UInt8(random.pick(controls)))
    case .mov_to_cr: (i.r2, i.r3) = (source, UInt8(random.pick(controls)))
    case .mov_from_ar_m: (i.r1, i.r3) = (target, UInt8(random.pick(applications)))
    case .mov_to_ar_m: (i.r2, i.r3) = (source, UInt8(random.pick(applications)))
    case .mov_from_rr, .thash, .mov_from_cpuid, .mov_from_pmd: (i.r1, i.r3) = (target, index)
    case .mov_from_psr: i.r1 = target
    case .mov_to_psr_l: i.r2 = source
    case .mov_to_rr: (i.r2, i.r3) = (source, index)
    case .fc, .fc_i: i.r3 = index
    case .ssm, .rsm: i.imm = Int64(random.pick(masks))
    case .add: (i.r1, i.r2, i.r3) = (target, source, index)
    default: break
    }
    return i
  }

  private static func slot(_ random: inout Random) -> UInt64 {
    while true {
      if let encoded = Encoder.encode(instruction(&random)) { return encoded.slot }
    }
  }

  private static func program(_ random: inout Random) -> [InstructionBundle] {
    let nop = Encoder.encode(Instruction(opcode: .nop_i))!.slot
    return (0..<6).map { _ in
      InstructionBundle(template: Template(rawValue: 9), slot(&random), slot(&random), nop)
    }
  }

  private static func value(_ random: inout Random) -> UInt64 {
    switch random.below(8) {
    case 0: UInt64(random.below(6))
    case 1: Subject.dataBase + UInt64(random.below(0x1000))
    case 2: UInt64(random.below(8)) << 61 | random.next() >> 12
    case 3: UInt64(random.pick([12, 14, 16, 24])) << 2 | UInt64(random.below(1 << 20)) << 8
    case 4: random.pick(masks) | UInt64(random.below(2)) << 14
    case 5: UInt64(random.below(256))
    case 6: UInt64(60 + random.below(60))
    default: random.next()
    }
  }

  private static func setState(_ random: inout Random, _ subjects: [Subject]) {
    let values = (0..<16).map { _ in value(&random) }
    let predicates = random.next()
    let level: UInt64 = random.chance(85) ? 0 : 3
    let psr = PSR.bn | level << PSR.cplShift | (random.chance(50) ? PSR.ic : 0) | (random.chance(50) ? PSR.i : 0)
      | (random.chance(30) ? PSR.ac : 0) | (random.chance(20) ? PSR.si : 0) | (random.chance(20) ? PSR.sp : 0)
    let pta = UInt64(15 + random.below(20)) << 2 | 1 | UInt64(random.below(2)) << 8 | UInt64(random.below(64)) << 20
    let pending = random.chance(30) ? random.next() & 0xffff_0000 : 0
    let served = random.chance(40) ? UInt64(1) << UInt64(random.pick([0, 2, 20, 40, 63])) : 0
    let tpr = UInt64(random.below(16)) << 4 | UInt64(random.chance(10) ? 1 << 16 : 0)
    let itv: UInt64 = random.chance(50) ? 0xef : 1 << 16
    let nat = random.chance(10) ? 8 + random.below(8) : 0
    let regions = (0..<8).map { _ in UInt64(random.pick([12, 14, 16])) << 2 | UInt64(random.below(1 << 20)) << 8 }
    for subject in subjects {
      let cpu = subject.cpu
      cpu.reset()
      memset(subject.machine.ram, 0, Int(subject.machine.ramSize))
      for n in 0..<16 { cpu.staticGR[8 + n] = values[n] }
      for n in 1..<64 { cpu.predicates[n] = UInt8(predicates >> UInt64(n) & 1) }
      for n in 0..<8 { kt_region_registers(cpu)[n] = regions[n] }
      for n in 0..<32 { kt_pmd(cpu)[n] = UInt64(n) * 0x111 }
      cpu.pointee.cr_pta = pta
      kt_irr(cpu)[1] = pending
      kt_in_service(cpu)[0] = served & 5
      kt_in_service(cpu)[1] = served & ~5
      cpu.pointee.cr_tpr = tpr
      cpu.pointee.cr_itv = itv
      cpu.pointee.ar_bspstore = 0x30000
      cpu.pointee.cr_iva = Subject.vectors
      cpu.pointee.ip = Subject.codeBase
      cpu.pointee.budget = 0
      cpu.pointee.deadline = 0
      cpu.pointee.itc_offset = 50
      cpu.pointee.itm_deadline = UInt64.max
      cpu.setPSR(psr)
      cpu.updateInterruptReady()
      if nat != 0 {
        cpu.staticNaT[nat] = 1
        cpu.pointee.nat_live = 1
      }
      cpu.pointee.event_check = 1
    }
  }

  /// The first difference of `count` programs, or nil.
  private static func compare(seed: UInt64, count: Int, options: TranslatorOptions) throws -> String? {
    let reference = try Subject(translator: nil), subject = try Subject(translator: options)
    var random = Random(state: seed)
    for number in 0..<count {
      let bundles = program(&random)
      setState(&random, [reference, subject])
      for s in [reference, subject] {
        s.write(bundles)
        s.interpreter.invalidateCode(physical: 0, length: s.machine.ramSize)
        s.translator?.invalidateCode(physical: 0, length: s.machine.ramSize)
      }
      for part in 0..<3 {
        let a = reference.run(slots: Int64(7 + part)), b = subject.run(slots: Int64(7 + part))
        // Summaries that an engine may keep on the safe side.
        for s in [reference, subject] {
          if s.cpu.pointee.nat_live != 0 { s.cpu.scanNaT() }
          s.cpu.pointee.event_check = 1
        }
        var found = differences(reference, subject)
        if a != b { found.append("stopped by \(a) and \(b)") }
        if !found.isEmpty {
          let text = bundles.flatMap { b -> [String] in
            let d = Decoder.decode(b)
            return (0..<2).map { "(p\(d[$0].qp)) \(d[$0].opcode) r1=\(d[$0].r1) r2=\(d[$0].r2) r3=\(d[$0].r3) #\(d[$0].imm)" }
          }
          return "program \(number), part \(part): \(found.prefix(8).joined(separator: "; "))\n" + text.joined(separator: "\n")
        }
      }
    }
    return nil
  }

  @Test(arguments: [11, 12, 13, 14] as [UInt64])
  func systemInstructions(seed: UInt64) throws {
    let difference = try Self.compare(seed: seed, count: 3000, options: .all)
    if let difference { Issue.record("\(difference)") }
  }

  @Test func everyInstructionTakesPart() {
    var random = Random(state: 1)
    var seen: Set<Int> = []
    for _ in 0..<1000 {
      let decoded = Decoder.decode(InstructionBundle(template: Template(rawValue: 9), Self.slot(&random), Self.slot(&random), 0))
      for index in 0..<2 { seen.insert(decoded[index].opcode.index) }
    }
    for opcode in Self.opcodes { #expect(seen.contains(opcode.index), "\(opcode)") }
  }

  @Test func withoutOptimisations() throws {
    let difference = try Self.compare(seed: 99, count: 1500, options: [])
    if let difference { Issue.record("\(difference)") }
  }
}
