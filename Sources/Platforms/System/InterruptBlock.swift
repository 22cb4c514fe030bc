// The processor interrupt block (SDM vol. 2, 5.8.4): stores into its lower MiB send interrupts to processors. The upper
// MiB (INTA, XTP) has nothing behind it here.
import CSupport
import Machine

package final class InterruptBlock: Device {
  package static let base: UInt64 = 0xfee0_0000
  package static let size: UInt64 = 2 << 20
  package let range = (base: base, length: size)
  private unowned let machine: Machine

  package init(_ machine: Machine) { self.machine = machine }

  package func read(offset: UInt64, size: Int, cpu: CPU) -> UInt64 { allOnes(size: size) }

  /// Address bits 19:12 are the processor's id, 11:4 its eid.
  package func write(offset: UInt64, size: Int, value: UInt64, cpu: CPU) {
    guard size == 8, offset < 1 << 20 else { return }
    machine.sendInterrupt(destination: offset >> 4 & 0xffff, message: value)
  }
}

extension Machine {
  /// Interrupts the processors whose cr.lid names `destination` (id in 15:8, eid in 7:0). `message`: the vector in 7:0, the
  /// delivery mode in 10:8, of which INT (with the hint that lets the system choose), NMI and ExtINT are known.
  func sendInterrupt(destination: UInt64, message: UInt64) {
    let vector: UInt64
    switch message >> 8 & 7 {
    case 0, 1: vector = message & 0xff
    case 4: vector = 2
    case 7: vector = 0
    default: return
    }
    for cpu in cpus where cpu.pointee.cr_lid >> 16 & 0xffff == destination { cpu.raiseExternal(vector: vector) }
  }
}
