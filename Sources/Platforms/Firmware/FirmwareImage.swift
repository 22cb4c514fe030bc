// What the firmware leaves in memory for the operating system: its code, the EFI system table and what it leads to, the
// memory map, and the boot parameters (Linux: include/asm-ia64/processor.h, struct ia64_boot_param).

/// A range of the EFI memory map (UEFI specification, 7.2).
struct MemoryRange: Equatable {
  enum Kind: UInt32 {
    case runtimeCode = 5, runtimeData = 6, conventional = 7, acpiReclaim = 9, acpiNVS = 10, ports = 12, palCode = 13
  }
  static let uncached: UInt64 = 1
  static let writeBack: UInt64 = 8
  static let runtime: UInt64 = 1 << 63

  var kind: Kind
  var start: UInt64
  var length: UInt64
  var attributes: UInt64
}

struct FirmwareImage {
  /// Blocks of bytes and where they go.
  private(set) var blocks: [ByteBlock] = []
  /// The firmware's code.
  private(set) var code: Range<UInt64> = 0..<0
  private var entries: [FirmwareService: UInt64] = [:]
  /// Physical address of each runtime service's function descriptor, and of the table that points to them.
  private(set) var descriptors: [UInt64] = []
  private(set) var runtimeTable: UInt64 = 0
  private(set) var memoryMap: [MemoryRange] = []

  /// Pages of 4 KiB: the unit of the EFI memory map.
  private static let page: UInt64 = 4096
  /// Offsets in the firmware's granule.
  private enum Offset {
    static let code: UInt64 = 0
    static let runtime: UInt64 = 0x1_0000
    static let tables: UInt64 = 0x2_0000
    static let acpi: UInt64 = 0x3_0000
    static let end: UInt64 = 0x4_0000
  }

  /// Offset of the first service pointer in the runtime services table.
  static let runtimeHeader = 24

  /// - Parameters:
  ///   - memorySize: bytes of RAM, a multiple of the granule.
  ///   - initrd: physical range of the initial RAM disk, empty if there is none.
  init(memorySize: UInt64, processors: Int, commandLine: String, initrd: Range<UInt64>) {
    let granule = memorySize - FirmwareMap.granule
    appendCode(at: granule + Offset.code)
    appendRuntime(at: granule + Offset.runtime)
    var acpi = ByteBlock(at: granule + Offset.acpi)
    let root = ACPITables(processors: processors, into: &acpi).root
    blocks.append(acpi)
    memoryMap = Self.map(granule: granule)
    let tables = appendTables(at: granule + Offset.tables, acpi: root, processors: processors)
    appendParameters(tables, commandLine: commandLine, initrd: initrd)
  }

  /// Physical address of a service's code.
  func entry(_ service: FirmwareService) -> UInt64 { entries[service]! }

  private mutating func appendCode(at address: UInt64) {
    var block = ByteBlock(at: address)
    for service in FirmwareService.allCases {
      entries[service] = block.end
      block.append(service.code)
    }
    code = block.base..<block.end
    blocks.append(block)
  }

  /// The runtime services table and the function descriptors it points to: data that SetVirtualAddressMap rewrites.
  private mutating func appendRuntime(at address: UInt64) {
    let services = FirmwareService.runtime
    var block = ByteBlock(at: address)
    let size = Self.runtimeHeader + 8 * services.count
    let firstDescriptor = (address + UInt64(size) + 15) & ~15
    Self.appendHeader(0x5652_4553_544e_5552, revision: 2 << 16, size: size, &block)
    for index in services.indices { block.append(firstDescriptor + 16 * UInt64(index)) }
    block.align(to: 16)
    for service in services {
      descriptors.append(block.end)
      block.append(entry(service))
      block.append(UInt64(0))
    }
    runtimeTable = address
    blocks.append(block)
  }

  /// EFI_TABLE_HEADER (UEFI specification, 4.2).
  private static func appendHeader(_ signature: UInt64, revision: UInt32, size: Int, _ block: inout ByteBlock) {
    block.append(signature)
    block.append(revision)
    block.append(UInt32(size))
    block.append(UInt64(0))
  }

  private static func map(granule: UInt64) -> [MemoryRange] {
    typealias Range = MemoryRange
    let cached = Range.writeBack, kept = Range.writeBack | Range.runtime
    return [
      Range(kind: .conventional, start: 0, length: granule, attributes: cached),
      Range(kind: .palCode, start: granule, length: Offset.runtime, attributes: kept),
      Range(kind: .runtimeData, start: granule + Offset.runtime, length: Offset.acpi - Offset.runtime, attributes: kept),
      Range(kind: .acpiReclaim, start: granule + Offset.acpi, length: Offset.end - Offset.acpi, attributes: cached),
      Range(
        kind: .ports, start: FirmwareMap.ports, length: FirmwareMap.portsSize,
        attributes: Range.uncached | Range.runtime),
    ]
  }

