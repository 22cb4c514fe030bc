// The layout that emitted code, C and Swift agree on.
import CSupport
import Testing

import Machine

@Suite struct LayoutTests {
  @Test func hotFieldsLieWhereEmittedCodeReachesThem() {
    #expect(MemoryLayout<kt_cpu>.offset(of: \.gr) == 0)
    #expect(MemoryLayout<kt_cpu>.offset(of: \.frame) == 256)
    #expect(MemoryLayout<kt_cpu>.offset(of: \.pr)! % 64 == 0)
    #expect(MemoryLayout<kt_fr>.stride == 16)
    #expect(MemoryLayout<kt_stlb_line>.stride == 32)
    #expect(kt_architectural_size() == MemoryLayout<kt_cpu>.offset(of: \.derived))
  }

  /// cpuid[4]: brl, 16-byte atomics, clz, mpy4 (SDM vol. 1, 3.1.11), all of which there are.
  @Test func identificationNamesWhatThereIs() throws {
    let machine = try Machine(ramSize: 1 << 16)
    withExtendedLifetime(machine) { #expect(kt_cpuid(machine.cpus[0])[4] == 0x3_0000_0005) }
  }

  @Test func ringWrapsWithoutSeam() throws {
    let machine = try Machine(ramSize: 1 << 16)
    let cpu = machine.cpus[0]
    cpu.setFrame(bottom: Int64(KT_RING_REGISTERS) - 1)
    cpu.pointee.frame[1] = 77
    #expect(cpu.pointee.ring[0] == 77)
    cpu.setFrame(bottom: -1)
    #expect(cpu.pointee.frame[1] == 77)
  }
}
