/* The kernel's checks of itself and of the machine under it. Every operation and every register of the paravirtualised
 * interface is reached through a call site of its own; expectations come from the architecture (Itanium SDM vol. 2),
 * never from a second reading of the same thing. */
#include "kernel.h"
#include "paravirt_privop.h"

unsigned long checks_done, checks_failed;

unsigned long rse_recurse(unsigned long depth);
unsigned long nat_survives(const void *unmapped, unsigned long depth);

/* The machine-readable line of one check; only failures are printed under `quiet`. */
void check(const char *name, unsigned long got, unsigned long want) {
  checks_done++;
  if (got != want) checks_failed++;
  if (got == want && quiet) return;
  put_string("check ");
  put_string(name);
  if (got == want) {
    put_string(" ok\n");
    return;
  }
  put_string(" FAILED got=");
  put_hex(got);
  put_string(" want=");
  put_hex(want);
  put_string("\n");
}

#define UNMAPPED ((void *)(USER_TEXT + 8 * PAGE_SIZE)) /* region 2: task 0 has nothing there */

/* ---- Registers: written, read back, put back ---- */

#define ROUND_TRIP(label, reg, value) do { \
  unsigned long old = ia64_getreg(reg); \
  ia64_setreg(reg, value); \
  ia64_srlz_d(); \
  unsigned long got = ia64_getreg(reg); \
  ia64_setreg(reg, old); \
  ia64_srlz_d(); \
  check(label, got, value); \
} while (0)

static void check_kernel_registers(void) {
  ROUND_TRIP("ar.k0", _IA64_REG_AR_KR0, 0x0123456789abcde0UL);
  ROUND_TRIP("ar.k1", _IA64_REG_AR_KR1, 0x0123456789abcde1UL);
  ROUND_TRIP("ar.k2", _IA64_REG_AR_KR2, 0x0123456789abcde2UL);
  ROUND_TRIP("ar.k3", _IA64_REG_AR_KR3, 0x0123456789abcde3UL);
  ROUND_TRIP("ar.k4", _IA64_REG_AR_KR4, 0x0123456789abcde4UL);
  ROUND_TRIP("ar.k5", _IA64_REG_AR_KR5, 0x0123456789abcde5UL);
  ROUND_TRIP("ar.k6", _IA64_REG_AR_KR6, 0x0123456789abcde6UL);
  ROUND_TRIP("ar.k7", _IA64_REG_AR_KR7, 0x0123456789abcde7UL);
  check("ar.k6 current", ia64_getreg(_IA64_REG_AR_KR6), (unsigned long)current);
}

static void check_application_registers(void) {
  ROUND_TRIP("ar.fcr", _IA64_REG_AR_FCR, 0x00001f800000037fUL);
  ROUND_TRIP("ar.eflag", _IA64_REG_AR_EFLAG, 0x202UL);
  ROUND_TRIP("ar.csd", _IA64_REG_AR_CSD, 0x0cf9ffff00000000UL);
  ROUND_TRIP("ar.ssd", _IA64_REG_AR_SSD, 0x0cf3ffff00000000UL);
  ROUND_TRIP("ar.cflg", _IA64_REG_AR_CFLAG, 0x80000011UL);
  ROUND_TRIP("ar.fsr", _IA64_REG_AR_FSR, 0x55550000UL);
  ROUND_TRIP("ar.fir", _IA64_REG_AR_FIR, 0x0000002300001000UL);
  ROUND_TRIP("ar.fdr", _IA64_REG_AR_FDR, 0x0000002b00002000UL);
  ROUND_TRIP("ar.ccv", _IA64_REG_AR_CCV, 0xfedcba9876543210UL);
  ROUND_TRIP("ar.unat", _IA64_REG_AR_UNAT, 0x5555aaaa3333ccccUL);
  ROUND_TRIP("ar.fpsr", _IA64_REG_AR_FPSR, FPSR_DEFAULT | 1UL << 13);
  ROUND_TRIP("ar.pfs", _IA64_REG_AR_PFS, 0x205UL);
  ROUND_TRIP("ar.lc", _IA64_REG_AR_LC, 0x8000000000000001UL);
  ROUND_TRIP("ar.ec", _IA64_REG_AR_EC, 0x2aUL);
}