  // MARK: Tables

  private struct Tables {
    var system: UInt64 = 0
    var map: UInt64 = 0
  }

  private mutating func appendTables(at address: UInt64, acpi: UInt64, processors: Int) -> Tables {
    var tables = Tables()
    var block = ByteBlock(at: address)
    let vendor = block.end
    for unit in "Kittson".utf16 { block.append(unit) }
    block.append(UInt16(0))
    block.align(to: 16)
    let sal = block.end
    appendSAL(processors, &block)
    block.align(to: 16)
    let configuration = block.end
    block.append(GUID.acpi20)
    block.append(acpi)
    block.append(GUID.salSystemTable)
    block.append(sal)
    block.align(to: 16)
    tables.map = block.end
    for range in memoryMap { Self.append(range, &block) }
    block.align(to: 16)
    tables.system = block.end
    Self.appendHeader(0x5453_5953_2049_4249, revision: 2 << 16, size: 120, &block)
    block.append(vendor)
    block.append(UInt64(1))  // firmware revision
    for _ in 0..<6 { block.append(UInt64(0)) }  // consoles: boot services only
    block.append(runtimeTable)
    block.append(UInt64(0))  // boot services: over
    block.append(UInt64(2))
    block.append(configuration)
    blocks.append(block)
    return tables
  }

  private enum GUID {
    static let acpi20: [UInt8] = bytes(0x8868_e871, 0xe4f1, 0x11d3, [0xbc, 0x22, 0x00, 0x80, 0xc7, 0x3c, 0x88, 0x81])
    static let salSystemTable: [UInt8] = bytes(
      0xeb9d_2d32, 0x2d88, 0x11d3, [0x9a, 0x16, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d])

    private static func bytes(_ a: UInt32, _ b: UInt16, _ c: UInt16, _ d: [UInt8]) -> [UInt8] {
      var block = ByteBlock(at: 0)
      block.append(a)
      block.append(b)
      block.append(c)
      block.append(d)
      return block.bytes
    }
  }

  /// EFI_MEMORY_DESCRIPTOR, version 1: 40 bytes.
  private static func append(_ range: MemoryRange, _ block: inout ByteBlock) {
    block.append(range.kind.rawValue)
    block.append(UInt32(0))
    block.append(range.start)
    block.append(UInt64(0))
    block.append(range.length / page)
    block.append(range.attributes)
  }

  static let memoryDescriptorSize: UInt64 = 40

  /// The SAL system table (SAL specification, 3.2): entry points, and how further processors are woken.
  private func appendSAL(_ processors: Int, _ block: inout ByteBlock) {
    let start = block.bytes.count
    block.append("SST_", size: 4)
    block.append(UInt32(96 + 48 + 16))
    block.append([0x20, 0x03])  // SAL revision 3.20, minor first
    block.append(UInt16(2))
    block.append([UInt8](repeating: 0, count: 12))
    block.append("Kittson", size: 32, fill: 0)
    block.append("Kittson firmware machine", size: 32, fill: 0)
    block.append(UInt64(0))
    block.append([UInt8](repeating: 0, count: 8))  // type 0: entry points
    block.append(entry(.pal))
    block.append(entry(.sal))
    block.append(UInt64(0))
    block.append([UInt8](repeating: 0, count: 16))
    block.append([5, 0, 0, 0, 0, 0, 0, 0])  // type 5: application processors wake up by an external interrupt
    block.append(SAL.wakeUpVector)
    block.put(block.checksum(start..<block.bytes.count), at: start + 12)
  }

  private mutating func appendParameters(_ tables: Tables, commandLine: String, initrd: Range<UInt64>) {
    var block = ByteBlock(at: FirmwareMap.bootParameters)
    block.append(FirmwareMap.commandLine)
    block.append(tables.system)
    block.append(tables.map)
    block.append(UInt64(memoryMap.count) * Self.memoryDescriptorSize)
    block.append(Self.memoryDescriptorSize)
    block.append(UInt32(1))
    for value: UInt16 in [80, 25, 0, 24] { block.append(value) }
    block.append(UInt32(0))
    block.append(UInt64(0))  // no FPSWA: floating point is complete
    block.append(initrd.lowerBound)
    block.append(UInt64(initrd.count))
    blocks.append(block)
    var line = ByteBlock(at: FirmwareMap.commandLine)
    line.append(Array(commandLine.utf8) + [0])
    blocks.append(line)
  }
}
