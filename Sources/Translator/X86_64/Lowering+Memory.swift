// Loads and stores through the software TLB.
import CSupport

extension Lowering {
  // MARK: Memory

  /// Byte offset of the near line that a block's accesses through one base register share; -1: none. Other blocks have
  /// other lines: what one register points to differs from loop to loop.
  private func nearLine(_ node: Node) -> Int32 {
    guard context.options.contains(.nearLines), node.base != 0 else { return -1 }
    let hash = UInt64(node.base) &+ (block.start >> 4) &* 37
    return (Int32(KT_STLB_LINES) + Int32(truncatingIfNeeded: hash) & (KT_STLB_NEAR - 1)) << 5
  }

  /// The software TLB's probe, of a near line where there is one: on success rax is what to add to the address. Returns the
  /// jump of the miss; behind it stands where to go on once the near line is filled.
  private func probe(_ va: Register, _ node: Node, write: Bool) -> UnsafeMutablePointer<UInt8> {
    let near = nearLine(node)
    guard near >= 0 else { return probe(va, node.size, write: write) }
    a.move(.rax, va)
    a.arithmetic(.and, .rax, immediate: ~0xfff | Int32(node.size - 1))
    a.arithmetic(.cmp, .rax, Address(.r14, near + (write ? 8 : 0)))
    let miss = a.jump(if: .notEqual)
    a.load(.rax, Address(.r14, near + 16))
    return miss
  }

  /// On a near line's miss: takes the line from the software TLB and goes back, or falls through.
  func fillNear(_ stub: Stub) {
    a.move(.rcx, immediate: Int64(stub.near))
    a.call(to: stub.kind == .load ? context.thunks.nearLoad : context.thunks.nearStore)
    Assembler.bind(a.jump(if: .equal), to: stub.again)
  }

  private func probe(_ va: Register, _ size: UInt8, write: Bool) -> UnsafeMutablePointer<UInt8> {
    let miss = compareTag(va, size, write: write)
    a.load(.rax, Address(.r14, 16, index: .rcx))
    return miss
  }

  func compareTag(_ va: Register, _ size: UInt8, write: Bool) -> UnsafeMutablePointer<UInt8> {
    a.move32(.rcx, va)
    a.shift(.right, .rcx, by: 7, .long)
    a.arithmetic(.and, .rcx, immediate: Int32(KT_STLB_LINES - 1) << 5, .long)
    a.move(.rax, va)
    a.arithmetic(.and, .rax, immediate: ~0xfff | Int32(size - 1))
    a.arithmetic(.cmp, .rax, Address(.r14, write ? 8 : 0, index: .rcx))
    return a.jump(if: .notEqual)
  }

  /// A double goes where it is wanted first.
  private func lowerDoubleLoad(_ index: Int, _ node: Node) {
    let address = register(node.a), x = allocateVector()
    let miss = probe(address, node, write: false)
    let stub = addStub(.load, index, from: miss)
    stubs[stub].near = nearLine(node)
    stubs[stub].again = miss + 4
    a.loadDouble(x, Address(.rax, 0, index: address))
    stubs[stub].address = address
    stubs[stub].vector = x
    stubs[stub].back = a.cursor
    defineVector(index, x)
  }

  func lowerLoad(_ index: Int, _ node: Node) {
    if node.condition == 2 && node.c < 0 { return lowerDoubleLoad(index, node) }
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
    let miss = node.condition != 0 ? probe(address, node.size, write: false) : probe(address, node, write: false)
    if node.condition != 0 {
      addStub(.exit, index, exit: Int(node.imm), from: miss)
      a.load(target, Address(.rax, 0, index: address), Width(rawValue: node.size)!)
    } else {
      let stub = addStub(.load, index, from: miss)
      stubs[stub].near = nearLine(node)
      stubs[stub].again = miss + 4
      a.load(target, Address(.rax, 0, index: address), Width(rawValue: node.size)!)
      stubs[stub].address = address
      stubs[stub].data = target
      stubs[stub].back = a.cursor
    }
    if let skip { a.bindShort(skip) }
    take(index, target, from: node.a)
  }

  func lowerStore(_ index: Int, _ node: Node) {
    let address = register(node.a)
    let immediate = smallConstant(node.b)
    let x = node.size == 8 ? values[Int(node.b)].vector : 0xff
    let data = x == 0xff && (immediate == nil || context.logStores) ? register(node.b) : Register.rax
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
      stub = addStub(.store, index, from: probe(address, node, write: true))
      stubs[stub].near = nearLine(node)
      stubs[stub].again = stubs[stub].from + 4
      let place = Address(.rax, 0, index: address)
      if let immediate {
        a.store(place, immediate: immediate, Width(rawValue: node.size)!)
      } else if x != 0xff {
        a.storeDouble(place, x)
      } else {
        a.store(place, data, Width(rawValue: node.size)!)
      }
    }
    stubs[stub].address = address
    stubs[stub].data = data
    stubs[stub].vector = x
    stubs[stub].back = a.cursor
    lastStoreStub = stub
    if let skip { a.bindShort(skip) }
  }

  func lowerStoreEnd(_ index: Int, _ node: Node) {
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
  }
}
