// Moves between register files to IR (formats I21–I28, M29–M31); everything else goes to the interpreter.
import CSupport
import IA64
import Machine

extension Frontend {
  mutating func lowerMove(_ i: Instruction) {
    switch i.opcode {
    case .mov_to_br, .mov_ret_to_br:
      builder.write(Slot.branches + Int(i.b1), gr(i.r2))
    case .mov_from_br:
      guard isWritable(i.r1) else { return leaveToInterpreter() }
      setGR(i.r1, builder.read(Slot.branches + Int(i.b2)))
    case .mov_from_ip:
      guard isWritable(i.r1) else { return leaveToInterpreter() }
      setGR(i.r1, builder.constant(bundle))
    case .mov_from_ar_i, .mov_from_ar_m: moveFromApplication(i)
    case .mov_to_ar_i, .mov_to_ar_m: moveToApplication(i, gr(i.r2))
    case .mov_to_ar_i_imm, .mov_to_ar_m_imm: moveToApplication(i, builder.constant(i.imm))
    case .mov_from_pr, .mov_to_pr, .mov_to_pr_rot:
      if !lowerPredicateMove(i) { interpret(i) }
    default: interpret(i)
    }
  }

  private func slot(ofApplication n: UInt8) -> Int? {
    switch n {
    case 32: Slot.ccv
    case 36: Slot.unat
    case 64: Slot.pfs
    case 65: Slot.lc
    case 66: Slot.ec
    default: nil
    }
  }

  /// Whether the register may be named by an I-unit (64…) or an M-unit (…63) move.
  private func isRightUnit(_ i: Instruction) -> Bool {
    switch i.opcode {
    case .mov_from_ar_i, .mov_to_ar_i, .mov_to_ar_i_imm: i.ar3 >= 64
    default: i.ar3 < 64
    }
  }

  private mutating func moveFromApplication(_ i: Instruction) {
    guard isRightUnit(i), isWritable(i.r1) else { return leaveToInterpreter() }
    if i.ar3 < 8 {
      setGR(i.r1, builder.emit(.loadState, imm: Int64(StateOffset.kr) + Int64(i.ar3) * 8))
    } else if let slot = slot(ofApplication: i.ar3) {
      setGR(i.r1, builder.read(slot))
    } else if Int(i.ar3) == AR.itc {
      // psr.si keeps it from less privileged code.
      if !isPrivileged { leave(if: builder.testBit(state(StateOffset.psr), 23, set: true)) }
      setGR(i.r1, intervalTimeCounter(slots: 1))
    } else {
      interpret(i)
    }
  }

  private mutating func moveToApplication(_ i: Instruction, _ value: Int32) {
    if i.ar3 < 8, isRightUnit(i), isPrivileged { return setKernelRegister(Int32(i.ar3), value) }
    guard isRightUnit(i), let target = slot(ofApplication: i.ar3) else {
      return isRightUnit(i) ? interpret(i) : leaveToInterpreter()
    }
    switch i.ar3 {
    case 66: builder.write(target, builder.andImmediate(value, 0x3f))
    case 64:
      // Reserved fields fault: bits 51:38 and 61:58.
      let reserved = builder.andImmediate(value, 0x3c0f_ffc0_0000_0000)
      let bad = builder.compare(.notEqual, reserved, builder.constant(Int64(0)), size: 8)
      if builder.known(bad) == 1 { return leaveToInterpreter() }
      builder.exit(if: bad, .interpret, to: here)
      builder.write(target, value)
    default: builder.write(target, value)
    }
  }
}
