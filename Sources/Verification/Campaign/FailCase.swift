// A case that once failed, as a file: the state with its memory, how long to run from it, and how the subject worked.
// Unlike a seed it means the same whatever becomes of the generator (Documentation/differential-testing.md).
import CSupport
import Glibc
import Machine
import Translator

package struct FailCase: Sendable {
  /// What it was found by.
  package var name: String
  var initial: VectorState
  package var slots: Int64
  package var options: SubjectOptions
  /// Whether floating-point registers that hold doubles begin as packed doubles.
  var packsDoubles: Bool
  /// Whether advanced loads leave entries in an ALAT; those that there are at the start belong to the state.
  package private(set) var hasALAT = false
  /// What was seen, for people.
  package var report = ""

  /// The present state of a machine, to be run on from.
  package init(
    _ name: String, of machine: Machine, slots: Int64, options: SubjectOptions = SubjectOptions(), report: String = ""
  ) {
    (self.name, self.slots, self.options, self.report) = (name, slots, options, report)
    initial = VectorState(of: machine.cpus[0], memory: RandomProgram.memorySize)
    packsDoubles = true
    hasALAT = machine.cpus[0].pointee.alat != nil
  }

  /// A campaign's case, as it begins on `machine`.
  package init(_ fuzzCase: FuzzCase, on machine: Machine) {
    fuzzCase.program.prepare(machine)
    self.init(
      "kittson fuzz --seed \(fuzzCase.seed)", of: machine, slots: fuzzCase.slots, options: fuzzCase.options,
      report: fuzzCase.program.listing)
  }

  /// The case with no more memory than it takes for the engines of `pair` to differ; nil where they agree, as they may
  /// from the state as files hold it.
  package func reduced(on pair: DifferentialPair) -> FailCase? {
    var result = self
    if result.differences(on: pair, options).isEmpty {
      result.packsDoubles = false
      if result.differences(on: pair, options).isEmpty { return nil }
    }
    result.dropMemory(pair)
    return result
  }

  private mutating func dropMemory(_ pair: DifferentialPair) {
    var size = max(1, initial.ram.count / 2)
    while true {
      var first = 0
      while first < initial.ram.count {
        var candidate = self
        candidate.initial.ram.removeSubrange(first..<min(first + size, initial.ram.count))
        if candidate.differences(on: pair, options).isEmpty { first += size } else { self = candidate }
      }
      if size == 1 { return }
      size /= 2
    }
  }

  // MARK: Running

  /// What differs, run as it was found, with all optimisations, with regions at once, with none, and by single
  /// instructions.
  package func replay(on pair: DifferentialPair) -> [(options: SubjectOptions, differences: [StateDifference])] {
    var none = SubjectOptions(), single = SubjectOptions(), eager = SubjectOptions()
    none.translator = []
    single.instructionLimit = 1
    eager.regionThreshold = 1
    var tried: [SubjectOptions] = []
    for candidate in [options, SubjectOptions(), eager, none, single] where !tried.contains(candidate) {
      tried.append(candidate)
    }
    return tried.map { ($0, differences(on: pair, $0)) }
  }

  package func differences(on pair: DifferentialPair, _ options: SubjectOptions) -> [StateDifference] {
    prepare(pair)
    return pair.run(slots: slots, options) { machine, engine in load(machine, engine) }
  }

  /// The report of a difference under `options`.
  package func describe(on pair: DifferentialPair, _ options: SubjectOptions) -> String {
    prepare(pair)
    return pair.describe(report, slots: slots, options) { machine, engine in load(machine, engine) }
  }

  /// Gives the machines an ALAT or takes it away.
  private func prepare(_ pair: DifferentialPair) {
    if (pair.machines.0.cpus[0].pointee.alat != nil) == hasALAT { return }
    do { try pair.setALAT(real: hasALAT) } catch { preconditionFailure("no memory for two tables of 32 entries") }
  }

  /// Puts the state into a machine.
  package func load(_ machine: Machine, _ engine: any Engine) {
    memset(machine.ram, 0, Int(RandomProgram.memorySize))
    let problem = VectorMachine(machine, engine).load(initial)
    precondition(problem == nil, problem ?? "")
    let cpu = machine.cpus[0]
    if packsDoubles { for n in 2..<128 { cpu.floats[n] = Self.packed(cpu.floats[n]) } }
  }

  /// The packed form of what is a normal double or a zero; other values as they are.
  private static func packed(_ value: kt_fr) -> kt_fr {
    let exponent = value.sign_exponent & 0x1ffff, sign = (value.sign_exponent >> 17) << 63
    if exponent == 0 && value.significand == 0 {
      return kt_fr(significand: sign, sign_exponent: KT_FR_PACKED_DOUBLE)
    }
    guard value.significand >> 63 == 1, value.significand & 0x7ff == 0, exponent >= 0xfc01, exponent <= 0x103fe else {
      return value
    }
    let bits = sign | (exponent - 0xfc00) << 52 | (value.significand << 1) >> 12
    return kt_fr(significand: bits, sign_exponent: KT_FR_PACKED_DOUBLE)
  }

  // MARK: Files

  package var json: JSON {
    let without = TranslatorOptions.names.filter { !options.translator.contains($0.option) }
    var members: [(String, JSON)] = [
      ("type", "case"), ("name", .string(name)), ("slots", .integer(slots)),
      ("without", .array(without.map { .string($0.name) })),
    ]
    if let limit = options.instructionLimit { members.append(("blocks", .integer(Int64(limit)))) }
    if let count = options.regionThreshold { members.append(("regions", .integer(Int64(count)))) }
    if hasALAT { members.append(("alat", .bool(true))) }
    members += [("packed", .bool(packsDoubles)), ("report", .string(report)), ("initial", initial.json)]
    return .object(members)
  }

  /// Reads a file; its state is one that a machine can be in.
  package init(reading bytes: [UInt8]) throws(VectorError) {
    let document: JSON
    do { document = try JSON(parsing: bytes) } catch { throw VectorError("\(error)") }
    guard let members = document.members, document["type"] == "case", let state = document["initial"] else {
      throw VectorError("the file must hold an object with \"type\": \"case\" and \"initial\"")
    }
    (name, slots, options, packsDoubles) = ("", 0, SubjectOptions(), false)
    initial = try VectorState(state, "initial")
    for (key, value) in members where key != "type" && key != "initial" { try read(key, value) }
    guard slots > 0 else { throw VectorError("\"slots\" is missing") }
    try check()
  }

  private mutating func read(_ key: String, _ value: JSON) throws(VectorError) {
    switch (key, value) {
    case ("name", .string(let text)): name = text
    case ("report", .string(let text)): report = text
    case ("packed", .bool(let flag)): packsDoubles = flag
    case ("alat", .bool(let flag)): hasALAT = flag
    case ("slots", .integer(let count)) where count > 0 && count <= 1_000_000: slots = count
    case ("blocks", .integer(let count)) where count > 0 && count <= 1000: options.instructionLimit = Int(count)
    case ("regions", .integer(let count)) where count > 0 && count <= 1000: options.regionThreshold = Int32(count)
    case ("without", .array(let names)):
      for name in names {
        guard let option = name.stringValue.flatMap({ TranslatorOptions(named: $0) }) else {
          throw VectorError("without: no optimisation is called \(name.text())")
        }
        options.translator.subtract(option)
      }
    default: throw VectorError("no case has such a member as \"\(key)\": \(value.text().prefix(40))")
    }
  }

  private func check() throws(VectorError) {
    for block in initial.ram where block.address + UInt64(block.bytes.count) > RandomProgram.memorySize {
      throw VectorError("initial.ram: \(hexadecimal(block.address)) is beyond the memory that cases have")
    }
    let machine: Machine
    do { machine = try Machine(ramSize: RandomProgram.memorySize) } catch { throw VectorError("\(error)") }
    let engine = DifferentialPair.interpreter(machine)
    if let problem = VectorMachine(machine, engine).load(initial) { throw VectorError("initial: \(problem)") }
  }
}
