// Virtual addressing (SDM vol. 2, chapter 4): where an address is, what may be done there, and the instructions that
// manage translations.
import CSupport

/// Where an access goes.
package struct Place {
  package var physical: UInt64
  /// Host address, or nil for a device or nothing.
  package var host: UnsafeMutableRawPointer?
  /// What the present privilege level may do there as often as it likes without a look at the translation.
  package var rights: Access
  /// Whether it is cacheable memory with write-back: what semaphores and accesses of 10 and 16 bytes need.
  var isWriteBack: Bool
}

enum Resolution {
  case found(Place)
  /// The fault has been delivered, left to the platform, or deferred (`deferral`).
  case fault
}

/// The insertion format's page table entry (SDM vol. 2, figure 4-5).
struct PageTableEntry {
  var bits: UInt64
  var present: Bool { bits & 1 != 0 }
  var memoryAttribute: UInt64 { bits >> 2 & 7 }
  var accessed: Bool { bits >> 5 & 1 != 0 }
  var dirty: Bool { bits >> 6 & 1 != 0 }
  var privilege: Int { Int(bits >> 7 & 3) }
  var accessRights: Int { Int(bits >> 9 & 7) }
  var exceptionDeferral: Bool { bits >> 52 & 1 != 0 }
  /// The physical address that `va` has on a page of this size.
  func physical(pageShift: UInt64, of va: UInt64) -> UInt64 {
    let offset = (UInt64(1) << pageShift) - 1
    return bits & 0x0003_ffff_ffff_f000 & ~offset | va & offset
  }

  static let naTPage: UInt64 = 7
  /// Uncacheable memory, exported or not: every access to it is the program's own.
  var isNotSpeculative: Bool { memoryAttribute == 4 || memoryAttribute == 5 }
  /// Not those, and not memory whose stores are coalesced either.
  var isWriteBack: Bool { memoryAttribute == 0 }

  /// What privilege level `cpl` may do (SDM vol. 2, table 4-2).
  func rights(cpl: Int) -> Access {
    let within = cpl <= privilege
    switch accessRights {
    case 0: return within ? .read : []
    case 1: return within ? [.read, .execute] : []
    case 2: return within ? [.read, .write] : []
    case 3: return within ? [.read, .write, .execute] : []
    case 4: return within ? (cpl == privilege && cpl != 0 ? .read : [.read, .write]) : []
    case 5: return cpl == 0 ? [.read, .write, .execute] : within ? [.read, .execute] : []
    case 6: return within ? (cpl == privilege && cpl != 0 ? [.read, .write, .execute] : [.read, .write]) : []
    default: return cpl == 0 ? [.read, .execute] : .execute
    }
  }

  /// Whether executing `epc` on this page promotes, and to which level (SDM vol. 2, 4.1.1.6).
  var promotesTo: Int? { accessRights == 7 ? privilege : nil }
}

/// What a translation can have against an access, the lowest bit first in priority (SDM vol. 2, table 5-6 and 4.1.1).
private struct Objections: OptionSet {
  var rawValue: UInt8
  static let notPresent = Self(rawValue: 1), naTPage = Self(rawValue: 2), keyMiss = Self(rawValue: 4)
  static let keyPermission = Self(rawValue: 8), rights = Self(rawValue: 16), dirty = Self(rawValue: 32)
  static let accessed = Self(rawValue: 64)
  /// What fc does not ask for (SDM vol. 3, fc).
  static let notOfFlush: Self = [.keyMiss, .keyPermission, .accessed]

  /// Takes the first one out.
  mutating func popFirst() -> Self? {
    if rawValue == 0 { return nil }
    let first = Self(rawValue: rawValue & (0 &- rawValue))
    subtract(first)
    return first
  }

  /// The vector of a single one.
  var vector: Vector {
    switch self {
    case .notPresent: .pageNotPresent
    case .naTPage: .naTConsumption
    case .keyMiss: .dataKeyMiss
    case .keyPermission: .keyPermission
    case .rights: .dataAccessRights
    case .dirty: .dirtyBit
    default: .dataAccessBit
    }
  }

  /// The bit of cr.dcr that lets a speculative load defer a single one.
  var deferralBit: UInt64 {
    switch self {
    case .notPresent: DCR.dp
    case .keyMiss: DCR.dk
    case .keyPermission: DCR.dx
    case .rights: DCR.dr
    default: DCR.da
    }
  }
}

/// Bits 62:50 of a physical address; of a virtual one all are implemented (SDM vol. 2, 4.3.2).
@inlinable package var unimplementedPhysicalBits: UInt64 { 0x7ffc_0000_0000_0000 }

