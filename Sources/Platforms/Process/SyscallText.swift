// A system call's arguments and result as a user reads them. Nothing here changes the guest: what can't be read is shown
// as its address.
import CSupport
import Glibc
import Machine

/// Writes the arguments of one call, from the guest's memory as it stands.
struct SyscallText {
  let memory: AddressSpace
  let call: SystemCall
  let kinds: [SyscallArgument]

  /// Bytes of a string and elements of an array that are shown.
  private static let stringLimit = 32
  private static let arrayLimit = 8

  /// Whether the argument is shown only when the call has ended: what it points to is the call's work.
  func isResult(_ index: Int) -> Bool {
    switch kinds[index] {
    case .output, .outputSized, .bothArray, .both: true
    default: false
    }
  }

  /// An argument before the call or, with what the call gave, behind it; nil for one that does not count.
  func argument(_ index: Int, result: UInt64?, failed: Bool = false) -> String? {
    let value = call[index]
    switch kinds[index] {
    case .value, .processID: return Self.number(value)
    case .named(let symbols): return symbols.text(value)
    case .permissions: return Self.octal(value)
    case .creationMode: return call[index - 1] & 0o20000100 == 0 ? nil : Self.octal(value)
    case .signal: return Self.signal(value)
    case .address: return Self.pointer(value)
    case .descriptor: return call.int(index) == AT_FDCWD ? "AT_FDCWD" : String(call.int(index))
    case .path, .text:
      guard let bytes = try? memory.string(value) else { return Self.pointer(value) }
      return Self.quoted(bytes, limit: 256)
    case .texts: return texts(value)
    case .input(let layout), .both(let layout): return structure(value, layout)
    case .inputSized(let size, let layout): return sized(value, call[size], layout)
    case .inputArray(let count, let layout): return array(value, call[count], layout)
    case .output(let layout): return failed ? Self.pointer(value) : structure(value, layout)
    case .outputSized: return failed ? Self.pointer(value) : sized(value, result ?? 0, .text)
    case .bothArray(let count, let layout):
      return failed ? Self.pointer(value) : array(value, call[count], layout)
    }
  }

  // MARK: Numbers and strings

  /// A small number in decimal, signed as int or long; others are addresses or bits.
  static func number(_ value: UInt64) -> String {
    let signed = Int64(bitPattern: value)
    if signed >= -4096 && signed < 1 << 32 { return String(signed) }
    return hexadecimal(value)
  }

  static func pointer(_ value: UInt64) -> String { value == 0 ? "NULL" : hexadecimal(value) }

  private static func octal(_ value: UInt64) -> String { "0" + String(value & 0xffff_ffff, radix: 8) }

  /// SIGINT, or SIGRT_3 as the third above the first real-time signal.
  static func signal(_ value: UInt64) -> String {
    let number = Int32(truncatingIfNeeded: value)
    if 1..<32 ~= number, let name = kt_signal_name(number) { return "SIG" + String(cString: name) }
    return 32...64 ~= number ? "SIGRT_\(number - 32)" : String(number)
  }

  static func error(_ code: UInt64) -> String {
    kt_error_name(Int32(truncatingIfNeeded: code)).map { String(cString: $0) } ?? "E\(code)"
  }

  static func quoted(_ bytes: some Collection<UInt8>, limit: Int = stringLimit) -> String {
    var text = "\""
    for byte in bytes.prefix(limit) {
      switch byte {
      case 0x22, 0x5c: text += "\\" + String(UnicodeScalar(byte))
      case 0x0a: text += "\\n"
      case 0x09: text += "\\t"
      case 0x0d: text += "\\r"
      case 0x20..<0x7f: text += String(UnicodeScalar(byte))
      default: text += "\\x" + hexadecimal(UInt64(byte), digits: 2, prefix: false)
      }
    }
    return text + (bytes.count > limit ? "\"..." : "\"")
  }

  // MARK: Memory

  private func texts(_ address: UInt64) -> String {
    guard address != 0 else { return "NULL" }
    var items: [String] = []
    while items.count < Self.arrayLimit {
      guard let next: UInt64 = try? memory.load(address &+ UInt64(8 * items.count)) else { return Self.pointer(address) }
      if next == 0 { return "[" + items.joined(separator: ", ") + "]" }
      items.append((try? memory.string(next)).map { Self.quoted($0) } ?? Self.pointer(next))
    }
    return "[" + items.joined(separator: ", ") + ", ...]"
  }

