// `kittson run -g` under Debian's gdb-multiarch, on both engines. What gdb prints is known from the program's source
// (Guests/process/debuggee.c).
import Foundation
import Testing

@Suite(.serialized) struct DebuggerTests {
  private static let debugger = "/usr/bin/gdb-multiarch"
  private static let isPresent = FileManager.default.isExecutableFile(atPath: debugger)

  /// Runs the program under gdb with these commands; what both say.
  private func debug(_ engine: String, _ commands: [String]) throws -> (gdb: String, program: Int32) {
    let guest = packageFolder.appendingPathComponent("Guests/process/debuggee.elf").path
    let log = try TemporaryFile(Data())
    let script = """
      "$0" run --engine \(engine) --timeout 60 -g 0 -D "$1" "$2" & pid=$!
      for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do
        port=$(sed -n 's/.*localhost://p' "$1"); [ -n "$port" ] && break; sleep 0.2; done
      shift; guest=$1; shift
      \(Self.debugger) -nx -batch -ex 'set pagination off' -ex "file $guest" -ex "target remote localhost:$port" "$@" 2>&1
      wait $pid; echo "program: $?"
      """
    let words = commands.flatMap { ["-ex", $0] }
    let result = try execute(
      URL(fileURLWithPath: "/bin/sh"), ["-c", script, program.path, log.path, guest] + words)
    let status = result.output.split(separator: "\n").last.flatMap { Int32($0.dropFirst("program: ".count)) }
    return (result.output, status ?? -1)
  }

  @Test(.enabled(if: isPresent, "gdb-multiarch is not installed"), arguments: ["interpreter", "translator"])
  func breaksStepsAndWatches(_ engine: String) throws {
    let run = try debug(engine, [
      "break leaf", "continue", "backtrace", "print/x $r32", "print/x $r33", "stepi", "print $pc == (long)&leaf + 1",
      "watch *(long*)&watched", "continue", "continue", "delete", "print/x *(long*)&watched",
      "break scaled", "continue", "finish", "print $f8", "set var *(long*)&watched = 5", "print *(long*)&watched",
      "info threads", "monitor nat", "continue",
    ])
    let said = run.gdb
    #expect(said.contains("Breakpoint 1, ") && said.contains(" in leaf ()"), "\(said)")
    // leaf, middle four times, program, _start.
    let frames = said.split(separator: "\n").filter { $0.hasPrefix("#") }
    #expect(frames.count == 7 && frames.filter { $0.contains(" in middle ()") }.count == 4 && frames[6].contains("_start"))
    for value in ["$1 = 0x7", "$2 = 0x5", "$3 = 1", "Old value = 0\nNew value = 75", "Old value = 75\nNew value = 4660",
      "$4 = 0x1234", "$5 = 3", "$6 = 5", "[Inferior 1 (Remote target) exited with code 06]"]
    { #expect(said.contains(value), "\(value): \(said)") }
    #expect(run.program == 6)
  }

  @Test(.enabled(if: isPresent, "gdb-multiarch is not installed"), arguments: ["interpreter", "translator"])
  func killsAndDetaches(_ engine: String) throws {
    #expect(try debug(engine, ["break leaf", "continue", "kill"]).program == 128 + SIGKILL)
    #expect(try debug(engine, ["break leaf", "continue", "detach"]).program == 6)
    // Conditions and software single steps.
    let run = try debug(engine, ["break middle if $r32 == 1", "continue", "print $r32", "stepi 20", "delete", "continue"])
    #expect(run.gdb.contains("$1 = 1") && run.program == 6, "\(run.gdb)")
  }
}
