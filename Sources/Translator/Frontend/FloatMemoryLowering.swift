// Loads and stores of floating-point registers to IR (formats M6, M9, M11, M12): doubles as packed doubles, integers, spills and
// fills of 16 bytes, and pairs.
import IA64
import Machine

extension Frontend {
  /// False for what is not done here: speculation and extended forms.
  mutating func lowerFloatMemory(_ i: Instruction) -> Bool {
    guard options.contains(.doubles) else { return false }
    builder.base = i.r3
    if builder.predicate >= 0 && !isWhole(i.opcode) { return lowerPredicated(i) }
    switch i.opcode {
    case .ldfs: return loadSingle(i, -1)
    case .ldfs_r:
      guard isWritable(i.r3) else { return false }
      return loadSingle(i, builder.add(gr(i.r3), gr(i.r2)))
    case .ldfs_i:
      guard isWritable(i.r3) else { return false }
      return loadSingle(i, builder.addImmediate(gr(i.r3), i.imm))
    case .stfs, .stfs_i: return storeSingle(i)
    case .ldfd, .ldfd_a, .ldfd_c_clr, .ldfd_c_nc, .ldf8, .ldf8_a, .ldf8_c_clr, .ldf8_c_nc: return loadFloat(i, -1)
    case .ldfd_r, .ldfd_a_r, .ldfd_c_clr_r, .ldfd_c_nc_r, .ldf8_r, .ldf8_a_r, .ldf8_c_clr_r, .ldf8_c_nc_r:
      guard isWritable(i.r3) else { return false }
      return loadFloat(i, builder.add(gr(i.r3), gr(i.r2)))
    case .ldfd_i, .ldfd_a_i, .ldfd_c_clr_i, .ldfd_c_nc_i, .ldf8_i, .ldf8_a_i, .ldf8_c_clr_i, .ldf8_c_nc_i:
      guard isWritable(i.r3) else { return false }
      return loadFloat(i, builder.addImmediate(gr(i.r3), i.imm))
    case .stfd, .stf8, .stfd_i, .stf8_i: return storeFloat(i)
    case .stf_spill, .stf_spill_i: return spill(i)
    case .ldf_fill, .ldf_fill_r, .ldf_fill_i: return fill(i)
    case .ldfp8, .ldfpd, .ldfp8_i, .ldfpd_i: return loadPair(i)
    default: return false
    }
  }

  /// What moves bits as they are, so that a predicate only chooses.
  private func isWhole(_ opcode: Opcode) -> Bool {
    switch opcode {
    case .ldfp8, .ldfp8_i, .stf_spill, .stf_spill_i, .ldf_fill, .ldf_fill_r, .ldf_fill_i: true
    default: false
    }
  }

  /// 8 bytes at `address`; where the instruction's predicate is false nothing is read and the value is as good as any.
  private mutating func load(_ address: Int32, isDouble: Bool = false) -> Int32 {
    builder.emit(
      .load, address, builder.predicate < 0 ? -1 : builder.constant(Int64(0)), builder.predicate, size: 8,
      condition: isDouble ? 2 : 0)
  }

  private mutating func loadFloat(_ i: Instruction, _ updated: Int32) -> Bool {
    guard i.f1 > 1, !isDisabled(i.f1) else { return false }
    let isInteger = isInteger(i.opcode)
    let raw = i.flags.contains(.advanced)
      ? builder.emit(.load, gr(i.r3), imm: builder.makeExit(.interpret, to: here), size: 8, condition: 1)
      : builder.emit(.load, gr(i.r3), size: 8, condition: isInteger ? 0 : 2)
    if isInteger { setInteger(i.f1, raw) } else { setDouble(i.f1, raw) }
    if updated >= 0 { setGR(i.r3, updated) }
    return true
  }

  private func isInteger(_ opcode: Opcode) -> Bool {
    switch opcode {
    case .ldf8, .ldf8_a, .ldf8_c_clr, .ldf8_c_nc, .ldf8_r, .ldf8_a_r, .ldf8_c_clr_r, .ldf8_c_nc_r, .ldf8_i, .ldf8_a_i,
      .ldf8_c_clr_i, .ldf8_c_nc_i, .stf8, .stf8_i: true
    default: false
    }
  }

  private mutating func storeFloat(_ i: Instruction) -> Bool {
    let updates = i.opcode == .stfd_i || i.opcode == .stf8_i
    guard !isDisabled(i.f2), !updates || isWritable(i.r3) else { return false }
    let bits: Int32
    if isInteger(i.opcode) {
      bits = integer(i.f2)
    } else {
      guard !isKnownOther(i.f2), let value = double(i.f2) else { return false }
      bits = value
    }
    let address = gr(i.r3)
    _ = builder.emit(.store, address, bits, size: 8)
    if updates { setGR(i.r3, builder.addImmediate(address, i.imm)) }
    endStore()
    return true
  }

