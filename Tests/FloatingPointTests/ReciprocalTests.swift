// frcpa, frsqrta and their parallel forms: the tables, the published error bounds, the limits near the ends of the
// exponent range (against MPFR's quotient and root), and the special operands.
import CMPFR
import FloatingPoint
import Testing

@Suite(.serialized) struct ReciprocalTests {
  static let environment = Model(completer: .none, pc: 3, wre: false, rounding: .nearest).environment

  /// Every entry is the function at the interval's middle, rounded to 11 bits; no error exceeds the published bound,
  /// and the bound is sharp.
  @Test func tablesAndBounds() {
    let (x, y, error) = (Number(precision: 64), Number(precision: 64), Number(precision: 200))
    let entry = Number(precision: 11)
    var worst = (reciprocal: 0.0, root: 0.0)
    for index in 0..<256 {
      // 1/x for x in [1, 2): 8 index bits; the middle lies half an interval up.
      let low = UInt64(1) << 63 | UInt64(index) << 55
      for significand in [low, low | (1 << 55 - 1), low | 1 << 54] {
        let operand = RegisterFloat(significand: significand, signExponent: 0xffff)
        let result = FP.reciprocalApproximation(f2: .one, f3: operand, Self.environment)
        #expect(result.predicate && result.flags == 0 && result.fault == 0)
        x.set(operand)
        y.set(result.value)
        mpfr_fms(error.pointer, x.pointer, y.pointer, Self.oneNumber.pointer, MPFR_RNDN)
        worst.reciprocal = max(worst.reciprocal, abs(mpfr_get_d(error.pointer, MPFR_RNDN)))
        if significand & (1 << 55 - 1) == 1 << 54 {
          mpfr_ui_div(entry.pointer, 1, x.pointer, MPFR_RNDN)
          #expect(mpfr_cmp(entry.pointer, y.pointer) == 0, "reciprocal entry \(index)")
        }
      }
      // 1/√x: 7 index bits for x in [2, 4) (exponent 1), then in [1, 2).
      let rootLow = UInt64(1) << 63 | UInt64(index & 127) << 56
      for significand in [rootLow, rootLow | (1 << 56 - 1), rootLow | 1 << 55] {
        let operand = RegisterFloat(significand: significand, signExponent: index < 128 ? 0x10000 : 0xffff)
        let result = FP.reciprocalRootApproximation(f3: operand, Self.environment)
        #expect(result.predicate && result.flags == 0 && result.fault == 0)
        x.set(operand)
        y.set(result.value)
        mpfr_sqrt(error.pointer, x.pointer, MPFR_RNDN)
        mpfr_fms(error.pointer, error.pointer, y.pointer, Self.oneNumber.pointer, MPFR_RNDN)
        worst.root = max(worst.root, abs(mpfr_get_d(error.pointer, MPFR_RNDN)))
        if significand & (1 << 56 - 1) == 1 << 55 {
          mpfr_rec_sqrt(entry.pointer, x.pointer, MPFR_RNDN)
          #expect(mpfr_cmp(entry.pointer, y.pointer) == 0, "root entry \(index)")
        }
      }
    }
    // 2^-8.886 = 0.0021138 and 2^-8.831 = 0.0021959.
    #expect(worst.reciprocal < 0.0021138 && worst.reciprocal > 0.002112)
    #expect(worst.root < 0.0021959 && worst.root > 0.002194)
  }

  nonisolated(unsafe) static let oneNumber: Number = {
    let number = Number(precision: 64)
    mpfr_set_ui_2exp(number.pointer, 1, 0, MPFR_RNDN)
    return number
  }()

