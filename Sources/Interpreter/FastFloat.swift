// The run loop's floating point: what needs no more than a value and, at most, the inexact flag. Doubles stay packed
// (Documentation/decisions/0001), so that they go to the host's arithmetic and to memory as they are. Whatever is
// special (NaN, infinities, denormals, enabled traps, other rounding) is `executeFloat`'s.
import CSupport
import FloatingPoint
import Glibc
import IA64
import Machine

/// The floating-point registers as the present rotation names them.
struct FloatFile {
  let base: UnsafeMutablePointer<kt_fr>
  let rotation: Int

  @inline(__always) init(_ cpu: CPU, rotation: Int) {
    base = kt_floats(cpu)
    self.rotation = rotation
  }

  @inline(__always) subscript(_ n: UInt8) -> kt_fr {
    get { base[index(n)] }
    nonmutating set { base[index(n)] = newValue }
  }

  @inline(__always) private func index(_ n: UInt8) -> Int {
    if rotation == 0 || n < 32 { return Int(n) }
    let renamed = Int(n) &+ rotation
    return renamed > 127 ? renamed &- 96 : renamed
  }
}

@inline(__always)
func floatsAreDisabled(_ cpu: CPU) -> Bool { cpu.pointee.psr & (PSR.dfl | PSR.dfh) != 0 }

@inline(__always)
func setFloat(_ cpu: CPU, _ file: FloatFile, _ n: UInt8, _ value: kt_fr) {
  file[n] = value
  cpu.pointee.psr |= n < 32 ? PSR.mfl : PSR.mfh
}

@inline(__always)
func isPacked(_ value: kt_fr) -> Bool { value.sign_exponent & KT_FR_PACKED_DOUBLE != 0 }

@inline(__always)
func isNaTVal(_ value: kt_fr) -> Bool { value.significand == 0 && value.sign_exponent == 0x1fffe }

@inline(__always)
func integerFloat(_ value: UInt64) -> kt_fr { kt_fr(significand: value, sign_exponent: 0x1003e) }

@inline(__always)
private func isNormalOrZero(_ bits: UInt64) -> Bool { (bits >> 52 & 0x7ff) &- 1 < 0x7fe || bits << 1 == 0 }

/// A double's bits as a packed register if it is normal or zero; nil for the others.
@inline(__always)
func packed(_ bits: UInt64) -> kt_fr? {
  if isNormalOrZero(bits) {
    return kt_fr(significand: bits, sign_exponent: KT_FR_PACKED_DOUBLE)
  }
  return nil
}

/// The same for a single's bits.
@inline(__always)
func packed(single bits: UInt32) -> kt_fr? {
  if (bits >> 23 & 0xff) &- 1 < 0xfe || bits << 1 == 0 {
    return kt_fr(significand: Double(Float(bitPattern: bits)).bitPattern, sign_exponent: KT_FR_PACKED_DOUBLE)
  }
  return nil
}

/// The bits of stfd and getf.d (SDM vol. 1, 5.3.2): the fields as they are, exponent zero without the integer bit.
@inline(__always)
func doubleBits(_ value: kt_fr) -> UInt64 {
  if isPacked(value) { return value.significand }
  let exponent = value.significand >> 63 == 0
    ? 0 : (value.sign_exponent >> 16 & 1) << 10 | (value.sign_exponent & 0x3ff)
  return (value.sign_exponent >> 17 & 1) << 63 | exponent << 52 | (value.significand << 1) >> 12
}

/// The bits of stfs; `value` is canonical.
@inline(__always)
func singleBits(_ value: kt_fr) -> UInt32 {
  let exponent = value.significand >> 63 == 0
    ? 0 : (value.sign_exponent >> 16 & 1) << 7 | (value.sign_exponent & 0x7f)
  return UInt32(
    truncatingIfNeeded: (value.sign_exponent >> 17 & 1) << 31 | exponent << 23 | (value.significand << 1) >> 41)
}

/// Neither NaN nor denormal.
@inline(__always)
private func isPlain(_ bits: UInt64) -> Bool {
  isNormalOrZero(bits) || bits << 1 == 0x7ff << 53
}

