// Floating-point results that emitted code puts off: it knows what a run of instructions computes in the end (a
// quotient or a root) and only notes the operands. The registers in between get their values when somebody is about
// to look at floating-point registers, which in compiled programs is hardly ever before the next such run overwrites
// them.
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

/// A run of instructions with doubles a and b that ends in a quotient or a root. Registers with results that are put
/// off say so themselves: KT_FR_PUT_OFF, the run and the step stand in their upper words. So many runs may be
/// outstanding, and a register that is written is done with.
final class DeferredSequence {
  /// What a step finds in a register that no other step of the run has written.
  struct Input {
    enum Source { case a, b, constant(Double) }
    var register: Int
    var source: Source
  }
  private struct Step {
    var word: UInt64
    var inputs: [Input]
  }
  private var steps: [Step] = []
  /// a and b of the present execution and of the one before: registers that the present one has not come to yet may
  /// still wait for the results of that.
  let operands: UnsafeMutablePointer<UInt64>

  init() {
    operands = .allocate(capacity: 4)
    operands.initialize(repeating: 0, count: 4)
  }
  deinit { operands.deallocate() }

  var count: Int { steps.count }
  func append(_ word: UInt64, _ inputs: [Input]) { steps.append(Step(word: word, inputs: inputs)) }

  var pointer: Int64 { Int64(Int(bitPattern: Unmanaged.passUnretained(self).toOpaque())) }
  /// The upper word of a register that waits for a step. Objects are aligned to 16 bytes, below 2^48.
  func mark(_ step: Int) -> Int64 { Int64(KT_FR_PUT_OFF) | pointer << 4 | Int64(step) }

  static func isMark(_ word: UInt64) -> Bool { word & (KT_FR_PUT_OFF | KT_FR_PACKED_DOUBLE) == KT_FR_PUT_OFF }
  static func of(_ mark: UInt64) -> DeferredSequence {
    let pointer = UnsafeRawPointer(bitPattern: UInt(((mark & ~KT_FR_PUT_OFF) >> 8) << 4))!
    return Unmanaged<DeferredSequence>.fromOpaque(pointer).takeUnretainedValue()
  }
  static func step(_ mark: UInt64) -> Int { Int(mark & 0xff) }

  /// The result of a step, for the operands at `offset`.
  func result(_ step: Int, _ cpu: CPU, operandsAt offset: Int) -> kt_fr {
    let floats = kt_floats(cpu)
    for index in 0...step {
      for input in steps[index].inputs {
        let bits = switch input.source {
        case .a: operands[offset]
        case .b: operands[offset + 1]
        case .constant(let value): value.bitPattern
        }
        floats[input.register] = kt_fr(significand: bits, sign_exponent: KT_FR_PACKED_DOUBLE)
      }
      if computeFloat(cpu, steps[index].word) != 0 { preconditionFailure("a put-off result is out of range") }
    }
    return floats[FloatCall.target(steps[step].word)]
  }
}

/// Computes what registers say is put off.
func settleSequences(_ cpu: CPU) {
  let floats = kt_floats(cpu)
  var any = false
  for n in 2..<32 where DeferredSequence.isMark(floats[n].sign_exponent) { any = true }
  if !any { return }
  let waiting = (2..<32).filter { DeferredSequence.isMark(floats[$0].sign_exponent) }
  let progress = cpu.pointee.deferred_progress
  // What the steps compute with are these registers, and what they raise was raised when they were put off.
  let kept = (2..<32).map { floats[$0] }
  let (psr, fpsr, mask) = (cpu.pointee.psr, cpu.pointee.ar_fpsr, cpu.pointee.deferred_mask)
  cpu.pointee.deferred_mask = 0
  let results = waiting.map { register in
    let mark = kept[register - 2].sign_exponent
    let isEarlier = mark >> 8 == progress >> 8 && mark > progress
    return DeferredSequence.of(mark).result(DeferredSequence.step(mark), cpu, operandsAt: isEarlier ? 2 : 0)
  }
  for n in 2..<32 { floats[n] = kept[n - 2] }
  for (register, value) in zip(waiting, results) { floats[register] = value }
  (cpu.pointee.psr, cpu.pointee.ar_fpsr, cpu.pointee.deferred_mask) = (psr, fpsr, mask)
}

/// Computes what is put off: what registers say themselves, and the processor's `deferred` record.
let settleFloats: @convention(c) (CPU?) -> Void = { cpu in
  let cpu = cpu.unsafelyUnwrapped
  // While emitted code runs, registers may be about to say that they are put off.
  let sequences = cpu.pointee.deferred_mask & UInt32(KT_DEFERRED_RUNS)
  if sequences != 0 { settleSequences(cpu) }
  guard cpu.pointee.deferred_mask != sequences, let pointer = cpu.pointee.deferred else { return }
  cpu.pointee.deferred_mask = sequences
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
