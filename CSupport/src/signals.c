// Host signals on their way to guest threads (kittson_signals.h).
#define _GNU_SOURCE
#include "kittson_signals.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

_Static_assert(sizeof(siginfo_t) == KT_SIGINFO_BYTES, "siginfo_t has 128 bytes");

enum { SIGNALS = 64, HANDLER_STACK = 64 << 10 };

// The kernel's struct sigaction: glibc's own refuses the two signals of the thread library, which the guest's uses too.
typedef struct kernel_action {
  void *handler;
  unsigned long flags;
  void *restorer;
  uint64_t mask;
} kernel_action;

#define KERNEL_SA_RESTORER 0x04000000ul

extern void kt_signal_restorer(void);
extern const char kt_guest_syscall_begin[], kt_guest_syscall_end[], kt_guest_syscall_interrupted[];

static __thread kt_guest_signals *current;
static volatile pid_t leader;
static kernel_action original[SIGNALS + 1];
static uint8_t changed[SIGNALS + 1];
/// si_code of a kick; no kernel and no C library uses it.
enum { KICK = -0x4b54 };
static const int fault_signals[5] = {SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV};

static int fault_index(int signal) {
  for (int i = 0; i < 5; i++)
    if (fault_signals[i] == signal) return i;
  return -1;
}

uint64_t kt_signals_fault_mask(void) {
  uint64_t mask = 0;
  for (int i = 0; i < 5; i++) mask |= 1ull << (fault_signals[i] - 1);
  return mask;
}

static long set_action(int signal, const kernel_action *new, kernel_action *old) {
  return syscall(SYS_rt_sigaction, signal, new, old, 8);
}

/// A fault of Kittson itself: what was there before decides (the patcher's breakpoints), else the default action.
static void chain(int signal, siginfo_t *info, void *context) {
  const kernel_action *before = &original[signal];
  if (before->handler == (void *)SIG_IGN || before->handler == (void *)SIG_DFL) {
    kernel_action action = {.handler = (void *)SIG_DFL};
    set_action(signal, &action, NULL);
    return;
  }
  ((void (*)(int, siginfo_t *, void *))before->handler)(signal, info, context);
}

static void note(kt_guest_signals *guest, int signal, siginfo_t *info, ucontext_t *context) {
  int fault = fault_index(signal);
  if (fault >= 0) {
    if (info->si_code != KICK && !(guest->held >> (signal - 1) & 1)) {
      memcpy(guest->held_info[fault], info, sizeof *info);
      __atomic_fetch_or(&guest->held, 1ull << (signal - 1), __ATOMIC_SEQ_CST);
    }
  } else {
    memcpy(guest->info, info, sizeof *info);
    guest->captured = 1;
    uint64_t all = ~kt_signals_fault_mask();
    memcpy(&context->uc_sigmask, &all, sizeof all);
  }
  guest->attention = 1;
  if (guest->cpu) guest->cpu->stop_request = 1;
  greg_t *pc = &context->uc_mcontext.gregs[REG_RIP];
  if (*pc >= (greg_t)kt_guest_syscall_begin && *pc < (greg_t)kt_guest_syscall_end)
    *pc = (greg_t)kt_guest_syscall_interrupted;
}

static void capture(int signal, siginfo_t *info, void *context) {
  int saved = errno;
  if (fault_index(signal) >= 0 && info->si_code > 0) {
    chain(signal, info, context);
  } else if (current) {
    note(current, signal, info, context);
  } else if (leader && leader != (pid_t)syscall(SYS_gettid)) {
    syscall(SYS_rt_tgsigqueueinfo, getpid(), leader, signal, info);
  }
  errno = saved;
}

int kt_signals_attach(kt_guest_signals *signals) {
  static __thread void *stack;
  current = signals;
  if (!signals) {
    stack_t none = {.ss_flags = SS_DISABLE};
    if (stack) sigaltstack(&none, NULL);
    free(stack);
    stack = NULL;
    return 0;
  }
  if (stack) return 0;
  if (!(stack = malloc(HANDLER_STACK))) return -1;
  stack_t own = {.ss_sp = stack, .ss_size = HANDLER_STACK};
  return sigaltstack(&own, NULL);
}

void kt_signals_set_leader(pid_t thread) { leader = thread; }

static void change(int signal, const kernel_action *action) {
  kernel_action old;
  if (set_action(signal, action, &old) != 0) return;
  if (!changed[signal]) original[signal] = old;
  changed[signal] = 1;
}

void kt_signals_set(int signal, int disposition, uint64_t flags) {
  const uint64_t passed = SA_RESTART | SA_NOCLDSTOP | SA_NOCLDWAIT;
  kernel_action action = {.handler = (void *)SIG_DFL, .flags = flags & passed & ~(uint64_t)SA_RESTART};
  if (disposition == KT_SIGNAL_IGNORE) action.handler = (void *)SIG_IGN;
  if (disposition == KT_SIGNAL_CAPTURE || fault_index(signal) >= 0) {
    action.handler = (void *)capture;
    action.flags = (flags & passed) | SA_SIGINFO | SA_ONSTACK | KERNEL_SA_RESTORER;
    action.restorer = (void *)kt_signal_restorer;
    action.mask = ~kt_signals_fault_mask();
  }
  change(signal, &action);
}

void kt_signals_install(void) {
  for (int i = 0; i < 5; i++) kt_signals_set(fault_signals[i], KT_SIGNAL_CAPTURE, SA_RESTART);
}

void kt_signals_restore(void) {
  for (int signal = 1; signal <= SIGNALS; signal++) {
    if (changed[signal]) set_action(signal, &original[signal], NULL);
    changed[signal] = 0;
  }
}

int kt_signals_disposition(int signal) {
  kernel_action action;
  if (set_action(signal, NULL, &action) != 0 || action.handler == (void *)SIG_DFL) return KT_SIGNAL_DEFAULT;
  return action.handler == (void *)SIG_IGN ? KT_SIGNAL_IGNORE : KT_SIGNAL_CAPTURE;
}

uint64_t kt_signals_mask(void) {
  uint64_t mask = 0;
  syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &mask, 8);
  return mask;
}

void kt_signals_set_mask(uint64_t mask) {
  mask &= ~kt_signals_fault_mask();
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, 8);
}

void kt_signals_kick(pid_t thread) {
  siginfo_t info = {.si_signo = SIGBUS, .si_code = KICK};
  syscall(SYS_rt_tgsigqueueinfo, getpid(), thread, SIGBUS, &info);
}

int kt_signals_take_held(kt_guest_signals *signals, uint64_t mask, uint8_t *info) {
  uint64_t ready = __atomic_load_n(&signals->held, __ATOMIC_SEQ_CST) & ~mask;
  if (!ready) return 0;
  int signal = __builtin_ctzll(ready) + 1;
  memcpy(info, signals->held_info[fault_index(signal)], KT_SIGINFO_BYTES);
  __atomic_fetch_and(&signals->held, ~(1ull << (signal - 1)), __ATOMIC_SEQ_CST);
  return signal;
}

int kt_guest_fork(void) {
  pid_t child = fork();
  return child < 0 ? -errno : child;
}

int kt_guest_thread(void *(*body)(void *), void *argument, pthread_t *id) {
  uint64_t all = ~kt_signals_fault_mask(), before = kt_signals_mask();
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, 8);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 1 << 20);
  int result = pthread_create(id, &attributes, body, argument);
  pthread_attr_destroy(&attributes);
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, 8);
  return result;
}
