// The register stack engine (SDM vol. 2, chapter 6).
//
// Stacked registers live in a ring of KT_RING_REGISTERS positions. Positions are absolute 64-bit numbers that count on
// past the ring's size; a position's storage is its number modulo the ring. What the manual keeps in the RSE's internal
// pointers stands here as four positions:
//
//        load_position        store_position          bof            bof + sof
//   ───────┼──── clean ────────────┼───── dirty ────────┼─── current ─────┼───── invalid
//
// Only a state given from outside has clean registers: what is stored here counts as invalid at once (`storeOne`).
//
// ar.bspstore is the backing store address of store_position; bsp is computed from it and the number of dirty
// registers. No ring index is ever derived from an address.
//
// `physical_stacked` (N_STACK_PHYS) says when stores are mandatory: the frame's end may not pass store_position + N. The
// ring is larger than that, so a position entering the window [window_top − N, window_top) is given the value that the
// physical register it stands for would have held, which is the one N positions below.
//
// Fills are lazy: `br.ret` or `rfi` into a frame whose registers are in memory sets `frame_incomplete`, and the
// registers are loaded before the next instruction, so that a fault is taken at the target (ISR.ir).
import CSupport

@usableFromInline package enum RSC {
  @inlinable package static var modeMask: UInt64 { 3 }
  @inlinable package static func privilege(_ rsc: UInt64) -> Int { Int(rsc >> 2 & 3) }
  @inlinable package static func bigEndian(_ rsc: UInt64) -> Bool { rsc >> 4 & 1 != 0 }
  /// Bytes that `loadrs` makes dirty: the field in bits 29:16, its low three bits ignored.
  @inlinable package static func loadrs(_ rsc: UInt64) -> UInt64 { rsc >> 16 & 0x3ff8 }
}

/// The backing store address `count` registers away from `address`, stepping over the RNAT collections that stand in
/// every 64th word.
@inlinable
package func skipRegisters(_ address: UInt64, _ count: Int64) -> UInt64 {
  let slot = Int64(address >> 3 & 0x3f)
  var delta = slot + count
  if count < 0 { delta -= 0x3e }
  return address &+ UInt64(bitPattern: (count + delta / 0x3f) * 8)
}

/// Registers between two backing store addresses, the RNAT collections not counted.
@inlinable
package func registersBetween(_ low: UInt64, _ high: UInt64) -> Int64 {
  let words = Int64(bitPattern: high &- low) >> 3
  let slot = Int64(low >> 3 & 0x3f)
  return words - (slot + words) / 0x40
}

@inlinable
package func isCollectionAddress(_ address: UInt64) -> Bool { address & 0x1f8 == 0x1f8 }

extension UnsafeMutablePointer where Pointee == kt_cpu {
  @inlinable package var ringIndexMask: Int64 { Int64(KT_RING_REGISTERS) - 1 }

  /// Points `frame` and `frame_nat` at the bottom of the frame.
  @inlinable @inline(__always) package func setFrame(bottom: Int64) {
    pointee.bof = bottom
    let index = Int(bottom & ringIndexMask)
    pointee.frame = pointee.ring + index
    pointee.frame_nat = pointee.ring_nat + index
  }

  @inlinable package func updateFrameLimit() {
    if pointee.ring_has_nat != 0 {
      pointee.frame_limit = Int64.min
    } else {
      pointee.frame_limit = min(pointee.store_position + Int64(pointee.physical_stacked), pointee.window_top)
    }
  }

  /// ar.bsp: the backing store address of r32.
  @inlinable package func readBSP() -> UInt64 {
    skipRegisters(pointee.ar_bspstore, pointee.bof - pointee.store_position)
  }

  // MARK: Instructions

