// Integer instructions to IR: ALU (formats A1–A5), shifts and bit fields (I5–I15), extensions, and compares and tests
// of all types (A6–A8, I16, I17, I30).
import IA64

extension Frontend {
  // MARK: ALU

  mutating func lowerInteger(_ i: Instruction) {
    guard isWritable(i.r1) else { return leaveToInterpreter() }
    let result: Int32
    switch i.opcode {
    case .add: result = builder.add(gr(i.r2), gr(i.r3))
    case .add_1: result = builder.addImmediate(builder.add(gr(i.r2), gr(i.r3)), 1)
    case .sub: result = builder.sub(gr(i.r2), gr(i.r3))
    case .sub_1: result = builder.addImmediate(builder.sub(gr(i.r2), gr(i.r3)), -1)
    case .and: result = builder.and(gr(i.r2), gr(i.r3))
    case .andcm: result = builder.andComplement(gr(i.r2), gr(i.r3))
    case .or: result = builder.or(gr(i.r2), gr(i.r3))
    case .xor: result = builder.xor(gr(i.r2), gr(i.r3))
    case .adds, .addl: result = builder.addImmediate(gr(i.r3), i.imm)
    case .sub_imm: result = builder.subtractFrom(i.imm, gr(i.r3))
    case .and_imm: result = builder.andImmediate(gr(i.r3), i.imm)
    case .or_imm: result = builder.orImmediate(gr(i.r3), i.imm)
    case .xor_imm: result = builder.xorImmediate(gr(i.r3), i.imm)
    case .andcm_imm: result = builder.andImmediate(builder.xorImmediate(gr(i.r3), -1), i.imm)
    case .shladd: result = builder.shiftAdd(gr(i.r2), Int(i.count), gr(i.r3))
    case .addp4: result = pointer(builder.add(gr(i.r2), gr(i.r3)), gr(i.r3))
    case .addp4_imm: result = pointer(builder.addImmediate(gr(i.r3), i.imm), gr(i.r3))
    case .shladdp4: result = pointer(builder.shiftAdd(gr(i.r2), Int(i.count), gr(i.r3)), gr(i.r3))
    default: return interpret(i)
    }
    setGR(i.r1, result)
  }

  /// The 32-bit pointer form: bits 31:30 of `base` become the region.
  private mutating func pointer(_ sum: Int32, _ base: Int32) -> Int32 {
    let region = builder.andImmediate(builder.shift(.shiftRight, base, 30), 3)
    return builder.or(builder.extend(.zeroExtend, sum, 4), builder.shift(.shiftLeft, region, 61))
  }

  // MARK: Shifts and fields

  private func mask(_ length: UInt8) -> UInt64 { length >= 64 ? ~0 : (1 << UInt64(length)) - 1 }

