// System instructions to IR, one lowering an operation: a plain instruction and an inlined call site come to the same.
// Only the common case is lowered. Whatever else there is (a privilege level above 0, a reserved field or register, an
// interrupt that would become deliverable, a change that other state hangs on) leaves before the instruction and is the
// interpreter's, or the called operation's at a site. Semantics: SDM vol. 2, chapter 3; vol. 3, chapter 2.
import CSupport
import IA64
import Machine

/// Where the guest goes on behind an instruction or a call site, and the slots that have been issued for it by then.
struct Behind {
  var slots: Int32 = 1
  var address: UInt64
}

extension Frontend {
  var isPrivileged: Bool { builder.block.mode & Mode.cpl == 0 }

  // MARK: Parts

  mutating func state(_ offset: Int32) -> Int32 { builder.emit(.loadState, imm: Int64(offset)) }

  /// Writes 8 bytes of kt_cpu under the instruction's predicate.
  private mutating func setState(_ offset: Int32, _ value: Int32) {
    let written = builder.predicate < 0 ? value : builder.select(builder.predicate, value, state(offset))
    _ = builder.emit(.storeState, written, imm: Int64(offset))
  }

  /// The interpreter executes the instruction, or the called operation the site, where the condition holds.
  mutating func leave(if condition: Int32) { builder.exit(if: condition, .interpret, to: here) }

  private mutating func leave(ifAnyOf mask: UInt64, in value: Int32) {
    if let known = builder.known(value), UInt64(bitPattern: known) & mask == 0 { return }
    _ = builder.emit(.exitTestMask, value, -1, Int32(leaveExit()), imm: Int64(bitPattern: mask))
  }

  private mutating func leaveExit() -> Int64 { builder.makeExit(.interpret, to: here) }

  /// psr.i may be set by now: an interrupt that waits is taken right behind.
  mutating func leaveIfInterruptWaits(_ behind: Behind) {
    count()
    builder.issued += behind.slots
    let exit = builder.makeExit(.resume, to: behind.address)
    builder.issued -= behind.slots
    _ = builder.emit(.exitIfState, imm: exit | Int64(StateOffset.interruptReady) << 32)
  }

  // MARK: Reading

  /// mov r1=rr[r3].
  mutating func regionRegister(_ address: Int32) -> Int32 {
    regionRegister(number: builder.shift(.shiftRight, address, 61))
  }

  private mutating func regionRegister(number: Int32) -> Int32 {
    if let known = builder.known(number) { return state(StateOffset.rr + Int32(known) * 8) }
    return builder.emit(.loadStateIndexed, number, imm: Int64(StateOffset.rr))
  }

  /// thash, for the table format that cr.pta names at translation; the walker's hash of Machine/Translation.swift. cr.pta
  /// holds a size of 15 to 61 (or nothing at all), region registers no bits above the identifier.
  mutating func hashAddress(_ address: Int32) -> Int32 {
    let isLong = cpu!.pointee.cr_pta >> 8 & 1 != 0
    let pta = state(StateOffset.pta)
    leave(if: builder.testBit(pta, 8, set: !isLong))
    let region = builder.shift(.shiftRight, address, 61)
    let rr = regionRegister(number: region)
    let pageShift = builder.shift(.shiftRight, rr, 2)
    let size = builder.shift(.shiftRight, pta, 2)
    let shifted = builder.shift(.shiftLeft, address, 3)
    if isLong {
      let page = builder.emit(.shiftRightVariable, builder.shift(.shiftRight, shifted, 3), pageShift, size: 1)
      let notMask = builder.emit(.shiftLeftVariable, builder.constant(Int64(-1)), size, size: 1)
      let hash = builder.shift(.shiftLeft, builder.xor(page, builder.shift(.shiftRight, rr, 8)), 5)
      return builder.or(builder.and(pta, notMask), builder.andComplement(hash, notMask))
    }
    // Eight bytes an entry: the page's number, times 8, is what stands above the low three bits.
    let page = builder.andImmediate(builder.emit(.shiftRightVariable, shifted, pageShift, size: 1), -8)
    // cr.pta above the table's size, the page's number below it.
    let above = builder.emit(.shiftRightVariable, builder.xor(pta, page), size, size: 1)
    let low = builder.xor(builder.emit(.shiftLeftVariable, above, size, size: 1), page)
    return builder.emit(.shiftPair, region, builder.shift(.shiftLeft, low, 3), imm: 3)
  }

