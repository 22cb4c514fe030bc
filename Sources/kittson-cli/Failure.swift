// Errors as the user sees them: one line, `kittson: what is wrong: how to mend it`, and an exit status.
import Glibc
import enum Machine.FileContent
import func Machine.readFile

/// Exit statuses of Kittson's own (a guest's status passes unchanged).
enum ExitStatus {
  static let different: Int32 = 1
  static let usage: Int32 = 64
  static let outputLost: Int32 = 74
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

/// Reads a whole image file, or says in one line why it can't and ends with 127 (missing) or 126.
func readImage(_ path: String) throws -> [UInt8] { try read(path, as: .image) }

/// The same for a file that is no image.
func readWhole(_ path: String) throws -> [UInt8] { try read(path, as: .any) }

private func read(_ path: String, as content: FileContent) throws -> [UInt8] {
  do {
    return try readFile(path, as: content)
  } catch {
    let isMissing = access(path, F_OK) != 0
    let text = "\(error)"
    throw Failure(
      path.isEmpty ? "'' is no file's name: name one" : text.hasPrefix(path + ":") ? text : "\(path): \(text)",
      status: isMissing ? ExitStatus.notFound : ExitStatus.cannotRun)
  }
}
