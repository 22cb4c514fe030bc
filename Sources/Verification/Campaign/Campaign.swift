// A campaign: a range of seeds, cut into shards and pieces, each piece run by a process of its own, so that a case which
// ends its process is a failure of that seed and not the end of the campaign.
//
// A shard's result is a function of the commit, the seeds and the settings: pieces are handed out in order, and no case
// sees another one's state. What a process finds goes through memory it shares with the parent.
import CSupport
import Glibc
import Machine
import Platforms

/// Which seeds a campaign has.
package struct SeedRange: Sendable, Equatable {
  package var first: UInt64
  package var count: UInt64
  /// Shard `index` (from 1) of `shards`: every so manieth seed.
  package var index: UInt64 = 1
  package var shards: UInt64 = 1

  package init(first: UInt64, count: UInt64) {
    self.first = first
    self.count = count
  }

  /// How many seeds the shard has.
  package var size: UInt64 { count < index ? 0 : (count - index) / shards + 1 }
  package func seed(_ position: UInt64) -> UInt64 { first &+ (index - 1) &+ position &* shards }
}

/// A case that failed.
package struct FuzzFailure: Sendable {
  package var seed: UInt64
  /// The record as programs read it.
  package var json: JSON
}

package struct CampaignCounts: Sendable, Equatable {
  package var cases: UInt64 = 0
  package var failures: UInt64 = 0
  /// Slots that the reference has issued.
  package var slots: UInt64 = 0
  /// Rows of the instruction table that were executed with their predicate on, where coverage is measured.
  package var rows: Int?
}

package enum CampaignError: Error, CustomStringConvertible {
  case noMemory
  case noProcess(Int32)

  package var description: String {
    switch self {
    case .noMemory: "no memory to share with the campaign's processes: free some memory"
    case .noProcess(let code): "can't start a process: \(String(cString: strerror(code))): use fewer --jobs"
    }
  }
}

package struct Campaign {
  package var seeds: SeedRange
  package var settings = FuzzSettings()
  package var jobs = 1
  /// Cases of the shard that have been done before.
  package var done: UInt64 = 0
  /// A case that takes so many seconds hangs.
  package var patience = 30.0
  package var shrinks = true
  /// Whether rows, predicates, NaT sources and faults are counted, at a cost.
  package var measuresCoverage = false
  package var makePair: () throws -> DifferentialPair = { try DifferentialPair() }
  /// Called in the order in which failures arrive.
  package var onFailure: (FuzzFailure) -> Void = { _ in }
  /// All cases of the shard below `position` are done.
  package var onProgress: (_ counts: CampaignCounts, _ position: UInt64) -> Void = { _, _ in }

  package init(_ seeds: SeedRange) { self.seeds = seeds }

  /// Cases that a process does before it ends.
  static let pieceSize: UInt64 = 2000
  /// Failures that a process shrinks and describes at length; of more it sends the seed.
  static let describedFailures = 4

  /// Runs the rest of the shard.
  package func run() throws(CampaignError) -> (counts: CampaignCounts, coverage: Coverage) {
    var scheduler = CampaignScheduler(self)
    try scheduler.run()
    return (scheduler.counts, scheduler.coverage)
  }

  // MARK: In the process of a piece

  /// Runs the cases of a piece; what comes of it goes to `area`.
  func runPiece(_ piece: Range<UInt64>, _ area: SharedArea) throws {
    let pair = measuresCoverage
      ? try DifferentialPair(
        reference: { CoverageEngine($0, counters: area.coverage) }, subject: DifferentialPair.translator)
      : try makePair()
    try pair.setALAT(real: settings.hasALAT)
    let counting = pair.engines.0 as? CoverageEngine
    var described = 0
    for position in piece {
      area.begin(position)
      counting?.beginCase()
      let seed = seeds.seed(position)
      let fuzzCase = FuzzCase(seed: seed, settings)
      let differences = pair.run(fuzzCase.program, slots: fuzzCase.slots, fuzzCase.options)
      if !differences.isEmpty {
        described += 1
        area.send(try describe(fuzzCase, differences, short: described > Self.describedFailures))
      }
      area.end(slots: pair.machines.0.cpus[0].slots)
    }
  }

  /// A failure on machines that have run nothing before, made small.
  private func describe(_ fuzzCase: FuzzCase, _ differences: [StateDifference], short: Bool) throws -> JSON {
    var members: [(String, JSON)] = [
      ("type", "failure"), ("seed", .unsigned(fuzzCase.seed)), ("kind", "different"),
      ("mix", .string(fuzzCase.program.mix.text)), ("options", .string(fuzzCase.options.text)),
      ("slots", .integer(fuzzCase.slots)), ("fields", .array(differences.prefix(16).map { .string($0.name) })),
    ]
    if short { return .object(members) }
    let pair = try makePair()
    try pair.setALAT(real: settings.hasALAT)
    let alone = !pair.run(fuzzCase.program, slots: fuzzCase.slots, fuzzCase.options).isEmpty
    members.append(("alone", .bool(alone)))
    var small = fuzzCase
    if alone && shrinks {
      var shrinker = Shrinker(pair)
      small = shrinker.shrink(fuzzCase)
    }
    members.append(("bundles", .integer(Int64(small.program.workingBundles))))
    members.append(("report", .string(pair.describe(small.program, slots: small.slots, small.options))))
    if alone, let file = FailCase(small, on: pair.machines.0).reduced(on: pair) { members.append(("case", file.json)) }
    return .object(members)
  }
}

