// The parallel operations on pairs of singles: fpma and its forms against MPFR lane by lane, comparisons and minima
// against the host's comparison of singles, and the bit movers and xma by hand.
import CMPFR
import FloatingPoint
import Testing

@Suite(.serialized) struct ParallelTests {
  struct Lane {
    var bits: UInt32
    var flags: UInt8
    /// O, U, I, fpa in bits 11 to 14.
    var trap: UInt16
  }

  static func isNaN(_ bits: UInt32) -> Bool { bits & 0x7fff_ffff > 0x7f80_0000 }
  static func isSignaling(_ bits: UInt32) -> Bool { isNaN(bits) && bits & 0x40_0000 == 0 }

  /// One lane by the manual's rules; finite operands through MPFR.
  static func expected(
    _ reference: Reference, _ operation: FP.MultiplyAdd, _ a: UInt32, _ b: UInt32, _ c: UInt32, isMultiply: Bool,
    _ model: Model
  ) -> Lane {
    let operands = [a, b, c]
    if operands.contains(where: isNaN) {
      let first = isNaN(b) ? b : isNaN(c) ? c : a
      return Lane(bits: first | 0x40_0000, flags: operands.contains(where: isSignaling) ? 1 : 0, trap: 0)
    }
    let values = operands.map { Float(bitPattern: $0) }
    let productSign = (a ^ b) >> 31 ^ (operation == .fnma ? 1 : 0)
    let addendSign = c >> 31 ^ (operation == .fms ? 1 : 0)
    let infinite = values[0].isInfinite || values[1].isInfinite
    if infinite && (values[0] == 0 || values[1] == 0 || (values[2].isInfinite && productSign != addendSign)) {
      return Lane(bits: 0xffc0_0000, flags: 1, trap: 0)
    }
    let denormal: UInt8 = values.contains(where: \.isSubnormal) ? 2 : 0
    if infinite { return Lane(bits: productSign << 31 | 0x7f80_0000, flags: denormal, trap: 0) }
    if values[2].isInfinite { return Lane(bits: addendSign << 31 | 0x7f80_0000, flags: denormal, trap: 0) }
    for (number, value) in zip([reference.a, reference.b, reference.c], values) {
      mpfr_set_d(number.pointer, Double(value), MPFR_RNDN)
    }
    let (x, y, z) = (reference.a.pointer, reference.b.pointer, reference.c.pointer)
    if operation == .fnma { mpfr_neg(x, x, MPFR_RNDN) }
    if operation == .fms { mpfr_neg(z, z, MPFR_RNDN) }
    let result = isMultiply
      ? reference.round(model) { mpfr_mul($0, x, y, $1) } : reference.round(model) { mpfr_fma($0, x, y, z, $1) }
    // Into single: exponent modulo 2^8, which matters where a trap is enabled.
    let exponent = result.value.signExponent & 0x1ffff
    var bits = UInt32(truncatingIfNeeded: result.value.significand >> 40) & 0x7f_ffff
    if exponent == 0x1ffff {
      bits |= 0xff << 23
    } else if result.value.significand >> 63 == 1 {
      bits |= (UInt32(truncatingIfNeeded: exponent &- 65535 &+ 127) & 0xff) << 23
    }
    bits |= UInt32(truncatingIfNeeded: result.value.signExponent >> 17 & 1) << 31
    return Lane(bits: bits, flags: result.flags | denormal, trap: result.trap & 0x7800)
  }

  /// A single: finite of any size, often near the ends of the range, sometimes special.
  static func lane(_ random: inout Random) -> UInt32 {
    let bits = UInt32(truncatingIfNeeded: random.next())
    switch random.below(16) {
    case 0: return [0, 0x8000_0000, 0x7f80_0000, 0xff80_0000, 0x7fc0_0001, 0x7f80_0002, 0x3f80_0000, 1][random.below(8)]
    case 1: return bits & 0x807f_ffff
    case 2, 3: return bits & 0x807f_ffff | UInt32(1 + random.below(30)) << 23
    case 4: return bits & 0x807f_ffff | UInt32(225 + random.below(30)) << 23
    case 5: return bits & 0x807f_0000 | UInt32(117 + random.below(20)) << 23
    case 6...11: return bits & 0x807f_ffff | UInt32(57 + random.below(140)) << 23
    default: return bits
    }
  }

