// The bare machine's console port: the registers of a 16550 a byte apart, polled (no interrupt line is wired). The
// transmitter is always ready. Register layout: PC16550D data sheet, table II.
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

  /// Bytes of the register block.
  package static let size: UInt64 = 8

  private let output: ConsoleOutput
  private let input: ConsoleInput
  private var divisor: UInt16 = 0
  private var interruptEnable: UInt8 = 0
  private var fifoEnabled = false
  private var lineControl: UInt8 = 0
  private var modemControl: UInt8 = 0
  private var scratch: UInt8 = 0

  package init(output: ConsoleOutput, input: ConsoleInput) {
    self.output = output
    self.input = input
  }

  private var divisorAccess: Bool { lineControl & 0x80 != 0 }

  /// Reads the register at `offset`.
  package func read(_ offset: UInt64) -> UInt8 {
    switch offset {
    case Register.data: return divisorAccess ? UInt8(divisor & 0xff) : input.take() ?? 0
    case Register.interruptEnable: return divisorAccess ? UInt8(divisor >> 8) : interruptEnable
    case Register.interruptIdentification: return (fifoEnabled ? 0xc0 : 0) | 1  // 1: no interrupt pending
    case Register.lineControl: return lineControl
    case Register.modemControl: return modemControl
    case Register.lineStatus: return 0x60 | (input.isReady ? 1 : 0)  // THRE, TEMT, DR
    case Register.modemStatus: return 0xb0  // carrier, data set ready, clear to send
    case Register.scratch: return scratch
    default: return 0xff
    }
  }

  /// Writes the register at `offset`.
  package func write(_ offset: UInt64, _ value: UInt8) {
    switch offset {
    case Register.data:
      if divisorAccess { divisor = divisor & 0xff00 | UInt16(value) } else { output.put(value) }
    case Register.interruptEnable:
      if divisorAccess { divisor = divisor & 0xff | UInt16(value) << 8 } else { interruptEnable = value & 0x0f }
    case Register.interruptIdentification: fifoEnabled = value & 1 != 0
    case Register.lineControl: lineControl = value
    case Register.modemControl: modemControl = value & 0x1f
    case Register.scratch: scratch = value
    default: break  // line and modem status are read-only
    }
  }
}
