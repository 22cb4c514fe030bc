// From JSON to state vectors: strict, so that a misspelt name is an error and not a case that tests nothing.
import Machine

/// What is wrong with a file of vectors.
package struct VectorError: Error, CustomStringConvertible {
  package var description: String
  package init(_ description: String) { self.description = description }
}

extension StateVector {
  /// The cases of a file.
  /// With `isAnswered` each must have a final state.
  package static func read(_ bytes: [UInt8], isAnswered: Bool = true) throws(VectorError) -> [StateVector] {
    let document: JSON
    do { document = try JSON(parsing: bytes) } catch { throw VectorError("\(error)") }
    guard let cases = document.elements else { throw VectorError("the file must hold an array of cases") }
    var vectors: [StateVector] = []
    vectors.reserveCapacity(cases.count)
    for (index, value) in cases.enumerated() {
      do {
        vectors.append(try StateVector(value, isAnswered: isAnswered))
      } catch {
        let name = value.members?.first { $0.0 == "name" }.flatMap { if case .string(let s) = $0.1 { s } else { nil } }
        throw VectorError("case \(index + 1)\(name.map { " (\($0))" } ?? ""): \(error)")
      }
    }
    return vectors
  }

  private init(_ value: JSON, isAnswered: Bool) throws(VectorError) {
    guard let members = value.members else { throw VectorError("a case must be an object") }
    name = ""
    var model: [String: UInt64] = [:]
    var seen: Set<String> = []
    for (key, value) in members {
      seen.insert(key)
      switch key {
      case "name": name = try text(value, key)
      case "requires": requires = try list(value, key) { (value) throws(VectorError) in try text(value, key) }
      case "model": model = try numbers(value, key)
      case "initial":
        initial = try VectorState(value, key)
        if let inner = value.members?.first(where: { $0.0 == "model" }) { model = try numbers(inner.1, "model") }
      case "final": final = try VectorState(value, key)
      case "stop": try readStop(value)
      case "ignore":
        ignore = Set(try list(value, key) { (value) throws(VectorError) in try VectorNames.ignored(text(value, key)) })
      default: throw VectorError("no case has a member \"\(key)\"")
      }
    }
    for needed in ["name", "initial"] + (isAnswered ? ["final"] : []) where !seen.contains(needed) {
      throw VectorError("\"\(needed)\" is missing")
    }
    if stopEvents == nil && stopIP == nil { stopEvents = 1 }
    unsupported = try reasonNotToRun(model)
  }

  private mutating func readStop(_ value: JSON) throws(VectorError) {
    for (key, value) in try members(value, "stop") {
      switch key {
      case "events":
        let count = try number(value, "stop.events")
        guard count <= 1_000_000 else { throw VectorError("stop.events: at most a million") }
        stopEvents = Int(count)
      case "ip": stopIP = try number(value, "stop.ip")
      default: throw VectorError("stop has no member \"\(key)\"")
      }
    }
  }

  /// Capabilities that a case may require and that Kittson's processor has.
  private static let capabilities: Set<String> = [
    "brl", "ld16", "st16", "cmp8xchg16", "clz", "mpy4", "mpyshl4", "unaligned", "vhpt", "long-format-vhpt", "alat",
  ]

  private func reasonNotToRun(_ model: [String: UInt64]) throws(VectorError) -> String? {
    let own = ["va_bits": VectorMachine.virtualBits, "pa_bits": VectorMachine.physicalBits, "rid_bits": 24, "key_bits": 24]
    for (name, bits) in model.sorted(by: { $0.key < $1.key }) {
      guard let implemented = own[name] else {
        throw VectorError("model has no member \"\(name)\": use \(own.keys.sorted().joined(separator: ", "))")
      }
      if bits != implemented { return "\(name) is \(implemented) here, not \(bits)" }
    }
    if let missing = requires.first(where: { !Self.capabilities.contains($0) }) { return "requires \(missing)" }
    return nil
  }
}

// MARK: A state

extension VectorState {
  init(_ value: JSON, _ place: String) throws(VectorError) {
    for (key, value) in try members(value, place) {
      let path = "\(place).\(key)"
      switch key {
      case "ip":
        let ip = try number(value, path)
        guard ip & 3 != 3, ip & 12 == 0 else { throw VectorError("\(path): the low four bits are a slot, 0 to 2") }
        self.ip = ip
      case "psr": psr = try number(value, path)
      case "cfm": cfm = try number(value, path)
      case "gr": gr = try registers(value, path, 0...127)
      case "nat": nat = try registerSet(value, path, 1...127)
      case "bank": try readBank(value, path)
      case "fr": try readFloats(value, path)
      case "pr": pr = try number(value, path)
      case "ar", "cr": try readNamed(value, path, key)
      case "rse": try readStack(value, path)
      case "alat": alat = try list(value, path) { (entry) throws(VectorError) in try advanced(entry, path) }
      case "pending": pending = try registerSet(value, path, 0...255)
      case "inservice": inService = try registerSet(value, path, 0...255)
      case "ram": try readMemory(value, path)
      case "model" where place == "initial": break
      default:
        if let file = RegisterFile(rawValue: key) {
          files[file] = try registers(value, path, 0...(file.count - 1))
        } else if let file = TranslationFile(rawValue: key) {
          translations[file] = try list(value, path) { (entry) throws(VectorError) in try translation(entry, path, file) }
        } else {
          throw VectorError("\(place) has no member \"\(key)\"")
        }
      }
    }
    if gr[0] ?? 0 != 0 { throw VectorError("\(place).gr: r0 is always 0") }
    if let zero = fr[0], zero != (0, 0) { throw VectorError("\(place).fr: f0 is always +0.0") }
    if let one = fr[1], one != (0xffff, 1 << 63) { throw VectorError("\(place).fr: f1 is always +1.0") }
  }

