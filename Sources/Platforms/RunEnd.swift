// How a guest's run ended, for the caller that turns it into an exit status (exit statuses: the command line's page).

/// The end of a run.
public enum RunEnd: Equatable, Sendable {
  /// The guest ended by itself: exit status 0…255 (a process's status, or what a machine's power switch was given).
  case exited(Int32)
  /// A Linux process was ended by a signal of this number; the caller ends itself by it.
  case killed(signal: Int32)
  /// The guest asked for a reset, and the caller did not want it restarted.
  case reset
  /// No event can ever wake the guest, or it can't go on (a text for the user).
  case stuck(String)
  /// The limit on executed slots was reached.
  case instructionLimit
  /// The limit on run time was reached.
  case timeout
}
