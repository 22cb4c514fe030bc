// The repository's state vectors on both engines, and what the reader refuses. The vectors are made apart from Kittson
// (Tests/Vectors/make).
import Foundation
import IA64
import Kittson
import Machine
import Testing
import Verification

@Suite struct VectorTests {
  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Vectors")

  private static func files() throws -> [URL] {
    try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
      .filter { $0.pathExtension == "json" }.sorted { $0.path < $1.path }
  }

  @Test(arguments: EngineKind.allCases)
  func ownVectors(engine: EngineKind) throws {
    var count = 0
    for file in try Self.files() {
      let bytes = [UInt8](try Data(contentsOf: file))
      #expect(bytes.count < 1 << 20, "\(file.lastPathComponent) is too large")
      let vectors = try StateVector.read(bytes)
      let machine = try VectorMachine(engine, for: vectors)
      for vector in vectors {
        guard case .equal = machine.run(vector) else {
          Issue.record("\(file.lastPathComponent): \(vector.name): \(machine.run(vector))")
          continue
        }
      }
      count += vectors.count
    }
    #expect(count > 2000)
  }

  /// The case that the format's description shows, with the encoding of `adds r8=1,r32` by the GNU assembler.
  private static func example(
    final: String = #""gr": {"8": "0x8"}, "ip": "0x4001""#, extra: String = "", ignore: String = ""
  ) -> String {
    #"""
    [{"name": "adds r8=1,r32", "requires": [], "initial": {"ip": "0x4000", "psr": "0x0", "cfm": "0x82",
      "gr": {"32": "0x7"}, "nat": [33], "bank": {"gr": {"16": "0x0"}, "nat": []}, "fr": {"8": ["0x1003e", "0x5"]},
      "pr": "0x1", "br": {"0": "0x0"}, "ar": {"lc": "0x3"}, "cr": {"iva": "0x8000"}, "rr": {"0": "0x30"}, "pkr": {},
      "dbr": {}, "ibr": {}, "pmc": {}, "pmd": {}, "cpuid": {}, "itr": [{"slot": 0, "va": "0x0", "ps": 14,
      "pte": "0x10000000000661", "rid": "0x0", "key": "0x0"}], "dtr": [], "itc": [], "dtc": [],
      "rse": {"dirty": [["0x1", false]], "clean": 0, "incomplete": false}, "alat": [], "pending": [], "inservice": [],
      \#(extra) "ram": [["0x4000", "01400440002100000002000000000400"]]},
      "stop": {"events": 1, "ip": "0x4001"}, "final": {\#(final)}, "ignore": [\#(ignore)]}]
    """#
  }

  private static func outcome(_ text: String, _ engine: EngineKind = .interpreter) throws -> [String] {
    let vectors = try StateVector.read([UInt8](text.utf8))
    guard case .different(let differences) = try VectorMachine(engine, for: vectors).run(vectors[0]) else { return [] }
    return differences.map(\.description)
  }

  @Test(arguments: EngineKind.allCases)
  func exampleOfTheFormat(engine: EngineKind) throws {
    #expect(try Self.outcome(Self.example(), engine) == [])
    #expect(try Self.outcome(Self.example(final: #""gr": {"8": "0x9"}, "ip": "0x4001""#), engine) == ["gr.8 is 0x8, not 0x9"])
    #expect(try Self.outcome(Self.example(final: #""gr": {"8": "0x8"}, "nat": [8, 33], "ip": "0x4001""#), engine)
      == ["nat.8 is no NaT, not NaT"])
  }

  /// Every field that a final state can name is compared.
  @Test(arguments: [
    (#""psr": "0x10""#, "psr"), (#""cfm": "0x83""#, "cfm"), (#""gr": {"9": 1}"#, "gr.9"), (#""gr": {"32": 8}"#, "gr.32"),
    (#""nat": []"#, "nat.33"), (#""bank": {"gr": {"17": 4}}"#, "bank.gr.17"), (#""bank": {"nat": [20]}"#, "bank.nat.20"),
    (#""fr": {"8": ["0x1003e", "0x6"]}"#, "fr.8"), (#""pr": 3"#, "pr"), (#""br": {"7": 1}"#, "br.7"),
    (#""ar": {"unat": 1}"#, "ar.unat"), (#""ar": {"bsp": 64}"#, "ar.bsp"), (#""cr": {"isr": 1}"#, "cr.isr"),
    (#""rr": {"1": 48}"#, "rr.1"), (#""pkr": {"1": 1}"#, "pkr.1"), (#""dbr": {"3": 1}"#, "dbr.3"),
    (#""ibr": {"3": 1}"#, "ibr.3"), (#""pmc": {"4": 1}"#, "pmc.4"), (#""pmd": {"4": 1}"#, "pmd.4"),
    (#""cpuid": {"3": 1}"#, "cpuid.3"), (#""itr": []"#, "itr.0"), (#""dtc": [{"va": 0, "ps": 14, "pte": 1}]"#, "dtc"),
    (#""rse": {"dirty": []}"#, "rse.dirty"), (#""rse": {"dirty": [["0x2", false]]}"#, "rse.dirty.0"),
    (#""rse": {"incomplete": true}"#, "rse.incomplete"),
    (#""pending": [32]"#, "pending"), (#""inservice": [32]"#, "inservice"), (#""ram": [["0x5001", "ff"]]"#, "ram.0x5000"),
  ])
  func comparedField(final: String, field: String) throws {
    var wanted = final + #", "ip": "0x4001""#
    if !final.hasPrefix(#""gr""#) { wanted += #", "gr": {"8": "0x8"}"# }
    let differences = try Self.outcome(Self.example(final: wanted))
    #expect(differences.contains { $0.hasPrefix(field + " ") }, "\(differences)")
    let ignored = try Self.outcome(Self.example(final: wanted, ignore: "\"\(field)\""))
    #expect(!ignored.contains { $0.hasPrefix(field + " ") })
  }

  @Test(arguments: [
    ("{}", "array of cases"), ("[1]", "case 1"), (#"[{"name": "x", "initial": {}}]"#, "\"final\" is missing"),
    (example(extra: #""grr": {},"#), "grr"), (example(extra: #""gr": {"1": 1},"#), "stands twice"),
    (example(final: #""gr": {"128": 0}"#), "128"), (example(final: #""ar": {"foo": 0}"#), "ar.foo"),
    (example(final: #""psr": -1"#), "final.psr"), (example(final: #""fr": {"8": ["0x40000", 0]}"#), "18 bits"),
    (example(final: #""ip": 3"#), "slot"), (example(ignore: "\"zz\""), "zz"), (example() + "x", "follows"),
    ("[", "ends too early"), (example(final: #""gr": {"0": 1}"#), "r0"),
  ])
  func refused(text: String, reason: String) {
    #expect {
      _ = try StateVector.read([UInt8](text.utf8))
    } throws: { "\($0)".contains(reason) }
  }

  @Test func everyRowHasVectors() throws {
    var coverage = InstructionCoverage()
    for file in try Self.files() {
      try coverage.add(StateVector.read([UInt8](try Data(contentsOf: file))), on: [.interpreter])
    }
    for row in instructionTable {
      let known = coverage.rows[row.opcode.index]
      #expect(known.vectors >= 20 && known.decodes && known.prints, "\(row.opcode): \(known.vectors) vectors")
    }
  }

  @Test func skipped() throws {
    for extra in [#""model": {"pa_bits": 44},"#, #""model": {"va_bits": 51},"#] {
      let text = Self.example(extra: extra)
      let vectors = try StateVector.read([UInt8](text.utf8))
      guard case .skipped = try VectorMachine(.interpreter, for: vectors).run(vectors[0]) else {
        Issue.record("\(extra) was run")
        continue
      }
    }
  }
}
