// Time (SDM vol. 2, 3.3.4.2 and 10.5.5): ar.itc, the interval timer, and the slot budget by which engines come back in time.
//
// The virtual clock counts issued slots: now = deadline − budget, exact at every instruction. The host clock is the time
// stamp counter.
import CSupport

extension UnsafeMutablePointer where Pointee == kt_cpu {
  /// The machine's clock: issued slots, or host ticks.
  @inlinable package var now: UInt64 {
    pointee.virtual_clock != 0 ? UInt64(bitPattern: pointee.deadline - pointee.budget) : kt_host_ticks()
  }

  /// Issued slots since the start.
  @inlinable package var slots: UInt64 { UInt64(bitPattern: pointee.deadline - pointee.budget) }

  /// Lets the engine run for at most `count` more issued slots, less if the virtual clock's timer fires before.
  package func setBudget(_ count: Int64) {
    let present = pointee.deadline - pointee.budget
    var allowed = max(0, count)
    if pointee.virtual_clock != 0, pointee.itm_deadline != UInt64.max {
      let wait = Int64(bitPattern: pointee.itm_deadline &- UInt64(bitPattern: present))
      allowed = min(allowed, max(0, wait))
    }
    pointee.deadline = present + allowed
    pointee.budget = allowed
  }

  /// ar.itc.
  @inlinable package func readITC() -> UInt64 { now &+ pointee.itc_offset }

  package func writeITC(_ value: UInt64) {
    pointee.itc_offset = value &- now
    armTimer()
  }

  package func writeITM(_ value: UInt64) {
    pointee.cr_itm = value
    armTimer()
  }

  package func writeITV(_ value: UInt64) {
    pointee.cr_itv = value
    armTimer()
  }

  /// Works out when ar.itc meets cr.itm next, and shortens the budget where that is nearer.
  private func armTimer() {
    let present = now
    let wait = pointee.cr_itm &- (present &+ pointee.itc_offset)
    // The match is an equality of 64-bit counters: an itm already passed comes round in some centuries.
    let masked = pointee.cr_itv >> 16 & 1 != 0
    // Under the virtual clock an idle processor jumps to its match: one that no run reaches counts as none, so that slots
    // never overflow.
    let isBeyond = pointee.virtual_clock != 0 && present &+ wait > 1 << 60
    pointee.itm_deadline = masked || wait >> 63 != 0 || isBeyond ? UInt64.max : present &+ wait
    guard pointee.virtual_clock != 0 else { return }
    let before = pointee.budget
    setBudget(before)
    // An engine that has counted on more must look.
    if pointee.budget != before { pointee.event_check = 1 }
  }

  /// Raises the timer's interrupt if its time has come. Platforms call it when a budget is used up, and under the host
  /// clock now and then.
  package func pollTimer() {
    guard now >= pointee.itm_deadline else { return }
    pointee.itm_deadline = UInt64.max
    if pointee.cr_itv >> 16 & 1 == 0 { raiseExternal(vector: pointee.cr_itv & 0xff) }
  }
}
