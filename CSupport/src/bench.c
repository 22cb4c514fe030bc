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

uint64_t kt_body_get_rr(kt_cpu *cpu, uint64_t index) { return cpu->rr[index >> 61]; }

uint64_t kt_body_thash(kt_cpu *cpu, uint64_t va) {
  const uint64_t offset_bits = 0x1fffffffffffffff;
  uint64_t pta = cpu->cr_pta, rr = cpu->rr[va >> 61];
  uint64_t mask = (1ULL << (pta >> 2 & 0x3f)) - 1;
  uint64_t page = (va & offset_bits) >> (rr >> 2 & 0x3f);
  if ((pta >> 8 & 1) == 0) {
    uint64_t base = pta & 0x1fffffffffff8000;
    return (va & ~offset_bits) | (((base & ~mask) | (page << 3 & mask)) & offset_bits);
  }
  uint64_t hash = (page ^ (rr >> 8 & 0xffffff)) << 5;
  return (pta & ~0x7fffULL & ~mask) | (hash & mask);
}

uint64_t kt_body_getreg_psr(kt_cpu *cpu) { return cpu->psr & 0x18ffffffffULL; }

uint64_t kt_body_get_psr_i(kt_cpu *cpu) { return cpu->psr & (1 << 14); }
