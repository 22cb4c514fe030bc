// Whole files as bytes, without Foundation.
import Glibc

/// Reads a regular file (or a pipe) to its end.
/// - Throws: `ELFError.unreadable` with the system's reason; `errno` tells a caller whether it was missing (ENOENT).
package func readFile(_ path: String) throws(ELFError) -> [UInt8] {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { throw .unreadable(path: path, reason: systemReason(errno)) }
  defer { close(descriptor) }
  var status = stat()
  let expected = fstat(descriptor, &status) == 0 && status.st_size > 0 ? Int(status.st_size) : 0
  var bytes: [UInt8] = []
  var failure: Int32 = 0
  var ended = false
  while !ended {
    // One byte more than the file should have, so that its end shows without another turn.
    let room = max(expected - bytes.count, 1 << 16) + 1
    let chunk = [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
      while count < room, !ended {
        let got = read(descriptor, buffer.baseAddress! + count, room - count)
        if got < 0, errno == EINTR { continue }
        if got < 0 { failure = errno }
        ended = got <= 0
        count += max(got, 0)
      }
    }
    if bytes.isEmpty { bytes = chunk } else { bytes.append(contentsOf: chunk) }
  }
  if failure != 0 { throw .unreadable(path: path, reason: systemReason(failure)) }
  return bytes
}

/// Writes a whole file, replacing what was there, with the given permission bits.
package func writeFile(_ path: String, _ bytes: [UInt8], mode: UInt32 = 0o755) throws(ELFError) {
  let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode_t(mode))
  guard descriptor >= 0 else { throw .unreadable(path: path, reason: systemReason(errno)) }
  var done = 0
  var failure: Int32 = 0
  bytes.withUnsafeBytes { raw in
    while done < raw.count, failure == 0 {
      let wrote = write(descriptor, raw.baseAddress! + done, raw.count - done)
      if wrote < 0 { failure = errno == EINTR ? 0 : errno } else { done += wrote }
    }
  }
  if close(descriptor) != 0, failure == 0 { failure = errno }
  if failure != 0 { throw .unreadable(path: path, reason: systemReason(failure)) }
}

/// The system's words for an error number.
package func systemReason(_ number: Int32) -> String {
  var buffer = [UInt8](repeating: 0, count: 256)
  let failed = buffer.withUnsafeMutableBytes {
    strerror_r(number, $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count) != 0
  }
  return failed ? "error \(number)" : String(decoding: buffer.prefix { $0 != 0 }, as: UTF8.self)
}
