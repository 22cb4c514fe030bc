// The guest's registers as the engines read and write them: general registers with renaming and NaT bits,
// predicates, floating-point registers, and the fields of psr and cfm (SDM vol. 1, chapter 3; vol. 2, 3.3.2).
//
// Everything here is inlined into both engines and works on the C struct behind a raw pointer.
import CSupport

/// A guest processor: its state as both engines and emitted code see it (`kittson_cpu.h`).
public typealias CPU = UnsafeMutablePointer<kt_cpu>

/// How an instruction ended: the values of `kt_status` as emitted code passes them.
public typealias Status = Int32

extension Status {
  /// Done: the next instruction stands in the following slot.
  @inlinable package static var done: Status { 0 }
  /// Done: `ip` and `ri` say where to go on.
  @inlinable package static var branched: Status { 1 }
  /// An interruption was delivered: `ip` and `ri` stand at its handler.
  @inlinable package static var interrupted: Status { 2 }
  /// The engine must return to its caller; `stop_reason` says why.
  @inlinable package static var stopped: Status { 3 }
  /// A speculative load's fault is deferred: its target becomes NaT. Only loads with the speculative flag give it.
  @inlinable package static var deferred: Status { 4 }
}

/// Bits of the processor status register (SDM vol. 2, table 3-2). `ri` is kept apart, in `kt_cpu.ri`.
@usableFromInline package enum PSR {
  @inlinable package static var be: UInt64 { 1 << 1 }
  @inlinable package static var up: UInt64 { 1 << 2 }
  @inlinable package static var ac: UInt64 { 1 << 3 }
  @inlinable package static var mfl: UInt64 { 1 << 4 }
  @inlinable package static var mfh: UInt64 { 1 << 5 }
  @inlinable package static var ic: UInt64 { 1 << 13 }
  @inlinable package static var i: UInt64 { 1 << 14 }
  @inlinable package static var pk: UInt64 { 1 << 15 }
  @inlinable package static var dt: UInt64 { 1 << 17 }
  @inlinable package static var dfl: UInt64 { 1 << 18 }
  @inlinable package static var dfh: UInt64 { 1 << 19 }
  @inlinable package static var sp: UInt64 { 1 << 20 }
  @inlinable package static var pp: UInt64 { 1 << 21 }
  @inlinable package static var di: UInt64 { 1 << 22 }
  @inlinable package static var si: UInt64 { 1 << 23 }
  @inlinable package static var db: UInt64 { 1 << 24 }
  @inlinable package static var lp: UInt64 { 1 << 25 }
  @inlinable package static var tb: UInt64 { 1 << 26 }
  @inlinable package static var rt: UInt64 { 1 << 27 }
  @inlinable package static var cplShift: UInt64 { 32 }
  @inlinable package static var cpl: UInt64 { 3 << 32 }
  @inlinable package static var `is`: UInt64 { 1 << 34 }
  @inlinable package static var mc: UInt64 { 1 << 35 }
  @inlinable package static var it: UInt64 { 1 << 36 }
  @inlinable package static var id: UInt64 { 1 << 37 }
  @inlinable package static var da: UInt64 { 1 << 38 }
  @inlinable package static var dd: UInt64 { 1 << 39 }
  @inlinable package static var ss: UInt64 { 1 << 40 }
  @inlinable package static var riShift: UInt64 { 41 }
  @inlinable package static var ri: UInt64 { 3 << 41 }
  @inlinable package static var ed: UInt64 { 1 << 43 }
  @inlinable package static var bn: UInt64 { 1 << 44 }
  @inlinable package static var ia: UInt64 { 1 << 45 }

  /// The user mask: what `mov psr.um`, `sum` and `rum` reach.
  @inlinable package static var userMask: UInt64 { 0x3e }
  /// The system mask: what `ssm` and `rsm` reach, the user mask included (bits 23:0 without the reserved ones).
  @inlinable package static var systemMask: UInt64 { be | up | ac | mfl | mfh | ic | i | pk | dt | dfl | dfh | sp | pp | di | si }
  /// What `mov psr.l` writes.
  @inlinable package static var lowerHalf: UInt64 { systemMask | db | lp | tb | rt }
  /// Bits that hold for one instruction and are cleared when it completes.
  @inlinable package static var oneShot: UInt64 { id | da | dd | ss | ed | ia }
}

