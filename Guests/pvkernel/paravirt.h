/* The paravirt_ops structures, with Linux's names, member order and signatures (Linux 2.6.30 to 4.1,
 * arch/ia64 asm/paravirt.h and asm/paravirt_privop.h). A hypervisor's setup hook overwrites them before
 * start_kernel. */
#ifndef PARAVIRT_H
#define PARAVIRT_H

struct rsvd_region { unsigned long start, end; };
struct irq_chip;
struct irqaction { void (*handler)(int vector); };
typedef unsigned short ia64_vector; /* 16 bits wide once PARAVIRT is configured */

struct pv_info {
  unsigned int kernel_rpl;
  int paravirt_enabled;
  const char *name;
};
extern struct pv_info pv_info;

struct pv_init_ops {
  void (*banner)(void);
  int (*reserve_memory)(struct rsvd_region *region);
  void (*arch_setup_early)(void);
  void (*arch_setup_console)(char **cmdline_p);
  int (*arch_setup_nomca)(void);
  void (*post_smp_prepare_boot_cpu)(void);
  unsigned long (*patch_bundle)(void *sbundle, void *ebundle, unsigned long type);
  unsigned long (*patch_inst)(unsigned long stag, unsigned long etag, unsigned long type);
  void (*patch_branch)(unsigned long tag, unsigned long type);
};
extern struct pv_init_ops pv_init_ops;

/* The members point to function descriptors whose targets use the register convention of the call sites
 * (paravirt_privop.h), not C's. */
struct pv_cpu_ops {
  void (*fc)(void *addr);
  unsigned long (*thash)(unsigned long addr);
  unsigned long (*get_cpuid)(int index);
  unsigned long (*get_pmd)(int index);
  unsigned long (*getreg)(int reg);
  void (*setreg)(int reg, unsigned long val);
  void (*ptcga)(unsigned long addr, unsigned long size);
  unsigned long (*get_rr)(unsigned long index);
  void (*set_rr)(unsigned long index, unsigned long val);
  void (*set_rr0_to_rr4)(unsigned long val0, unsigned long val1, unsigned long val2, unsigned long val3,
                         unsigned long val4);
  void (*ssm_i)(void);
  void (*rsm_i)(void);
  unsigned long (*get_psr_i)(void);
  void (*intrin_local_irq_restore)(unsigned long flags);
};
extern struct pv_cpu_ops pv_cpu_ops;

/* Four code addresses, not descriptors. */
struct pv_cpu_asm_switch {
  unsigned long switch_to;
  unsigned long leave_syscall;
  unsigned long work_processed_syscall;
  unsigned long leave_kernel;
};
void paravirt_cpu_asm_init(const struct pv_cpu_asm_switch *cpu_asm_switch);

struct pv_iosapic_ops {
  void (*pcat_compat_init)(void);
  struct irq_chip *(*__get_irq_chip)(unsigned long trigger);
  unsigned int (*__read)(char *iosapic, unsigned int reg);
  void (*__write)(char *iosapic, unsigned int reg, unsigned int val);
};
extern struct pv_iosapic_ops pv_iosapic_ops;

struct pv_irq_ops {
  void (*register_ipi)(void);
  int (*assign_irq_vector)(int irq);
  void (*free_irq_vector)(int vector);
  void (*register_percpu_irq)(ia64_vector vec, struct irqaction *action);
  void (*resend_irq)(unsigned int vector);
};
extern struct pv_irq_ops pv_irq_ops;

struct pv_time_ops {
  void (*init_missing_ticks_accounting)(int cpu);
  int (*do_steal_accounting)(unsigned long *new_itm);
  void (*clocksource_resume)(void);
  unsigned long long (*sched_clock)(void);
};
extern struct pv_time_ops pv_time_ops;

static inline int paravirt_enabled(void) { return pv_info.paravirt_enabled; }
static inline unsigned int get_kernel_rpl(void) { return pv_info.kernel_rpl; }

/* The inline wrappers skip a member that is NULL. */
static inline void paravirt_banner(void) {
  if (pv_init_ops.banner) pv_init_ops.banner();
}
static inline int paravirt_reserve_memory(struct rsvd_region *region) {
  return pv_init_ops.reserve_memory ? pv_init_ops.reserve_memory(region) : 0;
}
static inline void paravirt_arch_setup_early(void) {
  if (pv_init_ops.arch_setup_early) pv_init_ops.arch_setup_early();
}
static inline void paravirt_arch_setup_console(char **cmdline_p) {
  if (pv_init_ops.arch_setup_console) pv_init_ops.arch_setup_console(cmdline_p);
}
static inline void paravirt_post_smp_prepare_boot_cpu(void) {
  if (pv_init_ops.post_smp_prepare_boot_cpu) pv_init_ops.post_smp_prepare_boot_cpu();
}

#endif
