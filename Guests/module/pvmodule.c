/* A relocatable kernel module with call sites: what the guest patcher's tests patch before it is linked. Its records and
 * the addresses in its call sites are relocations against sections and against pv_cpu_ops, which the kernel has. */
#include "paravirt_privop.h"

unsigned long pvmodule_hash(unsigned long address) { return ia64_thash(address) ^ ia64_get_rr(address); }

void pvmodule_switch(unsigned long rid) {
  unsigned long flags = ia64_get_psr_i();
  ia64_rsm_i();
  ia64_set_rr0_to_rr4(rid << 8 | 0x39, (rid + 1) << 8 | 0x39, (rid + 2) << 8 | 0x39, (rid + 3) << 8 | 0x39,
                      (rid + 4) << 8 | 0x39);
  ia64_intrin_local_irq_restore(flags);
}

/* An instruction site: slot 0 of its bundle. */
unsigned long pvmodule_psr(void) {
  register unsigned long r8 asm("r8");
  asm volatile(paravirt_alt_inst("\t;;\n\t{ .mii\n[998:]\tmov r8=psr\n[999:]\tnop.i 0\n\tnop.i 0\n\t;;\n\t}\n",
                                 PARAVIRT_PATCH_TYPE_GETREG + _IA64_REG_PSR)
               : "=r"(r8));
  return r8;
}

__attribute__((section(".init.text"))) unsigned long pvmodule_init(void) {
  ia64_setreg(_IA64_REG_AR_KR6, 0x1234);
  return ia64_getreg(_IA64_REG_AR_KR6);
}
