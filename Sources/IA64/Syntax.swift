// The operand syntax of the table's rows, taken apart: which operands a row has, in which register file, written or
// read,
// and which completers its mnemonic takes.

/// What an operand names.
public enum OperandFile: Sendable, Equatable {
  case general, floatingPoint, predicate, branch, application, control
  /// An immediate, a count, a target.
  case immediate
  /// A fixed operand (`ar.pfs`, `pr`, `psr.l`, `r0` …) or the name of an indirect register file (`rr[r3]`).
  case fixed
}

/// One operand of a row.
public struct Operand: Sendable, Equatable {
  /// Its name in the row's syntax: `r1`, `f4`, `imm`, `count`, `ar.pfs` …
  public let name: String
  /// Which registers it names.
  public let file: OperandFile
  /// Which of `Instruction.r1`…`r4` holds the number (1…4); 0 for others than registers.
  public let field: Int
  /// Whether the instruction writes it.
  public let isWritten: Bool
  /// The base register of an access with post-increment: read, then written.
  public let isUpdated: Bool
}

/// A completer table: the text for each value of a few bits of `Instruction.hint`, nil where the value is reserved.
package struct Completer: Sendable {
  package let shift: UInt8
  package let width: UInt8
  package let texts: [String?]

  static let named: [String: Completer] = [
    "ld": Completer(shift: 0, width: 3, texts: ["", ".d4", ".nt1", ".d5", ".d2", ".d6", ".nta", ".d7"]),
    "ldx": Completer(shift: 0, width: 2, texts: ["", ".nt1", nil, ".nta"]),
    "st": Completer(shift: 0, width: 3, texts: ["", ".d4", ".d1", ".d5", ".d2", ".d6", ".nta", ".d7"]),
    "stx": Completer(shift: 0, width: 2, texts: ["", nil, nil, ".nta"]),
    "lf": Completer(shift: 0, width: 3, texts: ["", ".d4", ".nt1", ".d5", ".nt2", ".d6", ".nta", ".d7"]),
    "sf": Completer(shift: 0, width: 2, texts: [".s0", ".s1", ".s2", ".s3"]),
    "wh": Completer(shift: 1, width: 2, texts: [".sptk", ".spnt", ".dptk", ".dpnt"]),
    "ph": Completer(shift: 0, width: 1, texts: [".few", ".many"]),
    "dh": Completer(shift: 3, width: 1, texts: ["", ".clr"]),
    "mwh": Completer(shift: 0, width: 2, texts: [".sptk", "", ".dptk", nil]),
    "bwh": Completer(shift: 0, width: 2, texts: [".sptk", ".loop", ".dptk", ".exit"]),
    "iwh": Completer(shift: 0, width: 2, texts: [".sptk", nil, ".dptk", nil]),
    "ih": Completer(shift: 2, width: 1, texts: ["", ".imp"]),
  ]
}

/// A row's syntax, parsed.
package struct Syntax: Sendable {
  package enum Token: Sendable, Equatable {
    case literal(String)
    case operand(Int)
  }

  /// The mnemonic without completers.
  package private(set) var mnemonic = ""
  package private(set) var completers: [Completer] = []
  package private(set) var operands: [Operand] = []
  /// The operand text after the mnemonic.
  package private(set) var tokens: [Token] = []

  var hasTarget: Bool { operands.contains { $0.name == "target" } }

  /// How far the immediate's bits are shifted left.
  var immediateScale: UInt8 {
    for operand in operands {
      switch operand.name {
      case "target", "tag": return 4
      case "mask": return 1
      case "imm44": return 16
      case "stride": return 6
      default: break
      }
    }
    return 0
  }

  package init(_ text: StaticString) {
    let text = text.description
    let end = text.firstIndex(of: " ") ?? text.endIndex
    for (index, part) in text[..<end].split(separator: "{").enumerated() {
      if index == 0 {
        mnemonic = String(part)
      } else {
        let name = String(part.prefix { $0 != "}" })
        guard let completer = Completer.named[name] else { preconditionFailure("unknown completer \(name)") }
        completers.append(completer)
      }
    }
    guard end != text.endIndex else { return }
    parseOperands(text[text.index(after: end)...])
  }

  private mutating func parseOperands(_ text: Substring) {
    let target = text.firstIndex(of: "=")
    let base = ["[r3],", "[r3]=r2,imm", "[r3]=f2,imm"].contains { text.contains(part: $0) }
    var rest = text[...]
    while let first = rest.first {
      guard first.isLetter || first.isNumber else {
        tokens.append(.literal(String(first)))
        rest = rest.dropFirst()
        continue
      }
      let start = rest.startIndex
      let name = String(rest.prefix { $0.isLetter || $0.isNumber || $0 == "." })
      rest = rest.dropFirst(name.count)
      let (file, field) = Syntax.classify(name)
      if file == .fixed {
        tokens.append(.literal(name))
      } else {
        tokens.append(.operand(operands.count))
      }
      let isMemory = start != text.startIndex && text[text.index(before: start)] == "["
      operands.append(
        Operand(
          name: name, file: file, field: field,
          isWritten: !isMemory && target.map { start < $0 } ?? false,
          isUpdated: isMemory && base && !text.contains(part: ",ar.") && Syntax.updates(mnemonic)))
    }
  }

  /// Rows that have a second operand behind `[r3]` which is no increment.
  private static func updates(_ mnemonic: String) -> Bool {
    !(mnemonic.hasPrefix("cmp") || mnemonic.hasPrefix("xchg") || mnemonic.hasPrefix("fetchadd"))
      && mnemonic != "lfetch.count"
  }

  private static func classify(_ name: String) -> (OperandFile, Int) {
    switch name {
    case "r1": (.general, 1)
    case "r2": (.general, 2)
    case "r3": (.general, 3)
    case "f1": (.floatingPoint, 1)
    case "f2": (.floatingPoint, 2)
    case "f3": (.floatingPoint, 3)
    case "f4": (.floatingPoint, 4)
    case "p1": (.predicate, 1)
    case "p2": (.predicate, 4)
    case "b1": (.branch, 1)
    case "b2": (.branch, 2)
    case "ar3": (.application, 3)
    case "cr3": (.control, 3)
    case "imm", "uimm", "target", "count", "pos", "len", "mbtype", "mhtype", "feature", "tag", "tag13", "mask", "imm44",
      "inc", "fclass", "amask", "omask", "sof", "sol", "sor", "stride", "dahr3":
      (.immediate, 0)
    default: (.fixed, 0)
    }
  }

  /// Which values of a `hint` of `width` bits have a text in every completer.
  func validHints(width: UInt8) -> UInt16 {
    var valid: UInt16 = 0
    for hint in 0..<(1 << Int(width)) where completers.allSatisfy({ $0.text(UInt8(hint)) != nil }) {
      valid |= 1 << UInt16(hint)
    }
    return valid
  }
}

extension Completer {
  func text(_ hint: UInt8) -> String? { texts[Int(hint >> shift) & (1 << Int(width) - 1)] }
}

extension Substring {
  /// Whether the text has a base register with something behind it.
  fileprivate func contains(part pattern: String) -> Bool {
    var rest = self[...]
    while !rest.isEmpty {
      if rest.hasPrefix(pattern) { return true }
      rest = rest.dropFirst()
    }
    return false
  }
}
