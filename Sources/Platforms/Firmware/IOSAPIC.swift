// An I/O SAPIC (Intel Itanium Processor Family Interrupt Architecture Guide, chapter 2): turns interrupt lines into
// external interrupts of processors. Registers are reached through an index and a window.
import CSupport
import Machine

package final class IOSAPIC: Device {
  package let range: (base: UInt64, length: UInt64)
  private unowned let machine: Machine

  private enum Port {
    static let index: UInt64 = 0x00, window: UInt64 = 0x10, endOfInterrupt: UInt64 = 0x40
  }

  /// A redirection entry. `low`: vector 7:0, delivery mode 10:8, status 12, active low 13, pending at the processor 14,
  /// level 15, masked 16. `high`: destination id and eid in 31:16.
  private struct Entry {
    static let pending: UInt32 = 1 << 14, level: UInt32 = 1 << 15, masked: UInt32 = 1 << 16
    /// Software writes these; 12 and 14 are the hardware's.
    static let writable: UInt32 = 0x1_a7ff
    var low: UInt32 = masked
    var high: UInt32 = 0
    /// The line is asserted.
    var asserted = false
  }

  private var index: UInt32 = 0
  private var entries: [Entry]

  package init(base: UInt64, pins: Int, _ machine: Machine) {
    range = (base, 0x1000)
    entries = [Entry](repeating: Entry(), count: pins)
    self.machine = machine
  }

  func reset() {
    index = 0
    for pin in entries.indices { entries[pin] = Entry(asserted: entries[pin].asserted) }
  }

  /// The level of line `pin` (polarity has been taken care of: true is "asserted").
  package func set(_ pin: Int, asserted: Bool) {
    let rises = asserted && !entries[pin].asserted
    entries[pin].asserted = asserted
    // A masked edge is lost, as the guide says; a level waits.
    if rises || asserted && entries[pin].low & Entry.level != 0 { deliver(pin) }
  }

  private func deliver(_ pin: Int) {
    let entry = entries[pin]
    guard entry.low & Entry.masked == 0 else { return }
    if entry.low & Entry.level != 0 {
      guard entry.low & Entry.pending == 0 else { return }
      entries[pin].low |= Entry.pending
    }
    machine.sendInterrupt(destination: UInt64(entry.high >> 16), message: UInt64(entry.low))
  }

  package func read(offset: UInt64, size: Int, cpu: CPU) -> UInt64 {
    guard size == 4 else { return allOnes(size: size) }
    switch offset {
    case Port.index: return UInt64(index)
    case Port.window: return UInt64(register)
    default: return 0
    }
  }

  /// What the index names: 0 the id, 1 version and highest entry, 0x10… the entries.
  private var register: UInt32 {
    let number = Int(index)
    if number == 1 { return 0x20 | UInt32(entries.count - 1) << 16 }
    guard number >= 0x10, (number - 0x10) / 2 < entries.count else { return 0 }
    let entry = entries[(number - 0x10) / 2]
    return number & 1 == 0 ? entry.low : entry.high
  }

  package func write(offset: UInt64, size: Int, value: UInt64, cpu: CPU) {
    guard size == 4 else { return }
    let word = UInt32(truncatingIfNeeded: value)
    switch offset {
    case Port.index: index = word & 0xff
    case Port.window: writeRegister(word)
    case Port.endOfInterrupt: endInterrupt(vector: word & 0xff)
    default: break
    }
  }

  private func writeRegister(_ value: UInt32) {
    let number = Int(index)
    guard number >= 0x10, (number - 0x10) / 2 < entries.count else { return }
    let pin = (number - 0x10) / 2
    if number & 1 != 0 {
      entries[pin].high = value & 0xffff_0000
    } else {
      let kept = value & Entry.level != 0 ? entries[pin].low & Entry.pending : 0
      entries[pin].low = value & Entry.writable | kept
      if entries[pin].asserted && entries[pin].low & Entry.level != 0 { deliver(pin) }
    }
  }

  /// A level-triggered line that is still asserted interrupts again.
  private func endInterrupt(vector: UInt32) {
    for pin in entries.indices where entries[pin].low & 0xff == vector && entries[pin].low & Entry.pending != 0 {
      entries[pin].low &= ~Entry.pending
      if entries[pin].asserted { deliver(pin) }
    }
  }
}
