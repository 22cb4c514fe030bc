// The IA-64 cross tools, for tests that compile or assemble something: skipped where there are none.
import Foundation

enum CrossTools {
  /// The prefix of the tools: CROSS_COMPILE, or ia64-linux-gnu- where that compiler is on PATH.
  static let prefix: String? = {
    let environment = ProcessInfo.processInfo.environment
    let prefix = environment["CROSS_COMPILE"] ?? "ia64-linux-gnu-"
    let folders = prefix.contains("/") ? [""] : (environment["PATH"] ?? "").split(separator: ":").map { $0 + "/" }
    return folders.contains { FileManager.default.isExecutableFile(atPath: $0 + prefix + "gcc") } ? prefix : nil
  }()

  /// What the C compiler has to say to a source (nothing where it accepts it); nil with a line where there is none.
  static func complaints(about source: String, includes: URL) throws -> String? {
    guard let prefix else {
      print("skipped: no IA-64 cross compiler (set CROSS_COMPILE or put ia64-linux-gnu-gcc on PATH)")
      return nil
    }
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("kittson-\(UUID().uuidString).c")
    try Data(source.utf8).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let compiler = Process()
    compiler.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    compiler.arguments = [prefix + "gcc", "-std=gnu11", "-fsyntax-only", "-I", includes.path, file.path]
    let errors = Pipe()
    compiler.standardError = errors
    try compiler.run()
    let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    compiler.waitUntilExit()
    return compiler.terminationStatus == 0 ? "" : text
  }
}

/// The package's folder.
let packageFolder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent()
