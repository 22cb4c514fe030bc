// Bundles that do nothing, which fill what a replacement leaves of a site.
import IA64
import Machine

package enum NopBundle {
  /// { .mfi nop.m 0; nop.f 0; nop.i 0 }: Linux's paravirt_nop_mfi_inst_bundle.
  package static let mfi = Code.bundle("MFI", Code.nop, Code.nop, Code.nop)

  /// The bundle with which the image's own patcher fills sites, or `mfi` where it names none.
  package static func fill(_ image: ELFImage, symbols: ELFSymbols) -> [UInt8] {
    for name in ["paravirt_nop_bundle", "nop_bundle"] {
      guard let address = symbols.value(of: name), let offset = image.fileOffset(ofVirtual: address, count: 16) else {
        continue
      }
      let bytes = image.bytes[offset..<offset + 16]
      if bytes.withUnsafeBytes({ isNop($0) }) { return Array(bytes) }
    }
    return mfi.bytes
  }

  /// Whether 16 bytes are nops of any template, with whatever immediate.
  package static func isNop(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard bytes.count == 16, let base = bytes.baseAddress else { return false }
    let bundle = InstructionBundle(loadingFrom: base)
    let template = bundle.template
    guard template.isValid, !template.isLong else { return false }
    let slots = [bundle.slot0, bundle.slot1, bundle.slot2]
    return slots.enumerated().allSatisfy { index, slot in isNop(slot, unit: template.unit(index)) }
  }

  /// Whether `bytes`, whole bundles, are a body and behind it nothing but nops.
  package static func fills(_ bytes: UnsafeRawBufferPointer, behind body: [UInt8]) -> Bool {
    guard bytes.count >= body.count, bytes.prefix(body.count).elementsEqual(body) else { return false }
    return stride(from: body.count, to: bytes.count, by: 16).allSatisfy { offset in
      isNop(UnsafeRawBufferPointer(rebasing: bytes[offset..<min(offset + 16, bytes.count)]))
    }
  }

  /// Whether a slot is a nop: predicate and immediate do not matter.
  package static func isNop(_ slot: UInt64, unit: Unit?) -> Bool {
    switch unit {
    case .B: return slot >> 37 == 2 && slot >> 27 & 0x3f == 0
    // Opcode 0, x3 0, x6 (M: x2 and x4) 1, y 0: y distinguishes hint.
    case .M, .I, .F: return slot >> 37 == 0 && slot >> 33 & 7 == 0 && slot >> 26 & 0x7f == 2
    default: return false
    }
  }
}
