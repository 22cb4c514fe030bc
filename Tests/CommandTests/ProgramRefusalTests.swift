// Programs, limits and files as a user gets them wrong, and runs that end in time.
import Foundation
import Testing

private let hello = packageFolder.appendingPathComponent("Guests/hello/hello.elf").path
private let busybox = guestsFolder.appendingPathComponent("apps/bin/busybox").path
private let hasGuests = FileManager.default.isReadableFile(atPath: busybox)

@Suite struct ProgramRefusalTests {
  private func expectRefusal(_ arguments: [String], _ status: Int32, _ words: String) throws {
    let result = try kittson(arguments)
    #expect(result.status == status && !result.wasKilled, "\(arguments): \(result.errors)")
    #expect(result.errors.split(separator: "\n").count == 1 && result.errors.contains(words), "\(result.errors)")
    #expect(result.output.isEmpty)
  }

  @Test func whatIsNoFile() throws {
    for command in [["boot"], ["run"], ["patch"], ["verify", "run"], ["verify", "boot"], ["vectors"]] {
      for path in ["/dev/zero", "/dev/full", "/tmp"] { try expectRefusal(command + [path], 126, "\(path): not a regular file") }
    }
    let large = try TemporaryFile(Data())
    #expect(truncate(large.path, 3 << 30) == 0)
    for command in ["run", "boot", "vectors"] { try expectRefusal([command, large.path], 126, "larger than 2 GiB") }
    // What the first bytes show is said before the rest is read.
    #expect(truncate(large.path, 2 << 30) == 0)
    for command in ["run", "boot"] { try expectRefusal([command, large.path], 126, "\(large.path): not an ELF file") }
  }

  @Test func whatIsNoProgram() throws {
    let script = try TemporaryFile(Data("#! /bin/guest-shell -e\necho\n".utf8))
    try expectRefusal(["run", script.path], 126, "\(script.path): a script for /bin/guest-shell:")
    try expectRefusal(["run", ""], 127, "'' is no program's name")
    let kernel = packageFolder.appendingPathComponent("Guests/pvkernel/pvkernel.elf").path
    try expectRefusal(["run", kernel], 126, "kittson boot")
    try expectRefusal(["run", "-L", hello, hello], 126, "\(hello): no directory")
    try expectRefusal(["run", "-E", "FOO", hello], 64, "NAME=VALUE")
    try expectRefusal(["run", "-E", "=x", hello], 64, "NAME=VALUE")
    // A name with which the reason begins is said all the same.
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("kittson-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(at: folder) }
    try Data([0x7f, 0x45, 0x4c, 0x46]).write(to: folder.appendingPathComponent("truncated"))
    #expect(try kittson(["run", "truncated"], in: folder).errors.hasPrefix("kittson: truncated: truncated ELF"))
  }

  @Test func whatDoesNotBoot() throws {
    for command in [["boot"], ["verify", "boot"]] { try expectRefusal(command + [hello], 126, "kittson run") }
    var image = try kernelImage()
    image.put(UInt16(3), at: 16)  // ET_DYN
    let file = try TemporaryFile(image)
    try expectRefusal(["boot", file.path], 126, "a shared object")
    let least = try kittson("boot", "--memory", "1")
    let words = least.errors.split(separator: " ").map { $0.trimmingCharacters(in: .newlines) }
    let size = try #require(words.last)
    #expect(least.status == 126 && size.hasSuffix("M"), "\(least.errors)")
    // What is loaded fits; what the kernel allocates is its own affair.
    #expect(try kittson("boot", "--memory", size, "--append", "nobench").status != 126, "\(size)")
  }

  @Test func tooFewCallsAreNotMeasured() throws { try expectRefusal(["bench", "--calls", "9999"], 64, "too few calls") }

  /// A limit on addresses leaves no room for whole windows.
  @Test(arguments: ["2000000", "40000000"])
  func limitedAddressSpace(_ limit: String) throws {
    let result = try execute(
      URL(fileURLWithPath: "/bin/sh"), ["-c", "ulimit -v \(limit); exec \"$0\" run \"$1\"", program.path, hello])
    #expect(result.status == 0 && result.output == "Hello from IA-64\n", "\(result.errors)")
  }

  // MARK: Time

  @Test(.enabled(if: hasGuests, "KITTSON_GUESTS names no folder with guests"), arguments: ["translator", "interpreter"])
  func aBlockedProgramEndsInTime(_ engine: String) throws {
    // The shell's own sleep: a host's program would go on, and hold the output open.
    for words in [["sleep", "1000"], ["sh", "-c", "\(busybox) sleep 1000; true"]] {
      let result = try kittson(["run", "--engine", engine, "--timeout", "1", busybox] + words)
      #expect(result.status == 124 && result.errors.contains("--timeout"), "\(words): \(result.errors)")
    }
  }

  @Test func aComparisonEndsInTime() throws {
    let result = try kittson("verify", "--timeout", "1", "--append", "bench=100000000 cpu=1000")
    #expect(result.status == 124 && result.output.contains("no difference"), "\(result.output)\(result.errors)")
  }

  @Test(.enabled(if: hasGuests, "KITTSON_GUESTS names no folder with guests"))
  func aComparisonOfAProgramEndsInTime() throws {
    let result = try kittson("verify", "run", "--timeout", "1", busybox, "cat", "/dev/zero")
    #expect(result.status == 124 && result.output.contains("no difference"), "\(result.output)\(result.errors)")
  }

  /// The dynamic loader maps libraries and its cache.
  @Test(.enabled(if: hasGuests, "KITTSON_GUESTS names no folder with guests"), arguments: ["hello", "printf"])
  func aDynamicProgramIsCompared(_ name: String) throws {
    let result = try kittson(
      "verify", "run", "--every", "4000", "-L", guestsFolder.appendingPathComponent("rootfs").path,
      guestsFolder.appendingPathComponent("programs/dyn/\(name)").path)
    #expect(result.status == 0 && result.output.contains("no difference"), "\(result.output)\(result.errors)")
  }
}
