// How the instruction table is written, and the compiled form in which decoder and encoder use it.
//
// The table is the single source of everything the module knows about encodings: a row gives the bits, the operands
// with
// their register files and roles, the completers, and what engines have to know beforehand.

/// The instruction formats of the manual. M50 to M52 are later additions (data access hints and counted prefetch).
public enum Format: UInt8, CaseIterable, Sendable {
  case A1, A2, A3, A4, A5, A6, A7, A8, A9, A10
  case I1, I2, I3, I4, I5, I6, I7, I8, I9, I10, I11, I12, I13, I14, I15, I16, I17, I18, I19, I20, I21, I22, I23, I24
  case I25, I26, I27, I28, I29, I30
  case M1, M2, M3, M4, M5, M6, M7, M8, M9, M10, M11, M12, M13, M14, M15, M16, M17, M18, M19, M20, M21, M22, M23, M24
  case M25, M26, M27, M28, M29, M30, M31, M32, M33, M34, M35, M36, M37, M38, M39, M40, M41, M42, M43, M44, M45, M46
  case M47, M48, M50, M51, M52
  case B1, B2, B3, B4, B5, B6, B7, B8, B9
  case F1, F2, F3, F4, F5, F6, F7, F8, F9, F10, F11, F12, F13, F14, F15, F16
  case X1, X2, X3, X4, X5

  /// The unit whose opcode space the format belongs to.
  public var unit: Unit {
    switch self {
    case .A1, .A2, .A3, .A4, .A5, .A6, .A7, .A8, .A9, .A10: .A
    case .B1, .B2, .B3, .B4, .B5, .B6, .B7, .B8, .B9: .B
    case .X1, .X2, .X3, .X4, .X5: .X
    default: rawValue <= Format.I30.rawValue ? .I : rawValue <= Format.M52.rawValue ? .M : .F
    }
  }
}

/// A row of the instruction table: one encoding.
///
/// **`encoding`** gives the 41 bits from bit 40 down to bit 0, spaces anywhere; after a `/` the 41 bits of the L slot.
///
/// | letter | bits |
/// |---|---|
/// | `0` `1` | fixed |
/// | `q` | the qualifying predicate |
/// | `A` `B` `C` `D` | the register fields `r1` `r2` `r3` `r4` |
/// | `a` … `e`, `s` | `imm`, lowest piece first; with an `s`, its topmost bit, the value is sign-extended |
/// | `f` | `imm` of `fetchadd`: a sign and an index of 16, 8, 4, 1 |
/// | `x` `y` `z` | bytes 0, 1, 2 of `aux` as they are |
/// | `X` `Y` | bytes 0 and 1 of `aux`: the field plus one |
/// | `p` | byte 0 of `aux`: the complement of the field (63 − field, 31 − field) |
/// | `k` | byte 0 of `aux`: 0, 7, 15, 16 for the field's 0…3 |
/// | `w` | byte 0 of `aux`: the field plus 32 |
/// | `t` `u` | the low 7 and high 2 bits of `brp`'s tag, in bytes 0 and 1 of `aux` |
/// | `h` | `hint`, lowest bit first |
/// | `-` | ignored by the architecture |
/// | `o` | must be zero (else Illegal Operation), though binutils does not look at it |
///
/// **`syntax`** is the assembly text: mnemonic, `{completers}` by the name of their table, operands. What stands before
/// `=` is written, the rest read; `[r3]` with something behind it is also updated.
public struct InstructionRow: Sendable {
  /// The opcode that decoding gives.
  public let opcode: Opcode
  /// The format (SDM vol. 3, 4.1): A1, M16 …
  public let format: Format
  /// The pattern of the 41 bits (`Documentation/instruction-table.md`).
  public let encoding: StaticString
  /// How the assembler writes it.
  public let syntax: StaticString
  /// What the row says itself; `CompiledRow.flags` adds what follows from encoding and syntax.
  let kind: RowKind

  /// The mnemonic without hints: `ld8.acq`.
  public var mnemonic: String { Syntax(syntax).mnemonic }

  /// The operands in the order of the text, fixed ones included.
  public var operands: [Operand] { Syntax(syntax).operands }

