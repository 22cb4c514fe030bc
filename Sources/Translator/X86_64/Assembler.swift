// The x86-64 assembler: appends machine code at a cursor in raw memory. It knows encodings and nothing of guests
// (Intel 64 SDM vol. 2: instruction format, REX and VEX prefixes). Emission never allocates.

/// A general register by its hardware number.
package struct Register: Equatable {
  package let number: UInt8
  @inline(__always) package init(_ number: UInt8) { self.number = number }
  package static let rax = Register(0), rcx = Register(1), rdx = Register(2), rbx = Register(3)
  package static let rsp = Register(4), rbp = Register(5), rsi = Register(6), rdi = Register(7)
  package static let r8 = Register(8), r9 = Register(9), r10 = Register(10), r11 = Register(11)
  package static let r12 = Register(12), r13 = Register(13), r14 = Register(14), r15 = Register(15)
  package static let none = Register(0xff)
}

/// A memory operand: base + index·2^scale + displacement.
package struct Address {
  package var base: Register
  package var index: Register
  package var scale: UInt8
  package var displacement: Int32
  @inline(__always)
  package init(_ base: Register, _ displacement: Int32 = 0, index: Register = .none, scale: UInt8 = 0) {
    self.base = base
    self.index = index
    self.scale = scale
    self.displacement = displacement
  }
}

/// Condition codes as the low four bits of jcc, setcc and cmovcc.
package struct Condition: Equatable {
  package let code: UInt8
  @inline(__always) package init(_ code: UInt8) { self.code = code }
  package static let overflow = Condition(0), below = Condition(2), aboveEqual = Condition(3), equal = Condition(4)
  package static let notEqual = Condition(5), belowEqual = Condition(6), above = Condition(7), sign = Condition(8)
  package static let notSign = Condition(9), parity = Condition(10), less = Condition(12), greaterEqual = Condition(13)
  package static let lessEqual = Condition(14), greater = Condition(15)
  package var inverted: Condition { @inline(__always) get { Condition(code ^ 1) } }
  /// The condition that holds for (b, a) where this one holds for (a, b).
  package var swapped: Condition {
    switch code {
    case 2: return .above
    case 3: return .belowEqual
    case 6: return .aboveEqual
    case 7: return .below
    case 12: return .greater
    case 13: return .lessEqual
    case 14: return .greaterEqual
    case 15: return .less
    default: return self
    }
  }
}

/// The two-operand arithmetic group by its opcode extension.
package enum Arithmetic: UInt8 {
  case add = 0, or = 1, adc = 2, sbb = 3, and = 4, sub = 5, xor = 6, cmp = 7
}

package enum Shift: UInt8 {
  case rol = 0, ror = 1, left = 4, right = 5, arithmetic = 7
}

package enum Width: UInt8 {
  case byte = 1, word = 2, long = 4, quad = 8
}

