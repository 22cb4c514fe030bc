// Integer arithmetic, shifts, deposits and parallel operations: everything that computes one general register from
// general registers and immediates (SDM vol. 3, chapter 2). A NaT in any source makes the result NaT.
import CSupport
import IA64
import Machine

/// A decoded instruction as the interpreter passes it around.
package typealias Code = UnsafePointer<Instruction>

extension UnsafePointer where Pointee == Instruction {
  @inline(__always) var r1: Int { Int(truncatingIfNeeded: pointee.r1) }
  @inline(__always) var r2: Int { Int(truncatingIfNeeded: pointee.r2) }
  @inline(__always) var r3: Int { Int(truncatingIfNeeded: pointee.r3) }
  @inline(__always) var r4: Int { Int(truncatingIfNeeded: pointee.r4) }
  @inline(__always) var qp: Int { Int(truncatingIfNeeded: pointee.qp) }
  @inline(__always) var immediate: UInt64 { UInt64(bitPattern: pointee.imm) }
  @inline(__always) var recipe: Recipe { opcodeRecipe(pointee.opcode) }
}

extension UnsafeMutablePointer where Pointee == kt_cpu {
  /// Whether writing general register `n` is an Illegal Operation: r0, or outside the frame.
  @inline(__always) func isIllegalTarget(_ n: Int) -> Bool { n == 0 || n >= 32 + sof }
}

@inline(never)
func executeInteger(_ cpu: CPU, _ code: Code, _ form: OperandForm) -> Status {
  if cpu.isIllegalTarget(code.r1) { return cpu.illegalOperation() }
  var a: UInt64 = 0, b: UInt64 = 0
  var nat = false
  switch form {
  case .registers:
    a = cpu.readGR(code.r2)
    b = cpu.readGR(code.r3)
    nat = cpu.readNaT(code.r2) || cpu.readNaT(code.r3)
  case .immediate:
    a = code.immediate
    b = cpu.readGR(code.r3)
    nat = cpu.readNaT(code.r3)
  case .first:
    a = cpu.readGR(code.r2)
    nat = cpu.readNaT(code.r2)
  case .second:
    a = cpu.readGR(code.r3)
    nat = cpu.readNaT(code.r3)
  case .constant:
    a = code.immediate
  }
  guard let result = integerResult(code, a, b) else { return cpu.illegalOperation() }
  cpu.writeGR(code.r1, result, nat: nat)
  return .done
}

/// The low 32 bits of a sum, and bits 31:30 of the second operand as a region number (SDM vol. 3, addp4).
@inline(__always)
func pointerSum(_ sum: UInt64, _ pointer: UInt64) -> UInt64 {
  sum & 0xffff_ffff | (pointer >> 30 & 3) << 61
}

/// The result of an integer instruction; nil where a field has a reserved value.
@inline(__always)
private func integerResult(_ code: Code, _ a: UInt64, _ b: UInt64) -> UInt64? {
  switch code.pointee.opcode {
  case .add, .adds, .addl: return a &+ b
  case .add_1: return a &+ b &+ 1
  case .sub, .sub_imm: return a &- b
  case .sub_1: return a &- b &- 1
  case .addp4, .addp4_imm: return pointerSum(a &+ b, b)
  case .and, .and_imm: return a & b
  case .andcm, .andcm_imm: return a & ~b
  case .or, .or_imm: return a | b
  case .xor, .xor_imm: return a ^ b
  case .shladd: return a &<< UInt64(code.pointee.count) &+ b
  case .shladdp4: return pointerSum(a &<< UInt64(code.pointee.count) &+ b, b)
  case .shl: return b > 63 ? 0 : a &<< b
  case .shr: return UInt64(bitPattern: Int64(bitPattern: b) &>> Int64(min(a, 63)))
  case .shr_u: return a > 63 ? 0 : b &>> a
  case .shrp:
    let count = UInt64(code.pointee.count)
    return count == 0 ? b : b &>> count | a &<< (64 - count)
  case .extr, .extr_u, .dep, .dep_imm, .dep_z, .dep_z_imm: return fieldResult(code, a, b)
  case .zxt1: return a & 0xff
  case .zxt2: return a & 0xffff
  case .zxt4: return a & 0xffff_ffff
  case .sxt1: return UInt64(bitPattern: Int64(Int8(truncatingIfNeeded: a)))
  case .sxt2: return UInt64(bitPattern: Int64(Int16(truncatingIfNeeded: a)))
  case .sxt4: return UInt64(bitPattern: Int64(Int32(truncatingIfNeeded: a)))
  case .movl: return a
  case .popcnt: return UInt64(a.nonzeroBitCount)
  case .clz: return UInt64(a.leadingZeroBitCount)
  case .czx1_l: return findZeroLane(a, bits: 8, left: true)
  case .czx1_r: return findZeroLane(a, bits: 8, left: false)
  case .czx2_l: return findZeroLane(a, bits: 16, left: true)
  case .czx2_r: return findZeroLane(a, bits: 16, left: false)
  default: return parallelResult(code, a, b)
  }
}

