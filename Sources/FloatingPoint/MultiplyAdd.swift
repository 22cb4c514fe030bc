// fma, fms, fnma and their pseudo-operations, their parallel forms, and xma.
//
// SDM volume 3, fma/fms/fnma/fpma/fpms/fpnma/xma; volume 1, 5.4.1 (order of checks): NaTVal, unsupported operand,
// NaN (the first of f4, f2, f3, quieted; its sign is never changed), infinity × zero and infinity − infinity,
// unnormal operand; then the exact f3 × f4 ± f2, rounded once. With FR 0 named as the addend the operation is the
// IEEE multiply: a zero product keeps its sign. A pseudo-zero computes as a zero, but times infinity is infinity.

extension FP {
  /// Which of the three: f3 × f4 + f2, f3 × f4 − f2, −(f3 × f4) + f2.
  package enum MultiplyAdd: UInt8, CaseIterable, Sendable {
    case fma, fms, fnma

    // Not by ==, which across modules is a call.
    @inlinable var negatesProduct: Bool {
      switch self {
      case .fnma: true
      default: false
      }
    }
    @inlinable var negatesAddend: Bool {
      switch self {
      case .fms: true
      default: false
      }
    }
  }

  /// fma, fms, fnma; with f4 = FR 1 fadd, fsub and fnorm, with `addendIsFR0` fmpy and fnmpy.
  /// - Parameter addendIsFR0: the instruction names f0 as its addend (not: the addend happens to be zero).
  @inlinable
  package static func multiplyAdd(
    _ operation: MultiplyAdd, f3: RegisterFloat, f4: RegisterFloat, f2: RegisterFloat, addendIsFR0: Bool,
    _ environment: FloatEnvironment
  ) -> FloatResult {
    if f3.isNormal && f4.isNormal && (f2.isNormal || f2.isZero) {
      return multiplyAddNormal(operation, f3, f4, f2, addendIsFR0: addendIsFR0, environment)
    }
    return multiplyAddSpecial(operation, f3, f4, f2, addendIsFR0, environment)
  }

  /// The common case by itself: rounding to nearest, normal factors, a normal or true zero addend, and a normal result
  /// whose exponent field lies in `exponents`. No exception but inexact can come of it. Nil: ask `multiplyAdd`.
  /// - Parameter precision: of the result in bits: 24, 53 or 64.
  @inlinable @inline(__always)
  package static func multiplyAddToNearest(
    _ operation: MultiplyAdd, f3: RegisterFloat, f4: RegisterFloat, f2: RegisterFloat, addendIsFR0: Bool,
    precision: UInt64, exponents: (minimum: Int, maximum: Int)
  ) -> (value: RegisterFloat, inexact: Bool)? {
    guard f3.isNormal, f4.isNormal else { return nil }
    let negative = (f3.signExponent ^ f4.signExponent) & RegisterFloat.signBit != 0
    var exact = exactProduct(
      negative != operation.negatesProduct, Int(truncatingIfNeeded: f3.exponentField), f3.significand,
      Int(truncatingIfNeeded: f4.exponentField), f4.significand)
    if !addendIsFR0 && !f2.isZero {
      guard f2.isNormal else { return nil }
      exact = exactSum(
        exact, f2.sign != operation.negatesAddend, Int(truncatingIfNeeded: f2.exponentField), f2.significand)
      if exact.high == 0 { return nil }
    }
    let drop = 64 &- precision
    let below: UInt64 = exact.low != 0 || exact.sticky ? 1 : 0
    let tail = drop == 0 ? exact.low | (exact.sticky ? 1 : 0) : exact.high &<< (64 &- drop) | below
    let unit: UInt64 = 1 &<< drop
    var kept = exact.high & ~(unit &- 1), exponent = exact.exponent
    if tail > 1 << 63 || (tail == 1 << 63 && kept & unit != 0) {
      kept = kept &+ unit
      if kept == 0 {
        kept = 1 << 63
        exponent &+= 1
      }
    }
    guard exponent >= exponents.minimum, exponent <= exponents.maximum else { return nil }
    return (RegisterFloat(sign: exact.sign, exponent: exponent, significand: kept), tail != 0)
  }

  /// The quick path: normal factors and a normal or zero addend.
  @usableFromInline
  static func multiplyAddNormal(
    _ operation: MultiplyAdd, _ f3: RegisterFloat, _ f4: RegisterFloat, _ f2: RegisterFloat, addendIsFR0: Bool,
    _ environment: FloatEnvironment
  ) -> FloatResult {
    let negative = (f3.signExponent ^ f4.signExponent) & RegisterFloat.signBit != 0
    let product = exactProduct(
      negative != operation.negatesProduct, Int(truncatingIfNeeded: f3.exponentField), f3.significand,
      Int(truncatingIfNeeded: f4.exponentField), f4.significand)
    if f2.significand == 0 || addendIsFR0 { return round(product, environment) }
    let addendSign = f2.sign != operation.negatesAddend
    let sum = exactSum(product, addendSign, Int(truncatingIfNeeded: f2.exponentField), f2.significand)
    if sum.high == 0 { return FloatResult(.zero(sign: environment.rounding == .down)) }
    return round(sum, environment)
  }

