// Options from the environment: `--name VALUE` of a command that runs a guest may stand in KITTSON_NAME. What the command
// line says comes later and wins.
import Glibc

enum EnvironmentTwins {
  private static let prefix = "KITTSON_"
  /// Options with a value; of those that may be repeated the values are separated by commas.
  private static let common = [
    "engine", "dispatch", "backend", "clock", "alat", "max-instructions", "timeout",
  ]
  private static let repeated = ["operation", "disable", "setenv", "unsetenv"]
  private static let ofRun = ["sysroot", "argv0", "log-file", "strace-json", "gdb", "stack-size"]
  private static let flags = ["stats", "strace"]

  private static func variable(_ option: String) -> String {
    prefix + String(option.uppercased().map { $0 == "-" ? "_" : $0 })
  }

  /// The words that the environment adds behind the command's name.
  static func words(for command: String?) -> [String] {
    guard command == "run" || command == "boot" else { return [] }
    let isRun = command == "run"
    var words: [String] = []
    for option in common + (isRun ? ofRun : []) {
      if let value = value(option) { words.append("--\(option)=\(value)") }
    }
    for option in repeated where isRun || !option.hasSuffix("setenv") {
      let values = value(option)?.split(separator: ",") ?? []
      words += values.map { "--\(option)=\($0)" }
    }
    for option in flags where isRun || option != "strace" {
      if let value = value(option), value != "0" { words.append("--\(option)") }
    }
    return words
  }

  private static func value(_ option: String) -> String? {
    guard let value = getenv(variable(option)), value.pointee != 0 else { return nil }
    return String(cString: value)
  }

  /// Whether a variable ("NAME=value") is one of these: a program does not see it, since what it executes is given the
  /// options themselves.
  static func isTwin(_ entry: String) -> Bool {
    entry.hasPrefix(prefix) && (common + repeated + ofRun + flags).contains { entry.hasPrefix(variable($0) + "=") }
  }
}
