// Memory accesses that are not one load or store of 1, 2, 4 or 8 bytes: 10- and 16-byte floating-point formats,
// 16-byte integers, and read-modify-write (SDM vol. 1, 4.4.7, 5.3).
import CSupport
import IA64
import Machine

@inline(__always)
private func isBigEndian(_ cpu: CPU) -> Bool { cpu.pointee.psr & PSR.be != 0 }

/// The alignment check of an access wider than the machine's loads: only psr.ac asks for it.
@inline(__always)
private func misaligned(_ cpu: CPU, _ address: UInt64) -> Bool {
  address & 15 != 0 && cpu.pointee.psr & PSR.ac != 0
}

/// The fault of a misaligned access: what translation has against it comes first.
@inline(never)
private func misalignedFault(_ cpu: CPU, _ address: UInt64, _ flags: UInt32) -> Status {
  let wanted: Access = flags & UInt32(KT_ACCESS_WRITE) != 0 ? .write : .read
  if cpu.resolve(address, wanted, flags: flags) == nil { return cpu.takeDeferral() }
  return cpu.unalignedReference(address, flags: flags)
}

/// 16 bytes in two words: `low` the less significant. Also pairs of 8 bytes.
func loadSpill(_ cpu: CPU, _ address: UInt64, _ flags: UInt32, _ low: inout UInt64, _ high: inout UInt64) -> Status {
  if misaligned(cpu, address) { return misalignedFault(cpu, address, flags) }
  var first: UInt64 = 0, second: UInt64 = 0
  var status = cpu.load(address, size: 8, flags: flags, &first)
  if status != .done { return status }
  status = cpu.load(address &+ 8, size: 8, flags: flags, &second)
  if status != .done { return status }
  low = isBigEndian(cpu) ? second : first
  high = isBigEndian(cpu) ? first : second
  return .done
}

func storeSpill(_ cpu: CPU, _ address: UInt64, _ low: UInt64, _ high: UInt64) -> Status {
  if misaligned(cpu, address) { return misalignedFault(cpu, address, UInt32(KT_ACCESS_WRITE)) }
  if !isReachable(cpu, address, length: 16) { return .interruptedOrStopped(cpu) }
  let big = isBigEndian(cpu)
  let status = cpu.store(address, size: 8, big ? high : low)
  return status != .done ? status : cpu.store(address &+ 8, size: 8, big ? low : high)
}

/// 10 bytes: the significand, and sign with exponent in 16 bits.
func loadExtended(
  _ cpu: CPU, _ address: UInt64, _ flags: UInt32, _ significand: inout UInt64, _ signExponent: inout UInt64
) -> Status {
  if misaligned(cpu, address) { return misalignedFault(cpu, address, flags) }
  if let status = cpu.refusedByAttribute(address, .read, flags: flags) { return status }
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
  if misaligned(cpu, address) { return misalignedFault(cpu, address, UInt32(KT_ACCESS_WRITE)) }
  if let status = cpu.refusedByAttribute(address, .write, flags: 0) { return status }
  if !isReachable(cpu, address, length: 10) { return .interruptedOrStopped(cpu) }
  let big = isBigEndian(cpu)
  let status = cpu.store(big ? address &+ 2 : address, size: 8, significand)
  return status != .done ? status : cpu.store(big ? address : address &+ 8, size: 2, signExponent)
}

/// Whether all of a store that is done in pieces can be done; else the fault is delivered.
private func isReachable(_ cpu: CPU, _ address: UInt64, length: UInt64) -> Bool {
  if (address & 0xfff) &+ length <= 0x1000 { return true }
  return cpu.resolve(address, .write, flags: 0) != nil
    && cpu.resolve(address &+ length &- 1, .write, flags: 0) != nil
}

// MARK: 16-byte integers, which must be aligned

func loadWhole16(_ cpu: CPU, _ address: UInt64, _ low: inout UInt64, _ high: inout UInt64) -> Status {
  if address & 15 != 0 { return misalignedFault(cpu, address, 0) }
  if let status = cpu.refusedByAttribute(address, .read, flags: 0) { return status }
  return loadSpill(cpu, address, 0, &low, &high)
}

func storeWhole16(_ cpu: CPU, _ address: UInt64, _ low: UInt64, _ high: UInt64) -> Status {
  if address & 15 != 0 { return misalignedFault(cpu, address, UInt32(KT_ACCESS_WRITE)) }
  if let status = cpu.refusedByAttribute(address, .write, flags: 0) { return status }
  return storeSpill(cpu, address, low, high)
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
  guard let host = cpu.semaphorePointer(address, size: size, rights: [.read, .write]) else {
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

/// cmp8xchg16: compares 8 bytes at an 8-byte boundary, stores 16 at the 16-byte boundary below (SDM vol. 3).
func atomicCompareExchange16(
  _ cpu: CPU, _ address: UInt64, expected: UInt64, low: UInt64, high: UInt64, _ old: inout UInt64
) -> Status {
  guard let host = cpu.semaphorePointer(address, size: 8, rights: [.read, .write]) else {
    return .interruptedOrStopped(cpu)
  }
  let whole = host - Int(address & 8)
  let big = isBigEndian(cpu)
  let first = ordered(cpu, big ? high : low, 8), second = ordered(cpu, big ? low : high, 8)
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
