// A bare processor with 1 MiB of memory for the tests: code given as encoded bundles, state set and read by register
// number.
import CSupport
import IA64
import Interpreter
import Machine


/// Encoded bundles as the cross assembler's listing gives them: 32 hex digits a bundle, in memory order.
func bundles(_ hex: String) -> [UInt8] {
  var bytes: [UInt8] = []
  var high: UInt8?
  for character in hex where !character.isWhitespace {
    let digit = UInt8(character.hexDigitValue!)
    if let first = high {
      bytes.append(first << 4 | digit)
      high = nil
    } else {
      high = digit
    }
  }
  return bytes
}

final class TestMachine {
  static let code: UInt64 = 0x10000
  static let vectors: UInt64 = 0x80000
  let machine: Machine
  let cpu: CPU
  let interpreter = Interpreter()

  /// A processor in physical mode at the first of `bytes`, interruption collection on, registers zero.
  init(_ bytes: [UInt8], frame: (sof: Int, sol: Int, sor: Int) = (0, 0, 0)) throws {
    machine = try Machine(ramSize: 1 << 20)
    cpu = machine.cpus[0]
    interpreter.attach(cpu)
    for (index, byte) in bytes.enumerated() {
      machine.ram.storeBytes(of: byte, toByteOffset: Int(Self.code) + index, as: UInt8.self)
    }
    cpu.pointee.virtual_clock = 1
    cpu.pointee.ip = Self.code
    cpu.pointee.cr_iva = Self.vectors
    cpu.setPSR(PSR.bn | PSR.ic)
    if frame.sof > 0 { _ = cpu.rseAlloc(sof: frame.sof, sol: frame.sol, sor: frame.sor) }
  }

  convenience init(_ hex: String, frame: (sof: Int, sol: Int, sor: Int) = (0, 0, 0)) throws {
    try self.init(bundles(hex), frame: frame)
  }

  /// Runs exactly `slots` slots (the cost of a fault is one) and gives the reason of the stop.
  @discardableResult
  func run(_ slots: Int64) -> kt_stop_reason {
    cpu.setBudget(slots)
    return interpreter.run(cpu)
  }

  /// The same, one `step` at a time.
  func stepThrough(_ slots: Int64) {
    cpu.setBudget(slots)
    while cpu.pointee.budget > 0 {
      if cpu.pointee.event_check != 0 { _ = cpu.checkEvents() }
      if interpreter.step(cpu) == .stopped { return }
    }
  }

  subscript(gr n: Int) -> UInt64 {
    get { cpu.readGR(n) }
    set { cpu.writeGR(n, newValue) }
  }

  func memory(_ address: UInt64) -> UInt64 { machine.ram.load(fromByteOffset: Int(address), as: UInt64.self) }
  func setMemory(_ address: UInt64, _ value: UInt64) {
    machine.ram.storeBytes(of: value, toByteOffset: Int(address), as: UInt64.self)
  }

  /// The vector at whose handler the processor stands, or nil.
  var vector: UInt64? { cpu.pointee.ip & ~0x7fff == Self.vectors ? cpu.pointee.ip & 0x7fff : nil }
}
