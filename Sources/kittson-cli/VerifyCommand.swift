// kittson verify: a guest on both engines in lockstep.
import ArgumentParser
import Glibc
import IA64
import Kittson
import Machine
import Paravirt
import Platforms
import Verification

struct VerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Runs a guest on both engines in lockstep and compares them at every block.",
    discussion: """
      Interpreter and translator each run the guest in a process of their own, under the virtual clock. At every block \
      boundary all architectural state and every store are compared. The first difference is traced to the instruction \
      that made it and printed with both states and a command that reproduces it.

      The exit status is 0 when there was no difference, 1 at a difference (the guest's own status is only reported), 124 \
      at --max-instructions or --timeout without one, 125 when the comparison itself failed.
      """,
    subcommands: [VerifyBootCommand.self, VerifyRunCommand.self], defaultSubcommand: VerifyBootCommand.self)
}

struct VerifyOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Compares only every N slots, the translator's blocks linked as without comparison.",
      valueName: "N"))
  var every: UInt64?

  @Flag(help: "Shows the guest's output on standard output.")
  var console = false

  @Option(
    help: ArgumentHelp(
      "Plants a wrong result in the inlined body of an operation, or in an instruction, to test the comparison.",
      valueName: "operation=NAME|instruction=NAME", visibility: .hidden))
  var plant: Plant?

  @Option(
    help: ArgumentHelp(
      "Where the instruction that makes a difference is written as a state vector.", valueName: "FILE"))
  var keep = "difference.json"

  var choices: VerifyChoices { VerifyChoices(every: every, console: console, keep: keep, plantedOpcode: plant?.opcode) }

  func apply(to configuration: inout Configuration) {
    switch plant {
    case .operation(let operation): configuration.plantedOperation = operation
    case .instruction(let opcode): configuration.plantedOpcode = opcode
    case nil: break
    }
  }
}

/// What a comparison is to do, whichever command asks for it.
struct VerifyChoices {
  var every: UInt64?
  /// Whether the guest's output is shown.
  var console = false
  var keep = "difference.json"
  var plantedOpcode: Opcode?
  /// Whether the report goes to standard error: standard output is the guest's.
  var isGuestCommand = false

  func say(_ text: String) { if isGuestCommand { writeError(text) } else { writeToStandardOutput(text) } }
}

/// `--verify` of `run` and `boot`.
struct VerifyFlags: ParsableArguments {
  @Flag(help: "Runs the guest on both engines in lockstep and compares them at every block, as 'kittson verify' does.")
  var verify = false

  @Option(
    name: .customLong("verify-every"), help: ArgumentHelp("The same, comparing only every N slots.", valueName: "N"))
  var every: UInt64?

  var choices: VerifyChoices? {
    verify || every != nil ? VerifyChoices(every: every, console: true, isGuestCommand: true) : nil
  }
}

/// An error on purpose in the translator.
enum Plant: ExpressibleByArgument {
  case operation(Operation)
  case instruction(Opcode)

  init?(argument: String) {
    let words = argument.split(separator: "=", maxSplits: 1).map(String.init)
    guard words.count == 2 else { return nil }
    if words[0] == "operation", let operation = Operation(name: words[1]) {
      self = .operation(operation)
    } else if words[0] == "instruction", let row = instructionTable.first(where: { "\($0.opcode)" == words[1] }) {
      self = .instruction(row.opcode)
    } else {
      return nil
    }
  }

  var opcode: Opcode? { if case .instruction(let opcode) = self { opcode } else { nil } }
}

struct VerifyBootCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "boot", abstract: "A system image; the embedded kernel if none is named.")

  @OptionGroup var engine: EngineOptions
  @OptionGroup var options: VerifyOptions

  @OptionGroup var machine: MachineOptions

  func run() throws {
    var configuration = try engine.configuration()
    try machine.apply(to: &configuration)
    options.apply(to: &configuration)
    if configuration.plantedOperation != nil, configuration.dispatch != .inlined || configuration.backend == .native {
      throw Failure("--plant operation=… is in inlined bodies: leave --dispatch and --backend out", status: ExitStatus.usage)
    }
    try verifyImage(try machine.imageBytes(), machine.name, configuration, options.choices, engine)
  }
}

/// Compares the engines on a system image.
func verifyImage(
  _ bytes: [UInt8], _ name: String, _ configuration: Configuration, _ choices: VerifyChoices, _ engine: EngineOptions
) throws {
  func put(_ output: UnsafeRawBufferPointer) { if choices.console { writeToStandardOutput(output) } }
  // A reader of the console that goes away does not end the comparison.
  signal(SIGPIPE, SIG_IGN)
  try verify(choices, engine) { role, _ in
    do {
      let guest = try BootGuest(bytes, configuration, role, output: put)
      if role == .producer { for text in guest.diagnostics { writeError("kittson: \(name): \(text)\n") } }
      return guest
    } catch let error as SessionError {
      if case .option(let text) = error { throw Failure(text, status: ExitStatus.usage) }
      throw Failure("\(name): \(error)", status: ExitStatus.cannotRun)
    }
  }
}

