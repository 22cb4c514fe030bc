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

// The bodies that emitted code is measured by: what an inlined site does, as a function of its own on the same state struct,
// and never run. What the site leaves to the call is here a jump to kt_body_left. Operands are parameters, but for the
// five of set_rr0_to_rr4, which the site, too, finds in the guest's registers. getreg and setreg have the register's number
// (_IA64_REG_...) as a parameter: a body is that of one register.

__attribute__((noinline)) static uint64_t kt_body_left(kt_cpu *cpu) {
  cpu->event_check = 1;
  return cpu->gr[8];
}

#define LEAVE_IF(condition) do { if (__builtin_expect((condition), 0)) { kt_body_left(cpu); return; } } while (0)
#define LEAVE_IF_R(condition) do { if (__builtin_expect((condition), 0)) return kt_body_left(cpu); } while (0)
#define PSR_IC (1ULL << 13)
#define PSR_I (1ULL << 14)
// psr bits of the lower half that mov psr.l changes without more ado: all but those that change how code is translated.
#define PSR_PLAIN ((uint64_t)(1 << 2 | 3 << 4 | 3 << 13 | 7 << 20 | 1 << 23))

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
static void kt_body_ptcga(kt_cpu *cpu, uint64_t va, uint64_t size) {
  LEAVE_IF(size & (0xfc & ~(KT_CACHED_PAGES_SHIFT << 2)));
  LEAVE_IF(cpu->cached_wide >> (cpu->rr[va >> 61] >> 8 & 63) & 1);
  uint64_t page = va >> KT_CACHED_PAGES_SHIFT;
  LEAVE_IF(cpu->cached_pages[page >> 6 & 7] >> (page & 63) & 1);
}
static uint64_t kt_body_get_rr(kt_cpu *cpu, uint64_t index) { return cpu->rr[index >> 61]; }
static void kt_body_set_rr(kt_cpu *cpu, uint64_t index, uint64_t value) { LEAVE_IF(cpu->rr[index >> 61] != value); }
static void kt_body_set_rr0_to_rr4(kt_cpu *cpu) {
  LEAVE_IF(cpu->rr[0] != cpu->gr[8]);
  LEAVE_IF(cpu->rr[1] != cpu->gr[9]);
  LEAVE_IF(cpu->rr[2] != cpu->gr[10]);
  LEAVE_IF(cpu->rr[3] != cpu->gr[11]);
  LEAVE_IF(cpu->rr[4] != cpu->gr[14]);
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

// getreg and setreg of registers that are no more than their value, of those that psr.ic must be 0 for, and of those with
// reserved bits.
#define GET(name, register, value) static uint64_t kt_body_get_##name(kt_cpu *cpu, uint64_t number) { \
    LEAVE_IF_R(number != (register)); \
    return value; \
  }
#define GET_IC(name, register) static uint64_t kt_body_get_##name(kt_cpu *cpu, uint64_t number) { \
    LEAVE_IF_R(number != CR(register)); \
    LEAVE_IF_R(cpu->psr & PSR_IC); \
    return cpu->cr_##name; \
  }
#define SET(name, register, field, reserved) \
  static void kt_body_set_##name(kt_cpu *cpu, uint64_t value, uint64_t number) { \
    LEAVE_IF(number != (register)); \
    LEAVE_IF(value & (reserved)); \
    cpu->field = value; \
  }
#define SET_IC(name, register, reserved) \
  static void kt_body_set_##name(kt_cpu *cpu, uint64_t value, uint64_t number) { \
    LEAVE_IF(number != CR(register)); \
    LEAVE_IF(cpu->psr & PSR_IC); \
    LEAVE_IF(value & (reserved)); \
    cpu->cr_##name = value; \
  }
#define AR(n) (3072 + (n))
#define CR(n) (4096 + (n))
#define EACH_KR(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)
#define KR(n) GET(kr##n, AR(n), cpu->ar_kr[n]) SET(kr##n, AR(n), ar_kr[n], 0)
EACH_KR(KR)
#define EACH_PLAIN_GET(X) X(dcr, 0) X(itm, 1) X(iva, 2) X(pta, 8) X(lid, 64) X(tpr, 66) X(itv, 72) X(pmv, 73) X(cmcv, 74)
#define PLAIN_GET(name, n) GET(name, CR(n), cpu->cr_##name)
EACH_PLAIN_GET(PLAIN_GET)
#define EACH_PLAIN_SET(X) X(dcr, 0, ~0x7f07ULL) X(lid, 64, ~0xffff0000ULL) X(pmv, 73, ~0x100ffULL) X(cmcv, 74, ~0x100ffULL)
#define PLAIN_SET(name, n, reserved) SET(name, CR(n), cr_##name, reserved)
EACH_PLAIN_SET(PLAIN_SET)
#define EACH_GET_IC(X) X(ipsr, 16) X(isr, 17) X(iip, 19) X(ifa, 20) X(itir, 21) X(iipa, 22) X(ifs, 23) X(iim, 24) X(iha, 25)
EACH_GET_IC(GET_IC)
#define EACH_SET_IC(X) \
  X(isr, 17, 0) X(iip, 19, 0) X(ifa, 20, 0) X(itir, 21, 0) X(iipa, 22, 0) X(ifs, 23, 0x7fffffc000000000) X(iim, 24, 0)
