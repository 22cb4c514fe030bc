/* A freestanding Linux/ia64 program: no C library, system calls by break 0x100000 (r15: number; output registers:
 * arguments; r8: result, r10: -1 on error). Prints one line after some arithmetic that must come out right; exit status
 * 0, or 1 if it did not. */
#define NR_exit 1025
#define NR_write 1027

	.text
	.global _start
	.proc _start
_start:
	alloc r2 = ar.pfs, 0, 4, 3, 0
	movl gp = __gp
	mov r32 = 0                     /* sum */
	mov r33 = 100
	;;
	mov ar.lc = 99
	;;
1:	add r32 = r32, r33              /* 100 + 99 + ... + 1 */
	adds r33 = -1, r33
	br.cloop.sptk.few 1b
	;;
	setf.sig f6 = r32               /* squared: 25502500 */
	;;
	xma.l f7 = f6, f6, f0
	;;
	getf.sig r34 = f7
	movl r35 = 25502500
	;;
	cmp.ne p6, p0 = r34, r35
	mov r36 = 1                     /* write(1, message, length) */
	addl r37 = @gprel(message), gp
	mov r38 = message_end - message
	mov r15 = NR_write
	;;
	(p6) br.cond.spnt 2f
	break.m 0x100000
	;;
	cmp.ne p6, p0 = r8, r38
	;;
2:	mov r36 = r0
	mov r15 = NR_exit
	;;
	(p6) mov r36 = 1
	break.m 0x100000
	;;
	.endp _start

	.section .sdata, "aws"
message:
	stringz "Hello from IA-64\n"
message_end = . - 1
