// The `xen` backend's bodies: against GNU as, and executed on the interpreter against a shared page. What Linux's own
// file (arch/ia64/xen/xen_pv_ops.c) got wrong has a test each.
import CSupport
import IA64
import Interpreter
import Machine
import Paravirt
import Testing

/// A processor with Xen's second shared page: code runs at physical addresses, data is translated.
private final class XenMachine {
  static let code: UInt64 = 0x10000
  static let page: UInt64 = 0x4_0000  // physical
  /// The event mask byte; the byte before it is the pending flag.
  static let maskByte: UInt64 = 0x101
  /// break.m with this immediate, behind the body, ends the run.
  static let end: UInt64 = 0x1fff

  struct Call: Equatable {
    var number: UInt64
    var r8: UInt64
    var r9: UInt64
  }

  let machine: Machine
  let cpu: CPU
  let interpreter = Interpreter()
  private(set) var calls: [Call] = []

  init(_ type: PatchType) throws {
    machine = try Machine(ramSize: 1 << 20)
    cpu = machine.cpus[0]
    interpreter.attach(cpu)
    let body = try #require(XenBodies.body(type)).flatMap(\.bytes)
    let last = Code.bundle("MII;;", Code.slot(.break_m, imm: Int64(Self.end)), Code.nop, Code.nop).bytes
    for (index, byte) in (body + last).enumerated() {
      machine.ram.storeBytes(of: byte, toByteOffset: Int(Self.code) + index, as: UInt8.self)
    }
    cpu.pointee.virtual_clock = 1
    cpu.pointee.cr_iva = 0x80000
    cpu.setPSR(PSR.bn | PSR.dt | PSR.ic)
    cpu.pointee.cr_ifa = XenBodies.mappedRegisters
    cpu.pointee.cr_itir = 14 << 2
    #expect(cpu.insertTranslationCache(1 | 3 << 5 | 3 << 9 | Self.page, instruction: false) == .done)
    self[0xc18] = XenBodies.mappedRegisters + Self.maskByte
    cpu.pointee.ip = Self.code
    // Values that no body may take for anything.
    for register in [2, 3, 8, 9, 10, 11, 14, 15, 17] { cpu.writeGR(register, 0x4000 + UInt64(register)) }
  }

  /// A word of the shared page.
  subscript(offset: UInt64) -> UInt64 {
    get { machine.ram.load(fromByteOffset: Int(Self.page + offset), as: UInt64.self) }
    set { machine.ram.storeBytes(of: newValue, toByteOffset: Int(Self.page + offset), as: UInt64.self) }
  }

  /// The mask byte, and the pending byte before it.
  var events: (masked: UInt8, pending: UInt8) {
    get {
      (
        machine.ram.load(fromByteOffset: Int(Self.page + Self.maskByte), as: UInt8.self),
        machine.ram.load(fromByteOffset: Int(Self.page + Self.maskByte) - 1, as: UInt8.self)
      )
    }
    set {
      machine.ram.storeBytes(of: newValue.masked, toByteOffset: Int(Self.page + Self.maskByte), as: UInt8.self)
      machine.ram.storeBytes(of: newValue.pending, toByteOffset: Int(Self.page + Self.maskByte) - 1, as: UInt8.self)
    }
  }

  subscript(gr number: Int) -> UInt64 {
    get { cpu.readGR(number) }
    set { cpu.writeGR(number, newValue) }
  }

