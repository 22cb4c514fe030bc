// The guest patcher: rewrites IA-64 bundles as Linux's arch/ia64/kernel/paravirt_patch.c does at boot. A bundle site
// gets the backend's replacement and nops behind it, or a direct call; an instruction site other instructions in its
// slots; a branch site another target. Nothing is written over bytes that are not a form of the record's own site.
import Glibc
import IA64
import Machine

/// What became of one site.
public enum PatchOutcome: Hashable, Sendable {
  /// Rewritten; so many bytes of replacement (of an instruction site: its range), the rest nops.
  case replaced(used: Int)
  /// It calls the operation's function at this address straight.
  case direct(UInt64)
  /// It is the indirect call again, or the branch to the bundle behind it.
  case restored
  /// The branch goes to this address now.
  case retargeted(UInt64)
  /// It held what it should already.
  case unchanged
  /// It stays as it is, for this reason; not the image's fault.
  case kept(String)
  /// It cannot be patched, for this reason.
  case refused(String)
}

package struct GuestPatcher: Sendable {
  private let goal: PatchGoal
  private let replacements: Replacements
  private let recognizer: SiteRecognizer
  private let isModule: Bool
  /// The whole 80 bytes of a replaced site and how many of them are the body, by type; what does not fit is not there.
  private let replaced: [PatchType: (bytes: [UInt8], used: Int)]

  /// A patcher with the bodies, the nop, the functions and the entry points of an image.
  package init(_ guest: ParavirtImage, _ goal: PatchGoal = .replacement(.native)) {
    self.init(guest, goal, Replacements(guest))
  }

  package init(_ guest: ParavirtImage, _ goal: PatchGoal, _ replacements: Replacements) {
    self.goal = goal
    self.replacements = replacements
    isModule = guest.module != nil
    recognizer = SiteRecognizer(table: guest.table, natives: guest.natives)
    let nop = NopBundle.fill(guest.image, symbols: guest.symbols)
    guard case .replacement(let backend) = goal else {
      replaced = [:]
      return
    }
    replaced = replacements.bodies(backend).compactMapValues { body in
      guard body.count <= CallSequence.length else { return nil }
      let fill = Array(repeating: nop, count: (Int(CallSequence.length) - body.count) / 16).joined()
      return (body + fill, body.count)
    }
  }

  /// Patches every record and tells what became of each, in order.
  package func patch<Text: GuestText>(_ records: [PatchRecord], in text: inout Text) -> [PatchOutcome] {
    var log: UndoLog?
    return patch(records, in: &text, log: &log)
  }

  /// The same, with what was overwritten added to a log.
  package func patch<Text: GuestText>(
    _ records: [PatchRecord], in text: inout Text, log: inout UndoLog?
  ) -> [PatchOutcome] {
    var outcomes: [PatchOutcome] = []
    outcomes.reserveCapacity(records.count)
    for record in records { outcomes.append(patch(record, in: &text, &log)) }
    text.serialize()
    return outcomes
  }

  private func patch<Text: GuestText>(
    _ record: PatchRecord, in text: inout Text, _ log: inout UndoLog?
  ) -> PatchOutcome {
    let outcome = text.withBytes(at: record.address, count: record.length) { bytes in
      let old = log == nil ? [] : Array(bytes)
      let outcome =
        switch record.kind {
        case .bundle: patchBundles(record, bytes)
        case .instruction: patchInstructions(record, bytes)
        case .branch: patchBranch(record, bytes)
        }
      if outcome.isDone { log?.record(record.address, old: old, new: UnsafeRawBufferPointer(bytes)) }
      return outcome
    }
    guard let outcome else { return .refused("its range lies outside the guest's text") }
    if outcome.isDone { text.flush(at: record.address, count: record.length) }
    return outcome
  }

  // MARK: Bundle sites

  private func patchBundles(_ record: PatchRecord, _ bytes: UnsafeMutableRawBufferPointer) -> PatchOutcome {
    let site = recognizer.site(record, UnsafeRawBufferPointer(bytes))
    guard site.isBound || isKnownForm(record, UnsafeRawBufferPointer(bytes)) else {
      if site.contents != .call, let reason = tooShort(record) { return .kept(reason) }
      return .refused(site.unboundReason ?? "it is no call site")
    }
    switch goal {
    case .replacement(.native) where site.contents == .native: return .unchanged
    case .indirectCall where site.contents == .call: return .unchanged
    case .replacement: return replace(record, bytes)
    case .directCall:
      return call(record, bytes) ?? .kept("the image's pv_cpu_ops names no function for \(record.type)")
    case .indirectCall: return restore(record, bytes)
    }
  }

  /// Whether a site that can't be bound holds what some goal of a patcher made of it.
  private func isKnownForm(_ record: PatchRecord, _ bytes: UnsafeRawBufferPointer) -> Bool {
    if record.length == CallSequence.length, let operation = record.type.operation,
      let callee = DirectCall.callee(at: record.start, bytes)
    {
      return callee == replacements.callee(operation)
    }
    return PatchBackend.allCases.contains { backend in
      replacements.bodies(backend)[record.type].map { NopBundle.fills(bytes, behind: $0) } ?? false
    }
  }

  private func replace(_ record: PatchRecord, _ bytes: UnsafeMutableRawBufferPointer) -> PatchOutcome {
    guard let (whole, used) = replaced[record.type], used <= bytes.count else {
      if let outcome = call(record, bytes) { return outcome }
      return .kept(tooShort(record) ?? "no replacement for \(record.type), and no function to call")
    }
    return write(whole.prefix(bytes.count), bytes, .replaced(used: used))
  }

  /// The direct call; nil where none is possible.
  private func call(_ record: PatchRecord, _ bytes: UnsafeMutableRawBufferPointer) -> PatchOutcome? {
    guard bytes.count == CallSequence.length, let operation = record.type.operation,
      let callee = replacements.callee(operation), let call = DirectCall.bytes(at: record.start, callee)
    else { return nil }
    return write(call[...], bytes, .direct(callee.entry))
  }

  private func restore(_ record: PatchRecord, _ bytes: UnsafeMutableRawBufferPointer) -> PatchOutcome {
    guard bytes.count == CallSequence.length, let operation = record.type.operation, let table = recognizer.table else {
      return .kept("its \(bytes.count) bytes never were the five-bundle call")
    }
    return write(CallSequence.bytes(member: table &+ operation.offset)[...], bytes, .restored)
  }

  private func write(
    _ new: ArraySlice<UInt8>, _ bytes: UnsafeMutableRawBufferPointer, _ outcome: PatchOutcome
  ) -> PatchOutcome {
    new.withUnsafeBytes { new in
      if memcmp(bytes.baseAddress!, new.baseAddress!, new.count) == 0 { return .unchanged }
      bytes.copyMemory(from: new)
      return outcome
    }
  }

  /// Why a site has no room for the replacement, if it hasn't.
  private func tooShort(_ record: PatchRecord) -> String? {
    guard case .replacement(let backend) = goal, let need = replacements.bodies(backend)[record.type]?.count,
      need > record.length
    else { return nil }
    return "too short: the replacement takes \(need) bytes, the site has \(record.length)"
  }

  // MARK: Instruction sites

  private func patchInstructions(_ record: PatchRecord, _ bytes: UnsafeMutableRawBufferPointer) -> PatchOutcome {
    guard let old = InstructionSite.steps(of: record, UnsafeRawBufferPointer(bytes)) else {
      return .refused("a long instruction stands in its range, or no instruction at all")
    }
    let isKnown = PatchBackend.allCases.contains { backend in
      replacements.steps(record.type, backend).map { $0.map(\.bits) } == old.map(\.bits)
    }
    guard isKnown else { return .refused("its slots hold other code than \(record.type)") }
    let backend: PatchBackend
    switch goal {
    case .replacement(let chosen): backend = chosen
    case .indirectCall: backend = .native
    case .directCall: return .kept("an instruction site has no room for a call")
    }
    guard let new = replacements.steps(record.type, backend) else { return .kept("no replacement for \(record.type)") }
    if new.map(\.bits) == old.map(\.bits) { return .unchanged }
    if let reason = InstructionSite.write(new, record, bytes) { return .kept(reason) }
    return goal == .indirectCall ? .restored : .replaced(used: bytes.count)
  }

  // MARK: Branch sites

  private func patchBranch(_ record: PatchRecord, _ bytes: UnsafeMutableRawBufferPointer) -> PatchOutcome {
    if isModule { return .kept("branches of modules are not patched: their targets are the kernel's") }
    guard let number = record.type.branchNumber else { return .kept("no branch has the type \(record.type)") }
    let old = InstructionBundle(loadingFrom: UnsafeRawPointer(bytes.baseAddress!))
    let slot = Int(record.start & 15)
    guard let present = BranchPatch.target(old, slot: slot, at: record.address) else {
      return .refused(BranchPatch.Problem.notABranch.description)
    }
    let next = record.address &+ 16
    let known = PatchBackend.allCases.compactMap { replacements.branchTarget(number, $0) }
    guard present == next || known.contains(present) else {
      return .refused(
        "it leads to \(hexadecimal(present)), neither to the next bundle nor to an entry point of "
          + record.type.name)
    }
    if goal == .indirectCall { return present == next ? .unchanged : fallThrough(record, old, bytes) }
    var backend = PatchBackend.native
    if case .replacement(let chosen) = goal { backend = chosen }
    guard let target = replacements.branchTarget(number, backend) else {
      return .kept("the image has no \(backend) entry point for \(record.type)")
    }
    switch BranchPatch.retarget(old, slot: slot, at: record.address, to: target) {
    case .failure(let problem): return .refused(problem.description)
    case .success(let new): return write(new.bytes[...], bytes, .retargeted(target))
    }
  }

  /// The branch to the next bundle; a brl that came of a bundle of three branch slots is one again.
  private func fallThrough(
    _ record: PatchRecord, _ old: InstructionBundle, _ bytes: UnsafeMutableRawBufferPointer
  ) -> PatchOutcome {
    let slot = Int(record.start & 15)
    let short =
      old.template.isLong
      ? BranchPatch.shorten(old, slot: slot, at: record.address, to: record.address &+ 16)
      : try? BranchPatch.retarget(old, slot: slot, at: record.address, to: record.address &+ 16).get()
    guard let short else { return .kept("the bundle its long branch came from is not known") }
    return write(short.bytes[...], bytes, .restored)
  }
}

extension PatchOutcome {
  /// Whether something was written.
  package var isDone: Bool {
    switch self {
    case .replaced, .direct, .restored, .retargeted: return true
    case .unchanged, .kept, .refused: return false
    }
  }
}
