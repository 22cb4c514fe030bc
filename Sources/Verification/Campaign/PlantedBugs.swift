// Wrong semantics on purpose, one rule each: what a campaign is tried with, to see that it finds such things and how
// soon (Documentation/differential-testing.md). The subject is the interpreter with one of them around its
// instructions (PlantedEngine), the reference the interpreter as it is.
import CSupport
import IA64
import Machine

package struct PlantedBug: Sendable {
  package var name: String
  /// What is wrong, in words.
  package var meaning: String
  let planted: Around

  typealias Around = @Sendable (CPU, Instruction, () -> Status) -> Status

  init(_ name: String, _ meaning: String, _ around: @escaping Around) {
    (self.name, self.meaning, planted) = (name, meaning, around)
  }

  /// The interpreter with the bug.
  package func engine(_ machine: Machine) -> any Engine { PlantedEngine(machine, around: planted) }

  package static let all = integer + comparisons + nats + memory + floatingPoint + branches + system
}

// MARK: Shapes of bugs

private typealias Around = PlantedBug.Around

/// Around instructions of `opcodes` whose predicate is on.
private func around(
  _ opcodes: [Opcode], _ body: @escaping @Sendable (CPU, Instruction, () -> Status) -> Status
) -> Around {
  { cpu, i, execute in
    opcodes.contains(i.opcode) && cpu.readPR(Int(i.qp)) ? body(cpu, i, execute) : execute()
  }
}

/// Behind instructions of `opcodes` that were executed and completed.
private func after(_ opcodes: [Opcode], _ change: @escaping @Sendable (CPU, Instruction) -> Void) -> Around {
  around(opcodes) { cpu, i, execute in
    let status = execute()
    if status == .done || status == .branched { change(cpu, i) }
    return status
  }
}

/// Another value in r1, from it and what stood in r2 and r3 before. NaTs stay.
private func result(
  _ opcodes: [Opcode],
  _ value: @escaping @Sendable (_ i: Instruction, _ was: UInt64, _ r2: UInt64, _ r3: UInt64) -> UInt64
) -> Around {
  around(opcodes) { cpu, i, execute in
    let r2 = cpu.readGR(Int(i.r2)), r3 = cpu.readGR(Int(i.r3))
    let status = execute()
    if status == .done && !cpu.readNaT(Int(i.r1)) { cpu.writeGR(Int(i.r1), value(i, cpu.readGR(Int(i.r1)), r2, r3)) }
    return status
  }
}

/// The targets of a comparison stay as they were where `isWrong` says so before it.
private func keepingTargets(_ isWrong: @escaping @Sendable (CPU, Instruction) -> Bool) -> Around {
  { cpu, i, execute in
    let wrong = isWrong(cpu, i), targets = (cpu.readPR(Int(i.p1)), cpu.readPR(Int(i.p2)))
    let status = execute()
    if wrong && status == .done {
      cpu.writePR(Int(i.p1), targets.0)
      cpu.writePR(Int(i.p2), targets.1)
    }
    return status
  }
}

/// Other targets of a comparison where `isWrong` says so of r2 and r3.
private func compared(
  _ opcodes: [Opcode], _ p1: Bool?, _ p2: Bool?,
  where isWrong: @escaping @Sendable (_ i: Instruction, _ r2: UInt64, _ r3: UInt64) -> Bool
) -> Around {
  around(opcodes) { cpu, i, execute in
    let wrong = isWrong(i, cpu.readGR(Int(i.r2)), cpu.readGR(Int(i.r3)))
      && !cpu.readNaT(Int(i.r2)) && !cpu.readNaT(Int(i.r3))
    let status = execute()
    if status == .done && wrong {
      cpu.writePR(Int(i.p1), p1 ?? !cpu.readPR(Int(i.p1)))
      cpu.writePR(Int(i.p2), p2 ?? !cpu.readPR(Int(i.p2)))
    }
    return status
  }
}

