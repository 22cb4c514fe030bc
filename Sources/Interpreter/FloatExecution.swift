// Floating-point computation: fetches operands and environment, lets FloatingPoint compute, and turns its answer into
// registers, FPSR flags, predicates, faults and traps (SDM vol. 1, chapter 5; vol. 3, the F-unit instructions).
import CSupport
import FloatingPoint
import IA64
import Machine

/// The Disabled Floating-Point Register fault for register `n`.
@inline(never)
func disabledFP(_ cpu: CPU, _ n: Int, isr: UInt64 = 0) -> Status {
  cpu.disabledFP(low: n < 32, high: n >= 32, isr: isr)
}

extension UnsafePointer where Pointee == Instruction {
  @inline(__always) var statusField: Int { Int(pointee.statusField) }
}

/// Which of psr.dfl and psr.dfh the registers `a`, `b`, `c`, `d` run into (0 and 1 never do).
@inline(__always)
private func disabledHalves(_ cpu: CPU, _ a: Int, _ b: Int, _ c: Int, _ d: Int) -> (low: Bool, high: Bool) {
  func low(_ n: Int) -> Bool { n > 1 && n < 32 }
  let psr = cpu.pointee.psr
  return (
    psr & PSR.dfl != 0 && (low(a) || low(b) || low(c) || low(d)),
    psr & PSR.dfh != 0 && max(max(a, b), max(c, d)) > 31
  )
}

@inline(never)
func executeFloat(_ cpu: CPU, _ code: Code, _ qualified: Bool) -> Status {
  let opcode = code.pointee.opcode
  switch opcode {
  case .fcmp_eq, .fcmp_lt, .fcmp_le, .fcmp_unord, .fcmp_eq_unc, .fcmp_lt_unc, .fcmp_le_unc, .fcmp_unord_unc,
    .fclass_m, .fclass_m_unc:
    return executeFloatCompare(cpu, code, qualified)
  case .frcpa, .fprcpa, .frsqrta, .fprsqrta:
    if !qualified {
      cpu.writePR(code.r4, false)
      return .done
    }
  default: break
  }
  if code.r1 < 2 { return cpu.illegalOperation() }
  if cpu.pointee.psr & (PSR.dfl | PSR.dfh) != 0 {
    let halves = disabledHalves(cpu, code.r1, code.r2, code.r3, writesPredicate(opcode) ? 0 : code.r4)
    if halves.low || halves.high { return cpu.disabledFP(low: halves.low, high: halves.high) }
  }
  if let value = rearranged(cpu, code) {
    cpu.writeFloat(code.r1, value)
    return .done
  }
  return finish(cpu, code, computed(cpu, code))
}

private func writesPredicate(_ opcode: Opcode) -> Bool {
  switch opcode {
  case .frcpa, .fprcpa, .frsqrta, .fprsqrta: return true
  default: return false
  }
}

/// Writes an operation's result and takes what it raised.
@inline(__always)
private func finish(_ cpu: CPU, _ code: Code, _ result: FloatResult) -> Status {
  if result.fault != 0 { return cpu.floatingPointFault(code: UInt64(result.fault)) }
  cpu.writeFloat(code.r1, result.value)
  if writesPredicate(code.pointee.opcode) { cpu.writePR(code.r4, result.predicate) }
  if result.flags != 0 {
    var fpsr = FPSR(bits: cpu.pointee.ar_fpsr)
    fpsr.raise(result.flags, code.statusField)
    cpu.pointee.ar_fpsr = fpsr.bits
  }
  return result.trap == 0 ? .done : floatTrap(cpu, UInt64(result.trap))
}

@inline(never)
private func floatTrap(_ cpu: CPU, _ trapCode: UInt64) -> Status {
  let source = cpu.pointee.ip, slot = cpu.pointee.ri
  advance(cpu)
  return deliverTrap(cpu, .floatingPointTrap, code: trapCode, source: source, slot: slot)
}

