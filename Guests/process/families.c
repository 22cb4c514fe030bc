/* Calls of every family, what each gives and what it changes, in lines that are the same on every Linux. Built for the host with
 * -Dprogram=main the same source says what is right. The first argument is an empty folder to work in. */
#include "linux.h"

static char line[512];
static int length;

static void text(const char *s) { while (*s) line[length++] = *s++; }
static void number(long value) {
  char digits[24];
  int n = 0;
  word v = value < 0 ? -(word)value : (word)value;
  do digits[n++] = (char)('0' + v % 10); while (v /= 10);
  if (value < 0) line[length++] = '-';
  while (n) line[length++] = digits[--n];
}
static void end(void) {
  line[length++] = '\n';
  sys(NR_write, 1, line, length);
  length = 0;
}
static void show(const char *what, long value) { text(what), text(" "), number(value), end(); }

static int same(const char *a, const char *b, int n) {
  while (n-- > 0) if (*a++ != *b++) return 0;
  return 1;
}

typedef struct vector { const void *base; word size; } vector;

static void files(void) {
  char buffer[64];
  word status[18];
  show("open missing", sys(NR_open, "none", 0, 0));
  long f = sys(NR_open, "file", 0102, 0640);
  show("open new", f >= 3);
  show("write", sys(NR_write, f, "0123456789", 10));
  show("lseek", sys(NR_lseek, f, -4, 2));
  show("read", sys(NR_read, f, buffer, 64));
  show("content", same(buffer, "6789", 4));
  show("pwrite", sys6(NR_pwrite64, (word)f, (word)"ab", 2, 20, 0, 0));
  show("pread hole", sys6(NR_pread64, (word)f, (word)buffer, 20, 8, 0, 0));
  show("hole", same(buffer, "89\0\0\0\0\0\0\0\0\0\0ab", 14));
  vector parts[2] = {{"one", 3}, {"two!", 4}};
  show("writev", sys(NR_writev, f, parts, 2));
  show("readv count", sys(NR_readv, f, parts, 2000));
  show("lseek bad", sys(NR_lseek, f, 0, 99));
  show("fstat", sys(NR_fstat, f, status, 0));
  show("size", (long)status[6]);
  show("mode", (long)(status[3] & 0177777));
  show("ftruncate", sys(NR_ftruncate, f, 5, 0));
  show("ftruncate bad", sys(NR_ftruncate, f, -1, 0));
  show("stat", sys(NR_stat, "file", status, 0));
  show("size", (long)status[6]);
  show("fallocate bad", sys6(NR_fallocate, (word)f, 0, 0, 0, 0, 0));
  show("dup2", sys(NR_dup2, f, 20, 0));
  show("fcntl getfl", sys(NR_fcntl, 20, 3, 0) & 3);
  show("fcntl setfd", sys(NR_fcntl, 20, 2, 1));
  show("fcntl getfd", sys(NR_fcntl, 20, 1, 0));
  show("fcntl bad", sys(NR_fcntl, 20, 999, 0));
  show("flock", sys(NR_flock, f, 2, 0));
  show("close", sys(NR_close, 20, 0, 0));
  show("close again", sys(NR_close, 20, 0, 0));
  show("ioctl no terminal", sys(NR_ioctl, f, 0x5401, buffer));
  show("read only", sys(NR_write, sys(NR_open, "file", 0, 0), "x", 1));
  show("read of writer", sys(NR_read, sys(NR_open, "file", 1, 0), buffer, 1));
}

