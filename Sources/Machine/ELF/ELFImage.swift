// A bounds-checked reader of ELF64 files for IA-64 (System V ABI, chapter 4; Itanium psABI, chapter 4). It works on
// raw bytes of any origin: nothing in a file can make it trap. What a loader relies on (the headers and the loadable
// segments) is checked when the image is opened; sections, symbols and notes are checked where they are asked for.

/// What is wrong with an image. `description` is one line: what is wrong, a colon, how to mend it.
public enum ELFError: Error, Equatable, CustomStringConvertible {
  case notELF
  case truncatedHeader(size: Int)
  case wrongClass(UInt8)
  case wrongByteOrder(UInt8)
  case wrongVersion(UInt32)
  case wrongMachine(UInt16)
  case wrongType(UInt16)
  case badEntrySize(table: String, size: UInt16)
  case programHeadersPastEnd(end: UInt64?, size: Int)
  case sectionHeadersPastEnd(end: UInt64?, size: Int)
  case segmentPastEnd(index: Int, end: UInt64?, size: Int)
  case segmentFileLargerThanMemory(index: Int)
  case segmentWraps(index: Int)
  case segmentsOverlap(first: Int, second: Int, physical: Bool)
  case noLoadableSegment
  case sectionPastEnd(name: String, end: UInt64?, size: Int)
  case badStringTable(section: Int)
  case stringOutOfRange(table: Int, offset: UInt64)
  case badSymbolTable(section: Int)
  case badNote(offset: UInt64)
  case badRelocation(section: String, index: Int)
  case unreadable(path: String, reason: String)
  /// A file that was opened and could not be written to its end.
  case unwritten(path: String, reason: String)
  case notAFile(path: String)
  case tooLarge(path: String)

  /// One line: what is wrong with the image.
  public var description: String {
    switch self {
    case .notELF: return "not an ELF file: name an IA-64 ELF executable"
    case .truncatedHeader(let size):
      return "truncated ELF file (\(size) bytes, an ELF64 header has 64): copy the image again"
    case .wrongClass(let value):
      return "ELF class \(value), not 2 (64 bits): build the image for 64-bit IA-64"
    case .wrongByteOrder(let value):
      return "ELF byte order \(value), not 1 (little endian): build the image as little endian"
    case .wrongVersion(let value): return "ELF version \(value), not 1: build the image with a current linker"
    case .wrongMachine(let value):
      return "ELF machine \(value)\(ELFError.machineName(value)), not 50 (IA-64): name an image built for ia64"
    case .wrongType(let value):
      return "ELF type \(value)\(ELFError.typeName(value)) cannot be used here: name a linked executable"
    case .badEntrySize(let table, let size):
      return "\(table) entries of \(size) bytes: the ELF header is damaged, copy the image again"
    case .programHeadersPastEnd(let end, let size):
      return "program headers \(ELFError.pastEnd(end, size)): copy the image again"
    case .sectionHeadersPastEnd(let end, let size):
      return "section headers \(ELFError.pastEnd(end, size)): copy the image again"
    case .segmentPastEnd(let index, let end, let size):
      return "truncated ELF file, the bytes of segment \(index) \(ELFError.pastEnd(end, size)): copy the image again"
    case .segmentFileLargerThanMemory(let index):
      return "segment \(index) is larger in the file than in memory: link the image again"
    case .segmentWraps(let index):
      return "segment \(index) runs past the end of the address space: link the image again"
    case .segmentsOverlap(let first, let second, let physical):
      return "segments \(first) and \(second) overlap in \(physical ? "physical" : "virtual") memory: "
        + "link the image again"
    case .noLoadableSegment: return "no loadable segment: name a linked executable"
    case .sectionPastEnd(let name, let end, let size):
      return "the bytes of section \(name) \(ELFError.pastEnd(end, size)): copy the image again"
    case .badStringTable(let section):
      return "section \(section) is no string table: the section headers are damaged, link the image again"
    case .stringOutOfRange(let table, let offset):
      return "name at \(offset) lies outside string table \(table): link the image again"
    case .badSymbolTable(let section):
      return "section \(section) is no whole symbol table: link the image again"
    case .badNote(let offset): return "note at file offset \(offset) runs past its segment: link the image again"
    case .badRelocation(let section, let index):
      return "relocation \(index) of \(section) names no place or symbol of the file: link the module again"
    case .notAFile(let path): return "\(path): not a regular file: name one"
    case .tooLarge(let path): return "\(path): larger than \(largestFile >> 30) GiB: no image is"
    case .unwritten(let path, let reason): return "\(path): \(reason): output was lost"
    case .unreadable(let path, let reason): return "\(path): \(reason): check the name and the permissions"
    }
  }

