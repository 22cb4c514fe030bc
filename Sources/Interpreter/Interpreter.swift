// The interpreter: the reference engine. It decodes guest code once a granule (DecodedPage.swift), runs it in a tight
// loop while the state allows (RunLoop.swift), and one careful instruction at a time where it does not (`step`).
//
// Slots: every issued instruction counts one against the budget: predicated-off ones, nops, and one that faults, so
// that a guest that only faults makes progress; a fetch that faults counts one as well; movl, brl count one; a bound
// call site KT_SITE_SLOTS, and it is executed whenever any budget is left, which may end below zero.
import CSupport
import IA64
import Machine

/// What the run loop reaches without a reference: raw memory owned by `Interpreter`.
struct InterpreterState {
  /// Pages by physical address: hash chains.
  var buckets: UnsafeMutablePointer<PagePointer?>
  /// Resolved fetches by virtual address.
  var fetch: UnsafeMutablePointer<FetchLine>
  /// Generation of the call-site table that decoded pages reflect.
  var siteGeneration: UInt64 = 0
}

let bucketCount = 4096
let fetchLineCount = 256

package final class Interpreter: Engine {
  let state: UnsafeMutablePointer<InterpreterState>

  /// An interpreter for the processors of one machine that run on one host thread.
  package init() {
    prepareRecipes()
    let buckets = UnsafeMutablePointer<PagePointer?>.allocate(capacity: bucketCount)
    buckets.initialize(repeating: nil, count: bucketCount)
    let fetch = UnsafeMutablePointer<FetchLine>.allocate(capacity: fetchLineCount)
    fetch.initialize(repeating: FetchLine(), count: fetchLineCount)
    state = .allocate(capacity: 1)
    state.initialize(to: InterpreterState(buckets: buckets, fetch: fetch))
  }

  deinit {
    forEachPage { page in
      page.pointee.slots.deallocate()
      page.deallocate()
    }
    state.pointee.buckets.deallocate()
    state.pointee.fetch.deallocate()
    state.deallocate()
  }

  /// Makes this interpreter the processor's engine: its functions in the struct by which other modules call it.
  package func attach(_ cpu: CPU) {
    cpu.pointee.engine = UnsafeMutableRawPointer(state)
    cpu.pointee.code_written = codeWritten
    Self.installServices(cpu)
  }

  /// Fills in `execute_instruction`, by which any engine hands a single instruction to the interpreter.
  package static func installServices(_ cpu: CPU) {
    prepareRecipes()
    cpu.pointee.execute_instruction = executeThroughStruct
  }

  package func run(_ cpu: CPU) -> kt_stop_reason {
    if cpu.pointee.engine != UnsafeMutableRawPointer(state) { attach(cpu) }
    cpu.pointee.stop_reason = UInt32(KT_STOP_NONE.rawValue)
    noticeSites(cpu)
    while true {
      if cpu.pointee.event_check | cpu.pointee.stop_request != 0 {
        if cpu.checkEvents() == .stopped { return kt_stop_reason(rawValue: cpu.pointee.stop_reason) }
        noticeSites(cpu)
        continue
      }
      if cpu.pointee.budget <= 0 { return stopped(cpu, KT_STOP_BUDGET) }
      if cpu.pointee.nat_live != 0 { cpu.scanNaT() }
      let status =
        !cpu.canRunFast ? runCarefully(cpu, state) : cpu.isRenamed ? runRenamed(cpu, state) : runFast(cpu, state)
      if status == .stopped { return kt_stop_reason(rawValue: cpu.pointee.stop_reason) }
    }
  }

  /// Executes one slot, ip and ri advancing, with everything that can happen to it; the budget goes down. Asks for
  /// events neither before nor after.
  package func step(_ cpu: CPU) -> Status { stepOne(cpu, state) }

  package func invalidateCode(physical: UInt64, length: UInt64) {
    invalidate(state, physical: physical, length: length)
  }

  private func stopped(_ cpu: CPU, _ reason: kt_stop_reason) -> kt_stop_reason {
    cpu.pointee.stop_reason = UInt32(reason.rawValue)
    return reason
  }

  /// Decodes everything anew when the bindings of call sites have changed since.
  private func noticeSites(_ cpu: CPU) {
    guard let sites = cpu.pointee.sites?.assumingMemoryBound(to: kt_site_table.self),
      sites.pointee.generation != state.pointee.siteGeneration
    else { return }
    state.pointee.siteGeneration = sites.pointee.generation
    forEachPage { $0.clear() }
  }

  private func forEachPage(_ body: (PagePointer) -> Void) {
    for index in 0..<bucketCount {
      var page = state.pointee.buckets[index]
      while let present = page {
        page = present.pointee.next
        body(present)
      }
    }
  }
}

