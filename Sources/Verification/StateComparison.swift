// Compares the states of two processors and lists what differs by the names the manual and the assembler use.
import CSupport
import Machine

/// One field that differs.
package struct StateDifference: Equatable, Sendable, CustomStringConvertible {
  package var name: String
  package var first: UInt64
  package var second: UInt64
  /// For a floating-point register: sign and exponent in `first` and `second`, the significands here.
  package var significands: (UInt64, UInt64)?

  package init(name: String, first: UInt64, second: UInt64, significands: (UInt64, UInt64)? = nil) {
    self.name = name
    self.first = first
    self.second = second
    self.significands = significands
  }

  package static func == (a: StateDifference, b: StateDifference) -> Bool {
    a.name == b.name && a.first == b.first && a.second == b.second
      && a.significands?.0 == b.significands?.0 && a.significands?.1 == b.significands?.1
  }

  /// The two values as text, widened to the same width.
  package var values: (String, String) {
    if let significands { return (float(first, significands.0), float(second, significands.1)) }
    return (hexadecimal(first), hexadecimal(second))
  }
  private func float(_ exponent: UInt64, _ significand: UInt64) -> String {
    String(exponent, radix: 16) + ":" + hexadecimal(significand, digits: 16, prefix: false)
  }
  package var description: String { "\(name) \(values.0) / \(values.1)" }
}

package enum StateComparison {
  /// The fields that differ between two images of `count` words (`StateImage.stateWords` or `allWords`). Register
  /// numbers are those that an instruction uses under the first image's frame marker.
  package static func differences(
    _ first: UnsafePointer<UInt64>, _ second: UnsafePointer<UInt64>, count: Int
  ) -> [StateDifference] {
    let cfm = first[StateImage.cfmWord]
    var result: [StateDifference] = []
    for index in 0..<count where first[index] != second[index] {
      let a = first[index], b = second[index]
      switch StateImage.meanings[index] {
      case .value(let name): result.append(StateDifference(name: name, first: a, second: b))
      case .stacked(let offset):
        result.append(StateDifference(name: "r\(stackedName(offset, cfm))", first: a, second: b))
      case .bits(let prefix, let base):
        appendBits(a, b, &result) { bit in
          prefix == "p" ? "p\(predicateName(bit, cfm))" : "\(prefix)\(base + bit)"
        }
      case .stackedNaT(let base): appendBits(a, b, &result) { "nat.r\(stackedName(base + $0, cfm))" }
      case .floatSignExponent(let n): appendFloat(n, cfm, first, second, index, &result)
      case .floatSignificand(let n):
        // With the sign and exponent equal this is the first word that differs.
        if first[index - 1] == second[index - 1] { appendFloat(n, cfm, first, second, index - 1, &result) }
      }
    }
    return result
  }

  /// The fields that differ between two processors of one process, translations included.
  package static func differences(_ first: CPU, _ second: CPU) -> [StateDifference] {
    let count = StateImage.allWords
    return withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 2 * count) { words in
      let a = words.baseAddress!, b = a + count
      StateImage.capture(first, into: a, translations: true)
      StateImage.capture(second, into: b, translations: true)
      return differences(a, b, count: count)
    }
  }

  private static func appendBits(
    _ a: UInt64, _ b: UInt64, _ result: inout [StateDifference], _ name: (Int) -> String
  ) {
    for bit in 0..<64 where (a ^ b) >> UInt64(bit) & 1 != 0 {
      result.append(StateDifference(name: name(bit), first: a >> UInt64(bit) & 1, second: b >> UInt64(bit) & 1))
    }
  }

  private static func appendFloat(
    _ n: Int, _ cfm: UInt64, _ first: UnsafePointer<UInt64>, _ second: UnsafePointer<UInt64>, _ index: Int,
    _ result: inout [StateDifference]
  ) {
    result.append(
      StateDifference(
        name: "f\(floatName(n, cfm))", first: first[index], second: second[index],
        significands: (first[index + 1], second[index + 1])))
  }

  // The numbers before renaming (SDM vol. 1, 4.5.1): the inverse of the rename.

  private static func stackedName(_ offset: Int, _ cfm: UInt64) -> Int {
    let sor = CFM.sor(cfm)
    guard offset < sor else { return 32 + offset }
    let before = offset - CFM.rrbGR(cfm)
    return 32 + (before < 0 ? before + sor : before)
  }
  private static func predicateName(_ n: Int, _ cfm: UInt64) -> Int { renamed(n, base: 16, CFM.rrbPR(cfm), 48) }
  private static func floatName(_ n: Int, _ cfm: UInt64) -> Int { renamed(n, base: 32, CFM.rrbFR(cfm), 96) }
  private static func renamed(_ n: Int, base: Int, _ rotation: Int, _ size: Int) -> Int {
    guard n >= base else { return n }
    let before = n - rotation
    return before < base ? before + size : before
  }
}
