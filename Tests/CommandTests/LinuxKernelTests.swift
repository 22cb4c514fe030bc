// `kittson boot` on Linux 6.1: the scripted session of the guests' initial RAM disk checks itself and switches off.
import Foundation
import Testing

@Suite(.serialized) struct LinuxKernelTests {
  private static let folder = guestsFolder.appendingPathComponent("linux")
  private static let isPresent = FileManager.default.isReadableFile(atPath: folder.appendingPathComponent("vmlinux").path)

  private static func session(_ kernel: String, _ options: [String], append: String = "") throws -> CommandResult {
    try kittson(
      ["boot", folder.appendingPathComponent(kernel).path, "--initrd", folder.appendingPathComponent("initrd.cpio.gz").path,
       "--append", "console=ttyS0 session \(append)", "--timeout", "300"] + options)
  }

  @Test(
    .enabled(if: isPresent, "KITTSON_GUESTS names no folder with a Linux kernel"),
    arguments: [
      ("vmlinux", ["--backend", "native"], ""),
      ("vmlinux", ["--engine", "interpreter"], ""),
      ("vmlinux-smp", ["--smp", "2", "--memory", "1G"], ""),
      ("pv/vmlinux", ["--backend", "native"], ""),
      ("pv/vmlinux", ["--dispatch", "inlined"], ""),
      ("pv/vmlinux", ["--dispatch", "inlined"], "noreplace-paravirt"),
    ])
  func sessionPasses(_ kernel: String, _ options: [String], _ append: String) throws {
    let result = try Self.session(kernel, options, append: append)
    #expect(result.status == 0 && result.output.contains("SESSION PASSED"), "\(result.errors)\(result.output.suffix(2000))")
  }

  /// Interpreter and translator in lockstep through the start of the kernel.
  @Test(.enabled(if: isPresent, "KITTSON_GUESTS names no folder with a Linux kernel"))
  func startInLockstep() throws {
    let result = try kittson(
      "verify", "boot", Self.folder.appendingPathComponent("vmlinux").path, "--initrd",
      Self.folder.appendingPathComponent("initrd.cpio.gz").path, "--append", "console=ttyS0 session",
      "--max-instructions", "50000000")
    #expect(result.status == 124 && result.output.contains("no difference"), "\(result.output)\(result.errors)")
  }
}
