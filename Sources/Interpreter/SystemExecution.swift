// System instructions and register moves that the machine carries out: operand checks, privilege and NaT here, the
// rest in Machine (SDM vol. 2, chapter 3; vol. 3, chapter 2).
import CSupport
import IA64
import Machine

@inline(never)
func executeSystem(_ cpu: CPU, _ code: Code) -> Status {
  switch code.pointee.opcode {
  case .alloc: return executeAlloc(cpu, code)
  case .flushrs: return cpu.rseFlush()
  case .loadrs:
    return cpu.canLoadStack ? cpu.rseLoad() : cpu.illegalOperation()
  case .cover:
    let old = cpu.rseCover()
    if cpu.pointee.psr & PSR.ic == 0 { cpu.pointee.cr_ifs = 1 << 63 | old }
    return .done
  case .clrrrb:
    cpu.pointee.cfm &= 0x3ffff
    return .done
  case .clrrrb_pr:
    cpu.pointee.cfm &= 0xffff_ffff
    return .done

  case .mov_from_ar_i, .mov_from_ar_m: return executeReadAR(cpu, code)
  case .mov_to_ar_i, .mov_to_ar_m:
    if !unitReaches(code) || !cpu.isWritableAR(code.r3) { return cpu.illegalOperation() }
    if cpu.readNaT(code.r2) { return natConsumption(cpu, 0) }
    return cpu.writeAR(code.r3, cpu.readGR(code.r2))
  case .mov_to_ar_i_imm, .mov_to_ar_m_imm:
    if !unitReaches(code) { return cpu.illegalOperation() }
    return cpu.writeAR(code.r3, code.immediate)

  // Order and caching of memory: one processor sees its own accesses in order, and stores reach memory at once. Nothing
  // is fetched ahead, and so the data access hints are not kept.
  case .mf, .mf_a, .srlz_d, .srlz_i, .sync_i, .fwb, .lfetch_count, .mov_to_dahr: return .done
  case .invala:
    cpu.alatClear()
    return .done
  case .invala_e:
    cpu.alatRemove(cpu.alatTag(general: code.r1))
    return .done
  case .invala_e_f:
    cpu.alatRemove(cpu.alatTag(float: code.r1))
    return .done
  case .mov_from_dahr: return executeReadHint(cpu, code)

  case .sum: return cpu.writeUserMask(cpu.pointee.psr & PSR.userMask | code.immediate)
  case .rum:
    if code.immediate & ~PSR.userMask != 0 { return cpu.reservedRegisterField() }
    return cpu.writeUserMask(cpu.pointee.psr & PSR.userMask & ~code.immediate)
  case .mov_to_psr_um:
    if cpu.readNaT(code.r2) { return natConsumption(cpu, 0) }
    return cpu.writeUserMask(cpu.readGR(code.r2))
  case .mov_from_psr_um: return writeResult(cpu, code, cpu.pointee.psr & PSR.userMask)

  case .break_m, .break_i, .break_f: return cpu.breakInstruction(code.immediate)
  case .break_b: return cpu.breakInstruction(0)
  case .break_x: return cpu.breakInstruction(code.immediate & 0x1f_ffff)

  case .fsetc, .fclrf, .fchkf: return executeStatusField(cpu, code)
  case .fc, .fc_i: return executeFlushCache(cpu, code)
  case .thash, .ttag: return executeHash(cpu, code)
  case .probe_r, .probe_w, .probe_r_imm, .probe_w_imm: return executeProbe(cpu, code)
  case .probe_rw_fault, .probe_r_fault, .probe_w_fault: return executeProbeFault(cpu, code)
  case .mov_from_cpuid, .mov_from_pmd: return executeReadUnprivileged(cpu, code)
  case .epc: return cpu.enterPrivilegedCode()
  default: return executePrivileged(cpu, code)
  }
}

