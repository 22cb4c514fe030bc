// Interruptions (SDM vol. 2, chapters 5 and 8): the vectors, what each leaves in the interruption registers, delivery
// and return. In a Linux process nothing is delivered: the trap is noted and the platform acts as the kernel would.
import CSupport

/// Offsets in the interruption vector table (SDM vol. 2, table 8-1).
package enum Vector: UInt32, CaseIterable, Sendable {
  case vhptTranslation = 0x0000
  case instructionTLB = 0x0400
  case dataTLB = 0x0800
  case alternateInstructionTLB = 0x0c00
  case alternateDataTLB = 0x1000
  case dataNestedTLB = 0x1400
  case instructionKeyMiss = 0x1800
  case dataKeyMiss = 0x1c00
  case dirtyBit = 0x2000
  case instructionAccessBit = 0x2400
  case dataAccessBit = 0x2800
  case breakInstruction = 0x2c00
  case externalInterrupt = 0x3000
  case pageNotPresent = 0x5000
  case keyPermission = 0x5100
  case instructionAccessRights = 0x5200
  case dataAccessRights = 0x5300
  case generalException = 0x5400
  case disabledFP = 0x5500
  case naTConsumption = 0x5600
  case speculation = 0x5700
  case debug = 0x5900
  case unalignedReference = 0x5a00
  case unsupportedDataReference = 0x5b00
  case floatingPointFault = 0x5c00
  case floatingPointTrap = 0x5d00
  case lowerPrivilegeTransfer = 0x5e00
  case takenBranch = 0x5f00
  case singleStep = 0x6000
  case virtualization = 0x6100
}

/// Bits of the interruption status register above the code (SDM vol. 2, ISR fields, 3.3.4.5).
package enum ISR {
  package static let x: UInt64 = 1 << 32
  package static let w: UInt64 = 1 << 33
  package static let r: UInt64 = 1 << 34
  package static let na: UInt64 = 1 << 35
  package static let sp: UInt64 = 1 << 36
  package static let rs: UInt64 = 1 << 37
  package static let ir: UInt64 = 1 << 38
  package static let ni: UInt64 = 1 << 39
  package static let so: UInt64 = 1 << 40
  package static let eiShift: UInt64 = 41
  package static let ed: UInt64 = 1 << 43
}

/// ISR.code{3:0} of the instructions that refer to an address without an access (SDM vol. 2, table 5-1).
package enum NonAccess {
  package static let tpa: UInt64 = 0, fc: UInt64 = 1, probe: UInt64 = 2, tak: UInt64 = 3, lfetch: UInt64 = 4
  package static let probeFault: UInt64 = 5

  /// Flags of such a reference.
  static func flags(_ code: UInt64) -> UInt32 {
    UInt32(KT_ACCESS_NONE) | UInt32(truncatingIfNeeded: code) << UInt32(KT_ACCESS_CODE_SHIFT)
  }
  static func code(_ flags: UInt32) -> UInt64 { UInt64(flags >> UInt32(KT_ACCESS_CODE_SHIFT) & 15) }
}

/// Bits of the default control register (SDM vol. 2, 3.3.4.1).
package enum DCR {
  package static let pp: UInt64 = 1 << 0
  package static let be: UInt64 = 1 << 1
  package static let lc: UInt64 = 1 << 2
  package static let dm: UInt64 = 1 << 8
  package static let dp: UInt64 = 1 << 9
  package static let dk: UInt64 = 1 << 10
  package static let dx: UInt64 = 1 << 11
  package static let dr: UInt64 = 1 << 12
  package static let da: UInt64 = 1 << 13
  package static let dd: UInt64 = 1 << 14
}

extension UnsafeMutablePointer where Pointee == kt_cpu {
  // MARK: Delivery

