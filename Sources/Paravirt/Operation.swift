// The fourteen operations of Linux/ia64's struct pv_cpu_ops, and what the host may execute at a call site.
import CSupport

/// A member of struct pv_cpu_ops; the raw value is its position, so its offset in the structure is 8 × rawValue bytes.
public enum Operation: UInt16, CaseIterable, Sendable, CustomStringConvertible {
  case fc = 0
  case thash
  case getCPUID
  case getPMD
  case getreg
  case setreg
  case ptcga
  case getRR
  case setRR
  case setRR0ToRR4
  case ssmI
  case rsmI
  case getPSRI
  case irqRestore

  /// The member's name in Linux.
  public var name: String { Operation.names[Int(rawValue)] }

  /// Its name.
  public var description: String { name }

  /// From the member's name in Linux; also "irq_restore" for intrin_local_irq_restore.
  public init?(name: String) {
    if name == "irq_restore" {
      self = .irqRestore
    } else if let index = Operation.names.firstIndex(of: name) {
      self.init(rawValue: UInt16(index))
    } else {
      return nil
    }
  }

  private static let names = [
    "fc", "thash", "get_cpuid", "get_pmd", "getreg", "setreg", "ptcga", "get_rr", "set_rr", "set_rr0_to_rr4",
    "ssm_i", "rsm_i", "get_psr_i", "intrin_local_irq_restore",
  ]

  /// Offset of the member in struct pv_cpu_ops, bytes.
  public var offset: UInt64 { 8 * UInt64(rawValue) }

  /// How many arguments the operation takes, in the order of `argumentRegisters`.
  /// setreg's are (value, register number): the other way round than its C prototype.
  public var argumentCount: Int {
    switch self {
    case .ssmI, .rsmI, .getPSRI: return 0
    case .fc, .thash, .getCPUID, .getPMD, .getreg, .getRR, .irqRestore: return 1
    case .setreg, .ptcga, .setRR: return 2
    case .setRR0ToRR4: return 5
    }
  }

  /// Whether r8 holds a result afterwards.
  public var hasResult: Bool {
    switch self {
    case .thash, .getCPUID, .getPMD, .getreg, .getRR, .getPSRI: return true
    case .fc, .setreg, .ptcga, .setRR, .setRR0ToRR4, .ssmI, .rsmI, .irqRestore: return false
    }
  }

  /// General registers of the arguments, in order (Linux's register ABI of the call sites).
  public static let argumentRegisters = [8, 9, 10, 11, 14]
  /// General register of the result.
  public static let resultRegister = 8
}

/// What the host executes at a call site (see the table of dispatch states in ARCHITECTURE.md).
public enum Dispatch: UInt8, CaseIterable, Sendable, CustomStringConvertible {
  /// The guest's own indirect call, as any code.
  case emulated = 0
  /// A call through the operation table.
  case indirect
  /// A call straight to the native callable.
  case direct
  /// The operation's own host instructions.
  case inlined

  /// Its name.
  public var description: String {
    switch self {
    case .emulated: return "emulated"
    case .indirect: return "indirect"
    case .direct: return "direct"
    case .inlined: return "inlined"
    }
  }

  /// From the word that the command line uses.
  public init?(name: String) {
    guard let found = Dispatch.allCases.first(where: { $0.description == name }) else { return nil }
    self = found
  }
}
