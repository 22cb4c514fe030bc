// What the manual fixes for special operands of the multiply-add family, comparisons, minima and maxima: tables made
// by hand, and comparisons of finite values against MPFR.
import CMPFR
import FloatingPoint
import Testing

private let quiet1 = RegisterFloat(significand: 3 << 62 | 1, signExponent: 0x1ffff)
private let quiet2 = RegisterFloat(significand: 3 << 62 | 2, signExponent: 0x3ffff)
private let quiet3 = RegisterFloat(significand: 3 << 62 | 3, signExponent: 0x1ffff)
private let signaling4 = RegisterFloat(significand: 1 << 63 | 4, signExponent: 0x3ffff)
private let quieted4 = RegisterFloat(significand: 3 << 62 | 4, signExponent: 0x3ffff)
private let unsupported = RegisterFloat(significand: 0x1234, signExponent: 0x1ffff)
private let pseudoZero = RegisterFloat(significand: 0, signExponent: 0x10000)
private let one = RegisterFloat.one
private let minusOne = RegisterFloat(significand: 1 << 63, signExponent: 0x2ffff)
private let two = RegisterFloat(significand: 1 << 63, signExponent: 0x10000)
private let zero = RegisterFloat.zero
private let minusZero = RegisterFloat.zero(sign: true)
private let infinity = RegisterFloat.infinity(sign: false)
private let minusInfinity = RegisterFloat.infinity(sign: true)
/// 1.0 with a leading zero: 0.1 × 2^1.
private let unnormalOne = RegisterFloat(significand: 1 << 62, signExponent: 0x10000)
private let unnormalTwo = RegisterFloat(significand: 1 << 61, signExponent: 0x10002)

@Suite(.serialized) struct SpecialValueTests {
  static func environment(_ rounding: RoundingControl = .nearest, enabled: UInt8 = 0) -> FloatEnvironment {
    Model(completer: .double, pc: 3, wre: false, rounding: rounding, enabled: enabled).environment
  }

  @Test func multiplyAdd() {
    // f3, f4, f2, result of fma (f2 not FR 0), flags.
    let cases: [(RegisterFloat, RegisterFloat, RegisterFloat, RegisterFloat, UInt8)] = [
      (.natVal, signaling4, unsupported, .natVal, 0), (one, one, .natVal, .natVal, 0),
      (unsupported, quiet1, one, .indefinite, 1), (one, one, unsupported, .indefinite, 1),
      // The first NaN of f4, f2, f3, quieted; V if any is signaling.
      (quiet1, quiet2, quiet3, quiet2, 0), (quiet1, one, quiet3, quiet3, 0), (quiet1, one, one, quiet1, 0),
      (signaling4, quiet2, one, quiet2, 1), (one, signaling4, quiet1, quieted4, 1),
      // A NaN is looked at before infinity × zero, and before unnormal operands.
      (infinity, zero, quiet1, quiet1, 0), (unnormalOne, quiet1, one, quiet1, 0),
      (infinity, zero, one, .indefinite, 1), (minusZero, minusInfinity, unnormalOne, .indefinite, 1),
      (infinity, pseudoZero, one, infinity, 2), (pseudoZero, minusInfinity, one, minusInfinity, 2),
      (infinity, one, minusInfinity, .indefinite, 1), (infinity, minusOne, minusInfinity, minusInfinity, 0),
      (one, one, minusInfinity, minusInfinity, 0), (unnormalOne, one, infinity, infinity, 2),
      (infinity, unnormalOne, one, infinity, 2),
      (pseudoZero, one, two, two, 2), (unnormalOne, unnormalTwo, zero, two, 2), (one, unnormalOne, one, two, 2),
      (zero, one, minusZero, zero, 0), (minusZero, one, minusZero, minusZero, 0), (one, minusOne, one, zero, 0),
      (zero, two, minusOne, minusOne, 0),
    ]
    for (f3, f4, f2, value, flags) in cases {
      let result = FP.multiplyAdd(.fma, f3: f3, f4: f4, f2: f2, addendIsFR0: false, Self.environment())
      #expect(result == FloatResult(value, flags: flags), "\(f3) \(f4) \(f2)")
      for bit: UInt8 in [1, 2] {
        let fault = FP.multiplyAdd(
          .fma, f3: f3, f4: f4, f2: f2, addendIsFR0: false, Self.environment(enabled: bit)).fault
        #expect(fault == flags & bit)
      }
    }
  }

