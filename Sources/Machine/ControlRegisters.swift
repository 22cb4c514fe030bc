// Control and application registers and psr as the mov instructions reach them: which exist, who may touch them, which
// fields are reserved (SDM vol. 1, 3.1.8; vol. 2, 3.3). Every write returns a status; a fault has then been delivered.
import CSupport
import FloatingPoint

/// Numbers of the application registers.
package enum AR {
  package static let rsc = 16, bsp = 17, bspstore = 18, rnat = 19, fcr = 21, eflag = 24, csd = 25, ssd = 26, cflg = 27
  package static let fsr = 28, fir = 29, fdr = 30, ccv = 32, unat = 36, fpsr = 40, itc = 44, ruc = 45
  package static let pfs = 64, lc = 65, ec = 66
}

/// Numbers of the control registers.
package enum CR {
  package static let dcr = 0, itm = 1, iva = 2, pta = 8, ipsr = 16, isr = 17, iip = 19, ifa = 20, itir = 21, iipa = 22
  package static let ifs = 23, iim = 24, iha = 25, lid = 64, ivr = 65, tpr = 66, eoi = 67, irr0 = 68, irr3 = 71
  package static let itv = 72, pmv = 73, cmcv = 74, lrr0 = 80, lrr1 = 81

  /// Bits that may not be written.
  package static func reserved(_ number: Int) -> UInt64 {
    switch number {
    case dcr: ~(0x7f07 as UInt64)
    case pta: 0x7e02
    case ipsr: 0x1 | 0x1fc0 | 1 << 16 | 0xf000_0000 | 0xffff_c000_0000_0000
    case ifs: 0x7fff_ffc0_0000_0000
    case isr: 0xffff_f000_ff00_0000
    case lrr0, lrr1: 0x4800
    case tpr: 0xff00
    case itv, pmv, cmcv: 0xef00
    case lid: 0xffff
    default: 0
    }
  }

  /// Bits that read as zero, whatever is written.
  package static func ignored(_ number: Int) -> UInt64 {
    switch number {
    case iva: 0x7fff
    case iha: 3
    case lid: 0xffff_ffff_0000_0000
    case tpr: ~(0x1_fff0 as UInt64)
    case itv, pmv, cmcv, lrr0, lrr1: ~(0x1_efff as UInt64)
    default: 0
    }
  }
}

extension UnsafeMutablePointer where Pointee == kt_cpu {
  // MARK: Control registers

  /// mov r1=cr3. The instruction's own checks (target, predicate) are the engine's.
  package func readCR(_ number: Int, _ value: inout UInt64) -> Status {
    guard controlRegisterExists(number) else { return illegalOperation() }
    if cpl != 0 { return privilegedOperation() }
    switch number {
    case CR.dcr: value = pointee.cr_dcr
    case CR.itm: value = pointee.cr_itm
    case CR.iva: value = pointee.cr_iva
    case CR.pta: value = pointee.cr_pta
    case CR.ipsr: value = pointee.cr_ipsr
    case CR.isr: value = pointee.cr_isr
    case CR.iip: value = pointee.cr_iip
    case CR.ifa: value = pointee.cr_ifa
    case CR.itir: value = pointee.cr_itir
    case CR.iipa: value = pointee.cr_iipa
    case CR.ifs: value = pointee.cr_ifs
    case CR.iim: value = pointee.cr_iim
    case CR.iha: value = pointee.cr_iha
    case CR.lid: value = pointee.cr_lid
    case CR.ivr: value = readIVR()
    case CR.tpr: value = pointee.cr_tpr
    case CR.eoi: value = 0
    case CR.irr0...CR.irr3: value = kt_irr(self)[number - CR.irr0]
    case CR.itv: value = pointee.cr_itv
    case CR.pmv: value = pointee.cr_pmv
    case CR.cmcv: value = pointee.cr_cmcv
    default: value = kt_lrr(self)[number - CR.lrr0]
    }
    return .done
  }

