// Loops within one block: the registers they carry stay in host registers over the back edge.
import CSupport

extension Lowering {
  // MARK: Loops

  func leadsToHead(_ exit: Int) -> Bool { block.leadsToHead(exit) }

  /// Loads the loop-carried slots into their registers; the loop's head stands behind. The most often used are taken.
  func enterLoop() {
    var registers: [Register] = [.rdi, .rsi, .r8, .r9, .r10, .r11, .rbp]
    for index in 0..<block.count where nodes[index].op == .get {
      let slot = Int(nodes[index].imm)
      if Slot.isPredicate(slot) || optimizer.firstUse[index] == Optimizer.never { continue }
      guard let register = registers.popLast() else { break }
      var written = false
      for other in 0..<block.count where nodes[other].op == .put && nodes[other].imm == Int64(slot) { written = true }
      carried.append(Carried(slot: slot, register: register, value: Int32(index), written: written))
    }
    for c in carried {
      a.load(c.register, home(c.slot))
      values[Int(c.value)].register = c.register.number
      inRegister[Int(c.register.number)] = c.value
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
    head = a.cursor
  }

  /// At an exit to the head: everything not carried goes home, what is carried to its register, and back.
  func closeLoop(_ number: Int, _ stub: Stub) {
    // Where each carried slot's value is: a register, a constant, or its home.
    var sources = [(kind: UInt8, register: UInt8, value: Int32)](repeating: (2, 0, -1), count: carried.count)
    for index in Int(stub.snapshot)..<Int(stub.snapshot + stub.snapshotCount) {
      let s = saved[index]
      if let k = carried.firstIndex(where: { $0.slot == Int(s.slot) }) {
        sources[k] = s.register != 0xff ? (0, s.register, s.value) : (1, 0, s.value)
        continue
      }
      let known = nodes[Int(s.value)].flags & Optimizer.elided != 0
        ? Optimizer.verdict(nodes, nodes[Int(stub.node)], s.value) : nil
      writeHome(Int(s.slot), s.value, s.register, known: known)
    }
    for k in carried.indices where sources[k].kind == 2 && stub.heldCarried >> UInt64(k) & 1 != 0 {
      sources[k] = (0, carried[k].register.number, -1)
    }
    var pending = carried.indices.filter { sources[$0].kind == 0 && sources[$0].register != carried[$0].register.number }
    while !pending.isEmpty {
      if let free = pending.first(where: { k in
        !pending.contains { $0 != k && sources[$0].register == carried[k].register.number }
      }) {
        a.move(carried[free].register, Register(sources[free].register))
        pending.removeAll { $0 == free }
      } else {
        // A cycle: one of its values waits in rax.
        let k = pending[0]
        a.move(.rax, Register(sources[k].register))
        let old = sources[k].register
        for other in pending where sources[other].register == old { sources[other].register = Register.rax.number }
      }
    }
    for k in carried.indices {
      if sources[k].kind == 1 {
        a.move(carried[k].register, immediate: constant(sources[k].value)!)
      } else if sources[k].kind == 2 {
        a.load(carried[k].register, home(carried[k].slot))
      }
    }
    a.arithmetic(.cmp, state(StateOffset.stopRequest), immediate: 0, .word)
    let left = a.jump(if: .notEqual)
    a.arithmetic(.sub, state(StateOffset.budget), immediate: block.exits[number].issued)
    let short = a.jump(if: .sign)
    a.jump(to: head)
    let dirty = dirtyCount
    dirtyCount = 0
    addStub(.loopLeft, Int(stub.node), exit: number, from: left)
    addStub(.loopBudget, Int(stub.node), exit: number, from: short)
    dirtyCount = dirty
  }

  func writeCarried() {
    for c in carried where c.written { a.store(home(c.slot), c.register) }
  }
}
