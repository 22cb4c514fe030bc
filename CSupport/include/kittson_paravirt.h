// Call sites and the operation table: what the two engines, emitted code and the patcher share about paravirt_ops.
// Everything here is plain memory; Sources/Paravirt owns it.
#pragma once
#include "kittson_cpu.h"

#ifdef __cplusplus
extern "C" {
#endif

/// The operations of pv_cpu_ops in the order of the structure's members (the byte offset of a member is 8 * number).
typedef enum kt_operation {
  KT_OP_FC = 0, KT_OP_THASH, KT_OP_GET_CPUID, KT_OP_GET_PMD, KT_OP_GETREG, KT_OP_SETREG, KT_OP_PTCGA, KT_OP_GET_RR,
  KT_OP_SET_RR, KT_OP_SET_RR0_TO_RR4, KT_OP_SSM_I, KT_OP_RSM_I, KT_OP_GET_PSR_I, KT_OP_INTRIN_LOCAL_IRQ_RESTORE,
  KT_OP_COUNT
} kt_operation;

/// What the host executes at a call site.
typedef enum kt_dispatch {
  KT_DISPATCH_EMULATED = 0, // the guest's own indirect call, as any code
  KT_DISPATCH_INDIRECT = 1, // call through the slot of the operation table (a libffi closure where the binding is Swift's)
  KT_DISPATCH_DIRECT = 2,   // call rel32 to the native callable
  KT_DISPATCH_INLINED = 3,  // the operation's own host instructions
} kt_dispatch;

/// A native callable: the operation's arguments after the processor, in the order of the register ABI (r8, r9, r10,
/// r11, r14); the result, where there is one, goes to r8. A callable that takes fewer arguments than the type has is
/// called with all of them: on the hosts' calling conventions the rest are registers that it ignores.
///
/// The caller sets cpu->ip to the site's start and cpu->ri to 0 first. A callable that makes the guest fault delivers
/// the interruption itself (the machine's raise functions), sets cpu->event_check and so leaves with cpu->ip elsewhere (a
/// guest process: with cpu->trap.pending set): the result is then no result, and the guest starts the site anew
/// when its handler returns. kt_site_left tells.
typedef uint64_t (*kt_callable)(kt_cpu *, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);

/// A slot of the operation table. The two pointers may be replaced while guests run: each is one aligned word.
typedef struct kt_operation_slot {
  kt_callable indirect;  // what an indirect call reaches: a libffi closure, or the callable itself
  kt_callable direct;    // the callable of a direct call
  void *cif;             // ffi_cif of the operation's signature, for ffi_call from the interpreter
  uint32_t arguments;    // guest arguments, 0..5
  uint32_t has_result;
  uint32_t native;       // 1: the binding is Kittson's own native body, which an inline emitter may stand for
  uint32_t reserved;
} kt_operation_slot;

/// One call site. `dispatch` may change while guests run.
typedef struct kt_site {
  uint64_t start, end;   // guest virtual addresses, [start, end), multiples of 16
  uint32_t type;         // PARAVIRT_PATCH_TYPE_…
  uint16_t operation;    // kt_operation
  uint8_t dispatch;      // kt_dispatch asked for
  uint8_t bound;         // the bytes at the site are its call: it may be dispatched. 0: plain guest code
  uint64_t calls;        // times executed through the host (emitted code counts where it is asked to)
  uint64_t patch_point;  // the translator's: where the host code of its dispatch was put last, 0 if nowhere
} kt_site;

/// Slots that one execution of a bound site counts for, in every engine and dispatch state but `emulated`: those of the
/// five bundles, movl as one. They have been counted when the callable runs, and stay counted when it faults.
#define KT_SITE_SLOTS 14

typedef struct kt_site_table kt_site_table;
struct kt_site_table {
  kt_operation_slot operation[KT_OP_COUNT];
  kt_site *site;         // sorted by start
  uint64_t count;
  uint64_t generation;   // grows with every change of bindings, sites or dispatch that engines must notice
  // Sets and gives site[].bound by the guest's bytes, of which `available` may be read.
  uint8_t (*recognize)(kt_site_table *, uint64_t site, const void *text, uint64_t available);
  void *owner;           // Paravirt's own
};

/// What `call_site` gives beside the values of kt_status: the site must be executed as the plain guest code that it is
/// (not bound, dispatch `emulated`, or an argument register holds a NaT).
#define KT_CALL_EMULATE 8

/// Index of the site that starts at a guest address, bound or not, or -1.
static inline int64_t kt_site_starting(const kt_site_table *table, uint64_t address) {
  uint64_t low = 0, high = table->count;
  while (low < high) {
    uint64_t middle = low + (high - low) / 2;
    if (table->site[middle].start < address) low = middle + 1; else high = middle;
  }
  return low < table->count && table->site[low].start == address ? (int64_t)low : -1;
}

/// Index of the site that starts at a guest address and may be dispatched now, or -1. For decoders: a binary search and a
/// look at the text, not for every call. `text` is the host address of the guest's bytes there: a site whose bytes are no
/// longer its call (nor the guest's own native body for it) is plain guest code, and so is one whose member of pv_cpu_ops
/// the guest has replaced. `available` bytes may be read there: a site that is longer is plain guest code.
static inline int64_t kt_site_at(kt_site_table *table, uint64_t address, const void *text, uint64_t available) {
  int64_t site = kt_site_starting(table, address);
  if (site < 0) return -1;
  if (table->recognize != 0) return table->recognize(table, (uint64_t)site, text, available) ? site : -1;
  return table->site[site].bound ? site : -1;
}

/// Whether a callable made the guest leave the site (it faulted or stopped) instead of completing.
static inline bool kt_site_left(const kt_cpu *cpu, const kt_site *site) {
  return cpu->ip != site->start || cpu->trap.pending != 0;
}

// Words that other host threads read while they change.
static inline void kt_slot_bind(kt_operation_slot *slot, kt_callable indirect, kt_callable direct, uint32_t native) {
  __atomic_store_n(&slot->native, native, __ATOMIC_RELEASE);
  __atomic_store_n(&slot->direct, direct, __ATOMIC_RELEASE);
  __atomic_store_n(&slot->indirect, indirect, __ATOMIC_RELEASE);
}
static inline void kt_table_changed(kt_site_table *table) {
  __atomic_fetch_add(&table->generation, 1, __ATOMIC_RELEASE);
}
static inline void kt_site_set_dispatch(kt_site *site, uint8_t dispatch) {
  __atomic_store_n(&site->dispatch, dispatch, __ATOMIC_RELEASE);
}
static inline void kt_site_set_bound(kt_site *site, uint8_t bound) {
  __atomic_store_n(&site->bound, bound, __ATOMIC_RELEASE);
}
static inline void kt_site_count_call(kt_site *site) { __atomic_fetch_add(&site->calls, 1, __ATOMIC_RELAXED); }
static inline uint64_t kt_site_calls(const kt_site *site) { return __atomic_load_n(&site->calls, __ATOMIC_RELAXED); }
static inline kt_operation_slot *_Nonnull kt_operation_slots(kt_site_table *_Nonnull table) { return table->operation; }

#ifdef __cplusplus
}
#endif
