// The guest patcher: sites and branches, against bytes from GNU as and against a real kernel's own tables.
import Foundation
import IA64
import Machine
import Paravirt
import Testing

@Suite struct GuestPatcherTests {
  private func report(_ builder: ImageBuilder) throws -> (bytes: [UInt8], report: PatchReport) {
    try patchToNative(ELFImage(bytes: builder.build()))
  }

  @Test func recognisesACallOfEveryOperation() throws {
    var builder = ImageBuilder()
    let types = PatchType.all.filter { $0.operation != nil }
    for type in types { builder.addSite(type) }
    let listed = try listCallSites(ELFImage(bytes: builder.build()))
    #expect(listed.sites.map(\.type) == types)
    #expect(listed.sites.allSatisfy { $0.contents == .call && $0.unboundReason == nil })
    #expect(listed.table == ImageBuilder.table)
  }

  /// Flipping any one bit of a site makes it another piece of code.
  @Test func bindsNothingThatDiffersInOneBit() throws {
    let member = ImageBuilder.table + Operation.thash.offset
    let call = ImageBuilder.callSite(member: member)
    let recognizer = SiteRecognizer(table: ImageBuilder.table, natives: NativeBodies())
    let record = PatchRecord(kind: .bundle, index: 0, start: 0x1000, end: 0x1050, type: .thash)
    #expect(call.withUnsafeBytes { recognizer.site(record, $0) }.isBound)
    for bit in 0..<call.count * 8 {
      var damaged = call
      damaged[bit / 8] ^= 1 << UInt8(bit % 8)
      let site = damaged.withUnsafeBytes { recognizer.site(record, $0) }
      #expect(!site.isBound, "bit \(bit)")
    }
  }

  @Test func infersTheTableWithoutItsSymbol() throws {
    var builder = ImageBuilder()
    builder.symbols = []
    builder.addSite(.getRR)
    builder.addSite(.thash)
    // Calls set_rr, but the record says thash.
    let odd = builder.addSite(.setRR)
    builder.bundles.removeLast(24)
    builder.bundles += ImageBuilder.words([odd, odd + 80, 2])
    let listed = try listCallSites(ELFImage(bytes: builder.build()))
    #expect(listed.table == ImageBuilder.table)
    #expect(listed.sites.map { $0.unboundReason == nil } == [true, true, false])
    #expect(listed.sites[2].unboundReason == "it calls set_rr, not thash")
  }

  @Test func replacesASiteAndFillsItWithNops() throws {
    var builder = ImageBuilder()
    builder.addSite(.thash)
    let (bytes, report) = try report(builder)
    #expect(report.sites[0].outcome == .replaced(used: 16))
    // thash r8 = r8 as GNU as assembles it, and four { .mfi nop.m 0; nop.f 0; nop.i 0 }.
    let thash: [UInt8] = [0x01, 0x40, 0x00, 0x10, 0x1a, 0x04, 0, 0, 0, 0x02, 0, 0, 0, 0, 0x04, 0]
    let nop: [UInt8] = [0x0c, 0, 0, 0, 0x01, 0, 0, 0, 0, 0x02, 0, 0, 0, 0, 0x04, 0]
    #expect(Array(bytes[0x100..<0x150]) == thash + nop + nop + nop + nop)

    // Patched once more, nothing changes, and the site is still one that the host may bind.
    let again = try patchToNative(ELFImage(bytes: bytes))
    #expect(again.bytes == bytes)
    #expect(again.report.sites[0].outcome == .unchanged)
    #expect(again.report.sites[0].contents == .native && again.report.sites[0].unboundReason == nil)
  }

  @Test func keepsASiteThatIsTooShort() throws {
    var builder = ImageBuilder()
    let site = builder.addSite(.setRR0ToRR4)
    builder.bundles = ImageBuilder.words([site, site + 48, UInt64(PatchType.setRR0ToRR4.rawValue)])
    let before = builder.build()
    let (bytes, report) = try report(builder)
    #expect(bytes == before)
    #expect(report.diagnostics.count == 1)
    #expect(report.diagnostics[0].severity == .warning)
    #expect(report.diagnostics[0].message.contains("too short"))
    #expect(!report.hasErrors)
  }

