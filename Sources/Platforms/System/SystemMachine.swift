// What every machine that boots a kernel has in common, as the loop that runs it sees it.
import CSupport
import Machine

/// A machine that boots a kernel.
package protocol SystemMachine: AnyObject {
  var machine: Machine { get }
  var image: ELFImage { get }
  var output: ConsoleOutput { get }
  var input: ConsoleInput { get }
  /// Time is counted in issued slots.
  var isVirtualClock: Bool { get }

  /// Puts memory, devices and processors into the state in which the guest starts.
  func restart()
  /// Gives devices the chance to raise interrupts of their own accord. Called between slices.
  func pollDevices()
  /// Serves the call that `cpu` stopped at with KT_STOP_FIRMWARE.
  func serve(_ cpu: CPU) -> ServiceEnd
}

/// What comes of a call of the firmware.
package enum ServiceEnd {
  /// The processor goes on.
  case done
  /// The processor sleeps until an interrupt waits.
  case halted
  case powerOff(Int32)
  case reset
}

extension SystemMachine {
  package func pollDevices() {}
  package func serve(_ cpu: CPU) -> ServiceEnd { .done }

  /// Runs until the guest switches off, can't go on, or a limit is reached. `restart`: a reset starts over instead of
  /// ending the run.
  package func run(_ engine: any Engine, limits: RunLimits = RunLimits(), restart: Bool = true) -> RunEnd {
    defer { output.flush() }
    var run = SystemRun(self, engine, limits)
    return run.run(restarting: restart)
  }
}
