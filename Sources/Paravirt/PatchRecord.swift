// Patch-site records: struct paravirt_patch_site_bundle, _inst and _branch of Linux's asm/paravirt_patch.h, read from
// an image's sections (or between the linker's __start_ and __stop_ symbols) and checked one by one.
import Machine

/// Which of the three tables a record stands in.
public enum RecordKind: String, CaseIterable, Sendable {
  case bundle, instruction, branch

  /// The section that holds the table.
  package var section: String {
    switch self {
    case .bundle: return ".paravirt_bundles"
    case .instruction: return ".paravirt_insts"
    case .branch: return ".paravirt_branches"
    }
  }

  /// Suffix of the linker's symbols around the table.
  private var symbolSuffix: String { String(section.dropFirst()) }
  package var startSymbol: String { "__start_" + symbolSuffix }
  package var stopSymbol: String { "__stop_" + symbolSuffix }

  /// Bytes of one record.
  package var recordSize: UInt64 { self == .branch ? 16 : 24 }
}

/// One patch-site record. For bundles [start, end) are addresses of bundles; for instructions start and end are tags
/// (bundle address | slot), end that of the first slot behind the site; a branch has the tag of its one instruction in `start` and end = start.
public struct PatchRecord: Hashable, Sendable {
  /// The table that holds it.
  public var kind: RecordKind
  /// Position in its table, from 0.
  public var index: Int
  /// First address: of bundles, or a tag with the slot in its low bits.
  public var start: UInt64
  /// The first address behind it; of an instruction record the tag behind its last slot.
  public var end: UInt64
  /// What is to be patched.
  public var type: PatchType

  package init(kind: RecordKind, index: Int, start: UInt64, end: UInt64, type: PatchType) {
    self.kind = kind
    self.index = index
    self.start = start
    self.end = end
    self.type = type
  }

  /// Address of the first bundle.
  public var address: UInt64 { start & ~15 }
  /// Bytes of guest code from the first bundle of the site to behind its last.
  public var length: UInt64 {
    switch kind {
    case .bundle: return end - start
    case .instruction: return (end & ~15) &- (start & ~15) &+ (end & 15 == 0 ? 0 : 16)
    case .branch: return 16
    }
  }

  /// "bundle record 12 (THASH at 0xa000000100045670)"
  public var description: String { "\(kind.rawValue) record \(index) (\(type) at \(hexadecimal(start)))" }
}

/// Something that a reader or patcher has to say about one record.
public struct PatchDiagnostic: Hashable, Sendable, CustomStringConvertible {
  /// Whether a record was refused or only left alone.
  public enum Severity: String, Sendable {
    /// The record is refused.
    case error
    /// The record is good, but its site stays an indirect call.
    case warning
  }

  /// How bad it is.
  public var severity: Severity
  /// The table.
  public var kind: RecordKind
  /// The record's number in its table, from 0.
  public var index: Int
  /// One line, which names the record.
  public var message: String

  /// The message.
  public var description: String { message }
}

/// The records of one image, good ones and what is wrong with the others.
public struct PatchRecords: Sendable {
  /// The records that can be used, in the tables' order.
  public private(set) var records: [PatchRecord] = []
  /// What is wrong with the others, a line each.
  public private(set) var diagnostics: [PatchDiagnostic] = []
  /// Records in the image, the refused ones included.
  public private(set) var total = 0

  /// Reads all three tables. An image without any gives none.
  /// - Throws: `ELFError` where a table's section does not lie in the file.
  package init(_ image: ELFImage, symbols: ELFSymbols) throws(ELFError) {
    for kind in RecordKind.allCases {
      let table = try PatchRecords.tableBytes(kind, image, symbols)
      let reader = ByteReader(Array(table))
      let count = UInt64(table.count) / kind.recordSize
      if UInt64(table.count) % kind.recordSize != 0 {
        refuse(kind, Int(count), "\(kind.rawValue) record \(count) is cut short: \(kind.section) has \(table.count) "
          + "bytes, a record \(kind.recordSize)")
      }
      records.reserveCapacity(records.count + Int(count))
      for index in 0..<count { read(kind, Int(index), reader, image) }
    }
  }

  private static func tableBytes(
    _ kind: RecordKind, _ image: ELFImage, _ symbols: ELFSymbols
  ) throws(ELFError) -> ArraySlice<UInt8> {
    let sections = image.sections(named: kind.section)
    if !sections.isEmpty {
      var all: ArraySlice<UInt8> = []
      for section in sections {
        let bytes = try image.contents(of: section)
        if all.isEmpty { all = bytes } else { all += bytes }
      }
      return all
    }
    guard let start = symbols.value(of: kind.startSymbol), let stop = symbols.value(of: kind.stopSymbol),
      stop > start, let offset = image.fileOffset(ofVirtual: start, count: stop - start)
    else { return [] }
    return image.bytes[offset..<offset + Int(stop - start)]
  }

  private mutating func read(_ kind: RecordKind, _ index: Int, _ reader: ByteReader, _ image: ELFImage) {
    total += 1
    let at = UInt64(index) * kind.recordSize
    guard let first = reader.u64(at), let second = reader.u64(at + 8) else { return }
    let third = kind == .branch ? second : reader.u64(at + 16) ?? 0
    let type = PatchType(rawValue: UInt32(truncatingIfNeeded: third))
    let record = PatchRecord(
      kind: kind, index: index, start: first, end: kind == .branch ? first : second, type: type)
    if let reason = PatchRecords.refusal(record, image) {
      refuse(kind, index, "\(record.description): \(reason)")
      return
    }
    let known = third >> 32 == 0 && (kind == .branch ? type.branchNumber != nil : type.operation != nil)
    guard known else {
      diagnostics.append(
        PatchDiagnostic(
          severity: .warning, kind: kind, index: index,
          message: "\(kind.rawValue) record \(index) at \(hexadecimal(first)): unknown patch type "
            + "\(hexadecimal(third)): the site stays as it is"))
      return
    }
    records.append(record)
  }

  private mutating func refuse(_ kind: RecordKind, _ index: Int, _ message: String) {
    diagnostics.append(PatchDiagnostic(severity: .error, kind: kind, index: index, message: message))
  }

  /// Why a record cannot be used, in words.
  private static func refusal(_ record: PatchRecord, _ image: ELFImage) -> String? {
    switch record.kind {
    case .bundle:
      if record.start & 15 != 0 || record.end & 15 != 0 {
        return "range ends at \(hexadecimal(record.end)): both ends must be multiples of 16 bytes"
      }
      if record.end <= record.start { return "range is empty: it ends at \(hexadecimal(record.end))" }
    case .instruction:
      if record.start & 15 > 2 || record.end & 15 > 2 { return "a tag's low four bits must be a slot, 0 to 2" }
      if record.end <= record.start { return "range is empty: it ends at \(hexadecimal(record.end))" }
    case .branch:
      if record.start & 15 > 2 { return "a tag's low four bits must be a slot, 0 to 2" }
    }
    if record.kind == .instruction, checkedEnd(record.end & ~15, 16) == nil {
      return "range ends beyond the address space"
    }
    guard let segment = image.segment(containing: record.address),
      image.fileOffset(ofVirtual: record.address, count: record.length) != nil
    else { return "range lies outside the image" }
    guard segment.isExecutable else { return "range lies in a segment that is not executable" }
    return nil
  }
}
