// One instruction, whole: predicate, every operand check, NaT, faults. The run loop's fast cases do less, for the
// states in which less is the same; everything else comes here, and so does what translated code hands over.
import CSupport
import IA64
import Machine

/// Executes one instruction that stands at `ip`, slot `ri`, of the guest. Does not advance ip and ri when the result is
/// `.done`; `.branched`: they name the target.
@inline(never)
package func executeInstruction(_ cpu: CPU, _ code: Code) -> Status {
  let recipe = code.recipe
  let qualified = cpu.readPR(code.qp)
  if !qualified && !recipe.ownPredicate { return .done }
  switch recipe.kind {
  case .integer: return executeInteger(cpu, code, recipe.operandForm)
  case .compare: return executeCompare(cpu, code, recipe, qualified)
  case .testBit: return executeTestBit(cpu, code, recipe, qualified)
  case .load: return executeLoad(cpu, code, recipe)
  case .store: return executeStore(cpu, code, recipe)
  case .semaphore: return executeSemaphore(cpu, code, recipe)
  case .floatLoad: return executeFloatLoad(cpu, code, recipe)
  case .floatStore: return executeFloatStore(cpu, code, recipe)
  case .floatLoadPair: return executeFloatLoadPair(cpu, code, recipe)
  case .lineFetch: return executeLineFetch(cpu, code, recipe)
  case .floatCompute: return executeFloat(cpu, code, qualified)
  case .other: return executeOther(cpu, code)
  }
}

@inline(never)
private func executeOther(_ cpu: CPU, _ code: Code) -> Status {
  let instruction = code.pointee
  switch instruction.opcode {
  case .nop_m, .nop_i, .nop_b, .nop_f, .nop_x, .hint_m, .hint_i, .hint_b, .hint_f, .hint_x, .brp, .brp_indirect,
    .brp_ret:
    return .done

  case .br_cond, .brl_cond: return takeBranch(cpu, cpu.pointee.ip &+ code.immediate)
  case .br_cond_indirect: return takeBranch(cpu, cpu.branches[code.r2])
  case .br_call, .brl_call: return executeCall(cpu, code, cpu.pointee.ip &+ code.immediate)
  case .br_call_indirect: return executeCall(cpu, code, cpu.branches[code.r2])
  case .br_ret: return executeReturn(cpu, code)
  case .br_ia: return executeTransition(cpu)
  case .br_cloop, .br_ctop, .br_cexit, .br_wtop, .br_wexit: return executeLoopBranch(cpu, code)
  case .chk_s_i, .chk_s_m, .chk_s_f, .chk_a_nc, .chk_a_clr, .chk_a_nc_f, .chk_a_clr_f:
    return executeCheck(cpu, code)

  case .mov_to_br, .mov_ret_to_br:
    if cpu.readNaT(code.r2) { return natConsumption(cpu, 0) }
    cpu.branches[code.r1] = cpu.readGR(code.r2)
    return .done
  case .mov_from_br: return writeResult(cpu, code, cpu.branches[code.r2])
  case .mov_from_ip: return writeResult(cpu, code, cpu.pointee.ip)
  case .mov_from_pr: return writeResult(cpu, code, cpu.packedPredicates)
  case .mov_to_pr:
    if cpu.readNaT(code.r2) { return natConsumption(cpu, 0) }
    cpu.setPredicates(cpu.readGR(code.r2), mask: code.immediate)
    return .done
  case .mov_to_pr_rot:
    cpu.setPredicates(code.immediate, mask: ~0xffff)
    return .done

  case .setf_sig, .setf_exp, .setf_s, .setf_d: return executeSetFloat(cpu, code)
  case .getf_sig, .getf_exp, .getf_s, .getf_d: return executeGetFloat(cpu, code)
  default: return executeSystem(cpu, code)
  }
}

/// Writes `r1` and clears its NaT bit, or faults where it is no legal target.
@inline(__always)
func writeResult(_ cpu: CPU, _ code: Code, _ value: UInt64) -> Status {
  if cpu.isIllegalTarget(code.r1) { return cpu.illegalOperation() }
  cpu.writeGR(code.r1, value)
  return .done
}
