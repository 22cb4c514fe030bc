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
      Decodes all executable code and reports, outside every call site and all code that is native by intent, each \
      sensitive instruction (fc, thash, ttag, cover, mov from cpuid and pmd: they do not trap, so a hypervisor never \
      hears of them) and each privileged one (it traps). Conditional ones are right only while a hypervisor keeps \
      state as the guest believes it (reads of ar.k0-7 and ar.itc, probe, the user mask …): they are counted, and listed with \
      --strict. Without IMAGE the embedded kernel is checked.

      Exit status: 1 if any sensitive or privileged one was found, 0 if none. With --strict conditional ones count \
      too, and text that could not be proved: data in an executable section, for one.
      """)

  @Argument(help: "An IA-64 ELF image, or a relocatable module (.ko).")
  var image: String?

  @Flag(help: "Conditional instructions and text that could not be proved count too.")
  var strict = false

  @Option(
    help: ArgumentHelp(
      "A section or symbol with native code, which is not reported; repeatable. NAME* stands for all that begin so. "
        + "Always: \(ParavirtImage.nativeNames.joined(separator: ", ")).", valueName: "NAME"))
  var native: [String] = []

  @Flag(help: "Report in JSON.")
  var json = false

  func run() throws {
    let bytes = try image.map(readImage) ?? EmbeddedGuests.pvkernel
    let name = image ?? "the embedded kernel"
    let guest: ParavirtImage
    do throws(ELFError) {
      guest = try ParavirtImage(ELFImage(bytes: bytes, types: ELFImage.allTypes))
    } catch {
      throw Failure("\(name): \(error)", status: ExitStatus.cannotRun)
    }
    for diagnostic in guest.diagnostics { writeError("kittson: \(name): \(diagnostic)\n") }
    for unknown in guest.unknown(native) {
      writeError("kittson: --native \(unknown): \(name) has no section or symbol of this name\n")
    }
    let report = guest.check(native: ParavirtImage.nativeNames + native)
    writeToStandardOutput(json ? self.json(report).text(indented: true) + "\n" : self.text(report))
    if !report.isClean(strict: strict) { throw ExitCode(ExitStatus.different) }
  }

  private func text(_ report: CheckReport) -> String {
    var text = ""
    for finding in report.findings where strict || finding.kind != .conditional {
      text += hexadecimal(finding.address) + "  " + finding.kind.rawValue.padded(right: 11) + "  "
        + finding.text.padded(right: 28) + "  " + finding.symbol + "\n"
    }
    for range in report.unproven {
      text += hexadecimal(range.range.lowerBound) + "  unproven     "
        + "\(range.range.count) bytes: \(range.reason)".padded(right: 28) + "  " + range.symbol + "\n"
    }
    let counts = Sensitivity.allCases.map { "\(report.count($0)) \($0.rawValue)" }.joined(separator: ", ")
    return text + "\(counts) instructions outside call sites; "
      + "\(report.bundles) bundles, \(report.covered) of call sites and native code; "
      + "\(report.unproven.reduce(0) { $0 + $1.range.count }) bytes unproven\n"
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
      (
        "unproven",
        .array(
          report.unproven.map {
            .object([
              ("start", .hexadecimal($0.range.lowerBound)), ("end", .hexadecimal($0.range.upperBound)),
              ("reason", .string($0.reason)), ("symbol", .string($0.symbol)),
            ])
          })
      ),
    ])
  }
}
