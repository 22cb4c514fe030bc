// What every operation costs in every dispatch state: pvkernel's own measured loops, on one engine and dispatch after the
// other, interleaved, so that a noisy host disturbs all of them alike.
import CSupport
import Paravirt
import Platforms

/// The measurements of `kittson bench`: run settings in turn, then read the outcomes.
public struct OperationBenchmark: Sendable {
  /// One way to run the guest.
  public struct Setting: Hashable, Sendable {
    /// Who executes.
    public var engine: EngineKind
    /// How call sites are dispatched (the translator).
    public var dispatch: Dispatch
    /// The name of its column: interpreter, emulated …
    public var name: String { engine == .interpreter ? "interpreter" : dispatch.description }

    /// Any engine and dispatch.
    public init(engine: EngineKind, dispatch: Dispatch) {
      self.engine = engine
      self.dispatch = dispatch
    }
  }

  /// The interpreter, then the translator in each dispatch state.
  public static let settings: [Setting] =
    [Setting(engine: .interpreter, dispatch: .direct)] + Dispatch.allCases.map { Setting(engine: .translator, dispatch: $0) }

  /// What the runs of one setting gave.
  public struct Outcome: Sendable {
    /// What the guest reported, a run each.
    public var reports: [GuestReport] = []
    /// How the runs ended.
    public var ends: [RunEnd] = []
    /// Sites of each kind of record: announced by the image, and what became of them in the last run.
    public var sites: [SiteCount] = []

    /// Whether every run ended in good order with all of the guest's checks passed.
    public var isGood: Bool {
      ends.allSatisfy { $0 == .exited(0) } && reports.allSatisfy { $0.failed == 0 && ($0.checks ?? 0) > 0 }
    }

    /// Host nanoseconds of one pass, the loop included, in the least disturbed run: whatever else a host does only adds.
    public func wholeNanoseconds(_ name: String) -> Double? {
      reports.compactMap { $0.measurements[name]?.ticksPerCall }.min().map { $0 * nanosecondsPerTick }
    }

    /// Cost of one call in host nanoseconds, less the empty loop.
    public func nanoseconds(_ name: String) -> Double? {
      guard let pass = wholeNanoseconds(name), let empty = wholeNanoseconds("empty-loop") else { return nil }
      return pass - empty
    }
  }

  /// By setting; empty until `run`.
  public var outcomes: [Setting: Outcome] = [:]

  /// Nothing measured yet.
  public init() {}

  /// Boots the embedded kernel once in `setting` and adds what it reports.
  /// - Parameters:
  ///   - calls: passes of each measured loop (the interpreter gets a tenth).
  ///   - rounds: of the processor-bound programs.
  ///   - only: names of the loops and programs to measure; all where there are none.
  public mutating func run(
    _ setting: Setting, calls: UInt64, rounds: UInt64, only: [String] = []
  ) throws(SessionError) {
    var configuration = Configuration()
    configuration.engine = setting.engine
    configuration.dispatch = setting.dispatch
    let passes = setting.engine == .interpreter ? max(1, calls / 10) : calls
    configuration.commandLine = "quiet bench=\(passes) cpu=\(rounds)" + only.map { " only=\($0)" }.joined()
    let console = ConsoleCollector()
    let session = try BootSession(
      image: EmbeddedGuests.pvkernel, configuration: configuration, output: { console.append($0) })
    let end = session.run()
    outcomes[setting, default: Outcome()].ends.append(end)
    outcomes[setting, default: Outcome()].reports.append(GuestReport(console: console.text))
    outcomes[setting, default: Outcome()].sites = session.siteCounts()
  }

  /// Duration of the operation's loop, all of it, with its sites inlined, as a multiple of that of its twin without call
  /// sites. Nil where there is no twin or nothing was measured.
  public func ratioToNative(_ name: String) -> Double? {
    let inlined = outcomes[Setting(engine: .translator, dispatch: .inlined)]
    guard let site = inlined?.wholeNanoseconds(name), let native = inlined?.wholeNanoseconds("native:" + name) else { return nil }
    return site / native
  }

  /// Names of the measured loops, in the guest's order.
  public var names: [String] { outcomes.values.first?.reports.first?.names ?? [] }

  /// Names of all loops and programs that the embedded kernel can measure, in its order.
  public static func allNames() throws(SessionError) -> [String] {
    var benchmark = OperationBenchmark()
    try benchmark.run(Setting(engine: .translator, dispatch: .inlined), calls: 1, rounds: 1)
    return benchmark.names
  }
}

/// Nanoseconds of one ar.itc tick under the host clock.
public var nanosecondsPerTick: Double { 1e9 / Double(hostTickFrequency) }

/// Keeps console output as text.
public final class ConsoleCollector {
  private var bytes: [UInt8] = []
  /// No text yet.
  public init() {}
  /// Takes more output.
  public func append(_ more: UnsafeRawBufferPointer) { bytes += more }
  /// All output so far, as UTF-8.
  public var text: String { String(decoding: bytes, as: UTF8.self) }
}

/// What a host loop pays for the same calls that a site makes: nanoseconds a call less the empty loop.
public struct HostCallCost: Sendable {
  private var emptyPass: Double, closurePass: Double, directPass: Double
  /// Through the libffi closure.
  public var closure: Double { closurePass - emptyPass }
  /// Straight to the C function.
  public var direct: Double { directPass - emptyPass }

  /// Of two measurements the less disturbed passes.
  public func least(_ other: HostCallCost) -> HostCallCost {
    HostCallCost(
      emptyPass: min(emptyPass, other.emptyPass), closurePass: min(closurePass, other.closurePass),
      directPass: min(directPass, other.directPass))
  }

  /// Measures the callables that `operation` is bound to, called with `argument` on a processor of its own.
  public static func measure(_ operation: Operation, argument: UInt64, calls: UInt64) throws(SessionError) -> HostCallCost {
    let session = try BootSession(image: EmbeddedGuests.pvkernel, output: { _ in })
    let slot = session.paravirt.slot(operation)
    let cpu = session.machine.cpus[0]
    let scale = nanosecondsPerTick / Double(calls)
    return HostCallCost(
      emptyPass: Double(kt_bench_empty(calls)) * scale,
      closurePass: Double(kt_bench_call(slot.pointee.indirect!, cpu, argument, calls)) * scale,
      directPass: Double(kt_bench_call(slot.pointee.direct!, cpu, argument, calls)) * scale)
  }
}
