// Moves of all predicates at once to IR (formats I23–I25): eight predicates, a byte each, are one word in memory.
// The frame's rename base has no part in them.
import CSupport
import IA64
import Machine

extension Frontend {
  /// False for what is not done here: under a predicate.
  mutating func lowerPredicateMove(_ i: Instruction) -> Bool {
    guard builder.predicate < 0 else { return false }
    switch i.opcode {
    case .mov_from_pr:
      guard isWritable(i.r1) else { return false }
      setGR(i.r1, packedPredicates())
    case .mov_to_pr: setPredicates(gr(i.r2), UInt64(bitPattern: i.imm))
    case .mov_to_pr_rot: setRotatingPredicates(UInt64(bitPattern: i.imm))
    default: return false
    }
    return true
  }

  private mutating func packedPredicates() -> Int32 {
    _ = builder.emit(.predicatesHome)
    // Each byte is 0 or 1: the product gathers the eight low bits in the top byte.
    let gather = builder.constant(Int64(0x0102_0408_1020_4080))
    var word: Int32 = -1
    for group in 0..<8 {
      let bytes = state(StateOffset.pr + Int32(group) * 8)
      let bits = builder.shift(.shiftRight, builder.emit(.multiply, bytes, gather), 56)
      let placed = builder.shift(.shiftLeft, bits, group * 8)
      word = word < 0 ? placed : builder.or(word, placed)
    }
    return word
  }

  /// Eight bits as bytes of 0 and 1.
  private mutating func spreadBits(_ bits: Int32) -> Int32 {
    let copies = builder.multiply(bits, builder.constant(Int64(0x0101_0101_0101_0101)))
    let own = builder.andImmediate(copies, Int64(bitPattern: 0x8040_2010_0804_0201))
    // A byte that is not 0 carries into its top bit.
    let tops = builder.addImmediate(own, 0x7f7f_7f7f_7f7f_7f7f)
    return builder.andImmediate(builder.shift(.shiftRight, tops, 7), 0x0101_0101_0101_0101)
  }

  private mutating func setPredicates(_ value: Int32, _ mask: UInt64) {
    _ = builder.emit(.predicatesHome)
    for group in 0..<8 {
      let wanted = UInt8(truncatingIfNeeded: mask >> UInt64(group * 8)) & (group == 0 ? 0xfe : 0xff)
      if wanted == (group == 0 ? 0xfe : 0xff) {
        let bytes = spreadBits(builder.extend(.zeroExtend, builder.shift(.shiftRight, value, group * 8), 1))
        storePredicates(group, group == 0 ? builder.orImmediate(bytes, 1) : bytes)
      } else {
        for bit in 0..<8 where wanted >> UInt8(bit) & 1 != 0 {
          builder.put(Slot.predicates + group * 8 + bit, builder.testBit(value, group * 8 + bit, set: true))
        }
      }
    }
  }

  private mutating func storePredicates(_ group: Int, _ bytes: Int32) {
    _ = builder.emit(.storeState, bytes, imm: Int64(StateOffset.pr) + Int64(group) * 8)
    let first = Slot.predicates + group * 8
    for slot in max(first, Slot.predicates + 1)..<first + 8 { builder.current[slot] = -1 }
  }

  private mutating func setRotatingPredicates(_ bits: UInt64) {
    _ = builder.emit(.predicatesHome)
    for group in 2..<8 {
      let byte = UInt8(truncatingIfNeeded: bits >> UInt64(group * 8))
      var word: UInt64 = 0
      for bit in 0..<8 where byte >> UInt8(bit) & 1 != 0 { word |= 1 << UInt64(bit * 8) }
      storePredicates(group, builder.constant(word))
      for bit in 0..<8 {
        builder.current[Slot.predicates + group * 8 + bit] = builder.constant(UInt64(byte >> UInt8(bit) & 1))
      }
    }
  }
}