  /// What the row says of every instruction it describes.
  public var flags: InstructionFlags { (decoderTables.rows + opcode.index).pointee.flags }

  @inline(never)  // Inlined 700 times it triples the build.
  init(
    _ opcode: Opcode, _ format: Format, _ encoding: StaticString, _ syntax: StaticString,
    _ kind: RowKind = .plain
  ) {
    self.opcode = opcode
    self.format = format
    self.encoding = encoding
    self.syntax = syntax
    self.kind = kind
  }
}

/// What a row says of its instruction beside encoding and operands. (One word, not an option set: the compiler takes
/// ten
/// times as long for a table of those.)
enum RowKind: UInt8, Sendable {
  case plain, faulting, unconditional, faultingUnconditional, firstFaulting
  case load, speculativeLoad, advancedLoad, speculativeAdvancedLoad, checkLoad, store, semaphore
  case branch, faultingBranch, loopBranch, ending, faultingEnding, lastEnding
  case privileged, privilegedEnding, privilegedLast, returnFromInterruption, modelSpecific

  var flags: InstructionFlags {
    switch self {
    case .plain: []
    case .faulting: .mayFault
    case .unconditional: .unconditional
    case .faultingUnconditional: [.mayFault, .unconditional]
    case .firstFaulting: [.mayFault, .firstInGroup]
    case .load: [.load, .mayFault]
    case .speculativeLoad: [.load, .mayFault, .speculative]
    case .advancedLoad: [.load, .mayFault, .advanced]
    case .speculativeAdvancedLoad: [.load, .mayFault, .speculative, .advanced]
    case .checkLoad: [.load, .mayFault, .checkLoad]
    case .store: [.store, .mayFault]
    case .semaphore: [.load, .store, .semaphore, .mayFault]
    case .branch: [.branch, .endsBlock]
    case .faultingBranch: [.branch, .endsBlock, .mayFault]
    case .loopBranch: [.branch, .endsBlock, .slot2Only]
    case .ending: .endsBlock
    case .faultingEnding: [.endsBlock, .mayFault]
    case .lastEnding: [.endsBlock, .lastInGroup]
    case .privileged: [.privileged, .mayFault]
    case .privilegedEnding: [.privileged, .mayFault, .endsBlock]
    case .privilegedLast: [.privileged, .mayFault, .endsBlock, .lastInGroup]
    case .returnFromInterruption: [.privileged, .mayFault, .endsBlock, .lastInGroup, .branch]
    case .modelSpecific: [.privileged, .mayFault, .modelSpecific]
    }
  }
}

/// Every encoding of the architecture, indexed by the opcode's raw value.
public let instructionTable: [InstructionRow] =
  instructionTableA + instructionTableI + instructionTableM + instructionTableB + instructionTableF + instructionTableX

/// One contiguous run of an encoding's bits that goes to one place of `Instruction`.
package struct Piece {
  package enum Kind: UInt8 {
    case immediate, fetchaddIncrement, hint
    case aux, auxPlusOne, auxComplement, auxPlus32, auxMultiplyShift, ignored
  }
  package var kind: Kind
  /// Lowest bit in the slot; from 64 on in the L slot.
  package var from: UInt8
  package var width: UInt8
  /// Lowest bit in the destination.
  package var to: UInt8

  @inline(__always) package var mask: UInt64 { 1 << UInt64(width) - 1 }

  @inline(__always) func bits(_ slot: UInt64, _ long: UInt64) -> UInt64 {
    (from < 64 ? slot >> UInt64(from) : long >> UInt64(from - 64)) & mask
  }

  /// The value of an `aux` piece as `aux` holds it, from the field's bits.
  @inline(__always) func auxValue(_ bits: UInt64) -> UInt64 {
    switch kind {
    case .auxPlusOne: bits + 1
    case .auxComplement: ~bits & mask
    case .auxPlus32: bits + 32
    case .auxMultiplyShift: 0x100f_0700 >> (bits << 3) & 0xff
    default: bits
    }
  }

  /// How many bits an `aux` piece occupies there.
  var auxWidth: UInt8 { kind == .ignored ? width : kind == .aux && to != 0 && to & 7 != 0 ? width : max(width, 8) }
}

