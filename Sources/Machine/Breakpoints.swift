// Debug registers (SDM vol. 2, 7.1): pairs of an address and of a mask with the privilege levels and kinds of access
// that it is for. psr.db switches both files on; psr.dd and psr.id let one access or instruction pass.
import CSupport

extension UnsafeMutablePointer where Pointee == kt_cpu {
  /// Whether a pair of registers is for privilege level `level` and one of `kinds` (bits of its second register), and
  /// `address`, its bits in `ignored` apart, lies in its range. The mask has 56 bits; the address's top byte is always
  /// compared.
  private func meets(
    _ pair: UnsafeMutablePointer<UInt64>, _ address: UInt64, level: Int, kinds: UInt64, ignored: UInt64 = 0
  ) -> Bool {
    let control = pair[1]
    guard control & kinds != 0, control >> UInt64(56 + level) & 1 != 0 else { return false }
    return (pair[0] ^ address) & (control | 0xff << 56) & ~ignored == 0
  }

  /// Whether a reference of `size` bytes (0: to none, as lfetch's; the address counts) touches one that a data breakpoint
  /// watches for privilege level `level`.
  func meetsDataBreakpoint(_ va: UInt64, _ wanted: Access, level: Int, size: UInt64) -> Bool {
    let kinds: UInt64 = (wanted.contains(.read) ? 1 << 63 : 0) | (wanted.contains(.write) ? 1 << 62 : 0)
    for index in stride(from: 0, to: 16, by: 2) {
      for offset in 0..<max(1, size)
      where meets(kt_data_breakpoints(self) + index, va &+ offset, level: level, kinds: kinds) { return true }
    }
    return false
  }

  /// Delivers the Debug fault of an instruction breakpoint on the bundle at `ip`; nil where there is none. The low
  /// four bits of its address are ignored.
  package func instructionBreakpoint() -> Status? {
    guard pointee.psr & (PSR.db | PSR.id) == PSR.db else { return nil }
    for index in stride(from: 0, to: 16, by: 2)
    where meets(kt_instruction_breakpoints(self) + index, pointee.ip, level: cpl, kinds: 1 << 63, ignored: 15) {
      instructionFault(.debug, pointee.ip)
      return .interruptedOrStopped(self)
    }
    return nil
  }
}
