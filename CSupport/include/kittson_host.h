// Host system calls by number: glibc's `syscall` is variadic, which Swift does not import.
#pragma once
#include <stdint.h>
#include <sys/syscall.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Makes host system call `number`. Returns its result, or the negated errno.
int64_t kt_host_syscall(
    int64_t number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5);

/// Whether the host has fused multiply-add instructions (FMA3).
static inline int kt_host_has_fma(void) { return __builtin_cpu_supports("fma") ? 1 : 0; }

/// The names that errno.h and signal.h give a number ("ENOENT"; "INT" for SIGINT); NULL where there is none.
const char *_Nullable kt_error_name(int code);
const char *_Nullable kt_signal_name(int number);

#ifdef __cplusplus
}
#endif
