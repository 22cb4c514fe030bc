// The instruction table: long instructions, which take the L and the X slot of an MLX bundle (Intel Itanium
// Architecture SDM, volume 3,
// section 4.7). How a row reads stands at `InstructionRow`.

let instructionTableX: [InstructionRow] = [
  // X1
  .init(
    .break_x, .X1, "0000 b 000 000000 - aaaaaaaaaaaaaaaaaaaa qqqqqq / ccccccccccccccccccccccccccccccccccccccccc",
    "break.x uimm", .faultingEnding),
  // X2
  .init(
    .movl, .X2, "0110 s bbbbbbbbb ccccc d 0 aaaaaaa AAAAAAA qqqqqq / eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee",
    "movl r1=uimm"),
  // X3
  .init(
    .brl_cond, .X3, "1100 s h hh aaaaaaaaaaaaaaaaaaaa h --- 000 qqqqqq / bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb--",
    "brl.cond{wh}{ph}{dh} target", .branch),
  // X4
  .init(
    .brl_call, .X4, "1101 s h hh aaaaaaaaaaaaaaaaaaaa h --- AAA qqqqqq / bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb--",
    "brl.call{wh}{ph}{dh} b1=target", .branch),
  // X5
  .init(
    .nop_x, .X5, "0000 b 000 000001 0 aaaaaaaaaaaaaaaaaaaa qqqqqq / ccccccccccccccccccccccccccccccccccccccccc",
    "nop.x uimm"),
  .init(
    .hint_x, .X5, "0000 b 000 000001 1 aaaaaaaaaaaaaaaaaaaa qqqqqq / ccccccccccccccccccccccccccccccccccccccccc",
    "hint.x uimm"),
]