/// The operations that look at no status field; nil for the others.
@inline(__always)
private func rearranged(_ cpu: CPU, _ code: Code) -> RegisterFloat? {
  let opcode = code.pointee.opcode
  if opcode.index < Opcode.xma_l.index { return nil }
  @inline(__always) func f2() -> RegisterFloat { cpu.readFloat(code.r2) }
  @inline(__always) func f3() -> RegisterFloat { cpu.readFloat(code.r3) }
  @inline(__always) func f4() -> RegisterFloat { cpu.readFloat(code.r4) }
  switch opcode {
  case .xma_l: return FP.integerMultiplyAdd(.low, f3: f3(), f4: f4(), f2: f2())
  case .xma_h: return FP.integerMultiplyAdd(.high, f3: f3(), f4: f4(), f2: f2())
  case .xma_hu: return FP.integerMultiplyAdd(.highUnsigned, f3: f3(), f4: f4(), f2: f2())
  case .fselect: return FP.select(f3: f3(), f4: f4(), f2: f2())
  case .fmerge_s: return FP.merge(.sign, f2: f2(), f3: f3())
  case .fmerge_ns: return FP.merge(.negatedSign, f2: f2(), f3: f3())
  case .fmerge_se: return FP.merge(.signAndExponent, f2: f2(), f3: f3())
  case .fpmerge_s: return FP.parallelMerge(.sign, f2: f2(), f3: f3())
  case .fpmerge_ns: return FP.parallelMerge(.negatedSign, f2: f2(), f3: f3())
  case .fpmerge_se: return FP.parallelMerge(.signAndExponent, f2: f2(), f3: f3())
  case .fmix_lr: return FP.mix(.leftRight, f2: f2(), f3: f3())
  case .fmix_r: return FP.mix(.right, f2: f2(), f3: f3())
  case .fmix_l: return FP.mix(.left, f2: f2(), f3: f3())
  case .fsxt_r: return FP.signExtend(left: false, f2: f2(), f3: f3())
  case .fsxt_l: return FP.signExtend(left: true, f2: f2(), f3: f3())
  case .fpack: return FP.pack(f2: f2(), f3: f3())
  case .fswap: return FP.swap(.plain, f2: f2(), f3: f3())
  case .fswap_nl: return FP.swap(.negateLeft, f2: f2(), f3: f3())
  case .fswap_nr: return FP.swap(.negateRight, f2: f2(), f3: f3())
  case .fand: return FP.logic(.and, f2: f2(), f3: f3())
  case .fandcm: return FP.logic(.andComplement, f2: f2(), f3: f3())
  case .for: return FP.logic(.or, f2: f2(), f3: f3())
  case .fxor: return FP.logic(.exclusiveOr, f2: f2(), f3: f3())
  case .fcvt_xf: return FP.convertFromInteger(f2())
  default: return nil
  }
}

