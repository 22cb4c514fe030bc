/* A program that does what programs should not. The first argument's letter chooses; exit status 0 says that everything
 * went as on Linux, another one which check failed; some cases are to end by a signal. */
#include "linux.h"

typedef struct action {
  void *handler;
  word flags, mask;
} action;

static volatile word faults, fault_address;
static volatile int is_call;

void only_return(void) {}

/* sigcontext: ip at 40 (arch/ia64/include/uapi/asm/sigcontext.h). Goes on behind the access, or returns from the
 * call that led nowhere. */
static void skip(int signal, word *info, word *context) {
  faults++;
  fault_address = info[2];
  if (is_call) {
    context[5] = *(word *)only_return; /* of a function's descriptor, its address */
  } else {
    word slot = context[5] & 3;
    context[5] = slot == 2 ? (context[5] & ~15ul) + 16 : context[5] + 1;
  }
}

static void catch(int signal) {
  action a = {(void *)skip, 4 | 0x40000000, 0};
  if (sys6(NR_rt_sigaction, signal, (word)&a, 0, 8, 0, 0)) quit(99);
}

static word state = 0x9e3779b97f4a7c15ul;
static word next(void) {
  state ^= state << 13;
  state ^= state >> 7;
  return state ^= state << 17;
}

/* Addresses where no Linux process has memory: region 0 below 64 KiB and far up, holes of the regions, the kernel's. */
static word wild(int n) {
  word bits = next();
  switch (n % 6) {
  case 0: return bits & 0xffff;
  case 1: return bits | 7ul << 61;
  case 2: return (bits & ~(7ul << 61)) | 6ul << 61;
  case 3: return (bits & ~(7ul << 61)) | 5ul << 61 | 1ul << 50;
  case 4: return bits | 1ul << (44 + bits % 17); /* beyond every region's user part */
  default: return (1ul << (bits % 7 + 54)) - 1 - (bits & 7);
  }
}

static int accesses(void) {
  catch(11);
  for (int n = 0; n < 3000; n++) {
    word address = wild(n), before = faults;
    switch (n / 6 % 8) {
    case 0: (void)*(volatile unsigned char *)address; break;
    case 1: (void)*(volatile unsigned short *)address; break;
    case 2: (void)*(volatile unsigned *)address; break;
    case 3: (void)*(volatile word *)address; break;
    case 4: *(volatile unsigned char *)address = 1; break;
    case 5: *(volatile unsigned short *)address = 1; break;
    case 6: *(volatile word *)address = 1; break;
    default: __sync_lock_test_and_set((volatile word *)(address & ~7ul), 1); break;
    }
    if (faults != before + 1) return 1;
    if ((fault_address ^ address) & ~15ul && fault_address - address > 8) return 2;
  }
  return 0;
}

static int jumps(void) {
  catch(11);
  catch(4);
  is_call = 1;
  for (int n = 0; n < 600; n++) {
    volatile word descriptor[2] = {wild(n) & ~15ul, 0};
    word before = faults;
    word own;
    __asm__ volatile("mov %0 = gp" : "=r"(own));
    descriptor[1] = own;
    ((void (*)(void))descriptor)();
    if (faults != before + 1) return 1;
  }
  return 0;
}

static int pointers_for_calls(void) {
  for (int n = 0; n < 1200; n++) {
    word p = wild(n);
    if (p < 8) continue; /* some calls take no pointer */
    if (sys(NR_write, 1, p, 8) != -14) return 1;
    if (sys(NR_open, p, 0, 0) != -14) return 2;
    if (sys(NR_uname, p, 0, 0) != -14) return 3;
    if (sys(NR_pipe2, p, 0, 0) != -14) return 4;
    if (sys(NR_nanosleep, p, 0, 0) != -14) return 5;
    if (sys(NR_getcwd, p, 4096, 0) != -14) return 6;
    if (sys6(NR_rt_sigaction, 10, p, 0, 8, 0, 0) != -14) return 7;
    if (sys6(NR_rt_sigprocmask, 0, p, 0, 8, 0, 0) != -14) return 8;
    if (sys(NR_readlink, "/proc/self/exe", p, 64) != -14) return 9;
    if (sys(NR_poll, p, 1, 0) != -14) return 10;
    if (sys(NR_clock_gettime, 0, p, 0) != -14) return 11;
    if (sys6(NR_socketpair, 1, 1, 0, p, 0, 0) != -14) return 12;
    if (sys(NR_getrlimit, 3, p, 0) != -14) return 13;
  }
  return 0;
}

