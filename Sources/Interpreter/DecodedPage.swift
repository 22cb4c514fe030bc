// Decoded code: every 4-KiB granule of guest memory that is executed has an array of decoded slots, filled bundle by
// bundle as execution reaches them and emptied when the guest writes there. Raw memory throughout, keyed by physical
// address, so that it outlives changes of the translations that lead to it.
import CSupport
import IA64
import Machine

/// What the run loop does at a slot. `general` goes through `executeInstruction`; the first cases are no instructions.
enum Fast: UInt8 {
  case undecoded, pageEnd, site
  case general, nop
  case constant, move, add, addImmediate, sub, subImmediate, and, andcm, or, xor, andImmediate, orImmediate
  case xorImmediate, addOne, subOne, shladd, addp4, addp4Immediate
  case shl, shr, shrUnsigned, shrp, extract, extractUnsigned, depositZero, deposit, depositImmediate
  case zeroExtend1, zeroExtend2, zeroExtend4, signExtend1, signExtend2, signExtend4
  case compareEqual, compareLess, compareLessUnsigned
  case compareEqualImmediate, compareLessImmediate, compareLessUnsignedImmediate
  case compare4Equal, compare4Less, compare4LessUnsigned
  case compare4EqualImmediate, compare4LessImmediate, compare4LessUnsignedImmediate
  case testBit, compareTyped
  case mix4Right, mix4Left, andcmImmediate
  case load1, load2, load4, load8
  case load1Immediate, load2Immediate, load4Immediate, load8Immediate
  case load1Register, load2Register, load4Register, load8Register
  case store1, store2, store4, store8
  case store1Immediate, store2Immediate, store4Immediate, store8Immediate
  case branch, branchAway, branchIndirect, call, callIndirect, return_, countedLoop
  case loopTop, loopExit, whileTop, whileExit
  case moveToBranch, moveFromBranch, moveFromIP, moveFromPredicates
  case moveFromPFS, moveFromLC, moveToPFS, moveToLC
  case alloc
  case checkSpeculation
  case loadDouble, loadSingle, loadInteger, storeDouble, storeSingle, storeInteger
  case getSignificand, setSignificand, getDouble, setDouble, multiplyAddLow, moveFloat, convertFromInteger
  case floatCompare, fmaDouble, fmsDouble, fnmaDouble, multiplyAdd, reciprocal, float
}

/// One decoded slot: 32 bytes.
struct Slot {
  var instruction = Instruction(opcode: .nop_m)
  var fast = Fast.undecoded
  /// The predicate that decides whether the run loop looks at the slot at all: 0 where the instruction decides itself.
  var predicate: UInt8 = 0
  /// Issued slots that this one and the nops behind it, which are done with it, count for; and how far the next lies.
  var cost: UInt8 = 0
  var advance: UInt8 = 0
  /// A branch target within the granule, in slots from this one; 0: elsewhere.
  var target: Int16 = 0
  /// Bundle within the granule, times 4, plus the slot in it.
  var position: UInt16 = 0
}

extension Slot {
  /// Whether the instruction takes two slots.
  @inline(__always) var isLong: Bool { instruction.flags.rawValue & InstructionFlags.long.rawValue != 0 }
}

typealias SlotPointer = UnsafeMutablePointer<Slot>

/// One granule of decoded code. `slots` has three a bundle and a sentinel behind the last.
struct DecodedPage {
  var physical: UInt64
  var host: UnsafeRawPointer
  var slots: SlotPointer
  /// The next page in its hash chain.
  var next: UnsafeMutablePointer<DecodedPage>?
  /// Whether any bundle is decoded.
  var used: Bool
}

typealias PagePointer = UnsafeMutablePointer<DecodedPage>

let bundlesPerPage = 256
let slotsPerPage = 3 * bundlesPerPage

/// Where the run loop finds the page of a fetch address: a direct-mapped cache of resolved fetches.
struct FetchLine {
  /// Virtual page address, and in its low bits the addressing mode (psr.it, psr.cpl).
  var tag: UInt64 = 1 << 11
  var generation: UInt64 = 0
  var page: PagePointer? = nil
}

extension DecodedPage {
  static func make(physical: UInt64, host: UnsafeRawPointer) -> PagePointer {
    let page = PagePointer.allocate(capacity: 1)
    let slots = SlotPointer.allocate(capacity: slotsPerPage + 1)
    page.initialize(to: DecodedPage(physical: physical, host: host, slots: slots, next: nil, used: false))
    page.clear()
    return page
  }
}

