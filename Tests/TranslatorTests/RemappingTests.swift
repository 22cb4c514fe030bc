// Linked blocks and regions while instruction addresses come to mean other code: pages mapped elsewhere, pages of another
// size, region identifiers, processors with translations of their own, purges by another processor.
import CSupport
import IA64
import Machine
import Testing
import Translator
import Verification

/// Instructions that change translations.
private func remap(_ code: inout CodeBuilder, purge: Bool = true) {
  code.add(Instruction(opcode: .rsm, imm: 1 << 13), Instruction(opcode: .srlz_d))
  code.add(.writeControl(ControlNumber.ifa, 22), .writeControl(21, 23))
  if purge { code.add(Instruction(opcode: .ptc_l, r2: 23, r3: 22), Instruction(opcode: .srlz_i)) }
  code.add(Instruction(opcode: .itc_i, r2: 20), Instruction(opcode: .srlz_i))
  code.add(Instruction(opcode: .ssm, imm: 1 << 13), Instruction(opcode: .srlz_d))
}

@Suite struct RemappingTests {
  /// The page that stays, and the one that is mapped to `first` or `second`, in region 1.
  private static let home: UInt64 = 0x2000_0000_0004_0000, guest: UInt64 = 0x2000_0000_0005_0000
  private static let first: UInt64 = 0x18000, second: UInt64 = 0x1c000
  /// Present, accessed, dirty, all rights at every level.
  private static let rights: UInt64 = 0x7e1
  private static let acc: UInt8 = 8, turns: UInt8 = 9

  private static func bundles(from base: UInt64, to target: UInt64) -> Int {
    Int(Int64(bitPattern: target &- base) >> 4)
  }

  /// Goes to `guest` and back for ever; every eighth time `seldom` comes in between.
  private func caller(_ seldom: (inout CodeBuilder) -> Void) -> (code: [InstructionBundle], back: UInt64) {
    var back = 0
    let code = assemble { code, labels in
      labels.mark("start", &code)
      code.add(.adds(Self.turns, 1, Self.turns))
      code.branch(to: Self.bundles(from: Self.home, to: Self.guest))
      labels.mark("back", &code)
      back = labels["back"]
      code.add(.add(Self.acc, Self.acc, Self.turns), .extractUnsigned(14, Self.turns, position: 0, length: 3))
      code.add(.compareEqual(6, 7, 0, 14))
      code.branch(qp: 7, to: labels["start"])
      seldom(&code)
      code.branch(to: labels["start"])
    }
    return (code, Self.home + UInt64(back) * 16)
  }

  /// What stands in `guest`: a loop of two blocks, and back.
  private func callee(_ addend: Int64, back: UInt64, at base: UInt64 = guest) -> [InstructionBundle] {
    assemble { code, labels in
      code.add(.adds(10, 5, 0))
      labels.mark("loop", &code)
      code.add(.adds(Self.acc, addend, Self.acc), .testBit(6, 7, Self.acc, 1))
      code.branch(qp: 6, to: labels["on"])
      code.add(Instruction(opcode: .xor_imm, r1: Self.acc, r3: Self.acc, imm: 0x55))
      labels.mark("on", &code)
      code.add(.adds(10, -1, 10), .below(8, 9, 0, 10))
      code.branch(qp: 8, to: labels["loop"])
      code.branch(to: Self.bundles(from: base, to: back))
    }
  }

  /// A translation register for `va`, as the machine's firmware would leave it.
  private func pin(_ cpu: CPU, _ slot: UInt64, _ va: UInt64, _ physical: UInt64, shift: UInt64) {
    cpu.pointee.cr_ifa = va
    cpu.pointee.cr_itir = shift << 2
    #expect(cpu.insertTranslationRegister(slot: slot, physical | Self.rights, instruction: true) == .done)
  }

  private func map(_ cpu: CPU, _ va: UInt64, _ physical: UInt64, shift: UInt64) {
    cpu.pointee.cr_ifa = va
    cpu.pointee.cr_itir = shift << 2
    #expect(cpu.insertTranslationCache(physical | Self.rights, instruction: true) == .done)
  }

  private func start(_ twins: Twins, processor: Int = 0) {
    twins.each(processor) { cpu in
      kt_region_registers(cpu)[0] = 14 << 2 | 5 << 8
      kt_region_registers(cpu)[1] = 14 << 2 | 7 << 8
      pin(cpu, 0, Self.home, Twins.code, shift: 14)
      pin(cpu, 1, Twins.vectors, Twins.vectors, shift: 16)
      cpu.setPSR(PSR.bn | PSR.ic | PSR.it)
      cpu.pointee.ip = Self.home
      for (register, value) in [
        (20, Self.first | Self.rights), (21, Self.first ^ Self.second), (22, Self.guest), (23, 14 << 2),
      ] as [(Int, UInt64)] { cpu.writeGR(register, value) }
    }
  }

  private func runOn(_ twins: Twins, to most: Int64, _ between: (Int64) -> Void = { _ in }) {
    twins.runOn(to: most, between: between)
    #expect(twins.cpu.readGR(Int(Self.turns)) > 100)
  }

  /// Twins with the caller, a callee that adds 3 at `first` and one that adds 1000 at `second`.
  private func makeTwins(processors: Int = 1, _ turn: (inout CodeBuilder) -> Void = { _ in }) throws -> Twins {
    let twins = try Twins(processors: processors)
    let (code, back) = caller(turn)
    twins.place(code)
    twins.place(callee(3, back: back), at: Self.first)
    twins.place(callee(1000, back: back), at: Self.second)
    return twins
  }

