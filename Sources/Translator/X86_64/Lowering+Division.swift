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
  func forgetSlot(_ slot: Int) {
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

  // MARK: Quotients and roots

  /// Exponents far enough from both ends of the range that the result is normal, whatever the significands.
  func lowerCheckOperands(_ index: Int, _ node: Node) {
    let isSingle = node.size == 4
    func leave(if condition: Condition) { addStub(.exit, index, exit: Int(node.imm), from: a.jump(if: condition)) }
    func exponent(_ value: Int32, _ r: Register, signed: Bool) {
      a.moveFromVector(r, vector(value))
      if isSingle {
        a.test(r, immediate: 0x1fff_ffff, .long)
        leave(if: .notEqual)
      }
      a.shift(.right, r, by: 52)
      if !signed { a.arithmetic(.and, r, immediate: 0x7ff, .long) }
      a.arithmetic(.sub, r, immediate: isSingle ? 897 : 1, .long)
      a.arithmetic(.cmp, r, immediate: isSingle ? 253 : 0x7fd, .long)
      leave(if: .above)
    }
    // A root's operand is positive: the sign counts as part of the exponent.
    exponent(node.a, .rax, signed: node.b < 0)
    if node.b < 0 { return }
    exponent(node.b, .rcx, signed: false)
    a.arithmetic(.sub, .rax, .rcx, .long)
    a.arithmetic(.add, .rax, immediate: isSingle ? 125 : 1021, .long)
    a.arithmetic(.cmp, .rax, immediate: isSingle ? 251 : 2043, .long)
    leave(if: .above)
  }

  /// The operands of the execution before are kept while the new one has not overwritten all it writes.
  func lowerNoteRun(_ node: Node) {
    let x = vector(node.a), y = vector(node.b)
    let pointer = UnsafeRawPointer(bitPattern: Int(node.imm))!
    let run = Unmanaged<DeferredSequence>.fromOpaque(pointer).takeUnretainedValue()
    a.move(.rax, immediate: Int64(Int(bitPattern: run.operands)))
    a.loadVector(0, Address(.rax))
    a.storeVector(Address(.rax, 16), 0)
    a.storeDouble(Address(.rax), x)
    a.storeDouble(Address(.rax, 8), y)
    a.arithmetic(.or, state(StateOffset.deferredMask), immediate: Int32(KT_DEFERRED_RUNS), .byte)
  }
}