private func computed(_ cpu: CPU, _ code: Code) -> FloatResult {
  let fpsr = FPSR(bits: cpu.pointee.ar_fpsr)
  let field = code.statusField
  let f2 = cpu.readFloat(code.r2), f3 = cpu.readFloat(code.r3)
  @inline(__always) func multiplyAdd(_ operation: FP.MultiplyAdd, _ completer: PrecisionCompleter) -> FloatResult {
    FP.multiplyAdd(
      operation, f3: f3, f4: cpu.readFloat(code.r4), f2: f2, addendIsFR0: code.r2 == 0,
      fpsr.environment(field, completer))
  }
  @inline(__always) func parallel(_ operation: FP.MultiplyAdd) -> FloatResult {
    FP.parallelMultiplyAdd(
      operation, f3: f3, f4: cpu.readFloat(code.r4), f2: f2, addendIsFR0: code.r2 == 0,
      fpsr.parallelEnvironment(field))
  }
  let opcode = code.pointee.opcode
  switch opcode {
  case .fma: return multiplyAdd(.fma, .none)
  case .fma_s: return multiplyAdd(.fma, .single)
  case .fma_d: return multiplyAdd(.fma, .double)
  case .fms: return multiplyAdd(.fms, .none)
  case .fms_s: return multiplyAdd(.fms, .single)
  case .fms_d: return multiplyAdd(.fms, .double)
  case .fnma: return multiplyAdd(.fnma, .none)
  case .fnma_s: return multiplyAdd(.fnma, .single)
  case .fnma_d: return multiplyAdd(.fnma, .double)
  case .fpma: return parallel(.fma)
  case .fpms: return parallel(.fms)
  case .fpnma: return parallel(.fnma)
  case .frcpa: return FP.reciprocalApproximation(f2: f2, f3: f3, fpsr.environment(field, .none))
  case .frsqrta: return FP.reciprocalRootApproximation(f3: f3, fpsr.environment(field, .none))
  case .fprcpa: return FP.parallelReciprocalApproximation(f2: f2, f3: f3, fpsr.parallelEnvironment(field))
  case .fprsqrta: return FP.parallelReciprocalRootApproximation(f3: f3, fpsr.parallelEnvironment(field))
  case .fmin, .fmax, .famin, .famax:
    return FP.minimumMaximum(minimumMaximum(opcode), f2: f2, f3: f3, fpsr.environment(field, .none))
  case .fpmin, .fpmax, .fpamin, .fpamax:
    return FP.parallelMinimumMaximum(minimumMaximum(opcode), f2: f2, f3: f3, fpsr.parallelEnvironment(field))
  case .fpcmp_eq, .fpcmp_lt, .fpcmp_le, .fpcmp_unord, .fpcmp_neq, .fpcmp_nlt, .fpcmp_nle, .fpcmp_ord:
    let (relation, negated) = parallelRelation(opcode)
    return FP.parallelCompare(relation, negated: negated, f2: f2, f3: f3, fpsr.parallelEnvironment(field))
  default: return converted(opcode, f2, fpsr, field)
  }
}

private func minimumMaximum(_ opcode: Opcode) -> FP.MinimumMaximum {
  switch opcode {
  case .fmin, .fpmin: return .fmin
  case .fmax, .fpmax: return .fmax
  case .famin, .fpamin: return .famin
  default: return .famax
  }
}

private func parallelRelation(_ opcode: Opcode) -> (FP.Relation, negated: Bool) {
  switch opcode {
  case .fpcmp_eq: return (.equal, false)
  case .fpcmp_lt: return (.less, false)
  case .fpcmp_le: return (.lessOrEqual, false)
  case .fpcmp_unord: return (.unordered, false)
  case .fpcmp_neq: return (.equal, true)
  case .fpcmp_nlt: return (.less, true)
  case .fpcmp_nle: return (.lessOrEqual, true)
  default: return (.unordered, true)
  }
}

private func converted(_ opcode: Opcode, _ f2: RegisterFloat, _ fpsr: FPSR, _ field: Int) -> FloatResult {
  switch opcode {
  case .fcvt_fx, .fcvt_fxu, .fcvt_fx_trunc, .fcvt_fxu_trunc:
    return FP.convertToInteger(
      f2, signed: opcode == .fcvt_fx || opcode == .fcvt_fx_trunc,
      truncate: opcode == .fcvt_fx_trunc || opcode == .fcvt_fxu_trunc, fpsr.environment(field, .none))
  default:
    return FP.parallelConvertToInteger(
      f2, signed: opcode == .fpcvt_fx || opcode == .fpcvt_fx_trunc,
      truncate: opcode == .fpcvt_fx_trunc || opcode == .fpcvt_fxu_trunc, fpsr.parallelEnvironment(field))
  }
}

