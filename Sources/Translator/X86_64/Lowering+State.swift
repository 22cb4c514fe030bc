// Guest registers as the lowering sees them: which value each holds at this point, whether its home is behind, and
// writing home.
import CSupport

extension Lowering {
  // MARK: Addresses

  func state(_ offset: Int32) -> Address { Address(.rbx, offset - Int32(KT_CPU_BIAS)) }

  func home(_ slot: Int) -> Address {
    Slot.isStacked(slot) ? Address(.r15, Int32(slot - 32) * 8) : state(StateOffset.home(slot))
  }

  func spillAddress(_ slot: Int16) -> Address { state(StateOffset.spill + Int32(slot) * 8) }

  func width(ofSlot slot: Int) -> Width { Slot.isPredicate(slot) ? .byte : .quad }

  // MARK: Guest slots

  func makeClean(_ slot: Int) {
    let place = Int(dirtyPlace[slot])
    dirtyCount -= 1
    let last = dirtySlots[dirtyCount]
    dirtySlots[place] = last
    dirtyPlace[Int(last)] = Int16(place)
    values[Int(dirtyValue[slot])].dirty -= 1
    dirtyValue[slot] = -1
  }

  func put(_ slot: Int, _ value: Int32) {
    if values[Int(value)].home == Int16(slot) && homeValue[slot] == value || isPackedAtHome(slot, value) {
      // The home has it already.
      if dirtyValue[slot] >= 0 {
        let old = dirtyValue[slot]
        makeClean(slot)
        releaseIfDead(old)
      }
      return
    }
    let old = dirtyValue[slot]
    if old >= 0 {
      makeClean(slot)
      if old != value { releaseIfDead(old) }
    }
    // Consumed already: nothing but the pin keeps its register.
    pinIfHeld(value)
    loseHome(slot)
    if let form = constant(value), Slot.isExponent(slot), DeferredSequence.isMark(UInt64(bitPattern: form)) {
      // Settling writes the significand behind our back.
      forgetSlot(slot - 1)
    }
    if constant(value) == nil && nodes[Int(value)].flags & Optimizer.elided == 0 && !isHeld(value) { _ = register(value) }
    dirtyValue[slot] = value
    values[Int(value)].dirty += 1
    dirtyPlace[slot] = Int16(dirtyCount)
    dirtySlots[dirtyCount] = Int16(slot)
    dirtyCount += 1
  }

  /// A home is about to be overwritten: a value still wanted that stands only there goes to a register.
  func loseHome(_ slot: Int) {
    if Slot.isExponent(slot) { homeIsPacked[(slot - Slot.floats) / 2] = false }
    let resident = homeValue[slot]
    guard resident >= 0 else { return }
    if values[Int(resident)].home == Int16(slot) {
      if isNeeded(resident) && !isHeld(resident) && values[Int(resident)].spill < 0 {
        _ = register(resident)
      }
      values[Int(resident)].home = -1
    }
    homeValue[slot] = -1
  }

  /// Whether the form of a packed double is to be written where the home has it.
  private func isPackedAtHome(_ slot: Int, _ value: Int32) -> Bool {
    Slot.isExponent(slot) && homeIsPacked[(slot - Slot.floats) / 2] && constant(value) == Frontend.packed
  }

  /// Writes one slot home. Several in a row begin with `lastPredicate` = nil.
  func writeHome(_ slot: Int, _ value: Int32, _ place: UInt8, known: Bool? = nil) {
    if let known {
      writePredicate(slot, known)
    } else if place != 0xff {
      store(home(slot), place, width(ofSlot: slot))
    } else {
      let c = constant(value)!
      if Slot.isPredicate(slot) {
        writePredicate(slot, c & 1 != 0)
      } else if c == Int64(Int32(truncatingIfNeeded: c)) {
        a.store(home(slot), immediate: Int32(truncatingIfNeeded: c))
      } else {
        a.move(.rax, immediate: c)
        a.store(home(slot), .rax)
      }
    }
  }

  /// A predicate that is known. A comparison's two, one after the other in the state, are one store.
  private func writePredicate(_ slot: Int, _ value: Bool) {
    let start = a.cursor
    guard let last = lastPredicate, last.end == start, abs(last.slot - slot) == 1 else {
      a.store(home(slot), immediate: value ? 1 : 0, .byte)
      lastPredicate = (slot, value, start, a.cursor)
      return
    }
    a.cursor = last.start
    let (low, high) = slot < last.slot ? (value, last.value) : (last.value, value)
    a.store(home(min(slot, last.slot)), immediate: (low ? 1 : 0) | (high ? 0x100 : 0), .word)
    lastPredicate = nil
  }

  /// Writes every dirty slot home.
  func flush() {
    lastPredicate = nil
    while dirtyCount > 0 {
      let slot = Int(dirtySlots[dirtyCount - 1])
      let value = dirtyValue[slot]
      writeHome(slot, value, place(value))
      makeClean(slot)
      values[Int(value)].home = Int16(slot)
      homeValue[slot] = value
    }
  }

  func lowerPredicatesHome() {
    lastPredicate = nil
    for slot in Slot.predicates..<Slot.branches {
      let value = dirtyValue[slot]
      if value >= 0 {
        writeHome(slot, value, place(value))
        makeClean(slot)
        releaseIfDead(value)
      }
      loseHome(slot)
    }
  }

  /// Forgets everything about registers and homes; nothing may be dirty.
  func forget() {
    for r in 0..<16 where inRegister[r] >= 0 {
      values[Int(inRegister[r])].register = 0xff
      inRegister[r] = -1
    }
    for x in 0..<16 where inVector[x] >= 0 { dropVector(inVector[x]) }
    homeIsPacked.update(repeating: false, count: 128)
    for slot in 0..<Slot.count where homeValue[slot] >= 0 {
      values[Int(homeValue[slot])].home = -1
      homeValue[slot] = -1
    }
  }

  func storeState(_ offset: Int32, _ value: Int64) {
    if value == Int64(Int32(truncatingIfNeeded: value)) {
      a.store(state(offset), immediate: Int32(truncatingIfNeeded: value))
    } else {
      a.move(.rax, immediate: value)
      a.store(state(offset), .rax)
    }
  }

  func lowerMarkModified(_ index: Int, _ node: Node) {
    if node.c >= 0 {
      let flag = register(node.c)
      a.test(flag, flag, .byte)
      let skip = a.shortJump(if: .equal)
      a.arithmetic(.or, state(StateOffset.psr), immediate: Int32(node.imm), .byte)
      a.bindShort(skip)
    } else {
      // It is set nearly always: a loop need not write it in every pass.
      a.test(state(StateOffset.psr), immediate: Int32(node.imm), .byte)
      let stub = addStub(.modified, index, from: a.jump(if: .equal))
      stubs[stub].back = a.cursor
    }
  }
}
