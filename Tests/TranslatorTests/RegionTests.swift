// Regions: loops of several blocks with one register assignment. Whatever the budget, and wherever it ends, the guest is
// where the interpreter has it.
import CSupport
import Glibc
import IA64
import Machine
import Testing
import Translator
import Verification

@Suite struct RegionTests {
  private static let acc: UInt8 = 8, outer: UInt8 = 9, inner: UInt8 = 10, place: UInt8 = 11, step: UInt8 = 14

  /// Whether `register` is not 0 yet: back to `target`.
  private static func loop(_ code: inout CodeBuilder, _ register: UInt8, to target: Int) {
    code.add(.adds(register, -1, register), .below(8, 9, 0, register))
    code.branch(qp: 8, to: target)
  }

  /// Two loops, one in the other, with a branch, a store and a load in the inner; `body` stands in its middle. Begins
  /// again at its end.
  private static func nested(_ body: (inout CodeBuilder) -> Void = { _ in }) -> [InstructionBundle] {
    assemble { code, labels in
      labels.mark("start", &code)
      code.add(.adds(outer, 4, 0))
      labels.mark("outer", &code)
      code.add(.adds(inner, 5, 0), .add(acc, acc, outer))
      labels.mark("inner", &code)
      code.add(.add(acc, acc, inner), .testBit(6, 7, acc, 0))
      code.branch(qp: 6, to: labels["odd"])
      code.add(Instruction(opcode: .shladd, r1: acc, r2: acc, r3: step, aux: 1))
      labels.mark("odd", &code)
      code.add(.store(place, acc), .load(15, place), Instruction(opcode: .xor, r1: 16, r2: 15, r3: inner))
      body(&code)
      loop(&code, inner, to: labels["inner"])
      loop(&code, outer, to: labels["outer"])
      code.branch(to: labels["start"])
    }
  }

  /// Two heads that lead to one another, and each to itself.
  private static let twoHeads = assemble { code, labels in
    labels.mark("first", &code)
    code.add(.adds(acc, 3, acc), .add(inner, inner, acc))
    labels.mark("second", &code)
    code.add(.add(outer, outer, inner), .adds(step, 1, step), .testBit(6, 7, outer, 2), .testBit(10, 11, step, 1))
    code.branch(qp: 6, to: labels["second"])
    code.add(.store(place, outer))
    code.branch(qp: 10, to: labels["first"])
    code.add(.adds(acc, 1, acc), .testBit(12, 13, acc, 1))
    code.branch(qp: 12, to: labels["second"])
    code.branch(to: labels["first"])
  }

  private func makeTwins(_ code: [InstructionBundle], threshold: Int32 = 1) throws -> Twins {
    let twins = try Twins(threshold: threshold)
    begin(twins, code)
    return twins
  }

  private func begin(_ twins: Twins, _ code: [InstructionBundle]) {
    twins.reset()
    twins.place(code)
    twins.each { cpu in
      for (register, value) in [(Self.acc, 5), (Self.step, 0x1234_5677), (Self.place, Twins.data)] as [(UInt8, UInt64)] {
        cpu.writeGR(Int(register), value)
      }
    }
  }

  /// Every budget from the start, twice, and every budget from where the last one ended.
  private func tryBudgets(_ code: [InstructionBundle], to most: Int64 = 500, blocks: Bool = false) throws {
    let twins = try makeTwins(code), onward = try makeTwins(code)
    for each in [twins, onward] { each.translator.returnsAfterBlock = blocks }
    for budget in 1...most {
      begin(twins, code)
      for turn in 1...2 {
        let found = twins.run(budget)
        #expect(found == nil, "budget \(budget), turn \(turn): \(found ?? "")")
      }
      let found = onward.run(budget)
      #expect(found == nil, "budget \(budget) onward: \(found ?? "")")
      if found != nil { break }
    }
    #expect(twins.translator.statistics.regions > 100)
    #expect(onward.translator.statistics.regions > 0)
  }

  @Test(arguments: [false, true]) func nestedLoops(inLockstep: Bool) throws {
    try tryBudgets(Self.nested(), blocks: inLockstep)
  }

  @Test(arguments: [false, true]) func loopsWithTwoHeads(inLockstep: Bool) throws {
    try tryBudgets(Self.twoHeads, blocks: inLockstep)
  }