  @Test(arguments: FP.MultiplyAdd.allCases)
  func multiplyAdd(_ operation: FP.MultiplyAdd) {
    for rounding in RoundingControl.allCases {
      for enabled: UInt8 in [0, 0, 8, 16, 56] {
        // pc and wre must not matter: the model they are given to differs from the one that is expected.
        var model = Model(completer: .single, pc: 3, wre: false, rounding: rounding, enabled: enabled)
        var random = Random(UInt64(operation.rawValue) << 16 | UInt64(rounding.rawValue) << 8 | UInt64(enabled))
        model.flushToZero = enabled == 8
        var given = model
        (given.pc, given.wre) = (2, true)
        let environment = given.fpsr.parallelEnvironment(1)
        let reference = Reference()
        var failures = 0
        for _ in 0..<casesPerModel {
          let isMultiply = random.below(6) == 0
          let f3 = (Self.lane(&random), Self.lane(&random))
          let f4 = (Self.lane(&random), Self.lane(&random))
          let f2: (UInt32, UInt32) = isMultiply ? (0, 0) : (Self.lane(&random), Self.lane(&random))
          let high = Self.expected(reference, operation, f3.0, f4.0, f2.0, isMultiply: isMultiply, model)
          let low = Self.expected(reference, operation, f3.1, f4.1, f2.1, isMultiply: isMultiply, model)
          let result = FP.parallelMultiplyAdd(
            operation, f3: RegisterFloat(high: f3.0, low: f3.1), f4: RegisterFloat(high: f4.0, low: f4.1),
            f2: RegisterFloat(high: f2.0, low: f2.1), addendIsFR0: isMultiply, environment)
          let trap = high.trap | low.trap >> 4
          if result.value != RegisterFloat(high: high.bits, low: low.bits) || result.flags != high.flags | low.flags
            || result.trap != (trap == 0 ? 0 : trap | 1) || result.fault != 0 {
            failures += 1
            if failures <= 3 {
              Issue.record("\(operation) \(model) \(f3) \(f4) \(f2): \(result), not \(high) \(low)")
            }
          }
        }
        #expect(failures == 0)
      }
    }
  }

  /// The faults of the upper half stand in ISR.code bits 3:0, those of the lower in 7:4; a fault hides a trap.
  @Test func faultsOfPairs() {
    var model = Model(completer: .single, pc: 3, wre: false, rounding: .nearest, enabled: 63)
    let one = Float(1).bitPattern
    func result(_ high: UInt32, _ low: UInt32) -> FloatResult {
      FP.parallelMultiplyAdd(
        .fma, f3: RegisterFloat(high: high, low: low), f4: RegisterFloat(high: 0x7f7f_ffff, low: 0x7f7f_ffff),
        f2: RegisterFloat(high: one, low: one), addendIsFR0: false, model.fpsr.parallelEnvironment(1))
    }
    #expect(result(0x7f80_0001, one).fault == 0x01 && result(one, 0x7f80_0001).fault == 0x10)
    #expect(result(0x7f80_0001, 1).fault == 0x21 && result(1, one).fault == 0x02)
    #expect(result(1, 0x7f7f_ffff).trap == 0)
    // Overflow in the lower half only: o and i, without fpa (rounded down), in bits 7 to 10.
    model.enabled = 8
    let overflow = result(0x2000_0000, 0x7f7f_ffff)
    #expect(overflow.fault == 0 && overflow.trap == 0x81 && overflow.flags == 0x28)
    // (2 − 2^-23)^2 × 2^254 + 1: exponent 255 + 127 modulo 256.
    #expect(overflow.value.low == 126 << 23 | 0x7f_fffe)
  }

