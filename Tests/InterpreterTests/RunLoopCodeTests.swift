// The run loop's machine code: no reference counting, allocation or exclusivity check. Looks at this very program,
// so it needs an optimized build and objdump.
import Glibc
import Interpreter
import Testing

private func output(of command: String) -> String {
  guard let pipe = popen(command, "r") else { return "" }
  defer { pclose(pipe) }
  var text: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 1 << 16)
  while true {
    let count = fread(&buffer, 1, buffer.count, pipe)
    if count == 0 { break }
    text += buffer[0..<count]
  }
  return String(decoding: text, as: UTF8.self)
}

@Suite struct RunLoopCodeTests {
  static let tool = output(of: "command -v objdump; command -v nm").split(separator: "\n")

  @Test(
    .enabled(if: tool.count == 2, "objdump or nm is missing"),
    arguments: [("runFast", 500), ("runRenamed", 500), ("multiplyAddOnHost", 50), ("multiplyAddQuickly", 50)])
  func callsNoRuntime(_ function: String, _ atLeast: Int) throws {
    #if DEBUG
      print("skipped: the run loop's code is looked at in release builds only")
    #else
      let program = "/proc/\(getpid())/exe"
      let symbol = output(of: "nm \(program) | grep '11Interpreter[0-9]*\(function)' | awk '{print $3}' | head -1")
        .split(separator: "\n").first.map(String.init)
      let name = try #require(symbol)
      let code = output(of: "objdump -d --no-show-raw-insn --disassemble='\(name)' \(program)")
      let lines = code.split(separator: "\n")
      #expect(lines.count > atLeast, "\(function) was not found whole")
      for line in lines where line.contains("call") {
        for unwanted in ["retain", "release", "beginAccess", "endAccess", "alloc", "swift_once"]
        where line.contains(unwanted) && !line.contains("executeAlloc") {
          Issue.record("\(function) calls \(line)")
        }
      }
    #endif
  }
}
