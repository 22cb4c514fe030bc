// Debug registers (SDM vol. 2, 7.1): pairs of an address and of a mask with the privilege levels and kinds of access
// that it is for. psr.db switches both files on; psr.dd and psr.id let one access or instruction pass.
import CSupport

extension UnsafeMutablePointer where Pointee == kt_cpu {
  /// Whether a pair of registers is for privilege level `level` and one of `kinds` (bits of its second register), and
  /// `address` lies in its range. The mask has 56 bits; the address's top byte is always compared.
  private func meets(_ pair: UnsafeMutablePointer<UInt64>, _ address: UInt64, level: Int, kinds: UInt64) -> Bool {
    let control = pair[1]
    guard control & kinds != 0, control >> UInt64(56 + level) & 1 != 0 else { return false }
    return (pair[0] ^ address) & (control | 0xff << 56) == 0
  }

  /// Whether a data access at a privilege level touches a byte that a data breakpoint watches. Of those that read or write
  /// nothing only probe.fault and lfetch.fault can.
  func meetsDataBreakpoint(_ va: UInt64, _ wanted: Access, level: Int, flags: UInt32) -> Bool {
    if flags & UInt32(KT_ACCESS_NONE) != 0 {
      let code = NonAccess.code(flags)
      if code != NonAccess.probeFault && code != NonAccess.lfetch { return false }
    }
    let kinds: UInt64 = (wanted.contains(.read) ? 1 << 63 : 0) | (wanted.contains(.write) ? 1 << 62 : 0)
    let size = max(1, UInt64(flags & UInt32(KT_ACCESS_SIZE_MASK)))
    for index in stride(from: 0, to: 16, by: 2) {
      for offset in 0..<size
      where meets(kt_data_breakpoints(self) + index, va &+ offset, level: level, kinds: kinds) { return true }
    }
    return false
  }

  /// Delivers the Debug fault of an instruction breakpoint on the bundle at `ip`; nil where there is none.
  package func instructionBreakpoint() -> Status? {
    guard pointee.psr & (PSR.db | PSR.id) == PSR.db else { return nil }
    for index in stride(from: 0, to: 16, by: 2)
    where meets(kt_instruction_breakpoints(self) + index, pointee.ip, level: cpl, kinds: 1 << 63) {
      instructionFault(.debug, pointee.ip)
      return .interruptedOrStopped(self)
    }
    return nil
  }
}
