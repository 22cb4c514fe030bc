// The paravirtualisation checker: which sensitive and privileged instructions of an image no call site covers. Sensitive
// are those that do not trap at a lower privilege level although their result depends on it (Linux's pvchk_inst.h:
// fc, thash, ttag, cover, mov from cpuid and pmd); privileged ones trap, so they cost but stay correct.
import IA64
import Machine

/// One instruction that is executed outside every call site.
public struct CheckFinding: Sendable, Equatable {
  public enum Kind: String, Sendable {
    case sensitive, privileged
  }

  public var kind: Kind
  /// Bundle address, the slot in the low two bits.
  public var address: UInt64
  public var symbol: String
  public var opcode: Opcode
  /// As a disassembler writes it.
  public var text: String
}

public struct CheckReport: Sendable {
  public var findings: [CheckFinding] = []
  /// Bundles of executable sections that are no code, or code with an illegal slot: nothing is proved about them.
  public var unproven: [UInt64] = []
  /// Bundles looked at, and those of call sites and replacement bodies among them.
  public var bundles = 0
  public var covered = 0
}

extension ParavirtImage {
  /// Checks all executable code of the image.
  public func check() -> CheckReport {
    var report = CheckReport()
    let covered = coveredRanges()
    for range in executableRanges() { check(range, covered, &report) }
    return report
  }

  /// Executable sections; segments where the image has no section table.
  private func executableRanges() -> [Range<UInt64>] {
    let sections = image.sections.filter { $0.isExecutable && $0.isAllocated && $0.hasBytes && $0.size > 0 }
    let ranges =
      sections.isEmpty
      ? image.segments.filter { $0.type == ELFImage.segmentLoad && $0.isExecutable }
        .map { ($0.virtualAddress, $0.fileSize) }
      : sections.map { ($0.address, $0.size) }
    return ranges.compactMap { start, size in
      guard let end = checkedEnd(start, size), start <= UInt64.max - 15 else { return nil }
      let first = (start + 15) & ~15
      return first < end & ~15 ? first..<end & ~15 : nil
    }
  }

  /// Call sites, and the functions that hold the native backend's own code, sorted by start.
  private func coveredRanges() -> [Range<UInt64>] {
    var ranges = records.records.compactMap { record -> Range<UInt64>? in
      guard let end = checkedEnd(record.address, record.length) else { return nil }
      return record.address..<end
    }
    let all = symbols.symbols
    for (index, symbol) in all.enumerated() where isNativeCode(symbol.name) {
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

  private func isNativeCode(_ name: String) -> Bool {
    guard name.hasPrefix("ia64_native_") else { return false }
    if name.hasSuffix("_direct_start") { return true }
    guard name.hasSuffix("_func") else { return false }
    return Operation(name: String(name.dropFirst(12).dropLast(5))) != nil
  }

  private func check(_ range: Range<UInt64>, _ covered: [Range<UInt64>], _ report: inout CheckReport) {
    guard let offset = image.fileOffset(ofVirtual: range.lowerBound, count: range.upperBound - range.lowerBound) else {
      return
    }
    var next = 0
    var coveredUpTo: UInt64 = 0
    image.bytes.withUnsafeBytes { bytes in
      for address in stride(from: range.lowerBound, to: range.upperBound, by: 16) {
        report.bundles += 1
        while next < covered.count, covered[next].lowerBound <= address {
          coveredUpTo = max(coveredUpTo, covered[next].upperBound)
          next += 1
        }
        if address < coveredUpTo {
          report.covered += 1
          continue
        }
        let at = bytes.baseAddress! + offset + Int(address - range.lowerBound)
        check(InstructionBundle(loadingFrom: at), at: address, &report)
      }
    }
  }

  private func check(_ bundle: InstructionBundle, at address: UInt64, _ report: inout CheckReport) {
    let decoded = Decoder.decode(bundle)
    var isCode = true
    for slot in 0..<(decoded.template.isLong ? 2 : 3) {
      let instruction = decoded[slot]
      if instruction.opcode == .illegal { isCode = false }
      guard let kind = ParavirtImage.kind(instruction) else { continue }
      let place = address | UInt64(slot)
      report.findings.append(
        CheckFinding(
          kind: kind, address: place, symbol: symbols.describe(address), opcode: instruction.opcode,
          text: Disassembler.text(instruction, at: address)))
    }
    if !isCode { report.unproven.append(address) }
  }

  private static func kind(_ instruction: Instruction) -> CheckFinding.Kind? {
    switch instruction.opcode {
    case .fc, .thash, .ttag, .cover, .mov_from_cpuid, .mov_from_pmd: return .sensitive
    default: return instruction.flags.contains(.privileged) ? .privileged : nil
    }
  }
}
