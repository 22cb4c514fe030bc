// The legacy I/O ports, seen as memory: port p stands at bits 15:2 of p moved up by ten, beside p's low twelve bits
// (SDM vol. 2, 10.7.1). Behind them are the serial port and ACPI's power management registers.
import CSupport
import Machine

/// ACPI's fixed registers (ACPI specification, 4.7.3): status and enable bits of events that never come, the control
/// register that powers off, and the timer.
struct PowerManagement {
  /// Counts a second of the timer.
  static let timerFrequency: UInt64 = 3_579_545
  private var status: UInt16 = 0
  private var enable: UInt16 = 0
  private var control: UInt16 = 1  // SCI_EN: there is no legacy mode
  private static let sleepEnable: UInt16 = 1 << 13

  func read(_ port: UInt64, nanoseconds: UInt64) -> UInt32? {
    switch port {
    case FirmwareMap.powerEvents: return UInt32(status) | UInt32(enable) << 16
    case FirmwareMap.powerEvents + 2: return UInt32(enable)
    case FirmwareMap.powerControl: return UInt32(control)
    case FirmwareMap.powerTimer:
      return UInt32(truncatingIfNeeded: nanoseconds / 1_000_000_000 &* Self.timerFrequency
        &+ nanoseconds % 1_000_000_000 * Self.timerFrequency / 1_000_000_000)
    default: return nil
    }
  }

  /// True: the guest powers off.
  mutating func write(_ port: UInt64, _ value: UInt16) -> Bool {
    switch port {
    case FirmwareMap.powerEvents: status &= ~value
    case FirmwareMap.powerEvents + 2: enable = value
    case FirmwareMap.powerControl:
      control = value & ~Self.sleepEnable | 1
      return value & Self.sleepEnable != 0 && UInt64(value >> 10 & 7) == ACPITables.softOff
    default: break
    }
    return false
  }
}

final class PortSpace: Device {
  let range = (base: FirmwareMap.ports, length: FirmwareMap.portsSize)
  private let uart: UART
  private let nanoseconds: (CPU) -> UInt64
  private var power = PowerManagement()

  init(uart: UART, nanoseconds: @escaping (CPU) -> UInt64) {
    self.uart = uart
    self.nanoseconds = nanoseconds
  }

  func reset() { power = PowerManagement() }

  private static func port(_ offset: UInt64) -> UInt64 { (offset >> 12) << 2 & 0xfffc | offset & 3 }

  func read(offset: UInt64, size: Int, cpu: CPU) -> UInt64 {
    let port = Self.port(offset)
    let serial = port &- FirmwareMap.serialPort
    if serial < UART.size && size == 1 { return UInt64(uart.read(serial)) }
    if size == 2 || size == 4, let value = power.read(port, nanoseconds: nanoseconds(cpu)) {
      return UInt64(size == 2 ? value & 0xffff : value)
    }
    return allOnes(size: size)
  }

  func write(offset: UInt64, size: Int, value: UInt64, cpu: CPU) {
    let port = Self.port(offset)
    let serial = port &- FirmwareMap.serialPort
    if serial < UART.size && size == 1 {
      uart.write(serial, UInt8(truncatingIfNeeded: value))
    } else if size == 2 || size == 4 {
      if power.write(port, UInt16(truncatingIfNeeded: value)) { cpu.stop(KT_STOP_EXIT, detail: 0) }
    }
  }
}
