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

/// The body of an operation as the compiler makes it, to compare emitted code with: `name` as the measured loops are
/// called, `code` its first instruction, `size` bytes up to the next function, padding included.
typedef struct kt_body {
  const char *_Nonnull name;
  const void *_Nonnull code;
  size_t size;
} kt_body;
size_t kt_body_count_value(void);
kt_body kt_body_at(size_t index);

#ifdef __cplusplus
}
#endif
