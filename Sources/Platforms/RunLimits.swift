// What bounds a run, whatever the platform.

/// Limits of a run; nil: none.
package struct RunLimits: Sendable {
  /// Issued slots of all processors together.
  package var slots: UInt64?
  /// Host time in seconds.
  package var seconds: Double?

  package init(slots: UInt64? = nil, seconds: Double? = nil) {
    self.slots = slots
    self.seconds = seconds
  }
}

/// Keeps account of a run against its limits.
struct RunAccount {
  private let limits: RunLimits
  private let started = hostNanoseconds()
  private(set) var slots: UInt64 = 0

  init(_ limits: RunLimits) { self.limits = limits }

  /// Slots that a slice of at most `wanted` may have; 0 when the limit is reached.
  func allowance(_ wanted: Int64) -> Int64 {
    guard let limit = limits.slots else { return wanted }
    return Int64(min(UInt64(wanted), limit - min(limit, slots)))
  }

  mutating func add(_ count: UInt64) { slots += count }

  var isOverTime: Bool {
    guard let seconds = limits.seconds else { return false }
    return Double(hostNanoseconds() - started) > seconds * 1e9
  }
}
