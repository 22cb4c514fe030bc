// IR to x86-64: register allocation over the block's straight line, and instruction selection, in one forward pass.
// Guest registers are written home at the block's ends; side exits and slow paths, which stand behind the block, write
// what is dirty where they leave.
//
// Host registers: rbx = kt_cpu + KT_CPU_BIAS, r15 = frame, r14 = software TLB; rax and rcx are scratch; the others hold
// values. The stack: [rsp] passes a store's value, above it are spill slots.
import CSupport

/// What the lowering must know of the machine code around a block.
struct LoweringContext {
  var thunks: Thunks
  var options: TranslatorOptions
  /// Stores must reach the store log: all take the slow path.
  var logStores: Bool
  var sites: UnsafeMutablePointer<kt_site_table>?
  /// ar.itc counts issued slots.
  var virtualClock: Bool
  var callables: CallablePointers
  /// Whether the host patcher may send the block home.
  var needsHome: Bool
  /// Number of the block, and of its first exit record.
  var blockNumber: Int
  var firstExit: Int
}

/// An exit of the block whose jump can be linked: where the displacement stands, and the exit's number in the block.
struct EmittedExit {
  var number: Int32
  /// Place of the jump's rel32 in the writable mapping, and what it holds while not linked.
  var place: UnsafeMutablePointer<UInt8>
  var unlinked: UnsafeMutablePointer<UInt8>
}

/// The host code of a call site.
struct EmittedSite {
  var site: Int32
  /// The six-byte call that can be switched; nil where the site is inlined.
  var call: UnsafeMutablePointer<UInt8>? = nil
  /// [begin, end) is what is executed there, less the ways out of the ordinary, which stand behind the block.
  var begin: UnsafeMutablePointer<UInt8>
  var end: UnsafeMutablePointer<UInt8>
}

final class Lowering {
  private struct Value {
    var register: UInt8 = 0xff
    var home: Int16 = -1    // slot whose home holds the value
    var spill: Int16 = -1   // spill slot that holds the value
    var dirty: UInt8 = 0    // number of slots that hold it and are not written home
    var next: Int32 = Optimizer.never
    var keep = false        // an invariant of the loop: the next pass wants it
  }

  private enum StubKind { case exit, load, store, budget, site, loopLeft, loopBudget }

  private struct Stub {
    var kind: StubKind
    var node: Int32
    var exit: Int32
    var from: UnsafeMutablePointer<UInt8>   // the rel32 that leads here
    var back: UnsafeMutablePointer<UInt8>   // where a slow path returns to
    var snapshot: Int32
    var snapshotCount: Int32
    var address: Register
    var data: Register
    var marker: UInt64
    var charged: Int32
    var eventsChecked: Bool
    var storeEnd: Int32                      // for stores: the stub of their storeEnd, or -1
    var heldCarried: UInt64 = 0              // carried slots, not written, whose registers still hold them
  }

  /// A dirty slot at a stub: its number, and the value with the register that holds it (0xff: a constant, or elided).
  private struct Saved {
    var slot: Int16
    var register: UInt8
    var value: Int32
  }

  private static let allocatable: UInt32 = {
    var mask: UInt32 = 0
    for r in [Register.rdx, .rsi, .rdi, .rbp, .r8, .r9, .r10, .r11, .r12, .r13] { mask |= 1 << UInt32(r.number) }
    return mask
  }()

  private let values: UnsafeMutablePointer<Value>
  private let inRegister: UnsafeMutablePointer<Int32>   // value in each host register, or -1
  private let dirtyValue: UnsafeMutablePointer<Int32>   // per slot, or -1
  private let dirtyPlace: UnsafeMutablePointer<Int16>   // per slot: index in dirtySlots
  private let dirtySlots: UnsafeMutablePointer<Int16>
  private var dirtyCount = 0
  private let homeValue: UnsafeMutablePointer<Int32>    // per slot: the value its home holds, or -1
  private let stubs: UnsafeMutablePointer<Stub>
  private var stubCount = 0
  private let saved: UnsafeMutablePointer<Saved>
  private var savedCount = 0
  private var spillsUsed: UInt64 = 0
  private var pinned: UInt32 = 0
  private var marker: UInt64 = 0
  /// Slots of the block that the budget has paid for at this point. Without called sites it pays for all at the head. With
  /// them it pays up to the end of the first, so that the budget is exact where a callable runs, and for what is behind
  /// a site where that is needed next: an exit takes its own slots off.
  private var charged: Int32 = 0
  /// A called site before this point has looked at events: a way back to the block's head need not.
  private var eventsChecked = false
  private var lastStoreStub = -1

  /// Loop-carried slots of a block that branches to itself, with the host register each has at the loop's head.
  private struct Carried {
    var slot: Int
    var register: Register
    var value: Int32    // the `get` that reads it
    var written: Bool
  }
  private var carried: [Carried] = []
  private var isLoop = false
  private var head: UnsafeMutablePointer<UInt8>

  private(set) var exits: [EmittedExit] = []
  private(set) var sites: [EmittedSite] = []
  /// Where the block's first instruction may be made to jump to: leaves to the engine. nil where the context wants none.
  private(set) var home: UnsafeMutablePointer<UInt8>? = nil

  private var a = Assembler(at: UnsafeMutablePointer<UInt8>(bitPattern: 16)!)
  private var context: LoweringContext! = nil
  private var nodes: UnsafeMutablePointer<Node>
  private var block = Block()
  private let optimizer: Optimizer

  private static let stubCapacity = 4096
  private static let savedCapacity = 65536

  init(optimizer: Optimizer) {
    self.optimizer = optimizer
    values = .allocate(capacity: Block.capacity)
    inRegister = .allocate(capacity: 16)
    dirtyValue = .allocate(capacity: Slot.count)
    dirtyPlace = .allocate(capacity: Slot.count)
    dirtySlots = .allocate(capacity: Slot.count)
    homeValue = .allocate(capacity: Slot.count)
    stubs = .allocate(capacity: Lowering.stubCapacity)
    saved = .allocate(capacity: Lowering.savedCapacity)
    nodes = block.nodes
    head = UnsafeMutablePointer<UInt8>(bitPattern: 16)!
    exits.reserveCapacity(512)
    carried.reserveCapacity(16)
  }