  /// `alloc`: resizes the frame. `sof`, `sol`, `sor` in registers; the caller has checked their relations and has
  /// written nothing yet.
  @inlinable package func rseAlloc(sof: Int, sol: Int, sor: Int) -> Status {
    if pointee.bof + Int64(sof) > pointee.frame_limit {
      let status = growFrame(to: sof, from: self.sof)
      if status != .done { return status }
    }
    pointee.cfm = CFM.make(sof: sof, sol: sol, sor: sor) | pointee.cfm & ~0x3ffff
    return .done
  }

  /// The frame part of a call: saves the frame marker in ar.pfs and makes the output registers the new frame.
  @inlinable package func rseCall() {
    let cfm = pointee.cfm
    pointee.ar_pfs = cfm | pointee.ar_ec << 52 | UInt64(cpl) << 62
    let sol = CFM.sol(cfm)
    pointee.cfm = UInt64(CFM.sof(cfm) - sol)
    setFrame(bottom: pointee.bof + Int64(sol))
  }

  /// The frame part of `br.ret`: gives the frame that ar.pfs describes. Privilege and ec are the caller's work.
  @inlinable package func rseReturn() {
    let pfm = pointee.ar_pfs & CFM.mask
    restoreFrame(pfm, down: CFM.sol(pfm))
  }

  /// The frame part of `rfi` with ifs.v set.
  package func rseRestoreInterruptedFrame(_ ifs: UInt64) {
    let ifm = ifs & CFM.mask
    restoreFrame(ifm, down: CFM.sof(ifm))
  }

  @inlinable package func restoreFrame(_ marker: UInt64, down: Int) {
    let bottom = pointee.bof - Int64(down)
    let top = bottom + Int64(CFM.sof(marker))
    setFrame(bottom: bottom)
    pointee.cfm = CFM.isPossible(marker) ? marker : 0
    if bottom >= pointee.store_position && top <= pointee.frame_limit { return }
    restoreFrameSlowly(bottom: bottom, top: top)
  }

  @usableFromInline @inline(never) package func restoreFrameSlowly(bottom: Int64, top: Int64) {
    // A frame marker that does not fit the physical registers is no frame ever allocated: the manual gives an empty one.
    if top - min(pointee.store_position, bottom) > Int64(pointee.physical_stacked) {
      pointee.cfm = 0
    } else {
      raiseWindow(to: top)
    }
    // Clean registers need no load, but become dirty on the same way.
    if bottom < pointee.store_position {
      pointee.frame_incomplete = 1
      pointee.event_check = 1
    }
    if pointee.ring_has_nat != 0 { pointee.nat_live = 1 }
  }

  /// `cover`: the current frame becomes dirty and a new, empty one begins. Gives the old marker for cr.ifs.
  package func rseCover() -> UInt64 {
    let old = pointee.cfm
    setFrame(bottom: pointee.bof + Int64(CFM.sof(old)))
    pointee.cfm = 0
    pointee.frame_incomplete = 0
    return old
  }

  /// `cover` in a kernel's way out of a mandatory load that faulted: what is missing of the frame is given up, and so is
  /// all that lies above it; the registers below can still be loaded.
  package func rseAbandonFrame() -> UInt64 {
    let old = pointee.cfm
    let bottom = pointee.bof + Int64(CFM.sof(old))
    if bottom >= pointee.store_position { return rseCover() }
    pointee.ar_bspstore = skipRegisters(pointee.ar_bspstore, bottom - pointee.store_position)
    pointee.store_position = bottom
    pointee.load_position = bottom
    pointee.ar_rnat = 0
    let covered = rseCover()
    updateFrameLimit()
    return covered
  }

  /// `flushrs`: stores all dirty registers.
  package func rseFlush() -> Status {
    while pointee.store_position < pointee.bof {
      let status = storeOne()
      if status != .done { return status }
    }
    return .done
  }

  /// Whether `loadrs` is a legal instruction now: lazy mode, and either nothing to load or an empty frame and no more to
  /// load than there are stacked registers (SDM vol. 3, loadrs).
  package var canLoadStack: Bool {
    if pointee.ar_rsc & RSC.modeMask != 0 { return false }
    let bytes = RSC.loadrs(pointee.ar_rsc)
    if bytes == 0 { return true }
    let bsp = readBSP()
    return sof == 0 && registersBetween(bsp &- bytes, bsp) <= Int64(pointee.physical_stacked)
  }

