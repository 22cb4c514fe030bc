// A machine: guest processors, the memory they share, and the devices in it. What is touched per instruction stands in
// `kt_cpu`; this class is what a processor's slow paths reach through `kt_cpu.machine`.
import CSupport
import Glibc

/// A device that answers loads and stores in a range of physical addresses.
package protocol Device: AnyObject {
  /// First physical address and length in bytes.
  var range: (base: UInt64, length: UInt64) { get }
  /// A load of `size` bytes (1, 2, 4 or 8) at `offset` from the base.
  func read(offset: UInt64, size: Int, cpu: CPU) -> UInt64
  func write(offset: UInt64, size: Int, value: UInt64, cpu: CPU)
}

/// What a Linux process's memory says of one granule: where it is on the host and what the guest may do there.
package struct ProcessPage {
  package var host: UnsafeMutableRawPointer
  package var rights: Access
  package init(host: UnsafeMutableRawPointer, rights: Access) {
    self.host = host
    self.rights = rights
  }
}

/// The memory of a Linux process. The machine asks on a software TLB miss.
package protocol ProcessMemory: AnyObject {
  /// The granule (4 KiB) that holds `va`, or nil where nothing is mapped.
  func page(at va: UInt64) -> ProcessPage?
  /// Whether the process wants to know of unaligned accesses that psr.ac refuses; else its kernel does them.
  var reportsUnaligned: Bool { get }
}

extension ProcessMemory {
  package var reportsUnaligned: Bool { false }
}

/// Kinds of access, as bits.
package struct Access: OptionSet, Sendable {
  package let rawValue: UInt8
  package init(rawValue: UInt8) { self.rawValue = rawValue }
  package static let read = Access(rawValue: 1)
  package static let write = Access(rawValue: 2)
  package static let execute = Access(rawValue: 4)
}

package enum MachineError: Error, Equatable, CustomStringConvertible {
  case outOfMemory(bytes: UInt64)
  package var description: String {
    switch self {
    case .outOfMemory(let bytes): "can't reserve \(bytes) bytes of guest memory: choose a smaller --memory"
    }
  }
}

