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

  /// Compares objdump's text of every line (three a bundle, two for MLX) with ours, as both come. Gives the number of
  /// lines and of those that differ, and calls `report` for the first few of these.
  static func compare(
    _ bundles: [InstructionBundle], report: (_ ours: String, _ reference: String) -> Void
  ) -> (lines: Int, differences: Int) {
    var expected: [UInt8] = []
    var position = 0, next = 0, lines = 0, differences = 0
    listing(bundles, options: "--no-show-raw-insn") { line in
      if position == expected.count, next < bundles.count {
        expected.removeAll(keepingCapacity: true)
        position = 0
        Disassembler.appendLines(bundles[next], at: UInt64(next) * 16, to: &expected)
        next += 1
      }
      lines += 1
      let end = expected[position...].firstIndex(of: UInt8(ascii: "\n")) ?? expected.count
      let equal = expected.withUnsafeBytes { ours in
        line.count == end - position
          && (line.isEmpty || memcmp(line.baseAddress!, ours.baseAddress! + position, line.count) == 0)
      }
      if !equal {
        differences += 1
        if differences <= 20 {
          report(String(decoding: expected[position..<end], as: UTF8.self), String(decoding: line, as: UTF8.self))
        }
      }
      position = min(end + 1, expected.count)
    }
    if next != bundles.count || position != expected.count { differences += 1 }
    return (lines, differences)
  }

  /// All lines with an address, whole.
  static func listing(_ bundles: [InstructionBundle]) -> [String] {
    var lines: [String] = []
    listing(bundles, options: "", whole: true) { lines.append(String(decoding: $0, as: UTF8.self)) }
    return lines
  }

  /// Calls `body` with the text behind the address of each line that has one, or with the whole line.
  private static func listing(
    _ bundles: [InstructionBundle], options: String, whole: Bool = false, _ body: (UnsafeRawBufferPointer) -> Void
  ) {
    let path = "\(temporaryDirectory)/kittson-objdump-\(getpid())-\(UInt64.random(in: 0...UInt64.max)).bin"
    defer { unlink(path) }
    guard let file = fopen(path, "w") else { return }
    bundles.withUnsafeBytes { _ = fwrite($0.baseAddress, 1, $0.count, file) }
    fclose(file)
    guard let pipe = popen("\(command) -D -z \(options) -b binary -m ia64-elf64 \(path)", "r") else { return }
    defer { pclose(pipe) }
    let size = 1 << 20
    let buffer = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
    defer { buffer.deallocate() }
    var kept = 0
    while true {
      let count = fread(buffer + kept, 1, size - kept, pipe)
      if count == 0 { return }
      let end = buffer + kept + count
      var start = buffer
      while let newline = memchr(start, 10, end - start) {
        if let colon = memchr(start, 58, newline - start), colon.load(fromByteOffset: 1, as: UInt8.self) == 9 {
          let text = whole ? start : colon + 2
          body(UnsafeRawBufferPointer(start: text, count: newline - text))
        }
        start = newline + 1
      }
      kept = end - start
      memmove(buffer, start, kept)
    }
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
    var lines = 0, differences = 0
    for start in stride(from: 0, to: count, by: 200_000) {
      let found = Objdump.compare((start..<min(start + 200_000, count)).map(next)) {
        if differences == 0 { Issue.record("'\($0)', objdump '\($1)'") }
      }
      lines += found.lines
      differences += found.differences
    }
    #expect(lines >= 2 * count)
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

  /// Each row's encodings, by the unit that executes them; the A rows go to M and I in turn.
  private struct RowQueue {
    let rows: [Opcode]
    var random: RandomInstruction
    var made = 0
    let wanted: Int

    init(_ unit: Unit, perRow: Int, seed: UInt64) {
      rows = instructionTable.filter { $0.format.unit == unit }.map { $0.opcode }
      random = RandomInstruction(seed: seed << 8 | UInt64(unit.rawValue))
      random.boundaryBias = 128
      random.randomizesIgnoredBits = true
      wanted = perRow * rows.count
    }

    var isEmpty: Bool { made >= wanted }

    mutating func next() -> EncodedSlot {
      defer { made += 1 }
      return random.slot(rows[made % rows.count])
    }
  }

  /// Encodings of every row in bundles as full as their units let them be.
  private struct RowBundles {
    var queues: [Unit: RowQueue] = [:]
    var turn = 0

    init(perRow: Int, seed: UInt64) {
      for unit: Unit in [.M, .I, .A, .B, .F, .X] { queues[unit] = RowQueue(unit, perRow: perRow, seed: seed) }
    }

    /// An encoding for a slot of `unit`, of the A rows now and then; a nop when there are no more.
    private mutating func slot(_ unit: Unit) -> UInt64 {
      turn += 1
      if unit == .I || unit == .M, !queues[.A]!.isEmpty, turn & 1 == 0 || queues[unit]!.isEmpty {
        return queues[.A]!.next().slot
      }
      return queues[unit]!.isEmpty ? 1 << 27 : queues[unit]!.next().slot
    }

    mutating func next() -> InstructionBundle? {
      if queues.values.allSatisfy(\.isEmpty) { return nil }
      if !queues[.B]!.isEmpty { return bundle(0x16, .B, .B, .B) }
      if !queues[.X]!.isEmpty {
        let long = queues[.X]!.next()
        return InstructionBundle(template: Template(rawValue: 0x04), slot(.M), long.long, long.slot)
      }
      if !queues[.F]!.isEmpty { return bundle(0x0e, .M, .M, .F) }
      return queues[.M]!.isEmpty ? bundle(0x00, .M, .I, .I) : bundle(0x09, .M, .M, .I)
    }

    private mutating func bundle(_ template: UInt8, _ units: Unit...) -> InstructionBundle {
      InstructionBundle(template: Template(rawValue: template), slot(units[0]), slot(units[1]), slot(units[2]))
    }
  }

  /// 20,000 encodings of every row, operand boundaries among them, in two halves that can run side by side.
  @Test(arguments: [11, 12]) func everyRow(_ seed: UInt64) {
    let perRow = volume * 10_000
    var bundles = RowBundles(perRow: perRow, seed: seed)
    var all: [InstructionBundle] = []
    while let bundle = bundles.next() {
      all.append(bundle)
      if all.count == 200_000 {
        compare(all.count) { all[$0] }
        all.removeAll(keepingCapacity: true)
      }
    }
    compare(all.count) { all[$0] }
    for queue in bundles.queues.values { #expect(queue.made >= perRow * queue.rows.count) }
  }

  /// Five million slots of random bits: most are no instruction, and objdump must say so too.
  @Test(arguments: [12, 15]) func randomSlots(_ seed: UInt64) {
    var generator = SplitMix64(seed: seed)
    compare(volume * 850_000) { _ in InstructionBundle(low: generator.next(), high: generator.next()) }
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
