// The coverage matrix as text: a line for each row of the instruction table with what was counted beside what must be.
import IA64
import Machine

extension Coverage {
  /// Cells in which a row has fewer than `least` counts: the row and the column's name. What cannot be is no cell: a
  /// predicate that the row has not, NaT without a source, a fault that the manual does not list for it.
  package func shortfalls(least: UInt64) -> [(row: String, column: String, count: UInt64)] {
    instructionTable.enumerated().flatMap { number, row in
      cells(number, row).compactMap { cell in
        guard let count = cell.count, count < least else { return nil }
        return ("\(row.opcode)", cell.name, count)
      }
    }
  }

  private typealias Cell = (name: String, count: UInt64?)

  /// The cells of a row; nil where there can be no count.
  private func cells(_ number: Int, _ row: InstructionRow) -> [Cell] {
    let sources = RowSources.of(row: number), listed = row.faults
    var cells: [Cell] = [("on", count(number, Self.onColumn))]
    cells.append(("off", row.flags.contains(.noPredicate) ? nil : count(number, Self.offColumn)))
    let canHoldNaT = sources.general | sources.floating != 0 && !row.flags.contains(.modelSpecific)
    cells.append(("NaT", canHoldNaT ? count(number, Self.natColumn) : nil))
    for (index, column) in FaultColumn.all.enumerated() {
      cells.append((column.name, isListed(column.kind, row, listed) ? count(number, Self.faultColumn + index) : nil))
    }
    return cells
  }

  /// What only assemblers know, and what switches PSR.vm, is an Illegal Operation before anything else.
  private func isListed(_ kind: FaultKinds, _ row: InstructionRow, _ listed: FaultKinds) -> Bool {
    let isUnknown = row.flags.contains(.modelSpecific) || [.vmsw_0, .vmsw_1].contains(row.opcode)
    return isUnknown ? kind == .illegalOperation : listed.contains(kind)
  }

  /// The matrix as a Markdown document; `source` says what it was counted in.
  package func matrix(least: UInt64, source: String) -> String {
    let short = shortfalls(least: least)
    let heads = ["row", "on", "off", "NaT"] + FaultColumn.all.map(\.name)
    var text = "# Coverage of a campaign\n\n\(source)\n\n" + Self.explanation + "\n"
    text += "\(programGroups) instruction groups of random programs (\(newGroups) of them different ones of a case; with "
    text += "interruption handlers \(groups)); \(executedRows) of \(Opcode.rowCount) rows; "
    text += short.isEmpty ? "every cell has \(least) or more.\n" : "\(short.count) cells have fewer than \(least).\n"
    if !short.isEmpty {
      text += "\n" + short.map { "- `\($0.row)` \($0.column): \($0.count)\n" }.joined()
    }
    text += "\n| " + heads.joined(separator: " | ") + " |\n|---|" + String(repeating: "---:|", count: heads.count - 1) + "\n"
    for (number, row) in instructionTable.enumerated() {
      let numbers = cells(number, row).map { $0.count.map(String.init) ?? "" }
      text += "| `\(row.syntax.description.replacing("|", with: "\\|"))` | " + numbers.joined(separator: " | ") + " |\n"
    }
    return text
  }

  private static let explanation = """
    Printed by `kittson fuzz --matrix FILES` from the files of `--coverage`. Each number counts executions on which both
    engines agreed: with the predicate on (*on*) and off, with NaT or NaTVal in a source, and ended in a fault. An empty
    cell cannot be: the row has no predicate, no source that holds a NaT, or the manual lists no such fault for it. *data*:
    whatever a data reference raises (translation, rights, keys, NaT page, alignment, debug, unsupported reference); *RSE*:
    references of the register stack engine. Virtualization faults need PSR.vm, which no processor of Kittson has.

    """
}
