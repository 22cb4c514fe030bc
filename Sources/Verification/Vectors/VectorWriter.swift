// From a processor to the state that vectors write (Documentation/vectors.md): what `VectorReader` reads.
import CSupport
import Machine

extension VectorState {
  /// Bytes of memory that are written as one block.
  private static let blockSize = 256

  /// The whole state, with `memory` bytes of RAM; what is zero is left out.
  init(of cpu: CPU, memory: UInt64) {
    ip = cpu.pointee.ip | UInt64(cpu.pointee.ri)
    psr = cpu.pointee.psr & ~PSR.ri
    cfm = cpu.pointee.cfm
    pr = cpu.packedPredicates
    takeRegisters(cpu)
    takeStack(cpu)
    for register in NamedRegister.all {
      let value = cpu.pointee[keyPath: register.path]
      if value != 0 || register.name == "ar.fpsr" || register.name == "ar.bspstore" { named[register.name] = value }
    }
    named["ar.itc"] = cpu.pointee.itc_offset &+ cpu.slots
    for file in RegisterFile.allCases {
      for number in 0..<file.count where file == .rr || file.storage(cpu)[number] != 0 {
        files[file, default: [:]][number] = file.storage(cpu)[number]
      }
    }
    for file in TranslationFile.allCases { takeTranslations(cpu, file) }
    inService = Self.vectors(kt_in_service(cpu))
    pending = Self.vectors(kt_irr(cpu))
    takeAdvanced(cpu)
    takeMemory(cpu.machine, memory)
  }

  private mutating func takeRegisters(_ cpu: CPU) {
    var nats: Set<Int> = [], bankNaTs: Set<Int> = []
    for n in 1..<128 {
      if n >= 32 && cpu.pointee.bof + Int64(n - 32) >= cpu.pointee.window_top { break }
      if cpu.readGR(n) != 0 { gr[n] = cpu.readGR(n) }
      if n < 32 + cpu.sof && cpu.readNaT(n) { nats.insert(n) }
    }
    for n in 16..<32 {
      if kt_bank_gr(cpu)[n - 16] != 0 { bankGR[n] = kt_bank_gr(cpu)[n - 16] }
      if kt_bank_nat(cpu)[n - 16] != 0 { bankNaTs.insert(n) }
    }
    (nat, bankNaT) = (nats, bankNaTs)
    for n in 2..<128 {
      let value = cpu.readFR(n)
      if value.significand != 0 || value.sign_exponent != 0 { fr[n] = (value.sign_exponent, value.significand) }
    }
  }

  private mutating func takeStack(_ cpu: CPU) {
    clean = Int(cpu.pointee.store_position - cpu.pointee.load_position)
    if cpu.pointee.frame_incomplete != 0 {
      incomplete = true
      named["ar.bsp"] = cpu.readBSP()
      clean = 0
      return
    }
    dirty = (cpu.pointee.store_position..<cpu.pointee.bof).map { position in
      let index = Int(position & Int64(KT_RING_REGISTERS - 1))
      return VectorStacked(value: cpu.pointee.ring[index], nat: cpu.pointee.ring_nat[index] != 0)
    }
  }

  private mutating func takeTranslations(_ cpu: CPU, _ file: TranslationFile) {
    let entries = file.storage(cpu)
    let found = (0..<file.count).filter { entries[$0].valid != 0 }.map { index in
      VectorTranslation(
        slot: file.isCache ? nil : index, va: entries[index].va, ps: Int(entries[index].ps), pte: entries[index].pte,
        rid: UInt64(entries[index].rid), key: UInt64(entries[index].key))
    }
    if !found.isEmpty { translations[file] = found }
  }

  /// The external interrupts of a 256-bit register.
  private static func vectors(_ words: UnsafeMutablePointer<UInt64>) -> Set<Int> {
    Set((0..<256).filter { words[$0 >> 6] >> UInt64($0 & 63) & 1 != 0 })
  }

