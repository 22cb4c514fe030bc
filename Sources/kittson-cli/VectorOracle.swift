// Another simulator as the oracle of state vectors: a command line of the user's, nothing of it is here.
//
// The command gets the name of a file as its last argument: a JSON array of cases with `name`, `initial` and `stop`
// (Documentation/vectors.md). On standard output it gives an array of objects with `name` and `final`; a case that it
// can't run it leaves out, or gives `skipped` with a reason in place of `final`.
import Glibc
import Machine
import Platforms
import Verification

struct VectorOracle {
  let command: String

  /// The cases with the oracle's final states; what it leaves out, is left out.
  func answer(_ vectors: [StateVector]) throws(VectorError) -> [StateVector] {
    let output = try ask(JSON.array(vectors.map { $0.json(answers: false) }).text() + "\n")
    let document: JSON
    do { document = try JSON(parsing: output) } catch { throw VectorError("what '\(command)' prints is no JSON: \(error)") }
    guard let answers = document.elements else { throw VectorError("what '\(command)' prints is no array of cases") }
    var result: [StateVector] = []
    for vector in vectors {
      if let answered = try vector.answered(by: answers) { result.append(answered) }
    }
    guard !result.isEmpty else { throw VectorError("'\(command)' answered none of \(vectors.count) cases") }
    return result
  }

  private func ask(_ question: String) throws(VectorError) -> [UInt8] {
    var path = Array("/tmp/kittson-XXXXXX".utf8CString)
    let descriptor = mkstemp(&path)
    guard descriptor >= 0 else { throw VectorError("no temporary file: \(String(cString: strerror(errno)))") }
    defer { unlink(path) }
    writeAll(descriptor, question)
    close(descriptor)
    let name = path.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    guard let stream = popen("\(command) \(name)", "r") else {
      throw VectorError("can't start '\(command)': \(String(cString: strerror(errno)))")
    }
    var output: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = fread(&buffer, 1, buffer.count, stream), count > 0 { output += buffer[..<count] }
    let status = pclose(stream)
    guard status == 0 else { throw VectorError("'\(command)' ended with status \(status >> 8 & 0xff)") }
    return output
  }
}

/// Differences that the user knows of: lines of a case's name, a field, and a reason. Names and fields may end in `*`;
/// words of a name are joined by `_`; what follows `#` at a line's beginning is a comment.
struct KnownDifferences {
  private var lines: [(name: String, field: String, reason: String)] = []

  init() {}

  init(_ bytes: [UInt8], _ file: String) throws {
    for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") where !line.hasPrefix("#") {
      let words = line.split(separator: " ", maxSplits: 2).map(String.init)
      guard words.count == 3 else {
        throw Failure("\(file): '\(line)': write a case, a field and the reason", status: ExitStatus.cannotRun)
      }
      lines.append((words[0], words[1], words[2]))
    }
  }

  /// Why a field of a case is known to differ.
  func reason(_ name: String, _ field: String) -> String? {
    let name = name.replacing(" ", with: "_")
    return lines.first { Self.fits($0.name, name) && Self.fits($0.field, field) }?.reason
  }

  private static func fits(_ pattern: String, _ text: String) -> Bool {
    pattern.hasSuffix("*") ? text.hasPrefix(pattern.dropLast()) : pattern == text
  }
}