  /// mov r1=psr: bits 36:35 and 31:0.
  mutating func statusRegister() -> Int32 {
    builder.andImmediate(state(StateOffset.psr), Int64(0xffff_ffff | PSR.mc | PSR.it))
  }

  /// Register `index` of a file of 8-byte registers that ends with `last`.
  mutating func indexed(_ file: Int32, _ index: Int32, last: Int64) -> Int32 {
    if let known = builder.known(index), known >= 0, known <= last { return state(file + Int32(known) * 8) }
    leave(if: builder.compare(.above, index, builder.constant(last), size: 8))
    return builder.emit(.loadStateIndexed, index, imm: Int64(file))
  }

  /// ar.itc as it is behind the instruction, whose slots have been issued by then.
  mutating func intervalTimeCounter(slots: Int32) -> Int32 {
    builder.add(builder.emit(.clock, imm: Int64(builder.issued + slots)), state(StateOffset.itcOffset))
  }

  /// mov r1=cr3; nil for registers that are the interpreter's. psr.ic forbids the interruption registers.
  mutating func controlRegister(_ number: Int) -> Int32? {
    if number == CR.ivr {
      // No interrupt waits: the spurious vector.
      _ = builder.emit(.exitIfState, imm: leaveExit() | Int64(StateOffset.interruptReady) << 32)
      return builder.constant(Int64(15))
    }
    guard let register = ControlRegisterRow.of(number) else { return nil }
    if register.isInterruption { leave(if: builder.testBit(state(StateOffset.psr), 13, set: true)) }
    return state(register.offset)
  }

  // MARK: Writing

  /// mov rr[r3]=r2 where that changes nothing; a change has checks, and purges.
  mutating func checkRegionRegister(_ address: Int32, _ value: Int32) {
    leave(if: builder.compare(.notEqual, regionRegister(address), value, size: 8))
  }

  /// ptc.ga of at most 32 KiB of which neither translation cache holds anything (Machine/Translation.swift keeps account):
  /// nothing is to be done.
  mutating func purgeNothing(_ address: Int32, size: Int32) {
    leave(ifAnyOf: 0xfc & ~(UInt64(KT_CACHED_PAGES_SHIFT) << 2), in: size)  // log2 of the size in bits 7:2
    let identifier = builder.shift(.shiftRight, regionRegister(address), 8)
    leave(if: builder.emit(.testBitVariable, state(StateOffset.cachedWide), identifier))
    let page = builder.shift(.shiftRight, address, Int(KT_CACHED_PAGES_SHIFT))
    let number = builder.andImmediate(builder.shift(.shiftRight, page, 6), 7)
    let word = builder.emit(.loadStateIndexed, number, imm: Int64(StateOffset.cachedPages))
    leave(if: builder.emit(.testBitVariable, word, page))
  }

  /// fc of a line in a page that can be read without a call. Stores to code have been announced when they were made.
  mutating func flushLine(_ address: Int32) { _ = builder.emit(.flushLine, address, imm: leaveExit()) }

  mutating func setKernelRegister(_ number: Int32, _ value: Int32) { setState(StateOffset.kr + number * 8, value) }

  /// The bits of psr that nothing but interruptions and moves look at.
  private static let plainStatus =
    PSR.up | PSR.mfl | PSR.mfh | PSR.ic | PSR.i | PSR.sp | PSR.pp | PSR.di | PSR.si

  /// psr bits that the block's mode says are set.
  private var knownStatus: UInt64 {
    let mode = builder.block.mode
    return (mode & Mode.dt != 0 ? PSR.dt : 0) | (mode & Mode.ac != 0 ? PSR.ac : 0) | (mode & Mode.dfl != 0 ? PSR.dfl : 0)
      | (mode & Mode.dfh != 0 ? PSR.dfh : 0)
  }

