// frcpa, frsqrta and their parallel forms: table approximations, and exact quotients and roots where the
// architecture asks for them.
//
// SDM volume 3, frcpa, frsqrta, fprcpa, fprsqrta. The two tables are published architecture: eleven significant bits,
// indexed by the operand's leading fraction bits (and, for the root, by the parity of its exponent). Each entry is the
// function's value at the middle of its interval, rounded to nearest; that reproduces every published entry, and the
// errors stay below 2^-8.886 and 2^-8.831. Two public transcriptions agree with it but for one misprint in one of
// them (the root's entry 134, 0x3cd for 0x3ce).
//
// Where an operand is so near the ends of the exponent range that the iterations after a scalar frcpa or frsqrta
// could fail, the manual has software compute the IEEE quotient or square root under the status field's precision and
// rounding and clear p2 (the Software Assist fault). This implementation delivers just that by itself. The parallel
// forms clear p2 in such cases and still give approximations, but for a denominator whose reciprocal is out of range:
// infinity or zero with the denominator's sign. The limits (unbiased exponents of numerator a, denominator b):
// b < e_min, b ≥ e_max − 2, a − b ≥ e_max, a − b ≤ e_min + 1, a ≤ e_min + N − 1, with e_min, e_max and N of the
// register format (−65534, 65535, 64) or of single (−126, 127, 24).
//
// fprsqrta gives the reciprocal of the root for zeros and infinities too (infinity and zero), where frsqrta gives the
// root itself.

extension FP {
  /// 1/x for x in [1, 2): 11 bits, the leading one of weight 1/2.
  static let reciprocalTable: InlineArray<256, UInt16> = [
    0x7fc, 0x7f4, 0x7ec, 0x7e4, 0x7dd, 0x7d5, 0x7cd, 0x7c6, 0x7be, 0x7b7, 0x7af, 0x7a8,
    0x7a1, 0x799, 0x792, 0x78b, 0x784, 0x77d, 0x776, 0x76f, 0x768, 0x761, 0x75b, 0x754,
    0x74d, 0x746, 0x740, 0x739, 0x733, 0x72c, 0x726, 0x720, 0x719, 0x713, 0x70d, 0x707,
    0x700, 0x6fa, 0x6f4, 0x6ee, 0x6e8, 0x6e2, 0x6dc, 0x6d7, 0x6d1, 0x6cb, 0x6c5, 0x6bf,
    0x6ba, 0x6b4, 0x6af, 0x6a9, 0x6a3, 0x69e, 0x699, 0x693, 0x68e, 0x688, 0x683, 0x67e,
    0x679, 0x673, 0x66e, 0x669, 0x664, 0x65f, 0x65a, 0x655, 0x650, 0x64b, 0x646, 0x641,
    0x63c, 0x637, 0x632, 0x62e, 0x629, 0x624, 0x61f, 0x61b, 0x616, 0x611, 0x60d, 0x608,
    0x604, 0x5ff, 0x5fb, 0x5f6, 0x5f2, 0x5ed, 0x5e9, 0x5e5, 0x5e0, 0x5dc, 0x5d8, 0x5d4,
    0x5cf, 0x5cb, 0x5c7, 0x5c3, 0x5bf, 0x5bb, 0x5b6, 0x5b2, 0x5ae, 0x5aa, 0x5a6, 0x5a2,
    0x59e, 0x59a, 0x597, 0x593, 0x58f, 0x58b, 0x587, 0x583, 0x57f, 0x57c, 0x578, 0x574,
    0x571, 0x56d, 0x569, 0x566, 0x562, 0x55e, 0x55b, 0x557, 0x554, 0x550, 0x54d, 0x549,
    0x546, 0x542, 0x53f, 0x53b, 0x538, 0x534, 0x531, 0x52e, 0x52a, 0x527, 0x524, 0x520,
    0x51d, 0x51a, 0x517, 0x513, 0x510, 0x50d, 0x50a, 0x507, 0x503, 0x500, 0x4fd, 0x4fa,
    0x4f7, 0x4f4, 0x4f1, 0x4ee, 0x4eb, 0x4e8, 0x4e5, 0x4e2, 0x4df, 0x4dc, 0x4d9, 0x4d6,
    0x4d3, 0x4d0, 0x4cd, 0x4ca, 0x4c8, 0x4c5, 0x4c2, 0x4bf, 0x4bc, 0x4b9, 0x4b7, 0x4b4,
    0x4b1, 0x4ae, 0x4ac, 0x4a9, 0x4a6, 0x4a4, 0x4a1, 0x49e, 0x49c, 0x499, 0x496, 0x494,
    0x491, 0x48e, 0x48c, 0x489, 0x487, 0x484, 0x482, 0x47f, 0x47c, 0x47a, 0x477, 0x475,
    0x473, 0x470, 0x46e, 0x46b, 0x469, 0x466, 0x464, 0x461, 0x45f, 0x45d, 0x45a, 0x458,
    0x456, 0x453, 0x451, 0x44f, 0x44c, 0x44a, 0x448, 0x445, 0x443, 0x441, 0x43f, 0x43c,
    0x43a, 0x438, 0x436, 0x433, 0x431, 0x42f, 0x42d, 0x42b, 0x429, 0x426, 0x424, 0x422,
    0x420, 0x41e, 0x41c, 0x41a, 0x418, 0x415, 0x413, 0x411, 0x40f, 0x40d, 0x40b, 0x409,
    0x407, 0x405, 0x403, 0x401,
  ]

