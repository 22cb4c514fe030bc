// kittson check: sensitive and privileged instructions that no call site covers.
import ArgumentParser
import Glibc
import Kittson
import Machine
import Paravirt

struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Finds the sensitive instructions of an image that no call site covers.",
    discussion: """
      Decodes all executable code and reports each sensitive instruction (fc, thash, ttag, cover, mov from cpuid and pmd: \
      they do not trap, so a hypervisor never hears of them) and each privileged one (it traps) outside every call \
      site and replacement body. Without IMAGE the embedded kernel is checked.

      Exit status: 1 if any was found, 0 if none; text that is no code is counted, and makes it 1 only with --strict.
      """)

  @Argument(help: "An IA-64 ELF image.")
  var image: String?

  @Flag(help: "Text that could not be proved counts as a finding.")
  var strict = false

  @Flag(help: "Report in JSON.")
  var json = false

  func run() throws {
    let bytes = try image.map(readImage) ?? EmbeddedGuests.pvkernel
    let report: CheckReport
    do throws(ELFError) { report = try ParavirtImage(ELFImage(bytes: bytes)).check() } catch {
      throw Failure("\(image ?? "pvkernel"): \(error)", status: ExitStatus.cannotRun)
    }
    var text = json ? self.json(report).text(indented: true) + "\n" : self.text(report)
    text.withUTF8 { writeToStandardOutput(UnsafeRawBufferPointer($0)) }
    if !report.findings.isEmpty || strict && !report.unproven.isEmpty { Glibc.exit(ExitStatus.different) }
  }

  private func text(_ report: CheckReport) -> String {
    var text = ""
    for finding in report.findings {
      text += "0x" + String(finding.address, radix: 16) + "  " + finding.kind.rawValue.padded(right: 10) + "  "
        + finding.text.padded(right: 28) + "  " + finding.symbol + "\n"
    }
    let sensitive = report.findings.count { $0.kind == .sensitive }
    return text + "\(sensitive) sensitive, \(report.findings.count - sensitive) privileged instructions outside call sites; "
      + "\(report.bundles) bundles, \(report.covered) of call sites and native bodies, "
      + "\(report.unproven.count) that are no code\n"
  }

  private func json(_ report: CheckReport) -> JSON {
    .object([
      ("bundles", .integer(Int64(report.bundles))), ("covered", .integer(Int64(report.covered))),
      (
        "findings",
        .array(
          report.findings.map {
            .object([
              ("kind", .string($0.kind.rawValue)), ("address", .hexadecimal($0.address)), ("text", .string($0.text)),
              ("symbol", .string($0.symbol)),
            ])
          })
      ),
      ("unproven", .array(report.unproven.map { .hexadecimal($0) })),
    ])
  }
}
