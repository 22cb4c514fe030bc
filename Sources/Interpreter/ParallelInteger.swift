// Parallel integer arithmetic on 64-bit registers seen as 8, 4 or 2 lanes (SDM vol. 3, chapter 2, the I-unit
// multimedia instructions). Pure functions from operand values to the result; lane 0 is the least significant.

/// How a lane's result that does not fit is brought back into its lane.
package enum Saturation {
  case modulo       // keep the low bits
  case signed       // signed operands, signed result
  case unsigned     // unsigned operands, unsigned result
  case mixed        // unsigned first operand, signed second, unsigned result
}

@inline(__always)
func unsignedLane(_ x: UInt64, _ lane: Int, _ bits: Int) -> Int64 {
  Int64(bitPattern: (x >> UInt64(lane * bits)) & ((1 << UInt64(bits)) - 1))
}

@inline(__always)
func signedLane(_ x: UInt64, _ lane: Int, _ bits: Int) -> Int64 {
  Int64(bitPattern: x << UInt64(64 - (lane + 1) * bits)) >> Int64(64 - bits)
}

@inline(__always)
func placeLane(_ value: Int64, _ lane: Int, _ bits: Int) -> UInt64 {
  (UInt64(bitPattern: value) & ((1 << UInt64(bits)) - 1)) << UInt64(lane * bits)
}

/// Brings `value` into the range of a signed lane.
@inline(__always)
func saturateSigned(_ value: Int64, _ bits: Int) -> Int64 {
  let limit = Int64(1) << Int64(bits - 1)
  return min(max(value, -limit), limit - 1)
}

/// Brings `value` into the range of an unsigned lane.
@inline(__always)
func saturateUnsigned(_ value: Int64, _ bits: Int) -> Int64 {
  min(max(value, 0), (Int64(1) << Int64(bits)) - 1)
}

/// Applies `body` to every lane number and gathers the results.
@inline(__always)
func gatherLanes(_ bits: Int, _ body: (Int) -> Int64) -> UInt64 {
  var result: UInt64 = 0
  for lane in 0..<(64 / bits) { result |= placeLane(body(lane), lane, bits) }
  return result
}

@inline(__always)
private func combine(
  _ a: UInt64, _ b: UInt64, _ bits: Int, _ saturation: Saturation, _ operation: (Int64, Int64) -> Int64
) -> UInt64 {
  gatherLanes(bits) { lane in
    switch saturation {
    case .modulo:
      return operation(unsignedLane(a, lane, bits), unsignedLane(b, lane, bits))
    case .signed:
      return saturateSigned(operation(signedLane(a, lane, bits), signedLane(b, lane, bits)), bits)
    case .unsigned:
      return saturateUnsigned(operation(unsignedLane(a, lane, bits), unsignedLane(b, lane, bits)), bits)
    case .mixed:
      return saturateUnsigned(operation(unsignedLane(a, lane, bits), signedLane(b, lane, bits)), bits)
    }
  }
}

package func parallelAdd(_ a: UInt64, _ b: UInt64, bits: Int, _ saturation: Saturation) -> UInt64 {
  combine(a, b, bits, saturation) { $0 + $1 }
}

package func parallelSubtract(_ a: UInt64, _ b: UInt64, bits: Int, _ saturation: Saturation) -> UInt64 {
  combine(a, b, bits, saturation) { $0 - $1 }
}

/// pavg: unsigned mean. Without `raz` a lost low bit is kept sticky in bit 0; with it the mean is rounded up.
package func parallelAverage(_ a: UInt64, _ b: UInt64, bits: Int, raz: Bool) -> UInt64 {
  gatherLanes(bits) { lane in
    let sum = unsignedLane(a, lane, bits) + unsignedLane(b, lane, bits)
    return raz ? (sum + 1) >> 1 : (sum >> 1) | (sum & 1)
  }
}

/// pavgsub: half of the difference of unsigned lanes, the borrow shifted in on top, a lost low bit sticky.
package func parallelAverageDifference(_ a: UInt64, _ b: UInt64, bits: Int) -> UInt64 {
  gatherLanes(bits) { lane in
    let difference = unsignedLane(a, lane, bits) - unsignedLane(b, lane, bits)
    return (difference >> 1) | (difference & 1)
  }
}

package func parallelCompare(_ a: UInt64, _ b: UInt64, bits: Int, greater: Bool) -> UInt64 {
  gatherLanes(bits) { lane in
    let x = signedLane(a, lane, bits), y = signedLane(b, lane, bits)
    return (greater ? x > y : x == y) ? -1 : 0
  }
}

/// pshladd2: the shifted lane saturates before the addition, and the sum saturates again.
package func parallelShiftLeftAdd(_ a: UInt64, _ count: Int, _ b: UInt64) -> UInt64 {
  gatherLanes(16) { lane in
    let shifted = signedLane(a, lane, 16) << Int64(count)
    if shifted != saturateSigned(shifted, 16) { return saturateSigned(shifted, 16) }
    return saturateSigned(shifted + signedLane(b, lane, 16), 16)
  }
}

package func parallelShiftRightAdd(_ a: UInt64, _ count: Int, _ b: UInt64) -> UInt64 {
  gatherLanes(16) { lane in
    saturateSigned((signedLane(a, lane, 16) >> Int64(count)) + signedLane(b, lane, 16), 16)
  }
}

