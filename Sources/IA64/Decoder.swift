// The decoder: from the bits of a slot to an `Instruction`. A tree of small jump tables, built once from the
// instruction
// table into unmanaged memory, picks the one row that can match; the row's mask, value, reserved bits and hints decide.

/// The instructions of one bundle.
@frozen
public struct DecodedBundle: Sendable, Equatable {
  /// Its template (SDM vol. 3, 3.3).
  public var template: Template
  /// The instruction in slot 0.
  public var slot0: Instruction
  /// The instruction in slot 1; in an MLX bundle the long one.
  public var slot1: Instruction
  /// In an MLX bundle the long instruction is `slot1`, and this repeats it.
  public var slot2: Instruction

  /// How many instructions there are: 3, or 2 in an MLX bundle.
  @inlinable public var count: Int { template.isLong ? 2 : 3 }

  /// The instruction in a slot, 0 to 2.
  @inlinable
  public subscript(slot: Int) -> Instruction { slot == 0 ? slot0 : slot == 1 ? slot1 : slot2 }
}

/// Whose reading of a slot is asked for where the two differ.
public enum ReservedBits: Sendable {
  /// The processor's: bits that must be zero make a slot illegal, unused hints count as none, and the B unit's ignored
  /// operations do nothing.
  case checked
  /// That of binutils, which does not look at those bits and knows no instruction with such a hint or operation.
  case tolerated
}

/// Turns slots into instructions. Decoding neither allocates nor counts references.
public enum Decoder {
  /// The instruction in a slot for `unit` (`.M`, `.I`, `.F`, `.B`, or `.X` with the L slot's bits in `long`).
  ///
  /// A slot that is no instruction gives `.illegal`, with the slot's bits in `imm` and the unit's raw value in `aux`
  /// (255 under a reserved template); `qp` is the predicate on which its fault depends.
  public static func decode(
    _ slot: UInt64, unit: Unit, long: UInt64 = 0, reserved: ReservedBits = .checked
  ) -> Instruction {
    let tables = decoderTables
    var entry = tables.roots[Int(unit.rawValue)]
    while entry & DecoderTables.isNode != 0 {
      let node = tables.nodes + Int(entry & ~DecoderTables.isNode)
      entry = tables.entries[Int(node.pointee.first) + Int(slot >> UInt64(node.pointee.shift) & node.pointee.mask)]
    }
    guard entry != DecoderTables.none else { return unused(slot, unit, reserved) }
    let row = tables.rows + Int(entry)
    guard slot & row.pointee.mask == row.pointee.value else { return unused(slot, unit, reserved) }
    if slot & row.pointee.reserved != 0, reserved == .checked {
      return illegal(slot, unit, isPredicated: row.pointee.qpMask != 0)
    }
    if let instruction = row.pointee.decode(slot, long) { return instruction }
    if reserved == .checked, var instruction = row.pointee.decode(slot & ~row.pointee.hintBits, long) {
      instruction.flags.insert(.unusedEncoding)
      return instruction
    }
    return illegal(slot, unit, isPredicated: row.pointee.qpMask != 0)
  }

  /// An encoding without a row. In the units M, I, F and X it is an Illegal Operation where the predicate in its low bits
  /// is 1; in the B unit some are that always, and some are ignored (SDM vol. 3, tables 4-1, 4-3, 4-60, 4-61).
  @inline(never)
  private static func unused(_ slot: UInt64, _ unit: Unit, _ reserved: ReservedBits) -> Instruction {
    guard unit == .B else { return illegal(slot, unit, isPredicated: true) }
    let extended = slot >> 27 & 0x3f
    switch slot >> 37 {
    case 1 where reserved == .checked:
      // br.call with an unused hint: the bit that the used ones have.
      var call = decode(slot | 1 << 32, unit: .B)
      call.flags.insert(.unusedEncoding)
      return call
    case 0 where extended == 1, 2, 3, 6:
      if reserved == .checked { return Instruction(opcode: .nop_b, flags: [.noPredicate, .unusedEncoding]) }
      return illegal(slot, unit, isPredicated: false)
    default: return illegal(slot, unit, isPredicated: slot >> 37 == 0 && extended < 0x20)
    }
  }