  /// 1/√x, 11 bits, the leading one of weight 1/2: for x in [2, 4) first, then for x in [1, 2).
  static let reciprocalRootTable: InlineArray<256, UInt16> = [
    0x5a5, 0x5a0, 0x59a, 0x595, 0x58f, 0x58a, 0x585, 0x580, 0x57a, 0x575, 0x570, 0x56b,
    0x566, 0x561, 0x55d, 0x558, 0x553, 0x54e, 0x54a, 0x545, 0x540, 0x53c, 0x538, 0x533,
    0x52f, 0x52a, 0x526, 0x522, 0x51e, 0x51a, 0x515, 0x511, 0x50d, 0x509, 0x505, 0x501,
    0x4fd, 0x4fa, 0x4f6, 0x4f2, 0x4ee, 0x4ea, 0x4e7, 0x4e3, 0x4df, 0x4dc, 0x4d8, 0x4d5,
    0x4d1, 0x4ce, 0x4ca, 0x4c7, 0x4c3, 0x4c0, 0x4bd, 0x4b9, 0x4b6, 0x4b3, 0x4b0, 0x4ad,
    0x4a9, 0x4a6, 0x4a3, 0x4a0, 0x49d, 0x49a, 0x497, 0x494, 0x491, 0x48e, 0x48b, 0x488,
    0x485, 0x482, 0x47f, 0x47d, 0x47a, 0x477, 0x474, 0x471, 0x46f, 0x46c, 0x469, 0x467,
    0x464, 0x461, 0x45f, 0x45c, 0x45a, 0x457, 0x454, 0x452, 0x44f, 0x44d, 0x44a, 0x448,
    0x445, 0x443, 0x441, 0x43e, 0x43c, 0x43a, 0x437, 0x435, 0x433, 0x430, 0x42e, 0x42c,
    0x429, 0x427, 0x425, 0x423, 0x420, 0x41e, 0x41c, 0x41a, 0x418, 0x416, 0x414, 0x411,
    0x40f, 0x40d, 0x40b, 0x409, 0x407, 0x405, 0x403, 0x401, 0x7fc, 0x7f4, 0x7ec, 0x7e5,
    0x7dd, 0x7d5, 0x7ce, 0x7c7, 0x7bf, 0x7b8, 0x7b1, 0x7aa, 0x7a3, 0x79c, 0x795, 0x78e,
    0x788, 0x781, 0x77a, 0x774, 0x76d, 0x767, 0x761, 0x75a, 0x754, 0x74e, 0x748, 0x742,
    0x73c, 0x736, 0x730, 0x72b, 0x725, 0x71f, 0x71a, 0x714, 0x70f, 0x709, 0x704, 0x6fe,
    0x6f9, 0x6f4, 0x6ee, 0x6e9, 0x6e4, 0x6df, 0x6da, 0x6d5, 0x6d0, 0x6cb, 0x6c6, 0x6c1,
    0x6bd, 0x6b8, 0x6b3, 0x6ae, 0x6aa, 0x6a5, 0x6a1, 0x69c, 0x698, 0x693, 0x68f, 0x68a,
    0x686, 0x682, 0x67d, 0x679, 0x675, 0x671, 0x66d, 0x668, 0x664, 0x660, 0x65c, 0x658,
    0x654, 0x650, 0x64c, 0x649, 0x645, 0x641, 0x63d, 0x639, 0x635, 0x632, 0x62e, 0x62a,
    0x627, 0x623, 0x620, 0x61c, 0x618, 0x615, 0x611, 0x60e, 0x60a, 0x607, 0x604, 0x600,
    0x5fd, 0x5f9, 0x5f6, 0x5f3, 0x5f0, 0x5ec, 0x5e9, 0x5e6, 0x5e3, 0x5df, 0x5dc, 0x5d9,
    0x5d6, 0x5d3, 0x5d0, 0x5cd, 0x5ca, 0x5c7, 0x5c4, 0x5c1, 0x5be, 0x5bb, 0x5b8, 0x5b5,
    0x5b2, 0x5af, 0x5ac, 0x5aa,
  ]

