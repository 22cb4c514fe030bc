// What verification needs of a session beyond running it: its machine, its engine, and to run it on another one.
import CSupport
import Machine
import Platforms

extension BootSession {
  package var machine: Machine { system.machine }
  package var ownEngine: any Engine { engine }

  /// As `run`, on `engine`, which wraps the session's own.
  package func run(on engine: any Engine) -> RunEnd {
    let limits = RunLimits(slots: configuration.maximumSlots, seconds: configuration.timeout)
    return system.run(engine, limits: limits, restart: configuration.restartsOnReset)
  }
}

extension ProgramRun {
  package var machine: Machine { session.machine }
  package var ownEngine: any Engine { engine }
  package var processSession: ProcessSession { session }

  /// As `run`, on `engine`, which wraps the session's own.
  package func run(on engine: any Engine) -> RunEnd {
    session.run(engine, limits: RunLimits(slots: configuration.maximumSlots, seconds: configuration.timeout))
  }
}
