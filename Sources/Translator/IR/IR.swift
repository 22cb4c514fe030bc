// The translator's intermediate representation: one straight line of operations over values in static single assignment,
// with reads and writes of guest state explicit and side exits in between. A value is the index of the operation that
// makes it. Everything lives in raw memory that is reused from block to block.

enum Operation: UInt8 {
  case constant        // imm
  case get             // guest slot imm
  case put             // guest slot imm := a
  case add, sub, and, or, xor, andComplement
  case addImmediate, andImmediate, orImmediate, xorImmediate
  case subtractFrom    // imm − a
  case shiftLeft, shiftRight, shiftArithmetic                                          // by imm
  case shiftLeftVariable, shiftRightVariable, shiftArithmeticVariable                  // counts above 63 shift all out
  case signExtend, zeroExtend                                                          // of `size` bytes
  case shiftAdd        // (a << imm) + b
  case shiftPair       // low 64 bits of (a:b) >> imm
  case populationCount, byteSwap
  case multiply        // low 64 bits
  case compare, compareImmediate                                                       // `condition`, `size` 4 or 8
  case testBit         // bit imm of a; `condition` equal: clear, notEqual: set
  case testBitVariable // bit b mod 64 of a
  case resetBitVariable
  case booleanAnd, booleanOr, booleanNot, booleanAndComplement                         // low byte 0 or 1
  case booleanToWord   // zero-extended
  case select          // c ? a : b
  case load            // `size` bytes at a, zero-extended; where c is given and false: b; `condition` 1: the exit imm
                       // where the software TLB does not have it, 2: a double
  case store           // `size` bytes of b at a, unless c is given and false
  case storeEnd        // behind a store and its base update: where a store that needs attention leaves
  case loadState       // 8 bytes of kt_cpu at byte offset imm
  case loadStateByte   // a boolean
  case loadStateIndexed // 8 bytes of kt_cpu at imm + 8·a
  case storeState      // kt_cpu at imm := a
  case markModified    // psr |= imm (mfl, mfh), unless c is given and false
  case setMarker       // cfm := imm
  case predicatesHome  // all predicates are in memory behind this, and only there
  case clock           // ar.itc less its offset, when imm slots of the block have been issued
  case flushLine       // fc of address a: leaves by exit imm where more is to be done than nothing
  case exitIfPending   // leaves by exit imm where any external interrupt is pending
  case endInterrupt    // cr.eoi; leaves by exit imm where an NMI or ExtINT is in service
  case siteBegins, siteEnds // around the IR of inlined site imm
  case countCall       // 8 bytes at host address imm += 1
  case floatArithmetic // of packed doubles a, b, c, as `condition` says (DoubleArithmetic), of `size` 4 rounded to
                       // single; the exit where refused, or -1
  case compareDouble   // packed doubles, none a NaN: `condition` below, belowEqual, equal
  case checkDouble     // a, which must be no NaN and no denormal: the exit where it is
  case checkSingle     // the double of single a (low 32 bits): the exit where that is no normal number and no zero
  case singleBits      // the bits of double a in a single's place: the exit where it is outside a single's range
  case packDouble      // the packed double of a register's significand a and exponent b: the exit where there is none;
                       // `condition` the register's number where both are what its home holds, else 0xff
  case convertInteger  // the double of integer a: the exit where it has more than 53 bits
  case divide          // quotient of a and b (`condition` 1: unsigned), with the DeferredRun at imm put off
  case checkOperands   // of a quotient a / b, or a root of a: the exit where the result would be no normal number;
                       // `size` 4: where an operand is no single
  case noteRun         // operands a and b of the DeferredSequence at imm, whose steps follow
  case settle          // floating-point results of registers in imm that are put off are computed
  case floatCall       // computeFloat(imm), on registers in memory; the interpreter executes instruction a where it refuses
  case interpret       // the interpreter executes instruction imm of the arena; nothing is known of state afterwards
  case callSite        // site number, low 32 bits of imm; the exit behind it above: taken where events, psr or
                       // instruction translations are to be looked at
  case callFrame       // the frame part of br.call; imm sol | new marker << 8
  case growFrame       // the check of alloc; imm sof | refusing exit << 8
  case returnFrame     // br.ret, which ends the block: a ar.pfs, b target, imm the exit where it is refused
  case exitIf          // c true: leaves by exit imm
  case exitUnless      // c false
  case exitIfState     // byte of kt_cpu at the upper half of imm is not 0: exit in the lower half
  case exitCompare, exitCompareImmediate                                               // fused forms
  case exitTestBit, exitTestBitVariable
  case exitCompareDouble
  case exitTestMask    // a & imm is not 0: leaves by exit c
  case exitAlways      // ends the block
  case exitIndirect    // ends the block: target a
  case exitCall        // ends the block behind a call: to target a, or by the exit in the lower half of imm; that in the
                       // upper half is where the guest goes on when it returns
  case dead
}

/// What a side exit does.
enum ExitKind: UInt8 {
  case direct     // to a block at `target` with the marker `marker`: linked when that exists
  case interpret  // the interpreter carries on at the instruction itself
  case resume     // the engine looks what happened and goes on at the position
}

