// Output on the host, and its clock.
import Glibc

/// Writes all of the bytes to a descriptor, waiting where it takes no more for now. What can't be written (a closed pipe, a
/// full disk) is dropped: a guest does not fail for its console.
/// - Returns: 0, or the error number of the write that failed.
@discardableResult
package func writeAll(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int32 {
  var rest = bytes
  while !rest.isEmpty {
    let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
    if count < 0 && errno == EINTR { continue }
    if count < 0 && errno == EAGAIN {
      var poller = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
      poll(&poller, 1, -1)
      continue
    }
    if count <= 0 { return count < 0 ? errno : EIO }
    rest = UnsafeRawBufferPointer(rebasing: rest[count...])
  }
  return 0
}

/// A copy of a descriptor with a number that is out of a guest process's way and that no other program is given; −1 where
/// the limit on descriptors is lower than that.
package func remoteDescriptor(_ descriptor: Int32) -> Int32 { fcntl(descriptor, F_DUPFD_CLOEXEC, 900) }

/// Writes a text, as UTF-8.
@discardableResult
package func writeAll(_ descriptor: Int32, _ text: String) -> Int32 {
  var text = text
  return text.withUTF8 { writeAll(descriptor, UnsafeRawBufferPointer($0)) }
}

/// Nanoseconds of the host's monotonic clock.
package func hostNanoseconds() -> UInt64 {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

/// Seconds of the same clock.
package func hostSeconds() -> Double { Double(hostNanoseconds()) * 1e-9 }