extension JSON {
  /// A member of an object.
  package subscript(name: String) -> JSON? { members?.first { $0.0 == name }?.1 }
  package var unsignedValue: UInt64? {
    switch self {
    case .integer(let value): UInt64(exactly: value)
    case .unsigned(let value): value
    default: nil
    }
  }
  package var stringValue: String? { if case .string(let text) = self { text } else { nil } }
}

/// Hands out pieces and takes in what comes of them.
private struct CampaignScheduler {
  let campaign: Campaign
  var counts = CampaignCounts()
  var coverage = Coverage()
  private var next: UInt64
  private var workers: [Worker] = []
  /// Pieces that a process left undone, as it ended.
  private var leftOver: [Range<UInt64>] = []
  private var finished: [Range<UInt64>] = []
  private var position: UInt64

  private struct Worker {
    var process: pid_t
    var piece: Range<UInt64>
    var area: SharedArea
    var seen: UInt64 = 0
    var seenAt: Double
  }

  init(_ campaign: Campaign) {
    self.campaign = campaign
    next = campaign.done
    position = campaign.done
  }

  mutating func run() throws(CampaignError) {
    var idle: [SharedArea] = []
    for _ in 0..<campaign.jobs {
      guard let area = SharedArea() else { throw .noMemory }
      idle.append(area)
    }
    defer {
      for worker in workers { kill(worker.process, SIGKILL) }
    }
    while true {
      while let area = idle.last, let piece = takePiece() {
        idle.removeLast()
        workers.append(try start(piece, area))
      }
      if workers.isEmpty { return }
      usleep(3000)
      for index in workers.indices.reversed() {
        var worker = workers[index]
        let ended = hasEnded(&worker)
        workers[index] = worker
        if ended { idle.append(workers.remove(at: index).area) }
      }
      campaign.onProgress(present, position)
    }
  }

  /// What is done, pieces in progress included.
  private var present: CampaignCounts {
    var sum = counts
    if campaign.measuresCoverage {
      var measured = coverage
      for worker in workers { measured.add(worker.area.coverage) }
      sum.rows = measured.executedRows
    }
    for worker in workers {
      sum.cases += worker.area.cases
      sum.slots += worker.area.slots
    }
    return sum
  }

