// The architectural state of a processor as a row of 64-bit words that two processes can compare: no host addresses,
// floating-point registers in canonical form, stacked registers by their place in the frame, the register stack engine
// as backing store pointers and counts.
//
// One function, `visit`, walks the state; capturing the words and naming them are two visitors of it, so that a word
// can't have the wrong name.
import CSupport
import Machine

/// Takes the state in a fixed order.
protocol StateVisitor {
  mutating func word(_ name: StaticString, _ value: @autoclosure () -> UInt64)
  /// `count` words at `pointer`, named `name` and a number from `first` on.
  mutating func words(_ name: StaticString, _ pointer: UnsafePointer<UInt64>?, _ count: Int, first: Int)
  /// `count` bytes of 0 or 1 as bits of words; bit n stands for register `first` + n.
  mutating func bits(_ name: StaticString, _ pointer: UnsafePointer<UInt8>?, _ count: Int, first: Int)
  mutating func floats(_ cpu: CPU?)
  /// The current frame's stacked registers, at most 96, and their NaT bits; what lies beyond sof is zero.
  mutating func frame(_ cpu: CPU?)
  mutating func translations(_ name: StaticString, _ pointer: UnsafePointer<kt_translation>?, _ count: Int)
}

/// How many stacked registers a frame can have (SDM vol. 1, 4.1).
let frameCapacity = 96

/// Walks the state of `cpu`; without one, its shape alone.
@inline(__always)
func visit<V: StateVisitor>(_ cpu: CPU?, _ v: inout V) {
  v.word("ip", cpu.unsafelyUnwrapped.pointee.ip | UInt64(cpu.unsafelyUnwrapped.pointee.ri))
  v.word("psr", cpu.unsafelyUnwrapped.pointee.psr)
  v.word("cfm", cpu.unsafelyUnwrapped.pointee.cfm)
  v.words("r", cpu.map { UnsafePointer($0.staticGR) }, 32, first: 0)
  v.frame(cpu)
  v.bits("nat.r", cpu.map { UnsafePointer($0.staticNaT) }, 32, first: 0)
  v.bits("p", cpu.map { UnsafePointer($0.predicates) }, 64, first: 0)
  v.words("b", cpu.map { UnsafePointer($0.branches) }, 8, first: 0)
  visitApplicationRegisters(cpu, &v)
  visitRegisterStack(cpu, &v)
  v.floats(cpu)
  v.words("bank.r", cpu.map { UnsafePointer(kt_bank_gr($0)) }, 16, first: 16)
  v.bits("bank.nat.r", cpu.map { UnsafePointer(kt_bank_nat($0)) }, 16, first: 16)
  visitControlRegisters(cpu, &v)
  v.words("rr", cpu.map { UnsafePointer(kt_region_registers($0)) }, 8, first: 0)
  v.words("pkr", cpu.map { UnsafePointer(kt_protection_keys($0)) }, 16, first: 0)
  v.words("dbr", cpu.map { UnsafePointer(kt_data_breakpoints($0)) }, 16, first: 0)
  v.words("ibr", cpu.map { UnsafePointer(kt_instruction_breakpoints($0)) }, 16, first: 0)
  v.words("pmc", cpu.map { UnsafePointer(kt_pmc($0)) }, 32, first: 0)
  v.words("pmd", cpu.map { UnsafePointer(kt_pmd($0)) }, 32, first: 0)
  v.words("cpuid", cpu.map { UnsafePointer(kt_cpuid($0)) }, 8, first: 0)
  v.word("alat digest", cpu.unsafelyUnwrapped.alatDigest)
}

@inline(__always)
private func visitApplicationRegisters<V: StateVisitor>(_ cpu: CPU?, _ v: inout V) {
  v.word("ar.lc", cpu.unsafelyUnwrapped.pointee.ar_lc)
  v.word("ar.ec", cpu.unsafelyUnwrapped.pointee.ar_ec)
  v.word("ar.pfs", cpu.unsafelyUnwrapped.pointee.ar_pfs)
  v.word("ar.ccv", cpu.unsafelyUnwrapped.pointee.ar_ccv)
  v.word("ar.unat", cpu.unsafelyUnwrapped.pointee.ar_unat)
  v.word("ar.fpsr", cpu.unsafelyUnwrapped.pointee.ar_fpsr)
  v.words("ar.k", cpu.map { UnsafePointer(kt_kernel_registers($0)) }, 8, first: 0)
  v.word("ar.fcr", cpu.unsafelyUnwrapped.pointee.ar_fcr)
  v.word("ar.eflag", cpu.unsafelyUnwrapped.pointee.ar_eflag)
  v.word("ar.csd", cpu.unsafelyUnwrapped.pointee.ar_csd)
  v.word("ar.ssd", cpu.unsafelyUnwrapped.pointee.ar_ssd)
  v.word("ar.cflg", cpu.unsafelyUnwrapped.pointee.ar_cflg)
  v.word("ar.fsr", cpu.unsafelyUnwrapped.pointee.ar_fsr)
  v.word("ar.fir", cpu.unsafelyUnwrapped.pointee.ar_fir)
  v.word("ar.fdr", cpu.unsafelyUnwrapped.pointee.ar_fdr)
  v.word("itc offset", cpu.unsafelyUnwrapped.pointee.itc_offset)
}

