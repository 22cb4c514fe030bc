// The register stack engine against hand-derived values (SDM vol. 2, chapter 6).
import CSupport
import Testing

import Machine

/// A machine in physical mode whose backing store starts at `base`.
private func machine(backingStore base: UInt64) throws -> (Machine, CPU) {
  let machine = try Machine(ramSize: 1 << 20)
  let cpu = machine.cpus[0]
  cpu.pointee.ar_bspstore = base
  return (machine, cpu)
}

@Suite struct RegisterStackTests {
  @Test func addressesStepOverCollections() {
    // 63 registers fill the words 0…62 of a 512-byte group; word 63 is the RNAT collection.
    #expect(skipRegisters(0x1000, 1) == 0x1008)
    #expect(skipRegisters(0x1000, 63) == 0x1200)
    #expect(skipRegisters(0x11f0, 1) == 0x1200)
    #expect(skipRegisters(0x1200, -1) == 0x11f0)
    #expect(skipRegisters(0x1200, -63) == 0x1000)
    for start in stride(from: 0x4000 as UInt64, to: 0x4400, by: 8) where !isCollectionAddress(start) {
      for count in 0...200 as ClosedRange<Int64> {
        // The same by counting word for word.
        var address = start, left = count
        while left > 0 { address += 8; if !isCollectionAddress(address) { left -= 1 } }
        #expect(skipRegisters(start, count) == address)
        #expect(skipRegisters(address, -count) == start)
        #expect(registersBetween(start, address) == count)
      }
    }
  }

  @Test func callsAndReturnsMoveTheFrame() throws {
    let (machine, cpu) = try machine(backingStore: 0x8000)
    withExtendedLifetime(machine) {
      #expect(cpu.rseAlloc(sof: 10, sol: 6, sor: 0) == .done)
      for n in 32..<42 { cpu.writeGR(n, UInt64(n)) }
      cpu.rseCall()
      #expect(cpu.sof == 4)
      #expect(cpu.readGR(32) == 38)
      #expect(cpu.readBSP() == 0x8000 + 6 * 8)
      cpu.rseReturn()
      #expect(cpu.sof == 10 && cpu.sol == 6)
      #expect(cpu.readGR(32) == 32)
    }
  }

  /// Two hundred nested calls with twenty locals each: far more than 96 registers, so most of them go to memory and come
  /// back, NaT bits through the collections included.
  @Test func deepCallsSpillAndFill() throws {
    let (machine, cpu) = try machine(backingStore: 0x8000)
    try withExtendedLifetime(machine) {
      var saved: [UInt64] = []
      for depth in 0..<200 as Range<UInt64> {
        #expect(cpu.rseAlloc(sof: 24, sol: 20, sor: 0) == .done)
        for n in 32..<52 { cpu.writeGR(n, depth << 8 | UInt64(n), nat: (Int(depth) + n) % 7 == 0) }
        saved.append(cpu.pointee.ar_pfs)
        cpu.rseCall()
      }
      // Nothing but the physical registers may hold values: what was stored stands in memory.
      #expect(cpu.pointee.store_position > 3800)
      let first = try #require(machine.host(physical: 0x8000, length: 8)).load(as: UInt64.self)
      #expect(first == 32)
      for depth in (0..<200 as Range<UInt64>).reversed() {
        cpu.rseReturn()
        if cpu.pointee.frame_incomplete != 0 { #expect(cpu.rseCompleteFrame() == .done) }
        for n in 32..<52 {
          let isNaT = (Int(depth) + n) % 7 == 0
          #expect(cpu.readGR(n) == depth << 8 | UInt64(n))
          #expect(cpu.readNaT(n) == isNaT, "depth \(depth) r\(n)")
        }
        cpu.pointee.ar_pfs = saved[Int(depth)]
      }
      #expect(cpu.readBSP() == 0x8000)
    }
  }

  @Test func flushAndLoadKeepWhatTheyShould() throws {
    let (machine, cpu) = try machine(backingStore: 0x81e0)
    withExtendedLifetime(machine) {
      _ = cpu.rseAlloc(sof: 40, sol: 40, sor: 0)
      for n in 32..<72 { cpu.writeGR(n, UInt64(n) * 3) }
      cpu.rseCall()
      #expect(cpu.rseFlush() == .done)
      #expect(cpu.pointee.ar_bspstore == cpu.readBSP())
      let bsp = cpu.readBSP()
      #expect(bsp == 0x81e0 + 41 * 8)  // forty registers and the collection at 0x81f8
      // Ask for the top ten registers back as dirty.
      cpu.pointee.ar_rsc = 10 * 8 << 16
      #expect(cpu.rseLoad() == .done)
      #expect(cpu.pointee.bof - cpu.pointee.store_position == 10)
      #expect(cpu.pointee.ar_bspstore == bsp - 80)
      #expect(cpu.readBSP() == bsp)
    }
  }

  /// After a flush, a return makes the caller's registers current again; what it writes to them must reach memory with
  /// the next flush, and ar.bspstore never stands above ar.bsp.
  @Test func registersChangedAfterAFlushAreDirty() throws {
    let (machine, cpu) = try machine(backingStore: 0x8000)
    withExtendedLifetime(machine) {
      _ = cpu.rseAlloc(sof: 8, sol: 6, sor: 0)
      for n in 32..<38 { cpu.writeGR(n, UInt64(n)) }
      cpu.rseCall()
      #expect(cpu.rseFlush() == .done)
      cpu.rseReturn()
      if cpu.pointee.frame_incomplete != 0 { #expect(cpu.rseCompleteFrame() == .done) }
      #expect(cpu.pointee.ar_bspstore == 0x8000 && cpu.readBSP() == 0x8000)
      #expect((32..<38).allSatisfy { cpu.readGR($0) == UInt64($0) })
      cpu.writeGR(33, 0x1234)
      cpu.rseCall()
      #expect(cpu.rseFlush() == .done)
      #expect(machine.host(physical: 0x8008, length: 8)?.load(as: UInt64.self) == 0x1234)
    }
  }

  @Test func allocatedRegistersStartWithoutNaT() throws {
    let (machine, cpu) = try machine(backingStore: 0x8000)
    withExtendedLifetime(machine) {
      _ = cpu.rseAlloc(sof: 8, sol: 4, sor: 0)
      cpu.writeGR(38, 1, nat: true)
      _ = cpu.rseAlloc(sof: 4, sol: 4, sor: 0)
      _ = cpu.rseAlloc(sof: 8, sol: 4, sor: 0)
      #expect(!cpu.readNaT(38))
      #expect(cpu.pointee.ring_has_nat == 0)
    }
  }
}
