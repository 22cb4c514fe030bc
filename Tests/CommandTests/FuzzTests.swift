// kittson fuzz as a user calls it: statuses, lines for programs, a campaign that goes on, files of coverage.
import Foundation
import Testing

@Suite struct FuzzTests {
  private func lines(_ text: String) throws -> [[String: Any]] {
    try text.split(separator: "\n").map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
  }

  @Test func equalEnginesGiveStatusZero() throws {
    let result = try kittson("fuzz", "--seed", "5", "--count", "40", "--jobs", "2", "--json")
    #expect(result.status == 0, "\(result.output)\(result.errors)")
    let last = try #require(try lines(result.output).last)
    #expect(last["type"] as? String == "summary")
    #expect(last["cases"] as? Int == 40)
    #expect(result.errors.isEmpty)
  }

  @Test func shardsDoTheirPart() throws {
    let result = try kittson("fuzz", "--seed", "1", "--count", "21", "--shard", "2/4", "--json")
    #expect(try lines(result.output).last?["cases"] as? Int == 5)
  }

  @Test func aCampaignGoesOn() throws {
    let log = try TemporaryFile(Data())
    _ = try kittson("fuzz", "--seed", "9", "--count", "30", "-D", log.path)
    // As if it had been ended half-way.
    let all = try String(contentsOfFile: log.path, encoding: .utf8).split(separator: "\n")
    try (all[0] + "\n{\"type\":\"progress\",\"done\":20}\n").write(toFile: log.path, atomically: true, encoding: .utf8)
    let result = try kittson("fuzz", "--seed", "9", "--count", "30", "-D", log.path, "--resume", "--json")
    #expect(result.status == 0, "\(result.errors)")
    #expect(try lines(result.output).last?["cases"] as? Int == 30)
    let other = try kittson("fuzz", "--seed", "8", "--count", "30", "-D", log.path, "--resume")
    #expect(other.status == 64)
    #expect(other.errors.contains("another campaign"))
  }

  @Test func coverageIsAFile() throws {
    let file = try TemporaryFile(Data())
    let result = try kittson("fuzz", "--seed", "1", "--count", "30", "--coverage", file.path)
    #expect(result.status == 0, "\(result.output)")
    let text = try String(contentsOfFile: file.path, encoding: .utf8)
    #expect(text.hasPrefix("# row"))
    #expect(text.contains("instruction groups"))
  }

  @Test func keptCasesAreReplayed() throws {
    let folder = packageFolder.appendingPathComponent("Tests/FailCases")
    let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil).map(\.path)
      .filter { $0.hasSuffix(".json") }.sorted()
    #expect(!files.isEmpty)
    let result = try kittson(["fuzz", "--json", "--replay"] + files)
    #expect(result.status == 0, "\(result.output)\(result.errors)")
    #expect(try lines(result.output).count == files.count)
    #expect(try lines(result.output).allSatisfy { $0["equal"] as? Bool == true })
  }

  @Test func filesThatHoldNoCase() throws {
    let file = try TemporaryFile(Data("[]".utf8))
    #expect(try kittson("fuzz", "--replay", file.path).status == 126)
    #expect(try kittson("fuzz", "--replay", file.path + ".none").status == 127)
  }

  @Test func plantedBugsAreFound() throws {
    let result = try kittson("fuzz", "--planted", "add-carry,nat-dropped", "--count", "2000", "--json")
    #expect(result.status == 0, "\(result.output)\(result.errors)")
    #expect(try lines(result.output).map { $0["name"] as? String } == ["add-carry", "nat-dropped"])
    let none = try kittson("fuzz", "--planted", "iim-short", "--count", "1")
    #expect(none.status == 1 && none.output.contains("not found"))
  }

  @Test(arguments: [
    ["--jobs", "0"], ["--shard", "5/4"], ["--mix", "nonsense"], ["--disable", "nonsense"], ["--length", "1"], ["--resume"],
    ["--planted", "nonsense"],
  ])
  func badUsage(_ arguments: [String]) throws {
    let result = try kittson(["fuzz", "--count", "1"] + arguments)
    #expect(result.status == 64)
    #expect(result.errors.hasPrefix("kittson: "))
    #expect(result.errors.split(separator: "\n").count == 1)
  }
}
