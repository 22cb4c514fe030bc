// Finds calls through pv_cpu_ops as a C compiler writes them: the address of a member from movl, from gp or from the
// global offset table, two loads, a branch register, br.call. A forward analysis of constants in each function that
// names the structure at all: a register's value is known only where every path to it agrees.
import IA64
import Machine

struct IndirectCalls {
  struct Call {
    var address: UInt64
    var slot: Int
    var operation: Operation
    var predicate: UInt8
  }

  private enum Value: Equatable {
    case constant(UInt64)
    /// The address of an operation's function descriptor, so many bytes on.
    case descriptor(Operation, UInt64)
    case entry(Operation)
  }

  /// What is known before an instruction: general registers by number, branch registers from 128 on.
  private typealias State = [UInt8: Value]

  private let image: ELFImage
  private let table: Range<UInt64>
  private let gp: UInt64?
  private let linkage: [ELFImage.Section]

  init?(_ guest: ParavirtImage) {
    guard let start = guest.table, let end = checkedEnd(start, Operation.structureSize) else { return nil }
    image = guest.image
    table = start..<end
    gp = guest.symbols.value(of: "__gp")
    linkage = guest.image.sections.filter { $0.name == ".got" && $0.hasBytes }
  }

  /// The calls in a function's bundles.
  func calls(in range: Range<UInt64>, _ bundles: [DecodedBundle]) -> [Call] {
    guard bundles.contains(where: mentionsTable) else { return [] }
    let slots = bundles.flatMap { bundle in (0..<3).map { $0 < bundle.count ? bundle[$0] : nil } }
    var states = [State?](repeating: nil, count: slots.count)
    states[0] = gp.map { [1: .constant($0)] } ?? [:]
    var work = [0]
    while let index = work.popLast() {
      guard let before = states[index] else { continue }
      let after = slots[index].map { transfer(before, $0, in: range.lowerBound + UInt64(index / 3 * 16)) } ?? before
      for next in successors(index, slots, range) {
        let merged = states[next].map { $0.filter { after[$0.key] == $0.value } } ?? after
        if states[next] != merged {
          states[next] = merged
          work.append(next)
        }
      }
    }
    return slots.indices.compactMap { index in
      guard let slot = slots[index], slot.opcode == .br_call_indirect,
        case .entry(let operation)? = states[index]?[128 + slot.r2]
      else { return nil }
      return Call(
        address: range.lowerBound + UInt64(index / 3 * 16), slot: index % 3, operation: operation, predicate: slot.qp)
    }
  }

  /// Whether a bundle has a number that leads into the structure: the cheap test that most functions fail.
  private func mentionsTable(_ bundle: DecodedBundle) -> Bool {
    (0..<bundle.count).contains { slot in
      let number = UInt64(bitPattern: bundle[slot].imm)
      switch bundle[slot].opcode {
      case .movl: return table.contains(number) || gp.map { table.contains($0 &+ number) } == true
      case .addl where bundle[slot].r3 == 1:
        guard let gp else { return false }
        return table.contains(gp &+ number) || linked(gp &+ number).map(table.contains) == true
      default: return false
      }
    }
  }

  private func successors(_ index: Int, _ slots: [Instruction?], _ range: Range<UInt64>) -> [Int] {
    var next: [Int] = []
    let instruction = slots[index]
    let flags = instruction?.flags ?? []
    var falls = true
    if let instruction, flags.contains(.branch), !isCall(instruction) {
      if flags.contains(.relative) {
        let target = range.lowerBound &+ UInt64(index / 3 * 16) &+ UInt64(bitPattern: instruction.imm)
        if range.contains(target) { next.append(Int(target - range.lowerBound) / 16 * 3) }
      }
      let isPlain = [.br_cond, .brl_cond, .br_cond_indirect, .br_ret, .rfi].contains(instruction.opcode)
      falls = !isPlain || instruction.qp != 0
    }
    if falls, index + 1 < slots.count { next.append(index + 1) }
    return next
  }

  private func isCall(_ instruction: Instruction) -> Bool {
    [.br_call, .br_call_indirect, .brl_call].contains(instruction.opcode)
  }

  private func transfer(_ before: State, _ instruction: Instruction, in address: UInt64) -> State {
    var after = before
    let flags = instruction.flags
    if isCall(instruction) {
      // What a callee need not preserve; the frame's own registers it has not seen.
      after = before.filter { $0.key >= 32 && $0.key < 128 || (4...7).contains($0.key) }
    } else if flags.contains(.branch), [.br_ctop, .br_cexit, .br_wtop, .br_wexit].contains(instruction.opcode) {
      after = before.filter { $0.key < 32 || $0.key >= 128 }
    }
    if flags.contains(.writesGR) { after[instruction.r1] = nil }
    if flags.contains(.writesBR), instruction.r1 < 8 { after[128 + instruction.r1] = nil }
    if flags.contains(.updatesBase) { after[instruction.r3] = updated(before, instruction) }
    guard instruction.qp == 0 else { return after }
    switch instruction.opcode {
    case .movl: after[instruction.r1] = .constant(UInt64(bitPattern: instruction.imm))
    case .adds, .addl: after[instruction.r1] = advanced(before[instruction.r3], by: instruction.imm)
    case .add: after[instruction.r1] = sum(before[instruction.r2], before[instruction.r3])
    case .ld8, .ld8_i: after[instruction.r1] = loaded(before[instruction.r3])
    case .mov_to_br: after[128 + instruction.r1] = before[instruction.r2]
    default: break
    }
    return after
  }

  private func updated(_ before: State, _ instruction: Instruction) -> Value? {
    guard instruction.qp == 0, instruction.opcode == .ld8_i else { return nil }
    return advanced(before[instruction.r3], by: instruction.imm)
  }

  private func advanced(_ value: Value?, by distance: Int64) -> Value? {
    switch value {
    case .constant(let address): return .constant(address &+ UInt64(bitPattern: distance))
    case .descriptor(let operation, let offset): return .descriptor(operation, offset &+ UInt64(bitPattern: distance))
    case .entry(let operation): return distance == 0 ? .entry(operation) : nil
    case nil: return nil
    }
  }

  private func sum(_ one: Value?, _ other: Value?) -> Value? {
    guard case .constant(let first)? = one, case .constant(let second)? = other else { return nil }
    return .constant(first &+ second)
  }

  private func loaded(_ from: Value?) -> Value? {
    switch from {
    case .constant(let address):
      if table.contains(address) {
        let offset = address - table.lowerBound
        return offset & 7 == 0 ? Operation(rawValue: UInt16(offset / 8)).map { .descriptor($0, 0) } : nil
      }
      return linked(address).map { .constant($0) }
    case .descriptor(let operation, 0): return .entry(operation)
    case .descriptor, .entry, nil: return nil
    }
  }

  /// What a word of the global offset table holds: the linker wrote it, and nobody else does.
  private func linked(_ address: UInt64) -> UInt64? {
    guard linkage.contains(where: { address >= $0.address && address - $0.address < $0.size }),
      let offset = image.fileOffset(ofVirtual: address, count: 8)
    else { return nil }
    return ByteReader(image.bytes).u64(UInt64(offset))
  }
}
