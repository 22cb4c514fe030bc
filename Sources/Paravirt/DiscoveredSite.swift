// Sites that no record announces: what a kernel without paravirt_ops, or one that calls through pv_cpu_ops as C does,
// holds in their place. Plain data: where the site is, which operation it asks for, and in which registers its operands
// stand, so that whoever binds it need not look at the code again.
import IA64
import Machine

/// Where an operand of a discovered site comes from.
public enum SiteOperand: Hashable, Sendable, CustomStringConvertible {
  /// A general register, as the instruction names it.
  case register(UInt8)
  /// A number that the instruction holds, such as that of the register that getreg reads.
  case constant(UInt64)
  /// The output register of that number of a call: r32 + sol + number.
  case output(UInt8)

  /// As an assembler writes it.
  public var description: String {
    switch self {
    case .register(let number): return "r\(number)"
    case .constant(let value): return hexadecimal(value)
    case .output(let number): return "out\(number)"
    }
  }
}

/// A site that no record announces.
public struct DiscoveredSite: Hashable, Sendable {
  /// How it asks for the operation.
  public enum Kind: String, CaseIterable, Sendable {
    /// One instruction that does what an operation does.
    case instruction
    /// The five-bundle call, without a record.
    case call
    /// A br.call through a member of pv_cpu_ops, as C calls a function.
    case indirectCall = "indirect-call"
  }

  /// How it asks for the operation.
  public var kind: Kind
  /// A tag: bundle address | slot. Of a five-bundle call the first bundle.
  public var start: UInt64
  /// The tag of what follows: where execution goes on once the operation is done.
  public var end: UInt64
  /// The operation it stands for.
  public var operation: Operation
  /// The register of getreg and setreg, where the code says it.
  public var register: KernelRegister?
  /// In the order of the operation's arguments (setreg: value, number).
  public var arguments: [SiteOperand]
  /// General register of the result; nil where there is none.
  public var result: UInt8?
  /// The site does something only where this predicate is true.
  public var predicate: UInt8
  /// The instruction as the disassembler writes it.
  public var text: String
  /// Function and offset, or an address.
  public var symbol: String

  /// The type a record of the site would have; nil where its register is not known.
  public var type: PatchType? {
    switch operation {
    case .getreg: return register.map { .getreg($0) }
    case .setreg: return register.map { .setreg($0) }
    default: return PatchType(operation)
    }
  }
}

extension Instruction {
  /// What an instruction is in terms of the operations.
  struct Meaning {
    var operation: Operation
    var register: KernelRegister?
    var arguments: [SiteOperand]
    var result: UInt8?
  }

  /// The operation that does what the instruction does; nil where there is none.
  var operation: Meaning? {
    func reads(_ operation: Operation) -> Meaning {
      Meaning(operation: operation, arguments: [.register(r3)], result: r1)
    }
    switch opcode {
    case .fc: return Meaning(operation: .fc, arguments: [.register(r3)])
    case .thash: return reads(.thash)
    case .mov_from_cpuid: return reads(.getCPUID)
    case .mov_from_pmd: return reads(.getPMD)
    case .mov_from_rr: return reads(.getRR)
    case .mov_to_rr: return Meaning(operation: .setRR, arguments: [.register(r3), .register(r2)])
    case .ptc_ga: return Meaning(operation: .ptcga, arguments: [.register(r3), .register(r2)])
    case .ssm where imm == 1 << 14: return Meaning(operation: .ssmI, arguments: [])
    case .rsm where imm == 1 << 14: return Meaning(operation: .rsmI, arguments: [])
    case .mov_from_psr: return Instruction.getreg(.psr, r1)
    case .mov_to_psr_l: return Instruction.setreg(.psr, r2)
    case .mov_from_cr: return Instruction.getreg(.control(Int(r3)), r1)
    case .mov_to_cr: return Instruction.setreg(.control(Int(r3)), r2)
    case .mov_from_ar_m where sensitivity != nil: return Instruction.getreg(.application(Int(r3)), r1)
    case .mov_to_ar_m where sensitivity == .privileged: return Instruction.setreg(.application(Int(r3)), r2)
    default: return nil
    }
  }

  private static func getreg(_ register: KernelRegister, _ result: UInt8) -> Meaning? {
    guard register.isKnown else { return nil }
    return Meaning(
      operation: .getreg, register: register, arguments: [.constant(UInt64(register.rawValue))], result: result)
  }

  private static func setreg(_ register: KernelRegister, _ value: UInt8) -> Meaning? {
    guard register.isKnown else { return nil }
    return Meaning(
      operation: .setreg, register: register, arguments: [.register(value), .constant(UInt64(register.rawValue))])
  }
}