  /// The instructions of a bundle. Under a reserved template all three are `.illegal`.
  public static func decode(_ bundle: InstructionBundle, reserved: ReservedBits = .checked) -> DecodedBundle {
    let template = bundle.template
    guard let layout = Template.layout(template.rawValue) else {
      return DecodedBundle(
        template: template, slot0: illegal(bundle.slot0, nil, isPredicated: false),
        slot1: illegal(bundle.slot1, nil, isPredicated: false), slot2: illegal(bundle.slot2, nil, isPredicated: false))
    }
    var slot0 = decode(bundle.slot0, unit: unit(layout, 0), reserved: reserved)
    if template.isLong {
      let long = decode(bundle.slot2, unit: .X, long: bundle.slot1, reserved: reserved)
      return DecodedBundle(template: template, slot0: slot0, slot1: long, slot2: long)
    }
    var slot1 = decode(bundle.slot1, unit: unit(layout, 3), reserved: reserved)
    if slot0.flags.contains(.slot2Only) { slot0.flags.insert(.illegalOperands) }
    if slot1.flags.contains(.slot2Only) { slot1.flags.insert(.illegalOperands) }
    return DecodedBundle(
      template: template, slot0: slot0, slot1: slot1,
      slot2: decode(bundle.slot2, unit: unit(layout, 6), reserved: reserved))
  }

  @inline(__always)
  private static func unit(_ layout: UInt16, _ shift: UInt16) -> Unit {
    unsafeBitCast(UInt8(truncatingIfNeeded: layout >> shift & 7), to: Unit.self)
  }

  private static func illegal(_ slot: UInt64, _ unit: Unit?, isPredicated: Bool) -> Instruction {
    var flags: InstructionFlags = [.mayFault, .endsBlock]
    if !isPredicated { flags.insert(.noPredicate) }
    if unit == .X { flags.insert(.long) }
    return Instruction(
      opcode: .illegal, qp: isPredicated ? UInt8(slot & 63) : 0, aux: UInt32(unit?.rawValue ?? 0xff), flags: flags,
      imm: Int64(bitPattern: slot))
  }
}

extension CompiledRow {
  /// The instruction in a slot that has the row's fixed bits; nil when its hint has a reserved value.
  @inline(__always)
  func decode(_ slot: UInt64, _ long: UInt64) -> Instruction? {
    var hint: UInt64 = 0
    var aux: UInt64 = 0
    var imm: UInt64 = 0
    for index in 0..<Int(pieceCount) {
      let piece = pieces[index]
      let bits = piece.bits(slot, long)
      switch piece.kind {
      case .immediate: imm |= bits << UInt64(piece.to)
      case .hint: hint |= bits << UInt64(piece.to)
      case .fetchaddIncrement:
        let size = Int64(0x0104_0810 >> ((bits & 3) << 3) & 0xff)
        imm = UInt64(bitPattern: bits & 4 != 0 ? -size : size)
      default: aux |= piece.auxValue(bits) << UInt64(piece.to)
      }
    }
    guard validHints >> UInt16(truncatingIfNeeded: hint) & 1 != 0 else { return nil }
    var signed = Int64(bitPattern: imm)
    if immediateIsSigned {
      let shift = Int64(64 - immediateWidth)
      signed = (signed << shift) >> shift
    }
    let r1 = UInt8(truncatingIfNeeded: slot >> 6) & r1Mask
    let r2 = UInt8(truncatingIfNeeded: slot >> 13) & r2Mask
    let r3 = UInt8(truncatingIfNeeded: slot >> UInt64(r3Shift)) & r3Mask
    let r4 = UInt8(truncatingIfNeeded: slot >> 27) & r4Mask
    var flags = flags
    if !targetRules.isEmpty, targetRules.areBroken(r1, r2, r3, r4) { flags.insert(.illegalOperands) }
    return Instruction(
      opcode: opcode, qp: UInt8(truncatingIfNeeded: slot) & qpMask, r1: r1, r2: r2, r3: r3, r4: r4,
      hint: UInt8(truncatingIfNeeded: hint), aux: UInt32(truncatingIfNeeded: aux), flags: flags,
      imm: signed << Int64(immediateScale))
  }
}

/// The tables behind `Decoder`, in memory that is never freed.
struct DecoderTables {
  struct Node {
    /// The index of the node's first entry.
    var first: UInt32
    var shift: UInt8
    var mask: UInt64
  }