/// Rules on register numbers that need no state to check.
package struct TargetRules: OptionSet, Sendable {
  package let rawValue: UInt8
  package init(rawValue: UInt8) { self.rawValue = rawValue }

  static let r1NotZero = TargetRules(rawValue: 1)
  static let f1Writable = TargetRules(rawValue: 2)
  static let f2Writable = TargetRules(rawValue: 4)
  static let baseNotZero = TargetRules(rawValue: 8)
  static let baseNotR1 = TargetRules(rawValue: 16)
  static let predicatesDiffer = TargetRules(rawValue: 32)

  /// Whether an instruction's fields break a rule.
  @inline(__always)
  func areBroken(_ r1: UInt8, _ r2: UInt8, _ r3: UInt8, _ r4: UInt8) -> Bool {
    contains(.r1NotZero) && r1 == 0 || contains(.f1Writable) && r1 < 2 || contains(.f2Writable) && r2 < 2
      || contains(.baseNotZero) && r3 == 0 || contains(.baseNotR1) && r1 == r3
      || contains(.predicatesDiffer) && r1 == r4
  }
}

/// A row in the form decoder and encoder work with.
package struct CompiledRow {
  /// Fixed bits and their values.
  package var mask: UInt64 = 0
  package var value: UInt64 = 0
  /// Bits that must be zero by the architecture alone.
  package var reserved: UInt64 = 0
  package var flags: InstructionFlags = []
  package var opcode: Opcode
  package var qpMask: UInt8 = 0
  package var r1Mask: UInt8 = 0
  package var r2Mask: UInt8 = 0
  package var r3Mask: UInt8 = 0
  package var r4Mask: UInt8 = 0
  package var r3Shift: UInt8 = 20
  package var pieceCount: UInt8 = 0
  package var hintWidth: UInt8 = 0
  /// Where `hint` stands in the slot.
  package var hintBits: UInt64 = 0
  /// Bits of `imm` before scaling.
  package var immediateWidth: UInt8 = 0
  package var immediateIsSigned = false
  /// How far `imm` is shifted left.
  package var immediateScale: UInt8 = 0
  /// Bits of `aux` in use.
  package var auxWidth: UInt8 = 0
  /// Which rules the targets must obey.
  package var targetRules: TargetRules = []
  /// Bit n: the value n of `hint` is defined.
  package var validHints: UInt16 = 0xffff
  /// Pieces other than register fields and the predicate.
  package var pieces: UnsafeMutablePointer<Piece>
}

extension CompiledRow {
  package init(_ row: InstructionRow) {
    opcode = row.opcode
    flags = row.kind.flags
    let runs = CompiledRow.runs(of: row.encoding)
    pieces = .allocate(capacity: runs.count)
    var immediates: [(letter: UInt8, piece: Piece)] = []
    var ignored: [Piece] = []
    var hasPredicate = false
    for (letter, from, width) in runs {
      let bits: UInt64 = (1 << UInt64(width) - 1) << UInt64(from & 63)
      let small = UInt8(truncatingIfNeeded: (1 as UInt64) << UInt64(width) - 1)
      switch letter {
      case "0": mask |= bits
      case "1": (mask, value) = (mask | bits, value | bits)
      case "o": reserved |= bits
      case "q": (qpMask, hasPredicate) = (small, true)
      case "A": r1Mask = small
      case "B": r2Mask = small
      case "C": (r3Mask, r3Shift) = (small, from)
      case "D": r4Mask = small
      case "a", "b", "c", "d", "e", "s":
        immediates.append((letter.value8, Piece(kind: .immediate, from: from, width: width, to: 0)))
        if letter == "s" { immediateIsSigned = true }
      case "f": append(Piece(kind: .fetchaddIncrement, from: from, width: width, to: 0))
      case "h":
        hintBits |= bits
        append(Piece(kind: .hint, from: from, width: width, to: hintWidth))
        hintWidth += width
      case "x": append(Piece(kind: .aux, from: from, width: width, to: 0))
      case "y": append(Piece(kind: .aux, from: from, width: width, to: 8))
      case "z": append(Piece(kind: .aux, from: from, width: width, to: 16))
      case "X": append(Piece(kind: .auxPlusOne, from: from, width: width, to: 0))
      case "Y": append(Piece(kind: .auxPlusOne, from: from, width: width, to: 8))
      case "p": append(Piece(kind: .auxComplement, from: from, width: width, to: 0))
      case "k": append(Piece(kind: .auxMultiplyShift, from: from, width: width, to: 0))
      case "w": append(Piece(kind: .auxPlus32, from: from, width: width, to: 0))
      case "t": append(Piece(kind: .aux, from: from, width: width, to: 0))
      case "u": append(Piece(kind: .aux, from: from, width: width, to: 7))
      case "-": ignored.append(Piece(kind: .ignored, from: from, width: width, to: 0))
      default: preconditionFailure("unknown letter in the encoding of \(row.opcode)")
      }
    }
    // "s" sorts behind "a"…"e", and of one letter the lower bits come first.
    immediates.sort { ($0.letter, $0.piece.from) < ($1.letter, $1.piece.from) }
    for (_, piece) in immediates {
      append(Piece(kind: .immediate, from: piece.from, width: piece.width, to: immediateWidth))
      immediateWidth += piece.width
    }
    auxWidth = (auxWidth + 7) & ~7
    for piece in ignored {
      append(Piece(kind: .ignored, from: piece.from, width: piece.width, to: auxWidth))
    }
    addFlags(row, hasPredicate: hasPredicate)
  }

