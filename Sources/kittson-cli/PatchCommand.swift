// kittson patch: the guest patcher on an image file.
import ArgumentParser
import Glibc
import Kittson
import Machine
import Paravirt

struct PatchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "patch",
    abstract: "Patches the call sites of an image, or lists them.",
    discussion: """
      Reads the patch-site records of a paravirtualised Linux/ia64 kernel, checks each, and rewrites the sites as the \
      kernel's own patcher would: the backend's replacement code, then nops. A site whose replacement does not fit \
      becomes a direct call. Nothing is written over bytes that are not a site's call or what a patcher made of it. \
      Without -o nothing is written; --list with -o lists what was patched. Where the image goes to standard output the \
      report goes to standard error. Without IMAGE the embedded kernel is taken.

      Exit status: 0 all done, 1 something was refused or left with a warning and the others done, 126 the image is no IA-64 ELF image, 127 \
      it is not there.
      """)

  @Argument(help: "An IA-64 ELF image, or a relocatable module (.ko).")
  var image: String?

  @Flag(help: "List every call site: address, type, section, function, and whether the host can bind it.")
  var list = false

  @Flag(help: "With --list: the bundles of every site before and after the patch (JSON always has them).")
  var disassembly = false

  @Flag(
    help: "Find sites without records: instructions that an operation stands for, calls through pv_cpu_ops.")
  var discover = false

  @Flag(help: "List the paravirt_ops structures that the image holds, member by member.")
  var tables = false

  @Option(help: ArgumentHelp("Whose replacement code the sites get: native, xen.", valueName: "B"))
  var backend = PatchBackend.native

  @Flag(help: "Direct calls of the operations' functions instead of replacement code.")
  var direct = false

  @Flag(help: "Back to indirect calls: undoes what any backend made of the sites.")
  var undo = false

  @Option(name: .short, help: ArgumentHelp("Write the patched image to this file, '-' for standard output.", valueName: "OUT"))
  var output: String?

  @Flag(help: "Report in JSON.")
  var json = false

  func run() throws {
    let bytes = try image.map(readImage) ?? EmbeddedGuests.pvkernel
    let name = image ?? "pvkernel"
    if tables { return try listTables(bytes, name) }
    if discover { return try listDiscovered(bytes, name) }
    let result: (bytes: [UInt8]?, report: PatchReport)
    do throws(ELFError) {
      let image = try ELFImage(bytes: bytes, types: ELFImage.allTypes)
      let wantsDisassembly = list && (json || disassembly)
      if list && output == nil {
        result = (nil, try listCallSites(image, disassembly: wantsDisassembly ? goal : nil))
      } else {
        let patched = try patchCallSites(image, goal, disassembly: wantsDisassembly)
        result = (patched.bytes, patched.report)
      }
    } catch {
      throw Failure("\(name): \(error)", status: ExitStatus.cannotRun)
    }
    let output = output == "-" ? "/dev/stdout" : output
    if let output, let bytes = result.bytes {
      do throws(ELFError) { try writeFile(output, bytes) } catch {
        if case .unwritten = error { throw Failure(error.description, status: ExitStatus.outputLost) }
        throw Failure(error.description, status: ExitStatus.cannotRun)
      }
    }
    for diagnostic in result.report.diagnostics { writeError("kittson: \(name): \(diagnostic.line)\n") }
    let text = json ? report(result.report).text(indented: true) + "\n" : self.text(result.report)
    if isStandardOutput(output) { writeError(text) } else { writeToStandardOutput(text) }
    if result.report.hasErrors || result.bytes != nil && leftWithWarning(result.report) {
      throw ExitCode(ExitStatus.different)
    }
  }

  private func leftWithWarning(_ report: PatchReport) -> Bool {
    report.diagnostics.contains { $0.severity == .warning }
  }

  /// Whether a name is that of the file behind standard output.
  private func isStandardOutput(_ path: String?) -> Bool {
    var named = stat(), standard = stat()
    guard let path, stat(path, &named) == 0, fstat(STDOUT_FILENO, &standard) == 0 else { return false }
    // Anything can be written to /dev/null twice.
    return named.st_ino == standard.st_ino && named.st_dev == standard.st_dev && path != "/dev/null"
  }

  private func listTables(_ bytes: [UInt8], _ name: String) throws {
    let entries: [TableEntry]
    do throws(ELFError) {
      entries = try ParavirtImage(ELFImage(bytes: bytes, types: ELFImage.allTypes)).tableEntries()
    } catch {
      throw Failure("\(name): \(error)", status: ExitStatus.cannotRun)
    }
    let members = entries.map { entry in
      JSON.object([
        ("structure", .string(entry.structure)), ("member", .string(entry.member)),
        ("offset", .hexadecimal(entry.offset)), ("value", .hexadecimal(entry.value)), ("symbol", .string(entry.symbol)),
      ])
    }
    let lines = entries.map { entry in
      "\(entry.structure.padded(right: 18)) +0x\(String(entry.offset, radix: 16).padded(right: 4)) "
        + "\(entry.member.padded(right: 38)) \(hexadecimal(entry.value))  \(entry.symbol)\n"
    }
    writeToStandardOutput(json ? JSON.array(members).text(indented: true) + "\n" : lines.joined())
  }

  private func listDiscovered(_ bytes: [UInt8], _ name: String) throws {
    let report: DiscoveryReport
    do throws(ELFError) {
      report = try ParavirtImage(ELFImage(bytes: bytes, types: ELFImage.allTypes)).discover()
    } catch {
      throw Failure("\(name): \(error)", status: ExitStatus.cannotRun)
    }
    writeToStandardOutput(json ? report.json(list: list).text(indented: true) + "\n" : report.text(list: list))
  }

  private var goal: PatchGoal { undo ? .indirectCall : direct ? .directCall : .replacement(backend) }

  func validate() throws {
    if discover && output != nil {
      throw ValidationError("--discover writes nothing, its sites are the host's to bind: leave -o out")
    }
    if direct && undo { throw ValidationError("--direct and --undo exclude each other: name one") }
  }

  // MARK: For people

  private func text(_ report: PatchReport) -> String {
    var text = ""
    if list {
      for site in report.sites { text += line(site) + "\n" }
      if !report.sites.isEmpty { text += "\n" }
      for (name, count) in report.byType { text += "\(String(count).padded(left: 7))  \(name)\n" }
      if !report.byType.isEmpty { text += "\n" }
      for (name, count) in report.bySection {
        text += "\(String(count).padded(left: 7))  in \(name.isEmpty ? "no section" : name)\n"
      }
    }
    let outcomes = report.sites.compactMap(\.outcome)
    let bindable = outcomes.isEmpty ? "can be bound" : "could be bound before"
    text += "\(report.count(.bundle)) bundle sites (\(report.boundCount) \(bindable)), "
      + "\(report.count(.instruction)) instruction sites, \(report.count(.branch)) branch sites, "
      + "\(report.records) records"
    if !outcomes.isEmpty {
      text += "; \(outcomes.count { $0.isDone }) \(output == nil ? "would be " : "")\(goal.words), "
        + "\(outcomes.count { $0 == .unchanged }) already were, \(report.records - outcomes.count { !$0.isLeft }) left"
    }
    return text + "\n"
  }

  private func line(_ site: SiteReport) -> String {
    var text = hexadecimal(site.start) + "  " + site.type.name.padded(right: 24) + "  "
      + site.section.padded(right: 12) + "  " + site.symbol
    if let reason = site.unboundReason { text += "  (not bound: \(reason))" }
    if let outcome = site.outcome { text += "  [\(outcome.words)]" }
    for line in site.before { text += "\n    - " + line }
    for line in site.after { text += "\n    + " + line }
    return text
  }

  // MARK: For programs

  private func report(_ report: PatchReport) -> JSON {
    var members: [(String, JSON)] = [
      ("records", .integer(Int64(report.records))),
      ("bundle_sites", .integer(Int64(report.count(.bundle)))),
      ("instruction_sites", .integer(Int64(report.count(.instruction)))),
      ("branch_sites", .integer(Int64(report.count(.branch)))),
      ("bound", .integer(Int64(report.boundCount))),
      ("pv_cpu_ops", report.table.map { JSON.hexadecimal($0) } ?? .null),
      ("by_type", .object(report.byType.map { ($0.name, .integer(Int64($0.count))) })),
      ("by_section", .object(report.bySection.map { ($0.name, .integer(Int64($0.count))) })),
      (
        "diagnostics",
        .array(
          report.diagnostics.map {
            .object([
              ("severity", .string($0.severity.rawValue)), ("kind", .string($0.kind.rawValue)),
              ("index", .integer(Int64($0.index))), ("message", .string($0.message)),
            ])
          })
      ),
    ]
    if list { members.append(("sites", .array(report.sites.map { site($0) }))) }
    return .object(members)
  }

  private func site(_ site: SiteReport) -> JSON {
    var members: [(String, JSON)] = [
      ("kind", .string(site.kind.rawValue)), ("index", .integer(Int64(site.index))),
      ("start", .hexadecimal(site.start)), ("end", .hexadecimal(site.end)), ("type", .string(site.type.name)),
      ("operation", site.operation.map { .string($0.name) } ?? .null), ("section", .string(site.section)),
      ("symbol", .string(site.symbol)), ("contents", .string(site.contents.rawValue)),
      ("bound", .bool(site.unboundReason == nil)),
    ]
    if let reason = site.unboundReason { members.append(("unbound_reason", .string(reason))) }
    if let outcome = site.outcome { members.append(("outcome", .string(outcome.words))) }
    if !site.before.isEmpty {
      members.append(("before", .array(site.before.map { .string($0) })))
      members.append(("after", .array(site.after.map { .string($0) })))
    }
    return .object(members)
  }
}

