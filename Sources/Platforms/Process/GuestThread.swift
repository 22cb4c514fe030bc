// What Linux keeps for one thread, and the order in which a process's threads run.
//
// A guest thread is a host thread, so that it waits in the host's own system calls and has the host's signals; but one
// at a time executes guest code or touches the process's state (Documentation/decisions/0006-guest-threads.md).
import CSupport
import Glibc
import Machine

package final class GuestThread {
  /// sigaltstack's state; `flags` 2 (SS_DISABLE): there is none.
  struct AlternateStack {
    var base: UInt64 = 0
    var flags: Int32 = 2
    var size: UInt64 = 0

    /// SS_AUTODISARM.
    static let autoDisarm = Int32(bitPattern: 1 << 31)

    /// Whether a stack pointer stands on it (on_sig_stack).
    func holds(_ pointer: UInt64) -> Bool { size != 0 && pointer > base && pointer - base <= size }
  }

  /// nil for a process without a processor, and for a thread that has ended.
  package var cpu: CPU?
  /// The host thread's id, which is the guest's.
  var id: Int32 = 0
  var mask: UInt64 = 0
  var alternateStack = AlternateStack()
  var clearChildAddress: UInt64 = 0
  var robustList: UInt64 = 0
  let signals: UnsafeMutablePointer<kt_guest_signals>
  /// Memory for a signal mask that a host call reads.
  let maskBuffer = UnsafeMutablePointer<UInt64>.allocate(capacity: 1)
  /// The host thread, for joining; nil for the one that runs the process.
  var hostThread: pthread_t?
  fileprivate let condition: UnsafeMutablePointer<pthread_cond_t>

  package init() {
    signals = .allocate(capacity: 1)
    signals.initialize(to: kt_guest_signals())
    condition = .allocate(capacity: 1)
    condition.initialize(to: pthread_cond_t())
    pthread_cond_init(condition, nil)
  }

  deinit {
    signals.deallocate()
    maskBuffer.deallocate()
    pthread_cond_destroy(condition)
    condition.deallocate()
  }

  /// Where a signal handler says that something new is in `signals`.
  var attention: UnsafeMutablePointer<UInt32> {
    UnsafeMutableRawPointer(signals).advanced(by: MemoryLayout<kt_guest_signals>.offset(of: \.attention)!)
      .assumingMemoryBound(to: UInt32.self)
  }
}

/// Whose turn it is. Threads wait in the order in which they came; one that executes guest code while others wait is
/// stopped after `slice`.
package final class Turns {
  private static let slice = 2_000_000  // nanoseconds
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private var queue: [GuestThread] = []
  private var holder: GuestThread?
  /// Whether there are several threads. While there is one, nobody takes or releases anything.
  var isShared = false

  package init() {
    mutex = .allocate(capacity: 1)
    mutex.initialize(to: pthread_mutex_t())
    pthread_mutex_init(mutex, nil)
  }

  deinit {
    pthread_mutex_destroy(mutex)
    mutex.deallocate()
  }

  /// The thread that runs now becomes one of several.
  package func share(_ thread: GuestThread) {
    holder = thread
    isShared = true
  }

  /// Waits for the turn.
  package func take(_ thread: GuestThread) {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    if holder == nil && queue.isEmpty {
      holder = thread
      return
    }
    queue.append(thread)
    while holder !== thread { waitForSlice(thread) }
  }

  private func waitForSlice(_ thread: GuestThread) {
    var end = timespec()
    clock_gettime(CLOCK_REALTIME, &end)
    end.tv_nsec += Self.slice
    if end.tv_nsec >= 1_000_000_000 {
      end.tv_nsec -= 1_000_000_000
      end.tv_sec += 1
    }
    if pthread_cond_timedwait(thread.condition, mutex, &end) == ETIMEDOUT { holder?.cpu?.pointee.stop_request = 1 }
  }

  package func release() {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    holder = queue.isEmpty ? nil : queue.removeFirst()
    if let holder { pthread_cond_signal(holder.condition) }
  }

  /// Takes the processor from the thread whose turn it is and which ends: nobody stops it any more.
  package func takeProcessor(from thread: GuestThread) -> CPU {
    pthread_mutex_lock(mutex)
    defer {
      thread.cpu = nil
      pthread_mutex_unlock(mutex)
    }
    return thread.cpu!
  }

  /// Lets those that wait run first.
  func pass(_ thread: GuestThread) {
    release()
    take(thread)
  }

  /// In the child of a fork: only `thread` is left, and the host's lock may have been held by one that is gone.
  func restart() {
    pthread_mutex_init(mutex, nil)
    queue = []
    holder = nil
    isShared = false
  }
}
