// Floating-point arithmetic that emitted code calls: one instruction on the registers in kt_cpu, for normal operands,
// rounding to nearest and disabled traps; everything else is refused with nothing written, and the interpreter does it.
// Integers only. Results per SDM vol. 1, 5.4, and vol. 3, the instructions' pages.
import CSupport
import FloatingPoint
import IA64
import Machine

/// An instruction as `computeFloat` is told it.
struct FloatCall {
  enum Operation: UInt64 {
    case multiplyAdd, multiplySubtract, multiplyNegatedAdd, reciprocal, reciprocalRoot, fromInteger
    case toSigned, toUnsigned, toSignedTruncated, toUnsignedTruncated
    case parallelMultiply
  }

  var operation: Operation
  /// 0 by the status field's pc, 1 single, 2 double.
  var precision: UInt64 = 0
  var statusField: UInt64

  init?(_ i: Instruction) {
    statusField = UInt64(i.statusField)
    switch i.opcode {
    case .fma, .fma_s, .fma_d:
      operation = .multiplyAdd
      precision = UInt64(i.opcode.index - Opcode.fma.index)
    case .fms, .fms_s, .fms_d:
      operation = .multiplySubtract
      precision = UInt64(i.opcode.index - Opcode.fms.index)
    case .fnma, .fnma_s, .fnma_d:
      operation = .multiplyNegatedAdd
      precision = UInt64(i.opcode.index - Opcode.fnma.index)
    case .fpma:
      // The host's flags are sf0's.
      guard i.f2 == 0, i.statusField == 0 else { return nil }
      operation = .parallelMultiply
    case .frcpa: operation = .reciprocal
    case .frsqrta: operation = .reciprocalRoot
    case .fcvt_xf:
      operation = .fromInteger
      statusField = 0
    case .fcvt_fx: operation = .toSigned
    case .fcvt_fxu: operation = .toUnsigned
    case .fcvt_fx_trunc: operation = .toSignedTruncated
    case .fcvt_fxu_trunc: operation = .toUnsignedTruncated
    default: return nil
    }
  }

  /// Whether the result is a packed double where it can be one: values that double arithmetic will see.
  var packsResult: Bool { operation == .fromInteger || (operation.rawValue < 3 && statusField == 0) }

  /// The instruction in one word: physical register numbers; `f4` the target predicate of frcpa.
  func word(f1: Int, f2: Int, f3: Int, f4: Int, predicate: Int, isHigh: Bool) -> UInt64 {
    UInt64(f1) | UInt64(f2) << 7 | UInt64(f3) << 14 | UInt64(f4) << 21 | operation.rawValue << 28 | precision << 32
      | statusField << 34 | UInt64(predicate) << 36 | (isHigh ? 1 << 42 : 0) | (packsResult ? 1 << 43 : 0)
  }

  /// Numbers of the registers and predicates that a word's instruction writes.
  static func target(_ word: UInt64) -> Int { Int(word & 0x7f) }
  static func targetPredicate(_ word: UInt64) -> Int? {
    let operation = word >> 28 & 15
    return operation == Operation.reciprocal.rawValue || operation == Operation.reciprocalRoot.rawValue
      ? Int(word >> 21 & 0x7f) : nil
  }
}

/// A finite non-zero value: (−1)^sign · significand · 2^(exponent − 65535 − 63), bit 63 set.
private struct Normal {
  var sign: UInt64
  var exponent: Int
  var significand: UInt64
}

/// 0: done. 1: refused.
let computeFloat: @convention(c) (CPU?, UInt64) -> Int32 = { cpu, word in
  let cpu = cpu.unsafelyUnwrapped
  if cpu.pointee.deferred_mask & UInt32(KT_DEFERRED_RUNS) != 0 && readsPutOff(cpu, word) { settleSequences(cpu) }
  let qualified = kt_predicates(cpu)[Int(word >> 36 & 63)] != 0
  switch word >> 28 & 15 {
  case 0, 1, 2: return qualified ? multiplyAdd(cpu, word) : 0
  case 3, 4: return reciprocal(cpu, word, qualified)
  case 5: return qualified ? fromInteger(cpu, word) : 0
  case FloatCall.Operation.parallelMultiply.rawValue: return qualified ? parallelMultiply(cpu, word) : 0
  default: return qualified ? toInteger(cpu, word) : 0
  }
}

