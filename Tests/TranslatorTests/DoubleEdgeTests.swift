// What double arithmetic, comparisons and moves make of operands that a load brings as they are: NaNs, denormals,
// infinities, zeros and the ends of the range; with every register and flag as the interpreter leaves it.
import CSupport
import IA64
import Machine
import Testing
import Translator

@Suite struct DoubleEdgeTests {
  private static let edges: [UInt64] = [
    0, 1 << 63, 1, 0xf_ffff_ffff_ffff, 0x8000_0000_0000_0001, 0x8008_0000_0000_0000, 0x10_0000_0000_0000,
    0x7fef_ffff_ffff_ffff, 0x7ff0_0000_0000_0000, 0xfff0_0000_0000_0000, 0x7ff8_0000_0000_0000,
    0x7ff0_0000_0000_0001, 0xfff8_0000_0000_1234, 0x3ff0_0000_0000_0000, 0xbff0_0000_0000_0000,
    0x3ff0_0000_0000_0001, 0x4330_0000_0000_0000, 0x3810_0000_0000_0000, 0x36a0_0000_0000_0000, 0x380f_ffff_ffff_ffff,
    0x47ef_ffff_e000_0000, 0x47ef_ffff_ffff_ffff, 0x3690_0000_0000_0000,
  ]

  private func arithmetic(_ opcode: Opcode, _ f1: UInt8, _ f3: UInt8, _ f4: UInt8, _ f2: UInt8) -> Instruction {
    Instruction(opcode: opcode, r1: f1, r2: f2, r3: f3, r4: f4)
  }

  /// What is done with f8 and f9, or with a register that a predecessor has written.
  private func operation(_ random: inout some RandomNumberGenerator) -> Instruction {
    func source() -> UInt8 { [8, 8, 9, 9, 10, 11, 12, 0, 1].randomElement(using: &random)! }
    let target = UInt8.random(in: 10...12, using: &random)
    switch Int.random(in: 0..<12, using: &random) {
    case 0, 1, 2:
      let opcode = [Opcode.fma_d, .fms_d, .fnma_d, .fma_s, .fms_s, .fnma_s].randomElement(using: &random)!
      return arithmetic(opcode, target, source(), source(), source())
    case 3: return arithmetic([.fma_d, .fma_s].randomElement(using: &random)!, target, source(), 1, 0)
    case 4:
      let opcode = [Opcode.fcmp_eq, .fcmp_lt, .fcmp_le, .fcmp_lt_unc].randomElement(using: &random)!
      return Instruction(opcode: opcode, r1: 6, r2: source(), r3: source(), r4: 7)
    case 5:
      let classes = Int64.random(in: 0..<512, using: &random)
      return Instruction(opcode: .fclass_m, r1: 8, r2: source(), r4: 9, imm: classes)
    case 6: return Instruction(opcode: .stfd, r2: source(), r3: 17)
    case 7: return Instruction(opcode: .stfs, r2: source(), r3: 17)
    case 8: return Instruction(opcode: .stf_spill, r2: source(), r3: 18)
    case 9:
      let opcode = [Opcode.getf_d, .getf_s, .getf_sig].randomElement(using: &random)!
      return Instruction(opcode: opcode, r1: 27, r2: source())
    case 10:
      let opcode = [Opcode.fmerge_s, .fmerge_ns].randomElement(using: &random)!
      return Instruction(opcode: opcode, r1: target, r2: source(), r3: source())
    default:
      let qp: UInt8 = Bool.random(using: &random) ? 6 : 0
      return Instruction(opcode: .ldfd, qp: qp, r1: target, r3: UInt8.random(in: 14...15, using: &random))
    }
  }

  private func bundle(_ i: Instruction) throws -> InstructionBundle {
    let m = try #require(Encoder.encode(Instruction(opcode: .nop_m))).slot
    let n = try #require(Encoder.encode(Instruction(opcode: .nop_i))).slot
    let code = try #require(Encoder.encode(i)).slot
    return i.opcode.index >= Opcode.fma.index && i.opcode.index <= Opcode.nop_f.index
      ? InstructionBundle(template: Template(rawValue: 0xd), m, code, n)
      : InstructionBundle(template: Template(rawValue: 9), code, m, n)
  }

  /// A loop, so that its second form, with doubles in vector registers, runs too.
  private func program(_ random: inout some RandomNumberGenerator) throws -> [InstructionBundle] {
    let loads = [Instruction(opcode: .ldfd, r1: 8, r3: 14), Instruction(opcode: .setf_d, r1: 9, r2: 19)]
    let rest = (0..<Int.random(in: 1...8, using: &random)).map { _ in operation(&random) }
    var result = try (loads + rest).map(bundle)
    let m = try #require(Encoder.encode(Instruction(opcode: .nop_m))).slot
    let n = try #require(Encoder.encode(Instruction(opcode: .nop_i))).slot
    let back = Instruction(opcode: .br_cond, imm: Int64(-result.count * 16))
    result.append(InstructionBundle(template: Template(rawValue: 0x10), m, n, try #require(Encoder.encode(back)).slot))
    return result
  }

  @Test func edgesOfTheFormat() throws {
    var random = SystemRandomNumberGenerator()
    for _ in 0..<120 {
      let reference = try Subject(translator: nil), subject = try Subject(translator: .all)
      subject.translator?.regionThreshold = 3
      let code = try program(&random)
      for s in [reference, subject] { s.write(code) }
      for round in 0..<60 {
        let a = Self.edges.randomElement(using: &random)!, b = Self.edges.randomElement(using: &random)!
        let slots = Int64.random(in: 1...Int64(code.count * 3 * (round % 10 == 0 ? 20 : 3)), using: &random)
        let fpsr: UInt64 = 0x9_804c_0270_033f ^ (round % 6 == 0 ? 1 << UInt64.random(in: 0..<6, using: &random) : 0)
        for s in [reference, subject] {
          let cpu = s.cpu
          s.begin(a, b, fpsr: fpsr)
          (cpu.staticGR[18], cpu.staticGR[19]) = (Subject.dataBase + 32, b)
          for n in 10...12 { cpu.floats[n] = kt_fr(significand: a, sign_exponent: KT_FR_PACKED_DOUBLE) }
          s.run(slots: slots)
        }
        let operands = "\(String(a, radix: 16)) and \(String(b, radix: 16))"
        #expect(differences(reference, subject) == [], "\(operands), \(slots) slots")
      }
    }
  }
}
