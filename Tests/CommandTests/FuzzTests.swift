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

  /// Three shards are the whole campaign; without one of them, or with one cut off, it is not done.
  @Test func shardsComeTogether() throws {
    let logs = try (1...3).map { _ in try TemporaryFile(Data()) }
    defer { withExtendedLifetime(logs) {} }
    for (index, log) in logs.enumerated() {
      _ = try kittson("fuzz", "--seed", "7", "--count", "20", "--shard", "\(index + 1)/3", "-D", log.path)
    }
    let paths = logs.map(\.path)
    let whole = try kittson(["fuzz", "--report"] + paths)
    #expect(whole.status == 0 && whole.output == "20 of 20 cases in 3 of 3 shards, 0 failed\n", "\(whole.errors)")
    let two = try kittson(["fuzz", "--json", "--report"] + paths.dropFirst())
    let report = try #require(JSONSerialization.jsonObject(with: Data(two.output.utf8)) as? [String: Any])
    #expect(two.status == 1 && report["missing"] as? [Int] == [1] && report["done"] as? Int == 13)
    #expect(try kittson(["fuzz", "--report", paths[0], paths[1], paths[0]]).status == 64)
    // Cut off behind a failure, in the middle of a line.
    let header = try String(contentsOfFile: paths[2], encoding: .utf8).prefix { $0 != "\n" }
    let failure = #"{"type": "failure", "seed": 9, "kind": "different", "reproduce": "kittson fuzz --seed 9"}"#
    try "\(header)\n\(failure)\n{\"type\": \"progress\", \"done\": 2}\n{\"type\": \"prog".write(
      toFile: paths[2], atomically: true, encoding: .utf8)
    let cut = try kittson(["fuzz", "--report"] + paths)
    #expect(cut.status == 1)
    #expect(cut.output == """
      seed 9: different: kittson fuzz --seed 9
      shard 3/3: 2 of 6 cases; --resume goes on with it
      16 of 20 cases in 3 of 3 shards, 1 failed

      """)
  }

  /// The job array of Documentation/campaigns on a Slurm of one node, and the report of what it leaves.
  @Test func slurmJobArray() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("kittson-slurm-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let node = packageFolder.appendingPathComponent("Documentation/tools/slurm-one-node")
    let job = packageFolder.appendingPathComponent("Documentation/campaigns/slurm.sbatch")
    let words = ["env", "KITTSON=\(program.path)", "COUNT=61", "SEED=100", "OPTIONS=--length 16"]
    let result = try execute(node, words + ["sbatch", "--wait", "--array=1-3", job.path], in: folder)
    if result.status == 77 {
      print("skipped: slurmJobArray: \(result.errors)(Debian: munge, slurmctld, slurmd, slurm-client)")
      return
    }
    #expect(result.status == 0, "\(result.errors)")
    let logs = (1...3).map { folder.appendingPathComponent("fuzz.\($0).jsonl").path }
    let report = try kittson(["fuzz", "--report"] + logs)
    #expect(report.status == 0 && report.output == "61 of 61 cases in 3 of 3 shards, 0 failed\n", "\(report)")
  }

  @Test func notALog() throws {
    let result = try kittson("fuzz", "--report", packageFolder.appendingPathComponent("README.md").path)
    #expect(result.status == 126 && result.errors.contains("no campaign's lines"))
  }

  @Test func coverageIsAFile() throws {
    let file = try TemporaryFile(Data())
    let result = try kittson("fuzz", "--seed", "1", "--count", "30", "--coverage", file.path)
    #expect(result.status == 0, "\(result.output)")
    let text = try String(contentsOfFile: file.path, encoding: .utf8)
    #expect(text.hasPrefix("# Coverage of a campaign"))
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
