// The run loop: the interpreter's fast path. It holds while no register of the frame is NaT, no register is renamed and
// nothing asks for attention between instructions (`canRunFast`), and it works on raw pointers only: no reference
// counts, allocations or exclusivity checks (a test looks at the emitted code).
//
// A case either does its whole instruction and goes on, or leaves the switch having done nothing; then
// `executeInstruction` does it, faults included.
import CSupport
import Glibc
import IA64
import Machine

/// The registers of the loop that a change of frame or page moves.
private struct LoopFrame {
  /// Where register 32 would stand if the stacked registers began at 0.
  var stacked: UnsafeMutablePointer<UInt64>
  /// The first general register outside the frame.
  var limit: UInt8

  @inline(__always) init(_ cpu: CPU) {
    stacked = cpu.pointee.frame - 32
    limit = UInt8(truncatingIfNeeded: 32 + (cpu.pointee.cfm & 0x7f))
  }
}

@inline(__always)
private func address(
  _ gr: UnsafeMutablePointer<UInt64>, _ frame: LoopFrame, _ n: UInt8
) -> UnsafeMutablePointer<UInt64> {
  (n < 32 ? gr : frame.stacked) + Int(n)
}

/// A load through the software TLB: nil where the slow path is needed.
@inline(__always)
private func hostForLoad(_ cpu: CPU, _ va: UInt64, _ size: UInt64) -> UnsafeRawPointer? {
  let line = kt_stlb_lines(cpu.pointee.stlb) + Int(kt_stlb_index(va))
  if va & (~0xfff | (size - 1)) != line.pointee.read_tag { return nil }
  return UnsafeRawPointer(bitPattern: UInt(truncatingIfNeeded: va &+ line.pointee.addend))
}

@inline(__always)
private func hostForStore(_ cpu: CPU, _ va: UInt64, _ size: UInt64) -> UnsafeMutableRawPointer? {
  let line = kt_stlb_lines(cpu.pointee.stlb) + Int(kt_stlb_index(va))
  if va & (~0xfff | (size - 1)) != line.pointee.write_tag { return nil }
  return UnsafeMutableRawPointer(bitPattern: UInt(truncatingIfNeeded: va &+ line.pointee.addend))
}

// MARK: Floating point

extension Slot {
  @inline(__always) var baseUpdate: BaseUpdate {
    opcodeRecipe(instruction.opcode).baseUpdate
  }
}

@inline(__always)
private func disabled(_ cpu: CPU) -> Bool { cpu.pointee.psr & (PSR.dfl | PSR.dfh) != 0 }

/// A floating-point register in canonical form, none being renamed.
@inline(__always)
private func float(_ cpu: CPU, _ n: UInt8) -> kt_fr { cpu.unpack(kt_floats(cpu)[Int(n)]) }

@inline(__always)
private func setFloat(_ cpu: CPU, _ n: UInt8, _ value: kt_fr) {
  kt_floats(cpu)[Int(n)] = value
  cpu.pointee.psr |= n < 32 ? PSR.mfl : PSR.mfh
}

@inline(__always)
private func isNaTVal(_ value: kt_fr) -> Bool { value.significand == 0 && value.sign_exponent == 0x1fffe }

@inline(__always)
private func integerFloat(_ value: UInt64) -> kt_fr { kt_fr(significand: value, sign_exponent: 0x1003e) }

/// A double or single that is normal or zero, in register format; nil for the others.
@inline(__always)
private func registerFormat(double bits: UInt64) -> kt_fr? {
  let exponent = bits >> 52 & 0x7ff
  let sign = (bits >> 63) << 17
  if exponent &- 1 < 0x7fe {
    return kt_fr(significand: 1 << 63 | bits << 11, sign_exponent: sign | (exponent &+ 0xfc00))
  }
  return bits << 1 == 0 ? kt_fr(significand: 0, sign_exponent: sign) : nil
}

