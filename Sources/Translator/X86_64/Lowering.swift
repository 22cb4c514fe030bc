// IR to x86-64: register allocation over the block's straight line, and instruction selection, in one forward pass.
// Guest registers are written home at the block's ends; side exits and slow paths, which stand behind the block, write
// what is dirty where they leave.
//
// Host registers: rbx = kt_cpu + KT_CPU_BIAS, r15 = frame, r14 = software TLB, r13 = budget; rax and rcx are scratch; the
// others hold values. Spill slots are in kt_cpu; the stack holds where returns go on (Lowering+Frames.swift).
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
  /// What the block's region agrees on; nil outside of regions.
  var region: RegionLayout? = nil
}

/// A block of a region as the others reach it.
struct RegionEntry {
  var start: UInt64   // guest address, entry slot in the low bits
  var marker: UInt64
  var slots: Int32 = 0
  var number = 0      // of its block record
  /// Where the block goes on with carried registers in place; nil until it is emitted.
  var head: UnsafeMutablePointer<UInt8>? = nil
}

/// A region's blocks, and the guest registers that stand in host registers at every head.
struct RegionLayout {
  var entries: [RegionEntry]
  var carried: [Int]
  var places: [UInt8]
  /// For each of them: whether some block writes it, so that its home is behind.
  var written: [Bool]
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
  struct Value {
    var register: UInt8 = 0xff
    var vector: UInt8 = 0xff // vector register that holds the value, beside or instead of a general one
    var home: Int16 = -1    // slot whose home holds the value
    var spill: Int16 = -1   // spill slot that holds the value
    var dirty: UInt8 = 0    // number of slots that hold it and are not written home
    var next: Int32 = Optimizer.never
    var keep = false        // an invariant of the loop: the next pass wants it
  }

  enum StubKind {
    case exit, load, store, budget, site, loopLeft, loopBudget, checkDouble, doubleResult, packDouble, floatCall
    case settle, sync, modified, checkSingle, singleBits
  }

  struct Stub {
    var kind: StubKind
    var node: Int32
    var exit: Int32
    var from: UnsafeMutablePointer<UInt8>   // the rel32 that leads here
    var back: UnsafeMutablePointer<UInt8>   // where a slow path returns to
    var snapshot: Int32
    var snapshotCount: Int32
    var address: Register
    var data: Register
    var vector: UInt8 = 0xff                 // the vector register that holds the data instead
    var marker: UInt64
    var charged: Int32
    var eventsChecked: Bool
    var storeEnd: Int32                      // for stores: the stub of their storeEnd, or -1
    var near: Int32 = -1                     // offset of the near line that was asked, and what to do when it is filled
    var again: UnsafeMutablePointer<UInt8>
    var heldCarried: UInt64 = 0              // carried slots, not written, whose registers still hold them
  }

  /// A dirty slot at a stub: its number, and the value with the place that holds it (0xff: a constant, or elided).
  struct Saved {
    var slot: Int16
    var place: UInt8
    var value: Int32
  }

  static let allocatable: UInt32 = {
    var mask: UInt32 = 0
    for r in [Register.rdx, .rsi, .rdi, .rbp, .r8, .r9, .r10, .r11, .r12] { mask |= 1 << UInt32(r.number) }
    return mask
  }()

  let values: UnsafeMutablePointer<Value>
  let inRegister: UnsafeMutablePointer<Int32>   // value in each host register, or -1
  let inVector: UnsafeMutablePointer<Int32>     // likewise
  let dirtyValue: UnsafeMutablePointer<Int32>   // per slot, or -1
  let dirtyPlace: UnsafeMutablePointer<Int16>   // per slot: index in dirtySlots
  let dirtySlots: UnsafeMutablePointer<Int16>
  var dirtyCount = 0
  let homeValue: UnsafeMutablePointer<Int32>    // per slot: the value its home holds, or -1
  let stubs: UnsafeMutablePointer<Stub>
  var stubCount = 0
  let saved: UnsafeMutablePointer<Saved>
  var savedCount = 0
  var spillsUsed: UInt64 = 0
  var pinned: UInt32 = 0
  var pinnedVectors: UInt32 = 0
  /// Floating-point registers whose home is known to have the form of a packed double.
  let homeIsPacked: UnsafeMutablePointer<Bool>
  var marker: UInt64 = 0
  /// The store of a known predicate that was just emitted: where it stands and ends.
  var lastPredicate: (slot: Int, value: Bool, start: UnsafeMutablePointer<UInt8>, end: UnsafeMutablePointer<UInt8>)?
  /// Slots of the block that the budget has paid for at this point. Without called sites it pays for all at the head. With
  /// them it pays up to the end of the first, so that the budget is exact where a callable runs, and for what is behind
  /// a site where that is needed next: an exit takes its own slots off.
  var charged: Int32 = 0
  /// A called site before this point has looked at events: a way back to the block's head need not.
  var eventsChecked = false
  var lastStoreStub = -1

  /// Loop-carried slots of a block that branches to itself, with the host register each has at the loop's head.
  struct Carried {
    var slot: Int
    var place: UInt8
    var value: Int32    // the `get` that reads it
    var written: Bool
  }
  var carried: [Carried] = []
  var isLoop = false
  /// Nothing is put off where the loop is entered, and nothing in it puts integer quotients off.
  var settledAtEntry = false
  /// The region's blocks, or the block alone where it branches to itself; and jumps to heads that are not emitted yet.
  var entries: [RegionEntry] = []
  var unbound: [(place: UnsafeMutablePointer<UInt8>, entry: Int)] = []
  static let carriers: [UInt8] = [Register.rdi, .rsi, .r8, .r9, .r10, .r11, .rbp].map(\.number)
  static let vectorCarriers: [UInt8] = (6...15).reversed().map { vectorPlace + $0 }

