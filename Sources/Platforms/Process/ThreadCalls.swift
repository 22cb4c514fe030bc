// System calls on threads and processes: clone, fork, their numbers, futexes, and what is left behind at a thread's end.
import CSupport
import Glibc
import Machine

/// What clone asks for.
struct CloneRequest {
  var flags: UInt64
  /// Lowest address of the new stack, which is also where its register backing store begins; 0: the caller's.
  var stackBase: UInt64
  var stackSize: UInt64
  var parentID: UInt64
  var childID: UInt64
  var threadPointer: UInt64

  static let sharesMemory: UInt64 = 0x100
  static let sharesSignals: UInt64 = 0x800
  static let waits: UInt64 = 0x4000  // CLONE_VFORK
  static let thread: UInt64 = 0x10000
  static let setsThreadPointer: UInt64 = 0x80000
  static let setsParentID: UInt64 = 0x100000
  static let clearsChildID: UInt64 = 0x200000
  static let setsChildID: UInt64 = 0x1000000

  func has(_ flag: UInt64) -> Bool { flags & flag != 0 }
}

/// Whoever runs a process: what can make more processors and more processes.
protocol ProcessHost: AnyObject {
  /// Starts a thread; its number.
  func startThread(_ request: CloneRequest) throws(Errno) -> Int32
  /// Makes a copy of the process; 0 in the copy, its number in the caller.
  func fork(_ request: CloneRequest) throws(Errno) -> Int32
}

extension LinuxProcess {
  // MARK: Numbers

  /// What getpid says.
  var processID: Int32 { fixedID ?? getpid() }

  /// What gettid says in `thread`.
  func threadID(_ thread: GuestThread) -> Int32 {
    if let fixedID, thread === threads.first { return fixedID }
    return thread.id != 0 ? thread.id : Int32(kt_host_syscall(Int64(SYS_gettid), 0, 0, 0, 0, 0, 0))
  }

  /// The host's number of what the guest calls `argument`.
  func hostProcessID(_ argument: UInt64) -> UInt64 {
    if let fixedID, Int32(truncatingIfNeeded: argument) == fixedID { return UInt64(getpid()) }
    return argument
  }

  func getProcessID(_ call: SystemCall) throws(Errno) -> UInt64 { UInt64(processID) }
  func getParentID(_ call: SystemCall) throws(Errno) -> UInt64 { fixedID == nil ? UInt64(getppid()) : 1 }
  func getThreadID(_ call: SystemCall) throws(Errno) -> UInt64 { UInt64(threadID(current)) }

  func setTIDAddress(_ call: SystemCall) throws(Errno) -> UInt64 {
    current.clearChildAddress = call[0]
    return UInt64(threadID(current))
  }

  // MARK: clone

  /// clone: without a size of the stack, which then begins 16 bytes below the address.
  func clone(_ call: SystemCall) throws(Errno) -> SystemCallResult {
    try clone(
      CloneRequest(
        flags: call[0], stackBase: call[1], stackSize: 16, parentID: call[2], childID: call[3], threadPointer: call[4]))
  }

  func clone2(_ call: SystemCall) throws(Errno) -> SystemCallResult {
    try clone(
      CloneRequest(
        flags: call[0], stackBase: call[1], stackSize: call[2], parentID: call[3], childID: call[4],
        threadPointer: call[5]))
  }

  private func clone(_ request: CloneRequest) throws(Errno) -> SystemCallResult {
    guard let host else {
      report(1213, "threads and child processes are not offered here: answered ENOSYS")
      throw Errno(ENOSYS)
    }
    if request.has(CloneRequest.thread) {
      guard request.has(CloneRequest.sharesMemory), request.has(CloneRequest.sharesSignals) else { throw Errno(EINVAL) }
      return .success(UInt64(try host.startThread(request)))
    }
    if request.has(CloneRequest.sharesMemory), !request.has(CloneRequest.waits) {
      report(1213 << 8, "a process that shares memory with its parent and runs beside it is not offered: answered EINVAL")
      throw Errno(EINVAL)
    }
    return .success(UInt64(try host.fork(request)))
  }

