// Builds a block's IR: tracks which value each guest register holds, folds constants, and knows the instruction at hand.
import CSupport

struct Builder {
  var block = Block()
  /// The value each guest slot holds at this point, or -1 where only its home does.
  let current: UnsafeMutablePointer<Int32>
  var touched: [Int] = []
  var fold = true
  /// Position and slots issued before the instruction at hand, and its predicate (-1: always).
  var position: UInt32 = 0
  var issued: Int32 = 0
  var predicate: Int32 = -1
  /// The frame marker at this point.
  var marker: UInt64 = 0
  /// psr.mfl and psr.mfh as far as they are known to be set, and whether FPSR's controls are known to be plain.
  var modified: Int64 = 0
  var controlsKnown = false
  /// A call has moved the frame.
  var frameMoved = false
  /// Bit n: the value of floating-point register n may be put off at this point.
  var unsettled = UInt32.max
  /// The base register of the instruction at hand, where it accesses memory.
  var base: UInt8 = 0

  init() {
    current = .allocate(capacity: Slot.count)
    current.initialize(repeating: -1, count: Slot.count)
  }

  mutating func begin(start: UInt64, marker: UInt64, mode: UInt64) {
    block.count = 0
    block.exitCount = 0
    block.start = start
    block.marker = marker
    block.mode = mode
    block.slots = 0
    block.selfLoop = false
    self.marker = marker
    issued = 0
    predicate = -1
    position = 0
    modified = 0
    controlsKnown = false
    frameMoved = false
    unsettled = .max
    current.update(repeating: -1, count: Slot.count)
  }

  // MARK: Nodes

  @inline(__always) mutating func emit(
    _ op: Operation, _ a: Int32 = -1, _ b: Int32 = -1, _ c: Int32 = -1, imm: Int64 = 0, size: UInt8 = 0,
    condition: UInt8 = 0
  ) -> Int32 {
    var node = Node(op)
    node.a = a
    node.b = b
    node.c = c
    node.imm = imm
    node.size = size
    node.condition = condition
    node.position = position
    node.issued = issued
    node.base = base
    return block.append(node)
  }

  mutating func constant(_ value: Int64) -> Int32 { emit(.constant, imm: value) }
  mutating func constant(_ value: UInt64) -> Int32 { emit(.constant, imm: Int64(bitPattern: value)) }

  /// The constant that a value is known to be.
  @inline(__always) func known(_ value: Int32) -> Int64? {
    let node = block.nodes + Int(value)
    return fold && node.pointee.op == .constant ? node.pointee.imm : nil
  }

  // MARK: Guest state

  mutating func read(_ slot: Int) -> Int32 {
    if current[slot] >= 0 { return current[slot] }
    let value = emit(.get, imm: Int64(slot), size: Slot.isPredicate(slot) ? 1 : 8)
    current[slot] = value
    return value
  }

  mutating func put(_ slot: Int, _ value: Int32) {
    _ = emit(.put, value, imm: Int64(slot), size: Slot.isPredicate(slot) ? 1 : 8)
    current[slot] = value
  }

  /// Writes under the instruction's predicate.
  mutating func write(_ slot: Int, _ value: Int32) {
    if predicate < 0 {
      put(slot, value)
    } else {
      put(slot, select(predicate, value, read(slot)))
    }
  }

  /// After something that may have changed any state in memory.
  mutating func forgetState() {
    current.update(repeating: -1, count: Slot.count)
    modified = 0
    controlsKnown = false
  }

  // MARK: Arithmetic with folding

  mutating func add(_ a: Int32, _ b: Int32) -> Int32 {
    if let x = known(a) { return addImmediate(b, x) }
    if let y = known(b) { return addImmediate(a, y) }
    return emit(.add, a, b)
  }

  mutating func addImmediate(_ a: Int32, _ imm: Int64) -> Int32 {
    if let x = known(a) { return constant(x &+ imm) }
    if imm == 0 && fold { return a }
    return emit(.addImmediate, a, imm: imm)
  }

  mutating func sub(_ a: Int32, _ b: Int32) -> Int32 {
    if let y = known(b) { return addImmediate(a, 0 &- y) }
    if let x = known(a) { return emit(.subtractFrom, b, imm: x) }
    return emit(.sub, a, b)
  }

  mutating func subtractFrom(_ imm: Int64, _ a: Int32) -> Int32 {
    if let x = known(a) { return constant(imm &- x) }
    return emit(.subtractFrom, a, imm: imm)
  }

