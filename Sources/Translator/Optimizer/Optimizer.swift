// Passes over a block's IR. Constants are folded while the IR is built (Builder); here, in one walk each:
//  - fusion: an exit on a comparison compares itself;
//  - dead writes: a guest register write that another follows before anything can see it, and values nobody uses;
//  - the use chains that register allocation wants.

struct Optimizer {
  /// For node i and operand k (a, b, c), at 3i + k: the next node that uses the same value, or `never`.
  let nextUse: UnsafeMutablePointer<Int32>
  /// First use of each value.
  let firstUse: UnsafeMutablePointer<Int32>
  /// Per slot: the generation in which it is overwritten before anything sees it.
  private let killed: UnsafeMutablePointer<Int32>

  static let never = Int32.max
  /// Node.flags: the value is never computed; every place that could see it knows it.
  static let elided: UInt8 = 2

  init() {
    nextUse = .allocate(capacity: Block.capacity * 3)
    firstUse = .allocate(capacity: Block.capacity)
    killed = .allocate(capacity: Slot.count)
  }

  func run(_ block: inout Block, _ options: TranslatorOptions) {
    if options.contains(.fusion) { fuse(block) }
    removeDeadWrites(block, options.contains(.deadWrites))
    if options.contains(.fusion) { elide(block) }
  }

  // MARK: Fusion

  private func fuse(_ block: Block) {
    for index in 0..<block.count where block.nodes[index].op == .exitIf {
      let exit = block.nodes + index
      var source = block.nodes[Int(exit.pointee.a)]
      if source.op == .booleanNot {
        exit.pointee.op = .exitUnless
        exit.pointee.a = source.a
        source = block.nodes[Int(source.a)]
      }
      guard exit.pointee.op == .exitIf else { continue }
      switch source.op {
      case .compare: exit.pointee.op = .exitCompare
      case .compareImmediate: exit.pointee.op = .exitCompareImmediate
      case .testBit: exit.pointee.op = .exitTestBit
      case .testBitVariable: exit.pointee.op = .exitTestBitVariable
      case .compareDouble: exit.pointee.op = .exitCompareDouble
      default: continue
      }
      // The exit's number moves to c, which is no operand of these forms.
      exit.pointee.c = Int32(exit.pointee.imm)
      exit.pointee.a = source.a
      exit.pointee.b = source.b
      exit.pointee.imm = source.imm
      exit.pointee.size = source.size
      exit.pointee.condition = source.condition
    }
  }

  // MARK: Liveness

  /// Whether the node can leave the block, so that guest state must be complete before it.
  @inline(__always) static func seesState(_ op: Operation) -> Bool {
    switch op {
    case .load, .store, .storeEnd, .interpret, .callSite, .callFrame, .growFrame, .returnFrame, .exitIf, .exitUnless,
      .exitCompare, .exitCompareImmediate, .exitTestBit, .exitTestBitVariable, .exitTestMask, .exitAlways, .exitIndirect,
      .exitCall, .predicatesHome, .exitIfState, .exitIfPending, .flushLine, .endInterrupt, .floatArithmetic, .checkDouble,
      .packDouble, .floatCall, .convertInteger, .exitCompareDouble, .checkOperands, .checkSingle,
      .singleBits: true
    default: false
    }
  }

  @inline(__always) private static func hasEffect(_ op: Operation) -> Bool {
    switch op {
    case .divide, .settle, .noteRun, .storeState, .setMarker, .markModified, .countCall, .siteBegins, .siteEnds: true
    default: seesState(op)
    }
  }

  /// The number of a fused exit stands in c.
  @inline(__always) static func operandCount(_ op: Operation) -> Int {
    switch op {
    case .exitCompare, .exitCompareImmediate, .exitTestBit, .exitTestBitVariable, .exitTestMask, .exitCompareDouble: 2
    default: 3
    }
  }

