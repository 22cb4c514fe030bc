// The guest processor as a host-side operation sees it: a view of its state, and the native operations to fall back on.
import CSupport
import Machine

/// The processor that executes a call site. Valid while the operation runs.
public struct GuestProcessor {
  package let cpu: CPU

  package init(_ cpu: CPU) { self.cpu = cpu }

  /// Its number, from 0.
  public var index: Int { Int(cpu.pointee.index) }

  /// Address of the call site that is being executed.
  public var site: UInt64 { cpu.pointee.ip }

  /// Processor status register, as `mov r1=psr` gives it (SDM vol. 2, 3.3.2).
  public var psr: UInt64 { cpu.readPSR() }

  /// General register `number`, 0 to 31; writing r0 does nothing.
  public subscript(gr number: Int) -> UInt64 {
    get {
      precondition((0..<32).contains(number), "general registers 0 to 31")
      return cpu.readGR(number)
    }
    nonmutating set {
      precondition((0..<32).contains(number), "general registers 0 to 31")
      if number != 0 { cpu.writeGR(number, newValue) }
    }
  }

  /// Region register `number`, 0 to 7 (SDM vol. 2, 4.1.2).
  public func regionRegister(_ number: Int) -> UInt64 { kt_region_registers(cpu)[number & 7] }

  /// Executes the native form of an operation: what the guest's own code would have done. Arguments in the order of
  /// the register ABI; the result is 0 for an operation without one.
  @discardableResult
  public func native(
    _ operation: Operation, _ a: UInt64 = 0, _ b: UInt64 = 0, _ c: UInt64 = 0, _ d: UInt64 = 0, _ e: UInt64 = 0
  ) -> UInt64 {
    operation.native(cpu, a, b, c, d, e)
  }
}

/// An operation together with the type of the Swift closures that can be bound to it, so that a closure with other
/// arguments does not compile.
public struct BindableOperation<Body>: Sendable {
  /// The operation that a closure of this form can be bound to.
  public let operation: Operation
}

/// No argument; the result goes to r8.
public typealias BodyWithResult = @Sendable (GuestProcessor) -> UInt64
/// No argument, no result.
public typealias BodyWithoutResult = @Sendable (GuestProcessor) -> Void
/// r8; the result goes to r8.
public typealias Body1WithResult = @Sendable (GuestProcessor, UInt64) -> UInt64
/// r8.
public typealias Body1WithoutResult = @Sendable (GuestProcessor, UInt64) -> Void
/// r8 and r9.
public typealias Body2WithoutResult = @Sendable (GuestProcessor, UInt64, UInt64) -> Void
/// r8, r9, r10, r11 and r14.
public typealias Body5WithoutResult = @Sendable (GuestProcessor, UInt64, UInt64, UInt64, UInt64, UInt64) -> Void

extension BindableOperation where Body == BodyWithResult {
  /// psr.i where it stands: 0 or 1 << 14.
  public static var getPSRI: Self { .init(operation: .getPSRI) }
}

extension BindableOperation where Body == BodyWithoutResult {
  /// Sets psr.i.
  public static var ssmI: Self { .init(operation: .ssmI) }
  /// Clears psr.i.
  public static var rsmI: Self { .init(operation: .rsmI) }
}

extension BindableOperation where Body == Body1WithResult {
  /// (address) → address of its translation's hash table entry.
  public static var thash: Self { .init(operation: .thash) }
  /// (index) → processor identification register.
  public static var getCPUID: Self { .init(operation: .getCPUID) }
  /// (index) → performance monitor data register.
  public static var getPMD: Self { .init(operation: .getPMD) }
  /// (register number, `KernelRegister`) → its value.
  public static var getreg: Self { .init(operation: .getreg) }
  /// (address in the region) → region register.
  public static var getRR: Self { .init(operation: .getRR) }
}

extension BindableOperation where Body == Body1WithoutResult {
  /// (address): flushes the cache line.
  public static var fc: Self { .init(operation: .fc) }
  /// (flags, 0 or 1 << 14): sets or clears psr.i.
  public static var irqRestore: Self { .init(operation: .irqRestore) }
}

extension BindableOperation where Body == Body2WithoutResult {
  /// (value, register number): the other way round than Linux's prototype, as the register ABI has it.
  public static var setreg: Self { .init(operation: .setreg) }
  /// (address, size): size as the instruction's operand, log2 of the bytes in bits 7:2.
  public static var ptcga: Self { .init(operation: .ptcga) }
  /// (address in the region, value).
  public static var setRR: Self { .init(operation: .setRR) }
}

extension BindableOperation where Body == Body5WithoutResult {
  /// (rr0, rr1, rr2, rr3, rr4).
  public static var setRR0ToRR4: Self { .init(operation: .setRR0ToRR4) }
}