  /// mov cr3=r2.
  package func writeCR(_ number: Int, _ value: UInt64) -> Status {
    if !isWritableCR(number) { return illegalOperation() }
    if cpl != 0 { return privilegedOperation() }
    if value & CR.reserved(number) != 0 { return reservedRegisterField() }
    let value = value & ~CR.ignored(number)
    switch number {
    case CR.dcr: pointee.cr_dcr = value
    case CR.itm: writeITM(value)
    case CR.iva: pointee.cr_iva = value
    case CR.pta:
      guard (15...61).contains(value >> 2 & 0x3f) else { return reservedRegisterField() }
      pointee.cr_pta = value
      flushSoftwareTLB()
    case CR.ipsr:
      guard namesSlot(value) else { return reservedRegisterField() }
      pointee.cr_ipsr = value
    case CR.isr:
      guard namesSlot(value) else { return reservedRegisterField() }
      pointee.cr_isr = value
    case CR.iip: pointee.cr_iip = value
    case CR.ifa: pointee.cr_ifa = value
    case CR.itir: pointee.cr_itir = value
    case CR.iipa: pointee.cr_iipa = value
    case CR.ifs: pointee.cr_ifs = value
    case CR.iim: pointee.cr_iim = value
    case CR.iha: pointee.cr_iha = value
    case CR.lid: pointee.cr_lid = value
    case CR.tpr: writeTPR(value)
    case CR.eoi: writeEOI()
    case CR.itv: writeITV(value)
    case CR.pmv: pointee.cr_pmv = value
    case CR.cmcv: pointee.cr_cmcv = value
    default:
      // Delivery modes 1, 3 and 6 do not exist.
      guard 0b0100_1010 >> (value >> 8 & 7) & 1 == 0 else { return reservedRegisterField() }
      kt_lrr(self)[number - CR.lrr0] = value
    }
    return .done
  }

  /// ri of psr and ei of isr name one of three slots.
  private func namesSlot(_ value: UInt64) -> Bool { value >> PSR.riShift & 3 != 3 }

  /// Whether mov to the control register is a legal instruction now.
  package func isWritableCR(_ number: Int) -> Bool {
    controlRegisterExists(number) && number != CR.ivr && !(CR.irr0...CR.irr3).contains(number)
  }

  /// False: reserved, or an interruption register while interruption collection is on (SDM vol. 2, 3.3.4).
  private func controlRegisterExists(_ number: Int) -> Bool {
    switch number {
    case CR.dcr, CR.itm, CR.iva, CR.pta, CR.lid...CR.cmcv, CR.lrr0, CR.lrr1: true
    case CR.ipsr, CR.isr, CR.iip...CR.iha: pointee.psr & PSR.ic == 0
    default: false
    }
  }

  // MARK: Application registers

  /// mov r1=ar3. `number` must be one that the instruction's unit reaches.
  package func readAR(_ number: Int, _ value: inout UInt64) -> Status {
    switch number {
    case 0...7: value = kt_kernel_registers(self)[number]
    case AR.rsc: value = pointee.ar_rsc
    case AR.bsp: value = readBSP()
    case AR.bspstore:
      if pointee.ar_rsc & 3 != 0 { return illegalOperation() }
      value = pointee.ar_bspstore
    case AR.rnat:
      if pointee.ar_rsc & 3 != 0 { return illegalOperation() }
      value = pointee.ar_rnat
    case AR.fcr: value = pointee.ar_fcr
    case AR.eflag: value = pointee.ar_eflag
    case AR.csd: value = pointee.ar_csd
    case AR.ssd: value = pointee.ar_ssd
    case AR.cflg: value = pointee.ar_cflg
    case AR.fsr: value = pointee.ar_fsr
    case AR.fir: value = pointee.ar_fir
    case AR.fdr: value = pointee.ar_fdr
    case AR.ccv: value = pointee.ar_ccv
    case AR.unat: value = pointee.ar_unat
    case AR.fpsr: value = pointee.ar_fpsr
    case AR.itc, AR.ruc:
      if pointee.psr & PSR.si != 0, cpl != 0 { return privilegedRegister() }
      value = readITC()
    case AR.pfs: value = pointee.ar_pfs
    case AR.lc: value = pointee.ar_lc
    case AR.ec: value = pointee.ar_ec
    case 48...63, 112...127: value = 0  // ignored registers read as zero
    default: return illegalOperation()
    }
    return .done
  }

  /// Whether mov to the application register is a legal instruction now, whatever the value.
  package func isWritableAR(_ number: Int) -> Bool {
    switch number {
    case AR.bsp, AR.ruc: false
    case AR.bspstore, AR.rnat: pointee.ar_rsc & 3 == 0
    case 0...7, AR.rsc, AR.fcr, AR.eflag...AR.fdr, AR.ccv, AR.unat, AR.fpsr, AR.itc, AR.pfs...AR.ec, 48...63, 112...127:
      true
    default: false
    }
  }

