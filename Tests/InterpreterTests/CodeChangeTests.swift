// Code that changes while it is executed, call sites among it, and code where there is no memory.
import CSupport
import Interpreter
import Machine
import Testing

/// A callable that does nothing: the site's end is where the guest goes on.
private let callNothing: @convention(c) (CPU?, UInt32) -> Int32 = { cpu, site in
  let table = cpu!.pointee.sites.assumingMemoryBound(to: kt_site_table.self)
  table.pointee.site[Int(site)].calls += 1
  return Status.done
}

@Suite struct CodeChangeTests {
  // st8 [r9]=r10 ;; fc.i r9 ;; sync.i ;; srlz.i ;; adds r8=0,r0 ;; each with two nop.i
  static let patcher = """
    01002812981100000002000000000400 01000012300600000002000000000400 01000000330000000002000000000400
    01000000310000000002000000000400 01400000002100000002000000000400
    """

  /// However often code is patched, in one granule with its patcher, the new code is what runs.
  @Test func patchedAgainAndAgain() throws {
    let machine = try TestMachine(Self.patcher)
    let place = TestMachine.code + 64, plain = machine.memory(place)
    for round in 1...200 as ClosedRange<UInt64> {
      machine.cpu.pointee.ip = TestMachine.code
      machine[gr: 9] = place
      machine[gr: 10] = plain | (round & 127) << 18  // the immediate's low seven bits
      #expect(machine.run(15) == KT_STOP_BUDGET)
      #expect(machine.cpu.pointee.ip == TestMachine.code + 80)
      #expect(machine[gr: 8] == round & 127, "round \(round)")
    }
  }

  /// Where a call site is rewritten behind its first bundle, or ends in the next granule, it is noticed all the same.
  @Test(arguments: [0x10000, 0x10fe0] as [UInt64]) func siteRewrittenBehindItsBeginning(_ start: UInt64) throws {
    // adds r8=5,r0, five times.
    let machine = try TestMachine("01401400002100000002000000000400")
    let low = machine.memory(TestMachine.code), high = machine.memory(TestMachine.code + 8)
    for bundle in 0..<6 as Range<UInt64> {
      machine.setMemory(start + 16 * bundle, low)
      machine.setMemory(start + 16 * bundle + 8, high)
    }
    let cpu = machine.cpu
    var site = kt_site()
    site.start = start
    site.end = start + 80
    site.dispatch = UInt8(KT_DISPATCH_DIRECT.rawValue)
    site.bound = 1
    var table = kt_site_table()
    table.count = 1
    table.generation = 1
    withUnsafeMutablePointer(to: &site) { site in
      table.site = site
      withUnsafeMutablePointer(to: &table) { table in
        cpu.pointee.sites = UnsafeMutableRawPointer(table)
        cpu.pointee.call_site = callNothing
        cpu.pointee.ip = start
        #expect(machine.run(1) == KT_STOP_BUDGET)
        #expect(site.pointee.calls == 1 && cpu.pointee.ip == start + 80 && machine[gr: 8] == 0)
        // The table's owner would say so from the new bytes.
        site.pointee.bound = 0
        #expect(cpu.pointee.store(cpu, start + 64, 8, low | 1 << 19) == Status.done)
        cpu.pointee.ip = start
        #expect(machine.run(3) == KT_STOP_BUDGET)
        #expect(site.pointee.calls == 1 && cpu.pointee.ip == start + 16 && machine[gr: 8] == 5)
        cpu.pointee.sites = nil
      }
    }
  }

  /// Bytes that may be read of code: to the end of the next granule, never past the end of memory.
  @Test func codeEndsWithMemory() throws {
    let machine = try TestMachine("01401400002100000002000000000400")
    let ram = UnsafeRawPointer(machine.machine.ram), end = machine.machine.ramSize
    let cpu = machine.cpu
    #expect(cpu.readableCode(end - 32, physical: end - 32, host: ram + Int(end - 32)) == 32)
    #expect(cpu.readableCode(0x10fe0, physical: 0x10fe0, host: ram + 0x10fe0) == 32 + 4096)
    #expect(cpu.readableCode(0x11000, physical: 0x11000, host: ram + 0x11000) == 8192)
  }

  @Test func codeWithoutMemoryIsFatal() throws {
    // Entered there, and reached by running off the end of memory.
    for start in [1 << 20, (1 << 20) - 16] as [UInt64] {
      let machine = try TestMachine("01401400002100000002000000000400")
      machine.setMemory((1 << 20) - 16, machine.memory(TestMachine.code))
      machine.setMemory((1 << 20) - 8, machine.memory(TestMachine.code + 8))
      machine.cpu.pointee.ip = start
      #expect(machine.run(10) == KT_STOP_FATAL)
      #expect(machine.cpu.pointee.stop_detail == Int64(KT_FATAL_NO_CODE.rawValue))
      machine.cpu.pointee.ip = 1 << 20
      machine.cpu.setBudget(10)
      #expect(machine.interpreter.step(machine.cpu) == .stopped)
    }
  }

  /// There is no slot 3: cr.ipsr takes no such number (General Exception, Reserved Register/Field).
  @Test func interruptedSlotIsOneOfThree() throws {
    let machine = try TestMachine("01401400002100000002000000000400")
    let cpu = machine.cpu
    cpu.setPSR(cpu.pointee.psr & ~PSR.ic)
    #expect(cpu.writeCR(CR.ipsr, 2 << 41) == .done)
    #expect(cpu.writeCR(CR.ipsr, 3 << 41) == .interrupted)
    #expect(machine.vector == 0x5400 && cpu.pointee.cr_ipsr == 2 << 41)
    #expect(cpu.pointee.cr_isr & 0xffff == 0x30)
  }

  /// Processors with translations of their own take turns on one interpreter: the same address is each one's own code.
  @Test func eachProcessorItsOwnCode() throws {
    let machine = try Machine(ramSize: 1 << 20, processors: 2)
    let interpreter = Interpreter()
    for (number, code) in ["1148c000002400000002000000000020", "1148c400002400000002000000000020"].enumerated() {
      let page = 0x20000 + number << 14  // mov r9=48 there, mov r9=49 here
      for (index, byte) in bundles(code).enumerated() {
        machine.ram.storeBytes(of: byte, toByteOffset: page + index, as: UInt8.self)
      }
      let cpu = machine.cpus[number]
      cpu.pointee.virtual_clock = 1
      cpu.pointee.cr_ifa = 0x400_0000
      cpu.pointee.cr_itir = 14 << 2
      #expect(cpu.insertTranslationRegister(slot: 0, 0x661 | UInt64(page), instruction: true) == .done)
      cpu.setPSR(PSR.bn | PSR.ic | PSR.it)
      cpu.pointee.fetch_generation += 7  // as many changes on each
    }
    for _ in 0..<2 {
      for (number, cpu) in machine.cpus.enumerated() {
        cpu.pointee.ip = 0x400_0000
        cpu.pointee.ri = 0
        cpu.setBudget(3)
        #expect(interpreter.run(cpu) == KT_STOP_BUDGET)
        #expect(cpu.readGR(9) == 48 + UInt64(number))
        cpu.writeGR(9, 0)
      }
    }
    machine.cpus[0].pointee.ip = 0x400_0000
    machine.cpus[0].pointee.ri = 0
    _ = interpreter.step(machine.cpus[0])
    #expect(machine.cpus[0].readGR(9) == 48)
  }
}
