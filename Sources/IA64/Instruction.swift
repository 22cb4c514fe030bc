// A decoded instruction: 24 bytes of plain data, made by the decoder from one slot (two for L+X) and re-encodable to
// the
// very same bits. The formats named here are those of the Intel Itanium Architecture SDM, volume 3, chapter 4.

/// What an instruction is, as far as engines ask before they look at the opcode. Taken from its row in
/// `instructionTable`.
@frozen
public struct InstructionFlags: OptionSet, Sendable {
  /// The bits.
  public let rawValue: UInt32
  @inlinable @inline(__always) public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// Writes the general register `r1`.
  @inlinable public static var writesGR: InstructionFlags { .init(rawValue: 1 << 0) }
  /// Writes the floating-point register `f1` (and `f2` for a load pair).
  @inlinable public static var writesFR: InstructionFlags { .init(rawValue: 1 << 1) }
  /// Writes predicates (`p1`, `p2`, or many of them for the moves to `pr`).
  @inlinable public static var writesPR: InstructionFlags { .init(rawValue: 1 << 2) }
  /// Writes the branch register `b1`.
  @inlinable public static var writesBR: InstructionFlags { .init(rawValue: 1 << 3) }
  /// Reads data memory (semaphores and `lfetch.fault` not included in the latter case: a prefetch returns no data).
  @inlinable public static var load: InstructionFlags { .init(rawValue: 1 << 4) }
  /// Writes data memory (semaphores too, which have `load` as well).
  @inlinable public static var store: InstructionFlags { .init(rawValue: 1 << 5) }
  /// A semaphore: `cmpxchg`, `cmp8xchg16`, `xchg`, `fetchadd`.
  @inlinable public static var semaphore: InstructionFlags { .init(rawValue: 1 << 6) }
  /// A control-speculative load (`.s`, `.sa`): a deferred fault gives NaT or NaTVal.
  @inlinable public static var speculative: InstructionFlags { .init(rawValue: 1 << 7) }
  /// An advanced load (`.a`, `.sa`): allocates an ALAT entry.
  @inlinable public static var advanced: InstructionFlags { .init(rawValue: 1 << 8) }
  /// A check load (`.c.clr`, `.c.nc`, `.c.clr.acq`).
  @inlinable public static var checkLoad: InstructionFlags { .init(rawValue: 1 << 9) }
  /// Updates the base register `r3` after the access (by `r2`, by `imm`, or by the size of a pair).
  @inlinable public static var updatesBase: InstructionFlags { .init(rawValue: 1 << 10) }
  /// Can raise an interruption for another reason than a register number outside the frame or a write to r0, f0 or f1.
  @inlinable public static var mayFault: InstructionFlags { .init(rawValue: 1 << 11) }
  /// Can change the instruction pointer without a fault: branches, `chk.*`, `fchkf`, `rfi`.
  @inlinable public static var branch: InstructionFlags { .init(rawValue: 1 << 12) }
  /// The address after it may have to be executed in another way (a branch, `break`, a change of PSR, CFM or
  /// translations).
  @inlinable public static var endsBlock: InstructionFlags { .init(rawValue: 1 << 13) }
  /// Raises Privileged Operation when PSR.cpl is not 0 (a few more are privileged depending on an operand).
  @inlinable public static var privileged: InstructionFlags { .init(rawValue: 1 << 14) }
  /// Must be the first instruction of its group (`alloc`, `flushrs`, `loadrs`).
  @inlinable public static var firstInGroup: InstructionFlags { .init(rawValue: 1 << 15) }
  /// Must be the last instruction of its group.
  @inlinable public static var lastInGroup: InstructionFlags { .init(rawValue: 1 << 16) }
  /// Has no qualifying predicate in its encoding: `qp` is 0.
  @inlinable public static var noPredicate: InstructionFlags { .init(rawValue: 1 << 17) }
  /// Writes predicate registers even when the qualifying predicate is 0 (`.unc`, `frcpa`, `frsqrta` and their parallel
  /// forms).
  @inlinable public static var unconditional: InstructionFlags { .init(rawValue: 1 << 18) }
  /// Names a floating-point register, so that PSR.dfl and PSR.dfh matter.
  @inlinable public static var usesFR: InstructionFlags { .init(rawValue: 1 << 19) }
  /// Occupies the L and the X slot of an MLX bundle.
  @inlinable public static var long: InstructionFlags { .init(rawValue: 1 << 20) }
  /// Known to assemblers, but not to the architecture: executing it is an Illegal Operation (`mov msr[r3]=r2` and its
  /// inverse).
  @inlinable public static var modelSpecific: InstructionFlags { .init(rawValue: 1 << 21) }
  /// Has a branch target in `imm`.
  @inlinable public static var relative: InstructionFlags { .init(rawValue: 1 << 22) }
  /// Is an Illegal Operation in another slot than 2 (`br.cloop`, `br.ctop`, `br.cexit`, `br.wtop`, `br.wexit`).
  @inlinable public static var slot2Only: InstructionFlags { .init(rawValue: 1 << 23) }
  /// An Illegal Operation whatever the frame and the state, when its predicate is 1 (or it is `unconditional`): a
  /// target
  /// that is r0, f0 or f1, two equal predicate targets, an updated base that is r0 or the loaded register; from the
  /// decoder of bundles also a `slot2Only` instruction elsewhere. Set for the instruction, not for its row.
  @inlinable public static var illegalOperands: InstructionFlags { .init(rawValue: 1 << 24) }
  /// Comes of a slot that assemblers do not write, with an unused hint or an ignored operation: encoding it gives the
  /// slot that they would have written. Set for the instruction, not for its row.
  @inlinable public static var unusedEncoding: InstructionFlags { .init(rawValue: 1 << 25) }
}

