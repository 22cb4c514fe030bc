// A guest kernel on a machine: image, machine, call sites and engine joined into something that runs.
import CSupport
import Machine
import Paravirt
import Platforms

/// A system image on a machine, with its call sites bound: made, run, and looked at.
public final class BootSession {
  /// What the session was asked to do.
  public let configuration: Configuration
  /// The guest's call sites, and what each operation is bound to.
  public let paravirt: SiteTable
  /// Problems found in the image's patch records: the sites they name stay as they are.
  public let diagnostics: [String]
  let guest: ParavirtImage
  let system: any SystemMachine
  let engine: any Engine

  /// Builds a machine and loads the image.
  /// - Parameters:
  ///   - image: an ELF executable for IA-64.
  ///   - output: takes the guest's console output, a line or a buffer at a time.
  ///   - inputDescriptor: where console input comes from, if anywhere.
  public init(
    image bytes: [UInt8], configuration: Configuration = Configuration(),
    output: @escaping (UnsafeRawBufferPointer) -> Void, inputDescriptor: Int32? = nil
  ) throws(SessionError) {
    self.configuration = configuration
    guest = try Self.open(bytes)
    diagnostics = guest.diagnostics.map(\.description)
    system = try Self.makeMachine(
      guest.image, configuration, ConsoleOutput(sink: output), ConsoleInput(descriptor: inputDescriptor))
    paravirt = try Self.bind(guest, configuration)
    engine = try EngineFactory.make(configuration, for: system.machine)
    for cpu in system.machine.cpus { paravirt.attach(cpu) }
    watchOperations()
  }

  private static func open(_ bytes: [UInt8]) throws(SessionError) -> ParavirtImage {
    let image: ELFImage, guest: ParavirtImage
    do throws(ELFError) {
      image = try ELFImage(bytes: bytes)
      guest = try ParavirtImage(image)
    } catch { throw .image(error.description) }
    if isProgram(image) { throw .image("a Linux program, no system image: use 'kittson run'") }
    guard image.type == .executable else { throw .image("a shared object, no system image: name a linked kernel") }
    return guest
  }

  /// Whether an image is a program of a Linux process: it names a dynamic loader, or lies in the user's regions behind the
  /// first, which physical memory does not reach.
  private static func isProgram(_ image: ELFImage) -> Bool {
    if image.interpreter != nil { return true }
    let segments = image.loadableSegments
    return image.type == .executable && !segments.isEmpty && segments.allSatisfy { 1...4 ~= $0.virtualAddress >> 61 }
  }

  /// Linux's own notes tell its kernels from guests of the bare machine.
  private static func kind(of image: ELFImage, _ configuration: Configuration) -> MachineKind {
    configuration.machine ?? (isLinux(image) || !configuration.initrd.isEmpty ? .dig : .bare)
  }

  private static func isLinux(_ image: ELFImage) -> Bool {
    ((try? image.notes()) ?? []).contains { $0.name == "Linux" }
  }

  private static func makeMachine(
    _ image: ELFImage, _ configuration: Configuration, _ output: ConsoleOutput, _ input: ConsoleInput
  ) throws(SessionError) -> any SystemMachine {
    let kind = kind(of: image, configuration)
    if kind == .bare && !configuration.initrd.isEmpty {
      throw .option("the bare machine takes no --initrd: leave it out, or choose --machine dig")
    }
    if kind == .bare && isLinux(image) {
      throw .option("a Linux kernel needs the firmware machine: leave --machine out, or choose --machine dig")
    }
    do throws(BootError) {
      switch kind {
      case .bare:
        var options = BareOptions()
        if let size = configuration.memorySize { options.memorySize = size }
        options.processors = configuration.processors
        options.commandLine = configuration.commandLine
        options.entry = configuration.backend == .host ? .host : .native
        options.virtualClock = configuration.clock == .virtual
        return try BareMachine(image: image, options: options, output: output, input: input)
      case .dig:
        var options = FirmwareOptions()
        if let size = configuration.memorySize { options.memorySize = size }
        options.processors = configuration.processors
        options.commandLine = configuration.commandLine
        options.initrd = configuration.initrd
        options.virtualClock = configuration.clock == .virtual
        return try FirmwareMachine(image: image, options: options, output: output, input: input)
      }
    } catch {
      switch error {
      case .processorCount, .commandLineTooLong: throw .option(error.description)
      default: throw .image(error.description)
      }
    }
  }

  private static func bind(_ guest: ParavirtImage, _ configuration: Configuration) throws(SessionError) -> SiteTable {
    do throws(BindingError) {
      // Under `native` the guest patches its own sites and nothing is left to dispatch.
      if configuration.backend == .native { return try SiteTable() }
      let table = try SiteTable(guest, dispatch: configuration.dispatch)
      for plugin in configuration.plugins { try table.bind(plugin) }
      return table
    } catch { throw .option(error.description) }
  }

  /// A guest that changes its pv_cpu_ops takes its sites back.
  private func watchOperations() {
    guard let table = paravirt.guestTable,
      let physical = system.image.physicalAddress(ofVirtual: table),
      let host = system.machine.host(physical: physical, length: 8 * UInt64(Operation.allCases.count))
    else { return }
    paravirt.watchTable(host)
    let machine = system.machine
    machine.watchStores(physical: physical, length: 8 * UInt64(Operation.allCases.count)) {
      [paravirt, unowned machine] in
      paravirt.tableWritten()
      for cpu in machine.cpus { cpu.pointee.event_check = 1 }
    }
  }

  /// Writes a line for each interruption from now on.
  public func traceInterruptions(to write: @escaping (String) -> Void) {
    system.machine.onInterruption = { cpu, vector in write(Self.describe(cpu, vector)) }
  }

  private static func describe(_ cpu: CPU, _ vector: Vector) -> String {
    let registers = [
      ("iip", cpu.pointee.cr_iip), ("ipsr", cpu.pointee.cr_ipsr), ("isr", cpu.pointee.cr_isr), ("ifa", cpu.pointee.cr_ifa),
      ("iim", cpu.pointee.cr_iim), ("itir", cpu.pointee.cr_itir), ("iha", cpu.pointee.cr_iha),
    ]
    return "\(cpu.slots) cpu \(cpu.pointee.index) \(vector) "
      + registers.map { "\($0) \(hexadecimal($1))" }.joined(separator: " ")
  }

  /// Runs until the guest switches off, can't go on, or a limit is reached.
  public func run() -> RunEnd {
    let limits = RunLimits(slots: configuration.maximumSlots, seconds: configuration.timeout)
    return system.run(engine, limits: limits, restart: configuration.restartsOnReset)
  }

  /// Issued slots of all processors so far.
  public var slots: UInt64 { system.machine.cpus.reduce(0) { $0 + $1.slots } }
}
