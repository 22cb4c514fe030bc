// The frontend: reads guest bundles from an address on and lowers them to IR until the straight line ends. Register
// renaming is done here, from the frame marker in the block's key; what is not lowered is left to the interpreter's
// function for that one instruction. Semantics from the SDM vol. 3, chapter 2.
import CSupport
import IA64
import Machine

/// What the frontend needs to know of where it reads.
struct CodeSource {
  /// Host address of the 4-KiB granule that holds the block.
  var host: UnsafeRawPointer
  /// Guest virtual address of the granule.
  var page: UInt64
  /// Its physical address.
  var physical: UInt64
  var cpu: CPU
}

/// Bits of the mode in a block's key.
enum Mode {
  static let cpl: UInt64 = 3
  static let dt: UInt64 = 1 << 2, it: UInt64 = 1 << 3, ac: UInt64 = 1 << 4, dfl: UInt64 = 1 << 5, dfh: UInt64 = 1 << 6
  static let pk: UInt64 = 1 << 7
  static let shift: UInt64 = 40

  @inline(__always) static func of(_ psr: UInt64) -> UInt64 {
    (psr >> 32 & 3) | (psr >> 17 & 1) << 2 | (psr >> 36 & 1) << 3 | (psr >> 3 & 1) << 4 | (psr >> 18 & 3) << 5
      | (psr >> 15 & 1) << 7
  }
  /// psr bits under which nothing is translated.
  static let untranslated: UInt64 =
    PSR.be | PSR.tb | PSR.ss | PSR.db | PSR.id | PSR.da | PSR.dd | PSR.ed | PSR.ia | PSR.is
}

struct Frontend {
  static let bundleLimit = 64
  /// Instructions in a block at most; a call site counts as one.
  var instructionLimit = Int.max
  var plantedOperation: Int?
  var plantedOpcode: Opcode?

  var builder = Builder()
  var sites: UnsafeMutablePointer<kt_site_table>? = nil
  /// Whose code is read: its present state may decide what is worth lowering, never what is right.
  var cpu: CPU? = nil
  /// Whether executions of sites are to be counted.
  var countsCalls = false
  /// Host address of the counter of the site at hand until its execution is counted; 0: none.
  var uncounted: Int64 = 0
  /// Instructions that emitted code hands to the interpreter: their memory must live as long as the code.
  var arena: InstructionArena
  /// Sites whose start the block passes, however they are dispatched.
  var passedSites: [Int] = []
  /// Addresses of the bundles of the block, those of bound call sites included, in the order of execution.
  var path: [UInt64] = []
  var options = TranslatorOptions.all
  /// Address of the granule that is read.
  var page: UInt64 = 0
  /// Floating-point registers whose value the block has from `computeFloat`: likely no packed doubles.
  var called = FloatRegisterSet()

  var bundle: UInt64 = 0
  var slot = 0
  var ended = false
  /// The division whose instructions are at hand, with its operands, and whether the block has any.
  var division: (window: DivisionWindow, a: Int32, b: Int32)? = nil
  var hasDivision = false
  /// The quotient or root whose instructions are at hand, with its operands, and all of the block.
  var sequence: (window: SequenceWindow, a: Int32, b: Int32)? = nil
  var sequences: [DeferredSequence] = []
  /// Host address of the granule that is read.
  var text: UnsafeRawPointer? = nil
  /// Runs of instructions that the block's code puts off: who installs it keeps them for as long.
  var programs: [DeferredRun] = []
  /// Heads of loops in the region at hand: the line ends where it comes to one with the same marker.
  var heads: [RegionEntry] = []
  /// Guest registers that the region carries from block to block: the block's first values.
  var carriedSlots: [Int] = []
  /// Where the line goes on after a branch that it follows.
  var redirect: UInt64? = nil
  /// The instruction's address with its slot.
  var here: UInt64 { bundle | UInt64(slot) }
  var isLong = false
  var next: UInt64 { slot == 2 || (isLong && slot == 1) ? bundle &+ 16 : bundle | UInt64(slot + 1) }

  init(arena: InstructionArena) { self.arena = arena }

