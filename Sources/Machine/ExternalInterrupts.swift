// External interrupts (SDM vol. 2, 5.8): pending and in-service vectors, the task priority, and the registers by which a
// kernel takes and ends them.
import CSupport

extension UnsafeMutablePointer where Pointee == kt_cpu {
  private static func highest(_ words: UnsafeMutablePointer<UInt64>) -> Int? {
    for index in stride(from: 3, through: 0, by: -1) where words[index] != 0 {
      return index * 64 + 63 - words[index].leadingZeroBitCount
    }
    return nil
  }

  /// Priorities as the manual orders them: NMI (2) above ExtINT (0) above the vectors 255…16.
  private static func priority(_ vector: Int) -> Int {
    switch vector {
    case 2: 258
    case 0: 257
    default: vector
    }
  }

  /// The pending vector of highest priority.
  private var pendingVector: Int? {
    let irr = kt_irr(self)
    if irr[0] & 4 != 0 { return 2 }
    if irr[0] & 1 != 0 { return 0 }
    return Self.highest(irr)
  }

  private var servedPriority: Int {
    let served = kt_in_service(self)
    if served[0] & 4 != 0 { return Self.priority(2) }
    if served[0] & 1 != 0 { return Self.priority(0) }
    return Self.highest(served) ?? -1
  }

  /// The vector that cr.ivr would give, or nil: its priority must be above the one in service and above the task's.
  private var deliverableVector: Int? {
    guard let vector = pendingVector, Self.priority(vector) > servedPriority else { return nil }
    if vector == 2 { return vector }
    let tpr = pointee.cr_tpr
    if tpr >> 16 & 1 != 0 { return nil }
    return vector == 0 || UInt64(vector) >> 4 > tpr >> 4 & 0xf ? vector : nil
  }

  /// Recomputes `interrupt_ready`; call after any change to what is pending, in service, or the task priority.
  package func updateInterruptReady() {
    pointee.interrupt_ready = deliverableVector == nil ? 0 : 1
    if pointee.interrupt_ready != 0 { pointee.event_check = 1 }
  }

  /// Makes external interrupt `vector` (0, 2, 16…255) pending. Other numbers are no interrupts and are dropped.
  package func raiseExternal(vector: UInt64) {
    guard vector < 256, vector >= 16 || vector == 0 || vector == 2 else { return }
    kt_irr(self)[Int(vector >> 6)] |= 1 << (vector & 63)
    updateInterruptReady()
  }

  /// mov r1=cr.ivr: takes the highest interrupt, or gives 15 (spurious).
  package func readIVR() -> UInt64 {
    guard let vector = deliverableVector else { return 15 }
    kt_irr(self)[vector >> 6] &= ~(1 << UInt64(vector & 63))
    kt_in_service(self)[vector >> 6] |= 1 << UInt64(vector & 63)
    updateInterruptReady()
    return UInt64(vector)
  }

  /// mov cr.eoi=r2: ends the highest interrupt in service.
  package func writeEOI() {
    let served = kt_in_service(self)
    let vector: Int? = served[0] & 4 != 0 ? 2 : served[0] & 1 != 0 ? 0 : Self.highest(served)
    if let vector { served[vector >> 6] &= ~(1 << UInt64(vector & 63)) }
    updateInterruptReady()
  }

  package func writeTPR(_ value: UInt64) {
    pointee.cr_tpr = value
    updateInterruptReady()
  }
}
