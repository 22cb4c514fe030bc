/* The memory functions that the compiler may call. */
#include "kernel.h"

void *memcpy(void *to, const void *from, unsigned long n) {
  if (!(((unsigned long)to | (unsigned long)from | n) & 7)) {
    for (unsigned long i = 0; i < n / 8; i++) ((unsigned long *)to)[i] = ((const unsigned long *)from)[i];
    return to;
  }
  for (unsigned long i = 0; i < n; i++) ((char *)to)[i] = ((const char *)from)[i];
  return to;
}

void *memset(void *to, int value, unsigned long n) {
  for (unsigned long i = 0; i < n; i++) ((char *)to)[i] = (char)value;
  return to;
}

int memcmp(const void *a, const void *b, unsigned long n) {
  for (unsigned long i = 0; i < n; i++)
    if (((const unsigned char *)a)[i] != ((const unsigned char *)b)[i])
      return ((const unsigned char *)a)[i] < ((const unsigned char *)b)[i] ? -1 : 1;
  return 0;
}
