// Options that every command that runs a guest shares.
import ArgumentParser
import Kittson
import Paravirt

extension EngineKind: ExpressibleByArgument {}
extension Backend: ExpressibleByArgument {}
extension ClockKind: ExpressibleByArgument {}
extension ALATKind: ExpressibleByArgument {}

/// The dispatch states as the command line knows them.
enum DispatchChoice: String, CaseIterable, ExpressibleByArgument {
  case emulated, indirect, direct, inlined

  var dispatch: Dispatch { Dispatch(name: rawValue)! }

  static let allValueDescriptions = [
    "emulated": "the guest's own five-bundle call, as any code",
    "indirect": "a call through the operation table",
    "direct": "a direct call of the native callable",
    "inlined": "the operation's own host instructions",
  ]
}

struct EngineOptions: ParsableArguments {
  @Option(help: "The engine: the translator, or the interpreter, which is the reference.")
  var engine = EngineKind.translator

  @Option(help: "What the host executes at a bound call site.")
  var dispatch = DispatchChoice.inlined

  @Option(help: "Who implements the operations: the guest's native code, or the host.")
  var backend = Backend.host

  @Option(
    name: .customLong("operation"),
    help: ArgumentHelp("Binds an operation to a function of a shared library.", valueName: "NAME=LIBRARY:SYMBOL"))
  var operations: [String] = []

  @Option(help: "What ar.itc counts: host time, or issued slots (a run then repeats bit for bit).")
  var clock = ClockKind.host

  @Option(
    help: "What advanced loads leave behind: nothing, so that checks load again or recover, or entries of a real ALAT.")
  var alat = ALATKind.empty

  @Option(
    name: .customLong("disable"),
    help: ArgumentHelp("Leaves out an optimisation of the translator; may be repeated.", valueName: "OPTIMISATION"))
  var disabled: [String] = []

  @Option(
    name: .customLong("max-instructions"),
    help: ArgumentHelp("Ends the run after N issued slots (exit status 124).", valueName: "N"))
  var maximumSlots: UInt64?

  @Option(help: ArgumentHelp("Ends the run after so many seconds (exit status 124).", valueName: "SECONDS"))
  var timeout: Double?

  func configuration() throws -> Configuration {
    var configuration = Configuration()
    configuration.engine = engine
    configuration.dispatch = dispatch.dispatch
    configuration.backend = backend
    configuration.clock = clock
    configuration.alat = alat
    configuration.disabled = disabled
    configuration.maximumSlots = maximumSlots
    configuration.timeout = timeout
    do {
      configuration.plugins = try operations.map { try PluginSpecification($0) }
    } catch let error as BindingError {
      throw Failure(error.description, status: ExitStatus.usage)
    }
    if let timeout, !(timeout > 0) {
      throw Failure("--timeout \(timeout): give a number above 0", status: ExitStatus.usage)
    }
    return configuration
  }
}

/// A size with an optional unit: 64M, 1G, 512K, or plain bytes.
struct MemorySize: ExpressibleByArgument {
  let bytes: UInt64

  init?(argument: String) {
    let units: [Character: UInt64] = ["K": 10, "M": 20, "G": 30]
    let shift = argument.last.flatMap { units[Character($0.uppercased())] }
    guard let count = UInt64(shift == nil ? argument[...] : argument.dropLast()), count > 0,
      count.leadingZeroBitCount >= Int(shift ?? 0) + 1
    else { return nil }
    bytes = count << (shift ?? 0)
  }
}