enum RegionRegister {
  static func walker(_ rr: UInt64) -> Bool { rr & 1 != 0 }
  static func pageShift(_ rr: UInt64) -> UInt64 { rr >> 2 & 0x3f }
  static func identifier(_ rr: UInt64) -> UInt32 { UInt32(rr >> 8 & 0xff_ffff) }
}

/// Page sizes an insertion may have: 4K, 8K, 16K, 64K, 256K, 1M, 4M, 16M, 64M, 256M, 1G, 4G (SDM vol. 2, 4.1.1.5), as a
/// set of log2 bits.
package let insertablePageShifts: UInt64 = 1 << 12 | 1 << 13 | 1 << 14 | 1 << 16 | 1 << 18 | 1 << 20 | 1 << 22 | 1 << 24
  | 1 << 26 | 1 << 28 | 1 << 30 | 1 << 32

extension UnsafeMutablePointer where Pointee == kt_cpu {
  func regionRegister(of va: UInt64) -> UInt64 { kt_region_registers(self)[Int(va >> 61)] }

  // MARK: Looking up

  /// Resolves a data address; on failure delivers the fault, or sets `deferral` for a speculative load. A speculative
  /// load's exceptions are weighed one by one: a deferred one does not hide those below it (SDM vol. 2, 5.5.5). `level`:
  /// whose rights count, where those are not the present ones.
  func place(of va: UInt64, _ wanted: Access, flags: UInt32, level: Int? = nil) -> Resolution {
    pointee.deferral = 0
    if pointee.is_process != 0 { return processPlace(of: va, wanted, flags: flags) }
    let isRSE = flags & UInt32(KT_ACCESS_RSE) != 0
    let level = level ?? (isRSE ? RSC.privilege(pointee.ar_rsc) : cpl)
    let isTranslated = pointee.psr & PSR.dt != 0 && (!isRSE || pointee.psr & PSR.rt != 0)
    if !isTranslated, va & unimplementedPhysicalBits != 0 {
      if isSpeculative(flags) { pointee.deferral = 1 } else { unimplementedDataAddress(va, wanted, flags: flags) }
      return .fault
    }
    let place = isTranslated
      ? translatedPlace(of: va, wanted, level: level, flags: flags) : physicalPlace(of: va, flags: flags)
    if place == nil, pointee.deferral == 0 { return .fault }
    if faultsBehindTranslation(va, wanted, level: level, flags: flags) { return .fault }
    guard let place, pointee.deferral == 0 else { return .fault }
    if flags & UInt32(KT_ACCESS_WRITE_BACK) != 0, !place.isWriteBack {
      unsupportedReference(va, wanted, flags: flags)
      return .fault
    }
    return .found(place)
  }

  private func processPlace(of va: UInt64, _ wanted: Access, flags: UInt32) -> Resolution {
    if let page = machine.processMemory?.page(at: va), page.rights.isSuperset(of: wanted) {
      if faultsBehindTranslation(va, wanted, level: cpl, flags: flags) || pointee.deferral != 0 { return .fault }
      return .found(Place(physical: va, host: page.host + Int(va & 0xfff), rights: page.rights, isWriteBack: true))
    }
    if !deferred(flags, dcrBit: nil) {
      let mapped = machine.processMemory?.page(at: va) != nil
      dataFault(mapped ? .dataAccessRights : .pageNotPresent, va, wanted, flags: flags)
    }
    return .fault
  }

  private func physicalPlace(of va: UInt64, flags: UInt32) -> Place? {
    let physical = va & ~(1 << 63)
    let isUncacheable = va >> 63 != 0
    if isUncacheable { refuseSpeculation(flags) }
    return Place(
      physical: physical, host: machine.host(physical: physical, length: 1),
      rights: isUncacheable ? [] : [.read, .write], isWriteBack: !isUncacheable)
  }

  /// nil: a fault was delivered, or a miss deferred.
  private func translatedPlace(of va: UInt64, _ wanted: Access, level: Int, flags: UInt32) -> Place? {
    guard let entry = findData(va) ?? walk(va, instruction: false, wanted: wanted, flags: flags) else { return nil }
    var objections = objections(entry, wanted, level: level)
    if isFlush(flags) { objections.subtract(.notOfFlush) }
    if raises(objections, va, wanted, flags: flags) { return nil }
    let pte = PageTableEntry(bits: entry.pointee.pte)
    if pte.isNotSpeculative { refuseSpeculation(flags) }
    // What the software TLB may skip next time: nothing that could fault.
    var rights = pte.rights(cpl: level)
    if !pte.dirty { rights.remove(.write) }
    if !pte.accessed || pointee.psr & PSR.pk != 0 || !pte.isWriteBack { rights = [] }
    let physical = pte.physical(pageShift: UInt64(entry.pointee.ps), of: va)
    return Place(
      physical: physical, host: machine.host(physical: physical, length: 1), rights: rights,
      isWriteBack: pte.isWriteBack)
  }

