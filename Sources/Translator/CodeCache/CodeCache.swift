// The code cache: memory for emitted code, the table of blocks, their links, and invalidation. All of it raw memory;
// nothing is freed but by emptying the whole cache, which happens only between blocks.
import CSupport
import Glibc

/// A translated block.
struct BlockRecord {
  var start: UInt64        // guest address, entry slot in the low bits
  var key: UInt64          // cfm | mode << 40
  var end: UInt64
  var physical: UInt64     // of the first bundle's granule
  var code: UInt64         // entry, in the executable mapping
  var codeEnd: UInt64
  var slots: Int32
  var firstExit: Int32
  var exitCount: Int32
  var incoming: Int32      // first linked exit that leads here, or -1
  var nextInGranule: Int32
  var verified: UInt64     // epoch of translations in which `start` was last seen at `physical`
  var pageShift: UInt8     // log2 of the size of the page that `start` was seen in; 63 where there is only one
  var retired: Bool
  /// Whether it may join a region: no call site in it.
  var isPlain: Bool
  /// The blocks of its region: they are made and die together.
  var region: Range<Int32>
}

/// An exit of a block.
struct ExitRecord {
  var target: UInt64
  var key: UInt64
  var place: UnsafeMutablePointer<UInt8>?    // rel32 of its jump, writable mapping
  var unlinked: UnsafeMutablePointer<UInt8>? // what the jump leads to while not linked
  var block: Int32
  var linkedTo: Int32      // block, or -1
  var next: Int32          // next exit linked to the same block
  var slot: UInt8
  var kind: ExitKind
  var backward: Bool
  /// Behind a call: the frame is another than at the block's head.
  var isMoved: Bool
  /// How often it came to the engine, for exits that close loops.
  var taken: Int32 = 0
}