/* bspstore and rnat can be touched in enforced lazy mode only; nothing may call or return in between. */
static void check_rse_registers(void) {
  unsigned long rsc = ia64_getreg(_IA64_REG_AR_RSC);
  ia64_setreg(_IA64_REG_AR_RSC, 0);
  unsigned long lazy = ia64_getreg(_IA64_REG_AR_RSC);
  asm volatile(";; flushrs ;;" ::: "memory");
  unsigned long bsp = ia64_getreg(_IA64_REG_AR_BSP);
  unsigned long bspstore = ia64_getreg(_IA64_REG_AR_BSPSTORE);
  unsigned long rnat = ia64_getreg(_IA64_REG_AR_RNAT);
  ia64_setreg(_IA64_REG_AR_BSPSTORE, bspstore + 512);
  unsigned long moved = ia64_getreg(_IA64_REG_AR_BSPSTORE), moved_bsp = ia64_getreg(_IA64_REG_AR_BSP);
  ia64_setreg(_IA64_REG_AR_BSPSTORE, bspstore);
  ia64_setreg(_IA64_REG_AR_RNAT, 0x1234567UL);
  unsigned long set_rnat = ia64_getreg(_IA64_REG_AR_RNAT);
  ia64_setreg(_IA64_REG_AR_RNAT, rnat);
  ia64_setreg(_IA64_REG_AR_RSC, rsc);
  check("ar.rsc", rsc, 3);
  check("ar.rsc lazy", lazy, 0);
  check("ar.bsp flushed", bsp, bspstore);
  check("ar.bsp in task", bsp - (unsigned long)current < TASK_SIZE, 1);
  check("ar.bspstore", moved, bspstore + 512);
  check("ar.bsp moved", moved_bsp, bspstore + 512);
  check("ar.rnat", set_rnat, 0x1234567UL);
}

static void check_itc(void) {
  unsigned long before = ia64_getreg(_IA64_REG_AR_ITC);
  unsigned long after = ia64_getreg(_IA64_REG_AR_ITC);
  check("ar.itc advances", after > before, 1);
  ia64_setreg(_IA64_REG_AR_ITC, 0x4000000000000000UL);
  unsigned long got = ia64_getreg(_IA64_REG_AR_ITC);
  ia64_setreg(_IA64_REG_AR_ITC, before + (got - 0x4000000000000000UL));
  check("ar.itc set", got >> 56, 0x40);
  check("ar.itc set back", ia64_getreg(_IA64_REG_AR_ITC) >= before, 1);
}

static void check_static_registers(void) {
  extern char __gp[];
  unsigned long frame = (unsigned long)__builtin_frame_address(0);
  unsigned long gp = ia64_getreg(_IA64_REG_GP), sp = ia64_getreg(_IA64_REG_SP);
  check("gp", gp, (unsigned long)__gp);
  check("sp", frame - sp < 512, 1);
  check("tp", ia64_getreg(_IA64_REG_TP), (unsigned long)current);
  ia64_setreg(_IA64_REG_GP, gp);
  ia64_setreg(_IA64_REG_SP, sp);
  check("gp set", ia64_getreg(_IA64_REG_GP), (unsigned long)__gp);
  check("sp set", ia64_getreg(_IA64_REG_SP), sp);
}

static void check_psr(void) {
  const unsigned long mask = IA64_PSR_IT | IA64_PSR_RT | IA64_PSR_DT | IA64_PSR_I | IA64_PSR_IC | IA64_PSR_AC | 2;
  unsigned long psr = ia64_getreg(_IA64_REG_PSR);
  check("psr", psr & mask, IA64_PSR_IT | IA64_PSR_RT | IA64_PSR_DT | IA64_PSR_IC | IA64_PSR_AC);
  ia64_setreg(_IA64_REG_PSR_L, psr & ~(unsigned long)IA64_PSR_AC);
  ia64_srlz_d();
  unsigned long without = ia64_getreg(_IA64_REG_PSR);
  ia64_setreg(_IA64_REG_PSR_L, psr);
  ia64_srlz_d();
  check("psr.l cleared", without & mask, IA64_PSR_IT | IA64_PSR_RT | IA64_PSR_DT | IA64_PSR_IC);
  check("psr.l set", ia64_getreg(_IA64_REG_PSR) & mask, psr & mask);
}