  /// Builds the block that starts at `start` (slot in the low bits) under the given marker and mode.
  mutating func translate(start: UInt64, marker: UInt64, mode: UInt64, source: CodeSource) {
    builder.begin(start: start, marker: marker, mode: mode)
    arena.dropUnkept()
    programs.removeAll(keepingCapacity: true)
    sequences.removeAll(keepingCapacity: true)
    sequence = nil
    text = source.host
    cpu = source.cpu
    bundle = start & ~15
    page = source.page
    slot = Int(start & 3)
    ended = false
    passedSites.removeAll(keepingCapacity: true)
    path.removeAll(keepingCapacity: true)
    called = FloatRegisterSet()
    redirect = nil
    division = nil
    hasDivision = false
    for slot in carriedSlots { _ = builder.emit(.get, imm: Int64(slot), size: 8) }
    for (index, slot) in carriedSlots.enumerated() { builder.current[slot] = Int32(index) }
    // Distance from the start, and bundles read: they differ where a branch was followed.
    var bundles = 0, read = 0
    var issued: Int32 = 0
    var instructions = 0
    while !ended {
      read += 1
      if slot == 0, let site = boundSite(at: bundle, source) {
        issued += Int32(KT_SITE_SLOTS)
        builder.issued = issued - Int32(KT_SITE_SLOTS)
        builder.position = UInt32(bundles << 2)
        isLong = false
        lowerSite(site)
        instructions += 1
        if ended { break }
        let past = site.pointee.end
        path.append(contentsOf: stride(from: bundle, to: past, by: 16))
        bundles += Int((past &- bundle) >> 4)
        bundle = past
      } else {
        path.append(bundle)
        if here == start {
          builder.position = UInt32(bundles << 2)
          builder.issued = issued
          beginDivision(source)
        }
        let words = source.host + Int(bundle &- source.page)
        let decoded = Decoder.decode(InstructionBundle(loadingFrom: words))
        // Slot 2 of an MLX bundle, where nothing but changed code or a wild rfi leads, is the long instruction too.
        let end = slot == 2 ? 3 : decoded.count
        while slot < end {
          isLong = decoded.template.isLong
          builder.position = UInt32(bundles << 2 | slot)
          builder.issued = issued
          issued += 1
          builder.predicate = -1
          builder.base = 0
          let instruction = slot == 0 ? decoded.slot0 : slot == 1 ? decoded.slot1 : decoded.slot2
          lower(instruction)
          if instruction.opcode == plantedOpcode, !ended {
            setGR(instruction.r1, builder.xorImmediate(gr(instruction.r1), 1))
          }
          instructions += 1
          if ended || redirect != nil { break }
          if instructions >= instructionLimit && slot + 1 < end {
            builder.issued = issued
            builder.predicate = -1
            leave(.direct, to: next)
            break
          }
          slot += 1
        }
        if ended { break }
        let following = redirect ?? bundle &+ 16
        redirect = nil
        bundles += Int((following &- bundle) >> 4)
        bundle = following
      }
      slot = 0
      if division != nil || sequence != nil { continue }
      if read >= Frontend.bundleLimit || isHead || instructions >= instructionLimit || bundle & ~0xfff != source.page
        || !builder.block.hasRoom {
        builder.issued = issued
        builder.position = UInt32(bundles << 2)
        leave(.direct, to: bundle, backward: bundle <= builder.block.start)
      }
    }
    builder.block.slots = issued
    builder.block.end = ended ? (bundle | 15) &+ 1 : bundle
  }

  /// Whether a loop of the region begins at the bundle at hand.
  private var isHead: Bool { heads.contains { $0.start == bundle && $0.marker == builder.marker } }

  // MARK: Ends

  /// Ends the block by a direct exit.
  mutating func leave(_ kind: ExitKind, to target: UInt64, backward: Bool? = nil) {
    let backward = backward ?? (target <= builder.block.start || target <= bundle)
    let exit = builder.makeExit(kind, to: target, backward: backward)
    _ = builder.emit(.exitAlways, imm: exit)
    ended = true
  }

  /// Leaves before the instruction at hand, which the interpreter is to execute: always, which ends the block, or where
  /// the instruction's predicate is true.
  mutating func leaveToInterpreter() {
    if builder.predicate >= 0 {
      let condition = builder.predicate
      builder.predicate = -1
      return builder.exit(if: condition, .interpret, to: here)
    }
    let exit = builder.makeExit(.interpret, to: here)
    _ = builder.emit(.exitAlways, imm: exit)
    ended = true
  }

  /// Hands the instruction to the interpreter and goes on behind it.
  mutating func interpret(_ instruction: Instruction) {
    if instruction.flags.contains(.endsBlock) || instruction.flags.contains(.branch) || instruction.opcode == .illegal {
      return leaveToInterpreter()
    }
    // The operands of the run at hand would be lost.
    if sequence != nil { return leaveToInterpreter() }
    let place = arena.add(instruction)
    let last: UInt8 = next & 15 == 0 ? 1 : 0
    _ = builder.emit(.interpret, imm: Int64(Int(bitPattern: place)), size: last)
    builder.forgetState()
  }