  mutating func lowerShift(_ i: Instruction) {
    let result: Int32
    // The opcodes between are multimedia, tests and moves: not here.
    switch i.opcode {
    case .shl, .shr, .shr_u, .popcnt, .shrp, .extr_u, .extr, .dep_z, .dep_z_imm, .dep_imm, .dep, .zxt1, .zxt2, .zxt4,
      .sxt1, .sxt2, .sxt4, .mux1:
      guard isWritable(i.r1) else { return leaveToInterpreter() }
    case .czx1_l, .czx1_r, .czx2_l, .czx2_r:
      guard isWritable(i.r1) else { return leaveToInterpreter() }
      let size = i.opcode == .czx1_l || i.opcode == .czx1_r ? 1 : 2
      return setGR(i.r1, findZero(gr(i.r3), size, left: i.opcode == .czx1_l || i.opcode == .czx2_l))
    default: return lowerParallel(i) ? () : lowerMove(i)
    }
    switch i.opcode {
    case .shl: result = variable(.shiftLeftVariable, .shiftLeft, gr(i.r2), gr(i.r3))
    case .shr: result = variable(.shiftArithmeticVariable, .shiftArithmetic, gr(i.r3), gr(i.r2))
    case .shr_u: result = variable(.shiftRightVariable, .shiftRight, gr(i.r3), gr(i.r2))
    case .popcnt: result = builder.emit(.populationCount, gr(i.r3))
    case .shrp:
      if i.count == 0 {
        result = gr(i.r3)
      } else if i.r2 == i.r3 {
        let a = gr(i.r2)
        result = builder.emit(.shiftPair, a, a, imm: Int64(i.count))
      } else {
        result = builder.emit(.shiftPair, gr(i.r2), gr(i.r3), imm: Int64(i.count))
      }
    case .extr_u:
      let value = builder.shift(.shiftRight, gr(i.r3), Int(i.pos))
      result = i.pos + i.len >= 64 ? value : builder.andImmediate(value, Int64(bitPattern: mask(i.len)))
    case .extr:
      let unused = max(0, 64 - Int(i.pos) - Int(i.len))
      if i.pos == 0 && (i.len == 8 || i.len == 16 || i.len == 32) {
        result = builder.extend(.signExtend, gr(i.r3), i.len / 8)
      } else {
        result = builder.shift(
          .shiftArithmetic, builder.shift(.shiftLeft, gr(i.r3), unused), unused + Int(i.pos))
      }
    case .dep_z:
      let field = Int(i.pos) + Int(i.len) >= 64
        ? gr(i.r2) : builder.andImmediate(gr(i.r2), Int64(bitPattern: mask(i.len)))
      result = builder.shift(.shiftLeft, field, Int(i.pos))
    case .dep_z_imm:
      result = builder.constant((UInt64(bitPattern: i.imm) & mask(i.len)) << UInt64(i.pos))
    case .dep_imm:
      let field = mask(i.len) << UInt64(i.pos)
      result = i.imm != 0
        ? builder.orImmediate(gr(i.r3), Int64(bitPattern: field))
        : builder.andImmediate(gr(i.r3), Int64(bitPattern: ~field))
    case .dep:
      let field = mask(i.len) << UInt64(i.pos)
      let part = builder.shift(
        .shiftLeft, builder.andImmediate(gr(i.r2), Int64(bitPattern: mask(i.len))), Int(i.pos))
      result = builder.or(builder.andImmediate(gr(i.r3), Int64(bitPattern: ~field)), part)
    case .zxt1: result = builder.extend(.zeroExtend, gr(i.r3), 1)
    case .zxt2: result = builder.extend(.zeroExtend, gr(i.r3), 2)
    case .zxt4: result = builder.extend(.zeroExtend, gr(i.r3), 4)
    case .sxt1: result = builder.extend(.signExtend, gr(i.r3), 1)
    case .sxt2: result = builder.extend(.signExtend, gr(i.r3), 2)
    case .sxt4: result = builder.extend(.signExtend, gr(i.r3), 4)
    default:  // mux1
      guard let permuted = permutedBytes(gr(i.r2), i.mbtype) else { return interpret(i) }
      result = permuted
    }
    setGR(i.r1, result)
  }

  private mutating func variable(_ op: Operation, _ fixed: Operation, _ a: Int32, _ count: Int32) -> Int32 {
    if let c = builder.known(count) {
      let amount = Int(min(UInt64(bitPattern: c), 64))
      if amount > 63 && fixed != .shiftArithmetic { return builder.constant(Int64(0)) }
      return builder.shift(fixed, a, min(amount, 63))
    }
    return builder.emit(op, a, count)
  }

  // MARK: Compares and tests

  /// What a compare does with its result.
  enum CompareType { case normal, unconditional, and, or, orAndcm }

