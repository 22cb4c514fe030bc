// fcmp, fclass, fmin, fmax, famin, famax and the parallel comparisons.
//
// SDM volume 3, fcmp, fclass, fmin and their parallel forms. lt and le signal Invalid on any NaN, eq and unord on a
// signaling one; the minima and maxima signal as lt does and give f3 when either operand is a NaN or neither is less.
// An unsupported operand is unordered and Invalid. Unnormal operands raise D, and compare by value.

extension FP {
  /// fcmp's basic relations; the assembler makes the others by exchanging operands or predicates.
  package enum Relation: UInt8, CaseIterable, Sendable {
    case equal, less, lessOrEqual, unordered
  }

  /// What fcmp finds. On a fault nothing is written; on `isNaT` both predicates become zero.
  package struct Comparison: Equatable, Sendable {
    package var holds: Bool
    package var isNaT: Bool
    package var flags: UInt8
    /// As ``FloatResult/fault``.
    package var fault: UInt8

    @inlinable init(holds: Bool, isNaT: Bool = false, flags: UInt8 = 0, fault: UInt8 = 0) {
      self.holds = holds
      self.isNaT = isNaT
      self.flags = flags
      self.fault = fault
    }
  }

  /// Order of two values: −1, 0, 1, or 2 for unordered.
  @usableFromInline
  typealias Order = Int8

  /// fcmp on f2 and f3.
  package static func compare(
    _ relation: Relation, f2: RegisterFloat, f3: RegisterFloat, _ environment: FloatEnvironment
  ) -> Comparison {
    if f2.isNaTVal || f3.isNaTVal { return Comparison(holds: false, isNaT: true) }
    let signals = relation == .less || relation == .lessOrEqual
    let (order, flags) = checkedOrder(f2, f3, signals: signals, magnitude: false)
    return Comparison(
      holds: holds(relation, order), flags: flags, fault: flags & environment.enabled & 7)
  }

  @inlinable static func holds(_ relation: Relation, _ order: Order) -> Bool {
    switch relation {
    case .equal: order == 0
    case .less: order == -1
    case .lessOrEqual: order <= 0
    case .unordered: order == 2
    }
  }

  /// The order of two values that are not NaTVal, and the V or D flag that finding it raises.
  static func checkedOrder(
    _ a: RegisterFloat, _ b: RegisterFloat, signals: Bool, magnitude: Bool
  ) -> (order: Order, flags: UInt8) {
    if a.isUnsupported || b.isUnsupported { return (2, FloatFlag.invalid) }
    if a.isNaN || b.isNaN {
      let invalid = signals || a.isSignalingNaN || b.isSignalingNaN
      return (2, invalid ? FloatFlag.invalid : 0)
    }
    let flags = a.isUnnormal || b.isUnnormal ? FloatFlag.denormal : 0
    return (order(a, b, magnitude: magnitude), flags)
  }

  /// The order of two finite or infinite values.
  private static func order(_ a: RegisterFloat, _ b: RegisterFloat, magnitude: Bool) -> Order {
    let (aIsZero, bIsZero) = (a.hasZeroValue, b.hasZeroValue)
    let aSign = a.sign && !magnitude
    let bSign = b.sign && !magnitude
    if aIsZero && bIsZero { return 0 }
    if aIsZero { return bSign ? 1 : -1 }
    if bIsZero { return aSign ? -1 : 1 }
    if aSign != bSign { return aSign ? -1 : 1 }
    let x = UnpackedFloat(a)
    let y = UnpackedFloat(b)
    if x.exponent == y.exponent && x.significand == y.significand { return 0 }
    let smaller = x.exponent != y.exponent ? x.exponent < y.exponent : x.significand < y.significand
    return smaller != aSign ? -1 : 1
  }

  /// fclass's nine-bit mask: whether the value belongs to one of the classes.
  ///
  /// Bits 0 positive, 1 negative, 2 zero, 3 unnormal, 4 normal, 5 infinity, 6 signaling NaN, 7 quiet NaN, 8 NaTVal;
  /// the signs count for the four classes of bits 2 to 5. `isNaT`: a NaTVal that the mask does not ask for, on which
  /// both predicates become zero. Raises nothing.
  package static func classify(_ value: RegisterFloat, mask: UInt32) -> Comparison {
    func asks(_ bit: UInt32) -> Bool { mask >> bit & 1 != 0 }
    if value.isNaTVal { return Comparison(holds: asks(8), isNaT: !asks(8)) }
    if value.isNaN { return Comparison(holds: asks(value.isQuietNaN ? 7 : 6)) }
    let kind: UInt32? = value.isZero ? 2 : value.isUnnormal ? 3 : value.isNormal ? 4 : value.isInfinity ? 5 : nil
    guard let kind else { return Comparison(holds: false) }
    return Comparison(holds: asks(kind) && asks(value.sign ? 1 : 0))
  }

  package enum MinimumMaximum: UInt8, CaseIterable, Sendable {
    case fmin, fmax, famin, famax

    var isMaximum: Bool { self == .fmax || self == .famax }
    var isMagnitude: Bool { self == .famin || self == .famax }
  }

  /// fmin, fmax, famin, famax: f2 if it is strictly the smaller (larger) one, else f3, copied bit for bit.
  package static func minimumMaximum(
    _ operation: MinimumMaximum, f2: RegisterFloat, f3: RegisterFloat, _ environment: FloatEnvironment
  ) -> FloatResult {
    if f2.isNaTVal || f3.isNaTVal { return FloatResult(.natVal) }
    let (order, flags) = checkedOrder(f2, f3, signals: true, magnitude: operation.isMagnitude)
    return .exception(flags, environment, order == (operation.isMaximum ? 1 : -1) ? f2 : f3)
  }

  /// fpmin, fpmax, fpamin, fpamax.
  package static func parallelMinimumMaximum(
    _ operation: MinimumMaximum, f2: RegisterFloat, f3: RegisterFloat, _ environment: FloatEnvironment
  ) -> FloatResult {
    if f2.isNaTVal || f3.isNaTVal { return FloatResult(.natVal) }
    func lane(_ a: UInt32, _ b: UInt32) -> (UInt32, FloatResult) {
      let (order, flags) = checkedOrder(
        RegisterFloat(single: a), RegisterFloat(single: b), signals: true, magnitude: operation.isMagnitude)
      let bits = order == (operation.isMaximum ? 1 : -1) ? a : b
      return (bits, .exception(flags, environment, .zero))
    }
    let (high, highResult) = lane(f2.high, f3.high)
    let (low, lowResult) = lane(f2.low, f3.low)
    return pair(high, highResult, low, lowResult)
  }

  /// fpcmp: a mask of ones in each half where the relation, or its negation (neq, nlt, nle, ord), holds.
  package static func parallelCompare(
    _ relation: Relation, negated: Bool, f2: RegisterFloat, f3: RegisterFloat, _ environment: FloatEnvironment
  ) -> FloatResult {
    if f2.isNaTVal || f3.isNaTVal { return FloatResult(.natVal) }
    let signals = relation == .less || relation == .lessOrEqual
    func lane(_ a: UInt32, _ b: UInt32) -> (UInt32, FloatResult) {
      let (order, flags) = checkedOrder(
        RegisterFloat(single: a), RegisterFloat(single: b), signals: signals, magnitude: false)
      return (holds(relation, order) != negated ? ~0 : 0, .exception(flags, environment, .zero))
    }
    let (high, highResult) = lane(f2.high, f3.high)
    let (low, lowResult) = lane(f2.low, f3.low)
    return pair(high, highResult, low, lowResult)
  }
}