/// Bit field extraction and deposit. A field that would reach past bit 63 ends there.
private func fieldResult(_ code: Code, _ a: UInt64, _ b: UInt64) -> UInt64 {
  let position = UInt64(code.pointee.pos)
  let length = min(UInt64(code.pointee.len), 64 - position)
  let mask = UInt64.max >> (64 - length)
  switch code.pointee.opcode {
  case .extr: return UInt64(bitPattern: Int64(bitPattern: a << (64 - length - position)) >> Int64(64 - length))
  case .extr_u: return a >> position & mask
  case .dep_z, .dep_z_imm: return (a & mask) << position
  default: return b & ~(mask << position) | (a & mask) << position
  }
}

@inline(never)
private func parallelResult(_ code: Code, _ a: UInt64, _ b: UInt64) -> UInt64? {
  let count = Int(code.pointee.count)
  switch code.pointee.opcode {
  case .padd1: return parallelAdd(a, b, bits: 8, .modulo)
  case .padd1_sss: return parallelAdd(a, b, bits: 8, .signed)
  case .padd1_uuu: return parallelAdd(a, b, bits: 8, .unsigned)
  case .padd1_uus: return parallelAdd(a, b, bits: 8, .mixed)
  case .padd2: return parallelAdd(a, b, bits: 16, .modulo)
  case .padd2_sss: return parallelAdd(a, b, bits: 16, .signed)
  case .padd2_uuu: return parallelAdd(a, b, bits: 16, .unsigned)
  case .padd2_uus: return parallelAdd(a, b, bits: 16, .mixed)
  case .padd4: return parallelAdd(a, b, bits: 32, .modulo)
  case .psub1: return parallelSubtract(a, b, bits: 8, .modulo)
  case .psub1_sss: return parallelSubtract(a, b, bits: 8, .signed)
  case .psub1_uuu: return parallelSubtract(a, b, bits: 8, .unsigned)
  case .psub1_uus: return parallelSubtract(a, b, bits: 8, .mixed)
  case .psub2: return parallelSubtract(a, b, bits: 16, .modulo)
  case .psub2_sss: return parallelSubtract(a, b, bits: 16, .signed)
  case .psub2_uuu: return parallelSubtract(a, b, bits: 16, .unsigned)
  case .psub2_uus: return parallelSubtract(a, b, bits: 16, .mixed)
  case .psub4: return parallelSubtract(a, b, bits: 32, .modulo)
  case .pavg1: return parallelAverage(a, b, bits: 8, raz: false)
  case .pavg1_raz: return parallelAverage(a, b, bits: 8, raz: true)
  case .pavg2: return parallelAverage(a, b, bits: 16, raz: false)
  case .pavg2_raz: return parallelAverage(a, b, bits: 16, raz: true)
  case .pavgsub1: return parallelAverageDifference(a, b, bits: 8)
  case .pavgsub2: return parallelAverageDifference(a, b, bits: 16)
  case .pcmp1_eq: return parallelCompare(a, b, bits: 8, greater: false)
  case .pcmp1_gt: return parallelCompare(a, b, bits: 8, greater: true)
  case .pcmp2_eq: return parallelCompare(a, b, bits: 16, greater: false)
  case .pcmp2_gt: return parallelCompare(a, b, bits: 16, greater: true)
  case .pcmp4_eq: return parallelCompare(a, b, bits: 32, greater: false)
  case .pcmp4_gt: return parallelCompare(a, b, bits: 32, greater: true)
  case .pshladd2: return parallelShiftLeftAdd(a, count, b)
  case .pshradd2: return parallelShiftRightAdd(a, count, b)
  case .pmpyshr2: return parallelMultiplyShift(a, b, count: count, unsigned: false)
  case .pmpyshr2_u: return parallelMultiplyShift(a, b, count: count, unsigned: true)
  case .pmpy2_r: return parallelMultiply(a, b, right: true)
  case .pmpy2_l: return parallelMultiply(a, b, right: false)
  case .mpy4: return (a & 0xffff_ffff) &* (b & 0xffff_ffff)
  case .mpyshl4: return (a >> 32) &* (b & 0xffff_ffff) << 32
  default: return arrangedResult(code, a, b)
  }
}

