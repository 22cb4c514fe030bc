// The firmware machine against its contract, Documentation/firmware-machine.md, and the specifications named there.
import CSupport
import Interpreter
import Machine
import Testing

import Platforms

@Suite final class FirmwareMachineTests {
  /// The machines of this test: a processor is a raw pointer into one.
  private var kept: [FirmwareMachine] = []

  static let kernel = ImageBuilder(
    entry: 0xa000_0001_0000_0020,
    segments: [
      .init(virtualAddress: 0xa000_0001_0000_0000, physicalAddress: 0x400_0000, bytes: Array(1...64), memorySize: 128)
    ])

  func machine(_ change: (inout FirmwareOptions) -> Void = { _ in }, input: ConsoleInput = ConsoleInput()) throws
    -> (FirmwareMachine, Collected)
  {
    var options = FirmwareOptions()
    options.memorySize = 128 << 20
    options.virtualClock = true
    change(&options)
    let collected = Collected()
    let machine = try FirmwareMachine(
      image: try Self.kernel.image(), options: options, output: collected.output(), input: input)
    kept.append(machine)
    return (machine, collected)
  }

  func bytes(_ machine: FirmwareMachine, _ physical: UInt64, _ count: Int) -> [UInt8] {
    Array(UnsafeRawBufferPointer(start: machine.machine.ram + Int(physical), count: count))
  }

  func word<T: FixedWidthInteger>(_ machine: FirmwareMachine, _ physical: UInt64, as: T.Type = UInt64.self) -> T {
    machine.machine.host(physical: physical, length: 8)!.loadUnaligned(as: T.self)
  }

  // MARK: Tables

  @Test func bootParametersLeadToTheTables() throws {
    let (guest, _) = try machine { $0.commandLine = "console=ttyS0"; $0.initrd = [7, 8, 9] }
    let cpu = guest.machine.cpus[0]
    #expect(cpu.pointee.ip == 0x400_0020 && cpu.pointee.psr == 1 << 44)
    let block = cpu.readGR(28)
    #expect(bytes(guest, word(guest, block), 14) == Array("console=ttyS0".utf8) + [0])
    #expect(word(guest, word(guest, block + 8)) == 0x5453_5953_2049_4249)
    #expect(word(guest, block + 32) == 40 && word(guest, block + 24) % 40 == 0)
    #expect(word(guest, block + 40, as: UInt32.self) == 1)
    #expect(word(guest, block + 72) == 3)
    #expect(bytes(guest, word(guest, block + 64), 3) == [7, 8, 9])
  }

