// The interruption vector table of random programs: guest code that mends what it can and otherwise goes on behind the
// instruction that faulted, so that a program's later instructions are executed too (SDM vol. 2, chapter 8).
//
// Handlers work in bank 0 with r16…r31 alone, touch no memory, and give the predicates back.
import IA64
import Machine

struct GuestHandlers {
  /// Where a program goes on that has branched to where there is no code.
  var escape: UInt64
  /// Slots from the end of one timer interrupt to the next, at most 8191.
  var timerInterval: Int64
  /// Bits of the translations that a miss on data inserts, the page number left out.
  var dataEntry: UInt64
  /// Physical addresses below 2^this are memory.
  var memoryShift: UInt32

  /// P, A, D, privilege level 3, access rights 3 (read, write, execute).
  static let wideOpen: UInt64 = 1 | 1 << 5 | 1 << 6 | 3 << 7 | 3 << 9

  private static let status: UInt8 = 16, place: UInt8 = 17, predicates: UInt8 = 18

  /// Each vector's code.
  func code(_ vector: Vector) -> [InstructionBundle] {
    var code = CodeBuilder()
    switch vector {
    case .externalInterrupt: answerTimer(&code)
    case .vhptTranslation, .dataTLB, .alternateDataTLB, .dataNestedTLB: insert(.itc_d, entry: dataEntry, &code)
    case .instructionTLB, .alternateInstructionTLB: insert(.itc_i, entry: Self.wideOpen, &code)
    case .instructionKeyMiss, .instructionAccessRights: escape(&code)
    case .dirtyBit, .dataAccessBit: retry(with: PSR.da, &code)
    case .instructionAccessBit: retry(with: PSR.ia, &code)
    case .debug: retry(with: PSR.dd, &code)
    case .singleStep, .takenBranch, .floatingPointTrap, .lowerPrivilegeTransfer: break
    default: skip(&code)
    }
    code.add(.returnFromInterruption)
    code.finish()
    return code.bundles
  }

  /// Goes on behind the instruction: from slot 0 to slot 1, otherwise to the next bundle (slot 2 may be half of a long
  /// instruction). With `qp` only where that is 1.
  private func skip(_ code: inout CodeBuilder) {
    code.add(.readPredicates(Self.predicates), .readControl(Self.status, ControlNumber.ipsr))
    code.add(.readControl(Self.place, ControlNumber.iip))
    code.add(.extractUnsigned(19, Self.status, position: 41, length: 2), .compareEqual(6, 7, 0, 19))
    code.add(.fill(Self.status, Self.status, ones: true, position: 41, length: 1, qp: 6))
    code.add(.fill(Self.status, Self.status, ones: false, position: 41, length: 2, qp: 7))
    code.add(.adds(Self.place, 16, Self.place, qp: 7))
    code.add(.writeControl(ControlNumber.iip, Self.place), .writeControl(ControlNumber.ipsr, Self.status))
    code.add(.writePredicates(Self.predicates))
  }

  /// Inserts a translation that gives every region the same memory; an address outside it ends at `escape` if it was a
  /// fetch, and is skipped otherwise.
  private func insert(_ opcode: Opcode, entry: UInt64, _ code: inout CodeBuilder) {
    let inside: UInt8 = 6, outside: UInt8 = 7
    code.add(.readControl(20, ControlNumber.ifa), .readPredicates(Self.predicates))
    code.add(.extractUnsigned(21, 20, position: memoryShift, length: 61 - memoryShift))
    code.add(.compareEqual(inside, outside, 0, 21))
    code.add(.extractUnsigned(22, 20, position: 12, length: memoryShift - 12))
    code.add(.depositZero(22, 22, position: 12, length: memoryShift - 12))
    code.add(.movl(23, entry), .or(22, 22, 23))
    code.add(Instruction(opcode: opcode, qp: inside, r2: 22))
    code.add(.readControl(Self.status, ControlNumber.ipsr), .readControl(Self.place, ControlNumber.iip))
    if opcode == .itc_i {
      code.add(.movl(24, escape), Instruction(opcode: .adds, qp: outside, r1: Self.place, r3: 24))
    } else {
      code.add(.adds(Self.place, 16, Self.place, qp: outside))
    }
    code.add(.fill(Self.status, Self.status, ones: false, position: 41, length: 2, qp: outside))
    code.add(.writeControl(ControlNumber.iip, Self.place), .writeControl(ControlNumber.ipsr, Self.status))
    code.add(.writePredicates(Self.predicates))
  }

  private func escape(_ code: inout CodeBuilder) {
    code.add(.readControl(Self.status, ControlNumber.ipsr), .movl(Self.place, escape))
    code.add(.fill(Self.status, Self.status, ones: false, position: 41, length: 2))
    code.add(.writeControl(ControlNumber.iip, Self.place), .writeControl(ControlNumber.ipsr, Self.status))
  }

  /// Executes the instruction once more with a bit of psr that lets it pass.
  private func retry(with bit: UInt64, _ code: inout CodeBuilder) {
    code.add(.readControl(Self.status, ControlNumber.ipsr))
    code.add(.fill(Self.status, Self.status, ones: true, position: UInt32(bit.trailingZeroBitCount), length: 1))
    code.add(.writeControl(ControlNumber.ipsr, Self.status))
  }

  private func answerTimer(_ code: inout CodeBuilder) {
    code.add(.readControl(16, ControlNumber.ivr), .writeControl(ControlNumber.eoi, 0))
    code.add(Instruction(opcode: .mov_from_ar_m, r1: 17, r3: ApplicationNumber.itc))
    code.add(.adds(17, timerInterval, 17), .writeControl(ControlNumber.itm, 17))
  }
}
