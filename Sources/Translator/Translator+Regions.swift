// Regions: when a way back has come to the engine often enough, the blocks of its loop are made anew together, with the same
// guest registers in the same host registers at the head of each. Leads out of the loop go through memory as before.
import CSupport
import Machine

/// Where a region begins: a guest address, and the granule of physical memory whose code stood there.
struct RegionHead: Hashable {
  var start: UInt64
  var physical: UInt64
}

extension TranslatorEngine {
  package static let defaultRegionThreshold: Int32 = 40
  static let regionBlocks = 16
  private static let regionNodes = 6000

  /// Links an exit to the block that was found behind it, or makes a region of the loop that it closes; the block to run.
  func follow(exit number: Int, to block: Int, _ cpu: CPU) -> Int {
    let exit = cache.exits + number
    if exit.pointee.backward && options.contains(.regions) && blockInstructionLimit == .max {
      if exit.pointee.taken <= regionThreshold { exit.pointee.taken += 1 }
      if exit.pointee.taken < regionThreshold { return block }
      if exit.pointee.taken == regionThreshold, let head = formRegion(block, cpu) { return head }
    }
    if present.contains(.chaining) {
      cache.link(exit: number, to: block)
      statistics.links += 1
    }
    return block
  }

  // MARK: Members

  /// A block's in-frame exits to blocks that exist and may join it.
  private func successors(_ number: Int) -> [(block: Int, backward: Bool)] {
    let first = Int(cache.blocks[number].firstExit)
    return (first..<first + Int(cache.blocks[number].exitCount)).compactMap { index in
      let exit = cache.exits[index]
      guard exit.kind == .direct, !exit.isMoved,
        let block = cache.find(exit.target | UInt64(exit.slot), exit.key, verifiedIn: epoch),
        cache.blocks[block].isPlain, cache.isOnePage(number, block)
      else { return nil }
      return (block, exit.backward)
    }
  }

  /// The blocks from which `head` is reached and that are reached from it, `head` first; and which of them are heads of
  /// loops.
  private func loop(around head: Int) -> (members: [Int], heads: Set<Int>) {
    var found = [head], next = 0
    var edges: [(from: Int, to: Int, backward: Bool)] = []
    while next < found.count && found.count < 3 * Self.regionBlocks {
      for successor in successors(found[next]) {
        edges.append((found[next], successor.block, successor.backward))
        if !found.contains(successor.block) { found.append(successor.block) }
      }
      next += 1
    }
    var reaching: Set<Int> = [head], grew = true
    while grew {
      grew = false
      for edge in edges where reaching.contains(edge.to) && reaching.insert(edge.from).inserted { grew = true }
    }
    let members = Array(found.filter { reaching.contains($0) }.prefix(Self.regionBlocks))
    let heads = Set(edges.filter { $0.backward && members.contains($0.to) && members.contains($0.from) }.map(\.to))
    return (members, heads)
  }

  // MARK: Making

  private struct Member {
    var start: UInt64, key: UInt64, physical: UInt64
    var host: UnsafeRawPointer
    var weight: Int
  }

  /// The new block at `head`; nil where no region is made.
  private func formRegion(_ head: Int, _ cpu: CPU) -> Int? {
    let place = RegionHead(start: cache.blocks[head].start, physical: cache.blocks[head].physical)
    guard cache.blocks[head].isPlain, regionsAt[place, default: 0] < 4 else { return nil }
    let (numbers, heads) = loop(around: head)
    guard heads.contains(head) else { return nil }
    let members = numbers.compactMap { number -> Member? in
      let block = cache.blocks[number]
      let physical = block.physical | block.start & 0xff0
      guard let host = codeHost(cpu, physical) else { return nil }
      let isInner = block.region.count > 1 || successors(number).contains { $0.block == number }
      return Member(
        start: block.start, key: block.key, physical: physical, host: host,
        weight: isInner ? 8 : heads.contains(number) ? 2 : 1)
    }
    guard members.count == numbers.count else { return nil }
    let began = kt_host_ticks()
    defer { statistics.translationTicks &+= kt_host_ticks() &- began }
    frontend.heads = heads.map { number in
      RegionEntry(start: cache.blocks[number].start, marker: cache.blocks[number].key & CFM.mask)
    }
    frontend.carriedSlots.removeAll(keepingCapacity: true)
    guard let layout = survey(members, cpu) else { return nil }
    regionsAt[place, default: 0] += 1
    for number in numbers { cache.retire(number) }
    return make(members, layout, cpu)
  }

  /// Builds every member once to see what it uses; nil where the region would be too large.
  private func survey(_ members: [Member], _ cpu: CPU) -> RegionLayout? {
    var uses = [Int](repeating: 0, count: Slot.count)
    var written = [Bool](repeating: false, count: Slot.count)
    var doubles: Set<Int> = [], putOff: Set<Int> = []
    var layout = RegionLayout(entries: [], carried: [], places: [], written: [])
    var bytes = 0, exits = 0, nodes = 0
    for (index, member) in members.enumerated() {
      build(cpu, member.start, member.key, member.physical, member.host)
      let block = frontend.builder.block
      guard frontend.passedSites.isEmpty, !frontend.hasDivision else { return nil }
      block.countUses(member.weight, &uses, &written)
      doubles.formUnion(block.doubleSlots())
      putOff.formUnion(block.slotsPutOff())
      layout.entries.append(RegionEntry(
        start: member.start, marker: member.key & CFM.mask, slots: block.slots, number: cache.blockCount + index))
      bytes += Lowering.bound(block) + (Lowering.carriers + Lowering.vectorCarriers).count * Block.nodeBytes
      exits += block.exitCount
      nodes += block.count
    }
    guard nodes <= Self.regionNodes, cache.hasRoom(bytes: bytes, exits: exits, blocks: members.count) else {
      return nil
    }
    let ranked = uses.indices.filter { uses[$0] > 1 && !putOff.contains($0) }.sorted { (uses[$1], $0) < (uses[$0], $1) }
    let general = ranked.filter { !doubles.contains($0) }.prefix(Lowering.carriers.count)
    let vectors = ranked.filter(doubles.contains).prefix(Lowering.vectorCarriers.count)
    layout.carried = Array(general) + Array(vectors)
    layout.places = Array(Lowering.carriers.prefix(general.count)) + Array(Lowering.vectorCarriers.prefix(vectors.count))
    layout.written = layout.carried.map { written[$0] }
    return layout
  }

  private func make(_ members: [Member], _ layout: RegionLayout, _ cpu: CPU) -> Int {
    let first = cache.blockCount
    lowering.begin(layout)
    frontend.carriedSlots = layout.carried
    for member in members {
      build(cpu, member.start, member.key, member.physical, member.host)
      install(cpu, member.start, member.key, member.physical, layout, Int32(first)..<Int32(first + members.count))
    }
    statistics.regions += 1
    return first
  }
}

extension Block {
  /// Adds how often the block reads and writes each slot that may be carried between blocks.
  func countUses(_ weight: Int, _ uses: inout [Int], _ written: inout [Bool]) {
    for index in 0..<count {
      let node = nodes[index]
      switch node.op {
      case .get, .put:
        let slot = Int(node.imm)
        if Slot.isPredicate(slot) || Slot.isExponent(slot) || slot == Slot.progress { continue }
        uses[slot] += weight
        if node.op == .put { written[slot] = true }
      case .floatCall:
        written[Slot.significand(FloatCall.target(UInt64(bitPattern: node.imm)))] = true
      default: continue
      }
    }
  }
}