EACH_SET_IC(SET_IC)
GET(gp, 1025, cpu->gr[1])
GET(sp, 1036, cpu->gr[12])
GET(tp, 1037, cpu->gr[13])
GET(psr, 1019, cpu->psr & 0x18ffffffffULL)
GET(itc, AR(44), kt_host_ticks() + cpu->itc_offset)
static uint64_t kt_body_get_ivr(kt_cpu *cpu, uint64_t number) {
  LEAVE_IF_R(number != CR(65));
  LEAVE_IF_R(cpu->interrupt_ready);
  return 15;
}
static void kt_body_set_psr(kt_cpu *cpu, uint64_t value, uint64_t number) {
  LEAVE_IF(number != 1019);
  uint32_t changed = (uint32_t)(cpu->psr ^ value);
  LEAVE_IF(changed & ~PSR_PLAIN);
  cpu->psr ^= changed;
  LEAVE_IF(cpu->interrupt_ready);
}
static void kt_body_set_tpr(kt_cpu *cpu, uint64_t value, uint64_t number) {
  LEAVE_IF(number != CR(66));
  LEAVE_IF(value & ~0x100f0ULL);
  LEAVE_IF(cpu->cr_irr[0] | cpu->cr_irr[1] | cpu->cr_irr[2] | cpu->cr_irr[3]);
  cpu->cr_tpr = value;
}
static void kt_body_set_eoi(kt_cpu *cpu, uint64_t value, uint64_t number) {
  LEAVE_IF(number != CR(67));
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
static void kt_body_set_itm(kt_cpu *cpu, uint64_t value, uint64_t number) {
  LEAVE_IF(number != CR(1));
  uint64_t wait = value - (kt_host_ticks() + cpu->itc_offset);
  bool never = wait >> 63 || (cpu->cr_itv >> 16 & 1);
  cpu->itm_deadline = never ? ~0ULL : value - cpu->itc_offset;
  cpu->cr_itm = value;
}

#define BODY(name, function) {name, (const void *)kt_body_##function, 0},
#define GETREG(name, n) BODY("getreg(cr." #name ")", get_##name)
#define SETREG(name, n, reserved) BODY("setreg(cr." #name ")", set_##name)
#define KR_BODIES(n) BODY("getreg(ar.k" #n ")", get_kr##n) BODY("setreg(ar.k" #n ")", set_kr##n)
static const kt_body kt_bodies[] = {
  BODY("fc", fc) BODY("thash", thash) BODY("get_cpuid", get_cpuid) BODY("get_pmd", get_pmd) BODY("ptcga", ptcga)
  BODY("get_rr", get_rr) BODY("set_rr", set_rr) BODY("set_rr0_to_rr4", set_rr0_to_rr4) BODY("ssm_i", ssm_i)
  BODY("rsm_i", rsm_i) BODY("get_psr_i", get_psr_i) BODY("intrin_local_irq_restore", irq_restore)
  EACH_KR(KR_BODIES) EACH_PLAIN_GET(GETREG) EACH_GET_IC(GETREG) EACH_PLAIN_SET(SETREG) EACH_SET_IC(SETREG)
  BODY("getreg(gp)", get_gp) BODY("getreg(sp)", get_sp) BODY("getreg(tp)", get_tp) BODY("getreg(psr)", get_psr)
  BODY("getreg(ar.itc)", get_itc) BODY("getreg(cr.ivr)", get_ivr) BODY("setreg(psr)", set_psr)
  BODY("setreg(cr.tpr)", set_tpr) BODY("setreg(cr.eoi)", set_eoi) BODY("setreg(cr.itm)", set_itm)
};
size_t kt_body_count_value(void) { return sizeof kt_bodies / sizeof kt_bodies[0]; }

// A function ends where the next one of this file begins, whatever their order; the compiler's padding is then behind it.
kt_body kt_body_at(size_t index) {
  kt_body body = kt_bodies[index];
  uintptr_t start = (uintptr_t)body.code, end = start + 4096;
  const uintptr_t others[] = {
    (uintptr_t)kt_body_left, (uintptr_t)kt_body_count_value, (uintptr_t)kt_body_at, (uintptr_t)kt_bench_call,
    (uintptr_t)kt_bench_empty};
  for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
    if (others[i] > start && others[i] < end) end = others[i];
  for (size_t i = 0; i < sizeof kt_bodies / sizeof kt_bodies[0]; i++) {
    uintptr_t other = (uintptr_t)kt_bodies[i].code;
    if (other > start && other < end) end = other;
  }
  body.size = end - start;
  return body;
}
