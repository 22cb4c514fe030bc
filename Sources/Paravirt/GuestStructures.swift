// The structures of Linux/ia64's paravirt_ops as they lie in guest memory (asm/paravirt.h, asm/paravirt_privop.h): the
// members of each with their C names, in the order of the structure, and the layout that the C rules give them (LP64:
// every member is aligned to its size). A pointer to a function points to a descriptor: code address, then gp.
import Machine

/// What a member holds.
public enum MemberKind: Sendable {
  /// The address of a function descriptor; 0 where there is none.
  case function
  /// The address of code itself.
  case code
  /// The address of data.
  case data
  case unsigned32, signed32

  /// Bytes, which are its alignment too.
  public var size: UInt64 {
    switch self {
    case .function, .code, .data: return 8
    case .unsigned32, .signed32: return 4
    }
  }
}

/// A member of one of the structures; `allCases` is the structure.
public protocol StructureMember: CaseIterable, Hashable, Sendable where AllCases: RandomAccessCollection {
  /// The structure's name, which is that of its one instance too.
  static var structure: String { get }
  /// The member's name in Linux.
  var name: String { get }
  var kind: MemberKind { get }
}

extension StructureMember where Self: RawRepresentable, RawValue == String {
  /// The member's name in Linux.
  public var name: String { rawValue }
  /// What the member holds.
  public var kind: MemberKind { .function }
}

extension StructureMember {
  /// Where the member stands in the structure, bytes.
  public var layoutOffset: UInt64 {
    var next: UInt64 = 0
    for member in Self.allCases {
      let size = member.kind.size
      next = (next + size - 1) & ~(size - 1)
      if member == self { return next }
      next += size
    }
    return next
  }

  /// Bytes of the structure.
  public static var structureSize: UInt64 {
    let alignment = allCases.map(\.kind.size).max() ?? 1
    let end = allCases.map { $0.layoutOffset + $0.kind.size }.max() ?? 0
    return (end + alignment - 1) & ~(alignment - 1)
  }
}

/// struct pv_info: what the kernel runs on.
public enum PvInfo: String, StructureMember {
  case kernelRPL = "kernel_rpl"
  case paravirtEnabled = "paravirt_enabled"
  case hypervisor = "name"

  /// The structure's name in Linux.
  public static let structure = "pv_info"

  /// What the member holds.
  public var kind: MemberKind {
    switch self {
    case .kernelRPL: return .unsigned32
    case .paravirtEnabled: return .signed32
    case .hypervisor: return .data
    }
  }
}

/// struct pv_init_ops: steps of the boot, and the patchers. A member that is 0 is skipped.
public enum PvInitOps: String, StructureMember {
  case banner
  case reserveMemory = "reserve_memory"
  case archSetupEarly = "arch_setup_early"
  case archSetupConsole = "arch_setup_console"
  case archSetupNoMCA = "arch_setup_nomca"
  case postSMPPrepareBootCPU = "post_smp_prepare_boot_cpu"
  case patchBundle = "patch_bundle"
  case patchInstruction = "patch_inst"
  case patchBranch = "patch_branch"

  /// The structure's name in Linux.
  public static let structure = "pv_init_ops"
}

/// struct pv_cpu_ops. Its functions take their arguments in the registers of a call site, not as C does.
extension Operation: StructureMember {
  /// The structure's name in Linux.
  public static let structure = "pv_cpu_ops"
  /// What the member holds.
  public var kind: MemberKind { .function }
}

/// struct pv_cpu_asm_switch: the entry points that the branch sites lead to, in the order of the branch types.
public enum PvCPUAsmSwitch: String, StructureMember {
  case switchTo = "switch_to"
  case leaveSyscall = "leave_syscall"
  case workProcessedSyscall = "work_processed_syscall"
  case leaveKernel = "leave_kernel"

  /// The structure's name in Linux.
  public static let structure = "pv_cpu_asm_switch"
  /// What the member holds.
  public var kind: MemberKind { .code }

