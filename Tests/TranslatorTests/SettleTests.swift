// Floating-point results that are put off, and everybody who may look at floating-point registers before they are computed:
// instructions of the block, the interpreter's function, handlers, another task, and who stops the engine.
import CSupport
import IA64
import Machine
import Testing
import Translator
import Verification

@Suite struct SettleTests {
  /// What stands behind the division, its f8 to f13 put off.
  enum Behind: CaseIterable {
    case nothing, reads, spills, interpreted, overwrites, flags, callAndReturn
  }

  private static let save: UInt64 = Twins.data, other: UInt64 = Twins.data + 0x400

  private func spill(_ f: UInt8, at r: UInt8) -> Instruction { Instruction(opcode: .stf_spill_i, r2: f, r3: r, imm: 16) }
  private func fill(_ f: UInt8, at r: UInt8) -> Instruction { Instruction(opcode: .ldf_fill_i, r1: f, r3: r, imm: 16) }
  private func read(_ r: UInt8, _ f: UInt8) -> Instruction { Instruction(opcode: .getf_sig, r1: r, r2: f) }

  /// r14 / r15 again and again, r15 changing.
  private func program(_ behind: Behind, _ kind: DivisionTests.Kind) -> [InstructionBundle] {
    assemble { code, labels in
      labels.mark("start", &code)
      for instruction in DivisionTests().instructions(kind) { code.add(instruction) }
      code.add(.add(9, 9, 8))
      add(behind, &code, &labels)
      code.add(.adds(15, 3, 9), .adds(14, 77, 14))
      code.branch(to: labels["start"])
      labels.mark("function", &code)
      code.add(.add(9, 9, 10), read(18, 13))
      code.add(Instruction(opcode: .br_ret, r2: 0))
    }
  }

  private func add(_ behind: Behind, _ code: inout CodeBuilder, _ labels: inout Labels) {
    code.add(.adds(10, 0, 11))
    switch behind {
    case .nothing: break
    case .reads: code.add(read(17, 12), .add(9, 9, 17), read(18, 11), .add(9, 9, 18), read(17, 8))
    case .spills: for f in 8...13 as ClosedRange<UInt8> { code.add(spill(f, at: 10)) }
    case .interpreted:
      // fclass.m of a number, and fmix.l, have no lowering.
      code.add(Instruction(opcode: .fclass_m, r1: 6, r2: 12, r4: 7, imm: 0x1f0))
      code.add(Instruction(opcode: .fmix_l, r1: 20, r2: 11, r3: 13), .adds(9, 1, 9, qp: 6))
    case .overwrites:
      code.add(fill(12, at: 10), Instruction(opcode: .setf_sig, r1: 11, r2: 9), read(17, 10), read(18, 12), read(19, 13))
    case .flags: code.add(Instruction(opcode: .fclrf, hint: 1), Instruction(opcode: .rsm, imm: 0x10))
    case .callAndReturn:
      // The frame is empty on both sides.
      code.branch(.br_call, to: labels["function"])
    }
  }

  /// Saves f8 to f13 where r16 says and takes others from where r17 says, as a change of tasks does.
  /// In bank 0.
  private func handler(_ before: (inout CodeBuilder) -> Void) -> [InstructionBundle] {
    assemble { code, _ in
      before(&code)
      code.add(.movl(16, Self.save), .movl(17, Self.other), read(18, 12), .add(19, 19, 18))
      for f in 8...13 as ClosedRange<UInt8> { code.add(spill(f, at: 16)) }
      for f in 8...10 as ClosedRange<UInt8> { code.add(fill(f, at: 17)) }
      code.add(.returnFromInterruption)
    }
  }

  private func makeTwins(_ code: [InstructionBundle], inLockstep: Bool) throws -> Twins {
    let twins = try Twins()
    twins.translator.returnsAfterBlock = inLockstep
    twins.place(code)
    twins.each { cpu in
      for index in 0..<64 as Range<UInt64> {
        // Spilled integers in register format.
        cpu.machine.ram.storeBytes(of: index &* 0x9e37_79b9, toByteOffset: Int(Self.other + 16 * index), as: UInt64.self)
        cpu.machine.ram.storeBytes(of: 0x1003e, toByteOffset: Int(Self.other + 16 * index) + 8, as: UInt64.self)
      }
      // The flags that a division raises are up: otherwise the interpreter takes its first instruction.
      cpu.pointee.ar_fpsr = 0x9_804c_0270_033f | 1 << 31 | 1 << 27
      cpu.writeGR(14, 1_000_003)
      cpu.writeGR(15, 17)
      cpu.writeGR(11, Self.other + 0x200)
    }
    return twins
  }

  private func runOn(_ twins: Twins, _ what: String) {
    twins.runOn(to: 220, what)
    #expect(twins.translator.statistics.divisions > 0)
    #expect(twins.cpu.readGR(14) > 1_000_003 + 77 * 100)
  }

  @Test(arguments: Behind.allCases, [false, true]) func whoeverLooks(_ behind: Behind, _ inLockstep: Bool) throws {
    for kind in DivisionTests.Kind.allCases {
      let twins = try makeTwins(program(behind, kind), inLockstep: inLockstep)
      runOn(twins, "\(behind), \(kind)")
    }
  }

  /// A timer every 50 slots, whose handler changes tasks.
  @Test(arguments: DivisionTests.Kind.allCases, [false, true])
  func anInterruptionChangesTasks(_ kind: DivisionTests.Kind, _ inLockstep: Bool) throws {
    let twins = try makeTwins(program(.nothing, kind), inLockstep: inLockstep)
    twins.place(
      handler { code in
        code.add(.readControl(16, ControlNumber.ivr), .writeControl(ControlNumber.eoi, 0))
        code.add(Instruction(opcode: .mov_from_ar_m, r1: 17, r3: ApplicationNumber.itc), .adds(17, 131, 17))
        code.add(.writeControl(ControlNumber.itm, 17))
      }, at: Twins.vectors + 0x3000)
    var interrupts = [0, 0]
    for (side, machine) in twins.machines.enumerated() { machine.onInterruption = { _, _ in interrupts[side] += 1 } }
    twins.each { cpu in
      cpu.writeITV(0x31)
      cpu.writeITM(50)
      cpu.setPSR(PSR.bn | PSR.ic | PSR.i)
    }
    runOn(twins, "\(kind)")
    #expect(interrupts[0] > 50 && interrupts[0] == interrupts[1])
  }
}
