// Lockstep on small guests, both sides in one process, a thread each: agreement, a planted wrong result, a planted wrong
// store, and the channel's own behaviour.
import CSupport
import Glibc
import IA64
import Interpreter
import Machine
import Synchronization
import Testing

import Verification

/// A guest that executes a random program for so many slots.
private final class ProgramGuest: LockstepGuest {
  let machine: Machine
  let engine: any Engine = Interpreter()
  private let slots: Int64
  init(_ program: RandomProgram, slots: Int64) throws {
    machine = try Machine(ramSize: RandomProgram.memorySize)
    self.slots = slots
    program.prepare(machine)
  }
  func run(_ engine: any Engine) -> String {
    let cpu = machine.cpus[0]
    while Int64(bitPattern: cpu.slots) < slots {
      cpu.setBudget(min(700, slots - Int64(bitPattern: cpu.slots)))
      let reason = engine.run(cpu)
      if reason != KT_STOP_BUDGET { return "stopped: \(reason.rawValue)" }
    }
    return "done"
  }
}

/// Makes blocks of a few slots out of an engine, and spoils the state once.
private final class Saboteur: BlockEngine {
  let inner: any Engine
  var returnsAfterBlock = true
  var blockInstructionLimit = 7
  let spoilAt: UInt64?
  let spoil: (CPU) -> Void
  init(_ inner: any Engine, at slot: UInt64? = nil, _ spoil: @escaping (CPU) -> Void = { _ in }) {
    self.inner = inner
    spoilAt = slot
    self.spoil = spoil
  }
  func run(_ cpu: CPU) -> kt_stop_reason {
    let end = cpu.pointee.deadline, before = cpu.slots
    let excess = cpu.pointee.budget - Int64(blockInstructionLimit)
    if excess > 0 {
      cpu.pointee.deadline -= excess
      cpu.pointee.budget -= excess
    }
    let reason = inner.run(cpu)
    if let spoilAt, before <= spoilAt, cpu.slots > spoilAt { spoil(cpu) }
    guard reason == KT_STOP_BUDGET else { return reason }
    cpu.setBudget(end - Int64(bitPattern: cpu.slots))
    return cpu.pointee.budget > 0 ? KT_STOP_NONE : KT_STOP_BUDGET
  }
  func invalidateCode(physical: UInt64, length: UInt64) { inner.invalidateCode(physical: physical, length: length) }
}

/// Runs `body` on a thread of its own; the result waits for its end.
private func onThread(_ body: @escaping () -> Void) -> () -> Void {
  final class Box { let body: () -> Void; init(_ body: @escaping () -> Void) { self.body = body } }
  var thread = pthread_t()
  let context = Unmanaged.passRetained(Box(body)).toOpaque()
  pthread_create(&thread, nil, { context in
    Unmanaged<Box>.fromOpaque(context!).takeRetainedValue().body()
    return nil
  }, context)
  return { pthread_join(thread, nil) }
}

@Suite struct LockstepTests {
  private func compare(
    _ program: RandomProgram, slots: Int64, spoilAt: UInt64? = nil, _ spoil: @escaping (CPU) -> Void = { _ in }
  ) throws -> LockstepOutcome {
    let channel = try #require(SharedChannel())
    let producer = try ProgramGuest(program, slots: slots), consumer = try ProgramGuest(program, slots: slots)
    nonisolated(unsafe) let shared = (channel, producer)
    let join = onThread { Lockstep.produce(shared.1, Saboteur(Interpreter(), at: spoilAt, spoil), shared.0) }
    defer { join() }
    return Lockstep.consume(consumer, Interpreter(), channel)
  }

  private let program = RandomProgram(seed: 11, mix: [.integer, .memory, .branches], count: 40)

  @Test func equalEnginesAgree() throws {
    let outcome = try compare(program, slots: 5000)
    #expect(outcome.divergence == nil, "\(outcome.divergence?.report(command: "") ?? "")")
    #expect(outcome.failure == nil)
    #expect(outcome.end == "done")
    #expect(outcome.counts.slots == 5000)
    #expect(outcome.counts.blocks >= 5000 / 7)
  }

  @Test func aWrongRegisterIsFoundInItsBlock() throws {
    let outcome = try compare(program, slots: 5000, spoilAt: 1003) { $0.writeGR(5, $0.readGR(5) ^ 1) }
    let found = try #require(outcome.divergence)
    #expect(found.startSlots <= 1003 && found.endSlots > 1003 && found.endSlots - found.startSlots <= 7)
    #expect(found.fields.map(\.name) == ["r5"])
    #expect(!found.code.isEmpty)
    let report = found.report(command: "kittson verify boot")
    #expect(report.contains("difference after \(found.startSlots) slots"))
    #expect(report.contains("reproduce: kittson verify boot"))
  }

  @Test func aWrongStoreIsFound() throws {
    let outcome = try compare(program, slots: 5000, spoilAt: 500) { cpu in
      _ = cpu.store(RandomProgram.dataBase, size: 4, 0x1234_5678)
    }
    let found = try #require(outcome.divergence)
    let store = try #require(found.store)
    #expect(store.translator?.description == "0x12345678 to 0x0000000000030000, 4 bytes")
    #expect(found.fields.isEmpty)
  }

  @Test func aStoreThatNoOneRecordedShowsAtTheEnd() throws {
    let outcome = try compare(program, slots: 3000, spoilAt: 500) { cpu in
      (cpu.machine.ram + Int(RandomProgram.memorySize) - 0x1000).storeBytes(of: 7, as: UInt8.self)
    }
    #expect(outcome.divergence?.remark?.hasPrefix("memory differs") == true)
  }

  @Test func anEngineThatLosesASlotIsFound() throws {
    let outcome = try compare(program, slots: 3000, spoilAt: 500) { $0.pointee.budget += 1 }
    #expect(outcome.divergence != nil)
  }

  @Test func anEarlyEndIsAFailure() throws {
    let channel = try #require(SharedChannel())
    channel.peerLives = { false }
    let outcome = Lockstep.consume(try ProgramGuest(program, slots: 100), Interpreter(), channel)
    #expect(outcome.failure != nil)
  }

  @Test func messagesOfAnyLengthPass() throws {
    let channel = try #require(SharedChannel())
    nonisolated(unsafe) let shared = channel
    let count = 5000
    let join = onThread {
      for n in 0..<count {
        let length = n * 37 % 9001
        guard let place = try? shared.begin(payload: length) else { return }
        memset(place, Int32(n & 0xff), length)
        shared.commit(.memory, payload: length)
      }
    }
    defer { join() }
    for n in 0..<count {
      let (kind, payload) = try channel.receive()
      #expect(kind == .memory && payload.count == n * 37 % 9001)
      #expect(payload.allSatisfy { $0 == UInt8(n & 0xff) })
      channel.release(payload)
    }
  }
}
