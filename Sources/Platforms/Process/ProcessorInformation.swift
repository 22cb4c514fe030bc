// /proc/cpuinfo as Linux/ia64 writes it (arch/ia64/kernel/setup.c): programs read the architecture and its features there.
import CSupport
import Glibc
import Machine

extension LinuxProcess {
  private static let processorFile = "/proc/cpuinfo"

  /// open and openat: the host's, but for what describes the processor.
  func openFile(_ call: SystemCall) throws(Errno) -> UInt64 {
    if let own = try openProcessorFile(call[0], call[1]) { return own }
    return try hostCall(SYS_open, [.path, .value, .value], call)
  }

  func openFileAt(_ call: SystemCall) throws(Errno) -> UInt64 {
    if let own = try openProcessorFile(call[1], call[2]) { return own }
    return try hostCall(SYS_openat, [.descriptor, .path, .value, .value], call)
  }

  /// A descriptor for reading, if the name at `address` is the processor file's and nothing is to be written.
  private func openProcessorFile(_ address: UInt64, _ flags: UInt64) throws(Errno) -> UInt64? {
    let wantsReading = Int32(truncatingIfNeeded: flags) & O_ACCMODE == O_RDONLY
    guard address != 0, wantsReading, hostPath(try memory.string(address)) == Array(Self.processorFile.utf8) else {
      return nil
    }
    let made = "cpuinfo".withCString { name in
      kt_host_syscall(Int64(SYS_memfd_create), UInt64(UInt(bitPattern: name)), 1 /* MFD_CLOEXEC */, 0, 0, 0, 0)
    }
    guard made >= 0 else { throw Errno(Int32(-made)) }
    let content = Int32(made)
    defer { close(content) }
    let text = Array(processorDescription().utf8)
    guard Glibc.write(content, text, text.count) == text.count else { throw Errno(EIO) }
    let own = Glibc.open("/proc/self/fd/\(content)", O_RDONLY | Int32(truncatingIfNeeded: flags) & O_CLOEXEC)
    guard own >= 0 else { throw Errno(errno) }
    return UInt64(own)
  }

  /// One paragraph for each of the host's processors, with what the guest's own cpuid registers say.
  private func processorDescription() -> String {
    // Without a processor (a process on its own) a reset one's values.
    let identity = current.cpu.map { cpu in (0..<5).map { kt_cpuid(cpu)[$0] } } ?? []
    let version = identity.isEmpty ? 0 : identity[3], features = identity.isEmpty ? 0 : identity[4]
    let vendor = identity.prefix(2).flatMap { word in withUnsafeBytes(of: word) { Array($0) } }.prefix { $0 != 0 }
    let names = ["branchlong", "spontaneous deferral", "16-byte atomic ops"].enumerated()
    let known = names.filter { features >> UInt64($0.offset) & 1 != 0 }.map(\.element)
    let frequency = options.virtualClock == nil ? hostTickFrequency : 1_000_000_000
    func field(_ shift: UInt64) -> UInt64 { version >> shift & 0xff }
    func digits(_ value: UInt64, _ count: Int) -> String {
      String(repeating: "0", count: max(0, count - String(value).count)) + String(value)
    }
    let megahertz = frequency / 1_000_000, rest = frequency % 1_000_000
    let model = field(24) == 0x20 ? (field(16) == 0 ? "Montecito" : "Montvale") : "Unknown"
    return (0..<max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))).map { number in
      """
      processor  : \(number)
      vendor     : \(String(decoding: vendor, as: UTF8.self))
      arch       : IA-64
      family     : \(field(24))
      model      : \(field(16))
      model name : \(model)
      revision   : \(field(8))
      archrev    : \(field(32))
      features   : \(known.isEmpty ? "standard" : known.joined(separator: ", "))
      cpu number : \(identity.isEmpty ? 0 : identity[2])
      cpu regs   : \(field(0))
      cpu MHz    : \(megahertz).\(digits(rest / 1000, 3))
      itc MHz    : \(megahertz).\(digits(rest, 6))
      BogoMIPS   : \(2 * megahertz).00
      siblings   : 1


      """
    }.joined()
  }
}
