/* The interruption vector table, and the way from a vector into C. Compiled once per environment; everything that
 * depends on it is a macro of paravirt_inst.h. An interruption arrives in register bank 0 with psr.ic and psr.i off;
 * handlers of translation misses stay there, everything else saves a pt_regs and calls ia64_handle_interruption.
 * Vector offsets: Itanium SDM vol. 2, 5.7 and 8.3. */
#include "layout.h"
#include "paravirt_inst.h"

	.section .text.ivt, "ax"
	.align 32768
	.global __paravirt_ivt
__paravirt_ivt:

	.macro vector offset
	.org __paravirt_ivt + \offset, 0
	mov r31 = pr
	mov r19 = \offset
	br.cond.sptk.many __paravirt_interruption
	;;
	.endm

	/* Inserts the translation of cr.ifa, or goes to C: region 7 and 6 one to one for the kernel, region 2 and 3
	 * from the table of the current task. A speculative load of what is not mapped is deferred by psr.ed. */
	.macro tlb_miss offset, data
	.org __paravirt_ivt + \offset, 0
	MOV_FROM_IFA(r16)
	mov r31 = pr
	mov r19 = \offset
	movl r24 = tlb_misses
	;;
	MOV_FROM_IPSR(p0, r21)
	MOV_FROM_ISR(r20)
	ld8 r25 = [r24]
	extr.u r22 = r16, 61, 3
	extr.u r17 = r16, PAGE_SHIFT, 61 - PAGE_SHIFT
	;;
	adds r25 = 1, r25
	adds r26 = -2, r22
	extr.u r23 = r21, 32, 2
	mov r18 = ar.k6
	;;
	st8 [r24] = r25
	cmp.gtu p9, p0 = 2, r26
	cmp.ne p11, p0 = r0, r23
	cmp.eq p6, p0 = 6, r22
	cmp.ltu p0, p8 = 5, r22
	shl r26 = r26, 6
	adds r18 = TASK_PTES, r18
	;;
	(p9) br.cond.dpnt 1f
	/* The kernel's own regions: not for users, and region 5 has its translation registers. */
	(p11) br.cond.spnt __paravirt_interruption
	(p8) br.cond.spnt __paravirt_interruption
	movl r17 = PAGE_KERNEL
	movl r18 = PAGE_DEVICE
	extr.u r26 = r16, 12, 38
	;;
	shl r26 = r26, 12
	(p6) mov r17 = r18
	;;
	or r18 = r17, r26
	;;
	.if \data
	ITC_D(p0, r18, r17)
	.else
	ITC_I(p0, r18, r17)
	.endif
	;;
	mov pr = r31, -1
	RFI
	;;
1:	/* Page `r17` of the region whose table begins at entry `r26`. */
	cmp.gtu p13, p14 = USER_PAGES, r17
	add r26 = r26, r17
	;;
	shladd r18 = r26, 3, r18
	;;
	(p13) ld8 r18 = [r18]
	(p14) mov r18 = r0
	;;
	tbit.nz p6, p7 = r18, 0
	;;
	.if \data
	ITC_D(p6, r18, r17)
	.else
	ITC_I(p6, r18, r17)
	.endif
	(p7) tbit.z.unc p8, p9 = r20, ISR_BIT_SP
	dep r21 = -1, r21, PSR_BIT_ED, 1
	;;
	(p8) br.cond.spnt __paravirt_interruption
	MOV_TO_IPSR(p9, r21, r17)
	;;
	mov pr = r31, -1
	RFI
	;;
	.endm

	vector 0x0000                   /* VHPT translation: the walker is off */
	tlb_miss 0x0400, 0              /* instruction TLB */
	tlb_miss 0x0800, 1              /* data TLB */
	tlb_miss 0x0c00, 0              /* alternate instruction TLB */
	tlb_miss 0x1000, 1              /* alternate data TLB */
	vector 0x1400                   /* data nested TLB: nothing that runs with psr.ic off may miss */
	vector 0x1800                   /* instruction key miss */
	vector 0x1c00                   /* data key miss */
	vector 0x2000                   /* dirty bit */
	vector 0x2400                   /* instruction access bit */
	vector 0x2800                   /* data access bit */
	vector 0x2c00                   /* break */
	vector 0x3000                   /* external interrupt */
	.set .Loffset, 0x3400           /* reserved */
	.rept 7
	vector .Loffset
	.set .Loffset, .Loffset + 0x400
	.endr
	.set .Loffset, 0x5000           /* 0x5000 page not present ... 0x6b00; the rest reserved */
	.rept 0x30
	vector .Loffset
	.set .Loffset, .Loffset + 0x100
	.endr
	.org __paravirt_ivt + 0x8000, 0

	/* r31: the interrupted predicates; r19: the vector. Saves everything C may destroy in a pt_regs, from a user on
	 * the kernel's own stacks, and turns collection of interruptions on again. p6 = from the kernel, p7 = from a
	 * user; r12, r13 and gp are the kernel's when C is called. */
	.text
	.align 32
	.global __paravirt_interruption
	.proc __paravirt_interruption
