// Makes the engine that a configuration asks for and wires it to the processors of a machine. This is the one place
// where both engines are known.
import CSupport
import Interpreter
import Machine
import Translator

package enum EngineFactory {
  package static func make(_ configuration: Configuration, for machine: Machine) throws(SessionError) -> any Engine {
    let interpreter = Interpreter()
    do throws(MachineError) { try machine.setALAT(real: configuration.alat == .real) } catch {
      throw .host(error.description)
    }
    switch configuration.engine {
    case .interpreter:
      for cpu in machine.cpus { interpreter.attach(cpu) }
      return interpreter
    case .translator:
      let options = try options(leavingOut: configuration.disabled)
      guard let translator = TranslatorEngine(machine: machine, options: options) else {
        throw .host("the host refuses memory for code: use --engine interpreter")
      }
      translator.plantedOperation = configuration.plantedOperation.map { Int($0.rawValue) }
      translator.plantedOpcode = configuration.plantedOpcode
      translator.countsCalls = configuration.countsCalls
      for cpu in machine.cpus { Interpreter.installServices(cpu) }
      translator.stepper = { interpreter.step($0) }
      translator.codeObserver = { interpreter.invalidateCode(physical: $0, length: $1) }
      return translator
    }
  }

  private static func options(leavingOut names: [String]) throws(SessionError) -> TranslatorOptions {
    var options = TranslatorOptions.all
    for name in names {
      guard let option = TranslatorOptions(named: name) else {
        let known = TranslatorOptions.names.map(\.name).joined(separator: ", ")
        throw .option("no optimisation is called '\(name)': use one of \(known)")
      }
      options.remove(option)
    }
    return options
  }
}
