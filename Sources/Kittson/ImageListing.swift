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
      image = try ELFImage(bytes: bytes)
      symbols = try ELFSymbols(image)
    } catch { throw .image(error.description) }
  }

  /// Writes the code of executable sections (or, without sections, segments) that lies within `range` (bundle addresses;
  /// nil: all of it), a line at a time.
  /// - Throws: `SessionError.image` where a section lies outside the file; `.option` where the range holds no code.
  public func write(_ range: ClosedRange<UInt64>?, _ line: (String) -> Void) throws(SessionError) {
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
  public func range(ofSymbol name: String) -> ClosedRange<UInt64>? {
    symbols.symbol(named: name).map { symbol in
      let (last, overflow) = symbol.value.addingReportingOverflow(max(symbol.size, 1) - 1)
      return symbol.value...(overflow ? UInt64.max : last)
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

  func code(_ range: ClosedRange<UInt64>?) throws(SessionError) -> [Code] {
    try pieces().compactMap { name, section, address, bytes in
      // What a damaged header puts past the end of the address space is cut off.
      let size = min(UInt64(bytes.count), UInt64.max - address) & ~15
      let end = address + size
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

  private func list(_ code: Code, _ line: (String) -> Void) {
    let width = Disassembler.addressWidth(end: code.last)
    code.bytes.withUnsafeBytes { bytes in
      for address in stride(from: code.first, to: code.last, by: 16) {
        if let symbol = symbols.nearest(to: address), symbol.offset == 0,
          code.section == nil || code.section == Int(symbol.symbol.section)
        {
          let digits = String(address, radix: 16)
          line("\n" + String(repeating: "0", count: 16 - digits.count) + digits + " <\(symbol.symbol.name)>:")
        }
        let bundle = InstructionBundle(loadingFrom: bytes.baseAddress! + Int(address - code.base))
        for text in Disassembler.listing(bundle, at: address, width: width, symbolizer: name) { line(text) }
      }
    }
  }

  func name(_ address: UInt64) -> String {
    let plain = String(address, radix: 16)
    guard let symbol = symbols.nearest(to: address) else { return "0x" + plain }
    let offset = symbol.offset == 0 ? "" : "+0x" + String(symbol.offset, radix: 16)
    return plain + " <\(symbol.symbol.name)\(offset)>"
  }
}
