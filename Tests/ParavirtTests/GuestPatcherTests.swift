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

  private enum BranchFixture {
    /// At 0x100000: br.cond.sptk.many 0x101000; nop.b; nop.b
    static let forward = bundle("17 00 02 04 00 10 00 00 00 00 10 00 00 00 00 20")
    /// At 0x102010: br.cond.sptk.many 0x100030; nop.b; nop.b
    static let backward = bundle("17 00 0a f8 3f 12 00 00 00 00 10 00 00 00 00 20")
    /// At 0x100020: nop.m; nop.i; (p7) br.cond.spnt.few 0x100030
    static let third = bundle("11 00 00 00 01 00 00 00 00 02 80 03 10 00 00 41")
    /// At 0x100010: (p6) brl.cond.dptk.few 0x102000
    static let long = bundle("05 00 00 00 01 00 00 00 00 00 00 03 f0 1f 00 c2")
    /// br.cond.sptk.many to the next bundle; nop.b; nop.b
    static let next = bundle("17 00 06 00 00 10 00 00 00 00 10 00 00 00 00 20")
    /// ld8 r8=[r9]; nop.i; br.cond.sptk.few to the next bundle
    static let withLoad = bundle("10 40 00 12 18 10 00 00 00 02 00 00 10 00 00 40")
    /// At 0x20: ld8 r8=[r9]; brl.cond.sptk.few 0x40000000010
    static let longWithLoad = bundle("04 40 00 12 18 10 ff ff 03 00 00 00 f0 ff ff c0")
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
    var occupied = f.third
    occupied[1] = Code.move(8, from: 9)
    #expect(try BranchPatch.retarget(f.forward, slot: 0, at: base, to: base + (1 << 24) - 16).get().template.name == "BBB")
    #expect(try BranchPatch.retarget(f.forward, slot: 0, at: base, to: base - (1 << 24)).get().template.name == "BBB")
    for target in [base + (1 << 24), base - (1 << 24) - 16] {
      let long = try BranchPatch.retarget(f.forward, slot: 0, at: base, to: target).get()
      #expect(long.template.name == "MLX")
      #expect(throws: BranchPatch.Problem.self) {
        try BranchPatch.retarget(occupied, slot: 2, at: base, to: target).get()
      }
    }
    // (p6) br.cond.sptk.many becomes the (p6) brl.cond.sptk.many 0x8000200000000030 that GNU as and ld build.
    let short = bundle("d7 00 0e 00 00 10 00 00 00 00 10 00 00 00 00 20")
    let far = bundle("05 00 00 00 01 00 00 ff 1f 00 60 03 38 00 00 c8")
    let made = BranchPatch.retarget(short, slot: 0, at: 0xa000_0001_0000_0000, to: 0x8000_2000_0000_0030)
    #expect(try made.get() == far)
    #expect(throws: BranchPatch.Problem.self) { try BranchPatch.retarget(f.forward, slot: 0, at: 0, to: 8).get() }
    #expect(throws: BranchPatch.Problem.self) { try BranchPatch.retarget(f.forward, slot: 1, at: 0, to: 16).get() }
    // An M slot's instruction stays when the branch beside it becomes long; its slot 0 is then no branch.
    #expect(try BranchPatch.retarget(f.withLoad, slot: 2, at: 0x20, to: 0x400_0000_0010).get() == f.longWithLoad)
    #expect(BranchPatch.target(f.longWithLoad, slot: 2, at: 0x20) == 0x400_0000_0010)
    #expect(throws: BranchPatch.Problem.self) { try BranchPatch.retarget(f.longWithLoad, slot: 0, at: 0, to: 16).get() }
    // Three branch slots become long, and short again where only the target was changed.
    let wide = try BranchPatch.retarget(f.next, slot: 0, at: base, to: base + 0x1_0000_0000).get()
    #expect(wide.template.name == "MLX" && BranchPatch.target(wide, slot: 0, at: base) == base + 0x1_0000_0000)
    #expect(BranchPatch.shorten(wide, slot: 0, at: base, to: base + 16) == f.next)
  }

  @Test func patchesBranchesOfAnImage() throws {
    var builder = ImageBuilder()
    builder.addSite(.thash)
    let site = ImageBuilder.textAddress + UInt64(builder.text.count)
    builder.text += BranchFixture.next.bytes + BranchFixture.next.bytes
    let elsewhere = ImageBuilder.textAddress + UInt64(builder.text.count)
    builder.text += BranchFixture.forward.bytes
    builder.branches = ImageBuilder.words([site, 0x3000_0000, site + 16, 0x3000_0003, site + 1, 0x3000_0000, elsewhere, 0x3000_0000])
    builder.symbols.append(("ia64_native_switch_to", ImageBuilder.textAddress + 0x40))
    let (bytes, report) = try report(builder)
    let branches = report.sites.filter { $0.kind == .branch }
    #expect(branches[0].outcome == .retargeted(ImageBuilder.textAddress + 0x40))
    #expect(branches[1].outcome == .kept("the image has no native entry point for BR_LEAVE_KERNEL"))
    // Slot 1 of that bundle is a nop.b.
    #expect(branches[2].outcome == .refused("its slot holds no br.cond or brl.cond to an address"))
    // A branch that leads anywhere else is not the record's.
    guard case .refused(let reason) = branches[3].outcome else { return #expect(Bool(false), "not refused") }
    #expect(reason.hasPrefix("it leads to 0x"))
    let expected = try BranchPatch.retarget(
      BranchFixture.next, slot: 0, at: site, to: ImageBuilder.textAddress + 0x40).get()
    #expect(Array(bytes[0x150..<0x160]) == expected.bytes)
    // Undone, the branch leads to the next bundle again.
    let undone = try patchCallSites(ELFImage(bytes: bytes), .indirectCall)
    #expect(Array(undone.bytes[0x100..<0x180]) == builder.text)
  }

  // MARK: The other forms of a site

  /// What GNU as builds of DirectCall's comment, at 0 and with gp 0x123456789abcdef0.
  private static let directCall = bytes(
    """
    05 80 00 02 00 a1 9a 78 56 34 12 20 00 97 f7 66 03 00 00 00 01 00 10 01 00 60 00 20 02 8b 00 84
    00 00 00 00 01 00 60 88 04 80 03 00 00 00 04 00 11 00 00 00 01 00 00 00 00 02 00 00 d0 0f 00 40
    01 08 00 20 00 21 00 00 00 02 00 00 00 00 04 00
    """)
  /// Bundle 3 with a brl.cond to 0x100000000.
  private static let longBranch = bytes("05 00 00 00 01 00 ff 00 00 00 00 00 d0 ff ff c0")

  @Test func buildsADirectCall() throws {
    let near = FunctionDescriptor(entry: 0x1000, gp: 0x1234_5678_9abc_def0)
    #expect(DirectCall.bytes(at: 0, near) == Self.directCall)
    let far = FunctionDescriptor(entry: 0x1_0000_0000, gp: near.gp)
    var expected = Self.directCall
    expected.replaceSubrange(48..<64, with: Self.longBranch)
    #expect(DirectCall.bytes(at: 0, far) == expected)
    #expect(DirectCall.bytes(at: 0, FunctionDescriptor(entry: 8, gp: 0)) == nil)
    for callee in [near, far] {
      let call = try #require(DirectCall.bytes(at: 0x4000, callee))
      #expect(call.withUnsafeBytes { DirectCall.callee(at: 0x4000, $0) } == callee)
      // Any bit but those of target and gp makes it other code; those make it another callee.
      for bit in 0..<640 {
        var damaged = call
        damaged[bit / 8] ^= 1 << UInt8(bit % 8)
        #expect(damaged.withUnsafeBytes { DirectCall.callee(at: 0x4000, $0) } != callee, "bit \(bit)")
      }
    }
  }

  /// Where no replacement fits, the function is called straight; with no function, the site stays.
  @Test func callsDirectlyWhatDoesNotFit() throws {
    var builder = ImageBuilder()
    let site = builder.addSite(.thash)
    builder.addSite(.getRR)
    builder.function = (ImageBuilder.textAddress, 0x5555)
    let guest = try ParavirtImage(ELFImage(bytes: builder.build()))
    var replacements = Replacements(guest)
    replacements.set([UInt8](repeating: 0, count: 96), for: .thash, .native)
    var text = ImageText(guest.image)
    let patcher = GuestPatcher(guest, .replacement(.native), replacements)
    #expect(patcher.patch(guest.records.records, in: &text) == [.direct(site), .replaced(used: 16)])
    let call = try #require(DirectCall.bytes(at: site, FunctionDescriptor(entry: site, gp: 0x5555)))
    #expect(Array(text.bytes[0x100..<0x150]) == call)
    let listed = try listCallSites(ELFImage(bytes: text.bytes))
    #expect(listed.sites[0].contents == .direct && listed.sites[0].unboundReason != nil)
    // Other replacements, same image: from the direct call straight to the body that fits.
    let again = try patchCallSites(ELFImage(bytes: text.bytes), .replacement(.native))
    #expect(again.bytes == (try patchToNative(guest.image).bytes))

    builder.function = nil
    let without = try ParavirtImage(ELFImage(bytes: builder.build()))
    text = ImageText(without.image)
    replacements = Replacements(without)
    replacements.set([UInt8](repeating: 0, count: 96), for: .thash, .native)
    let outcomes = GuestPatcher(without, .replacement(.native), replacements).patch(without.records.records, in: &text)
    #expect(outcomes[0] == .kept("too short: the replacement takes 96 bytes, the site has 80"))
    #expect(outcomes[1] == .replaced(used: 16))
  }

  /// Every goal from every state, and back to the very bytes that the assembler wrote.
  @Test func undoesEveryFormExactly() throws {
    var builder = ImageBuilder()
    for type in PatchType.all where type.operation != nil && NativeBodies()[type] != nil { builder.addSite(type) }
    builder.function = (ImageBuilder.textAddress, 0x5555)
    let original = builder.build()
    let goals: [PatchGoal] = [.replacement(.native), .replacement(.xen), .directCall, .indirectCall]
    for first in goals {
      let one = try patchCallSites(ELFImage(bytes: original), first)
      for second in goals {
        let two = try patchCallSites(ELFImage(bytes: one.bytes), second)
        #expect(!two.report.hasErrors, "\(first), \(second)")
        #expect(two.bytes == (try patchCallSites(ELFImage(bytes: original), second).bytes), "\(first), \(second)")
      }
    }
  }

  @Test func logsWhatItOverwrites() throws {
    var builder = ImageBuilder()
    let site = builder.addSite(.thash)
    builder.addSite(.setRR)
    builder.addSite(.getPSRI)
    let guest = try ParavirtImage(ELFImage(bytes: builder.build()))
    var text = ImageText(guest.image)
    var log: UndoLog? = UndoLog()
    let outcomes = GuestPatcher(guest).patch(guest.records.records, in: &text, log: &log)
    #expect(outcomes.allSatisfy { $0 == .replaced(used: 16) })
    // Someone rewrites the second site since: it is left alone, the others come back.
    _ = text.withBytes(at: site + 80, count: 16) { $0[3] ^= 0xff }
    let rewritten = Array(text.bytes[0x150..<0x1a0])
    #expect(log?.undo(in: &text) == [site + 80])
    #expect(log?.isEmpty == true)
    #expect(Array(text.bytes[0x100..<0x150]) == Array(builder.text[..<80]))
    #expect(Array(text.bytes[0x150..<0x1a0]) == rewritten)
    #expect(Array(text.bytes[0x1a0..<0x1f0]) == Array(builder.text[160...]))
  }

  // MARK: Instruction sites (bundles from GNU as 2.40)

  private enum InstructionFixture {
    /// thash r8=r8; nop.m; nop.i ;;   and with break.m 0xd in its place
    static let thash = bytes("09 40 00 10 1a 04 00 00 00 02 00 00 00 00 04 00")
    static let xen = bytes("09 68 00 00 00 00 00 00 00 02 00 00 00 00 04 00")
    /// nop.m; nop.i; nop.b
    static let branches = bytes("10 00 00 00 01 00 00 00 00 02 00 00 00 00 00 20")
    /// nop.m; thash r8=r8; nop.b
    static let second = bytes("18 00 00 00 01 00 80 00 20 34 08 00 00 00 00 20")
  }

  private func instructionImage(_ text: [UInt8], _ start: UInt64, _ end: UInt64, _ type: PatchType) -> ImageBuilder {
    var builder = ImageBuilder()
    builder.text = text
    builder.instructions = ImageBuilder.words([
      ImageBuilder.textAddress + start, ImageBuilder.textAddress + end, UInt64(type.rawValue),
    ])
    return builder
  }

  @Test func replacesInstructions() throws {
    let f = InstructionFixture.self
    let image = instructionImage(f.thash, 0, 1, .thash)
    let native = try report(image)
    #expect(native.report.sites[0].outcome == .unchanged)
    let xen = try patchCallSites(ELFImage(bytes: image.build()), .replacement(.xen))
    #expect(xen.report.sites[0].outcome == .replaced(used: 16))
    #expect(Array(xen.bytes[0x100..<0x110]) == f.xen)
    let back = try patchCallSites(ELFImage(bytes: xen.bytes), .replacement(.native))
    #expect(back.bytes == image.build())
  }

  /// Linux fills with one nop encoding, which is no nop in a branch slot.
  @Test func fillsBranchSlotsWithTheirOwnNop() throws {
    let f = InstructionFixture.self
    // thash in slot 1 of the first bundle; the range goes on through the second to its branch slot.
    let image = instructionImage(f.second + f.branches, 1, 0x20, .thash)
    let xen = try patchCallSites(ELFImage(bytes: image.build()), .replacement(.xen))
    #expect(xen.report.sites[0].outcome == .replaced(used: 32))
    let after = Array(xen.bytes[0x100..<0x120])
    #expect(Array(after[16...]) == f.branches)
    let first = after.withUnsafeBytes { InstructionBundle(loadingFrom: $0.baseAddress!) }
    #expect(first.slot0 == 1 << 27 && first.slot1 == 0xd << 6 && first.slot2 == 2 << 37)
  }

  @Test func placesASequenceOnlyWhereItsStopsAre() throws {
    // setreg ar.k3 under Xen: mov r9=r8; mov r8=3 ;; break.i 0x12. The native write stands in slot 0.
    let native = try #require(NativeBodies.builtin(.setreg(.application(3))))[0].bytes
    let nops = bundle("0a 00 00 00 01 00 00 00 00 02 00 00 00 00 04 00").bytes  // MMI, a stop behind slot 0
    let patched = try patchCallSites(
      ELFImage(bytes: instructionImage(native + nops, 0, 0x20, .setreg(.application(3))).build()), .replacement(.xen))
    #expect(patched.report.sites[0].outcome == .replaced(used: 32))
    let image = patched.bytes
    let steps = image[0x100..<0x120].withUnsafeBytes { bytes in
      InstructionSite.steps(of: [0, 16].map { InstructionBundle(loadingFrom: bytes.baseAddress! + $0) })
    }
    #expect(steps?.map(\.endsGroup).prefix(2) == [false, true])
    // Without a second bundle there is no slot behind the stop.
    let short = try patchCallSites(
      ELFImage(bytes: instructionImage(native, 0, 0x10, .setreg(.application(3))).build()), .replacement(.xen))
    #expect(short.report.sites[0].outcome == .kept("too short: 3 instructions do not fit into its 3 slots"))
  }

  @Test func refusesInstructionsOfAnotherKind() throws {
    let f = InstructionFixture.self
    let other = try report(instructionImage(f.thash, 0, 1, .getRR))
    #expect(other.report.sites[0].outcome == .refused("its slots hold other code than GET_RR"))
    let long = Code.movl(Code.nop, 8, 1).bytes
    let movl = try report(instructionImage(f.thash + long, 0, 0x12, .thash))
    #expect(movl.report.hasErrors && movl.report.sites[0].outcome != .unchanged)
    let reserved = try report(instructionImage(f.thash + [0x06] + [UInt8](repeating: 0, count: 15), 0, 0x12, .thash))
    #expect(reserved.report.hasErrors)
  }

  // MARK: Reports

  @Test func showsEverySiteBeforeAndAfter() throws {
    var builder = ImageBuilder()
    builder.addSite(.thash)
    let image = try ELFImage(bytes: builder.build())
    let listed = try listCallSites(image, disassembly: .replacement(.native))
    #expect(listed.sites[0].outcome == nil)
    #expect(listed.sites[0].before.count == 14 && listed.sites[0].after.count == 15)
    #expect(listed.sites[0].before[0] == "[MLX]       nop.m 0x0")
    #expect(listed.sites[0].before[11] == "[MII]       mov r1=r16")
    #expect(listed.sites[0].after[0] == "[MII]       thash r8=r8")
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
