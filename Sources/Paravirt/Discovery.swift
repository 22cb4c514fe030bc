// Discovery of sites without records: sensitive and privileged instructions that an operation stands for, five-bundle
// calls that no record announces, and calls through pv_cpu_ops as C makes them. What afterburning and privify did by
// hand or by the assembler, on the image alone.
import IA64
import Machine

/// What `ParavirtImage.discover` found.
public struct DiscoveryReport: Sendable {
  /// By address.
  public var sites: [DiscoveredSite] = []
  /// Sensitive and privileged instructions that no operation stands for, by mnemonic: a hypervisor must see them trap,
  /// or someone must rewrite them.
  public var withoutOperation: [String: Int] = [:]
  /// What could not be looked at.
  public var unproven: [UnprovenText] = []

  /// Sites of a kind.
  public func count(_ kind: DiscoveredSite.Kind) -> Int { sites.count { $0.kind == kind } }

  /// Sites by operation, with the register of getreg and setreg, most frequent first.
  public var byOperation: [(name: String, count: Int)] {
    var counts: [String: Int] = [:]
    for site in sites { counts[site.type?.name ?? site.operation.name, default: 0] += 1 }
    return counts.map { ($0.key, $0.value) }.sorted { $0.1 != $1.1 ? $0.1 > $1.1 : $0.0 < $1.0 }
  }
}

extension ParavirtImage {
  /// Finds the sites that no record announces, in all code that is not native by intent.
  /// - Parameter native: as `check` takes it.
  public func discover(native: [String] = ParavirtImage.nativeNames) -> DiscoveryReport {
    var report = DiscoveryReport()
    let checked = check(native: native)
    report.unproven = checked.unproven
    for finding in checked.findings { add(finding, to: &report) }
    report.sites += calls() + indirectCalls()
    report.sites.sort { $0.start < $1.start }
    return report
  }

  private func add(_ finding: CheckFinding, to report: inout DiscoveryReport) {
    guard let bundle = bundle(at: finding.address & ~15) else { return }
    let instruction = Decoder.decode(bundle)[Int(finding.address & 3)]
    guard let meaning = instruction.operation else {
      if finding.kind != .conditional {
        report.withoutOperation[ParavirtImage.mnemonic(finding.text), default: 0] += 1
      }
      return
    }
    report.sites.append(
      DiscoveredSite(
        kind: .instruction, start: finding.address, end: ParavirtImage.next(finding.address),
        operation: meaning.operation, register: meaning.register, arguments: meaning.arguments, result: meaning.result,
        predicate: instruction.qp, text: finding.text, symbol: finding.symbol))
  }

  /// The instruction without predicate and operands: "ssm", "itc.d".
  private static func mnemonic(_ text: String) -> String {
    text.split(separator: " ").first { $0.first?.isLetter == true }.map(String.init) ?? text
  }

  private static func next(_ tag: UInt64) -> UInt64 { tag & 3 == 2 ? (tag & ~15) &+ 16 : tag &+ 1 }

  private func bundle(at address: UInt64) -> InstructionBundle? {
    guard let offset = image.fileOffset(ofVirtual: address, count: 16) else { return nil }
    return image.bytes.withUnsafeBytes { InstructionBundle(loadingFrom: $0.baseAddress! + offset) }
  }

  /// Five-bundle calls that no record announces.
  private func calls() -> [DiscoveredSite] {
    guard let table else { return [] }
    let announced = Set(records.records.filter { $0.kind == .bundle }.map(\.start))
    var sites: [DiscoveredSite] = []
    for (_, range) in executableRanges() {
      eachBundle(of: range) { address, bytes in
        // The cheap test first: an MLX bundle.
        guard bytes[0] & 0x1f == 5, bytes.count >= Int(CallSequence.length), !announced.contains(address),
          let member = CallSequence.member(at: UnsafeRawBufferPointer(rebasing: bytes[..<Int(CallSequence.length)])),
          member &- table < Operation.structureSize, member & 7 == table & 7,
          let operation = Operation(rawValue: UInt16((member &- table) / 8))
        else { return }
        sites.append(
          DiscoveredSite(
            kind: .call, start: address, end: address + CallSequence.length, operation: operation,
            arguments: Operation.argumentRegisters.prefix(operation.argumentCount).map { .register(UInt8($0)) },
            result: operation.hasResult ? UInt8(Operation.resultRegister) : nil, predicate: 0,
            text: "call of \(operation.name)", symbol: symbols.describe(address)))
      }
    }
    return sites
  }

  private func indirectCalls() -> [DiscoveredSite] {
    guard let finder = IndirectCalls(self) else { return [] }
    var sites: [DiscoveredSite] = []
    for function in symbols.symbols where function.isFunction && function.size >= 16 && function.value & 15 == 0 {
      guard let end = checkedEnd(function.value, function.size & ~15),
        image.segment(containing: function.value)?.isExecutable == true
      else { continue }
      var bundles: [DecodedBundle] = []
      bundles.reserveCapacity(Int(function.size / 16))
      eachBundle(of: function.value..<end) { _, bytes in
        bundles.append(Decoder.decode(InstructionBundle(loadingFrom: bytes.baseAddress!)))
      }
      guard bundles.count == Int(function.size / 16) else { continue }
      for call in finder.calls(in: function.value..<end, bundles) {
        let tag = call.address | UInt64(call.slot)
        sites.append(
          DiscoveredSite(
            // A call returns to the bundle behind it.
            kind: .indirectCall, start: tag, end: call.address + 16, operation: call.operation,
            arguments: (0..<UInt8(call.operation.argumentCount)).map { .output($0) },
            result: call.operation.hasResult ? UInt8(Operation.resultRegister) : nil, predicate: call.predicate,
            text: "br.call through pv_cpu_ops.\(call.operation.name)", symbol: symbols.describe(call.address)))
      }
    }
    return sites
  }

  /// Calls `body` with each bundle's address and all bytes from it to the end of the range.
  private func eachBundle(of range: Range<UInt64>, _ body: (UInt64, UnsafeRawBufferPointer) -> Void) {
    let size = range.upperBound - range.lowerBound
    guard let offset = image.fileOffset(ofVirtual: range.lowerBound, count: size) else { return }
    image.bytes.withUnsafeBytes { bytes in
      let first = (range.lowerBound &+ 15) & ~15
      guard first < range.upperBound else { return }
      for address in stride(from: first, to: range.upperBound & ~15, by: 16) {
        let at = offset + Int(address - range.lowerBound)
        body(address, UnsafeRawBufferPointer(rebasing: bytes[at..<offset + Int(size)]))
      }
    }
  }
}