  @Test func refusesASiteThatHoldsSomethingElse() throws {
    var builder = ImageBuilder()
    let site = builder.addSite(.thash)
    builder.addSite(.getRR)
    builder.text[20] ^= 1
    let (bytes, report) = try report(builder)
    #expect(report.hasErrors)
    #expect(report.diagnostics[0].message.contains("0x" + String(site, radix: 16)))
    #expect(Array(bytes[0x100..<0x150]) == Array(builder.text[..<80]))
    // The other one is done all the same.
    #expect(report.sites[1].outcome == .replaced(used: 16))
  }

  @Test func patchesLiveMemoryAndTellsOfEveryBundle() throws {
    var builder = ImageBuilder()
    builder.addSite(.thash)
    builder.addSite(.getPSRI)
    let image = try ELFImage(bytes: builder.build())
    let guest = try ParavirtImage(image)
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 160, alignment: 16)
    defer { memory.deallocate() }
    memory.copyBytes(from: builder.text)
    let flushed = Ranges()
    var text = LiveText(
      host: { address, count in
        let offset = address &- ImageBuilder.textAddress
        return offset < 160 && count <= 160 - offset ? memory.baseAddress! + Int(offset) : nil
      },
      flushed: { address, count in flushed.all.append([address, count]) })
    let outcomes = GuestPatcher(guest).patch(guest.records.records, in: &text)
    #expect(outcomes == [.replaced(used: 16), .replaced(used: 16)])
    #expect(flushed.all == [[ImageBuilder.textAddress, 80], [ImageBuilder.textAddress + 80, 80]])
    #expect(Array(memory) == Array(try patchToNative(image).bytes[0x100..<0x1a0]))
  }

  private final class Ranges { var all: [[UInt64]] = [] }

  // MARK: Branches (bundles from GNU as 2.40, linked at the addresses stated)

  private static func bundle(_ text: String) -> InstructionBundle {
    let bytes = text.split(separator: " ").map { UInt8($0, radix: 16)! }
    return bytes.withUnsafeBytes { InstructionBundle(loadingFrom: $0.baseAddress!) }
  }

  private enum BranchFixture {
    /// At 0x100000: br.cond.sptk.many 0x101000; nop.b; nop.b
    static let forward = bundle("17 00 02 04 00 10 00 00 00 00 10 00 00 00 00 20")
    /// At 0x102010: br.cond.sptk.many 0x100030; nop.b; nop.b
    static let backward = bundle("17 00 0a f8 3f 12 00 00 00 00 10 00 00 00 00 20")
    /// At 0x100020: nop.m; nop.i; (p7) br.cond.spnt.few 0x100030
    static let third = bundle("11 00 00 00 01 00 00 00 00 02 80 03 10 00 00 41")
    /// At 0x100010: (p6) brl.cond.dptk.few 0x102000
    static let long = bundle("05 00 00 00 01 00 00 00 00 00 00 03 f0 1f 00 c2")
    /// At 0x102020: brl.cond.sptk.many 0x100030
    static let longBackward = bundle("05 00 00 00 01 00 ff ff ff ff 7f 00 18 e0 ff c8")
  }

  @Test func retargetsBothWays() throws {
    let f = BranchFixture.self
    #expect(try BranchPatch.retarget(f.forward, slot: 0, at: 0x102010, to: 0x100030).get() == f.backward)
    #expect(try BranchPatch.retarget(f.backward, slot: 0, at: 0x100000, to: 0x101000).get() == f.forward)
    #expect(try BranchPatch.retarget(f.third, slot: 2, at: 0x200020, to: 0x200030).get() == f.third)
    // The hints and the predicate of the bundle that is patched stay: from few to few, from (p6) to (p6).
    let there = try BranchPatch.retarget(f.long, slot: 1, at: 0x10, to: 0x1234_5678_9abc_def0).get()
    #expect(there != f.long)
    #expect(try BranchPatch.retarget(there, slot: 1, at: 0x100010, to: 0x102000).get() == f.long)
    let back = try BranchPatch.retarget(f.longBackward, slot: 1, at: 0x0, to: 0xf000_0000_0000_0000).get()
    #expect(try BranchPatch.retarget(back, slot: 1, at: 0x102020, to: 0x100030).get() == f.longBackward)
  }

  @Test func checksTheReach() throws {
    let f = BranchFixture.self
    // 16 MiB forward is just too far, 16 bytes less is not; backward 16 MiB is in reach.
    let base: UInt64 = 0x1000_0000
    #expect(try BranchPatch.retarget(f.forward, slot: 0, at: base, to: base + (1 << 24) - 16).get().template.name == "BBB")
    #expect(try BranchPatch.retarget(f.forward, slot: 0, at: base, to: base - (1 << 24)).get().template.name == "BBB")
    for target in [base + (1 << 24), base - (1 << 24) - 16] {
      let long = try BranchPatch.retarget(f.forward, slot: 0, at: base, to: target).get()
      #expect(long.template.name == "MLX")
      #expect(throws: BranchPatch.Problem.self) {
        try BranchPatch.retarget(f.third, slot: 2, at: base, to: target).get()
      }
    }
    // (p6) br.cond.sptk.many becomes the (p6) brl.cond.sptk.many 0x8000200000000030 that GNU as and ld build.
    let short = GuestPatcherTests.bundle("d7 00 0e 00 00 10 00 00 00 00 10 00 00 00 00 20")
    let far = GuestPatcherTests.bundle("05 00 00 00 01 00 00 ff 1f 00 60 03 38 00 00 c8")
    let made = BranchPatch.retarget(short, slot: 0, at: 0xa000_0001_0000_0000, to: 0x8000_2000_0000_0030)
    #expect(try made.get() == far)
    #expect(throws: BranchPatch.Problem.self) { try BranchPatch.retarget(f.forward, slot: 0, at: 0, to: 8).get() }
    #expect(throws: BranchPatch.Problem.self) { try BranchPatch.retarget(f.forward, slot: 1, at: 0, to: 16).get() }
    #expect(throws: BranchPatch.Problem.self) { try BranchPatch.retarget(f.long, slot: 2, at: 0, to: 16).get() }
  }

  @Test func patchesBranchesOfAnImage() throws {
    var builder = ImageBuilder()
    builder.addSite(.thash)
    let site = ImageBuilder.textAddress + UInt64(builder.text.count)
    builder.text += BranchFixture.forward.bytes
    builder.branches = ImageBuilder.words([site, 0x3000_0000, site, 0x3000_0003, site + 1, 0x3000_0000])
    builder.symbols.append(("ia64_native_switch_to", ImageBuilder.textAddress + 0x40))
    let (bytes, report) = try report(builder)
    let branches = report.sites.filter { $0.kind == .branch }
    #expect(branches[0].outcome == .retargeted(ImageBuilder.textAddress + 0x40))
    #expect(branches[1].outcome == .kept("the image has no native entry point for BR_LEAVE_KERNEL"))
    // Slot 1 of that bundle is a nop.b.
    #expect(branches[2].outcome == .refused("its slot holds no br.cond or brl.cond to an address"))
    let expected = try BranchPatch.retarget(
      BranchFixture.forward, slot: 0, at: site, to: ImageBuilder.textAddress + 0x40).get()
    #expect(Array(bytes[0x150..<0x160]) == expected.bytes)
  }

  // MARK: A real kernel

  /// Every body that Kittson builds itself means what the kernel's does; most are the same bytes.
  @Test func buildsTheBodiesThatGNUAsBuilds() throws {
    guard let path = GuestFiles.path("linux/pv/vmlinux") else { return }
    let image = try ELFImage(bytes: readFile(path))
    let natives = NativeBodies(image, symbols: try ELFSymbols(image))
    var different: [String] = []
    for type in PatchType.all {
      guard let body = natives[type], body.origin == .image, let own = NativeBodies.builtin(type) else { continue }
      if own.flatMap(\.bytes) != body.bytes { different.append(type.name) }
    }
    // ptc.ga and the writes of gp, sp are put into a template with another place of the stop.
    #expect(different == ["PTCGA"])
  }

  /// What `patch --backend native -o` writes is what the kernel's own patcher would have written: the body that its
  /// table native_elems names for the type, then its nop_bundle.
  @Test func writesWhatTheKernelItselfWouldHaveWritten() throws {
    guard let path = GuestFiles.path("linux/pv/vmlinux") else { return }
    let original = try readFile(path)
    let image = try ELFImage(bytes: original)
    let symbols = try ELFSymbols(image)
    let clock = ContinuousClock()
    var patched: (bytes: [UInt8], report: PatchReport)?
    let time = try clock.measure { patched = try patchToNative(image) }
    let (bytes, report) = try #require(patched)
    #expect(time < .seconds(1))
    #expect(!report.hasErrors && report.diagnostics.isEmpty)

    // The kernel's table: { start, end, type }, then its nop.
    func word(_ address: UInt64) -> UInt64 {
      let offset = image.fileOffset(ofVirtual: address, count: 8)!
      return original[offset..<offset + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
    var bodies: [UInt64: ArraySlice<UInt8>] = [:]
    var element = try #require(symbols.value(of: "native_elems"))
    while word(element) >> 60 == 0xa, word(element + 16) < 0x3000_0000 {
      let start = image.fileOffset(ofVirtual: word(element), count: 1)!
      bodies[word(element + 16)] = original[start..<start + Int(word(element + 8) - word(element))]
      element += 24
    }
    #expect(bodies.count > 100)
    let nopAddress = try #require(symbols.value(of: "nop_bundle"))
    let nopAt = image.fileOffset(ofVirtual: nopAddress, count: 16)!
    let nop = original[nopAt..<nopAt + 16]
    var expected = original
    let table = try #require(image.section(named: ".paravirt_bundles"))
    for record in stride(from: table.address, to: table.address + table.size, by: 24) {
      let start = image.fileOffset(ofVirtual: word(record), count: 80)!
      let body = try #require(bodies[word(record + 16)])
      var replacement = Array(body)
      while replacement.count < 80 { replacement += nop }
      expected.replaceSubrange(start..<start + 80, with: replacement)
    }
    // The four branches: a forward or backward IP-relative br.cond whose displacement is rewritten.
    let targets = ["switch_to", "leave_syscall", "work_processed_syscall", "leave_kernel"]
    let branches = try #require(image.section(named: ".paravirt_branches"))
    for record in stride(from: branches.address, to: branches.address + branches.size, by: 16) {
      let site = word(record)
      let target = try #require(symbols.value(of: "ia64_native_" + targets[Int(word(record + 8) - 0x3000_0000)]))
      let at = image.fileOffset(ofVirtual: site, count: 16)!
      // Slot 0: imm20b at slot bits 32:13 and the sign at 36, so bundle bits 37:18 and 41.
      let displacement = UInt64(bitPattern: (Int64(bitPattern: target) - Int64(bitPattern: site)) >> 4)
      let mask: UInt64 = 0xf_ffff << 18 | 1 << 41
      let new = word(site) & ~mask | (displacement & 0xf_ffff) << 18 | (target < site ? 1 << 41 : 0)
      expected.replaceSubrange(at..<at + 8, with: ImageBuilder.words([new]))
    }
    #expect(bytes == expected)
    #expect(bytes != original)
  }
}
