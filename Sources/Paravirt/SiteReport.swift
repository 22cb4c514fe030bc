// Reports of the guest patcher: what an image's call sites are and what became of them, as plain values that the
// command line prints.
import IA64
import Machine

/// One line of a listing.
public struct SiteReport: Sendable, Equatable {
  /// The table of its record.
  public var kind: RecordKind
  /// The record's number in its table, from 0.
  public var index: Int
  /// First guest address.
  public var start: UInt64
  /// The first address behind it.
  public var end: UInt64
  /// What the record asks for.
  public var type: PatchType
  /// The operation, where the type is of one.
  public var operation: Operation?
  /// Name of the section that holds the site; empty where the image has no section there.
  public var section: String
  /// "function+0x40"
  public var symbol: String
  /// What stands at it before the patch.
  public var contents: CallSite.Contents
  /// Why the host cannot bind the site; nil where it can.
  public var unboundReason: String?
  /// What the patcher did; nil where it did not run.
  public var outcome: PatchOutcome?
  /// The site's bundles as a disassembler writes them, and what the patcher makes of them; empty where nobody asked.
  public var before: [String] = []
  /// Its bundles after the patch, disassembled.
  public var after: [String] = []
}

/// Counts of one image's sites, and every site.
public struct PatchReport: Sendable {
  /// Every record that could be read, in order.
  public var sites: [SiteReport]
  /// What is wrong with the others.
  public var diagnostics: [PatchDiagnostic]
  /// Records in the image, the refused and the unknown ones included.
  public var records: Int
  /// Address of pv_cpu_ops, where the image has one.
  public var table: UInt64?

  /// A listing of an image's sites, with what a patcher did to each where it ran.
  package init(_ guest: ParavirtImage, outcomes: [PatchOutcome]? = nil) {
    let sections = guest.image.sections.filter { $0.isAllocated && $0.size > 0 }.sorted { $0.address < $1.address }
    sites = guest.sites.enumerated().map { number, site in
      let record = site.record
      return SiteReport(
        kind: record.kind, index: record.index, start: record.start, end: record.end, type: record.type,
        operation: site.operation, section: PatchReport.name(of: record.start, sections),
        symbol: guest.symbols.describe(record.start), contents: site.contents, unboundReason: site.unboundReason,
        outcome: outcomes?[number])
    }
    // A patcher's outcomes say it themselves of the sites they are about.
    diagnostics = outcomes == nil ? guest.diagnostics : guest.records.diagnostics
    records = guest.records.total
    table = guest.table
    for (site, outcome) in zip(guest.sites, outcomes ?? []) {
      if let diagnostic = PatchReport.diagnostic(site.record, outcome) { diagnostics.append(diagnostic) }
    }
  }

  private static func name(of address: UInt64, _ sections: [ELFImage.Section]) -> String {
    var low = 0
    var high = sections.count
    while low < high {
      let middle = (low + high) / 2
      if sections[middle].address <= address { low = middle + 1 } else { high = middle }
    }
    guard low > 0, address - sections[low - 1].address < sections[low - 1].size else { return "" }
    return sections[low - 1].name
  }

  private static func diagnostic(_ record: PatchRecord, _ outcome: PatchOutcome) -> PatchDiagnostic? {
    let severity: PatchDiagnostic.Severity
    let reason: String
    switch outcome {
    case .refused(let text): (severity, reason) = (.error, text)
    case .kept(let text): (severity, reason) = (.warning, text + ": the site stays as it is")
    case .replaced, .direct, .restored, .retargeted, .unchanged: return nil
    }
    return PatchDiagnostic(
      severity: severity, kind: record.kind, index: record.index, message: "\(record.description): \(reason)")
  }

  /// Bundle and instruction sites by the name of their type, most frequent first.
  public var byType: [(name: String, count: Int)] {
    PatchReport.counts(sites.filter { $0.kind != .branch }.map(\.type.name))
  }

