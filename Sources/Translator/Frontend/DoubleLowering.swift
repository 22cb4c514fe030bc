// Floating-point arithmetic in double precision to IR, on registers in packed form (kittson_cpu.h), by the host's scalar
// instructions (SDM vol. 1, chapter 5; formats F1, F4, F9). Only what gives a normal double or an exact zero from such
// operands stays here: operands in another form, results that are tiny, huge or NaN, and controls of sf0 other than
// rounding to nearest with all traps disabled leave to the interpreter, which does the instruction again. The host
// gathers the inexact flag (MXCSR.PE), which goes to sf0 wherever ar.fpsr can be seen.
//
// Everything else with a status field is a call of `computeFloat` (FloatCalls.swift).
import CSupport
import IA64
import Machine

/// What a `floatArithmetic` operation computes of its operands x, y, z (f3, f4, f2 where all three stand).
enum DoubleArithmetic: UInt8 {
  case multiply = 1, multiplyNegated, add, subtract, multiplyAdd, multiplySubtract, multiplyNegatedAdd
  case divide, squareRoot, toSingle
}

extension Frontend {
  static let packed = Int64(bitPattern: KT_FR_PACKED_DOUBLE)

  /// Whether native arithmetic may be used at all.
  var isNative: Bool { options.contains(.doubles) && builder.predicate < 0 }

  /// The bits of a register that must hold a packed double; leaves to the interpreter at run time where it does not.
  /// nil: it is known to hold something else.
  mutating func double(_ n: UInt8) -> Int32? {
    if n == 0 { return builder.constant(Int64(0)) }
    if n == 1 { return builder.constant(Int64(bitPattern: (1.0).bitPattern)) }
    let register = physicalFR(n)
    let exponent = builder.read(Slot.exponent(register))
    let bits = builder.read(Slot.significand(register))
    if let known = builder.known(exponent) { return known == Frontend.packed ? bits : nil }
    // The register goes on to hold the other form of the same value.
    let isHome = isGet(exponent, Slot.exponent(register)) && isGet(bits, Slot.significand(register))
    let packed = builder.emit(
      .packDouble, bits, exponent, imm: builder.makeExit(.interpret, to: here), condition: isHome ? UInt8(register) : 0xff)
    builder.put(Slot.significand(register), packed)
    builder.put(Slot.exponent(register), builder.constant(Frontend.packed))
    return packed
  }

  /// The same, of what is neither NaN nor denormal; leaves to the interpreter where it is.
  mutating func plainDouble(_ n: UInt8) -> Int32? {
    if n < 2 { return double(n) }
    guard let bits = double(n) else { return nil }
    if let known = builder.known(bits) {
      let value = Double(bitPattern: UInt64(bitPattern: known))
      return value.isNaN || value.isSubnormal ? nil : bits
    }
    switch builder.block.nodes[Int(bits)].op {
    case .floatArithmetic, .convertInteger, .checkSingle, .checkDouble: return bits
    default: break
    }
    let checked = builder.emit(.checkDouble, bits, imm: builder.makeExit(.interpret, to: here))
    builder.put(Slot.significand(physicalFR(n)), checked)
    return checked
  }

  private func isGet(_ value: Int32, _ slot: Int) -> Bool {
    let node = builder.block.nodes[Int(value)]
    return node.op == .get && node.imm == Int64(slot)
  }

  func isKnownOther(_ n: UInt8) -> Bool {
    if n < 2 { return false }
    let exponent = builder.current[Slot.exponent(physicalFR(n))]
    if exponent >= 0, let known = builder.known(exponent) { return known != Frontend.packed }
    return called.contains(n)
  }

  mutating func setDouble(_ n: UInt8, _ bits: Int32) {
    let register = physicalFR(n)
    builder.put(Slot.significand(register), bits)
    builder.put(Slot.exponent(register), builder.constant(Frontend.packed))
    called.remove(n)
    markModified(n)
  }