/// Fields of the current frame marker (SDM vol. 2, table 6-1 has the RSE's view of it).
@usableFromInline package enum CFM {
  @inlinable package static func sof(_ cfm: UInt64) -> Int { Int(cfm & 0x7f) }
  @inlinable package static func sol(_ cfm: UInt64) -> Int { Int(cfm >> 7 & 0x7f) }
  /// Size of the rotating part in registers.
  @inlinable package static func sor(_ cfm: UInt64) -> Int { Int(cfm >> 14 & 0xf) << 3 }
  @inlinable package static func rrbGR(_ cfm: UInt64) -> Int { Int(cfm >> 18 & 0x7f) }
  @inlinable package static func rrbFR(_ cfm: UInt64) -> Int { Int(cfm >> 25 & 0x7f) }
  @inlinable package static func rrbPR(_ cfm: UInt64) -> Int { Int(cfm >> 32 & 0x3f) }
  @inlinable package static var mask: UInt64 { (1 << 38) - 1 }
  /// Whether `alloc` and rotations can have made the marker. Software can put any other into ar.pfs or cr.ifs, for which
  /// the manual promises nothing; a return to it gives an empty frame.
  @inlinable package static func isPossible(_ cfm: UInt64) -> Bool {
    let sof = sof(cfm)
    if sof > 96 || sol(cfm) > sof { return false }
    return cfm >> 14 == 0 || isPossibleRotation(cfm)
  }
  @usableFromInline @inline(never) package static func isPossibleRotation(_ cfm: UInt64) -> Bool {
    sor(cfm) <= sof(cfm) && rrbGR(cfm) < max(1, sor(cfm)) && rrbFR(cfm) < 96 && rrbPR(cfm) < 48
  }
  @inlinable package static func make(sof: Int, sol: Int, sor: Int) -> UInt64 {
    UInt64(sof) | UInt64(sol) << 7 | UInt64(sor >> 3) << 14
  }
}

extension UnsafeMutablePointer where Pointee == kt_cpu {
  // MARK: Fields

  @inlinable package var sof: Int { CFM.sof(pointee.cfm) }
  @inlinable package var sol: Int { CFM.sol(pointee.cfm) }
  @inlinable package var sor: Int { CFM.sor(pointee.cfm) }
  @inlinable package var rrbGR: Int { CFM.rrbGR(pointee.cfm) }
  @inlinable package var rrbFR: Int { CFM.rrbFR(pointee.cfm) }
  @inlinable package var rrbPR: Int { CFM.rrbPR(pointee.cfm) }
  @inlinable package var cpl: Int { Int(pointee.psr >> PSR.cplShift & 3) }

  /// Raw storage of r0…r31 of the active bank.
  @inlinable package var staticGR: UnsafeMutablePointer<UInt64> { kt_static_gr(self) }
  @inlinable package var staticNaT: UnsafeMutablePointer<UInt8> { kt_static_nat(self) }
  @inlinable package var predicates: UnsafeMutablePointer<UInt8> { kt_predicates(self) }
  @inlinable package var floats: UnsafeMutablePointer<kt_fr> { kt_floats(self) }
  @inlinable package var branches: UnsafeMutablePointer<UInt64> { kt_branches(self) }

  // MARK: General registers

  /// Offset of stacked register `n` (32…127) from the frame, renamed within the rotating part.
  @inlinable @inline(__always) package func stackedOffset(_ n: Int) -> Int {
    let offset = n - 32
    let cfm = pointee.cfm
    if cfm >> 14 == 0 { return offset }
    let sor = CFM.sor(cfm)
    if offset >= sor { return offset }
    let renamed = offset + CFM.rrbGR(cfm)
    return renamed >= sor ? renamed - sor : renamed
  }

  /// The value of general register `n` (0…127, architectural).
  @inlinable @inline(__always) package func readGR(_ n: Int) -> UInt64 {
    n < 32 ? staticGR[n] : pointee.frame[stackedOffset(n)]
  }

  /// Whether general register `n` holds a NaT. Of a register outside the frame, whose value the architecture leaves
  /// open, that is never said: `nat_live` is about the frame.
  @inlinable @inline(__always) package func readNaT(_ n: Int) -> Bool {
    if pointee.nat_live == 0 { return false }
    return n < 32 ? staticNaT[n] != 0 : n - 32 < sof && pointee.frame_nat[stackedOffset(n)] != 0
  }

  /// Writes general register `n` and clears its NaT bit. `n` must be a legal target (not r0, inside the frame).
  @inlinable @inline(__always) package func writeGR(_ n: Int, _ value: UInt64) {
    if n < 32 {
      staticGR[n] = value
      if pointee.nat_live != 0 { staticNaT[n] = 0 }
    } else {
      let offset = stackedOffset(n)
      pointee.frame[offset] = value
      if pointee.nat_live != 0 { pointee.frame_nat[offset] = 0 }
    }
  }

