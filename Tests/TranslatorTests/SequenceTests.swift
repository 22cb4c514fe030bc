// Quotients and square roots as GCC and glibc compute them, which the translator does by the host's: every register,
// those in between included, every flag and every predicate is as the interpreter leaves it, wherever the guest is
// stopped.
import CSupport
import IA64
import Machine
import Testing
import Translator

@Suite struct SequenceTests {
  enum Kind: CaseIterable { case double, doubleLatency, single, singleLatency, root }

  /// f1 := f3·f4 + f2 on sf1 under p6, or f2 − f3·f4.
  private func fma(
    _ f1: UInt8, _ f3: UInt8, _ f4: UInt8, _ f2: UInt8, _ opcode: Opcode = .fma, field: UInt8 = 1
  ) -> Instruction {
    var i = Instruction(opcode: opcode, qp: 6, r1: f1, r2: f2, r3: f3, r4: f4)
    i.hint = field
    return i
  }

  /// f6 := f8 / f9, or √f8; the registers as compilers choose them.
  private func run(_ kind: Kind) -> [Instruction] {
    let begin = Instruction(opcode: .frcpa, r1: 6, r2: 8, r3: 9, r4: 6), e: UInt8 = 11
    switch kind {
    case .double:
      return [
        begin, fma(7, 9, 6, 1, .fnma), fma(10, 7, 7, 0), fma(7, 6, 7, 6), fma(11, 10, 10, 0), fma(7, 7, 10, 7),
        fma(7, 7, 11, 7), fma(10, 8, 7, 0, .fma_d), fma(12, 9, 10, 8, .fnma), fma(6, 12, 7, 10, .fma_d, field: 0),
      ]
    case .doubleLatency:
      return [
        begin, fma(e, 9, 6, 1, .fnma), fma(10, 8, 6, 0), fma(7, e, e, e), fma(12, e, e, 0), fma(13, 10, 7, 10),
        fma(e, 12, 12, e), fma(7, 6, 7, 6), fma(10, 13, e, 10, .fma_d), fma(7, 7, e, 6), fma(12, 9, 10, 8, .fnma),
        fma(6, 12, 7, 10, .fma_d, field: 0),
      ]
    case .single:
      return [
        begin, fma(10, 9, 6, 1, .fnma), fma(7, 6, 10, 6), fma(7, 7, 10, 6), fma(10, 8, 7, 0, .fma_s),
        fma(12, 10, 9, 8, .fnma), fma(6, 12, 7, 10, .fma_s, field: 0),
      ]
    case .singleLatency:
      return [
        begin, fma(e, 9, 6, 1, .fnma), fma(10, 8, 6, 0), fma(e, e, e, e), fma(10, 10, e, 10, .fma_s), fma(7, e, 6, 6),
        fma(12, 10, 9, 8, .fnma), fma(6, 12, 7, 10, .fma_s, field: 0),
      ]
    case .root:
      return [
        Instruction(opcode: .frsqrta, r1: 7, r3: 8, r4: 6), Instruction(opcode: .setf_exp, r1: 9, r2: 20),
        fma(6, 9, 7, 0), fma(7, 8, 7, 0), Instruction(opcode: .setf_s, r1: 10, r2: 21),
        Instruction(opcode: .setf_s, r1: 11, r2: 22), Instruction(opcode: .setf_s, r1: 12, r2: 23),
        fma(9, 7, 6, 9, .fnma), Instruction(opcode: .setf_s, r1: 13, r2: 24),
        Instruction(opcode: .setf_s, r1: 14, r2: 25), fma(10, 11, 9, 10),
        fma(11, 9, 9, 0), fma(12, 13, 9, 12), fma(10, 11, 10, 9), fma(11, 11, 11, 0), fma(9, 9, 12, 14),
        fma(12, 10, 7, 7), fma(7, 7, 11, 0), fma(10, 11, 9, 10), fma(7, 9, 7, 12, .fma_d), fma(6, 10, 6, 6),
        fma(9, 7, 7, 8, .fnma), fma(6, 9, 6, 7, .fma_d, field: 0),
      ]
    }
  }

  /// r20 to r25: 0.5 as an exponent, 3/2, 5/2, 63/8, 231/16 and 35/8 as singles.
  private func constants() -> [Instruction] {
    let halves: [Int64] = [0x3fc0, 0x4020, 0x40fc, 0x4167, 0x408c]
    return [Instruction(opcode: .addl, r1: 20, imm: 0xfffe)]
      + halves.enumerated().flatMap { index, bits in
        let r = UInt8(21 + index)
        return [
          Instruction(opcode: .addl, r1: r, imm: bits),
          Instruction(opcode: .dep_z, r1: r, r2: r, aux: 16 | 16 << 8),
        ]
      }
  }

