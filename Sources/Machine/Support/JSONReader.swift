// Reads JSON (RFC 8259) from bytes into `JSON` values. Strict: nothing but white space behind the value, no duplicate
// names in an object, no control characters in strings. Integers beyond UInt64 and all other numbers are doubles.

/// What is wrong with a JSON text, and on which line (from 1).
public struct JSONError: Error, Equatable, CustomStringConvertible {
  /// Line of the text, from 1.
  public var line: Int
  /// What is wrong there.
  public var problem: String
  /// One line of both.
  public var description: String { "line \(line): \(problem)" }
}

extension JSON {
  /// The value that `bytes` (UTF-8) hold.
  public init(parsing bytes: [UInt8]) throws(JSONError) {
    var reader = JSONReader(bytes: bytes)
    self = try reader.document()
  }

  /// The members of an object, nil for anything else.
  public var members: [(String, JSON)]? {
    if case .object(let members) = self { return members }
    return nil
  }

  /// The elements of an array, nil for anything else.
  public var elements: [JSON]? {
    if case .array(let elements) = self { return elements }
    return nil
  }
}

private struct JSONReader {
  let bytes: [UInt8]
  var position = 0
  /// Objects and arrays around the present value: bounds the recursion.
  private var depth = 0
  private static let maximumDepth = 128

  init(bytes: [UInt8]) { self.bytes = bytes }

  mutating func document() throws(JSONError) -> JSON {
    let value = try self.value()
    skipSpace()
    if position < bytes.count { throw error("something follows the value") }
    return value
  }

  private func error(_ problem: String) -> JSONError {
    JSONError(line: 1 + bytes[..<min(position, bytes.count)].count { $0 == UInt8(ascii: "\n") }, problem: problem)
  }

  private mutating func skipSpace() {
    while position < bytes.count {
      switch bytes[position] {
      case 0x20, 0x09, 0x0a, 0x0d: position += 1
      default: return
      }
    }
  }

  private func peek() throws(JSONError) -> UInt8 {
    if position >= bytes.count { throw error("the text ends too early") }
    return bytes[position]
  }

  /// Whether the next byte is `byte`, which is then read.
  private mutating func take(_ byte: UInt8) -> Bool {
    if position < bytes.count, bytes[position] == byte {
      position += 1
      return true
    }
    return false
  }

  private mutating func value() throws(JSONError) -> JSON {
    skipSpace()
    switch try peek() {
    case UInt8(ascii: "{"): return try nested { (reader) throws(JSONError) in try reader.object() }
    case UInt8(ascii: "["): return try nested { (reader) throws(JSONError) in try reader.array() }
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    default: throw error("no JSON value begins like this")
    }
  }

  private mutating func nested(_ body: (inout JSONReader) throws(JSONError) -> JSON) throws(JSONError) -> JSON {
    depth += 1
    if depth > Self.maximumDepth { throw error("nested too deeply") }
    position += 1
    let value = try body(&self)
    depth -= 1
    return value
  }

  private mutating func word(_ text: StaticString, _ value: JSON) throws(JSONError) -> JSON {
    for index in 0..<text.utf8CodeUnitCount {
      if !take(text.utf8Start[index]) { throw error("no JSON value begins like this") }
    }
    return value
  }

  private mutating func object() throws(JSONError) -> JSON {
    var members: [(String, JSON)] = []
    var names: Set<String> = []
    skipSpace()
    if take(UInt8(ascii: "}")) { return .object([]) }
    while true {
      skipSpace()
      guard try peek() == UInt8(ascii: "\"") else { throw error("a name in quotes is missing") }
      let name = try string()
      if !names.insert(name).inserted { throw error("\"\(name)\" stands twice in an object") }
      skipSpace()
      if !take(UInt8(ascii: ":")) { throw error("a colon is missing") }
      members.append((name, try value()))
      skipSpace()
      if take(UInt8(ascii: "}")) { return .object(members) }
      if !take(UInt8(ascii: ",")) { throw error("a comma or } is missing") }
    }
  }

  private mutating func array() throws(JSONError) -> JSON {
    var elements: [JSON] = []
    skipSpace()
    if take(UInt8(ascii: "]")) { return .array([]) }
    while true {
      elements.append(try value())
      skipSpace()
      if take(UInt8(ascii: "]")) { return .array(elements) }
      if !take(UInt8(ascii: ",")) { throw error("a comma or ] is missing") }
    }
  }

  // MARK: Scalars

  private mutating func string() throws(JSONError) -> String {
    position += 1
    var text: [UInt8] = []
    while true {
      let byte = try peek()
      position += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard let string = String(validating: text, as: UTF8.self) else { throw error("a string is not UTF-8") }
        return string
      case UInt8(ascii: "\\"): try escape(&text)
      case 0..<0x20: throw error("a control character in a string")
      default: text.append(byte)
      }
    }
  }

  private mutating func escape(_ text: inout [UInt8]) throws(JSONError) {
    let byte = try peek()
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0c)
    case UInt8(ascii: "n"): text.append(0x0a)
    case UInt8(ascii: "r"): text.append(0x0d)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "u"): try unicodeEscape(&text)
    default: throw error("an unknown escape in a string")
    }
  }

  private mutating func unicodeEscape(_ text: inout [UInt8]) throws(JSONError) {
    var unit = try fourDigits()
    if (0xd800..<0xdc00).contains(unit) {
      guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else { throw error("half a surrogate pair") }
      let low = try fourDigits()
      guard (0xdc00..<0xe000).contains(low) else { throw error("half a surrogate pair") }
      unit = 0x10000 + (unit - 0xd800) << 10 + (low - 0xdc00)
    }
    guard let scalar = Unicode.Scalar(unit) else { throw error("half a surrogate pair") }
    text += Array(String(Character(scalar)).utf8)
  }

  private mutating func fourDigits() throws(JSONError) -> UInt32 {
    var unit: UInt32 = 0
    for _ in 0..<4 {
      guard let digit = Character(Unicode.Scalar(try peek())).hexDigitValue else { throw error("four hexadecimal digits are missing") }
      position += 1
      unit = unit << 4 | UInt32(digit)
    }
    return unit
  }

  private mutating func number() throws(JSONError) -> JSON {
    let start = position
    var isInteger = true
    scan: while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): break
      case UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"): isInteger = false
      default: break scan
      }
      position += 1
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    let digits = text.drop { $0 == "-" }
    if digits.count > 1, digits.first == "0", digits.dropFirst().first?.isNumber == true {
      throw error("a number with a leading zero")
    }
    if isInteger {
      if let value = Int64(text) { return .integer(value) }
      if let value = UInt64(text) { return .unsigned(value) }
    }
    guard let value = Double(text) else { throw error("'\(text)' is no number") }
    return .number(value)
  }
}
