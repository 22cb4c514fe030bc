// Calls and returns: the frame moves along the ring of stacked registers. Indirect branches.
import CSupport

extension Lowering {
  // MARK: Frames

  /// rax: position of the new frame's bottom, already in `bof`.
  func setFrame() {
    a.arithmetic(.and, .rax, immediate: Int32(KT_RING_REGISTERS) - 1, .long)
    a.load(.rcx, state(StateOffset.ring))
    a.loadEffectiveAddress(.r15, Address(.rcx, 0, index: .rax, scale: 3))
    a.store(state(StateOffset.frame), .r15)
    a.arithmetic(.add, .rax, state(StateOffset.ringNaT))
    a.store(state(StateOffset.frameNaT), .rax)
  }

  func lowerCall(_ node: Node) {
    flush()
    // Values that live on must not depend on homes that move.
    for slot in 32..<Slot.generalCount where homeValue[slot] >= 0 {
      let value = homeValue[slot]
      if isNeeded(value) { _ = register(value) }
      values[Int(value)].home = -1
      homeValue[slot] = -1
    }
    let sol = Int32(node.imm & 0xff)
    if sol != 0 {
      a.load(.rax, state(StateOffset.bof))
      a.arithmetic(.add, .rax, immediate: sol)
      a.store(state(StateOffset.bof), .rax)
      setFrame()
    }
    marker = UInt64(node.imm >> 8)
    storeState(StateOffset.cfm, Int64(bitPattern: marker))
  }

  func lowerReturn(_ index: Int, _ node: Node) {
    flush()
    let pfs = register(node.a), target = register(node.b)
    let sol = allocate()
    pin(sol)
    let bottom = allocate()
    pin(bottom)
    let refused = Int(node.imm)
    a.move(sol, pfs)
    a.shift(.right, sol, by: 62)
    a.arithmetic(.cmp, sol, immediate: Int32(block.mode & 3), .long)
    addStub(.exit, index, exit: refused, from: a.jump(if: .above))
    // A frame with rotating registers, or a marker that no frame can have: the interpreter's.
    a.move(sol, pfs)
    a.shift(.left, sol, by: 26)
    a.shift(.right, sol, by: 26 + 14)
    addStub(.exit, index, exit: refused, from: a.jump(if: .notEqual))
    a.move32(sol, pfs)
    a.shift(.right, sol, by: 7, .long)
    a.arithmetic(.and, sol, immediate: 0x7f, .long)
    a.load(bottom, state(StateOffset.bof))
    a.arithmetic(.sub, bottom, sol)
    a.arithmetic(.cmp, bottom, state(StateOffset.storePosition))
    addStub(.exit, index, exit: refused, from: a.jump(if: .less))
    a.move32(.rax, pfs)
    a.arithmetic(.and, .rax, immediate: 0x7f, .long)
    a.arithmetic(.add, .rax, bottom)
    a.arithmetic(.cmp, .rax, state(StateOffset.frameLimit))
    addStub(.exit, index, exit: refused, from: a.jump(if: .greater))
    a.store(state(StateOffset.bof), bottom)
    a.move(.rax, bottom)
    setFrame()
    a.move(.rcx, pfs)
    a.shift(.left, .rcx, by: 26)
    a.shift(.right, .rcx, by: 26)
    a.store(state(StateOffset.cfm), .rcx)
    a.move(.rax, pfs)
    a.shift(.right, .rax, by: 52)
    a.arithmetic(.and, .rax, immediate: 0x3f, .long)
    a.store(state(StateOffset.ec), .rax)
    a.move(.rax, target)
    a.arithmetic(.and, .rax, immediate: -16)
    emitIndirect()
  }

  /// rax: target, rcx: marker.
  func emitIndirect() {
    if block.mode != 0 {
      a.move(.rdx, immediate: Int64(block.mode) << Int64(Mode.shift))
      a.arithmetic(.or, .rcx, .rdx)
    }
    if context.options.contains(.indirectCache), let cache = context.thunks.indirectCache {
      ThunkEmitter.jumpIfRemembered(&a, cache)
    }
    a.jump(to: context.thunks.indirect)
  }

  /// The result of a node whose operand may have given its register: enters it, and leaves the operand none.

  func lowerGrowFrame(_ index: Int, _ node: Node) {
    a.load(.rax, state(StateOffset.bof))
    a.arithmetic(.add, .rax, immediate: Int32(node.imm & 0xff))
    a.arithmetic(.cmp, .rax, state(StateOffset.frameLimit))
    addStub(.exit, index, exit: Int(node.imm >> 8), from: a.jump(if: .greater))
  }

  func lowerExitIndirect(_ index: Int, _ node: Node) {
    flush()
    let target = register(node.a)
    a.move(.rax, target)
    a.arithmetic(.and, .rax, immediate: -16)
    a.load(.rcx, state(StateOffset.cfm))
    emitIndirect()
  }
}
