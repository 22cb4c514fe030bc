// The independent reference: MPFR computes, and the manual's rules for range, flags and encodings are applied to
// what it says. Shares no code with the module under test but the register type itself.
import CMPFR
import FloatingPoint

/// An MPFR number.
final class Number {
  let pointer: UnsafeMutablePointer<__mpfr_struct>

  init(precision: Int) {
    pointer = .allocate(capacity: 1)
    mpfr_init2(pointer, mpfr_prec_t(precision))
  }

  deinit {
    mpfr_clear(pointer)
    pointer.deallocate()
  }

  /// Sets a finite register value, exactly; the precision must be 64 or more.
  func set(_ value: RegisterFloat) {
    let exponent = value.signExponent & 0x1ffff
    let negative = value.signExponent >> 17 & 1 == 1
    if value.significand == 0 {
      mpfr_set_zero(pointer, negative ? -1 : 1)
      return
    }
    let power = Int(exponent == 0 ? 0xc001 : exponent) - 65535 - 63
    mpfr_set_ui_2exp(pointer, UInt(value.significand), mpfr_exp_t(power), MPFR_RNDN)
    if negative { mpfr_neg(pointer, pointer, MPFR_RNDN) }
  }

  var isZero: Bool { mpfr_zero_p(pointer) != 0 }
  var isInfinite: Bool { mpfr_inf_p(pointer) != 0 }
  var isNegative: Bool { mpfr_signbit(pointer) != 0 }
  /// e of a value in [2^e, 2^(e+1)).
  var exponent: Int { Int(pointer.pointee._mpfr_exp) - 1 }
  /// The significand of a number of at most 64 bits, integer bit in bit 63.
  var significand: UInt64 { UInt64(pointer.pointee._mpfr_d[0]) }
}

/// A destination by the manual's table 5-6, written down a second time.
struct Model: CustomStringConvertible {
  var completer: PrecisionCompleter
  var pc: UInt64
  var wre: Bool
  var rounding: RoundingControl
  var flushToZero = false
  /// Trap enables, as FloatFlag bits.
  var enabled: UInt8 = 0

  var controls: UInt64 {
    (flushToZero ? 1 : 0) | (wre ? 2 : 0) | pc << 2 | UInt64(rounding.rawValue) << 4
  }

  /// An FPSR with this model in status field 1.
  var fpsr: FPSR { FPSR(bits: UInt64(~enabled & 0x3f) | controls << 19) }
  var environment: FloatEnvironment { fpsr.environment(1, completer) }

  var precision: Int {
    switch completer {
    case .single: 24
    case .double: 53
    case .none: pc == 0 ? 24 : pc == 2 ? 53 : 64
    }
  }

  /// Unbiased exponent range of normal numbers.
  var range: (minimum: Int, maximum: Int) {
    if wre { return (-65534, 65535) }
    switch completer {
    case .single: return (-126, 127)
    case .double: return (-1022, 1023)
    case .none: return (-16382, 16383)
    }
  }

  var denormalExponentField: Int {
    if wre { return 1 }
    switch completer {
    case .single: return 0x0ff81
    case .double: return 0x0fc01
    case .none: return 0
    }
  }

  var mode: mpfr_rnd_t {
    switch rounding {
    case .nearest: MPFR_RNDN
    case .down: MPFR_RNDD
    case .up: MPFR_RNDU
    case .zero: MPFR_RNDZ
    }
  }

  var description: String { "\(completer) pc=\(pc) wre=\(wre) \(rounding) ftz=\(flushToZero) enabled=\(enabled)" }

  /// Every precision × range × rounding: 40 models.
  static var all: [Model] {
    var models: [Model] = []
    let destinations: [(PrecisionCompleter, UInt64)] = [(.single, 3), (.double, 3), (.none, 0), (.none, 2), (.none, 3)]
    for (completer, pc) in destinations {
      for wre in [false, true] {
        for rounding in RoundingControl.allCases {
          models.append(Model(completer: completer, pc: pc, wre: wre, rounding: rounding))
        }
      }
    }
    return models
  }

  /// Those an instruction without completer can have: 24 models.
  static var withoutCompleter: [Model] { all.filter { $0.completer == .none } }
}

struct Expected: Equatable {
  var value: RegisterFloat
  var flags: UInt8
  var trap: UInt16
}

/// Rounds what `compute` computes (one correctly rounded MPFR operation) as the model says.
final class Reference {
  let a = Number(precision: 64)
  let b = Number(precision: 64)
  let c = Number(precision: 64)
  private var results: [Int: Number] = [:]

  private func result(_ precision: Int) -> Number {
    if let number = results[precision] { return number }
    let number = Number(precision: precision)
    results[precision] = number
    return number
  }