// MARK: Registers

/// Whether an operand's value is put off.
@inline(never) private func readsPutOff(_ cpu: CPU, _ word: UInt64) -> Bool {
  let floats = kt_floats(cpu)
  func isPutOff(_ n: UInt64) -> Bool { DeferredSequence.isMark(floats[Int(n & 0x7f)].sign_exponent) }
  return isPutOff(word >> 7) || isPutOff(word >> 14) || isPutOff(word >> 21)
}

@inline(__always) private func register(_ cpu: CPU, _ n: UInt64) -> kt_fr {
  cpu.unpack(kt_floats(cpu)[Int(n & 0x7f)])
}

@inline(__always) private func normal(_ value: kt_fr) -> Normal? {
  let exponent = value.sign_exponent & 0x1ffff
  guard value.significand >> 63 == 1, exponent &- 1 < 0x1fffe else { return nil }
  return Normal(sign: value.sign_exponent >> 17 & 1, exponent: Int(exponent), significand: value.significand)
}

@inline(__always) private func write(_ cpu: CPU, _ word: UInt64, _ value: kt_fr) {
  kt_floats(cpu)[Int(word & 0x7f)] = value
  cpu.pointee.psr |= word >> 42 & 1 != 0 ? PSR.mfh : PSR.mfl
}

@inline(__always) private func writeResult(_ cpu: CPU, _ word: UInt64, _ value: Normal) {
  let exponent = UInt64(value.exponent)
  if word >> 43 & 1 != 0 && value.significand & 0x7ff == 0 && exponent &- 0xfc01 <= 0x103fe - 0xfc01 {
    let bits = value.sign << 63 | (exponent &- 0xfc00) << 52 | (value.significand << 1) >> 12
    return write(cpu, word, kt_fr(significand: bits, sign_exponent: KT_FR_PACKED_DOUBLE))
  }
  write(cpu, word, kt_fr(significand: value.significand, sign_exponent: value.sign << 17 | exponent))
}

// MARK: Controls

/// The status field's seven controls where its traps are disabled, results are not flushed, and rounding is to nearest.
@inline(__always) private func plainControls(_ cpu: CPU, _ word: UInt64) -> UInt64? {
  let fpsr = cpu.pointee.ar_fpsr, field = word >> 34 & 3
  let controls = fpsr &>> (6 &+ 13 &* field) & 0x7f
  guard fpsr & 0x3f == 0x3f || (field != 0 && controls & 0x40 != 0), controls & 0x31 == 0 else { return nil }
  return controls
}

@inline(__always) private func raiseInexact(_ cpu: CPU, _ word: UInt64) {
  cpu.pointee.ar_fpsr |= 1 &<< (18 &+ 13 &* (word >> 34 & 3))
}

// MARK: Multiply and add

/// An operand of a multiplication or addition: a normal value, a zero (significand 0), or an integer as `setf.sig` leaves
/// it, which counts as unnormal.
@inline(__always) private func operand(_ value: kt_fr, _ unnormal: inout Bool) -> Normal? {
  if let value = normal(value) { return value }
  let exponent = value.sign_exponent & 0x1ffff
  let sign = value.sign_exponent >> 17 & 1
  if value.significand == 0 && exponent == 0 { return Normal(sign: sign, exponent: 0, significand: 0) }
  guard exponent == 0x1003e else { return nil }
  unnormal = true
  if value.significand == 0 { return Normal(sign: sign, exponent: 0, significand: 0) }
  let zeros = value.significand.leadingZeroBitCount
  return Normal(
    sign: sign, exponent: 0x1003e &- zeros, significand: value.significand &<< UInt64(truncatingIfNeeded: zeros))
}

