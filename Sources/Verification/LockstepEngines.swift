// The two engines of a lockstep run as the platform sees them. The producer wraps the engine under test: it comes back
// at every block boundary and publishes the state and the stores since the last one. The consumer wraps the reference: it
// runs to the very slot that a record names, and compares.
//
// The platform's code is the same in both processes; it is deterministic under the virtual clock, so that both see the
// same slices, timers and devices.
import CSupport
import Machine

/// The words of a state message before the state itself.
enum RecordWord {
  static let slots = 0        // issued slots at the boundary
  static let reason = 1       // kt_stop_reason
  static let detail = 2       // stop_detail
  static let start = 3        // where the block began: ip | ri
  static let flags = 4
  static let stores = 5       // stores that follow the state, three words each
  static let processor = 6
  static let vector = 7       // of a process's trap
  static let isr = 8
  static let ifa = 9
  static let iim = 10
  static let count = 12

  /// Translations follow the state.
  static let hasTranslations: UInt64 = 1
  /// The engine returned to the platform.
  static let returned: UInt64 = 2
}

/// Stores that a block may make. A block's slots are bounded so that they fit.
private let storeCapacity = 16384
/// Slots after which the producer comes back even without a block's end.
package let slotsPerRecord: Int64 = 4096
/// As many at most.
package let mostSlotsPerRecord: Int64 = 16000

/// A store log of its own for each processor.
private final class StoreLogs {
  private var logs: [UnsafeMutablePointer<kt_store_log>] = []

  /// The processor's log, empty.
  func log(_ cpu: CPU) -> UnsafeMutablePointer<kt_store_log> {
    if let present = cpu.pointee.store_log {
      let log = present.assumingMemoryBound(to: kt_store_log.self)
      log.pointee.count = 0
      return log
    }
    let log = UnsafeMutablePointer<kt_store_log>.allocate(capacity: 1)
    let records = UnsafeMutablePointer<kt_store_record>.allocate(capacity: storeCapacity)
    log.initialize(to: kt_store_log(count: 0, capacity: UInt64(storeCapacity), record: records))
    logs.append(log)
    cpu.pointee.store_log = UnsafeMutableRawPointer(log)
    // What may be written without a look at the log is looked up again.
    cpu.flushSoftwareTLB()
    return log
  }

  func release(_ machine: Machine) {
    for cpu in machine.cpus { cpu.pointee.store_log = nil }
    for log in logs {
      log.pointee.record.deallocate()
      log.deallocate()
    }
    logs = []
  }
}

/// Deals with what waits between two instructions, so that both engines stand at the same point of it. Gives the reason
/// to stop that came of it, or none.
private func settle(_ cpu: CPU) -> kt_stop_reason {
  cpu.pointee.stop_reason = 0
  while cpu.pointee.event_check != 0 {
    if cpu.checkEvents() == .stopped { break }
  }
  return kt_stop_reason(cpu.pointee.stop_reason)
}

private func goesOn(_ reason: kt_stop_reason) -> Bool { reason == KT_STOP_NONE || reason == KT_STOP_BUDGET }

// MARK: Producer

