// What is wrong with an image, or with the machine it was to boot on.
import Machine

/// Why an image can't be booted. `description` is one line: what is wrong, a colon, how to mend it.
public enum BootError: Error, Equatable, CustomStringConvertible {
  case image(ELFError)
  case memory(String)
  case memoryTooLarge(UInt64, limit: UInt64)
  case memoryTooSmall(UInt64)
  case segmentOutsideMemory(index: Int, end: UInt64?, memorySize: UInt64)
  case segmentInFirmware(index: Int)
  case entryOutsideMemory(UInt64)
  case noRoomForParameters
  case noRoomForInitrd(Int)
  case commandLineTooLong
  case badEntryNote(name: String, size: Int)
  case processorCount(Int)

  /// One line: what is wrong, and how to mend it.
  public var description: String {
    switch self {
    case .image(let error): return error.description
    case .memory(let text): return text
    case .memoryTooLarge(let size, let limit):
      return "\(size) bytes of memory reach into the device addresses: choose a --memory of at most \(limit >> 20)M"
    case .memoryTooSmall(let size):
      return "\(size) bytes of memory are too few for firmware and kernel: choose a --memory of at least "
        + "\(FirmwareMap.minimumMemory >> 20)M"
    case .commandLineTooLong:
      return "the kernel's command line is too long: --append takes at most \(FirmwareMap.commandLineSize - 1) bytes"
    case .noRoomForInitrd(let size):
      return "no memory is left beside the kernel for an initial RAM disk of \(size) bytes: choose a larger --memory"
    case .segmentOutsideMemory(let index, let end, let size):
      let reach = end.map { "ends at physical address \(hexadecimal($0))" } ?? "runs past the end of the address space"
      // Parameters stand beside the image.
      let advice = end.flatMap { $0 < InterruptBlock.base ? "choose a --memory of at least \(($0 >> 20) + 2)M" : nil }
        ?? "link the image for lower physical addresses"
      return "segment \(index) \(reach), memory at \(hexadecimal(size)): \(advice)"
    case .segmentInFirmware(let index):
      return "segment \(index) lies where the boot parameters go: link the image above physical address "
        + hexadecimal(FirmwareMap.imageStart)
    case .entryOutsideMemory(let entry):
      return "entry point \(hexadecimal(entry)) is not in memory: link the image for physical memory that exists"
    case .noRoomForParameters:
      return "no memory is left beside the image for the boot parameters: choose a larger --memory"
    case .badEntryNote(let name, let size):
      return "entry note \(name) has \(size) bytes, not 8: link the image again"
    case .processorCount(let count): return "\(count) processors: choose 1 to 8"
    }
  }
}
