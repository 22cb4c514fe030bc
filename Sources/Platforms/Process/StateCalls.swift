// System calls on the state that the kernel keeps for a process: identity, limits, signals, time, end.
import CSupport
import Glibc

extension LinuxProcess {
  // MARK: End

  /// exit_group.
  func exitGroup(_ call: SystemCall) throws(Errno) -> SystemCallResult {
    var result = SystemCallResult.success(0)
    result.end = .exited(call.int(0) & 0xff)
    return result
  }

  /// exit: the thread's end, and with the last one the process's.
  func exit(_ call: SystemCall) throws(Errno) -> SystemCallResult {
    guard threads.count > 1 else { return try exitGroup(call) }
    var result = SystemCallResult.success(0)
    result.endsThread = true
    return result
  }

  // MARK: Identity

  func uname(_ call: SystemCall) throws(Errno) -> UInt64 {
    var host = utsname()
    Glibc.uname(&host)
    let node = withUnsafeBytes(of: &host.nodename) { Array($0.prefix { $0 != 0 }) }
    let texts: [[UInt8]] = [
      Array("Linux".utf8), node, Array("6.1.0".utf8), Array("#1 SMP Kittson".utf8), Array("ia64".utf8),
      Array("(none)".utf8),
    ]
    // struct new_utsname: six fields of 65 bytes.
    var bytes: [UInt8] = []
    for text in texts { bytes += text.prefix(64) + [UInt8](repeating: 0, count: 65 - min(64, text.count)) }
    try memory.write(bytes, to: call[0])
    return 0
  }

  func personality(_ call: SystemCall) throws(Errno) -> UInt64 { 0 }

  /// prctl: the thread's name, which is the host thread's, and what a program may ask of itself without effect here.
  func processControl(_ call: SystemCall) throws(Errno) -> UInt64 {
    switch call.int(0) {
    case 15: return try hostCall(SYS_prctl, [.value, .text], call)  // PR_SET_NAME
    case 16: return try hostCall(SYS_prctl, [.value, .output(16)], call)  // PR_GET_NAME
    case 5:  // PR_GET_UNALIGN
      try memory.store(unalignedControl, to: call[1])
      return 0
    case 6:  // PR_SET_UNALIGN: 1 no message, 2 SIGBUS
      unalignedControl = UInt32(truncatingIfNeeded: call[1]) & 3
      memory.reportsUnaligned = unalignedControl & 2 != 0
      return 0
    case 3: return 1  // PR_GET_DUMPABLE
    case 4, 38: return 0  // PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS
    case 1:  // PR_SET_PDEATHSIG
      return try hostCall(SYS_prctl, [.value, .value, .value, .value, .value], call)
    case 2, 37: return try hostCall(SYS_prctl, [.value, .output(4), .value, .value, .value], call)
    case 36, 39: return try hostCall(SYS_prctl, [.value, .value, .value, .value, .value], call)
    default: throw Errno(EINVAL)
    }
  }

  // MARK: Limits

  /// Limits that would bind Kittson itself are kept, not passed on: data, stack, resident size, processes, locked
  /// memory, address space.
  private static let keptLimits: Set<Int32> = [2, 3, 5, 6, 8, 9]

  private func limit(_ resource: Int32) throws(Errno) -> rlimit {
    if let kept = limits[resource] { return kept }
    var value = rlimit()
    guard kt_host_syscall(
      Int64(SYS_prlimit64), 0, UInt64(bitPattern: Int64(resource)), 0,
      UInt64(UInt(bitPattern: withUnsafeMutablePointer(to: &value) { $0 })), 0, 0) == 0
    else { throw Errno(EINVAL) }
    return value
  }

  private func setLimit(_ resource: Int32, _ value: rlimit) throws(Errno) {
    guard 0..<16 ~= resource, value.rlim_cur <= value.rlim_max else { throw Errno(EINVAL) }
    guard value.rlim_max <= (try limit(resource)).rlim_max || geteuid() == 0 else { throw Errno(EPERM) }
    if Self.keptLimits.contains(resource) {
      limits[resource] = value
      return
    }
    var copy = value
    let result = kt_host_syscall(
      Int64(SYS_prlimit64), 0, UInt64(resource), UInt64(UInt(bitPattern: withUnsafeMutablePointer(to: &copy) { $0 })),
      0, 0, 0)
    if result < 0 { throw Errno(Int32(-result)) }
  }

  func getLimit(_ call: SystemCall) throws(Errno) -> UInt64 {
    try memory.store(try limit(call.int(0)), to: call[1])
    return 0
  }

  func setLimit(_ call: SystemCall) throws(Errno) -> UInt64 {
    try setLimit(call.int(0), try memory.load(call[1]))
    return 0
  }

