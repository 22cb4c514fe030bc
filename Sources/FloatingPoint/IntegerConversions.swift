// fcvt.fx, fcvt.fxu, fcvt.xf and the parallel conversions to 32-bit integers.
//
// SDM volume 3, fcvt.fx, fcvt.xf, fpcvt.fx. A NaN, an infinity, an unsupported operand or a rounded value that does
// not fit is Invalid (before D is looked at) and gives the most negative integer, for the unsigned forms too. The
// result stands in the significand under exponent 0x1003e. fcvt.xf is exact and looks at no status field.

extension FP {
  /// fcvt.fx (signed), fcvt.fxu; `truncate` for the .trunc completer.
  package static func convertToInteger(
    _ value: RegisterFloat, signed: Bool, truncate: Bool, _ environment: FloatEnvironment
  ) -> FloatResult {
    if value.isNaTVal { return FloatResult(.natVal) }
    return convertToInteger(value, bits: 64, signed: signed, truncate: truncate, environment)
  }

  /// fpcvt.fx, fpcvt.fxu and their .trunc forms.
  package static func parallelConvertToInteger(
    _ value: RegisterFloat, signed: Bool, truncate: Bool, _ environment: FloatEnvironment
  ) -> FloatResult {
    if value.isNaTVal { return FloatResult(.natVal) }
    let high = convertToInteger(
      RegisterFloat(single: value.high), bits: 32, signed: signed, truncate: truncate, environment)
    let low = convertToInteger(
      RegisterFloat(single: value.low), bits: 32, signed: signed, truncate: truncate, environment)
    return pair(high.value.low, high, low.value.low, low)
  }

  /// fcvt.xf: the significand as a signed integer; always exact.
  @inlinable
  package static func convertFromInteger(_ value: RegisterFloat) -> RegisterFloat {
    if value.isNaTVal { return .natVal }
    if value.significand == 0 { return .zero }
    let magnitude = Int64(bitPattern: value.significand).magnitude
    let shift = magnitude.leadingZeroBitCount
    return RegisterFloat(
      sign: value.significand >> 63 != 0, exponent: Int(RegisterFloat.integerExponent) &- shift,
      significand: magnitude << UInt64(shift))
  }

  private static func convertToInteger(
    _ value: RegisterFloat, bits: Int, signed: Bool, truncate: Bool, _ environment: FloatEnvironment
  ) -> FloatResult {
    let indefinite = RegisterFloat(integer: 1 << UInt64(bits - 1))
    let invalid = FloatResult.exception(FloatFlag.invalid, environment, indefinite)
    if value.hasSpecialExponent { return invalid }
    var result = FloatResult(RegisterFloat(integer: 0))
    if value.significand != 0 {
      let rounding = truncate ? RoundingControl.zero : environment.rounding
      guard let (magnitude, inexact, grew) = roundToInteger(UnpackedFloat(value), rounding) else { return invalid }
      let limit: UInt64 = signed ? 1 << UInt64(bits - 1) : bits == 64 ? .max : 1 << 32 - 1
      // Signed: the negative limit itself fits. Unsigned: nothing negative but what rounds to zero.
      let fits = signed ? magnitude < limit || (magnitude == limit && value.sign)
        : magnitude <= limit && (!value.sign || magnitude == 0)
      if !fits { return invalid }
      result.value.significand = value.sign ? 0 &- magnitude : magnitude
      if inexact {
        result.flags = FloatFlag.inexact
        result.setTrap(environment, grew: grew)
      }
    }
    if value.isUnnormal { result.addDenormal(environment) }
    return result
  }

  /// The magnitude rounded to an integer; nil if it needs more than 64 bits.
  private static func roundToInteger(
    _ value: UnpackedFloat, _ rounding: RoundingControl
  ) -> (magnitude: UInt64, inexact: Bool, grew: Bool)? {
    let exponent = value.exponent - RegisterFloat.bias
    if exponent > 63 { return nil }
    // The integer part, and the fraction as 64 bits below the point (the lowest one sticky).
    var whole: UInt64 = 0
    var fraction: UInt64
    switch exponent {
    case 63: (whole, fraction) = (value.significand, 0)
    case 0...62:
      whole = value.significand >> UInt64(63 - exponent)
      fraction = value.significand << UInt64(exponent + 1)
    case -1: fraction = value.significand
    default: fraction = 1
    }
    let half: UInt64 = 1 << 63
    let grew: Bool
    switch rounding {
    case .nearest: grew = fraction > half || (fraction == half && whole & 1 != 0)
    case .down: grew = value.sign && fraction != 0
    case .up: grew = !value.sign && fraction != 0
    case .zero: grew = false
    }
    if grew {
      let (sum, carry) = whole.addingReportingOverflow(1)
      if carry { return nil }
      whole = sum
    }
    return (whole, fraction != 0, grew)
  }
}
