/* Calls through pv_cpu_ops as a C compiler makes them, without the call sites of paravirt_privop.h: what discovery finds
 * in kernels that were built so. Linked, but nothing runs it. */
#include "paravirt.h"

struct pv_cpu_ops pv_cpu_ops;
extern char __gp[];
char *plain_gp(void) { return __gp; }

unsigned long plain_hash(unsigned long address) { return pv_cpu_ops.thash(address) + 1; }

/* The member's address is made before the loop. */
void plain_loop(const unsigned long *regions, int count) {
  for (int i = 0; i < count; i++)
    if (regions[i]) pv_cpu_ops.set_rr(regions[i], i);
}

/* Two members in one function; only one of the calls behind a branch is the second's. */
unsigned long plain_both(int which, unsigned long index) {
  unsigned long (*chosen)(unsigned long) = which ? pv_cpu_ops.get_rr : pv_cpu_ops.thash;
  return chosen(index) + pv_cpu_ops.get_psr_i();
}
