// A console's two ends on the host: a buffered writer that shows whole lines at once, and a reader that never waits.
import Glibc

/// Where a guest's console output goes. Bytes gather in a buffer that is handed on at each newline, when it is full,
/// and at `flush`.
package final class ConsoleOutput {
  private var buffer: [UInt8] = []
  private let sink: (UnsafeRawBufferPointer) -> Void
  private static let capacity = 4096

  /// Hands output to `sink`.
  package init(sink: @escaping (UnsafeRawBufferPointer) -> Void) {
    self.sink = sink
    buffer.reserveCapacity(Self.capacity)
  }

  /// Writes output to a file descriptor. What can't be written is dropped: a guest does not fail for its console.
  package convenience init(descriptor: Int32) {
    self.init { writeAll(descriptor, $0) }
  }

  package func put(_ byte: UInt8) {
    buffer.append(byte)
    if byte == 0x0a || buffer.count >= Self.capacity { flush() }
  }

  package func flush() {
    guard !buffer.isEmpty else { return }
    buffer.withUnsafeBytes(sink)
    buffer.removeAll(keepingCapacity: true)
  }
}

/// Where a guest's console input comes from: a queue that is refilled from a file descriptor without waiting. End of
/// input leaves the queue empty for good and does not end the guest.
package final class ConsoleInput {
  private var queue: [UInt8]
  private var next = 0
  private var descriptor: Int32?
  private var skipped = 0
  /// The descriptor is looked at in one of so many queries: a guest that spins on the status register stays fast.
  private static let pollInterval = 32

  package init(bytes: [UInt8] = [], descriptor: Int32? = nil) {
    queue = bytes
    self.descriptor = descriptor
  }

  /// Whether more may come.
  package var isOpen: Bool { descriptor != nil }

  /// Sleeps until input comes, but not longer than `nanoseconds`, rounded up to milliseconds.
  package func wait(nanoseconds: UInt64) {
    if next < queue.count {
      // What waits has been told of already: only time can change anything.
      poll(nil, 0, Int32(clamping: (nanoseconds + 999_999) / 1_000_000))
    } else {
      refill(timeout: Int32(clamping: (nanoseconds + 999_999) / 1_000_000))
    }
  }

  /// Reads what the descriptor has within `timeout` milliseconds. At its end, or where it can't be read, it is closed.
  @discardableResult
  private func refill(timeout: Int32) -> Bool {
    var poller = pollfd(fd: descriptor ?? -1, events: Int16(POLLIN), revents: 0)
    guard poll(&poller, 1, timeout) > 0, let descriptor else { return false }
    let count = withUnsafeTemporaryAllocation(byteCount: 256, alignment: 1) { space in
      let count = read(descriptor, space.baseAddress, space.count)
      queue = count > 0 ? Array(space[..<count]) : []
      return count
    }
    next = 0
    if count == 0 || count < 0 && errno != EAGAIN && errno != EINTR { self.descriptor = nil }
    return count > 0
  }

  /// Whether a byte waits.
  package var isReady: Bool {
    if next < queue.count { return true }
    skipped += 1
    guard descriptor != nil, skipped >= Self.pollInterval else { return false }
    skipped = 0
    return refill(timeout: 0)
  }

  /// The next byte, if one waits.
  package func take() -> UInt8? {
    guard isReady else { return nil }
    defer { next += 1 }
    return queue[next]
  }

  package func append(_ bytes: [UInt8]) { queue += bytes }
}
