// Compares a processor with the final state of a vector. What the vector does not name must be as it was: registers are
// followed by where they are, not by number, so that a call, a return or a rotation changes no register by itself.
import CSupport
import Glibc
import Machine

extension VectorMachine {
  /// The fields that are not as `vector` says.
  func compare(_ vector: StateVector) -> [VectorDifference] {
    var comparison = Comparison(self, vector.final, vector.initial, vector.ignore)
    comparison.compareStatus()
    comparison.compareGeneral()
    comparison.compareOthers()
    comparison.compareStack()
    comparison.compareTranslations()
    comparison.compareAdvanced()
    comparison.compareInterrupts()
    comparison.compareMemory()
    return comparison.differences
  }
}

private struct Comparison {
  let owner: VectorMachine
  let cpu: CPU
  /// The state before, with its own copies of rings.
  let before: CPU
  let final: VectorState
  let initial: VectorState
  let ignore: Set<String>
  /// psr and cfm as they ought to be: the register numbers of `final` are meant under these.
  let psr: UInt64
  let cfm: UInt64
  var differences: [VectorDifference] = []

  init(_ owner: VectorMachine, _ final: VectorState, _ initial: VectorState, _ ignore: Set<String>) {
    self.owner = owner
    cpu = owner.cpu
    before = owner.before
    self.final = final
    self.initial = initial
    self.ignore = ignore
    psr = (final.psr ?? owner.before.pointee.psr) & ~PSR.ri
    cfm = final.cfm ?? owner.before.pointee.cfm
  }

  /// Whether `name` or a part of a path that leads to it is ignored.
  private func isIgnored(_ name: String) -> Bool {
    if ignore.isEmpty { return false }
    var end = name.endIndex
    while true {
      if ignore.contains(String(name[..<end])) { return true }
      guard let dot = name[..<end].lastIndex(of: ".") else { return false }
      end = dot
    }
  }

  private mutating func report(_ name: String, _ expected: String, _ actual: String) {
    if !isIgnored(name) { differences.append(VectorDifference(field: name, expected: expected, actual: actual)) }
  }

  private mutating func compare(_ name: @autoclosure () -> String, _ expected: UInt64, _ actual: UInt64) {
    if expected != actual { report(name(), hexadecimal(expected), hexadecimal(actual)) }
  }

  private mutating func compareNaT(_ name: @autoclosure () -> String, _ expected: Bool, _ actual: Bool) {
    if expected != actual { report(name(), expected ? "NaT" : "no NaT", actual ? "NaT" : "no NaT") }
  }

  // MARK: Registers

  mutating func compareStatus() {
    let oldIP = before.pointee.ip | UInt64(before.pointee.ri)
    compare("ip", final.ip ?? oldIP, cpu.pointee.ip | UInt64(cpu.pointee.ri))
    compare("psr", psr, cpu.pointee.psr)
    compare("cfm", cfm, cpu.pointee.cfm)
  }

  mutating func compareGeneral() {
    for number in 1..<16 { compareStatic(number, before.staticGR, before.staticNaT, 0) }
    // The banks by what they hold, then by the names that the final state gives them.
    let swapped = (psr ^ before.pointee.psr) & PSR.bn != 0
    let activeGR = swapped ? kt_bank_gr(before) : before.staticGR + 16
    let activeNaT = swapped ? kt_bank_nat(before) : before.staticNaT + 16
    for number in 16..<32 { compareStatic(number, activeGR, activeNaT, 16) }
    let bankGR = swapped ? before.staticGR + 16 : kt_bank_gr(before)
    let bankNaT = swapped ? before.staticNaT + 16 : kt_bank_nat(before)
    for number in 16..<32 {
      let index = number - 16
      compare("bank.gr.\(number)", final.bankGR[number] ?? bankGR[index], kt_bank_gr(cpu)[index])
      compareNaT(
        "bank.nat.\(number)", final.bankNaT?.contains(number) ?? (bankNaT[index] != 0), kt_bank_nat(cpu)[index] != 0)
    }
    compareStacked()
  }

  private mutating func compareStatic(
    _ number: Int, _ values: UnsafeMutablePointer<UInt64>, _ nats: UnsafeMutablePointer<UInt8>, _ base: Int
  ) {
    compareRegister(number, values[number - base], nats[number - base] != 0, cpu.staticGR[number], cpu.staticNaT[number])
  }