  /// The faults that come after those of translation: debug, then unaligned.
  private func faultsBehindTranslation(_ va: UInt64, _ wanted: Access, level: Int, flags: UInt32) -> Bool {
    if pointee.psr & (PSR.db | PSR.dd) == PSR.db, !isFlush(flags),
      meetsDataBreakpoint(va, wanted, level: level, size: UInt64(flags & UInt32(KT_ACCESS_SIZE_MASK))),
      !deferred(flags, dcrBit: DCR.dd)
    {
      interrupt(.debug, isr: isr(wanted, flags), ifa: va)
      return true
    }
    if flags & UInt32(KT_ACCESS_UNALIGNED) != 0, !deferred(flags, dcrBit: nil) {
      unalignedReference(va, wanted, flags: flags)
      return true
    }
    return false
  }

  /// Memory that is not speculative gives nothing to a speculative or an advanced load (SDM vol. 2, 4.4.6): the access
  /// is given up once every fault has had its turn.
  private func refuseSpeculation(_ flags: UInt32) {
    if flags & UInt32(KT_ACCESS_SPECULATIVE | KT_ACCESS_ADVANCED) != 0 { pointee.deferral = 1 }
  }

  private func isSpeculative(_ flags: UInt32) -> Bool { flags & UInt32(KT_ACCESS_SPECULATIVE) != 0 }

  private func isFlush(_ flags: UInt32) -> Bool {
    flags & UInt32(KT_ACCESS_NONE) != 0 && NonAccess.code(flags) == NonAccess.fc
  }

  /// What a translation has against an access of privilege level `level`; a page that is not present hides the rest.
  private func objections(
    _ entry: UnsafeMutablePointer<kt_translation>, _ wanted: Access, level: Int
  ) -> Objections {
    let pte = PageTableEntry(bits: entry.pointee.pte)
    if !pte.present { return .notPresent }
    var found: Objections = pte.memoryAttribute == PageTableEntry.naTPage ? .naTPage : []
    if pointee.psr & PSR.pk != 0 {
      if let key = protectionKey(entry.pointee.key) {
        let denied = wanted.contains(.write) && key & 2 != 0 || wanted.contains(.read) && key & 4 != 0
        if denied { found.insert(.keyPermission) }
      } else {
        found.insert(.keyMiss)
      }
    }
    if !pte.rights(cpl: level).isSuperset(of: wanted) { found.insert(.rights) }
    if pointee.psr & PSR.da == 0 {
      if wanted.contains(.write), !pte.dirty { found.insert(.dirty) }
      if !pte.accessed { found.insert(.accessed) }
    }
    return found
  }

  /// Delivers the first objection that is not deferred; whether there was one.
  private func raises(_ objections: Objections, _ va: UInt64, _ wanted: Access, flags: UInt32) -> Bool {
    var rest = objections
    while let objection = rest.popFirst() {
      if objection == .naTPage {
        if !isSpeculative(flags) {
          naTPageConsumption(va, wanted, flags: flags)
          return true
        }
        pointee.deferral = 1
      } else if !deferred(flags, dcrBit: objection.deferralBit) {
        dataFault(objection.vector, va, wanted, flags: flags)
        return true
      }
    }
    return false
  }

  private func protectionKey(_ key: UInt32) -> UInt64? {
    for index in 0..<16 {
      let register = kt_protection_keys(self)[index]
      if register & 1 != 0, UInt32(register >> 8 & 0xff_ffff) == key { return register }
    }
    return nil
  }

  /// Whether a speculative load's fault is deferred (SDM vol. 2, 5.5.5), in a process always. `dcrBit` nil: no bit of cr.dcr
  /// has a say. If not, the fault is what is left of the access, whatever was deferred before.
  private func deferred(_ flags: UInt32, dcrBit: UInt64?) -> Bool {
    let always = pointee.is_process != 0 || pointee.psr & (PSR.ic | PSR.ed) != PSR.ic
    let byControl = dcrBit.map { pointee.cr_dcr & $0 != 0 } ?? true
    let isDeferred = isSpeculative(flags) && (always || byControl && codePageDefers())
    pointee.deferral = isDeferred ? 1 : 0
    return isDeferred
  }

