// Loads, stores, semaphores and line instructions (SDM vol. 3, ld, st, ldf, stf, cmpxchg, xchg, fetchadd, lfetch, fc).
//
// Without an ALAT (Machine/ALAT.swift) advanced loads allocate nothing, check loads load again, and chk.a always takes
// its recovery code.
import CSupport
import FloatingPoint
import IA64
import Machine

/// A mask of KT_ACCESS_… flags as `kt_cpu.load` and `store` take them.
@inline(__always)
private func accessFlags(_ completers: Completers) -> UInt32 {
  (completers.contains(.speculative) ? UInt32(KT_ACCESS_SPECULATIVE) : 0)
    | (completers.contains(.advanced) ? UInt32(KT_ACCESS_ADVANCED) : 0)
}

/// What a load has to do with the ALAT.
private struct ALATUse {
  /// The register's name there; 0: nothing to do.
  var tag: UInt64 = 0
  let completers: Completers

  @inline(__always) init(_ cpu: CPU, _ recipe: Recipe, general n: Int) {
    completers = recipe.completers
    if cpu.pointee.alat != nil && concernsTable { tag = cpu.alatTag(general: n) }
  }

  @inline(__always) init(_ cpu: CPU, _ recipe: Recipe, float n: Int) {
    completers = recipe.completers
    if cpu.pointee.alat != nil && concernsTable { tag = cpu.alatTag(float: n) }
  }

  private var concernsTable: Bool { !completers.isDisjoint(with: [.advanced, .check]) }

  /// A check load whose register has an entry: it reads no memory, and does not even translate its address.
  @inline(__always) func hits(_ cpu: CPU) -> Bool {
    guard tag != 0, completers.contains(.check), cpu.alatHolds(tag) else { return false }
    if completers.contains(.clear) { cpu.alatRemove(tag) }
    return true
  }

  /// The load has read `size` bytes, or (nil) has been deferred.
  @inline(__always) func loaded(_ cpu: CPU, _ address: UInt64, size: UInt8?) {
    if tag == 0 { return }
    if let size, !completers.contains(.clear) {
      cpu.alatInsert(tag, address, size: Int(size))
    } else {
      cpu.alatRemove(tag)
    }
  }
}

/// The fault of a NaT in an address or in data to be stored.
@inline(never)
func natConsumption(_ cpu: CPU, _ isr: UInt64) -> Status { cpu.registerNaTConsumption(isr: isr) }

/// What a memory instruction leaves in its base register. Call it only after the access has succeeded.
@inline(__always)
private func updateBase(_ cpu: CPU, _ code: Code, _ update: BaseUpdate, _ base: UInt64, nat: Bool) {
  switch update {
  case .none: break
  case .immediate: cpu.writeGR(code.r3, base &+ code.immediate, nat: nat)
  case .register:
    let increment = cpu.readGR(code.r2)
    cpu.writeGR(code.r3, base &+ increment, nat: nat || cpu.readNaT(code.r2))
  }
}

extension UnsafeMutablePointer where Pointee == kt_cpu {
  /// psr.ed: a speculative load gives NaT and lfetch does nothing, whatever their address is like (SDM vol. 2, 3.3.2).
  fileprivate var forcesDeferral: Bool { pointee.psr & PSR.ed != 0 }
}

// MARK: General registers

@inline(never)
func executeLoad(_ cpu: CPU, _ code: Code, _ recipe: Recipe) -> Status {
  let target = code.r1, update = recipe.baseUpdate
  if cpu.isIllegalTarget(target) { return cpu.illegalOperation() }
  if update != .none && (cpu.isIllegalTarget(code.r3) || target == code.r3) { return cpu.illegalOperation() }
  let address = cpu.readGR(code.r3)
  let speculative = recipe.completers.contains(.speculative)
  let nat = cpu.readNaT(code.r3)
  if nat || speculative && cpu.forcesDeferral {
    if !speculative { return natConsumption(cpu, ISR.r) }
    // A deferred address gives a deferred value; the base stays NaT.
    ALATUse(cpu, recipe, general: target).loaded(cpu, address, size: nil)
    updateBase(cpu, code, update, address, nat: nat)
    cpu.writeGR(target, 0, nat: true)
    return .done
  }
  if recipe.size == 16 { return executeLoad16(cpu, code, address) }
  let table = ALATUse(cpu, recipe, general: target)
  if table.hits(cpu) {
    updateBase(cpu, code, update, address, nat: false)
    return .done
  }
  var value: UInt64 = 0
  let status = cpu.load(address, size: UInt32(recipe.size), flags: accessFlags(recipe.completers), &value)
  if status == .deferred {
    table.loaded(cpu, address, size: nil)
    updateBase(cpu, code, update, address, nat: false)
    // An advanced load that is not speculative gives 0.
    cpu.writeGR(target, 0, nat: speculative)
    return .done
  }
  if status != .done { return status }
  table.loaded(cpu, address, size: recipe.size)
  let filled = recipe.completers.contains(.spill) && cpu.pointee.ar_unat >> (address >> 3 & 63) & 1 != 0
  // The increment is read before the target is written: they may be the same register.
  updateBase(cpu, code, update, address, nat: false)
  cpu.writeGR(target, value, nat: filled)
  return .done
}

