// Names and structures of the kernel's interface that a trace shows (include/uapi/asm-generic, include/uapi/linux; those
// of ia64 where it has its own: stat, sigaction).

extension Symbols {
  static let open = Symbols(
    mask: 3, ["O_RDONLY": 0, "O_WRONLY": 1, "O_RDWR": 2],
    flags: [
      "O_CREAT": 0o100, "O_EXCL": 0o200, "O_NOCTTY": 0o400, "O_TRUNC": 0o1000, "O_APPEND": 0o2000,
      "O_NONBLOCK": 0o4000, "O_SYNC": 0o4010000, "O_DSYNC": 0o10000, "O_ASYNC": 0o20000, "O_DIRECT": 0o40000,
      "O_LARGEFILE": 0o100000, "O_TMPFILE": 0o20200000, "O_DIRECTORY": 0o200000, "O_NOFOLLOW": 0o400000,
      "O_NOATIME": 0o1000000, "O_CLOEXEC": 0o2000000, "O_PATH": 0o10000000,
    ])
  static let access = Symbols(["F_OK": 0], flags: ["R_OK": 4, "W_OK": 2, "X_OK": 1])
  static let at = Symbols(flags: [
    "AT_SYMLINK_NOFOLLOW": 0x100, "AT_REMOVEDIR": 0x200, "AT_SYMLINK_FOLLOW": 0x400, "AT_NO_AUTOMOUNT": 0x800,
    "AT_EMPTY_PATH": 0x1000, "AT_STATX_FORCE_SYNC": 0x2000, "AT_STATX_DONT_SYNC": 0x4000,
  ])
  static let rename = Symbols(flags: ["RENAME_NOREPLACE": 1, "RENAME_EXCHANGE": 2, "RENAME_WHITEOUT": 4])
  static let seek = Symbols(["SEEK_SET": 0, "SEEK_CUR": 1, "SEEK_END": 2, "SEEK_DATA": 3, "SEEK_HOLE": 4])
  static let lock = Symbols(
    mask: 15, ["LOCK_SH": 1, "LOCK_EX": 2, "LOCK_UN": 8], flags: ["LOCK_NB": 4])
  static let fcntl = Symbols([
    "F_DUPFD": 0, "F_GETFD": 1, "F_SETFD": 2, "F_GETFL": 3, "F_SETFL": 4, "F_GETLK": 5, "F_SETLK": 6, "F_SETLKW": 7,
    "F_SETOWN": 8, "F_GETOWN": 9, "F_SETSIG": 10, "F_GETSIG": 11, "F_SETOWN_EX": 15, "F_GETOWN_EX": 16,
    "F_OFD_GETLK": 36, "F_OFD_SETLK": 37, "F_OFD_SETLKW": 38, "F_SETLEASE": 1024, "F_GETLEASE": 1025, "F_NOTIFY": 1026,
    "F_DUPFD_CLOEXEC": 1030, "F_SETPIPE_SZ": 1031, "F_GETPIPE_SZ": 1032, "F_ADD_SEALS": 1033, "F_GET_SEALS": 1034,
  ])
  static let ioctl = Symbols([
    "TCGETS": 0x5401, "TCSETS": 0x5402, "TCSETSW": 0x5403, "TCSETSF": 0x5404, "TCGETA": 0x5405, "TCSETA": 0x5406,
    "TCSETAW": 0x5407, "TCSETAF": 0x5408, "TCSBRK": 0x5409, "TCXONC": 0x540a, "TCFLSH": 0x540b, "TIOCSCTTY": 0x540e,
    "TIOCGPGRP": 0x540f, "TIOCSPGRP": 0x5410, "TIOCOUTQ": 0x5411, "TIOCGWINSZ": 0x5413, "TIOCSWINSZ": 0x5414,
    "FIONREAD": 0x541b, "FIONBIO": 0x5421, "TIOCNOTTY": 0x5422, "TIOCGSID": 0x5429, "FIONCLEX": 0x5450,
    "FIOCLEX": 0x5451, "FIOASYNC": 0x5452, "TIOCGPTN": 0x8004_5430, "TIOCSPTLCK": 0x4004_5431,
  ])
  static let protection = Symbols(
    ["PROT_NONE": 0],
    flags: [
      "PROT_READ": 1, "PROT_WRITE": 2, "PROT_EXEC": 4, "PROT_GROWSDOWN": 0x100_0000, "PROT_GROWSUP": 0x200_0000,
    ])
  static let map = Symbols(
    mask: 15, ["MAP_SHARED": 1, "MAP_PRIVATE": 2, "MAP_SHARED_VALIDATE": 3],
    flags: [
      "MAP_FIXED": 0x10, "MAP_ANONYMOUS": 0x20, "MAP_GROWSDOWN": 0x100, "MAP_GROWSUP": 0x200, "MAP_DENYWRITE": 0x800,
      "MAP_EXECUTABLE": 0x1000, "MAP_LOCKED": 0x2000, "MAP_NORESERVE": 0x4000, "MAP_POPULATE": 0x8000,
      "MAP_NONBLOCK": 0x10000, "MAP_STACK": 0x20000, "MAP_HUGETLB": 0x40000, "MAP_FIXED_NOREPLACE": 0x100000,
    ])
  static let remap = Symbols(flags: ["MREMAP_MAYMOVE": 1, "MREMAP_FIXED": 2, "MREMAP_DONTUNMAP": 4])
  static let synchronize = Symbols(flags: ["MS_ASYNC": 1, "MS_INVALIDATE": 2, "MS_SYNC": 4])
  static let advice = Symbols([
    "MADV_NORMAL": 0, "MADV_RANDOM": 1, "MADV_SEQUENTIAL": 2, "MADV_WILLNEED": 3, "MADV_DONTNEED": 4, "MADV_FREE": 8,
    "MADV_REMOVE": 9, "MADV_DONTFORK": 10, "MADV_DOFORK": 11, "MADV_MERGEABLE": 12, "MADV_UNMERGEABLE": 13,
    "MADV_HUGEPAGE": 14, "MADV_NOHUGEPAGE": 15, "MADV_DONTDUMP": 16, "MADV_DODUMP": 17,
  ])
  static let clone = Symbols(
    mask: 0xff, ["SIGCHLD": 17],
    flags: [
      "CLONE_VM": 0x100, "CLONE_FS": 0x200, "CLONE_FILES": 0x400, "CLONE_SIGHAND": 0x800, "CLONE_PIDFD": 0x1000,
      "CLONE_PTRACE": 0x2000, "CLONE_VFORK": 0x4000, "CLONE_PARENT": 0x8000, "CLONE_THREAD": 0x10000,
      "CLONE_NEWNS": 0x20000, "CLONE_SYSVSEM": 0x40000, "CLONE_SETTLS": 0x80000, "CLONE_PARENT_SETTID": 0x100000,
      "CLONE_CHILD_CLEARTID": 0x200000, "CLONE_DETACHED": 0x400000, "CLONE_UNTRACED": 0x800000,
      "CLONE_CHILD_SETTID": 0x1000000,
    ])
  static let wait = Symbols(flags: [
    "WNOHANG": 1, "WUNTRACED": 2, "WEXITED": 4, "WCONTINUED": 8, "WNOWAIT": 0x100_0000, "__WNOTHREAD": 0x2000_0000,
    "__WALL": 0x4000_0000, "__WCLONE": 0x8000_0000,
  ])
  static let waitKind = Symbols(["P_ALL": 0, "P_PID": 1, "P_PGID": 2, "P_PIDFD": 3])
  static let maskChange = Symbols(["SIG_BLOCK": 0, "SIG_UNBLOCK": 1, "SIG_SETMASK": 2])
  static let signalAction = Symbols(flags: [
    "SA_NOCLDSTOP": 1, "SA_NOCLDWAIT": 2, "SA_SIGINFO": 4, "SA_ONSTACK": 0x0800_0000, "SA_RESTART": 0x1000_0000,
    "SA_NODEFER": 0x4000_0000, "SA_RESETHAND": 0x8000_0000,
  ])
  static let signalStack = Symbols(flags: ["SS_ONSTACK": 1, "SS_DISABLE": 2, "SS_AUTODISARM": 0x8000_0000])
  static let futex = Symbols(
    mask: 0x7f,
    [
      "FUTEX_WAIT": 0, "FUTEX_WAKE": 1, "FUTEX_REQUEUE": 3, "FUTEX_CMP_REQUEUE": 4, "FUTEX_WAKE_OP": 5,
      "FUTEX_LOCK_PI": 6, "FUTEX_UNLOCK_PI": 7, "FUTEX_TRYLOCK_PI": 8, "FUTEX_WAIT_BITSET": 9, "FUTEX_WAKE_BITSET": 10,
      "FUTEX_WAIT_REQUEUE_PI": 11, "FUTEX_CMP_REQUEUE_PI": 12, "FUTEX_LOCK_PI2": 13,
    ], flags: ["FUTEX_PRIVATE_FLAG": 128, "FUTEX_CLOCK_REALTIME": 256])
  static let clock = Symbols([
    "CLOCK_REALTIME": 0, "CLOCK_MONOTONIC": 1, "CLOCK_PROCESS_CPUTIME_ID": 2, "CLOCK_THREAD_CPUTIME_ID": 3,
    "CLOCK_MONOTONIC_RAW": 4, "CLOCK_REALTIME_COARSE": 5, "CLOCK_MONOTONIC_COARSE": 6, "CLOCK_BOOTTIME": 7,
    "CLOCK_REALTIME_ALARM": 8, "CLOCK_BOOTTIME_ALARM": 9, "CLOCK_TAI": 11,
  ])
  static let timer = Symbols(flags: ["TIMER_ABSTIME": 1])
  static let intervalTimer = Symbols(["ITIMER_REAL": 0, "ITIMER_VIRTUAL": 1, "ITIMER_PROF": 2])
  static let resource = Symbols([
    "RLIMIT_CPU": 0, "RLIMIT_FSIZE": 1, "RLIMIT_DATA": 2, "RLIMIT_STACK": 3, "RLIMIT_CORE": 4, "RLIMIT_RSS": 5,
    "RLIMIT_NPROC": 6, "RLIMIT_NOFILE": 7, "RLIMIT_MEMLOCK": 8, "RLIMIT_AS": 9, "RLIMIT_LOCKS": 10,
    "RLIMIT_SIGPENDING": 11, "RLIMIT_MSGQUEUE": 12, "RLIMIT_NICE": 13, "RLIMIT_RTPRIO": 14, "RLIMIT_RTTIME": 15,
  ])
  static let usage = Symbols(["RUSAGE_SELF": 0, "RUSAGE_CHILDREN": 0xffff_ffff, "RUSAGE_THREAD": 1])
  static let family = Symbols([
    "AF_UNSPEC": 0, "AF_UNIX": 1, "AF_INET": 2, "AF_INET6": 10, "AF_NETLINK": 16, "AF_PACKET": 17,
  ])
  static let socketType = Symbols(
    mask: 15, ["SOCK_STREAM": 1, "SOCK_DGRAM": 2, "SOCK_RAW": 3, "SOCK_RDM": 4, "SOCK_SEQPACKET": 5],
    flags: ["SOCK_NONBLOCK": 0o4000, "SOCK_CLOEXEC": 0o2000000])
  static let socketFlags = Symbols(flags: ["SOCK_NONBLOCK": 0o4000, "SOCK_CLOEXEC": 0o2000000])
  static let shutdown = Symbols(["SHUT_RD": 0, "SHUT_WR": 1, "SHUT_RDWR": 2])
  static let socketLevel = Symbols(["SOL_IP": 0, "SOL_SOCKET": 1, "SOL_TCP": 6, "SOL_UDP": 17, "SOL_IPV6": 41])
  static let message = Symbols(flags: [
    "MSG_OOB": 1, "MSG_PEEK": 2, "MSG_DONTROUTE": 4, "MSG_CTRUNC": 8, "MSG_TRUNC": 0x20, "MSG_DONTWAIT": 0x40,
    "MSG_EOR": 0x80, "MSG_WAITALL": 0x100, "MSG_ERRQUEUE": 0x2000, "MSG_NOSIGNAL": 0x4000, "MSG_MORE": 0x8000,
    "MSG_WAITFORONE": 0x10000, "MSG_CMSG_CLOEXEC": 0x4000_0000,
  ])
  static let pollEvents = Symbols(flags: [
    "POLLIN": 1, "POLLPRI": 2, "POLLOUT": 4, "POLLERR": 8, "POLLHUP": 16, "POLLNVAL": 32, "POLLRDNORM": 64,
    "POLLRDBAND": 128, "POLLWRNORM": 256, "POLLWRBAND": 512, "POLLRDHUP": 0x2000,
  ])
  static let epollEvents = Symbols(flags: [
    "EPOLLIN": 1, "EPOLLPRI": 2, "EPOLLOUT": 4, "EPOLLERR": 8, "EPOLLHUP": 16, "EPOLLRDHUP": 0x2000,
    "EPOLLEXCLUSIVE": 0x1000_0000, "EPOLLONESHOT": 0x4000_0000, "EPOLLET": 0x8000_0000,
  ])
  static let epollOperation = Symbols(["EPOLL_CTL_ADD": 1, "EPOLL_CTL_DEL": 2, "EPOLL_CTL_MOD": 3])
  static let closeOnExec = Symbols(flags: ["O_CLOEXEC": 0o2000000, "O_NONBLOCK": 0o4000])
  static let eventDescriptor = Symbols(flags: ["EFD_SEMAPHORE": 1, "O_NONBLOCK": 0o4000, "O_CLOEXEC": 0o2000000])
  static let memoryFile = Symbols(flags: ["MFD_CLOEXEC": 1, "MFD_ALLOW_SEALING": 2, "MFD_HUGETLB": 4])
  static let random = Symbols(flags: ["GRND_NONBLOCK": 1, "GRND_RANDOM": 2, "GRND_INSECURE": 4])
  static let interprocess = Symbols(flags: ["IPC_CREAT": 0o1000, "IPC_EXCL": 0o2000, "IPC_NOWAIT": 0o4000])
  static let interprocessCommand = Symbols(["IPC_RMID": 0, "IPC_SET": 1, "IPC_STAT": 2, "IPC_INFO": 3])
  static let attach = Symbols(flags: ["SHM_RDONLY": 0o10000, "SHM_RND": 0o20000, "SHM_REMAP": 0o40000])
  static let processControl = Symbols([
    "PR_SET_PDEATHSIG": 1, "PR_GET_PDEATHSIG": 2, "PR_GET_DUMPABLE": 3, "PR_SET_DUMPABLE": 4, "PR_GET_UNALIGN": 5,
    "PR_SET_UNALIGN": 6, "PR_GET_KEEPCAPS": 7, "PR_SET_KEEPCAPS": 8, "PR_SET_NAME": 15, "PR_GET_NAME": 16,
    "PR_CAPBSET_READ": 23, "PR_SET_CHILD_SUBREAPER": 36, "PR_GET_CHILD_SUBREAPER": 37, "PR_SET_NO_NEW_PRIVS": 38,
    "PR_GET_NO_NEW_PRIVS": 39,
  ])
}

