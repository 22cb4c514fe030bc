// fcvt.fx, fcvt.fxu, fcvt.xf, the parallel conversions and the memory formats, against MPFR and by hand.
import CMPFR
import FloatingPoint
import Testing

@Suite(.serialized) struct ConversionTests {
  static func environment(_ rounding: RoundingControl, enabled: UInt8 = 0) -> FloatEnvironment {
    Model(completer: .none, pc: 3, wre: false, rounding: rounding, enabled: enabled).environment
  }

  /// The manual's rule: round to an integer, Invalid with the most negative integer if it does not fit.
  static func expectedInteger(
    _ operand: Number, _ rounded: Number, bits: Int, signed: Bool, mode: mpfr_rnd_t
  ) -> (bits: UInt64, flags: UInt8, grew: Bool) {
    mpfr_rint(rounded.pointer, operand.pointer, mode)
    let order = mpfr_cmp(rounded.pointer, operand.pointer)
    let limit = Number(precision: 70)
    mpfr_set_ui_2exp(limit.pointer, 1, mpfr_exp_t(signed ? bits - 1 : bits), MPFR_RNDN)
    let belowTop = mpfr_cmp(rounded.pointer, limit.pointer) < 0
    mpfr_neg(limit.pointer, limit.pointer, MPFR_RNDN)
    let aboveBottom = signed ? mpfr_cmp(rounded.pointer, limit.pointer) >= 0 : mpfr_sgn(rounded.pointer) >= 0
    if !belowTop || !aboveBottom { return (1 << UInt64(bits - 1), 1, false) }
    let value = signed
      ? UInt64(bitPattern: Int64(mpfr_get_si(rounded.pointer, MPFR_RNDN)))
      : UInt64(mpfr_get_ui(rounded.pointer, MPFR_RNDN))
    return (value, order != 0 ? 32 : 0, operand.isNegative ? order < 0 : order > 0)
  }

  /// An operand whose integer part matters: exponents from −3 to the width and a little more.
  static func operand(_ random: inout Random, bits: Int) -> RegisterFloat {
    if random.below(10) == 0 { return random.finite() }
    let exponent = 0xffff + random.below(bits + 6) - 3
    var significand = random.significand()
    let shift = UInt64(max(0, 63 - (exponent - 0xffff)))
    // Often a half or an integer exactly.
    if random.below(3) == 0 && shift < 63 { significand = (significand >> shift) << shift | 1 << (shift &- 1) }
    if significand >> 63 == 0 { significand |= 1 << 63 }
    return RegisterFloat(significand: significand, signExponent: UInt64(exponent) | random.next() & 1 << 17)
  }

  @Test(arguments: RoundingControl.allCases)
  func toInteger(_ rounding: RoundingControl) {
    var random = Random(77 + UInt64(rounding.rawValue))
    let operand = Number(precision: 64)
    let rounded = Number(precision: 128)
    var failures = 0
    for index in 0..<casesPerModel * 4 {
      let (signed, truncate) = (index & 1 == 0, index & 2 == 0)
      let value = Self.operand(&random, bits: 64)
      let enabled: UInt8 = random.below(8) == 0 ? 32 : 0
      operand.set(value)
      let model = Model(completer: .none, pc: 3, wre: false, rounding: truncate ? .zero : rounding)
      let wanted = Self.expectedInteger(operand, rounded, bits: 64, signed: signed, mode: model.mode)
      let result = FP.convertToInteger(
        value, signed: signed, truncate: truncate, Self.environment(rounding, enabled: enabled))
      let unnormal: UInt8 = wanted.flags & 1 == 0 && MultiplyAddTests.isUnnormalEncoding(value) ? 2 : 0
      let trap: UInt16 = enabled != 0 && wanted.flags == 32 ? 0x2001 | (wanted.grew ? 0x4000 : 0) : 0
      if result.value != RegisterFloat(significand: wanted.bits, signExponent: 0x1003e)
        || result.flags != wanted.flags | unnormal || result.trap != trap || result.fault != 0 {
        failures += 1
        if failures <= 3 { Issue.record("\(rounding) \(signed) \(truncate) \(value): \(result), not \(wanted)") }
      }
    }
    #expect(failures == 0)
  }