  @Test func comparisonsAndMinima() {
    let environment = FPSR.linuxDefault.parallelEnvironment(0)
    var random = Random(66)
    var failures = 0
    for _ in 0..<casesPerModel {
      var (a, b) = ([Self.lane(&random), Self.lane(&random)], [Self.lane(&random), Self.lane(&random)])
      if random.below(4) == 0 { a[0] = b[0] }
      if random.below(4) == 0 { a[1] = b[1] ^ 0x8000_0000 }
      let f2 = RegisterFloat(high: a[0], low: a[1])
      let f3 = RegisterFloat(high: b[0], low: b[1])
      let nan = (0..<2).map { Self.isNaN(a[$0]) || Self.isNaN(b[$0]) }
      let signaling = (0..<2).map { Self.isSignaling(a[$0]) || Self.isSignaling(b[$0]) }
      let denormal: UInt8 = (0..<2).contains {
        !nan[$0] && (Float(bitPattern: a[$0]).isSubnormal || Float(bitPattern: b[$0]).isSubnormal)
      } ? 2 : 0
      for relation in FP.Relation.allCases {
        let holds = (0..<2).map { lane -> Bool in
          let (x, y) = (Float(bitPattern: a[lane]), Float(bitPattern: b[lane]))
          return switch relation {
          case .equal: x == y
          case .less: x < y
          case .lessOrEqual: x <= y
          case .unordered: nan[lane]
          }
        }
        let quiet = relation == .equal || relation == .unordered
        let flags = (quiet ? signaling : nan).contains(true) ? denormal | 1 : denormal
        for negated in [false, true] {
          let result = FP.parallelCompare(relation, negated: negated, f2: f2, f3: f3, environment)
          let wanted = RegisterFloat(high: holds[0] != negated ? ~0 : 0, low: holds[1] != negated ? ~0 : 0)
          if result != FloatResult(wanted, flags: flags) { failures += 1 }
        }
      }
      for operation in FP.MinimumMaximum.allCases {
        let bits = (0..<2).map { lane -> UInt32 in
          let (x, y) = (Float(bitPattern: a[lane]), Float(bitPattern: b[lane]))
          let first = switch operation {
          case .fmin: x < y
          case .fmax: x > y
          case .famin: abs(x) < abs(y)
          case .famax: abs(x) > abs(y)
          }
          return first ? a[lane] : b[lane]
        }
        let result = FP.parallelMinimumMaximum(operation, f2: f2, f3: f3, environment)
        let wanted = FloatResult(
          RegisterFloat(high: bits[0], low: bits[1]), flags: nan.contains(true) ? denormal | 1 : denormal)
        if result != wanted { failures += 1 }
      }
    }
    #expect(failures == 0)
  }

  @Test func bitMovers() {
    let a = RegisterFloat(significand: 0x8123_4567_89ab_cdef, signExponent: 0x2abcd)
    let b = RegisterFloat(significand: 0x0fed_cba9_7654_3210, signExponent: 0x01234)
    func integer(_ bits: UInt64) -> RegisterFloat { RegisterFloat(significand: bits, signExponent: 0x1003e) }
    #expect(FP.merge(.sign, f2: a, f3: b) == RegisterFloat(significand: b.significand, signExponent: 0x21234))
    #expect(FP.merge(.negatedSign, f2: a, f3: b) == b)
    #expect(FP.merge(.negatedSign, f2: b, f3: b) == RegisterFloat(significand: b.significand, signExponent: 0x21234))
    let merged = RegisterFloat(significand: b.significand, signExponent: 0x2abcd)
    #expect(FP.merge(.signAndExponent, f2: a, f3: b) == merged)
    #expect(FP.parallelMerge(.sign, f2: a, f3: b) == integer(0x8fed_cba9_f654_3210))
    #expect(FP.parallelMerge(.negatedSign, f2: a, f3: b) == integer(0x0fed_cba9_7654_3210))
    #expect(FP.parallelMerge(.signAndExponent, f2: a, f3: b) == integer(0x816d_cba9_89d4_3210))
    #expect(FP.mix(.left, f2: a, f3: b) == integer(0x8123_4567_0fed_cba9))
    #expect(FP.mix(.right, f2: a, f3: b) == integer(0x89ab_cdef_7654_3210))
    #expect(FP.mix(.leftRight, f2: a, f3: b) == integer(0x8123_4567_7654_3210))
    #expect(FP.swap(.plain, f2: a, f3: b) == integer(0x7654_3210_8123_4567))
    #expect(FP.swap(.negateLeft, f2: a, f3: b) == integer(0xf654_3210_8123_4567))
    #expect(FP.swap(.negateRight, f2: a, f3: b) == integer(0x7654_3210_0123_4567))
    #expect(FP.signExtend(left: true, f2: a, f3: b) == integer(0xffff_ffff_0fed_cba9))
    #expect(FP.signExtend(left: false, f2: b, f3: a) == integer(0x0000_0000_89ab_cdef))
    #expect(FP.select(f3: a, f4: b, f2: integer(0xffff_0000_ffff_0000)) == integer(0x8123_cba9_89ab_3210))
    #expect(FP.logic(.and, f2: a, f3: b) == integer(0x0121_4121_0000_0000))
    #expect(FP.logic(.andComplement, f2: a, f3: b) == integer(0x8002_0446_89ab_cdef))
    #expect(FP.logic(.or, f2: a, f3: b) == integer(0x8fef_cfef_ffff_ffff))
    #expect(FP.logic(.exclusiveOr, f2: a, f3: b) == integer(0x8ece_8ece_ffff_ffff))
    // 1.5 and −0.25 as singles, taken from register format as stfs would.
    let (x, y) = (RegisterFloat(double: (1.5).bitPattern), RegisterFloat(double: (-0.25).bitPattern))
    #expect(FP.pack(f2: x, f3: y) == integer(0x3fc0_0000_be80_0000))
    let n = RegisterFloat.natVal
    #expect(FP.merge(.sign, f2: n, f3: b) == n && FP.merge(.signAndExponent, f2: a, f3: n) == n)
    #expect(FP.pack(f2: a, f3: n) == n && FP.select(f3: a, f4: n, f2: b) == n && FP.mix(.left, f2: n, f3: b) == n)
    #expect(FP.logic(.or, f2: a, f3: n) == n && FP.parallelMerge(.sign, f2: n, f3: a) == n)
  }

