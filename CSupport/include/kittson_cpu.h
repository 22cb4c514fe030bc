// The guest processor's state: one C struct that the interpreter, the translator's emitted code and every Swift
// module share. This header is the only truth about its layout; Swift sees it as UnsafeMutablePointer<kt_cpu>,
// emitted code by offsetof.
//
// Conventions
//  - Register numbers are architectural after renaming. Units are stated where a field is not a plain register.
//  - Emitted code addresses the struct through a base register that points KT_CPU_BIAS bytes into it, so that the
//    static general registers lie within an 8-bit displacement.
//  - Everything up to `derived` is architectural and is what a comparison of two machines looks at; what follows
//    is derived from it or belongs to the host.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Plugins are built with any C or C++ compiler; only clang knows nullability, which Swift's view of this needs.
#ifdef __clang__
#pragma clang diagnostic ignored "-Wnullability-completeness"
#else
#define _Nonnull
#define _Nullable
#endif
#ifdef __cplusplus
#define KT_STATIC_ASSERT static_assert
#else
#define KT_STATIC_ASSERT _Static_assert
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define KT_CPU_BIAS 128

// The ring that holds the stacked general registers: positions modulo KT_RING_REGISTERS, mapped twice back to back
// (see kittson_ring.h), so that [frame + 8*(n-32)] never wraps. NaT bits stand in a parallel ring, a byte each.
#define KT_RING_REGISTERS 4096
#define KT_RING_BYTES (KT_RING_REGISTERS * 8)

// Marks a floating-point register whose significand field holds the 64 bits of an IEEE double ("packed double"):
// set in the upper word, whose lower 18 bits are then zero. The value is what ldfd makes of those bits, NaNs and
// denormals included (decisions/0005).
#define KT_FR_PACKED_DOUBLE 0x8000000000000000ULL

// Marks a floating-point register whose value emitted code has put off: its upper word says which step of which run
// computes it (Translator). Nobody outside of emitted code sees one.
#define KT_FR_PUT_OFF 0x4000000000000000ULL
// In kt_cpu.deferred_mask: registers may be so marked.
#define KT_DEFERRED_RUNS 1u

/// A floating-point register. Canonical form: `significand` 64 bits, `sign_exponent` bit 17 the sign, bits 16:0 the
/// exponent biased by 65535.
typedef struct kt_fr {
  uint64_t significand;
  uint64_t sign_exponent;
} __attribute__((aligned(16))) kt_fr;

/// One translation register or cache entry (SDM vol. 2, 4.1.1).
typedef struct kt_translation {
  uint64_t va;   // first virtual address, region bits included, aligned to the page size
  uint64_t pte;  // the 64 bits of the insertion format: p, ma, a, d, pl, ar, ppn, ed
  uint32_t rid;  // region identifier, 24 bits
  uint32_t key;  // protection key, 24 bits
  uint8_t ps;    // log2 of the page size
  uint8_t valid;
  uint8_t reserved[6];
} kt_translation;

enum {
  KT_ITR_COUNT = 16,
  KT_DTR_COUNT = 16,
  KT_ITC_COUNT = 128,
  KT_DTC_COUNT = 128,
  KT_CACHED_PAGES_SHIFT = 15, // kt_cpu.cached_pages; 2^n - 1, so that a mask tells the larger sizes
  KT_CACHED_PAGES_WORDS = 8,
};

/// A line of the software TLB, by which loads and stores reach host memory without a call. A tag is the page's virtual
/// address (4 KiB granules, whatever the guest's page size), or KT_STLB_NONE where the access must take the slow
/// path (unmapped, device, a store to a page that holds decoded or translated code, big-endian, data breakpoints).
typedef struct kt_stlb_line {
  uint64_t read_tag;
  uint64_t write_tag;
  uint64_t addend;   // host address = virtual address + addend
  uint64_t physical; // physical address of the granule
} kt_stlb_line;

#define KT_STLB_LINES 256
#define KT_STLB_NONE 0x800ULL  // a bit that every probe masks away, so it equals no address it is compared with
#define KT_GRANULE_SHIFT 12

// Emitted code keeps copies of lines at places of its own choice: lines for each base register's accesses, which spares
// the index computation. What forgets a line forgets its copies.
#define KT_STLB_NEAR 128

