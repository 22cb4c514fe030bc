// Loads and stores (SDM vol. 1, 4.4; vol. 2, 4.5): the fast path through the software TLB, and the slow path that
// resolves the address, fills the software TLB, reaches devices, splits what is unaligned and takes the faults.
import CSupport
import Glibc

extension UnsafeMutablePointer where Pointee == kt_cpu {
  // MARK: Fast path

  /// Loads `size` bytes (1, 2, 4, 8), zero-extended. On `.interrupted` a fault has been delivered and `value` is as it was.
  @inlinable @inline(__always)
  package func load(_ va: UInt64, size: UInt32, flags: UInt32 = 0, _ value: inout UInt64) -> Status {
    let line = kt_stlb_lines(pointee.stlb) + Int(kt_stlb_index(va))
    if va & (~0xfff | UInt64(size - 1)) == line.pointee.read_tag {
      let host = UnsafeRawPointer(bitPattern: UInt(truncatingIfNeeded: va &+ line.pointee.addend)).unsafelyUnwrapped
      switch size {
      case 1: value = UInt64(host.load(as: UInt8.self))
      case 2: value = UInt64(host.load(as: UInt16.self))
      case 4: value = UInt64(host.load(as: UInt32.self))
      default: value = host.load(as: UInt64.self)
      }
      return .done
    }
    return pointee.load(self, va, size | flags, &value)
  }

  /// Stores the low `size` bytes (1, 2, 4, 8) of `value`.
  @inlinable @inline(__always)
  package func store(_ va: UInt64, size: UInt32, flags: UInt32 = 0, _ value: UInt64) -> Status {
    let line = kt_stlb_lines(pointee.stlb) + Int(kt_stlb_index(va))
    if va & (~0xfff | UInt64(size - 1)) == line.pointee.write_tag {
      let host = UnsafeMutableRawPointer(bitPattern: UInt(truncatingIfNeeded: va &+ line.pointee.addend))
        .unsafelyUnwrapped
      switch size {
      case 1: host.storeBytes(of: UInt8(truncatingIfNeeded: value), as: UInt8.self)
      case 2: host.storeBytes(of: UInt16(truncatingIfNeeded: value), as: UInt16.self)
      case 4: host.storeBytes(of: UInt32(truncatingIfNeeded: value), as: UInt32.self)
      default: host.storeBytes(of: value, as: UInt64.self)
      }
      if pointee.store_log != nil { logStore(va, size, value) }
      return .done
    }
    return pointee.store(self, va, size | flags, value)
  }

  @usableFromInline @inline(never) package func logStore(_ va: UInt64, _ size: UInt32, _ value: UInt64) {
    let mask: UInt64 = size >= 8 ? ~0 : (1 << (UInt64(size) * 8)) - 1
    kt_store_log_append(pointee.store_log.assumingMemoryBound(to: kt_store_log.self), va, value & mask, size)
  }

  // MARK: Whole accesses of other shapes

  /// Host address of `size` bytes at `va` for a read-modify-write, which must be aligned and in write-back memory: nil when
  /// a fault was delivered.
  package func semaphorePointer(_ va: UInt64, size: UInt32) -> UnsafeMutableRawPointer? {
    let rights: Access = [.read, .write]
    let flags = size | UInt32(KT_ACCESS_WRITE_BACK)
      | (va & UInt64(size - 1) != 0 ? UInt32(KT_ACCESS_UNALIGNED) : 0)
    guard let place = resolve(va, rights, flags: flags) else { return nil }
    if place.host == nil { unsupportedReference(va, rights, flags: flags) }
    return place.host
  }

  /// Must follow a store of `size` bytes through `semaphorePointer`: records it and announces it where there is code.
  package func noteStore(_ va: UInt64, size: UInt32, value: UInt64) {
    if pointee.store_log != nil { logStore(va, size, value) }
    let line = kt_stlb_lines(pointee.stlb)[Int(kt_stlb_index(va))]
    if line.write_tag == va & ~0xfff { return }  // a granule with code or an ALAT entry never has a write tag
    if case .found(let place) = place(of: va, .write, flags: 0) { announceStore(place.physical, UInt64(size)) }
  }

  /// Tells the ALAT of a store, and the engine where the granule holds code.
  private func announceStore(_ physical: UInt64, _ size: UInt64) {
    let machine = self.machine
    if pointee.alat != nil { machine.snoopALATs(physical, size) }
    guard machine.holdsCode(physical) else { return }
    let forgotten = machine.forgottenByStore(physical: physical, size: size)
    pointee.code_written?(self, forgotten.physical, forgotten.length)
    machine.noteStore(physical: physical, size: size)
  }

  // MARK: Where an address is

  /// Resolves one data address and fills the software TLB line of its granule. nil: a fault was delivered.
  package func resolve(_ va: UInt64, _ wanted: Access, flags: UInt32) -> Place? {
    switch place(of: va, wanted, flags: flags) {
    case .found(let place):
      if flags & UInt32(KT_ACCESS_RSE) == 0 || rseSharesAddressing { fill(va, place) }
      return place
    case .fault: return nil
    }
  }