@inline(__always)
private func visitRegisterStack<V: StateVisitor>(_ cpu: CPU?, _ v: inout V) {
  v.word("ar.rsc", cpu.unsafelyUnwrapped.pointee.ar_rsc)
  v.word("ar.bsp", cpu.unsafelyUnwrapped.readBSP())
  v.word("ar.bspstore", cpu.unsafelyUnwrapped.pointee.ar_bspstore)
  v.word("ar.rnat", cpu.unsafelyUnwrapped.pointee.ar_rnat)
  v.word("rse dirty registers", distance(cpu.unsafelyUnwrapped.pointee.store_position, cpu.unsafelyUnwrapped.pointee.bof))
  v.word(
    "rse clean registers",
    distance(cpu.unsafelyUnwrapped.pointee.load_position, cpu.unsafelyUnwrapped.pointee.store_position))
  v.word("rse incomplete frame", UInt64(cpu.unsafelyUnwrapped.pointee.frame_incomplete))
}

@inline(__always) private func distance(_ low: Int64, _ high: Int64) -> UInt64 { UInt64(bitPattern: high &- low) }

@inline(__always)
private func visitControlRegisters<V: StateVisitor>(_ cpu: CPU?, _ v: inout V) {
  v.word("cr.dcr", cpu.unsafelyUnwrapped.pointee.cr_dcr)
  v.word("cr.itm", cpu.unsafelyUnwrapped.pointee.cr_itm)
  v.word("cr.iva", cpu.unsafelyUnwrapped.pointee.cr_iva)
  v.word("cr.pta", cpu.unsafelyUnwrapped.pointee.cr_pta)
  v.word("cr.ipsr", cpu.unsafelyUnwrapped.pointee.cr_ipsr)
  v.word("cr.isr", cpu.unsafelyUnwrapped.pointee.cr_isr)
  v.word("cr.iip", cpu.unsafelyUnwrapped.pointee.cr_iip)
  v.word("cr.ifa", cpu.unsafelyUnwrapped.pointee.cr_ifa)
  v.word("cr.itir", cpu.unsafelyUnwrapped.pointee.cr_itir)
  v.word("cr.iipa", cpu.unsafelyUnwrapped.pointee.cr_iipa)
  v.word("cr.ifs", cpu.unsafelyUnwrapped.pointee.cr_ifs)
  v.word("cr.iim", cpu.unsafelyUnwrapped.pointee.cr_iim)
  v.word("cr.iha", cpu.unsafelyUnwrapped.pointee.cr_iha)
  v.word("cr.lid", cpu.unsafelyUnwrapped.pointee.cr_lid)
  v.word("cr.tpr", cpu.unsafelyUnwrapped.pointee.cr_tpr)
  v.words("cr.irr", cpu.map { UnsafePointer(kt_irr($0)) }, 4, first: 0)
  v.word("cr.itv", cpu.unsafelyUnwrapped.pointee.cr_itv)
  v.word("cr.pmv", cpu.unsafelyUnwrapped.pointee.cr_pmv)
  v.word("cr.cmcv", cpu.unsafelyUnwrapped.pointee.cr_cmcv)
  v.words("cr.lrr", cpu.map { UnsafePointer(kt_lrr($0)) }, 2, first: 0)
  v.words("in service", cpu.map { UnsafePointer(kt_in_service($0)) }, 4, first: 0)
}

/// The translations, which change seldom: walked apart.
@inline(__always)
func visitTranslations<V: StateVisitor>(_ cpu: CPU?, _ v: inout V) {
  v.translations("itr", cpu.map { UnsafePointer(kt_itr($0)) }, Int(KT_ITR_COUNT))
  v.translations("dtr", cpu.map { UnsafePointer(kt_dtr($0)) }, Int(KT_DTR_COUNT))
  v.translations("itc", cpu.map { UnsafePointer(kt_itc($0)) }, Int(KT_ITC_COUNT))
  v.translations("dtc", cpu.map { UnsafePointer(kt_dtc($0)) }, Int(KT_DTC_COUNT))
}

// MARK: Capturing

private struct CapturingVisitor: StateVisitor {
  var next: UnsafeMutablePointer<UInt64>