private func executeLoad16(_ cpu: CPU, _ code: Code, _ address: UInt64) -> Status {
  var first: UInt64 = 0, second: UInt64 = 0
  let status = loadWhole16(cpu, address, &first, &second)
  if status != .done { return status }
  cpu.pointee.ar_csd = second
  cpu.writeGR(code.r1, first)
  return .done
}

@inline(never)
func executeStore(_ cpu: CPU, _ code: Code, _ recipe: Recipe) -> Status {
  let update = recipe.baseUpdate
  if update != .none && cpu.isIllegalTarget(code.r3) { return cpu.illegalOperation() }
  let address = cpu.readGR(code.r3), value = cpu.readGR(code.r2)
  let nat = cpu.readNaT(code.r2), spill = recipe.completers.contains(.spill)
  if cpu.readNaT(code.r3) || (nat && !spill) { return natConsumption(cpu, ISR.w) }
  let status = recipe.size == 16
    ? storeWhole16(cpu, address, value, cpu.pointee.ar_csd) : cpu.store(address, size: UInt32(recipe.size), value)
  if status != .done { return status }
  if spill {
    let bit = UInt64(1) << (address >> 3 & 63)
    cpu.pointee.ar_unat = nat ? cpu.pointee.ar_unat | bit : cpu.pointee.ar_unat & ~bit
  }
  updateBase(cpu, code, update, address, nat: false)
  return .done
}

@inline(never)
func executeSemaphore(_ cpu: CPU, _ code: Code, _ recipe: Recipe) -> Status {
  if cpu.isIllegalTarget(code.r1) { return cpu.illegalOperation() }
  let address = cpu.readGR(code.r3)
  let opcode = code.pointee.opcode
  let addition = opcode.index >= Opcode.fetchadd4_acq.index && opcode.index <= Opcode.fetchadd8_rel.index
  if cpu.readNaT(code.r3) || (!addition && cpu.readNaT(code.r2)) {
    return natConsumption(cpu, ISR.r | ISR.w)
  }
  var old: UInt64 = 0
  let status: Status
  switch opcode {
  case .fetchadd4_acq, .fetchadd8_acq, .fetchadd4_rel, .fetchadd8_rel:
    status = atomicAdd(cpu, address, UInt32(recipe.size), code.immediate, &old)
  case .xchg1, .xchg2, .xchg4, .xchg8:
    status = atomicExchange(cpu, address, UInt32(recipe.size), cpu.readGR(code.r2), &old)
  case .cmp8xchg16_acq, .cmp8xchg16_rel:
    status = atomicCompareExchange16(
      cpu, address, expected: cpu.pointee.ar_ccv, first: cpu.readGR(code.r2), second: cpu.pointee.ar_csd, &old)
  default:
    status = atomicCompareExchange(
      cpu, address, UInt32(recipe.size), expected: cpu.pointee.ar_ccv, new: cpu.readGR(code.r2), &old)
  }
  if status != .done { return status }
  cpu.writeGR(code.r1, old)
  return .done
}

// MARK: Floating-point registers

extension UnsafeMutablePointer where Pointee == kt_cpu {
  @inline(__always) func readFloat(_ n: Int) -> RegisterFloat {
    let value = readFR(n)
    return RegisterFloat(significand: value.significand, signExponent: value.sign_exponent)
  }

  @inline(__always) func writeFloat(_ n: Int, _ value: RegisterFloat) {
    writeFR(n, kt_fr(significand: value.significand, sign_exponent: value.signExponent))
  }

  /// Whether using floating-point register `n` is a Disabled Floating-Point Register fault under psr.dfl or psr.dfh.
  @inline(__always) func isDisabledFR(_ n: Int) -> Bool {
    let bits = pointee.psr & (PSR.dfl | PSR.dfh)
    return bits != 0 && n > 1 && bits & (n < 32 ? PSR.dfl : PSR.dfh) != 0
  }
}

/// The memory format of a floating-point load or store.
private enum FloatFormat { case single, double, extended, integer, spill }

