// Quotients and square roots to IR: the host's division or root where the run's last instruction stands, and for the
// steps before it the note that they are put off.
import CSupport
import IA64
import Machine

extension Frontend {
  private static let scanLimit: UInt64 = 40 * 16

  /// Looks whether frcpa or frsqrta at hand begins a run, and begins it; false where it is lowered as any other.
  mutating func beginSequence(_ i: Instruction) -> Bool {
    guard options.contains(.sequences), isNative, sequence == nil, division == nil, instructionLimit == .max,
      (sites?.pointee.count ?? 0) == 0, builder.block.mode & (Mode.dfl | Mode.dfh) == 0,
      builder.block.count < Block.capacity / 2, builder.block.exitCount < Block.exitCapacity / 2,
      let window = findSequence(i)
    else { return false }
    let first = window.isRoot ? i.f3 : i.f2
    if isKnownOther(first) || isKnownOther(i.f3) { return false }
    guard let a = double(first), let b = window.isRoot ? a : double(i.f3) else { return false }
    let refused = builder.makeExit(.interpret, to: here)
    // Both status fields as compilers set them, and sf1's inexact flag, which a run raises, set already.
    let mask: Int64 = 0xcff | 0x7f << 19 | 1 << 31, plain: Int64 = 0x3f | 0x4e << 19 | 1 << 31
    let fpsr = builder.andImmediate(builder.emit(.loadState, imm: Int64(StateOffset.fpsr)), mask)
    builder.exit(
      if: builder.compare(.notEqual, fpsr, builder.constant(plain), size: 8), .interpret, to: here)
    builder.controlsKnown = true
    _ = builder.emit(
      .checkOperands, a, window.isRoot ? -1 : b, imm: refused, size: window.isSingle ? 4 : 8)
    _ = builder.emit(.noteRun, a, b, imm: window.run.pointer)
    sequences.append(window.run)
    sequence = (window, a, b)
    putOff(i.f1, step: 0)
    builder.put(predicateSlot(i.p2), builder.constant(Int64(1)))
    return true
  }

  private func findSequence(_ i: Instruction) -> SequenceWindow? {
    guard let text, var scan = SequenceScan(i, at: here) else { return nil }
    for n in 1..<32 {
      if builder.current[n] >= 0, let known = builder.known(builder.current[n]) {
        scan.constants[UInt8(n)] = UInt64(bitPattern: known)
      }
      let form = builder.current[Slot.exponent(n)], bits = builder.current[Slot.significand(n)]
      if n > 1 && scan.registers[n] == .other && form >= 0 && bits >= 0 && builder.known(form) == Frontend.packed,
        let known = builder.known(bits) {
        scan.registers[n] = SequenceValue(constant: Double(bitPattern: UInt64(bitPattern: known)))
      }
    }
    // Across the granule's end only in a process, which tells of changes of its mappings.
    var limit = page &+ 4096
    if let cpu, cpu.pointee.is_process != 0 {
      limit = bundle &+ cpu.readableCode(bundle, physical: bundle, host: text + Int(bundle &- page))
    }
    var address = bundle, slot = slot + 1
    while !scan.found {
      guard address < limit, address - bundle < Frontend.scanLimit else { return nil }
      let decoded = Decoder.decode(InstructionBundle(loadingFrom: text + Int(address &- page)))
      while slot < decoded.count && !scan.found {
        guard scan.read(decoded[slot], at: address | UInt64(slot)) else { return nil }
        slot += 1
      }
      address &+= 16
      slot = 0
    }
    return scan.window
  }

  /// The instruction's result is put off: `step` of the run at hand.
  private mutating func putOff(_ n: UInt8, step: Int) {
    let run = sequence!.window.run
    builder.put(Slot.exponent(Int(n)), builder.constant(run.mark(step)))
    builder.put(Slot.progress, builder.constant(run.mark(step)))
    markModified(n)
  }

  /// A step or the result of the run at hand; false where the instruction is another.
  mutating func continueSequence(_ i: Instruction) -> Bool {
    guard let (window, a, b) = sequence else { return false }
    if let step = window.steps[here] {
      putOff(i.f1, step: step)
      return true
    }
    guard window.result == here else { return false }
    var result = builder.emit(
      .floatArithmetic, a, window.isRoot ? -1 : b, imm: -1,
      condition: (window.isRoot ? DoubleArithmetic.squareRoot : .divide).rawValue)
    if window.isSingle {
      result = builder.emit(.floatArithmetic, result, imm: -1, condition: DoubleArithmetic.toSingle.rawValue)
    }
    setDouble(i.f1, result)
    builder.put(Slot.progress, builder.constant(Int64(0)))
    sequence = nil
    return true
  }
}
