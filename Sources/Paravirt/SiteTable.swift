// The call sites of a guest and what each operation is bound to: the owner of the C table that both engines and emitted
// code read. Everything here is cold; engines notice a change by the table's generation, and the host patcher by being
// told (`observe`).
import CSupport
import Machine
import Synchronization

/// What changed in a site table.
package enum SiteTableChange: Sendable {
  /// The operation's slot holds other callables.
  case binding(Operation)
  /// These sites shall be dispatched another way.
  case dispatch([Int])
  /// Whether these sites may be dispatched at all has changed.
  case bound([Int])
}

/// Call sites and operation bindings of one machine (`machine.paravirt`).
public final class SiteTable: @unchecked Sendable {
  /// The C table: `kt_cpu.sites` of every processor points to it. Never moves.
  package let pointer: UnsafeMutablePointer<kt_site_table>

  /// How an operation is bound.
  public enum Binding: Sendable, Equatable {
    /// Kittson's own body: a libffi closure where the dispatch is indirect, the C function where it is direct.
    case native
    /// A Swift closure: reached through a libffi closure in every dispatch state.
    case closure
    /// A C function, called as it is.
    case function
    /// A function of a shared library.
    case plugin(library: String, symbol: String)
  }

  private struct State {
    var bindings = [Binding](repeating: .native, count: Operation.allCases.count)
    var closures = [HostClosure?](repeating: nil, count: Operation.allCases.count)
    var libraries = [PluginLibrary?](repeating: nil, count: Operation.allCases.count)
    /// Closures and libraries that no slot names any more, but that a guest thread may still be inside.
    var retired: [AnyObject] = []
    var observers: [@Sendable (SiteTableChange) -> Void] = []
  }

  private let state = Mutex(State())
  /// Parallel to `pointer.site`.
  package let sites: [CallSite]
  private let recognizer: SiteRecognizer
  /// Where the guest's pv_cpu_ops stands in host memory, and what it held at first; nil until `watchTable`.
  private let watched: UnsafeMutablePointer<WatchedTable>

  private struct WatchedTable {
    var members: UnsafePointer<UInt64>?
    var original: [UInt64]
    /// Which members held what they held at first when the table was looked at last.
    var intact = [Bool](repeating: true, count: Operation.allCases.count)
  }

  /// A table of an image's call sites, all with the same dispatch and bound to the native operations.
  /// - Throws: `BindingError.noClosure` where libffi has no memory.
  package convenience init(_ guest: ParavirtImage, dispatch: Dispatch = .inlined) throws(BindingError) {
    let sites = guest.sites.filter { $0.record.kind == .bundle }.sorted { $0.record.start < $1.record.start }
    try self.init(sites, SiteRecognizer(table: guest.table, natives: guest.natives), dispatch: dispatch)
  }

  /// A table without sites, for a guest that has none.
  package convenience init() throws(BindingError) {
    try self.init([], SiteRecognizer(table: nil, natives: NativeBodies()), dispatch: .emulated)
  }

  private init(_ sites: [CallSite], _ recognizer: SiteRecognizer, dispatch: Dispatch) throws(BindingError) {
    self.sites = sites
    self.recognizer = recognizer
    pointer = .allocate(capacity: 1)
    watched = .allocate(capacity: 1)
    watched.initialize(to: WatchedTable(members: nil, original: []))
    let array = UnsafeMutablePointer<kt_site>.allocate(capacity: max(sites.count, 1))
    for (index, site) in sites.enumerated() {
      (array + index).initialize(
        to: kt_site(
          start: site.record.start, end: site.record.end, type: site.record.type.rawValue,
          operation: site.operation?.rawValue ?? 0, dispatch: dispatch.rawValue, bound: site.isBound ? 1 : 0,
          calls: 0, patch_point: 0))
    }
    pointer.initialize(to: kt_site_table())
    pointer.pointee.site = array
    pointer.pointee.count = UInt64(sites.count)
    pointer.pointee.recognize = recognizeSite
    pointer.pointee.owner = Unmanaged.passUnretained(self).toOpaque()
    for operation in Operation.allCases {
      let slot = slot(operation)
      slot.pointee.cif = UnsafeMutableRawPointer(OperationSignature.of(operation).cif)
      slot.pointee.arguments = UInt32(operation.argumentCount)
      slot.pointee.has_result = operation.hasResult ? 1 : 0
    }
    for operation in Operation.allCases { try bindNative(operation) }
    pointer.pointee.generation = 1
  }

