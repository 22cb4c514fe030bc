// The 82-bit floating-point register format and its classes of values.
//
// SDM volume 1, sections 5.1.2 and 5.1.3 (figure 5-1, table 5-2): a 64-bit significand with an explicit integer
// bit, a 17-bit exponent biased by 65535, and a sign. The two words here are those of the spill format, so a
// register goes to and from memory without rearrangement.

/// A floating-point register's value, in the two words of the 16-byte spill format (SDM vol. 1, 5.1.2).
package struct RegisterFloat: Equatable, Hashable, Sendable {
  /// Integer bit in bit 63, fraction below it; also where integers and pairs of singles live.
  package var significand: UInt64
  /// Sign in bit 17, exponent biased by 65535 in bits 16:0; the bits above are always zero.
  package var signExponent: UInt64

  @inlinable @inline(__always) package init(significand: UInt64, signExponent: UInt64) {
    self.significand = significand
    self.signExponent = signExponent & RegisterFloat.signExponentMask
  }

  @inlinable package init(sign: Bool, exponent: Int, significand: UInt64) {
    self.significand = significand
    signExponent = (sign ? RegisterFloat.signBit : 0) | (UInt64(truncatingIfNeeded: exponent) & 0x1ffff)
  }

  /// A register that holds an integer or a pair of singles: exponent 0x1003e, positive (SDM vol. 1, 5.1.2).
  @inlinable package init(integer significand: UInt64) {
    self.significand = significand
    signExponent = RegisterFloat.integerExponent
  }

  @inlinable package static var signBit: UInt64 { 1 << 17 }
  @inlinable package static var exponentMask: UInt64 { 0x1ffff }
  @inlinable package static var signExponentMask: UInt64 { 0x3ffff }
  @inlinable package static var integerBit: UInt64 { 1 << 63 }
  @inlinable package static var quietBit: UInt64 { 1 << 62 }
  /// The exponent of 1.0.
  @inlinable package static var bias: Int { 0xffff }
  @inlinable package static var specialExponent: UInt64 { 0x1ffff }
  @inlinable package static var integerExponent: UInt64 { 0x1003e }
  /// What a double-extended denormal's exponent of zero counts as: the smallest 15-bit exponent.
  @inlinable package static var extendedMinimumExponent: Int { 0xc001 }

  /// FR 0.
  @inlinable package static var zero: RegisterFloat { RegisterFloat(significand: 0, signExponent: 0) }
  /// FR 1.
  @inlinable package static var one: RegisterFloat { RegisterFloat(significand: 1 << 63, signExponent: 0xffff) }
  @inlinable package static var natVal: RegisterFloat { RegisterFloat(significand: 0, signExponent: 0x1fffe) }
  /// What an invalid operation gives: the negative quiet NaN without payload (SDM vol. 1, 5.4.2).
  @inlinable package static var indefinite: RegisterFloat { RegisterFloat(significand: 3 << 62, signExponent: 0x3ffff) }

  @inlinable package static func infinity(sign: Bool) -> RegisterFloat {
    RegisterFloat(sign: sign, exponent: 0x1ffff, significand: 1 << 63)
  }

  @inlinable package static func zero(sign: Bool) -> RegisterFloat {
    RegisterFloat(significand: 0, signExponent: sign ? signBit : 0)
  }

  @inlinable package var sign: Bool { signExponent & RegisterFloat.signBit != 0 }
  @inlinable package var exponentField: UInt64 { signExponent & RegisterFloat.exponentMask }
  /// The significand's bits as a pair of singles: the upper one.
  @inlinable package var high: UInt32 { UInt32(truncatingIfNeeded: significand >> 32) }
  /// The lower one of a pair of singles.
  @inlinable package var low: UInt32 { UInt32(truncatingIfNeeded: significand) }

  @inlinable package init(high: UInt32, low: UInt32) {
    self.init(integer: UInt64(high) << 32 | UInt64(low))
  }
}

// Classification (SDM vol. 1, table 5-2).
extension RegisterFloat {
  @inlinable package var isNaTVal: Bool { significand == 0 && signExponent == 0x1fffe }
  @inlinable package var hasSpecialExponent: Bool { exponentField == RegisterFloat.specialExponent }
  @inlinable package var isInfinity: Bool { hasSpecialExponent && significand == RegisterFloat.integerBit }
  /// A NaN, quiet or signaling: integer bit and some fraction bit set. Pseudo-NaNs are not among them.
  @inlinable package var isNaN: Bool { hasSpecialExponent && significand > RegisterFloat.integerBit }
  @inlinable package var isQuietNaN: Bool { hasSpecialExponent && significand >= 3 << 62 }
  @inlinable package var isSignalingNaN: Bool { isNaN && significand < 3 << 62 }
  /// A pseudo-NaN or pseudo-infinity: the exponent of all ones without the integer bit.
  @inlinable package var isUnsupported: Bool { hasSpecialExponent && significand >> 63 == 0 }
  /// A true zero (exponent zero too), of either sign.
  @inlinable package var isZero: Bool { significand == 0 && exponentField == 0 }
  /// A zero significand under an exponent that is neither zero nor all ones; computes as a zero, counts as unnormal.
  @inlinable package var isPseudoZero: Bool {
    significand == 0 && exponentField != 0 && !hasSpecialExponent && !isNaTVal
  }
  /// A zero or a pseudo-zero.
  @inlinable package var hasZeroValue: Bool { significand == 0 && !hasSpecialExponent && !isNaTVal }
  @inlinable package var isNormal: Bool {
    significand >> 63 == 1 && exponentField &- 1 < 0x1fffe
  }
  /// What the denormal/unnormal-operand exception is about: finite without integer bit, pseudo-zeros and the
  /// double-extended denormals and pseudo-denormals (exponent zero) included.
  @inlinable package var isUnnormal: Bool {
    if hasSpecialExponent || isNaTVal { return false }
    return exponentField == 0 ? significand != 0 : significand >> 63 == 0
  }
  @inlinable package var isFinite: Bool { !hasSpecialExponent && !isNaTVal }

  /// This NaN with the quiet bit set; sign and payload stay.
  @inlinable package var quieted: RegisterFloat {
    RegisterFloat(significand: significand | RegisterFloat.quietBit, signExponent: signExponent)
  }
}

/// A finite non-zero value taken apart: ±significand/2^63 × 2^(exponent − 65535), integer bit set.
package struct UnpackedFloat {
  package var sign: Bool
  package var exponent: Int
  package var significand: UInt64

  /// Of a finite value that is not zero. An exponent of zero counts as 0xc001 (SDM vol. 1, 5.1.2).
  @inlinable package init(_ value: RegisterFloat) {
    sign = value.sign
    exponent = Int(truncatingIfNeeded: value.exponentField)
    significand = value.significand
    if significand >> 63 == 1 && exponent != 0 { return }
    if exponent == 0 { exponent = RegisterFloat.extendedMinimumExponent }
    let shift = significand.leadingZeroBitCount
    significand <<= UInt64(truncatingIfNeeded: shift)
    exponent -= shift
  }
}
