// libffi closures: a Swift closure with a code address of its own, which the guest's call sites reach like any C
// function. libffi 3.4 takes them from its static trampolines, so no memory is ever writable and executable.
import CFFI
import CSupport
import Machine

/// What a Swift closure behind a code address looks like inside: processor, then five argument registers, of which the
/// operation's count are given.
package typealias HostBody = @Sendable (CPU, UInt64, UInt64, UInt64, UInt64, UInt64) -> UInt64

/// The C signature of an operation as libffi wants it. Lives as long as the process: closures and slots point to it.
package struct OperationSignature: @unchecked Sendable {
  package let cif: UnsafeMutablePointer<ffi_cif>

  private init(arguments: Int, hasResult: Bool) {
    cif = .allocate(capacity: 1)
    let types = UnsafeMutablePointer<UnsafeMutablePointer<ffi_type>?>.allocate(capacity: arguments + 1)
    types[0] = kt_ffi_type_pointer()
    for index in 0..<arguments { types[index + 1] = kt_ffi_type_uint64() }
    let result = hasResult ? kt_ffi_type_uint64() : kt_ffi_type_void()
    let status = ffi_prep_cif(cif, FFI_DEFAULT_ABI, UInt32(arguments + 1), result, types)
    precondition(status == FFI_OK, "libffi refuses a signature of integers")
  }

  private static let all: [OperationSignature] = Operation.allCases.map {
    OperationSignature(arguments: $0.argumentCount, hasResult: $0.hasResult)
  }

  package static func of(_ operation: Operation) -> OperationSignature { all[Int(operation.rawValue)] }
}

/// What libffi hands to every call of a closure. `body` is constant, so a call needs no reference counting.
private final class ClosureContext {
  let body: HostBody
  let arguments: Int
  let hasResult: Bool

  init(body: @escaping HostBody, operation: Operation) {
    self.body = body
    arguments = operation.argumentCount
    hasResult = operation.hasResult
  }

  @inline(__always) func call(_ values: UnsafeMutablePointer<UnsafeMutableRawPointer?>) -> UInt64 {
    let cpu = values[0].unsafelyUnwrapped.load(as: CPU.self)
    @inline(__always) func value(_ index: Int) -> UInt64 { values[index].unsafelyUnwrapped.load(as: UInt64.self) }
    switch arguments {
    case 0: return body(cpu, 0, 0, 0, 0, 0)
    case 1: return body(cpu, value(1), 0, 0, 0, 0)
    case 2: return body(cpu, value(1), value(2), 0, 0, 0)
    default: return body(cpu, value(1), value(2), value(3), value(4), value(5))
    }
  }
}

/// Where every closure arrives: `user` is its context. A result is written as a whole register (ffi_arg).
private func closureEntry(
  _ cif: UnsafeMutablePointer<ffi_cif>?, _ result: UnsafeMutableRawPointer?,
  _ values: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, _ user: UnsafeMutableRawPointer?
) {
  let context = Unmanaged<ClosureContext>.fromOpaque(user.unsafelyUnwrapped)
  context._withUnsafeGuaranteedRef { context in
    let value = context.call(values.unsafelyUnwrapped)
    if context.hasResult { result.unsafelyUnwrapped.storeBytes(of: value, as: UInt64.self) }
  }
}

/// A Swift closure as a native function. Must outlive every call: the operation table retires replaced ones and frees
/// them when no guest thread can be inside.
package final class HostClosure: @unchecked Sendable {
  /// The function.
  package let code: kt_callable
  private let closure: UnsafeMutableRawPointer
  private let context: Unmanaged<ClosureContext>

  /// nil where libffi has no memory for another closure.
  package init?(_ operation: Operation, _ body: @escaping HostBody) {
    var code: UnsafeMutableRawPointer?
    guard let closure = ffi_closure_alloc(MemoryLayout<ffi_closure>.size, &code), let code else { return nil }
    let context = Unmanaged.passRetained(ClosureContext(body: body, operation: operation))
    let status = ffi_prep_closure_loc(
      closure.assumingMemoryBound(to: ffi_closure.self), OperationSignature.of(operation).cif, closureEntry,
      context.toOpaque(), code)
    guard status == FFI_OK else {
      ffi_closure_free(closure)
      context.release()
      return nil
    }
    self.closure = closure
    self.context = context
    self.code = unsafeBitCast(code, to: kt_callable.self)
  }

  deinit {
    ffi_closure_free(closure)
    context.release()
  }
}
