/* An operation in C: get_rr as the native instruction does it, and a count of its calls when the library is unloaded. */
#include <kittson_paravirt.h>
#include <stdatomic.h>
#include <stdio.h>

static atomic_ulong calls;

/* The region register of the address in r8: bits 63:61 choose it (SDM vol. 2, 4.1.2). */
uint64_t count_get_rr(kt_cpu *cpu, uint64_t address, uint64_t b, uint64_t c, uint64_t d, uint64_t e) {
  (void)b, (void)c, (void)d, (void)e;
  atomic_fetch_add_explicit(&calls, 1, memory_order_relaxed);
  return cpu->rr[address >> 61];
}

__attribute__((destructor)) static void report(void) {
  fprintf(stderr, "count_rr: get_rr was called %lu times\n", (unsigned long)calls);
}
