// Random and boundary operands, repeatable from a seed.
import FloatingPoint
import Glibc

/// SplitMix64.
struct Random: RandomNumberGenerator {
  var state: UInt64

  init(_ seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
    return z ^ z >> 31
  }

  mutating func below(_ count: Int) -> Int { Int(next() % UInt64(count)) }
}

/// Cases per operation × rounding × precision × range; KITTSON_FP_CASES raises it for a campaign.
let casesPerModel: Int = {
  guard let text = getenv("KITTSON_FP_CASES"), let count = Int(String(cString: text)) else { return 10_000 }
  return count
}()

extension Random {
  /// A significand with its integer bit: random, sparse, or near a rounding boundary of some precision.
  mutating func significand() -> UInt64 {
    let top: UInt64 = 1 << 63
    switch below(8) {
    case 0: return top
    case 1: return ~0
    case 2: return top | 1 << UInt64(below(63))
    case 3: return top | (1 << UInt64(below(63)) &- 1)
    case 4: return ~0 << UInt64(below(63))
    case 5:
      // A half, or a unit more or less, below the last bit of 24 or 53.
      let drop = UInt64(below(2) == 0 ? 40 : 11)
      return (top | next() >> 1) & (~0 << drop) | (1 << (drop - 1)) &+ UInt64(below(3)) &- 1 | top
    default: return top | next()
    }
  }

  /// An exponent field of a normal number: around 1.0, around a format's limits, or anywhere.
  mutating func exponentField() -> Int {
    let field: Int
    switch below(10) {
    case 0: field = 0xff81 + below(60) - 40
    case 1: field = 0x1007e + below(8) - 5
    case 2: field = 0xfc01 + below(80) - 64
    case 3: field = 0x103fe + below(8) - 5
    case 4: field = 0xc001 + below(80) - 70
    case 5: field = 0x13ffe + below(8) - 5
    case 6: field = below(2) == 0 ? 1 + below(80) : 0x1fffe - below(5)
    case 7: field = 1 + below(0x1fffe)
    default: field = 0xffff + below(140) - 70
    }
    return min(max(field, 1), 0x1fffe)
  }

  /// A finite operand: mostly normal, some unnormals, denormals, zeros and pseudo-zeros.
  mutating func finite() -> RegisterFloat {
    let sign: UInt64 = next() & 1 << 17
    var significand = significand()
    var exponent = UInt64(exponentField())
    switch below(24) {
    case 0: (significand, exponent) = (0, 0)
    case 1: significand = 0
    case 2, 3: significand >>= UInt64(1 + below(63))
    case 4: exponent = 0
    case 5: (significand, exponent) = (significand >> UInt64(below(64)), 0)
    default: break
    }
    if significand == 0 && exponent == 0x1fffe { exponent -= 1 }
    return RegisterFloat(significand: significand, signExponent: sign | exponent)
  }

  /// Factors and an addend for one model: products near the range's ends, addends that cancel or barely touch.
  mutating func triple(_ model: Model) -> (f3: RegisterFloat, f4: RegisterFloat, f2: RegisterFloat) {
    var (f3, f4, f2) = (finite(), finite(), finite())
    let kind = below(8)
    if kind == 0 { return (f3, f4, f2) }
    let (minimum, maximum) = model.range
    // Aim the product's exponent.
    let goal: Int
    switch below(3) {
    case 0: goal = minimum + 65535 + below(2 * model.precision + 6) - model.precision - 4
    case 1: goal = maximum + 65535 + below(6) - 4
    default: goal = 0xffff + below(200) - 100
    }
    if f3.significand >> 63 == 1 && f3.exponentField != 0 {
      let other = min(max(goal + 0xffff - Int(f3.exponentField), 1), 0x1fffe)
      f4 = RegisterFloat(
        significand: significand(), signExponent: UInt64(other) | next() & 1 << 17)
    }
    if f4.significand == 0 || f3.significand >> 63 == 0 || f3.exponentField == 0 { return (f3, f4, f2) }
    // The product's leading bits, near which an addend cancels.
    let exponent = Int(f3.exponentField) + Int(f4.exponentField) - 0xffff
    let wide = f3.significand.multipliedFullWidth(by: f4.significand)
    let carry = wide.high >> 63 == 1
    var leading = carry ? wide.high : wide.high << 1 | wide.low >> 63
    var field = exponent + (carry ? 1 : 0)
    switch kind {
    case 1: break
    case 2: leading = leading &+ UInt64(below(5)) &- 2
    case 3: leading &= ~0 << 11
    case 4:
      field += below(5) - 2
      leading = significand()
    case 5:
      field += below(280) - 140
      leading = significand()
    case 6: leading = leading >> UInt64(below(12)) | (below(2) == 0 ? 1 << 63 : 0)
    default: return (f3, f4, f2)
    }
    if field >= 1 && field <= 0x1fffd {
      f2 = RegisterFloat(significand: leading, signExponent: UInt64(field) | next() & 1 << 17)
      if below(4) != 0 {
        // The opposite of the product's sign.
        f2.signExponent = UInt64(field) | ((f3.signExponent ^ f4.signExponent) & 1 << 17) ^ (1 << 17)
      }
    }
    return (f3, f4, f2)
  }
}
