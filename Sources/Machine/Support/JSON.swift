// A small JSON value and writer (RFC 8259) for the reports that programs read. Members keep the order in which they
// are given, so that the same report is the same bytes.

/// A JSON value.
public enum JSON: Sendable, Equatable {
  case null
  case bool(Bool)
  case integer(Int64)
  case unsigned(UInt64)
  case number(Double)
  case string(String)
  case array([JSON])
  case object([(String, JSON)])

  /// An address or register value as the string "0x…", since JSON's readers round integers above 2^53.
  public static func hexadecimal(_ value: UInt64) -> JSON { .string("0x" + String(value, radix: 16)) }

  /// By the texts they make.
  public static func == (left: JSON, right: JSON) -> Bool { left.text() == right.text() }

  /// The value as text: on one line, or indented by two spaces a level.
  public func text(indented: Bool = false) -> String {
    var text = ""
    write(to: &text, level: indented ? 0 : nil)
    return text
  }

  private func write(to text: inout String, level: Int?) {
    switch self {
    case .null: text += "null"
    case .bool(let value): text += value ? "true" : "false"
    case .integer(let value): text += String(value)
    case .unsigned(let value): text += String(value)
    // JSON has no infinities and no NaN.
    case .number(let value): text += value.isFinite ? "\(value)" : "null"
    case .string(let value): JSON.write(value, to: &text)
    case .array(let values):
      JSON.write(values.count, "[", "]", to: &text, level: level) { index, text, level in
        values[index].write(to: &text, level: level)
      }
    case .object(let members):
      JSON.write(members.count, "{", "}", to: &text, level: level) { index, text, level in
        JSON.write(members[index].0, to: &text)
        text += level == nil ? ":" : ": "
        members[index].1.write(to: &text, level: level)
      }
    }
  }

  private static func write(
    _ count: Int, _ opening: String, _ closing: String, to text: inout String, level: Int?,
    element: (Int, inout String, Int?) -> Void
  ) {
    text += opening
    for index in 0..<count {
      if index > 0 { text += "," }
      newLine(level.map { $0 + 1 }, to: &text)
      element(index, &text, level.map { $0 + 1 })
    }
    if count > 0 { newLine(level, to: &text) }
    text += closing
  }

  private static func newLine(_ level: Int?, to text: inout String) {
    guard let level else { return }
    text += "\n" + String(repeating: "  ", count: level)
  }

  private static func write(_ value: String, to text: inout String) {
    text += "\""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      case _ where scalar.value < 0x20 || scalar.value == 0x7f:
        let digits = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: text.unicodeScalars.append(scalar)
      }
    }
    text += "\""
  }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral {
  /// A string.
  public init(stringLiteral value: String) { self = .string(value) }
  /// An integer.
  public init(integerLiteral value: Int64) { self = .integer(value) }
  /// A boolean.
  public init(booleanLiteral value: Bool) { self = .bool(value) }
}
