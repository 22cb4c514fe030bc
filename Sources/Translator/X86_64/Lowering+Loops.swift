// Loops: the guest registers they carry stay in host registers over the way back, within one block that branches to itself
// and between the blocks of a region. Every head has the same guest registers in the same host registers.
import CSupport

extension Lowering {
  // MARK: Heads

  /// The block of the region that an exit leads to; nil where it leads out.
  func entry(behind number: Int) -> Int? {
    let exit = block.exits[number]
    guard exit.kind == .direct, !exit.isMoved else { return nil }
    return entries.firstIndex { $0.start == exit.target | UInt64(exit.slot) && $0.marker == exit.marker }
  }

  /// Loads the carried registers; the head, where other blocks come in, stands behind.
  func enterLoop() {
    if let region = context.region {
      for (k, slot) in region.carried.enumerated() {
        // The frontend begins the block with the values of the carried slots.
        carried.append(Carried(
          slot: slot, place: region.places[k], value: Int32(k), written: region.written[k]))
      }
    } else {
      chooseCarried()
      entries = [RegionEntry(
        start: block.start, marker: block.marker, slots: block.slots, number: context.blockNumber)]
    }
    if carried.contains(where: { $0.slot >= Slot.floats }) { settleCarried() }
    for c in carried {
      load(c.place, home(c.slot))
      enter(c.value, at: c.place)
      if c.written {
        // In later passes the home is behind: the value counts as not written home.
        dirtyValue[c.slot] = c.value
        values[Int(c.value)].dirty = 1
        dirtyPlace[c.slot] = Int16(dirtyCount)
        dirtySlots[dirtyCount] = Int16(c.slot)
        dirtyCount += 1
      } else {
        values[Int(c.value)].home = Int16(c.slot)
        values[Int(c.value)].keep = true
        homeValue[c.slot] = c.value
      }
    }
    let own = entries.firstIndex { $0.number == context.blockNumber }!
    entries[own].head = a.cursor
    for jump in unbound where jump.entry == own { a.bind(jump.place) }
    unbound.removeAll { $0.entry == own }
  }

  /// Carried registers hold what their homes say. Other registers may still wait for results of a run.
  private func settleCarried() {
    lowerSettle(0, ~UInt32(KT_DEFERRED_RUNS))
    settledAtEntry = true
    guard context.options.contains(.sequences) else { return }
    for c in carried where c.slot >= Slot.floats && c.slot < Slot.significand(32) {
      var mark = home(c.slot + 1)
      mark.displacement += 7
      a.test(mark, immediate: Int32(KT_FR_PUT_OFF >> 56), .byte)
      let stub = addStub(.settle, 0, from: a.jump(if: .notEqual))
      stubs[stub].back = a.cursor
    }
  }

  /// The slots that a block alone carries: the first that it reads.
  private func chooseCarried() {
    var registers = Array(Lowering.carriers.dropLast()), vectors = Lowering.vectorCarriers
    let doubles = block.doubleSlots(), putOff = block.slotsPutOff()
    for index in 0..<block.count where nodes[index].op == .get {
      let slot = Int(nodes[index].imm)
      if Slot.isPredicate(slot) || Slot.isExponent(slot) || optimizer.firstUse[index] == Optimizer.never
        || putOff.contains(slot) {
        continue
      }
      guard let place = doubles.contains(slot) ? vectors.popLast() : registers.popLast() else { continue }
      var written = false
      for other in 0..<block.count where nodes[other].op == .put && nodes[other].imm == Int64(slot) { written = true }
      carried.append(Carried(slot: slot, place: place, value: Int32(index), written: written))
    }
  }

  /// The last node with an exit to a head; -1: none.
  func lastCarryingExit() -> Int {
    var index = block.count - 1
    while index >= 0 {
      if let exit = exitNumber(nodes[index]), entry(behind: exit) != nil { return index }
      index -= 1
    }
    return -1
  }

  /// Nothing behind this point wants the carried registers for the next pass.
  func endCarrying() {
    for c in carried {
      values[Int(c.value)].keep = false
      releaseIfDead(c.value)
    }
  }

  // MARK: Between blocks

  /// At an exit to a head: everything not carried goes home, what is carried to its register, and on.
  func carry(to entry: Int, _ number: Int, _ stub: Stub) {
    // Where each carried slot's value is: a register, a constant, or its home.
    var sources = [(kind: UInt8, place: UInt8, value: Int32)](repeating: (2, 0, -1), count: carried.count)
    lastPredicate = nil
    for index in Int(stub.snapshot)..<Int(stub.snapshot + stub.snapshotCount) {
      let s = saved[index]
      if let k = carried.firstIndex(where: { $0.slot == Int(s.slot) }) {
        sources[k] = s.place != 0xff ? (0, s.place, s.value) : (1, 0, s.value)
        continue
      }
      writeSaved(s, stub)
    }
    for k in carried.indices where sources[k].kind == 2 && stub.heldCarried >> UInt64(k) & 1 != 0 {
      sources[k] = (0, carried[k].place, -1)
    }
    moveCarried(&sources)
    let exit = block.exits[number]
    if exit.marker != stub.marker { storeState(StateOffset.cfm, Int64(bitPattern: exit.marker)) }
    var left: UnsafeMutablePointer<UInt8>? = nil, short: UnsafeMutablePointer<UInt8>? = nil
    if exit.backward {
      a.arithmetic(.cmp, state(StateOffset.stopRequest), immediate: 0, .word)
      left = a.jump(if: .notEqual)
    }
    // What this block has paid and not issued is left for the next.
    let price = entries[entry].slots - (charged - exit.issued)
    if price != 0 { a.arithmetic(.sub, .r13, immediate: price) }
    if let head = entries[entry].head {
      if price > 0 {
        Assembler.bind(a.jump(if: .notSign), to: head)
        short = a.jump()
      } else {
        a.jump(to: head)
      }
    } else {
      if price > 0 { short = a.jump(if: .sign) }
      unbound.append((a.jump(), entry))
    }
    let dirty = dirtyCount
    dirtyCount = 0
    if let left { addStub(.loopLeft, Int(stub.node), exit: number, from: left) }
    if let short { addStub(.loopBudget, Int(stub.node), exit: number, from: short) }
    dirtyCount = dirty
  }

  /// Moves each carried value to its register, all at once.
  private func moveCarried(_ sources: inout [(kind: UInt8, place: UInt8, value: Int32)]) {
    var pending = carried.indices.filter { sources[$0].kind == 0 && sources[$0].place != carried[$0].place }
    while !pending.isEmpty {
      if let free = pending.first(where: { k in
        !pending.contains { $0 != k && sources[$0].place == carried[k].place }
      }) {
        move(carried[free].place, sources[free].place)
        pending.removeAll { $0 == free }
      } else {
        // A cycle: one of its values waits in rax, or xmm0.
        let old = sources[pending[0]].place
        let waiting = old < Lowering.vectorPlace ? Register.rax.number : Lowering.vectorPlace
        move(waiting, old)
        for other in pending where sources[other].place == old { sources[other].place = waiting }
      }
    }
    for k in carried.indices {
      if sources[k].kind == 1 {
        move(carried[k].place, immediate: constant(sources[k].value)!)
      } else if sources[k].kind == 2 {
        load(carried[k].place, home(carried[k].slot))
      }
    }
  }

  func writeCarried() {
    for c in carried where c.written { store(home(c.slot), c.place) }
  }
}