  /// The memory map covers RAM once, in order, and every range is whole pages.
  @Test func memoryMapCoversMemoryOnce() throws {
    let (guest, _) = try machine()
    let block = guest.machine.cpus[0].readGR(28)
    let map = word(guest, block + 16), size = word(guest, block + 24)
    var end: UInt64 = 0
    for offset in stride(from: UInt64(0), to: size, by: 40) {
      let start = word(guest, map + offset + 8)
      #expect(start >= end)
      end = start + word(guest, map + offset + 24) * 4096
      if start < guest.machine.ramSize { #expect(end <= guest.machine.ramSize) }
    }
  }

  private func configurationTable(_ guest: FirmwareMachine, _ first: UInt32) -> UInt64? {
    let system = word(guest, guest.machine.cpus[0].readGR(28) + 8)
    let count = word(guest, system + 104), tables = word(guest, system + 112)
    for index in 0..<count where word(guest, tables + 24 * index, as: UInt32.self) == first {
      return word(guest, tables + 24 * index + 16)
    }
    return nil
  }

  private func sum(_ bytes: [UInt8]) -> UInt8 { bytes.reduce(0, &+) }

  @Test func tablesHaveTheirChecksums() throws {
    let (guest, _) = try machine { $0.processors = 4 }
    let sal = try #require(configurationTable(guest, 0xeb9d_2d32))
    #expect(bytes(guest, sal, 4) == Array("SST_".utf8))
    #expect(sum(bytes(guest, sal, Int(word(guest, sal + 4, as: UInt32.self)))) == 0)
    let root = try #require(configurationTable(guest, 0x8868_e871))
    #expect(bytes(guest, root, 8) == Array("RSD PTR ".utf8))
    #expect(sum(bytes(guest, root, 20)) == 0 && sum(bytes(guest, root, 36)) == 0)
    let xsdt = word(guest, root + 24)
    var tables = [xsdt]
    for offset in stride(from: UInt64(36), to: UInt64(word(guest, xsdt + 4, as: UInt32.self)), by: 8) {
      tables.append(word(guest, xsdt + offset))
    }
    let names = tables.map { String(decoding: bytes(guest, $0, 4), as: UTF8.self) }
    #expect(names == ["XSDT", "FACP", "APIC"])
    tables.append(word(guest, tables[1] + 140))
    for table in tables { #expect(sum(bytes(guest, table, Int(word(guest, table + 4, as: UInt32.self)))) == 0) }
    // Four local SAPICs of 17 bytes, behind the 44 bytes of the header.
    for index in 0..<UInt64(4) { #expect(bytes(guest, tables[2] + 44 + 17 * index, 5) == [7, 17, UInt8(index), UInt8(index), 0]) }
  }

  // MARK: Calls

  /// Calls what stands at `entry` as a kernel would, in physical mode, and gives r8…r11.
  private func call(_ guest: FirmwareMachine, _ entry: UInt64, index: UInt64, _ arguments: [UInt64], stacked: Bool) -> [UInt64] {
    let cpu = guest.machine.cpus[0]
    let interpreter = Interpreter()
    interpreter.attach(cpu)
    // The caller has a frame of eight registers.
    let caller: UInt64 = 0x500_0000
    cpu.pointee.cfm = 8
    cpu.updateFrameLimit()
    cpu.pointee.ar_pfs = 8
    cpu.branches[0] = caller
    cpu.writeGR(28, index)
    if stacked {
      for (offset, value) in ([index] + arguments).enumerated() { cpu.writeGR(32 + offset, value) }
    } else {
      for (offset, value) in arguments.enumerated() { cpu.writeGR(29 + offset, value) }
    }
    cpu.pointee.ip = entry
    cpu.pointee.ri = 0
    while cpu.pointee.ip != caller {
      cpu.pointee.stop_reason = 0
      cpu.setBudget(1)
      if interpreter.run(cpu) == KT_STOP_FIRMWARE, case .halted = guest.serve(cpu) { break }
    }
    return (8...11).map { cpu.readGR($0) }
  }

  private func salEntry(_ guest: FirmwareMachine) throws -> UInt64 {
    try #require(configurationTable(guest, 0xeb9d_2d32)) + 96
  }

  @Test func palAnswersInBothConventions() throws {
    let (guest, _) = try machine()
    let pal = word(guest, try salEntry(guest) + 8)
    // RSE_INFO: 96 stacked registers.
    #expect(call(guest, pal, index: 19, [0, 0, 0], stacked: false) == [0, 96, 0, 0])
    // VM_SUMMARY: 61 implemented virtual address bits, 24 region identifier bits.
    #expect(call(guest, pal, index: 8, [0, 0, 0], stacked: false)[2] == 0x183c)
    // The third-level cache is unified: it has no instruction half.
    #expect(call(guest, pal, index: 2, [2, 1, 0], stacked: false)[0] == UInt64(bitPattern: -2))
    #expect(call(guest, pal, index: 2, [2, 2, 0], stacked: false)[0] == 0)
    // An index nobody knows.
    #expect(call(guest, pal, index: 200, [0, 0, 0], stacked: false)[0] == UInt64(bitPattern: -1))
    // BRAND_INFO is a stacked procedure and writes where its second argument says.
    #expect(call(guest, pal, index: 274, [0, 0x600_0000], stacked: true)[0] == 0)
    #expect(bytes(guest, 0x600_0000, 8) == Array("Kittson ".utf8))
  }

  @Test func salAnswers() throws {
    let (guest, _) = try machine()
    let entry = word(guest, try salEntry(guest) + 16)
    // FREQ_BASE of the platform under the virtual clock; no error records; PCI space is empty.
    #expect(call(guest, entry, index: 0, [], stacked: true)[0] == UInt64(bitPattern: -1))
    func sal(_ number: UInt64, _ arguments: UInt64...) -> [UInt64] {
      guest.machine.cpus[0].pointee.cfm = 8
      return call(guest, entry, index: number, arguments, stacked: true)
    }
    #expect(sal(0x100_0012, 0)[0...1] == [0, 400_000_000])
    #expect(sal(0x100_0001, 0)[0] == UInt64(bitPattern: -5))
    #expect(sal(0x100_0010, 0, 2)[0...1] == [0, 0xffff])
    #expect(sal(0x100_0010, 0, 3)[0] == UInt64(bitPattern: -2))
  }

  @Test func virtualAddressMapMovesTheRuntimeServices() throws {
    let (guest, _) = try machine()
    let block = guest.machine.cpus[0].readGR(28)
    let system = word(guest, block + 8), runtime = word(guest, system + 88)
    let map = word(guest, block + 16), size = word(guest, block + 24)
    for offset in stride(from: UInt64(0), to: size, by: 40) {
      let start = word(guest, map + offset + 8)
      guest.machine.ram.storeBytes(of: 0xe000_0000_0000_0000 | start, toByteOffset: Int(map + offset + 16), as: UInt64.self)
    }
    let descriptor = word(guest, runtime + 24), entry = word(guest, descriptor)
    let setMap = word(guest, word(guest, runtime + 24 + 32))
    guest.machine.cpus[0].pointee.cfm = 8
    // Index and arguments are the function's four arguments here.
    #expect(call(guest, setMap, index: size, [40, 1, map], stacked: true)[0] == 0)
    #expect(word(guest, runtime + 24) == 0xe000_0000_0000_0000 | descriptor)
    #expect(word(guest, descriptor) == 0xe000_0000_0000_0000 | entry)
  }

  /// Size, descriptor size and address of maps.
  static let badMaps: [(UInt64, UInt64, UInt64)] = [
    (8, 8, 0), (40, 1 << 63, 0), (41, 40, 0), (1 << 40, 40, 0), (40, 40, 0x7ff_fff8), (40, 40, 1 << 62), (8, 40, 0x7ff_fff8),
  ]

  /// Sizes that do not fit one another, or memory that is not there, are refused.
  @Test(arguments: badMaps)
  func badAddressMapsAreRefused(_ size: UInt64, _ descriptor: UInt64, _ map: UInt64) throws {
    let (guest, _) = try machine()
    let system = word(guest, guest.machine.cpus[0].readGR(28) + 8), runtime = word(guest, system + 88)
    let setMap = word(guest, word(guest, runtime + 24 + 32))
    #expect(call(guest, setMap, index: size, [descriptor, 1, map], stacked: true)[0] == EFI.Status.invalidParameter)
  }

  @Test func timeIsWrittenWhereTheCallerSays() throws {
    let (guest, _) = try machine()
    let system = word(guest, guest.machine.cpus[0].readGR(28) + 8), runtime = word(guest, system + 88)
    let getTime = word(guest, word(guest, runtime + 24))
    #expect(call(guest, getTime, index: 0x600_0000, [0x600_0100], stacked: true)[0] == 0)
    #expect(word(guest, 0x600_0000, as: UInt16.self) == 2017 && word(guest, 0x600_0100, as: UInt32.self) == 1)
    #expect(call(guest, getTime, index: 0, [0], stacked: true)[0] == EFI.Status.invalidParameter)
  }

  /// 1 January 2017 is where the calendar of the virtual clock begins.
  @Test func efiTime() throws {
    let time = EFI.time(1_483_228_800, nanoseconds: 5)
    #expect(time.0 == 2017 | 1 << 16 | 1 << 24 && time.1 == 5)
    let other = EFI.time(951_827_696, nanoseconds: 0)  // 2000-02-29 12:34:56
    #expect(other.0 == 2000 | 2 << 16 | 29 << 24 | 12 << 32 | 34 << 40 | 56 << 48)
  }

  @Test func breakElsewhereIsTheGuestsOwn() throws {
    let (guest, _) = try machine()
    let cpu = guest.machine.cpus[0]
    Interpreter.installServices(cpu)
    cpu.pointee.ip = 0x400_0000
    cpu.pointee.psr |= 1 << 13
    #expect(cpu.breakInstruction(FirmwareService.base) == .interrupted)
    #expect(cpu.pointee.cr_iim == FirmwareService.base && cpu.pointee.stop_reason == 0)
  }

  // MARK: Devices

  private func sapic(_ guest: FirmwareMachine, _ register: UInt32, _ value: UInt32) {
    _ = ScriptedEngine.store(guest.machine.cpus[0], 0x8011_0000, UInt64(register), size: 4)
    _ = ScriptedEngine.store(guest.machine.cpus[0], 0x8011_0010, UInt64(value), size: 4)
  }

  private func port(_ number: UInt64) -> UInt64 { 0xfff_fc00_0000 + ((number >> 2) << 12 | number & 0xfff) }

  private func inb(_ guest: FirmwareMachine, _ number: UInt64) -> UInt64 {
    var value: UInt64 = 0
    #expect(guest.machine.cpus[0].load(port(number), size: 1, &value) == .done)
    return value
  }

  private func outb(_ guest: FirmwareMachine, _ number: UInt64, _ value: UInt64) {
    _ = ScriptedEngine.store(guest.machine.cpus[0], port(number), value, size: 1)
  }

  @Test func serialPortInterruptsThroughTheSAPIC() throws {
    let input = ConsoleInput()
    let (guest, console) = try machine(input: input)
    let cpu = guest.machine.cpus[0]
    sapic(guest, 0x10 + 8, 0x31)  // line 4: vector 0x31, edge, not masked
    sapic(guest, 0x11 + 8, 0)  // to processor 0
    outb(guest, 0x3f9, 1)  // received data interrupts
    #expect(cpu.pointee.interrupt_ready == 0)
    input.append(Array("x".utf8))
    guest.pollDevices()
    #expect(cpu.pointee.interrupt_ready == 1 && cpu.readIVR() == 0x31)
    cpu.writeEOI()
    #expect(inb(guest, 0x3fa) & 0xf == 4)  // IIR: received data
    #expect(inb(guest, 0x3f8) == UInt64(UInt8(ascii: "x")))
    #expect(inb(guest, 0x3fa) & 0xf == 1)
    // Enabling the transmitter's interrupt raises it at once, each byte again, and reading IIR ends it.
    outb(guest, 0x3f9, 2)
    #expect(cpu.readIVR() == 0x31)
    cpu.writeEOI()
    #expect(inb(guest, 0x3fa) & 0xf == 2 && inb(guest, 0x3fa) & 0xf == 1)
    outb(guest, 0x3f8, UInt64(UInt8(ascii: "y")))
    #expect(cpu.readIVR() == 0x31)
    guest.output.flush()
    #expect(console.text == "y")
  }

  @Test func loopbackShowsModemOutputs() throws {
    let (guest, _) = try machine()
    outb(guest, 0x3fc, 0x1a)
    #expect(inb(guest, 0x3fe) & 0xf0 == 0x90)
    outb(guest, 0x3f8, 0x5a)
    #expect(inb(guest, 0x3fd) & 1 == 1 && inb(guest, 0x3f8) == 0x5a && inb(guest, 0x3fd) & 1 == 0)
  }

  /// A level-triggered line interrupts again at EOI while it is asserted; a masked one waits for its unmasking.
  @Test func levelTriggeredLines() throws {
    let (guest, _) = try machine()
    let cpu = guest.machine.cpus[0]
    let sapic = IOSAPIC(base: 0, pins: 4, guest.machine)
    func write(_ register: UInt64, _ value: UInt64) {
      sapic.write(offset: 0, size: 4, value: register, cpu: cpu)
      sapic.write(offset: 0x10, size: 4, value: value, cpu: cpu)
    }
    write(0x14, 0x40 | 1 << 15 | 1 << 16)
    sapic.set(2, asserted: true)
    #expect(cpu.pointee.interrupt_ready == 0)
    write(0x14, 0x40 | 1 << 15)
    #expect(cpu.readIVR() == 0x40)
    cpu.writeEOI()
    #expect(cpu.pointee.interrupt_ready == 0)
    sapic.write(offset: 0x40, size: 4, value: 0x40, cpu: cpu)
    #expect(cpu.readIVR() == 0x40)
    cpu.writeEOI()
    sapic.set(2, asserted: false)
    sapic.write(offset: 0x40, size: 4, value: 0x40, cpu: cpu)
    #expect(cpu.pointee.interrupt_ready == 0)
  }

  @Test func powerOff() throws {
    let (guest, _) = try machine()
    let engine = ScriptedEngine { [self] cpu in ScriptedEngine.store(cpu, port(0x2004), 5 << 10 | 1 << 13, size: 2) }
    #expect(guest.run(engine) == .exited(0))
    let other = ScriptedEngine(
      { [self] cpu in _ = ScriptedEngine.store(cpu, port(0x2004), 4 << 10 | 1 << 13, size: 2); return ScriptedEngine.useBudget(cpu) },
      { cpu in cpu.stop(KT_STOP_EXIT, detail: 3); return KT_STOP_EXIT })
    #expect(guest.run(other) == .exited(3))
  }

  @Test func resetMakesDevicesAnew() throws {
    let (guest, _) = try machine()
    outb(guest, 0x3fb, 0x83)
    outb(guest, 0x3ff, 0x55)
    let engine = ScriptedEngine(
      { cpu in cpu.stop(KT_STOP_RESET); return KT_STOP_RESET }, { cpu in cpu.stop(KT_STOP_EXIT); return KT_STOP_EXIT })
    #expect(guest.run(engine) == .exited(0))
    #expect(inb(guest, 0x3fb) == 0 && inb(guest, 0x3ff) == 0)
  }

  /// A processor that sleeps in the firmware starts by the wake-up interrupt alone, where the kernel said.
  @Test func wakeUpStartsAProcessor() throws {
    let (guest, _) = try machine { $0.processors = 2 }
    let first = guest.machine.cpus[0], second = guest.machine.cpus[1]
    let sal = word(guest, try salEntry(guest) + 16)
    #expect(call(guest, sal, index: 0x100_0000, [2, 0x500_0000, 0x1234], stacked: true)[0] == 0)
    let interpreter = Interpreter()
    interpreter.attach(second)
    func serve() -> UInt64 {
      second.pointee.stop_reason = 0
      second.setBudget(1)
      #expect(interpreter.run(second) == KT_STOP_FIRMWARE)
      _ = guest.serve(second)
      return second.pointee.ip
    }
    let waiting = serve()
    _ = ScriptedEngine.store(first, 0xfee0_1000, 0xef)
    #expect(serve() == waiting)
    _ = ScriptedEngine.store(first, 0xfee0_1000, 0xff)
    #expect(serve() == 0x500_0000 && second.readGR(1) == 0x1234)
  }

  /// Under the virtual clock a match that no run reaches never comes: slots don't overflow.
  @Test func matchBeyondAllTime() throws {
    let (guest, _) = try machine()
    let cpu = guest.machine.cpus[0]
    cpu.writeITV(0xef)
    cpu.writeITM(cpu.readITC() &+ (1 << 63 - 16))
    #expect(cpu.pointee.itm_deadline == UInt64.max)
    cpu.writeITM(cpu.readITC() &+ 1000)
    #expect(cpu.pointee.itm_deadline == cpu.slots + 1000)
  }

  // MARK: Bad input

  @Test func whatDoesNotFitIsRefused() throws {
    func refusal(_ change: (inout FirmwareOptions) -> Void) -> BootError? {
      do { _ = try machine(change) } catch { return error as? BootError }
      return nil
    }
    #expect(refusal { $0.memorySize = 64 << 20 } == .memoryTooSmall(64 << 20))
    #expect(refusal { $0.memorySize = 3 << 30 } == .memoryTooLarge(3 << 30, limit: 2 << 30))
    #expect(refusal { $0.initrd = [UInt8](repeating: 0, count: 64 << 20) } == .noRoomForInitrd(64 << 20))
    #expect(refusal { $0.commandLine = String(repeating: "x", count: 4000) } == .commandLineTooLong)
    #expect(refusal { $0.processors = 9 } == .processorCount(9))
    #expect(refusal { $0.processors = 8 } == nil)
  }
}
