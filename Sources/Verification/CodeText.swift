// The guest code at a difference, as text, and the operation whose call site it is.
import CSupport
import IA64
import Machine
import Paravirt

enum CodeText {
  /// Lines of a block at most.
  private static let limit = 64

  /// Adds to a difference what stands at its address.
  static func describe(_ divergence: inout Divergence, _ machine: Machine) {
    let cpu = machine.cpus[divergence.processor]
    let slots = Int(min(divergence.endSlots &- divergence.startSlots, UInt64(limit)))
    divergence.code = lines(cpu, divergence.start, count: slots)
    // Of several sites the last: it is what the shortest differing beginning of a block ends with.
    var address = lastBundle(divergence.start, slots)
    while divergence.operation == nil && address >= divergence.start & ~15 {
      divergence.operation = operation(cpu, address)
      address &-= 16
    }
  }

  /// The bundle in which the last of `slots` instructions from `start` on stands, if all are of three slots.
  private static func lastBundle(_ start: UInt64, _ slots: Int) -> UInt64 {
    (start & ~15) &+ ((start & 3) &+ UInt64(max(1, slots)) &- 1) / 3 * 16
  }

  /// The operation of the bound site that holds `address`.
  private static func operation(_ cpu: CPU, _ address: UInt64) -> String? {
    guard let table = cpu.pointee.sites?.assumingMemoryBound(to: kt_site_table.self), let sites = table.pointee.site
    else { return nil }
    for index in 0..<Int(table.pointee.count) {
      let site = sites[index]
      guard site.bound != 0, address & ~15 >= site.start, address & ~15 < site.end else { continue }
      return Operation(rawValue: site.operation)?.name
    }
    return nil
  }

  /// `count` instructions from `start` on, a line each: address and slot, predicate, mnemonic, operands.
  private static func lines(_ cpu: CPU, _ start: UInt64, count: Int) -> [String] {
    var result: [String] = []
    var bundle = start & ~15, slot = Int(start & 3)
    while result.count < max(1, count) {
      guard let host = host(cpu, bundle) else {
        result.append("\(hexadecimal(bundle)): not mapped for execution")
        break
      }
      let decoded = Decoder.decode(InstructionBundle(loadingFrom: host))
      while slot < decoded.count && result.count < max(1, count) {
        let text = Disassembler.text(decoded[slot], at: bundle)
        result.append("\(hexadecimal(bundle, digits: 16)) slot \(slot)  [\(decoded.template.name)] \(text)")
        slot += 1
      }
      bundle &+= 16
      slot = 0
    }
    return result
  }

  /// Host address of the bundle at `ip`, found without a fault.
  static func host(_ cpu: CPU, _ ip: UInt64) -> UnsafeRawPointer? {
    if cpu.pointee.is_process != 0 {
      return cpu.machine.processMemory?.page(at: ip).map { UnsafeRawPointer($0.host) + Int(ip & 0xfff) }
    }
    let physical = cpu.pointee.psr & PSR.it == 0 ? ip & ~(1 << 63) : translated(cpu, ip)
    return physical.flatMap { cpu.machine.host(physical: $0, length: 16) }.map { UnsafeRawPointer($0) }
  }

  private static func translated(_ cpu: CPU, _ va: UInt64) -> UInt64? {
    let rid = UInt32(truncatingIfNeeded: kt_region_registers(cpu)[Int(va >> 61)] >> 8 & 0xff_ffff)
    for (entries, count) in [(kt_itr(cpu), Int(KT_ITR_COUNT)), (kt_itc(cpu), Int(KT_ITC_COUNT))] {
      for index in 0..<count {
        let entry = entries[index]
        let mask = (UInt64(1) << UInt64(entry.ps)) - 1
        guard entry.valid != 0, entry.rid == rid, va & ~mask == entry.va & ~mask else { continue }
        let frame = entry.pte & 0x3_ffff_ffff_f000
        return frame & ~mask | va & mask
      }
    }
    return nil
  }
}
