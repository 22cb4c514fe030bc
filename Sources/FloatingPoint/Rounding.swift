// Rounding an exact value to a destination, and the result every operation hands back.
//
// SDM volume 1, sections 5.4.1 to 5.4.4. Tininess is found after rounding with unbounded exponent range. With
// its trap disabled, overflow gives infinity or the largest finite value and is always inexact, and underflow is
// signaled only when the result is tiny and inexact (or flushed to zero); with the trap enabled the result is the
// one rounded with unbounded exponent, its exponent field modulo 2^17 (parallel: modulo 2^8).
//
// No software assistance: denormal and unnormal operands and results are computed here in full, as the manual
// allows an implementation to do, so neither ISR's swa fault bit nor a trap whose disable bit is set ever appears.

/// The namespace of the operations, named by their mnemonics.
package enum FP {}

/// What an operation gives back: a value and flags to write, or a fault in whose case nothing is written.
package struct FloatResult: Equatable, Sendable {
  /// The target register's new value; means nothing when `fault` is not zero.
  package var value: RegisterFloat
  /// FloatFlag bits to add to the status field; none to be added when `fault` is not zero.
  package var flags: UInt8
  /// ISR.code of the Floating-Point Exception fault to take instead of writing anything, or zero:
  /// v, d, z in bits 0 to 2, and for the lower half of a pair in bits 4 to 6.
  package var fault: UInt8
  /// ISR.code of the Floating-Point Exception trap to take after writing, or zero: bit 0 (fp), and
  /// o, u, i, fpa in bits 11 to 14, for the lower half of a pair in bits 7 to 10.
  package var trap: UInt16
  /// The predicate result (p2) of frcpa, frsqrta and their parallel forms.
  package var predicate: Bool

  @inlinable package init(_ value: RegisterFloat, flags: UInt8 = 0, predicate: Bool = false) {
    self.value = value
    self.flags = flags
    fault = 0
    trap = 0
    self.predicate = predicate
  }

  /// V, D or Z: a fault where it is enabled, else the value with the flag.
  @inlinable
  static func exception(_ flag: UInt8, _ environment: FloatEnvironment, _ value: RegisterFloat) -> FloatResult {
    var result = FloatResult(value, flags: flag)
    result.fault = flag & environment.enabled
    return result
  }

  /// An invalid operation: a fault, or the quiet NaN without payload.
  @inlinable static func invalid(_ environment: FloatEnvironment) -> FloatResult {
    exception(FloatFlag.invalid, environment, .indefinite)
  }

  /// Adds the D flag; a fault where enabled.
  @inlinable mutating func addDenormal(_ environment: FloatEnvironment) {
    flags |= FloatFlag.denormal
    fault |= FloatFlag.denormal & environment.enabled
    if fault != 0 { trap = 0 }
  }

  /// Sets the trap code for the enabled ones among the result's O, U and I flags.
  @inlinable mutating func setTrap(_ environment: FloatEnvironment, grew: Bool) {
    let taken = UInt16(flags & environment.enabled & 0x38)
    if taken != 0 { trap = taken << 8 | (grew ? 1 << 14 : 0) | 1 }
  }
}

/// An exact non-zero magnitude in [1, 2) × 2^(exponent − 65535): 128 bits with the top one set, and whether
/// something non-zero lies below them.
package struct ExactFloat {
  @usableFromInline var sign: Bool
  @usableFromInline var exponent: Int
  @usableFromInline var high: UInt64
  @usableFromInline var low: UInt64
  @usableFromInline var sticky: Bool

  @inlinable init(sign: Bool, exponent: Int, high: UInt64, low: UInt64, sticky: Bool) {
    self.sign = sign
    self.exponent = exponent
    self.high = high
    self.low = low
    self.sticky = sticky
  }

  /// The same value with its bits shifted right; the top bit is no longer set.
  func shiftedRight(_ count: Int) -> ExactFloat {
    var bits = UInt128(high) << 64 | UInt128(low)
    let lost = count >= 128 || bits << UInt128(128 - count) != 0
    bits = count >= 128 ? 0 : bits >> UInt128(count)
    return ExactFloat(
      sign: sign, exponent: exponent + count, high: UInt64(truncatingIfNeeded: bits >> 64),
      low: UInt64(truncatingIfNeeded: bits), sticky: sticky || lost)
  }
}

