// `kittson boot` on the embedded kernel: the guest checks everything itself and says so.
import Testing

@Suite struct BootTests {
  @Test(arguments: [
    ["--engine", "interpreter"], ["--engine", "interpreter", "--dispatch", "emulated"],
    ["--engine", "interpreter", "--backend", "native"], ["--engine", "interpreter", "--dispatch", "indirect"],
    ["--dispatch", "emulated"], ["--dispatch", "indirect"], ["--dispatch", "direct"], ["--dispatch", "inlined"],
    ["--backend", "native"], ["--smp", "2"],
  ])
  func kernelPassesItsOwnChecks(_ options: [String]) throws {
    for clock in ["host", "virtual"] {
      let result = try kittson(["boot", "--clock", clock, "--append", "bench=500 cpu=1", "--timeout", "300"] + options)
      #expect(result.status == 0, "\(options) \(clock): \(result.errors)")
      let failures = result.output.split(separator: "\n").filter { $0.contains(" FAILED ") }
      #expect(failures.isEmpty, "\(options) \(clock): \(failures)")
      #expect(result.output.contains("failed 0"), "\(options) \(clock)")
    }
  }

  /// Under the virtual clock a run repeats to the last digit, and does not depend on the engine.
  @Test func virtualClockRunsRepeat() throws {
    let arguments = ["boot", "--clock", "virtual", "--append", "bench=200 cpu=1"]
    let first = try kittson(arguments), second = try kittson(arguments)
    #expect(first.status == 0)
    #expect(first.output == second.output)
    let reference = try kittson(arguments + ["--engine", "interpreter"])
    #expect(first.output == reference.output)
  }

  @Test func limitsEndTheRun() throws {
    #expect(try kittson("boot", "--max-instructions", "100000").status == 124)
    #expect(try kittson("boot", "--timeout", "0.2", "--append", "cpu=100000", "--engine", "interpreter").status == 124)
  }

  @Test func versionAndHelp() throws {
    #expect(try kittson("--version").output.hasPrefix("0."))
    let help = try kittson("--help")
    #expect(help.status == 0)
    for command in ["boot", "run", "patch", "disassemble", "verify", "bench"] { #expect(help.output.contains(command)) }
  }
}
