// The instruction table checks itself: every row stands at its opcode's index, no slot fits two rows, every bit of an
// encoding has a meaning, and every operand of a row's syntax has a field behind it.
import Testing

import IA64

@Suite struct TableTests {
  @Test func rowsStandAtTheirOpcodesIndex() {
    #expect(instructionTable.count == Opcode.rowCount)
    for (index, row) in instructionTable.enumerated() { #expect(Int(row.opcode.rawValue) == index) }
    for opcode in Opcode.allCases {
      #expect(opcode.index == Int(opcode.rawValue))
      #expect(Opcode(unchecked: opcode.rawValue) == opcode)
    }
  }

  @Test func sizesEnginesRelyOn() {
    #expect(MemoryLayout<Instruction>.size == 24)
    #expect(MemoryLayout<Instruction>.stride == 24)
    #expect(MemoryLayout<Opcode>.size == 2)
  }

  @Test func noSlotFitsTwoRows() {
    let rows = instructionTable.map { CompiledRow($0) }
    for first in rows.indices {
      let unit = instructionTable[first].format.unit
      for second in rows.indices.dropFirst(first + 1) {
        let other = instructionTable[second].format.unit
        let shared = unit == other || unit == .A && (other == .I || other == .M)
        guard shared else { continue }
        let common = rows[first].mask & rows[second].mask
        #expect(
          (rows[first].value ^ rows[second].value) & common != 0,
          "\(rows[first].opcode) and \(rows[second].opcode) overlap")
      }
    }
  }

  @Test func everyBitHasAMeaning() {
    for row in instructionTable {
      let runs = CompiledRow.runs(of: row.encoding)
      let slotBits = runs.filter { $0.from < 64 }.reduce(0) { $0 + Int($1.width) }
      #expect(slotBits == 41)
      #expect(runs.contains { $0.from >= 64 } == (row.format.unit == .X))
      for (letter, from, _) in runs {
        #expect("01qABCDabcdesfxyzXYpkwtuh-o".unicodeScalars.contains(letter), "\(row.opcode): \(letter)")
        switch letter {
        case "q": #expect(from == 0)
        case "A": #expect(from == 6)
        case "B": #expect(from == 13)
        case "D": #expect(from == 27)
        default: break
        }
      }
      let compiled = CompiledRow(row)
      #expect(compiled.auxWidth <= 32)
      #expect(compiled.hintWidth <= 4)
      #expect(compiled.immediateWidth <= 64)
    }
  }

  /// A register or immediate that is printed has a field, and a field is printed.
  @Test func operandsAndFieldsAgree() {
    for row in instructionTable {
      let compiled = CompiledRow(row)
      let syntax = Syntax(row.syntax)
      let masks = [compiled.r1Mask, compiled.r2Mask, compiled.r3Mask, compiled.r4Mask]
      let named = Set(syntax.operands.map { $0.field }).union(syntax.mentionsIndirectR3 ? [3] : [])
      for field in 1...4 {
        #expect((masks[field - 1] != 0) == named.contains(field), "\(row.opcode): field \(field)")
      }
      let kinds = (0..<Int(compiled.pieceCount)).map { compiled.pieces[$0].kind }
      let immediates = syntax.operands.filter { $0.file == .immediate && $0.name != "dahr3" }
      let fields = kinds.filter { $0 != .hint && $0 != .ignored }
      #expect(immediates.isEmpty == fields.isEmpty, "\(row.opcode)")
      #expect(syntax.completers.isEmpty == !kinds.contains(.hint), "\(row.opcode)")
      let completerBits = syntax.completers.reduce(0) { $0 + Int($1.width) }
      #expect(completerBits == Int(compiled.hintWidth), "\(row.opcode)")
    }
  }

  @Test func templates() {
    #expect(Template.valid.count == 24)
    #expect(Template(rawValue: 0x04).isLong)
    #expect(Template(rawValue: 0x03).hasStop(after: 1) && Template(rawValue: 0x03).hasStop(after: 2))
    #expect(Template(rawValue: 0x0a).hasStop(after: 0) && !Template(rawValue: 0x0a).hasStop(after: 2))
    #expect(Template(rawValue: 0x1d).name == "MFB")
    #expect(!Template(rawValue: 0x06).isValid)
    let bundle = InstructionBundle(template: Template(rawValue: 0x10), 1, 0x1ff_ffff_fffe, 0x155_5555_5555)
    #expect((bundle[0], bundle[1], bundle[2]) == (1, 0x1ff_ffff_fffe, 0x155_5555_5555))
    #expect(bundle.template.rawValue == 0x10)
  }
}

extension Syntax {
  /// An indirect register file or a data access hint register, whose number is in field 3.
  fileprivate var mentionsIndirectR3: Bool { operands.contains { $0.name == "dahr3" } }
}
