// `kittson verify`: no difference on the embedded kernel, and a planted one is found and named.
import Foundation
import Testing

@Suite struct VerifyTests {
  private let shortKernel = ["--append", "bench=20 cpu=1"]

  @Test func embeddedKernelAgrees() throws {
    let result = try kittson(["verify"] + shortKernel)
    #expect(result.status == 0, "\(result.output)\(result.errors)")
    #expect(result.output.contains("no difference"))
    #expect(result.output.contains("the guest ended with status 0"))
  }

  /// And the command that the report ends with shows the same difference.
  @Test(arguments: ["get_rr", "thash"], [[], ["--every", "1000"]])
  func plantedResultIsFoundAndNamed(_ operation: String, _ options: [String]) throws {
    let planted = ["--plant", "operation=\(operation)", "--keep", "/dev/null", "--append", "bench=20"]
    let result = try kittson(["verify"] + options + planted)
    #expect(result.status == 1, "\(result.errors)")
    #expect(result.output.contains(operation), "\(result.output)")
    let command = try #require(result.output.split(separator: "\n").first { $0.hasPrefix("reproduce: kittson verify boot --max-") })
    let words = command.split(separator: " ").dropFirst(2).map { $0.trimmingCharacters(in: ["'"]) }
    let again = try kittson(words)
    #expect(again.status == 1 && again.output == result.output, "\(again.output)\(again.errors)")
  }

  /// Planted where nothing would ever run it, an error proves nothing.
  @Test(arguments: [["boot", "--dispatch", "indirect"], ["boot", "--backend", "native"], ["run"]])
  func plantsThatNeverRunAreRefused(_ words: [String]) throws {
    let program = words == ["run"] ? ["/nonexistent"] : []
    let result = try kittson(["verify"] + words + ["--plant", "operation=thash"] + program)
    #expect(result.status == 64 && result.errors.split(separator: "\n").count == 1, "\(result.errors)")
  }

  /// An instruction with a wrong result is named, and written as a case that shows it on its own.
  @Test(arguments: [[], ["--every", "5000"]]) func plantedInstructionIsKept(_ options: [String]) throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("kittson-\(getpid())-\(options.count).json")
    defer { try? FileManager.default.removeItem(at: file) }
    let words = ["verify"] + options + ["--plant", "instruction=shladd", "--keep", file.path]
    let result = try kittson(words + shortKernel)
    #expect(result.status == 1, "\(result.output)\(result.errors)")
    #expect(result.output.contains("shladd") && result.output.contains("state vector (1 instruction, 1 bundle):"))
    #expect(try kittson("vectors", file.path).status == 0)
    #expect(try kittson("vectors", "--engine", "interpreter", file.path).status == 0)
    #expect(try kittson("vectors", "--plant", "instruction=shladd", file.path).status == 1)
  }

  /// `boot --verify`: the guest's output, and what was compared beside it.
  @Test(arguments: [["--verify"], ["--verify-every", "4000"]]) func bootCompares(_ options: [String]) throws {
    let result = try kittson(["boot"] + options + shortKernel)
    #expect(result.status == 0 && result.output.contains("failed 0"), "\(result.output)\(result.errors)")
    #expect(result.errors.contains("no difference"))
  }

  /// Guest output appears only when it was asked for.
  @Test func guestOutputIsSeparate() throws {
    #expect(try !kittson(["verify"] + shortKernel).output.contains("checks"))
    #expect(try kittson(["verify", "--console"] + shortKernel).output.contains("failed 0"))
  }

  @Test func badOptions() throws {
    for arguments in [["--every", "0"], ["--every", "1000000"], ["--plant", "get_rr"], ["--plant", "operation=none"]] {
      let result = try kittson(["verify"] + arguments)
      #expect(result.status == 64, "\(arguments): \(result.errors)")
      #expect(result.errors.hasPrefix("kittson: ") && result.errors.split(separator: "\n").count == 1)
    }
  }

  @Test func limitEndsTheComparison() throws {
    #expect(try kittson("verify", "--max-instructions", "100000").status == 124)
  }
}
