// The moves and the multiplication by which integers are multiplied (setf.sig, xma.l, getf.sig: formats M18, M19, F2).
// A register that holds an integer has the exponent 0x1003e; operands of another form are the interpreter's.
import CSupport
import IA64
import Machine

extension Frontend {
  static let integerExponent: Int64 = 0x1003e

  /// Physical number of floating-point register `n`.
  func physicalFR(_ n: UInt8) -> Int {
    let n = Int(n)
    if n < 32 { return n }
    let renamed = n + CFM.rrbFR(builder.marker)
    return renamed > 127 ? renamed - 96 : renamed
  }

  func isDisabled(_ n: UInt8) -> Bool {
    n > 1 && builder.block.mode & (n < 32 ? Mode.dfl : Mode.dfh) != 0
  }

  /// The significand of a register that must hold an integer; leaves to the interpreter at run time where it does not.
  mutating func integer(_ n: UInt8) -> Int32 {
    if n == 0 { return builder.constant(Int64(0)) }
    if n == 1 { return builder.constant(Int64.min) }
    let register = physicalFR(n)
    _ = mayKeep(n)  // the predicate may be off: what is read stays in a host register all the same
    let exponent = builder.read(Slot.exponent(register))
    if builder.known(exponent) != Frontend.integerExponent {
      let other = builder.compare(.notEqual, exponent, builder.constant(Frontend.integerExponent), size: 8)
      let condition = builder.predicate < 0 ? other : builder.both(other, builder.predicate)
      _ = builder.emit(.exitIf, condition, imm: builder.makeExit(.interpret, to: here))
      if builder.predicate < 0 {
        // Known from here on, until the register is written.
        builder.current[Slot.exponent(register)] = builder.constant(Frontend.integerExponent)
      }
    }
    return builder.read(Slot.significand(register))
  }

  mutating func setInteger(_ n: UInt8, _ value: Int32) {
    let register = physicalFR(n)
    builder.write(Slot.significand(register), value)
    builder.write(Slot.exponent(register), builder.constant(Frontend.integerExponent))
    called.remove(n)
    markModified(n)
  }

  /// A register that is read or written under a predicate may keep what it has: a mark of what is put off does not go
  /// through host registers. False where it is known to have one.
  mutating func mayKeep(_ n: UInt8) -> Bool {
    let condition = builder.predicate
    if condition < 0 { return true }
    builder.predicate = -1
    defer { builder.predicate = condition }
    return holdsItself(physicalFR(n))
  }

  /// Sets psr.mfl or psr.mfh, once a block where nothing can clear it in between.
  mutating func markModified(_ n: UInt8) {
    let bit = Int64(n < 32 ? PSR.mfl : PSR.mfh)
    if builder.modified & bit != 0 { return }
    _ = builder.emit(.markModified, -1, -1, builder.predicate, imm: bit)
    if builder.predicate < 0 { builder.modified |= bit }
  }

  mutating func lowerIntegerFloat(_ i: Instruction) {
    switch i.opcode {
    case .setf_sig:
      guard i.f1 > 1, !isDisabled(i.f1), mayKeep(i.f1) else { return leaveToInterpreter() }
      setInteger(i.f1, gr(i.r2))
    case .getf_sig:
      guard isWritable(i.r1), !isDisabled(i.f2) else { return leaveToInterpreter() }
      setGR(i.r1, integer(i.f2))
    default:
      guard i.f1 > 1, ![i.f1, i.f2, i.f3, i.f4].contains(where: isDisabled), mayKeep(i.f1) else {
        return leaveToInterpreter()
      }
      let x = integer(i.f3), y = integer(i.f4), z = integer(i.f2)
      setInteger(i.f1, builder.add(builder.multiply(x, y), z))
    }
  }
}
