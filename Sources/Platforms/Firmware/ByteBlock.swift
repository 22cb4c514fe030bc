// Tables of the firmware are written into blocks of bytes, little-endian, whose guest address is known beforehand.

/// A growing block of guest memory.
struct ByteBlock {
  /// Physical address of the first byte.
  let base: UInt64
  private(set) var bytes: [UInt8] = []

  init(at base: UInt64) { self.base = base }

  /// Address of the next byte.
  var end: UInt64 { base + UInt64(bytes.count) }

  mutating func append<T: FixedWidthInteger>(_ value: T) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  mutating func append(_ more: [UInt8]) { bytes += more }

  /// ASCII text in a field of `size` bytes, cut off or filled with `fill`.
  mutating func append(_ text: StaticString, size: Int, fill: UInt8 = 0x20) {
    let characters = UnsafeBufferPointer(start: text.utf8Start, count: min(size, text.utf8CodeUnitCount))
    bytes += Array(characters) + [UInt8](repeating: fill, count: size - characters.count)
  }

  mutating func align(to alignment: UInt64) {
    while end % alignment != 0 { bytes.append(0) }
  }

  /// Overwrites what stands at `offset`.
  mutating func put<T: FixedWidthInteger>(_ value: T, at offset: Int) {
    withUnsafeBytes(of: value.littleEndian) { bytes.replaceSubrange(offset..<offset + $0.count, with: $0) }
  }

  /// What makes the bytes of `range`, in which the checksum's own byte is 0, sum up to 0.
  func checksum(_ range: Range<Int>) -> UInt8 { 0 &- bytes[range].reduce(0, &+) }
}
