// The two engines on random code from the same state: every architectural field, the ring and memory must agree.
import CSupport
import Glibc
import IA64
import Interpreter
import Machine
import Translator

/// A machine with one processor and one engine, in physical mode, with code at `codeBase` and data at `dataBase`.
final class Subject {
  static let codeBase: UInt64 = 0x4000, dataBase: UInt64 = 0x20000, dataSize = 0x4000, vectors: UInt64 = 0x8000
  let machine: Machine
  let cpu: CPU
  let interpreter = Interpreter()
  let translator: TranslatorEngine?

  init(translator options: TranslatorOptions?) throws {
    machine = try Machine(ramSize: 1 << 18)
    cpu = machine.cpus[0]
    Interpreter.installServices(cpu)
    cpu.pointee.virtual_clock = 1
    if let options {
      let engine = TranslatorEngine(machine: machine, options: options, codeSize: 4 << 20)!
      translator = engine
    } else {
      translator = nil
    }
  }

  func write(_ bundles: [InstructionBundle], at address: UInt64 = Subject.codeBase) {
    for (index, bundle) in bundles.enumerated() {
      let place = machine.ram + Int(address) + index * 16
      place.storeBytes(of: bundle.low, as: UInt64.self)
      place.storeBytes(of: bundle.high, toByteOffset: 8, as: UInt64.self)
    }
  }

  /// At the code's start, with two operands in memory, r14 to r17 pointing at them and behind them, and ar.fpsr.
  func begin(_ a: UInt64, _ b: UInt64, fpsr: UInt64) {
    let data = machine.ram + Int(Subject.dataBase)
    data.storeBytes(of: a, as: UInt64.self)
    data.storeBytes(of: b, toByteOffset: 8, as: UInt64.self)
    for n in 0..<4 { cpu.staticGR[14 + n] = Subject.dataBase + UInt64(8 * n) }
    cpu.pointee.ar_fpsr = fpsr
    cpu.pointee.psr &= ~(PSR.dfl | PSR.mfl)
    cpu.pointee.ip = Subject.codeBase
    cpu.pointee.ri = 0
  }

  @discardableResult
  func run(slots: Int64) -> kt_stop_reason {
    cpu.setBudget(slots)
    cpu.pointee.stop_reason = 0
    let engine: any Engine = translator ?? interpreter
    return engine.run(cpu)
  }
}

/// Differences of two subjects, as text; empty where they agree.
func differences(_ a: Subject, _ b: Subject) -> [String] {
  var result: [String] = []
  let x = a.cpu, y = b.cpu
  func compare(_ name: String, _ p: UInt64, _ q: UInt64) {
    if p != q { result.append("\(name): \(String(p, radix: 16)) \(String(q, radix: 16))") }
  }
  compare("ip", x.pointee.ip, y.pointee.ip)
  compare("ri", UInt64(x.pointee.ri), UInt64(y.pointee.ri))
  compare("cfm", x.pointee.cfm, y.pointee.cfm)
  compare("psr", x.pointee.psr, y.pointee.psr)
  compare("budget", UInt64(bitPattern: x.pointee.budget), UInt64(bitPattern: y.pointee.budget))
  compare("bof", UInt64(bitPattern: x.pointee.bof), UInt64(bitPattern: y.pointee.bof))
  for n in 0..<32 { compare("r\(n)", x.staticGR[n], y.staticGR[n]) }
  for n in 0..<64 { compare("p\(n)", UInt64(x.predicates[n]), UInt64(y.predicates[n])) }
  for n in 0..<8 { compare("b\(n)", x.branches[n], y.branches[n]) }
  compare("lc", x.pointee.ar_lc, y.pointee.ar_lc)
  compare("ec", x.pointee.ar_ec, y.pointee.ar_ec)
  compare("pfs", x.pointee.ar_pfs, y.pointee.ar_pfs)
  compare("unat", x.pointee.ar_unat, y.pointee.ar_unat)
  for n in 0..<Int(KT_RING_REGISTERS) {
    if x.pointee.ring[n] != y.pointee.ring[n] { compare("ring[\(n)]", x.pointee.ring[n], y.pointee.ring[n]) }
    if x.pointee.ring_nat[n] != y.pointee.ring_nat[n] {
      compare("nat[\(n)]", UInt64(x.pointee.ring_nat[n]), UInt64(y.pointee.ring_nat[n]))
    }
  }
  for n in 0..<128 {
    // Of two forms of one value neither is wrong.
    let f = x.unpack(kt_floats(x)[n]), g = y.unpack(kt_floats(y)[n])
    compare("f\(n)", f.significand, g.significand)
    compare("f\(n) exponent", f.sign_exponent, g.sign_exponent)
  }
  if memcmp(a.machine.ram, b.machine.ram, Int(a.machine.ramSize)) != 0 { result.append("memory") }
  if result.isEmpty {
    // Whatever else is architectural, byte for byte; the two host addresses and the floating-point registers aside.
    let p = UnsafeRawPointer(x), q = UnsafeRawPointer(y)
    let skipped = MemoryLayout<kt_cpu>.offset(of: \.frame)!
    let floats = MemoryLayout<kt_cpu>.offset(of: \.fr)!, floatBytes = 128 * MemoryLayout<kt_fr>.size
    for offset in 0..<kt_architectural_size() {
      if offset >= skipped && offset < skipped + 16 || offset >= floats && offset < floats + floatBytes { continue }
      if p.load(fromByteOffset: offset, as: UInt8.self) != q.load(fromByteOffset: offset, as: UInt8.self) {
        result.append("byte \(offset) of kt_cpu")
        break
      }
    }
  }
  return result
}

