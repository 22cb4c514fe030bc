// The firmware machine (Documentation/firmware-machine.md): processors, memory, an I/O SAPIC, a serial port and power
// management behind EFI, SAL, PAL and ACPI, on which stock kernels for IA-64 boot (machine vector "dig").
import CSupport
import Glibc
import Machine

/// How a firmware machine is built.
package struct FirmwareOptions {
  /// Bytes of RAM.
  package var memorySize: UInt64 = 512 << 20
  /// 1…8.
  package var processors = 1
  package var commandLine = ""
  /// The initial RAM disk; empty: none.
  package var initrd: [UInt8] = []
  package var virtualClock = false
  /// Physical stacked registers (N_STACK_PHYS).
  package var physicalStacked: UInt32 = 96

  package init() {}
}

package final class FirmwareMachine: SystemMachine {
  package let machine: Machine
  package let options: FirmwareOptions
  package let image: ELFImage
  package let output: ConsoleOutput
  package let input: ConsoleInput
  package var isVirtualClock: Bool { options.virtualClock }
  private let firmware: FirmwareImage
  private let initrd: Range<UInt64>
  private let uart: UART
  private let sapic: IOSAPIC
  private let ports: PortSpace
  private var sal = SAL()
  private let clock: FirmwareClock

  /// Builds the machine and loads `image`.
  package init(
    image: ELFImage, options: FirmwareOptions = FirmwareOptions(), output: ConsoleOutput,
    input: ConsoleInput = ConsoleInput()
  ) throws(BootError) {
    guard 1...8 ~= options.processors else { throw .processorCount(options.processors) }
    let size = options.memorySize & ~(FirmwareMap.granule - 1)
    guard size <= FirmwareMap.memoryLimit else { throw .memoryTooLarge(options.memorySize, limit: FirmwareMap.memoryLimit) }
    guard size >= FirmwareMap.minimumMemory else { throw .memoryTooSmall(options.memorySize) }
    guard options.commandLine.utf8.count < FirmwareMap.commandLineSize else { throw .commandLineTooLong }
    do throws(MachineError) {
      machine = try Machine(ramSize: size, processors: options.processors, physicalStacked: options.physicalStacked)
    } catch { throw .memory(error.description) }
    self.options = options
    self.image = image
    self.output = output
    self.input = input
    initrd = try Self.place(image, options.initrd.count, below: size - FirmwareMap.granule)
    firmware = FirmwareImage(
      memorySize: size, processors: options.processors, commandLine: options.commandLine, initrd: initrd)
    let sapic = IOSAPIC(base: FirmwareMap.ioSAPIC, pins: FirmwareMap.interruptPins, machine)
    self.sapic = sapic
    uart = UART(output: output, input: input) { sapic.set(Int(FirmwareMap.serialInterrupt), asserted: $0) }
    let clock = FirmwareClock(isVirtual: options.virtualClock)
    self.clock = clock
    ports = PortSpace(uart: uart, nanoseconds: clock.nanoseconds)
    for device in [sapic, InterruptBlock(machine), ports] as [any Device] { machine.add(device) }
    machine.claimsBreak = { [code = firmware.code] cpu, immediate in
      guard cpu.cpl == 0, FirmwareService(immediate: immediate) != nil, let place = cpu.peekFetch(cpu.pointee.ip)
      else { return false }
      return code.contains(place)
    }
    load()
  }

  /// Checks that the segments lie in memory, and places the initial RAM disk as high as it goes.
  private static func place(_ image: ELFImage, _ initrdSize: Int, below limit: UInt64) throws(BootError) -> Range<UInt64> {
    let ranges = try segmentRanges(image, below: limit)
    for (index, range) in ranges.enumerated() where range.start < min(range.end, FirmwareMap.imageStart) {
      throw .segmentInFirmware(index: index)
    }
    let highest = ranges.map(\.end).max() ?? 0
    guard image.physicalEntry < limit else { throw .entryOutsideMemory(image.physicalEntry) }
    if initrdSize == 0 { return 0..<0 }
    let size = UInt64(initrdSize)
    guard size <= limit - highest, (limit - size) & ~0xffff >= highest else { throw .noRoomForInitrd(initrdSize) }
    let start = (limit - size) & ~0xffff
    return start..<start + size
  }

  // MARK: Start

  package func restart() { load() }

  /// Clears memory, places image, RAM disk and firmware, and puts the first processor at the entry point.
  private func load() {
    loadImage()
    sal = SAL()
    uart.reset()
    sapic.reset()
    ports.reset()
    options.initrd.withUnsafeBytes { place($0, at: initrd.lowerBound) }
    for block in firmware.blocks { block.bytes.withUnsafeBytes { place($0, at: block.base) } }
    for cpu in machine.cpus {
      cpu.reset()
      cpu.pointee.virtual_clock = options.virtualClock ? 1 : 0
      cpu.pointee.ip = cpu == machine.cpus[0] ? image.physicalEntry & ~15 : firmware.entry(.waitForWakeUp)
      kt_kernel_registers(cpu)[0] = FirmwareMap.ports
      cpu.writeGR(28, FirmwareMap.bootParameters)
    }
  }

  package func pollDevices() { uart.poll() }

  // MARK: Services

  package func serve(_ cpu: CPU) -> ServiceEnd {
    guard let service = FirmwareService(immediate: UInt64(bitPattern: cpu.pointee.stop_detail)) else { return .done }
    switch service {
    case .pal: return callPAL(cpu)
    case .sal:
      return finish(cpu, callSAL(Self.stackedArguments(cpu, 0..<8)))
    case .waitForWakeUp: return waitForWakeUp(cpu)
    default: return callRuntime(service, cpu)
    }
  }

  /// The caller's arguments in r32 and on; what lies outside its frame is 0.
  private static func stackedArguments(_ cpu: CPU, _ numbers: Range<Int>) -> [UInt64] {
    numbers.map { cpu.sof > $0 ? cpu.readGR(32 + $0) : 0 }
  }

  /// Writes the results and goes on behind the break instruction, which is in slot 0.
  private func finish(_ cpu: CPU, _ result: ServiceResult) -> ServiceEnd {
    cpu.writeGR(8, UInt64(bitPattern: result.status))
    cpu.writeGR(9, result.values.0)
    cpu.writeGR(10, result.values.1)
    cpu.writeGR(11, result.values.2)
    cpu.pointee.ri = 1
    return .done
  }

  private func callPAL(_ cpu: CPU) -> ServiceEnd {
    let index = cpu.readGR(28)
    let isStacked = index >> 8 & 1 != 0
    let arguments = isStacked ? Self.stackedArguments(cpu, 1..<4) : (29...31).map { cpu.readGR($0) }
    guard let procedure = PAL.Procedure(rawValue: index) else { return finish(cpu, .notImplemented) }
    if let result = PAL.answer(procedure, arguments, frequency: clock.frequency, cpu) { return finish(cpu, result) }
    switch procedure {
    case .haltLight:
      _ = finish(cpu, .success())
      return .halted
    case .halt: return .powerOff(0)
    case .brandInfo: return brand(cpu, at: arguments[1])
    default: return finish(cpu, .notImplemented)
    }
  }

  /// PAL_BRAND_INFO: a text of at most 128 bytes.
  private func brand(_ cpu: CPU, at address: UInt64) -> ServiceEnd {
    let text = Array("Kittson virtual processor".utf8) + [0]
    for (offset, byte) in text.enumerated() {
      if cpu.store(address &+ UInt64(offset), size: 1, UInt64(byte)) != .done { return .done }
    }
    return finish(cpu, .success(UInt64(text.count)))
  }

  private func callSAL(_ arguments: [UInt64]) -> ServiceResult {
    guard let procedure = SAL.Procedure(rawValue: arguments[0]) else { return .notImplemented }
    return sal.answer(procedure, Array(arguments.dropFirst()), frequency: clock.frequency)
  }

  /// An application processor in the firmware's hands: sleeps until the wake-up interrupt comes, then goes to the
  /// operating system's entry.
  private func waitForWakeUp(_ cpu: CPU) -> ServiceEnd {
    while cpu.pointee.interrupt_ready != 0 {
      let vector = cpu.readIVR()
      cpu.writeEOI()
      if vector == SAL.wakeUpVector, let start = sal.rendezvous { return self.start(cpu, start) }
    }
    return .halted
  }

  private func start(_ cpu: CPU, _ start: (entry: UInt64, gp: UInt64)) -> ServiceEnd {
    cpu.writeGR(1, start.gp)
    cpu.pointee.ip = start.entry & ~15
    cpu.pointee.ri = 0
    cpu.branches[0] = firmware.entry(.waitForWakeUp)
    return .done
  }

  private func callRuntime(_ service: FirmwareService, _ cpu: CPU) -> ServiceEnd {
    let arguments = Self.stackedArguments(cpu, 0..<4)
    func finish(_ status: UInt64) -> ServiceEnd { self.finish(cpu, ServiceResult(status: Int64(bitPattern: status))) }
    switch service {
    case .getTime:
      if arguments[0] == 0 { return finish(EFI.Status.invalidParameter) }
      let now = clock.calendar(cpu)
      let time = EFI.time(now.seconds, nanoseconds: now.nanoseconds)
      var stores = [(arguments[0], 8, time.0), (arguments[0] &+ 8, 8, time.1)]
      // EFI_TIME_CAPABILITIES: one count a second, 50 parts in a million off, setting clears nothing.
      if arguments[1] != 0 {
        stores += [(arguments[1], 4, 1), (arguments[1] &+ 4, 4, 50_000_000), (arguments[1] &+ 8, 1, 0)]
      }
      for (address, size, value) in stores {
        if cpu.store(address, size: UInt32(size), value) != .done { return .done }
      }
      return finish(EFI.Status.success)
    case .setVirtualAddressMap:
      let (size, descriptorSize, map) = (arguments[0], arguments[1], arguments[3] & ~(1 << 63))
      guard FirmwareImage.memoryDescriptorSize...4096 ~= descriptorSize, size <= 1 << 20, size % descriptorSize == 0,
        machine.host(physical: map, length: size) != nil
      else { return finish(EFI.Status.invalidParameter) }
      firmware.relocateRuntime(machine.ram, mapAt: map, size: size, descriptorSize: descriptorSize)
      return finish(EFI.Status.success)
    case .getVariable, .getNextVariableName: return finish(EFI.Status.notFound)
    case .resetSystem: return arguments[0] == EFI.Reset.shutdown ? .powerOff(0) : .reset
    default: return finish(EFI.Status.unsupported)
    }
  }
}
