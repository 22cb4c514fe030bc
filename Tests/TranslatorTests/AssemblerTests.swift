// The assembler's encodings against llvm-objdump: each case states the text that the bytes must disassemble to.
import CSupport
import Glibc
import Testing
import Translator

/// Runs a program and returns its standard output, or nil where it is missing.
func output(of command: String) -> String? {
  guard let pipe = popen(command, "r") else { return nil }
  var text = [UInt8]()
  var buffer = [UInt8](repeating: 0, count: 65536)
  while true {
    let n = fread(&buffer, 1, buffer.count, pipe)
    if n == 0 { break }
    text += buffer[0..<n]
  }
  return pclose(pipe) == 0 ? String(decoding: text, as: UTF8.self) : nil
}

/// Instructions of `bytes` as llvm-objdump prints them (Intel syntax), one a line, spaces squeezed.
func disassemble(_ bytes: [UInt8]) -> [String]? {
  let base = "kittson-assembler-\(getpid())"
  let directory = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
  let source = "\(directory)/\(base).s", object = "\(directory)/\(base).o"
  guard let file = fopen(source, "w") else { return nil }
  fputs(".text\n.byte " + bytes.map { String($0) }.joined(separator: ",") + "\n", file)
  fclose(file)
  defer { unlink(source); unlink(object) }
  guard output(of: "clang -c -o \(object) \(source) 2>/dev/null") != nil,
    let text = output(of: "llvm-objdump -d --no-show-raw-insn --x86-asm-syntax=intel \(object) 2>/dev/null")
  else { return nil }
  return text.split(separator: "\n").compactMap { line in
    guard let colon = line.firstIndex(of: ":"), line.first == " " else { return nil }
    let words = line[line.index(after: colon)...].split(whereSeparator: { $0 == " " || $0 == "\t" })
    return words.isEmpty ? nil : words.joined(separator: " ")
  }
}