struct RandomProgram {
  var random: RandomInstruction
  var pool: OpcodePool
  let length: Int

  init(seed: UInt64, length: Int, opcodes: [Opcode]) {
    random = RandomInstruction(seed: seed)
    self.length = length
    pool = OpcodePool(opcodes)
  }

  mutating func below(_ n: Int) -> Int { Int(random.generator.next() % UInt64(n)) }

  /// Bundles of random instructions; branches stay within the program, whose last bundle goes back to the first.
  mutating func bundles(branches: Bool) -> [InstructionBundle] {
    var result: [InstructionBundle] = []
    for index in 0..<length {
      if branches && below(3) == 0 {
        result.append(branchBundle(index))
      } else {
        result.append(random.bundle(from: pool, templates: [0, 1, 4, 8, 9, 10, 11, 5, 12, 13, 14, 28].map { Template(rawValue: $0) }))
      }
    }
    var back = Instruction(opcode: .br_cond, imm: Int64(-length * 16))
    back.hint = 0
    let nop = Encoder.encode(Instruction(opcode: .nop_m))!.slot
    result.append(InstructionBundle(
      template: Template(rawValue: 0x10), nop, Encoder.encode(Instruction(opcode: .nop_i))!.slot,
      Encoder.encode(back)!.slot))
    return result
  }

  /// MIB or MBB with branches of all kinds to places within the program.
  private mutating func branchBundle(_ index: Int) -> InstructionBundle {
    let two = below(3) == 0
    func encode(_ instruction: Instruction) -> UInt64 { Encoder.encode(instruction)!.slot }
    let first = random.bundle(from: pool, templates: [Template(rawValue: 0x10)])
    let last = encode(branch(index, final: true))
    if two {
      return InstructionBundle(template: Template(rawValue: 0x12), first.slot0, encode(branch(index, final: false)), last)
    }
    return InstructionBundle(template: Template(rawValue: 0x10), first.slot0, first.slot1, last)
  }

  private mutating func branch(_ index: Int, final: Bool) -> Instruction {
    let target = Int64(below(length) - index) * 16
    let qp = UInt8(below(2) == 0 ? below(64) : 0)
    switch below(final ? 9 : 5) {
    case 0, 1: return Instruction(opcode: .br_cond, qp: qp, imm: target)
    case 2: return Instruction(opcode: .br_call, qp: qp, r1: UInt8(below(8)), imm: target)
    case 3: return Instruction(opcode: .br_ret, qp: qp, r2: UInt8(below(8)))
    case 4: return Instruction(opcode: .br_call_indirect, qp: qp, r1: UInt8(below(8)), r2: UInt8(below(8)))
    case 5: return Instruction(opcode: .br_cloop, imm: target)
    case 6: return Instruction(opcode: .br_ctop, imm: target)
    case 7: return Instruction(opcode: .br_cexit, imm: target)
    default: return Instruction(opcode: below(2) == 0 ? .br_wtop : .br_wexit, qp: qp, imm: target)
    }
  }