typedef struct kt_stlb {
  kt_stlb_line line[KT_STLB_LINES];
  kt_stlb_line near[KT_STLB_NEAR];
} kt_stlb;

/// Index of the software TLB line of a virtual address: emitted code computes the same.
static inline uint64_t kt_stlb_index(uint64_t va) { return (va >> KT_GRANULE_SHIFT) & (KT_STLB_LINES - 1); }

/// One entry of the advanced load address table: the register that a load was advanced into, and what it read.
typedef struct kt_alat_entry {
  uint64_t tag;       // the physical register (Machine/ALAT.swift); 0: no entry
  uint64_t physical;  // first byte, and how many
  uint64_t size;
} kt_alat_entry;

#define KT_ALAT_ENTRIES 32

typedef struct kt_alat {
  kt_alat_entry entry[KT_ALAT_ENTRIES];
  uint32_t next;   // the next victim
  uint32_t count;  // entries present
} kt_alat;

/// How an engine's step ended.
typedef enum kt_status {
  KT_CONTINUE = 0,     // the instruction is done: the next one is at the following slot
  KT_BRANCHED = 1,     // done, and ip/ri say where to go on
  KT_INTERRUPTED = 2,  // an interruption was delivered: ip/ri stand at its handler
  KT_STOPPED = 3,      // the engine must return to its caller: stop_reason says why
  KT_DEFERRED = 4,     // a speculative load's fault is deferred: its target becomes NaT (only from `load`)
} kt_status;

typedef enum kt_stop_reason {
  KT_STOP_NONE = 0,
  KT_STOP_BUDGET = 1,      // the slot budget is used up
  KT_STOP_EXIT = 2,        // the platform asks to end (power-off, exit): stop_detail is the exit status
  KT_STOP_RESET = 3,       // the platform asks for a reset
  KT_STOP_PROCESS_TRAP = 4, // a Linux process made a system call or faulted: the platform looks at `trap`
  KT_STOP_HALT = 5,        // the guest waits for an interrupt
  KT_STOP_REQUEST = 6,     // another thread set `stop_request`
  KT_STOP_FATAL = 7,       // the guest can't go on (stop_detail: a kt_fatal)
  KT_STOP_FIRMWARE = 8,    // the guest called the firmware: ip/ri stand at the break instruction (stop_detail: its immediate)
} kt_stop_reason;

/// Why the guest can't go on (stop_detail of KT_STOP_FATAL).
typedef enum kt_fatal {
  KT_FATAL_NO_CODE = 1,   // fetch from where there is no memory
  KT_FATAL_NO_EVENT = 2,  // the guest waits and nothing can ever wake it
} kt_fatal;

typedef struct kt_cpu kt_cpu;
struct kt_instruction;

/// An interruption on its way to the guest or, in a Linux process, to the platform (fields as the control registers).
typedef struct kt_trap {
  uint32_t vector;  // offset in the interruption vector table, e.g. 0x2c00 for Break
  uint32_t pending;
  uint64_t isr, ifa, iim, itir, iha;
} kt_trap;

struct kt_cpu {
  // --- general registers, within disp8 of the biased base -------------------------------------------------------
  uint64_t gr[32];       // r0 (always 0) .. r31 of the active bank
  // --- hot ----------------------------------------------------------------------------------------------------
  uint64_t *frame;       // host address of r32: ring + bof mod KT_RING_REGISTERS
  uint8_t *frame_nat;    // the same position in the ring of NaT bytes
  int64_t budget;        // issued slots left until the next event; an engine leaves when it would fall below zero
  uint64_t ip;           // address of the current bundle
  uint32_t ri;           // slot within it, 0..2 (psr.ri)
  uint8_t nat_live;      // 0: no general register of the current frame holds a NaT. 1: one may (a scan tells)
  uint8_t interrupt_ready; // an external interrupt above the task priority waits (psr.i not considered)
  uint8_t stop_request;  // set by any thread: leave at the next safe point
  uint8_t event_check;   // an instruction changed what may interrupt: the engine asks the machine before it goes on
  uint64_t psr;          // processor status register without ri (SDM vol. 2, 3.3.2)
  uint64_t cfm;          // current frame marker: sof 6:0, sol 13:7, sor 17:14, rrb.gr 24:18, rrb.fr 31:25, rrb.pr 37:32
  uint64_t ar_lc, ar_ec, ar_pfs, ar_ccv, ar_unat, ar_fpsr;
  uint64_t br[8];
  uint64_t reserved3[3];
  uint8_t pr[64];        // (64-byte aligned) predicates, a byte each (0 or 1), physical numbers; pr[0] is 1
  kt_fr fr[128];         // physical numbers; fr[0] is +0.0, fr[1] is +1.0
  uint8_t gr_nat[32];    // NaT bits of r0..r31, a byte each

