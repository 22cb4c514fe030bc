// Relations of comparisons, host-independent. Inversion is the lowest bit.

enum Relation: UInt8 {
  case equal = 0, notEqual = 1
  case less = 2, greaterEqual = 3, greater = 4, lessEqual = 5
  case below = 6, aboveEqual = 7, above = 8, belowEqual = 9

  @inline(__always) var inverted: Relation { Relation(rawValue: rawValue ^ 1)! }

  /// The relation of (b, a) that holds when this one holds of (a, b).
  var swapped: Relation {
    switch self {
    case .equal, .notEqual: self
    case .less: .greater
    case .greater: .less
    case .lessEqual: .greaterEqual
    case .greaterEqual: .lessEqual
    case .below: .above
    case .above: .below
    case .belowEqual: .aboveEqual
    case .aboveEqual: .belowEqual
    }
  }

  func holds(_ a: UInt64, _ b: UInt64, size: UInt8) -> Bool {
    let wide = size == 8
    let x = wide ? Int64(bitPattern: a) : Int64(Int32(truncatingIfNeeded: a))
    let y = wide ? Int64(bitPattern: b) : Int64(Int32(truncatingIfNeeded: b))
    let u = wide ? a : a & 0xffff_ffff
    let v = wide ? b : b & 0xffff_ffff
    switch self {
    case .equal: return x == y
    case .notEqual: return x != y
    case .less: return x < y
    case .greaterEqual: return x >= y
    case .greater: return x > y
    case .lessEqual: return x <= y
    case .below: return u < v
    case .aboveEqual: return u >= v
    case .above: return u > v
    case .belowEqual: return u <= v
    }
  }
}
