// What replaces a call site under the `xen` backend: the Xen/ia64 interface (xen/include/public/arch-ia64). Most types
// are one hyperprivop, a break whose operands already stand in the registers of the call; the others work on the shared
// page: the virtual psr.i is a mask byte there, ar.itc and cr.itm are kept against an offset.
import IA64

package enum XenBodies {
  /// Where Xen shows its shared pages: the last MiB of the address space, so that a 22-bit immediate reaches it.
  package static let sharedInfo: UInt64 = 0xffff_ffff_fff0_0000
  /// struct mapped_regs, behind the 16 KiB of struct shared_info.
  package static let mappedRegisters = sharedInfo + 0x4000
  /// The word with the address of the event mask byte (1: masked). The byte before it says whether an event is pending.
  package static let maskAddress = mappedRegisters + 0xc18
  package static let itcOffset = mappedRegisters + 0xd50
  package static let itcLast = mappedRegisters + 0xd58

  /// Hyperprivops by the immediate of their break.
  package enum Hyperprivop: Int64, CaseIterable, Sendable {
    case rfi = 1, rsmDT, ssmDT, cover, itcD, itcI, ssmI, getIVR, getTPR, setTPR, eoi, setITM, thash, ptcGA, itrD, getRR,
      setRR, setKR, fc, getCPUID, getPMD, getEFLAG, setEFLAG, rsmBE, getPSR, setRR0ToRR4
  }

  /// The body of a type; nil where the native one serves as well.
  package static func body(_ type: PatchType) -> [InstructionBundle]? { bodies[type] }

  /// All of them as bytes.
  package static let bytes = bodies.mapValues { $0.flatMap(\.bytes) }

  private static let bodies: [PatchType: [InstructionBundle]] = {
    var bodies: [PatchType: [InstructionBundle]] = [
      .fc: hyperprivop(.fc), .thash: hyperprivop(.thash), .getCPUID: hyperprivop(.getCPUID),
      .getPMD: hyperprivop(.getPMD), .ptcga: hyperprivop(.ptcGA), .getRR: hyperprivop(.getRR),
      .setRR: hyperprivop(.setRR), .setRR0ToRR4: hyperprivop(.setRR0ToRR4),
      .ssmI: unmask, .rsmI: mask, .getPSRI: readMask, .irqRestore: restoreMask,
      .getreg(.psr): hyperprivop(.getPSR), .getreg(eflag): hyperprivop(.getEFLAG),
      .getreg(.control(65)): hyperprivop(.getIVR), .getreg(.control(66)): hyperprivop(.getTPR),
      .getreg(itc): readITC, .getreg(itm): readITM,
      .setreg(eflag): hyperprivop(.setEFLAG), .setreg(.control(66)): hyperprivop(.setTPR),
      .setreg(.control(67)): hyperprivop(.eoi), .setreg(itm): writeITM, .setreg(itc): writeITC,
    ]
    for number in 0..<8 { bodies[.setreg(.application(number))] = writeKernelRegister(number) }
    return bodies
  }()

  private static let eflag = KernelRegister.application(24)
  private static let itc = KernelRegister.application(44)
  private static let itm = KernelRegister.control(1)

  private static func hyperprivop(_ number: Hyperprivop) -> [InstructionBundle] {
    [Code.bundle("MII;;", Code.slot(.break_m, imm: number.rawValue), Code.nop, Code.nop)]
  }

  // MARK: The event mask byte. Every body may destroy r2, r3, r8 to r11, r14, r15, r17 and p6 to p15.

  /// addl register = address, r0.
  private static func address(_ address: UInt64, _ register: UInt8) -> UInt64 {
    Code.slot(.addl, r1: register, imm: Int64(bitPattern: address))
  }

  private static func load(_ register: UInt8, _ from: UInt8) -> UInt64 { Code.slot(.ld8, r1: register, r3: from) }

  /// (qp) cmp.eq.unc p0, predicate = register, r0: the predicate is whether the register is not zero, false without qp.
  private static func isSet(_ predicate: UInt8, _ register: UInt8, qp: UInt8 = 0) -> UInt64 {
    Code.slot(.cmp_eq_unc, qp: qp, r2: register, r4: predicate)
  }

  private static func loadByte(_ register: UInt8, _ from: UInt8, qp: UInt8 = 0) -> UInt64 {
    Code.slot(.ld1_acq, qp: qp, r1: register, r3: from)
  }

  private static func storeByte(_ register: UInt8, _ to: UInt8, qp: UInt8 = 0) -> UInt64 {
    Code.slot(.st1_rel, qp: qp, r2: register, r3: to)
  }

  private static func deliver(qp: UInt8) -> UInt64 { Code.slot(.break_m, qp: qp, imm: Hyperprivop.ssmI.rawValue) }

  /// Unmasks; where events were masked (p6) and one is pending (p7), lets Xen deliver it.
  private static let unmask = [
    Code.bundle("M;MI;;", address(maskAddress, 8), load(8, 8), Code.nop),
    Code.bundle("MMI;;", loadByte(9, 8), Code.slot(.st1_rel_i, r3: 8, imm: -1), Code.nop),
    Code.bundle("M;MI;;", isSet(6, 9), loadByte(10, 8, qp: 6), Code.nop),
    Code.bundle("M;MI;;", isSet(7, 10, qp: 6), deliver(qp: 7), Code.nop),
  ]

  private static let mask = [
    Code.bundle("M;MI;;", address(maskAddress, 2), load(2, 2), Code.slot(.adds, r1: 3, imm: 1)),
    Code.bundle("MII;;", storeByte(3, 2), Code.nop, Code.nop),
  ]

  /// r8 = psr.i's bit where events are not masked, else 0.
  private static let readMask = [
    Code.bundle("M;MI;;", address(maskAddress, 2), load(2, 2), Code.slot(.addl, r1: 3, imm: 1 << 14)),
    Code.bundle("M;MI;;", loadByte(8, 2), Code.slot(.cmp_eq, r1: 6, r2: 8, r4: 7), Code.nop),
    Code.bundle(
      "MII;;", Code.slot(.adds, qp: 6, r1: 8, r3: 3), Code.slot(.adds, qp: 7, r1: 8), Code.nop),
  ]

  /// `unmask` where r8 is not zero (p6), else `mask` (p7). It was masked: p8; an event is pending: p9.
  private static let restoreMask = [
    Code.bundle(
      "MII;;", address(maskAddress, 2), Code.slot(.cmp_eq, r1: 7, r2: 8, r4: 6), Code.slot(.adds, r1: 9, imm: 1)),
    Code.bundle("M;MI;;", load(2, 2), loadByte(3, 2, qp: 6), Code.slot(.adds, r1: 11, r3: 2, imm: -1)),
    Code.bundle("MMI;;", storeByte(0, 2, qp: 6), storeByte(9, 2, qp: 7), isSet(8, 3, qp: 6)),
    Code.bundle("M;MI;;", loadByte(3, 11, qp: 8), isSet(9, 3, qp: 8), Code.nop),
    Code.bundle("MII;;", deliver(qp: 9), Code.nop, Code.nop),
  ]

  // MARK: Time. The guest's ar.itc is the processor's plus an offset.

  private static let readITCRegister = Code.slot(.mov_from_ar_m, r1: 14, r3: 44)

  /// r8 = ar.itc + offset, or one more than the last value that any processor of the guest read, if that is larger; the
  /// last value becomes r8. Again from the second bundle where another processor was faster.
  private static let readITC = [
    Code.bundle("MMI;;", readITCRegister, address(itcOffset, 2), address(itcLast, 3)),
    Code.bundle("MMI;;", load(11, 2), Code.slot(.ld8_acq, r1: 9, r3: 3), Code.nop),
    Code.bundle(
      "MI;I;;", Code.slot(.mov_to_ar_m, r2: 9, r3: 32), Code.slot(.add, r1: 8, r2: 14, r3: 11),
      Code.slot(.cmp_ltu, r1: 7, r2: 9, r3: 8, r4: 6)),
    Code.bundle(
      "M;MI;;", Code.slot(.adds, qp: 6, r1: 8, r3: 9, imm: 1), Code.slot(.cmpxchg8_acq, r1: 10, r2: 8, r3: 3),
      Code.nop),
    Code.bundle(
      "MIB;;", Code.nop, Code.slot(.cmp_eq, r1: 7, r2: 10, r3: 9, r4: 6),
      Code.slot(.br_cond, qp: 6, hint: 2, imm: -48)),
  ]

  private static let readITM = [
    Code.bundle("M;MI;;", address(itcOffset, 2), load(3, 2), Code.nop),
    Code.bundle("M;MI;;", Code.slot(.mov_from_cr, r1: 8, r3: 1), Code.slot(.add, r1: 8, r2: 8, r3: 3), Code.nop),
  ]

  private static let writeITM = [
    Code.bundle("M;MI;;", address(itcOffset, 2), load(2, 2), Code.nop),
    Code.bundle(
      "M;MI;;", Code.slot(.sub, r1: 8, r2: 8, r3: 2), Code.slot(.break_m, imm: Hyperprivop.setITM.rawValue), Code.nop),
  ]

  private static let writeITC = [
    Code.bundle("MMI;;", readITCRegister, address(itcOffset, 2), address(itcLast, 3)),
    Code.bundle("M;MI", Code.slot(.sub, r1: 9, r2: 8, r3: 14), Code.slot(.st8, r2: 9, r3: 2), Code.nop),
    Code.bundle("MII;;", Code.slot(.st8, r2: 8, r3: 3), Code.nop, Code.nop),
  ]

  /// The value in r8 moves to r9, its number into r8.
  private static func writeKernelRegister(_ number: Int) -> [InstructionBundle] {
    [
      Code.bundle(
        "MI;I;;", Code.move(9, from: 8), Code.slot(.adds, r1: 8, imm: Int64(number)),
        Code.slot(.break_i, imm: Hyperprivop.setKR.rawValue))
    ]
  }
}
