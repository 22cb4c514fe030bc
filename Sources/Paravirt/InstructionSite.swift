// Instruction sites: single slots, from one tag up to (not including) another, as Linux's paravirt_patch_site_inst
// announces them. A replacement's instructions go one by one into the next slot of a unit that takes them; what is left
// becomes nops of each slot's own unit, nop.b in branch slots included.
import IA64

package enum InstructionSite {
  /// An instruction without its place.
  package struct Step: Equatable, Sendable {
    package var bits: UInt64
    package var unit: Unit
    /// Whether its group ends before the next instruction.
    package var endsGroup: Bool
  }

  private struct Place {
    var bundle: Int
    var slot: Int
    var unit: Unit
    var hasStop: Bool
  }

  /// The instructions of whole bundles, nops left out; nil where one is long or a template is reserved.
  package static func steps(of bundles: [InstructionBundle]) -> [Step]? {
    guard let places = places(bundles, from: 0, count: 3 * bundles.count) else { return nil }
    return steps(bundles, places)
  }

  /// The instructions of a record's slots; `bytes` are those of its bundles.
  package static func steps(of record: PatchRecord, _ bytes: UnsafeRawBufferPointer) -> [Step]? {
    let bundles = bundles(bytes)
    guard let places = places(bundles, record) else { return nil }
    return steps(bundles, places)
  }

  private static func steps(_ bundles: [InstructionBundle], _ places: [Place]) -> [Step] {
    var steps: [Step] = []
    for place in places {
      let bits = bundles[place.bundle][place.slot]
      if !NopBundle.isNop(bits, unit: place.unit) {
        steps.append(Step(bits: bits, unit: place.unit, endsGroup: place.hasStop))
      } else if place.hasStop, !steps.isEmpty {
        steps[steps.count - 1].endsGroup = true
      }
    }
    return steps
  }

  /// Puts instructions into a record's slots; why that can't be, or nil when it is done.
  package static func write(
    _ steps: [Step], _ record: PatchRecord, _ bytes: UnsafeMutableRawBufferPointer
  ) -> String? {
    var bundles = bundles(UnsafeRawBufferPointer(bytes))
    guard let places = places(bundles, record) else { return "a long instruction stands in its range" }
    var next = 0
    var needsStop = false
    for place in places {
      var bits = Code.nop(place.unit)!
      if next < steps.count, !needsStop, fits(steps[next], place.unit) {
        bits = steps[next].bits
        needsStop = steps[next].endsGroup && next + 1 < steps.count
        next += 1
      }
      if place.hasStop { needsStop = false }
      bundles[place.bundle][place.slot] = bits
    }
    guard next == steps.count else {
      return "too short: \(steps.count) instructions do not fit into its \(places.count) slots"
    }
    for (index, bundle) in bundles.enumerated() {
      UnsafeMutableRawBufferPointer(rebasing: bytes[16 * index..<16 * index + 16]).copyBytes(from: bundle.bytes)
    }
    return nil
  }

  /// Integer ALU operations (major opcodes 8 and up) and break have the same bits in M and I slots.
  private static func fits(_ step: Step, _ unit: Unit) -> Bool {
    if step.unit == unit { return true }
    guard step.unit == .M || step.unit == .I, unit == .M || unit == .I else { return false }
    return step.bits >> 37 >= 8 || step.bits >> 37 == 0 && step.bits >> 33 & 7 == 0 && step.bits >> 27 & 0x3f == 0
  }

  static func bundles(_ bytes: UnsafeRawBufferPointer) -> [InstructionBundle] {
    stride(from: 0, to: bytes.count - 15, by: 16).map { InstructionBundle(loadingFrom: bytes.baseAddress! + $0) }
  }

  private static func places(_ bundles: [InstructionBundle], _ record: PatchRecord) -> [Place]? {
    let first = Int(record.start & 15)
    let count = 3 * Int((record.end & ~15) - record.address) / 16 + Int(record.end & 15) - first
    return places(bundles, from: first, count: count)
  }

  private static func places(_ bundles: [InstructionBundle], from first: Int, count: Int) -> [Place]? {
    var places: [Place] = []
    for number in first..<first + count {
      let template = bundles[number / 3].template
      guard !template.isLong, let unit = template.unit(number % 3) else { return nil }
      places.append(
        Place(bundle: number / 3, slot: number % 3, unit: unit, hasStop: template.hasStop(after: number % 3)))
    }
    return places
  }
}