  /// Leaves where sf0's controls or the trap disables are not those the host's arithmetic stands for; once a block.
  private mutating func requirePlainControls() {
    if builder.controlsKnown { return }
    let fpsr = builder.emit(.loadState, imm: Int64(StateOffset.fpsr))
    // ftz and wre clear, rounding to nearest, all traps disabled.
    let controls = builder.andImmediate(fpsr, 0xcff)
    builder.exit(
      if: builder.compare(.notEqual, controls, builder.constant(Int64(0x3f)), size: 8), .interpret, to: here)
    builder.controlsKnown = true
  }

  // MARK: Arithmetic

  /// fma, fms, fnma with the single or double completer on sf0; false where it is not to be done here.
  mutating func lowerDoubleArithmetic(_ i: Instruction) -> Bool {
    let isSingle = i.opcode == .fma_s || i.opcode == .fms_s || i.opcode == .fnma_s
    guard isNative, !isSingle || options.contains(.singles), i.statusField == 0,
      ![i.f2, i.f3, i.f4].contains(where: isKnownOther)
    else { return false }
    guard let x = double(i.f3), let y = double(i.f4), let z = double(i.f2) else { return false }
    if i.opcode == .fma_d && i.f4 == 1 && i.f2 == 0 {
      guard let plain = plainDouble(i.f3) else { return false }
      setDouble(i.f1, plain)
      return true
    }
    requirePlainControls()
    if i.opcode == .fma_s && i.f4 == 1 && i.f2 == 0 {
      let refused = builder.makeExit(.interpret, to: here)
      let rounding = DoubleArithmetic.toSingle.rawValue
      setDouble(i.f1, builder.emit(.floatArithmetic, x, imm: refused, size: 4, condition: rounding))
      return true
    }
    let kind: DoubleArithmetic
    var operands = (x, y, z)
    switch (i.opcode, i.f2 == 0, i.f4 == 1) {
    case (.fnma_d, true, _), (.fnma_s, true, _): kind = .multiplyNegated
    case (_, true, _): kind = .multiply
    case (.fma_d, _, true), (.fma_s, _, true): (kind, operands) = (.add, (x, z, -1))
    case (.fms_d, _, true), (.fms_s, _, true): (kind, operands) = (.subtract, (x, z, -1))
    case (_, _, true): (kind, operands) = (.subtract, (z, x, -1))
    case (.fma_d, _, _), (.fma_s, _, _): kind = .multiplyAdd
    case (.fms_d, _, _), (.fms_s, _, _): kind = .multiplySubtract
    default: kind = .multiplyNegatedAdd
    }
    if kind == .multiply || kind == .multiplyNegated { operands.2 = -1 }
    if operands.2 >= 0 && !Frontend.hostHasFMA { return false }
    let refused = builder.makeExit(.interpret, to: here)
    let result = builder.emit(
      .floatArithmetic, operands.0, operands.1, operands.2, imm: refused, size: isSingle ? 4 : 8,
      condition: kind.rawValue)
    setDouble(i.f1, result)
    return true
  }

  static let hostHasFMA = kt_host_has_fma() != 0

  // MARK: Signs, moves and comparisons

  /// fmerge.s and fmerge.ns of packed doubles; a move (both operands the same) of any form.
  mutating func lowerMerge(_ i: Instruction) -> Bool {
    guard isNative else { return false }
    if i.opcode == .fmerge_s && i.f2 == i.f3 && i.f2 > 1 {
      let source = physicalFR(i.f2), target = physicalFR(i.f1)
      guard holdsItself(source) else { return false }
      if source != target {
        builder.put(Slot.significand(target), builder.read(Slot.significand(source)))
        builder.put(Slot.exponent(target), builder.read(Slot.exponent(source)))
      }
      if called.contains(i.f2) { called.insert(i.f1) } else { called.remove(i.f1) }
      markModified(i.f1)
      return true
    }
    guard !isKnownOther(i.f2), !isKnownOther(i.f3), let x = double(i.f2), let y = double(i.f3) else { return false }
    let sign = builder.andImmediate(x, Int64.min)
    let signed = i.opcode == .fmerge_s ? sign : builder.xorImmediate(sign, Int64.min)
    if i.f2 == i.f3 {
      setDouble(i.f1, i.opcode == .fmerge_s ? y : builder.xorImmediate(y, Int64.min))
    } else {
      setDouble(i.f1, builder.or(signed, builder.andImmediate(y, Int64.max)))
    }
    return true
  }

