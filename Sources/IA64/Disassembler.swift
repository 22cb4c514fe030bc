// The disassembler: instructions as text, in the very form of binutils' `objdump -d` (2.40), pseudo-operations
// included.

/// Turns instructions and bundles into text.
public enum Disassembler {
  /// How an address in an operand is written.
  public typealias Symbolizer = (_ address: UInt64) -> String

  /// The text of one instruction: the predicate's column of six characters, then mnemonic and operands, without a stop.
  ///
  /// - Parameters:
  ///   - address: the *bundle's* address, to which branch displacements are relative.
  ///   - symbolizer: writes addresses; nil: as plain hexadecimal numbers.
  public static func text(
    _ instruction: Instruction, at address: UInt64, symbolizer: Symbolizer? = nil
  ) -> String {
    var output: [UInt8] = []
    append(instruction, at: address, stop: false, to: &output, symbolizer: symbolizer)
    return String(decoding: output, as: UTF8.self)
  }

  /// The lines of a bundle, as objdump writes them behind address and bytes: `[MII]` and the first instruction, then
  /// the
  /// others with six spaces before them; two lines for an MLX bundle.
  public static func lines(
    _ bundle: InstructionBundle, at address: UInt64, symbolizer: Symbolizer? = nil
  ) -> [String] {
    var output: [UInt8] = []
    appendLines(bundle, at: address, to: &output, symbolizer: symbolizer)
    return output.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
  }

  /// Appends the same lines, each ended by a newline.
  public static func appendLines(
    _ bundle: InstructionBundle, at address: UInt64, to output: inout [UInt8], symbolizer: Symbolizer? = nil
  ) {
    let decoded = Decoder.decode(bundle)
    for slot in 0..<decoded.count {
      if slot == 0 {
        output.append(UInt8(ascii: "["))
        output += decoded.template.name.utf8
        output += "] ".utf8
      } else {
        output += "      ".utf8
      }
      let stop = decoded.template.hasStop(after: decoded.template.isLong && slot == 1 ? 2 : slot)
      let isUnused = decoded[slot].flags.contains(.unusedEncoding)
      let instruction = isUnused ? Decoder.decode(bundle, reserved: .tolerated)[slot] : decoded[slot]
      append(instruction, at: address, stop: stop, to: &output, symbolizer: symbolizer)
      output.append(UInt8(ascii: "\n"))
    }
  }

  /// The lines of a bundle with address and bytes, as objdump lists them: six, six and four bytes; where the long
  /// instruction of an MLX bundle takes ten, the last four have a line of their own.
  ///
  /// - Parameter width: how many columns addresses take (`addressWidth`).
  public static func listing(
    _ bundle: InstructionBundle, at address: UInt64, width: Int, symbolizer: Symbolizer? = nil
  ) -> [String] {
    var texts = lines(bundle, at: address, symbolizer: symbolizer)
    if texts.count == 2 { texts.append("") }
    let bytes = (0..<16).map { UInt8(truncatingIfNeeded: ($0 < 8 ? bundle.low : bundle.high) >> UInt64($0 % 8 * 8)) }
    return texts.enumerated().map { index, text in
      let first = index * 6
      var line = column(String(address &+ UInt64(first), radix: 16), width) + ":\t"
      for byte in bytes[first..<min(first + 6, 16)] { line += (byte < 16 ? "0" : "") + String(byte, radix: 16) + " " }
      if text.isEmpty { return line }
      return line + (index == 2 ? "      " : "") + "\t" + text
    }
  }

  /// The columns objdump gives to addresses of a section that ends at `end`: a multiple of four.
  public static func addressWidth(end: UInt64) -> Int { (String(end, radix: 16).utf8.count + 3) / 4 * 4 }