  /// Signs of zero, of NaNs and of infinities in the three forms.
  @Test func signs() {
    func value(
      _ operation: FP.MultiplyAdd, _ f3: RegisterFloat, _ f4: RegisterFloat, _ f2: RegisterFloat?,
      _ rounding: RoundingControl = .nearest
    ) -> RegisterFloat {
      FP.multiplyAdd(
        operation, f3: f3, f4: f4, f2: f2 ?? .zero, addendIsFR0: f2 == nil, Self.environment(rounding)).value
    }
    // With FR 0 as the addend a zero product keeps its sign in every rounding mode.
    for rounding in RoundingControl.allCases {
      #expect(value(.fma, minusZero, one, nil, rounding) == minusZero)
      #expect(value(.fma, zero, one, nil, rounding) == zero)
      #expect(value(.fnma, zero, one, nil, rounding) == minusZero)
      #expect(value(.fms, minusZero, one, nil, rounding) == minusZero)
      // Any other zero addend: opposite signs give +0, but −0 rounding down.
      let cancelled = rounding == .down ? minusZero : zero
      #expect(value(.fma, minusZero, one, zero, rounding) == cancelled)
      #expect(value(.fms, one, one, one, rounding) == cancelled)
      #expect(value(.fnma, one, one, one, rounding) == cancelled)
      #expect(value(.fms, minusZero, one, zero, rounding) == minusZero)
    }
    #expect(value(.fnma, quiet2, one, one) == quiet2)
    #expect(value(.fms, one, one, quiet2) == quiet2)
    #expect(value(.fms, infinity, one, minusInfinity) == infinity)
    #expect(value(.fms, infinity, one, infinity) == .indefinite)
    #expect(value(.fnma, infinity, one, one) == minusInfinity)
    #expect(value(.fnma, infinity, one, infinity) == .indefinite)
  }

  /// Denormal operands as ldfd makes them: D, and the right value.
  @Test func denormalsFromMemory() {
    let tiny = RegisterFloat(double: 1)
    let sum = FP.multiplyAdd(.fma, f3: tiny, f4: one, f2: tiny, addendIsFR0: false, Self.environment())
    #expect(sum == FloatResult(RegisterFloat(significand: 2 << 11, signExponent: 0xfc01), flags: 2))
    #expect(sum.value.double == 2)
    // In double-extended range the same sum is a normal number.
    let extended = Model(completer: .none, pc: 3, wre: false, rounding: .nearest).environment
    let wide = FP.multiplyAdd(.fma, f3: tiny, f4: one, f2: tiny, addendIsFR0: false, extended)
    #expect(wide == FloatResult(RegisterFloat(significand: 1 << 63, signExponent: 0xffff - 1073), flags: 2))
  }

  @Test func comparisonsOfSpecialValues() {
    // f2, f3, does equal/less/lessOrEqual/unordered hold, V for quiet relations, V for lt and le, D.
    let cases: [(RegisterFloat, RegisterFloat, [Bool], Bool, Bool, Bool)] = [
      (zero, minusZero, [true, false, true, false], false, false, false),
      (zero, pseudoZero, [true, false, true, false], false, false, true),
      (one, unnormalOne, [true, false, true, false], false, false, true),
      (unnormalOne, two, [false, true, true, false], false, false, true),
      (minusOne, unnormalOne, [false, true, true, false], false, false, true),
      (minusInfinity, infinity, [false, true, true, false], false, false, false),
      (infinity, infinity, [true, false, true, false], false, false, false),
      (one, quiet1, [false, false, false, true], false, true, false),
      (quiet1, quiet1, [false, false, false, true], false, true, false),
      (signaling4, unnormalOne, [false, false, false, true], true, true, false),
      (unsupported, one, [false, false, false, true], true, true, false),
      (RegisterFloat(significand: 1 << 63, signExponent: 0), RegisterFloat(significand: 1 << 63, signExponent: 0xc001),
        [true, false, true, false], false, false, true),
    ]
    for (f2, f3, holds, quietV, signalV, denormal) in cases {
      for relation in FP.Relation.allCases {
        let found = FP.compare(relation, f2: f2, f3: f3, Self.environment())
        let invalid = relation == .less || relation == .lessOrEqual ? signalV : quietV
        let flags: UInt8 = (invalid ? 1 : 0) | (denormal ? 2 : 0)
        #expect(found.holds == holds[Int(relation.rawValue)] && found.flags == flags && !found.isNaT, "\(f2) \(f3)")
        #expect(FP.compare(relation, f2: f2, f3: f3, Self.environment(enabled: 3)).fault == flags)
      }
    }
    #expect(FP.compare(.equal, f2: .natVal, f3: signaling4, Self.environment()).isNaT)
    #expect(FP.compare(.unordered, f2: one, f3: .natVal, Self.environment(enabled: 63)).fault == 0)
  }