package final class Machine {
  /// Host address of physical address 0.
  package let ram: UnsafeMutableRawPointer
  /// Bytes of RAM, a multiple of the granule.
  package let ramSize: UInt64
  package private(set) var cpus: [CPU] = []
  package private(set) var devices: [any Device] = []
  /// Set for a Linux process: virtual addresses are resolved by it and there is no RAM.
  package var processMemory: (any ProcessMemory)?
  /// Told of each interruption after it was delivered: the control registers say what it was.
  package var onInterruption: ((CPU, Vector) -> Void)?
  /// Whether a break instruction with this immediate is a call of the machine's firmware and no interruption.
  package var claimsBreak: ((CPU, UInt64) -> Bool)?
  /// Granules (physical address >> KT_GRANULE_SHIFT; in a process, virtual) that hold code an engine has derived
  /// something from. Stores to them take the slow path and are announced through `code_written`. A byte each for those
  /// of RAM; the others, a process's, in a set.
  private let codeInRAM: UnsafeMutablePointer<UInt8>
  private var codeElsewhere: Set<UInt64> = []
  /// Announced stores to each of them since it was marked.
  private var codeStores: [UInt64: Int] = [:]
  /// After so many the granule is taken for data with some code in it, and the engines forget its code.
  private static let codeStoreLimit = 64
  /// Bits of a physical address that the processor implements.
  package let physicalBits = UInt64(63 - unimplementedPhysicalBits.nonzeroBitCount)

  /// Reserves `ramSize` bytes of guest memory between guard regions and creates `processors` processors in the state of
  /// a reset.
  package init(ramSize: UInt64, processors: Int = 1, physicalStacked: UInt32 = 96) throws(MachineError) {
    let granule = UInt64(1) << UInt64(KT_GRANULE_SHIFT)
    self.ramSize = (ramSize + granule - 1) & ~(granule - 1)
    let guardSize = 32 << 20
    guard
      let area = mmap(
        nil, Int(self.ramSize) + 2 * guardSize, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0),
      area != MAP_FAILED,
      self.ramSize == 0 || mprotect(area + guardSize, Int(self.ramSize), PROT_READ | PROT_WRITE) == 0
    else { throw .outOfMemory(bytes: ramSize) }
    ram = area + guardSize
    let granules = Int(self.ramSize / granule)
    guard let marks = calloc(max(1, granules), 1) else { throw .outOfMemory(bytes: UInt64(granules)) }
    codeInRAM = marks.assumingMemoryBound(to: UInt8.self)
    for index in 0..<processors {
      guard let cpu = CPU.make(index: index, physicalStacked: physicalStacked) else {
        throw .outOfMemory(bytes: UInt64(MemoryLayout<kt_cpu>.size))
      }
      cpu.pointee.machine = Unmanaged.passUnretained(self).toOpaque()
      cpus.append(cpu)
    }
  }

  deinit {
    for cpu in cpus { cpu.destroy() }
    let guardSize = 32 << 20
    munmap(ram - guardSize, Int(ramSize) + 2 * guardSize)
    free(codeInRAM)
  }

  /// One more processor, its state that of `parent`. Not while another processor runs.
  package func addProcessor(copying parent: CPU) throws(MachineError) -> CPU {
    let index = Int(cpus.map(\.pointee.index).max()!) + 1
    guard let cpu = CPU.make(index: index, physicalStacked: parent.pointee.physical_stacked) else {
      throw .outOfMemory(bytes: UInt64(MemoryLayout<kt_cpu>.size))
    }
    cpu.copyState(of: parent)
    cpu.pointee.alat = nil
    if parent.pointee.alat != nil { try cpu.makeALAT() }
    cpus.append(cpu)
    return cpu
  }

  /// Takes a processor away for good. Not while another processor runs.
  package func removeProcessor(_ cpu: CPU) {
    cpus.removeAll { $0 == cpu }
    cpu.destroy()
  }

  package func add(_ device: any Device) { devices.append(device) }

  func device(at physical: UInt64) -> (any Device)? {
    devices.first { physical >= $0.range.base && physical - $0.range.base < $0.range.length }
  }

  /// Host address of [physical, physical + length), or nil where that is not RAM.
  package func host(physical: UInt64, length: UInt64 = 1) -> UnsafeMutableRawPointer? {
    guard physical < ramSize, length <= ramSize - physical else { return nil }
    return ram + Int(physical)
  }

  // MARK: Watched memory

  private var watches: [(first: UInt64, end: UInt64, body: () -> Void)] = []

  /// Calls `body` behind every store of a guest into [physical, physical + length). Stores to the granules it lies in take
  /// the slow path from now on.
  package func watchStores(physical: UInt64, length: UInt64, _ body: @escaping () -> Void) {
    watches.append((physical, physical + length, body))
    let shift = UInt64(KT_GRANULE_SHIFT)
    for granule in physical >> shift...(physical + length - 1) >> shift { markCode(physical: granule << shift) }
  }

  func noteStore(physical: UInt64, size: UInt64) {
    for watch in watches where physical < watch.end && physical + size > watch.first { watch.body() }
  }

  /// All memory was replaced: whoever watches a part of it looks again.
  package func noteMemoryReplaced() { for watch in watches { watch.body() } }

  private func isWatched(granule: UInt64) -> Bool {
    let shift = UInt64(KT_GRANULE_SHIFT)
    return watches.contains { $0.first >> shift <= granule && granule <= ($0.end - 1) >> shift }
  }

  // MARK: Granules with code

  package func holdsCode(_ physical: UInt64) -> Bool {
    let granule = physical >> UInt64(KT_GRANULE_SHIFT)
    return physical < ramSize ? codeInRAM[Int(granule)] != 0 : codeElsewhere.contains(granule)
  }

  private func setHoldsCode(_ granule: UInt64, _ holds: Bool) {
    if granule << UInt64(KT_GRANULE_SHIFT) < ramSize {
      codeInRAM[Int(granule)] = holds ? 1 : 0
    } else if holds {
      codeElsewhere.insert(granule)
    } else {
      codeElsewhere.remove(granule)
    }
  }

  /// An engine has derived something from the granule at `physical`: from now on stores to it are announced.
  package func markCode(physical: UInt64) {
    let granule = physical >> UInt64(KT_GRANULE_SHIFT)
    if holdsCode(physical) { return }
    setHoldsCode(granule, true)
    let base = granule << UInt64(KT_GRANULE_SHIFT)
    for cpu in cpus { cpu.forgetWritable(physical: base) }
  }

  /// What the engines must forget after a store of `size` bytes at `physical` into a granule with code: the bytes
  /// stored, or, where data and code share the granule and stores go on and on, all of it. The granule is then unmarked,
  /// so that stores are fast again until code in it is executed anew.
  func forgottenByStore(physical: UInt64, size: UInt64) -> (physical: UInt64, length: UInt64) {
    let granule = physical >> UInt64(KT_GRANULE_SHIFT)
    if isWatched(granule: granule) { return (physical, size) }
    let count = codeStores[granule, default: 0] + 1
    if count < Self.codeStoreLimit {
      codeStores[granule] = count
      return (physical, size)
    }
    codeStores[granule] = nil
    setHoldsCode(granule, false)
    return (granule << UInt64(KT_GRANULE_SHIFT), 1 << UInt64(KT_GRANULE_SHIFT))
  }
}

