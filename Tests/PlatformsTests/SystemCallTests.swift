// System calls as Linux/ia64 answers them. Numbers and layouts: the kernel's interface headers for ia64.
import CSupport
import Glibc
import Machine
import Platforms
import Testing

extension ProcessTests {
  @Suite(.serialized) final class SystemCallTests {
    let process: LinuxProcess
    let log = LogLines()
    let page = AddressSpace.pageSize
    let buffer: UInt64 = 0x2000_0000_0001_0000

    init() throws {
      var options = ProcessOptions(arguments: ["test"])
      options.log = { [log] in log.all.append($0) }
      process = LinuxProcess(options: options, executablePath: "/usr/bin/guest-program")
      try process.memory.map(buffer, 2 * page, [.read, .write])
    }

    private func call(_ number: UInt64, _ arguments: UInt64...) -> SystemCallResult {
      process.perform(SystemCall(number: number, arguments: arguments))
    }

    private func temporaryFile(_ bytes: Int) -> Int32 {
      var name = Array("/tmp/kittson-test-XXXXXX".utf8CString)
      let descriptor = mkstemp(&name)
      unlink(name)
      ftruncate(descriptor, bytes)
      return descriptor
    }

    @Test func numbersAreTheKernels() {
      let known: [UInt64: String] = [
        1024: "ni_syscall", 1025: "exit", 1026: "read", 1027: "write", 1060: "brk", 1065: "ioctl", 1130: "uname",
        1151: "mmap", 1177: "rt_sigaction", 1212: "fstat", 1213: "clone2", 1230: "futex", 1236: "exit_group",
        1254: "clock_gettime", 1281: "openat", 1286: "newfstatat", 1325: "prlimit64", 1339: "getrandom", 1350: "statx",
        1357: "rseq", 1448: "pidfd_send_signal", 1473: "futex_waitv", 1474: "set_mempolicy_home_node",
      ]
      for (number, name) in known { #expect(SyscallTable.name(number) == name) }
      #expect(SyscallTable.name(1023) == nil && SyscallTable.name(1475) == nil && SyscallTable.name(~0) == nil)
      // Linux 6.1 defines 353 numbers in 1024…1474.
      #expect((1024...1474).filter { SyscallTable.name($0) != nil }.count == 353)
    }

    @Test func unknownCallsAreLoggedOnce() {
      #expect(call(5000) == .failure(ENOSYS))
      #expect(call(5000) == .failure(ENOSYS))
      #expect(call(1357) == .failure(ENOSYS))
      #expect(log.all.count == 2)
      #expect(log.all[0].contains("5000") && log.all[1].contains("rseq") && log.all[1].contains("1357"))
    }

    /// Arguments as strace writes them; the structures are laid out by hand after the kernel's headers.
    @Test func traceShowsArgumentsAndResults() throws {
      var text = ""
      process.tracer = SyscallTracer(lines: { text += $0 }, records: nil)
      func traced(_ number: UInt64, _ arguments: UInt64...) -> String {
        text = ""
        _ = process.perform(SystemCall(number: number, arguments: arguments))
        return String(text.drop { $0 != " " }.dropFirst())
      }
      let other = buffer + 256
      try process.memory.write(Array("/no\"dir/a\n\0".utf8), to: buffer)
      #expect(
        traced(1281, ~0 &- 99, buffer, 0o2000101, 0o640)
          == #"openat(AT_FDCWD, "/no\"dir/a\n", O_WRONLY|O_CREAT|O_CLOEXEC, 0640) = "#
          + "-1 ENOENT (No such file or directory)\n")
      #expect(traced(1281, 7, 0x10, 0, 9) == "openat(7, 0x10, O_RDONLY) = -1 EFAULT (Bad address)\n")
      try process.memory.write(
        [0x4000_0000_0000_1230, 0x1000_0004, 1 << 1 | 1 << 33].withUnsafeBytes { Array($0) } as [UInt8], to: buffer)
      #expect(
        traced(1177, 17, buffer, other, 8)
          == "rt_sigaction(SIGCHLD, {sa_handler=0x4000000000001230, sa_flags=SA_SIGINFO|SA_RESTART, "
          + "sa_mask=[SIGINT SIGRT_2]}, {sa_handler=SIG_DFL, sa_flags=0, sa_mask=[]}, 8) = 0\n")
      try process.memory.write([2, 0, 0, 80, 127, 0, 0, 1] + [UInt8](repeating: 0, count: 8), to: buffer)
      #expect(
        traced(1192, 999, buffer, 16)
          == "connect(999, {sa_family=AF_INET, sin_port=80, sin_addr=127.0.0.1}, 16) = -1 EBADF (Bad file descriptor)\n")
      #expect(traced(1325, 0, 7, 0, 0) == "prlimit64(0, RLIMIT_NOFILE, NULL, NULL) = 0\n")
      #expect(
        traced(1230, buffer, 0x81, 3)
          == "futex(\(hexadecimal(buffer)), FUTEX_WAKE|FUTEX_PRIVATE_FLAG, 3, NULL, NULL, 0) = 0\n")
      #expect(traced(5000, 1).hasPrefix("syscall_5000(1, 0, 0, 0, 0, 0) = -1 ENOSYS ("))
      #expect(
        traced(1151, 0, 4096, 3, 0x22, ~0, 0)
          .hasPrefix("mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x20000"))
      try process.memory.write([other, 3, other + 3, 2].withUnsafeBytes { Array($0) } as [UInt8], to: buffer)
      try process.memory.write(Array("abcde".utf8), to: other)
      let file = temporaryFile(0)
      defer { close(file) }
      #expect(
        traced(1147, UInt64(file), buffer, 2)
          == #"writev(\#(file), [{iov_base="abc", iov_len=3}, {iov_base="de", iov_len=2}], 2) = 5"# + "\n")
    }

    @Test func writeChecksItsBuffer() throws {
      let descriptor = temporaryFile(0)
      defer { close(descriptor) }
      let fd = UInt64(descriptor)
      #expect(call(1027, fd, 0x1000, 5) == .failure(EFAULT))
      #expect(call(1027, fd, ~0, 5) == .failure(EFAULT))
      #expect(call(1027, fd, 0xa000_0000_0000_0000, 5) == .failure(EFAULT))
      #expect(call(1027, 999, buffer, 5) == .failure(EBADF))
      #expect(call(1027, fd, buffer, 5) == .success(5))
      #expect(call(1027, fd, buffer, 0) == .success(0))
      // A transfer ends where the buffer does.
      #expect(call(1027, fd, buffer + 2 * page - 3, 100) == .success(3))
      #expect(lseek(descriptor, 0, SEEK_END) == 8)
      #expect(call(1026, fd, buffer, ~0) == .success(0))
    }

    /// rt_sigreturn from a frame that a handler has written: sigcontext stands at 160 of the frame at r12 + 16, sc_ar_fpsr at
    /// 104 of it (arch/ia64/include/uapi/asm/sigcontext.h). Reserved are bits 63:58, td of sf0 and precision 1 (SDM vol. 1,
    /// 5.2).
    @Test(arguments: [
      (0x9804_c027_0033f, true), (0x9804_c027_0037f, true),
      (1 << 58, false), (1 << 60, false), (1 << 63, false), (1 << 12, false), (1 << 8, false), (1 << 21, false),
      (1 << 34, false), (1 << 47, false), (2 << 8, true), (3 << 47, true), (1 << 25, true), (0, true),
    ] as [(UInt64, Bool)])
    func signalReturnTakesNoReservedStatus(_ fpsr: UInt64, _ isLegal: Bool) throws {
      let machine = try Machine(ramSize: 0)
      machine.processMemory = process.memory
      let cpu = machine.cpus[0]
      cpu.pointee.is_process = 1
      process.current.cpu = cpu
      defer { process.current.cpu = nil }
      cpu.writeGR(12, buffer)
      try process.memory.store(fpsr, to: buffer + 16 + 160 + 104)
      try process.memory.store(0x4000 as UInt64, to: buffer + 16 + 160 + 40)
      let result = call(1181)
      #expect(result.end == (isLegal ? nil : .killed(signal: SIGSEGV)))
      #expect(cpu.pointee.ar_fpsr == (isLegal ? fpsr : 0x9804_c027_0033f))
      if isLegal { #expect(cpu.pointee.ip == 0x4000) }
    }

    @Test func statusHasTheLayoutOfIA64() throws {
      let descriptor = temporaryFile(12345)
      defer { close(descriptor) }
      var host = stat()
      fstat(descriptor, &host)
      #expect(call(1212, UInt64(descriptor), buffer) == .success(0))
      let memory = process.memory
      #expect(try memory.load(buffer, as: UInt64.self) == UInt64(host.st_dev))
      #expect(try memory.load(buffer + 8, as: UInt64.self) == UInt64(host.st_ino))
      #expect(try memory.load(buffer + 16, as: UInt64.self) == UInt64(host.st_nlink))
      #expect(try memory.load(buffer + 24, as: UInt32.self) == host.st_mode)
      #expect(try memory.load(buffer + 28, as: UInt32.self) == host.st_uid)
      #expect(try memory.load(buffer + 32, as: UInt32.self) == host.st_gid)
      #expect(try memory.load(buffer + 48, as: UInt64.self) == 12345)
      #expect(try memory.load(buffer + 72, as: Int.self) == host.st_mtim.tv_sec)
      #expect(try memory.load(buffer + 104, as: Int.self) == host.st_blksize)
      #expect(call(1212, UInt64(descriptor), 8) == .failure(EFAULT))
    }

    @Test func breakMovesByPages() throws {
      let start = call(1060, 0).value
      #expect(call(1060, start + 5).value == start + 5)
      try process.memory.store(UInt8(1), to: start + page - 1)
      #expect(call(1060, start).value == start)
      #expect(process.memory.page(at: start) == nil)
      #expect(call(1060, start &- 1).value == start)
      #expect(call(1060, ~0).value == start)
    }

    @Test func mmapPlacesAndRefuses() throws {
      let anonymous: UInt64 = 0x22
      let first = call(1151, 0, 100_000, 3, anonymous, ~0, 0)
      #expect(!first.failed && first.value % page == 0)
      #expect(process.memory.accessibleLength(first.value, 1 << 20, .write) == 7 * page)
      #expect(call(1151, 0, 0, 3, anonymous, ~0, 0) == .failure(EINVAL))
      #expect(call(1151, 0, 1, 3, 0x20, ~0, 0) == .failure(EINVAL))
      #expect(call(1151, 0, 1, 3, 2, 999, 0) == .failure(EBADF))
      #expect(call(1151, 0, 1 << 50, 3, anonymous, ~0, 0) == .failure(ENOMEM))
      #expect(call(1151, 1 << 60, page, 3, anonymous | 0x10, ~0, 0) == .failure(EINVAL))
      #expect(call(1151, first.value, page, 3, anonymous | 0x100000, ~0, 0) == .failure(EEXIST))
      try process.memory.store(UInt64(42), to: first.value)
      let moved = call(1156, first.value, page, 20 * page, 1)
      #expect(!moved.failed)
      #expect(try process.memory.load(moved.value, as: UInt64.self) == 42)
      // Sizes and offsets that end past all addresses.
      #expect(call(1156, moved.value, page, 0xffff_ffff_ffff_c000, 3, page) == .failure(EINVAL))
      #expect(call(1156, moved.value, page, 0xffff_ffff_ffff_c000, 1) == .failure(ENOMEM))
      let file = temporaryFile(100)
      defer { close(file) }
      for kind: UInt64 in [1, 2] {
        #expect(call(1151, 0, page, 1, kind, UInt64(file), 1 << 63) == .failure(EOVERFLOW))
        #expect(call(1151, 0, page, 1, kind, UInt64(file), 0x7fff_ffff_ffff_c000) == .failure(EOVERFLOW))
      }
      #expect(call(1152, moved.value, 20 * page) == .success(0))
      #expect(process.memory.page(at: moved.value) == nil)
    }

    @Test func theProgramIsItsOwnExecutable() throws {
      try process.memory.write(Array("/proc/self/exe\0".utf8), to: buffer)
      #expect(call(1092, buffer, buffer + 256, 100) == .success(22))
      #expect(try process.memory.read(buffer + 256, 22) == Array("/usr/bin/guest-program".utf8))
      try process.memory.write(Array("/proc/self/mem\0".utf8), to: buffer)
      #expect(call(1281, UInt64(bitPattern: -100), buffer, 0) == .failure(ENOENT))
    }

    /// No name leads to the memory of the process that runs the guest.
    @Test func hostMemoryIsOutOfReach() throws {
      let own = "/proc/\(getpid())"
      let thread = call(1105).value  // gettid
      var names = ["/proc/self/../self/mem", "/proc//self/mem", "/proc/./self/maps", "/proc/../\(own)/smaps"]
      names += ["/proc/self/task/\(thread)/mem", "\(own)/task/\(thread)/maps", "/proc/\(thread)/mem"]
      var link = Array("/tmp/kittson-test-XXXXXX".utf8CString)
      close(mkstemp(&link))
      unlink(link)
      #expect(symlink("\(own)/mem", link) == 0)
      defer { unlink(link) }
      names.append(String(decoding: link.dropLast().map(UInt8.init), as: UTF8.self))
      let here = UInt64(bitPattern: -100)
      for name in names {
        try process.memory.write(Array(name.utf8) + [0], to: buffer)
        let expected: Set = [SystemCallResult.failure(EACCES).value, SystemCallResult.failure(ENOENT).value]
        let opened = call(1281, here, buffer, 0), another = call(1028, buffer, 0)
        #expect(opened.failed && expected.contains(opened.value), "\(name)")
        #expect(another.failed && expected.contains(another.value), "\(name)")
      }
      let directory = open("/proc/self", O_RDONLY)
      defer { close(directory) }
      try process.memory.write(Array("mem\0".utf8), to: buffer)
      #expect(call(1281, UInt64(directory), buffer, 0) == .failure(EACCES))
      // Other files of procfs, and files of these names elsewhere, are open to it.
      try process.memory.write(Array("/proc/self/../meminfo\0".utf8), to: buffer)
      let other = call(1281, here, buffer, 0)
      #expect(!other.failed)
      #expect(call(1029, other.value) == .success(0))
    }

    @Test func unameSaysIA64() throws {
      #expect(call(1130, buffer) == .success(0))
      #expect(try process.memory.string(buffer) == Array("Linux".utf8))
      #expect(try process.memory.string(buffer + 4 * 65) == Array("ia64".utf8))
    }

    @Test func pipeReturnsItsEndsInTwoRegisters() throws {
      let result = call(1058)
      let second = try #require(result.second)
      try process.memory.write([1, 2, 3], to: buffer)
      #expect(call(1027, second, buffer, 3) == .success(3))
      #expect(call(1026, result.value, buffer + 100, 10) == .success(3))
      #expect(try process.memory.read(buffer + 100, 3) == [1, 2, 3])
      #expect(call(1029, result.value) == .success(0) && call(1029, second) == .success(0))
    }

    @Test func vectorsAreGatheredAndChecked() throws {
      let descriptor = temporaryFile(0)
      defer { close(descriptor) }
      try process.memory.write(Array("abcdef".utf8), to: buffer)
      let vector: [UInt64] = [buffer, 2, buffer + 4, 2]
      try process.memory.write(vector.withUnsafeBytes { Array($0) }, to: buffer + 64)
      #expect(call(1147, UInt64(descriptor), buffer + 64, 2) == .success(4))
      var text = [UInt8](repeating: 0, count: 4)
      #expect(pread(descriptor, &text, 4, 0) == 4 && text == Array("abef".utf8))
      #expect(call(1147, UInt64(descriptor), buffer + 64, 5000) == .failure(EINVAL))
      #expect(call(1147, UInt64(descriptor), 0x10, 1) == .failure(EFAULT))
    }

    @Test func signalStateIsKept() throws {
      // Dispositions and masks are the host's.
      let mask = kt_signals_mask()
      defer {
        kt_signals_restore()
        kt_signals_set_mask(mask)
      }
      let action: [UInt64] = [0x4000, 4, 0xff]
      try process.memory.write(action.withUnsafeBytes { Array($0) }, to: buffer)
      #expect(call(1177, 11, buffer, 0, 8) == .success(0))
      #expect(call(1177, 11, 0, buffer + 64, 8) == .success(0))
      #expect(try process.memory.read(buffer + 64, 24) == process.memory.read(buffer, 24))
      #expect(call(1177, 9, buffer, 0, 8) == .failure(EINVAL))
      #expect(call(1177, 65, 0, 0, 8) == .failure(EINVAL))
      try process.memory.store(UInt64.max, to: buffer)
      #expect(call(1179, 0, buffer, 0, 8) == .success(0))
      #expect(call(1179, 0, 0, buffer, 8) == .success(0))
      #expect(try process.memory.load(buffer, as: UInt64.self) == ~(1 << 8 | 1 << 18))
      #expect(call(1179, 2, 0x1, 0, 8) == .failure(EFAULT))
      try process.memory.store(UInt64(0), to: buffer)
      #expect(call(1179, 2, buffer, 0, 8) == .success(0))
      // By default SIGABRT ends the process.
      #expect(call(1235, UInt64(getpid()), call(1105).value, 6).end == .killed(signal: 6))
      #expect(call(1053, UInt64(getpid()), 17).end == nil)
    }

    @Test func exitGivesEightBits() {
      #expect(call(1236, 0x1_0000_0103).end == .exited(3))
      #expect(call(1025, ~0).end == .exited(255))
    }

    @Test func virtualTimeAndRandomNumbersRepeat() throws {
      func run() throws -> [UInt8] {
        var now: UInt64 = 5_000_000_007
        var options = ProcessOptions(arguments: ["x"])
        options.virtualClock = { now }
        options.advanceClock = { now += $0 }
        let process = LinuxProcess(options: options, executablePath: "/x")
        try process.memory.map(buffer, page, [.read, .write])
        #expect(process.perform(SystemCall(number: 1254, arguments: [1, buffer])) == .success(0))
        #expect(try process.memory.load(buffer, as: UInt64.self) == 5)
        #expect(try process.memory.load(buffer + 8, as: UInt64.self) == 7)
        try process.memory.store(UInt64(2), to: buffer + 32)
        #expect(process.perform(SystemCall(number: 1168, arguments: [buffer + 32, 0])) == .success(0))
        #expect(now == 7_000_000_007)
        #expect(process.perform(SystemCall(number: 1339, arguments: [buffer + 64, 40, 0])) == .success(40))
        return try process.memory.read(buffer, 128)
      }
      let first = try run(), second = try run()
      #expect(first == second)
      #expect(first[64..<104].contains { $0 != 0 })
    }

    @Test func recordedCallsReplayWithoutTheHost() throws {
      var records: [SystemCallRecord] = []
      process.onSystemCall = { records.append($0) }
      #expect(call(1339, buffer, 32, 0) == .success(32))
      let mapped = call(1151, 0, page, 3, 0x22, ~0, 0)
      #expect(records.count == 2)
      #expect(records[0].written.count == 1 && records[0].written[0].bytes.count == 32)
      let other = LinuxProcess(options: ProcessOptions(arguments: ["x"]), executablePath: "/x")
      try other.memory.map(buffer, 2 * page, [.read, .write])
      for record in records { #expect(other.replay(record) == record.result) }
      #expect(try other.memory.read(buffer, 32) == process.memory.read(buffer, 32))
      #expect(other.memory.page(at: mapped.value) != nil)
    }

    // MARK: Mappings

    private func opened(_ path: String, _ flags: Int32 = O_RDONLY) -> UInt64 { UInt64(Glibc.open(path, flags)) }

    /// The host's answers: nothing to map in a folder or the null device; /dev/zero is memory.
    @Test func devicesAreMappedAsTheHostDoes() throws {
      for path in ["/dev/null", "/tmp", "/proc/self/fd"] {
        let file = opened(path)
        for kind: UInt64 in [1, 2] { #expect(call(1151, 0, page, 1, kind, file, 0) == .failure(ENODEV), "\(path)") }
        close(Int32(file))
      }
      let zero = opened("/dev/zero", O_RDWR)
      defer { close(Int32(zero)) }
      for kind: UInt64 in [1, 2] {
        let mapped = call(1151, 0, 3 * page, 3, kind, zero, 0)
        #expect(!mapped.failed)
        #expect(try process.memory.read(mapped.value, 3 * page).allSatisfy { $0 == 0 })
        try process.memory.store(UInt64(1), to: mapped.value + 3 * page - 8)
        #expect(call(1152, mapped.value, 3 * page) == .success(0))
      }
    }

    /// A second run gets what a file held when it was mapped, and what the host's calls did to it since.
    @Test func recordedMappingsReplayWithoutTheFile() throws {
      let descriptor = temporaryFile(Int(page) + 100), file = UInt64(descriptor)
      pwrite(descriptor, "first", 5, 0)
      pwrite(descriptor, "second", 6, Int(page))
      var records: [SystemCallRecord] = []
      process.onSystemCall = { records.append($0) }
      let shared = call(1151, 0, 3 * page, 3, 1, file, 0).value, own = call(1151, 0, 3 * page, 1, 2, file, 0).value
      try process.memory.write(Array("third".utf8), to: buffer)
      #expect(call(1149, file, buffer, 5, 8) == .success(5))  // pwrite64
      #expect(call(1151, 0, page, 1, 1, 999, 0).failed)
      close(descriptor)
      let other = LinuxProcess(options: ProcessOptions(arguments: ["x"]), executablePath: "/x")
      try other.memory.map(buffer, 2 * page, [.read, .write])
      for record in records { #expect(other.replay(record) == record.result) }
      #expect(other.memory.areas.map(\.start) == process.memory.areas.map(\.start))
      #expect(other.memory.areas.map(\.end) == process.memory.areas.map(\.end))
      #expect(other.memory.areas.map(\.protection) == process.memory.areas.map(\.protection))
      for (place, bytes) in [(shared, "first\0\0\0third"), (shared + page, "second"), (own, "first"), (own + page, "second")] {
        #expect(try other.memory.read(place, UInt64(bytes.utf8.count)) == Array(bytes.utf8), "\(bytes)")
      }
      #expect(other.memory.accessibleLength(own, 3 * page, .read) == 2 * page)
    }

    // MARK: Objects between processes

    private func words(_ address: UInt64, _ count: UInt64) throws -> [UInt64] {
      try (0..<count).map { try process.memory.load(address + 8 * $0) }
    }

    @Test func sharedMemoryIsTheHosts() throws {
      let id = call(1113, 0, 20000, 0o1600)
      #expect(!id.failed)
      defer { #expect(call(1116, id.value, 0, 0) == .success(0)) }
      let first = call(1114, id.value, 0, 0), second = call(1114, id.value, 0, 0o10000)
      #expect(!first.failed && !second.failed && first.value % (1 << 20) == 0)
      try process.memory.store(UInt64(42), to: first.value + 19992)
      #expect(try process.memory.load(second.value + 19992, as: UInt64.self) == 42)
      #expect(process.memory.accessibleLength(second.value, 2 * page, .write) == 0)
      #expect(call(1116, id.value, 2, buffer) == .success(0))
      let status = try words(buffer, 14)
      #expect(status[6] == 20000 && status[11] == 2)
      #expect(call(1115, first.value) == .success(0) && call(1115, first.value) == .failure(EINVAL))
      #expect(process.memory.page(at: first.value) == nil)
      #expect(call(1116, id.value, 2, buffer) == .success(0))
      #expect(try words(buffer, 14)[11] == 1)
      #expect(call(1115, second.value) == .success(0))
      #expect(call(1114, id.value, buffer, 0) == .failure(EINVAL))
    }

    @Test func semaphoresAreTheHosts() throws {
      let id = call(1106, 0, 3, 0o1600).value
      defer { #expect(call(1108, id, 0, 0) == .success(0)) }
      try process.memory.write([1, 0, 2, 0, 3, 0], to: buffer)
      #expect(call(1108, id, 0, 17, buffer) == .success(0))  // SETALL
      try process.memory.write([2, 0, 0xfe, 0xff, 0, 0, 0, 0, 5, 0, 0, 0], to: buffer)
      #expect(call(1107, id, buffer, 2) == .success(0))  // semop
      #expect(call(1108, id, 0, 13, buffer) == .success(0))  // GETALL
      #expect(try process.memory.read(buffer, 6) == [6, 0, 2, 0, 1, 0])
      #expect(call(1108, id, 1, 16, 7) == .success(0) && call(1108, id, 1, 12) == .success(7))  // SETVAL, GETVAL
      #expect(call(1108, id, 0, 0x102, buffer) == .success(0))  // IPC_STAT
      // ia64: 48 bytes of permissions, two times, the count, two free words.
      let status = try words(buffer, 11)
      #expect(status[8] == 3 && status[6] != 0 && status[7] != 0)
      #expect(call(1108, id, 0, 2, 8) == .failure(EFAULT))
    }

    @Test func messagesAreTheHosts() throws {
      let id = call(1109, 0, 0o1600).value
      defer { #expect(call(1112, id, 0, 0) == .success(0)) }
      try process.memory.store(UInt64(9), to: buffer)
      try process.memory.write(Array("hello".utf8), to: buffer + 8)
      #expect(call(1110, id, buffer, 5, 0) == .success(0))
      #expect(call(1112, id, 2, buffer + 256) == .success(0))
      #expect(try words(buffer + 256, 15)[10] == 1)
      #expect(call(1111, id, buffer + 64, 100, 0, 0) == .success(5))
      #expect(try process.memory.load(buffer + 64, as: UInt64.self) == 9)
      #expect(try process.memory.read(buffer + 72, 5) == Array("hello".utf8))
      try process.memory.write(Array("kittson-test-\(getpid())\0".utf8), to: buffer)
      let queue = call(1262, buffer, UInt64(O_RDWR | O_CREAT), 0o600, 0)
      guard !queue.failed else { return }  // the host may have none
      #expect(call(1263, buffer) == .success(0))
      #expect(call(1264, queue.value, buffer, 7, 3, 0) == .success(0))
      #expect(call(1267, queue.value, 0, buffer + 512) == .success(0))
      let attributes = try words(buffer + 512, 4)
      #expect(attributes[3] == 1)
      #expect(call(1265, queue.value, buffer + 1024, attributes[2], buffer + 600, 0) == .success(7))
      #expect(try process.memory.read(buffer + 1024, 7) == Array("kittson".utf8))
      #expect(try process.memory.load(buffer + 600, as: UInt32.self) == 3)
      #expect(call(1029, queue.value) == .success(0))
    }

    @Test func fileSystemsHaveTheirSize() throws {
      var host = statvfs()
      #expect(statvfs("/tmp", &host) == 0)
      try process.memory.write(Array("/tmp\0".utf8), to: buffer)
      #expect(call(1258, buffer, 120, buffer + 64) == .success(0))
      #expect(try Array(words(buffer + 64, 3)[1...]) == [UInt64(host.f_bsize), UInt64(host.f_blocks)])
      #expect(try words(buffer + 64, 9)[8] == UInt64(host.f_namemax))
      #expect(call(1258, buffer, 119, buffer + 64) == .failure(EINVAL))
      let folder = opened("/tmp")
      defer { close(Int32(folder)) }
      #expect(call(1257, folder, 120, buffer + 256) == .success(0))
      #expect(try words(buffer + 256, 3) == words(buffer + 64, 3))
    }

    @Test func theProcessorIsAnIA64() throws {
      try process.memory.write(Array("/proc/cpuinfo\0".utf8), to: buffer)
      for file in [call(1281, UInt64(bitPattern: -100), buffer, 0), call(1028, buffer, 0)] {
        #expect(!file.failed)
        let count = call(1026, file.value, buffer + 64, page).value
        let text = String(decoding: try process.memory.read(buffer + 64, count), as: UTF8.self)
        #expect(text.hasPrefix("processor  : 0\nvendor     : ") && text.contains("\narch       : IA-64\n"), "\(text)")
        #expect(call(1027, file.value, buffer, 1) == .failure(EBADF))
        #expect(call(1029, file.value) == .success(0))
      }
    }

    @Test func aThreadHasItsNameOnTheHost() throws {
      let file = "/proc/self/task/\(call(1105).value)/comm"
      let before = try readFile(file)
      defer {
        (before.dropLast() + [0]).withUnsafeBytes { name in
          _ = kt_host_syscall(Int64(SYS_prctl), 15, UInt64(UInt(bitPattern: name.baseAddress)), 0, 0, 0, 0)
        }
      }
      try process.memory.write(Array("guest name\0".utf8), to: buffer)
      #expect(call(1170, 15, buffer) == .success(0))
      #expect(call(1170, 16, buffer + 64) == .success(0))
      #expect(try process.memory.string(buffer + 64) == Array("guest name".utf8))
      #expect(try readFile(file) == Array("guest name\n".utf8))
    }

    @Test func hostilePointersAreAnswered() throws {
      var generator = SystemRandomNumberGenerator()
      process.options.log = { _ in }
      // Calls that take pointers and change nothing outside the process, with arguments from everywhere.
      let numbers: [UInt64] = [
        1065, 1073, 1085, 1086, 1087, 1127, 1130, 1151, 1152, 1155, 1156, 1157, 1160, 1177, 1179, 1184, 1208, 1209,
        1210, 1211, 1212, 1233, 1254, 1255, 1286, 1291, 1350,
      ]
      let places: [UInt64] = [
        0, buffer, buffer + page, buffer + 2 * page - 5, 1 << 44, 1 << 63, ~0, 0xa000_0000_0000_0000,
      ]
      for _ in 0..<5000 {
        let number = numbers.randomElement(using: &generator)!
        let arguments = (0..<6).map { _ in
          Bool.random() ? places.randomElement(using: &generator)! &+ UInt64.random(in: 0...64, using: &generator)
            : UInt64.random(in: .min ... .max, using: &generator)
        }
        // ioctl on the test's own terminal would change it.
        _ = process.perform(SystemCall(number: number, arguments: number == 1065 ? [500] + arguments[1...] : arguments))
      }
    }
  }
}

@Suite struct FaultTests {
  private func fault(_ vector: UInt32, isr: UInt64 = 0, iim: UInt64 = 0) -> Fault {
    Fault(.init(vector: vector, pending: 1, isr: isr, ifa: 0, iim: iim, itir: 0, iha: 0))
  }

  /// Linux's answers, arch/ia64/kernel/traps.c and mm/fault.c.
  @Test func interruptionsBecomeSignals() {
    #expect(fault(0x5000) == .signal(SIGSEGV))
    #expect(fault(0x5200) == .signal(SIGSEGV))
    #expect(fault(0x5300) == .signal(SIGSEGV))
    #expect(fault(0x5400) == .signal(SIGILL))
    #expect(fault(0x5400, isr: 0x10) == .signal(SIGILL))
    #expect(fault(0x5600, isr: 0x10) == .signal(SIGILL))
    #expect(fault(0x5600, isr: 0x20) == .signal(SIGSEGV))
    #expect(fault(0x5a00) == .signal(SIGBUS))
    #expect(fault(0x5c00) == .signal(SIGFPE))
    #expect(fault(0x5d00) == .signal(SIGFPE))
    #expect(fault(0x6000) == .signal(SIGTRAP))
    #expect(fault(0x5300, isr: 1 << 36) == .defer)
    #expect(fault(0x5000, isr: 1 << 35 | 4) == .defer)
    #expect(fault(0x5700, iim: 0x1f_ffff) == .branch(~0 << 4))
    #expect(fault(0x5700, iim: 3) == .branch(48))
  }

  @Test func breaksBecomeSignals() {
    for (number, signal) in [
      (0, SIGILL), (1, SIGFPE), (2, SIGFPE), (3, SIGFPE), (4, SIGSEGV), (6, SIGFPE), (11, SIGSEGV), (0x3f000, SIGILL),
      (0x7ffff, SIGILL), (0x80000, SIGTRAP), (0x80001, SIGTRAP),
    ] as [(UInt64, Int32)] {
      #expect(fault(0x2c00, iim: number) == .signal(signal))
    }
  }
}
