// Virtual addressing against hand-derived values (SDM vol. 2, chapter 4).
import CSupport
import Machine
import Testing

/// Page table entry: present, write-back, accessed, dirty, level 3, rights 3 (read, write, execute at every level).
private func entry(_ physical: UInt64, rights: UInt64 = 3, level: UInt64 = 3, flags: UInt64 = 1 | 1 << 5 | 1 << 6) -> UInt64 {
  flags | level << 7 | rights << 9 | physical
}

/// A machine in virtual mode at level 0 with interruption collection on.
private func virtualMachine() throws -> (Machine, CPU) {
  let machine = try Machine(ramSize: 16 << 20)
  let cpu = machine.cpus[0]
  cpu.setPSR(PSR.bn | PSR.dt | PSR.rt | PSR.it | PSR.ic)
  cpu.pointee.cr_iva = 0x10000
  return (machine, cpu)
}

/// One granule of a process, at every address.
private final class OneGranule: ProcessMemory {
  let bytes = UnsafeMutableRawPointer.allocate(byteCount: 4096, alignment: 4096)
  var reportsUnaligned = false
  init() { for index in 0..<4096 { bytes.storeBytes(of: UInt8(truncatingIfNeeded: index), toByteOffset: index, as: UInt8.self) } }
  deinit { bytes.deallocate() }
  func page(at va: UInt64) -> ProcessPage? { ProcessPage(host: bytes, rights: [.read, .write]) }
}

@Suite struct TranslationTests {
  /// Linux does a program's unaligned accesses whatever psr.ac says, unless it asked for SIGBUS or works in big-endian
  /// order; speculative ones it gives up (arch/ia64/kernel/unaligned.c).
  @Test(arguments: [(0, false, true), (8, false, true), (8, true, false), (8 | 2, false, false)] as [(UInt64, Bool, Bool)])
  func unalignedAccessesOfAProcess(_ userMask: UInt64, _ reports: Bool, _ done: Bool) throws {
    let machine = try Machine(ramSize: 1 << 16)
    let memory = OneGranule()
    memory.reportsUnaligned = reports
    machine.processMemory = memory
    let cpu = machine.cpus[0]
    cpu.pointee.is_process = 1
    cpu.setPSR(PSR.ic | PSR.dt | PSR.it | PSR.cpl | userMask)
    var value: UInt64 = 0
    #expect(cpu.load(0x1003, size: 8, &value) == (done ? .done : .stopped))
    #expect(!done || value == 0x0a09_0807_0605_0403)
    #expect(cpu.store(0x1101, size: 4, 0x1122_3344) == (done ? .done : .stopped))
    #expect(!done || memory.bytes.loadUnaligned(fromByteOffset: 0x101, as: UInt32.self) == 0x1122_3344)
    #expect(done || cpu.pointee.trap.vector == 0x5a00)
    let speculative = cpu.load(0x1003, size: 8, flags: UInt32(KT_ACCESS_SPECULATIVE), &value)
    #expect(speculative == (userMask == 0 ? .done : .deferred))
    #expect(cpu.semaphorePointer(0x1003, size: 4) == nil && cpu.pointee.trap.vector == 0x5a00)
    #expect(cpu.semaphorePointer(0x1004, size: 4) == memory.bytes + 4)
  }

  @Test func insertedTranslationServesItsWholePageAndNothingElse() throws {
    let (machine, cpu) = try virtualMachine()
    withExtendedLifetime(machine) {
      cpu.pointee.cr_ifa = 0x2000_0000_0004_0000
      cpu.pointee.cr_itir = 16 << 2
      #expect(cpu.insertTranslationCache(entry(0x20_0000), instruction: false) == .done)
      #expect(cpu.store(0x2000_0000_0004_0000, size: 8, 0x1122) == .done)
      #expect(cpu.store(0x2000_0000_0004_fff8, size: 8, 0x3344) == .done)
      #expect(machine.host(physical: 0x20_0000)?.load(as: UInt64.self) == 0x1122)
      #expect(machine.host(physical: 0x20_fff8)?.load(as: UInt64.self) == 0x3344)
      var value: UInt64 = 0
      #expect(cpu.load(0x2000_0000_0005_0000, size: 8, &value) == .interrupted)
      #expect(cpu.pointee.ip == 0x10000 + 0x1000)  // alternate data TLB: the walker is off
      #expect(cpu.pointee.cr_ifa == 0x2000_0000_0005_0000)
      #expect(cpu.pointee.cr_isr == 1 << 34)  // ISR.r
    }
  }

  @Test func purgeForgetsOnlyItsRange() throws {
    let (machine, cpu) = try virtualMachine()
    withExtendedLifetime(machine) {
      for page in 0..<4 as Range<UInt64> {
        cpu.pointee.cr_ifa = 0x4000_0000_0000_0000 + page << 14
        cpu.pointee.cr_itir = 14 << 2
        #expect(cpu.insertTranslationCache(entry(0x40_0000 + page << 14), instruction: false) == .done)
        #expect(cpu.store(cpu.pointee.cr_ifa, size: 8, page) == .done)
      }
      cpu.purgeTranslationCache(0x4000_0000_0000_4000, size: 14 << 2)
      var value: UInt64 = 0
      #expect(cpu.load(0x4000_0000_0000_0000, size: 8, &value) == .done && value == 0)
      #expect(cpu.load(0x4000_0000_0000_8000, size: 8, &value) == .done && value == 2)
      #expect(cpu.load(0x4000_0000_0000_4000, size: 8, &value) == .interrupted)
    }
  }

