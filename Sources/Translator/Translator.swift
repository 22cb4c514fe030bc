// The translating engine: finds or makes the block for the present state, runs emitted code until it leaves, and deals
// with why it left. What is not translated is executed by the interpreter's function for one instruction, reached
// through kt_cpu; this module knows nothing else of the interpreter.
import CSupport
import Glibc
import IA64
import Machine
import Paravirt

/// Counters of an engine's work.
package struct TranslatorStatistics: Sendable {
  package var blocks = 0
  package var guestInstructions = 0
  package var hostBytes = 0
  package var entries = 0
  package var links = 0
  package var regions = 0
  /// Blocks with an integer division by the host's.
  package var divisions = 0
  /// Quotients and roots of doubles and singles by the host's.
  package var sequences = 0
  package var interpreted = 0
  package var invalidations = 0
  package var flushes = 0
  package var translationTicks: UInt64 = 0
}

package final class TranslatorEngine: BlockEngine {
  package let machine: Machine
  package var options: TranslatorOptions
  /// How often a way back is taken through the engine before its loop becomes a region; 1: at once.
  package var regionThreshold = TranslatorEngine.defaultRegionThreshold
  package internal(set) var statistics = TranslatorStatistics()

  let cache: CodeCache
  var frontend: Frontend
  private let optimizer = Optimizer()
  let lowering: Lowering
  private let arena = InstructionArena()
  /// Whether stores are logged (lockstep): then all of them take the slow path.
  private var logStores = false
  private var mustFlush = false
  /// Lockstep comparison: blocks are not linked, and `run` comes back behind each; regions still form, and are one.
  package var returnsAfterBlock = false { didSet { mustFlush = true } }
  /// The options less what the way of working excludes.
  var present: TranslatorOptions {
    returnsAfterBlock ? options.subtracting([.chaining, .indirectCache, .returns]) : options
  }
  /// The exit through which the last block left, to be linked with what is found next; -1: none. It outlives `run`.
  private var pending = -1
  package var blockInstructionLimit: Int {
    get { frontend.instructionLimit }
    set {
      frontend.instructionLimit = newValue
      mustFlush = true
    }
  }
  /// Whether emitted code counts the executions of each call site (kt_site.calls).
  package var countsCalls: Bool {
    get { frontend.countsCalls }
    set {
      frontend.countsCalls = newValue
      mustFlush = true
    }
  }
  /// A wrong result on purpose: the inlined body of this operation (its kt_operation) inverts bit 0 of r8. For tests of
  /// what is to find it.
  package var plantedOperation: Int? {
    get { frontend.plantedOperation }
    set {
      frontend.plantedOperation = newValue
      mustFlush = true
    }
  }
  /// The same for an instruction: bit 0 of its r1 is inverted.
  package var plantedOpcode: Opcode? {
    get { frontend.plantedOpcode }
    set {
      frontend.plantedOpcode = newValue
      mustFlush = true
    }
  }
  /// Epoch of instruction address translations, and what it was derived from.
  var epoch: UInt64 = 1
  private var generation: UInt64 = 0
  private let snapshot: UnsafeMutableRawPointer
  private var siteGeneration: UInt64 = 0
  /// What blocks with results put off refer to.
  private var runs: [DeferredRun] = []
  private var sequences: [DeferredSequence] = []
  /// How many regions were made at each head, of the code that stands there.
  var regionsAt: [RegionHead: Int] = [:]
  /// Host code of call sites by block, for listings.
  var siteRecords: [(block: Int, code: EmittedSite)] = []
  private var followed: UnsafeMutablePointer<kt_site_table>? = nil
  /// Rewrites call sites while guests run; it follows the site table by itself.
  package let patcher: HostPatcher

  /// `codeSize`: bytes of code memory; a block may ask for some MiB of it. nil where the system refuses memory for code.
  package init?(machine: Machine, options: TranslatorOptions = .all, codeSize: Int = 64 << 20) {
    guard let cache = CodeCache(size: codeSize) else { return nil }
    self.machine = machine
    self.options = options
    self.cache = cache
    patcher = HostPatcher(cache)
    frontend = Frontend(arena: arena)
    lowering = Lowering(optimizer: optimizer)
    snapshot = .allocate(byteCount: TranslatorEngine.snapshotSize, alignment: 16)
    memset(snapshot, 0, TranslatorEngine.snapshotSize)
  }

  deinit { snapshot.deallocate() }

  /// Instructions and runs of them that are kept for emitted code, and blocks that a lookup may find: for tests of what
  /// must not grow.
  package var held: (instructions: Int, runs: Int, blocks: Int) { (arena.count, runs.count, cache.livingBlocks) }
  /// Bytes of code memory, and how many of them are used.
  package var codeMemory: (used: Int, size: Int) { (cache.usedBytes, cache.memory.size) }

  // MARK: The loop

  package func run(_ cpu: CPU) -> kt_stop_reason {
    cpu.pointee.stop_reason = 0
    if (cpu.pointee.store_log != nil) != logStores {
      logStores = cpu.pointee.store_log != nil
      flush()
    }
    attach(cpu)
    var begun = false
    while true {
      if begun && returnsAfterBlock { return reason(cpu) }  // none, unless a device asked for a stop
      begun = true
      if cpu.pointee.stop_request != 0 || cpu.pointee.event_check != 0 {
        let status = cpu.checkEvents()
        if status == .stopped { return reason(cpu) }
        if status != .done { pending = -1 }
      }
      if cpu.pointee.nat_live != 0 { cpu.scanNaT() }
      if mustFlush { flush() }
      if cpu.pointee.nat_live != 0 || cpu.pointee.psr & Mode.untranslated != 0 || cpu.pointee.frame_incomplete != 0 {
        pending = -1
        if let stop = step(cpu) { return stop }
        continue
      }
      // A handler that can't be fetched itself faults for ever.
      if cpu.pointee.budget < 1 { return stop(cpu, KT_STOP_BUDGET) }
      let flushes = cache.flushes
      let proved = epoch
      noticeTranslations(cpu)
      buryRetired()
      let found = lookup(cpu)
      // A link must not lead from one state of translations into another.
      if cache.flushes != flushes || epoch != proved { pending = -1 }
      guard var number = found else {
        pending = -1
        cpu.pointee.budget -= 1  // a fetch that faults has been issued
        if cpu.pointee.stop_reason != 0 { return reason(cpu) }
        continue
      }
      if pending >= 0 && cache.leads(exit: pending, to: number) { number = follow(exit: pending, to: number, cpu) }
      pending = -1
      let block = cache.blocks + number
      if cpu.pointee.budget < Int64(block.pointee.slots) {
        if let stop = step(cpu) { return stop }
        continue
      }
      statistics.entries += 1
      let code = kt_enter_code(cpu, UnsafeRawPointer(bitPattern: UInt(block.pointee.code))!)
      let value = Int(code >> 8)
      switch ExitCode(rawValue: UInt8(truncatingIfNeeded: code)) {
      case .link:
        setPosition(cpu, cache.exits[value])
        pending = value
      case .resume:
        setPosition(cpu, cache.exits[value])
        cpu.pointee.event_check = 1
      case .interpret:
        setPosition(cpu, cache.exits[value])
        if let stop = step(cpu) { return stop }
      case .budget:
        let start = cache.blocks[value].start
        cpu.pointee.ip = start & ~15
        cpu.pointee.ri = UInt32(start & 3)
      case .lookup:
        // Emitted code restores whatever marker ar.pfs held.
        if !CFM.isPossible(cpu.pointee.cfm) { cpu.pointee.cfm = 0 }
      case .status:
        if value == Int(Status.stopped) || cpu.pointee.stop_reason != 0 { return reason(cpu) }
      case .next: advance(cpu, last: value != 0)
      case nil: preconditionFailure("emitted code left with an unknown code")
      }
    }
  }

  /// Executes one slot at ip/ri with everything that can happen to it, the budget going down: the interpreter's step, which
  /// the owner of both engines sets. Without it single instructions go through `execute_instruction`.
  package var stepper: ((CPU) -> Status)?
  /// Told of every change of guest code, so that the stepper's decoded code follows.
  package var codeObserver: ((_ physical: UInt64, _ length: UInt64) -> Void)?

  /// Makes this engine the one that the processor's services reach.
  package func attach(_ cpu: CPU) {
    cpu.pointee.engine = Unmanaged.passUnretained(self).toOpaque()
    cpu.pointee.code_written = codeWritten
    cpu.pointee.settle = settleFloats
    cpu.pointee.return_thunk = cache.executable(cache.thunks.returning)
  }

  private func stop(_ cpu: CPU, _ reason: kt_stop_reason) -> kt_stop_reason {
    cpu.pointee.stop_reason = UInt32(reason.rawValue)
    return reason
  }

  private func reason(_ cpu: CPU) -> kt_stop_reason { kt_stop_reason(cpu.pointee.stop_reason) }

  @inline(__always) private func setPosition(_ cpu: CPU, _ exit: ExitRecord) {
    cpu.pointee.ip = exit.target
    cpu.pointee.ri = UInt32(exit.slot)
  }

  @inline(__always) private func advance(_ cpu: CPU, last: Bool) {
    if last {
      cpu.pointee.ip &+= 16
      cpu.pointee.ri = 0
    } else {
      cpu.pointee.ri += 1
    }
  }

  // MARK: One instruction by the interpreter

  /// Has the interpreter execute the instruction at ip/ri. A reason to stop, or nil.
  private func step(_ cpu: CPU) -> kt_stop_reason? {
    if cpu.pointee.frame_incomplete != 0 { cpu.pointee.event_check = 1; return nil }
    if cpu.pointee.budget < 1 { return stop(cpu, KT_STOP_BUDGET) }
    if let stepper {
      statistics.interpreted += 1
      return stepper(cpu) == .stopped ? reason(cpu) : nil
    }
    cpu.pointee.budget -= 1
    guard let physical = cpu.resolveFetch(cpu.pointee.ip), let host = codeHost(cpu, physical) else {
      return cpu.pointee.stop_reason != 0 ? reason(cpu) : nil
    }
    statistics.interpreted += 1
    let bundle = InstructionBundle(loadingFrom: host)
    let decoded = Decoder.decode(bundle)
    let slot = Int(cpu.pointee.ri)
    var instruction = decoded[slot]
    let oneShot = cpu.pointee.psr & PSR.oneShot
    let status = withUnsafePointer(to: &instruction) { cpu.pointee.execute_instruction!(cpu, OpaquePointer($0)) }
    switch status {
    case Status.done: advance(cpu, last: slot == 2 || (decoded.template.isLong && slot == 1))
    case Status.stopped: return reason(cpu)
    default: break
    }
    if oneShot != 0 && status != .interrupted { cpu.pointee.psr &= ~oneShot }
    return nil
  }

  /// Host address of the bundle at a physical address (in a process: virtual).
  func codeHost(_ cpu: CPU, _ physical: UInt64) -> UnsafeRawPointer? {
    if cpu.pointee.is_process != 0 {
      guard let page = machine.processMemory?.page(at: physical) else { return nil }
      return UnsafeRawPointer(page.host) + Int(physical & 0xfff)
    }
    return machine.host(physical: physical, length: 16).map { UnsafeRawPointer($0) }
  }

  // MARK: Blocks

  private func lookup(_ cpu: CPU) -> Int? {
    let start = cpu.pointee.ip | UInt64(cpu.pointee.ri)
    let key = cpu.pointee.cfm | Mode.of(cpu.pointee.psr) << Mode.shift
    if let number = cache.find(start, key, verifiedIn: epoch) {
      if present.contains(.indirectCache) { cache.remember(number) }
      return number
    }
    guard let physical = cpu.resolveFetch(cpu.pointee.ip) else { return nil }
    if let number = cache.find(start, key, granule: physical & ~0xfff) {
      if cache.blocks[number].pageShift == pageShift(cpu, start) {
        cache.blocks[number].verified = epoch
        if present.contains(.indirectCache) { cache.remember(number) }
        return number
      }
      cache.retire(number)
    }
    guard let host = codeHost(cpu, physical) else { return nil }
    return translate(cpu, start, key, physical, host)
  }

  /// log2 of the size of the page that holds the code at `address`. Without translation everything is one page; so is a
  /// process, whose mappings are told of.
  private func pageShift(_ cpu: CPU, _ address: UInt64) -> UInt8 {
    if cpu.pointee.is_process != 0 || cpu.pointee.psr & PSR.it == 0 { return 63 }
    return cpu.fetchPageShift(address) ?? UInt8(KT_GRANULE_SHIFT)
  }

  private func translate(
    _ cpu: CPU, _ start: UInt64, _ key: UInt64, _ physical: UInt64, _ host: UnsafeRawPointer
  ) -> Int {
    let began = kt_host_ticks()
    frontend.heads.removeAll(keepingCapacity: true)
    frontend.carriedSlots.removeAll(keepingCapacity: true)
    let generationBefore = followed?.pointee.generation
    build(cpu, start, key, physical, host)
    frontend.builder.block.selfLoop = frontend.builder.block.isSimpleLoop()
    let block = frontend.builder.block
    if !cache.hasRoom(bytes: Lowering.bound(block), exits: block.exitCount) {
      precondition(cache.blockCount > 0, "the memory for code has no room for one block")
      flush()
      return translate(cpu, start, key, physical, host)
    }
    let number = cache.blockCount
    install(cpu, start, key, physical, nil, Int32(number)..<Int32(number + 1))
    // Another thread may have changed a site while the block was made, before the patcher knew the block.
    if lowering.home != nil && followed?.pointee.generation != generationBefore { mustFlush = true }
    statistics.translationTicks &+= kt_host_ticks() &- began
    return number
  }

  /// Makes the IR of the block at `start`.
  func build(_ cpu: CPU, _ start: UInt64, _ key: UInt64, _ physical: UInt64, _ host: UnsafeRawPointer) {
    frontend.sites = cpu.pointee.sites?.assumingMemoryBound(to: kt_site_table.self)
    frontend.options = present
    frontend.builder.fold = options.contains(.constants)
    frontend.translate(
      start: start, marker: key & CFM.mask, mode: key >> Mode.shift,
      source: CodeSource(
        host: host - Int(start & 0xff0), page: start & ~0xfff, physical: physical & ~0xfff, cpu: cpu))
    optimizer.run(&frontend.builder.block, options)
  }

  /// Emits the block that was built last and enters it into the cache, which has room for it.
  func install(
    _ cpu: CPU, _ start: UInt64, _ key: UInt64, _ physical: UInt64, _ layout: RegionLayout?, _ region: Range<Int32>
  ) {
    let block = frontend.builder.block
    let number = cache.blockCount
    cache.cursor = (cache.cursor + 15).alignedDown(16)
    let entry = cache.cursor
    let context = LoweringContext(
      thunks: cache.thunks, options: present, logStores: logStores, sites: frontend.sites,
      virtualClock: cpu.pointee.virtual_clock != 0, callables: cache.callables,
      needsHome: !frontend.passedSites.isEmpty,
      blockNumber: number, firstExit: cache.exitCount, region: layout)
    let end = lowering.lower(block, context, at: entry)
    for index in 0..<block.exitCount {
      let exit = block.exits[index]
      cache.add(ExitRecord(
        target: exit.target, key: exit.marker | block.mode << Mode.shift, place: nil, unlinked: nil,
        block: Int32(number), linkedTo: -1, next: -1, slot: exit.slot, kind: exit.kind, backward: exit.backward,
        isMoved: exit.isMoved))
    }
    arena.keep()
    runs += frontend.programs
    sequences += frontend.sequences
    let firstExit = cache.exitCount - block.exitCount
    for exit in lowering.exits {
      cache.exits[firstExit + Int(exit.number)].place = exit.place
      cache.exits[firstExit + Int(exit.number)].unlinked = exit.unlinked
    }
    cache.cursor = end
    _ = cache.add(BlockRecord(
      start: start, key: key, end: block.end, physical: physical & ~0xfff, code: cache.executable(entry),
      codeEnd: cache.executable(end), slots: block.slots, firstExit: Int32(firstExit),
      exitCount: Int32(block.exitCount), incoming: -1, nextInGranule: -1, verified: epoch,
      pageShift: pageShift(cpu, start), retired: false,
      isPlain: frontend.passedSites.isEmpty && !frontend.hasDivision, region: region))
    for site in lowering.sites { siteRecords.append((number, site)) }
    if let home = lowering.home, let sites = frontend.sites {
      for site in frontend.passedSites {
        let emitted = lowering.sites.first { $0.site == Int32(site) }
        sites.pointee.site[site].patch_point = emitted.map { cache.executable($0.begin) } ?? 0
        patcher.add(
          site: site, block: number, call: emitted?.call,
          operation: Int(sites.pointee.site[site].operation), head: entry, home: home)
      }
    }
    machine.markCode(physical: physical)
    // A call site at the block's end may reach into the next granule.
    if (block.end &- 1) & ~0xfff != start & ~0xfff { machine.markCode(physical: physical & ~0xfff &+ 4096) }
    if present.contains(.indirectCache) { cache.remember(number) }
    statistics.blocks += 1
    if frontend.hasDivision { statistics.divisions += 1 }
    statistics.sequences += frontend.sequences.count
    statistics.guestInstructions += Int(block.slots)
    statistics.hostBytes += end - entry
  }

  /// The block for an address, a frame marker and the processor's present mode; nil where no code is mapped.
  func block(at start: UInt64, marker: UInt64, _ cpu: CPU) -> Int? {
    attach(cpu)
    noticeTranslations(cpu)
    buryRetired()
    let key = marker | Mode.of(cpu.pointee.psr) << Mode.shift
    guard let physical = cpu.peekFetch(start & ~15) else { return nil }
    if let number = cache.find(start, key, granule: physical & ~0xfff) { return number }
    guard let host = codeHost(cpu, physical) else { return nil }
    return translate(cpu, start, key, physical, host)
  }

  /// What the frontend made of a block: its IR before and after optimisation, its bundles, and where and with which
  /// frame marker the guest goes on behind its last instruction (behind a call: when that returns).
  struct Intermediate {
    var before, after: String
    var path: [UInt64]
    var next: UInt64
    var marker: UInt64
  }

  func intermediate(start: UInt64, key: UInt64, _ source: CodeSource) -> Intermediate {
    frontend.heads.removeAll()
    frontend.carriedSlots.removeAll()
    frontend.translate(start: start, marker: key & CFM.mask, mode: key >> Mode.shift, source: source)
    let block = frontend.builder.block
    let before = block.text
    let marked = (0..<block.count).last { block.nodes[$0].op == .setMarker }
    let marker = marked.map { UInt64(bitPattern: block.nodes[$0].imm) } ?? block.marker
    optimizer.run(&frontend.builder.block, options)
    return Intermediate(
      before: before, after: frontend.builder.block.text, path: frontend.path,
      next: frontend.path.last == frontend.bundle ? frontend.next : frontend.bundle, marker: marker)
  }

  /// Drops all translations. Not while emitted code runs.
  private func flush() {
    siteRecords.removeAll(keepingCapacity: true)
    patcher.removeAll()
    cache.removeAll()
    arena.removeAll()
    runs.removeAll(keepingCapacity: true)
    sequences.removeAll(keepingCapacity: true)
    regionsAt.removeAll(keepingCapacity: true)
    pending = -1
    mustFlush = false
    statistics.flushes += 1
  }

  // MARK: Changes behind the blocks

  private static let snapshotSize =
    (Int(KT_ITR_COUNT) + Int(KT_ITC_COUNT)) * MemoryLayout<kt_translation>.stride + 8 * 8 + 16 * 8

  /// Where instruction addresses may translate differently than before, blocks must prove themselves again.
  private func noticeTranslations(_ cpu: CPU) {
    if let sites = cpu.pointee.sites?.assumingMemoryBound(to: kt_site_table.self),
      sites.pointee.generation != siteGeneration {
      siteGeneration = sites.pointee.generation
      follow(sites)
    }
    // No two processors of a machine count alike; the threads of a process share their count.
    guard cpu.pointee.fetch_generation != generation else { return }
    generation = cpu.pointee.fetch_generation
    if cpu.pointee.is_process != 0 {
      epoch += 1
      cache.retireWide()
      return cache.unlinkAll()
    }
    var place = snapshot
    var changed = false
    func compare(_ source: UnsafeRawPointer, _ bytes: Int) {
      if memcmp(place, source, bytes) != 0 {
        memcpy(place, source, bytes)
        changed = true
      }
      place += bytes
    }
    compare(kt_itr(cpu), Int(KT_ITR_COUNT) * MemoryLayout<kt_translation>.stride)
    compare(kt_itc(cpu), Int(KT_ITC_COUNT) * MemoryLayout<kt_translation>.stride)
    compare(kt_region_registers(cpu), 64)
    compare(kt_protection_keys(cpu), 128)
    guard changed else { return }
    epoch += 1
    cache.unlinkPages()
  }

  /// Has the patcher follow a site table that was not known before.
  private func follow(_ sites: UnsafeMutablePointer<kt_site_table>) {
    guard followed != sites, let owner = sites.pointee.owner else { return }
    followed = sites
    cache.callables.refresh(sites)
    let table = Unmanaged<SiteTable>.fromOpaque(owner).takeUnretainedValue()
    nonisolated(unsafe) let pointer = sites
    table.observe { [patcher] change in patcher.apply(change, pointer) }
    flush()
  }

  /// Blocks that the patcher sent home die here, between blocks.
  private func buryRetired() {
    for number in patcher.takeRetired() where !cache.blocks[number].retired { cache.retire(number) }
  }

  package func invalidateCode(physical: UInt64, length: UInt64) {
    codeObserver?(physical, length)
    guard cache.invalidate(physical: physical, length: length) else { return }
    statistics.invalidations += 1
    regionsAt = regionsAt.filter { !($0.key.physical >= physical & ~0xfff && $0.key.physical < physical &+ length) }
    // The running block, if it is one of them, leaves behind its store.
    for cpu in machine.cpus { cpu.pointee.event_check = 1 }
  }
}

private let codeWritten: @convention(c) (CPU?, UInt64, UInt64) -> Void = { cpu, physical, length in
  Unmanaged<TranslatorEngine>.fromOpaque(cpu.unsafelyUnwrapped.pointee.engine).takeUnretainedValue()
    .invalidateCode(physical: physical, length: length)
}

extension UnsafeMutablePointer where Pointee == UInt8 {
  fileprivate func alignedDown(_ alignment: UInt) -> UnsafeMutablePointer<UInt8> {
    UnsafeMutablePointer(bitPattern: UInt(bitPattern: self) & ~(alignment - 1))!
  }
}