@inline(__always)
private func registerFormat(single bits: UInt32) -> kt_fr? {
  let exponent = UInt64(bits >> 23 & 0xff)
  let sign = UInt64(bits >> 31) << 17
  if exponent &- 1 < 0xfe {
    return kt_fr(significand: 1 << 63 | UInt64(bits) << 40, sign_exponent: sign | (exponent &+ 0xff80))
  }
  return bits << 1 == 0 ? kt_fr(significand: 0, sign_exponent: sign) : nil
}

/// The bits of stfd and stfs (SDM vol. 1, 5.3.2): the fields as they are, exponent zero without the integer bit.
@inline(__always)
private func doubleBits(_ value: kt_fr) -> UInt64 {
  let exponent = value.significand >> 63 == 0
    ? 0 : (value.sign_exponent >> 16 & 1) << 10 | (value.sign_exponent & 0x3ff)
  return (value.sign_exponent >> 17 & 1) << 63 | exponent << 52 | (value.significand << 1) >> 12
}

@inline(__always)
private func singleBits(_ value: kt_fr) -> UInt32 {
  let exponent = value.significand >> 63 == 0
    ? 0 : (value.sign_exponent >> 16 & 1) << 7 | (value.sign_exponent & 0x7f)
  return UInt32(
    truncatingIfNeeded: (value.sign_exponent >> 17 & 1) << 31 | exponent << 23 | (value.significand << 1) >> 41)
}

/// The value as an IEEE double if it is one that is normal or zero.
@inline(__always)
private func asDouble(_ value: kt_fr) -> Double? {
  let exponent = value.sign_exponent & 0x1ffff
  let sign = (value.sign_exponent >> 17) << 63
  if exponent &- 0xfc01 < 0x7fe && value.significand >> 63 == 1 && value.significand & 0x7ff == 0 {
    return Double(bitPattern: sign | (exponent &- 0xfc00) << 52 | (value.significand << 1) >> 12)
  }
  return exponent == 0 && value.significand == 0 ? Double(bitPattern: sign) : nil
}

/// fma.d, fms.d, fnma.d by the host's fused operation, where nothing but the value can come of it: operands that are
/// doubles, a normal result, rounding to nearest in double's range, and an inexact result already noted and not
/// trapped. False: nothing done.
@inline(__always)
private func multiplyAddOnHost(_ cpu: CPU, _ slot: SlotPointer) -> Bool {
  let instruction = slot.pointee.instruction
  let fpsr = cpu.pointee.ar_fpsr
  let field = fpsr >> (6 + 13 * UInt64(instruction.hint & 3))
  // wre and rc zero, the inexact flag set; the inexact trap disabled for all fields.
  if field & 0x1032 != 0x1000 || fpsr & 0x20 == 0 || disabled(cpu) { return false }
  guard let a = asDouble(float(cpu, instruction.r3)), let b = asDouble(float(cpu, instruction.r4)),
    let c = asDouble(float(cpu, instruction.r2))
  else { return false }
  let product = slot.pointee.fast == .fnmaDouble ? -a : a
  let result = fma(product, b, slot.pointee.fast == .fmsDouble ? -c : c)
  let bits = result.bitPattern
  let exponent = bits >> 52 & 0x7ff
  // Zero, tiny (or nearly so) and overflowing results have more to them than a value.
  if exponent &- 2 > 0x7fc { return false }
  let value = kt_fr(significand: 1 << 63 | bits << 11, sign_exponent: (bits >> 63) << 17 | (exponent &+ 0xfc00))
  setFloat(cpu, instruction.r1, value)
  return true
}

/// Fields of ar.pfs that must be zero.
@inline(__always) private var reservedPFS: UInt64 { 0x3fff << 38 | 0xf << 58 }

/// Psr bits under which every instruction needs a look before or after it.
@inline(__always) var slowPSR: UInt64 { PSR.tb | PSR.ss | PSR.db | PSR.oneShot }

extension UnsafeMutablePointer where Pointee == kt_cpu {
  /// Whether the run loop's cases are right for the present state.
  @inline(__always) var canRunFast: Bool {
    pointee.nat_live == 0 && pointee.cfm >> 18 == 0 && pointee.psr & slowPSR == 0
  }

  /// Whether the run loop must return to look at events, a request to stop or a NaT.
  @inline(__always) var wantsAttention: Bool {
    pointee.event_check | pointee.stop_request | pointee.nat_live != 0
  }
}