  @inline(__always) mutating func word(_ name: StaticString, _ value: @autoclosure () -> UInt64) {
    next.pointee = value()
    next += 1
  }
  @inline(__always)
  mutating func words(_ name: StaticString, _ pointer: UnsafePointer<UInt64>?, _ count: Int, first: Int) {
    next.update(from: pointer.unsafelyUnwrapped, count: count)
    next += count
  }
  @inline(__always)
  mutating func bits(_ name: StaticString, _ pointer: UnsafePointer<UInt8>?, _ count: Int, first: Int) {
    next.pointee = packed(pointer.unsafelyUnwrapped, count)
    next += 1
  }
  @inline(__always) private func packed(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> UInt64 {
    var word: UInt64 = 0
    for group in 0..<(count / 8) {
      // Each byte is 0 or 1: the product gathers the eight low bits in the top byte.
      let eight = UnsafeRawPointer(bytes + 8 * group).loadUnaligned(as: UInt64.self)
      word |= (((eight & 0x0101_0101_0101_0101) &* 0x0102_0408_1020_4080) >> 56) << UInt64(8 * group)
    }
    return word
  }
  @inline(__always) mutating func floats(_ cpu: CPU?) {
    let cpu = cpu.unsafelyUnwrapped
    let floats = cpu.floats
    for n in 0..<128 {
      var value = floats[n]
      if value.sign_exponent & KT_FR_PACKED_DOUBLE != 0 { value = cpu.unpack(value) }
      next[2 * n] = value.sign_exponent
      next[2 * n + 1] = value.significand
    }
    next += 256
  }
  @inline(__always) mutating func frame(_ cpu: CPU?) {
    let cpu = cpu.unsafelyUnwrapped
    let size = min(cpu.sof, frameCapacity)
    next.update(from: cpu.pointee.frame, count: size)
    (next + size).update(repeating: 0, count: frameCapacity - size)
    next += frameCapacity
    next[0] = 0
    next[1] = 0
    if cpu.pointee.ring_has_nat != 0 {
      for offset in 0..<size where cpu.pointee.frame_nat[offset] != 0 { next[offset >> 6] |= 1 << UInt64(offset & 63) }
    }
    next += 2
  }
  @inline(__always)
  mutating func translations(_ name: StaticString, _ pointer: UnsafePointer<kt_translation>?, _ count: Int) {
    for index in 0..<count {
      let entry = pointer.unsafelyUnwrapped[index]
      // An entry that is not valid holds nothing, whatever its other fields say.
      next[0] = entry.valid != 0 ? entry.va : 0
      next[1] = entry.valid != 0 ? entry.pte : 0
      next[2] = entry.valid != 0 ? UInt64(entry.rid) | UInt64(entry.key) << 24 : 0
      next[3] = entry.valid != 0 ? UInt64(entry.ps) | 1 << 8 : 0
      next += 4
    }
  }
}

// MARK: Naming

/// What a word of an image means.
enum WordMeaning: Sendable {
  case value(String)
  /// Bits of registers from this number on, with the prefix of their names.
  case bits(String, first: Int)
  case stacked(offset: Int)
  case stackedNaT(first: Int)
  case floatSignExponent(Int)
  case floatSignificand(Int)
}

private struct NamingVisitor: StateVisitor {
  var meanings: [WordMeaning] = []

  mutating func word(_ name: StaticString, _ value: @autoclosure () -> UInt64) { meanings.append(.value("\(name)")) }
  mutating func words(_ name: StaticString, _ pointer: UnsafePointer<UInt64>?, _ count: Int, first: Int) {
    // cpuid, pmd and the like are written with brackets, as the assembler does.
    let indexed = ["rr", "pkr", "dbr", "ibr", "pmc", "pmd", "cpuid", "in service"].contains("\(name)")
    for n in first..<(first + count) { meanings.append(.value(indexed ? "\(name)[\(n)]" : "\(name)\(n)")) }
  }
  mutating func bits(_ name: StaticString, _ pointer: UnsafePointer<UInt8>?, _ count: Int, first: Int) {
    meanings.append(.bits("\(name)", first: first))
  }
  mutating func floats(_ cpu: CPU?) {
    for n in 0..<128 { meanings += [.floatSignExponent(n), .floatSignificand(n)] }
  }
  mutating func frame(_ cpu: CPU?) {
    for offset in 0..<frameCapacity { meanings.append(.stacked(offset: offset)) }
    meanings += [.stackedNaT(first: 0), .stackedNaT(first: 64)]
  }
  mutating func translations(_ name: StaticString, _ pointer: UnsafePointer<kt_translation>?, _ count: Int) {
    for index in 0..<count {
      for field in ["va", "pte", "rid and key", "page size"] { meanings.append(.value("\(name)[\(index)] \(field)")) }
    }
  }
}

/// A processor's state in words.
package enum StateImage {
  private static let stateMeanings: [WordMeaning] = {
    var visitor = NamingVisitor()
    visit(nil, &visitor)
    return visitor.meanings
  }()
  static let meanings: [WordMeaning] = {
    var visitor = NamingVisitor(meanings: stateMeanings)
    visitTranslations(nil, &visitor)
    return visitor.meanings
  }()

  /// Words of the state without translations, and with them.
  package static let stateWords = stateMeanings.count
  package static let allWords = meanings.count
  /// Where ip, psr and cfm stand.
  package static let ipWord = 0, psrWord = 1, cfmWord = 2

  /// Writes the state of `cpu` to `words`, `stateWords` of them, or `allWords` with `translations`.
  package static func capture(_ cpu: CPU, into words: UnsafeMutablePointer<UInt64>, translations: Bool) {
    var visitor = CapturingVisitor(next: words)
    visit(cpu, &visitor)
    if translations { visitTranslations(cpu, &visitor) }
  }
}
