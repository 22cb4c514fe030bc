// Host signals on their way to guest threads. A guest thread is a host thread whose signal mask is the guest's, so the
// host keeps what is pending and chooses the thread. A handler takes one signal at a time: it blocks all others on its
// return, notes the signal for its thread and asks the engine to stop; the platform delivers at the next safe point and
// then lets the next one in. So nothing is lost, however many are queued.
//
// The signals that faults raise (SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV) are never blocked on the host. Those that were
// sent, not raised, are held here, one of each.
#pragma once
#include "kittson_cpu.h"
#include <pthread.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Bytes of a siginfo_t, which has one layout on ia64 and x86-64 but for faults.
#define KT_SIGINFO_BYTES 128

/// What waits for one guest thread. The thread's own signal handlers write it.
typedef struct kt_guest_signals {
  uint8_t info[KT_SIGINFO_BYTES] __attribute__((aligned(16))); // the captured signal
  uint8_t held_info[5][KT_SIGINFO_BYTES];                      // sent fault signals, in the order of their numbers
  volatile uint64_t held;     // which of those there are: bit signal − 1
  volatile uint32_t captured; // `info` holds a signal, and all others are blocked
  volatile uint32_t attention; // anything new: a system call that has not begun must not begin
  kt_cpu *_Nullable cpu;      // whose stop_request is set
} kt_guest_signals;

/// What kt_guest_syscall returns when a signal came before the call had any effect: the kernel's ERESTARTSYS.
#define KT_RESTART (-512)

/// Makes the calling host thread a guest thread with an alternate stack for its handlers, or (NULL) no longer one.
/// 0, or −1 with errno set.
int kt_signals_attach(kt_guest_signals *_Nullable signals);

/// Where a signal goes that a thread without a guest receives: to the guest thread with this host thread id (0: none).
void kt_signals_set_leader(pid_t thread);

/// Installs the handlers of fault signals. What the process had is kept for `kt_signals_restore`.
void kt_signals_install(void);
/// Puts back every disposition that was changed here.
void kt_signals_restore(void);

enum { KT_SIGNAL_DEFAULT, KT_SIGNAL_IGNORE, KT_SIGNAL_CAPTURE };
/// Sets what the host does with a signal. `flags`: the guest's SA_RESTART, SA_NOCLDSTOP and SA_NOCLDWAIT.
void kt_signals_set(int signal, int disposition, uint64_t flags);
/// KT_SIGNAL_DEFAULT or KT_SIGNAL_IGNORE as the process was started with; KT_SIGNAL_CAPTURE for any other handler.
int kt_signals_disposition(int signal);

/// The calling thread's mask, bit signal − 1. The set function leaves fault signals unblocked.
uint64_t kt_signals_mask(void);
void kt_signals_set_mask(uint64_t mask);

/// Interrupts a guest thread wherever it is, a system call included. It finds `attention` set.
void kt_signals_kick(pid_t thread);

/// Takes the held signal of the lowest number that `mask` does not block: its number, or 0.
int kt_signals_take_held(kt_guest_signals *_Nonnull signals, uint64_t mask, uint8_t *_Nonnull info);

/// The bits of the fault signals in a mask.
uint64_t kt_signals_fault_mask(void);

/// Makes a host system call unless `attention` is set; a signal that comes before the call has any effect makes it
/// return KT_RESTART. Otherwise the result, or the negated errno.
int64_t kt_guest_syscall(
    const volatile uint32_t *_Nonnull attention, int64_t number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3,
    uint64_t a4, uint64_t a5);

/// fork(2) for a guest: the calling thread alone goes on in the child. 0 in the child, its id in the parent, or the
/// negated errno.
int kt_guest_fork(void);

/// Starts a host thread with all signals blocked. `body` must not return before it is done with `argument`. 0 or an errno.
int kt_guest_thread(void *_Nullable (*_Nonnull body)(void *_Nullable), void *_Nullable argument, pthread_t *_Nonnull id);

#ifdef __cplusplus
}
#endif
