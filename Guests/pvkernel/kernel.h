/* What the kernel's parts say to each other. */
#ifndef KERNEL_H
#define KERNEL_H

#include "layout.h"
#include "paravirt.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define NULL ((void *)0)

/* The bare machine's devices (Documentation/bare-machine.md), physical. */
#define INTERRUPT_BLOCK 0xfee00000UL
#define UART_BASE 0xff5e0000UL
#define POWER_SWITCH 0xff5f0000UL
#define MACHINE_CLOCK 0xff5f0008UL
static inline void *device(unsigned long physical) { return (void *)(UNCACHED_BASE + physical); }
static inline void *cached(unsigned long physical) { return (void *)(CACHED_BASE + physical); }

struct boot_param {
  char magic[8];
  unsigned int version, processors;
  unsigned long memory_size, itc_frequency, command_line, command_line_length, reserved[2];
};
extern const struct boot_param *ia64_boot_param;
extern unsigned long hypervisor_type;

/* lib.c */
void *memcpy(void *to, const void *from, unsigned long n);
void *memset(void *to, int value, unsigned long n);
int memcmp(const void *a, const void *b, unsigned long n);

/* console.c: human lines are dropped when `quiet` stands on the command line, machine lines never. */
void console_put(const char *text, unsigned long length);
void put_string(const char *text);
void put_decimal(unsigned long value);
void put_hex(unsigned long value);
void say(const char *text);                                /* a human line */
void say_number(const char *text, unsigned long value);    /* a human line that ends in a decimal number */
void panic(const char *what, unsigned long value) __attribute__((noreturn));
void power_off(unsigned long status) __attribute__((noreturn));
extern int quiet;
int command_word(const char *word);
unsigned long command_number(const char *name, unsigned long otherwise);
int command_names(const char *name, const char *value); /* a word "name=value" is there */
int command_has(const char *name);                      /* a word "name=..." is there */

/* What an interruption saves; the offsets are PT_ in layout.h. */
struct pt_regs {
  unsigned long cr_ipsr, cr_iip, cr_ifs, ar_unat, ar_pfs, ar_rsc, ar_rnat, ar_bspstore, pr, loadrs, b0, b6, b7, ar_ccv,
      ar_fpsr, ar_csd, ar_ssd, spill_unat, r1, r2, r3, r8, r9, r10, r11, r12, r13, r14, r15, r16_to_31[16], pad;
  struct { unsigned long low, high; } f6_to_11[6];
  unsigned long cr_isr, cr_ifa, cr_iim, vector;
};

struct task {
  unsigned long ksp;
  unsigned int need_resched, state;
  unsigned long number, exit_status, system_calls, yields, page_faults, preemptions, bytes_written;
  unsigned long rid;
  unsigned long padding[TASK_PTES / 8 - 10];
  unsigned long pte[2 * USER_PAGES]; /* of region 2, then of region 3; the miss handlers read them */
};
enum { TASK_RUNNING, TASK_EXITED };
register struct task *current asm("r13"); /* the thread pointer: r13 */

/* mm.c */
void *page_alloc(void);
int handle_page_fault(unsigned long address); /* 1: mapped now */
extern volatile unsigned long tlb_misses; /* counted by ivt.S */
extern unsigned long page_faults;

/* trap.c */
/* A trap that a check causes on purpose: execution goes on at `resume`, and the rest says what was seen. */
struct expected_trap { unsigned long vector, resume, hits, isr, ifa, iim; };
extern struct expected_trap expected_trap;
int ia64_handle_interruption(unsigned long vector, struct pt_regs *regs);
extern unsigned long timer_ticks, spurious_interrupts;
extern unsigned long interrupts_taken[256];
#define TIMER_VECTOR 0xef
#define IPI_VECTOR 0xfe
void timer_start(unsigned long period);
void timer_stop(void);
void send_ipi(unsigned long vector);
void ia64_native_register_ipi(void);
int ia64_native_assign_irq_vector(int irq);
void ia64_native_free_irq_vector(int vector);
void ia64_native_register_percpu_irq(ia64_vector vec, struct irqaction *action);
void ia64_native_resend_irq(unsigned int vector);

/* task.c */
void schedule(void);
void task_init(void);
void run_user_tasks(void);
void system_call(struct pt_regs *regs);
void exit_current(unsigned long status) __attribute__((noreturn));
#define USER_TASKS 2
struct task *user_task(unsigned long index);
extern unsigned long context_switches;

/* checks.c */
void check(const char *name, unsigned long got, unsigned long want);
void run_checks(void);
void check_tasks(void);
extern unsigned long checks_done, checks_failed;

/* bench.c */
void run_bench(unsigned long calls, unsigned long rounds);

#endif