  /// What the interpreter executes inside writes registers that the region carries: fetchadd8.acq and a predicated
  /// pmpyshr2 have no lowering.
  @Test(arguments: [false, true]) func interpretedInstructionsWriteCarriedRegisters(inLockstep: Bool) throws {
    let code = Self.nested { code in
      code.add(
        Instruction(opcode: .fetchadd8_acq, r1: Self.acc, r3: Self.place, imm: 8),
        Instruction(opcode: .pmpyshr2, qp: 6, r1: Self.step, r2: Self.acc, r3: Self.step),
        Instruction(opcode: .czx1_r, r1: 16, r3: Self.acc))
      code.add(.add(Self.acc, Self.acc, 16))
    }
    let twins = try makeTwins(code)
    for turn in 1...100 {
      let found = twins.run(97)
      #expect(found == nil, "turn \(turn): \(found ?? "")")
    }
    #expect(twins.translator.statistics.regions > 0)
    try tryBudgets(code, to: 300, blocks: inLockstep)
  }

  /// In every eighth turn the loop writes one of its own bundles, now with an addition of 1 in it, now with one of 2, and
  /// executes it next.
  @Test func storesIntoItsOwnCode() throws {
    let spare = [1, 2].map { value in
      assemble { code, _ in code.add(.adds(Self.acc, value, Self.acc)) }[0]
    }
    var patched = 0
    let code = assemble { code, labels in
      labels.mark("outer", &code)
      code.add(.adds(Self.inner, 3, 0))
      labels.mark("inner", &code)
      code.add(.testBit(6, 7, Self.acc, 4))
      code.add(.load(16, Self.outer, qp: 6), .load(16, Self.step, qp: 7))
      code.add(.adds(17, 1, 17), .extractUnsigned(18, 17, position: 0, length: 3), .compareEqual(10, 11, 0, 18))
      code.add(.store(Self.place, 16, qp: 10))
      labels.mark("patched", &code)
      patched = labels["patched"]
      code.add(spare[0])
      Self.loop(&code, Self.inner, to: labels["inner"])
      code.branch(to: labels["outer"])
    }
    let twins = try makeTwins(code)
    func start() {
      begin(twins, code)
      twins.each { cpu in
        for (index, bundle) in spare.enumerated() {
          cpu.machine.ram.storeBytes(of: bundle.low, toByteOffset: Int(Twins.data) + 8 * index, as: UInt64.self)
        }
        cpu.writeGR(Int(Self.outer), Twins.data)
        cpu.writeGR(Int(Self.step), Twins.data + 8)
        cpu.writeGR(Int(Self.place), Twins.code + UInt64(patched) * 16)
      }
    }
    for budget in 1...600 as ClosedRange<Int64> {
      start()
      for turn in 1...3 {
        let found = twins.run(budget)
        #expect(found == nil, "budget \(budget), turn \(turn): \(found ?? "")")
      }
    }
    #expect(twins.translator.statistics.regions > 100)
    #expect(twins.translator.statistics.invalidations > 500)
  }

  /// The code of a region's page changes behind the guest's back: another physical page stands there, the loop as before
  /// but for a constant; and the first one again.
  @Test func itsPageIsMappedElsewhere() throws {
    let twins = try Twins()
    let base: UInt64 = 0x2000_0000_0004_0000, size: UInt64 = 14
    for (page, addend) in [(Twins.code, 1), (Twins.code + 0x4000, 1000)] as [(UInt64, Int64)] {
      twins.place(Self.nested { $0.add(.adds(Self.acc, addend, Self.acc)) }, at: page)
    }
    func map(_ physical: UInt64) {
      twins.each { cpu in
        cpu.pointee.cr_ifa = base
        cpu.pointee.cr_itir = size << 2
        #expect(cpu.insertTranslationCache(physical | 0x661, instruction: true) == .done)
      }
    }
    twins.each { cpu in
      kt_region_registers(cpu)[1] = 14 << 2 | 7 << 8
      cpu.writeGR(Int(Self.place), Twins.data)
      cpu.setPSR(PSR.bn | PSR.ic | PSR.it)
      cpu.pointee.ip = base
    }
    for turn in 0..<40 {
      map(turn & 1 == 0 ? Twins.code : Twins.code + 0x4000)
      let found = twins.run(301 + Int64(turn))
      #expect(found == nil, "turn \(turn): \(found ?? "")")
    }
    #expect(twins.translator.statistics.regions >= 2)
    // The sum says that both pages were executed.
    #expect(twins.cpu.readGR(Int(Self.acc)) > 1000)
  }