  // MARK: Singles

  private mutating func loadSingle(_ i: Instruction, _ updated: Int32) -> Bool {
    guard options.contains(.singles), i.f1 > 1, !isDisabled(i.f1) else { return false }
    let raw = builder.emit(.load, gr(i.r3), size: 4)
    setDouble(i.f1, builder.emit(.checkSingle, raw, imm: builder.makeExit(.interpret, to: here)))
    if updated >= 0 { setGR(i.r3, updated) }
    return true
  }

  private mutating func storeSingle(_ i: Instruction) -> Bool {
    let updates = i.opcode == .stfs_i
    guard options.contains(.singles), !isDisabled(i.f2), !updates || isWritable(i.r3), !isKnownOther(i.f2),
      let bits = singleBits(i.f2)
    else { return false }
    let address = gr(i.r3)
    _ = builder.emit(.store, address, bits, size: 4)
    if updates { setGR(i.r3, builder.addImmediate(address, i.imm)) }
    endStore()
    return true
  }

  // MARK: Under a predicate

  /// Loads and stores of doubles and integers.
  private mutating func lowerPredicated(_ i: Instruction) -> Bool {
    switch i.opcode {
    case .ldfd, .ldfd_c_clr, .ldfd_c_nc, .ldf8: return loadPredicated(i, -1)
    case .ldfd_r, .ldf8_r:
      guard isWritable(i.r3) else { return false }
      return loadPredicated(i, builder.add(gr(i.r3), gr(i.r2)))
    case .ldfd_i, .ldf8_i:
      guard isWritable(i.r3) else { return false }
      return loadPredicated(i, builder.addImmediate(gr(i.r3), i.imm))
    case .stfd, .stfd_i, .stf8, .stf8_i: return storePredicated(i)
    default: return false
    }
  }

  private mutating func loadPredicated(_ i: Instruction, _ updated: Int32) -> Bool {
    guard i.f1 > 1, !isDisabled(i.f1) else { return false }
    guard mayKeep(i.f1) else { return false }
    let register = physicalFR(i.f1), condition = builder.predicate
    let bits = builder.read(Slot.significand(register)), form = builder.read(Slot.exponent(register))
    let value = builder.emit(.load, gr(i.r3), bits, condition, size: 8)
    let newForm = builder.constant(isInteger(i.opcode) ? Frontend.integerExponent : Frontend.packed)
    builder.put(Slot.significand(register), value)
    builder.put(Slot.exponent(register), builder.select(condition, newForm, form))
    called.remove(i.f1)
    markModified(i.f1)
    if updated >= 0 { setGR(i.r3, updated) }
    return true
  }

  private mutating func storePredicated(_ i: Instruction) -> Bool {
    let updates = i.opcode == .stfd_i || i.opcode == .stf8_i
    guard !isDisabled(i.f2), !updates || isWritable(i.r3), i.f2 > 1, mayKeep(i.f2) else { return false }
    let register = physicalFR(i.f2), condition = builder.predicate
    let wanted = isInteger(i.opcode) ? Frontend.integerExponent : Frontend.packed
    let form = valueUnderPredicate(builder.read(Slot.exponent(register)))
    if let known = builder.known(form) {
      guard known == wanted else { return false }
    } else {
      let other = isInteger(i.opcode)
        ? builder.compare(.notEqual, form, builder.constant(wanted), size: 8)
        : builder.compare(.greaterEqual, form, builder.constant(Int64(0)), size: 8)
      _ = builder.emit(.exitIf, builder.both(other, condition), imm: builder.makeExit(.interpret, to: here))
    }
    let bits = valueUnderPredicate(builder.read(Slot.significand(register)))
    let address = gr(i.r3)
    _ = builder.emit(.store, address, bits, condition, size: 8)
    if updates { setGR(i.r3, builder.addImmediate(address, i.imm)) }
    endStore()
    return true
  }

  /// What a value is where the instruction's predicate is true.
  private func valueUnderPredicate(_ value: Int32) -> Int32 {
    let node = builder.block.nodes[Int(value)]
    return node.op == .select && node.c == builder.predicate ? node.a : value
  }

  // MARK: 16 bytes

