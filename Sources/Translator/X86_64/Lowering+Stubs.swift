// What stands behind the block: side exits (a loop's way back stands where it is taken), the slow paths of loads and stores,
// and leaving to the engine.
import CSupport

extension Lowering {
  // MARK: Stubs

  @discardableResult
  func addStub(
    _ kind: StubKind, _ node: Int, exit: Int = -1, from: UnsafeMutablePointer<UInt8>
  ) -> Int {
    precondition(stubCount < Lowering.stubCapacity)
    stubs[stubCount] = makeStub(kind, node, exit: exit, from: from)
    stubCount += 1
    return stubCount - 1
  }

  /// What stands where at this point.
  private func makeStub(_ kind: StubKind, _ node: Int, exit: Int, from: UnsafeMutablePointer<UInt8>) -> Stub {
    precondition(savedCount + dirtyCount < Lowering.savedCapacity)
    let first = savedCount
    for index in 0..<dirtyCount {
      let slot = Int(dirtySlots[index])
      let value = dirtyValue[slot]
      saved[savedCount] = Saved(slot: Int16(slot), place: place(value), value: value)
      savedCount += 1
    }
    var stub = Stub(
      kind: kind, node: Int32(node), exit: Int32(exit), from: from, back: from, snapshot: Int32(first),
      snapshotCount: Int32(dirtyCount), address: .rax, data: .rax, marker: marker, charged: charged,
      eventsChecked: eventsChecked, storeEnd: -1, again: from)
    if isLoop {
      for (k, c) in carried.enumerated() where dirtyValue[c.slot] < 0 {
        if isHeld(c.value, at: c.place) && homeValue[c.slot] == c.value {
          stub.heldCarried |= 1 << UInt64(k)
        }
      }
    }
    return stub
  }

  func writeSnapshot(_ stub: Stub) {
    lastPredicate = nil
    for index in Int(stub.snapshot)..<Int(stub.snapshot + stub.snapshotCount) { writeSaved(saved[index], stub) }
  }

  /// Writes one slot of a stub's snapshot home; of a predicate that was never computed what the stub's branch tells.
  func writeSaved(_ s: Saved, _ stub: Stub) {
    let known = nodes[Int(s.value)].flags & Optimizer.elided != 0
      ? Optimizer.verdict(nodes, nodes[Int(stub.node)], s.value) : nil
    writeHome(Int(s.slot), s.value, s.place, known: known)
  }

  func setPosition(_ address: UInt64, _ slot: UInt8) {
    a.move(.rax, immediate: Int64(bitPattern: address))
    a.store(state(StateOffset.ip), .rax)
    a.store(state(StateOffset.ri), immediate: Int32(slot), .long)
  }

  func address(ofPosition position: UInt32) -> UInt64 { (block.start & ~15) &+ UInt64(position >> 2) << 4 }

  /// Slots to give back when the node's instruction is the last one issued.
  func rest(after node: Node) -> Int32 { charged - node.issued - 1 }

  func emitStub(_ stub: Stub) {
    a.bind(stub.from)
    charged = stub.charged
    eventsChecked = stub.eventsChecked
    switch stub.kind {
    case .budget:
      if charged != 0 { a.arithmetic(.add, .r13, immediate: charged) }
      a.move(.rax, immediate: Int64(ExitCode.budget.rawValue) | Int64(context.blockNumber) << 8)
      a.jump(to: context.thunks.leave)
    case .site: emitSiteEvents(stub)
    case .settle, .sync:
      a.call(to: stub.kind == .settle ? context.thunks.settle : context.thunks.sync)
      a.jump(to: stub.back)
    case .modified:
      a.arithmetic(.or, state(StateOffset.psr), immediate: Int32(nodes[Int(stub.node)].imm), .byte)
      a.jump(to: stub.back)
    case .exit: emitExitStub(stub)
    case .checkSingle, .singleBits: emitSingleStub(stub)
    case .checkDouble, .doubleResult:
      emitDoubleStub(stub)
    case .packDouble: emitPackStub(stub)
    case .floatCall: emitFloatCallStub(stub)
    case .loopLeft:
      writeCarried()
      emitExit(Int(stub.exit), marker: block.exits[Int(stub.exit)].marker)
    case .loopBudget:
      writeCarried()
      let entry = entries[entry(behind: Int(stub.exit))!]
      a.arithmetic(.add, .r13, immediate: entry.slots)
      a.move(.rax, immediate: Int64(ExitCode.budget.rawValue) | Int64(entry.number) << 8)
      a.jump(to: context.thunks.leave)
    case .load, .store:
      if stub.near >= 0 { fillNear(stub) }
      writeSnapshot(stub)
      let node = nodes[Int(stub.node)]
      setPosition(address(ofPosition: node.position), UInt8(node.position & 3))
      if stub.kind == .store {
        if let c = constant(node.b) {
          a.move(.rax, immediate: c)
          a.store(state(StateOffset.storeValue), .rax)
        } else {
          let place = stub.vector != 0xff ? Lowering.vectorPlace + stub.vector : stub.data.number
          store(state(StateOffset.storeValue), place)
        }
      }
      a.move(.rax, stub.address)
      a.move(.rcx, immediate: Int64(node.size) | Int64(rest(after: node)) << 16)
      a.call(to: stub.kind == .load ? context.thunks.load : context.thunks.store)
      if stub.kind == .load {
        move(dataPlace(stub), Register.rax.number)
      } else if stub.storeEnd >= 0 {
        // The thunk compares event_check with 0.
        stubs[Int(stub.storeEnd)].from = a.jump(if: .notEqual)
      }
      a.jump(to: stub.back)
    }
  }