/// The value as an IEEE double if it is one that is normal or zero; packed, also an infinity.
@inline(__always)
private func asDouble(_ value: kt_fr) -> Double? {
  if isPacked(value) { return isPlain(value.significand) ? Double(bitPattern: value.significand) : nil }
  let exponent = value.sign_exponent & 0x1ffff
  let sign = (value.sign_exponent >> 17) << 63
  if exponent &- 0xfc01 < 0x7fe && value.significand >> 63 == 1 && value.significand & 0x7ff == 0 {
    return Double(bitPattern: sign | (exponent &- 0xfc00) << 52 | (value.significand << 1) >> 12)
  }
  return exponent == 0 && value.significand == 0 ? Double(bitPattern: sign) : nil
}

@inline(__always)
private func registerFloat(_ cpu: CPU, _ value: kt_fr) -> RegisterFloat {
  let canonical = cpu.unpack(value)
  return RegisterFloat(significand: canonical.significand, signExponent: canonical.sign_exponent)
}

// MARK: Multiply and add

/// What a multiply-add instruction asks for, from its opcode.
private struct MultiplyAddForm {
  var operation: FP.MultiplyAdd
  /// 0: no completer.
  var precision: UInt64

  @inline(__always) init(_ opcode: Opcode) {
    switch opcode {
    case .fma: (operation, precision) = (.fma, 0)
    case .fma_s: (operation, precision) = (.fma, 24)
    case .fma_d: (operation, precision) = (.fma, 53)
    case .fms: (operation, precision) = (.fms, 0)
    case .fms_s: (operation, precision) = (.fms, 24)
    case .fms_d: (operation, precision) = (.fms, 53)
    case .fnma: (operation, precision) = (.fnma, 0)
    case .fnma_s: (operation, precision) = (.fnma, 24)
    default: (operation, precision) = (.fnma, 53)
    }
  }
}

/// fma, fms, fnma with any completer, where rounding is to nearest, inexact results are not trapped, and nothing is
/// special. False: nothing done.
@inline(never)
func multiplyAddQuickly(_ cpu: CPU, _ slot: SlotPointer, _ rotation: Int) -> Bool {
  let i = slot.pointee.instruction
  let fpsr = cpu.pointee.ar_fpsr
  let shift = 6 &+ 13 &* UInt64(i.hint & 3)
  let field = fpsr >> shift
  if field & 0x30 != 0 || fpsr & 0x20 == 0 || floatsAreDisabled(cpu) { return false }
  let form = MultiplyAddForm(i.opcode)
  let isWide = field & 2 != 0
  var precision = form.precision
  var exponents = isWide ? (1, 0x1fffe) : precision == 53 ? (0xfc01, 0x103fe) : (0xff81, 0x1007e)
  if precision == 0 {
    precision = field & 0xc == 0 ? 24 : field & 0xc == 8 ? 53 : 64
    if !isWide { exponents = (0xc001, 0x13ffe) }
  }
  let file = FloatFile(cpu, rotation: rotation)
  guard
    let (value, inexact) = FP.multiplyAddToNearest(
      form.operation, f3: registerFloat(cpu, file[i.r3]), f4: registerFloat(cpu, file[i.r4]),
      f2: registerFloat(cpu, file[i.r2]), addendIsFR0: i.r2 == 0, precision: precision, exponents: exponents)
  else { return false }
  if inexact { cpu.pointee.ar_fpsr = fpsr | 0x1000 << shift }
  setFloat(cpu, file, i.r1, kt_fr(significand: value.significand, sign_exponent: value.signExponent))
  return true
}

