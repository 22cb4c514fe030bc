// A row's syntax made ready for writing: the bytes that never change, and between them what comes from the instruction.
// Whole listings and comparisons of millions of lines go through it, so that it builds no strings.

/// The text of a row or of a pseudo-operation: pieces in the order in which they are written.
struct TextForm: Sendable {
  enum Piece: Sendable {
    case literal([UInt8])
    /// A completer's text, chosen by bits of the instruction's hint.
    case completer(shift: UInt8, mask: UInt8, texts: [[UInt8]])
    /// A register: the letter of its file, and which of the instruction's fields 1…4 has the number.
    case register(letter: UInt8, field: UInt8)
    case application, control
    case immediate(Immediate)
  }

  /// How an operand that is no register is written.
  enum Immediate: Sendable {
    case decimal, hexadecimal, target, tag13, count, len, sor, byteMix, halfMix, omask, accessHint
  }

  let pieces: [Piece]

  init(_ syntax: Syntax) {
    var pieces: [Piece] = []
    var literal = Array(syntax.mnemonic.utf8)
    func flush() {
      if !literal.isEmpty { pieces.append(.literal(literal)) }
      literal = []
    }
    for completer in syntax.completers {
      flush()
      pieces.append(
        .completer(
          shift: completer.shift, mask: UInt8(1 << Int(completer.width) - 1),
          texts: completer.texts.map { Array(($0 ?? "").utf8) }))
    }
    if !syntax.tokens.isEmpty { literal.append(UInt8(ascii: " ")) }
    for token in syntax.tokens {
      switch token {
      case .literal(let text): literal += text.utf8
      case .operand(let index):
        flush()
        pieces.append(TextForm.piece(syntax.operands[index]))
      }
    }
    flush()
    self.pieces = pieces
  }

  private static func piece(_ operand: Operand) -> Piece {
    let field = UInt8(operand.field)
    switch operand.file {
    case .general: return .register(letter: UInt8(ascii: "r"), field: field)
    case .floatingPoint: return .register(letter: UInt8(ascii: "f"), field: field)
    case .predicate: return .register(letter: UInt8(ascii: "p"), field: field)
    case .branch: return .register(letter: UInt8(ascii: "b"), field: field)
    case .application: return .application
    case .control: return .control
    case .fixed: return .literal(Array(operand.name.utf8))
    case .immediate: return .immediate(immediate(operand.name))
    }
  }

  private static func immediate(_ name: String) -> Immediate {
    switch name {
    case "imm", "inc", "stride": .decimal
    case "uimm", "mask", "imm44", "fclass": .hexadecimal
    case "target", "tag": .target
    case "tag13": .tag13
    case "count", "pos", "feature", "sof": .count
    case "len", "sol": .len
    case "sor": .sor
    case "mbtype": .byteMix
    case "mhtype", "amask": .halfMix
    case "omask": .omask
    case "dahr3": .accessHint
    default: preconditionFailure("no text for operand \(name)")
    }
  }
}

/// Appends to text in UTF-8.
extension [UInt8] {
  mutating func append(decimal value: Int64) {
    if value < 0 { append(UInt8(ascii: "-")) }
    let magnitude = value.magnitude
    var scale: UInt64 = 1
    while magnitude / scale >= 10 { scale *= 10 }
    while scale != 0 {
      append(UInt8(ascii: "0") + UInt8(magnitude / scale % 10))
      scale /= 10
    }
  }

  /// Hexadecimal digits, at least `digits` of them.
  mutating func append(hexadecimal value: UInt64, digits: Int = 1) {
    let needed = Swift.max(digits, (67 - value.leadingZeroBitCount) / 4)
    for index in stride(from: needed - 1, through: 0, by: -1) {
      let digit = index >= 16 ? 0 : UInt8(truncatingIfNeeded: value >> UInt64(4 * index)) & 15
      append(digit + (digit < 10 ? UInt8(ascii: "0") : UInt8(ascii: "a") - 10))
    }
  }
}
