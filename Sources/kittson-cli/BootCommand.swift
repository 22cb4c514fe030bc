// kittson boot: a guest kernel on a machine.
import ArgumentParser
import Glibc
import Kittson
import Platforms

struct BootCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "boot",
    abstract: "Boots a system image.",
    discussion: """
      Without IMAGE the embedded paravirtualised kernel boots. Standard output is the guest's console alone; Kittson's own \
      words go to standard error.

      The exit status is 0 when the guest switches the machine off in good order, N when it reports failure N, 1 when it \
      can't go on, 124 at --max-instructions or --timeout, 126 for an image that can't run, 127 for one that isn't there.
      """)

  @OptionGroup var engine: EngineOptions

  @OptionGroup var verification: VerifyFlags

  @OptionGroup var machine: MachineOptions

  @Flag(name: .customLong("no-reboot"), help: "A reset ends the run instead of starting the guest again.")
  var noReboot = false

  @Option(help: "Writes a line on standard error for each of these: interruptions.")
  var trace: [TraceChoice] = []

  @Flag(help: "Says on standard error what the run did: slots, time, calls per operation.")
  var stats = false

  func run() throws {
    var configuration = try engine.configuration()
    try machine.apply(to: &configuration)
    if let choices = verification.choices {
      return try verifyImage(try machine.imageBytes(), machine.name, configuration, choices, engine)
    }
    configuration.restartsOnReset = !noReboot
    configuration.countsCalls = stats
    let name = machine.name
    let session = try makeSession(try machine.imageBytes(), name, configuration)
    for diagnostic in session.diagnostics { writeError("kittson: \(name): \(diagnostic)\n") }
    if trace.contains(.interruptions) { session.traceInterruptions { writeError($0 + "\n") } }
    let started = hostSeconds()
    let end = session.run()
    if stats { report(session, seconds: hostSeconds() - started) }
    try finish(end)
  }

  private func makeSession(_ bytes: [UInt8], _ name: String, _ configuration: Configuration) throws -> BootSession {
    do throws(SessionError) {
      return try BootSession(
        image: bytes, configuration: configuration, output: writeToStandardOutput, inputDescriptor: STDIN_FILENO)
    } catch {
      if case .option(let text) = error { throw Failure(text, status: ExitStatus.usage) }
      throw Failure("\(name): \(error)", status: ExitStatus.cannotRun)
    }
  }

  private func report(_ session: BootSession, seconds: Double) {
    let rate = Double(session.slots) / seconds / 1e6
    writeError("slots \(session.slots) in \(fixed(seconds, 3)) s: \(fixed(rate, 1)) million a second\n")
    if session.configuration.backend == .host, session.configuration.dispatch == .emulated {
      writeError("calls are not counted under emulated: the sites are the guest's own code\n")
    }
    let calls = session.paravirt.calls().filter { $0.value > 0 }
    for (operation, count) in calls.sorted(by: { $0.value > $1.value }) {
      writeError("calls \(operation.name) \(count)\n")
    }
  }
}

/// What `--trace` can show.
enum TraceChoice: String, CaseIterable, ExpressibleByArgument {
  case interruptions
}

/// Turns the end of a run into this process's exit.
func finish(_ end: RunEnd) throws {
  switch end {
  case .exited(let status): if status != 0 { Glibc.exit(status) }
  case .killed(let number): endBySignal(number)
  case .reset: return
  case .stuck(let reason): throw Failure(reason, status: ExitStatus.different)
  case .instructionLimit: throw Failure("stopped at --max-instructions", status: ExitStatus.limit)
  case .timeout: throw Failure("stopped at --timeout", status: ExitStatus.limit)
  }
}
