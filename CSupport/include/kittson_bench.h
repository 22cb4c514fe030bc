// The host's side of the measurements: the same calls that emitted code makes, in a C loop, and the bodies of short
// operations as the C compiler writes them, to compare emitted code with.
#pragma once
#include "kittson_paravirt.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Host ticks for `count` passes of a loop that calls `callable` with the given argument.
uint64_t kt_bench_call(kt_callable _Nonnull callable, kt_cpu *_Nonnull cpu, uint64_t argument, uint64_t count);
/// Host ticks for `count` passes of the same loop without the call.
uint64_t kt_bench_empty(uint64_t count);

/// Native bodies of operations: result as the guest would find it in r8.
uint64_t kt_body_get_rr(kt_cpu *_Nonnull cpu, uint64_t index);
uint64_t kt_body_thash(kt_cpu *_Nonnull cpu, uint64_t va);
uint64_t kt_body_getreg_psr(kt_cpu *_Nonnull cpu);
uint64_t kt_body_get_psr_i(kt_cpu *_Nonnull cpu);

#ifdef __cplusplus
}
#endif
