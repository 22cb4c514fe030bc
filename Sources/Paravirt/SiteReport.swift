// Reports of the guest patcher: what an image's call sites are and what became of them, as plain values that the
// command line prints.
import Machine

/// One line of a listing.
public struct SiteReport: Sendable, Equatable {
  public var kind: RecordKind
  public var index: Int
  public var start: UInt64
  public var end: UInt64
  public var type: PatchType
  public var operation: Operation?
  /// Name of the section that holds the site; empty where the image has no section there.
  public var section: String
  /// "function+0x40"
  public var symbol: String
  public var contents: CallSite.Contents
  /// Why the host cannot bind the site; nil where it can.
  public var unboundReason: String?
  /// What the patcher did; nil where it did not run.
  public var outcome: PatchOutcome?
}

/// Counts of one image's sites, and every site.
public struct PatchReport: Sendable {
  public var sites: [SiteReport]
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
    diagnostics = guest.records.diagnostics
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
    case .replaced, .retargeted, .unchanged: return nil
    }
    return PatchDiagnostic(
      severity: severity, kind: record.kind, index: record.index, message: "\(record.description): \(reason)")
  }

  /// Bundle and instruction sites by the name of their type, most frequent first.
  public var byType: [(name: String, count: Int)] {
    PatchReport.counts(sites.filter { $0.kind != .branch }.map(\.type.name))
  }

  public var bySection: [(name: String, count: Int)] {
    PatchReport.counts(sites.filter { $0.kind != .branch }.map(\.section))
  }

  public func count(_ kind: RecordKind) -> Int { sites.count { $0.kind == kind } }
  public var boundCount: Int { sites.count { $0.kind == .bundle && $0.unboundReason == nil } }
  /// Whether some record was refused.
  public var hasErrors: Bool { diagnostics.contains { $0.severity == .error } }

  private static func counts(_ names: [String]) -> [(name: String, count: Int)] {
    var counts: [String: Int] = [:]
    for name in names { counts[name, default: 0] += 1 }
    return counts.map { ($0.key, $0.value) }.sorted { $0.1 != $1.1 ? $0.1 > $1.1 : $0.0 < $1.0 }
  }
}

/// Patches an image to the `native` backend: its new bytes and what became of every site.
/// - Throws: `ELFError` where the image's tables do not lie in the file.
public func patchToNative(_ image: ELFImage) throws(ELFError) -> (bytes: [UInt8], report: PatchReport) {
  let guest = try ParavirtImage(image)
  var text = ImageText(image)
  let outcomes = GuestPatcher(guest).patch(guest.records.records, in: &text)
  return (text.bytes, PatchReport(guest, outcomes: outcomes))
}

/// Lists an image's call sites.
/// - Throws: `ELFError` where the image's tables do not lie in the file.
public func listCallSites(_ image: ELFImage) throws(ELFError) -> PatchReport {
  PatchReport(try ParavirtImage(image))
}