  /// ITLB.ed of the page that holds the current instruction.
  func codePageDefers() -> Bool {
    guard pointee.psr & PSR.it != 0, let entry = findInstruction(pointee.ip) else { return false }
    return PageTableEntry(bits: entry.pointee.pte).exceptionDeferral
  }

  private func find(_ entries: UnsafeMutablePointer<kt_translation>, _ count: Int, _ va: UInt64, _ rid: UInt32)
    -> UnsafeMutablePointer<kt_translation>?
  {
    for index in 0..<count {
      let entry = entries + index
      if entry.pointee.valid != 0, entry.pointee.rid == rid,
        ((entry.pointee.va ^ va) & 0x1fff_ffff_ffff_ffff) >> UInt64(entry.pointee.ps) == 0
      {
        return entry
      }
    }
    return nil
  }

  func findData(_ va: UInt64) -> UnsafeMutablePointer<kt_translation>? {
    let rid = RegionRegister.identifier(regionRegister(of: va))
    return find(kt_dtr(self), Int(KT_DTR_COUNT), va, rid) ?? find(kt_dtc(self), Int(KT_DTC_COUNT), va, rid)
  }

  func findInstruction(_ va: UInt64) -> UnsafeMutablePointer<kt_translation>? {
    let rid = RegionRegister.identifier(regionRegister(of: va))
    return find(kt_itr(self), Int(KT_ITR_COUNT), va, rid) ?? find(kt_itc(self), Int(KT_ITC_COUNT), va, rid)
  }

  // MARK: Instruction side

  /// The privilege level that `epc` at `ip` gives: that of a page with access rights 7, level 0 in physical mode, else
  /// the present one (SDM vol. 3, epc).
  package func promotedLevel() -> Int {
    if pointee.is_process != 0 { return cpl }
    if pointee.psr & PSR.it == 0 { return 0 }
    guard let entry = findInstruction(pointee.ip) else { return cpl }
    return PageTableEntry(bits: entry.pointee.pte).promotesTo ?? cpl
  }

  /// Whether a branch or rfi to `ip` is a trap, the processor's state being that behind it (SDM vol. 2, 4.3.2 and
  /// 5.5.2).
  @inlinable @inline(__always) package func isUnimplemented(instruction ip: UInt64) -> Bool {
    ip & unimplementedPhysicalBits != 0 && pointee.psr & PSR.it == 0 && pointee.is_process == 0
  }

  /// The physical address of the bundle at `ip`, or nil after delivering the fault. The answer holds for the whole
  /// granule as long as `fetch_generation`, cpl and psr.it stay the same.
  package func resolveFetch(_ ip: UInt64) -> UInt64? {
    if pointee.is_process != 0 {
      if let page = machine.processMemory?.page(at: ip), page.rights.contains(.execute) { return ip }
      let mapped = machine.processMemory?.page(at: ip) != nil
      instructionFault(mapped ? .instructionAccessRights : .pageNotPresent, ip)
      return nil
    }
    if pointee.psr & PSR.it == 0 { return memoryOfCode(ip & ~(1 << 63)) }
    guard let entry = findInstruction(ip) ?? walk(ip, instruction: true, wanted: .execute, flags: 0) else { return nil }
    let pte = PageTableEntry(bits: entry.pointee.pte)
    if !pte.present { return refuseFetch(.pageNotPresent, ip) }
    if pte.memoryAttribute == PageTableEntry.naTPage { return refuseFetch(.naTConsumption, ip, code: 0x20) }
    if pointee.psr & PSR.pk != 0 {
      guard let key = protectionKey(entry.pointee.key) else { return refuseFetch(.instructionKeyMiss, ip) }
      if key & 8 != 0 { return refuseFetch(.keyPermission, ip) }
    }
    if !pte.rights(cpl: cpl).contains(.execute) { return refuseFetch(.instructionAccessRights, ip) }
    if !pte.accessed, pointee.psr & PSR.ia == 0 { return refuseFetch(.instructionAccessBit, ip) }
    return memoryOfCode(pte.physical(pageShift: UInt64(entry.pointee.ps), of: ip))
  }

  /// `physical` if there is memory; otherwise there is nothing to execute: what a machine check would end on hardware,
  /// the machine ends.
  private func memoryOfCode(_ physical: UInt64) -> UInt64? {
    if machine.host(physical: physical, length: 16) != nil { return physical }
    stop(KT_STOP_FATAL, detail: Int64(KT_FATAL_NO_CODE.rawValue))
    pointee.event_check = 1  // the engine's caller gets to know, whatever the engine was about to do
    return nil
  }

