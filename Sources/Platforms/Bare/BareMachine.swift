// The bare machine: processors, memory, devices, and an image loaded into it as Documentation/bare-machine.md says.
import CSupport
import Glibc
import Machine

/// Why an image can't be booted. `description` is one line: what is wrong, a colon, how to mend it.
public enum BootError: Error, Equatable, CustomStringConvertible {
  case image(ELFError)
  case memory(String)
  case memoryTooLarge(UInt64)
  case segmentOutsideMemory(index: Int, end: UInt64?, memorySize: UInt64)
  case entryOutsideMemory(UInt64)
  case noRoomForParameters
  case badEntryNote(name: String, size: Int)
  case processorCount(Int)

  public var description: String {
    switch self {
    case .image(let error): return error.description
    case .memory(let text): return text
    case .memoryTooLarge(let size):
      return "\(size) bytes of memory reach into the device addresses: choose a --memory of at most 4078M"
    case .segmentOutsideMemory(let index, let end, let size):
      let reach = end.map { "ends at physical address \(hexadecimal($0))" } ?? "runs past the end of the address space"
      return "segment \(index) \(reach), memory at \(hexadecimal(size)): choose a larger --memory"
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

package final class BareMachine {
  package let machine: Machine
  package let options: BareOptions
  package let image: ELFImage
  package let output: ConsoleOutput
  package let input: ConsoleInput
  /// Physical address at which processors start.
  package let entry: UInt64
  /// Physical address of the boot parameter block.
  package let parameterAddress: UInt64
  /// What a device asked for since the last look, and how the platform answers.
  private var request = DeviceRequest.none
  private let started = hostNanoseconds()
  /// The processor whose store or load a device is answering.
  private var current: CPU
  /// Counts resets.
  package private(set) var restarts = 0

  /// Builds the machine and loads `image`.
  package init(
    image: ELFImage, options: BareOptions = BareOptions(), output: ConsoleOutput, input: ConsoleInput = ConsoleInput()
  ) throws(BootError) {
    guard 1...8 ~= options.processors else { throw .processorCount(options.processors) }
    guard options.memorySize <= BareMap.interruptBlock else { throw .memoryTooLarge(options.memorySize) }
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
    var taken: [(start: UInt64, end: UInt64)] = []
    for (index, segment) in image.loadableSegments.enumerated() {
      let (end, overflow) = segment.physicalAddress.addingReportingOverflow(segment.memorySize)
      guard !overflow, end <= memorySize else {
        throw .segmentOutsideMemory(index: index, end: overflow ? nil : end, memorySize: memorySize)
      }
      taken.append((segment.physicalAddress, end))
    }
    let size = BootParameters.size + UInt64(options.commandLine.utf8.count) + 1
    guard let address = BootParameters.place(size: size, taken: taken, memorySize: memorySize) else {
      throw .noRoomForParameters
    }
    return address
  }

  /// Clears memory, places the image and the boot parameters, and puts the processors at the entry point.
  private func load() {
    // Fresh zero pages for what was used before.
    madvise(machine.ram, Int(machine.ramSize), MADV_DONTNEED)
    for segment in image.loadableSegments {
      segment.bytes.withUnsafeBytes { bytes in
        if let base = bytes.baseAddress { memcpy(machine.ram + Int(segment.physicalAddress), base, bytes.count) }
      }
    }
    let parameters = BootParameters(
      processors: UInt32(options.processors), memorySize: machine.ramSize,
      clockFrequency: options.virtualClock ? 0 : hostTickFrequency, commandLine: options.commandLine)
    let block = parameters.encoded(at: parameterAddress)
    block.withUnsafeBytes { _ = memcpy(machine.ram + Int(parameterAddress), $0.baseAddress!, $0.count) }
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
      nanoseconds: { [unowned self] in clockNanoseconds },
      interrupt: { [unowned self] id, eid, vector in sendInterrupt(id, eid, vector) })
    let ranges: [(UInt64, UInt64)] = [
      (BareMap.uart, UART.size), (BareMap.power, BareMap.powerSize),
      (BareMap.interruptBlock, BareMap.interruptBlockSize),
    ]
    for (base, length) in ranges { machine.add(BareDeviceRange(base, length, devices, owner: self)) }
  }

  /// Nanoseconds of the machine's clock: one a slot under the virtual clock, else host time since the start.
  private var clockNanoseconds: UInt64 {
    options.virtualClock ? current.slots : hostNanoseconds() - started
  }

  private func sendInterrupt(_ id: UInt8, _ eid: UInt8, _ vector: UInt8) {
    for cpu in machine.cpus where cpu.pointee.cr_lid >> 16 & 0xffff == UInt64(id) << 8 | UInt64(eid) {
      cpu.raiseExternal(vector: UInt64(vector))
    }
  }

  fileprivate func answering(_ cpu: CPU) { current = cpu }

  /// A device's answer to a store: a request stops the processor.
  fileprivate func took(_ request: DeviceRequest, _ cpu: CPU) {
    switch request {
    case .none: return
    case .powerOff(let status): cpu.stop(KT_STOP_EXIT, detail: Int64(status))
    case .reset: cpu.stop(KT_STOP_RESET)
    }
    self.request = request
  }

  // MARK: Running

  /// Issued slots between two looks at timers, limits and the other processors.
  private static let virtualSlice: Int64 = 1 << 20
  private static let hostSlice: Int64 = 50_000

  /// Runs until the guest switches off, can't go on, or a limit is reached. `restart`: a reset starts over instead of
  /// ending the run.
  package func run(_ engine: any Engine, limits: RunLimits = RunLimits(), restart: Bool = true) -> RunEnd {
    defer { output.flush() }
    var account = RunAccount(limits)
    let slice = options.virtualClock ? Self.virtualSlice : Self.hostSlice
    while true {
      var idle = 0
      for cpu in machine.cpus {
        let allowance = account.allowance(slice)
        if allowance == 0 { return .instructionLimit }
        if let end = runSlice(engine, cpu, allowance, &account, &idle, restart: restart) { return end }
        if request == .reset { break }
      }
      if request == .reset {
        request = .none
        restarts += 1
        load()
        engine.invalidateCode(physical: 0, length: machine.ramSize)
        continue
      }
      if account.isOverTime { return .timeout }
      if idle == machine.cpus.count { if let end = passIdleTime() { return end } }
    }
  }

  /// Gives one processor its slice. A value ends the run; a processor that waits for an interrupt counts as idle.
  private func runSlice(
    _ engine: any Engine, _ cpu: CPU, _ allowance: Int64, _ account: inout RunAccount, _ idle: inout Int, restart: Bool
  ) -> RunEnd? {
    cpu.pollTimer()
    cpu.pointee.stop_reason = 0
    cpu.pointee.stop_request = 0
    cpu.setBudget(allowance)
    let before = cpu.slots
    let reason = engine.run(cpu)
    account.add(cpu.slots &- before)
    switch reason {
    case KT_STOP_EXIT: return .exited(Int32(truncatingIfNeeded: cpu.pointee.stop_detail))
    case KT_STOP_RESET: return restart ? nil : .reset
    case KT_STOP_HALT: idle += cpu.pointee.interrupt_ready == 0 ? 1 : 0
    case KT_STOP_FATAL, KT_STOP_PROCESS_TRAP: return .stuck(describeFatal(cpu))
    default:
      switch Idleness(cpu) {
      case .running: break
      case .waiting: idle += 1
      case .deaf, .unhandled:
        // Other processors may still switch the machine off.
        if machine.cpus.count == 1 { return .stuck(describeFatal(cpu)) }
        idle += 1
      }
    }
    return nil
  }

  /// Every processor waits for an interrupt. Lets time pass to the next timer; a value says that none is set.
  private func passIdleTime() -> RunEnd? {
    guard let next = machine.cpus.map({ $0.pointee.itm_deadline }).min(), next != UInt64.max else {
      return .stuck("the guest waits and no event can come: it has set no timer")
    }
    if options.virtualClock {
      for cpu in machine.cpus {
        let wait = Int64(bitPattern: next &- cpu.slots)
        if wait > 0 { cpu.pointee.deadline += wait }
      }
      return nil
    }
    let ticks = next &- kt_host_ticks()
    if ticks >> 63 != 0 { return nil }
    let nanoseconds = min(1_000_000, UInt64(Double(ticks) * 1e9 / Double(hostTickFrequency)))
    var pause = timespec(tv_sec: 0, tv_nsec: Int(nanoseconds))
    nanosleep(&pause, nil)
    return nil
  }

  private func describeFatal(_ cpu: CPU) -> String {
    let place = hexadecimal(cpu.pointee.ip)
    switch Idleness(cpu) {
    case .unhandled:
      return "interruption without a handler: the vector at \(place) is empty (cr.iip "
        + hexadecimal(cpu.pointee.cr_iip) + ", cr.isr " + hexadecimal(cpu.pointee.cr_isr) + ")"
    case .deaf: return "the guest spins at \(place) with interrupts off: no event can ever come"
    default: return "processor \(cpu.pointee.index) can't go on at \(place)"
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