  /// Bundle sites by section, in the order of their names.
  public var bySection: [(name: String, count: Int)] {
    PatchReport.counts(sites.filter { $0.kind != .branch }.map(\.section))
  }

  /// Sites of a kind.
  public func count(_ kind: RecordKind) -> Int { sites.count { $0.kind == kind } }
  /// Bundle sites that the host may dispatch.
  public var boundCount: Int { sites.count { $0.kind == .bundle && $0.unboundReason == nil } }
  /// Whether some record was refused.
  public var hasErrors: Bool { diagnostics.contains { $0.severity == .error } }

  private static func counts(_ names: [String]) -> [(name: String, count: Int)] {
    var counts: [String: Int] = [:]
    for name in names { counts[name, default: 0] += 1 }
    return counts.map { ($0.key, $0.value) }.sorted { $0.1 != $1.1 ? $0.1 > $1.1 : $0.0 < $1.0 }
  }
}

extension PatchReport {
  /// Adds the disassembly of every site in the image and in `patched`, the same image's bytes with its sites patched.
  package mutating func disassemble(_ image: ELFImage, _ symbols: ELFSymbols, patched: [UInt8]) {
    for index in sites.indices {
      let site = sites[index]
      let record = PatchRecord(kind: site.kind, index: site.index, start: site.start, end: site.end, type: site.type)
      guard let offset = image.fileOffset(ofVirtual: record.address, count: record.length) else { continue }
      let range = offset..<offset + Int(record.length)
      sites[index].before = PatchReport.lines(image.bytes[range], at: record.address, symbols)
      sites[index].after = PatchReport.lines(patched[range], at: record.address, symbols)
    }
  }

  private static func lines(_ bytes: ArraySlice<UInt8>, at address: UInt64, _ symbols: ELFSymbols) -> [String] {
    bytes.withUnsafeBytes { bytes in
      stride(from: 0, to: bytes.count - 15, by: 16).flatMap { offset in
        Disassembler.lines(
          InstructionBundle(loadingFrom: bytes.baseAddress! + offset), at: address &+ UInt64(offset),
          symbolizer: { hexadecimal($0) + " <" + symbols.describe($0) + ">" })
      }
    }
  }
}

/// Patches the sites of an image or a relocatable module: its new bytes and what became of every site.
/// - Throws: `ELFError` where the image's tables do not lie in the file.
public func patchCallSites(
  _ image: ELFImage, _ goal: PatchGoal = .replacement(.native), disassembly: Bool = false
) throws(ELFError) -> (bytes: [UInt8], report: PatchReport) {
  let guest = try ParavirtImage(image)
  var text = ImageText(guest.image)
  let records = guest.records.records
  let outcomes = GuestPatcher(guest, goal).patch(records, in: &text)
  var report = PatchReport(guest, outcomes: outcomes)
  if disassembly { report.disassemble(guest.image, guest.symbols, patched: text.bytes) }
  return (guest.module?.file(withPatched: text.bytes, records, outcomes) ?? text.bytes, report)
}

/// Patches an image to the `native` backend.
/// - Throws: `ELFError` where the image's tables do not lie in the file.
public func patchToNative(_ image: ELFImage) throws(ELFError) -> (bytes: [UInt8], report: PatchReport) {
  try patchCallSites(image)
}

/// Lists an image's call sites, with their disassembly and that of what `goal` would make of them where asked for.
/// - Throws: `ELFError` where the image's tables do not lie in the file.
public func listCallSites(_ image: ELFImage, disassembly goal: PatchGoal? = nil) throws(ELFError) -> PatchReport {
  let guest = try ParavirtImage(image)
  var report = PatchReport(guest)
  if let goal {
    var text = ImageText(guest.image)
    _ = GuestPatcher(guest, goal).patch(guest.records.records, in: &text)
    report.disassemble(guest.image, guest.symbols, patched: text.bytes)
  }
  return report
}
