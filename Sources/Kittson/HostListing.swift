// What the translator makes of an image's code, without running it: guest code, IR and host code of each block.
import CSupport
import IA64
import Machine
import Paravirt
import Translator

/// Translates code of an image for reading. Code in regions 5 to 7 is taken for a kernel's: privilege level 0, call sites
/// bound to Kittson's own operations; other code for a program's. The frame that a function starts with is not known: it is
/// taken to have all 96 stacked registers, until the function's own `alloc`.
public final class HostListing {
  /// One translated block.
  public struct Block: Sendable {
    /// Guest address, with the slot in its low bits where the block starts within a bundle.
    public var address: UInt64
    /// Its bundles as objdump lists them, in the order of execution (branches may have been followed).
    public var guest: [String]
    /// Guest instructions other than nops, and issued slots of one pass.
    public var guestInstructions: Int
    /// Issued slots of one pass: every instruction counts, nops too.
    public var slots: Int
    /// Registers of the frame, and those of them that are local, at the block's start.
    public var frame: (size: Int, locals: Int)
    /// IR, a line an operation: as the frontend made it, and after the optimizer.
    public var before: String
    /// As `before`, when the optimizer is through.
    public var after: String
    /// Host code, the ways out of the ordinary behind it included, and the address it was emitted for.
    public var host: [UInt8]
    /// Where the host code would run.
    public var hostAddress: UInt64
    /// Number of host instructions; nil where one is of a form that Kittson does not emit.
    public var hostInstructions: Int? { HostCode.instructions(host)?.count }
  }

  private let listing: ImageListing
  private let memory: CodeMemory
  private let machine: Machine
  private let sites: SiteTable
  private let engine: TranslatorEngine
  private static let startMarker = CFM.make(sof: 96, sol: 88, sor: 0)

  /// - Parameters:
  ///   - bytes: an ELF image for IA-64.
  ///   - dispatch: how call sites are dispatched.
  /// - Throws: `SessionError.image` for an image that can't be read, `.host` where the host refuses memory.
  public init(_ bytes: [UInt8], dispatch: Dispatch = .inlined) throws(SessionError) {
    listing = try ImageListing(bytes)
    guard listing.image.type != .relocatable else {
      throw .image("not linked, so that nothing of it can be translated: leave --host out")
    }
    memory = CodeMemory(listing.image)
    sites = try HostListing.sites(listing.image, dispatch)
    do throws(MachineError) { machine = try Machine(ramSize: 0) } catch { throw .host(error.description) }
    guard let engine = TranslatorEngine(machine: machine) else { throw .host("the host refuses memory for code") }
    self.engine = engine
    machine.processMemory = memory
    machine.cpus[0].pointee.is_process = 1  // addresses are virtual
    sites.attach(machine.cpus[0])
  }

  private static func sites(_ image: ELFImage, _ dispatch: Dispatch) throws(SessionError) -> SiteTable {
    let guest: ParavirtImage
    do throws(ELFError) { guest = try ParavirtImage(image) } catch { throw .image(error.description) }
    do throws(BindingError) { return try SiteTable(guest, dispatch: dispatch) } catch { throw .host(error.description) }
  }

  /// The blocks that cover a range, from its first bundle or slot on; nil: all of the image's code.
  public func blocks(_ range: ImageListing.Range?, _ body: (Block) -> Void) throws(SessionError) {
    for code in try listing.code(range) {
      var start = code.first, marker = HostListing.startMarker
      if let range, range.first > start, range.first & 3 != 3 { start = range.first & ~12 }
      while start < code.last {
        let cpu = machine.cpus[0]
        cpu.pointee.psr = PSR.dt | PSR.rt | PSR.it | PSR.ic | PSR.i | (start >> 61 >= 5 ? 0 : PSR.cpl)
        guard let block = engine.listing(at: start, marker: marker, cpu) else { break }
        body(self.block(block))
        // Behind the block's unbroken line; where that ends within a bundle, the rest of it.
        var next = start & ~15
        while block.path.contains(next) { next &+= 16 }
        if block.next & 3 != 0 && block.next & ~15 == next &- 16 { next = block.next }
        start = next
        marker = listing.startsFunction(start) ? HostListing.startMarker : block.nextMarker
      }
    }
  }

  private func block(_ block: BlockListing) -> Block {
    let width = Disassembler.addressWidth(end: (block.path.max() ?? block.start) &+ 16)
    var guest: [String] = [], instructions = 0
    for (index, address) in block.path.enumerated() {
      guard let place = memory.page(at: address)?.host else { continue }
      let bundle = InstructionBundle(loadingFrom: UnsafeRawPointer(place) + Int(address & 0xfff))
      guest += Disassembler.listing(bundle, at: address, width: width, symbolizer: listing.name)
      let decoded = Decoder.decode(bundle)
      let first = index == 0 ? Int(block.start & 3) : 0
      let last = address == block.next & ~15 && block.next & 3 != 0 ? Int(block.next & 3) : decoded.count
      for slot in first..<max(first, min(last, decoded.count)) where !decoded[slot].opcode.isNop { instructions += 1 }
    }
    return Block(
      address: block.start, guest: guest, guestInstructions: instructions, slots: block.slots,
      frame: (CFM.sof(block.marker), CFM.sol(block.marker)), before: block.before, after: block.after,
      host: block.host, hostAddress: block.hostAddress)
  }
}

extension Opcode {
  fileprivate var isNop: Bool {
    switch self {
    case .nop_m, .nop_i, .nop_f, .nop_b, .nop_x: true
    default: false
    }
  }
}

/// The executable segments of an image at their virtual addresses.
private final class CodeMemory: ProcessMemory {
  /// First granule's address, and the bytes of whole granules.
  private var pieces: [(base: UInt64, bytes: UnsafeMutableRawBufferPointer)] = []

  init(_ image: ELFImage) {
    for segment in image.loadableSegments where segment.flags & 1 != 0 && !segment.bytes.isEmpty {
      let base = segment.virtualAddress & ~0xfff
      let offset = Int(segment.virtualAddress - base)
      let size = (offset + segment.bytes.count + 4095) & ~4095
      let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 4096)
      memory.initializeMemory(as: UInt8.self, repeating: 0)
      UnsafeMutableRawBufferPointer(rebasing: memory[offset...]).copyBytes(from: segment.bytes)
      pieces.append((base, memory))
    }
  }

  deinit { for piece in pieces { piece.bytes.deallocate() } }

  func page(at va: UInt64) -> ProcessPage? {
    for (base, bytes) in pieces where va >= base && va - base < UInt64(bytes.count) {
      return ProcessPage(host: bytes.baseAddress! + Int((va - base) & ~0xfff), rights: [.read, .execute])
    }
    return nil
  }
}