  /// Delivers an interruption at `ip`/`ri`. `isr` without ei, ni, ir, which are added here; nil leaves a register as it is.
  @discardableResult
  package func interrupt(
    _ vector: Vector, isr: UInt64 = 0, ifa: UInt64? = nil, iim: UInt64? = nil, itir: UInt64? = nil
  ) -> Status {
    let collecting = pointee.psr & PSR.ic != 0
    var status = isr | UInt64(pointee.ri) << ISR.eiShift
    if pointee.frame_incomplete != 0 { status |= ISR.ir }
    if !collecting { status |= ISR.ni }
    if pointee.is_process != 0 {
      pointee.trap = kt_trap(
        vector: vector.rawValue, pending: 1, isr: status, ifa: ifa ?? 0, iim: iim ?? 0, itir: itir ?? 0, iha: 0)
      return stop(KT_STOP_PROCESS_TRAP, detail: Int64(vector.rawValue))
    }
    // A nested miss must not disturb what the handler it interrupts still needs (SDM vol. 2, 5.5).
    if vector != .dataNestedTLB { pointee.cr_isr = status }
    if collecting {
      pointee.cr_ipsr = pointee.psr | UInt64(pointee.ri) << PSR.riShift
      pointee.cr_iip = pointee.ip
      pointee.cr_iipa = pointee.ip
      pointee.cr_ifs = 0
      if let ifa { pointee.cr_ifa = ifa }
      if let iim { pointee.cr_iim = iim }
      if let itir { pointee.cr_itir = itir }
    }
    enterHandler(vector)
    if let observe = machine.onInterruption { observe(self, vector) }
    return .interrupted
  }

  private func enterHandler(_ vector: Vector) {
    let kept = PSR.up | PSR.mfl | PSR.mfh | PSR.pk | PSR.dt | PSR.rt | PSR.mc | PSR.it
    var psr = pointee.psr & kept
    if pointee.cr_dcr & DCR.be != 0 { psr |= PSR.be }
    if pointee.cr_dcr & DCR.pp != 0 { psr |= PSR.pp }
    pointee.frame_incomplete = 0
    setPSR(psr)
    pointee.ip = (pointee.cr_iva & ~0x7fff) &+ UInt64(vector.rawValue)
    pointee.ri = 0
  }

  /// Leaves the engine.
  @discardableResult
  package func stop(_ reason: kt_stop_reason, detail: Int64 = 0) -> Status {
    pointee.stop_reason = UInt32(reason.rawValue)
    pointee.stop_detail = detail
    return .stopped
  }

  /// Writes psr (without ri): switches banks, chooses the addressing mode, and has the engine look at what may interrupt.
  package func setPSR(_ new: UInt64) {
    let changed = pointee.psr ^ new
    pointee.psr = new
    if changed & PSR.bn != 0 { switchBanks() }
    if changed & (PSR.dt | PSR.it | PSR.cpl | PSR.be | PSR.db | PSR.pk | PSR.ia) != 0 {
      if changed & PSR.pk != 0 { flushSoftwareTLB() }
      updateAddressing()
      pointee.fetch_generation += 1
    }
    if changed & (PSR.i | PSR.ic | PSR.ss | PSR.tb | PSR.lp) != 0 { pointee.event_check = 1 }
  }

  private func switchBanks() {
    for index in 0..<16 {
      swap(&staticGR[16 + index], &kt_bank_gr(self)[index])
      swap(&staticNaT[16 + index], &kt_bank_nat(self)[index])
      if staticNaT[16 + index] != 0 { pointee.nat_live = 1 }
    }
  }

  /// `bsw.0`, `bsw.1`.
  package func setBank(_ bank: Int) { setPSR(bank == 0 ? pointee.psr & ~PSR.bn : pointee.psr | PSR.bn) }

  /// `rfi`: goes back to where cr.iip, cr.ipsr and cr.ifs say.
  package func returnFromInterruption() -> Status {
    let ipsr = pointee.cr_ipsr
    let ifs = pointee.cr_ifs
    setPSR(ipsr & ~PSR.ri & psrImplemented)
    pointee.ip = pointee.cr_iip & ~15
    pointee.ri = UInt32(ipsr >> PSR.riShift & 3)
    if ifs >> 63 != 0 { rseRestoreInterruptedFrame(ifs) }
    if pointee.bof < pointee.store_position { pointee.frame_incomplete = 1 }
    pointee.event_check = 1
    return .branched
  }

  private var psrImplemented: UInt64 {
    PSR.lowerHalf | PSR.cpl | PSR.`is` | PSR.mc | PSR.it | PSR.oneShot | PSR.bn
  }

  // MARK: Between instructions

  /// What an engine asks between two instructions while `event_check` is set: completes the frame, honours stop requests
  /// and takes a pending external interrupt.
  package func checkEvents() -> Status {
    pointee.event_check = 0
    if pointee.stop_reason != 0 { return .stopped }
    if pointee.stop_request != 0 { return stop(KT_STOP_REQUEST) }
    if pointee.psr & PSR.i != 0, pointee.interrupt_ready != 0 { return interrupt(.externalInterrupt) }
    if pointee.frame_incomplete != 0 {
      let status = rseCompleteFrame()
      if status != .done { return status }
    }
    return .done
  }

