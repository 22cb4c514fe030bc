// Parallel integer instructions to IR, by arithmetic on whole registers (formats A9, I2, I7, I8): those with modular
// arithmetic, fixed shifts, and rearrangements. The saturating ones, comparisons, averages and products are the interpreter's.
import IA64

extension Frontend {
  /// Bits of a word in which each lane of `size` bytes holds `lane`.
  private func lanes(_ lane: UInt64, _ size: Int) -> Int64 {
    var word: UInt64 = 0
    for shift in stride(from: 0, to: 64, by: size * 8) { word |= lane << UInt64(shift) }
    return Int64(bitPattern: word)
  }

  /// False for what is not done here.
  mutating func lowerParallel(_ i: Instruction) -> Bool {
    switch i.opcode {
    case .padd1: return lowerParallelSum(i, 1, subtract: false)
    case .padd2: return lowerParallelSum(i, 2, subtract: false)
    case .padd4: return lowerParallelSum(i, 4, subtract: false)
    case .psub1: return lowerParallelSum(i, 1, subtract: true)
    case .psub2: return lowerParallelSum(i, 2, subtract: true)
    case .psub4: return lowerParallelSum(i, 4, subtract: true)
    case .unpack1_h, .unpack1_l: return lowerUnpack(i, 1, high: i.opcode == .unpack1_h)
    case .unpack2_h, .unpack2_l: return lowerUnpack(i, 2, high: i.opcode == .unpack2_h)
    case .pshl2_imm, .pshl4_imm: return lowerParallelShift(i, i.opcode == .pshl2_imm ? 2 : 4, i.r2, left: true)
    case .pshr2_u_imm, .pshr4_u_imm: return lowerParallelShift(i, i.opcode == .pshr2_u_imm ? 2 : 4, i.r3, left: false)
    case .mux2: return lowerPermuteWords(i)
    default: return lowerMix(i)
    }
  }

  /// Lanes are added or subtracted without their top bits, so that nothing passes from one to the next; the top bits
  /// follow from those of the operands.
  private mutating func lowerParallelSum(_ i: Instruction, _ size: Int, subtract: Bool) -> Bool {
    guard isWritable(i.r1) else { return false }
    let top = lanes(1 << UInt64(size * 8 - 1), size)
    let a = gr(i.r2), b = gr(i.r3)
    let low = builder.andImmediate(b, ~top)
    let sum = subtract
      ? builder.sub(builder.orImmediate(a, top), low) : builder.add(builder.andImmediate(a, ~top), low)
    let tops = builder.andImmediate(builder.xor(a, b), top)
    setGR(i.r1, builder.xor(sum, subtract ? builder.xorImmediate(tops, top) : tops))
    return true
  }

  private mutating func lowerParallelShift(_ i: Instruction, _ size: Int, _ source: UInt8, left: Bool) -> Bool {
    guard isWritable(i.r1) else { return false }
    let bits = size * 8, count = Int(i.count)
    if count >= bits {
      setGR(i.r1, builder.constant(Int64(0)))
      return true
    }
    let lane: UInt64 = (1 << UInt64(bits)) - 1
    let kept = left ? lane << UInt64(count) & lane : lane >> UInt64(count)
    let shifted = builder.shift(left ? .shiftLeft : .shiftRight, gr(source), count)
    setGR(i.r1, builder.andImmediate(shifted, lanes(kept, size)))
    return true
  }

  /// One half of each operand, lane by lane in turn.
  private mutating func lowerUnpack(_ i: Instruction, _ size: Int, high: Bool) -> Bool {
    guard isWritable(i.r1) else { return false }
    func half(_ frontend: inout Frontend, _ register: UInt8) -> Int32 {
      let value = frontend.gr(register)
      return high
        ? frontend.builder.shift(.shiftRight, value, 32) : frontend.builder.andImmediate(value, 0xffff_ffff)
    }
    let upper = spread(half(&self, i.r2), size), lower = spread(half(&self, i.r3), size)
    setGR(i.r1, builder.or(builder.shift(.shiftLeft, upper, size * 8), lower))
    return true
  }

  /// The lanes of a word's lower half, each in the lower half of a place twice as wide.
  private mutating func spread(_ value: Int32, _ size: Int) -> Int32 {
    var result = value
    var width = 4
    while width > size {
      width /= 2
      result = builder.or(result, builder.shift(.shiftLeft, result, width * 8))
      result = builder.andImmediate(result, lanes((1 << UInt64(width * 8)) - 1, width * 2))
    }
    return result
  }

