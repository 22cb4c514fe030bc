// NaT bits, rotation, the register stack, parallel arithmetic, faults and changed code: expected values worked out
// by hand from the manual (the parallel ones by a separate program lane by lane).
import CSupport
import Interpreter
import Machine
import Testing

/// Runs a case in the run loop and one slot at a time.
func bothWays(
  _ hex: String, frame: (sof: Int, sol: Int, sor: Int), slots: Int64, setUp: (TestMachine) -> Void,
  check: (TestMachine) -> Void
) throws {
  for stepping in [false, true] {
    let machine = try TestMachine(hex, frame: frame)
    setUp(machine)
    if stepping { machine.stepThrough(slots) } else { machine.run(slots) }
    check(machine)
  }
}

@Suite struct SemanticsTests {
  /// add r8=r33,r34; tnat.nz p6,p7=r33; cmp.eq p8,p9=r33,r33 ;; cmp.eq.unc p10,p11=r34,r34; tnat.z p12,p13=r8;
  /// adds r9=1,r34 ;; st8.spill [r35]=r8,8 ;; st8.spill [r35]=r9,-8 ;; ld8.fill r10=[r35],8 ;; ld8.fill r11=[r35];
  /// cmp.ne.and p8,p14=r0,r34 ;; adds r8=0,r34; ld8.s r14=[r33] ;; chk.s r14,1f ;; adds r15=77,r0 ;;
  /// 1: setf.sig f8=r33; adds r16=9,r0 ;; getf.sig r17=f8; st8 [r35]=r33
  @Test func notAThing() throws {
    let code = """
      0140844400207008840c2800110a25e0 01508a440b38c008201a282011100184 0b402046d815804f8cb22f0000000400
      0b502046d814b0008cb02100091039c1 094000440021e0008470200000000400 19103800400400000002000000000020
      1d783401002100000002000000000020 01408400e11800490000420000000400 09882000e11000088d30230000000400
      """
    try bothWays(code, frame: (4, 4, 0), slots: 21) { machine in
      machine.cpu.writeGR(33, 0, nat: true)
      machine[gr: 34] = 5
      machine[gr: 35] = 0x20000
      for predicate in [7, 8, 9, 11, 12, 14] { machine.cpu.writePR(predicate, true) }
    } check: { machine in
      let cpu = machine.cpu
      #expect(cpu.readPR(6) && !cpu.readPR(7))
      // A NaT source clears both targets; the later `and` compare, true, leaves them alone.
      #expect(!cpu.readPR(8) && !cpu.readPR(9) && cpu.readPR(14))
      #expect(cpu.readPR(10) && !cpu.readPR(11))
      #expect(!cpu.readPR(12) && cpu.readPR(13))
      #expect(cpu.pointee.ar_unat & 3 == 1)
      #expect(cpu.readNaT(10) && !cpu.readNaT(11) && machine[gr: 11] == 6)
      #expect(!cpu.readNaT(8) && machine[gr: 8] == 5)
      #expect(cpu.readNaT(14) && machine[gr: 15] == 0)
      // r16 and r17 are in the other bank now that the fault is delivered.
      #expect(kt_bank_gr(cpu)[0] == 9 && kt_bank_nat(cpu)[1] == 1)
      #expect(machine[gr: 35] == 0x20008)
      // The store of a NaT: NaT Consumption, write, register (code 0x10), in slot 1.
      #expect(machine.vector == 0x5600)
      #expect(cpu.pointee.cr_isr == 0x10 | ISR.w | 1 << ISR.eiShift)
      #expect(cpu.pointee.cr_iip == TestMachine.code + 0x80)
    }
  }

  /// cmp.eq.and p8,p9=r33,r33; cmp.eq.or p10,p11=r33,r33; cmp.eq.or.andcm p12,p13=r33,r33, with r33 NaT: `and` clears
  /// though the values are equal, the others set and clear nothing.
  @Test func parallelComparesOfNaT() throws {
    try bothWays("014084424930a00885966880110a35e1", frame: (4, 4, 0), slots: 3) { machine in
      machine.cpu.writeGR(33, 0, nat: true)
      for predicate in [8, 9, 13] { machine.cpu.writePR(predicate, true) }
    } check: { machine in
      #expect(machine.cpu.packedPredicates & 0x3f00 == 0x2000)
    }
  }