  private static func column(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.utf8.count)) + text
  }

  /// Appends the text of an instruction, `;;` behind it when a group ends there.
  ///
  /// A slot that is illegal only for bits binutils does not look at is written as the instruction it would be without
  /// them;
  /// any other illegal slot as `data8`, without a stop.
  public static func append(
    _ instruction: Instruction, at address: UInt64, stop: Bool, to output: inout [UInt8],
    symbolizer: Symbolizer? = nil
  ) {
    var instruction = instruction
    if instruction.opcode == .illegal {
      let slot = UInt64(bitPattern: instruction.imm)
      if let unit = Unit(rawValue: UInt8(truncatingIfNeeded: instruction.aux)) {
        instruction = Decoder.decode(slot, unit: unit, reserved: .tolerated)
      }
      if instruction.opcode == .illegal { return appendData(slot, to: &output) }
      // Of the instructions that may not be predicated this is the one whose predicate objdump writes.
      if instruction.opcode == .br_ia { instruction.qp = UInt8(slot & 63) }
    }
    appendPredicate(instruction, to: &output)
    for piece in FormTable.shared.form(instruction).pieces {
      append(piece, of: instruction, at: address, to: &output, symbolizer)
    }
    if stop { output += ";;".utf8 }
  }

  private static func appendPredicate(_ instruction: Instruction, to output: inout [UInt8]) {
    guard instruction.qp != 0 else {
      output += "      ".utf8
      return
    }
    output += "(p".utf8
    if instruction.qp < 10 { output.append(UInt8(ascii: "0")) }
    output.append(decimal: Int64(instruction.qp))
    output += ") ".utf8
  }

  /// A slot that is no instruction: `data8` and at least nine hexadecimal digits behind `0x` (zero has no `0x`).
  private static func appendData(_ slot: UInt64, to output: inout [UInt8]) {
    output += "      data8 ".utf8
    if slot != 0 { output += "0x".utf8 }
    output.append(hexadecimal: slot, digits: slot == 0 ? 11 : 9)
  }

  private static func append(
    _ piece: TextForm.Piece, of instruction: Instruction, at address: UInt64, to output: inout [UInt8],
    _ symbolizer: Symbolizer?
  ) {
    switch piece {
    case .literal(let text): output += text
    case .completer(let shift, let mask, let texts): output += texts[Int(instruction.hint >> shift & mask)]
    case .register(let letter, let field):
      output.append(letter)
      let number =
        switch field {
        case 1: instruction.r1
        case 2: instruction.r2
        case 3: instruction.r3
        default: instruction.r4
        }
      output.append(decimal: Int64(number))
    case .application: output += applicationRegister(instruction.r3).utf8
    case .control: output += controlRegister(instruction.r3).utf8
    case .immediate(let kind): append(kind, of: instruction, at: address, to: &output, symbolizer)
    }
  }

  private static func append(
    _ kind: TextForm.Immediate, of instruction: Instruction, at address: UInt64, to output: inout [UInt8],
    _ symbolizer: Symbolizer?
  ) {
    func number(_ value: UInt8) { output.append(decimal: Int64(value)) }
    func prefixed(_ value: UInt64) {
      output += "0x".utf8
      output.append(hexadecimal: value)
    }
    func place(_ displacement: Int64) {
      let target = address &+ UInt64(bitPattern: displacement)
      if let symbolizer { output += symbolizer(target).utf8 } else { prefixed(target) }
    }
    switch kind {
    case .decimal: output.append(decimal: instruction.imm)
    case .hexadecimal: prefixed(UInt64(bitPattern: instruction.imm))
    case .target: place(instruction.imm)
    case .tag13: place(instruction.tag)
    case .count: number(instruction.count)
    case .len: number(instruction.len)
    case .sor: output.append(decimal: Int64(instruction.sor) * 8)
    case .byteMix: output += byteMix(instruction.mbtype).utf8
    case .halfMix: prefixed(UInt64(instruction.mhtype))
    case .omask: prefixed(UInt64(instruction.omask))
    case .accessHint:
      output += "dahr".utf8
      number(instruction.r3)
    }
  }

  private static func byteMix(_ type: UInt8) -> String {
    switch type {
    case 0: "@brcst"
    case 8: "@mix"
    case 9: "@shuf"
    case 10: "@alt"
    case 11: "@rev"
    default: "0x" + String(type, radix: 16)
    }
  }

  /// The name of an application register: `ar.pfs`, or `ar` and the number of a reserved one.
  public static func applicationRegister(_ number: UInt8) -> String {
    switch number {
    case 0...7: "ar.k\(number)"
    case 16: "ar.rsc"
    case 17: "ar.bsp"
    case 18: "ar.bspstore"
    case 19: "ar.rnat"
    case 21: "ar.fcr"
    case 24: "ar.eflag"
    case 25: "ar.csd"
    case 26: "ar.ssd"
    case 27: "ar.cflg"
    case 28: "ar.fsr"
    case 29: "ar.fir"
    case 30: "ar.fdr"
    case 32: "ar.ccv"
    case 36: "ar.unat"
    case 40: "ar.fpsr"
    case 44: "ar.itc"
    case 45: "ar.ruc"
    case 64: "ar.pfs"
    case 65: "ar.lc"
    case 66: "ar.ec"
    default: "ar\(number)"
    }
  }

  /// The name of a control register: `cr.iva`, or `cr` and the number of a reserved one.
  public static func controlRegister(_ number: UInt8) -> String {
    switch number {
    case 0: "cr.dcr"
    case 1: "cr.itm"
    case 2: "cr.iva"
    case 8: "cr.pta"
    case 16: "cr.ipsr"
    case 17: "cr.isr"
    case 19: "cr.iip"
    case 20: "cr.ifa"
    case 21: "cr.itir"
    case 22: "cr.iipa"
    case 23: "cr.ifs"
    case 24: "cr.iim"
    case 25: "cr.iha"
    case 26: "cr.iib0"
    case 27: "cr.iib1"
    case 64: "cr.lid"
    case 65: "cr.ivr"
    case 66: "cr.tpr"
    case 67: "cr.eoi"
    case 68...71: "cr.irr\(number - 68)"
    case 72: "cr.itv"
    case 73: "cr.pmv"
    case 74: "cr.cmcv"
    case 80: "cr.lrr0"
    case 81: "cr.lrr1"
    default: "cr\(number)"
    }
  }
}