  /// A random state: most registers point into the data area.
  mutating func setState(_ subjects: [Subject]) {
    var words: [UInt64] = []
    for _ in 0..<32 + 128 {
      let data = Subject.dataBase + UInt64(below(Subject.dataSize - 64) & ~7)
      words.append(below(4) == 0 ? random.generator.next() : data)
    }
    let sof = below(97), sol = below(sof + 1), sor = below(sof / 8 + 1)
    let rotating = below(3) == 0
    let predicates = random.generator.next()
    let lc = UInt64(below(5)), ec = UInt64(below(4)), unat = below(2) == 0 ? 0 : random.generator.next()
    let renames = (below(max(1, sor * 8)), below(96), below(48))
    let data = (0..<Subject.dataSize / 8).map { _ in random.generator.next() }
    let targets = (0..<8).map { _ in Subject.codeBase + UInt64(below(length)) * 16 }
    for subject in subjects {
      let cpu = subject.cpu
      cpu.reset()
      memset(subject.machine.ram, 0, Int(subject.machine.ramSize))
      for n in 1..<32 { cpu.staticGR[n] = words[n] }
      for n in 0..<96 { cpu.pointee.frame[n] = words[32 + n] }
      cpu.pointee.cfm = CFM.make(sof: sof, sol: sol, sor: sor * 8)
      if rotating {
        cpu.pointee.cfm |= UInt64(sor == 0 ? 0 : renames.0) << 18 | UInt64(renames.1) << 25 | UInt64(renames.2) << 32
      }
      for n in 1..<64 { cpu.predicates[n] = UInt8(predicates >> UInt64(n) & 1) }
      for n in 0..<8 { cpu.branches[n] = targets[n] }
      cpu.pointee.ar_pfs = CFM.make(sof: min(sof, 32), sol: 0, sor: 0)
      cpu.pointee.ar_lc = lc
      cpu.pointee.ar_ec = ec
      cpu.pointee.ar_unat = unat
      cpu.pointee.ar_bspstore = 0x30000
      cpu.pointee.cr_iva = Subject.vectors
      cpu.pointee.psr |= PSR.ic
      cpu.pointee.ip = Subject.codeBase
      cpu.pointee.ri = 0
      cpu.pointee.budget = 0
      cpu.pointee.deadline = 0
      for (index, word) in data.enumerated() {
        subject.machine.ram.storeBytes(of: word, toByteOffset: Int(Subject.dataBase) + index * 8, as: UInt64.self)
      }
    }
  }
}

/// Runs `count` random programs on both engines; the first difference ends it.
func compareEngines(
  seed: UInt64, count: Int, opcodes: [Opcode], branches: Bool, length: Int = 6, slots: Int64 = 90,
  options: TranslatorOptions = .all
) throws -> String? {
  let reference = try Subject(translator: nil), subject = try Subject(translator: options)
  for number in 0..<count {
    var program = RandomProgram(seed: seed &+ UInt64(number) &* 0x9e37_79b9, length: length, opcodes: opcodes)
    let bundles = program.bundles(branches: branches)
    program.setState([reference, subject])
    for s in [reference, subject] {
      s.write(bundles)
      s.interpreter.invalidateCode(physical: 0, length: s.machine.ramSize)
      s.translator?.invalidateCode(physical: 0, length: s.machine.ramSize)
      s.cpu.pointee.event_check = 0
    }
    for part in 0..<4 {
      let amount = slots / 4 + Int64(part * 3)
      let a = reference.run(slots: amount), b = subject.run(slots: amount)
      var found = differences(reference, subject)
      if a != b { found.append("stopped by \(a) and \(b)") }
      if !found.isEmpty {
        let listing = bundles.enumerated().map { index, bundle in
          let d = Decoder.decode(bundle)
          return "\(String(Subject.codeBase + UInt64(index) * 16, radix: 16)): "
            + (0..<d.count).map { "(p\(d[$0].qp)) \(d[$0].opcode) \(d[$0].r1),\(d[$0].r2),\(d[$0].r3),\(d[$0].r4) #\(d[$0].imm) aux \(d[$0].aux)" }
            .joined(separator: " | ")
        }.joined(separator: "\n")
        return "program \(number), part \(part): interpreter and translator differ in "
          + found.prefix(12).joined(separator: "; ") + "\n" + listing
      }
      if a != KT_STOP_BUDGET { break }
    }
  }
  return nil
}

func rows(_ first: Opcode, _ last: Opcode) -> [Opcode] {
  (first.index...last.index).map { Opcode(unchecked: UInt16($0)) }
}

/// Rows the random programs are made of.
enum Rows {
  static let integer = rows(.add, .addl) + rows(.shr, .shr_u) + rows(.shl, .shl) + rows(.popcnt, .dep)
    + rows(.zxt1, .czx2_r) + rows(.padd1, .psub4) + rows(.pshr2_imm, .pshr4_u_imm) + [.pshl2_imm, .pshl4_imm]
    + rows(.unpack1_h, .unpack4_l) + [.mux1, .mux2, .nop_i, .nop_m]
  static let compares = rows(.cmp_lt, .cmp4_ne_or_andcm_imm) + rows(.tbit_z, .tnat_nz_or_andcm)
  static let memory = rows(.ld1, .st8_spill_i) + [
    .ldf8, .ldf8_i, .stf8, .stf8_i, .stf_spill, .stf_spill_i, .ldf_fill, .ldf_fill_i, .ldfp8, .ldfp8_i,
  ]
  static let moves: [Opcode] = [
    .mov_to_br, .mov_from_br, .mov_to_pr, .mov_to_pr_rot, .mov_from_pr, .mov_from_ip, .mov_to_ar_i, .mov_from_ar_i, .mov_to_ar_i_imm,
    .mov_to_ar_m, .mov_from_ar_m, .alloc, .setf_sig, .getf_sig, .xma_l, .setf_d, .fma_d, .ssm, .rsm,
  ]
  static let all = integer + compares + memory + moves
}
