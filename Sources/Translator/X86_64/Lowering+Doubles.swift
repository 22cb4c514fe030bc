// Packed doubles: scalar SSE arithmetic in vector registers, and the checks that a result is a normal number or a zero.
import CSupport

extension Lowering {
  // MARK: Arithmetic

  func lowerDoubleArithmetic(_ index: Int, _ node: Node) {
    let kind = DoubleArithmetic(rawValue: node.condition)!
    let x = vector(node.a), y = node.b >= 0 ? vector(node.b) : x, z = node.c >= 0 ? vector(node.c) : x
    let result: UInt8
    switch kind {
    case .multiply, .multiplyNegated: result = lowerBinary(.multiply, node, x, y)
    case .add: result = lowerBinary(.add, node, x, y)
    case .subtract: result = lowerBinary(.subtract, node, x, y)
    case .divide: result = lowerBinary(.divide, node, x, y)
    case .squareRoot:
      result = allocateVector()
      a.double(.squareRoot, result, x)
    case .toSingle:
      result = allocateVector()
      if node.imm >= 0 {
        a.moveVector(result, x)
      } else {
        a.convertToSingle(result, x)
        a.convertFromSingle(result, result)
      }
    case .multiplyAdd, .multiplySubtract, .multiplyNegatedAdd:
      result = lowerFused(
        kind == .multiplyAdd ? .multiplyAdd : kind == .multiplySubtract ? .multiplySubtract : .multiplyNegatedAdd,
        node, x, y, z)
    }
    if node.imm < 0 { return defineVector(index, result) }
    pinnedVectors |= 1 << UInt32(result)
    if node.size == 4 { return roundToSingle(index, node, kind, result) }
    if kind == .multiplyNegated {
      a.moveFromVector(.rax, result)
      a.bitComplement(.rax, bit: 63)
      a.moveToVector(result, .rax)
    } else {
      a.moveFromVector(.rax, result)
    }
    checkExponent(index, node, Lowering.vectorPlace + result, .doubleResult)
    defineVector(index, result)
  }

  /// Rounds a double result again, if it is far enough from the ends of a single's range. That is the result rounded
  /// once, unless the double stands just between two singles; and one operation or the other is inexact if and only
  /// if the whole is.
  private func roundToSingle(_ index: Int, _ node: Node, _ kind: DoubleArithmetic, _ result: UInt8) {
    let place = Lowering.vectorPlace + result
    a.moveFromVector(.rax, result)
    checkSingleExponent(index, node, place, .doubleResult, last: 252)
    if kind != .toSingle {
      a.moveFromVector(.rax, result)
      a.arithmetic(.and, .rax, immediate: 0x1fff_ffff, .long)
      a.arithmetic(.cmp, .rax, immediate: 0x1000_0000, .long)
      addStub(.exit, index, exit: Int(node.imm), from: a.jump(if: .equal))
    }
    a.convertToSingle(result, result)
    a.convertFromSingle(result, result)
    if kind == .multiplyNegated {
      a.moveFromVector(.rax, result)
      a.bitComplement(.rax, bit: 63)
      a.moveToVector(result, .rax)
    }
    defineVector(index, result)
  }

  /// rax: the bits at `place`, of a number that a single holds (`last`: up to which of its 254 exponents), or another
  /// way.
  private func checkSingleExponent(
    _ index: Int, _ node: Node, _ place: UInt8, _ kind: StubKind, last: Int32 = 253
  ) {
    a.shift(.right, .rax, by: 52)
    a.arithmetic(.and, .rax, immediate: 0x7ff, .long)
    a.arithmetic(.sub, .rax, immediate: 897, .long)
    a.arithmetic(.cmp, .rax, immediate: last, .long)
    let stub = addStub(kind, index, exit: Int(node.imm), from: a.jump(if: .above))
    setData(stub, place)
    stubs[stub].back = a.cursor
  }

  private func lowerBinary(_ op: Assembler.DoubleOperation, _ node: Node, _ x: UInt8, _ y: UInt8) -> UInt8 {
    if Frontend.hostHasFMA {
      let result = takeVector(node.a) ?? takeVector(node.b) ?? allocateVector()
      a.double(op, result, x, y)
      return result
    }
    let result = allocateVector()
    a.moveVector(result, x)
    a.double(op, result, y)
    return result
  }

  /// x·y + z and the like, over an operand that dies.
  private func lowerFused(
    _ op: Assembler.FusedOperation, _ node: Node, _ x: UInt8, _ y: UInt8, _ z: UInt8
  ) -> UInt8 {
    if let result = takeVector(node.c) {
      a.fused(op, result, x, y)
      return result
    }
    if let result = takeVector(node.a) {
      a.fused(op, result, y, z, multipliesTarget: true)
      return result
    }
    if let result = takeVector(node.b) {
      a.fused(op, result, x, z, multipliesTarget: true)
      return result
    }
    let result = allocateVector()
    a.moveVector(result, z)
    a.fused(op, result, x, y)
    return result
  }

