// Names and numbers of patch types, against Linux's asm/paravirt_privop.h and asm/ia64regs.h.
import Paravirt
import Testing

@Suite struct PatchTypeTests {
  @Test func valuesAreLinuxs() {
    // Values as the reference of the guest interface lists them.
    #expect(PatchType(name: "FC")?.rawValue == 1)
    #expect(PatchType(name: "INTRIN_LOCAL_IRQ_RESTORE")?.rawValue == 12)
    #expect(PatchType(name: "GETREG psr")?.rawValue == 0x1000_03fb)
    #expect(PatchType(name: "GETREG ar.itc")?.rawValue == 0x1000_0c2c)
    #expect(PatchType(name: "GETREG cr.ivr")?.rawValue == 0x1000_1041)
    #expect(PatchType(name: "SETREG cr.itm")?.rawValue == 0x2000_1001)
    #expect(PatchType(name: "SETREG cr.eoi")?.rawValue == 0x2000_1043)
    #expect(PatchType(name: "SETREG ar.k6")?.rawValue == 0x2000_0c06)
    #expect(PatchType(name: "BR_LEAVE_KERNEL")?.rawValue == 0x3000_0003)
    #expect(PatchType.getreg(.tp).name == "GETREG tp")
    #expect(PatchType.getreg(.tp).operation == .getreg)
    #expect(PatchType.ssmI.operation == .ssmI)
  }

  @Test func namesGoBothWays() {
    #expect(Set(PatchType.all).count == 12 + 2 * KernelRegister.all.count + 4)
    // 7 general ones, 27 application registers (k0 to ec), 26 control registers (dcr to lrr1).
    #expect(KernelRegister.all.count == 7 + 27 + 26)
    for type in PatchType.all {
      #expect(PatchType(name: type.name) == type)
      #expect(type.isKnown)
    }
  }

  @Test(arguments: [0, 13, 0x1000_0000, 0x1000_0bff, 0x2000_0c08, 0x3000_0004, 0x4000_0001, 0xffff_ffff] as [UInt32])
  func unknownTypesAreUnknown(value: UInt32) {
    let type = PatchType(rawValue: value)
    #expect(!type.isKnown)
    #expect(type.name == "0x" + String(value, radix: 16))
  }

  @Test func operationsStandWhereLinuxPutsThem() {
    let offsets: [(Operation, UInt64)] = [
      (.fc, 0), (.thash, 8), (.getCPUID, 0x10), (.getPMD, 0x18), (.getreg, 0x20), (.setreg, 0x28), (.ptcga, 0x30),
      (.getRR, 0x38), (.setRR, 0x40), (.setRR0ToRR4, 0x48), (.ssmI, 0x50), (.rsmI, 0x58), (.getPSRI, 0x60),
      (.irqRestore, 0x68),
    ]
    #expect(offsets.count == Operation.allCases.count)
    for (operation, offset) in offsets {
      #expect(operation.offset == offset)
      #expect(Operation(name: operation.name) == operation)
    }
  }
}
