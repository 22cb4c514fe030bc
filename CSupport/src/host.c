// Host system calls by number, and names (see kittson_host.h).
#define _GNU_SOURCE
#include "kittson_host.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

int64_t kt_host_syscall(
    int64_t number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5) {
  long result = syscall(number, a0, a1, a2, a3, a4, a5);
  return result == -1 ? -(int64_t)errno : result;
}

const char *kt_error_name(int code) { return strerrorname_np(code); }
const char *kt_signal_name(int number) { return sigabbrev_np(number); }
