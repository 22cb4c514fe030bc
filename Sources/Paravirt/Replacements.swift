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
  private var callees: [FunctionDescriptor?]

  package init(_ guest: ParavirtImage) {
    let table = guest.structure(Operation.self)
    callees = Operation.allCases.map { operation in table.flatMap { guest.function(descriptor: $0[operation]) } }
    for backend in PatchBackend.allCases {
      branchTargets[backend] = PvCPUAsmSwitch.allCases.map {
        guest.symbols.value(of: (backend == .native ? "ia64_native_" : "xen_") + $0.name)
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

  func callee(_ operation: Operation) -> FunctionDescriptor? { callees[Int(operation.rawValue)] }
}