private func multiplyAdd(_ cpu: CPU, _ word: UInt64) -> Int32 {
  var unnormal = false
  guard let controls = plainControls(cpu, word), var x = operand(register(cpu, word >> 14), &unnormal),
    let y = operand(register(cpu, word >> 21), &unnormal)
  else { return 1 }
  var addend: Normal? = nil
  let operation = word >> 28 & 15
  if word >> 7 & 0x7f != 0 {
    guard var z = operand(register(cpu, word >> 7), &unnormal) else { return 1 }
    if operation == 1 { z.sign ^= 1 }
    addend = z
  }
  if operation == 2 { x.sign ^= 1 }
  let refused = x.significand == 0 || y.significand == 0
    ? addToZero(cpu, word, controls, x.sign ^ y.sign, addend) : addProduct(cpu, word, controls, x, y, addend)
  // The denormal/unnormal operand flag.
  if refused == 0 && unnormal { cpu.pointee.ar_fpsr |= 1 &<< (14 &+ 13 &* (word >> 34 & 3)) }
  return refused
}

@inline(__always) private func writeZero(_ cpu: CPU, _ word: UInt64, sign: UInt64) {
  write(
    cpu, word,
    word >> 43 & 1 != 0
      ? kt_fr(significand: sign << 63, sign_exponent: KT_FR_PACKED_DOUBLE)
      : kt_fr(significand: 0, sign_exponent: sign << 17))
}

/// A product that is zero, plus an addend.
private func addToZero(_ cpu: CPU, _ word: UInt64, _ controls: UInt64, _ sign: UInt64, _ addend: Normal?) -> Int32 {
  guard let addend else {
    writeZero(cpu, word, sign: sign)
    return 0
  }
  if addend.significand != 0 { return finish(cpu, word, controls, addend, 0, false) }
  writeZero(cpu, word, sign: sign & addend.sign)
  return 0
}

@inline(__always)
private func addProduct(
  _ cpu: CPU, _ word: UInt64, _ controls: UInt64, _ x: Normal, _ y: Normal, _ addend: Normal?
) -> Int32 {
  var (high, low) = x.significand.multipliedFullWidth(by: y.significand)
  var exponent = x.exponent &+ y.exponent &- 65534, sign = x.sign ^ y.sign
  if high >> 63 == 0 {
    high = high &<< 1 | low &>> 63
    low = low &<< 1
    exponent &-= 1
  }
  var sticky = false
  if let addend, addend.significand != 0 {
    var sum = Sum(bits: UInt128(high) << 64 | UInt128(low), exponent: exponent, sign: sign)
    guard sum.add(addend) else {
      // Exactly cancelled: rounding to nearest gives +0.
      writeZero(cpu, word, sign: 0)
      return 0
    }
    (high, low) = (UInt64(truncatingIfNeeded: sum.bits >> 64), UInt64(truncatingIfNeeded: sum.bits))
    (exponent, sign, sticky) = (sum.exponent, sum.sign, sum.sticky)
  }
  return finish(cpu, word, controls, Normal(sign: sign, exponent: exponent, significand: high), low, sticky)
}

/// 128 bits with the top one set and what lies below them, as the sum of a product and an addend.
private struct Sum {
  var bits: UInt128
  var exponent: Int
  var sign: UInt64
  var sticky = false

  init(bits: UInt128, exponent: Int, sign: UInt64) {
    self.bits = bits
    self.exponent = exponent
    self.sign = sign
  }

