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

  private static let twoProcessors = [
    folder.appendingPathComponent("vmlinux-smp").path, "--smp", "2", "--memory", "1G", "--initrd",
    folder.appendingPathComponent("initrd.cpio.gz").path, "--append", "console=ttyS0 session", "--max-instructions",
  ]

  /// Two processors in turns, in lockstep until both run.
  @Test(.enabled(if: isPresent, "KITTSON_GUESTS names no folder with a Linux kernel"))
  func twoProcessorsInLockstep() throws {
    let result = try kittson(["verify", "boot", "--every", "16000", "--console"] + Self.twoProcessors + ["1000000000"])
    #expect(result.status == 124 && result.output.contains("no difference"), "\(result.output)\(result.errors)")
    #expect(result.output.contains("2 CPUs"))
  }

  /// Under the virtual clock a run of two processors repeats: what it prints, and how many instructions it took.
  @Test(.enabled(if: isPresent, "KITTSON_GUESTS names no folder with a Linux kernel"))
  func twoProcessorsRepeat() throws {
    let runs = try (0..<2).map { _ in
      try kittson(["boot", "--clock", "virtual", "--stats"] + Self.twoProcessors + ["1000000000"])
    }
    #expect(runs.allSatisfy { $0.output.contains("2 CPUs") })
    #expect(runs[0].output == runs[1].output && runs[0].status == runs[1].status)
    let counts = runs.map { $0.errors.firstMatch(of: /slots (\d+) in/)?.1 }
    #expect(counts[0] != nil && counts[0] == counts[1])
  }
}