  /// The registers and memory that a new thread or process starts with, behind its call of clone.
  func prepareChild(_ cpu: CPU, _ request: CloneRequest, number: Int32) {
    if request.stackBase != 0 {
      cpu.writeGR(12, request.stackBase &+ request.stackSize &- 16)
      cpu.beginBackingStore(request.stackBase)
    }
    if request.has(CloneRequest.setsThreadPointer) { cpu.writeGR(13, request.threadPointer) }
    if request.has(CloneRequest.setsChildID) { try? memory.store(number, to: request.childID) }
  }

  // MARK: Futexes

  /// Waits and wakes on the host's futex at the same memory.
  func futex(_ call: SystemCall) throws(Errno) -> UInt64 {
    switch call.int(1) & 0x7f {
    case 0, 6, 9, 13:  // FUTEX_WAIT, FUTEX_LOCK_PI, FUTEX_WAIT_BITSET, FUTEX_LOCK_PI2
      return try hostCall(SYS_futex, [.both(4), .value, .value, .input(16), .value, .value], call)
    case 1, 7, 8, 10:  // FUTEX_WAKE, FUTEX_UNLOCK_PI, FUTEX_TRYLOCK_PI, FUTEX_WAKE_BITSET
      return try hostCall(SYS_futex, [.both(4), .value, .value, .value, .value, .value], call)
    case 3, 4, 5, 12:  // FUTEX_REQUEUE, FUTEX_CMP_REQUEUE, FUTEX_WAKE_OP, FUTEX_CMP_REQUEUE_PI
      return try hostCall(SYS_futex, [.both(4), .value, .value, .value, .both(4), .value], call)
    case 11:  // FUTEX_WAIT_REQUEUE_PI
      return try hostCall(SYS_futex, [.both(4), .value, .value, .input(16), .both(4), .value], call)
    default: throw Errno(ENOSYS)
    }
  }

  func setRobustList(_ call: SystemCall) throws(Errno) -> UInt64 {
    guard call[1] == 24 else { throw Errno(EINVAL) }
    current.robustList = call[0]
    return 0
  }

  func getRobustList(_ call: SystemCall) throws(Errno) -> UInt64 {
    let number = call.int(0)
    guard let thread = number == 0 ? current : threads.first(where: { threadID($0) == number }) else {
      throw Errno(ESRCH)
    }
    try memory.store(thread.robustList, to: call[1])
    try memory.store(UInt64(24), to: call[2])
    return 0
  }

  // MARK: A thread's end

  /// What the kernel does for others when a thread ends: locks of its robust list are marked and their waiters woken,
  /// and so is whoever waits for the thread.
  func release(_ thread: GuestThread) {
    try? releaseRobustList(thread)
    guard thread.clearChildAddress != 0 else { return }
    try? memory.store(UInt32(0), to: thread.clearChildAddress)
    wake(thread.clearChildAddress)
  }

  private func wake(_ address: UInt64) {
    guard let word = try? hostPointer(address, 4, .write), word != 0 else { return }
    kt_host_syscall(Int64(SYS_futex), word, 1, 1, 0, 0, 0)
  }

  /// struct robust_list_head: first entry, offset of an entry's futex, entry about to be taken or given up.
  private func releaseRobustList(_ thread: GuestThread) throws(Errno) {
    let head = thread.robustList
    guard head != 0 else { return }
    let offset: UInt64 = try memory.load(head &+ 8)
    let pending: UInt64 = try memory.load(head &+ 16)
    var entry: UInt64 = try memory.load(head)
    for _ in 0..<2048 where entry != head {
      if entry != pending { try releaseLock(entry & ~1 &+ offset, thread) }
      entry = try memory.load(entry & ~1)
    }
    if pending != 0 { try releaseLock(pending & ~1 &+ offset, thread) }
  }

  private func releaseLock(_ address: UInt64, _ thread: GuestThread) throws(Errno) {
    let word: UInt32 = try memory.load(address)
    // FUTEX_TID_MASK, FUTEX_WAITERS, FUTEX_OWNER_DIED
    guard word & 0x3fff_ffff == UInt32(bitPattern: threadID(thread)) else { return }
    try memory.store(word & 0x8000_0000 | 0x4000_0000, to: address)
    if word & 0x8000_0000 != 0 { wake(address) }
  }
}
