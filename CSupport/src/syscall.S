// A host system call that a signal can keep from beginning (kittson_signals.h, kt_guest_syscall). A handler that finds the
// program counter between the labels `begin` and `end` moves it to `interrupted`: the look at `attention` is over, and
// the call has had no effect (a call that the kernel is about to restart counts as one that has not begun).
#if defined(__x86_64__)
  .text
  .globl kt_guest_syscall
  .globl kt_guest_syscall_begin
  .globl kt_guest_syscall_end
  .globl kt_guest_syscall_interrupted
  .type kt_guest_syscall, @function
  .p2align 4
kt_guest_syscall:
  .cfi_startproc
  movq %rdi, %r11
  movq %rsi, %rax
  movq %rdx, %rdi
  movq %rcx, %rsi
  movq %r8, %rdx
  movq %r9, %r10
  movq 8(%rsp), %r8
  movq 16(%rsp), %r9
kt_guest_syscall_begin:
  cmpl $0, (%r11)
  jne kt_guest_syscall_interrupted
  syscall
kt_guest_syscall_end:
  ret
kt_guest_syscall_interrupted:
  movq $-512, %rax
  ret
  .cfi_endproc
  .size kt_guest_syscall, .-kt_guest_syscall

  // What a handler of ours returns to: rt_sigreturn.
  .globl kt_signal_restorer
  .type kt_signal_restorer, @function
  .p2align 4
  nop
kt_signal_restorer:
  movq $15, %rax
  syscall
  .size kt_signal_restorer, .-kt_signal_restorer
#endif
#if defined(__linux__)
  .section .note.GNU-stack, "", @progbits
#endif