  private struct Limits {
    let minimum: Int
    let maximum: Int
    let precision: Int
    static let register = Limits(minimum: -65534, maximum: 65535, precision: 64)
    static let single = Limits(minimum: -126, maximum: 127, precision: 24)

    func denominatorTooSmall(_ b: Int) -> Bool { b < minimum }
    func denominatorTooLarge(_ b: Int) -> Bool { b >= maximum - 2 }
    func quotientOutside(_ a: Int, _ b: Int) -> Bool {
      a - b >= maximum || a - b <= minimum + 1 || operandTooSmall(a)
    }
    func operandTooSmall(_ a: Int) -> Bool { a <= minimum + precision - 1 }
  }

  /// frcpa: f2 / f3 for special operands, else an approximation of 1 / f3 with the predicate set.
  /// - Parameter environment: that of the status field without completer.
  package static func reciprocalApproximation(
    f2: RegisterFloat, f3: RegisterFloat, _ environment: FloatEnvironment
  ) -> FloatResult {
    if f2.isNaTVal || f3.isNaTVal { return FloatResult(.natVal) }
    if let special = specialQuotient(f2, f3, environment) { return special }
    let a = UnpackedFloat(f2)
    let b = UnpackedFloat(f3)
    let (ea, eb) = (a.exponent - RegisterFloat.bias, b.exponent - RegisterFloat.bias)
    let limits = Limits.register
    var result: FloatResult
    if limits.denominatorTooSmall(eb) || limits.denominatorTooLarge(eb) || limits.quotientOutside(ea, eb) {
      result = round(exactQuotient(a, b), environment)
    } else {
      result = FloatResult(reciprocal(b), predicate: true)
    }
    if f2.isUnnormal || f3.isUnnormal { result.addDenormal(environment) }
    return result
  }

  /// frcpa's common case by itself: two normal operands far from the ends of the exponent range. Nil:
  /// `reciprocalApproximation` is to be asked; else its value, the predicate set, and no exception.
  package static func commonReciprocal(f2: RegisterFloat, f3: RegisterFloat) -> RegisterFloat? {
    let middle = 0x9000...0x16fff as ClosedRange<UInt64>
    guard f2.isNormal, f3.isNormal, middle.contains(f2.exponentField), middle.contains(f3.exponentField) else {
      return nil
    }
    return reciprocal(UnpackedFloat(f3))
  }

