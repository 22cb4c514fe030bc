// A program that does what programs should not (Guests/process/hostile.c) ends as Linux would end it; signals and threads
// under load (Guests/process/stress.c): KITTSON_STRESS multiplies it, 50 gives 10^6 signals and 8 times 10^7 atomics.
import Foundation
import Testing

@Suite(.serialized) struct HostileTests {
  private func guest(_ name: String) -> String {
    packageFolder.appendingPathComponent("Guests/process/\(name).elf").path
  }

  /// What checks itself ends with 0; what Linux ends, by that signal.
  @Test(arguments: ["a", "j", "p", "m", "u", "e"], ["interpreter", "translator"])
  func survives(_ letter: String, _ engine: String) throws {
    let run = try kittson("run", "--engine", engine, "--timeout", "60", guest("hostile"), letter)
    #expect(run.status == 0 && !run.wasKilled, "\(run.errors)")
  }

  @Test(
    arguments: [
      ("d", SIGSEGV), ("n", SIGSEGV), ("r", SIGSEGV), ("R", SIGSEGV), ("c", SIGSEGV), ("s", SIGSEGV), ("z", SIGILL),
      ("b", SIGBUS),
    ], ["interpreter", "translator"])
  func endsBySignal(_ end: (letter: String, signal: Int32), _ engine: String) throws {
    let run = try kittson("run", "--engine", engine, "--timeout", "60", guest("hostile"), end.letter)
    #expect(run.wasKilled && run.status == end.signal, "\(run.errors)")
    #expect(run.errors.hasPrefix("kittson: signal \(end.signal) (") && run.errors.split(separator: "\n").count == 1)
  }

  /// What each call gives, compared with the same source built for the host (Guests/process/families.c).
  @Test(arguments: ["interpreter", "translator"]) func callsGiveWhatTheHostGives(_ engine: String) throws {
    let manager = FileManager.default
    let folder = manager.temporaryDirectory.appendingPathComponent("kittson-test-\(UUID().uuidString)")
    try manager.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? manager.removeItem(at: folder) }
    let native = folder.appendingPathComponent("native"), work = folder.appendingPathComponent("work")
    let source = packageFolder.appendingPathComponent("Guests/process/families.c").path
    // The Swift toolchain brings a C compiler.
    let built = try execute(
      URL(fileURLWithPath: "/usr/bin/env"), ["clang", "-O1", "-w", "-Dprogram=main", "-o", native.path, source])
    try #require(built.status == 0, "\(built.errors)")
    func fresh() throws {
      try? manager.removeItem(at: work)
      try manager.createDirectory(at: work, withIntermediateDirectories: true)
    }
    try fresh()
    let wanted = try execute(native, [work.path])
    try fresh()
    let run = try kittson("run", "--engine", engine, "--timeout", "60", guest("families"), work.path)
    #expect(wanted.status == 0 && run.status == 0 && wanted.output.contains("expired 1\n"))
    let pairs = zip(wanted.output.split(separator: "\n"), run.output.split(separator: "\n"))
    for (native, own) in pairs where native != own { Issue.record("on the host \(native), here \(own)") }
    #expect(run.output == wanted.output)
  }

  @Test func theStackHasTheSizeThatIsAsked() throws {
    // 64 MiB of stack take longer to fill than one: both end by SIGSEGV, at other addresses.
    let ends = try ["1M", "64M"].map { size in
      let run = try kittson("run", "-s", size, guest("hostile"), "r")
      #expect(run.wasKilled && run.status == SIGSEGV)
      return run.errors.split(separator: " ").drop { $0 != "address" }.dropFirst().first.flatMap {
        UInt64($0.dropFirst(2).dropLast(), radix: 16)
      }
    }
    let low = try #require(ends[1]), high = try #require(ends[0])
    #expect(((63 << 20) - 8192...(63 << 20) + 8192).contains(high - low))
  }

  private static let scale = ProcessInfo.processInfo.environment["KITTSON_STRESS"].flatMap { Int($0) } ?? 1

  @Test(arguments: [("q", 20_000), ("t", 200_000)], ["interpreter", "translator"])
  func underLoad(_ work: (kind: String, count: Int), _ engine: String) throws {
    let run = try kittson("run", "--engine", engine, guest("stress"), work.kind, "\(work.count * Self.scale)")
    #expect(run.status == 0 && !run.wasKilled, "\(run.errors)")
  }
}