  // --- register stack engine (SDM vol. 2, chapter 6) -----------------------------------------------------------
  int64_t bof;           // absolute ring position of r32 (counts on past the ring's size; may be negative)
  int64_t store_position; // position that BSPSTORE names: [store_position, bof) is dirty
  int64_t load_position; // [load_position, store_position) is clean; = store_position when there is none
  int64_t window_top;    // one past the highest position whose content is current: see RegisterStack.swift
  uint64_t ar_bspstore;  // backing store address of store_position
  uint64_t ar_rnat;      // RNAT collection
  uint64_t ar_rsc;
  uint32_t physical_stacked; // N_STACK_PHYS: 96 by default, at most KT_RING_REGISTERS - 128
  uint8_t frame_incomplete;  // registers of the current frame still wait to be filled (RSE.CFLE)
  uint8_t reserved0[3];

  // --- the inactive bank of r16..r31 -----------------------------------------------------------------------------
  uint64_t bank_gr[16];
  uint8_t bank_nat[16];

  // --- application registers -------------------------------------------------------------------------------------
  uint64_t ar_kr[8];
  uint64_t ar_fcr, ar_eflag, ar_csd, ar_ssd, ar_cflg, ar_fsr, ar_fir, ar_fdr;
  uint64_t itc_offset;   // ar.itc = clock + itc_offset

  // --- control registers (SDM vol. 2, 3.3.4) -----------------------------------------------------------------------
  uint64_t cr_dcr, cr_itm, cr_iva, cr_pta, cr_ipsr, cr_isr, cr_iip, cr_ifa, cr_itir, cr_iipa, cr_ifs, cr_iim, cr_iha;
  uint64_t cr_lid, cr_tpr, cr_irr[4], cr_itv, cr_pmv, cr_cmcv, cr_lrr[2];
  uint64_t in_service[4]; // external interrupts delivered by a read of cr.ivr and not yet ended by cr.eoi

  // --- region, protection key, debug, performance and identification registers -----------------------------------
  uint64_t rr[8], pkr[16], dbr[16], ibr[16], pmc[32], pmd[32], cpuid[8];

  // --- translations ------------------------------------------------------------------------------------------------
  kt_translation itr[KT_ITR_COUNT], dtr[KT_DTR_COUNT];
  kt_translation itc[KT_ITC_COUNT], dtc[KT_DTC_COUNT];
  uint32_t itc_next, dtc_next; // round-robin victims

  // --- derived from the above, or the host's: `derived` marks where it begins ---------------------------------------
  uint8_t derived;
  uint8_t is_process;     // a Linux process: interruptions go to the platform, not to cr.iva
  uint8_t virtual_clock;
  uint8_t ring_has_nat;   // some position of the ring, in the current frame or not, may hold a NaT
  uint8_t deferral;       // the last failed access was deferred (set and cleared within Memory.swift)
  uint8_t stlb_level;     // the privilege level whose rights stlb_modes[2] holds
  uint8_t reserved1[2];
  int64_t frame_limit;    // alloc and br.ret may reach this position without help: min(store_position + physical_stacked,
                          // window_top), or INT64_MIN while ring_has_nat
  int64_t deadline;       // virtual time (slots) at which the budget is used up: now = deadline - budget
  uint64_t fetch_generation; // grows whenever an instruction address may translate differently than before
  uint64_t cached_pages[KT_CACHED_PAGES_WORDS]; // bit (va >> 15) mod 512: itc or dtc may map part of those 32 KiB
  uint64_t cached_wide;   // bit (rid mod 64): itc or dtc may hold a page of more than 32 KiB of that region identifier
  uint64_t itm_deadline;  // value of the clock at which the interval timer fires, or ~0
  uint32_t stop_reason;
  uint32_t index;         // number of this processor
  int64_t stop_detail;
  kt_trap trap;
  kt_stlb *stlb;          // software TLB of the present addressing mode
  kt_stlb *stlb_modes[4]; // 0 physical, 1 virtual at cpl 0, 2 virtual at cpl stlb_level, 3 never hits
  uint64_t *ring;         // the ring of stacked registers (two mappings of KT_RING_BYTES)
  uint8_t *ring_nat;      // KT_RING_REGISTERS NaT bytes, likewise mapped twice
  void *machine;          // Machine's own context (kt_machine)
  void *engine;           // the running engine's context
  void *store_log;        // lockstep: where stores are recorded (kt_store_log), or NULL
  void *sites;            // call sites and operation table (kt_site_table), or NULL
  kt_alat *alat;          // the advanced load address table, or NULL: it is empty and stays so
  const void *deferred;   // floating-point results put off by emitted code, of two integers; whoever leaves it settles them
  uint64_t deferred_a, deferred_b;
  uint32_t deferred_mask; // registers below 32 whose values are put off; KT_DEFERRED_RUNS
  uint32_t reserved4;
  uint64_t deferred_progress; // the mark of the last step that was put off, while a run is being executed

