// Call sites of an image: each patch-site record, the bytes it announces, and whether the host may bind it.
import Machine

/// One call site of the guest.
public struct CallSite: Hashable, Sendable {
  /// What stands at a site.
  public enum Contents: String, Sendable {
    /// The five-bundle call of the operation that the record names.
    case call
    /// The guest's own native body and nops: the site has been patched, and means the same.
    case native
    /// A direct call, which the guest patcher makes where no replacement fits.
    case direct
    /// Anything else: plain guest code.
    case other
  }

  /// The record that announces it.
  public var record: PatchRecord
  /// What stands at it.
  public var contents: Contents
  /// Why the host cannot bind the site; nil where it can.
  public var unboundReason: String?

  /// The operation; nil for branches.
  public var operation: Operation? { record.type.operation }
  /// Whether the host may dispatch it.
  public var isBound: Bool { unboundReason == nil }
}

/// An image with everything about its call sites looked up once.
public struct ParavirtImage: Sendable {
  /// The image; of a relocatable module, its view in memory.
  package let image: ELFImage
  package let module: RelocatableModule?
  package let symbols: ELFSymbols
  /// All of the image's records, and what is wrong with those that can't be used.
  public let records: PatchRecords
  package let natives: NativeBodies
  /// Address of the guest's pv_cpu_ops: its symbol, or what its first call site says; nil where neither is there.
  public let table: UInt64?
  /// In the order of their records.
  public let sites: [CallSite]

  /// - Throws: `ELFError` where the image's tables do not lie in the file.
  public init(_ file: ELFImage) throws(ELFError) {
    let module = file.type == .relocatable ? try RelocatableModule(file) : nil
    self.module = module
    let image = module?.view ?? file
    self.image = image
    symbols = try ELFSymbols(image)
    let records = try PatchRecords(image, symbols: symbols)
    self.records = records
    natives = NativeBodies(image, symbols: symbols)
    let table = symbols.value(of: "pv_cpu_ops") ?? ParavirtImage.inferTable(image, records)
    self.table = table
    let recognizer = SiteRecognizer(table: table, natives: natives)
    sites = image.bytes.withUnsafeBytes { bytes in
      records.records.map { record in
        guard let offset = image.fileOffset(ofVirtual: record.address, count: record.length) else {
          return CallSite(record: record, contents: .other, unboundReason: "its range lies outside the image")
        }
        return recognizer.site(record, UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + Int(record.length)]))
      }
    }
  }

  /// What is wrong with the records, and with the length of sites that the host can't bind for it.
  public var diagnostics: [PatchDiagnostic] {
    records.diagnostics + sites.compactMap { site in
      guard site.record.kind == .bundle, site.record.length != CallSequence.length, let reason = site.unboundReason,
        site.contents == .other
      else { return nil }
      return PatchDiagnostic(
        severity: .warning, kind: .bundle, index: site.record.index,
        message: "\(site.record.description): \(reason): the site stays as it is")
    }
  }

  private static func inferTable(_ image: ELFImage, _ records: PatchRecords) -> UInt64? {
    for record in records.records where record.kind == .bundle && record.length == CallSequence.length {
      guard let offset = image.fileOffset(ofVirtual: record.start, count: record.length),
        let operation = record.type.operation
      else { continue }
      let member = image.bytes.withUnsafeBytes {
        CallSequence.member(at: UnsafeRawBufferPointer(rebasing: $0[offset..<offset + Int(record.length)]))
      }
      if let member { return member &- operation.offset }
    }
    return nil
  }
}

/// Tells what the bytes of a site are.
package struct SiteRecognizer: Sendable {
  package let table: UInt64?
  package let natives: NativeBodies

  package init(table: UInt64?, natives: NativeBodies) {
    self.table = table
    self.natives = natives
  }

  /// The record with what stands at it. `bytes` are those of the record's bundles.
  package func site(_ record: PatchRecord, _ bytes: UnsafeRawBufferPointer) -> CallSite {
    guard record.kind == .bundle, let operation = record.type.operation else {
      if record.kind == .branch {
        return CallSite(record: record, contents: .other, unboundReason: "a branch is patched in the guest")
      }
      let isNative = natives[record.type].map { body in
        body.bytes.withUnsafeBytes { InstructionSite.steps(of: InstructionSite.bundles($0))?.map(\.bits) }
          == InstructionSite.steps(of: record, bytes)?.map(\.bits)
      }
      return CallSite(
        record: record, contents: isNative == true ? .native : .other,
        unboundReason: "an instruction is patched in the guest")
    }
    if record.length == CallSequence.length, let member = CallSequence.member(at: bytes) {
      guard let table else {
        return CallSite(record: record, contents: .call, unboundReason: "the image has no pv_cpu_ops")
      }
      let called = member &- table
      if called == operation.offset { return CallSite(record: record, contents: .call, unboundReason: nil) }
      let other = called & 7 == 0 ? UInt16(exactly: called / 8).flatMap(Operation.init(rawValue:)) : nil
      return CallSite(
        record: record, contents: .other,
        unboundReason: "it calls \(other?.name ?? "something else than pv_cpu_ops"), not \(operation)")
    }
    if record.length <= CallSequence.length, isNative(record.type, bytes) {
      return CallSite(record: record, contents: .native, unboundReason: nil)
    }
    if let callee = DirectCall.callee(at: record.start, bytes) {
      return CallSite(
        record: record, contents: .direct, unboundReason: "it calls \(hexadecimal(callee.entry)) directly")
    }
    let reason =
      record.length < CallSequence.length
      ? "its \(record.length) bytes are too short for a call (\(CallSequence.length) bytes)"
      : record.length > CallSequence.length
        ? "its \(record.length) bytes are more than a call (\(CallSequence.length) bytes)"
        : "its bytes are not the five-bundle call"
    return CallSite(record: record, contents: .other, unboundReason: reason)
  }

  /// Whether a site holds the native body of its type, and nothing but nops behind it.
  package func isNative(_ type: PatchType, _ bytes: UnsafeRawBufferPointer) -> Bool {
    natives[type].map { NopBundle.fills(bytes, behind: $0.bytes) } ?? false
  }
}
