/* Entry of the user program and its system calls. r8: the number of this process. */
	.section .text.start, "ax"
	.global _start
	.proc _start
_start:
	alloc r2 = ar.pfs, 0, 0, 1, 0
	movl gp = __gp
	;;
	mov r32 = r8
	br.call.sptk.many b0 = user_main
	;;
	mov r32 = r8
	mov r15 = 1025
	break.m 0x100000
	;;
	.endp _start

	.text
	/* long system_call(long number, long a, long b, long c): the result, or minus the error. */
	.align 32
	.global system_call
	.proc system_call
system_call:
	alloc r36 = ar.pfs, 4, 1, 3, 0
	mov r37 = r33
	mov r38 = r34
	mov r39 = r35
	mov r15 = r32
	;;
	break.m 0x100000
	;;
	cmp.eq p6, p0 = -1, r10
	mov ar.pfs = r36
	;;
	(p6) sub r8 = r0, r8
	br.ret.sptk.many b0
	;;
	.endp system_call

