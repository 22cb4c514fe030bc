// The run loop: the interpreter's fast path. It holds while no register of the frame is NaT and nothing asks for
// attention between instructions (`canRunFast`), and it works on raw pointers only: no reference counts, allocations or
// exclusivity checks (a test looks at the emitted code). It exists twice: for registers that are not renamed, which is
// nearly all code, and for loops that rotate.
//
// A case either does its whole instruction and goes on, or leaves the switch having done nothing; then
// `executeInstruction` does it, faults included.
import CSupport
import Glibc
import IA64
import Machine

/// The registers of the loop that a change of frame, page or rotation moves.
struct LoopFrame {
  /// Where register 32 would stand if the stacked registers began at 0.
  var stacked: UnsafeMutablePointer<UInt64>
  /// The first general register outside the frame.
  var limit: UInt8
  /// Size of the rotating part, and the rename bases; zero in the loop for registers that are not renamed.
  var rotating = 0, general = 0, float = 0, predicate = 0

  @inline(__always) init(_ cpu: CPU, renamed: Bool) {
    let cfm = cpu.pointee.cfm
    stacked = cpu.pointee.frame - 32
    limit = UInt8(truncatingIfNeeded: 32 + (cfm & 0x7f))
    if renamed {
      rotating = CFM.sor(cfm)
      general = CFM.rrbGR(cfm)
      float = CFM.rrbFR(cfm)
      predicate = CFM.rrbPR(cfm)
    }
  }

  @inline(__always) func address(_ gr: UnsafeMutablePointer<UInt64>, _ n: UInt8, renamed: Bool)
    -> UnsafeMutablePointer<UInt64>
  {
    if renamed, n >= 32, Int(n) &- 32 < rotating {
      let moved = Int(n) &+ general
      return stacked + (moved &- 32 >= rotating ? moved &- rotating : moved)
    }
    return (n < 32 ? gr : stacked) + Int(n)
  }

  /// The physical number of a predicate.
  @inline(__always) func predicate(_ n: UInt8, renamed: Bool) -> Int {
    if !renamed || n < 16 { return Int(n) }
    let moved = Int(n) &+ predicate
    return moved > 63 ? moved &- 48 : moved
  }
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

extension Slot {
  @inline(__always) var baseUpdate: BaseUpdate {
    opcodeRecipe(instruction.opcode).baseUpdate
  }
}

/// Fields of ar.pfs that must be zero.
@inline(__always) private var reservedPFS: UInt64 { 0x3fff << 38 | 0xf << 58 }

/// Psr bits under which every instruction needs a look before or after it.
@inline(__always) var slowPSR: UInt64 { PSR.tb | PSR.ss | PSR.db | PSR.oneShot }

extension UnsafeMutablePointer where Pointee == kt_cpu {
  /// Whether the run loop's cases are right for the present state: the one for renamed registers, or the other.
  @inline(__always) var canRunFast: Bool { pointee.nat_live == 0 && pointee.psr & slowPSR == 0 }

  @inline(__always) var isRenamed: Bool { pointee.cfm >> 18 != 0 }