  deinit {
    pointer.pointee.site.deallocate()
    pointer.deallocate()
    watched.deinitialize(count: 1)
    watched.deallocate()
  }

  package func slot(_ operation: Operation) -> UnsafeMutablePointer<kt_operation_slot> {
    kt_operation_slots(pointer) + Int(operation.rawValue)
  }

  /// Number of sites.
  public var count: Int { sites.count }

  /// Index of the site that starts at an address, whether bound or not.
  public func index(at address: UInt64) -> Int? {
    var low = 0
    var high = sites.count
    while low < high {
      let middle = (low + high) / 2
      if sites[middle].record.start < address { low = middle + 1 } else { high = middle }
    }
    return low < sites.count && sites[low].record.start == address ? low : nil
  }

  /// Calls `observer` after every change, on the thread that made it.
  package func observe(_ observer: @escaping @Sendable (SiteTableChange) -> Void) {
    state.withLock { $0.observers.append(observer) }
  }

  private func changed(_ change: SiteTableChange) {
    kt_table_changed(pointer)
    let observers = state.withLock { $0.observers }
    for observer in observers { observer(change) }
  }

  // MARK: Bindings

  /// How an operation is bound now.
  public func binding(of operation: Operation) -> Binding { state.withLock { $0.bindings[Int(operation.rawValue)] } }

  /// Binds an operation to Kittson's native body.
  public func bindNative(_ operation: Operation) throws(BindingError) {
    let native = operation.native
    // The universal form of the same body, so that `indirect` costs what any Swift closure costs.
    let body: HostBody = { cpu, a, b, c, d, e in native(cpu, a, b, c, d, e) }
    guard let closure = HostClosure(operation, body) else { throw .noClosure(operation) }
    install(operation, .native, indirect: closure.code, direct: native, closure: closure)
  }

  /// Binds an operation to a C function: processor, then the operation's arguments; called as it is.
  package func bind(_ operation: Operation, function: kt_callable) {
    install(operation, .function, indirect: function, direct: function)
  }

  /// Binds an operation to a function of a shared library.
  public func bind(_ plugin: PluginSpecification) throws(BindingError) {
    let library = try PluginLibrary(path: plugin.library)
    let function = try library.function(plugin.symbol)
    install(
      plugin.operation, .plugin(library: plugin.library, symbol: plugin.symbol), indirect: function,
      direct: function, library: library)
  }

  package func bind(_ operation: Operation, body: @escaping HostBody) throws(BindingError) {
    guard let closure = HostClosure(operation, body) else { throw .noClosure(operation) }
    install(operation, .closure, indirect: closure.code, direct: closure.code, closure: closure)
  }

  private func install(
    _ operation: Operation, _ binding: Binding, indirect: kt_callable, direct: kt_callable,
    closure: HostClosure? = nil, library: PluginLibrary? = nil
  ) {
    let index = Int(operation.rawValue)
    state.withLock { state in
      if let old = state.closures[index] { state.retired.append(old) }
      if let old = state.libraries[index] { state.retired.append(old) }
      state.closures[index] = closure
      state.libraries[index] = library
      state.bindings[index] = binding
      kt_slot_bind(slot(operation), indirect, direct, binding == .native ? 1 : 0)
    }
    changed(.binding(operation))
  }

  /// Frees replaced closures and plugins. Call where no guest thread can be inside one of them: when all have passed a
  /// safe point since the last binding, or while none runs.
  package func reclaim() {
    let retired = state.withLock { state in
      defer { state.retired = [] }
      return state.retired
    }
    _ = consume retired
  }

  package var retiredCount: Int { state.withLock { $0.retired.count } }