private func arrangedResult(_ code: Code, _ a: UInt64, _ b: UInt64) -> UInt64? {
  let count = UInt64(code.pointee.count)
  switch code.pointee.opcode {
  case .mix1_r: return parallelMix(a, b, bits: 8, left: false)
  case .mix2_r: return parallelMix(a, b, bits: 16, left: false)
  case .mix4_r: return parallelMix(a, b, bits: 32, left: false)
  case .mix1_l: return parallelMix(a, b, bits: 8, left: true)
  case .mix2_l: return parallelMix(a, b, bits: 16, left: true)
  case .mix4_l: return parallelMix(a, b, bits: 32, left: true)
  case .pack2_uss: return parallelPack(a, b, bits: 16, unsignedResult: true)
  case .pack2_sss: return parallelPack(a, b, bits: 16, unsignedResult: false)
  case .pack4_sss: return parallelPack(a, b, bits: 32, unsignedResult: false)
  case .unpack1_h: return parallelUnpack(a, b, bits: 8, high: true)
  case .unpack2_h: return parallelUnpack(a, b, bits: 16, high: true)
  case .unpack4_h: return parallelUnpack(a, b, bits: 32, high: true)
  case .unpack1_l: return parallelUnpack(a, b, bits: 8, high: false)
  case .unpack2_l: return parallelUnpack(a, b, bits: 16, high: false)
  case .unpack4_l: return parallelUnpack(a, b, bits: 32, high: false)
  case .pmin1_u: return parallelMinimumUnsignedBytes(a, b)
  case .pmax1_u: return parallelMaximumUnsignedBytes(a, b)
  case .pmin2: return parallelMinimumWords(a, b)
  case .pmax2: return parallelMaximumWords(a, b)
  case .psad1: return parallelSumOfDifferences(a, b)
  case .mux1: return parallelPermuteBytes(a, form: Int(code.pointee.mbtype))
  case .mux2: return parallelPermuteWords(a, form: Int(code.pointee.mhtype))
  // Right shifts have the count in r2 and the value in r3, left shifts the other way round.
  case .pshr2: return parallelShiftRight(b, a, bits: 16, unsigned: false)
  case .pshr2_u: return parallelShiftRight(b, a, bits: 16, unsigned: true)
  case .pshr4: return parallelShiftRight(b, a, bits: 32, unsigned: false)
  case .pshr4_u: return parallelShiftRight(b, a, bits: 32, unsigned: true)
  case .pshr2_imm: return parallelShiftRight(a, count, bits: 16, unsigned: false)
  case .pshr2_u_imm: return parallelShiftRight(a, count, bits: 16, unsigned: true)
  case .pshr4_imm: return parallelShiftRight(a, count, bits: 32, unsigned: false)
  case .pshr4_u_imm: return parallelShiftRight(a, count, bits: 32, unsigned: true)
  case .pshl2: return parallelShiftLeft(a, b, bits: 16)
  case .pshl4: return parallelShiftLeft(a, b, bits: 32)
  case .pshl2_imm: return parallelShiftLeft(a, count, bits: 16)
  case .pshl4_imm: return parallelShiftLeft(a, count, bits: 32)
  default: return nil
  }
}