  private mutating func readBank(_ value: JSON, _ path: String) throws(VectorError) {
    for (key, value) in try members(value, path) {
      switch key {
      case "gr": bankGR = try registers(value, "\(path).gr", 16...31)
      case "nat": bankNaT = try registerSet(value, "\(path).nat", 16...31)
      default: throw VectorError("\(path) has no member \"\(key)\"")
      }
    }
  }

  private mutating func readFloats(_ value: JSON, _ path: String) throws(VectorError) {
    for (key, value) in try members(value, path) {
      let number = try registerNumber(key, path, 0...127)
      guard let pair = value.elements, pair.count == 2 else {
        throw VectorError("\(path).\(key): write [sign and exponent, significand]")
      }
      let exponent = try Verification.number(pair[0], "\(path).\(key)")
      guard exponent >> 18 == 0 else { throw VectorError("\(path).\(key): sign and exponent have 18 bits") }
      fr[number] = (exponent, try Verification.number(pair[1], "\(path).\(key)"))
    }
  }

  private mutating func readNamed(_ value: JSON, _ path: String, _ kind: String) throws(VectorError) {
    for (key, value) in try members(value, path) {
      let name = "\(kind).\(key)"
      guard NamedRegister.names.contains(name) else { throw VectorError("\(path): \(name) is no register with a state") }
      named[name] = try number(value, "\(path).\(key)")
    }
  }

  private mutating func readStack(_ value: JSON, _ path: String) throws(VectorError) {
    for (key, value) in try members(value, path) {
      switch key {
      case "dirty":
        dirty = try list(value, "\(path).dirty") { (entry) throws(VectorError) in
          guard let pair = entry.elements, pair.count == 2, case .bool(let nat) = pair[1] else {
            throw VectorError("\(path).dirty: write [value, NaT bit]")
          }
          return VectorStacked(value: try number(pair[0], "\(path).dirty"), nat: nat)
        }
      case "clean":
        let count = try number(value, "\(path).clean")
        guard count <= 96 else { throw VectorError("\(path).clean: there are 96 stacked registers") }
        clean = Int(count)
      case "incomplete":
        guard case .bool(let flag) = value else { throw VectorError("\(path).incomplete: write true or false") }
        incomplete = flag
      default: throw VectorError("\(path) has no member \"\(key)\"")
      }
    }
  }

  private mutating func readMemory(_ value: JSON, _ path: String) throws(VectorError) {
    ram = try list(value, path) { (entry) throws(VectorError) in
      guard let pair = entry.elements, pair.count == 2 else { throw VectorError("\(path): write [address, bytes]") }
      let address = try number(pair[0], path)
      let digits = Array(try text(pair[1], path).utf8.filter { $0 != 0x20 })
      guard digits.count % 2 == 0 else { throw VectorError("\(path): an odd number of hexadecimal digits") }
      var bytes: [UInt8] = []
      for index in stride(from: 0, to: digits.count, by: 2) {
        guard let high = hexDigit(digits[index]), let low = hexDigit(digits[index + 1]) else {
          throw VectorError("\(path): bytes are two hexadecimal digits each")
        }
        bytes.append(high << 4 | low)
      }
      let last = address.addingReportingOverflow(UInt64(bytes.count))
      guard !last.overflow, last.partialValue <= VectorMachine.memoryLimit else {
        throw VectorError("\(path): \(hexadecimal(address)) is beyond the memory that vectors have")
      }
      return (address, bytes)
    }
  }

  private func advanced(_ value: JSON, _ path: String) throws(VectorError) -> VectorAdvanced {
    var fields: [String: UInt64] = [:]
    for (key, value) in try members(value, path) {
      guard ["gr", "fr", "pa", "size"].contains(key) else { throw VectorError("\(path) has no member \"\(key)\"") }
      fields[key] = try number(value, "\(path).\(key)")
    }
    guard let register = fields["gr"] ?? fields["fr"], register < 128, fields.count == 3, let physical = fields["pa"],
      let size = fields["size"], (1...16).contains(size)
    else { throw VectorError("\(path): gr or fr, pa and size are needed") }
    guard physical < VectorMachine.memoryLimit, physical & 0xfff + size <= 0x1000 else {
      throw VectorError("\(path).pa: an entry lies in one granule of the memory that vectors have")
    }
    return VectorAdvanced(isFloat: fields["fr"] != nil, register: Int(register), physical: physical, size: size)
  }

