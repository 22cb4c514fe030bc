// Branches, speculation checks, calls and returns, loop branches and register rotation (SDM vol. 3, br, brl, chk;
// vol. 1, 4.5).
import CSupport
import IA64
import Machine

/// Continues at `target`'s bundle, slot 0: a taken branch, with the traps that follow one.
@inline(__always)
func takeBranch(_ cpu: CPU, _ target: UInt64) -> Status {
  if cpu.pointee.psr & PSR.tb != 0 || cpu.isUnimplemented(instruction: target) { return branchTrap(cpu, target) }
  cpu.pointee.ip = target & ~15
  cpu.pointee.ri = 0
  return .branched
}

/// The trap of the first of these reasons, which names the others too (SDM vol. 2, 5.5.2, and 8.3, Lower-Privilege
/// Transfer Trap vector): an unimplemented target, lower privilege, psr.tb.
@inline(never)
func branchTrap(_ cpu: CPU, _ target: UInt64, lowersPrivilege: Bool = false) -> Status {
  let source = cpu.pointee.ip, slot = cpu.pointee.ri
  cpu.pointee.ip = target & ~15
  cpu.pointee.ri = 0
  let unimplemented = cpu.isUnimplemented(instruction: target)
  var code: UInt64 = unimplemented ? TrapCode.unimplementedAddress : 0
  if lowersPrivilege { code |= TrapCode.lowerPrivilege }
  if cpu.pointee.psr & PSR.tb != 0 { code |= TrapCode.takenBranch }
  let vector: Vector = unimplemented || lowersPrivilege ? .lowerPrivilegeTransfer : .takenBranch
  return deliverTrap(cpu, vector, code: code, source: source, slot: slot)
}

/// rfi, which may lead to an unimplemented address. A single step is for the instruction behind it.
func executeReturnFromInterruption(_ cpu: CPU) -> Status {
  let source = cpu.pointee.ip, slot = cpu.pointee.ri
  let status = cpu.returnFromInterruption()
  if !cpu.isUnimplemented(instruction: cpu.pointee.ip) { return status }
  return deliverTrap(
    cpu, .lowerPrivilegeTransfer, code: TrapCode.unimplementedAddress, source: source, slot: slot, mayStep: false)
}

/// br.ia: there is no IA-32 instruction set here, so that the transition is disabled whatever psr.di says; the checks
/// before it are the architecture's (SDM vol. 3, br).
func executeTransition(_ cpu: CPU) -> Status {
  if cpu.readBSP() != cpu.pointee.ar_bspstore { return cpu.illegalOperation() }
  return cpu.disabledTransition()
}

/// ISR.code of traps (SDM vol. 2, 3.3.4.5).
enum TrapCode {
  static let lowerPrivilege: UInt64 = 2, takenBranch: UInt64 = 4, singleStep: UInt64 = 8
  static let unimplementedAddress: UInt64 = 0x10
}

/// Delivers a trap: ip and ri stand at the next instruction, `source` and `slot` say which one trapped.
@inline(never)
func deliverTrap(
  _ cpu: CPU, _ vector: Vector, code: UInt64, source: UInt64, slot: UInt32, mayStep: Bool = true
) -> Status {
  let collecting = cpu.pointee.psr & PSR.ic != 0
  // A trap of higher priority reports the single step that it hides.
  let code = mayStep && cpu.pointee.psr & PSR.ss != 0 ? code | TrapCode.singleStep : code
  let status = cpu.interrupt(vector, isr: code)
  if cpu.pointee.is_process == 0 {
    cpu.pointee.cr_isr = cpu.pointee.cr_isr & ~(3 << ISR.eiShift) | UInt64(slot) << ISR.eiShift
    if collecting { cpu.pointee.cr_iipa = source }
  }
  return status
}

/// Rotates the general, floating-point and predicate registers by one (SDM vol. 1, 4.5.1).
@inline(__always)
func rotateRegisters(_ cpu: CPU) {
  let cfm = cpu.pointee.cfm
  let sor = CFM.sor(cfm)
  let gr = CFM.rrbGR(cfm), fr = CFM.rrbFR(cfm), pr = CFM.rrbPR(cfm)
  let newGR = UInt64(sor == 0 ? 0 : gr == 0 ? sor - 1 : gr - 1)
  let newFR = UInt64(fr == 0 ? 95 : fr - 1), newPR = UInt64(pr == 0 ? 47 : pr - 1)
  cpu.pointee.cfm = cfm & 0x3ffff | newGR << 18 | newFR << 25 | newPR << 32
}

