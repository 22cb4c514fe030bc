// Builds small ELF64 images for IA-64 byte by byte, so that tests can break any field of them.
import Paravirt

/// One image: a text segment with call sites, a data segment with the record tables, symbols and a note.
struct ImageBuilder {
  static let textAddress: UInt64 = 0xa000_0001_0000_0000
  static let dataAddress: UInt64 = 0xa000_0001_0010_0000
  static let textPhysical: UInt64 = 0x400_0000
  static let dataPhysical: UInt64 = 0x410_0000
  static let table: UInt64 = dataAddress + 0x40  // pv_cpu_ops

  var text: [UInt8] = []
  var bundles: [UInt8] = []
  var instructions: [UInt8] = []
  var branches: [UInt8] = []
  var symbols: [(name: String, value: UInt64)] = [("pv_cpu_ops", table)]
  var withSections = true
  /// The function that every member of pv_cpu_ops names: code address and gp. Its descriptor stands first in the data.
  var function: (entry: UInt64, gp: UInt64)?

  static func words(_ values: [UInt64]) -> [UInt8] {
    values.flatMap { value in (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
  }

  /// The call sequence as GNU as 2.40 assembles it, for the member of pv_cpu_ops at `member`.
  static func callSite(member: UInt64) -> [UInt8] {
    // movl r2=imm64 (SDM vol. 3, format X2): imm64 = i:imm41:ic:imm5c:imm9d:imm7b.
    let imm41 = member >> 22 & (1 << 41 - 1)
    let high: UInt64 =
      6 << 37 | (member >> 63) << 36 | (member >> 7 & 0x1ff) << 27 | (member >> 16 & 0x1f) << 22
      | (member >> 21 & 1) << 21 | (member & 0x7f) << 13 | 2 << 6
    let nopM: UInt64 = 0x8000000
    let low = 0x05 | nopM << 5 | imm41 << 46
    return words([low, imm41 >> 18 | high << 23]) + tail
  }

  /// Bundles 1 to 4, from objdump of a kernel built with GNU as 2.40.
  static let tail: [UInt8] = [
    0x01, 0x10, 0x00, 0x04, 0x18, 0x10, 0x10, 0x01, 0x00, 0x60, 0x00, 0x00, 0x02, 0x08, 0x00, 0x84,
    0x02, 0x18, 0x20, 0x04, 0x18, 0x14, 0x10, 0x81, 0x45, 0x00, 0x42, 0xe0, 0x30, 0x08, 0x00, 0x07,
    0x10, 0x08, 0x00, 0x04, 0x18, 0x10, 0x60, 0x88, 0x04, 0x80, 0x03, 0x00, 0x70, 0x00, 0x80, 0x00,
    0x01, 0x08, 0x00, 0x20, 0x00, 0x21, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x04, 0x00,
  ]

  /// Adds a call site and its record; returns its address.
  @discardableResult
  mutating func addSite(_ type: PatchType) -> UInt64 {
    let address = ImageBuilder.textAddress + UInt64(text.count)
    text += ImageBuilder.callSite(member: ImageBuilder.table + (type.operation?.offset ?? 0))
    bundles += ImageBuilder.words([address, address + 80, UInt64(type.rawValue)])
    return address
  }

  private static func half(_ values: [UInt16]) -> [UInt8] {
    values.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
  }

  private static func long(_ values: [UInt32]) -> [UInt8] {
    values.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
  }

  /// File layout: header, 3 program headers, text, data (table, records, note), symbols, strings, section headers.
  func build() -> [UInt8] {
    let w = ImageBuilder.words
    let long = ImageBuilder.long
    var text = self.text
    while text.count % 16 != 0 || text.isEmpty { text.append(0) }
    let textOffset = 0x100
    let dataOffset = textOffset + text.count
    var data = [UInt8](repeating: 0, count: 0x40 + 14 * 8)
    if let function {
      data = w([function.entry, function.gp]) + [UInt8](repeating: 0, count: 0x30)
      data += w([UInt64](repeating: ImageBuilder.dataAddress, count: 14))
    }
    var starts: [String: (UInt64, UInt64)] = [:]
    for (name, bytes) in [
      (".paravirt_bundles", bundles), (".paravirt_insts", instructions), (".paravirt_branches", branches),
    ] {
      starts[name] = (UInt64(data.count), UInt64(bytes.count))
      data += bytes
    }
    while data.count % 8 != 0 { data.append(0) }
    let noteAt = data.count
    data += long([8, 8, 1]) + Array("Kittson\0".utf8) + w([0x400_0100])
    let noteSize = data.count - noteAt

    var symbols = self.symbols
    if !withSections { symbols = [] }
    for (name, range) in starts.sorted(by: { $0.key < $1.key }) {
      symbols.append(("__start_" + name.dropFirst(), ImageBuilder.dataAddress + range.0))
      symbols.append(("__stop_" + name.dropFirst(), ImageBuilder.dataAddress + range.0 + range.1))
    }
    var strings: [UInt8] = [0]
    var table = [UInt8](repeating: 0, count: 24)
    for (name, value) in symbols {
      table += long([UInt32(strings.count)]) + [0x10, 0] + ImageBuilder.half([1]) + w([value, 0])
      strings += Array(name.utf8) + [0]
    }
    let symbolOffset = dataOffset + data.count
    let stringOffset = symbolOffset + table.count

    var sectionNames: [UInt8] = [0]
    var headers: [UInt8] = [UInt8](repeating: 0, count: 64)
    var count: UInt16 = 1
    func add(
      _ name: String, type: UInt32, flags: UInt64, address: UInt64, offset: Int, size: Int, link: UInt32 = 0,
      entry: UInt64 = 0
    ) {
      headers +=
        long([UInt32(sectionNames.count), type]) + w([flags, address, UInt64(offset), UInt64(size)])
        + long([link, 0]) + w([1, entry])
      sectionNames += Array(name.utf8) + [0]
      count += 1
    }
    add(".text", type: 1, flags: 6, address: ImageBuilder.textAddress, offset: textOffset, size: text.count)
    add(".data", type: 1, flags: 3, address: ImageBuilder.dataAddress, offset: dataOffset, size: 0x40 + 14 * 8)
    if withSections {
      for name in [".paravirt_bundles", ".paravirt_insts", ".paravirt_branches"] {
        let (start, size) = starts[name]!
        add(
          name, type: 1, flags: 2, address: ImageBuilder.dataAddress + start, offset: dataOffset + Int(start),
          size: Int(size))
      }
    }
    add(".symtab", type: 2, flags: 0, address: 0, offset: symbolOffset, size: table.count,
      link: UInt32(count) + 1, entry: 24)
    add(".strtab", type: 3, flags: 0, address: 0, offset: stringOffset, size: strings.count)
    let namesOffset = stringOffset + strings.count
    add(".shstrtab", type: 3, flags: 0, address: 0, offset: namesOffset, size: sectionNames.count + 10)
    let sectionOffset = (namesOffset + sectionNames.count + 7) & ~7

    var file: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0] + [UInt8](repeating: 0, count: 8)
    file += ImageBuilder.half([2, 50]) + long([1])
    file += w([ImageBuilder.textAddress, 64, UInt64(sectionOffset)]) + long([0x50])
    file += ImageBuilder.half([64, 56, 3, 64, count, count - 1])
    func segment(_ type: UInt32, _ flags: UInt32, _ offset: Int, _ va: UInt64, _ pa: UInt64, _ size: Int, _ memory: Int)
    {
      file += long([type, flags]) + w([UInt64(offset), va, pa, UInt64(size), UInt64(memory), 16])
    }
    segment(1, 5, textOffset, ImageBuilder.textAddress, ImageBuilder.textPhysical, text.count, text.count)
    segment(1, 6, dataOffset, ImageBuilder.dataAddress, ImageBuilder.dataPhysical, data.count, data.count + 0x100)
    segment(4, 4, dataOffset + noteAt, ImageBuilder.dataAddress + UInt64(noteAt), 0, noteSize, noteSize)
    file += [UInt8](repeating: 0, count: textOffset - file.count)
    file += text + data + table + strings + sectionNames
    while file.count < sectionOffset { file.append(0) }
    return file + headers
  }
}
