// Which instructions matter to a kernel that does not own the processor (SDM vol. 2, 3.3.8 and the instructions'
// pages). Linux's own list (asm/native/pvchk_inst.h) is the first kind and a part of the second.
import IA64

/// What becomes of an instruction where a kernel runs deprivileged.
public enum Sensitivity: String, CaseIterable, Sendable {
  /// It does not trap, and its result or effect is the processor's instead of the guest's: fc, thash, ttag, cover, mov
  /// from cpuid and pmd. Nothing but a call site or a rewritten instruction helps.
  case sensitive
  /// It traps (Privileged Operation, or Privileged Register): slow, but a hypervisor can stay correct.
  case privileged
  /// It does not trap and is right only as long as a hypervisor keeps state as the guest believes it: kernel registers,
  /// ar.itc, the IA-32 registers, the user mask, levels (probe, epc, ar.rsc), fc.i.
  case conditional
}

extension Instruction {
  /// Nil for most.
  package var sensitivity: Sensitivity? {
    switch opcode {
    case .fc, .thash, .ttag, .cover, .mov_from_cpuid, .mov_from_pmd: return .sensitive
    case .fc_i, .sum, .rum, .mov_to_psr_um, .mov_from_psr_um, .epc, .probe_r, .probe_w, .probe_r_imm, .probe_w_imm,
      .probe_rw_fault, .probe_r_fault, .probe_w_fault:
      return .conditional
    case .mov_to_ar_m, .mov_to_ar_m_imm: return Instruction.sensitivity(ofApplicationRegister: r3, written: true)
    case .mov_from_ar_m: return Instruction.sensitivity(ofApplicationRegister: r3, written: false)
    default: return flags.contains(.privileged) ? .privileged : nil
    }
  }

  private static func sensitivity(ofApplicationRegister number: UInt8, written: Bool) -> Sensitivity? {
    switch number {
    case 0...7, 44, 45: return written ? .privileged : .conditional  // ar.k0 to ar.k7, ar.itc, ar.ruc
    case 24, 27: return .conditional  // ar.eflag, ar.cflg
    case 16: return written ? .conditional : nil  // ar.rsc: its level is cut to the current one without a word
    default: return nil
    }
  }
}
