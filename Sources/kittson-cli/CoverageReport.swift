// The coverage of the instruction table as a Markdown document.
import IA64
import Verification

struct CoverageReport {
  private let coverage: InstructionCoverage

  init(_ coverage: InstructionCoverage) { self.coverage = coverage }

  var text: String {
    var text = """
      # Coverage of the instruction table

      Made by `make coverage` (`kittson vectors --coverage Tests/Vectors/*.json`): a line for each row of the table in
      `Sources/IA64`, that is, for each encoding. *codec*: random instructions of the row come back from encoder and decoder as
      they were, and have a text (the tests compare it with objdump's). *vectors*: state vectors that issue it, all of them with
      the result they name on both engines. *translator*: `native` host code of its own, `call` the interpreter's function for one
      instruction; where both stand, it depends on the operands. *differential*: executions in random programs on which both
      engines agree. Rows marked † are known to assemblers only; executing them is an Illegal Operation.


      """
    text += summary + "\n\n| row | format | codec | vectors | translator | differential |\n|---|---|---|---:|---|---:|\n"
    for row in instructionTable { text += line(row) }
    return text
  }

  private var summary: String {
    let rows = instructionTable
    func count(_ condition: (RowCoverage) -> Bool) -> Int { rows.count { condition(coverage.rows[$0.opcode.index]) } }
    return "\(rows.count) rows: \(count { $0.decodes && $0.prints }) through codec and printer, \(count { $0.vectors > 0 }) with vectors "
      + "(\(count { $0.vectors >= 20 }) with 20 or more), \(count(\.isNative)) native in the translator, "
      + "\(count { $0.differential > 0 }) in random programs; \(coverage.disagreements) disagreements."
  }

  private func line(_ row: InstructionRow) -> String {
    let known = coverage.rows[row.opcode.index]
    let codec = known.decodes && known.prints ? "yes" : "no"
    let vectors = known.vectors == known.equalVectors ? "\(known.vectors)" : "\(known.equalVectors) of \(known.vectors)"
    let translator = [known.isNative ? "native" : nil, known.isHandedOver ? "call" : nil].compactMap { $0 }.joined(separator: ", ")
    let mark = row.flags.contains(.modelSpecific) ? " †" : ""
    return "| `\(name(row))`\(mark) | \(row.format) | \(codec) | \(vectors) | \(translator) | \(known.differential) |\n"
  }

  private func name(_ row: InstructionRow) -> String { row.syntax.description.replacing("|", with: "\\|") }
}
