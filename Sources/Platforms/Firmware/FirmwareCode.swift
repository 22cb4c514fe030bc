// The firmware's code as the guest sees it: for each service a break instruction that the machine claims, and the way
// back to the caller.
import IA64
import Paravirt

/// What a guest can call. The raw value is the immediate of the service's break instruction less `base`.
package enum FirmwareService: UInt64, CaseIterable {
  case pal, sal
  // The EFI runtime services, in the order of their table (UEFI specification, 4.5).
  case getTime, setTime, getWakeupTime, setWakeupTime, setVirtualAddressMap, convertPointer, getVariable
  case getNextVariableName, setVariable, getNextHighMonotonicCount, resetSystem, updateCapsule
  case queryCapsuleCapabilities, queryVariableInfo
  /// Where processors wait that the operating system has not started yet.
  case waitForWakeUp

  package static let base: UInt64 = 0x1f_f000

  static let runtime = Array(allCases[getTimeIndex...queryVariableInfoIndex])
  private static let getTimeIndex = Int(FirmwareService.getTime.rawValue)
  private static let queryVariableInfoIndex = Int(FirmwareService.queryVariableInfo.rawValue)

  package init?(immediate: UInt64) { self.init(rawValue: immediate &- Self.base) }

  /// The service's code.
  var code: [UInt8] {
    let call = Code.slot(.break_m, imm: Int64(Self.base + rawValue))
    switch self {
    case .pal:
      // Static procedures (index below 256) have no frame of their own and return by a plain branch, stacked ones
      // (256…511) by br.ret (SDM vol. 2, 11.10.2).
      return Code.bundle("MII;;", call, Code.nop, Code.slot(.tbit_z, r1: 6, r3: 28, r4: 7, aux: 8)).bytes
        + Code.bundle(
          "BBB;;", Code.slot(.br_cond_indirect, qp: 6, r2: 0), Code.slot(.br_ret, qp: 7, r2: 0), Code.nopB).bytes
    case .waitForWakeUp:
      return Code.bundle("MIB;;", call, Code.nop, Code.slot(.br_cond)).bytes
    default:
      return Code.bundle("MIB;;", call, Code.nop, Code.slot(.br_ret, r2: 0)).bytes
    }
  }
}
