/* The native implementations of pv_cpu_ops. Each is a function with the call sites' register convention; the bundles
 * between its _direct_start and _direct_end labels are what the native patcher copies over a site, so they are
 * position independent, leave through no branch and use only what a site may destroy. A label starts a new bundle,
 * so both labels stand on bundle boundaries. */
#include "ia64regs.h"
#include "layout.h"

	.explicit
	.text

	.macro direct_start name
	.global \name\()_direct_start
\name\()_direct_start:
	.endm

	.macro direct_end name
	.global \name\()_direct_end
\name\()_direct_end:
	.endm

	.macro function name
	.align 32
	.global \name\()_func
	.proc \name\()_func
\name\()_func:
	direct_start \name
	.endm

	.macro function_end name
	direct_end \name
	br.cond.sptk.many b6
	;;
	.endp \name\()_func
	.endm

	function ia64_native_fc
	fc r8
	;;
	function_end ia64_native_fc

	function ia64_native_thash
	thash r8 = r8
	;;
	function_end ia64_native_thash

	function ia64_native_get_cpuid
	mov r8 = cpuid[r8]
	;;
	function_end ia64_native_get_cpuid

	function ia64_native_get_pmd
	mov r8 = pmd[r8]
	;;
	function_end ia64_native_get_pmd

	function ia64_native_ptcga
	ptc.ga r8, r9
	;;
	function_end ia64_native_ptcga

	function ia64_native_get_rr
	mov r8 = rr[r8]
	;;
	function_end ia64_native_get_rr

	function ia64_native_set_rr
	mov rr[r8] = r9
	;;
	function_end ia64_native_set_rr

	/* The regions' numbers go into bits 63:61: 1 << 61 in r2, and 2, 3 and 4 times as much. */
	function ia64_native_set_rr0_to_rr4
	{ .mii
	mov rr[r0] = r8
	dep.z r2 = 1, 61, 1
	dep.z r3 = 1, 62, 1
	;;
	}
	{ .mmi
	mov rr[r2] = r9
	add r15 = r2, r3
	dep.z r17 = 1, 63, 1
	;;
	}
	{ .mmi
	mov rr[r3] = r10
	nop.m 0
	nop.i 0
	;;
	}
	{ .mmi
	mov rr[r15] = r11
	mov rr[r17] = r14
	nop.i 0
	;;
	}
	function_end ia64_native_set_rr0_to_rr4

	function ia64_native_ssm_i
	ssm IA64_PSR_I
	;;
	function_end ia64_native_ssm_i

	function ia64_native_rsm_i
	rsm IA64_PSR_I
	;;
	function_end ia64_native_rsm_i

	function ia64_native_get_psr_i
	{ .mii
	mov r8 = psr
	dep.z r2 = 1, PSR_BIT_I, 1
	nop.i 0
	;;
	}
	{ .mii
	and r8 = r8, r2
	nop.i 0
	nop.i 0
	;;
	}
	function_end ia64_native_get_psr_i

	function ia64_native_intrin_local_irq_restore
	{ .mmi
	cmp.ne p6, p7 = r8, r0
	;;
	(p6) ssm IA64_PSR_I
	nop.i 0
	}
	{ .mmi
	(p7) rsm IA64_PSR_I
	;;
	(p6) srlz.d
	nop.i 0
	;;
	}
	function_end ia64_native_intrin_local_irq_restore

/* getreg and setreg: a body per register for the patcher, and for a site that stays a call a chain of compares on the
 * number (r8 for getreg, r9 for setreg). An unknown number reads as -1; writing one does nothing. */
	.altmacro

	.macro getreg_body name, register
	direct_start ia64_native_getreg_\name
	mov r8 = \register
	;;
	direct_end ia64_native_getreg_\name
	.endm

	.macro setreg_body name, register
	direct_start ia64_native_setreg_\name
	mov \register = r8
	;;
	direct_end ia64_native_setreg_\name
	.endm

	.macro getreg_link number, register
	mov r2 = \number
	;;
	cmp.eq p6, p0 = r2, r8
	;;
	(p6) mov r8 = \register
	(p6) br.cond.sptk.many b6
	;;
	.endm

	.macro setreg_link number, register
	mov r2 = \number
	;;
	cmp.eq p6, p0 = r2, r9
	;;
	(p6) mov \register = r8
	(p6) br.cond.sptk.many b6
	;;
	.endm

	/* ar<N> and cr<N> are the assembler's names by number. */
	.macro numbered which, name, prefix, index
	\which \name, \prefix\index
	.endm

#define GETREG_AR(name, number) numbered getreg_body, name, ar, %(number - 3072) ;
#define SETREG_AR(name, number) numbered setreg_body, name, ar, %(number - 3072) ;
#define GETREG_CR(name, number) numbered getreg_body, name, cr, %(number - 4096) ;
#define SETREG_CR(name, number) numbered setreg_body, name, cr, %(number - 4096) ;
#define GETREG_AR_LINK(name, number) numbered getreg_link, number, ar, %(number - 3072) ;
#define SETREG_AR_LINK(name, number) numbered setreg_link, number, ar, %(number - 3072) ;
#define GETREG_CR_LINK(name, number) numbered getreg_link, number, cr, %(number - 4096) ;
#define SETREG_CR_LINK(name, number) numbered setreg_link, number, cr, %(number - 4096) ;

	.align 32
	getreg_body PSR, psr
	getreg_body GP, gp
	getreg_body SP, sp
	getreg_body TP, r13
	FOR_EACH_AR(GETREG_AR)
	FOR_EACH_READ_ONLY_AR(GETREG_AR)
	FOR_EACH_CR(GETREG_CR)
	FOR_EACH_READ_ONLY_CR(GETREG_CR)
	setreg_body PSR_L, psr.l
	setreg_body GP, gp
	setreg_body SP, sp
	FOR_EACH_AR(SETREG_AR)
	FOR_EACH_CR(SETREG_CR)

	.align 32
	.global ia64_native_getreg_func
	.proc ia64_native_getreg_func
ia64_native_getreg_func:
	getreg_link _IA64_REG_TP, r13
	getreg_link _IA64_REG_PSR, psr
	getreg_link _IA64_REG_GP, gp
	getreg_link _IA64_REG_SP, sp
	FOR_EACH_AR(GETREG_AR_LINK)
	FOR_EACH_READ_ONLY_AR(GETREG_AR_LINK)
	FOR_EACH_CR(GETREG_CR_LINK)
	FOR_EACH_READ_ONLY_CR(GETREG_CR_LINK)
	mov r8 = -1
	br.cond.sptk.many b6
	;;
	.endp ia64_native_getreg_func

	.align 32
	.global ia64_native_setreg_func
	.proc ia64_native_setreg_func
ia64_native_setreg_func:
	setreg_link _IA64_REG_PSR_L, psr.l
	setreg_link _IA64_REG_GP, gp
	setreg_link _IA64_REG_SP, sp
	FOR_EACH_AR(SETREG_AR_LINK)
	FOR_EACH_CR(SETREG_CR_LINK)
	br.cond.sptk.many b6
	;;
	.endp ia64_native_setreg_func
