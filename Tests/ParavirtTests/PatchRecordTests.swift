// Reading patch-site records: good ones, every kind of bad one, and those of a real kernel.
import Foundation
import Machine
import Paravirt
import Testing

@Suite struct PatchRecordTests {
  private func records(_ builder: ImageBuilder) throws -> PatchRecords {
    let image = try ELFImage(bytes: builder.build())
    return try PatchRecords(image, symbols: ELFSymbols(image))
  }

  @Test(arguments: [true, false]) func readsAllThreeTables(withSections: Bool) throws {
    var builder = ImageBuilder()
    builder.withSections = withSections
    let first = builder.addSite(.thash)
    builder.addSite(.setreg(.control(1)))
    builder.instructions = ImageBuilder.words([first | 1, first + 16 | 2, 10])
    builder.branches = ImageBuilder.words([first + 80, 0x3000_0002])
    let read = try records(builder)
    #expect(read.diagnostics.isEmpty)
    #expect(read.total == 4)
    try #require(read.records.count == 4)
    #expect(read.records[0] == PatchRecord(kind: .bundle, index: 0, start: first, end: first + 80, type: .thash))
    #expect(read.records[1].type.name == "SETREG cr.itm")
    #expect(read.records[2].kind == .instruction && read.records[2].length == 32)
    #expect(read.records[3].type == .branchWorkProcessedSyscall)
  }

  @Test(arguments: [
    // start, end, type, words of the message, error or warning
    (0x10, 0x60, 2, "outside the image", true),
    (0xa000_0001_0000_0000, 0xa000_0001_0000_0100, 2, "outside the image", true),
    (0xa000_0001_0000_0008, 0xa000_0001_0000_0050, 2, "multiples of 16", true),
    (0xa000_0001_0000_0000, 0xa000_0001_0000_004f, 2, "multiples of 16", true),
    (0xa000_0001_0000_0050, 0xa000_0001_0000_0050, 2, "empty", true),
    (0xa000_0001_0000_0050, 0xa000_0001_0000_0000, 2, "empty", true),
    (0xffff_ffff_ffff_fff0, 0, 2, "empty", true),
    (0xa000_0001_0010_0000, 0xa000_0001_0010_0010, 2, "not executable", true),
    (0xa000_0001_0000_0000, 0xa000_0001_0000_0050, 13, "unknown patch type 0xd", false),
    (0xa000_0001_0000_0000, 0xa000_0001_0000_0050, 0x3000_0000, "unknown patch type", false),
    (0xa000_0001_0000_0000, 0xa000_0001_0000_0050, 0x1_0000_0002, "unknown patch type 0x100000002", false),
  ] as [(UInt64, UInt64, UInt64, String, Bool)])
  func refusesABadRecordInOneLine(start: UInt64, end: UInt64, type: UInt64, words: String, isError: Bool) throws {
    var builder = ImageBuilder()
    builder.addSite(.thash)
    builder.bundles += ImageBuilder.words([start, end, type])
    let read = try records(builder)
    #expect(read.records.count == 1)
    try #require(read.diagnostics.count == 1)
    let diagnostic = read.diagnostics[0]
    #expect(diagnostic.severity == (isError ? .error : .warning))
    #expect(diagnostic.index == 1)
    #expect(diagnostic.message.contains("record 1"))
    #expect(diagnostic.message.contains(words), "\(diagnostic.message)")
    #expect(!diagnostic.message.contains("\n"))
  }

  @Test func refusesARecordThatIsCutShort() throws {
    var builder = ImageBuilder()
    builder.addSite(.thash)
    builder.bundles += [1, 2, 3]
    let read = try records(builder)
    #expect(read.records.count == 1)
    #expect(read.diagnostics.map(\.severity) == [.error])
  }

  @Test(arguments: ["vmlinux", "vmlinux-smp"]) func agreesWithARealKernel(kernel: String) throws {
    let counts = kernel == "vmlinux" ? "sites.json" : "sites-smp.json"
    guard let path = GuestFiles.path("linux/pv/" + kernel), let json = GuestFiles.path("linux/pv/" + counts) else {
      return
    }
    let expected = try #require(
      JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: json))) as? [String: Any])
    let image = try ELFImage(bytes: readFile(path))
    let read = try PatchRecords(image, symbols: ELFSymbols(image))
    #expect(read.diagnostics.isEmpty)
    let bundles = read.records.filter { $0.kind == .bundle }
    #expect(bundles.count == expected["total"] as? Int)
    let byType = Dictionary(grouping: bundles, by: \.type.name).mapValues(\.count)
    #expect(byType == expected["by_type"] as? [String: Int])
    let bySection = Dictionary(grouping: bundles) { image.section(containing: $0.start)?.name ?? "" }
      .mapValues(\.count)
    #expect(bySection == expected["by_section"] as? [String: Int])
    let branches = read.records.filter { $0.kind == .branch }.map {
      ["0x" + String($0.start, radix: 16), "0x" + String($0.type.rawValue, radix: 16)]
    }
    #expect(branches == expected["branch_sites"] as? [[String]])
  }
}
