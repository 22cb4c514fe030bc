// The loop that gives a machine's processors slices of time, one after the other, on one host thread.
import CSupport
import Glibc
import Machine

struct SystemRun {
  private let system: any SystemMachine
  private let engine: any Engine
  private var account: RunAccount
  /// Processors that sleep until an interrupt waits.
  private var halted: [Bool]

  /// Issued slots between two looks at timers, limits and the other processors.
  private static let virtualSlice: Int64 = 1 << 20
  private static let hostSlice: Int64 = 50_000

  init(_ system: any SystemMachine, _ engine: any Engine, _ limits: RunLimits) {
    self.system = system
    self.engine = engine
    account = RunAccount(limits)
    halted = [Bool](repeating: false, count: system.machine.cpus.count)
  }

  private enum SliceEnd {
    case running
    /// The processor waits for an interrupt.
    case idle
    case reset
    case ended(RunEnd)
  }

  mutating func run(restarting: Bool) -> RunEnd {
    let cpus = system.machine.cpus
    let slice = system.isVirtualClock ? Self.virtualSlice : Self.hostSlice
    var count = 0
    rounds: while true {
      system.pollDevices()
      // A prompt has no newline: it is seen all the same.
      count &+= 1
      if count & 31 == 0 { system.output.flush() }
      var idle = 0
      for cpu in cpus {
        let allowance = account.allowance(slice)
        if allowance == 0 { return .instructionLimit }
        switch runSlice(cpu, allowance) {
        case .running: break
        case .idle: idle += 1
        case .ended(let end): return end
        case .reset:
          if !restarting { return .reset }
          restart()
          continue rounds
        }
      }
      if account.isOverTime { return .timeout }
      // Who was idle may have been woken by a processor behind it.
      if idle == cpus.count, !cpus.contains(where: isWoken), let end = passIdleTime() { return end }
    }
  }

  private mutating func restart() {
    for index in halted.indices { halted[index] = false }
    system.restart()
    system.machine.noteMemoryReplaced()
    engine.invalidateCode(physical: 0, length: system.machine.ramSize)
  }

  /// Gives one processor its slice.
  private mutating func runSlice(_ cpu: CPU, _ allowance: Int64) -> SliceEnd {
    cpu.pollTimer()
    let index = Int(cpu.pointee.index)
    if halted[index] {
      if cpu.pointee.interrupt_ready == 0 { sleep(cpu, allowance) }
      if cpu.pointee.interrupt_ready == 0 { return .idle }
      halted[index] = false
    }
    let before = cpu.slots
    defer { account.add(cpu.slots &- before) }
    while true {
      cpu.pointee.stop_reason = 0
      cpu.pointee.stop_request = 0
      cpu.setBudget(allowance - Int64(bitPattern: cpu.slots &- before))
      switch engine.run(cpu) {
      case KT_STOP_EXIT: return .ended(.exited(Int32(truncatingIfNeeded: cpu.pointee.stop_detail)))
      case KT_STOP_RESET: return .reset
      case KT_STOP_HALT: return cpu.pointee.interrupt_ready == 0 ? .idle : .running
      case KT_STOP_FATAL, KT_STOP_PROCESS_TRAP: return .ended(.stuck(describeFatal(cpu)))
      case KT_STOP_FIRMWARE:
        switch system.serve(cpu) {
        case .done: continue
        case .halted:
          halted[index] = cpu.pointee.interrupt_ready == 0
          return halted[index] ? .idle : .running
        case .powerOff(let status): return .ended(.exited(status))
        case .reset: return .reset
        }
      default: return sliceEnd(cpu)
      }
    }
  }

  private func isWoken(_ cpu: CPU) -> Bool {
    cpu.pointee.interrupt_ready != 0 && (halted[Int(cpu.pointee.index)] || cpu.pointee.psr & PSR.i != 0)
  }

  /// A processor that used up its slice: whether it does anything but wait.
  private func sliceEnd(_ cpu: CPU) -> SliceEnd {
    switch Idleness(cpu) {
    case .running: return .running
    case .waiting: return .idle
    case .deaf, .unhandled:
      // Other processors may still switch the machine off.
      return system.machine.cpus.count == 1 ? .ended(.stuck(describeFatal(cpu))) : .idle
    }
  }

  /// A sleeping processor's virtual time goes on like the others'.
  private func sleep(_ cpu: CPU, _ slice: Int64) {
    guard system.isVirtualClock, system.machine.cpus.count > 1 else { return }
    let wait = cpu.pointee.itm_deadline &- cpu.slots
    cpu.pointee.deadline += Int64(min(UInt64(slice), wait))
    cpu.pollTimer()
  }

  /// Every processor waits for an interrupt. Lets time pass to the next timer; a value says that none is set.
  private func passIdleTime() -> RunEnd? {
    system.output.flush()
    let next = system.machine.cpus.map(\.pointee.itm_deadline).min()!
    if next == UInt64.max && !system.input.isOpen {
      return .stuck("the guest waits and no event can come: it has set no timer")
    }
    if system.isVirtualClock && next != UInt64.max {
      for cpu in system.machine.cpus {
        let wait = Int64(bitPattern: next &- cpu.slots)
        if wait > 0 { cpu.pointee.deadline += wait }
      }
      return nil
    }
    let ticks = next == UInt64.max ? hostTickFrequency : next &- kt_host_ticks()
    if ticks >> 63 != 0 { return nil }
    system.input.wait(nanoseconds: min(10_000_000, UInt64(Double(ticks) * 1e9 / Double(hostTickFrequency))))
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