  func round(
    _ model: Model, _ compute: (UnsafeMutablePointer<__mpfr_struct>, mpfr_rnd_t) -> Int32
  ) -> Expected {
    let number = result(model.precision)
    let (minimum, maximum) = model.range
    let ternary = compute(number.pointer, model.mode)
    if number.isZero { return Expected(value: zero(number.isNegative), flags: 0, trap: 0) }
    let isTiny = number.exponent < minimum
    let isHuge = number.exponent > maximum
    let enabled = model.enabled

    if (isTiny && enabled & 16 != 0) || (isHuge && enabled & 8 != 0) {
      // The result of unbounded range, its exponent cut to 17 bits.
      let value = encode(number, model, wrap: true)
      return finish(value, (isTiny ? 16 : 8) | (ternary != 0 ? 32 : 0), ternary, number.isNegative, enabled)
    }
    if isTiny && model.flushToZero {
      return finish(zero(number.isNegative), 48, 0, number.isNegative, enabled)
    }
    if isHuge { return overflow(number.isNegative, model) }
    if isTiny { return denormal(model, compute) }
    return finish(encode(number, model, wrap: false), ternary != 0 ? 32 : 0, ternary, number.isNegative, enabled)
  }

  /// Overflow with its trap disabled: infinity or the largest finite value, by rounding direction.
  private func overflow(_ negative: Bool, _ model: Model) -> Expected {
    let away = switch model.rounding {
    case .nearest: true
    case .down: negative
    case .up: !negative
    case .zero: false
    }
    let sign: UInt64 = negative ? 1 << 17 : 0
    let value = away
      ? RegisterFloat(significand: 1 << 63, signExponent: sign | 0x1ffff)
      : RegisterFloat(
        significand: ~0 << UInt64(64 - model.precision), signExponent: sign | UInt64(model.range.maximum + 65535))
    return finish(value, 8 | 32, away ? (negative ? -1 : 1) : 0, negative, model.enabled)
  }

  /// A tiny result with the underflow trap disabled: the exact result rounded once, to as many bits as are left.
  private func denormal(
    _ model: Model, _ compute: (UnsafeMutablePointer<__mpfr_struct>, mpfr_rnd_t) -> Int32
  ) -> Expected {
    let minimum = model.range.minimum
    // Truncation tells the exact value's exponent.
    let truncated = result(model.precision)
    let lost = compute(truncated.pointer, MPFR_RNDZ) != 0
    let negative = truncated.isNegative
    let bits = model.precision - (minimum - truncated.exponent)
    if bits >= 1 {
      let number = result(bits)
      let ternary = compute(number.pointer, model.mode)
      return finish(encode(number, model, wrap: false), ternary != 0 ? 48 : 0, ternary, negative, model.enabled)
    }
    // Less than the smallest denormal: half of it or more only if no bit is left exactly.
    let isPower = truncated.significand == 1 << 63 && !lost
    let away = switch model.rounding {
    case .nearest: bits == 0 && !isPower
    case .down: negative
    case .up: !negative
    case .zero: false
    }
    let smallest = RegisterFloat(
      significand: 1 << UInt64(64 - model.precision),
      signExponent: (negative ? 1 << 17 : 0) | UInt64(model.denormalExponentField))
    return finish(away ? smallest : zero(negative), 48, away ? (negative ? -1 : 1) : 0, negative, model.enabled)
  }

  private func finish(
    _ value: RegisterFloat, _ flags: UInt8, _ ternary: Int32, _ negative: Bool, _ enabled: UInt8
  ) -> Expected {
    var trap = UInt16(flags & enabled & 0x38) << 8
    if trap != 0 {
      // fpa: the delivered magnitude exceeds the exact one.
      trap |= 1 | ((negative ? ternary < 0 : ternary > 0) ? 0x4000 : 0)
    }
    return Expected(value: value, flags: flags, trap: trap)
  }

  private func zero(_ negative: Bool) -> RegisterFloat {
    RegisterFloat(significand: 0, signExponent: negative ? 1 << 17 : 0)
  }

  private func encode(_ number: Number, _ model: Model, wrap: Bool) -> RegisterFloat {
    let sign: UInt64 = number.isNegative ? 1 << 17 : 0
    let exponent = number.exponent
    let minimum = model.range.minimum
    if exponent < minimum && !wrap {
      return RegisterFloat(
        significand: number.significand >> UInt64(minimum - exponent),
        signExponent: sign | UInt64(model.denormalExponentField))
    }
    return RegisterFloat(
      significand: number.significand, signExponent: sign | UInt64(truncatingIfNeeded: exponent + 65535) & 0x1ffff)
  }
}