static void check_control_registers(void) {
  ROUND_TRIP("cr.dcr", _IA64_REG_CR_DCR, DCR_DEFAULT | 0x100);
  ROUND_TRIP("cr.itm", _IA64_REG_CR_ITM, 0x7123456789abcdefUL);
  ROUND_TRIP("cr.pta", _IA64_REG_CR_PTA, 0x1ffffff000000000UL | 30 << 2);
  ROUND_TRIP("cr.lid", _IA64_REG_CR_LID, 0x05070000UL);
  ROUND_TRIP("cr.tpr", _IA64_REG_CR_TPR, 0x10050UL);
  ROUND_TRIP("cr.itv", _IA64_REG_CR_ITV, 1UL << 16 | 0xa5);
  ROUND_TRIP("cr.pmv", _IA64_REG_CR_PMV, 1UL << 16 | 0x5a);
  ROUND_TRIP("cr.cmcv", _IA64_REG_CR_CMCV, 1UL << 16 | 0x3c);
  ROUND_TRIP("cr.lrr0", _IA64_REG_CR_LRR0, 1UL << 16 | 0x33);
  ROUND_TRIP("cr.lrr1", _IA64_REG_CR_LRR1, 1UL << 16 | 0x44);
  extern char ia64_ivt[];
  unsigned long iva = ia64_getreg(_IA64_REG_CR_IVA);
  check("cr.iva", iva, (unsigned long)ia64_ivt);
  ia64_setreg(_IA64_REG_CR_IVA, iva + 0x8000);
  ia64_srlz_d();
  unsigned long moved = ia64_getreg(_IA64_REG_CR_IVA);
  ia64_setreg(_IA64_REG_CR_IVA, iva);
  ia64_srlz_i();
  check("cr.iva set", moved, (unsigned long)ia64_ivt + 0x8000);
}

/* The registers that describe an interruption can be touched only while collection is off; what runs then stays on the
 * kernel's translation registers. */
static void check_interruption_registers(void) {
  unsigned long ipsr, isr, iip, ifa, itir, iipa, ifs, iim, iha;
  asm volatile("rsm %0 ;; srlz.d ;;" : : "i"(IA64_PSR_IC) : "memory");
  ia64_setreg(_IA64_REG_CR_IPSR, USER_PSR);
  ia64_setreg(_IA64_REG_CR_ISR, 0x400000010UL);
  ia64_setreg(_IA64_REG_CR_IIP, KERNEL_START + 0x120);
  ia64_setreg(_IA64_REG_CR_IFA, 0x6000000000001234UL);
  ia64_setreg(_IA64_REG_CR_ITIR, 0x1200UL | 16 << 2);
  ia64_setreg(_IA64_REG_CR_IIPA, KERNEL_START + 0x340);
  ia64_setreg(_IA64_REG_CR_IFS, 1UL << 63 | 0x28a);
  ia64_setreg(_IA64_REG_CR_IIM, 0xabcdeUL);
  ia64_setreg(_IA64_REG_CR_IHA, 0x7fffffffffff0120UL);
  ia64_srlz_d();
  ipsr = ia64_getreg(_IA64_REG_CR_IPSR);
  isr = ia64_getreg(_IA64_REG_CR_ISR);
  iip = ia64_getreg(_IA64_REG_CR_IIP);
  ifa = ia64_getreg(_IA64_REG_CR_IFA);
  itir = ia64_getreg(_IA64_REG_CR_ITIR);
  iipa = ia64_getreg(_IA64_REG_CR_IIPA);
  ifs = ia64_getreg(_IA64_REG_CR_IFS);
  iim = ia64_getreg(_IA64_REG_CR_IIM);
  iha = ia64_getreg(_IA64_REG_CR_IHA);
  asm volatile("ssm %0 ;; srlz.d ;;" : : "i"(IA64_PSR_IC) : "memory");
  check("cr.ipsr", ipsr, USER_PSR);
  check("cr.isr", isr, 0x400000010UL);
  check("cr.iip", iip, KERNEL_START + 0x120);
  check("cr.ifa", ifa, 0x6000000000001234UL);
  check("cr.itir", itir, 0x1200UL | 16 << 2);
  check("cr.iipa", iipa, KERNEL_START + 0x340);
  check("cr.ifs", ifs, 1UL << 63 | 0x28a);
  check("cr.iim", iim, 0xabcdeUL);
  check("cr.iha", iha, 0x7fffffffffff0120UL);
}

