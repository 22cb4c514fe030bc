// The advanced load address table (SDM vol. 1, 4.4.5.2 and 4.4.5.3; vol. 2, 6.8): which registers hold what an advanced
// load read that nothing has been stored over since. It may hold less than it could at any time, so it may be empty
// for good, which is the default (`kt_cpu.alat` is NULL), and what makes its upkeep dear may drop entries.
//
// Registers are told apart by what they are physically: a stacked register by its position, which no call, return,
// rotation or wrap of the ring changes; r16 to r31 by their bank; a rotating floating-point register by its number
// after renaming. Neither interruptions nor rfi touch the table.
//
// While a granule has an entry, stores to it take the slow path, which compares physical addresses and sizes: no line of
// the software TLB lets them by. So neither engine pays for stores elsewhere.
import CSupport
import Glibc

extension UnsafeMutablePointer where Pointee == kt_cpu {
  /// What names general register `n` in the table.
  package func alatTag(general n: Int) -> UInt64 {
    if n >= 32 {
      let position = pointee.bof + Int64(stackedOffset(n))
      return 1 << 63 | UInt64(bitPattern: position) & ((1 << 62) - 1)
    }
    return UInt64(n >= 16 && pointee.psr & PSR.bn == 0 ? 256 + n : 512 + n)
  }

  /// What names floating-point register `n`.
  package func alatTag(float n: Int) -> UInt64 { UInt64(1024 + physicalFR(n)) }

  private func alatEntry(_ tag: UInt64) -> UnsafeMutablePointer<kt_alat_entry>? {
    guard let table = pointee.alat, table.pointee.count != 0 else { return nil }
    let entries = kt_alat_entries(table)
    for index in 0..<Int(KT_ALAT_ENTRIES) where entries[index].tag == tag { return entries + index }
    return nil
  }

  /// Whether the table has an entry for the register.
  package func alatHolds(_ tag: UInt64) -> Bool { alatEntry(tag) != nil }

  /// invala.e, and the `clr` forms.
  package func alatRemove(_ tag: UInt64) {
    guard let entry = alatEntry(tag) else { return }
    entry.pointee.tag = 0
    pointee.alat.pointee.count -= 1
  }

  /// invala, ptc.ga.
  package func alatClear() {
    guard let table = pointee.alat else { return }
    memset(table, 0, MemoryLayout<kt_alat>.size)
  }

  /// An advanced load of `size` bytes at `va` into the register has succeeded: its entry, in place of an older one.
  /// None where the bytes lie in two granules, or not in memory.
  package func alatInsert(_ tag: UInt64, _ va: UInt64, size: Int) {
    alatRemove(tag)
    guard let table = pointee.alat, va & 0xfff + UInt64(size) <= 0x1000,
      case .found(let place) = place(of: va, .read, flags: 0), place.host != nil
    else { return }
    alatInsert(kt_alat_entry(tag: tag, physical: place.physical, size: UInt64(size)), into: table)
  }

  /// An entry as it is, for a register that has none.
  package func alatInsert(_ entry: kt_alat_entry, into table: UnsafeMutablePointer<kt_alat>) {
    let victim = kt_alat_entries(table) + Int(table.pointee.next)
    table.pointee.next = (table.pointee.next + 1) % UInt32(KT_ALAT_ENTRIES)
    if victim.pointee.tag == 0 { table.pointee.count += 1 }
    victim.pointee = entry
    for cpu in machine.cpus { cpu.forgetWritable(physical: entry.physical & ~0xfff) }
  }

  /// Whether an entry lies in the granule of `physical`.
  fileprivate func alatWatches(_ physical: UInt64) -> Bool {
    guard let table = pointee.alat, table.pointee.count != 0 else { return false }
    let entries = kt_alat_entries(table)
    for index in 0..<Int(KT_ALAT_ENTRIES)
    where entries[index].tag != 0 && (entries[index].physical ^ physical) >> UInt64(KT_GRANULE_SHIFT) == 0 {
      return true
    }
    return false
  }

  /// Removes the entries that bytes of [physical, physical + size) belong to.
  fileprivate func alatSnoop(_ physical: UInt64, _ size: UInt64) {
    guard let table = pointee.alat, table.pointee.count != 0 else { return }
    let entries = kt_alat_entries(table)
    for index in 0..<Int(KT_ALAT_ENTRIES) {
      let entry = entries + index
      if entry.pointee.tag != 0, physical < entry.pointee.physical + entry.pointee.size,
        entry.pointee.physical < physical + size
      {
        entry.pointee.tag = 0
        table.pointee.count -= 1
      }
    }
  }

  /// The table in one word, for comparison: 0 where it has no entries. Stacked registers count by their distance from
  /// r32.
  package var alatDigest: UInt64 {
    guard let table = pointee.alat, table.pointee.count != 0 else { return 0 }
    var digest = UInt64(table.pointee.next) + 1
    let entries = kt_alat_entries(table)
    for index in 0..<Int(KT_ALAT_ENTRIES) {
      var tag = entries[index].tag
      if tag == 0 { continue }
      if tag >> 63 != 0 { tag = 1 << 63 | (tag &- UInt64(bitPattern: pointee.bof)) & ((1 << 62) - 1) }
      for word in [UInt64(index), tag, entries[index].physical, entries[index].size] {
        digest = (digest ^ word) &* 0x9e37_79b9_7f4a_7c15
        digest ^= digest >> 29
      }
    }
    return digest
  }

  func destroyALAT() {
    free(pointee.alat)
    pointee.alat = nil
  }
}

extension Machine {
  /// Gives every processor a table, or takes it away. Code that an engine has derived anything from must be forgotten.
  package func setALAT(real: Bool) throws(MachineError) {
    for cpu in cpus {
      cpu.destroyALAT()
      if real { try cpu.makeALAT() }
    }
  }

  /// Memory has been written by other means than a processor's stores: by a system call.
  package func clearALATs() {
    for cpu in cpus { cpu.alatClear() }
  }

  /// Whether stores to the granule at `physical` must be looked at for some processor's table.
  func alatsWatch(_ physical: UInt64) -> Bool { cpus.contains { $0.alatWatches(physical) } }

  /// A processor has stored there.
  func snoopALATs(_ physical: UInt64, _ size: UInt64) {
    for cpu in cpus { cpu.alatSnoop(physical, size) }
  }
}

extension UnsafeMutablePointer where Pointee == kt_cpu {
  func makeALAT() throws(MachineError) {
    guard let table = calloc(1, MemoryLayout<kt_alat>.size) else {
      throw .outOfMemory(bytes: UInt64(MemoryLayout<kt_alat>.size))
    }
    pointee.alat = table.assumingMemoryBound(to: kt_alat.self)
  }
}