  /// A pointer runs over the end of what is mapped, in the middle of the loop: the fault finds every register as it is.
  @Test(arguments: [false, true]) func aPageIsMissing(inLockstep: Bool) throws {
    let code = assemble { code, labels in
      labels.mark("outer", &code)
      code.add(.adds(Self.inner, 7, 0))
      labels.mark("inner", &code)
      code.add(.add(Self.acc, Self.acc, Self.inner), .adds(Self.outer, 1, Self.outer))
      code.add(Instruction(opcode: .st8_i, r2: Self.acc, r3: Self.place, imm: 8))
      code.add(Instruction(opcode: .ld8_i, r1: 15, r3: Self.step, imm: 8), .add(Self.acc, Self.acc, 15))
      Self.loop(&code, Self.inner, to: labels["inner"])
      code.branch(to: labels["outer"])
    }
    let twins = try makeTwins(code)
    twins.translator.returnsAfterBlock = inLockstep
    for (ahead, behind) in [(400, 0), (0, 400), (168, 160), (160, 168)] as [(UInt64, UInt64)] {
      for budget in 1...40 as ClosedRange<Int64> {
        begin(twins, code)
        twins.each { cpu in
          map(cpu, Twins.data)
          cpu.writeGR(Int(Self.place), Twins.data + 0x1000 - 408 + ahead)
          cpu.writeGR(Int(Self.step), Twins.data + 0x1000 - 408 + behind)
          cpu.setPSR(PSR.bn | PSR.ic | PSR.dt)
        }
        spin(twins, at: [0x1000])  // alternate data TLB
        for turn in 0..<(1200 / budget) {
          let found = twins.run(budget)
          #expect(found == nil, "budget \(budget), turn \(turn): \(found ?? "")")
          if found != nil { return }
        }
        #expect(twins.cpu.pointee.ip == Twins.vectors + 0x1000)
        #expect(twins.cpu.pointee.cr_ifa == Twins.data + 0x1000)
      }
    }
    #expect(twins.translator.statistics.regions > 100)
  }

  /// ld8.s from an uncacheable physical address (bit 63) gives a NaT after 31 turns, and the loop stores it.
  @Test(arguments: [false, true]) func aNaTIsConsumed(inLockstep: Bool) throws {
    let code = assemble { code, labels in
      labels.mark("outer", &code)
      code.add(.adds(Self.inner, 7, 0))
      labels.mark("inner", &code)
      code.add(.add(Self.acc, Self.acc, Self.inner))
      code.add(.adds(Self.outer, 1, Self.outer), .extractUnsigned(16, Self.outer, position: 5, length: 1))
      code.add(.depositZero(16, 16, position: 63, length: 1), .add(Self.step, Self.place, 16))
      code.add(Instruction(opcode: .ld8_s, r1: 15, r3: Self.step), .store(Self.place, Self.acc), .store(Self.place, 15))
      Self.loop(&code, Self.inner, to: labels["inner"])
      code.branch(to: labels["outer"])
    }
    let twins = try makeTwins(code)
    twins.translator.returnsAfterBlock = inLockstep
    for budget in 1...60 as ClosedRange<Int64> {
      begin(twins, code)
      spin(twins, at: [0x5600])
      for turn in 0..<(1500 / budget) {
        let found = twins.run(budget)
        #expect(found == nil, "budget \(budget), turn \(turn): \(found ?? "")")
        if found != nil { return }
      }
      #expect(twins.cpu.pointee.ip == Twins.vectors + 0x5600)
    }
    #expect(twins.translator.statistics.regions > 30)
  }

  /// Another thread asks for a stop while the region runs: it stops, and stands where the interpreter comes by as well.
  @Test func aStopIsAskedFor() throws {
    let code = Self.nested(), twins = try makeTwins(code)
    #expect(twins.run(2000) == nil)
    #expect(twins.translator.statistics.regions > 0)
    let machine = twins.machines[1], cpu = machine.cpus[0]
    let present = cpu.slots
    var thread = pthread_t()
    pthread_create(&thread, nil, { argument in
      usleep(3000)
      argument!.assumingMemoryBound(to: kt_cpu.self).pointee.stop_request = 1
      return nil
    }, cpu)
    cpu.setBudget(4_000_000_000)
    let reason = twins.translator.run(cpu)
    pthread_join(thread, nil)
    #expect(reason == KT_STOP_REQUEST)
    cpu.pointee.stop_request = 0
    cpu.setBudget(0)
    let reference = twins.cpu
    reference.setBudget(Int64(bitPattern: cpu.slots &- present))
    #expect(twins.engines[0].run(reference) == KT_STOP_BUDGET)
    reference.setBudget(0)
    for each in [cpu, reference] { each.pointee.event_check = 0 }
    #expect(StateComparison.differences(reference, cpu).isEmpty)
    for _ in 0..<20 { #expect(twins.run(333) == nil) }
  }

  /// Identity for one 4-KiB page of data.
  private func map(_ cpu: CPU, _ page: UInt64) {
    cpu.pointee.cr_ifa = page
    cpu.pointee.cr_itir = 12 << 2
    #expect(cpu.insertTranslationCache(page | 0x661, instruction: false) == .done)
  }

  /// Handlers that branch to themselves.
  private func spin(_ twins: Twins, at vectors: [UInt64]) {
    for vector in vectors { twins.place([Verification.RandomProgram.spin], at: Twins.vectors + vector) }
  }
}
