// What an opened ELF image holds: the bytes of segments and sections, addresses, symbols, notes.

extension ELFImage {
  /// A loadable segment, ready to be placed.
  package struct LoadableSegment {
    package var physicalAddress: UInt64
    package var virtualAddress: UInt64
    package var bytes: ArraySlice<UInt8>  // what the file holds
    package var memorySize: UInt64  // bytes in memory; what exceeds `bytes` is zero
    package var flags: UInt32  // 1 execute, 2 write, 4 read
  }

  /// The PT_LOAD segments with a size, in the file's order. Their ranges were checked when the image was opened.
  package var loadableSegments: [LoadableSegment] {
    segments.compactMap { segment in
      guard segment.type == ELFImage.segmentLoad, segment.memorySize > 0 else { return nil }
      let start = segment.fileSize == 0 ? 0 : Int(segment.offset)
      return LoadableSegment(
        physicalAddress: segment.physicalAddress, virtualAddress: segment.virtualAddress,
        bytes: bytes[start..<start + Int(segment.fileSize)], memorySize: segment.memorySize, flags: segment.flags)
    }
  }

  /// The loadable segment whose memory holds `address`.
  package func segment(containing address: UInt64) -> Segment? {
    segments.first {
      $0.type == ELFImage.segmentLoad && address >= $0.virtualAddress
        && address - $0.virtualAddress < $0.memorySize
    }
  }

  /// Where the bytes of [address, address + count) stand in the file; nil unless one segment's file part holds them.
  package func fileOffset(ofVirtual address: UInt64, count: UInt64) -> Int? {
    for segment in segments where segment.type == ELFImage.segmentLoad && address >= segment.virtualAddress {
      let within = address - segment.virtualAddress
      guard within < segment.fileSize, segment.fileSize - within >= count else { continue }
      return Int(segment.offset + within)
    }
    return nil
  }

  /// The physical address at which the loader places `address`, if a segment holds it.
  package func physicalAddress(ofVirtual address: UInt64) -> UInt64? {
    segment(containing: address).map { $0.physicalAddress + (address - $0.virtualAddress) }
  }

  /// `e_entry` as a physical address: translated where it lies in a segment's virtual range, else as it is.
  package var physicalEntry: UInt64 { physicalAddress(ofVirtual: entry) ?? entry }

  /// The path of the dynamic loader (PT_INTERP), if the image names one.
  package var interpreter: String? {
    guard let segment = segments.first(where: { $0.type == ELFImage.segmentInterpreter }) else { return nil }
    return ByteReader(bytes).string(segment.offset, 0, limit: segment.fileSize)
  }

  /// Sections of that name, in order.
  package func sections(named name: String) -> [Section] { sections.filter { $0.name == name } }

  package func section(named name: String) -> Section? { sections.first { $0.name == name } }

  /// The allocated section whose memory holds `address`.
  package func section(containing address: UInt64) -> Section? {
    sections.first { $0.isAllocated && address >= $0.address && address - $0.address < $0.size }
  }

  /// The bytes of a section; empty for one without any (SHT_NOBITS).
  package func contents(of section: Section) throws(ELFError) -> ArraySlice<UInt8> {
    guard section.hasBytes else { return [] }
    let end = checkedEnd(section.offset, section.size)
    guard let end, end <= UInt64(bytes.count) else {
      throw .sectionPastEnd(name: section.name, end: end, size: bytes.count)
    }
    return bytes[Int(section.offset)..<Int(end)]
  }

  /// All notes of the PT_NOTE segments (of the SHT_NOTE sections where there is no such segment).
  package func notes() throws(ELFError) -> [Note] {
    var ranges = segments.filter { $0.type == ELFImage.segmentNote }.map { ($0.offset, $0.fileSize) }
    if ranges.isEmpty {
      for section in sections where section.type == ELFImage.sectionNote {
        _ = try contents(of: section)
        ranges.append((section.offset, section.size))
      }
    }
    var notes: [Note] = []
    for (offset, size) in ranges { try readNotes(offset, size, into: &notes) }
    return notes
  }

