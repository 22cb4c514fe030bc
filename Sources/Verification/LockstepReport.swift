// The report of a lockstep run: plain lines on standard output.
import Machine

extension LockstepCounts {
  package var summary: String { "\(blocks) blocks, \(slots) slots, \(stores) stores compared" }
}

extension Divergence {
  /// The difference in lines; `command` reproduces it.
  package func report(command: String) -> String {
    var lines: [String] = []
    let place = hexadecimal(start & ~15, digits: 16) + " slot \(start & 3)"
    let ordinal = processor == 0 ? "" : " on processor \(processor)"
    lines.append("difference after \(startSlots) slots\(ordinal), in block \(block), at \(place)")
    if let operation { lines.append("operation \(operation), at its call site") }
    if let remark { lines.append(remark) }
    lines += code.map { "  " + $0 }
    if let stops {
      lines.append("the interpreter: \(stops.interpreter)")
      lines.append("the translator:  \(stops.translator)")
    }
    if !fields.isEmpty { lines += fieldLines }
    if let store {
      lines.append("store \(store.index) of the block")
      lines.append("  interpreter  \(store.interpreter?.description ?? "none")")
      lines.append("  translator   \(store.translator?.description ?? "none")")
    }
    lines.append("reproduce: \(command)")
    return lines.joined(separator: "\n") + "\n"
  }

  private static let fieldLimit = 40

  private var fieldLines: [String] {
    let shown = fields.prefix(Self.fieldLimit)
    let name = max(8, shown.map(\.name.count).max() ?? 0)
    let value = max(18, shown.map { max($0.values.0.count, $0.values.1.count) }.max() ?? 0)
    func row(_ a: String, _ b: String, _ c: String) -> String {
      "  " + pad(a, name) + "  " + pad(b, value) + "  " + c
    }
    var lines = [row("field", "interpreter", "translator")]
    lines += shown.map { row($0.name, $0.values.0, $0.values.1) }
    if fields.count > shown.count { lines.append("  … and \(fields.count - shown.count) more") }
    return lines
  }

  private func pad(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }
}