/// fcmp and fclass.
@inline(never)
private func executeFloatCompare(_ cpu: CPU, _ code: Code, _ qualified: Bool) -> Status {
  let type = code.recipe.ownPredicate ? PredicateType.unconditional : .normal
  if !qualified {
    return writePredicates(cpu, code, type, qualified: false, result: false, nat: false)
  }
  if code.r1 == code.r4 { return cpu.illegalOperation() }
  let f3 = code.r3
  if cpu.pointee.psr & (PSR.dfl | PSR.dfh) != 0 {
    let halves = disabledHalves(cpu, code.r2, f3, 0, 0)
    if halves.low || halves.high { return cpu.disabledFP(low: halves.low, high: halves.high) }
  }
  let comparison: FP.Comparison
  let relation: FP.Relation
  switch code.pointee.opcode {
  case .fcmp_eq, .fcmp_eq_unc: relation = .equal
  case .fcmp_lt, .fcmp_lt_unc: relation = .less
  case .fcmp_le, .fcmp_le_unc: relation = .lessOrEqual
  default: relation = .unordered
  }
  var fpsr = FPSR(bits: cpu.pointee.ar_fpsr)
  switch code.pointee.opcode {
  case .fclass_m, .fclass_m_unc:
    comparison = FP.classify(cpu.readFloat(code.r2), mask: UInt32(truncatingIfNeeded: code.immediate))
  default:
    comparison = FP.compare(
      relation, f2: cpu.readFloat(code.r2), f3: cpu.readFloat(f3), fpsr.environment(code.statusField, .none))
  }
  if comparison.fault != 0 { return cpu.floatingPointFault(code: UInt64(comparison.fault)) }
  if comparison.flags != 0 {
    fpsr.raise(comparison.flags, code.statusField)
    cpu.pointee.ar_fpsr = fpsr.bits
  }
  return writePredicates(cpu, code, type, qualified: true, result: comparison.holds, nat: comparison.isNaT)
}

// MARK: Between the register files

@inline(never)
func executeSetFloat(_ cpu: CPU, _ code: Code) -> Status {
  if code.r1 < 2 { return cpu.illegalOperation() }
  if cpu.isDisabledFR(code.r1) { return disabledFP(cpu, code.r1) }
  let value = cpu.readGR(code.r2)
  if cpu.readNaT(code.r2) {
    cpu.writeFloat(code.r1, .natVal)
    return .done
  }
  switch code.pointee.opcode {
  case .setf_sig: cpu.writeFloat(code.r1, RegisterFloat(integer: value))
  case .setf_exp: cpu.writeFloat(code.r1, RegisterFloat(setfExponent: value))
  case .setf_s: cpu.writeFloat(code.r1, RegisterFloat(single: UInt32(truncatingIfNeeded: value)))
  default: cpu.writeFloat(code.r1, RegisterFloat(double: value))
  }
  return .done
}

@inline(never)
func executeGetFloat(_ cpu: CPU, _ code: Code) -> Status {
  if cpu.isIllegalTarget(code.r1) { return cpu.illegalOperation() }
  if cpu.isDisabledFR(code.r2) { return disabledFP(cpu, code.r2) }
  let value = cpu.readFloat(code.r2)
  let bits: UInt64
  switch code.pointee.opcode {
  case .getf_sig: bits = value.significand
  case .getf_exp: bits = value.getfExponent
  case .getf_s: bits = UInt64(value.single)
  default: bits = value.double
  }
  cpu.writeGR(code.r1, bits, nat: value.isNaTVal)
  return .done
}

/// fsetc, fclrf, fchkf.
@inline(never)
func executeStatusField(_ cpu: CPU, _ code: Code) -> Status {
  let fpsr = FPSR(bits: cpu.pointee.ar_fpsr)
  switch code.pointee.opcode {
  case .fsetc:
    guard
      let changed = fpsr.settingControls(
        code.statusField, and: UInt64(code.pointee.amask), or: UInt64(code.pointee.omask))
    else { return cpu.reservedRegisterField() }
    cpu.pointee.ar_fpsr = changed.bits
    return .done
  case .fclrf:
    cpu.pointee.ar_fpsr = fpsr.clearingFlags(code.statusField).bits
    return .done
  default:
    return fpsr.checkFlags(code.statusField) ? takeBranch(cpu, cpu.pointee.ip &+ code.immediate) : .done
  }
}