/// With ar.fpsr changed for the time of the instruction; of what it leaves, the bits of `mask` are put back.
private func withStatus(
  _ opcodes: [Opcode], _ change: @escaping @Sendable (_ fpsr: UInt64, _ shift: UInt64) -> UInt64
) -> Around {
  around(opcodes) { cpu, i, execute in
    let before = cpu.pointee.ar_fpsr
    let changed = change(before, 6 + 13 * UInt64(i.statusField))
    cpu.pointee.ar_fpsr = changed
    let status = execute()
    cpu.pointee.ar_fpsr ^= before ^ changed
    return status
  }
}

/// Behind every instruction that ended in an interruption.
private func interrupted(_ change: @escaping @Sendable (CPU) -> Void) -> Around {
  { cpu, _, execute in
    let status = execute()
    if status == .interrupted { change(cpu) }
    return status
  }
}

/// Goes on behind the instruction without having executed it.
private func skip(_ cpu: CPU, _ i: Instruction) -> Status {
  cpu.pointee.budget -= 1
  if cpu.pointee.ri == 2 || i.flags.contains(.long) {
    cpu.pointee.ip &+= 16
    cpu.pointee.ri = 0
  } else {
    cpu.pointee.ri += 1
  }
  return .done
}

private func clearNaT(_ cpu: CPU, _ n: UInt8) { cpu.writeGR(Int(n), cpu.readGR(Int(n))) }

private func changeFloat(
  _ opcodes: [Opcode], _ change: @escaping @Sendable (inout kt_fr, Instruction) -> Void
) -> Around {
  after(opcodes) { cpu, i in
    var value = cpu.readFR(Int(i.f1))
    change(&value, i)
    cpu.floats[cpu.physicalFR(Int(i.f1))] = value
  }
}

private func opcodes(_ first: Opcode, _ last: Opcode) -> [Opcode] {
  (first.index...last.index).map { Opcode(unchecked: UInt16($0)) }
}

private let additions: [Opcode] = [.add, .add_1, .sub, .adds, .addl, .and, .or, .xor, .shladd]
private let loads = opcodes(.ld1, .ld8) + opcodes(.ld1_r, .ld8_r) + opcodes(.ld1_i, .ld8_i)
private let stores = opcodes(.st1, .st8) + opcodes(.st1_i, .st8_i)
private let multiplyAdds: [Opcode] = [.fma, .fma_s, .fma_d, .fms, .fms_s, .fms_d, .fnma, .fnma_s, .fnma_d]
private let calls: [Opcode] = [.br_call, .br_call_indirect, .brl_call]

// MARK: Integers

