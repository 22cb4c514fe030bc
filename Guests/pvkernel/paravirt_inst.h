/* The instructions that depend on the environment, as macros: ivt.S and entry.S are written with these alone and are
 * compiled once per environment, with __IA64_ASM_PARAVIRTUALIZED_NATIVE or another of that family (Linux:
 * asm/native/inst.h). Arguments: `pred` qualifies the effect; `clob` registers and `pred_clob` predicates may be
 * destroyed, and a caller must assume they are. The caller supplies the stop before a macro. */
#ifndef PARAVIRT_INST_H
#define PARAVIRT_INST_H

#if defined(__IA64_ASM_PARAVIRTUALIZED_NATIVE)

#define __paravirt_switch_to ia64_native_switch_to
#define __paravirt_leave_syscall ia64_native_leave_syscall
#define __paravirt_work_processed_syscall ia64_native_work_processed_syscall
#define __paravirt_leave_kernel ia64_native_leave_kernel
#define __paravirt_work_processed_syscall_target ia64_work_processed_syscall
#define __paravirt_ivt ia64_ivt
#define __paravirt_interruption ia64_native_interruption
#define __paravirt_ret_from_fork ia64_native_ret_from_fork

#define MOV_FROM_IFA(reg) mov reg = cr.ifa
#define MOV_FROM_ITIR(reg) mov reg = cr.itir
#define MOV_FROM_ISR(reg) mov reg = cr.isr
#define MOV_FROM_IHA(reg) mov reg = cr.iha
#define MOV_FROM_IPSR(pred, reg) (pred) mov reg = cr.ipsr
#define MOV_FROM_IIM(reg) mov reg = cr.iim
#define MOV_FROM_IIP(reg) mov reg = cr.iip
#define MOV_FROM_IFS(reg) mov reg = cr.ifs
#define MOV_FROM_PSR(pred, reg, clob) (pred) mov reg = psr
#define MOV_FROM_ITC(pred, pred_clob, reg, clob) (pred) mov reg = ar.itc
#define MOV_TO_IFA(reg, clob) mov cr.ifa = reg
#define MOV_TO_ITIR(pred, reg, clob) (pred) mov cr.itir = reg
#define MOV_TO_IHA(pred, reg, clob) (pred) mov cr.iha = reg
#define MOV_TO_IPSR(pred, reg, clob) (pred) mov cr.ipsr = reg
#define MOV_TO_IFS(pred, reg, clob) (pred) mov cr.ifs = reg
#define MOV_TO_IIP(reg, clob) mov cr.iip = reg
#define MOV_TO_KR(kr, reg, clob0, clob1) mov ar.k##kr = reg
#define ITC_I(pred, reg, clob) (pred) itc.i reg
#define ITC_D(pred, reg, clob) (pred) itc.d reg
#define THASH(pred, reg0, reg1, clob) (pred) thash reg0 = reg1
#define SSM_PSR_IC_AND_DEFAULT_BITS_AND_SRLZ_I(clob0, clob1) ssm IA64_PSR_IC | IA64_PSR_AC ;; srlz.i
#define SSM_PSR_IC_AND_SRLZ_D(clob0, clob1) ssm IA64_PSR_IC ;; srlz.d
#define RSM_PSR_IC(clob) rsm IA64_PSR_IC
#define SSM_PSR_I(pred, pred_clob, clob) (pred) ssm IA64_PSR_I
#define RSM_PSR_I(pred, clob0, clob1) (pred) rsm IA64_PSR_I
#define RSM_PSR_I_IC(clob0, clob1, clob2) rsm IA64_PSR_I | IA64_PSR_IC
#define BSW_0(clob0, clob1, clob2) bsw.0
#define BSW_1(clob0, clob1) bsw.1
#define COVER cover
#define RFI rfi

#else
#error "no environment chosen for the paravirtualised assembly"
#endif

#endif
