// ptc.g and ptc.ga reach every processor of a machine (SDM vol. 3, ptc.g).
import CSupport
import Machine
import Testing

@Suite struct PurgeTests {
  /// Two processors hold the same page; a purge by the first is seen by both, a local one by itself alone.
  @Test(arguments: [false, true]) func purgeIsGlobal(_ global: Bool) throws {
    let machine = try Machine(ramSize: 1 << 20, processors: 2)
    for cpu in machine.cpus {
      cpu.pointee.cr_itir = 14 << 2
      cpu.pointee.cr_ifa = 0x8000
      #expect(cpu.insertTranslationCache(0x661 | 0x1_0000, instruction: false) == .done)
      cpu.setPSR(cpu.pointee.psr | 1 << 17 | 1 << 13)
      var value: UInt64 = 0
      #expect(cpu.load(0x8000, size: 8, &value) == .done)
    }
    if global {
      machine.cpus[0].purgeGlobally(0x8000, size: 14 << 2, alat: true)
    } else {
      machine.cpus[0].purgeTranslationCache(0x8000, size: 14 << 2)
    }
    var value: UInt64 = 0
    #expect(machine.cpus[0].load(0x8000, size: 8, &value) == .interrupted)
    #expect(machine.cpus[1].load(0x8000, size: 8, &value) == (global ? .interrupted : .done))
  }
}
