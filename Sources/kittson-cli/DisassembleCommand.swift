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
      "Only the bundles from A's to B's, both included (hexadecimal with a slot in the low bits, or symbols), the one at A, "
        + "or those of a symbol.",
      valueName: "A..B|0xA|SYMBOL|SYMBOL+0x10"))
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

/// Code of an image: "A..B", both included, or one place: an address ("0xA", or all 16 digits), a symbol, or
/// "SYMBOL+0x10"; in "A..B" an address may be any hexadecimal number.
enum CodeRange: ExpressibleByArgument {
  case between(Substring, Substring)
  case one(Substring)

  init?(argument: String) {
    guard !argument.isEmpty else { return nil }
    let bytes = Array(argument.utf8), dot = UInt8(ascii: ".")
    let dots = bytes.indices.dropLast().first { bytes[$0] == dot && bytes[$0 + 1] == dot }
    guard let dots else {
      self = .one(argument[...])
      return
    }
    let low = argument.utf8.prefix(dots), high = argument.utf8.dropFirst(dots + 2)
    guard !low.isEmpty, !high.isEmpty else { return nil }
    self = .between(Substring(low), Substring(high))
  }

  private static func address(_ text: Substring) -> UInt64? {
    text.hasPrefix("+") || text.hasPrefix("-")
      ? nil : UInt64(text.hasPrefix("0x") ? text.dropFirst(2) : text, radix: 16)
  }

  func bounds(in listing: ImageListing) throws(SessionError) -> ImageListing.Range {
    switch self {
    case .one(let text):
      if text.hasPrefix("0x") || text.utf8.count == 16, let address = Self.address(text) {
        return ImageListing.Range(address...address)
      }
      return try Self.place(text, in: listing)
    case .between(let first, let last):
      let low = try Self.bound(first, in: listing), high = try Self.bound(last, in: listing)
      guard low.first <= high.last else {
        throw .option("--range \(first)..\(last) ends before it begins: turn it round")
      }
      return ImageListing.Range(low.first...high.last, section: low.section)
    }
  }

  /// One end of "A..B".
  private static func bound(_ text: Substring, in listing: ImageListing) throws(SessionError) -> ImageListing.Range {
    if let address = address(text) { return ImageListing.Range(address...address) }
    return try place(text, in: listing)
  }

  /// A symbol's code, or with an offset the one bundle there.
  private static func place(_ text: Substring, in listing: ImageListing) throws(SessionError) -> ImageListing.Range {
    if let whole = listing.range(ofSymbol: String(text)) { return whole }
    if let plus = text.lastIndex(of: "+"), let offset = address(text[text.index(after: plus)...]),
      let symbol = listing.range(ofSymbol: String(text[..<plus]))
    {
      let address = symbol.first &+ offset
      return ImageListing.Range(address...address, section: symbol.section)
    }
    throw .option("no symbol is called '\(text)': give a symbol of the image, or A..B in hexadecimal")
  }
}
