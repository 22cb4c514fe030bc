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

  /// Random slots: what decodes encodes to the same bits.
  @Test func slotsSurviveDecodingAndEncoding() {
    var generator = SplitMix64(seed: 1)
    var legal = 0
    for _ in 0..<(volume * 20_000) {
      let slot = generator.next() & InstructionBundle.slotMask
      let long = generator.next() & InstructionBundle.slotMask
      for unit: Unit in [.M, .I, .B, .F, .X] {
        let instruction = Decoder.decode(slot, unit: unit, long: long)
        guard instruction.opcode != .illegal else { continue }
        legal += 1
        let expected = EncodedSlot(slot: slot, long: unit == .X ? long : 0)
        if Encoder.encode(instruction) != expected { Issue.record("\(unit) \(slot): \(instruction)") }
      }
    }
    #expect(legal > volume * 20_000)
  }

  /// Random instructions of every row: they decode to their row, encode to the same bits and back to the same
  /// instruction.
  @Test func everyRowSurvives() {
    var random = RandomInstruction(seed: 2)
    random.randomizesIgnoredBits = true
    for row in instructionTable {
      let unit: Unit = row.format.unit == .A ? .I : row.format.unit
      for _ in 0..<(volume * 200) {
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
  }
}