  private func refuseFetch(_ vector: Vector, _ ip: UInt64, code: UInt64 = 0) -> UInt64? {
    instructionFault(vector, ip, code: code)
    return nil
  }

  // MARK: The VHPT walker (SDM vol. 2, 4.1.5 to 4.1.7)

  /// What the walker found.
  private enum Walk {
    case inserted(UnsafeMutablePointer<kt_translation>)
    /// It is off.
    case off
    /// No translation for the table entry at this address.
    case noTable(UInt64)
    /// The entry at this address does not serve.
    case noEntry(UInt64)
  }

  /// Looks `va` up in the virtual hash page table and inserts what it finds, unless it has reserved bits or encodings.
  private func walkTable(_ va: UInt64, instruction: Bool) -> Walk {
    let rr = regionRegister(of: va)
    guard pointee.cr_pta & 1 != 0, RegionRegister.walker(rr), pointee.psr & PSR.dt != 0,
      !instruction || pointee.psr & PSR.ic != 0
    else { return .off }
    let address = hashAddress(va)
    guard let table = findData(address) else { return .noTable(address) }
    let pte = PageTableEntry(bits: table.pointee.pte)
    let place = pte.physical(pageShift: UInt64(table.pointee.ps), of: address)
    // What a reference at level 0 could not do, or not in write-back memory, ends the search.
    guard objections(table, .read, level: 0).isEmpty, pte.isWriteBack, !isWatched(tableEntry: address),
      let host = machine.host(physical: place, length: 32), let (bits, itir) = tableEntry(host, va, rr),
      isInsertable(bits, itir: itir)
    else { return .noEntry(address) }
    return .inserted(insert(va, pte: bits, itir: itir, instruction: instruction))
  }

  private func isWatched(tableEntry address: UInt64) -> Bool {
    pointee.psr & PSR.db != 0
      && meetsDataBreakpoint(address, .read, level: 0, size: pointee.cr_pta >> 8 & 1 != 0 ? 32 : 8)
  }

  /// As `walkTable`; where there is nothing, delivers the miss fault (or defers it) and gives nil.
  private func walk(_ va: UInt64, instruction: Bool, wanted: Access, flags: UInt32)
    -> UnsafeMutablePointer<kt_translation>?
  {
    switch walkTable(va, instruction: instruction) {
    case .inserted(let entry): return entry
    case .off:
      miss(instruction ? .alternateInstructionTLB : .alternateDataTLB, va, instruction, wanted, flags, iha: nil)
    case .noTable(let address):
      miss(.vhptTranslation, va, instruction, wanted, flags, iha: address, itirOf: address)
    case .noEntry(let address):
      miss(instruction ? .instructionTLB : .dataTLB, va, instruction, wanted, flags, iha: address)
    }
    return nil
  }

  /// Reads one table entry: short format (8 bytes) or long (32 bytes, with a tag), big-endian where dcr.be says so. nil:
  /// the entry does not serve.
  private func tableEntry(_ host: UnsafeMutableRawPointer, _ va: UInt64, _ rr: UInt64) -> (pte: UInt64, itir: UInt64)? {
    func word(_ index: Int) -> UInt64 {
      let value = host.load(fromByteOffset: 8 * index, as: UInt64.self)
      return pointee.cr_dcr & DCR.be != 0 ? value.byteSwapped : value
    }
    let bits = word(0)
    let pageShift = RegionRegister.pageShift(rr)
    if pointee.cr_pta >> 8 & 1 == 0 {
      return (bits, pageShift << 2 | UInt64(RegionRegister.identifier(rr)) << 8)
    }
    let tag = word(2)
    if tag >> 63 != 0 || tag != translationTag(va) { return nil }
    return (bits, word(1))
  }

  /// A miss's fault. `described`: the address that cr.itir is about, where that is not `va`.
  private func miss(
    _ vector: Vector, _ va: UInt64, _ instruction: Bool, _ wanted: Access, _ flags: UInt32, iha: UInt64?,
    itirOf described: UInt64? = nil
  ) {
    if instruction {
      if let iha { pointee.cr_iha = pointee.psr & PSR.ic != 0 ? iha : pointee.cr_iha }
      instructionFault(vector, va, itirOf: described)
      return
    }
    if pointee.psr & PSR.ic == 0 {
      if !deferred(flags, dcrBit: nil) { dataFault(.dataNestedTLB, va, wanted, flags: flags) }
      return
    }
    if deferred(flags, dcrBit: DCR.dm) { return }
    if let iha { pointee.cr_iha = iha }
    dataFault(vector, va, wanted, flags: flags, itirOf: described)
  }