// MARK: Services through the struct


private let executeThroughStruct: @convention(c) (CPU?, OpaquePointer?) -> Int32 = { cpu, instruction in
  executeInstruction(cpu.unsafelyUnwrapped, Code(instruction.unsafelyUnwrapped))
}

private let codeWritten: @convention(c) (CPU?, UInt64, UInt64) -> Void = { cpu, physical, length in
  let state = cpu.unsafelyUnwrapped.pointee.engine.assumingMemoryBound(to: InterpreterState.self)
  invalidate(state, physical: physical, length: length)
}

/// Forgets the decoded bundles in a physical range, with a slot's neighbours in its bundle and the beginning of a call
/// site that reaches into the range.
func invalidate(_ state: UnsafeMutablePointer<InterpreterState>, physical: UInt64, length: UInt64) {
  if length == 0 { return }
  // A bound call site is decoded at its first bundle only: its other four may be what was written.
  let siteTail = min(physical, 64)
  let physical = physical - siteTail, length = length + siteTail
  var granule = physical & ~0xfff
  let last = physical &+ (length - 1)
  while true {
    if let page = findPage(state, granule), page.pointee.used {
      let first = Int(max(physical, granule) - granule) >> 4
      let end = Int(min(last, granule &+ 0xfff) - granule) >> 4
      page.forget(first...end)
    }
    if granule == last & ~0xfff { return }
    granule &+= 0x1000
  }
}

// MARK: From ip to decoded slots

@inline(__always)
private func bucket(_ physical: UInt64) -> Int { Int(truncatingIfNeeded: (physical >> 12) & UInt64(bucketCount - 1)) }

private func findPage(_ state: UnsafeMutablePointer<InterpreterState>, _ physical: UInt64) -> PagePointer? {
  var page = state.pointee.buckets[bucket(physical)]
  while let present = page, present.pointee.physical != physical { page = present.pointee.next }
  return page
}

/// The slots of the granule that holds `ip`; nil after a fault on the fetch or a stop (`afterFailedFetch` tells).
@inline(__always)
func locate(_ cpu: CPU, _ state: UnsafeMutablePointer<InterpreterState>) -> SlotPointer? {
  let ip = cpu.pointee.ip
  let tag = ip & ~0xfff | (cpu.pointee.psr >> PSR.cplShift) & 0x13
  let line = state.pointee.fetch + Int(truncatingIfNeeded: ip >> 12 & UInt64(fetchLineCount - 1))
  if line.pointee.tag == tag && line.pointee.generation == UInt64(cpu.pointee.fetch_generation) {
    return line.pointee.page.unsafelyUnwrapped.pointee.slots
  }
  return locateSlowly(cpu, state, line, tag)
}

/// What a fetch that `locate` refused returns: a fault was delivered, or the processor stops.
func afterFailedFetch(_ cpu: CPU) -> Status {
  cpu.pointee.stop_reason != UInt32(KT_STOP_NONE.rawValue) ? .stopped : .interruptedOrStopped(cpu)
}

