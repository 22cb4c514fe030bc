// Lockstep verification: one guest in two processes, the engine under test in one and the reference in the other,
// compared at every block boundary; and the search for the first instruction at which they differ.
import CSupport
import Glibc
import Machine
import Platforms

/// A guest that can be run by any engine: a platform with its image loaded.
package protocol LockstepGuest: AnyObject {
  var machine: Machine { get }
  /// The engine that its role asks for.
  var engine: any Engine { get }
  /// Runs it to its end, and says in words how that came.
  func run(_ engine: any Engine) -> String
}

/// Which of the two a guest is built for.
package enum LockstepRole: Sendable {
  /// The engine under test: it alone shows the guest's output and asks the host.
  case producer
  /// The reference.
  case consumer
}

/// How one run ended.
package struct LockstepOutcome: Sendable {
  package var counts = LockstepCounts()
  package var divergence: Divergence?
  /// Why the comparison itself failed.
  package var failure: String?
  /// The guest's end, as the reference saw it.
  package var end: String?
}

package struct Lockstep {
  /// Builds the guest anew; the same for both roles but for what goes to the host.
  package var makeGuest: (LockstepRole, SharedChannel) throws -> any LockstepGuest
  /// Slots between two comparisons at most.
  package var slotsPerRecord = Verification.slotsPerRecord
  /// Compares behind every block. Otherwise blocks run linked, as without comparison, for `slotsPerRecord` slots.
  package var eachBlock = true
  package var progress: ((LockstepCounts) -> Void)?
  /// Seconds that the whole may take. Only the comparison looks at the time: the two processes would each stop elsewhere.
  package var timeout: Double?
  private var deadline: UInt64?

  package init(makeGuest: @escaping (LockstepRole, SharedChannel) throws -> any LockstepGuest) {
    self.makeGuest = makeGuest
  }

  /// Where a run looks closer: blocks from `slots` on are cut to `instructions`, and the run ends at `end`.
  private struct Focus {
    var slots: UInt64
    var end: UInt64
    var instructions: Int
  }

  // MARK: The whole

  /// Runs to the end or the first difference, and finds the instruction that made it. Only in a process without other
  /// threads.
  package func verify() throws -> LockstepOutcome {
    var timed = self
    timed.deadline = timeout.map { hostNanoseconds() &+ UInt64(min($0, 1e9) * 1e9) }
    var outcome = try timed.run(nil)
    guard let first = outcome.divergence else { return outcome }
    outcome.divergence = try timed.locate(first)
    return outcome
  }

  /// Runs again with the block cut into single instructions; where the difference hides then, into longer and longer
  /// beginnings.
  private func locate(_ first: Divergence) throws -> Divergence {
    func cut(_ instructions: Int) throws -> Divergence? {
      try run(Focus(slots: first.startSlots, end: first.endSlots, instructions: instructions)).divergence
    }
    if var found = try cut(1) {
      found.block = first.block
      return found
    }
    let count = Int(min(first.endSlots &- first.startSlots, 64))
    // The shortest beginning that shows it: longer ones are taken to show it too.
    var low = 2, high = count, shown: Divergence?
    while low <= high {
      let middle = (low + high) / 2
      if let found = try cut(middle), found.start == first.start {
        shown = found
        high = middle - 1
      } else {
        low = middle + 1
      }
    }
    guard var found = shown else {
      var whole = first
      whole.remark =
        (isTimeUp ? "stopped at --timeout before it was traced further" : "the difference vanishes when the block is cut")
        + ": this is the whole block"
      return whole
    }
    found.block = first.block
    found.remark = "no single instruction shows it: this is the shortest beginning of the block that does"
    return found
  }

  private var isTimeUp: Bool { deadline.map { hostNanoseconds() >= $0 } ?? false }

  // MARK: One run

  private func run(_ focus: Focus?) throws -> LockstepOutcome {
    guard let channel = SharedChannel() else { throw LockstepError.noMemory }
    let child = kt_fork()
    if child < 0 { throw LockstepError.noProcess(errno) }
    if child == 0 { produce(channel, focus) }
    var ended: Int32?
    channel.peerLives = {
      var status: Int32 = 0
      if ended == nil, kt_child_ended(child, &status) != 0 { ended = status }
      return ended == nil
    }
    defer {
      channel.close()
      if ended == nil {
        kill(child, SIGKILL)
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0 && errno == EINTR {}
      }
    }
    channel.deadline = deadline
    let guest = try makeGuest(.consumer, channel)
    var outcome = consume(guest, guest.engine, channel, focus)
    if outcome.failure != nil, let ended { outcome.failure = describeEnd(ended, outcome) }
    return outcome
  }

  private func describeEnd(_ status: Int32, _ outcome: LockstepOutcome) -> String {
    let signal = status & 0x7f
    let place = "after \(outcome.counts.slots) slots"
    if signal != 0 {
      return "the translator's process ended by signal \(signal) (\(String(cString: strsignal(signal)))) \(place)"
    }
    return "the translator's process ended with status \(status >> 8 & 0xff) \(place)"
  }

  /// The child's part.
  private func produce(_ channel: SharedChannel, _ focus: Focus?) -> Never {
    let parent = getppid()
    channel.peerLives = { getppid() == parent }
    do {
      let guest = try makeGuest(.producer, channel)
      // What comes before the place to look at has been compared.
      Self.produce(
        guest, guest.engine, channel, focus.map { ($0.slots, $0.instructions) },
        focus == nil ? slotsPerRecord : mostSlotsPerRecord, eachBlock: eachBlock && focus == nil)
      _exit(0)
    } catch {
      // The parent builds the same and reports the same error.
      _exit(125)
    }
  }

  /// Runs `guest` on the engine under test and publishes what it does.
  package static func produce(
    _ guest: any LockstepGuest, _ engine: any Engine, _ channel: SharedChannel,
    _ focus: (slots: UInt64, instructions: Int)? = nil, _ slotsPerRecord: Int64 = Verification.slotsPerRecord,
    eachBlock: Bool = true
  ) {
    if let blocks = engine as? any BlockEngine { blocks.returnsAfterBlock = eachBlock }
    let producer = LockstepProducer(engine, channel: channel, slotsPerRecord: slotsPerRecord)
    if let focus {
      producer.focusSlots = focus.slots
      producer.focusInstructions = focus.instructions
    }
    let end = guest.run(producer)
    if producer.isClosed { return }
    let text = Array(end.utf8)
    guard let message = try? channel.begin(payload: 8 + text.count) else { return }
    message.storeBytes(of: memoryDigest(guest.machine), as: UInt64.self)
    text.withUnsafeBytes { bytes in if let base = bytes.baseAddress { memcpy(message + 8, base, bytes.count) } }
    channel.commit(.end, payload: 8 + text.count)
  }

  private func consume(
    _ guest: any LockstepGuest, _ engine: any Engine, _ channel: SharedChannel, _ focus: Focus?
  ) -> LockstepOutcome {
    Self.consume(
      guest, engine, channel, endSlots: focus?.end, vectorSlots: focus?.instructions == 1 ? focus?.slots : nil,
      progress: focus == nil ? progress : nil)
  }

  /// Runs `guest` on the reference and compares.
  package static func consume(
    _ guest: any LockstepGuest, _ engine: any Engine, _ channel: SharedChannel, endSlots: UInt64? = nil,
    vectorSlots: UInt64? = nil, progress: ((LockstepCounts) -> Void)? = nil
  ) -> LockstepOutcome {
    let consumer = LockstepConsumer(engine, channel: channel)
    consumer.progress = progress
    consumer.endSlots = endSlots
    consumer.vectorSlots = vectorSlots
    var outcome = LockstepOutcome()
    let end = guest.run(consumer)
    outcome.counts = consumer.counts
    outcome.failure = consumer.failure
    outcome.divergence = consumer.divergence
    if var found = outcome.divergence {
      CodeText.describe(&found, guest.machine)
      outcome.divergence = found
    }
    if outcome.divergence != nil || outcome.failure != nil || consumer.isBeyondEnd { return outcome }
    if consumer.isOverTime || channel.isTimeUp {
      outcome.end = BootGuest.describe(.timeout)
      return outcome
    }
    outcome.end = end
    compareEnds(guest, end, channel, &outcome)
    return outcome
  }

  private static func compareEnds(
    _ guest: any LockstepGuest, _ end: String, _ channel: SharedChannel, _ outcome: inout LockstepOutcome
  ) {
    guard let (kind, payload) = try? channel.receive() else {
      if channel.isTimeUp {
        outcome.end = BootGuest.describe(.timeout)
        return
      }
      outcome.failure = "the translator's process has ended"
      return
    }
    defer { channel.release(payload) }
    let cpu = guest.machine.cpus[0]
    var found = Divergence(
      startSlots: outcome.counts.slots, endSlots: outcome.counts.slots, start: cpu.pointee.ip | UInt64(cpu.pointee.ri),
      processor: 0, block: outcome.counts.blocks)
    guard kind == .end else {
      found.remark = "the interpreter has left the run, the translator has not"
      outcome.divergence = found
      return
    }
    let digest = payload.load(as: UInt64.self)
    let other = String(decoding: UnsafeRawBufferPointer(rebasing: payload[8...]), as: UTF8.self)
    if other != end {
      found.stops = (end, other)
    } else if digest != memoryDigest(guest.machine) {
      found.remark = "memory differs at the end, though every recorded store was the same"
    } else {
      return
    }
    outcome.divergence = found
  }

  /// A number that stands for the contents of RAM.
  package static func memoryDigest(_ machine: Machine) -> UInt64 {
    let words = machine.ram.assumingMemoryBound(to: UInt64.self)
    var digest: UInt64 = 0xcbf2_9ce4_8422_2325
    for index in 0..<Int(machine.ramSize / 8) {
      digest = (digest ^ words[index]) &* 0x9e37_79b9_7f4a_7c15
      digest ^= digest >> 29
    }
    return digest
  }
}

package enum LockstepError: Error, CustomStringConvertible {
  case noMemory
  case noProcess(Int32)
  case noEngine

  package var description: String {
    switch self {
    case .noMemory: "no shared memory for the comparison: free some memory"
    case .noProcess(let code): "can't start a second process: \(String(cString: strerror(code)))"
    case .noEngine: "the system refuses memory for translated code: allow memfd mappings that are executable"
    }
  }
}
