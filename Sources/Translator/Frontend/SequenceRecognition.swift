// Quotients and square roots as compilers and libraries compute them on IA-64 (Markstein, "IA-64 and Elementary
// Functions"; GCC's div.md and glibc's e_sqrt): frcpa or frsqrta, then multiply-adds in register format on sf1, and
// at last one on sf0 that rounds to the IEEE result. A run is told by what it computes, whatever its registers and
// whatever stands between its instructions. Its steps other than the last are put off (DeferredFloats.swift).
import CSupport
import IA64
import Machine

/// What a floating-point register holds, in terms of a run's operands a and b. Between `one` and `constant35_8`
/// constants.
enum SequenceValue: UInt8 {
  case other, a, b
  case zero, one, half, constant3_2, constant5_2, constant63_8, constant231_16, constant35_8
  // A quotient: approximations of 1/b, errors, approximations of a/b, rests.
  case reciprocal, e, e2, y1, e4, y2, y3, q0, rest0
  case p0, t, p1, u, w1, p2, w2, rest2
  case v, single0, restSingle0, single1, restSingle1
  // A root: approximations of 1/(2√a) and √a, errors, polynomials of the error.
  case root, h0, s0, d, polynomialA, d2, polynomialB, polynomialC, d4, polynomialE, s1, f, polynomialG, s2, h1, rest

  /// The constants that roots want, as doubles.
  var constant: Double? {
    switch self {
    case .zero: 0
    case .one: 1
    case .half: 0.5
    case .constant3_2: 1.5
    case .constant5_2: 2.5
    case .constant63_8: 7.875
    case .constant231_16: 14.4375
    case .constant35_8: 4.375
    default: nil
    }
  }

  init(constant: Double) {
    let all: [SequenceValue] = [.half, .constant3_2, .constant5_2, .constant63_8, .constant231_16, .constant35_8]
    self = all.first { $0.constant == constant } ?? .other
  }
}

/// One step: x·y + z, or z − x·y, on sf1.
private struct SequenceRule {
  var value: SequenceValue
  var operation: FloatCall.Operation = .multiplyAdd
  /// As in FloatCall: 0 by the status field's pc, 1 single, 2 double.
  var precision: UInt64 = 0
  var x: SequenceValue, y: SequenceValue, z: SequenceValue

  init(
    _ value: SequenceValue, _ x: SequenceValue, _ y: SequenceValue, _ z: SequenceValue, subtracts: Bool = false,
    precision: UInt64 = 0
  ) {
    (self.value, self.x, self.y, self.z, self.precision) = (value, x, y, z, precision)
    if subtracts { operation = .multiplyNegatedAdd }
  }

  static let steps: [SequenceRule] = [
    .init(.e, .b, .reciprocal, .one, subtracts: true), .init(.e2, .e, .e, .zero),
    .init(.y1, .reciprocal, .e, .reciprocal), .init(.e4, .e2, .e2, .zero), .init(.y2, .y1, .e2, .y1),
    .init(.y3, .y2, .e4, .y2), .init(.q0, .a, .y3, .zero, precision: 2), .init(.rest0, .b, .q0, .a, subtracts: true),
    // The order that favours latency.
    .init(.p0, .a, .reciprocal, .zero), .init(.t, .e, .e, .e), .init(.p1, .p0, .t, .p0), .init(.u, .e2, .e2, .e),
    .init(.w1, .reciprocal, .t, .reciprocal), .init(.p2, .p1, .u, .p0, precision: 2),
    .init(.w2, .w1, .u, .reciprocal), .init(.rest2, .b, .p2, .a, subtracts: true),
    // Single precision, in both orders.
    .init(.v, .y1, .e, .reciprocal), .init(.single0, .a, .v, .zero, precision: 1),
    .init(.restSingle0, .b, .single0, .a, subtracts: true), .init(.single1, .t, .p0, .p0, precision: 1),
    .init(.restSingle1, .b, .single1, .a, subtracts: true),
    // The square root.
    .init(.h0, .half, .root, .zero), .init(.s0, .a, .root, .zero), .init(.d, .s0, .h0, .half, subtracts: true),
    .init(.polynomialA, .constant5_2, .d, .constant3_2), .init(.d2, .d, .d, .zero),
    .init(.polynomialB, .constant231_16, .d, .constant63_8), .init(.polynomialC, .d2, .polynomialA, .d),
    .init(.d4, .d2, .d2, .zero), .init(.polynomialE, .d, .polynomialB, .constant35_8),
    .init(.s1, .polynomialC, .s0, .s0), .init(.f, .s0, .d4, .zero),
    .init(.polynomialG, .d4, .polynomialE, .polynomialC), .init(.s2, .polynomialE, .f, .s1, precision: 2),
    .init(.h1, .polynomialG, .h0, .h0), .init(.rest, .s2, .s2, .a, subtracts: true),
  ]

