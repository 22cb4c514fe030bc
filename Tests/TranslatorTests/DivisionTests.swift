// Integer division as libgcc has it, which the translator does by the host's: every register, those in between included, is as
// the interpreter leaves it.
import CSupport
import IA64
import Machine
import Testing
import Translator

@Suite struct DivisionTests {
  enum Kind: CaseIterable { case signed, unsigned, signedRest, unsignedRest }

  /// f1 := f3·f4 + f2 on sf1, or f2 − f3·f4, under p6.
  private func fma(_ opcode: Opcode, _ f1: UInt8, _ f3: UInt8, _ f4: UInt8, _ f2: UInt8, qp: UInt8 = 6) -> Instruction {
    var i = Instruction(opcode: opcode, qp: qp, r1: f1, r2: f2, r3: f3, r4: f4)
    i.hint = 1
    return i
  }

  private func onFieldOne(_ instruction: Instruction) -> Instruction {
    var i = instruction
    i.hint = 1
    return i
  }

  /// r8 := r14 / r15, or the rest of it; the run of frcpa and its successors, with the rest by xma.
  func instructions(_ kind: Kind) -> [Instruction] {
    let unsigned = kind == .unsigned || kind == .unsignedRest, rest = kind == .signedRest || kind == .unsignedRest
    let source: UInt8 = rest ? 14 : 8
    func normalize(_ to: UInt8, _ from: UInt8) -> Instruction {
      unsigned ? fma(.fma, to, from, 1, 0, qp: 0) : Instruction(opcode: .fcvt_xf, r1: to, r2: from)
    }
    var all = [
      Instruction(opcode: .setf_sig, r1: source, r2: 14), Instruction(opcode: .setf_sig, r1: 9, r2: 15),
      normalize(8, source), normalize(9, 9), onFieldOne(Instruction(opcode: .frcpa, r1: 10, r2: 8, r3: 9, r4: 6)),
      fma(.fma, 12, 8, 10, 0), fma(.fnma, 11, 9, 10, 1), fma(.fma, 12, 11, 12, 12), fma(.fma, 13, 11, 11, 0),
      fma(.fma, 10, 11, 10, 10), fma(.fma, 11, 13, 12, 12), fma(.fma, 10, 13, 10, 10), fma(.fnma, 12, 9, 11, 8),
    ]
    if rest { all += [Instruction(opcode: .sub, r1: 15, r2: 0, r3: 15), Instruction(opcode: .setf_sig, r1: 9, r2: 15)] }
    all += [
      fma(.fma, 10, 12, 10, 11),
      onFieldOne(Instruction(opcode: unsigned ? .fcvt_fxu_trunc : .fcvt_fx_trunc, r1: 10, r2: 10)),
    ]
    if rest { all.append(Instruction(opcode: .xma_l, r1: 10, r2: 14, r3: 10, r4: 9)) }
    all.append(Instruction(opcode: .getf_sig, r1: 8, r2: 10))
    return all
  }

