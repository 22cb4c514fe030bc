// The bare machine: processors, memory, devices, and an image loaded into it as Documentation/bare-machine.md says.
import CSupport
import Glibc
import Machine

/// How a bare machine is built.
package struct BareOptions {
  package enum Entry: Sendable {
    /// e_entry.
    case native
    /// The entry note "Xen", if the image has one.
    case xen
    /// The entry note "Kittson", if the image has one: for the backend `host` and for plugins.
    case host
  }

  /// Bytes of RAM.
  package var memorySize: UInt64 = 64 << 20
  /// 1…8.
  package var processors = 1
  package var commandLine = ""
  package var entry = Entry.native
  package var virtualClock = false
  /// Physical stacked registers (N_STACK_PHYS).
  package var physicalStacked: UInt32 = 96

  package init() {}
}

package final class BareMachine: SystemMachine {
  package let machine: Machine
  package let options: BareOptions
  package let image: ELFImage
  package let output: ConsoleOutput
  package let input: ConsoleInput
  /// Physical address at which processors start.
  package let entry: UInt64
  /// Physical address of the boot parameter block.
  package let parameterAddress: UInt64
  private let started = hostNanoseconds()
  package var isVirtualClock: Bool { options.virtualClock }
  /// The processor whose store or load a device is answering.
  private var current: CPU
  /// Counts resets.
  package private(set) var restarts = 0

  /// Builds the machine and loads `image`.
  package init(
    image: ELFImage, options: BareOptions = BareOptions(), output: ConsoleOutput, input: ConsoleInput = ConsoleInput()
  ) throws(BootError) {
    guard 1...8 ~= options.processors else { throw .processorCount(options.processors) }
    guard options.memorySize <= InterruptBlock.base else { throw .memoryTooLarge(options.memorySize, limit: InterruptBlock.base) }
    do throws(MachineError) {
      machine = try Machine(
        ramSize: options.memorySize, processors: options.processors, physicalStacked: options.physicalStacked)
    } catch { throw .memory(error.description) }
    self.options = options
    self.image = image
    self.output = output
    self.input = input
    current = machine.cpus[0]
    entry = try Self.entryPoint(of: image, options.entry)
    parameterAddress = try Self.place(image, options, machine.ramSize)
    guard entry < machine.ramSize else { throw .entryOutsideMemory(entry) }
    addDevices()
    load()
  }

  /// Where the backend's processors start: its note if there is one, else e_entry.
  private static func entryPoint(of image: ELFImage, _ entry: BareOptions.Entry) throws(BootError) -> UInt64 {
    let name: String
    switch entry {
    case .native: return image.physicalEntry
    case .xen: name = "Xen"
    case .host: name = "Kittson"
    }
    let notes: [ELFImage.Note]
    do throws(ELFError) { notes = try image.notes() } catch { throw .image(error) }
    guard let note = notes.first(where: { $0.name == name && $0.type == 1 }) else { return image.physicalEntry }
    guard note.description.count == 8 else { throw .badEntryNote(name: name, size: note.description.count) }
    return note.description.reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// Checks that the segments lie in memory, and finds the place of the boot parameters.
  private static func place(
    _ image: ELFImage, _ options: BareOptions, _ memorySize: UInt64
  ) throws(BootError) -> UInt64 {
    let taken = try segmentRanges(image, below: memorySize)
    let size = BootParameters.size + UInt64(options.commandLine.utf8.count) + 1
    guard let address = BootParameters.place(size: size, taken: taken, memorySize: memorySize) else {
      throw .noRoomForParameters
    }
    return address
  }

  package func restart() {
    restarts += 1
    load()
  }

  /// Clears memory, places the image and the boot parameters, and puts the processors at the entry point.
  private func load() {
    loadImage()
    let parameters = BootParameters(
      processors: UInt32(options.processors), memorySize: machine.ramSize,
      clockFrequency: options.virtualClock ? 0 : hostTickFrequency, commandLine: options.commandLine)
    parameters.encoded(at: parameterAddress).withUnsafeBytes { place($0, at: parameterAddress) }
    for cpu in machine.cpus {
      cpu.reset()
      cpu.pointee.virtual_clock = options.virtualClock ? 1 : 0
      cpu.pointee.ip = entry & ~15
      cpu.pointee.ri = 0
      cpu.writeGR(28, parameterAddress)
    }
  }

  // MARK: Devices

  private func addDevices() {
    let devices = BareDevices(
      uart: UART(output: output, input: input),
      nanoseconds: { [unowned self] in clockNanoseconds })
    machine.add(InterruptBlock(machine))
    let ranges: [(UInt64, UInt64)] = [(BareMap.uart, UART.size), (BareMap.power, BareMap.powerSize)]
    for (base, length) in ranges { machine.add(BareDeviceRange(base, length, devices, owner: self)) }
  }

  /// Nanoseconds of the machine's clock: one a slot under the virtual clock, else host time since the start.
  private var clockNanoseconds: UInt64 {
    options.virtualClock ? current.slots : hostNanoseconds() - started
  }

  fileprivate func answering(_ cpu: CPU) { current = cpu }

  /// A device's answer to a store: a request stops the processor.
  fileprivate func took(_ request: DeviceRequest, _ cpu: CPU) {
    switch request {
    case .none: return
    case .powerOff(let status): cpu.stop(KT_STOP_EXIT, detail: Int64(status))
    case .reset: cpu.stop(KT_STOP_RESET)
    }
  }
}

/// A device range of the machine: hands accesses on.
private final class BareDeviceRange: Device {
  let range: (base: UInt64, length: UInt64)
  private let devices: BareDevices
  private unowned let owner: BareMachine

  init(_ base: UInt64, _ length: UInt64, _ devices: BareDevices, owner: BareMachine) {
    range = (base, length)
    self.devices = devices
    self.owner = owner
  }

  func read(offset: UInt64, size: Int, cpu: CPU) -> UInt64 {
    owner.answering(cpu)
    return devices.load(range.base + offset, size: size)
  }

  func write(offset: UInt64, size: Int, value: UInt64, cpu: CPU) {
    owner.answering(cpu)
    owner.took(devices.store(range.base + offset, size: size, value), cpu)
  }
}
