/* Register stack exercises, for checks.c and the user program: calls deep enough that the RSE must spill and fill, with
 * values and NaT bits that must survive it. */
	.text
/* unsigned long rse_recurse(unsigned long depth): the number of frames whose locals changed under their callees. */
	.align 32
	.global rse_recurse
	.proc rse_recurse
rse_recurse:
	alloc r33 = ar.pfs, 1, 18, 1, 0
	mov r34 = b0
	cmp.eq p6, p7 = r0, r32
	;;
	add r35 = 1, r32
	add r36 = 2, r32
	add r37 = 3, r32
	add r38 = 4, r32
	add r39 = 5, r32
	add r40 = 6, r32
	add r41 = 7, r32
	add r42 = 8, r32
	add r43 = 9, r32
	add r44 = 10, r32
	add r45 = 11, r32
	add r46 = 12, r32
	add r47 = 13, r32
	add r48 = 14, r32
	add r49 = 15, r32
	add r50 = 16, r32
	add r51 = -1, r32
	mov r8 = r0
	(p7) br.call.sptk.many b0 = rse_recurse
	;;
	/* 16 times the depth, and 1 + ... + 16. */
	add r14 = r35, r36
	add r15 = r37, r38
	add r16 = r39, r40
	add r17 = r41, r42
	add r18 = r43, r44
	add r19 = r45, r46
	add r20 = r47, r48
	add r21 = r49, r50
	shl r22 = r32, 4
	mov b0 = r34
	mov ar.pfs = r33
	;;
	add r14 = r14, r15
	add r16 = r16, r17
	add r18 = r18, r19
	add r20 = r20, r21
	adds r22 = 136, r22
	;;
	add r14 = r14, r16
	add r18 = r18, r20
	;;
	add r14 = r14, r18
	;;
	cmp.ne p6, p0 = r14, r22
	;;
	(p6) add r8 = 1, r8
	br.ret.sptk.many b0
	;;
	.endp rse_recurse

/* unsigned long nat_survives(const void *unmapped, unsigned long depth): 1 if a NaT in a local register, and a value
 * beside it, are still there after a recursion of `depth`. */
	.align 32
	.global nat_survives
	.proc nat_survives
nat_survives:
	alloc r34 = ar.pfs, 2, 4, 1, 0
	mov r35 = b0
	ld8.s r36 = [r32]
	mov r37 = 77
	mov r38 = r33
	;;
	br.call.sptk.many b0 = rse_recurse
	;;
	tnat.nz p6, p0 = r36
	cmp.ne p7, p0 = 77, r37
	cmp.ne p8, p0 = r0, r8
	mov r8 = r0
	mov b0 = r35
	mov ar.pfs = r34
	;;
	(p6) mov r8 = 1
	;;
	(p7) mov r8 = r0
	;;
	(p8) mov r8 = r0
	br.ret.sptk.many b0
	;;
	.endp nat_survives
