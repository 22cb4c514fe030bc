// Bundles and templates: 128 bits hold a 5-bit template and three 41-bit slots; the template says which execution unit
// each
// slot is for and after which slots an instruction group ends (Intel Itanium Architecture SDM, volume 1, section 3.3).

/// The kind of execution unit a slot is dispatched to, which selects how its bits are read.
@frozen
public enum Unit: UInt8, CaseIterable, Sendable {
  case M, I, B, F
  /// The L and X slots together: one instruction.
  case X
  /// Integer ALU: rows of the table that an M or an I unit executes; no slot is of this unit.
  case A
}

/// The five template bits. 24 values are defined; the others are an Illegal Operation.
@frozen
public struct Template: RawRepresentable, Equatable, Hashable, Sendable {
  /// 0…31; bit 0 is the stop at the end of the bundle.
  public let rawValue: UInt8
  @inlinable @inline(__always) public init(rawValue: UInt8) { self.rawValue = rawValue & 31 }

  /// Units of the three slots, three bits each from bit 0 (values of `Unit`), then in bits 9 and 10 a stop after slot
  /// 0 and
  /// after slot 1; nil for a reserved template. The stop after slot 2 is bit 0 of the template.
  @inlinable
  static func layout(_ rawValue: UInt8) -> UInt16? {
    let m: UInt16 = 0, i: UInt16 = 1, b: UInt16 = 2, f: UInt16 = 3, x: UInt16 = 4
    return switch rawValue >> 1 {
    case 0x00: m | i << 3 | i << 6
    case 0x01: m | i << 3 | i << 6 | 1 << 10
    case 0x02: m | x << 3 | x << 6
    case 0x04: m | m << 3 | i << 6
    case 0x05: m | m << 3 | i << 6 | 1 << 9
    case 0x06: m | f << 3 | i << 6
    case 0x07: m | m << 3 | f << 6
    case 0x08: m | i << 3 | b << 6
    case 0x09: m | b << 3 | b << 6
    case 0x0b: b | b << 3 | b << 6
    case 0x0c: m | m << 3 | b << 6
    case 0x0e: m | f << 3 | b << 6
    default: nil
    }
  }

  /// Whether the template is one of the 24 defined ones.
  @inlinable public var isValid: Bool { Template.layout(rawValue) != nil }

  /// Slots 1 and 2 hold one long instruction.
  @inlinable @inline(__always) public var isLong: Bool { rawValue >> 1 == 2 }

  /// The unit of a slot (0…2); nil for a reserved template. Both L and X slot are `.X`.
  @inlinable
  public func unit(_ slot: Int) -> Unit? {
    guard let layout = Template.layout(rawValue) else { return nil }
    return Unit(rawValue: UInt8(truncatingIfNeeded: layout >> UInt16(3 * slot) & 7))
  }

  /// Whether an instruction group ends after a slot (0…2).
  @inlinable
  public func hasStop(after slot: Int) -> Bool {
    if slot == 2 { return rawValue & 1 != 0 }
    return (Template.layout(rawValue) ?? 0) >> UInt16(9 + slot) & 1 != 0
  }

  /// The name as disassemblers print it, without stops: three letters; for a reserved template its number without the
  /// lowest bit, between dashes.
  public var name: String {
    switch rawValue >> 1 {
    case 0x00, 0x01: "MII"
    case 0x02: "MLX"
    case 0x04, 0x05: "MMI"
    case 0x06: "MFI"
    case 0x07: "MMF"
    case 0x08: "MIB"
    case 0x09: "MBB"
    case 0x0b: "BBB"
    case 0x0c: "MMB"
    case 0x0e: "MFB"
    default: "-\(String(rawValue >> 1, radix: 16))-"
    }
  }

  /// The defined templates, in the order of their numbers.
  public static let valid: [Template] = (UInt8(0)..<32).map { Template(rawValue: $0) }.filter { $0.isValid }
}

/// 16 bytes of code as two little-endian words.
@frozen
public struct InstructionBundle: Equatable, Hashable, Sendable {
  /// The first eight bytes, little-endian: template and the low bits of the slots.
  public var low: UInt64
  /// The last eight bytes.
  public var high: UInt64

  /// The 41 bits of a slot.
  @inlinable public static var slotMask: UInt64 { 1 << 41 - 1 }

  /// A bundle of its 128 bits.
  @inlinable @inline(__always)
  public init(low: UInt64, high: UInt64) {
    self.low = low
    self.high = high
  }

  /// A bundle of its parts; bits of a slot above the 41st are dropped.
  @inlinable
  public init(template: Template, _ slot0: UInt64, _ slot1: UInt64, _ slot2: UInt64) {
    let s0 = slot0 & InstructionBundle.slotMask, s1 = slot1 & InstructionBundle.slotMask
    low = UInt64(template.rawValue) | s0 << 5 | s1 << 46
    high = s1 >> 18 | (slot2 & InstructionBundle.slotMask) << 23
  }

  /// The bundle at a host address, which need not be aligned.
  @inlinable @inline(__always)
  public init(loadingFrom pointer: UnsafeRawPointer) {
    low = UInt64(littleEndian: pointer.loadUnaligned(as: UInt64.self))
    high = UInt64(littleEndian: pointer.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
  }

  @inlinable @inline(__always) public var template: Template { Template(rawValue: UInt8(truncatingIfNeeded: low)) }

  @inlinable @inline(__always) public var slot0: UInt64 { low >> 5 & InstructionBundle.slotMask }
  @inlinable @inline(__always) public var slot1: UInt64 { (low >> 46 | high << 18) & InstructionBundle.slotMask }
  @inlinable @inline(__always) public var slot2: UInt64 { high >> 23 }

  /// The 41 bits of slot 0, 1 or 2.
  @inlinable
  public subscript(slot: Int) -> UInt64 {
    get { slot == 0 ? slot0 : slot == 1 ? slot1 : slot2 }
    set {
      self = InstructionBundle(
        template: template, slot == 0 ? newValue : slot0, slot == 1 ? newValue : slot1, slot == 2 ? newValue : slot2)
    }
  }
}
