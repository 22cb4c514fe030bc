// Bound call sites (kittson_paravirt.h): a call through the operation table, a direct call, or the operation's own IR in
// place of the call. Only Kittson's native bodies have IR; it does what Paravirt's NativeOperations do, whose comments
// cite the manual, and is given up for a call where an argument would have to be known and is not.
import CSupport
import IA64
import Machine

extension Frontend {
  mutating func lowerSite(_ site: UnsafeMutablePointer<kt_site>) {
    let number = site - sites!.pointee.site
    let end = site.pointee.end
    let operation = Int(site.pointee.operation)
    builder.issued += Int32(KT_SITE_SLOTS)
    let after = builder.makeExit(.resume, to: end)
    builder.issued -= Int32(KT_SITE_SLOTS)
    if site.pointee.dispatch == UInt8(KT_DISPATCH_INLINED.rawValue),
      kt_operation_slots(sites!)[operation].native != 0, builder.block.mode & Mode.cpl == 0,
      lowerInlined(site.pointee, after) {
      if operation == plantedOperation { builder.put(8, builder.xorImmediate(gr(8), 1)) }
      return
    }
    _ = builder.emit(.callSite, imm: Int64(number) | after << 32)
    builder.forgetState()
    switch operation {
    case Int(KT_OP_SETREG.rawValue), Int(KT_OP_SET_RR.rawValue), Int(KT_OP_SET_RR0_TO_RR4.rawValue),
      Int(KT_OP_PTCGA.rawValue):
      // Translations, or the psr bits of the block's key, may be others now.
      _ = builder.emit(.exitAlways, imm: after)
      ended = true
      bundle = end &- 16
      slot = 2
    default: break
    }
  }

  private mutating func state(_ offset: Int32) -> Int32 { builder.emit(.loadState, imm: Int64(offset)) }

  private mutating func regionRegister(_ address: Int32) -> Int32 {
    if let known = builder.known(address) {
      return state(StateOffset.rr + Int32(UInt64(bitPattern: known) >> 61) * 8)
    }
    return builder.emit(.loadStateIndexed, builder.shift(.shiftRight, address, 61), imm: Int64(StateOffset.rr))
  }

  private mutating func setResult(_ value: Int32) { builder.put(8, value) }

  /// The operation's own IR; false where it has none here.
  private mutating func lowerInlined(_ site: kt_site, _ after: Int64) -> Bool {
    // Records of getreg and setreg name the register in the low bits of their type.
    let named = Int64(site.type & 0xfff_ffff)
    switch UInt32(site.operation) {
    case KT_OP_GET_RR.rawValue: setResult(regionRegister(gr(8)))
    case KT_OP_THASH.rawValue: lowerHash()
    case KT_OP_GET_PSR_I.rawValue:
      setResult(builder.andImmediate(state(StateOffset.psr), Int64(PSR.i)))
    case KT_OP_GETREG.rawValue: return lowerGetRegister(named)
    case KT_OP_SETREG.rawValue: return lowerSetRegister(named)
    case KT_OP_GET_CPUID.rawValue: setResult(indexed(StateOffset.cpuid, last: 4))
    case KT_OP_GET_PMD.rawValue: setResult(indexed(StateOffset.pmd, last: 31))
    case KT_OP_SET_RR.rawValue:
      // What is there already needs nothing; a change is the call's, with its checks and purges.
      leaveUnless(builder.compare(.equal, regionRegister(gr(8)), gr(9), size: 8))
    case KT_OP_SSM_I.rawValue:
      setPSR(builder.orImmediate(state(StateOffset.psr), Int64(PSR.i)))
      leaveIfInterruptWaits(after)
    case KT_OP_RSM_I.rawValue:
      setPSR(builder.andImmediate(state(StateOffset.psr), ~Int64(PSR.i)))
    case KT_OP_INTRIN_LOCAL_IRQ_RESTORE.rawValue:
      let old = state(StateOffset.psr)
      let on = builder.orImmediate(old, Int64(PSR.i)), off = builder.andImmediate(old, ~Int64(PSR.i))
      let wanted = builder.compare(.notEqual, gr(8), builder.constant(Int64(0)), size: 8)
      setPSR(builder.select(wanted, on, off))
      leaveIfInterruptWaits(after)
    default: return false
    }
    return true
  }

