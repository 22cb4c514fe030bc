// The examples under Examples/ build and run with the commands of their README.
import Foundation
import Testing

@Suite(.serialized) struct ExampleTests {
  /// Runs a program found on PATH in the package's folder.
  private func run(_ arguments: [String]) throws -> CommandResult {
    try execute(
      URL(fileURLWithPath: "/usr/bin/env"),
      ["-C", packageFolder.path] + arguments)
  }

  private func isInstalled(_ program: String) throws -> Bool {
    try run(["sh", "-c", "command -v \(program)"]).status == 0
  }

  private func scratch(_ name: String) -> String {
    FileManager.default.temporaryDirectory.appendingPathComponent("kittson-\(UUID().uuidString)-\(name)").path
  }

  /// The headers are for any compiler, and for C++ as well.
  @Test(arguments: [["cc"], ["gcc"], ["clang"], ["g++", "-x", "c++"]]) func pluginInC(_ compiler: [String]) throws {
    guard try isInstalled(compiler[0]) else {
      print("skipped: no \(compiler[0])")
      return
    }
    let library = scratch("count_rr.so"), object = scratch("header.o")
    defer { for file in [library, object] { try? FileManager.default.removeItem(atPath: file) } }
    let flags = ["-O2", "-Wall", "-Wextra", "-Werror", "-fPIC", "-I", "CSupport/include"]
    let header = try run(
      compiler + flags + ["-include", "kittson_paravirt.h", "-c", "-o", object]
        + (compiler.count == 1 ? ["-x", "c"] : []) + ["/dev/null"])
    #expect(header.status == 0, "\(header.errors)")
    guard compiler.count == 1 else { return }
    let built = try run(compiler + flags + ["-shared", "-o", library, "Examples/plugin-c/count_rr.c"])
    try #require(built.status == 0, "\(built.errors)")
    for dispatch in ["indirect", "direct"] {
      for engine in ["interpreter", "translator"] {
        let result = try kittson(
          "boot", "--engine", engine, "--dispatch", dispatch, "--append", "nobench",
          "--operation", "get_rr=\(library):count_get_rr")
        #expect(result.status == 0 && result.output.contains("failed 0"), "\(result.output)\(result.errors)")
        let count = result.errors.split(separator: " ").compactMap { Int($0) }.first
        #expect((count ?? 0) > 0, "\(result.errors)")
      }
    }
  }

  @Test func pluginInSwift() throws {
    let library = scratch("libcpuid.so")
    defer { try? FileManager.default.removeItem(atPath: library) }
    let built = try run([
      "swiftc", "-O", "-emit-library", "-I", "CSupport/include", "-o", library, "Examples/plugin-swift/CPUID.swift",
    ])
    try #require(built.status == 0, "\(built.errors)")
    let result = try kittson(
      "boot", "--dispatch", "direct", "--append", "nobench", "--operation", "get_cpuid=\(library):swift_get_cpuid")
    #expect(result.status == 0 && result.output.contains("failed 0"), "\(result.output)\(result.errors)")
  }

  /// Another package that depends on the library; its build stays beside the package's own.
  @Test func packageThatBindsAClosure() throws {
    let result = try run([
      "swift", "run", "--package-path", "Examples/BindOperation", "--scratch-path", ".build/examples",
    ])
    #expect(result.status == 0, "\(result.errors.suffix(2000))")
    #expect(result.output.contains("failed 0"))
    #expect(result.output.contains("the guest ended: exited(0)"), "\(result.output.suffix(200))")
    #expect(!result.output.contains("called 0 times"))
  }
}
