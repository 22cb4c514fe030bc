// What a campaign has executed: for each row of the instruction table how often with the predicate on and off, with NaT
// in a source, and how often it ended in each interruption.
import CSupport
import IA64
import Machine

package struct Coverage: Sendable {
  static let vectors = Vector.allCases
  /// Columns of a row: predicate on, predicate off, NaT source, and the interruptions.
  static let onColumn = 0, offColumn = 1, natColumn = 2, vectorColumn = 3
  static let columns = 3 + vectors.count
  /// One word more: instruction groups.
  package static let wordCount = Opcode.rowCount * columns + 1
  static let byteCount = (wordCount * 8 + 4095) & ~4095

  private var words = [UInt64](repeating: 0, count: wordCount)

  package init() {}

  package mutating func add(_ counters: UnsafeMutablePointer<UInt64>) {
    for index in 0..<Self.wordCount { words[index] += counters[index] }
  }

  package var groups: UInt64 { words[Self.wordCount - 1] }

  private func count(_ row: Int, _ column: Int) -> UInt64 { words[row * Self.columns + column] }

  /// Rows that were executed with their predicate on.
  package var executedRows: Int { (0..<Opcode.rowCount).count { count($0, Self.onColumn) > 0 } }

  /// A line a row.
  package var text: String {
    var lines = ["# row                        predicate on          off   NaT source  interruptions"]
    for (row, entry) in instructionTable.enumerated() {
      let faults = Self.vectors.enumerated().compactMap { index, vector in
        let times = count(row, Self.vectorColumn + index)
        return times == 0 ? nil : "\(hexadecimal(UInt64(vector.rawValue), digits: 4)):\(times)"
      }
      let numbers = (0..<3).map { column in
        let text = String(count(row, column))
        return String(repeating: " ", count: max(0, 13 - text.count)) + text
      }
      let name = "\(entry.opcode)"
      lines.append(
        name + String(repeating: " ", count: max(1, 26 - name.count)) + numbers.joined() + "  "
          + faults.joined(separator: " "))
    }
    lines.append("# \(executedRows) of \(Opcode.rowCount) rows, \(groups) instruction groups")
    return lines.joined(separator: "\n") + "\n"
  }

  package var json: JSON {
    let rows: [JSON] = instructionTable.enumerated().map { row, entry in
      let faults: [(String, JSON)] = Self.vectors.enumerated().compactMap { index, vector in
        let times = count(row, Self.vectorColumn + index)
        return times == 0 ? nil : (hexadecimal(UInt64(vector.rawValue), digits: 4), .unsigned(times))
      }
      return .object([
        ("row", .string("\(entry.opcode)")), ("on", .unsigned(count(row, Self.onColumn))),
        ("off", .unsigned(count(row, Self.offColumn))), ("nat", .unsigned(count(row, Self.natColumn))),
        ("interruptions", .object(faults)),
      ])
    }
    return .object([("groups", .unsigned(groups)), ("rows", .array(rows))])
  }
}

/// The interpreter, counting.
package final class CoverageEngine: SteppingEngine {
  var counters: UnsafeMutablePointer<UInt64>

  /// Which of r1…r4 a row reads as general registers: a bit each.
  private static let sources: [UInt8] = instructionTable.map { row in
    row.operands.reduce(0) { mask, operand in
      let isRead = operand.file == .general && operand.field > 0 && (!operand.isWritten || operand.isUpdated)
      return isRead ? mask | 1 << UInt8(operand.field - 1) : mask
    }
  }

  private static let columnOfVector: [Int] = {
    var columns = [Int](repeating: -1, count: 0x80)
    for (index, vector) in Coverage.vectors.enumerated() {
      columns[Int(vector.rawValue >> 8)] = Coverage.vectorColumn + index
    }
    return columns
  }()

  package init(_ machine: Machine, counters: UnsafeMutablePointer<UInt64>) {
    self.counters = counters
    super.init(machine)
  }

  override func execute(_ cpu: CPU) -> Status {
    guard let bundle = presentBundle(cpu) else { return super.execute(cpu) }
    let slot = min(Int(cpu.pointee.ri), bundle.count - 1)
    let instruction = bundle[slot]
    guard instruction.opcode != .illegal else { return super.execute(cpu) }
    let row = counters + instruction.opcode.index * Coverage.columns
    row[cpu.readPR(Int(instruction.qp)) ? Coverage.onColumn : Coverage.offColumn] += 1
    if cpu.pointee.nat_live != 0, hasNaT(cpu, instruction) { row[Coverage.natColumn] += 1 }
    let status = super.execute(cpu)
    if status == .interrupted {
      let column = Self.columnOfVector[Int(cpu.pointee.ip >> 8 & 0x7f)]
      if column >= 0 { row[column] += 1 }
    }
    if status == .branched || bundle.template.hasStop(after: bundle.template.isLong && slot == 1 ? 2 : slot) {
      counters[Coverage.wordCount - 1] += 1
    }
    return status
  }

  private func hasNaT(_ cpu: CPU, _ i: Instruction) -> Bool {
    let mask = Self.sources[i.opcode.index]
    func isNaT(_ bit: UInt8, _ n: UInt8) -> Bool { mask & bit != 0 && cpu.readNaT(Int(n)) }
    return isNaT(1, i.r1) || isNaT(2, i.r2) || isNaT(4, i.r3) || isNaT(8, i.r4)
  }
}
