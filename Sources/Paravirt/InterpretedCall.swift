// A call site as the interpreter executes it: the bound operation through ffi_call on the signature of its slot.
import CFFI
import CSupport
import Machine

/// `kt_cpu.call_site`: executes a bound site. A kt_status, or KT_CALL_EMULATE where the site is plain guest code now.
///
/// Arguments come from r8, r9, r10, r11, r14, the result goes to r8, ip to the site's end; nothing else of the site's
/// clobber set changes. The slots of the site are the engine's to count.
package func callSite(_ cpu: CPU?, _ index: UInt32) -> Int32 {
  let cpu = cpu.unsafelyUnwrapped
  guard let sites = cpu.pointee.sites else { return KT_CALL_EMULATE }
  let table = sites.assumingMemoryBound(to: kt_site_table.self)
  let site = table.pointee.site + Int(index)
  guard site.pointee.bound != 0, site.pointee.dispatch != Dispatch.emulated.rawValue else { return KT_CALL_EMULATE }
  let slot = kt_operation_slots(table) + Int(site.pointee.operation)
  let arguments = Int(slot.pointee.arguments)
  // What a NaT does to an operation is the guest's code's to say.
  if cpu.pointee.nat_live != 0, anyNaT(cpu, arguments) { return KT_CALL_EMULATE }
  let callable =
    site.pointee.dispatch == Dispatch.indirect.rawValue ? slot.pointee.indirect : slot.pointee.direct
  guard let callable else { return KT_CALL_EMULATE }

  cpu.pointee.ip = site.pointee.start
  cpu.pointee.ri = 0
  kt_site_count_call(site)
  let result = call(callable, slot.pointee.cif, cpu, arguments)
  if kt_site_left(cpu, site) { return cpu.pointee.is_process != 0 ? Status.stopped : Status.interrupted }
  if slot.pointee.has_result != 0 { cpu.writeGR(Operation.resultRegister, result) }
  cpu.pointee.ip = site.pointee.end
  return Status.branched
}

private func anyNaT(_ cpu: CPU, _ arguments: Int) -> Bool {
  Operation.argumentRegisters.prefix(arguments).contains { cpu.readNaT($0) }
}

private func call(_ callable: kt_callable, _ cif: UnsafeMutableRawPointer?, _ cpu: CPU, _ arguments: Int) -> UInt64 {
  let registers = cpu.staticGR
  var processor: UnsafeMutableRawPointer? = UnsafeMutableRawPointer(cpu)
  var result: UInt64 = 0
  withUnsafeMutablePointer(to: &processor) { processor in
    withUnsafeTemporaryAllocation(of: UnsafeMutableRawPointer?.self, capacity: 6) { values in
      values[0] = UnsafeMutableRawPointer(processor)
      // The registers themselves are the argument memory: ffi_call copies them before the callable runs.
      values[1] = UnsafeMutableRawPointer(registers + 8)
      values[2] = UnsafeMutableRawPointer(registers + 9)
      values[3] = UnsafeMutableRawPointer(registers + 10)
      values[4] = UnsafeMutableRawPointer(registers + 11)
      values[5] = UnsafeMutableRawPointer(registers + 14)
      ffi_call(
        cif!.assumingMemoryBound(to: ffi_cif.self), unsafeBitCast(callable, to: (@convention(c) () -> Void).self),
        &result, values.baseAddress)
    }
  }
  return result
}

extension SiteTable {
  /// Makes a processor's engines use this table.
  package func attach(_ cpu: CPU) {
    cpu.pointee.sites = UnsafeMutableRawPointer(pointer)
    cpu.pointee.call_site = callSite
  }
}