@inline(__always)
private func floatFormat(_ opcode: Opcode, _ recipe: Recipe) -> FloatFormat {
  switch recipe.size {
  case 4: return .single
  case 10: return .extended
  case 16: return .spill
  default: break
  }
  switch opcode {
  case .ldf8, .ldf8_s, .ldf8_a, .ldf8_sa, .ldf8_c_clr, .ldf8_c_nc, .ldf8_r, .ldf8_s_r, .ldf8_a_r, .ldf8_sa_r,
    .ldf8_c_clr_r, .ldf8_c_nc_r, .ldf8_i, .ldf8_s_i, .ldf8_a_i, .ldf8_sa_i, .ldf8_c_clr_i, .ldf8_c_nc_i, .stf8,
    .stf8_i:
    return .integer
  default:
    return .double
  }
}

/// ISR bits of a load that did not get as far as memory.
private func loadISR(_ recipe: Recipe) -> UInt64 {
  recipe.completers.contains(.speculative) ? ISR.r | ISR.sp : ISR.r
}

private func loadFloat(
  _ cpu: CPU, _ address: UInt64, _ format: FloatFormat, _ flags: UInt32, _ result: inout RegisterFloat
) -> Status {
  var low: UInt64 = 0, high: UInt64 = 0
  let status: Status
  switch format {
  case .single:
    status = cpu.load(address, size: 4, flags: flags, &low)
    result = RegisterFloat(single: UInt32(truncatingIfNeeded: low))
  case .double:
    status = cpu.load(address, size: 8, flags: flags, &low)
    result = RegisterFloat(double: low)
  case .integer:
    status = cpu.load(address, size: 8, flags: flags, &low)
    result = RegisterFloat(integer: low)
  case .extended:
    status = loadExtended(cpu, address, flags, &low, &high)
    result = RegisterFloat(extendedSignificand: low, signExponent: UInt16(truncatingIfNeeded: high))
  case .spill:
    status = loadSpill(cpu, address, flags, &low, &high)
    result = RegisterFloat(spillLow: low, spillHigh: high)
  }
  return status
}

@inline(never)
func executeFloatLoad(_ cpu: CPU, _ code: Code, _ recipe: Recipe) -> Status {
  let target = code.r1, update = recipe.baseUpdate
  if target < 2 || (update != .none && cpu.isIllegalTarget(code.r3)) { return cpu.illegalOperation() }
  if cpu.isDisabledFR(target) { return disabledFP(cpu, target, isr: loadISR(recipe)) }
  let address = cpu.readGR(code.r3)
  let nat = cpu.readNaT(code.r3), speculative = recipe.completers.contains(.speculative)
  let table = ALATUse(cpu, recipe, float: target)
  if nat || speculative && cpu.forcesDeferral {
    if !speculative { return natConsumption(cpu, ISR.r) }
    table.loaded(cpu, address, size: nil)
    updateBase(cpu, code, update, address, nat: nat)
    cpu.writeFloat(target, .natVal)
    return .done
  }
  if table.hits(cpu) {
    updateBase(cpu, code, update, address, nat: false)
    return .done
  }
  var value = RegisterFloat.natVal
  let format = floatFormat(code.pointee.opcode, recipe)
  let status = loadFloat(cpu, address, format, accessFlags(recipe.completers), &value)
  if status == .deferred {
    value = speculative ? .natVal : .zero
  } else if status != .done {
    return status
  }
  table.loaded(cpu, address, size: status == .deferred ? nil : recipe.size)
  updateBase(cpu, code, update, address, nat: false)
  cpu.writeFloat(target, value)
  return .done
}

