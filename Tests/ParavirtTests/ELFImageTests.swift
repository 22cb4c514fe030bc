// The ELF reader against good, broken and randomly damaged images.
import Machine
import Paravirt
import Testing

@Suite struct ELFImageTests {
  private func sample() -> [UInt8] {
    var builder = ImageBuilder()
    builder.addSite(.thash)
    builder.addSite(.getreg(.psr))
    builder.addSite(.setRR0ToRR4)
    builder.symbols.append(("first", ImageBuilder.textAddress))
    builder.symbols.append(("second", ImageBuilder.textAddress + 80))
    return builder.build()
  }

  private func failure(_ bytes: [UInt8], types: [ELFImage.FileType] = [.executable, .shared]) -> ELFError? {
    do throws(ELFError) {
      _ = try ELFImage(bytes: bytes, types: types)
      return nil
    } catch { return error }
  }

  private func damaged(_ at: Int, _ values: [UInt8]) -> ELFError? {
    var bytes = sample()
    bytes.replaceSubrange(at..<at + values.count, with: values)
    return failure(bytes)
  }

  @Test func readsAWholeImage() throws {
    let image = try ELFImage(bytes: sample())
    #expect(image.entry == ImageBuilder.textAddress)
    #expect(image.physicalEntry == ImageBuilder.textPhysical)
    #expect(image.segments.count == 3)
    let loadable = image.loadableSegments
    #expect(loadable.count == 2)
    #expect(loadable[0].physicalAddress == ImageBuilder.textPhysical)
    #expect(loadable[0].bytes.count == 240)
    #expect(loadable[1].memorySize == UInt64(loadable[1].bytes.count) + 0x100)
    #expect(image.section(named: ".paravirt_bundles")?.size == 72)
    #expect(image.section(containing: ImageBuilder.textAddress + 100)?.name == ".text")
    #expect(image.fileOffset(ofVirtual: ImageBuilder.textAddress + 16, count: 16) == 0x110)
    #expect(image.fileOffset(ofVirtual: ImageBuilder.textAddress + 224, count: 17) == nil)
    #expect(image.physicalAddress(ofVirtual: ImageBuilder.dataAddress + 8) == ImageBuilder.dataPhysical + 8)
    let notes = try image.notes()
    #expect(notes.count == 1)
    #expect(notes[0].name == "Kittson" && notes[0].type == 1)
    #expect(notes[0].description == [0, 1, 0, 4, 0, 0, 0, 0])
    let symbols = try ELFSymbols(image)
    #expect(symbols.value(of: "pv_cpu_ops") == ImageBuilder.table)
    #expect(symbols.describe(ImageBuilder.textAddress + 79) == "first+0x4f")
    #expect(symbols.describe(ImageBuilder.textAddress + 80) == "second")
    #expect(symbols.nearest(to: ImageBuilder.textAddress - 1) == nil)
  }

