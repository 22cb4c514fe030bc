// The floating-point status register, its status fields, and the arithmetic environment they select.
//
// SDM volume 1, section 5.2 (figure 5-2, tables 5-3 to 5-6): bits 5:0 disable traps (V, D, Z, O, U, I), then
// four status fields of 13 bits: ftz, wre, pc, rc, td, and the six flags. Bits 63:58 are reserved.

/// Exceptions as bit masks, in the order FPSR keeps its trap disables and its flags in.
package enum FloatFlag {
  @inlinable package static var invalid: UInt8 { 1 }
  @inlinable package static var denormal: UInt8 { 2 }
  @inlinable package static var zeroDivide: UInt8 { 4 }
  @inlinable package static var overflow: UInt8 { 8 }
  @inlinable package static var underflow: UInt8 { 16 }
  @inlinable package static var inexact: UInt8 { 32 }
}

/// Rounding control, as FPSR.sf.rc encodes it (SDM vol. 1, table 5-4).
package enum RoundingControl: UInt8, CaseIterable, Sendable {
  case nearest = 0, down, up, zero
}

/// An instruction's precision completer (SDM vol. 1, table 5-6).
package enum PrecisionCompleter: UInt8, CaseIterable, Sendable {
  /// No completer: pc decides the precision; the range is double-extended's unless wre widens it.
  case none
  /// `.s`
  case single
  /// `.d`
  case double
}

/// What one instruction computes under: the destination's precision and range, rounding, and enabled traps.
package struct FloatEnvironment: Equatable, Sendable {
  /// Significand bits: 24, 53 or 64.
  package var precision: UInt8
  package var rounding: RoundingControl
  /// FloatFlag bits whose trap or fault is taken.
  package var enabled: UInt8
  /// Tiny results become zero (only with the underflow trap disabled).
  package var flushToZero: Bool
  /// Range of normal results' exponents, biased by 65535.
  package var minimumExponent: Int32
  package var maximumExponent: Int32
  /// The exponent field of a denormal result: that of the range's minimum, but 0 for the 15-bit range.
  package var denormalExponent: Int32

  /// - Parameters:
  ///   - controls: the status field's low seven bits (ftz, wre, pc, rc, td).
  ///   - disabled: the trap disable bits in force.
  @inlinable package init(controls: UInt64, disabled: UInt64, completer: PrecisionCompleter) {
    let pc = controls >> 2 & 3
    switch completer {
    case .single: precision = 24
    case .double: precision = 53
    case .none: precision = pc == 0 ? 24 : pc == 2 ? 53 : 64
    }
    rounding = RoundingControl(rawValue: UInt8(truncatingIfNeeded: controls >> 4 & 3)).unsafelyUnwrapped
    enabled = ~UInt8(truncatingIfNeeded: disabled) & 0x3f
    flushToZero = controls & 1 != 0
    if controls & 2 != 0 {
      (minimumExponent, maximumExponent, denormalExponent) = (1, 0x1fffe, 1)
    } else {
      switch completer {
      case .single: (minimumExponent, maximumExponent, denormalExponent) = (0xff81, 0x1007e, 0xff81)
      case .double: (minimumExponent, maximumExponent, denormalExponent) = (0xfc01, 0x103fe, 0xfc01)
      case .none: (minimumExponent, maximumExponent, denormalExponent) = (0xc001, 0x13ffe, 0)
      }
    }
  }
}

/// The floating-point status register, AR 40 (SDM vol. 1, 5.2).
package struct FPSR: Equatable, Sendable {
  package var bits: UInt64

  @inlinable @inline(__always) package init(bits: UInt64) { self.bits = bits }

  /// What Linux starts a process with: all traps disabled, 64-bit precision, sf1 with wide range and td.
  @inlinable package static var linuxDefault: FPSR { FPSR(bits: 0x9804c0270033f) }

  /// The trap disable bits, V in bit 0 to I in bit 5; 1 disables.
  @inlinable package var traps: UInt64 { bits & 0x3f }

  @inlinable static func shift(_ field: Int) -> UInt64 { 6 &+ 13 &* UInt64(truncatingIfNeeded: field & 3) }

  /// A status field's low seven bits: ftz, wre, pc, rc, td.
  @inlinable package func controls(_ field: Int) -> UInt64 { bits >> FPSR.shift(field) & 0x7f }

  /// A status field's six flags, as FloatFlag bits.
  @inlinable package func flags(_ field: Int) -> UInt64 { bits >> (FPSR.shift(field) &+ 7) & 0x3f }

  @inlinable func disabled(_ field: Int) -> UInt64 {
    // td exists in sf1 to sf3 only; in sf0 the bit is reserved.
    field != 0 && controls(field) & 0x40 != 0 ? 0x3f : traps
  }

  /// The environment of a scalar instruction with this status field and precision completer.
  @inlinable package func environment(_ field: Int, _ completer: PrecisionCompleter) -> FloatEnvironment {
    FloatEnvironment(controls: controls(field), disabled: disabled(field), completer: completer)
  }

  /// The environment of a parallel instruction: single precision and range, whatever pc and wre say (table 5-6).
  @inlinable package func parallelEnvironment(_ field: Int) -> FloatEnvironment {
    FloatEnvironment(controls: controls(field) & ~2, disabled: disabled(field), completer: .single)
  }

  /// Adds an instruction's flags to its status field.
  @inlinable package mutating func raise(_ flags: UInt8, _ field: Int) {
    bits |= UInt64(flags) << (FPSR.shift(field) &+ 7)
  }

  /// False where writing this value faults (Reserved Register/Field): a reserved bit, td of sf0, or pc = 1.
  package var isLegal: Bool {
    if bits >> 58 != 0 || controls(0) & 0x40 != 0 { return false }
    for field in 0..<4 where controls(field) >> 2 & 3 == 1 { return false }
    return true
  }

  /// fsetc: the field's controls become (sf0's & and) | or. Nil where the result is reserved, a
  /// Reserved Register/Field fault.
  package func settingControls(_ field: Int, and: UInt64, or: UInt64) -> FPSR? {
    let new = (controls(0) & and & 0x7f) | (or & 0x7f)
    if new >> 2 & 3 == 1 || (field == 0 && new & 0x40 != 0) { return nil }
    let shift = FPSR.shift(field)
    return FPSR(bits: bits & ~(0x7f << shift) | new << shift)
  }

  /// fclrf.
  package func clearingFlags(_ field: Int) -> FPSR {
    FPSR(bits: bits & ~(0x3f << (FPSR.shift(field) + 7)))
  }

  /// fchkf: whether it branches: a flag of the field whose trap is enabled, or that sf0 does not have.
  package func checkFlags(_ field: Int) -> Bool {
    let flags = self.flags(field)
    return flags & ~traps != 0 || flags & ~self.flags(0) != 0
  }
}
