// Makes a differing case small: fewer slots, bundles and instructions turned into nops, a plainer state, as long as the
// engines still differ.
import IA64
import Machine
import Translator

package struct Shrinker {
  private let pair: DifferentialPair
  /// Runs that are left: shrinking is to end.
  private var budget = 3000

  package init(_ pair: DifferentialPair) { self.pair = pair }

  package mutating func shrink(_ original: FuzzCase) -> FuzzCase {
    var best = original
    if case let plain = SubjectOptions(), plain != best.options {
      attempt(&best) { $0.options = plain }
    }
    shortenRun(&best)
    for _ in 0..<3 {
      let before = (best.program.workingBundles, best.slots)
      simplifyState(&best)
      dropBundles(&best)
      dropInstructions(&best)
      shortenRun(&best)
      if before == (best.program.workingBundles, best.slots) { break }
    }
    return best
  }

  /// Makes a change if the engines differ with it too.
  @discardableResult
  private mutating func attempt(_ best: inout FuzzCase, _ change: (inout FuzzCase) -> Void) -> Bool {
    guard budget > 0 else { return false }
    budget -= 1
    var candidate = best
    change(&candidate)
    guard !pair.run(candidate.program, slots: candidate.slots, candidate.options).isEmpty else { return false }
    best = candidate
    return true
  }

  /// The shortest run that shows a difference, taking longer ones to show it too.
  private mutating func shortenRun(_ best: inout FuzzCase) {
    var low: Int64 = 1
    while low < best.slots {
      let middle = low + (best.slots - low) / 2
      if !attempt(&best, { $0.slots = middle }) { low = middle + 1 }
      if budget == 0 { return }
    }
  }

  private mutating func dropBundles(_ best: inout FuzzCase) {
    var size = max(1, best.program.bundles.count / 2)
    while true {
      var first = 0
      while first < best.program.bundles.count {
        let range = first..<min(first + size, best.program.bundles.count)
        if !range.allSatisfy({ RandomProgram.isNops(best.program.bundles[$0]) }) {
          attempt(&best) { for index in range { $0.program.bundles[index] = RandomProgram.nops } }
        }
        first += size
      }
      if size == 1 { return }
      size /= 2
    }
  }

  private mutating func dropInstructions(_ best: inout FuzzCase) {
    for index in best.program.bundles.indices {
      let decoded = Decoder.decode(best.program.bundles[index])
      guard !decoded.template.isLong else { continue }
      for slot in 0..<3 where !RandomProgram.isNop(decoded[slot].opcode) {
        attempt(&best) { $0.program.replaceByNop(index, slot) }
      }
    }
  }

  private mutating func simplifyState(_ best: inout FuzzCase) {
    for edit in RandomProgram.Plain.each where !best.program.plain.contains(edit) {
      attempt(&best) { $0.program.plain.insert(edit) }
    }
    for bit in 0..<64 where best.program.mode.psr >> UInt64(bit) & 1 != 0 && 1 << UInt64(bit) != PSR.bn {
      attempt(&best) { $0.program.mode.psr &= ~(1 << UInt64(bit)) }
    }
    if best.program.mode.dcr != 0 { attempt(&best) { $0.program.mode.dcr = 0 } }
    if best.program.mode.rsc != 0 { attempt(&best) { $0.program.mode.rsc = 0 } }
  }
}

extension RandomProgram {
  /// Parts of the state that a reduced program goes without.
  struct Plain: OptionSet, Sendable {
    let rawValue: UInt8
    /// No NaT bits.
    static let nat = Plain(rawValue: 1)
    /// Floating-point registers as after a reset.
    static let floats = Plain(rawValue: 2)
    /// General registers other than pointers hold their numbers.
    static let generals = Plain(rawValue: 4)
    /// No registers renamed.
    static let rotation = Plain(rawValue: 8)
    /// All predicates 0 but p0.
    static let predicates = Plain(rawValue: 16)
    /// No timer.
    static let timer = Plain(rawValue: 32)
    static let each: [Plain] = [.nat, .floats, .generals, .rotation, .predicates, .timer]
  }

  /// `{ .mii nop.m 0; nop.i 0; nop.i 0 }`.
  static let nops = InstructionBundle(template: Template(rawValue: 0), 1 << 27, 1 << 27, 1 << 27)

  /// Bundles that do something, the loop at the end left out.
  package var workingBundles: Int { bundles.count { !Self.isNops($0) && $0 != Self.spin } }

  mutating func replaceByNop(_ index: Int, _ slot: Int) {
    let bundle = bundles[index]
    guard let unit = bundle.template.unit(slot), let nop = Encoder.encode(Instruction(opcode: unit.nop)) else { return }
    var slots = [bundle.slot0, bundle.slot1, bundle.slot2]
    slots[slot] = nop.slot
    bundles[index] = InstructionBundle(template: bundle.template, slots[0], slots[1], slots[2])
  }
}