  @Test func namesWhatIsWrong() {
    #expect(failure([]) == .notELF)
    #expect(failure(Array("#!/bin/sh\n".utf8)) == .notELF)
    #expect(failure(Array(sample()[..<20])) == .truncatedHeader(size: 20))
    #expect(damaged(4, [1]) == .wrongClass(1))
    #expect(damaged(5, [2]) == .wrongByteOrder(2))
    #expect(damaged(6, [0]) == .wrongVersion(0))
    #expect(damaged(18, [62, 0]) == .wrongMachine(62))
    #expect(damaged(16, [1, 0]) == .wrongType(1))
    #expect(damaged(16, [4, 0]) == .wrongType(4))
    #expect(damaged(56, [0, 0]) == .noLoadableSegment)
    #expect(damaged(54, [57, 0]) == .badEntrySize(table: "program header", size: 57))
    #expect(damaged(58, [63, 0]) == .badEntrySize(table: "section header", size: 63))
    let size = sample().count
    #expect(damaged(32, ImageBuilder.words([UInt64(size) - 100]))
      == .programHeadersPastEnd(end: UInt64(size) + 68, size: size))
    #expect(damaged(32, ImageBuilder.words([~0])) == .programHeadersPastEnd(end: nil, size: size))
    #expect(damaged(40, ImageBuilder.words([~0 - 7])) == .sectionHeadersPastEnd(end: nil, size: size))
    // Program header 0 stands at 64: p_offset at 72, p_vaddr 80, p_paddr 88, p_filesz 96, p_memsz 104.
    #expect(damaged(72, ImageBuilder.words([UInt64(size)]))
      == .segmentPastEnd(index: 0, end: UInt64(size) + 240, size: size))
    #expect(damaged(96, ImageBuilder.words([~0])) == .segmentPastEnd(index: 0, end: nil, size: size))
    #expect(damaged(104, ImageBuilder.words([239])) == .segmentFileLargerThanMemory(index: 0))
    #expect(damaged(104, ImageBuilder.words([~0])) == .segmentWraps(index: 0))
    #expect(damaged(80, ImageBuilder.words([ImageBuilder.dataAddress - 239]))
      == .segmentsOverlap(first: 0, second: 1, physical: false))
    #expect(damaged(88, ImageBuilder.words([ImageBuilder.dataPhysical + 8]))
      == .segmentsOverlap(first: 0, second: 1, physical: true))
    #expect(damaged(62, [1, 0]) == .badStringTable(section: 1))
    #expect(damaged(62, [200, 0]) == .badStringTable(section: 200))
    #expect(failure(sample(), types: [.shared]) == .wrongType(2))
  }

  /// A file cut anywhere is refused with a line of its own: the section table stands at the end.
  @Test func refusesEveryTruncation() {
    let bytes = sample()
    for length in 0..<bytes.count {
      let error = failure(Array(bytes[..<length]))
      #expect(error != nil, "cut to \(length) bytes")
    }
  }

  @Test func checksSymbolsAndNotesWhereTheyAreAskedFor() throws {
    let good = try ELFImage(bytes: sample())
    let table = try #require(good.section(named: ".symtab"))
    var bytes = good.bytes
    bytes.replaceSubrange(Int(table.offset) + 24..<Int(table.offset) + 28, with: [0xff, 0xff, 0, 0])
    let image = try ELFImage(bytes: bytes)
    #expect(throws: ELFError.stringOutOfRange(table: Int(table.link), offset: 0xffff)) { try ELFSymbols(image) }

    let note = good.segments[2]
    bytes = good.bytes
    bytes[Int(note.offset)] = 200
    let badNote = try ELFImage(bytes: bytes)
    #expect(throws: ELFError.badNote(offset: note.offset)) { try badNote.notes() }
  }

  @Test func everyErrorIsOneLineWithARemedy() {
    let errors: [ELFError] = [
      .notELF, .truncatedHeader(size: 3), .wrongMachine(62), .wrongType(1), .programHeadersPastEnd(end: nil, size: 9),
      .segmentPastEnd(index: 0, end: 9, size: 3), .segmentsOverlap(first: 0, second: 1, physical: true),
      .unreadable(path: "x", reason: "No such file or directory"),
    ]
    for error in errors {
      #expect(!error.description.contains("\n"))
      #expect(error.description.contains(": "))
    }
    #expect(throws: ELFError.unreadable(path: "/nonexistent/image", reason: "No such file or directory")) {
      try readFile("/nonexistent/image")
    }
  }

  /// 100,000 random damages of a small valid image, each carried through everything that reads one: no trap.
  @Test func survivesRandomDamage() {
    let bytes = sample()
    var seed: UInt64 = 0x4b49_5454
    func random(_ bound: Int) -> Int {
      seed ^= seed << 13
      seed ^= seed >> 7
      seed ^= seed << 17
      return Int(seed % UInt64(bound))
    }
    let interesting: [UInt8] = [0, 1, 0x7f, 0x80, 0xfe, 0xff]
    var opened = 0
    var refused = 0
    for _ in 0..<100_000 {
      var image = bytes
      for _ in 0...random(3) {
        // Headers (the first 232 bytes and the last 600) are hit more often than the rest.
        let at: Int
        switch random(3) {
        case 0: at = random(232)
        case 1: at = image.count - 1 - random(600)
        default: at = random(image.count)
        }
        let value = random(2) == 0 ? interesting[random(interesting.count)] : UInt8(random(256))
        for offset in 0..<[1, 1, 2, 4, 8][random(5)] where at + offset < image.count { image[at + offset] = value }
      }
      if random(20) == 0 { image.removeLast(random(image.count)) }
      if ImageExercise.run(image) { opened += 1 } else { refused += 1 }
    }
    // Both outcomes must be common, or the damage tests nothing.
    #expect(opened > 10_000)
    #expect(refused > 10_000)
  }
}

/// Everything that reads an image, for the damage test.
enum ImageExercise {
  /// Whether the image could be opened; further errors are as good as success.
  static func run(_ bytes: [UInt8]) -> Bool {
    guard let image = try? ELFImage(bytes: bytes) else { return false }
    let symbols = (try? ELFSymbols(image)) ?? .none
    _ = try? image.notes()
    for segment in image.loadableSegments { _ = image.segment(containing: segment.virtualAddress) }
    for section in image.sections { _ = try? image.contents(of: section) }
    _ = symbols.describe(image.entry)
    _ = image.physicalEntry
    _ = try? PatchRecords(image, symbols: symbols)
    _ = try? listCallSites(image)
    _ = try? patchToNative(image)
    return true
  }
}
