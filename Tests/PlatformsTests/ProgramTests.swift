// Linux/ia64 programs on both engines, with the ALAT empty and real: the committed freestanding one, and those of
// KITTSON_GUESTS that are there, compared with what the same sources printed on x86-64.
import CSupport
import Glibc
import Kittson
import Machine
import Platforms
import Testing

/// One case of the guests' index.json.
struct GuestCase: CustomTestStringConvertible, Sendable {
  var name, tier, program, expected: String
  var exit: Int32
  var comparesOutput: Bool
  var testDescription: String { name }
}

enum Guests {
  static let folder: String = {
    if let path = getenv("KITTSON_GUESTS") { return String(cString: path) }
    return root + "/../shared/guests"
  }()
  /// The package's root: three levels above this file.
  static let root: String = {
    var parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
    parts.removeLast(3)
    return parts.joined(separator: "/")
  }()

  static let isPresent = access(folder + "/index.json", R_OK) == 0

  /// The cases of the given tiers, by a reader that knows just this file's shape: a line per member.
  static func cases(_ tiers: Set<String>) -> [GuestCase] {
    guard let bytes = try? readFile(folder + "/index.json") else { return [] }
    var cases: [GuestCase] = []
    var item = GuestCase(name: "", tier: "", program: "", expected: "", exit: 0, comparesOutput: true)
    var inCommand = false, words = 0
    for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
      let parts = line.split(separator: "\"", omittingEmptySubsequences: false).map(String.init)
      if inCommand {
        if parts.count >= 3 { if words == 0 { item.program = parts[1] }; words += 1 }
        if line.contains("]") { inCommand = false }
        continue
      }
      guard parts.count >= 3 else { continue }
      let value = parts.count >= 5 ? parts[3] : ""
      switch parts[1] {
      case "name": item = GuestCase(name: value, tier: "", program: "", expected: "", exit: 0, comparesOutput: true)
      case "tier": item.tier = value
      case "command": (inCommand, words) = (true, 0)
      case "stdout": item.expected = value
      case "compare": item.comparesOutput = false; _ = cases.popLast(); cases.append(item)
      case "exit":
        item.exit = Int32(parts[2].filter { $0.isNumber }) ?? 0
        cases.append(item)
      default: break
      }
    }
    return cases.filter { tiers.contains($0.tier) }
  }
}

/// Runs a program with standard output into a temporary file.
func runProgram(
  _ path: String, on engine: EngineKind, alat: ALATKind = .empty, limits: RunLimits = RunLimits(seconds: 100)
) throws -> (end: RunEnd, output: [UInt8], log: [String]) {
  var name = Array("/tmp/kittson-test-XXXXXX".utf8CString)
  let descriptor = mkstemp(&name)
  defer {
    close(descriptor)
    unlink(name)
  }
  let lines = LogLines()
  var options = ProcessOptions(arguments: [path], environment: ["PATH=/bin"])
  options.redirections = [1: descriptor]
  options.log = { lines.all.append($0) }
  let session = try ProcessSession(path: path, options: options)
  var configuration = Configuration()
  configuration.engine = engine
  configuration.alat = alat
  let end = session.run(try EngineFactory.make(configuration, for: session.machine), limits: limits)
  var output: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 65536)
  lseek(descriptor, 0, SEEK_SET)
  while true {
    let count = read(descriptor, &chunk, chunk.count)
    if count <= 0 { break }
    output += chunk[..<count]
  }
  return (end, output, lines.all)
}

final class LogLines { var all: [String] = [] }

extension ProcessTests {
  @Suite(.serialized) struct ProgramTests {
    @Test(arguments: EngineKind.allCases) func committedHelloPrintsItsLine(_ engine: EngineKind) throws {
      let run = try runProgram(Guests.root + "/Guests/hello/hello.elf", on: engine)
      #expect(run.end == .exited(0))
      #expect(String(decoding: run.output, as: UTF8.self) == "Hello from IA-64\n")
      #expect(run.log.isEmpty)
    }

    @Test(
      .enabled(if: Guests.isPresent, "KITTSON_GUESTS names no folder with guests"),
      arguments: Guests.cases(["hello"]), EngineKind.allCases)
    func helloTier(_ guest: GuestCase, _ engine: EngineKind) throws { try check(guest, engine) }

    @Test(
      .enabled(if: Guests.isPresent, "KITTSON_GUESTS names no folder with guests"),
      arguments: Guests.cases(["architecture"]), EngineKind.allCases)
    func architectureTier(_ guest: GuestCase, _ engine: EngineKind) throws { try check(guest, engine) }

    @Test(
      .enabled(if: Guests.isPresent, "KITTSON_GUESTS names no folder with guests"),
      arguments: Guests.cases(["hello", "architecture"]), EngineKind.allCases)
    func withALAT(_ guest: GuestCase, _ engine: EngineKind) throws { try check(guest, engine, .real) }

    private func check(_ guest: GuestCase, _ engine: EngineKind, _ alat: ALATKind = .empty) throws {
      let run = try runProgram(Guests.folder + "/" + guest.program, on: engine, alat: alat)
      #expect(run.end == .exited(guest.exit), "\(run.log)")
      if guest.comparesOutput {
        let expected = try readFile(Guests.folder + "/" + guest.expected)
        #expect(run.output == expected, "\(firstDifference(run.output, expected))")
      }
    }

    private func firstDifference(_ a: [UInt8], _ b: [UInt8]) -> String {
      let (left, right) = (a.split(separator: 10), b.split(separator: 10))
      for (index, (x, y)) in zip(left, right).enumerated() where x != y {
        return "line \(index + 1): \(String(decoding: x, as: UTF8.self)) | \(String(decoding: y, as: UTF8.self))"
      }
      return "\(a.count) bytes, \(b.count) expected"
    }
  }
}