  private static func pastEnd(_ end: UInt64?, _ size: Int) -> String {
    guard let end else { return "end beyond any file (the file has \(size) bytes)" }
    return "end at byte \(end), past the end of the file (\(size) bytes)"
  }

  private static func machineName(_ value: UInt16) -> String {
    switch value {
    case 3: return " (i386)"
    case 8: return " (MIPS)"
    case 15: return " (PA-RISC)"
    case 21: return " (PowerPC64)"
    case 22: return " (S/390)"
    case 40: return " (ARM)"
    case 62: return " (x86-64)"
    case 183: return " (AArch64)"
    case 243: return " (RISC-V)"
    default: return ""
    }
  }

  private static func typeName(_ value: UInt16) -> String {
    switch value {
    case 1: return " (relocatable object)"
    case 2: return " (executable)"
    case 3: return " (shared object)"
    case 4: return " (core dump)"
    default: return ""
    }
  }
}

/// An ELF64 image of an IA-64 program, kernel or module. Addresses are guest addresses, offsets and sizes bytes.
public struct ELFImage: Sendable {
  /// Values of e_type.
  public enum FileType: UInt16, Sendable {
    case relocatable = 1, executable = 2, shared = 3
  }

  /// A program header (Elf64_Phdr).
  public struct Segment: Equatable, Sendable {
    public var type: UInt32  // p_type
    public var flags: UInt32  // p_flags: 1 execute, 2 write, 4 read
    public var offset: UInt64  // of its bytes in the file
    /// p_vaddr.
    public var virtualAddress: UInt64
    /// p_paddr.
    public var physicalAddress: UInt64
    /// p_filesz: bytes of the file.
    public var fileSize: UInt64
    public var memorySize: UInt64  // what exceeds fileSize is zero
    /// p_align, bytes.
    public var alignment: UInt64

    /// PF_X.
    public var isExecutable: Bool { flags & 1 != 0 }
    /// PF_W.
    public var isWritable: Bool { flags & 2 != 0 }
    /// PF_R.
    public var isReadable: Bool { flags & 4 != 0 }
  }

  /// A section header (Elf64_Shdr).
  public struct Section: Equatable, Sendable {
    /// Name from the section-name string table.
    public var name: String
    public var type: UInt32  // sh_type
    public var flags: UInt64  // sh_flags
    /// sh_addr.
    public var address: UInt64
    /// sh_offset: of its bytes in the file.
    public var offset: UInt64
    /// sh_size, bytes.
    public var size: UInt64
    /// sh_link.
    public var link: UInt32
    /// sh_info.
    public var info: UInt32
    /// sh_entsize, bytes.
    public var entrySize: UInt64

    /// SHF_EXECINSTR
    public var isExecutable: Bool { flags & 4 != 0 }
    /// SHF_ALLOC
    public var isAllocated: Bool { flags & 2 != 0 }
    /// Whether the section has bytes in the file (all types but SHT_NOBITS and SHT_NULL).
    public var hasBytes: Bool { type != ELFImage.sectionNoBits && type != 0 }
  }

  /// An entry of a PT_NOTE segment or SHT_NOTE section.
  public struct Note: Equatable, Sendable {
    /// The owner's name, without its zero byte.
    public var name: String
    /// n_type: what it means depends on the name.
    public var type: UInt32
    /// The note's bytes.
    public var description: [UInt8]
  }