  private mutating func takePiece() -> Range<UInt64>? {
    if let piece = leftOver.popLast() { return piece }
    guard next < campaign.seeds.size else { return nil }
    // Small campaigns are spread over all jobs.
    let share = max(1, (campaign.seeds.size - campaign.done) / UInt64(campaign.jobs))
    let piece = next..<min(campaign.seeds.size, next + min(Campaign.pieceSize, share))
    next = piece.upperBound
    return piece
  }

  private func start(_ piece: Range<UInt64>, _ area: SharedArea) throws(CampaignError) -> Worker {
    area.clear()
    fflush(nil)
    let child = kt_fork()
    if child < 0 { throw .noProcess(errno) }
    if child == 0 {
      do { try campaign.runPiece(piece, area) } catch { _exit(125) }
      _exit(0)
    }
    return Worker(process: child, piece: piece, area: area, seenAt: hostSeconds())
  }

  private mutating func hasEnded(_ worker: inout Worker) -> Bool {
    var status: Int32 = 0
    let hangs = isHanging(&worker)
    if hangs {
      kill(worker.process, SIGKILL)
      while waitpid(worker.process, &status, 0) < 0 && errno == EINTR {}
    } else if kt_child_ended(worker.process, &status) == 0 {
      return false
    }
    collect(worker)
    if status != 0 { blame(worker, status, hangs: hangs) } else { complete(worker.piece) }
    return true
  }

  private func isHanging(_ worker: inout Worker) -> Bool {
    if worker.area.position != worker.seen {
      worker.seen = worker.area.position
      worker.seenAt = hostSeconds()
    }
    return hostSeconds() - worker.seenAt > campaign.patience
  }

  private mutating func collect(_ worker: Worker) {
    counts.cases += worker.area.cases
    counts.slots += worker.area.slots
    if campaign.measuresCoverage { coverage.add(worker.area.coverage) }
    for record in worker.area.records { fail(record) }
  }

  private mutating func fail(_ record: JSON) {
    counts.failures += 1
    campaign.onFailure(FuzzFailure(seed: record["seed"]?.unsignedValue ?? 0, json: record))
  }

  /// The case at which a process ended by itself; the piece goes on behind it.
  private mutating func blame(_ worker: Worker, _ status: Int32, hangs: Bool) {
    let place = max(worker.piece.lowerBound, worker.area.position)
    let signal = status & 0x7f
    let kind: String = hangs ? "hung" : signal != 0 ? "crashed" : "failed"
    let seed = campaign.seeds.seed(place)
    let fuzzCase = FuzzCase(seed: seed, campaign.settings)
    counts.cases += 1
    var members: [(String, JSON)] = [
      ("type", "failure"), ("seed", .unsigned(seed)), ("kind", .string(kind)),
      ("mix", .string(fuzzCase.program.mix.text)), ("options", .string(fuzzCase.options.text)),
      ("slots", .integer(fuzzCase.slots)), ("signal", .integer(Int64(hangs ? 0 : signal))),
      ("report", .string(fuzzCase.program.listing)),
    ]
    if let machine = try? Machine(ramSize: RandomProgram.memorySize),
      (try? machine.setALAT(real: campaign.settings.hasALAT)) != nil {
      members.append(("case", FailCase(fuzzCase, on: machine).json))
    }
    fail(.object(members))
    complete(worker.piece.lowerBound..<place + 1)
    if place + 1 < worker.piece.upperBound { leftOver.append(place + 1..<worker.piece.upperBound) }
  }

  /// Moves `position` up to the first case that is not done.
  private mutating func complete(_ piece: Range<UInt64>) {
    finished.append(piece)
    while let index = finished.firstIndex(where: { $0.lowerBound <= position && $0.upperBound > position }) {
      position = finished.remove(at: index).upperBound
    }
    finished.removeAll { $0.upperBound <= position }
  }
}