  /// `thash`: address of the table entry for `va`.
  package func hashAddress(_ va: UInt64) -> UInt64 {
    let pta = pointee.cr_pta
    let rr = regionRegister(of: va)
    let mask = UInt64(1) << (pta >> 2 & 0x3f) - 1
    let page = (va & 0x1fff_ffff_ffff_ffff) >> RegionRegister.pageShift(rr)
    if pta >> 8 & 1 == 0 {
      let base = pta & 0x1fff_ffff_ffff_8000
      return va & (7 << 61) | ((base & ~mask | page << 3 & mask) & 0x1fff_ffff_ffff_ffff)
    }
    let hash = (page ^ UInt64(RegionRegister.identifier(rr))) << 5
    return pta & ~0x7fff & ~mask | hash & mask
  }

  /// `ttag`: the long format's tag for `va`; bit 63 is clear. With the hash it identifies (rid, page) uniquely.
  package func translationTag(_ va: UInt64) -> UInt64 {
    let rr = regionRegister(of: va)
    let page = (va & 0x1fff_ffff_ffff_ffff) >> RegionRegister.pageShift(rr)
    return (UInt64(RegionRegister.identifier(rr)) << 39 ^ page) & ~(1 << 63)
  }

  // MARK: Insertions and purges (SDM vol. 2, 4.1.1.1 to 4.1.1.4)

  /// Inserts into the instruction or data translation cache; the entry inserted.
  @discardableResult
  func insert(_ va: UInt64, pte: UInt64, itir: UInt64, instruction: Bool) -> UnsafeMutablePointer<kt_translation> {
    let shift = itir >> 2 & 0x3f
    let rid = RegionRegister.identifier(regionRegister(of: va))
    purgeCache(va, shift, rid, instruction: instruction)
    let entry: UnsafeMutablePointer<kt_translation>
    if instruction {
      entry = kt_itc(self) + Int(pointee.itc_next)
      pointee.itc_next = (pointee.itc_next + 1) % UInt32(KT_ITC_COUNT)
    } else {
      entry = kt_dtc(self) + Int(pointee.dtc_next)
      pointee.dtc_next = (pointee.dtc_next + 1) % UInt32(KT_DTC_COUNT)
    }
    evict(entry)
    set(entry, va, pte: pte, itir: itir, rid: rid)
    noteCached(entry.pointee)
    return entry
  }

  // MARK: What the translation caches may hold

  private func noteCached(_ entry: kt_translation) {
    if Int(entry.ps) > KT_CACHED_PAGES_SHIFT {
      pointee.cached_wide |= 1 << UInt64(entry.rid & 63)
    } else {
      let page = entry.va >> UInt64(KT_CACHED_PAGES_SHIFT)
      kt_cached_pages(self)[Int(page >> 6 & 7)] |= 1 << (page & 63)
    }
  }

  /// Makes `cached_pages` and `cached_wide` anew from what both caches hold. Whoever writes entries by himself calls it.
  package func noteCachedTranslations() {
    kt_cached_pages(self).update(repeating: 0, count: Int(KT_CACHED_PAGES_WORDS))
    pointee.cached_wide = 0
    for index in 0..<Int(KT_ITC_COUNT) where kt_itc(self)[index].valid != 0 { noteCached(kt_itc(self)[index]) }
    for index in 0..<Int(KT_DTC_COUNT) where kt_dtc(self)[index].valid != 0 { noteCached(kt_dtc(self)[index]) }
  }

  /// Whether a purge may find something: false for most pages that are not cached. Emitted code asks the same.
  private func mayBeCached(_ va: UInt64, _ shift: UInt64, _ rid: UInt32) -> Bool {
    if shift > UInt64(KT_CACHED_PAGES_SHIFT) || pointee.cached_wide >> UInt64(rid & 63) & 1 != 0 { return true }
    let page = va >> UInt64(KT_CACHED_PAGES_SHIFT)
    return kt_cached_pages(self)[Int(page >> 6 & 7)] >> (page & 63) & 1 != 0
  }

  private func set(_ entry: UnsafeMutablePointer<kt_translation>, _ va: UInt64, pte: UInt64, itir: UInt64, rid: UInt32) {
    let shift = itir >> 2 & 0x3f
    entry.pointee = kt_translation()
    entry.pointee.va = va & ~((1 << shift) - 1)
    entry.pointee.pte = pte
    entry.pointee.rid = rid
    entry.pointee.key = UInt32(itir >> 8 & 0xff_ffff)
    entry.pointee.ps = UInt8(shift)
    entry.pointee.valid = 1
  }