  @Test(arguments: RoundingControl.allCases)
  func pairToIntegers(_ rounding: RoundingControl) {
    var random = Random(177 + UInt64(rounding.rawValue))
    let operand = Number(precision: 64)
    let rounded = Number(precision: 128)
    var failures = 0
    for index in 0..<casesPerModel * 4 {
      let (signed, truncate) = (index & 1 == 0, index & 2 == 0)
      let model = Model(completer: .none, pc: 3, wre: false, rounding: truncate ? .zero : rounding)
      var (bits, wantedBits, flags): ([UInt32], [UInt32], UInt8) = ([], [], 0)
      for _ in 0..<2 {
        let lane = random.below(4) == 0
          ? Float(bitPattern: UInt32(truncatingIfNeeded: random.next()))
          : Float(sign: random.below(2) == 0 ? .plus : .minus, exponent: random.below(38) - 3,
            significand: 1 + Float(random.below(1 << 23)) / Float(1 << 23))
        bits.append(lane.bitPattern)
        if !lane.isFinite {
          wantedBits.append(0x8000_0000)
          flags |= 1
          continue
        }
        mpfr_set_d(operand.pointer, Double(lane), MPFR_RNDN)
        let wanted = Self.expectedInteger(operand, rounded, bits: 32, signed: signed, mode: model.mode)
        wantedBits.append(UInt32(truncatingIfNeeded: wanted.bits))
        flags |= wanted.flags | (lane.isSubnormal && wanted.flags & 1 == 0 ? 2 : 0)
      }
      let result = FP.parallelConvertToInteger(
        RegisterFloat(high: bits[0], low: bits[1]), signed: signed, truncate: truncate, Self.environment(rounding))
      if result.value != RegisterFloat(high: wantedBits[0], low: wantedBits[1]) || result.flags != flags {
        failures += 1
        if failures <= 3 { Issue.record("\(bits): \(result), not \(wantedBits) \(flags)") }
      }
    }
    #expect(failures == 0)
  }

  @Test func fromInteger() {
    var random = Random(5)
    let number = Number(precision: 64)
    for index in 0..<casesPerModel {
      let integer = index < 4
        ? [0, Int64.min, Int64.max, -1][index] : Int64(bitPattern: random.next()) >> Int64(random.below(64))
      mpfr_set_si_2exp(number.pointer, Int(integer), 0, MPFR_RNDN)
      let wanted = integer == 0 ? RegisterFloat.zero
        : RegisterFloat(
          significand: number.significand,
          signExponent: UInt64(number.exponent + 65535) | (integer < 0 ? 1 << 17 : 0))
      // Sign and exponent of the source do not count.
      let source = RegisterFloat(
        significand: UInt64(bitPattern: integer), signExponent: index & 1 == 0 ? 0x1003e : 0x2ffff)
      #expect(FP.convertFromInteger(source) == wanted)
    }
    #expect(FP.convertFromInteger(.natVal) == .natVal)
  }

  @Test func specialOperandsOfConversions() {
    let environment = Self.environment(.nearest)
    let indefinite = RegisterFloat(significand: 1 << 63, signExponent: 0x1003e)
    let quiet = RegisterFloat(significand: 3 << 62, signExponent: 0x1ffff)
    let unsupported = RegisterFloat(significand: 1, signExponent: 0x1ffff)
    for value in [quiet, unsupported, .infinity(sign: false), .infinity(sign: true)] {
      for signed in [false, true] {
        let result = FP.convertToInteger(value, signed: signed, truncate: false, environment)
        #expect(result == FloatResult(indefinite, flags: 1))
        let fault = FP.convertToInteger(
          value, signed: signed, truncate: true, Self.environment(.nearest, enabled: 1))
        #expect(fault.fault == 1)
      }
    }
    #expect(FP.convertToInteger(.natVal, signed: true, truncate: true, environment) == FloatResult(.natVal))
    // A pseudo-zero converts to zero and is an unnormal operand; with D enabled that faults.
    let pseudoZero = RegisterFloat(significand: 0, signExponent: 0x20001)
    #expect(
      FP.convertToInteger(pseudoZero, signed: true, truncate: false, environment)
        == FloatResult(RegisterFloat(integer: 0), flags: 2))
    #expect(
      FP.convertToInteger(pseudoZero, signed: true, truncate: false, Self.environment(.nearest, enabled: 2)).fault == 2)
  }
}

