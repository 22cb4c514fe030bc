// Bound call sites (kittson_paravirt.h): a call through the operation table, a direct call, or the operation's own IR in
// place of the call. Only Kittson's native bodies have IR: that of the native instruction (SystemLowering), with the
// arguments where the register ABI has them. What it leaves to the interpreter is there the call.
import CSupport
import IA64
import Machine

extension Frontend {
  mutating func lowerSite(_ site: UnsafeMutablePointer<kt_site>) {
    let number = site - sites!.pointee.site
    let operation = Int(site.pointee.operation)
    builder.predicate = -1
    if countsCalls { uncounted = Int64(Int(bitPattern: site) + MemoryLayout<kt_site>.offset(of: \.calls)!) }
    defer { uncounted = 0 }
    let inlined = site.pointee.dispatch == UInt8(KT_DISPATCH_INLINED.rawValue)
      && kt_operation_slots(sites!)[operation].native != 0 && isPrivileged
    if inlined, mayInline(site.pointee) {
      _ = builder.emit(.siteBegins, imm: Int64(number))
      lowerInlined(site.pointee)
      if operation == plantedOperation { builder.put(8, builder.xorImmediate(gr(8), 1)) }
      count()
      _ = builder.emit(.siteEnds, imm: Int64(number))
      return
    }
    count()
    builder.issued += Int32(KT_SITE_SLOTS)
    let after = builder.makeExit(.resume, to: site.pointee.end)
    builder.issued -= Int32(KT_SITE_SLOTS)
    _ = builder.emit(.callSite, imm: Int64(number) | after << 32)
    builder.forgetState()
  }

  /// Counts the execution of the site at hand, once, where nothing can hand it to the interpreter any more.
  mutating func count() {
    if uncounted != 0 { _ = builder.emit(.countCall, imm: uncounted) }
    uncounted = 0
  }

  /// The record of a getreg or setreg names the register in the low bits of its type (Linux's _IA64_REG_…).
  private func named(_ site: kt_site) -> Int { Int(site.type & 0xfff_ffff) }

  /// Whether the site's operation has IR. A register number that the call is known to pass must be the record's.
  private func mayInline(_ site: kt_site) -> Bool {
    let register = named(site)
    switch UInt32(site.operation) {
    case KT_OP_GETREG.rawValue:
      switch register {
      case 1019, 1025, 1036, 1037, 3072...3079, 3072 + AR.itc: break
      default: guard ControlRegisterRow.canRead(register - 4096) else { return false }
      }
      return agrees(register, with: 8)
    case KT_OP_SETREG.rawValue:
      switch register {
      case 1019, 3072...3079: break
      default: guard ControlRegisterRow.canWrite(register - 4096) else { return false }
      }
      return agrees(register, with: 9)
    // With an ALAT there is always something to purge, and other processors may hold what this one does not.
    case KT_OP_PTCGA.rawValue: return cpu.map { $0.pointee.alat == nil && $0.machine.cpus.count == 1 } ?? true
    default: return true
    }
  }

  private func agrees(_ register: Int, with argument: Int) -> Bool {
    let value = builder.current[argument]
    guard value >= 0, let passed = builder.known(value) else { return true }
    return passed == Int64(register)
  }

  private mutating func lowerInlined(_ site: kt_site) {
    let behind = Behind(slots: Int32(KT_SITE_SLOTS), address: site.end)
    switch UInt32(site.operation) {
    case KT_OP_FC.rawValue: flushLine(gr(8))
    case KT_OP_THASH.rawValue: setResult(hashAddress(gr(8)))
    case KT_OP_GET_CPUID.rawValue: setResult(indexed(StateOffset.cpuid, gr(8), last: 4))
    case KT_OP_GET_PMD.rawValue: setResult(indexed(StateOffset.pmd, gr(8), last: 31))
    case KT_OP_PTCGA.rawValue: purgeNothing(gr(8), size: gr(9))
    case KT_OP_GETREG.rawValue: lowerGetRegister(named(site))
    case KT_OP_SETREG.rawValue: lowerSetRegister(named(site), behind)
    case KT_OP_GET_RR.rawValue: setResult(regionRegister(gr(8)))
    case KT_OP_SET_RR.rawValue: checkRegionRegister(gr(8), gr(9))
    case KT_OP_SET_RR0_TO_RR4.rawValue:
      for (region, argument) in [8, 9, 10, 11, 14].enumerated() {
        checkRegionRegister(builder.constant(Int64(bitPattern: UInt64(region) << 61)), gr(UInt8(argument)))
      }
    case KT_OP_SSM_I.rawValue: _ = setSystemMask(PSR.i, on: true, behind)
    case KT_OP_RSM_I.rawValue: _ = setSystemMask(PSR.i, on: false, behind)
    case KT_OP_GET_PSR_I.rawValue: setResult(builder.andImmediate(state(StateOffset.psr), Int64(PSR.i)))
    default: restoreInterrupts(behind)
    }
  }

  private mutating func setResult(_ value: Int32) { builder.put(8, value) }

  /// intrin_local_irq_restore: psr.i as r8 is not 0 or 0.
  private mutating func restoreInterrupts(_ behind: Behind) {
    let old = state(StateOffset.psr)
    let on = builder.orImmediate(old, Int64(PSR.i)), off = builder.andImmediate(old, ~Int64(PSR.i))
    let wanted = builder.compare(.notEqual, gr(8), builder.constant(Int64(0)), size: 8)
    _ = builder.emit(.storeState, builder.select(wanted, on, off), imm: Int64(StateOffset.psr))
    leaveIfInterruptWaits(behind)
  }

  /// The record and the register number that the call passes agree in what Linux's macros emit; where they do not, the
  /// call decides.
  private mutating func check(_ register: Int, in argument: UInt8) {
    leave(if: builder.compare(.notEqual, gr(argument), builder.constant(Int64(register)), size: 8))
  }

  private mutating func lowerGetRegister(_ register: Int) {
    check(register, in: 8)
    switch register {
    case 1019: setResult(statusRegister())
    case 1025: setResult(gr(1))
    case 1036: setResult(gr(12))
    case 1037: setResult(gr(13))
    case 3072...3079: setResult(state(StateOffset.kr + Int32(register - 3072) * 8))
    case 3072 + AR.itc: setResult(intervalTimeCounter(slots: Int32(KT_SITE_SLOTS)))
    default: setResult(controlRegister(register - 4096)!)
    }
  }

  private mutating func lowerSetRegister(_ register: Int, _ behind: Behind) {
    check(register, in: 9)
    switch register {
    case 1019: setStatusLow(gr(8), behind)
    case 3072...3079: setKernelRegister(Int32(register - 3072), gr(8))
    default: _ = setControlRegister(register - 4096, gr(8), slots: Int32(KT_SITE_SLOTS))
    }
  }
}