/* ---- The named operations ---- */

static void check_region_registers(void) {
  static const unsigned long value[5] = {RR(0x3001, 12, 0), RR(0x3002, 13, 0), RR(0x3003, 14, 0), RR(0x3004, 16, 0),
                                         RR(0x3005, 18, 0)};
  unsigned long old[5], got[5];
  for (unsigned long i = 0; i < 5; i++) old[i] = ia64_get_rr(i << 61);
  check("get_rr kernel", ia64_get_rr(5UL << 61 | 0x123456), RR(KERNEL_RID(5), PAGE_SHIFT, 0));
  check("get_rr cached", ia64_get_rr(7UL << 61), RR(KERNEL_RID(7), GRANULE_SHIFT, 0));
  ia64_set_rr(4UL << 61 | 0x4000, RR(0xabcde, 20, 1));
  ia64_srlz_d();
  got[4] = ia64_get_rr(4UL << 61);
  got[3] = ia64_get_rr(3UL << 61);
  ia64_set_rr(4UL << 61, old[4]);
  ia64_srlz_d();
  check("set_rr", got[4], RR(0xabcde, 20, 1));
  check("set_rr neighbour", got[3], old[3]);
  ia64_set_rr0_to_rr4(value[0], value[1], value[2], value[3], value[4]);
  ia64_srlz_d();
  for (unsigned long i = 0; i < 5; i++) got[i] = ia64_get_rr(i << 61);
  ia64_set_rr0_to_rr4(old[0], old[1], old[2], old[3], old[4]);
  ia64_srlz_d();
  check("set_rr0_to_rr4 rr0", got[0], value[0]);
  check("set_rr0_to_rr4 rr1", got[1], value[1]);
  check("set_rr0_to_rr4 rr2", got[2], value[2]);
  check("set_rr0_to_rr4 rr3", got[3], value[3]);
  check("set_rr0_to_rr4 rr4", got[4], value[4]);
  check("set_rr0_to_rr4 rr5", ia64_get_rr(5UL << 61), RR(KERNEL_RID(5), PAGE_SHIFT, 0));
}

/* The short format (SDM vol. 2, 4.1.5.3): entry number page of the address within its region, 8 bytes each, folded into
 * a table of 2^size bytes at the base that pta gives, in the address's own region. */
static unsigned long short_hash(unsigned long address, unsigned long page_shift, unsigned long base,
                                unsigned long size) {
  unsigned long mask = (1UL << size) - 1, in_region = (1UL << 61) - 1;
  unsigned long offset = ((address & in_region) >> page_shift) << 3;
  return (address & ~in_region) | (base & in_region & ~mask) | (offset & mask);
}