extension Layout {
  static let text = Layout(1, .text)
  static let socketAddress = Layout(128, .socketAddress)
  static let integer = Layout(4, .single(.signed(4)))
  static let status = Layout(4, .single(.unsigned(4)))
  static let long = Layout(8, .single(.signed(8)))
  static let pair = Layout(8, .single(.numbers(2)))
  static let group = Layout(4, .single(.unsigned(4)))
  static let signalSet = Layout(8, .single(.signalSet))
  static let timespec = Layout(16, [("tv_sec", 0, .signed(8)), ("tv_nsec", 8, .signed(8))])
  static let timeval = Layout(16, [("tv_sec", 0, .signed(8)), ("tv_usec", 8, .signed(8))])
  static let timePair = Layout(32, [
    ("tv_sec", 0, .signed(8)), ("tv_nsec", 8, .signed(8)), ("tv_sec", 16, .signed(8)), ("tv_nsec", 24, .signed(8)),
  ])
  static let timevalPair = Layout(32, [
    ("tv_sec", 0, .signed(8)), ("tv_usec", 8, .signed(8)), ("tv_sec", 16, .signed(8)), ("tv_usec", 24, .signed(8)),
  ])
  static let intervalTimer = Layout(32, [
    ("it_interval.tv_sec", 0, .signed(8)), ("it_interval.tv_usec", 8, .signed(8)),
    ("it_value.tv_sec", 16, .signed(8)), ("it_value.tv_usec", 24, .signed(8)),
  ])
  static let timer = Layout(32, [
    ("it_interval.tv_sec", 0, .signed(8)), ("it_interval.tv_nsec", 8, .signed(8)),
    ("it_value.tv_sec", 16, .signed(8)), ("it_value.tv_nsec", 24, .signed(8)),
  ])
  static let resourceLimit = Layout(16, [("rlim_cur", 0, .unsigned(8)), ("rlim_max", 8, .unsigned(8))])
  static let usage = Layout(144, [
    ("ru_utime.tv_sec", 0, .signed(8)), ("ru_utime.tv_usec", 8, .signed(8)), ("ru_maxrss", 32, .signed(8)),
  ])
  /// arch/ia64/include/uapi/asm/stat.h
  static let stat = Layout(144, [
    ("st_ino", 8, .unsigned(8)), ("st_nlink", 16, .unsigned(8)), ("st_mode", 24, .octal), ("st_uid", 28, .unsigned(4)),
    ("st_gid", 32, .unsigned(4)), ("st_size", 48, .signed(8)), ("st_mtime", 72, .signed(8)),
  ])
  static let extendedStat = Layout(256, [
    ("stx_mask", 0, .address), ("stx_nlink", 16, .unsigned(4)), ("stx_mode", 28, .octal), ("stx_ino", 32, .unsigned(8)),
    ("stx_size", 40, .unsigned(8)),
  ])
  static let systemStat = Layout(120, [
    ("f_type", 0, .address), ("f_bsize", 8, .signed(8)), ("f_blocks", 16, .signed(8)), ("f_bfree", 24, .signed(8)),
    ("f_files", 40, .signed(8)), ("f_namelen", 64, .signed(8)),
  ])
  /// handler, flags, mask: ia64 has no restorer.
  static let signalAction = Layout(24, [
    ("sa_handler", 0, .handler), ("sa_flags", 8, .named(.signalAction, 8)), ("sa_mask", 16, .signalSet),
  ])
  static let signalStack = Layout(24, [
    ("ss_sp", 0, .address), ("ss_flags", 8, .named(.signalStack, 4)), ("ss_size", 16, .unsigned(8)),
  ])
  static let signalInformation = Layout(128, [
    ("si_signo", 0, .signal), ("si_errno", 4, .signed(4)), ("si_code", 8, .signed(4)), ("si_pid", 16, .signed(4)),
    ("si_uid", 20, .unsigned(4)),
  ])
  static let vector = Layout(16, [("iov_base", 0, .buffer), ("iov_len", 8, .unsigned(8))])
  static let message = Layout(56, [
    ("msg_name", 0, .address), ("msg_namelen", 8, .unsigned(4)), ("msg_iov", 16, .address),
    ("msg_iovlen", 24, .unsigned(8)), ("msg_controllen", 40, .unsigned(8)), ("msg_flags", 48, .named(.message, 4)),
  ])
  static let pollDescriptor = Layout(8, [
    ("fd", 0, .signed(4)), ("events", 4, .named(.pollEvents, 2)), ("revents", 6, .named(.pollEvents, 2)),
  ])
  /// Not packed: only x86-64's is.
  static let epollEvent = Layout(16, [("events", 0, .named(.epollEvents, 4)), ("data", 8, .address)])
  static let systemNames = Layout(390, [
    ("sysname", 0, .name(65)), ("nodename", 65, .name(65)), ("release", 130, .name(65)), ("machine", 260, .name(65)),
  ])
  static let systemInformation = Layout(112, [
    ("uptime", 0, .signed(8)), ("totalram", 32, .unsigned(8)), ("freeram", 40, .unsigned(8)),
    ("procs", 80, .unsigned(2)),
  ])
  static let terminalSize = Layout(8, [("ws_row", 0, .unsigned(2)), ("ws_col", 2, .unsigned(2))])
  static let processTimes = Layout(32, [("tms_utime", 0, .signed(8)), ("tms_stime", 8, .signed(8))])
}
