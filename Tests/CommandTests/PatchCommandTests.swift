// kittson patch and check as a user runs them: exit statuses, one line a problem, the others done all the same.
import Foundation
import Testing

@Suite struct PatchCommandTests {
  /// File offset and size of a section of an ELF64 file.
  private func section(_ image: Data, _ name: String) throws -> (offset: Int, size: Int) {
    let headers = Int(image.get(UInt64.self, at: 40))
    let names = headers + 64 * Int(image.get(UInt16.self, at: 62))
    let strings = Int(image.get(UInt64.self, at: names + 24))
    for index in 0..<Int(image.get(UInt16.self, at: 60)) {
      let header = headers + 64 * index
      let text = image[(strings + Int(image.get(UInt32.self, at: header)))...].prefix { $0 != 0 }
      if text.elementsEqual(name.utf8) {
        return (Int(image.get(UInt64.self, at: header + 24)), Int(image.get(UInt64.self, at: header + 32)))
      }
    }
    throw CocoaError(.fileReadCorruptFile)
  }

  private func output() -> String {
    FileManager.default.temporaryDirectory.appendingPathComponent("kittson-test-\(UUID().uuidString)").path
  }

  /// Each change breaks one record of the embedded kernel's 300.
  @Test(arguments: [
    // table, byte in the first record, its new word, words of the message, how bad it is
    (".paravirt_bundles", 0, 0xa000_0001_0000_0008, "multiples of 16", "error"),  // unaligned
    (".paravirt_bundles", 0, 0xa000_0002_0000_0000, "empty", "error"),  // start behind end
    (".paravirt_bundles", 0, 0x10, "outside the image", "error"),
    (".paravirt_bundles", 8, 0xffff_ffff_ffff_fff0, "outside the image", "error"),
    (".paravirt_bundles", 16, 13, "unknown patch type 0xd", "warning"),
    (".paravirt_bundles", 16, 2, "not thash", "error"),  // a type that is not the site's
    (".paravirt_insts", 0, 0xa000_0001_0001_6c03, "slot, 0 to 2", "error"),
    (".paravirt_insts", 16, 6, "other code than GET_RR", "error"),
    (".paravirt_branches", 0, 0xa000_0001_0000_9141, "no br.cond", "error"),  // the slot beside the branch
    (".paravirt_branches", 8, 0x3000_0004, "unknown patch type", "warning"),
  ] as [(String, Int, UInt64, String, String)])
  func refusesOneRecordAndDoesTheOthers(table: String, at: Int, word: UInt64, words: String, severity: String) throws {
    var image = try kernelImage()
    image.put(word, at: try section(image, table).offset + at)
    let file = try TemporaryFile(image)
    let out = output()
    defer { try? FileManager.default.removeItem(atPath: out) }
    let result = try kittson("patch", file.path, "-o", out)
    #expect(result.status == 1 && !result.wasKilled, "\(result.errors)")
    let lines = result.errors.split(separator: "\n")
    #expect(lines.count == 1 && result.errors.contains(words), "\(result.errors)")
    #expect(lines.first?.contains(": \(severity): ") == true)
    // Everything else is what the undamaged image becomes.
    let whole = output()
    defer { try? FileManager.default.removeItem(atPath: whole) }
    #expect(try kittson("patch", "-o", whole).status == 0)
    let patched = try Data(contentsOf: URL(fileURLWithPath: out)), good = try Data(contentsOf: URL(fileURLWithPath: whole))
    #expect(patched.count == good.count)
    let different = zip(patched, good).count { $0 != $1 }
    #expect(different > 0 && different <= 8 + 80)
  }

  @Test func aShortSiteIsRefused() throws {
    var image = try kernelImage()
    let records = try section(image, ".paravirt_bundles").offset
    image.put(image.get(UInt64.self, at: records) + 48, at: records + 8)
    let file = try TemporaryFile(image)
    let result = try kittson("patch", file.path)
    #expect(result.status == 1 && result.errors.contains("too short for a call"), "\(result.errors)")
    // Where nothing is patched, one line says that it stays.
    for words in [["patch", "--list"], ["boot", "--append", "bench=1 cpu=1"], ["verify", "--max-instructions", "1000"]] {
      let errors = try kittson(words + [file.path]).errors
      #expect(errors.contains("too short for a call") && errors.contains("stays as it is"), "\(words): \(errors)")
    }
  }

