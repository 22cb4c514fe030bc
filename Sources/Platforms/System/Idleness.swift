// Whether a processor that used up its slice does anything but wait: a branch to its own bundle beside nops, or an
// empty interruption vector. Looked at once a slice.
import CSupport
import Machine

package enum Idleness: Equatable {
  /// It computes.
  case running
  /// It spins in one bundle until an interrupt comes.
  case waiting
  /// It spins in one bundle with interrupts off.
  case deaf
  /// It stands at an interruption vector without code.
  case unhandled

  init(_ cpu: CPU) {
    self = .running
    guard let (low, high) = Self.bundle(cpu) else { return }
    let ip = cpu.pointee.ip
    if low == 0 && high == 0 && cpu.pointee.psr & PSR.ic == 0 && ip &- cpu.pointee.cr_iva < 0x8000 {
      self = .unhandled
    } else if Self.branchesToItself(low, high) {
      if cpu.pointee.psr & PSR.i == 0 {
        self = .deaf
      } else if cpu.pointee.interrupt_ready == 0 {
        self = .waiting
      }
    }
  }

  private static func bundle(_ cpu: CPU) -> (UInt64, UInt64)? {
    let ip = cpu.pointee.ip & ~15
    guard let physical = cpu.peekFetch(ip),
      let host = cpu.machine.host(physical: physical, length: 16)
    else { return nil }
    return (host.load(as: UInt64.self), host.load(fromByteOffset: 8, as: UInt64.self))
  }

  /// A bundle (SDM vol. 3, 4.1) of nops or hints and, in slot 2, an unconditional IP-relative branch by 0 (format B1).
  package static func branchesToItself(_ low: UInt64, _ high: UInt64) -> Bool {
    let template = low & 0x1e
    // MIB, MMB, MFB: the templates with one branch, in slot 2.
    guard template == 0x10 || template == 0x18 || template == 0x1c else { return false }
    let mask = (UInt64(1) << 41) - 1
    let slot0 = low >> 5 & mask
    let slot1 = (low >> 46 | high << 18) & mask
    let slot2 = high >> 23 & mask
    // nop and hint of M, I and F: opcode 0, x3 0, x6 1; predicate, immediate, and what tells them apart, are free.
    let free: UInt64 = 0x3f | 0xfffff << 6 | 1 << 26 | 1 << 36
    guard slot0 & ~free == 1 << 27, slot1 & ~free == 1 << 27 else { return false }
    // opcode 4, btype 0, qp 0, displacement 0; the hints in 12, 34:33 and 35 are free.
    let hints: UInt64 = 1 << 12 | 7 << 33
    return slot2 & ~hints == 4 << 37
  }
}
