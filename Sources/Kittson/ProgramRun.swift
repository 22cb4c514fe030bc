// A Linux/ia64 program: its process and an engine joined into something that runs.
import Glibc
import Machine
import Platforms

/// A Linux/ia64 program on either engine.
public final class ProgramRun {
  let session: ProcessSession
  let engine: any Engine
  let configuration: Configuration

  /// Why a program could not be started.
  public struct StartError: Error, CustomStringConvertible {
    /// One line: what is wrong, a colon, how to mend it.
    public let description: String
    /// The file is not there (exit status 127) rather than not runnable (126).
    public let isMissing: Bool
  }

  /// Loads the program at `path`.
  /// - Parameters:
  ///   - arguments: argv, the program's name first.
  ///   - environment: "NAME=value" strings.
  ///   - stackSize: bytes of the stack, and of the register backing store; by default the soft limit's.
  ///   - executor: the words before a program's name of a command that runs it as this one is run; without it the program
  ///     can't execute other IA-64 programs.
  ///   - log: takes one-line messages for the user.
  public init(
    path: String, arguments: [String], environment: [String], sysroot: String? = nil, stackSize: UInt64? = nil,
    executor: [String]? = nil, configuration: Configuration = Configuration(), log: @escaping (String) -> Void = { _ in }
  ) throws(StartError) {
    var options = ProcessOptions(arguments: arguments, environment: environment)
    options.sysroot = sysroot
    options.stackSize = stackSize
    options.executor = executor
    options.log = log
    self.configuration = configuration
    do throws(ProcessError) {
      session = try ProcessSession(path: path, options: options, virtualClock: configuration.clock == .virtual)
    } catch {
      throw StartError(description: error.description, isMissing: access(path, F_OK) != 0)
    }
    do throws(SessionError) {
      engine = try EngineFactory.make(configuration, for: session.machine)
    } catch {
      throw StartError(description: error.description, isMissing: false)
    }
    session.renewEngine = { [unowned session] in
      do throws(SessionError) {
        return try EngineFactory.make(configuration, for: session.machine)
      } catch {
        log(error.description)
        _exit(125)
      }
    }
  }

  /// From now on system calls and signals are written: as pieces of text that make lines, and as lines of JSON.
  /// - Parameter isShared: whether other programs write to the same place.
  public func traceSystemCalls(
    lines: ((String) -> Void)?, records: ((String) -> Void)?, isShared: Bool = false
  ) {
    session.process.tracer = SyscallTracer(lines: lines, records: records, isShared: isShared)
  }

  /// Waits for gdb on a TCP port of the loopback (0: a free one), which `ready` is told; the program then obeys it.
  public func waitForDebugger(port: UInt16, ready: (UInt16) -> Void) throws(StartError) {
    do throws(Errno) {
      session.attach(try RemoteConnection.accept(port: port, ready: ready))
    } catch {
      throw StartError(description: "port \(port): \(systemReason(error.code)): choose another", isMissing: false)
    }
  }

  /// Runs until the program ends or a limit is reached.
  public func run() -> RunEnd {
    session.run(engine, limits: RunLimits(slots: configuration.maximumSlots, seconds: configuration.timeout))
  }

  /// Issued slots so far.
  public var slots: UInt64 { session.cpu.slots }
}
