// Bytes and bundles as listings of the cross tools give them.
import IA64

func bytes(_ hex: String) -> [UInt8] {
  let digits = hex.compactMap(\.hexDigitValue)
  return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

func bundle(_ hex: String) -> InstructionBundle {
  bytes(hex).withUnsafeBytes { InstructionBundle(loadingFrom: $0.baseAddress!) }
}
