// The paravirtualisation checker: which sensitive and privileged instructions of an image no call site covers. Bundles
// are aligned, so decoding each one of an executable section misses no instruction; what can be wrong is only to take
// data in it for code.
import IA64
import Machine

/// One instruction that is executed outside every call site.
public struct CheckFinding: Sendable, Equatable {
  /// Why it is sensitive.
  public var kind: Sensitivity
  /// Bundle address, the slot in the low two bits.
  public var address: UInt64
  /// Function and offset, or an address.
  public var symbol: String
  /// The instruction.
  public var opcode: Opcode
  /// As a disassembler writes it.
  public var text: String
}

/// Bytes of executable sections about which nothing is proved.
public struct UnprovenText: Sendable, Equatable {
  /// Guest addresses.
  public var range: Range<UInt64>
  /// Function and offset, or an address.
  public var symbol: String
  /// Why nothing is proved of it.
  public var reason: String
}

/// What `ParavirtImage.check` found.
public struct CheckReport: Sendable {
  /// Sensitive instructions that no call site covers, by address.
  public var findings: [CheckFinding] = []
  /// Ranges that are no code, or data by the symbol table, or no whole bundle.
  public var unproven: [UnprovenText] = []
  /// Bundles looked at.
  public var bundles = 0
  /// Bundles of call sites and native code among them.
  public var covered = 0

  /// Findings of a kind.
  public func count(_ kind: Sensitivity) -> Int { findings.count { $0.kind == kind } }

  /// Whether anything would run unseen or trap; what is only conditional or unproven counts where `strict`.
  public func isClean(strict: Bool) -> Bool {
    strict ? findings.isEmpty && unproven.isEmpty : findings.allSatisfy { $0.kind == .conditional }
  }
}

extension ParavirtImage {
  /// Names of code that is native by intent: bodies and functions of the native backend.
  public static let nativeNames = ["ia64_native_*"]

  /// Those of the names that no section and no symbol of the image has.
  public func unknown(_ names: [String]) -> [String] {
    names.filter { name in
      let list = NameList([name])
      return !symbols.symbols.contains { list.contains($0.name) } && !image.sections.contains { list.contains($0.name) }
    }
  }

  /// Checks all executable code of the image.
  /// - Parameter native: sections and symbols whose code is native by intent and not reported; a name that ends in `*`
  ///   stands for all that begin so.
  public func check(native: [String] = ParavirtImage.nativeNames) -> CheckReport {
    var checker = Checker(self, native: NameList(native))
    for section in executableRanges() { checker.check(section) }
    return checker.report
  }

  /// Executable sections; segments where the image has no section table.
  func executableRanges() -> [(name: String, range: Range<UInt64>)] {
    let sections = image.sections.filter { $0.isExecutable && $0.isAllocated && $0.hasBytes && $0.size > 0 }
    let ranges =
      sections.isEmpty
      ? image.segments.filter { $0.type == ELFImage.segmentLoad && $0.isExecutable }
        .map { ("", $0.virtualAddress, $0.fileSize) }
      : sections.map { ($0.name, $0.address, $0.size) }
    return ranges.compactMap { name, start, size in checkedEnd(start, size).map { (name, start..<$0) } }
  }
}

/// Names, some of them the beginnings of names.
struct NameList {
  private let whole: Set<String>
  private let beginnings: [String]

  init(_ names: [String]) {
    whole = Set(names.filter { !$0.hasSuffix("*") })
    beginnings = names.filter { $0.hasSuffix("*") }.map { String($0.dropLast()) }
  }

  func contains(_ name: String) -> Bool { whole.contains(name) || beginnings.contains { name.hasPrefix($0) } }
}

private struct Checker {
  private let guest: ParavirtImage
  private let native: NameList
  /// Sorted by start.
  private let covered: [Range<UInt64>]
  private let data: [Range<UInt64>]
  private(set) var report = CheckReport()

  init(_ guest: ParavirtImage, native: NameList) {
    self.guest = guest
    self.native = native
    covered = Checker.coveredRanges(guest, native)
    data = guest.symbols.symbols.compactMap { symbol in
      guard symbol.type == 1, symbol.size > 0, let end = checkedEnd(symbol.value, symbol.size) else { return nil }
      return symbol.value..<end
    }
  }

