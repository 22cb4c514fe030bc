// A trace of a process's system calls and signals, as lines to read and as JSON lines for programs
// (Documentation/tracing.md). A line begins with the thread's number. What a call is given is written before it is made, so
// that one that waits is seen waiting; where another thread's line comes between, the rest follows on a line of its own.
import CSupport
import Glibc
import Machine

package final class SyscallTracer {
  /// A call that a thread is making.
  private struct Pending {
    var text: SyscallText
    var row: SyscallRow?
    var arguments: [String?]
    /// The argument that is written next.
    var next = 0
    var isBegun = false
    var started: UInt64
  }

  private let lines: ((String) -> Void)?
  private let records: ((String) -> Void)?
  private var pending: [Int32: Pending] = [:]
  /// The thread whose line has no end yet.
  private var open: Int32?
  /// Whether another process writes lines to the same place: then each is written in one piece.
  private var isShared: Bool
  private let origin = hostNanoseconds()

  /// - Parameters:
  ///   - lines: takes pieces of text, of which some don't end a line.
  ///   - records: takes whole lines of JSON.
  ///   - isShared: whether other processes write to the same place.
  package init(lines: ((String) -> Void)?, records: ((String) -> Void)?, isShared: Bool = false) {
    self.lines = lines
    self.records = records
    self.isShared = isShared
  }

  // MARK: Calls

  func begin(_ thread: Int32, _ call: SystemCall, _ memory: AddressSpace) {
    let row = SyscallTable.row(call.number)
    let kinds = row?.arguments ?? [SyscallArgument](repeating: .value, count: call.arguments.count)
    let text = SyscallText(memory: memory, call: call, kinds: kinds)
    let arguments = kinds.indices.map { text.isResult($0) ? "" : text.argument($0, result: nil) }
    pending[thread] = Pending(text: text, row: row, arguments: arguments, started: hostNanoseconds())
    // Calls that may not come back, or come back twice, are written whole.
    if case .result = row?.action { return }
    if !isShared { piece(thread, upToResults: true).map { lines?($0) } }
  }

  /// The call will not come back: the thread or the program ends, or another program takes its place.
  func depart(_ thread: Int32) {
    guard let text = pending[thread]?.text else { return }
    finish(thread, result: " = ?")
    record(thread, text.call, nil)
    pending[thread] = nil
  }

  func end(_ thread: Int32, _ result: SystemCallResult) {
    guard var item = pending[thread] else { return }
    if result.endsThread || result.end != nil { return depart(thread) }
    for index in item.arguments.indices where item.text.isResult(index) {
      item.arguments[index] = item.text.argument(index, result: result.value, failed: result.failed)
    }
    pending[thread] = item
    finish(thread, result: " = " + Self.text(result))
    record(thread, item.text.call, result)
    pending[thread] = nil
  }

  private static func text(_ result: SystemCallResult) -> String {
    if result.isRestart { return "? (interrupted: made again)" }
    if result.keepsRegisters { return "?" }
    if result.failed {
      let reason = systemReason(Int32(truncatingIfNeeded: result.value))
      return "-1 \(SyscallText.error(result.value)) (\(reason))"
    }
    return SyscallText.number(result.value) + (result.second.map { ", " + SyscallText.number($0) } ?? "")
  }

  // MARK: Lines

  /// What of the thread's line is known and not written yet.
  private func piece(_ thread: Int32, upToResults: Bool = false) -> String? {
    guard lines != nil, var item = pending[thread] else { return nil }
    var text = ""
    if open != thread {
      closeLine()
      text = "\(thread) " + (item.isBegun ? "<... \(name(item)) resumed> " : "")
      open = thread
    }
    if !item.isBegun { text += name(item) + "(" }
    item.isBegun = true
    while item.next < item.arguments.count, !(upToResults && item.text.isResult(item.next)) {
      if let argument = item.arguments[item.next] { text += (item.next > 0 ? ", " : "") + argument }
      item.next += 1
    }
    pending[thread] = item
    return text
  }

  private func name(_ item: Pending) -> String { item.row.map { "\($0.name)" } ?? "syscall_\(item.text.call.number)" }

  private func finish(_ thread: Int32, result: String) {
    guard let lines, let rest = piece(thread) else { return }
    lines(rest + ")" + result + "\n")
    open = nil
  }

  private func closeLine() {
    if open != nil { lines?(" <unfinished ...>\n") }
    open = nil
  }

  private func line(_ thread: Int32, _ text: String) {
    closeLine()
    lines?("\(thread) \(text)\n")
  }

  // MARK: Signals and ends

  func signal(_ thread: Int32, _ number: Int32, _ info: [UInt8]) {
    let code = info.withUnsafeBytes { $0.load(fromByteOffset: 8, as: Int32.self) }
    let isFault = code > 0 && [SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP].contains(number)
    let name = SyscallText.signal(UInt64(number))
    let source = info.withUnsafeBytes {
      isFault ? $0.load(fromByteOffset: 16, as: UInt64.self) : UInt64($0.load(fromByteOffset: 16, as: UInt32.self))
    }
    let detail = isFault ? "si_addr=\(hexadecimal(source))" : "si_pid=\(source)"
    line(thread, "--- \(name) {si_code=\(code), \(detail)} ---")
    record(
      thread, "signal",
      [("number", .integer(Int64(number))), ("name", .string(name)), ("code", .integer(Int64(code))),
        isFault ? ("address", .hexadecimal(source)) : ("sender", .unsigned(source))])
  }

  func ended(_ thread: Int32, _ end: RunEnd) {
    switch end {
    case .exited(let status):
      line(thread, "+++ exited with \(status) +++")
      record(thread, "exit", [("status", .integer(Int64(status)))])
    case .killed(let signal):
      let name = SyscallText.signal(UInt64(signal))
      line(thread, "+++ killed by \(name) +++")
      record(thread, "killed", [("number", .integer(Int64(signal))), ("name", .string(name))])
    case .reset, .stuck, .instructionLimit, .timeout:
      line(thread, "+++ stopped by Kittson +++")
      record(thread, "stopped", [])
    }
  }

  /// The process is about to have a child, which writes to the same place.
  func share() { isShared = true }

  /// In the child: its parent's lines are its parent's.
  func forget() {
    pending = [:]
    open = nil
  }

  // MARK: Records

  private func record(_ thread: Int32, _ call: SystemCall, _ result: SystemCallResult?) {
    guard records != nil, let item = pending[thread] else { return }
    var members: [(String, JSON)] = [
      ("number", .unsigned(call.number)), ("name", .string(name(item))),
      ("arguments", .array(item.arguments.compactMap { $0.map { .string($0) } })),
      ("raw", .array(call.arguments.prefix(item.arguments.count).map { .hexadecimal($0) })),
    ]
    if let result, !result.isRestart, !result.keepsRegisters {
      members.append(("result", result.failed ? -1 : .hexadecimal(result.value)))
      if let second = result.second { members.append(("second", .hexadecimal(second))) }
      if result.failed { members.append(("error", .string(SyscallText.error(result.value)))) }
    } else {
      members.append(("result", .null))
    }
    members.append(("duration", .unsigned(hostNanoseconds() - item.started)))
    record(thread, "call", members)
  }

  private func record(_ thread: Int32, _ event: String, _ members: [(String, JSON)]) {
    guard let records else { return }
    let head: [(String, JSON)] = [
      ("event", .string(event)), ("process", .integer(Int64(getpid()))), ("thread", .integer(Int64(thread))),
      ("time", .unsigned(hostNanoseconds() - origin)),
    ]
    records(JSON.object(head + members).text() + "\n")
  }
}
