// kittson run: a Linux/ia64 program.
import ArgumentParser
import Glibc
import Kittson
import Platforms

struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Runs a Linux/ia64 program.",
    discussion: """
      Everything after PROGRAM is the program's. The exit status is the program's own; a program killed by a signal ends \
      Kittson by that signal. 126: not a program that can run here; 127: not there.

      A program acts with the rights of whoever starts it: this is no sandbox.

      An option --name may also stand in the environment as KITTSON_NAME (KITTSON_ENGINE=interpreter, KITTSON_STRACE=1); \
      values of a repeated one are separated by commas. The command line wins.
      """)

  @OptionGroup var engine: EngineOptions

  @OptionGroup var verification: VerifyFlags

  @Option(
    name: [.customShort("L"), .customLong("sysroot")],
    help: ArgumentHelp(
      "Where absolute file names are looked for first, and where the dynamic loader is.",
      valueName: "DIRECTORY"))
  var sysroot: String?

  @Option(
    name: [.customShort("E"), .customLong("setenv")],
    help: ArgumentHelp("Sets a variable of the program's environment; may be repeated.", valueName: "NAME=VALUE"))
  var variables: [String] = []

  @Option(
    name: [.customShort("U"), .customLong("unsetenv")],
    help: ArgumentHelp("Leaves a variable out of the program's environment; may be repeated.", valueName: "NAME"))
  var unset: [String] = []

  @Option(
    name: [.customShort("0"), .customLong("argv0")],
    help: ArgumentHelp("The program's argv[0]; by default PROGRAM.", valueName: "NAME"))
  var programName: String?

  @Option(
    name: [.customShort("s"), .customLong("stack-size")],
    help: ArgumentHelp(
      "Stack and register backing store, as 8M: by default the limit on stacks (ulimit -s).", valueName: "SIZE"))
  var stackSize: MemorySize?

  @OptionGroup var log: LogOptions

  @Flag(
    name: [.customLong("strace"), .customLong("strace", withSingleDash: true)],
    help: "Writes a line for each system call and signal where Kittson's words go.")
  var tracesCalls = false

  @Option(
    name: .customLong("strace-json"),
    help: ArgumentHelp("Writes a line of JSON for each system call and signal to FILE.", valueName: "FILE"))
  var callRecords: String?

  @Option(
    name: [.customShort("g"), .customLong("gdb")],
    help: ArgumentHelp("Waits for gdb on a TCP port of this host (0: a free one) and obeys it.", valueName: "PORT"))
  var debugPort: UInt16?

  @Flag(help: "Says where Kittson's words go what the run did: slots and time.")
  var stats = false

  @Argument(help: "An IA-64 ELF executable.")
  var program: String

  @Argument(parsing: .captureForPassthrough, help: "The program's arguments.")
  var arguments: [String] = []

  func run() throws {
    for variable in variables where variable.first == "=" || !variable.contains("=") {
      throw Failure("-E \(variable): write NAME=VALUE", status: ExitStatus.usage)
    }
    let configuration = try engine.configuration()
    if let choices = verification.choices {
      return try verifyProgram(
        program, [programName ?? program] + arguments, environment(), sysroot, configuration, choices, engine)
    }
    let log = try self.log.log()
    let session: ProgramRun
    do throws(ProgramRun.StartError) {
      session = try ProgramRun(
        path: program, arguments: [programName ?? program] + arguments, environment: environment(), sysroot: sysroot,
        stackSize: stackSize?.bytes, executor: executor(), configuration: configuration, log: { log.write("kittson: \($0)\n") })
    } catch {
      throw Failure(error.description, status: error.isMissing ? ExitStatus.notFound : ExitStatus.cannotRun)
    }
    try trace(session, log)
    if let debugPort { try waitForDebugger(session, debugPort, log) }
    let started = hostSeconds()
    let end = session.run()
    if stats {
      let seconds = hostSeconds() - started
      let rate = fixed(Double(session.slots) / seconds / 1e6, 1)
      log.write("slots \(session.slots) in \(fixed(seconds, 3)) s: \(rate) million a second\n")
    }
    try finish(end)
  }

  private func waitForDebugger(_ session: ProgramRun, _ port: UInt16, _ log: RunLog) throws {
    do throws(ProgramRun.StartError) {
      try session.waitForDebugger(port: port) { log.write("kittson: waiting for gdb: target remote localhost:\($0)\n") }
    } catch { throw Failure(error.description, status: ExitStatus.usage) }
  }

  private func trace(_ session: ProgramRun, _ log: RunLog) throws {
    let records = try callRecords.map { try self.log.open($0) }
    guard tracesCalls || records != nil else { return }
    session.traceSystemCalls(
      lines: tracesCalls ? { log.write($0) } : nil, records: records.map { file in { file.write($0) } },
      isShared: self.log.isContinued)
  }

  /// The caller's environment with `-E` applied, in order.
  private func environment() -> [String] {
    var result: [String] = []
    var next = environ
    while let entry = next.pointee {
      result.append(String(cString: entry))
      next += 1
    }
    result.removeAll(where: EnvironmentTwins.isTwin)
    for name in unset { result.removeAll { $0.prefix { $0 != "=" } == name } }
    for variable in variables {
      let name = variable.prefix { $0 != "=" }
      result.removeAll { $0.prefix { $0 != "=" } == name }
      result.append(variable)
    }
    return result
  }

  /// This command up to the program's name, for programs that the guest executes. What concerns the guest's own
  /// arguments and environment is left out: execve brings those along.
  private func executor() -> [String]? {
    guard let own = realpath("/proc/self/exe", nil) else { return nil }
    defer { free(own) }
    var words = [String(cString: own)]
    var isValue = false
    for word in KittsonCommand.words.dropLast(1 + arguments.count) {
      if isValue {
        isValue = false
      } else if ["-E", "--setenv", "-U", "--unsetenv", "-0", "--argv0", "-g", "--gdb"].contains(word) {
        isValue = true
      } else if !["--setenv=", "--unsetenv=", "--argv0=", "--gdb="].contains(where: word.hasPrefix) {
        words.append(word)
      }
    }
    return log.isContinued ? words : words + ["--continued"]
  }
}
