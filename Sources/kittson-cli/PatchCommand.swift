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
      kernel's own patcher would: the backend's replacement code, then nops. Without -o nothing is written. Without \
      IMAGE the embedded kernel is taken.

      Exit status: 0 all done, 1 some record was refused and the others done, 126 the image is no IA-64 ELF image, 127 \
      it is not there.
      """)

  @Argument(help: "An IA-64 ELF image.")
  var image: String?

  @Flag(help: "List every call site: address, type, section, function, and whether the host can bind it.")
  var list = false

  @Option(help: ArgumentHelp("Whose replacement code the sites get.", valueName: "native"))
  var backend = PatchBackend.native

  @Option(name: .short, help: ArgumentHelp("Write the patched image to this file.", valueName: "OUT"))
  var output: String?

  @Flag(help: "Report in JSON.")
  var json = false

  func run() throws {
    let bytes = try image.map(readImage) ?? EmbeddedGuests.pvkernel
    let name = image ?? "pvkernel"
    let result: (bytes: [UInt8]?, report: PatchReport)
    do throws(ELFError) {
      let image = try ELFImage(bytes: bytes)
      if list && output == nil {
        result = (nil, try listCallSites(image))
      } else {
        let patched = try patchToNative(image)
        result = (patched.bytes, patched.report)
      }
    } catch {
      throw Failure("\(name): \(error)", status: ExitStatus.cannotRun)
    }
    if let output, let bytes = result.bytes {
      do throws(ELFError) { try writeFile(output, bytes) } catch {
        throw Failure(error.description, status: ExitStatus.cannotRun)
      }
    }
    for diagnostic in result.report.diagnostics { writeError("kittson: \(name): \(diagnostic.line)\n") }
    var text = json ? report(result.report).text(indented: true) + "\n" : self.text(result.report)
    text.withUTF8 { writeToStandardOutput(UnsafeRawBufferPointer($0)) }
    if result.report.hasErrors { Glibc.exit(ExitStatus.different) }
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
    text += "\(report.count(.bundle)) bundle sites (\(report.boundCount) can be bound), "
      + "\(report.count(.instruction)) instruction sites, \(report.count(.branch)) branch sites, "
      + "\(report.records) records"
    let outcomes = report.sites.compactMap(\.outcome)
    if !outcomes.isEmpty {
      text += "; \(outcomes.count { $0.isDone }) patched to native, "
        + "\(outcomes.count { $0 == .unchanged }) already were, \(outcomes.count { $0.isLeft }) left"
    }
    return text + "\n"
  }

  private func line(_ site: SiteReport) -> String {
    var text = "0x" + String(site.start, radix: 16) + "  " + site.type.name.padded(right: 24) + "  "
      + site.section.padded(right: 12) + "  " + site.symbol
    if let reason = site.unboundReason { text += "  (not bound: \(reason))" }
    if let outcome = site.outcome { text += "  [\(outcome.words)]" }
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
    return .object(members)
  }
}

enum PatchBackend: String, CaseIterable, ExpressibleByArgument {
  case native
}

extension PatchDiagnostic {
  /// "error: …" or "warning: …", on one line.
  fileprivate var line: String { "\(severity.rawValue): \(message)" }
}

extension PatchOutcome {
  fileprivate var words: String {
    switch self {
    case .replaced(let used): return "native, \(used) bytes"
    case .retargeted(let target): return "to 0x" + String(target, radix: 16)
    case .unchanged: return "already native"
    case .kept(let reason): return "left: " + reason
    case .refused(let reason): return "refused: " + reason
    }
  }

  fileprivate var isDone: Bool {
    switch self {
    case .replaced, .retargeted: return true
    case .unchanged, .kept, .refused: return false
    }
  }

  fileprivate var isLeft: Bool {
    switch self {
    case .kept, .refused: return true
    case .replaced, .retargeted, .unchanged: return false
    }
  }
}