  private func fill(_ va: UInt64, _ place: Place) {
    // A line serves its whole granule: no translation is finer.
    guard let host = place.host, pointee.stlb != kt_stlb_modes(self)[3], (place.physical ^ va) & 0xfff == 0
    else { return }
    let line = kt_stlb_lines(pointee.stlb) + Int(kt_stlb_index(va))
    let page = va & ~0xfff
    let readable = place.rights.contains(.read)
    let watched = pointee.alat != nil && machine.alatsWatch(place.physical)
    let writable = place.rights.contains(.write) && !watched && !machine.holdsCode(place.physical)
    line.pointee.read_tag = readable ? page : KT_STLB_NONE
    line.pointee.write_tag = writable ? page : KT_STLB_NONE
    line.pointee.addend = UInt64(UInt(bitPattern: host)) &- va
    line.pointee.physical = place.physical & ~0xfff
  }

  // MARK: Software TLB upkeep

  /// Chooses the software TLB of the present addressing mode. Call after every change of psr.
  package func updateAddressing() {
    let psr = pointee.psr
    let mode: Int
    if psr & (PSR.be | PSR.db) != 0 {
      mode = 3
    } else if pointee.is_process != 0 {
      mode = 2
    } else if psr & PSR.dt == 0 {
      mode = 0
    } else {
      mode = psr & PSR.cpl == 0 ? 1 : 2
      if mode == 2, pointee.stlb_level != UInt8(cpl) {
        // Its lines say what another level may do.
        flushSoftwareTLB(mode: 2)
        pointee.stlb_level = UInt8(cpl)
      }
    }
    let lines = kt_stlb_modes(self)[mode]
    if pointee.stlb == lines { return }
    pointee.stlb = lines
    pointee.event_check = 1  // emitted code holds the address
  }

  /// Empties the software TLBs of all modes.
  package func flushSoftwareTLB() {
    for mode in 0..<4 { flushSoftwareTLB(mode: mode) }
    pointee.fetch_generation += 1
  }

  private func flushSoftwareTLB(mode: Int) {
    let lines = kt_stlb_lines(kt_stlb_modes(self)[mode]!)
    for index in 0..<Int(KT_STLB_LINES + KT_STLB_NEAR) {
      lines[index].read_tag = KT_STLB_NONE
      lines[index].write_tag = KT_STLB_NONE
    }
  }

  /// Forgets the lines of [va, va + length) in the virtual modes.
  package func flushSoftwareTLB(va: UInt64, length: UInt64) {
    pointee.fetch_generation += 1
    if length > UInt64(KT_STLB_LINES) << UInt64(KT_GRANULE_SHIFT) {
      flushSoftwareTLB(mode: 1)
      flushSoftwareTLB(mode: 2)
      return
    }
    for mode in 1...2 {
      let lines = kt_stlb_lines(kt_stlb_modes(self)[mode]!)
      for index in Int(KT_STLB_LINES)..<Int(KT_STLB_LINES + KT_STLB_NEAR) {
        lines[index].read_tag = KT_STLB_NONE
        lines[index].write_tag = KT_STLB_NONE
      }
    }
    var page = va & ~0xfff
    for _ in 0..<max(1, length >> UInt64(KT_GRANULE_SHIFT)) {
      for mode in 1...2 {
        let line = kt_stlb_lines(kt_stlb_modes(self)[mode]!) + Int(kt_stlb_index(page))
        line.pointee.read_tag = KT_STLB_NONE
        line.pointee.write_tag = KT_STLB_NONE
      }
      page &+= 1 << UInt64(KT_GRANULE_SHIFT)
    }
  }

  /// Stores to the granule at `physical` must take the slow path from now on.
  func forgetWritable(physical: UInt64) {
    for mode in 0..<3 {
      let lines = kt_stlb_lines(kt_stlb_modes(self)[mode]!)
      for index in 0..<Int(KT_STLB_LINES + KT_STLB_NEAR) where lines[index].physical == physical {
        lines[index].write_tag = KT_STLB_NONE
      }
    }
  }
}

// MARK: Slow path

/// `kt_cpu.load`: any load, aligned or not, to memory or a device.
let loadSlowly: @convention(c) (CPU?, UInt64, UInt32, UnsafeMutablePointer<UInt64>?) -> Int32 = { cpu, va, flags, value in
  cpu.unsafelyUnwrapped.loadSlow(va, flags: flags, value.unsafelyUnwrapped)
}

/// `kt_cpu.store`: any store.
let storeSlowly: @convention(c) (CPU?, UInt64, UInt32, UInt64) -> Int32 = { cpu, va, flags, value in
  cpu.unsafelyUnwrapped.storeSlow(va, flags: flags, value)
}

