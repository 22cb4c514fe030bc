// kittson fuzz: random programs on both engines.
import ArgumentParser
import Glibc
import IA64
import Kittson
import Machine
import Platforms
import Translator
import Verification

struct FuzzCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fuzz",
    abstract: "Runs random programs on interpreter and translator and reports every difference.",
    discussion: """
      Each seed gives a whole guest program with its state: groups, loops, calls, rotation, faults with handlers, virtual \
      addressing, code that changes. Both engines run it for the same number of slots, and all state is compared. A \
      difference is made small and printed with the command that shows it again. The campaign goes on to its end.

      Every case runs in one of J processes: one that crashes or hangs is a failure of its seed. The result of a shard \
      depends on commit, seeds and options alone, so that shards may run anywhere:

        kittson fuzz --seed 1 --count 1000000 --jobs 8 -D log.json
        kittson fuzz --seed 1 --count 1000000 --shard 3/64 -D log.3.json
      Going on with what is left:
        kittson fuzz --seed 1 --count 1000000 -D log.json --resume
      One case again:
        kittson fuzz --seed 8731 --count 1
      A file for each failing case, and such a case again, whatever became of the generator:
        kittson fuzz --seed 1 --count 1000000 --keep failed
        kittson fuzz --replay failed/8731.json
      What came of all shards:
        kittson fuzz --report log.*.json
      How often each row was executed, with what predicate, NaTs and faults, in all shards together:
        kittson fuzz --seed 1 --count 1000000 --shard 3/64 -D log.3.json --coverage rows.3.json
        kittson fuzz --matrix rows.*.json
      How soon bugs planted on purpose are found:
        kittson fuzz --planted all --count 20000

      Exit status: 0 no difference, 1 some case failed; with --planted: 0 all found, 1 some not found; \
      with --report: 0 all cases done and equal, 1 not; with --matrix: 0 enough everywhere, 1 not.
      """)

  @Option(help: ArgumentHelp("The first case's seed.", valueName: "S"))
  var seed: UInt64 = 1

  @Option(help: ArgumentHelp("Cases, with the seeds S, S + 1, …", valueName: "N"))
  var count: UInt64 = 1000

  @Option(help: ArgumentHelp("Processes at a time.", valueName: "J"))
  var jobs = 1

  @Option(help: ArgumentHelp("Only every Nth case, from the Ith on.", valueName: "I/N"))
  var shard: Shard?

  @Option(name: .customLong("disable"), help: ArgumentHelp("Leaves out an optimisation of the translator; may be repeated.", valueName: "OPTIMISATION"))
  var disabled: [String] = []

  @Option(help: "What advanced loads leave behind: nothing, or entries of a real ALAT.")
  var alat = ALATKind.empty

  @Option(help: ArgumentHelp("What programs are made of, separated by commas: \(FuzzCommand.mixNames).", valueName: "KINDS"))
  var mix: MixChoice?

  @Option(help: ArgumentHelp("Rows of the instruction table that all cases are about, separated by commas (as the files of --coverage name them).", valueName: "NAMES"))
  var rows: RowChoice?

  @Flag(help: "Every case has all of the mix and all optimisations; otherwise each draws its own part of them.")
  var uniform = false

  @Option(help: ArgumentHelp("Bundles of a program's main part at most.", valueName: "N"))
  var length = 32

  @Flag(help: "Report in JSON: a line for each failure, and one at the end.")
  var json = false

  @Option(name: .customShort("D"), help: ArgumentHelp("Writes the JSON lines to a file.", valueName: "FILE"))
  var log: String?

  @Flag(help: "Goes on with the campaign whose lines are in the file of -D.")
  var resume = false

  @Option(help: ArgumentHelp("Counts what was executed, row by row, and writes the matrix to a file (.json: the counts).", valueName: "FILE"))
  var coverage: String?

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Instead of running anything prints the matrix of the counts in files of --coverage.", valueName: "FILE"))
  var matrix: [String] = []

  @Option(help: ArgumentHelp("What each cell of the matrix must reach.", valueName: "N"))
  var least: UInt64 = 10000

  @Option(help: ArgumentHelp("Keeps each failing case as a file in a directory, for --replay.", valueName: "DIRECTORY"))
  var keep: String?

  @Option(parsing: .upToNextOption, help: ArgumentHelp("Runs the cases of files instead.", valueName: "FILE"))
  var replay: [String] = []

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Instead of running anything puts the files of a campaign's shards (-D) together.", valueName: "FILE"))
  var report: [String] = []

  @Option(help: ArgumentHelp("Instead of the translator tries the interpreter with a bug planted, one after the other: names separated by commas, or all.", valueName: "NAMES"))
  var planted: String?

  private static var mixNames: String { RandomProgram.Mix.names.map(\.name).joined(separator: ", ") }

  func run() throws {
    if !replay.isEmpty { return try replayFiles() }
    if !report.isEmpty { return try reportShards() }
    if !matrix.isEmpty { return try printMatrix() }
    if let planted { return try searchPlanted(planted) }
    var campaign = Campaign(try seeds())
    campaign.settings = try settings()
    guard jobs > 0 else { throw Failure("--jobs \(jobs): give a number from 1 on", status: ExitStatus.usage) }
    campaign.jobs = jobs
    campaign.measuresCoverage = coverage != nil
    let output = try FuzzOutput(self, campaign.seeds)
    campaign.done = output.done
    campaign.onFailure = output.report
    campaign.onProgress = output.show
    let result: (counts: CampaignCounts, coverage: Coverage)
    do throws(CampaignError) { result = try campaign.run() } catch {
      throw Failure("fuzz: \(error)", status: ExitStatus.internalError)
    }
    try writeCoverage(result.coverage)
    output.finish(result.counts)
    if output.failures > 0 { throw ExitCode(ExitStatus.different) }
  }

  func seeds() throws -> SeedRange {
    var seeds = SeedRange(first: seed, count: count)
    if let shard {
      seeds.index = shard.index
      seeds.shards = shard.count
    }
    return seeds
  }

  func settings() throws -> FuzzSettings {
    var settings = FuzzSettings()
    if let mix { settings.mix = mix.mix }
    settings.varies = !uniform
    if let rows { settings.rows = rows.rows }
    guard rows == nil || !uniform else { throw Failure("--rows and --uniform: give one of them", status: ExitStatus.usage) }
    settings.hasALAT = alat == .real
    guard length >= 4, length <= 200 else {
      throw Failure("--length \(length): give a number from 4 to 200", status: ExitStatus.usage)
    }
    settings.length = length
    for name in disabled {
      guard let option = TranslatorOptions(named: name) else {
        let known = TranslatorOptions.names.map(\.name).joined(separator: ", ")
        throw Failure("no optimisation is called '\(name)': use one of \(known)", status: ExitStatus.usage)
      }
      settings.disabled.insert(option)
    }
    return settings
  }

  private func writeCoverage(_ measured: Coverage) throws {
    guard let coverage else { return }
    let words = ["--seed", "\(seed)", "--count", "\(count)"] + choiceWords
    let text = coverage.hasSuffix(".json")
      ? measured.json.text(indented: true) + "\n"
      : measured.matrix(least: least, source: "`kittson fuzz \(words.joined(separator: " "))`")
    let file = try OutputFile(coverage, appends: false)
    file.write(text)
  }

  /// What chooses the cases beside the seeds, as words of the command line.
  var choiceWords: [String] {
    var words: [String] = []
    if let mix { words += ["--mix", mix.mix.text] }
    if let rows { words += ["--rows", rows.rows.map { "\($0)" }.joined(separator: ",")] }
    if uniform { words.append("--uniform") }
    if length != 32 { words += ["--length", "\(length)"] }
    if alat == .real { words += ["--alat", "real"] }
    for name in disabled { words += ["--disable", name] }
    return words
  }
}