  private func evict(_ entry: UnsafeMutablePointer<kt_translation>) {
    guard entry.pointee.valid != 0 else { return }
    entry.pointee.valid = 0
    flushSoftwareTLB(va: entry.pointee.va, length: 1 << UInt64(entry.pointee.ps))
  }

  private func purge(_ entries: UnsafeMutablePointer<kt_translation>, _ count: Int, _ va: UInt64, _ shift: UInt64, _ rid: UInt32) {
    var entry = entries
    let end = entries + count
    // Most entries are of other regions: one comparison each.
    while entry < end {
      if entry.pointee.rid == rid && entry.pointee.valid != 0 {
        let wider = max(shift, UInt64(entry.pointee.ps))
        if ((entry.pointee.va ^ va) & 0x1fff_ffff_ffff_ffff) >> wider == 0 { evict(entry) }
      }
      entry += 1
    }
  }

  private func purgeCache(_ va: UInt64, _ shift: UInt64, _ rid: UInt32, instruction: Bool) {
    if instruction {
      purge(kt_itc(self), Int(KT_ITC_COUNT), va, shift, rid)
    } else {
      purge(kt_dtc(self), Int(KT_DTC_COUNT), va, shift, rid)
    }
  }

  /// `itc.i`, `itc.d`: cr.ifa and cr.itir say what is mapped.
  package func insertTranslationCache(_ pte: UInt64, instruction: Bool) -> Status {
    guard isInsertable(pte, itir: pointee.cr_itir) else { return reservedRegisterField() }
    insert(pointee.cr_ifa, pte: pte, itir: pointee.cr_itir, instruction: instruction)
    return .done
  }

  /// `itr.i`, `itr.d`.
  package func insertTranslationRegister(slot: UInt64, _ pte: UInt64, instruction: Bool) -> Status {
    let index = Int(slot & 0xff)
    guard index < Int(KT_ITR_COUNT), isInsertable(pte, itir: pointee.cr_itir) else { return reservedRegisterField() }
    let va = pointee.cr_ifa
    let shift = pointee.cr_itir >> 2 & 0x3f
    let rid = RegionRegister.identifier(regionRegister(of: va))
    purgeCache(va, shift, rid, instruction: instruction)
    let entry = (instruction ? kt_itr(self) : kt_dtr(self)) + index
    evict(entry)
    set(entry, va, pte: pte, itir: pointee.cr_itir, rid: rid)
    pointee.fetch_generation += 1
    return .done
  }

  /// Whether a translation has neither reserved bits nor reserved encodings (SDM vol. 2, 4.1.1.5).
  private func isInsertable(_ pte: UInt64, itir: UInt64) -> Bool {
    guard insertablePageShifts >> (itir >> 2 & 0x3f) & 1 != 0, itir & 3 == 0, itir >> 32 == 0 else { return false }
    if pte & 1 == 0 { return true }  // not present: the other fields are ignored
    let attribute = pte >> 2 & 7
    return pte & (1 << 1 | 3 << 50) == 0 && (attribute == 0 || attribute >= 4)
  }

  /// `ptc.l`: purges both caches; `size` is the operand (log2 in bits 7:2).
  package func purgeTranslationCache(_ va: UInt64, size: UInt64) {
    purgeTranslationCache(va, size >> 2 & 0x3f, RegionRegister.identifier(regionRegister(of: va)))
  }

  private func purgeTranslationCache(_ va: UInt64, _ shift: UInt64, _ rid: UInt32) {
    guard mayBeCached(va, shift, rid) else { return }
    purgeCache(va, shift, rid, instruction: true)
    purgeCache(va, shift, rid, instruction: false)
    noteCachedTranslations()
  }

  /// `ptc.g`: in every processor, by the region identifier that this one has. `ptc.ga`: as pages of ALAT entries may come to
  /// other addresses, those go too.
  package func purgeGlobally(_ va: UInt64, size: UInt64, alat: Bool) {
    let rid = RegionRegister.identifier(regionRegister(of: va))
    for cpu in machine.cpus {
      if alat { cpu.alatClear() }
      cpu.purgeTranslationCache(va, size >> 2 & 0x3f, rid)
      if cpu != self { cpu.pointee.event_check = 1 }
    }
  }