static void check_thash(void) {
  static const unsigned long address[] = {0, 0x123456789a0UL, 0x2000000012345678UL, 0x4000000000ffc123UL,
                                          0x60000000fedcba98UL, 0xe000000076543210UL};
  unsigned long pta = ia64_getreg(_IA64_REG_CR_PTA), failed = 0;
  for (unsigned long size = 15; size <= 40; size += 5) {
    unsigned long base = 0x1abcdef012345678UL & ~((1UL << size) - 1);
    ia64_setreg(_IA64_REG_CR_PTA, base | size << 2);
    ia64_srlz_d();
    for (unsigned long i = 0; i < ARRAY_SIZE(address); i++) {
      unsigned long shift = address[i] >> 61 == 7 ? GRANULE_SHIFT : PAGE_SHIFT;
      failed += ia64_thash(address[i]) != short_hash(address[i], shift, base, size);
    }
  }
  ia64_setreg(_IA64_REG_CR_PTA, 0x1ffffffffff00000UL | 20 << 2);
  ia64_srlz_d();
  unsigned long one = ia64_thash(0x4000000000ffc123UL);
  ia64_setreg(_IA64_REG_CR_PTA, pta);
  ia64_srlz_d();
  check("thash", failed, 0);
  check("thash by hand", one, 0x5ffffffffff01ff8UL);
}

static void check_identification(void) {
  unsigned long vendor0 = ia64_get_cpuid(0), vendor1 = ia64_get_cpuid(1), printable = 1;
  for (int shift = 0; shift < 64; shift += 8) {
    unsigned long a = (vendor0 >> shift) & 0xff, b = (vendor1 >> shift) & 0xff;
    printable &= a >= 0x20 && a < 0x7f && (b == 0 || (b >= 0x20 && b < 0x7f));
  }
  check("get_cpuid vendor", printable, 1);
  check("get_cpuid number", (ia64_get_cpuid(3) & 0xff) >= 4, 1);
  check("get_cpuid family", ((ia64_get_cpuid(3) >> 24) & 0xff) != 0, 1);
  check("get_cpuid long branch", ia64_get_cpuid(4) & 1, 1);
  asm volatile("mov pmd[%0]=%1 ;; srlz.d" : : "r"(4L), "r"(0x13579bdfUL) : "memory");
  check("get_pmd", ia64_get_pmd(4), 0x13579bdfUL);
}

static void check_interrupt_flag(void) {
  unsigned long flags;
  check("get_psr_i off", ia64_get_psr_i(), 0);
  ia64_ssm_i();
  ia64_srlz_d();
  flags = ia64_get_psr_i();
  ia64_rsm_i();
  check("ssm_i", flags, IA64_PSR_I);
  check("rsm_i", ia64_get_psr_i(), 0);
  ia64_intrin_local_irq_restore(flags);
  ia64_srlz_d();
  flags = ia64_get_psr_i();
  ia64_intrin_local_irq_restore(0);
  check("irq_restore on", flags, IA64_PSR_I);
  check("irq_restore off", ia64_get_psr_i(), 0);
}

/* Two bundles, each { .mib mov r8=number; nop.i 0; br.ret.sptk.many b0 ;; }, to be copied and called. */
static const unsigned long code_11[2] = {0x00002400002c4011UL, 0x0084000880000200UL};
static const unsigned long code_22[2] = {0x0000240000584011UL, 0x0084000880000200UL};

static unsigned long run_code(unsigned long *buffer, const unsigned long *code) {
  extern char __gp[];
  struct { unsigned long entry, gp; } descriptor = {(unsigned long)buffer, (unsigned long)__gp};
  unsigned long (*volatile function)(void) = (unsigned long (*)(void))&descriptor;
  buffer[0] = code[0];
  buffer[1] = code[1];
  ia64_fc(buffer);
  ia64_sync_i();
  ia64_srlz_i();
  return function();
}

static void check_fc(void) {
  static unsigned long buffer[16] __attribute__((aligned(128)));
  check("fc first code", run_code(buffer, code_11), 11);
  check("fc second code", run_code(buffer, code_22), 22);
  check("fc first again", run_code(buffer, code_11), 11);
}

/* ---- Instruction sites ---- */

#define INST_SITE(instruction, type) \
  paravirt_alt_inst("\t;;\n\t{ .mii\n[998:]\t" instruction "\n[999:]\tnop.i 0\n\tnop.i 0\n\t;;\n\t}\n", type)