extension PatchBackend: ExpressibleByArgument {}

extension PatchGoal {
  /// What it made of so many sites.
  fileprivate var words: String {
    switch self {
    case .replacement(let backend): return "patched to \(backend.rawValue)"
    case .directCall: return "made direct calls"
    case .indirectCall: return "made indirect calls"
    }
  }
}

extension PatchDiagnostic {
  /// "error: …" or "warning: …", on one line.
  fileprivate var line: String { "\(severity.rawValue): \(message)" }
}

extension PatchOutcome {
  fileprivate var words: String {
    switch self {
    case .replaced(let used): return "replaced, \(used) bytes"
    case .direct(let target): return "direct call of " + hexadecimal(target)
    case .restored: return "restored"
    case .retargeted(let target): return "to " + hexadecimal(target)
    case .unchanged: return "already so"
    case .kept(let reason): return "left: " + reason
    case .refused(let reason): return "refused: " + reason
    }
  }

  fileprivate var isLeft: Bool {
    switch self {
    case .kept, .refused: return true
    case .replaced, .direct, .restored, .retargeted, .unchanged: return false
    }
  }
}

extension DiscoveryReport {
  fileprivate func text(list: Bool) -> String {
    var text = ""
    if list {
      for site in sites {
        let operands = site.arguments.map(\.description).joined(separator: ", ")
        text += hexadecimal(site.start) + "  " + (site.type?.name ?? site.operation.name).padded(right: 24)
          + "  " + "(\(operands))\(site.result.map { " -> r\($0)" } ?? "")".padded(right: 24)
          + "  " + site.text.padded(right: 28) + "  " + site.symbol + "\n"
      }
      if !sites.isEmpty { text += "\n" }
    }
    for (name, count) in byOperation { text += "\(String(count).padded(left: 7))  \(name)\n" }
    if !byOperation.isEmpty { text += "\n" }
    let kinds = "\(count(.instruction)) instructions, \(count(.call)) calls without a record, "
      + "\(count(.indirectCall)) indirect calls found"
    let others = withoutOperation.sorted { $0.value != $1.value ? $0.value > $1.value : $0.key < $1.key }
    let rest = others.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
    return text + kinds + (rest.isEmpty ? "\n" : "; no operation stands for: \(rest)\n")
  }

  fileprivate func json(list: Bool) -> JSON {
    var members: [(String, JSON)] = [
      ("instructions", .integer(Int64(count(.instruction)))), ("calls", .integer(Int64(count(.call)))),
      ("indirect_calls", .integer(Int64(count(.indirectCall)))),
      ("by_operation", .object(byOperation.map { ($0.name, .integer(Int64($0.count))) })),
      (
        "without_operation",
        .object(withoutOperation.sorted { $0.key < $1.key }.map { ($0.key, .integer(Int64($0.value))) })
      ),
    ]
    if list { members.append(("sites", .array(sites.map(\.json)))) }
    return .object(members)
  }
}

extension DiscoveredSite {
  fileprivate var json: JSON {
    .object([
      ("kind", .string(kind.rawValue)), ("start", .hexadecimal(start)), ("end", .hexadecimal(end)),
      ("operation", .string(operation.name)), ("type", type.map { .string($0.name) } ?? .null),
      ("arguments", .array(arguments.map { .string($0.description) })),
      ("result", result.map { .string("r\($0)") } ?? .null), ("predicate", .integer(Int64(predicate))),
      ("text", .string(text)), ("symbol", .string(symbol)),
    ])
  }
}