  // MARK: Dispatch

  /// How a site is asked to be dispatched.
  public func dispatch(ofSite index: Int) -> Dispatch {
    Dispatch(rawValue: pointer.pointee.site[index].dispatch) ?? .emulated
  }

  /// Dispatches one site another way, at once, while guests run.
  public func setDispatch(_ dispatch: Dispatch, site index: Int) {
    precondition(sites.indices.contains(index), "no such call site")
    setDispatch(dispatch, [index])
  }

  /// Every site of one operation.
  public func setDispatch(_ dispatch: Dispatch, operation: Operation) {
    setDispatch(dispatch, sites.indices.filter { sites[$0].operation == operation })
  }

  /// Dispatches every site another way.
  public func setDispatch(_ dispatch: Dispatch) { setDispatch(dispatch, Array(sites.indices)) }

  private func setDispatch(_ dispatch: Dispatch, _ indices: [Int]) {
    let affected = indices.filter { pointer.pointee.site[$0].dispatch != dispatch.rawValue }
    guard !affected.isEmpty else { return }
    for index in affected { kt_site_set_dispatch(pointer.pointee.site + index, dispatch.rawValue) }
    changed(.dispatch(affected))
  }

  // MARK: What the guest does to its sites

  /// From now on a site counts as bound only while its member of the guest's pv_cpu_ops holds what it holds now.
  /// - Parameter members: host address of the guest's pv_cpu_ops (14 members of 8 bytes), valid as long as the guest.
  package func watchTable(_ members: UnsafeRawPointer) {
    let words = members.assumingMemoryBound(to: UInt64.self)
    watched.pointee = WatchedTable(members: words, original: (0..<Operation.allCases.count).map { words[$0] })
  }

  /// The guest has stored into its pv_cpu_ops: sites whose member is another now are no longer bound, and those whose member
  /// is what it was are looked at again when they are decoded or translated next.
  package func tableWritten() {
    guard let members = watched.pointee.members else { return }
    let original = watched.pointee.original
    let intact = original.indices.map { members[$0] == original[$0] }
    let before = watched.pointee.intact
    watched.pointee.intact = intact
    let affected = sites.indices.filter { index in
      guard let operation = sites[index].operation else { return false }
      return intact[Int(operation.rawValue)] != before[Int(operation.rawValue)]
    }
    guard !affected.isEmpty else { return }
    for index in affected where !intact[Int(sites[index].operation!.rawValue)] {
      kt_site_set_bound(pointer.pointee.site + index, 0)
    }
    changed(.bound(affected))
  }

  /// Address of the guest's pv_cpu_ops.
  package var guestTable: UInt64? { recognizer.table }

  /// Looks at a site's bytes in guest memory and keeps or ends its binding accordingly; whether it is bound.
  /// - Parameter available: bytes that may be read at `text`; a site that is longer is not bound.
  package func recognize(_ index: Int, _ text: UnsafeRawPointer, available: UInt64) -> Bool {
    let record = sites[index].record
    var bound = record.length <= min(available, CallSequence.length)
    if bound { bound = recognizer.site(record, UnsafeRawBufferPointer(start: text, count: Int(record.length))).isBound }
    if bound, let members = watched.pointee.members, let operation = record.type.operation {
      let member = Int(operation.rawValue)
      bound = members[member] == watched.pointee.original[member]
    }
    let site = pointer.pointee.site + index
    if (site.pointee.bound != 0) != bound {
      kt_site_set_bound(site, bound ? 1 : 0)
      changed(.bound([index]))
    }
    return bound
  }

  // MARK: Statistics

  /// What one site has done.
  public struct SiteStatistics: Sendable {
    /// Guest address of its first bundle.
    public var address: UInt64
    /// The record's type.
    public var type: PatchType
    /// Whether the host may dispatch it.
    public var isBound: Bool
    /// How it is dispatched.
    public var dispatch: Dispatch
    /// Executions through the host since the start. The translator counts them where it is asked to.
    public var calls: UInt64
    /// Whether the translator has made host code of the site that dispatches it.
    public var isTranslated: Bool
  }

