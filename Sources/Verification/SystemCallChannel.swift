// System calls of a process in lockstep: the producer makes them and sends what came of them, the consumer takes that
// over instead of asking the host a second time.
import Glibc
import Machine
import Platforms

extension SharedChannel {
  private static let piece = 1 << 20

  /// Sends bytes of any number: their count, then pieces.
  func send(_ bytes: [UInt8]) throws(ChannelError) {
    let header = try begin(payload: 8)
    header.storeBytes(of: UInt64(bytes.count), as: UInt64.self)
    commit(.systemCall, payload: 8)
    var offset = 0
    while offset < bytes.count {
      let count = min(Self.piece, bytes.count - offset)
      let place = try begin(payload: count)
      bytes.withUnsafeBytes { _ = memcpy(place, $0.baseAddress! + offset, count) }
      commit(.memory, payload: count)
      offset += count
    }
  }

  /// What `send` sent; nil where another message is next.
  func receiveBytes() throws(ChannelError) -> [UInt8]? {
    let (kind, payload) = try receive()
    guard kind == .systemCall else { return nil }
    let count = Int(payload.load(as: UInt64.self))
    release(payload)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count)
    while bytes.count < count {
      let (_, piece) = try receive()
      bytes += piece
      release(piece)
    }
    return bytes
  }
}

extension SystemCallRecord {
  /// The record as bytes: words in the host's order, and what was written padded to words.
  func encoded() -> [UInt8] {
    var bytes: [UInt8] = []
    func append(_ words: UInt64...) { for word in words { withUnsafeBytes(of: word) { bytes += $0 } } }
    append(call.number, UInt64(call.arguments.count))
    for argument in call.arguments { append(argument) }
    append(result.value, (result.failed ? 1 : 0) | (result.keepsRegisters ? 2 : 0), result.second == nil ? 0 : 1, result.second ?? 0)
    switch result.end {
    case nil: append(0, 0)
    case .exited(let status): append(1, UInt64(UInt32(bitPattern: status)))
    case .killed(let signal): append(2, UInt64(UInt32(bitPattern: signal)))
    default: append(3, 0)
    }
    append(UInt64(written.count))
    for (address, content) in written {
      append(address, UInt64(content.count))
      bytes += content
      bytes += [UInt8](repeating: 0, count: -content.count & 7)
    }
    append(mapping == nil ? 0 : 1)
    guard let mapping else { return bytes }
    append(mapping.start, mapping.end, mapping.length, UInt64(mapping.protection.rawValue))
    append((mapping.shared ? 1 : 0) | (mapping.keepsTail ? 2 : 0))
    for content in [Array(mapping.name.utf8), mapping.bytes] {
      append(UInt64(content.count))
      bytes += content
      bytes += [UInt8](repeating: 0, count: -content.count & 7)
    }
    return bytes
  }

  init(decoding bytes: [UInt8]) {
    var offset = 0
    func word() -> UInt64 {
      defer { offset += 8 }
      return bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: UInt64.self) }
    }
    let number = word()
    let call = SystemCall(number: number, arguments: (0..<word()).map { _ in word() })
    var result = SystemCallResult.success(word())
    let flags = word()
    result.failed = flags & 1 != 0
    result.keepsRegisters = flags & 2 != 0
    let hasSecond = word() != 0, second = word()
    if hasSecond { result.second = second }
    let end = word(), detail = Int32(bitPattern: UInt32(truncatingIfNeeded: word()))
    switch end {
    case 0: break
    case 1: result.end = .exited(detail)
    case 2: result.end = .killed(signal: detail)
    default: result.end = .reset
    }
    var written: [(address: UInt64, bytes: [UInt8])] = []
    func content() -> [UInt8] {
      let count = Int(word())
      defer { offset += (count + 7) & ~7 }
      return Array(bytes[offset..<offset + count])
    }
    for _ in 0..<word() { written.append((word(), content())) }
    var mapping: HostMapping?
    if word() != 0 {
      let (start, end, length, protection, kind) = (word(), word(), word(), word(), word())
      mapping = HostMapping(
        start: start, end: end, length: length, protection: Protection(rawValue: UInt8(protection)),
        shared: kind & 1 != 0, keepsTail: kind & 2 != 0, name: String(decoding: content(), as: UTF8.self),
        bytes: content())
    }
    self.init(call: call, result: result, written: written, mapping: mapping)
  }
}
