// The image that `boot` and `verify boot` start, and the machine it starts on.
import ArgumentParser
import Kittson

extension MachineKind: ExpressibleByArgument {
  public static let allValueDescriptions = [
    "bare": "memory, a console port and a power switch",
    "dig": "EFI, SAL, PAL and ACPI over standard devices: Linux's machine vector of that name",
  ]
}

struct MachineOptions: ParsableArguments {
  @Option(help: "The machine: by default the one that the image was made for.")
  var machine: MachineKind?

  @Option(
    help: ArgumentHelp(
      "Guest memory, as 64M or 1G: by default 64M on the bare machine, 512M on the firmware machine.", valueName: "SIZE"))
  var memory: MemorySize?

  @Option(help: ArgumentHelp("Guest processors, 1 to 8.", valueName: "N"))
  var smp = 1

  @Option(help: ArgumentHelp("The guest's command line.", valueName: "TEXT"))
  var append = ""

  @Option(help: ArgumentHelp("The initial RAM disk (firmware machine).", valueName: "FILE"))
  var initrd: String?

  @Argument(help: "An ELF image for IA-64; without one the embedded paravirtualised kernel.")
  var image: String?

  /// What to call the image in messages.
  var name: String { image ?? "the embedded kernel" }

  func imageBytes() throws -> [UInt8] { try image.map(readImage) ?? EmbeddedGuests.pvkernel }

  func apply(to configuration: inout Configuration) throws {
    configuration.machine = machine
    configuration.memorySize = memory?.bytes
    configuration.processors = smp
    configuration.commandLine = append
    if image == nil, initrd != nil || (machine ?? .bare) != .bare {
      throw Failure(
        "the embedded kernel boots on the bare machine without --initrd: name another image",
        status: ExitStatus.usage)
    }
    configuration.initrd = try initrd.map(readWhole) ?? []
  }
}
