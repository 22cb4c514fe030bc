// The interpreter as a campaign's reference, counting what it executes.
import CSupport
import IA64
import Machine

/// Which of r1…r4 a row reads: a bit each, for general and for floating-point registers.
struct RowSources {
  var general: UInt8 = 0
  var floating: UInt8 = 0

  init(_ row: InstructionRow) {
    for operand in row.operands where operand.field > 0 && (!operand.isWritten || operand.isUpdated) {
      if operand.file == .general { general |= 1 << UInt8(operand.field - 1) }
      if operand.file == .floatingPoint { floating |= 1 << UInt8(operand.field - 1) }
    }
  }

  private static let all = instructionTable.map { RowSources($0) }

  static func of(_ opcode: Opcode) -> RowSources { all[opcode.index] }

  static func of(row: Int) -> RowSources { all[row] }
}

package final class CoverageEngine: SteppingEngine {
  private let counters: UnsafeMutablePointer<UInt64>
  /// A bit for each slot of memory at which a group of the present case has ended.
  private let seen: UnsafeMutablePointer<UInt64>
  private static let seenWords = Int(RandomProgram.memorySize) / 16 * 4 / 64

  private static let vectorIndex: [Int] = {
    var indices = [Int](repeating: -1, count: 0x80)
    for (index, vector) in Coverage.vectors.enumerated() { indices[Int(vector.rawValue >> 8)] = index }
    return indices
  }()

  package init(_ machine: Machine, counters: UnsafeMutablePointer<UInt64>) {
    self.counters = counters
    seen = .allocate(capacity: Self.seenWords)
    seen.initialize(repeating: 0, count: Self.seenWords)
    super.init(machine)
  }

  deinit { seen.deallocate() }

  /// Groups count as new again.
  package func beginCase() { seen.update(repeating: 0, count: Self.seenWords) }

  override func execute(_ cpu: CPU) -> Status {
    guard let bundle = presentBundle(cpu) else { return super.execute(cpu) }
    let slot = min(Int(cpu.pointee.ri), bundle.count - 1)
    let instruction = bundle[slot]
    guard instruction.opcode != .illegal else { return super.execute(cpu) }
    let row = counters + instruction.opcode.index * Coverage.columns
    let isOn = cpu.readPR(Int(instruction.qp))
    row[isOn ? Coverage.onColumn : Coverage.offColumn] += 1
    if isOn, hasNaT(cpu, instruction) { row[Coverage.natColumn] += 1 }
    let address = cpu.pointee.ip
    let status = super.execute(cpu)
    if status == .interrupted { countInterruption(cpu, row) }
    let end = bundle.template.isLong && slot == 1 ? 2 : slot
    if status == .branched || bundle.template.hasStop(after: end) { countGroup(address, end, bundle) }
    return status
  }

  private func countInterruption(_ cpu: CPU, _ row: UnsafeMutablePointer<UInt64>) {
    let index = Self.vectorIndex[Int(cpu.pointee.ip >> 8 & 0x7f)]
    guard index >= 0 else { return }
    row[Coverage.vectorColumn + index] += 1
    guard let kind = FaultColumn.kind(Coverage.vectors[index], isr: cpu.pointee.cr_isr),
      let column = FaultColumn.all.firstIndex(where: { $0.kind == kind })
    else { return }
    row[Coverage.faultColumn + column] += 1
  }

  /// A group that ends in a slot of the bundle at `address`. Idling at a program's end is none.
  private func countGroup(_ address: UInt64, _ slot: Int, _ bundle: DecodedBundle) {
    counters[Coverage.groupsWord] += 1
    let place = address & (RandomProgram.memorySize - 1)
    if place >= RandomProgram.handlers, place < RandomProgram.codeBase { return }
    if slot == 2, bundle.count == 3, bundle[2].opcode == .br_cond, bundle[2].imm == 0 { return }
    counters[Coverage.programGroupsWord] += 1
    let number = Int(place >> 4) * 4 + slot
    if seen[number >> 6] >> UInt64(number & 63) & 1 == 0 {
      seen[number >> 6] |= 1 << UInt64(number & 63)
      counters[Coverage.newGroupsWord] += 1
    }
  }

  private func hasNaT(_ cpu: CPU, _ i: Instruction) -> Bool {
    let sources = RowSources.of(i.opcode)
    return any(sources.general, i) { cpu.readNaT(Int($0)) } || any(sources.floating, i) { cpu.isNaTVal(Int($0)) }
  }

  @inline(__always)
  private func any(_ mask: UInt8, _ i: Instruction, _ condition: (UInt8) -> Bool) -> Bool {
    mask & 1 != 0 && condition(i.r1) || mask & 2 != 0 && condition(i.r2) || mask & 4 != 0 && condition(i.r3)
      || mask & 8 != 0 && condition(i.r4)
  }
}

extension UnsafeMutablePointer where Pointee == kt_cpu {
  fileprivate func isNaTVal(_ n: Int) -> Bool {
    let value = floats[physicalFR(n)]
    return value.sign_exponent == 0x1fffe && value.significand == 0
  }
}