extension PlantedBug {
  fileprivate static let integer: [PlantedBug] = [
    PlantedBug("add-carry", "add loses the carry into bit 32", result([.add]) { _, _, a, b in
      ((a >> 32 &+ b >> 32) << 32) | (a &+ b) & 0xffff_ffff
    }),
    PlantedBug("sub-one", "sub r1=r2,r3,1 subtracts no 1", result([.sub_1]) { _, was, _, _ in was &+ 1 }),
    PlantedBug("shladd-four", "shladd by 4 shifts by 3", result([.shladd]) { i, was, a, b in
      i.count == 4 ? a << 3 &+ b : was
    }),
    PlantedBug("shl-wraps", "shl takes the count modulo 64", result([.shl]) { _, was, a, b in
      b > 63 ? a << (b & 63) : was
    }),
    PlantedBug("shr-far", "shr by 64 and more gives 0", result([.shr]) { _, was, a, _ in a > 63 ? 0 : was }),
    PlantedBug("extr-sign", "extr does not extend the sign", result([.extr]) { i, was, _, _ in
      i.len < 64 ? was & (1 << UInt64(i.len) - 1) : was
    }),
    PlantedBug("dep-length", "dep.z loses the field's top bit", result([.dep_z]) { i, was, _, _ in
      Int(i.pos) + Int(i.len) <= 64 ? was & ~(1 << (UInt64(i.pos) + UInt64(i.len) - 1)) : was
    }),
    PlantedBug("shrp-low", "shrp takes nothing of its upper operand", result([.shrp]) { i, _, _, b in
      b >> UInt64(i.count)
    }),
    PlantedBug("sxt1-zero", "sxt1 extends by zeros", result([.sxt1]) { _, was, _, _ in was & 0xff }),
    PlantedBug("zxt4-sign", "zxt4 extends the sign", result([.zxt4]) { _, was, _, _ in
      UInt64(bitPattern: Int64(Int32(truncatingIfNeeded: was)))
    }),
    PlantedBug("popcnt-top", "popcnt leaves bit 63 out", result([.popcnt]) { _, was, _, a in was - a >> 63 }),
    PlantedBug("addp4-region", "addp4 leaves the region number out", result([.addp4, .addp4_imm]) { _, was, _, _ in
      was & ~(3 << 61)
    }),
    PlantedBug("mux1-top", "mux1 leaves the top byte 0", result([.mux1]) { _, was, _, _ in was & ~0 >> 8 }),
    PlantedBug("padd1-saturation", "padd1.uuu gives 0 where it saturates", result([.padd1_uuu]) { _, was, _, _ in
      (0..<8 as Range<UInt64>).reduce(0) { sum, n in was >> (8 * n) & 0xff == 0xff ? sum : sum | was & 0xff << (8 * n) }
    }),
    PlantedBug("pshr2-logical", "pshr2 by an immediate shifts zeros in", result([.pshr2_imm]) { i, was, _, _ in
      i.count == 0 ? was : was & 0x7fff_7fff_7fff_7fff
    }),
    PlantedBug("pmpyshr2-rounds", "pmpyshr2 rounds up", result([.pmpyshr2]) { _, was, _, _ in was &+ 1 }),
    PlantedBug("czx1-none", "czx1.r gives 7 where no byte is 0", result([.czx1_r]) { _, was, _, _ in min(was, 7) }),
  ]

  // MARK: Comparisons and predicates

  fileprivate static let comparisons: [PlantedBug] = [
    PlantedBug("cmp-unsigned", "cmp.lt compares without signs", compared([.cmp_lt], nil, nil) { _, a, b in
      (a ^ b) >> 63 != 0
    }),
    PlantedBug("cmp4-wide", "cmp4.eq compares 64 bits", compared([.cmp4_eq], false, true) { _, a, b in
      a != b && UInt32(truncatingIfNeeded: a) == UInt32(truncatingIfNeeded: b)
    }),
    PlantedBug("cmp-or", "cmp.eq.or sets its first target in any case", compared([.cmp_eq_or], true, true) { _, _, _ in
      true
    }),
    PlantedBug("cmp-unc-off", "cmp.unc with its predicate off leaves the targets", keepingTargets { cpu, i in
      [.cmp_eq_unc, .cmp_lt_unc, .cmp_ltu_unc].contains(i.opcode) && !cpu.readPR(Int(i.qp))
    }),
    PlantedBug("tbit-position", "tbit looks at the next bit", compared([.tbit_z], nil, nil) { i, _, a in
      let pos = UInt64(i.pos)
      return (a >> pos ^ a >> ((pos + 1) & 63)) & 1 != 0
    }),
    PlantedBug("mov-pr-mask", "mov pr writes what its mask leaves out", around([.mov_to_pr]) { cpu, i, execute in
      let value = cpu.readGR(Int(i.r2))
      let status = execute()
      if status == .done { cpu.setPredicates(value, mask: ~0) }
      return status
    }),
    PlantedBug("mov-pr-rot", "mov pr.rot leaves p16", around([.mov_to_pr_rot]) { cpu, _, execute in
      let old = cpu.predicates[16]
      defer { cpu.predicates[16] = old }
      return execute()
    }),
  ]

  // MARK: NaTs

