/* Switching tasks and the ways back from an interruption or a system call; compiled once per environment. Reached
 * through the patchable branches of paravirtentry.S. Itanium SDM vol. 2, 6.11 (switching backing stores), 5.5 (rfi). */
#include "layout.h"
#include "paravirt_inst.h"

	.text

/* struct task *ia64_switch_to(struct task *next): saves what a C function must preserve below the stack pointer, lets
 * the RSE write everything out, and goes on where `next` once did the same. Returns the task that ran before. */
	.align 32
	.global __paravirt_switch_to
	.proc __paravirt_switch_to
__paravirt_switch_to:
	alloc r16 = ar.pfs, 1, 0, 0, 0
	mov r17 = ar.unat
	adds r12 = -SW_SIZE, r12
	mov r18 = b0
	mov r19 = b1
	;;
	adds r2 = 16 + SW_F2, r12
	adds r3 = 16 + SW_F2 + 16, r12
	mov r20 = b2
	mov r21 = b3
	;;
	stf.spill [r2] = f2, 32
	stf.spill [r3] = f3, 32
	mov r22 = b4
	mov r23 = b5
	;;
	stf.spill [r2] = f4, 32
	stf.spill [r3] = f5, 32
	;;
	stf.spill [r2] = f16, 32
	stf.spill [r3] = f17, 32
	;;
	stf.spill [r2] = f18, 32
	stf.spill [r3] = f19, 32
	;;
	stf.spill [r2] = f20, 32
	stf.spill [r3] = f21, 32
	;;
	stf.spill [r2] = f22, 32
	stf.spill [r3] = f23, 32
	;;
	stf.spill [r2] = f24, 32
	stf.spill [r3] = f25, 32
	;;
	stf.spill [r2] = f26, 32
	stf.spill [r3] = f27, 32
	;;
	stf.spill [r2] = f28, 32
	stf.spill [r3] = f29, 32
	;;
	stf.spill [r2] = f30, 32
	stf.spill [r3] = f31, 24
	;;
	.mem.offset 0, 0
	st8.spill [r2] = r4, 16         /* r2 = SW_R4, r3 = SW_R4 + 8 */
	.mem.offset 8, 0
	st8.spill [r3] = r5, 16
	;;
	.mem.offset 0, 0
	st8.spill [r2] = r6, 16
	.mem.offset 8, 0
	st8.spill [r3] = r7, 16
	;;
	st8 [r2] = r18, 16              /* b0-b5 */
	st8 [r3] = r19, 16
	;;
	st8 [r2] = r20, 16
	st8 [r3] = r21, 16
	mov r24 = ar.lc
	;;
	st8 [r2] = r22, 16
	st8 [r3] = r23, 16
	mov r25 = ar.unat
	;;
	st8 [r2] = r16, 16              /* pfs, lc */
	st8 [r3] = r24, 16
	mov r26 = pr
	;;
	st8 [r2] = r17, 16              /* unat, spill_unat */
	st8 [r3] = r25, 16
	;;
	flushrs
	mov ar.rsc = 0
	;;
	mov r27 = ar.bspstore
	mov r28 = ar.rnat
	mov r29 = ar.fpsr
	;;
	st8 [r2] = r26, 16              /* pr, bspstore */
	st8 [r3] = r27, 16
	;;
	st8 [r2] = r28                  /* rnat, fpsr */
	st8 [r3] = r29
	st8 [r13] = r12                 /* TASK_KSP */
	mov r8 = r13
	;;
	/* From here on the next task's. */
	mov r13 = r32
	ld8 r12 = [r32]
	MOV_TO_KR(6, r32, r14, r15)
	;;
	adds r2 = 16 + SW_F2, r12
	adds r3 = 16 + SW_F2 + 16, r12
	adds r14 = 16 + SW_BSPSTORE, r12
	adds r15 = 16 + SW_RNAT, r12
	;;
	ld8 r27 = [r14]
	ld8 r28 = [r15], SW_FPSR - SW_RNAT
	;;
	loadrs
	;;
	mov ar.bspstore = r27
	;;
	mov ar.rnat = r28
	ld8 r29 = [r15]
	;;
	mov ar.rsc = 3
	mov ar.fpsr = r29
	ldf.fill f2 = [r2], 32
	ldf.fill f3 = [r3], 32
	adds r14 = 16 + SW_SPILL_UNAT, r12
	;;
	ldf.fill f4 = [r2], 32
	ldf.fill f5 = [r3], 32
	ld8 r25 = [r14], SW_PR - SW_SPILL_UNAT
	;;
	ldf.fill f16 = [r2], 32
	ldf.fill f17 = [r3], 32
	ld8 r26 = [r14]
	;;
	ldf.fill f18 = [r2], 32
	ldf.fill f19 = [r3], 32
	mov ar.unat = r25
	;;
	ldf.fill f20 = [r2], 32
	ldf.fill f21 = [r3], 32
	mov pr = r26, -1
	;;
	ldf.fill f22 = [r2], 32
	ldf.fill f23 = [r3], 32
	;;
	ldf.fill f24 = [r2], 32
	ldf.fill f25 = [r3], 32
	;;
	ldf.fill f26 = [r2], 32
	ldf.fill f27 = [r3], 32
	;;
	ldf.fill f28 = [r2], 32
	ldf.fill f29 = [r3], 32
	;;
	ldf.fill f30 = [r2], 32
	ldf.fill f31 = [r3], 24
	;;
	ld8.fill r4 = [r2], 16
	ld8.fill r5 = [r3], 16
	;;
	ld8.fill r6 = [r2], 16
	ld8.fill r7 = [r3], 16
	;;
	ld8 r18 = [r2], 16
	ld8 r19 = [r3], 16
	;;
	ld8 r20 = [r2], 16
	ld8 r21 = [r3], 16
	mov b0 = r18
	;;
	ld8 r22 = [r2], 16
	ld8 r23 = [r3], 16
	mov b1 = r19
	;;
	ld8 r16 = [r2], 16
	ld8 r24 = [r3]
	mov b2 = r20
	;;
	ld8 r17 = [r2]
	mov b3 = r21
	mov b4 = r22
	mov ar.pfs = r16
	;;
	mov ar.unat = r17
	mov ar.lc = r24
	mov b5 = r23
	adds r12 = SW_SIZE, r12
	br.ret.sptk.many b0
	;;
	.endp __paravirt_switch_to

