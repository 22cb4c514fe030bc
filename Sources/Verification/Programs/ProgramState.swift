// The state a random program starts from, and the memory around it.
import CSupport
import Glibc
import IA64
import Machine

/// How a program is addressed and at which level it runs.
struct ProgramMode: Sendable, CustomStringConvertible {
  /// psr as the program begins.
  var psr: UInt64 = PSR.bn | PSR.ic
  var translatesCode: Bool { psr & PSR.it != 0 }
  var translatesData: Bool { psr & PSR.dt != 0 }
  /// log2 of the page size that misses insert.
  private(set) var pageShift: UInt64 = 14
  /// The bits of data translations (GuestHandlers.dataEntry).
  private(set) var dataEntry = GuestHandlers.wideOpen
  var dcr: UInt64 = 0
  var rsc: UInt64 = 0
  private(set) var timerInterval: Int64 = 0
  private var random: SplitMix64

  /// With `probesFaults` registers are disabled more often, and traps behind every instruction are rare.
  init(seed: UInt64, mix: RandomProgram.Mix, probesFaults: Bool = false) {
    random = SplitMix64(seed: seed ^ 0x6d6f_6465)
    if mix.contains(.virtual) { chooseAddressing() }
    if mix.contains(.user), oneIn(2) { psr |= 3 << PSR.cplShift }
    if mix.contains(.bigEndian), oneIn(2) { psr |= PSR.be }
    if mix.contains(.debugging) { chooseDebugging() }
    if probesFaults { chooseFaults(mix) }
    if oneIn(4) { dcr = random.next() & 0x7f00 }
    rsc = random.next() & 3 | (oneIn(2) ? psr >> PSR.cplShift & 3 : random.next() & 3) << 2
    if mix.contains(.bigEndian), oneIn(4) { rsc |= 1 << 4 }
    if probesFaults, oneIn(2) { rsc |= (random.next() & 0x3f8) << 16 }
    if mix.contains(.interrupts) {
      psr |= PSR.i
      timerInterval = 60 + Int64(random.next() % 300)
    }
  }

  private mutating func oneIn(_ n: UInt64) -> Bool { random.next() % n == 0 }

  private mutating func chooseAddressing() {
    switch random.next() & 7 {
    case 0: psr |= random.next() & (PSR.dt | PSR.rt | PSR.it)
    case 1, 2: break
    default: psr |= PSR.dt | PSR.rt | PSR.it
    }
    pageShift = [12, 13, 14, 14][Int(random.next() & 3)]
    if oneIn(3) { dataEntry &= ~(1 << 6) }  // not dirty
    if oneIn(6) { dataEntry &= ~(1 << 5) }  // not accessed
    if oneIn(8) { dataEntry = dataEntry & ~(7 << 9) | (random.next() & 7) << 9 }
    if oneIn(12) { dataEntry &= ~(3 << 7) }
  }

  private mutating func chooseDebugging() {
    if oneIn(4) { psr |= PSR.ss }
    if oneIn(4) { psr |= PSR.tb }
    if oneIn(4) { psr |= PSR.db }
    if oneIn(8) { psr |= PSR.lp }
    if oneIn(3) { psr |= PSR.ac }
    if oneIn(8) { psr |= PSR.dfl }
    if oneIn(6) { psr |= PSR.dfh }
  }

  private mutating func chooseFaults(_ mix: RandomProgram.Mix) {
    if !oneIn(8) { psr &= ~(PSR.ss | PSR.tb) }
    if mix.contains(.user), oneIn(2) { psr |= 3 << PSR.cplShift }
    // Translations are inserted, and registers of interruptions written, without collection alone.
    if mix.contains(.system), oneIn(4) { psr &= ~PSR.ic }
    if oneIn(3) { psr |= PSR.dfl }
    if oneIn(3) { psr |= PSR.dfh }
    if oneIn(3) { psr |= PSR.si }
  }

  var description: String {
    "psr \(hexadecimal(psr)), ar.rsc \(hexadecimal(rsc)), cr.dcr \(hexadecimal(dcr)), page size 2^\(pageShift), "
      + "data translations \(hexadecimal(dataEntry)), timer every \(timerInterval) slots"
  }
}