  private func removeDeadWrites(_ block: Block, _ remove: Bool) {
    let nodes = block.nodes
    for slot in 0..<Slot.count { killed[slot] = -1 }
    for index in 0..<block.count { firstUse[index] = Optimizer.never }
    var generation: Int32 = 0
    var index = block.count - 1
    while index >= 0 {
      defer { index -= 1 }
      let node = nodes + index
      let op = node.pointee.op
      if op == .put {
        let slot = Int(node.pointee.imm)
        if remove && killed[slot] == generation {
          node.pointee.op = .dead
          continue
        }
        killed[slot] = generation
        use(node.pointee.a, index, 0)
        continue
      }
      if Optimizer.seesState(op) {
        generation += 1
      } else if remove && firstUse[index] == Optimizer.never && !Optimizer.hasEffect(op) {
        node.pointee.op = .dead
        continue
      }
      if Optimizer.operandCount(op) == 3 && node.pointee.c >= 0 { use(node.pointee.c, index, 2) }
      if node.pointee.b >= 0 { use(node.pointee.b, index, 1) }
      if node.pointee.a >= 0 { use(node.pointee.a, index, 0) }
    }
  }

  @inline(__always) private func use(_ value: Int32, _ index: Int, _ operand: Int) {
    nextUse[index * 3 + operand] = firstUse[Int(value)]
    firstUse[Int(value)] = Int32(index)
  }

  // MARK: Elision

  /// Finds comparisons that only predicates hold, where each place that sees these predicates is an exit on the very
  /// comparison: there the value is known.
  private func elide(_ block: Block) {
    let nodes = block.nodes
    for index in 0..<block.count {
      let op = nodes[index].op
      guard op == .compare || op == .compareImmediate || op == .testBit || op == .compareDouble, isOnlyHeld(block, index) else { continue }
      if canElide(block, Int32(index)) { nodes[index].flags |= Optimizer.elided }
    }
  }

  /// Whether guest registers are all that a value goes to.
  private func isOnlyHeld(_ block: Block, _ value: Int) -> Bool {
    var use = firstUse[value]
    if use == Optimizer.never { return false }
    while use != Optimizer.never {
      if block.nodes[Int(use)].op != .put { return false }
      use = nextUse[Int(use) * 3]
    }
    return true
  }

  private func canElide(_ block: Block, _ value: Int32) -> Bool {
    let nodes = block.nodes
    var holders = 0  // slots that hold the value now
    var slots: (Int64, Int64) = (-1, -1)
    var index = Int(value) + 1
    let limit = min(block.count, index + 48)
    while index < limit {
      let node = nodes[index]
      if node.op == .put {
        if node.a == value {
          if holders == 2 { return false }
          if slots.0 != node.imm && slots.1 != node.imm {
            if slots.0 < 0 { slots.0 = node.imm } else { slots.1 = node.imm }
            holders += 1
          }
        } else if slots.0 == node.imm || slots.1 == node.imm {
          if slots.0 == node.imm { slots.0 = -1 } else { slots.1 = -1 }
          holders -= 1
          if holders == 0 && !isPutLater(block, value, index + 1) { return true }
        }
      } else if holders > 0 && Optimizer.seesState(node.op) && Optimizer.verdict(nodes, node, value) == nil {
        return false
      }
      index += 1
    }
    return false
  }

  private func isPutLater(_ block: Block, _ value: Int32, _ from: Int) -> Bool {
    for index in from..<block.count where block.nodes[index].op == .put && block.nodes[index].a == value { return true }
    return false
  }

  /// What a comparison's value is where the exit `node` is taken; nil where that does not follow.
  static func verdict(_ nodes: UnsafeMutablePointer<Node>, _ node: Node, _ value: Int32) -> Bool? {
    let source = nodes[Int(value)]
    let matching: Operation
    switch node.op {
    case .exitCompare: matching = .compare
    case .exitCompareImmediate: matching = .compareImmediate
    case .exitTestBit: matching = .testBit
    case .exitCompareDouble: matching = .compareDouble
    default: return nil
    }
    guard source.op == matching, source.a == node.a, source.b == node.b, source.imm == node.imm,
      source.size == node.size
    else { return nil }
    if source.condition == node.condition { return true }
    if source.condition ^ 1 == node.condition { return false }
    return nil
  }
}
