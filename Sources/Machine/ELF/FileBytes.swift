// Whole files as bytes, without Foundation.
import Glibc

/// Bytes of a file that is still read as a whole.
package let largestFile = 2 << 30

/// What is expected in a file.
package enum FileContent {
  case any
  /// An ELF image: its identification is looked at before the rest is read.
  case image
}

/// Reads a regular file (or a pipe) to its end.
/// - Throws: `ELFError.unreadable` with the system's reason, where `errno` tells a caller whether it was missing (ENOENT);
///   `.notAFile` for a device or folder, `.tooLarge` behind `largestFile` bytes; what is wrong with an image's beginning.
package func readFile(_ path: String, as content: FileContent = .any) throws(ELFError) -> [UInt8] {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { throw .unreadable(path: path, reason: systemReason(errno)) }
  defer { close(descriptor) }
  var status = stat()
  guard fstat(descriptor, &status) == 0 else { throw .unreadable(path: path, reason: systemReason(errno)) }
  let kind = status.st_mode & S_IFMT
  guard kind == S_IFREG || kind == S_IFIFO else { throw .notAFile(path: path) }
  guard status.st_size <= largestFile else { throw .tooLarge(path: path) }
  var bytes = try readPiece(descriptor, path, 64).bytes
  if content == .image { try ELFImage.checkIdentification(ByteReader(bytes)) }
  var ended = false
  while !ended {
    // One byte more than the file should have, so that its end shows without another turn.
    let room = max(Int(status.st_size) - bytes.count, 1 << 16) + 1
    let piece = try readPiece(descriptor, path, room)
    bytes.append(contentsOf: piece.bytes)
    ended = piece.ended
    if bytes.count > largestFile { throw .tooLarge(path: path) }
  }
  return bytes
}

/// The next `count` bytes, or fewer at the file's end.
private func readPiece(
  _ descriptor: Int32, _ path: String, _ room: Int
) throws(ELFError) -> (bytes: [UInt8], ended: Bool) {
  var failure: Int32 = 0
  var ended = false
  let bytes = [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
    while count < room, !ended {
      let got = read(descriptor, buffer.baseAddress! + count, room - count)
      if got < 0, errno == EINTR { continue }
      if got < 0 { failure = errno }
      ended = got <= 0
      count += max(got, 0)
    }
  }
  if failure != 0 { throw .unreadable(path: path, reason: systemReason(failure)) }
  return (bytes, ended)
}

/// Writes a whole file, replacing what was there, with the given permission bits.
/// - Throws: `ELFError.unreadable` where it can't be opened, `ELFError.unwritten` where bytes were lost.
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
  if failure != 0 { throw .unwritten(path: path, reason: systemReason(failure)) }
}

/// The system's words for an error number.
package func systemReason(_ number: Int32) -> String {
  var buffer = [UInt8](repeating: 0, count: 256)
  let failed = buffer.withUnsafeMutableBytes {
    strerror_r(number, $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count) != 0
  }
  return failed ? "error \(number)" : String(decoding: buffer.prefix { $0 != 0 }, as: UTF8.self)
}
