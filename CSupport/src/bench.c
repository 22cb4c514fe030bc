// kittson_bench.h
#include "kittson_bench.h"

uint64_t kt_bench_call(kt_callable callable, kt_cpu *cpu, uint64_t argument, uint64_t count) {
  uint64_t start = kt_host_ticks();
  for (uint64_t i = 0; i < count; i++) {
    cpu->gr[8] = callable(cpu, argument, 0, 0, 0, 0);
    __asm__ volatile("" ::: "memory");
  }
  return kt_host_ticks() - start;
}

uint64_t kt_bench_empty(uint64_t count) {
  uint64_t start = kt_host_ticks();
  for (uint64_t i = 0; i < count; i++) __asm__ volatile("" ::: "memory");
  return kt_host_ticks() - start;
}

// The bodies that clang is measured by: what an inlined site does, on the same state struct. What the site leaves to the
// interpreter is here a jump to kt_body_left. They are compared with emitted code, never run.

__attribute__((noinline)) static uint64_t kt_body_left(kt_cpu *cpu) {
  cpu->event_check = 1;
  return 0;
}

#define LEAVE_IF(condition) do { if (__builtin_expect((condition), 0)) { kt_body_left(cpu); return; } } while (0)
#define LEAVE_IF_R(condition) do { if (__builtin_expect((condition), 0)) return kt_body_left(cpu); } while (0)
#define PSR_I (1ULL << 14)

static void kt_body_fc(kt_cpu *cpu, uint64_t va) {
  LEAVE_IF(cpu->stlb->line[kt_stlb_index(va)].read_tag != (va & ~0xfffULL));
}
static uint64_t kt_body_thash(kt_cpu *cpu, uint64_t va) {
  const uint64_t offset_bits = 0x1fffffffffffffff;
  uint64_t pta = cpu->cr_pta, rr = cpu->rr[va >> 61];
  LEAVE_IF_R(pta >> 8 & 1);
  uint64_t mask = (1ULL << (pta >> 2 & 0x3f)) - 1;
  uint64_t page = (va & offset_bits) >> (rr >> 2 & 0x3f);
  return (va & ~offset_bits) | (((pta & ~mask) | (page << 3 & mask)) & offset_bits);
}
static uint64_t kt_body_get_cpuid(kt_cpu *cpu, uint64_t index) {
  LEAVE_IF_R(index > 4);
  return cpu->cpuid[index];
}
static uint64_t kt_body_get_pmd(kt_cpu *cpu, uint64_t index) {
  LEAVE_IF_R(index > 31);
  return cpu->pmd[index];
}
static uint64_t kt_body_get_rr(kt_cpu *cpu, uint64_t index) { return cpu->rr[index >> 61]; }
static void kt_body_set_rr(kt_cpu *cpu, uint64_t index, uint64_t value) { LEAVE_IF(cpu->rr[index >> 61] != value); }
static void kt_body_set_rr0_to_rr4(kt_cpu *cpu, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e) {
  LEAVE_IF(cpu->rr[0] != a);
  LEAVE_IF(cpu->rr[1] != b);
  LEAVE_IF(cpu->rr[2] != c);
  LEAVE_IF(cpu->rr[3] != d);
  LEAVE_IF(cpu->rr[4] != e);
}
static void kt_body_ssm_i(kt_cpu *cpu) {
  cpu->psr |= PSR_I;
  LEAVE_IF(cpu->interrupt_ready);
}
static void kt_body_rsm_i(kt_cpu *cpu) { cpu->psr &= ~PSR_I; }
static uint64_t kt_body_get_psr_i(kt_cpu *cpu) { return cpu->psr & PSR_I; }
static void kt_body_irq_restore(kt_cpu *cpu, uint64_t flags) {
  cpu->psr = flags ? cpu->psr | PSR_I : cpu->psr & ~PSR_I;
  LEAVE_IF(cpu->interrupt_ready);
}
static uint64_t kt_body_getreg_psr(kt_cpu *cpu) { return cpu->psr & 0x18ffffffffULL; }
static uint64_t kt_body_getreg_tp(kt_cpu *cpu) { return cpu->gr[13]; }
static uint64_t kt_body_getreg_itc(kt_cpu *cpu) { return kt_host_ticks() + cpu->itc_offset; }
static uint64_t kt_body_getreg_kr7(kt_cpu *cpu) { return cpu->ar_kr[7]; }
static uint64_t kt_body_getreg_ivr(kt_cpu *cpu) {
  LEAVE_IF_R(cpu->interrupt_ready);
  return 15;
}
static void kt_body_setreg_kr7(kt_cpu *cpu, uint64_t value) { cpu->ar_kr[7] = value; }
static void kt_body_setreg_tpr(kt_cpu *cpu, uint64_t value) {
  LEAVE_IF(value & ~0x100ffULL);
  LEAVE_IF(cpu->cr_irr[0] | cpu->cr_irr[1] | cpu->cr_irr[2] | cpu->cr_irr[3]);
  cpu->cr_tpr = value;
}
static void kt_body_setreg_eoi(kt_cpu *cpu) {
  LEAVE_IF(cpu->cr_irr[0] | cpu->cr_irr[1] | cpu->cr_irr[2] | cpu->cr_irr[3]);
  LEAVE_IF(cpu->in_service[0] & 5);
#pragma clang loop unroll(disable)
  for (int word = 3; word >= 0; word--) {
    uint64_t bits = cpu->in_service[word];
    if (bits) {
      cpu->in_service[word] = bits & ~(1ULL << (63 - __builtin_clzll(bits)));
      return;
    }
  }
}
static void kt_body_setreg_itm(kt_cpu *cpu, uint64_t value) {
  uint64_t wait = value - (kt_host_ticks() + cpu->itc_offset);
  bool never = wait >> 63 || (cpu->cr_itv >> 16 & 1);
  cpu->itm_deadline = never ? ~0ULL : value - cpu->itc_offset;
  cpu->cr_itm = value;
}

#define BODY(name, function) {name, (const void *)function}
static const kt_body kt_bodies[] = {
  BODY("fc", kt_body_fc), BODY("thash", kt_body_thash), BODY("get_cpuid", kt_body_get_cpuid),
  BODY("get_pmd", kt_body_get_pmd), BODY("get_rr", kt_body_get_rr), BODY("set_rr", kt_body_set_rr),
  BODY("set_rr0_to_rr4", kt_body_set_rr0_to_rr4), BODY("ssm_i", kt_body_ssm_i), BODY("rsm_i", kt_body_rsm_i),
  BODY("get_psr_i", kt_body_get_psr_i), BODY("intrin_local_irq_restore", kt_body_irq_restore),
  BODY("getreg(psr)", kt_body_getreg_psr), BODY("getreg(tp)", kt_body_getreg_tp),
  BODY("getreg(ar.itc)", kt_body_getreg_itc), BODY("getreg(ar.k7)", kt_body_getreg_kr7),
  BODY("getreg(cr.ivr)", kt_body_getreg_ivr), BODY("setreg(ar.k7)", kt_body_setreg_kr7),
  BODY("setreg(cr.tpr)", kt_body_setreg_tpr), BODY("setreg(cr.eoi)", kt_body_setreg_eoi),
  BODY("setreg(cr.itm)", kt_body_setreg_itm),
};
size_t kt_body_count_value(void) { return sizeof kt_bodies / sizeof kt_bodies[0]; }
kt_body kt_body_at(size_t index) { return kt_bodies[index]; }
