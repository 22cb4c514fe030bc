// The ACPI tables of the firmware machine (ACPI specification 3.0, chapter 5): processors, I/O SAPIC, power management,
// and a namespace with the PCI host bridge, the serial port and the soft-off state.

struct ACPITables {
  /// Physical address of the RSDP.
  private(set) var root: UInt64 = 0

  /// The sleep type by which the guest powers off (\_S5).
  static let softOff: UInt64 = 5

  /// Appends the tables to `block`.
  init(processors: Int, into block: inout ByteBlock) {
    block.align(to: 64)
    let facs = block.end
    Self.appendFACS(&block)
    let dsdt = Self.table("DSDT", revision: 2, Self.namespace, &block)
    let fadt = Self.table("FACP", revision: 3, Self.fixedDescription(facs: facs, dsdt: dsdt), &block)
    let madt = Self.table("APIC", revision: 2, Self.interruptControllers(processors), &block)
    let xsdt = Self.table("XSDT", revision: 1, [fadt, madt].flatMap(Self.word), &block)
    block.align(to: 16)
    root = block.end
    Self.appendRSDP(xsdt: xsdt, &block)
  }

  // MARK: Headers

  /// Appends a table with its header and checksum; its address.
  private static func table(
    _ signature: StaticString, revision: UInt8, _ body: [UInt8], _ block: inout ByteBlock
  ) -> UInt64 {
    block.align(to: 16)
    let address = block.end
    let start = block.bytes.count
    block.append(signature, size: 4)
    block.append(UInt32(36 + body.count))
    block.append([revision, 0])
    block.append("KITTSO", size: 6)
    block.append("KITTSON", size: 8)
    block.append(UInt32(1))
    block.append("KTSN", size: 4)
    block.append(UInt32(1))
    block.append(body)
    block.put(block.checksum(start..<block.bytes.count), at: start + 9)
    return address
  }

  private static func appendFACS(_ block: inout ByteBlock) {
    block.append("FACS", size: 4)
    block.append(UInt32(64))
    block.append([UInt8](repeating: 0, count: 24))
    block.append([1] + [UInt8](repeating: 0, count: 31))
  }

  private static func appendRSDP(xsdt: UInt64, _ block: inout ByteBlock) {
    let start = block.bytes.count
    block.append("RSD PTR ", size: 8)
    block.append([0])
    block.append("KITTSO", size: 6)
    block.append([2])
    block.append(UInt32(0))
    block.append(UInt32(36))
    block.append(xsdt)
    block.append([0, 0, 0, 0])
    block.put(block.checksum(start..<start + 20), at: start + 8)
    block.put(block.checksum(start..<start + 36), at: start + 32)
  }

  private static func word(_ value: UInt64) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }

  // MARK: FADT (5.2.9)

  private static func fixedDescription(facs: UInt64, dsdt: UInt64) -> [UInt8] {
    var block = ByteBlock(at: 0)
    func fill(to offset: Int) { block.append([UInt8](repeating: 0, count: offset - 36 - block.bytes.count)) }
    /// Generic address structure: I/O space, width in bits.
    func address(_ port: UInt64, width: UInt8, at offset: Int) {
      fill(to: offset)
      block.append([1, width, 0, 0])
      block.append(port)
    }
    block.append(UInt32(facs))
    block.append(UInt32(dsdt))
    fill(to: 46)
    block.append(UInt16(FirmwareMap.systemControlInterrupt))
    fill(to: 56)
    block.append(UInt32(FirmwareMap.powerEvents))
    fill(to: 64)
    block.append(UInt32(FirmwareMap.powerControl))
    fill(to: 76)
    block.append(UInt32(FirmwareMap.powerTimer))
    fill(to: 88)
    block.append([4, 2, 0, 4])
    fill(to: 112)
    // WBINVD works, no fixed power and sleep buttons, the timer has 32 bits.
    block.append(UInt32(1 | 1 << 4 | 1 << 5 | 1 << 8))
    fill(to: 132)
    block.append(facs)
    block.append(dsdt)
    address(FirmwareMap.powerEvents, width: 32, at: 148)
    address(FirmwareMap.powerControl, width: 16, at: 172)
    address(FirmwareMap.powerTimer, width: 32, at: 208)
    fill(to: 244)
    return block.bytes
  }

  // MARK: MADT (5.2.12)

  private static func interruptControllers(_ processors: Int) -> [UInt8] {
    var block = ByteBlock(at: 0)
    block.append(UInt32(InterruptBlock.base))
    block.append(UInt32(0))
    for processor in 0..<processors {
      // Local SAPIC: processor id, id, eid, enabled, unique id 0 with its (empty) string.
      block.append([7, 17, UInt8(processor), UInt8(processor), 0, 0, 0, 0])
      block.append(UInt32(1))
      block.append(UInt32(processor))
      block.append([0])
    }
    block.append([6, 16, 0, 0])
    block.append(UInt32(0))
    block.append(FirmwareMap.ioSAPIC)
    // The system control interrupt: level, active low.
    block.append([2, 10, 0, 9])
    block.append(FirmwareMap.systemControlInterrupt)
    block.append(UInt16(0xf))
    return block.bytes
  }

  // MARK: DSDT

  private static var namespace: [UInt8] {
    let bridge = AML.device("PCI0", [
      AML.name("_HID", AML.eisaID("PNP0A03")),
      AML.name("_UID", AML.integer(0)),
      AML.name("_SEG", AML.integer(0)),
      AML.name("_BBN", AML.integer(0)),
      AML.name("_CRS", AML.resources([
        AML.window(.bus, first: 0, last: 0xff),
        AML.window(.io, first: 0x4000, last: 0xffff),
        AML.window(.memory, first: 0x9000_0000, last: 0xbfff_ffff),
      ])),
    ])
    let serial = AML.device("COM1", [
      AML.name("_HID", AML.eisaID("PNP0501")),
      AML.name("_UID", AML.integer(0)),
      AML.name("_CRS", AML.resources([
        AML.ports(UInt16(FirmwareMap.serialPort), count: 8), AML.edgeInterrupt(FirmwareMap.serialInterrupt),
      ])),
    ])
    let sleepType = AML.integer(softOff)
    return AML.scope("\\_SB", [bridge, serial])
      + AML.name("\\_S5", AML.package([sleepType, sleepType, AML.integer(0), AML.integer(0)]))
  }
}