/// `I/N`.
struct Shard: ExpressibleByArgument {
  let index: UInt64, count: UInt64

  init?(argument: String) {
    let parts = argument.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let index = UInt64(parts[0]), let count = UInt64(parts[1]), index >= 1, index <= count
    else { return nil }
    self.index = index
    self.count = count
  }
}

/// Names separated by commas.
struct MixChoice: ExpressibleByArgument {
  let mix: RandomProgram.Mix

  init?(argument: String) {
    var mix: RandomProgram.Mix = []
    for name in argument.split(separator: ",") {
      guard let part = RandomProgram.Mix(named: String(name)) else { return nil }
      mix.insert(part)
    }
    guard !mix.isEmpty else { return nil }
    self.mix = mix
  }
}

/// Names of rows separated by commas.
struct RowChoice: ExpressibleByArgument {
  let rows: [Opcode]

  init?(argument: String) {
    let names = Dictionary(uniqueKeysWithValues: instructionTable.map { ("\($0.opcode)", $0.opcode) })
    let rows = argument.split(separator: ",").map { names[String($0)] }
    guard !rows.isEmpty, !rows.contains(nil) else { return nil }
    self.rows = rows.compactMap { $0 }
  }
}

/// A file that text is written to as it comes.
final class OutputFile {
  private let descriptor: Int32

