// The instruction table: operations of the I unit (Intel Itanium Architecture SDM, volume 3,
// section 4.3). How a row reads stands at `InstructionRow`.

let instructionTableI: [InstructionRow] = [
  // I1
  .init(.pmpyshr2, .I1, "0111 0 00 1 0 kk 11 - CCCCCCC BBBBBBB AAAAAAA qqqqqq", "pmpyshr2 r1=r2,r3,count"),
  .init(.pmpyshr2_u, .I1, "0111 0 00 1 0 kk 01 - CCCCCCC BBBBBBB AAAAAAA qqqqqq", "pmpyshr2.u r1=r2,r3,count"),
  // I2
  .init(.pmpy2_r, .I2, "0111 0 10 1 0 11 01 - CCCCCCC BBBBBBB AAAAAAA qqqqqq", "pmpy2.r r1=r2,r3"),
  .init(.pmpy2_l, .I2, "0111 0 10 1 0 11 11 - CCCCCCC BBBBBBB AAAAAAA qqqqqq", "pmpy2.l r1=r2,r3"),
  .init(.mpy4, .I2, "0111 1 00 0 0 11 01 - CCCCCCC BBBBBBB AAAAAAA qqqqqq", "mpy4 r1=r2,r3"),
  .init(.mpyshl4, .I2, "0111 1 00 0 0 11 11 - CCCCCCC BBBBBBB AAAAAAA qqqqqq", "mpyshl4 r1=r2,r3"),
  .init(.mix1_r, .I2, "0111 0 10 0 0 10 00 - CCCCCCC BBBBBBB AAAAAAA qqqqqq", "mix1.r r1=r2,r3"),
  .init(.mix2_r, .I2, "0111 0 10 1 0 10 00 - CCCCCCC BBBBBBB AAAAAAA qqqqqq", "mix2.r r1=r2,r3"),
  .init(.mix4_r, .I2, "0111 1 10 0 0 10 00 - CCCCCCC BBBBBBB AAAAAAA qqqqqq", "mix4.r r1=r2,r3"),
  .init(.mix1_l, .I2, "0111 0 10 0 0 10 10 - CCCCCCC BBBBBBB AAAAAAA qqqqqq", "mix1.l r1=r2,r3"),
  .init(.mix2_l, .I2, "0111 0 10 1 0 10 10 - CCCCCCC BBBBBBB AAAAAAA qqqqqq", "mix2.l r1=r2,r3"),
  .init(.mix4_l, .I2, "0111 1 10 0 0 10 10 - CCCCCCC BBBBBBB AAAAAAA qqqqqq", "mix4.l r1=r2,r3"),
  .init(.pack2_uss, .I2, "0111 0 10 1 0 00 00 - CCCCCCC BBBBBBB AAAAAAA qqqqqq", "pack2.uss r1=r2,r3"),
  .init(.pack2_sss, .I2, "0111 0 10 1 0 00 10 - CCCCCCC BBBBBBB AAAAAAA qqqqqq", "pack2.sss r1=r2,r3"),
  .init(.pack4_sss, .I2, "0111 1 10 0 0 00 10 - CCCCCCC BBBBBBB AAAAAAA qqqqqq", "pack4.sss r1=r2,r3"),
  .init(.unpack1_h, .I2, "0111 0 10 0 0 01 00 - CCCCCCC BBBBBBB AAAAAAA qqqqqq", "unpack1.h r1=r2,r3"),
  .init(.unpack2_h, .I2, "0111 0 10 1 0 01 00 - CCCCCCC BBBBBBB AAAAAAA qqqqqq", "unpack2.h r1=r2,r3"),
  .init(.unpack4_h, .I2, "0111 1 10 0 0 01 00 - CCCCCCC BBBBBBB AAAAAAA qqqqqq", "unpack4.h r1=r2,r3"),
  .init(.unpack1_l, .I2, "0111 0 10 0 0 01 10 - CCCCCCC BBBBBBB AAAAAAA qqqqqq", "unpack1.l r1=r2,r3"),
  .init(.unpack2_l, .I2, "0111 0 10 1 0 01 10 - CCCCCCC BBBBBBB AAAAAAA qqqqqq", "unpack2.l r1=r2,r3"),
  .init(.unpack4_l, .I2, "0111 1 10 0 0 01 10 - CCCCCCC BBBBBBB AAAAAAA qqqqqq", "unpack4.l r1=r2,r3"),
  .init(.pmin1_u, .I2, "0111 0 10 0 0 00 01 - CCCCCCC BBBBBBB AAAAAAA qqqqqq", "pmin1.u r1=r2,r3"),
  .init(.pmax1_u, .I2, "0111 0 10 0 0 01 01 - CCCCCCC BBBBBBB AAAAAAA qqqqqq", "pmax1.u r1=r2,r3"),
  .init(.pmin2, .I2, "0111 0 10 1 0 00 11 - CCCCCCC BBBBBBB AAAAAAA qqqqqq", "pmin2 r1=r2,r3"),
  .init(.pmax2, .I2, "0111 0 10 1 0 01 11 - CCCCCCC BBBBBBB AAAAAAA qqqqqq", "pmax2 r1=r2,r3"),
  .init(.psad1, .I2, "0111 0 10 0 0 10 11 - CCCCCCC BBBBBBB AAAAAAA qqqqqq", "psad1 r1=r2,r3"),
  // I3
  .init(.mux1, .I3, "0111 0 11 0 0 10 10 - --- xxxx BBBBBBB AAAAAAA qqqqqq", "mux1 r1=r2,mbtype"),
  // I4
  .init(.mux2, .I4, "0111 0 11 1 0 10 10 xxxxxxxx BBBBBBB AAAAAAA qqqqqq", "mux2 r1=r2,mhtype"),
  // I5
  .init(.pshr2, .I5, "0111 0 00 1 0 00 10 - CCCCCCC BBBBBBB AAAAAAA qqqqqq", "pshr2 r1=r3,r2"),
  .init(.pshr4, .I5, "0111 1 00 0 0 00 10 - CCCCCCC BBBBBBB AAAAAAA qqqqqq", "pshr4 r1=r3,r2"),
  .init(.shr, .I5, "0111 1 00 1 0 00 10 - CCCCCCC BBBBBBB AAAAAAA qqqqqq", "shr r1=r3,r2"),
  .init(.pshr2_u, .I5, "0111 0 00 1 0 00 00 - CCCCCCC BBBBBBB AAAAAAA qqqqqq", "pshr2.u r1=r3,r2"),
  .init(.pshr4_u, .I5, "0111 1 00 0 0 00 00 - CCCCCCC BBBBBBB AAAAAAA qqqqqq", "pshr4.u r1=r3,r2"),
  .init(.shr_u, .I5, "0111 1 00 1 0 00 00 - CCCCCCC BBBBBBB AAAAAAA qqqqqq", "shr.u r1=r3,r2"),
  // I6
  .init(.pshr2_imm, .I6, "0111 0 01 1 0 00 11 - CCCCCCC - xxxxx - AAAAAAA qqqqqq", "pshr2 r1=r3,count"),
  .init(.pshr4_imm, .I6, "0111 1 01 0 0 00 11 - CCCCCCC - xxxxx - AAAAAAA qqqqqq", "pshr4 r1=r3,count"),
  .init(.pshr2_u_imm, .I6, "0111 0 01 1 0 00 01 - CCCCCCC - xxxxx - AAAAAAA qqqqqq", "pshr2.u r1=r3,count"),
  .init(.pshr4_u_imm, .I6, "0111 1 01 0 0 00 01 - CCCCCCC - xxxxx - AAAAAAA qqqqqq", "pshr4.u r1=r3,count"),
  // I7
  .init(.pshl2, .I7, "0111 0 00 1 0 01 00 - CCCCCCC BBBBBBB AAAAAAA qqqqqq", "pshl2 r1=r2,r3"),
  .init(.pshl4, .I7, "0111 1 00 0 0 01 00 - CCCCCCC BBBBBBB AAAAAAA qqqqqq", "pshl4 r1=r2,r3"),
  .init(.shl, .I7, "0111 1 00 1 0 01 00 - CCCCCCC BBBBBBB AAAAAAA qqqqqq", "shl r1=r2,r3"),
  // I8
  .init(.pshl2_imm, .I8, "0111 0 11 1 0 01 01 - -- ppppp BBBBBBB AAAAAAA qqqqqq", "pshl2 r1=r2,count"),
  .init(.pshl4_imm, .I8, "0111 1 11 0 0 01 01 - -- ppppp BBBBBBB AAAAAAA qqqqqq", "pshl4 r1=r2,count"),
  // I9
  .init(.popcnt, .I9, "0111 0 01 1 0 10 01 - CCCCCCC ooooooo AAAAAAA qqqqqq", "popcnt r1=r3"),
  .init(.clz, .I9, "0111 0 01 1 0 11 01 - CCCCCCC ooooooo AAAAAAA qqqqqq", "clz r1=r3"),
  // I10
  .init(.shrp, .I10, "0101 - 11 0 xxxxxx CCCCCCC BBBBBBB AAAAAAA qqqqqq", "shrp r1=r2,r3,count"),
  // I11
  .init(.extr_u, .I11, "0101 - 01 0 YYYYYY CCCCCCC xxxxxx 0 AAAAAAA qqqqqq", "extr.u r1=r3,pos,len"),
  .init(.extr, .I11, "0101 - 01 0 YYYYYY CCCCCCC xxxxxx 1 AAAAAAA qqqqqq", "extr r1=r3,pos,len"),
  // I12
  .init(.dep_z, .I12, "0101 - 01 1 YYYYYY 0 pppppp BBBBBBB AAAAAAA qqqqqq", "dep.z r1=r2,pos,len"),
  // I13
  .init(.dep_z_imm, .I13, "0101 s 01 1 YYYYYY 1 pppppp aaaaaaa AAAAAAA qqqqqq", "dep.z r1=imm,pos,len"),
  // I14
  .init(.dep_imm, .I14, "0101 s 11 1 YYYYYY CCCCCCC pppppp - AAAAAAA qqqqqq", "dep r1=imm,r3,pos,len"),
  // I15
  .init(.dep, .I15, "0100 pppppp YYYY CCCCCCC BBBBBBB AAAAAAA qqqqqq", "dep r1=r2,r3,pos,len"),
  // I16
  .init(.tbit_z, .I16, "0101 0 00 0 DDDDDD CCCCCCC xxxxxx 0 0 AAAAAA qqqqqq", "tbit.z p1,p2=r3,pos"),
  .init(
    .tbit_z_unc, .I16, "0101 0 00 0 DDDDDD CCCCCCC xxxxxx 0 1 AAAAAA qqqqqq",
    "tbit.z.unc p1,p2=r3,pos", .unconditional),
  .init(.tbit_z_and, .I16, "0101 1 00 0 DDDDDD CCCCCCC xxxxxx 0 0 AAAAAA qqqqqq", "tbit.z.and p1,p2=r3,pos"),
  .init(.tbit_nz_and, .I16, "0101 1 00 0 DDDDDD CCCCCCC xxxxxx 0 1 AAAAAA qqqqqq", "tbit.nz.and p1,p2=r3,pos"),
  .init(.tbit_z_or, .I16, "0101 0 00 1 DDDDDD CCCCCCC xxxxxx 0 0 AAAAAA qqqqqq", "tbit.z.or p1,p2=r3,pos"),
  .init(.tbit_nz_or, .I16, "0101 0 00 1 DDDDDD CCCCCCC xxxxxx 0 1 AAAAAA qqqqqq", "tbit.nz.or p1,p2=r3,pos"),
  .init(.tbit_z_or_andcm, .I16, "0101 1 00 1 DDDDDD CCCCCCC xxxxxx 0 0 AAAAAA qqqqqq", "tbit.z.or.andcm p1,p2=r3,pos"),
  .init(
    .tbit_nz_or_andcm, .I16, "0101 1 00 1 DDDDDD CCCCCCC xxxxxx 0 1 AAAAAA qqqqqq",
    "tbit.nz.or.andcm p1,p2=r3,pos"),
  // I17
  .init(.tnat_z, .I17, "0101 0 00 0 DDDDDD CCCCCCC 0 ----- 1 0 AAAAAA qqqqqq", "tnat.z p1,p2=r3"),
  .init(
    .tnat_z_unc, .I17, "0101 0 00 0 DDDDDD CCCCCCC 0 ----- 1 1 AAAAAA qqqqqq",
    "tnat.z.unc p1,p2=r3", .unconditional),
  .init(.tnat_z_and, .I17, "0101 1 00 0 DDDDDD CCCCCCC 0 ----- 1 0 AAAAAA qqqqqq", "tnat.z.and p1,p2=r3"),
  .init(.tnat_nz_and, .I17, "0101 1 00 0 DDDDDD CCCCCCC 0 ----- 1 1 AAAAAA qqqqqq", "tnat.nz.and p1,p2=r3"),
  .init(.tnat_z_or, .I17, "0101 0 00 1 DDDDDD CCCCCCC 0 ----- 1 0 AAAAAA qqqqqq", "tnat.z.or p1,p2=r3"),
  .init(.tnat_nz_or, .I17, "0101 0 00 1 DDDDDD CCCCCCC 0 ----- 1 1 AAAAAA qqqqqq", "tnat.nz.or p1,p2=r3"),
  .init(.tnat_z_or_andcm, .I17, "0101 1 00 1 DDDDDD CCCCCCC 0 ----- 1 0 AAAAAA qqqqqq", "tnat.z.or.andcm p1,p2=r3"),
  .init(.tnat_nz_or_andcm, .I17, "0101 1 00 1 DDDDDD CCCCCCC 0 ----- 1 1 AAAAAA qqqqqq", "tnat.nz.or.andcm p1,p2=r3"),
  // I30
  .init(.tf_z, .I30, "0101 0 00 0 DDDDDD ooooooo 1 wwwww 1 0 AAAAAA qqqqqq", "tf.z p1,p2=feature"),
  .init(
    .tf_z_unc, .I30, "0101 0 00 0 DDDDDD ooooooo 1 wwwww 1 1 AAAAAA qqqqqq",
    "tf.z.unc p1,p2=feature", .unconditional),
  .init(.tf_z_and, .I30, "0101 1 00 0 DDDDDD ooooooo 1 wwwww 1 0 AAAAAA qqqqqq", "tf.z.and p1,p2=feature"),
  .init(.tf_nz_and, .I30, "0101 1 00 0 DDDDDD ooooooo 1 wwwww 1 1 AAAAAA qqqqqq", "tf.nz.and p1,p2=feature"),
  .init(.tf_z_or, .I30, "0101 0 00 1 DDDDDD ooooooo 1 wwwww 1 0 AAAAAA qqqqqq", "tf.z.or p1,p2=feature"),
  .init(.tf_nz_or, .I30, "0101 0 00 1 DDDDDD ooooooo 1 wwwww 1 1 AAAAAA qqqqqq", "tf.nz.or p1,p2=feature"),
  .init(.tf_z_or_andcm, .I30, "0101 1 00 1 DDDDDD ooooooo 1 wwwww 1 0 AAAAAA qqqqqq", "tf.z.or.andcm p1,p2=feature"),
  .init(.tf_nz_or_andcm, .I30, "0101 1 00 1 DDDDDD ooooooo 1 wwwww 1 1 AAAAAA qqqqqq", "tf.nz.or.andcm p1,p2=feature"),
  // I18
  .init(.nop_i, .I18, "0000 b 000 000001 0 aaaaaaaaaaaaaaaaaaaa qqqqqq", "nop.i uimm"),
  .init(.hint_i, .I18, "0000 b 000 000001 1 aaaaaaaaaaaaaaaaaaaa qqqqqq", "hint.i uimm"),
  // I19
  .init(.break_i, .I19, "0000 b 000 000000 - aaaaaaaaaaaaaaaaaaaa qqqqqq", "break.i uimm", .faultingEnding),
  // I20
  .init(.chk_s_i, .I20, "0000 s 001 bbbbbbbbbbbbb BBBBBBB aaaaaaa qqqqqq", "chk.s.i r2,target", .branch),
  // I21
  .init(.mov_to_br, .I21, "0000 - 111 saaaaaaaa h 0 hh BBBBBBB ---- AAA qqqqqq", "mov{mwh}{ih} b1=r2,tag"),
  .init(.mov_ret_to_br, .I21, "0000 - 111 saaaaaaaa h 1 hh BBBBBBB ---- AAA qqqqqq", "mov.ret{mwh}{ih} b1=r2,tag"),
  // I22
  .init(.mov_from_br, .I22, "0000 - 000 110001 ----------- BBB AAAAAAA qqqqqq", "mov r1=b2"),
  // I23
  .init(.mov_to_pr, .I23, "0000 s 011 - bbbbbbbb ---- BBBBBBB aaaaaaa qqqqqq", "mov pr=r2,mask"),
  // I24
  .init(.mov_to_pr_rot, .I24, "0000 s 010 aaaaaaaaaaaaaaaaaaaaaaaaaaa qqqqqq", "mov pr.rot=imm44"),
  // I25
  .init(.mov_from_ip, .I25, "0000 - 000 110000 -------------- AAAAAAA qqqqqq", "mov r1=ip"),
  .init(.mov_from_pr, .I25, "0000 - 000 110011 -------------- AAAAAAA qqqqqq", "mov r1=pr"),
  // I26
  .init(.mov_to_ar_i, .I26, "0000 - 000 101010 CCCCCCC BBBBBBB ------- qqqqqq", "mov.i ar3=r2", .faulting),
  // I27
  .init(.mov_to_ar_i_imm, .I27, "0000 s 000 001010 CCCCCCC aaaaaaa ------- qqqqqq", "mov.i ar3=imm", .faulting),
  // I28
  .init(.mov_from_ar_i, .I28, "0000 - 000 110010 CCCCCCC ------- AAAAAAA qqqqqq", "mov.i r1=ar3", .faulting),
  // I29
  .init(.zxt1, .I29, "0000 - 000 010000 CCCCCCC ------- AAAAAAA qqqqqq", "zxt1 r1=r3"),
  .init(.zxt2, .I29, "0000 - 000 010001 CCCCCCC ------- AAAAAAA qqqqqq", "zxt2 r1=r3"),
  .init(.zxt4, .I29, "0000 - 000 010010 CCCCCCC ------- AAAAAAA qqqqqq", "zxt4 r1=r3"),
  .init(.sxt1, .I29, "0000 - 000 010100 CCCCCCC ------- AAAAAAA qqqqqq", "sxt1 r1=r3"),
  .init(.sxt2, .I29, "0000 - 000 010101 CCCCCCC ------- AAAAAAA qqqqqq", "sxt2 r1=r3"),
  .init(.sxt4, .I29, "0000 - 000 010110 CCCCCCC ------- AAAAAAA qqqqqq", "sxt4 r1=r3"),
  .init(.czx1_l, .I29, "0000 - 000 011000 CCCCCCC ------- AAAAAAA qqqqqq", "czx1.l r1=r3"),
  .init(.czx2_l, .I29, "0000 - 000 011001 CCCCCCC ------- AAAAAAA qqqqqq", "czx2.l r1=r3"),
  .init(.czx1_r, .I29, "0000 - 000 011100 CCCCCCC ------- AAAAAAA qqqqqq", "czx1.r r1=r3"),
  .init(.czx2_r, .I29, "0000 - 000 011101 CCCCCCC ------- AAAAAAA qqqqqq", "czx2.r r1=r3"),
]