  /// Some entries as the manual prints them (its index, its 10 bits after the leading one).
  @Test func publishedEntries() {
    let reciprocal: [(Int, UInt64)] = [
      (0, 0x3fc), (1, 0x3f4), (7, 0x3c6), (40, 0x2e8), (127, 0x157), (128, 0x154), (176, 0x0bc), (255, 0x001),
    ]
    for (index, bits) in reciprocal {
      let operand = RegisterFloat(significand: 1 << 63 | UInt64(index) << 55, signExponent: 0xffff)
      let result = FP.reciprocalApproximation(f2: .one, f3: operand, Self.environment)
      #expect(result.value == RegisterFloat(significand: 1 << 63 | bits << 53, signExponent: 0xfffe))
    }
    let root: [(Int, UInt64)] = [
      (0, 0x1a5), (1, 0x1a0), (64, 0x09d), (127, 0x001), (128, 0x3fc), (134, 0x3ce), (192, 0x286), (255, 0x1aa),
    ]
    for (index, bits) in root {
      let operand = RegisterFloat(
        significand: 1 << 63 | UInt64(index & 127) << 56, signExponent: index < 128 ? 0x10000 : 0xffff)
      let result = FP.reciprocalRootApproximation(f3: operand, Self.environment)
      #expect(result.value.significand == 1 << 63 | bits << 53)
    }
  }

  /// Unbiased exponent of a finite non-zero operand, as MPFR sees its value.
  static func exponent(_ value: RegisterFloat, _ number: Number) -> Int {
    number.set(value)
    return number.exponent
  }

  static func nonZero(_ random: inout Random) -> RegisterFloat {
    while true {
      var value = random.finite()
      if random.below(3) == 0 {
        // Near the register format's limits.
        let field = random.below(2) == 0 ? 1 + random.below(70) : 0x1fffe - random.below(6)
        value.signExponent = UInt64(field) | value.signExponent & 1 << 17
      }
      if value.significand != 0 { return value }
    }
  }

  @Test func reciprocalsAndQuotients() {
    var quotients = 0, commonCases = 0
    for (index, model) in Model.withoutCompleter.enumerated() {
      var random = Random(900 + UInt64(index))
      let reference = Reference()
      let (a, b) = (reference.a, reference.b)
      let error = Number(precision: 200)
      var failures = 0
      for _ in 0..<casesPerModel {
        let f2 = Self.nonZero(&random)
        var f3 = Self.nonZero(&random)
        if random.below(3) == 0 {
          let field = Int(f2.exponentField) + (random.below(2) == 0 ? 65535 : -65533) + random.below(5) - 2
          if field > 0 && field < 0x1ffff { f3.signExponent = UInt64(field) }
        }
        let (ea, eb) = (Self.exponent(f2, a), Self.exponent(f3, b))
        let outside = eb <= -65535 || eb >= 65533 || ea - eb >= 65535 || ea - eb <= -65533 || ea <= -65471
        let result = FP.reciprocalApproximation(f2: f2, f3: f3, model.environment)
        let denormal: UInt8 =
          MultiplyAddTests.isUnnormalEncoding(f2) || MultiplyAddTests.isUnnormalEncoding(f3) ? 2 : 0
        var good = result.predicate == !outside && result.fault == 0
        if let common = FP.commonReciprocal(f2: f2, f3: f3) {
          commonCases += 1
          good = good && !outside && denormal == 0 && common == result.value
        }
        if outside {
          quotients += 1
          var wanted = reference.round(model) { mpfr_div($0, a.pointer, b.pointer, $1) }
          wanted.flags |= denormal
          good = good && Expected(value: result.value, flags: result.flags, trap: result.trap) == wanted
        } else {
          a.set(result.value)
          mpfr_fms(error.pointer, a.pointer, b.pointer, Self.oneNumber.pointer, MPFR_RNDN)
          good = good && abs(mpfr_get_d(error.pointer, MPFR_RNDN)) < 0.0021138 && result.flags == denormal
        }
        if !good {
          failures += 1
          if failures <= 3 { Issue.record("\(model): \(f2) / \(f3): \(result)") }
        }
      }
      #expect(failures == 0)
    }
    #expect(quotients > 24 * casesPerModel / 10 && commonCases > 24 * casesPerModel / 10)
  }

