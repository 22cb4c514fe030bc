// Instruction selection: which lowering each operation of the IR has, by topic.
import CSupport

extension Lowering {
  func select(_ index: Int, _ node: Node) {
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
    case .xorImmediate: lowerXorImmediate(index, node)
    case .subtractFrom: lowerSubtractFrom(index, node)
    case .shiftLeft: lowerShift(index, node, .left)
    case .shiftRight: lowerShift(index, node, .right)
    case .shiftArithmetic: lowerShift(index, node, .arithmetic)
    case .shiftLeftVariable: lowerVariableShift(index, node, .left)
    case .shiftRightVariable: lowerVariableShift(index, node, .right)
    case .shiftArithmeticVariable: lowerVariableShift(index, node, .arithmetic)
    case .signExtend, .zeroExtend: lowerExtend(index, node)
    case .shiftAdd: lowerShiftAdd(index, node)
    case .shiftPair: lowerShiftPair(index, node)
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
    case .byteSwap:
      let r = writableCopy(node.a)
      a.byteSwap(r)
      define(index, r)
    default: selectBoolean(index, node)
    }
  }

  func selectBoolean(_ index: Int, _ node: Node) {
    switch node.op {
    case .booleanToWord:
      let source = register(node.a)
      let r = isNeeded(node.a) ? allocate() : source
      a.zeroExtend(r, source, .byte)
      take(index, r, from: node.a)
    case .compare, .compareImmediate, .testBit, .testBitVariable: lowerComparison(index, node)
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
    default: selectState(index, node)
    }
  }

  func selectState(_ index: Int, _ node: Node) {
    switch node.op {
    case .markModified: lowerMarkModified(index, node)
    case .load: lowerLoad(index, node)
    case .store: lowerStore(index, node)
    case .storeEnd: lowerStoreEnd(index, node)
    case .loadState:
      let r = allocate()
      a.load(r, state(Int32(node.imm)))
      define(index, r)
    case .loadStateByte:
      let r = allocate()
      a.load(r, state(Int32(node.imm)), .byte)
      define(index, r)
    case .loadStateIndexed:
      let number = register(node.a)
      let r = isNeeded(node.a) ? allocate() : number
      a.load(r, Address(.rbx, Int32(node.imm) - Int32(KT_CPU_BIAS), index: number, scale: 3))
      take(index, r, from: node.a)
    case .storeState:
      if let c = smallConstant(node.a) {
        a.store(state(Int32(node.imm)), immediate: c)
      } else {
        a.store(state(Int32(node.imm)), register(node.a))
      }
    case .setMarker:
      storeState(StateOffset.cfm, node.imm)
      marker = UInt64(bitPattern: node.imm)
    case .interpret: lowerInterpret(index, node)
    case .callSite: lowerSite(index, node)
    case .clock, .flushLine, .exitIfPending, .endInterrupt, .countCall, .exitIfState: lowerSystem(index, node)
    case .siteBegins: sites.append(EmittedSite(site: Int32(node.imm), begin: a.cursor, end: a.cursor))
    case .siteEnds: sites[sites.count - 1].end = a.cursor
    case .predicatesHome: lowerPredicatesHome()
    case .growFrame: lowerGrowFrame(index, node)
    case .callFrame: lowerCall(node)
    case .returnFrame: lowerReturn(index, node)
    default: selectExit(index, node)
    }
  }

  func selectExit(_ index: Int, _ node: Node) {
    switch node.op {
    case .exitIf, .exitUnless: lowerExitIf(index, node)
    case .exitCompare, .exitCompareImmediate, .exitTestBit, .exitTestBitVariable, .exitTestMask:
      let condition = emitComparison(node)
      leave(index, exit: Int(node.c), if: condition)
    case .exitCompareDouble:
      emitDoubleComparison(node)
      leave(index, exit: Int(node.c), if: condition(node))
    case .convertInteger: lowerConvertInteger(index, node)
    case .floatArithmetic: lowerDoubleArithmetic(index, node)
    case .compareDouble: lowerDoubleComparison(index, node)
    case .checkDouble: lowerCheckDouble(index, node)
    case .packDouble: lowerPackDouble(index, node)
    case .floatCall: lowerFloatCall(index, node)
    case .divide: lowerDivide(index, node)
    case .checkSingle: lowerCheckSingle(index, node)
    case .singleBits: lowerSingleBits(index, node)
    case .checkOperands: lowerCheckOperands(index, node)
    case .noteRun: lowerNoteRun(node)
    case .settle: if !settledAtEntry { lowerSettle(index, UInt32(truncatingIfNeeded: node.imm)) }
    case .exitAlways: lowerExitAlways(index, node)
    case .exitIndirect: lowerExitIndirect(index, node)
    case .exitCall: lowerExitCall(index, node)
    default: preconditionFailure("an operation without a lowering")
    }
  }
}
