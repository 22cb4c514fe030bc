// Guest code written in Swift: what the patchers put into sites where no image has it. Slots are encoded by the
// instruction table; a template is named by its units and stops, as in "M;MI;;" (SDM vol. 3, chapter 4).
import IA64

package enum Code {
  /// nop.m, nop.i and nop.f share one encoding (formats M48, I18, F16).
  package static let nop: UInt64 = 1 << 27
  /// nop.b (format B9).
  package static let nopB: UInt64 = 2 << 37

  /// The nop of a unit; nil for the long instruction's slots.
  package static func nop(_ unit: Unit?) -> UInt64? {
    switch unit {
    case .M, .I, .F: return nop
    case .B: return nopB
    default: return nil
    }
  }

  /// The bits of one instruction. Its fields must fit.
  package static func slot(
    _ opcode: Opcode, qp: UInt8 = 0, r1: UInt8 = 0, r2: UInt8 = 0, r3: UInt8 = 0, r4: UInt8 = 0, hint: UInt8 = 0,
    aux: UInt32 = 0, imm: Int64 = 0
  ) -> UInt64 {
    let instruction = Instruction(opcode: opcode, qp: qp, r1: r1, r2: r2, r3: r3, r4: r4, hint: hint, aux: aux, imm: imm)
    guard let encoded = Encoder.encode(instruction) else { preconditionFailure("\(opcode): a field does not fit") }
    return encoded.slot
  }

  /// adds r1 = 0, r3, which is how assemblers write mov r1 = r3.
  package static func move(_ r1: UInt8, from r3: UInt8) -> UInt64 { slot(.adds, r1: r1, r3: r3) }

  package static func bundle(
    _ template: String, _ slot0: UInt64, _ slot1: UInt64, _ slot2: UInt64
  ) -> InstructionBundle {
    guard let template = templates[template] else { preconditionFailure("no template \(template)") }
    return InstructionBundle(template: template, slot0, slot1, slot2)
  }

  /// { .mlx slot0; movl r1 = immediate } (format X2): slot 2 holds opcode 6 at 40:37, i at 36, imm9d at 35:27, imm5c at
  /// 26:22, ic at 21, imm7b at 19:13, r1 at 12:6; slot 1 the 41 bits 62:22 of the immediate.
  package static func movl(
    _ slot0: UInt64, _ r1: UInt8, _ immediate: UInt64, stop: Bool = true
  ) -> InstructionBundle {
    let slot2 =
      6 << 37 | UInt64(r1) << 6 | (immediate >> 63) << 36 | (immediate >> 7 & 0x1ff) << 27
      | (immediate >> 16 & 0x1f) << 22 | (immediate >> 21 & 1) << 21 | (immediate & 0x7f) << 13
    return InstructionBundle(template: Template(rawValue: stop ? 5 : 4), slot0, immediate >> 22, slot2)
  }

  /// The immediate of a bundle's movl, which must be one.
  package static func immediate(_ bundle: InstructionBundle) -> UInt64 {
    let slot = bundle.slot2
    let low = slot >> 13 & 0x7f | (slot >> 27 & 0x1ff) << 7 | (slot >> 22 & 0x1f) << 16 | (slot >> 21 & 1) << 21
    return low | bundle.slot1 << 22 | (slot >> 36 & 1) << 63
  }

  private static let templates: [String: Template] = {
    var templates: [String: Template] = [:]
    for template in Template.valid {
      let units = Array(template.name)
      let text = (0..<3).map { String(units[$0]) + (template.hasStop(after: $0) ? $0 == 2 ? ";;" : ";" : "") }
      templates[text.joined()] = template
    }
    return templates
  }()
}

extension InstructionBundle {
  /// The 16 bytes as they stand in memory.
  package var bytes: [UInt8] {
    [low, high].flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } }
  }
}
