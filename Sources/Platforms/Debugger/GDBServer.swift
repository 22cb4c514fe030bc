// The stub that gdb talks to (GDB manual, appendix E): a stopped guest is examined and changed until the debugger lets it
// go on. One thread at a time executes guest code, so while that one listens here all others stand still.
import CSupport
import Glibc
import Machine

/// What is debugged.
package protocol DebugTarget: AnyObject {
  var debuggedThreads: [(id: Int32, cpu: CPU)] { get }
  /// Bytes from `address` on, as many of `length` as can be read.
  func debugRead(_ address: UInt64, _ length: UInt64) -> [UInt8]
  /// Writes also where the guest may not; false where there is no memory.
  func debugWrite(_ bytes: [UInt8], to address: UInt64) -> Bool
  /// The auxiliary vector's bytes, where the guest has one.
  var auxiliaryVector: [UInt8] { get }
}

package final class GDBServer {
  enum StopReason {
    case signal(Int32)
    case breakpoint
    case step
    /// An access of that kind that a watchpoint meets.
    case watch(UInt64, isWrite: Bool)
  }

  enum Action { case run, step, hold }

  /// What ended the listening.
  private enum Flow { case reply(String), data([UInt8]), silence, resume, kill, detach }

  private let connection: RemoteConnection
  private unowned let target: any DebugTarget
  let points: DebugPoints
  private let interrupter: DebugInterrupter
  /// Whether the debugger is there; afterwards the guest runs on alone.
  private(set) var isAttached = true
  private(set) var isKilled = false
  private(set) var hasStarted = false
  private var actions: [Int32: Action] = [:]
  private var otherwise = Action.run
  /// The signal, in Linux's numbers, that a thread goes on with.
  private var resumeSignals: [Int32: Int32] = [:]
  private var passedSignals: Set<Int> = []
  private var stopped: (thread: Int32, reason: StopReason) = (0, .signal(SIGTRAP))
  /// The thread that registers are asked of (Hg).
  private var selected: Int32 = 0
  private var reportsSoftwareBreaks = false

  package init(_ connection: RemoteConnection, target: any DebugTarget) {
    self.connection = connection
    self.target = target
    points = DebugPoints(target)
    interrupter = DebugInterrupter(connection)
  }

  // MARK: What the session asks

  func action(of thread: Int32) -> Action { actions[thread] ?? otherwise }

  /// Whether the debugger has asked for a stop since the last one.
  var wantsStop: Bool { interrupter.isRequested }

  /// Tells the debugger of a stop and listens until the guest goes on. What the thread is to be given of a signal.
  @discardableResult
  func stop(_ thread: Int32, _ reason: StopReason) -> Int32 {
    guard isAttached, !isKilled else { return 0 }
    if hasStarted { interrupter.pause() }
    stopped = (thread, reason)
    selected = thread
    if hasStarted { connection.send(stopReply.utf8) }
    hasStarted = true
    listen()
    return resumeSignals.removeValue(forKey: thread) ?? 0
  }

  /// A signal on its way to `thread`: the number of the one to deliver, 0 for none.
  func filter(_ signal: Int32, _ thread: Int32) -> Int32 {
    guard isAttached, !isKilled, !passedSignals.contains(Self.remote(signal)) else { return signal }
    let chosen = stop(thread, .signal(signal))
    return isAttached ? chosen : signal
  }

  /// The guest has ended.
  func ended(_ end: RunEnd) {
    guard isAttached else { return }
    interrupter.pause()
    switch end {
    case _ where isKilled: break  // nobody waits to hear
    case .exited(let status): connection.send("W\(Self.byte(Int(status) & 0xff))".utf8)
    case .killed(let signal): connection.send("X\(Self.byte(Self.remote(signal)))".utf8)
    default: connection.send("W\(Self.byte(124))".utf8)
    }
    leave()
  }

  /// Leaves the guest as it would be without a debugger.
  func leave() {
    points.removeAll()
    isAttached = false
    interrupter.end()
    connection.close()
  }

  /// In the child of a fork, which runs without a debugger.
  func leaveChild() {
    points.removeAll()
    isAttached = false
    connection.close()
  }

  private func listen() {
    while let packet = connection.receive() {
      switch answer(packet) {
      case .reply(let text): connection.send(text.utf8)
      case .data(let bytes): connection.send(bytes)
      case .silence: break
      case .resume:
        interrupter.watch()
        return
      case .kill:
        isKilled = true
        return
      case .detach:
        leave()
        return
      }
    }
    leave()
  }

  // MARK: Commands

  private func answer(_ packet: [UInt8]) -> Flow {
    guard let first = packet.first else { return .reply("") }
    // Of X the rest is no text.
    if first == UInt8(ascii: "X") { return .reply(writeBinary(packet)) }
    let text = String(decoding: packet.dropFirst(), as: UTF8.self)
    switch Character(UnicodeScalar(first)) {
    case "?": return .reply(stopReply)
    case "g": return .reply(allRegisters())
    case "G": return .reply(setAllRegisters(text))
    case "p": return .reply(register(text))
    case "P": return .reply(setRegister(text))
    case "m": return .reply(readMemory(text))
    case "M": return .reply(writeMemory(text))
    case "Z", "z": return .reply(point(text, inserts: first == UInt8(ascii: "Z")))
    case "H": return .reply(select(text))
    case "T": return .reply(target.debuggedThreads.contains { $0.id == Self.number(text) } ? "OK" : "E01")
    case "c", "s", "C", "S": return resume(String(UnicodeScalar(first)) + text)
    case "D":
      connection.send("OK".utf8)
      return .detach
    case "k": return .kill
    case "v": return verbose(text)
    case "q": return text.hasPrefix("Xfer:") ? transfer(text) : .reply(query(text))
    case "Q": return set(text)
    case "\u{3}": return .silence
    default: return .reply("")
    }
  }

  private func verbose(_ text: String) -> Flow {
    if text == "Cont?" { return .reply("vCont;c;C;s;S") }
    if text.hasPrefix("Cont;") { return continueThreads(text.dropFirst(5)) }
    if text.hasPrefix("Kill") {
      connection.send("OK".utf8)
      return .kill
    }
    return .reply("")
  }

  /// c, s, C and S: one action for the selected thread, and all others run.
  private func resume(_ text: String) -> Flow {
    continueThreads((text + ":" + String(selected, radix: 16) + ";c")[...])
  }

  /// vCont: actions with threads; the first that fits a thread counts.
  private func continueThreads(_ text: Substring) -> Flow {
    actions = [:]
    otherwise = .hold
    var hasDefault = false
    for part in text.split(separator: ";") {
      let pieces = part.split(separator: ":")
      guard let head = pieces.first, let letter = head.first, "cCsS".contains(letter) else { return .reply("E01") }
      let action: Action = "sS".contains(letter) ? .step : .run
      let signal = Int(head.dropFirst().prefix { $0 != ";" }, radix: 16) ?? 0
      let thread = pieces.count > 1 ? Self.number(pieces[1]) : -1
      if thread == -1 {
        if hasDefault { continue }
        (otherwise, hasDefault) = (action, true)
        if signal != 0, actions[stopped.thread] == nil { resumeSignals[stopped.thread] = Self.host(signal) }
      } else if actions[thread] == nil {
        actions[thread] = action
        resumeSignals[thread] = signal == 0 ? nil : Self.host(signal)
      }
    }
    return .resume
  }

  private func query(_ text: String) -> String {
    let name = text.prefix { $0 != ":" && $0 != "," }
    switch name {
    case "Supported":
      reportsSoftwareBreaks = text.contains("swbreak+")
      return "PacketSize=\(String(RemoteConnection.limit / 2, radix: 16));qXfer:features:read+;qXfer:auxv:read+;"
        + "vContSupported+;swbreak+;QStartNoAckMode+;QPassSignals+"
    case "fThreadInfo": return "m" + target.debuggedThreads.map { String($0.id, radix: 16) }.joined(separator: ",")
    case "sThreadInfo": return "l"
    case "C": return "QC" + String(stopped.thread, radix: 16)
    case "Attached": return "0"
    case "Symbol": return "OK"
    case "Rcmd": return monitor(Self.bytes(text.dropFirst(5)) ?? [])
    default: return ""
    }
  }

  private func set(_ text: String) -> Flow {
    if text == "StartNoAckMode" {
      connection.send("OK".utf8)
      connection.acknowledges = false
      return .silence
    }
    guard text.hasPrefix("PassSignals:") else { return .reply("") }
    passedSignals = Set(text.dropFirst(12).split(separator: ";").compactMap { Int($0, radix: 16) })
    return .reply("OK")
  }

  /// Of the description gdb takes only which architecture this is; its registers it knows.
  private static let description = """
    <?xml version="1.0"?><!DOCTYPE target SYSTEM "gdb-target.dtd"><target><architecture>ia64-elf64</architecture>\
    <osabi>GNU/Linux</osabi></target>
    """

  /// qXfer:OBJECT:read:ANNEX:OFFSET,LENGTH
  private func transfer(_ text: String) -> Flow {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 5, parts[2] == "read" else { return .reply("") }
    let range = parts[4].split(separator: ",").compactMap { Int($0, radix: 16) }
    guard range.count == 2, range[0] >= 0, range[1] >= 0 else { return .reply("E01") }
    let object: [UInt8]
    switch parts[1] {
    case "features" where parts[3] == "target.xml": object = Array(Self.description.utf8)
    case "auxv": object = target.auxiliaryVector
    default: return .reply("")
    }
    let piece = object.dropFirst(range[0]).prefix(min(range[1], RemoteConnection.limit / 4))
    return .data([range[0] + piece.count < object.count ? UInt8(ascii: "m") : UInt8(ascii: "l")] + piece)
  }

  private func monitor(_ command: [UInt8]) -> String {
    let text: String
    switch String(decoding: command, as: UTF8.self) {
    case "nat": text = (cpu(selected)?.natNames ?? []).joined(separator: " ") + "\n"
    default: text = "monitor nat: the general registers of the selected thread that hold a NaT\n"
    }
    return hexadecimal(text.utf8)
  }

  // MARK: Registers and memory

  private func cpu(_ thread: Int32) -> CPU? {
    let threads = target.debuggedThreads
    return (threads.first { $0.id == thread } ?? threads.first)?.cpu
  }

  private func select(_ text: String) -> String {
    let thread = Self.number(text.dropFirst())
    if text.hasPrefix("g"), thread > 0 {
      guard target.debuggedThreads.contains(where: { $0.id == thread }) else { return "E01" }
      selected = thread
    } else if text.hasPrefix("g") {
      selected = stopped.thread
    }
    return "OK"
  }

  private func allRegisters() -> String {
    guard let cpu = cpu(selected) else { return "E01" }
    return hexadecimal((0..<RemoteRegister.count).flatMap { cpu.remoteRegister($0) })
  }

  private func setAllRegisters(_ text: String) -> String {
    guard let cpu = cpu(selected), var rest = Self.bytes(text[...])?[...] else { return "E01" }
    var isDone = true
    for number in 0..<RemoteRegister.count where rest.count >= RemoteRegister.size(number) {
      let value = Array(rest.prefix(RemoteRegister.size(number)))
      rest = rest.dropFirst(value.count)
      // Most are what they were, and some can't be written.
      if value != cpu.remoteRegister(number), !cpu.setRemoteRegister(number, value) { isDone = false }
    }
    return isDone ? "OK" : "E01"
  }

  private func register(_ text: String) -> String {
    guard let number = Int(text, radix: 16), 0..<RemoteRegister.count ~= number, let cpu = cpu(selected) else { return "E01" }
    return hexadecimal(cpu.remoteRegister(number))
  }

  private func setRegister(_ text: String) -> String {
    let parts = text.split(separator: "=")
    guard parts.count == 2, let number = Int(parts[0], radix: 16), 0..<RemoteRegister.count ~= number,
      let value = Self.bytes(parts[1]), let cpu = cpu(selected), cpu.setRemoteRegister(number, value)
    else { return "E01" }
    return "OK"
  }

  /// ADDRESS,LENGTH
  private static func range(_ text: some StringProtocol) -> (address: UInt64, length: UInt64)? {
    let parts = text.split(separator: ",")
    guard parts.count == 2, let address = UInt64(parts[0], radix: 16), let length = UInt64(parts[1], radix: 16) else {
      return nil
    }
    return (address, length)
  }

  private func readMemory(_ text: String) -> String {
    guard let (address, length) = Self.range(text) else { return "E01" }
    var bytes: [UInt8] = []
    let size = min(length, UInt64(RemoteConnection.limit / 4))
    while UInt64(bytes.count) < size {
      let place = address &+ UInt64(bytes.count)
      let piece = read(place, min(size - UInt64(bytes.count), 8 - place & 7))
      if piece.isEmpty { break }
      bytes += piece
    }
    return bytes.isEmpty && size > 0 ? "E0e" : hexadecimal(bytes)
  }

  /// Bytes within one word.
  private func read(_ address: UInt64, _ length: UInt64) -> [UInt8] {
    if let word = cpu(selected)?.unstoredWord(address & ~7) {
      return (0..<length).map { UInt8(truncatingIfNeeded: word >> (8 * (address & 7 + $0))) }
    }
    return points.original(target.debugRead(address, length), at: address)
  }

  private func writeMemory(_ text: String) -> String {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, let (address, length) = Self.range(parts[0]), let bytes = Self.bytes(parts[1]),
      UInt64(bytes.count) == length
    else { return "E01" }
    return write(bytes, address) ? "OK" : "E0e"
  }

  /// XADDRESS,LENGTH:bytes
  private func writeBinary(_ packet: [UInt8]) -> String {
    guard let colon = packet.firstIndex(of: UInt8(ascii: ":")),
      let (address, length) = Self.range(String(decoding: packet[1..<colon], as: UTF8.self)),
      UInt64(packet.count - colon - 1) == length
    else { return "E01" }
    return write(Array(packet[(colon + 1)...]), address) ? "OK" : "E0e"
  }

  private func write(_ bytes: [UInt8], _ address: UInt64) -> Bool {
    if bytes.isEmpty { return true }
    if bytes.count == 8, address & 7 == 0, let cpu = cpu(selected) {
      if cpu.setUnstoredWord(address, bytes.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }) { return true }
    }
    return points.write(bytes, at: address)
  }

  /// TYPE,ADDRESS,KIND
  private func point(_ text: String, inserts: Bool) -> String {
    let parts = text.split(separator: ",")
    guard parts.count >= 3, let (address, length) = Self.range(text.dropFirst(2).prefix { $0 != ";" }) else { return "E01" }
    switch parts[0] {
    case "0", "1": return points.setBreakpoint(address, inserts) ? "OK" : "E0e"
    case "2": return points.setWatchpoint(address, length, .write, inserts) ? "OK" : "E0e"
    case "3": return points.setWatchpoint(address, length, .read, inserts) ? "OK" : "E0e"
    case "4": return points.setWatchpoint(address, length, [.read, .write], inserts) ? "OK" : "E0e"
    default: return ""
    }
  }

  // MARK: Words of the protocol

  private var stopReply: String {
    let thread = "thread:\(String(stopped.thread, radix: 16));"
    switch stopped.reason {
    case .signal(let signal): return "T\(Self.byte(Self.remote(signal)))" + thread
    case .step: return "T05" + thread
    case .breakpoint: return "T05" + thread + (reportsSoftwareBreaks ? "swbreak:;" : "")
    case .watch(let address, let isWrite):
      let kind = points.watchName(address, isWrite: isWrite)
      return "T05" + thread + "\(kind):\(String(address, radix: 16));"
    }
  }

  private static func byte(_ value: Int) -> String { hexadecimal(UInt64(value), digits: 2, prefix: false) }

  private static func number(_ text: some StringProtocol) -> Int32 { Int32(text, radix: 16) ?? 0 }

  private static func bytes(_ text: Substring) -> [UInt8]? {
    let digits = Array(text.utf8)
    guard digits.count % 2 == 0 else { return nil }
    var bytes: [UInt8] = []
    for index in stride(from: 0, to: digits.count, by: 2) {
      guard let byte = UInt8(String(decoding: digits[index..<index + 2], as: UTF8.self), radix: 16) else { return nil }
      bytes.append(byte)
    }
    return bytes
  }

  /// gdb's numbers of signals (include/gdb/signals.def) by Linux's, 1 to 31.
  private static let remoteNumbers = [
    0, 1, 2, 3, 4, 5, 6, 10, 8, 9, 30, 11, 31, 13, 14, 15, 0, 20, 19, 17, 18, 21, 22, 16, 24, 25, 26, 27, 28, 23, 32, 12,
  ]

  static func remote(_ signal: Int32) -> Int {
    switch signal {
    case 1...31: remoteNumbers[Int(signal)]
    case 32: 77
    case 33...63: Int(signal) + 12
    case 64: 78
    default: 0
    }
  }

  static func host(_ number: Int) -> Int32 { (1...64).first { remote($0) == number } ?? 0 }
}
