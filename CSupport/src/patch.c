// What rewriting code under running threads needs of the system (kittson_translator.h): serialisation of all threads
// by membarrier, and the handler of the breakpoints that stand while an instruction is being replaced.
#define _GNU_SOURCE
#include "kittson_translator.h"
#include <errno.h>
#include <linux/membarrier.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

_Static_assert(offsetof(kt_cpu, ar_fpsr) == 352, "enter.S names this offset");
_Static_assert(offsetof(kt_cpu, budget) == 272, "enter.S names this offset");
_Static_assert(offsetof(kt_cpu, stack_limit) == offsetof(kt_cpu, stack_base) + 8, "enter.S counts on it");
_Static_assert(offsetof(kt_cpu, return_thunk) == offsetof(kt_cpu, stack_base) + 16, "enter.S counts on it");
const uint64_t kt_stack_base_offset = offsetof(kt_cpu, stack_base);
const uint64_t kt_stlb_offset = offsetof(kt_cpu, stlb);
const uint64_t kt_deferred_offset = offsetof(kt_cpu, deferred_mask);
const uint64_t kt_settle_offset = offsetof(kt_cpu, settle);

int kt_patch_register(void) {
  return (int)syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0);
}

int kt_patch_synchronize(void) {
  return (int)syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0);
}

// The table of standing breakpoints. Readers are signal handlers: an entry is valid while `address` is not 0, and the
// other fields are written before it.
enum { TRAP_COUNT = 64 };
static struct {
  _Atomic uint64_t address;
  _Atomic uint64_t resume;
  _Atomic uint64_t return_address;
} traps[TRAP_COUNT];
static _Atomic uint64_t taken;
static struct sigaction previous;

int kt_patch_trap_add(uint64_t address, uint64_t resume, uint64_t return_address) {
  for (int i = 0; i < TRAP_COUNT; i++) {
    if (atomic_load(&traps[i].address) != 0) continue;
    atomic_store(&traps[i].resume, resume);
    atomic_store(&traps[i].return_address, return_address);
    atomic_store(&traps[i].address, address);
    return 0;
  }
  errno = EAGAIN;
  return -1;
}

void kt_patch_trap_remove(uint64_t address) {
  for (int i = 0; i < TRAP_COUNT; i++)
    if (atomic_load(&traps[i].address) == address) atomic_store(&traps[i].address, 0);
}

uint64_t kt_patch_traps_taken(void) { return atomic_load(&taken); }

#if defined(__x86_64__)
static void on_trap(int signal, siginfo_t *info, void *context) {
  ucontext_t *c = context;
  uint64_t at = (uint64_t)c->uc_mcontext.gregs[REG_RIP] - 1;
  for (int i = 0; i < TRAP_COUNT; i++) {
    if (atomic_load(&traps[i].address) != at) continue;
    uint64_t return_address = atomic_load(&traps[i].return_address);
    if (return_address != 0) {
      c->uc_mcontext.gregs[REG_RSP] -= 8;
      *(uint64_t *)c->uc_mcontext.gregs[REG_RSP] = return_address;
    }
    c->uc_mcontext.gregs[REG_RIP] = (greg_t)atomic_load(&traps[i].resume);
    atomic_fetch_add(&taken, 1);
    return;
  }
  // The breakpoint may have been taken away between its execution and this handler: run the instruction again.
  if (*(volatile uint8_t *)at != 0xcc) {
    c->uc_mcontext.gregs[REG_RIP] = (greg_t)at;
    return;
  }
  if (previous.sa_flags & SA_SIGINFO && previous.sa_sigaction) { previous.sa_sigaction(signal, info, context); return; }
  if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) { previous.sa_handler(signal); return; }
  // Not ours: the default action, when the breakpoint is reached again.
  sigaction(SIGTRAP, &previous, NULL);
  c->uc_mcontext.gregs[REG_RIP] = (greg_t)at;
}

int kt_patch_trap_install(void) {
  static _Atomic int installed;
  if (atomic_exchange(&installed, 1)) return 0;
  struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK};
  sigemptyset(&action.sa_mask);
  return sigaction(SIGTRAP, &action, &previous);
}
#else
int kt_patch_trap_install(void) { errno = ENOSYS; return -1; }
#endif
