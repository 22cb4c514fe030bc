// Errors as the user sees them: one line, `kittson: what is wrong: how to mend it`, and an exit status.
import Glibc

/// Exit statuses of Kittson's own (a guest's status passes unchanged).
enum ExitStatus {
  static let different: Int32 = 1
  static let usage: Int32 = 64
  static let limit: Int32 = 124
  static let internalError: Int32 = 125
  static let cannotRun: Int32 = 126
  static let notFound: Int32 = 127
}

struct Failure: Error {
  let message: String
  let status: Int32

  init(_ message: String, status: Int32) {
    self.message = message
    self.status = status
  }

  func report() { writeError("kittson: \(message)\n") }
}

/// Writes text to standard error, where all of Kittson's own words go while a guest owns standard output.
func writeError(_ text: String) {
  var text = text
  text.withUTF8 { bytes in
    var rest = UnsafeRawBufferPointer(bytes)
    while !rest.isEmpty {
      let count = Glibc.write(STDERR_FILENO, rest.baseAddress, rest.count)
      if count < 0 && errno == EINTR { continue }
      if count <= 0 { return }
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
  }
}

/// Reads a whole file, or says in one line why it can't.
func readFile(_ path: String) throws -> [UInt8] {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else {
    let reason = String(cString: strerror(errno))
    throw Failure(
      "\(path): \(reason): check the path",
      status: errno == ENOENT || errno == ENOTDIR ? ExitStatus.notFound : ExitStatus.cannotRun)
  }
  defer { close(descriptor) }
  var status = stat()
  guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT != S_IFDIR else {
    throw Failure("\(path): is a directory: name an image file", status: ExitStatus.cannotRun)
  }
  var bytes: [UInt8] = []
  bytes.reserveCapacity(Int(status.st_size))
  var chunk = [UInt8](repeating: 0, count: 1 << 20)
  while true {
    let count = read(descriptor, &chunk, chunk.count)
    if count < 0 && errno == EINTR { continue }
    guard count >= 0 else {
      throw Failure("\(path): \(String(cString: strerror(errno)))", status: ExitStatus.cannotRun)
    }
    if count == 0 { return bytes }
    bytes += chunk[..<count]
  }
}
