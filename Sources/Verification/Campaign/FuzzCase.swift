// A case of a campaign: everything it is follows from its seed and from what the campaign allows.
import IA64
import Translator

/// What a campaign allows.
package struct FuzzSettings: Sendable, Equatable {
  package var mix = RandomProgram.Mix.all
  /// Optimisations that are always off.
  package var disabled: TranslatorOptions = []
  /// Whether a case draws part of the mix, and other optimisations and block lengths than the usual.
  package var varies = true
  /// Bundles of the main part at most.
  package var length = 32
  /// Whether advanced loads leave entries in an ALAT.
  package var hasALAT = false

  /// Rows that all cases are about; otherwise half of them are about some ten, drawn at random.
  package var rows: [Opcode] = []

  package init() {}
}

package struct FuzzCase: Sendable {
  package let seed: UInt64
  package var program: RandomProgram
  package var slots: Int64
  package var options: SubjectOptions

  package init(seed: UInt64, _ settings: FuzzSettings) {
    self.seed = seed
    var random = SplitMix64(seed: seed ^ 0x6361_7365)
    var mix = settings.varies ? settings.mix.drawn(seed) : settings.mix
    let count = 4 + Int(random.next() % UInt64(max(1, settings.length - 3)))
    if settings.varies && (!settings.rows.isEmpty || random.next() & 1 == 0) {
      let rows = Self.spotlight(settings.rows.isEmpty ? OpcodePools.choice(settings.mix.instructions) : settings.rows, &random)
      mix.formUnion(settings.mix.intersection(Self.spotlightMix))
      if random.next() & 1 == 0 { mix.formUnion(settings.mix.intersection(.user)) }
      program = RandomProgram(seed: seed, mix: mix, count: count, spotlight: rows)
      slots = 2000 + Int64(random.next() % 4000)
    } else {
      program = RandomProgram(seed: seed, mix: mix, count: count)
      slots = Self.slots(count, mix, &random)
    }
    options = SubjectOptions()
    if settings.varies { options.vary(&random) }
    // Runs are short: most loops that become regions do so at the first or second way back.
    options.regionThreshold = [nil, 1, 2, 3][Int(random.next() & 3)]
    options.translator.subtract(settings.disabled)
  }

  /// What a program needs in which any row is to do all that it can.
  private static let spotlightMix: RandomProgram.Mix = [
    .memory, .branches, .floatingPoint, .system, .nat, .faults,
  ]

  /// The rows that half of all cases are about: each comes up as often as any other, however many its unit has; those
  /// whose faults take more than one condition twice as often.
  private static func spotlight(_ rows: [Opcode], _ random: inout SplitMix64) -> [Opcode] {
    var chosen: [Opcode] = []
    while chosen.count < 10 {
      let row = rows[Int(random.next() % UInt64(rows.count))]
      if isDemanding[row.index] || random.next() & 1 == 0 { chosen.append(row) }
    }
    // It loads nothing but behind a `cover`, and where registers are no longer dirty.
    return chosen.contains(.loadrs) ? chosen + [.loadrs, .cover, .cover, .flushrs, .mov_to_ar_m] : chosen
  }

  /// Loads and arithmetic of floating point, and what is privileged.
  private static let isDemanding = instructionTable.map { row in
    row.flags.contains(.privileged) || row.flags.isSuperset(of: [.usesFR, .load]) || row.faults.contains(.floatingPoint)
  }

  private static func slots(_ count: Int, _ mix: RandomProgram.Mix, _ random: inout SplitMix64) -> Int64 {
    // Odd budgets: the end falls inside blocks. Handlers need slots of their own.
    let share: UInt64 = mix.contains(.faults) ? 14 : 5
    return 40 + Int64(UInt64(count) * share + random.next() % 37)
  }
}

extension SubjectOptions {
  /// Half of all cases have every optimisation; one in eight works in short blocks.
  fileprivate mutating func vary(_ random: inout SplitMix64) {
    switch random.next() & 7 {
    case 0: instructionLimit = [1, 2, 5, 11][Int(random.next() & 3)]
    case 1: translator.remove(TranslatorOptions.names[Int(random.next() % UInt64(TranslatorOptions.names.count))].option)
    case 2, 3: translator = translator.intersection(TranslatorOptions(rawValue: UInt32(truncatingIfNeeded: random.next())))
    default: break
    }
  }

  /// Whether all optimisations work on whole blocks.
  package var hasEverything: Bool { translator == .all && instructionLimit == nil }

  /// In the words of the command line.
  package var text: String {
    var parts = TranslatorOptions.names.filter { !translator.contains($0.option) }.map { "without " + $0.name }
    if let instructionLimit { parts.append("blocks of \(instructionLimit)") }
    if let regionThreshold { parts.append("regions after \(regionThreshold)") }
    return parts.isEmpty ? "all optimisations" : parts.joined(separator: ", ")
  }
}