  /// The variable through which an unpatched branch site goes.
  public var targetVariable: String { "paravirt_\(rawValue)_targ" }
}

/// struct pv_iosapic_ops: the interrupt routers.
public enum PvIOSAPICOps: String, StructureMember {
  case pcatCompatInit = "pcat_compat_init"
  case getIRQChip = "__get_irq_chip"
  case read = "__read"
  case write = "__write"

  /// The structure's name in Linux.
  public static let structure = "pv_iosapic_ops"
}

/// struct pv_irq_ops: vectors and interrupts between processors.
public enum PvIRQOps: String, StructureMember {
  case registerIPI = "register_ipi"
  case assignIRQVector = "assign_irq_vector"
  case freeIRQVector = "free_irq_vector"
  case registerPerCPUIRQ = "register_percpu_irq"
  case resendIRQ = "resend_irq"

  /// The structure's name in Linux.
  public static let structure = "pv_irq_ops"
}

/// struct pv_time_ops: stolen time and the clock.
public enum PvTimeOps: String, StructureMember {
  case initMissingTicksAccounting = "init_missing_ticks_accounting"
  case doStealAccounting = "do_steal_accounting"
  case clocksourceResume = "clocksource_resume"
  case schedClock = "sched_clock"

  /// The structure's name in Linux.
  public static let structure = "pv_time_ops"
}

/// struct pv_fsys_data: the light-weight system calls.
public enum PvFsysData: String, StructureMember {
  case fsyscallTable = "fsyscall_table"
  case fsysBubbleDown = "fsys_bubble_down"

  /// The structure's name in Linux.
  public static let structure = "pv_fsys_data"
  /// What the member holds.
  public var kind: MemberKind { self == .fsyscallTable ? .data : .code }
}

/// struct pv_patchdata: what is patched in the gate page, and the page itself. The first eight are numbered by Linux's
/// enum pv_gate_patchlist.
public enum PvPatchData: String, StructureMember {
  case startFsyscall = "start_fsyscall_patchlist"
  case endFsyscall = "end_fsyscall_patchlist"
  case startBrlFsysBubbleDown = "start_brl_fsys_bubble_down_patchlist"
  case endBrlFsysBubbleDown = "end_brl_fsys_bubble_down_patchlist"
  case startVtop = "start_vtop_patchlist"
  case endVtop = "end_vtop_patchlist"
  case startMcKinleyE9 = "start_mckinley_e9_patchlist"
  case endMcKinleyE9 = "end_mckinley_e9_patchlist"
  case gateSection = "gate_section"

  /// The structure's name in Linux.
  public static let structure = "pv_patchdata"
  /// What the member holds.
  public var kind: MemberKind { .data }
}

/// One structure of a guest, by value.
public struct GuestStructure<Member: StructureMember>: Equatable, Sendable {
  private var values: [Member: UInt64] = [:]

  /// All members 0.
  public init() {}

  /// From the structure's bytes; nil where they are too few.
  public init?(_ bytes: UnsafeRawBufferPointer) {
    guard bytes.count >= Int(Member.structureSize) else { return nil }
    for member in Member.allCases {
      let offset = Int(member.layoutOffset)
      values[member] =
        switch member.kind {
        case .function, .code, .data:
          UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        case .unsigned32: UInt64(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
        case .signed32:
          UInt64(
            bitPattern: Int64(Int32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self))))
        }
    }
  }

  /// A member's value: an address, or the number (a signed one sign-extended).
  public subscript(member: Member) -> UInt64 {
    get { values[member] ?? 0 }
    set { values[member] = newValue }
  }

  /// The structure as it lies in guest memory.
  public var bytes: [UInt8] {
    var bytes = [UInt8](repeating: 0, count: Int(Member.structureSize))
    for member in Member.allCases {
      for index in 0..<Int(member.kind.size) {
        bytes[Int(member.layoutOffset) + index] = UInt8(truncatingIfNeeded: self[member] >> UInt64(8 * index))
      }
    }
    return bytes
  }
}

