// The committed guest images are what their sources build to, wherever an IA-64 cross compiler is at hand.
import Foundation
import Testing

@Suite struct GuestImageTests {
  /// The prefix of the cross tools: CROSS_COMPILE, or ia64-linux-gnu- where that compiler is on PATH.
  private static let prefix: String? = {
    let environment = ProcessInfo.processInfo.environment
    let prefix = environment["CROSS_COMPILE"] ?? "ia64-linux-gnu-"
    let folders = prefix.contains("/") ? [""] : (environment["PATH"] ?? "").split(separator: ":").map { $0 + "/" }
    return folders.contains { FileManager.default.isExecutableFile(atPath: $0 + prefix + "gcc") } ? prefix : nil
  }()

  @Test func imagesAgreeWithTheirSources() throws {
    guard let prefix = Self.prefix else {
      print("skipped: no IA-64 cross compiler (set CROSS_COMPILE or put ia64-linux-gnu-gcc on PATH)")
      return
    }
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("kittson-guests-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let make = Process()
    make.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    make.arguments = [
      "make", "-s", "-C", packageFolder.appendingPathComponent("Guests").path, "CROSS_COMPILE=\(prefix)",
      "BUILD=\(folder.path)/objects", "OUT=\(folder.path)",
    ]
    try make.run()
    make.waitUntilExit()
    try #require(make.terminationStatus == 0)
    for image in ["pvkernel/pvkernel.elf", "hello/hello.elf", "module/pvmodule.ko", "module/plain.elf"] {
      let committed = try Data(contentsOf: packageFolder.appendingPathComponent("Guests/\(image)"))
      let name = URL(fileURLWithPath: image).lastPathComponent
      let built = try [image, name].lazy.map { folder.appendingPathComponent($0) }
        .first { FileManager.default.fileExists(atPath: $0.path) }.map { try Data(contentsOf: $0) }
      #expect(built == committed, "\(image) differs from what its sources build")
    }
  }
}
