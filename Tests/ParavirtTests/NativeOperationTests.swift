// The native bodies of the operations, against the architecture's definition of the instruction each stands for
// (SDM vol. 2 and 3), by the C function and through its libffi closure.
import CSupport
import Machine
import Paravirt
import Testing

@Suite struct NativeOperationTests {
  private func processor() throws -> (Machine, CPU) {
    let machine = try Machine(ramSize: 1 << 20)
    let cpu = machine.cpus[0]
    cpu.pointee.cr_iva = 0x8000
    cpu.pointee.ip = 0x4000
    return (machine, cpu)
  }

  private func call(_ operation: Operation, _ cpu: CPU, _ arguments: UInt64...) -> UInt64 {
    let a = arguments + [UInt64](repeating: 0xdead_beef, count: 5 - arguments.count)
    return operation.native(cpu, a[0], a[1], a[2], a[3], a[4])
  }

  @Test func regionRegisters() throws {
    let (machine, cpu) = try processor()
    defer { withExtendedLifetime(machine) {} }
    _ = call(.setRR, cpu, 0x2000_0000_0000_1234, 0x1239)
    #expect(kt_region_registers(cpu)[1] == 0x1239)
    #expect(call(.getRR, cpu, 0x3fff_ffff_ffff_ffff) == 0x1239)
    _ = call(.setRR0ToRR4, cpu, 0x38, 0x138, 0x238, 0x338, 0x438)
    #expect((0..<5).map { kt_region_registers(cpu)[$0] } == [0x38, 0x138, 0x238, 0x338, 0x438])
    #expect(cpu.pointee.ip == 0x4000)
    // Bit 1 is reserved: Reserved Register/Field, General Exception at 0x5400 with code 0x30; the first two are done.
    _ = call(.setRR0ToRR4, cpu, 0x539, 0x539, 0x53b, 0x539, 0x539)
    #expect(cpu.pointee.ip == 0x8000 + 0x5400)
    #expect(cpu.pointee.cr_isr & 0xffff == 0x30)
    #expect(cpu.pointee.event_check == 1)
    #expect((0..<5).map { kt_region_registers(cpu)[$0] } == [0x539, 0x539, 0x238, 0x338, 0x438])
  }

  @Test func interruptMask() throws {
    let (machine, cpu) = try processor()
    defer { withExtendedLifetime(machine) {} }
    let psr = cpu.pointee.psr
    cpu.pointee.event_check = 0
    #expect(call(.getPSRI, cpu) == 0)
    _ = call(.ssmI, cpu)
    #expect(cpu.pointee.psr == psr | 1 << 14 && cpu.pointee.event_check == 1)
    #expect(call(.getPSRI, cpu) == 1 << 14)
    _ = call(.rsmI, cpu)
    #expect(cpu.pointee.psr == psr)
    _ = call(.irqRestore, cpu, 1 << 14)
    #expect(call(.getPSRI, cpu) == 1 << 14)
    _ = call(.irqRestore, cpu, 0)
    #expect(call(.getPSRI, cpu) == 0)
  }