extension UnsafeMutablePointer where Pointee == kt_cpu {
  fileprivate func loadSlow(_ va: UInt64, flags: UInt32, _ value: UnsafeMutablePointer<UInt64>) -> Status {
    let size = Int(flags & UInt32(KT_ACCESS_SIZE_MASK))
    if va & UInt64(size - 1) != 0 { return loadUnaligned(va, size, flags, value) }
    guard let place = resolve(va, .read, flags: flags) else { return takeDeferral() }
    var raw: UInt64
    if let host = place.host {
      raw = 0
      memcpy(&raw, host, size)
    } else if let device = machine.device(at: place.physical) {
      raw = device.read(offset: place.physical - device.range.base, size: size, cpu: self)
    } else {
      raw = ~0 >> UInt64(64 - 8 * size)
    }
    value.pointee = isBigEndian(flags) ? raw.byteSwapped >> UInt64(64 - 8 * size) : raw
    return .done
  }

  fileprivate func storeSlow(_ va: UInt64, flags: UInt32, _ value: UInt64) -> Status {
    let size = Int(flags & UInt32(KT_ACCESS_SIZE_MASK))
    if va & UInt64(size - 1) != 0 { return storeUnaligned(va, size, flags, value) }
    guard let place = resolve(va, .write, flags: flags) else { return .interruptedOrStopped(self) }
    var raw = isBigEndian(flags) ? value.byteSwapped >> UInt64(64 - 8 * size) : value
    if let host = place.host {
      memcpy(host, &raw, size)
      if pointee.store_log != nil { logStore(va, UInt32(size), raw) }
      announceStore(place.physical, UInt64(size))
    } else if let device = machine.device(at: place.physical) {
      device.write(offset: place.physical - device.range.base, size: size, value: raw, cpu: self)
      if pointee.store_log != nil { logStore(va, UInt32(size), raw) }
      // A device may have raised an interrupt or asked for a stop.
      pointee.event_check = 1
    }
    return .done
  }

  private func isBigEndian(_ flags: UInt32) -> Bool {
    if flags & UInt32(KT_ACCESS_RAW) != 0 { return false }
    if flags & UInt32(KT_ACCESS_RSE) != 0 { return RSC.bigEndian(pointee.ar_rsc) }
    return pointee.psr & PSR.be != 0
  }

  /// After `resolve` gave nil: was the fault deferred, delivered, or left to the platform?
  package func takeDeferral() -> Status {
    if pointee.deferral != 0 {
      pointee.deferral = 0
      return .deferred
    }
    return .interruptedOrStopped(self)
  }

  // An unaligned access is done in pieces when psr.ac is clear, as the architecture allows an implementation to do
  // (SDM vol. 1, 4.4.1; vol. 2, 4.5): the lower piece first, nothing written before both pieces are known to be reachable.
  private func loadUnaligned(_ va: UInt64, _ size: Int, _ flags: UInt32, _ value: UnsafeMutablePointer<UInt64>) -> Status {
    if refusesUnaligned(flags) {
      _ = resolve(va, .read, flags: flags | UInt32(KT_ACCESS_UNALIGNED))
      return takeDeferral()
    }
    var bytes: UInt64 = 0
    let rest = flags & ~UInt32(KT_ACCESS_SIZE_MASK) | UInt32(KT_ACCESS_RAW) | 1
    for index in 0..<size {
      var byte: UInt64 = 0
      let status = load(va &+ UInt64(index), size: 1, flags: rest & ~0xff, &byte)
      if status != .done { return status }
      bytes |= byte << UInt64(8 * index)
    }
    value.pointee = isBigEndian(flags) ? bytes.byteSwapped >> UInt64(64 - 8 * size) : bytes
    return .done
  }

  /// Whether psr.ac makes an unaligned load or store a fault, or a deferral. In a process the kernel would do it for the
  /// program, unless that has asked for a signal or works in big-endian order (Linux, arch/ia64/kernel/unaligned.c).
  package func refusesUnaligned(_ flags: UInt32) -> Bool {
    if pointee.psr & PSR.ac == 0 { return false }
    if pointee.is_process == 0 || flags & UInt32(KT_ACCESS_SPECULATIVE) != 0 || pointee.psr & PSR.be != 0 { return true }
    return machine.processMemory?.reportsUnaligned ?? true
  }

  private func storeUnaligned(_ va: UInt64, _ size: Int, _ flags: UInt32, _ value: UInt64) -> Status {
    if refusesUnaligned(flags) {
      _ = resolve(va, .write, flags: flags | UInt32(KT_ACCESS_UNALIGNED))
      return .interruptedOrStopped(self)
    }
    let raw = isBigEndian(flags) ? value.byteSwapped >> UInt64(64 - 8 * size) : value
    guard resolve(va, .write, flags: flags) != nil, resolve(va &+ UInt64(size - 1), .write, flags: flags) != nil
    else { return .interruptedOrStopped(self) }
    for index in 0..<size {
      let status = store(
        va &+ UInt64(index), size: 1, flags: flags & ~0xff | UInt32(KT_ACCESS_RAW), raw >> UInt64(8 * index) & 0xff)
      if status != .done { return status }
    }
    return .done
  }
}

extension Status {
  /// What a failed access returns: the fault was delivered, or, in a process, left to the platform.
  @inlinable package static func interruptedOrStopped(_ cpu: CPU) -> Status {
    cpu.pointee.is_process != 0 ? .stopped : .interrupted
  }
}