static int allocations(void) {
  for (int shift = 12; shift < 64; shift++) {
    long at = sys6(NR_mmap, 0, 1ul << shift, 3, 0x4022, ~0ul, 0);
    if (shift > 44 && (word)at < -4095ul) return 1;
    if ((word)at >= -4095ul) continue;
    *(volatile char *)at = 1;
    if (sys(NR_munmap, at, 1ul << shift, 0)) return 2;
  }
  long count = 0;
  while (count < 100000 && (word)sys6(NR_mmap, 0, 1ul << 38, 0, 0x4022, ~0ul, 0) < -4095ul) count++;
  if (count == 100000) return 3; /* a region has 2^44 bytes */
  if (sys(NR_brk, ~0ul, 0, 0) == -1) return 4;
  if (sys6(NR_mmap, 0x7000, 1ul << 62, 3, 0x32, ~0ul, 0) >= 0) return 5;
  return 0;
}

static volatile long bottom = -1;
__attribute__((noinline)) static long descend(long n) {
  volatile char frame[256];
  frame[n & 255] = (char)n;
  return n == bottom ? 0 : descend(n + 1) + frame[n & 255];
}

/* Registers alone: the register backing store grows, the memory stack does not. */
long descend_registers(long n);
__asm__(".text\n.proc descend_registers\n.global descend_registers\ndescend_registers:\n"
        "alloc r34 = ar.pfs, 1, 90, 1, 0\nmov r35 = b0\n;;\nmov out0 = r32\nbr.call.sptk.many b0 = descend_registers\n;;\n"
        "mov b0 = r35\nmov ar.pfs = r34\n;;\nbr.ret.sptk.many b0\n.endp descend_registers\n");

static int unaligned(void) {
  long at = sys6(NR_mmap, 0, 3 * 16384, 3, 0x22, ~0ul, 0);
  volatile unsigned char *bytes = (volatile unsigned char *)at;
  for (word place = 16384 - 40; place < 16384 + 40; place++) {
    word value = next();
    *(volatile word *)(bytes + place) = value;
    for (int n = 0; n < 8; n++)
      if (bytes[place + n] != (unsigned char)(value >> (8 * n))) return 1;
    if (*(volatile unsigned *)(bytes + place + 1) != (unsigned)(value >> 8)) return 2;
    if (*(volatile unsigned short *)(bytes + place + 3) != (unsigned short)(value >> 24)) return 3;
    *(volatile double *)(bytes + place) = 1.25;
    if (*(volatile double *)(bytes + place) != 1.25) return 4;
  }
  return 0;
}

static const word data[4] = {0, 0, 0, 0};
static word writable[4];

int program(int count, char **arguments) {
  char letter = count > 1 ? arguments[1][0] : 0;
  volatile word call[2] = {0, 0};
  switch (letter) {
  case 'a': return accesses();
  case 'j': return jumps();
  case 'p': return pointers_for_calls();
  case 'm': return allocations();
  case 'u': return unaligned();
  case 'd': call[0] = (word)writable; break;              /* SIGSEGV: data is not executable */
  case 'z': call[0] = 0xa000000000000000ul; break;        /* SIGILL: break 0 in the gate page */
  case 'n': break;                                        /* SIGSEGV: no code at 0 */
  case 'r': return (int)descend(0);                       /* SIGSEGV: the stack's end */
  case 'R': return (int)descend_registers(0);             /* SIGSEGV: the backing store's end */
  case 'b':                                               /* SIGBUS: psr.ac, and prctl says that it be so */
  case 'e':                                               /* else the kernel makes the access */
    if (letter == 'b') sys(NR_prctl, 6 /* PR_SET_UNALIGN */, 2 /* PR_UNALIGN_SIGBUS */, 0);
    __asm__ volatile("sum 8;;");
    __asm__ volatile("ld8 %0 = [%1]" : "=r"(call[0]) : "r"((char *)writable + 1));
    return (int)call[0];
  case 'c': *(volatile word *)data = 1; return 1;         /* SIGSEGV: read-only */
  case 's':                                               /* SIGSEGV, handler or not: no stack for its frame */
    catch(11);
    __asm__ volatile("mov r12 = 8;;\nst8 [r12] = r0" ::: "memory");
    return 1;
  default: return 98;
  }
  ((void (*)(void))call)();
  return 1;
}