  @Test func integerMultiplyAdd() {
    var random = Random(12)
    let corners: [UInt64] = [0, 1, ~0, 1 << 63, 1 << 63 - 1, 1 << 32]
    for _ in 0..<casesPerModel {
      func operand(_ random: inout Random) -> UInt64 {
        random.below(3) == 0 ? corners[random.below(6)] : random.next()
      }
      let (a, b, c) = (operand(&random), operand(&random), operand(&random))
      let (f3, f4, f2) = (RegisterFloat(integer: a), RegisterFloat(integer: b), RegisterFloat(integer: c))
      let unsigned = UInt128(a) * UInt128(b) &+ UInt128(c)
      let signed = Int128(Int64(bitPattern: a)) * Int128(Int64(bitPattern: b)) &+ Int128(c)
      func check(_ part: FP.IntegerMultiplyAdd, _ bits: UInt64) {
        #expect(FP.integerMultiplyAdd(part, f3: f3, f4: f4, f2: f2) == RegisterFloat(integer: bits))
      }
      check(.low, UInt64(truncatingIfNeeded: unsigned))
      check(.highUnsigned, UInt64(truncatingIfNeeded: unsigned >> 64))
      check(.high, UInt64(truncatingIfNeeded: signed >> 64))
    }
    #expect(FP.integerMultiplyAdd(.low, f3: .one, f4: .natVal, f2: .zero) == .natVal)
  }

  @Test func statusRegister() {
    let fpsr = FPSR.linuxDefault
    #expect(fpsr.traps == 0x3f && fpsr.isLegal)
    // sf0: pc 3. sf1: wre, pc 3, td. sf2, sf3: pc 3, td.
    #expect((0..<4).map(fpsr.controls) == [0x0c, 0x4e, 0x4c, 0x4c])
    let single = fpsr.environment(0, .single)
    #expect(single.precision == 24 && single.minimumExponent == 0xff81 && single.maximumExponent == 0x1007e)
    let wide = fpsr.environment(1, .double)
    #expect(wide.precision == 53 && wide.minimumExponent == 1 && wide.maximumExponent == 0x1fffe && wide.enabled == 0)
    // Trap enables count where td is clear; rounding is rc's.
    let enabled = FPSR(bits: 0x3f & ~9 | 0x70 << 6 & ~(0x40 << 6) | 0x4c << 19)
    #expect(enabled.environment(0, .none).enabled == 9 && enabled.environment(1, .none).enabled == 0)
    #expect(enabled.environment(0, .none).rounding == .zero && enabled.environment(0, .none).precision == 24)
    var raised = fpsr
    raised.raise(0x21, 2)
    #expect(raised.bits == fpsr.bits | 0x21 << 39 && raised.flags(2) == 0x21 && raised.flags(1) == 0)
    #expect(raised.clearingFlags(2) == fpsr && raised.clearingFlags(1) == raised)
    // fchkf: flags that sf0 lacks, or whose trap is enabled.
    #expect(raised.checkFlags(2) && !raised.checkFlags(1) && !raised.checkFlags(0))
    raised.raise(0x21, 0)
    #expect(!raised.checkFlags(2))
    raised.bits &= ~1
    #expect(raised.checkFlags(2) && raised.checkFlags(0))
    // fsetc: from sf0's controls.
    #expect(fpsr.settingControls(2, and: 0x7f, or: 0x40)?.bits == fpsr.bits)
    #expect(fpsr.settingControls(3, and: 0, or: 0x33)?.controls(3) == 0x33)
    #expect(fpsr.settingControls(0, and: 0x7f, or: 0x40) == nil)
    #expect(fpsr.settingControls(1, and: 0x04, or: 0) == nil)
    #expect(!FPSR(bits: 1 << 58).isLegal && !FPSR(bits: 1 << 12).isLegal && !FPSR(bits: 1 << 34).isLegal)
    #expect(FPSR(bits: 0x40 << 19).isLegal)
  }
}
