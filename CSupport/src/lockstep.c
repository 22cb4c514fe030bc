// Processes for lockstep verification (kittson_lockstep.h).
#define _GNU_SOURCE
#include "kittson_lockstep.h"
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

pid_t kt_fork(void) {
  pid_t parent = getpid();
  pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(125);  // the parent ended in between
  }
  return child;
}

int kt_child_ended(pid_t child, int *status) {
  pid_t ended;
  do ended = waitpid(child, status, WNOHANG); while (ended < 0 && errno == EINTR);
  return ended == child ? 1 : ended == 0 ? 0 : -1;
}
