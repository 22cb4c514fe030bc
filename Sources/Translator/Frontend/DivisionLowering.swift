// Integer division as GCC has it on IA-64 (libgcc's __divdi3 and its kin): frcpa and eight multiplications and additions in
// register format, whose last is the quotient before truncation, correct for all 64-bit operands. Where a run of
// instructions computes exactly these values the quotient is the host's, and the registers in between are put off
// (DeferredFloats.swift). The run is told by what is computed, not by registers or order.
import CSupport
import IA64
import Machine

/// A division found ahead: what becomes of its instructions.
struct DivisionWindow {
  enum Action { case operand, deferred, result }
  var actions: [UInt64: Action] = [:]  // by address with the slot
  var run = DeferredRun()
  var isUnsigned = false
  /// General registers with the operands, and the predicate that frcpa sets.
  var dividend: UInt8 = 0, divisor: UInt8 = 0
  var predicate: UInt8 = 0
  /// Bit n: register n is an operand's, and is written again within the run.
  var rewritten: UInt32 = 0
}

/// What a floating-point register holds, in terms of the operands a and b.
private enum Quotient: UInt8 {
  case other, integerA, integerB, a, b, zero, one
  case y0, e, q0, e2, q1, y1, q2, y2, r, q3
}

/// Reads instructions until the quotient stands there or something else is found.
private struct DivisionScan {
  var window = DivisionWindow()
  var registers = [Quotient](repeating: .other, count: 32)
  var operands = 0
  /// The predicate that says that the divisor is 0, where there is one.
  var zeroDivisor: UInt8 = 0
  var found = false

  init() {
    registers[0] = .zero
    registers[1] = .one
  }

  private func value(_ n: UInt8) -> Quotient { n < 32 ? registers[Int(n)] : .other }

  private mutating func define(_ i: Instruction, _ value: Quotient, _ at: UInt64) -> Bool {
    guard value != .other, i.f1 > 1, i.f1 < 32, let call = FloatCall(i) else { return false }
    registers[Int(i.f1)] = value
    window.actions[at] = .deferred
    // frcpa's predicate is not written again.
    let isReciprocal = call.operation == .reciprocal
    window.run.words.append(call.word(
      f1: Int(i.f1), f2: Int(i.f2), f3: Int(i.f3), f4: isReciprocal ? 0 : Int(i.f4), predicate: 0, isHigh: false))
    window.run.pending |= 1 << UInt32(i.f1)
    window.run.written |= 1 << UInt32(i.f1)
    return true
  }

  /// x·y + z, or z − x·y, of the sequence.
  private func step(_ i: Instruction) -> Quotient {
    let x = value(i.f3), y = value(i.f4), z = value(i.f2)
    func multiplies(_ a: Quotient, _ b: Quotient) -> Bool { (x, y) == (a, b) || (x, y) == (b, a) }
    if i.opcode == .fnma {
      if multiplies(.b, .y0) && z == .one { return .e }
      return multiplies(.b, .q2) && z == .a ? .r : .other
    }
    switch z {
    case .zero: return multiplies(.a, .y0) ? .q0 : multiplies(.e, .e) ? .e2 : .other
    case .q0: return multiplies(.e, .q0) ? .q1 : .other
    case .y0: return multiplies(.e, .y0) ? .y1 : .other
    case .q1: return multiplies(.e2, .q1) ? .q2 : .other
    case .y1: return multiplies(.e2, .y1) ? .y2 : .other
    case .q2: return multiplies(.r, .y2) ? .q3 : .other
    default: return .other
    }
  }

  private mutating func normalize(_ i: Instruction, _ source: UInt8, unsigned: Bool, _ at: UInt64) -> Bool {
    if value(source) == .integerA { window.isUnsigned = unsigned }
    guard window.isUnsigned == unsigned else { return false }
    switch value(source) {
    case .integerA: return define(i, .a, at)
    case .integerB: return define(i, .b, at)
    default: return false
    }
  }

