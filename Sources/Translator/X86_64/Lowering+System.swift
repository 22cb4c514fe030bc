// What system instructions have of their own: the clock, cache lines, external interrupts, counters.
import CSupport

extension Lowering {
  func lowerSystem(_ index: Int, _ node: Node) {
    switch node.op {
    case .clock: lowerClock(index, Int32(node.imm))
    case .flushLine: addStub(.exit, index, exit: Int(node.imm), from: compareTag(register(node.a), 1, write: false))
    case .exitIfPending:
      a.load(.rax, state(StateOffset.irr))
      for word in 1..<4 { a.arithmetic(.or, .rax, state(StateOffset.irr + Int32(word) * 8)) }
      addStub(.exit, index, exit: Int(node.imm), from: a.jump(if: .notEqual))
    case .endInterrupt: lowerEndInterrupt(index, Int(node.imm))
    case .countCall:
      a.move(.rax, immediate: node.imm)
      a.arithmetic(.add, Address(.rax), immediate: 1)
    default:  // exitIfState
      a.arithmetic(.cmp, state(Int32(node.imm >> 32)), immediate: 0, .byte)
      addStub(.exit, index, exit: Int(node.imm & 0xffff_ffff), from: a.jump(if: .notEqual))
    }
  }

  func lowerClock(_ index: Int, _ issued: Int32) {
    if context.virtualClock {
      let r = allocate()
      a.load(r, state(StateOffset.deadline))
      a.arithmetic(.sub, r, .r13)
      if charged != issued { a.arithmetic(.sub, r, immediate: charged - issued) }
      return define(index, r)
    }
    if inRegister[Int(Register.rdx.number)] >= 0 { evict(.rdx) }
    a.readTimeStampCounter()
    a.shift(.left, .rdx, by: 32)
    a.arithmetic(.or, .rdx, .rax)
    define(index, .rdx)
  }

  /// Clears the highest bit of the vectors in service, of which 2 and 0 have an order of their own.
  func lowerEndInterrupt(_ index: Int, _ refused: Int) {
    a.test(state(StateOffset.inService), immediate: 5, .byte)
    addStub(.exit, index, exit: refused, from: a.jump(if: .notEqual))
    let word = Address(.rbx, StateOffset.inService - Int32(KT_CPU_BIAS), index: .rcx, scale: 3)
    let bit = allocate()
    a.move(.rcx, immediate: 3)
    let next = a.cursor
    a.load(.rax, word)
    a.test(.rax, .rax)
    let found = a.shortJump(if: .notEqual)
    a.arithmetic(.sub, .rcx, immediate: 1, .long)
    a.shortJump(if: .notSign, backTo: next)
    let none = a.shortJump(if: .sign)
    a.bindShort(found)
    a.bitScanReverse(bit, .rax)
    a.bitReset(.rax, bit)
    a.store(word, .rax)
    a.bindShort(none)
  }
}