  @Test func rootsAndReciprocalRoots() {
    var roots = 0
    for (index, model) in Model.withoutCompleter.enumerated() {
      var random = Random(1900 + UInt64(index))
      let reference = Reference()
      let (a, b) = (reference.a, reference.b)
      let error = Number(precision: 200)
      var failures = 0
      for _ in 0..<casesPerModel {
        var f3 = Self.nonZero(&random)
        f3.signExponent &= 0x1ffff
        let outside = Self.exponent(f3, b) <= -65471
        let result = FP.reciprocalRootApproximation(f3: f3, model.environment)
        let denormal: UInt8 = MultiplyAddTests.isUnnormalEncoding(f3) ? 2 : 0
        var good = result.predicate == !outside && result.fault == 0
        if outside {
          roots += 1
          var wanted = reference.round(model) { mpfr_sqrt($0, b.pointer, $1) }
          wanted.flags |= denormal
          good = good && Expected(value: result.value, flags: result.flags, trap: result.trap) == wanted
        } else {
          a.set(result.value)
          mpfr_sqrt(error.pointer, b.pointer, MPFR_RNDN)
          mpfr_fms(error.pointer, error.pointer, a.pointer, Self.oneNumber.pointer, MPFR_RNDN)
          good = good && abs(mpfr_get_d(error.pointer, MPFR_RNDN)) < 0.0021959 && result.flags == denormal
        }
        if !good {
          failures += 1
          if failures <= 3 { Issue.record("\(model): root of \(f3): \(result)") }
        }
      }
      #expect(failures == 0)
    }
    #expect(roots > 24 * casesPerModel / 20)
  }

  @Test func specialOperands() {
    let environment = Self.environment
    let quiet = RegisterFloat(significand: 3 << 62 | 5, signExponent: 0x3ffff)
    let signaling = RegisterFloat(significand: 1 << 63 | 6, signExponent: 0x1ffff)
    let signalingQuieted = RegisterFloat(significand: 3 << 62 | 6, signExponent: 0x1ffff)
    let unsupported = RegisterFloat(significand: 1 << 62, signExponent: 0x1ffff)
    let pseudoZero = RegisterFloat(significand: 0, signExponent: 0x20005)
    let unnormal = RegisterFloat(significand: 1 << 60, signExponent: 0x10002)
    let two = RegisterFloat(significand: 1 << 63, signExponent: 0x10000)
    let minusTwo = RegisterFloat(significand: 1 << 63, signExponent: 0x30000)
    let quotients: [(RegisterFloat, RegisterFloat, RegisterFloat, UInt8)] = [
      (.natVal, signaling, .natVal, 0), (two, .natVal, .natVal, 0),
      (unsupported, quiet, .indefinite, 1), (quiet, signaling, quiet, 1), (signaling, quiet, signalingQuieted, 1),
      (two, quiet, quiet, 0), (.zero, .zero(sign: true), .indefinite, 1), (pseudoZero, .zero, .indefinite, 1),
      (.infinity(sign: true), .infinity(sign: false), .indefinite, 1),
      (two, .zero(sign: true), .infinity(sign: true), 4), (minusTwo, .zero(sign: true), .infinity(sign: false), 4),
      (two, pseudoZero, .infinity(sign: true), 4), (unnormal, .zero, .infinity(sign: false), 4),
      (.infinity(sign: false), .zero(sign: true), .infinity(sign: true), 0),
      (.infinity(sign: false), pseudoZero, .infinity(sign: true), 2),
      (.infinity(sign: true), two, .infinity(sign: true), 0), (two, .infinity(sign: true), .zero(sign: true), 0),
      (.zero(sign: true), two, .zero(sign: true), 0), (pseudoZero, two, .zero(sign: true), 2),
      (.zero, unnormal, .zero, 2), (.zero, .infinity(sign: true), .zero(sign: true), 0),
    ]
    for (f2, f3, value, flags) in quotients {
      let result = FP.reciprocalApproximation(f2: f2, f3: f3, environment)
      #expect(result == FloatResult(value, flags: flags), "\(f2) / \(f3)")
      for bit: UInt8 in [1, 2, 4] {
        var enabled = environment
        enabled.enabled = bit
        #expect(FP.reciprocalApproximation(f2: f2, f3: f3, enabled).fault == flags & bit)
      }
    }
    let roots: [(RegisterFloat, RegisterFloat, UInt8)] = [
      (.natVal, .natVal, 0), (unsupported, .indefinite, 1), (quiet, quiet, 0), (signaling, signalingQuieted, 1),
      (minusTwo, .indefinite, 1), (.infinity(sign: true), .indefinite, 1),
      (RegisterFloat(significand: 1, signExponent: 0x20000), .indefinite, 1),
      (.infinity(sign: false), .infinity(sign: false), 0), (.zero, .zero, 0), (.zero(sign: true), .zero(sign: true), 0),
      (pseudoZero, .zero(sign: true), 2),
    ]
    for (f3, value, flags) in roots {
      #expect(FP.reciprocalRootApproximation(f3: f3, environment) == FloatResult(value, flags: flags), "\(f3)")
    }
  }

