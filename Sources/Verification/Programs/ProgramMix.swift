// What random programs are made of, by names that the command line knows.
import IA64

extension RandomProgram {
  /// Kinds of instructions, and what the state and the shape of a program are like.
  package struct Mix: OptionSet, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }
    package static let integer = Mix(rawValue: 1 << 0)
    package static let memory = Mix(rawValue: 1 << 1)
    package static let branches = Mix(rawValue: 1 << 2)
    package static let floatingPoint = Mix(rawValue: 1 << 3)
    package static let system = Mix(rawValue: 1 << 4)
    package static let rotation = Mix(rawValue: 1 << 5)
    package static let nat = Mix(rawValue: 1 << 6)
    package static let calls = Mix(rawValue: 1 << 7)
    package static let loops = Mix(rawValue: 1 << 8)
    package static let virtual = Mix(rawValue: 1 << 9)
    package static let user = Mix(rawValue: 1 << 10)
    package static let changingCode = Mix(rawValue: 1 << 11)
    package static let interrupts = Mix(rawValue: 1 << 12)
    package static let bigEndian = Mix(rawValue: 1 << 13)
    package static let debugging = Mix(rawValue: 1 << 14)
    package static let faults = Mix(rawValue: 1 << 15)
    package static let all = Mix(rawValue: 1 << 16 - 1)

    /// The names of the command line.
    package static let names: [(name: String, mix: Mix, meaning: String)] = [
      ("integer", .integer, "integer, comparison and multimedia instructions"),
      ("memory", .memory, "loads, stores, semaphores, speculative and advanced loads"),
      ("branches", .branches, "branches, calls and returns to anywhere in the program"),
      ("floating-point", .floatingPoint, "floating-point instructions and values of all kinds"),
      ("system", .system, "privileged instructions: psr, control registers, translations, banks"),
      ("rotation", .rotation, "renamed registers and software-pipelined loops"),
      ("nat", .nat, "NaT bits in registers"),
      ("calls", .calls, "functions with frames of their own, recursion"),
      ("loops", .loops, "counted loops"),
      ("virtual", .virtual, "virtual addressing: regions, misses, dirty and accessed bits, aliases"),
      ("user", .user, "privilege level 3"),
      ("changing-code", .changingCode, "code that rewrites its own bundles"),
      ("interrupts", .interrupts, "the interval timer, answered by a handler"),
      ("big-endian", .bigEndian, "psr.be"),
      ("debugging", .debugging, "single-step and taken-branch traps, psr.db, psr.ac, disabled floating point"),
      ("faults", .faults, "handlers that go on behind the fault; without it a fault ends in a loop"),
    ]

    package init?(named name: String) {
      guard let entry = Mix.names.first(where: { $0.name == name }) else { return nil }
      self = entry.mix
    }

    /// The names of what is in it, as the command line takes them.
    package var text: String { Mix.names.filter { contains($0.mix) }.map(\.name).joined(separator: ",") }

    /// Part of the mix, by a seed: integer instructions always, everything else more often than not.
    package func drawn(_ seed: UInt64) -> Mix {
      var random = SplitMix64(seed: seed ^ 0x6d69_7865_7321)
      // One program in eight has everything that there is.
      if random.next() & 7 == 0 { return self }
      var chosen: Mix = .integer
      for entry in Mix.names {
        let rare: Mix = [.bigEndian, .debugging, .nat, .user, .system]
        let share: UInt64 = rare.contains(entry.mix) ? 90 : 150
        if random.next() & 255 < share { chosen.insert(entry.mix) }
      }
      return chosen.intersection(self)
    }

    /// What instructions are drawn from: the other members are about state and shape.
    var instructions: Mix { intersection([.integer, .memory, .branches, .floatingPoint, .system]) }
  }
}
