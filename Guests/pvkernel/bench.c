/* The measured loops. Each operation stands alone in a counted loop: its arguments into their registers, the call site,
 * br.cloop, nothing else; "empty-loop" is the loop without the site, "native:" the same loop with the native
 * instruction in the site's place. Then three programs that use the processor and no operation. */
#include "cpubound.h"
#include "kernel.h"
#include "paravirt_privop.h"

#define LOOP(identifier, moves, body) \
  static unsigned long __attribute__((noipa)) \
  identifier(unsigned long count, unsigned long a, unsigned long b, unsigned long c, unsigned long d, unsigned long e) { \
    unsigned long start, stop; \
    asm volatile(";;\n\tmov.i ar.lc=%2\n\t;;\n\tmov %0=ar.itc\n\t;;\n\t.align 32\n1:\n" moves "\t;;\n" body \
                 "\tbr.cloop.sptk.many 1b\n\t;;\n\tmov %1=ar.itc\n\t;;" \
                 : "=&r"(start), "=&r"(stop) \
                 : "r"(count - 1), "r"(a), "r"(b), "r"(c), "r"(d), "r"(e) \
                 : "r8", "r9", "r10", "r11", "r14", "ar.lc", PV_CLOBBERS); \
    return stop - start; \
  }

#define NO_ARGUMENTS ""
#define ONE_ARGUMENT "\tmov r8=%3\n"
#define TWO_ARGUMENTS "\tmov r8=%3\n\tmov r9=%4\n"
/* A register's number is a constant of the call, as Linux's macros pass it. */
#define TEXT(x) #x
#define GETREG(reg) "\tmov r8=" TEXT(reg) "\n"
#define SETREG(reg) "\tmov r8=%3\n\tmov r9=" TEXT(reg) "\n"
#define FIVE_ARGUMENTS "\tmov r8=%3\n\tmov r9=%4\n\tmov r10=%5\n\tmov r11=%6\n\tmov r14=%7\n"

LOOP(empty_loop, NO_ARGUMENTS, "")
LOOP(loop_fc, ONE_ARGUMENT, PV_SITE(FC))
LOOP(loop_thash, ONE_ARGUMENT, PV_SITE(THASH))
LOOP(loop_get_cpuid, ONE_ARGUMENT, PV_SITE(GET_CPUID))
LOOP(loop_get_pmd, ONE_ARGUMENT, PV_SITE(GET_PMD))
LOOP(loop_ptcga, TWO_ARGUMENTS, PV_SITE(PTCGA))
LOOP(loop_get_rr, ONE_ARGUMENT, PV_SITE(GET_RR))
LOOP(loop_set_rr, TWO_ARGUMENTS, PV_SITE(SET_RR))
LOOP(loop_set_rr0_to_rr4, FIVE_ARGUMENTS, PV_SITE(SET_RR0_TO_RR4))
LOOP(loop_ssm_i, NO_ARGUMENTS, PV_SITE(SSM_I))
LOOP(loop_rsm_i, NO_ARGUMENTS, PV_SITE(RSM_I))
LOOP(loop_get_psr_i, NO_ARGUMENTS, PV_SITE(GET_PSR_I))
LOOP(loop_irq_restore, ONE_ARGUMENT, PV_SITE(INTRIN_LOCAL_IRQ_RESTORE))
LOOP(loop_getreg_psr, GETREG(_IA64_REG_PSR), PV_SITE_GETREG(_IA64_REG_PSR))
LOOP(loop_getreg_tp, GETREG(_IA64_REG_TP), PV_SITE_GETREG(_IA64_REG_TP))
LOOP(loop_getreg_itc, GETREG(_IA64_REG_AR_ITC), PV_SITE_GETREG(_IA64_REG_AR_ITC))
LOOP(loop_getreg_kr7, GETREG(_IA64_REG_AR_KR7), PV_SITE_GETREG(_IA64_REG_AR_KR7))
LOOP(loop_getreg_ivr, GETREG(_IA64_REG_CR_IVR), PV_SITE_GETREG(_IA64_REG_CR_IVR))
LOOP(loop_setreg_kr7, SETREG(_IA64_REG_AR_KR7), PV_SITE_SETREG(_IA64_REG_AR_KR7))
LOOP(loop_setreg_tpr, SETREG(_IA64_REG_CR_TPR), PV_SITE_SETREG(_IA64_REG_CR_TPR))
LOOP(loop_setreg_eoi, SETREG(_IA64_REG_CR_EOI), PV_SITE_SETREG(_IA64_REG_CR_EOI))
LOOP(loop_setreg_itm, SETREG(_IA64_REG_CR_ITM), PV_SITE_SETREG(_IA64_REG_CR_ITM))