  func processLimit(_ call: SystemCall) throws(Errno) -> UInt64 {
    guard call.int(0) == 0 || call.int(0) == getpid() else { throw Errno(EPERM) }
    let old = try limit(call.int(1))
    if call[2] != 0 { try setLimit(call.int(1), try memory.load(call[2])) }
    if call[3] != 0 { try memory.store(old, to: call[3]) }
    return 0
  }

  // MARK: Time

  /// Seconds that the virtual clock starts at: 2017-05-11, when Kittson came out.
  private static let virtualEpoch: UInt64 = 1_494_460_800

  /// The time of a clock (CLOCK_…) in nanoseconds under the virtual clock.
  private func virtualTime(_ clock: Int32) -> UInt64? {
    guard let now = options.virtualClock?() else { return nil }
    // Clocks of the wall: CLOCK_REALTIME, CLOCK_REALTIME_COARSE, CLOCK_TAI.
    return clock == 0 || clock == 5 || clock == 11 ? now + Self.virtualEpoch * 1_000_000_000 : now
  }

  private func span(_ nanoseconds: UInt64) -> timespec {
    timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
  }

  func clockGetTime(_ call: SystemCall) throws(Errno) -> UInt64 {
    guard let now = virtualTime(call.int(0)) else {
      return try hostCall(SYS_clock_gettime, [.value, .output(16)], call)
    }
    guard 0...11 ~= call.int(0) else { throw Errno(EINVAL) }
    try memory.store(span(now), to: call[1])
    return 0
  }

  func clockGetResolution(_ call: SystemCall) throws(Errno) -> UInt64 {
    guard options.virtualClock != nil else { return try hostCall(SYS_clock_getres, [.value, .output(16)], call) }
    if call[1] != 0 { try memory.store(span(1), to: call[1]) }
    return 0
  }

  func getTimeOfDay(_ call: SystemCall) throws(Errno) -> UInt64 {
    guard let now = virtualTime(0) else { return try hostCall(SYS_gettimeofday, [.output(16), .output(8)], call) }
    let time = timeval(tv_sec: Int(now / 1_000_000_000), tv_usec: Int(now / 1000 % 1_000_000))
    if call[0] != 0 { try memory.store(time, to: call[0]) }
    if call[1] != 0 { try memory.store(UInt64(0), to: call[1]) }
    return 0
  }

  func nanosleep(_ call: SystemCall) throws(Errno) -> UInt64 {
    guard options.virtualClock != nil else { return try hostCall(SYS_nanosleep, [.input(16), .output(16)], call) }
    return try sleepVirtually(try memory.load(call[0]), absolute: nil)
  }

  func clockNanosleep(_ call: SystemCall) throws(Errno) -> UInt64 {
    guard let now = virtualTime(call.int(0)) else {
      return try hostCall(SYS_clock_nanosleep, [.value, .value, .input(16), .output(16)], call)
    }
    return try sleepVirtually(try memory.load(call[2]), absolute: call[1] & 1 != 0 ? now : nil)
  }

  private func sleepVirtually(_ time: timespec, absolute now: UInt64?) throws(Errno) -> UInt64 {
    guard time.tv_sec >= 0, 0..<1_000_000_000 ~= time.tv_nsec, time.tv_sec < 1 << 32 else { throw Errno(EINVAL) }
    let wanted = UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    let from = now ?? 0
    if wanted > from { options.advanceClock?(wanted - from) }
    return 0
  }

  /// times: clock ticks of 10 ms.
  func times(_ call: SystemCall) throws(Errno) -> UInt64 {
    guard let now = virtualTime(1) else { return try hostCall(SYS_times, [.output(32)], call) }
    let ticks = now / 10_000_000
    if call[0] != 0 { try memory.write([ticks, 0, 0, 0].withUnsafeBytes { Array($0) }, to: call[0]) }
    return ticks
  }

  /// getrandom: under the virtual clock the same numbers in every run (SplitMix64).
  func getRandom(_ call: SystemCall) throws(Errno) -> UInt64 {
    guard options.virtualClock != nil else {
      return try hostCall(SYS_getrandom, [.outputSized(by: 1), .value, .value], call)
    }
    let count = min(call[1], 1 << 20)
    try memory.write(repeatableRandom(Int(count)), to: call[0])
    return count
  }

  func repeatableRandom(_ count: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count + 8)
    while bytes.count < count {
      randomState &+= 0x9e37_79b9_7f4a_7c15
      var mixed = randomState
      mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
      mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
      mixed ^= mixed >> 31
      withUnsafeBytes(of: mixed) { bytes.append(contentsOf: $0) }
    }
    bytes.removeLast(bytes.count - count)
    return bytes
  }
}
