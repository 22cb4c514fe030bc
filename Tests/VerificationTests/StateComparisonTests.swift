// State comparison: what counts as equal, and the names of what differs.
import CSupport
import Machine
import Testing

import Verification

@Suite struct StateComparisonTests {
  private func pair() throws -> (Machine, Machine) { (try Machine(ramSize: 1 << 16), try Machine(ramSize: 1 << 16)) }

  @Test func freshMachinesAreEqual() throws {
    let (a, b) = try pair()
    #expect(StateComparison.differences(a.cpus[0], b.cpus[0]).isEmpty)
  }

  @Test func everyKindOfFieldIsNamed() throws {
    let (a, b) = try pair()
    let x = a.cpus[0], y = b.cpus[0]
    for cpu in [x, y] { _ = cpu.rseAlloc(sof: 8, sol: 4, sor: 0) }
    y.writeGR(9, 5)
    y.writeGR(33, 6)
    y.writePR(6, true)
    y.branches[7] = 0x1230
    y.pointee.ar_lc = 3
    y.pointee.cr_iva = 0x8000
    kt_region_registers(y)[2] = 0x30
    y.setNaT(34)
    kt_dtr(y)[1] = kt_translation(va: 0x4000, pte: 0x661, rid: 7, key: 0, ps: 14, valid: 1, reserved: (0, 0, 0, 0, 0, 0))
    let names = StateComparison.differences(x, y).map(\.name)
    #expect(names == [
      "r9", "r33", "nat.r34", "p6", "b7", "ar.lc", "cr.iva", "rr[2]", "dtr[1] va", "dtr[1] pte", "dtr[1] rid and key",
      "dtr[1] page size",
    ])
  }

  @Test func packedDoubleEqualsItsCanonicalForm() throws {
    let (a, b) = try pair()
    // −1.5: sign, exponent 0xffff (unbiased 0), significand 1.1 binary.
    a.cpus[0].floats[5] = kt_fr(significand: (-1.5).bitPattern, sign_exponent: KT_FR_PACKED_DOUBLE)
    b.cpus[0].floats[5] = kt_fr(significand: 3 << 62, sign_exponent: 0x2ffff)
    #expect(StateComparison.differences(a.cpus[0], b.cpus[0]).isEmpty)
    b.cpus[0].floats[5].significand |= 1
    let found = StateComparison.differences(a.cpus[0], b.cpus[0])
    #expect(found.map(\.description) == ["f5 2ffff:c000000000000000 / 2ffff:c000000000000001"])
  }

  @Test func renamedRegistersHaveTheirNumbersBeforeRenaming() throws {
    let (a, b) = try pair()
    for machine in [a, b] {
      let cpu = machine.cpus[0]
      _ = cpu.rseAlloc(sof: 24, sol: 24, sor: 16)
      cpu.pointee.cfm |= 3 << 18 | 5 << 25 | 7 << 32
    }
    let cpu = b.cpus[0]
    cpu.writeGR(40, 1)
    cpu.writePR(20, true)
    cpu.floats[cpu.physicalFR(40)] = kt_fr(significand: 1 << 63, sign_exponent: 0xffff)
    #expect(StateComparison.differences(a.cpus[0], cpu).map(\.name) == ["r40", "p20", "f40"])
  }

  @Test func whatIsDerivedDoesNotCount() throws {
    let (a, b) = try pair()
    b.cpus[0].pointee.event_check = 1
    b.cpus[0].pointee.nat_live = 1
    b.cpus[0].pointee.fetch_generation += 5
    // An invalid entry's other fields mean nothing.
    kt_itc(b.cpus[0])[3].va = 0x1000
    #expect(StateComparison.differences(a.cpus[0], b.cpus[0]).isEmpty)
  }

  @Test func deadRegistersBeyondTheFrameDoNotCount() throws {
    let (a, b) = try pair()
    for cpu in [a.cpus[0], b.cpus[0]] { _ = cpu.rseAlloc(sof: 4, sol: 4, sor: 0) }
    b.cpus[0].pointee.frame[4] = 99
    #expect(StateComparison.differences(a.cpus[0], b.cpus[0]).isEmpty)
    b.cpus[0].pointee.frame[3] = 99
    #expect(StateComparison.differences(a.cpus[0], b.cpus[0]).map(\.name) == ["r35"])
  }

  @Test func everyWordHasAMeaning() {
    // 3 + 32 + 98 + 1 + 1 + 8, 16 ar + 8 k − …: counted from the capture itself.
    let machine = try! Machine(ramSize: 4096)
    var words = [UInt64](repeating: 0xdead_beef_dead_beef, count: StateImage.allWords + 1)
    words.withUnsafeMutableBufferPointer {
      StateImage.capture(machine.cpus[0], into: $0.baseAddress!, translations: true)
    }
    #expect(words[StateImage.allWords] == 0xdead_beef_dead_beef)
    #expect(!words[..<StateImage.allWords].contains(0xdead_beef_dead_beef))
  }
}
