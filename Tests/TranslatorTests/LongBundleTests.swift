// A bundle with a long instruction has two: an event behind the first comes between them.
import CSupport
import IA64
import Machine
import Testing
import Translator

@Suite struct LongBundleTests {
  /// The store in slot 0, which the interpreter executes, changes code that was translated, so that the engine looks around behind it; movl comes next.
  @Test func eventBehindTheFirstSlot() throws {
    func slot(_ i: Instruction) throws -> UInt64 { try #require(Encoder.encode(i)).slot }
    let m = try slot(Instruction(opcode: .nop_m)), n = try slot(Instruction(opcode: .nop_i))
    func branch(_ distance: Int64) throws -> InstructionBundle {
      InstructionBundle(
        template: Template(rawValue: 0x10), m, n, try slot(Instruction(opcode: .br_cond, imm: distance)))
    }
    let movl = try #require(Encoder.encode(Instruction(opcode: .movl, r1: 8, imm: 0x1234_5678_9abc)))
    let code = [
      InstructionBundle(
        template: Template(rawValue: 5), try slot(Instruction(opcode: .stf_spill, qp: 6, r2: 0, r3: 16)), movl.long, movl.slot),
      try branch(0), try branch(-32),
    ]
    for slots in 1...Int64(12) {
      let reference = try Subject(translator: nil), subject = try Subject(translator: .all)
      for s in [reference, subject] {
        s.write(code)
        s.cpu.predicates[6] = 1
        s.cpu.staticGR[8] = 0
        s.cpu.staticGR[16] = Subject.codeBase + 32
        s.cpu.pointee.ip = Subject.codeBase + 32
        s.cpu.pointee.ri = 0
        s.run(slots: slots)
      }
      #expect(differences(reference, subject) == [], "\(slots) slots")
      if slots > 5 { #expect(reference.cpu.staticGR[8] == 0x1234_5678_9abc && subject.cpu.staticGR[8] == 0x1234_5678_9abc) }
    }
  }
}
