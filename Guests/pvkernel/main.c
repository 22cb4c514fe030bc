/* start_kernel: the order of things once head.S has reached virtual mode. */
#include "kernel.h"
#include "paravirt.h"
#include "paravirt_patch.h"
#include "paravirt_privop.h"

const struct boot_param *ia64_boot_param;

static void setup_arch(void) {
  paravirt_arch_setup_early();
  if (command_word("nopatch")) {
    /* The sites stay what they are in the image, calls through pv_cpu_ops and through the targets of the branches. */
    pv_init_ops.patch_bundle = NULL;
    pv_init_ops.patch_inst = NULL;
    pv_init_ops.patch_branch = NULL;
  }
  paravirt_patch_apply();
}

static void cpu_init(void) {
  const unsigned long masked = 1UL << 16;
  ia64_setreg(_IA64_REG_CR_TPR, 0);
  ia64_setreg(_IA64_REG_CR_ITV, masked);
  ia64_setreg(_IA64_REG_CR_PMV, masked);
  ia64_setreg(_IA64_REG_CR_CMCV, masked);
  ia64_setreg(_IA64_REG_CR_LRR0, masked);
  ia64_setreg(_IA64_REG_CR_LRR1, masked);
  ia64_srlz_d();
}

static void announce(void) {
  if (quiet) return;
  put_string("pvkernel: paravirtualised IA-64 kernel on ");
  put_string(pv_info.name);
  put_string("\npvkernel: hypervisor type ");
  put_decimal(hypervisor_type);
  put_string(", ");
  put_decimal(ia64_boot_param->memory_size >> 20);
  put_string(" MiB, itc ");
  put_decimal(ia64_boot_param->itc_frequency);
  put_string(" Hz, call sites: ");
  put_decimal((unsigned long)(__stop_paravirt_bundles - __start_paravirt_bundles));
  put_string(" bundle, ");
  put_decimal((unsigned long)(__stop_paravirt_insts - __start_paravirt_insts));
  put_string(" instruction, ");
  put_decimal((unsigned long)(__stop_paravirt_branches - __start_paravirt_branches));
  put_string(" branch, ");
  put_string(pv_init_ops.patch_bundle ? "patched in place\n" : "left as calls\n");
}

void start_kernel(void) {
  if (memcmp(ia64_boot_param->magic, "KITTSON", 8)) panic("no boot parameter block at", (unsigned long)ia64_boot_param);
  quiet = command_word("quiet");
  setup_arch();
  announce();
  cpu_init();
  paravirt_banner();
  task_init();
  run_checks();
  run_user_tasks();
  check_tasks();
  if (!command_word("nobench")) run_bench(command_number("bench", 20000), command_number("cpu", 1));
  put_string("checks ");
  put_decimal(checks_done);
  put_string(" failed ");
  put_decimal(checks_failed);
  put_string("\n");
  say("pvkernel: power off");
  power_off(checks_failed ? 1 : 0);
}