  /// Everything else: special values, zeros, unnormals.
  @usableFromInline
  static func multiplyAddSpecial(
    _ operation: MultiplyAdd, _ f3: RegisterFloat, _ f4: RegisterFloat, _ f2: RegisterFloat, _ addendIsFR0: Bool,
    _ environment: FloatEnvironment
  ) -> FloatResult {
    if f3.isNaTVal || f4.isNaTVal || f2.isNaTVal { return FloatResult(.natVal) }
    if f3.isUnsupported || f4.isUnsupported || f2.isUnsupported { return .invalid(environment) }
    if f3.isNaN || f4.isNaN || f2.isNaN {
      let first = f4.isNaN ? f4 : f2.isNaN ? f2 : f3
      let signaling = f3.isSignalingNaN || f4.isSignalingNaN || f2.isSignalingNaN
      return propagate(first, signaling, environment)
    }
    let productSign = (f3.sign != f4.sign) != operation.negatesProduct
    let addendSign = f2.sign != operation.negatesAddend
    let productIsInfinite = f3.isInfinity || f4.isInfinity
    if productIsInfinite && (f3.isZero || f4.isZero || (f2.isInfinity && productSign != addendSign)) {
      return .invalid(environment)
    }
    var result: FloatResult
    if productIsInfinite {
      result = FloatResult(.infinity(sign: productSign))
    } else if f2.isInfinity {
      result = FloatResult(.infinity(sign: addendSign))
    } else {
      result = multiplyAddFinite(f3, f4, f2, productSign, addendSign, addendIsFR0, environment)
    }
    if f3.isUnnormal || f4.isUnnormal || f2.isUnnormal { result.addDenormal(environment) }
    return result
  }

  /// A NaN operand as the result: quieted, with V if any operand was signaling.
  static func propagate(
    _ operand: RegisterFloat, _ signaling: Bool, _ environment: FloatEnvironment
  ) -> FloatResult {
    signaling
      ? .exception(FloatFlag.invalid, environment, operand.quieted)
      : FloatResult(operand.quieted)
  }

  private static func multiplyAddFinite(
    _ f3: RegisterFloat, _ f4: RegisterFloat, _ f2: RegisterFloat, _ productSign: Bool, _ addendSign: Bool,
    _ addendIsFR0: Bool, _ environment: FloatEnvironment
  ) -> FloatResult {
    let addendIsZero = f2.significand == 0
    if f3.significand == 0 || f4.significand == 0 {
      if addendIsFR0 { return FloatResult(.zero(sign: productSign)) }
      if addendIsZero {
        return FloatResult(.zero(sign: productSign == addendSign ? productSign : environment.rounding == .down))
      }
      let addend = UnpackedFloat(f2)
      return round(
        ExactFloat(sign: addendSign, exponent: addend.exponent, high: addend.significand, low: 0, sticky: false),
        environment)
    }
    let a = UnpackedFloat(f3)
    let b = UnpackedFloat(f4)
    let product = exactProduct(productSign, a.exponent, a.significand, b.exponent, b.significand)
    if addendIsZero { return round(product, environment) }
    let c = UnpackedFloat(f2)
    let sum = exactSum(product, addendSign, c.exponent, c.significand)
    if sum.high == 0 { return FloatResult(.zero(sign: environment.rounding == .down)) }
    return round(sum, environment)
  }

  /// The product of two normalized significands, exactly: 127 or 128 bits.
  @inlinable @inline(__always)
  static func exactProduct(_ sign: Bool, _ ea: Int, _ sa: UInt64, _ eb: Int, _ sb: UInt64) -> ExactFloat {
    var (high, low) = sa.multipliedFullWidth(by: sb)
    var exponent = ea &+ eb &- RegisterFloat.bias &+ 1
    if high >> 63 == 0 {
      high = high &<< 1 | low &>> 63
      low = low &<< 1
      exponent &-= 1
    }
    return ExactFloat(sign: sign, exponent: exponent, high: high, low: low, sticky: false)
  }