struct FormatTests {
  /// Memory bits and the register they load as, from the manual's figures for ldfs, ldfd and ldfe.
  @Test func loads() {
    func check(_ value: RegisterFloat, _ signExponent: UInt64, _ significand: UInt64) {
      #expect(value == RegisterFloat(significand: significand, signExponent: signExponent))
    }
    check(RegisterFloat(single: 0x3f80_0000), 0xffff, 1 << 63)
    check(RegisterFloat(single: 0x8000_0000), 0x20000, 0)
    check(RegisterFloat(single: 0x0000_0001), 0x0ff81, 1 << 40)
    check(RegisterFloat(single: 0x807f_ffff), 0x2ff81, 0x7f_ffff << 40)
    check(RegisterFloat(single: 0x0080_0000), 0x0ff81, 1 << 63)
    check(RegisterFloat(single: 0x7f7f_ffff), 0x1007e, 0xff_ffff << 40)
    check(RegisterFloat(single: 0xff80_0000), 0x3ffff, 1 << 63)
    check(RegisterFloat(single: 0x7fa0_0000), 0x1ffff, 0xa000_0000_0000_0000)
    check(RegisterFloat(double: 0xbff8_0000_0000_0000), 0x2ffff, 3 << 62)
    check(RegisterFloat(double: 1), 0x0fc01, 1 << 11)
    check(RegisterFloat(double: 0x0010_0000_0000_0000), 0x0fc01, 1 << 63)
    check(RegisterFloat(double: 0x7fef_ffff_ffff_ffff), 0x103fe, ~0 << 11)
    check(RegisterFloat(double: 0x7ff0_0000_0000_0000), 0x1ffff, 1 << 63)
    check(RegisterFloat(double: 0xfff8_0000_0000_0001), 0x3ffff, 3 << 62 | 1 << 11)
    check(RegisterFloat(extendedSignificand: 1 << 63, signExponent: 0x3fff), 0xffff, 1 << 63)
    check(RegisterFloat(extendedSignificand: 1, signExponent: 0x8000), 0x20000, 1)
    check(RegisterFloat(extendedSignificand: 1 << 63, signExponent: 1), 0xc001, 1 << 63)
    check(RegisterFloat(extendedSignificand: ~0, signExponent: 0x7ffe), 0x13ffe, ~0)
    check(RegisterFloat(extendedSignificand: 5, signExponent: 0xffff), 0x3ffff, 5)
    check(RegisterFloat(setfExponent: 0xffff_ffff_ffff_ffff), 0x3ffff, 1 << 63)
    check(RegisterFloat(spillLow: 7, spillHigh: 0xffff_ffff_fffd_fffe), 0x1fffe, 7)
    #expect(RegisterFloat(spillLow: 0, spillHigh: 0x1fffe).isNaTVal)
  }