@inline(never)
func executeFloatLoadPair(_ cpu: CPU, _ code: Code, _ recipe: Recipe) -> Status {
  let first = code.r1, second = code.r2, updates = recipe.baseUpdate != .none
  // Both targets must be of different parity (SDM vol. 3, ldfp): an odd and an even physical register.
  if first < 2 || second < 2 || (cpu.physicalFR(first) ^ cpu.physicalFR(second)) & 1 == 0
    || (updates && cpu.isIllegalTarget(code.r3)) { return cpu.illegalOperation() }
  if cpu.isDisabledFR(first) || cpu.isDisabledFR(second) {
    let halves = [first, second].filter { cpu.isDisabledFR($0) }
    return cpu.disabledFP(
      low: halves.contains { $0 < 32 }, high: halves.contains { $0 >= 32 }, isr: loadISR(recipe))
  }
  let address = cpu.readGR(code.r3)
  let nat = cpu.readNaT(code.r3), speculative = recipe.completers.contains(.speculative)
  if nat && !speculative { return natConsumption(cpu, ISR.r) }
  // The first register stands for the pair.
  let table = ALATUse(cpu, recipe, float: first)
  if table.hits(cpu) {
    if updates { cpu.writeGR(code.r3, address &+ UInt64(recipe.size)) }
    return .done
  }
  var low: UInt64 = 0, high: UInt64 = 0
  var status = Status.deferred
  let single = recipe.size == 8
  if !nat && !(speculative && cpu.forcesDeferral) {
    status = single
      ? cpu.load(address, size: 8, flags: accessFlags(recipe.completers), &low)
      : loadSpill(cpu, address, accessFlags(recipe.completers), &low, &high)
  }
  if status != .done && status != .deferred { return status }
  table.loaded(cpu, address, size: status == .deferred ? nil : recipe.size)
  if status == .deferred {
    cpu.writeFloat(first, speculative ? .natVal : .zero)
    cpu.writeFloat(second, speculative ? .natVal : .zero)
  } else {
    writePair(cpu, code, single: single, low, high)
  }
  if updates { cpu.writeGR(code.r3, address &+ UInt64(recipe.size), nat: nat) }
  return .done
}

private func writePair(_ cpu: CPU, _ code: Code, single: Bool, _ low: UInt64, _ high: UInt64) {
  if single {
    // In big-endian memory the first single stands in the upper half of the value that an 8-byte access gives.
    let swapped = cpu.pointee.psr & PSR.be != 0
    let one = UInt32(truncatingIfNeeded: swapped ? low >> 32 : low)
    let two = UInt32(truncatingIfNeeded: swapped ? low : low >> 32)
    cpu.writeFloat(code.r1, RegisterFloat(single: one))
    cpu.writeFloat(code.r2, RegisterFloat(single: two))
    return
  }
  let one = cpu.pointee.psr & PSR.be != 0 ? high : low
  let two = cpu.pointee.psr & PSR.be != 0 ? low : high
  switch code.pointee.opcode {
  case .ldfp8, .ldfp8_s, .ldfp8_a, .ldfp8_sa, .ldfp8_c_clr, .ldfp8_c_nc, .ldfp8_i, .ldfp8_s_i, .ldfp8_a_i,
    .ldfp8_sa_i, .ldfp8_c_clr_i, .ldfp8_c_nc_i:
    cpu.writeFloat(code.r1, RegisterFloat(integer: one))
    cpu.writeFloat(code.r2, RegisterFloat(integer: two))
  default:
    cpu.writeFloat(code.r1, RegisterFloat(double: one))
    cpu.writeFloat(code.r2, RegisterFloat(double: two))
  }
}

@inline(never)
func executeFloatStore(_ cpu: CPU, _ code: Code, _ recipe: Recipe) -> Status {
  let update = recipe.baseUpdate
  if update != .none && cpu.isIllegalTarget(code.r3) { return cpu.illegalOperation() }
  if cpu.isDisabledFR(code.r2) { return disabledFP(cpu, code.r2, isr: ISR.w) }
  let address = cpu.readGR(code.r3), value = cpu.readFloat(code.r2)
  let format = floatFormat(code.pointee.opcode, recipe)
  if cpu.readNaT(code.r3) || (format != .spill && value.isNaTVal) { return natConsumption(cpu, ISR.w) }
  let status: Status
  switch format {
  case .single: status = cpu.store(address, size: 4, UInt64(value.single))
  case .double: status = cpu.store(address, size: 8, value.double)
  case .integer: status = cpu.store(address, size: 8, value.significand)
  case .extended: status = storeExtended(cpu, address, value.significand, UInt64(value.extendedSignExponent))
  case .spill: status = storeSpill(cpu, address, value.significand, value.signExponent)
  }
  if status != .done { return status }
  updateBase(cpu, code, update, address, nat: false)
  return .done
}

// MARK: Lines

/// lfetch: nothing is prefetched; `.fault` has the faults of a load, and all forms update the base.
@inline(never)
func executeLineFetch(_ cpu: CPU, _ code: Code, _ recipe: Recipe) -> Status {
  let update = recipe.baseUpdate
  if update != .none && cpu.isIllegalTarget(code.r3) { return cpu.illegalOperation() }
  let address = cpu.readGR(code.r3), nat = cpu.readNaT(code.r3)
  if recipe.completers.contains(.faulting) && !cpu.forcesDeferral {
    if nat { return natConsumption(cpu, ISR.r | ISR.na | NonAccess.lfetch) }
    let status = cpu.probeFault(address, .read, level: cpu.cpl, code: NonAccess.lfetch)
    if status != .done { return status }
  }
  updateBase(cpu, code, update, address, nat: nat)
  return .done
}