  /// Leaves by an exit; guest registers are home, cfm holds `marker`.
  func emitExit(_ number: Int, marker: UInt64) {
    let exit = block.exits[number]
    let rest = charged - exit.issued
    if rest != 0 { a.arithmetic(.add, .r13, immediate: rest) }
    if exit.marker != marker { storeState(StateOffset.cfm, Int64(bitPattern: exit.marker)) }
    switch exit.kind {
    case .direct:
      var refused: UnsafeMutablePointer<UInt8>? = nil
      if exit.backward && !eventsChecked {
        a.arithmetic(.cmp, state(StateOffset.stopRequest), immediate: 0, .word)
        refused = a.shortJump(if: .notEqual)
      }
      a.align(4, offset: 1)
      let place = a.jump()
      if let refused { a.bindShort(refused) }
      a.bind(place)
      emitUnlinked(number, place)
    case .interpret, .resume:
      let code = exit.kind == .interpret ? ExitCode.interpret : ExitCode.resume
      a.move(.rax, immediate: Int64(code.rawValue) | Int64(context.firstExit + number) << 8)
      a.jump(to: context.thunks.leave)
    }
  }

  /// What a jump or call at `place` leads to while its exit is not linked.
  func emitUnlinked(_ number: Int, _ place: UnsafeMutablePointer<UInt8>) {
    exits.append(EmittedExit(number: Int32(number), place: place, unlinked: a.cursor))
    a.move(.rax, immediate: Int64(ExitCode.link.rawValue) | Int64(context.firstExit + number) << 8)
    a.jump(to: context.thunks.leave)
  }

  func lowerExitIf(_ index: Int, _ node: Node) {
    let condition: Condition
    if let place = memory(node.a), !isNeeded(node.a) {
      a.arithmetic(.cmp, place, immediate: 0, .byte)
      condition = node.op == .exitIf ? .notEqual : .equal
    } else {
      let r = register(node.a)
      a.test(r, r, .byte)
      condition = node.op == .exitIf ? .notEqual : .equal
    }
    leave(index, exit: Int(node.imm), if: condition)
  }

  /// A conditional branch out of the block. A loop's own goes straight on to where it leads, and staying jumps over that;
  /// the code of others stands behind the block.
  func leave(_ index: Int, exit: Int, if condition: Condition) {
    let e = block.exits[exit]
    guard e.backward, e.kind == .direct, !isLoop || entry(behind: exit) != nil else {
      addStub(.exit, index, exit: exit, from: a.jump(if: condition))
      return
    }
    let stays = a.jump(if: condition.inverted)
    leaveHere(index, exit: exit)
    a.bind(stays)
  }

  /// What a stub would do, done here.
  private func leaveHere(_ index: Int, exit: Int) {
    emitExitStub(makeStub(.exit, index, exit: exit, from: a.cursor))
  }

  /// Leaves by the stub's exit, or goes on at the entry of this loop that it leads to.
  func emitExitStub(_ stub: Stub) {
    let exit = Int(stub.exit)
    if isLoop, let entry = entry(behind: exit) {
      carry(to: entry, exit, stub)
    } else {
      writeSnapshot(stub)
      emitExit(exit, marker: stub.marker)
    }
  }

  func lowerExitAlways(_ index: Int, _ node: Node) {
    if isLoop, entry(behind: Int(node.imm)) != nil {
      leaveHere(index, exit: Int(node.imm))
    } else {
      flush()
      emitExit(Int(node.imm), marker: marker)
    }
  }

  func lowerInterpret(_ index: Int, _ node: Node) {
    flush()
    forget()
    setPosition(address(ofPosition: node.position), UInt8(node.position & 3))
    a.move(.rsi, immediate: node.imm)
    a.move(.rcx, immediate: Int64(rest(after: node)) << 16 | Int64(node.size))
    a.call(to: context.thunks.interpret)
  }
}