extension Instruction: CustomStringConvertible {
  /// The text at address 0, the predicate before it if there is one.
  public var description: String {
    let text = Disassembler.text(self, at: 0)
    return String(text.drop { $0 == " " })
  }
}

/// The text form of every row and of the pseudo-operations that stand for a row with certain operands.
private struct FormTable: Sendable {
  struct Pseudo: Sendable {
    let condition: @Sendable (Instruction) -> Bool
    let form: TextForm

    init(_ syntax: StaticString, when condition: @escaping @Sendable (Instruction) -> Bool) {
      form = TextForm(Syntax(syntax))
      self.condition = condition
    }
  }

  static let shared = FormTable()
  let rows: [TextForm]
  /// For each row the pseudo-operations it may be, the first that fits counts.
  let pseudo: [[Pseudo]]

  init() {
    rows = instructionTable.map { TextForm(Syntax($0.syntax)) }
    var pseudo = [[Pseudo]](repeating: [], count: rows.count)
    for (opcode, list) in FormTable.pseudoOperations { pseudo[opcode.index] = list }
    self.pseudo = pseudo
  }

  func form(_ instruction: Instruction) -> TextForm {
    let index = instruction.opcode.index
    for candidate in pseudo[index] where candidate.condition(instruction) { return candidate.form }
    return rows[index]
  }

