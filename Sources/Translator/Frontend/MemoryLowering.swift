// Loads and stores of general registers to IR (formats M1–M5). Without an ALAT an advanced load is a load, and a check
// load loads again. What may defer or bring a NaT leaves to the interpreter on its rare path.
import IA64

extension Frontend {
  private enum Update { case none, register, immediate }

  mutating func lowerMemory(_ i: Instruction) {
    let index = i.opcode.index
    if index >= Opcode.st1.index { return lowerStore(i) }
    let base: Int, update: Update
    if index >= Opcode.ld1_i.index {
      (base, update) = (Opcode.ld1_i.index, .immediate)
    } else if index >= Opcode.ld1_r.index {
      (base, update) = (Opcode.ld1_r.index, .register)
    } else {
      (base, update) = (Opcode.ld1.index, .none)
    }
    let offset = index - base
    // Within each form: six groups of four sizes, ld8.fill at 24, then the check loads in groups of four.
    if i.opcode == .ld16 || i.opcode == .ld16_acq { return interpret(i) }
    let fill = offset == 24
    let size: UInt8 = fill ? 8 : 1 << UInt8((offset < 24 ? offset : offset - 25) & 3)
    guard isWritable(i.r1), update == .none || (isWritable(i.r3) && i.r1 != i.r3) else { return leaveToInterpreter() }
    let address = gr(i.r3)
    builder.base = i.r3
    if fill {
      // The NaT bit that comes with the register: where it is set the interpreter fills.
      let bit = builder.shift(.shiftRight, address, 3)
      let nat = builder.emit(.testBitVariable, builder.read(Slot.unat), bit)
      let interpreting = builder.makeExit(.interpret, to: here)
      _ = builder.emit(.exitIf, builder.predicate < 0 ? nat : builder.both(nat, builder.predicate), imm: interpreting)
    }
    let increment = update == .register ? gr(i.r2) : -1
    let updated: Int32 = switch update {
    case .none: -1
    case .immediate: builder.addImmediate(address, i.imm)
    case .register: builder.add(address, increment)
    }
    let old = builder.predicate >= 0 ? gr(i.r1) : -1
    let value: Int32
    if !i.flags.isDisjoint(with: [.speculative, .advanced]) {
      let interpreting = builder.makeExit(.interpret, to: here)
      value = builder.emit(.load, address, old, builder.predicate, imm: interpreting, size: size, condition: 1)
    } else {
      value = builder.emit(.load, address, old, builder.predicate, size: size)
    }
    builder.put(generalSlot(i.r1), value)
    if updated >= 0 { setGR(i.r3, updated) }
  }

  private mutating func lowerStore(_ i: Instruction) {
    let immediate = i.opcode.index >= Opcode.st1_i.index
    if i.opcode == .st16 || i.opcode == .st16_rel { return interpret(i) }
    let offset = i.opcode.index - (immediate ? Opcode.st1_i.index : Opcode.st1.index)
    let spill = offset == 8
    let size: UInt8 = spill ? 8 : 1 << UInt8(offset & 3)
    if immediate && !isWritable(i.r3) { return leaveToInterpreter() }
    let address = gr(i.r3), value = gr(i.r2)
    builder.base = i.r3
    let updated = immediate ? builder.addImmediate(address, i.imm) : -1
    let unat = spill
      ? builder.emit(.resetBitVariable, builder.read(Slot.unat), builder.shift(.shiftRight, address, 3)) : -1
    _ = builder.emit(.store, address, value, builder.predicate, size: size)
    if spill { builder.write(Slot.unat, unat) }
    if updated >= 0 { setGR(i.r3, updated) }
    endStore()
  }

  /// A store into code leaves behind itself.
  mutating func endStore() {
    let issued = builder.issued
    builder.issued += 1
    let exit = builder.makeExit(.resume, to: next)
    _ = builder.emit(.storeEnd, imm: exit)
    builder.issued = issued
  }
}