  /// Call sites that hold a form of their call, and functions of native code, sorted by start. A record whose site
  /// holds other code covers nothing.
  private static func coveredRanges(_ guest: ParavirtImage, _ native: NameList) -> [Range<UInt64>] {
    var ranges = guest.sites.compactMap { site -> Range<UInt64>? in
      guard site.contents != .other, let end = checkedEnd(site.record.address, site.record.length) else { return nil }
      return site.record.address..<end
    }
    let all = guest.symbols.symbols
    for (index, symbol) in all.enumerated() where native.contains(symbol.name) {
      // A label ends where the next symbol with another address begins.
      var end = symbol.value
      if let size = checkedEnd(symbol.value, symbol.size), symbol.size > 0 {
        end = size
      } else if let next = all[index...].first(where: { $0.value > symbol.value }) {
        end = next.value
      }
      if end > symbol.value { ranges.append(symbol.value..<end) }
    }
    return ranges.sorted { $0.lowerBound < $1.lowerBound }
  }

  mutating func check(_ section: (name: String, range: Range<UInt64>)) {
    let size = section.range.upperBound - section.range.lowerBound
    guard let offset = guest.image.fileOffset(ofVirtual: section.range.lowerBound, count: size) else {
      unproven(section.range, "not in the file's loadable segments")
      return
    }
    let first = min((section.range.lowerBound &+ 15) & ~15, section.range.upperBound)
    let last = max(section.range.upperBound & ~15, first)
    if first > section.range.lowerBound { unproven(section.range.lowerBound..<first, "no whole bundle") }
    if native.contains(section.name) {
      report.bundles += Int(last - first) / 16
      report.covered += Int(last - first) / 16
    } else {
      guest.image.bytes.withUnsafeBytes { bytes in
        check(first..<last, UnsafeRawPointer(bytes.baseAddress! + offset + Int(first - section.range.lowerBound)))
      }
    }
    if last < section.range.upperBound { unproven(last..<section.range.upperBound, "no whole bundle") }
  }

  private mutating func check(_ range: Range<UInt64>, _ bytes: UnsafeRawPointer) {
    var coverage = Sweep(covered)
    var objects = Sweep(data)
    for address in stride(from: range.lowerBound, to: range.upperBound, by: 16) {
      report.bundles += 1
      if coverage.contains(address) {
        report.covered += 1
      } else if objects.contains(address) {
        unproven(address..<address + 16, "data, says its symbol")
      } else {
        check(InstructionBundle(loadingFrom: bytes + Int(address - range.lowerBound)), at: address)
      }
    }
  }

  private mutating func check(_ bundle: InstructionBundle, at address: UInt64) {
    let decoded = Decoder.decode(bundle)
    guard decoded.template.isValid else { return unproven(address..<address + 16, "a reserved template") }
    for slot in 0..<decoded.count where decoded[slot].opcode == .illegal {
      return unproven(address..<address + 16, "no instruction in slot \(slot)")
    }
    for slot in 0..<decoded.count {
      guard let kind = decoded[slot].sensitivity else { continue }
      report.findings.append(
        CheckFinding(
          kind: kind, address: address | UInt64(slot), symbol: guest.symbols.describe(address),
          opcode: decoded[slot].opcode, text: Checker.text(decoded[slot], at: address)))
    }
  }

  /// Without the column of an absent predicate.
  private static func text(_ instruction: Instruction, at address: UInt64) -> String {
    String(Disassembler.text(instruction, at: address).drop { $0 == " " })
  }

  /// Adds a range, joined to the last one where it goes on for the same reason under the same symbol.
  private mutating func unproven(_ range: Range<UInt64>, _ reason: String) {
    if let last = report.unproven.last, last.range.upperBound == range.lowerBound, last.reason == reason,
      guest.symbols.nearest(to: last.range.lowerBound)?.symbol == guest.symbols.nearest(to: range.lowerBound)?.symbol
    {
      report.unproven[report.unproven.count - 1].range = last.range.lowerBound..<range.upperBound
    } else {
      report.unproven.append(
        UnprovenText(range: range, symbol: guest.symbols.describe(range.lowerBound), reason: reason))
    }
  }
}

/// Whether ever higher addresses lie in one of many ranges, which are sorted by start and may overlap.
private struct Sweep {
  private let ranges: [Range<UInt64>]
  private var next = 0
  private var upTo: UInt64 = 0

  init(_ ranges: [Range<UInt64>]) { self.ranges = ranges }

  mutating func contains(_ address: UInt64) -> Bool {
    while next < ranges.count, ranges[next].lowerBound <= address {
      upTo = max(upTo, ranges[next].upperBound)
      next += 1
    }
    return address < upTo
  }
}
