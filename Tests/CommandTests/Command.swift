// Runs the program as a user would and keeps what it says.
import Foundation
import Testing

struct CommandResult {
  var status: Int32
  /// Whether a signal ended it; `status` is then the signal's number.
  var wasKilled: Bool
  var bytes: Data
  var errors: String

  /// Standard output as text.
  var output: String { String(decoding: bytes, as: UTF8.self) }
}

/// The package's folder.
let packageFolder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent()

/// The larger guests: KITTSON_GUESTS, or a folder beside the checkout.
let guestsFolder: URL = {
  if let path = ProcessInfo.processInfo.environment["KITTSON_GUESTS"] { return URL(fileURLWithPath: path) }
  return packageFolder.appendingPathComponent("../shared/guests").standardizedFileURL
}()

/// The built program stands beside the test bundle.
let program: URL = {
  let candidates = [
    Bundle.main.bundleURL.appendingPathComponent("kittson"),
    URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appendingPathComponent("kittson"),
    packageFolder.appendingPathComponent(".build/release/kittson"),
    packageFolder.appendingPathComponent(".build/debug/kittson"),
  ]
  return candidates.first { FileManager.default.isExecutableFile(atPath: $0.path) } ?? candidates[2]
}()

/// Runs `kittson` with `arguments` and, unless a file is named, nothing on standard input.
func kittson(_ arguments: String...) throws -> CommandResult { try kittson(arguments) }

func kittson(
  _ arguments: [String], input: String? = nil, output: String? = nil, in folder: URL? = nil,
  environment: [String: String] = [:]
) throws -> CommandResult {
  try execute(program, arguments, input: input, output: output, in: folder, environment: environment)
}

/// Runs a program with a file, or nothing, on standard input. With a file for standard output nothing of it is kept.
func execute(
  _ program: URL, _ arguments: [String], input: String? = nil, output file: String? = nil, in folder: URL? = nil,
  environment: [String: String] = [:]
) throws -> CommandResult {
  let process = Process()
  process.executableURL = program
  process.arguments = arguments
  // A crash is reported by its signal, not waited for.
  process.environment = ProcessInfo.processInfo.environment.merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 }
    .merging(environment) { $1 }
  process.standardInput = try input.map { try FileHandle(forReadingFrom: URL(fileURLWithPath: $0)) } ?? FileHandle.nullDevice
  if let folder { process.currentDirectoryURL = folder }
  let output = Pipe(), errors = Pipe()
  process.standardOutput = output
  if let file { process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: file)) }
  process.standardError = errors
  // The program starts with no signal blocked, whatever the test's thread has.
  var none = sigset_t(), blocked = sigset_t()
  sigemptyset(&none)
  pthread_sigmask(SIG_SETMASK, &none, &blocked)
  defer { pthread_sigmask(SIG_SETMASK, &blocked, nil) }
  try process.run()
  // Read both while it runs: a full pipe would stop it.
  nonisolated(unsafe) var errorData = Data()
  let reader = Thread { errorData = errors.fileHandleForReading.readDataToEndOfFile() }
  reader.start()
  if file != nil { try output.fileHandleForWriting.close() }
  let outputData = output.fileHandleForReading.readDataToEndOfFile()
  process.waitUntilExit()
  while !reader.isFinished { usleep(200) }
  return CommandResult(
    status: process.terminationStatus, wasKilled: process.terminationReason == .uncaughtSignal,
    bytes: outputData, errors: String(decoding: errorData, as: UTF8.self))
}

/// A file of these bytes that goes away with the value.
final class TemporaryFile {
  let path: String

  init(_ bytes: Data) throws {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("kittson-test-\(UUID().uuidString)")
    try bytes.write(to: url)
    path = url.path
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// The committed kernel image.
func kernelImage() throws -> Data {
  try Data(contentsOf: packageFolder.appendingPathComponent("Guests/pvkernel/pvkernel.elf"))
}