  /// Upper bound of the bytes a block may take.
  static func bound(_ block: Block) -> Int { block.count * 160 + block.exitCount * 64 + 65536 }

  // MARK: Addresses

  private func state(_ offset: Int32) -> Address { Address(.rbx, offset - Int32(KT_CPU_BIAS)) }

  private func home(_ slot: Int) -> Address {
    Slot.isStacked(slot) ? Address(.r15, Int32(slot - 32) * 8) : state(StateOffset.home(slot))
  }

  private func spillAddress(_ slot: Int16) -> Address { Address(.rsp, 8 + Int32(slot) * 8) }

  private func width(ofSlot slot: Int) -> Width { Slot.isPredicate(slot) ? .byte : .quad }

  // MARK: Values

  private func constant(_ value: Int32) -> Int64? {
    nodes[Int(value)].op == .constant ? nodes[Int(value)].imm : nil
  }

  private func smallConstant(_ value: Int32) -> Int32? {
    guard let c = constant(value), c == Int64(Int32(truncatingIfNeeded: c)) else { return nil }
    return Int32(truncatingIfNeeded: c)
  }

  /// Operand k of node `index` is consumed by it: its next use moves on.
  @inline(__always) private func consume(_ index: Int, _ operand: Int, _ value: Int32) {
    values[Int(value)].next = optimizer.nextUse[index * 3 + operand]
  }

  @inline(__always) private func isNeeded(_ value: Int32) -> Bool {
    values[Int(value)].next != Optimizer.never || values[Int(value)].dirty != 0 || values[Int(value)].keep
  }

  @inline(__always) private func pin(_ r: Register) { pinned |= 1 << UInt32(r.number) }

  @inline(__always) private func pinIfHeld(_ value: Int32) {
    let r = values[Int(value)].register
    if r != 0xff { pinned |= 1 << UInt32(r) }
  }

  /// Gives the register of a value that is needed no more back.
  private func releaseIfDead(_ value: Int32) {
    guard value >= 0, !isNeeded(value) else { return }
    let r = values[Int(value)].register
    if r != 0xff {
      inRegister[Int(r)] = -1
      values[Int(value)].register = 0xff
    }
    let spill = values[Int(value)].spill
    if spill >= 0 {
      spillsUsed &= ~(1 << UInt64(spill))
      values[Int(value)].spill = -1
    }
  }

  /// A free register; may store a value to make one. Never touches flags.
  private func allocate() -> Register {
    let free = Lowering.allocatable & ~pinned
    var candidates = free
    while candidates != 0 {
      let r = candidates.trailingZeroBitCount
      if inRegister[r] < 0 { return Register(UInt8(r)) }
      candidates &= candidates - 1
    }
    var best = -1, bestScore = Int64.min
    candidates = free
    while candidates != 0 {
      let r = candidates.trailingZeroBitCount
      candidates &= candidates - 1
      let value = values[Int(inRegister[r])]
      let distance = value.next == Optimizer.never ? Int64(1) << 33 : Int64(value.next)
      let kept = value.dirty == 0 && (value.home >= 0 || value.spill >= 0 || nodes[Int(inRegister[r])].op == .constant)
      let score = distance * 2 + (kept ? 64 : 0)
      if score > bestScore {
        bestScore = score
        best = r
      }
    }
    precondition(best >= 0, "no host register to allocate")
    evict(Register(UInt8(best)))
    return Register(UInt8(best))
  }

  private func evict(_ r: Register) {
    let value = inRegister[Int(r.number)]
    if values[Int(value)].dirty != 0 {
      var index = 0
      while index < dirtyCount {
        let slot = Int(dirtySlots[index])
        if dirtyValue[slot] == value {
          a.store(home(slot), r, width(ofSlot: slot))
          makeClean(slot)
          values[Int(value)].home = Int16(slot)
          homeValue[slot] = value
        } else {
          index += 1
        }
      }
    }
    if values[Int(value)].next != Optimizer.never && values[Int(value)].home < 0 && values[Int(value)].spill < 0
      && constant(value) == nil {
      let spill = (~spillsUsed).trailingZeroBitCount
      precondition(spill < 63, "no spill slot")
      spillsUsed |= 1 << UInt64(spill)
      values[Int(value)].spill = Int16(spill)
      a.store(spillAddress(Int16(spill)), r)
    }
    values[Int(value)].register = 0xff
    inRegister[Int(r.number)] = -1
  }

  /// Loads a value that is in no register into `r`, without saying so.
  private func fetch(_ value: Int32, _ r: Register) {
    if let c = constant(value) {
      a.move(r, immediate: c, keepFlags: true)
    } else if values[Int(value)].spill >= 0 {
      a.load(r, spillAddress(values[Int(value)].spill))
    } else {
      let slot = Int(values[Int(value)].home)
      precondition(slot >= 0, "a value is nowhere")
      a.load(r, home(slot), width(ofSlot: slot))
    }
  }

  /// The register that holds a value, loaded if need be; pinned until the node is done.
  private func register(_ value: Int32) -> Register {
    let held = values[Int(value)].register
    if held != 0xff {
      pin(Register(held))
      return Register(held)
    }
    let r = allocate()
    fetch(value, r)
    values[Int(value)].register = r.number
    inRegister[Int(r.number)] = value
    pin(r)
    return r
  }

  /// A register with the value that may be overwritten. Call it after `consume`.
  private func writableCopy(_ value: Int32) -> Register {
    let held = values[Int(value)].register
    if held != 0xff {
      if !isNeeded(value) {
        inRegister[Int(held)] = -1
        values[Int(value)].register = 0xff
        pin(Register(held))
        return Register(held)
      }
      pin(Register(held))
      let r = allocate()
      a.move(r, Register(held))
      pin(r)
      return r
    }
    let r = allocate()
    fetch(value, r)
    pin(r)
    return r
  }

  private func define(_ index: Int, _ r: Register) {
    values[index].register = r.number
    inRegister[Int(r.number)] = Int32(index)
    releaseIfDead(Int32(index))
  }

  /// The memory that holds a value which is in no register and needs none.
  private func memory(_ value: Int32) -> Address? {
    let v = values[Int(value)]
    if v.register != 0xff || constant(value) != nil { return nil }
    if v.spill >= 0 { return spillAddress(v.spill) }
    return v.home >= 0 ? home(Int(v.home)) : nil
  }