  /// An exact product plus ±significand × 2^(exponent − 65535 − 63); all zeros if they cancel.
  ///
  /// 128 bits and a sticky bit are enough for every precision up to 64: where bits are lost by the alignment, at most
  /// one leading bit cancels, but for operands one apart in exponent, whose single lost bit is kept by doubling.
  @inlinable @inline(__always)
  static func exactSum(_ term: ExactFloat, _ sign: Bool, _ exponent: Int, _ significand: UInt64) -> ExactFloat {
    let product = UInt128(term.high) << 64 | UInt128(term.low)
    let addend = UInt128(significand) << 64
    let productIsLarger = term.exponent != exponent ? term.exponent > exponent : product >= addend
    let large = productIsLarger ? product : addend
    let small = productIsLarger ? addend : product
    let distance = productIsLarger ? term.exponent &- exponent : exponent &- term.exponent
    var top = productIsLarger ? term.exponent : exponent

    var shifted: UInt128 = 0
    var sticky = true
    if distance < 128 {
      shifted = small &>> UInt128(truncatingIfNeeded: distance)
      sticky = shifted &<< UInt128(truncatingIfNeeded: distance) != small
    }
    var sum: UInt128
    if term.sign == sign {
      let (partial, carry) = large.addingReportingOverflow(shifted)
      sum = partial
      if carry {
        sticky = sticky || sum & 1 != 0
        sum = sum &>> 1 | (1 << 127)
        top &+= 1
      }
    } else {
      sum = large &- shifted &- (sticky ? 1 : 0)
      if sticky && distance == 1 && sum >> 127 == 0 {
        sum = large &<< 1 &- small
        sticky = false
        top &-= 1
      }
      // Zero stays zero: the shift count wraps.
      let shift = sum.leadingZeroBitCount
      sum = sum &<< UInt128(truncatingIfNeeded: shift)
      top &-= shift
    }
    return ExactFloat(
      sign: productIsLarger ? term.sign : sign, exponent: top, high: UInt64(truncatingIfNeeded: sum >> 64),
      low: UInt64(truncatingIfNeeded: sum), sticky: sticky)
  }

  /// fpma, fpms, fpnma, with `addendIsFR0` fpmpy and fpnmpy.
  /// - Parameter environment: from ``FPSR/parallelEnvironment(_:)``.
  package static func parallelMultiplyAdd(
    _ operation: MultiplyAdd, f3: RegisterFloat, f4: RegisterFloat, f2: RegisterFloat, addendIsFR0: Bool,
    _ environment: FloatEnvironment
  ) -> FloatResult {
    if f3.isNaTVal || f4.isNaTVal || f2.isNaTVal { return FloatResult(.natVal) }
    return pair(
      multiplyAdd(
        operation, f3: RegisterFloat(single: f3.high), f4: RegisterFloat(single: f4.high),
        f2: RegisterFloat(single: f2.high), addendIsFR0: addendIsFR0, environment),
      multiplyAdd(
        operation, f3: RegisterFloat(single: f3.low), f4: RegisterFloat(single: f4.low),
        f2: RegisterFloat(single: f2.low), addendIsFR0: addendIsFR0, environment))
  }

  /// Two results in single range as one pair: flags together, ISR codes side by side, predicates anded.
  static func pair(_ high: FloatResult, _ low: FloatResult) -> FloatResult {
    pair(laneBits(high.value), high, laneBits(low.value), low)
  }

  static func pair(_ highBits: UInt32, _ high: FloatResult, _ lowBits: UInt32, _ low: FloatResult) -> FloatResult {
    var result = FloatResult(
      RegisterFloat(high: highBits, low: lowBits), flags: high.flags | low.flags,
      predicate: high.predicate && low.predicate)
    result.fault = high.fault | low.fault << 4
    let trap = (high.trap & 0x7800) | (low.trap & 0x7800) >> 4
    result.trap = trap == 0 || result.fault != 0 ? 0 : trap | 1
    return result
  }

  /// A result in single range as a single; the exponent modulo 2^8, as enabled overflow and underflow leave it.
  static func laneBits(_ value: RegisterFloat) -> UInt32 {
    if !value.isNormal { return value.single }
    let exponent = UInt32(truncatingIfNeeded: value.exponentField &+ 128) & 0xff
    return (value.sign ? 1 << 31 : 0) | exponent << 23 | UInt32(truncatingIfNeeded: value.significand >> 40) & 0x7f_ffff
  }

  /// Which 64 bits of f3 × f4 + f2 xma delivers.
  package enum IntegerMultiplyAdd: UInt8, CaseIterable, Sendable {
    /// xma.l: the lower half, the same for signed and unsigned.
    case low
    /// xma.h: the upper half of the signed product; the addend is zero-extended.
    case high
    /// xma.hu: the upper half of the unsigned product.
    case highUnsigned
  }

  /// xma.l, xma.h, xma.hu on the significands. Nothing but NaTVal is special.
  @inlinable
  package static func integerMultiplyAdd(
    _ part: IntegerMultiplyAdd, f3: RegisterFloat, f4: RegisterFloat, f2: RegisterFloat
  ) -> RegisterFloat {
    if f3.isNaTVal || f4.isNaTVal || f2.isNaTVal { return .natVal }
    let (a, b, c) = (f3.significand, f4.significand, f2.significand)
    if part == .low { return RegisterFloat(integer: a &* b &+ c) }
    var (high, low) = a.multipliedFullWidth(by: b)
    if part == .high {
      // From the unsigned to the signed upper half.
      if a >> 63 != 0 { high &-= b }
      if b >> 63 != 0 { high &-= a }
    }
    let carry: Bool
    (low, carry) = low.addingReportingOverflow(c)
    return RegisterFloat(integer: carry ? high &+ 1 : high)
  }
}