  mutating func and(_ a: Int32, _ b: Int32) -> Int32 {
    if let x = known(a) { return andImmediate(b, x) }
    if let y = known(b) { return andImmediate(a, y) }
    return emit(.and, a, b)
  }

  mutating func andImmediate(_ a: Int32, _ imm: Int64) -> Int32 {
    if let x = known(a) { return constant(x & imm) }
    if fold {
      if imm == -1 { return a }
      if imm == 0 { return constant(Int64(0)) }
      if imm == 0xff { return extend(.zeroExtend, a, 1) }
      if imm == 0xffff { return extend(.zeroExtend, a, 2) }
      if imm == 0xffff_ffff { return extend(.zeroExtend, a, 4) }
    }
    return emit(.andImmediate, a, imm: imm)
  }

  mutating func or(_ a: Int32, _ b: Int32) -> Int32 {
    if let x = known(a) { return orImmediate(b, x) }
    if let y = known(b) { return orImmediate(a, y) }
    if a == b && fold { return a }
    return emit(.or, a, b)
  }

  mutating func orImmediate(_ a: Int32, _ imm: Int64) -> Int32 {
    if let x = known(a) { return constant(x | imm) }
    if imm == 0 && fold { return a }
    return emit(.orImmediate, a, imm: imm)
  }

  mutating func xor(_ a: Int32, _ b: Int32) -> Int32 {
    if let x = known(a) { return xorImmediate(b, x) }
    if let y = known(b) { return xorImmediate(a, y) }
    return emit(.xor, a, b)
  }

  mutating func xorImmediate(_ a: Int32, _ imm: Int64) -> Int32 {
    if let x = known(a) { return constant(x ^ imm) }
    if imm == 0 && fold { return a }
    return emit(.xorImmediate, a, imm: imm)
  }

  mutating func andComplement(_ a: Int32, _ b: Int32) -> Int32 {
    if a == b { return constant(Int64(0)) }
    if let y = known(b) { return andImmediate(a, ~y) }
    if let x = known(a), x == 0 { return constant(Int64(0)) }
    return emit(.andComplement, a, b)
  }

  mutating func shift(_ op: Operation, _ a: Int32, _ count: Int) -> Int32 {
    if let x = known(a) {
      switch op {
      case .shiftLeft: return constant(count > 63 ? 0 : x << Int64(count))
      case .shiftRight: return constant(count > 63 ? 0 : Int64(bitPattern: UInt64(bitPattern: x) >> UInt64(count)))
      default: return constant(x >> Int64(min(count, 63)))
      }
    }
    if count == 0 && fold { return a }
    return emit(op, a, imm: Int64(count))
  }

  mutating func extend(_ op: Operation, _ a: Int32, _ size: UInt8) -> Int32 {
    if let x = known(a) {
      let unused = Int64(64 - Int(size) * 8)
      return op == .signExtend
        ? constant((x << unused) >> unused)
        : constant(UInt64(bitPattern: x << unused) >> UInt64(unused))
    }
    return emit(op, a, size: size)
  }

  mutating func shiftAdd(_ a: Int32, _ count: Int, _ b: Int32) -> Int32 {
    if let x = known(a) { return addImmediate(b, x << Int64(count)) }
    if let y = known(b) { return addImmediate(shift(.shiftLeft, a, count), y) }
    return emit(.shiftAdd, a, b, imm: Int64(count))
  }

  mutating func multiply(_ a: Int32, _ b: Int32) -> Int32 {
    if let x = known(a) {
      if let y = known(b) { return constant(x &* y) }
      if x == 0 { return constant(Int64(0)) }
    } else if let y = known(b), y == 0 {
      return constant(Int64(0))
    }
    return emit(.multiply, a, b)
  }

  // MARK: Booleans

  mutating func compare(_ relation: Relation, _ a: Int32, _ b: Int32, size: UInt8) -> Int32 {
    if let y = known(b) {
      if let x = known(a) {
        return constant(relation.holds(UInt64(bitPattern: x), UInt64(bitPattern: y), size: size) ? 1 : Int64(0))
      }
      let narrow = size == 4 ? Int64(Int32(truncatingIfNeeded: y)) : y
      if narrow == Int64(Int32(truncatingIfNeeded: narrow)) {
        return emit(.compareImmediate, a, imm: narrow, size: size, condition: relation.rawValue)
      }
    } else if known(a) != nil {
      return compare(relation.swapped, b, a, size: size)
    }
    return emit(.compare, a, b, size: size, condition: relation.rawValue)
  }