@inline(never)
func executeLoopBranch(_ cpu: CPU, _ code: Code) -> Status {
  // The loop branches must stand in slot 2 (SDM vol. 3, br).
  if cpu.pointee.ri != 2 { return cpu.illegalOperation() }
  let taken: Bool
  switch code.pointee.opcode {
  case .br_cloop:
    taken = cpu.pointee.ar_lc != 0
    if taken { cpu.pointee.ar_lc &-= 1 }
  case .br_ctop: taken = stepCountedLoop(cpu)
  case .br_cexit: taken = !stepCountedLoop(cpu)
  case .br_wtop: taken = stepWhileLoop(cpu, cpu.readPR(code.qp))
  default: taken = !stepWhileLoop(cpu, cpu.readPR(code.qp))
  }
  return taken ? takeBranch(cpu, cpu.pointee.ip &+ code.immediate) : .done
}

/// One step of a modulo-scheduled counted loop; whether the loop goes on.
@inline(__always)
func stepCountedLoop(_ cpu: CPU) -> Bool {
  if cpu.pointee.ar_lc != 0 {
    cpu.pointee.ar_lc &-= 1
    cpu.writePR(63, true)
    rotateRegisters(cpu)
    return true
  }
  return drainLoop(cpu)
}

@inline(__always)
func stepWhileLoop(_ cpu: CPU, _ condition: Bool) -> Bool {
  if condition {
    cpu.writePR(63, false)
    rotateRegisters(cpu)
    return true
  }
  return drainLoop(cpu)
}

/// The epilogue part of both loop types.
private func drainLoop(_ cpu: CPU) -> Bool {
  cpu.writePR(63, false)
  let epilogue = cpu.pointee.ar_ec
  if epilogue == 0 { return false }
  cpu.pointee.ar_ec = epilogue - 1
  rotateRegisters(cpu)
  return epilogue > 1
}

/// br.call, brl.call: the link, the frame, the branch.
@inline(never)
func executeCall(_ cpu: CPU, _ code: Code, _ target: UInt64) -> Status {
  cpu.branches[code.r1] = cpu.pointee.ip &+ 16
  cpu.rseCall()
  return takeBranch(cpu, target)
}

/// br.ret (SDM vol. 3, br; vol. 2, 6.5.3): frame, epilogue count and, downwards only, privilege.
@inline(never)
func executeReturn(_ cpu: CPU, _ code: Code) -> Status {
  let target = cpu.branches[code.r2]
  let pfs = cpu.pointee.ar_pfs
  cpu.rseReturn()
  cpu.pointee.ar_ec = pfs >> 52 & 0x3f
  let level = Int(pfs >> 62)
  let demoted = level > cpu.cpl
  if !demoted { return takeBranch(cpu, target) }
  cpu.setPSR(cpu.pointee.psr & ~PSR.cpl | UInt64(level) << PSR.cplShift)
  return cpu.pointee.psr & PSR.lp == 0
    ? takeBranch(cpu, target) : branchTrap(cpu, target, lowersPrivilege: true)
}

/// chk.s, chk.a: to the recovery code, unless what was speculated is there.
@inline(never)
func executeCheck(_ cpu: CPU, _ code: Code) -> Status {
  switch code.pointee.opcode {
  case .chk_s_i, .chk_s_m:
    if !cpu.readNaT(code.r2) { return .done }
  case .chk_s_f:
    if cpu.isDisabledFR(code.r2) { return disabledFP(cpu, code.r2) }
    if !cpu.readFloat(code.r2).isNaTVal { return .done }
  default:
    // chk.a asks for the register's entry and does not look at the register.
    let ofFloat = code.pointee.opcode == .chk_a_nc_f || code.pointee.opcode == .chk_a_clr_f
    let clears = code.pointee.opcode == .chk_a_clr || code.pointee.opcode == .chk_a_clr_f
    let tag = ofFloat ? cpu.alatTag(float: code.r1) : cpu.alatTag(general: code.r1)
    if cpu.alatHolds(tag) {
      if clears { cpu.alatRemove(tag) }
      return .done
    }
  }
  return takeBranch(cpu, cpu.pointee.ip &+ code.immediate)
}