static void names(void) {
  char buffer[2048];
  word status[18];
  show("umask", sys(NR_umask, 022, 0, 0) >= 0);
  show("mkdir", sys(NR_mkdir, "folder", 0777, 0));
  show("mkdir again", sys(NR_mkdir, "folder", 0777, 0));
  show("link", sys(NR_link, "file", "folder/other", 0));
  show("symlink", sys(NR_symlink, "../file", "folder/soft", 0));
  show("readlink", sys(NR_readlink, "folder/soft", buffer, 64));
  show("readlink no link", sys(NR_readlink, "file", buffer, 64));
  show("stat link", sys(NR_stat, "folder/soft", status, 0));
  show("links", (long)status[2]);
  show("lstat size", (sys(NR_lstat, "folder/soft", status, 0), (long)status[6]));
  show("rename", sys(NR_rename, "folder/other", "folder/third", 0));
  show("chmod", sys(NR_chmod, "folder/third", 0400, 0));
  show("access", sys(NR_access, "folder/third", 0, 0));
  show("access none", sys(NR_access, "folder/third/x", 0, 0));
  long f = sys(NR_open, "folder", 0200000, 0);
  long bytes = sys(NR_getdents64, f, buffer, 2048), count = 0;
  for (long at = 0; at < bytes; at += *(unsigned short *)(buffer + at + 16)) count++;
  show("entries", count);
  show("rmdir full", sys(NR_rmdir, "folder", 0, 0));
  show("unlink folder", sys(NR_unlink, "folder", 0, 0));
  show("unlink", sys(NR_unlink, "folder/third", 0, 0) | sys(NR_unlink, "folder/soft", 0, 0));
  show("rmdir", sys(NR_rmdir, "folder", 0, 0));
  word times[4] = {1000, 5, 2000, 7};
  show("utimensat", sys6(NR_utimensat, (word)-100, (word)"file", (word)times, 0, 0, 0));
  show("mtime", (sys(NR_stat, "file", status, 0), (long)status[NUMBER(9, 11)]));
  show("too long", sys(NR_open, "file/under", 0, 0));
  show("empty", sys(NR_open, "", 0, 0));
}

static void memory(void) {
  volatile char *p = (volatile char *)sys6(NR_mmap, 0, 1 << 18, 3, 0x22, ~0ul, 0);
  show("fresh", p[100]);
  p[70000] = 5;
  show("dontneed", sys(NR_madvise, p + 65536, 65536, 4));
  show("zero again", p[70000]);
  show("mmap size 0", sys6(NR_mmap, 0, 0, 3, 0x22, ~0ul, 0));
  show("mmap bad flags", sys6(NR_mmap, 0, 65536, 3, 0x20, ~0ul, 0));
  show("mmap bad fd", sys6(NR_mmap, 0, 65536, 3, 2, 999, 0));
  long f = sys(NR_memfd_create, "m", 0, 0);
  sys(NR_ftruncate, f, 65536, 0);
  volatile char *a = (volatile char *)sys6(NR_mmap, 0, 65536, 3, 1, (word)f, 0);
  volatile char *b = (volatile char *)sys6(NR_mmap, 0, 65536, 1, 1, (word)f, 0);
  a[9] = 77;
  show("shared", b[9]);
  show("msync", sys(NR_msync, a, 65536, 4));
  show("read protected", sys(NR_read, f, b, 8));
  show("munmap", sys(NR_munmap, a, 65536, 0));
  show("read unmapped", sys(NR_read, f, a, 8));
  volatile char *q = (volatile char *)sys6(NR_mremap, (word)p, 1 << 18, 1 << 20, 1, 0, 0);
  q[1 << 19] = 3;
  show("mremap", q[1 << 19]);
  q[5] = 8;
  q = (volatile char *)sys6(NR_mremap, (word)q, 1 << 20, 1 << 22, 1, 0, 0);
  show("mremap again", q[5] * 10 + q[1 << 19]);
  show("mprotect hole", sys(NR_mprotect, 65536 * 16, 65536, 1));
}

static long child(int (*body)(void)) {
  int status = 0;
#ifdef __ia64__
  long pid = sys6(1213, 17, 0, 0, 0, 0, 0);
#else
  long pid = sys(57, 0, 0, 0);
#endif
  if (pid == 0) quit(body());
  long got = sys6(NR_wait4, (word)pid, (word)&status, 0, 0, 0, 0);
  return got == pid ? status : -1;
}