  /// ssm and rsm; false where the mask has bits that other state hangs on and that change.
  mutating func setSystemMask(_ mask: UInt64, on: Bool, _ behind: Behind) -> Bool {
    let modal = PSR.dt | PSR.ac | PSR.dfl | PSR.dfh
    let bits = mask & ~(modal & (on ? knownStatus : ~knownStatus))
    guard bits & ~Frontend.plainStatus == 0 else { return false }
    if bits == 0 { return true }
    let old = state(StateOffset.psr)
    setState(
      StateOffset.psr,
      on ? builder.orImmediate(old, Int64(bits)) : builder.andImmediate(old, ~Int64(bits)))
    if on && bits & PSR.i != 0 { leaveIfInterruptWaits(behind) }
    return true
  }

  /// mov psr.l=r2 where only plain bits change. Reserved bits are 0 in psr, so that setting one is a change of others.
  mutating func setStatusLow(_ value: Int32, _ behind: Behind) {
    let old = state(StateOffset.psr)
    let changed = builder.xor(old, value)
    leave(ifAnyOf: 0xffff_ffff & ~Frontend.plainStatus, in: changed)
    setState(StateOffset.psr, builder.xor(old, builder.extend(.zeroExtend, changed, 4)))
    leaveIfInterruptWaits(behind)
  }

  /// mov cr3=r2; false for registers that are the interpreter's. `slots`: those of the instruction or site.
  mutating func setControlRegister(_ number: Int, _ value: Int32, slots: Int32) -> Bool {
    switch number {
    case CR.itm, CR.tpr, CR.eoi:
      if builder.predicate >= 0 { return false }
      switch number {
      case CR.itm: setTimer(value, slots)
      case CR.tpr:
        leave(ifAnyOf: CR.reserved(CR.tpr) | CR.ignored(CR.tpr), in: value)
        _ = builder.emit(.exitIfPending, imm: leaveExit())
        _ = builder.emit(.storeState, value, imm: Int64(StateOffset.tpr))
      default:
        _ = builder.emit(.exitIfPending, imm: leaveExit())
        _ = builder.emit(.endInterrupt, imm: leaveExit())
      }
      return true
    default:
      guard let register = ControlRegisterRow.of(number), register.isWritable else { return false }
      if register.isInterruption { leave(if: builder.testBit(state(StateOffset.psr), 13, set: true)) }
      if register.reserved != 0 { leave(ifAnyOf: register.reserved, in: value) }
      setState(register.offset, value)
      return true
    }
  }

  /// cr.itm: when the timer fires (Machine/Clock.swift); under the virtual clock only where that is not before the budget's end.
  private mutating func setTimer(_ value: Int32, _ slots: Int32) {
    let time = builder.sub(value, state(StateOffset.itcOffset))
    // All ones, which is never, where that has passed or cr.itv.m is set.
    let wait = builder.sub(time, builder.emit(.clock, imm: Int64(builder.issued + slots)))
    let passed = builder.shift(.shiftArithmetic, wait, 63)
    let masked = builder.shift(.shiftArithmetic, builder.shift(.shiftLeft, state(StateOffset.itv), 47), 63)
    let deadline = builder.or(time, builder.or(passed, masked))
    if cpu!.pointee.virtual_clock != 0 {
      leave(if: builder.compare(.below, deadline, state(StateOffset.deadline), size: 8))
    }
    _ = builder.emit(.storeState, value, imm: Int64(StateOffset.itm))
    _ = builder.emit(.storeState, deadline, imm: Int64(StateOffset.itmDeadline))
  }

  // MARK: Instructions

  /// False: the instruction has no lowering here.
  mutating func lowerSystem(_ i: Instruction) -> Bool {
    switch i.opcode {
    case .mov_from_rr, .thash, .mov_from_psr, .mov_from_cpuid, .mov_from_pmd, .mov_from_cr:
      guard isWritable(i.r1) else {
        leaveToInterpreter()
        return true
      }
      guard let value = systemResult(i) else { return false }
      setGR(i.r1, value)
      return true
    case .ssm, .rsm, .mov_to_psr_l, .mov_to_cr, .mov_to_rr:
      guard isPrivileged else { return false }
      return lowerSystemWrite(i)
    case .fc, .fc_i:
      flushLine(gr(i.r3))
      return true
    default: return false
    }
  }

