// The committed kernel, Guests/pvkernel, booted on the bare machine by the interpreter.
import Interpreter
import Machine
import Platforms
import Testing

@Suite(.serialized) struct KernelTests {
  static func boot(_ change: (inout BareOptions) -> Void = { _ in }) throws
    -> (end: RunEnd, text: String, slots: UInt64)
  {
    var options = BareOptions()
    options.virtualClock = true
    change(&options)
    let collected = Collected()
    let image = try ELFImage(bytes: try readFile(Guests.root + "/Guests/pvkernel/pvkernel.elf"))
    let bare = try BareMachine(image: image, options: options, output: collected.output())
    let end = bare.run(Interpreter(), limits: RunLimits(seconds: 100))
    return (end, collected.text, bare.machine.cpus[0].slots)
  }

  @Test func kernelRunsToItsEnd() throws {
    let run = try Self.boot()
    #expect(run.end == .exited(0), "\(run.text.suffix(2000))")
    #expect(run.text.hasSuffix("pvkernel: power off\n"))
  }

  @Test func aVirtualClockRunRepeats() throws {
    let first = try Self.boot(), second = try Self.boot()
    #expect(first.end == second.end)
    #expect(first.slots == second.slots)
    #expect(first.text == second.text)
  }
}