extension RandomProgram {
  /// Puts the program and its state into a machine of `memorySize` bytes. The caller tells its engine that code changed.
  package func prepare(_ machine: Machine) {
    var random = SplitMix64(seed: seed &* 0x9e37_79b9 &+ 77)
    prepareMemory(machine, &random)
    let cpu = machine.cpus[0]
    cpu.reset()
    cpu.pointee.virtual_clock = 1
    cpu.pointee.deadline = 0
    cpu.pointee.budget = 0
    cpu.pointee.stop_reason = 0
    cpu.pointee.cr_iva = Self.handlers
    prepareTranslation(cpu)
    prepareFrame(cpu, &random)
    prepareRegisters(cpu, &random)
    if !plain.contains(.timer) { prepareTimer(cpu) }
    simplify(cpu)
    // Where handlers go that have interrupted a program without collection.
    cpu.pointee.cr_iip = codeRegion + start
    cpu.pointee.cr_ipsr = mode.psr
    cpu.setPSR(mode.psr)
    cpu.pointee.event_check = 0
    cpu.pointee.ip = codeRegion + start
    cpu.pointee.ri = 0
  }

  private func prepareMemory(_ machine: Machine, _ random: inout SplitMix64) {
    memset(machine.ram, 0, Int(Self.memorySize))
    let data = (machine.ram + Int(Self.dataBase)).assumingMemoryBound(to: UInt64.self)
    for index in 0..<Int(Self.dataSize / 8) { data[index] = UInt64(index) &* 0x0101_0307_0b0d_1113 ^ seed }
    for _ in 0..<64 { data[Int(random.next() % (Self.dataSize / 8))] = random.next() }
    // Doubles at the ends of what there is, both signs: zero, the least denormal and normal, one, infinity, a NaN.
    for _ in 0..<4096 {
      let value = [0, 0, 1, 1 << 52, 0x3ff << 52, 0x7ff << 52, 0x7ff8 << 48 | 5][Int(random.next() % 7)] as UInt64
      data[Int(random.next() % (Self.dataSize / 8))] = value | (random.next() & 1) << 63
    }
    memset(machine.ram + Int(Self.backingStore), 0x5a, Int(Self.backingStoreSize))
    func place(_ bundle: InstructionBundle, _ address: UInt64) {
      (machine.ram + Int(address)).storeBytes(of: bundle.low, as: UInt64.self)
      (machine.ram + Int(address) + 8).storeBytes(of: bundle.high, as: UInt64.self)
    }
    if mix.contains(.faults) {
      for (offset, bundle) in handlerCode { place(bundle, Self.handlers + UInt64(offset)) }
    } else {
      for vector in 0..<0x80 { place(Self.spin, Self.handlers + UInt64(vector) << 8) }
    }
    for (index, bundle) in bundles.enumerated() { place(bundle, start + UInt64(index) * 16) }
    for (index, bundle) in spareBundles.enumerated() { place(bundle, Self.spares + UInt64(index) * 16) }
  }

  /// Regions with identifiers of their own, and the handlers' pages always translated.
  private func prepareTranslation(_ cpu: CPU) {
    for region in 0..<8 { kt_region_registers(cpu)[region] = mode.pageShift << 2 | UInt64(0x101 + region) << 8 }
    kt_itr(cpu)[0] = kt_translation(
      va: Self.handlers, pte: Self.handlers | GuestHandlers.wideOpen, rid: 0x101, key: 0, ps: 16, valid: 1,
      reserved: (0, 0, 0, 0, 0, 0))
    cpu.pointee.cr_dcr = mode.dcr
    cpu.flushSoftwareTLB()
  }

  /// What a reduced program goes without.
  private func simplify(_ cpu: CPU) {
    if plain.contains(.floats) {
      for n in 2..<128 { cpu.floats[n] = kt_fr(significand: 0, sign_exponent: 0) }
      cpu.pointee.ar_fpsr = 0x9804_c027_0033f
    }
    if plain.contains(.rotation) { cpu.pointee.cfm &= (1 << 18) - 1 }
    if plain.contains(.predicates) { for n in 1..<64 { cpu.predicates[n] = 0 } }
    if plain.contains(.nat) {
      for n in 1..<32 { cpu.staticNaT[n] = 0 }
      for n in 0..<Int(KT_RING_REGISTERS) { cpu.pointee.ring_nat[n] = 0 }
    }
    if plain.contains(.generals) {
      for n in 1..<(32 + cpu.sof) where !Self.pointers.contains(UInt8(n)) { cpu.writeGR(n, UInt64(n)) }
    }
  }