extension UnsafeMutablePointer where Pointee == DecodedPage {
  /// Marks every bundle as not decoded.
  func clear() {
    for index in 0..<slotsPerPage {
      var slot = Slot()
      slot.position = UInt16(index / 3 * 4 + index % 3)
      (pointee.slots + index).initialize(to: slot)
    }
    var end = Slot()
    end.fast = .pageEnd
    end.position = UInt16(bundlesPerPage * 4)
    (pointee.slots + slotsPerPage).initialize(to: end)
    pointee.used = false
  }

  /// Marks the bundles in `range` as not decoded.
  func forget(_ range: ClosedRange<Int>) {
    for index in (3 * range.lowerBound)..<(3 * range.upperBound + 3) {
      pointee.slots[index].fast = .undecoded
      pointee.slots[index].predicate = 0
      pointee.slots[index].cost = 0
    }
  }

  /// Decodes one bundle. `site`: the index of the bound call site that begins here; `alat`: advanced and check loads
  /// are more than loads.
  func decode(bundle: Int, site: Int?, alat: Bool) {
    let bits = InstructionBundle(loadingFrom: pointee.host + 16 * bundle)
    let decoded = Decoder.decode(bits)
    let slots = pointee.slots + 3 * bundle
    for index in 0..<3 {
      slots[index].instruction = decoded[index]
      prepare(slots + index, bundle, index)
      if alat && !decoded[index].flags.isDisjoint(with: [.advanced, .checkLoad]) { slots[index].fast = .general }
    }
    if decoded.template.isLong { slots[1].advance = 2 }
    joinNops(slots)
    if let site {
      slots[0].fast = .site
      slots[0].predicate = 0
      slots[0].cost = 0
      slots[0].instruction.imm = Int64(site)
    }
    pointee.used = true
  }

  private func prepare(_ slot: SlotPointer, _ bundle: Int, _ index: Int) {
    let instruction = slot.pointee.instruction
    slot.pointee.fast = fastCode(instruction, slot: index)
    slot.pointee.cost = 1
    slot.pointee.advance = 1
    slot.pointee.target = 0
    slot.pointee.predicate = opcodeRecipe(instruction.opcode).ownPredicate ? 0 : instruction.qp
    if instruction.flags.contains(.relative), instruction.imm & 15 == 0 {
      let target = bundle + Int(instruction.imm >> 4)
      if target >= 0 && target < bundlesPerPage {
        slot.pointee.target = Int16(3 * target - (3 * bundle + index))
      } else if slot.pointee.fast == .branch {
        slot.pointee.fast = .branchAway
      }
    }
  }

  /// Lets an instruction take the nops behind it in its bundle along. Not where it may go elsewhere than forward.
  private func joinNops(_ slots: SlotPointer) {
    for index in [1, 0] where slots[index].fast.takesNops {
      let next = index + Int(slots[index].advance)
      if next < 3 && slots[next].fast == .nop {
        slots[index].cost += slots[next].cost
        slots[index].advance += slots[next].advance
      }
    }
  }
}

extension Fast {
  /// Whether the run loop's case for it goes on at `advance` and nowhere else, or is `nop`.
  var takesNops: Bool {
    switch self {
    case .undecoded, .pageEnd, .site, .general, .branch, .branchAway, .branchIndirect, .call, .callIndirect, .return_,
      .countedLoop, .loopTop, .loopExit, .whileTop, .whileExit, .checkSpeculation, .alloc, .float, .multiplyAdd,
      .fmaDouble, .fmsDouble, .fnmaDouble, .reciprocal:
      return false
    default:
      return true
    }
  }
}

