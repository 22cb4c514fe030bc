// Operations from shared libraries: --operation NAME=LIBRARY:SYMBOL.
import CSupport
import Glibc

/// Why an operation could not be bound. `description` is one line: what is wrong, a colon, how to mend it.
public enum BindingError: Error, Equatable, CustomStringConvertible {
  case badSpecification(String)
  case unknownOperation(String)
  case noLibrary(path: String, reason: String)
  case noSymbol(library: String, symbol: String)
  case noClosure(Operation)

  /// One line: what is wrong, and how to mend it.
  public var description: String {
    switch self {
    case .badSpecification(let text): return "operation '\(text)': write NAME=LIBRARY:SYMBOL"
    case .unknownOperation(let name):
      let names = Operation.allCases.map(\.name).joined(separator: ", ")
      return "no operation is called '\(name)': use one of \(names)"
    case .noLibrary(let path, let reason): return "cannot load \(path) (\(reason)): name a shared library of this host"
    case .noSymbol(let library, let symbol):
      return "\(library) has no function '\(symbol)': export it with C linkage"
    case .noClosure(let operation): return "no memory for a closure for \(operation): bind fewer closures"
    }
  }
}

/// An operation and the function of a shared library that is to do it.
public struct PluginSpecification: Equatable, Sendable {
  /// The operation to bind.
  public var operation: Operation
  /// Path of the shared library, or a name that the dynamic loader knows.
  public var library: String
  /// The function in it.
  public var symbol: String

  /// Reads "thash=libmyhv.so:my_thash". The symbol is what follows the last colon.
  public init(_ text: String) throws(BindingError) {
    guard let equals = text.firstIndex(of: "="), let colon = text.lastIndex(of: ":"), colon > equals else {
      throw .badSpecification(text)
    }
    let name = String(text[..<equals])
    library = String(text[text.index(after: equals)..<colon])
    symbol = String(text[text.index(after: colon)...])
    guard !library.isEmpty, !symbol.isEmpty else { throw .badSpecification(text) }
    guard let operation = Operation(name: name) else { throw .unknownOperation(name) }
    self.operation = operation
  }
}

/// A loaded shared library; closed when nothing refers to it any more.
final class PluginLibrary: @unchecked Sendable {
  private let handle: UnsafeMutableRawPointer
  let path: String

  init(path: String) throws(BindingError) {
    // A name without a slash is searched for where the dynamic linker looks, as always.
    guard let handle = dlopen(path, RTLD_NOW | RTLD_LOCAL) else {
      throw .noLibrary(path: path, reason: PluginLibrary.reason())
    }
    self.handle = handle
    self.path = path
  }

  func function(_ symbol: String) throws(BindingError) -> kt_callable {
    guard let address = dlsym(handle, symbol) else { throw .noSymbol(library: path, symbol: symbol) }
    return unsafeBitCast(address, to: kt_callable.self)
  }

  private static func reason() -> String {
    guard let text = dlerror() else { return "no reason given" }
    return String(cString: text).split(separator: "\n").joined(separator: " ")
  }

  deinit { dlclose(handle) }
}