  @Test func singlesAndDoublesComeBack() {
    var random = Random(9)
    let (loaded, direct) = (Number(precision: 64), Number(precision: 64))
    for _ in 0..<20_000 {
      let single = UInt32(truncatingIfNeeded: random.next())
      let value = RegisterFloat(single: single)
      #expect(value.single == single)
      if Float(bitPattern: single).isFinite {
        loaded.set(value)
        mpfr_set_d(direct.pointer, Double(Float(bitPattern: single)), MPFR_RNDN)
        #expect(mpfr_cmp(loaded.pointer, direct.pointer) == 0 && loaded.isNegative == direct.isNegative)
      }
      var double = random.next()
      if random.below(4) == 0 { double &= 0x800f_ffff_ffff_ffff }
      let wide = RegisterFloat(double: double)
      #expect(wide.double == double)
      if Double(bitPattern: double).isFinite {
        loaded.set(wide)
        mpfr_set_d(direct.pointer, Double(bitPattern: double), MPFR_RNDN)
        #expect(mpfr_cmp(loaded.pointer, direct.pointer) == 0 && loaded.isNegative == direct.isNegative)
      }
      let extended = UInt16(truncatingIfNeeded: random.next())
      #expect(RegisterFloat(extendedSignificand: single == 0 ? 1 : double, signExponent: extended)
        .extendedSignExponent == extended)
    }
  }

  /// Stores do not round: they pick bits.
  @Test func storesPickBits() {
    let third = RegisterFloat(significand: 0xaaaa_aaaa_aaaa_aaab, signExponent: 0x2fffd)
    #expect(third.single == 0xbeaa_aaaa)
    #expect(third.double == 0xbfd5_5555_5555_5555)
    #expect(third.extendedSignExponent == 0xbffd)
    #expect(third.getfExponent == 0x2fffd)
    // Out of the format's range: exponent bits 16 and the lowest ones, whatever they are.
    #expect(RegisterFloat(significand: 1 << 63, signExponent: 0x10100).single == 0x4000_0000)
    // An integer's register has exponent 0x1003e; without integer bit the exponent stored is zero.
    #expect(RegisterFloat(integer: 1 << 40).single == 1)
    #expect(RegisterFloat(integer: 1 << 11).double == 1)
    #expect(RegisterFloat.natVal.single == 0)
  }

  @Test func classes() {
    let samples: [(RegisterFloat, String)] = [
      (.zero, "zero"), (.zero(sign: true), "zero"), (.one, "normal"), (.natVal, "NaTVal"),
      (RegisterFloat(significand: 0, signExponent: 0x3fffe), "unnormal"),
      (RegisterFloat(significand: 0, signExponent: 1), "unnormal"),
      (RegisterFloat(significand: 1, signExponent: 0), "unnormal"),
      (RegisterFloat(significand: 1 << 63, signExponent: 0), "unnormal"),
      (RegisterFloat(significand: 1 << 62, signExponent: 0x1fffe), "unnormal"),
      (RegisterFloat(significand: 1 << 63, signExponent: 0x1fffe), "normal"),
      (.infinity(sign: true), "infinity"), (.indefinite, "quiet"),
      (RegisterFloat(significand: 1 << 63 | 1, signExponent: 0x1ffff), "signaling"),
      (RegisterFloat(significand: 0, signExponent: 0x1ffff), "unsupported"),
      (RegisterFloat(significand: 1 << 62, signExponent: 0x3ffff), "unsupported"),
    ]
    for (value, kind) in samples {
      let found = [
        value.isZero ? "zero" : nil, value.isUnnormal ? "unnormal" : nil, value.isNormal ? "normal" : nil,
        value.isInfinity ? "infinity" : nil, value.isQuietNaN ? "quiet" : nil,
        value.isSignalingNaN ? "signaling" : nil, value.isNaTVal ? "NaTVal" : nil,
        value.isUnsupported ? "unsupported" : nil,
      ].compactMap { $0 }
      #expect(found == [kind], "\(value)")
      // fclass with each mask bit alone and both signs, and with the opposite sign.
      let bit: UInt32? = ["zero": 4, "unnormal": 8, "normal": 16, "infinity": 32, "signaling": 64, "quiet": 128,
        "NaTVal": 256][kind]
      let signBit: UInt32 = value.sign ? 2 : 1
      for mask: UInt32 in [4, 8, 16, 32, 64, 128, 256] {
        #expect(FP.classify(value, mask: mask | 3).holds == (mask == bit))
        #expect(FP.classify(value, mask: mask | signBit).holds == (mask == bit))
        #expect(FP.classify(value, mask: mask | signBit ^ 3).holds == (mask == bit && mask >= 64))
        #expect(FP.classify(value, mask: mask).isNaT == (kind == "NaTVal" && mask != 256))
      }
    }
  }
}