  // Services that emitted code and the engines call through the struct, so that no module needs to know the other.
  // All return a kt_status; KT_INTERRUPTED means that the fault has been delivered.
  int (*load)(kt_cpu *, uint64_t va, uint32_t size_and_flags, uint64_t *value);
  int (*store)(kt_cpu *, uint64_t va, uint32_t size_and_flags, uint64_t value);
  int (*execute_instruction)(kt_cpu *, const struct kt_instruction *); // the interpreter, for one instruction
  void (*code_written)(kt_cpu *, uint64_t physical, uint64_t length);  // guest code in that range may have changed
  int (*call_site)(kt_cpu *, uint32_t site);                           // a bound operation, from the interpreter
  void (*settle)(kt_cpu *);                                            // computes what `deferred_mask` says is put off

  // The frame while emitted code runs (kittson_translator.h): r15 is the truth, and bof, frame and frame_nat follow when
  // somebody else looks.
  uint64_t *frame_base;   // the r15 for which bof, frame and frame_nat are right
  uint64_t *frame_low;    // a return may take r15 down to here without help
  uint64_t *frame_high;   // the end of a frame may reach this place without help
  uint64_t stack_base;    // rsp of emitted code with no call behind it
  uint64_t stack_limit;   // calls below it begin at stack_base again
  uint64_t return_thunk;  // host address of the return for which no call is remembered
  uint64_t store_value;   // what a store's slow path stores
  uint64_t spill[64];     // values of emitted code that found no host register
};

// Flags beside the size (bytes, low 8 bits) of `load` and `store`.
enum {
  KT_ACCESS_SIZE_MASK = 0xff,
  KT_ACCESS_SPECULATIVE = 1 << 8,   // ld.s, ld.sa: deferral rules, ISR.sp
  KT_ACCESS_RSE = 1 << 9,           // the register stack engine, at ar.rsc.pl (ISR.rs)
  KT_ACCESS_WRITE_BACK = 1 << 10,   // other memory refuses it (Unsupported Data Reference)
  KT_ACCESS_NONE = 1 << 11,         // non-access (ISR.na): fc, lfetch, probe, tpa
  KT_ACCESS_UNALIGNED = 1 << 12,    // the address is not aligned, and that is a fault, after those of translation
  KT_ACCESS_CODE_SHIFT = 16,        // with NONE: which instruction it is (ISR.code{3:0}), four bits
  KT_ACCESS_RAW = 1 << 13,          // bytes in memory order whatever psr.be says
  KT_ACCESS_ADVANCED = 1 << 15,     // ld.a, ld.sa: memory that is not speculative gives nothing (KT_DEFERRED)
};

/// Stores in order, for lockstep verification: a ring that the verifier empties at each block boundary.
typedef struct kt_store_record {
  uint64_t va, value;
  uint32_t size;
  uint32_t reserved;
} kt_store_record;

typedef struct kt_store_log {
  uint64_t count;      // records since the last reset, the overflow included
  uint64_t capacity;
  kt_store_record *record;
} kt_store_log;