extension FP {
  /// The bits kept (in place, the dropped ones zero), whether any were lost, and whether they were rounded up.
  @inlinable @inline(__always)
  static func roundSignificand(
    _ exact: ExactFloat, _ environment: FloatEnvironment
  ) -> (kept: UInt64, inexact: Bool, grew: Bool) {
    let drop = 64 &- UInt64(environment.precision)
    var tail: UInt64
    if drop == 0 {
      tail = exact.low | (exact.sticky ? 1 : 0)
    } else {
      // At most 40 bits are dropped, so the tail's low bit is free to stand for everything below.
      tail = exact.high &<< (64 &- drop) | (exact.low != 0 || exact.sticky ? 1 : 0)
    }
    let unit: UInt64 = 1 &<< drop
    let kept = exact.high & ~(unit &- 1)
    let half: UInt64 = 1 << 63
    let grew: Bool
    switch environment.rounding {
    case .nearest: grew = tail > half || (tail == half && kept & unit != 0)
    case .down: grew = exact.sign && tail != 0
    case .up: grew = !exact.sign && tail != 0
    case .zero: grew = false
    }
    return (grew ? kept &+ unit : kept, tail != 0, grew)
  }

  /// Rounds an exact value to the environment's precision and range.
  @inlinable @inline(__always)
  static func round(_ exact: ExactFloat, _ environment: FloatEnvironment) -> FloatResult {
    var (kept, inexact, grew) = roundSignificand(exact, environment)
    var exponent = exact.exponent
    if kept == 0 {
      // Only a carry out of all ones gives zero here: the top bit was set.
      kept = 1 << 63
      exponent &+= 1
    }
    if exponent < Int(environment.minimumExponent) {
      return roundTiny(exact, environment, kept, exponent, inexact, grew)
    }
    if exponent > Int(environment.maximumExponent) {
      return overflow(exact.sign, environment, kept, exponent, inexact, grew)
    }
    var result = FloatResult(RegisterFloat(sign: exact.sign, exponent: exponent, significand: kept))
    if inexact {
      result.flags = FloatFlag.inexact
      result.setTrap(environment, grew: grew)
    }
    return result
  }

  @usableFromInline
  static func overflow(
    _ sign: Bool, _ environment: FloatEnvironment, _ kept: UInt64, _ exponent: Int, _ inexact: Bool, _ grew: Bool
  ) -> FloatResult {
    if environment.enabled & FloatFlag.overflow != 0 {
      var result = FloatResult(
        RegisterFloat(sign: sign, exponent: exponent, significand: kept),
        flags: FloatFlag.overflow | (inexact ? FloatFlag.inexact : 0))
      result.setTrap(environment, grew: grew)
      return result
    }
    let toInfinity: Bool
    switch environment.rounding {
    case .nearest: toInfinity = true
    case .down: toInfinity = sign
    case .up: toInfinity = !sign
    case .zero: toInfinity = false
    }
    let largest = ~UInt64(0) << UInt64(64 - environment.precision)
    let value = toInfinity
      ? RegisterFloat.infinity(sign: sign)
      : RegisterFloat(sign: sign, exponent: Int(environment.maximumExponent), significand: largest)
    var result = FloatResult(value, flags: FloatFlag.overflow | FloatFlag.inexact)
    result.setTrap(environment, grew: toInfinity)
    return result
  }

  /// A result below the range's smallest normal: kept and exponent are those of unbounded range.
  @usableFromInline
  static func roundTiny(
    _ exact: ExactFloat, _ environment: FloatEnvironment, _ kept: UInt64, _ exponent: Int, _ inexact: Bool,
    _ grew: Bool
  ) -> FloatResult {
    var result: FloatResult
    if environment.enabled & FloatFlag.underflow != 0 {
      result = FloatResult(
        RegisterFloat(sign: exact.sign, exponent: exponent, significand: kept),
        flags: FloatFlag.underflow | (inexact ? FloatFlag.inexact : 0))
      result.setTrap(environment, grew: grew)
      return result
    }
    if environment.flushToZero {
      result = FloatResult(.zero(sign: exact.sign), flags: FloatFlag.underflow | FloatFlag.inexact)
      result.setTrap(environment, grew: false)
      return result
    }
    let minimum = Int(environment.minimumExponent)
    let denormal = roundSignificand(exact.shiftedRight(minimum - exact.exponent), environment)
    let field = denormal.kept == 0 ? 0 : denormal.kept >> 63 == 1 ? minimum : Int(environment.denormalExponent)
    result = FloatResult(RegisterFloat(sign: exact.sign, exponent: field, significand: denormal.kept))
    if denormal.inexact {
      result.flags = FloatFlag.underflow | FloatFlag.inexact
      result.setTrap(environment, grew: denormal.grew)
    }
    return result
  }
}