  /// Runs the body; each break is noted and answered with `result` in r8.
  func run(result: UInt64? = nil) {
    for _ in 0..<50 {
      cpu.setBudget(1)
      _ = interpreter.run(cpu)
      guard cpu.pointee.ip & ~0x7fff == 0x80000 else { continue }
      #expect(cpu.pointee.ip == 0x82c00, "vector 0x\(String(cpu.pointee.ip & 0x7fff, radix: 16))")
      guard cpu.pointee.ip == 0x82c00, cpu.pointee.cr_iim != Self.end else { return }
      calls.append(Call(number: cpu.pointee.cr_iim, r8: self[gr: 8], r9: self[gr: 9]))
      if let result { self[gr: 8] = result }
      // On behind the break.
      let slot = cpu.pointee.cr_ipsr >> 41 & 3
      cpu.setPSR(cpu.pointee.cr_ipsr & ~(3 << 41))
      cpu.pointee.ip = cpu.pointee.cr_iip + (slot == 2 ? 16 : 0)
      cpu.pointee.ri = slot == 2 ? 0 : .init(slot + 1)
    }
    Issue.record("the body does not end")
  }
}

@Suite struct XenBodiesTests {
  /// Source and bytes: GNU as 2.40.
  @Test(arguments: [
    (
      PatchType.ssmI,
      """
      0b 40 60 80 98 26 80 00 20 30 20 00 00 00 04 00 09 48 00 10 a0 10 f0 07 20 42 2f 00 00 00 04 00
      0b 00 26 00 06 b8 a1 00 20 40 21 00 00 00 04 00 cb 00 2a 00 07 f8 71 00 00 00 00 00 00 00 04 00
      """
    ),
    (.rsmI, "0b 10 60 80 98 26 20 00 08 30 20 60 10 00 00 84 01 00 0c 04 a0 11 00 00 00 02 00 00 00 00 04 00"),
    (
      .getPSRI,
      """
      0b 10 60 80 98 26 20 00 08 30 20 60 00 00 00 92 0b 40 00 04 a0 10 60 40 00 0e 70 00 00 00 04 00
      c1 40 00 06 00 e1 81 00 00 00 42 00 00 00 04 00
      """
    ),
    (
      .irqRestore,
      """
      01 10 60 80 98 26 70 40 00 0c 70 20 11 00 00 84 0b 10 00 04 18 90 31 00 08 40 21 60 f1 17 fc 8c
      c9 00 00 04 a0 d1 01 48 08 40 23 03 38 00 20 e0 0b 19 00 16 a0 10 02 1c 00 12 70 00 00 00 04 00
      21 39 00 00 00 00 00 00 00 02 00 00 00 00 04 00
      """
    ),
    (
      .getreg(.application(44)),
      """
      09 70 00 58 22 04 20 80 02 35 4d 60 80 05 6a 9a 09 58 00 04 18 10 90 00 0c 70 21 00 00 00 04 00
      03 00 24 40 2a 04 80 70 2c 00 40 e0 90 40 18 d0 cb 40 04 12 00 21 a0 40 0c 32 20 00 00 00 04 00
      11 00 00 00 01 00 70 50 24 0c 70 03 d0 ff ff 49
      """
    ),
    (.getreg(.control(1)), "0b 10 40 81 9a 26 30 00 08 30 20 00 00 00 04 00 0b 40 00 02 24 04 80 40 0c 00 40 00 00 00 04 00"),
    (.setreg(.application(3)), "03 48 00 10 00 21 80 18 00 00 42 40 02 00 00 00"),
    (.setreg(.control(1)), "0b 10 40 81 9a 26 20 00 08 30 20 00 00 00 04 00 0b 40 20 04 05 20 c0 00 00 00 00 00 00 00 04 00"),
    (
      .setreg(.application(44)),
      """
      09 70 00 58 22 04 20 80 02 35 4d 60 80 05 6a 9a 0a 48 20 1c 05 20 00 48 08 30 23 00 00 00 04 00
      01 00 20 06 98 11 00 00 00 02 00 00 00 00 04 00
      """
    ),
    (.fc, "01 98 00 00 00 00 00 00 00 02 00 00 00 00 04 00"),
  ])
  func agreesWithTheAssembler(type: PatchType, expected: String) throws {
    #expect(try #require(XenBodies.body(type)).flatMap(\.bytes) == bytes(expected))
  }

