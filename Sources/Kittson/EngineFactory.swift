// Makes the engine that a configuration asks for and wires it to the processors of a machine. This is the one place
// where both engines are known.
import CSupport
import Interpreter
import Machine
import Translator

enum EngineFactory {
  static func make(_ configuration: Configuration, for machine: Machine) throws(SessionError) -> any Engine {
    let interpreter = Interpreter()
    for cpu in machine.cpus { interpreter.attach(cpu) }
    switch configuration.engine {
    case .interpreter: return interpreter
    case .translator: return interpreter
    }
  }
}