static int leave(void) { return 42; }
static int die(void) { sys(NR_kill, sys(NR_getpid, 0, 0, 0), 9, 0); return 0; }
static int *volatile nowhere = (int *)8;
static int fault(void) { return *nowhere; }
static int group(void) {
  long self = sys(NR_getpid, 0, 0, 0);
  return sys(NR_setpgid, 0, 0, 0) == 0 && sys(NR_getpgid, 0, 0, 0) == self ? 1 : 2;
}

static void processes(void) {
  show("exit status", child(leave));
  show("by signal", child(die) & 0x7f);
  show("by fault", child(fault) & 0x7f);
  show("group", child(group));
  show("no child", sys6(NR_wait4, (word)-1, 0, 0, 0, 0, 0));
  show("no process", sys(NR_kill, 0x3fffffff, 0, 0));
  show("kill bad", sys(NR_kill, sys(NR_getpid, 0, 0, 0), 65, 0));
  word limit[2];
  show("getrlimit", sys(NR_getrlimit, 7, limit, 0));
  limit[0] = 64;
  show("setrlimit", sys(NR_setrlimit, 7, limit, 0));
  show("dup2 past it", sys(NR_dup2, 1, 64, 0));
  show("getrlimit bad", sys(NR_getrlimit, 99, limit, 0));
}

static volatile int caught, number_caught;
static void handler(int signal) { caught++, number_caught = signal; }
#ifdef __ia64__
typedef struct action { void *handler; word flags, mask; } action;
#define ACTION(f) {(void *)(f), 0x40000000, 0}
#else
__asm__(".text\nrestorer: mov $15, %eax\nsyscall\n");
void restorer(void);
typedef struct action { void *handler; word flags; void *restorer; word mask; } action;
#define ACTION(f) {(void *)(f), 0x44000000, (void *)restorer, 0}
#endif

static void signals(void) {
  long self = sys(NR_getpid, 0, 0, 0);
  action a = ACTION(handler);
  word set = 1ul << 9 | 1ul << 11, pending = 0;
  show("sigaction", sys6(NR_rt_sigaction, 10, (word)&a, 0, 8, 0, 0));
  show("sigaction kill", sys6(NR_rt_sigaction, 9, (word)&a, 0, 8, 0, 0));
  show("sigaction size", sys6(NR_rt_sigaction, 10, (word)&a, 0, 4, 0, 0));
  sys(NR_kill, self, 10, 0);
  show("caught", caught * 100 + number_caught);
  show("block", sys6(NR_rt_sigprocmask, 0, (word)&set, 0, 8, 0, 0));
  sys(NR_kill, self, 10, 0);
  sys(NR_kill, self, 10, 0);
  show("still", caught);
  show("pending", (sys(NR_rt_sigpending, &pending, 8, 0), (long)pending));
  show("unblock", sys6(NR_rt_sigprocmask, 1, (word)&set, 0, 8, 0, 0));
  show("once more", caught);
  sys6(NR_rt_sigprocmask, 0, (word)&set, 0, 8, 0, 0);
  sys(NR_kill, self, 12, 0);
  word information[16], time[2] = {5, 0};
  show("timedwait", sys6(NR_rt_sigtimedwait, (word)&set, (word)information, (word)time, 8, 0, 0));
  show("sender", (long)(unsigned)information[2] == self);
  time[0] = 0;
  show("timedwait none", sys6(NR_rt_sigtimedwait, (word)&set, 0, (word)time, 8, 0, 0));
  show("how", sys6(NR_rt_sigprocmask, 9, (word)&set, 0, 8, 0, 0));
}

