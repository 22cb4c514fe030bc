// Bad files and options: one clear line on standard error and the exit status that the README promises, never a crash.
import Foundation
import Testing

/// Overwrites little-endian integers in an image.
extension Data {
  mutating func put<T: FixedWidthInteger>(_ value: T, at offset: Int) {
    Swift.withUnsafeBytes(of: value.littleEndian) { replaceSubrange(offset..<offset + $0.count, with: $0) }
  }
  func get<T: FixedWidthInteger>(_ type: T.Type, at offset: Int) -> T {
    subdata(in: offset..<offset + MemoryLayout<T>.size).withUnsafeBytes { $0.loadUnaligned(as: T.self) }.littleEndian
  }
}

// Offsets in an ELF64 header and program header.
private let machineOffset = 18, programHeaderOffset = 32

@Suite struct BadInputTests {
  private func expectRefusal(_ arguments: [String], status: Int32, _ fragment: String) throws {
    let result = try kittson(arguments)
    #expect(!result.wasKilled, "killed by signal \(result.status): \(arguments)")
    #expect(result.status == status, "\(arguments): \(result.errors)")
    let lines = result.errors.split(separator: "\n")
    #expect(lines.count == 1, "\(result.errors)")
    #expect(lines.first?.hasPrefix("kittson: ") == true, "\(result.errors)")
    #expect(result.errors.contains(fragment), "\(result.errors)")
    #expect(result.output.isEmpty)
  }

  private func expectImageRefusal(_ image: Data, _ fragment: String, commands: [String] = ["boot", "patch", "check"]) throws {
    let file = try TemporaryFile(image)
    for command in commands { try expectRefusal([command, file.path], status: 126, fragment) }
  }

  @Test func missingFile() throws {
    for command in ["boot", "run", "patch", "check", "disassemble", "verify"] {
      try expectRefusal([command, "/nonexistent/image"], status: 127, "/nonexistent/image")
    }
  }

  @Test func notAnELFFile() throws { try expectImageRefusal(Data("#!/bin/sh\necho hello\n".utf8), "ELF") }

  @Test func emptyFile() throws { try expectImageRefusal(Data(), "ELF") }

  @Test func truncatedAnywhere() throws {
    let image = try kernelImage()
    for length in [10, 40, 63, 64, 100, 1000, image.count / 2] {
      let file = try TemporaryFile(image.prefix(length))
      let result = try kittson("boot", file.path)
      #expect(result.status == 126 && !result.wasKilled, "length \(length): \(result.status) \(result.errors)")
      #expect(result.errors.split(separator: "\n").count == 1)
    }
  }

  @Test func wrongMachine() throws {
    var image = try kernelImage()
    image.put(UInt16(62), at: machineOffset)  // EM_X86_64
    try expectImageRefusal(image, "IA-64")
  }

  @Test func programHeaderPastTheEndOfTheFile() throws {
    var image = try kernelImage()
    image.put(UInt64(image.count - 8), at: programHeaderOffset)
    try expectImageRefusal(image, "program header")
  }

  @Test func segmentPastTheEndOfTheFile() throws {
    var image = try kernelImage()
    let header = Int(image.get(UInt64.self, at: programHeaderOffset))
    image.put(UInt64(image.count) + 4096, at: header + 32)  // p_filesz
    try expectImageRefusal(image, "segment")
  }

  @Test func segmentOutsideMemory() throws {
    try expectRefusal(["boot", "--memory", "1M"], status: 126, "--memory")
    // No --memory reaches there.
    var image = try kernelImage()
    let header = Int(image.get(UInt64.self, at: programHeaderOffset))
    image.put(UInt64(1) << 42, at: header + 24)  // p_paddr
    let file = try TemporaryFile(image)
    try expectRefusal(["boot", file.path], status: 126, "lower physical addresses")
  }

  @Test func badOptions() throws {
    try expectRefusal(["boot", "--dispatch", "psychic"], status: 64, "psychic")
    try expectRefusal(["boot", "--memory", "12Q"], status: 64, "12Q")
    try expectRefusal(["boot", "--operation", "thash"], status: 64, "NAME=LIBRARY:SYMBOL")
    try expectRefusal(["boot", "--operation", "nosuch=libc.so.6:getpid"], status: 64, "nosuch")
    try expectRefusal(["boot", "--disable", "everything"], status: 64, "everything")
    try expectRefusal(["frobnicate"], status: 64, "frobnicate")
    try expectRefusal(["boot", "--engine", "steam"], status: 64, "'kittson boot --help'")
    try expectRefusal(["disassemble", "--range", "0x10"], status: 64, "no code in the range")
  }

  @Test func embeddedKernelOnAnotherMachine() throws {
    try expectRefusal(["boot", "--machine", "dig"], status: 64, "embedded kernel")
    try expectRefusal(["boot", "--initrd", "/dev/null"], status: 64, "embedded kernel")
  }

  @Test func missingVectors() throws {
    try expectRefusal(["vectors", "/nonexistent/vectors"], status: 127, "/nonexistent/vectors")
  }

  @Test func fileLargerThanAnyImage() throws {
    let file = try TemporaryFile(Data())
    #expect(truncate(file.path, 3 << 30) == 0)
    try expectRefusal(["check", file.path], status: 126, "2 GiB")
  }

  @Test(arguments: [
    ["patch", "--list"], ["boot"], ["disassemble", "--range", "_start"], ["bench", "--listings", "thash"],
    ["--help"], ["--version"], ["help", "boot"], ["--generate-completion-script", "bash"],
    ["verify", "--max-instructions", "1000"], ["verify", "--plant", "operation=get_rr", "--keep", "/dev/null"],
  ])
  func outputOnAFullDisk(_ arguments: [String]) throws {
    let result = try kittson(arguments, output: "/dev/full")
    #expect(result.status == 74)
    #expect(result.errors == "kittson: standard output: No space left on device: output was lost\n")
  }

  @Test func imageOnAFullDisk() throws {
    try expectRefusal(["patch", "-o", "/dev/full"], status: 74, "/dev/full: No space left on device")
  }
}