#define NATIVE(instructions) "\t" instructions "\n\t;;\n"
LOOP(native_fc, ONE_ARGUMENT, NATIVE("fc r8"))
LOOP(native_thash, ONE_ARGUMENT, NATIVE("thash r8=r8"))
LOOP(native_get_cpuid, ONE_ARGUMENT, NATIVE("mov r8=cpuid[r8]"))
LOOP(native_get_pmd, ONE_ARGUMENT, NATIVE("mov r8=pmd[r8]"))
LOOP(native_ptcga, TWO_ARGUMENTS, NATIVE("ptc.ga r8,r9"))
LOOP(native_get_rr, ONE_ARGUMENT, NATIVE("mov r8=rr[r8]"))
LOOP(native_set_rr, TWO_ARGUMENTS, NATIVE("mov rr[r8]=r9"))
LOOP(native_set_rr0_to_rr4, FIVE_ARGUMENTS,
     NATIVE("mov rr[r0]=r8\n\tdep.z r2=1,61,1\n\tdep.z r3=1,62,1\n\t;;\n\tmov rr[r2]=r9\n\tadd r15=r2,r3\n"
            "\tdep.z r17=1,63,1\n\t;;\n\tmov rr[r3]=r10\n\t;;\n\tmov rr[r15]=r11\n\t;;\n\tmov rr[r17]=r14"))
LOOP(native_ssm_i, NO_ARGUMENTS, NATIVE("ssm 0x4000"))
LOOP(native_rsm_i, NO_ARGUMENTS, NATIVE("rsm 0x4000"))
LOOP(native_get_psr_i, NO_ARGUMENTS, NATIVE("mov r8=psr\n\tdep.z r2=1,14,1\n\t;;\n\tand r8=r8,r2"))
LOOP(native_irq_restore, ONE_ARGUMENT,
     NATIVE("cmp.ne p6,p7=r8,r0\n\t;;\n(p6)\tssm 0x4000\n(p7)\trsm 0x4000\n\t;;\n(p6)\tsrlz.d"))
LOOP(native_getreg_psr, GETREG(_IA64_REG_PSR), NATIVE("mov r8=psr"))
LOOP(native_getreg_tp, GETREG(_IA64_REG_TP), NATIVE("mov r8=r13"))
LOOP(native_getreg_itc, GETREG(_IA64_REG_AR_ITC), NATIVE("mov r8=ar.itc"))
LOOP(native_getreg_kr7, GETREG(_IA64_REG_AR_KR7), NATIVE("mov r8=ar.k7"))
LOOP(native_getreg_ivr, GETREG(_IA64_REG_CR_IVR), NATIVE("mov r8=cr.ivr"))
LOOP(native_setreg_kr7, SETREG(_IA64_REG_AR_KR7), NATIVE("mov ar.k7=r8"))
LOOP(native_setreg_tpr, SETREG(_IA64_REG_CR_TPR), NATIVE("mov cr.tpr=r8"))
LOOP(native_setreg_eoi, SETREG(_IA64_REG_CR_EOI), NATIVE("mov cr.eoi=r8"))
LOOP(native_setreg_itm, SETREG(_IA64_REG_CR_ITM), NATIVE("mov cr.itm=r8"))

/* "only=NAME" on the command line, as often as wanted, leaves all other loops and programs out. */
static int wanted(const char *name) { return !command_has("only") || command_names("only", name); }

static void report(const char *kind, const char *name, unsigned long calls, unsigned long ticks) {
  put_string("bench ");
  put_string(kind);
  put_string(name);
  put_string(" calls=");
  put_decimal(calls);
  put_string(" ticks=");
  put_decimal(ticks);
  put_string("\n");
}

