// Makes small ELF64 images for IA-64 in memory (System V ABI, chapter 4), so that loaders are tested without files.
import Machine

struct ImageBuilder {
  struct Segment {
    var virtualAddress: UInt64
    var physicalAddress: UInt64
    var bytes: [UInt8]
    var memorySize: UInt64? = nil
    var flags: UInt32 = 5
  }

  var entry: UInt64
  var segments: [Segment]
  /// Notes: name, type, description.
  var notes: [(String, UInt32, [UInt8])] = []

  private static func little<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
  }

  private var noteBytes: [UInt8] {
    func padded(_ bytes: [UInt8]) -> [UInt8] { bytes + [UInt8](repeating: 0, count: (4 - bytes.count % 4) % 4) }
    var bytes: [UInt8] = []
    for (name, type, description) in notes {
      let nameBytes = Array(name.utf8) + [0]
      bytes += Self.little(UInt32(nameBytes.count)) + Self.little(UInt32(description.count)) + Self.little(type)
      bytes += padded(nameBytes) + padded(description)
    }
    return bytes
  }

  func bytes() -> [UInt8] {
    let notes = noteBytes
    let headers = segments.count + (notes.isEmpty ? 0 : 1)
    var file: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0] + [UInt8](repeating: 0, count: 8)
    file += Self.little(UInt16(2)) + Self.little(UInt16(50)) + Self.little(UInt32(1)) + Self.little(entry)
    file += Self.little(UInt64(64)) + Self.little(UInt64(0)) + Self.little(UInt32(0x10))
    file += Self.little(UInt16(64)) + Self.little(UInt16(56)) + Self.little(UInt16(headers))
    file += Self.little(UInt16(64)) + Self.little(UInt16(0)) + Self.little(UInt16(0))
    var content: [UInt8] = []
    func header(
      _ type: UInt32, _ flags: UInt32, _ virtual: UInt64, _ physical: UInt64, _ bytes: [UInt8], _ memorySize: UInt64
    ) {
      let offset = UInt64(64 + headers * 56 + content.count)
      file += Self.little(type) + Self.little(flags) + Self.little(offset) + Self.little(virtual)
      file += Self.little(physical) + Self.little(UInt64(bytes.count)) + Self.little(memorySize)
      file += Self.little(UInt64(1))
      content += bytes
    }
    for segment in segments {
      header(
        1, segment.flags, segment.virtualAddress, segment.physicalAddress, segment.bytes,
        segment.memorySize ?? UInt64(segment.bytes.count))
    }
    if !notes.isEmpty { header(4, 4, 0, 0, notes, UInt64(notes.count)) }
    return file + content
  }

  func image() throws -> ELFImage { try ELFImage(bytes: bytes()) }
}