  private func readNotes(_ offset: UInt64, _ size: UInt64, into notes: inout [Note]) throws(ELFError) {
    let reader = ByteReader(bytes)
    guard let end = checkedEnd(offset, size) else { throw .badNote(offset: offset) }
    var at = offset
    while end - at >= 12 {
      guard let nameSize = reader.u32(at), let descriptionSize = reader.u32(at + 4), let type = reader.u32(at + 8)
      else { throw .badNote(offset: at) }
      let nameStart = at + 12
      // Both fields are padded to 4 bytes; sizes are 32 bits, so these sums cannot exceed 64 bits.
      let descriptionStart = nameStart + (UInt64(nameSize) + 3) & ~3
      let descriptionEnd = descriptionStart + UInt64(descriptionSize)
      guard descriptionStart <= end, descriptionEnd <= end, descriptionEnd <= UInt64(bytes.count) else {
        throw .badNote(offset: at)
      }
      let name = bytes[Int(nameStart)..<Int(nameStart + UInt64(nameSize))].prefix { $0 != 0 }
      notes.append(
        Note(
          name: String(decoding: name, as: UTF8.self), type: type,
          description: Array(bytes[Int(descriptionStart)..<Int(descriptionEnd)])))
      at = min(end, (descriptionEnd + 3) & ~3)
    }
  }
}

