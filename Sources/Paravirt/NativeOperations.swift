// The native backend's operations as host functions on the guest processor's state: each does what the guest's own
// native body does (Linux's arch/ia64/kernel/paravirt.c), in the registers' architectural terms. Instructions: SDM
// vol. 3, chapter 2.
import CSupport
import Machine

extension Operation {
  /// The operation's native body: processor, then the arguments in the order of the register ABI; the result or 0.
  /// Where the instruction would fault, the interruption has been delivered and the processor's ip stands at its handler.
  package var native: kt_callable {
    switch self {
    case .fc: return { cpu, address, _, _, _, _ in NativeOperations.flushCache(cpu!, address) }
    case .thash: return { cpu, address, _, _, _, _ in cpu!.hashAddress(address) }
    case .getCPUID: return { cpu, index, _, _, _, _ in NativeOperations.cpuid(cpu!, index) }
    case .getPMD: return { cpu, index, _, _, _, _ in NativeOperations.pmd(cpu!, index) }
    case .getreg: return { cpu, register, _, _, _, _ in NativeOperations.getreg(cpu!, register) }
    case .setreg: return { cpu, value, register, _, _, _ in NativeOperations.setreg(cpu!, value, register) }
    case .ptcga: return { cpu, address, size, _, _, _ in NativeOperations.purgeGlobal(cpu!, address, size) }
    case .getRR: return { cpu, index, _, _, _, _ in NativeOperations.regionRegister(cpu!, index) }
    case .setRR: return { cpu, index, value, _, _, _ in NativeOperations.setRegionRegister(cpu!, index, value) }
    case .setRR0ToRR4: return NativeOperations.setRegionRegisters
    case .ssmI: return { cpu, _, _, _, _, _ in NativeOperations.enableInterrupts(cpu!) }
    case .rsmI: return { cpu, _, _, _, _, _ in NativeOperations.disableInterrupts(cpu!) }
    case .getPSRI: return { cpu, _, _, _, _, _ in NativeOperations.interruptFlag(cpu!) }
    case .irqRestore:
      return { cpu, flags, _, _, _, _ in
        flags != 0 ? NativeOperations.enableInterrupts(cpu!) : NativeOperations.disableInterrupts(cpu!)
      }
    }
  }
}

