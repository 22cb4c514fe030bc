// Hears the debugger while the guest runs: a thread of the host that waits for its wish to stop, and interrupts the guest.
import CSupport
import Glibc

final class DebugInterrupter {
  private let connection: RemoteConnection
  /// Read and written end of a pipe that calls the waiting back.
  private let wake: (read: Int32, write: Int32)
  private let begin = Turnstile()
  private let idle = Turnstile()
  private let flag = UnsafeMutablePointer<UInt64>.allocate(capacity: 2)
  private var thread: pthread_t?
  private var isWatching = false
  /// The host thread that is interrupted wherever it is.
  private let leader = Int32(kt_host_syscall(Int64(SYS_gettid), 0, 0, 0, 0, 0, 0))

  init(_ connection: RemoteConnection) {
    self.connection = connection
    flag.initialize(repeating: 0, count: 2)
    var ends: [Int32] = [-1, -1]
    pipe(&ends)
    wake = (remoteDescriptor(ends[0]), remoteDescriptor(ends[1]))
    for end in ends { close(end) }
  }

  deinit { flag.deallocate() }

  var isRequested: Bool { kt_load_acquire(flag) != 0 }

  /// The guest goes on.
  func watch() {
    if thread == nil {
      let own = Unmanaged.passRetained(self)
      var host = pthread_t()
      guard kt_guest_thread(interrupterBody, own.toOpaque(), &host) == 0 else { return own.release() }
      thread = host
    }
    isWatching = true
    begin.open()
  }

  /// The guest has stopped.
  func pause() {
    guard isWatching else { return }
    isWatching = false
    var byte: UInt8 = 0
    write(wake.write, &byte, 1)
    idle.wait()
    kt_store_release(flag, 0)
  }

  func end() {
    pause()
    guard let thread else { return }
    kt_store_release(flag + 1, 1)
    begin.open()
    pthread_join(thread, nil)
    self.thread = nil
    close(wake.read)
    close(wake.write)
  }

  fileprivate func wait() {
    while true {
      begin.wait()
      if kt_load_acquire(flag + 1) != 0 { return }
      if connection.waitForInterrupt(wake: wake.read) {
        kt_store_release(flag, 1)
        kt_signals_kick(leader)
      }
      var byte: UInt8 = 0
      while read(wake.read, &byte, 1) < 0 && errno == EINTR {}
      idle.open()
    }
  }
}

private let interrupterBody: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { argument in
  Unmanaged<DebugInterrupter>.fromOpaque(argument!).takeRetainedValue().wait()
  return nil
}
