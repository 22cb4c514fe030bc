// Floating-point results that emitted code puts off: it knows what a run of instructions computes in the end (an integer
// quotient) and only notes the operands. The registers in between get their values when somebody is about to look at
// floating-point registers, which in compiled programs is hardly ever before the next such run overwrites them.
import CSupport
import Machine

/// A run of instructions with integer operands in two registers at its start.
final class DeferredRun {
  /// The instructions in order, as `computeFloat` is told them, unpredicated.
  var words: [UInt64] = []
  /// Registers that hold the operands at the start.
  var first = 0, second = 0
  /// Bit n: register n (below 32) has a value that is put off.
  var pending: UInt32 = 0
  /// Bit n: the run or what stands between its instructions writes register n.
  var written: UInt32 = 0

  var pointer: Int64 { Int64(Int(bitPattern: Unmanaged.passUnretained(self).toOpaque())) }
}

/// Computes what the processor's `deferred` record puts off.
let settleFloats: @convention(c) (CPU?) -> Void = { cpu in
  let cpu = cpu.unsafelyUnwrapped
  guard cpu.pointee.deferred_mask != 0, let pointer = cpu.pointee.deferred else { return }
  cpu.pointee.deferred_mask = 0
  let run = Unmanaged<DeferredRun>.fromOpaque(pointer).takeUnretainedValue()
  let floats = kt_floats(cpu)
  // The run has raised what it raises when it was put off: the guest may have cleared it since.
  let (psr, fpsr) = (cpu.pointee.psr, cpu.pointee.ar_fpsr)
  // What the run uses beside: these registers have their values, or have been written since.
  let others = run.written & ~run.pending
  let kept = (2..<32).filter { others >> UInt32($0) & 1 != 0 }.map { (register: $0, value: floats[$0]) }
  floats[run.first] = kt_fr(significand: cpu.pointee.deferred_a, sign_exponent: 0x1003e)
  floats[run.second] = kt_fr(significand: cpu.pointee.deferred_b, sign_exponent: 0x1003e)
  for word in run.words where computeFloat(cpu, word) != 0 { preconditionFailure("a put-off result is out of range") }
  for (register, value) in kept { floats[register] = value }
  (cpu.pointee.psr, cpu.pointee.ar_fpsr, cpu.pointee.deferred) = (psr, fpsr, nil)
}
