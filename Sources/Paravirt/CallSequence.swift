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
    restoreGP,
  ]

  /// Bundle 4, to which every callee returns: { .mii mov gp = r16; nop.i 0; nop.i 0 ;; }
  package static let restoreGP = InstructionBundle(low: 0x0000_2100_2000_0801, high: 0x0004_0000_0000_0200)

  private static let movlFixed: UInt64 = 0xf << 37 | 1 << 20 | 0x7f << 6 | 0x3f
  private static let movlR2: UInt64 = 6 << 37 | 2 << 6

  /// The address of the member of pv_cpu_ops that a site calls through; nil unless the 80 bytes are such a call.
  package static func member(at bytes: UnsafeRawBufferPointer) -> UInt64? {
    guard bytes.count == Int(length), let base = bytes.baseAddress else { return nil }
    let first = InstructionBundle(loadingFrom: base)
    guard first.template.rawValue == 5, first.slot0 == Code.nop, first.slot2 & movlFixed == movlR2 else { return nil }
    for index in 0..<4 where InstructionBundle(loadingFrom: base + 16 * (index + 1)) != tail[index] { return nil }
    return Code.immediate(first)
  }

  /// The 80 bytes of a call through the member of pv_cpu_ops at `member`.
  package static func bytes(member: UInt64) -> [UInt8] {
    ([Code.movl(Code.nop, 2, member)] + tail).flatMap(\.bytes)
  }
}
