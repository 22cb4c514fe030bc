// Looking at a processor's memory without being its access: no fault, no device, nothing in the processor changes. For
// reports, debuggers and the platform's own questions.
import CSupport

extension UnsafeMutablePointer where Pointee == kt_cpu {
  /// The physical address of the code at `ip`, where a translation in the processor or physical mode gives one.
  package func peekFetch(_ ip: UInt64) -> UInt64? {
    if pointee.is_process != 0 { return ip }
    if pointee.psr & PSR.it == 0 { return ip & ~(1 << 63) }
    guard let entry = findInstruction(ip) else { return nil }
    let pte = PageTableEntry(bits: entry.pointee.pte)
    guard pte.present else { return nil }
    let shift = UInt64(entry.pointee.ps)
    return pte.physical(pageShift: shift) | ip & ((1 << shift) - 1)
  }
}
