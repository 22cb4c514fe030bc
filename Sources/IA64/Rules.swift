// What a row says beyond its encoding: what a NaT or NaTVal in a source does, and which faults an instruction can
// raise.
// (Intel Itanium Architecture SDM, volume 1 section 4.4.4 and 5.3, volume 3 chapter 2.)

/// What a NaT bit in a general source register, or a NaTVal in a floating-point one, does to an instruction.
public enum NaTRule: Sendable, Equatable {
  /// Nothing is read that could hold one, or it is read as it is (`tnat`, `chk.s`, spills, `lfetch` without `.fault`).
  case none
  /// The result is NaT or NaTVal.
  case propagates
  /// Register NaT Consumption.
  case faults
  /// Predicates: both targets cleared (the normal and `unc` types and `and`), or left alone (`or`, `or.andcm`).
  case predicates
}

/// Faults an instruction can raise by what it is, once its predicate is true.
public struct FaultKinds: OptionSet, Sendable {
  /// The bits.
  public let rawValue: UInt16
  /// A set of its bits.
  public init(rawValue: UInt16) { self.rawValue = rawValue }

  /// Illegal Operation for its register numbers, slot, group position or operand.
  public static let illegalOperation = FaultKinds(rawValue: 1 << 0)
  /// Privileged Operation at PSR.cpl ≠ 0.
  public static let privilegedOperation = FaultKinds(rawValue: 1 << 1)
  /// Privileged Register: the register named needs privilege.
  public static let privilegedRegister = FaultKinds(rawValue: 1 << 2)
  /// Reserved Register/Field: a reserved field of the value written, or a register number not implemented.
  public static let reservedRegisterField = FaultKinds(rawValue: 1 << 3)
  /// A NaT operand (SDM vol. 2, 5.5).
  public static let registerNaTConsumption = FaultKinds(rawValue: 1 << 4)
  /// All that a data reference can raise: translation, rights, keys, NaT page, alignment, debug, unsupported reference.
  public static let dataReference = FaultKinds(rawValue: 1 << 5)
  /// Disabled Floating-Point Register (PSR.dfl, PSR.dfh).
  public static let disabledFloatingPoint = FaultKinds(rawValue: 1 << 6)
  /// Floating-Point Fault or Trap, software assistance included.
  public static let floatingPoint = FaultKinds(rawValue: 1 << 7)
  /// Break Instruction.
  public static let breakInstruction = FaultKinds(rawValue: 1 << 8)
  /// Virtualization (PSR.vm).
  public static let virtualization = FaultKinds(rawValue: 1 << 9)
  /// Disabled Instruction Set Transition (`br.ia`).
  public static let disabledTransition = FaultKinds(rawValue: 1 << 10)
  /// Mandatory references of the register stack engine (`flushrs`, `loadrs`, `alloc`).
  public static let registerStack = FaultKinds(rawValue: 1 << 11)
}

extension InstructionRow {
  /// What a NaT in a source does.
  public var natRule: NaTRule {
    switch format {
    case .A6, .A7, .A8, .I16, .F4, .F5: .predicates
    case .A1, .A2, .A3, .A4, .A5, .A9, .A10: .propagates
    case .I1, .I2, .I3, .I4, .I5, .I6, .I7, .I8, .I9, .I10, .I11, .I12, .I14, .I15, .I29: .propagates
    case .F1, .F2, .F3, .F6, .F7, .F8, .F9, .F10, .F11, .M18, .M19: .propagates
    case .M1, .M2, .M3, .M6, .M7, .M8, .M11, .M12: kind.flags.contains(.speculative) ? .propagates : .faults
    case .M13, .M14, .M15: kind.flags.contains(.mayFault) ? .faults : .none
    case .M46: opcode == .thash || opcode == .ttag ? .propagates : .faults
    case .I21, .I23, .I26, .M4, .M5, .M9, .M10, .M16, .M17, .M28, .M29, .M32, .M35, .M38, .M39, .M40, .M41, .M42, .M43,
      .M45, .M47, .M51:
      .faults
    default: .none
    }
  }

  /// The faults an instruction of the row can raise.
  public var faults: FaultKinds {
    let flags = self.flags
    var faults: FaultKinds = []
    // A target that is read-only or outside the frame, a base that is the target, twice the same predicate.
    if !flags.isDisjoint(with: [.writesGR, .writesFR, .updatesBase]) { faults.insert(.illegalOperation) }
    if (decoderTables.rows + opcode.index).pointee.targetRules.contains(.predicatesDiffer) {
      faults.insert(.illegalOperation)
    }
    if !flags.isDisjoint(with: [.slot2Only, .modelSpecific]) || opcode == .loadrs { faults.insert(.illegalOperation) }
    if flags.contains(.privileged) { faults.formUnion([.privilegedOperation, .virtualization]) }
    if natRule == .faults { faults.insert(.registerNaTConsumption) }
    if !flags.isDisjoint(with: [.load, .store]) { faults.insert(.dataReference) }
    // `chk.a` and `invala.e` look for the number of a register alone.
    if flags.contains(.usesFR), format != .M23, format != .M27 { faults.insert(.disabledFloatingPoint) }
    if mnemonic.hasPrefix("break") { faults.insert(.breakInstruction) }
    switch format {
    case .F1, .F4, .F6, .F7, .F8, .F10: faults.insert(.floatingPoint)
    // The I unit's registers (ar.pfs, ar.lc, ar.ec) need no privilege.
    case .I26, .I27: faults.formUnion([.illegalOperation, .reservedRegisterField])
    case .M29, .M30: faults.formUnion([.illegalOperation, .privilegedRegister, .reservedRegisterField])
    case .I28: break
    case .M31: faults.insert(.privilegedRegister)
    case .M32: faults.formUnion([.illegalOperation, .reservedRegisterField])
    case .M35, .M41, .M42, .M44, .F12: faults.insert(.reservedRegisterField)
    case .M43:
      // Every number has a region register.
      faults.formUnion(opcode == .mov_from_rr ? .virtualization : [.reservedRegisterField, .virtualization])
    case .M28, .M40: faults.insert(.dataReference)
    case .M13, .M14, .M15: if flags.contains(.mayFault) { faults.insert(.dataReference) }
    case .M38, .M39: faults.insert(.dataReference)
    case .M46: if opcode != .tak { faults.insert(.virtualization) }
    case .M25, .M34: faults.insert(.registerStack)
    default: break
    }
    if opcode == .tpa { faults.insert(.dataReference) }
    if opcode == .br_ia { faults.insert(.disabledTransition) }
    return faults
  }
}
