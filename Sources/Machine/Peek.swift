// Looking at a processor's memory without being its access: no fault, no device, nothing in the processor changes. For
// reports, debuggers and the platform's own questions.
import CSupport

extension UnsafeMutablePointer where Pointee == kt_cpu {
  /// Bytes of code that may be read at `host`, where the code at `ip`, physically at `physical` (in a process: `ip`),
  /// stands: to the end of its granule and, where memory goes on both on the host and in the guest, of the next.
  package func readableCode(_ ip: UInt64, physical: UInt64, host: UnsafeRawPointer) -> UInt64 {
    let rest = 4096 - physical & 0xfff
    let next = physical &+ rest
    if pointee.is_process != 0 {
      guard let page = machine.processMemory?.page(at: next), page.rights.contains(.execute),
        UnsafeRawPointer(page.host) == host + Int(rest)
      else { return rest }
    } else {
      guard machine.host(physical: next, length: 4096) != nil else { return rest }
      if let mapped = peekFetch(ip &+ rest), mapped != next { return rest }
    }
    return rest + 4096
  }

  /// The physical address of the code at `ip`, where a translation in the processor or physical mode gives one.
  package func peekFetch(_ ip: UInt64) -> UInt64? {
    if pointee.is_process != 0 { return ip }
    if pointee.psr & PSR.it == 0 { return ip & ~(1 << 63) }
    guard let entry = findInstruction(ip) else { return nil }
    let pte = PageTableEntry(bits: entry.pointee.pte)
    guard pte.present else { return nil }
    return pte.physical(pageShift: UInt64(entry.pointee.ps), of: ip)
  }

  /// The physical address of the data at `va`, where a translation in the processor or physical mode gives one.
  package func peekData(_ va: UInt64) -> UInt64? {
    if pointee.is_process != 0 { return va }
    if pointee.psr & PSR.dt == 0 { return va & ~(1 << 63) }
    guard let entry = findData(va) else { return nil }
    let pte = PageTableEntry(bits: entry.pointee.pte)
    return pte.present ? pte.physical(pageShift: UInt64(entry.pointee.ps), of: va) : nil
  }

  /// log2 of the size of the page that holds the code at `ip`, where a translation in the processor says so.
  package func fetchPageShift(_ ip: UInt64) -> UInt8? { findInstruction(ip)?.pointee.ps }
}