  package static let segmentLoad: UInt32 = 1
  package static let segmentInterpreter: UInt32 = 3
  package static let segmentNote: UInt32 = 4
  package static let segmentThreadLocal: UInt32 = 7
  package static let sectionSymbols: UInt32 = 2
  package static let sectionStrings: UInt32 = 3
  package static let sectionRelocations: UInt32 = 4
  package static let sectionNote: UInt32 = 7
  package static let sectionDynamicSymbols: UInt32 = 11
  package static let sectionNoBits: UInt32 = 8
  package static let machineIA64: UInt16 = 50

  /// The whole file.
  public let bytes: [UInt8]
  /// e_type.
  public let type: FileType
  /// e_entry. In an executable of the psABI the address of a function descriptor's code, not of a descriptor.
  public let entry: UInt64
  /// e_flags
  public let flags: UInt32
  /// e_phoff: where the program headers stand in the file (a process finds them through AT_PHDR).
  public let programHeaderOffset: UInt64
  /// The program headers, in the file's order.
  public let segments: [Segment]
  /// Empty where the file has no section table.
  public let sections: [Section]

  /// All kinds of file that hold code to list, check or patch.
  public static let allTypes: [FileType] = [.relocatable, .executable, .shared]

  /// Opens an image.
  /// - Parameter types: which kinds of file the caller can use.
  /// - Throws: `ELFError` for whatever a loader would stumble over.
  public init(bytes: [UInt8], types: [FileType] = [.executable, .shared]) throws(ELFError) {
    let reader = ByteReader(bytes)
    try ELFImage.checkIdentification(reader)
    guard let type = reader.u16(16), let machine = reader.u16(18), let version = reader.u32(20),
      let entry = reader.u64(24), let phoff = reader.u64(32), let shoff = reader.u64(40),
      let flags = reader.u32(48), let phentsize = reader.u16(54), let phnum = reader.u16(56),
      let shentsize = reader.u16(58), let shnum = reader.u16(60), let shstrndx = reader.u16(62)
    else { throw .truncatedHeader(size: bytes.count) }
    guard machine == ELFImage.machineIA64 else { throw .wrongMachine(machine) }
    guard version == 1 else { throw .wrongVersion(version) }
    guard let fileType = FileType(rawValue: type), types.contains(fileType) else { throw .wrongType(type) }

    self.bytes = bytes
    self.type = fileType
    self.entry = entry
    self.flags = flags
    programHeaderOffset = phoff
    segments = try ELFImage.readSegments(
      reader, offset: phoff, count: Int(phnum), entrySize: phentsize, mustLoad: fileType != .relocatable)
    sections = try ELFImage.readSections(
      reader, offset: shoff, count: shnum, entrySize: shentsize, nameTable: shstrndx)
  }

  /// A relocatable file as it lies in memory: its bytes relocated, at the same offsets, its sections with addresses, and
  /// a loadable segment for each of them.
  package init(_ file: ELFImage, bytes: [UInt8], sections: [Section]) {
    self.bytes = bytes
    self.sections = sections
    segments = sections.filter { $0.isAllocated && $0.size > 0 }.map { section in
      Segment(
        type: ELFImage.segmentLoad, flags: 4 | (section.isExecutable ? 1 : 0), offset: section.offset,
        virtualAddress: section.address, physicalAddress: section.address, fileSize: section.hasBytes ? section.size : 0,
        memorySize: section.size, alignment: 16)
    }
    type = file.type
    entry = file.entry
    flags = file.flags
    programHeaderOffset = file.programHeaderOffset
  }

  static func checkIdentification(_ reader: ByteReader) throws(ELFError) {
    let magic: [UInt8] = [0x7f, 0x45, 0x4c, 0x46]
    for (index, byte) in magic.enumerated() where reader.u8(UInt64(index)) != byte { throw .notELF }
    guard let elfClass = reader.u8(4), let order = reader.u8(5), let version = reader.u8(6) else {
      throw .truncatedHeader(size: reader.count)
    }
    guard elfClass == 2 else { throw .wrongClass(elfClass) }
    guard order == 1 else { throw .wrongByteOrder(order) }
    guard version == 1 else { throw .wrongVersion(UInt32(version)) }
  }

