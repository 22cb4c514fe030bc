// The opcodes of the IA-64 architecture: one case per encoding, in the order of the instruction table
// (Intel Itanium Architecture Software Developer's Manual, volume 3, chapter 4).
//
// A name is the manual's mnemonic with those completers that change what the instruction does, `.` written `_`.
// Hints (branch prediction, locality, prefetch) and the floating-point status field are operands and stay out of the
// name.
// Endings tell encodings of one mnemonic apart: `_imm` an immediate source, `_zero` a comparison of zero with a
// register,
// `_r` and `_i` a base register updated by a register or an immediate, `_f` a floating-point register.

/// An encoding of the architecture. The raw value is the index of its row in `instructionTable`; `illegal` has no row.
@frozen
public enum Opcode: UInt16, CaseIterable, Sendable {

  // MARK: Integer ALU (M or I unit)
  // A1
  case add, add_1, sub, sub_1, addp4, and, andcm, or, xor
  // A2
  case shladd, shladdp4
  // A3
  case sub_imm, and_imm, andcm_imm, or_imm, xor_imm
  // A4
  case adds, addp4_imm
  // A5
  case addl
  // A6
  case cmp_lt, cmp_ltu, cmp_eq, cmp_lt_unc, cmp_ltu_unc, cmp_eq_unc, cmp_eq_and, cmp_eq_or, cmp_eq_or_andcm
  case cmp_ne_and, cmp_ne_or, cmp_ne_or_andcm
  // A7
  case cmp_gt_and_zero, cmp_gt_or_zero, cmp_gt_or_andcm_zero, cmp_le_and_zero, cmp_le_or_zero
  case cmp_le_or_andcm_zero, cmp_ge_and_zero, cmp_ge_or_zero, cmp_ge_or_andcm_zero, cmp_lt_and_zero
  case cmp_lt_or_zero, cmp_lt_or_andcm_zero
  // A8
  case cmp_lt_imm, cmp_ltu_imm, cmp_eq_imm, cmp_lt_unc_imm, cmp_ltu_unc_imm, cmp_eq_unc_imm, cmp_eq_and_imm
  case cmp_eq_or_imm, cmp_eq_or_andcm_imm, cmp_ne_and_imm, cmp_ne_or_imm, cmp_ne_or_andcm_imm
  // A6
  case cmp4_lt, cmp4_ltu, cmp4_eq, cmp4_lt_unc, cmp4_ltu_unc, cmp4_eq_unc, cmp4_eq_and, cmp4_eq_or
  case cmp4_eq_or_andcm, cmp4_ne_and, cmp4_ne_or, cmp4_ne_or_andcm
  // A7
  case cmp4_gt_and_zero, cmp4_gt_or_zero, cmp4_gt_or_andcm_zero, cmp4_le_and_zero, cmp4_le_or_zero
  case cmp4_le_or_andcm_zero, cmp4_ge_and_zero, cmp4_ge_or_zero, cmp4_ge_or_andcm_zero, cmp4_lt_and_zero
  case cmp4_lt_or_zero, cmp4_lt_or_andcm_zero
  // A8
  case cmp4_lt_imm, cmp4_ltu_imm, cmp4_eq_imm, cmp4_lt_unc_imm, cmp4_ltu_unc_imm, cmp4_eq_unc_imm
  case cmp4_eq_and_imm, cmp4_eq_or_imm, cmp4_eq_or_andcm_imm, cmp4_ne_and_imm, cmp4_ne_or_imm
  case cmp4_ne_or_andcm_imm
  // A9
  case padd1, padd1_sss, padd1_uuu, padd1_uus, padd2, padd2_sss, padd2_uuu, padd2_uus, padd4, psub1, psub1_sss
  case psub1_uuu, psub1_uus, psub2, psub2_sss, psub2_uuu, psub2_uus, psub4, pavg1, pavg1_raz, pavg2, pavg2_raz
  case pavgsub1, pavgsub2, pcmp1_eq, pcmp1_gt, pcmp2_eq, pcmp2_gt, pcmp4_eq, pcmp4_gt
  // A10
  case pshladd2, pshradd2