@inline(never)
private func locateSlowly(
  _ cpu: CPU, _ state: UnsafeMutablePointer<InterpreterState>, _ line: UnsafeMutablePointer<FetchLine>, _ tag: UInt64
) -> SlotPointer? {
  cpu.pointee.stop_reason = UInt32(KT_STOP_NONE.rawValue)
  guard let place = cpu.resolveFetch(cpu.pointee.ip) else { return nil }
  let physical = place & ~0xfff
  let page: PagePointer
  if let known = findPage(state, physical) {
    page = known
    if !known.pointee.used { cpu.machine.markCode(physical: physical) }
  } else {
    guard let host = hostOfCode(cpu, physical) else {
      // Code where there is no memory: what a machine check would end on hardware, the machine ends.
      _ = cpu.stop(KT_STOP_FATAL, detail: Int64(KT_FATAL_NO_CODE.rawValue))
      return nil
    }
    page = DecodedPage.make(physical: physical, host: host)
    page.pointee.next = state.pointee.buckets[bucket(physical)]
    state.pointee.buckets[bucket(physical)] = page
    cpu.machine.markCode(physical: physical)
  }
  line.pointee = FetchLine(tag: tag, generation: UInt64(cpu.pointee.fetch_generation), page: page)
  return page.pointee.slots
}

private func hostOfCode(_ cpu: CPU, _ physical: UInt64) -> UnsafeRawPointer? {
  if cpu.pointee.is_process != 0 {
    return (cpu.machine.processMemory?.page(at: physical)?.host).map { UnsafeRawPointer($0) }
  }
  return cpu.machine.host(physical: physical, length: 4096).map { UnsafeRawPointer($0) }
}

/// Decodes the bundle of `slot`, whose address is `address`.
@inline(never)
func decodeBundle(
  _ cpu: CPU, _ state: UnsafeMutablePointer<InterpreterState>, _ slot: SlotPointer, _ address: UInt64
) {
  let line = state.pointee.fetch + Int(truncatingIfNeeded: address >> 12 & UInt64(fetchLineCount - 1))
  let page = line.pointee.page.unsafelyUnwrapped
  let bundle = Int(slot.pointee.position >> 2)
  // Stores there may have gone unannounced since the machine gave the granule up as code.
  cpu.machine.markCode(physical: page.pointee.physical)
  page.decode(
    bundle: bundle, site: boundSite(cpu, address, page, bundle), alat: cpu.pointee.alat != nil)
}

// MARK: Bound call sites

/// The index of the bound site that begins at `address`, a bundle of the page, unless it is to be emulated.
private func boundSite(_ cpu: CPU, _ address: UInt64, _ page: PagePointer, _ bundle: Int) -> Int? {
  guard let table = cpu.pointee.sites?.assumingMemoryBound(to: kt_site_table.self),
    let site = table.pointee.site, table.pointee.count != 0, cpu.pointee.call_site != nil
  else { return nil }
  let text = page.pointee.host + 16 * bundle, physical = page.pointee.physical | UInt64(16 * bundle)
  let available = cpu.readableCode(address, physical: physical, host: text)
  let index = Int(kt_site_at(table, address, text, available))
  guard index >= 0, site[index].dispatch != UInt8(KT_DISPATCH_EMULATED.rawValue) else { return nil }
  let last = physical &+ (site[index].end &- site[index].start) &- 1
  if last & ~0xfff != page.pointee.physical { cpu.machine.markCode(physical: last) }
  return index
}

/// Executes a bound call site at `ip`, unless the budget is used up. Nothing has been counted for it yet.
@inline(never)
func runSite(_ cpu: CPU, _ state: UnsafeMutablePointer<InterpreterState>, _ slot: SlotPointer) -> Status {
  let index = UInt32(truncatingIfNeeded: slot.pointee.instruction.imm)
  guard let table = cpu.pointee.sites?.assumingMemoryBound(to: kt_site_table.self),
    UInt64(index) < table.pointee.count, table.pointee.site[Int(index)].start == cpu.pointee.ip,
    table.pointee.site[Int(index)].dispatch != UInt8(KT_DISPATCH_EMULATED.rawValue),
    let call = cpu.pointee.call_site
  else {
    // The table has changed since the bundle was decoded.
    forgetBundle(state, slot, cpu.pointee.ip)
    return .branched
  }
  if cpu.pointee.budget <= 0 { return .done }
  cpu.pointee.budget &-= Int64(KT_SITE_SLOTS)
  let end = table.pointee.site[Int(index)].end
  let status = Status(call(cpu, index))
  if status == Status(KT_CALL_EMULATE) {
    cpu.pointee.budget &+= Int64(KT_SITE_SLOTS)
    return emulateSite(cpu, state, slot)
  }
  if status != .done { return status }
  cpu.pointee.ip = end
  cpu.pointee.ri = 0
  return .branched
}