  /// mix of any size, and unpack of words, which is the same.
  private mutating func lowerMix(_ i: Instruction) -> Bool {
    let size: UInt8
    let left: Bool
    switch i.opcode {
    case .mix1_l: (size, left) = (1, true)
    case .mix1_r: (size, left) = (1, false)
    case .mix2_l: (size, left) = (2, true)
    case .mix2_r: (size, left) = (2, false)
    case .mix4_l, .unpack4_h: (size, left) = (4, true)
    case .mix4_r, .unpack4_l: (size, left) = (4, false)
    default: return false
    }
    guard isWritable(i.r1) else { return false }
    let bits = Int(size) * 8
    // The lower element of each pair.
    let lower: Int64 = size == 1 ? 0x00ff_00ff_00ff_00ff : size == 2 ? 0x0000_ffff_0000_ffff : 0xffff_ffff
    let high = left ? gr(i.r2) : builder.shift(.shiftLeft, gr(i.r2), bits)
    let low = left ? builder.shift(.shiftRight, gr(i.r3), bits) : gr(i.r3)
    let upperPart = size == 4 && !left ? high : builder.andImmediate(high, ~lower)
    let lowerPart = size == 4 && left ? low : builder.andImmediate(low, lower)
    setGR(i.r1, builder.or(upperPart, lowerPart))
    return true
  }

  /// czx: the number of the first lane that is 0, from the left or the right, or how many lanes there are.
  mutating func findZero(_ value: Int32, _ size: Int, left: Bool) -> Int32 {
    // The bytes of a lane change places too, which does not matter here.
    let ordered = left ? builder.emit(.byteSwap, value) : value
    let below = lanes((1 << UInt64(size * 8 - 1)) - 1, size)
    // The top bit of a lane, where all its other bits and itself are 0.
    let carried = builder.addImmediate(builder.andImmediate(ordered, below), below)
    let zeros = builder.xorImmediate(builder.orImmediate(builder.or(carried, ordered), below), -1)
    let lower = builder.andComplement(builder.addImmediate(zeros, -1), zeros)
    return builder.shift(.shiftRight, builder.emit(.populationCount, lower), size == 1 ? 3 : 4)
  }

  // MARK: Permutations

  /// mux1 by its type: the bytes of `value` in another order; nil where the type is none.
  mutating func permutedBytes(_ value: Int32, _ type: UInt8) -> Int32? {
    switch type {
    case 0: return builder.multiply(builder.extend(.zeroExtend, value, 1), builder.constant(lanes(1, 1)))
    case 8: return exchange(value, 0xff00_ff00, 24)
    case 9: return exchange(exchange(value, 0xffff_0000, 16), 0x0000_ff00_0000_ff00, 8)
    case 10: return exchange(exchange(value, 0x0000_ff00_0000_ff00, 8), 0xffff_0000, 16)
    case 11: return builder.emit(.byteSwap, value)
    default: return nil
    }
  }

  /// The bits in `mask` change places with those `distance` above them.
  private mutating func exchange(_ value: Int32, _ mask: Int64, _ distance: Int) -> Int32 {
    let differing = builder.andImmediate(
      builder.xor(value, builder.shift(.shiftRight, value, distance)), mask)
    return builder.xor(builder.xor(value, differing), builder.shift(.shiftLeft, differing, distance))
  }

  /// mux2: the words that move by the same distance move together.
  private mutating func lowerPermuteWords(_ i: Instruction) -> Bool {
    guard isWritable(i.r1) else { return false }
    let value = gr(i.r2)
    var result: Int32 = -1
    for distance in -3...3 {
      var mask: UInt64 = 0
      for target in 0..<4 where target - Int(i.mhtype >> UInt8(2 * target) & 3) == distance {
        mask |= 0xffff << UInt64(16 * target)
      }
      if mask == 0 { continue }
      let moved = builder.shift(distance < 0 ? .shiftRight : .shiftLeft, value, 16 * abs(distance))
      let part = builder.andImmediate(moved, Int64(bitPattern: mask))
      result = result < 0 ? part : builder.or(result, part)
    }
    setGR(i.r1, result)
    return true
  }
}