  private static func readSegments(
    _ reader: ByteReader, offset: UInt64, count: Int, entrySize: UInt16, mustLoad: Bool
  ) throws(ELFError) -> [Segment] {
    if count == 0 {
      if mustLoad { throw .noLoadableSegment }
      return []
    }
    guard entrySize == 56 else { throw .badEntrySize(table: "program header", size: entrySize) }
    let end = checkedEnd(offset, UInt64(count) * 56)
    guard let end, end <= UInt64(reader.count) else {
      throw .programHeadersPastEnd(end: end, size: reader.count)
    }
    var segments: [Segment] = []
    segments.reserveCapacity(count)
    for index in 0..<count {
      let at = offset + UInt64(index) * 56
      guard let type = reader.u32(at), let flags = reader.u32(at + 4), let fileOffset = reader.u64(at + 8),
        let va = reader.u64(at + 16), let pa = reader.u64(at + 24), let fileSize = reader.u64(at + 32),
        let memorySize = reader.u64(at + 40), let alignment = reader.u64(at + 48)
      else { throw .programHeadersPastEnd(end: end, size: reader.count) }
      let segment = Segment(
        type: type, flags: flags, offset: fileOffset, virtualAddress: va, physicalAddress: pa,
        fileSize: fileSize, memorySize: memorySize, alignment: alignment)
      if type == segmentLoad || type == segmentNote || type == segmentInterpreter || type == segmentThreadLocal {
        try check(segment, index: index, size: reader.count)
      }
      segments.append(segment)
    }
    if mustLoad, !segments.contains(where: { $0.type == segmentLoad }) { throw .noLoadableSegment }
    try checkOverlap(segments)
    return segments
  }

  private static func check(_ segment: Segment, index: Int, size: Int) throws(ELFError) {
    let end = checkedEnd(segment.offset, segment.fileSize)
    if segment.fileSize > 0 {
      guard let end, end <= UInt64(size) else { throw .segmentPastEnd(index: index, end: end, size: size) }
    }
    guard segment.type == segmentLoad else { return }
    guard segment.fileSize <= segment.memorySize else { throw .segmentFileLargerThanMemory(index: index) }
    // The last byte may be the address space's last: only beyond it wraps.
    if segment.memorySize > 0 {
      let last = segment.memorySize - 1
      guard !segment.virtualAddress.addingReportingOverflow(last).overflow,
        !segment.physicalAddress.addingReportingOverflow(last).overflow
      else { throw .segmentWraps(index: index) }
    }
  }

  /// Loadable segments may not share a byte. Physical addresses count only where the linker set any.
  private static func checkOverlap(_ segments: [Segment]) throws(ELFError) {
    let loadable = segments.indices.filter { segments[$0].type == segmentLoad && segments[$0].memorySize > 0 }
    for physical in [false, true] {
      if physical, !loadable.contains(where: { segments[$0].physicalAddress != 0 }) { continue }
      let address = { (index: Int) in
        physical ? segments[index].physicalAddress : segments[index].virtualAddress
      }
      let order = loadable.sorted { (address($0), $0) < (address($1), $1) }
      for (first, second) in zip(order, order.dropFirst())
      where address(second) - address(first) < segments[first].memorySize {
        throw .segmentsOverlap(first: min(first, second), second: max(first, second), physical: physical)
      }
    }
  }

