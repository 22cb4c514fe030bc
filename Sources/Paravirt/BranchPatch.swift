// Retargeting IP-relative branches: br.cond (SDM vol. 3, format B1) and brl.cond (format X3).
import IA64
import Machine

package enum BranchPatch {
  package enum Problem: Error, CustomStringConvertible {
    case unaligned(UInt64)
    case notABranch
    case outOfReach(UInt64)

    package var description: String {
      switch self {
      case .unaligned(let target): return "its target \(hexadecimal(target)) is not bundle aligned"
      case .notABranch: return "its slot holds no br.cond or brl.cond to an address"
      case .outOfReach(let target):
        return "its target \(hexadecimal(target)) is out of reach, and the bundle has no room for brl"
      }
    }
  }

  /// imm20b (bits 32:13) and the sign or i bit (36) of both formats.
  private static let displacementBits: UInt64 = 0xf_ffff << 13 | 1 << 36

  /// Bytes that a br.cond reaches either way.
  package static let reach: Int64 = 1 << 24

  /// Where the br.cond or brl.cond in `slot` of the bundle at `address` leads; nil where there is none.
  package static func target(_ bundle: InstructionBundle, slot: Int, at address: UInt64) -> UInt64? {
    let bits: UInt64
    if bundle.template.isLong {
      guard isLongBranch(bundle, slot: slot) else { return nil }
      bits = (bundle.slot2 >> 36 & 1) << 59 | (bundle.slot1 >> 2 & (1 << 39 - 1)) << 20 | bundle.slot2 >> 13 & 0xf_ffff
    } else {
      guard slot <= 2, bundle.template.unit(slot) == .B, isBranch(bundle[slot], opcode: 4) else { return nil }
      let sign = bundle[slot] >> 36 & 1
      bits = bundle[slot] >> 13 & 0xf_ffff | (0 &- sign) << 20
    }
    return address &+ bits << 4
  }

  /// The bundle at `address` with the branch in `slot` (1 for brl) leading to `target`. A br.cond that does not reach
  /// becomes a brl.cond where the instructions that would have to go are nops.
  package static func retarget(
    _ bundle: InstructionBundle, slot: Int, at address: UInt64, to target: UInt64
  ) -> Result<InstructionBundle, Problem> {
    guard target & 15 == 0 else { return .failure(.unaligned(target)) }
    if bundle.template.isLong {
      guard isLongBranch(bundle, slot: slot) else { return .failure(.notABranch) }
      return .success(long(bundle.template, bundle.slot0, bundle.slot2, at: address, to: target))
    }
    guard slot <= 2, bundle.template.unit(slot) == .B, isBranch(bundle[slot], opcode: 4) else {
      return .failure(.notABranch)
    }
    // Arithmetic of addresses is modulo 2^64.
    let displacement = Int64(bitPattern: target &- address)
    if displacement >= -reach, displacement < reach {
      var new = bundle
      let field = UInt64(bitPattern: displacement >> 4) & 0xf_ffff
      new[slot] = bundle[slot] & ~displacementBits | field << 13 | (displacement < 0 ? 1 << 36 : 0)
      return .success(new)
    }
    return widen(bundle, slot: slot, at: address, to: target)
  }

  /// { .mlx slot 0; brl } in place of a bundle whose slots but the branch's, and slot 0 where it is an M slot, are
  /// nops.
  private static func widen(
    _ bundle: InstructionBundle, slot: Int, at address: UInt64, to target: UInt64
  ) -> Result<InstructionBundle, Problem> {
    let template = bundle.template
    var first = Code.nop
    for other in 0..<3 where other != slot && !NopBundle.isNop(bundle[other], unit: template.unit(other)) {
      guard other == 0, template.unit(0) == .M else { return .failure(.outOfReach(target)) }
      first = bundle.slot0
    }
    // Predicate, hints and branch type stand in the same bits of B1 and X3; only the opcode differs (4, 0xc).
    let branch = bundle[slot] & ~displacementBits | 0xc << 37
    let long = Template(rawValue: template.hasStop(after: 2) ? 5 : 4)
    return .success(self.long(long, first, branch, at: address, to: target))
  }

  /// { .bbb } with the brl of an MLX bundle as a br.cond in `slot`, the inverse of what `retarget` makes of such a
  /// bundle; nil unless the bundle is nop.m and a brl.cond, and the target in reach.
  package static func shorten(
    _ bundle: InstructionBundle, slot: Int, at address: UInt64, to target: UInt64
  ) -> InstructionBundle? {
    guard isLongBranch(bundle, slot: slot), bundle.slot0 == Code.nop else { return nil }
    let template = Template(rawValue: bundle.template.hasStop(after: 2) ? 0x17 : 0x16)
    var short = InstructionBundle(template: template, Code.nopB, Code.nopB, Code.nopB)
    short[slot] = bundle.slot2 & ~(displacementBits | 0xf << 37) | 4 << 37
    guard case .success(let made) = retarget(short, slot: slot, at: address, to: target), !made.template.isLong else {
      return nil
    }
    return made
  }

  /// Whether an MLX bundle holds a brl.cond that `slot` names: slot 1, as assemblers tag it, or the slot in which a
  /// br.cond stood that became long.
  private static func isLongBranch(_ bundle: InstructionBundle, slot: Int) -> Bool {
    slot <= 2 && isBranch(bundle.slot2, opcode: 0xc) && (slot > 0 || NopBundle.isNop(bundle.slot0, unit: .M))
  }

  /// Whether a slot holds a conditional IP-relative branch (btype 0) of that major opcode.
  private static func isBranch(_ slot: UInt64, opcode: UInt64) -> Bool { slot >> 37 == opcode && slot >> 6 & 7 == 0 }

  private static func long(
    _ template: Template, _ slot0: UInt64, _ branch: UInt64, at address: UInt64, to target: UInt64
  ) -> InstructionBundle {
    let imm60 = UInt64(bitPattern: Int64(bitPattern: target &- address) >> 4)
    let slot2 = branch & ~displacementBits | (imm60 & 0xf_ffff) << 13 | (imm60 >> 59 & 1) << 36
    let slot1 = (imm60 >> 20 & (1 << 39 - 1)) << 2
    return InstructionBundle(template: template, slot0, slot1, slot2)
  }
}
