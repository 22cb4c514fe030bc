// The types that patch-site records carry: PARAVIRT_PATCH_TYPE_… of Linux's asm/paravirt_privop.h, and the register
// numbers _IA64_REG_… of asm/ia64regs.h that getreg and setreg types are built with.
import Machine

/// A register as getreg and setreg number it (_IA64_REG_…).
public struct KernelRegister: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
  /// The number of asm/ia64regs.h.
  public let rawValue: UInt32

  /// Any number.
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// _IA64_REG_IP.
  public static let ip = KernelRegister(rawValue: 1016)
  /// _IA64_REG_PSR.
  public static let psr = KernelRegister(rawValue: 1019)
  /// _IA64_REG_GP.
  public static let gp = KernelRegister(rawValue: 1025)
  /// _IA64_REG_SP.
  public static let sp = KernelRegister(rawValue: 1036)
  /// _IA64_REG_TP.
  public static let tp = KernelRegister(rawValue: 1037)

  /// Number of the general register that this one names (gp is r1, sp r12, tp r13), if it is one.
  public var generalRegister: Int? {
    (1025..<1025 + 127).contains(rawValue) ? Int(rawValue) - 1024 : nil
  }

  /// Number of the application register, if it is one.
  public var applicationRegister: Int? {
    (3072..<3072 + 128).contains(rawValue) ? Int(rawValue) - 3072 : nil
  }

  /// Number of the control register, if it is one.
  public var controlRegister: Int? {
    (4096..<4096 + 128).contains(rawValue) ? Int(rawValue) - 4096 : nil
  }

  /// _IA64_REG_AR_…, by its number.
  public static func application(_ number: Int) -> KernelRegister { .init(rawValue: 3072 + UInt32(number)) }
  /// _IA64_REG_CR_…, by its number.
  public static func control(_ number: Int) -> KernelRegister { .init(rawValue: 4096 + UInt32(number)) }

  /// The assembler's name; the number in decimal for a register that has none here.
  public var name: String { KernelRegister.names[rawValue] ?? String(rawValue) }

  /// Its name.
  public var description: String { name }

  /// By its name: psr, ar.k0, cr.itm …
  public init?(name: String) {
    guard let found = KernelRegister.names.first(where: { $0.value == name })?.key else { return nil }
    rawValue = found
  }

  /// Whether Linux names the register at all.
  public var isKnown: Bool { KernelRegister.names[rawValue] != nil }

  /// All registers that Linux numbers, in order.
  public static let all: [KernelRegister] = names.keys.sorted().map { KernelRegister(rawValue: $0) }

  private static let names: [UInt32: String] = {
    var names: [UInt32: String] = [
      1016: "ip", 1019: "psr", 1025: "gp", 1032: "r8", 1033: "r9", 1036: "sp", 1037: "tp",
    ]
    for (number, name) in applicationNames { names[3072 + number] = "ar." + name }
    for (number, name) in controlNames { names[4096 + number] = "cr." + name }
    return names
  }()

  private static let applicationNames: [(UInt32, String)] = [
    (0, "k0"), (1, "k1"), (2, "k2"), (3, "k3"), (4, "k4"), (5, "k5"), (6, "k6"), (7, "k7"), (16, "rsc"),
    (17, "bsp"), (18, "bspstore"), (19, "rnat"), (21, "fcr"), (24, "eflag"), (25, "csd"), (26, "ssd"),
    (27, "cflg"), (28, "fsr"), (29, "fir"), (30, "fdr"), (32, "ccv"), (36, "unat"), (40, "fpsr"), (44, "itc"),
    (64, "pfs"), (65, "lc"), (66, "ec"),
  ]

  private static let controlNames: [(UInt32, String)] = [
    (0, "dcr"), (1, "itm"), (2, "iva"), (8, "pta"), (16, "ipsr"), (17, "isr"), (19, "iip"), (20, "ifa"),
    (21, "itir"), (22, "iipa"), (23, "ifs"), (24, "iim"), (25, "iha"), (64, "lid"), (65, "ivr"), (66, "tpr"),
    (67, "eoi"), (68, "irr0"), (69, "irr1"), (70, "irr2"), (71, "irr3"), (72, "itv"), (73, "pmv"), (74, "cmcv"),
    (80, "lrr0"), (81, "lrr1"),
  ]
}

