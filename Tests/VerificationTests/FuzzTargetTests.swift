// The fuzzers' targets on their corpora (fuzz/corpus), and on bytes at random.
import Foundation
import IA64
import Testing
import Verification

@Suite struct FuzzTargetTests {
  private static let corpora: [(target: FuzzTarget, folder: String)] = [
    (.decode, "FuzzDecode"), (.bundles, "FuzzBundles"), (.elf, "FuzzELF"), (.patches, "FuzzPatches"),
  ]

  @Test(arguments: 0..<corpora.count) func corpusIsFine(_ index: Int) throws {
    let (target, folder) = Self.corpora[index]
    let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let files = try FileManager.default.contentsOfDirectory(
      at: package.appendingPathComponent("fuzz/corpus/\(folder)"), includingPropertiesForKeys: nil)
    #expect(!files.isEmpty)
    for file in files {
      let bytes = [UInt8](try Data(contentsOf: file))
      let problem = bytes.withUnsafeBytes { target.run($0) }
      #expect(problem == nil, "\(file.lastPathComponent)")
      // Bytes changed here and there, too.
      var random = SplitMix64(seed: UInt64(bytes.count))
      for _ in 0..<20 {
        var changed = bytes
        for _ in 0...(bytes.count / 64) { changed[Int(random.next() % UInt64(bytes.count))] = UInt8(random.next() & 0xff) }
        let problem = changed.withUnsafeBytes { target.run($0) }
        #expect(problem == nil, "\(file.lastPathComponent), changed")
      }
    }
  }
}