static inline void kt_store_log_append(kt_store_log *log, uint64_t va, uint64_t value, uint32_t size) {
  if (log->count < log->capacity) {
    kt_store_record *r = &log->record[log->count];
    r->va = va; r->value = value; r->size = size; r->reserved = 0;
  }
  log->count++;
}

// Addresses of the arrays, for Swift, which sees a C array in a struct as a tuple.
static inline uint64_t *_Nonnull kt_static_gr(kt_cpu *_Nonnull c) { return c->gr; }
static inline uint8_t *_Nonnull kt_static_nat(kt_cpu *_Nonnull c) { return c->gr_nat; }
static inline uint8_t *_Nonnull kt_predicates(kt_cpu *_Nonnull c) { return c->pr; }
static inline kt_fr *_Nonnull kt_floats(kt_cpu *_Nonnull c) { return c->fr; }
static inline uint64_t *_Nonnull kt_branches(kt_cpu *_Nonnull c) { return c->br; }
static inline uint64_t *_Nonnull kt_bank_gr(kt_cpu *_Nonnull c) { return c->bank_gr; }
static inline uint8_t *_Nonnull kt_bank_nat(kt_cpu *_Nonnull c) { return c->bank_nat; }
static inline uint64_t *_Nonnull kt_kernel_registers(kt_cpu *_Nonnull c) { return c->ar_kr; }
static inline uint64_t *_Nonnull kt_region_registers(kt_cpu *_Nonnull c) { return c->rr; }
static inline uint64_t *_Nonnull kt_protection_keys(kt_cpu *_Nonnull c) { return c->pkr; }
static inline uint64_t *_Nonnull kt_data_breakpoints(kt_cpu *_Nonnull c) { return c->dbr; }
static inline uint64_t *_Nonnull kt_instruction_breakpoints(kt_cpu *_Nonnull c) { return c->ibr; }
static inline uint64_t *_Nonnull kt_pmc(kt_cpu *_Nonnull c) { return c->pmc; }
static inline uint64_t *_Nonnull kt_pmd(kt_cpu *_Nonnull c) { return c->pmd; }
static inline uint64_t *_Nonnull kt_cpuid(kt_cpu *_Nonnull c) { return c->cpuid; }
static inline uint64_t *_Nonnull kt_irr(kt_cpu *_Nonnull c) { return c->cr_irr; }
static inline uint64_t *_Nonnull kt_in_service(kt_cpu *_Nonnull c) { return c->in_service; }
static inline uint64_t *_Nonnull kt_lrr(kt_cpu *_Nonnull c) { return c->cr_lrr; }
static inline kt_translation *_Nonnull kt_itr(kt_cpu *_Nonnull c) { return c->itr; }
static inline kt_translation *_Nonnull kt_dtr(kt_cpu *_Nonnull c) { return c->dtr; }
static inline uint64_t *_Nonnull kt_cached_pages(kt_cpu *_Nonnull c) { return c->cached_pages; }
static inline kt_translation *_Nonnull kt_itc(kt_cpu *_Nonnull c) { return c->itc; }
static inline kt_translation *_Nonnull kt_dtc(kt_cpu *_Nonnull c) { return c->dtc; }
static inline kt_alat_entry *_Nonnull kt_alat_entries(kt_alat *_Nonnull t) { return t->entry; }
static inline kt_stlb *_Nullable *_Nonnull kt_stlb_modes(kt_cpu *_Nonnull c) { return c->stlb_modes; }
static inline kt_stlb_line *_Nonnull kt_stlb_lines(kt_stlb *_Nonnull s) { return s->line; }

/// Bytes at the start of the struct that are architectural state.
static inline size_t kt_architectural_size(void) { return offsetof(kt_cpu, derived); }

/// Ticks of the host's time stamp counter.
static inline uint64_t kt_host_ticks(void) { return __builtin_ia32_rdtsc(); }

KT_STATIC_ASSERT(offsetof(kt_cpu, gr) == 0, "static registers lie within disp8 of the biased base");
KT_STATIC_ASSERT(offsetof(kt_cpu, pr) % 64 == 0, "predicates fill one cache line");
KT_STATIC_ASSERT(offsetof(kt_cpu, fr) % 16 == 0, "floating-point registers are aligned for SSE");
KT_STATIC_ASSERT(sizeof(kt_fr) == 16, "a floating-point register is 16 bytes");

#ifdef __cplusplus
}
#endif