extension UnsafeMutablePointer where Pointee == kt_cpu {
  package var machine: Machine { Unmanaged<Machine>.fromOpaque(pointee.machine).takeUnretainedValue() }

  /// A processor in the state of a reset: physical mode, bank 1, everything else zero (nil: no memory).
  static func make(index: Int, physicalStacked: UInt32) -> CPU? {
    // A page of its own with unmapped pages around it: a wild store of emitted code faults instead of corrupting.
    let page = 4096
    let size = (MemoryLayout<kt_cpu>.size + page - 1) & ~(page - 1)
    guard let area = mmap(nil, size + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), area != MAP_FAILED,
      mprotect(area + page, size, PROT_READ | PROT_WRITE) == 0,
      let ring = kt_map_twice(Int(KT_RING_BYTES)), let nat = kt_map_twice(Int(KT_RING_REGISTERS)),
      let lines = calloc(4, MemoryLayout<kt_stlb>.size)
    else { return nil }
    let cpu = (area + page).assumingMemoryBound(to: kt_cpu.self)
    let modes = lines.assumingMemoryBound(to: kt_stlb.self)
    for mode in 0..<4 { kt_stlb_modes(cpu)[mode] = modes + mode }
    cpu.pointee.ring = ring.assumingMemoryBound(to: UInt64.self)
    cpu.pointee.ring_nat = nat.assumingMemoryBound(to: UInt8.self)
    cpu.pointee.index = UInt32(index)
    cpu.pointee.physical_stacked = physicalStacked
    cpu.pointee.load = loadSlowly
    cpu.pointee.store = storeSlowly
    // No two processors of a machine count alike: what one fetched says nothing of another's translations.
    cpu.pointee.fetch_generation = UInt64(index) << 40
    cpu.reset()
    return cpu
  }