  /// What compilers put in between: loads, stores and arithmetic on other registers, or on those that the run is done
  /// with.
  private func others(_ random: inout some RandomNumberGenerator) -> Instruction {
    switch Int.random(in: 0..<8, using: &random) {
    case 0: Instruction(opcode: .ldfd, r1: 17, r3: 16)
    case 1: Instruction(opcode: .stfd, r2: 18, r3: 17)
    case 2: Instruction(opcode: .fma_d, r1: 18, r2: 17, r3: 19, r4: 17)
    case 3: Instruction(opcode: .adds, r1: 18, r3: 18, imm: 1)
    case 4: Instruction(opcode: .fmerge_s, r1: 15, r2: 8, r3: 8)
    case 5: Instruction(opcode: .ld8, r1: 19, r3: 16)
    case 6: Instruction(opcode: .getf_d, r1: 26, r2: 8)
    default: Instruction(opcode: .fclass_m_unc, r1: 8, r2: 8, r4: 9, imm: 0x3a)
    }
  }

  private func bundle(_ i: Instruction) throws -> InstructionBundle {
    let m = try #require(Encoder.encode(Instruction(opcode: .nop_m))).slot
    let n = try #require(Encoder.encode(Instruction(opcode: .nop_i))).slot
    let code = try #require(Encoder.encode(i)).slot
    let isFloat = i.opcode.index >= Opcode.fma.index && i.opcode.index <= Opcode.nop_f.index
    let isShift = i.opcode == .dep_z || i.opcode == .mov_to_ar_i_imm
    return isFloat
      ? InstructionBundle(template: Template(rawValue: 0xd), m, code, n)
      : InstructionBundle(template: Template(rawValue: isShift ? 1 : 9), isShift ? m : code, isShift ? code : m, n)
  }