  // MARK: Faults of one instruction

  package func generalException(code: UInt64) -> Status { interrupt(.generalException, isr: code) }
  package func illegalOperation() -> Status { generalException(code: 0x00) }
  package func privilegedOperation() -> Status { generalException(code: 0x10) }
  package func privilegedRegister() -> Status { generalException(code: 0x20) }
  package func reservedRegisterField() -> Status { generalException(code: 0x30) }
  package func disabledTransition() -> Status { generalException(code: 0x40) }

  /// A NaT reached a consumer that can't carry it. `isr`: r, w, na, sp of the access, if it is one.
  package func registerNaTConsumption(isr: UInt64 = 0, code: UInt64 = 0) -> Status {
    interrupt(.naTConsumption, isr: isr | 0x10 | code)
  }
  /// `low`, `high`: which half of the floating-point registers is disabled and was touched. `isr`: r, w, sp of the
  /// access, if it is one.
  package func disabledFP(low: Bool, high: Bool, isr: UInt64 = 0) -> Status {
    interrupt(.disabledFP, isr: isr | (low ? 1 : 0) | (high ? 2 : 0))
  }
  package func breakInstruction(_ immediate: UInt64) -> Status {
    if let claims = machine.claimsBreak, claims(self, immediate) {
      return stop(KT_STOP_FIRMWARE, detail: Int64(bitPattern: immediate))
    }
    return interrupt(.breakInstruction, iim: immediate)
  }
  /// `code`: ISR.code as the floating-point operation gives it.
  package func floatingPointFault(code: UInt64) -> Status { interrupt(.floatingPointFault, isr: code) }
  package func floatingPointTrap(code: UInt64) -> Status { interrupt(.floatingPointTrap, isr: code) }

  // MARK: Faults of a reference

  func isr(_ wanted: Access, _ flags: UInt32) -> UInt64 {
    var isr: UInt64 = 0
    if wanted.contains(.write) { isr |= ISR.w }
    if wanted.contains(.read) { isr |= ISR.r }
    if flags & UInt32(KT_ACCESS_RSE) != 0 { isr |= ISR.rs }
    if flags & UInt32(KT_ACCESS_SPECULATIVE) != 0 { isr |= ISR.sp }
    if flags & UInt32(KT_ACCESS_NONE) != 0 {
      isr |= ISR.na | NonAccess.code(flags)
      if NonAccess.code(flags) == NonAccess.fc { isr |= ISR.r }
    }
    if flags & UInt32(KT_ACCESS_RSE) == 0, codePageDefers() { isr |= ISR.ed }
    return isr
  }

  /// cr.itir of a fault on `va`: the region's preferred page size and identifier.
  private func defaultITIR(_ va: UInt64) -> UInt64 {
    let rr = regionRegister(of: va)
    return rr & 0xfc | UInt64(RegionRegister.identifier(rr)) << 8
  }

  /// `described`: the address that cr.itir is about, where that is not `va`.
  func dataFault(_ vector: Vector, _ va: UInt64, _ wanted: Access, flags: UInt32, itirOf described: UInt64? = nil) {
    interrupt(vector, isr: isr(wanted, flags), ifa: va, itir: defaultITIR(described ?? va))
  }

  func unalignedReference(_ va: UInt64, _ wanted: Access, flags: UInt32) {
    interrupt(.unalignedReference, isr: isr(wanted, flags), ifa: va)
  }

  func unsupportedReference(_ va: UInt64, _ wanted: Access, flags: UInt32) {
    interrupt(.unsupportedDataReference, isr: isr(wanted, flags), ifa: va)
  }

  func naTPageConsumption(_ va: UInt64, _ wanted: Access, flags: UInt32) {
    interrupt(.naTConsumption, isr: isr(wanted, flags) & ~ISR.ed | 0x20, ifa: va)
  }

  func unimplementedDataAddress(_ va: UInt64, _ wanted: Access, flags: UInt32) {
    interrupt(.generalException, isr: isr(wanted, flags) | 0x30, ifa: va)
  }

  @discardableResult
  func instructionFault(_ vector: Vector, _ ip: UInt64, code: UInt64 = 0, itirOf described: UInt64? = nil) -> Status {
    let namesPage = vector != .naTConsumption && vector != .debug
    return interrupt(vector, isr: ISR.x | code, ifa: ip, itir: namesPage ? defaultITIR(described ?? ip) : nil)
  }
}
