// The checker: every sensitive instruction planted in an otherwise clean image is found where it stands.
import IA64
import Machine
import Paravirt
import Testing

@Suite struct CheckerTests {
  private func image(_ text: [UInt8], sites: Int = 1) -> ImageBuilder {
    var builder = ImageBuilder()
    for _ in 0..<sites { builder.addSite(.thash) }
    builder.text += text
    return builder
  }

  private func check(_ builder: ImageBuilder, native: [String] = ParavirtImage.nativeNames) throws -> CheckReport {
    try ParavirtImage(ELFImage(bytes: builder.build())).check(native: native)
  }

  /// A bundle of nops with one slot of it replaced.
  private func bundle(_ template: Template, _ slot: Int, _ bits: UInt64) -> InstructionBundle {
    var bundle = InstructionBundle(template: template, 0, 0, 0)
    for index in 0..<3 { bundle[index] = Code.nop(template.unit(index)) ?? 0 }
    if template.isLong { bundle = Code.movl(Code.nop, 8, 0, stop: template.hasStop(after: 2)) }
    bundle[slot] = bits
    return bundle
  }

  /// Each instruction in each slot of each template that takes its unit, one after the other through a text that is clean
  /// without them, plain and with a predicate (branch-unit ones have none).
  @Test func findsEveryInstructionInEverySlot() throws {
    let kinds: [(Sensitivity, [(text: String, unit: Unit, slot: UInt64)])] = [
      (.sensitive, SensitiveInstructions.sensitive), (.privileged, SensitiveInstructions.privileged),
      (.conditional, SensitiveInstructions.conditional),
    ]
    var text: [UInt8] = []
    var planted: [(kind: Sensitivity, address: UInt64, text: String)] = []
    for (kind, instructions) in kinds {
      for instruction in instructions {
        for template in Template.valid {
          for slot in 0..<3 where template.unit(slot) == instruction.unit {
            for predicate in instruction.unit == .M ? [0, 9] as [UInt64] : [0] {
              text += NopBundle.mfi.bytes
              let address = ImageBuilder.textAddress + 80 + UInt64(text.count) | UInt64(slot)
              planted.append((kind, address, instruction.text))
              text += bundle(template, slot, instruction.slot | predicate).bytes
            }
          }
        }
      }
    }
    #expect(planted.count > 4000)
    let report = try check(image(text))
    #expect(report.unproven.isEmpty)
    let found = Dictionary(uniqueKeysWithValues: report.findings.map { ($0.address, $0.kind) })
    #expect(found.count == planted.count)
    for plant in planted where found[plant.address] != plant.kind {
      Issue.record("\(plant.text) at 0x\(String(plant.address, radix: 16)): \(String(describing: found[plant.address]))")
    }
  }

  /// No row of the instruction table that traps at a lower level is missing in the list that the test plants.
  @Test func plantsEveryPrivilegedOpcode() {
    var known: Set<Opcode> = []
    for (_, unit, slot) in SensitiveInstructions.privileged { known.insert(Decoder.decode(slot, unit: unit).opcode) }
    let privileged = Opcode.allCases.filter {
      guard $0 != .illegal else { return false }
      let flags = instructionTable[$0.index].flags
      return flags.contains(.privileged) && !flags.contains(.modelSpecific)
    }
    #expect(privileged.filter { !known.contains($0) }.isEmpty)
    #expect(privileged.count >= 34)
  }

  @Test func reportsNothingOnCleanCode() throws {
    var text: [UInt8] = []
    for template in Template.valid { text += bundle(template, 0, Code.nop(template.unit(0))!).bytes }
    // What looks like the others: user-level moves, sync and serialisation, break.
    let harmless: [UInt64] = [
      Code.slot(.mov_from_ar_m, r1: 8, r3: 16), Code.slot(.mov_to_ar_m, r2: 8, r3: 32), Code.slot(.srlz_d),
      Code.slot(.srlz_i), Code.slot(.sync_i), Code.slot(.break_m, imm: 5), Code.slot(.mf),
    ]
    for slot in harmless { text += bundle(Template(rawValue: 1), 0, slot).bytes }
    let report = try check(image(text, sites: 3))
    #expect(report.findings.isEmpty && report.unproven.isEmpty)
    #expect(report.bundles == 15 + text.count / 16 && report.covered == 15)
    #expect(report.isClean(strict: true))
  }