  /// alloc r2=ar.pfs,0,16,0,16; mov ar.lc=4 ;; adds r8=0,r0; mov ar.ec=3; mov pr.rot=0x10000 ;;
  /// 1: (p16) adds r32=1,r8; (p16) adds r8=1,r8 ;; (p18) add r9=r9,r34; br.ctop 1b ;; mov r11=ar.lc;
  /// mov r14=ar.ec ;; mov r10=pr
  @Test func rotation() throws {
    let code = """
      01104020820500200415000000000400 01400000002100180815002000000002 010000000100040a2000420811400084
      514a244400200000000200e0f0ffff48 010000000100b000046500c00110ca00 010000000100a0000066000000000400
      """
    try bothWays(code, frame: (0, 0, 0), slots: 54) { _ in
    } check: { machine in
      // Five values enter the pipeline and are added two stages on; lc 4 and ec 3 make seven passes.
      #expect(machine[gr: 8] == 5 && machine[gr: 9] == 15)
      #expect(machine[gr: 11] == 0 && machine[gr: 14] == 0)
      // mov r=pr looks at the registers as if not rotated: p16 of the first pass, and of passes 2 to 5 from p63 down.
      #expect(machine[gr: 10] == 0xf000_0000_0001_0001)
      let cfm = machine.cpu.pointee.cfm
      #expect(CFM.rrbGR(cfm) == 9 && CFM.rrbFR(cfm) == 89 && CFM.rrbPR(cfm) == 41)
      #expect(machine.cpu.pointee.ip == TestMachine.code + 0x60 && machine.cpu.pointee.budget == 0)
    }
  }

  /// br.call f ;; br . ;; f: alloc r33=ar.pfs,1,9,1,0; mov r34=b0; cmp.eq p6,p7=r0,r32 ;; adds r8=0,r0;
  /// adds r42=-1,r32; (p6) br 1f ;; add r35=r32,r32; br.call b0=f ;; add r8=r8,r35 ;; sub r8=r8,r32 ;;
  /// 1: mov b0=r34; mov ar.pfs=r33 ;; br.ret b0. The sum of 1…n, in frames of ten registers.
  @Test func deepCalls() throws {
    let code = """
      11000000010000000002000020000050 11000000010000000002000000000040 01082d1480052002006200c000001de0
      114000000021a0fa837e460330000040 111881400020000000020000e0ffff58 0b40204600208040800a400000000400
      0100000001000010058003001002aa00 11000000010000000002008000008400
      """
    try bothWays(code, frame: (1, 0, 0), slots: 5000) { machine in
      machine[gr: 32] = 100
      machine.cpu.pointee.ar_bspstore = 0x40000
    } check: { machine in
      #expect(machine[gr: 8] == 5050)
      #expect(machine.cpu.pointee.ip == TestMachine.code + 0x10)
      #expect(machine.cpu.pointee.cfm == 1 && machine[gr: 32] == 100)
      #expect(machine.cpu.readBSP() == 0x40000)
      // The first frames went to the backing store: n, and above it ar.pfs, b0 and 2n.
      #expect(machine.memory(0x40000) == 100)
      #expect(machine.memory(0x40010) == TestMachine.code + 0x10)
      #expect(machine.memory(0x40018) == 200)
      #expect(machine.memory(0x40000 + 8 * 10) == 99)
    }
  }

