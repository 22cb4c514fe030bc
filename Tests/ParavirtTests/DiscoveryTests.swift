// Discovery: instructions, calls without a record and C's calls through pv_cpu_ops, each with its operands.
import Foundation
import IA64
import Machine
import Paravirt
import Testing

@Suite struct DiscoveryTests {
  private func discover(_ builder: ImageBuilder) throws -> DiscoveryReport {
    try ParavirtImage(ELFImage(bytes: builder.build())).discover()
  }

  /// Slots from GNU as (SensitiveInstructions), operands from their texts.
  @Test func instructionsAndTheirOperands() throws {
    let expected: [(text: String, type: PatchType, arguments: [SiteOperand], result: UInt8?)] = [
      ("fc r8", .fc, [.register(8)], nil),
      ("thash r9=r10", .thash, [.register(10)], 9),
      ("mov r9=cpuid[r10]", .getCPUID, [.register(10)], 9),
      ("mov r9=pmd[r10]", .getPMD, [.register(10)], 9),
      ("mov r9=rr[r10]", .getRR, [.register(10)], 9),
      ("mov rr[r9]=r10", .setRR, [.register(9), .register(10)], nil),
      ("ptc.ga r9,r10", .ptcga, [.register(9), .register(10)], nil),
      ("ssm 0x4000", .ssmI, [], nil),
      ("rsm 0x4000", .rsmI, [], nil),
      ("mov r9=psr", .getreg(.psr), [.constant(1019)], 9),
      ("mov psr.l=r9", .setreg(.psr), [.register(9), .constant(1019)], nil),
      ("mov r9=cr.ivr", .getreg(.control(65)), [.constant(4161)], 9),
      ("mov cr.itm=r9", .setreg(.control(1)), [.register(9), .constant(4097)], nil),
      ("mov.m ar.k6=r9", .setreg(.application(6)), [.register(9), .constant(3078)], nil),
      ("mov.m r9=ar.itc", .getreg(.application(44)), [.constant(3116)], 9),
    ]
    let all = SensitiveInstructions.sensitive + SensitiveInstructions.privileged + SensitiveInstructions.conditional
    var builder = ImageBuilder()
    for (text, _, _, _) in expected {
      let slot = try #require(all.first { $0.text == text }).slot
      builder.text += Code.bundle("M;MI;;", Code.nop, slot | 7, Code.nop).bytes
    }
    let report = try discover(builder)
    #expect(report.sites.count == expected.count)
    for (index, (site, want)) in zip(report.sites, expected).enumerated() {
      let bundle = ImageBuilder.textAddress + UInt64(16 * index)
      #expect(site.kind == .instruction && site.start == bundle | 1 && site.end == bundle | 2)
      #expect(site.type == want.type && site.arguments == want.arguments && site.result == want.result, "\(want.text)")
      #expect(site.predicate == 7)
      #expect(site.arguments.count == site.operation.argumentCount)
      #expect((site.result != nil) == site.operation.hasResult)
    }
  }

  @Test func instructionsWithoutAnOperation() throws {
    var builder = ImageBuilder()
    for text in ["ssm 0x2000", "rsm 0x22000", "itc.d r9", "tpa r9=r10"] {
      let slot = try #require(SensitiveInstructions.privileged.first { $0.text == text }).slot
      builder.text += Code.bundle("MII;;", slot | 6, Code.nop, Code.nop).bytes
    }
    builder.text += Code.bundle("BBB;;", Code.nopB, Code.nopB, 0x1000_0000).bytes  // cover
    let report = try discover(builder)
    #expect(report.sites.isEmpty)
    #expect(report.withoutOperation == ["ssm": 1, "rsm": 1, "itc.d": 1, "tpa": 1, "cover": 1])
  }

  @Test func callsThatNoRecordAnnounces() throws {
    var builder = ImageBuilder()
    builder.addSite(.thash)
    let second = builder.addSite(.setRR)
    builder.bundles.removeLast(24)
    builder.text += ImageBuilder.callSite(member: ImageBuilder.table + 14 * 8)  // no member any more
    let report = try discover(builder)
    #expect(report.sites.map(\.start) == [second] && report.sites.map(\.end) == [second + 80])
    #expect(report.sites[0].kind == .call && report.sites[0].type == .setRR)
    #expect(report.sites[0].arguments == [.register(8), .register(9)] && report.sites[0].result == nil)
  }

  /// Guests/module/plain.elf, whose calls objdump shows; the call of a function chosen at run time is nobody's.
  @Test func callsAsACompilerMakesThem() throws {
    let path = packageFolder.appendingPathComponent("Guests/module/plain.elf").path
    let guest = try ParavirtImage(ELFImage(bytes: readFile(path)))
    let report = guest.discover()
    let calls = report.sites.filter { $0.kind == .indirectCall }
    #expect(calls.map { String($0.symbol.prefix { $0 != "+" }) } == ["plain_hash", "plain_loop", "plain_both"])
    #expect(calls.map(\.operation) == [.thash, .setRR, .getPSRI])
    #expect(calls.map(\.arguments) == [[.output(0)], [.output(0), .output(1)], []])
    #expect(calls.map(\.result) == [8, nil, 8])
    for call in calls {
      let offset = try #require(guest.image.fileOffset(ofVirtual: call.start & ~15, count: 16))
      let bundle = guest.image.bytes.withUnsafeBytes { InstructionBundle(loadingFrom: $0.baseAddress! + offset) }
      #expect(Decoder.decode(bundle)[Int(call.start & 3)].opcode == .br_call_indirect)
    }
  }

  /// Every site is a finding of the checker too, and what has a record is in neither.
  @Test(arguments: ["linux/vmlinux", "linux/pv/vmlinux"]) func realKernels(name: String) throws {
    guard let path = GuestFiles.path(name) else { return }
    let guest = try ParavirtImage(ELFImage(bytes: readFile(path)))
    let report = guest.discover()
    let found = Set(guest.check().findings.map(\.address))
    #expect(report.sites.allSatisfy { $0.kind != .instruction || found.contains($0.start) })
    #expect(report.count(.call) == 0 && report.count(.indirectCall) == 0)
    let counts = Dictionary(uniqueKeysWithValues: report.byOperation.map { ($0.name, $0.count) })
    if guest.records.records.isEmpty {
      // local_irq_disable and _enable everywhere: thousands of them.
      #expect((counts["RSM_I"] ?? 0) > 1000 && (counts["SSM_I"] ?? 0) > 1000)
      #expect(counts["GETREG psr", default: 0] > 500)
    } else {
      #expect((counts["RSM_I"] ?? 0) < 20)
    }
    #expect(report.withoutOperation["rfi", default: 0] > 10)
  }
}
