// The guest patcher: rewrites IA-64 bundles as Linux's arch/ia64/kernel/paravirt_patch.c does at boot. A bundle site
// gets the backend's replacement and nops behind it, a branch site another target. It works on whatever gives it the
// guest's text: an image's bytes or live memory.
import IA64
import Machine

/// Guest text that can be rewritten.
package protocol GuestText {
  /// Gives the host's view of [address, address + count); nil where that is no text of this guest.
  mutating func withBytes<R>(at address: UInt64, count: UInt64, _ body: (UnsafeMutableRawBufferPointer) -> R) -> R?
  /// The bundles of a range were rewritten (what fc.i on each of them says).
  mutating func flush(at address: UInt64, count: UInt64)
  /// All was rewritten (sync.i and srlz.i).
  mutating func serialize()
}

/// The text of an image: addresses are virtual, the bytes those of the file.
package struct ImageText: GuestText {
  private let image: ELFImage
  package private(set) var bytes: [UInt8]

  package init(_ image: ELFImage) {
    self.image = image
    bytes = image.bytes
  }

  package mutating func withBytes<R>(
    at address: UInt64, count: UInt64, _ body: (UnsafeMutableRawBufferPointer) -> R
  ) -> R? {
    guard let offset = image.fileOffset(ofVirtual: address, count: count) else { return nil }
    return bytes.withUnsafeMutableBytes {
      body(UnsafeMutableRawBufferPointer(rebasing: $0[offset..<offset + Int(count)]))
    }
  }

  package mutating func flush(at address: UInt64, count: UInt64) {}
  package mutating func serialize() {}
}

/// Live guest memory behind a function that gives the host address of guest text.
package struct LiveText: GuestText {
  private let host: (UInt64, UInt64) -> UnsafeMutableRawPointer?
  private let flushed: (UInt64, UInt64) -> Void

  /// - Parameters:
  ///   - host: host address of [guest virtual address, + length), nil where that is not mapped in one piece.
  ///   - flushed: told of every range whose bundles changed; what was decoded or translated from them is stale.
  package init(
    host: @escaping (UInt64, UInt64) -> UnsafeMutableRawPointer?, flushed: @escaping (UInt64, UInt64) -> Void
  ) {
    self.host = host
    self.flushed = flushed
  }

  package mutating func withBytes<R>(
    at address: UInt64, count: UInt64, _ body: (UnsafeMutableRawBufferPointer) -> R
  ) -> R? {
    guard let pointer = host(address, count) else { return nil }
    return body(UnsafeMutableRawBufferPointer(start: pointer, count: Int(count)))
  }

  package mutating func flush(at address: UInt64, count: UInt64) { flushed(address, count) }
  package mutating func serialize() {}
}

/// What became of one site.
public enum PatchOutcome: Hashable, Sendable {
  /// Rewritten; so many bytes of replacement, the rest nops.
  case replaced(used: Int)
  /// The branch goes to this address now.
  case retargeted(UInt64)
  /// It held the replacement already.
  case unchanged
  /// It stays as it is, for this reason; not the image's fault.
  case kept(String)
  /// It cannot be patched, for this reason.
  case refused(String)
}

package struct GuestPatcher: Sendable {
  private let natives: NativeBodies
  private let recognizer: SiteRecognizer
  private let fill: [UInt8]
  private let branchTargets: [UInt64?]

  /// A patcher to the `native` backend with the bodies, the nop and the entry points of an image.
  package init(_ guest: ParavirtImage) {
    natives = guest.natives
    recognizer = SiteRecognizer(table: guest.table, natives: guest.natives)
    fill = NopBundle.fill(guest.image, symbols: guest.symbols)
    branchTargets = ["switch_to", "leave_syscall", "work_processed_syscall", "leave_kernel"].map {
      guest.symbols.value(of: "ia64_native_" + $0)
    }
  }

  /// Patches every record and tells what became of each, in order.
  package func patch<Text: GuestText>(_ records: [PatchRecord], in text: inout Text) -> [PatchOutcome] {
    var outcomes: [PatchOutcome] = []
    outcomes.reserveCapacity(records.count)
    for record in records { outcomes.append(patch(record, in: &text)) }
    text.serialize()
    return outcomes
  }

  private func patch<Text: GuestText>(_ record: PatchRecord, in text: inout Text) -> PatchOutcome {
    let outcome: PatchOutcome?
    switch record.kind {
    case .bundle:
      outcome = text.withBytes(at: record.start, count: record.length) { replace(record, $0) }
    case .branch:
      outcome = text.withBytes(at: record.address, count: 16) { retarget(record, $0) }
    case .instruction:
      outcome = .kept("the native instructions stand there already")
    }
    switch outcome {
    case .replaced, .retargeted: text.flush(at: record.address, count: record.length)
    case .unchanged, .kept, .refused: break
    case nil: return .refused("its range lies outside the guest's text")
    }
    return outcome!
  }

  private func replace(_ record: PatchRecord, _ bytes: UnsafeMutableRawBufferPointer) -> PatchOutcome {
    guard let body = natives[record.type]?.bytes else { return .kept("no replacement for \(record.type)") }
    guard body.count <= bytes.count else {
      return .kept("too short: the replacement takes \(body.count) bytes, the site has \(bytes.count)")
    }
    let site = recognizer.site(record, UnsafeRawBufferPointer(bytes))
    if site.contents == .native { return .unchanged }
    guard site.contents == .call, site.isBound else { return .refused(site.unboundReason ?? "it is no call site") }
    bytes.copyBytes(from: body)
    for offset in stride(from: body.count, to: bytes.count, by: 16) {
      UnsafeMutableRawBufferPointer(rebasing: bytes[offset..<offset + 16]).copyBytes(from: fill)
    }
    return .replaced(used: body.count)
  }

  private func retarget(_ record: PatchRecord, _ bytes: UnsafeMutableRawBufferPointer) -> PatchOutcome {
    guard let number = record.type.branchNumber, let target = branchTargets[number] else {
      return .kept("the image has no native entry point for \(record.type)")
    }
    let old = InstructionBundle(loadingFrom: UnsafeRawPointer(bytes.baseAddress!))
    switch BranchPatch.retarget(old, slot: Int(record.start & 15), at: record.address, to: target) {
    case .failure(let problem): return .refused(problem.description)
    case .success(let new):
      if new == old { return .unchanged }
      bytes.copyBytes(from: new.bytes)
      return .retargeted(target)
    }
  }
}
