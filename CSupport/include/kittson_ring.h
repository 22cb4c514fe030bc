// Memory with two mappings: the ring of stacked registers (the same pages twice, back to back) and the code cache
// (one mapping writable, another executable, so that no page is ever both).
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Maps `size` bytes (a multiple of the page size) of fresh shared memory twice, back to back, readable and writable.
/// Returns the first mapping, or NULL with errno set.
void *kt_map_twice(size_t size);
void kt_unmap_twice(void *memory, size_t size);

/// Puts fresh memory with the bytes of `copy` in place of both mappings: behind a fork, whose child shares the old ones.
/// 0, or -1 with errno set.
int kt_renew_twice(void *memory, size_t size, const void *copy);

/// The code cache's memory.
typedef struct kt_code_memory {
  uint8_t *writable;
  uint8_t *executable;
  size_t size;
} kt_code_memory;

/// Maps `size` bytes as code memory, the executable mapping within 2 GiB of the program where there is room. Returns 0,
/// or -1 with errno set.
int kt_map_code(size_t size, kt_code_memory *memory);
void kt_unmap_code(kt_code_memory *memory);

#ifdef __cplusplus
}
#endif