  /// Leaves where a register's value is put off; false where that is known.
  mutating func holdsItself(_ register: Int) -> Bool {
    if !options.contains(.sequences) || register >= 32 { return true }
    let form = builder.read(Slot.exponent(register))
    if let known = builder.known(form) { return !DeferredSequence.isMark(UInt64(bitPattern: known)) }
    builder.exit(if: builder.testBit(form, 62, set: true), .interpret, to: here)
    return true
  }

  /// fclass of packed doubles: zeros, normal numbers and infinities.
  mutating func lowerClass(_ i: Instruction, _ qualifying: Int32) -> Bool {
    guard options.contains(.doubles), !isDisabled(i.f2), !isKnownOther(i.f2), let bits = plainDouble(i.f2) else {
      return false
    }
    let zero = builder.constant(Int64(0))
    let magnitude = builder.shift(.shiftLeft, bits, 1)
    let infinity = builder.constant(Int64(bitPattern: 0x7ff << 53))
    var holds = zero
    if i.imm & 4 != 0 { holds = builder.compare(.equal, magnitude, zero, size: 8) }
    if i.imm & 0x30 == 0x30 {
      holds = builder.either(holds, builder.compare(.notEqual, magnitude, zero, size: 8))
    } else if i.imm & 0x10 != 0 {
      let isFinite = builder.compare(.below, magnitude, infinity, size: 8)
      holds = builder.either(holds, builder.both(builder.compare(.notEqual, magnitude, zero, size: 8), isFinite))
    } else if i.imm & 0x20 != 0 {
      holds = builder.either(holds, builder.compare(.equal, magnitude, infinity, size: 8))
    }
    switch i.imm & 3 {
    case 0: holds = zero
    case 1: holds = builder.both(holds, builder.compare(.greaterEqual, bits, zero, size: 8))
    case 2: holds = builder.both(holds, builder.compare(.less, bits, zero, size: 8))
    default: break
    }
    writePredicates(i, i.opcode == .fclass_m_unc ? .unconditional : .normal, holds, qualifying)
    return true
  }

  /// fcmp of packed doubles, none of which is a NaN or denormal: no flag is raised.
  mutating func lowerDoubleCompare(_ i: Instruction, _ qualifying: Int32) -> Bool {
    guard options.contains(.doubles), !isDisabled(i.f2), !isDisabled(i.f3), !isKnownOther(i.f2), !isKnownOther(i.f3)
    else { return false }
    let relation: Relation
    let type: CompareType
    switch i.opcode {
    case .fcmp_eq: (relation, type) = (.equal, .normal)
    case .fcmp_lt: (relation, type) = (.below, .normal)
    case .fcmp_le: (relation, type) = (.belowEqual, .normal)
    case .fcmp_eq_unc: (relation, type) = (.equal, .unconditional)
    case .fcmp_lt_unc: (relation, type) = (.below, .unconditional)
    case .fcmp_le_unc: (relation, type) = (.belowEqual, .unconditional)
    default: return false
    }
    guard let x = plainDouble(i.f2), let y = plainDouble(i.f3) else { return false }
    let result = builder.emit(.compareDouble, x, y, condition: relation.rawValue)
    writePredicates(i, type, result, qualifying)
    return true
  }

  // MARK: To and from general registers

  mutating func lowerSetDouble(_ i: Instruction) -> Bool {
    guard isNative, i.f1 > 1, !isDisabled(i.f1) else { return false }
    if i.opcode == .setf_s {
      guard let known = builder.known(gr(i.r2)) else {
        guard options.contains(.singles) else { return false }
        setDouble(i.f1, builder.emit(.checkSingle, gr(i.r2), imm: builder.makeExit(.interpret, to: here)))
        return true
      }
      let value = Float(bitPattern: UInt32(truncatingIfNeeded: known))
      guard value.isNormal || value.isZero else { return false }
      setDouble(i.f1, builder.constant(Int64(bitPattern: Double(value).bitPattern)))
      return true
    }
    setDouble(i.f1, gr(i.r2))
    return true
  }