package final class CodeCache {
  private(set) var memory = kt_code_memory()
  var cursor: UnsafeMutablePointer<UInt8>
  private(set) var thunks: Thunks
  let indirect: UnsafeMutablePointer<IndirectLine>
  let callables: CallablePointers

  private(set) var blocks: UnsafeMutablePointer<BlockRecord>
  private(set) var blockCount = 0
  private let blockCapacity: Int
  private(set) var exits: UnsafeMutablePointer<ExitRecord>
  private(set) var exitCount = 0
  private let exitCapacity: Int

  /// The living blocks by (start, key), open addressing: block number + 1, or 0.
  private let table: UnsafeMutablePointer<Int32>
  private let tableSize: Int
  /// Blocks that links from other pages lead to.
  private var wideTargets: Set<Int32> = []
  /// Physical granule → first block of it.
  private var granules: [UInt64: Int32] = [:]
  /// How often the cache was emptied.
  private(set) var flushes = 0
  private let codeStart: UnsafeMutablePointer<UInt8>

  /// Reserves `size` bytes of code memory; nil where the system refuses.
  package init?(size: Int) {
    guard kt_map_code(size, &memory) == 0 else { return nil }
    indirect = .allocate(capacity: IndirectLine.count)
    indirect.initialize(repeating: IndirectLine(), count: IndirectLine.count)
    thunks = ThunkEmitter.emit(at: memory.writable, indirectCache: indirect)
    (callables, codeStart) = CallablePointers.emit(
      at: thunks.end, executableOffset: memory.executable - memory.writable)
    cursor = codeStart
    blockCapacity = size / 256
    exitCapacity = size / 64
    tableSize = 1 << (Int.bitWidth - (blockCapacity * 2 - 1).leadingZeroBitCount)
    blocks = .allocate(capacity: blockCapacity)
    exits = .allocate(capacity: exitCapacity)
    table = .allocate(capacity: tableSize)
    table.initialize(repeating: 0, count: tableSize)
  }

  deinit {
    kt_unmap_code(&memory)
    indirect.deallocate()
    blocks.deallocate()
    exits.deallocate()
    table.deallocate()
  }

  /// Distance from the writable to the executable mapping.
  @inline(__always) var executableOffset: Int { memory.executable - memory.writable }
  @inline(__always) func executable(_ p: UnsafeMutablePointer<UInt8>) -> UInt64 {
    UInt64(UInt(bitPattern: p + executableOffset))
  }

  func hasRoom(bytes: Int, exits: Int, blocks: Int = 1) -> Bool {
    bytes < memory.size - (cursor - memory.writable) && blockCount < blockCapacity - blocks
      && exitCount + exits < exitCapacity
  }

  var usedBytes: Int { cursor - memory.writable }

  // MARK: Lookup

  @inline(__always) private func hash(_ start: UInt64, _ key: UInt64) -> Int {
    let mixed = (start ^ key &* 0x9e37_79b9_7f4a_7c15) &* 0xff51_afd7_ed55_8ccd
    return Int(mixed >> 20) & (tableSize - 1)
  }

  @inline(__always) private func find(
    _ start: UInt64, _ key: UInt64, where fits: (UnsafeMutablePointer<BlockRecord>) -> Bool
  ) -> Int? {
    var index = hash(start, key)
    while table[index] != 0 {
      let block = blocks + Int(table[index] - 1)
      if block.pointee.start == start && block.pointee.key == key && fits(block) {
        return Int(table[index] - 1)
      }
      index = (index + 1) & (tableSize - 1)
    }
    return nil
  }

  /// The living block for an address and a key that has proved itself in `epoch`: there is at most one.
  func find(_ start: UInt64, _ key: UInt64, verifiedIn epoch: UInt64) -> Int? {
    find(start, key) { $0.pointee.verified == epoch }
  }

  /// The living block whose code lies in the granule at `physical`. Address spaces may have several for one address.
  func find(_ start: UInt64, _ key: UInt64, granule physical: UInt64) -> Int? {
    find(start, key) { $0.pointee.physical == physical }
  }

  /// How many blocks a lookup may find.
  var livingBlocks: Int { (0..<tableSize).count { table[$0] != 0 } }

  /// Takes a block out of the table; those behind it that it pushed away from their places move up.
  private func remove(_ block: Int) {
    let mask = tableSize - 1
    var gap = hash(blocks[block].start, blocks[block].key)
    while table[gap] != Int32(block + 1) { gap = (gap + 1) & mask }
    var index = gap
    while true {
      index = (index + 1) & mask
      if table[index] == 0 { break }
      let other = blocks + Int(table[index] - 1)
      let place = hash(other.pointee.start, other.pointee.key)
      if (index - place) & mask < (index - gap) & mask { continue }
      table[gap] = table[index]
      gap = index
    }
    table[gap] = 0
  }

  // MARK: Growth

  func add(_ block: BlockRecord) -> Int {
    let number = blockCount
    (blocks + number).initialize(to: block)
    blockCount += 1
    var index = hash(block.start, block.key)
    while table[index] != 0 { index = (index + 1) & (tableSize - 1) }
    table[index] = Int32(number + 1)
    let granule = block.physical >> UInt64(KT_GRANULE_SHIFT)
    blocks[number].nextInGranule = granules[granule] ?? -1
    granules[granule] = Int32(number)
    return number
  }

  func add(_ exit: ExitRecord) {
    (exits + exitCount).initialize(to: exit)
    exitCount += 1
  }

  // MARK: Links

  /// Whether an exit of a living block leads to this one.
  func leads(exit number: Int, to block: Int) -> Bool {
    let exit = exits[number], record = blocks[block]
    return exit.target | UInt64(exit.slot) == record.start && exit.key == record.key && !blocks[Int(exit.block)].retired
  }

  /// Lets an exit jump straight to a block. One aligned store.
  func link(exit number: Int, to block: Int) {
    let exit = exits + number
    guard let place = exit.pointee.place, exit.pointee.linkedTo < 0 else { return }
    let target = UnsafeMutablePointer<UInt8>(bitPattern: UInt(blocks[block].code))! - executableOffset
    Assembler.bind(place, to: target)
    exit.pointee.linkedTo = Int32(block)
    exit.pointee.next = blocks[block].incoming
    blocks[block].incoming = Int32(number)
    if !isOnePage(Int(exit.pointee.block), block) { wideTargets.insert(Int32(block)) }
  }

  /// Whether both blocks lie in one page of the guest. Who has entered the page may go anywhere in it: what leads into it
  /// from elsewhere asks for its translation.
  func isOnePage(_ a: Int, _ b: Int) -> Bool {
    blocks[a].pageShift == blocks[b].pageShift && (blocks[a].start ^ blocks[b].start) >> UInt64(blocks[a].pageShift) == 0
  }

  /// Takes away the links and remembered indirect targets that lead from page to page.
  func unlinkPages() {
    for block in wideTargets { unlinkIncoming(Int(block)) }
    wideTargets.removeAll(keepingCapacity: true)
    clearIndirect()
  }

  /// Takes away every jump to the block.
  func unlinkIncoming(_ block: Int) {
    var number = blocks[block].incoming
    while number >= 0 {
      let exit = exits + Int(number)
      if let place = exit.pointee.place, let unlinked = exit.pointee.unlinked { Assembler.bind(place, to: unlinked) }
      number = exit.pointee.next
      exit.pointee.linkedTo = -1
      exit.pointee.next = -1
    }
    blocks[block].incoming = -1
  }

  /// Blocks and regions that lie in several granules die: what leads from one to the next there asks nobody.
  func retireWide() {
    for number in 0..<blockCount where !blocks[number].retired {
      let block = blocks + number, first = blocks + Int(block.pointee.region.lowerBound)
      let granule = block.pointee.start & ~0xfff
      if first.pointee.start & ~0xfff != granule || (block.pointee.end &- 1) & ~0xfff != granule { retire(number) }
    }
  }

  /// Takes away all links and remembered indirect targets: every way into a block leads through a lookup again.
  func unlinkAll() {
    for number in 0..<blockCount where blocks[number].incoming >= 0 { unlinkIncoming(number) }
    wideTargets.removeAll(keepingCapacity: true)
    clearIndirect()
  }

  func clearIndirect() {
    for index in 0..<IndirectLine.count { indirect[index].target = ~0 }
  }

  func remember(_ block: Int) {
    let record = blocks[block]
    guard record.start & 15 == 0 else { return }
    let line = indirect + IndirectLine.index(record.start, record.key)
    line.pointee.target = ~0
    line.pointee.code = record.code
    line.pointee.key = record.key
    line.pointee.target = record.start
  }

  // MARK: Death

  /// Blocks of [physical, physical + length) die: nothing leads into them any more. Returns whether any did.
  func invalidate(physical: UInt64, length: UInt64) -> Bool {
    var any = false
    let shift = UInt64(KT_GRANULE_SHIFT)
    guard length > 0 else { return false }
    // A block belongs to the granule where it begins; a call site at its end may reach into the next.
    let home = physical >> shift
    for granule in (home == 0 ? 0 : home - 1)...(physical &+ length - 1) >> shift {
      guard var number = granules[granule] else { continue }
      var previous: Int32 = -1
      while number >= 0 {
        let record = blocks + Int(number)
        let next = record.pointee.nextInGranule
        let first = record.pointee.physical | record.pointee.start & 0xff0
        let last = first &+ (record.pointee.end &- record.pointee.start & ~15)
        if record.pointee.retired || first < physical &+ length && last > physical {
          any = any || !record.pointee.retired
          retire(Int(number))
          if previous >= 0 {
            blocks[Int(previous)].nextInGranule = next
          } else {
            granules[granule] = next >= 0 ? next : nil
          }
        } else {
          previous = number
        }
        number = next
      }
    }
    return any
  }

  /// Whether any block of the granule is alive.
  func holds(physical: UInt64) -> Bool { granules[physical >> UInt64(KT_GRANULE_SHIFT)] != nil }

  /// The block and those of its region die.
  func retire(_ block: Int) {
    for member in blocks[block].region { retireAlone(Int(member)) }
  }

  private func retireAlone(_ block: Int) {
    if blocks[block].retired { return }
    blocks[block].retired = true
    remove(block)
    unlinkIncoming(block)
    wideTargets.remove(Int32(block))
    let line = indirect + IndirectLine.index(blocks[block].start, blocks[block].key)
    if line.pointee.code == blocks[block].code { line.pointee.target = ~0 }
  }

  /// Empties the cache. No emitted code may be running.
  func removeAll() {
    cursor = codeStart
    blockCount = 0
    exitCount = 0
    wideTargets.removeAll(keepingCapacity: true)
    granules.removeAll(keepingCapacity: true)
    table.update(repeating: 0, count: tableSize)
    clearIndirect()
    flushes += 1
  }

  /// The block whose code holds a host address of the executable mapping.
  func block(containing code: UInt64) -> Int? {
    for number in 0..<blockCount where blocks[number].code <= code && code < blocks[number].codeEnd { return number }
    return nil
  }
}
