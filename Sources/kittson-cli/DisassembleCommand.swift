// kittson disassemble: an image's code, listed as objdump lists it.
import ArgumentParser
import Kittson

struct DisassembleCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "disassemble",
    abstract: "Lists an image's code in objdump's form.",
    discussion: "Without IMAGE the embedded kernel is listed.")

  @Option(help: ArgumentHelp("Only bundles from A to B (hexadecimal; a slot may stand in the low bits).", valueName: "A..B"))
  var range: AddressRange?

  @Argument(help: "An ELF image for IA-64.")
  var image: String?

  func run() throws {
    let bytes = try image.map(readImage) ?? EmbeddedGuests.pvkernel
    var output: [UInt8] = []
    func flush() {
      output.withUnsafeBytes(writeToStandardOutput)
      output.removeAll(keepingCapacity: true)
    }
    do {
      try ImageListing(bytes).write(range?.bounds) { line in
        output += line.utf8
        output.append(0x0a)
        if output.count >= 1 << 16 { flush() }
      }
    } catch {
      throw Failure("\(image ?? "the embedded kernel"): \(error)", status: ExitStatus.cannotRun)
    }
    flush()
  }
}

/// Two hexadecimal addresses, "A..B", both included.
struct AddressRange: ExpressibleByArgument {
  let bounds: ClosedRange<UInt64>

  init?(argument: String) {
    let parts = argument.split(separator: ".", omittingEmptySubsequences: true)
    guard parts.count == 2, argument.contains(".."), let low = Self.address(parts[0]), let high = Self.address(parts[1]),
      low <= high
    else { return nil }
    bounds = low...high
  }

  private static func address(_ text: Substring) -> UInt64? {
    UInt64(text.hasPrefix("0x") ? text.dropFirst(2) : text, radix: 16)
  }
}
