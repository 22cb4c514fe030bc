// What coverage-guided fuzzers run (the nested package fuzz/): functions of bytes alone. The same bytes give the same
// result, whatever ran before; no files, clock, threads or environment; bounded in time and memory.
import Glibc
import IA64
import Kittson
import Machine
import Paravirt

/// A target by name.
public enum FuzzTarget: String, CaseIterable, Sendable {
  /// Bundles through decoder, encoder and disassembler.
  case decode
  /// Bundles as a program on both engines.
  case bundles
  /// An ELF file with its notes, symbols, relocations and patch records.
  case elf
  /// A schedule of the guest patcher's goals for the sites of the embedded kernel.
  case patches

  /// Runs the target.
  /// - Returns: what is wrong, nil where all is well. Refused input is well.
  public func run(_ bytes: UnsafeRawBufferPointer) -> String? {
    switch self {
    case .decode: Self.decode(bytes)
    case .bundles: Self.runBundles(bytes)
    case .elf: Self.readImage(bytes)
    case .patches: Self.runSchedule(bytes)
    }
  }

  // MARK: decode

  private static func decode(_ bytes: UnsafeRawBufferPointer) -> String? {
    for bundle in bundles(bytes) {
      let decoded = Decoder.decode(bundle)
      for slot in 0..<decoded.count where decoded[slot].opcode != .illegal {
        let instruction = decoded[slot]
        let name = "\(instruction.opcode) in \(hexadecimal(bundle.high, digits: 16))\(hexadecimal(bundle.low, digits: 16))"
        guard let unit = decoded.template.unit(slot) else { return "\(name): no unit" }
        guard let encoded = Encoder.encode(instruction) else { return "\(name): no encoding" }
        var again = Decoder.decode(encoded.slot, unit: unit, long: encoded.long)
        // Some flags say where in its bundle an instruction stands.
        again.flags = instruction.flags
        if again != instruction { return "\(name): decodes to \(again) again" }
        if Disassembler.text(instruction, at: 0).isEmpty { return "\(name): no text" }
      }
    }
    return nil
  }

  private static func bundles(_ bytes: UnsafeRawBufferPointer) -> [InstructionBundle] {
    stride(from: 0, to: bytes.count - 15, by: 16).map { InstructionBundle(loadingFrom: bytes.baseAddress! + $0) }
  }

  // MARK: bundles

  /// Made once: each case resets all state.
  nonisolated(unsafe) private static let pair = try? DifferentialPair()

  /// Eight bytes choose state, kinds of state and the translator's options; up to 32 bundles follow.
  private static func runBundles(_ bytes: UnsafeRawBufferPointer) -> String? {
    guard bytes.count >= 24, let pair else { return nil }
    let seed = bytes.loadUnaligned(as: UInt64.self)
    var settings = FuzzSettings()
    settings.mix = RandomProgram.Mix.all.subtracting(.changingCode)
    var fuzzCase = FuzzCase(seed: seed, settings)
    fuzzCase.program.bundles = bundles(UnsafeRawBufferPointer(rebasing: bytes[8...])).prefix(32) + [RandomProgram.spin]
    let differences = pair.run(fuzzCase.program, slots: 400, fuzzCase.options)
    if differences.isEmpty { return nil }
    let fields = differences.prefix(4).map { "\($0.name): \($0.values.0) and \($0.values.1)" }
    return "\(fuzzCase.options.text): \(fields.joined(separator: ", "))"
  }

  // MARK: elf

  private static func readImage(_ bytes: UnsafeRawBufferPointer) -> String? {
    guard let image = try? ELFImage(bytes: Array(bytes), types: ELFImage.allTypes) else { return nil }
    _ = try? image.notes()
    guard let guest = try? ParavirtImage(image) else { return nil }
    var text = ImageText(guest.image)
    // Whatever the records say: patching stays inside the file.
    _ = GuestPatcher(guest).patch(guest.records.records, in: &text)
    return text.bytes.count == guest.image.bytes.count ? nil : "patching has changed the file's size"
  }

  // MARK: patches

  private static let kernel: ParavirtImage? = (try? ELFImage(bytes: EmbeddedGuests.pvkernel)).flatMap {
    try? ParavirtImage($0)
  }
  private static let goals: [PatchGoal] =
    PatchBackend.allCases.map { .replacement($0) } + [.directCall, .indirectCall]
  private static let patchers: [GuestPatcher] = kernel.map { kernel in goals.map { GuestPatcher(kernel, $0) } } ?? []

  /// Pairs of bytes: a goal and a site. Undone, and restored to calls, the image must be what it was.
  private static func runSchedule(_ bytes: UnsafeRawBufferPointer) -> String? {
    guard let kernel, case let records = kernel.records.records, !records.isEmpty else { return "no embedded kernel" }
    var text = ImageText(kernel.image)
    var log: UndoLog? = UndoLog()
    for index in stride(from: 0, to: min(bytes.count, 512) - 1, by: 2) {
      let patcher = patchers[Int(bytes[index]) % patchers.count]
      let record = records[Int(bytes[index + 1]) * 7 % records.count]
      let outcome = patcher.patch([record], in: &text, log: &log)
      if case .refused(let reason)? = outcome.first { return "\(record) is refused: \(reason)" }
    }
    var restored = text
    _ = GuestPatcher(kernel, .indirectCall).patch(records, in: &restored)
    if restored.bytes != kernel.image.bytes { return "sites that are calls again differ from the image" }
    let changed = log?.undo(in: &text) ?? []
    if !changed.isEmpty { return "\(changed.count) sites hold what nobody wrote" }
    return text.bytes == kernel.image.bytes ? nil : "undone patches differ from the image"
  }
}
