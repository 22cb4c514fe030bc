/* The user program, run as two processes at privilege level 3: writes, yields, computes while the timer switches, and
 * recurses deeper than the physical register stack. Exit status 0, or the number of the test that failed. */
#define NR_write 1027
#define NR_getpid 1041
#define NR_sched_yield 1164

long system_call(long number, long a, long b, long c);
unsigned long rse_recurse(unsigned long depth);

static char line[] = "user 0: hello from privilege level 3\n";
static unsigned long store[512];

static unsigned long __attribute__((noinline)) mix(unsigned long rounds, unsigned long seed) {
  unsigned long x = seed;
  for (unsigned long i = 0; i < rounds; i++) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    store[i & 511] += x;
  }
  return x;
}

/* The same sequence without the memory: both must agree whatever came between. */
static unsigned long __attribute__((noinline)) mix_again(unsigned long rounds, unsigned long seed) {
  unsigned long x = seed;
  do {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
  } while (--rounds);
  return x;
}

long user_main(long number) {
  line[5] = (char)('0' + number);
  if (system_call(NR_write, 1, (long)line, sizeof line - 1) != sizeof line - 1) return 1;
  if (system_call(NR_getpid, 0, 0, 0) != number) return 2;
  if (system_call(9999, 0, 0, 0) != -38) return 3;
  if (system_call(NR_write, 1, -4096, 16) != -14) return 4;
  for (int i = 0; i < 3; i++)
    if (system_call(NR_sched_yield, 0, 0, 0)) return 5;
  if (rse_recurse(200)) return 6;
  unsigned long seed = 0x9e3779b97f4a7c15UL + (unsigned long)number;
  if (mix(30000, seed) != mix_again(30000, seed)) return 7;
  return 0;
}
