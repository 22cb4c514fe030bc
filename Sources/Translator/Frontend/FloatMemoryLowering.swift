// Loads and stores of floating-point registers to IR (formats M6, M9, M11, M12): doubles as packed doubles, integers, spills and
// fills of 16 bytes, and pairs.
import IA64
import Machine

extension Frontend {
  /// False for what is not done here: speculation, singles, extended forms, and doubles under a predicate.
  mutating func lowerFloatMemory(_ i: Instruction) -> Bool {
    guard options.contains(.doubles), builder.predicate < 0 || isWhole(i.opcode) else { return false }
    builder.base = i.r3
    switch i.opcode {
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
    default: isInteger(opcode)
    }
  }

  /// 8 bytes at `address`; where the instruction's predicate is false nothing is read and the value is as good as any.
  private mutating func load(_ address: Int32) -> Int32 {
    builder.emit(.load, address, builder.predicate < 0 ? -1 : builder.constant(Int64(0)), builder.predicate, size: 8)
  }

  private mutating func loadFloat(_ i: Instruction, _ updated: Int32) -> Bool {
    guard i.f1 > 1, !isDisabled(i.f1) else { return false }
    let isAdvanced = i.flags.contains(.advanced)
    guard !isAdvanced || builder.predicate < 0 else { return false }
    let raw = isAdvanced
      ? builder.emit(.load, gr(i.r3), imm: builder.makeExit(.interpret, to: here), size: 8, condition: 1)
      : load(gr(i.r3))
    if isInteger(i.opcode) {
      setInteger(i.f1, raw)
    } else {
      setDouble(i.f1, builder.emit(.checkDouble, raw, imm: builder.makeExit(.interpret, to: here)))
    }
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
    _ = builder.emit(.store, address, bits, builder.predicate, size: 8)
    if updates { setGR(i.r3, builder.addImmediate(address, i.imm)) }
    endStore()
    return true
  }

  // MARK: 16 bytes

  /// Leaves where 16 bytes do not lie in one place, so that both halves are reached or neither.
  private mutating func requireAligned(_ address: Int32) {
    let rest = builder.andImmediate(address, 15)
    let odd = builder.compare(.notEqual, rest, builder.constant(Int64(0)), size: 8)
    builder.exit(if: builder.predicate < 0 ? odd : builder.both(odd, builder.predicate), .interpret, to: here)
  }

  /// stf.spill of what is known to be in canonical form: f0, f1, integers.
  private mutating func spill(_ i: Instruction) -> Bool {
    let updates = i.opcode == .stf_spill_i
    guard !isDisabled(i.f2), !updates || isWritable(i.r3) else { return false }
    let low: Int32, high: Int32
    if i.f2 < 2 {
      low = builder.constant(i.f2 == 0 ? Int64(0) : Int64.min)
      high = builder.constant(i.f2 == 0 ? Int64(0) : 0xffff)
    } else {
      high = builder.current[Slot.exponent(physicalFR(i.f2))]
      guard high >= 0, let form = builder.known(high), form != Frontend.packed else { return false }
      low = builder.read(Slot.significand(physicalFR(i.f2)))
    }
    let address = gr(i.r3)
    requireAligned(address)
    _ = builder.emit(.store, address, low, builder.predicate, size: 8)
    _ = builder.emit(.store, builder.addImmediate(address, 8), high, builder.predicate, size: 8)
    if updates { setGR(i.r3, builder.addImmediate(address, i.imm)) }
    endStore()
    return true
  }

  private mutating func fill(_ i: Instruction) -> Bool {
    let updates = i.opcode != .ldf_fill
    guard i.f1 > 1, !isDisabled(i.f1), !updates || isWritable(i.r3) else { return false }
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
      !updates || isWritable(i.r3)
    else { return false }
    let address = gr(i.r3)
    requireAligned(address)
    let low = load(address), high = load(builder.addImmediate(address, 8))
    if i.opcode == .ldfp8 || i.opcode == .ldfp8_i {
      setInteger(i.f1, low)
      setInteger(i.f2, high)
    } else {
      // Both are known to be doubles before either register is written.
      let first = builder.emit(.checkDouble, low, imm: builder.makeExit(.interpret, to: here))
      let second = builder.emit(.checkDouble, high, imm: builder.makeExit(.interpret, to: here))
      setDouble(i.f1, first)
      setDouble(i.f2, second)
    }
    if updates { setGR(i.r3, builder.addImmediate(address, 16)) }
    return true
  }
}
