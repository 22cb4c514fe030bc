// ACPI Machine Language, as much as the firmware machine's tables need (ACPI specification, chapter 20: encoding;
// 6.4: resource descriptors; 19.3.4: EISA ids).

enum AML {
  static func name(_ name: String, _ value: [UInt8]) -> [UInt8] { [0x08] + nameString(name) + value }

  static func scope(_ name: String, _ terms: [[UInt8]]) -> [UInt8] {
    [0x10] + packaged(nameString(name) + terms.joined())
  }

  static func device(_ name: String, _ terms: [[UInt8]]) -> [UInt8] {
    [0x5b, 0x82] + packaged(nameString(name) + terms.joined())
  }

  static func package(_ elements: [[UInt8]]) -> [UInt8] {
    [0x12] + packaged([UInt8(elements.count)] + elements.joined())
  }

  static func buffer(_ bytes: [UInt8]) -> [UInt8] { [0x11] + packaged(integer(UInt64(bytes.count)) + bytes) }

  static func integer(_ value: UInt64) -> [UInt8] {
    switch value {
    case 0: return [0x00]
    case 1: return [0x01]
    case ...0xff: return [0x0a] + little(UInt8(value))
    case ...0xffff: return [0x0b] + little(UInt16(value))
    case ...0xffff_ffff: return [0x0c] + little(UInt32(value))
    default: return [0x0e] + little(value)
    }
  }

  /// A compressed EISA id such as PNP0501: three letters of five bits, four hexadecimal digits, big-endian.
  static func eisaID(_ id: String) -> [UInt8] {
    let letters = id.utf8.prefix(3).reduce(UInt32(0)) { $0 << 5 | UInt32($1 & 0x1f) }
    let digits = UInt32(id.dropFirst(3), radix: 16)!
    return [0x0c] + little((letters << 16 | digits).byteSwapped)
  }

  // MARK: Resource templates

  static func resources(_ descriptors: [[UInt8]]) -> [UInt8] { buffer(descriptors.joined() + [0x79, 0x00]) }

  /// The I/O port range [base, base + count), decoded with 16 bits.
  static func ports(_ base: UInt16, count: UInt8) -> [UInt8] {
    [0x47, 0x01] + little(base) + little(base) + [1, count]
  }

  /// An edge-triggered, active-high interrupt line.
  static func edgeInterrupt(_ line: UInt32) -> [UInt8] { [0x89] + little(UInt16(6)) + [0x03, 1] + little(line) }

  enum Space: UInt8 { case memory = 0, io = 1, bus = 2 }

  /// A window [first, last] that a bridge hands on.
  static func window(_ space: Space, first: UInt32, last: UInt32) -> [UInt8] {
    let typeFlags: UInt8 = space == .io ? 0x03 : space == .memory ? 0x01 : 0
    let fields: [UInt32] = [0, first, last, 0, last - first + 1]
    return [0x87] + little(UInt16(23)) + [space.rawValue, 0x0c, typeFlags] + fields.flatMap(little)
  }

  // MARK: Encoding

  private static func nameString(_ name: String) -> [UInt8] {
    let root: [UInt8] = name.hasPrefix("\\") ? [0x5c] : []
    let segment = Array(name.utf8.drop { $0 == 0x5c })
    return root + segment + [UInt8](repeating: 0x5f, count: 4 - segment.count)
  }

  /// Puts the package length in front, which counts its own bytes.
  private static func packaged(_ bytes: [UInt8]) -> [UInt8] {
    if bytes.count + 1 < 1 << 6 { return [UInt8(bytes.count + 1)] + bytes }
    let following = bytes.count + 2 < 1 << 12 ? 1 : 2
    let length = bytes.count + 1 + following
    var prefix = [UInt8(following) << 6 | UInt8(length & 0xf)]
    for index in 0..<following { prefix.append(UInt8(length >> (4 + 8 * index) & 0xff)) }
    return prefix + bytes
  }

  private static func little<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
  }
}