  /// False: the sum is zero.
  @inline(__always) mutating func add(_ z: Normal) -> Bool {
    var large = bits, small = UInt128(z.significand) << 64
    var distance = exponent &- z.exponent
    let swapped = distance < 0 || (distance == 0 && small > large)
    let subtracts = sign != z.sign
    if swapped {
      (large, small) = (small, large)
      distance = 0 &- distance
      exponent = z.exponent
      sign = z.sign
    }
    let aligned = distance < 128 ? small &>> UInt128(truncatingIfNeeded: distance) : 0
    sticky = distance >= 128 || aligned &<< UInt128(truncatingIfNeeded: distance) != small
    if !subtracts {
      let (sum, carry) = large.addingReportingOverflow(aligned)
      bits = sum
      if carry {
        sticky = sticky || sum & 1 != 0
        bits = sum &>> 1 | 1 << 127
        exponent &+= 1
      }
      return true
    }
    return subtract(large, aligned, small, distance)
  }

  @inline(__always)
  private mutating func subtract(_ large: UInt128, _ aligned: UInt128, _ small: UInt128, _ distance: Int) -> Bool {
    // What was lost by alignment makes the difference smaller by less than one unit.
    bits = large &- aligned &- (sticky ? 1 : 0)
    if sticky && distance == 1 && bits >> 127 == 0 {
      // Twice the difference is exact, and fits.
      bits = large &<< 1 &- small
      sticky = false
      exponent &-= 1
    }
    if bits == 0 { return false }
    let zeros = bits.leadingZeroBitCount
    bits = bits &<< UInt128(truncatingIfNeeded: zeros)
    exponent &-= zeros
    return true
  }
}

/// Rounds to the instruction's precision; refuses what lies outside its range.
@inline(__always)
private func finish(
  _ cpu: CPU, _ word: UInt64, _ controls: UInt64, _ value: Normal, _ low: UInt64, _ sticky: Bool
) -> Int32 {
  let completer = word >> 32 & 3, pc = controls >> 2 & 3
  let drop: UInt64 = completer == 1 ? 40 : completer == 2 ? 11 : pc == 0 ? 40 : pc == 2 ? 11 : 0
  let rest: UInt64 = low != 0 || sticky ? 1 : 0
  let tail = drop == 0 ? low | (sticky ? 1 : 0) : value.significand &<< (64 &- drop) | rest
  let unit: UInt64 = 1 &<< drop
  var result = value
  result.significand &= ~(unit &- 1)
  let half: UInt64 = 1 << 63
  if tail > half || (tail == half && result.significand & unit != 0) {
    result.significand &+= unit
    if result.significand == 0 {
      result.significand = half
      result.exponent &+= 1
    }
  }
  let range: ClosedRange<Int>
  if controls & 2 != 0 {
    range = 1...0x1fffe
  } else {
    range = completer == 1 ? 0xff81...0x1007e : completer == 2 ? 0xfc01...0x103fe : 0xc001...0x13ffe
  }
  guard result.exponent >= range.lowerBound && result.exponent <= range.upperBound else { return 1 }
  writeResult(cpu, word, result)
  if tail != 0 { raiseInexact(cpu, word) }
  return 0
}

// MARK: Pairs

/// fpmpy of normal singles and zeros.
private func parallelMultiply(_ cpu: CPU, _ word: UInt64) -> Int32 {
  let x = register(cpu, word >> 14), y = register(cpu, word >> 21)
  guard plainControls(cpu, word) != nil, x.sign_exponent == 0x1003e, y.sign_exponent == 0x1003e,
    let low = product(x.significand, y.significand), let high = product(x.significand >> 32, y.significand >> 32)
  else { return 1 }
  let bits = UInt64(high.result.bitPattern) << 32 | UInt64(low.result.bitPattern)
  write(cpu, word, kt_fr(significand: bits, sign_exponent: 0x1003e))
  if low.inexact || high.inexact { raiseInexact(cpu, word) }
  return 0
}

/// nil: an operand or the result is neither normal nor an exact zero.
@inline(__always) private func product(_ a: UInt64, _ b: UInt64) -> (result: Float, inexact: Bool)? {
  let x = Float(bitPattern: UInt32(truncatingIfNeeded: a)), y = Float(bitPattern: UInt32(truncatingIfNeeded: b))
  guard x.isNormal || x.isZero, y.isNormal || y.isZero else { return nil }
  let exact = Double(x) * Double(y), result = Float(exact)
  guard result.isNormal || exact == 0 else { return nil }
  return (result, Double(result) != exact)
}