  fileprivate static let nats: [PlantedBug] = [
    PlantedBug("nat-dropped", "integer results drop the NaT of a source", after(additions) { cpu, i in
      clearNaT(cpu, i.r1)
    }),
    PlantedBug("nat-kept", "a load leaves its target's NaT", around(loads) { cpu, i, execute in
      let was = cpu.readNaT(Int(i.r1))
      let status = execute()
      if was && status == .done { cpu.setNaT(Int(i.r1)) }
      return status
    }),
    PlantedBug("nat-compared", "a comparison of a NaT leaves its targets", keepingTargets { cpu, i in
      [.cmp_eq, .cmp_lt, .cmp4_eq].contains(i.opcode) && cpu.readPR(Int(i.qp))
        && (cpu.readNaT(Int(i.r2)) || cpu.readNaT(Int(i.r3)))
    }),
    PlantedBug("fill-nat", "ld8.fill brings no NaT", after([.ld8_fill, .ld8_fill_r, .ld8_fill_i]) { cpu, i in
      clearNaT(cpu, i.r1)
    }),
    PlantedBug("spill-unat", "st8.spill leaves ar.unat", around([.st8_spill, .st8_spill_i]) { cpu, _, execute in
      let old = cpu.pointee.ar_unat
      defer { cpu.pointee.ar_unat = old }
      return execute()
    }),
    PlantedBug("tnat-never", "tnat finds no NaT", around([.tnat_z, .tnat_z_unc]) { cpu, i, execute in
      let isNaT = cpu.readNaT(Int(i.r3))
      let status = execute()
      if isNaT && status == .done {
        cpu.writePR(Int(i.p1), true)
        cpu.writePR(Int(i.p2), false)
      }
      return status
    }),
    PlantedBug("chk-never", "chk.s never branches", around([.chk_s_i, .chk_s_m]) { cpu, i, execute in
      cpu.readNaT(Int(i.r2)) ? skip(cpu, i) : execute()
    }),
    PlantedBug("nat-stored", "a NaT is stored without a fault", around(stores) { cpu, i, execute in
      let isNaT = cpu.readNaT(Int(i.r2))
      if isNaT { clearNaT(cpu, i.r2) }
      let status = execute()
      if isNaT && status == .done { cpu.setNaT(Int(i.r2)) }
      return status
    }),
    PlantedBug("speculation-zero", "a deferred ld.s leaves no NaT", after(opcodes(.ld1_s, .ld8_s)) { cpu, i in
      clearNaT(cpu, i.r1)
    }),
    PlantedBug("getf-natval", "getf.sig of NaTVal gives no NaT", after([.getf_sig]) { cpu, i in clearNaT(cpu, i.r1) }),
    PlantedBug("setf-nat", "setf.sig of a NaT gives a number", around([.setf_sig]) { cpu, i, execute in
      let isNaT = cpu.readNaT(Int(i.r2))
      let status = execute()
      if isNaT && status == .done { cpu.writeFR(Int(i.f1), kt_fr(significand: 0, sign_exponent: 0x1003e)) }
      return status
    }),
    PlantedBug("bank-nat", "bsw drops NaTs of the bank", after([.bsw_0, .bsw_1]) { cpu, _ in
      for n in 16..<32 { cpu.staticNaT[n] = 0 }
    }),
  ]

  // MARK: Memory