package struct Assembler {
  package var cursor: UnsafeMutablePointer<UInt8>

  @inline(__always) package init(at cursor: UnsafeMutablePointer<UInt8>) { self.cursor = cursor }

  // MARK: Bytes

  @inline(__always) package mutating func byte(_ value: UInt8) {
    cursor.pointee = value
    cursor += 1
  }

  @inline(__always) package mutating func long(_ value: Int32) {
    UnsafeMutableRawPointer(cursor).storeBytes(of: value, as: Int32.self)
    cursor += 4
  }

  @inline(__always) package mutating func quad(_ value: UInt64) {
    UnsafeMutableRawPointer(cursor).storeBytes(of: value, as: UInt64.self)
    cursor += 8
  }

  /// Multi-byte nops up to an alignment (a power of two), or until `offset` bytes before one.
  package mutating func align(_ alignment: Int, offset: Int = 0) {
    while (Int(bitPattern: cursor) + offset) & (alignment - 1) != 0 {
      let rest = alignment - ((Int(bitPattern: cursor) + offset) & (alignment - 1))
      nop(min(rest, 8))
    }
  }

  package mutating func nop(_ length: Int) {
    switch length {
    case 1: byte(0x90)
    case 2: byte(0x66); byte(0x90)
    case 3: byte(0x0f); byte(0x1f); byte(0x00)
    case 4: byte(0x0f); byte(0x1f); byte(0x40); byte(0)
    case 5: byte(0x0f); byte(0x1f); byte(0x44); byte(0); byte(0)
    case 6: byte(0x66); byte(0x0f); byte(0x1f); byte(0x44); byte(0); byte(0)
    case 7: byte(0x0f); byte(0x1f); byte(0x80); long(0)
    case 8: byte(0x0f); byte(0x1f); byte(0x84); byte(0); long(0)
    default:
      if length > 8 {
        nop(8)
        nop(length - 8)
      }
    }
  }

  // MARK: Operand encoding

  @inline(__always)
  private mutating func rex(wide: Bool, _ reg: UInt8, _ index: UInt8, _ base: UInt8, force: Bool = false) {
    let prefix: UInt8 = 0x40 | (wide ? 8 : 0) | ((reg & 8) >> 1) | ((index & 8) >> 2) | ((base & 8) >> 3)
    if prefix != 0x40 || force { byte(prefix) }
  }

  @inline(__always) private mutating func direct(_ reg: UInt8, _ rm: UInt8) {
    byte(0xc0 | (reg & 7) << 3 | (rm & 7))
  }

  @inline(__always) private mutating func memory(_ reg: UInt8, _ at: Address) {
    let field = (reg & 7) << 3
    let base = at.base.number & 7
    let small = at.displacement >= -128 && at.displacement <= 127
    let mode: UInt8 = at.displacement == 0 && base != 5 ? 0 : (small ? 0x40 : 0x80)
    if at.index != .none || base == 4 {
      byte(mode | field | 4)
      byte(at.scale << 6 | (at.index == .none ? 4 : at.index.number & 7) << 3 | base)
    } else {
      byte(mode | field | base)
    }
    if mode == 0x40 {
      byte(UInt8(truncatingIfNeeded: at.displacement))
    } else if mode == 0x80 {
      long(at.displacement)
    }
  }

  @inline(__always)
  private mutating func rexMemory(wide: Bool, _ reg: UInt8, _ at: Address, force: Bool = false) {
    rex(wide: wide, reg, at.index == .none ? 0 : at.index.number, at.base.number, force: force)
  }

  /// An instruction of opcode 0f `opcode`, behind a mandatory prefix where it has one.
  private mutating func twoByte(_ opcode: UInt8, prefix: UInt8? = nil, wide: Bool = false, _ reg: UInt8, _ rm: UInt8) {
    if let prefix { byte(prefix) }
    rex(wide: wide, reg, 0, rm)
    byte(0x0f)
    byte(opcode)
    direct(reg, rm)
  }

  private mutating func twoByte(_ opcode: UInt8, prefix: UInt8? = nil, wide: Bool = false, _ reg: UInt8, _ at: Address) {
    if let prefix { byte(prefix) }
    rexMemory(wide: wide, reg, at)
    byte(0x0f)
    byte(opcode)
    memory(reg, at)
  }

  // MARK: Moves

  package mutating func move(_ to: Register, _ from: Register) {
    rex(wide: true, from.number, 0, to.number)
    byte(0x89)
    direct(from.number, to.number)
  }

  package mutating func move32(_ to: Register, _ from: Register) {
    rex(wide: false, from.number, 0, to.number)
    byte(0x89)
    direct(from.number, to.number)
  }

  /// The shortest form that sets the whole register. `flags`: whether the condition flags must survive.
  package mutating func move(_ to: Register, immediate: Int64, keepFlags: Bool = false) {
    if immediate == 0 && !keepFlags {
      rex(wide: false, to.number, 0, to.number)
      byte(0x31)
      direct(to.number, to.number)
    } else if immediate >= 0 && immediate <= 0xffff_ffff {
      rex(wide: false, 0, 0, to.number)
      byte(0xb8 | to.number & 7)
      long(Int32(truncatingIfNeeded: immediate))
    } else if immediate == Int64(Int32(truncatingIfNeeded: immediate)) {
      rex(wide: true, 0, 0, to.number)
      byte(0xc7)
      direct(0, to.number)
      long(Int32(truncatingIfNeeded: immediate))
    } else {
      rex(wide: true, 0, 0, to.number)
      byte(0xb8 | to.number & 7)
      quad(UInt64(bitPattern: immediate))
    }
  }

  /// Loads and zero-extends to 64 bits.
  package mutating func load(_ to: Register, _ at: Address, _ width: Width = .quad) {
    switch width {
    case .quad:
      rexMemory(wide: true, to.number, at)
      byte(0x8b)
    case .long:
      rexMemory(wide: false, to.number, at)
      byte(0x8b)
    case .word:
      rexMemory(wide: false, to.number, at)
      byte(0x0f)
      byte(0xb7)
    case .byte:
      rexMemory(wide: false, to.number, at)
      byte(0x0f)
      byte(0xb6)
    }
    memory(to.number, at)
  }

  package mutating func store(_ at: Address, _ from: Register, _ width: Width = .quad) {
    if width == .word { byte(0x66) }
    rexMemory(wide: width == .quad, from.number, at, force: width == .byte && from.number >= 4)
    byte(width == .byte ? 0x88 : 0x89)
    memory(from.number, at)
  }

  /// Stores a sign-extended 32-bit immediate (truncated to the width).
  package mutating func store(_ at: Address, immediate: Int32, _ width: Width = .quad) {
    if width == .word { byte(0x66) }
    rexMemory(wide: width == .quad, 0, at)
    byte(width == .byte ? 0xc6 : 0xc7)
    memory(0, at)
    switch width {
    case .byte: byte(UInt8(truncatingIfNeeded: immediate))
    case .word:
      byte(UInt8(truncatingIfNeeded: immediate))
      byte(UInt8(truncatingIfNeeded: immediate >> 8))
    default: long(immediate)
    }
  }

  package mutating func zeroExtend(_ to: Register, _ from: Register, _ width: Width) {
    switch width {
    case .byte:
      rex(wide: false, to.number, 0, from.number, force: from.number >= 4)
      byte(0x0f)
      byte(0xb6)
      direct(to.number, from.number)
    case .word:
      rex(wide: false, to.number, 0, from.number)
      byte(0x0f)
      byte(0xb7)
      direct(to.number, from.number)
    case .long: move32(to, from)
    case .quad: if to != from { move(to, from) }
    }
  }

  package mutating func signExtend(_ to: Register, _ from: Register, _ width: Width) {
    rex(wide: true, to.number, 0, from.number)
    switch width {
    case .byte:
      byte(0x0f)
      byte(0xbe)
    case .word:
      byte(0x0f)
      byte(0xbf)
    case .long, .quad: byte(0x63)
    }
    direct(to.number, from.number)
  }

  package mutating func loadEffectiveAddress(_ to: Register, _ at: Address) {
    rexMemory(wide: true, to.number, at)
    byte(0x8d)
    memory(to.number, at)
  }

  package mutating func exchange(_ a: Register, _ b: Register) {
    rex(wide: true, a.number, 0, b.number)
    byte(0x87)
    direct(a.number, b.number)
  }

  // MARK: Arithmetic

  package mutating func arithmetic(_ op: Arithmetic, _ to: Register, _ from: Register, _ width: Width = .quad) {
    rex(wide: width == .quad, from.number, 0, to.number, force: width == .byte && (from.number | to.number) >= 4)
    byte(op.rawValue << 3 | (width == .byte ? 0 : 1))
    direct(from.number, to.number)
  }

  package mutating func arithmetic(_ op: Arithmetic, _ to: Register, _ from: Address, _ width: Width = .quad) {
    rexMemory(wide: width == .quad, to.number, from, force: width == .byte && to.number >= 4)
    byte(op.rawValue << 3 | (width == .byte ? 2 : 3))
    memory(to.number, from)
  }

  package mutating func arithmetic(_ op: Arithmetic, _ to: Address, _ from: Register, _ width: Width = .quad) {
    rexMemory(wide: width == .quad, from.number, to, force: width == .byte && from.number >= 4)
    byte(op.rawValue << 3 | (width == .byte ? 0 : 1))
    memory(from.number, to)
  }

  package mutating func arithmetic(_ op: Arithmetic, _ to: Register, immediate: Int32, _ width: Width = .quad) {
    if width == .byte {
      rex(wide: false, 0, 0, to.number, force: to.number >= 4)
      byte(0x80)
      direct(op.rawValue, to.number)
      byte(UInt8(truncatingIfNeeded: immediate))
      return
    }
    rex(wide: width == .quad, 0, 0, to.number)
    if immediate >= -128 && immediate <= 127 {
      byte(0x83)
      direct(op.rawValue, to.number)
      byte(UInt8(truncatingIfNeeded: immediate))
    } else if to == .rax {
      byte(op.rawValue << 3 | 5)
      long(immediate)
    } else {
      byte(0x81)
      direct(op.rawValue, to.number)
      long(immediate)
    }
  }

  /// The form with a 32-bit immediate whatever its value: seven bytes (six for eax).
  package mutating func arithmetic(_ op: Arithmetic, _ to: Register, wideImmediate immediate: Int32) {
    rex(wide: true, 0, 0, to.number)
    byte(0x81)
    direct(op.rawValue, to.number)
    long(immediate)
  }

  package mutating func arithmetic(_ op: Arithmetic, _ to: Address, immediate: Int32, _ width: Width = .quad) {
    if width == .word { byte(0x66) }
    rexMemory(wide: width == .quad, 0, to)
    if width == .byte {
      byte(0x80)
      memory(op.rawValue, to)
      byte(UInt8(truncatingIfNeeded: immediate))
    } else if immediate >= -128 && immediate <= 127 {
      byte(0x83)
      memory(op.rawValue, to)
      byte(UInt8(truncatingIfNeeded: immediate))
    } else {
      byte(0x81)
      memory(op.rawValue, to)
      if width == .word {
        byte(UInt8(truncatingIfNeeded: immediate))
        byte(UInt8(truncatingIfNeeded: immediate >> 8))
      } else {
        long(immediate)
      }
    }
  }

  package mutating func test(_ a: Register, _ b: Register, _ width: Width = .quad) {
    rex(wide: width == .quad, b.number, 0, a.number, force: width == .byte && (a.number | b.number) >= 4)
    byte(width == .byte ? 0x84 : 0x85)
    direct(b.number, a.number)
  }

  package mutating func test(_ a: Register, immediate: Int32, _ width: Width = .quad) {
    rex(wide: width == .quad, 0, 0, a.number, force: width == .byte && a.number >= 4)
    byte(width == .byte ? 0xf6 : 0xf7)
    direct(0, a.number)
    if width == .byte { byte(UInt8(truncatingIfNeeded: immediate)) } else { long(immediate) }
  }

  package mutating func test(_ a: Address, immediate: Int32, _ width: Width) {
    rexMemory(wide: width == .quad, 0, a)
    byte(width == .byte ? 0xf6 : 0xf7)
    memory(0, a)
    if width == .byte { byte(UInt8(truncatingIfNeeded: immediate)) } else { long(immediate) }
  }

  package mutating func not(_ r: Register) { unary(2, r) }
  package mutating func negate(_ r: Register) { unary(3, r) }

  private mutating func unary(_ ext: UInt8, _ r: Register) {
    rex(wide: true, 0, 0, r.number)
    byte(0xf7)
    direct(ext, r.number)
  }

  package mutating func shift(_ op: Shift, _ r: Register, by count: UInt8, _ width: Width = .quad) {
    rex(wide: width == .quad, 0, 0, r.number)
    if count == 1 {
      byte(0xd1)
      direct(op.rawValue, r.number)
    } else {
      byte(0xc1)
      direct(op.rawValue, r.number)
      byte(count)
    }
  }

  /// Shifts by cl.
  package mutating func shiftByCL(_ op: Shift, _ r: Register, _ width: Width = .quad) {
    rex(wide: width == .quad, 0, 0, r.number)
    byte(0xd3)
    direct(op.rawValue, r.number)
  }

  /// `to` := low 64 bits of (high:to) shifted right by count.
  package mutating func shiftRightDouble(_ to: Register, _ high: Register, by count: UInt8) {
    twoByte(0xac, wide: true, high.number, to.number)
    byte(count)
  }

  package mutating func multiply(_ to: Register, _ from: Register) {
    twoByte(0xaf, wide: true, to.number, from.number)
  }

  /// rdx:rax := rax, sign-extended.
  package mutating func signExtendToPair() {
    byte(0x48)
    byte(0x99)
  }

  /// rax := rdx:rax / r, rdx := the rest.
  package mutating func divide(_ r: Register, signed: Bool) { unary(signed ? 7 : 6, r) }

  package mutating func bitTest(_ r: Register, bit: UInt8) {
    rex(wide: true, 0, 0, r.number)
    byte(0x0f)
    byte(0xba)
    direct(4, r.number)
    byte(bit)
  }

  /// bts (5), btr (6) by immediate.
  package mutating func bitReset(_ r: Register, bit: UInt8) {
    rex(wide: true, 0, 0, r.number)
    byte(0x0f)
    byte(0xba)
    direct(6, r.number)
    byte(bit)
  }

  package mutating func bitComplement(_ r: Register, bit: UInt8) {
    rex(wide: true, 0, 0, r.number)
    byte(0x0f)
    byte(0xba)
    direct(7, r.number)
    byte(bit)
  }

  package mutating func bitTest(_ r: Register, _ bit: Register) {
    twoByte(0xa3, wide: true, bit.number, r.number)
  }

  package mutating func bitReset(_ r: Register, _ bit: Register) {
    twoByte(0xb3, wide: true, bit.number, r.number)
  }

  /// Number of the highest set bit; `from` must not be 0.
  package mutating func bitScanReverse(_ to: Register, _ from: Register) {
    twoByte(0xbd, wide: true, to.number, from.number)
  }

  /// edx:eax := time stamp counter.
  package mutating func readTimeStampCounter() {
    byte(0x0f)
    byte(0x31)
  }

  package mutating func byteSwap(_ r: Register) {
    rex(wide: true, 0, 0, r.number)
    byte(0x0f)
    byte(0xc8 | r.number & 7)
  }

  package mutating func populationCount(_ to: Register, _ from: Register) {
    twoByte(0xb8, prefix: 0xf3, wide: true, to.number, from.number)
  }

  package mutating func setCondition(_ condition: Condition, _ r: Register) {
    rex(wide: false, 0, 0, r.number, force: r.number >= 4)
    byte(0x0f)
    byte(0x90 | condition.code)
    direct(0, r.number)
  }

  package mutating func setCondition(_ condition: Condition, _ at: Address) {
    twoByte(0x90 | condition.code, 0, at)
  }

  package mutating func moveIf(_ condition: Condition, _ to: Register, _ from: Register) {
    twoByte(0x40 | condition.code, wide: true, to.number, from.number)
  }

  package mutating func moveIf(_ condition: Condition, _ to: Register, _ from: Address) {
    twoByte(0x40 | condition.code, wide: true, to.number, from)
  }

  // MARK: Vectors (the few that scan NaT and predicate bytes)

  /// movdqu
  package mutating func loadVector(_ to: UInt8, _ at: Address) {
    twoByte(0x6f, prefix: 0xf3, to, at)
  }

  /// movups
  package mutating func storeVector(_ at: Address, _ from: UInt8) {
    twoByte(0x11, from, at)
  }

  package mutating func orVector(_ to: UInt8, _ from: UInt8) {
    byte(0x66)
    byte(0x0f)
    byte(0xeb)
    direct(to, from)
  }

  package mutating func testVector(_ a: UInt8, _ b: UInt8) {
    byte(0x66)
    byte(0x0f)
    byte(0x38)
    byte(0x17)
    direct(a, b)
  }

  // MARK: Scalar doubles (SSE2, FMA3)

  /// movq xmm, r64
  package mutating func moveToVector(_ to: UInt8, _ from: Register) {
    twoByte(0x6e, prefix: 0x66, wide: true, to, from.number)
  }

  /// movq r64, xmm
  package mutating func moveFromVector(_ to: Register, _ from: UInt8) {
    twoByte(0x7e, prefix: 0x66, wide: true, from, to.number)
  }

  /// movq xmm, m64
  package mutating func loadDouble(_ to: UInt8, _ at: Address) {
    twoByte(0x7e, prefix: 0xf3, to, at)
  }

  /// movd xmm, r32
  package mutating func moveToVector32(_ to: UInt8, _ from: Register) {
    byte(0x66)
    rex(wide: false, to, 0, from.number)
    byte(0x0f)
    byte(0x6e)
    direct(to, from.number)
  }

  /// movq m64, xmm
  package mutating func storeDouble(_ at: Address, _ from: UInt8) {
    twoByte(0xd6, prefix: 0x66, from, at)
  }

  /// movaps
  package mutating func moveVector(_ to: UInt8, _ from: UInt8) {
    twoByte(0x28, to, from)
  }

  /// xorps of a register with itself
  package mutating func clearVector(_ r: UInt8) {
    twoByte(0x57, r, r)
  }

  package enum DoubleOperation: UInt8 { case squareRoot = 0x51, add = 0x58, multiply = 0x59, subtract = 0x5c, divide = 0x5e }

  /// to := to op from; the root is that of `from`.
  package mutating func double(_ op: DoubleOperation, _ to: UInt8, _ from: UInt8) {
    twoByte(op.rawValue, prefix: 0xf2, to, from)
  }

  /// to := a op b, on hosts with AVX.
  package mutating func double(_ op: DoubleOperation, _ to: UInt8, _ a: UInt8, _ b: UInt8) {
    vex(map: 1, wide: false, prefix: 3, to, a, b)
    byte(op.rawValue)
    direct(to, b)
  }

  /// The three bytes of a VEX prefix for registers; `prefix` 1 stands for 66, 3 for F2.
  private mutating func vex(map: UInt8, wide: Bool, prefix: UInt8, _ reg: UInt8, _ second: UInt8, _ rm: UInt8) {
    byte(0xc4)
    byte((reg & 8 == 0 ? 0x80 : 0) | 0x40 | (rm & 8 == 0 ? 0x20 : 0) | map)
    byte((wide ? 0x80 : 0) | (~second & 15) << 3 | prefix)
  }

  /// cvtsd2ss
  package mutating func convertToSingle(_ to: UInt8, _ from: UInt8) { convert(0xf2, to, from) }

  /// cvtss2sd
  package mutating func convertFromSingle(_ to: UInt8, _ from: UInt8) { convert(0xf3, to, from) }

  private mutating func convert(_ prefix: UInt8, _ to: UInt8, _ from: UInt8) {
    byte(prefix)
    rex(wide: false, to, 0, from)
    byte(0x0f)
    byte(0x5a)
    direct(to, from)
  }

  /// cvtsi2sd
  package mutating func convertToDouble(_ to: UInt8, _ from: Register) {
    twoByte(0x2a, prefix: 0xf2, wide: true, to, from.number)
  }

  /// comisd: ZF and CF as for unsigned integers.
  package mutating func compareDouble(_ a: UInt8, _ b: UInt8) {
    twoByte(0x2f, prefix: 0x66, a, b)
  }

  package enum FusedOperation: UInt8 { case multiplyAdd = 0xb9, multiplySubtract = 0xbb, multiplyNegatedAdd = 0xbd }

  /// The 231 form: to := ±(a · b) ± to; or the 213 form: to := ±(a · to) ± b.
  package mutating func fused(
    _ op: FusedOperation, _ to: UInt8, _ a: UInt8, _ b: UInt8, multipliesTarget: Bool = false
  ) {
    vex(map: 2, wide: true, prefix: 1, to, a, b)
    byte(multipliesTarget ? op.rawValue - 0x10 : op.rawValue)
    direct(to, b)
  }

  package mutating func storeVectorControl(_ at: Address) {
    twoByte(0xae, 3, at)
  }

  package mutating func loadVectorControl(_ at: Address) {
    twoByte(0xae, 2, at)
  }

  // MARK: Control

  /// A conditional jump with a 32-bit displacement to be set later: returns the place of the displacement.
  package mutating func jump(if condition: Condition) -> UnsafeMutablePointer<UInt8> {
    byte(0x0f)
    byte(0x80 | condition.code)
    long(0)
    return cursor - 4
  }

  package mutating func jump() -> UnsafeMutablePointer<UInt8> {
    byte(0xe9)
    long(0)
    return cursor - 4
  }

  /// A short forward conditional jump: returns the place of the 8-bit displacement.
  package mutating func shortJump(if condition: Condition) -> UnsafeMutablePointer<UInt8> {
    byte(0x70 | condition.code)
    byte(0)
    return cursor - 1
  }

  /// A jump back to `target`, at most 126 bytes before.
  package mutating func shortJump(if condition: Condition, backTo target: UnsafeMutablePointer<UInt8>) {
    let place = shortJump(if: condition)
    place.pointee = UInt8(bitPattern: Int8(target - (place + 1)))
  }

  package mutating func shortJump() -> UnsafeMutablePointer<UInt8> {
    byte(0xeb)
    byte(0)
    return cursor - 1
  }

  package mutating func bindShort(_ place: UnsafeMutablePointer<UInt8>) {
    let distance = cursor - (place + 1)
    precondition(distance >= 0 && distance <= 127, "short jump out of range")
    place.pointee = UInt8(distance)
  }

  /// Lets the jump whose displacement stands at `place` end at `target` (an address in the writable mapping).
  package static func bind(_ place: UnsafeMutablePointer<UInt8>, to target: UnsafeMutablePointer<UInt8>) {
    UnsafeMutableRawPointer(place).storeBytes(of: Int32(target - (place + 4)), as: Int32.self)
  }

  package mutating func bind(_ place: UnsafeMutablePointer<UInt8>) { Assembler.bind(place, to: cursor) }

  /// jmp or call rel32 to an address in the same mapping as the cursor.
  package mutating func jump(to target: UnsafeMutablePointer<UInt8>) {
    let place = jump()
    Assembler.bind(place, to: target)
  }

  /// A call that is bound later, or again and again; where its rel32 stands.
  package mutating func call() -> UnsafeMutablePointer<UInt8> {
    byte(0xe8)
    long(0)
    return cursor - 4
  }

  package mutating func call(to target: UnsafeMutablePointer<UInt8>) {
    byte(0xe8)
    long(Int32(target - (cursor + 4)))
  }

  package mutating func call(_ at: Address) {
    rexMemory(wide: false, 2, at)
    byte(0xff)
    memory(2, at)
  }

  package mutating func call(_ r: Register) {
    rex(wide: false, 0, 0, r.number)
    byte(0xff)
    direct(2, r.number)
  }

  package mutating func jump(_ at: Address) {
    rexMemory(wide: false, 4, at)
    byte(0xff)
    memory(4, at)
  }

  package mutating func jump(_ r: Register) {
    rex(wide: false, 0, 0, r.number)
    byte(0xff)
    direct(4, r.number)
  }

  /// jmp [rip + d] through a word in the same mapping.
  package mutating func jumpRelative(_ word: UnsafeMutablePointer<UInt8>) {
    byte(0xff)
    byte(0x25)
    long(Int32(word - (cursor + 4)))
  }

  package mutating func push(_ r: Register) {
    rex(wide: false, 0, 0, r.number)
    byte(0x50 | r.number & 7)
  }

  package mutating func pop(_ r: Register) {
    rex(wide: false, 0, 0, r.number)
    byte(0x58 | r.number & 7)
  }

  package mutating func ret() { byte(0xc3) }
  package mutating func breakpoint() { byte(0xcc) }
}