@inline(never)
func executeAlloc(_ cpu: CPU, _ code: Code) -> Status {
  let sof = Int(code.pointee.sof), sol = Int(code.pointee.sol), sor = Int(code.pointee.sor) << 3
  if sof > 96 || sol > sof || sor > sof || code.r1 == 0 || code.r1 >= 32 + sof { return cpu.illegalOperation() }
  let cfm = cpu.pointee.cfm
  if cfm >> 18 != 0 && sor != CFM.sor(cfm) { return cpu.reservedRegisterField() }
  let status = cpu.rseAlloc(sof: sof, sol: sol, sor: sor)
  if status != .done { return status }
  cpu.writeGR(code.r1, cpu.pointee.ar_pfs)
  return .done
}

// MARK: Application registers

/// Whether the instruction's unit reaches its application register: M the lower half, I the upper one, both the
/// ignored ranges (SDM vol. 1, table 3-3).
private func unitReaches(_ code: Code) -> Bool {
  let number = code.r3
  if (48...63).contains(number) || number >= 112 { return true }
  switch code.pointee.opcode {
  case .mov_from_ar_i, .mov_to_ar_i, .mov_to_ar_i_imm: return number >= 64
  default: return number < 64
  }
}

private func executeReadAR(_ cpu: CPU, _ code: Code) -> Status {
  if !unitReaches(code) || cpu.isIllegalTarget(code.r1) { return cpu.illegalOperation() }
  var value: UInt64 = 0
  let status = cpu.readAR(code.r3, &value)
  if status != .done { return status }
  cpu.writeGR(code.r1, value)
  return .done
}

// MARK: Unprivileged system instructions

/// fc, fc.i: the line's code may have changed. All caches are coherent, so that nothing else is to do.
private func executeFlushCache(_ cpu: CPU, _ code: Code) -> Status {
  if cpu.readNaT(code.r3) { return cpu.registerNaTConsumption(isr: ISR.r | ISR.na, code: NonAccess.fc) }
  return cpu.flushCache(cpu.readGR(code.r3))
}

private func executeHash(_ cpu: CPU, _ code: Code) -> Status {
  if cpu.isIllegalTarget(code.r1) { return cpu.illegalOperation() }
  let address = cpu.readGR(code.r3), nat = cpu.readNaT(code.r3)
  let result = code.pointee.opcode == .thash ? cpu.hashAddress(address) : cpu.translationTag(address)
  cpu.writeGR(code.r1, nat ? 0 : result, nat: nat)
  return .done
}

private func executeProbe(_ cpu: CPU, _ code: Code) -> Status {
  if cpu.isIllegalTarget(code.r1) { return cpu.illegalOperation() }
  let opcode = code.pointee.opcode
  let byRegister = opcode == .probe_r || opcode == .probe_w
  let writes = opcode == .probe_w || opcode == .probe_w_imm
  if cpu.readNaT(code.r3) || (byRegister && cpu.readNaT(code.r2)) {
    return cpu.registerNaTConsumption(isr: (writes ? ISR.w : ISR.r) | ISR.na, code: NonAccess.probe)
  }
  let asked = Int((byRegister ? cpu.readGR(code.r2) : code.immediate) & 3)
  guard let allowed = cpu.probe(cpu.readGR(code.r3), writes ? .write : .read, level: max(asked, cpu.cpl)) else {
    return .interruptedOrStopped(cpu)
  }
  cpu.writeGR(code.r1, allowed ? 1 : 0)
  return .done
}

private func executeProbeFault(_ cpu: CPU, _ code: Code) -> Status {
  let wanted: Access
  let isr: UInt64
  switch code.pointee.opcode {
  case .probe_rw_fault: (wanted, isr) = ([.read, .write], ISR.r | ISR.w)
  case .probe_r_fault: (wanted, isr) = (.read, ISR.r)
  default: (wanted, isr) = (.write, ISR.w)
  }
  if cpu.readNaT(code.r3) { return cpu.registerNaTConsumption(isr: isr | ISR.na, code: NonAccess.probeFault) }
  return cpu.probeFault(cpu.readGR(code.r3), wanted, level: max(Int(code.immediate & 3), cpu.cpl))
}

