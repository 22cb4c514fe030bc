// The instruction table: branches and other operations of the B unit (Intel Itanium Architecture SDM, volume 3,
// section 4.5). How a row reads stands at `InstructionRow`.

let instructionTableB: [InstructionRow] = [
  // B1
  .init(.br_cond, .B1, "0100 s h hh aaaaaaaaaaaaaaaaaaaa h --- 000 qqqqqq", "br.cond{wh}{ph}{dh} target", .branch),
  .init(
    .br_wexit, .B1, "0100 s h hh aaaaaaaaaaaaaaaaaaaa h --- 010 qqqqqq",
    "br.wexit{wh}{ph}{dh} target", .loopBranch),
  .init(.br_wtop, .B1, "0100 s h hh aaaaaaaaaaaaaaaaaaaa h --- 011 qqqqqq", "br.wtop{wh}{ph}{dh} target", .loopBranch),
  // B2
  .init(
    .br_cloop, .B2, "0100 s h hh aaaaaaaaaaaaaaaaaaaa h --- 101 oooooo",
    "br.cloop{wh}{ph}{dh} target", .loopBranch),
  .init(
    .br_cexit, .B2, "0100 s h hh aaaaaaaaaaaaaaaaaaaa h --- 110 oooooo",
    "br.cexit{wh}{ph}{dh} target", .loopBranch),
  .init(.br_ctop, .B2, "0100 s h hh aaaaaaaaaaaaaaaaaaaa h --- 111 oooooo", "br.ctop{wh}{ph}{dh} target", .loopBranch),
  // B3
  .init(.br_call, .B3, "0101 s h hh aaaaaaaaaaaaaaaaaaaa h --- AAA qqqqqq", "br.call{wh}{ph}{dh} b1=target", .branch),
  // B4
  .init(
    .br_cond_indirect, .B4, "0000 - h hh 100000 ----------- BBB h --- 000 qqqqqq",
    "br.cond{wh}{ph}{dh} b2", .branch),
  .init(.br_ia, .B4, "0000 - h hh 100000 ----------- BBB h --- 001 oooooo", "br.ia{wh}{ph}{dh} b2", .faultingBranch),
  .init(.br_ret, .B4, "0000 - h hh 100001 ----------- BBB h --- 100 qqqqqq", "br.ret{wh}{ph}{dh} b2", .faultingBranch),
  // B5
  .init(
    .br_call_indirect, .B5, "0001 - h hh1 ---------------- BBB h --- AAA qqqqqq",
    "br.call{wh}{ph}{dh} b1=b2", .branch),
  // B6
  .init(.brp, .B6, "0111 s h uu aaaaaaaaaaaaaaaaaaaa ttttttt - hh ---", "brp{bwh}{ih} target,tag13"),
  // B7
  .init(.brp_indirect, .B7, "0010 - h uu 010000 ----------- BBB ttttttt - hh ---", "brp{iwh}{ih} b2,tag13"),
  .init(.brp_ret, .B7, "0010 - h uu 010001 ----------- BBB ttttttt - hh ---", "brp.ret{iwh}{ih} b2,tag13"),
  // B8
  .init(.cover, .B8, "0000 ---- 000010 --------------------- oooooo", "cover", .lastEnding),
  .init(.clrrrb, .B8, "0000 ---- 000100 --------------------- oooooo", "clrrrb", .lastEnding),
  .init(.clrrrb_pr, .B8, "0000 ---- 000101 --------------------- oooooo", "clrrrb.pr", .lastEnding),
  .init(.rfi, .B8, "0000 ---- 001000 --------------------- oooooo", "rfi", .returnFromInterruption),
  .init(.bsw_0, .B8, "0000 ---- 001100 --------------------- oooooo", "bsw.0", .privilegedLast),
  .init(.bsw_1, .B8, "0000 ---- 001101 --------------------- oooooo", "bsw.1", .privilegedLast),
  .init(.epc, .B8, "0000 ---- 010000 --------------------- oooooo", "epc", .faultingEnding),
  .init(.vmsw_0, .B8, "0000 ---- 011000 --------------------- oooooo", "vmsw.0", .privilegedEnding),
  .init(.vmsw_1, .B8, "0000 ---- 011001 --------------------- oooooo", "vmsw.1", .privilegedEnding),
  // B9
  .init(.break_b, .B9, "0000 b --- 000000 - aaaaaaaaaaaaaaaaaaaa qqqqqq", "break.b uimm", .faultingEnding),
  .init(.nop_b, .B9, "0010 b --- 000000 - aaaaaaaaaaaaaaaaaaaa qqqqqq", "nop.b uimm"),
  .init(.hint_b, .B9, "0010 b --- 000001 - aaaaaaaaaaaaaaaaaaaa qqqqqq", "hint.b uimm"),
]
