// The checker: every sensitive instruction planted in an otherwise clean image is found where it stands.
import IA64
import Machine
import Paravirt
import Testing

@Suite struct CheckerTests {
  private func check(_ text: [UInt8], sites: Int = 1) throws -> CheckReport {
    var builder = ImageBuilder()
    for _ in 0..<sites { builder.addSite(.thash) }
    builder.text += text
    return try ParavirtImage(ELFImage(bytes: builder.build())).check()
  }


  @Test func findsWhatIsPlantedInEverySlotThatTakesIt() throws {
    // Bodies of the operations are one instruction in slot 0 of an MII bundle; MMI and MMB bundles take it in slot 1 too.
    for type in [PatchType.fc, .thash, .getCPUID, .getPMD, .ptcga, .getRR, .setRR, .ssmI, .rsmI] {
      let instruction = try #require(NativeBodies.builtin(type)).first!.slot0
      let nop: UInt64 = 1 << 27
      for (template, slot) in [(0x00, 0), (0x08, 0), (0x08, 1), (0x0a, 1), (0x10, 0), (0x18, 1), (0x1c, 0), (0x0e, 1)] {
        let unitOfLast = Template(rawValue: UInt8(template)).unit(2)
        var slots = [nop, nop, unitOfLast == .B ? 2 << 37 : nop]
        if Template(rawValue: UInt8(template)).unit(1) == .B { slots[1] = 2 << 37 }
        slots[slot] = instruction
        let bundle = InstructionBundle(template: Template(rawValue: UInt8(template)), slots[0], slots[1], slots[2])
        let report = try check(bundle.bytes)
        #expect(report.findings.count == 1, "\(type) in slot \(slot) of template \(template)")
        #expect(report.findings.first?.address == ImageBuilder.textAddress + 80 | UInt64(slot))
        let isSensitive = [PatchType.fc, .thash, .getCPUID, .getPMD].contains(type)
        #expect(report.findings.first?.kind == (isSensitive ? .sensitive : .privileged))
        #expect(report.unproven.isEmpty)
      }
    }
  }

  @Test func reportsNothingOnCleanCodeAndCountsData() throws {
    let clean = try check(NopBundle.mfi.bytes, sites: 3)
    #expect(clean.findings.isEmpty && clean.unproven.isEmpty)
    #expect(clean.bundles == 16 && clean.covered == 15)
    let data = try check([UInt8](repeating: 0xff, count: 16))
    #expect(data.unproven == [ImageBuilder.textAddress + 80])
  }
}