  private mutating func append(_ piece: Piece) {
    (pieces + Int(pieceCount)).initialize(to: piece)
    pieceCount += 1
    switch piece.kind {
    case .immediate, .fetchaddIncrement, .hint: break
    default: auxWidth = max(auxWidth, piece.to + piece.auxWidth)
    }
  }

  /// Adds what follows from encoding and operands.
  private mutating func addFlags(_ row: InstructionRow, hasPredicate: Bool) {
    let syntax = Syntax(row.syntax)
    validHints = syntax.validHints(width: hintWidth)
    immediateScale = syntax.immediateScale
    if !hasPredicate { flags.insert(.noPredicate) }
    if row.format.unit == .X { flags.insert(.long) }
    if flags.contains(.branch) { flags.insert(.endsBlock) }
    if syntax.hasTarget { flags.insert(.relative) }
    for operand in syntax.operands {
      switch operand.file {
      case .general where operand.isWritten: flags.insert(.writesGR)
      case .floatingPoint:
        flags.insert(.usesFR)
        if operand.isWritten { flags.insert(.writesFR) }
      case .predicate where operand.isWritten: flags.insert(.writesPR)
      case .branch where operand.isWritten: flags.insert(.writesBR)
      default: break
      }
      if operand.isUpdated { flags.insert(.updatesBase) }
    }
    let written = syntax.operands.filter { $0.isWritten }.map { $0.name }
    if written.contains("r1") { targetRules.insert(.r1NotZero) }
    if written.contains("f1") { targetRules.insert(.f1Writable) }
    if written.contains("f2") { targetRules.insert(.f2Writable) }
    if written.contains("p1"), written.contains("p2") { targetRules.insert(.predicatesDiffer) }
    if flags.contains(.updatesBase) { targetRules.insert(.baseNotZero) }
    if flags.isSuperset(of: [.updatesBase, .writesGR]) { targetRules.insert(.baseNotR1) }
  }

  /// The runs of equal letters in an encoding, lowest bit first: letter, lowest bit (64 and up for the L slot), width.
  package static func runs(of encoding: StaticString) -> [(letter: Unicode.Scalar, from: UInt8, width: UInt8)] {
    let parts = encoding.description.split(separator: "/")
    var runs: [(letter: Unicode.Scalar, from: UInt8, width: UInt8)] = []
    for (index, part) in parts.enumerated() {
      let letters = part.unicodeScalars.filter { $0 != " " }
      precondition(letters.count == 41, "an encoding has 41 bits a slot")
      var bit = UInt8(index == 0 ? 0 : 64)
      let first = bit
      for letter in letters.reversed() {
        if bit != first, let last = runs.last, last.letter == letter {
          runs[runs.count - 1].width += 1
        } else {
          runs.append((letter, bit, 1))
        }
        bit += 1
      }
    }
    return runs
  }
}

extension Unicode.Scalar {
  fileprivate var value8: UInt8 { UInt8(truncatingIfNeeded: value) }
}