// MARK: Reciprocal and conversions

private func reciprocal(_ cpu: CPU, _ word: UInt64, _ qualified: Bool) -> Int32 {
  let predicate = Int(word >> 21 & 63)
  guard qualified else {
    if predicate != 0 { kt_predicates(cpu)[predicate] = 0 }
    return 0
  }
  let isRoot = word >> 28 & 15 == FloatCall.Operation.reciprocalRoot.rawValue
  let a = register(cpu, word >> 7), b = register(cpu, word >> 14)
  guard plainControls(cpu, word) != nil, isRoot || normal(a) != nil, normal(b) != nil else { return 1 }
  let environment = FPSR(bits: cpu.pointee.ar_fpsr).environment(Int(word >> 34 & 3), .none)
  let f3 = RegisterFloat(significand: b.significand, signExponent: b.sign_exponent)
  let result = isRoot
    ? FP.reciprocalRootApproximation(f3: f3, environment)
    : FP.reciprocalApproximation(
      f2: RegisterFloat(significand: a.significand, signExponent: a.sign_exponent), f3: f3, environment)
  guard result.predicate, result.flags == 0, result.fault == 0, result.trap == 0 else { return 1 }
  write(cpu, word, kt_fr(significand: result.value.significand, sign_exponent: result.value.signExponent))
  if predicate != 0 { kt_predicates(cpu)[predicate] = 1 }
  return 0
}

private func fromInteger(_ cpu: CPU, _ word: UInt64) -> Int32 {
  let source = register(cpu, word >> 7)
  guard source.sign_exponent == 0x1003e else { return 1 }
  if source.significand == 0 {
    write(cpu, word, kt_fr(significand: 0, sign_exponent: KT_FR_PACKED_DOUBLE))
    return 0
  }
  let sign = source.significand >> 63
  let magnitude = sign != 0 ? 0 &- source.significand : source.significand
  let zeros = magnitude.leadingZeroBitCount
  writeResult(
    cpu, word,
    Normal(sign: sign, exponent: 65535 &+ 63 &- zeros, significand: magnitude &<< UInt64(truncatingIfNeeded: zeros)))
  return 0
}

private func toInteger(_ cpu: CPU, _ word: UInt64) -> Int32 {
  let source = register(cpu, word >> 7)
  guard plainControls(cpu, word) != nil else { return 1 }
  if source.significand == 0 && source.sign_exponent & 0x1ffff == 0 {
    write(cpu, word, kt_fr(significand: 0, sign_exponent: 0x1003e))
    return 0
  }
  let operation = word >> 28 & 15
  let isSigned = operation & 1 == 0, truncates = operation >= FloatCall.Operation.toSignedTruncated.rawValue
  guard let value = normal(source), isSigned || value.sign == 0 else { return 1 }
  let exponent = value.exponent &- 65535
  guard exponent < (isSigned ? 63 : 64) else { return 1 }
  // Integer part and fraction; below one half everything is fraction.
  let whole = exponent < 0 ? 0 : value.significand &>> UInt64(truncatingIfNeeded: 63 &- exponent)
  let fraction: UInt64
  if exponent < -1 {
    fraction = 1
  } else {
    fraction = exponent == 63 ? 0 : value.significand &<< UInt64(truncatingIfNeeded: exponent &+ 1)
  }
  var result = whole
  let half: UInt64 = 1 << 63
  if !truncates && (fraction > half || (fraction == half && whole & 1 != 0)) {
    result &+= 1
    if result == (isSigned ? half : 0) { return 1 }
  }
  write(cpu, word, kt_fr(significand: value.sign != 0 ? 0 &- result : result, sign_exponent: 0x1003e))
  if fraction != 0 { raiseInexact(cpu, word) }
  return 0
}
