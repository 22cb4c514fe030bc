// The bare machine against its contract, Documentation/bare-machine.md.
import CSupport
import Machine
import Testing

import Platforms

/// Gathers console output.
final class Collected {
  var bytes: [UInt8] = []
  var chunks = 0
  var text: String { String(decoding: bytes, as: UTF8.self) }
  func output() -> ConsoleOutput {
    ConsoleOutput { [self] part in
      bytes += part
      chunks += 1
    }
  }
}

@Suite final class BareMachineTests {
  /// The machines of this test: a processor is a raw pointer into one, so they live as long as the suite's instance.
  private var kept: [BareMachine] = []

  static let kernel = ImageBuilder(
    entry: 0xa000_0001_0000_0020,
    segments: [
      .init(virtualAddress: 0xa000_0001_0000_0000, physicalAddress: 0x400000, bytes: Array(1...64), memorySize: 128)
    ],
    notes: [("Kittson", 1, [0x40, 0, 0x40, 0, 0, 0, 0, 0]), ("Xen", 1, [0x30, 0, 0x40, 0, 0, 0, 0, 0])])

  func machine(_ change: (inout BareOptions) -> Void = { _ in }, input: ConsoleInput = ConsoleInput()) throws
    -> (BareMachine, Collected)
  {
    var options = BareOptions()
    options.virtualClock = true
    change(&options)
    let collected = Collected()
    let machine = try BareMachine(
      image: try Self.kernel.image(), options: options, output: collected.output(), input: input)
    kept.append(machine)
    return (machine, collected)
  }

  func word(_ machine: BareMachine, _ physical: UInt64) -> UInt64 {
    machine.machine.host(physical: physical, length: 8)!.loadUnaligned(as: UInt64.self)
  }

  @Test func imageIsPlacedAtItsPhysicalAddress() throws {
    let (bare, _) = try machine()
    #expect(word(bare, 0x400000) == 0x0807_0605_0403_0201)
    #expect(word(bare, 0x400038) == 0x403f_3e3d_3c3b_3a39)
    #expect(word(bare, 0x400040) == 0)
    #expect(bare.machine.ramSize == 64 << 20)
  }

  @Test func entryIsTranslatedThroughItsSegmentAndTheNotes() throws {
    #expect(try machine().0.machine.cpus[0].pointee.ip == 0x400020)
    #expect(try machine { $0.entry = .host }.0.machine.cpus[0].pointee.ip == 0x400040)
    #expect(try machine { $0.entry = .xen }.0.machine.cpus[0].pointee.ip == 0x400030)
  }