static void check_instruction_sites(void) {
  register unsigned long r8 asm("r8");
  asm volatile(INST_SITE("mov r8=psr", PARAVIRT_PATCH_TYPE_GETREG + 1019) : "=r"(r8));
  unsigned long psr = r8;
  r8 = 7UL << 61;
  asm volatile(INST_SITE("mov r8=rr[r8]", PARAVIRT_PATCH_TYPE_GET_RR) : "+r"(r8));
  unsigned long rr = r8;
  asm volatile(INST_SITE("ssm 0x4000", PARAVIRT_PATCH_TYPE_SSM_I) : : : "memory");
  ia64_srlz_d();
  unsigned long on = ia64_get_psr_i();
  asm volatile(INST_SITE("rsm 0x4000", PARAVIRT_PATCH_TYPE_RSM_I) : : : "memory");
  unsigned long off = ia64_get_psr_i();
  check("site inst getreg(psr)", psr & (IA64_PSR_IC | IA64_PSR_I | IA64_PSR_IT),
        IA64_PSR_IC | IA64_PSR_IT);
  check("site inst get_rr", rr, RR(KERNEL_RID(7), GRANULE_SHIFT, 0));
  check("site inst ssm_i", on, IA64_PSR_I);
  check("site inst rsm_i", off, 0);
}

/* ---- Translations ---- */

/* The trap that `instruction` must raise; on to the bundle behind it. */
#define TRAP(trap_vector, instruction, ...) do { \
  expected_trap.hits = 0; \
  expected_trap.vector = trap_vector; \
  asm volatile("movl r14=1f ;; st8 [%0]=r14 ;;\n\t" instruction " ;;\n1:" \
               : : "r"(&expected_trap.resume), ##__VA_ARGS__ : "r14", "r15", "memory"); \
  expected_trap.resume = 0; \
} while (0)

static void set_test_page(const void *memory, unsigned long flags) {
  current->pte[0] = memory ? ((unsigned long)memory & PTE_PPN_MASK) | flags : 0;
  ia64_ptcga(USER_TEXT, PAGE_SHIFT << 2);
  ia64_srlz_d();
}

static void check_translations(void) {
  volatile unsigned long *const page = (volatile unsigned long *)USER_TEXT;
  unsigned long *a = page_alloc(), *b = page_alloc(), misses = tlb_misses;
  a[5] = 0xaaaa;
  b[5] = 0xbbbb;
  set_test_page(a, PAGE_USER);
  misses = tlb_misses;
  check("tlb miss inserts", page[5], 0xaaaa);
  check("tlb miss taken", tlb_misses > misses, 1);
  page[6] = 0x6666;
  check("store through translation", a[6], 0x6666);
  current->pte[0] = ((unsigned long)b & PTE_PPN_MASK) | PAGE_USER;
  misses = tlb_misses;
  ia64_ptcga(USER_TEXT, PAGE_SHIFT << 2);
  ia64_srlz_d();
  check("ptcga", page[5], 0xbbbb);
  check("ptcga miss", tlb_misses > misses, 1);
  set_test_page(b, PAGE_USER & ~(unsigned long)PTE_AR_RWX); /* read only */
  check("read-only load", page[5], 0xbbbb);
  TRAP(0x5300, "st8 [%1]=r0", "r"(page));
  check("data access rights", expected_trap.hits, 1);
  check("data access rights ifa", expected_trap.ifa, USER_TEXT);
  check("data access rights isr.w", (expected_trap.isr >> 33) & 3, 1);
  set_test_page(b, PAGE_USER & ~(unsigned long)PTE_D);
  TRAP(0x2000, "st8 [%1]=r0", "r"(page));
  check("dirty bit", expected_trap.hits, 1);
  set_test_page(b, PAGE_USER & ~(unsigned long)PTE_A);
  TRAP(0x2800, "ld8 r15=[%1]", "r"(page));
  check("data access bit", expected_trap.hits, 1);
  set_test_page(NULL, 0);
  TRAP(0x1000, "ld8 r15=[%1]", "r"(page));
  check("data miss", expected_trap.hits, 1);
  check("data miss isr.r", (expected_trap.isr >> 32) & 7, 4);
}

