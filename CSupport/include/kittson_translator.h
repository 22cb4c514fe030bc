// The way from Swift into the code cache and back, and what the host patcher needs of the operating system.
#pragma once

/// Bytes of stack that calls of emitted code may take, 16 each. (enter.S reads this line too.)
#define KT_EMITTED_STACK 32768

#ifndef __ASSEMBLER__
#include "kittson_cpu.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Gives r15 for the present frame: a place in the ring's two mappings with room on either side, so that calls and returns
/// of emitted code need no wrapping. Sets frame_base, frame_low and frame_high.
uint64_t *_Nonnull kt_place_frame(kt_cpu *_Nonnull cpu);
/// Brings bof, frame and frame_nat up to r15.
void kt_sync_frame(kt_cpu *_Nonnull cpu, uint64_t *_Nonnull r15);

/// Runs emitted code at `code` until it leaves; the value is what it left in rax. Emitted code finds
/// rbx = cpu + KT_CPU_BIAS, r13 = cpu->budget, r14 = cpu->stlb, r15 = kt_place_frame; rsp is 16-byte aligned, and what it
/// points to is the host address where a guest's return goes on: at first the return thunk.
uint64_t kt_enter_code(kt_cpu *_Nonnull cpu, const void *_Nonnull code);

static inline const void *_Nonnull kt_place_frame_address(void) { return (const void *)kt_place_frame; }
static inline const void *_Nonnull kt_sync_frame_address(void) { return (const void *)kt_sync_frame; }

/// Where emitted code jumps to leave (not a function to call).
extern const char kt_leave_code[];
static inline const void *_Nonnull kt_leave_address(void) { return kt_leave_code; }

/// Lets every thread of the process see changed code before this returns. 0, or -1 with errno set.
int kt_patch_register(void);
int kt_patch_synchronize(void);

/// Replaces the bits of `mask` in an aligned word by those of `bits`, with one store.
static inline void kt_patch_store_word(void *_Nonnull word, uint64_t bits, uint64_t mask) {
  uint64_t old = __atomic_load_n((uint64_t *)word, __ATOMIC_RELAXED);
  __atomic_store_n((uint64_t *)word, (old & ~mask) | (bits & mask), __ATOMIC_RELEASE);
}
static inline void kt_patch_store_byte(uint8_t *_Nonnull place, uint8_t value) {
  __atomic_store_n(place, value, __ATOMIC_RELEASE);
}
/// Breakpoint protocol: while a patch point at `address` is being rewritten, a thread that runs into its int3 goes
/// on at `resume` with a return address `return_address` pushed when that is not 0.
int kt_patch_trap_install(void);
int kt_patch_trap_add(uint64_t address, uint64_t resume, uint64_t return_address);
void kt_patch_trap_remove(uint64_t address);
uint64_t kt_patch_traps_taken(void);

#ifdef __cplusplus
}
#endif
#endif