/// The run loop's case for an instruction: `general` unless nothing but what the case does can matter in the states the
/// run loop is for (no NaT). Illegal targets that do not depend on the frame stay general, which faults.
private func fastCode(_ i: Instruction, slot: Int) -> Fast {
  if i.flags.contains(.illegalOperands) { return .general }
  switch i.opcode {
  case .nop_m, .nop_i, .nop_b, .nop_f, .nop_x, .hint_m, .hint_i, .hint_b, .hint_f, .hint_x, .brp, .brp_indirect,
    .brp_ret:
    return .nop
  case .movl: return .constant
  case .adds, .addl: return i.r3 == 0 ? .constant : i.imm == 0 ? .move : .addImmediate
  case .add: return .add
  case .add_1: return .addOne
  case .sub: return .sub
  case .sub_1: return .subOne
  case .sub_imm: return .subImmediate
  case .and: return .and
  case .andcm: return .andcm
  case .or: return .or
  case .xor: return .xor
  case .and_imm: return .andImmediate
  case .or_imm: return .orImmediate
  case .xor_imm: return .xorImmediate
  case .shladd: return .shladd
  case .addp4: return .addp4
  case .addp4_imm: return .addp4Immediate
  case .shl: return .shl
  case .shr: return .shr
  case .shr_u: return .shrUnsigned
  case .shrp: return i.count == 0 ? .general : .shrp
  case .extr: return Int(i.pos) + Int(i.len) > 64 ? .general : .extract
  case .extr_u: return Int(i.pos) + Int(i.len) > 64 ? .general : .extractUnsigned
  case .dep_z: return Int(i.pos) + Int(i.len) > 64 ? .general : .depositZero
  case .dep: return Int(i.pos) + Int(i.len) > 64 ? .general : .deposit
  case .dep_imm: return Int(i.pos) + Int(i.len) > 64 ? .general : .depositImmediate
  case .zxt1: return .zeroExtend1
  case .zxt2: return .zeroExtend2
  case .zxt4: return .zeroExtend4
  case .sxt1: return .signExtend1
  case .sxt2: return .signExtend2
  case .sxt4: return .signExtend4
  case .mov_from_ip: return .moveFromIP
  case .mov_from_pr: return .moveFromPredicates
  case .mov_to_br, .mov_ret_to_br: return .moveToBranch
  case .mov_from_br: return .moveFromBranch
  case .mov_from_ar_i: return i.r3 == 64 ? .moveFromPFS : i.r3 == 65 ? .moveFromLC : .general
  case .mov_to_ar_i: return i.r3 == 65 ? .moveToLC : i.r3 == 64 ? .moveToPFS : .general
  case .mix4_r, .unpack4_l: return .mix4Right
  case .mix4_l, .unpack4_h: return .mix4Left
  case .andcm_imm: return .andcmImmediate
  case .alloc: return .alloc
  case .chk_s_i, .chk_s_m: return .checkSpeculation
  default: break
  }
  return comparisonCode(i) ?? memoryCode(i) ?? branchCode(i, slot) ?? floatCode(i) ?? .general
}

private func comparisonCode(_ i: Instruction) -> Fast? {
  if !i.flags.contains(.writesPR) || i.r1 == i.r4 { return nil }
  let kind = opcodeRecipe(i.opcode).kind
  let typed: Fast? = kind == .compare ? .compareTyped : nil
  // With p0 as its predicate an `unc` compare is a normal one.
  if i.flags.contains(.unconditional) && i.qp != 0 { return typed }
  switch i.opcode {
  case .cmp_eq, .cmp_eq_unc: return .compareEqual
  case .cmp_lt, .cmp_lt_unc: return .compareLess
  case .cmp_ltu, .cmp_ltu_unc: return .compareLessUnsigned
  case .cmp_eq_imm, .cmp_eq_unc_imm: return .compareEqualImmediate
  case .cmp_lt_imm, .cmp_lt_unc_imm: return .compareLessImmediate
  case .cmp_ltu_imm, .cmp_ltu_unc_imm: return .compareLessUnsignedImmediate
  case .cmp4_eq, .cmp4_eq_unc: return .compare4Equal
  case .cmp4_lt, .cmp4_lt_unc: return .compare4Less
  case .cmp4_ltu, .cmp4_ltu_unc: return .compare4LessUnsigned
  case .cmp4_eq_imm, .cmp4_eq_unc_imm: return .compare4EqualImmediate
  case .cmp4_lt_imm, .cmp4_lt_unc_imm: return .compare4LessImmediate
  case .cmp4_ltu_imm, .cmp4_ltu_unc_imm: return .compare4LessUnsignedImmediate
  case .tbit_z, .tbit_z_unc: return .testBit
  default: return typed
  }
}