  func lowerCheckDouble(_ index: Int, _ node: Node) {
    if values[Int(node.a)].vector != 0xff {
      let source = vector(node.a), x = takeVector(node.a) ?? allocateVector()
      if x != source { a.moveVector(x, source) }
      pinnedVectors |= 1 << UInt32(x)
      a.moveFromVector(.rax, x)
      checkExponent(index, node, Lowering.vectorPlace + x, .checkDouble)
      return defineVector(index, x)
    }
    let r = register(node.a), x = allocateVector()
    a.moveToVector(x, r)
    pinnedVectors |= 1 << UInt32(x)
    if isNeeded(node.a) {
      a.move(.rax, r)
      checkExponent(index, node, Lowering.vectorPlace + x, .checkDouble)
    } else {
      checkExponent(index, node, Lowering.vectorPlace + x, .checkDouble, in: r)
    }
    defineVector(index, x)
  }

  /// `r`, which is used: the bits at `place`, of which exponent fields 0 and 0x7ff leave the straight line. One more,
  /// they have no bit but the lowest, or the one above the field.
  private func checkExponent(
    _ index: Int, _ node: Node, _ place: UInt8, _ kind: StubKind, in r: Register = .rax
  ) {
    a.shift(.right, r, by: 52)
    a.arithmetic(.add, r, immediate: 1, .long)
    a.test(r, immediate: 0x7fe, .long)
    let stub = addStub(kind, index, exit: Int(node.imm), from: a.jump(if: .equal))
    setData(stub, place)
    stubs[stub].back = a.cursor
  }

  private func setData(_ stub: Int, _ place: UInt8) {
    if place < Lowering.vectorPlace {
      stubs[stub].data = Register(place)
    } else {
      stubs[stub].vector = place - Lowering.vectorPlace
    }
  }

  func dataPlace(_ stub: Stub) -> UInt8 {
    stub.vector != 0xff ? Lowering.vectorPlace + stub.vector : stub.data.number
  }

