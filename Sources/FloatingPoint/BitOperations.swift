// The operations that move bits about: merges, mixes, swaps, packs, sign extensions, selection and logic.
//
// SDM volume 3, fmerge, fmix, fswap, fsxt, fpack, fselect, fand, fandcm, for, fxor, fpmerge. None raises anything or
// looks at a status field; a NaTVal among the operands gives NaTVal. All but fmerge (and so fabs, fneg, fnegabs and
// register moves) write an integer-format register: exponent 0x1003e, positive. fpabs, fpneg and fpnegabs are fpmerge
// with FR 0 or with the operand twice.

extension FP {
  package enum Merge: UInt8, CaseIterable, Sendable {
    /// .s: f2's sign.
    case sign
    /// .ns: the opposite of f2's sign.
    case negatedSign
    /// .se: f2's sign and exponent.
    case signAndExponent
  }

  /// fmerge: f3 with its sign, or sign and exponent, taken from f2.
  @inlinable
  package static func merge(_ kind: Merge, f2: RegisterFloat, f3: RegisterFloat) -> RegisterFloat {
    if f2.isNaTVal || f3.isNaTVal { return .natVal }
    let sign = RegisterFloat.signBit
    let rest = f3.signExponent & ~sign
    switch kind {
    case .sign:
      return RegisterFloat(significand: f3.significand, signExponent: f2.signExponent & sign | rest)
    case .negatedSign:
      return RegisterFloat(significand: f3.significand, signExponent: ~f2.signExponent & sign | rest)
    case .signAndExponent:
      return RegisterFloat(significand: f3.significand, signExponent: f2.signExponent)
    }
  }

  /// fpmerge: the same in each half of a pair of singles.
  package static func parallelMerge(_ kind: Merge, f2: RegisterFloat, f3: RegisterFloat) -> RegisterFloat {
    let signs: UInt64 = 0x8000_0000_8000_0000
    switch kind {
    case .sign: return bitwise(f2, f3) { $0 & signs | $1 & ~signs }
    case .negatedSign: return bitwise(f2, f3) { ~$0 & signs | $1 & ~signs }
    case .signAndExponent:
      let fractions: UInt64 = 0x007f_ffff_007f_ffff
      return bitwise(f2, f3) { $0 & ~fractions | $1 & fractions }
    }
  }

  package enum Logic: UInt8, CaseIterable, Sendable {
    case and, andComplement, or, exclusiveOr
  }

  /// fand, fandcm (f2 and not f3), for, fxor.
  package static func logic(_ operation: Logic, f2: RegisterFloat, f3: RegisterFloat) -> RegisterFloat {
    switch operation {
    case .and: bitwise(f2, f3) { $0 & $1 }
    case .andComplement: bitwise(f2, f3) { $0 & ~$1 }
    case .or: bitwise(f2, f3) { $0 | $1 }
    case .exclusiveOr: bitwise(f2, f3) { $0 ^ $1 }
    }
  }

  /// fselect: f3's bits where f2 has ones, f4's elsewhere.
  package static func select(f3: RegisterFloat, f4: RegisterFloat, f2: RegisterFloat) -> RegisterFloat {
    if f4.isNaTVal { return .natVal }
    return bitwise(f2, f3) { $0 & $1 | ~$0 & f4.significand }
  }

  package enum Mix: UInt8, CaseIterable, Sendable {
    /// .l: the upper halves of both.
    case left
    /// .r: the lower halves of both.
    case right
    /// .lr: the upper half of f2, the lower half of f3.
    case leftRight
  }

  /// fmix: one half of f2 above one half of f3.
  package static func mix(_ kind: Mix, f2: RegisterFloat, f3: RegisterFloat) -> RegisterFloat {
    switch kind {
    case .left: bitwise(f2, f3) { $0 & 0xffff_ffff_0000_0000 | $1 >> 32 }
    case .right: bitwise(f2, f3) { $0 << 32 | $1 & 0xffff_ffff }
    case .leftRight: bitwise(f2, f3) { $0 & 0xffff_ffff_0000_0000 | $1 & 0xffff_ffff }
    }
  }

  package enum Swap: UInt8, CaseIterable, Sendable {
    case plain
    /// .nl: the left (upper) single of the result negated.
    case negateLeft
    /// .nr: the right (lower) one.
    case negateRight
  }

  /// fswap: the lower half of f3 above the upper half of f2.
  package static func swap(_ kind: Swap, f2: RegisterFloat, f3: RegisterFloat) -> RegisterFloat {
    let flip: UInt64 = kind == .plain ? 0 : kind == .negateLeft ? 1 << 63 : 1 << 31
    return bitwise(f2, f3) { ($1 << 32 | $0 >> 32) ^ flip }
  }

  /// fsxt.l, fsxt.r: the sign of f2's upper (lower) half, 32 times, above the same half of f3.
  package static func signExtend(left: Bool, f2: RegisterFloat, f3: RegisterFloat) -> RegisterFloat {
    bitwise(f2, f3) { a, b in
      let source = left ? a >> 32 : a & 0xffff_ffff
      let half = left ? b >> 32 : b & 0xffff_ffff
      return (source >> 31 != 0 ? 0xffff_ffff << 32 : 0) | half
    }
  }

  /// fpack: f2 and f3 as singles, as stfs would store them, side by side.
  package static func pack(f2: RegisterFloat, f3: RegisterFloat) -> RegisterFloat {
    if f2.isNaTVal || f3.isNaTVal { return .natVal }
    return RegisterFloat(high: f2.single, low: f3.single)
  }

  @inline(__always)
  private static func bitwise(
    _ f2: RegisterFloat, _ f3: RegisterFloat, _ operation: (UInt64, UInt64) -> UInt64
  ) -> RegisterFloat {
    if f2.isNaTVal || f3.isNaTVal { return .natVal }
    return RegisterFloat(integer: operation(f2.significand, f3.significand))
  }
}
