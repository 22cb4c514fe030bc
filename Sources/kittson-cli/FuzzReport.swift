// kittson fuzz --report and --matrix: what came of a campaign whose shards ran in many places.
import ArgumentParser
import Glibc
import Machine
import Verification

extension CampaignLog {
  /// Reads a file that -D wrote.
  init(file path: String) throws {
    let bytes = try readWhole(path)
    do throws(CampaignLogError) { try self.init(bytes) } catch {
      throw Failure("\(path): \(error)", status: ExitStatus.cannotRun)
    }
  }
}

extension FuzzCommand {
  /// Puts the files of shards together: what is done, what is missing, what failed.
  func reportShards() throws {
    let files = try report.map { (name: $0, log: try CampaignLog(file: $0)) }
    let whole: CampaignReport
    do throws(CampaignLogError) { whole = try CampaignReport(files) } catch {
      throw Failure("\(error)", status: ExitStatus.usage)
    }
    if json { writeLine(whole.json.text(indented: true)) } else { writeLine(whole.text, terminator: "") }
    if !whole.isComplete || !whole.failures.isEmpty { throw ExitCode(ExitStatus.different) }
  }

  /// Adds up what shards have counted.
  func printMatrix() throws {
    var sum = Coverage()
    for path in matrix {
      guard let document = try? JSON(parsing: try readWhole(path)), let counts = Coverage(document) else {
        throw Failure("\(path): no counts of a campaign: give files that --coverage FILE.json wrote", status: ExitStatus.cannotRun)
      }
      sum.add(counts)
    }
    if json {
      writeLine(sum.json.text(indented: true))
    } else {
      let files = matrix.count == 1 ? "one file" : "\(matrix.count) files"
      writeLine(sum.matrix(least: least, source: "The counts of \(files)."), terminator: "")
    }
    if !sum.shortfalls(least: least).isEmpty { throw ExitCode(ExitStatus.different) }
  }
}

extension CampaignReport {
  fileprivate var text: String {
    var text = ""
    for (seed, line) in failures {
      text += "seed \(seed): \(line["kind"]?.stringValue ?? ""): \(line["reproduce"]?.stringValue ?? "")\n"
    }
    for log in unfinished {
      text += "shard \(log.seeds.index)/\(shards): \(log.done) of \(log.seeds.size) cases; --resume goes on with it\n"
    }
    if !missing.isEmpty { text += "no file of shards \(missing.map(String.init).joined(separator: ", "))\n" }
    return text + "\(done) of \(count) cases in \(logs.count) of \(shards) shards, \(failures.count) failed\n"
  }

  fileprivate var json: JSON {
    .object([
      ("cases", .unsigned(count)), ("done", .unsigned(done)), ("shards", .unsigned(shards)),
      ("options", .string(options)), ("failed", .unsigned(UInt64(failures.count))),
      ("missing", .array(missing.map { .unsigned($0) })),
      ("unfinished", .array(unfinished.map { .unsigned($0.seeds.index) })),
      ("failures", .array(failures.map(\.line))),
    ])
  }
}
