// What a session is asked to do: the choices that the command line and the library share.
import IA64
import Paravirt
import Platforms

/// Which engine executes the guest.
public enum EngineKind: String, CaseIterable, Sendable {
  /// The reference.
  case interpreter
  /// IA-64 to host code.
  case translator
}

/// Who implements the paravirt_ops operations.
public enum Backend: String, CaseIterable, Sendable {
  /// The guest on what it takes for bare hardware: it patches its sites to native instructions by itself.
  case native
  /// Kittson: every operation a host callable, every call site dispatched by the host patcher.
  case host
}

/// What a kernel believes it runs on, by the name of Linux's machine vector where it has one.
public enum MachineKind: String, CaseIterable, Sendable {
  /// Memory, a console port and a power switch, no firmware (Documentation/bare-machine.md).
  case bare
  /// EFI, SAL, PAL and ACPI over standard devices (Documentation/firmware-machine.md).
  case dig
}

/// What `ar.itc` counts and when timers fire.
public enum ClockKind: String, CaseIterable, Sendable {
  /// The host's time stamp counter.
  case host
  /// Issued slots: a run repeats bit for bit.
  case virtual
}

/// What advanced loads leave behind.
public enum ALATKind: String, CaseIterable, Sendable {
  /// Nothing: check loads load again and chk.a takes its recovery code, as the architecture allows.
  case empty
  /// An entry, until a store or something else removes it.
  case real
}

/// Everything about a run that does not come from the image.
public struct Configuration: Sendable {
  /// Who executes the guest.
  public var engine = EngineKind.translator
  /// How bound call sites are dispatched at first.
  public var dispatch = Dispatch.inlined
  /// Who implements the operations.
  public var backend = Backend.host
  /// What ar.itc counts.
  public var clock = ClockKind.host
  public var alat = ALATKind.empty
  /// The machine; nil: the one that the image was made for.
  public var machine: MachineKind?
  /// Bytes of guest memory (machines); nil: 64 MiB on the bare machine, 512 MiB on the firmware machine.
  public var memorySize: UInt64?
  /// Guest processors (machines), 1 to 8.
  public var processors = 1
  /// The initial RAM disk (firmware machine).
  public var initrd: [UInt8] = []
  /// The guest's command line (machines).
  public var commandLine = ""
  /// Operations from shared libraries.
  public var plugins: [PluginSpecification] = []
  /// Names of the translator's optimisations to leave out.
  public var disabled: [String] = []
  /// Ends the run after so many issued slots.
  public var maximumSlots: UInt64?
  /// Ends the run after so many seconds of host time.
  public var timeout: Double?
  /// A reset starts the guest again.
  public var restartsOnReset = true

  /// Counts the executions of each call site (the interpreter always does).
  public var countsCalls = false
  /// Plants a wrong result in the translator's inlined body of this operation: a test of whoever is to find it.
  public var plantedOperation: Operation?
  /// The same for an instruction: bit 0 of its r1 is inverted.
  package var plantedOpcode: Opcode?

  /// The defaults: translator, inlined, host backend and clock, 64 MiB.
  public init() {}
}

/// Why a session could not be made. `description` is one line: what is wrong, a colon, how to mend it.
public enum SessionError: Error, CustomStringConvertible {
  /// The image is not one that can run here.
  case image(String)
  /// An option is wrong.
  case option(String)
  /// The host refuses something.
  case host(String)

  /// One line: what is wrong, and how to mend it.
  public var description: String {
    switch self {
    case .image(let text), .option(let text), .host(let text): text
    }
  }
}
