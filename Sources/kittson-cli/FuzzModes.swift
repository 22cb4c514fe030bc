// kittson fuzz with files of cases, and with bugs planted on purpose.
import ArgumentParser
import Glibc
import Machine
import Platforms
import Verification

extension FuzzCommand {
  // MARK: --replay

  /// Runs each file's case; a line each.
  func replayFiles() throws {
    let pair = try makePair()
    var failures = 0
    for path in replay {
      let bytes = try readWhole(path)
      let fileCase: FailCase
      do throws(VectorError) { fileCase = try FailCase(reading: bytes) } catch {
        throw Failure("\(path): \(error): give files that --keep wrote", status: ExitStatus.cannotRun)
      }
      let differing = fileCase.replay(on: pair).filter { !$0.differences.isEmpty }
      if !differing.isEmpty { failures += 1 }
      writeLine(json ? line(path, differing).text() : text(path, fileCase, pair, differing))
      }
    if failures > 0 { throw ExitCode(ExitStatus.different) }
  }

  private typealias Replayed = (options: SubjectOptions, differences: [StateDifference])

  private func text(_ path: String, _ fileCase: FailCase, _ pair: DifferentialPair, _ differing: [Replayed]) -> String {
    guard let first = differing.first else { return "\(path): equal" }
    return "\(path): different, \(first.options.text)\n" + fileCase.describe(on: pair, first.options)
  }

  private func line(_ path: String, _ differing: [Replayed]) -> JSON {
    .object([
      ("type", "replay"), ("file", .string(path)), ("equal", .bool(differing.isEmpty)),
      ("differences", .array(differing.map { found in
        .object([
          ("options", .string(found.options.text)),
          ("fields", .array(found.differences.prefix(16).map { .string($0.name) })),
        ])
      })),
    ])
  }

  private func makePair() throws -> DifferentialPair {
    do { return try DifferentialPair() } catch { throw Failure("fuzz: \(error)", status: ExitStatus.internalError) }
  }

  // MARK: --planted

  /// Searches for each bug in the cases of the seeds: a table of how soon it is found.
  func searchPlanted(_ names: String) throws {
    let bugs = try bugs(names), seeds = try seeds(), settings = try settings()
    var bar = ProgressBar("fuzz --planted")
    var missed = 0
    if !json { writeLine("| bug | what is wrong | cases | seconds | bundles left | fields |\n|---|---|---|---|---|---|") }
    for (index, bug) in bugs.enumerated() {
      bar.show(Double(index) / Double(bugs.count), bug.name)
      let started = hostSeconds()
      let finding = try bug.search(seeds, settings)
      bar.clear()
      if finding.cases == nil { missed += 1 }
      writeLine(json ? line(finding, hostSeconds() - started).text() : row(finding, hostSeconds() - started))
      }
    if !json { writeLine("\n\(bugs.count - missed) of \(bugs.count) bugs found in at most \(seeds.size) cases each") }
    if missed > 0 { throw ExitCode(ExitStatus.different) }
  }

  private func bugs(_ names: String) throws -> [PlantedBug] {
    if names == "all" { return PlantedBug.all }
    return try names.split(separator: ",").map { name in
      guard let bug = PlantedBug.all.first(where: { $0.name == name }) else {
        let known = PlantedBug.all.map(\.name).joined(separator: ", ")
        throw Failure("no bug is called '\(name)': use all, or some of \(known)", status: ExitStatus.usage)
      }
      return bug
    }
  }

  private func row(_ finding: PlantedFinding, _ seconds: Double) -> String {
    let cases = finding.cases.map { "\($0)" } ?? "not found"
    return "| \(finding.name) | \(finding.meaning) | \(cases) | \(fixed(seconds, 1)) | \(finding.bundles) | "
      + finding.fields.joined(separator: ", ") + " |"
  }

  private func line(_ finding: PlantedFinding, _ seconds: Double) -> JSON {
    .object([
      ("type", "planted"), ("name", .string(finding.name)), ("meaning", .string(finding.meaning)),
      ("cases", finding.cases.map { .unsigned($0) } ?? .null), ("seconds", .number((seconds * 10).rounded() / 10)),
      ("bundles", .integer(Int64(finding.bundles))), ("fields", .array(finding.fields.map { .string($0) })),
    ])
  }
}
