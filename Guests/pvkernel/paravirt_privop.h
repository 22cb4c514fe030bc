/* The call sites of pv_cpu_ops, reached from C: five bundles that load a descriptor from pv_cpu_ops and branch
 * through b7 with the way back in b6, and a record that announces them. Register convention (Linux:
 * asm/paravirt_privop.h): arguments r8, r9, r10, r11, r14; result r8; the callee may destroy r2, r3, r8-r11, r14,
 * r15, r17, p6-p15, b7 and ar.ccv; r16 holds the caller's gp. setreg takes the value in r8, the number in r9. */
#ifndef PARAVIRT_PRIVOP_H
#define PARAVIRT_PRIVOP_H

#include "ia64regs.h"
#include "paravirt.h"
#include "paravirt_patch.h"

#define PV_STRING_(...) #__VA_ARGS__
#define PV_STRING(...) PV_STRING_(__VA_ARGS__)

#define PARAVIRT_BUNDLES_SECTION \
  ".pushsection .paravirt_bundles, \"a\"\n\t.popsection\n"
#define PARAVIRT_INSTS_SECTION \
  ".pushsection .paravirt_insts, \"a\"\n\t.popsection\n"

/* Announces the bundles of `instr`: the stop behind label 998 closes the bundle before it. */
#define paravirt_alt_bundle(instr, type) \
  "998:\n\t;;\n" instr "999:\n" PARAVIRT_BUNDLES_SECTION \
  "\t.xdata8 \".paravirt_bundles\", 998b, 999b, " PV_STRING(type) "\n"

/* Announces the slots from tag 998 up to tag 999 inside `bundle`, which places both tags. */
#define paravirt_alt_inst(bundle, type) \
  bundle PARAVIRT_INSTS_SECTION \
  "\t.xdata8 \".paravirt_insts\", 998b, 999b, " PV_STRING(type) "\n"

/* The indirect call through the descriptor that the 8-byte word at `member` (an assembler expression) points to. */
#define PARAVIRT_CALL(member) \
  "\t{ .mlx\n\tnop.m 0\n\tmovl r2=" member "\n\t;;\n\t}\n" \
  "\t{ .mii\n\tld8 r2=[r2]\n\tmov r17=ip\n\tmov r16=gp\n\t;;\n\t}\n" \
  "\t{ .mii\n\tld8 r3=[r2],8\n\tadds r17=48,r17\n\t;;\n\tmov b7=r3\n\t}\n" \
  "\t{ .mib\n\tld8 gp=[r2]\n\tmov b6=r17\n\tbr.cond.sptk.few b7\n\t}\n" \
  "\t{ .mii\n\tmov gp=r16\n\tnop.i 0\n\tnop.i 0\n\t;;\n\t}\n"

/* One whole site, for C and for the measured loops. `offset` is the member's byte offset in pv_cpu_ops. */
#define PARAVIRT_SITE(offset, type) paravirt_alt_bundle(PARAVIRT_CALL("pv_cpu_ops+" PV_STRING(offset)), type)

#define PV_OFFSET_FC 0x00
#define PV_OFFSET_THASH 0x08
#define PV_OFFSET_GET_CPUID 0x10
#define PV_OFFSET_GET_PMD 0x18
#define PV_OFFSET_GETREG 0x20
#define PV_OFFSET_SETREG 0x28
#define PV_OFFSET_PTCGA 0x30
#define PV_OFFSET_GET_RR 0x38
#define PV_OFFSET_SET_RR 0x40
#define PV_OFFSET_SET_RR0_TO_RR4 0x48
#define PV_OFFSET_SSM_I 0x50
#define PV_OFFSET_RSM_I 0x58
#define PV_OFFSET_GET_PSR_I 0x60
#define PV_OFFSET_INTRIN_LOCAL_IRQ_RESTORE 0x68

#define PV_SITE(OP) PARAVIRT_SITE(PV_OFFSET_##OP, PARAVIRT_PATCH_TYPE_##OP)
#define PV_SITE_GETREG(reg) PARAVIRT_SITE(PV_OFFSET_GETREG, PARAVIRT_PATCH_TYPE_GETREG + (reg))
#define PV_SITE_SETREG(reg) PARAVIRT_SITE(PV_OFFSET_SETREG, PARAVIRT_PATCH_TYPE_SETREG + (reg))