  // MARK: Guest slots

  private func makeClean(_ slot: Int) {
    let place = Int(dirtyPlace[slot])
    dirtyCount -= 1
    let last = dirtySlots[dirtyCount]
    dirtySlots[place] = last
    dirtyPlace[Int(last)] = Int16(place)
    values[Int(dirtyValue[slot])].dirty -= 1
    dirtyValue[slot] = -1
  }

  private func put(_ slot: Int, _ value: Int32) {
    if values[Int(value)].home == Int16(slot) && homeValue[slot] == value {
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
    if values[Int(value)].register != 0xff { pin(Register(values[Int(value)].register)) }
    // What the home holds will be overwritten: a value still wanted must be elsewhere.
    let resident = homeValue[slot]
    if resident >= 0 && values[Int(resident)].home == Int16(slot) {
      if isNeeded(resident) && values[Int(resident)].register == 0xff && values[Int(resident)].spill < 0 {
        _ = register(resident)
      }
      values[Int(resident)].home = -1
    }
    homeValue[slot] = -1
    if constant(value) == nil && nodes[Int(value)].flags & Optimizer.elided == 0 { _ = register(value) }
    dirtyValue[slot] = value
    values[Int(value)].dirty += 1
    dirtyPlace[slot] = Int16(dirtyCount)
    dirtySlots[dirtyCount] = Int16(slot)
    dirtyCount += 1
  }

  private func writeHome(_ slot: Int, _ value: Int32, _ held: UInt8, known: Bool? = nil) {
    if let known {
      a.store(home(slot), immediate: known ? 1 : 0, .byte)
    } else if held != 0xff {
      a.store(home(slot), Register(held), width(ofSlot: slot))
    } else {
      let c = constant(value)!
      if c == Int64(Int32(truncatingIfNeeded: c)) || Slot.isPredicate(slot) {
        a.store(home(slot), immediate: Int32(truncatingIfNeeded: c), width(ofSlot: slot))
      } else {
        a.move(.rax, immediate: c)
        a.store(home(slot), .rax)
      }
    }
  }

  /// Writes every dirty slot home.
  private func flush() {
    while dirtyCount > 0 {
      let slot = Int(dirtySlots[dirtyCount - 1])
      let value = dirtyValue[slot]
      writeHome(slot, value, values[Int(value)].register)
      makeClean(slot)
      values[Int(value)].home = Int16(slot)
      homeValue[slot] = value
    }
  }

  /// Forgets everything about registers and homes; nothing may be dirty.
  private func forget() {
    for r in 0..<16 where inRegister[r] >= 0 {
      values[Int(inRegister[r])].register = 0xff
      inRegister[r] = -1
    }
    for slot in 0..<Slot.count where homeValue[slot] >= 0 {
      values[Int(homeValue[slot])].home = -1
      homeValue[slot] = -1
    }
  }

  // MARK: Stubs

  @discardableResult
  private func addStub(
    _ kind: StubKind, _ node: Int, exit: Int = -1, from: UnsafeMutablePointer<UInt8>
  ) -> Int {
    precondition(stubCount < Lowering.stubCapacity && savedCount + dirtyCount < Lowering.savedCapacity)
    let first = savedCount
    for index in 0..<dirtyCount {
      let slot = Int(dirtySlots[index])
      let value = dirtyValue[slot]
      saved[savedCount] = Saved(slot: Int16(slot), register: values[Int(value)].register, value: value)
      savedCount += 1
    }
    stubs[stubCount] = Stub(
      kind: kind, node: Int32(node), exit: Int32(exit), from: from, back: from, snapshot: Int32(first),
      snapshotCount: Int32(dirtyCount), address: .rax, data: .rax, marker: marker, charged: charged,
      eventsChecked: eventsChecked, storeEnd: -1)
    if isLoop {
      for (k, c) in carried.enumerated() where dirtyValue[c.slot] < 0 {
        if !c.written && inRegister[Int(c.register.number)] == c.value { stubs[stubCount].heldCarried |= 1 << UInt64(k) }
      }
    }
    stubCount += 1
    return stubCount - 1
  }

  private func writeSnapshot(_ stub: Stub) {
    for index in Int(stub.snapshot)..<Int(stub.snapshot + stub.snapshotCount) {
      let s = saved[index]
      let known: Bool?
      if nodes[Int(s.value)].flags & Optimizer.elided != 0 {
        known = Optimizer.verdict(nodes, nodes[Int(stub.node)], s.value)
      } else {
        known = nil
      }
      writeHome(Int(s.slot), s.value, s.register, known: known)
    }
  }

  private func setPosition(_ address: UInt64, _ slot: UInt8) {
    a.move(.rax, immediate: Int64(bitPattern: address))
    a.store(state(StateOffset.ip), .rax)
    a.store(state(StateOffset.ri), immediate: Int32(slot), .long)
  }

  private func address(ofPosition position: UInt32) -> UInt64 { (block.start & ~15) &+ UInt64(position >> 2) << 4 }

  /// Slots to give back when the node's instruction is the last one issued.
  private func rest(after node: Node) -> Int32 { charged - node.issued - 1 }

  /// Slots of the block up to the end of the next called site from node `index` on, or up to its end.
  private func slotsToCharge(from index: Int) -> Int32 {
    for next in index..<block.count where nodes[next].op == .callSite { return nodes[next].issued + Int32(KT_SITE_SLOTS) }
    return block.slots
  }

  private func emitStub(_ stub: Stub) {
    a.bind(stub.from)
    charged = stub.charged
    eventsChecked = stub.eventsChecked
    switch stub.kind {
    case .budget:
      if charged != 0 { a.arithmetic(.add, state(StateOffset.budget), immediate: charged) }
      a.move(.rax, immediate: Int64(ExitCode.budget.rawValue) | Int64(context.blockNumber) << 8)
      a.jump(to: context.thunks.leave)
    case .site: emitSiteEvents(stub)
    case .exit:
      if isLoop && leadsToHead(Int(stub.exit)) {
        closeLoop(Int(stub.exit), stub)
      } else {
        writeSnapshot(stub)
        emitExit(Int(stub.exit), marker: stub.marker)
      }
    case .loopLeft:
      writeCarried()
      emitExit(Int(stub.exit), marker: block.marker)
    case .loopBudget:
      writeCarried()
      a.arithmetic(.add, state(StateOffset.budget), immediate: block.slots)
      a.move(.rax, immediate: Int64(ExitCode.budget.rawValue) | Int64(context.blockNumber) << 8)
      a.jump(to: context.thunks.leave)
    case .load, .store:
      writeSnapshot(stub)
      let node = nodes[Int(stub.node)]
      setPosition(address(ofPosition: node.position), UInt8(node.position & 3))
      if stub.kind == .store {
        if let c = constant(node.b) {
          a.move(.rax, immediate: c)
          a.store(Address(.rsp), .rax)
        } else {
          a.store(Address(.rsp), stub.data)
        }
      }
      a.move(.rax, stub.address)
      a.move(.rcx, immediate: Int64(node.size) | Int64(rest(after: node)) << 16)
      a.call(to: stub.kind == .load ? context.thunks.load : context.thunks.store)
      if stub.kind == .load {
        a.move(stub.data, .rax)
      } else if stub.storeEnd >= 0 {
        // The thunk compares event_check with 0.
        stubs[Int(stub.storeEnd)].from = a.jump(if: .notEqual)
      }
      a.jump(to: stub.back)
    }
  }

  /// Leaves by an exit; guest registers are home, cfm holds `marker`.
  private func emitExit(_ number: Int, marker: UInt64) {
    let exit = block.exits[number]
    let rest = charged - exit.issued
    if rest != 0 { a.arithmetic(.add, state(StateOffset.budget), immediate: rest) }
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
      exits.append(EmittedExit(number: Int32(number), place: place, unlinked: a.cursor))
      a.move(.rax, immediate: Int64(ExitCode.link.rawValue) | Int64(context.firstExit + number) << 8)
    case .interpret, .resume:
      let code = exit.kind == .interpret ? ExitCode.interpret : ExitCode.resume
      a.move(.rax, immediate: Int64(code.rawValue) | Int64(context.firstExit + number) << 8)
    }
    a.jump(to: context.thunks.leave)
  }

