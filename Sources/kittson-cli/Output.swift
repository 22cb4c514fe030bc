// Small helpers for what commands print.
import Glibc

/// Writes everything to standard output; what can't be written (a closed pipe) is dropped.
func writeToStandardOutput(_ bytes: UnsafeRawBufferPointer) {
  var rest = bytes
  while !rest.isEmpty {
    let count = Glibc.write(STDOUT_FILENO, rest.baseAddress, rest.count)
    if count < 0 && errno == EINTR { continue }
    if count <= 0 { return }
    rest = UnsafeRawBufferPointer(rebasing: rest[count...])
  }
}

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

/// Seconds of the host's monotonic clock.
func hostSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
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

/// A progress bar on standard error, shown only where that is a terminal.
struct ProgressBar {
  private let title: String
  private let isShown = isatty(STDERR_FILENO) != 0
  private var shownPercent = -1

  init(_ title: String) { self.title = title }

  /// `fraction` 0…1; `detail` stands behind the bar.
  mutating func show(_ fraction: Double, _ detail: String = "") {
    let percent = Int(fraction * 100)
    guard isShown, percent != shownPercent || !detail.isEmpty else { return }
    shownPercent = percent
    let width = 30
    let filled = Int(fraction * Double(width))
    let bar = String(repeating: "=", count: filled) + String(repeating: " ", count: width - filled)
    writeError("\r\u{1b}[K\(title) [\(bar)] \(String(percent).padded(left: 3))% \(detail)")
  }

  func clear() { if isShown { writeError("\r\u{1b}[K") } }
}