  /// `loadrs`: makes exactly the registers between bsp − rsc.loadrs and bsp dirty and forgets all others.
  package func rseLoad() -> Status { rseLoad(bytes: RSC.loadrs(pointee.ar_rsc)) }

  /// `loadrs` of so many bytes, also more than ar.rsc can name.
  package func rseLoad(bytes: UInt64) -> Status {
    let tear = readBSP() &- bytes
    let bottom = pointee.bof - registersBetween(tear, readBSP())
    if bottom >= pointee.store_position {
      pointee.store_position = bottom
      pointee.ar_bspstore = tear
      pointee.load_position = bottom
    } else {
      let status = loadDown(to: bottom)
      if status != .done { return status }
      // The tear point may stand at or just above an RNAT collection: bspstore follows it.
      pointee.ar_bspstore = tear
    }
    updateFrameLimit()
    return .done
  }

  /// mov ar.bspstore: dirty registers stay dirty, clean ones are forgotten.
  package func writeBSPSTORE(_ value: UInt64) {
    pointee.ar_bspstore = value & ~7
    pointee.load_position = pointee.store_position
    if pointee.bof < pointee.store_position {
      // An incomplete frame's missing registers can't come from the new backing store.
      pointee.store_position = pointee.bof
      pointee.load_position = pointee.bof
      pointee.frame_incomplete = 0
    }
    updateFrameLimit()
  }

  /// The current frame stays, and everything below it is given up: the backing store begins anew at `address`, as for a
  /// thread that starts on a stack of its own.
  package func beginBackingStore(_ address: UInt64) {
    pointee.ar_bspstore = address & ~7
    pointee.ar_rnat = 0
    pointee.store_position = pointee.bof
    pointee.load_position = pointee.bof
    updateFrameLimit()
  }

  // MARK: Mandatory stores and loads

  /// Makes room for a frame of `sof` registers at bof (stores what is in the way), and lets the new positions into the
  /// window. Registers beyond `from` start without NaT.
  @usableFromInline @inline(never) package func growFrame(to sof: Int, from oldSof: Int) -> Status {
    let top = pointee.bof + Int64(sof)
    while top - pointee.store_position > Int64(pointee.physical_stacked) {
      let status = storeOne()
      if status != .done { return status }
    }
    raiseWindow(to: top)
    if pointee.ring_has_nat != 0 {
      if sof > oldSof {
        for offset in oldSof..<sof { pointee.frame_nat[offset] = 0 }
      }
      scanRing()
    }
    updateFrameLimit()
    return .done
  }

  private func raiseWindow(to top: Int64) {
    let physical = Int64(pointee.physical_stacked)
    while pointee.window_top < top {
      let position = pointee.window_top
      let source = Int((position - physical) & ringIndexMask), target = Int(position & ringIndexMask)
      pointee.ring[target] = pointee.ring[source]
      pointee.ring_nat[target] = pointee.ring_nat[source]
      pointee.window_top += 1
    }
    // What left the window at its lower end is no longer in a register.
    pointee.load_position = max(pointee.load_position, min(pointee.window_top - physical, pointee.store_position))
    updateFrameLimit()
  }

  private func scanRing() {
    for index in 0..<Int(KT_RING_REGISTERS) where pointee.ring_nat[index] != 0 { return }
    pointee.ring_has_nat = 0
  }

