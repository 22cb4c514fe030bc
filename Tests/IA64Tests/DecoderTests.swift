// Decoder and encoder: fields of hand-assembled slots, and round trips over random ones.
import Testing

#if canImport(Glibc)
  import Glibc
#endif

import IA64

/// How many times the usual number of random cases to run (environment variable KITTSON_TEST_VOLUME, default 1).
let volume: Int = getenv("KITTSON_TEST_VOLUME").flatMap { Int(String(cString: $0)) } ?? 1

@Suite struct DecoderTests {
  private func decode(_ bundle: (UInt64, UInt64)) -> DecodedBundle {
    Decoder.decode(InstructionBundle(low: bundle.0, high: bundle.1))
  }

  /// Slots assembled with binutils: `alloc r34=ar.pfs,12,6,0`, `adds r12=-16,r12`, `mov r35=b0`.
  @Test func fieldsOfAFunctionsFirstBundle() {
    // 01 10 31 0c 80 05   c0 80 33 7e 46 60   04 00 c4 00
    let bundle = decode((0x80c0_0580_0c31_1001, 0x00c4_0004_6046_7e33))
    #expect(bundle.template.name == "MII" && bundle.template.hasStop(after: 2))
    #expect(bundle.slot0.opcode == .alloc)
    #expect((bundle.slot0.r1, bundle.slot0.sof, bundle.slot0.sol, bundle.slot0.sor) == (34, 12, 6, 0))
    #expect(bundle.slot1.opcode == .adds)
    #expect((bundle.slot1.r1, bundle.slot1.r3, bundle.slot1.imm) == (12, 12, -16))
    #expect(bundle.slot1.flags.contains(.writesGR))
    #expect(bundle.slot2.opcode == .mov_from_br)
    #expect((bundle.slot2.r1, bundle.slot2.b2) == (35, 0))
  }

  /// Fifty million slots of random bits: what decodes encodes to the same bits.
  @Test(arguments: [1, 2, 3, 4]) func slotsSurviveDecodingAndEncoding(_ seed: UInt64) {
    var generator = SplitMix64(seed: seed)
    var legal = 0, slots = 0
    while slots < volume * 12_500_000 {
      let slot = generator.next() & InstructionBundle.slotMask
      let long = generator.next() & InstructionBundle.slotMask
      for unit: Unit in [.M, .I, .B, .F, .X] {
        slots += 1
        let instruction = Decoder.decode(slot, unit: unit, long: long)
        guard instruction.opcode != .illegal, !instruction.flags.contains(.unusedEncoding) else { continue }
        legal += 1
        let expected = EncodedSlot(slot: slot, long: unit == .X ? long : 0)
        if Encoder.encode(instruction) != expected { Issue.record("\(unit) \(slot): \(instruction)") }
      }
    }
    #expect(legal > slots / 8)
  }

  /// A hundred million encodings, as many of each row: they decode to their row and encode to the same bits, which
  /// decode to the same instruction.
  @Test(arguments: [1, 2, 3, 4]) func everyRowSurvives(_ seed: UInt64) {
    var random = RandomInstruction(seed: seed)
    random.randomizesIgnoredBits = true
    let perRow = volume * 25_000_000 / instructionTable.count + 1
    for row in instructionTable {
      let unit: Unit = row.format.unit == .A ? (seed & 1 == 0 ? .I : .M) : row.format.unit
      for _ in 0..<perRow {
        let encoded = random.slot(row.opcode)
        let instruction = Decoder.decode(encoded.slot, unit: unit, long: encoded.long)
        guard instruction.opcode == row.opcode else {
          Issue.record("\(row.opcode): \(encoded) decodes to \(instruction.opcode)")
          break
        }
        guard Encoder.encode(instruction) == encoded else {
          Issue.record("\(instruction): \(encoded)")
          break
        }
      }
    }
  }

  @Test func whatDoesNotFitIsNotEncoded() {
    #expect(Encoder.encode(Instruction(opcode: .adds, r1: 1, r3: 2, imm: 8191)) != nil)
    #expect(Encoder.encode(Instruction(opcode: .adds, r1: 1, r3: 2, imm: 8192)) == nil)
    #expect(Encoder.encode(Instruction(opcode: .addl, r1: 1, r3: 4, imm: 0)) == nil)
    #expect(Encoder.encode(Instruction(opcode: .br_cond, imm: 8)) == nil)
    #expect(Encoder.encode(Instruction(opcode: .fetchadd4_acq, r1: 1, r3: 2, imm: 3)) == nil)
    #expect(Encoder.encode(Instruction(opcode: .fetchadd4_acq, r1: 1, r3: 2, imm: -8)) != nil)
    #expect(Encoder.encode(Instruction(opcode: .shladd, r1: 1, r2: 2, r3: 3, aux: 5)) == nil)
  }