  var exits: [EmittedExit] = []
  var sites: [EmittedSite] = []
  /// Where the block's first instruction may be made to jump to: leaves to the engine. nil where the context wants none.
  var home: UnsafeMutablePointer<UInt8>? = nil

  var a = Assembler(at: UnsafeMutablePointer<UInt8>(bitPattern: 16)!)
  var context: LoweringContext! = nil
  var nodes: UnsafeMutablePointer<Node>
  var block = Block()
  let optimizer: Optimizer

  static let stubCapacity = 4096
  static let savedCapacity = 65536

  init(optimizer: Optimizer) {
    self.optimizer = optimizer
    values = .allocate(capacity: Block.capacity)
    inRegister = .allocate(capacity: 16)
    inVector = .allocate(capacity: 16)
    homeIsPacked = .allocate(capacity: 128)
    dirtyValue = .allocate(capacity: Slot.count)
    dirtyPlace = .allocate(capacity: Slot.count)
    dirtySlots = .allocate(capacity: Slot.count)
    homeValue = .allocate(capacity: Slot.count)
    stubs = .allocate(capacity: Lowering.stubCapacity)
    saved = .allocate(capacity: Lowering.savedCapacity)
    nodes = block.nodes
    exits.reserveCapacity(512)
    carried.reserveCapacity(16)
  }

  /// Upper bound of the bytes a block may take.
  static func bound(_ block: Block) -> Int {
    // Each way out of the block writes home what is in registers or known: at most every slot that the block
    // writes, a constant of 64 bits in 17 bytes.
    let puts = (0..<block.count).count { block.nodes[$0].op == .put }
    let written = min(puts, Slot.count), waysOut = block.exitCount + block.count - puts
    return block.count * Block.nodeBytes + block.exitCount * 128 + waysOut * written * 17 + 65536
  }

  // MARK: The block

  /// The blocks of a region follow.
  func begin(_ region: RegionLayout) {
    entries = region.entries
    unbound.removeAll(keepingCapacity: true)
  }

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
    for r in 0..<16 {
      inRegister[r] = -1
      inVector[r] = -1
    }
    homeIsPacked.update(repeating: false, count: 128)
    for slot in 0..<Slot.count {
      dirtyValue[slot] = -1
      homeValue[slot] = -1
    }
    isLoop = context.region != nil || (context.options.contains(.loops) && block.selfLoop)
    settledAtEntry = false
    carried.removeAll(keepingCapacity: true)
    chargeAtHead()
    if isLoop { enterLoop() }
    let lastCarrying = isLoop ? lastCarryingExit() : -1
    for index in 0..<block.count {
      pinned = 0
      pinnedVectors = 0
      if charged != block.slots { chargeBefore(index) }
      lowerNode(index)
      if index == lastCarrying { endCarrying() }
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

  // MARK: The budget

  /// Slots of the block up to the end of the next called site from node `index` on, or up to its end. Nobody asks for an
  /// exact budget under the host clock.
  func slotsToCharge(from index: Int) -> Int32 {
    guard context.virtualClock else { return block.slots }
    for next in index..<block.count where nodes[next].op == .callSite { return nodes[next].issued + Int32(KT_SITE_SLOTS) }
    return block.slots
  }

  /// The exit of a branch node.
  func exitNumber(_ node: Node) -> Int? {
    switch node.op {
    case .exitIf, .exitUnless, .exitAlways: Int(node.imm)
    case .exitCompare, .exitCompareImmediate, .exitTestBit, .exitTestBitVariable, .exitTestMask, .exitCompareDouble:
      Int(node.c)
    default: nil
    }
  }

  /// Leaves where the budget would end within the block. The first instruction has room for a jump (HostPatcher).
  func chargeAtHead() {
    let first = slotsToCharge(from: 0)
    if first == block.slots {
      charged = first
      a.arithmetic(.sub, .r13, wideImmediate: first)
      addStub(.budget, 0, from: a.jump(if: .sign))
    } else {
      charged = 0
      a.arithmetic(.cmp, .r13, wideImmediate: block.slots)
      addStub(.budget, 0, from: a.jump(if: .less))
      a.arithmetic(.sub, .r13, immediate: first)
      charged = first
    }
  }

  /// Before a node that hands the budget to others, or ends the block: pays up to the next called site or the end.
  func chargeBefore(_ index: Int) {
    switch nodes[index].op {
    case .load, .store, .storeEnd, .interpret, .callSite, .callFrame, .growFrame, .returnFrame, .exitIndirect, .exitCall,
      .clock, .floatCall: break
    default: return
    }
    let more = slotsToCharge(from: index) - charged
    if more == 0 { return }
    charged += more
    a.arithmetic(.sub, .r13, immediate: more)
  }

  // MARK: Nodes

  func condition(_ node: Node) -> Condition {
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

  func lowerNode(_ index: Int) {
    let node = nodes[index]
    switch node.op {
    case .dead, .constant: return
    case .get:
      if isHeld(Int32(index)) || values[index].dirty != 0 || homeValue[Int(node.imm)] == Int32(index) { return }
      values[index].home = Int16(node.imm)
      homeValue[Int(node.imm)] = Int32(index)
      return
    case .put:
      consume(index, 0, node.a)
      put(Int(node.imm), node.a)
      releaseIfDead(node.a)
      return
    case .compare, .compareImmediate, .testBit, .compareDouble:
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
}