  /// Stores the lowest dirty register, and the RNAT collection when its word comes up.
  private func storeOne() -> Status {
    if isCollectionAddress(pointee.ar_bspstore) {
      let status = storeCollection()
      if status != .done { return status }
    }
    let index = Int(pointee.store_position & ringIndexMask)
    let address = pointee.ar_bspstore
    let status = rseStore(address, pointee.ring[index])
    if status != .done { return status }
    let bit = UInt64(1) << (address >> 3 & 0x3f)
    pointee.ar_rnat = pointee.ring_nat[index] != 0 ? pointee.ar_rnat | bit : pointee.ar_rnat & ~bit
    pointee.ar_bspstore = address &+ 8
    pointee.store_position += 1
    // Stored registers count as invalid, not clean: a return to them fills them again and takes store_position along, so
    // that what the frame then writes to them is dirty.
    pointee.load_position = pointee.store_position
    updateFrameLimit()
    return isCollectionAddress(pointee.ar_bspstore) ? storeCollection() : .done
  }

  private func storeCollection() -> Status {
    let status = rseStore(pointee.ar_bspstore, pointee.ar_rnat & ~(1 << 63))
    if status != .done { return status }
    pointee.ar_bspstore &+= 8
    pointee.ar_rnat = 0
    return .done
  }

  /// Loads the registers that the current frame lacks. Engines call it (through `checkEvents`) before the next
  /// instruction while `frame_incomplete` is set; a fault leaves the flag set and what was loaded loaded.
  package func rseCompleteFrame() -> Status {
    let status = loadDown(to: pointee.bof)
    if status != .done { return status }
    pointee.frame_incomplete = 0
    updateFrameLimit()
    if pointee.ring_has_nat != 0 { scanNaT() }
    return .done
  }

  /// Makes store_position = `bottom` by taking clean registers back and then loading from the backing store.
  private func loadDown(to bottom: Int64) -> Status {
    while pointee.store_position > bottom {
      var address = pointee.ar_bspstore &- 8
      if isCollectionAddress(address) {
        var collection: UInt64 = 0
        let status = rseLoad(address, &collection)
        if status != .done { return status }
        pointee.ar_rnat = collection
        pointee.ar_bspstore = address
        address &-= 8
      }
      let position = pointee.store_position - 1
      if position < pointee.load_position {
        var value: UInt64 = 0
        let status = rseLoad(address, &value)
        if status != .done { return status }
        install(value, nat: pointee.ar_rnat >> (address >> 3 & 0x3f) & 1 != 0, at: position)
        pointee.load_position = position
      }
      pointee.ar_bspstore = address
      pointee.store_position = position
    }
    updateFrameLimit()
    return .done
  }

  private func install(_ value: UInt64, nat: Bool, at position: Int64) {
    let index = Int(position & ringIndexMask)
    pointee.ring[index] = value
    pointee.ring_nat[index] = nat ? 1 : 0
    if nat { noteNaTInRing() }
    pointee.window_top = min(pointee.window_top, position + Int64(pointee.physical_stacked))
  }

  /// Whether the RSE's accesses go where the processor's own go, by the same rights and in the same byte order: then the
  /// software TLB serves them too. Otherwise what they may do at ar.rsc.pl says nothing about the processor's own level.
  var rseSharesAddressing: Bool {
    let psr = pointee.psr, rsc = pointee.ar_rsc
    if RSC.bigEndian(rsc) || psr & (PSR.be | PSR.db) != 0 { return false }
    if pointee.is_process != 0 { return true }
    if psr & PSR.dt == 0 { return true }
    return psr & PSR.rt != 0 && RSC.privilege(rsc) == cpl
  }

  private func rseStore(_ address: UInt64, _ value: UInt64) -> Status {
    if rseSharesAddressing, kt_stlb_lines(pointee.stlb)[Int(kt_stlb_index(address))].write_tag == address & ~0xff8 {
      return store(address, size: 8, value)
    }
    return pointee.store(self, address, 8 | UInt32(KT_ACCESS_RSE), value)
  }

  private func rseLoad(_ address: UInt64, _ value: inout UInt64) -> Status {
    if rseSharesAddressing, kt_stlb_lines(pointee.stlb)[Int(kt_stlb_index(address))].read_tag == address & ~0xff8 {
      return load(address, size: 8, &value)
    }
    return pointee.load(self, address, 8 | UInt32(KT_ACCESS_RSE), &value)
  }
}