  /// frsqrta: √f3 for special operands, else an approximation of 1 / √f3 with the predicate set.
  package static func reciprocalRootApproximation(
    f3: RegisterFloat, _ environment: FloatEnvironment
  ) -> FloatResult {
    if f3.isNaTVal { return FloatResult(.natVal) }
    if let invalid = invalidRoot(f3, environment) { return invalid }
    var result: FloatResult
    if f3.isInfinity {
      result = FloatResult(f3)
    } else if f3.significand == 0 {
      result = FloatResult(.zero(sign: f3.sign))
    } else {
      let value = UnpackedFloat(f3)
      if Limits.register.operandTooSmall(value.exponent - RegisterFloat.bias) {
        result = round(exactRoot(value), environment)
      } else {
        result = FloatResult(reciprocalRoot(value), predicate: true)
      }
    }
    if f3.isUnnormal { result.addDenormal(environment) }
    return result
  }

  /// fprcpa: frcpa in each half; the predicate is set if both halves are good approximations.
  package static func parallelReciprocalApproximation(
    f2: RegisterFloat, f3: RegisterFloat, _ environment: FloatEnvironment
  ) -> FloatResult {
    if f2.isNaTVal || f3.isNaTVal { return FloatResult(.natVal) }
    return pair(
      reciprocalLane(RegisterFloat(single: f2.high), RegisterFloat(single: f3.high), environment),
      reciprocalLane(RegisterFloat(single: f2.low), RegisterFloat(single: f3.low), environment))
  }

  /// fprsqrta: 1 / √f3 in each half; the predicate is set if both halves are good approximations.
  package static func parallelReciprocalRootApproximation(
    f3: RegisterFloat, _ environment: FloatEnvironment
  ) -> FloatResult {
    if f3.isNaTVal { return FloatResult(.natVal) }
    return pair(
      reciprocalRootLane(RegisterFloat(single: f3.high), environment),
      reciprocalRootLane(RegisterFloat(single: f3.low), environment))
  }

  private static func reciprocalLane(
    _ f2: RegisterFloat, _ f3: RegisterFloat, _ environment: FloatEnvironment
  ) -> FloatResult {
    if let special = specialQuotient(f2, f3, environment) { return special }
    let b = UnpackedFloat(f3)
    let ea = UnpackedFloat(f2).exponent - RegisterFloat.bias
    let eb = b.exponent - RegisterFloat.bias
    let limits = Limits.single
    var result: FloatResult
    if limits.denominatorTooSmall(eb) {
      result = FloatResult(.infinity(sign: b.sign))
    } else if limits.denominatorTooLarge(eb) {
      result = FloatResult(.zero(sign: b.sign))
    } else {
      result = FloatResult(reciprocal(b), predicate: !limits.quotientOutside(ea, eb))
    }
    if f2.isUnnormal || f3.isUnnormal { result.addDenormal(environment) }
    return result
  }

  private static func reciprocalRootLane(_ f3: RegisterFloat, _ environment: FloatEnvironment) -> FloatResult {
    if let invalid = invalidRoot(f3, environment) { return invalid }
    if f3.isInfinity { return FloatResult(.zero) }
    if f3.isZero { return FloatResult(.infinity(sign: f3.sign)) }
    let value = UnpackedFloat(f3)
    let good = !Limits.single.operandTooSmall(value.exponent - RegisterFloat.bias)
    var result = FloatResult(reciprocalRoot(value), predicate: good)
    if f3.isUnnormal { result.addDenormal(environment) }
    return result
  }

