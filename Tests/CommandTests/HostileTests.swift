// A program that does what programs should not (Guests/process/hostile.c) ends as Linux would end it; and signals and threads
// under load (Guests/process/stress.c). KITTSON_STRESS multiplies the load: 50 gives 10^6 signals and 8 times 10^7 atomics.
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

  private static let scale = ProcessInfo.processInfo.environment["KITTSON_STRESS"].flatMap { Int($0) } ?? 1

  @Test(arguments: [("q", 20_000), ("t", 200_000)], ["interpreter", "translator"])
  func underLoad(_ work: (kind: String, count: Int), _ engine: String) throws {
    let run = try kittson("run", "--engine", engine, guest("stress"), work.kind, "\(work.count * Self.scale)")
    #expect(run.status == 0 && !run.wasKilled, "\(run.errors)")
  }
}
