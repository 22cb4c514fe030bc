// The Processor Abstraction Layer's procedures (SDM vol. 2, chapter 11): what an operating system asks about the
// processor. Procedures that hardware needs and this processor does not (error logs, tests, power states) are answered
// "not implemented", which callers must expect.
import CSupport
import Machine

/// What a firmware procedure gives back in r8…r11.
struct ServiceResult: Equatable {
  var status: Int64 = 0
  var values: (UInt64, UInt64, UInt64) = (0, 0, 0)

  static func == (a: ServiceResult, b: ServiceResult) -> Bool { a.status == b.status && a.values == b.values }

  static func success(_ v0: UInt64 = 0, _ v1: UInt64 = 0, _ v2: UInt64 = 0) -> ServiceResult {
    ServiceResult(status: 0, values: (v0, v1, v2))
  }
  /// Status −1 in PAL and SAL.
  static let notImplemented = ServiceResult(status: -1)
  /// Status −2 in PAL and SAL.
  static let invalidArgument = ServiceResult(status: -2)
}

enum PAL {
  enum Procedure: UInt64 {
    case cacheFlush = 1, cacheInfo = 2, cacheInit = 3, cacheSummary = 4, memoryAttributes = 5, purgeInfo = 6, vmInfo = 7
    case vmSummary = 8, busGetFeatures = 9, debugInfo = 11, fixedAddress = 12, frequencyBase = 13, frequencyRatios = 14
    case performanceMonitorInfo = 15, platformAddress = 16, getFeatures = 17, setFeatures = 18, rseInfo = 19
    case version = 20, clearLog = 21, drain = 22, expected = 23, halt = 28, haltLight = 29, cacheLineInit = 31
    case pageSizes = 34, registerInfo = 39, prefetchVisibility = 41, logicalToPhysical = 42
    case haltInfo = 257, brandInfo = 274
  }

  /// Answers that follow from the processor alone; nil: one of those that `FirmwareMachine` serves.
  /// - Parameters:
  ///   - arguments: the three behind the index (r29…r31, or the stacked ones).
  ///   - frequency: ticks of ar.itc a second.
  static func answer(_ procedure: Procedure, _ arguments: [UInt64], frequency: UInt64, _ cpu: CPU) -> ServiceResult? {
    switch procedure {
    case .cacheFlush: return .success(0, 0)
    case .cacheInit, .cacheLineInit, .drain, .setFeatures, .platformAddress, .prefetchVisibility: return .success()
    case .cacheSummary: return .success(UInt64(caches.count), UInt64(caches.joined().count))
    case .cacheInfo: return cacheInfo(level: arguments[0], type: arguments[1])
    case .memoryAttributes: return .success(memoryAttributes)
    case .purgeInfo: return .success(0, 1 << 32 | 1, 0)
    case .vmInfo: return translationCache(level: arguments[0], type: arguments[1])
    case .vmSummary: return .success(vmSummary(cpu), 60 | 24 << 8)
    case .pageSizes: return .success(insertablePageShifts, insertablePageShifts)
    case .debugInfo: return .success(8, 8)
    case .fixedAddress: return .success(UInt64(cpu.pointee.index))
    case .frequencyBase: return .success(frequency)
    case .frequencyRatios: return .success(1 << 32 | 1, 1 << 32 | 1, 1 << 32 | 1)
    case .rseInfo: return .success(UInt64(cpu.pointee.physical_stacked), 0)
    case .version: return .success(1, 1)
    case .getFeatures: return .success(0, 0, 0)
    case .logicalToPhysical: return .notImplemented
    default: return nil
    }
  }

  // MARK: Caches

  /// A cache as software sees it: sizes in bytes, latencies in cycles. The values are those of an Itanium 2.
  private struct Cache {
    var unified: Bool
    var isInstruction: Bool
    var associativity: UInt64
    var lineShift: UInt64
    var loadLatency: UInt64
    var size: UInt64
  }

  private static let caches: [[Cache]] = [
    [
      Cache(unified: false, isInstruction: true, associativity: 4, lineShift: 6, loadLatency: 1, size: 16 << 10),
      Cache(unified: false, isInstruction: false, associativity: 4, lineShift: 6, loadLatency: 1, size: 16 << 10),
    ],
    [Cache(unified: true, isInstruction: false, associativity: 8, lineShift: 7, loadLatency: 5, size: 256 << 10)],
    [Cache(unified: true, isInstruction: false, associativity: 12, lineShift: 7, loadLatency: 14, size: 6 << 20)],
  ]

  /// `type` 1: instruction, 2: data or unified.
  private static func cacheInfo(level: UInt64, type: UInt64) -> ServiceResult {
    guard level < UInt64(caches.count), type == 1 || type == 2,
      let cache = caches[Int(level)].first(where: { $0.isInstruction == (type == 1) })
    else { return .invalidArgument }
    // Write-back; stride = line; store latency as the load's.
    let first =
      (cache.unified ? 1 : 0) | 1 << 1 | cache.associativity << 8 | cache.lineShift << 16 | cache.lineShift << 24
      | cache.loadLatency << 32 | cache.loadLatency << 40
    let second = cache.size | 20 << 32 | 12 << 40 | 49 << 48
    return .success(first, second, 0)
  }

  // MARK: Translations

  /// Memory attributes as a bit mask: write-back, uncached, uncached exported, write-coalescing, NaTPage.
  private static let memoryAttributes: UInt64 = 1 << 0 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 7

  /// `type` 1: instruction, 2: data. One level: the translation cache, fully associative.
  private static func translationCache(level: UInt64, type: UInt64) -> ServiceResult {
    guard level == 0, type == 1 || type == 2 else { return .invalidArgument }
    let entries = UInt64(type == 1 ? KT_ITC_COUNT : KT_DTC_COUNT)
    return .success(1 | entries << 8 | entries << 16, insertablePageShifts)
  }

  /// pal_vm_info_1: walker present, physical address bits, key bits, protection key registers, hash tag id, highest
  /// data and instruction translation register, unique caches, levels.
  private static func vmSummary(_ cpu: CPU) -> UInt64 {
    let sizes = 1 | cpu.machine.physicalBits << 1 | 24 << 8 | 15 << 16 | 2 << 24
    let registers = UInt64(KT_DTR_COUNT - 1) << 32 | UInt64(KT_ITR_COUNT - 1) << 40
    return sizes | registers | 2 << 48 | 1 << 56
  }
}