  private func prepareTimer(_ cpu: CPU) {
    guard mix.contains(.interrupts) else { return }
    cpu.writeITV(seed & 1 == 0 ? 0x31 : 0x41)
    cpu.writeITM(UInt64(mode.timerInterval))
  }

  private func prepareFrame(_ cpu: CPU, _ random: inout SplitMix64) {
    // A few frames of 16 registers below, so that there are dirty registers. In one of four programs the present one begins
    // right behind a word of NaT bits, which stands in the 64th word of each 64.
    let frames = random.next() & 3, place = random.next() & 0x3f
    let behindCollection = frames == 0 ? 0 : 63 - 16 * frames
    cpu.writeBSPSTORE(Self.backingStore + 0x1000 + (random.next() & 3 == 0 ? behindCollection : place) << 3)
    for _ in 0..<frames {
      _ = cpu.rseAlloc(sof: 20, sol: 16, sor: 0)
      for n in 32..<52 { cpu.writeGR(n, random.next()) }
      cpu.rseCall()
    }
    let rotating = mix.contains(.rotation) && random.next() & 1 == 0
    let sof = 72 + Int(random.next() % 25), sol = Int(random.next() % UInt64(sof + 1))
    let sor = rotating ? 8 * Int(random.next() % UInt64(sof / 8)) : 0
    _ = cpu.rseAlloc(sof: sof, sol: sol, sor: sor)
    if rotating {
      let gr = sor == 0 ? 0 : random.next() % UInt64(sor)
      cpu.pointee.cfm |= gr << 18 | (random.next() % 96) << 25 | (random.next() % 48) << 32
    }
    for n in 32..<(32 + sof) { cpu.writeGR(n, Self.value(&random)) }
    // Only now: the frames were made in physical mode.
    cpu.pointee.ar_bspstore += dataRegion(0)
    cpu.pointee.ar_rsc = mode.rsc
  }

  /// Data are seen in the code's region and two more.
  private func dataRegion(_ choice: UInt64) -> UInt64 {
    guard mode.translatesData else { return 0 }
    return mode.translatesCode && choice & 1 == 0 ? codeRegion : [0, 2 << 61][Int(choice >> 1 & 1)]
  }

  private func prepareRegisters(_ cpu: CPU, _ random: inout SplitMix64) {
    for n in 1..<32 { cpu.writeGR(n, Self.value(&random)) }
    for n in Self.pointers {
      cpu.writeGR(Int(n), dataRegion(random.next()) + Self.dataBase + 0x4000 + (random.next() & 0x7ff0))
    }
    for n in Self.wildPointers { cpu.writeGR(Int(n), 0x0004_0000_0000_0000 | random.next() & 0xe000_ffff_ffff_fff8) }
    cpu.writeGR(Int(Self.depth), random.next() & 7)
    if mix.contains(.nat), random.next() & 1 == 0 {
      for _ in 0..<Int(random.next() & 7) { cpu.setNaT([8, 10, 14, 21, 34, 35, 40][Int(random.next() % 7)]) }
    }
    if isSpotlit { for n in Self.natRegisters { cpu.setNaT(Int(n)) } }
    for n in 1..<64 { cpu.predicates[n] = UInt8(random.next() & 1) }
    for n in 0..<8 { cpu.branches[n] = codeRegion + start + (random.next() % UInt64(bundles.count)) << 4 }
    for n in 2..<128 { cpu.floats[n] = Self.float(&random) }
    if isSpotlit {
      for n in 24..<(random.next() & 1 == 0 ? 64 : 128) { cpu.floats[n] = Self.exceptional(&random) }
      for n in Self.natRegisters { cpu.floats[Int(n)] = Self.natVal }
    }
    cpu.pointee.ar_lc = random.next() & 7
    cpu.pointee.ar_ec = random.next() & 7
    cpu.pointee.ar_pfs = CFM.make(sof: 40, sol: Int(random.next() & 15), sor: 0) | (random.next() & 63) << 52
      | (mode.psr >> PSR.cplShift & 3) << 62
    cpu.pointee.ar_unat = random.next()
    cpu.pointee.ar_ccv = Self.value(&random)
    for n in 0..<16 { kt_bank_gr(cpu)[n] = random.next() }
    for n in 0..<8 { kt_kernel_registers(cpu)[n] = random.next() }
    if mix.contains(.floatingPoint), random.next() & (isSpotlit ? 1 : 3) == 0 { prepareFloatingPoint(cpu, &random) }
  }