  /// Every site, by address, with its executions so far.
  public func statistics() -> [SiteStatistics] {
    sites.enumerated().map { index, site in
      let entry = pointer.pointee.site + index
      return SiteStatistics(
        address: site.record.start, type: site.record.type, isBound: entry.pointee.bound != 0,
        dispatch: dispatch(ofSite: index), calls: kt_site_calls(entry),
        isTranslated: entry.pointee.patch_point != 0)
    }
  }

  /// Executions through the host, by operation.
  public func calls() -> [Operation: UInt64] {
    statistics().reduce(into: [:]) { counts, site in
      if let operation = site.type.operation { counts[operation, default: 0] += site.calls }
    }
  }
}

/// `kt_site_table.recognize`.
private func recognizeSite(
  _ table: UnsafeMutablePointer<kt_site_table>?, _ site: UInt64, _ text: UnsafeRawPointer?, _ available: UInt64
) -> UInt8 {
  guard let table, let owner = table.pointee.owner, let text else { return 0 }
  return Unmanaged<SiteTable>.fromOpaque(owner)._withUnsafeGuaranteedRef {
    $0.recognize(Int(site), text, available: available)
  } ? 1 : 0
}

extension SiteTable {
  // MARK: Swift closures, by the shape of the operation

  /// Binds an operation to a Swift closure:
  /// `machine.paravirt.bind(.thash) { cpu, address in cpu.native(.thash, address) }`.
  /// - Throws: `BindingError.noClosure` where libffi has no memory for another closure.
  public func bind(_ key: BindableOperation<BodyWithResult>, _ body: @escaping BodyWithResult) throws(BindingError) {
    try bind(key.operation, body: { cpu, _, _, _, _, _ in body(GuestProcessor(cpu)) })
  }

  /// Binds an operation to a Swift closure, reached through a libffi closure.
  /// - Throws: `BindingError.noClosure` where libffi has no memory.
  public func bind(
    _ key: BindableOperation<BodyWithoutResult>, _ body: @escaping BodyWithoutResult
  ) throws(BindingError) {
    try bind(
      key.operation,
      body: { cpu, _, _, _, _, _ in
        body(GuestProcessor(cpu))
        return 0
      })
  }

  /// Binds an operation to a Swift closure, reached through a libffi closure.
  /// - Throws: `BindingError.noClosure` where libffi has no memory.
  public func bind(_ key: BindableOperation<Body1WithResult>, _ body: @escaping Body1WithResult) throws(BindingError) {
    try bind(key.operation, body: { cpu, a, _, _, _, _ in body(GuestProcessor(cpu), a) })
  }

  /// Binds an operation to a Swift closure, reached through a libffi closure.
  /// - Throws: `BindingError.noClosure` where libffi has no memory.
  public func bind(
    _ key: BindableOperation<Body1WithoutResult>, _ body: @escaping Body1WithoutResult
  ) throws(BindingError) {
    try bind(
      key.operation,
      body: { cpu, a, _, _, _, _ in
        body(GuestProcessor(cpu), a)
        return 0
      })
  }

  /// Binds an operation to a Swift closure, reached through a libffi closure.
  /// - Throws: `BindingError.noClosure` where libffi has no memory.
  public func bind(
    _ key: BindableOperation<Body2WithoutResult>, _ body: @escaping Body2WithoutResult
  ) throws(BindingError) {
    try bind(
      key.operation,
      body: { cpu, a, b, _, _, _ in
        body(GuestProcessor(cpu), a, b)
        return 0
      })
  }

  /// Binds an operation to a Swift closure, reached through a libffi closure.
  /// - Throws: `BindingError.noClosure` where libffi has no memory.
  public func bind(
    _ key: BindableOperation<Body5WithoutResult>, _ body: @escaping Body5WithoutResult
  ) throws(BindingError) {
    try bind(
      key.operation,
      body: { cpu, a, b, c, d, e in
        body(GuestProcessor(cpu), a, b, c, d, e)
        return 0
      })
  }
}
