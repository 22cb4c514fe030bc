// Packs instructions into bundles: what the parts of random programs that must stand as they are, loops, calls, handlers,
// are written with, and the guest code of tests.
import IA64

package struct CodeBuilder {
  package private(set) var bundles: [InstructionBundle] = []
  private var waiting: [Instruction] = []

  package init() {}

  /// Templates to choose from, a stop at the end of each: MII, MMI, MFI, MIB, MMB, MBB, BBB.
  private static let templates = [0x01, 0x09, 0x0d, 0x11, 0x19, 0x13, 0x17].map { Template(rawValue: $0) }
  private static let long = Template(rawValue: 0x05)

  package mutating func add(_ instructions: Instruction...) { waiting += instructions }

  package mutating func add(_ bundle: InstructionBundle) {
    finish()
    bundles.append(bundle)
  }

  /// Number of the bundle that comes next; what waits is packed first.
  package mutating func label() -> Int {
    finish()
    return bundles.count
  }

  /// A branch whose target is a number of bundles away from the bundle it will stand in, which is one of its own.
  package mutating func addBranch(_ branch: Instruction, to target: Int) {
    var branch = branch
    branch.imm = Int64(target - label()) << 4
    waiting.append(branch)
    finish()
  }

  /// A bundle that branches a number of bundles away.
  package static func branch(_ distance: Int) -> InstructionBundle {
    var code = CodeBuilder()
    code.add(Instruction(opcode: .br_cond, imm: Int64(distance) << 4))
    code.finish()
    return code.bundles[0]
  }

  /// Packs what waits.
  package mutating func finish() {
    var rest = waiting[...]
    while let first = rest.first {
      if Self.unit(first) == .X {
        let encoded = Self.encode(first)
        bundles.append(InstructionBundle(template: Self.long, Self.nop(.M), encoded.long, encoded.slot))
        rest = rest.dropFirst()
        continue
      }
      let best = Self.templates.map { ($0, Self.fitting($0, rest)) }.max { $0.1.count < $1.1.count }!
      bundles.append(Self.bundle(best.0, best.1, rest))
      rest = rest.dropFirst(best.1.count)
    }
    waiting = []
  }

  private static func unit(_ instruction: Instruction) -> Unit { instructionTable[instruction.opcode.index].format.unit }

  /// The slots that the first instructions take, as many of them as fit in their order.
  private static func fitting(_ template: Template, _ instructions: ArraySlice<Instruction>) -> [Int] {
    var slots: [Int] = []
    var next = 0
    for instruction in instructions.prefix(3) {
      let needsLast = instructionTable[instruction.opcode.index].flags.contains(.slot2Only)
      guard
        let slot = (next..<3).first(where: {
          RandomInstruction.runs(instruction.opcode, on: template.unit($0)!) && (!needsLast || $0 == 2)
        })
      else { break }
      slots.append(slot)
      next = slot + 1
    }
    return slots
  }

  private static func bundle(
    _ template: Template, _ slots: [Int], _ instructions: ArraySlice<Instruction>
  ) -> InstructionBundle {
    var words = (0..<3).map { nop(template.unit($0)!) }
    for (slot, instruction) in zip(slots, instructions) { words[slot] = encode(instruction).slot }
    return InstructionBundle(template: template, words[0], words[1], words[2])
  }

  private static func nop(_ unit: Unit) -> UInt64 { encode(Instruction(opcode: unit.nop)).slot }

  private static func encode(_ instruction: Instruction) -> EncodedSlot {
    guard let encoded = Encoder.encode(instruction) else { preconditionFailure("no encoding for \(instruction)") }
    return encoded
  }
}

/// Instructions under the names of the manual, as far as programs and handlers are written with them.
extension Instruction {
  package static func movl(_ r: UInt8, _ value: UInt64) -> Instruction {
    Instruction(opcode: .movl, r1: r, imm: Int64(bitPattern: value))
  }
  package static func adds(_ r: UInt8, _ imm: Int64, _ source: UInt8, qp: UInt8 = 0) -> Instruction {
    Instruction(opcode: .adds, qp: qp, r1: r, r3: source, imm: imm)
  }
  package static func or(_ r: UInt8, _ a: UInt8, _ b: UInt8) -> Instruction { Instruction(opcode: .or, r1: r, r2: a, r3: b) }
  package static func extractUnsigned(_ r: UInt8, _ source: UInt8, position: UInt32, length: UInt32) -> Instruction {
    Instruction(opcode: .extr_u, r1: r, r3: source, aux: position | length << 8)
  }
  package static func depositZero(_ r: UInt8, _ source: UInt8, position: UInt32, length: UInt32) -> Instruction {
    Instruction(opcode: .dep_z, r1: r, r2: source, aux: position | length << 8)
  }
  /// `dep` of zeros or ones.
  package static func fill(
    _ r: UInt8, _ source: UInt8, ones: Bool, position: UInt32, length: UInt32, qp: UInt8 = 0
  ) -> Instruction {
    Instruction(
      opcode: .dep_imm, qp: qp, r1: r, r3: source, aux: position | length << 8, imm: ones ? -1 : 0)
  }
  /// `cmp.eq p1,p2=imm,r`.
  package static func compareEqual(_ p1: UInt8, _ p2: UInt8, _ imm: Int64, _ r: UInt8) -> Instruction {
    Instruction(opcode: .cmp_eq_imm, r1: p1, r3: r, r4: p2, imm: imm)
  }
  package static func readControl(_ r: UInt8, _ number: UInt8) -> Instruction {
    Instruction(opcode: .mov_from_cr, r1: r, r3: number)
  }
  package static func writeControl(_ number: UInt8, _ r: UInt8) -> Instruction {
    Instruction(opcode: .mov_to_cr, r2: r, r3: number)
  }
  package static func readPredicates(_ r: UInt8) -> Instruction { Instruction(opcode: .mov_from_pr, r1: r) }
  package static func writePredicates(_ r: UInt8) -> Instruction { Instruction(opcode: .mov_to_pr, r2: r, imm: -2) }
  package static let returnFromInterruption = Instruction(opcode: .rfi)
}

/// Numbers of control registers that handlers use (SDM vol. 2, table 3-3).
package enum ControlNumber {
  package static let ipsr: UInt8 = 16, iip: UInt8 = 19, ifa: UInt8 = 20
  package static let itm: UInt8 = 1, ivr: UInt8 = 65, eoi: UInt8 = 67
}

/// Numbers of application registers (SDM vol. 1, table 3-3).
package enum ApplicationNumber {
  package static let itc: UInt8 = 44, pfs: UInt8 = 64, lc: UInt8 = 65, ec: UInt8 = 66
}