  private mutating func setOperand(_ i: Instruction, _ at: UInt64) -> Bool {
    guard i.qp == 0, i.f1 > 1, i.f1 < 32 else { return false }
    let bit: UInt32 = 1 << UInt32(i.f1)
    if operands == 2 {
      // A later use of the register: the run's own value is gone.
      registers[Int(i.f1)] = .other
      window.run.pending &= ~bit
      window.rewritten |= bit
    } else {
      registers[Int(i.f1)] = operands == 0 ? .integerA : .integerB
      if operands == 0 {
        (window.dividend, window.run.first) = (i.r2, Int(i.f1))
      } else {
        (window.divisor, window.run.second) = (i.r2, Int(i.f1))
      }
      operands += 1
      window.actions[at] = .operand
    }
    window.run.written |= bit
    return true
  }

  /// False: no division.
  mutating func read(_ i: Instruction, _ at: UInt64) -> Bool {
    switch i.opcode {
    case .setf_sig: return setOperand(i, at)
    case .fcvt_xf: return i.qp == 0 && normalize(i, i.f2, unsigned: false, at)
    case .frcpa:
      guard i.qp == 0, i.statusField == 1, value(i.f2) == .a, value(i.f3) == .b, i.p2 != 0, i.p2 < 16,
        i.p2 != zeroDivisor
      else { return false }
      window.predicate = i.p2
      return define(i, .y0, at)
    case .fma, .fnma:
      guard i.statusField == 1 else { return false }
      if i.opcode == .fma && i.qp == 0 && i.f4 == 1 && i.f2 == 0 { return normalize(i, i.f3, unsigned: true, at) }
      return i.qp != 0 && i.qp == window.predicate && define(i, step(i), at)
    case .fcvt_fx_trunc, .fcvt_fxu_trunc:
      guard i.qp == 0, i.statusField == 1, value(i.f2) == .q3, (i.opcode == .fcvt_fxu_trunc) == window.isUnsigned,
        i.f1 > 1, i.f1 < 32
      else { return false }
      window.actions[at] = .result
      window.run.pending &= ~(1 << UInt32(i.f1))
      window.run.written |= 1 << UInt32(i.f1)
      window.rewritten |= 1 << UInt32(i.f1)
      found = true
      return true
    case .cmp_eq_unc_imm:
      // Whether the divisor is 0: what the straight line holds for has this predicate false.
      guard i.qp == 0, operands == 2, i.imm == 0, i.r3 == window.divisor, i.p1 != 0, i.p2 == 0, zeroDivisor == 0,
        window.predicate == 0
      else { return false }
      zeroDivisor = i.p1
      return true
    case .break_i, .break_f, .break_m: return i.qp != 0 && i.qp == zeroDivisor
    case .sub: return window.predicate != 0  // of the divisor, for the rest
    default: return i.opcode.isNop
    }
  }
}

extension Opcode {
  fileprivate var isNop: Bool {
    switch self {
    case .nop_m, .nop_i, .nop_f, .nop_b, .nop_x: true
    default: false
    }
  }
}

extension Frontend {
  /// Looks for a division that the block begins with, as a function's body does, and begins it.
  mutating func beginDivision(_ source: CodeSource) {
    guard slot == 0, options.contains(.divisions), instructionLimit == .max, (sites?.pointee.count ?? 0) == 0,
      !isDisabled(2)
    else { return }
    let first = Decoder.decode(InstructionBundle(loadingFrom: source.host + Int(bundle & 0xfff)))
    guard first.slot0.opcode == .setf_sig, first.slot1.opcode == .setf_sig else { return }
    var scan = DivisionScan()
    var address = bundle
    while !scan.found {
      guard address & ~0xfff == page, address - bundle < 32 * 16 else { return }
      let decoded = Decoder.decode(InstructionBundle(loadingFrom: source.host + Int(address & 0xfff)))
      for slot in 0..<decoded.count where !scan.found {
        let i = slot == 0 ? decoded.slot0 : slot == 1 ? decoded.slot1 : decoded.slot2
        guard i.opcode != .sub || isWritable(i.r1), scan.read(i, address | UInt64(slot)) else { return }
      }
      address &+= 16
    }
    guard scan.operands == 2 else { return }
    enterDivision(scan.window)
  }

