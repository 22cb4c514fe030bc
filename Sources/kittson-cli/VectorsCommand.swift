// kittson vectors: state vectors on an engine.
import ArgumentParser
import Glibc
import Kittson
import Machine
import Verification

struct VectorsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "vectors",
    abstract: "Runs state vectors (JSON) and reports every field that is not as they say.",
    discussion: """
      A file holds an array of cases, each with an initial state, a stop and a final state. Every failing field is a line: \
      file, case, field, what it is and what it should be.

      Exit status: 0 all equal, 1 some different, 126 a file that holds no vectors or can't be read, 127 one that \
      isn't there. Cases that need what this processor does not have are counted as skipped.
      """)

  @Option(help: "The engine: the translator, or the interpreter, which is the reference.")
  var engine = EngineKind.translator

  @Option(
    name: .customLong("disable"),
    help: ArgumentHelp("Leaves out an optimisation of the translator; may be repeated.", valueName: "OPTIMISATION"))
  var disabled: [String] = []

  @Flag(help: "Instead of the differences, prints what stands behind each row of the instruction table (Markdown).")
  var coverage = false

  @Flag(help: "Report in JSON.")
  var json = false

  @Argument(help: "Files of vectors.")
  var files: [String]

  func run() throws {
    if coverage { return try printCoverage() }
    var report = VectorReport()
    for file in files { try run(try vectors(file), file, &report) }
    writeToStandardOutput(json ? report.json.text(indented: true) + "\n" : report.text)
    if report.different > 0 { Glibc.exit(ExitStatus.different) }
  }

  private func vectors(_ file: String) throws -> [StateVector] {
    let bytes = try readWhole(file)
    do throws(VectorError) { return try StateVector.read(bytes) } catch {
      throw Failure("\(file): \(error): see Documentation/vectors.md", status: ExitStatus.cannotRun)
    }
  }

  private func printCoverage() throws {
    var coverage = InstructionCoverage()
    for file in files { try coverage.add(try vectors(file)) }
    try coverage.addPrograms(4000)
    writeToStandardOutput(CoverageReport(coverage).text)
  }

  private func run(_ vectors: [StateVector], _ file: String, _ report: inout VectorReport) throws {
    let machine: VectorMachine
    do {
      machine = try VectorMachine(engine, disabled: disabled, for: vectors)
    } catch let error as SessionError {
      if case .option(let text) = error { throw Failure(text, status: ExitStatus.usage) }
      throw Failure("\(error)", status: ExitStatus.internalError)
    } catch {
      throw Failure("\(file): \(error)", status: ExitStatus.internalError)
    }
    for vector in vectors { report.add(file, vector.name, machine.run(vector)) }
  }
}

/// What came of all cases.
private struct VectorReport {
  private(set) var equal = 0
  private(set) var different = 0
  private(set) var skipped: [(file: String, name: String, reason: String)] = []
  private var failures: [(file: String, name: String, difference: VectorDifference)] = []

  mutating func add(_ file: String, _ name: String, _ outcome: VectorOutcome) {
    switch outcome {
    case .equal: equal += 1
    case .skipped(let reason): skipped.append((file, name, reason))
    case .different(let differences):
      different += 1
      failures += differences.map { (file, name, $0) }
    }
  }

  var text: String {
    var text = ""
    for (file, name, difference) in failures { text += "\(file): \(name): \(difference)\n" }
    for (file, name, reason) in skipped { text += "\(file): \(name): skipped: \(reason)\n" }
    return text + "\(equal + different) vectors, \(equal) equal, \(different) different, \(skipped.count) skipped\n"
  }

  var json: JSON {
    .object([
      ("vectors", .integer(Int64(equal + different))), ("equal", .integer(Int64(equal))),
      ("different", .integer(Int64(different))),
      (
        "failures",
        .array(
          failures.map { file, name, difference in
            .object([
              ("file", .string(file)), ("name", .string(name)), ("field", .string(difference.field)),
              ("expected", .string(difference.expected)), ("actual", .string(difference.actual)),
            ])
          })
      ),
      (
        "skipped",
        .array(
          skipped.map { file, name, reason in
            .object([("file", .string(file)), ("name", .string(name)), ("reason", .string(reason))])
          })
      ),
    ])
  }
}