  @Test func privilegedOnesFaultForAUser() throws {
    let privileged: Set<Operation> = [
      .ptcga, .getRR, .setRR, .setRR0ToRR4, .ssmI, .rsmI, .getPSRI, .irqRestore,
    ]
    for operation in Operation.allCases where operation != .fc && operation != .getreg && operation != .setreg {
      let (machine, cpu) = try processor()
      defer { withExtendedLifetime(machine) {} }
      cpu.setPSR(cpu.pointee.psr | 3 << 32)
      _ = call(operation, cpu, 0, 0x38, 0x38, 0x38, 0x38)
      // Privileged Operation: General Exception with code 0x10.
      #expect((cpu.pointee.ip == 0x8000 + 0x5400) == privileged.contains(operation), "\(operation)")
      if privileged.contains(operation) { #expect(cpu.pointee.cr_isr & 0xffff == 0x10) }
    }
  }

  @Test func identification() throws {
    let (machine, cpu) = try processor()
    defer { withExtendedLifetime(machine) {} }
    for index in 0..<5 { #expect(call(.getCPUID, cpu, UInt64(index)) == kt_cpuid(cpu)[index]) }
    #expect(cpu.pointee.ip == 0x4000)
    kt_pmd(cpu)[4] = 77
    #expect(call(.getPMD, cpu, 4) == 77)
    #expect(cpu.pointee.ip == 0x4000)
    // Registers that are not there: Reserved Register/Field, as the instructions themselves.
    for (operation, index) in [(Operation.getCPUID, 5), (.getPMD, 32), (.getPMD, 200)] {
      cpu.pointee.ip = 0x4000
      cpu.pointee.cr_isr = 0
      _ = call(operation, cpu, UInt64(index))
      #expect(cpu.pointee.ip == 0x8000 + 0x5400)
      #expect(cpu.pointee.cr_isr & 0xffff == 0x30)
    }
  }

  @Test func flushTellsWhereCodeChanged() throws {
    let (machine, cpu) = try processor()
    defer { withExtendedLifetime(machine) {} }
    cpu.pointee.code_written = { cpu, physical, length in
      cpu!.pointee.bank_gr.0 = physical
      cpu!.pointee.bank_gr.1 = length
    }
    _ = call(.fc, cpu, 0x1_2345)
    #expect(cpu.pointee.bank_gr.1 == 0)  // nothing is derived from there yet
    machine.markCode(physical: 0x1_2345)
    _ = call(.fc, cpu, 0x1_2345)
    #expect(cpu.pointee.bank_gr.0 <= 0x1_2345 && cpu.pointee.bank_gr.0 + cpu.pointee.bank_gr.1 > 0x1_2345)
    #expect(cpu.pointee.bank_gr.1 >= 32)
  }

  /// Every register that Linux numbers, written with a value its reserved fields allow and read back.
  @Test func registersByNumber() throws {
    let (machine, cpu) = try processor()
    defer { withExtendedLifetime(machine) {} }
    let written: [(String, UInt64, UInt64)] = [
      ("ar.k0", 0x11, 0x11), ("ar.k7", 0x77, 0x77), ("ar.rsc", 3, 3), ("ar.fcr", 5, 5), ("ar.eflag", 6, 6),
      ("ar.csd", 7, 7), ("ar.ssd", 8, 8), ("ar.cflg", 9, 9), ("ar.fsr", 10, 10), ("ar.fir", 11, 11),
      ("ar.fdr", 12, 12), ("ar.ccv", 13, 13), ("ar.unat", 14, 14), ("ar.fpsr", 0x9_804c_0270_033f, 0x9_804c_0270_033f),
      ("ar.pfs", 15, 15), ("ar.lc", 16, 16), ("ar.ec", 17, 17), ("cr.dcr", 4, 4), ("cr.itm", 1 << 40, 1 << 40),
      ("cr.iva", 0x1_8000, 0x1_8000), ("cr.pta", 15 << 2, 15 << 2), ("cr.ipsr", 1 << 14, 1 << 14),
      ("cr.isr", 3, 3), ("cr.iip", 0x40, 0x40), ("cr.ifa", 0x50, 0x50), ("cr.itir", 14 << 2, 14 << 2),
      ("cr.iipa", 0x60, 0x60), ("cr.ifs", 1 << 63, 1 << 63), ("cr.iim", 0x70, 0x70), ("cr.iha", 0x80, 0x80),
      ("cr.lid", 0x0102_0000, 0x0102_0000), ("cr.tpr", 0x50, 0x50), ("cr.itv", 0x1_00ef, 0x1_00ef),
      ("cr.pmv", 0x1_0001, 0x1_0001), ("cr.cmcv", 0x1_0002, 0x1_0002), ("cr.lrr0", 0x1_0003, 0x1_0003),
      ("cr.lrr1", 0x1_0004, 0x1_0004), ("gp", 0x1234, 0x1234), ("sp", 0x5678, 0x5678),
    ]
    for (name, value, expected) in written {
      let register = try #require(KernelRegister(name: name))
      _ = call(.setreg, cpu, value, UInt64(register.rawValue))
      #expect(call(.getreg, cpu, UInt64(register.rawValue)) == expected, "\(name)")
      #expect(cpu.pointee.ip == 0x4000, "\(name) faulted")
    }
    // Read only, or with effects of their own.
    cpu.writeGR(13, 0x1313)
    #expect(call(.getreg, cpu, 1037) == 0x1313)
    #expect(call(.getreg, cpu, 1019) == cpu.readPSR())
    #expect(call(.getreg, cpu, 3089) == cpu.readBSP())
    for name in ["ar.itc", "ar.bspstore", "cr.ivr", "cr.eoi", "cr.irr0", "cr.irr3"] {
      let register = try #require(KernelRegister(name: name))
      if name == "ar.bspstore" { cpu.pointee.ar_rsc = 0 }
      _ = call(.getreg, cpu, UInt64(register.rawValue))
      #expect(cpu.pointee.ip == 0x4000, "\(name) faulted")
    }
    // What Linux's out-of-line functions do with a number they do not know.
    for number in [0, 1016, 1032, 3080, 3092, 4099, 4171, 9006] as [UInt64] {
      #expect(call(.getreg, cpu, number) == ~0)
      #expect(call(.setreg, cpu, 1, number) == 0)
    }
    #expect(cpu.pointee.ip == 0x4000)
    // cr.ivr and ar.bsp can't be written.
    _ = call(.setreg, cpu, 1, 4161)
    #expect(cpu.pointee.ip == 0x8000 + 0x1_0000 + 0x5400)
  }

  /// The number tables in the fast path are those that the names come from.
  @Test func numbersAgreeWithNames() throws {
    for register in KernelRegister.all {
      let number = UInt64(register.rawValue)
      #expect(NativeOperations.isApplication(number) == (register.applicationRegister != nil))
      #expect(NativeOperations.isControl(number) == (register.controlRegister != nil))
    }
    for number in UInt64(0)..<0x3000 where NativeOperations.isApplication(number) || NativeOperations.isControl(number) {
      #expect(KernelRegister(rawValue: UInt32(number)).isKnown)
    }
  }

  /// A faulting operation at a site: the interruption names the site's start, and the site is not completed.
  @Test func aFaultLeavesTheSite() throws {
    var builder = ImageBuilder()
    let address = builder.addSite(.setRR)
    let table = try SiteTable(ParavirtImage(ELFImage(bytes: builder.build())), dispatch: .direct)
    let (machine, cpu) = try processor()
    defer { withExtendedLifetime(machine) {} }
    table.attach(cpu)
    cpu.setPSR(cpu.pointee.psr | 1 << 13)  // psr.ic: collect
    cpu.writeGR(8, 0)
    cpu.writeGR(9, 0xff)
    #expect(cpu.pointee.call_site!(cpu, 0) == Status.interrupted)
    #expect(cpu.pointee.ip == 0x8000 + 0x5400)
    #expect(cpu.pointee.cr_iip == address)
    #expect(cpu.readGR(8) == 0)
  }
}
