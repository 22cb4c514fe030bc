// What the arguments of system calls are: how the host is given them, and how a trace shows them.

/// What an argument of a system call is. A null pointer goes on to the host as it is, whose call knows whether it may be.
enum SyscallArgument: Sendable {
  /// A number.
  case value
  /// A number with names: one of several, or bits.
  case named(Symbols)
  /// Permission bits.
  case permissions
  /// The permission bits that count only where the flags before them create a file.
  case creationMode
  /// A signal's number.
  case signal
  /// An address that is only passed on.
  case address
  /// A number that names a process or thread.
  case processID
  /// A file descriptor.
  case descriptor
  /// A file name.
  case path
  /// A string that is no file name.
  case text
  /// A vector of strings that a null pointer ends.
  case texts
  /// A pointer to a structure that the call reads / writes / reads and writes.
  case input(Layout)
  case output(Layout)
  case both(Layout)
  /// A pointer to as many bytes as the argument of that index says. What the call reports is what it wrote.
  case inputSized(by: Int, as: Layout = .text)
  case outputSized(by: Int)
  /// A pointer to an array: count in the argument of that index, an element's structure.
  case inputArray(by: Int, of: Layout)
  case bothArray(by: Int, of: Layout)
}

/// A structure of the kernel's interface: its size, and what of it is worth showing.
struct Layout: Sendable, ExpressibleByIntegerLiteral {
  enum Content: Sendable {
    /// Shown as its address.
    case opaque
    /// Bytes, as a string.
    case text
    /// struct sockaddr, by its family.
    case socketAddress
    /// One value without a name.
    case single(Field)
    case fields([(name: StaticString, offset: UInt64, Field)])
  }

  enum Field: Sendable {
    case signed(Int)
    case unsigned(Int)
    case octal
    case address
    /// 0 and 1 are SIG_DFL and SIG_IGN.
    case handler
    case signal
    /// 64 bits, one a signal.
    case signalSet
    case named(Symbols, Int)
    /// NUL-terminated, so many bytes at most.
    case name(Int)
    /// A pointer to bytes whose number stands in the next word.
    case buffer
    /// Several numbers of four bytes.
    case numbers(Int)
  }

  let size: UInt64
  let content: Content

  init(_ size: UInt64, _ content: Content) {
    self.size = size
    self.content = content
  }

  /// So many bytes that a trace does not look into.
  static func bytes(_ size: UInt64) -> Layout { Layout(size, .opaque) }
  init(integerLiteral size: UInt64) { self.init(size, .opaque) }

  init(_ size: UInt64, _ fields: [(name: StaticString, offset: UInt64, Field)]) { self.init(size, .fields(fields)) }
}

/// Names of a number: one of `choices` for the bits of `mask`, and of `flags` for single bits.
struct Symbols: Sendable {
  let mask: UInt64
  let choices: [(StaticString, UInt64)]
  let flags: [(StaticString, UInt64)]

  init(
    mask: UInt64 = 0xffff_ffff, _ choices: KeyValuePairs<StaticString, UInt64> = [:],
    flags: KeyValuePairs<StaticString, UInt64> = [:]
  ) {
    self.mask = choices.isEmpty ? 0 : mask
    self.choices = choices.map { ($0.key, $0.value) }
    self.flags = flags.map { ($0.key, $0.value) }
  }

  /// The number in these names; what has none in hexadecimal. A number of C type int, so 32 bits count.
  func text(_ number: UInt64) -> String {
    let value = number & 0xffff_ffff
    var names: [String] = []
    var rest = value
    if let choice = choices.first(where: { $0.1 == value & mask }) {
      names.append("\(choice.0)")
      rest &= ~mask
    }
    for (name, bits) in flags where rest & bits == bits {
      names.append("\(name)")
      rest &= ~bits
    }
    if rest != 0 || names.isEmpty { names.append(rest == 0 ? "0" : "0x" + String(rest, radix: 16)) }
    return names.joined(separator: "|")
  }
}
