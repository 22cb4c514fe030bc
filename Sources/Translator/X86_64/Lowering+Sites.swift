// Call sites that call: the six bytes the host patcher switches, and what surrounds them.
import CSupport

extension Lowering {
  // MARK: Call sites

  /// Guest r8, r9, r10, r11, r14 become the callable's arguments behind the processor; its result goes to r8.
  func lowerSite(_ index: Int, _ node: Node) {
    flush()
    let begin = a.cursor
    let number = Int(node.imm & 0xffff_ffff), exit = Int(node.imm >> 32)
    let table = context.sites!
    let site = table.pointee.site[number]
    let slot = kt_operation_slots(table)[Int(site.operation)]
    passArguments(Int(slot.arguments))
    forget()
    // No guest register is in a host register from here on, and a callable keeps rbp and r12.
    let mayChangeMode = Lowering.changesMode(Int(site.operation))
    if mayChangeMode {
      a.load(.rbp, state(StateOffset.fetchGeneration))
      a.load(.rax, state(StateOffset.psr))
      a.store(spillAddress(0), .rax)
    }
    a.arithmetic(.cmp, .r15, state(StateOffset.frameBase))
    let moved = addStub(.sync, index, from: a.jump(if: .notEqual))
    stubs[moved].back = a.cursor
    a.store(state(StateOffset.budget), .r13)
    a.move(.r12, immediate: Int64(bitPattern: site.start))
    a.store(state(StateOffset.ip), .r12)
    a.store(state(StateOffset.ri), immediate: 0, .long)
    a.loadEffectiveAddress(.rdi, Address(.rbx, -Int32(KT_CPU_BIAS)))
    let direct = site.dispatch != UInt8(KT_DISPATCH_INDIRECT.rawValue)
    // Six bytes within one aligned word: either form, switched by one store.
    while (UInt(bitPattern: a.cursor) & 7) > 2 { a.nop(8 - Int(UInt(bitPattern: a.cursor) & 7)) }
    let call = a.cursor
    context.callables.emitCall(&a, operation: Int(site.operation), direct: direct)
    // A callable that faults, or that changes the addressing mode or the budget, sets event_check.
    a.arithmetic(.cmp, state(StateOffset.stopRequest), immediate: 0, .word)
    addStub(.site, index, exit: exit, from: a.jump(if: .notEqual))
    eventsChecked = true
    if slot.has_result != 0 { a.store(home(8), .rax) }
    if mayChangeMode {
      a.arithmetic(.cmp, .rbp, state(StateOffset.fetchGeneration))
      addStub(.exit, index, exit: exit, from: a.jump(if: .notEqual))
      a.load(.rax, spillAddress(0))
      a.arithmetic(.cmp, .rax, state(StateOffset.psr))
      addStub(.exit, index, exit: exit, from: a.jump(if: .notEqual))
    }
    sites.append(EmittedSite(site: Int32(number), call: call, begin: begin, end: a.cursor))
  }

  /// Something wants attention behind a called site: the guest left it (r12 holds its start), or goes on behind it.
  func emitSiteEvents(_ stub: Stub) {
    a.load(.r13, state(StateOffset.budget))
    a.arithmetic(.cmp, state(StateOffset.ip), .r12)
    let stayed = a.shortJump(if: .equal)
    a.move(.rax, immediate: Int64(ExitCode.status.rawValue) | Int64(KT_INTERRUPTED.rawValue) << 8)
    a.jump(to: context.thunks.leave)
    a.bindShort(stayed)
    let table = context.sites!
    let operation = table.pointee.site[Int(nodes[Int(stub.node)].imm & 0xffff_ffff)].operation
    if kt_operation_slots(table)[Int(operation)].has_result != 0 { a.store(home(8), .rax) }
    emitExit(Int(stub.exit), marker: stub.marker)
  }

  /// Operations behind which the block's mode, or where its code comes from, may be another.
  static func changesMode(_ operation: Int) -> Bool {
    switch UInt32(operation) {
    case KT_OP_SETREG.rawValue, KT_OP_SET_RR.rawValue, KT_OP_SET_RR0_TO_RR4.rawValue, KT_OP_PTCGA.rawValue: true
    default: false
    }
  }

  /// Every guest register is home; those that a host register still holds come from there.
  func passArguments(_ count: Int) {
    let arguments: [(Register, Int)] = [(.rsi, 8), (.rdx, 9), (.rcx, 10), (.r8, 11), (.r9, 14)]
    var overwritten: UInt32 = 0
    for (r, guest) in arguments.prefix(count) {
      let value = homeValue[guest]
      let held = value < 0 ? 0xff : values[Int(value)].register
      if held != 0xff && overwritten >> UInt32(held) & 1 == 0 {
        a.move(r, Register(held))
      } else if value >= 0, let known = constant(value) {
        a.move(r, immediate: known)
      } else {
        a.load(r, home(guest))
      }
      overwritten |= 1 << UInt32(r.number)
    }
  }
}
