// Memory accesses that are not one load or store of 1, 2, 4 or 8 bytes: 10- and 16-byte floating-point formats,
// 16-byte integers, and read-modify-write (SDM vol. 1, 4.4.7, 5.3).
import CSupport
import IA64
import Machine

@inline(__always)
private func isBigEndian(_ cpu: CPU) -> Bool { cpu.pointee.psr & PSR.be != 0 }

/// The alignment check of an access wider than the machine's loads.
@inline(__always)
private func misaligned(_ cpu: CPU, _ address: UInt64, _ flags: UInt32) -> Bool {
  address & 15 != 0 && cpu.refusesUnaligned(flags)
}

/// The fault of a misaligned access, or of what translation has against it.
@inline(never)
private func misalignedFault(_ cpu: CPU, _ address: UInt64, _ wanted: Access, _ flags: UInt32) -> Status {
  _ = cpu.resolve(address, wanted, flags: flags | UInt32(KT_ACCESS_UNALIGNED) | 16)
  return cpu.takeDeferral()
}

/// Two words as they stand in memory.
private func loadTwo(_ cpu: CPU, _ address: UInt64, _ flags: UInt32, _ first: inout UInt64, _ second: inout UInt64) -> Status {
  let status = cpu.load(address, size: 8, flags: flags, &first)
  return status != .done ? status : cpu.load(address &+ 8, size: 8, flags: flags, &second)
}

private func storeTwo(_ cpu: CPU, _ address: UInt64, _ flags: UInt32, _ first: UInt64, _ second: UInt64) -> Status {
  if !isReachable(cpu, address, length: 16, flags) { return .interruptedOrStopped(cpu) }
  let status = cpu.store(address, size: 8, flags: flags, first)
  return status != .done ? status : cpu.store(address &+ 8, size: 8, flags: flags, second)
}

/// 16 bytes in two words: `low` the less significant. Also pairs of 8 bytes.
func loadSpill(_ cpu: CPU, _ address: UInt64, _ flags: UInt32, _ low: inout UInt64, _ high: inout UInt64) -> Status {
  if misaligned(cpu, address, flags) { return misalignedFault(cpu, address, .read, flags) }
  return isBigEndian(cpu) ? loadTwo(cpu, address, flags, &high, &low) : loadTwo(cpu, address, flags, &low, &high)
}

func storeSpill(_ cpu: CPU, _ address: UInt64, _ low: UInt64, _ high: UInt64) -> Status {
  if misaligned(cpu, address, 0) { return misalignedFault(cpu, address, .write, 0) }
  return isBigEndian(cpu) ? storeTwo(cpu, address, 0, high, low) : storeTwo(cpu, address, 0, low, high)
}

/// 10 bytes: the significand, and sign with exponent in 16 bits. Only write-back memory has them.
func loadExtended(
  _ cpu: CPU, _ address: UInt64, _ flags: UInt32, _ significand: inout UInt64, _ signExponent: inout UInt64
) -> Status {
  let flags = flags | UInt32(KT_ACCESS_WRITE_BACK)
  if misaligned(cpu, address, flags) { return misalignedFault(cpu, address, .read, flags) }
  let big = isBigEndian(cpu)
  var one: UInt64 = 0, two: UInt64 = 0
  var status = cpu.load(big ? address &+ 2 : address, size: 8, flags: flags, &one)
  if status != .done { return status }
  status = cpu.load(big ? address : address &+ 8, size: 2, flags: flags, &two)
  if status != .done { return status }
  significand = one
  signExponent = two
  return .done
}

func storeExtended(_ cpu: CPU, _ address: UInt64, _ significand: UInt64, _ signExponent: UInt64) -> Status {
  let flags = UInt32(KT_ACCESS_WRITE_BACK)
  if misaligned(cpu, address, flags) { return misalignedFault(cpu, address, .write, flags) }
  if !isReachable(cpu, address, length: 10, flags) { return .interruptedOrStopped(cpu) }
  let big = isBigEndian(cpu)
  let status = cpu.store(big ? address &+ 2 : address, size: 8, flags: flags, significand)
  return status != .done ? status : cpu.store(big ? address : address &+ 8, size: 2, flags: flags, signExponent)
}