  private mutating func compareRegister(_ number: Int, _ old: UInt64, _ oldNaT: Bool, _ value: UInt64, _ nat: UInt8) {
    let expectedNaT = final.nat?.contains(number) ?? oldNaT
    compareNaT("nat.\(number)", expectedNaT, nat != 0)
    // What stands beside a NaT bit counts only where the vector names it.
    if expectedNaT && nat != 0 && final.gr[number] == nil { return }
    compare("gr.\(number)", final.gr[number] ?? old, value)
  }

  private mutating func compareStacked() {
    guard cfm == cpu.pointee.cfm else { return }
    // Registers that an incomplete frame still lacks hold nothing.
    let present = max(0, cpu.pointee.load_position - cpu.pointee.bof)
    for number in 32..<(32 + cpu.sof) {
      let offset = cpu.stackedOffset(number)
      if cpu.pointee.frame_incomplete != 0 && Int64(offset) < present { continue }
      let index = Int((cpu.pointee.bof + Int64(offset)) & cpu.ringIndexMask)
      compareRegister(
        number, owner.ringBefore[index], owner.ringNaTBefore[index] != 0, cpu.pointee.frame[offset],
        cpu.pointee.frame_nat[offset])
    }
  }

  mutating func compareOthers() {
    compareFloats()
    var predicates: UInt64 = 0, old: UInt64 = 0
    for number in 0..<64 {
      predicates |= UInt64(cpu.predicates[number]) << UInt64(number)
      old |= UInt64(before.predicates[number]) << UInt64(number)
    }
    compare("pr", (final.pr ?? old) | 1, predicates)
    for file in RegisterFile.allCases {
      let new = file.storage(cpu), old = file.storage(before)
      for number in 0..<file.count {
        compare("\(file.rawValue).\(number)", final.files[file]?[number] ?? old[number], new[number])
      }
    }
    for register in NamedRegister.all where !register.name.hasPrefix("cr.irr") {
      // Which bundle completed last is known for traps only (Documentation/errata.md).
      if register.name == "cr.iipa" && final.named["cr.iipa"] == nil { continue }
      compare(
        register.name, final.named[register.name] ?? before.pointee[keyPath: register.path],
        cpu.pointee[keyPath: register.path])
    }
    // Time goes on by itself: the counter is compared where it is named.
    if let counter = final.named["ar.itc"] { compare("ar.itc", counter, cpu.readITC()) }
  }

  private mutating func compareFloats() {
    for physical in 0..<128 {
      var number = physical
      if physical >= 32 {
        number = physical - CFM.rrbFR(cfm)
        if number < 32 { number += 96 }
      }
      let new = cpu.unpack(cpu.floats[physical]), old = before.unpack(before.floats[physical])
      let expected = final.fr[number] ?? (old.sign_exponent, old.significand)
      if expected != (new.sign_exponent, new.significand) {
        report("fr.\(number)", text(expected.0, expected.1), text(new.sign_exponent, new.significand))
      }
    }
  }

  private func text(_ exponent: UInt64, _ significand: UInt64) -> String {
    "[\(hexadecimal(exponent)), \(hexadecimal(significand, digits: 16))]"
  }

  // MARK: Register stack

  mutating func compareStack() {
    compare("ar.bsp", expectedBSP, cpu.readBSP())
    let dirty = max(0, Int(cpu.pointee.bof - cpu.pointee.store_position))
    let clean = max(0, Int(min(cpu.pointee.store_position, cpu.pointee.bof) - cpu.pointee.load_position))
    // Software can't see them, and a register stack engine may forget any: fewer are right, too.
    let allowed = final.clean ?? initial.clean ?? 0
    if clean > allowed { report("rse.clean", "\(allowed) or fewer", "\(clean)") }
    let incomplete = final.incomplete ?? initial.incomplete ?? false
    if incomplete != (cpu.pointee.frame_incomplete != 0) {
      report("rse.incomplete", "\(incomplete)", "\(!incomplete)")
    }
    let expected = final.dirty ?? initial.dirty ?? []
    if expected.count != dirty { return report("rse.dirty", "\(expected.count) registers", "\(dirty) registers") }
    for (offset, register) in expected.enumerated() {
      let index = Int((cpu.pointee.store_position + Int64(offset)) & cpu.ringIndexMask)
      let nat = cpu.pointee.ring_nat[index] != 0
      compareNaT("rse.dirty.\(offset).nat", register.nat, nat)
      if !nat { compare("rse.dirty.\(offset)", register.value, cpu.pointee.ring[index]) }
    }
  }

