// The EFI runtime services (UEFI specification, chapter 8) of the firmware machine: time, reset, and the move to virtual
// addresses. There are no variables.
import CSupport
import Glibc
import Machine

package enum EFI {
  package enum Status {
    static let success: UInt64 = 0
    package static let invalidParameter: UInt64 = 1 << 63 | 2
    static let unsupported: UInt64 = 1 << 63 | 3
    static let notFound: UInt64 = 1 << 63 | 14
  }

  /// The type of ResetSystem that is no restart.
  enum Reset {
    static let shutdown: UInt64 = 2
  }

  /// EFI_TIME in two words of 8 bytes: year (2 bytes), month, day, hour, minute, second, pad; nanosecond (4),
  /// time zone (2), daylight, pad. Universal time.
  package static func time(_ seconds: Int, nanoseconds: Int) -> (UInt64, UInt64) {
    var count = time_t(seconds)
    var parts = tm()
    gmtime_r(&count, &parts)
    let date = UInt64(parts.tm_year + 1900) | UInt64(parts.tm_mon + 1) << 16 | UInt64(parts.tm_mday) << 24
    let clock = UInt64(parts.tm_hour) << 32 | UInt64(parts.tm_min) << 40 | UInt64(parts.tm_sec) << 48
    return (date | clock, UInt64(nanoseconds))
  }
}

extension FirmwareImage {
  /// SetVirtualAddressMap: rewrites the runtime services table and its function descriptors to the virtual addresses in
  /// the map at `ram + map`.
  func relocateRuntime(_ ram: UnsafeMutableRawPointer, mapAt map: UInt64, size: UInt64, descriptorSize: UInt64) {
    var moves: [(start: UInt64, end: UInt64, virtual: UInt64)] = []
    for offset in stride(from: 0, to: Int(size), by: Int(descriptorSize)) {
      let entry = ram + Int(map) + offset
      let start = entry.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
      let pages = entry.loadUnaligned(fromByteOffset: 24, as: UInt64.self)
      let attributes = entry.loadUnaligned(fromByteOffset: 32, as: UInt64.self)
      guard attributes & MemoryRange.runtime != 0 else { continue }
      moves.append((start, start &+ pages &* 4096, entry.loadUnaligned(fromByteOffset: 16, as: UInt64.self)))
    }
    func moved(_ physical: UInt64) -> UInt64 {
      guard let move = moves.first(where: { $0.start <= physical && physical < $0.end }) else { return physical }
      return move.virtual &+ (physical - move.start)
    }
    for (index, descriptor) in descriptors.enumerated() {
      let pointer = runtimeTable + UInt64(Self.runtimeHeader + 8 * index)
      ram.storeBytes(of: moved(descriptor), toByteOffset: Int(pointer), as: UInt64.self)
      let entry = entry(FirmwareService.runtime[index])
      ram.storeBytes(of: moved(entry), toByteOffset: Int(descriptor), as: UInt64.self)
    }
  }
}
