// Boots the embedded kernel with an operation bound to a Swift closure: every get_rr of the guest comes here, is counted,
// and gets the native answer.
import Kittson
import Synchronization

let calls = Atomic<Int>(0)

var configuration = Configuration()
configuration.dispatch = .direct
configuration.commandLine = "nobench"
let session = try BootSession(
  image: EmbeddedGuests.pvkernel, configuration: configuration,
  output: { print(String(decoding: $0, as: UTF8.self), terminator: "") })
try session.paravirt.bind(.getRR) { cpu, address in
  calls.add(1, ordering: .relaxed)
  return cpu.native(.getRR, address)
}
let end = session.run()
print("get_rr was called \(calls.load(ordering: .relaxed)) times; the guest ended: \(end)")
