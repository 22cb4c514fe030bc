// Packed doubles: scalar SSE arithmetic on bits that live in general registers, and the checks that keep a packed double
// normal, an infinity or a zero (kittson_cpu.h).
import CSupport

extension Lowering {
  /// Loads a value's bits into a vector register.
  private func vector(_ number: UInt8, _ value: Int32) {
    if let place = memory(value), !isNeeded(value) {
      a.loadDouble(number, place)
    } else {
      a.moveToVector(number, register(value))
    }
  }

  func lowerDoubleArithmetic(_ index: Int, _ node: Node) {
    let kind = DoubleArithmetic(rawValue: node.condition)!
    vector(0, kind.rawValue >= DoubleArithmetic.multiplyAdd.rawValue ? node.c : node.a)
    vector(1, kind.rawValue >= DoubleArithmetic.multiplyAdd.rawValue ? node.a : node.b)
    switch kind {
    case .multiply, .multiplyNegated: a.double(.multiply, 0, 1)
    case .add: a.double(.add, 0, 1)
    case .subtract: a.double(.subtract, 0, 1)
    case .multiplyAdd, .multiplySubtract, .multiplyNegatedAdd:
      vector(2, node.b)
      a.fused(
        kind == .multiplyAdd ? .multiplyAdd : kind == .multiplySubtract ? .multiplySubtract : .multiplyNegatedAdd,
        0, 1, 2)
    }
    let r = allocate()
    pin(r)
    a.moveFromVector(r, 0)
    if kind == .multiplyNegated { a.bitComplement(r, bit: 63) }
    checkExponent(index, node, r, .doubleResult)
    define(index, r)
  }

  func lowerCheckDouble(_ index: Int, _ node: Node) {
    let r = writableCopy(node.a)
    checkExponent(index, node, r, .checkDouble)
    define(index, r)
  }

  /// Exponent fields 0 and 0x7ff leave the straight line.
  private func checkExponent(_ index: Int, _ node: Node, _ r: Register, _ kind: StubKind) {
    a.move(.rax, r)
    a.shift(.right, .rax, by: 52)
    a.arithmetic(.and, .rax, immediate: 0x7ff, .long)
    a.arithmetic(.sub, .rax, immediate: 1, .long)
    a.arithmetic(.cmp, .rax, immediate: 0x7fd, .long)
    let stub = addStub(kind, index, exit: Int(node.imm), from: a.jump(if: .above))
    stubs[stub].data = r
    stubs[stub].back = a.cursor
  }

  /// A zero goes on, as does an infinity that was loaded; a computed zero only while no result has underflowed.
  func emitDoubleStub(_ stub: Stub) {
    a.move(.rax, stub.data)
    a.arithmetic(.add, .rax, .rax)
    var refused: UnsafeMutablePointer<UInt8>? = nil
    if stub.kind == .doubleResult {
      refused = a.shortJump(if: .notEqual)
      a.storeVectorControl(Address(.rsp))
      a.test(Address(.rsp), immediate: 0x10, .byte)
      Assembler.bind(a.jump(if: .equal), to: stub.back)
    } else {
      Assembler.bind(a.jump(if: .equal), to: stub.back)
      a.move(.rcx, immediate: 0x7ff << 53)
      a.arithmetic(.cmp, .rax, .rcx)
      Assembler.bind(a.jump(if: .equal), to: stub.back)
    }
    if let refused { a.bindShort(refused) }
    writeSnapshot(stub)
    emitExit(Int(stub.exit), marker: stub.marker)
  }

  /// The conditions of Relation after comisd.
  func lowerDoubleComparison(_ index: Int, _ node: Node) {
    vector(0, node.a)
    vector(1, node.b)
    a.compareDouble(0, 1)
    let r = allocate()
    a.setCondition(condition(node), r)
    define(index, r)
  }

  /// Floating-point registers go home, a function computes there, and what it wrote is read from there.
  func lowerFloatCall(_ index: Int, _ node: Node) {
    flush()
    let word = UInt64(bitPattern: node.imm)
    let target = FloatCall.target(word)
    loseHome(Slot.significand(target))
    loseHome(Slot.exponent(target))
    if let predicate = FloatCall.targetPredicate(word) { loseHome(Slot.predicates + predicate) }
    a.move(.rax, immediate: node.imm)
    a.call(to: context.thunks.float)
    let stub = addStub(.floatCall, index, from: a.jump(if: .notEqual))
    stubs[stub].back = a.cursor
  }

  /// The interpreter executes what the function refused; registers stay as they are.
  func emitFloatCallStub(_ stub: Stub) {
    let node = nodes[Int(stub.node)]
    setPosition(address(ofPosition: node.position), UInt8(node.position & 3))
    a.move(.rax, immediate: constant(node.a)!)
    a.move(.rcx, immediate: Int64(rest(after: node)) << 16 | Int64(node.size))
    a.call(to: context.thunks.interpretFloat)
    a.jump(to: stub.back)
  }

  func lowerPackDouble(_ index: Int, _ node: Node) {
    let form = register(node.b)
    let r = writableCopy(node.a)
    a.test(form, form)
    let stub = addStub(.packDouble, index, exit: Int(node.imm), from: a.jump(if: .notSign))
    stubs[stub].data = r
    stubs[stub].address = form
    stubs[stub].back = a.cursor
    define(index, r)
  }

  func emitPackStub(_ stub: Stub) {
    a.move(.rax, stub.data)
    a.move(.rcx, stub.address)
    a.call(to: context.thunks.pack)
    let refused = a.shortJump(if: .notEqual)
    a.move(stub.data, .rax)
    a.jump(to: stub.back)
    a.bindShort(refused)
    writeSnapshot(stub)
    emitExit(Int(stub.exit), marker: stub.marker)
  }
}
