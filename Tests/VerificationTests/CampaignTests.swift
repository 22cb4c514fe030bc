// Campaigns: which seeds a shard has, that a case follows from its seed, that a difference is made small, and what is
// counted.
import CSupport
import IA64
import Machine
import Testing
import Verification

/// The interpreter with a wrong result: `add` gives one too much.
private func wrongAdd(_ machine: Machine) -> any Engine {
  PlantedEngine(machine) { cpu, instruction, execute in
    let isHit = instruction.opcode == .add && cpu.readPR(Int(instruction.qp))
    let status = execute()
    if isHit && status == .done { cpu.writeGR(Int(instruction.r1), cpu.readGR(Int(instruction.r1)) &+ 1) }
    return status
  }
}

@Suite struct CampaignTests {
  @Test(arguments: [1, 2, 3, 7, 100] as [UInt64]) func shardsPartTheSeeds(_ shards: UInt64) {
    var all: [UInt64] = []
    for index in 1...shards {
      var range = SeedRange(first: 40, count: 23)
      range.index = index
      range.shards = shards
      all += (0..<range.size).map { range.seed($0) }
    }
    #expect(all.sorted() == Array(40..<63))
  }

  @Test func aCaseFollowsFromItsSeed() {
    for seed in 1...50 as ClosedRange<UInt64> {
      let a = FuzzCase(seed: seed, FuzzSettings()), b = FuzzCase(seed: seed, FuzzSettings())
      #expect(a.program.bundles == b.program.bundles && a.slots == b.slots && a.options == b.options)
    }
  }

  @Test func aDifferenceIsMadeSmall() throws {
    let pair = try DifferentialPair(reference: DifferentialPair.interpreter, subject: wrongAdd)
    var settings = FuzzSettings()
    settings.mix = [.integer, .memory, .calls, .loops, .faults, .virtual]
    var found = 0
    for seed in 1...300 as ClosedRange<UInt64> where found < 5 {
      let fuzzCase = FuzzCase(seed: seed, settings)
      if pair.run(fuzzCase.program, slots: fuzzCase.slots).isEmpty { continue }
      found += 1
      var shrinker = Shrinker(pair)
      let small = shrinker.shrink(fuzzCase)
      #expect(!pair.run(small.program, slots: small.slots, small.options).isEmpty)
      #expect(small.program.workingBundles <= 8, "\(small.program.listing)")
      #expect(small.program.listing.contains("add "))
    }
    #expect(found == 5)
  }

  @Test func whatIsExecutedIsCounted() throws {
    let counters = UnsafeMutablePointer<UInt64>.allocate(capacity: Coverage.wordCount)
    counters.initialize(repeating: 0, count: Coverage.wordCount)
    defer { counters.deallocate() }
    let pair = try DifferentialPair(
      reference: { CoverageEngine($0, counters: counters) }, subject: DifferentialPair.interpreter)
    var slots: UInt64 = 0
    for seed in 1...400 as ClosedRange<UInt64> {
      let fuzzCase = FuzzCase(seed: seed, FuzzSettings())
      try #require(pair.engines.0 as? CoverageEngine).beginCase()
      #expect(pair.run(fuzzCase.program, slots: fuzzCase.slots).isEmpty, "seed \(seed)")
      slots += pair.machines.0.cpus[0].slots
    }
    var coverage = Coverage()
    coverage.add(counters)
    // Most rows come up in so many programs, and a group has some instructions.
    #expect(coverage.executedRows > Opcode.rowCount / 2)
    #expect(coverage.groups > slots / 20 && coverage.groups < slots)
    #expect(coverage.newGroups > 0 && coverage.newGroups < coverage.programGroups)
    #expect(coverage.programGroups < coverage.groups)
    let matrix = coverage.matrix(least: 1, source: "")
    #expect(matrix.split(separator: "\n").count { $0.hasPrefix("| `") } == Opcode.rowCount)
    let read = try #require(Coverage(coverage.json))
    #expect(read.matrix(least: 1, source: "") == matrix)
    var twice = coverage
    twice.add(read)
    #expect(twice.groups == 2 * coverage.groups)
  }
}