  private func storeState(_ offset: Int32, _ value: Int64) {
    if value == Int64(Int32(truncatingIfNeeded: value)) {
      a.store(state(offset), immediate: Int32(truncatingIfNeeded: value))
    } else {
      a.move(.rax, immediate: value)
      a.store(state(offset), .rax)
    }
  }

  // MARK: The block

  /// Emits the block at `cursor` (writable mapping) and returns the end.
  func lower(
    _ block: Block, _ context: LoweringContext, at cursor: UnsafeMutablePointer<UInt8>
  ) -> UnsafeMutablePointer<UInt8> {
    self.block = block
    self.context = context
    nodes = block.nodes
    a.cursor = cursor
    exits.removeAll(keepingCapacity: true)
    sites.removeAll(keepingCapacity: true)
    stubCount = 0
    savedCount = 0
    dirtyCount = 0
    spillsUsed = 0
    marker = block.marker
    lastStoreStub = -1
    eventsChecked = false
    for index in 0..<block.count {
      values[index] = Value()
      values[index].next = optimizer.firstUse[index]
    }
    for r in 0..<16 { inRegister[r] = -1 }
    for slot in 0..<Slot.count {
      dirtyValue[slot] = -1
      homeValue[slot] = -1
    }
    chargeAtHead()
    isLoop = context.options.contains(.loops) && block.selfLoop
    carried.removeAll(keepingCapacity: true)
    if isLoop { enterLoop() }
    for index in 0..<block.count {
      pinned = 0
      if charged != block.slots { chargeBefore(index) }
      lowerNode(index)
    }
    var index = 0
    while index < stubCount {
      emitStub(stubs[index])
      index += 1
    }
    home = nil
    if context.needsHome {
      home = a.cursor
      a.move(.rax, immediate: Int64(ExitCode.budget.rawValue) | Int64(context.blockNumber) << 8)
      a.jump(to: context.thunks.leave)
    }
    return a.cursor
  }

  /// Leaves where the budget would end within the block.
  private func chargeAtHead() {
    let first = slotsToCharge(from: 0)
    if first == block.slots {
      charged = first
      a.arithmetic(.sub, state(StateOffset.budget), immediate: first)
      addStub(.budget, 0, from: a.jump(if: .sign))
    } else {
      charged = 0
      a.load(.rax, state(StateOffset.budget))
      a.arithmetic(.cmp, .rax, immediate: block.slots)
      addStub(.budget, 0, from: a.jump(if: .less))
      a.arithmetic(.sub, .rax, immediate: first)
      a.store(state(StateOffset.budget), .rax)
      charged = first
    }
  }

  /// Before a node that hands the budget to others, or ends the block: pays up to the next called site or the end.
  private func chargeBefore(_ index: Int) {
    switch nodes[index].op {
    case .load, .store, .storeEnd, .interpret, .callSite, .callFrame, .growFrame, .returnFrame, .exitIndirect, .clock: break
    default: return
    }
    let more = slotsToCharge(from: index) - charged
    if more == 0 { return }
    charged += more
    a.arithmetic(.sub, state(StateOffset.budget), immediate: more)
  }

  // MARK: Loops

  private func leadsToHead(_ exit: Int) -> Bool { block.leadsToHead(exit) }