/// The symbols of an image: by name, and by address for "where is this?".
package struct ELFSymbols: Sendable {
  /// One defined symbol (Elf64_Sym).
  package struct Symbol: Equatable, Sendable {
    package var name: String
    package var value: UInt64
    package var size: UInt64
    package var type: UInt8  // STT_: 0 none, 1 object, 2 function, 3 section, 4 file
    package var binding: UInt8  // STB_: 0 local, 1 global, 2 weak
    package var section: UInt16

    package var isFunction: Bool { type == 2 }

    /// By address; of several at one, first the one that objdump names it by (binutils: compare_symbols).
    static func precedes(_ a: Symbol, _ b: Symbol) -> Bool {
      if a.value != b.value { return a.value < b.value }
      // What belongs to no section (SHN_ABS) comes first.
      if a.section != b.section { return (a.section < 0xff00 ? a.section : 0) < (b.section < 0xff00 ? b.section : 0) }
      func rank(_ symbol: Symbol) -> (Int, UInt64, Int) {
        let kind = symbol.isFunction ? 0 : symbol.type == 1 ? 1 : 2
        return (kind, ~symbol.size, symbol.binding == 1 ? 0 : 1)
      }
      let (ranked, other) = (rank(a), rank(b))
      if ranked != other { return ranked < other }
      let (dotted, otherDotted) = (a.name.utf8.first == UInt8(ascii: "."), b.name.utf8.first == UInt8(ascii: "."))
      return dotted != otherDotted ? otherDotted : Array(a.name.utf8).lexicographicallyPrecedes(Array(b.name.utf8))
    }
  }

  /// Sorted by value.
  package let symbols: [Symbol]
  private let byName: [String: Int]

  package static let none = ELFSymbols([])

  private init(_ symbols: [Symbol]) {
    self.symbols = symbols
    // The first of a name wins among locals; a global or weak one goes before a local.
    var byName: [String: Int] = [:]
    byName.reserveCapacity(symbols.count)
    for (index, symbol) in symbols.enumerated() {
      if let other = byName[symbol.name], symbols[other].binding != 0 || symbol.binding == 0 { continue }
      byName[symbol.name] = index
    }
    self.byName = byName
  }

  /// Reads every SHT_SYMTAB of an image; none gives an empty table.
  package init(_ image: ELFImage) throws(ELFError) {
    try self.init(image, table: ELFImage.sectionSymbols, withSections: false)
  }

  /// The symbols that a listing names places by: with those of sections, and the dynamic ones where there are no others.
  package static func forListing(_ image: ELFImage) throws(ELFError) -> ELFSymbols {
    let all = try ELFSymbols(image, table: ELFImage.sectionSymbols, withSections: true)
    return all.symbols.isEmpty ? try ELFSymbols(image, table: ELFImage.sectionDynamicSymbols, withSections: true) : all
  }

  private init(_ image: ELFImage, table: UInt32, withSections: Bool) throws(ELFError) {
    let reader = ByteReader(image.bytes)
    var all: [Symbol] = []
    for (index, section) in image.sections.enumerated() where section.type == table {
      _ = try image.contents(of: section)
      guard section.entrySize == 24 else { throw .badSymbolTable(section: index) }
      guard section.link < image.sections.count, image.sections[Int(section.link)].type == ELFImage.sectionStrings
      else { throw .badStringTable(section: Int(section.link)) }
      let strings = image.sections[Int(section.link)]
      _ = try image.contents(of: strings)
      all.reserveCapacity(all.count + Int(section.size / 24))
      for number in 0..<section.size / 24 {
        let at = section.offset + number * 24
        guard let nameOffset = reader.u32(at), let info = reader.u8(at + 4), let place = reader.u16(at + 6),
          let value = reader.u64(at + 8), let size = reader.u64(at + 16)
        else { throw .badSymbolTable(section: index) }
        // Undefined symbols, section and file symbols name no place.
        if withSections, info & 15 == 3, Int(place) < image.sections.count {
          let name = image.sections[Int(place)].name
          all.append(Symbol(name: name, value: value, size: 0, type: 3, binding: info >> 4, section: place))
          continue
        }
        if nameOffset == 0 || place == 0 || info & 15 == 3 || info & 15 == 4 { continue }
        guard let name = reader.string(strings.offset, UInt64(nameOffset), limit: strings.size) else {
          throw .stringOutOfRange(table: Int(section.link), offset: UInt64(nameOffset))
        }
        all.append(
          Symbol(name: name, value: value, size: size, type: info & 15, binding: info >> 4, section: place))
      }
    }
    all.sort(by: Symbol.precedes)
    self.init(all)
  }

  package func value(of name: String) -> UInt64? { byName[name].map { symbols[$0].value } }

  package func symbol(named name: String) -> Symbol? { byName[name].map { symbols[$0] } }

  /// The last symbol at or below `address`, and how far behind it the address lies.
  package func nearest(to address: UInt64) -> (symbol: Symbol, offset: UInt64)? {
    nearestIndex(to: address).map { (symbols[$0], address - symbols[$0].value) }
  }

  /// Index of the first of the symbols at the last address at or below `address`.
  private func nearestIndex(to address: UInt64) -> Int? {
    let (next, overflow) = address.addingReportingOverflow(1)
    let end = overflow ? symbols.count : firstIndex(of: next)
    return end > 0 ? firstIndex(of: symbols[end - 1].value) : nil
  }

  /// The symbol that objdump names an address by: the last one at or below it, or else the first one; of several at one
  /// address one of `section`; where `isRequired`, only one of that section.
  package func listingIndex(_ address: UInt64, section: UInt16?, isRequired: Bool) -> Int? {
    if symbols.isEmpty { return nil }
    let near = nearestIndex(to: address)
    let first = near ?? 0
    guard let section else { return first }
    var index = first
    while index < symbols.count, symbols[index].value == symbols[first].value {
      if symbols[index].section == section { return index }
      index += 1
    }
    guard isRequired else { return first }
    if near != nil, let below = symbols[..<first].last(where: { $0.section == section }) {
      return symbols[firstIndex(of: below.value)...].firstIndex { $0.section == section }
    }
    return symbols[first...].firstIndex { $0.section == section }
  }

  /// Index of the first symbol whose value is at least `value`.
  private func firstIndex(of value: UInt64) -> Int {
    var low = 0
    var high = symbols.count
    while low < high {
      let middle = (low + high) / 2
      if symbols[middle].value < value { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// "name+0x10" for an address, or its bare hexadecimal where no symbol is near.
  package func describe(_ address: UInt64) -> String {
    guard let (symbol, offset) = nearest(to: address), offset < 1 << 24 else {
      return hexadecimal(address)
    }
    return offset == 0 ? symbol.name : symbol.name + "+0x" + String(offset, radix: 16)
  }
}