/* ---- Interruptions, speculation, the register stack ---- */

static void check_faults(void) {
  TRAP(0x2c00, "break.m 0x12345");
  check("break", expected_trap.hits, 1);
  check("break iim", expected_trap.iim, 0x12345);
  TRAP(0x5400, "mov r15=cr.iip");
  check("illegal operation", expected_trap.hits, 1);
  static unsigned long words[2];
  TRAP(0x5a00, "ld8 r15=[%1]", "r"((char *)words + 1));
  check("unaligned", expected_trap.hits, 1);
  check("unaligned ifa", expected_trap.ifa, (unsigned long)words + 1);
}

static void check_speculation(void) {
  static const unsigned long good = 0x600d600dUL;
  unsigned long nat, value;
  asm volatile("ld8.s r15=[%1] ;; tnat.nz p6,p7=r15 ;; (p6) mov %0=1\n\t(p7) mov %0=r0"
               : "=r"(nat) : "r"(UNMAPPED) : "r15", "p6", "p7");
  check("ld.s defers", nat, 1);
  asm volatile("ld8.s r15=[%1] ;; tnat.nz p6,p7=r15 ;; (p6) mov %0=1\n\t(p7) mov %0=r15"
               : "=r"(value) : "r"(&good) : "r15", "p6", "p7");
  check("ld.s loads", value, good);
  asm volatile("ld8.s r15=[%1] ;;\n\tchk.s r15,2f ;;\n1:\tmov %0=r15\n\tbr 3f ;;\n"
               "2:\tld8 r15=[%2]\n\tbr 1b ;;\n3:"
               : "=r"(value) : "r"(UNMAPPED), "r"(&good) : "r15");
  check("chk.s recovers", value, good);
  TRAP(0x5600, "ld8.s r15=[%1] ;; ld8 r15=[r15]", "r"(UNMAPPED));
  check("nat consumption", expected_trap.hits, 1);
}

static void check_register_stack(void) {
  check("rse recursion", rse_recurse(100), 0);
  check("rse nat", nat_survives(UNMAPPED, 60), 1);
}

static unsigned long pending(unsigned long vector) {
  unsigned long irr = 0;
  switch (vector >> 6) {
  case 0: irr = ia64_getreg(_IA64_REG_CR_IRR0); break;
  case 1: irr = ia64_getreg(_IA64_REG_CR_IRR1); break;
  case 2: irr = ia64_getreg(_IA64_REG_CR_IRR2); break;
  case 3: irr = ia64_getreg(_IA64_REG_CR_IRR3); break;
  }
  return (irr >> (vector & 63)) & 1;
}

/* With psr.i off: the vector shows in irr, ivr gives it once and then 15 until the end of interrupt. */
static void check_polled_interrupt(const char *name, unsigned long vector) {
  unsigned long waited = 0;
  send_ipi(vector);
  while (!pending(vector) && waited < 100000) waited++;
  unsigned long first = ia64_getreg(_IA64_REG_CR_IVR), still = pending(vector);
  send_ipi(vector);
  unsigned long second = ia64_getreg(_IA64_REG_CR_IVR);
  ia64_setreg(_IA64_REG_CR_EOI, 0);
  ia64_srlz_d();
  unsigned long third = ia64_getreg(_IA64_REG_CR_IVR);
  ia64_setreg(_IA64_REG_CR_EOI, 0);
  ia64_srlz_d();
  /* pending, delivered, no longer pending, held back while in service, delivered again */
  check(name, first | still << 8 | second << 16 | third << 24, vector | 15UL << 16 | vector << 24);
}