  private func translation(_ value: JSON, _ path: String, _ file: TranslationFile) throws(VectorError) -> VectorTranslation {
    var fields: [String: UInt64] = [:]
    for (key, value) in try members(value, path) {
      guard ["slot", "va", "ps", "pte", "rid", "key"].contains(key) else {
        throw VectorError("\(path) has no member \"\(key)\"")
      }
      fields[key] = try number(value, "\(path).\(key)")
    }
    guard let va = fields["va"], let ps = fields["ps"], let pte = fields["pte"] else {
      throw VectorError("\(path): va, ps and pte are needed")
    }
    guard ps < 64 else { throw VectorError("\(path).ps: the size's logarithm is below 64") }
    let slot = fields["slot"]
    if !file.isCache {
      guard let slot, slot < UInt64(file.count) else { throw VectorError("\(path).slot: give 0 to \(file.count - 1)") }
    }
    return VectorTranslation(
      slot: file.isCache ? nil : slot.map { Int($0) }, va: va & ~((1 << ps) - 1), ps: Int(ps), pte: pte,
      rid: fields["rid"] ?? 0, key: fields["key"] ?? 0)
  }
}

// MARK: Names in `ignore`

enum VectorNames {
  private static let groups: Set<String> = Set(
    ["ip", "psr", "cfm", "gr", "nat", "bank", "fr", "pr", "ar", "cr", "rse", "alat", "pending", "inservice", "ram"]
      + RegisterFile.allCases.map(\.rawValue) + TranslationFile.allCases.map(\.rawValue))

  /// A name in the form in which fields are reported: `cr[isr]` and `cr/isr` mean `cr.isr`.
  static func ignored(_ name: String) throws(VectorError) -> String {
    let parts = name.split { ".[]/: ".contains($0) }
    guard let group = parts.first, groups.contains(String(group)) else {
      throw VectorError("ignore: nothing in a state is called \"\(name)\"")
    }
    return parts.joined(separator: ".")
  }
}

// MARK: Values

private func members(_ value: JSON, _ path: String) throws(VectorError) -> [(String, JSON)] {
  guard let members = value.members else { throw VectorError("\(path): an object is needed") }
  return members
}

private func list<Element>(
  _ value: JSON, _ path: String, _ element: (JSON) throws(VectorError) -> Element
) throws(VectorError) -> [Element] {
  guard let elements = value.elements else { throw VectorError("\(path): an array is needed") }
  var result: [Element] = []
  for entry in elements { result.append(try element(entry)) }
  return result
}

private func text(_ value: JSON, _ path: String) throws(VectorError) -> String {
  guard case .string(let text) = value else { throw VectorError("\(path): a string is needed") }
  return text
}

/// A number: a JSON integer, or a string of hexadecimal (0x…) or decimal digits.
private func number(_ value: JSON, _ path: String) throws(VectorError) -> UInt64 {
  switch value {
  case .integer(let value) where value >= 0: return UInt64(value)
  case .unsigned(let value): return value
  case .string(let text):
    let parsed = text.hasPrefix("0x") || text.hasPrefix("0X") ? UInt64(text.dropFirst(2), radix: 16) : UInt64(text)
    if let parsed { return parsed }
  default: break
  }
  throw VectorError("\(path): a number of 64 bits is needed, \"0x…\" or decimal")
}

private func numbers(_ value: JSON, _ path: String) throws(VectorError) -> [String: UInt64] {
  var result: [String: UInt64] = [:]
  for (key, value) in try members(value, path) { result[key] = try number(value, "\(path).\(key)") }
  return result
}

private func registerNumber(_ text: String, _ path: String, _ range: ClosedRange<Int>) throws(VectorError) -> Int {
  guard let number = Int(text), range.contains(number), text.utf8.first != UInt8(ascii: "+") else {
    throw VectorError("\(path): \"\(text)\" is no register number from \(range.lowerBound) to \(range.upperBound)")
  }
  return number
}

private func registers(_ value: JSON, _ path: String, _ range: ClosedRange<Int>) throws(VectorError) -> [Int: UInt64] {
  var result: [Int: UInt64] = [:]
  for (key, value) in try members(value, path) {
    result[try registerNumber(key, path, range)] = try number(value, "\(path).\(key)")
  }
  return result
}

private func registerSet(_ value: JSON, _ path: String, _ range: ClosedRange<Int>) throws(VectorError) -> Set<Int> {
  var result: Set<Int> = []
  for entry in try list(value, path, { (value) throws(VectorError) in try number(value, path) }) {
    guard entry <= UInt64(range.upperBound), entry >= UInt64(range.lowerBound) else {
      throw VectorError("\(path): \(entry) is not from \(range.lowerBound) to \(range.upperBound)")
    }
    result.insert(Int(entry))
  }
  return result
}

private func hexDigit(_ byte: UInt8) -> UInt8? {
  switch byte {
  case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
  case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
  case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
  default: nil
  }
}