  /// The parallel forms, lane by lane: approximations inside the limits, p2 only if both halves are good.
  @Test func parallelApproximations() {
    let environment = FPSR.linuxDefault.parallelEnvironment(0)
    func reciprocal(_ a: Float, _ b: Float) -> (value: Float, good: Bool, flags: UInt8) {
      let result = FP.parallelReciprocalApproximation(
        f2: RegisterFloat(high: a.bitPattern, low: Float(1).bitPattern),
        f3: RegisterFloat(high: b.bitPattern, low: Float(1).bitPattern), environment)
      #expect(result.value.low == Float(0.998046875).bitPattern && result.value.signExponent == 0x1003e)
      return (Float(bitPattern: result.value.high), result.predicate, result.flags)
    }
    var random = Random(31)
    for _ in 0..<casesPerModel {
      let a = Float(bitPattern: UInt32(truncatingIfNeeded: random.next()))
      let b = Float(bitPattern: UInt32(truncatingIfNeeded: random.next()))
      if !a.isFinite || !b.isFinite || a == 0 || b == 0 { continue }
      let result = reciprocal(a, b)
      let (ea, eb) = (Int(a.exponent), Int(b.exponent))
      let good = eb > -127 && eb < 125 && ea - eb < 127 && ea - eb > -125 && ea > -103
      #expect(result.good == good && result.flags == (a.isSubnormal || b.isSubnormal ? 2 : 0))
      if eb <= -127 {
        #expect(result.value == (b < 0 ? -Float.infinity : .infinity))
      } else if eb >= 125 {
        #expect(result.value == 0 && result.value.sign == b.sign)
      } else {
        #expect(abs(Double(result.value) * Double(b) - 1) < 0.0021138)
      }
    }
    #expect(reciprocal(1, 0).value == .infinity && reciprocal(1, -0.0).flags == 4)
    #expect(reciprocal(0, 0).value.isNaN && reciprocal(0, 0).flags == 1)
    #expect(reciprocal(-.infinity, 2).value == -.infinity && !reciprocal(-.infinity, 2).good)

    func root(_ x: Float) -> (value: Float, good: Bool, flags: UInt8) {
      let result = FP.parallelReciprocalRootApproximation(
        f3: RegisterFloat(high: Float(1).bitPattern, low: x.bitPattern), environment)
      #expect(result.value.high == Float(0.998046875).bitPattern)
      return (Float(bitPattern: result.value.low), result.predicate, result.flags)
    }
    for _ in 0..<casesPerModel {
      let x = Float(bitPattern: UInt32(truncatingIfNeeded: random.next() >> 33))
      if !x.isFinite || x == 0 { continue }
      let result = root(x)
      #expect(result.good == (x.exponent > -103) && result.flags == (x.isSubnormal ? 2 : 0))
      #expect(abs(Double(result.value) * Double(x).squareRoot() - 1) < 0.0021959)
    }
    #expect(root(0).value == .infinity && !root(0).good && root(0).flags == 0)
    #expect(root(-0.0).value == -.infinity)
    #expect(root(.infinity).value == 0 && !root(.infinity).good)
    #expect(root(-1).flags == 1 && root(-1).value.bitPattern == 0xffc0_0000)
  }
}
