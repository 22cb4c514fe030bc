// The disassembler against binutils: generated slots of every row and random bits, in a raw binary that
// `ia64-linux-gnu-objdump -D` lists; every line must be equal character for character.
import IA64
import Testing

#if canImport(Glibc)
  import Glibc
#endif

/// Runs objdump over bundles at address 0.
private struct Objdump {
  static let command = "ia64-linux-gnu-objdump"

  static let isInstalled = system("command -v \(command) >/dev/null 2>&1") == 0

  /// The text of each line behind address and bytes, in order: three a bundle, two for MLX.
  static func lines(_ bundles: [InstructionBundle]) -> [String] {
    // "  1c:\t04 00 c4 00       \t            mov r35=b0;;"
    listing(bundles).compactMap {
      let fields = $0.split(separator: "\t", omittingEmptySubsequences: false)
      return fields.count == 3 ? String(fields[2]) : nil
    }
  }

  /// All lines with an address.
  static func listing(_ bundles: [InstructionBundle]) -> [String] {
    let path = "\(temporaryDirectory)/kittson-objdump-\(getpid())-\(UInt64.random(in: 0...UInt64.max)).bin"
    defer { unlink(path) }
    guard let file = fopen(path, "w") else { return [] }
    bundles.withUnsafeBytes { _ = fwrite($0.baseAddress, 1, $0.count, file) }
    fclose(file)
    guard let pipe = popen("\(command) -D -z -b binary -m ia64-elf64 \(path)", "r") else { return [] }
    defer { pclose(pipe) }
    var lines: [String] = []
    var buffer: UnsafeMutablePointer<CChar>?
    var capacity = 0
    defer { free(buffer) }
    while getline(&buffer, &capacity, pipe) > 0 {
      let line = String(cString: buffer!).dropLast()
      if line.contains(":\t") { lines.append(String(line)) }
    }
    return lines
  }

  private static var temporaryDirectory: String { getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp" }
}

@Suite struct DisassemblerTests {
  /// Compares all lines of `count` bundles, many at a time; reports the first few differences.
  private func compare(_ count: Int, _ next: (_ index: Int) -> InstructionBundle) {
    guard Objdump.isInstalled else {
      print("skipped: \(Objdump.command) is not installed, nothing compared")
      return
    }
    for start in stride(from: 0, to: count, by: 100_000) {
      compare((start..<min(start + 100_000, count)).map(next))
    }
  }

  private func compare(_ bundles: [InstructionBundle]) {
    let reference = Objdump.lines(bundles)
    var next = 0
    var differences = 0
    for (index, bundle) in bundles.enumerated() {
      for line in Disassembler.lines(bundle, at: UInt64(index) * 16) {
        let expected = next < reference.count ? reference[next] : "nothing"
        next += 1
        guard line != expected else { continue }
        differences += 1
        if differences <= 20 { Issue.record("'\(line)', objdump '\(expected)'") }
      }
    }
    #expect(next == reference.count)
    #expect(differences == 0)
  }

  /// A bundle with one slot for a unit, nops in the others.
  private func bundle(_ encoded: EncodedSlot, unit: Unit) -> InstructionBundle {
    let nop: UInt64 = 1 << 27
    return switch unit {
    case .M, .A: InstructionBundle(template: Template(rawValue: 0x00), encoded.slot, nop, nop)
    case .I: InstructionBundle(template: Template(rawValue: 0x01), nop, nop, encoded.slot)
    case .F: InstructionBundle(template: Template(rawValue: 0x0c), nop, encoded.slot, nop)
    case .B: InstructionBundle(template: Template(rawValue: 0x10), nop, nop, encoded.slot)
    case .X: InstructionBundle(template: Template(rawValue: 0x05), nop, encoded.long, encoded.slot)
    }
  }

  @Test func everyRow() {
    var random = RandomInstruction(seed: 11)
    random.boundaryBias = 128
    random.randomizesIgnoredBits = true
    compare(volume * 200 * instructionTable.count) { index in
      let row = instructionTable[index % instructionTable.count]
      let unit = row.format.unit
      let isOdd = index / instructionTable.count % 2 != 0
      return bundle(random.slot(row.opcode), unit: unit == .A && isOdd ? .I : unit)
    }
  }

  @Test func randomSlots() {
    var generator = SplitMix64(seed: 12)
    compare(volume * 60_000) { _ in InstructionBundle(low: generator.next(), high: generator.next()) }
  }

  /// Addresses, bytes and the second line of long instructions.
  @Test func listing() {
    guard Objdump.isInstalled else { return }
    var random = RandomInstruction(seed: 14)
    for count in [3, 5000] {
      let bundles = (0..<count).map { _ in random.bundle(from: .everything) }
      let width = Disassembler.addressWidth(end: UInt64(count) * 16)
      let lines = bundles.enumerated().flatMap {
        Disassembler.listing($0.element, at: UInt64($0.offset) * 16, width: width)
      }
      #expect(lines == Objdump.listing(bundles))
    }
  }

  /// Slots one bit away from a legal one: reserved bits, hints and neighbouring rows.
  @Test func neighbours() {
    var random = RandomInstruction(seed: 13)
    var encoded = EncodedSlot(slot: 0)
    compare(volume * 41 * instructionTable.count) { index in
      let row = instructionTable[index / 41 % instructionTable.count]
      let bit = UInt64(index % 41)
      if bit == 0 { encoded = random.slot(row.opcode) }
      return bundle(EncodedSlot(slot: encoded.slot ^ 1 << bit, long: encoded.long), unit: row.format.unit)
    }
  }

  @Test func addressesAreWrittenByTheSymbolizer() {
    let call = Instruction(opcode: .br_call, hint: 1, imm: 0x40)
    #expect(Disassembler.text(call, at: 0x1000) == "      br.call.sptk.many b0=0x1040")
    #expect(
      Disassembler.text(call, at: 0x1000) { "\(String($0, radix: 16)) <f>" } == "      br.call.sptk.many b0=1040 <f>")
  }
}
