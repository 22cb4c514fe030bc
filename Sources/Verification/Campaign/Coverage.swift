// What a campaign has executed: for each row of the instruction table how often with the predicate on and off, with NaT
// in a source, how often it ended in each fault that the manual lists for it, and in each interruption.
import CSupport
import IA64
import Machine

/// The faults of a row as the matrix has them (`InstructionRow.faults`).
struct FaultColumn {
  /// What stands at the column's head.
  let name: String
  let kind: FaultKinds

  /// Virtualization is left out: no processor here has PSR.vm.
  static let all: [FaultColumn] = [
    FaultColumn(name: "illegal", kind: .illegalOperation),
    FaultColumn(name: "privileged op", kind: .privilegedOperation),
    FaultColumn(name: "privileged reg", kind: .privilegedRegister),
    FaultColumn(name: "reserved", kind: .reservedRegisterField),
    FaultColumn(name: "NaT use", kind: .registerNaTConsumption),
    FaultColumn(name: "data", kind: .dataReference),
    FaultColumn(name: "disabled FP", kind: .disabledFloatingPoint),
    FaultColumn(name: "FP", kind: .floatingPoint),
    FaultColumn(name: "break", kind: .breakInstruction),
    FaultColumn(name: "transition", kind: .disabledTransition),
    FaultColumn(name: "RSE", kind: .registerStack),
  ]

  /// The kind of an interruption, by its vector and cr.isr (SDM vol. 2, table 5-1 and chapter 8).
  static func kind(_ vector: Vector, isr: UInt64) -> FaultKinds? {
    // A nested miss leaves cr.isr as it was.
    if vector == .dataNestedTLB { return .dataReference }
    if isr & ISR.rs != 0 { return .registerStack }
    if isr & ISR.x != 0 { return nil }
    switch vector {
    case .generalException: return generalKinds[isr & 0xf0]
    case .naTConsumption: return isr & 0xf0 == 0x10 ? .registerNaTConsumption : .dataReference
    case .vhptTranslation, .dataTLB, .alternateDataTLB, .dataKeyMiss, .dirtyBit, .dataAccessBit,
      .pageNotPresent, .keyPermission, .dataAccessRights, .debug, .unalignedReference, .unsupportedDataReference:
      return .dataReference
    case .disabledFP: return .disabledFloatingPoint
    case .floatingPointFault, .floatingPointTrap: return .floatingPoint
    case .breakInstruction: return .breakInstruction
    default: return nil
    }
  }

  private static let generalKinds: [UInt64: FaultKinds] = [
    0x00: .illegalOperation, 0x10: .privilegedOperation, 0x20: .privilegedRegister, 0x30: .reservedRegisterField,
    0x40: .disabledTransition,
  ]
}

package struct Coverage: Sendable {
  static let vectors = Vector.allCases
  /// Columns of a row: predicate on, predicate off, NaT source, the faults by kind, and the interruptions by vector.
  static let onColumn = 0, offColumn = 1, natColumn = 2, faultColumn = 3
  static let vectorColumn = faultColumn + FaultColumn.all.count
  static let columns = vectorColumn + vectors.count
  /// Words behind the rows: all instruction groups, those of programs (without handlers), and of these the first times
  /// that a case came by.
  static let groupsWord = Opcode.rowCount * columns
  package static let programGroupsWord = groupsWord + 1
  static let newGroupsWord = groupsWord + 2
  package static let wordCount = groupsWord + 3
  static let byteCount = (wordCount * 8 + 4095) & ~4095

  private var words = [UInt64](repeating: 0, count: wordCount)

  package init() {}

  package mutating func add(_ counters: UnsafeMutablePointer<UInt64>) {
    for index in 0..<Self.wordCount { words[index] += counters[index] }
  }

  package mutating func add(_ other: Coverage) {
    for index in 0..<Self.wordCount { words[index] += other.words[index] }
  }

  /// Instruction groups executed, those of interruption handlers included.
  package var groups: UInt64 { words[Self.groupsWord] }
  /// Without handlers: the random ones.
  package var programGroups: UInt64 { words[Self.programGroupsWord] }
  /// Of these each counted once a case, however often a loop has it executed.
  package var newGroups: UInt64 { words[Self.newGroupsWord] }

  func count(_ row: Int, _ column: Int) -> UInt64 { words[row * Self.columns + column] }

  /// Rows that were executed with their predicate on.
  package var executedRows: Int { (0..<Opcode.rowCount).count { count($0, Self.onColumn) > 0 } }

  // MARK: Files

  private static let names: [String] =
    ["on", "off", "nat"] + FaultColumn.all.map(\.name) + vectors.map { hexadecimal(UInt64($0.rawValue), digits: 4) }

  /// Each row's counts by their columns' names, zeros left out.
  package var json: JSON {
    let rows: [JSON] = instructionTable.enumerated().map { row, entry in
      let counts: [(String, JSON)] = Self.names.enumerated().compactMap { column, name in
        count(row, column) == 0 ? nil : (name, .unsigned(count(row, column)))
      }
      return .object([("row", .string("\(entry.opcode)"))] + counts)
    }
    return .object([
      ("type", "coverage"), ("groups", .unsigned(groups)), ("programGroups", .unsigned(programGroups)),
      ("newGroups", .unsigned(newGroups)), ("rows", .array(rows)),
    ])
  }

  /// Reads what `json` gave. Rows that the table no longer has are left out.
  package init?(_ document: JSON) {
    guard document["type"] == "coverage", case .array(let rows)? = document["rows"] else { return nil }
    words[Self.groupsWord] = document["groups"]?.unsignedValue ?? 0
    words[Self.programGroupsWord] = document["programGroups"]?.unsignedValue ?? 0
    words[Self.newGroupsWord] = document["newGroups"]?.unsignedValue ?? 0
    let numbers = Dictionary(uniqueKeysWithValues: instructionTable.enumerated().map { ("\($1.opcode)", $0) })
    for row in rows {
      guard let name = row["row"]?.stringValue, let number = numbers[name] else { continue }
      for (column, name) in Self.names.enumerated() {
        words[number * Self.columns + column] = row[name]?.unsignedValue ?? 0
      }
    }
  }
}