  /// A zero goes on, as does an infinity that was loaded; a computed zero only while no result has underflowed.
  func emitDoubleStub(_ stub: Stub) {
    move(Register.rax.number, dataPlace(stub))
    a.arithmetic(.add, .rax, .rax)
    var refused: UnsafeMutablePointer<UInt8>? = nil
    if stub.kind == .doubleResult {
      refused = a.shortJump(if: .notEqual)
      let control = Address(.rsp, -8)
      a.storeVectorControl(control)
      a.test(control, immediate: 0x10, .byte)
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

  func lowerCheckSingle(_ index: Int, _ node: Node) {
    let source = register(node.a)
    a.move32(.rax, source)
    a.shift(.right, .rax, by: 23, .long)
    a.arithmetic(.add, .rax, immediate: 1, .long)
    a.test(.rax, immediate: 0xfe, .long)
    let stub = addStub(.checkSingle, index, exit: Int(node.imm), from: a.jump(if: .equal))
    stubs[stub].data = source
    stubs[stub].back = a.cursor
    let x = allocateVector()
    a.moveToVector32(x, source)
    a.convertFromSingle(x, x)
    defineVector(index, x)
  }

  /// Cuts the fraction off, as stfs does.
  func lowerSingleBits(_ index: Int, _ node: Node) {
    let r = writableCopy(node.a)
    a.move(.rax, r)
    checkSingleExponent(index, node, r.number, .singleBits)
    let stub = stubCount - 1
    a.move(.rax, r)
    a.shift(.right, .rax, by: 32)
    a.arithmetic(.and, .rax, immediate: Int32.min, .long)
    a.shift(.right, r, by: 29)
    a.arithmetic(.sub, r, immediate: -0x4000_0000, .long)
    a.arithmetic(.and, r, immediate: 0x7fff_ffff, .long)
    a.arithmetic(.or, r, .rax, .long)
    stubs[stub].back = a.cursor
    define(index, r)
  }

  /// A zero goes on.
  func emitSingleStub(_ stub: Stub) {
    a.move(.rax, stub.data)
    a.shift(.left, .rax, by: 1, stub.kind == .checkSingle ? .long : .quad)
    let refused = a.shortJump(if: .notEqual)
    if stub.kind == .singleBits { a.shift(.right, stub.data, by: 32) }
    a.jump(to: stub.back)
    a.bindShort(refused)
    writeSnapshot(stub)
    emitExit(Int(stub.exit), marker: stub.marker)
  }

  /// comisd, for the conditions of Relation.
  func emitDoubleComparison(_ node: Node) {
    let x = vector(node.a)
    a.compareDouble(x, vector(node.b))
  }

  func lowerDoubleComparison(_ index: Int, _ node: Node) {
    emitDoubleComparison(node)
    let r = allocate()
    a.setCondition(condition(node), r)
    define(index, r)
  }

  /// An integer of up to 53 bits and a sign: exact.
  func lowerConvertInteger(_ index: Int, _ node: Node) {
    let source = register(node.a)
    a.move(.rax, source)
    a.shift(.arithmetic, .rax, by: 53)
    a.arithmetic(.add, .rax, immediate: 1)
    a.arithmetic(.cmp, .rax, immediate: 1)
    addStub(.exit, index, exit: Int(node.imm), from: a.jump(if: .above))
    let x = allocateVector()
    a.clearVector(x)
    a.convertToDouble(x, source)
    defineVector(index, x)
  }

  // MARK: Calls

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

  // MARK: Forms

  /// The bits a of a register with the form b. Where both stand at home (`condition`: the register's number) a
  /// register of another form is packed there too, so that the home is known to hold a packed double from here on.
  func lowerPackDouble(_ index: Int, _ node: Node) {
    let number = Int(node.condition)
    let sig = Slot.significand(number & 127), exp = Slot.exponent(number & 127)
    let inPlace = number < 128 && homeValue[exp] == node.b && dirtyValue[exp] < 0 && !isNeeded(node.b)
    let ownDirty = inPlace && dirtyValue[sig] == node.a
    let lives = values[Int(node.a)].next != Optimizer.never || values[Int(node.a)].keep
      || values[Int(node.a)].dirty > (ownDirty ? 1 : 0)
    if inPlace && homeValue[sig] != node.a { loseHome(sig) }
    let place = packedPlace(node.a, lives: lives)
    let isAtHome = inPlace && homeValue[sig] == node.a && values[Int(node.a)].home == Int16(sig)
    var form = Register.none
    if inPlace && !isHeld(node.b) {
      var address = home(exp)
      address.displacement += 7
      a.arithmetic(.cmp, address, immediate: 0, .byte)
    } else {
      form = register(node.b)
      a.test(form, form)
    }
    let stub = addStub(.packDouble, index, exit: Int(node.imm), from: a.jump(if: .notSign))
    setData(stub, place)
    stubs[stub].address = form
    stubs[stub].near = inPlace ? Int32(number) : -1
    stubs[stub].back = a.cursor
    if inPlace { packedAtHome(index, node, number, ownDirty: ownDirty, isAtHome: isAtHome) }
    if !lives { leaveRegisters(node.a) }
    enter(Int32(index), at: place)
    releaseIfDead(Int32(index))
  }

  /// A place with the bits that the result may have: the value's own where it does not live on.
  private func packedPlace(_ value: Int32, lives: Bool) -> UInt8 {
    if lives {
      let source = vector(value), copy = allocateVector()
      a.moveVector(copy, source)
      pinnedVectors |= 1 << UInt32(copy)
      return Lowering.vectorPlace + copy
    }
    let r = values[Int(value)].register
    if values[Int(value)].vector == 0xff && r != 0xff {
      pin(Register(r))
      return r
    }
    return Lowering.vectorPlace + vector(value)
  }

  private func leaveRegisters(_ value: Int32) {
    dropVector(value)
    let r = values[Int(value)].register
    if r != 0xff {
      inRegister[Int(r)] = -1
      values[Int(value)].register = 0xff
    }
  }

  /// What is known of the homes behind the check. A write of the register's new form follows in the IR.
  private func packedAtHome(_ index: Int, _ node: Node, _ number: Int, ownDirty: Bool, isAtHome: Bool) {
    let sig = Slot.significand(number), exp = Slot.exponent(number)
    values[Int(node.b)].home = -1
    homeValue[exp] = -1
    if ownDirty { makeClean(sig) }
    if homeValue[sig] >= 0 {
      values[Int(homeValue[sig])].home = -1
      homeValue[sig] = -1
    }
    homeIsPacked[number] = true
    if isAtHome {
      values[index].home = Int16(sig)
      homeValue[sig] = Int32(index)
    }
  }

  /// rcx: the form of a register whose value may be put off. Then all is computed from what is home.
  private func emitSettleBeforePacking(_ stub: Stub, _ number: Int) {
    a.bitTest(.rcx, bit: 62)
    let itself = a.jump(if: .aboveEqual)
    writeSnapshot(stub)
    a.call(to: context.thunks.settle)
    a.load(.rax, home(Slot.significand(number)))
    a.load(.rcx, home(Slot.exponent(number)))
    a.bind(itself)
  }

  func emitPackStub(_ stub: Stub) {
    let place = dataPlace(stub)
    move(Register.rax.number, place)
    let number = Int(stub.near)
    if stub.address == .none {
      a.load(.rcx, home(Slot.exponent(number)))
      if number < 32 { emitSettleBeforePacking(stub, number) }
    } else {
      a.move(.rcx, stub.address)
    }
    a.call(to: context.thunks.pack)
    let refused = a.shortJump(if: .notEqual)
    move(place, Register.rax.number)
    if number >= 0 {
      a.store(home(Slot.significand(number)), .rax)
      a.move(.rax, immediate: Frontend.packed)
      a.store(home(Slot.exponent(number)), .rax)
    }
    a.jump(to: stub.back)
    a.bindShort(refused)
    writeSnapshot(stub)
    emitExit(Int(stub.exit), marker: stub.marker)
  }
}