  /// An entry is a row's index, `none`, or with this bit set a node's index.
  static let isNode: UInt32 = 1 << 31
  static let none: UInt32 = 0x7fff_ffff

  let rows: UnsafeMutablePointer<CompiledRow>
  /// A root for each of the units M, I, B, F, X (raw values 0…4).
  let roots: UnsafeMutablePointer<UInt32>
  let nodes: UnsafeMutablePointer<Node>
  let entries: UnsafeMutablePointer<UInt32>
}

/// Built on first use.
nonisolated(unsafe) let decoderTables = DecoderTables(instructionTable)

extension DecoderTables {
  init(_ table: [InstructionRow]) {
    rows = .allocate(capacity: table.count)
    for (index, row) in table.enumerated() { (rows + index).initialize(to: CompiledRow(row)) }
    roots = .allocate(capacity: 5)
    var builder = Builder(rows: rows)
    for unit: Unit in [.M, .I, .B, .F, .X] {
      let members = table.indices.filter {
        let own = table[$0].format.unit
        return own == unit || own == .A && (unit == .M || unit == .I)
      }
      (roots + Int(unit.rawValue)).initialize(to: builder.tree(members, known: 0))
    }
    nodes = .allocate(capacity: builder.nodes.count)
    nodes.initialize(from: builder.nodes, count: builder.nodes.count)
    entries = .allocate(capacity: builder.entries.count)
    entries.initialize(from: builder.entries, count: builder.entries.count)
  }

  /// Builds the trees: each node looks at the bits that tell its rows apart best.
  private struct Builder {
    let rows: UnsafeMutablePointer<CompiledRow>
    var nodes: [Node] = []
    var entries: [UInt32] = []

    mutating func tree(_ members: [Int], known: UInt64) -> UInt32 {
      if members.isEmpty { return DecoderTables.none }
      if members.count == 1 { return UInt32(members[0]) }
      let (shift, width) = field(members, known)
      let mask: UInt64 = 1 << width - 1
      let index = nodes.count
      let first = entries.count
      nodes.append(Node(first: UInt32(first), shift: UInt8(shift), mask: mask))
      entries += Array(repeating: DecoderTables.none, count: Int(mask) + 1)
      for pattern in 0...mask {
        let selected = members.filter { (rows[$0].value ^ pattern << shift) & rows[$0].mask & mask << shift == 0 }
        entries[first + Int(pattern)] = tree(selected, known: known | mask << shift)
      }
      return DecoderTables.isNode | UInt32(index)
    }

    /// The longest run of at most 7 bits that all members fix and that tells some apart, else the best single bit.
    private func field(_ members: [Int], _ known: UInt64) -> (shift: UInt64, width: UInt64) {
      let common = members.reduce(~known) { $0 & rows[$1].mask }
      let value = rows[members[0]].value
      let differing = members.reduce(UInt64(0)) { $0 | rows[$1].value ^ value } & common
      var best: (shift: UInt64, width: UInt64) = (0, 0)
      var bit: UInt64 = 0
      while bit < 41 {
        guard differing >> bit & 1 != 0 else {
          bit += 1
          continue
        }
        var width: UInt64 = 1, last: UInt64 = 1
        while width < 7, common >> (bit + width) & 1 != 0 {
          width += 1
          if differing >> (bit + width - 1) & 1 != 0 { last = width }
        }
        if last > best.width { best = (bit, last) }
        bit += last
      }
      if best.width > 0 { return best }
      return (singleBit(members, known), 1)
    }

    /// A bit that tells two members apart and that as many as possible fix.
    private func singleBit(_ members: [Int], _ known: UInt64) -> UInt64 {
      var best: UInt64 = 0, bestCount = -1
      for bit in UInt64(0)..<41 where known >> bit & 1 == 0 {
        let fixing = members.filter { rows[$0].mask >> bit & 1 != 0 }
        let ones = fixing.filter { rows[$0].value >> bit & 1 != 0 }
        if !ones.isEmpty, ones.count < fixing.count, fixing.count > bestCount {
          (best, bestCount) = (bit, fixing.count)
        }
      }
      precondition(bestCount >= 0, "rows \(members.map { rows[$0].opcode }) overlap")
      return best
    }
  }
}
