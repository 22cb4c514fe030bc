/* Interruptions in C: page faults, breaks, external interrupts, and what is expected or fatal. Vector offsets and the
 * local SAPIC registers: Itanium SDM vol. 2, 5.7, 5.8 and 8.3. */
#include "kernel.h"
#include "paravirt_privop.h"

_Static_assert(sizeof(struct pt_regs) == PT_SIZE, "pt_regs");
_Static_assert(__builtin_offsetof(struct pt_regs, r16_to_31) == PT_R16, "pt_regs r16");
_Static_assert(__builtin_offsetof(struct pt_regs, f6_to_11) == PT_F6, "pt_regs f6");
_Static_assert(__builtin_offsetof(struct pt_regs, vector) == PT_VECTOR, "pt_regs vector");

#define SPURIOUS_VECTOR 15
#define BREAK_SYSTEM_CALL 0x100000
#define PSR_RI_MASK (3UL << 41)

struct expected_trap expected_trap;
unsigned long timer_ticks, spurious_interrupts, interrupts_taken[256];
static unsigned long timer_period, timer_next;
static struct irqaction *actions[256];
static unsigned char vector_used[256];

/* Sets the next match. The timer fires where ar.itc equals cr.itm, so a match that passed before it was set never
   comes: it is counted here and the one behind it set, until one lies ahead. */
static void timer_arm(void) {
  unsigned long now = ia64_getreg(_IA64_REG_AR_ITC);
  do {
    while ((long)(timer_next - now) <= 0) timer_next += timer_period, timer_ticks++;
    ia64_setreg(_IA64_REG_CR_ITM, timer_next);
    ia64_srlz_d();
    now = ia64_getreg(_IA64_REG_AR_ITC);
  } while ((long)(timer_next - now) <= 0);
}

static void timer_interrupt(int vector) {
  (void)vector;
  if (pv_time_ops.do_steal_accounting(&timer_next)) return;
  timer_arm();
  current->need_resched = 1;
}

static struct irqaction timer_action = {timer_interrupt};

/* A timer interrupt every `period` ticks of ar.itc from now on. */
void timer_start(unsigned long period) {
  pv_irq_ops.register_percpu_irq(TIMER_VECTOR, &timer_action);
  timer_period = period;
  timer_next = ia64_getreg(_IA64_REG_AR_ITC) + period;
  ia64_setreg(_IA64_REG_CR_ITV, TIMER_VECTOR);
  timer_arm();
}

void timer_stop(void) {
  ia64_setreg(_IA64_REG_CR_ITV, 1UL << 16);
  ia64_srlz_d();
}

/* To this processor: the interrupt block has 4 KiB for each cr.lid id and 16 bytes for each eid. */
void send_ipi(unsigned long vector) {
  unsigned long lid = ia64_getreg(_IA64_REG_CR_LID);
  unsigned long offset = ((lid >> 24) & 0xff) << 12 | ((lid >> 16) & 0xff) << 4;
  *(volatile unsigned long *)device(INTERRUPT_BLOCK + offset) = vector;
  asm volatile(";; mf.a" ::: "memory");
}

void ia64_native_register_percpu_irq(ia64_vector vec, struct irqaction *action) { actions[vec & 0xff] = action; }
void ia64_native_resend_irq(unsigned int vector) { send_ipi(vector); }

static void ignore_ipi(int vector) { (void)vector; }
static struct irqaction ipi_action = {ignore_ipi};
void ia64_native_register_ipi(void) { ia64_native_register_percpu_irq(IPI_VECTOR, &ipi_action); }

/* Device vectors: 0x30 upwards, as Linux hands them out below the timer. Returns -28 (ENOSPC) when all are taken. */
int ia64_native_assign_irq_vector(int irq) {
  (void)irq;
  for (int vector = 0x30; vector < 0xe8; vector++)
    if (!vector_used[vector]) {
      vector_used[vector] = 1;
      return vector;
    }
  return -28;
}
void ia64_native_free_irq_vector(int vector) { vector_used[vector & 0xff] = 0; }

static void handle_interrupts(void) {
  for (;;) {
    unsigned long vector = ia64_getreg(_IA64_REG_CR_IVR) & 0xff;
    if (vector == SPURIOUS_VECTOR) return;
    interrupts_taken[vector]++;
    if (actions[vector]) actions[vector]->handler((int)vector);
    else spurious_interrupts++;
    ia64_setreg(_IA64_REG_CR_EOI, 0);
    ia64_srlz_d();
  }
}

static void describe(const char *what, const struct pt_regs *regs) {
  put_string("pvkernel: ");
  put_string(what);
  put_string(": vector ");
  put_hex(regs->vector);
  put_string(" iip ");
  put_hex(regs->cr_iip);
  put_string(" slot ");
  put_decimal((regs->cr_ipsr >> 41) & 3);
  put_string(" ipsr ");
  put_hex(regs->cr_ipsr);
  put_string(" ifa ");
  put_hex(regs->cr_ifa);
  put_string(" isr ");
  put_hex(regs->cr_isr);
  put_string(" iim ");
  put_hex(regs->cr_iim);
  put_string("\n");
}

static int was_expected(struct pt_regs *regs) {
  if (!expected_trap.resume || expected_trap.vector != regs->vector) return 0;
  expected_trap.hits++;
  expected_trap.isr = regs->cr_isr;
  expected_trap.ifa = regs->cr_ifa;
  expected_trap.iim = regs->cr_iim;
  regs->cr_iip = expected_trap.resume;
  regs->cr_ipsr &= ~PSR_RI_MASK;
  expected_trap.resume = 0;
  return 1;
}

static void skip_instruction(struct pt_regs *regs) {
  unsigned long slot = (regs->cr_ipsr >> 41) & 3;
  regs->cr_ipsr &= ~PSR_RI_MASK;
  if (slot == 2) regs->cr_iip += 16;
  else regs->cr_ipsr |= (slot + 1) << 41;
}

/* The branch that chk.s or chk.a would have taken, where the processor leaves it to the kernel: cr.iim holds its
 * displacement in bundles, 21 bits. */
static void take_recovery_branch(struct pt_regs *regs) {
  regs->cr_iip += (unsigned long)((long)(regs->cr_iim << 43) >> 39);
  regs->cr_ipsr &= ~PSR_RI_MASK;
}

/* Called from ivt.S with collection on and interrupts off. Returns 1 for a system call, 0 otherwise. */
int ia64_handle_interruption(unsigned long vector, struct pt_regs *regs) {
  int user = (regs->cr_ipsr >> 32) & 3;
  switch (vector) {
  case 0x3000:
    handle_interrupts();
    if (user && current->need_resched) current->preemptions++;
    return 0;
  case 0x2c00:
    if (user && regs->cr_iim == BREAK_SYSTEM_CALL) {
      skip_instruction(regs);
      system_call(regs);
      return 1;
    }
    break;
  case 0x0400: case 0x0800: case 0x0c00: case 0x1000:
    if (handle_page_fault(regs->cr_ifa)) return 0;
    break;
  case 0x5700:
    take_recovery_branch(regs);
    return 0;
  }
  if (!user && was_expected(regs)) return 0;
  if (user) {
    describe("user process killed", regs);
    exit_current(0x100 | (vector >> 8));
  }
  describe("unexpected interruption", regs);
  power_off(1);
}