private func memoryCode(_ i: Instruction) -> Fast? {
  switch i.opcode {
  case .ld1, .ld1_acq, .ld1_bias, .ld1_a, .ld1_c_clr, .ld1_c_nc, .ld1_c_clr_acq, .ld1_s, .ld1_sa: return .load1
  case .ld2, .ld2_acq, .ld2_bias, .ld2_a, .ld2_c_clr, .ld2_c_nc, .ld2_c_clr_acq, .ld2_s, .ld2_sa: return .load2
  case .ld4, .ld4_acq, .ld4_bias, .ld4_a, .ld4_c_clr, .ld4_c_nc, .ld4_c_clr_acq, .ld4_s, .ld4_sa: return .load4
  case .ld8, .ld8_acq, .ld8_bias, .ld8_a, .ld8_c_clr, .ld8_c_nc, .ld8_c_clr_acq, .ld8_s, .ld8_sa: return .load8
  case .ld1_i, .ld1_acq_i, .ld1_bias_i, .ld1_a_i, .ld1_s_i, .ld1_sa_i: return .load1Immediate
  case .ld2_i, .ld2_acq_i, .ld2_bias_i, .ld2_a_i, .ld2_s_i, .ld2_sa_i: return .load2Immediate
  case .ld4_i, .ld4_acq_i, .ld4_bias_i, .ld4_a_i, .ld4_s_i, .ld4_sa_i: return .load4Immediate
  case .ld8_i, .ld8_acq_i, .ld8_bias_i, .ld8_a_i, .ld8_s_i, .ld8_sa_i: return .load8Immediate
  case .ld1_r: return .load1Register
  case .ld2_r: return .load2Register
  case .ld4_r: return .load4Register
  case .ld8_r: return .load8Register
  case .st1, .st1_rel: return .store1
  case .st2, .st2_rel: return .store2
  case .st4, .st4_rel: return .store4
  case .st8, .st8_rel: return .store8
  case .st1_i, .st1_rel_i: return .store1Immediate
  case .st2_i, .st2_rel_i: return .store2Immediate
  case .st4_i, .st4_rel_i: return .store4Immediate
  case .st8_i, .st8_rel_i: return .store8Immediate
  default: return nil
  }
}

private func branchCode(_ i: Instruction, _ slot: Int) -> Fast? {
  switch i.opcode {
  case .br_cond, .brl_cond: return .branch
  case .br_cond_indirect: return .branchIndirect
  case .br_call, .brl_call: return .call
  case .br_call_indirect: return .callIndirect
  case .br_ret: return .return_
  case .br_cloop: return slot == 2 ? .countedLoop : nil
  case .br_ctop: return slot == 2 ? .loopTop : nil
  case .br_cexit: return slot == 2 ? .loopExit : nil
  case .br_wtop: return slot == 2 ? .whileTop : nil
  case .br_wexit: return slot == 2 ? .whileExit : nil
  default: return nil
  }
}

private func floatCode(_ i: Instruction) -> Fast? {
  if i.flags.contains(.writesFR) && i.r1 < 2 { return nil }
  switch i.opcode {
  case .ldfd, .ldfd_a, .ldfd_c_clr, .ldfd_c_nc, .ldfd_i, .ldfd_a_i, .ldfd_r, .ldfd_a_r: return .loadDouble
  case .ldfs, .ldfs_a, .ldfs_c_clr, .ldfs_c_nc, .ldfs_i, .ldfs_a_i, .ldfs_r, .ldfs_a_r: return .loadSingle
  case .ldf8, .ldf8_a, .ldf8_c_clr, .ldf8_c_nc, .ldf8_i, .ldf8_a_i, .ldf8_r, .ldf8_a_r: return .loadInteger
  case .stfd, .stfd_i: return .storeDouble
  case .stfs, .stfs_i: return .storeSingle
  case .stf8, .stf8_i: return .storeInteger
  case .getf_sig: return .getSignificand
  case .setf_sig: return .setSignificand
  case .xma_l: return .multiplyAddLow
  case .getf_d: return .getDouble
  case .setf_d: return .setDouble
  case .fmerge_s: return i.r2 == i.r3 ? .moveFloat : .float
  case .fcvt_xf: return .convertFromInteger
  case .fma_d: return .fmaDouble
  case .fms_d: return .fmsDouble
  case .fnma_d: return .fnmaDouble
  case .fma, .fma_s, .fms, .fms_s, .fnma, .fnma_s: return .multiplyAdd
  case .frcpa: return .reciprocal
  case .fcmp_eq, .fcmp_lt, .fcmp_le: return i.r1 == i.r4 ? .float : .floatCompare
  case .fcmp_eq_unc, .fcmp_lt_unc, .fcmp_le_unc: return i.qp != 0 || i.r1 == i.r4 ? .float : .floatCompare
  default: return opcodeRecipe(i.opcode).kind == .floatCompute ? .float : nil
  }
}
