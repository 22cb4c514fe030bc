// Host code as text: by objdump where there is one, else as bytes, an instruction a line.
import Glibc
import Machine
import Translator

/// A host instruction: where it runs, and its text or bytes.
struct HostLine {
  var address: UInt64
  var text: String
}

/// The instructions of a piece of host code that runs at `address`; one line of bytes where nothing tells them apart.
func hostText(_ code: [UInt8], at address: UInt64) -> [HostLine] {
  if let lines = objdumpText(code, at: address), !lines.isEmpty { return lines }
  guard let instructions = HostCode.instructions(code) else {
    return [HostLine(address: address, text: hexadecimal(code, separator: " "))]
  }
  return instructions.map { instruction in
    let bytes = code[instruction.offset..<instruction.offset + instruction.length]
    return HostLine(address: address + UInt64(instruction.offset), text: hexadecimal(bytes, separator: " "))
  }
}

private func objdumpText(_ code: [UInt8], at address: UInt64) -> [HostLine]? {
  var name = Array("/tmp/kittson-XXXXXX".utf8CString)
  let file = mkstemp(&name)
  guard file >= 0 else { return nil }
  let path = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  defer { unlink(path) }
  let written = code.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
  close(file)
  guard written == code.count else { return nil }
  let command = "objdump -D -b binary -m i386:x86-64 --no-show-raw-insn --adjust-vma=\(hexadecimal(address)) " + path
  guard let pipe = popen(command + " 2>/dev/null", "r") else { return nil }
  defer { pclose(pipe) }
  var lines: [HostLine] = []
  var buffer = [CChar](repeating: 0, count: 512)
  while fgets(&buffer, 512, pipe) != nil {
    let line = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    guard let tab = line.firstIndex(of: "\t"), line.contains(":\t"),
      let place = UInt64(line[..<tab].drop { $0 == " " }.dropLast(), radix: 16)
    else { continue }
    let text = String(line[line.index(after: tab)...].filter { $0 != "\n" }.map { $0 == "\t" ? " " : $0 })
    lines.append(HostLine(address: place, text: text))
  }
  return lines
}