  /// Number of the hyperprivop by type, from xen/include/public/arch-ia64.h; the operands stay where the call has them.
  @Test func hyperprivops() throws {
    let numbers: [(PatchType, UInt64)] = [
      (.fc, 0x13), (.thash, 0xd), (.getCPUID, 0x14), (.getPMD, 0x15), (.ptcga, 0xe), (.getRR, 0x10), (.setRR, 0x11),
      (.setRR0ToRR4, 0x1a), (.getreg(.psr), 0x19), (.getreg(.application(24)), 0x16), (.getreg(.control(65)), 8),
      (.getreg(.control(66)), 9), (.setreg(.application(24)), 0x17), (.setreg(.control(66)), 0xa),
      (.setreg(.control(67)), 0xb),
    ]
    for (type, number) in numbers {
      let machine = try XenMachine(type)
      machine.run(result: 77)
      #expect(machine.calls == [.init(number: number, r8: 0x4008, r9: 0x4009)], "\(type)")
      #expect(machine[gr: 8] == 77)
    }
  }

  @Test func everyBodyFitsIntoASite() {
    for type in PatchType.all {
      guard let body = XenBodies.body(type) else { continue }
      #expect(body.count <= 5, "\(type)")
    }
  }

  // MARK: The event mask

  @Test(arguments: [(0, 0), (0, 1), (1, 0), (1, 1)] as [(UInt8, UInt8)])
  func unmasksAndDelivers(masked: UInt8, pending: UInt8) throws {
    for type in [PatchType.ssmI, .irqRestore] {
      let machine = try XenMachine(type)
      machine.events = (masked, pending)
      machine[gr: 8] = 1 << 14
      machine.run()
      #expect(machine.events == (0, pending))
      #expect(machine.calls.map(\.number) == (masked == 1 && pending == 1 ? [7] : []), "\(type)")
    }
  }

  @Test(arguments: [(0, 0), (0, 1), (1, 0), (1, 1)] as [(UInt8, UInt8)])
  func masks(masked: UInt8, pending: UInt8) throws {
    for type in [PatchType.rsmI, .irqRestore] {
      let machine = try XenMachine(type)
      machine.events = (masked, pending)
      machine[gr: 8] = 0
      machine.run()
      #expect(machine.events == (1, pending) && machine.calls.isEmpty, "\(type)")
    }
    let read = try XenMachine(.getPSRI)
    read.events = (masked, pending)
    read.run()
    #expect(read[gr: 8] == (masked == 0 ? 1 << 14 : 0))
  }

  // MARK: Linux's defects

  /// get_itm added the address of the offset instead of the offset.
  @Test func timerMatchIsReadWithItsOffset() throws {
    let machine = try XenMachine(.getreg(.control(1)))
    machine[0xd50] = 0x1111
    machine.cpu.pointee.cr_itm = 0x5_0000
    machine.run()
    #expect(machine[gr: 8] == 0x5_1111)
    let write = try XenMachine(.setreg(.control(1)))
    write[0xd50] = 0x1111
    write[gr: 8] = 0x5_1111
    write.run()
    #expect(write.calls.map(\.number) == [0xc] && write.calls.map(\.r8) == [0x5_0000])
  }

  /// get_itc compared with the new value instead of the old one, so that itc_last never moved.
  @Test func timeNeverGoesBackAndIsRemembered() throws {
    let machine = try XenMachine(.getreg(.application(44)))
    machine[0xd50] = 1000
    machine[0xd58] = 5
    machine.run()
    let first = machine[gr: 8]
    #expect(first >= 1000 && first < 1100)
    #expect(machine[0xd58] == first)
    // A processor whose counter is behind gets one more than the last value; at the very same value too.
    for last in [first + 0x10_0000, 1 << 40] {
      let behind = try XenMachine(.getreg(.application(44)))
      behind[0xd50] = 0
      behind[0xd58] = last
      behind.run()
      #expect(behind[gr: 8] == last + 1 && behind[0xd58] == last + 1)
    }
    let write = try XenMachine(.setreg(.application(44)))
    write[gr: 8] = 0x7_0000
    write.run()
    #expect(write[0xd58] == 0x7_0000)
    #expect(write[0xd50] <= 0x7_0000 && write[0xd50] > 0x7_0000 - 100)
  }