/* The first thing a new task does: its pt_regs stands above the stack pointer. */
	.align 32
	.global __paravirt_ret_from_fork
	.proc __paravirt_ret_from_fork
__paravirt_ret_from_fork:
	br.cond.sptk.many ia64_leave_kernel
	;;
	.endp __paravirt_ret_from_fork

	/* The common end: bank 0, psr.ic and psr.i off, r16 = pt_regs; ar.unat holds the NaT bits of what was
	 * spilled, the floating-point, branch and bank 1 registers are the interrupted's again. */
	.macro restore_and_rfi
	adds r17 = PT_CR_IPSR, r16
	adds r18 = PT_CR_IIP, r16
	;;
	ld8 r29 = [r17], 16
	ld8 r28 = [r18], 16
	;;
	ld8 r30 = [r17], 16
	ld8 r25 = [r18], 16
	;;
	ld8 r26 = [r17], 16
	ld8 r27 = [r18], 16
	extr.u r19 = r29, 32, 2
	;;
	ld8 r23 = [r17], 16
	ld8 r24 = [r18], 16
	cmp.eq p6, p7 = r0, r19
	;;
	ld8 r31 = [r17]
	ld8 r22 = [r18]
	(p6) br.cond.dpnt 1f
	;;
	/* For a user: its registers that lie on the kernel's store come back, then its own store. */
	alloc r19 = ar.pfs, 0, 0, 0, 0
	mov ar.rsc = r22
	;;
	loadrs
	;;
	mov ar.bspstore = r24
	;;
	mov ar.rnat = r23
1:
	MOV_TO_IPSR(p0, r29, r17)
	MOV_TO_IIP(r28, r17)
	MOV_TO_IFS(p0, r30, r17)
	;;
	mov ar.rsc = r27
	mov ar.unat = r25
	mov ar.pfs = r26
	mov pr = r31, -1
	;;
	RFI
	;;
	.endm

	/* p7 = the interruption came from a user and p8 = that user must give way. */
	.macro work_pending
	RSM_PSR_I(p0, r14, r15)
	adds r2 = 16 + PT_CR_IPSR, r12
	adds r3 = TASK_NEED_RESCHED, r13
	;;
	ld8 r14 = [r2]
	ld4 r15 = [r3]
	;;
	extr.u r14 = r14, 32, 2
	;;
	cmp.ne p7, p0 = r0, r14
	;;
	(p7) cmp.ne.unc p8, p0 = r0, r15
	.endm

/* Back from an interruption: every register as it was. */
	.align 32
	.global __paravirt_leave_kernel
	.proc __paravirt_leave_kernel
