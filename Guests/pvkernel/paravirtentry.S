/* The four entry points that a backend replaces as a whole: each begins with a branch that a patcher retargets straight
 * at the implementation. Unpatched it goes on to the next bundle, an indirect jump through a variable
 * (Linux: kernel/paravirtentry.S). */
#include "layout.h"
#include "paravirt_patch.h"

	.explicit
	.section .paravirt_branches, "a"
	.previous

	.macro branch_site name, scratch, type
	.section .data
	.align 8
	.global paravirt_\name\()_targ
paravirt_\name\()_targ:
	data8 ia64_native_\name
	.previous

	.text
	.align 16
	.global paravirt_\name
	.proc paravirt_\name
paravirt_\name:
	.global ia64_\name
ia64_\name:
	{ .bbb
[998:]	br.cond.sptk.many 1f
	nop.b 0
	nop.b 0
	;;
	}
1:
	movl \scratch = paravirt_\name\()_targ
	;;
	ld8 \scratch = [\scratch]
	;;
	mov b7 = \scratch
	;;
	br.cond.sptk.many b7
	;;
	.endp paravirt_\name
	.xdata8 ".paravirt_branches", 998b, \type
	.endm

	branch_site switch_to, r22, PARAVIRT_PATCH_TYPE_BR_SWITCH_TO
	branch_site leave_syscall, r22, PARAVIRT_PATCH_TYPE_BR_LEAVE_SYSCALL
	branch_site work_processed_syscall, r2, PARAVIRT_PATCH_TYPE_BR_WORK_PROCESSED_SYSCALL
	branch_site leave_kernel, r22, PARAVIRT_PATCH_TYPE_BR_LEAVE_KERNEL

/* void paravirt_fc_i(const void *addr): the patcher's own flush, raw in every environment. */
	.align 16
	.global paravirt_fc_i
	.proc paravirt_fc_i
paravirt_fc_i:
	fc.i r32
	br.ret.sptk.many b0
	;;
	.endp paravirt_fc_i

/* What a patcher fills unused bundles and slots with. */
	.align 16
	.global paravirt_nop_bundle
paravirt_nop_bundle:
	{ .mii
	nop.m 0
	nop.i 0
	nop.i 0
	}
	.global paravirt_nop_mfi_inst_bundle
paravirt_nop_mfi_inst_bundle:
	{ .mfi
	nop.m 0
	nop.f 0
	nop.i 0
	}
