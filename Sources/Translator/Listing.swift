// What became of guest code: the translations of an address with their IR and host code, for `disassemble --host`.
import CSupport
import IA64
import Machine

/// One translated block.
package struct BlockListing: Sendable {
  /// Guest address (entry slot in the low bits) and the first address behind the block.
  package var start: UInt64
  package var end: UInt64
  /// The frame marker and the mode bits it was made for.
  package var marker: UInt64
  package var mode: UInt64
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

  /// The live translations that cover a guest address. The IR is made anew from the guest's present bytes. Not while the
  /// guest runs.
  package func listings(at address: UInt64, _ cpu: CPU) -> [BlockListing] {
    var result: [BlockListing] = []
    for number in 0..<cache.blockCount {
      let block = cache.blocks[number]
      guard !block.retired, address >= block.start & ~15, address < block.end,
        let host = codeHost(cpu, block.physical)
      else { continue }
      let source = CodeSource(
        host: host, page: block.start & ~0xfff, physical: block.physical & ~0xfff, cpu: cpu)
      let texts = intermediate(start: block.start, key: block.key, source)
      let code = UnsafeBufferPointer(
        start: UnsafePointer<UInt8>(bitPattern: UInt(block.code)), count: Int(block.codeEnd - block.code))
      result.append(BlockListing(
        start: block.start, end: block.end, marker: block.key & CFM.mask, mode: block.key >> Mode.shift,
        slots: Int(block.slots), before: texts.0, after: texts.1, hostAddress: block.code, host: Array(code)))
    }
    return result
  }
}
