// A state vector: one case of the format that Documentation/vectors.md describes. A processor state, how long to run
// from it, and what the state is then.
import CSupport
import Machine

/// A translation as vectors write it.
struct VectorTranslation: Hashable, Sendable {
  /// Number of the translation register; nil in a cache.
  var slot: Int?
  var va: UInt64
  var ps: Int
  var pte: UInt64
  var rid: UInt64
  var key: UInt64
}

/// A stacked register on its way to the backing store.
struct VectorStacked: Equatable, Sendable {
  var value: UInt64
  var nat: Bool
}

/// An entry of the ALAT: a general or floating-point register, by the number that an instruction uses, and memory.
struct VectorAdvanced: Sendable, Hashable {
  var isFloat: Bool
  var register: Int
  var physical: UInt64
  var size: UInt64

  func entry(_ cpu: CPU) -> kt_alat_entry {
    kt_alat_entry(
      tag: isFloat ? cpu.alatTag(float: register) : cpu.alatTag(general: register), physical: physical, size: size)
  }
}

/// What a vector says of a state: what it leaves out is nil or absent.
struct VectorState: Sendable {
  var ip: UInt64?
  var psr: UInt64?
  var cfm: UInt64?
  var gr: [Int: UInt64] = [:]
  var nat: Set<Int>?
  var bankGR: [Int: UInt64] = [:]
  var bankNaT: Set<Int>?
  /// Sign and exponent, significand.
  var fr: [Int: (UInt64, UInt64)] = [:]
  var pr: UInt64?
  /// br, rr, pkr, dbr, ibr, pmc, pmd, cpuid by number.
  var files: [RegisterFile: [Int: UInt64]] = [:]
  /// Application and control registers by the assembler's names: `ar.lc`, `cr.iva`.
  var named: [String: UInt64] = [:]
  /// itr, dtr, itc, dtc.
  var translations: [TranslationFile: [VectorTranslation]] = [:]
  var dirty: [VectorStacked]?
  var clean: Int?
  var incomplete: Bool?
  var alat: [VectorAdvanced]?
  var pending: Set<Int>?
  var inService: Set<Int>?
  /// Physical address and bytes.
  var ram: [(address: UInt64, bytes: [UInt8])] = []
}

/// Register files that are rows of 64-bit registers.
enum RegisterFile: String, CaseIterable, Sendable {
  case br, rr, pkr, dbr, ibr, pmc, pmd, cpuid

  var count: Int {
    switch self {
    case .br, .rr, .cpuid: 8
    case .pkr, .dbr, .ibr: 16
    case .pmc, .pmd: 32
    }
  }

  func storage(_ cpu: CPU) -> UnsafeMutablePointer<UInt64> {
    switch self {
    case .br: kt_branches(cpu)
    case .rr: kt_region_registers(cpu)
    case .pkr: kt_protection_keys(cpu)
    case .dbr: kt_data_breakpoints(cpu)
    case .ibr: kt_instruction_breakpoints(cpu)
    case .pmc: kt_pmc(cpu)
    case .pmd: kt_pmd(cpu)
    case .cpuid: kt_cpuid(cpu)
    }
  }
}

enum TranslationFile: String, CaseIterable, Sendable {
  case itr, dtr, itc, dtc

  var isCache: Bool { self == .itc || self == .dtc }
  var count: Int {
    switch self {
    case .itr: Int(KT_ITR_COUNT)
    case .dtr: Int(KT_DTR_COUNT)
    case .itc: Int(KT_ITC_COUNT)
    case .dtc: Int(KT_DTC_COUNT)
    }
  }

  func storage(_ cpu: CPU) -> UnsafeMutablePointer<kt_translation> {
    switch self {
    case .itr: kt_itr(cpu)
    case .dtr: kt_dtr(cpu)
    case .itc: kt_itc(cpu)
    case .dtc: kt_dtc(cpu)
    }
  }
}

/// One case.
package struct StateVector: Sendable {
  package var name: String
  /// What a processor must have to run the case.
  var requires: [String] = []
  var initial = VectorState()
  var final = VectorState()
  /// The run ends after so many retired instructions and delivered interruptions, …
  var stopEvents: Int?
  /// … or where the next instruction stands here.
  var stopIP: UInt64?
  /// Names of what is not compared.
  var ignore: Set<String> = []
  /// Why the case can't be run here, nil where it can.
  var unsupported: String?
  /// Whether advanced loads are to leave entries: cases that say nothing of it run without an ALAT.
  var usesALAT: Bool { requires.contains("alat") || initial.alat?.isEmpty == false || final.alat?.isEmpty == false }
}

/// The plain 64-bit registers with names: where they are in the processor.
enum NamedRegister {
  nonisolated(unsafe) static let all: [(name: String, path: WritableKeyPath<kt_cpu, UInt64>)] = [
    ("ar.rsc", \.ar_rsc), ("ar.bspstore", \.ar_bspstore), ("ar.rnat", \.ar_rnat), ("ar.fcr", \.ar_fcr),
    ("ar.eflag", \.ar_eflag), ("ar.csd", \.ar_csd), ("ar.ssd", \.ar_ssd), ("ar.cflg", \.ar_cflg),
    ("ar.fsr", \.ar_fsr), ("ar.fir", \.ar_fir), ("ar.fdr", \.ar_fdr), ("ar.ccv", \.ar_ccv), ("ar.unat", \.ar_unat),
    ("ar.fpsr", \.ar_fpsr), ("ar.pfs", \.ar_pfs), ("ar.lc", \.ar_lc), ("ar.ec", \.ar_ec),
    ("ar.k0", \.ar_kr.0), ("ar.k1", \.ar_kr.1), ("ar.k2", \.ar_kr.2), ("ar.k3", \.ar_kr.3), ("ar.k4", \.ar_kr.4),
    ("ar.k5", \.ar_kr.5), ("ar.k6", \.ar_kr.6), ("ar.k7", \.ar_kr.7),
    ("cr.dcr", \.cr_dcr), ("cr.itm", \.cr_itm), ("cr.iva", \.cr_iva), ("cr.pta", \.cr_pta), ("cr.ipsr", \.cr_ipsr),
    ("cr.isr", \.cr_isr), ("cr.iip", \.cr_iip), ("cr.ifa", \.cr_ifa), ("cr.itir", \.cr_itir), ("cr.iipa", \.cr_iipa),
    ("cr.ifs", \.cr_ifs), ("cr.iim", \.cr_iim), ("cr.iha", \.cr_iha), ("cr.lid", \.cr_lid), ("cr.tpr", \.cr_tpr),
    ("cr.irr0", \.cr_irr.0), ("cr.irr1", \.cr_irr.1), ("cr.irr2", \.cr_irr.2), ("cr.irr3", \.cr_irr.3),
    ("cr.itv", \.cr_itv), ("cr.pmv", \.cr_pmv), ("cr.cmcv", \.cr_cmcv), ("cr.lrr0", \.cr_lrr.0),
    ("cr.lrr1", \.cr_lrr.1),
  ]
  /// Names beyond those that `all` has: read through the processor.
  static let computed: Set<String> = ["ar.bsp", "ar.itc"]
  static let names = Set(all.map(\.name)).union(computed)
}
