// Packets of the GDB Remote Serial Protocol over a socket (GDB manual, appendix E.1): $payload#sum, acknowledged by + or −
// until both sides agree to do without.
import CSupport
import Glibc

package final class RemoteConnection {
  private let descriptor: Int32
  private var received: [UInt8] = []
  private var next = 0
  private var last: [UInt8] = []
  var acknowledges = true

  /// The byte outside packets by which a debugger asks for a stop.
  static let interrupt: UInt8 = 3
  /// Longest payload: what `PacketSize` says.
  static let limit = 1 << 16

  /// Takes over a connected socket.
  package init(_ descriptor: Int32) {
    let copy = remoteDescriptor(descriptor)
    if copy >= 0 { Glibc.close(descriptor) }
    self.descriptor = copy >= 0 ? copy : descriptor
  }

  /// Waits for one debugger on a port of this host's loopback (0: one that is free); `ready` is told which.
  package static func accept(port: UInt16, ready: (UInt16) -> Void) throws(Errno) -> RemoteConnection {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | 0o2000000, 0)
    guard listener >= 0 else { throw Errno(errno) }
    defer { Glibc.close(listener) }
    var one: Int32 = 1
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, 4)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = withUnsafeMutableBytes(of: &address) { bytes in
      let pointer = bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self)
      return bind(listener, pointer, size) == 0 && listen(listener, 1) == 0 && getsockname(listener, pointer, &size) == 0
    }
    guard bound else { throw Errno(errno) }
    ready(UInt16(bigEndian: address.sin_port))
    while true {
      let connected = Glibc.accept(listener, nil, nil)
      if connected >= 0 {
        setsockopt(connected, Int32(IPPROTO_TCP), TCP_NODELAY, &one, 4)
        return RemoteConnection(connected)
      }
      if errno != EINTR { throw Errno(errno) }
    }
  }

  package func close() { Glibc.close(descriptor) }

  // MARK: Receiving

  private func byte() -> UInt8? {
    if next == received.count, !fill() { return nil }
    next += 1
    return received[next - 1]
  }

  private func fill() -> Bool {
    received = [UInt8](repeating: 0, count: 4096)
    next = 0
    var count = 0
    repeat { count = read(descriptor, &received, received.count) } while count < 0 && errno == EINTR
    received.removeLast(received.count - max(0, count))
    return count > 0
  }

  /// The next packet's payload, or the interrupt byte alone; nil when the other side has gone.
  package func receive() -> [UInt8]? {
    while let first = byte() {
      switch first {
      case UInt8(ascii: "$"):
        guard let (payload, isWhole) = body() else { return nil }
        if acknowledges { write([isWhole ? UInt8(ascii: "+") : UInt8(ascii: "-")]) }
        if isWhole { return payload }
      case UInt8(ascii: "-"): write(last)
      case Self.interrupt: return [Self.interrupt]
      default: continue
      }
    }
    return nil
  }

  /// What stands between $ and the sum, and whether that is right.
  private func body() -> (payload: [UInt8], isWhole: Bool)? {
    var payload: [UInt8] = []
    var sum: UInt8 = 0
    var escapes = false
    while let byte = byte() {
      if byte == UInt8(ascii: "#") {
        guard let high = self.byte(), let low = self.byte() else { return nil }
        let stated = UInt8(String(decoding: [high, low], as: UTF8.self), radix: 16)
        return (payload, stated == sum && payload.count <= Self.limit)
      }
      sum &+= byte
      if escapes {
        payload.append(byte ^ 0x20)
        escapes = false
      } else if byte == UInt8(ascii: "}") {
        escapes = true
      } else if payload.count <= Self.limit {
        payload.append(byte)
      }
    }
    return nil
  }

  /// Waits, while the guest runs, until the debugger asks for a stop or goes away, or until `wake` can be read.
  func waitForInterrupt(wake: Int32) -> Bool {
    while next == received.count {
      var events = [descriptor, wake].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
      if poll(&events, 2, -1) < 0 { continue }
      if events[0].revents == 0 { return false }
      if !fill() { return true }
    }
    if received[next] != Self.interrupt { return true }
    next += 1
    return true
  }

  // MARK: Sending

  package func send(_ payload: some Sequence<UInt8>) {
    var packet = [UInt8(ascii: "$")]
    var sum: UInt8 = 0
    for byte in payload {
      let special = [UInt8(ascii: "$"), UInt8(ascii: "#"), UInt8(ascii: "}"), UInt8(ascii: "*")].contains(byte)
      for part in special ? [UInt8(ascii: "}"), byte ^ 0x20] : [byte] {
        packet.append(part)
        sum &+= part
      }
    }
    packet.append(UInt8(ascii: "#"))
    packet += Array((sum < 16 ? "0" : "").utf8) + Array(String(sum, radix: 16).utf8)
    last = packet
    write(packet)
  }

  private func write(_ bytes: [UInt8]) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, 0x4000 /* MSG_NOSIGNAL */) }
      if count < 0 && errno == EINTR { continue }
      if count <= 0 { return }
      rest = rest.dropFirst(count)
    }
  }
}