/// Executes from `ip`/`ri` while `canRunFast` holds. Returns `.done` where the caller should look at the state and come
/// again, `.branched` and `.interrupted` likewise; `.stopped` as everywhere. ip, ri and budget are current.
@inline(never)
func runFast(_ cpu: CPU, _ state: UnsafeMutablePointer<InterpreterState>) -> Status {
  let gr = cpu.staticGR
  let predicates = cpu.predicates
  let branches = cpu.branches
  let logging = cpu.pointee.store_log != nil
  var frame = LoopFrame(cpu)
  var budget = cpu.pointee.budget
  var pageAddress = cpu.pointee.ip & ~0xfff
  guard let first = locate(cpu, state) else {
    cpu.pointee.budget = budget &- 1
    return afterFailedFetch(cpu)
  }
  var base = first
  var s = first + Int(3 * (cpu.pointee.ip >> 4 & 255)) + Int(cpu.pointee.ri)

  @inline(__always) func bundleAddress(_ s: SlotPointer, _ page: UInt64) -> UInt64 {
    page &+ UInt64(s.pointee.position >> 2) << 4
  }

  while true {
    budget &-= Int64(s.pointee.cost)
    if budget < 0 {
      let left = budget &+ Int64(s.pointee.cost)
      if left <= 0 {
        cpu.pointee.ip = bundleAddress(s, pageAddress)
        cpu.pointee.ri = UInt32(s.pointee.position & 3)
        cpu.pointee.budget = left
        return .done
      }
      // Enough for the instruction, but not for the nops behind it: the slow way does without them.
    } else if predicates[Int(s.pointee.predicate)] == 0 {
      s += Int(s.pointee.advance)
      continue
    }
    let code = s
    let next = s + Int(s.pointee.advance)
    // Set by the cases that branch to another page, and by what ran `executeInstruction`.
    var target: UInt64 = 1 // no bundle's address
    leave: do {
      slow: do {
        if budget < 0 { break slow }
        // A constant: a captured variable would need exclusivity checks.
        let registers = frame
        @inline(__always) func value2() -> UInt64 { address(gr, registers, code.pointee.instruction.r2).pointee }
        @inline(__always) func value3() -> UInt64 { address(gr, registers, code.pointee.instruction.r3).pointee }
        @inline(__always) func immediate() -> UInt64 { UInt64(bitPattern: code.pointee.instruction.imm) }
        @inline(__always) func canWrite() -> Bool { code.pointee.instruction.r1 < registers.limit }
        @inline(__always) func write(_ value: UInt64) {
          address(gr, registers, code.pointee.instruction.r1).pointee = value
        }
        @inline(__always) func test(_ result: Bool) {
          predicates[Int(code.pointee.instruction.r1)] = result ? 1 : 0
          predicates[Int(code.pointee.instruction.r4)] = result ? 0 : 1
          predicates[0] = 1
        }
        @inline(__always) func load<T: FixedWidthInteger>(_ type: T.Type) -> Bool {
          guard canWrite(), let host = hostForLoad(cpu, value3(), UInt64(MemoryLayout<T>.size)) else { return false }
          write(UInt64(truncatingIfNeeded: host.load(as: T.self)))
          return true
        }
        @inline(__always) func loadUpdate<T: FixedWidthInteger>(_ type: T.Type, _ increment: UInt64) -> Bool {
          let base = value3()
          guard canWrite(), code.pointee.instruction.r3 < registers.limit,
            let host = hostForLoad(cpu, base, UInt64(MemoryLayout<T>.size))
          else { return false }
          address(gr, registers, code.pointee.instruction.r3).pointee = base &+ increment
          write(UInt64(truncatingIfNeeded: host.load(as: T.self)))
          return true
        }
        @inline(__always) func store<T: FixedWidthInteger>(_ type: T.Type) -> Bool {
          if logging { return false }
          guard let host = hostForStore(cpu, value3(), UInt64(MemoryLayout<T>.size)) else { return false }
          host.storeBytes(of: T(truncatingIfNeeded: value2()), as: T.self)
          return true
        }
        @inline(__always) func storeUpdate<T: FixedWidthInteger>(_ type: T.Type) -> Bool {
          if logging || code.pointee.instruction.r3 >= registers.limit { return false }
          let base = value3()
          guard let host = hostForStore(cpu, base, UInt64(MemoryLayout<T>.size)) else { return false }
          host.storeBytes(of: T(truncatingIfNeeded: value2()), as: T.self)
          address(gr, registers, code.pointee.instruction.r3).pointee = base &+ immediate()
          return true
        }
        @inline(__always) func mask(_ length: UInt8) -> UInt64 { UInt64.max &>> (64 &- UInt64(length)) }
        @inline(__always) func position() -> UInt64 { UInt64(code.pointee.instruction.pos) }

        switch code.pointee.fast {
        case .nop: break
        case .constant:
          if !canWrite() { break slow }
          write(immediate())
        case .move:
          if !canWrite() { break slow }
          write(value3())
        case .add:
          if !canWrite() { break slow }
          write(value2() &+ value3())
        case .addOne:
          if !canWrite() { break slow }
          write(value2() &+ value3() &+ 1)
        case .addImmediate:
          if !canWrite() { break slow }
          write(immediate() &+ value3())
        case .sub:
          if !canWrite() { break slow }
          write(value2() &- value3())
        case .subOne:
          if !canWrite() { break slow }
          write(value2() &- value3() &- 1)
        case .subImmediate:
          if !canWrite() { break slow }
          write(immediate() &- value3())
        case .and:
          if !canWrite() { break slow }
          write(value2() & value3())
        case .andcm:
          if !canWrite() { break slow }
          write(value2() & ~value3())
        case .or:
          if !canWrite() { break slow }
          write(value2() | value3())
        case .xor:
          if !canWrite() { break slow }
          write(value2() ^ value3())
        case .andImmediate:
          if !canWrite() { break slow }
          write(immediate() & value3())
        case .orImmediate:
          if !canWrite() { break slow }
          write(immediate() | value3())
        case .xorImmediate:
          if !canWrite() { break slow }
          write(immediate() ^ value3())
        case .shladd:
          if !canWrite() { break slow }
          write(value2() &<< UInt64(code.pointee.instruction.count) &+ value3())
        case .addp4:
          if !canWrite() { break slow }
          write(pointerSum(value2() &+ value3(), value3()))
        case .addp4Immediate:
          if !canWrite() { break slow }
          write(pointerSum(immediate() &+ value3(), value3()))
        case .shl:
          if !canWrite() { break slow }
          let count = value3()
          write(count > 63 ? 0 : value2() &<< count)
        case .shr:
          if !canWrite() { break slow }
          let count = value2()
          write(UInt64(bitPattern: Int64(bitPattern: value3()) &>> (count > 63 ? 63 : Int64(bitPattern: count))))
        case .shrUnsigned:
          if !canWrite() { break slow }
          let count = value2()
          write(count > 63 ? 0 : value3() &>> count)
        case .shrp:
          if !canWrite() { break slow }
          let count = UInt64(code.pointee.instruction.count)
          write(value3() &>> count | value2() &<< (64 &- count))
        case .extract:
          if !canWrite() { break slow }
          let length = UInt64(code.pointee.instruction.len)
          let high = Int64(bitPattern: value3() &<< (64 &- length &- position()))
          write(UInt64(bitPattern: high &>> Int64(bitPattern: 64 &- length)))
        case .extractUnsigned:
          if !canWrite() { break slow }
          write(value3() &>> position() & mask(code.pointee.instruction.len))
        case .depositZero:
          if !canWrite() { break slow }
          write((value2() & mask(code.pointee.instruction.len)) &<< position())
        case .deposit:
          if !canWrite() { break slow }
          let field = mask(code.pointee.instruction.len)
          write(value3() & ~(field &<< position()) | (value2() & field) &<< position())
        case .depositImmediate:
          if !canWrite() { break slow }
          let field = mask(code.pointee.instruction.len)
          write(value3() & ~(field &<< position()) | (immediate() & field) &<< position())
        case .zeroExtend1:
          if !canWrite() { break slow }
          write(value3() & 0xff)
        case .zeroExtend2:
          if !canWrite() { break slow }
          write(value3() & 0xffff)
        case .zeroExtend4:
          if !canWrite() { break slow }
          write(value3() & 0xffff_ffff)
        case .signExtend1:
          if !canWrite() { break slow }
          write(UInt64(bitPattern: Int64(Int8(truncatingIfNeeded: value3()))))
        case .signExtend2:
          if !canWrite() { break slow }
          write(UInt64(bitPattern: Int64(Int16(truncatingIfNeeded: value3()))))
        case .signExtend4:
          if !canWrite() { break slow }
          write(UInt64(bitPattern: Int64(Int32(truncatingIfNeeded: value3()))))

        case .compareEqual: test(value2() == value3())
        case .compareLess: test(Int64(bitPattern: value2()) < Int64(bitPattern: value3()))
        case .compareLessUnsigned: test(value2() < value3())
        case .compareEqualImmediate: test(immediate() == value3())
        case .compareLessImmediate: test(code.pointee.instruction.imm < Int64(bitPattern: value3()))
        case .compareLessUnsignedImmediate: test(immediate() < value3())
        case .compare4Equal: test(UInt32(truncatingIfNeeded: value2()) == UInt32(truncatingIfNeeded: value3()))
        case .compare4Less: test(Int32(truncatingIfNeeded: value2()) < Int32(truncatingIfNeeded: value3()))
        case .compare4LessUnsigned:
          test(UInt32(truncatingIfNeeded: value2()) < UInt32(truncatingIfNeeded: value3()))
        case .compare4EqualImmediate:
          test(UInt32(truncatingIfNeeded: immediate()) == UInt32(truncatingIfNeeded: value3()))
        case .compare4LessImmediate:
          test(Int32(truncatingIfNeeded: immediate()) < Int32(truncatingIfNeeded: value3()))
        case .compare4LessUnsignedImmediate:
          test(UInt32(truncatingIfNeeded: immediate()) < UInt32(truncatingIfNeeded: value3()))
        case .testBit: test(value3() &>> position() & 1 == 0)

        case .compareTyped:
          let qualified = predicates[Int(code.pointee.instruction.qp)] != 0
          _ = executeCompare(cpu, instruction(code), instruction(code).recipe, qualified)
        case .mix4Right:
          if !canWrite() { break slow }
          write(value2() << 32 | value3() & 0xffff_ffff)
        case .mix4Left:
          if !canWrite() { break slow }
          write(value2() & ~0xffff_ffff | value3() >> 32)
        case .andcmImmediate:
          if !canWrite() { break slow }
          write(immediate() & ~value3())

        case .load1: if !load(UInt8.self) { break slow }
        case .load2: if !load(UInt16.self) { break slow }
        case .load4: if !load(UInt32.self) { break slow }
        case .load8: if !load(UInt64.self) { break slow }
        case .load1Immediate: if !loadUpdate(UInt8.self, immediate()) { break slow }
        case .load2Immediate: if !loadUpdate(UInt16.self, immediate()) { break slow }
        case .load4Immediate: if !loadUpdate(UInt32.self, immediate()) { break slow }
        case .load8Immediate: if !loadUpdate(UInt64.self, immediate()) { break slow }
        case .load1Register: if !loadUpdate(UInt8.self, value2()) { break slow }
        case .load2Register: if !loadUpdate(UInt16.self, value2()) { break slow }
        case .load4Register: if !loadUpdate(UInt32.self, value2()) { break slow }
        case .load8Register: if !loadUpdate(UInt64.self, value2()) { break slow }
        case .store1: if !store(UInt8.self) { break slow }
        case .store2: if !store(UInt16.self) { break slow }
        case .store4: if !store(UInt32.self) { break slow }
        case .store8: if !store(UInt64.self) { break slow }
        case .store1Immediate: if !storeUpdate(UInt8.self) { break slow }
        case .store2Immediate: if !storeUpdate(UInt16.self) { break slow }
        case .store4Immediate: if !storeUpdate(UInt32.self) { break slow }
        case .store8Immediate: if !storeUpdate(UInt64.self) { break slow }

        case .branch:
          s = code + Int(code.pointee.target)
          if cpu.wantsAttention { break leave }
          continue
        case .countedLoop:
          if cpu.pointee.ar_lc != 0 {
            cpu.pointee.ar_lc &-= 1
            if code.pointee.target == 0 {
              target = bundleAddress(code, pageAddress) &+ immediate()
              break
            }
            s = code + Int(code.pointee.target)
            if cpu.wantsAttention { break leave }
            continue
          }
        case .branchAway: target = bundleAddress(code, pageAddress) &+ immediate()
        case .branchIndirect: target = branches[Int(code.pointee.instruction.r2)] & ~15
        case .call, .callIndirect:
          let here = bundleAddress(code, pageAddress)
          target = code.pointee.fast == .call
            ? here &+ immediate() : branches[Int(code.pointee.instruction.r2)] & ~15
          branches[Int(code.pointee.instruction.r1)] = here &+ 16
          cpu.rseCall()
          frame = LoopFrame(cpu)
        case .return_:
          let pfs = cpu.pointee.ar_pfs
          // A change of privilege or a renamed frame is for `executeInstruction`.
          if pfs >> 62 > cpu.pointee.psr >> PSR.cplShift & 3 || pfs & 0x3f_fffc_0000 != 0 { break slow }
          target = branches[Int(code.pointee.instruction.r2)] & ~15
          cpu.rseReturn()
          cpu.pointee.ar_ec = pfs >> 52 & 0x3f
          frame = LoopFrame(cpu)

        case .moveToBranch: branches[Int(code.pointee.instruction.r1)] = value2()
        case .moveFromBranch:
          if !canWrite() { break slow }
          write(branches[Int(code.pointee.instruction.r2)])
        case .moveFromIP:
          if !canWrite() { break slow }
          write(bundleAddress(code, pageAddress))
        case .moveFromPredicates:
          if !canWrite() { break slow }
          write(packPredicates(cpu))
        case .moveFromPFS:
          if !canWrite() { break slow }
          write(cpu.pointee.ar_pfs)
        case .moveFromLC:
          if !canWrite() { break slow }
          write(cpu.pointee.ar_lc)
        case .moveToLC: cpu.pointee.ar_lc = value2()
        case .moveToPFS:
          // Reserved fields make it a fault.
          if value2() & reservedPFS != 0 { break slow }
          cpu.pointee.ar_pfs = value2()
        case .alloc:
          cpu.pointee.ip = bundleAddress(code, pageAddress)
          cpu.pointee.ri = UInt32(code.pointee.position & 3)
          cpu.pointee.budget = budget
          let status = executeAlloc(cpu, instruction(code))
          budget = cpu.pointee.budget
          if status != .done { return status }
          frame = LoopFrame(cpu)
          if cpu.wantsAttention {
            s = next
            break leave
          }

        case .loadDouble, .loadSingle, .loadInteger:
          let update = code.pointee.baseUpdate
          if disabled(cpu) || (update != .none && code.pointee.instruction.r3 >= frame.limit) { break slow }
          let base = value3()
          let size: UInt64 = code.pointee.fast == .loadSingle ? 4 : 8
          guard let host = hostForLoad(cpu, base, size) else { break slow }
          let loaded: kt_fr?
          switch code.pointee.fast {
          case .loadDouble: loaded = registerFormat(double: host.load(as: UInt64.self))
          case .loadSingle: loaded = registerFormat(single: host.load(as: UInt32.self))
          default: loaded = integerFloat(host.load(as: UInt64.self))
          }
          guard let value = loaded else { break slow }
          if update != .none {
            address(gr, frame, code.pointee.instruction.r3).pointee =
              base &+ (update == .immediate ? immediate() : value2())
          }
          setFloat(cpu, code.pointee.instruction.r1, value)
        case .storeDouble, .storeSingle, .storeInteger:
          let updates = code.pointee.baseUpdate != .none
          if logging || disabled(cpu) || (updates && code.pointee.instruction.r3 >= frame.limit) { break slow }
          let base = value3(), value = float(cpu, code.pointee.instruction.r2)
          let size: UInt64 = code.pointee.fast == .storeSingle ? 4 : 8
          guard !isNaTVal(value), let host = hostForStore(cpu, base, size) else { break slow }
          switch code.pointee.fast {
          case .storeDouble: host.storeBytes(of: doubleBits(value), as: UInt64.self)
          case .storeSingle: host.storeBytes(of: singleBits(value), as: UInt32.self)
          default: host.storeBytes(of: value.significand, as: UInt64.self)
          }
          if updates { address(gr, frame, code.pointee.instruction.r3).pointee = base &+ immediate() }
        case .getSignificand:
          let value = float(cpu, code.pointee.instruction.r2)
          if disabled(cpu) || !canWrite() || isNaTVal(value) { break slow }
          write(value.significand)
        case .setSignificand:
          if disabled(cpu) { break slow }
          setFloat(cpu, code.pointee.instruction.r1, integerFloat(value2()))
        case .multiplyAddLow:
          let f2 = float(cpu, code.pointee.instruction.r2), f3 = float(cpu, code.pointee.instruction.r3)
          let f4 = float(cpu, code.pointee.instruction.r4)
          if disabled(cpu) || isNaTVal(f2) || isNaTVal(f3) || isNaTVal(f4) { break slow }
          let sum = f3.significand &* f4.significand &+ f2.significand
          setFloat(cpu, code.pointee.instruction.r1, integerFloat(sum))
        case .fmaDouble, .fmsDouble, .fnmaDouble, .float:
          if code.pointee.fast != .float && multiplyAddOnHost(cpu, code) { break }
          cpu.pointee.ip = bundleAddress(code, pageAddress)
          cpu.pointee.ri = UInt32(code.pointee.position & 3)
          let qualified = predicates[Int(code.pointee.instruction.qp)] != 0
          let status = executeFloat(cpu, instruction(code), qualified)
          if status != .done {
            cpu.pointee.budget = budget
            return status
          }
        case .checkSpeculation: break // no NaT here

        case .undecoded:
          decodeBundle(cpu, state, code, bundleAddress(code, pageAddress))
          continue
        case .pageEnd:
          target = pageAddress &+ 4096
        default: break slow
        }
        if target == 1 {
          s = next
          continue
        }
        // To another page, or at least through the register that may lead to one.
        if target & ~0xfff != pageAddress || cpu.wantsAttention {
          cpu.pointee.ip = target
          cpu.pointee.ri = 0
          if cpu.wantsAttention {
            cpu.pointee.budget = budget
            return .branched
          }
          guard let found = locate(cpu, state) else {
            cpu.pointee.budget = budget &- 1
            return afterFailedFetch(cpu)
          }
          base = found
          pageAddress = target & ~0xfff
        }
        s = base + Int(3 * (target >> 4 & 255))
        continue
      }
      // The slow way: one instruction, without the nops behind it.
      budget &+= Int64(code.pointee.cost) &- 1
      cpu.pointee.budget = budget
      cpu.pointee.ip = bundleAddress(code, pageAddress)
      cpu.pointee.ri = UInt32(code.pointee.position & 3)
      if code.pointee.fast == .site {
        cpu.pointee.budget = budget &+ 1
        return runSite(cpu, state, code)
      }
      let status = executeInstruction(cpu, instruction(code))
      budget = cpu.pointee.budget
      if status != .done { return status }
      s = code + (code.pointee.isLong && code.pointee.position & 3 == 1 ? 2 : 1)
      if cpu.wantsAttention || !cpu.canRunFast { break leave }
      frame = LoopFrame(cpu)
      continue
    }
    // Something wants attention: the next instruction is at s.
    cpu.pointee.ip = bundleAddress(s, pageAddress)
    cpu.pointee.ri = UInt32(s.pointee.position & 3)
    cpu.pointee.budget = budget
    return .branched
  }
}

/// A slot's instruction, which stands at the slot's beginning.
@inline(__always)
func instruction(_ slot: SlotPointer) -> Code { UnsafeRawPointer(slot).assumingMemoryBound(to: Instruction.self) }
