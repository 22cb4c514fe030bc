// A campaign's lines (-D) read back: to go on with it, and to put the shards of one together.
import Machine

/// What a log file cannot be used for, in a line.
package struct CampaignLogError: Error, CustomStringConvertible {
  package let description: String
}

/// The lines of one shard.
package struct CampaignLog {
  package let seeds: SeedRange
  /// What chose the cases beside the seeds, as words of the command line.
  package let options: String
  /// Cases done, from the shard's first on.
  package private(set) var done: UInt64 = 0
  /// Lines of failed cases by seed. Those behind `done` are found again by whoever goes on.
  package private(set) var failures: [UInt64: JSON] = [:]

  /// Reads JSON lines; the last may be cut off, by a process that was killed while it wrote.
  package init(_ bytes: [UInt8]) throws(CampaignLogError) {
    let lines = bytes.split(separator: UInt8(ascii: "\n")).map { try? JSON(parsing: Array($0)) }
    guard case let header?? = lines.first, header["type"] == "campaign", let seeds = SeedRange(header),
      let options = header["options"]?.stringValue
    else { throw CampaignLogError(description: "no campaign's lines: give files that -D wrote") }
    self.seeds = seeds
    self.options = options
    for case let line? in lines.dropFirst() {
      switch line["type"]?.stringValue {
      case "progress": done = line["done"]?.unsignedValue ?? done
      case "failure": if let seed = line["seed"]?.unsignedValue { failures[seed] = line }
      default: break
      }
    }
    guard done <= seeds.size else { throw CampaignLogError(description: "more cases done than the shard has") }
  }

  /// The line that a log begins with.
  package static func header(_ seeds: SeedRange, options: String) -> JSON {
    .object([
      ("type", "campaign"), ("seed", .unsigned(seeds.first)), ("count", .unsigned(seeds.count)),
      ("shard", .string("\(seeds.index)/\(seeds.shards)")), ("options", .string(options)),
    ])
  }

  /// Failures among the cases done.
  package var settledFailures: UInt64 {
    UInt64(failures.keys.count { seed in (seed &- seeds.seed(0)) / seeds.shards < done })
  }
}

extension SeedRange {
  fileprivate init?(_ header: JSON) {
    let shard = (header["shard"]?.stringValue ?? "").split(separator: "/").map { UInt64($0) }
    guard let first = header["seed"]?.unsignedValue, let count = header["count"]?.unsignedValue,
      shard.count == 2, let index = shard[0], let shards = shard[1], index >= 1, index <= shards
    else { return nil }
    self.init(first: first, count: count)
    self.index = index
    self.shards = shards
  }
}

/// The shards of one campaign together.
package struct CampaignReport {
  package let logs: [CampaignLog]

  /// - Throws: where the files belong to different campaigns, or a shard is there twice.
  package init(_ files: [(name: String, log: CampaignLog)]) throws(CampaignLogError) {
    var seen: [UInt64: String] = [:]
    for (name, log) in files {
      let (first, seeds) = (files[0].log, log.seeds)
      guard log.options == first.options, seeds.first == first.seeds.first, seeds.count == first.seeds.count,
        seeds.shards == first.seeds.shards
      else { throw CampaignLogError(description: "\(name): of another campaign than \(files[0].name)") }
      if let other = seen.updateValue(name, forKey: seeds.index) {
        throw CampaignLogError(description: "\(name): the same shard as \(other)")
      }
    }
    logs = files.map(\.log).sorted { $0.seeds.index < $1.seeds.index }
  }

  /// Cases done, and of the whole campaign.
  package var done: UInt64 { logs.reduce(0) { $0 + $1.done } }
  package var count: UInt64 { logs.first?.seeds.count ?? 0 }
  package var shards: UInt64 { logs.first?.seeds.shards ?? 0 }
  package var options: String { logs.first?.options ?? "" }
  package var isComplete: Bool { done == count }

  /// Lines of failed cases, by seed.
  package var failures: [(seed: UInt64, line: JSON)] {
    logs.flatMap { $0.failures.map { (seed: $0.key, line: $0.value) } }.sorted { $0.seed < $1.seed }
  }

  /// Numbers of the shards that have no file.
  package var missing: [UInt64] {
    let present = Set(logs.map(\.seeds.index))
    return (1...max(1, shards)).filter { !present.contains($0) }
  }

  /// Shards whose file ends before their last case.
  package var unfinished: [CampaignLog] { logs.filter { $0.done < $0.seeds.size } }
}