  init(_ path: String, appends: Bool) throws {
    descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (appends ? O_APPEND : O_TRUNC), 0o666)
    guard descriptor >= 0 else {
      throw Failure("\(path): \(String(cString: strerror(errno))): choose another file", status: ExitStatus.cannotRun)
    }
  }

  deinit { close(descriptor) }

  func write(_ text: String) { writeAll(descriptor, text) }
}

/// What a campaign says: lines for programs, text for people, a bar on a terminal.
private final class FuzzOutput {
  private let command: FuzzCommand
  private let seeds: SeedRange
  private var file: OutputFile?
  private var bar = ProgressBar("fuzz")
  private let started = hostSeconds()
  private var checkpoint = hostSeconds()
  /// Cases done before this run, and failures in all.
  private(set) var done: UInt64 = 0
  private(set) var failures: UInt64 = 0

  init(_ command: FuzzCommand, _ seeds: SeedRange) throws {
    self.command = command
    self.seeds = seeds
    if command.resume {
      guard let log = command.log else {
        throw Failure("--resume: name the campaign's file with -D", status: ExitStatus.usage)
      }
      try resume(log)
    }
    file = try command.log.map { try OutputFile($0, appends: command.resume) }
    if !command.resume { file?.write(header.text() + "\n") }
    if let directory = command.keep, mkdir(directory, 0o777) != 0, errno != EEXIST {
      throw Failure("\(directory): \(String(cString: strerror(errno))): choose another directory", status: ExitStatus.cannotRun)
    }
  }

  /// What the lines belong to.
  private var header: JSON { CampaignLog.header(seeds, options: command.choiceWords.joined(separator: " ")) }

  /// Takes up the last place and the failures of a file. Failures behind that place will be found again.
  private func resume(_ path: String) throws {
    let log = try CampaignLog(file: path)
    guard CampaignLog.header(log.seeds, options: log.options) == header else {
      throw Failure("\(path): holds another campaign: give the same seeds and options", status: ExitStatus.usage)
    }
    done = log.done
    failures = log.settledFailures
  }

  func report(_ failure: FuzzFailure) {
    failures += 1
    bar.clear()
    let words = ["kittson", "fuzz", "--seed", "\(failure.seed)", "--count", "1"] + command.choiceWords
    let reproduce = words.joined(separator: " ")
    guard case .object(var members) = failure.json else { return }
    members.removeAll { $0.0 == "case" }
    members.append(("reproduce", .string(reproduce)))
    let line = JSON.object(members).text() + "\n"
    file?.write(line)
    if command.json {
      writeLine(line, terminator: "")
    } else {
      writeLine("seed \(failure.seed): \(failure.json["kind"]?.stringValue ?? ""), \(failure.json["options"]?.stringValue ?? "")")
      if let report = failure.json["report"]?.stringValue { writeLine(report, terminator: "") }
      writeLine("reproduce: \(reproduce)\n")
    }
    if let directory = command.keep, let file = try? OutputFile("\(directory)/\(failure.seed).json", appends: false) {
      file.write((failure.json["case"] ?? .object(members)).text(indented: true) + "\n")
    }
  }

  func show(_ counts: CampaignCounts, _ position: UInt64) {
    let now = hostSeconds()
    if now - checkpoint > 5 {
      checkpoint = now
      file?.write(JSON.object([("type", "progress"), ("done", .unsigned(position))]).text() + "\n")
    }
    let cases = done + counts.cases
    let rate = Double(counts.cases) / max(1e-3, now - started)
    let rows = counts.rows.map { ", \($0) of \(Opcode.rowCount) rows" } ?? ""
    bar.show(
      Double(cases) / Double(max(1, seeds.size)),
      "\(cases) cases, \(fixed(rate, 0)) a second, \(counts.slots) slots\(rows), \(failures) failures")
  }

  func finish(_ counts: CampaignCounts) {
    bar.clear()
    let seconds = hostSeconds() - started
    let summary = JSON.object([
      ("type", "summary"), ("cases", .unsigned(done + counts.cases)), ("slots", .unsigned(counts.slots)),
      ("failures", .unsigned(failures)), ("seconds", .number((seconds * 10).rounded() / 10)),
    ])
    file?.write(JSON.object([("type", "progress"), ("done", .unsigned(seeds.size))]).text() + "\n" + summary.text() + "\n")
    if command.json {
      writeLine(summary.text())
    } else {
      let rate = fixed(Double(counts.cases) / max(1e-3, seconds), 0)
      writeLine("\(done + counts.cases) cases, \(failures) failed; \(rate) cases a second, \(counts.slots) slots compared")
    }
  }
}
