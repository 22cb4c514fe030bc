// Sequences of ordinary instructions, their results worked out by hand from the manual.
import CSupport
import Interpreter
import Machine
import Testing


@Suite struct BasicTests {
  // adds r14=100,r0; addl r15=0x12345,r0; nop.i ;; sub r17=r15,r14; movl r18=0x123456789abcdef0 ;;
  // shladd r16=r14,3,r15; extr.u r19=r18,8,16; dep r20=r14,r18,4,8 ;;
  // cmp.lt p6,p7=r14,r15; mux1 r24=r18,@rev; popcnt r25=r18 ;;
  // (p7) adds r21=1,r0; (p6) adds r22=2,r0; nop.b ;; nop.m; movl r8=0x20000 ;;
  // st8 [r8]=r18,8 ;; st4 [r8]=r14,4; nop.i ;; ld2 r26=[r8],-12 ;; ld8 r27=[r8]; sxt4 r28=r18
  static let sequence = """
    017090010021f028128c480000000400 05883c1c05a09a78563412400297f766 0180381e12203081481e2980e290dc4e
    0130381e073080912c283b2003904873 f1a8040000a161110000420000000020 05000000010000000000000001400060
    0b4048109815407020202b0000000400 0bd0d0110916b0012030208003905800
    """
  static let slots: Int64 = 22

  func check(_ machine: TestMachine) {
    #expect(machine[gr: 14] == 100)
    #expect(machine[gr: 15] == 0x12345)
    #expect(machine[gr: 16] == 0x12345 + 800)
    #expect(machine[gr: 17] == 0x122e1)
    #expect(machine[gr: 18] == 0x1234_5678_9abc_def0)
    #expect(machine[gr: 19] == 0xbcde)
    #expect(machine[gr: 20] == 0x1234_5678_9abc_d640)
    #expect(machine[gr: 21] == 0 && machine[gr: 22] == 2)
    #expect(machine[gr: 24] == 0xf0de_bc9a_7856_3412)
    #expect(machine[gr: 25] == 32)
    #expect(machine[gr: 26] == 0 && machine[gr: 27] == 0x1234_5678_9abc_def0)
    #expect(machine[gr: 28] == 0xffff_ffff_9abc_def0)
    #expect(machine[gr: 8] == 0x20000)
    #expect(machine.memory(0x20000) == 0x1234_5678_9abc_def0)
    #expect(machine.memory(0x20008) == 100)
    #expect(machine.cpu.readPR(6) && !machine.cpu.readPR(7))
    #expect(machine.cpu.pointee.ip == TestMachine.code + 0x80 && machine.cpu.pointee.ri == 0)
    #expect(machine.cpu.pointee.budget == 0)
  }

  @Test func runLoop() throws {
    let machine = try TestMachine(Self.sequence)
    #expect(machine.run(Self.slots) == KT_STOP_BUDGET)
    check(machine)
  }

  @Test func oneSlotAtATime() throws {
    let machine = try TestMachine(Self.sequence)
    machine.stepThrough(Self.slots)
    check(machine)
  }

  /// A budget stops at every single slot, behind joined nops and within them alike.
  @Test func budgetIsExact() throws {
    for count in 1...Self.slots {
      let machine = try TestMachine(Self.sequence)
      #expect(machine.run(count) == KT_STOP_BUDGET)
      #expect(machine.cpu.pointee.budget == 0)
      let other = try TestMachine(Self.sequence)
      other.stepThrough(count)
      #expect(machine.cpu.pointee.ip == other.cpu.pointee.ip && machine.cpu.pointee.ri == other.cpu.pointee.ri)
      #expect(machine.run(Self.slots - count) == (count == Self.slots ? KT_STOP_BUDGET : KT_STOP_BUDGET))
      check(machine)
    }
  }
}