  @Test func kindsDecideTheVerdict() throws {
    let slot = { (bits: UInt64) in self.bundle(Template(rawValue: 1), 0, bits).bytes }
    let conditional = try check(image(slot(SensitiveInstructions.conditional[0].slot)))
    #expect(conditional.isClean(strict: false) && !conditional.isClean(strict: true))
    for instruction in [SensitiveInstructions.sensitive[0], SensitiveInstructions.privileged[0]] {
      #expect(try !check(image(slot(instruction.slot))).isClean(strict: false))
    }
  }

  // MARK: What covers

  @Test func recordsCoverOnlyTheirOwnCall() throws {
    // The site's last bundle is overwritten: what its record names is no call any more.
    var builder = image([])
    builder.text.replaceSubrange(64..<80, with: bundle(Template(rawValue: 1), 0, 0x2180800000).bytes)
    let report = try check(builder)
    #expect(report.findings.map(\.text) == ["fc r8"])
    // Patched to native, thash is the site's own again.
    let patched = try patchToNative(ELFImage(bytes: image([]).build())).bytes
    #expect(try ParavirtImage(ELFImage(bytes: patched)).check().findings.isEmpty)
    // An instruction site covers its own instruction.
    var instructions = ImageBuilder()
    instructions.text = bundle(Template(rawValue: 1), 0, 0x20d0000000 | 8 << 20 | 8 << 6).bytes
    let start = ImageBuilder.textAddress
    instructions.instructions = ImageBuilder.words([start, start + 1, 2])
    #expect(try check(instructions).findings.isEmpty)
    instructions.instructions = ImageBuilder.words([start, start + 1, 6])
    #expect(try check(instructions).findings.map(\.text) == ["thash r8=r8"])
  }

  @Test func nativeCodeIsNamed() throws {
    var builder = image(bundle(Template(rawValue: 1), 0, 0x2180800000).bytes, sites: 0)
    builder.text += bundle(Template(rawValue: 1), 0, 0x2180800000).bytes
    builder.symbols += [("ia64_native_fc_func", ImageBuilder.textAddress), ("other", ImageBuilder.textAddress + 16)]
    #expect(try check(builder).findings.map(\.symbol) == ["other"])
    #expect(try check(builder, native: []).findings.count == 2)
    #expect(try check(builder, native: ["oth*"]).findings.map(\.symbol) == ["ia64_native_fc_func"])
    #expect(try check(builder, native: [".text"]).findings.isEmpty)
    #expect(try check(builder, native: ["othe"]).findings.count == 2)
  }

  // MARK: What can't be proved

  @Test func dataInTextIsReportedAsSuch() throws {
    let bytes = [UInt8](repeating: 0xff, count: 48)
    let report = try check(image(bytes + NopBundle.mfi.bytes + [0x06] + [UInt8](repeating: 0, count: 15)))
    let start = ImageBuilder.textAddress + 80
    #expect(report.unproven.map(\.range) == [start..<start + 48, start + 64..<start + 80])
    #expect(report.unproven.allSatisfy { $0.reason == "a reserved template" })
    #expect(report.unproven.map(\.symbol) == [start, start + 64].map { "0x" + String($0, radix: 16) })
    #expect(report.isClean(strict: false) && !report.isClean(strict: true))
    // A slot that is no instruction: major opcode 3 of the M unit.
    let illegal = try check(image(bundle(Template(rawValue: 1), 0, 3 << 37).bytes))
    #expect(illegal.unproven.map(\.reason) == ["no instruction in slot 0"])
  }

  // MARK: Real kernels

  @Test(arguments: ["linux/pv/vmlinux", "linux/vmlinux"]) func realKernels(name: String) throws {
    guard let path = GuestFiles.path(name) else { return }
    let guest = try ParavirtImage(ELFImage(bytes: readFile(path)))
    let report = guest.check()
    #expect(report.bundles > 500_000)
    // Its own functions are in the list by name: the flush of a cache line, the hash, the cover of an interruption.
    #expect(report.count(.sensitive) > 0 && report.count(.privileged) > 0)
    #expect(report.findings.allSatisfy { finding in !finding.symbol.hasPrefix("ia64_native_") })
    let covered = guest.sites.count { $0.contents == .call }
    #expect(report.covered >= 5 * covered)
  }
}
