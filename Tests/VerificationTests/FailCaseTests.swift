// Cases as files: those of Tests/FailCases, each a failure that was found and mended, and what a file keeps of a case.
import CSupport
import Foundation
import IA64
import Machine
import Testing
import Verification

@Suite struct FailCaseTests {
  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("FailCases")

  @Test func whatFailedOnceIsRight() throws {
    let pair = try DifferentialPair()
    let files = try FileManager.default.contentsOfDirectory(at: Self.folder, includingPropertiesForKeys: nil)
      .filter { $0.pathExtension == "json" }
    #expect(!files.isEmpty)
    for file in files {
      let kept = try FailCase(reading: [UInt8](try Data(contentsOf: file)))
      for (options, differences) in kept.replay(on: pair) where !differences.isEmpty {
        Issue.record("\(file.lastPathComponent), \(options.text): \(kept.describe(on: pair, options))")
      }
    }
  }

  /// From a program and from its file, the interpreter comes to the same state.
  @Test func aFileKeepsTheCase() throws {
    let pair = try DifferentialPair(reference: DifferentialPair.interpreter, subject: DifferentialPair.interpreter)
    for seed in 1...200 as ClosedRange<UInt64> {
      let fuzzCase = FuzzCase(seed: seed, FuzzSettings())
      let text = FailCase(fuzzCase, on: pair.machines.0).json.text(indented: true)
      let kept = try FailCase(reading: Array(text.utf8))
      #expect(kept.json.text(indented: true) == text)
      let differences = pair.run(slots: fuzzCase.slots, nil) { machine, engine in
        if machine === pair.machines.0 { fuzzCase.program.prepare(machine) } else { kept.load(machine, engine) }
      }
      #expect(differences.isEmpty, "seed \(seed): \(differences.prefix(6))")
    }
  }

  /// A state with ALAT entries and interrupts that wait comes out of its file as it went in, and what runs on from it finds
  /// them: `ld8.c.clr r14=[r15]` with an entry leaves r14 as it is, an interrupt waits for psr.i.
  @Test func aFileKeepsTheALATAndWhatWaits() throws {
    let pair = try DifferentialPair(reference: DifferentialPair.interpreter, subject: DifferentialPair.interpreter)
    try pair.setALAT(real: true)
    let cpu = pair.machines.0.cpus[0]
    var code = CodeBuilder()
    code.add(Instruction(opcode: .ld8_c_clr, r1: 14, r3: 15), Instruction(opcode: .ssm, imm: 1 << 14))
    code.add(Instruction(opcode: .srlz_d))
    code.add(RandomProgram.spin)
    for (index, bundle) in code.bundles.enumerated() {
      let place = pair.machines.0.ram + Int(RandomProgram.codeBase) + 16 * index
      place.storeBytes(of: bundle.low, as: UInt64.self)
      place.storeBytes(of: bundle.high, toByteOffset: 8, as: UInt64.self)
    }
    let handler = pair.machines.0.ram + Int(RandomProgram.handlers) + 0x3000
    handler.storeBytes(of: RandomProgram.spin.low, as: UInt64.self)
    handler.storeBytes(of: RandomProgram.spin.high, toByteOffset: 8, as: UInt64.self)
    cpu.setPSR(PSR.bn | PSR.ic)
    cpu.pointee.cr_iva = RandomProgram.handlers
    cpu.pointee.ip = RandomProgram.codeBase
    cpu.writeGR(14, 5)
    cpu.writeGR(15, RandomProgram.dataBase)
    cpu.alatInsert(cpu.alatTag(general: 14), RandomProgram.dataBase, size: 8)
    cpu.alatInsert(cpu.alatTag(float: 40), RandomProgram.dataBase + 64, size: 16)
    cpu.raiseExternal(vector: 0x51)
    let text = FailCase("test", of: pair.machines.0, slots: 8).json.text()
    let kept = try FailCase(reading: Array(text.utf8))
    #expect(kept.json.text() == text)
    try pair.setALAT(real: false)
    #expect(kept.differences(on: pair, SubjectOptions()).isEmpty)
    let after = pair.machines.0.cpus[0]
    // The interrupt was taken behind srlz.d, at its vector (0x3000); nothing was loaded; the other entry is still there.
    #expect(after.pointee.ip & ~0xff == RandomProgram.handlers + 0x3000)
    #expect(after.readGR(14) == 5)
    #expect(!after.alatHolds(after.alatTag(general: 14)) && after.alatHolds(after.alatTag(float: 40)))
  }

  @Test func aKeptDifferenceStays() throws {
    let bug = try #require(PlantedBug.all.first { $0.name == "sub-one" })
    let pair = try DifferentialPair(reference: DifferentialPair.interpreter, subject: bug.engine)
    var found = 0
    for seed in 1...2000 as ClosedRange<UInt64> where found < 3 {
      let fuzzCase = FuzzCase(seed: seed, FuzzSettings())
      if pair.run(fuzzCase.program, slots: fuzzCase.slots).isEmpty { continue }
      found += 1
      let kept = try #require(FailCase(fuzzCase, on: pair.machines.0).reduced(on: pair))
      let again = try FailCase(reading: Array(kept.json.text().utf8))
      #expect(!again.differences(on: pair, again.options).isEmpty, "seed \(seed)")
    }
    #expect(found == 3)
  }

  @Test(arguments: [
    ("[]", "\"type\": \"case\""), ("{\"type\":\"case\",\"slots\":1,\"initial\":{\"grr\":1}}", "grr"),
    ("{\"type\":\"case\",\"initial\":{}}", "slots"),
    ("{\"type\":\"case\",\"slots\":1,\"more\":1,\"initial\":{}}", "more"),
    ("{\"type\":\"case\",\"slots\":1,\"without\":[\"x\"],\"initial\":{}}", "optimisation"),
    ("{\"type\":\"case\",\"slots\":1,\"initial\":{\"cfm\":\"0x7f\"}}", "frame marker"),
    ("{\"type\":\"case\",\"slots\":1,\"initial\":{\"ram\":[[\"0x10000000\",\"00\"]]}}", "beyond"),
  ])
  func refused(_ text: String, _ reason: String) {
    #expect { _ = try FailCase(reading: Array(text.utf8)) } throws: { "\($0)".contains(reason) }
  }
}

@Suite struct PlantedBugTests {
  @Test func bugsHaveNames() {
    let names = PlantedBug.all.map(\.name)
    #expect(Set(names).count == names.count && names.count >= 50)
  }

  /// One of each kind; all of them: `kittson fuzz --planted all --count 20000`.
  @Test(arguments: [
    "shl-wraps", "cmp4-wide", "nat-dropped", "base-twice", "rounding-mode", "call-ec", "isr-slot", "ldfp-order",
    "trap-disable", "rsc-mode", "rum-modified", "ivr-service",
  ])
  func plantedBugsAreFound(_ name: String) throws {
    let bug = try #require(PlantedBug.all.first { $0.name == name })
    let finding = try bug.search(SeedRange(first: 1, count: 5000), FuzzSettings())
    #expect(finding.cases != nil && finding.bundles <= 8)
  }
}
