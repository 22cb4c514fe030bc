// The instruction table: operations of the F unit (Intel Itanium Architecture SDM, volume 3,
// section 4.6). How a row reads stands at `InstructionRow`.

let instructionTableF: [InstructionRow] = [
  // F1
  .init(.fma, .F1, "1000 0 hh DDDDDDD CCCCCCC BBBBBBB AAAAAAA qqqqqq", "fma{sf} f1=f3,f4,f2", .faulting),
  .init(.fma_s, .F1, "1000 1 hh DDDDDDD CCCCCCC BBBBBBB AAAAAAA qqqqqq", "fma.s{sf} f1=f3,f4,f2", .faulting),
  .init(.fma_d, .F1, "1001 0 hh DDDDDDD CCCCCCC BBBBBBB AAAAAAA qqqqqq", "fma.d{sf} f1=f3,f4,f2", .faulting),
  .init(.fpma, .F1, "1001 1 hh DDDDDDD CCCCCCC BBBBBBB AAAAAAA qqqqqq", "fpma{sf} f1=f3,f4,f2", .faulting),
  .init(.fms, .F1, "1010 0 hh DDDDDDD CCCCCCC BBBBBBB AAAAAAA qqqqqq", "fms{sf} f1=f3,f4,f2", .faulting),
  .init(.fms_s, .F1, "1010 1 hh DDDDDDD CCCCCCC BBBBBBB AAAAAAA qqqqqq", "fms.s{sf} f1=f3,f4,f2", .faulting),
  .init(.fms_d, .F1, "1011 0 hh DDDDDDD CCCCCCC BBBBBBB AAAAAAA qqqqqq", "fms.d{sf} f1=f3,f4,f2", .faulting),
  .init(.fpms, .F1, "1011 1 hh DDDDDDD CCCCCCC BBBBBBB AAAAAAA qqqqqq", "fpms{sf} f1=f3,f4,f2", .faulting),
  .init(.fnma, .F1, "1100 0 hh DDDDDDD CCCCCCC BBBBBBB AAAAAAA qqqqqq", "fnma{sf} f1=f3,f4,f2", .faulting),
  .init(.fnma_s, .F1, "1100 1 hh DDDDDDD CCCCCCC BBBBBBB AAAAAAA qqqqqq", "fnma.s{sf} f1=f3,f4,f2", .faulting),
  .init(.fnma_d, .F1, "1101 0 hh DDDDDDD CCCCCCC BBBBBBB AAAAAAA qqqqqq", "fnma.d{sf} f1=f3,f4,f2", .faulting),
  .init(.fpnma, .F1, "1101 1 hh DDDDDDD CCCCCCC BBBBBBB AAAAAAA qqqqqq", "fpnma{sf} f1=f3,f4,f2", .faulting),
  // F2
  .init(.xma_l, .F2, "1110 1 00 DDDDDDD CCCCCCC BBBBBBB AAAAAAA qqqqqq", "xma.l f1=f3,f4,f2", .faulting),
  .init(.xma_hu, .F2, "1110 1 10 DDDDDDD CCCCCCC BBBBBBB AAAAAAA qqqqqq", "xma.hu f1=f3,f4,f2", .faulting),
  .init(.xma_h, .F2, "1110 1 11 DDDDDDD CCCCCCC BBBBBBB AAAAAAA qqqqqq", "xma.h f1=f3,f4,f2", .faulting),
  // F3
  .init(.fselect, .F3, "1110 0 -- DDDDDDD CCCCCCC BBBBBBB AAAAAAA qqqqqq", "fselect f1=f3,f4,f2", .faulting),
  // F4
  .init(.fcmp_eq, .F4, "0100 0 hh 0 DDDDDD CCCCCCC BBBBBBB 0 AAAAAA qqqqqq", "fcmp.eq{sf} p1,p2=f2,f3", .faulting),
  .init(.fcmp_lt, .F4, "0100 1 hh 0 DDDDDD CCCCCCC BBBBBBB 0 AAAAAA qqqqqq", "fcmp.lt{sf} p1,p2=f2,f3", .faulting),
  .init(.fcmp_le, .F4, "0100 0 hh 1 DDDDDD CCCCCCC BBBBBBB 0 AAAAAA qqqqqq", "fcmp.le{sf} p1,p2=f2,f3", .faulting),
  .init(
    .fcmp_unord, .F4, "0100 1 hh 1 DDDDDD CCCCCCC BBBBBBB 0 AAAAAA qqqqqq",
    "fcmp.unord{sf} p1,p2=f2,f3", .faulting),
  .init(
    .fcmp_eq_unc, .F4, "0100 0 hh 0 DDDDDD CCCCCCC BBBBBBB 1 AAAAAA qqqqqq",
    "fcmp.eq.unc{sf} p1,p2=f2,f3", .faultingUnconditional),
  .init(
    .fcmp_lt_unc, .F4, "0100 1 hh 0 DDDDDD CCCCCCC BBBBBBB 1 AAAAAA qqqqqq",
    "fcmp.lt.unc{sf} p1,p2=f2,f3", .faultingUnconditional),
  .init(
    .fcmp_le_unc, .F4, "0100 0 hh 1 DDDDDD CCCCCCC BBBBBBB 1 AAAAAA qqqqqq",
    "fcmp.le.unc{sf} p1,p2=f2,f3", .faultingUnconditional),
  .init(
    .fcmp_unord_unc, .F4, "0100 1 hh 1 DDDDDD CCCCCCC BBBBBBB 1 AAAAAA qqqqqq",
    "fcmp.unord.unc{sf} p1,p2=f2,f3", .faultingUnconditional),
  // F5
  .init(.fclass_m, .F5, "0101 -- aa DDDDDD bbbbbbb BBBBBBB 0 AAAAAA qqqqqq", "fclass.m p1,p2=f2,fclass", .faulting),
  .init(
    .fclass_m_unc, .F5, "0101 -- aa DDDDDD bbbbbbb BBBBBBB 1 AAAAAA qqqqqq",
    "fclass.m.unc p1,p2=f2,fclass", .faultingUnconditional),
  // F6
  .init(
    .frcpa, .F6, "0000 0 hh 1 DDDDDD CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "frcpa{sf} f1,p2=f2,f3", .faultingUnconditional),
  .init(
    .fprcpa, .F6, "0001 0 hh 1 DDDDDD CCCCCCC BBBBBBB AAAAAAA qqqqqq",
    "fprcpa{sf} f1,p2=f2,f3", .faultingUnconditional),
  // F7
  .init(
    .frsqrta, .F7, "0000 1 hh 1 DDDDDD CCCCCCC ------- AAAAAAA qqqqqq",
    "frsqrta{sf} f1,p2=f3", .faultingUnconditional),
  .init(
    .fprsqrta, .F7, "0001 1 hh 1 DDDDDD CCCCCCC ------- AAAAAAA qqqqqq",
    "fprsqrta{sf} f1,p2=f3", .faultingUnconditional),
  // F8
  .init(.fmin, .F8, "0000 - hh 0 010100 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "fmin{sf} f1=f2,f3", .faulting),
  .init(.fmax, .F8, "0000 - hh 0 010101 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "fmax{sf} f1=f2,f3", .faulting),
  .init(.famin, .F8, "0000 - hh 0 010110 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "famin{sf} f1=f2,f3", .faulting),
  .init(.famax, .F8, "0000 - hh 0 010111 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "famax{sf} f1=f2,f3", .faulting),
  .init(.fpmin, .F8, "0001 - hh 0 010100 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "fpmin{sf} f1=f2,f3", .faulting),
  .init(.fpmax, .F8, "0001 - hh 0 010101 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "fpmax{sf} f1=f2,f3", .faulting),
  .init(.fpamin, .F8, "0001 - hh 0 010110 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "fpamin{sf} f1=f2,f3", .faulting),
  .init(.fpamax, .F8, "0001 - hh 0 010111 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "fpamax{sf} f1=f2,f3", .faulting),
  .init(.fpcmp_eq, .F8, "0001 - hh 0 110000 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "fpcmp.eq{sf} f1=f2,f3", .faulting),
  .init(.fpcmp_lt, .F8, "0001 - hh 0 110001 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "fpcmp.lt{sf} f1=f2,f3", .faulting),
  .init(.fpcmp_le, .F8, "0001 - hh 0 110010 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "fpcmp.le{sf} f1=f2,f3", .faulting),
  .init(.fpcmp_unord, .F8, "0001 - hh 0 110011 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "fpcmp.unord{sf} f1=f2,f3", .faulting),
  .init(.fpcmp_neq, .F8, "0001 - hh 0 110100 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "fpcmp.neq{sf} f1=f2,f3", .faulting),
  .init(.fpcmp_nlt, .F8, "0001 - hh 0 110101 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "fpcmp.nlt{sf} f1=f2,f3", .faulting),
  .init(.fpcmp_nle, .F8, "0001 - hh 0 110110 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "fpcmp.nle{sf} f1=f2,f3", .faulting),
  .init(.fpcmp_ord, .F8, "0001 - hh 0 110111 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "fpcmp.ord{sf} f1=f2,f3", .faulting),
  // F9
  .init(.fmerge_s, .F9, "0000 - -- 0 010000 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "fmerge.s f1=f2,f3", .faulting),
  .init(.fmerge_ns, .F9, "0000 - -- 0 010001 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "fmerge.ns f1=f2,f3", .faulting),
  .init(.fmerge_se, .F9, "0000 - -- 0 010010 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "fmerge.se f1=f2,f3", .faulting),
  .init(.fmix_lr, .F9, "0000 - -- 0 111001 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "fmix.lr f1=f2,f3", .faulting),
  .init(.fmix_r, .F9, "0000 - -- 0 111010 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "fmix.r f1=f2,f3", .faulting),
  .init(.fmix_l, .F9, "0000 - -- 0 111011 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "fmix.l f1=f2,f3", .faulting),
  .init(.fsxt_r, .F9, "0000 - -- 0 111100 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "fsxt.r f1=f2,f3", .faulting),
  .init(.fsxt_l, .F9, "0000 - -- 0 111101 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "fsxt.l f1=f2,f3", .faulting),
  .init(.fpack, .F9, "0000 - -- 0 101000 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "fpack f1=f2,f3", .faulting),
  .init(.fswap, .F9, "0000 - -- 0 110100 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "fswap f1=f2,f3", .faulting),
  .init(.fswap_nl, .F9, "0000 - -- 0 110101 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "fswap.nl f1=f2,f3", .faulting),
  .init(.fswap_nr, .F9, "0000 - -- 0 110110 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "fswap.nr f1=f2,f3", .faulting),
  .init(.fand, .F9, "0000 - -- 0 101100 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "fand f1=f2,f3", .faulting),
  .init(.fandcm, .F9, "0000 - -- 0 101101 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "fandcm f1=f2,f3", .faulting),
  .init(.for, .F9, "0000 - -- 0 101110 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "for f1=f2,f3", .faulting),
  .init(.fxor, .F9, "0000 - -- 0 101111 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "fxor f1=f2,f3", .faulting),
  .init(.fpmerge_s, .F9, "0001 - -- 0 010000 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "fpmerge.s f1=f2,f3", .faulting),
  .init(.fpmerge_ns, .F9, "0001 - -- 0 010001 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "fpmerge.ns f1=f2,f3", .faulting),
  .init(.fpmerge_se, .F9, "0001 - -- 0 010010 CCCCCCC BBBBBBB AAAAAAA qqqqqq", "fpmerge.se f1=f2,f3", .faulting),
  // F10
  .init(.fcvt_fx, .F10, "0000 - hh 0 011000 ------- BBBBBBB AAAAAAA qqqqqq", "fcvt.fx{sf} f1=f2", .faulting),
  .init(.fcvt_fxu, .F10, "0000 - hh 0 011001 ------- BBBBBBB AAAAAAA qqqqqq", "fcvt.fxu{sf} f1=f2", .faulting),
  .init(
    .fcvt_fx_trunc, .F10, "0000 - hh 0 011010 ------- BBBBBBB AAAAAAA qqqqqq",
    "fcvt.fx.trunc{sf} f1=f2", .faulting),
  .init(
    .fcvt_fxu_trunc, .F10, "0000 - hh 0 011011 ------- BBBBBBB AAAAAAA qqqqqq",
    "fcvt.fxu.trunc{sf} f1=f2", .faulting),
  .init(.fpcvt_fx, .F10, "0001 - hh 0 011000 ------- BBBBBBB AAAAAAA qqqqqq", "fpcvt.fx{sf} f1=f2", .faulting),
  .init(.fpcvt_fxu, .F10, "0001 - hh 0 011001 ------- BBBBBBB AAAAAAA qqqqqq", "fpcvt.fxu{sf} f1=f2", .faulting),
  .init(
    .fpcvt_fx_trunc, .F10, "0001 - hh 0 011010 ------- BBBBBBB AAAAAAA qqqqqq",
    "fpcvt.fx.trunc{sf} f1=f2", .faulting),
  .init(
    .fpcvt_fxu_trunc, .F10, "0001 - hh 0 011011 ------- BBBBBBB AAAAAAA qqqqqq",
    "fpcvt.fxu.trunc{sf} f1=f2", .faulting),
  // F11
  .init(.fcvt_xf, .F11, "0000 - -- 0 011100 ------- BBBBBBB AAAAAAA qqqqqq", "fcvt.xf f1=f2", .faulting),
  // F12
  .init(.fsetc, .F12, "0000 - hh 0 000100 yyyyyyy xxxxxxx ------- qqqqqq", "fsetc{sf} amask,omask", .faulting),
  // F13
  .init(.fclrf, .F13, "0000 - hh 0 000101 --------------------- qqqqqq", "fclrf{sf}"),
  // F14
  .init(.fchkf, .F14, "0000 s hh 0 001000 - aaaaaaaaaaaaaaaaaaaa qqqqqq", "fchkf{sf} target", .branch),
  // F15
  .init(.break_f, .F15, "0000 b -- 0 000000 - aaaaaaaaaaaaaaaaaaaa qqqqqq", "break.f uimm", .faultingEnding),
  // F16
  .init(.nop_f, .F16, "0000 b -- 0 000001 0 aaaaaaaaaaaaaaaaaaaa qqqqqq", "nop.f uimm"),
  .init(.hint_f, .F16, "0000 b -- 0 000001 1 aaaaaaaaaaaaaaaaaaaa qqqqqq", "hint.f uimm"),
]
