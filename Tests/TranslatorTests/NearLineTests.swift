// Near lines, the copies of software TLB lines that emitted code keeps for each base register: whatever takes a line's meaning
// away takes the copies'.
import CSupport
import Glibc
import IA64
import Machine
import Testing
import Translator
import Verification

@Suite struct NearLineTests {
  private static let page: UInt64 = 0x24000, other: UInt64 = 0x28000
  private static let acc: UInt8 = 8, turns: UInt8 = 9, base: UInt8 = 11, entry: UInt8 = 12, change: UInt8 = 13
  /// Present, accessed and dirty, all rights at level 0; and the same for reading only.
  private static let writable: UInt64 = 0x661, readOnly: UInt64 = 0x061, clean: UInt64 = 0x621

  /// A loop of loads and stores through two base registers, with `seldom` in every eighth turn.
  private func loop(_ seldom: (inout CodeBuilder) -> Void) -> [InstructionBundle] {
    assemble { code, labels in
      labels.mark("start", &code)
      code.add(.load(14, Self.base), .adds(Self.turns, 1, Self.turns), .adds(15, 8, Self.base))
      code.add(.add(Self.acc, Self.acc, 14), .store(15, Self.acc), .load(16, 15), .adds(10, 16, Self.base))
      code.add(.store(10, Self.turns), .add(Self.acc, Self.acc, 16))
      code.add(.extractUnsigned(17, Self.turns, position: 0, length: 3), .compareEqual(6, 7, 0, 17))
      code.branch(qp: 7, to: labels["start"])
      seldom(&code)
      code.branch(to: labels["start"])
    }
  }

  private func map(_ cpu: CPU, _ bits: UInt64) {
    cpu.pointee.cr_ifa = Self.page
    cpu.pointee.cr_itir = 14 << 2
    #expect(cpu.insertTranslationCache(bits, instruction: false) == .done)
  }

  /// Twins with virtual data: the page at `page` mapped by `bits`, and different numbers in it and in `other`.
  private func makeTwins(_ code: [InstructionBundle], _ bits: UInt64, vector: UInt64 = 0x1000) throws -> Twins {
    let twins = try Twins(threshold: 3)
    twins.place(code)
    // A miss or a fault inserts what `entry` says, and the other one the next time.
    twins.place(
      assemble { code, _ in
        code.add(Instruction(opcode: .itc_d, r2: Self.entry), .returnFromInterruption)
      }, at: Twins.vectors + vector)
    twins.each { cpu in
      for index in 0..<2048 as Range<UInt64> {
        cpu.machine.ram.storeBytes(of: index, toByteOffset: Int(Self.page + index * 8), as: UInt64.self)
        cpu.machine.ram.storeBytes(of: ~index, toByteOffset: Int(Self.other + index * 8), as: UInt64.self)
      }
      map(cpu, bits)
      cpu.setPSR(PSR.bn | PSR.ic | PSR.dt)
      cpu.writeGR(Int(Self.base), Self.page + 0x100)
    }
    return twins
  }

  private func runOn(_ twins: Twins, _ between: (Int64) -> Void = { _ in }) {
    twins.runOn(to: 300, between: between)
    #expect(twins.cpu.readGR(Int(Self.turns)) > 200)
  }

  private func purge(_ code: inout CodeBuilder) {
    code.add(.movl(18, Self.page), .adds(19, 14 << 2, 0))
    code.add(Instruction(opcode: .ptc_l, r2: 19, r3: 18), Instruction(opcode: .srlz_d))
  }

  /// The guest purges the page and finds other memory behind the miss that follows.
  @Test func aPurgeBringsAnotherPage() throws {
    let code = loop { code in
      code.add(Instruction(opcode: .xor, r1: Self.entry, r2: Self.entry, r3: Self.change))
      purge(&code)
    }
    let twins = try makeTwins(code, Self.page | Self.writable)
    twins.each { cpu in
      cpu.writeGR(Int(Self.entry), Self.page | Self.writable)
      cpu.writeGR(Int(Self.change), Self.page ^ Self.other)
    }
    runOn(twins)
    #expect(twins.cpu.machine.ram.load(fromByteOffset: Int(Self.other + 0x110), as: UInt64.self) < 1 << 32)
  }

  /// The page is mapped to other memory, without a purge before.
  @Test func anInsertionBringsAnotherPage() throws {
    let twins = try makeTwins(loop { _ in }, Self.page | Self.writable)
    runOn(twins) { budget in
      twins.each { map($0, (budget & 1 == 0 ? Self.page : Self.other) | Self.writable) }
    }
  }

