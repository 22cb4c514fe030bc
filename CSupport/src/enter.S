// Entry to and exit from emitted code (kittson_translator.h), System V calling convention.
#include "kittson_translator.h"

#if defined(__x86_64__)
#define FRAME 24 /* the return thunk, the outer stack_base, MXCSR */
#define BIAS 128  /* KT_CPU_BIAS */
#define FPSR 352  /* offsetof(kt_cpu, ar_fpsr) */
#define BUDGET 272 /* offsetof(kt_cpu, budget) */
  .text
  .globl kt_enter_code
  .type kt_enter_code, @function
  .p2align 4
kt_enter_code:
  .cfi_startproc
  pushq %rbp
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset rbp, 0
  pushq %rbx
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset rbx, 0
  pushq %r12
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset r12, 0
  pushq %r13
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset r13, 0
  pushq %r14
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset r14, 0
  pushq %r15
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset r15, 0
  subq $FRAME, %rsp
  .cfi_adjust_cfa_offset FRAME
  /* The host's floating point starts without flags: rounding to nearest, all exceptions masked. */
  ldmxcsr kt_plain_vector_control(%rip)
  leaq BIAS(%rdi), %rbx
  movq %rsi, %r12
  movq kt_stack_base_offset(%rip), %rax
  movq (%rdi,%rax), %rcx
  movq %rcx, 8(%rsp)
  movq %rsp, (%rdi,%rax)
  leaq -KT_EMITTED_STACK(%rsp), %rcx
  movq %rcx, 8(%rdi,%rax)
  movq 16(%rdi,%rax), %rcx
  movq %rcx, (%rsp)
  movq BUDGET(%rdi), %r13
  movq kt_stlb_offset(%rip), %rax
  movq (%rdi,%rax), %r14
  call kt_place_frame@PLT
  movq %rax, %r15
  jmpq *%r12
  .globl kt_leave_code
kt_leave_code:
  movq kt_stack_base_offset(%rip), %rcx
  movq -BIAS(%rbx,%rcx), %rsp
  movq 8(%rsp), %rdx
  movq %rdx, -BIAS(%rbx,%rcx)
  movq %r13, BUDGET-BIAS(%rbx)
  movq %rax, %r12
  leaq -BIAS(%rbx), %rdi
  movq %r15, %rsi
  call kt_sync_frame@PLT
  /* An inexact result and a denormal operand of emitted code belong to status field 0: PE and DE, 13 bits on. */
  stmxcsr 16(%rsp)
  movl 16(%rsp), %ecx
  andl $0x22, %ecx
  shll $13, %ecx
  orl %ecx, FPSR-BIAS(%rbx)
  /* Nobody outside knows of results that are put off. */
  movq kt_deferred_offset(%rip), %rcx
  cmpl $0, -BIAS(%rbx,%rcx)
  je 2f
  leaq -BIAS(%rbx), %rdi
  movq kt_settle_offset(%rip), %rcx
  call *-BIAS(%rbx,%rcx)
  movq kt_deferred_offset(%rip), %rcx
  movl $0, -BIAS(%rbx,%rcx)
2:
  movq %r12, %rax
  addq $FRAME, %rsp
  .cfi_adjust_cfa_offset -FRAME
  popq %r15
  .cfi_adjust_cfa_offset -8
  popq %r14
  .cfi_adjust_cfa_offset -8
  popq %r13
  .cfi_adjust_cfa_offset -8
  popq %r12
  .cfi_adjust_cfa_offset -8
  popq %rbx
  .cfi_adjust_cfa_offset -8
  popq %rbp
  .cfi_adjust_cfa_offset -8
  ret
  .cfi_endproc
  .size kt_enter_code, .-kt_enter_code
  .section .rodata
  .p2align 2
kt_plain_vector_control:
  .long 0x1f80
#endif
#if defined(__linux__)
  .section .note.GNU-stack, "", @progbits
#endif