/// fma.d, fms.d, fnma.d of doubles in the host's arithmetic: where the result is normal, or an exact zero, and inexact
/// only if the status field says so already. False: nothing done.
@inline(never)
func multiplyAddOnHost(_ cpu: CPU, _ slot: SlotPointer, _ rotation: Int) -> Bool {
  let i = slot.pointee.instruction
  let fpsr = cpu.pointee.ar_fpsr
  let field = fpsr >> (6 &+ 13 &* UInt64(i.hint & 3))
  if field & 0x30 != 0 || fpsr & 0x20 == 0 || floatsAreDisabled(cpu) { return false }
  let file = FloatFile(cpu, rotation: rotation)
  guard let a = asDouble(file[i.r3]), let b = asDouble(file[i.r4]), let addend = asDouble(file[i.r2]) else {
    return false
  }
  let x = slot.pointee.fast == .fnmaDouble ? -a : a
  let c = slot.pointee.fast == .fmsDouble ? -addend : addend
  // Where f0 or f1 is named there is one operation to round; a product keeps its zero's sign.
  let result = i.r2 == 0 ? x * b : i.r4 == 1 ? x + c : fma(x, b, c)
  if (result.bitPattern >> 52 & 0x7ff) &- 2 <= 0x7fc {
    if field & 0x1000 == 0 && !isExact(x, b, c, result) { return false }
  } else if result != 0 || (i.r4 != 1 && ((x != 0 && b != 0) || c != 0)) {
    return false
  }
  setFloat(cpu, file, i.r1, kt_fr(significand: result.bitPattern, sign_exponent: KT_FR_PACKED_DOUBLE))
  return true
}

/// Whether x·b + c is `result` exactly. False also where that is hard to tell.
@inline(never)
private func isExact(_ x: Double, _ b: Double, _ c: Double, _ result: Double) -> Bool {
  let product = x * b
  // Far from where a product's error could be too small to be represented.
  guard x == 0 || b == 0 || (product.bitPattern >> 52 & 0x7ff) &- 200 < 1800, fma(x, b, -product) == 0 else {
    return false
  }
  // The error of a sum (Knuth's two-sum).
  let share = result - product
  return (product - (result - share)) + (c - share) == 0
}

// MARK: Others

/// fcmp.eq, .lt, .le of normal values and zeros. Nil: `executeFloat` is to be asked.
@inline(__always)
func compareQuickly(_ cpu: CPU, _ opcode: Opcode, _ f2: kt_fr, _ f3: kt_fr) -> Bool? {
  let less: Bool, equal: Bool
  if isPacked(f2) && isPacked(f3) {
    guard isPlain(f2.significand), isPlain(f3.significand) else { return nil }
    let a = Double(bitPattern: f2.significand), b = Double(bitPattern: f3.significand)
    (less, equal) = (a < b, a == b)
  } else {
    let a = registerFloat(cpu, f2), b = registerFloat(cpu, f3)
    guard a.isNormal || a.isZero, b.isNormal || b.isZero else { return nil }
    let x = ordered(a), y = ordered(b)
    (less, equal) = (x < y, x == y)
  }
  switch opcode {
  case .fcmp_eq, .fcmp_eq_unc: return equal
  case .fcmp_lt, .fcmp_lt_unc: return less
  default: return less || equal
  }
}

/// A number in the order of the value, which is normal or zero.
@inline(__always)
private func ordered(_ value: RegisterFloat) -> Int128 {
  let magnitude = Int128(value.exponentField) << 64 | Int128(value.significand)
  return value.sign ? -magnitude : magnitude
}

/// frcpa of normal operands. False: nothing done.
@inline(never)
func reciprocateQuickly(_ cpu: CPU, _ slot: SlotPointer, _ rotation: Int) -> Bool {
  let i = slot.pointee.instruction
  let file = FloatFile(cpu, rotation: rotation)
  guard !floatsAreDisabled(cpu),
    let value = FP.commonReciprocal(f2: registerFloat(cpu, file[i.r2]), f3: registerFloat(cpu, file[i.r3]))
  else { return false }
  setFloat(cpu, file, i.r1, kt_fr(significand: value.significand, sign_exponent: value.signExponent))
  return true
}

/// fcvt.xf.
@inline(__always)
func convertQuickly(_ cpu: CPU, _ value: kt_fr) -> kt_fr {
  let result = FP.convertFromInteger(registerFloat(cpu, value))
  return kt_fr(significand: result.significand, sign_exponent: result.signExponent)
}
