/* Patch types and the records that announce call sites (Linux: asm/paravirt_patch.h). */
#ifndef PARAVIRT_PATCH_H
#define PARAVIRT_PATCH_H

#define PARAVIRT_PATCH_TYPE_FC 1
#define PARAVIRT_PATCH_TYPE_THASH 2
#define PARAVIRT_PATCH_TYPE_GET_CPUID 3
#define PARAVIRT_PATCH_TYPE_GET_PMD 4
#define PARAVIRT_PATCH_TYPE_PTCGA 5
#define PARAVIRT_PATCH_TYPE_GET_RR 6
#define PARAVIRT_PATCH_TYPE_SET_RR 7
#define PARAVIRT_PATCH_TYPE_SET_RR0_TO_RR4 8
#define PARAVIRT_PATCH_TYPE_SSM_I 9
#define PARAVIRT_PATCH_TYPE_RSM_I 10
#define PARAVIRT_PATCH_TYPE_GET_PSR_I 11
#define PARAVIRT_PATCH_TYPE_INTRIN_LOCAL_IRQ_RESTORE 12
#define PARAVIRT_PATCH_TYPE_GETREG 0x10000000
#define PARAVIRT_PATCH_TYPE_SETREG 0x20000000
#define PARAVIRT_PATCH_TYPE_BR_START 0x30000000
#define PARAVIRT_PATCH_TYPE_BR_SWITCH_TO (PARAVIRT_PATCH_TYPE_BR_START + 0)
#define PARAVIRT_PATCH_TYPE_BR_LEAVE_SYSCALL (PARAVIRT_PATCH_TYPE_BR_START + 1)
#define PARAVIRT_PATCH_TYPE_BR_WORK_PROCESSED_SYSCALL (PARAVIRT_PATCH_TYPE_BR_START + 2)
#define PARAVIRT_PATCH_TYPE_BR_LEAVE_KERNEL (PARAVIRT_PATCH_TYPE_BR_START + 3)

#ifndef __ASSEMBLER__

struct paravirt_patch_site_bundle { void *sbundle, *ebundle; unsigned long type; };
/* A tag is a bundle's address with the slot in its low two bits. */
struct paravirt_patch_site_inst { unsigned long stag, etag, type; };
struct paravirt_patch_site_branch { unsigned long tag, type; };

struct paravirt_patch_bundle_elem { const void *sbundle, *ebundle; unsigned long type; };
struct paravirt_patch_branch_target { const void *entry; unsigned long type; };

extern const struct paravirt_patch_site_bundle __start_paravirt_bundles[], __stop_paravirt_bundles[];
extern const struct paravirt_patch_site_inst __start_paravirt_insts[], __stop_paravirt_insts[];
extern const struct paravirt_patch_site_branch __start_paravirt_branches[], __stop_paravirt_branches[];

/* Applies all bundle, instruction and branch records; a NULL member of pv_init_ops skips its pass. */
void paravirt_patch_apply(void);
unsigned long ia64_native_patch_bundle(void *sbundle, void *ebundle, unsigned long type);
void ia64_native_patch_branch(unsigned long tag, unsigned long type);
void paravirt_flush_i_cache_range(const void *addr, unsigned long size);

#endif
#endif
