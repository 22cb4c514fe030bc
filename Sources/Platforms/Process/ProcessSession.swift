// A Linux process on a processor: starts a program, runs an engine, and does at each trap what Linux/ia64 would do.
import CSupport
import Glibc
import Machine

extension AddressSpace: ProcessMemory {
  package func page(at va: UInt64) -> ProcessPage? {
    if va & ~0xfff == GatePage.address { return ProcessPage(host: GatePage.host, rights: [.read, .execute]) }
    guard let (host, protection) = translate(va & ~0xfff) else { return nil }
    return ProcessPage(host: host, rights: Access(rawValue: protection.rawValue))
  }
}

package final class ProcessSession {
  package let process: LinuxProcess
  package let machine: Machine
  package var cpu: CPU { machine.cpus[0] }
  private let virtualClock: Bool
  var engine: (any Engine)!
  /// Makes an engine in the child of a fork, which shares the old one's memory for code with its parent; nil: there is
  /// none to be made anew.
  package var renewEngine: (() -> any Engine)?
  private var account = RunAccount(RunLimits())
  /// The value of fetch_generation that the engine saw last.
  private var generation: UInt64 = 0
  /// The process's end, once one of its threads has come to it.
  var ending: RunEnd?
  /// The thread that just made a call ends with it.
  private var threadEnds = false
  /// In the child of a fork.
  var isForked = false
  /// Whether the first thread waits for the others' end, and what it waits with.
  let over = Turnstile()
  /// What ends the run in time; nil where there is no limit.
  private var watchdog: Watchdog?
  private var deadline: UInt64?
  /// Who stops and examines the program, if somebody does.
  var debugger: GDBServer?
  /// Answers system calls in place of the process, when set: from a record of another run.
  package var performer: ((SystemCall) -> SystemCallResult)?

  /// Issued slots between two looks at the limits.
  private static let slice: Int64 = 1 << 22
  /// N_STACK_PHYS: a program can't see it, and the more registers there are the fewer are spilled.
  private static let physicalStacked = UInt32(KT_RING_REGISTERS) - 128
  /// The immediate of `break` that makes a system call.
  private static let systemCallBreak: UInt64 = 0x100000

  /// Loads the program at `path`; `options.arguments` begins with its name.
  package init(path: String, options: ProcessOptions, virtualClock: Bool = false) throws(ProcessError) {
    guard !path.isEmpty else { throw .noName }
    if let sysroot = options.sysroot {
      var status = stat()
      guard stat(sysroot, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { throw .noDirectory(sysroot: sysroot) }
    }
    let image: ELFImage
    do throws(ELFError) {
      image = try ELFImage(bytes: try readFile(path, as: .image))
    } catch {
      if let interpreter = Self.interpreter(ofScript: path) { throw .script(path: path, interpreter: interpreter) }
      throw .image(path: path, error)
    }
    do throws(MachineError) {
      machine = try Machine(ramSize: 0, processors: 1, physicalStacked: Self.physicalStacked)
    } catch { throw .memory(error.description) }
    self.virtualClock = virtualClock
    var options = options
    let cpu = machine.cpus[0]
    if virtualClock {
      options.virtualClock = { cpu.slots }
      options.advanceClock = { cpu.pointee.deadline += Int64(clamping: $0) }
    }
    process = LinuxProcess(options: options, executablePath: Self.absolute(path))
    machine.processMemory = process.memory
    process.memory.onChange = { [unowned self] start, end, code in memoryChanged(start, end, code: code) }
    setUp(cpu, try process.start(image))
  }

  /// What the first line of a script names.
  private static func interpreter(ofScript path: String) -> String? {
    let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var head = [UInt8](repeating: 0, count: 256)
    let count = pread(descriptor, &head, head.count, 0)
    guard count > 2, head.starts(with: [0x23, 0x21]) else { return nil }
    let line = head[2..<count].prefix { $0 != 10 && $0 != 0 }
    let name = line.drop { $0 == 0x20 || $0 == 9 }.prefix { $0 != 0x20 && $0 != 9 }
    return name.isEmpty ? nil : String(decoding: name, as: UTF8.self)
  }

  private static func absolute(_ path: String) -> String {
    guard let resolved = realpath(path, nil) else { return path }
    defer { free(resolved) }
    return String(cString: resolved)
  }

  /// The registers as start_thread leaves them.
  private func setUp(_ cpu: CPU, _ start: ProcessStart) {
    cpu.pointee.is_process = 1
    cpu.reset()
    cpu.pointee.virtual_clock = virtualClock ? 1 : 0
    cpu.setPSR(PSR.ic | PSR.i | PSR.dt | PSR.rt | PSR.it | PSR.cpl | PSR.bn)
    cpu.updateAddressing()
    cpu.pointee.ip = start.entry & ~15
    cpu.pointee.ri = 0
    cpu.pointee.ar_rsc = 0xf
    cpu.pointee.ar_fpsr = 0x9804_c027_0033f
    cpu.writeBSPSTORE(start.backingStore)
    cpu.writeGR(12, start.stackPointer)
  }

  private func memoryChanged(_ start: UInt64, _ end: UInt64, code: Bool) {
    for cpu in machine.cpus { cpu.flushSoftwareTLB(va: start, length: end - start) }
    if code { engine?.invalidateCode(physical: start, length: end - start) }
  }

  // MARK: Running

  /// Runs the program to its end or to a limit. In a child that the program forks this does not return: the process ends
  /// as its program does.
  package func run(_ engine: any Engine, limits: RunLimits = RunLimits()) -> RunEnd {
    self.engine = engine
    account = RunAccount(limits)
    deadline = limits.seconds.map { hostNanoseconds() &+ UInt64(min($0, 1e9) * 1e9) }
    process.host = performer == nil && process.onSystemCall == nil ? self : nil
    let first = process.current
    begin(first)
    var end = execute(first)
    if isForked { leaveForGood(end ?? .exited(0)) }
    if end == nil { end = waitForEnd() }
    watchdog?.cancel()
    debugger?.ended(end!)
    conclude(end!)
    process.tracer?.ended(process.processID, end!)
    return end!
  }

  /// Makes the calling host thread the process's first one.
  private func begin(_ thread: GuestThread) {
    thread.cpu = cpu
    thread.id = hostThreadID()
    thread.mask = kt_signals_mask()
    thread.signals.pointee.cpu = cpu
    kt_signals_set_leader(thread.id)
    kt_signals_attach(thread.signals)
    for signal in 1...64 where kt_signals_disposition(Int32(signal)) == Int32(KT_SIGNAL_IGNORE) {
      process.signalActions[signal].handler = 1
    }
    kt_signals_install()
    nameThread()
    watch()
  }

  /// The name that the host shows (/proc/PID/comm) is the guest program's.
  private func nameThread() {
    (process.commandName + [0]).withUnsafeBytes { name in
      _ = kt_host_syscall(Int64(SYS_prctl), 15, UInt64(UInt(bitPattern: name.baseAddress)), 0, 0, 0, 0)  // PR_SET_NAME
    }
  }

  /// Begins to watch the time, in the thread that runs the process.
  func watch() {
    guard let deadline else { return }
    watchdog = Watchdog(deadline: deadline, leader: hostThreadID(), over: over)
    watchdog!.start()
  }

  /// Whoever ends the process on its own is not interrupted any more.
  func stopWatching() { watchdog?.cancel() }

  func hostThreadID() -> Int32 { Int32(kt_host_syscall(Int64(SYS_gettid), 0, 0, 0, 0, 0, 0)) }

  /// Runs a thread on the calling host thread, whose turn it is. The process's end, or nil where only the thread ends.
  func execute(_ thread: GuestThread) -> RunEnd? {
    let cpu = thread.cpu!
    while true {
      cpu.pointee.stop_request = 0
      if let end = ending ?? deliverSignals(cpu) { return end }
      if watchdog?.isTimeUp == true { return .timeout }
      let allowance = account.allowance(Self.slice)
      if allowance == 0 { return .instructionLimit }
      if cpu.pointee.frame_incomplete != 0 { cpu.pointee.event_check = 1 }
      let reason: kt_stop_reason
      switch debugger.map({ debug($0, thread, allowance) }) ?? runSlice(thread, allowance) {
      case .ended(let end): return end
      case .threadEnded: return nil
      case .stopped(let why): reason = why
      }
      switch reason {
      case KT_STOP_EXIT: return .exited(Int32(truncatingIfNeeded: cpu.pointee.stop_detail))
      case KT_STOP_FATAL: return .stuck("the program can't go on at 0x" + String(cpu.pointee.ip, radix: 16))
      default: break
      }
      if process.turns.isShared {
        process.turns.pass(thread)
        process.current = thread
      }
    }
  }

  /// How a thread's slice ended.
  enum SliceEnd {
    case ended(RunEnd)
    case threadEnded
    case stopped(kt_stop_reason)
  }

  /// Runs a thread for at most `allowance` slots.
  private func runSlice(_ thread: GuestThread, _ allowance: Int64) -> SliceEnd {
    let cpu = thread.cpu!
    cpu.setBudget(allowance)
    var reason = runEngine(cpu)
    // System calls within a slice need no look at the limits.
    while reason == KT_STOP_PROCESS_TRAP {
      if let end = answerTrap(cpu) { return end }
      if cpu.pointee.budget <= 0 || cpu.pointee.stop_request != 0 || thread.attention.pointee != 0 { break }
      reason = runEngine(cpu)
    }
    return .stopped(reason)
  }

  /// Deals with a trap; a value ends the process or the thread.
  func answerTrap(_ cpu: CPU) -> SliceEnd? {
    if let end = handleTrap(cpu) { return .ended(end) }
    guard threadEnds else { return nil }
    threadEnds = false
    return .threadEnded
  }

  /// One way into the engine and out of it.
  func runEngine(_ cpu: CPU) -> kt_stop_reason {
    // All threads have one engine, which is to notice a change of the memory map once.
    cpu.pointee.fetch_generation = max(cpu.pointee.fetch_generation, generation)
    cpu.pointee.stop_reason = 0
    let from = cpu.pointee.budget
    let reason = engine.run(cpu)
    generation = cpu.pointee.fetch_generation
    account.add(UInt64(max(0, from - cpu.pointee.budget)))
    return reason
  }

  /// Delivers what waits for the processor's thread, its frame being whole.
  private func deliverSignals(_ cpu: CPU) -> RunEnd? {
    guard process.current.attention.pointee != 0 else { return nil }
    while cpu.pointee.frame_incomplete != 0 {
      if cpu.rseCompleteFrame() != .done, let end = handleTrap(cpu) { return end }
    }
    machine.clearALATs()
    return process.deliverSignals()
  }

  /// Deals with the trap that stopped the engine. A value ends the process.
  package func handleTrap(_ cpu: CPU) -> RunEnd? {
    let trap = cpu.pointee.trap
    cpu.pointee.trap.pending = 0
    machine.clearALATs()
    if trap.vector == Vector.breakInstruction.rawValue, trap.iim == Self.systemCallBreak {
      let call = systemCall(cpu)
      let result = performer?(call) ?? process.perform(call)
      finish(cpu, result)
      threadEnds = result.endsThread
      return result.end
    }
    switch Fault(trap) {
    case .resume: return nil
    case .defer:
      cpu.pointee.psr |= PSR.ed
      return nil
    case .branch(let displacement):
      cpu.pointee.ip = cpu.pointee.ip &+ displacement
      cpu.pointee.ri = 0
      return nil
    case .signal(let signal):
      let position = cpu.pointee.ip | UInt64(cpu.pointee.ri)
      let end = process.force(signal, FaultInformation(trap, signal: signal, position: position).bytes)
      if end != nil { describe(trap, position, signal) }
      return end
    }
  }

  /// The call that the processor stands at.
  package func systemCall(_ cpu: CPU) -> SystemCall {
    let first = cpu.sol, count = min(8, max(0, cpu.sof - first))
    var arguments: [UInt64] = []
    for index in first..<first + count {
      arguments.append(cpu.pointee.frame_nat[index] != 0 ? ~0 : cpu.pointee.frame[index])
    }
    let number = cpu.readNaT(15) ? ~0 : cpu.readGR(15)
    return SystemCall(number: number, arguments: arguments)
  }

  /// Leaves a call's result in the registers and goes on behind the break.
  package func finish(_ cpu: CPU, _ result: SystemCallResult) {
    if result.keepsRegisters || result.isRestart { return }
    cpu.writeGR(8, result.value)
    cpu.writeGR(10, result.failed ? ~0 : 0)
    if let second = result.second { cpu.writeGR(9, second) }
    cpu.pointee.ri += 1
    if cpu.pointee.ri > 2 {
      cpu.pointee.ri = 0
      cpu.pointee.ip &+= 16
    }
  }

  private func describe(_ trap: kt_trap, _ position: UInt64, _ signal: Int32) {
    process.options.log(
      "signal \(signal) (\(String(cString: strsignal(signal)))) at ip \(hexadecimal(position)), "
        + "address \(hexadecimal(trap.ifa)), vector \(hexadecimal(UInt64(trap.vector))), isr \(hexadecimal(trap.isr))")
  }
}

/// What Linux/ia64 does with an interruption of a user process (arch/ia64/kernel/traps.c, mm/fault.c).
package enum Fault: Equatable {
  case signal(Int32)
  /// Set psr.ed and execute the instruction again: a speculative or prefetching access is to give up quietly.
  case `defer`
  /// Branch relative to the bundle (failed speculation check).
  case branch(UInt64)
  case resume

  package init(_ trap: kt_trap) {
    guard let vector = Vector(rawValue: trap.vector) else {
      self = .signal(SIGILL)
      return
    }
    switch vector {
    case .breakInstruction: self = .signal(Self.signal(ofBreak: trap.iim))
    case .speculation:
      // cr.iim: the 21-bit displacement in bundles.
      self = .branch(UInt64(bitPattern: (Int64(bitPattern: trap.iim << 43) >> 43) << 4))
    case .generalException, .disabledFP, .unsupportedDataReference, .virtualization: self = .signal(SIGILL)
    case .naTConsumption: self = .signal(trap.isr >> 4 & 0xf == 2 ? SIGSEGV : SIGILL)
    case .unalignedReference: self = .signal(SIGBUS)
    case .floatingPointFault, .floatingPointTrap: self = .signal(SIGFPE)
    case .debug, .takenBranch, .singleStep: self = .signal(SIGTRAP)
    case .lowerPrivilegeTransfer: self = trap.isr & 2 != 0 ? .resume : .signal(SIGILL)
    case .externalInterrupt: self = .resume
    default:
      let isPrefetch = trap.isr & ISR.na != 0 && trap.isr & 0xf == 4
      self = isPrefetch || trap.isr & ISR.sp != 0 ? .defer : .signal(SIGSEGV)
    }
  }

  /// The software conventions' break numbers (psABI; ia64_bad_break).
  package static func signal(ofBreak number: UInt64) -> Int32 {
    switch number {
    case 0: SIGILL
    case 1, 2, 3, 6, 7, 8, 9, 10: SIGFPE
    case 4, 5, 11: SIGSEGV
    case 0..<0x80000: SIGILL
    default: SIGTRAP
    }
  }
}
