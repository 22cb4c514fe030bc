// The register allocator: which host register holds which value, and where else a value is. Values are evicted to the
// home of a guest register that holds them, or to a spill slot.
import CSupport

extension Lowering {
  // MARK: Values

  func constant(_ value: Int32) -> Int64? {
    nodes[Int(value)].op == .constant ? nodes[Int(value)].imm : nil
  }

  func smallConstant(_ value: Int32) -> Int32? {
    guard let c = constant(value), c == Int64(Int32(truncatingIfNeeded: c)) else { return nil }
    return Int32(truncatingIfNeeded: c)
  }

  /// Operand k of node `index` is consumed by it: its next use moves on.
  @inline(__always) func consume(_ index: Int, _ operand: Int, _ value: Int32) {
    values[Int(value)].next = optimizer.nextUse[index * 3 + operand]
  }

  @inline(__always) func isNeeded(_ value: Int32) -> Bool {
    values[Int(value)].next != Optimizer.never || values[Int(value)].dirty != 0 || values[Int(value)].keep
  }

  @inline(__always) func pin(_ r: Register) { pinned |= 1 << UInt32(r.number) }

  @inline(__always) func pinIfHeld(_ value: Int32) {
    let r = values[Int(value)].register, x = values[Int(value)].vector
    if r != 0xff { pinned |= 1 << UInt32(r) }
    if x != 0xff { pinnedVectors |= 1 << UInt32(x) }
  }

  /// Gives the registers of a value that is needed no more back.
  func releaseIfDead(_ value: Int32) {
    guard value >= 0, !isNeeded(value) else { return }
    let r = values[Int(value)].register
    if r != 0xff {
      inRegister[Int(r)] = -1
      values[Int(value)].register = 0xff
    }
    dropVector(value)
    let spill = values[Int(value)].spill
    if spill >= 0 {
      spillsUsed &= ~(1 << UInt64(spill))
      values[Int(value)].spill = -1
    }
  }

  /// A free register; may store a value to make one. Never touches flags.
  func allocate() -> Register {
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
      let kept = value.vector != 0xff
        || value.dirty == 0 && (value.home >= 0 || value.spill >= 0 || nodes[Int(inRegister[r])].op == .constant)
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

  func evict(_ r: Register) {
    let value = inRegister[Int(r.number)]
    if values[Int(value)].vector == 0xff { save(value, r.number) }
    values[Int(value)].register = 0xff
    inRegister[Int(r.number)] = -1
  }

  /// Stores a value that is about to lose its last register, at `place`, where it is wanted.
  func save(_ value: Int32, _ place: UInt8) {
    if values[Int(value)].dirty != 0 {
      var index = 0
      while index < dirtyCount {
        let slot = Int(dirtySlots[index])
        if dirtyValue[slot] == value {
          store(home(slot), place, width(ofSlot: slot))
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
      store(spillAddress(Int16(spill)), place)
    }
  }

  /// Loads a value that is in no general register into `r`, without saying so.
  func fetch(_ value: Int32, _ r: Register) {
    if values[Int(value)].vector != 0xff {
      a.moveFromVector(r, values[Int(value)].vector)
    } else if let c = constant(value) {
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
  func register(_ value: Int32) -> Register {
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
  func writableCopy(_ value: Int32) -> Register {
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

  func define(_ index: Int, _ r: Register) {
    values[index].register = r.number
    inRegister[Int(r.number)] = Int32(index)
    releaseIfDead(Int32(index))
  }

  /// The memory that holds a value which is in no register and needs none.
  func memory(_ value: Int32) -> Address? {
    let v = values[Int(value)]
    if v.register != 0xff || v.vector != 0xff || constant(value) != nil { return nil }
    if v.spill >= 0 { return spillAddress(v.spill) }
    return v.home >= 0 ? home(Int(v.home)) : nil
  }
}