  mutating func testBit(_ a: Int32, _ bit: Int, set: Bool) -> Int32 {
    if let x = known(a) { return constant((x >> Int64(bit) & 1 != 0) == set ? 1 : Int64(0)) }
    let relation: Relation = set ? .notEqual : .equal
    return emit(.testBit, a, imm: Int64(bit), condition: relation.rawValue)
  }

  /// The complement of a boolean: of a comparison the inverse comparison, so that either can fuse.
  mutating func complement(_ a: Int32) -> Int32 {
    if let x = known(a) { return constant(x ^ 1) }
    let node = block.nodes[Int(a)]
    switch node.op {
    case .compare, .compareImmediate, .testBit, .compareDouble:
      return emit(
        node.op, node.a, node.b, imm: node.imm, size: node.size,
        condition: Relation(rawValue: node.condition)!.inverted.rawValue)
    case .booleanNot: return node.a
    default: return emit(.booleanNot, a)
    }
  }

  mutating func both(_ a: Int32, _ b: Int32) -> Int32 {
    if let x = known(a) { return x != 0 ? b : constant(Int64(0)) }
    if let y = known(b) { return y != 0 ? a : constant(Int64(0)) }
    if a == b { return a }
    return emit(.booleanAnd, a, b)
  }

  mutating func either(_ a: Int32, _ b: Int32) -> Int32 {
    if let x = known(a) { return x != 0 ? constant(Int64(1)) : b }
    if let y = known(b) { return y != 0 ? constant(Int64(1)) : a }
    if a == b { return a }
    return emit(.booleanOr, a, b)
  }

  /// a and not b
  mutating func bothNot(_ a: Int32, _ b: Int32) -> Int32 {
    if a == b { return constant(Int64(0)) }
    if let y = known(b) { return y != 0 ? constant(Int64(0)) : a }
    if let x = known(a) { return x != 0 ? complement(b) : constant(Int64(0)) }
    switch block.nodes[Int(b)].op {
    case .compare, .compareImmediate, .testBit, .compareDouble: return emit(.booleanAnd, a, complement(b))
    default: return emit(.booleanAndComplement, a, b)
    }
  }

  mutating func select(_ c: Int32, _ a: Int32, _ b: Int32) -> Int32 {
    if let x = known(c) { return x != 0 ? a : b }
    if a == b { return a }
    return emit(.select, a, b, c)
  }

  // MARK: Exits

  mutating func makeExit(_ kind: ExitKind, to target: UInt64, backward: Bool = false) -> Int64 {
    block.append(BlockExit(
      kind: kind, backward: backward, slot: UInt8(target & 3), target: target & ~3, marker: marker, issued: issued,
      isMoved: frameMoved))
  }

  /// Leaves to `target` (slot in the low bits) when `condition` is true; afterwards the condition is known false.
  mutating func exit(if condition: Int32, _ kind: ExitKind, to target: UInt64, backward: Bool = false) {
    if let x = known(condition), x == 0 { return }
    let exit = makeExit(kind, to: target, backward: backward)
    _ = emit(.exitIf, condition, imm: exit)
    learn(condition, false)
  }

  /// From here on a boolean has a known value: predicates that hold it, or its inverse, become constants.
  mutating func learn(_ condition: Int32, _ value: Bool) {
    guard fold else { return }
    for slot in Slot.predicates..<Slot.branches {
      let held = current[slot]
      if held < 0 || known(held) != nil { continue }
      if held == condition {
        put(slot, constant(value ? Int64(1) : 0))
      } else if isInverse(held, condition) {
        put(slot, constant(value ? Int64(0) : 1))
      }
    }
  }

  func isInverse(_ a: Int32, _ b: Int32) -> Bool { Block.areInverse(block.nodes, a, b) }
}

extension Block {
  /// Whether two booleans are structurally each other's complement.
  static func areInverse(_ nodes: UnsafeMutablePointer<Node>, _ a: Int32, _ b: Int32) -> Bool {
    let x = nodes[Int(a)], y = nodes[Int(b)]
    if x.op == .booleanNot { return x.a == b }
    if y.op == .booleanNot { return y.a == a }
    guard x.op == y.op, x.condition ^ y.condition == 1, x.a == y.a, x.b == y.b, x.imm == y.imm, x.size == y.size else {
      return false
    }
    return x.op == .compare || x.op == .compareImmediate || x.op == .testBit || x.op == .compareDouble
  }
}