  /// Enabled traps, and other controls of sf0 than usual.
  private func prepareFloatingPoint(_ cpu: CPU, _ random: inout SplitMix64) {
    let precision = [0, 2, 3, 3][Int(random.next() & 3)] as UInt64
    cpu.pointee.ar_fpsr = cpu.pointee.ar_fpsr & ~0x1fff | random.next() & 0xcff | precision << 8
    guard isSpotlit else { return }
    // All status fields trap, and everything but what does not change the program's course.
    cpu.pointee.ar_fpsr &= ~(1 << 25 | 1 << 38 | 1 << 51)
    if random.next() & 1 == 0 { cpu.pointee.ar_fpsr &= ~0x3f }
  }

  /// A register's value: ends of ranges, small numbers and any.
  private static func value(_ random: inout SplitMix64) -> UInt64 {
    let choice = random.next()
    switch choice & 7 {
    case 0: return choice >> 8 & 0xff
    case 1: return UInt64(bitPattern: -Int64(choice >> 8 & 0xff))
    case 2: return 1 << (choice >> 8 & 63)
    case 3: return (1 << (choice >> 8 & 63)) - 1
    case 4: return random.next() & 0xffff_ffff
    default: return random.next()
    }
  }

  /// What raises invalid operation, denormal operand or division by zero, alone or as one of a pair of singles.
  private static func exceptional(_ random: inout SplitMix64) -> kt_fr {
    let choice = random.next(), sign = (choice >> 63) << 17
    let singles = [0, 1, 0x7f80_0001, 0x7f80_0000, 0x7fc0_0000, 0x0040_0000, 0x7f7f_ffff, 0x3f80_0000] as [UInt64]
    switch choice & 7 {
    case 0: return kt_fr(significand: 1 << 63 | 1, sign_exponent: sign | 0x1ffff)
    case 1: return kt_fr(significand: 1 << 62, sign_exponent: sign | 0x1ffff)
    case 2: return kt_fr(significand: random.next() >> 1, sign_exponent: sign | 0xfc01)
    case 3: return kt_fr(significand: 0, sign_exponent: sign)
    case 4: return kt_fr(significand: 1 << 63, sign_exponent: sign | 0x1fffd)
    default:
      let pair = singles[Int(choice >> 8 & 7)] << 32 | singles[Int(choice >> 12 & 7)]
      return kt_fr(significand: pair, sign_exponent: 0x1003e)
    }
  }

  private static let natVal = kt_fr(significand: 0, sign_exponent: 0x1fffe)

  private static func float(_ random: inout SplitMix64) -> kt_fr {
    let choice = random.next()
    let sign = (choice >> 63) << 17
    switch choice & 15 {
    case 0: return kt_fr(significand: 0, sign_exponent: sign)
    case 1: return natVal
    case 2: return kt_fr(significand: 1 << 63, sign_exponent: sign | 0x1ffff)  // infinity
    case 3: return kt_fr(significand: 3 << 62 | random.next() >> 2, sign_exponent: sign | 0x1ffff)  // NaN
    case 4, 5: return kt_fr(significand: random.next(), sign_exponent: 0x1003e)  // integer
    case 6, 7, 8, 9:
      // A double: exponents near 0, and the whole range now and then.
      let exponent = choice & 16 == 0 ? 1023 - 16 + (choice >> 8 & 31) : 1 + (choice >> 8) % 2046
      let bits = random.next() >> 12 | exponent << 52 | (choice >> 63) << 63
      return kt_fr(significand: bits, sign_exponent: KT_FR_PACKED_DOUBLE)
    case 10: return kt_fr(significand: random.next(), sign_exponent: sign | random.next() & 0x1ffff)
    default:
      return kt_fr(significand: 1 << 63 | random.next(), sign_exponent: sign | (0xffff - 16 + (choice >> 8 & 31)))
    }
  }
}
