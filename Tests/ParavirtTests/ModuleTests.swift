// Relocatable modules: the one of Guests/module, whole and damaged.
import Foundation
import IA64
import Machine
import Paravirt
import Testing

@Suite struct ModuleTests {
  private static func module() throws -> [UInt8] {
    try readFile(packageFolder.appendingPathComponent("Guests/module/pvmodule.ko").path)
  }

  private func open(_ bytes: [UInt8]) throws -> ELFImage { try ELFImage(bytes: bytes, types: ELFImage.allTypes) }

  /// The relocations as readelf lists them: file offset of the entry, type, offset in the section.
  private func relocations(_ image: ELFImage, _ name: String) throws -> [(at: Int, type: UInt32, offset: UInt64)] {
    let section = try #require(image.section(named: name))
    let reader = ByteReader(image.bytes)
    return try (0..<section.size / 24).map { index in
      let at = section.offset + 24 * index
      return (Int(at), try #require(reader.u32(at + 8)), try #require(reader.u64(at)))
    }
  }

  /// Sites by readelf -r: eight bundle sites, one instruction site, two sections.
  @Test func listsSitesThatOnlyRelocationsName() throws {
    let listed = try listCallSites(open(Self.module()))
    #expect(listed.diagnostics.isEmpty)
    #expect(
      listed.sites.map(\.type.name) == [
        "THASH", "GET_RR", "GET_PSR_I", "RSM_I", "SET_RR0_TO_RR4", "INTRIN_LOCAL_IRQ_RESTORE", "SETREG ar.k6",
        "GETREG ar.k6", "GETREG psr",
      ])
    #expect(listed.sites.dropLast().allSatisfy { $0.contents == .call && $0.unboundReason == nil })
    #expect(listed.sites.map(\.section) == Array(repeating: ".text", count: 6) + [".init.text", ".init.text", ".text"])
    #expect(listed.sites[0].symbol == "pvmodule_hash+0x10" && listed.sites[8].contents == .native)
  }

  @Test func patchesItAndTakesOutItsRelocations() throws {
    let original = try Self.module()
    let image = try open(original)
    let (patched, report) = try patchToNative(image)
    #expect(report.diagnostics.isEmpty)
    // The bytes of the first site: thash r8=r8 and four nops, in .text at 0x10; nothing else of the section before it.
    let text = try #require(image.section(named: ".text"))
    let site = Int(text.offset) + 0x10
    let thash = bytes("01 40 00 10 1a 04 00 00 00 02 00 00 00 00 04 00")
    let nop = bytes("0c 00 00 00 01 00 00 00 00 02 00 00 00 00 04 00")
    #expect(Array(patched[site..<site + 80]) == thash + nop + nop + nop + nop)
    #expect(Array(patched[..<site]) == Array(original[..<site]))
    // movl's relocations would write into the bodies: all are none now. Those of the records stay.
    let after = try open(patched)
    for name in [".rela.text", ".rela.init.text"] {
      #expect(try relocations(image, name).allSatisfy { $0.type == 0x23 })
      #expect(try relocations(after, name).allSatisfy { $0.type == 0 })
    }
    #expect(try relocations(after, ".rela.paravirt_bundles").allSatisfy { $0.type == 0x27 })
    // Patched once more nothing changes; undone it is the file that the linker wrote.
    let again = try patchToNative(after)
    #expect(again.bytes == patched && again.report.sites[0].outcome == .unchanged)
    for goal in [PatchGoal.replacement(.native), .replacement(.xen)] {
      let there = try patchCallSites(image, goal).bytes
      #expect(there != original)
      #expect(try patchCallSites(open(there), .indirectCall).bytes == original)
    }
  }

  /// A module's pv_cpu_ops is the kernel's: what it holds is not known.
  @Test func hasNoFunctionToCallDirectly() throws {
    let original = try Self.module()
    let direct = try patchCallSites(open(original), .directCall)
    #expect(direct.bytes == original && !direct.report.hasErrors)
    #expect(direct.report.sites[0].outcome == .kept("the image's pv_cpu_ops names no function for THASH"))
  }

  @Test func checksIt() throws {
    let guest = try ParavirtImage(open(Self.module()))
    let report = guest.check()
    #expect(report.findings.isEmpty && report.unproven.isEmpty)
    #expect(report.covered == 8 * 5 + 1)
    // Without its records everything it does directly is found.
    var bytes = try Self.module()
    let names = try #require(guest.image.sections.last { $0.type == 3 })
    let at = try #require(Array(bytes[Int(names.offset)...]).firstRange(of: Array(".paravirt_insts".utf8)))
    bytes[Int(names.offset) + at.lowerBound + 1] = UInt8(ascii: "x")
    #expect(try ParavirtImage(open(bytes)).check().findings.map(\.text) == ["mov r8=psr"])
  }

  @Test func refusesDamagedRelocations() throws {
    let original = try Self.module()
    let image = try open(original)
    let first = try #require(relocations(image, ".rela.text").first).at
    func damaged(_ change: (inout [UInt8]) -> Void) throws -> ELFImage {
      var bytes = original
      change(&bytes)
      return try open(bytes)
    }
    let outside = try damaged { $0[first + 2] = 0xff }  // r_offset
    #expect(throws: ELFError.badRelocation(section: ".rela.text", index: 0)) { try ParavirtImage(outside) }
    let symbol = try damaged { $0[first + 14] = 0xff }  // the symbol's index
    #expect(throws: ELFError.badRelocation(section: ".rela.text", index: 0)) { try ParavirtImage(symbol) }
    // A relocation of a record that leads elsewhere makes that record one to refuse, and no other.
    let record = try #require(relocations(image, ".rela.paravirt_bundles").first).at
    let elsewhere = try patchToNative(damaged { $0[record + 16 + 3] = 0x10 })  // r_addend
    #expect(elsewhere.report.diagnostics.count == 1 && elsewhere.report.hasErrors)
    #expect(elsewhere.report.sites.count == 8)
  }

  @Test func survivesRandomDamage() throws {
    let original = try Self.module()
    var generator = SystemRandomNumberGenerator()
    var opened = 0
    for _ in 0..<4000 {
      var bytes = original
      for _ in 0..<Int.random(in: 1...6, using: &generator) {
        bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
      }
      if Int.random(in: 0..<20, using: &generator) == 0 { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &generator)) }
      guard let image = try? open(bytes), let guest = try? ParavirtImage(image) else { continue }
      opened += 1
      _ = guest.check()
      for goal in [PatchGoal.replacement(.native), .replacement(.xen), .directCall, .indirectCall] {
        _ = try? patchCallSites(image, goal, disassembly: true)
      }
    }
    #expect(opened > 1000)
  }
}
