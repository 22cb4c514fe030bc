// A relocatable module (.ko) as the guest patcher sees it: laid out in memory and relocated as far as its call sites
// need, so that records, the addresses in its calls and its symbols read as in a linked image. Linux patches modules
// in memory, after relocation (kernel/module.c); here the bytes go back into the file, and the relocations that would
// write into a replacement are taken out of it (Itanium psABI, 4.3).
import IA64
import Machine

package struct RelocatableModule: Sendable {
  /// The file with addresses: sections from `base` on, whatever the module does not define from `externals` on.
  package let view: ELFImage
  private let file: ELFImage
  private let relocations: [Relocation]

  /// Where Linux puts modules: behind the kernel, in region 5.
  package static let base: UInt64 = 0xa000_0002_0000_0000
  package static let externals: UInt64 = 0xa000_0003_0000_0000
  /// Distance of two of them; no object that a call site names is larger.
  private static let externalSize: UInt64 = 0x1000

  private struct Relocation {
    /// Where its entry stands in the file.
    var entry: Int
    var type: UInt32
    /// Address that it changes; a slot in the low bits for an instruction.
    var place: UInt64
    var value: UInt64
    /// What it changes, in the file.
    var offset: Int
  }

  /// Relocation types of the psABI.
  private enum Kind {
    static let none: UInt32 = 0x00
    static let immediate64: UInt32 = 0x23  // movl
    static let address64: UInt32 = 0x27  // a little-endian word
  }

  /// - Throws: `ELFError` where its tables do not lie in the file.
  package init(_ file: ELFImage) throws(ELFError) {
    self.file = file
    let sections = try RelocatableModule.layOut(file)
    var bytes = file.bytes
    let symbols = try RelocatableModule.placeSymbols(file, sections, in: &bytes)
    var relocations: [Relocation] = []
    for table in file.sections where table.type == ELFImage.sectionRelocations {
      relocations += try RelocatableModule.read(table, file, sections, symbols)
    }
    for relocation in relocations { RelocatableModule.apply(relocation, to: &bytes) }
    self.relocations = relocations.sorted { $0.place < $1.place }
    view = ELFImage(file, bytes: bytes, sections: sections)
  }

  /// The sections with addresses, one behind the other.
  private static func layOut(_ file: ELFImage) throws(ELFError) -> [ELFImage.Section] {
    var sections = file.sections
    var next = base
    for index in sections.indices where sections[index].isAllocated {
      _ = try file.contents(of: sections[index])
      sections[index].address = next
      guard let end = checkedEnd(next, sections[index].size), end < externals - 64 else {
        throw .sectionPastEnd(name: sections[index].name, end: nil, size: file.bytes.count)
      }
      next = (end + 63) & ~63
    }
    return sections
  }

  /// Writes addresses into the symbol table and gives them by index.
  private static func placeSymbols(
    _ file: ELFImage, _ sections: [ELFImage.Section], in bytes: inout [UInt8]
  ) throws(ELFError) -> [UInt64] {
    guard let table = sections.first(where: { $0.type == ELFImage.sectionSymbols }) else { return [] }
    _ = try file.contents(of: table)
    let reader = ByteReader(file.bytes)
    var values: [UInt64] = []
    for index in 0..<table.size / 24 {
      let at = table.offset + 24 * index
      guard let section = reader.u16(at + 6), var value = reader.u64(at + 8) else { break }
      if section == 0, index > 0 {
        value = externals + index * externalSize
        store(UInt64(0xfff1), size: 2, at: Int(at) + 6, in: &bytes)  // SHN_ABS
      } else if section < sections.count {
        value &+= sections[Int(section)].address
      }
      store(value, size: 8, at: Int(at) + 8, in: &bytes)
      values.append(value)
    }
    return values
  }

  private static func read(
    _ table: ELFImage.Section, _ file: ELFImage, _ sections: [ELFImage.Section], _ symbols: [UInt64]
  ) throws(ELFError) -> [Relocation] {
    _ = try file.contents(of: table)
    guard table.info < sections.count else { throw .badRelocation(section: table.name, index: 0) }
    let target = sections[Int(table.info)]
    guard target.isAllocated, target.hasBytes else { return [] }
    let reader = ByteReader(file.bytes)
    var relocations: [Relocation] = []
    for index in 0..<table.size / 24 {
      let at = table.offset + 24 * index
      guard let offset = reader.u64(at), let information = reader.u64(at + 8), let addend = reader.u64(at + 16),
        offset < target.size, information >> 32 < symbols.count
      else { throw .badRelocation(section: table.name, index: Int(index)) }
      let type = UInt32(truncatingIfNeeded: information)
      // One that was taken out was a movl's.
      let first = type == Kind.immediate64 || type == Kind.none ? offset & ~15 : offset
      if type == Kind.immediate64 || type == Kind.address64 {
        let size: UInt64 = type == Kind.immediate64 ? 16 : 8
        guard target.size >= size, first <= target.size - size else {
          throw .badRelocation(section: table.name, index: Int(index))
        }
      }
      relocations.append(
        Relocation(
          entry: Int(at), type: type, place: target.address + offset,
          value: symbols[Int(information >> 32)] &+ addend, offset: Int(target.offset + first)))
    }
    return relocations
  }

  /// Only what call sites and records hold: words, and the immediates of movl.
  private static func apply(_ relocation: Relocation, to bytes: inout [UInt8]) {
    switch relocation.type {
    case Kind.address64: store(relocation.value, size: 8, at: relocation.offset, in: &bytes)
    case Kind.immediate64: setImmediate(relocation.value, at: relocation.offset, in: &bytes)
    default: break
    }
  }

  private static func setImmediate(_ value: UInt64, at offset: Int, in bytes: inout [UInt8]) {
    guard offset + 16 <= bytes.count else { return }
    let bundle = bytes.withUnsafeBytes { InstructionBundle(loadingFrom: $0.baseAddress! + offset) }
    guard bundle.template.isLong, bundle.slot2 >> 37 == 6 else { return }
    let made = Code.movl(
      bundle.slot0, UInt8(bundle.slot2 >> 6 & 0x7f), value, stop: bundle.template.hasStop(after: 2))
    // The predicate and bit 20, which a movl has as 0, stay what they are.
    let kept = bundle.slot2 & (0x3f | 1 << 20)
    let new = InstructionBundle(template: made.template, made.slot0, made.slot1, made.slot2 | kept)
    bytes.replaceSubrange(offset..<offset + 16, with: new.bytes)
  }

  private static func store(_ value: UInt64, size: Int, at offset: Int, in bytes: inout [UInt8]) {
    for index in 0..<size { bytes[offset + index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * index)) }
  }

  /// The module's file with the sites that a patcher changed in the view's bytes.
  package func file(withPatched bytes: [UInt8], _ records: [PatchRecord], _ outcomes: [PatchOutcome]) -> [UInt8] {
    var result = file.bytes
    for (record, outcome) in zip(records, outcomes) where outcome.isDone {
      guard let offset = view.fileOffset(ofVirtual: record.address, count: record.length) else { continue }
      let range = offset..<offset + Int(record.length)
      result.replaceSubrange(range, with: bytes[range])
      let isCall = outcome == .restored
      for relocation in relocations(in: record.address..<record.address + record.length) {
        // Its symbol and addend stay, so that it can come back; what it writes is 0 until then.
        if isCall { RelocatableModule.setImmediate(0, at: relocation.offset, in: &result) }
        let type = isCall ? Kind.immediate64 : Kind.none
        RelocatableModule.store(UInt64(type), size: 4, at: relocation.entry + 8, in: &result)
      }
    }
    return result
  }

  private func relocations(in range: Range<UInt64>) -> ArraySlice<Relocation> {
    func first(_ address: UInt64) -> Int {
      var low = 0, high = relocations.count
      while low < high {
        let middle = (low + high) / 2
        if relocations[middle].place < address { low = middle + 1 } else { high = middle }
      }
      return low
    }
    return relocations[first(range.lowerBound)..<first(range.upperBound)]
  }
}