  @Test func processorStartsAsTheContractSays() throws {
    let (bare, _) = try machine { $0.processors = 3 }
    for (index, cpu) in bare.machine.cpus.enumerated() {
      #expect(cpu.pointee.psr == 1 << 44)
      #expect(cpu.pointee.ri == 0)
      #expect(cpu.pointee.cfm == 0)
      #expect(cpu.pointee.ar_rsc == 0)
      #expect(cpu.pointee.ar_fpsr == 0x9804_c027_0033f)
      #expect(cpu.pointee.cr_iva == 0 && cpu.pointee.cr_dcr == 0)
      #expect(cpu.pointee.cr_lid == UInt64(index) << 24)
      for register in 1...31 { #expect(cpu.readGR(register) == (register == 28 ? bare.parameterAddress : 0)) }
    }
  }

  @Test func bootParametersAreWhereR28Points() throws {
    let (bare, _) = try machine {
      $0.commandLine = "console=uart quiet"
      $0.processors = 2
      $0.memorySize = 8 << 20
    }
    let block = bare.parameterAddress
    #expect(block % 16 == 0)
    #expect(word(bare, block) == 0x004e_4f53_5454_494b)  // "KITTSON\0"
    #expect(word(bare, block + 8) == 2 << 32 | 1)
    #expect(word(bare, block + 16) == 8 << 20)
    #expect(word(bare, block + 24) == 0)  // virtual clock
    #expect(word(bare, block + 40) == 18)
    #expect(word(bare, block + 48) == 0 && word(bare, block + 56) == 0)
    let text = bare.machine.host(physical: word(bare, block + 32), length: 19)!.assumingMemoryBound(to: CChar.self)
    #expect(String(cString: text) == "console=uart quiet")
  }

  @Test func parametersKeepOutOfTheImagesWay() {
    let place = { BootParameters.place(size: 0x5000, taken: $0, memorySize: 0x40000) }
    #expect(place([]) == 0x4000)
    #expect(place([(0x4000, 0x4001)]) == 0x8000)
    #expect(place([(0x10000, 0x20000), (0, 0x100)]) == 0x4000)
    #expect(place([(0x8000, 0x39000)]) == nil)
    #expect(place([(0, 0x40000)]) == nil)
  }

  @Test func clockFrequencyIsTheHostsUnderTheHostClock() throws {
    let (bare, _) = try machine { $0.virtualClock = false }
    let frequency = word(bare, bare.parameterAddress + 24)
    #expect(frequency > 100_000_000 && frequency < 20_000_000_000)
  }

  @Test func powerSwitchEndsTheRunWithItsStatus() throws {
    for status: UInt64 in [0, 1, 255] {
      let (bare, _) = try machine()
      let engine = ScriptedEngine(
        ScriptedEngine.useBudget, { ScriptedEngine.store($0, 0xff5f_0000, status) })
      #expect(bare.run(engine) == .exited(Int32(status)))
      #expect(engine.calls == 2)
    }
  }

  @Test func resetStartsOverAndForgetsCode() throws {
    let (bare, _) = try machine()
    let engine = ScriptedEngine(
      { cpu in
        _ = cpu.store(0x400000, size: 8, 0xdead)
        cpu.pointee.ip = 0x1230
        return ScriptedEngine.store(cpu, 0xff5f_0000, 0x100)
      },
      { cpu in
        #expect(cpu.pointee.ip == 0x400020)
        var value: UInt64 = 0
        _ = cpu.load(0x400000, size: 8, &value)
        #expect(value == 0x0807_0605_0403_0201)
        return ScriptedEngine.store(cpu, 0xff5f_0000, 7)
      })
    #expect(bare.run(engine) == .exited(7))
    #expect(bare.restarts == 1)
    #expect(engine.invalidated.count == 1)
    let (other, _) = try machine()
    #expect(other.run(ScriptedEngine { ScriptedEngine.store($0, 0xff5f_0000, 0x100) }, restart: false) == .reset)
  }

  @Test func consoleOutputIsWholeLines() throws {
    let (bare, collected) = try machine()
    let engine = ScriptedEngine { cpu in
      for byte in "one\ntwo".utf8 { _ = cpu.store(0xff5e_0000, size: 1, UInt64(byte)) }
      #expect(collected.text == "one\n")
      #expect(collected.chunks == 1)
      return ScriptedEngine.store(cpu, 0xff5f_0000, 0)
    }
    #expect(bare.run(engine) == .exited(0))
    #expect(collected.text == "one\ntwo")
  }

  @Test func consoleInputShowsInTheLineStatus() throws {
    let (bare, _) = try machine(input: ConsoleInput(bytes: [0x68, 0x69]))
    let cpu = bare.machine.cpus[0]
    func read(_ offset: UInt64) -> UInt64 {
      var value: UInt64 = 0
      _ = cpu.load(0xff5e_0000 + offset, size: 1, &value)
      return value
    }
    #expect(read(5) == 0x61)
    #expect(read(0) == 0x68)
    #expect(read(0) == 0x69)
    #expect(read(5) == 0x60)
    _ = cpu.store(0xff5e_0007, size: 1, 0x5a)
    #expect(read(7) == 0x5a)
    // The divisor latch takes the place of data and interrupt enable.
    _ = cpu.store(0xff5e_0003, size: 1, 0x83)
    _ = cpu.store(0xff5e_0000, size: 1, 0x0c)
    #expect(read(0) == 0x0c)
  }

  @Test func whatIsNoMemoryReadsAllOnes() throws {
    let (bare, _) = try machine()
    let cpu = bare.machine.cpus[0]
    var value: UInt64 = 0
    for address: UInt64 in [0x0400_0000, 0xff5f_0010, 0xfee0_0000, 0x1_0000_0000] {
      #expect(cpu.load(address, size: 8, &value) == .done)
      #expect(value == ~0)
    }
    #expect(cpu.load(0xff5e_0000, size: 4, &value) == .done)
    #expect(value == 0xffff_ffff)
    #expect(cpu.store(0x0400_0000, size: 8, 1) == .done)
  }

  @Test func clockRegisterCountsSlotsUnderTheVirtualClock() throws {
    let (bare, _) = try machine()
    let engine = ScriptedEngine { cpu in
      cpu.pointee.budget -= 1234
      var value: UInt64 = 0
      _ = cpu.load(0xff5f_0008, size: 8, &value)
      #expect(value == 1234)
      return ScriptedEngine.store(cpu, 0xff5f_0000, 0)
    }
    #expect(bare.run(engine) == .exited(0))
  }

  @Test func interruptBlockReachesTheProcessorNamed() throws {
    let (bare, _) = try machine { $0.processors = 3 }
    let cpus = bare.machine.cpus
    _ = cpus[0].store(0xfee0_0000 | 2 << 12, size: 8, 0x51)
    #expect(kt_irr(cpus[2])[1] == 1 << (0x51 - 64))
    #expect(kt_irr(cpus[0])[1] == 0 && kt_irr(cpus[1])[1] == 0)
    #expect(cpus[2].pointee.interrupt_ready == 1)
  }

  @Test func limitsEndTheRun() throws {
    let (bare, _) = try machine()
    let engine = ScriptedEngine(ScriptedEngine.useBudget)
    // The image's bytes are no branch to itself.
    #expect(bare.run(engine, limits: RunLimits(slots: 5_000_000)) == .instructionLimit)
    #expect(bare.machine.cpus[0].slots == 5_000_000)
    #expect(bare.run(engine, limits: RunLimits(seconds: 0.05)) == .timeout)
  }

  /// `{ nop.m 0; nop.i 0; br.sptk.few . }` as the assembler gives it (template MIB with a stop).
  static let spin: [UInt64] = [0x0000_0001_0000_0011, 0x4000_0000_0000_0200]

  @Test func branchesToTheirOwnBundleAreRecognised() {
    #expect(Idleness.branchesToItself(Self.spin[0], Self.spin[1]))
    // { hint.m 0; nop.m 5; br.cond.dptk.many . }
    #expect(Idleness.branchesToItself(0x0050_0001_8000_0019, 0x4200_0008_0000_0200))
    // The first with predicate p6 on the branch, with displacement 16, and with a break in slot 0.
    #expect(!Idleness.branchesToItself(Self.spin[0], Self.spin[1] | 6 << 23))
    #expect(!Idleness.branchesToItself(Self.spin[0], Self.spin[1] | 1 << (23 + 13)))
    #expect(!Idleness.branchesToItself(0x11, Self.spin[1]))
  }

  @Test func spinningWithNothingToComeEnds() throws {
    let (bare, _) = try machine()
    let cpu = bare.machine.cpus[0]
    cpu.pointee.ip = 0x500000
    _ = cpu.store(0x500000, size: 8, Self.spin[0])
    _ = cpu.store(0x500008, size: 8, Self.spin[1])
    let engine = ScriptedEngine(ScriptedEngine.useBudget)
    guard case .stuck(let deaf) = bare.run(engine) else { return #expect(Bool(false)) }
    #expect(deaf.contains("interrupts off"))
    cpu.pointee.psr |= PSR.i
    guard case .stuck(let waiting) = bare.run(engine) else { return #expect(Bool(false)) }
    #expect(waiting.contains("no timer"))
  }

  @Test func idleTimeRunsToTheTimer() throws {
    let (bare, _) = try machine()
    let cpu = bare.machine.cpus[0]
    let engine = ScriptedEngine(
      { cpu in
        cpu.writeITV(0x40)
        cpu.writeITM(1_000_000_000_000)
        return KT_STOP_HALT
      },
      { cpu in
        #expect(cpu.readITC() == 1_000_000_000_000)
        #expect(cpu.pointee.interrupt_ready == 1)
        return ScriptedEngine.store(cpu, 0xff5f_0000, 3)
      })
    #expect(bare.run(engine) == .exited(3))
    #expect(cpu.slots == 1_000_000_000_000)
  }

  @Test func emptyVectorEndsTheRun() throws {
    let (bare, _) = try machine()
    let engine = ScriptedEngine { cpu in
      cpu.pointee.ip = 0x2c00
      return ScriptedEngine.useBudget(cpu)
    }
    guard case .stuck(let text) = bare.run(engine) else { return #expect(Bool(false)) }
    #expect(text.contains("0x2c00"))
  }

  @Test func badImagesAreRefused() throws {
    var outside = Self.kernel
    outside.segments[0].physicalAddress = (64 << 20) - 64
    #expect(throws: BootError.segmentOutsideMemory(index: 0, end: (64 << 20) + 64, memorySize: 64 << 20)) {
      _ = try BareMachine(image: try outside.image(), output: Collected().output())
    }
    var note = Self.kernel
    note.notes = [("Kittson", 1, [1, 2, 3, 4])]
    var options = BareOptions()
    options.entry = .host
    #expect(throws: BootError.badEntryNote(name: "Kittson", size: 4)) {
      _ = try BareMachine(image: try note.image(), options: options, output: Collected().output())
    }
    options = BareOptions()
    options.memorySize = 0xfee0_0001
    #expect(throws: BootError.memoryTooLarge(0xfee0_0001, limit: 0xfee0_0000)) {
      _ = try BareMachine(image: try Self.kernel.image(), options: options, output: Collected().output())
    }
    options.memorySize = 64 << 20
    options.processors = 9
    #expect(throws: BootError.processorCount(9)) {
      _ = try BareMachine(image: try Self.kernel.image(), options: options, output: Collected().output())
    }
  }
}