  /// Writes general register `n` and its NaT bit.
  @inlinable @inline(__always) package func writeGR(_ n: Int, _ value: UInt64, nat: Bool) {
    writeGR(n, value)
    if nat { setNaT(n) }
  }

  @inlinable @inline(never) package func setNaT(_ n: Int) {
    pointee.nat_live = 1
    if n < 32 {
      staticNaT[n] = 1
    } else {
      pointee.frame_nat[stackedOffset(n)] = 1
      noteNaTInRing()
    }
  }

  /// A NaT entered the ring: `alloc` and `br.ret` take their slow path until a scan finds none.
  @inlinable package func noteNaTInRing() {
    pointee.ring_has_nat = 1
    pointee.frame_limit = Int64.min
  }

  /// Looks whether any register of the current frame holds a NaT, and sets `nat_live` to the answer.
  package func scanNaT() {
    var any: UInt8 = 0
    for n in 1..<32 { any |= staticNaT[n] }
    for offset in 0..<sof { any |= pointee.frame_nat[offset] }
    pointee.nat_live = any
  }

  // MARK: Predicates

  @inlinable @inline(__always) package func physicalPR(_ n: Int) -> Int {
    if n < 16 { return n }
    let renamed = n + rrbPR
    return renamed > 63 ? renamed - 48 : renamed
  }
  @inlinable @inline(__always) package func readPR(_ n: Int) -> Bool { predicates[physicalPR(n)] != 0 }
  @inlinable @inline(__always) package func writePR(_ n: Int, _ value: Bool) {
    if n != 0 { predicates[physicalPR(n)] = value ? 1 : 0 }
  }

  /// The 64 predicates in one word as `mov r1=pr` gives them: as if CFM.rrb.pr were zero (SDM vol. 3, mov pr).
  @inlinable @inline(__always) package var packedPredicates: UInt64 {
    let bytes = UnsafeRawPointer(predicates)
    var word: UInt64 = 0
    for group in 0..<8 {
      // Each byte is 0 or 1: the product gathers the eight low bits in the top byte.
      let eight = bytes.load(fromByteOffset: group * 8, as: UInt64.self)
      word |= ((eight &* 0x0102_0408_1020_4080) >> 56) << UInt64(group * 8)
    }
    return word
  }

  /// Writes the predicates whose bits are set in `mask`, numbered likewise; p0 stays 1.
  @inlinable @inline(__always) package func setPredicates(_ word: UInt64, mask: UInt64) {
    var rest = mask & ~1
    while rest != 0 {
      let n = rest.trailingZeroBitCount
      predicates[n] = UInt8(truncatingIfNeeded: word >> UInt64(n) & 1)
      rest &= rest - 1
    }
  }

  // MARK: Floating-point registers

  @inlinable @inline(__always) package func physicalFR(_ n: Int) -> Int {
    if n < 32 { return n }
    let renamed = n + rrbFR
    return renamed > 127 ? renamed - 96 : renamed
  }

  /// The canonical form of floating-point register `n`: a packed double is unpacked.
  @inlinable @inline(__always) package func readFR(_ n: Int) -> kt_fr { unpack(floats[physicalFR(n)]) }

  @inlinable @inline(__always) package func unpack(_ value: kt_fr) -> kt_fr {
    if value.sign_exponent & KT_FR_PACKED_DOUBLE == 0 { return value }
    let bits = value.significand
    let sign = (bits >> 63) << 17
    let exponent = bits >> 52 & 0x7ff
    if exponent == 0 {
      return kt_fr(significand: (bits << 12) >> 1, sign_exponent: bits << 1 == 0 ? sign : sign | 0xfc01)
    }
    if exponent == 0x7ff { return kt_fr(significand: (1 << 63) | (bits << 11), sign_exponent: sign | 0x1ffff) }
    return kt_fr(significand: (1 << 63) | (bits << 11), sign_exponent: sign | (exponent + 0xffff - 0x3ff))
  }

  /// Writes floating-point register `n` (2…127) and the modified bit of its half in psr.
  @inlinable @inline(__always) package func writeFR(_ n: Int, _ value: kt_fr) {
    floats[physicalFR(n)] = value
    pointee.psr |= n < 32 ? PSR.mfl : PSR.mfh
  }
}