  mutating func lowerCompare(_ i: Instruction, _ qualifying: Int32) {
    if i.p1 == i.p2 || i.flags.contains(.illegalOperands) { return leaveToInterpreter() }
    let index = i.opcode.index
    let result: Int32
    let type: CompareType
    if index >= Opcode.tbit_z.index {
      let offset = (index - Opcode.tbit_z.index) % 8
      let set = offset == 3 || offset == 5 || offset == 7
      type = switch offset {
      case 0: .normal
      case 1: .unconditional
      case 2, 3: .and
      case 4, 5: .or
      default: .orAndcm
      }
      if index < Opcode.tnat_z.index {
        result = builder.testBit(gr(i.r3), Int(i.pos), set: set)
      } else if index < Opcode.tf_z.index {
        result = builder.constant(set ? Int64(0) : 1)  // no register of the frame holds a NaT here
      } else {
        return interpret(i)
      }
    } else {
      let wide = index < Opcode.cmp4_lt.index
      let size: UInt8 = wide ? 8 : 4
      let registers = wide ? Opcode.cmp_lt.index : Opcode.cmp4_lt.index
      let zeros = wide ? Opcode.cmp_gt_and_zero.index : Opcode.cmp4_gt_and_zero.index
      let immediates = wide ? Opcode.cmp_lt_imm.index : Opcode.cmp4_lt_imm.index
      let relation: Relation
      if index >= zeros && index < zeros + 12 {
        let offset = index - zeros
        relation = [Relation.greater, .lessEqual, .greaterEqual, .less][offset / 3]
        type = offset % 3 == 0 ? .and : offset % 3 == 1 ? .or : .orAndcm
        result = builder.compare(relation.swapped, gr(i.r3), builder.constant(Int64(0)), size: size)
      } else {
        let offset = index >= immediates && index < immediates + 12 ? index - immediates : index - registers
        switch offset {
        case 0, 3: relation = .less
        case 1, 4: relation = .below
        case 2, 5, 6, 7, 8: relation = .equal
        default: relation = .notEqual
        }
        type = switch offset {
        case 0, 1, 2: .normal
        case 3, 4, 5: .unconditional
        case 6, 9: .and
        case 7, 10: .or
        default: .orAndcm
        }
        if index >= immediates && index < immediates + 12 {
          result = builder.compare(relation.swapped, gr(i.r3), builder.constant(i.imm), size: size)
        } else {
          result = builder.compare(relation, gr(i.r2), gr(i.r3), size: size)
        }
      }
    }
    writePredicates(i, type, result, qualifying)
  }

  private mutating func setPredicate(_ n: UInt8, _ value: Int32) {
    if n != 0 { builder.put(predicateSlot(n), value) }
  }

  mutating func writePredicates(
    _ i: Instruction, _ type: CompareType, _ result: Int32, _ qualifying: Int32
  ) {
    let p1 = i.p1, p2 = i.p2
    switch type {
    case .unconditional:
      let inverse = builder.complement(result)
      setPredicate(p1, builder.both(result, qualifying))
      setPredicate(p2, builder.both(inverse, qualifying))
    case .normal:
      if builder.known(qualifying) == 1 {
        if p1 != 0 { setPredicate(p1, result) }
        if p2 != 0 { setPredicate(p2, builder.complement(result)) }
      } else {
        // qp and result, or the old value where qp is false.
        let inverse = p2 != 0 ? builder.complement(result) : -1
        let old1 = predicate(p1), old2 = predicate(p2)
        if p1 != 0 {
          let kept = builder.bothNot(old1, qualifying)
          setPredicate(p1, builder.either(builder.both(result, qualifying), kept))
        }
        if p2 != 0 {
          let kept = builder.bothNot(old2, qualifying)
          setPredicate(p2, builder.either(builder.both(inverse, qualifying), kept))
        }
      }
    case .and:
      // Where the result is false both become 0.
      let clear = builder.both(builder.complement(result), qualifying)
      if p1 != 0 { setPredicate(p1, builder.bothNot(predicate(p1), clear)) }
      if p2 != 0 { setPredicate(p2, builder.bothNot(predicate(p2), clear)) }
    case .or:
      let set = builder.both(result, qualifying)
      if p1 != 0 { setPredicate(p1, builder.either(predicate(p1), set)) }
      if p2 != 0 { setPredicate(p2, builder.either(predicate(p2), set)) }
    case .orAndcm:
      let set = builder.both(result, qualifying)
      if p1 != 0 { setPredicate(p1, builder.either(predicate(p1), set)) }
      if p2 != 0 { setPredicate(p2, builder.bothNot(predicate(p2), set)) }
    }
  }
}
