// Small helpers for what commands print.
import Glibc
import Platforms
import func Machine.systemReason

/// The error of the first write to standard output that failed; 0 if none did.
nonisolated(unsafe) private var outputError: Int32 = 0

/// Writes everything to standard output. What fails is remembered for `checkOutput`.
func writeToStandardOutput(_ bytes: UnsafeRawBufferPointer) {
  let error = writeAll(STDOUT_FILENO, bytes)
  if outputError == 0 { outputError = error }
}

func writeToStandardOutput(_ text: String) {
  var text = text
  text.withUTF8 { writeToStandardOutput(UnsafeRawBufferPointer($0)) }
}

/// In place of `print`, whose errors nobody sees.
func writeLine(_ text: String = "", terminator: String = "\n") { writeToStandardOutput(text + terminator) }

/// Says where output was lost. A reader that went away (a closed pipe) has seen what it wanted.
func checkOutput() throws {
  guard outputError != 0, outputError != EPIPE else { return }
  throw Failure("standard output: \(systemReason(outputError)): output was lost", status: ExitStatus.outputLost)
}

/// Writes text to standard error, where all of Kittson's own words go while a guest owns standard output.
func writeError(_ text: String) { writeAll(STDERR_FILENO, text) }

/// Lines for standard output, written in large pieces.
final class BufferedOutput {
  private var bytes: [UInt8] = []

  func line(_ text: String) {
    bytes += text.utf8
    bytes.append(0x0a)
    if bytes.count >= 1 << 16 { flush() }
  }

  func flush() {
    bytes.withUnsafeBytes(writeToStandardOutput)
    bytes.removeAll(keepingCapacity: true)
  }
}

/// A number with so many digits after the point.
func fixed(_ value: Double, _ digits: Int) -> String {
  guard value.isFinite else { return "-" }
  var scale = 1.0
  for _ in 0..<digits { scale *= 10 }
  let scaled = (value.magnitude * scale).rounded()
  let whole = UInt64(scaled / scale)
  let fraction = UInt64(scaled) - whole * UInt64(scale)
  let sign = value < 0 && scaled > 0 ? "-" : ""
  if digits == 0 { return "\(sign)\(whole)" }
  let text = String(fraction)
  return "\(sign)\(whole)." + String(repeating: "0", count: digits - text.count) + text
}

extension String {
  func padded(left width: Int) -> String { String(repeating: " ", count: Swift.max(0, width - count)) + self }
  func padded(right width: Int) -> String { self + String(repeating: " ", count: Swift.max(0, width - count)) }
}

/// A progress bar on standard error, shown only where that is a terminal, at most five times a second.
struct ProgressBar {
  private let title: String
  private let isShown = isatty(STDERR_FILENO) != 0
  private var shownAt = -Double.infinity

  init(_ title: String) { self.title = title }

  /// `fraction` 0…1, nil where the end is not known; `detail` stands behind the bar.
  mutating func show(_ fraction: Double?, _ detail: @autoclosure () -> String) {
    let now = hostSeconds()
    guard isShown, now - shownAt > 0.2 else { return }
    shownAt = now
    var line = "\r\u{1b}[K\(title) "
    if let fraction {
      let width = 30, filled = Int(min(1, max(0, fraction)) * Double(width))
      line += "[" + String(repeating: "=", count: filled) + String(repeating: " ", count: width - filled)
      line += "] " + fixed(fraction * 100, 0).padded(left: 3) + "% "
    }
    writeError(line + detail())
  }

  func clear() { if isShown { writeError("\r\u{1b}[K") } }
}