  private mutating func systemResult(_ i: Instruction) -> Int32? {
    switch i.opcode {
    case .thash: return hashAddress(gr(i.r3))
    case .mov_from_cpuid: return indexed(StateOffset.cpuid, gr(i.r3), last: 4)
    default: break
    }
    guard isPrivileged else { return nil }
    switch i.opcode {
    case .mov_from_rr: return regionRegister(gr(i.r3))
    case .mov_from_psr: return statusRegister()
    case .mov_from_pmd: return indexed(StateOffset.pmd, gr(i.r3), last: 31)
    default: return controlRegister(Int(i.cr3))
    }
  }

  private mutating func lowerSystemWrite(_ i: Instruction) -> Bool {
    let behind = Behind(address: next)
    switch i.opcode {
    case .ssm, .rsm: return setSystemMask(UInt64(bitPattern: i.imm), on: i.opcode == .ssm, behind)
    case .mov_to_psr_l: setStatusLow(gr(i.r2), behind)
    case .mov_to_cr: return setControlRegister(Int(i.cr3), gr(i.r2), slots: 1)
    default: checkRegionRegister(gr(i.r3), gr(i.r2))
    }
    return true
  }
}

/// A control register that is no more than its value.
struct ControlRegisterRow {
  var offset: Int32
  /// Bits that are reserved or ignored: a value with one of them set is the interpreter's.
  var reserved: UInt64
  /// Only while psr.ic is 0 (SDM vol. 2, 3.3.4).
  var isInterruption: Bool
  var isWritable: Bool

  private init(
    _ number: Int, _ path: KeyPath<kt_cpu, UInt64>, interruption: Bool = false, writable: Bool = true
  ) {
    offset = Int32(MemoryLayout<kt_cpu>.offset(of: path)!)
    reserved = CR.reserved(number) | CR.ignored(number)
    isInterruption = interruption
    isWritable = writable
  }

  static func canRead(_ number: Int) -> Bool { number == CR.ivr || of(number) != nil }

  static func canWrite(_ number: Int) -> Bool {
    number == CR.itm || number == CR.tpr || number == CR.eoi || of(number)?.isWritable == true
  }

  /// The row of a register; nil for those that do more when read or written.
  static func of(_ number: Int) -> ControlRegisterRow? { rows.indices.contains(number) ? rows[number] : nil }

  private static let rows: [ControlRegisterRow?] = {
    let plain: [(Int, KeyPath<kt_cpu, UInt64>)] = [
      (CR.dcr, \.cr_dcr), (CR.lid, \.cr_lid), (CR.pmv, \.cr_pmv), (CR.cmcv, \.cr_cmcv),
    ]
    let readOnly: [(Int, KeyPath<kt_cpu, UInt64>)] = [
      (CR.itm, \.cr_itm), (CR.iva, \.cr_iva), (CR.pta, \.cr_pta), (CR.tpr, \.cr_tpr), (CR.itv, \.cr_itv),
    ]
    let interruption: [(Int, KeyPath<kt_cpu, UInt64>)] = [
      (CR.iip, \.cr_iip), (CR.ifa, \.cr_ifa), (CR.itir, \.cr_itir), (CR.iipa, \.cr_iipa), (CR.ifs, \.cr_ifs),
      (CR.iim, \.cr_iim),
    ]
    let readOnlyInterruption: [(Int, KeyPath<kt_cpu, UInt64>)] = [
      (CR.ipsr, \.cr_ipsr), (CR.isr, \.cr_isr), (CR.iha, \.cr_iha),
    ]
    var rows = [ControlRegisterRow?](repeating: nil, count: 128)
    for (number, path) in plain { rows[number] = Self(number, path) }
    for (number, path) in readOnly { rows[number] = Self(number, path, writable: false) }
    for (number, path) in interruption { rows[number] = Self(number, path, interruption: true) }
    for (number, path) in readOnlyInterruption {
      rows[number] = Self(number, path, interruption: true, writable: false)
    }
    return rows
  }()
}