  fileprivate static let memory: [PlantedBug] = [
    PlantedBug("store-lost", "st1 to an address that ends in 7 stores nothing", around([.st1]) { cpu, i, execute in
      cpu.readGR(Int(i.r3)) & 7 == 7 ? skip(cpu, i) : execute()
    }),
    PlantedBug("store-narrow", "st4 stores two bytes", around([.st4]) { cpu, i, execute in
      guard !cpu.readNaT(Int(i.r2)), !cpu.readNaT(Int(i.r3)) else { return execute() }
      let status = cpu.store(cpu.readGR(Int(i.r3)), size: 2, cpu.readGR(Int(i.r2)))
      return status == .done ? skip(cpu, i) : status
    }),
    PlantedBug("load-sign", "ld2 extends the sign", result([.ld2]) { _, was, _, _ in
      UInt64(bitPattern: Int64(Int16(truncatingIfNeeded: was)))
    }),
    PlantedBug("base-kept", "ld8 with an immediate update leaves its base", around([.ld8_i]) { cpu, i, execute in
      let base = cpu.readGR(Int(i.r3))
      let status = execute()
      if status == .done { cpu.writeGR(Int(i.r3), base) }
      return status
    }),
    PlantedBug("base-twice", "st8 updates its base twice", after([.st8_i]) { cpu, i in
      cpu.writeGR(Int(i.r3), cpu.readGR(Int(i.r3)) &+ UInt64(bitPattern: i.imm))
    }),
    PlantedBug("base-register", "ld4 with a register update adds 8 more", after([.ld4_r]) { cpu, i in
      cpu.writeGR(Int(i.r3), cpu.readGR(Int(i.r3)) &+ 8, nat: cpu.readNaT(Int(i.r3)))
    }),
    PlantedBug("byte-order", "ld2 takes no notice of psr.be", around([.ld2]) { cpu, i, execute in
      let isBig = cpu.pointee.psr & PSR.be != 0
      let status = execute()
      if isBig && status == .done {
        cpu.writeGR(Int(i.r1), UInt64(UInt16(truncatingIfNeeded: cpu.readGR(Int(i.r1))).byteSwapped))
      }
      return status
    }),
    PlantedBug("cmpxchg-result", "cmpxchg8 gives ar.ccv", after([.cmpxchg8_acq, .cmpxchg8_rel]) { cpu, i in
      cpu.writeGR(Int(i.r1), cpu.pointee.ar_ccv)
    }),
    PlantedBug("fetchadd-result", "fetchadd gives the new value", result([.fetchadd8_acq, .fetchadd8_rel]) {
      i, was, _, _ in
      was &+ UInt64(bitPattern: i.imm)
    }),
    PlantedBug("alignment", "an unaligned load does not fault under psr.ac", around(loads) { cpu, _, execute in
      let old = cpu.pointee.psr & PSR.ac
      cpu.pointee.psr &= ~PSR.ac
      let status = execute()
      if status == .done { cpu.pointee.psr |= old }
      return status
    }),
    PlantedBug("lfetch-update", "lfetch leaves its base", around([.lfetch_i, .lfetch_r]) { cpu, i, execute in
      let base = cpu.readGR(Int(i.r3))
      let status = execute()
      if status == .done && !cpu.readNaT(Int(i.r3)) { cpu.writeGR(Int(i.r3), base) }
      return status
    }),
    PlantedBug("probe-write", "probe.w says yes in any case", result([.probe_w, .probe_w_imm]) { _, _, _, _ in 1 }),
    PlantedBug("ldfp-order", "ldfps exchanges its targets", after([.ldfps, .ldfps_i]) { cpu, i in
      let a = cpu.physicalFR(Int(i.f1)), b = cpu.physicalFR(Int(i.f2))
      (cpu.floats[a], cpu.floats[b]) = (cpu.floats[b], cpu.floats[a])
    }),
    PlantedBug("ldfd-zero", "ldfd loses the sign of zero", changeFloat([.ldfd, .ldfd_i]) { value, _ in
      if value.significand == 0 { value.sign_exponent &= 0x1ffff }
    }),
  ]

  // MARK: Floating point