  // MARK: Registers

  /// The slot of general register `n`, renamed.
  func generalSlot(_ n: UInt8) -> Int {
    let n = Int(n)
    if n < 32 { return n }
    var offset = n - 32
    let sor = CFM.sor(builder.marker)
    if offset < sor {
      offset += CFM.rrbGR(builder.marker)
      if offset >= sor { offset -= sor }
    }
    return 32 + offset
  }

  func predicateSlot(_ n: UInt8) -> Int {
    var n = Int(n)
    if n >= 16 {
      n += CFM.rrbPR(builder.marker)
      if n > 63 { n -= 48 }
    }
    return Slot.predicates + n
  }

  mutating func gr(_ n: UInt8) -> Int32 {
    n == 0 ? builder.constant(Int64(0)) : builder.read(generalSlot(n))
  }

  func isWritable(_ n: UInt8) -> Bool { n != 0 && (n < 32 || Int(n) - 32 < CFM.sof(builder.marker)) }

  mutating func setGR(_ n: UInt8, _ value: Int32) { builder.write(generalSlot(n), value) }

  mutating func predicate(_ n: UInt8) -> Int32 {
    n == 0 ? builder.constant(Int64(1)) : builder.read(predicateSlot(n))
  }

  // MARK: One instruction

  mutating func lower(_ i: Instruction) {
    if division != nil && continueDivision(i) || sequence != nil && continueSequence(i) { return }
    if i.flags.contains(.usesFR) { settle(before: i) }
    let qualifying = predicate(i.qp)
    let known = builder.known(qualifying)
    let index = i.opcode.index
    if index >= Opcode.cmp_lt.index && index <= Opcode.cmp4_lt_or_andcm_zero.index
      || index >= Opcode.cmp4_lt_imm.index && index <= Opcode.cmp4_ne_or_andcm_imm.index
      || index >= Opcode.tbit_z.index && index <= Opcode.tf_nz_or_andcm.index {
      return lowerCompare(i, qualifying)
    }
    if index >= Opcode.fcmp_eq.index && index <= Opcode.fcmp_unord_unc.index && i.p1 != i.p2
      && lowerDoubleCompare(i, qualifying) {
      return
    }
    if (i.opcode == .fclass_m || i.opcode == .fclass_m_unc) && i.p1 != i.p2 && lowerClass(i, qualifying) { return }
    if let known {
      if known == 0 && !i.flags.contains(.unconditional) && !isLoopBranch(i.opcode) { return }
    } else {
      builder.predicate = qualifying
    }
    if cpu?.pointee.alat != nil && concernsALAT(i) { return interpret(i) }
    if index < Opcode.cmp_lt.index { return lowerInteger(i) }
    if index >= Opcode.br_cond.index && index <= Opcode.hint_b.index { return lowerBranch(i) }
    switch i.opcode {
    case .nop_m, .nop_i, .nop_f, .nop_x, .hint_m, .hint_i, .hint_f, .hint_x, .invala, .invala_e,
      .invala_e_f, .fwb, .mf, .srlz_d, .lfetch, .lfetch_excl:
      return
    case .setf_sig, .getf_sig, .xma_l: lowerIntegerFloat(i)
    case .lfetch_r, .lfetch_excl_r, .lfetch_i, .lfetch_excl_i:
      // The line is not fetched; the base is updated.
      guard isWritable(i.r3) else { return leaveToInterpreter() }
      let isImmediate = i.opcode == .lfetch_i || i.opcode == .lfetch_excl_i
      setGR(i.r3, isImmediate ? builder.addImmediate(gr(i.r3), i.imm) : builder.add(gr(i.r3), gr(i.r2)))
    case .movl:
      guard isWritable(i.r1) else { return leaveToInterpreter() }
      setGR(i.r1, builder.constant(i.imm))
    case .brl_cond, .brl_call: lowerBranch(i)
    case .alloc: lowerAlloc(i)
    case .chk_s_i, .chk_s_m: return
    case .chk_a_nc, .chk_a_clr:
      let target = bundle &+ UInt64(bitPattern: i.imm)
      if mayTrap(at: target) { return leaveToInterpreter() }
      builder.issued += 1  // a check that branches has been issued
      branch(to: target)
      builder.issued -= 1
    default:
      if index >= Opcode.shr.index && index <= Opcode.czx2_r.index { return lowerShift(i) }
      if index == Opcode.mux1.index { return lowerShift(i) }
      if index >= Opcode.padd1.index && index <= Opcode.pshl4_imm.index && lowerParallel(i) { return }
      if index >= Opcode.ldfe.index && index <= Opcode.ldfpd_c_nc_i.index && lowerFloatMemory(i) { return }
      if lowerFloat(i) { return }
      if index >= Opcode.ld1.index && index <= Opcode.st8_spill_i.index { return lowerMemory(i) }
      if !lowerSystem(i) { lowerMove(i) }
    }
  }