  /// mov ar3=r2.
  package func writeAR(_ number: Int, _ value: UInt64) -> Status {
    switch number {
    case 0...7:
      if cpl != 0 { return privilegedRegister() }
      kt_kernel_registers(self)[number] = value
    case AR.rsc:
      if value & ~(0x3fff_001f as UInt64) != 0 { return reservedRegisterField() }
      let privilege = max(UInt64(RSC.privilege(value)), UInt64(cpl))
      pointee.ar_rsc = value & ~0xc | privilege << 2
    case AR.bspstore:
      if pointee.ar_rsc & 3 != 0 { return illegalOperation() }
      writeBSPSTORE(value)
    case AR.rnat:
      if pointee.ar_rsc & 3 != 0 { return illegalOperation() }
      pointee.ar_rnat = value & ~(1 << 63)
    case AR.fcr: pointee.ar_fcr = value
    case AR.eflag: pointee.ar_eflag = value
    case AR.csd: pointee.ar_csd = value
    case AR.ssd: pointee.ar_ssd = value
    case AR.cflg:
      if cpl != 0 { return privilegedRegister() }
      pointee.ar_cflg = value
    case AR.fsr: pointee.ar_fsr = value
    case AR.fir: pointee.ar_fir = value
    case AR.fdr: pointee.ar_fdr = value
    case AR.ccv: pointee.ar_ccv = value
    case AR.unat: pointee.ar_unat = value
    case AR.fpsr:
      if !FPSR(bits: value).isLegal { return reservedRegisterField() }
      pointee.ar_fpsr = value
    case AR.itc:
      if cpl != 0 { return privilegedRegister() }
      writeITC(value)
    case AR.pfs:
      if value & (0x3fff << 38 | 0xf << 58) != 0 { return reservedRegisterField() }
      pointee.ar_pfs = value
    case AR.lc: pointee.ar_lc = value
    case AR.ec: pointee.ar_ec = value & 0x3f
    case 48...63, 112...127: break  // ignored
    default: return illegalOperation()
    }
    return .done
  }

  // MARK: Performance counters, caches

  /// mov r1=pmd[r3]: Reserved Register/Field for a register beyond the last. Counters that the kernel keeps to itself
  /// read as zero above level 0 (SDM vol. 2, 7.2.1).
  package func readPMD(_ register: UInt64, _ value: inout UInt64) -> Status {
    let index = Int(register & 0xff)
    if index >= 32 { return reservedRegisterField() }
    let hidden = cpl != 0 && (pointee.psr & PSR.sp != 0 || (index >= 4 && kt_pmc(self)[index] >> 6 & 1 != 0))
    value = hidden ? 0 : kt_pmd(self)[index]
    return .done
  }

  /// fc, fc.i: a non-access reference, which needs the right to read only above level 0 (SDM vol. 3, fc). The caches are
  /// coherent, but what an engine has derived from the line, 64 bytes here, is stale.
  package func flushCache(_ address: UInt64) -> Status {
    let line = kt_stlb_lines(pointee.stlb)[Int(kt_stlb_index(address))]
    if line.read_tag == address & ~0xfff && !machine.holdsCode(line.physical) { return .done }
    guard let place = resolve(address, cpl == 0 ? [] : .read, flags: NonAccess.flags(NonAccess.fc)) else {
      return .interruptedOrStopped(self)
    }
    if machine.holdsCode(place.physical) { pointee.code_written?(self, place.physical & ~63, 64) }
    return .done
  }

  // MARK: Processor status register

  /// mov r1=psr: bits 36:35 and 31:0.
  package func readPSR() -> UInt64 { pointee.psr & (0xffff_ffff | PSR.mc | PSR.it) }

  /// mov psr.l=r2.
  package func writePSRLower(_ value: UInt64) -> Status {
    if value & 0xffff_ffff & ~PSR.lowerHalf != 0 { return reservedRegisterField() }
    setPSR(pointee.psr & ~0xffff_ffff | value & 0xffff_ffff)
    return .done
  }

  /// ssm / rsm imm24.
  package func setSystemMask(_ mask: UInt64) -> Status {
    if mask & ~PSR.systemMask != 0 { return reservedRegisterField() }
    setPSR(pointee.psr | mask)
    return .done
  }
  package func resetSystemMask(_ mask: UInt64) -> Status {
    if mask & ~PSR.systemMask != 0 { return reservedRegisterField() }
    setPSR(pointee.psr & ~mask)
    return .done
  }

  /// mov psr.um=r2, sum, rum: psr.up only where psr.sp lets the user write it.
  package func writeUserMask(_ value: UInt64) -> Status {
    if value & ~PSR.userMask != 0 { return reservedRegisterField() }
    let writable = pointee.psr & PSR.sp != 0 ? PSR.userMask & ~PSR.up : PSR.userMask
    setPSR(pointee.psr & ~writable | value & writable)
    return .done
  }
}
