// The structures of paravirt_ops: against Linux's member order, a C compiler's layout, and what kernels hold.
import Foundation
import Machine
import Paravirt
import Testing

@Suite struct StructureTests {
  /// Offsets as Linux 3.10's headers give them for LP64.
  @Test func offsets() {
    #expect(PvInfo.allCases.map(\.layoutOffset) == [0, 4, 8] && PvInfo.structureSize == 16)
    #expect(PvInitOps.allCases.map(\.layoutOffset) == [0, 8, 16, 24, 32, 40, 48, 56, 64])
    #expect(PvInitOps.structureSize == 72)
    #expect(Operation.structureSize == 112)
    for operation in Operation.allCases { #expect(operation.layoutOffset == operation.offset) }
    #expect(Operation.irqRestore.layoutOffset == 0x68 && Operation.setRR0ToRR4.layoutOffset == 0x48)
    #expect(PvCPUAsmSwitch.structureSize == 32 && PvIOSAPICOps.structureSize == 32)
    #expect(PvIRQOps.structureSize == 40 && PvTimeOps.structureSize == 32)
    #expect(PvFsysData.structureSize == 16 && PvPatchData.structureSize == 72)
    #expect(PvPatchData.endMcKinleyE9.layoutOffset == 7 * 8)
  }

  @Test func valuesGoInAndOut() throws {
    var info = GuestStructure<PvInfo>()
    info[.kernelRPL] = 2
    info[.paravirtEnabled] = UInt64(bitPattern: -1)
    info[.hypervisor] = 0xa000_0001_0000_1234
    #expect(info.bytes == bytes("02000000 ffffffff 34120000 010000a0"))
    #expect(info.bytes.withUnsafeBytes { GuestStructure<PvInfo>($0) } == info)
    #expect([UInt8](repeating: 0, count: 15).withUnsafeBytes { GuestStructure<PvInfo>($0) } == nil)
  }

  /// The compiler's own offsets and sizes, of the embedded kernel's header and of the two structures it does not have.
  @Test func agreesWithACCompiler() throws {
    var source = """
      #include "paravirt.h"
      struct pv_fsys_data { unsigned long *fsyscall_table; void *fsys_bubble_down; };
      struct pv_patchdata {
        unsigned long start_fsyscall_patchlist, end_fsyscall_patchlist, start_brl_fsys_bubble_down_patchlist,
          end_brl_fsys_bubble_down_patchlist, start_vtop_patchlist, end_vtop_patchlist, start_mckinley_e9_patchlist,
          end_mckinley_e9_patchlist;
        void *gate_section;
      };

      """
    func add<Member: StructureMember>(_ type: Member.Type) {
      for member in type.allCases {
        source += "_Static_assert(__builtin_offsetof(struct \(type.structure), \(member.name)) == "
          + "\(member.layoutOffset), \"\(member.name)\");\n"
      }
      source += "_Static_assert(sizeof(struct \(type.structure)) == \(type.structureSize), \"\(type.structure)\");\n"
    }
    add(PvInfo.self)
    add(PvInitOps.self)
    add(Operation.self)
    add(PvCPUAsmSwitch.self)
    add(PvIOSAPICOps.self)
    add(PvIRQOps.self)
    add(PvTimeOps.self)
    add(PvFsysData.self)
    add(PvPatchData.self)
    let includes = packageFolder.appendingPathComponent("Guests/pvkernel")
    guard let complaints = try CrossTools.complaints(about: source, includes: includes) else { return }
    #expect(complaints.isEmpty, "\(complaints)")
    // And it would complain.
    source += "_Static_assert(sizeof(struct pv_info) == 12, \"pv_info\");\n"
    #expect(try CrossTools.complaints(about: source, includes: includes)?.isEmpty == false)
  }

  private func embedded() throws -> ParavirtImage {
    try ParavirtImage(ELFImage(bytes: readFile(packageFolder.appendingPathComponent("Guests/pvkernel/pvkernel.elf").path)))
  }

  @Test func symbolsHaveTheStructuresSizes() throws {
    let kernel = try embedded()
    func check<Member: StructureMember>(_ type: Member.Type) {
      #expect(kernel.symbols.symbol(named: type.structure)?.size == type.structureSize, "\(type.structure)")
    }
    check(PvInfo.self)
    check(PvInitOps.self)
    check(Operation.self)
    check(PvIOSAPICOps.self)
    check(PvIRQOps.self)
    check(PvTimeOps.self)
  }

  @Test func readsTheEmbeddedKernelsTables() throws {
    let kernel = try embedded()
    let initial = try #require(kernel.structure(PvInitOps.self))
    #expect(initial[.banner] == 0 && initial[.patchInstruction] == 0)
    let patch = try #require(kernel.function(descriptor: initial[.patchBundle]))
    #expect(kernel.symbols.describe(patch.entry) == "ia64_native_patch_bundle")
    #expect(patch.gp == kernel.symbols.value(of: "__gp"))
    let info = try #require(kernel.structure(PvInfo.self))
    #expect(info[.kernelRPL] == 0 && info[.paravirtEnabled] == 0 && info[.hypervisor] != 0)
    for member in PvCPUAsmSwitch.allCases {
      #expect(kernel.word(member.targetVariable) == kernel.symbols.value(of: "ia64_native_" + member.name))
    }
    #expect(kernel.structure(PvPatchData.self) == nil)
    let entries = kernel.tableEntries()
    #expect(entries.count == 3 + 9 + 14 + 4 + 5 + 4 + 4)
    #expect(entries.first { $0.member == "sched_clock" }?.symbol == "ia64_native_sched_clock")
  }

  /// Every member of pv_cpu_ops names the native function of its own operation.
  @Test(arguments: ["", "linux/pv/vmlinux"]) func membersNameTheirOperations(name: String) throws {
    let path = name.isEmpty ? packageFolder.appendingPathComponent("Guests/pvkernel/pvkernel.elf").path : GuestFiles.path(name)
    guard let path else { return }
    let kernel = try ParavirtImage(ELFImage(bytes: readFile(path)))
    let operations = try #require(kernel.structure(Operation.self))
    for operation in Operation.allCases {
      let function = try #require(kernel.function(descriptor: operations[operation]))
      let named = kernel.symbols.symbols.filter { $0.value == function.entry }.map(\.name)
      #expect(named.contains("ia64_native_\(operation.name)_func"), "\(named)")
    }
  }
}
