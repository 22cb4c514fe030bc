// What the translator keeps: that it fits into the memory for code, does not grow by what is not executed, and that a way
// of working can be left again.
import CSupport
import IA64
import Interpreter
import Machine
import Testing
import Translator
import Verification

@Suite struct CodeCacheTests {
  /// A block of 64 bundles that holds much at many ways out: 94 registers with constants of 64 bits, then 96 predicated
  /// branches, each of which writes them all home.
  private static let wide = assemble { code, labels in
    code.add(.movl(32, 0x1234_5678_9abc_def0))
    for n in 33..<126 as Range<UInt8> { code.add(.adds(n, Int64(n), 32)) }
    for index in 0..<32 {
      let distance = Int64(labels["end"] - code.label()) << 4
      let branches = (0..<3).map { slot in
        // Said to be not taken, so that the block goes on behind it.
        let qp = UInt8(1 + (index * 3 + slot) % 63)
        return Encoder.encode(Instruction(opcode: .br_cond, qp: qp, hint: 2, imm: distance))!.slot
      }
      code.add(InstructionBundle(template: Template(rawValue: 0x17), branches[0], branches[1], branches[2]))
    }
    labels.mark("end", &code)
  }

  private func engine(_ code: [InstructionBundle], codeSize: Int = 4 << 20) throws -> (TranslatorEngine, CPU) {
    let machine = try Machine(ramSize: 1 << 18)
    Interpreter.installServices(machine.cpus[0])
    for (index, bundle) in code.enumerated() {
      let place = machine.ram + Int(Twins.code) + index * 16
      place.storeBytes(of: bundle.low, as: UInt64.self)
      place.storeBytes(of: bundle.high, toByteOffset: 8, as: UInt64.self)
    }
    return (try #require(TranslatorEngine(machine: machine, codeSize: codeSize)), machine.cpus[0])
  }

  /// A block is begun only where there is room for it, whatever room is left. (Each frame makes the block anew.)
  @Test func blocksFitIntoTheMemoryForCode() throws {
    for size in stride(from: 2048 << 10, to: 2208 << 10, by: 32 << 10) {
      let (engine, cpu) = try engine(Self.wide, codeSize: size)
      for sol in 0..<40 {
        let block = try #require(engine.listing(at: Twins.code, marker: CFM.make(sof: 96, sol: sol, sor: 0), cpu))
        #expect(block.host.count > 64 * 1024)
        #expect(engine.codeMemory.used <= engine.codeMemory.size, "\(size) bytes")
      }
      #expect(engine.statistics.flushes > 0)
    }
  }

  /// Listings look at code; of what they look at nothing is kept but the block.
  @Test func listingsKeepNothing() throws {
    let code = assemble { code, labels in
      for instruction in DivisionTests().instructions(.signed) { code.add(instruction) }
      code.add(Instruction(opcode: .czx1_r, r1: 8, r3: 9))
      code.branch(to: 0)
    }
    let (engine, cpu) = try engine(code)
    #expect(engine.listing(at: Twins.code, marker: 0, cpu) != nil)
    // What the last of them looked at waits to be dropped.
    #expect(engine.held.instructions <= 2 && engine.held.runs == 1)
    for _ in 0..<20 { #expect(engine.listing(at: Twins.code, marker: 0, cpu) != nil) }
    #expect(engine.held.instructions <= 2 && engine.held.runs == 1)
  }

  /// Code that is written again and again: the blocks it was are not found any more, nor looked through.
  @Test func deadBlocksLeaveTheTable() throws {
    let code = assemble { code, labels in
      code.add(.load(16, 11), .adds(8, 1, 8))
      code.add(.store(11, 16))
      labels.mark("written", &code)
      code.add(.adds(9, 1, 9))
      code.branch(to: 0)
    }
    let twins = try Twins()
    twins.place(code)
    twins.each { $0.writeGR(11, Twins.code + 32) }
    var most = 0
    for _ in 0..<50 {
      #expect(twins.run(700) == nil)
      most = max(most, twins.translator.held.blocks)
    }
    #expect(twins.translator.statistics.blocks > 1000)
    #expect(most < 40)
  }

  /// Behind a comparison block by block the engine links again.
  @Test func blocksAreLinkedAgain() throws {
    let code = assemble { code, labels in
      code.add(.adds(8, 1, 8), .testBit(6, 7, 8, 0))
      code.branch(qp: 6, to: labels["odd"])
      code.add(.adds(9, 1, 9))
      labels.mark("odd", &code)
      code.branch(to: 0)
    }
    let twins = try Twins(options: TranslatorOptions.all.subtracting([.regions, .following]))
    twins.place(code)
    let options = twins.translator.options
    twins.translator.returnsAfterBlock = true
    #expect(twins.run(1000) == nil)
    #expect(twins.translator.statistics.links == 0)
    twins.translator.returnsAfterBlock = false
    let entries = twins.translator.statistics.entries
    #expect(twins.run(100_000) == nil)
    #expect(twins.translator.options == options)
    #expect(twins.translator.statistics.links > 0 && twins.translator.statistics.entries - entries < 100)
  }
}