  @Test func minimaAndMaximaOfSpecialValues() {
    func value(_ operation: FP.MinimumMaximum, _ f2: RegisterFloat, _ f3: RegisterFloat) -> FloatResult {
      FP.minimumMaximum(operation, f2: f2, f3: f3, Self.environment())
    }
    for operation in FP.MinimumMaximum.allCases {
      // Equal values, NaNs: the second operand, unchanged; Invalid for every NaN.
      #expect(value(operation, zero, minusZero) == FloatResult(minusZero))
      #expect(value(operation, minusZero, zero) == FloatResult(zero))
      #expect(value(operation, quiet1, one) == FloatResult(one, flags: 1))
      #expect(value(operation, one, signaling4) == FloatResult(signaling4, flags: 1))
      #expect(value(operation, unsupported, unnormalOne) == FloatResult(unnormalOne, flags: 1))
      #expect(value(operation, one, unnormalOne) == FloatResult(unnormalOne, flags: 2))
      #expect(value(operation, one, .natVal) == FloatResult(.natVal))
      #expect(FP.minimumMaximum(operation, f2: quiet1, f3: one, Self.environment(enabled: 1)).fault == 1)
    }
    #expect(value(.fmin, minusOne, zero).value == minusOne && value(.fmax, minusOne, zero).value == zero)
    #expect(value(.famin, minusInfinity, one).value == one && value(.famax, minusInfinity, one).value == minusInfinity)
    // An unnormal that wins is copied as it is.
    #expect(value(.fmin, unnormalOne, two).value == unnormalOne)
    #expect(value(.famax, minusOne, one).value == one)
  }

  @Test func finiteComparisonsAgainstMPFR() {
    var random = Random(404)
    let (a, b) = (Number(precision: 64), Number(precision: 64))
    var failures = 0
    for _ in 0..<casesPerModel * 4 {
      let f2 = random.finite()
      var f3 = random.finite()
      switch random.below(3) {
      case 0: f3.signExponent = f2.signExponent
      case 1 where f2.significand >> 63 == 1 && f2.exponentField != 0 && f2.exponentField < 0x1ffc0:
        // The same value, or its negative, with leading zeros where they lose nothing.
        let shift = UInt64(min(random.below(40), f2.significand.trailingZeroBitCount))
        f3 = RegisterFloat(significand: f2.significand >> shift, signExponent: f2.signExponent + shift)
        if random.below(2) == 0 { f3.signExponent ^= 1 << 17 }
      default: break
      }
      if f3 == .natVal { continue }
      a.set(f2)
      b.set(f3)
      let order = mpfr_cmp(a.pointer, b.pointer)
      let magnitude = mpfr_cmpabs(a.pointer, b.pointer)
      let flags: UInt8 = MultiplyAddTests.isUnnormalEncoding(f2) || MultiplyAddTests.isUnnormalEncoding(f3) ? 2 : 0
      let holds = [order == 0, order < 0, order <= 0, false]
      for relation in FP.Relation.allCases {
        let found = FP.compare(relation, f2: f2, f3: f3, Self.environment())
        if found.holds != holds[Int(relation.rawValue)] || found.flags != flags { failures += 1 }
      }
      let winners = [order < 0, order > 0, magnitude < 0, magnitude > 0]
      for operation in FP.MinimumMaximum.allCases {
        let wanted = FloatResult(winners[Int(operation.rawValue)] ? f2 : f3, flags: flags)
        if FP.minimumMaximum(operation, f2: f2, f3: f3, Self.environment()) != wanted { failures += 1 }
      }
    }
    #expect(failures == 0)
  }
}