/* What every site destroys; the argument registers r8 to r11 and r14 are operands instead. */
#define PV_CLOBBERS \
  "r2", "r3", "r15", "r16", "r17", "b6", "b7", "p6", "p7", "p8", "p9", "p10", "p11", "p12", "p13", "p14", "p15", \
  "ar.ccv", "memory"

#define PV_ARGUMENTS(a, b, c, d, e) \
  register unsigned long __r8 asm("r8") = (unsigned long)(a); \
  register unsigned long __r9 asm("r9") = (unsigned long)(b); \
  register unsigned long __r10 asm("r10") = (unsigned long)(c); \
  register unsigned long __r11 asm("r11") = (unsigned long)(d); \
  register unsigned long __r14 asm("r14") = (unsigned long)(e)

#define PV_CALL_0(site) ({ \
  register unsigned long __r8 asm("r8"); \
  asm volatile(site : "=r"(__r8) : : "r9", "r10", "r11", "r14", PV_CLOBBERS); \
  __r8; })
#define PV_CALL_1(site, a) ({ \
  register unsigned long __r8 asm("r8") = (unsigned long)(a); \
  asm volatile(site : "+r"(__r8) : : "r9", "r10", "r11", "r14", PV_CLOBBERS); \
  __r8; })
#define PV_CALL_2(site, a, b) ({ \
  register unsigned long __r8 asm("r8") = (unsigned long)(a); \
  register unsigned long __r9 asm("r9") = (unsigned long)(b); \
  asm volatile(site : "+r"(__r8), "+r"(__r9) : : "r10", "r11", "r14", PV_CLOBBERS); \
  __r8; })
#define PV_CALL_5(site, a, b, c, d, e) ({ \
  PV_ARGUMENTS(a, b, c, d, e); \
  asm volatile(site : "+r"(__r8), "+r"(__r9), "+r"(__r10), "+r"(__r11), "+r"(__r14) : : PV_CLOBBERS); \
  __r8; })

#define ia64_fc(addr) ((void)PV_CALL_1(PV_SITE(FC), addr))
#define ia64_thash(addr) PV_CALL_1(PV_SITE(THASH), addr)
#define ia64_get_cpuid(index) PV_CALL_1(PV_SITE(GET_CPUID), index)
#define ia64_get_pmd(index) PV_CALL_1(PV_SITE(GET_PMD), index)
#define ia64_ptcga(addr, size) ((void)PV_CALL_2(PV_SITE(PTCGA), addr, size))
#define ia64_get_rr(index) PV_CALL_1(PV_SITE(GET_RR), index)
#define ia64_set_rr(index, val) ((void)PV_CALL_2(PV_SITE(SET_RR), index, val))
#define ia64_set_rr0_to_rr4(v0, v1, v2, v3, v4) ((void)PV_CALL_5(PV_SITE(SET_RR0_TO_RR4), v0, v1, v2, v3, v4))
#define ia64_ssm_i() ((void)PV_CALL_0(PV_SITE(SSM_I)))
#define ia64_rsm_i() ((void)PV_CALL_0(PV_SITE(RSM_I)))
#define ia64_get_psr_i() PV_CALL_0(PV_SITE(GET_PSR_I))
#define ia64_intrin_local_irq_restore(flags) ((void)PV_CALL_1(PV_SITE(INTRIN_LOCAL_IRQ_RESTORE), flags))
#define ia64_getreg(reg) PV_CALL_1(PV_SITE_GETREG(reg), reg)
#define ia64_setreg(reg, val) ((void)PV_CALL_2(PV_SITE_SETREG(reg), val, reg))

/* Never paravirtualised: these trap under a hypervisor. */
#define ia64_srlz_d() asm volatile(";; srlz.d" ::: "memory")
#define ia64_srlz_i() asm volatile(";; srlz.i ;;" ::: "memory")
#define ia64_sync_i() asm volatile(";; sync.i" ::: "memory")
#define ia64_stop() asm volatile(";;" ::: "memory")

static inline void local_irq_enable(void) { ia64_stop(); ia64_ssm_i(); ia64_srlz_d(); }
static inline void local_irq_disable(void) { ia64_stop(); ia64_rsm_i(); ia64_srlz_d(); }

#endif