  /// fcvt.xf of an integer that a double holds.
  mutating func lowerConvertInteger(_ i: Instruction) -> Bool {
    guard isNative, i.f1 > 1, i.f2 > 1, !isDisabled(i.f1), !isDisabled(i.f2) else { return false }
    let exponent = builder.current[Slot.exponent(physicalFR(i.f2))]
    if exponent >= 0, let known = builder.known(exponent), known != Frontend.integerExponent { return false }
    let source = integer(i.f2)
    setDouble(i.f1, builder.emit(.convertInteger, source, imm: builder.makeExit(.interpret, to: here)))
    return true
  }

  mutating func lowerSetExponent(_ i: Instruction) -> Bool {
    guard isNative, i.f1 > 1, !isDisabled(i.f1) else { return false }
    if let known = builder.known(gr(i.r2)), 0xfc01...0x103fe ~= known & 0x1ffff {
      setDouble(i.f1, builder.constant((known >> 17 & 1) << 63 | (known & 0x1ffff - 0xfc00) << 52))
      return true
    }
    let register = physicalFR(i.f1)
    builder.put(Slot.significand(register), builder.constant(Int64.min))
    builder.put(Slot.exponent(register), builder.andImmediate(gr(i.r2), 0x3ffff))
    called.remove(i.f1)
    markModified(i.f1)
    return true
  }

  /// The bits of a register that holds a packed double as stfs and getf.s give them.
  mutating func singleBits(_ n: UInt8) -> Int32? {
    guard let bits = double(n) else { return nil }
    return builder.emit(.singleBits, bits, imm: builder.makeExit(.interpret, to: here))
  }

  mutating func lowerGetSingle(_ i: Instruction) -> Bool {
    guard isNative, options.contains(.singles), isWritable(i.r1), !isDisabled(i.f2), !isKnownOther(i.f2),
      let bits = singleBits(i.f2)
    else { return false }
    setGR(i.r1, bits)
    return true
  }

  mutating func lowerGetDouble(_ i: Instruction) -> Bool {
    guard isNative, isWritable(i.r1), !isDisabled(i.f2), !isKnownOther(i.f2), let bits = double(i.f2) else {
      return false
    }
    setGR(i.r1, bits)
    return true
  }

  // MARK: Calls

  /// An instruction that `computeFloat` does; false where it has no part in it.
  mutating func lowerFloatCall(_ i: Instruction) -> Bool {
    guard options.contains(.floatCalls), let call = FloatCall(i) else { return false }
    let isReciprocal = call.operation == .reciprocal || call.operation == .reciprocalRoot
    guard i.f1 > 1, ![i.f1, i.f2, i.f3].contains(where: isDisabled), isReciprocal || !isDisabled(i.f4) else {
      return false
    }
    let fourth = isReciprocal ? predicateSlot(i.p2) - Slot.predicates : physicalFR(i.f4)
    let word = call.word(
      f1: physicalFR(i.f1), f2: physicalFR(i.f2), f3: physicalFR(i.f3), f4: fourth,
      predicate: i.qp == 0 ? 0 : predicateSlot(i.qp) - Slot.predicates, isHigh: i.f1 >= 32)
    _ = builder.emit(
      .floatCall, builder.constant(Int64(Int(bitPattern: arena.add(i)))), imm: Int64(word), size: slot == 2 ? 1 : 0)
    let register = physicalFR(i.f1)
    builder.current[Slot.significand(register)] = -1
    builder.current[Slot.exponent(register)] = -1
    if isReciprocal { builder.current[Slot.predicates + fourth] = -1 }
    if call.packsResult { called.remove(i.f1) } else { called.insert(i.f1) }
    return true
  }
}