  private func bundles(_ kind: Kind) throws -> [InstructionBundle] {
    func slot(_ i: Instruction) throws -> UInt64 { try #require(Encoder.encode(i)).slot }
    let m = try slot(Instruction(opcode: .nop_m)), n = try slot(Instruction(opcode: .nop_i))
    let all = instructions(kind)
    var result = [InstructionBundle(template: Template(rawValue: 8), try slot(all[0]), try slot(all[1]), n)]
    for i in all.dropFirst(2) {
      let code = try slot(i)
      let isFloat = i.opcode != .sub && i.opcode != .setf_sig && i.opcode != .getf_sig
      result.append(InstructionBundle(
        template: Template(rawValue: isFloat ? 0xd : 9), isFloat ? m : code, isFloat ? code : m, n))
    }
    var back = Instruction(opcode: .br_cond, imm: Int64(-result.count * 16))
    back.hint = 0
    result.append(InstructionBundle(template: Template(rawValue: 0x10), m, n, try slot(back)))
    return result
  }

  @Test(arguments: Kind.allCases) func quotientsAndWhatIsPutOff(_ kind: Kind) throws {
    let reference = try Subject(translator: nil), subject = try Subject(translator: .all)
    let code = try bundles(kind)
    for s in [reference, subject] { s.write(code) }
    var random = SystemRandomNumberGenerator()
    let edges: [UInt64] = [0, 1, 2, 3, 10, 1 << 31, 1 << 32, 1 << 53, 1 << 63, .max, .max - 1, 0x7fff_ffff_ffff_ffff]
    for round in 0..<600 {
      func operand() -> UInt64 {
        round % 3 == 0 ? edges.randomElement(using: &random)! : random.next() >> UInt64.random(in: 0..<64, using: &random)
      }
      let a = operand(), b = operand(), known = round % 5 != 0
      // A run that ends within, at the end, and in the second pass.
      let slots = Int64.random(in: 1...Int64(code.count * 6), using: &random)
      for s in [reference, subject] {
        let cpu = s.cpu
        cpu.pointee.ar_fpsr = 0x9_804c_0270_033f | (known ? 1 << 31 | 1 << 27 : 0)
        cpu.staticGR[14] = a
        cpu.staticGR[15] = b
        cpu.pointee.psr &= ~(PSR.dfl | PSR.mfl)
        cpu.pointee.ip = Subject.codeBase
        cpu.pointee.ri = 0
        s.run(slots: slots)
      }
      #expect(differences(reference, subject) == [], "\(a) and \(b), \(slots) slots")
    }
    #expect(try #require(subject.translator).statistics.divisions > 0)
    // The quotient itself, by the test's own division.
    for s in [reference, subject] {
      s.cpu.staticGR[14] = 1_000_000_007
      s.cpu.staticGR[15] = 10_007
      s.cpu.pointee.ip = Subject.codeBase
      s.cpu.pointee.ri = 0
      s.run(slots: Int64(code.count * 3 - 3))
      let isRest = kind == .signedRest || kind == .unsignedRest
      #expect(s.cpu.staticGR[8] == (isRest ? 1_000_000_007 % 10_007 : 1_000_000_007 / 10_007))
    }
  }

  /// What is put off and settled later leaves alone what the guest has changed in between: here psr.mfl, which the run has
  /// set and rsm clears. Behind it the block ends, or registers that were put off are read and written in it.
  @Test(arguments: [false, true]) func settlingLaterChangesNothingElse(_ readsBehind: Bool) throws {
    let reference = try Subject(translator: nil), subject = try Subject(translator: .all)
    func slot(_ i: Instruction) throws -> UInt64 { try #require(Encoder.encode(i)).slot }
    let m = try slot(Instruction(opcode: .nop_m)), n = try slot(Instruction(opcode: .nop_i))
    var code = Array(try bundles(.signed).dropLast())
    code.append(InstructionBundle(template: Template(rawValue: 9), try slot(Instruction(opcode: .rsm, imm: 0x10)), m, n))
    if readsBehind {
      let read = try slot(Instruction(opcode: .getf_sig, r1: 17, r2: 12))
      let again = try slot(Instruction(opcode: .getf_sig, r1: 18, r2: 11))
      code.append(InstructionBundle(template: Template(rawValue: 9), read, m, n))
      code.append(InstructionBundle(template: Template(rawValue: 0xd), m, try slot(fma(.fma, 11, 12, 10, 13, qp: 0)), n))
      code.append(InstructionBundle(template: Template(rawValue: 9), again, m, n))
    }
    let back = Instruction(opcode: .br_cond, imm: Int64(-code.count * 16))
    code.append(InstructionBundle(template: Template(rawValue: 0x10), m, n, try slot(back)))
    for s in [reference, subject] { s.write(code) }
    for slots in 1...Int64(code.count * 6) {
      for s in [reference, subject] {
        s.cpu.pointee.ar_fpsr = 0x9_804c_0270_033f | 1 << 31 | 1 << 27
        s.cpu.staticGR[14] = 1_000_003
        s.cpu.staticGR[15] = 17
        s.cpu.pointee.psr &= ~(PSR.dfl | PSR.mfl)
        s.cpu.pointee.ip = Subject.codeBase
        s.cpu.pointee.ri = 0
        s.run(slots: slots)
      }
      #expect(differences(reference, subject) == [], "\(slots) slots")
    }
    #expect(try #require(subject.translator).statistics.divisions > 0)
  }
}
