// Calls and returns, and indirect branches (decisions/0009).
//
// The frame moves along the ring of stacked registers: r15 alone says where it stands (kt_place_frame). A guest call is
// a host call: behind it stands the landing, which knows the return address and the ar.pfs that a return to it must
// have. A guest return is a host return with its target in rax, ar.pfs in rcx, the mode in edx, and in rsi and rdi how
// to leave before the br.ret. A landing that is not meant, or that the frame forbids, hands these to the return thunk.
import CSupport
import Machine

extension Lowering {
  // MARK: Frames

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
    if sol != 0 { a.arithmetic(.add, .r15, immediate: sol * 8) }
    marker = UInt64(node.imm >> 8)
    storeState(StateOffset.cfm, Int64(bitPattern: marker))
  }

  func lowerGrowFrame(_ index: Int, _ node: Node) {
    a.loadEffectiveAddress(.rax, Address(.r15, Int32(node.imm & 0xff) * 8))
    a.arithmetic(.cmp, .rax, state(StateOffset.frameHigh))
    addStub(.exit, index, exit: Int(node.imm >> 8), from: a.jump(if: .above))
  }

  // MARK: Calls

  func lowerExitCall(_ index: Int, _ node: Node) {
    flush()
    let called = Int(node.imm & 0xffff_ffff), returning = Int(node.imm >> 32)
    let direct = node.a < 0 ? block.exits[called] : nil
    if node.a >= 0 {
      a.move(.rax, register(node.a))
      a.arithmetic(.and, .rax, immediate: -16)
    }
    a.arithmetic(.cmp, .rsp, state(StateOffset.stackLimit))
    let full = a.jump(if: .below)
    let room = a.cursor
    a.loadEffectiveAddress(.rsp, Address(.rsp, -8))
    var refused: UnsafeMutablePointer<UInt8>? = nil, place: UnsafeMutablePointer<UInt8>? = nil
    if let direct {
      let rest = charged - direct.issued
      if rest != 0 { a.arithmetic(.add, .r13, immediate: rest) }
      if direct.backward && !eventsChecked {
        a.arithmetic(.cmp, state(StateOffset.stopRequest), immediate: 0, .word)
        refused = a.jump(if: .notEqual)
      }
      a.align(4, offset: 1)
      place = a.call()
    } else {
      callIndirect()
    }
    emitLanding(returning)
    a.bind(full)
    a.load(.rsp, state(StateOffset.stackBase))
    a.jump(to: room)
    if let place {
      if let refused { a.bind(refused) }
      a.bind(place)
      emitUnlinked(called, place)
    }
  }

  /// rax: target. Calls the block that is remembered; where none is, that is what the engine enters.
  private func callIndirect() {
    a.move(.rcx, immediate: Int64(bitPattern: marker | block.mode << Mode.shift))
    guard context.options.contains(.indirectCache), let cache = context.thunks.indirectCache else {
      return a.call(to: context.thunks.indirect)
    }
    let misses = ThunkEmitter.findRemembered(&a, cache)
    a.call(Address(.rdx, 16))
    let landing = a.shortJump()
    for miss in misses { a.bindShort(miss) }
    a.jump(to: context.thunks.indirect)
    a.bindShort(landing)
  }

  /// What a return to the guest's `returning` exit comes to: rsp is 8 below where it was before the call.
  private func emitLanding(_ returning: Int) {
    let exit = block.exits[returning]
    let sol = Int32(CFM.sol(exit.marker)), sof = Int32(CFM.sof(exit.marker))
    var others: [UnsafeMutablePointer<UInt8>] = []
    a.loadEffectiveAddress(.rsp, Address(.rsp, 8))
    a.arithmetic(.cmp, .rdx, immediate: Int32(block.mode), .long)
    others.append(a.shortJump(if: .notEqual))
    a.move(.r8, immediate: Int64(bitPattern: exit.target))
    a.arithmetic(.cmp, .rax, .r8)
    others.append(a.shortJump(if: .notEqual))
    // ar.ec was 0, as it is but within loops that the compiler pipelined.
    a.move(.r8, immediate: Int64(bitPattern: exit.marker | (block.mode & Mode.cpl) << 62))
    a.arithmetic(.cmp, .rcx, .r8)
    others.append(a.shortJump(if: .notEqual))
    a.loadEffectiveAddress(.r8, Address(.r15, -sol * 8))
    a.arithmetic(.cmp, .r8, state(StateOffset.frameLow))
    others.append(a.shortJump(if: .below))
    a.loadEffectiveAddress(.r9, Address(.r8, sof * 8))
    a.arithmetic(.cmp, .r9, state(StateOffset.frameHigh))
    others.append(a.shortJump(if: .above))
    a.move(.r15, .r8)
    storeState(StateOffset.cfm, Int64(bitPattern: exit.marker))
    a.store(state(StateOffset.ec), immediate: 0)
    a.align(4, offset: 1)
    let place = a.jump()
    for other in others { a.bindShort(other) }
    a.jump(to: context.thunks.returning)
    a.bind(place)
    emitUnlinked(returning, place)
  }

  // MARK: Returns

  func lowerReturn(_ index: Int, _ node: Node) {
    flush()
    let pfs = register(node.a), target = register(node.b)
    let exit = Int(node.imm)
    a.move(.rax, target)
    a.move(.rcx, pfs)
    a.arithmetic(.and, .rax, immediate: -16)
    a.move(.rdx, immediate: Int64(block.mode))
    a.move(.rsi, immediate: Int64(ExitCode.interpret.rawValue) | Int64(context.firstExit + exit) << 8)
    a.move(.rdi, immediate: Int64(charged - block.exits[exit].issued))
    if context.options.contains(.returns) {
      a.ret()
    } else {
      a.jump(to: context.thunks.returning)
    }
  }

  // MARK: Indirect branches

  func lowerExitIndirect(_ index: Int, _ node: Node) {
    flush()
    a.move(.rax, register(node.a))
    a.arithmetic(.and, .rax, immediate: -16)
    a.move(.rcx, immediate: Int64(bitPattern: marker | block.mode << Mode.shift))
    if context.options.contains(.indirectCache), let cache = context.thunks.indirectCache {
      ThunkEmitter.jumpIfRemembered(&a, cache)
    }
    a.jump(to: context.thunks.indirect)
  }
}