  /// The loop: loads a and b, computes, looks at what the run has left in one register, and goes on with other
  /// operands.
  private func program(_ kind: Kind, _ random: inout some RandomNumberGenerator) throws -> [InstructionBundle] {
    var all = [Instruction(opcode: .ldfd, r1: 8, r3: 14), Instruction(opcode: .ldfd, r1: 9, r3: 15)] + constants()
    for (index, i) in run(kind).enumerated() {
      all.append(i)
      if index > 0 && Int.random(in: 0..<3, using: &random) == 0 { all.append(others(&random)) }
    }
    // A loop that carries doubles over the way back, perhaps one that the run has put off.
    var inner: Int? = nil
    if Bool.random(using: &random) {
      all.append(Instruction(opcode: .mov_to_ar_i_imm, r3: 65, imm: 5))
      inner = all.count
      let sum = [18, 18, 7, 10].randomElement(using: &random)! as UInt8
      all.append(Instruction(opcode: .fma_d, r1: sum, r2: sum, r3: 19, r4: 17))
    }
    switch Int.random(in: 0..<5, using: &random) {
    case 3:
      // Looked at where the predicate is off, and then in earnest.
      let left = UInt8.random(in: 6..<13, using: &random)
      all.append(Instruction(opcode: .getf_sig, qp: 7, r1: 27, r2: left))
      all.append(Instruction(opcode: .stfd, qp: 7, r2: left, r3: 17))
      all.append(Instruction(opcode: .fma_d, r1: 10, r2: left, r3: left, r4: 18))
    case 0: all.append(Instruction(opcode: .getf_sig, r1: 27, r2: UInt8.random(in: 6..<13, using: &random)))
    case 1: all.append(Instruction(opcode: .fma_d, r1: 10, r2: 11, r3: 7, r4: 6))
    case 2: all.append(Instruction(opcode: .fmerge_s, r1: 20, r2: 7, r3: 7))
    default: break
    }
    // The next operands: b in the place of a.
    all += [Instruction(opcode: .stfd, r2: 9, r3: 14), Instruction(opcode: .stfd, r2: 6, r3: 15)]
    var result = try all.map(bundle)
    if let inner {
      let back = try #require(Encoder.encode(Instruction(opcode: .br_cloop, imm: 0))).slot
      let n = try #require(Encoder.encode(Instruction(opcode: .nop_m))).slot
      let sum = try #require(Encoder.encode(all[inner])).slot
      result[inner] = InstructionBundle(template: Template(rawValue: 0x1c), n, sum, back)
    }
    let m = try #require(Encoder.encode(Instruction(opcode: .nop_m))).slot
    let n = try #require(Encoder.encode(Instruction(opcode: .nop_i))).slot
    let back = Instruction(opcode: .br_cond, imm: Int64(-result.count * 16))
    result.append(InstructionBundle(template: Template(rawValue: 0x10), m, n, try #require(Encoder.encode(back)).slot))
    return result
  }

  private func operand(_ kind: Kind, _ random: inout some RandomNumberGenerator) -> UInt64 {
    let isSingle = kind == .single || kind == .singleLatency
    let edges: [Double] = [
      0, -0.0, 1, -1, 3, .infinity, -.infinity, .nan, .leastNonzeroMagnitude, .leastNormalMagnitude,
      .greatestFiniteMagnitude, Double(Float.greatestFiniteMagnitude), Double(Float.leastNormalMagnitude),
      Double(Float.leastNonzeroMagnitude), 1 + .ulpOfOne, 1 - .ulpOfOne / 2, 0x1p1022, 0x1p-1021, 0x1p126, 0x1p-125,
      0.1, 4,
    ]
    switch Int.random(in: 0..<8, using: &random) {
    case 0: return edges.randomElement(using: &random)!.bitPattern
    case 1:  // the whole range of exponents
      return UInt64.random(in: 0...UInt64.max, using: &random)
    case 2:  // few significant bits: exact results
      return Double(Int.random(in: 1...4096, using: &random)).bitPattern
    case 3:  // nearly 1, and nearly 2
      return (1 as Double).bitPattern &+ UInt64.random(in: 0...8, using: &random) &- 4
    default:
      let value = Double.random(in: 1...2, using: &random) * (Bool.random(using: &random) || kind == .root ? 1 : -1)
      let scaled = value * Double(sign: .plus, exponent: Int.random(in: -40...40, using: &random), significand: 1)
      return isSingle ? Double(Float(scaled)).bitPattern : scaled.bitPattern
    }
  }

  @Test(arguments: Kind.allCases) func resultsAndWhatIsPutOff(_ kind: Kind) throws {
    var random = SystemRandomNumberGenerator()
    var found = 0
    for _ in 0..<12 {
      let reference = try Subject(translator: nil), subject = try Subject(translator: .all)
      let code = try program(kind, &random)
      for s in [reference, subject] { s.write(code) }
      for round in 0..<150 {
        let a = operand(kind, &random), b = operand(kind, &random)
        // A run that ends anywhere, in the first pass or a later one.
        let slots = Int64.random(in: 1...Int64(code.count * 3 * (round % 10 == 0 ? 60 : 3)), using: &random)
        var fpsr: UInt64 = 0x9_804c_0270_033f | (round % 5 == 0 ? 0 : 1 << 31)
        if round % 7 == 0 { fpsr ^= 1 << UInt64.random(in: 0..<32, using: &random) & ~(1 << 12) }
        if fpsr >> 8 & 3 == 1 || fpsr >> 21 & 3 == 1 { continue }  // reserved
        for s in [reference, subject] {
          let cpu = s.cpu
          s.begin(a, b, fpsr: fpsr)
          cpu.floats[18] = kt_fr(significand: (2.5).bitPattern, sign_exponent: KT_FR_PACKED_DOUBLE)
          cpu.floats[19] = kt_fr(significand: 3 << 62, sign_exponent: 0xffff)
          s.run(slots: slots)
        }
        #expect(differences(reference, subject) == [], "\(kind) \(a) and \(b), \(slots) slots, fpsr \(fpsr)")
      }
      found += try #require(subject.translator).statistics.sequences
    }
    #expect(found > 0)
  }

  /// The results themselves, by the test's own division and root, up to the ends of the range.
  @Test(arguments: Kind.allCases) func resultsAreTheHosts(_ kind: Kind) throws {
    var random = SystemRandomNumberGenerator()
    let subject = try Subject(translator: .all)
    let code = try (
      [Instruction(opcode: .ldfd, r1: 8, r3: 14), Instruction(opcode: .ldfd, r1: 9, r3: 15)] + constants() + run(kind)
        + [Instruction(opcode: .getf_d, r1: 27, r2: 6)]).map(bundle)
    subject.write(code)
    let cpu = subject.cpu
    for _ in 0..<3000 {
      let a = Double(bitPattern: operand(kind, &random)), b = Double(bitPattern: operand(kind, &random))
      let isSingle = kind == .single || kind == .singleLatency
      if isSingle && (Double(Float(a)) != a || Double(Float(b)) != b) { continue }
      let expected = kind == .root ? a.squareRoot() : isSingle ? Double(Float(a) / Float(b)) : a / b
      // Of a zero frsqrta itself gives the root, in its own register; getf.d cuts what is denormal as a single.
      if !expected.isFinite || kind == .root && a == 0 || isSingle && Float(expected).isSubnormal { continue }
      cpu.pointee.ar_fpsr = 0x9_804c_0270_033f | 1 << 31
      let data = subject.machine.ram + Int(Subject.dataBase)
      data.storeBytes(of: a, as: Double.self)
      data.storeBytes(of: b, toByteOffset: 8, as: Double.self)
      (cpu.staticGR[14], cpu.staticGR[15]) = (Subject.dataBase, Subject.dataBase + 8)
      cpu.pointee.psr &= ~(PSR.dfl | PSR.mfl)
      cpu.pointee.ip = Subject.codeBase
      cpu.pointee.ri = 0
      subject.run(slots: Int64(code.count * 3))
      #expect(Double(bitPattern: cpu.staticGR[27]) == expected, "\(a) and \(b)")
    }
    #expect(try #require(subject.translator).statistics.sequences > 0)
  }
}