  /// setreg's chain looked for cr.itm and ar.itc in the value instead of the number: a value that is a register's number
  /// must go where the number says.
  @Test func valuesThatLookLikeRegisterNumbers() throws {
    let registers: [KernelRegister] = [.control(1), .application(44), .application(0), .application(7), .control(66)]
    for value in registers.map({ UInt64($0.rawValue) }) {
      let kr = try XenMachine(.setreg(.application(6)))
      kr[gr: 8] = value
      kr.run()
      #expect(kr.calls == [.init(number: 0x12, r8: 6, r9: value)])
      let tpr = try XenMachine(.setreg(.control(66)))
      tpr[gr: 8] = value
      tpr.run()
      #expect(tpr.calls.map(\.number) == [0xa] && tpr.calls.map(\.r8) == [value])
      // The host's setreg takes value and number in the same order as the registers of the site.
      let machine = try Machine(ramSize: 1 << 20)
      let cpu = machine.cpus[0]
      cpu.pointee.cr_iva = 0x8000
      let itm = cpu.pointee.cr_itm
      _ = Operation.setreg.native(cpu, value, UInt64(KernelRegister.application(6).rawValue), 0, 0, 0)
      _ = Operation.setreg.native(cpu, 0x70, UInt64(KernelRegister.control(66).rawValue), 0, 0, 0)
      #expect(Operation.getreg.native(cpu, UInt64(KernelRegister.application(6).rawValue), 0, 0, 0, 0) == value)
      #expect(Operation.getreg.native(cpu, UInt64(KernelRegister.control(66).rawValue), 0, 0, 0, 0) == 0x70)
      #expect(cpu.pointee.cr_itm == itm)
    }
  }

  /// setreg went on behind the hyperprivop that sets a kernel register, with r8 and r9 no longer value and number.
  @Test func aKernelRegisterIsSetOnceAndNothingElseIsDone() throws {
    for number in 0..<8 {
      let machine = try XenMachine(.setreg(.application(number)))
      machine[gr: 8] = 0xabcd
      let page = (0..<0x200).map { machine[8 * $0] }
      machine.run(result: 0)
      #expect(machine.calls == [.init(number: 0x12, r8: UInt64(number), r9: 0xabcd)])
      #expect((0..<0x200).map { machine[8 * $0] } == page)
    }
  }

  /// The search told nobody that it had found nothing: a type that Xen has no body for gets the native one, a type that
  /// nobody knows stays as it is.
  @Test func typesWithoutABodyFallBackToTheNativeOne() throws {
    var builder = ImageBuilder()
    builder.addSite(.getreg(.tp))
    builder.addSite(.thash)
    builder.addSite(.getreg(.control(2)))
    let unknown = builder.addSite(.getRR)
    builder.bundles.removeLast(24)
    builder.bundles += ImageBuilder.words([unknown, unknown + 80, 99])
    let image = try ELFImage(bytes: builder.build())
    let xen = try patchCallSites(image, .replacement(.xen))
    let native = try patchToNative(image)
    #expect(Array(xen.bytes[0x100..<0x150]) == Array(native.bytes[0x100..<0x150]))
    #expect(Array(xen.bytes[0x150..<0x160]) == bytes("01 68 00 00 00 00 00 00 00 02 00 00 00 00 04 00"))
    #expect(Array(xen.bytes[0x1a0..<0x1f0]) == Array(native.bytes[0x1a0..<0x1f0]))
    #expect(Array(xen.bytes[0x1f0..<0x240]) == Array(image.bytes[0x1f0..<0x240]))
    #expect(xen.report.diagnostics.map(\.severity) == [.warning])
  }
}
