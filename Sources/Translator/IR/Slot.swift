// Guest state as the IR names it: a slot is one guest register with a home in kt_cpu (or in the ring behind `frame`).
// Stacked general registers and predicates are named by position, after renaming, so that a rotation moves nothing.
import CSupport

enum Slot {
  static let generalCount = 128
  static let predicates = 128  // 64 of them, physical numbers
  static let branches = 192    // 8 of them
  static let lc = 200
  static let ec = 201
  static let pfs = 202
  static let unat = 203
  static let ccv = 204
  static let floats = 208  // 128 registers by physical number: significand, sign and exponent
  static let progress = 208 + 256  // kt_cpu.deferred_progress
  static let count = progress + 1

  @inline(__always) static func significand(_ register: Int) -> Int { floats + 2 * register }
  @inline(__always) static func exponent(_ register: Int) -> Int { floats + 2 * register + 1 }

  @inline(__always) static func isExponent(_ slot: Int) -> Bool { slot >= floats && slot < progress && slot & 1 != 0 }
  @inline(__always) static func isPredicate(_ slot: Int) -> Bool { slot >= predicates && slot < branches }
  /// Homes relative to `frame`: they move with a call.
  @inline(__always) static func isStacked(_ slot: Int) -> Bool { slot >= 32 && slot < generalCount }

  static func name(_ slot: Int) -> String {
    switch slot {
    case 0..<32: return "r\(slot)"
    case 32..<128: return "s\(slot - 32)"
    case predicates..<branches: return "p\(slot - predicates)"
    case branches..<lc: return "b\(slot - branches)"
    case lc: return "ar.lc"
    case ec: return "ar.ec"
    case pfs: return "ar.pfs"
    case unat: return "ar.unat"
    case progress: return "progress"
    case floats...: return "f\((slot - floats) / 2).\(slot & 1 == 0 ? "sig" : "exp")"
    default: return "ar.ccv"
    }
  }
}

/// Byte offsets of kt_cpu's fields.
enum StateOffset {
  private static func of<T>(_ path: KeyPath<kt_cpu, T>) -> Int32 { Int32(MemoryLayout<kt_cpu>.offset(of: path)!) }
  static let gr = of(\.gr)
  static let budget = of(\.budget)
  static let ip = of(\.ip)
  static let ri = of(\.ri)
  static let natLive = of(\.nat_live)
  static let stopRequest = of(\.stop_request)
  static let eventCheck = of(\.event_check)
  static let psr = of(\.psr)
  static let cfm = of(\.cfm)
  static let lc = of(\.ar_lc)
  static let ec = of(\.ar_ec)
  static let pfs = of(\.ar_pfs)
  static let ccv = of(\.ar_ccv)
  static let unat = of(\.ar_unat)
  static let br = of(\.br)
  static let pr = of(\.pr)
  static let fpsr = of(\.ar_fpsr)
  static let fr = of(\.fr)
  static let frameBase = of(\.frame_base)
  static let frameLow = of(\.frame_low)
  static let frameHigh = of(\.frame_high)
  static let stackBase = of(\.stack_base)
  static let stackLimit = of(\.stack_limit)
  static let storeValue = of(\.store_value)
  static let spill = of(\.spill)
  static let rr = of(\.rr)
  static let pmd = of(\.pmd)
  static let cpuid = of(\.cpuid)
  static let kr = of(\.ar_kr)
  static let pta = of(\.cr_pta)
  static let stlb = of(\.stlb)
  static let load = of(\.load)
  static let store = of(\.store)
  static let execute = of(\.execute_instruction)
  static let sites = of(\.sites)
  static let deferred = of(\.deferred)
  static let deferredA = of(\.deferred_a)
  static let deferredB = of(\.deferred_b)
  static let deferredMask = of(\.deferred_mask)
  static let settle = of(\.settle)
  static let progress = of(\.deferred_progress)

  static let interruptReady = of(\.interrupt_ready)
  static let itcOffset = of(\.itc_offset)
  static let deadline = of(\.deadline)
  static let itmDeadline = of(\.itm_deadline)
  static let itm = of(\.cr_itm)
  static let tpr = of(\.cr_tpr)
  static let itv = of(\.cr_itv)
  static let irr = of(\.cr_irr)
  static let inService = of(\.in_service)
  static let cachedPages = of(\.cached_pages)
  static let cachedWide = of(\.cached_wide)
  static let fetchGeneration = of(\.fetch_generation)

  /// Home of a slot that lies in kt_cpu.
  static func home(_ slot: Int) -> Int32 {
    switch slot {
    case 0..<32: return gr + Int32(slot) * 8
    case Slot.predicates..<Slot.branches: return pr + Int32(slot - Slot.predicates)
    case Slot.branches..<Slot.lc: return br + Int32(slot - Slot.branches) * 8
    case Slot.lc: return lc
    case Slot.ec: return ec
    case Slot.pfs: return pfs
    case Slot.unat: return unat
    case Slot.progress: return progress
    case Slot.floats...: return fr + Int32(slot - Slot.floats) * 8
    default: return ccv
    }
  }
}
