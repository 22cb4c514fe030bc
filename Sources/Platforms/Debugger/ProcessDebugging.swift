// A Linux process under a debugger. The thread whose turn it is stops for all: it holds its turn while the debugger looks.
import CSupport
import Glibc
import Machine

extension ProcessSession: DebugTarget {
  package var debuggedThreads: [(id: Int32, cpu: CPU)] {
    process.threads.compactMap { thread in thread.cpu.map { (process.threadID(thread), $0) } }
  }

  package var auxiliaryVector: [UInt8] { process.auxiliaryVector }

  package func debugRead(_ address: UInt64, _ length: UInt64) -> [UInt8] {
    if address & ~0xfff == GatePage.address {
      let offset = Int(address & 0xfff)
      return Array(UnsafeRawBufferPointer(start: GatePage.host + offset, count: min(Int(length), 4096 - offset)))
    }
    // What may be executed alone can be read on the host.
    let code = process.memory.accessibleLength(address, length, .execute)
    let reach = max(code, process.memory.accessibleLength(address, length, .read))
    guard reach > 0, let (host, _) = process.memory.translate(address) else { return [] }
    return Array(UnsafeRawBufferPointer(start: host, count: Int(reach)))
  }

  package func debugWrite(_ bytes: [UInt8], to address: UInt64) -> Bool { process.memory.overwrite(bytes, at: address) }

  /// The program stops before its first instruction and obeys a debugger from there.
  package func attach(_ connection: RemoteConnection) {
    let server = GDBServer(connection, target: self)
    debugger = server
    process.signalFilter = { [unowned self] in server.filter($0, process.threadID(process.current)) }
  }

  /// Runs a thread for at most `allowance` slots as the debugger wants it.
  func debug(_ debugger: GDBServer, _ thread: GuestThread, _ allowance: Int64) -> SliceEnd {
    let cpu = thread.cpu!, id = process.threadID(thread)
    if !debugger.hasStarted { debugger.stop(id, .signal(SIGTRAP)) }
    if debugger.wantsStop { debugger.stop(id, .signal(SIGINT)) }
    if debugger.isKilled { return .ended(.killed(signal: SIGKILL)) }
    let action = debugger.isAttached ? debugger.action(of: id) : .run
    if action == .hold {
      usleep(1000)  // until its turn comes again
      return .stopped(KT_STOP_BUDGET)
    }
    cpu.setBudget(action == .step ? 1 : allowance)
    let reason = runEngine(cpu)
    var isDone = cpu.pointee.budget <= 0
    if reason == KT_STOP_PROCESS_TRAP {
      if stopsAtPoint(debugger, cpu, id) { return .stopped(KT_STOP_REQUEST) }
      if let end = answerTrap(cpu) { return end }
      isDone = true
    }
    if action == .step, isDone { debugger.stop(id, .step) }
    return .stopped(reason)
  }

  /// Whether the trap is the debugger's: one of its break instructions, or an access that it watches, which is then made.
  private func stopsAtPoint(_ debugger: GDBServer, _ cpu: CPU, _ id: Int32) -> Bool {
    let trap = cpu.pointee.trap
    if trap.vector == Vector.breakInstruction.rawValue, debugger.points.holdsBreakpoint(cpu) {
      cpu.pointee.trap.pending = 0
      debugger.stop(id, .breakpoint)
      return true
    }
    guard trap.vector == Vector.debug.rawValue, trap.isr & ISR.x == 0 else { return false }
    cpu.pointee.trap.pending = 0
    cpu.setPSR(cpu.pointee.psr | PSR.dd)
    cpu.setBudget(1)
    // Another fault of the same access comes first.
    if runEngine(cpu) == KT_STOP_PROCESS_TRAP { return false }
    debugger.stop(id, .watch(debugger.points.watched(trap.ifa), isWrite: trap.isr & ISR.w != 0))
    return true
  }
}
