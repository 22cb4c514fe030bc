// A 16550A serial port: the console of both machines (register layout and interrupt priorities: PC16550D data sheet,
// table II and 8.6). The transmitter takes a byte at once, so it is always empty; with no interrupt line wired it is
// polled.
package final class UART {
  private enum Register {
    static let data: UInt64 = 0  // THR/RBR; DLL while LCR.DLAB
    static let interruptEnable: UInt64 = 1  // DLM while LCR.DLAB
    static let interruptIdentification: UInt64 = 2  // FCR when written
    static let lineControl: UInt64 = 3
    static let modemControl: UInt64 = 4
    static let lineStatus: UInt64 = 5
    static let modemStatus: UInt64 = 6
    static let scratch: UInt64 = 7
  }

  /// Interrupt enable and identification bits.
  private enum Interrupt {
    static let received: UInt8 = 1
    static let transmitterEmpty: UInt8 = 2
    static let nonePending: UInt8 = 1
    static let identifiesTransmitter: UInt8 = 2
    static let identifiesReceived: UInt8 = 4
  }

  /// Bytes of the register block.
  package static let size: UInt64 = 8

  private let output: ConsoleOutput
  private let input: ConsoleInput
  /// Follows the interrupt line's level.
  private let line: (Bool) -> Void
  private var lineLevel = false
  private var divisor: UInt16 = 0
  private var interruptEnable: UInt8 = 0
  /// The transmitter's interrupt has not been read since it arose.
  private var transmitterInterrupt = false
  private var fifoEnabled = false
  private var lineControl: UInt8 = 0
  private var modemControl: UInt8 = 0
  private var scratch: UInt8 = 0
  /// The byte that came back in loopback.
  private var looped: UInt8?

  /// `line` is told when the interrupt line changes its level.
  package init(output: ConsoleOutput, input: ConsoleInput, line: @escaping (Bool) -> Void = { _ in }) {
    self.output = output
    self.input = input
    self.line = line
  }

  private var divisorAccess: Bool { lineControl & 0x80 != 0 }
  private var isLoopback: Bool { modemControl & 0x10 != 0 }
  private var isReceived: Bool { isLoopback ? looped != nil : input.isReady }

  package func reset() {
    (divisor, interruptEnable, transmitterInterrupt, fifoEnabled) = (0, 0, false, false)
    (lineControl, modemControl, scratch, looped) = (0, 0, 0, nil)
    poll()
  }

  /// Looks for input and sets the interrupt line by it.
  package func poll() {
    let wanted = interruptEnable & Interrupt.received != 0 && isReceived || transmitterPending
    if wanted == lineLevel { return }
    lineLevel = wanted
    line(wanted)
  }

  private var transmitterPending: Bool { transmitterInterrupt && interruptEnable & Interrupt.transmitterEmpty != 0 }

  /// Reads the register at `offset`.
  package func read(_ offset: UInt64) -> UInt8 {
    switch offset {
    case Register.data: return divisorAccess ? UInt8(divisor & 0xff) : receive()
    case Register.interruptEnable: return divisorAccess ? UInt8(divisor >> 8) : interruptEnable
    case Register.interruptIdentification: return identifyInterrupt()
    case Register.lineControl: return lineControl
    case Register.modemControl: return modemControl
    case Register.lineStatus: return 0x60 | (isReceived ? 1 : 0)  // THRE, TEMT, DR
    case Register.modemStatus: return modemStatus
    case Register.scratch: return scratch
    default: return 0xff
    }
  }

  private func receive() -> UInt8 {
    defer { poll() }
    guard isLoopback else { return input.take() ?? 0 }
    defer { looped = nil }
    return looped ?? 0
  }

  private func identifyInterrupt() -> UInt8 {
    let fifo: UInt8 = fifoEnabled ? 0xc0 : 0
    if interruptEnable & Interrupt.received != 0 && isReceived { return fifo | Interrupt.identifiesReceived }
    guard transmitterPending else { return fifo | Interrupt.nonePending }
    transmitterInterrupt = false
    poll()
    return fifo | Interrupt.identifiesTransmitter
  }

  /// Carrier, data set ready, clear to send; in loopback the modem outputs (OUT2, OUT1, RTS, DTR) in their places.
  private var modemStatus: UInt8 {
    guard isLoopback else { return 0xb0 }
    let out = modemControl
    return (out & 8) << 4 | (out & 4) << 4 | (out & 2) << 3 | (out & 1) << 5
  }

  /// Writes the register at `offset`.
  package func write(_ offset: UInt64, _ value: UInt8) {
    switch offset {
    case Register.data where divisorAccess: divisor = divisor & 0xff00 | UInt16(value)
    case Register.data:
      if isLoopback { looped = value } else { output.put(value) }
      transmitterInterrupt = true
      // The line falls while the byte is on its way: an edge-triggered input sees each of them.
      if lineLevel && !(interruptEnable & Interrupt.received != 0 && isReceived) {
        lineLevel = false
        line(false)
      }
    case Register.interruptEnable where divisorAccess: divisor = divisor & 0xff | UInt16(value) << 8
    case Register.interruptEnable:
      if value & ~interruptEnable & Interrupt.transmitterEmpty != 0 { transmitterInterrupt = true }
      interruptEnable = value & 0x0f
    case Register.interruptIdentification: fifoEnabled = value & 1 != 0
    case Register.lineControl: lineControl = value
    case Register.modemControl: modemControl = value & 0x1f
    case Register.scratch: scratch = value
    default: break  // line and modem status are read-only
    }
    poll()
  }
}