static void check_external_interrupts(void) {
  check("cr.lid", ia64_getreg(_IA64_REG_CR_LID) >> 32, 0);
  check("cr.eoi", ia64_getreg(_IA64_REG_CR_EOI), 0);
  check("cr.ivr spurious", ia64_getreg(_IA64_REG_CR_IVR), 15);
  check_polled_interrupt("cr.irr0", 0x31);
  check_polled_interrupt("cr.irr1", 0x42);
  check_polled_interrupt("cr.irr2", 0x93);
  check_polled_interrupt("cr.irr3", 0xd4);
  pv_irq_ops.register_ipi();
  unsigned long before = interrupts_taken[IPI_VECTOR];
  ia64_setreg(_IA64_REG_CR_TPR, 0xf0);
  ia64_srlz_d();
  local_irq_enable();
  pv_irq_ops.resend_irq(IPI_VECTOR);
  for (volatile int i = 0; i < 100; i++) {}
  unsigned long held = interrupts_taken[IPI_VECTOR] - before;
  ia64_setreg(_IA64_REG_CR_TPR, 0);
  ia64_srlz_d();
  for (volatile int i = 0; i < 100; i++) {}
  local_irq_disable();
  check("tpr holds back", held, 0);
  check("ipi taken", interrupts_taken[IPI_VECTOR] - before, 1);
  check("ipi unknown", spurious_interrupts, 0);
}

static void check_timer(void) {
  unsigned long frequency = ia64_boot_param->itc_frequency, period = frequency ? frequency >> 10 : 5000;
  unsigned long start = ia64_getreg(_IA64_REG_AR_ITC), first = timer_ticks;
  timer_start(period);
  local_irq_enable();
  while (timer_ticks - first < 3 && ia64_getreg(_IA64_REG_AR_ITC) - start < 1000 * period) {}
  local_irq_disable();
  timer_stop();
  unsigned long elapsed = ia64_getreg(_IA64_REG_AR_ITC) - start;
  check("timer interrupts", timer_ticks - first >= 3, 1);
  check("timer not early", elapsed >= 3 * period, 1);
}

static void check_vectors(void) {
  int a = pv_irq_ops.assign_irq_vector(0), b = pv_irq_ops.assign_irq_vector(0);
  pv_irq_ops.free_irq_vector(a);
  int c = pv_irq_ops.assign_irq_vector(0);
  check("irq vectors", (unsigned long)(b - a), 1);
  check("irq vector reused", (unsigned long)c, (unsigned long)a);
}

/* ---- Integers through the floating-point unit, as compilers multiply and divide ---- */

static void check_arithmetic(void) {
  volatile unsigned long a = 0xfedcba9876543210UL, b = 0x12345678UL;
  volatile long c = -1000000007L, d = 1009L;
  check("multiply", a * b, 0x3d70a3d70b88d780UL);
  check("divide", a / b, 60129542263UL);
  check("remainder", a % b, 72UL);
  check("divide signed", (unsigned long)(c / d), (unsigned long)-991080L);
  check("remainder signed", (unsigned long)(c % d), (unsigned long)-287L);
  unsigned long time = (unsigned long)pv_time_ops.sched_clock();
  check("sched_clock", (unsigned long)pv_time_ops.sched_clock() >= time, 1);
}

void run_checks(void) {
  check_kernel_registers();
  check_application_registers();
  check_static_registers();
  check_psr();
  check_control_registers();
  check_interruption_registers();
  check_rse_registers();
  check_itc();
  check_region_registers();
  check_thash();
  check_identification();
  check_interrupt_flag();
  check_instruction_sites();
  check_fc();
  check_translations();
  check_faults();
  check_speculation();
  check_register_stack();
  check_vectors();
  check_external_interrupts();
  check_timer();
  check_arithmetic();
}

/* What the two user processes must have done (user.c). */
void check_tasks(void) {
  static const char *const name[] = {"user 1", "user 2"};
  for (unsigned long i = 0; i < USER_TASKS; i++) {
    const struct task *task = user_task(i);
    check(name[i], task->exit_status, 0);
    check("user yields", task->yields, 3);
    check("user system calls", task->system_calls, 8);
    check("user page faults", task->page_faults >= 2, 1);
    check("user bytes written", task->bytes_written, 37);
  }
  check("user preempted", user_task(0)->preemptions + user_task(1)->preemptions > 0, 1);
  check("context switches", context_switches >= 6, 1);
}