/// pshl: counts past the lane clear it. `count` is the whole register.
package func parallelShiftLeft(_ a: UInt64, _ count: UInt64, bits: Int) -> UInt64 {
  if count >= UInt64(bits) { return 0 }
  return gatherLanes(bits) { unsignedLane(a, $0, bits) << Int64(count) }
}

package func parallelShiftRight(_ a: UInt64, _ count: UInt64, bits: Int, unsigned: Bool) -> UInt64 {
  let places = Int64(min(count, UInt64(bits)))
  return gatherLanes(bits) { (unsigned ? unsignedLane(a, $0, bits) : signedLane(a, $0, bits)) >> places }
}

/// pmpy2: products of two of the four lanes: the even ones (`right`) or the odd ones.
package func parallelMultiply(_ a: UInt64, _ b: UInt64, right: Bool) -> UInt64 {
  let first = right ? 0 : 1
  return placeLane(signedLane(a, first, 16) * signedLane(b, first, 16), 0, 32)
    | placeLane(signedLane(a, first + 2, 16) * signedLane(b, first + 2, 16), 1, 32)
}

package func parallelMultiplyShift(_ a: UInt64, _ b: UInt64, count: Int, unsigned: Bool) -> UInt64 {
  gatherLanes(16) { lane in
    let product = unsigned
      ? unsignedLane(a, lane, 16) * unsignedLane(b, lane, 16) : signedLane(a, lane, 16) * signedLane(b, lane, 16)
    return product >> Int64(count)
  }
}

package func parallelSumOfDifferences(_ a: UInt64, _ b: UInt64) -> UInt64 {
  var sum: Int64 = 0
  for lane in 0..<8 { sum += abs(unsignedLane(a, lane, 8) - unsignedLane(b, lane, 8)) }
  return UInt64(sum)
}

package func parallelMinimumUnsignedBytes(_ a: UInt64, _ b: UInt64) -> UInt64 {
  gatherLanes(8) { min(unsignedLane(a, $0, 8), unsignedLane(b, $0, 8)) }
}

package func parallelMaximumUnsignedBytes(_ a: UInt64, _ b: UInt64) -> UInt64 {
  gatherLanes(8) { max(unsignedLane(a, $0, 8), unsignedLane(b, $0, 8)) }
}

package func parallelMinimumWords(_ a: UInt64, _ b: UInt64) -> UInt64 {
  gatherLanes(16) { min(signedLane(a, $0, 16), signedLane(b, $0, 16)) }
}

package func parallelMaximumWords(_ a: UInt64, _ b: UInt64) -> UInt64 {
  gatherLanes(16) { max(signedLane(a, $0, 16), signedLane(b, $0, 16)) }
}

/// pack: lanes of `bits` narrow to half, those of `a` below those of `b`.
package func parallelPack(_ a: UInt64, _ b: UInt64, bits: Int, unsignedResult: Bool) -> UInt64 {
  let half = bits / 2, count = 64 / bits
  return gatherLanes(half) { lane in
    let value = lane < count ? signedLane(a, lane, bits) : signedLane(b, lane - count, bits)
    return unsignedResult ? saturateUnsigned(value, half) : saturateSigned(value, half)
  }
}

/// unpack: lanes of the high or low half of both operands, interleaved; those of `b` at even places.
package func parallelUnpack(_ a: UInt64, _ b: UInt64, bits: Int, high: Bool) -> UInt64 {
  let base = high ? 32 / bits : 0
  return gatherLanes(bits) { lane in unsignedLane(lane & 1 == 0 ? b : a, base + lane / 2, bits) }
}

/// mix: the odd (`left`) or even lanes of both operands, interleaved; those of `b` at even places.
package func parallelMix(_ a: UInt64, _ b: UInt64, bits: Int, left: Bool) -> UInt64 {
  gatherLanes(bits) { lane in unsignedLane(lane & 1 == 0 ? b : a, (lane & ~1) + (left ? 1 : 0), bits) }
}

/// mux1: `form` is the instruction's 4-bit field: 0 brcst, 8 mix, 9 shuf, 10 alt, 11 rev. nil: reserved.
package func parallelPermuteBytes(_ a: UInt64, form: Int) -> UInt64? {
  // Nibble i of each constant is the source lane of result lane i.
  let sources: UInt64
  switch form {
  case 0: sources = 0x0000_0000
  case 8: sources = 0x7351_6240
  case 9: sources = 0x7362_5140
  case 10: sources = 0x7531_6420
  case 11: sources = 0x0123_4567
  default: return nil
  }
  return gatherLanes(8) { unsignedLane(a, Int((sources >> UInt64(4 * $0)) & 7), 8) }
}

/// mux2: two bits of `form` a lane name its source.
package func parallelPermuteWords(_ a: UInt64, form: Int) -> UInt64 {
  gatherLanes(16) { unsignedLane(a, (form >> (2 * $0)) & 3, 16) }
}

/// czx: index of the first zero lane counted from the left (most significant) or right; the lane count if none.
package func findZeroLane(_ a: UInt64, bits: Int, left: Bool) -> UInt64 {
  let count = 64 / bits
  for index in 0..<count where unsignedLane(a, left ? count - 1 - index : index, bits) == 0 { return UInt64(index) }
  return UInt64(count)
}
