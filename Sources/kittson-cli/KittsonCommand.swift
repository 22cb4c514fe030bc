// The command line's root: subcommands, version, and how errors leave the program.
import ArgumentParser
import Glibc

@main
struct KittsonCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kittson",
    abstract: "Runs Linux/ia64 guests at host speed, with their paravirt_ops call sites bound to host code.",
    discussion: """
      A guest's sensitive operations go through paravirt_ops call sites. Kittson binds each site to a host callable and \
      patches its dispatch from emulated to indirect, direct and inlined, while the guest runs; an interpreter that is \
      never patched stays the reference that everything fast is verified against.

      EXAMPLES
        kittson boot                         boot the embedded paravirtualised kernel
        kittson boot --dispatch indirect     the same, its sites called by a table
        kittson verify                       both engines in lockstep, compared at every block
        kittson fuzz --count 1000            random programs on both engines
        kittson run ./hello                  run a static Linux/ia64 program
        kittson patch vmlinux --list         the call sites of a kernel image
        kittson bench                        what each operation costs

      EXIT STATUS
        0    done: a guest's own status otherwise
        1    something differs, was found or was refused
        64   the command line is wrong
        74   output could not be written
        124  stopped at a limit
        125  an error of Kittson's own
        126  a file that can't be used
        127  a file that isn't there
      """,
    version: "0.1.0",
    subcommands: subcommands)

  private static let subcommands: [any ParsableCommand.Type] = [
    VerifyCommand.self, VectorsCommand.self,
    BootCommand.self, RunCommand.self, PatchCommand.self, CheckCommand.self, DisassembleCommand.self,
    BenchCommand.self, FuzzCommand.self,
  ]

  /// The command line with what the environment adds to it.
  static let words: [String] = {
    let given = CommandLine.arguments.dropFirst()
    return given.prefix(1) + EnvironmentTwins.words(for: given.first) + given.dropFirst()
  }()

  static func main() {
    do {
      var command = try parseAsRoot(words)
      try command.run()
      try checkOutput()
    } catch let failure as Failure {
      failure.report()
      Glibc.exit(failure.status)
    } catch let code as ExitCode {
      leave(code.rawValue)  // the command has said what there is to say
    } catch {
      let code = exitCode(for: error)
      if code.isSuccess {  // help, version, completion scripts
        writeLine(fullMessage(for: error))
        leave(0)
      }
      usageFailure(message(for: error), status: code.rawValue).report()
      Glibc.exit(code.rawValue)
    }
  }

  /// Ends with `status`, or with 74 where what led to it could not be written.
  static func leave(_ status: Int32) -> Never {
    do { try checkOutput() } catch {
      (error as? Failure)?.report()
      Glibc.exit(ExitStatus.outputLost)
    }
    Glibc.exit(status)
  }

  /// The parser's words as one line that says where to read on.
  private static func usageFailure(_ message: String, status: Int32) -> Failure {
    let names = subcommands.compactMap { $0.configuration.commandName }
    let word = CommandLine.arguments.dropFirst().first
    if let word, !word.hasPrefix("-"), !names.contains(word) {
      return Failure("no command is called '\(word)': use one of \(names.joined(separator: ", "))", status: status)
    }
    let command = word.map { names.contains($0) ? " " + $0 : "" } ?? ""
    let text = message.hasSuffix(".") ? String(message.dropLast()) : message
    return Failure("\(text): see 'kittson\(command) --help'", status: status)
  }
}
