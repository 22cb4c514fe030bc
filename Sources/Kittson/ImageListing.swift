// An image's code as text, in objdump's form, with the symbols that objdump would print.
import IA64
import Machine

/// The code of an image, as `objdump -d` lists it.
public struct ImageListing {
  let image: ELFImage
  private let symbols: ELFSymbols

  /// - Throws: `SessionError.image` where the bytes are no IA-64 ELF image or its tables lie outside the file.
  public init(_ bytes: [UInt8]) throws(SessionError) {
    do throws(ELFError) {
      image = try ELFImage(bytes: bytes, types: ELFImage.allTypes)
      symbols = try ELFSymbols.forListing(image)
    } catch { throw .image(error.description) }
  }

  /// Code that is asked for: addresses, of one section only where that is named (a relocatable file's all begin at 0).
  public struct Range {
    var addresses: ClosedRange<UInt64>
    /// The section's number, if only code of one is meant.
    public var section: Int?
    /// The first address.
    public var first: UInt64 { addresses.lowerBound }
    /// The last one, whose bundle is included.
    public var last: UInt64 { addresses.upperBound }

    /// These addresses, in any section.
    public init(_ addresses: ClosedRange<UInt64>, section: Int? = nil) {
      self.addresses = addresses
      self.section = section
    }
  }

  /// Writes the code of executable sections (or, without sections, segments) that lies within `range` (bundle addresses;
  /// nil: all of it), a line at a time.
  /// - Throws: `SessionError.image` where a section lies outside the file; `.option` where the range holds no code.
  public func write(_ range: Range?, _ line: (String) -> Void) throws(SessionError) {
    let pieces = try code(range)
    if pieces.isEmpty && range != nil { throw Self.nothingInRange }
    for code in pieces {
      line("\nDisassembly of section \(code.name):")
      list(code, line)
    }
  }

  /// What `--range` gets that names no code.
  public static var nothingInRange: SessionError {
    .option("there is no code in the range: give addresses of executable sections")
  }

  /// The bundles of a symbol: to the end that its size gives, or the one bundle.
  /// - Returns: nil where the image has no such symbol.
  public func range(ofSymbol name: String) -> Range? {
    symbols.symbol(named: name).map { symbol in
      let (last, overflow) = symbol.value.addingReportingOverflow(max(symbol.size, 1) - 1)
      return Range(
        symbol.value...(overflow ? UInt64.max : last), section: image.type == .relocatable ? Int(symbol.section) : nil)
    }
  }

  /// Whether a function's symbol stands at an address.
  func startsFunction(_ address: UInt64) -> Bool {
    symbols.nearest(to: address).map { $0.offset == 0 && $0.symbol.isFunction } ?? false
  }

  /// Whole bundles of one section (or segment): those of `range` are at [first, last).
  struct Code {
    var name: String
    /// Its section's number; nil for a segment.
    var section: Int?
    var first, last: UInt64
    var base: UInt64
    var bytes: ArraySlice<UInt8>
  }

  func code(_ range: Range?) throws(SessionError) -> [Code] {
    try pieces().compactMap { name, section, address, bytes in
      // What a damaged header puts past the end of the address space is cut off.
      let size = min(UInt64(bytes.count), UInt64.max - address) & ~15
      let end = address + size
      if let wanted = range?.section, wanted != section { return nil }
      let range = range?.addresses
      let first = max(address, range.map { $0.lowerBound & ~15 } ?? address)
      let last = min(end, range.map { ($0.upperBound | 15).addingReportingOverflow(1) }.map { $1 ? end : $0 } ?? end)
      return first < last ? Code(name: name, section: section, first: first, last: last, base: address, bytes: bytes) : nil
    }
  }

  private func pieces() throws(SessionError) -> [(String, Int?, UInt64, ArraySlice<UInt8>)] {
    let sections = image.sections.enumerated().filter { $1.isExecutable && $1.hasBytes }
    if sections.isEmpty {
      return image.loadableSegments.filter { $0.flags & 1 != 0 }.enumerated().map { index, segment in
        ("segment \(index)", nil, segment.virtualAddress, segment.bytes)
      }
    }
    var pieces: [(String, Int?, UInt64, ArraySlice<UInt8>)] = []
    for (index, section) in sections {
      do throws(ELFError) {
        pieces.append((section.name, index, section.address, try image.contents(of: section)))
      } catch { throw .image(error.description) }
    }
    return pieces
  }

  /// A section's code under headings as objdump has them: what names the first bundle, then each symbol of the section.
  private func list(_ code: Code, _ line: (String) -> Void) {
    let width = Disassembler.addressWidth(end: code.last)
    let section = code.section.map { UInt16(truncatingIfNeeded: $0) }
    let place = Place(code: code, section: section)
    var index = symbols.listingIndex(code.first, section: section, isRequired: true)
    if let first = index, let section, symbols.symbols[first].section != section { index = nil }
    line("\n" + heading(code.first, index, code))
    code.bytes.withUnsafeBytes { bytes in
      for address in stride(from: code.first, to: code.last, by: 16) {
        if address != code.first, let next = symbolBeginning(at: address, section) {
          line("\n" + heading(address, next, code))
        }
        let bundle = InstructionBundle(loadingFrom: bytes.baseAddress! + Int(address - code.base))
        for text in Disassembler.listing(bundle, at: address, width: width, symbolizer: { name($0, place) }) { line(text) }
      }
    }
  }

  private func heading(_ address: UInt64, _ index: Int?, _ code: Code) -> String {
    let digits = String(address, radix: 16)
    let (name, value) = index.map { (symbols.symbols[$0].name, symbols.symbols[$0].value) } ?? (code.name, code.base)
    return String(repeating: "0", count: 16 - digits.count) + digits + " <\(name)\(Self.offset(address, from: value))>:"
  }

  /// The symbol that begins at `address`, if there is one of the section.
  private func symbolBeginning(at address: UInt64, _ section: UInt16?) -> Int? {
    guard symbols.nearest(to: address)?.offset == 0,
      let found = symbols.listingIndex(address, section: section, isRequired: false),
      section == nil || symbols.symbols[found].section == section
    else { return nil }
    return found
  }

  private static func offset(_ address: UInt64, from value: UInt64) -> String {
    if address == value { return "" }
    return address > value ? "+0x" + String(address - value, radix: 16) : "-0x" + String(value - address, radix: 16)
  }

  /// Where a name is wanted.
  private struct Place {
    var code: Code
    var section: UInt16?
  }

  private func name(_ address: UInt64, _ place: Place) -> String {
    // In a relocatable file the sections lie over one another.
    let isOwn = image.type == .relocatable && address >= place.code.base
      && address - place.code.base < UInt64(place.code.bytes.count)
    return name(address, section: place.section, isRequired: isOwn, place.code)
  }

  func name(_ address: UInt64) -> String { name(address, section: nil, isRequired: false, nil) }

  private func name(_ address: UInt64, section: UInt16?, isRequired: Bool, _ code: Code?) -> String {
    let plain = String(address, radix: 16)
    if symbols.symbols.isEmpty { return "0x" + plain }
    let index = symbols.listingIndex(address, section: section, isRequired: isRequired)
    let (name, value) = index.map { (symbols.symbols[$0].name, symbols.symbols[$0].value) }
      ?? (code?.name ?? "", code?.base ?? 0)
    return plain + " <\(name)\(Self.offset(address, from: value))>"
  }
}
