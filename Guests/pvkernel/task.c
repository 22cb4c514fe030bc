/* Tasks: the kernel's own and two user processes, switched by yielding and by the timer; their system calls, with
 * Linux's numbers. */
#include "kernel.h"
#include "paravirt_privop.h"

_Static_assert(__builtin_offsetof(struct task, ksp) == TASK_KSP, "ksp");
_Static_assert(__builtin_offsetof(struct task, need_resched) == TASK_NEED_RESCHED, "need_resched");
_Static_assert(__builtin_offsetof(struct task, pte) == TASK_PTES, "pte");
_Static_assert(sizeof(struct task) <= TASK_STORE, "struct task");

#define NR_exit 1025
#define NR_write 1027
#define NR_getpid 1041
#define NR_sched_yield 1164
#define NR_exit_group 1236
#define EFAULT 14
#define ENOSYS 38

union task_space { struct task task; unsigned char bytes[TASK_SIZE]; };
union task_space init_task __attribute__((aligned(64)));
static union task_space user_space[USER_TASKS] __attribute__((aligned(64)));

struct switch_stack {
  struct { unsigned long low, high; } f[20];
  unsigned long r4_to_7[4], b0, b1_to_5[5], pfs, lc, unat, spill_unat, pr, bspstore, rnat, fpsr;
};
_Static_assert(sizeof(struct switch_stack) == SW_SIZE, "switch_stack");
_Static_assert(__builtin_offsetof(struct switch_stack, bspstore) == SW_BSPSTORE, "switch_stack bspstore");

extern const char ia64_native_ret_from_fork[];
extern struct task *ia64_switch_to(struct task *next);
extern const unsigned char user_image[], user_image_end[];

unsigned long context_switches;

struct task *user_task(unsigned long index) { return &user_space[index].task; }

static struct task *task_by_number(unsigned long number) {
  return number ? &user_space[number - 1].task : &init_task.task;
}

static void load_address_space(const struct task *task) {
  unsigned long rid = task->rid;
  ia64_set_rr0_to_rr4(RR(rid, PAGE_SHIFT, 0), RR(rid + 1, PAGE_SHIFT, 0), RR(rid + 2, PAGE_SHIFT, 0),
                      RR(rid + 3, PAGE_SHIFT, 0), RR(rid + 4, PAGE_SHIFT, 0));
  ia64_srlz_d();
}

/* Gives the processor to the next task that can run; returns when this one has its turn again. Interrupts are off. */
void schedule(void) {
  unsigned long number = current->number;
  struct task *next;
  current->need_resched = 0;
  do {
    number = number == USER_TASKS ? 0 : number + 1;
    next = task_by_number(number);
  } while (next->state != TASK_RUNNING);
  if (next == current) return;
  context_switches++;
  load_address_space(next);
  ia64_switch_to(next);
}

void exit_current(unsigned long status) {
  current->exit_status = status;
  current->state = TASK_EXITED;
  schedule();
  panic("an exited task ran again", current->number);
}

void task_init(void) {
  init_task.task.rid = 0x100;
  load_address_space(&init_task.task);
}

/* A new process: its image in region 2, and on its kernel stack what an interruption and switch_to would have left. */
static void create_user_task(unsigned long number) {
  union task_space *space = &user_space[number - 1];
  struct task *task = &space->task;
  unsigned long size = (unsigned long)(user_image_end - user_image);
  task->number = number;
  task->rid = 0x100 + (number << 4);
  for (unsigned long offset = 0, page = 0; offset < size; offset += PAGE_SIZE, page++) {
    unsigned char *memory = page_alloc();
    memcpy(memory, user_image + offset, size - offset < PAGE_SIZE ? size - offset : PAGE_SIZE);
    paravirt_flush_i_cache_range(memory, PAGE_SIZE);
    task->pte[page] = ((unsigned long)memory & PTE_PPN_MASK) | PAGE_USER;
  }
  ia64_sync_i();
  ia64_srlz_i();
  struct pt_regs *regs = (struct pt_regs *)(space->bytes + TASK_SIZE - PT_SIZE);
  regs->cr_ipsr = USER_PSR;
  regs->cr_iip = USER_TEXT;
  regs->cr_ifs = 1UL << 63;
  regs->ar_rsc = 0xf; /* eager, privilege level 3 */
  regs->ar_bspstore = USER_STORE;
  regs->ar_fpsr = FPSR_DEFAULT;
  regs->r12 = USER_STORE + USER_PAGES * PAGE_SIZE - 16;
  regs->r8 = number;
  struct switch_stack *saved = (struct switch_stack *)((unsigned char *)regs - SW_SIZE);
  saved->b0 = (unsigned long)ia64_native_ret_from_fork;
  saved->bspstore = (unsigned long)space->bytes + TASK_STORE;
  saved->fpsr = FPSR_DEFAULT;
  task->ksp = (unsigned long)saved - 16;
}