static void waiting(void) {
  char buffer[16];
  int ends[2], pair[2];
  word one = 1;
  show("pipe2", sys(NR_pipe2, ends, 0, 0));
  struct { int fd; short events, revents; } polled = {ends[0], 1, 0};
  show("poll empty", sys(NR_poll, &polled, 1, 0));
  show("write", sys(NR_write, ends[1], "xyz", 3));
  show("poll", sys(NR_poll, &polled, 1, 1000) * 10 + polled.revents);
  show("read", sys(NR_read, ends[0], buffer, 16));
  sys(NR_close, ends[1], 0, 0);
  show("end", sys(NR_read, ends[0], buffer, 16));
  show("hang-up", (sys(NR_poll, &polled, 1, 0), polled.revents));
  show("socketpair", sys6(NR_socketpair, 1, 1, 0, (word)pair, 0, 0));
  show("sendto", sys6(NR_sendto, (word)pair[0], (word)"hello", 5, 0, 0, 0));
  show("peek", sys6(NR_recvfrom, (word)pair[1], (word)buffer, 16, 2, 0, 0));
  show("recvfrom", sys6(NR_recvfrom, (word)pair[1], (word)buffer, 3, 0, 0, 0));
  show("again", sys6(NR_recvfrom, (word)pair[1], (word)buffer, 16, 0x40, 0, 0));
  show("nothing", sys6(NR_recvfrom, (word)pair[1], (word)buffer, 16, 0x40, 0, 0));
  show("shutdown", sys(NR_shutdown, pair[0], 1, 0));
  show("no socket", sys(NR_shutdown, 1, 1, 0));
  long event = sys(NR_eventfd2, 3, 04000, 0), poller = sys(NR_epoll_create1, 0, 0, 0);
#ifdef __ia64__
  struct { unsigned events; word data; } wanted = {1, 55};
#else
  struct __attribute__((packed)) { unsigned events; word data; } wanted = {1, 55};
#endif
  show("epoll_ctl", sys6(NR_epoll_ctl, (word)poller, 1, (word)event, (word)&wanted, 0, 0));
  show("epoll_ctl again", sys6(NR_epoll_ctl, (word)poller, 1, (word)event, (word)&wanted, 0, 0));
  wanted.data = 0;
  show("epoll_wait", sys6(NR_epoll_wait, (word)poller, (word)&wanted, 1, 1000, 0, 0));
  show("data", (long)wanted.data);
  show("eventfd read", sys(NR_read, event, &one, 8) * 10 + (long)one);
  show("eventfd empty", sys(NR_read, event, &one, 8));
  show("epoll_wait none", sys6(NR_epoll_wait, (word)poller, (word)&wanted, 1, 0, 0, 0));
  show("epoll_wait bad", sys6(NR_epoll_wait, (word)poller, (word)&wanted, 0, 0, 0, 0));
}

static void times(void) {
  word time[4] = {0, 1000000000, 0, 0};
  show("nanosleep bad", sys(NR_nanosleep, time, 0, 0));
  time[1] = 1000;
  show("nanosleep", sys(NR_nanosleep, time, 0, 0));
  show("clock bad", sys(NR_clock_gettime, 999, time, 0));
  show("clock", sys(NR_clock_gettime, 1, time, 0));
  show("timer", (sys(NR_getitimer, 0, time, 0), (long)time[2]));
  show("timer bad", sys(NR_getitimer, 9, time, 0));
  long timer = sys(NR_timerfd_create, 1, 0, 0);
  word soon[4] = {0, 0, 0, 1000000};
  show("timerfd", sys6(NR_timerfd_settime, (word)timer, 0, (word)soon, 0, 0, 0));
  show("expired", (sys(NR_read, timer, time, 8), (long)time[0] >= 1));
}

int program(int count, char **arguments) {
  if (count < 2 || sys(NR_chdir, arguments[1], 0, 0)) return 1;
  files(), names(), memory(), processes(), signals(), waiting(), times();
  sys(NR_unlink, "file", 0, 0);
  return 0;
}
