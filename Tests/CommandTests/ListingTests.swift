// `kittson disassemble` line for line against binutils: relocatable files, dynamic programs and libraries. And what --range
// takes.
import Foundation
import Testing

private let tools = "/usr/bin/ia64-linux-gnu-"
private let hasTools = ["objdump", "as"].allSatisfy { FileManager.default.isExecutableFile(atPath: tools + $0) }

@Suite struct ListingTests {
  private func differences(_ path: String) throws -> [String] {
    let wanted = try execute(URL(fileURLWithPath: tools + "objdump"), ["-dz", path])
    try #require(wanted.status == 0)
    let own = try kittson("disassemble", path)
    try #require(own.status == 0, "\(own.errors)")
    // Two lines of objdump name the file and its format.
    let lines = wanted.output.split(separator: "\n", omittingEmptySubsequences: false).drop { !$0.hasPrefix("Disassembly") }
    let ours = own.output.split(separator: "\n", omittingEmptySubsequences: false).drop { !$0.hasPrefix("Disassembly") }
    #expect(lines.count == ours.count && lines.count > 4)
    return zip(lines, ours).filter { $0 != $1 }.prefix(5).map { "\($0) | \($1)" }
  }

  private static let source = """
    .text
    .proc first
    first:
      br.call.sptk.many b0=second
      br.ret.sptk.many b0
    .endp
    .proc second
    .global second
    second:
      nop.m 0
      br.call.sptk.many b0=other
    .endp
    .section .text.other,"ax",@progbits
    before:
      nop.m 1
      nop.m 2
      nop.m 3
    other:
      br.ret.sptk.many b0
    """

  @Test(.enabled(if: hasTools, "no binutils for IA-64"))
  func relocatable() throws {
    let source = try TemporaryFile(Data(Self.source.utf8))
    let object = source.path + ".o"
    defer { try? FileManager.default.removeItem(atPath: object) }
    try #require(try execute(URL(fileURLWithPath: tools + "as"), ["-o", object, source.path]).status == 0)
    #expect(try differences(object) == [])
    // Sections lie over one another: a symbol's code is its section's.
    let other = try kittson("disassemble", object, "--range", "other")
    #expect(other.output.contains("section .text.other:") && !other.output.contains("section .text:"), "\(other.output)")
    #expect(try kittson("disassemble", object, "--host").status == 126)
  }

  private static let dynamic = ["programs/dyn/printf", "rootfs/lib/libanl.so.1", "rootfs/lib/librt.so.1"]

  @Test(.enabled(if: hasTools, "no binutils for IA-64"), arguments: dynamic)
  func linked(_ name: String) throws {
    let path = guestsFolder.appendingPathComponent(name).path
    guard FileManager.default.isReadableFile(atPath: path) else { return }
    #expect(try differences(path) == [])
  }

  @Test func ranges() throws {
    func lines(_ range: String) throws -> [Substring] {
      let result = try kittson("disassemble", "--range", range)
      #expect(result.status == 0, "\(range): \(result.errors)")
      return result.output.split(separator: "\n").filter { !$0.hasSuffix(":") }
    }
    let whole = try lines("check_region_registers")
    let start = try #require(whole.first?.drop { $0 == " " }.prefix { $0 != ":" }).description
    // One bundle has three lines, or two where it holds a long instruction.
    let second = try lines("check_region_registers+0x10")
    #expect(!second.isEmpty && second.count <= 3 && whole.contains(second[0]))
    #expect(try lines(start) == Array(whole.prefix(while: { !second.contains($0) })))
    #expect(try lines("check_region_registers..check_region_registers+0x1") == lines(start))
    #expect(try lines("0x\(start)..check_region_registers") == whole)
    let both = try lines("0x\(start)..check_region_registers+0x10")
    #expect(both.prefix(whole.count).elementsEqual(whole.prefix(both.count)) && both.count >= 4)
    #expect(try kittson("disassemble", "--range", "check_region_registers+0x10..check_region_registers+0x5").status == 64)
    #expect(try kittson("disassemble", "--range", "..0x10").status == 64)
  }
}
