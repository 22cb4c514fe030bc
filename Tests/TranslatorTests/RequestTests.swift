// Requests from another thread while emitted code runs: `event_check` and `stop_request` are set thousands of times, at any
// moment, and the guest must come out as if nobody had asked.
import CSupport
import Glibc
import IA64
import Machine
import Synchronization
import Testing
import Translator

@Suite struct RequestTests {
  private final class Asker: Sendable {
    let done = Atomic<Bool>(false)
    let requests = Atomic<Int>(0)
    nonisolated(unsafe) let cpu: CPU
    init(_ cpu: CPU) { self.cpu = cpu }

    func ask() {
      var turn = 0
      while !done.load(ordering: .acquiring) {
        if turn % 3 == 0 { cpu.pointee.stop_request = 1 } else { cpu.pointee.event_check = 1 }
        requests.add(1, ordering: .relaxed)
        turn += 1
        usleep(UInt32(turn % 7) * 5)
      }
    }
  }

  /// r8 := r8 · 31 + r9, stored and loaded again, r9 counting up, with calls of a function that rotates nothing and
  /// returns: a chain of blocks, calls, returns and stores that never ends.
  private func program() throws -> [InstructionBundle] {
    func slot(_ i: Instruction) throws -> UInt64 { try #require(Encoder.encode(i)).slot }
    let nopI = try slot(Instruction(opcode: .nop_i)), nopM = try slot(Instruction(opcode: .nop_m))
    let mix = try slot(Instruction(opcode: .shladd, r1: 10, r2: 8, r3: 8, aux: 4))  // r10 := 17·r8
    let sum = try slot(Instruction(opcode: .add, r1: 8, r2: 10, r3: 9))
    let count = try slot(Instruction(opcode: .adds, r1: 9, r3: 9, imm: 1))
    let store = try slot(Instruction(opcode: .st8, r2: 8, r3: 11))
    let load = try slot(Instruction(opcode: .ld8, r1: 8, r3: 11))
    let call = try slot(Instruction(opcode: .br_call, r1: 0, imm: 32))
    let back = try slot(Instruction(opcode: .br_cond, imm: -48))
    let ret = try slot(Instruction(opcode: .br_ret, r2: 0))
    let mmi = Template(rawValue: 0x08), mib = Template(rawValue: 0x10)
    return [
      InstructionBundle(template: mmi, mix, nopM, count), InstructionBundle(template: mib, nopM, nopI, call),
      InstructionBundle(template: mmi, nopM, nopM, nopI), InstructionBundle(template: mib, load, nopI, back),
      InstructionBundle(template: mmi, sum, nopM, nopI), InstructionBundle(template: mib, store, nopI, ret),
    ]
  }

  /// Runs `slots` issued slots from the start, however often the engine is asked to stop.
  private func run(_ subject: Subject, _ bundles: [InstructionBundle], slots: Int64) {
    subject.write(bundles)
    let cpu = subject.cpu
    cpu.staticGR[8] = 0
    cpu.staticGR[9] = 1
    cpu.staticGR[11] = Subject.dataBase
    cpu.pointee.ip = Subject.codeBase
    cpu.pointee.ar_bspstore = 0x30000
    cpu.setBudget(slots)
    while true {
      let reason = (subject.translator as (any Engine)? ?? subject.interpreter).run(cpu)
      if reason != KT_STOP_REQUEST { break }
      cpu.pointee.stop_request = 0
    }
  }

  @Test func requestsChangeNothing() throws {
    let bundles = try program()
    let slots: Int64 = 600_000_000
    let undisturbed = try Subject(translator: .all), disturbed = try Subject(translator: .all)
    run(undisturbed, bundles, slots: slots)
    let asker = Asker(disturbed.cpu)
    var thread = pthread_t()
    let made = pthread_create(&thread, nil, { argument in
      Unmanaged<Asker>.fromOpaque(argument!).takeRetainedValue().ask()
      return nil
    }, Unmanaged.passRetained(asker).toOpaque())
    #expect(made == 0)
    run(disturbed, bundles, slots: slots)
    asker.done.store(true, ordering: .releasing)
    pthread_join(thread, nil)
    for subject in [undisturbed, disturbed] {
      subject.cpu.pointee.event_check = 0
      subject.cpu.pointee.stop_request = 0
    }
    #expect(undisturbed.cpu.staticGR[9] > 1_000_000)
    #expect(asker.requests.load(ordering: .relaxed) > 1000)
    #expect(differences(undisturbed, disturbed) == [])
  }
}
