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

  @Flag(help: "Instead of comparing, prints the cases with the final states that the engine comes to; they need have none.")
  var answer = false

  @Option(
    help: ArgumentHelp(
      "Compares with another simulator: runs this command with a file of cases, and takes final states from its output.",
      valueName: "COMMAND"))
  var oracle: String?

  @Option(
    help: ArgumentHelp(
      "With --oracle: a file of known differences, each line a case, a field (both may end in *) and why.",
      valueName: "FILE"))
  var known: String?

  @Option(help: ArgumentHelp("Plants a wrong result.", valueName: "instruction=NAME", visibility: .hidden))
  var plant: Plant?

  @Argument(help: "Files of vectors.")
  var files: [String]

  func run() throws {
    if coverage { return try printCoverage() }
    if answer { return try printAnswers() }
    var report = VectorReport()
    report.known = try known.map { try KnownDifferences(try readWhole($0), $0) } ?? KnownDifferences()
    for file in files { try run(try vectors(file), file, &report) }
    writeToStandardOutput(json ? report.json.text(indented: true) + "\n" : report.text)
    if report.different > 0 { throw ExitCode(ExitStatus.different) }
  }

  private func vectors(_ file: String) throws -> [StateVector] {
    let bytes = try readWhole(file)
    do throws(VectorError) {
      let vectors = try StateVector.read(bytes, isAnswered: !answer && oracle == nil)
      guard let oracle else { return vectors }
      return try VectorOracle(command: oracle).answer(vectors)
    } catch {
      throw Failure("\(file): \(error): see Documentation/vectors.md", status: ExitStatus.cannotRun)
    }
  }

  private func printAnswers() throws {
    var answers: [JSON] = []
    for file in files {
      let vectors = try vectors(file)
      let machine = try machine(for: vectors, file)
      answers += vectors.map { vector in
        machine.record(vector)?.json(answers: true)
          ?? .object([("name", .string(vector.name)), ("skipped", "not run to its stop")])
      }
    }
    writeLine(JSON.array(answers).text(indented: true))
  }

  private func printCoverage() throws {
    var coverage = InstructionCoverage()
    for file in files { try coverage.add(try vectors(file)) }
    try coverage.addPrograms(4000)
    writeToStandardOutput(CoverageReport(coverage).text)
  }

  private func run(_ vectors: [StateVector], _ file: String, _ report: inout VectorReport) throws {
    let machine = try machine(for: vectors, file)
    for vector in vectors { report.add(file, vector.name, machine.run(vector)) }
  }

  private func machine(for vectors: [StateVector], _ file: String) throws -> VectorMachine {
    do {
      return try VectorMachine(engine, disabled: disabled, plantedOpcode: plant?.opcode, for: vectors)
    } catch let error as SessionError {
      if case .option(let text) = error { throw Failure(text, status: ExitStatus.usage) }
      throw Failure("\(error)", status: ExitStatus.internalError)
    } catch {
      throw Failure("\(file): \(error)", status: ExitStatus.internalError)
    }
  }
}

/// What came of all cases.
private struct VectorReport {
  private(set) var equal = 0
  private(set) var different = 0
  /// Cases whose every difference is a known one, by the reasons given.
  private(set) var excused: [(file: String, name: String, reason: String)] = []
  var known = KnownDifferences()
  private(set) var skipped: [(file: String, name: String, reason: String)] = []
  private var failures: [(file: String, name: String, difference: VectorDifference)] = []

  mutating func add(_ file: String, _ name: String, _ outcome: VectorOutcome) {
    switch outcome {
    case .equal: equal += 1
    case .skipped(let reason): skipped.append((file, name, reason))
    case .different(let differences):
      let reasons = differences.map { known.reason(name, $0.field) }
      if let reason = reasons.first, !reasons.contains(where: { $0 == nil }) {
        excused.append((file, name, reason ?? ""))
        return
      }
      different += 1
      failures += differences.map { (file, name, $0) }
    }
  }

  var text: String {
    var text = ""
    for (file, name, difference) in failures { text += "\(file): \(name): \(difference)\n" }
    for (file, name, reason) in skipped { text += "\(file): \(name): skipped: \(reason)\n" }
    for (file, name, reason) in excused { text += "\(file): \(name): known: \(reason)\n" }
    let excuses = excused.isEmpty ? "" : ", \(excused.count) known to differ"
    return text + "\(equal + different + excused.count) vectors, \(equal) equal, \(different) different\(excuses), "
      + "\(skipped.count) skipped\n"
  }

  var json: JSON {
    .object([
      ("vectors", .integer(Int64(equal + different + excused.count))), ("equal", .integer(Int64(equal))),
      ("different", .integer(Int64(different))), ("known", .integer(Int64(excused.count))),
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