/// cpuid[] and pmd[], which any privilege level may read.
private func executeReadUnprivileged(_ cpu: CPU, _ code: Code) -> Status {
  if cpu.isIllegalTarget(code.r1) { return cpu.illegalOperation() }
  if cpu.readNaT(code.r3) { return natConsumption(cpu, 0) }
  let index = Int(cpu.readGR(code.r3) & 0xff)
  if code.pointee.opcode == .mov_from_cpuid {
    if index > 4 { return cpu.reservedRegisterField() }
    cpu.writeGR(code.r1, kt_cpuid(cpu)[index])
    return .done
  }
  var value: UInt64 = 0
  let status = cpu.readPMD(cpu.readGR(code.r3), &value)
  if status != .done { return status }
  cpu.writeGR(code.r1, value)
  return .done
}

/// mov r1=dahr[r3]: hints that the processor makes nothing of read as zero.
private func executeReadHint(_ cpu: CPU, _ code: Code) -> Status {
  if cpu.isIllegalTarget(code.r1) { return cpu.illegalOperation() }
  if cpu.readNaT(code.r3) { return natConsumption(cpu, 0) }
  if cpu.readGR(code.r3) & 0xff > 7 { return cpu.reservedRegisterField() }
  cpu.writeGR(code.r1, 0)
  return .done
}

// MARK: Privileged instructions

private func executePrivileged(_ cpu: CPU, _ code: Code) -> Status {
  let opcode = code.pointee.opcode
  switch opcode {
  case .mov_from_cr, .mov_from_psr, .mov_from_rr, .mov_from_pkr, .mov_from_dbr, .mov_from_ibr, .mov_from_pmc, .tpa,
    .tak:
    if cpu.isIllegalTarget(code.r1) { return cpu.illegalOperation() }
    if opcode == .mov_from_cr { return executeReadCR(cpu, code) }
    if cpu.cpl != 0 { return cpu.privilegedOperation() }
    return executePrivilegedRead(cpu, code)
  case .mov_to_cr:
    // The machine checks the register before the privilege, and both before the value.
    if cpu.readNaT(code.r2), cpu.cpl == 0, cpu.isWritableCR(code.r3) { return natConsumption(cpu, 0) }
    return cpu.writeCR(code.r3, cpu.readGR(code.r2))
  case .itc_i, .itc_d, .itr_i, .itr_d, .ptc_l, .ptc_g, .ptc_ga, .ptc_e, .ptr_i, .ptr_d, .mov_to_rr, .mov_to_pkr,
    .mov_to_dbr, .mov_to_ibr, .mov_to_pmc, .mov_to_pmd, .mov_to_psr_l, .ssm, .rsm, .bsw_0, .bsw_1, .rfi:
    let insertion = opcode == .itc_i || opcode == .itc_d || opcode == .itr_i || opcode == .itr_d
    if insertion && cpu.pointee.psr & PSR.ic != 0 { return cpu.illegalOperation() }
    if cpu.cpl != 0 { return cpu.privilegedOperation() }
    return executePrivilegedWrite(cpu, code)
  default:
    return cpu.illegalOperation()
  }
}

private func executeReadCR(_ cpu: CPU, _ code: Code) -> Status {
  var value: UInt64 = 0
  let status = cpu.readCR(code.r3, &value)
  if status != .done { return status }
  cpu.writeGR(code.r1, value)
  return .done
}

private func executePrivilegedRead(_ cpu: CPU, _ code: Code) -> Status {
  let opcode = code.pointee.opcode
  if opcode == .mov_from_psr { return writeResult(cpu, code, cpu.readPSR()) }
  let address = cpu.readGR(code.r3)
  if cpu.readNaT(code.r3) {
    switch opcode {
    case .tpa: return cpu.registerNaTConsumption(isr: ISR.na, code: NonAccess.tpa)
    case .tak: return cpu.registerNaTConsumption(isr: ISR.na, code: NonAccess.tak)
    default: return natConsumption(cpu, 0)
    }
  }
  let index = Int(address & 0xff)
  switch opcode {
  case .tpa:
    guard let physical = cpu.translateToPhysical(address) else { return .interruptedOrStopped(cpu) }
    return writeResult(cpu, code, physical)
  case .tak: return writeResult(cpu, code, cpu.accessKey(address))
  case .mov_from_rr: return writeResult(cpu, code, cpu.readRegionRegister(address))
  case .mov_from_pkr: return indexed(cpu, code, kt_protection_keys(cpu), index, 16)
  case .mov_from_dbr: return indexed(cpu, code, kt_data_breakpoints(cpu), index, 16)
  case .mov_from_ibr: return indexed(cpu, code, kt_instruction_breakpoints(cpu), index, 16)
  default: return indexed(cpu, code, kt_pmc(cpu), index, 32)
  }
}

