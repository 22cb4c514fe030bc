/* Addresses, page sizes and structure offsets that C and assembly share. paravirt.c and task.c assert in C what the
 * offsets here claim. Bit positions: Itanium SDM vol. 2, 3.3 (psr), 4.1 (translations). */
#ifndef LAYOUT_H
#define LAYOUT_H

#ifdef __ASSEMBLER__
#define UL(x) x
#else
#define UL(x) x##UL
#endif

/* The kernel stands in region 5, mapped by one instruction and one data translation register of 4 MiB. */
#define KERNEL_START UL(0xa000000100000000)
#define KERNEL_PHYSICAL UL(0x400000)
#define LOAD_OFFSET (KERNEL_START - KERNEL_PHYSICAL)
#define KERNEL_PAGE_SHIFT 22
/* Regions 6 (uncacheable) and 7 (write-back) show physical memory one to one, a granule per miss. */
#define UNCACHED_BASE UL(0xc000000000000000)
#define CACHED_BASE UL(0xe000000000000000)
#define GRANULE_SHIFT 24
/* User processes: text, data and heap in region 2, memory stack and backing store in region 3. */
#define PAGE_SHIFT 14
#define PAGE_SIZE (UL(1) << PAGE_SHIFT)
#define USER_TEXT UL(0x4000000000000000)
#define USER_STORE UL(0x6000000000000000)
#define USER_PAGES 64 /* pages that a user region has at most; each region has a table of so many PTEs */
#define FREE_PHYSICAL UL(0x800000) /* pages handed out by mm.c start here */

#define PTE_P 0x1
#define PTE_MA_UC 0x10
#define PTE_A 0x20
#define PTE_D 0x40
#define PTE_PL_3 0x180
#define PTE_AR_RW 0x400
#define PTE_AR_RWX 0x600
#define PTE_ED UL(0x10000000000000)
#define PAGE_KERNEL (PTE_ED | PTE_AR_RWX | PTE_D | PTE_A | PTE_P)
#define PAGE_DEVICE (PTE_AR_RW | PTE_MA_UC | PTE_D | PTE_A | PTE_P)
#define PAGE_USER (PTE_ED | PTE_AR_RWX | PTE_PL_3 | PTE_D | PTE_A | PTE_P)
#define PTE_PPN_MASK UL(0x3fffffffff000)

/* rr: region identifier in bits 31:8, preferred page size in 7:2, walker enable in bit 0. */
#define RR(rid, shift, ve) (((rid) << 8) | ((shift) << 2) | (ve))
#define KERNEL_RID(region) (region)

#define PSR_BIT_AC 3
#define PSR_BIT_IC 13
#define PSR_BIT_I 14
#define PSR_BIT_DT 17
#define PSR_BIT_RT 27
#define PSR_BIT_IT 36
#define PSR_BIT_ED 43
#define PSR_BIT_BN 44
#define IA64_PSR_AC 0x8
#define IA64_PSR_IC 0x2000
#define IA64_PSR_I 0x4000
#define IA64_PSR_DT UL(0x20000)
#define IA64_PSR_RT UL(0x8000000)
#define IA64_PSR_CPL3 UL(0x300000000)
#define IA64_PSR_IT UL(0x1000000000)
#define IA64_PSR_BN UL(0x100000000000)
#define KERNEL_PSR (IA64_PSR_BN | IA64_PSR_IT | IA64_PSR_RT | IA64_PSR_DT | IA64_PSR_IC | IA64_PSR_AC)
#define USER_PSR (IA64_PSR_BN | IA64_PSR_IT | IA64_PSR_RT | IA64_PSR_DT | IA64_PSR_IC | IA64_PSR_I | IA64_PSR_CPL3)
#define ISR_BIT_SP 36

#define FPSR_DEFAULT UL(0x9804c0270033f)
/* dcr.lc, and dp, dk, dx, dr, da, dd: speculative loads defer those faults; not dm: the miss handler decides. */
#define DCR_DEFAULT 0x7e04
#define PTA_DEFAULT UL(0x1fffffffffff8000 + (15 << 2))

#define HYPERVISOR_NATIVE 0
#define HYPERVISOR_XEN 1
#define HYPERVISOR_KITTSON 2

/* A task: struct task at the bottom, backing store above it, memory stack down from the top. */
#define TASK_SIZE 0x8000
#define TASK_STORE 0x800
#define TASK_PTES 0x100
#define TASK_KSP 0
#define TASK_NEED_RESCHED 8

/* struct pt_regs: what an interruption saves. */
#define PT_CR_IPSR 0x00
#define PT_CR_IIP 0x08
#define PT_CR_IFS 0x10
#define PT_AR_UNAT 0x18
#define PT_AR_PFS 0x20
#define PT_AR_RSC 0x28
#define PT_AR_RNAT 0x30
#define PT_AR_BSPSTORE 0x38
#define PT_PR 0x40
#define PT_LOADRS 0x48
#define PT_B0 0x50
#define PT_B6 0x58
#define PT_B7 0x60
#define PT_AR_CCV 0x68
#define PT_AR_FPSR 0x70
#define PT_AR_CSD 0x78
#define PT_AR_SSD 0x80
#define PT_SPILL_UNAT 0x88
#define PT_R1 0x90
#define PT_R2 0x98
#define PT_R3 0xa0
#define PT_R8 0xa8
#define PT_R10 0xb8
#define PT_R12 0xc8
#define PT_R13 0xd0
#define PT_R14 0xd8
#define PT_R15 0xe0
#define PT_R16 0xe8
#define PT_F6 0x170
#define PT_CR_ISR 0x1d0
#define PT_CR_IFA 0x1d8
#define PT_CR_IIM 0x1e0
#define PT_VECTOR 0x1e8
#define PT_SIZE 0x1f0

/* What switch_to keeps on the stack of a task that waits. */
#define SW_F2 0x00   /* f2-f5, f16-f31: 20 of 16 bytes */
#define SW_R4 0x140  /* r4-r7 */
#define SW_B0 0x160  /* b0-b5 */
#define SW_PFS 0x190
#define SW_LC 0x198
#define SW_UNAT 0x1a0 /* the task's own ar.unat */
#define SW_SPILL_UNAT 0x1a8
#define SW_PR 0x1b0
#define SW_BSPSTORE 0x1b8
#define SW_RNAT 0x1c0
#define SW_FPSR 0x1c8
#define SW_SIZE 0x1d0

#endif
