// What two processes that run one guest side by side need of C: a fork before any thread exists, and ordered access to
// words in shared memory.
#pragma once
#include <sched.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/// fork(2), which Swift hides. Only for a process without other threads. The child is ended when its parent ends.
/// 0 in the child, the child's id in the parent, -1 with errno set.
pid_t kt_fork(void);

static inline uint64_t kt_load_acquire(const uint64_t *_Nonnull word) {
  return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}
static inline void kt_store_release(uint64_t *_Nonnull word, uint64_t value) {
  __atomic_store_n(word, value, __ATOMIC_RELEASE);
}

/// A pause inside a spinning wait.
static inline void kt_relax(void) { __builtin_ia32_pause(); }

/// Whether a child has ended: 1 with its wait(2) status in `*status`, 0 while it runs, -1 if there is none.
int kt_child_ended(pid_t child, int *_Nonnull status);

#ifdef __cplusplus
}
#endif