/// Executes the first slot of a site as the plain code that it is this time, a NaT among the arguments or the site no longer
/// bound: the next time is decided anew.
private func emulateSite(_ cpu: CPU, _ state: UnsafeMutablePointer<InterpreterState>, _ slot: SlotPointer) -> Status {
  let address = cpu.pointee.ip
  let line = state.pointee.fetch + Int(truncatingIfNeeded: address >> 12 & UInt64(fetchLineCount - 1))
  line.pointee.page.unsafelyUnwrapped.decode(
    bundle: Int(slot.pointee.position >> 2), site: nil, alat: cpu.pointee.alat != nil)
  let status = stepOne(cpu, state)
  forgetBundle(state, slot, address)
  return status == .done ? .branched : status
}

private func forgetBundle(_ state: UnsafeMutablePointer<InterpreterState>, _ slot: SlotPointer, _ address: UInt64) {
  let line = state.pointee.fetch + Int(truncatingIfNeeded: address >> 12 & UInt64(fetchLineCount - 1))
  let bundle = Int(slot.pointee.position >> 2)
  line.pointee.page.unsafelyUnwrapped.forget(bundle...bundle)
}

// MARK: One slot at a time

/// Advances ip and ri to the next slot.
@inline(__always)
func advance(_ cpu: CPU) {
  if cpu.pointee.ri >= 2 {
    cpu.pointee.ip &+= 16
    cpu.pointee.ri = 0
  } else {
    cpu.pointee.ri += 1
  }
}

/// Executes the slot at ip and ri.
@inline(never)
func stepOne(_ cpu: CPU, _ state: UnsafeMutablePointer<InterpreterState>) -> Status {
  cpu.pointee.budget &-= 1
  guard let slots = locate(cpu, state) else { return afterFailedFetch(cpu) }
  if let status = cpu.instructionBreakpoint() { return status }
  let slot = slots + Int(3 * (cpu.pointee.ip >> 4 & 255)) + Int(cpu.pointee.ri)
  if slot.pointee.fast == .undecoded { decodeBundle(cpu, state, slot, cpu.pointee.ip) }
  if slot.pointee.fast == .site {
    cpu.pointee.budget &+= 1
    return runSite(cpu, state, slot)
  }
  let source = cpu.pointee.ip, position = cpu.pointee.ri
  let psr = cpu.pointee.psr
  let status = executeInstruction(cpu, instruction(slot))
  if status == .done {
    if slot.pointee.isLong { cpu.pointee.ri = 2 }
    advance(cpu)
  } else if status != .branched {
    return status
  }
  return afterInstruction(cpu, psr, slot.pointee.instruction.opcode, source, position) ?? status
}

/// What a completed instruction ends: the psr bits that hold for one instruction; and the single-step trap.
@inline(__always)
private func afterInstruction(
  _ cpu: CPU, _ before: UInt64, _ opcode: Opcode, _ source: UInt64, _ slot: UInt32
) -> Status? {
  if before & (PSR.oneShot & ~PSR.ss) != 0 && opcode != .rfi {
    cpu.setPSR(cpu.pointee.psr & ~(PSR.oneShot & ~PSR.ss))
  }
  if before & PSR.ss != 0 && opcode != .rfi && cpu.pointee.psr & PSR.ss != 0 {
    return deliverTrap(cpu, .singleStep, code: TrapCode.singleStep, source: source, slot: slot)
  }
  return nil
}

/// Steps while the run loop can't: a NaT in the frame, debugging.
@inline(never)
private func runCarefully(_ cpu: CPU, _ state: UnsafeMutablePointer<InterpreterState>) -> Status {
  var untilScan = 32
  while cpu.pointee.budget > 0 && cpu.pointee.event_check | cpu.pointee.stop_request == 0 {
    let status = stepOne(cpu, state)
    if status == .stopped { return status }
    untilScan -= 1
    if untilScan == 0 {
      untilScan = 32
      if cpu.pointee.nat_live != 0 { cpu.scanNaT() }
    }
    if cpu.canRunFast { return .branched }
  }
  return .done
}
