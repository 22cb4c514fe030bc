// What each form of a site holds: a backend's replacement code by patch type, the functions of pv_cpu_ops by operation,
// the entry points of the four branches.
import IA64
import Machine

/// Whose replacement code the guest patcher writes.
public enum PatchBackend: String, CaseIterable, Sendable {
  /// The instructions themselves.
  case native
  /// Xen/ia64's interface: hyperprivops and its shared page; the native code where Xen has none.
  case xen
}

/// What the guest patcher makes of every site.
public enum PatchGoal: Hashable, Sendable {
  /// The backend's code in place; a direct call where it does not fit or there is none.
  case replacement(PatchBackend)
  /// A call of the operation's function without the way through pv_cpu_ops.
  case directCall
  /// The indirect call again: what an unpatched image holds.
  case indirectCall
}

package struct Replacements: Sendable {
  /// Replacement code by backend and type.
  private var bodies: [PatchBackend: [PatchType: [UInt8]]]
  /// By backend, then by number of the branch.
  private var branchTargets: [PatchBackend: [UInt64?]] = [:]
  /// By operation.
  private var callees: [DirectCall.Callee?]

  package init(_ guest: ParavirtImage) {
    callees = Operation.allCases.map { Replacements.callee($0, guest) }
    for backend in PatchBackend.allCases {
      branchTargets[backend] = ["switch_to", "leave_syscall", "work_processed_syscall", "leave_kernel"].map {
        guest.symbols.value(of: (backend == .native ? "ia64_native_" : "xen_") + $0)
      }
    }
    let native = guest.natives.bytes
    bodies = [.native: native, .xen: native.merging(XenBodies.bytes) { $1 }]
  }

  /// Gives a type other replacement code than the backend's own.
  package mutating func set(_ body: [UInt8]?, for type: PatchType, _ backend: PatchBackend) {
    bodies[backend, default: [:]][type] = body
  }

  package func bodies(_ backend: PatchBackend) -> [PatchType: [UInt8]] { bodies[backend] ?? [:] }

  /// Replacement code instruction by instruction, for instruction sites.
  func steps(_ type: PatchType, _ backend: PatchBackend) -> [InstructionSite.Step]? {
    guard let body = bodies[backend]?[type] else { return nil }
    return body.withUnsafeBytes { InstructionSite.steps(of: InstructionSite.bundles($0)) }
  }

  func branchTarget(_ number: Int, _ backend: PatchBackend) -> UInt64? { branchTargets[backend]?[number] }

  func callee(_ operation: Operation) -> DirectCall.Callee? { callees[Int(operation.rawValue)] }

  /// What the image's pv_cpu_ops names for an operation: the contents of a function descriptor.
  private static func callee(_ operation: Operation, _ guest: ParavirtImage) -> DirectCall.Callee? {
    let reader = ByteReader(guest.image.bytes)
    func words(_ address: UInt64, _ count: UInt64) -> [UInt64]? {
      guard let offset = guest.image.fileOffset(ofVirtual: address, count: 8 * count) else { return nil }
      return (0..<count).compactMap { reader.u64(UInt64(offset) + 8 * $0) }
    }
    guard let table = guest.table, let member = checkedEnd(table, operation.offset),
      let descriptor = words(member, 1)?.first, let words = words(descriptor, 2), words[0] & 15 == 0,
      guest.image.segment(containing: words[0])?.isExecutable == true
    else { return nil }
    return DirectCall.Callee(entry: words[0], gp: words[1])
  }
}
