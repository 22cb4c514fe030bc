// Numbers as listings and messages write them.

/// `value` in hexadecimal with at least `digits` digits, behind 0x where `prefix` is true.
package func hexadecimal(_ value: UInt64, digits: Int = 1, prefix: Bool = true) -> String {
  let text = String(value, radix: 16)
  return (prefix ? "0x" : "") + String(repeating: "0", count: max(0, digits - text.count)) + text
}

/// Bytes as two hexadecimal digits each.
package func hexadecimal(_ bytes: some Sequence<UInt8>, separator: String = "") -> String {
  bytes.map { hexadecimal(UInt64($0), digits: 2, prefix: false) }.joined(separator: separator)
}