  /// `ptc.e`: purges every cache entry.
  package func purgeAllTranslationCaches() {
    for index in 0..<Int(KT_ITC_COUNT) { kt_itc(self)[index].valid = 0 }
    for index in 0..<Int(KT_DTC_COUNT) { kt_dtc(self)[index].valid = 0 }
    noteCachedTranslations()
    flushSoftwareTLB()
  }

  /// `ptr.i`, `ptr.d`: purges translation registers and cache entries of one side.
  package func purgeTranslationRegister(_ va: UInt64, size: UInt64, instruction: Bool) {
    let shift = size >> 2 & 0x3f
    let rid = RegionRegister.identifier(regionRegister(of: va))
    if instruction {
      purge(kt_itr(self), Int(KT_ITR_COUNT), va, shift, rid)
    } else {
      purge(kt_dtr(self), Int(KT_DTR_COUNT), va, shift, rid)
    }
    purgeCache(va, shift, rid, instruction: instruction)
  }

  // MARK: Region and protection key registers

  /// mov rr[index] = value: the region is in bits 63:61 of `index`.
  package func writeRegionRegister(_ index: UInt64, _ value: UInt64) -> Status {
    let shift = RegionRegister.pageShift(value)
    guard value & (1 << 1) == 0, value >> 32 == 0, insertablePageShifts >> shift & 1 != 0 else {
      return reservedRegisterField()
    }
    let region = Int(index >> 61)
    if kt_region_registers(self)[region] != value {
      kt_region_registers(self)[region] = value
      flushSoftwareTLB()
    }
    return .done
  }

  package func readRegionRegister(_ index: UInt64) -> UInt64 { kt_region_registers(self)[Int(index >> 61)] }

  package func writeProtectionKey(_ index: UInt64, _ value: UInt64) -> Status {
    guard index & 0xff < 16, value & 0xf0 == 0, value >> 32 == 0 else { return reservedRegisterField() }
    // A valid key stands in one register only.
    if value & 1 != 0 {
      for other in 0..<16 where kt_protection_keys(self)[other] & 1 != 0 && kt_protection_keys(self)[other] >> 8 == value >> 8 {
        kt_protection_keys(self)[other] &= ~1
      }
    }
    kt_protection_keys(self)[Int(index & 0xff)] = value
    flushSoftwareTLB()
    return .done
  }

  // MARK: Questions about translations

  /// `tpa`: the physical address, or nil after the fault.
  package func translateToPhysical(_ va: UInt64) -> UInt64? {
    // psr.dt is no matter here: it only says whether the table is walked.
    if pointee.is_process != 0 { return va }
    let flags = NonAccess.flags(NonAccess.tpa)
    guard let entry = findData(va) ?? walk(va, instruction: false, wanted: [], flags: flags) else { return nil }
    if raises(objections(entry, [], level: 0).intersection([.notPresent, .naTPage]), va, [], flags: flags) { return nil }
    return PageTableEntry(bits: entry.pointee.pte).physical(pageShift: UInt64(entry.pointee.ps), of: va)
  }

  /// `tak`: the protection key in the form of the instruction's result (1 where there is no translation).
  package func accessKey(_ va: UInt64) -> UInt64 {
    var entry = findData(va)
    if entry == nil, case .inserted(let found) = walkTable(va, instruction: false) { entry = found }
    guard let entry, PageTableEntry(bits: entry.pointee.pte).present else { return 1 }
    return UInt64(entry.pointee.key) << 8
  }

  /// `probe`: whether level `level` may do `wanted` at `va`; nil after a fault (miss, not present, NaT page, key).
  package func probe(_ va: UInt64, _ wanted: Access, level: Int) -> Bool? {
    if pointee.is_process != 0 {
      return machine.processMemory?.page(at: va)?.rights.isSuperset(of: wanted) ?? false
    }
    let flags = NonAccess.flags(NonAccess.probe)
    guard let entry = findData(va) ?? walk(va, instruction: false, wanted: wanted, flags: flags) else { return nil }
    let objections = objections(entry, wanted, level: level)
    if raises(objections.intersection([.notPresent, .naTPage, .keyMiss]), va, wanted, flags: flags) { return nil }
    return objections.isDisjoint(with: [.keyPermission, .rights])
  }

  /// `probe.fault`: faults as the access itself would, at the less privileged of `level` and the current one.
  /// lfetch.fault too, with its own `code`.
  package func probeFault(
    _ va: UInt64, _ wanted: Access, level: Int, code: UInt64 = NonAccess.probeFault
  ) -> Status {
    if case .fault = place(of: va, wanted, flags: NonAccess.flags(code), level: max(level, cpl)) {
      return .interruptedOrStopped(self)
    }
    return .done
  }
}