  /// Leaves where 16 bytes do not lie in one place, so that both halves are reached or neither.
  private mutating func requireAligned(_ address: Int32) {
    let rest = builder.andImmediate(address, 15)
    let odd = builder.compare(.notEqual, rest, builder.constant(Int64(0)), size: 8)
    builder.exit(if: builder.predicate < 0 ? odd : builder.both(odd, builder.predicate), .interpret, to: here)
  }

  /// stf.spill of what is known to be in canonical form (f0, f1, integers), or is a packed double and no infinity.
  private mutating func spill(_ i: Instruction) -> Bool {
    let updates = i.opcode == .stf_spill_i
    guard !isDisabled(i.f2), !updates || isWritable(i.r3) else { return false }
    let low: Int32, high: Int32
    if i.f2 < 2 {
      low = builder.constant(i.f2 == 0 ? Int64(0) : Int64.min)
      high = builder.constant(i.f2 == 0 ? Int64(0) : 0xffff)
    } else {
      let exponent = builder.current[Slot.exponent(physicalFR(i.f2))]
      if exponent >= 0, let form = builder.known(exponent), form != Frontend.packed {
        guard form >> 62 == 0 else { return false }
        (low, high) = (builder.read(Slot.significand(physicalFR(i.f2))), exponent)
      } else {
        guard builder.predicate < 0, !called.contains(i.f2), let bits = plainDouble(i.f2) else { return false }
        (low, high) = canonical(bits)
      }
    }
    let address = gr(i.r3)
    requireAligned(address)
    _ = builder.emit(.store, address, low, builder.predicate, size: 8)
    _ = builder.emit(.store, builder.addImmediate(address, 8), high, builder.predicate, size: 8)
    if updates { setGR(i.r3, builder.addImmediate(address, i.imm)) }
    endStore()
    return true
  }

  /// Significand and exponent with the sign of a packed double that is neither NaN nor denormal; leaves where that is
  /// an infinity.
  private mutating func canonical(_ bits: Int32) -> (low: Int32, high: Int32) {
    let zero = builder.constant(Int64(0))
    let field = builder.andImmediate(builder.shift(.shiftRight, bits, 52), 0x7ff)
    builder.exit(
      if: builder.compare(.equal, field, builder.constant(Int64(0x7ff)), size: 8), .interpret, to: here)
    let isZero = builder.compare(.equal, field, zero, size: 8)
    let sign = builder.shift(.shiftLeft, builder.shift(.shiftRight, bits, 63), 17)
    let low = builder.orImmediate(builder.shift(.shiftLeft, bits, 11), Int64.min)
    let high = builder.or(builder.addImmediate(field, 0xfc00), sign)
    return (builder.select(isZero, zero, low), builder.select(isZero, sign, high))
  }

  private mutating func fill(_ i: Instruction) -> Bool {
    let updates = i.opcode != .ldf_fill
    guard i.f1 > 1, !isDisabled(i.f1), !updates || isWritable(i.r3), mayKeep(i.f1) else { return false }
    let address = gr(i.r3)
    let updated = i.opcode == .ldf_fill_r ? builder.add(address, gr(i.r2)) : builder.addImmediate(address, i.imm)
    requireAligned(address)
    let low = load(address), high = load(builder.addImmediate(address, 8))
    let register = physicalFR(i.f1)
    builder.write(Slot.significand(register), low)
    builder.write(Slot.exponent(register), builder.andImmediate(high, 0x3ffff))
    called.remove(i.f1)
    markModified(i.f1)
    if updates { setGR(i.r3, updated) }
    return true
  }

  private mutating func loadPair(_ i: Instruction) -> Bool {
    let updates = i.opcode == .ldfp8_i || i.opcode == .ldfpd_i
    // Registers of equal parity are an Illegal Operation.
    guard i.f1 > 1, i.f2 > 1, (i.f1 < 32) == (i.f2 < 32), (i.f1 ^ i.f2) & 1 == 1, !isDisabled(i.f1),
      !updates || isWritable(i.r3), mayKeep(i.f1), mayKeep(i.f2)
    else { return false }
    let address = gr(i.r3)
    requireAligned(address)
    let isInteger = i.opcode == .ldfp8 || i.opcode == .ldfp8_i
    let low = load(address, isDouble: !isInteger)
    let high = load(builder.addImmediate(address, 8), isDouble: !isInteger)
    if isInteger {
      setInteger(i.f1, low)
      setInteger(i.f2, high)
    } else {
      setDouble(i.f1, low)
      setDouble(i.f2, high)
    }
    if updates { setGR(i.r3, builder.addImmediate(address, 16)) }
    return true
  }
}