  /// SDM vol. 2, table 4-2, by rows: rights of levels 3, 2, 1, 0 for a page of level 1.
  @Test(arguments: [
    (0, ["", "", "r", "r"]), (1, ["", "", "rx", "rx"]), (2, ["", "", "rw", "rw"]), (3, ["", "", "rwx", "rwx"]),
    (4, ["", "", "r", "rw"]), (5, ["", "", "rx", "rwx"]), (6, ["", "", "rwx", "rw"]), (7, ["x", "x", "x", "rx"]),
  ])
  func accessRights(_ rights: Int, _ expected: [String]) throws {
    let (machine, cpu) = try virtualMachine()
    withExtendedLifetime(machine) {
      for (index, allowed) in expected.enumerated() {
        let level = UInt64(3 - index)
        for kind in ["r", "w", "x"] {
          cpu.setPSR(PSR.bn | PSR.dt | PSR.it | PSR.ic)
          cpu.purgeAllTranslationCaches()
          cpu.pointee.cr_ifa = 0x2000_0000_0000_0000
          cpu.pointee.cr_itir = 14 << 2
          for instruction in [false, true] {
            #expect(cpu.insertTranslationCache(
              entry(0x20_0000, rights: UInt64(rights), level: 1), instruction: instruction) == .done)
          }
          cpu.setPSR(cpu.pointee.psr | level << 32)
          var value: UInt64 = 0
          let done =
            switch kind {
            case "r": cpu.load(0x2000_0000_0000_0000, size: 8, &value) == .done
            case "w": cpu.store(0x2000_0000_0000_0000, size: 8, 1) == .done
            default: cpu.resolveFetch(0x2000_0000_0000_0000) != nil
            }
          #expect(done == allowed.contains(kind), "rights \(rights) level \(level) \(kind)")
        }
      }
    }
  }

  /// Short-format hash: region kept, the page number times eight within the table's size.
  @Test func shortFormatHash() throws {
    let (machine, cpu) = try virtualMachine()
    withExtendedLifetime(machine) {
      cpu.pointee.cr_pta = 0x1ffc_0000_0000_00c9  // ve, size 2^50, base 0x1ffc000000000000
      for region in 0..<8 { kt_region_registers(cpu)[region] = 14 << 2 | 1 }
      #expect(cpu.hashAddress(0x2000_0000_0001_2345) == 0x3ffc_0000_0000_0020)
      #expect(cpu.hashAddress(0xa000_0001_0000_0000) == 0xbffc_0000_0020_0000)
    }
  }

  /// An emptied line must match no address at all, not even one with low bits set.
  @Test func emptiedLinesMatchNothing() throws {
    let (machine, cpu) = try virtualMachine()
    withExtendedLifetime(machine) {
      cpu.pointee.cr_ifa = 0x4000_0000_0000_0000
      cpu.pointee.cr_itir = 14 << 2
      #expect(cpu.insertTranslationCache(entry(0x40_0000), instruction: false) == .done)
      #expect(cpu.store(cpu.pointee.cr_ifa, size: 8, 7) == .done)  // leaves an addend behind
      cpu.purgeTranslationCache(0x4000_0000_0000_0000, size: 14 << 2)
      var value: UInt64 = 0
      for va in 0..<0x1000 as Range<UInt64> {
        for size in [1, 2, 4, 8] as [UInt32] {
          cpu.setPSR(PSR.bn | PSR.dt | PSR.it | PSR.ic)
          #expect(cpu.load(va, size: size, &value) == .interrupted, "load \(va) size \(size)")
          cpu.setPSR(PSR.bn | PSR.dt | PSR.it | PSR.ic)
          #expect(cpu.store(va, size: size, 1) == .interrupted, "store \(va) size \(size)")
        }
      }
    }
  }

  @Test func nestedMissLeavesTheRegistersAlone() throws {
    let (machine, cpu) = try virtualMachine()
    withExtendedLifetime(machine) {
      cpu.pointee.cr_iip = 0x77
      cpu.pointee.cr_ifa = 0x88
      cpu.setPSR(cpu.pointee.psr & ~PSR.ic)
      var value: UInt64 = 0
      #expect(cpu.load(0x2000_0000_0000_0000, size: 8, &value) == .interrupted)
      #expect(cpu.pointee.ip == 0x10000 + 0x1400)
      #expect(cpu.pointee.cr_iip == 0x77 && cpu.pointee.cr_ifa == 0x88)
    }
  }
}

@Suite struct ExternalInterruptTests {
  @Test func prioritiesAndTaskPriority() throws {
    let (machine, cpu) = try virtualMachine()
    withExtendedLifetime(machine) {
      cpu.raiseExternal(vector: 0x31)
      cpu.raiseExternal(vector: 0xef)
      #expect(cpu.readIVR() == 0xef)
      #expect(cpu.readIVR() == 15)  // 0x31 is below what is in service
      cpu.writeEOI()
      cpu.writeTPR(0x30)
      #expect(cpu.pointee.interrupt_ready == 0)
      cpu.writeTPR(0x20)
      #expect(cpu.readIVR() == 0x31)
      cpu.writeEOI()
      #expect(cpu.readIVR() == 15)
    }
  }

  @Test func timerFiresAtItsSlot() throws {
    let (machine, cpu) = try virtualMachine()
    withExtendedLifetime(machine) {
      cpu.pointee.virtual_clock = 1
      #expect(cpu.writeCR(CR.itv, 0xef) == .done)
      #expect(cpu.writeCR(CR.itm, 1000) == .done)
      cpu.setBudget(5000)
      #expect(cpu.pointee.budget == 1000)
      cpu.pointee.budget = 0
      #expect(cpu.readITC() == 1000)
      cpu.pollTimer()
      #expect(cpu.pointee.interrupt_ready == 1)
      #expect(cpu.readIVR() == 0xef)
    }
  }
}
