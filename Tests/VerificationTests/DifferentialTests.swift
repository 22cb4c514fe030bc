// Random programs on interpreter and translator: the same state after the same slots, whatever the mix of instructions.
// A difference prints seed, program and fields; KITTSON_SEED and KITTSON_CASES choose other programs.
import Glibc
import Testing
import Translator
import Verification

/// The two engines, the translator adjusted.
func makePair(_ adjust: (TranslatorEngine) -> Void = { _ in }) throws -> DifferentialPair {
  let pair = try DifferentialPair()
  adjust(try #require(pair.engines.1 as? TranslatorEngine))
  return pair
}

func environment(_ name: String) -> UInt64? { getenv(name).flatMap { UInt64(String(cString: $0)) } }

@Suite(.serialized) struct DifferentialTests {
  static let mixes: [(name: String, mix: RandomProgram.Mix)] = [
    ("integer", [.integer]),
    ("memory", [.integer, .memory]),
    ("branches", [.integer, .memory, .branches]),
    ("rotation", [.integer, .memory, .branches, .rotation]),
    ("NaT", [.integer, .memory, .branches, .nat]),
    ("floating point", [.integer, .memory, .branches, .floatingPoint]),
    ("system", [.integer, .memory, .branches, .system]),
    ("everything", .all),
  ]

  @Test(arguments: 0..<mixes.count) func enginesAgree(_ index: Int) throws {
    let (name, mix) = Self.mixes[index]
    var settings = FuzzSettings()
    settings.mix = mix
    settings.varies = false
    try compare(name, settings, environment("KITTSON_CASES") ?? 300)
  }

  /// Each optimisation alone left out.
  @Test(arguments: TranslatorOptions.names.map(\.name)) func enginesAgreeWithout(_ name: String) throws {
    var settings = FuzzSettings()
    settings.disabled = try #require(TranslatorOptions(named: name))
    settings.varies = false
    try compare("without \(name)", settings, environment("KITTSON_CASES") ?? 300)
  }

  /// What `kittson fuzz` runs: part of the mix, optimisations and block lengths drawn for each case. More than a million
  /// random instruction groups with every optimisation, and as many with others; handlers and idling are not counted.
  @Test func campaign() throws {
    let cases = environment("KITTSON_CASES") ?? 15000
    let groups = try compare("campaign", FuzzSettings(), cases)
    #expect(cases < 15000 || groups.optimised >= 1_000_000, "\(groups)")
  }

  /// Advanced loads, checks and the stores between them with an ALAT.
  @Test func enginesAgreeWithALAT() throws {
    var settings = FuzzSettings()
    settings.hasALAT = true
    settings.mix = [.integer, .memory, .branches, .floatingPoint, .rotation, .nat]
    try compare("real ALAT", settings, environment("KITTSON_CASES") ?? 1000)
  }

  /// Gives the random groups of cases with all optimisations, and of all cases.
  @discardableResult
  private func compare(
    _ name: String, _ settings: FuzzSettings, _ cases: UInt64
  ) throws -> (optimised: UInt64, all: UInt64) {
    let counters = UnsafeMutablePointer<UInt64>.allocate(capacity: Coverage.wordCount)
    counters.initialize(repeating: 0, count: Coverage.wordCount)
    defer { counters.deallocate() }
    let pair = try DifferentialPair(
      reference: { CoverageEngine($0, counters: counters) }, subject: DifferentialPair.translator)
    var optimised: UInt64 = 0
    try pair.setALAT(real: settings.hasALAT)
    let first = environment("KITTSON_SEED") ?? 1
    var failures = 0
    for seed in first..<(first + cases) {
      let fuzzCase = FuzzCase(seed: seed, settings)
      let before = counters[Coverage.programGroupsWord]
      let differences = pair.run(fuzzCase.program, slots: fuzzCase.slots, fuzzCase.options)
      if fuzzCase.options.hasEverything { optimised += counters[Coverage.programGroupsWord] - before }
      if differences.isEmpty { continue }
      failures += 1
      let fields = differences.prefix(8).map { "\($0.name): \($0.values.0) and \($0.values.1)" }
      if failures <= 2 {
        let report = pair.describe(fuzzCase.program, slots: fuzzCase.slots, fuzzCase.options)
        Issue.record("\(name), \(fuzzCase.options.text): \(fields)\n\(report)")
      }
    }
    #expect(failures == 0, "\(name): \(failures) of \(cases) programs differ, seeds from \(first)")
    return (optimised, counters[Coverage.programGroupsWord])
  }
}