/// The type of a patch-site record.
public struct PatchType: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
  /// The number in a record.
  public let rawValue: UInt32

  /// Any number, known or not.
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// PARAVIRT_PATCH_TYPE_FC.
  public static let fc = PatchType(rawValue: 1)
  /// PARAVIRT_PATCH_TYPE_THASH.
  public static let thash = PatchType(rawValue: 2)
  /// PARAVIRT_PATCH_TYPE_GET_CPUID.
  public static let getCPUID = PatchType(rawValue: 3)
  /// PARAVIRT_PATCH_TYPE_GET_PMD.
  public static let getPMD = PatchType(rawValue: 4)
  /// PARAVIRT_PATCH_TYPE_PTCGA.
  public static let ptcga = PatchType(rawValue: 5)
  /// PARAVIRT_PATCH_TYPE_GET_RR.
  public static let getRR = PatchType(rawValue: 6)
  /// PARAVIRT_PATCH_TYPE_SET_RR.
  public static let setRR = PatchType(rawValue: 7)
  /// PARAVIRT_PATCH_TYPE_SET_RR0_TO_RR4.
  public static let setRR0ToRR4 = PatchType(rawValue: 8)
  /// PARAVIRT_PATCH_TYPE_SSM_I.
  public static let ssmI = PatchType(rawValue: 9)
  /// PARAVIRT_PATCH_TYPE_RSM_I.
  public static let rsmI = PatchType(rawValue: 10)
  /// PARAVIRT_PATCH_TYPE_GET_PSR_I.
  public static let getPSRI = PatchType(rawValue: 11)
  /// PARAVIRT_PATCH_TYPE_INTRIN_LOCAL_IRQ_RESTORE.
  public static let irqRestore = PatchType(rawValue: 12)
  /// PARAVIRT_PATCH_TYPE_BR_SWITCH_TO.
  public static let branchSwitchTo = PatchType(rawValue: branchStart)
  /// PARAVIRT_PATCH_TYPE_BR_LEAVE_SYSCALL.
  public static let branchLeaveSyscall = PatchType(rawValue: branchStart + 1)
  /// PARAVIRT_PATCH_TYPE_BR_WORK_PROCESSED_SYSCALL.
  public static let branchWorkProcessedSyscall = PatchType(rawValue: branchStart + 2)
  /// PARAVIRT_PATCH_TYPE_BR_LEAVE_KERNEL.
  public static let branchLeaveKernel = PatchType(rawValue: branchStart + 3)

  private static let getregStart: UInt32 = 0x1000_0000
  private static let setregStart: UInt32 = 0x2000_0000
  private static let branchStart: UInt32 = 0x3000_0000

  /// PARAVIRT_PATCH_TYPE_GETREG plus the register's number.
  public static func getreg(_ register: KernelRegister) -> PatchType {
    PatchType(rawValue: getregStart + register.rawValue)
  }

  /// PARAVIRT_PATCH_TYPE_SETREG plus the register's number.
  public static func setreg(_ register: KernelRegister) -> PatchType {
    PatchType(rawValue: setregStart + register.rawValue)
  }

  /// The twelve types without a register, by value from 1.
  private static let plain: [(operation: Operation, name: String)] = [
    (.fc, "FC"), (.thash, "THASH"), (.getCPUID, "GET_CPUID"), (.getPMD, "GET_PMD"), (.ptcga, "PTCGA"),
    (.getRR, "GET_RR"), (.setRR, "SET_RR"), (.setRR0ToRR4, "SET_RR0_TO_RR4"), (.ssmI, "SSM_I"), (.rsmI, "RSM_I"),
    (.getPSRI, "GET_PSR_I"), (.irqRestore, "INTRIN_LOCAL_IRQ_RESTORE"),
  ]

  private static let branches = [
    "BR_SWITCH_TO", "BR_LEAVE_SYSCALL", "BR_WORK_PROCESSED_SYSCALL", "BR_LEAVE_KERNEL",
  ]

  /// The register of a GETREG or SETREG type.
  public var register: KernelRegister? {
    switch rawValue & 0xf000_0000 {
    case PatchType.getregStart, PatchType.setregStart: return KernelRegister(rawValue: rawValue & 0x0fff_ffff)
    default: return nil
    }
  }

  /// Whether it reads a register.
  public var isGetreg: Bool { rawValue & 0xf000_0000 == PatchType.getregStart }
  /// Whether it writes one.
  public var isSetreg: Bool { rawValue & 0xf000_0000 == PatchType.setregStart }

  /// Number of the branch (0 switch_to … 3 leave_kernel), for a known branch type.
  public var branchNumber: Int? {
    guard rawValue >= PatchType.branchStart, rawValue - PatchType.branchStart < PatchType.branches.count else {
      return nil
    }
    return Int(rawValue - PatchType.branchStart)
  }

  /// The operation that a bundle or instruction record of this type stands for; nil for branches and unknown types.
  public var operation: Operation? {
    if rawValue >= 1, rawValue <= PatchType.plain.count { return PatchType.plain[Int(rawValue) - 1].operation }
    guard let register, register.isKnown else { return nil }
    return isGetreg ? .getreg : .setreg
  }

  /// The type of an operation without a register; nil for getreg and setreg.
  public init?(_ operation: Operation) {
    guard let index = PatchType.plain.firstIndex(where: { $0.operation == operation }) else { return nil }
    rawValue = UInt32(index) + 1
  }

  /// Whether Linux defines the type.
  public var isKnown: Bool { operation != nil || branchNumber != nil }

  /// "THASH", "GETREG psr", "SETREG cr.itm", "BR_SWITCH_TO"; hexadecimal where Linux has no such type.
  public var name: String {
    if rawValue >= 1, rawValue <= PatchType.plain.count { return PatchType.plain[Int(rawValue) - 1].name }
    if let branchNumber { return PatchType.branches[branchNumber] }
    if let register, register.isKnown { return (isGetreg ? "GETREG " : "SETREG ") + register.name }
    return hexadecimal(UInt64(rawValue))
  }

  /// Its name.
  public var description: String { name }

  /// The inverse of `name`.
  public init?(name: String) {
    if let index = PatchType.plain.firstIndex(where: { $0.name == name }) {
      rawValue = UInt32(index) + 1
    } else if let index = PatchType.branches.firstIndex(of: name) {
      rawValue = PatchType.branchStart + UInt32(index)
    } else if name.hasPrefix("GETREG "), let register = KernelRegister(name: String(name.dropFirst(7))) {
      self = .getreg(register)
    } else if name.hasPrefix("SETREG "), let register = KernelRegister(name: String(name.dropFirst(7))) {
      self = .setreg(register)
    } else {
      return nil
    }
  }

  /// Every type that Linux defines a record for.
  public static let all: [PatchType] =
    (1...UInt32(plain.count)).map { PatchType(rawValue: $0) }
    + KernelRegister.all.map { .getreg($0) } + KernelRegister.all.map { .setreg($0) }
    + (0..<UInt32(branches.count)).map { PatchType(rawValue: branchStart + $0) }
}