/// A function descriptor.
public struct FunctionDescriptor: Hashable, Sendable {
  /// Address of the first bundle.
  public var entry: UInt64
  /// Its global pointer (r1).
  public var gp: UInt64

  /// A descriptor of both addresses.
  public init(entry: UInt64, gp: UInt64) {
    self.entry = entry
    self.gp = gp
  }
}

extension ParavirtImage {
  /// What the image holds of a structure at the start; nil where it has none.
  public func structure<Member: StructureMember>(_ member: Member.Type) -> GuestStructure<Member>? {
    let address = Member.self == Operation.self ? table : symbols.value(of: Member.structure)
    guard let address, let bytes = bytes(at: address, Member.structureSize) else { return nil }
    return bytes.withUnsafeBytes { GuestStructure<Member>($0) }
  }

  /// The function whose descriptor stands at an address of the image; nil where there is none, or its code is none.
  public func function(descriptor: UInt64) -> FunctionDescriptor? {
    guard let words = bytes(at: descriptor, 16).map({ ByteReader(Array($0)) }), let entry = words.u64(0),
      let gp = words.u64(8), entry & 15 == 0, image.segment(containing: entry)?.isExecutable == true
    else { return nil }
    return FunctionDescriptor(entry: entry, gp: gp)
  }

  /// The address of the code that a variable of the image holds (`paravirt_switch_to_targ` …).
  public func word(_ symbol: String) -> UInt64? {
    guard let address = symbols.value(of: symbol), let bytes = bytes(at: address, 8) else { return nil }
    return ByteReader(Array(bytes)).u64(0)
  }

  private func bytes(at address: UInt64, _ count: UInt64) -> ArraySlice<UInt8>? {
    image.fileOffset(ofVirtual: address, count: count).map { image.bytes[$0..<$0 + Int(count)] }
  }
}

/// A member of a structure that an image holds.
public struct TableEntry: Sendable, Equatable {
  /// The structure's name in Linux.
  public var structure: String
  /// The member's name in Linux.
  public var member: String
  /// Bytes from the structure's start.
  public var offset: UInt64
  /// What the image holds there.
  public var value: UInt64
  /// What the value names: a function, code, or data; empty for 0 and for numbers.
  public var symbol: String
}

extension ParavirtImage {
  /// Every member of every structure that the image holds, and where the branch sites lead.
  public func tableEntries() -> [TableEntry] {
    var entries = self.entries(PvInfo.self) + self.entries(PvInitOps.self) + self.entries(Operation.self)
    entries += self.entries(PvIOSAPICOps.self) + self.entries(PvIRQOps.self) + self.entries(PvTimeOps.self)
    entries += self.entries(PvFsysData.self) + self.entries(PvPatchData.self)
    for member in PvCPUAsmSwitch.allCases {
      guard let value = word(member.targetVariable) else { continue }
      entries.append(
        TableEntry(
          structure: PvCPUAsmSwitch.structure, member: member.name, offset: member.layoutOffset, value: value,
          symbol: symbols.describe(value)))
    }
    return entries
  }

  private func entries<Member: StructureMember>(_ type: Member.Type) -> [TableEntry] {
    guard let structure = structure(type) else { return [] }
    return type.allCases.map { member in
      TableEntry(
        structure: type.structure, member: member.name, offset: member.layoutOffset, value: structure[member],
        symbol: describe(structure[member], member.kind))
    }
  }

  private func describe(_ value: UInt64, _ kind: MemberKind) -> String {
    guard value != 0 else { return "" }
    switch kind {
    case .function: return symbols.describe(function(descriptor: value)?.entry ?? value)
    case .code, .data: return symbols.describe(value)
    case .unsigned32, .signed32: return ""
    }
  }
}