  /// The guest maps the page to other code and back, with or without a purge before.
  @Test(arguments: [true, false]) func aPageIsMappedToOtherCode(purge: Bool) throws {
    let twins = try makeTwins { code in
      code.add(Instruction(opcode: .xor, r1: 20, r2: 20, r3: 21))
      remap(&code, purge: purge)
    }
    start(twins)
    twins.each { map($0, Self.guest, Self.first, shift: 14) }
    runOn(twins, to: 400)
    #expect(twins.translator.statistics.links > 10 && twins.translator.statistics.regions >= 2)
  }

  /// A page of 16 KiB whose blocks link across its granules; then pages of 4 KiB there, the second granule mapped
  /// elsewhere; then the large one again.
  @Test func aLargePageGivesWayToSmallOnes() throws {
    let twins = try Twins()
    let (code, back) = caller { _ in }
    twins.place(code)
    let across = Self.guest + 0x1000
    twins.place(
      assemble { code, _ in
        code.add(.adds(Self.acc, 1, Self.acc))
        code.branch(to: Self.bundles(from: Self.guest, to: across))
      }, at: Self.first)
    twins.place(callee(3, back: back, at: across), at: Self.first + 0x1000)
    twins.place(callee(1000, back: back, at: across), at: Self.second)
    start(twins)
    runOn(twins, to: 300) { budget in
      if budget % 10 != 1 { return }
      twins.each { cpu in
        cpu.purgeTranslationCache(Self.guest, size: 14 << 2)
        if budget % 20 == 1 { return map(cpu, Self.guest, Self.first, shift: 14) }
        map(cpu, Self.guest, Self.first, shift: 12)
        map(cpu, across, Self.second, shift: 12)
      }
    }
  }

  /// Two region identifiers, and so two codes, at one virtual address; the guest goes from one to the other.
  @Test func twoRegionsShareAnAddress() throws {
    let twins = try makeTwins { code in
      code.add(Instruction(opcode: .xor, r1: 20, r2: 20, r3: 21))
      code.add(Instruction(opcode: .mov_to_rr, r2: 20, r3: 22), Instruction(opcode: .srlz_i))
    }
    start(twins)
    twins.each { cpu in
      // `home` belongs to both.
      for (slot, rid, physical) in [(0, 7, Self.first), (2, 9, Self.second)] as [(UInt64, UInt64, UInt64)] {
        kt_region_registers(cpu)[1] = 14 << 2 | rid << 8
        pin(cpu, slot, Self.home, Twins.code, shift: 14)
        map(cpu, Self.guest, physical, shift: 14)
      }
      cpu.writeGR(20, 14 << 2 | 9 << 8)
      cpu.writeGR(21, (7 ^ 9) << 8)
    }
    runOn(twins, to: 400)
    #expect(twins.translator.statistics.regions >= 2)
  }

  /// More codes follow one another at one address than a single loop is made a region of anew: each gets its region.
  @Test func eachCodeAtAnAddressGetsItsRegion() throws {
    let twins = try Twins()
    let (code, back) = caller { _ in }
    twins.place(code)
    start(twins)
    for number in 0..<8 as Range<UInt64> {
      let physical = 0x50000 + number << 14
      twins.place(callee(Int64(number) + 1, back: back), at: physical)
      let before = twins.translator.statistics.regions
      twins.each { map($0, Self.guest, physical, shift: 14) }
      #expect(twins.run(2000) == nil)
      #expect(twins.translator.statistics.regions > before, "code \(number)")
    }
  }

  /// Two processors have different code at one address, and run in turns.
  @Test func processorsHaveTranslationsOfTheirOwn() throws {
    let twins = try makeTwins(processors: 2)
    for processor in 0...1 {
      start(twins, processor: processor)
      twins.each(processor) { map($0, Self.guest, processor == 0 ? Self.first : Self.second, shift: 14) }
    }
    twins.runOn(to: 300, turns: { [(0, $0), (1, $0)] })
    let sums = (0...1).map { twins.machines[0].cpus[$0].readGR(Int(Self.acc)) }
    #expect(sums[0] != sums[1])
  }

  /// The other processor purges the page that this one runs in linked blocks: its next way there is a miss, whose handler
  /// maps the other code.
  @Test func anotherProcessorPurges() throws {
    let twins = try makeTwins(processors: 2)
    // Alternate instruction TLB: r12 is what to insert, r13 what to make of it for the next time.
    twins.place(
      assemble { code, _ in
        code.add(Instruction(opcode: .itc_i, r2: 12), Instruction(opcode: .xor, r1: 12, r2: 12, r3: 13))
        code.add(.adds(11, 1, 11), .returnFromInterruption)
      }, at: Twins.vectors + 0xc00)
    let purger: UInt64 = 0x14000
    twins.place(
      assemble { code, labels in
        labels.mark("purge", &code)
        code.add(Instruction(opcode: .ptc_g, r2: 23, r3: 22), Instruction(opcode: .srlz_i))
        code.branch(to: labels["purge"])
      }, at: purger)
    start(twins)
    start(twins, processor: 1)
    twins.each { cpu in
      cpu.writeGR(12, Self.first | Self.rights)
      cpu.writeGR(13, Self.first ^ Self.second)
    }
    twins.each(1) { cpu in
      cpu.setPSR(PSR.bn | PSR.ic)
      cpu.pointee.ip = purger
    }
    twins.runOn(to: 300, turns: { [(0, $0), (1, 9)] })
    #expect(twins.cpu.readGR(11) > 100 && twins.cpu.readGR(Int(Self.turns)) > 100)
  }
}