  /// Floating point that is not the interpreter's.
  private mutating func lowerFloat(_ i: Instruction) -> Bool {
    switch i.opcode {
    case .setf_d, .setf_s: return lowerSetDouble(i)
    case .getf_d: return lowerGetDouble(i)
    case .setf_exp: return lowerSetExponent(i)
    case .frcpa, .frsqrta: return beginSequence(i) || lowerFloatCall(i)
    case .fcvt_xf: return lowerConvertInteger(i) || lowerFloatCall(i)
    case .getf_s: return lowerGetSingle(i)
    case .fma_d, .fms_d, .fnma_d, .fma_s, .fms_s, .fnma_s:
      guard i.f1 > 1, ![i.f1, i.f2, i.f3, i.f4].contains(where: isDisabled) else { return false }
      return lowerDoubleArithmetic(i) || lowerFloatCall(i)
    case .fmerge_s, .fmerge_ns:
      return i.f1 > 1 && ![i.f1, i.f2, i.f3].contains(where: isDisabled) && lowerMerge(i)
    default: return lowerFloatCall(i)
    }
  }

  /// Instructions whose whole meaning, with an ALAT, is the interpreter's.
  private func concernsALAT(_ i: Instruction) -> Bool {
    switch i.opcode {
    case .invala, .invala_e, .invala_e_f, .chk_a_nc, .chk_a_clr, .chk_a_nc_f, .chk_a_clr_f: true
    default: !i.flags.isDisjoint(with: [.advanced, .checkLoad])
    }
  }

  func isLoopBranch(_ opcode: Opcode) -> Bool {
    switch opcode {
    case .br_cloop, .br_ctop, .br_cexit, .br_wtop, .br_wexit: true
    default: false
    }
  }

  mutating func boundSite(at address: UInt64, _ source: CodeSource) -> UnsafeMutablePointer<kt_site>? {
    guard let sites, sites.pointee.count != 0 else { return nil }
    let starting = kt_site_starting(sites, address)
    guard starting >= 0 else { return nil }
    passedSites.append(Int(starting))
    let offset = address & 0xfff, text = source.host + Int(offset)
    let available = source.cpu.readableCode(address, physical: source.physical | offset, host: text)
    let number = kt_site_at(sites, address, text, available)
    guard number >= 0, sites.pointee.site[Int(number)].dispatch != UInt8(KT_DISPATCH_EMULATED.rawValue) else {
      return nil
    }
    return sites.pointee.site + Int(number)
  }
}

/// Decoded instructions at fixed addresses, freed all at once when the code cache is emptied.
final class InstructionArena {
  private var chunks: [UnsafeMutablePointer<Instruction>] = []
  /// Instructions held, and those of them that installed code wants.
  private(set) var count = 0
  private var kept = 0
  private static let chunk = 4096

  func add(_ instruction: Instruction) -> UnsafeMutablePointer<Instruction> {
    if count == chunks.count * InstructionArena.chunk { chunks.append(.allocate(capacity: InstructionArena.chunk)) }
    let place = chunks[count / InstructionArena.chunk] + count % InstructionArena.chunk
    place.initialize(to: instruction)
    count += 1
    return place
  }

  /// What was added since stays until the cache is emptied.
  func keep() { kept = count }

  /// Forgets what a build added that was not installed.
  func dropUnkept() { count = kept }

  func removeAll() {
    for chunk in chunks { chunk.deallocate() }
    chunks = []
    (count, kept) = (0, 0)
  }

  deinit { removeAll() }
}

/// A set of floating-point register numbers.
struct FloatRegisterSet {
  private var words: (UInt64, UInt64) = (0, 0)
  func contains(_ n: UInt8) -> Bool { (n < 64 ? words.0 : words.1) >> UInt64(n & 63) & 1 != 0 }
  mutating func insert(_ n: UInt8) {
    if n < 64 { words.0 |= 1 << UInt64(n) } else { words.1 |= 1 << UInt64(n & 63) }
  }
  mutating func remove(_ n: UInt8) {
    if n < 64 { words.0 &= ~(1 << UInt64(n)) } else { words.1 &= ~(1 << UInt64(n & 63)) }
  }
}
