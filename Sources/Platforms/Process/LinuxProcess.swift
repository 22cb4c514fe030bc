// A Linux/ia64 process without a processor: its memory, its kernel-side state, and its system calls. ProcessSession
// joins it with a processor and an engine.
import CSupport
import Glibc

/// What a process is started with.
package struct ProcessOptions {
  /// argv, the program's name first.
  package var arguments: [String]
  /// "NAME=value", in order.
  package var environment: [String]
  /// Where absolute file names are looked for first, and where the dynamic loader is.
  package var sysroot: String?
  /// Bytes of the stack; nil: as the soft limit says.
  package var stackSize: UInt64?
  /// Guest descriptors of standard streams that stand for another host descriptor.
  package var redirections: [Int32: Int32] = [:]
  /// The virtual clock in nanoseconds; nil: the host's clocks.
  package var virtualClock: (() -> UInt64)?
  /// Lets virtual time pass by so many nanoseconds (a sleep).
  package var advanceClock: ((UInt64) -> Void)?
  /// The words before a program's name of a command that runs it as this one is run, its own program first: what execve
  /// starts for an IA-64 program. nil: such programs are not started.
  package var executor: [String]?
  /// Takes one-line messages for the user.
  package var log: (String) -> Void = { _ in }

  package init(arguments: [String], environment: [String] = []) {
    self.arguments = arguments
    self.environment = environment
  }
}

package final class LinuxProcess {
  package let memory = AddressSpace()
  package var options: ProcessOptions
  /// What /proc/self/exe names: the program's absolute path.
  package let executablePath: String

  /// Disposition of a signal (rt_sigaction): handler (0 default, 1 ignore), flags, mask.
  package struct SignalAction: Equatable, Sendable {
    package var handler: UInt64 = 0
    package var flags: UInt64 = 0
    package var mask: UInt64 = 0
  }

  // State that Linux keeps for a process.
  var breakStart: UInt64 = 0
  var breakEnd: UInt64 = 0
  package internal(set) var signalActions = [SignalAction](repeating: SignalAction(), count: 65)
  /// The thread that makes a call, which is the one whose turn it is.
  package internal(set) var current = GuestThread()
  /// All of them; the process's first one until it ends.
  var threads: [GuestThread]
  let turns = Turns()
  /// What can start threads and processes; nil: they are refused.
  weak var host: (any ProcessHost)?
  /// Under the virtual clock the process and its first thread have this number, so that a run repeats.
  var fixedID: Int32?
  var limits: [Int32: rlimit] = [:]
  /// The name that the host shows for the process.
  let commandName: [UInt8]
  /// What prctl(PR_SET_UNALIGN) asked for.
  var unalignedControl: UInt32 = 0
  /// Numbers of calls that have been reported as unknown.
  private var reported: Set<UInt64> = []
  /// State of the generator that stands in for the host's random numbers under the virtual clock.
  var randomState: UInt64 = 0x9e37_79b9_7f4a_7c15

  /// Called with every finished call, when set: a recorder.
  package var onSystemCall: ((SystemCallRecord) -> Void)?
  /// Asked of each signal about to be delivered, when set: which one is, 0 for none.
  var signalFilter: ((Int32) -> Int32)?
  /// The auxiliary vector as the program was given it.
  var auxiliaryVector: [UInt8] = []
  /// Hears of calls and signals, when set.
  package var tracer: SyscallTracer?
  private var written: [(address: UInt64, bytes: [UInt8])] = []
  private var mapping: HostMapping?
  /// System V segments by the address that they are attached at: their sizes in guest pages.
  var attachments: [UInt64: UInt64] = [:]

  /// A buffer of no bytes, for calls that want some address.
  nonisolated(unsafe) static let emptyBuffer = UnsafeMutableRawPointer.allocate(byteCount: 16, alignment: 16)

  package init(options: ProcessOptions, executablePath: String) {
    self.options = options
    self.executablePath = executablePath
    threads = [current]
    fixedID = options.virtualClock == nil ? nil : 1000
    commandName = Array((executablePath.split(separator: "/").last ?? "").utf8.prefix(15))
  }

  // MARK: The one way in

  /// Makes a system call. All that it does to the guest is in the result, in `memory`, and in this object's state.
  package func perform(_ call: SystemCall) -> SystemCallResult {
    let result: SystemCallResult
    let thread = tracer == nil ? 0 : threadID(current)
    tracer?.begin(thread, call, memory)
    let isRecorded = onSystemCall != nil
    if isRecorded { startRecording() }
    let shared = isRecorded && SyscallTable.effect(call.number) == .host ? memory.sharedContents() : []
    do throws(Errno) {
      result = try dispatch(call)
    } catch {
      result = error.code == SystemCallResult.restartCode ? .restart : .failure(error.code)
    }
    tracer?.end(thread, result)
    if let onSystemCall {
      memory.noteSharedChanges(since: shared)
      memory.onHostWrite = nil
      memory.onHostMapping = nil
      onSystemCall(SystemCallRecord(call: call, result: result, written: written, mapping: mapping))
    }
    return result
  }

  /// Repeats a recorded call: one that asked the host is not made again, its result and memory are taken over, and so is
  /// what it mapped.
  package func replay(_ record: SystemCallRecord) -> SystemCallResult {
    guard let row = SyscallTable.row(record.call.number), row.effect == .host || mapsFromHost(record.call) else {
      return perform(record.call)
    }
    if let mapping = record.mapping {
      try? memory.install(mapping)
      noteAttachment(record.call, mapping)
    }
    for (address, bytes) in record.written { try? memory.write(bytes, to: address) }
    return record.result
  }

  private func startRecording() {
    written.removeAll()
    mapping = nil
    memory.onHostMapping = { [unowned self] in mapping = $0 }
    memory.onHostWrite = { [unowned self] address, length in
      if let bytes = try? memory.read(address, length) { written.append((address, bytes)) }
    }
  }

  private func dispatch(_ call: SystemCall) throws(Errno) -> SystemCallResult {
    guard let row = SyscallTable.row(call.number) else {
      report(call.number, "unknown system call \(call.number): answered ENOSYS")
      return .failure(ENOSYS)
    }
    switch row.action {
    case .host(let number, let kinds): return .success(try hostCall(number, kinds, call))
    case .here(let body, _): return .success(try body(self)(call))
    case .result(let body, _): return try body(self)(call)
    case .refused(let code, let reason):
      if code == ENOSYS {
        report(call.number, "system call \(row.name) (\(call.number)) is not offered (\(reason)): answered ENOSYS")
      }
      return .failure(code)
    }
  }

  /// Logs a message about call `number`, once.
  func report(_ number: UInt64, _ message: String) {
    if reported.insert(number).inserted { options.log(message) }
  }
}
