// Ends a program's run in time, also while its threads wait in the host's system calls.
import CSupport
import Glibc

/// A host thread that sleeps until the time is up, says so, and interrupts the process's first thread wherever it is.
final class Watchdog {
  /// Nanoseconds of the monotonic clock.
  private let deadline: UInt64
  /// The host thread that runs the process, and what it waits with once its own guest thread has ended.
  private let leader: Int32
  private let over: Turnstile
  private let flag = UnsafeMutablePointer<UInt64>.allocate(capacity: 1)
  private let cancelled = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
  private var thread: pthread_t?

  init(deadline: UInt64, leader: Int32, over: Turnstile) {
    self.deadline = deadline
    self.leader = leader
    self.over = over
    flag.initialize(to: 0)
    cancelled.initialize(to: sem_t())
    sem_init(cancelled, 0, 0)
  }

  deinit {
    flag.deallocate()
    sem_destroy(cancelled)
    cancelled.deallocate()
  }

  var isTimeUp: Bool { kt_load_acquire(flag) != 0 }

  /// Begins to watch. Without a thread for it the time is up at once.
  func start() {
    let own = Unmanaged.passRetained(self)
    var host = pthread_t()
    if kt_guest_thread(watchdogBody, own.toOpaque(), &host) == 0 {
      thread = host
    } else {
      own.release()
      kt_store_release(flag, 1)
    }
  }

  /// Ends the watch: from here on nobody is interrupted.
  func cancel() {
    guard let thread else { return }
    sem_post(cancelled)
    pthread_join(thread, nil)
    self.thread = nil
  }

  fileprivate func watch() {
    while true {
      let now = hostNanoseconds()
      if now >= deadline { break }
      if isCancelled(within: deadline - now) { return }
    }
    kt_store_release(flag, 1)
    kt_signals_kick(leader)
    over.open()
  }

  private func isCancelled(within nanoseconds: UInt64) -> Bool {
    var end = timespec()
    clock_gettime(CLOCK_REALTIME, &end)
    let sum = UInt64(end.tv_nsec) + nanoseconds
    end.tv_sec += Int(sum / 1_000_000_000)
    end.tv_nsec = Int(sum % 1_000_000_000)
    return sem_timedwait(cancelled, &end) == 0
  }
}

private let watchdogBody: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { argument in
  Unmanaged<Watchdog>.fromOpaque(argument!).takeRetainedValue().watch()
  return nil
}
