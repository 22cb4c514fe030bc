// Patch sites by kind, and what became of them.
import Machine
import Paravirt

/// Sites of one kind of record.
public struct SiteCount: Sendable, Equatable {
  /// "bundle", "instruction" or "branch".
  public var kind: String
  /// Records in the image.
  public var found: Int
  /// Bundle sites that the host has executed, or translated to do so; instruction and branch sites that the guest has
  /// rewritten by now.
  public var patched: Int
}

extension BootSession {
  /// Counts the image's records by kind, and how many of each are dispatched or rewritten at this moment.
  public func siteCounts() -> [SiteCount] {
    let dispatched = paravirt.statistics().count { $0.isBound && ($0.calls > 0 || $0.isTranslated) }
    var counts: [SiteCount] = []
    for kind in RecordKind.allCases {
      let records = guest.records.records.filter { $0.kind == kind }
      let patched = kind == .bundle && configuration.backend == .host ? dispatched : records.count { isRewritten($0) }
      counts.append(SiteCount(kind: kind.rawValue, found: records.count, patched: patched))
    }
    return counts
  }

  /// Whether guest memory at a record differs from the image.
  private func isRewritten(_ record: PatchRecord) -> Bool {
    let length = max(record.length, 16)
    guard let offset = guest.image.fileOffset(ofVirtual: record.address, count: length),
      let physical = guest.image.physicalAddress(ofVirtual: record.address),
      let memory = system.machine.host(physical: physical, length: length)
    else { return false }
    let present = UnsafeRawBufferPointer(start: memory, count: Int(length))
    return !guest.image.bytes[offset..<offset + Int(length)].elementsEqual(present)
  }
}