  /// Its record counts among those left.
  @Test func anUnknownTypeIsLeft() throws {
    var image = try kernelImage()
    let records = try section(image, ".paravirt_bundles").offset
    image.put(UInt64(99), at: records + 16)
    let file = try TemporaryFile(image)
    let result = try kittson("patch", file.path)
    #expect(result.status == 1 && result.output.contains(" 1 left"), "\(result.output)\(result.errors)")
  }

  /// A site that its replacement does not fit stays as it is: a warning.
  @Test func aSiteTooShortForItsReplacementStays() throws {
    var image = try kernelImage()
    let records = try section(image, ".paravirt_bundles")
    let number = try #require((0..<records.size / 24).first {
      image.get(UInt64.self, at: records.offset + 24 * $0 + 16) == 8  // PARAVIRT_PATCH_TYPE_SET_RR0_TO_RR4, of four bundles
    })
    let record = records.offset + 24 * number
    image.put(image.get(UInt64.self, at: record) + 48, at: record + 8)
    let file = try TemporaryFile(image)
    let result = try kittson("patch", file.path)
    #expect(result.status == 1 && result.errors.contains("warning") && result.errors.contains("too short"))
    #expect(result.errors.split(separator: "\n").count == 1, "\(result.errors)")
    // A list changes nothing, so that nothing is left.
    #expect(try kittson("patch", "--list", file.path).status == 0)
  }

  @Test func anImageOnStandardOutputIsAlone() throws {
    let out = output()
    defer { try? FileManager.default.removeItem(atPath: out) }
    let result = try kittson("patch", "-o", "/dev/stdout"), file = try kittson("patch", "-o", out)
    #expect(result.bytes == (try Data(contentsOf: URL(fileURLWithPath: out))))
    #expect(result.errors.contains("bundle sites") && result.errors.contains("could be bound before"))
    #expect(file.output == result.errors)
  }

  /// A kernel with a record that can't be used boots all the same, with a line about it: the site is the guest's own call.
  @Test(arguments: [
    (0, 0xa000_0001_0000_0008, "multiples of 16"), (0, 0x10, "outside the image"), (16, 13, "unknown patch type 0xd"),
  ] as [(Int, UInt64, String)])
  func bootsWithABadRecord(at: Int, word: UInt64, words: String) throws {
    var image = try kernelImage()
    image.put(word, at: try section(image, ".paravirt_bundles").offset + at)
    let file = try TemporaryFile(image)
    let result = try kittson("boot", file.path, "--append", "nobench")
    #expect(result.status == 0 && result.output.contains("failed 0"), "\(result.output.suffix(200))")
    #expect(result.errors.contains(words) && result.errors.split(separator: "\n").count == 1, "\(result.errors)")
  }

  @Test func aTableThatIsCutShort() throws {
    var image = try kernelImage()
    let headers = Int(image.get(UInt64.self, at: 40))
    for index in 0..<Int(image.get(UInt16.self, at: 60)) {
      let header = headers + 64 * index
      guard image.get(UInt64.self, at: header + 24) == UInt64(try section(image, ".paravirt_bundles").offset),
        image.get(UInt32.self, at: header + 4) == 1
      else { continue }
      image.put(image.get(UInt64.self, at: header + 32) - 5, at: header + 32)
    }
    let file = try TemporaryFile(image)
    let result = try kittson("patch", file.path)
    #expect(result.status == 1 && result.errors.contains("cut short"), "\(result.errors)")
  }

  @Test func imagesThatAreNone() throws {
    var wrong = try kernelImage()
    wrong.put(UInt16(62), at: 18)
    var headers = try kernelImage()
    headers.put(UInt64(headers.count - 8), at: 32)
    for (image, words) in [(wrong, "IA-64"), (headers, "program header"), (Data("text".utf8), "ELF"), (Data(), "ELF")] {
      let file = try TemporaryFile(image)
      for arguments in [["patch"], ["patch", "--list"], ["patch", "--discover"], ["patch", "--tables"], ["check"]] {
        let result = try kittson(arguments + [file.path])
        #expect(result.status == 126 && result.errors.contains(words) && result.output.isEmpty, "\(arguments)")
        #expect(result.errors.split(separator: "\n").count == 1)
      }
    }
    let truncated = try TemporaryFile(Data(try kernelImage().prefix(100_000)))
    #expect(try kittson("check", truncated.path).status == 126)
    #expect(try kittson("check", "/nonexistent/image").status == 127)
  }

  @Test func usage() throws {
    for arguments in [
      ["patch", "--direct", "--undo"], ["patch", "--discover", "-o", "out"], ["patch", "--backend", "none"],
      ["check", "--native"],
    ] {
      let result = try kittson(arguments)
      #expect(result.status == 64 && !result.errors.isEmpty, "\(arguments): \(result.errors)")
    }
    let unwritable = try kittson("patch", "-o", "/nonexistent/out")
    #expect(unwritable.status == 126 && unwritable.errors.contains("/nonexistent/out"))
  }

  /// Native, xen and direct calls, each undone to the very file.
  @Test(arguments: [["--backend", "native"], ["--backend", "xen"], ["--direct"]])
  func undoes(options: [String]) throws {
    let there = output(), back = output()
    defer {
      try? FileManager.default.removeItem(atPath: there)
      try? FileManager.default.removeItem(atPath: back)
    }
    // Only native code has replacements for every kind of site.
    #expect(try kittson(["patch"] + options + ["-o", there]).status == (options.contains("native") ? 0 : 1))
    #expect(try Data(contentsOf: URL(fileURLWithPath: there)) != kernelImage())
    #expect(try kittson("patch", there, "--undo", "-o", back).status == 0)
    #expect(try Data(contentsOf: URL(fileURLWithPath: back)) == kernelImage())
  }

  /// A kernel whose sites are patched in its file runs its own checks on both engines.
  @Test(arguments: ["--direct", "--backend=native"], ["interpreter", "translator"])
  func aPatchedKernelRuns(option: String, engine: String) throws {
    let out = output()
    defer { try? FileManager.default.removeItem(atPath: out) }
    #expect(try kittson("patch", option, "-o", out).status == (option == "--direct" ? 1 : 0))
    let result = try kittson("boot", out, "--engine", engine, "--append", "nopatch quiet nobench", "--timeout", "60")
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.contains("failed 0"))
  }

  @Test func listsInJSONWithDisassembly() throws {
    let result = try kittson("patch", "--list", "--json")
    #expect(result.status == 0)
    let report = try #require(JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
    let sites = try #require(report["sites"] as? [[String: Any]])
    #expect(sites.count == report["records"] as? Int)
    let site = try #require(sites.first { $0["type"] as? String == "THASH" })
    #expect((site["before"] as? [String])?.count == 14)
    #expect((site["after"] as? [String])?.first == "[MII]       thash r8=r8")
  }

  @Test func checkSaysWhetherAnythingIsUncovered() throws {
    let found = try kittson("check")
    #expect(found.status == 1 && found.output.contains("rfi"))
    let clean = try kittson("check", "--native", ".text", "--native", ".init.text", "--native", ".text..ivt", "--json")
    let report = try #require(JSONSerialization.jsonObject(with: Data(clean.output.utf8)) as? [String: Any])
    #expect((report["findings"] as? [Any])?.isEmpty == true && clean.status == 0, "\(clean.output.suffix(400))")
    #expect(clean.errors.contains("--native .init.text") && !clean.errors.contains("--native .text:"))
    // A module without a sensitive instruction outside its sites.
    let module = packageFolder.appendingPathComponent("Guests/module/pvmodule.ko").path
    #expect(try kittson("check", module, "--strict").status == 0)
  }
}
