// The sessions of boot and run as guests of a lockstep run.
import Glibc
import Kittson
import Machine
import Platforms

extension Configuration {
  /// The configuration of one side: the virtual clock, and the engine of the role. The time is the comparison's to watch.
  func inLockstep(_ role: LockstepRole) -> Configuration {
    var own = self
    own.clock = .virtual
    own.timeout = nil
    own.engine = role == .producer ? .translator : .interpreter
    return own
  }
}

/// A system image on the bare machine. Its console has no input, so that a run repeats.
package final class BootGuest: LockstepGuest {
  private let session: BootSession
  package var machine: Machine { session.machine }
  package var engine: any Engine { session.ownEngine }
  /// What is wrong with the image's records.
  package var diagnostics: [String] { session.diagnostics }

  /// `output` takes the console's output of the producer.
  package init(
    _ image: [UInt8], _ configuration: Configuration, _ role: LockstepRole,
    output: @escaping (UnsafeRawBufferPointer) -> Void
  ) throws {
    session = try BootSession(
      image: image, configuration: configuration.inLockstep(role), output: role == .producer ? output : { _ in })
  }

  package func run(_ engine: any Engine) -> String { Self.describe(session.run(on: engine)) }

  static func describe(_ end: RunEnd) -> String {
    switch end {
    case .exited(let status): "the guest ended with status \(status)"
    case .killed(let signal): "the guest was ended by signal \(signal)"
    case .reset: "the guest asked for a reset"
    case .stuck(let reason): "the guest can't go on: \(reason)"
    case .instructionLimit: "stopped at --max-instructions"
    case .timeout: "stopped at --timeout"
    }
  }
}

/// A Linux/ia64 program. System calls that ask the host are made by the producer alone.
package final class ProgramGuest: LockstepGuest {
  private let run: ProgramRun
  package var machine: Machine { run.machine }
  package var engine: any Engine { run.ownEngine }

  package init(
    path: String, arguments: [String], environment: [String], sysroot: String?, _ configuration: Configuration,
    _ role: LockstepRole, _ channel: SharedChannel, showsOutput: Bool, log: @escaping (String) -> Void
  ) throws {
    run = try ProgramRun(
      path: path, arguments: arguments, environment: environment, sysroot: sysroot,
      configuration: configuration.inLockstep(role), log: role == .producer ? log : { _ in })
    let process = run.processSession.process
    switch role {
    case .producer:
      if !showsOutput {
        let nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC)
        process.options.redirections[1] = nowhere
        process.options.redirections[2] = nowhere
      }
      // A consumer that wants no more shows at the next block.
      process.onSystemCall = { try? channel.send($0.encoded()) }
    case .consumer:
      run.processSession.performer = { call in
        guard let bytes = try? channel.receiveBytes() else { return Self.ended }
        let record = SystemCallRecord(decoding: bytes)
        // A call on the process's own state is made here too, but what it says of the host (a process id) is the producer's.
        _ = process.replay(record)
        return record.result
      }
    }
  }

  /// What a call is answered with where the producer says no more: the run ends.
  private static var ended: SystemCallResult {
    var result = SystemCallResult.success(0)
    result.end = .stuck("the translator's process has ended")
    return result
  }

  package func run(_ engine: any Engine) -> String { BootGuest.describe(run.run(on: engine)) }
}
