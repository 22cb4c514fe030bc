// Integer division by the host's, and floating-point results that are put off (DeferredFloats.swift).
import CSupport

extension Lowering {
  /// Neither operand is 0, and the quotient fits.
  func lowerDivide(_ index: Int, _ node: Node) {
    let run = Unmanaged<DeferredRun>.fromOpaque(UnsafeRawPointer(bitPattern: Int(node.imm))!).takeUnretainedValue()
    for register in 2..<32 where run.pending >> UInt32(register) & 1 != 0 {
      forgetSlot(Slot.significand(register))
      forgetSlot(Slot.exponent(register))
    }
    let dividend = register(node.a), divisor = register(node.b)
    a.store(state(StateOffset.deferredA), dividend)
    a.store(state(StateOffset.deferredB), divisor)
    a.move(.rax, immediate: node.imm)
    a.store(state(StateOffset.deferred), .rax)
    a.store(state(StateOffset.deferredMask), immediate: Int32(bitPattern: run.pending), .long)
    a.move(.rcx, divisor)
    a.move(.rax, dividend)
    if inRegister[Int(Register.rdx.number)] >= 0 { evict(.rdx) }
    if node.condition != 0 {
      a.move(.rdx, immediate: 0)
    } else {
      a.signExtendToPair()
    }
    a.divide(.rcx, signed: node.condition == 0)
    let r = allocate()
    a.move(r, .rax)
    define(index, r)
  }

  /// What a guest register held is of no interest any more.
  private func forgetSlot(_ slot: Int) {
    let old = dirtyValue[slot]
    if old >= 0 {
      makeClean(slot)
      releaseIfDead(old)
    }
    loseHome(slot)
  }

  /// Has results put off that are wanted, those of `registers`, computed.
  func lowerSettle(_ index: Int, _ registers: UInt32) {
    a.test(state(StateOffset.deferredMask), immediate: Int32(bitPattern: registers), .long)
    let stub = addStub(.settle, index, from: a.jump(if: .notEqual))
    stubs[stub].back = a.cursor
  }
}