  /// The last steps, on sf0.
  static let results: [SequenceRule] = [
    .init(.other, .rest0, .y3, .q0, precision: 2), .init(.other, .rest2, .w2, .p2, precision: 2),
    .init(.other, .restSingle0, .v, .single0, precision: 1), .init(.other, .restSingle1, .w1, .single1, precision: 1),
    .init(.other, .rest, .h1, .s2, precision: 2),
  ]

  func matches(_ call: FloatCall, _ x: SequenceValue, _ y: SequenceValue, _ z: SequenceValue) -> Bool {
    call.operation == operation && call.precision == precision && z == self.z
      && ((x, y) == (self.x, self.y) || (y, x) == (self.x, self.y))
  }
}

/// A run found ahead.
struct SequenceWindow {
  var run: DeferredSequence
  /// The steps by address with the slot; the last is the result's.
  var steps: [UInt64: Int] = [:]
  var result: UInt64 = 0
  var isSingle = false
  var isRoot = false
}

/// Reads the instructions behind frcpa or frsqrta until the result is computed.
struct SequenceScan {
  var window = SequenceWindow(run: DeferredSequence())
  var registers = [SequenceValue](repeating: .other, count: 32)
  /// Values of general registers that are known.
  var constants: [UInt8: UInt64] = [:]
  private let predicate: UInt8
  private(set) var found = false

  /// Begins with frcpa or frsqrta; nil: its operands are no good.
  init?(_ i: Instruction, at address: UInt64) {
    guard i.qp == 0, i.statusField == 0, i.p2 != 0, i.p2 < 16, i.f1 > 1, i.f1 < 32, i.f3 > 1, i.f3 < 32 else {
      return nil
    }
    window.isRoot = i.opcode == .frsqrta
    predicate = i.p2
    registers[0] = .zero
    registers[1] = .one
    if window.isRoot {
      registers[Int(i.f3)] = .a
    } else {
      guard i.f2 > 1, i.f2 < 32, i.f2 != i.f3 else { return nil }
      (registers[Int(i.f2)], registers[Int(i.f3)]) = (.a, .b)
    }
    // Its status field raises nothing for normal operands.
    var call = FloatCall(i)!
    call.statusField = 1
    window.steps[address] = 0
    window.run.append(
      call.word(f1: Int(i.f1), f2: Int(i.f2), f3: Int(i.f3), f4: 0, predicate: 0, isHigh: false), inputs(i.f2, i.f3))
    registers[Int(i.f1)] = window.isRoot ? .root : .reciprocal
  }

  /// What a step's registers hold that is none of the run's own values.
  private func inputs(_ sources: UInt8...) -> [DeferredSequence.Input] {
    sources.compactMap { n in
      switch value(n) {
      case .a: DeferredSequence.Input(register: Int(n), source: .a)
      case .b: DeferredSequence.Input(register: Int(n), source: .b)
      case let other:
        n > 1 ? other.constant.map { DeferredSequence.Input(register: Int(n), source: .constant($0)) } : nil
      }
    }
  }

  private func value(_ n: UInt8) -> SequenceValue { n < 32 ? registers[Int(n)] : .other }

  /// False: no run.
  mutating func read(_ i: Instruction, at address: UInt64) -> Bool {
    if let call = FloatCall(i), i.qp == predicate,
      call.operation == .multiplyAdd || call.operation == .multiplyNegatedAdd, i.f1 > 1, i.f1 < 32,
      isStep(i, call, at: address) {
      return true
    }
    guard SequenceScan.mayStandBetween(i), !writesPredicate(i) else { return false }
    noteOthers(i)
    return true
  }

  private mutating func isStep(_ i: Instruction, _ call: FloatCall, at address: UInt64) -> Bool {
    let x = value(i.f3), y = value(i.f4), z = value(i.f2)
    if call.statusField == 0 {
      guard let rule = SequenceRule.results.first(where: { $0.matches(call, x, y, z) }) else { return false }
      window.isSingle = rule.precision == 1
      window.result = address
      found = true
      return true
    }
    guard call.statusField == 1, let rule = SequenceRule.steps.first(where: { $0.matches(call, x, y, z) }) else {
      return false
    }
    window.steps[address] = window.run.count
    window.run.append(
      call.word(f1: Int(i.f1), f2: Int(i.f2), f3: Int(i.f3), f4: Int(i.f4), predicate: 0, isHigh: false),
      inputs(i.f2, i.f3, i.f4))
    registers[Int(i.f1)] = rule.value
    return true
  }