  /// f2 / f3 where no approximation is needed: NaNs, infinities, zeros and pseudo-zeros. Nil for two finite
  /// non-zero operands.
  private static func specialQuotient(
    _ f2: RegisterFloat, _ f3: RegisterFloat, _ environment: FloatEnvironment
  ) -> FloatResult? {
    if f2.isNormal && f3.isNormal { return nil }
    if f2.isUnsupported || f3.isUnsupported { return .invalid(environment) }
    if f2.isNaN || f3.isNaN {
      return propagate(f2.isNaN ? f2 : f3, f2.isSignalingNaN || f3.isSignalingNaN, environment)
    }
    let sign = f2.sign != f3.sign
    let (zeroNumerator, zeroDenominator) = (f2.hasZeroValue, f3.hasZeroValue)
    if (f2.isInfinity && f3.isInfinity) || (zeroNumerator && zeroDenominator) { return .invalid(environment) }
    if zeroDenominator && !f2.isInfinity {
      return .exception(FloatFlag.zeroDivide, environment, .infinity(sign: sign))
    }
    var result: FloatResult
    if f2.isInfinity {
      result = FloatResult(.infinity(sign: sign))
    } else if f3.isInfinity || zeroNumerator {
      result = FloatResult(.zero(sign: sign))
    } else {
      return nil
    }
    if f2.isUnnormal || f3.isUnnormal { result.addDenormal(environment) }
    return result
  }

  /// The result for operands without a root: NaNs, unsupported ones, negative ones that are not zeros.
  private static func invalidRoot(_ f3: RegisterFloat, _ environment: FloatEnvironment) -> FloatResult? {
    if f3.isUnsupported { return .invalid(environment) }
    if f3.isNaN { return propagate(f3, f3.isSignalingNaN, environment) }
    return f3.sign && !f3.hasZeroValue ? .invalid(environment) : nil
  }

  private static func reciprocal(_ value: UnpackedFloat) -> RegisterFloat {
    let entry = reciprocalTable[Int(truncatingIfNeeded: value.significand >> 55 & 0xff)]
    return RegisterFloat(
      sign: value.sign, exponent: 2 * RegisterFloat.bias - 1 - value.exponent, significand: UInt64(entry) << 53)
  }

  private static func reciprocalRoot(_ value: UnpackedFloat) -> RegisterFloat {
    let parity = value.exponent & 1
    let entry = reciprocalRootTable[parity << 7 | Int(truncatingIfNeeded: value.significand >> 56 & 0x7f)]
    return RegisterFloat(
      sign: false, exponent: RegisterFloat.bias - 1 - (value.exponent - RegisterFloat.bias) >> 1,
      significand: UInt64(entry) << 53)
  }

  private static func exactQuotient(_ a: UnpackedFloat, _ b: UnpackedFloat) -> ExactFloat {
    // Shift the dividend so that the quotient has its top bit set.
    let below = a.significand < b.significand
    let dividend = below
      ? (high: a.significand, low: UInt64(0)) : (high: a.significand >> 1, low: a.significand << 63)
    let (high, remainder) = b.significand.dividingFullWidth(dividend)
    let (low, rest) = b.significand.dividingFullWidth((remainder, 0))
    return ExactFloat(
      sign: a.sign != b.sign, exponent: a.exponent - b.exponent + RegisterFloat.bias - (below ? 1 : 0),
      high: high, low: low, sticky: rest != 0)
  }

  private static func exactRoot(_ value: UnpackedFloat) -> ExactFloat {
    let exponent = value.exponent - RegisterFloat.bias
    let radicand = UInt128(value.significand) << UInt128(63 + (exponent & 1))
    // Bit by bit; the root has 64 bits with the top one set.
    var root: UInt64 = 0
    for bit in (0..<64).reversed() {
      let candidate = root | 1 << UInt64(bit)
      if UInt128(candidate) * UInt128(candidate) <= radicand { root = candidate }
    }
    let remainder = radicand - UInt128(root) * UInt128(root)
    // The root's fraction exceeds 1/2 exactly if the remainder exceeds the root; it never equals 1/2.
    return ExactFloat(
      sign: false, exponent: exponent >> 1 + RegisterFloat.bias, high: root,
      low: remainder > UInt128(root) ? 1 << 63 : 0, sticky: remainder != 0)
  }
}
