// The bare machine's devices at their physical addresses (Documentation/bare-machine.md): UART, power switch, clock,
// beside the processor interrupt block. Accesses of another size or to another address find nothing: all-ones, stores ignored.

/// Physical addresses of the bare machine.
package enum BareMap {
  package static let uart: UInt64 = 0xff5e_0000
  package static let power: UInt64 = 0xff5f_0000
  package static let clock: UInt64 = 0xff5f_0008
  /// Bytes of the range that power switch and clock share.
  package static let powerSize: UInt64 = 16
}

/// What a device asks of the platform after a store.
package enum DeviceRequest: Equatable {
  case none
  /// The guest switched the machine off: exit status 0…255.
  case powerOff(Int32)
  case reset
}

package final class BareDevices {
  private let uart: UART
  /// Nanoseconds of the machine's clock.
  private let nanoseconds: () -> UInt64

  package init(uart: UART, nanoseconds: @escaping () -> UInt64) {
    self.uart = uart
    self.nanoseconds = nanoseconds
  }

  /// A load of `size` bytes from `address`; the value in the low bytes.
  package func load(_ address: UInt64, size: Int) -> UInt64 {
    let uartOffset = address &- BareMap.uart
    if uartOffset < UART.size && size == 1 { return UInt64(uart.read(uartOffset)) }
    if address == BareMap.clock && size == 8 { return nanoseconds() }
    return allOnes(size: size)
  }

  /// A store of `size` bytes to `address`.
  package func store(_ address: UInt64, size: Int, _ value: UInt64) -> DeviceRequest {
    let uartOffset = address &- BareMap.uart
    if uartOffset < UART.size && size == 1 {
      uart.write(uartOffset, UInt8(truncatingIfNeeded: value))
      return .none
    }
    if address == BareMap.power && size == 8 {
      return value >> 8 & 1 != 0 ? .reset : .powerOff(Int32(value & 0xff))
    }
    return .none
  }
}