struct VerifyRunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "run", abstract: "A Linux/ia64 program.")

  @OptionGroup var engine: EngineOptions
  @OptionGroup var options: VerifyOptions

  @Option(
    name: [.customShort("L"), .customLong("sysroot")],
    help: ArgumentHelp(
      "Where absolute file names are looked for first, and where the dynamic loader is.",
      valueName: "DIRECTORY"))
  var sysroot: String?

  @Argument(help: "An IA-64 ELF executable.")
  var program: String

  @Argument(parsing: .captureForPassthrough, help: "The program's arguments.")
  var arguments: [String] = []

  func run() throws {
    var configuration = try engine.configuration()
    options.apply(to: &configuration)
    if configuration.plantedOperation != nil {
      throw Failure("--plant operation=…: a program has no call sites: name instruction=…", status: ExitStatus.usage)
    }
    try verifyProgram(
      program, [program] + arguments, callerEnvironment(), sysroot, configuration, options.choices, engine)
  }

  private func callerEnvironment() -> [String] {
    var result: [String] = []
    var next = environ
    while let entry = next.pointee {
      result.append(String(cString: entry))
      next += 1
    }
    return result
  }
}

/// Compares the engines on a Linux/ia64 program.
func verifyProgram(
  _ path: String, _ arguments: [String], _ environment: [String], _ sysroot: String?, _ configuration: Configuration,
  _ choices: VerifyChoices, _ engine: EngineOptions
) throws {
  try verify(choices, engine) { role, channel in
    do {
      return try ProgramGuest(
        path: path, arguments: arguments, environment: environment, sysroot: sysroot, configuration, role, channel,
        showsOutput: choices.console, log: { writeError("kittson: \($0)\n") })
    } catch let error as ProgramRun.StartError {
      throw Failure(error.description, status: error.isMissing ? ExitStatus.notFound : ExitStatus.cannotRun)
    }
  }
}

/// Runs the comparison, reports, and ends with its status.
private func verify(
  _ options: VerifyChoices, _ engine: EngineOptions,
  _ makeGuest: @escaping (LockstepRole, SharedChannel) throws -> any LockstepGuest
) throws {
  var lockstep = Lockstep(makeGuest: makeGuest)
  lockstep.timeout = engine.timeout
  if let every = options.every {
    guard every > 0, every <= mostSlotsPerRecord else {
      throw Failure("--every \(every): give a number of slots from 1 to \(mostSlotsPerRecord)", status: ExitStatus.usage)
    }
    lockstep.slotsPerRecord = Int64(every)
    lockstep.eachBlock = false
  }
  var bar = ProgressBar("verify")
  let started = hostSeconds()
  lockstep.progress = { counts in
    let rate = fixed(Double(counts.slots) / max(hostSeconds() - started, 1e-3) / 1e6, 1)
    bar.show(
      engine.maximumSlots.map { Double(counts.slots) / Double(max(1, $0)) },
      "\(counts.slots) slots, \(rate) million a second")
  }
  let outcome: LockstepOutcome
  do {
    outcome = try lockstep.verify()
  } catch let error as LockstepError {
    throw Failure(error.description, status: ExitStatus.internalError)
  }
  bar.clear()
  if let failure = outcome.failure { throw Failure("verify: \(failure)", status: ExitStatus.internalError) }
  if let found = outcome.divergence {
    options.say(found.report(command: reproduction(found, options)))
    if let vector = found.vector { try keep(vector, options) }
    throw ExitCode(ExitStatus.different)
  }
  options.say("\(outcome.counts.summary): no difference\n")
  if let end = outcome.end {
    options.say(end + "\n")
    if end.hasPrefix("stopped at --") { throw ExitCode(ExitStatus.limit) }
  }
}

/// Writes the instruction that made a difference as a case of its own, with the reference's result, and says whether the
/// translator differs there too.
private func keep(_ vector: StateVector, _ options: VerifyChoices) throws {
  guard let recorded = try VectorMachine(.interpreter, for: [vector]).record(vector) else { return }
  let file = try OutputFile(options.keep, appends: false)
  file.write(JSON.array([recorded.json(answers: true)]).text(indented: true) + "\n")
  let machine = try VectorMachine(.translator, plantedOpcode: options.plantedOpcode, for: [recorded])
  var differs = false
  if case .different = machine.run(recorded) { differs = true }
  var words = ["kittson", "vectors", options.keep]
  if let opcode = options.plantedOpcode { words += ["--plant", "instruction=\(opcode)"] }
  options.say(
    "state vector (1 instruction, 1 bundle\(differs ? "" : "; the engines agree on it alone")): "
      + words.map(quoted).joined(separator: " ") + "\n")
}

/// The command at hand, cut off shortly behind the difference: where the whole block, or call site, has still room, since
/// the engines leave what does not fit to one another.
private func reproduction(_ divergence: Divergence, _ options: VerifyChoices) -> String {
  let room = 4096 + (options.every ?? 0)
  var words = Array(CommandLine.arguments.dropFirst())
  if let old = words.firstIndex(of: "--max-instructions"), old + 1 < words.count { words.removeSubrange(old...old + 1) }
  words.removeAll { $0.hasPrefix("--max-instructions=") }
  // Behind `verify [boot|run]`, or `run` and `boot`.
  let isVerify = words.first == "verify"
  if isVerify, words.count < 2 || (words[1] != "boot" && words[1] != "run") { words.insert("boot", at: 1) }
  words.insert(contentsOf: ["--max-instructions", "\(divergence.endSlots + room)"], at: isVerify ? 2 : 1)
  return (["kittson"] + words).map(quoted).joined(separator: " ")
}

/// A word as a shell reads it back.
func quoted(_ word: String) -> String {
  let plain = word.utf8.allSatisfy { byte in
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"): true
    default: "-_./=,:+@%".utf8.contains(byte)
    }
  }
  if plain && !word.isEmpty { return word }
  return "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
}