  /// Bytes whose number the call says.
  private func sized(_ address: UInt64, _ size: UInt64, _ layout: Layout) -> String {
    if case .text = layout.content {
      // One byte more than is shown says whether there are more.
      guard address != 0, let bytes = try? memory.read(address, min(size, UInt64(Self.stringLimit) + 1)) else {
        return Self.pointer(address)
      }
      return Self.quoted(bytes)
    }
    return structure(address, layout, size: min(size, layout.size))
  }

  private func array(_ address: UInt64, _ count: UInt64, _ layout: Layout) -> String {
    if case .text = layout.content { return sized(address, count, layout) }
    if case .opaque = layout.content { return Self.pointer(address) }
    guard address != 0 else { return "NULL" }
    let shown = min(count, UInt64(Self.arrayLimit))
    var items = (0..<shown).map { structure(address &+ $0 * layout.size, layout) }
    if count > shown { items.append("...") }
    return "[" + items.joined(separator: ", ") + "]"
  }

  private func structure(_ address: UInt64, _ layout: Layout, size: UInt64? = nil) -> String {
    guard address != 0, let bytes = try? memory.read(address, size ?? layout.size) else {
      return Self.pointer(address)
    }
    switch layout.content {
    case .opaque: return Self.pointer(address)
    case .text: return Self.quoted(bytes)
    case .socketAddress: return Self.socketAddress(bytes)
    case .single(.signalSet): return Self.signalSet(Self.word(bytes, 0, 8))
    case .single(let field): return "[" + self.field(field, bytes, 0) + "]"
    case .fields(let fields):
      return "{" + fields.map { "\($0.name)=" + field($0.2, bytes, Int($0.offset)) }.joined(separator: ", ") + "}"
    }
  }

  private static func word(_ bytes: [UInt8], _ offset: Int, _ count: Int) -> UInt64 {
    bytes[offset..<offset + count].reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// Two bytes in the network's order.
  private static func networkWord(_ bytes: [UInt8], _ offset: Int) -> UInt16 {
    UInt16(bytes[offset]) << 8 | UInt16(bytes[offset + 1])
  }

  private func field(_ field: Layout.Field, _ bytes: [UInt8], _ offset: Int) -> String {
    switch field {
    case .signed(let size):
      let shift = UInt64(64 - 8 * size)
      return String(Int64(bitPattern: Self.word(bytes, offset, size) << shift) >> Int64(shift))
    case .unsigned(let size):
      let value = Self.word(bytes, offset, size)
      return value == ~0 ? "~0" : String(value)
    case .octal: return Self.octal(Self.word(bytes, offset, 4))
    case .address: return Self.pointer(Self.word(bytes, offset, 8))
    case .handler:
      let value = Self.word(bytes, offset, 8)
      return value == 0 ? "SIG_DFL" : value == 1 ? "SIG_IGN" : hexadecimal(value)
    case .signal: return Self.signal(Self.word(bytes, offset, 4))
    case .signalSet: return Self.signalSet(Self.word(bytes, offset, 8))
    case .named(let symbols, let size): return symbols.text(Self.word(bytes, offset, size))
    case .name(let size): return Self.quoted(bytes[offset..<offset + size].prefix { $0 != 0 }, limit: size)
    case .buffer: return sized(Self.word(bytes, offset, 8), Self.word(bytes, offset + 8, 8), .text)
    case .numbers(let count):
      return (0..<count).map { self.field(.signed(4), bytes, offset + 4 * $0) }.joined(separator: ", ")
    }
  }

  private static func signalSet(_ set: UInt64) -> String {
    // As its complement where that is shorter.
    let names = (1...64).filter { (set.nonzeroBitCount > 32 ? ~set : set) >> UInt64($0 - 1) & 1 != 0 }
    return (set.nonzeroBitCount > 32 ? "~[" : "[") + names.map { signal(UInt64($0)) }.joined(separator: " ") + "]"
  }

  /// sa_family, and of the Internet's and local ones what they name.
  private static func socketAddress(_ bytes: [UInt8]) -> String {
    guard bytes.count >= 2 else { return "{}" }
    let family = word(bytes, 0, 2)
    let head = "{sa_family=" + Symbols.family.text(family)
    switch family {
    case 1: return head + ", sun_path=" + quoted(bytes.dropFirst(2).prefix { $0 != 0 }, limit: 108) + "}"
    case 2 where bytes.count >= 8:
      let name = bytes[4..<8].map { String($0) }.joined(separator: ".")
      return head + ", sin_port=\(networkWord(bytes, 2)), sin_addr=\(name)}"
    case 10 where bytes.count >= 24:
      let name = stride(from: 8, to: 24, by: 2).map { String(networkWord(bytes, $0), radix: 16) }.joined(separator: ":")
      return head + ", sin6_port=\(networkWord(bytes, 2)), sin6_addr=\(name)}"
    default: return head + "}"
    }
  }
}