static void bench_operations(unsigned long calls) {
  static unsigned long line[16] __attribute__((aligned(128)));
  unsigned long rr[5];
  const unsigned long address = USER_TEXT + 0x123456;
  for (unsigned long i = 0; i < 5; i++) rr[i] = ia64_get_rr(i << 61);
  /* The first pass of every loop is not counted: translations and caches are then as they stay. */
#define MEASURE(kind, name, loop, ...) \
  (loop(16, __VA_ARGS__), report(kind, name, calls, loop(calls, __VA_ARGS__)))
  /* A site's loop and its twin, one right behind the other. */
#define PAIR(name, identifier, ...) do { \
    if (!wanted(name)) break; \
    MEASURE("", name, loop_##identifier, __VA_ARGS__); \
    MEASURE("native:", name, native_##identifier, __VA_ARGS__); \
  } while (0)
  MEASURE("", "empty-loop", empty_loop, 0, 0, 0, 0, 0);
  PAIR("fc", fc, (unsigned long)line, 0, 0, 0, 0);
  PAIR("thash", thash, address, 0, 0, 0, 0);
  PAIR("get_cpuid", get_cpuid, 3, 0, 0, 0, 0);
  PAIR("get_pmd", get_pmd, 4, 0, 0, 0, 0);
  PAIR("ptcga", ptcga, address, PAGE_SHIFT << 2, 0, 0, 0);
  PAIR("get_rr", get_rr, USER_TEXT, 0, 0, 0, 0);
  PAIR("set_rr", set_rr, USER_TEXT, rr[2], 0, 0, 0);
  PAIR("set_rr0_to_rr4", set_rr0_to_rr4, rr[0], rr[1], rr[2], rr[3], rr[4]);
  PAIR("rsm_i", rsm_i, 0, 0, 0, 0, 0);
  PAIR("ssm_i", ssm_i, 0, 0, 0, 0, 0);
  PAIR("get_psr_i", get_psr_i, 0, 0, 0, 0, 0);
  PAIR("intrin_local_irq_restore", irq_restore, 0, 0, 0, 0, 0);
  PAIR("getreg(psr)", getreg_psr, 0, 0, 0, 0, 0);
  PAIR("getreg(tp)", getreg_tp, 0, 0, 0, 0, 0);
  PAIR("getreg(ar.itc)", getreg_itc, 0, 0, 0, 0, 0);
  PAIR("getreg(ar.k7)", getreg_kr7, 0, 0, 0, 0, 0);
  PAIR("getreg(cr.ivr)", getreg_ivr, 0, 0, 0, 0, 0);
  PAIR("setreg(ar.k7)", setreg_kr7, 0x777, 0, 0, 0, 0);
  PAIR("setreg(cr.tpr)", setreg_tpr, 0, 0, 0, 0, 0);
  PAIR("setreg(cr.eoi)", setreg_eoi, 0, 0, 0, 0, 0);
  PAIR("setreg(cr.itm)", setreg_itm, 0x7000000000000000, 0, 0, 0, 0);
#undef PAIR
#undef MEASURE
  ia64_rsm_i();
  ia64_srlz_d();
}

/* One program, `rounds` times; its result is a check. */
static void bench_cpu(const char *name, unsigned long (*program)(void), unsigned long rounds, unsigned long want) {
  unsigned long result = 0, start = ia64_getreg(_IA64_REG_AR_ITC);
  for (unsigned long i = 0; i < rounds; i++) result = program();
  unsigned long ticks = ia64_getreg(_IA64_REG_AR_ITC) - start;
  report("", name, rounds, ticks);
  check(name, result, want);
}

void run_bench(unsigned long calls, unsigned long rounds) {
  if (calls) bench_operations(calls);
  if (!rounds) return;
  if (wanted("cpu-sieve")) bench_cpu("cpu-sieve", cpu_sieve, rounds * 20, CPU_SIEVE_RESULT);
  if (wanted("cpu-sort")) bench_cpu("cpu-sort", cpu_sort, rounds * 10, CPU_SORT_RESULT);
  if (wanted("cpu-hash")) bench_cpu("cpu-hash", cpu_hash, rounds * 20, CPU_HASH_RESULT);
}