@Suite struct AssemblerTests {
  @Test func encodings() throws {
    let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: 65536)
    defer { memory.deallocate() }
    var a = Assembler(at: memory)
    var expected: [String] = []
    func check(_ text: String, _ emit: (inout Assembler) -> Void) {
      emit(&a)
      expected.append(text)
    }
    let names = [
      "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
    ]
    let bytes = [
      "al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil", "r8b", "r9b", "r10b", "r11b", "r12b", "r13b", "r14b", "r15b",
    ]
    let longs = [
      "eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi", "r8d", "r9d", "r10d", "r11d", "r12d", "r13d", "r14d",
      "r15d",
    ]
    for i in 0..<16 {
      let r = Register(UInt8(i)), n = names[i], other = Register(UInt8(15 - i)), m = names[15 - i]
      check("mov \(n), \(m)") { $0.move(r, other) }
      check("mov \(longs[i]), \(longs[15 - i])") { $0.move32(r, other) }
      check("add \(n), \(m)") { $0.arithmetic(.add, r, other) }
      check("cmp \(bytes[i]), \(bytes[15 - i])") { $0.arithmetic(.cmp, r, other, .byte) }
      check("mov \(n), qword ptr [\(m)]") { $0.load(r, Address(other)) }
      check("mov qword ptr [\(m) - 0x80], \(n)") { $0.store(Address(other, -128), r) }
      check("movzx \(longs[i]), byte ptr [\(m) + 0x80]") { $0.load(r, Address(other, 128), .byte) }
      check("movzx \(longs[i]), word ptr [\(m) + 0x7f]") { $0.load(r, Address(other, 127), .word) }
      check("mov \(longs[i]), dword ptr [\(m) + 4*r12]") { $0.load(r, Address(other, 0, index: .r12, scale: 2), .long) }
      check("mov byte ptr [\(m)], \(bytes[i])") { $0.store(Address(other), r, .byte) }
      check("mov dword ptr [\(m) + rbp + 0x1000], \(longs[i])") {
        $0.store(Address(other, 4096, index: .rbp), r, .long)
      }
      check("sete \(bytes[i])") { $0.setCondition(.equal, r) }
      check("cmovg \(n), \(m)") { $0.moveIf(.greater, r, other) }
      check("test \(bytes[i]), \(bytes[15 - i])") { $0.test(r, other, .byte) }
      check("shl \(n), 0x7") { $0.shift(.left, r, by: 7) }
      check("sar \(n), cl") { $0.shiftByCL(.arithmetic, r) }
      check("shrd \(n), \(m), 0x21") { $0.shiftRightDouble(r, other, by: 33) }
      check("bt \(n), 0x3f") { $0.bitTest(r, bit: 63) }
      check("btr \(n), \(m)") { $0.bitReset(r, other) }
      check("bswap \(n)") { $0.byteSwap(r) }
      check("popcnt \(n), \(m)") { $0.populationCount(r, other) }
      check("movsx \(n), \(bytes[15 - i])") { $0.signExtend(r, other, .byte) }
      check("movsxd \(n), \(longs[15 - i])") { $0.signExtend(r, other, .long) }
      check("movzx \(longs[i]), \(bytes[15 - i])") { $0.zeroExtend(r, other, .byte) }
      check("lea \(n), [\(m) + 8*rcx - 0x1]") { $0.loadEffectiveAddress(r, Address(other, -1, index: .rcx, scale: 3)) }
      check("not \(n)") { $0.not(r) }
      check("neg \(n)") { $0.negate(r) }
      check("push \(n)") { $0.push(r) }
      check("pop \(n)") { $0.pop(r) }
      check("sub \(n), 0x7f") { $0.arithmetic(.sub, r, immediate: 127) }
      check("and \(longs[i]), 0x1fe0") { $0.arithmetic(.and, r, immediate: 0x1fe0, .long) }
      check("movabs \(n), 0x123456789abcdef0") { $0.move(r, immediate: 0x1234_5678_9abc_def0) }
      check("mov \(longs[i]), 0xffffffff") { $0.move(r, immediate: 0xffff_ffff) }
      check("mov \(n), -0x5") { $0.move(r, immediate: -5) }
      check("xor \(longs[i]), \(longs[i])") { $0.move(r, immediate: 0) }
      check("call \(n)") { $0.call(r) }
      check("jmp qword ptr [\(m) + 0x10]") { $0.jump(Address(other, 16)) }
      check("sub qword ptr [\(m) + 0x8], 0x12c") { $0.arithmetic(.sub, Address(other, 8), immediate: 300) }
      check("cmp word ptr [\(m) + 0x8], 0x0") { $0.arithmetic(.cmp, Address(other, 8), immediate: 0, .word) }
      check("test dword ptr [\(m)], 0xffff00ff") {
        $0.test(Address(other), immediate: Int32(bitPattern: 0xffff_00ff), .long)
      }
    }
    let emitted = Array(UnsafeBufferPointer(start: memory, count: a.cursor - memory))
    guard let actual = disassemble(emitted) else {
      print("skipped: clang or llvm-objdump is missing")
      return
    }
    #expect(actual.count == expected.count)
    for (got, want) in zip(actual, expected) where normal(got) != normal(want) {
      Issue.record("emitted \(got), wanted \(want)")
    }
  }

  /// Objdump's habits in displacements differ between versions: numbers in one base, no zero displacement.
  private func normal(_ text: String) -> String {
    text.split(separator: " ").map { word -> String in
      var core = word, comma = ""
      if core.last == "," { core = core.dropLast(); comma = "," }
      var bracket = ""
      if core.last == "]" { core = core.dropLast(); bracket = "]" }
      let negative = core.first == "-"
      let digits = negative ? core.dropFirst() : core
      guard let value = digits.hasPrefix("0x") ? UInt64(digits.dropFirst(2), radix: 16) : UInt64(digits) else {
        return String(word)
      }
      return (negative ? "-" : "") + String(value) + bracket + comma
    }.joined(separator: " ")
  }

  @Test func codeMemoryIsNeverWritableAndExecutable() throws {
    let cache = try #require(CodeCache(size: 1 << 20))
    let maps = try #require(output(of: "cat /proc/\(getpid())/maps"))
    let code = maps.split(separator: "\n").filter { $0.contains("kittson-code") }
    #expect(code.count >= 2)
    for line in code { #expect(!line.contains("rwx") && (line.contains("rw-") || line.contains("r-x"))) }
    _ = cache
  }
}
