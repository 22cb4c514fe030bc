// The stage between the indirect call and replacement in place, which Linux lacks: where no replacement fits into a
// site, its five bundles call the operation's function straight, without the two loads and the register branch:
//
//   { .mlx  mov r16 = gp    movl gp = the function's gp ;; }
//   { .mii  nop.m 0         mov r17 = ip ;;      adds r17 = 48, r17 ;; }
//   { .mii  nop.m 0         mov b6 = r17         nop.i 0 }
//   { .mib  nop.m 0         nop.i 0              br.cond.sptk.few function ;; }   or { .mlx  nop.m 0  brl.cond.sptk.few }
//   { .mii  mov gp = r16    nop.i 0              nop.i 0 ;; }
//
// It destroys r16, r17 and b6 of what the site may destroy, and leaves r2, r3 and b7 alone.
import IA64

package enum DirectCall {
  /// Bundles 1 and 2: b6 becomes the address of the last bundle, as in the indirect call.
  private static let returnAddress: [InstructionBundle] = [
    Code.bundle("MI;I;;", Code.nop, Code.slot(.mov_from_ip, r1: 17), Code.slot(.adds, r1: 17, r3: 17, imm: 48)),
    Code.bundle("MII", Code.nop, Code.slot(.mov_to_br, r1: 6, r2: 17, hint: 1), Code.nop),
  ]

  /// The 80 bytes at `address` that call `callee`; nil where its entry is no bundle's address.
  package static func bytes(at address: UInt64, _ callee: FunctionDescriptor) -> [UInt8]? {
    let template = Code.bundle("MIB;;", Code.nop, Code.nop, Code.slot(.br_cond))
    guard
      case .success(let branch) = BranchPatch.retarget(template, slot: 2, at: address &+ 48, to: callee.entry)
    else { return nil }
    let bundles =
      [Code.movl(Code.move(16, from: 1), 1, callee.gp)] + returnAddress + [branch, CallSequence.restoreGP]
    return bundles.flatMap(\.bytes)
  }

  /// Whom the 80 bytes at `address` call; nil where they are no such call.
  package static func callee(at address: UInt64, _ bytes: UnsafeRawBufferPointer) -> FunctionDescriptor? {
    guard bytes.count == Int(CallSequence.length), let base = bytes.baseAddress else { return nil }
    let first = InstructionBundle(loadingFrom: base)
    let branch = InstructionBundle(loadingFrom: base + 48)
    guard first.template.rawValue == 5, InstructionBundle(loadingFrom: base + 64) == CallSequence.restoreGP,
      let entry = BranchPatch.target(branch, slot: 2, at: address &+ 48)
    else { return nil }
    let callee = FunctionDescriptor(entry: entry, gp: Code.immediate(first))
    guard let expected = self.bytes(at: address, callee), bytes.elementsEqual(expected) else { return nil }
    return callee
  }
}
