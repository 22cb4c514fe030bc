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
  public var host: [UInt8]
  /// Whether that is a call of the operation, not its own instructions.
  public var isCall: Bool
  /// The compiler's function: nil where Kittson carries none for the operation.
  public var body: [UInt8]?
  public var bodyAddress: UInt64

  /// Number of host instructions.
  public var hostCount: Int? { HostCode.instructions(host)?.count }

  /// Number of the compiler's instructions, without returns and jumps out of the function.
  public var bodyCount: Int? {
    guard let body, let all = HostCode.instructions(body) else { return nil }
    return all.count { !$0.isReturn && !($0.ends && !($0.target.map { (0..<body.count).contains($0) } ?? true)) }
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
      let bytes = Array(UnsafeRawBufferPointer(start: body.code, count: 512))
      guard let last = HostCode.function(bytes)?.last else { return nil }
      return (Array(bytes.prefix(last.offset + last.length)), UInt64(UInt(bitPattern: body.code)))
    }
    return nil
  }
}