package final class LockstepProducer: Engine {
  private let inner: any Engine
  private let channel: SharedChannel
  private let logs = StoreLogs()
  /// From this slot on, blocks are cut to `focusInstructions`, and each is compared.
  package var focusSlots: UInt64?
  package var focusInstructions = 1
  /// Slots between two comparisons at most.
  package var slotsPerRecord: Int64
  private var generation: [UInt64] = []
  private var records: UInt64 = 0
  /// The consumer wants no more: the run ends.
  package private(set) var isClosed = false

  package init(_ inner: any Engine, channel: SharedChannel, slotsPerRecord: Int64 = Verification.slotsPerRecord) {
    self.inner = inner
    self.channel = channel
    self.slotsPerRecord = slotsPerRecord
  }

  package func run(_ cpu: CPU) -> kt_stop_reason {
    let end = cpu.pointee.deadline
    while true {
      let log = logs.log(cpu)
      let start = cpu.pointee.ip | UInt64(cpu.pointee.ri)
      if let focus = focusSlots, cpu.slots >= focus {
        focusSlots = nil
        (inner as? any BlockEngine)?.returnsAfterBlock = true
        (inner as? any BlockEngine)?.blockInstructionLimit = focusInstructions
      }
      let most = min(slotsPerRecord, focusSlots.map { Int64($0 &- cpu.slots) } ?? .max)
      let excess = cpu.pointee.budget - most
      if excess > 0 {
        cpu.pointee.deadline -= excess
        cpu.pointee.budget = most
      }
      var reason = inner.run(cpu)
      cpu.setBudget(end - Int64(bitPattern: cpu.slots))
      if goesOn(reason) {
        reason = settle(cpu)
        if reason == KT_STOP_NONE && cpu.pointee.budget <= 0 { reason = KT_STOP_BUDGET }
      }
      do {
        try publish(cpu, start: start, reason, log)
      } catch {
        isClosed = true
        cpu.stop(KT_STOP_FATAL)
        return KT_STOP_FATAL
      }
      if reason != KT_STOP_NONE {
        cpu.pointee.stop_reason = UInt32(reason.rawValue)
        return reason
      }
    }
  }

  package func invalidateCode(physical: UInt64, length: UInt64) {
    inner.invalidateCode(physical: physical, length: length)
  }

  private func publish(
    _ cpu: CPU, start: UInt64, _ reason: kt_stop_reason, _ log: UnsafeMutablePointer<kt_store_log>
  ) throws(ChannelError) {
    let translations = translationsChanged(cpu) || reason != KT_STOP_NONE
    let stores = Int(min(log.pointee.count, log.pointee.capacity))
    let stateWords = translations ? StateImage.allWords : StateImage.stateWords
    let words = RecordWord.count + stateWords + 3 * stores
    let message = try channel.begin(payload: 8 * words).assumingMemoryBound(to: UInt64.self)
    message[RecordWord.slots] = cpu.slots
    message[RecordWord.reason] = UInt64(reason.rawValue)
    message[RecordWord.detail] = UInt64(bitPattern: cpu.pointee.stop_detail)
    message[RecordWord.start] = start
    message[RecordWord.flags] =
      (translations ? RecordWord.hasTranslations : 0) | (reason != KT_STOP_NONE ? RecordWord.returned : 0)
    message[RecordWord.stores] = log.pointee.count
    message[RecordWord.processor] = UInt64(cpu.pointee.index)
    writeTrap(cpu, reason, message)
    StateImage.capture(cpu, into: message + RecordWord.count, translations: translations)
    let list = message + RecordWord.count + stateWords
    for index in 0..<stores {
      let store = log.pointee.record[index]
      list[3 * index] = store.va
      list[3 * index + 1] = store.value
      list[3 * index + 2] = UInt64(store.size)
    }
    channel.commit(.state, payload: 8 * words)
  }

  private func translationsChanged(_ cpu: CPU) -> Bool {
    let index = Int(cpu.pointee.index)
    while generation.count <= index { generation.append(0) }
    records += 1
    let changed = generation[index] != cpu.pointee.fetch_generation
    generation[index] = cpu.pointee.fetch_generation
    return changed || records & 1023 == 0
  }
}

/// The trap of a process, zero where there is none.
private func writeTrap(_ cpu: CPU, _ reason: kt_stop_reason, _ message: UnsafeMutablePointer<UInt64>) {
  let isTrap = reason == KT_STOP_PROCESS_TRAP
  message[RecordWord.vector] = isTrap ? UInt64(cpu.pointee.trap.vector) : 0
  message[RecordWord.isr] = isTrap ? cpu.pointee.trap.isr : 0
  message[RecordWord.ifa] = isTrap ? cpu.pointee.trap.ifa : 0
  message[RecordWord.iim] = isTrap ? cpu.pointee.trap.iim : 0
  message[RecordWord.iim + 1] = 0
}

// MARK: Consumer

