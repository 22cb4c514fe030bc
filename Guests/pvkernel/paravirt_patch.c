/* The guest's own patcher: copies a backend's code over each announced call site, fills what is left with nops,
 * retargets the four branches and makes the result visible to instruction fetch (Linux: kernel/paravirt_patch.c).
 * Formats of the branch instruction: Itanium SDM vol. 3, 4.5 (B1). */
#include "kernel.h"
#include "paravirt.h"
#include "paravirt_patch.h"
#include "paravirt_privop.h"

typedef struct { unsigned long quad0, quad1; } bundle_t;

extern const bundle_t paravirt_nop_bundle, paravirt_nop_mfi_inst_bundle;
extern void paravirt_fc_i(const void *addr);

#define SLOT_MASK ((1UL << 41) - 1)

void paravirt_flush_i_cache_range(const void *addr, unsigned long size) {
  for (unsigned long offset = 0; offset < size; offset += sizeof(bundle_t)) paravirt_fc_i((const char *)addr + offset);
}

static bundle_t *tag_bundle(unsigned long tag) { return (bundle_t *)(tag & ~15UL); }

static unsigned long read_slot(unsigned long tag) {
  const bundle_t *bundle = tag_bundle(tag);
  switch (tag & 3) {
  case 0: return (bundle->quad0 >> 5) & SLOT_MASK;
  case 1: return ((bundle->quad0 >> 46) | (bundle->quad1 << 18)) & SLOT_MASK;
  default: return bundle->quad1 >> 23;
  }
}

static void write_slot(unsigned long tag, unsigned long inst) {
  bundle_t *bundle = tag_bundle(tag);
  switch (tag & 3) {
  case 0: bundle->quad0 = (bundle->quad0 & ~(SLOT_MASK << 5)) | (inst << 5); break;
  case 1:
    bundle->quad0 = (bundle->quad0 & ((1UL << 46) - 1)) | (inst << 46);
    bundle->quad1 = (bundle->quad1 & ~((1UL << 23) - 1)) | (inst >> 18);
    break;
  default: bundle->quad1 = (bundle->quad1 & ((1UL << 23) - 1)) | (inst << 23);
  }
  paravirt_flush_i_cache_range(bundle, sizeof *bundle);
}

/* Points the br.cond (B1) at `tag` to `target`, a bundle address within 16 MiB. */
static void paravirt_patch_reloc_br(unsigned long tag, const void *target) {
  long displacement = (long)target - (long)tag_bundle(tag);
  unsigned long inst = read_slot(tag);
  if (((long)target & 15) || displacement < -(1L << 24) || displacement >= (1L << 24))
    panic("paravirt branch out of reach", tag);
  inst &= ~((0xfffffUL << 13) | (1UL << 36));
  inst |= ((unsigned long)(displacement >> 4) & 0xfffff) << 13;
  if (displacement < 0) inst |= 1UL << 36;
  write_slot(tag, inst);
}

extern const char ia64_native_switch_to[], ia64_native_leave_syscall[], ia64_native_work_processed_syscall[],
    ia64_native_leave_kernel[];

static const struct paravirt_patch_branch_target ia64_native_branch_target[] = {
    {ia64_native_switch_to, PARAVIRT_PATCH_TYPE_BR_SWITCH_TO},
    {ia64_native_leave_syscall, PARAVIRT_PATCH_TYPE_BR_LEAVE_SYSCALL},
    {ia64_native_work_processed_syscall, PARAVIRT_PATCH_TYPE_BR_WORK_PROCESSED_SYSCALL},
    {ia64_native_leave_kernel, PARAVIRT_PATCH_TYPE_BR_LEAVE_KERNEL},
};

void ia64_native_patch_branch(unsigned long tag, unsigned long type) {
  for (unsigned long i = 0; i < ARRAY_SIZE(ia64_native_branch_target); i++)
    if (ia64_native_branch_target[i].type == type) {
      paravirt_patch_reloc_br(tag, ia64_native_branch_target[i].entry);
      return;
    }
}

#define BODY_DECLARE(name) extern const char ia64_native_##name##_direct_start[], ia64_native_##name##_direct_end[];
#define BODY(name, type) {ia64_native_##name##_direct_start, ia64_native_##name##_direct_end, type},
#define DECLARE_GETREG(name, number) BODY_DECLARE(getreg_##name)
#define DECLARE_SETREG(name, number) BODY_DECLARE(setreg_##name)
#define GETREG(name, number) BODY(getreg_##name, PARAVIRT_PATCH_TYPE_GETREG + number)
#define SETREG(name, number) BODY(setreg_##name, PARAVIRT_PATCH_TYPE_SETREG + number)

#define FOR_EACH_NAMED(X) \
  X(fc, FC) X(thash, THASH) X(get_cpuid, GET_CPUID) X(get_pmd, GET_PMD) X(ptcga, PTCGA) X(get_rr, GET_RR) \
  X(set_rr, SET_RR) X(set_rr0_to_rr4, SET_RR0_TO_RR4) X(ssm_i, SSM_I) X(rsm_i, RSM_I) X(get_psr_i, GET_PSR_I) \
  X(intrin_local_irq_restore, INTRIN_LOCAL_IRQ_RESTORE)
