// Output on the host, and its clock.
import Glibc

/// Writes all of the bytes to a descriptor, waiting where it takes no more for now. What can't be written (a closed pipe)
/// is dropped: a guest does not fail for its console, nor Kittson for a report.
package func writeAll(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) {
  var rest = bytes
  while !rest.isEmpty {
    let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
    if count < 0 && errno == EINTR { continue }
    if count < 0 && errno == EAGAIN {
      var poller = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
      poll(&poller, 1, -1)
      continue
    }
    if count <= 0 { return }
    rest = UnsafeRawBufferPointer(rebasing: rest[count...])
  }
}

/// Writes a text, as UTF-8.
package func writeAll(_ descriptor: Int32, _ text: String) {
  var text = text
  text.withUTF8 { writeAll(descriptor, UnsafeRawBufferPointer($0)) }
}

/// Nanoseconds of the host's monotonic clock.
package func hostNanoseconds() -> UInt64 {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

/// Seconds of the same clock.
package func hostSeconds() -> Double { Double(hostNanoseconds()) * 1e-9 }
