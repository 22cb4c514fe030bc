// Vector registers in the allocator: doubles live there from one operation to the next. A value may be in a general register,
// a vector register or both; a place names either by one number.
import CSupport

extension Lowering {
  /// Places from here on are vector registers, those below general ones; 0xff: none.
  static let vectorPlace: UInt8 = 16
  /// xmm0 to xmm2 are scratch.
  static let firstVector: UInt8 = 3
  private static let vectors: UInt32 = 0xffff & ~(1 << UInt32(firstVector) - 1)

  // MARK: Places

  /// Where a value stands, a general register before a vector register.
  @inline(__always) func place(_ value: Int32) -> UInt8 {
    let v = values[Int(value)]
    return v.register != 0xff ? v.register : v.vector != 0xff ? Lowering.vectorPlace + v.vector : 0xff
  }

  @inline(__always) func isHeld(_ value: Int32) -> Bool {
    values[Int(value)].register != 0xff || values[Int(value)].vector != 0xff
  }

  func isHeld(_ value: Int32, at place: UInt8) -> Bool {
    place < Lowering.vectorPlace
      ? inRegister[Int(place)] == value : inVector[Int(place - Lowering.vectorPlace)] == value
  }

  /// Says that a value is at a place.
  func enter(_ value: Int32, at place: UInt8) {
    if place < Lowering.vectorPlace {
      values[Int(value)].register = place
      inRegister[Int(place)] = value
    } else {
      values[Int(value)].vector = place - Lowering.vectorPlace
      inVector[Int(place - Lowering.vectorPlace)] = value
    }
  }

  func load(_ place: UInt8, _ at: Address) {
    if place < Lowering.vectorPlace {
      a.load(Register(place), at)
    } else {
      a.loadDouble(place - Lowering.vectorPlace, at)
    }
  }

  func store(_ at: Address, _ place: UInt8, _ width: Width = .quad) {
    if place < Lowering.vectorPlace {
      a.store(at, Register(place), width)
    } else {
      a.storeDouble(at, place - Lowering.vectorPlace)
    }
  }

  func move(_ to: UInt8, _ from: UInt8) {
    switch (to < Lowering.vectorPlace, from < Lowering.vectorPlace) {
    case (true, true): a.move(Register(to), Register(from))
    case (true, false): a.moveFromVector(Register(to), from - Lowering.vectorPlace)
    case (false, true): a.moveToVector(to - Lowering.vectorPlace, Register(from))
    case (false, false): a.moveVector(to - Lowering.vectorPlace, from - Lowering.vectorPlace)
    }
  }

  /// rax is used for a vector register.
  func move(_ to: UInt8, immediate: Int64) {
    if to < Lowering.vectorPlace { return a.move(Register(to), immediate: immediate) }
    if immediate == 0 { return a.clearVector(to - Lowering.vectorPlace) }
    a.move(.rax, immediate: immediate)
    a.moveToVector(to - Lowering.vectorPlace, .rax)
  }

  // MARK: Allocation

  /// A free vector register; may store a value to make one.
  func allocateVector() -> UInt8 {
    var candidates = Lowering.vectors & ~pinnedVectors
    var best = -1, distance = Int32(-1)
    while candidates != 0 {
      let x = candidates.trailingZeroBitCount
      candidates &= candidates - 1
      guard inVector[x] >= 0 else { return UInt8(x) }
      let next = values[Int(inVector[x])].next
      if next > distance { (best, distance) = (x, next) }
    }
    precondition(best >= 0, "no vector register to allocate")
    let value = inVector[best]
    if values[Int(value)].register == 0xff { save(value, Lowering.vectorPlace + UInt8(best)) }
    dropVector(value)
    return UInt8(best)
  }

  func dropVector(_ value: Int32) {
    let x = values[Int(value)].vector
    guard x != 0xff else { return }
    inVector[Int(x)] = -1
    values[Int(value)].vector = 0xff
  }

  /// The vector register that holds a value's bits, which leave the general one; pinned until the node is done.
  func vector(_ value: Int32) -> UInt8 {
    let held = values[Int(value)].vector
    if held != 0xff {
      pinnedVectors |= 1 << UInt32(held)
      return held
    }
    let x = allocateVector()
    let r = values[Int(value)].register
    if r != 0xff {
      a.moveToVector(x, Register(r))
      inRegister[Int(r)] = -1
      values[Int(value)].register = 0xff
    } else if let c = constant(value) {
      move(Lowering.vectorPlace + x, immediate: c)
    } else {
      a.loadDouble(x, memory(value)!)
    }
    enter(value, at: Lowering.vectorPlace + x)
    pinnedVectors |= 1 << UInt32(x)
    return x
  }

  func defineVector(_ index: Int, _ x: UInt8) {
    enter(Int32(index), at: Lowering.vectorPlace + x)
    releaseIfDead(Int32(index))
  }

  /// The register of a value that dies here, for the result; nil where it lives on.
  func takeVector(_ value: Int32) -> UInt8? {
    guard !isNeeded(value) else { return nil }
    let x = values[Int(value)].vector
    dropVector(value)
    pinnedVectors |= 1 << UInt32(x)
    return x
  }
}
