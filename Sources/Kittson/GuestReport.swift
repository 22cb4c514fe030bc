// What pvkernel says of itself on its console, in the lines made for programs (Guests/README.md).

/// The machine-readable part of a pvkernel run.
public struct GuestReport: Sendable {
  /// One measured loop: ar.itc ticks for so many passes.
  public struct Measurement: Sendable {
    /// Passes of the loop.
    public var calls: UInt64
    /// ar.itc ticks that all of them took.
    public var ticks: UInt64
    /// Ticks a pass.
    public var ticksPerCall: Double { calls == 0 ? 0 : Double(ticks) / Double(calls) }
  }

  /// By name, in the order of the console: "thash", "native:thash", "empty-loop", "cpu-sieve" …
  public private(set) var names: [String] = []
  /// By the names of loops and programs.
  public private(set) var measurements: [String: Measurement] = [:]
  /// The guest's own checks that failed, as it words them.
  public private(set) var failures: [String] = []
  /// From the closing line; nil where the guest did not get that far.
  public private(set) var checks: Int?
  /// Checks that failed; nil where the guest did not say.
  public private(set) var failed: Int?

  /// Reads the console's text. Lines of any other form are the guest's talk and are passed over.
  public init(console: String) {
    for line in console.split(whereSeparator: \.isNewline) {
      let words = line.split(separator: " ")
      switch words.first {
      case "bench" where words.count == 4:
        guard let calls = Self.number(words[2], after: "calls="), let ticks = Self.number(words[3], after: "ticks=") else {
          continue
        }
        let name = String(words[1])
        if measurements[name] == nil { names.append(name) }
        measurements[name] = Measurement(calls: calls, ticks: ticks)
      case "check" where words.count >= 3 && words[2] == "FAILED":
        failures.append(words.dropFirst().joined(separator: " "))
      case "checks" where words.count == 4 && words[2] == "failed":
        checks = Int(words[1])
        failed = Int(words[3])
      default: continue
      }
    }
  }

  private static func number(_ word: Substring, after prefix: String) -> UInt64? {
    word.hasPrefix(prefix) ? UInt64(word.dropFirst(prefix.count)) : nil
  }
}