__paravirt_interruption:
	mov r16 = ar.k6
	mov r27 = ar.rsc
	mov r26 = ar.pfs
	mov r25 = ar.unat
	MOV_FROM_IPSR(p0, r29)
	MOV_FROM_IIP(r28)
	;;
	COVER
	;;
	MOV_FROM_IFS(r30)
	extr.u r18 = r29, 32, 2
	mov ar.rsc = 0
	;;
	cmp.eq p6, p7 = r0, r18
	movl r20 = TASK_SIZE - PT_SIZE
	movl r22 = TASK_STORE
	;;
	(p6) mov r17 = r12
	(p6) mov r24 = r0
	(p6) mov r23 = r0
	(p6) mov r18 = r0
	(p7) add r17 = r16, r20
	(p7) add r22 = r16, r22
	(p7) mov r24 = ar.bspstore
	;;
	(p6) adds r17 = -PT_SIZE, r17
	(p7) mov r23 = ar.rnat
	;;
	(p7) mov ar.bspstore = r22
	;;
	(p7) mov r18 = ar.bsp
	mov r20 = r17
	;;
	(p7) sub r18 = r18, r22
	adds r22 = 8, r17
	;;
	shl r18 = r18, 16
	st8 [r20] = r29, 16             /* cr_ipsr */
	st8 [r22] = r28, 16             /* cr_iip */
	;;
	st8 [r20] = r30, 16             /* cr_ifs */
	st8 [r22] = r25, 16             /* ar_unat */
	mov r30 = b0
	;;
	st8 [r20] = r26, 16             /* ar_pfs */
	st8 [r22] = r27, 16             /* ar_rsc */
	mov r29 = b6
	;;
	st8 [r20] = r23, 16             /* ar_rnat */
	st8 [r22] = r24, 16             /* ar_bspstore */
	mov r28 = b7
	;;
	st8 [r20] = r31, 16             /* pr */
	st8 [r22] = r18, 16             /* loadrs */
	mov r27 = ar.ccv
	;;
	st8 [r20] = r30, 16             /* b0 */
	st8 [r22] = r29, 16             /* b6 */
	mov r26 = ar.fpsr
	;;
	st8 [r20] = r28, 16             /* b7 */
	st8 [r22] = r27, 16             /* ar_ccv */
	mov r25 = ar.csd
	;;
	st8 [r20] = r26, 16             /* ar_fpsr */
	st8 [r22] = r25, 32             /* ar_csd */
	mov r24 = ar.ssd
	;;
	st8 [r20] = r24, 16             /* ar_ssd */
	;;
	.mem.offset 0, 0
	st8.spill [r20] = r1, 16
	.mem.offset 8, 0
	st8.spill [r22] = r2, 16
	;;
	.mem.offset 0, 0
	st8.spill [r20] = r3, 16
	.mem.offset 8, 0
	st8.spill [r22] = r8, 16
	;;
	.mem.offset 0, 0
	st8.spill [r20] = r9, 16
	.mem.offset 8, 0
	st8.spill [r22] = r10, 16
	;;
	.mem.offset 0, 0
	st8.spill [r20] = r11, 16
	.mem.offset 8, 0
	st8.spill [r22] = r12, 16
	;;
	.mem.offset 0, 0
	st8.spill [r20] = r13, 16
	.mem.offset 8, 0
	st8.spill [r22] = r14, 16
	;;
	st8.spill [r20] = r15
	adds r22 = PT_CR_ISR, r17
	adds r21 = PT_CR_IFA, r17
	MOV_FROM_ISR(r24)
	MOV_FROM_IFA(r25)
	MOV_FROM_IIM(r26)
	;;
	st8 [r22] = r24, 16
	st8 [r21] = r25, 16
	;;
	st8 [r22] = r26
	st8 [r21] = r19
	adds r2 = PT_R16, r17
	adds r3 = PT_R16 + 8, r17
	mov r8 = r19
	mov r9 = r17
	mov r13 = r16
	adds r12 = -16, r17
	movl gp = __gp
	;;
	BSW_1(r14, r15)
	;;
	.mem.offset 0, 0
	st8.spill [r2] = r16, 16
	.mem.offset 8, 0
	st8.spill [r3] = r17, 16
	;;
	.mem.offset 0, 0
	st8.spill [r2] = r18, 16
	.mem.offset 8, 0
	st8.spill [r3] = r19, 16
	;;
	.mem.offset 0, 0
	st8.spill [r2] = r20, 16
	.mem.offset 8, 0
	st8.spill [r3] = r21, 16
	;;
	.mem.offset 0, 0
	st8.spill [r2] = r22, 16
	.mem.offset 8, 0
	st8.spill [r3] = r23, 16
	;;
	.mem.offset 0, 0
	st8.spill [r2] = r24, 16
	.mem.offset 8, 0
	st8.spill [r3] = r25, 16
	;;
	.mem.offset 0, 0
	st8.spill [r2] = r26, 16
	.mem.offset 8, 0
	st8.spill [r3] = r27, 16
	;;
	.mem.offset 0, 0
	st8.spill [r2] = r28, 16
	.mem.offset 8, 0
	st8.spill [r3] = r29, 16
	;;
	.mem.offset 0, 0
	st8.spill [r2] = r30
	.mem.offset 8, 0
	st8.spill [r3] = r31
	;;
	mov r14 = ar.unat
	adds r15 = PT_SPILL_UNAT, r9
	adds r2 = PT_F6, r9
	adds r3 = PT_F6 + 16, r9
	;;
	st8 [r15] = r14
	stf.spill [r2] = f6, 32
	stf.spill [r3] = f7, 32
	;;
	stf.spill [r2] = f8, 32
	stf.spill [r3] = f9, 32
	movl r14 = FPSR_DEFAULT
	;;
	stf.spill [r2] = f10
	stf.spill [r3] = f11
	mov ar.fpsr = r14
	;;
	SSM_PSR_IC_AND_DEFAULT_BITS_AND_SRLZ_I(r14, r15)
	;;
	mov ar.rsc = 3
	;;
	alloc r14 = ar.pfs, 0, 0, 2, 0
	;;
	mov r32 = r8
	mov r33 = r9
	br.call.sptk.many b0 = ia64_handle_interruption
	;;
	cmp.eq p6, p0 = 1, r8           /* a system call has its own, shorter way back */
	;;
	(p6) br.cond.sptk.many ia64_leave_syscall
	br.cond.sptk.many ia64_leave_kernel
	;;
	.endp __paravirt_interruption