  @Test func reservedBitsAreIllegal() {
    // rfi, and the same with a predicate number, which binutils does not look at.
    let rfi: UInt64 = 0x08 << 27
    #expect(Decoder.decode(rfi, unit: .B).opcode == .rfi)
    #expect(Decoder.decode(rfi | 5, unit: .B).opcode == .illegal)
    #expect(Decoder.decode(rfi | 5, unit: .B, reserved: .tolerated).opcode == .rfi)
    #expect(Decoder.decode(rfi | 5, unit: .B).imm == Int64(rfi | 5))
    // It has no predicate that could save it; popcnt with a bit where others have r2 has one.
    #expect(Decoder.decode(rfi | 5, unit: .B).qp == 0)
    let popcnt = Encoder.encode(Instruction(opcode: .popcnt, qp: 9, r1: 8, r3: 10))!.slot
    #expect(Decoder.decode(popcnt, unit: .I).opcode == .popcnt)
    #expect(Decoder.decode(popcnt | 1 << 13, unit: .I).opcode == .illegal)
    #expect(Decoder.decode(popcnt | 1 << 13, unit: .I).qp == 9)
  }

  /// Encodings that no instruction has, by the manual's opcode tables: what the processor makes of them, and that the
  /// disassembler, as objdump, makes nothing.
  @Test func unusedEncodings() {
    func isUnused(_ slot: UInt64, _ unit: Unit, as opcode: Opcode) -> Bool {
      let read = Decoder.decode(slot, unit: unit)
      return read.opcode == opcode && read.flags.contains(.unusedEncoding)
        && Decoder.decode(slot, unit: unit, reserved: .tolerated).opcode == .illegal
    }
    for unit: Unit in [.M, .I, .F, .X] {
      let read = Decoder.decode(2 << 37 | 21, unit: unit)
      #expect(read.opcode == .illegal && read.qp == 21)
      #expect(!read.flags.contains(.noPredicate) && read.flags.contains(.long) == (unit == .X))
    }
    #expect(Decoder.decode(0x1f << 27 | 21, unit: .B).qp == 21)
    for always: UInt64 in [0x22 << 27, 4 << 37 | 4 << 6, 8 << 37] {
      #expect(Decoder.decode(always | 21, unit: .B).opcode == .illegal)
      #expect(Decoder.decode(always | 21, unit: .B).flags.contains(.noPredicate))
    }
    for ignored: UInt64 in [1 << 27, 2 << 37 | 2 << 27, 3 << 37, 6 << 37] {
      #expect(isUnused(ignored | 21, .B, as: .nop_b))
    }
    let call = Encoder.encode(Instruction(opcode: .br_call_indirect, qp: 4, r1: 1, r2: 6))!.slot
    let read = Decoder.decode(call & ~(7 << 32), unit: .B)
    #expect(isUnused(call & ~(7 << 32), .B, as: .br_call_indirect) && (read.qp, read.r1, read.r2) == (4, 1, 6))
    let load = Encoder.encode(Instruction(opcode: .ld8_i, r1: 9, r3: 8, imm: 8))!.slot
    #expect(isUnused(load | 2 << 28, .M, as: .ld8_i) && Decoder.decode(load | 2 << 28, unit: .M).hint == 0)
    #expect(isUnused(Encoder.encode(Instruction(opcode: .mov_to_br, r1: 6, r2: 9))!.slot | 3 << 20, .I, as: .mov_to_br))
  }
}

@Suite struct FlagTests {
  private func flags(_ opcode: Opcode) -> InstructionFlags { instructionTable[opcode.index].flags }

  @Test func flagsFollowFromTheRows() {
    #expect(flags(.ld8_i).isSuperset(of: [.writesGR, .load, .updatesBase, .mayFault]))
    #expect(!flags(.ld8).contains(.updatesBase))
    #expect(flags(.ldfpd_c_clr_i).isSuperset(of: [.writesFR, .usesFR, .load, .checkLoad, .updatesBase]))
    #expect(!flags(.ldfpd_c_clr_i).contains(.writesGR))
    #expect(flags(.st8_i).isSuperset(of: [.store, .updatesBase]) && !flags(.st8_i).contains(.writesGR))
    #expect(flags(.lfetch_r).contains(.updatesBase) && !flags(.lfetch_count).contains(.updatesBase))
    #expect(!flags(.cmpxchg8_acq).contains(.updatesBase) && !flags(.fetchadd8_rel).contains(.updatesBase))
    #expect(flags(.xchg4).isSuperset(of: [.load, .store, .semaphore, .writesGR]))
    #expect(flags(.cmp_lt_unc).isSuperset(of: [.writesPR, .unconditional]))
    #expect(!flags(.cmp_lt).contains(.unconditional))
    #expect(flags(.frcpa).isSuperset(of: [.writesFR, .writesPR, .unconditional]))
    #expect(flags(.br_call).isSuperset(of: [.branch, .writesBR, .relative, .endsBlock]))
    #expect(flags(.br_cloop).isSuperset(of: [.slot2Only, .noPredicate]))
    #expect(flags(.movl).isSuperset(of: [.long, .writesGR]))
    #expect(flags(.alloc).isSuperset(of: [.firstInGroup, .noPredicate, .writesGR]))
    #expect(flags(.rfi).isSuperset(of: [.privileged, .branch, .endsBlock, .noPredicate]))
    #expect(flags(.setf_sig).contains(.writesFR) && !flags(.setf_sig).contains(.writesGR))
    #expect(flags(.getf_sig).isSuperset(of: [.writesGR, .usesFR]) && !flags(.getf_sig).contains(.writesFR))
    #expect(flags(.nop_i).isEmpty)
  }