  /// Register r8 of a file of 8-byte registers; beyond the last the call decides.
  private mutating func indexed(_ file: Int32, last: Int64) -> Int32 {
    let index = gr(8)
    if let known = builder.known(index), known >= 0, known <= last { return state(file + Int32(known) * 8) }
    leaveUnless(builder.compare(.belowEqual, index, builder.constant(last), size: 8))
    return builder.emit(.loadStateIndexed, index, imm: Int64(file))
  }

  /// Where the condition does not hold the operation is called instead, through the interpreter.
  private mutating func leaveUnless(_ condition: Int32) {
    _ = builder.emit(.exitUnless, condition, imm: builder.makeExit(.interpret, to: here))
  }

  private mutating func setPSR(_ value: Int32) {
    _ = builder.emit(.storeState, value, imm: Int64(StateOffset.psr))
  }

  /// psr.i may have been set: an interrupt that waits is taken right behind the site.
  private mutating func leaveIfInterruptWaits(_ after: Int64) {
    _ = builder.emit(.exitIf, builder.emit(.loadStateByte, imm: Int64(StateOffset.interruptReady)), imm: after)
  }

  private mutating func lowerHash() {
    let address = gr(8)
    let pta = state(StateOffset.pta)
    // The long format goes to the call: the interpreter's step makes it.
    _ = builder.emit(
      .exitIf, builder.testBit(pta, 8, set: true), imm: builder.makeExit(.interpret, to: here))
    let pageShift = builder.andImmediate(builder.shift(.shiftRight, regionRegister(address), 2), 63)
    let offset = builder.andImmediate(address, 0x1fff_ffff_ffff_ffff)
    let page = builder.emit(.shiftRightVariable, offset, pageShift, size: 1)
    let one = builder.constant(Int64(1))
    let size = builder.andImmediate(builder.shift(.shiftRight, pta, 2), 63)
    let mask = builder.addImmediate(builder.emit(.shiftLeftVariable, one, size, size: 1), -1)
    let entry = builder.and(builder.shift(.shiftLeft, page, 3), mask)
    let base = builder.andComplement(builder.andImmediate(pta, ~0x7fff), mask)
    let low = builder.andImmediate(builder.or(base, entry), 0x1fff_ffff_ffff_ffff)
    let region = builder.shift(.shiftLeft, builder.shift(.shiftRight, address, 61), 61)
    setResult(builder.or(region, low))
  }

  /// Linux's register numbers (_IA64_REG_…).
  private mutating func lowerGetRegister(_ register: Int64) -> Bool {
    guard isInlinedGet(register), passes(register, in: 8) else { return false }
    switch register {
    case 1019:
      setResult(builder.andImmediate(state(StateOffset.psr), Int64(0xffff_ffff | PSR.mc | PSR.it)))
    case 1025: setResult(gr(1))
    case 1036: setResult(gr(12))
    case 1037: setResult(gr(13))
    case 3072...3079: setResult(state(StateOffset.kr + Int32(register - 3072) * 8))
    default: setResult(state(StateOffset.plainControlRegister(Int(register) - 4096)!))
    }
    return true
  }

  private func isInlinedGet(_ register: Int64) -> Bool {
    switch register {
    case 1019, 1025, 1036, 1037, 3072...3079: true
    default: StateOffset.plainControlRegister(Int(register) - 4096) != nil
    }
  }

  /// The record and the register number that the call passes agree in what Linux's macros emit; where they do not, the
  /// call decides. False: they are known to differ.
  private mutating func passes(_ register: Int64, in number: UInt8) -> Bool {
    let passed = gr(number)
    if let known = builder.known(passed) { return known == register }
    leaveUnless(builder.compare(.equal, passed, builder.constant(register), size: 8))
    return true
  }

  private mutating func lowerSetRegister(_ register: Int64) -> Bool {
    guard register >= 3072, register < 3080, passes(register, in: 9) else { return false }
    _ = builder.emit(.storeState, gr(8), imm: Int64(StateOffset.kr) + (register - 3072) * 8)
    return true
  }
}