/// Whether all of a store that is done in pieces can be done; else the fault is delivered.
private func isReachable(_ cpu: CPU, _ address: UInt64, length: UInt64, _ flags: UInt32) -> Bool {
  if (address & 0xfff) &+ length <= 0x1000 { return true }
  return cpu.resolve(address, .write, flags: flags) != nil
    && cpu.resolve(address &+ length &- 1, .write, flags: flags) != nil
}

// MARK: 16-byte integers, which must be aligned and in write-back memory

/// `first` is the word at the lower address in either byte order (SDM vol. 3, ld).
func loadWhole16(_ cpu: CPU, _ address: UInt64, _ first: inout UInt64, _ second: inout UInt64) -> Status {
  let flags = UInt32(KT_ACCESS_WRITE_BACK)
  if address & 15 != 0 { return misalignedFault(cpu, address, .read, flags) }
  return loadTwo(cpu, address, flags, &first, &second)
}

func storeWhole16(_ cpu: CPU, _ address: UInt64, _ first: UInt64, _ second: UInt64) -> Status {
  let flags = UInt32(KT_ACCESS_WRITE_BACK)
  if address & 15 != 0 { return misalignedFault(cpu, address, .write, flags) }
  return storeTwo(cpu, address, flags, first, second)
}

// MARK: Read-modify-write

/// Brings a value between register and memory order.
@inline(__always)
private func ordered(_ cpu: CPU, _ value: UInt64, _ size: UInt32) -> UInt64 {
  isBigEndian(cpu) ? value.byteSwapped >> UInt64(64 - 8 * size) : value
}

@inline(__always)
private func truncated(_ value: UInt64, _ size: UInt32) -> UInt64 { value & (UInt64.max >> UInt64(64 - 8 * size)) }

/// Reads, lets `change` say what to write (nil: nothing), and writes it unless another thread came between.
@inline(__always)
private func modify(
  _ cpu: CPU, _ address: UInt64, _ size: UInt32, _ old: inout UInt64, _ change: (UInt64) -> UInt64?
) -> Status {
  guard let host = cpu.semaphorePointer(address, size: size) else {
    return .interruptedOrStopped(cpu)
  }
  while true {
    let raw = kt_atomic_load(host, size)
    old = ordered(cpu, raw, size)
    guard let new = change(old) else { return .done }
    let stored = ordered(cpu, truncated(new, size), size)
    if kt_atomic_compare_exchange(host, size, raw, stored) {
      cpu.noteStore(address, size: size, value: stored)
      return .done
    }
  }
}

func atomicAdd(_ cpu: CPU, _ address: UInt64, _ size: UInt32, _ increment: UInt64, _ old: inout UInt64) -> Status {
  modify(cpu, address, size, &old) { $0 &+ increment }
}

func atomicExchange(_ cpu: CPU, _ address: UInt64, _ size: UInt32, _ value: UInt64, _ old: inout UInt64) -> Status {
  modify(cpu, address, size, &old) { _ in value }
}

func atomicCompareExchange(
  _ cpu: CPU, _ address: UInt64, _ size: UInt32, expected: UInt64, new: UInt64, _ old: inout UInt64
) -> Status {
  modify(cpu, address, size, &old) { $0 == expected ? new : nil }
}

/// cmp8xchg16: compares 8 bytes at an 8-byte boundary, stores 16 at the 16-byte boundary below, `first` at
/// the lower address in either byte order (SDM vol. 3).
func atomicCompareExchange16(
  _ cpu: CPU, _ address: UInt64, expected: UInt64, first: UInt64, second: UInt64, _ old: inout UInt64
) -> Status {
  guard let host = cpu.semaphorePointer(address, size: 8) else {
    return .interruptedOrStopped(cpu)
  }
  let whole = host - Int(address & 8)
  let first = ordered(cpu, first, 8), second = ordered(cpu, second, 8)
  while true {
    var pair = kt_atomic_load16(whole)
    let raw = address & 8 == 0 ? pair.first : pair.second
    old = ordered(cpu, raw, 8)
    if old != expected { return .done }
    if kt_atomic_compare_exchange16(whole, &pair, kt_pair(first: first, second: second)) {
      cpu.noteStore(address & ~15, size: 8, value: first)
      cpu.noteStore(address & ~15 | 8, size: 8, value: second)
      return .done
    }
  }
}
