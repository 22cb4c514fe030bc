// The instruction table: operations of the M unit: memory, system, moves (Intel Itanium Architecture SDM, volume 3,
// section 4.4). How a row reads stands at `InstructionRow`.

let instructionTableM: [InstructionRow] = [
  // M1
  .init(.ld1, .M1, "0100 0 000000 hh 0 CCCCCCC h------ AAAAAAA qqqqqq", "ld1{ld} r1=[r3]", .load),
  .init(.ld2, .M1, "0100 0 000001 hh 0 CCCCCCC h------ AAAAAAA qqqqqq", "ld2{ld} r1=[r3]", .load),
  .init(.ld4, .M1, "0100 0 000010 hh 0 CCCCCCC h------ AAAAAAA qqqqqq", "ld4{ld} r1=[r3]", .load),
  .init(.ld8, .M1, "0100 0 000011 hh 0 CCCCCCC h------ AAAAAAA qqqqqq", "ld8{ld} r1=[r3]", .load),
  .init(.ld1_s, .M1, "0100 0 000100 hh 0 CCCCCCC h------ AAAAAAA qqqqqq", "ld1.s{ld} r1=[r3]", .speculativeLoad),
  .init(.ld2_s, .M1, "0100 0 000101 hh 0 CCCCCCC h------ AAAAAAA qqqqqq", "ld2.s{ld} r1=[r3]", .speculativeLoad),
  .init(.ld4_s, .M1, "0100 0 000110 hh 0 CCCCCCC h------ AAAAAAA qqqqqq", "ld4.s{ld} r1=[r3]", .speculativeLoad),
  .init(.ld8_s, .M1, "0100 0 000111 hh 0 CCCCCCC h------ AAAAAAA qqqqqq", "ld8.s{ld} r1=[r3]", .speculativeLoad),
  .init(.ld1_a, .M1, "0100 0 001000 hh 0 CCCCCCC h------ AAAAAAA qqqqqq", "ld1.a{ld} r1=[r3]", .advancedLoad),
  .init(.ld2_a, .M1, "0100 0 001001 hh 0 CCCCCCC h------ AAAAAAA qqqqqq", "ld2.a{ld} r1=[r3]", .advancedLoad),
  .init(.ld4_a, .M1, "0100 0 001010 hh 0 CCCCCCC h------ AAAAAAA qqqqqq", "ld4.a{ld} r1=[r3]", .advancedLoad),
  .init(.ld8_a, .M1, "0100 0 001011 hh 0 CCCCCCC h------ AAAAAAA qqqqqq", "ld8.a{ld} r1=[r3]", .advancedLoad),
  .init(
    .ld1_sa, .M1, "0100 0 001100 hh 0 CCCCCCC h------ AAAAAAA qqqqqq",
    "ld1.sa{ld} r1=[r3]", .speculativeAdvancedLoad),
  .init(
    .ld2_sa, .M1, "0100 0 001101 hh 0 CCCCCCC h------ AAAAAAA qqqqqq",
    "ld2.sa{ld} r1=[r3]", .speculativeAdvancedLoad),
  .init(
    .ld4_sa, .M1, "0100 0 001110 hh 0 CCCCCCC h------ AAAAAAA qqqqqq",
    "ld4.sa{ld} r1=[r3]", .speculativeAdvancedLoad),
  .init(
    .ld8_sa, .M1, "0100 0 001111 hh 0 CCCCCCC h------ AAAAAAA qqqqqq",
    "ld8.sa{ld} r1=[r3]", .speculativeAdvancedLoad),
  .init(.ld1_bias, .M1, "0100 0 010000 hh 0 CCCCCCC h------ AAAAAAA qqqqqq", "ld1.bias{ld} r1=[r3]", .load),
  .init(.ld2_bias, .M1, "0100 0 010001 hh 0 CCCCCCC h------ AAAAAAA qqqqqq", "ld2.bias{ld} r1=[r3]", .load),
  .init(.ld4_bias, .M1, "0100 0 010010 hh 0 CCCCCCC h------ AAAAAAA qqqqqq", "ld4.bias{ld} r1=[r3]", .load),
  .init(.ld8_bias, .M1, "0100 0 010011 hh 0 CCCCCCC h------ AAAAAAA qqqqqq", "ld8.bias{ld} r1=[r3]", .load),
  .init(.ld1_acq, .M1, "0100 0 010100 hh 0 CCCCCCC h------ AAAAAAA qqqqqq", "ld1.acq{ld} r1=[r3]", .load),
  .init(.ld2_acq, .M1, "0100 0 010101 hh 0 CCCCCCC h------ AAAAAAA qqqqqq", "ld2.acq{ld} r1=[r3]", .load),
  .init(.ld4_acq, .M1, "0100 0 010110 hh 0 CCCCCCC h------ AAAAAAA qqqqqq", "ld4.acq{ld} r1=[r3]", .load),
  .init(.ld8_acq, .M1, "0100 0 010111 hh 0 CCCCCCC h------ AAAAAAA qqqqqq", "ld8.acq{ld} r1=[r3]", .load),
  .init(.ld8_fill, .M1, "0100 0 011011 hh 0 CCCCCCC h------ AAAAAAA qqqqqq", "ld8.fill{ld} r1=[r3]", .load),
  .init(.ld1_c_clr, .M1, "0100 0 100000 hh 0 CCCCCCC h------ AAAAAAA qqqqqq", "ld1.c.clr{ld} r1=[r3]", .checkLoad),
  .init(.ld2_c_clr, .M1, "0100 0 100001 hh 0 CCCCCCC h------ AAAAAAA qqqqqq", "ld2.c.clr{ld} r1=[r3]", .checkLoad),
  .init(.ld4_c_clr, .M1, "0100 0 100010 hh 0 CCCCCCC h------ AAAAAAA qqqqqq", "ld4.c.clr{ld} r1=[r3]", .checkLoad),
  .init(.ld8_c_clr, .M1, "0100 0 100011 hh 0 CCCCCCC h------ AAAAAAA qqqqqq", "ld8.c.clr{ld} r1=[r3]", .checkLoad),
  .init(.ld1_c_nc, .M1, "0100 0 100100 hh 0 CCCCCCC h------ AAAAAAA qqqqqq", "ld1.c.nc{ld} r1=[r3]", .checkLoad),
  .init(.ld2_c_nc, .M1, "0100 0 100101 hh 0 CCCCCCC h------ AAAAAAA qqqqqq", "ld2.c.nc{ld} r1=[r3]", .checkLoad),
  .init(.ld4_c_nc, .M1, "0100 0 100110 hh 0 CCCCCCC h------ AAAAAAA qqqqqq", "ld4.c.nc{ld} r1=[r3]", .checkLoad),
  .init(.ld8_c_nc, .M1, "0100 0 100111 hh 0 CCCCCCC h------ AAAAAAA qqqqqq", "ld8.c.nc{ld} r1=[r3]", .checkLoad),
  .init(
    .ld1_c_clr_acq, .M1, "0100 0 101000 hh 0 CCCCCCC h------ AAAAAAA qqqqqq",
    "ld1.c.clr.acq{ld} r1=[r3]", .checkLoad),
  .init(
    .ld2_c_clr_acq, .M1, "0100 0 101001 hh 0 CCCCCCC h------ AAAAAAA qqqqqq",
    "ld2.c.clr.acq{ld} r1=[r3]", .checkLoad),
  .init(
    .ld4_c_clr_acq, .M1, "0100 0 101010 hh 0 CCCCCCC h------ AAAAAAA qqqqqq",
    "ld4.c.clr.acq{ld} r1=[r3]", .checkLoad),
  .init(
    .ld8_c_clr_acq, .M1, "0100 0 101011 hh 0 CCCCCCC h------ AAAAAAA qqqqqq",
    "ld8.c.clr.acq{ld} r1=[r3]", .checkLoad),
  .init(.ld16, .M1, "0100 0 101000 hh 1 CCCCCCC h------ AAAAAAA qqqqqq", "ld16{ld} r1,ar.csd=[r3]", .load),
  .init(.ld16_acq, .M1, "0100 0 101100 hh 1 CCCCCCC h------ AAAAAAA qqqqqq", "ld16.acq{ld} r1,ar.csd=[r3]", .load),
  // M2
  .init(.ld1_r, .M2, "0100 1 000000 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "ld1{ldx} r1=[r3],r2", .load),
  .init(.ld2_r, .M2, "0100 1 000001 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "ld2{ldx} r1=[r3],r2", .load),
  .init(.ld4_r, .M2, "0100 1 000010 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "ld4{ldx} r1=[r3],r2", .load),
  .init(.ld8_r, .M2, "0100 1 000011 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "ld8{ldx} r1=[r3],r2", .load),
  .init(.ld1_s_r, .M2, "0100 1 000100 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "ld1.s{ldx} r1=[r3],r2", .speculativeLoad),
  .init(.ld2_s_r, .M2, "0100 1 000101 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "ld2.s{ldx} r1=[r3],r2", .speculativeLoad),
  .init(.ld4_s_r, .M2, "0100 1 000110 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "ld4.s{ldx} r1=[r3],r2", .speculativeLoad),
  .init(.ld8_s_r, .M2, "0100 1 000111 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "ld8.s{ldx} r1=[r3],r2", .speculativeLoad),
  .init(.ld1_a_r, .M2, "0100 1 001000 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "ld1.a{ldx} r1=[r3],r2", .advancedLoad),
  .init(.ld2_a_r, .M2, "0100 1 001001 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "ld2.a{ldx} r1=[r3],r2", .advancedLoad),
  .init(.ld4_a_r, .M2, "0100 1 001010 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "ld4.a{ldx} r1=[r3],r2", .advancedLoad),
  .init(.ld8_a_r, .M2, "0100 1 001011 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "ld8.a{ldx} r1=[r3],r2", .advancedLoad),
  .init(
    .ld1_sa_r, .M2, "0100 1 001100 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "ld1.sa{ldx} r1=[r3],r2", .speculativeAdvancedLoad),
  .init(
    .ld2_sa_r, .M2, "0100 1 001101 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "ld2.sa{ldx} r1=[r3],r2", .speculativeAdvancedLoad),
  .init(
    .ld4_sa_r, .M2, "0100 1 001110 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "ld4.sa{ldx} r1=[r3],r2", .speculativeAdvancedLoad),
  .init(
    .ld8_sa_r, .M2, "0100 1 001111 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "ld8.sa{ldx} r1=[r3],r2", .speculativeAdvancedLoad),
  .init(.ld1_bias_r, .M2, "0100 1 010000 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "ld1.bias{ldx} r1=[r3],r2", .load),
  .init(.ld2_bias_r, .M2, "0100 1 010001 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "ld2.bias{ldx} r1=[r3],r2", .load),
  .init(.ld4_bias_r, .M2, "0100 1 010010 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "ld4.bias{ldx} r1=[r3],r2", .load),
  .init(.ld8_bias_r, .M2, "0100 1 010011 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "ld8.bias{ldx} r1=[r3],r2", .load),
  .init(.ld1_acq_r, .M2, "0100 1 010100 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "ld1.acq{ldx} r1=[r3],r2", .load),
  .init(.ld2_acq_r, .M2, "0100 1 010101 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "ld2.acq{ldx} r1=[r3],r2", .load),
  .init(.ld4_acq_r, .M2, "0100 1 010110 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "ld4.acq{ldx} r1=[r3],r2", .load),
  .init(.ld8_acq_r, .M2, "0100 1 010111 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "ld8.acq{ldx} r1=[r3],r2", .load),
  .init(.ld8_fill_r, .M2, "0100 1 011011 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "ld8.fill{ldx} r1=[r3],r2", .load),
  .init(
    .ld1_c_clr_r, .M2, "0100 1 100000 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "ld1.c.clr{ldx} r1=[r3],r2", .checkLoad),
  .init(
    .ld2_c_clr_r, .M2, "0100 1 100001 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "ld2.c.clr{ldx} r1=[r3],r2", .checkLoad),
  .init(
    .ld4_c_clr_r, .M2, "0100 1 100010 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "ld4.c.clr{ldx} r1=[r3],r2", .checkLoad),
  .init(
    .ld8_c_clr_r, .M2, "0100 1 100011 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "ld8.c.clr{ldx} r1=[r3],r2", .checkLoad),
  .init(.ld1_c_nc_r, .M2, "0100 1 100100 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "ld1.c.nc{ldx} r1=[r3],r2", .checkLoad),
  .init(.ld2_c_nc_r, .M2, "0100 1 100101 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "ld2.c.nc{ldx} r1=[r3],r2", .checkLoad),
  .init(.ld4_c_nc_r, .M2, "0100 1 100110 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "ld4.c.nc{ldx} r1=[r3],r2", .checkLoad),
  .init(.ld8_c_nc_r, .M2, "0100 1 100111 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "ld8.c.nc{ldx} r1=[r3],r2", .checkLoad),
  .init(
    .ld1_c_clr_acq_r, .M2, "0100 1 101000 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "ld1.c.clr.acq{ldx} r1=[r3],r2", .checkLoad),
  .init(
    .ld2_c_clr_acq_r, .M2, "0100 1 101001 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "ld2.c.clr.acq{ldx} r1=[r3],r2", .checkLoad),
  .init(
    .ld4_c_clr_acq_r, .M2, "0100 1 101010 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "ld4.c.clr.acq{ldx} r1=[r3],r2", .checkLoad),
  .init(
    .ld8_c_clr_acq_r, .M2, "0100 1 101011 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "ld8.c.clr.acq{ldx} r1=[r3],r2", .checkLoad),
  // M3
  .init(.ld1_i, .M3, "0101 s 000000 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq", "ld1{ldx} r1=[r3],imm", .load),
  .init(.ld2_i, .M3, "0101 s 000001 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq", "ld2{ldx} r1=[r3],imm", .load),
  .init(.ld4_i, .M3, "0101 s 000010 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq", "ld4{ldx} r1=[r3],imm", .load),
  .init(.ld8_i, .M3, "0101 s 000011 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq", "ld8{ldx} r1=[r3],imm", .load),
  .init(.ld1_s_i, .M3, "0101 s 000100 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq", "ld1.s{ldx} r1=[r3],imm", .speculativeLoad),
  .init(.ld2_s_i, .M3, "0101 s 000101 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq", "ld2.s{ldx} r1=[r3],imm", .speculativeLoad),
  .init(.ld4_s_i, .M3, "0101 s 000110 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq", "ld4.s{ldx} r1=[r3],imm", .speculativeLoad),
  .init(.ld8_s_i, .M3, "0101 s 000111 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq", "ld8.s{ldx} r1=[r3],imm", .speculativeLoad),
  .init(.ld1_a_i, .M3, "0101 s 001000 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq", "ld1.a{ldx} r1=[r3],imm", .advancedLoad),
  .init(.ld2_a_i, .M3, "0101 s 001001 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq", "ld2.a{ldx} r1=[r3],imm", .advancedLoad),
  .init(.ld4_a_i, .M3, "0101 s 001010 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq", "ld4.a{ldx} r1=[r3],imm", .advancedLoad),
  .init(.ld8_a_i, .M3, "0101 s 001011 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq", "ld8.a{ldx} r1=[r3],imm", .advancedLoad),
  .init(
    .ld1_sa_i, .M3, "0101 s 001100 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq",
    "ld1.sa{ldx} r1=[r3],imm", .speculativeAdvancedLoad),
  .init(
    .ld2_sa_i, .M3, "0101 s 001101 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq",
    "ld2.sa{ldx} r1=[r3],imm", .speculativeAdvancedLoad),
  .init(
    .ld4_sa_i, .M3, "0101 s 001110 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq",
    "ld4.sa{ldx} r1=[r3],imm", .speculativeAdvancedLoad),
  .init(
    .ld8_sa_i, .M3, "0101 s 001111 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq",
    "ld8.sa{ldx} r1=[r3],imm", .speculativeAdvancedLoad),
  .init(.ld1_bias_i, .M3, "0101 s 010000 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq", "ld1.bias{ldx} r1=[r3],imm", .load),
  .init(.ld2_bias_i, .M3, "0101 s 010001 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq", "ld2.bias{ldx} r1=[r3],imm", .load),
  .init(.ld4_bias_i, .M3, "0101 s 010010 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq", "ld4.bias{ldx} r1=[r3],imm", .load),
  .init(.ld8_bias_i, .M3, "0101 s 010011 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq", "ld8.bias{ldx} r1=[r3],imm", .load),
  .init(.ld1_acq_i, .M3, "0101 s 010100 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq", "ld1.acq{ldx} r1=[r3],imm", .load),
  .init(.ld2_acq_i, .M3, "0101 s 010101 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq", "ld2.acq{ldx} r1=[r3],imm", .load),
  .init(.ld4_acq_i, .M3, "0101 s 010110 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq", "ld4.acq{ldx} r1=[r3],imm", .load),
  .init(.ld8_acq_i, .M3, "0101 s 010111 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq", "ld8.acq{ldx} r1=[r3],imm", .load),
  .init(.ld8_fill_i, .M3, "0101 s 011011 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq", "ld8.fill{ldx} r1=[r3],imm", .load),
  .init(
    .ld1_c_clr_i, .M3, "0101 s 100000 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq",
    "ld1.c.clr{ldx} r1=[r3],imm", .checkLoad),
  .init(
    .ld2_c_clr_i, .M3, "0101 s 100001 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq",
    "ld2.c.clr{ldx} r1=[r3],imm", .checkLoad),
  .init(
    .ld4_c_clr_i, .M3, "0101 s 100010 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq",
    "ld4.c.clr{ldx} r1=[r3],imm", .checkLoad),
  .init(
    .ld8_c_clr_i, .M3, "0101 s 100011 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq",
    "ld8.c.clr{ldx} r1=[r3],imm", .checkLoad),
  .init(.ld1_c_nc_i, .M3, "0101 s 100100 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq", "ld1.c.nc{ldx} r1=[r3],imm", .checkLoad),
  .init(.ld2_c_nc_i, .M3, "0101 s 100101 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq", "ld2.c.nc{ldx} r1=[r3],imm", .checkLoad),
  .init(.ld4_c_nc_i, .M3, "0101 s 100110 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq", "ld4.c.nc{ldx} r1=[r3],imm", .checkLoad),
  .init(.ld8_c_nc_i, .M3, "0101 s 100111 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq", "ld8.c.nc{ldx} r1=[r3],imm", .checkLoad),
  .init(
    .ld1_c_clr_acq_i, .M3, "0101 s 101000 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq",
    "ld1.c.clr.acq{ldx} r1=[r3],imm", .checkLoad),
  .init(
    .ld2_c_clr_acq_i, .M3, "0101 s 101001 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq",
    "ld2.c.clr.acq{ldx} r1=[r3],imm", .checkLoad),
  .init(
    .ld4_c_clr_acq_i, .M3, "0101 s 101010 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq",
    "ld4.c.clr.acq{ldx} r1=[r3],imm", .checkLoad),
  .init(
    .ld8_c_clr_acq_i, .M3, "0101 s 101011 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq",
    "ld8.c.clr.acq{ldx} r1=[r3],imm", .checkLoad),
  // M4
  .init(.st1, .M4, "0100 0 110000 hh 0 CCCCCCC BBBBBBB h------ qqqqqq", "st1{st} [r3]=r2", .store),
  .init(.st2, .M4, "0100 0 110001 hh 0 CCCCCCC BBBBBBB h------ qqqqqq", "st2{st} [r3]=r2", .store),
  .init(.st4, .M4, "0100 0 110010 hh 0 CCCCCCC BBBBBBB h------ qqqqqq", "st4{st} [r3]=r2", .store),
  .init(.st8, .M4, "0100 0 110011 hh 0 CCCCCCC BBBBBBB h------ qqqqqq", "st8{st} [r3]=r2", .store),
  .init(.st1_rel, .M4, "0100 0 110100 hh 0 CCCCCCC BBBBBBB h------ qqqqqq", "st1.rel{st} [r3]=r2", .store),
  .init(.st2_rel, .M4, "0100 0 110101 hh 0 CCCCCCC BBBBBBB h------ qqqqqq", "st2.rel{st} [r3]=r2", .store),
  .init(.st4_rel, .M4, "0100 0 110110 hh 0 CCCCCCC BBBBBBB h------ qqqqqq", "st4.rel{st} [r3]=r2", .store),
  .init(.st8_rel, .M4, "0100 0 110111 hh 0 CCCCCCC BBBBBBB h------ qqqqqq", "st8.rel{st} [r3]=r2", .store),
  .init(.st8_spill, .M4, "0100 0 111011 hh 0 CCCCCCC BBBBBBB h------ qqqqqq", "st8.spill{st} [r3]=r2", .store),
  .init(.st16, .M4, "0100 0 110000 hh 1 CCCCCCC BBBBBBB h------ qqqqqq", "st16{st} [r3]=r2,ar.csd", .store),
  .init(.st16_rel, .M4, "0100 0 110100 hh 1 CCCCCCC BBBBBBB h------ qqqqqq", "st16.rel{st} [r3]=r2,ar.csd", .store),
  // M5
  .init(.st1_i, .M5, "0101 s 110000 hh b CCCCCCC BBBBBBB aaaaaaa qqqqqq", "st1{stx} [r3]=r2,imm", .store),
  .init(.st2_i, .M5, "0101 s 110001 hh b CCCCCCC BBBBBBB aaaaaaa qqqqqq", "st2{stx} [r3]=r2,imm", .store),
  .init(.st4_i, .M5, "0101 s 110010 hh b CCCCCCC BBBBBBB aaaaaaa qqqqqq", "st4{stx} [r3]=r2,imm", .store),
  .init(.st8_i, .M5, "0101 s 110011 hh b CCCCCCC BBBBBBB aaaaaaa qqqqqq", "st8{stx} [r3]=r2,imm", .store),
  .init(.st1_rel_i, .M5, "0101 s 110100 hh b CCCCCCC BBBBBBB aaaaaaa qqqqqq", "st1.rel{stx} [r3]=r2,imm", .store),
  .init(.st2_rel_i, .M5, "0101 s 110101 hh b CCCCCCC BBBBBBB aaaaaaa qqqqqq", "st2.rel{stx} [r3]=r2,imm", .store),
  .init(.st4_rel_i, .M5, "0101 s 110110 hh b CCCCCCC BBBBBBB aaaaaaa qqqqqq", "st4.rel{stx} [r3]=r2,imm", .store),
  .init(.st8_rel_i, .M5, "0101 s 110111 hh b CCCCCCC BBBBBBB aaaaaaa qqqqqq", "st8.rel{stx} [r3]=r2,imm", .store),
  .init(.st8_spill_i, .M5, "0101 s 111011 hh b CCCCCCC BBBBBBB aaaaaaa qqqqqq", "st8.spill{stx} [r3]=r2,imm", .store),
  // M6
  .init(.ldfe, .M6, "0110 0 000000 hh 0 CCCCCCC h------ AAAAAAA qqqqqq", "ldfe{ld} f1=[r3]", .load),
  .init(.ldf8, .M6, "0110 0 000001 hh 0 CCCCCCC h------ AAAAAAA qqqqqq", "ldf8{ld} f1=[r3]", .load),
  .init(.ldfs, .M6, "0110 0 000010 hh 0 CCCCCCC h------ AAAAAAA qqqqqq", "ldfs{ld} f1=[r3]", .load),
  .init(.ldfd, .M6, "0110 0 000011 hh 0 CCCCCCC h------ AAAAAAA qqqqqq", "ldfd{ld} f1=[r3]", .load),
  .init(.ldfe_s, .M6, "0110 0 000100 hh 0 CCCCCCC h------ AAAAAAA qqqqqq", "ldfe.s{ld} f1=[r3]", .speculativeLoad),
  .init(.ldf8_s, .M6, "0110 0 000101 hh 0 CCCCCCC h------ AAAAAAA qqqqqq", "ldf8.s{ld} f1=[r3]", .speculativeLoad),
  .init(.ldfs_s, .M6, "0110 0 000110 hh 0 CCCCCCC h------ AAAAAAA qqqqqq", "ldfs.s{ld} f1=[r3]", .speculativeLoad),
  .init(.ldfd_s, .M6, "0110 0 000111 hh 0 CCCCCCC h------ AAAAAAA qqqqqq", "ldfd.s{ld} f1=[r3]", .speculativeLoad),
  .init(.ldfe_a, .M6, "0110 0 001000 hh 0 CCCCCCC h------ AAAAAAA qqqqqq", "ldfe.a{ld} f1=[r3]", .advancedLoad),
  .init(.ldf8_a, .M6, "0110 0 001001 hh 0 CCCCCCC h------ AAAAAAA qqqqqq", "ldf8.a{ld} f1=[r3]", .advancedLoad),
  .init(.ldfs_a, .M6, "0110 0 001010 hh 0 CCCCCCC h------ AAAAAAA qqqqqq", "ldfs.a{ld} f1=[r3]", .advancedLoad),
  .init(.ldfd_a, .M6, "0110 0 001011 hh 0 CCCCCCC h------ AAAAAAA qqqqqq", "ldfd.a{ld} f1=[r3]", .advancedLoad),
  .init(
    .ldfe_sa, .M6, "0110 0 001100 hh 0 CCCCCCC h------ AAAAAAA qqqqqq",
    "ldfe.sa{ld} f1=[r3]", .speculativeAdvancedLoad),
  .init(
    .ldf8_sa, .M6, "0110 0 001101 hh 0 CCCCCCC h------ AAAAAAA qqqqqq",
    "ldf8.sa{ld} f1=[r3]", .speculativeAdvancedLoad),
  .init(
    .ldfs_sa, .M6, "0110 0 001110 hh 0 CCCCCCC h------ AAAAAAA qqqqqq",
    "ldfs.sa{ld} f1=[r3]", .speculativeAdvancedLoad),
  .init(
    .ldfd_sa, .M6, "0110 0 001111 hh 0 CCCCCCC h------ AAAAAAA qqqqqq",
    "ldfd.sa{ld} f1=[r3]", .speculativeAdvancedLoad),
  .init(.ldfe_c_clr, .M6, "0110 0 100000 hh 0 CCCCCCC h------ AAAAAAA qqqqqq", "ldfe.c.clr{ld} f1=[r3]", .checkLoad),
  .init(.ldf8_c_clr, .M6, "0110 0 100001 hh 0 CCCCCCC h------ AAAAAAA qqqqqq", "ldf8.c.clr{ld} f1=[r3]", .checkLoad),
  .init(.ldfs_c_clr, .M6, "0110 0 100010 hh 0 CCCCCCC h------ AAAAAAA qqqqqq", "ldfs.c.clr{ld} f1=[r3]", .checkLoad),
  .init(.ldfd_c_clr, .M6, "0110 0 100011 hh 0 CCCCCCC h------ AAAAAAA qqqqqq", "ldfd.c.clr{ld} f1=[r3]", .checkLoad),
  .init(.ldfe_c_nc, .M6, "0110 0 100100 hh 0 CCCCCCC h------ AAAAAAA qqqqqq", "ldfe.c.nc{ld} f1=[r3]", .checkLoad),
  .init(.ldf8_c_nc, .M6, "0110 0 100101 hh 0 CCCCCCC h------ AAAAAAA qqqqqq", "ldf8.c.nc{ld} f1=[r3]", .checkLoad),
  .init(.ldfs_c_nc, .M6, "0110 0 100110 hh 0 CCCCCCC h------ AAAAAAA qqqqqq", "ldfs.c.nc{ld} f1=[r3]", .checkLoad),
  .init(.ldfd_c_nc, .M6, "0110 0 100111 hh 0 CCCCCCC h------ AAAAAAA qqqqqq", "ldfd.c.nc{ld} f1=[r3]", .checkLoad),
  .init(.ldf_fill, .M6, "0110 0 011011 hh 0 CCCCCCC h------ AAAAAAA qqqqqq", "ldf.fill{ld} f1=[r3]", .load),
  // M7
  .init(.ldfe_r, .M7, "0110 1 000000 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "ldfe{ldx} f1=[r3],r2", .load),
  .init(.ldf8_r, .M7, "0110 1 000001 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "ldf8{ldx} f1=[r3],r2", .load),
  .init(.ldfs_r, .M7, "0110 1 000010 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "ldfs{ldx} f1=[r3],r2", .load),
  .init(.ldfd_r, .M7, "0110 1 000011 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "ldfd{ldx} f1=[r3],r2", .load),
  .init(
    .ldfe_s_r, .M7, "0110 1 000100 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "ldfe.s{ldx} f1=[r3],r2", .speculativeLoad),
  .init(
    .ldf8_s_r, .M7, "0110 1 000101 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "ldf8.s{ldx} f1=[r3],r2", .speculativeLoad),
  .init(
    .ldfs_s_r, .M7, "0110 1 000110 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "ldfs.s{ldx} f1=[r3],r2", .speculativeLoad),
  .init(
    .ldfd_s_r, .M7, "0110 1 000111 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "ldfd.s{ldx} f1=[r3],r2", .speculativeLoad),
  .init(.ldfe_a_r, .M7, "0110 1 001000 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "ldfe.a{ldx} f1=[r3],r2", .advancedLoad),
  .init(.ldf8_a_r, .M7, "0110 1 001001 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "ldf8.a{ldx} f1=[r3],r2", .advancedLoad),
  .init(.ldfs_a_r, .M7, "0110 1 001010 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "ldfs.a{ldx} f1=[r3],r2", .advancedLoad),
  .init(.ldfd_a_r, .M7, "0110 1 001011 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "ldfd.a{ldx} f1=[r3],r2", .advancedLoad),
  .init(
    .ldfe_sa_r, .M7, "0110 1 001100 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "ldfe.sa{ldx} f1=[r3],r2", .speculativeAdvancedLoad),
  .init(
    .ldf8_sa_r, .M7, "0110 1 001101 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "ldf8.sa{ldx} f1=[r3],r2", .speculativeAdvancedLoad),
  .init(
    .ldfs_sa_r, .M7, "0110 1 001110 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "ldfs.sa{ldx} f1=[r3],r2", .speculativeAdvancedLoad),
  .init(
    .ldfd_sa_r, .M7, "0110 1 001111 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "ldfd.sa{ldx} f1=[r3],r2", .speculativeAdvancedLoad),
  .init(
    .ldfe_c_clr_r, .M7, "0110 1 100000 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "ldfe.c.clr{ldx} f1=[r3],r2", .checkLoad),
  .init(
    .ldf8_c_clr_r, .M7, "0110 1 100001 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "ldf8.c.clr{ldx} f1=[r3],r2", .checkLoad),
  .init(
    .ldfs_c_clr_r, .M7, "0110 1 100010 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "ldfs.c.clr{ldx} f1=[r3],r2", .checkLoad),
  .init(
    .ldfd_c_clr_r, .M7, "0110 1 100011 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "ldfd.c.clr{ldx} f1=[r3],r2", .checkLoad),
  .init(
    .ldfe_c_nc_r, .M7, "0110 1 100100 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "ldfe.c.nc{ldx} f1=[r3],r2", .checkLoad),
  .init(
    .ldf8_c_nc_r, .M7, "0110 1 100101 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "ldf8.c.nc{ldx} f1=[r3],r2", .checkLoad),
  .init(
    .ldfs_c_nc_r, .M7, "0110 1 100110 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "ldfs.c.nc{ldx} f1=[r3],r2", .checkLoad),
  .init(
    .ldfd_c_nc_r, .M7, "0110 1 100111 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "ldfd.c.nc{ldx} f1=[r3],r2", .checkLoad),
  .init(.ldf_fill_r, .M7, "0110 1 011011 hh 0 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "ldf.fill{ldx} f1=[r3],r2", .load),
  // M8
  .init(.ldfe_i, .M8, "0111 s 000000 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq", "ldfe{ldx} f1=[r3],imm", .load),
  .init(.ldf8_i, .M8, "0111 s 000001 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq", "ldf8{ldx} f1=[r3],imm", .load),
  .init(.ldfs_i, .M8, "0111 s 000010 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq", "ldfs{ldx} f1=[r3],imm", .load),
  .init(.ldfd_i, .M8, "0111 s 000011 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq", "ldfd{ldx} f1=[r3],imm", .load),
  .init(
    .ldfe_s_i, .M8, "0111 s 000100 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq",
    "ldfe.s{ldx} f1=[r3],imm", .speculativeLoad),
  .init(
    .ldf8_s_i, .M8, "0111 s 000101 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq",
    "ldf8.s{ldx} f1=[r3],imm", .speculativeLoad),
  .init(
    .ldfs_s_i, .M8, "0111 s 000110 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq",
    "ldfs.s{ldx} f1=[r3],imm", .speculativeLoad),
  .init(
    .ldfd_s_i, .M8, "0111 s 000111 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq",
    "ldfd.s{ldx} f1=[r3],imm", .speculativeLoad),
  .init(.ldfe_a_i, .M8, "0111 s 001000 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq", "ldfe.a{ldx} f1=[r3],imm", .advancedLoad),
  .init(.ldf8_a_i, .M8, "0111 s 001001 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq", "ldf8.a{ldx} f1=[r3],imm", .advancedLoad),
  .init(.ldfs_a_i, .M8, "0111 s 001010 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq", "ldfs.a{ldx} f1=[r3],imm", .advancedLoad),
  .init(.ldfd_a_i, .M8, "0111 s 001011 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq", "ldfd.a{ldx} f1=[r3],imm", .advancedLoad),
  .init(
    .ldfe_sa_i, .M8, "0111 s 001100 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq",
    "ldfe.sa{ldx} f1=[r3],imm", .speculativeAdvancedLoad),
  .init(
    .ldf8_sa_i, .M8, "0111 s 001101 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq",
    "ldf8.sa{ldx} f1=[r3],imm", .speculativeAdvancedLoad),
  .init(
    .ldfs_sa_i, .M8, "0111 s 001110 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq",
    "ldfs.sa{ldx} f1=[r3],imm", .speculativeAdvancedLoad),
  .init(
    .ldfd_sa_i, .M8, "0111 s 001111 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq",
    "ldfd.sa{ldx} f1=[r3],imm", .speculativeAdvancedLoad),
  .init(
    .ldfe_c_clr_i, .M8, "0111 s 100000 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq",
    "ldfe.c.clr{ldx} f1=[r3],imm", .checkLoad),
  .init(
    .ldf8_c_clr_i, .M8, "0111 s 100001 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq",
    "ldf8.c.clr{ldx} f1=[r3],imm", .checkLoad),
  .init(
    .ldfs_c_clr_i, .M8, "0111 s 100010 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq",
    "ldfs.c.clr{ldx} f1=[r3],imm", .checkLoad),
  .init(
    .ldfd_c_clr_i, .M8, "0111 s 100011 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq",
    "ldfd.c.clr{ldx} f1=[r3],imm", .checkLoad),
  .init(
    .ldfe_c_nc_i, .M8, "0111 s 100100 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq",
    "ldfe.c.nc{ldx} f1=[r3],imm", .checkLoad),
  .init(
    .ldf8_c_nc_i, .M8, "0111 s 100101 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq",
    "ldf8.c.nc{ldx} f1=[r3],imm", .checkLoad),
  .init(
    .ldfs_c_nc_i, .M8, "0111 s 100110 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq",
    "ldfs.c.nc{ldx} f1=[r3],imm", .checkLoad),
  .init(
    .ldfd_c_nc_i, .M8, "0111 s 100111 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq",
    "ldfd.c.nc{ldx} f1=[r3],imm", .checkLoad),
  .init(.ldf_fill_i, .M8, "0111 s 011011 hh b CCCCCCC aaaaaaa AAAAAAA qqqqqq", "ldf.fill{ldx} f1=[r3],imm", .load),
  // M9
  .init(.stfe, .M9, "0110 0 110000 hh 0 CCCCCCC BBBBBBB h------ qqqqqq", "stfe{st} [r3]=f2", .store),
  .init(.stf8, .M9, "0110 0 110001 hh 0 CCCCCCC BBBBBBB h------ qqqqqq", "stf8{st} [r3]=f2", .store),
  .init(.stfs, .M9, "0110 0 110010 hh 0 CCCCCCC BBBBBBB h------ qqqqqq", "stfs{st} [r3]=f2", .store),
  .init(.stfd, .M9, "0110 0 110011 hh 0 CCCCCCC BBBBBBB h------ qqqqqq", "stfd{st} [r3]=f2", .store),
  .init(.stf_spill, .M9, "0110 0 111011 hh 0 CCCCCCC BBBBBBB h------ qqqqqq", "stf.spill{st} [r3]=f2", .store),
  // M10
  .init(.stfe_i, .M10, "0111 s 110000 hh b CCCCCCC BBBBBBB aaaaaaa qqqqqq", "stfe{stx} [r3]=f2,imm", .store),
  .init(.stf8_i, .M10, "0111 s 110001 hh b CCCCCCC BBBBBBB aaaaaaa qqqqqq", "stf8{stx} [r3]=f2,imm", .store),
  .init(.stfs_i, .M10, "0111 s 110010 hh b CCCCCCC BBBBBBB aaaaaaa qqqqqq", "stfs{stx} [r3]=f2,imm", .store),
  .init(.stfd_i, .M10, "0111 s 110011 hh b CCCCCCC BBBBBBB aaaaaaa qqqqqq", "stfd{stx} [r3]=f2,imm", .store),
  .init(.stf_spill_i, .M10, "0111 s 111011 hh b CCCCCCC BBBBBBB aaaaaaa qqqqqq", "stf.spill{stx} [r3]=f2,imm", .store),
  // M11
  .init(.ldfp8, .M11, "0110 0 000001 hh 1 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "ldfp8{ldx} f1,f2=[r3]", .load),
  .init(.ldfps, .M11, "0110 0 000010 hh 1 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "ldfps{ldx} f1,f2=[r3]", .load),
  .init(.ldfpd, .M11, "0110 0 000011 hh 1 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "ldfpd{ldx} f1,f2=[r3]", .load),
  .init(
    .ldfp8_s, .M11, "0110 0 000101 hh 1 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "ldfp8.s{ldx} f1,f2=[r3]", .speculativeLoad),
  .init(
    .ldfps_s, .M11, "0110 0 000110 hh 1 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "ldfps.s{ldx} f1,f2=[r3]", .speculativeLoad),
  .init(
    .ldfpd_s, .M11, "0110 0 000111 hh 1 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "ldfpd.s{ldx} f1,f2=[r3]", .speculativeLoad),
  .init(.ldfp8_a, .M11, "0110 0 001001 hh 1 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "ldfp8.a{ldx} f1,f2=[r3]", .advancedLoad),
  .init(.ldfps_a, .M11, "0110 0 001010 hh 1 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "ldfps.a{ldx} f1,f2=[r3]", .advancedLoad),
  .init(.ldfpd_a, .M11, "0110 0 001011 hh 1 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "ldfpd.a{ldx} f1,f2=[r3]", .advancedLoad),
  .init(
    .ldfp8_sa, .M11, "0110 0 001101 hh 1 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "ldfp8.sa{ldx} f1,f2=[r3]", .speculativeAdvancedLoad),
  .init(
    .ldfps_sa, .M11, "0110 0 001110 hh 1 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "ldfps.sa{ldx} f1,f2=[r3]", .speculativeAdvancedLoad),
  .init(
    .ldfpd_sa, .M11, "0110 0 001111 hh 1 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "ldfpd.sa{ldx} f1,f2=[r3]", .speculativeAdvancedLoad),
  .init(
    .ldfp8_c_clr, .M11, "0110 0 100001 hh 1 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "ldfp8.c.clr{ldx} f1,f2=[r3]", .checkLoad),
  .init(
    .ldfps_c_clr, .M11, "0110 0 100010 hh 1 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "ldfps.c.clr{ldx} f1,f2=[r3]", .checkLoad),
  .init(
    .ldfpd_c_clr, .M11, "0110 0 100011 hh 1 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "ldfpd.c.clr{ldx} f1,f2=[r3]", .checkLoad),
  .init(
    .ldfp8_c_nc, .M11, "0110 0 100101 hh 1 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "ldfp8.c.nc{ldx} f1,f2=[r3]", .checkLoad),
  .init(
    .ldfps_c_nc, .M11, "0110 0 100110 hh 1 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "ldfps.c.nc{ldx} f1,f2=[r3]", .checkLoad),
  .init(
    .ldfpd_c_nc, .M11, "0110 0 100111 hh 1 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "ldfpd.c.nc{ldx} f1,f2=[r3]", .checkLoad),
  // M12
  .init(.ldfp8_i, .M12, "0110 1 000001 hh 1 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "ldfp8{ldx} f1,f2=[r3],16", .load),
  .init(.ldfps_i, .M12, "0110 1 000010 hh 1 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "ldfps{ldx} f1,f2=[r3],8", .load),
  .init(.ldfpd_i, .M12, "0110 1 000011 hh 1 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "ldfpd{ldx} f1,f2=[r3],16", .load),
  .init(
    .ldfp8_s_i, .M12, "0110 1 000101 hh 1 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "ldfp8.s{ldx} f1,f2=[r3],16", .speculativeLoad),
  .init(
    .ldfps_s_i, .M12, "0110 1 000110 hh 1 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "ldfps.s{ldx} f1,f2=[r3],8", .speculativeLoad),
  .init(
    .ldfpd_s_i, .M12, "0110 1 000111 hh 1 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "ldfpd.s{ldx} f1,f2=[r3],16", .speculativeLoad),
  .init(
    .ldfp8_a_i, .M12, "0110 1 001001 hh 1 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "ldfp8.a{ldx} f1,f2=[r3],16", .advancedLoad),
  .init(
    .ldfps_a_i, .M12, "0110 1 001010 hh 1 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "ldfps.a{ldx} f1,f2=[r3],8", .advancedLoad),
  .init(
    .ldfpd_a_i, .M12, "0110 1 001011 hh 1 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "ldfpd.a{ldx} f1,f2=[r3],16", .advancedLoad),
  .init(
    .ldfp8_sa_i, .M12, "0110 1 001101 hh 1 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "ldfp8.sa{ldx} f1,f2=[r3],16", .speculativeAdvancedLoad),
  .init(
    .ldfps_sa_i, .M12, "0110 1 001110 hh 1 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "ldfps.sa{ldx} f1,f2=[r3],8", .speculativeAdvancedLoad),
  .init(
    .ldfpd_sa_i, .M12, "0110 1 001111 hh 1 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "ldfpd.sa{ldx} f1,f2=[r3],16", .speculativeAdvancedLoad),
  .init(
    .ldfp8_c_clr_i, .M12, "0110 1 100001 hh 1 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "ldfp8.c.clr{ldx} f1,f2=[r3],16", .checkLoad),
  .init(
    .ldfps_c_clr_i, .M12, "0110 1 100010 hh 1 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "ldfps.c.clr{ldx} f1,f2=[r3],8", .checkLoad),
  .init(
    .ldfpd_c_clr_i, .M12, "0110 1 100011 hh 1 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "ldfpd.c.clr{ldx} f1,f2=[r3],16", .checkLoad),
  .init(
    .ldfp8_c_nc_i, .M12, "0110 1 100101 hh 1 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "ldfp8.c.nc{ldx} f1,f2=[r3],16", .checkLoad),
  .init(
    .ldfps_c_nc_i, .M12, "0110 1 100110 hh 1 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "ldfps.c.nc{ldx} f1,f2=[r3],8", .checkLoad),
  .init(
    .ldfpd_c_nc_i, .M12, "0110 1 100111 hh 1 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "ldfpd.c.nc{ldx} f1,f2=[r3],16", .checkLoad),
  // M13
  .init(.lfetch, .M13, "0110 0 101100 hh 0 CCCCCCC 0------ h------ qqqqqq", "lfetch{lf} [r3]"),
  .init(.lfetch_excl, .M13, "0110 0 101101 hh 0 CCCCCCC ------- h------ qqqqqq", "lfetch.excl{lf} [r3]"),
  .init(.lfetch_fault, .M13, "0110 0 101110 hh 0 CCCCCCC ------- h------ qqqqqq", "lfetch.fault{lf} [r3]", .faulting),
  .init(
    .lfetch_fault_excl, .M13, "0110 0 101111 hh 0 CCCCCCC ------- h------ qqqqqq",
    "lfetch.fault.excl{lf} [r3]", .faulting),
  // M14
  .init(.lfetch_r, .M14, "0110 1 101100 hh 0 CCCCCCC BBBBBBB h------ qqqqqq", "lfetch{lf} [r3],r2"),
  .init(.lfetch_excl_r, .M14, "0110 1 101101 hh 0 CCCCCCC BBBBBBB h------ qqqqqq", "lfetch.excl{lf} [r3],r2"),
  .init(
    .lfetch_fault_r, .M14, "0110 1 101110 hh 0 CCCCCCC BBBBBBB h------ qqqqqq",
    "lfetch.fault{lf} [r3],r2", .faulting),
  .init(
    .lfetch_fault_excl_r, .M14, "0110 1 101111 hh 0 CCCCCCC BBBBBBB h------ qqqqqq",
    "lfetch.fault.excl{lf} [r3],r2", .faulting),
  // M15
  .init(.lfetch_i, .M15, "0111 s 101100 hh b CCCCCCC aaaaaaa h------ qqqqqq", "lfetch{lf} [r3],imm"),
  .init(.lfetch_excl_i, .M15, "0111 s 101101 hh b CCCCCCC aaaaaaa h------ qqqqqq", "lfetch.excl{lf} [r3],imm"),
  .init(
    .lfetch_fault_i, .M15, "0111 s 101110 hh b CCCCCCC aaaaaaa h------ qqqqqq",
    "lfetch.fault{lf} [r3],imm", .faulting),
  .init(
    .lfetch_fault_excl_i, .M15, "0111 s 101111 hh b CCCCCCC aaaaaaa h------ qqqqqq",
    "lfetch.fault.excl{lf} [r3],imm", .faulting),
  // M16
  .init(
    .cmpxchg1_acq, .M16, "0100 0 000000 hh 1 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "cmpxchg1.acq{ldx} r1=[r3],r2,ar.ccv", .semaphore),
  .init(
    .cmpxchg2_acq, .M16, "0100 0 000001 hh 1 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "cmpxchg2.acq{ldx} r1=[r3],r2,ar.ccv", .semaphore),
  .init(
    .cmpxchg4_acq, .M16, "0100 0 000010 hh 1 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "cmpxchg4.acq{ldx} r1=[r3],r2,ar.ccv", .semaphore),
  .init(
    .cmpxchg8_acq, .M16, "0100 0 000011 hh 1 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "cmpxchg8.acq{ldx} r1=[r3],r2,ar.ccv", .semaphore),
  .init(
    .cmpxchg1_rel, .M16, "0100 0 000100 hh 1 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "cmpxchg1.rel{ldx} r1=[r3],r2,ar.ccv", .semaphore),
  .init(
    .cmpxchg2_rel, .M16, "0100 0 000101 hh 1 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "cmpxchg2.rel{ldx} r1=[r3],r2,ar.ccv", .semaphore),
  .init(
    .cmpxchg4_rel, .M16, "0100 0 000110 hh 1 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "cmpxchg4.rel{ldx} r1=[r3],r2,ar.ccv", .semaphore),
  .init(
    .cmpxchg8_rel, .M16, "0100 0 000111 hh 1 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "cmpxchg8.rel{ldx} r1=[r3],r2,ar.ccv", .semaphore),
  .init(
    .cmp8xchg16_acq, .M16, "0100 0 100000 hh 1 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "cmp8xchg16.acq{ldx} r1=[r3],r2,ar.csd,ar.ccv", .semaphore),
  .init(
    .cmp8xchg16_rel, .M16, "0100 0 100100 hh 1 CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "cmp8xchg16.rel{ldx} r1=[r3],r2,ar.csd,ar.ccv", .semaphore),
  .init(.xchg1, .M16, "0100 0 001000 hh 1 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "xchg1{ldx} r1=[r3],r2", .semaphore),
  .init(.xchg2, .M16, "0100 0 001001 hh 1 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "xchg2{ldx} r1=[r3],r2", .semaphore),
  .init(.xchg4, .M16, "0100 0 001010 hh 1 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "xchg4{ldx} r1=[r3],r2", .semaphore),
  .init(.xchg8, .M16, "0100 0 001011 hh 1 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "xchg8{ldx} r1=[r3],r2", .semaphore),
  // M17
  .init(
    .fetchadd4_acq, .M17, "0100 0 010010 hh 1 CCCCCCC ---- fff AAAAAAA qqqqqq",
    "fetchadd4.acq{ldx} r1=[r3],inc", .semaphore),
  .init(
    .fetchadd8_acq, .M17, "0100 0 010011 hh 1 CCCCCCC ---- fff AAAAAAA qqqqqq",
    "fetchadd8.acq{ldx} r1=[r3],inc", .semaphore),
  .init(
    .fetchadd4_rel, .M17, "0100 0 010110 hh 1 CCCCCCC ---- fff AAAAAAA qqqqqq",
    "fetchadd4.rel{ldx} r1=[r3],inc", .semaphore),
  .init(
    .fetchadd8_rel, .M17, "0100 0 010111 hh 1 CCCCCCC ---- fff AAAAAAA qqqqqq",
    "fetchadd8.rel{ldx} r1=[r3],inc", .semaphore),
  // M18
  .init(.setf_sig, .M18, "0110 0 011100 -- 1 ------- BBBBBBB AAAAAAA qqqqqq", "setf.sig f1=r2", .faulting),
  .init(.setf_exp, .M18, "0110 0 011101 -- 1 ------- BBBBBBB AAAAAAA qqqqqq", "setf.exp f1=r2", .faulting),
  .init(.setf_s, .M18, "0110 0 011110 -- 1 ------- BBBBBBB AAAAAAA qqqqqq", "setf.s f1=r2", .faulting),
  .init(.setf_d, .M18, "0110 0 011111 -- 1 ------- BBBBBBB AAAAAAA qqqqqq", "setf.d f1=r2", .faulting),
  // M19
  .init(.getf_sig, .M19, "0100 0 011100 -- 1 ------- BBBBBBB AAAAAAA qqqqqq", "getf.sig r1=f2", .faulting),
  .init(.getf_exp, .M19, "0100 0 011101 -- 1 ------- BBBBBBB AAAAAAA qqqqqq", "getf.exp r1=f2", .faulting),
  .init(.getf_s, .M19, "0100 0 011110 -- 1 ------- BBBBBBB AAAAAAA qqqqqq", "getf.s r1=f2", .faulting),
  .init(.getf_d, .M19, "0100 0 011111 -- 1 ------- BBBBBBB AAAAAAA qqqqqq", "getf.d r1=f2", .faulting),
  // M20
  .init(.chk_s_m, .M20, "0001 s 001 bbbbbbbbbbbbb BBBBBBB aaaaaaa qqqqqq", "chk.s.m r2,target", .branch),
  // M21
  .init(.chk_s_f, .M21, "0001 s 011 bbbbbbbbbbbbb BBBBBBB aaaaaaa qqqqqq", "chk.s f2,target", .branch),
  // M22
  .init(.chk_a_nc, .M22, "0000 s 100 aaaaaaaaaaaaaaaaaaaa AAAAAAA qqqqqq", "chk.a.nc r1,target", .branch),
  .init(.chk_a_clr, .M22, "0000 s 101 aaaaaaaaaaaaaaaaaaaa AAAAAAA qqqqqq", "chk.a.clr r1,target", .branch),
  // M23
  .init(.chk_a_nc_f, .M23, "0000 s 110 aaaaaaaaaaaaaaaaaaaa AAAAAAA qqqqqq", "chk.a.nc f1,target", .branch),
  .init(.chk_a_clr_f, .M23, "0000 s 111 aaaaaaaaaaaaaaaaaaaa AAAAAAA qqqqqq", "chk.a.clr f1,target", .branch),
  // M24
  .init(.invala, .M24, "0000 - 000 01 0000 --------------------- qqqqqq", "invala"),
  .init(.fwb, .M24, "0000 - 000 10 0000 --------------------- qqqqqq", "fwb"),
  .init(.mf, .M24, "0000 - 000 10 0010 --------------------- qqqqqq", "mf"),
  .init(.mf_a, .M24, "0000 - 000 10 0011 --------------------- qqqqqq", "mf.a"),
  .init(.srlz_d, .M24, "0000 - 000 11 0000 --------------------- qqqqqq", "srlz.d", .ending),
  .init(.srlz_i, .M24, "0000 - 000 11 0001 --------------------- qqqqqq", "srlz.i", .ending),
  .init(.sync_i, .M24, "0000 - 000 11 0011 --------------------- qqqqqq", "sync.i"),
  // M25
  .init(.flushrs, .M25, "0000 - 000 00 1100 --------------------- oooooo", "flushrs", .firstFaulting),
  .init(.loadrs, .M25, "0000 - 000 00 1010 --------------------- oooooo", "loadrs", .firstFaulting),
  // M26
  .init(.invala_e, .M26, "0000 - 000 01 0010 -------------- AAAAAAA qqqqqq", "invala.e r1"),
  // M27
  .init(.invala_e_f, .M27, "0000 - 000 01 0011 -------------- AAAAAAA qqqqqq", "invala.e f1"),
  // M28
  .init(.fc, .M28, "0001 0 000 110000 CCCCCCC -------------- qqqqqq", "fc r3", .faulting),
  .init(.fc_i, .M28, "0001 1 000 110000 CCCCCCC -------------- qqqqqq", "fc.i r3", .faulting),
  // M29
  .init(.mov_to_ar_m, .M29, "0001 - 000 101010 CCCCCCC BBBBBBB ------- qqqqqq", "mov.m ar3=r2", .faulting),
  // M30
  .init(.mov_to_ar_m_imm, .M30, "0000 s 000 10 1000 CCCCCCC aaaaaaa ------- qqqqqq", "mov.m ar3=imm", .faulting),
  // M31
  .init(.mov_from_ar_m, .M31, "0001 - 000 100010 CCCCCCC ------- AAAAAAA qqqqqq", "mov.m r1=ar3", .faulting),
  // M32
  .init(.mov_to_cr, .M32, "0001 - 000 101100 CCCCCCC BBBBBBB ------- qqqqqq", "mov cr3=r2", .privilegedEnding),
  // M33
  .init(.mov_from_cr, .M33, "0001 - 000 100100 CCCCCCC ------- AAAAAAA qqqqqq", "mov r1=cr3", .privileged),
  // M34
  .init(
    .alloc, .M34, "0001 - 110 -- zzzz yyyyyyy xxxxxxx AAAAAAA oooooo",
    "alloc r1=ar.pfs,sof,sol,sor", .firstFaulting),
  // M35
  .init(.mov_to_psr_l, .M35, "0001 - 000 101101 ------- BBBBBBB ------- qqqqqq", "mov psr.l=r2", .privilegedEnding),
  .init(.mov_to_psr_um, .M35, "0001 - 000 101001 ------- BBBBBBB ------- qqqqqq", "mov psr.um=r2", .faultingEnding),
  // M36
  .init(.mov_from_psr, .M36, "0001 - 000 100101 -------------- AAAAAAA qqqqqq", "mov r1=psr", .privileged),
  .init(.mov_from_psr_um, .M36, "0001 - 000 100001 -------------- AAAAAAA qqqqqq", "mov r1=psr.um", .faulting),
  // M37
  .init(.break_m, .M37, "0000 b 000 00 0000 - aaaaaaaaaaaaaaaaaaaa qqqqqq", "break.m uimm", .faultingEnding),
  // M38
  .init(.probe_r, .M38, "0001 - 000 111000 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "probe.r r1=r3,r2", .faulting),
  .init(.probe_w, .M38, "0001 - 000 111001 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "probe.w r1=r3,r2", .faulting),
  // M39
  .init(.probe_r_imm, .M39, "0001 - 000 011000 CCCCCCC ----- aa AAAAAAA qqqqqq", "probe.r r1=r3,imm", .faulting),
  .init(.probe_w_imm, .M39, "0001 - 000 011001 CCCCCCC ----- aa AAAAAAA qqqqqq", "probe.w r1=r3,imm", .faulting),
  // M40
  .init(.probe_rw_fault, .M40, "0001 - 000 110001 CCCCCCC ----- aa ------- qqqqqq", "probe.rw.fault r3,imm", .faulting),
  .init(.probe_r_fault, .M40, "0001 - 000 110010 CCCCCCC ----- aa ------- qqqqqq", "probe.r.fault r3,imm", .faulting),
  .init(.probe_w_fault, .M40, "0001 - 000 110011 CCCCCCC ----- aa ------- qqqqqq", "probe.w.fault r3,imm", .faulting),
  // M41
  .init(.itc_d, .M41, "0001 - 000 101110 ------- BBBBBBB ------- qqqqqq", "itc.d r2", .privilegedLast),
  .init(.itc_i, .M41, "0001 - 000 101111 ------- BBBBBBB ------- qqqqqq", "itc.i r2", .privilegedLast),
  // M42
  .init(.mov_to_rr, .M42, "0001 - 000 000000 CCCCCCC BBBBBBB ------- qqqqqq", "mov rr[r3]=r2", .privilegedEnding),
  .init(.mov_to_dbr, .M42, "0001 - 000 000001 CCCCCCC BBBBBBB ------- qqqqqq", "mov dbr[r3]=r2", .privilegedEnding),
  .init(.mov_to_ibr, .M42, "0001 - 000 000010 CCCCCCC BBBBBBB ------- qqqqqq", "mov ibr[r3]=r2", .privilegedEnding),
  .init(.mov_to_pkr, .M42, "0001 - 000 000011 CCCCCCC BBBBBBB ------- qqqqqq", "mov pkr[r3]=r2", .privilegedEnding),
  .init(.mov_to_pmc, .M42, "0001 - 000 000100 CCCCCCC BBBBBBB ------- qqqqqq", "mov pmc[r3]=r2", .privileged),
  .init(.mov_to_pmd, .M42, "0001 - 000 000101 CCCCCCC BBBBBBB ------- qqqqqq", "mov pmd[r3]=r2", .privileged),
  .init(.mov_to_msr, .M42, "0001 - 000 000110 CCCCCCC BBBBBBB ------- qqqqqq", "mov msr[r3]=r2", .modelSpecific),
  .init(.itr_d, .M42, "0001 - 000 001110 CCCCCCC BBBBBBB ------- qqqqqq", "itr.d dtr[r3]=r2", .privilegedEnding),
  .init(.itr_i, .M42, "0001 - 000 001111 CCCCCCC BBBBBBB ------- qqqqqq", "itr.i itr[r3]=r2", .privilegedEnding),
  // M43
  .init(.mov_from_rr, .M43, "0001 - 000 010000 CCCCCCC ------- AAAAAAA qqqqqq", "mov r1=rr[r3]", .privileged),
  .init(.mov_from_dbr, .M43, "0001 - 000 010001 CCCCCCC ------- AAAAAAA qqqqqq", "mov r1=dbr[r3]", .privileged),
  .init(.mov_from_ibr, .M43, "0001 - 000 010010 CCCCCCC ------- AAAAAAA qqqqqq", "mov r1=ibr[r3]", .privileged),
  .init(.mov_from_pkr, .M43, "0001 - 000 010011 CCCCCCC ------- AAAAAAA qqqqqq", "mov r1=pkr[r3]", .privileged),
  .init(.mov_from_pmc, .M43, "0001 - 000 010100 CCCCCCC ------- AAAAAAA qqqqqq", "mov r1=pmc[r3]", .privileged),
  .init(.mov_from_pmd, .M43, "0001 - 000 010101 CCCCCCC ------- AAAAAAA qqqqqq", "mov r1=pmd[r3]", .faulting),
  .init(.mov_from_msr, .M43, "0001 - 000 010110 CCCCCCC ------- AAAAAAA qqqqqq", "mov r1=msr[r3]", .modelSpecific),
  .init(.mov_from_cpuid, .M43, "0001 - 000 010111 CCCCCCC ------- AAAAAAA qqqqqq", "mov r1=cpuid[r3]", .faulting),
  // M44
  .init(.sum, .M44, "0000 c 000 bb 0100 aaaaaaaaaaaaaaaaaaaaa qqqqqq", "sum uimm", .faultingEnding),
  .init(.rum, .M44, "0000 c 000 bb 0101 aaaaaaaaaaaaaaaaaaaaa qqqqqq", "rum uimm", .faultingEnding),
  .init(.ssm, .M44, "0000 c 000 bb 0110 aaaaaaaaaaaaaaaaaaaaa qqqqqq", "ssm uimm", .privilegedEnding),
  .init(.rsm, .M44, "0000 c 000 bb 0111 aaaaaaaaaaaaaaaaaaaaa qqqqqq", "rsm uimm", .privilegedEnding),
  // M45
  .init(.ptc_l, .M45, "0001 - 000 001001 CCCCCCC BBBBBBB ------- qqqqqq", "ptc.l r3,r2", .privilegedEnding),
  .init(.ptc_g, .M45, "0001 - 000 001010 CCCCCCC BBBBBBB ------- qqqqqq", "ptc.g r3,r2", .privilegedLast),
  .init(.ptc_ga, .M45, "0001 - 000 001011 CCCCCCC BBBBBBB ------- qqqqqq", "ptc.ga r3,r2", .privilegedLast),
  .init(.ptr_d, .M45, "0001 - 000 001100 CCCCCCC BBBBBBB ------- qqqqqq", "ptr.d r3,r2", .privilegedEnding),
  .init(.ptr_i, .M45, "0001 - 000 001101 CCCCCCC BBBBBBB ------- qqqqqq", "ptr.i r3,r2", .privilegedEnding),
  // M46
  .init(.thash, .M46, "0001 - 000 011010 CCCCCCC ------- AAAAAAA qqqqqq", "thash r1=r3", .faulting),
  .init(.ttag, .M46, "0001 - 000 011011 CCCCCCC ------- AAAAAAA qqqqqq", "ttag r1=r3", .faulting),
  .init(.tpa, .M46, "0001 - 000 011110 CCCCCCC ------- AAAAAAA qqqqqq", "tpa r1=r3", .privileged),
  .init(.tak, .M46, "0001 - 000 011111 CCCCCCC ------- AAAAAAA qqqqqq", "tak r1=r3", .privileged),
  // M47
  .init(.ptc_e, .M47, "0001 - 000 110100 CCCCCCC -------------- qqqqqq", "ptc.e r3", .privilegedEnding),
  // M48
  .init(.nop_m, .M48, "0000 b 000 00 0001 0 aaaaaaaaaaaaaaaaaaaa qqqqqq", "nop.m uimm"),
  .init(.hint_m, .M48, "0000 c 000 00 0001 1 bbbbbbbbbbbbbb 00 aaaa qqqqqq", "hint.m imm"),
  // M50
  .init(.mov_to_dahr, .M50, "0000 c 000 00 0001 1 CCC bbbbbbbbbbb 01 aaaa qqqqqq", "mov dahr3=imm", .faulting),
  // M51
  .init(.mov_from_dahr, .M51, "0001 - 000 100000 CCCCCCC ------- AAAAAAA qqqqqq", "mov r1=dahr[r3]", .faulting),
  // M52
  .init(
    .lfetch_count, .M52, "0110 0 101100 hh 0 CCCCCCC 1 - s aaaa h XXXXXX qqqqqq",
    "lfetch.count{lf} [r3],count,stride"),
]