  /// Whether the run loop must return to look at events, a request to stop or a NaT.
  @inline(__always) var wantsAttention: Bool {
    pointee.event_check | pointee.stop_request | pointee.nat_live != 0
  }
}

/// Executes from `ip`/`ri` while `canRunFast` holds. Returns `.done` where the caller should look at the state and come
/// again, `.branched` and `.interrupted` likewise; `.stopped` as everywhere. ip, ri and budget are current.
@inline(never)
func runFast(_ cpu: CPU, _ state: UnsafeMutablePointer<InterpreterState>) -> Status {
  runLoop(cpu, state, renamed: false)
}

/// The same while registers are renamed.
@inline(never)
func runRenamed(_ cpu: CPU, _ state: UnsafeMutablePointer<InterpreterState>) -> Status {
  runLoop(cpu, state, renamed: true)
}

@inline(__always)
private func runLoop(_ cpu: CPU, _ state: UnsafeMutablePointer<InterpreterState>, renamed: Bool) -> Status {
  let gr = cpu.staticGR
  let predicates = cpu.predicates
  let branches = cpu.branches
  let logging = cpu.pointee.store_log != nil
  var frame = LoopFrame(cpu, renamed: renamed)
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
    } else if predicates[frame.predicate(s.pointee.predicate, renamed: renamed)] == 0 {
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
        @inline(__always) func value2() -> UInt64 {
          registers.address(gr, code.pointee.instruction.r2, renamed: renamed).pointee
        }
        @inline(__always) func value3() -> UInt64 {
          registers.address(gr, code.pointee.instruction.r3, renamed: renamed).pointee
        }
        @inline(__always) func immediate() -> UInt64 { UInt64(bitPattern: code.pointee.instruction.imm) }
        @inline(__always) func canWrite() -> Bool { code.pointee.instruction.r1 < registers.limit }
        @inline(__always) func write(_ value: UInt64) {
          registers.address(gr, code.pointee.instruction.r1, renamed: renamed).pointee = value
        }
        @inline(__always) func test(_ result: Bool) {
          predicates[registers.predicate(code.pointee.instruction.r1, renamed: renamed)] = result ? 1 : 0
          predicates[registers.predicate(code.pointee.instruction.r4, renamed: renamed)] = result ? 0 : 1
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
          registers.address(gr, code.pointee.instruction.r3, renamed: renamed).pointee = base &+ increment
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
          registers.address(gr, code.pointee.instruction.r3, renamed: renamed).pointee = base &+ immediate()
          return true
        }
        @inline(__always) func floats() -> FloatFile { FloatFile(cpu, rotation: renamed ? registers.float : 0) }
        /// A floating-point operand in canonical form.
        @inline(__always) func float(_ n: UInt8) -> kt_fr { cpu.unpack(floats()[n]) }
        @inline(__always) func isOn(_ n: UInt8) -> Bool { predicates[registers.predicate(n, renamed: renamed)] != 0 }
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
          let qualified = isOn(code.pointee.instruction.qp)
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
        case .loopTop, .loopExit, .whileTop, .whileExit:
          let goesOn: Bool, exits: Bool
          if code.pointee.fast == .loopTop || code.pointee.fast == .loopExit {
            goesOn = stepCountedLoop(cpu)
            exits = code.pointee.fast == .loopExit
          } else {
            goesOn = stepWhileLoop(cpu, isOn(code.pointee.instruction.qp))
            exits = code.pointee.fast == .whileExit
          }
          frame = LoopFrame(cpu, renamed: renamed)
          if goesOn == exits {
            s = next
          } else if code.pointee.target != 0 {
            s = code + Int(code.pointee.target)
          } else {
            target = bundleAddress(code, pageAddress) &+ immediate()
            break
          }
          // The loop that does not rename has no use for what has been rotated.
          if !renamed || cpu.wantsAttention { break leave }
          continue
        case .branchAway: target = bundleAddress(code, pageAddress) &+ immediate()
        case .branchIndirect: target = branches[Int(code.pointee.instruction.r2)] & ~15
        case .call, .callIndirect:
          let here = bundleAddress(code, pageAddress)
          target = code.pointee.fast == .call
            ? here &+ immediate() : branches[Int(code.pointee.instruction.r2)] & ~15
          branches[Int(code.pointee.instruction.r1)] = here &+ 16
          cpu.rseCall()
          frame = LoopFrame(cpu, renamed: renamed)
        case .return_:
          let pfs = cpu.pointee.ar_pfs
          // A change of privilege or a renamed frame is for `executeInstruction`.
          if pfs >> 62 > cpu.pointee.psr >> PSR.cplShift & 3 || pfs & 0x3f_fffc_0000 != 0 { break slow }
          target = branches[Int(code.pointee.instruction.r2)] & ~15
          cpu.rseReturn()
          cpu.pointee.ar_ec = pfs >> 52 & 0x3f
          frame = LoopFrame(cpu, renamed: renamed)

        case .moveToBranch: branches[Int(code.pointee.instruction.r1)] = value2()
        case .moveFromBranch:
          if !canWrite() { break slow }
          write(branches[Int(code.pointee.instruction.r2)])
        case .moveFromIP:
          if !canWrite() { break slow }
          write(bundleAddress(code, pageAddress))
        case .moveFromPredicates:
          if !canWrite() { break slow }
          write(cpu.packedPredicates)
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
          frame = LoopFrame(cpu, renamed: renamed)
          if cpu.wantsAttention {
            s = next
            break leave
          }

        case .loadDouble, .loadSingle, .loadInteger:
          let update = code.pointee.baseUpdate
          if floatsAreDisabled(cpu) || (update != .none && code.pointee.instruction.r3 >= registers.limit) {
            break slow
          }
          let base = value3()
          let size: UInt64 = code.pointee.fast == .loadSingle ? 4 : 8
          guard let host = hostForLoad(cpu, base, size) else { break slow }
          let loaded: kt_fr?
          switch code.pointee.fast {
          case .loadDouble: loaded = packed(host.load(as: UInt64.self))
          case .loadSingle: loaded = packed(single: host.load(as: UInt32.self))
          default: loaded = integerFloat(host.load(as: UInt64.self))
          }
          guard let value = loaded else { break slow }
          if update != .none {
            registers.address(gr, code.pointee.instruction.r3, renamed: renamed).pointee =
              base &+ (update == .immediate ? immediate() : value2())
          }
          setFloat(cpu, floats(), code.pointee.instruction.r1, value)
        case .storeDouble, .storeSingle, .storeInteger:
          let updates = code.pointee.baseUpdate != .none
          if logging || floatsAreDisabled(cpu) || (updates && code.pointee.instruction.r3 >= registers.limit) {
            break slow
          }
          let base = value3(), value = floats()[code.pointee.instruction.r2]
          let size: UInt64 = code.pointee.fast == .storeSingle ? 4 : 8
          guard !isNaTVal(value), let host = hostForStore(cpu, base, size) else { break slow }
          switch code.pointee.fast {
          case .storeDouble: host.storeBytes(of: doubleBits(value), as: UInt64.self)
          case .storeSingle: host.storeBytes(of: singleBits(cpu.unpack(value)), as: UInt32.self)
          default: host.storeBytes(of: cpu.unpack(value).significand, as: UInt64.self)
          }
          if updates {
            registers.address(gr, code.pointee.instruction.r3, renamed: renamed).pointee = base &+ immediate()
          }
        case .getSignificand:
          let value = float(code.pointee.instruction.r2)
          if floatsAreDisabled(cpu) || !canWrite() || isNaTVal(value) { break slow }
          write(value.significand)
        case .getDouble:
          let value = floats()[code.pointee.instruction.r2]
          if floatsAreDisabled(cpu) || !canWrite() || isNaTVal(value) { break slow }
          write(doubleBits(value))
        case .setSignificand:
          if floatsAreDisabled(cpu) { break slow }
          setFloat(cpu, floats(), code.pointee.instruction.r1, integerFloat(value2()))
        case .setDouble:
          guard !floatsAreDisabled(cpu), let value = packed(value2()) else { break slow }
          setFloat(cpu, floats(), code.pointee.instruction.r1, value)
        case .multiplyAddLow:
          let f2 = float(code.pointee.instruction.r2), f3 = float(code.pointee.instruction.r3)
          let f4 = float(code.pointee.instruction.r4)
          if floatsAreDisabled(cpu) || isNaTVal(f2) || isNaTVal(f3) || isNaTVal(f4) { break slow }
          let sum = f3.significand &* f4.significand &+ f2.significand
          setFloat(cpu, floats(), code.pointee.instruction.r1, integerFloat(sum))
        case .moveFloat:
          if floatsAreDisabled(cpu) { break slow }
          setFloat(cpu, floats(), code.pointee.instruction.r1, floats()[code.pointee.instruction.r3])
        case .convertFromInteger:
          if floatsAreDisabled(cpu) { break slow }
          setFloat(
            cpu, floats(), code.pointee.instruction.r1, convertQuickly(cpu, floats()[code.pointee.instruction.r2]))
        case .floatCompare:
          guard !floatsAreDisabled(cpu),
            let holds = compareQuickly(
              cpu, code.pointee.instruction.opcode, floats()[code.pointee.instruction.r2],
              floats()[code.pointee.instruction.r3])
          else { break slow }
          test(holds)
        case .fmaDouble, .fmsDouble, .fnmaDouble:
          if multiplyAddOnHost(cpu, code, floats().rotation) { break }
          fallthrough
        case .multiplyAdd:
          if multiplyAddQuickly(cpu, code, floats().rotation) { break }
          fallthrough
        case .reciprocal, .float:
          let qualified = isOn(code.pointee.instruction.qp)
          if code.pointee.fast == .reciprocal && qualified && reciprocateQuickly(cpu, code, floats().rotation) {
            predicates[registers.predicate(code.pointee.instruction.r4, renamed: renamed)] = 1
            break
          }
          cpu.pointee.ip = bundleAddress(code, pageAddress)
          cpu.pointee.ri = UInt32(code.pointee.position & 3)
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
        let otherLoop = cpu.isRenamed != renamed
        if target & ~0xfff != pageAddress || cpu.wantsAttention || otherLoop {
          if cpu.isUnimplemented(instruction: target) {
            cpu.pointee.ip = bundleAddress(code, pageAddress)
            cpu.pointee.ri = UInt32(code.pointee.position & 3)
            cpu.pointee.budget = budget
            return branchTrap(cpu, target)
          }
          cpu.pointee.ip = target
          cpu.pointee.ri = 0
          // Without budget nothing is fetched: that may fault, and a fault has a slot of its own.
          if cpu.wantsAttention || otherLoop || budget <= 0 {
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
      let generation = cpu.pointee.fetch_generation
      let status = executeInstruction(cpu, instruction(code))
      budget = cpu.pointee.budget
      if status != .done { return status }
      s = code + (code.pointee.isLong && code.pointee.position & 3 == 1 ? 2 : 1)
      // The instruction may also have taken its own page's translation away.
      if cpu.wantsAttention || !cpu.canRunFast || cpu.isRenamed != renamed
        || cpu.pointee.fetch_generation != generation
      { break leave }
      frame = LoopFrame(cpu, renamed: renamed)
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
