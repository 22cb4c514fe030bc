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
        kittson boot --dispatch indirect     the same, its sites called through the operation table
        kittson verify                       both engines in lockstep, compared at every block
        kittson fuzz --count 1000            random programs on both engines
        kittson run ./hello                  run a static Linux/ia64 program
        kittson patch vmlinux --list         the call sites of a kernel image
        kittson bench                        what each operation costs in each dispatch state
      """,
    version: "0.1.0",
    subcommands: subcommands)

  private static let subcommands: [any ParsableCommand.Type] = [
    VerifyCommand.self, VectorsCommand.self,
    BootCommand.self, RunCommand.self, PatchCommand.self, CheckCommand.self, DisassembleCommand.self,
    BenchCommand.self, FuzzCommand.self,
  ]

  static func main() {
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch let failure as Failure {
      failure.report()
      Glibc.exit(failure.status)
    } catch let code as ExitCode {
      Glibc.exit(code.rawValue)  // the command has said what there is to say
    } catch {
      let code = exitCode(for: error)
      if code.isSuccess { exit(withError: error) }  // help, version, completion scripts
      Failure("\(message(for: error)): see 'kittson --help'", status: code.rawValue).report()
      Glibc.exit(code.rawValue)
    }
  }
}
