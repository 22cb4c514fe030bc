// The encoder: from an `Instruction` back to the bits of its slot, by the same table the decoder uses.

/// The bits of an encoded instruction.
@frozen
public struct EncodedSlot: Sendable, Equatable {
  /// 41 bits: the slot, for a long instruction the X slot.
  public var slot: UInt64
  /// The L slot of a long instruction, else 0.
  public var long: UInt64

  /// Both hold 41 bits; `long` is the L slot's.
  @inlinable
  public init(slot: UInt64, long: UInt64 = 0) {
    self.slot = slot
    self.long = long
  }
}

/// Turns instructions into slots.
public enum Encoder {
  /// The slot of an instruction: `decode(encode(x)) == x` and `encode(decode(s)) == s` for every legal slot.
  /// Nil when a field does not fit its row (an immediate out of range, a register the row has no field for).
  /// `flags` is not looked at. An `.illegal` instruction gives back the bits it was decoded from.
  public static func encode(_ instruction: Instruction) -> EncodedSlot? {
    guard instruction.opcode != .illegal else { return EncodedSlot(slot: UInt64(bitPattern: instruction.imm)) }
    let row = decoderTables.rows + instruction.opcode.index
    let encoded = row.pointee.encode(instruction)
    guard let back = row.pointee.decode(encoded.slot, encoded.long) else { return nil }
    var compared = instruction
    compared.flags = back.flags
    return compared == back ? encoded : nil
  }
}

extension CompiledRow {
  /// The slot with the instruction's fields; what does not fit is cut off.
  func encode(_ instruction: Instruction) -> EncodedSlot {
    var slot = value
    var long: UInt64 = 0
    slot |= UInt64(instruction.qp & qpMask)
    slot |= UInt64(instruction.r1 & r1Mask) << 6
    slot |= UInt64(instruction.r2 & r2Mask) << 13
    slot |= UInt64(instruction.r3 & r3Mask) << UInt64(r3Shift)
    slot |= UInt64(instruction.r4 & r4Mask) << 27
    let imm = UInt64(bitPattern: instruction.imm >> Int64(immediateScale))
    for index in 0..<Int(pieceCount) {
      let piece = pieces[index]
      let bits: UInt64 =
        switch piece.kind {
        case .immediate: imm >> UInt64(piece.to)
        case .hint: UInt64(instruction.hint) >> UInt64(piece.to)
        case .fetchaddIncrement: CompiledRow.fetchaddField(instruction.imm)
        default: piece.field(UInt64(instruction.aux) >> UInt64(piece.to))
        }
      if piece.from < 64 {
        slot |= (bits & piece.mask) << UInt64(piece.from)
      } else {
        long |= (bits & piece.mask) << UInt64(piece.from - 64)
      }
    }
    return EncodedSlot(slot: slot, long: long)
  }

  private static func fetchaddField(_ increment: Int64) -> UInt64 {
    let size: UInt64 =
      switch increment.magnitude {
      case 16: 0
      case 8: 1
      case 4: 2
      default: 3
      }
    return size | (increment < 0 ? 4 : 0)
  }
}

extension Piece {
  /// The field's bits from its value in `aux`, shifted down: the inverse of `auxValue`.
  fileprivate func field(_ value: UInt64) -> UInt64 {
    switch kind {
    case .auxPlusOne: (value & 0xff) &- 1
    case .auxComplement: ~value
    case .auxPlus32: (value & 0xff) &- 32
    case .auxMultiplyShift:
      switch value & 0xff {
      case 0: 0
      case 7: 1
      case 15: 2
      default: 3
      }
    default: value
    }
  }
}
