// Atomic accesses to guest memory by size, for the semaphore instructions: other guest processors run on other host
// threads. Values are in memory order. Addresses are aligned to the size.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// 1, 2, 4 or 8 bytes, zero-extended.
static inline uint64_t kt_atomic_load(const void *_Nonnull address, uint32_t size) {
  switch (size) {
    case 1: return __atomic_load_n((const uint8_t *)address, __ATOMIC_SEQ_CST);
    case 2: return __atomic_load_n((const uint16_t *)address, __ATOMIC_SEQ_CST);
    case 4: return __atomic_load_n((const uint32_t *)address, __ATOMIC_SEQ_CST);
    default: return __atomic_load_n((const uint64_t *)address, __ATOMIC_SEQ_CST);
  }
}

/// Writes `desired` if memory still holds `expected`; whether it did.
static inline bool kt_atomic_compare_exchange(
    void *_Nonnull address, uint32_t size, uint64_t expected, uint64_t desired) {
  switch (size) {
    case 1: return __sync_bool_compare_and_swap((uint8_t *)address, (uint8_t)expected, (uint8_t)desired);
    case 2: return __sync_bool_compare_and_swap((uint16_t *)address, (uint16_t)expected, (uint16_t)desired);
    case 4: return __sync_bool_compare_and_swap((uint32_t *)address, (uint32_t)expected, (uint32_t)desired);
    default: return __sync_bool_compare_and_swap((uint64_t *)address, expected, desired);
  }
}

/// 16 bytes as two words in the order of their addresses.
typedef struct kt_pair {
  uint64_t first, second;
} kt_pair;

/// Two words that need not be of one moment: `kt_atomic_compare_exchange16` tells.
static inline kt_pair kt_atomic_load16(const void *_Nonnull address) {
  kt_pair pair = {__atomic_load_n((const uint64_t *)address, __ATOMIC_SEQ_CST),
                  __atomic_load_n((const uint64_t *)address + 1, __ATOMIC_SEQ_CST)};
  return pair;
}

/// Writes `desired` if memory still holds `*expected`; whether it did.
static inline bool kt_atomic_compare_exchange16(
    void *_Nonnull address, const kt_pair *_Nonnull expected, kt_pair desired) {
#if defined(__x86_64__)
  bool done;
  uint64_t low = expected->first, high = expected->second;
  __asm__ volatile("lock cmpxchg16b %1"
                   : "=@ccz"(done), "+m"(*(unsigned __int128 *)address), "+a"(low), "+d"(high)
                   : "b"(desired.first), "c"(desired.second)
                   : "memory");
  return done;
#else
  unsigned __int128 old = (unsigned __int128)expected->second << 64 | expected->first;
  unsigned __int128 new_value = (unsigned __int128)desired.second << 64 | desired.first;
  return __sync_bool_compare_and_swap((unsigned __int128 *)address, old, new_value);
#endif
}

#ifdef __cplusplus
}
#endif
