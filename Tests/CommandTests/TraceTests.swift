// Traces of system calls, and options from the environment. What a line looks like is strace's and QEMU's.
import Foundation
import Testing

@Suite(.serialized) struct TraceTests {
  private let hello = packageFolder.appendingPathComponent("Guests/hello/hello.elf").path

  /// Lines without the thread's number.
  private func lines(_ text: String) -> [String] {
    text.split(separator: "\n").map { line in
      #expect(Int(line.prefix { $0 != " " }) != nil, "\(line)")
      return String(line.drop { $0 != " " }.dropFirst())
    }
  }

  private let expected = [
    #"write(1, "Hello from IA-64\n", 17) = 17"#, "exit(0) = ?", "+++ exited with 0 +++",
  ]

  @Test(arguments: ["-strace", "--strace"], ["interpreter", "translator"])
  func helloCallByCall(_ option: String, _ engine: String) throws {
    let run = try kittson("run", "--engine", engine, option, hello)
    #expect(run.output == "Hello from IA-64\n" && lines(run.errors) == expected)
  }

  @Test func linesGoToAFile() throws {
    let file = try TemporaryFile(Data("old".utf8))
    let run = try kittson("run", "-strace", "-D", file.path, hello)
    #expect(run.errors.isEmpty && run.status == 0)
    #expect(lines(try String(contentsOfFile: file.path, encoding: .utf8)) == expected)
    let refused = try kittson("run", "-D", "/nowhere/log", hello)
    #expect(refused.status == 64 && refused.errors.hasPrefix("kittson: /nowhere/log: No such file or directory: "))
  }

  private struct Record: Decodable {
    var event: String
    var process, thread: Int32
    var name, result, error: String?
    var arguments, raw: [String]?
    var number, status: Int?
  }

  @Test func recordsAreJSON() throws {
    let file = try TemporaryFile(Data())
    let run = try kittson("run", "--strace-json", file.path, hello)
    #expect(run.errors.isEmpty && run.output == "Hello from IA-64\n")
    let text = try String(contentsOfFile: file.path, encoding: .utf8)
    let records = try text.split(separator: "\n").map { try JSONDecoder().decode(Record.self, from: Data($0.utf8)) }
    try #require(records.count == 3)
    #expect(records[0].name == "write" && records[0].number == 1027 && records[0].result == "0x11")
    #expect(records[0].arguments == ["1", #""Hello from IA-64\n""#, "17"] && records[0].raw?[2] == "0x11")
    #expect(records[1].name == "exit" && records[1].result == nil)
    #expect(records[2].event == "exit" && records[2].status == 0 && records[2].process == records[0].thread)
  }

  @Test func optionsStandInTheEnvironment() throws {
    let traced = try kittson(["run", hello], environment: ["KITTSON_STRACE": "1"])
    #expect(lines(traced.errors) == expected)
    #expect(try kittson(["run", hello], environment: ["KITTSON_STRACE": "0"]).errors.isEmpty)
    let wrong = try kittson(["run", hello], environment: ["KITTSON_ENGINE": "steam"])
    #expect(wrong.status == 64 && wrong.errors.contains("steam"))
    let won = try kittson(["run", "--engine", "interpreter", hello], environment: ["KITTSON_ENGINE": "translator"])
    #expect(won.status == 0)
    let counted = try kittson(["run", hello], environment: ["KITTSON_MAX_INSTRUCTIONS": "50"])
    #expect(counted.status == 124)
  }

  /// A parent, its child and the program that the child executes write to one file, whole lines each.
  @Test(.enabled(if: FileManager.default.fileExists(atPath: guestsFolder.path), "KITTSON_GUESTS names no folder with guests"))
  func programsOfAProcessTreeShareAFile() throws {
    let file = try TemporaryFile(Data())
    let guest = guestsFolder.appendingPathComponent("programs/O2/sys").path
    let run = try kittson(["run", guest], environment: ["KITTSON_STRACE": "1", "KITTSON_LOG_FILE": file.path])
    #expect(run.status == 5)  // as the guests' index says
    let traced = lines(try String(contentsOfFile: file.path, encoding: .utf8))
    #expect(traced.contains("+++ exited with 3 +++") && traced.contains("+++ exited with 7 +++"))
    #expect(traced.last == "+++ exited with 5 +++")
    #expect(traced.filter { $0.hasPrefix("execve(") }.count == 2)
    let ended = traced.allSatisfy {
      $0.contains(" = ") || $0.hasPrefix("+++") || $0.hasPrefix("---") || $0.hasSuffix("<unfinished ...>")
    }
    #expect(ended)
  }
}
