// The host patcher: changes the host code of translated call sites while guest threads run. The two call forms are six
// bytes in one aligned word: one store switches them. Any other change sends the block home: its first instruction is
// rewritten into a jump to the engine, byte by byte behind a breakpoint, with every thread's instruction stream
// serialised in between (membarrier); the engine then makes the block anew. So no thread ever executes a torn instruction.
import CSupport
import Glibc
import Machine
import Paravirt
import Synchronization

package final class HostPatcher: Sendable {
  /// One translation of a site.
  private struct Place: @unchecked Sendable {
    var block: Int
    /// The call's six bytes in the writable mapping; nil where the site has none (inlined, or plain guest code).
    var call: UnsafeMutablePointer<UInt8>?
    var operation: Int
    /// First instruction of the block, and the code that leaves to the engine instead: writable mapping.
    var head: UnsafeMutablePointer<UInt8>
    var home: UnsafeMutablePointer<UInt8>
  }

  private struct State {
    var places: [Int: [Place]] = [:]
    var retired: [Int] = []
    var sentHome: Set<Int> = []
  }

  /// What was done, for statistics and tests.
  package struct Counts: Sendable {
    package var switchedCalls = 0
    package var blocksSentHome = 0
  }

  private let state = Mutex(State())
  private let counters = Mutex(Counts())
  private let pending = Atomic<Bool>(false)
  private let executableOffset: Int
  private let callables: CallablePointers
  private let canSerialize: Bool

  init(_ cache: CodeCache) {
    executableOffset = cache.executableOffset
    callables = cache.callables
    canSerialize = kt_patch_register() == 0 && kt_patch_trap_install() == 0
  }

  package var counts: Counts { counters.withLock { $0 } }

  // MARK: The engine's side

  func add(
    site: Int, block: Int, call: UnsafeMutablePointer<UInt8>?, operation: Int, head: UnsafeMutablePointer<UInt8>,
    home: UnsafeMutablePointer<UInt8>
  ) {
    let place = Place(block: block, call: call, operation: operation, head: head, home: home)
    state.withLock { $0.places[site, default: []].append(place) }
  }

  func removeAll() {
    state.withLock { $0 = State() }
    pending.store(false, ordering: .releasing)
  }

  /// Blocks that must die before the next lookup.
  func takeRetired() -> [Int] {
    guard pending.exchange(false, ordering: .acquiringAndReleasing) else { return [] }
    return state.withLock { state in
      let retired = state.retired
      state.retired = []
      return retired
    }
  }

  // MARK: Any thread's side

  /// Follows a change of the site table. Calls change at once; a block sent home is left at its next entry, and a loop
  /// within one block at the end of its slot budget at the latest.
  func apply(_ change: SiteTableChange, _ table: UnsafeMutablePointer<kt_site_table>) {
    switch change {
    case .dispatch(let sites):
      for site in sites { setDispatch(site, table.pointee.site[site].dispatch) }
    case .bound(let sites):
      for site in sites { sendHome(site) }
    case .binding(let operation):
      callables.refresh(table)
      for site in 0..<Int(table.pointee.count) where table.pointee.site[site].operation == operation.rawValue {
        setDispatch(site, table.pointee.site[site].dispatch)
      }
    }
  }

  private func setDispatch(_ site: Int, _ dispatch: UInt8) {
    let isCall = dispatch == UInt8(KT_DISPATCH_DIRECT.rawValue) || dispatch == UInt8(KT_DISPATCH_INDIRECT.rawValue)
    state.withLock { state in
      for place in state.places[site] ?? [] {
        if isCall, let call = place.call {
          let direct = dispatch == UInt8(KT_DISPATCH_DIRECT.rawValue)
          storeCall(call, callables.callBytes(call, operation: place.operation, direct: direct))
          counters.withLock { $0.switchedCalls += 1 }
        } else {
          sendHome(place, &state)
        }
      }
    }
  }

  private func sendHome(_ site: Int, inlinedOnly: Bool = false) {
    state.withLock { state in
      for place in state.places[site] ?? [] where !inlinedOnly || place.call == nil { sendHome(place, &state) }
    }
  }

  /// One aligned store of the word that holds the call; the two bytes beside it stay.
  private func storeCall(_ call: UnsafeMutablePointer<UInt8>, _ bytes: UInt64) {
    let address = UInt(bitPattern: call)
    let shift = UInt64(address & 7) * 8
    kt_patch_store_word(UnsafeMutableRawPointer(bitPattern: address & ~7)!, bytes << shift, 0xffff_ffff_ffff << shift)
  }

  private func sendHome(_ place: Place, _ state: inout State) {
    guard state.sentHome.insert(place.block).inserted else { return }
    state.retired.append(place.block)
    pending.store(true, ordering: .releasing)
    guard canSerialize else { return }  // the engine retires it at the next safe point
    let head = place.head
    let running = UInt64(UInt(bitPattern: head + executableOffset))
    let home = UInt64(UInt(bitPattern: place.home + executableOffset))
    guard kt_patch_trap_add(running, home, 0) == 0 else { return }
    kt_patch_store_byte(head, 0xcc)
    _ = kt_patch_synchronize()
    let distance = UInt32(bitPattern: Int32(place.home - (head + 5)))
    for index in 0..<4 { kt_patch_store_byte(head + 1 + index, UInt8(truncatingIfNeeded: distance >> UInt32(8 * index))) }
    _ = kt_patch_synchronize()
    kt_patch_store_byte(head, 0xe9)
    _ = kt_patch_synchronize()
    kt_patch_trap_remove(running)
    counters.withLock { $0.blocksSentHome += 1 }
  }
}
