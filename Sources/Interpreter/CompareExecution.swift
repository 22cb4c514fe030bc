// Compares and bit tests, and how they write their two predicates (SDM vol. 3, cmp, tbit, tnat, tf).
import CSupport
import IA64
import Machine

/// Writes the predicates of a test whose qualifying predicate is `qualified`, under the instruction's type. `nat`: a
/// source was NaT, which clears what the type can clear and sets nothing.
@inline(__always)
func writePredicates(
  _ cpu: CPU, _ code: Code, _ type: PredicateType, qualified: Bool, result: Bool, nat: Bool
) -> Status {
  let p1 = code.r1, p2 = code.r4
  if !qualified && type != .unconditional { return .done }
  if p1 == p2 { return cpu.illegalOperation() }
  switch type {
  case .normal, .unconditional:
    cpu.writePR(p1, qualified && !nat && result)
    cpu.writePR(p2, qualified && !nat && !result)
  case .and:
    if nat || !result {
      cpu.writePR(p1, false)
      cpu.writePR(p2, false)
    }
  case .or:
    if !nat && result {
      cpu.writePR(p1, true)
      cpu.writePR(p2, true)
    }
  case .orAndComplement:
    if !nat && result {
      cpu.writePR(p1, true)
      cpu.writePR(p2, false)
    }
  }
  return .done
}

@inline(never)
func executeCompare(_ cpu: CPU, _ code: Code, _ recipe: Recipe, _ qualified: Bool) -> Status {
  var a: UInt64 = 0
  var b = cpu.readGR(code.r3)
  var nat = cpu.readNaT(code.r3)
  switch recipe.operandForm {
  case .registers:
    a = cpu.readGR(code.r2)
    nat = nat || cpu.readNaT(code.r2)
  case .immediate:
    a = code.immediate
  default:
    break // r0 against r3
  }
  if recipe.completers.contains(.narrow) {
    // Sign extension keeps the order of unsigned words, too.
    a = UInt64(bitPattern: Int64(Int32(truncatingIfNeeded: a)))
    b = UInt64(bitPattern: Int64(Int32(truncatingIfNeeded: b)))
  }
  let result: Bool
  let x = Int64(bitPattern: a), y = Int64(bitPattern: b)
  switch recipe.relation {
  case .equal: result = a == b
  case .notEqual: result = a != b
  case .less: result = x < y
  case .lessUnsigned: result = a < b
  case .greater: result = x > y
  case .lessOrEqual: result = x <= y
  case .greaterOrEqual: result = x >= y
  }
  return writePredicates(cpu, code, recipe.type, qualified: qualified, result: result, nat: nat)
}

@inline(never)
func executeTestBit(_ cpu: CPU, _ code: Code, _ recipe: Recipe, _ qualified: Bool) -> Status {
  var bit: Bool
  var nat = false
  switch code.pointee.opcode {
  case .tnat_z, .tnat_z_unc, .tnat_z_and, .tnat_nz_and, .tnat_z_or, .tnat_nz_or, .tnat_z_or_andcm, .tnat_nz_or_andcm:
    bit = cpu.readNaT(code.r3)
  case .tf_z, .tf_z_unc, .tf_z_and, .tf_nz_and, .tf_z_or, .tf_nz_or, .tf_z_or_andcm, .tf_nz_or_andcm:
    bit = kt_cpuid(cpu)[4] >> UInt64(code.pointee.feature) & 1 != 0
  default:
    bit = cpu.readGR(code.r3) >> UInt64(code.pointee.pos) & 1 != 0
    nat = cpu.readNaT(code.r3)
  }
  if !recipe.completers.contains(.nonzero) { bit = !bit }
  return writePredicates(cpu, code, recipe.type, qualified: qualified, result: bit, nat: nat)
}