  private func writesPredicate(_ i: Instruction) -> Bool {
    let index = i.opcode.index
    let compares = index >= Opcode.cmp_lt.index && index <= Opcode.cmp4_ne_or_andcm_imm.index
      || index >= Opcode.tbit_z.index && index <= Opcode.tf_nz_or_andcm.index
      || index >= Opcode.fcmp_eq.index && index <= Opcode.fclass_m_unc.index
    return compares && (i.p1 == predicate || i.p2 == predicate)
  }

  /// What another instruction writes.
  private mutating func noteOthers(_ i: Instruction) {
    let index = i.opcode.index
    let qualified = i.qp == 0 || i.qp == predicate
    switch i.opcode {
    case .setf_s, .setf_d, .setf_exp:
      guard i.f1 < 32 else { break }
      registers[Int(i.f1)] = qualified ? constants[i.r2].map { SequenceScan.constant(i.opcode, $0) } ?? .other : .other
      return
    case .fmerge_s where i.f2 == i.f3:
      if i.f1 > 1 && i.f1 < 32 { registers[Int(i.f1)] = qualified ? value(i.f2) : .other }
      return
    case .movl, .addl:
      constants[i.r1] = qualified && (i.opcode == .movl || i.r3 == 0) ? UInt64(bitPattern: i.imm) : nil
      return
    default: break
    }
    if i.flags.contains(.usesFR) && !(index >= Opcode.fcmp_eq.index && index <= Opcode.fclass_m_unc.index) {
      // Stores and getf name no target, which costs a value at most.
      for n in [i.f1, i.f2] where n > 1 && n < 32 && (n == i.f1 || SequenceScan.loadsPair(i.opcode)) {
        registers[Int(n)] = .other
      }
    }
    for n in [i.r1, i.r3] { constants[n] = nil }
  }

  private static func loadsPair(_ opcode: Opcode) -> Bool {
    opcode.index >= Opcode.ldfp8.index && opcode.index <= Opcode.ldfpd_c_nc_i.index
  }

  private static func constant(_ opcode: Opcode, _ bits: UInt64) -> SequenceValue {
    switch opcode {
    case .setf_s: SequenceValue(constant: Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits))))
    case .setf_d: SequenceValue(constant: Double(bitPattern: bits))
    default: bits == 0xfffe ? .half : .other
    }
  }

  /// Instructions that emitted code has for itself in any case, or nearly, and that lead nowhere else.
  private static func mayStandBetween(_ i: Instruction) -> Bool {
    let index = i.opcode.index
    if index < Opcode.padd1.index { return true }
    if index >= Opcode.ld1.index && index <= Opcode.st8_spill_i.index {
      return i.flags.isDisjoint(with: .speculative) && i.opcode != .ld16 && i.opcode != .ld16_acq && i.opcode != .st16
        && i.opcode != .st16_rel
    }
    if index >= Opcode.fma.index && index <= Opcode.fnma_d.index {
      return ![.fpma, .fpms].contains(i.opcode)
    }
    switch i.opcode {
    case .nop_m, .nop_i, .nop_f, .nop_b, .nop_x, .movl, .shl, .shr, .shr_u, .extr, .extr_u, .dep, .dep_z, .dep_imm,
      .dep_z_imm, .sxt1, .sxt2, .sxt4, .zxt1, .zxt2, .zxt4, .tbit_z, .setf_sig, .setf_exp, .setf_s, .setf_d, .getf_sig,
      .getf_d, .fmerge_s, .fmerge_ns, .fcvt_xf, .xma_l, .fcmp_eq, .fcmp_lt, .fcmp_le, .fcmp_eq_unc, .fcmp_lt_unc,
      .fcmp_le_unc, .fclass_m, .fclass_m_unc, .ldfd, .ldf8, .ldfs, .ldfd_a, .ldfd_c_clr, .ldfd_c_nc, .ldfd_r, .ldf8_r,
      .ldfs_r, .ldfd_i, .ldf8_i, .ldfs_i, .stfd, .stf8, .stfs, .stfd_i, .stf8_i, .stfs_i, .ldfpd, .ldfpd_i:
      return true
    default: return false
    }
  }
}
