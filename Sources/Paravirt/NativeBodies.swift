// What replaces a call site under the `native` backend: the code of each operation between its labels
// ia64_native_<op>_direct_start and _direct_end, as Linux's patcher copies it. Taken from the guest's own image where
// that has it, so that a site is patched to the very bytes the guest would have written; else Kittson's own.
import IA64
import Machine

/// Replacement code by patch type.
package struct NativeBodies: Sendable {
  package enum Origin: String, Sendable {
    case image, builtin
  }

  package struct Body: Sendable, Equatable {
    package var bytes: [UInt8]
    package var origin: Origin
  }

  private var bodies: [PatchType: Body] = [:]

  /// Kittson's own bodies.
  package init() { bodies = NativeBodies.own }

  /// The bodies of an image, completed by Kittson's own.
  package init(_ image: ELFImage, symbols: ELFSymbols) {
    self.init()
    for (type, start, end) in NativeBodies.labels {
      if let bytes = NativeBodies.between(start, end, image, symbols) {
        bodies[type] = Body(bytes: bytes, origin: .image)
      }
    }
  }

  private static let own: [PatchType: Body] = {
    var bodies: [PatchType: Body] = [:]
    for type in PatchType.all {
      guard let bundles = builtin(type) else { continue }
      bodies[type] = Body(bytes: bundles.flatMap(\.bytes), origin: .builtin)
    }
    return bodies
  }()

  private static let labels: [(type: PatchType, start: String, end: String)] = PatchType.all
    .filter { $0.operation != nil }
    .map { ($0, "ia64_native_\(labelName($0))_direct_start", "ia64_native_\(labelName($0))_direct_end") }

  package subscript(type: PatchType) -> Body? { bodies[type] }

  /// The code alone, by type.
  package var bytes: [PatchType: [UInt8]] { bodies.mapValues(\.bytes) }

  private static func between(
    _ startLabel: String, _ endLabel: String, _ image: ELFImage, _ symbols: ELFSymbols
  ) -> [UInt8]? {
    guard let start = symbols.value(of: startLabel), let end = symbols.value(of: endLabel),
      start & 15 == 0, end & 15 == 0, end > start, end - start <= 1024,
      let offset = image.fileOffset(ofVirtual: start, count: end - start)
    else { return nil }
    return Array(image.bytes[offset..<offset + Int(end - start)])
  }

  /// How Linux spells a type in its labels: "thash", "getreg_AR_KR0", "setreg_PSR_L".
  package static func labelName(_ type: PatchType) -> String {
    guard let operation = type.operation else { return "" }
    guard let register = type.register else { return operation.name }
    return operation.name + "_" + labelName(register, written: operation == .setreg)
  }

  private static func labelName(_ register: KernelRegister, written: Bool) -> String {
    if register == .psr { return written ? "PSR_L" : "PSR" }
    if let number = register.applicationRegister {
      if number < 8 { return "AR_KR\(number)" }
      if number == 27 { return "AR_CFLAG" }
    }
    return String(register.name.map { $0 == "." ? "_" : Character($0.uppercased()) })
  }

  // MARK: Kittson's own bodies (encodings: SDM vol. 3, chapter 4)

  private static let mii = Template(rawValue: 0x01)  // stop at the end
  private static let miiMiddle = Template(rawValue: 0x03)  // stops behind slots 1 and 2
  private static let mmi = Template(rawValue: 0x0b)  // stops behind slots 0 and 2

  /// The M-unit system instruction with extension x6 in bits 32:27 (formats M32 to M47).
  private static func system(_ x6: UInt64, x3: UInt64 = 0, r1: UInt64 = 0, r2: UInt64 = 0, r3: UInt64 = 0) -> UInt64 {
    1 << 37 | x3 << 33 | x6 << 27 | r3 << 20 | r2 << 13 | r1 << 6
  }

  /// dep.z r1 = imm8, pos, len (format I13).
  private static func depositZero(_ r1: UInt64, _ imm8: UInt64, position: UInt64, length: UInt64) -> UInt64 {
    5 << 37 | 1 << 34 | 1 << 33 | (imm8 >> 7) << 36 | (length - 1) << 27 | 1 << 26 | (63 - position) << 20
      | (imm8 & 0x7f) << 13 | r1 << 6
  }

  /// ssm (x4 = 6) or rsm (7) of psr.i under a predicate (format M44).
  private static func maskInterrupts(_ x4: UInt64, predicate: UInt64 = 0) -> UInt64 {
    x4 << 27 | 1 << (6 + 14) | predicate  // the 21 low bits of the mask stand at 26:6; psr.i is bit 14
  }

  private static func single(_ slot: UInt64) -> [InstructionBundle] {
    [InstructionBundle(template: mii, slot, Code.nop, Code.nop)]
  }

  /// A body of Kittson's own; nil where the type has none (getreg of ip, r8, r9 and registers that can't be written).
  package static func builtin(_ type: PatchType) -> [InstructionBundle]? {
    switch type {
    case .fc: return single(system(0x30, r3: 8))
    case .thash: return single(system(0x1a, r1: 8, r3: 8))
    case .getCPUID: return single(system(0x17, r1: 8, r3: 8))
    case .getPMD: return single(system(0x15, r1: 8, r3: 8))
    case .ptcga: return single(system(0x0b, r2: 9, r3: 8))
    case .getRR: return single(system(0x10, r1: 8, r3: 8))
    case .setRR: return single(system(0x00, r2: 9, r3: 8))
    case .ssmI: return single(maskInterrupts(6))
    case .rsmI: return single(maskInterrupts(7))
    case .getPSRI:
      let and: UInt64 = 8 << 37 | 3 << 29 | 2 << 20 | 8 << 13 | 8 << 6  // and r8 = r8, r2
      return [
        InstructionBundle(
          template: miiMiddle, system(0x25, r1: 8), depositZero(2, 1, position: 14, length: 1), and)
      ]
    case .irqRestore: return restoreInterrupts
    case .setRR0ToRR4: return setRegionRegisters
    default: return type.register.flatMap { register in builtin(register, written: type.isSetreg) }
    }
  }

  private static func builtin(_ register: KernelRegister, written: Bool) -> [InstructionBundle]? {
    if register == .psr { return single(written ? system(0x2d, r2: 8) : system(0x25, r1: 8)) }
    if let number = register.controlRegister {
      let cr = UInt64(number)
      return single(written ? system(0x2c, r2: 8, r3: cr) : system(0x24, r1: 8, r3: cr))
    }
    if let number = register.applicationRegister {
      if written, number == 17 { return nil }  // ar.bsp can only be read
      return [applicationMove(UInt64(number), written: written)]
    }
    switch register {
    case .gp, .sp, .tp:
      let number = UInt8(register.generalRegister ?? 0)
      if written, register == .tp { return nil }
      return single(written ? Code.move(number, from: 8) : Code.move(8, from: number))
    default: return nil
    }
  }

  /// ar0 to ar47 belong to the M unit (formats M31 and M29), ar48 to ar127 to the I unit (I28 and I26).
  private static func applicationMove(_ number: UInt64, written: Bool) -> InstructionBundle {
    if number < 48 {
      let slot = written ? system(0x2a, r2: 8, r3: number) : system(0x22, r1: 8, r3: number)
      return InstructionBundle(template: mii, slot, Code.nop, Code.nop)
    }
    let slot = written ? 0x2a << 27 | number << 20 | 8 << 13 : 0x32 << 27 | number << 20 | 8 << 6
    return InstructionBundle(template: mii, Code.nop, slot, Code.nop)
  }

  private static var restoreInterrupts: [InstructionBundle] {
    // cmp.eq p7, p6 = r8, r0 (format A6: opcode 0xe, p1 at 11:6, p2 at 32:27)
    let compare: UInt64 = 0xe << 37 | 6 << 27 | 8 << 13 | 7 << 6
    let serialize: UInt64 = 3 << 31 | 6  // (p6) srlz.d (format M24: x2 = 3 at 32:31, x4 = 0)
    return [
      InstructionBundle(template: Template(rawValue: 0x0a), compare, maskInterrupts(6, predicate: 6), Code.nop),
      InstructionBundle(template: mmi, maskInterrupts(7, predicate: 7), serialize, Code.nop),
    ]
  }

  private static var setRegionRegisters: [InstructionBundle] {
    let set = { (index: UInt64, value: UInt64) in system(0, r2: value, r3: index) }
    let region = { (register: UInt64, number: UInt64) in depositZero(register, number, position: 61, length: 3) }
    return [
      InstructionBundle(template: mii, set(0, 8), region(2, 1), region(3, 2)),
      InstructionBundle(template: mii, set(2, 9), region(15, 3), region(17, 4)),
      InstructionBundle(template: mmi, set(3, 10), set(15, 11), Code.nop),
      InstructionBundle(template: Template(rawValue: 0x09), set(17, 14), Code.nop, Code.nop),
    ]
  }
}