  fileprivate static let floatingPoint: [PlantedBug] = [
    PlantedBug("rounding-mode", "fma and the like round to nearest in any mode", withStatus(multiplyAdds) {
      fpsr, shift in
      fpsr & ~(0x30 << shift)
    }),
    PlantedBug("precision-control", "fma and the like take pc for 64 bits", withStatus(multiplyAdds) { fpsr, shift in
      fpsr | 0xc << shift
    }),
    PlantedBug("wide-range", "fma and the like take no notice of wre", withStatus(multiplyAdds) { fpsr, shift in
      fpsr & ~(2 << shift)
    }),
    PlantedBug("trap-disable", "fma and the like trap nothing", withStatus(multiplyAdds) { fpsr, _ in fpsr | 0x3f }),
    PlantedBug("inexact-flag", "fma and the like leave the inexact flag", around(multiplyAdds) { cpu, i, execute in
      let flag: UInt64 = 1 << (6 + 13 * UInt64(i.statusField) + 12), was = cpu.pointee.ar_fpsr & flag
      let status = execute()
      if status == .done { cpu.pointee.ar_fpsr = cpu.pointee.ar_fpsr & ~flag | was }
      return status
    }),
    PlantedBug("denormal-flag", "fma and the like leave the denormal flag", around(multiplyAdds) { cpu, i, execute in
      let flag: UInt64 = 1 << (6 + 13 * UInt64(i.statusField) + 8), was = cpu.pointee.ar_fpsr & flag
      let status = execute()
      if status == .done { cpu.pointee.ar_fpsr = cpu.pointee.ar_fpsr & ~flag | was }
      return status
    }),
    PlantedBug("last-bit", "fma.d is off by one unit in the last place", changeFloat([.fma_d]) { value, _ in
      if value.significand >> 63 == 1 && value.sign_exponent & 0x1ffff < 0x1ffff { value.significand ^= 1 << 11 }
    }),
    PlantedBug("fmerge-ns", "fmerge.ns does not negate", changeFloat([.fmerge_ns]) { value, _ in
      if value.sign_exponent != 0x1fffe || value.significand != 0 { value.sign_exponent ^= 1 << 17 }
    }),
    PlantedBug("fcvt-trunc", "fcvt.fx.trunc rounds away", changeFloat([.fcvt_fx_trunc]) { value, _ in
      if value.sign_exponent == 0x1003e { value.significand &+= 1 }
    }),
    PlantedBug("fcmp-zero", "fcmp.eq tells -0 from +0", around([.fcmp_eq]) { cpu, i, execute in
      let a = cpu.readFR(Int(i.f2)), b = cpu.readFR(Int(i.f3))
      let isIt = (a.sign_exponent ^ b.sign_exponent) == 1 << 17 && a.sign_exponent & 0x1ffff == 0
        && a.significand | b.significand == 0
      let status = execute()
      if isIt && status == .done {
        cpu.writePR(Int(i.p1), false)
        cpu.writePR(Int(i.p2), true)
      }
      return status
    }),
    PlantedBug("frcpa-off", "frcpa with its predicate off leaves p2", { cpu, i, execute in
      let isIt = i.opcode == .frcpa && !cpu.readPR(Int(i.qp)), was = cpu.readPR(Int(i.p2))
      let status = execute()
      if isIt && status == .done { cpu.writePR(Int(i.p2), was) }
      return status
    }),
    PlantedBug("xma-high", "xma.h is one too much where the addend is negative", around([.xma_h]) { cpu, i, execute in
      let isIt = cpu.readFR(Int(i.f2)).significand >> 63 != 0
      let status = execute()
      if isIt && status == .done, cpu.readFR(Int(i.f1)).sign_exponent == 0x1003e {
        cpu.floats[cpu.physicalFR(Int(i.f1))].significand &+= 1
      }
      return status
    }),
    PlantedBug("modified-high", "f32 and up leave psr.mfh", around(multiplyAdds) { cpu, i, execute in
      let was = cpu.pointee.psr & PSR.mfh
      let status = execute()
      if status == .done && i.f1 > 31 { cpu.pointee.psr = cpu.pointee.psr & ~PSR.mfh | was }
      return status
    }),
    PlantedBug("setf-exp", "setf.exp loses the exponent's top bit", changeFloat([.setf_exp]) { value, _ in
      value.sign_exponent &= 0x2ffff
    }),
  ]

  // MARK: Branches and frames

