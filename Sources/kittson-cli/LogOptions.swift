// Where Kittson's own words go while a guest owns standard output, and files that a run writes beside them.
import ArgumentParser
import Glibc
import Machine
import Platforms

struct LogOptions: ParsableArguments {
  @Option(
    name: [.customShort("D"), .customLong("log-file")],
    help: ArgumentHelp("Writes Kittson's own words to FILE instead of standard error.", valueName: "FILE"))
  var file: String?

  /// What an executed program's Kittson is told: the files are begun already.
  @Flag(name: .customLong("continued"), help: .hidden)
  var isContinued = false

  /// The place for Kittson's words.
  func log() throws -> RunLog { try file.map(open) ?? RunLog(copying: STDERR_FILENO) }

  func open(_ path: String) throws -> RunLog { try RunLog(path: path, appends: isContinued) }
}

/// A file that a run writes to, which the guest neither sees among its descriptors nor closes with them.
struct RunLog: Sendable {
  private let descriptor: Int32

  init(copying descriptor: Int32) {
    let copy = remoteDescriptor(descriptor)
    self.descriptor = copy >= 0 ? copy : descriptor
  }

  init(path: String, appends: Bool) throws {
    let opened = Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | (appends ? 0 : O_TRUNC), 0o666)
    guard opened >= 0 else {
      throw Failure("\(path): \(systemReason(errno)): name a file that can be written", status: ExitStatus.usage)
    }
    let copy = remoteDescriptor(opened)
    descriptor = copy >= 0 ? copy : opened
    if copy >= 0 { close(opened) }
  }

  func write(_ text: String) { writeAll(descriptor, text) }
}