  /// A store to a page that turned read-only, or not dirty, faults; its handler makes it writable.
  @Test(arguments: [(readOnly, 0x5300), (clean, 0x2000)] as [(UInt64, UInt64)])
  func aPageTurnsWritable(_ bits: UInt64, _ vector: UInt64) throws {
    let code = loop { code in
      purge(&code)
      code.add(Instruction(opcode: .rsm, imm: 1 << 13), Instruction(opcode: .srlz_d))
      code.add(.writeControl(ControlNumber.ifa, 18), .writeControl(21, 19))
      code.add(Instruction(opcode: .itc_d, r2: Self.change), Instruction(opcode: .ssm, imm: 1 << 13))
      code.add(Instruction(opcode: .srlz_d))
    }
    let twins = try makeTwins(code, Self.page | bits, vector: vector)
    var faults = [0, 0]
    for (side, machine) in twins.machines.enumerated() { machine.onInterruption = { _, _ in faults[side] += 1 } }
    twins.each { cpu in
      cpu.writeGR(Int(Self.entry), Self.page | Self.writable)
      cpu.writeGR(Int(Self.change), Self.page | bits)
    }
    runOn(twins)
    #expect(faults[0] > 20 && faults[0] == faults[1])
  }

  /// The page that stores have gone to without notice is executed: stores to its code count from then on. The loop writes a
  /// bundle of it in each turn, and goes there in every eighth.
  @Test func codeAppearsInThePage() throws {
    let spare = [1, 1000].map { value in assemble { code, _ in code.add(.adds(Self.acc, value, Self.acc)) }[0] }
    var back = 0
    let code = assemble { code, labels in
      labels.mark("start", &code)
      code.add(.adds(Self.turns, 1, Self.turns), .testBit(8, 9, Self.turns, 3))
      code.add(.load(14, Self.entry, qp: 8), .load(14, Self.change, qp: 9), .store(Self.base, 14))
      code.add(.extractUnsigned(17, Self.turns, position: 0, length: 3), .compareEqual(6, 7, 0, 17))
      code.branch(qp: 7, to: labels["start"])
      code.branch(to: Int(Self.page - Twins.code) >> 4)
      labels.mark("back", &code)
      back = labels["back"]
      code.branch(to: labels["start"])
    }
    let twins = try Twins(threshold: 3)
    twins.place(code)
    twins.place(
      assemble { code, _ in
        code.add(spare[0])
        code.branch(to: back - Int(Self.page - Twins.code) >> 4)
      }, at: Self.page)
    twins.each { cpu in
      for (index, bundle) in spare.enumerated() {
        cpu.machine.ram.storeBytes(of: bundle.low, toByteOffset: Int(Twins.data) + index * 8, as: UInt64.self)
      }
      cpu.writeGR(Int(Self.entry), Twins.data)
      cpu.writeGR(Int(Self.change), Twins.data + 8)
      cpu.writeGR(Int(Self.base), Self.page)
    }
    runOn(twins)
    // Both instructions were executed.
    #expect(twins.cpu.readGR(Int(Self.acc)) > 5000 && twins.cpu.readGR(Int(Self.acc)) % 1000 != 0)
  }

  /// An advanced load of what stores go to by their near line: with an ALAT such a store must be seen.
  @Test func anAdvancedLoadWatchesThePage() throws {
    let code = assemble { code, labels in
      labels.mark("start", &code)
      code.add(.adds(Self.turns, 1, Self.turns), .store(Self.base, Self.turns), .adds(15, 0, Self.base))
      code.add(.extractUnsigned(17, Self.turns, position: 0, length: 2), .compareEqual(6, 7, 0, 17))
      code.branch(qp: 7, to: labels["start"])
      code.add(Instruction(opcode: .ld8_a, r1: 14, r3: 15))
      // In every other turn the store between hits the entry.
      code.add(.testBit(8, 9, Self.turns, 2), .adds(16, 64, Self.base, qp: 9), .adds(16, 0, Self.base, qp: 8))
      code.add(.store(Self.base, Self.acc, qp: 8), .store(16, Self.acc))
      code.add(Instruction(opcode: .ld8_c_clr, r1: 14, r3: 15), .add(Self.acc, Self.acc, 14))
      code.branch(to: labels["start"])
    }
    let twins = try Twins(threshold: 3)
    for machine in twins.machines { try machine.setALAT(real: true) }
    twins.place(code)
    twins.each { $0.writeGR(Int(Self.base), Self.page) }
    runOn(twins)
  }
}