struct BlockExit {
  var kind: ExitKind
  var backward: Bool
  var slot: UInt8         // for interpret and resume
  var target: UInt64      // bundle address
  var marker: UInt64      // cfm after the exit
  var issued: Int32       // slots issued when it is taken
  var isMoved = false     // behind a call: the frame is another
}

/// One operation, and the value it makes.
struct Node {
  var op: Operation
  var size: UInt8 = 0
  var condition: UInt8 = 0
  var flags: UInt8 = 0    // Optimizer.elided
  var a: Int32 = -1
  var b: Int32 = -1
  var c: Int32 = -1
  var position: UInt32 = 0 // guest instruction: bundle number << 2 | slot
  var imm: Int64 = 0
  var issued: Int32 = 0    // slots of the block issued before this instruction
  var base: UInt8 = 0      // general register that the instruction's address comes from; 0: not told

  init(_ op: Operation) { self.op = op }
}

/// The block under translation.
struct Block {
  static let capacity = 4096
  static let exitCapacity = 512
  /// Bytes of host code that an operation takes at most on the average.
  static let nodeBytes = 160

  let nodes: UnsafeMutablePointer<Node>
  let exits: UnsafeMutablePointer<BlockExit>
  var count = 0
  var exitCount = 0
  var start: UInt64 = 0
  var marker: UInt64 = 0
  var mode: UInt64 = 0
  var slots: Int32 = 0      // slots that the block subtracts from the budget at its entry
  var end: UInt64 = 0       // address of the first bundle not in it
  var selfLoop = false      // some direct exit leads to the block's own start with the same key

  init() {
    nodes = .allocate(capacity: Block.capacity)
    exits = .allocate(capacity: Block.exitCapacity)
  }

  @inline(__always) mutating func append(_ node: Node) -> Int32 {
    (nodes + count).initialize(to: node)
    count += 1
    return Int32(count - 1)
  }

  @inline(__always) mutating func append(_ exit: BlockExit) -> Int64 {
    (exits + exitCount).initialize(to: exit)
    exitCount += 1
    return Int64(exitCount - 1)
  }

  var hasRoom: Bool { count < Block.capacity - 256 && exitCount < Block.exitCapacity - 32 }

  /// Whether an exit leads to this very block again.
  func leadsToHead(_ exit: Int) -> Bool {
    let e = exits[exit]
    return e.kind == .direct && e.target | UInt64(e.slot) == start && e.marker == marker
  }

  /// Whether the block is a loop whose registers can stay where they are from pass to pass: nothing in it hands state to
  /// somebody else on its main path, or moves homes.
  func isSimpleLoop() -> Bool {
    var leads = false
    for exit in 0..<exitCount where leadsToHead(exit) { leads = true }
    guard leads else { return false }
    for index in 0..<count {
      switch nodes[index].op {
      case .interpret, .floatCall, .divide, .callSite, .callFrame, .growFrame, .returnFrame, .setMarker: return false
      default: break
      }
    }
    return true
  }

  /// Significands that the block uses as doubles.
  func doubleSlots() -> Set<Int> {
    var slots: Set<Int> = []
    for index in 0..<count {
      let node = nodes[index]
      switch (node.op, node.a >= 0 ? nodes[Int(node.a)].op : .dead) {
      case (.packDouble, .get): slots.insert(Int(nodes[Int(node.a)].imm))
      case (.put, .floatArithmetic), (.put, .packDouble), (.put, .checkDouble), (.put, .convertInteger),
        (.put, .checkSingle):
        if node.imm >= Int64(Slot.floats) { slots.insert(Int(node.imm)) }
      case (.put, .load) where nodes[Int(node.a)].condition == 2:
        if node.imm >= Int64(Slot.floats) { slots.insert(Int(node.imm)) }
      default: continue
      }
    }
    return slots
  }

  /// Significands of registers whose values the block may put off: their homes are not theirs alone.
  func slotsPutOff() -> Set<Int> {
    var slots: Set<Int> = []
    for index in 0..<count where nodes[index].op == .put && Slot.isExponent(Int(nodes[index].imm)) {
      let form = nodes[Int(nodes[index].a)]
      if form.op == .constant && DeferredSequence.isMark(UInt64(bitPattern: form.imm)) {
        slots.insert(Int(nodes[index].imm) - 1)
      }
    }
    return slots
  }

  /// The block as text, a line an operation: for `disassemble --host`.
  var text: String {
    var result = ""
    for index in 0..<count where nodes[index].op != .dead {
      let n = nodes[index]
      var line = "  %\(index) = \(n.op)"
      if n.size != 0 { line += ".\(n.size)" }
      if n.op == .get || n.op == .put {
        line += " \(Slot.name(Int(n.imm)))"
      } else if n.imm != 0 || n.op == .constant {
        line += " #\(n.imm)"
      }
      for operand in [n.a, n.b, n.c] where operand >= 0 { line += " %\(operand)" }
      switch n.op {
      case .compare, .compareImmediate, .exitCompare, .exitCompareImmediate, .testBit, .exitTestBit, .compareDouble,
        .exitCompareDouble:
        line += " cc\(n.condition)"
      default: break
      }
      result += line + "\n"
    }
    return result
  }
}