__paravirt_leave_kernel:
	work_pending
	;;
	(p8) br.cond.spnt 2f
	adds r2 = 16 + PT_F6, r12
	adds r3 = 16 + PT_F6 + 16, r12
	adds r14 = 16 + PT_B0, r12
	adds r15 = 16 + PT_B6, r12
	;;
	ldf.fill f6 = [r2], 32
	ldf.fill f7 = [r3], 32
	ld8 r16 = [r14], 16             /* b0 */
	ld8 r17 = [r15], 16             /* b6 */
	;;
	ldf.fill f8 = [r2], 32
	ldf.fill f9 = [r3], 32
	ld8 r18 = [r14], 16             /* b7 */
	ld8 r19 = [r15], 16             /* ar_ccv */
	;;
	ldf.fill f10 = [r2]
	ldf.fill f11 = [r3]
	ld8 r20 = [r14], 16             /* ar_fpsr */
	ld8 r21 = [r15], 16             /* ar_csd */
	mov b0 = r16
	;;
	ld8 r22 = [r14]                 /* ar_ssd */
	ld8 r23 = [r15]                 /* spill_unat */
	mov b6 = r17
	mov b7 = r18
	;;
	mov ar.ccv = r19
	mov ar.fpsr = r20
	mov ar.csd = r21
	;;
	mov ar.ssd = r22
	mov ar.unat = r23
	adds r2 = 16 + PT_R16, r12
	adds r3 = 16 + PT_R16 + 8, r12
	;;
	RSM_PSR_IC(r14)
	;;
	srlz.i
	;;
	ld8.fill r16 = [r2], 16
	ld8.fill r17 = [r3], 16
	;;
	ld8.fill r18 = [r2], 16
	ld8.fill r19 = [r3], 16
	;;
	ld8.fill r20 = [r2], 16
	ld8.fill r21 = [r3], 16
	;;
	ld8.fill r22 = [r2], 16
	ld8.fill r23 = [r3], 16
	;;
	ld8.fill r24 = [r2], 16
	ld8.fill r25 = [r3], 16
	;;
	ld8.fill r26 = [r2], 16
	ld8.fill r27 = [r3], 16
	;;
	ld8.fill r28 = [r2], 16
	ld8.fill r29 = [r3], 16
	;;
	ld8.fill r30 = [r2]
	ld8.fill r31 = [r3]
	;;
	BSW_0(r2, r3, r14)
	;;
	adds r16 = 16, r12
	;;
	adds r17 = PT_R1, r16
	adds r18 = PT_R2, r16
	;;
	ld8.fill r1 = [r17], 16
	ld8.fill r2 = [r18], 16
	;;
	ld8.fill r3 = [r17], 16
	ld8.fill r8 = [r18], 16
	;;
	ld8.fill r9 = [r17], 16
	ld8.fill r10 = [r18], 16
	;;
	ld8.fill r11 = [r17], 16
	ld8.fill r12 = [r18], 16
	;;
	ld8.fill r13 = [r17], 16
	ld8.fill r14 = [r18], 16
	;;
	ld8.fill r15 = [r17]
	;;
	restore_and_rfi

2:	br.call.sptk.many b0 = schedule
	;;
	br.cond.sptk.many __paravirt_leave_kernel
	;;
	.endp __paravirt_leave_kernel

/* Back from a system call: the result in r8 and r10, what a C call preserves, and zeros in the rest. */
	.align 32
	.global __paravirt_leave_syscall
	.proc __paravirt_leave_syscall
__paravirt_leave_syscall:
	work_pending
	;;
	(p8) br.cond.spnt 2f
	.global __paravirt_work_processed_syscall
__paravirt_work_processed_syscall:
	adds r14 = 16 + PT_B0, r12
	adds r15 = 16 + PT_AR_FPSR, r12
	;;
	ld8 r16 = [r14]
	ld8 r17 = [r15], PT_SPILL_UNAT - PT_AR_FPSR
	;;
	ld8 r18 = [r15]
	mov b0 = r16
	mov b6 = r0
	mov b7 = r0
	;;
	mov ar.fpsr = r17
	mov ar.unat = r18
	mov ar.ccv = r0
	;;
	mov ar.csd = r0
	mov ar.ssd = r0
	mov f6 = f0
	mov f7 = f0
	mov f8 = f0
	mov f9 = f0
	mov f10 = f0
	mov f11 = f0
	;;
	RSM_PSR_IC(r14)
	;;
	srlz.i
	;;
	mov r16 = r0
	mov r17 = r0
	mov r18 = r0
	mov r19 = r0
	mov r20 = r0
	mov r21 = r0
	mov r22 = r0
	mov r23 = r0
	mov r24 = r0
	mov r25 = r0
	mov r26 = r0
	mov r27 = r0
	mov r28 = r0
	mov r29 = r0
	mov r30 = r0
	mov r31 = r0
	;;
	BSW_0(r2, r3, r14)
	;;
	adds r16 = 16, r12
	mov r2 = r0
	mov r3 = r0
	mov r9 = r0
	mov r11 = r0
	mov r14 = r0
	;;
	adds r17 = PT_R1, r16
	adds r18 = PT_R8, r16
	;;
	ld8.fill r1 = [r17], PT_R10 - PT_R1
	ld8.fill r8 = [r18], PT_R12 - PT_R8
	;;
	ld8.fill r10 = [r17], PT_R13 - PT_R10
	ld8.fill r12 = [r18], PT_R15 - PT_R12
	;;
	ld8.fill r13 = [r17]
	ld8.fill r15 = [r18]
	;;
	restore_and_rfi

2:	br.call.sptk.many b0 = schedule
	;;
	RSM_PSR_I(p0, r14, r15)
	br.cond.sptk.many __paravirt_work_processed_syscall_target
	;;
	.endp __paravirt_leave_syscall