  // MARK: I unit
  // I1
  case pmpyshr2, pmpyshr2_u
  // I2
  case pmpy2_r, pmpy2_l, mpy4, mpyshl4, mix1_r, mix2_r, mix4_r, mix1_l, mix2_l, mix4_l, pack2_uss, pack2_sss
  case pack4_sss, unpack1_h, unpack2_h, unpack4_h, unpack1_l, unpack2_l, unpack4_l, pmin1_u, pmax1_u, pmin2
  case pmax2, psad1
  // I3
  case mux1
  // I4
  case mux2
  // I5
  case pshr2, pshr4, shr, pshr2_u, pshr4_u, shr_u
  // I6
  case pshr2_imm, pshr4_imm, pshr2_u_imm, pshr4_u_imm
  // I7
  case pshl2, pshl4, shl
  // I8
  case pshl2_imm, pshl4_imm
  // I9
  case popcnt, clz
  // I10
  case shrp
  // I11
  case extr_u, extr
  // I12
  case dep_z
  // I13
  case dep_z_imm
  // I14
  case dep_imm
  // I15
  case dep
  // I16
  case tbit_z, tbit_z_unc, tbit_z_and, tbit_nz_and, tbit_z_or, tbit_nz_or, tbit_z_or_andcm, tbit_nz_or_andcm
  // I17
  case tnat_z, tnat_z_unc, tnat_z_and, tnat_nz_and, tnat_z_or, tnat_nz_or, tnat_z_or_andcm, tnat_nz_or_andcm
  // I30
  case tf_z, tf_z_unc, tf_z_and, tf_nz_and, tf_z_or, tf_nz_or, tf_z_or_andcm, tf_nz_or_andcm
  // I18
  case nop_i, hint_i
  // I19
  case break_i
  // I20
  case chk_s_i
  // I21
  case mov_to_br, mov_ret_to_br
  // I22
  case mov_from_br
  // I23
  case mov_to_pr
  // I24
  case mov_to_pr_rot
  // I25
  case mov_from_ip, mov_from_pr
  // I26
  case mov_to_ar_i
  // I27
  case mov_to_ar_i_imm
  // I28
  case mov_from_ar_i
  // I29
  case zxt1, zxt2, zxt4, sxt1, sxt2, sxt4, czx1_l, czx2_l, czx1_r, czx2_r

