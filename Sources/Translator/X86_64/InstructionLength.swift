// Lengths of x86-64 instructions (Intel 64 SDM vol. 2, chapter 2 and appendix A), for counting those of emitted code and of
// the compiler's: what both use, general and SSE instructions, with VEX or without.

package struct HostInstruction: Sendable {
  package var offset: Int
  package var length: Int
  /// Where a relative jump or call leads, as an offset from the code's start.
  package var target: Int?
  package var isReturn: Bool
  package var isNop = false
  /// A jump or return: the next instruction is not executed.
  package var ends: Bool
}

package enum HostCode {
  /// The instructions of a piece of code; nil where one is of a form that is not known here.
  package static func instructions(_ code: [UInt8]) -> [HostInstruction]? {
    var result: [HostInstruction] = []
    var offset = 0
    while offset < code.count {
      guard let next = instruction(code, offset) else { return nil }
      result.append(next)
      offset += next.length
    }
    return offset == code.count ? result : nil
  }

  /// The instructions of a function up to its last return or jump elsewhere; `code` ends where the next function begins.
  package static func function(_ code: [UInt8]) -> [HostInstruction]? {
    var result: [HostInstruction] = []
    var offset = 0, reach = 0
    while let next = instruction(code, offset) {
      result.append(next)
      offset += next.length
      if let target = next.target, target < code.count { reach = max(reach, target) }
      if next.ends && offset > reach { return result }
    }
    return nil
  }

  /// Whether an instruction is a call: to a relative address or through a register or memory.
  package static func isCall(_ instruction: HostInstruction, in code: [UInt8]) -> Bool {
    var at = instruction.offset
    while code[at] & 0xf0 == 0x40 || code[at] == 0x66 { at += 1 }
    return code[at] == 0xe8 || (code[at] == 0xff && [2, 3].contains(code[at + 1] >> 3 & 7))
  }

  private static func instruction(_ code: [UInt8], _ start: Int) -> HostInstruction? {
    func byte(_ at: Int) -> UInt8? { at < code.count ? code[at] : nil }
    var at = start, narrow = false, wide = false
    while let prefix = byte(at), [0x66, 0xf2, 0xf3, 0x2e].contains(prefix) {
      narrow = narrow || prefix == 0x66
      at += 1
    }
    if let rex = byte(at), rex & 0xf0 == 0x40 {
      wide = rex & 8 != 0
      at += 1
    }
    guard let opcode = byte(at) else { return nil }
    at += 1
    if opcode == 0xc4 || opcode == 0xc5 { return vector(code, start, at, long: opcode == 0xc4) }
    var shape: (modRM: Bool, immediate: Int)?
    var second: UInt8 = 0
    if opcode == 0x0f {
      guard let next = byte(at) else { return nil }
      second = next
      at += 1
      if second == 0x38 || second == 0x3a {
        at += 1
        shape = (true, second == 0x3a ? 1 : 0)
      } else {
        shape = twoByte(second)
      }
    } else {
      shape = oneByte(opcode, narrow: narrow, wide: wide, extension: byte(at).map { $0 >> 3 & 7 } ?? 0)
    }
    guard let shape else { return nil }
    if shape.modRM {
      guard let size = operand(code, at) else { return nil }
      at += size
    }
    at += shape.immediate
    guard at <= code.count else { return nil }
    var target: Int?
    if opcode == 0xe8 || opcode == 0xe9 || (opcode == 0x0f && second & 0xf0 == 0x80) {
      target = at + Int(code[(at - 4)..<at].reversed().reduce(Int32(0)) { $0 << 8 | Int32($1) })
    } else if opcode == 0xeb || opcode & 0xf0 == 0x70 {
      target = at + Int(Int8(bitPattern: code[at - 1]))
    }
    return HostInstruction(
      offset: start, length: at - start, target: target, isReturn: opcode == 0xc3,
      isNop: opcode == 0x90 || opcode == 0x0f && second == 0x1f,
      ends: opcode == 0xc3 || opcode == 0xe9 || opcode == 0xeb)
  }

  /// An instruction with a VEX prefix, whose payload starts at `at`; those with an immediate byte are all of map 3 and a
  /// few of map 1.
  private static func vector(_ code: [UInt8], _ start: Int, _ at: Int, long: Bool) -> HostInstruction? {
    let place = at + (long ? 2 : 1)
    guard place < code.count, let size = operand(code, place + 1) else { return nil }
    let map = long ? code[at] & 31 : 1
    guard (1...3).contains(map) else { return nil }
    let hasImmediate = map == 3 || map == 1 && twoByte(code[place])?.immediate == 1
    let end = place + 1 + size + (hasImmediate ? 1 : 0)
    guard end <= code.count else { return nil }
    return HostInstruction(offset: start, length: end - start, target: nil, isReturn: false, ends: false)
  }

  /// Bytes of ModRM, SIB and displacement.
  private static func operand(_ code: [UInt8], _ at: Int) -> Int? {
    guard at < code.count else { return nil }
    let modRM = code[at], mode = modRM >> 6, rm = modRM & 7
    if mode == 3 { return 1 }
    var size = 1
    var base = rm
    if rm == 4 {
      guard at + 1 < code.count else { return nil }
      base = code[at + 1] & 7
      size += 1
    }
    if mode == 1 { return size + 1 }
    if mode == 2 { return size + 4 }
    return base == 5 ? size + 4 : size
  }

  private static func oneByte(
    _ opcode: UInt8, narrow: Bool, wide: Bool, extension ext: UInt8
  ) -> (modRM: Bool, immediate: Int)? {
    let word = narrow ? 2 : 4
    switch opcode {
    case 0x00...0x3f:
      switch opcode & 7 {
      case 0...3: return (true, 0)
      case 4: return (false, 1)
      case 5: return (false, word)
      default: return nil
      }
    case 0x50...0x5f, 0x90...0x99, 0xc3, 0xcc: return (false, 0)
    case 0x63, 0x84...0x8f, 0xd0...0xd3, 0xfe, 0xff: return (true, 0)
    case 0x68, 0xa9: return (false, word)
    case 0x69, 0x81, 0xc7: return (true, word)
    case 0x6b, 0x80, 0x83, 0xc0, 0xc1, 0xc6: return (true, 1)
    case 0x6a, 0xa8, 0xeb, 0x70...0x7f: return (false, 1)
    case 0xb0...0xb7: return (false, 1)
    case 0xb8...0xbf: return (false, wide ? 8 : word)
    case 0xe8, 0xe9: return (false, 4)
    case 0xf6: return (true, ext < 2 ? 1 : 0)
    case 0xf7: return (true, ext < 2 ? word : 0)
    default: return nil
    }
  }

  private static func twoByte(_ opcode: UInt8) -> (modRM: Bool, immediate: Int)? {
    switch opcode {
    case 0x0b, 0x31, 0xa2, 0xc8...0xcf: (false, 0)
    case 0x80...0x8f: (false, 4)
    case 0x70...0x73, 0xa4, 0xac, 0xba, 0xc2, 0xc4...0xc6: (true, 1)
    case 0x10...0x1f, 0x28...0x2f, 0x40...0x6f, 0x74...0x7f, 0x90...0x9f, 0xa3, 0xa5, 0xab, 0xad, 0xaf...0xb9, 0xbb...0xc1,
      0xd0...0xff: (true, 0)
    default: nil
    }
  }
}
