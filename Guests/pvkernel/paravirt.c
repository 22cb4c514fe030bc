/* The operation tables as a native kernel starts with them, the hooks that other environments run before start_kernel,
 * and their native implementations (Linux: kernel/paravirt.c). */
#include "kernel.h"
#include "paravirt.h"
#include "paravirt_patch.h"
#include "paravirt_privop.h"

struct pv_info pv_info = {.kernel_rpl = 0, .paravirt_enabled = 0, .name = "bare hardware"};

struct pv_init_ops pv_init_ops = {
    .patch_bundle = ia64_native_patch_bundle,
    .patch_inst = 0,
    .patch_branch = ia64_native_patch_branch,
};

extern void ia64_native_fc_func(void *addr);
extern unsigned long ia64_native_thash_func(unsigned long addr);
extern unsigned long ia64_native_get_cpuid_func(int index);
extern unsigned long ia64_native_get_pmd_func(int index);
extern unsigned long ia64_native_getreg_func(int reg);
extern void ia64_native_setreg_func(int reg, unsigned long val);
extern void ia64_native_ptcga_func(unsigned long addr, unsigned long size);
extern unsigned long ia64_native_get_rr_func(unsigned long index);
extern void ia64_native_set_rr_func(unsigned long index, unsigned long val);
extern void ia64_native_set_rr0_to_rr4_func(unsigned long val0, unsigned long val1, unsigned long val2,
                                            unsigned long val3, unsigned long val4);
extern void ia64_native_ssm_i_func(void);
extern void ia64_native_rsm_i_func(void);
extern unsigned long ia64_native_get_psr_i_func(void);
extern void ia64_native_intrin_local_irq_restore_func(unsigned long flags);

struct pv_cpu_ops pv_cpu_ops = {
    .fc = ia64_native_fc_func,
    .thash = ia64_native_thash_func,
    .get_cpuid = ia64_native_get_cpuid_func,
    .get_pmd = ia64_native_get_pmd_func,
    .getreg = ia64_native_getreg_func,
    .setreg = ia64_native_setreg_func,
    .ptcga = ia64_native_ptcga_func,
    .get_rr = ia64_native_get_rr_func,
    .set_rr = ia64_native_set_rr_func,
    .set_rr0_to_rr4 = ia64_native_set_rr0_to_rr4_func,
    .ssm_i = ia64_native_ssm_i_func,
    .rsm_i = ia64_native_rsm_i_func,
    .get_psr_i = ia64_native_get_psr_i_func,
    .intrin_local_irq_restore = ia64_native_intrin_local_irq_restore_func,
};

_Static_assert(__builtin_offsetof(struct pv_cpu_ops, fc) == PV_OFFSET_FC, "fc");
_Static_assert(__builtin_offsetof(struct pv_cpu_ops, thash) == PV_OFFSET_THASH, "thash");
_Static_assert(__builtin_offsetof(struct pv_cpu_ops, getreg) == PV_OFFSET_GETREG, "getreg");
_Static_assert(__builtin_offsetof(struct pv_cpu_ops, get_rr) == PV_OFFSET_GET_RR, "get_rr");
_Static_assert(__builtin_offsetof(struct pv_cpu_ops, intrin_local_irq_restore) ==
                   PV_OFFSET_INTRIN_LOCAL_IRQ_RESTORE && sizeof(struct pv_cpu_ops) == 14 * 8, "pv_cpu_ops");

extern unsigned long paravirt_switch_to_targ, paravirt_leave_syscall_targ, paravirt_work_processed_syscall_targ,
    paravirt_leave_kernel_targ;

void paravirt_cpu_asm_init(const struct pv_cpu_asm_switch *cpu_asm_switch) {
  paravirt_switch_to_targ = cpu_asm_switch->switch_to;
  paravirt_leave_syscall_targ = cpu_asm_switch->leave_syscall;
  paravirt_work_processed_syscall_targ = cpu_asm_switch->work_processed_syscall;
  paravirt_leave_kernel_targ = cpu_asm_switch->leave_kernel;
}

/* The bare machine has neither an I/O SAPIC nor 8259s: reads answer all ones, nothing is ever routed. */
static void ia64_native_pcat_compat_init(void) {}
static struct irq_chip *ia64_native_iosapic_get_irq_chip(unsigned long trigger) { (void)trigger; return 0; }
static unsigned int ia64_native_iosapic_read(char *iosapic, unsigned int reg) {
  *(volatile unsigned int *)iosapic = reg;
  return *(volatile unsigned int *)(iosapic + 16);
}
static void ia64_native_iosapic_write(char *iosapic, unsigned int reg, unsigned int val) {
  *(volatile unsigned int *)iosapic = reg;
  *(volatile unsigned int *)(iosapic + 16) = val;
}

struct pv_iosapic_ops pv_iosapic_ops = {
    .pcat_compat_init = ia64_native_pcat_compat_init,
    .__get_irq_chip = ia64_native_iosapic_get_irq_chip,
    .__read = ia64_native_iosapic_read,
    .__write = ia64_native_iosapic_write,
};

struct pv_irq_ops pv_irq_ops = {
    .register_ipi = ia64_native_register_ipi,
    .assign_irq_vector = ia64_native_assign_irq_vector,
    .free_irq_vector = ia64_native_free_irq_vector,
    .register_percpu_irq = ia64_native_register_percpu_irq,
    .resend_irq = ia64_native_resend_irq,
};

static int ia64_native_do_steal_accounting(unsigned long *new_itm) { (void)new_itm; return 0; }
static unsigned long long ia64_native_sched_clock(void) { return *(volatile unsigned long *)device(MACHINE_CLOCK); }

struct pv_time_ops pv_time_ops = {
    .do_steal_accounting = ia64_native_do_steal_accounting,
    .sched_clock = ia64_native_sched_clock,
};

/* Kittson as the host: it owns the call sites, so the guest's own bundle patcher stays out and the calls remain. Run
 * from head.S before start_kernel. */
void kittson_setup_pv_ops(void) {
  pv_info.paravirt_enabled = 1;
  pv_info.name = "Kittson";
  pv_init_ops.patch_bundle = 0;
  pv_init_ops.patch_inst = 0;
}
