// Host code as text: by objdump where there is one, else as bytes, an instruction a line.
import Glibc
import Translator

/// Lines for a piece of host code that runs at `address`.
func hostText(_ code: [UInt8], at address: UInt64) -> [String] {
  if let lines = objdumpText(code, at: address), !lines.isEmpty { return lines }
  guard let instructions = HostCode.instructions(code) else { return [hexText(code[...])] }
  return instructions.map { hexText(code[$0.offset..<$0.offset + $0.length]) }
}

private func hexText(_ bytes: ArraySlice<UInt8>) -> String {
  bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
}

private func objdumpText(_ code: [UInt8], at address: UInt64) -> [String]? {
  var name = Array("/tmp/kittson-XXXXXX".utf8CString)
  let file = mkstemp(&name)
  guard file >= 0 else { return nil }
  let path = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  defer { unlink(path) }
  let written = code.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
  close(file)
  guard written == code.count else { return nil }
  let command = "objdump -D -b binary -m i386:x86-64 --no-show-raw-insn --adjust-vma=0x\(String(address, radix: 16)) \(path)"
  guard let pipe = popen(command + " 2>/dev/null", "r") else { return nil }
  defer { pclose(pipe) }
  var lines: [String] = []
  var buffer = [CChar](repeating: 0, count: 512)
  while fgets(&buffer, 512, pipe) != nil {
    let line = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    guard let tab = line.firstIndex(of: "\t"), line.contains(":\t") else { continue }
    lines.append(String(line[line.index(after: tab)...].filter { $0 != "\n" }.map { $0 == "\t" ? " " : $0 }))
  }
  return lines
}