  /// What objdump writes in another form.
  static let pseudoOperations: [(Opcode, [Pseudo])] = [
    (.adds, [Pseudo("mov r1=r3") { $0.imm == 0 }]),
    (.addl, [Pseudo("mov r1=imm") { $0.r3 == 0 }]),
    (.extr, [Pseudo("shr r1=r3,pos") { $0.len == 64 - $0.pos }]),
    (.extr_u, [Pseudo("shr.u r1=r3,pos") { $0.len == 64 - $0.pos }]),
    (.dep_z, [Pseudo("shl r1=r2,pos") { $0.len == 64 - $0.pos }]),
    (.mov_to_br, [Pseudo("mov b1=r2") { $0.hint == 1 }]),
    (.br_cond, [Pseudo("br{ph}{dh} target") { $0.qp == 0 && $0.hint & 6 == 0 }]),
    (.br_cond_indirect, [Pseudo("br{ph}{dh} b2") { $0.qp == 0 && $0.hint & 6 == 0 }]),
    (.brl_cond, [Pseudo("brl{ph}{dh} target") { $0.qp == 0 && $0.hint & 6 == 0 }]),
    (.fma, multiplyAdd("fnorm{sf} f1=f3", "fmpy{sf} f1=f3,f4", "fadd{sf} f1=f3,f2")),
    (.fma_s, multiplyAdd("fnorm.s{sf} f1=f3", "fmpy.s{sf} f1=f3,f4", "fadd.s{sf} f1=f3,f2")),
    (.fma_d, multiplyAdd("fnorm.d{sf} f1=f3", "fmpy.d{sf} f1=f3,f4", "fadd.d{sf} f1=f3,f2")),
    (.fpma, [Pseudo("fpmpy{sf} f1=f3,f4") { $0.f2 == 0 }]),
    (.fms, [Pseudo("fsub{sf} f1=f3,f2") { $0.f4 == 1 }]),
    (.fms_s, [Pseudo("fsub.s{sf} f1=f3,f2") { $0.f4 == 1 }]),
    (.fms_d, [Pseudo("fsub.d{sf} f1=f3,f2") { $0.f4 == 1 }]),
    (.fnma, [Pseudo("fnmpy{sf} f1=f3,f4") { $0.f2 == 0 }]),
    (.fnma_s, [Pseudo("fnmpy.s{sf} f1=f3,f4") { $0.f2 == 0 }]),
    (.fnma_d, [Pseudo("fnmpy.d{sf} f1=f3,f4") { $0.f2 == 0 }]),
    (.fpnma, [Pseudo("fpnmpy{sf} f1=f3,f4") { $0.f2 == 0 }]),
    (.xma_l, [Pseudo("xmpy.l f1=f3,f4") { $0.f2 == 0 }]),
    (.xma_h, [Pseudo("xmpy.h f1=f3,f4") { $0.f2 == 0 }]),
    (.xma_hu, [Pseudo("xmpy.hu f1=f3,f4") { $0.f2 == 0 }]),
    (.fmerge_s, [Pseudo("mov f1=f3") { $0.f2 == $0.f3 }, Pseudo("fabs f1=f3") { $0.f2 == 0 }]),
    (.fmerge_ns, [Pseudo("fneg f1=f3") { $0.f2 == $0.f3 }, Pseudo("fnegabs f1=f3") { $0.f2 == 0 }]),
    (.fpmerge_s, [Pseudo("fpabs f1=f3") { $0.f2 == 0 }]),
    (.fpmerge_ns, [Pseudo("fpneg f1=f3") { $0.f2 == $0.f3 }, Pseudo("fpnegabs f1=f3") { $0.f2 == 0 }]),
  ]

  private static func multiplyAdd(_ norm: StaticString, _ multiply: StaticString, _ add: StaticString) -> [Pseudo] {
    [
      Pseudo(norm) { $0.f2 == 0 && $0.f4 == 1 }, Pseudo(multiply) { $0.f2 == 0 }, Pseudo(add) { $0.f4 == 1 },
    ]
  }
}
