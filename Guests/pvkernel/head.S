/* The way in: from physical mode with nothing set up to start_kernel in virtual mode. Everything up to the setup hook
 * is raw privileged code in every environment, as in Linux's head.S. Itanium SDM vol. 2, 4.1 (translation registers),
 * 5.5 (rfi), 6.5 (RSE). */
#include "layout.h"

	.section .notes, "a", @note
	/* ELF note: name "Kittson", type 1, the physical address that a host backend starts at. */
	.align 4
	data4 8, 8, 1
	stringz "Kittson"
	data8.ua startup_kittson - LOAD_OFFSET

	.section .data
	.align 8
	.global hypervisor_type
hypervisor_type:
	data8 HYPERVISOR_NATIVE
	/* Code addresses, not descriptors; 0 means that the environment needs no hook. */
	.global hypervisor_setup_hooks
hypervisor_setup_hooks:
	data8 0
	data8 xen_setup_hook
	data8 kittson_setup_hook
	.global num_hypervisor_hooks
num_hypervisor_hooks:
	data8 (num_hypervisor_hooks - hypervisor_setup_hooks) / 8
	.weak xen_setup_hook

	.macro set_region number, shift
	movl r16 = \number << 61
	mov r17 = RR(KERNEL_RID(\number), \shift, 0)
	;;
	mov rr[r16] = r17
	.endm

	.text
	.align 32
	/* r28: physical address of the boot parameter block. */
	.global _start
	.proc _start
_start:
	rsm IA64_PSR_I | IA64_PSR_IC
	mov r16 = cr.lid
	;;
	srlz.i
	extr.u r16 = r16, 16, 16
	;;
	/* One processor is all that this kernel knows: the others wait here for ever. */
	cmp.ne p6, p0 = r0, r16
(p6)	br.cond.spnt .Lpark
	set_region 0, PAGE_SHIFT
	set_region 1, PAGE_SHIFT
	set_region 2, PAGE_SHIFT
	set_region 3, PAGE_SHIFT
	set_region 4, PAGE_SHIFT
	set_region 5, PAGE_SHIFT
	set_region 6, GRANULE_SHIFT
	set_region 7, GRANULE_SHIFT
	;;
	srlz.d
	;;
	mov r18 = KERNEL_PAGE_SHIFT << 2
	movl r17 = KERNEL_START
	movl r16 = KERNEL_PHYSICAL | PAGE_KERNEL
	;;
	mov cr.itir = r18
	mov cr.ifa = r17
	;;
	itr.i itr[r0] = r16
	;;
	itr.d dtr[r0] = r16
	movl r17 = ia64_ivt
	movl r18 = PTA_DEFAULT
	;;
	srlz.i
	;;
	mov cr.iva = r17
	mov cr.pta = r18
	movl r19 = DCR_DEFAULT
	;;
	mov cr.dcr = r19
	movl r16 = KERNEL_PSR
	movl r17 = .Lvirtual
	;;
	mov cr.ipsr = r16
	mov cr.iip = r17
	mov cr.ifs = r0
	;;
	srlz.d
	;;
	rfi
	;;

	.align 32
.Lpark:
	br.cond.sptk.few .Lpark
	;;

.Lvirtual:
	movl gp = __gp
	movl r13 = init_task
	;;
	mov ar.k6 = r13
	movl r14 = TASK_SIZE - 16
	movl r15 = TASK_STORE
	;;
	add r12 = r13, r14
	add r15 = r13, r15
	mov ar.rsc = 0
	;;
	loadrs
	;;
	mov ar.bspstore = r15
	;;
	mov ar.rnat = r0
	;;
	mov ar.rsc = 3
	movl r16 = FPSR_DEFAULT
	;;
	mov ar.fpsr = r16
	dep r28 = -1, r28, 61, 3
	movl r2 = ia64_boot_param
	;;
	st8 [r2] = r28
	movl r2 = num_hypervisor_hooks
	movl r3 = hypervisor_type
	;;
	ld8 r2 = [r2]
	ld8 r3 = [r3]
	movl r14 = hypervisor_setup_hooks
	;;
	cmp.ltu p7, p0 = r3, r2
	shladd r14 = r3, 3, r14
	;;
	(p7) ld8 r14 = [r14]
	;;
	(p7) cmp.ne.unc p7, p0 = r14, r0
	mov b1 = r14
	;;
	(p7) br.call.sptk.many b1 = b1
	;;
	br.call.sptk.many b0 = start_kernel
	;;
	break.m 0
	;;
	.endp _start

	/* The entry of the host backend: stores the hypervisor type where this image was loaded and goes on to _start. */
	.align 32
	.global startup_kittson
	.proc startup_kittson
startup_kittson:
	mov r9 = ip
	movl r10 = startup_kittson
	movl r2 = hypervisor_type
	movl r3 = _start
	mov r11 = HYPERVISOR_KITTSON
	;;
	sub r9 = r9, r10
	;;
	add r2 = r2, r9
	add r3 = r3, r9
	;;
	st8 [r2] = r11
	mov b7 = r3
	;;
	br.cond.sptk.many b7
	;;
	.endp startup_kittson

	/* Called with rp = b1, virtual, interrupts off; p2, p3, r12, r13 and gp stay. */
	.global kittson_setup_hook
	.proc kittson_setup_hook
kittson_setup_hook:
	mov r4 = b1
	br.call.sptk.many b0 = kittson_setup_pv_ops
	;;
	mov b1 = r4
	;;
	br.ret.sptk.many b1
	;;
	.endp kittson_setup_hook
