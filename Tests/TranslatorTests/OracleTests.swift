// Interpreter and translator on random programs, and with each optimisation off.
import IA64
import Machine
import Testing
import Translator

@Suite struct OracleTests {

  @Test(arguments: [1, 2, 3, 4] as [UInt64])
  func integer(seed: UInt64) throws {
    let difference = try compareEngines(seed: seed, count: 400, opcodes: Rows.integer, branches: false)
    if let difference { Issue.record("\(difference)") }
  }

  @Test(arguments: [1, 2, 3, 4] as [UInt64])
  func compares(seed: UInt64) throws {
    let difference = try compareEngines(
      seed: seed, count: 400, opcodes: Rows.integer + Rows.compares, branches: false)
    if let difference { Issue.record("\(difference)") }
  }

  @Test(arguments: [1, 2, 3, 4] as [UInt64])
  func memory(seed: UInt64) throws {
    let difference = try compareEngines(
      seed: seed, count: 400, opcodes: Rows.integer + Rows.memory, branches: false)
    if let difference { Issue.record("\(difference)") }
  }

  @Test(arguments: [1, 2, 3, 4] as [UInt64])
  func branches(seed: UInt64) throws {
    let difference = try compareEngines(
      seed: seed, count: 400, opcodes: Rows.integer + Rows.compares, branches: true, slots: 300)
    if let difference { Issue.record("\(difference)") }
  }

  @Test(arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
  func everything(seed: UInt64) throws {
    let all = Rows.all
    let difference = try compareEngines(seed: seed, count: 500, opcodes: all, branches: true, length: 10, slots: 400)
    if let difference { Issue.record("\(difference)") }
  }

  @Test(arguments: TranslatorOptions.names.map(\.name))
  func eachOptimisationOff(name: String) throws {
    let all = Rows.all
    let options = TranslatorOptions.all.subtracting(try #require(TranslatorOptions(named: name)))
    let difference = try compareEngines(
      seed: 77, count: 200, opcodes: all, branches: true, length: 10, slots: 400, options: options)
    if let difference { Issue.record("\(difference)") }
  }

  /// What string functions live on is not left to the interpreter, whose results would hide that here.
  @Test(arguments: [Opcode.czx1_l, .czx1_r, .czx2_l, .czx2_r]) func zeroLanesAreTranslated(_ opcode: Opcode) throws {
    let subject = try Subject(translator: .all)
    let m = try #require(Encoder.encode(Instruction(opcode: .nop_m))).slot
    let n = try #require(Encoder.encode(Instruction(opcode: .nop_i))).slot
    let zeros = try #require(Encoder.encode(Instruction(opcode: opcode, r1: 8, r3: 9))).slot
    subject.write([InstructionBundle(template: Template(rawValue: 1), m, zeros, n)])
    let engine = try #require(subject.translator)
    let listing = try #require(
      engine.listing(at: Subject.codeBase, marker: subject.cpu.pointee.cfm, subject.cpu))
    #expect(!listing.before.contains("interpret"))
  }
}
