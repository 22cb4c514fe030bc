// Runs state vectors: a machine that takes the state of one vector after the other, and an engine.
import CSupport
import Glibc
import IA64
import Interpreter
import Kittson
import Machine
import Translator

/// How a vector ended.
package enum VectorOutcome: Sendable {
  case equal
  case different([VectorDifference])
  /// Why it was not run.
  case skipped(String)
}

/// A field that is not what the vector says.
package struct VectorDifference: Sendable, Equatable, CustomStringConvertible {
  package var field: String
  package var expected: String
  package var actual: String
  package var description: String { "\(field) is \(actual), not \(expected)" }
}

package final class VectorMachine {
  static let virtualBits: UInt64 = 61
  static let physicalBits: UInt64 = 50
  /// RAM that a vector can name at most: what lies above is reserved address space even on a small host.
  static let memoryLimit: UInt64 = 1 << 42
  private static let leastMemory: UInt64 = 1 << 28
  private static let pageSize: UInt64 = 4096

  let cpu: CPU
  let machine: Machine
  let engine: any Engine
  /// The state after loading, and what stacked registers held then.
  let before: CPU
  let ringBefore: UnsafeMutablePointer<UInt64>
  let ringNaTBefore: UnsafeMutablePointer<UInt8>
  /// The ALAT's entries after loading.
  var advancedBefore: [kt_alat_entry] = []
  /// Told of each instruction before it is executed.
  package var observer: ((CPU) -> Void)?

  /// A machine with memory for all of `vectors`.
  package init(
    _ kind: EngineKind, disabled: [String] = [], plantedOpcode: Opcode? = nil, for vectors: [StateVector]
  ) throws {
    var top = Self.leastMemory
    for vector in vectors {
      for block in vector.initial.ram + vector.final.ram { top = max(top, block.address + UInt64(block.bytes.count)) }
    }
    machine = try Machine(ramSize: top)
    cpu = machine.cpus[0]
    var configuration = Configuration()
    configuration.engine = kind
    configuration.disabled = disabled
    configuration.plantedOpcode = plantedOpcode
    engine = try EngineFactory.make(configuration, for: machine)
    if let blocks = engine as? any BlockEngine {
      blocks.returnsAfterBlock = true
      blocks.blockInstructionLimit = 1
    }
    before = .allocate(capacity: 1)
    ringBefore = .allocate(capacity: Int(KT_RING_REGISTERS))
    ringNaTBefore = .allocate(capacity: Int(KT_RING_REGISTERS))
  }

  /// For states on a machine that there is.
  init(_ machine: Machine, _ engine: any Engine) {
    (self.machine, self.engine, cpu) = (machine, engine, machine.cpus[0])
    before = .allocate(capacity: 1)
    ringBefore = .allocate(capacity: Int(KT_RING_REGISTERS))
    ringNaTBefore = .allocate(capacity: Int(KT_RING_REGISTERS))
  }

  deinit {
    before.deallocate()
    ringBefore.deallocate()
    ringNaTBefore.deallocate()
  }

  /// Runs `vector` and compares.
  package func run(_ vector: StateVector) -> VectorOutcome {
    if let reason = vector.unsupported { return .skipped(reason) }
    defer { clearMemory() }
    do { try machine.setALAT(real: vector.usesALAT) } catch { return .skipped("\(error)") }
    if let problem = load(vector.initial) {
      return .different([VectorDifference(field: "initial", expected: "a possible state", actual: problem)])
    }
    snapshot()
    if let problem = execute(vector) {
      return .different([VectorDifference(field: "stop", expected: "to be reached", actual: problem)])
    }
    var differences = compare(vector)
    // The register stack engine may complete a frame before it must: both moments are right.
    if !differences.isEmpty, cpu.pointee.frame_incomplete != 0, cpu.rseCompleteFrame() == .done {
      let completed = compare(vector)
      if completed.isEmpty { differences = [] }
    }
    return differences.isEmpty ? .equal : .different(differences)
  }

  private func snapshot() {
    memcpy(before, cpu, MemoryLayout<kt_cpu>.size)
    memcpy(ringBefore, cpu.pointee.ring, Int(KT_RING_BYTES))
    memcpy(ringNaTBefore, cpu.pointee.ring_nat, Int(KT_RING_REGISTERS))
    advancedBefore = advanced
  }

  /// The entries that the ALAT has.
  var advanced: [kt_alat_entry] {
    guard let table = cpu.pointee.alat else { return [] }
    return (0..<Int(KT_ALAT_ENTRIES)).map { kt_alat_entries(table)[$0] }.filter { $0.tag != 0 }
  }

  // MARK: Executing

  /// Runs to the vector's stop; what kept it from getting there, or nil.
  func execute(_ vector: StateVector) -> String? {
    var events = 0
    let limit = vector.stopEvents ?? 1_000_000
    while events < limit {
      cpu.pollTimer()
      if cpu.pointee.event_check != 0 {
        let status = cpu.checkEvents()
        if status == .stopped { return stopText }
        if status == .interrupted { events += 1 }
        if status == .done { continue }
      } else {
        observer?(cpu)
        if let stop = executeOne() { return stop }
        events += followedByTrap ? 2 : 1
      }
      if let ip = vector.stopIP, position == ip { return nil }
    }
    return vector.stopEvents == nil ? "no sign of \(hexadecimal(vector.stopIP ?? 0)) in a million instructions" : nil
  }

  private var position: UInt64 { cpu.pointee.ip | UInt64(cpu.pointee.ri) }

  private var stopText: String {
    switch kt_stop_reason(cpu.pointee.stop_reason) {
    case KT_STOP_FATAL: "stopped: no memory to execute from at \(hexadecimal(cpu.pointee.ip))"
    case KT_STOP_HALT: "stopped: the processor waits"
    default: "stopped (reason \(cpu.pointee.stop_reason))"
    }
  }

  /// One instruction, and no event behind it.
  private func executeOne() -> String? {
    cpu.setBudget(1000)
    if let interpreter = engine as? Interpreter {
      if eventMayFollow {
        return interpreter.step(cpu) == .stopped ? stopText : nil
      }
      cpu.setBudget(1)
    }
    let start = position
    let reason = engine.run(cpu)
    if reason == KT_STOP_FATAL && position != start {
      // The instruction has been executed; that nothing can be fetched behind it matters only if the run goes on.
      cpu.pointee.stop_reason = 0
      return nil
    }
    return reason == KT_STOP_NONE || reason == KT_STOP_BUDGET ? nil : stopText
  }

  /// Whether an interrupt or a frame to be filled may wait behind the next instruction: an engine's run would deal with
  /// them at once.
  private var eventMayFollow: Bool {
    let irr = kt_irr(cpu)
    if irr[0] | irr[1] | irr[2] | irr[3] != 0 || cpu.pointee.itm_deadline != UInt64.max { return true }
    let lowest = cpu.pointee.bof - Int64(max(CFM.sol(cpu.pointee.ar_pfs), CFM.sof(cpu.pointee.cr_ifs)))
    return lowest < cpu.pointee.load_position || cpu.pointee.frame_incomplete != 0
  }

  /// Whether the instruction just executed was completed and then trapped: two events.
  private var followedByTrap: Bool {
    guard let vector = Vector(rawValue: UInt32(truncatingIfNeeded: cpu.pointee.ip &- (cpu.pointee.cr_iva & ~0x7fff))),
      cpu.pointee.ri == 0, cpu.pointee.psr & (PSR.ic | PSR.cpl) == 0
    else { return false }
    switch vector {
    case .floatingPointTrap, .lowerPrivilegeTransfer, .takenBranch, .singleStep: return true
    default: return false
    }
  }

  // MARK: Loading

  /// Puts the processor into `state`; what makes that impossible, or nil.
  func load(_ state: VectorState) -> String? {
    cpu.reset()
    cpu.pointee.deadline = 0
    cpu.pointee.budget = 0
    cpu.pointee.virtual_clock = 1
    cpu.pointee.event_check = 0
    cpu.pointee.stop_reason = 0
    clearDefaults()
    cpu.pointee.psr = (state.psr ?? 0) & ~PSR.ri
    cpu.pointee.ip = (state.ip ?? 0) & ~15
    cpu.pointee.ri = UInt32((state.ip ?? 0) & 3)
    cpu.pointee.cfm = state.cfm ?? 0
    if !CFM.isPossible(cpu.pointee.cfm) { return "cfm \(hexadecimal(cpu.pointee.cfm)) is no frame marker" }
    if let problem = loadStack(state) { return problem }
    loadRegisters(state)
    loadTranslations(state)
    for vector in state.pending ?? [] { kt_irr(cpu)[vector >> 6] |= 1 << UInt64(vector & 63) }
    for vector in state.inService ?? [] { kt_in_service(cpu)[vector >> 6] |= 1 << UInt64(vector & 63) }
    for block in state.ram { block.bytes.withUnsafeBytes { bytes in
      _ = memcpy(machine.ram + Int(block.address), bytes.baseAddress ?? UnsafeRawPointer(machine.ram), bytes.count)
    } }
    settle()
    if let table = cpu.pointee.alat {
      for entry in state.alat ?? [] { cpu.alatInsert(entry.entry(cpu), into: table) }
    }
    if let itm = state.named["cr.itm"] { cpu.writeITM(itm) }
    return nil
  }

  /// What a vector leaves out is zero, which a reset processor is not everywhere.
  private func clearDefaults() {
    for register in NamedRegister.all where register.name != "ar.fpsr" { cpu.pointee[keyPath: register.path] = 0 }
    for file in RegisterFile.allCases where file != .rr { file.storage(cpu).update(repeating: 0, count: file.count) }
  }

  private func loadRegisters(_ state: VectorState) {
    for register in NamedRegister.all {
      if let value = state.named[register.name], register.name != "ar.bspstore" {
        cpu.pointee[keyPath: register.path] = value
      }
    }
    cpu.pointee.itc_offset = state.named["ar.itc"] ?? 0
    for (file, values) in state.files {
      for (number, value) in values { file.storage(cpu)[number] = value }
    }
    for (number, value) in state.gr { write(number, value) }
    for number in state.nat ?? [] { writeNaT(number) }
    for (number, value) in state.bankGR { kt_bank_gr(cpu)[number - 16] = value }
    for number in state.bankNaT ?? [] { kt_bank_nat(cpu)[number - 16] = 1 }
    for (number, value) in state.fr {
      cpu.floats[cpu.physicalFR(number)] = kt_fr(significand: value.1, sign_exponent: value.0)
    }
    let predicates = (state.pr ?? 1) | 1
    for number in 0..<64 { cpu.predicates[number] = UInt8(predicates >> UInt64(number) & 1) }
  }

  /// Registers outside the frame can't be reached; those that fit the physical registers are kept for a growing frame.
  private func write(_ number: Int, _ value: UInt64) {
    if number >= 32 && cpu.pointee.bof + Int64(number - 32) >= cpu.pointee.window_top { return }
    if number < 32 { cpu.staticGR[number] = value } else { cpu.pointee.frame[cpu.stackedOffset(number)] = value }
  }

  private func writeNaT(_ number: Int) {
    if number >= 32 && cpu.pointee.bof + Int64(number - 32) >= cpu.pointee.window_top { return }
    cpu.setNaT(number)
  }

  private func loadTranslations(_ state: VectorState) {
    for file in TranslationFile.allCases {
      let entries = file.storage(cpu)
      for (index, translation) in (state.translations[file] ?? []).prefix(file.count).enumerated() {
        var entry = kt_translation()
        entry.va = translation.va
        entry.pte = translation.pte
        entry.rid = UInt32(truncatingIfNeeded: translation.rid)
        entry.key = UInt32(truncatingIfNeeded: translation.key)
        entry.ps = UInt8(translation.ps)
        entry.valid = 1
        entries[translation.slot ?? index] = entry
      }
    }
    cpu.pointee.itc_next = UInt32(state.translations[.itc]?.count ?? 0) % UInt32(KT_ITC_COUNT)
    cpu.pointee.dtc_next = UInt32(state.translations[.dtc]?.count ?? 0) % UInt32(KT_DTC_COUNT)
    cpu.noteCachedTranslations()
  }

  /// Clean, dirty and current registers lie one behind the other from position 0 on.
  private func loadStack(_ state: VectorState) -> String? {
    let dirty = state.dirty ?? [], clean = state.clean ?? 0
    let bspstore = state.named["ar.bspstore"], bsp = state.named["ar.bsp"]
    var missing = 0
    if state.incomplete == true {
      guard dirty.isEmpty else { return "an incomplete frame has no dirty registers below it" }
      missing = bspstore.flatMap { top in bsp.map { Int(registersBetween($0, top)) } } ?? cpu.sof
      guard (1...cpu.sof).contains(missing) else { return "ar.bsp and ar.bspstore do not fit the incomplete frame" }
    }
    guard clean + dirty.count + cpu.sof <= 96 else { return "more than 96 stacked registers in use" }
    let bof = Int64(clean + dirty.count)
    cpu.pointee.store_position = Int64(clean + missing)
    cpu.pointee.load_position = Int64(missing)
    cpu.setFrame(bottom: bof)
    cpu.pointee.frame_incomplete = missing > 0 ? 1 : 0
    cpu.pointee.ar_bspstore = bspstore ?? bsp.map { skipRegisters($0, Int64(missing - dirty.count)) } ?? 0
    if let bsp, cpu.readBSP() != bsp {
      return "ar.bsp \(hexadecimal(bsp)) does not follow from ar.bspstore and rse.dirty"
    }
    for (index, register) in dirty.enumerated() {
      cpu.pointee.ring[clean + index] = register.value
      cpu.pointee.ring_nat[clean + index] = register.nat ? 1 : 0
      if register.nat { cpu.noteNaTInRing() }
    }
    return nil
  }

  /// Derives what follows from the registers.
  private func settle() {
    cpu.updateFrameLimit()
    cpu.pointee.nat_live = 1
    cpu.scanNaT()
    cpu.flushSoftwareTLB()
    cpu.updateAddressing()
    cpu.updateInterruptReady()
    cpu.pointee.event_check = 1
  }

  // MARK: Memory

  /// Calls `body` for each page of RAM that the host has given memory to.
  func forEachUsedPage(_ body: (UInt64) -> Void) {
    let pages = Int(machine.ramSize / Self.pageSize)
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: pages) { resident in
      guard mincore(machine.ram, Int(machine.ramSize), resident.baseAddress!) == 0 else { return }
      var index = 0
      while index < pages {
        // Most of it is empty: eight pages a look.
        if index & 7 == 0, index + 8 <= pages,
          UnsafeRawPointer(resident.baseAddress! + index).loadUnaligned(as: UInt64.self) & 0x0101_0101_0101_0101 == 0 {
          index += 8
          continue
        }
        if resident[index] & 1 != 0 { body(UInt64(index) * Self.pageSize) }
        index += 1
      }
    }
  }

  func memory(at physical: UInt64) -> UnsafeRawPointer { UnsafeRawPointer(machine.ram + Int(physical)) }

  /// Makes all RAM zero again.
  func clearMemory() {
    forEachUsedPage { page in
      madvise(machine.ram + Int(page), Int(Self.pageSize), MADV_DONTNEED)
      engine.invalidateCode(physical: page, length: Self.pageSize)
    }
  }
}