package enum NativeOperations {
  /// An interruption was delivered; what the function returns is no result.
  private static func faulted(_ cpu: CPU, _ status: Status) -> UInt64 {
    cpu.pointee.event_check = 1
    return 0
  }

  private static func finish(_ cpu: CPU, _ status: Status) -> UInt64 {
    status == .done ? 0 : faulted(cpu, status)
  }

  /// Delivers Privileged Operation where the processor is not at level 0.
  @inline(__always) private static func isPrivileged(_ cpu: CPU) -> Bool { cpu.pointee.psr & PSR.cpl == 0 }

  /// fc r8.
  static func flushCache(_ cpu: CPU, _ address: UInt64) -> UInt64 { finish(cpu, cpu.flushCache(address)) }

  /// mov r1=cpuid[r3]: Reserved Register/Field for a register beyond the last (cpuid[3] bits 7:0).
  static func cpuid(_ cpu: CPU, _ index: UInt64) -> UInt64 {
    let registers = kt_cpuid(cpu)
    let number = Int(index & 0xff)
    guard number <= Int(registers[3] & 0xff), number < 8 else { return faulted(cpu, cpu.reservedRegisterField()) }
    return registers[number]
  }

  /// mov r1=pmd[r3].
  static func pmd(_ cpu: CPU, _ index: UInt64) -> UInt64 {
    var value: UInt64 = 0
    let status = cpu.readPMD(index, &value)
    return status == .done ? value : faulted(cpu, status)
  }

  /// ptc.ga r8, r9.
  static func purgeGlobal(_ cpu: CPU, _ address: UInt64, _ size: UInt64) -> UInt64 {
    guard isPrivileged(cpu) else { return faulted(cpu, cpu.privilegedOperation()) }
    cpu.purgeGlobally(address, size: size, alat: true)
    return 0
  }

  static func regionRegister(_ cpu: CPU, _ index: UInt64) -> UInt64 {
    guard isPrivileged(cpu) else { return faulted(cpu, cpu.privilegedOperation()) }
    return kt_region_registers(cpu)[Int(index >> 61)]
  }

  static func setRegionRegister(_ cpu: CPU, _ index: UInt64, _ value: UInt64) -> UInt64 {
    guard isPrivileged(cpu) else { return faulted(cpu, cpu.privilegedOperation()) }
    return finish(cpu, cpu.writeRegionRegister(index, value))
  }

  /// Five writes in order; the first that faults ends them.
  static let setRegionRegisters: kt_callable = { cpu, value0, value1, value2, value3, value4 in
    let cpu = cpu!
    guard isPrivileged(cpu) else { return faulted(cpu, cpu.privilegedOperation()) }
    var status = cpu.writeRegionRegister(0, value0)
    if status == .done { status = cpu.writeRegionRegister(1 << 61, value1) }
    if status == .done { status = cpu.writeRegionRegister(2 << 61, value2) }
    if status == .done { status = cpu.writeRegionRegister(3 << 61, value3) }
    if status == .done { status = cpu.writeRegionRegister(4 << 61, value4) }
    return finish(cpu, status)
  }

  /// ssm psr.i: a pending interrupt may come from now on.
  static func enableInterrupts(_ cpu: CPU) -> UInt64 {
    guard isPrivileged(cpu) else { return faulted(cpu, cpu.privilegedOperation()) }
    let psr = cpu.pointee.psr
    if psr & PSR.i == 0 {
      cpu.pointee.psr = psr | PSR.i
      cpu.pointee.event_check = 1
    }
    return 0
  }

  /// rsm psr.i.
  static func disableInterrupts(_ cpu: CPU) -> UInt64 {
    guard isPrivileged(cpu) else { return faulted(cpu, cpu.privilegedOperation()) }
    cpu.pointee.psr &= ~PSR.i
    return 0
  }

  /// psr.i where it stands, 0 or 1 << 14.
  static func interruptFlag(_ cpu: CPU) -> UInt64 {
    guard isPrivileged(cpu) else { return faulted(cpu, cpu.privilegedOperation()) }
    return cpu.pointee.psr & PSR.i
  }

  /// A register by Linux's number (_IA64_REG_…); −1 for one that getreg does not know, as Linux's out-of-line function.
  static func getreg(_ cpu: CPU, _ register: UInt64) -> UInt64 {
    switch register {
    case 1037: return cpu.staticGR[13]
    case 1019:
      guard isPrivileged(cpu) else { return faulted(cpu, cpu.privilegedOperation()) }
      return cpu.readPSR()
    case 1025: return cpu.staticGR[1]
    case 1036: return cpu.staticGR[12]
    default: break
    }
    var value: UInt64 = 0
    let number = Int(truncatingIfNeeded: register & 0xfff)
    let status: Status
    if isApplication(register) {
      status = cpu.readAR(number - 0xc00, &value)
    } else if isControl(register) {
      status = cpu.readCR(number, &value)
    } else {
      return ~0
    }
    return status == .done ? value : faulted(cpu, status)
  }

  /// Writes a register by Linux's number; nothing for one that setreg does not know.
  static func setreg(_ cpu: CPU, _ value: UInt64, _ register: UInt64) -> UInt64 {
    let number = Int(truncatingIfNeeded: register & 0xfff)
    if isApplication(register) {
      // ar.bsp can only be read.
      return finish(cpu, number == 0xc11 ? cpu.illegalOperation() : cpu.writeAR(number - 0xc00, value))
    }
    if isControl(register) { return finish(cpu, cpu.writeCR(number, value)) }
    switch register {
    case 1019:
      guard isPrivileged(cpu) else { return faulted(cpu, cpu.privilegedOperation()) }
      return finish(cpu, cpu.writePSRLower(value))
    case 1025: cpu.writeGR(1, value)
    case 1036: cpu.writeGR(12, value)
    default: break
    }
    return 0
  }

  // Which registers Linux numbers, a bit each (the names stand in KernelRegister): application registers from 3072,
  // control registers from 4096.

  package static func isApplication(_ register: UInt64) -> Bool {
    let number = register &- 3072
    return number < 64 ? 0x0000_1111_7f2f_00ff >> number & 1 != 0 : number < 128 && 7 >> (number - 64) & 1 != 0
  }

  package static func isControl(_ register: UInt64) -> Bool {
    let number = register &- 4096
    return number < 64 ? 0x03fb_0107 >> number & 1 != 0 : number < 128 && 0x3_07ff >> (number - 64) & 1 != 0
  }
}
