// Threads and child processes of a running program: each thread is a host thread with a processor of its own, and all of
// them take turns on one engine (Documentation/decisions/0006-guest-threads.md).
import CSupport
import Glibc
import Machine

/// Something to wait for, once.
final class Turnstile {
  private let semaphore: UnsafeMutablePointer<sem_t>

  init() {
    semaphore = .allocate(capacity: 1)
    semaphore.initialize(to: sem_t())
    sem_init(semaphore, 0, 0)
  }

  deinit {
    sem_destroy(semaphore)
    semaphore.deallocate()
  }

  func open() { sem_post(semaphore) }
  func wait() { while sem_wait(semaphore) != 0 && errno == EINTR {} }
}

/// What a new host thread is given.
private final class ThreadStart {
  let session: ProcessSession
  let thread: GuestThread
  let hasBegun = Turnstile()

  init(_ session: ProcessSession, _ thread: GuestThread) {
    self.session = session
    self.thread = thread
  }
}

extension ProcessSession: ProcessHost {
  // MARK: Threads

  func startThread(_ request: CloneRequest) throws(Errno) -> Int32 {
    let parent = process.current
    let thread = GuestThread()
    do throws(MachineError) {
      thread.cpu = try machine.addProcessor(copying: parent.cpu!)
    } catch { throw Errno(ENOMEM) }
    let cpu = thread.cpu!
    thread.signals.pointee.cpu = cpu
    thread.mask = parent.mask
    if request.has(CloneRequest.clearsChildID) { thread.clearChildAddress = request.childID }
    if !process.turns.isShared { process.turns.share(parent) }
    let start = ThreadStart(self, thread)
    var host = pthread_t()
    let argument = Unmanaged.passRetained(start)
    let code = kt_guest_thread(threadBody, argument.toOpaque(), &host)
    if code != 0 {
      argument.release()
      machine.removeProcessor(cpu)
      throw Errno(EAGAIN)
    }
    thread.hostThread = host
    start.hasBegun.wait()
    finish(cpu, .success(0))
    process.threads.append(thread)
    process.prepareChild(cpu, request, number: thread.id)
    if request.has(CloneRequest.setsParentID) { try? process.memory.store(thread.id, to: request.parentID) }
    return thread.id
  }

  /// A thread's whole life on its host thread.
  fileprivate func live(_ start: ThreadStart) {
    let thread = start.thread
    thread.id = hostThreadID()
    kt_signals_attach(thread.signals)
    start.hasBegun.open()
    process.turns.take(thread)
    process.current = thread
    kt_signals_set_mask(thread.mask)
    let end = execute(thread)
    if isForked { leaveForGood(end ?? .exited(0)) }
    if let end {
      conclude(from: thread, end)
    } else {
      process.release(thread)
      process.threads.removeAll { $0 === thread }
      if let host = thread.hostThread { pthread_detach(host) }
    }
    kt_signals_set_mask(~0)
    kt_signals_attach(nil)
    machine.removeProcessor(process.turns.takeProcessor(from: thread))
    process.turns.release()
  }

  /// The process ends in `thread`, which is not the first: the first one takes it from here.
  private func conclude(from thread: GuestThread, _ end: RunEnd) {
    guard ending == nil else { return }
    ending = end
    interruptOthers(thread)
    over.open()
  }

  private func interruptOthers(_ thread: GuestThread?) {
    for other in process.threads where other !== thread { kt_signals_kick(other.id) }
  }

  /// The first thread has ended before the others: waits for the process's end.
  func waitForEnd() -> RunEnd {
    let thread = process.current
    process.release(thread)
    process.threads.removeAll { $0 === thread }
    process.turns.release()
    over.wait()
    process.turns.take(thread)
    return ending ?? .timeout
  }

  /// The process has ended: waits until no other thread runs and puts the host's signals back.
  func conclude(_ end: RunEnd) {
    ending = end
    let others = process.threads.filter { $0 !== process.current && $0.hostThread != nil }
    if process.turns.isShared {
      interruptOthers(process.current)
      process.turns.release()
      for thread in others { pthread_join(thread.hostThread!, nil) }
    }
    kt_signals_restore()
    kt_signals_set_leader(0)
    kt_signals_attach(nil)
  }

