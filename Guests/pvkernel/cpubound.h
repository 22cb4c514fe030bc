/* Programs without operations: integers, memory, calls. No multiplication or division: those go through the
 * floating-point unit on IA-64. The results were computed by the same functions built for another architecture. */
#ifndef CPUBOUND_H
#define CPUBOUND_H

#define SIEVE_SIZE 32768
#define SORT_SIZE 2048
#define HASH_SIZE 16384
#define CPU_SIEVE_RESULT 3512UL /* primes below 32768 */
#define CPU_SORT_RESULT 0x64558449c2edfc47UL
#define CPU_HASH_RESULT 0xa4b694d80634b55dUL

static unsigned char sieve[SIEVE_SIZE];
static unsigned int numbers[SORT_SIZE];
static unsigned char text[HASH_SIZE];

static unsigned long __attribute__((noinline)) cpu_sieve(void) {
  unsigned long primes = 0;
  for (unsigned long i = 0; i < SIEVE_SIZE; i++) sieve[i] = 1;
  for (unsigned long i = 2; i < SIEVE_SIZE; i++) {
    if (!sieve[i]) continue;
    primes++;
    for (unsigned long k = i + i; k < SIEVE_SIZE; k += i) sieve[k] = 0;
  }
  return primes;
}

static unsigned long xorshift(unsigned long x) {
  x ^= x << 13;
  x ^= x >> 7;
  return x ^ x << 17;
}

static void __attribute__((noinline)) quicksort(unsigned int *first, unsigned int *last) {
  while (first < last) {
    unsigned int pivot = first[(last - first) >> 1], *i = first, *j = last;
    while (i <= j) {
      while (*i < pivot) i++;
      while (*j > pivot) j--;
      if (i > j) break;
      unsigned int t = *i;
      *i++ = *j;
      *j-- = t;
    }
    quicksort(first, j);
    first = i;
  }
}

static unsigned long __attribute__((noinline)) cpu_sort(void) {
  unsigned long x = 0x2545f4914f6cdd1dUL, sum = 0;
  for (unsigned long i = 0; i < SORT_SIZE; i++) numbers[i] = (unsigned int)(x = xorshift(x));
  quicksort(numbers, numbers + SORT_SIZE - 1);
  for (unsigned long i = 0; i < SORT_SIZE; i++) sum = (sum << 5 | sum >> 59) ^ numbers[i];
  return sum;
}

static unsigned long __attribute__((noinline)) hash_step(unsigned long hash, unsigned long byte) {
  hash ^= byte;
  hash += (hash << 10) + (hash << 3);
  return hash ^ hash >> 29;
}

static unsigned long __attribute__((noinline)) cpu_hash(void) {
  unsigned long x = 88172645463325252UL, hash = 0xcbf29ce484222325UL;
  for (unsigned long i = 0; i < HASH_SIZE; i++) text[i] = (unsigned char)((x = xorshift(x)) >> 20);
  for (unsigned long i = 0; i < HASH_SIZE; i++) hash = hash_step(hash, text[i]);
  return hash;
}

#endif
