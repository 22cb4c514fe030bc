/* Queued real-time signals while code runs, and threads that count together. Arguments: q COUNT, or t COUNT. Exit status 0: the
 * sums are right. */
#include "linux.h"

static word number(const char *text) {
  word value = 0;
  while (*text) value = value * 10 + (word)(*text++ - '0');
  return value;
}

static volatile word received, sum;

typedef struct information {
  int signal, error, code, pad, process, user;
  word value, rest[12];
} information;

static void note(int signal, information *info, void *context) {
  received++;
  sum += info->value;
}

/* A second process would be scheduled; one that queues to itself and runs on is delivered in between. */
static int queue(word count) {
  struct { void *handler; word flags, mask; } action = {(void *)note, 4, 0};
  if (sys6(NR_rt_sigaction, 40, (word)&action, 0, 8, 0, 0)) return 1;
  long self = sys(NR_getpid, 0, 0, 0);
  volatile word work = 0;
  word set = 1ul << 39;
  for (word n = 0; n < count;) {
    /* A hundred wait at once, then are delivered one behind the other. */
    sys6(NR_rt_sigprocmask, 0, (word)&set, 0, 8, 0, 0);
    for (int k = 0; k < 100 && n < count; k++, n++) {
      static information info; /* all that is not said is zero */
      info.signal = 40, info.code = -1, info.process = (int)self, info.value = n * 3 + 1;
      if (sys(NR_rt_sigqueueinfo, self, 40, &info)) return 2;
    }
    sys6(NR_rt_sigprocmask, 1, (word)&set, 0, 8, 0, 0);
    for (int k = 0; k < 200; k++) work += (word)k;
  }
  return received == count && sum == 3 * (count * (count - 1) / 2) + count ? 0 : 3;
}

enum { THREADS = 8 };
static volatile word counter, finished;
static word share;

/* A thread's whole life. */
__attribute__((noreturn)) void thread_body(void) {
  for (word n = 0; n < share; n++) __sync_fetch_and_add(&counter, n & 1 ? 3 : 1);
  __sync_fetch_and_add(&finished, 1);
  sys(NR_futex, &finished, 1, 1);
  for (;;) sys(NR_exit, 0, 0, 0);
}

/* clone2 with a stack of its own; in the child the call returns 0 on an empty stack, where only the loop is called. */
long start_thread(word flags, word stack, word size);
__asm__(".text\n.proc start_thread\n.global start_thread\nstart_thread:\n"
        "alloc r35 = ar.pfs, 3, 2, 6, 0\nmov r36 = b0\nmov out0 = r32\nmov out1 = r33\nmov out2 = r34\nmov out3 = r0\n"
        "mov out4 = r0\nmov out5 = r0\nmov r15 = 1213\n;;\nbreak.i 0x100000\n;;\ncmp.eq p6, p0 = r8, r0\n"
        "cmp.ne p7, p0 = r10, r0\n;;\n(p7) sub r8 = r0, r8\n(p6) br.call.spnt.many b0 = thread_body\n;;\n"
        "mov b0 = r36\nmov ar.pfs = r35\n;;\nbr.ret.sptk.many b0\n.endp start_thread\n");

static int threads(word count) {
  share = count;
  for (int n = 0; n < THREADS; n++) {
    long stack = sys6(NR_mmap, 0, 1 << 20, 3, 0x22, ~0ul, 0);
    /* VM FS FILES SIGHAND THREAD SYSVSEM */
    if (start_thread(0x50f00, (word)stack, 1 << 20) < 0) return 4;
  }
  while (finished != THREADS) {
    word seen = finished;
    if (seen != THREADS) sys6(NR_futex, (word)&finished, 0, seen, 0, 0, 0);
  }
  return counter == THREADS * (2 * share - (share & 1)) ? 0 : 5;
}

int program(int count, char **arguments) {
  if (count < 3) return 98;
  word size = number(arguments[2]);
  return arguments[1][0] == 'q' ? queue(size) : threads(size);
}