  // MARK: Child processes

  func fork(_ request: CloneRequest) throws(Errno) -> Int32 {
    let thread = process.current
    let cpu = thread.cpu!
    var ends: (Int32, Int32) = (-1, -1)
    if request.has(CloneRequest.waits) { ends = try waitingPipe() }
    fflush(nil)
    process.tracer?.share()
    let child = cpu.forking { kt_guest_fork() }
    if child == 0 {
      if ends.0 >= 0 { close(ends.0) }
      becomeChild(thread, request)
      return 0
    }
    if ends.1 >= 0 { close(ends.1) }
    if child > 0, request.has(CloneRequest.setsParentID) { try? process.memory.store(child, to: request.parentID) }
    if ends.0 >= 0 {
      if child > 0 { waitForChild(ends.0) }
      close(ends.0)
    }
    if child < 0 { throw Errno(-child) }
    return child
  }

  /// A pipe whose writing end closes when the child executes another program or ends. Its numbers are out of the
  /// guest's way.
  private func waitingPipe() throws(Errno) -> (Int32, Int32) {
    var ends: [Int32] = [0, 0]
    if pipe(&ends) != 0 { throw Errno(errno) }
    let moved = ends.map { end in
      defer { close(end) }
      return remoteDescriptor(end)
    }
    guard moved[0] >= 0, moved[1] >= 0 else {
      for end in moved where end >= 0 { close(end) }
      throw Errno(EMFILE)
    }
    return (moved[0], moved[1])
  }

  /// vfork's parent waits; signals wait with it.
  private func waitForChild(_ descriptor: Int32) {
    let thread = process.current
    if process.turns.isShared { process.turns.release() }
    var byte: UInt8 = 0
    while read(descriptor, &byte, 1) < 0 && errno == EINTR {}
    if process.turns.isShared {
      process.turns.take(thread)
      process.current = thread
    }
  }

  /// What is different in the child: one thread, and an engine whose code memory is not the parent's.
  private func becomeChild(_ thread: GuestThread, _ request: CloneRequest) {
    for other in process.threads where other !== thread {
      if let cpu = other.cpu { machine.removeProcessor(cpu) }
    }
    process.threads = [thread]
    process.turns.restart()
    process.fixedID = nil
    thread.id = hostThreadID()
    thread.robustList = 0
    thread.clearChildAddress = request.has(CloneRequest.clearsChildID) ? request.childID : 0
    thread.signals.pointee.captured = 0
    thread.signals.pointee.held = 0
    thread.attention.pointee = 0
    kt_signals_set_leader(thread.id)
    kt_signals_set_mask(thread.mask)
    process.prepareChild(thread.cpu!, request, number: thread.id)
    isForked = true
    process.tracer?.forget()
    debugger?.leaveChild()
    debugger = nil
    process.signalFilter = nil
    watch()
    if let renewEngine { engine = renewEngine() }
  }

  /// Ends a child process as its program ended.
  func leaveForGood(_ end: RunEnd) -> Never {
    stopWatching()
    process.tracer?.ended(process.processID, end)
    switch end {
    case .exited(let status): _exit(status)
    case .killed(let signal):
      kt_signals_restore()
      endBySignal(signal)
    case .instructionLimit, .timeout: _exit(124)
    case .stuck, .reset: _exit(1)
    }
  }
}

private let threadBody: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { argument in
  let start = Unmanaged<ThreadStart>.fromOpaque(argument!).takeRetainedValue()
  start.session.live(start)
  return nil
}

/// Ends the calling process by a signal, as a process that did not catch it.
package func endBySignal(_ number: Int32) -> Never {
  var limit = rlimit(rlim_cur: 0, rlim_max: 0)
  setrlimit(__rlimit_resource_t(4), &limit)  // RLIMIT_CORE: a core of Kittson says nothing of the guest
  signal(number, SIG_DFL)
  var set = sigset_t()
  sigemptyset(&set)
  sigaddset(&set, number)
  pthread_sigmask(SIG_UNBLOCK, &set, nil)
  kill(getpid(), number)
  _exit(128 + number)
}