/// One decoded instruction.
///
/// **Register fields** `r1`…`r4` are the numbers at bits 6–12, 13–19, 20–26 and 27–33 of the slot wherever the row uses
/// that field as a register (general, floating-point, branch, application, control) or predicate number; otherwise 0.
/// So a compare has `p1` in `r1` and `p2` in `r4`; `mov b1=r2` has `b1` in `r1`; `br.ret b2` has `b2` in `r2`.
/// Numbers are those of the encoding, before register renaming.
///
/// **`imm`** is the main immediate, decoded: sign-extended; branch displacements in bytes relative to the *bundle's*
/// address;
/// `movl` all 64 bits; `mov pr=r2,mask` and `mov pr.rot=imm` with the shifted-out low bits in place (the mask is
/// sign-extended
/// from bit 16, pr.rot's immediate from bit 43); `fetchadd` the increment itself; `dep` with an immediate source 0 or
/// −1;
/// `fclass` the 9-bit class mask; `mov b1=r2,tag` the tag's displacement in bytes; `mov dahr` the 16 bits.
///
/// **`aux`** holds the second immediates a byte each (`pos`, `len`, `count` … below); above them, from the lowest free
/// byte
/// upwards, the bits of the encoding that the architecture ignores, so that re-encoding gives the same slot. Nothing
/// but
/// the encoder reads those.
///
/// **`hint`** gathers the completer bits that are no part of the opcode, lowest bit of the slot first:
/// - floating point with a status field: bits 0–1 `sf` (`statusField`);
/// - loads without base update: bit 0 is slot bit 19, bits 1–2 slot bits 28–29 (data access hints d0…d7); other loads
///   and
///   semaphores: bits 0–1 locality (0 none, 1 nt1, 3 nta);
/// - stores without base update and `lfetch`: bit 0 is slot bit 12, bits 1–2 slot bits 28–29; other stores: bits 0–1;
/// - branches: bit 0 `many`, bits 1–2 whether hint (sptk, spnt, dptk, dpnt), bit 3 `clr`;
/// - `brp`, `mov b1=r2`: bits 0–1 whether hint, bit 2 `imp`.
@frozen
public struct Instruction: Sendable, Equatable {
  /// The row of the instruction table that it is encoded by.
  public var opcode: Opcode
  /// The qualifying predicate; 0 where the row has none.
  public var qp: UInt8
  /// Bits 6–12 where they number a register or predicate, else 0.
  public var r1: UInt8
  /// Bits 13–19, likewise.
  public var r2: UInt8
  /// Bits 20–26, likewise.
  public var r3: UInt8
  /// Bits 27–33, likewise.
  public var r4: UInt8
  /// The completer bits that are no part of the opcode (above).
  public var hint: UInt8
  /// The second immediates, a byte each (above).
  public var aux: UInt32
  /// What engines must know before they look at the opcode.
  public var flags: InstructionFlags
  /// The immediate; of IP-relative branches the displacement in bytes from the bundle.
  public var imm: Int64

  /// An instruction by its fields; those left out are 0.
  @inlinable @inline(__always)
  public init(
    opcode: Opcode, qp: UInt8 = 0, r1: UInt8 = 0, r2: UInt8 = 0, r3: UInt8 = 0, r4: UInt8 = 0, hint: UInt8 = 0,
    aux: UInt32 = 0, flags: InstructionFlags = [], imm: Int64 = 0
  ) {
    self.opcode = opcode
    self.qp = qp
    self.r1 = r1
    self.r2 = r2
    self.r3 = r3
    self.r4 = r4
    self.hint = hint
    self.aux = aux
    self.flags = flags
    self.imm = imm
  }
}

