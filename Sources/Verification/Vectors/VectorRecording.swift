// State vectors made from runs: a case with the final state that an engine comes to, and as JSON.
import CSupport
import IA64
import Machine

extension VectorMachine {
  /// `vector` with the final state that the engine comes to; nil where it can't be run to its stop.
  package func record(_ vector: StateVector) -> StateVector? {
    guard vector.unsupported == nil, (try? machine.setALAT(real: vector.usesALAT)) != nil else { return nil }
    defer { clearMemory() }
    guard load(vector.initial) == nil, execute(vector) == nil else { return nil }
    var result = vector
    result.final = VectorState(of: cpu, memory: 0)
    result.final.nameEverything(frame: cpu.sof)
    if result.final.cfm == vector.initial.cfm ?? 0 { result.final.leaveOut(vector.initial) }
    result.final.ram = changedMemory(vector.initial)
    return result
  }

  /// Words of memory that are not as `initial` says.
  private func changedMemory(_ initial: VectorState) -> [(address: UInt64, bytes: [UInt8])] {
    let expected = initial.pages
    var changed: [(address: UInt64, bytes: [UInt8])] = []
    forEachUsedPage { page in
      let old = expected[page]
      for word in stride(from: 0, to: 4096, by: 8) {
        let new = [UInt8](UnsafeRawBufferPointer(start: memory(at: page) + word, count: 8))
        let before = old.map { [UInt8]($0[word..<word + 8]) } ?? [UInt8](repeating: 0, count: 8)
        if new != before { changed.append((page + UInt64(word), new)) }
      }
    }
    return changed
  }
}

extension VectorState {
  /// The memory that the state names, page by page.
  var pages: [UInt64: [UInt8]] {
    var pages: [UInt64: [UInt8]] = [:]
    for block in ram {
      for (index, byte) in block.bytes.enumerated() {
        let address = block.address + UInt64(index)
        pages[address & ~0xfff, default: [UInt8](repeating: 0, count: 4096)][Int(address & 0xfff)] = byte
      }
    }
    return pages
  }

  /// Names what is zero too: a final state's silence means that nothing has changed. Time is left out.
  fileprivate mutating func nameEverything(frame: Int) {
    gr = Dictionary(uniqueKeysWithValues: (1..<32 + frame).map { ($0, gr[$0] ?? 0) })
    bankGR = Dictionary(uniqueKeysWithValues: (16..<32).map { ($0, bankGR[$0] ?? 0) })
    fr = Dictionary(uniqueKeysWithValues: (2..<128).map { ($0, fr[$0] ?? (0, 0)) })
    for file in RegisterFile.allCases {
      let values = files[file] ?? [:]
      files[file] = Dictionary(uniqueKeysWithValues: (0..<file.count).map { ($0, values[$0] ?? 0) })
    }
    for register in NamedRegister.all { named[register.name] = named[register.name] ?? 0 }
    named = named.filter { !["ar.itc", "cr.iipa"].contains($0.key) && !$0.key.hasPrefix("cr.irr") }
    for file in TranslationFile.allCases { translations[file] = translations[file] ?? [] }
  }

  /// Drops what `initial` says as well, under the same names of registers.
  fileprivate mutating func leaveOut(_ initial: VectorState) {
    if psr.map({ $0 & PSR.bn }) == (initial.psr ?? 0) & PSR.bn {
      gr = gr.filter { $0.value != initial.gr[$0.key] ?? 0 }
      bankGR = bankGR.filter { $0.value != initial.bankGR[$0.key] ?? 0 }
    }
    fr = fr.filter { $0.value != initial.fr[$0.key] ?? (0, 0) }
    for file in RegisterFile.allCases {
      let old = initial.files[file] ?? [:]
      files[file] = files[file]?.filter { file == .rr || $0.value != old[$0.key] ?? 0 }
      if files[file]?.isEmpty == true { files[file] = nil }
    }
    named = named.filter { $0.value != initial.named[$0.key] ?? ($0.key == "ar.fpsr" ? 0x9804c_0270033f : 0) }
    for file in TranslationFile.allCases where (translations[file] ?? []) == (initial.translations[file] ?? []) {
      translations[file] = nil
    }
  }
}