  /// Targets that are an Illegal Operation in any state, by the manual's descriptions of the instructions.
  @Test func illegalOperandsAreMarked() {
    func isMarked(_ instruction: Instruction, _ unit: Unit) -> Bool {
      Decoder.decode(Encoder.encode(instruction)!.slot, unit: unit).flags.contains(.illegalOperands)
    }
    #expect(isMarked(Instruction(opcode: .add, r1: 0, r2: 1, r3: 2), .I))
    #expect(!isMarked(Instruction(opcode: .add, r1: 1, r2: 0, r3: 0), .I))
    #expect(isMarked(Instruction(opcode: .cmp_eq, r1: 6, r2: 1, r3: 2, r4: 6), .M))
    #expect(!isMarked(Instruction(opcode: .cmp_eq, r1: 6, r2: 1, r3: 2, r4: 7), .M))
    #expect(isMarked(Instruction(opcode: .ld8_i, r1: 9, r3: 9, imm: 8), .M))
    #expect(!isMarked(Instruction(opcode: .ld8, r1: 9, r3: 9), .M))
    #expect(isMarked(Instruction(opcode: .st8_i, r2: 5, r3: 0, imm: 8), .M))
    #expect(!isMarked(Instruction(opcode: .st8, r2: 5, r3: 0), .M))
    #expect(isMarked(Instruction(opcode: .fma, r1: 1, r2: 5, r3: 6, r4: 7), .F))
    #expect(!isMarked(Instruction(opcode: .fma, r1: 2, r2: 0, r3: 1, r4: 1), .F))
    #expect(isMarked(Instruction(opcode: .ldfpd, r1: 2, r2: 1, r3: 6), .M))
    #expect(!isMarked(Instruction(opcode: .frcpa, r1: 6, r2: 7, r3: 8, r4: 6), .F))
    let cloop = Encoder.encode(Instruction(opcode: .br_cloop, imm: -16))!.slot
    let bundle = Decoder.decode(InstructionBundle(template: Template(rawValue: 0x16), cloop, cloop, cloop))
    #expect((0..<3).map { bundle[$0].flags.contains(.illegalOperands) } == [true, true, false])
  }

  @Test func randomBundlesCanAvoidThem() {
    var random = RandomInstruction(seed: 3)
    random.boundaryBias = 255
    func marked() -> Int {
      (0..<2000).reduce(0) { sum, _ in
        let decoded = Decoder.decode(random.bundle(from: .everything))
        return sum + (0..<3).filter { decoded[$0].flags.contains(.illegalOperands) }.count
      }
    }
    #expect(marked() > 100)
    random.avoidsIllegalOperands = true
    #expect(marked() == 0)
    let only = OpcodePool([.add, .movl])
    for _ in 0..<200 {
      let decoded = Decoder.decode(random.bundle(from: only))
      for slot in 0..<decoded.count {
        #expect([.add, .movl, .nop_i, .nop_m, .nop_b, .nop_f].contains(decoded[slot].opcode))
      }
    }
  }

  @Test func natRulesAndFaults() {
    func row(_ opcode: Opcode) -> InstructionRow { instructionTable[opcode.index] }
    #expect(row(.ld8).natRule == .faults && row(.ld8_s).natRule == .propagates)
    #expect(row(.tnat_z).natRule == .none && row(.tbit_z).natRule == .predicates)
    #expect(row(.lfetch).natRule == .none && row(.lfetch_fault).natRule == .faults)
    #expect(row(.st8_i).faults.isSuperset(of: [.dataReference, .registerNaTConsumption, .illegalOperation]))
    #expect(row(.st8).faults == [.dataReference, .registerNaTConsumption])
    #expect(row(.mov_to_cr).faults.isSuperset(of: [.privilegedOperation, .reservedRegisterField]))
    #expect(row(.nop_m).faults.isEmpty && row(.break_x).faults == .breakInstruction)
  }
}