  // MARK: M unit
  // M1
  case ld1, ld2, ld4, ld8, ld1_s, ld2_s, ld4_s, ld8_s, ld1_a, ld2_a, ld4_a, ld8_a, ld1_sa, ld2_sa, ld4_sa
  case ld8_sa, ld1_bias, ld2_bias, ld4_bias, ld8_bias, ld1_acq, ld2_acq, ld4_acq, ld8_acq, ld8_fill, ld1_c_clr
  case ld2_c_clr, ld4_c_clr, ld8_c_clr, ld1_c_nc, ld2_c_nc, ld4_c_nc, ld8_c_nc, ld1_c_clr_acq, ld2_c_clr_acq
  case ld4_c_clr_acq, ld8_c_clr_acq, ld16, ld16_acq
  // M2
  case ld1_r, ld2_r, ld4_r, ld8_r, ld1_s_r, ld2_s_r, ld4_s_r, ld8_s_r, ld1_a_r, ld2_a_r, ld4_a_r, ld8_a_r
  case ld1_sa_r, ld2_sa_r, ld4_sa_r, ld8_sa_r, ld1_bias_r, ld2_bias_r, ld4_bias_r, ld8_bias_r, ld1_acq_r
  case ld2_acq_r, ld4_acq_r, ld8_acq_r, ld8_fill_r, ld1_c_clr_r, ld2_c_clr_r, ld4_c_clr_r, ld8_c_clr_r
  case ld1_c_nc_r, ld2_c_nc_r, ld4_c_nc_r, ld8_c_nc_r, ld1_c_clr_acq_r, ld2_c_clr_acq_r, ld4_c_clr_acq_r
  case ld8_c_clr_acq_r
  // M3
  case ld1_i, ld2_i, ld4_i, ld8_i, ld1_s_i, ld2_s_i, ld4_s_i, ld8_s_i, ld1_a_i, ld2_a_i, ld4_a_i, ld8_a_i
  case ld1_sa_i, ld2_sa_i, ld4_sa_i, ld8_sa_i, ld1_bias_i, ld2_bias_i, ld4_bias_i, ld8_bias_i, ld1_acq_i
  case ld2_acq_i, ld4_acq_i, ld8_acq_i, ld8_fill_i, ld1_c_clr_i, ld2_c_clr_i, ld4_c_clr_i, ld8_c_clr_i
  case ld1_c_nc_i, ld2_c_nc_i, ld4_c_nc_i, ld8_c_nc_i, ld1_c_clr_acq_i, ld2_c_clr_acq_i, ld4_c_clr_acq_i
  case ld8_c_clr_acq_i
  // M4
  case st1, st2, st4, st8, st1_rel, st2_rel, st4_rel, st8_rel, st8_spill, st16, st16_rel
  // M5
  case st1_i, st2_i, st4_i, st8_i, st1_rel_i, st2_rel_i, st4_rel_i, st8_rel_i, st8_spill_i
  // M6
  case ldfe, ldf8, ldfs, ldfd, ldfe_s, ldf8_s, ldfs_s, ldfd_s, ldfe_a, ldf8_a, ldfs_a, ldfd_a, ldfe_sa
  case ldf8_sa, ldfs_sa, ldfd_sa, ldfe_c_clr, ldf8_c_clr, ldfs_c_clr, ldfd_c_clr, ldfe_c_nc, ldf8_c_nc
  case ldfs_c_nc, ldfd_c_nc, ldf_fill
  // M7
  case ldfe_r, ldf8_r, ldfs_r, ldfd_r, ldfe_s_r, ldf8_s_r, ldfs_s_r, ldfd_s_r, ldfe_a_r, ldf8_a_r, ldfs_a_r
  case ldfd_a_r, ldfe_sa_r, ldf8_sa_r, ldfs_sa_r, ldfd_sa_r, ldfe_c_clr_r, ldf8_c_clr_r, ldfs_c_clr_r
  case ldfd_c_clr_r, ldfe_c_nc_r, ldf8_c_nc_r, ldfs_c_nc_r, ldfd_c_nc_r, ldf_fill_r
  // M8
  case ldfe_i, ldf8_i, ldfs_i, ldfd_i, ldfe_s_i, ldf8_s_i, ldfs_s_i, ldfd_s_i, ldfe_a_i, ldf8_a_i, ldfs_a_i
  case ldfd_a_i, ldfe_sa_i, ldf8_sa_i, ldfs_sa_i, ldfd_sa_i, ldfe_c_clr_i, ldf8_c_clr_i, ldfs_c_clr_i
  case ldfd_c_clr_i, ldfe_c_nc_i, ldf8_c_nc_i, ldfs_c_nc_i, ldfd_c_nc_i, ldf_fill_i
  // M9
  case stfe, stf8, stfs, stfd, stf_spill
  // M10
  case stfe_i, stf8_i, stfs_i, stfd_i, stf_spill_i
  // M11
  case ldfp8, ldfps, ldfpd, ldfp8_s, ldfps_s, ldfpd_s, ldfp8_a, ldfps_a, ldfpd_a, ldfp8_sa, ldfps_sa, ldfpd_sa
  case ldfp8_c_clr, ldfps_c_clr, ldfpd_c_clr, ldfp8_c_nc, ldfps_c_nc, ldfpd_c_nc
  // M12
  case ldfp8_i, ldfps_i, ldfpd_i, ldfp8_s_i, ldfps_s_i, ldfpd_s_i, ldfp8_a_i, ldfps_a_i, ldfpd_a_i, ldfp8_sa_i
  case ldfps_sa_i, ldfpd_sa_i, ldfp8_c_clr_i, ldfps_c_clr_i, ldfpd_c_clr_i, ldfp8_c_nc_i, ldfps_c_nc_i
  case ldfpd_c_nc_i
  // M13
  case lfetch, lfetch_excl, lfetch_fault, lfetch_fault_excl
  // M14
  case lfetch_r, lfetch_excl_r, lfetch_fault_r, lfetch_fault_excl_r
  // M15
  case lfetch_i, lfetch_excl_i, lfetch_fault_i, lfetch_fault_excl_i
  // M16
  case cmpxchg1_acq, cmpxchg2_acq, cmpxchg4_acq, cmpxchg8_acq, cmpxchg1_rel, cmpxchg2_rel, cmpxchg4_rel
  case cmpxchg8_rel, cmp8xchg16_acq, cmp8xchg16_rel, xchg1, xchg2, xchg4, xchg8
  // M17
  case fetchadd4_acq, fetchadd8_acq, fetchadd4_rel, fetchadd8_rel
  // M18
  case setf_sig, setf_exp, setf_s, setf_d
  // M19
  case getf_sig, getf_exp, getf_s, getf_d
  // M20
  case chk_s_m
  // M21
  case chk_s_f
  // M22
  case chk_a_nc, chk_a_clr
  // M23
  case chk_a_nc_f, chk_a_clr_f
  // M24
  case invala, fwb, mf, mf_a, srlz_d, srlz_i, sync_i
  // M25
  case flushrs, loadrs
  // M26
  case invala_e
  // M27
  case invala_e_f
  // M28
  case fc, fc_i
  // M29
  case mov_to_ar_m
  // M30
  case mov_to_ar_m_imm
  // M31
  case mov_from_ar_m
  // M32
  case mov_to_cr
  // M33
  case mov_from_cr
  // M34
  case alloc
  // M35
  case mov_to_psr_l, mov_to_psr_um
  // M36
  case mov_from_psr, mov_from_psr_um
  // M37
  case break_m
  // M38
  case probe_r, probe_w
  // M39
  case probe_r_imm, probe_w_imm
  // M40
  case probe_rw_fault, probe_r_fault, probe_w_fault
  // M41
  case itc_d, itc_i
  // M42
  case mov_to_rr, mov_to_dbr, mov_to_ibr, mov_to_pkr, mov_to_pmc, mov_to_pmd, mov_to_msr, itr_d, itr_i
  // M43
  case mov_from_rr, mov_from_dbr, mov_from_ibr, mov_from_pkr, mov_from_pmc, mov_from_pmd, mov_from_msr
  case mov_from_cpuid
  // M44
  case sum, rum, ssm, rsm
  // M45
  case ptc_l, ptc_g, ptc_ga, ptr_d, ptr_i
  // M46
  case thash, ttag, tpa, tak
  // M47
  case ptc_e
  // M48
  case nop_m, hint_m
  // M50
  case mov_to_dahr
  // M51
  case mov_from_dahr
  // M52
  case lfetch_count

