// `kittson vectors --oracle`: another simulator's answers beside Kittson's, and `--answer`, which makes Kittson one.
import Foundation
import Testing

@Suite struct VectorOracleTests {
  private let vectors = packageFolder.appendingPathComponent("Tests/Vectors/compare.json").path

  /// Kittson's own interpreter as the other simulator: every answer fits the translator.
  @Test func kittsonAnswersItself() throws {
    let command = "'\(program.path)' vectors --answer --engine interpreter"
    let result = try kittson("vectors", "--oracle", command, vectors)
    #expect(result.status == 0, "\(result.output)\(result.errors)")
    #expect(result.output.contains("0 different") && !result.output.hasPrefix("0 vectors"))
  }

  /// A simulator that always answers that r8 is 7 and goes nowhere: a difference, and a known one where a list says so.
  @Test func differencesAreReportedAndExcused() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("kittson-oracle-\(getpid())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let cases = folder.appendingPathComponent("cases.json"), simulator = folder.appendingPathComponent("simulator")
    // { .mii nop.m 0; nop.i 0; nop.i 0 }
    try #"[{"name":"one nop","initial":{"ip":"0x4000","ram":[["0x4000","00000000010000000002000000000400"]]},"stop":{"events":1}}]"#
      .write(to: cases, atomically: true, encoding: .utf8)
    try "#!/bin/sh\necho '[{\"name\":\"one nop\",\"final\":{\"ip\":\"0x4001\",\"gr\":{\"8\":\"0x7\"}}}]'\n"
      .write(to: simulator, atomically: true, encoding: .utf8)
    chmod(simulator.path, 0o755)
    let different = try kittson("vectors", "--oracle", simulator.path, cases.path)
    #expect(different.status == 1, "\(different.errors)")
    #expect(different.output.contains("one nop: gr.8 is 0x0, not 0x7"), "\(different.output)")
    let list = folder.appendingPathComponent("known")
    try "# a list\none_nop gr.* the other simulator has a lucky number\n".write(to: list, atomically: true, encoding: .utf8)
    let excused = try kittson("vectors", "--oracle", simulator.path, "--known", list.path, cases.path)
    #expect(excused.status == 0 && excused.output.contains("1 known to differ"), "\(excused.output)\(excused.errors)")
  }

  @Test(arguments: ["false", "true", "echo '[]'", "echo '{}'"]) func badSimulators(_ command: String) throws {
    let result = try kittson("vectors", "--oracle", command, vectors)
    #expect(result.status == 126, "\(result.output)")
    #expect(result.errors.hasPrefix("kittson: ") && result.errors.split(separator: "\n").count == 1, "\(result.errors)")
  }
}
