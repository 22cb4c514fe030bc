// The host code of call sites beside what the C compiler makes of the same operation on the same state.
import CSupport
import Paravirt
import Translator

/// A call site's host instructions in the translator, and the compiler's for the same body.
public struct SiteListing: Sendable {
  /// As the measured loops are called: "thash", "getreg(psr)".
  public var name: String
  /// Guest address of the site.
  public var address: UInt64
  /// Where its host code runs, and the code: operands and state to result, without the ways out of the ordinary, which
  /// stand behind the block.
  public var hostAddress: UInt64
  /// The code: operands and state to result, without the ways out of the ordinary, which stand behind the block.
  public var host: [UInt8]
  /// Whether that is a call of the operation, not its own instructions.
  public var isCall: Bool
  /// The compiler's function: nil where Kittson carries none for the operation.
  public var body: [UInt8]?
  /// Address of the compiler's function; 0 where there is none.
  public var bodyAddress: UInt64

  /// Number of host instructions.
  public var hostCount: Int? { HostCode.instructions(host)?.count }

  /// Number of the compiler's instructions, without returns, jumps out of the function and padding, and without the frame
  /// pointer, which the package manager asks for and an inlined body would not have.
  public var bodyCount: Int? {
    guard let body, let all = HostCode.instructions(body) else { return nil }
    var count = 0
    for (index, instruction) in all.enumerated() where !leaves(instruction, body) {
      let bytes = body[instruction.offset..<instruction.offset + instruction.length]
      let opens = index == 0 && bytes == [0x55] || index == 1 && bytes == [0x48, 0x89, 0xe5]  // push rbp; mov rbp,rsp
      let closes = bytes == [0x5d] && index + 1 < all.count && leaves(all[index + 1], body)  // pop rbp
      if !opens && !closes && !instruction.isNop { count += 1 }
    }
    return count
  }

  private func leaves(_ instruction: HostInstruction, _ body: [UInt8]) -> Bool {
    instruction.isReturn || instruction.ends && !(instruction.target.map { (0..<body.count).contains($0) } ?? true)
  }

  /// Whether one of the site's instructions is a call.
  public var hasCall: Bool {
    HostCode.instructions(host)?.contains { HostCode.isCall($0, in: host) } ?? true
  }
}

extension BootSession {
  /// All sites that the translator has dispatched so far and still has code of, by address. Not while the guest runs.
  public func siteListings() -> [SiteListing] {
    guard let translator = engine as? TranslatorEngine else { return [] }
    return translator.siteCode().compactMap { code in
      guard let name = Self.name(paravirt.sites[code.site].record.type) else { return nil }
      let body = Self.body(name)
      return SiteListing(
        name: name, address: paravirt.sites[code.site].record.start, hostAddress: code.hostAddress, host: code.host,
        isCall: code.isCall, body: body?.code, bodyAddress: body?.address ?? 0)
    }.sorted { ($0.address, $0.hostAddress) < ($1.address, $1.hostAddress) }
  }

  private static func name(_ type: PatchType) -> String? {
    guard let operation = type.operation else { return nil }
    return type.register.map { "\(operation.name)(\($0.name))" } ?? operation.name
  }

  private static func body(_ name: String) -> (code: [UInt8], address: UInt64)? {
    for index in 0..<kt_body_count_value() {
      let body = kt_body_at(index)
      guard String(cString: body.name) == name else { continue }
      let bytes = Array(UnsafeRawBufferPointer(start: body.code, count: body.size))
      guard let last = HostCode.function(bytes)?.last else { return nil }
      return (Array(bytes.prefix(last.offset + last.length)), UInt64(UInt(bitPattern: body.code)))
    }
    return nil
  }
}
