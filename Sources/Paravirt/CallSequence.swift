// The five bundles by which Linux/ia64 calls an operation (asm/paravirt_privop.h), byte for byte as GNU as builds them:
//
//   { .mlx  nop.m 0            movl r2 = pv_cpu_ops + 8 * operation ;; }
//   { .mii  ld8 r2 = [r2]      mov r17 = ip          mov r16 = gp ;; }
//   { .mii  ld8 r3 = [r2], 8   adds r17 = 48, r17 ;; mov b7 = r3 }
//   { .mib  ld8 gp = [r2]      mov b6 = r17          br.cond.sptk.few b7 }
//   { .mii  mov gp = r16       nop.i 0               nop.i 0 ;; }
import IA64

package enum CallSequence {
  /// Bytes of a call site.
  package static let length: UInt64 = 80

  /// Bundles 1 to 4, which are the same at every site.
  private static let tail: [InstructionBundle] = [
    InstructionBundle(low: 0x0110_1018_0400_1001, high: 0x8400_0802_0000_6000),
    InstructionBundle(low: 0x8110_1418_0420_1802, high: 0x0700_0830_e042_0045),
    InstructionBundle(low: 0x8860_1018_0400_0810, high: 0x0080_0070_0003_8004),
    InstructionBundle(low: 0x0000_2100_2000_0801, high: 0x0004_0000_0000_0200),
  ]

  // movl (SDM vol. 3, format X2): slot 2 holds opcode 6 at 40:37, i at 36, imm9d at 35:27, imm5c at 26:22, ic at 21,
  // vc at 20, imm7b at 19:13, r1 at 12:6, qp at 5:0; slot 1 the 41 bits 62:22 of the immediate.
  private static let movlFixed: UInt64 = 0xf << 37 | 1 << 20 | 0x7f << 6 | 0x3f
  private static let movlR2: UInt64 = 6 << 37 | 2 << 6
  private static let nopM: UInt64 = 1 << 27

  /// The address of the member of pv_cpu_ops that a site calls through; nil unless the 80 bytes are such a call.
  package static func member(at bytes: UnsafeRawBufferPointer) -> UInt64? {
    guard bytes.count == Int(length), let base = bytes.baseAddress else { return nil }
    let first = InstructionBundle(loadingFrom: base)
    guard first.template.rawValue == 5, first.slot0 == nopM, first.slot2 & movlFixed == movlR2 else { return nil }
    for (index, bundle) in tail.enumerated()
    where InstructionBundle(loadingFrom: base + 16 * (index + 1)) != bundle { return nil }
    return immediate(first)
  }

  private static func immediate(_ bundle: InstructionBundle) -> UInt64 {
    let slot = bundle.slot2
    let low = slot >> 13 & 0x7f | (slot >> 27 & 0x1ff) << 7 | (slot >> 22 & 0x1f) << 16 | (slot >> 21 & 1) << 21
    return low | bundle.slot1 << 22 | (slot >> 36 & 1) << 63
  }

  /// The 80 bytes of a call through the member of pv_cpu_ops at `member`.
  package static func bytes(member: UInt64) -> [UInt8] {
    let slot2 =
      movlR2 | (member >> 63) << 36 | (member >> 7 & 0x1ff) << 27 | (member >> 16 & 0x1f) << 22
      | (member >> 21 & 1) << 21 | (member & 0x7f) << 13
    let first = InstructionBundle(template: Template(rawValue: 5), nopM, member >> 22 & (1 << 41 - 1), slot2)
    return ([first] + tail).flatMap(\.bytes)
  }
}

extension InstructionBundle {
  /// The 16 bytes as they stand in memory.
  package var bytes: [UInt8] {
    [low, high].flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } }
  }
}
