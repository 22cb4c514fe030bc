// Linux/ia64 programs as a user runs them, on both engines: the guests' index by tier, compared with what the same sources
// printed on x86-64.
import Foundation
import Testing

private struct GuestIndex: Decodable {
  struct Case: Decodable, CustomTestStringConvertible, Sendable {
    var name, tier, stdout: String
    var command: [String]
    var exit: Int32
    var needs, stdin, compare: String?
    var testDescription: String { name }
  }
  var cases: [Case]

  static let folder = guestsFolder
  static let isPresent = FileManager.default.isReadableFile(atPath: folder.appendingPathComponent("index.json").path)

  static func cases(_ tier: String) -> [Case] {
    guard let data = try? Data(contentsOf: folder.appendingPathComponent("index.json")),
      let index = try? JSONDecoder().decode(GuestIndex.self, from: data)
    else { return [] }
    // `needs` names what a run takes beyond Kittson: a system's libraries are there.
    return index.cases.filter { $0.tier == tier && ($0.needs == nil || $0.needs == "sysroot") }
  }
}

@Suite(.serialized) struct RunTests {
  @Test(
    .enabled(if: GuestIndex.isPresent, "KITTSON_GUESTS names no folder with guests"),
    arguments: GuestIndex.cases("process") + GuestIndex.cases("apps"), ["interpreter", "translator"])
  fileprivate func indexedProgram(_ guest: GuestIndex.Case, engine: String) throws {
    let folder = GuestIndex.folder
    var words = ["run", "--engine", engine, "--timeout", "100"]
    if guest.needs == "sysroot" { words += ["-L", folder.appendingPathComponent("rootfs").path] }
    var command = guest.command
    // The shell changes its folder and runs the program by the name that it is given.
    if command.last == "apps/bin/busybox" { command[command.count - 1] = folder.appendingPathComponent(command.last!).path }
    let run = try kittson(
      words + command, input: guest.stdin.map { folder.appendingPathComponent($0).path }, in: folder)
    #expect(!run.wasKilled && run.status == guest.exit, "\(run.errors)")
    guard guest.compare != "exit" else { return }
    let expected = try Data(contentsOf: folder.appendingPathComponent(guest.stdout))
    if run.bytes == expected { return }
    #expect(lines(run.bytes, guest) == lines(expected, guest))
  }

  /// Two lines of `sys` print a call's result beside what the call changes: in which order, the compiler chooses.
  private func lines(_ output: Data, _ guest: GuestIndex.Case) -> [Data] {
    let lines = output.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    guard guest.name.hasPrefix("sys-") else { return lines }
    return lines.filter { !$0.starts(with: "poll ".utf8) && !$0.starts(with: "bad fd ".utf8) }
  }
}
