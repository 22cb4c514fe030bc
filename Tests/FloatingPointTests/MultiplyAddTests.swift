// fma, fms, fnma, fmpy, fadd and fnorm against MPFR: value, flags and trap codes.
import CMPFR
import FloatingPoint
import Testing

@Suite(.serialized) struct MultiplyAddTests {
  /// The expected result of one operation on finite operands.
  static func expected(
    _ reference: Reference, _ operation: FP.MultiplyAdd, _ f3: RegisterFloat, _ f4: RegisterFloat,
    _ f2: RegisterFloat, isMultiply: Bool, _ model: Model
  ) -> Expected {
    let (a, b, c) = (reference.a, reference.b, reference.c)
    a.set(f3)
    b.set(f4)
    c.set(f2)
    if operation == .fnma { mpfr_neg(a.pointer, a.pointer, MPFR_RNDN) }
    if operation == .fms { mpfr_neg(c.pointer, c.pointer, MPFR_RNDN) }
    var expected = isMultiply
      ? reference.round(model) { mpfr_mul($0, a.pointer, b.pointer, $1) }
      : reference.round(model) { mpfr_fma($0, a.pointer, b.pointer, c.pointer, $1) }
    // D is raised for any unnormal operand, by definition of the encodings.
    let operands = isMultiply ? [f3, f4] : [f3, f4, f2]
    if operands.contains(where: isUnnormalEncoding) { expected.flags |= 2 }
    return expected
  }

  static func isUnnormalEncoding(_ value: RegisterFloat) -> Bool {
    let exponent = value.signExponent & 0x1ffff
    return value.signExponent & 0x3ffff != 0x1fffe || value.significand != 0
      ? (exponent == 0 ? value.significand != 0 : value.significand >> 63 == 0) : false
  }

  func compare(_ operation: FP.MultiplyAdd, _ model: Model, cases: Int, seed: UInt64) {
    var random = Random(seed)
    let reference = Reference()
    let environment = model.environment
    var failures = 0, commonCases = 0
    for _ in 0..<cases {
      var (f3, f4, f2) = random.triple(model)
      var isMultiply = false
      switch random.below(8) {
      case 0: f4 = .one  // fadd, fsub
      case 1: (f2, isMultiply) = (.zero, true)  // fmpy
      case 2: (f4, f2, isMultiply) = (.one, .zero, true)  // fnorm
      default: break
      }
      let wanted = Self.expected(reference, operation, f3, f4, f2, isMultiply: isMultiply, model)
      let result = FP.multiplyAdd(operation, f3: f3, f4: f4, f2: f2, addendIsFR0: isMultiply, environment)
      let found = Expected(value: result.value, flags: result.flags, trap: result.trap)
      if model.rounding == .nearest, model.enabled == 0,
        let common = FP.multiplyAddToNearest(
          operation, f3: f3, f4: f4, f2: f2, addendIsFR0: isMultiply, precision: UInt64(model.precision),
          exponents: (model.range.minimum + 65535, model.range.maximum + 65535))
      {
        commonCases += 1
        let alone = Expected(value: common.value, flags: common.inexact ? FloatFlag.inexact : 0, trap: 0)
        if alone != wanted { Issue.record("\(operation) \(model): \(f3) \(f4) \(f2): alone \(alone), not \(wanted)") }
      }
      if found != wanted || result.fault != 0 {
        failures += 1
        if failures <= 3 { Issue.record("\(operation) \(model): \(f3) \(f4) \(f2): \(found), not \(wanted)") }
      }
    }
    #expect(failures == 0)
    #expect(model.rounding != .nearest || model.enabled != 0 || commonCases > cases / 4)
  }

  @Test(arguments: FP.MultiplyAdd.allCases)
  func everyDestinationAndRounding(_ operation: FP.MultiplyAdd) {
    for (index, model) in Model.all.enumerated() {
      compare(operation, model, cases: casesPerModel, seed: UInt64(index) << 8 | UInt64(operation.rawValue))
    }
  }

  @Test func flushToZeroAndEnabledTraps() {
    for (index, base) in Model.all.enumerated() {
      var model = base
      model.flushToZero = true
      compare(.fma, model, cases: casesPerModel / 4, seed: 0x1_0000 + UInt64(index))
      for enabled: UInt8 in [8, 16, 32, 8 | 16 | 32, 16 | 32] {
        model.enabled = enabled
        model.flushToZero = index & 1 == 0
        compare(.fma, model, cases: casesPerModel / 10, seed: 0x2_0000 + UInt64(index) << 8 + UInt64(enabled))
      }
    }
  }
}
