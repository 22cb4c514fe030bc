// An image's code as text, in objdump's form, with the symbols that objdump would print.
import IA64
import Machine

public struct ImageListing {
  private let image: ELFImage
  private let symbols: ELFSymbols

  public init(_ bytes: [UInt8]) throws(SessionError) {
    do throws(ELFError) {
      image = try ELFImage(bytes: bytes)
      symbols = try ELFSymbols(image)
    } catch { throw .image(error.description) }
  }

  /// Writes the code of executable sections (or, without sections, segments) that lies within `range` (bundle addresses; nil:
  /// all of it), a line at a time.
  public func write(_ range: ClosedRange<UInt64>?, _ line: (String) -> Void) throws(SessionError) {
    for (name, address, code) in try pieces() where !code.isEmpty {
      let end = address + UInt64(code.count)
      let first = max(address, range.map { $0.lowerBound & ~15 } ?? address)
      let last = min(end, range.map { ($0.upperBound & ~15) &+ 16 } ?? end)
      guard first < last else { continue }
      line("\nDisassembly of section \(name):")
      list(first, last, address, code, line)
    }
  }

  private func pieces() throws(SessionError) -> [(String, UInt64, ArraySlice<UInt8>)] {
    let sections = image.sections.filter { $0.isExecutable && $0.hasBytes }
    if sections.isEmpty {
      return image.loadableSegments.filter { $0.flags & 1 != 0 }.enumerated().map { index, segment in
        ("segment \(index)", segment.virtualAddress, segment.bytes)
      }
    }
    var pieces: [(String, UInt64, ArraySlice<UInt8>)] = []
    for section in sections {
      do throws(ELFError) {
        pieces.append((section.name, section.address, try image.contents(of: section)))
      } catch { throw .image(error.description) }
    }
    return pieces
  }

  private func list(_ first: UInt64, _ last: UInt64, _ base: UInt64, _ code: ArraySlice<UInt8>, _ line: (String) -> Void) {
    let width = Disassembler.addressWidth(end: last)
    code.withUnsafeBytes { bytes in
      var address = first
      while address + 16 <= last {
        if let symbol = symbols.nearest(to: address), symbol.offset == 0 {
          let digits = String(address, radix: 16)
          line("\n" + String(repeating: "0", count: 16 - digits.count) + digits + " <\(symbol.symbol.name)>:")
        }
        let bundle = InstructionBundle(loadingFrom: bytes.baseAddress! + Int(address - base))
        for text in Disassembler.listing(bundle, at: address, width: width, symbolizer: name) { line(text) }
        address += 16
      }
    }
  }

  private func name(_ address: UInt64) -> String {
    let plain = String(address, radix: 16)
    guard let symbol = symbols.nearest(to: address) else { return "0x" + plain }
    let offset = symbol.offset == 0 ? "" : "+0x" + String(symbol.offset, radix: 16)
    return plain + " <\(symbol.symbol.name)\(offset)>"
  }
}
