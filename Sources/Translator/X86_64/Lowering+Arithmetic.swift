// Arithmetic, shifts and comparisons: two-operand instructions, with an operand that dies here as the result.
import CSupport

extension Lowering {
  /// The result of a node whose operand may have given its register: enters it, and leaves the operand none.
  func take(_ index: Int, _ r: Register, from operands: Int32...) {
    for value in operands where values[Int(value)].register == r.number {
      values[Int(value)].register = 0xff
      inRegister[Int(r.number)] = -1
    }
    define(index, r)
  }

  func allocateResult(_ x: Int32, _ rx: Register, _ y: Int32, _ ry: Register) -> Register {
    if !isNeeded(x) { return rx }
    if !isNeeded(y) { return ry }
    return allocate()
  }

  /// r := r op value
  func combine(_ op: Arithmetic, _ r: Register, _ value: Int32, _ width: Width = .quad) {
    if let c = smallConstant(value) {
      a.arithmetic(op, r, immediate: c, width)
    } else if width == .quad, let place = memory(value), !isNeeded(value) {
      a.arithmetic(op, r, place)
    } else {
      a.arithmetic(op, r, register(value), width)
    }
  }

  func lowerBinary(_ index: Int, _ node: Node, _ op: Arithmetic, commutes: Bool, width: Width = .quad) {
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

  func lowerAdd(_ index: Int, _ node: Node) {
    let x = node.a, y = node.b
    if isNeeded(x) && isNeeded(y) || x == y {
      let rx = register(x), ry = register(y)
      let r = allocateResult(x, rx, y, ry)
      a.loadEffectiveAddress(r, Address(rx, 0, index: ry))
      return take(index, r, from: x, y)
    }
    lowerBinary(index, node, .add, commutes: true)
  }

  func lowerAddImmediate(_ index: Int, _ node: Node) {
    guard node.imm == Int64(Int32(truncatingIfNeeded: node.imm)) else {
      a.move(.rax, immediate: node.imm)
      let source = register(node.a)
      let r = isNeeded(node.a) ? allocate() : source
      a.loadEffectiveAddress(r, Address(source, 0, index: .rax))
      return take(index, r, from: node.a)
    }
    let imm = Int32(truncatingIfNeeded: node.imm)
    if isNeeded(node.a) {
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

  func lowerImmediate(_ index: Int, _ node: Node, _ op: Arithmetic) {
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

  func lowerShift(_ index: Int, _ node: Node, _ op: Shift) {
    let r = writableCopy(node.a)
    a.shift(op, r, by: UInt8(node.imm))
    define(index, r)
  }

  /// Counts are whole 64-bit numbers: 64 and more shift everything out.
  func lowerVariableShift(_ index: Int, _ node: Node, _ op: Shift) {
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
  func emitComparison(_ node: Node) -> Condition {
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
    default:  // testBitVariable, exitTestBitVariable
      a.bitTest(register(node.a), register(node.b))
      return .below
    }
  }

  func lowerXorImmediate(_ index: Int, _ node: Node) {
    if node.imm == -1 {
      let r = writableCopy(node.a)
      a.not(r)
      define(index, r)
    } else {
      lowerImmediate(index, node, .xor)
    }
  }

  func lowerSubtractFrom(_ index: Int, _ node: Node) {
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
  }

  func lowerExtend(_ index: Int, _ node: Node) {
    let source = register(node.a)
    let r = isNeeded(node.a) ? allocate() : source
    if node.op == .signExtend {
      a.signExtend(r, source, Width(rawValue: node.size)!)
    } else {
      a.zeroExtend(r, source, Width(rawValue: node.size)!)
    }
    take(index, r, from: node.a)
  }

  func lowerShiftAdd(_ index: Int, _ node: Node) {
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
  }

  func lowerShiftPair(_ index: Int, _ node: Node) {
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
  }

  func lowerComparison(_ index: Int, _ node: Node) {
    let condition = emitComparison(node)
    releaseIfDead(node.a)
    if node.b >= 0 { releaseIfDead(node.b) }
    let r = allocate()
    a.setCondition(condition, r)
    define(index, r)
  }
}