  private static func readSections(
    _ reader: ByteReader, offset: UInt64, count: UInt16, entrySize: UInt16, nameTable: UInt16
  ) throws(ELFError) -> [Section] {
    if offset == 0 { return [] }
    guard entrySize == 64 else { throw .badEntrySize(table: "section header", size: entrySize) }
    // With 0xff00 sections or more, the count and the index of the name table stand in section 0.
    guard let firstEnd = checkedEnd(offset, 64), firstEnd <= UInt64(reader.count) else {
      throw .sectionHeadersPastEnd(end: checkedEnd(offset, 64), size: reader.count)
    }
    let total = count == 0 ? reader.u64(offset + 32) ?? 0 : UInt64(count)
    let names = nameTable == 0xffff ? UInt64(reader.u32(offset + 40) ?? 0) : UInt64(nameTable)
    let (length, overflow) = total.multipliedReportingOverflow(by: 64)
    let end = overflow ? nil : checkedEnd(offset, length)
    guard let end, end <= UInt64(reader.count) else {
      throw .sectionHeadersPastEnd(end: end, size: reader.count)
    }
    var raw: [(name: UInt64, section: Section)] = []
    raw.reserveCapacity(Int(total))
    for index in 0..<total {
      let at = offset + index * 64
      guard let name = reader.u32(at), let type = reader.u32(at + 4), let flags = reader.u64(at + 8),
        let address = reader.u64(at + 16), let fileOffset = reader.u64(at + 24), let size = reader.u64(at + 32),
        let link = reader.u32(at + 40), let info = reader.u32(at + 44), let entry = reader.u64(at + 56)
      else { throw .sectionHeadersPastEnd(end: end, size: reader.count) }
      raw.append(
        (
          UInt64(name),
          Section(
            name: "", type: type, flags: flags, address: address, offset: fileOffset, size: size, link: link,
            info: info, entrySize: entry)
        ))
    }
    if raw.isEmpty { return [] }
    if names == 0 { return raw.map(\.section) }
    guard names < total, raw[Int(names)].section.type == sectionStrings else {
      throw .badStringTable(section: Int(clamping: names))
    }
    let table = raw[Int(names)].section
    let tableEnd = checkedEnd(table.offset, table.size)
    guard let tableEnd, tableEnd <= UInt64(reader.count) else {
      throw .sectionPastEnd(name: "\(names) (section names)", end: tableEnd, size: reader.count)
    }
    var sections: [Section] = []
    sections.reserveCapacity(raw.count)
    for (name, section) in raw {
      var section = section
      guard let text = reader.string(table.offset, name, limit: table.size) else {
        throw .stringOutOfRange(table: Int(names), offset: name)
      }
      section.name = text
      sections.append(section)
    }
    return sections
  }
}

/// `offset + size`, or nil where that exceeds 64 bits.
package func checkedEnd(_ offset: UInt64, _ size: UInt64) -> UInt64? {
  let (end, overflow) = offset.addingReportingOverflow(size)
  return overflow ? nil : end
}

/// Little-endian reads at checked offsets.
package struct ByteReader {
  package let bytes: [UInt8]

  package init(_ bytes: [UInt8]) { self.bytes = bytes }

  package var count: Int { bytes.count }

  package func u8(_ offset: UInt64) -> UInt8? {
    offset < UInt64(bytes.count) ? bytes[Int(offset)] : nil
  }

  package func u16(_ offset: UInt64) -> UInt16? { load(offset, as: UInt16.self) }
  package func u32(_ offset: UInt64) -> UInt32? { load(offset, as: UInt32.self) }
  package func u64(_ offset: UInt64) -> UInt64? { load(offset, as: UInt64.self) }

  private func load<T: FixedWidthInteger>(_ offset: UInt64, as type: T.Type) -> T? {
    let size = UInt64(MemoryLayout<T>.size)
    guard let end = checkedEnd(offset, size), end <= UInt64(bytes.count) else { return nil }
    return bytes.withUnsafeBytes { T(littleEndian: $0.loadUnaligned(fromByteOffset: Int(offset), as: T.self)) }
  }

  /// The NUL-terminated string at `start + offset`, which must end before `start + limit`. nil where it does not.
  package func string(_ start: UInt64, _ offset: UInt64, limit: UInt64) -> String? {
    guard offset < limit, let end = checkedEnd(start, limit), end <= UInt64(bytes.count) else { return nil }
    return bytes.withUnsafeBytes { raw in
      let region = raw[Int(start + offset)..<Int(end)]
      guard let nul = region.firstIndex(of: 0) else { return nil }
      return String(decoding: region[region.startIndex..<nul], as: UTF8.self)
    }
  }
}