  /// ar.bsp where the vector names it, else what follows from the backing store pointer and the dirty registers.
  private var expectedBSP: UInt64 {
    if let bsp = final.named["ar.bsp"] { return bsp }
    if final.incomplete ?? initial.incomplete ?? false { return cpu.readBSP() }
    let bspstore = final.named["ar.bspstore"] ?? before.pointee.ar_bspstore
    return skipRegisters(bspstore, Int64((final.dirty ?? initial.dirty ?? []).count))
  }

  // MARK: Translations and interrupts

  mutating func compareTranslations() {
    for file in TranslationFile.allCases {
      let expected = final.translations[file] ?? initial.translations[file] ?? []
      let actual = present(file)
      if file.isCache {
        if Set(expected) != Set(actual) { report(file.rawValue, text(expected), text(actual)) }
        continue
      }
      for slot in 0..<file.count {
        let wanted = expected.filter { $0.slot == slot }, found = actual.filter { $0.slot == slot }
        if wanted != found { report("\(file.rawValue).\(slot)", text(wanted), text(found)) }
      }
    }
  }

  /// The ALAT: entries belong to physical registers, and so stay the same where a call or a rotation renames them.
  mutating func compareAdvanced() {
    let expected = final.alat.map { $0.map { $0.entry(cpu) } } ?? owner.advancedBefore, actual = owner.advanced
    let wanted = expected.map(text).sorted(), found = actual.map(text).sorted()
    if wanted != found { report("alat", wanted.joined(separator: " "), found.joined(separator: " ")) }
  }

  private func text(_ entry: kt_alat_entry) -> String {
    "{register \(hexadecimal(entry.tag)) pa \(hexadecimal(entry.physical)) size \(entry.size)}"
  }

  private func present(_ file: TranslationFile) -> [VectorTranslation] {
    let entries = file.storage(cpu)
    return (0..<file.count).filter { entries[$0].valid != 0 }.map { index in
      let entry = entries[index]
      return VectorTranslation(
        slot: file.isCache ? nil : index, va: entry.va, ps: Int(entry.ps), pte: entry.pte, rid: UInt64(entry.rid),
        key: UInt64(entry.key))
    }
  }

  private func text(_ translations: [VectorTranslation]) -> String {
    if translations.isEmpty { return "empty" }
    let sorted = translations.sorted { ($0.rid, $0.va) < ($1.rid, $1.va) }
    return sorted.map {
      "{va \(hexadecimal($0.va)) ps \($0.ps) pte \(hexadecimal($0.pte)) rid \(hexadecimal($0.rid)) key \(hexadecimal($0.key))}"
    }.joined(separator: " ")
  }

  mutating func compareInterrupts() {
    compareSet("pending", final.pending, kt_irr(before), kt_irr(cpu))
    compareSet("inservice", final.inService, kt_in_service(before), kt_in_service(cpu))
    for word in 0..<4 {
      if let named = final.named["cr.irr\(word)"] { compare("cr.irr\(word)", named, kt_irr(cpu)[word]) }
    }
  }

  private mutating func compareSet(
    _ name: String, _ expected: Set<Int>?, _ old: UnsafeMutablePointer<UInt64>, _ new: UnsafeMutablePointer<UInt64>
  ) {
    func members(_ words: UnsafeMutablePointer<UInt64>) -> Set<Int> {
      Set((0..<256).filter { words[$0 >> 6] >> UInt64($0 & 63) & 1 != 0 })
    }
    let irrNamed = name == "pending" && (0..<4).contains { final.named["cr.irr\($0)"] != nil }
    if expected == nil && irrNamed { return }
    let wanted = expected ?? members(old), found = members(new)
    if wanted != found { report(name, "\(wanted.sorted())", "\(found.sorted())") }
  }

  // MARK: Memory

  mutating func compareMemory() {
    var whole = initial
    whole.ram += final.ram
    let expected = whole.pages
    var used: Set<UInt64> = []
    owner.forEachUsedPage { used.insert($0) }
    for page in used.union(expected.keys).sorted() {
      let bytes = expected[page] ?? [UInt8](repeating: 0, count: 4096)
      let actual = owner.memory(at: page)
      if memcmp(bytes, actual, 4096) != 0 { reportPage(page, bytes, actual) }
    }
  }

  private mutating func reportPage(_ page: UInt64, _ expected: [UInt8], _ actual: UnsafeRawPointer) {
    for word in stride(from: 0, to: 4096, by: 8) {
      let wanted = expected[word..<word + 8]
      let found = UnsafeRawBufferPointer(start: actual + word, count: 8)
      if wanted.elementsEqual(found) { continue }
      report("ram.\(hexadecimal(page + UInt64(word)))", hexadecimal(wanted), hexadecimal(found))
    }
  }
}
