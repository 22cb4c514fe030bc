// Retargeting IP-relative branches: br.cond (SDM vol. 3, format B1) and brl.cond (format X3).
import IA64

package enum BranchPatch {
  package enum Problem: Error, CustomStringConvertible {
    case unaligned(UInt64)
    case notABranch
    case outOfReach(UInt64)

    package var description: String {
      switch self {
      case .unaligned(let target): return "its target 0x\(String(target, radix: 16)) is not bundle aligned"
      case .notABranch: return "its slot holds no br.cond or brl.cond to an address"
      case .outOfReach(let target):
        return "its target 0x\(String(target, radix: 16)) is out of reach, and the bundle has no room for brl"
      }
    }
  }

  private static let nopM: UInt64 = 1 << 27
  /// imm20b (bits 32:13) and the sign or i bit (36) of both formats.
  private static let displacementBits: UInt64 = 0xf_ffff << 13 | 1 << 36

  /// The bundle at `address` with the branch in `slot` (1 for brl) leading to `target`. A br.cond that does not reach
  /// becomes a brl.cond where it stands in slot 0 and the other slots are nops.
  package static func retarget(
    _ bundle: InstructionBundle, slot: Int, at address: UInt64, to target: UInt64
  ) -> Result<InstructionBundle, Problem> {
    guard target & 15 == 0 else { return .failure(.unaligned(target)) }
    let template = bundle.template
    guard template.isValid, slot <= 2 else { return .failure(.notABranch) }
    let slots = [bundle.slot0, bundle.slot1, bundle.slot2]
    if template.isLong {
      guard slot == 1, slots[2] >> 37 == 0xc, slots[2] >> 6 & 7 == 0 else { return .failure(.notABranch) }
      return .success(long(template, slots[0], slots[2], at: address, to: target))
    }
    let old = slots[slot]
    guard template.unit(slot) == .B, old >> 37 == 4, old >> 6 & 7 == 0 else { return .failure(.notABranch) }
    // Arithmetic of addresses is modulo 2^64; the reach is 2^24 bytes either way.
    let displacement = Int64(bitPattern: target &- address)
    if displacement >= -(1 << 24), displacement < 1 << 24 {
      var new = slots
      let field = UInt64(bitPattern: displacement >> 4) & 0xf_ffff
      new[slot] = old & ~displacementBits | field << 13 | (displacement < 0 ? 1 << 36 : 0)
      return .success(InstructionBundle(template: template, new[0], new[1], new[2]))
    }
    let others = [0, 1, 2].filter { $0 != slot }
    guard slot == 0, others.allSatisfy({ NopBundle.isNop(slots[$0], unit: template.unit($0)) }) else {
      return .failure(.outOfReach(target))
    }
    // Predicate, hints and branch type stand in the same bits of B1 and X3; only the opcode differs (4, 0xc).
    let branch = old & ~displacementBits | 0xc << 37
    let long = Template(rawValue: template.hasStop(after: 2) ? 5 : 4)
    return .success(self.long(long, nopM, branch, at: address, to: target))
  }

  private static func long(
    _ template: Template, _ slot0: UInt64, _ branch: UInt64, at address: UInt64, to target: UInt64
  ) -> InstructionBundle {
    let imm60 = UInt64(bitPattern: Int64(bitPattern: target &- address) >> 4)
    let slot2 = branch & ~displacementBits | (imm60 & 0xf_ffff) << 13 | (imm60 >> 59 & 1) << 36
    let slot1 = (imm60 >> 20 & (1 << 39 - 1)) << 2
    return InstructionBundle(template: template, slot0, slot1, slot2)
  }
}
