// Calls and returns as host calls and returns (decisions/0009): returns that go where they were called from, and those
// that do not. Whatever the budget, the guest is where the interpreter has it.
import CSupport
import IA64
import Machine
import Testing
import Translator
import Verification

@Suite struct CallTests {
  private static let depth: UInt8 = 9, sum: UInt8 = 8, rounds: UInt8 = 20

  private static func allocate(_ r1: UInt8, _ sof: UInt32, _ sol: UInt32) -> Instruction {
    Instruction(opcode: .alloc, r1: r1, aux: sof | sol << 8)
  }
  private static func fromBranch(_ r1: UInt8, _ b2: UInt8) -> Instruction {
    Instruction(opcode: .mov_from_br, r1: r1, r2: b2)
  }
  private static func toBranch(_ b1: UInt8, _ r2: UInt8) -> Instruction {
    Instruction(opcode: .mov_to_br, r1: b1, r2: r2)
  }
  private static func toPFS(_ r2: UInt8) -> Instruction {
    Instruction(opcode: .mov_to_ar_i, r2: r2, r3: ApplicationNumber.pfs)
  }
  /// `br.ret b0`.
  private static let back = Instruction(opcode: .br_ret, r2: 0)
  private static func setEC(_ value: Int64) -> Instruction {
    Instruction(opcode: .mov_to_ar_i_imm, r3: ApplicationNumber.ec, imm: value)
  }

  /// A function that calls itself as often as `depth` says and adds up on the way back; `inner` is behind its `alloc`.
  private static func recursion(_ times: Int64, _ inner: [Instruction] = []) -> [InstructionBundle] {
    assemble { code, labels in
      labels.mark("start", &code)
      code.add(.adds(depth, times, 0), .adds(rounds, 1, rounds))
      code.branch(.br_call, to: labels["f"])
      code.branch(to: labels["start"])
      labels.mark("f", &code)
      code.add(allocate(32, 7, 5), fromBranch(33, 0), .add(34, depth, rounds), .below(8, 9, 0, depth))
      for instruction in inner { code.add(instruction) }
      code.branch(qp: 9, to: labels["leaf"])
      code.add(.adds(depth, -1, depth))
      code.branch(.br_call, to: labels["f"])
      labels.mark("leaf", &code)
      code.add(.add(sum, sum, 34), toBranch(0, 33), toPFS(32))
      code.add(Self.back)
    }
  }

  private func compare(
    _ code: [InstructionBundle], slots: Int64, parts: Int, options: TranslatorOptions = .all
  ) throws {
    let twins = try Twins(options: options)
    twins.place(code)
    for part in 1...parts {
      let found = twins.run(slots + Int64(part % 7))
      #expect(found == nil, "part \(part): \(found ?? "")")
      if found != nil { return }
    }
  }

  @Test func everyBudget() throws {
    try compare(Self.recursion(5), slots: 1, parts: 1500)
  }

  @Test(arguments: [true, false])
  func shallow(isOn: Bool) throws {
    try compare(
      Self.recursion(30), slots: 3000, parts: 12, options: isOn ? .all : TranslatorOptions.all.subtracting(.returns))
  }

  /// More frames than the register window, the ring and the host's share of the stack hold.
  @Test func deep() throws {
    try compare(Self.recursion(5000), slots: 30011, parts: 12)
  }

  /// ar.ec is part of what a return restores.
  @Test func epilogCount() throws {
    try compare(Self.recursion(9, [Self.setEC(3)]), slots: 500, parts: 20)
    try compare(Self.recursion(9, [Instruction(opcode: .mov_to_ar_i, r2: Self.depth, r3: ApplicationNumber.ec)]),
      slots: 500, parts: 20)
  }

  /// Returns to a bundle further on, and with a smaller frame, every other time.
  @Test func elsewhere() throws {
    let code = assemble { code, labels in
      labels.mark("start", &code)
      code.add(Self.allocate(2, 12, 6), .adds(Self.rounds, 1, Self.rounds), .testBit(10, 11, Self.rounds, 1))
      code.branch(.br_call, to: labels["f"])
      code.add(.adds(Self.sum, 1, Self.sum))
      code.add(.add(Self.sum, Self.sum, Self.rounds))
      code.branch(to: labels["start"])
      labels.mark("f", &code)
      code.add(Self.fromBranch(14, 0), Instruction(opcode: .mov_from_ar_i, r1: 15, r3: ApplicationNumber.pfs))
      code.add(.testBit(6, 7, Self.rounds, 0), .adds(14, 16, 14, qp: 6), .adds(15, -1, 15, qp: 10))
      code.add(Self.toBranch(0, 14), Self.toPFS(15))
      code.add(Self.back)
    }
    try compare(code, slots: 100, parts: 60)
    try compare(code, slots: 1, parts: 400)
  }

  /// Returns past the caller to the caller's caller, as longjmp does; the frame is then another than the landing expects.
  @Test func pastTheCaller() throws {
    let code = assemble { code, labels in
      labels.mark("start", &code)
      code.add(Self.allocate(2, 8, 4), .adds(Self.rounds, 1, Self.rounds))
      code.branch(.br_call, to: labels["outer"])
      code.add(.adds(Self.sum, 1, Self.sum))
      code.branch(to: labels["start"])
      labels.mark("outer", &code)
      code.add(Self.allocate(32, 6, 4), Self.fromBranch(21, 0), .adds(22, 0, 32), .adds(33, 7, Self.rounds))
      code.branch(.br_call, to: labels["inner"])
      code.add(.add(Self.sum, Self.sum, 33), Self.toBranch(0, 21), Self.toPFS(22))
      code.add(Self.back)
      labels.mark("inner", &code)
      code.add(.testBit(6, 7, Self.rounds, 2))
      code.add(Instruction(opcode: .mov_to_br, qp: 6, r1: 0, r2: 21))
      code.add(Instruction(opcode: .mov_to_ar_i, qp: 6, r2: 22, r3: ApplicationNumber.pfs))
      code.add(Self.back)
    }
    try compare(code, slots: 200, parts: 40)
  }

  /// One indirect call to two functions in turn, of which one calls on.
  @Test func indirect() throws {
    let code = assemble { code, labels in
      labels.mark("start", &code)
      code.add(Self.allocate(2, 8, 4), .adds(Self.rounds, 1, Self.rounds), .testBit(6, 7, Self.rounds, 0))
      code.add(Instruction(opcode: .mov_from_ip, r1: 14))
      labels.mark("here", &code)
      code.add(
        .adds(15, Int64(labels["one"] - labels["here"] + 1) * 16, 14),
        .adds(15, Int64(labels["two"] - labels["here"] + 1) * 16, 14, qp: 6), Self.toBranch(6, 15))
      code.add(Instruction(opcode: .br_call_indirect, r1: 0, r2: 6))
      code.branch(to: labels["start"])
      labels.mark("one", &code)
      code.add(.adds(Self.sum, 3, Self.sum))
      code.add(Self.back)
      labels.mark("two", &code)
      code.add(Self.allocate(32, 5, 3), Self.fromBranch(33, 0), .adds(34, 9, Self.sum))
      code.branch(.br_call, to: labels["one"])
      code.add(.add(Self.sum, Self.sum, 34), Self.toBranch(0, 33), Self.toPFS(32))
      code.add(Self.back)
    }
    try compare(code, slots: 150, parts: 60)
    try compare(code, slots: 1, parts: 500)
  }
}
