// The System Abstraction Layer's procedures (SAL specification, chapter 9), as far as they need nothing but the machine's
// state. There is no error log: every question for records is answered "no information".
import Machine

/// What the operating system has told SAL.
struct SAL {
  /// The external interrupt that wakes up application processors.
  static let wakeUpVector: UInt64 = 0xff

  enum Procedure: UInt64 {
    case setVectors = 0x0100_0000, getStateInfo, getStateInfoSize, clearStateInfo, rendezvous, setParameters
    case registerPhysicalAddress
    case cacheFlush = 0x0100_0008, cacheInit
    case pciRead = 0x0100_0010, pciWrite, frequencyBase
    case physicalID
    case updatePAL = 0x0100_0020
  }

  /// Status −5: no information is there.
  private static let noInformation = ServiceResult(status: -5)

  /// Where application processors start: physical address of the code, and their gp.
  private(set) var rendezvous: (entry: UInt64, gp: UInt64)?

  /// - Parameter arguments: the seven behind the procedure's number.
  mutating func answer(_ procedure: Procedure, _ arguments: [UInt64], frequency: UInt64) -> ServiceResult {
    switch procedure {
    case .setVectors:
      // Type 2: the operating system's entry for processors that wake up.
      if arguments[0] == 2 { rendezvous = (arguments[1], arguments[2]) }
      return arguments[0] <= 2 ? .success() : .invalidArgument
    case .getStateInfo, .clearStateInfo: return Self.noInformation
    case .getStateInfoSize, .rendezvous, .setParameters, .registerPhysicalAddress, .cacheFlush, .cacheInit, .updatePAL:
      return .success()
    case .frequencyBase:
      switch arguments[0] {
      case 0, 1: return .success(frequency, ~0)
      case 2: return .success(1, ~0)
      default: return .invalidArgument
      }
    case .pciRead:
      // No device answers: all ones in the width of the access.
      guard [1, 2, 4].contains(arguments[1]) else { return .invalidArgument }
      return .success(~0 >> (64 - 8 * arguments[1]))
    case .pciWrite: return [1, 2, 4].contains(arguments[1]) ? .success() : .invalidArgument
    case .physicalID: return .notImplemented
    }
  }
}