#define DECLARE_NAMED(name, type) BODY_DECLARE(name)
#define NAMED(name, type) BODY(name, PARAVIRT_PATCH_TYPE_##type)
#define FOR_EACH_SPECIAL_GETREG(X) \
  X(PSR, _IA64_REG_PSR) X(TP, _IA64_REG_TP) X(GP, _IA64_REG_GP) X(SP, _IA64_REG_SP)
#define FOR_EACH_SPECIAL_SETREG(X) X(PSR_L, _IA64_REG_PSR_L) X(GP, _IA64_REG_GP) X(SP, _IA64_REG_SP)

FOR_EACH_NAMED(DECLARE_NAMED)
FOR_EACH_SPECIAL_GETREG(DECLARE_GETREG)
FOR_EACH_SPECIAL_SETREG(DECLARE_SETREG)
FOR_EACH_AR(DECLARE_GETREG)
FOR_EACH_AR(DECLARE_SETREG)
FOR_EACH_READ_ONLY_AR(DECLARE_GETREG)
FOR_EACH_CR(DECLARE_GETREG)
FOR_EACH_CR(DECLARE_SETREG)
FOR_EACH_READ_ONLY_CR(DECLARE_GETREG)

static const struct paravirt_patch_bundle_elem ia64_native_patch_bundle_elems[] = {
    FOR_EACH_NAMED(NAMED)
    FOR_EACH_SPECIAL_GETREG(GETREG)
    FOR_EACH_SPECIAL_SETREG(SETREG)
    FOR_EACH_AR(GETREG)
    FOR_EACH_AR(SETREG)
    FOR_EACH_READ_ONLY_AR(GETREG)
    FOR_EACH_CR(GETREG)
    FOR_EACH_CR(SETREG)
    FOR_EACH_READ_ONLY_CR(GETREG)
};

/* Copies the body for `type` to the site. Returns the bytes used; 0 leaves the site a call: no body for the type, or
 * no room for it. */
unsigned long ia64_native_patch_bundle(void *sbundle, void *ebundle, unsigned long type) {
  if (((unsigned long)sbundle | (unsigned long)ebundle) & 15) panic("paravirt site not on a bundle", (long)sbundle);
  for (unsigned long i = 0; i < ARRAY_SIZE(ia64_native_patch_bundle_elems); i++) {
    const struct paravirt_patch_bundle_elem *elem = &ia64_native_patch_bundle_elems[i];
    unsigned long need = (const char *)elem->ebundle - (const char *)elem->sbundle;
    if (elem->type != type) continue;
    if ((unsigned long)((char *)ebundle - (char *)sbundle) < need) return 0;
    memcpy(sbundle, elem->sbundle, need);
    return need;
  }
  return 0;
}

static void paravirt_patch_apply_bundle(void) {
  if (!pv_init_ops.patch_bundle) return;
  for (const struct paravirt_patch_site_bundle *p = __start_paravirt_bundles; p < __stop_paravirt_bundles; p++) {
    unsigned long used = pv_init_ops.patch_bundle(p->sbundle, p->ebundle, p->type);
    if (!used) continue;
    for (bundle_t *fill = (bundle_t *)((char *)p->sbundle + used); fill < (bundle_t *)p->ebundle; fill++)
      *fill = paravirt_nop_bundle;
    paravirt_flush_i_cache_range(p->sbundle, (char *)p->ebundle - (char *)p->sbundle);
  }
  ia64_sync_i();
  ia64_srlz_i();
}

static unsigned long next_tag(unsigned long tag) { return (tag & 3) < 2 ? tag + 1 : (tag & ~15UL) + 16; }

static void paravirt_patch_apply_inst(void) {
  if (!pv_init_ops.patch_inst) return;
  for (const struct paravirt_patch_site_inst *p = __start_paravirt_insts; p < __stop_paravirt_insts; p++) {
    unsigned long tag = pv_init_ops.patch_inst(p->stag, p->etag, p->type);
    if (tag == p->stag) continue;
    for (; tag < p->etag; tag = next_tag(tag)) write_slot(tag, read_slot((unsigned long)&paravirt_nop_mfi_inst_bundle));
    paravirt_flush_i_cache_range(tag_bundle(p->stag), (char *)(tag_bundle(p->etag) + 1) - (char *)tag_bundle(p->stag));
  }
  ia64_sync_i();
  ia64_srlz_i();
}

static void paravirt_patch_apply_branch(void) {
  if (!pv_init_ops.patch_branch) return;
  for (const struct paravirt_patch_site_branch *p = __start_paravirt_branches; p < __stop_paravirt_branches; p++)
    pv_init_ops.patch_branch(p->tag, p->type);
  ia64_sync_i();
  ia64_srlz_i();
}

void paravirt_patch_apply(void) {
  paravirt_patch_apply_bundle();
  paravirt_patch_apply_inst();
  paravirt_patch_apply_branch();
}