package final class LockstepConsumer: Engine {
  private let inner: any Engine
  private let channel: SharedChannel
  private let logs = StoreLogs()
  private let own: UnsafeMutablePointer<UInt64>
  package private(set) var counts = LockstepCounts()
  /// The first difference: the run has ended.
  package private(set) var divergence: Divergence?
  /// The producer ended without saying so, or said what can't follow.
  package private(set) var failure: String?
  /// No comparison from this slot on: the run ends.
  package var endSlots: UInt64?
  /// From this slot on each record is one instruction, and a difference gets the state before it.
  package var vectorSlots: UInt64?
  package private(set) var isBeyondEnd = false
  /// The channel's time is up: the run ends, and says nothing of what was not compared.
  package private(set) var isOverTime = false
  /// Called now and then.
  package var progress: ((LockstepCounts) -> Void)?

  package init(_ inner: any Engine, channel: SharedChannel) {
    self.inner = inner
    self.channel = channel
    own = .allocate(capacity: RecordWord.count + StateImage.allWords)
    own.initialize(repeating: 0, count: RecordWord.count + StateImage.allWords)
  }

  deinit { own.deallocate() }

  package func invalidateCode(physical: UInt64, length: UInt64) {
    inner.invalidateCode(physical: physical, length: length)
  }

  package func run(_ cpu: CPU) -> kt_stop_reason {
    let end = cpu.pointee.deadline
    while true {
      guard let (kind, payload) = receive() else {
        return isOverTime ? stop(cpu) : fail(cpu, "the translator's process has ended")
      }
      guard kind == .state else { return fail(cpu, "the translator has left the run, the interpreter has not") }
      let record = UnsafeRawPointer(payload.baseAddress!).assumingMemoryBound(to: UInt64.self)
      let reason = follow(cpu, record, end)
      channel.release(payload)
      if divergence != nil || failure != nil || isBeyondEnd {
        return stop(cpu)
      }
      if let reason {
        cpu.pointee.stop_reason = UInt32(reason.rawValue)
        return reason
      }
    }
  }

  /// The next message; nil where there is none, or no more time for one.
  private func receive() -> (kind: MessageKind, payload: UnsafeRawBufferPointer)? {
    if counts.blocks & 63 == 0, channel.isTimeUp { isOverTime = true }
    if isOverTime { return nil }
    do throws(ChannelError) {
      return try channel.receive()
    } catch {
      isOverTime = error == .timeIsUp
      return nil
    }
  }

  private func fail(_ cpu: CPU, _ message: String) -> kt_stop_reason {
    failure = message
    return stop(cpu)
  }

  private func stop(_ cpu: CPU) -> kt_stop_reason {
    channel.close()
    cpu.stop(KT_STOP_FATAL)
    return KT_STOP_FATAL
  }

  /// Runs to the record's slot and compares. The reason to return to the platform, or nil to go on.
  private func follow(_ cpu: CPU, _ record: UnsafePointer<UInt64>, _ end: Int64) -> kt_stop_reason? {
    let log = logs.log(cpu)
    let present = cpu.slots
    let start = cpu.pointee.ip | UInt64(cpu.pointee.ri)
    var vector: StateVector?
    if let vectorSlots, present >= vectorSlots { vector = StateVector.instruction(at: cpu, named: "slot \(present)") }
    cpu.pointee.deadline = Int64(bitPattern: record[RecordWord.slots])
    cpu.pointee.budget = Int64(bitPattern: record[RecordWord.slots] &- present)
    var reason = inner.run(cpu)
    cpu.setBudget(end - Int64(bitPattern: cpu.slots))
    if goesOn(reason) {
      reason = settle(cpu)
      if reason == KT_STOP_NONE && cpu.pointee.budget <= 0 { reason = KT_STOP_BUDGET }
    }
    compare(cpu, record, start: start, startSlots: present, reason, log)
    divergence?.vector = vector
    counts.blocks += 1
    counts.slots += cpu.slots &- present
    counts.stores += log.pointee.count
    if counts.blocks & 0xfff == 0 { progress?(counts) }
    if let endSlots, cpu.slots >= endSlots { isBeyondEnd = true }
    return reason == KT_STOP_NONE ? nil : reason
  }

  // MARK: Comparing

  private func compare(
    _ cpu: CPU, _ record: UnsafePointer<UInt64>, start: UInt64, startSlots: UInt64, _ reason: kt_stop_reason,
    _ log: UnsafeMutablePointer<kt_store_log>
  ) {
    let translations = record[RecordWord.flags] & RecordWord.hasTranslations != 0
    let words = translations ? StateImage.allWords : StateImage.stateWords
    StateImage.capture(cpu, into: own, translations: translations)
    let state = record + RecordWord.count
    let sameState = equal(own, state, words)
    let store = storeDifference(log, record, state + words)
    let sameStop = sameStop(cpu, record, reason)
    if sameState && store == nil && sameStop && start == record[RecordWord.start]
      && cpu.slots == record[RecordWord.slots] && UInt64(cpu.pointee.index) == record[RecordWord.processor] { return }
    var found = Divergence(
      startSlots: startSlots, endSlots: record[RecordWord.slots], start: start, processor: Int(cpu.pointee.index),
      block: counts.blocks)
    if !sameState { found.fields = StateComparison.differences(own, state, count: words) }
    if cpu.slots != record[RecordWord.slots] {
      found.fields.append(
        StateDifference(name: "issued slots", first: cpu.slots, second: record[RecordWord.slots]))
    }
    if start != record[RecordWord.start] {
      found.remark = "the translator's block began at \(hexadecimal(record[RecordWord.start]))"
    }
    found.store = store
    if !sameStop {
      found.stops = (describe(reason, cpu), stopName(record[RecordWord.reason]) + trapText(record))
    }
    divergence = found
  }

  private func equal(_ a: UnsafePointer<UInt64>, _ b: UnsafePointer<UInt64>, _ count: Int) -> Bool {
    var difference: UInt64 = 0
    for index in 0..<count { difference |= a[index] ^ b[index] }
    return difference == 0
  }

  private func sameStop(_ cpu: CPU, _ record: UnsafePointer<UInt64>, _ reason: kt_stop_reason) -> Bool {
    guard record[RecordWord.reason] == UInt64(reason.rawValue) else { return false }
    if reason == KT_STOP_EXIT { return record[RecordWord.detail] == UInt64(bitPattern: cpu.pointee.stop_detail) }
    if reason != KT_STOP_PROCESS_TRAP { return true }
    return withUnsafeTemporaryAllocation(of: UInt64.self, capacity: RecordWord.count) { words in
      writeTrap(cpu, reason, words.baseAddress!)
      return (RecordWord.vector...RecordWord.iim).allSatisfy { words[$0] == record[$0] }
    }
  }

  private func describe(_ reason: kt_stop_reason, _ cpu: CPU) -> String {
    withUnsafeTemporaryAllocation(of: UInt64.self, capacity: RecordWord.count) { words in
      writeTrap(cpu, reason, words.baseAddress!)
      return stopName(UInt64(reason.rawValue)) + trapText(UnsafePointer(words.baseAddress!))
    }
  }

  private func trapText(_ record: UnsafePointer<UInt64>) -> String {
    guard record[RecordWord.vector] != 0 else { return "" }
    return " (vector \(hexadecimal(record[RecordWord.vector])), isr \(hexadecimal(record[RecordWord.isr])), ifa "
      + "\(hexadecimal(record[RecordWord.ifa])), iim \(hexadecimal(record[RecordWord.iim])))"
  }

  /// The first store that differs.
  private func storeDifference(
    _ log: UnsafeMutablePointer<kt_store_log>, _ record: UnsafePointer<UInt64>, _ list: UnsafePointer<UInt64>
  ) -> StoreDifference? {
    let ownCount = Int(log.pointee.count), otherCount = Int(record[RecordWord.stores])
    func mine(_ n: Int) -> StoreDifference.Store? {
      guard n < min(ownCount, storeCapacity) else { return nil }
      let store = log.pointee.record[n]
      return StoreDifference.Store(address: store.va, value: store.value, size: Int(store.size))
    }
    func theirs(_ n: Int) -> StoreDifference.Store? {
      guard n < min(otherCount, storeCapacity) else { return nil }
      return StoreDifference.Store(address: list[3 * n], value: list[3 * n + 1], size: Int(list[3 * n + 2]))
    }
    for n in 0..<min(max(ownCount, otherCount), storeCapacity) {
      let a = mine(n), b = theirs(n)
      if a != b { return StoreDifference(index: n, interpreter: a, translator: b) }
    }
    return nil
  }
}
