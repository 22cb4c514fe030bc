// The instruction table: integer ALU operations, which an M or an I unit executes (Intel Itanium Architecture SDM,
// volume 3,
// section 4.2). How a row reads stands at `InstructionRow`.

let instructionTableA: [InstructionRow] = [
  // A1
  .init(.add, .A1, "1000 - 00 0 0000 00 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "add r1=r2,r3"),
  .init(.add_1, .A1, "1000 - 00 0 0000 01 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "add r1=r2,r3,1"),
  .init(.sub, .A1, "1000 - 00 0 0001 01 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "sub r1=r2,r3"),
  .init(.sub_1, .A1, "1000 - 00 0 0001 00 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "sub r1=r2,r3,1"),
  .init(.addp4, .A1, "1000 - 00 0 0010 00 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "addp4 r1=r2,r3"),
  .init(.and, .A1, "1000 - 00 0 0011 00 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "and r1=r2,r3"),
  .init(.andcm, .A1, "1000 - 00 0 0011 01 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "andcm r1=r2,r3"),
  .init(.or, .A1, "1000 - 00 0 0011 10 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "or r1=r2,r3"),
  .init(.xor, .A1, "1000 - 00 0 0011 11 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "xor r1=r2,r3"),
  // A2
  .init(.shladd, .A2, "1000 - 00 0 0100 XX CCCCCCC BBBBBBB AAAAAAA qqqqqq", "shladd r1=r2,count,r3"),
  .init(.shladdp4, .A2, "1000 - 00 0 0110 XX CCCCCCC BBBBBBB AAAAAAA qqqqqq", "shladdp4 r1=r2,count,r3"),
  // A3
  .init(.sub_imm, .A3, "1000 s 00 0 1001 01 CCCCCCC aaaaaaa AAAAAAA qqqqqq", "sub r1=imm,r3"),
  .init(.and_imm, .A3, "1000 s 00 0 1011 00 CCCCCCC aaaaaaa AAAAAAA qqqqqq", "and r1=imm,r3"),
  .init(.andcm_imm, .A3, "1000 s 00 0 1011 01 CCCCCCC aaaaaaa AAAAAAA qqqqqq", "andcm r1=imm,r3"),
  .init(.or_imm, .A3, "1000 s 00 0 1011 10 CCCCCCC aaaaaaa AAAAAAA qqqqqq", "or r1=imm,r3"),
  .init(.xor_imm, .A3, "1000 s 00 0 1011 11 CCCCCCC aaaaaaa AAAAAAA qqqqqq", "xor r1=imm,r3"),
  // A4
  .init(.adds, .A4, "1000 s 10 0 bbbbbb CCCCCCC aaaaaaa AAAAAAA qqqqqq", "adds r1=imm,r3"),
  .init(.addp4_imm, .A4, "1000 s 11 0 bbbbbb CCCCCCC aaaaaaa AAAAAAA qqqqqq", "addp4 r1=imm,r3"),
  // A5
  .init(.addl, .A5, "1001 s bbbbbbbbb ccccc CC aaaaaaa AAAAAAA qqqqqq", "addl r1=imm,r3"),
  // A6
  .init(.cmp_lt, .A6, "1100 0 00 0 DDDDDD CCCCCCC BBBBBBB 0 AAAAAA qqqqqq", "cmp.lt p1,p2=r2,r3"),
  .init(.cmp_ltu, .A6, "1101 0 00 0 DDDDDD CCCCCCC BBBBBBB 0 AAAAAA qqqqqq", "cmp.ltu p1,p2=r2,r3"),
  .init(.cmp_eq, .A6, "1110 0 00 0 DDDDDD CCCCCCC BBBBBBB 0 AAAAAA qqqqqq", "cmp.eq p1,p2=r2,r3"),
  .init(
    .cmp_lt_unc, .A6, "1100 0 00 0 DDDDDD CCCCCCC BBBBBBB 1 AAAAAA qqqqqq",
    "cmp.lt.unc p1,p2=r2,r3", .unconditional),
  .init(
    .cmp_ltu_unc, .A6, "1101 0 00 0 DDDDDD CCCCCCC BBBBBBB 1 AAAAAA qqqqqq",
    "cmp.ltu.unc p1,p2=r2,r3", .unconditional),
  .init(
    .cmp_eq_unc, .A6, "1110 0 00 0 DDDDDD CCCCCCC BBBBBBB 1 AAAAAA qqqqqq",
    "cmp.eq.unc p1,p2=r2,r3", .unconditional),
  .init(.cmp_eq_and, .A6, "1100 0 00 1 DDDDDD CCCCCCC BBBBBBB 0 AAAAAA qqqqqq", "cmp.eq.and p1,p2=r2,r3"),
  .init(.cmp_eq_or, .A6, "1101 0 00 1 DDDDDD CCCCCCC BBBBBBB 0 AAAAAA qqqqqq", "cmp.eq.or p1,p2=r2,r3"),
  .init(.cmp_eq_or_andcm, .A6, "1110 0 00 1 DDDDDD CCCCCCC BBBBBBB 0 AAAAAA qqqqqq", "cmp.eq.or.andcm p1,p2=r2,r3"),
  .init(.cmp_ne_and, .A6, "1100 0 00 1 DDDDDD CCCCCCC BBBBBBB 1 AAAAAA qqqqqq", "cmp.ne.and p1,p2=r2,r3"),
  .init(.cmp_ne_or, .A6, "1101 0 00 1 DDDDDD CCCCCCC BBBBBBB 1 AAAAAA qqqqqq", "cmp.ne.or p1,p2=r2,r3"),
  .init(.cmp_ne_or_andcm, .A6, "1110 0 00 1 DDDDDD CCCCCCC BBBBBBB 1 AAAAAA qqqqqq", "cmp.ne.or.andcm p1,p2=r2,r3"),
  // A7
  .init(.cmp_gt_and_zero, .A7, "1100 1 00 0 DDDDDD CCCCCCC ooooooo 0 AAAAAA qqqqqq", "cmp.gt.and p1,p2=r0,r3"),
  .init(.cmp_gt_or_zero, .A7, "1101 1 00 0 DDDDDD CCCCCCC ooooooo 0 AAAAAA qqqqqq", "cmp.gt.or p1,p2=r0,r3"),
  .init(
    .cmp_gt_or_andcm_zero, .A7, "1110 1 00 0 DDDDDD CCCCCCC ooooooo 0 AAAAAA qqqqqq",
    "cmp.gt.or.andcm p1,p2=r0,r3"),
  .init(.cmp_le_and_zero, .A7, "1100 1 00 0 DDDDDD CCCCCCC ooooooo 1 AAAAAA qqqqqq", "cmp.le.and p1,p2=r0,r3"),
  .init(.cmp_le_or_zero, .A7, "1101 1 00 0 DDDDDD CCCCCCC ooooooo 1 AAAAAA qqqqqq", "cmp.le.or p1,p2=r0,r3"),
  .init(
    .cmp_le_or_andcm_zero, .A7, "1110 1 00 0 DDDDDD CCCCCCC ooooooo 1 AAAAAA qqqqqq",
    "cmp.le.or.andcm p1,p2=r0,r3"),
  .init(.cmp_ge_and_zero, .A7, "1100 1 00 1 DDDDDD CCCCCCC ooooooo 0 AAAAAA qqqqqq", "cmp.ge.and p1,p2=r0,r3"),
  .init(.cmp_ge_or_zero, .A7, "1101 1 00 1 DDDDDD CCCCCCC ooooooo 0 AAAAAA qqqqqq", "cmp.ge.or p1,p2=r0,r3"),
  .init(
    .cmp_ge_or_andcm_zero, .A7, "1110 1 00 1 DDDDDD CCCCCCC ooooooo 0 AAAAAA qqqqqq",
    "cmp.ge.or.andcm p1,p2=r0,r3"),
  .init(.cmp_lt_and_zero, .A7, "1100 1 00 1 DDDDDD CCCCCCC ooooooo 1 AAAAAA qqqqqq", "cmp.lt.and p1,p2=r0,r3"),
  .init(.cmp_lt_or_zero, .A7, "1101 1 00 1 DDDDDD CCCCCCC ooooooo 1 AAAAAA qqqqqq", "cmp.lt.or p1,p2=r0,r3"),
  .init(
    .cmp_lt_or_andcm_zero, .A7, "1110 1 00 1 DDDDDD CCCCCCC ooooooo 1 AAAAAA qqqqqq",
    "cmp.lt.or.andcm p1,p2=r0,r3"),
  // A8
  .init(.cmp_lt_imm, .A8, "1100 s 10 0 DDDDDD CCCCCCC aaaaaaa 0 AAAAAA qqqqqq", "cmp.lt p1,p2=imm,r3"),
  .init(.cmp_ltu_imm, .A8, "1101 s 10 0 DDDDDD CCCCCCC aaaaaaa 0 AAAAAA qqqqqq", "cmp.ltu p1,p2=imm,r3"),
  .init(.cmp_eq_imm, .A8, "1110 s 10 0 DDDDDD CCCCCCC aaaaaaa 0 AAAAAA qqqqqq", "cmp.eq p1,p2=imm,r3"),
  .init(
    .cmp_lt_unc_imm, .A8, "1100 s 10 0 DDDDDD CCCCCCC aaaaaaa 1 AAAAAA qqqqqq",
    "cmp.lt.unc p1,p2=imm,r3", .unconditional),
  .init(
    .cmp_ltu_unc_imm, .A8, "1101 s 10 0 DDDDDD CCCCCCC aaaaaaa 1 AAAAAA qqqqqq",
    "cmp.ltu.unc p1,p2=imm,r3", .unconditional),
  .init(
    .cmp_eq_unc_imm, .A8, "1110 s 10 0 DDDDDD CCCCCCC aaaaaaa 1 AAAAAA qqqqqq",
    "cmp.eq.unc p1,p2=imm,r3", .unconditional),
  .init(.cmp_eq_and_imm, .A8, "1100 s 10 1 DDDDDD CCCCCCC aaaaaaa 0 AAAAAA qqqqqq", "cmp.eq.and p1,p2=imm,r3"),
  .init(.cmp_eq_or_imm, .A8, "1101 s 10 1 DDDDDD CCCCCCC aaaaaaa 0 AAAAAA qqqqqq", "cmp.eq.or p1,p2=imm,r3"),
  .init(
    .cmp_eq_or_andcm_imm, .A8, "1110 s 10 1 DDDDDD CCCCCCC aaaaaaa 0 AAAAAA qqqqqq",
    "cmp.eq.or.andcm p1,p2=imm,r3"),
  .init(.cmp_ne_and_imm, .A8, "1100 s 10 1 DDDDDD CCCCCCC aaaaaaa 1 AAAAAA qqqqqq", "cmp.ne.and p1,p2=imm,r3"),
  .init(.cmp_ne_or_imm, .A8, "1101 s 10 1 DDDDDD CCCCCCC aaaaaaa 1 AAAAAA qqqqqq", "cmp.ne.or p1,p2=imm,r3"),
  .init(
    .cmp_ne_or_andcm_imm, .A8, "1110 s 10 1 DDDDDD CCCCCCC aaaaaaa 1 AAAAAA qqqqqq",
    "cmp.ne.or.andcm p1,p2=imm,r3"),
  // A6
  .init(.cmp4_lt, .A6, "1100 0 01 0 DDDDDD CCCCCCC BBBBBBB 0 AAAAAA qqqqqq", "cmp4.lt p1,p2=r2,r3"),
  .init(.cmp4_ltu, .A6, "1101 0 01 0 DDDDDD CCCCCCC BBBBBBB 0 AAAAAA qqqqqq", "cmp4.ltu p1,p2=r2,r3"),
  .init(.cmp4_eq, .A6, "1110 0 01 0 DDDDDD CCCCCCC BBBBBBB 0 AAAAAA qqqqqq", "cmp4.eq p1,p2=r2,r3"),
  .init(
    .cmp4_lt_unc, .A6, "1100 0 01 0 DDDDDD CCCCCCC BBBBBBB 1 AAAAAA qqqqqq",
    "cmp4.lt.unc p1,p2=r2,r3", .unconditional),
  .init(
    .cmp4_ltu_unc, .A6, "1101 0 01 0 DDDDDD CCCCCCC BBBBBBB 1 AAAAAA qqqqqq",
    "cmp4.ltu.unc p1,p2=r2,r3", .unconditional),
  .init(
    .cmp4_eq_unc, .A6, "1110 0 01 0 DDDDDD CCCCCCC BBBBBBB 1 AAAAAA qqqqqq",
    "cmp4.eq.unc p1,p2=r2,r3", .unconditional),
  .init(.cmp4_eq_and, .A6, "1100 0 01 1 DDDDDD CCCCCCC BBBBBBB 0 AAAAAA qqqqqq", "cmp4.eq.and p1,p2=r2,r3"),
  .init(.cmp4_eq_or, .A6, "1101 0 01 1 DDDDDD CCCCCCC BBBBBBB 0 AAAAAA qqqqqq", "cmp4.eq.or p1,p2=r2,r3"),
  .init(.cmp4_eq_or_andcm, .A6, "1110 0 01 1 DDDDDD CCCCCCC BBBBBBB 0 AAAAAA qqqqqq", "cmp4.eq.or.andcm p1,p2=r2,r3"),
  .init(.cmp4_ne_and, .A6, "1100 0 01 1 DDDDDD CCCCCCC BBBBBBB 1 AAAAAA qqqqqq", "cmp4.ne.and p1,p2=r2,r3"),
  .init(.cmp4_ne_or, .A6, "1101 0 01 1 DDDDDD CCCCCCC BBBBBBB 1 AAAAAA qqqqqq", "cmp4.ne.or p1,p2=r2,r3"),
  .init(.cmp4_ne_or_andcm, .A6, "1110 0 01 1 DDDDDD CCCCCCC BBBBBBB 1 AAAAAA qqqqqq", "cmp4.ne.or.andcm p1,p2=r2,r3"),
  // A7
  .init(.cmp4_gt_and_zero, .A7, "1100 1 01 0 DDDDDD CCCCCCC ooooooo 0 AAAAAA qqqqqq", "cmp4.gt.and p1,p2=r0,r3"),
  .init(.cmp4_gt_or_zero, .A7, "1101 1 01 0 DDDDDD CCCCCCC ooooooo 0 AAAAAA qqqqqq", "cmp4.gt.or p1,p2=r0,r3"),
  .init(
    .cmp4_gt_or_andcm_zero, .A7, "1110 1 01 0 DDDDDD CCCCCCC ooooooo 0 AAAAAA qqqqqq",
    "cmp4.gt.or.andcm p1,p2=r0,r3"),
  .init(.cmp4_le_and_zero, .A7, "1100 1 01 0 DDDDDD CCCCCCC ooooooo 1 AAAAAA qqqqqq", "cmp4.le.and p1,p2=r0,r3"),
  .init(.cmp4_le_or_zero, .A7, "1101 1 01 0 DDDDDD CCCCCCC ooooooo 1 AAAAAA qqqqqq", "cmp4.le.or p1,p2=r0,r3"),
  .init(
    .cmp4_le_or_andcm_zero, .A7, "1110 1 01 0 DDDDDD CCCCCCC ooooooo 1 AAAAAA qqqqqq",
    "cmp4.le.or.andcm p1,p2=r0,r3"),
  .init(.cmp4_ge_and_zero, .A7, "1100 1 01 1 DDDDDD CCCCCCC ooooooo 0 AAAAAA qqqqqq", "cmp4.ge.and p1,p2=r0,r3"),
  .init(.cmp4_ge_or_zero, .A7, "1101 1 01 1 DDDDDD CCCCCCC ooooooo 0 AAAAAA qqqqqq", "cmp4.ge.or p1,p2=r0,r3"),
  .init(
    .cmp4_ge_or_andcm_zero, .A7, "1110 1 01 1 DDDDDD CCCCCCC ooooooo 0 AAAAAA qqqqqq",
    "cmp4.ge.or.andcm p1,p2=r0,r3"),
  .init(.cmp4_lt_and_zero, .A7, "1100 1 01 1 DDDDDD CCCCCCC ooooooo 1 AAAAAA qqqqqq", "cmp4.lt.and p1,p2=r0,r3"),
  .init(.cmp4_lt_or_zero, .A7, "1101 1 01 1 DDDDDD CCCCCCC ooooooo 1 AAAAAA qqqqqq", "cmp4.lt.or p1,p2=r0,r3"),
  .init(
    .cmp4_lt_or_andcm_zero, .A7, "1110 1 01 1 DDDDDD CCCCCCC ooooooo 1 AAAAAA qqqqqq",
    "cmp4.lt.or.andcm p1,p2=r0,r3"),
  // A8
  .init(.cmp4_lt_imm, .A8, "1100 s 11 0 DDDDDD CCCCCCC aaaaaaa 0 AAAAAA qqqqqq", "cmp4.lt p1,p2=imm,r3"),
  .init(.cmp4_ltu_imm, .A8, "1101 s 11 0 DDDDDD CCCCCCC aaaaaaa 0 AAAAAA qqqqqq", "cmp4.ltu p1,p2=imm,r3"),
  .init(.cmp4_eq_imm, .A8, "1110 s 11 0 DDDDDD CCCCCCC aaaaaaa 0 AAAAAA qqqqqq", "cmp4.eq p1,p2=imm,r3"),
  .init(
    .cmp4_lt_unc_imm, .A8, "1100 s 11 0 DDDDDD CCCCCCC aaaaaaa 1 AAAAAA qqqqqq",
    "cmp4.lt.unc p1,p2=imm,r3", .unconditional),
  .init(
    .cmp4_ltu_unc_imm, .A8, "1101 s 11 0 DDDDDD CCCCCCC aaaaaaa 1 AAAAAA qqqqqq",
    "cmp4.ltu.unc p1,p2=imm,r3", .unconditional),
  .init(
    .cmp4_eq_unc_imm, .A8, "1110 s 11 0 DDDDDD CCCCCCC aaaaaaa 1 AAAAAA qqqqqq",
    "cmp4.eq.unc p1,p2=imm,r3", .unconditional),
  .init(.cmp4_eq_and_imm, .A8, "1100 s 11 1 DDDDDD CCCCCCC aaaaaaa 0 AAAAAA qqqqqq", "cmp4.eq.and p1,p2=imm,r3"),
  .init(.cmp4_eq_or_imm, .A8, "1101 s 11 1 DDDDDD CCCCCCC aaaaaaa 0 AAAAAA qqqqqq", "cmp4.eq.or p1,p2=imm,r3"),
  .init(
    .cmp4_eq_or_andcm_imm, .A8, "1110 s 11 1 DDDDDD CCCCCCC aaaaaaa 0 AAAAAA qqqqqq",
    "cmp4.eq.or.andcm p1,p2=imm,r3"),
  .init(.cmp4_ne_and_imm, .A8, "1100 s 11 1 DDDDDD CCCCCCC aaaaaaa 1 AAAAAA qqqqqq", "cmp4.ne.and p1,p2=imm,r3"),
  .init(.cmp4_ne_or_imm, .A8, "1101 s 11 1 DDDDDD CCCCCCC aaaaaaa 1 AAAAAA qqqqqq", "cmp4.ne.or p1,p2=imm,r3"),
  .init(
    .cmp4_ne_or_andcm_imm, .A8, "1110 s 11 1 DDDDDD CCCCCCC aaaaaaa 1 AAAAAA qqqqqq",
    "cmp4.ne.or.andcm p1,p2=imm,r3"),
  // A9
  .init(.padd1, .A9, "1000 0 01 0 0000 00 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "padd1 r1=r2,r3"),
  .init(.padd1_sss, .A9, "1000 0 01 0 0000 01 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "padd1.sss r1=r2,r3"),
  .init(.padd1_uuu, .A9, "1000 0 01 0 0000 10 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "padd1.uuu r1=r2,r3"),
  .init(.padd1_uus, .A9, "1000 0 01 0 0000 11 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "padd1.uus r1=r2,r3"),
  .init(.padd2, .A9, "1000 0 01 1 0000 00 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "padd2 r1=r2,r3"),
  .init(.padd2_sss, .A9, "1000 0 01 1 0000 01 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "padd2.sss r1=r2,r3"),
  .init(.padd2_uuu, .A9, "1000 0 01 1 0000 10 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "padd2.uuu r1=r2,r3"),
  .init(.padd2_uus, .A9, "1000 0 01 1 0000 11 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "padd2.uus r1=r2,r3"),
  .init(.padd4, .A9, "1000 1 01 0 0000 00 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "padd4 r1=r2,r3"),
  .init(.psub1, .A9, "1000 0 01 0 0001 00 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "psub1 r1=r2,r3"),
  .init(.psub1_sss, .A9, "1000 0 01 0 0001 01 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "psub1.sss r1=r2,r3"),
  .init(.psub1_uuu, .A9, "1000 0 01 0 0001 10 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "psub1.uuu r1=r2,r3"),
  .init(.psub1_uus, .A9, "1000 0 01 0 0001 11 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "psub1.uus r1=r2,r3"),
  .init(.psub2, .A9, "1000 0 01 1 0001 00 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "psub2 r1=r2,r3"),
  .init(.psub2_sss, .A9, "1000 0 01 1 0001 01 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "psub2.sss r1=r2,r3"),
  .init(.psub2_uuu, .A9, "1000 0 01 1 0001 10 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "psub2.uuu r1=r2,r3"),
  .init(.psub2_uus, .A9, "1000 0 01 1 0001 11 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "psub2.uus r1=r2,r3"),
  .init(.psub4, .A9, "1000 1 01 0 0001 00 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "psub4 r1=r2,r3"),
  .init(.pavg1, .A9, "1000 0 01 0 0010 10 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "pavg1 r1=r2,r3"),
  .init(.pavg1_raz, .A9, "1000 0 01 0 0010 11 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "pavg1.raz r1=r2,r3"),
  .init(.pavg2, .A9, "1000 0 01 1 0010 10 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "pavg2 r1=r2,r3"),
  .init(.pavg2_raz, .A9, "1000 0 01 1 0010 11 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "pavg2.raz r1=r2,r3"),
  .init(.pavgsub1, .A9, "1000 0 01 0 0011 10 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "pavgsub1 r1=r2,r3"),
  .init(.pavgsub2, .A9, "1000 0 01 1 0011 10 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "pavgsub2 r1=r2,r3"),
  .init(.pcmp1_eq, .A9, "1000 0 01 0 1001 00 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "pcmp1.eq r1=r2,r3"),
  .init(.pcmp1_gt, .A9, "1000 0 01 0 1001 01 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "pcmp1.gt r1=r2,r3"),
  .init(.pcmp2_eq, .A9, "1000 0 01 1 1001 00 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "pcmp2.eq r1=r2,r3"),
  .init(.pcmp2_gt, .A9, "1000 0 01 1 1001 01 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "pcmp2.gt r1=r2,r3"),
  .init(.pcmp4_eq, .A9, "1000 1 01 0 1001 00 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "pcmp4.eq r1=r2,r3"),
  .init(.pcmp4_gt, .A9, "1000 1 01 0 1001 01 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "pcmp4.gt r1=r2,r3"),
  // A10
  .init(.pshladd2, .A10, "1000 0 01 1 0100 XX CCCCCCC BBBBBBB AAAAAAA qqqqqq", "pshladd2 r1=r2,count,r3"),
  .init(.pshradd2, .A10, "1000 0 01 1 0110 XX CCCCCCC BBBBBBB AAAAAAA qqqqqq", "pshradd2 r1=r2,count,r3"),
]