extension Instruction {
  // MARK: Register fields under their names in the manual

  @inlinable @inline(__always) public var f1: UInt8 { r1 }
  @inlinable @inline(__always) public var f2: UInt8 { r2 }
  @inlinable @inline(__always) public var f3: UInt8 { r3 }
  @inlinable @inline(__always) public var f4: UInt8 { r4 }
  @inlinable @inline(__always) public var p1: UInt8 { r1 }
  @inlinable @inline(__always) public var p2: UInt8 { r4 }
  @inlinable @inline(__always) public var b1: UInt8 { r1 }
  @inlinable @inline(__always) public var b2: UInt8 { r2 }
  @inlinable @inline(__always) public var ar3: UInt8 { r3 }
  @inlinable @inline(__always) public var cr3: UInt8 { r3 }

  // MARK: Second immediates

  /// Byte 0 of `aux`: the shift count of `shladd`, `shladdp4`, `pshladd2`, `pshradd2` (1…4), `shrp` (0…63),
  /// `pshl`/`pshr`
  /// (0…31), `pmpyshr2` (0, 7, 15 or 16); the line count of `lfetch.count` (1…64).
  @inlinable @inline(__always) public var count: UInt8 { UInt8(truncatingIfNeeded: aux) }

  /// Byte 0 of `aux`: the bit position of `extr`, `dep`, `dep.z`, `tbit` (0…63).
  @inlinable @inline(__always) public var pos: UInt8 { UInt8(truncatingIfNeeded: aux) }

  /// Byte 1 of `aux`: the length of `extr`, `dep.z` and `dep` with an immediate source (1…64), of `dep` (1…16).
  @inlinable @inline(__always) public var len: UInt8 { UInt8(truncatingIfNeeded: aux >> 8) }

  /// Byte 0 of `aux`: the 4-bit type of `mux1` (0 brcst, 8 mix, 9 shuf, 10 alt, 11 rev; others are reserved).
  @inlinable @inline(__always) public var mbtype: UInt8 { UInt8(truncatingIfNeeded: aux) }

  /// Byte 0 of `aux`: the 8-bit selector of `mux2`, two bits per result lane, lowest lane first.
  @inlinable @inline(__always) public var mhtype: UInt8 { UInt8(truncatingIfNeeded: aux) }

  /// Byte 0 of `aux`: the feature number of `tf` (32…63), a bit of CPUID[4].
  @inlinable @inline(__always) public var feature: UInt8 { UInt8(truncatingIfNeeded: aux) }

  /// Byte 0 of `aux`: size of frame of `alloc`, in registers.
  @inlinable @inline(__always) public var sof: UInt8 { UInt8(truncatingIfNeeded: aux) }

  /// Byte 1 of `aux`: size of locals of `alloc`, in registers (inputs included).
  @inlinable @inline(__always) public var sol: UInt8 { UInt8(truncatingIfNeeded: aux >> 8) }

  /// Byte 2 of `aux`: size of rotating of `alloc`, in groups of eight registers, as CFM.sor.
  @inlinable @inline(__always) public var sor: UInt8 { UInt8(truncatingIfNeeded: aux >> 16) }

  /// Byte 0 of `aux`: the and-mask of `fsetc` (7 bits).
  @inlinable @inline(__always) public var amask: UInt8 { UInt8(truncatingIfNeeded: aux) }

  /// Byte 1 of `aux`: the or-mask of `fsetc` (7 bits).
  @inlinable @inline(__always) public var omask: UInt8 { UInt8(truncatingIfNeeded: aux >> 8) }

  /// The tag of `brp`, in bytes relative to the bundle's address (its 9 bits are bytes 0 and 1 of `aux`).
  @inlinable public var tag: Int64 { Int64(Int32(bitPattern: aux << 23) >> 23) << 4 }

  /// The floating-point status field an operation names (0…3).
  @inlinable @inline(__always) public var statusField: UInt8 { hint & 3 }

  /// What a pair load with base update adds to `r3`, in bytes: 8 for two singles, else 16.
  @inlinable public var pairIncrement: Int64 {
    switch opcode {
    case .ldfps_i, .ldfps_s_i, .ldfps_a_i, .ldfps_sa_i, .ldfps_c_clr_i, .ldfps_c_nc_i: 8
    default: 16
    }
  }
}
