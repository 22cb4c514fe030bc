// Many synthetic call sites in memory of their own, to measure what the guest patcher takes for each.
import Machine
import Paravirt

/// Call sites in memory to measure the guest patcher on.
public final class PatchBenchmark {
  private let memory: UnsafeMutableRawBufferPointer
  private let original: [UInt8]
  private let records: [PatchRecord]
  private let patcher: GuestPatcher
  private static let base: UInt64 = 0xa000_0003_0000_0000

  /// Call sites of the embedded kernel's pv_cpu_ops, of every type that has native code in turn.
  public init(sites: Int) throws {
    let guest = try ParavirtImage(ELFImage(bytes: EmbeddedGuests.pvkernel))
    let types = PatchType.all.filter { $0.operation != nil && guest.natives[$0] != nil }
    let table = guest.table ?? 0
    let size = CallSequence.length
    records = (0..<sites).map { index in
      let start = PatchBenchmark.base + size * UInt64(index)
      return PatchRecord(kind: .bundle, index: index, start: start, end: start + size, type: types[index % types.count])
    }
    original = records.flatMap { CallSequence.bytes(member: table + ($0.type.operation?.offset ?? 0)) }
    memory = .allocate(byteCount: original.count, alignment: 16)
    memory.copyBytes(from: original)
    patcher = GuestPatcher(guest)
  }

  deinit { memory.deallocate() }

  /// Patches every site to native code; how many became so.
  public func patch() -> Int {
    let memory = memory
    var text = LiveText(
      host: { address, count in
        let offset = address &- PatchBenchmark.base
        return offset < memory.count && count <= UInt64(memory.count) - offset ? memory.baseAddress! + Int(offset) : nil
      },
      flushed: { _, _ in })
    return patcher.patch(records, in: &text).count { $0.isDone }
  }

  /// Puts the calls back.
  public func restore() { memory.copyBytes(from: original) }
}
