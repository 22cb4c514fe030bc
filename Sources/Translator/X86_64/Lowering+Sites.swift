// Call sites that call: the six bytes the host patcher switches, and what surrounds them.
import CSupport

extension Lowering {
  // MARK: Call sites

  /// Guest r8, r9, r10, r11, r14 become the callable's arguments behind the processor; its result goes to r8.
  func lowerSite(_ index: Int, _ node: Node) {
    flush()
    forget()
    let number = Int(node.imm & 0xffff_ffff), exit = Int(node.imm >> 32)
    let table = context.sites!
    let site = table.pointee.site[number]
    let slot = kt_operation_slots(table)[Int(site.operation)]
    setPosition(site.start, 0)
    let rest = block.slots - node.issued - Int32(KT_SITE_SLOTS)
    if rest != 0 { a.arithmetic(.add, state(StateOffset.budget), immediate: rest) }
    a.loadEffectiveAddress(.rdi, Address(.rbx, -Int32(KT_CPU_BIAS)))
    let arguments: [(Register, Int)] = [(.rsi, 8), (.rdx, 9), (.rcx, 10), (.r8, 11), (.r9, 14)]
    for (r, guest) in arguments.prefix(Int(slot.arguments)) { a.load(r, home(guest)) }
    let direct = site.dispatch != UInt8(KT_DISPATCH_INDIRECT.rawValue)
    // Six bytes within one aligned word: either form, switched by one store.
    while (UInt(bitPattern: a.cursor) & 7) > 2 { a.nop(8 - Int(UInt(bitPattern: a.cursor) & 7)) }
    sites.append(EmittedSite(site: Int32(number), place: a.cursor))
    context.callables.emitCall(&a, operation: Int(site.operation), direct: direct)
    a.move(.rcx, immediate: Int64(bitPattern: site.start))
    a.arithmetic(.cmp, state(StateOffset.ip), .rcx)
    addStub(.left, index, from: a.jump(if: .notEqual))
    if slot.has_result != 0 { a.store(home(8), .rax) }
    if rest != 0 { a.arithmetic(.sub, state(StateOffset.budget), immediate: rest) }
    a.load(.r14, state(StateOffset.stlb))
    a.arithmetic(.cmp, state(StateOffset.stopRequest), immediate: 0, .word)
    addStub(.exit, index, exit: exit, from: a.jump(if: .notEqual))
  }
}
