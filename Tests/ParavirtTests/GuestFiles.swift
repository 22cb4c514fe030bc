// Where the larger guests are that some tests want.
import Foundation

enum GuestFiles {
  /// The path of a guest file, or nil with a line that says so. KITTSON_GUESTS names the folder; without it
  /// `../shared/guests` beside the package.
  static func path(_ name: String, source: String = #filePath) -> String? {
    let root = URL(fileURLWithPath: source).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let folder = ProcessInfo.processInfo.environment["KITTSON_GUESTS"]
      ?? root.appendingPathComponent("../shared/guests").standardized.path
    let path = folder + "/" + name
    if FileManager.default.isReadableFile(atPath: path) { return path }
    print("skipped: \(name) is not in \(folder) (set KITTSON_GUESTS)")
    return nil
  }
}
