/* Where a process begins: 16 bytes above r12 stand the arguments' count and their addresses. */
	.text
	.global _start
	.proc _start
_start:
	.prologue
	.save rp, r0
	alloc r2 = ar.pfs, 0, 0, 2, 0
	movl gp = __gp
	adds r3 = 16, r12
	;;
	.body
	ld8 out0 = [r3]
	adds out1 = 24, r12
	br.call.sptk.many rp = program
	;;
	alloc r2 = ar.pfs, 0, 0, 1, 0
	mov r15 = 1236                  /* exit_group */
	mov out0 = r8
	;;
	break.i 0x100000
	.endp _start
