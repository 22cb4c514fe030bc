// What becomes of guest code: the translation of an address with its IR and host code (`disassemble --host`), and the
// host code of call sites (`bench --listings`).
import CSupport
import IA64
import Machine

/// One translated block.
package struct BlockListing: Sendable {
  /// Guest address (entry slot in the low bits), and where the guest goes on behind the block's last instruction.
  package var start: UInt64
  package var next: UInt64
  /// Addresses of its bundles in the order of execution: branches may have been followed.
  package var path: [UInt64]
  /// The frame marker that it was made for, and the one at `next`.
  package var marker: UInt64
  package var nextMarker: UInt64
  /// Issued slots of one pass.
  package var slots: Int
  /// IR as the frontend made it, and after the optimiser.
  package var before: String
  package var after: String
  /// Host code and the address it runs at.
  package var hostAddress: UInt64
  package var host: [UInt8]
}

/// The host code of one translation of a call site.
package struct SiteCode: Sendable {
  /// Index in the site table.
  package var site: Int
  package var hostAddress: UInt64
  package var host: [UInt8]
  package var isCall: Bool
}

extension TranslatorEngine {
  /// The live translations of call sites that the host dispatches. Not while the guest runs.
  package func siteCode() -> [SiteCode] {
    siteRecords.filter { !cache.blocks[$0.block].retired }.map { record in
      SiteCode(
        site: Int(record.code.site), hostAddress: cache.executable(record.code.begin),
        host: Array(UnsafeBufferPointer(start: record.code.begin, count: record.code.end - record.code.begin)),
        isCall: record.code.call != nil)
    }
  }

  /// The block at an address (entry slot in the low bits) for a frame marker and the processor's present mode, made where
  /// there is none; nil where no code is mapped. The IR is made anew from the guest's present bytes. Not while the guest
  /// runs.
  package func listing(at start: UInt64, marker: UInt64, _ cpu: CPU) -> BlockListing? {
    guard let number = block(at: start, marker: marker, cpu) else { return nil }
    let block = cache.blocks[number]
    guard let host = codeHost(cpu, block.physical) else { return nil }
    let source = CodeSource(host: host, page: start & ~0xfff, physical: block.physical, cpu: cpu)
    let ir = intermediate(start: start, key: block.key, source)
    let code = UnsafeBufferPointer(
      start: UnsafePointer<UInt8>(bitPattern: UInt(block.code)), count: Int(block.codeEnd - block.code))
    let exits = (0..<Int(block.exitCount)).map { cache.exits[Int(block.firstExit) + $0] }
    let onward = exits.first { $0.kind == .direct && $0.target | UInt64($0.slot) == ir.next }
    return BlockListing(
      start: start, next: ir.next, path: ir.path, marker: marker,
      nextMarker: onward.map { $0.key & CFM.mask } ?? ir.marker, slots: Int(block.slots), before: ir.before,
      after: ir.after, hostAddress: block.code, host: Array(code))
  }
}