  /// Everything of `parent` but the memory that belongs to a processor.
  fileprivate func copyState(of parent: CPU) {
    let (index, ring, ringNaT) = (pointee.index, pointee.ring, pointee.ring_nat)
    let modes = (0..<4).map { kt_stlb_modes(self)[$0] }
    pointee = parent.pointee
    (pointee.index, pointee.ring, pointee.ring_nat) = (index, ring, ringNaT)
    for mode in 0..<4 { kt_stlb_modes(self)[mode] = modes[mode] }
    memcpy(pointee.ring, parent.pointee.ring, Int(KT_RING_BYTES))
    memcpy(pointee.ring_nat, parent.pointee.ring_nat, Int(KT_RING_REGISTERS))
    setFrame(bottom: pointee.bof)
    flushSoftwareTLB()
    updateAddressing()
  }

  /// Runs `fork`, and in its child (where it gives 0) puts the ring of stacked registers into memory of its own: what
  /// is mapped twice is shared between parent and child.
  package func forking(_ fork: () -> Int32) -> Int32 {
    let ring = [UInt8](UnsafeRawBufferPointer(start: pointee.ring, count: Int(KT_RING_BYTES)))
    let nat = [UInt8](UnsafeRawBufferPointer(start: pointee.ring_nat, count: Int(KT_RING_REGISTERS)))
    let result = fork()
    guard result == 0 else { return result }
    guard kt_renew_twice(pointee.ring, ring.count, ring) == 0, kt_renew_twice(pointee.ring_nat, nat.count, nat) == 0
    else { _exit(125) }
    return 0
  }

  func destroy() {
    destroyALAT()
    kt_unmap_twice(pointee.ring, Int(KT_RING_BYTES))
    kt_unmap_twice(pointee.ring_nat, Int(KT_RING_REGISTERS))
    free(kt_stlb_modes(self)[0])
    let page = 4096
    let size = (MemoryLayout<kt_cpu>.size + page - 1) & ~(page - 1)
    munmap(UnsafeMutableRawPointer(self) - page, size + 2 * page)
  }

  /// Puts the architectural state into that of a processor handed over by firmware (Documentation/bare-machine.md).
  package func reset() {
    memset(self, 0, kt_architectural_size())
    memset(pointee.ring, 0, Int(KT_RING_BYTES))
    memset(pointee.ring_nat, 0, Int(KT_RING_REGISTERS))
    pointee.physical_stacked = pointee.physical_stacked == 0 ? 96 : pointee.physical_stacked
    pointee.psr = PSR.bn
    predicates[0] = 1
    floats[1] = kt_fr(significand: 1 << 63, sign_exponent: 0xffff)
    pointee.ar_fpsr = 0x9804_c027_0033f
    pointee.window_top = Int64(pointee.physical_stacked)
    pointee.cr_lid = UInt64(pointee.index) << 24
    pointee.cr_itv = 1 << 16
    pointee.cr_pmv = 1 << 16
    pointee.cr_cmcv = 1 << 16
    kt_lrr(self)[0] = 1 << 16
    kt_lrr(self)[1] = 1 << 16
    for region in 0..<8 { kt_region_registers(self)[region] = 14 << 2 }
    setIdentification()
    setFrame(bottom: 0)
    updateFrameLimit()
    pointee.nat_live = 0
    pointee.ring_has_nat = 0
    pointee.itm_deadline = UInt64.max
    alatClear()
    flushSoftwareTLB()
    updateAddressing()
  }

  /// cpuid[0…4] (SDM vol. 1, 3.1.11): vendor, no serial number, family 0x20, and the features this processor has: brl
  /// (bit 0), 16-byte atomics (2), clz (32), mpy4 (33); no spontaneous deferral.
  private func setIdentification() {
    let cpuid = kt_cpuid(self)
    let vendor = Array("KittsonIA64".utf8)
    for (index, byte) in vendor.enumerated() { cpuid[index >> 3] |= UInt64(byte) << UInt64(8 * (index & 7)) }
    cpuid[3] = 4 | 0 << 8 | 0 << 16 | 0x20 << 24 | 0 << 32
    cpuid[4] = 1 | 4 | 1 << 32 | 1 << 33
  }
}