  fileprivate static let branches: [PlantedBug] = [
    PlantedBug("call-ec", "br.call saves no ar.ec", after(calls) { cpu, _ in cpu.pointee.ar_pfs &= ~(0x3f << 52) }),
    PlantedBug("call-level", "br.call saves no privilege level", after(calls) { cpu, _ in
      cpu.pointee.ar_pfs &= ~(3 << 62)
    }),
    PlantedBug("call-link", "br.call links to its own bundle", around([.br_call]) { cpu, i, execute in
      let status = execute()
      if status == .branched { cpu.branches[Int(i.b1)] &-= 16 }
      return status
    }),
    PlantedBug("return-ec", "br.ret leaves ar.ec", around([.br_ret]) { cpu, _, execute in
      let old = cpu.pointee.ar_ec
      let status = execute()
      if status == .branched { cpu.pointee.ar_ec = old }
      return status
    }),
    PlantedBug("cloop-end", "br.cloop counts below 0", around([.br_cloop]) { cpu, _, execute in
      let isEnd = cpu.pointee.ar_lc == 0
      let status = execute()
      if isEnd && status == .done { cpu.pointee.ar_lc = ~0 }
      return status
    }),
    PlantedBug("ctop-epilogue", "br.ctop has one epilogue stage too many", around([.br_ctop]) { cpu, _, execute in
      let isLast = cpu.pointee.ar_lc == 0 && cpu.pointee.ar_ec == 1
      let status = execute()
      if isLast && status == .done { cpu.pointee.ar_ec = 1 }
      return status
    }),
    PlantedBug("wtop-stage", "br.wtop starts a stage", around([.br_wtop]) { cpu, _, execute in
      let stage = cpu.physicalPR(63)
      let status = execute()
      if status == .done || status == .branched { cpu.predicates[stage] = 1 }
      return status
    }),
    PlantedBug("rotation-floats", "br.ctop does not rotate floating-point registers", around([.br_ctop]) {
      cpu, _, execute in
      let old = cpu.pointee.cfm & 0x7f << 25
      let status = execute()
      if status == .done || status == .branched { cpu.pointee.cfm = cpu.pointee.cfm & ~(0x7f << 25) | old }
      return status
    }),
    PlantedBug("clrrrb-predicates", "clrrrb leaves the predicates' rename base", around([.clrrrb]) { cpu, _, execute in
      let old = cpu.pointee.cfm & 0x3f << 32
      let status = execute()
      if status == .done { cpu.pointee.cfm |= old }
      return status
    }),
    PlantedBug("alloc-rotating", "alloc takes no rotating registers", after([.alloc]) { cpu, _ in
      if cpu.pointee.cfm >> 18 & 0x7f == 0 { cpu.pointee.cfm &= ~(0xf << 14) }
    }),
    PlantedBug("flushrs-rnat", "flushrs forgets collected NaT bits", after([.flushrs]) { cpu, _ in
      cpu.pointee.ar_rnat = 0
    }),
    PlantedBug("bsp-crossing", "ar.bsp is a word short behind a collection", result([.mov_from_ar_m]) { i, was, _, _ in
      i.r3 == 17 && was & 0x1f8 == 0 ? was &- 8 : was
    }),
    PlantedBug("rsc-mode", "a write of ar.rsc loses the mode", after([.mov_to_ar_m]) { cpu, i in
      if i.r3 == 16 { cpu.pointee.ar_rsc &= ~3 }
    }),
  ]

  // MARK: System state and interruptions