/* Runs both user processes to their ends, with the timer forcing switches between them. */
void run_user_tasks(void) {
  for (unsigned long number = 1; number <= USER_TASKS; number++) create_user_task(number);
  timer_start(ia64_boot_param->itc_frequency ? ia64_boot_param->itc_frequency >> 10 : 20000);
  for (;;) {
    int running = 0;
    for (unsigned long i = 0; i < USER_TASKS; i++) running |= user_space[i].task.state == TASK_RUNNING;
    if (!running) break;
    schedule();
    local_irq_enable();
    local_irq_disable();
  }
  timer_stop();
}

/* One register back on a backing store: every 64th word holds NaT bits instead. */
static const unsigned long *previous_register(const unsigned long *slot) {
  do slot--;
  while ((((unsigned long)slot >> 3) & 63) == 63);
  return slot;
}

/* The output registers of the caller's frame, which the interruption left on the kernel's backing store. */
static void fetch_arguments(const struct pt_regs *regs, unsigned long *arguments, unsigned long count) {
  unsigned long frame = regs->cr_ifs & 0x7f, locals = (regs->cr_ifs >> 7) & 0x7f;
  const unsigned long *slot = (const unsigned long *)((unsigned long)current + TASK_STORE + (regs->loadrs >> 16));
  asm volatile(";; flushrs ;;" ::: "memory");
  for (; frame > locals; frame--) {
    slot = previous_register(slot);
    if (frame - 1 - locals < count) arguments[frame - 1 - locals] = *(volatile const unsigned long *)slot;
  }
}

static int user_range(unsigned long address, unsigned long length) {
  unsigned long region = address >> 61, offset = address & ((1UL << 61) - 1);
  return (region == 2 || region == 3) && length <= USER_PAGES * PAGE_SIZE && offset + length <= USER_PAGES * PAGE_SIZE;
}

static void succeed(struct pt_regs *regs, unsigned long value) { regs->r8 = value, regs->r10 = 0; }
static void fail(struct pt_regs *regs, unsigned long error) { regs->r8 = error, regs->r10 = -1UL; }

static void system_write(struct pt_regs *regs, const unsigned long *arguments) {
  if (!user_range(arguments[1], arguments[2])) {
    fail(regs, EFAULT);
    return;
  }
  if (!quiet) console_put((const char *)arguments[1], arguments[2]);
  current->bytes_written += arguments[2];
  succeed(regs, arguments[2]);
}

/* r15 holds the number, the caller's output registers the arguments; r8 and r10 return the result and 0, or an errno
 * and -1. */
void system_call(struct pt_regs *regs) {
  unsigned long arguments[3] = {0, 0, 0};
  fetch_arguments(regs, arguments, ARRAY_SIZE(arguments));
  current->system_calls++;
  switch (regs->r15) {
  case NR_exit: case NR_exit_group: exit_current(arguments[0]); return;
  case NR_write: system_write(regs, arguments); return;
  case NR_getpid: succeed(regs, current->number); return;
  case NR_sched_yield:
    current->yields++;
    current->need_resched = 1;
    succeed(regs, 0);
    return;
  default: fail(regs, ENOSYS);
  }
}
