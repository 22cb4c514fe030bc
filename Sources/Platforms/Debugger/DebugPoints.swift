// Where a debugger wants the guest to stop. A breakpoint is a break instruction in the slot, in memory, so that code runs
// at its full speed; watchpoints are the processor's data breakpoint registers.
import CSupport
import Glibc
import IA64
import Machine

final class DebugPoints {
  private struct Site {
    var original: InstructionBundle
    var slots: Set<Int> = []

    /// With the break instructions: the immediate is gdb's own.
    var patched: InstructionBundle {
      var bundle = original
      // The second part of a long instruction has its opcode in slot 2.
      for slot in slots { bundle[bundle.template.isLong && slot > 0 ? 2 : slot] = 0xcccc << 6 }
      return bundle
    }
  }

  private struct Watch: Equatable {
    var address, length: UInt64
    var kinds: Access
  }

  private unowned let target: any DebugTarget
  private var sites: [UInt64: Site] = [:]
  private var watches: [Watch] = []

  init(_ target: any DebugTarget) { self.target = target }

  // MARK: Breakpoints

  /// `address` has the slot in its low bits.
  func setBreakpoint(_ address: UInt64, _ inserts: Bool) -> Bool {
    let place = address & ~15
    guard address & 15 < 3, var site = sites[place] ?? bundle(place).map({ Site(original: $0) }) else { return false }
    let slot = site.original.template.isLong ? min(1, Int(address & 15)) : Int(address & 15)
    if inserts { site.slots.insert(slot) } else { site.slots.remove(slot) }
    guard put(site.patched, place) else { return false }
    sites[place] = site.slots.isEmpty ? nil : site
    return true
  }

  func holdsBreakpoint(_ cpu: CPU) -> Bool { sites[cpu.pointee.ip]?.slots.contains(Int(cpu.pointee.ri)) ?? false }

  private func bundle(_ place: UInt64) -> InstructionBundle? {
    let bytes = target.debugRead(place, 16)
    return bytes.count == 16 ? bytes.withUnsafeBytes { InstructionBundle(loadingFrom: $0.baseAddress!) } : nil
  }

  private static func bytes(_ bundle: InstructionBundle) -> [UInt8] {
    [bundle.low.littleEndian, bundle.high.littleEndian].withUnsafeBytes { Array($0) }
  }

  private func put(_ bundle: InstructionBundle, _ place: UInt64) -> Bool {
    target.debugWrite(Self.bytes(bundle), to: place)
  }

  /// What memory held at `address` without the break instructions.
  func original(_ bytes: [UInt8], at address: UInt64) -> [UInt8] {
    guard !sites.isEmpty else { return bytes }
    return bytes.enumerated().map { index, byte in
      let place = address &+ UInt64(index)
      guard let site = sites[place & ~15] else { return byte }
      return Self.bytes(site.original)[Int(place & 15)]
    }
  }

  /// Writes beneath the break instructions.
  func write(_ bytes: [UInt8], at address: UInt64) -> Bool {
    let last = address &+ UInt64(bytes.count - 1)
    let touched = sites.filter { $0.key <= last && $0.key + 15 >= address }
    for (place, site) in touched { _ = put(site.original, place) }
    let isDone = target.debugWrite(bytes, to: address)
    for (place, var site) in touched {
      if let bundle = bundle(place) { site.original = bundle }
      sites[place] = site
      _ = put(site.patched, place)
    }
    return isDone
  }

  // MARK: Watchpoints

  func setWatchpoint(_ address: UInt64, _ length: UInt64, _ kinds: Access, _ inserts: Bool) -> Bool {
    let watch = Watch(address: address, length: max(1, length), kinds: kinds)
    let before = watches
    if inserts {
      watches.append(watch)
    } else if let index = watches.firstIndex(of: watch) {
      watches.remove(at: index)
    }
    if setRegisters() { return true }
    watches = before
    _ = setRegisters()
    return false
  }

  /// The name of the stop for an access at `address`: of a watchpoint for what the access does.
  func watchName(_ address: UInt64, isWrite: Bool) -> String {
    let met = watches.first { address &- $0.address < $0.length && $0.kinds.contains(isWrite ? .write : .read) }
    switch met?.kinds {
    case [.read, .write]: return "awatch"
    case .read: return "rwatch"
    default: return "watch"
    }
  }

  /// Where in a watched range an access at `address` of up to 16 bytes falls.
  func watched(_ address: UInt64) -> UInt64 {
    if watches.contains(where: { address &- $0.address < $0.length }) { return address }
    return watches.map(\.address).first { $0 &- address < 16 } ?? address
  }

  /// Gives every processor the pairs of registers for all watchpoints (SDM vol. 2, 7.1.1); false where eight don't do.
  private func setRegisters() -> Bool {
    var pairs: [(UInt64, UInt64)] = []
    for watch in watches {
      var place = watch.address, rest = watch.length
      while rest > 0 {
        // The largest aligned power of two that begins here.
        let aligned = place == 0 ? 1 << 32 : place & (0 &- place)
        let size = min(aligned, 1 << UInt64(63 - rest.leadingZeroBitCount))
        pairs.append((place, (0 &- size) & (1 << 56 - 1) | Self.control(watch.kinds)))
        if pairs.count > 8 { return false }
        place &+= size
        rest -= size
      }
    }
    for thread in target.debuggedThreads { Self.set(thread.cpu, pairs) }
    return true
  }

  /// For every privilege level.
  private static func control(_ kinds: Access) -> UInt64 {
    0xf << 56 | (kinds.contains(.read) ? 1 << 63 : 0) | (kinds.contains(.write) ? 1 << 62 : 0)
  }

  private static func set(_ cpu: CPU, _ pairs: [(UInt64, UInt64)]) {
    let registers = kt_data_breakpoints(cpu)
    for index in 0..<8 {
      registers[2 * index] = index < pairs.count ? pairs[index].0 : 0
      registers[2 * index + 1] = index < pairs.count ? pairs[index].1 : 0
    }
    cpu.setPSR(pairs.isEmpty ? cpu.pointee.psr & ~PSR.db : cpu.pointee.psr | PSR.db)
  }

  func removeAll() {
    for (place, site) in sites { _ = put(site.original, place) }
    sites = [:]
    watches = []
    _ = setRegisters()
  }
}