  // MARK: B unit
  // B1
  case br_cond, br_wexit, br_wtop
  // B2
  case br_cloop, br_cexit, br_ctop
  // B3
  case br_call
  // B4
  case br_cond_indirect, br_ia, br_ret
  // B5
  case br_call_indirect
  // B6
  case brp
  // B7
  case brp_indirect, brp_ret
  // B8
  case cover, clrrrb, clrrrb_pr, rfi, bsw_0, bsw_1, epc, vmsw_0, vmsw_1
  // B9
  case break_b, nop_b, hint_b

  // MARK: F unit
  // F1
  case fma, fma_s, fma_d, fpma, fms, fms_s, fms_d, fpms, fnma, fnma_s, fnma_d, fpnma
  // F2
  case xma_l, xma_hu, xma_h
  // F3
  case fselect
  // F4
  case fcmp_eq, fcmp_lt, fcmp_le, fcmp_unord, fcmp_eq_unc, fcmp_lt_unc, fcmp_le_unc, fcmp_unord_unc
  // F5
  case fclass_m, fclass_m_unc
  // F6
  case frcpa, fprcpa
  // F7
  case frsqrta, fprsqrta
  // F8
  case fmin, fmax, famin, famax, fpmin, fpmax, fpamin, fpamax, fpcmp_eq, fpcmp_lt, fpcmp_le, fpcmp_unord
  case fpcmp_neq, fpcmp_nlt, fpcmp_nle, fpcmp_ord
  // F9
  case fmerge_s, fmerge_ns, fmerge_se, fmix_lr, fmix_r, fmix_l, fsxt_r, fsxt_l, fpack, fswap, fswap_nl
  case fswap_nr, fand, fandcm, `for`, fxor, fpmerge_s, fpmerge_ns, fpmerge_se
  // F10
  case fcvt_fx, fcvt_fxu, fcvt_fx_trunc, fcvt_fxu_trunc, fpcvt_fx, fpcvt_fxu, fpcvt_fx_trunc, fpcvt_fxu_trunc
  // F11
  case fcvt_xf
  // F12
  case fsetc
  // F13
  case fclrf
  // F14
  case fchkf
  // F15
  case break_f
  // F16
  case nop_f, hint_f

  // MARK: L+X, two slots
  // X1
  case break_x
  // X2
  case movl
  // X3
  case brl_cond
  // X4
  case brl_call
  // X5
  case nop_x, hint_x

  /// No instruction: a reserved encoding or a reserved template. `Instruction.imm` holds the slot's 41 bits.
  case illegal
}

extension Opcode {
  /// How many opcodes have a row in `instructionTable`.
  @inlinable public static var rowCount: Int { Int(unsafeBitCast(Opcode.illegal, to: UInt16.self)) }

  /// The index of the row; cheaper than `rawValue`, which the compiler implements as a search.
  @inlinable @inline(__always) public var index: Int { Int(unsafeBitCast(self, to: UInt16.self)) }

  /// The opcode of a row. `index` must be in `0...Opcode.rowCount`.
  @inlinable @inline(__always) public init(unchecked index: UInt16) { self = unsafeBitCast(index, to: Opcode.self) }
}