extension StateVector {
  /// The case, with its final state if `answers`.
  package func json(answers: Bool) -> JSON {
    var members: [(String, JSON)] = [("name", .string(name))]
    if !requires.isEmpty { members.append(("requires", .array(requires.map { .string($0) }))) }
    members.append(("initial", initial.json))
    var stop: [(String, JSON)] = []
    if let stopEvents { stop.append(("events", .integer(Int64(stopEvents)))) }
    if let stopIP { stop.append(("ip", .hexadecimal(stopIP))) }
    members.append(("stop", .object(stop)))
    if answers { members.append(("final", final.json)) }
    if !ignore.isEmpty { members.append(("ignore", .array(ignore.sorted().map { .string($0) }))) }
    return .object(members)
  }

  /// The case as another simulator answered it; nil where it did not.
  package func answered(by answers: [JSON]) throws(VectorError) -> StateVector? {
    guard let answer = answers.first(where: { $0["name"]?.stringValue == name }), let final = answer["final"] else {
      return nil
    }
    var result = self
    result.final = try VectorState(final, "final")
    return result
  }

  /// One instruction from the present state of `cpu`, with the memory that it fetches, reads and writes. A process's pages
  /// get translations to the beginning of physical memory. Nil where the code is not there.
  static func instruction(at cpu: CPU, named name: String) -> StateVector? {
    var vector = StateVector(name: name)
    vector.stopEvents = 1
    vector.initial = VectorState(of: cpu, memory: 0)
    let ip = cpu.pointee.ip
    guard let code = CodeText.host(cpu, ip) else { return nil }
    let decoded = Decoder.decode(InstructionBundle(loadingFrom: code))
    let instruction = decoded[min(Int(cpu.pointee.ri), decoded.count - 1)]
    var addresses: [(va: UInt64, isCode: Bool)] = [(ip, true)]
    if !instruction.flags.isDisjoint(with: [.load, .store, .semaphore]) {
      let address = cpu.readGR(Int(instruction.r3)) & ~15
      addresses += [(address, false), (address &+ 16, false)]
    }
    if cpu.pointee.is_process != 0 {
      vector.initial.takeProcess(cpu, addresses)
    } else {
      for (address, isCode) in addresses { vector.initial.takeMachine(cpu, address, isCode: isCode) }
    }
    return vector
  }
}

extension VectorState {
  private mutating func add(_ physical: UInt64, _ host: UnsafeRawPointer) {
    if ram.contains(where: { $0.address == physical }) { return }
    ram.append((physical, [UInt8](UnsafeRawBufferPointer(start: host, count: 16))))
  }

  fileprivate mutating func takeMachine(_ cpu: CPU, _ address: UInt64, isCode: Bool) {
    let base = UnsafeRawPointer(cpu.machine.ram)
    if isCode {
      if let host = CodeText.host(cpu, address) { add(UInt64(bitPattern: Int64(host - base)), host) }
    } else if let physical = cpu.peekData(address), let host = cpu.machine.host(physical: physical, length: 16) {
      add(physical, UnsafeRawPointer(host))
    }
  }

  /// A process has no translations of its own: each page gets one, one behind the other.
  fileprivate mutating func takeProcess(_ cpu: CPU, _ addresses: [(va: UInt64, isCode: Bool)]) {
    psr = (psr ?? 0) | PSR.it | PSR.dt | PSR.rt | PSR.ic
    var pages: [UInt64: UInt64] = [:]
    for (va, isCode) in addresses {
      guard let page = cpu.machine.processMemory?.page(at: va) else { continue }
      let known = pages[va & ~0xfff]
      let physical = known ?? 0x1_0000 + UInt64(pages.count) << 12
      pages[va & ~0xfff] = physical
      let file: TranslationFile = isCode ? .itr : .dtr
      let rid = kt_region_registers(cpu)[Int(va >> 61)] >> 8 & 0xff_ffff
      let entry = VectorTranslation(
        slot: (translations[file] ?? []).count, va: va & ~0xfff, ps: 12, pte: physical | GuestHandlers.wideOpen, rid: rid,
        key: 0)
      if !(translations[file] ?? []).contains(where: { $0.va == entry.va }) { translations[file, default: []].append(entry) }
      add(physical | va & 0xff0, UnsafeRawPointer(page.host) + Int(va & 0xff0))
    }
    fitStack(frame: cpu.sof)
  }

  /// A process may have more stacked registers than vectors know of: the oldest are left out.
  private mutating func fitStack(frame: Int) {
    clean = 0
    let all = dirty ?? [], room = max(0, 96 - frame)
    guard all.count > room else { return }
    named["ar.bspstore"] = skipRegisters(named["ar.bspstore"] ?? 0, Int64(all.count - room))
    dirty = Array(all.suffix(room))
  }
}
