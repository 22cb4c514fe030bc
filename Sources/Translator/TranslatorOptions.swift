// The translator's optimisations, each with a name and an off switch.

package struct TranslatorOptions: OptionSet, Sendable {
  package let rawValue: UInt32
  package init(rawValue: UInt32) { self.rawValue = rawValue }

  /// Operations on constants are done at translation.
  package static let constants = TranslatorOptions(rawValue: 1 << 0)
  /// Guest register writes that are overwritten before anything can see them vanish, and what only they needed.
  package static let deadWrites = TranslatorOptions(rawValue: 1 << 1)
  /// A comparison and the branch on its predicate become one compare and jump.
  package static let fusion = TranslatorOptions(rawValue: 1 << 2)
  /// Direct branches jump from block to block.
  package static let chaining = TranslatorOptions(rawValue: 1 << 3)
  /// A block that branches to its own start keeps its registers across the back edge.
  package static let loops = TranslatorOptions(rawValue: 1 << 4)
  /// Indirect branches and returns look their target up in emitted code.
  package static let indirectCache = TranslatorOptions(rawValue: 1 << 5)
  /// Double-precision arithmetic on packed doubles by the host's scalar instructions.
  package static let doubles = TranslatorOptions(rawValue: 1 << 6)
  /// Other floating-point arithmetic on normal operands by a function of its own.
  package static let floatCalls = TranslatorOptions(rawValue: 1 << 7)
  /// Blocks go on at the target of a forward branch that is taken or likely taken.
  package static let following = TranslatorOptions(rawValue: 1 << 8)
  /// Blocks of a hot loop are made anew together and keep guest registers in host registers from one to the next.
  package static let regions = TranslatorOptions(rawValue: 1 << 9)
  /// Accesses through one base register ask a line of the software TLB of their own first.
  package static let nearLines = TranslatorOptions(rawValue: 1 << 10)
  /// Integer divisions in floating-point registers are done by the host's division.
  package static let divisions = TranslatorOptions(rawValue: 1 << 11)
  /// Guest calls and returns are host calls and returns.
  package static let returns = TranslatorOptions(rawValue: 1 << 12)
  /// Quotients and square roots of doubles and singles are the host's.
  package static let sequences = TranslatorOptions(rawValue: 1 << 13)
  /// Single-precision arithmetic, loads and stores by the host's instructions.
  package static let singles = TranslatorOptions(rawValue: 1 << 14)
  package static let all = TranslatorOptions(rawValue: (1 << 15) - 1)

  /// The names that `--disable` takes.
  package static let names: [(name: String, option: TranslatorOptions, meaning: String)] = [
    ("constants", .constants, "constant and copy propagation"),
    ("dead-writes", .deadWrites, "removal of dead register writes and dead code"),
    ("fusion", .fusion, "fusion of compare and branch"),
    ("chaining", .chaining, "direct jumps between blocks"),
    ("loops", .loops, "loop-carried host registers"),
    ("regions", .regions, "host registers kept over the blocks of a hot loop"),
    ("near-lines", .nearLines, "lines of the software TLB for each base register"),
    ("divisions", .divisions, "compilers' integer divisions by the host's"),
    ("float-sequences", .sequences, "compilers' quotients and square roots by the host's"),
    ("following", .following, "blocks that go on behind likely branches"),
    ("doubles", .doubles, "double-precision arithmetic by host instructions"),
    ("singles", .singles, "single-precision arithmetic by host instructions"),
    ("float-calls", .floatCalls, "short functions for the other floating-point arithmetic"),
    ("returns", .returns, "host returns for guest returns"),
    ("indirect-cache", .indirectCache, "inline lookup of indirect branch targets"),
  ]

  package init?(named name: String) {
    guard let entry = TranslatorOptions.names.first(where: { $0.name == name }) else { return nil }
    self = entry.option
  }
}
