// `kittson disassemble`, with what the translator makes of the code (--host).
import Foundation
import Testing

@Suite struct DisassembleTests {
  /// One block of `disassemble --host`.
  private struct Block {
    var title = ""
    var sections: [String: [String]] = [:]

    /// The number that stands before a word of the title.
    func count(_ word: String) -> Int? {
      let words = title.split(separator: " ")
      return words.firstIndex { $0 == word }.flatMap { $0 > 0 ? Int(words[$0 - 1]) : nil }
    }
  }

  private func blocks(_ arguments: [String]) throws -> [Block] {
    let result = try kittson(["disassemble", "--host"] + arguments)
    try #require(result.status == 0, "\(result.errors)")
    var blocks: [Block] = []
    var section = ""
    for line in result.output.split(separator: "\n").map(String.init) {
      if line.hasPrefix("Block ") {
        blocks.append(Block(title: line))
      } else if !line.hasPrefix(" ") {
        section = String(line.prefix { $0 != ":" })
      } else if !blocks.isEmpty {
        blocks[blocks.count - 1].sections[section, default: []].append(line)
      }
    }
    return blocks
  }

  private let objdump = FileManager.default.isExecutableFile(atPath: "/usr/bin/objdump")

  /// Every block of one of the kernel's functions: its guest code is what the plain listing has at those addresses, the
  /// optimizer leaves no more operations than there were, and the count of host instructions is objdump's.
  @Test func functionOfTheKernel() throws {
    let plain = Set(try kittson("disassemble").output.split(separator: "\n").map { $0.drop { $0 == " " } })
    let blocks = try blocks(["--range", "check_region_registers"])
    try #require(blocks.count > 3)
    for block in blocks {
      let guest = try #require(block.sections["guest"])
      for line in guest { #expect(plain.contains(line.drop { $0 == " " }), "\(line)") }
      let before = try #require(block.sections["IR"]), after = try #require(block.sections["IR, optimized"])
      #expect(after.count <= before.count && !after.isEmpty, "\(block.title)")
      let host = try #require(block.sections["host"])
      if objdump { #expect(block.count("host") == host.count, "\(block.title)") }
      let slots = try #require(block.count("slots,")), instructions = try #require(block.count("guest"))
      #expect(instructions <= slots && slots <= 3 * guest.count, "\(block.title)")
    }
    #expect(blocks.contains { $0.sections["IR, optimized"]!.count < $0.sections["IR"]!.count })
  }

  /// The whole listing is objdump's (-dz: without folding of zeros), line by line, symbols' names included.
  @Test func wholeImagesAsObjdumpListsThem() throws {
    let objdump = URL(fileURLWithPath: "/usr/bin/ia64-linux-gnu-objdump")
    guard FileManager.default.isExecutableFile(atPath: objdump.path) else {
      print("skipped: wholeImagesAsObjdumpListsThem wants binutils-ia64-linux-gnu")
      return
    }
    let images = ["pvkernel/pvkernel.elf", "hello/hello.elf"].map { packageFolder.appendingPathComponent("Guests/\($0)") }
    let larger = [guestsFolder.appendingPathComponent("programs/O2/hello")].filter {
      FileManager.default.fileExists(atPath: $0.path)
    }
    for image in images + larger {
      let expected = try execute(objdump, ["-dz", image.path]).output.split(separator: "\n").dropFirst()
      let actual = try kittson("disassemble", image.path).output.split(separator: "\n")
      #expect(expected.count > 20)
      let different = zip(expected, actual).first { $0 != $1 }
      #expect(different == nil && expected.count == actual.count, "\(image.path): \(String(describing: different))")
    }
  }

  /// At a call site the host's instructions are those of its dispatch.
  @Test func callSiteInEachDispatch() throws {
    let sites = try kittson("patch", "--list", "--json")
    let report = try #require(JSONSerialization.jsonObject(with: Data(sites.output.utf8)) as? [String: Any])
    let list = try #require(report["sites"] as? [[String: Any]])
    let site = try #require(list.first { $0["type"] as? String == "GET_RR" }?["start"] as? String)
    func operations(_ dispatch: String) throws -> [String] {
      let block = try #require(try blocks(["--range", site, "--dispatch", dispatch]).first)
      return try #require(block.sections["IR"]).map { String($0.split(separator: " ")[2].prefix { $0 != "." }) }
    }
    #expect(try operations("inlined").contains("siteBegins"))
    #expect(try operations("indirect").contains("callSite"))
    #expect(try operations("direct").contains("callSite"))
    #expect(try !operations("emulated").contains { $0 == "callSite" || $0 == "siteBegins" })
  }

  @Test func aProgram() throws {
    let path = packageFolder.appendingPathComponent("Guests/hello/hello.elf").path
    #expect(try blocks([path, "--range", "_start"]).first?.sections["host"]?.isEmpty == false)
  }

  /// Without objdump the instructions are bytes, as many of them.
  @Test func hostWithoutObjdump() throws {
    let arguments = ["disassemble", "--host", "--range", "check_region_registers"]
    let bare = try execute(
      URL(fileURLWithPath: "/usr/bin/env"), ["PATH=/nonexistent", program.path] + arguments)
    let usual = try kittson(arguments)
    let hex = bare.output.split(separator: "\n").last?.split(separator: ":").last?.split(separator: " ") ?? []
    #expect(!hex.isEmpty && hex.allSatisfy { $0.count == 2 && UInt8($0, radix: 16) != nil })
    if objdump { #expect(bare.output.split(separator: "\n").count == usual.output.split(separator: "\n").count) }
  }

  @Test(arguments: [["--range", "no_such_symbol"], ["--range", "0x10..0x20", "--host"], ["--range", "zz..yy"]])
  func badRanges(_ arguments: [String]) throws {
    let result = try kittson(["disassemble"] + arguments)
    #expect(result.status == 64 && result.output.isEmpty)
    #expect(result.errors.hasPrefix("kittson: ") && result.errors.split(separator: "\n").count == 1, "\(result.errors)")
  }
}
