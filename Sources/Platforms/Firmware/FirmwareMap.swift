// Where everything of the firmware machine stands in the physical address space (Documentation/firmware-machine.md).

/// Physical addresses of the firmware machine.
package enum FirmwareMap {
  /// Boot parameters and command line: page 0 is nobody's memory, so that a kernel that takes all memory for free
  /// leaves them alone.
  static let bootParameters: UInt64 = 0x1000
  static let commandLine: UInt64 = 0x1100
  static let commandLineSize: UInt64 = 0xe00
  /// An image begins here at the earliest.
  static let imageStart = commandLine + commandLineSize

  /// Firmware code and tables fill the last granule of RAM: Linux maps granules, and a granule has one memory attribute.
  static let granule: UInt64 = 16 << 20

  static let ioSAPIC: UInt64 = 0x8011_0000
  /// The legacy I/O ports: 64 MiB, sparse (SDM vol. 2, 10.7.1).
  static let ports: UInt64 = 0xfff_fc00_0000
  static let portsSize: UInt64 = 64 << 20
  /// RAM ends below the devices.
  package static let memoryLimit: UInt64 = 0x8000_0000
  package static let minimumMemory: UInt64 = 96 << 20

  /// Port numbers.
  static let serialPort: UInt64 = 0x3f8
  static let powerEvents: UInt64 = 0x2000
  static let powerControl: UInt64 = 0x2004
  static let powerTimer: UInt64 = 0x2008

  /// Global system interrupts of the I/O SAPIC.
  static let serialInterrupt: UInt32 = 4
  static let systemControlInterrupt: UInt32 = 9
  static let interruptPins = 24
}
