// Random instructions and bundles from a seed: legal by construction, with a taste for the ends of each field's range.

/// SplitMix64 (Steele, Lea, Flood 2014): a small generator whose sequence is the same everywhere for a seed.
@frozen
public struct SplitMix64: RandomNumberGenerator, Sendable {
  /// What the next number follows from.
  public var state: UInt64

  /// A generator that repeats for a seed.
  @inlinable public init(seed: UInt64) { state = seed }

  /// The next 64 bits.
  @inlinable
  public mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
    return z ^ z >> 31
  }
}

/// Opcodes to choose from, sorted by the units that execute them.
public struct OpcodePool: Sendable {
  /// By the unit's raw value; `anySlot` without those that slot 2 alone may hold.
  fileprivate let all: [[Opcode]]
  fileprivate let anySlot: [[Opcode]]

  /// These opcodes; one that a unit does not execute is never chosen for it.
  public init(_ opcodes: [Opcode]) {
    let units: [Unit] = [.M, .I, .B, .F, .X]
    all = units.map { unit in opcodes.filter { RandomInstruction.runs($0, on: unit) } }
    anySlot = all.map { $0.filter { !instructionTable[$0.index].flags.contains(.slot2Only) } }
  }

  /// Every opcode that has a row.
  public static let everything = OpcodePool(instructionTable.map { $0.opcode })
}

/// Makes random legal slots, instructions and bundles.
public struct RandomInstruction: Sendable {
  /// Where the random bits come from.
  public var generator: SplitMix64
  /// How often (of 256) a field takes an extreme value (all zeros, all ones, one bit set) in place of a uniform one.
  public var boundaryBias: UInt8 = 64
  /// Whether bits that the architecture ignores are random too; otherwise they are zero, as assemblers write them.
  public var randomizesIgnoredBits = false
  /// How often (of 256) an instruction has a random qualifying predicate; otherwise it has p0, which is always true.
  public var predicateRate: UInt8 = 128
  /// Whether to leave out instructions that are an Illegal Operation by their operands
  /// (`InstructionFlags.illegalOperands`).
  public var avoidsIllegalOperands = false

  /// Instructions that repeat for a seed.
  public init(seed: UInt64) { generator = SplitMix64(seed: seed) }

  /// A random legal slot of an opcode's row (not of `.illegal`).
  public mutating func slot(_ opcode: Opcode) -> EncodedSlot {
    precondition(opcode != .illegal, "an illegal slot has no row")
    let row = decoderTables.rows + opcode.index
    while true {
      var encoded = EncodedSlot(slot: row.pointee.value)
      encoded.slot |= field(row.pointee.r1Mask) << 6
      encoded.slot |= field(row.pointee.r2Mask) << 13
      encoded.slot |= field(row.pointee.r3Mask) << UInt64(row.pointee.r3Shift)
      encoded.slot |= field(row.pointee.r4Mask) << 27
      if row.pointee.qpMask != 0, UInt8(truncatingIfNeeded: generator.next()) < predicateRate {
        encoded.slot |= generator.next() & 63
      }
      for index in 0..<Int(row.pointee.pieceCount) {
        let piece = row.pointee.pieces[index]
        if piece.kind == .ignored, !randomizesIgnoredBits { continue }
        let bits = value(piece.mask)
        if piece.from < 64 {
          encoded.slot |= bits << UInt64(piece.from)
        } else {
          encoded.long |= bits << UInt64(piece.from - 64)
        }
      }
      // Reserved hints, and what is to be left out, make another round necessary.
      guard let made = row.pointee.decode(encoded.slot, encoded.long) else { continue }
      if !avoidsIllegalOperands || !made.flags.contains(.illegalOperands) { return encoded }
    }
  }

  /// A random legal instruction of a row.
  public mutating func instruction(_ opcode: Opcode) -> Instruction {
    let encoded = slot(opcode)
    return (decoderTables.rows + opcode.index).pointee.decode(encoded.slot, encoded.long)!
  }

  /// A random bundle whose slots hold opcodes of a pool (a nop where it has none for the unit), with a template of
  /// `templates`.
  public mutating func bundle(from pool: OpcodePool, templates: [Template] = Template.valid) -> InstructionBundle {
    let template = templates[Int(generator.next() % UInt64(templates.count))]
    let first = slot(0, template, pool)
    let second = slot(1, template, pool)
    if template.isLong { return InstructionBundle(template: template, first.slot, second.long, second.slot) }
    return InstructionBundle(template: template, first.slot, second.slot, slot(2, template, pool).slot)
  }

  private mutating func slot(_ index: Int, _ template: Template, _ pool: OpcodePool) -> EncodedSlot {
    let unit = template.unit(index)!
    let opcodes = index < 2 && avoidsIllegalOperands ? pool.anySlot[Int(unit.rawValue)] : pool.all[Int(unit.rawValue)]
    guard !opcodes.isEmpty else { return EncodedSlot(slot: (decoderTables.rows + unit.nop.index).pointee.value) }
    return slot(opcodes[Int(generator.next() % UInt64(opcodes.count))])
  }

  /// Whether a unit's slot can hold an opcode.
  public static func runs(_ opcode: Opcode, on unit: Unit) -> Bool {
    guard opcode != .illegal else { return false }
    let own = instructionTable[opcode.index].format.unit
    return own == unit || own == .A && (unit == .M || unit == .I)
  }

  private mutating func field(_ mask: UInt8) -> UInt64 { mask == 0 ? 0 : value(UInt64(mask)) }

  /// A value within a mask of low bits.
  private mutating func value(_ mask: UInt64) -> UInt64 {
    let choice = generator.next()
    guard UInt8(truncatingIfNeeded: choice) < boundaryBias else { return generator.next() & mask }
    switch choice >> 8 & 3 {
    case 0: return 0
    case 1: return mask
    case 2: return (1 << (choice >> 10 & 63)) & mask
    default: return mask & ~(1 << (choice >> 10 & 63))
    }
  }
}

extension Unit {
  /// The unit's nop.
  public var nop: Opcode {
    switch self {
    case .M: .nop_m
    case .I, .A: .nop_i
    case .B: .nop_b
    case .F: .nop_f
    case .X: .nop_x
    }
  }
}
