/* What a debugger is tried on: known arguments, a recursion to walk, a variable to watch, doubles. */
#include "linux.h"

volatile long watched;
volatile double scale = 1.5;

__attribute__((noinline)) long leaf(long a, long b) {
  watched = a * 10 + b;
  return watched + 1;
}

__attribute__((noinline)) double scaled(long n) { return (double)n * scale; }

__attribute__((noinline)) long middle(long n) {
  if (n == 0) return leaf(7, 5);
  return middle(n - 1) + 1;
}

int program(int count, char **arguments) {
  long result = middle(3); /* 79 */
  watched = 0x1234;
  return (int)(scaled(result - 77) * 2); /* 6 */
}
