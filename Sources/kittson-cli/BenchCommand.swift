// kittson bench: what every operation costs in each dispatch state.
import ArgumentParser
import Glibc
import Kittson
import Machine
import Paravirt

struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measures every operation in each dispatch state.",
    discussion: """
      Boots the embedded kernel with the interpreter and then with the translator in each dispatch state, several times \
      in turn, and prints what one call costs, less the empty loop, with its ratio to `inlined`. Of each loop's
      runs the fastest counts: whatever else the host does only adds.

      NAME selects loops by the guest's names (thash, getreg(psr), cpu-sieve …).
      """)

  /// Below so many passes a loop is over before a difference could be measured.
  private static let fewestCalls: UInt64 = 10_000

  @Option(help: "Passes of each measured loop, at least 10000.")
  var calls: UInt64 = 1_000_000

  @Option(help: "Runs of each setting; of each loop the fastest counts.")
  var runs = 5

  @Option(help: "Rounds of the processor-bound programs.")
  var rounds: UInt64 = 5

  @Flag(help: "Also shows the call sites found and patched, the guest's own checks, and the verdict of a lockstep run.")
  var summary = false

  @Flag(help: "Shows the host instructions at an inlined site of each operation beside the compiler's; measures nothing.")
  var listings = false

  @Flag(help: "Prints the figures as JSON.")
  var json = false

  @Argument(help: "Loops to measure; all of them where none is named.")
  var names: [String] = []

  func validate() throws {
    guard runs > 0 else { throw ValidationError("--runs must be at least 1") }
    guard calls >= Self.fewestCalls || listings else {
      throw ValidationError("--calls \(calls): too few calls to measure: give at least \(Self.fewestCalls)")
    }
  }

  func run() throws {
    try checkNames()
    if listings { return try printListings() }
    let (benchmark, host) = try measure()
    let shown = benchmark.names
    if json {
      printJSON(benchmark, shown, host)
    } else {
      if summary { printSites(benchmark) }
      printOperations(benchmark, shown)
      printHost(benchmark, host)
      printPrograms(benchmark, shown)
    }
    var good = benchmark.outcomes.values.allSatisfy(\.isGood)
    if summary { good = printChecks(benchmark) && printVerdict() && good }
    if !good { throw ExitCode(ExitStatus.different) }
  }

  // MARK: Measuring

  private typealias NamedCost = (name: String, cost: HostCallCost)

  /// Every setting in turn, and the host's own loop with them, as often as asked.
  private func measure() throws -> (OperationBenchmark, [NamedCost]) {
    var benchmark = OperationBenchmark()
    var costs: [String: HostCallCost] = [:]
    var progress = ProgressBar("measuring")
    defer { progress.clear() }
    let settings = OperationBenchmark.settings
    do throws(SessionError) {
      for run in 0..<runs {
        for (index, setting) in settings.enumerated() {
          progress.show(Double(run * settings.count + index) / Double(runs * settings.count), setting.name)
          try benchmark.run(setting, calls: calls, rounds: rounds, only: names)
        }
        for (name, operation, argument) in Self.hostCalls where names.isEmpty || names.contains(name) {
          let cost = try HostCallCost.measure(operation, argument: argument, calls: calls)
          costs[name] = costs[name]?.least(cost) ?? cost
        }
      }
    } catch {
      throw Failure("\(error)", status: ExitStatus.internalError)
    }
    return (benchmark, Self.hostCalls.compactMap { call in costs[call.name].map { (call.name, $0) } })
  }

  /// The calls that are also measured in a C loop, with the arguments of the kernel's loops.
  private static let hostCalls: [(name: String, operation: Paravirt.Operation, argument: UInt64)] = [
    ("get_rr", .getRR, 0x2000_0000_0012_3456), ("thash", .thash, 0x2000_0000_0012_3456), ("getreg(psr)", .getreg, 1019),
  ]

  private func checkNames() throws {
    guard !names.isEmpty else { return }
    let known: [String]
    do throws(SessionError) {
      known = try OperationBenchmark.allNames().filter { $0 != "empty-loop" && !$0.hasPrefix("native:") }
    } catch { throw Failure("\(error)", status: ExitStatus.internalError) }
    for name in names where !known.contains(name) {
      throw Failure("no loop is called '\(name)': use one of \(known.joined(separator: ", "))", status: ExitStatus.usage)
    }
  }

  // MARK: Listings

  private func printListings() throws {
    var configuration = Configuration()
    configuration.commandLine = "quiet bench=10 cpu=0"
    do throws(SessionError) {
      let session = try BootSession(image: EmbeddedGuests.pvkernel, configuration: configuration, output: { _ in })
      _ = session.run()
      var shown: Set<String> = []
      for listing in session.siteListings() where names.isEmpty || names.contains(listing.name) {
        if shown.insert(listing.name).inserted { printListing(listing) }
      }
    } catch { throw Failure("\(error)", status: ExitStatus.internalError) }
  }

  private func printListing(_ listing: SiteListing) {
    func count(_ value: Int?) -> String { value.map { "\($0) instructions" } ?? "-" }
    let host = hostText(listing.host, at: listing.hostAddress).map(\.text)
    let body = listing.body.map { hostText($0, at: listing.bodyAddress).map(\.text) } ?? []
    writeLine("\(listing.name) at \(hexadecimal(listing.address))" + (listing.isCall ? ", a call" : ""))
    writeLine(("  site: " + count(listing.hostCount)).padded(right: 62) + "compiler: " + count(listing.bodyCount))
    for row in 0..<max(host.count, body.count) {
      writeLine("  " + (row < host.count ? host[row] : "").padded(right: 60) + (row < body.count ? body[row] : ""))
    }
    writeLine("")
  }

  // MARK: Tables

  private func isOperation(_ name: String) -> Bool {
    name != "empty-loop" && !name.hasPrefix("native:") && !name.hasPrefix("cpu-")
  }

  private static let dispatches = Dispatch.allCases.map { OperationBenchmark.Setting(engine: .translator, dispatch: $0) }
  private static let interpreter = OperationBenchmark.settings[0]
  private static let inlined = OperationBenchmark.Setting(engine: .translator, dispatch: .inlined)

  private func printOperations(_ benchmark: OperationBenchmark, _ shown: [String]) {
    let operations = shown.filter(isOperation)
    guard !operations.isEmpty else { return }
    writeLine("Cost of one call in ns, less the empty loop, and its ratio to inlined; native is the instruction without a call")
    writeLine("site, and the ratio of the whole inlined loop to that loop")
    var header = "operation".padded(right: 26)
    for setting in OperationBenchmark.settings { header += setting.name.padded(left: 18) }
    writeLine(header + "native".padded(left: 17))
    for name in operations {
      var row = name.padded(right: 26)
      // The floor keeps ratios readable where an inlined operation disappears in the loop's own shadow.
      let inlined = benchmark.outcomes[Self.inlined]
      let base = inlined?.nanoseconds(name).map { max($0, 0.05) }
      for setting in OperationBenchmark.settings { row += cell(benchmark.outcomes[setting]?.nanoseconds(name), base) }
      row += (inlined?.nanoseconds("native:" + name).map { fixed($0, 2) } ?? "").padded(left: 9)
      row += (benchmark.ratioToNative(name).map { "(" + fixed($0, 2) + "x)" } ?? "").padded(left: 8)
      writeLine(row)
    }
    writeLine(conclusion(benchmark, operations))
    writeLine("")
  }

  /// What the table shows of all operations together.
  private func conclusion(_ benchmark: OperationBenchmark, _ operations: [String]) -> String {
    let emulated = benchmark.outcomes[Self.dispatches[0]], inlined = benchmark.outcomes[Self.inlined]
    let faster = operations.filter { name in
      guard let slow = emulated?.nanoseconds(name), let fast = inlined?.nanoseconds(name) else { return false }
      return slow <= fast
    }
    var text = faster.isEmpty
      ? "emulated is slower than inlined for every operation" : "emulated is not slower for \(faster.joined(separator: ", "))"
    let ratios = operations.compactMap { name in benchmark.ratioToNative(name).map { (name, $0) } }
    if let worst = ratios.max(by: { $0.1 < $1.1 }) {
      text += "; an inlined loop takes at most \(fixed(worst.1, 2)) x the native one (\(worst.0))"
    }
    return text
  }

  private func cell(_ value: Double?, _ base: Double?) -> String {
    guard let value else { return "-".padded(left: 18) }
    let ratio = base.map { "(" + fixed(value / $0, value / $0 < 10 ? 1 : 0) + "x)" } ?? ""
    return fixed(value, 2).padded(left: 9) + ratio.padded(left: 9)
  }

  private func printHost(_ benchmark: OperationBenchmark, _ host: [(name: String, cost: HostCallCost)]) {
    guard !host.isEmpty else { return }
    writeLine("The same calls in a C loop on the host, ns, and the site's cost as a multiple of it")
    let columns = [("closure", 10), ("indirect", 11), ("C call", 11), ("direct", 11)]
    writeLine("operation".padded(right: 26) + columns.map { $0.padded(left: $1) }.joined())
    for (name, cost) in host {
      let indirect = benchmark.outcomes[Self.dispatches[1]]?.nanoseconds(name)
      let direct = benchmark.outcomes[Self.dispatches[2]]?.nanoseconds(name)
      let cells = [
        fixed(cost.closure, 2), indirect.map { fixed($0 / cost.closure, 2) + "x" } ?? "-",
        fixed(cost.direct, 2), direct.map { fixed($0 / cost.direct, 2) + "x" } ?? "-",
      ]
      writeLine(name.padded(right: 26) + zip(cells, columns).map { $0.padded(left: $1.1) }.joined())
    }
    writeLine("")
  }

  private func printPrograms(_ benchmark: OperationBenchmark, _ shown: [String]) {
    let programs = shown.filter { $0.hasPrefix("cpu-") }
    guard !programs.isEmpty else { return }
    writeLine("Processor-bound programs, ms a round")
    let columns = [("interpreter", 14), ("translator", 14), ("ratio", 10)]
    writeLine("program".padded(right: 26) + columns.map { $0.padded(left: $1) }.joined())
    func row(_ name: String, _ slow: Double, _ fast: Double) {
      let cells = [fixed(slow / 1e6, 3), fixed(fast / 1e6, 3), fixed(slow / fast, 1) + "x"]
      writeLine(name.padded(right: 26) + zip(cells, columns).map { $0.padded(left: $1.1) }.joined())
    }
    var sums = (slow: 0.0, fast: 0.0)
    for name in programs {
      guard let slow = benchmark.outcomes[Self.interpreter]?.wholeNanoseconds(name),
        let fast = benchmark.outcomes[Self.inlined]?.wholeNanoseconds(name)
      else { continue }
      row(name, slow, fast)
      sums = (sums.slow + slow, sums.fast + fast)
    }
    if programs.count > 1 { row("all", sums.slow, sums.fast) }
    writeLine("")
  }

  private func printSites(_ benchmark: OperationBenchmark) {
    writeLine("Call sites of the embedded kernel")
    writeLine("kind".padded(right: 26) + "found".padded(left: 10) + "patched".padded(left: 10))
    for count in benchmark.outcomes[Self.inlined]?.sites ?? [] {
      writeLine(count.kind.padded(right: 26) + "\(count.found)".padded(left: 10) + "\(count.patched)".padded(left: 10))
    }
    writeLine("The host patches a bundle site when it is first executed; the others are the guest's to rewrite.")
    writeLine("")
  }

  private func printChecks(_ benchmark: OperationBenchmark) -> Bool {
    writeLine("The guest's own checks")
    for setting in OperationBenchmark.settings {
      guard let outcome = benchmark.outcomes[setting] else { continue }
      let checks = outcome.reports.compactMap(\.checks).max() ?? 0
      let failed = outcome.reports.compactMap(\.failed).reduce(0, +)
      let verdict = outcome.isGood ? "\(checks) passed" : "\(failed) of \(checks) failed; ended \(outcome.ends)"
      writeLine(setting.name.padded(right: 26) + verdict)
      for failure in outcome.reports.flatMap(\.failures).prefix(5) { writeLine("  " + failure) }
    }
    return benchmark.outcomes.values.allSatisfy(\.isGood)
  }

  /// Runs `kittson verify` as a program of its own, since lockstep wants two fresh processes.
  private func printVerdict() -> Bool {
    writeLine("\nInterpreter and translator in lockstep")
    let status = runSelf(["verify"])
    return status == 0
  }

  private func printJSON(
    _ benchmark: OperationBenchmark, _ shown: [String], _ host: [(name: String, cost: HostCallCost)]
  ) {
    func number(_ value: Double?) -> String { value.map { fixed($0, 4) } ?? "null" }
    var rows: [String] = []
    for name in shown {
      var fields = ["\"name\": \"\(name)\""]
      for setting in OperationBenchmark.settings {
        let outcome = benchmark.outcomes[setting]
        let value = isOperation(name) ? outcome?.nanoseconds(name) : outcome?.wholeNanoseconds(name)
        fields.append("\"\(setting.name)\": \(number(value))")
      }
      if isOperation(name) {
        fields.append("\"native\": \(number(benchmark.outcomes[Self.inlined]?.nanoseconds("native:" + name)))")
        fields.append("\"ratio_to_native\": \(number(benchmark.ratioToNative(name)))")
      }
      if let cost = host.first(where: { $0.name == name })?.cost {
        fields.append("\"host_closure\": \(number(cost.closure))")
        fields.append("\"host_direct\": \(number(cost.direct))")
      }
      rows.append("    {" + fields.joined(separator: ", ") + "}")
    }
    writeLine("{\n  \"unit\": \"ns\", \"calls\": \(calls), \"runs\": \(runs),")
    writeLine("  \"loops\": [\n" + rows.joined(separator: ",\n") + "\n  ]\n}")
  }
}

/// Runs this program with other arguments; its exit status, or 125 where it can't be started or is killed.
func runSelf(_ arguments: [String]) -> Int32 {
  var process: pid_t = 0
  var words: [UnsafeMutablePointer<CChar>?] = (["kittson"] + arguments).map { strdup($0) }
  words.append(nil)
  defer { for word in words { free(word) } }
  guard posix_spawn(&process, "/proc/self/exe", nil, nil, words, environ) == 0 else { return ExitStatus.internalError }
  var status: Int32 = 0
  while waitpid(process, &status, 0) < 0 && errno == EINTR {}
  return status & 0x7f == 0 ? status >> 8 & 0xff : ExitStatus.internalError
}