private func indexed(
  _ cpu: CPU, _ code: Code, _ file: UnsafeMutablePointer<UInt64>, _ index: Int, _ count: Int
) -> Status {
  index < count ? writeResult(cpu, code, file[index]) : cpu.reservedRegisterField()
}

private func executePrivilegedWrite(_ cpu: CPU, _ code: Code) -> Status {
  let opcode = code.pointee.opcode
  switch opcode {
  case .ssm: return cpu.setSystemMask(code.immediate)
  case .rsm: return cpu.resetSystemMask(code.immediate)
  case .bsw_0, .bsw_1:
    cpu.setBank(opcode == .bsw_0 ? 0 : 1)
    return .done
  case .rfi: return executeReturnFromInterruption(cpu)
  case .mov_to_psr_l, .itc_i, .itc_d:
    if cpu.readNaT(code.r2) { return natConsumption(cpu, 0) }
    let value = cpu.readGR(code.r2)
    return opcode == .mov_to_psr_l
      ? cpu.writePSRLower(value) : cpu.insertTranslationCache(value, instruction: opcode == .itc_i)
  case .ptc_e:
    if cpu.readNaT(code.r3) { return natConsumption(cpu, 0) }
    cpu.purgeAllTranslationCaches()
    return .done
  default: break
  }
  if cpu.readNaT(code.r2) || cpu.readNaT(code.r3) { return natConsumption(cpu, 0) }
  return executeIndirectWrite(cpu, code, index: cpu.readGR(code.r3), value: cpu.readGR(code.r2))
}

private func executeIndirectWrite(_ cpu: CPU, _ code: Code, index: UInt64, value: UInt64) -> Status {
  let small = Int(index & 0xff)
  switch code.pointee.opcode {
  case .itr_i: return cpu.insertTranslationRegister(slot: index, value, instruction: true)
  case .itr_d: return cpu.insertTranslationRegister(slot: index, value, instruction: false)
  case .ptc_l: cpu.purgeTranslationCache(index, size: value)
  case .ptc_g, .ptc_ga: cpu.purgeGlobally(index, size: value, alat: code.pointee.opcode == .ptc_ga)
  case .ptr_i: cpu.purgeTranslationRegister(index, size: value, instruction: true)
  case .ptr_d: cpu.purgeTranslationRegister(index, size: value, instruction: false)
  case .mov_to_rr: return cpu.writeRegionRegister(index, value)
  case .mov_to_pkr: return cpu.writeProtectionKey(index, value)
  // In the second register of a pair the bits between kinds and privilege levels are ignored.
  case .mov_to_dbr:
    return setIndexed(cpu, kt_data_breakpoints(cpu), small, 16, small & 1 == 0 ? value : value & ~(3 << 60))
  case .mov_to_ibr:
    return setIndexed(cpu, kt_instruction_breakpoints(cpu), small, 16, small & 1 == 0 ? value : value & ~(7 << 60))
  case .mov_to_pmc: return setIndexed(cpu, kt_pmc(cpu), small, 32, value)
  default: return setIndexed(cpu, kt_pmd(cpu), small, 32, value)
  }
  return .done
}

private func setIndexed(
  _ cpu: CPU, _ file: UnsafeMutablePointer<UInt64>, _ index: Int, _ count: Int, _ value: UInt64
) -> Status {
  if index >= count { return cpu.reservedRegisterField() }
  file[index] = value
  return .done
}

extension UnsafeMutablePointer where Pointee == kt_cpu {
  /// epc: takes the privilege that the code's page grants (SDM vol. 3, epc).
  fileprivate func enterPrivilegedCode() -> Status {
    // A return value of a more privileged caller would let the callee's return raise the level.
    if Int(pointee.ar_pfs >> 62) < cpl { return illegalOperation() }
    let level = promotedLevel()
    if level < cpl { setPSR(pointee.psr & ~PSR.cpl | UInt64(level) << PSR.cplShift) }
    return .done
  }
}