  @Test func parallelArithmetic() throws {
    let code = """
      014080428120900085864140010a1982 015880428a20e000851641e0010a3983 01808042e520100185283a40020a4175
      010000000100300185103a80020a3175 010000000100500185883ac0020a117c 0100000001007001852c3a00030a7971
      010000000100900125283b4003da5077 010000000100b0018830008003107500 010000000100d00185b43ac003da2877
      01f88042d1202080800c3d60000a2974 010880421920400085282ba090072552
      """
    let expected: [(Int, UInt64)] = [
      (1, 0x6000_0000_47ae_81ef),  // shladdp4 r32,2,r33
      (2, 0x007f_80ff_0012_3480),  // pshr4 r32,8
      (3, 0x7f80_ffff_fedc_80a5),  // pmax1.u
      (4, 0x480a_5018_002f_ffed),  // shrp r32,r33,20
      (5, 7),  // extr r32,60,10
      (8, 0x7f80_0100_1010_ff00),  // padd1.sss
      (9, 0x8100_ffff_1110_ffff),  // padd2.uus
      (10, 0x7e00_fd00_0000_014a),  // psub1.uuu
      (11, 0x4080_8180_8888_7f80),  // pavg1
      (14, 0x4080_8180_8888_8080),  // pavg1.raz
      (15, 0x3f00_7e01_89ac_00a5),  // pavgsub2
      (16, 0xffff_0000_ffff_0000),  // pcmp2.gt
      (17, 0x7f01_ff02_12fe_807f),  // mix1.l
      (18, 0xff01_02ff_80a5_7f5b),  // mix2.r
      (19, 0x7f01_8080_ff02_01ff),  // unpack1.h
      (20, 0x1234_fedc_80a5_7f5b),  // unpack2.l
      (21, 0x7f7f_807f_7f80_7f80),  // pack2.sss
      (22, 0x7fff_8000_7fff_7fff),  // pack4.sss
      (23, 0x458),  // psad1
      (24, 0x00bf_fffd_ffeb_c0a4),  // pmpyshr2 16
      (25, 0x7f12_8034_ff80_01a5),  // mux1 @shuf
      (26, 0x80a5_1234_ff01_7f80),  // mux2 0x1b
      (27, 1),  // czx1.l r34
      (28, 4),  // czx2.r r34
      (29, 0xfffd_03ff_c0a4_95a7),  // pmpy2.r
      (30, 0xf800_f010_2340_0a50),  // pshl2 4
      (31, 0x7fff_ff03_47ac_8000),  // pshladd2 r32,2,r33
    ]
    try bothWays(code, frame: (3, 3, 0), slots: 33) { machine in
      machine[gr: 32] = 0x7f80_ff01_1234_80a5
      machine[gr: 33] = 0x0180_02ff_fedc_7f5b
      machine[gr: 34] = 0x1200_0034_5600_0078
    } check: { machine in
      for (register, value) in expected { #expect(machine[gr: register] == value, "r\(register)") }
    }
  }

  /// br.call f ;; adds r9=0,r8; adds r35=8,r32 ;; st8 [r32]=r33; st8 [r35]=r34 ;; fc.i r32 ;; sync.i ;; srlz.i;
  /// br.call f ;; br . ;; f: adds r8=11,r0; br.ret b0
  @Test func changedCodeIsNoticed() throws {
    let code = """
      11000000010000000002000060000050 09480010002130428000420000000400 09008440981100108d30230000000400
      0b000040300600000066000000000400 19000000310000000002000020000050 11000000010000000002000000000040
      11402c00002100000002008008008400
      """
    try bothWays(code, frame: (4, 4, 0), slots: 60) { machine in
      machine[gr: 32] = TestMachine.code + 0x60
      // adds r8=22,r0; nop.i; br.ret b0
      let other = bundles("11405800002100000002008008008400")
      machine[gr: 33] = other[0..<8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
      machine[gr: 34] = other[8...].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    } check: { machine in
      // br.call left the frame: its registers are the caller's again after br.ret with ar.pfs untouched.
      #expect(machine[gr: 9] == 11 && machine[gr: 8] == 22)
    }
  }
}

@Suite struct FaultTests {
  /// One instruction in slot 0, then nops; state as `setUp` leaves it.
  private func run(_ hex: String, setUp: (TestMachine) -> Void = { _ in }) throws -> TestMachine {
    let machine = try TestMachine(hex, frame: (4, 4, 0))
    setUp(machine)
    machine.run(1)
    return machine
  }

  @Test func writesOutsideTheFrame() throws {
    let machine = try run("01400500002100000002000000000400")  // adds r40=1,r0
    #expect(machine.vector == 0x5400 && machine.cpu.pointee.cr_isr == 0)
    #expect(machine.cpu.pointee.cr_iip == TestMachine.code)
    let predicatedOff = try run("c1400500002100000002000000000400")  // (p6) adds r40=1,r0
    #expect(predicatedOff.vector == nil && predicatedOff.cpu.pointee.ri == 1)
  }

  @Test func breakInstruction() throws {
    let machine = try run("01281a09000000000002000000000400")  // break.m 0x12345
    #expect(machine.vector == 0x2c00 && machine.cpu.pointee.cr_iim == 0x12345)
  }

  @Test func unaligned() throws {
    let load = "01400044181000000002000000000400"  // ld8 r8=[r34]
    let faulting = try run(load) {
      $0[gr: 34] = 0x20001
      $0.cpu.setPSR($0.cpu.pointee.psr | PSR.ac)
    }
    #expect(faulting.vector == 0x5a00 && faulting.cpu.pointee.cr_ifa == 0x20001)
    #expect(faulting.cpu.pointee.cr_isr == ISR.r)
    let served = try run(load) {
      $0[gr: 34] = 0x20001
      $0.setMemory(0x20000, 0x8877_6655_4433_2211)
      $0.setMemory(0x20008, 0x99)
    }
    #expect(served.vector == nil && served[gr: 8] == 0x9988_7766_5544_3322)
  }

  /// A data breakpoint on the eight bytes at 0x20008, reads at level 0 (SDM vol. 2, 7.1: mask, plm in bits 59:56, w in
  /// bit 62, r in bit 63).
  @Test func dataBreakpoints() throws {
    let load = "01400044181000000002000000000400"  // ld8 r8=[r34]
    func run(_ address: UInt64, control: UInt64, psr: UInt64 = PSR.db) throws -> TestMachine {
      try self.run(load) {
        $0[gr: 34] = address
        kt_data_breakpoints($0.cpu)[2] = 0x20008
        kt_data_breakpoints($0.cpu)[3] = control
        $0.cpu.setPSR($0.cpu.pointee.psr | psr)
      }
    }
    let reads: UInt64 = 1 << 63 | 1 << 56 | 0xff_ffff_ffff_fff8
    let met = try run(0x20008, control: reads)
    #expect(met.vector == 0x5900 && met.cpu.pointee.cr_ifa == 0x20008 && met.cpu.pointee.cr_isr == ISR.r)
    // An access that begins below and ends inside.
    #expect(try run(0x20004, control: reads).vector == 0x5900)
    #expect(try run(0x20000, control: reads).vector == nil)
    // Another level, writes only, psr.db off, psr.dd on.
    #expect(try run(0x20008, control: reads & ~(1 << 56) | 1 << 59).vector == nil)
    #expect(try run(0x20008, control: reads & ~(1 << 63) | 1 << 62).vector == nil)
    #expect(try run(0x20008, control: reads, psr: 0).vector == nil)
    #expect(try run(0x20008, control: reads, psr: PSR.db | PSR.dd).vector == nil)
  }

  @Test func instructionBreakpoints() throws {
    func run(_ control: UInt64, psr: UInt64) throws -> TestMachine {
      try self.run("01400044181000000002000000000400") {
        kt_instruction_breakpoints($0.cpu)[0] = TestMachine.code
        kt_instruction_breakpoints($0.cpu)[1] = control
        $0.cpu.setPSR($0.cpu.pointee.psr | psr)
      }
    }
    let here: UInt64 = 1 << 63 | 1 << 56 | 0xff_ffff_ffff_ffff
    let met = try run(here, psr: PSR.db)
    #expect(met.vector == 0x5900 && met.cpu.pointee.cr_ifa == TestMachine.code && met.cpu.pointee.cr_isr == ISR.x)
    #expect(met.cpu.pointee.cr_iip == TestMachine.code && met.cpu.pointee.budget == 0)
    #expect(try run(here, psr: PSR.db | PSR.id).vector == nil)
    #expect(try run(here & ~(1 << 63), psr: PSR.db).vector == nil)
  }

  @Test func privilege() throws {
    let machine = try run("01400000250400000002000000000400") {  // mov r8=psr
      $0.cpu.setPSR($0.cpu.pointee.psr | PSR.cpl)
    }
    #expect(machine.vector == 0x5400 && machine.cpu.pointee.cr_isr == 0x10)
    #expect(machine.cpu.cpl == 0 && machine.cpu.pointee.cr_ipsr & PSR.cpl == PSR.cpl)
  }

  @Test func disabledFloatingPoint() throws {
    let machine = try run("01408800e11800000002000000000400") {  // setf.sig f8=r34
      $0.cpu.setPSR($0.cpu.pointee.psr | PSR.dfl)
    }
    #expect(machine.vector == 0x5500 && machine.cpu.pointee.cr_isr == 1)
  }

  /// The slot after a fault has not begun, and the fault has cost one slot.
  @Test func faultsCountOneSlot() throws {
    let machine = try TestMachine("01281a09000000000002000000000400")
    machine.run(1)
    #expect(machine.cpu.pointee.budget == 0 && machine.vector == 0x2c00)
  }
}