  /// Entries of the ALAT for registers that the present frame and bank have a number for.
  private mutating func takeAdvanced(_ cpu: CPU) {
    guard let table = cpu.pointee.alat, table.pointee.count != 0 else { return }
    let registers = (1..<(32 + cpu.sof)).map { (false, $0, cpu.alatTag(general: $0)) }
      + (2..<128).map { (true, $0, cpu.alatTag(float: $0)) }
    alat = (0..<Int(KT_ALAT_ENTRIES)).compactMap { index in
      let entry = kt_alat_entries(table)[index]
      guard entry.tag != 0, let (isFloat, number, _) = registers.first(where: { $0.2 == entry.tag }) else { return nil }
      return VectorAdvanced(isFloat: isFloat, register: number, physical: entry.physical, size: entry.size)
    }
  }

  private mutating func takeMemory(_ machine: Machine, _ length: UInt64) {
    for start in stride(from: 0, to: Int(length), by: Self.blockSize) {
      let bytes = UnsafeRawBufferPointer(start: machine.ram + start, count: Self.blockSize)
      if bytes.contains(where: { $0 != 0 }) { ram.append((UInt64(start), [UInt8](bytes))) }
    }
  }

  // MARK: JSON

  var json: JSON {
    var members: [(String, JSON)] = []
    func add(_ name: String, _ value: UInt64?) { if let value { members.append((name, .hexadecimal(value))) } }
    add("ip", ip)
    add("psr", psr)
    add("cfm", cfm)
    add("pr", pr)
    members.append(("gr", Self.registers(gr)))
    members.append(("nat", Self.numbers(nat ?? [])))
    members.append(("bank", .object([("gr", Self.registers(bankGR)), ("nat", Self.numbers(bankNaT ?? []))])))
    members.append(("fr", .object(fr.sorted { $0.key < $1.key }.map { number, value in
      ("\(number)", .array([.hexadecimal(value.0), .hexadecimal(value.1)]))
    })))
    for file in RegisterFile.allCases {
      if let values = files[file] { members.append((file.rawValue, Self.registers(values))) }
    }
    for kind in ["ar", "cr"] {
      let registers = named.filter { $0.key.hasPrefix(kind + ".") }.sorted { $0.key < $1.key }
      members.append((kind, .object(registers.map { (String($0.key.dropFirst(3)), .hexadecimal($0.value)) })))
    }
    for file in TranslationFile.allCases {
      if let entries = translations[file] { members.append((file.rawValue, .array(entries.map(\.json)))) }
    }
    members.append(("rse", stackJSON))
    members.append(("inservice", Self.numbers(inService ?? [])))
    members.append(("pending", Self.numbers(pending ?? [])))
    if let alat { members.append(("alat", .array(alat.map(\.json)))) }
    members.append(("ram", .array(ram.map { .array([.hexadecimal($0.address), .string(hexadecimal($0.bytes))]) })))
    return .object(members)
  }

  private var stackJSON: JSON {
    var members: [(String, JSON)] = []
    if let dirty {
      members.append(("dirty", .array(dirty.map { .array([.hexadecimal($0.value), .bool($0.nat)]) })))
    }
    if let clean { members.append(("clean", .integer(Int64(clean)))) }
    if let incomplete { members.append(("incomplete", .bool(incomplete))) }
    return .object(members)
  }

  private static func registers(_ values: [Int: UInt64]) -> JSON {
    .object(values.sorted { $0.key < $1.key }.map { ("\($0.key)", .hexadecimal($0.value)) })
  }
  private static func numbers(_ set: Set<Int>) -> JSON { .array(set.sorted().map { .integer(Int64($0)) }) }
}

extension VectorAdvanced {
  fileprivate var json: JSON {
    .object([
      (isFloat ? "fr" : "gr", .integer(Int64(register))), ("pa", .hexadecimal(physical)), ("size", .unsigned(size)),
    ])
  }
}

extension VectorTranslation {
  fileprivate var json: JSON {
    var members: [(String, JSON)] = []
    if let slot { members.append(("slot", .integer(Int64(slot)))) }
    members += [
      ("va", .hexadecimal(va)), ("ps", .integer(Int64(ps))), ("pte", .hexadecimal(pte)), ("rid", .hexadecimal(rid)),
      ("key", .hexadecimal(key)),
    ]
    return .object(members)
  }
}