  /// Loads the loop-carried slots into their registers; the loop's head stands behind. The most often used are taken.
  private func enterLoop() {
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
  private func closeLoop(_ number: Int, _ stub: Stub) {
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

  private func writeCarried() {
    for c in carried where c.written { a.store(home(c.slot), c.register) }
  }

  // MARK: Nodes

  private func condition(_ node: Node) -> Condition {
    switch Relation(rawValue: node.condition)! {
    case .equal: .equal
    case .notEqual: .notEqual
    case .less: .less
    case .greaterEqual: .greaterEqual
    case .greater: .greater
    case .lessEqual: .lessEqual
    case .below: .below
    case .aboveEqual: .aboveEqual
    case .above: .above
    case .belowEqual: .belowEqual
    }
  }

  private func lowerNode(_ index: Int) {
    let node = nodes[index]
    switch node.op {
    case .dead, .constant: return
    case .get:
      if values[index].register != 0xff || values[index].dirty != 0 || homeValue[Int(node.imm)] == Int32(index) { return }
      values[index].home = Int16(node.imm)
      homeValue[Int(node.imm)] = Int32(index)
      return
    case .put:
      consume(index, 0, node.a)
      put(Int(node.imm), node.a)
      releaseIfDead(node.a)
      return
    case .compare, .compareImmediate, .testBit:
      if node.flags & Optimizer.elided != 0 { return }
    default: break
    }
    // Operands are consumed first: `isNeeded` then tells whether they live on.
    if node.a >= 0 { consume(index, 0, node.a) }
    if node.b >= 0 { consume(index, 1, node.b) }
    if node.c >= 0 && Optimizer.operandCount(node.op) == 3 { consume(index, 2, node.c) }
    // Nothing but a pin keeps the register of an operand that is used here for the last time.
    if node.a >= 0 { pinIfHeld(node.a) }
    if node.b >= 0 { pinIfHeld(node.b) }
    if node.c >= 0 && Optimizer.operandCount(node.op) == 3 { pinIfHeld(node.c) }
    select(index, node)
    if node.a >= 0 { releaseIfDead(node.a) }
    if node.b >= 0 { releaseIfDead(node.b) }
    if node.c >= 0 && Optimizer.operandCount(node.op) == 3 { releaseIfDead(node.c) }
  }

  private func select(_ index: Int, _ node: Node) {
    switch node.op {
    case .add: lowerAdd(index, node)
    case .sub: lowerBinary(index, node, .sub, commutes: false)
    case .and: lowerBinary(index, node, .and, commutes: true)
    case .or: lowerBinary(index, node, .or, commutes: true)
    case .xor: lowerBinary(index, node, .xor, commutes: true)
    case .andComplement:
      let complement = writableCopy(node.b)
      a.not(complement)
      combine(.and, complement, node.a)
      define(index, complement)
    case .addImmediate: lowerAddImmediate(index, node)
    case .andImmediate: lowerImmediate(index, node, .and)
    case .orImmediate: lowerImmediate(index, node, .or)
    case .xorImmediate:
      if node.imm == -1 {
        let r = writableCopy(node.a)
        a.not(r)
        define(index, r)
      } else {
        lowerImmediate(index, node, .xor)
      }
    case .subtractFrom:
      let r = writableCopy(node.a)
      a.negate(r)
      if node.imm != 0 {
        if node.imm == Int64(Int32(truncatingIfNeeded: node.imm)) {
          a.arithmetic(.add, r, immediate: Int32(truncatingIfNeeded: node.imm))
        } else {
          a.move(.rax, immediate: node.imm)
          a.arithmetic(.add, r, .rax)
        }
      }
      define(index, r)
    case .shiftLeft: lowerShift(index, node, .left)
    case .shiftRight: lowerShift(index, node, .right)
    case .shiftArithmetic: lowerShift(index, node, .arithmetic)
    case .shiftLeftVariable: lowerVariableShift(index, node, .left)
    case .shiftRightVariable: lowerVariableShift(index, node, .right)
    case .shiftArithmeticVariable: lowerVariableShift(index, node, .arithmetic)
    case .signExtend, .zeroExtend:
      let source = register(node.a)
      let r = isNeeded(node.a) ? allocate() : source
      if node.op == .signExtend {
        a.signExtend(r, source, Width(rawValue: node.size)!)
      } else {
        a.zeroExtend(r, source, Width(rawValue: node.size)!)
      }
      take(index, r, from: node.a)
    case .booleanToWord:
      let source = register(node.a)
      let r = isNeeded(node.a) ? allocate() : source
      a.zeroExtend(r, source, .byte)
      take(index, r, from: node.a)
    case .shiftAdd:
      if node.imm <= 3 {
        let x = register(node.a), y = register(node.b)
        let r = allocateResult(node.a, x, node.b, y)
        a.loadEffectiveAddress(r, Address(y, 0, index: x, scale: UInt8(node.imm)))
        take(index, r, from: node.a, node.b)
      } else {
        let x = register(node.a)
        let r = allocate()
        pin(r)
        a.move(r, x)
        a.shift(.left, r, by: UInt8(node.imm))
        combine(.add, r, node.b)
        define(index, r)
      }
    case .shiftPair:
      let high = register(node.a)
      let low: Register
      if node.a == node.b {
        low = writableCopy(node.a)
        a.shift(.ror, low, by: UInt8(node.imm))
      } else {
        low = writableCopy(node.b)
        a.shiftRightDouble(low, high, by: UInt8(node.imm))
      }
      define(index, low)
    case .populationCount:
      let source = register(node.a)
      let r = isNeeded(node.a) ? allocate() : source
      a.populationCount(r, source)
      take(index, r, from: node.a)
    case .multiply:
      let other = register(node.b)
      let r = writableCopy(node.a)
      a.multiply(r, node.a == node.b ? r : other)
      define(index, r)
    case .markModified:
      if node.c >= 0 {
        let flag = register(node.c)
        a.test(flag, flag, .byte)
        let skip = a.shortJump(if: .equal)
        a.arithmetic(.or, state(StateOffset.psr), immediate: Int32(node.imm), .byte)
        a.bindShort(skip)
      } else {
        a.arithmetic(.or, state(StateOffset.psr), immediate: Int32(node.imm), .byte)
      }
    case .byteSwap:
      let r = writableCopy(node.a)
      a.byteSwap(r)
      define(index, r)
    case .compare, .compareImmediate, .testBit, .testBitVariable:
      let condition = emitComparison(node)
      releaseIfDead(node.a)
      if node.b >= 0 { releaseIfDead(node.b) }
      let r = allocate()
      a.setCondition(condition, r)
      define(index, r)
    case .resetBitVariable:
      let bit = register(node.b)
      let r = writableCopy(node.a)
      a.bitReset(r, bit)
      define(index, r)
    case .booleanAnd: lowerBinary(index, node, .and, commutes: true, width: .long)
    case .booleanOr: lowerBinary(index, node, .or, commutes: true, width: .long)
    case .booleanNot:
      let r = writableCopy(node.a)
      a.arithmetic(.xor, r, immediate: 1, .long)
      define(index, r)
    case .booleanAndComplement:
      let r = writableCopy(node.b)
      a.arithmetic(.xor, r, immediate: 1, .long)
      a.arithmetic(.and, r, register(node.a), .long)
      define(index, r)
    case .select:
      let chosen = register(node.a)
      let flag = register(node.c)
      let r = writableCopy(node.b)
      a.test(flag, flag, .byte)
      a.moveIf(.notEqual, r, chosen)
      define(index, r)
    case .load: lowerLoad(index, node)
    case .store: lowerStore(index, node)
    case .storeEnd:
      if lastStoreStub >= 0 {
        if stubs[lastStoreStub].back == a.cursor {
          // No code on the main path: the store's slow path comes here when something wants attention.
          let stub = addStub(.exit, index, exit: Int(node.imm), from: a.cursor)
          stubs[lastStoreStub].storeEnd = Int32(stub)
        } else {
          // The instruction's other results are computed between the store and here, so the slow path comes back
          // through them and what it found is asked for now.
          a.arithmetic(.cmp, state(StateOffset.eventCheck), immediate: 0, .byte)
          addStub(.exit, index, exit: Int(node.imm), from: a.jump(if: .notEqual))
        }
        lastStoreStub = -1
      }
    case .loadState:
      let r = allocate()
      a.load(r, state(Int32(node.imm)))
      define(index, r)
    case .loadStateByte:
      let r = allocate()
      a.load(r, state(Int32(node.imm)), .byte)
      define(index, r)
    case .loadStateIndexed:
      let r = writableCopy(node.a)
      a.load(r, Address(.rbx, Int32(node.imm) - Int32(KT_CPU_BIAS), index: r, scale: 3))
      define(index, r)
    case .storeState:
      if let c = smallConstant(node.a) {
        a.store(state(Int32(node.imm)), immediate: c)
      } else {
        a.store(state(Int32(node.imm)), register(node.a))
      }
    case .storeStateWord: a.store(state(Int32(node.imm)), register(node.a), .long)
    case .setMarker:
      storeState(StateOffset.cfm, node.imm)
      marker = UInt64(bitPattern: node.imm)
    case .interpret:
      flush()
      forget()
      setPosition(address(ofPosition: node.position), UInt8(node.position & 3))
      a.move(.rsi, immediate: node.imm)
      a.move(.rcx, immediate: Int64(rest(after: node)) << 16 | Int64(node.size))
      a.call(to: context.thunks.interpret)
    case .callSite: lowerSite(index, node)
    case .clock, .flushLine, .exitIfPending, .endInterrupt, .countCall, .exitIfState: lowerSystem(index, node)
    case .siteBegins: sites.append(EmittedSite(site: Int32(node.imm), begin: a.cursor, end: a.cursor))
    case .siteEnds: sites[sites.count - 1].end = a.cursor
    case .growFrame:
      a.load(.rax, state(StateOffset.bof))
      a.arithmetic(.add, .rax, immediate: Int32(node.imm & 0xff))
      a.arithmetic(.cmp, .rax, state(StateOffset.frameLimit))
      addStub(.exit, index, exit: Int(node.imm >> 8), from: a.jump(if: .greater))
    case .callFrame: lowerCall(node)
    case .returnFrame: lowerReturn(index, node)
    case .exitIf, .exitUnless:
      let condition: Condition
      if let place = memory(node.a), !isNeeded(node.a) {
        a.arithmetic(.cmp, place, immediate: 0, .byte)
        condition = node.op == .exitIf ? .notEqual : .equal
      } else {
        let r = register(node.a)
        a.test(r, r, .byte)
        condition = node.op == .exitIf ? .notEqual : .equal
      }
      addStub(.exit, index, exit: Int(node.imm), from: a.jump(if: condition))
    case .exitCompare, .exitCompareImmediate, .exitTestBit, .exitTestMask:
      let condition = emitComparison(node)
      addStub(.exit, index, exit: Int(node.c), from: a.jump(if: condition))
    case .exitAlways:
      if isLoop && leadsToHead(Int(node.imm)) {
        let stub = addStub(.exit, index, exit: Int(node.imm), from: a.cursor)
        closeLoop(Int(node.imm), stubs[stub])
        stubCount -= 1  // it stands here, not behind the block; what closeLoop added moves down
        if stub < stubCount {
          for k in stub..<stubCount { stubs[k] = stubs[k + 1] }
        }
      } else {
        flush()
        emitExit(Int(node.imm), marker: marker)
      }
    case .exitIndirect:
      flush()
      let target = register(node.a)
      a.move(.rax, target)
      a.arithmetic(.and, .rax, immediate: -16)
      a.load(.rcx, state(StateOffset.cfm))
      emitIndirect()
    case .dead, .constant, .get, .put: break
    }
  }

  /// rax: target, rcx: marker.
  private func emitIndirect() {
    if block.mode != 0 {
      a.move(.rdx, immediate: Int64(block.mode) << Int64(Mode.shift))
      a.arithmetic(.or, .rcx, .rdx)
    }
    a.jump(to: context.thunks.indirect)
  }

  /// The result of a node whose operand may have given its register: enters it, and leaves the operand none.
  private func take(_ index: Int, _ r: Register, from operands: Int32...) {
    for value in operands where values[Int(value)].register == r.number {
      values[Int(value)].register = 0xff
      inRegister[Int(r.number)] = -1
    }
    define(index, r)
  }

  private func allocateResult(_ x: Int32, _ rx: Register, _ y: Int32, _ ry: Register) -> Register {
    if !isNeeded(x) { return rx }
    if !isNeeded(y) { return ry }
    return allocate()
  }

  /// r := r op value
  private func combine(_ op: Arithmetic, _ r: Register, _ value: Int32, _ width: Width = .quad) {
    if let c = smallConstant(value) {
      a.arithmetic(op, r, immediate: c, width)
    } else if width == .quad, let place = memory(value), !isNeeded(value) {
      a.arithmetic(op, r, place)
    } else {
      a.arithmetic(op, r, register(value), width)
    }
  }

  private func lowerBinary(_ index: Int, _ node: Node, _ op: Arithmetic, commutes: Bool, width: Width = .quad) {
    var x = node.a, y = node.b
    if commutes && isNeeded(x) && !isNeeded(y) && values[Int(y)].register != 0xff { swap(&x, &y) }
    if values[Int(y)].register != 0xff { pin(Register(values[Int(y)].register)) }
    if x == y {
      let r = writableCopy(x)
      a.arithmetic(op, r, r, width)
      define(index, r)
      return
    }
    let r = writableCopy(x)
    combine(op, r, y, width)
    define(index, r)
  }

  private func lowerAdd(_ index: Int, _ node: Node) {
    let x = node.a, y = node.b
    if isNeeded(x) && isNeeded(y) || x == y {
      let rx = register(x), ry = register(y)
      let r = allocateResult(x, rx, y, ry)
      a.loadEffectiveAddress(r, Address(rx, 0, index: ry))
      return take(index, r, from: x, y)
    }
    lowerBinary(index, node, .add, commutes: true)
  }

  private func lowerAddImmediate(_ index: Int, _ node: Node) {
    guard node.imm == Int64(Int32(truncatingIfNeeded: node.imm)) else {
      a.move(.rax, immediate: node.imm)
      let source = register(node.a)
      let r = isNeeded(node.a) ? allocate() : source
      a.loadEffectiveAddress(r, Address(source, 0, index: .rax))
      return take(index, r, from: node.a)
    }
    let imm = Int32(truncatingIfNeeded: node.imm)
    if isNeeded(node.a) && values[Int(node.a)].register != 0xff {
      let source = register(node.a)
      let r = allocate()
      a.loadEffectiveAddress(r, Address(source, imm))
      define(index, r)
    } else {
      let r = writableCopy(node.a)
      if imm != 0 { a.arithmetic(.add, r, immediate: imm) }
      define(index, r)
    }
  }

  private func lowerImmediate(_ index: Int, _ node: Node, _ op: Arithmetic) {
    let r = writableCopy(node.a)
    if op == .and && node.imm >= 0 && node.imm <= 0x7fff_ffff {
      a.arithmetic(op, r, immediate: Int32(node.imm), .long)
    } else if node.imm == Int64(Int32(truncatingIfNeeded: node.imm)) {
      a.arithmetic(op, r, immediate: Int32(truncatingIfNeeded: node.imm))
    } else {
      a.move(.rax, immediate: node.imm)
      a.arithmetic(op, r, .rax)
    }
    define(index, r)
  }

  private func lowerShift(_ index: Int, _ node: Node, _ op: Shift) {
    let r = writableCopy(node.a)
    a.shift(op, r, by: UInt8(node.imm))
    define(index, r)
  }

  /// Counts are whole 64-bit numbers: 64 and more shift everything out.
  private func lowerVariableShift(_ index: Int, _ node: Node, _ op: Shift) {
    let count = register(node.b)
    let r: Register
    if node.size == 1 {
      // The count is known to be below 64, or taken modulo 64.
      r = writableCopy(node.a)
      a.move32(.rcx, count)
      a.shiftByCL(op, r)
      return define(index, r)
    }
    if node.a == node.b {
      r = allocate()
      a.move(r, count)
    } else {
      r = writableCopy(node.a)
    }
    if op == .arithmetic {
      a.move(.rcx, immediate: 63)
      a.arithmetic(.cmp, count, .rcx)
      a.moveIf(.belowEqual, .rcx, count)
      a.shiftByCL(op, r)
    } else {
      a.move32(.rcx, count)
      a.shiftByCL(op, r)
      a.move(.rax, immediate: 0)
      a.arithmetic(.cmp, count, immediate: 63)
      a.moveIf(.above, r, .rax)
    }
    define(index, r)
  }

  /// Emits the comparison of a compare, test or fused exit, and gives the condition that holds when it is true.
  private func emitComparison(_ node: Node) -> Condition {
    switch node.op {
    case .compare, .exitCompare:
      let x = register(node.a)
      let width: Width = node.size == 4 ? .long : .quad
      if let place = memory(node.b), !isNeeded(node.b) {
        a.arithmetic(.cmp, x, place, width)
      } else {
        a.arithmetic(.cmp, x, register(node.b), width)
      }
      return condition(node)
    case .compareImmediate, .exitCompareImmediate:
      let width: Width = node.size == 4 ? .long : .quad
      if let place = memory(node.a), !isNeeded(node.a) {
        a.arithmetic(.cmp, place, immediate: Int32(truncatingIfNeeded: node.imm), width)
        return condition(node)
      }
      let x = register(node.a)
      if node.imm == 0 {
        a.test(x, x, width)
      } else {
        a.arithmetic(.cmp, x, immediate: Int32(truncatingIfNeeded: node.imm), width)
      }
      return condition(node)
    case .testBit, .exitTestBit:
      let x = register(node.a)
      if node.imm < 31 {
        if node.imm < 7 {
          a.test(x, immediate: 1 << Int32(node.imm), .byte)
        } else {
          a.test(x, immediate: 1 << Int32(node.imm), .long)
        }
        return condition(node)
      }
      a.bitTest(x, bit: UInt8(node.imm))
      return node.condition == Relation.notEqual.rawValue ? .below : .aboveEqual
    case .exitTestMask:
      let x = register(node.a)
      if node.imm >= 0 && node.imm <= 0x7fff_ffff {
        a.test(x, immediate: Int32(node.imm), .long)
      } else if node.imm == Int64(Int32(truncatingIfNeeded: node.imm)) {
        a.test(x, immediate: Int32(truncatingIfNeeded: node.imm))
      } else {
        a.move(.rax, immediate: node.imm)
        a.test(x, .rax)
      }
      return .notEqual
    default:  // testBitVariable
      a.bitTest(register(node.a), register(node.b))
      return .below
    }
  }

  // MARK: Memory

  /// The software TLB's probe: on success rax is what to add to the address. Returns the jump of the miss.
  private func probe(_ va: Register, _ size: UInt8, write: Bool) -> UnsafeMutablePointer<UInt8> {
    let miss = compareTag(va, size, write: write)
    a.load(.rax, Address(.r14, 16, index: .rcx))
    return miss
  }

  private func compareTag(_ va: Register, _ size: UInt8, write: Bool) -> UnsafeMutablePointer<UInt8> {
    a.move32(.rcx, va)
    a.shift(.right, .rcx, by: 7, .long)
    a.arithmetic(.and, .rcx, immediate: Int32(KT_STLB_LINES - 1) << 5, .long)
    a.move(.rax, va)
    a.arithmetic(.and, .rax, immediate: ~0xfff | Int32(size - 1))
    a.arithmetic(.cmp, .rax, Address(.r14, write ? 8 : 0, index: .rcx))
    return a.jump(if: .notEqual)
  }

  private func lowerLoad(_ index: Int, _ node: Node) {
    let address = register(node.a)
    let target: Register
    var skip: UnsafeMutablePointer<UInt8>? = nil
    if node.c >= 0 {
      let flag = register(node.c)
      target = writableCopy(node.b)
      a.test(flag, flag, .byte)
      skip = a.shortJump(if: .equal)
    } else if isNeeded(node.a) {
      target = allocate()
      pin(target)
    } else {
      target = address
    }
    let miss = probe(address, node.size, write: false)
    if node.condition != 0 {
      addStub(.exit, index, exit: Int(node.imm), from: miss)
      a.load(target, Address(.rax, 0, index: address), Width(rawValue: node.size)!)
    } else {
      let stub = addStub(.load, index, from: miss)
      a.load(target, Address(.rax, 0, index: address), Width(rawValue: node.size)!)
      stubs[stub].address = address
      stubs[stub].data = target
      stubs[stub].back = a.cursor
    }
    if let skip { a.bindShort(skip) }
    take(index, target, from: node.a)
  }

  private func lowerStore(_ index: Int, _ node: Node) {
    let address = register(node.a)
    let immediate = smallConstant(node.b)
    let data = immediate == nil || context.logStores ? register(node.b) : Register.rax
    var skip: UnsafeMutablePointer<UInt8>? = nil
    if node.c >= 0 {
      let flag = register(node.c)
      a.test(flag, flag, .byte)
      skip = a.shortJump(if: .equal)
    }
    let stub: Int
    if context.logStores {
      stub = addStub(.store, index, from: a.jump())
    } else {
      stub = addStub(.store, index, from: probe(address, node.size, write: true))
      let place = Address(.rax, 0, index: address)
      if let immediate {
        a.store(place, immediate: immediate, Width(rawValue: node.size)!)
      } else {
        a.store(place, data, Width(rawValue: node.size)!)
      }
    }
    stubs[stub].address = address
    stubs[stub].data = data
    stubs[stub].back = a.cursor
    lastStoreStub = stub
    if let skip { a.bindShort(skip) }
  }

  // MARK: Frames

  /// rax: position of the new frame's bottom, already in `bof`.
  private func setFrame() {
    a.arithmetic(.and, .rax, immediate: Int32(KT_RING_REGISTERS) - 1, .long)
    a.load(.rcx, state(StateOffset.ring))
    a.loadEffectiveAddress(.r15, Address(.rcx, 0, index: .rax, scale: 3))
    a.store(state(StateOffset.frame), .r15)
    a.arithmetic(.add, .rax, state(StateOffset.ringNaT))
    a.store(state(StateOffset.frameNaT), .rax)
  }

  private func lowerCall(_ node: Node) {
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

  private func lowerReturn(_ index: Int, _ node: Node) {
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
    a.arithmetic(.cmp, bottom, state(StateOffset.loadPosition))
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

  // MARK: System instructions

  private func lowerSystem(_ index: Int, _ node: Node) {
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

  private func lowerClock(_ index: Int, _ issued: Int32) {
    if context.virtualClock {
      let r = allocate()
      a.load(r, state(StateOffset.deadline))
      a.arithmetic(.sub, r, state(StateOffset.budget))
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
  private func lowerEndInterrupt(_ index: Int, _ refused: Int) {
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

  // MARK: Call sites

  /// Guest r8, r9, r10, r11, r14 become the callable's arguments behind the processor; its result goes to r8.
  private func lowerSite(_ index: Int, _ node: Node) {
    flush()
    let begin = a.cursor
    let number = Int(node.imm & 0xffff_ffff), exit = Int(node.imm >> 32)
    let table = context.sites!
    let site = table.pointee.site[number]
    let slot = kt_operation_slots(table)[Int(site.operation)]
    passArguments(Int(slot.arguments))
    forget()
    // No guest register is in a host register from here on, and a callable keeps rbp, r12 and r13.
    let mayChangeMode = Lowering.changesMode(Int(site.operation))
    if mayChangeMode {
      a.load(.rbp, state(StateOffset.fetchGeneration))
      a.load(.r13, state(StateOffset.psr))
    }
    a.move(.r12, immediate: Int64(bitPattern: site.start))
    a.store(state(StateOffset.ip), .r12)
    a.store(state(StateOffset.ri), immediate: 0, .long)
    a.loadEffectiveAddress(.rdi, Address(.rbx, -Int32(KT_CPU_BIAS)))
    let direct = site.dispatch != UInt8(KT_DISPATCH_INDIRECT.rawValue)
    // Six bytes within one aligned word: either form, switched by one store.
    while (UInt(bitPattern: a.cursor) & 7) > 2 { a.nop(8 - Int(UInt(bitPattern: a.cursor) & 7)) }
    let call = a.cursor
    context.callables.emitCall(&a, operation: Int(site.operation), direct: direct)
    // A callable that faults, or that changes the addressing mode, sets event_check.
    a.arithmetic(.cmp, state(StateOffset.stopRequest), immediate: 0, .word)
    addStub(.site, index, exit: exit, from: a.jump(if: .notEqual))
    eventsChecked = true
    if slot.has_result != 0 { a.store(home(8), .rax) }
    if mayChangeMode {
      a.arithmetic(.cmp, .rbp, state(StateOffset.fetchGeneration))
      addStub(.exit, index, exit: exit, from: a.jump(if: .notEqual))
      a.arithmetic(.cmp, .r13, state(StateOffset.psr))
      addStub(.exit, index, exit: exit, from: a.jump(if: .notEqual))
    }
    sites.append(EmittedSite(site: Int32(number), call: call, begin: begin, end: a.cursor))
  }

  /// Something wants attention behind a called site: the guest left it (r12 holds its start), or goes on behind it.
  private func emitSiteEvents(_ stub: Stub) {
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
  private static func changesMode(_ operation: Int) -> Bool {
    switch UInt32(operation) {
    case KT_OP_SETREG.rawValue, KT_OP_SET_RR.rawValue, KT_OP_SET_RR0_TO_RR4.rawValue, KT_OP_PTCGA.rawValue: true
    default: false
    }
  }

  /// Every guest register is home; those that a host register still holds come from there.
  private func passArguments(_ count: Int) {
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
