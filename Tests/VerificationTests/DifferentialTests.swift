// Random programs on interpreter and translator: the same state after the same slots, whatever the mix of instructions.
// A difference prints seed, program and fields; KITTSON_SEED and KITTSON_CASES choose other programs.
import CSupport
import Glibc
import IA64
import Machine
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
    try compare(name, mix, makePair())
  }

  /// Blocks of one instruction and blocks without links give the same.
  @Test(arguments: [1, 2, 5]) func cutBlocksAgree(_ limit: Int) throws {
    try compare("cut to \(limit)", .all, makePair {
      $0.returnsAfterBlock = true
      $0.blockInstructionLimit = limit
    })
  }

  private func compare(_ name: String, _ mix: RandomProgram.Mix, _ pair: DifferentialPair) throws {
    let first = environment("KITTSON_SEED") ?? 1, cases = environment("KITTSON_CASES") ?? 300
    var failures = 0
    for seed in first..<(first + cases) {
      let program = RandomProgram(seed: seed, mix: mix, count: 8 + Int(seed % 25))
      // Odd budgets: the end falls inside blocks.
      let slots = Int64(program.bundles.count * 4) + Int64(seed % 7)
      let differences = pair.run(program, slots: slots)
      if differences.isEmpty { continue }
      failures += 1
      let fields = differences.prefix(8).map { "\($0.name): \($0.values.0) and \($0.values.1)" }
      if failures <= 2 { Issue.record("\(name): \(fields)\n\(pair.describe(program, slots: slots))") }
    }
    #expect(failures == 0, "\(name): \(failures) of \(cases) programs differ, seeds from \(first)")
  }
}
