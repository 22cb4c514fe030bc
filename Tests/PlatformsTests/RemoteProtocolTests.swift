// The debugger's stub packet by packet, without a debugger. Addresses are those that nm gives of the committed program;
// register numbers are gdb's (gdb/ia64-tdep.h).
import Foundation
import Kittson
import Machine
import Platforms
import Testing

/// The debugger's side of a pair of sockets: sends packets and keeps the answers.
private final class Client: @unchecked Sendable {
  let descriptor: Int32
  private(set) var answers: [String] = []
  private var thread: Thread?

  init(_ descriptor: Int32) { self.descriptor = descriptor }

  func start(_ body: @escaping @Sendable (Client) -> Void) {
    let thread = Thread { [self] in
      body(self)
      close(descriptor)
    }
    self.thread = thread
    thread.start()
  }

  func wait() { while !(thread?.isFinished ?? true) { usleep(200) } }

  private func byte() -> UInt8? {
    var value: UInt8 = 0
    return read(descriptor, &value, 1) == 1 ? value : nil
  }

  func raw(_ text: String) { _ = Array(text.utf8).withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, 0x4000) } }  // no SIGPIPE

  /// A packet's answer.
  @discardableResult
  func ask(_ payload: String) -> String {
    let sum = payload.utf8.reduce(UInt8(0), &+)
    raw("$\(payload)#" + (sum < 16 ? "0" : "") + String(sum, radix: 16))
    return answer()
  }

  func answer() -> String {
    while let next = byte(), next != UInt8(ascii: "$") {}
    var text: [UInt8] = []
    while let next = byte(), next != UInt8(ascii: "#") { text.append(next) }
    _ = (byte(), byte())
    raw("+")
    answers.append(String(decoding: text, as: UTF8.self))
    return answers[answers.count - 1]
  }
}

extension ProcessTests {
  @Suite(.serialized) struct RemoteProtocolTests {
    private let leaf = "4000000000000180", watched = "60000000000003d0"

    private func run(_ engine: EngineKind, _ body: @escaping @Sendable (Client) -> Void) throws -> (RunEnd, [String]) {
      var pair: [Int32] = [0, 0]
      try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair) == 0)
      let path = Guests.root + "/Guests/process/debuggee.elf"
      let session = try ProcessSession(path: path, options: ProcessOptions(arguments: [path]))
      session.attach(RemoteConnection(pair[0]))
      var configuration = Configuration()
      configuration.engine = engine
      let client = Client(pair[1])
      client.start(body)
      let end = session.run(try EngineFactory.make(configuration, for: session.machine), limits: RunLimits(seconds: 60))
      client.wait()
      return (end, client.answers)
    }

    @Test(arguments: EngineKind.allCases) func breakStepWatchAndEnd(_ engine: EngineKind) throws {
      let (end, answers) = try run(engine) { [leaf, watched] client in
        client.ask("qSupported:swbreak+")  // 0
        client.ask("m\(leaf),10")
        client.ask("Z0,\(leaf),0")
        client.ask("m\(leaf),10")  // 3
        client.ask("vCont;c")
        client.ask("p14b")  // ip
        let end = UInt64(littleEndian: UInt64(client.ask("p15f"), radix: 16)!).byteSwapped  // bsp, 6
        client.ask("p14d")  // cfm, 7
        client.ask("qC")
        let sof = UInt64(client.answers[7].prefix(2), radix: 16)! & 0x7f
        client.ask("m" + String(skipRegisters(end, -Int64(sof)), radix: 16) + ",8")  // r32, 9
        client.ask("z0,\(leaf),0")
        client.ask("vCont;s:" + client.answers[8].dropFirst(2))  // 11
        client.ask("p14c")  // psr
        client.ask("Z2,\(watched),8")
        client.ask("vCont;c")  // 14
        client.ask("m\(watched),8")
        client.ask("z2,\(watched),8")
        client.ask("M\(watched),8:0900000000000000")
        client.ask("m\(watched),1")  // 18
        client.ask("c")
      }
      try #require(answers.count == 20)
      #expect(answers[0].contains("PacketSize=") && answers[0].contains("vContSupported+"))
      #expect(answers[1].count == 32 && answers[1] == answers[3] && answers[2] == "OK")
      #expect(answers[4].hasPrefix("T05thread:") && answers[4].hasSuffix("swbreak:;"))
      #expect(answers[5] == "8001000000000040" && answers[9] == "0700000000000000")
      #expect(answers[11].hasPrefix("T05thread:"))
      // psr.ri (bits 42:41) is 1.
      #expect(UInt64(answers[12], radix: 16)!.byteSwapped >> 41 & 3 == 1)
      #expect(answers[14].hasSuffix("watch:\(watched);") && answers[15] == "4b00000000000000")
      #expect(answers[17] == "OK" && answers[18] == "09" && answers[19] == "W40")
      // The 9 instead of 75 goes into the result: (13 − 77) · 1.5 · 2, of which the status has eight bits.
      #expect(end == .exited(64))
    }

    @Test func badPacketsAreAnswered() throws {
      let (end, answers) = try run(.interpreter) { client in
        client.raw("+-noise$m0,1#00")  // a wrong sum: asked for again
        for packet in [
          "m", "m,", "mzz,1", "m0,8", "m1000,ffffffffffffffff", "M0,1:00", "M0,2:00", "X0,1:", "p9999", "p", "P0",
          "P14b=00", "G00", "Z0,3,0", "Z0,ffffffffffffffff,0", "Z2,0,ffffffffffffffff", "z9,0,0", "Z", "Hgzz", "Tffff",
          "vCont;q", "v", "q", "qXfer:features:read:target.xml:ffffffffffffffff,1", "qXfer:auxv:read::0", "qRcmd,zz", "!", "",
        ] { client.ask(packet) }
        client.ask("qXfer:features:read:target.xml:0,1000")
        client.ask("k")
      }
      #expect(answers.count == 30 && answers[28].contains("<architecture>ia64-elf64</architecture>"))
      #expect(answers[3] == "E0e" && answers[13] == "E0e" && answers[11] == "E01")
      #expect(end == .killed(signal: SIGKILL))
    }

    @Test(arguments: EngineKind.allCases) func aDebuggerThatLeavesLetsTheProgramRun(_ engine: EngineKind) throws {
      let (end, _) = try run(engine) { [leaf] client in
        client.ask("Z0,\(leaf),0")
        client.ask("vCont;c")
      }
      #expect(end == .exited(6))
    }
  }
}