  fileprivate static let system: [PlantedBug] = [
    PlantedBug("rfi-slot", "rfi goes on at slot 0", after([.rfi]) { cpu, _ in cpu.pointee.ri = 0 }),
    PlantedBug("isr-slot", "cr.isr.ei says slot 0", interrupted { cpu in cpu.pointee.cr_isr &= ~(3 << 41) }),
    PlantedBug("ipsr-slot", "cr.ipsr.ri says slot 0", interrupted { cpu in cpu.pointee.cr_ipsr &= ~PSR.ri }),
    PlantedBug("ifa-aligned", "cr.ifa is a multiple of 8", interrupted { cpu in cpu.pointee.cr_ifa &= ~7 }),
    PlantedBug("iim-short", "cr.iim has 16 bits", interrupted { cpu in cpu.pointee.cr_iim &= 0xffff }),
    PlantedBug("itir-size", "cr.itir says pages of 4 KiB", interrupted { cpu in
      if cpu.pointee.cr_itir != 0 { cpu.pointee.cr_itir = cpu.pointee.cr_itir & ~0xfc | 12 << 2 }
    }),
    PlantedBug("tpa-page", "tpa gives the page alone", result([.tpa]) { _, was, _, _ in was & ~0xfff }),
    PlantedBug("thash-entry", "thash is an entry off", result([.thash]) { _, was, _, _ in was ^ 8 }),
    PlantedBug("purge-nothing", "ptc.l purges nothing", around([.ptc_l]) { cpu, i, execute in
      cpu.cpl == 0 && !cpu.readNaT(Int(i.r2)) && !cpu.readNaT(Int(i.r3)) ? skip(cpu, i) : execute()
    }),
    PlantedBug("timer-unset", "a write of cr.itm is lost", around([.mov_to_cr]) { cpu, i, execute in
      i.r3 == 1 && cpu.cpl == 0 && !cpu.readNaT(Int(i.r2)) ? skip(cpu, i) : execute()
    }),
    PlantedBug("eoi-lost", "a write of cr.eoi is lost", around([.mov_to_cr]) { cpu, i, execute in
      i.r3 == 67 && cpu.cpl == 0 && !cpu.readNaT(Int(i.r2)) ? skip(cpu, i) : execute()
    }),
    PlantedBug("region-lost", "a write of a region register is lost", around([.mov_to_rr]) { cpu, i, execute in
      cpu.cpl == 0 && !cpu.readNaT(Int(i.r2)) && !cpu.readNaT(Int(i.r3)) ? skip(cpu, i) : execute()
    }),
    PlantedBug("slots-long", "movl counts for two slots", after([.movl]) { cpu, _ in cpu.pointee.budget -= 1 }),
    PlantedBug("rum-modified", "rum leaves psr.mfl", around([.rum]) { cpu, _, execute in
      let was = cpu.pointee.psr & PSR.mfl
      let status = execute()
      if status == .done { cpu.pointee.psr |= was }
      return status
    }),
    PlantedBug("ivr-service", "mov from cr.ivr acknowledges nothing", around([.mov_from_cr]) { cpu, i, execute in
      guard i.r3 == 65 else { return execute() }
      let old = kt_in_service(cpu)[0]
      let status = execute()
      if status == .done { kt_in_service(cpu)[0] = old }
      return status
    }),
  ]
}

// MARK: The search

/// How soon a campaign found a bug.
package struct PlantedFinding: Sendable {
  package var name: String
  package var meaning: String
  /// Cases until the first that differs, that one included; nil: none did.
  package var cases: UInt64?
  /// Bundles that were left of it.
  package var bundles = 0
  /// Fields that differ.
  package var fields: [String] = []
}

extension PlantedBug {
  /// Runs the cases of `seeds` until one differs.
  package func search(_ seeds: SeedRange, _ settings: FuzzSettings) throws -> PlantedFinding {
    let pair = try DifferentialPair(reference: DifferentialPair.interpreter, subject: engine)
    var finding = PlantedFinding(name: name, meaning: meaning)
    for position in 0..<seeds.size {
      let fuzzCase = FuzzCase(seed: seeds.seed(position), settings)
      let differences = pair.run(fuzzCase.program, slots: fuzzCase.slots)
      if differences.isEmpty { continue }
      finding.cases = position + 1
      finding.fields = differences.prefix(4).map(\.name)
      var shrinker = Shrinker(pair)
      finding.bundles = shrinker.shrink(fuzzCase).program.workingBundles
      return finding
    }
    return finding
  }
}
