// A failure ends the process, behind one line that says what it is.
import Glibc

/// Ends the process if there is a `problem`, printing it with the input as hexadecimal digits.
public func report(_ problem: String?, _ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
  guard let problem else { return 0 }
  let digits = Array("0123456789abcdef".utf8)
  let text = UnsafeBufferPointer(start: data, count: size).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
  let line = Array("kittson-fuzz: \(problem); input \(String(decoding: text, as: UTF8.self))\n".utf8)
  _ = write(STDERR_FILENO, line, line.count)
  abort()
}
