// The boot parameter block of the bare machine, and where it goes (Documentation/bare-machine.md).

package struct BootParameters {
  var processors: UInt32
  var memorySize: UInt64
  /// ar.itc ticks a second, 0 under the virtual clock.
  var clockFrequency: UInt64
  var commandLine: String

  /// Bytes of the block; the command line follows it.
  static let size: UInt64 = 64

  /// Bytes of block and command line with its NUL.
  var totalSize: UInt64 { Self.size + UInt64(commandLine.utf8.count) + 1 }

  /// The bytes to place at physical address `address`.
  func encoded(at address: UInt64) -> [UInt8] {
    var bytes = Array("KITTSON\0".utf8)
    func append<T: FixedWidthInteger>(_ value: T) {
      withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }
    append(UInt32(1))
    append(processors)
    append(memorySize)
    append(clockFrequency)
    append(address + Self.size)
    append(UInt64(commandLine.utf8.count))
    bytes += [UInt8](repeating: 0, count: Int(Self.size) - bytes.count)
    return bytes + Array(commandLine.utf8) + [0]
  }

  /// The lowest 16 KiB-aligned place of `size` bytes above the first page that lies in memory and in none of `taken`
  /// ([start, end) each); nil: there is none.
  package static func place(size: UInt64, taken: [(start: UInt64, end: UInt64)], memorySize: UInt64) -> UInt64? {
    let alignment: UInt64 = 16384
    var candidate = alignment
    for range in taken.sorted(by: { $0.start < $1.start }) where range.end > candidate {
      if range.start >= candidate && range.start - candidate >= size { break }
      candidate = (range.end + alignment - 1) & ~(alignment - 1)
    }
    return candidate <= memorySize && memorySize - candidate >= size ? candidate : nil
  }
}
