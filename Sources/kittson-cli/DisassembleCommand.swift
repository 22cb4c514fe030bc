// kittson disassemble: an image's code, listed as objdump lists it, and what the translator makes of it.
import ArgumentParser
import Kittson
import Machine

struct DisassembleCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "disassemble",
    abstract: "Lists an image's code in objdump's form; with --host also what the translator makes of it.",
    discussion: """
      Without IMAGE the embedded kernel is listed.

      With --host the code is translated as it stands in the file, block by block: the guest's bundles, the intermediate \
      representation before and after optimization, and the host's instructions (objdump writes them where it is \
      installed; else they are bytes). Code at 0xa000000000000000 and above is translated as a kernel's. Nothing is run, so that a \
      function is taken to start with 96 stacked registers.

      EXAMPLES
        kittson disassemble --range 0xa000000100000000..0xa000000100000100
        kittson disassemble vmlinux --range schedule --host
        kittson disassemble --range 0xa0000001000155b0 --host --dispatch direct
      """)

  @Option(
    help: ArgumentHelp(
      "Only the bundles from A to B (hexadecimal; a slot may stand in the low bits), the one at A, or those of a symbol.",
      valueName: "A..B|0xA|SYMBOL"))
  var range: CodeRange?

  @Flag(help: "Blocks as the translator makes them: guest code, IR, host code.")
  var host = false

  @Option(help: "With --host: what the host executes at the call sites.")
  var dispatch = DispatchChoice.inlined

  @Argument(help: "An ELF image for IA-64.")
  var image: String?

  func run() throws {
    let bytes = try image.map(readImage) ?? EmbeddedGuests.pvkernel
    let name = image ?? "the embedded kernel"
    let output = BufferedOutput()
    do throws(SessionError) {
      let listing = try ImageListing(bytes)
      let range = try range?.bounds(in: listing)
      if host {
        var found = false
        try HostListing(bytes, dispatch: dispatch.dispatch).blocks(range) { block in
          found = true
          write(block, to: output)
        }
        if !found { throw ImageListing.nothingInRange }
      } else {
        try listing.write(range, output.line)
      }
    } catch {
      if case .option = error { throw Failure("\(name): \(error)", status: ExitStatus.usage) }
      throw Failure("\(name): \(error)", status: ExitStatus.cannotRun)
    }
    output.flush()
  }

  private func write(_ block: HostListing.Block, to output: BufferedOutput) {
    let host = hostText(block.host, at: block.hostAddress)
    let address = hexadecimal(block.address)
    output.line(
      "\nBlock \(address): \(block.guestInstructions) guest instructions in \(block.slots) slots, "
        + "\(block.hostInstructions ?? host.count) host instructions in \(block.host.count) bytes; "
        + "frame of \(block.frame.size) registers, \(block.frame.locals) local")
    output.line("guest:")
    for line in block.guest { output.line("  " + line) }
    for (title, text) in [("IR", block.before), ("IR, optimized", block.after)] {
      let lines = text.split(separator: "\n")
      output.line("\(title): \(lines.count) operations")
      for line in lines { output.line(String(line)) }
    }
    output.line("host:")
    for line in host { output.line("  \(String(line.address, radix: 16)):  \(line.text)") }
  }
}

/// Code of an image: two hexadecimal addresses "A..B", both included, one "0xA", or a symbol.
enum CodeRange: ExpressibleByArgument {
  case addresses(ClosedRange<UInt64>)
  case symbol(String)

  init?(argument: String) {
    if argument.contains("..") {
      let parts = argument.split(separator: ".", omittingEmptySubsequences: true)
      guard parts.count == 2, let low = Self.address(parts[0]), let high = Self.address(parts[1]), low <= high else {
        return nil
      }
      self = .addresses(low...high)
    } else if argument.hasPrefix("0x") {
      guard let address = Self.address(argument[...]) else { return nil }
      self = .addresses(address...address)
    } else {
      guard !argument.isEmpty else { return nil }
      self = .symbol(argument)
    }
  }

  private static func address(_ text: Substring) -> UInt64? {
    UInt64(text.hasPrefix("0x") ? text.dropFirst(2) : text, radix: 16)
  }

  func bounds(in listing: ImageListing) throws(SessionError) -> ClosedRange<UInt64> {
    switch self {
    case .addresses(let bounds): return bounds
    case .symbol(let name):
      guard let bounds = listing.range(ofSymbol: name) else {
        throw .option("no symbol is called '\(name)': give a symbol of the image, or A..B in hexadecimal")
      }
      return bounds
    }
  }
}