  /// The straight line holds for operands other than 0 and −1, and where the run can't change ar.fpsr any more.
  private mutating func enterDivision(_ window: DivisionWindow) {
    builder.predicate = -1
    let a = gr(window.dividend), b = gr(window.divisor)
    let zero = builder.constant(Int64(0))
    let fpsr = builder.emit(.loadState, imm: Int64(StateOffset.fpsr))
    // sf1: extended precision, wide range, rounding to nearest, traps disabled; the inexact flag, and for operands that
    // are normalized the denormal one.
    let flags: Int64 = window.isUnsigned ? 1 << 31 | 1 << 27 : 1 << 31
    let plain = builder.andImmediate(fpsr, 0x7f << 19 | flags)
    let expected = builder.constant(0x4e << 19 | flags)
    builder.exit(if: builder.compare(.notEqual, plain, expected, size: 8), .interpret, to: here)
    builder.exit(if: builder.compare(.equal, a, zero, size: 8), .interpret, to: here)
    builder.exit(if: builder.compare(.equal, b, zero, size: 8), .interpret, to: here)
    if !window.isUnsigned {
      builder.exit(if: builder.compare(.equal, b, builder.constant(Int64(-1)), size: 8), .interpret, to: here)
    }
    // What an earlier run has put off vanishes where this one writes all of it.
    _ = builder.emit(.settle, imm: Int64(~window.run.written & ~UInt32(KT_DEFERRED_RUNS)))
    builder.unsettled = 0
    division = (window, a, b)
  }

  /// An instruction of the division at hand; false where it is lowered as any other.
  mutating func continueDivision(_ i: Instruction) -> Bool {
    guard let (window, a, b) = division, let action = window.actions[here] else { return false }
    switch action {
    case .deferred:
      if i.opcode == .frcpa { builder.put(predicateSlot(i.p2), builder.constant(Int64(1))) }
    case .operand:
      // Kept in the record; the register itself only where the run leaves it alone.
      if (window.run.pending | window.rewritten) >> UInt32(i.f1) & 1 != 0 { break }
      builder.predicate = -1
      setInteger(i.f1, gr(i.r2))
    case .result:
      builder.predicate = -1
      programs.append(window.run)
      let quotient = builder.emit(.divide, a, b, imm: window.run.pointer, condition: window.isUnsigned ? 1 : 0)
      for register in 2..<32 where window.run.pending >> UInt32(register) & 1 != 0 {
        builder.current[Slot.significand(register)] = -1
        builder.current[Slot.exponent(register)] = -1
        called.insert(UInt8(register))
      }
      setInteger(i.f1, quotient)
      builder.unsettled = window.run.pending
      hasDivision = true
      division = nil
    }
    return true
  }

  /// Before an instruction that names floating-point registers: what is put off of them is computed.
  mutating func settle(before i: Instruction) {
    if builder.unsettled == 0 || division != nil { return }
    let named: [UInt8] = switch i.opcode {
    case .setf_sig: [i.f1]
    case .getf_sig: [i.f2]
    case .xma_l: [i.f1, i.f2, i.f3, i.f4]
    default: []
    }
    if !named.isEmpty && named.allSatisfy({ $0 > 31 || builder.unsettled >> UInt32($0) & 1 == 0 }) { return }
    _ = builder.emit(.settle, imm: Int64(~UInt32(KT_DEFERRED_RUNS)))
    builder.unsettled = 0
  }
}
