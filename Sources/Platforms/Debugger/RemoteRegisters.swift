// A processor's registers as gdb's ia64 port numbers them (gdb/ia64-tdep.h): r0–r127 (0), f0–f127 in the spill format (128),
// predicates and NaT bits as pseudo-registers of gdb's own, b0–b7 (320), then pr, ip, psr, cfm and the application registers.
// Stacked registers have no number there: gdb reads the backing store below ar.bsp, which is therefore given as the end of the
// current frame, as Linux's ptrace does, and memory that has not been spilled yet is answered from the register file.
import CSupport
import FloatingPoint
import Machine

enum RemoteRegister {
  static let count = 462
  static let floats = 128..<256, branches = 320..<328
  static let predicates = 330, ip = 331, psr = 332, cfm = 333, applications = 334..<462

  static func size(_ number: Int) -> Int { floats.contains(number) ? 16 : 8 }
}

extension UnsafeMutablePointer where Pointee == kt_cpu {
  /// Where the backing store of the current frame ends.
  private var frameEnd: UInt64 { skipRegisters(readBSP(), Int64(sof)) }

  /// A register's bytes.
  func remoteRegister(_ number: Int) -> [UInt8] {
    if RemoteRegister.floats.contains(number) {
      // By physical numbers: gdb renames.
      let value = unpack(floats[number - RemoteRegister.floats.lowerBound])
      return bytes(of: value.significand) + bytes(of: value.sign_exponent)
    }
    return bytes(of: remoteWord(number))
  }

  private func bytes(of word: UInt64) -> [UInt8] { withUnsafeBytes(of: word.littleEndian) { Array($0) } }

  private func remoteWord(_ number: Int) -> UInt64 {
    switch number {
    case 0..<32: return readGR(number)
    case RemoteRegister.branches: return branches[number - RemoteRegister.branches.lowerBound]
    case RemoteRegister.predicates: return physicalPredicates
    case RemoteRegister.ip: return pointee.ip
    case RemoteRegister.psr: return pointee.psr | UInt64(pointee.ri) << PSR.riShift
    case RemoteRegister.cfm: return pointee.cfm
    case RemoteRegister.applications: return remoteApplication(number - RemoteRegister.applications.lowerBound)
    default: return 0
    }
  }

  private func remoteApplication(_ number: Int) -> UInt64 {
    switch number {
    case AR.bsp: return frameEnd
    case AR.bspstore: return pointee.ar_bspstore
    case AR.rnat: return collection(of: frameEnd & ~0x1ff, below: frameEnd)
    case 0...7, AR.rsc, AR.fcr, AR.eflag...AR.fdr, AR.ccv, AR.unat, AR.fpsr, AR.itc, AR.pfs, AR.lc, AR.ec:
      var value: UInt64 = 0
      return readAR(number, &value) == .done ? value : 0
    default: return 0
    }
  }

  /// Changes a register; false for one that can't be changed so, or not to that value.
  func setRemoteRegister(_ number: Int, _ bytes: [UInt8]) -> Bool {
    let words = bytes.withUnsafeBytes { raw in
      stride(from: 0, to: raw.count & ~7, by: 8).map { raw.loadUnaligned(fromByteOffset: $0, as: UInt64.self) }
    }
    guard bytes.count == RemoteRegister.size(number), let word = words.first else { return false }
    switch number {
    case 1..<32: writeGR(number, word, nat: false)
    case RemoteRegister.floats where number >= RemoteRegister.floats.lowerBound + 2:
      floats[number - RemoteRegister.floats.lowerBound] = kt_fr(significand: word, sign_exponent: words[1] & 0x3ffff)
    case RemoteRegister.branches: branches[number - RemoteRegister.branches.lowerBound] = word
    case RemoteRegister.predicates: physicalPredicates = word
    case RemoteRegister.ip: pointee.ip = word & ~15
    case RemoteRegister.psr:
      // gdb sets the slot here; of the rest a program may change the user mask.
      pointee.ri = UInt32(min(2, word >> PSR.riShift & 3))
      setPSR(pointee.psr & ~PSR.userMask | word & PSR.userMask)
    case RemoteRegister.applications: return setRemoteApplication(number - RemoteRegister.applications.lowerBound, word)
    default: return remoteWord(number) == word
    }
    return true
  }

  private func setRemoteApplication(_ number: Int, _ word: UInt64) -> Bool {
    switch number {
    case AR.unat, AR.ccv, AR.lc, AR.ec, AR.csd, AR.ssd: return writeAR(number, word) == .done
    case AR.fpsr where FPSR(bits: word).isLegal: pointee.ar_fpsr = word
    case AR.pfs where word & (0x3fff << 38 | 0xf << 58) == 0: pointee.ar_pfs = word
    default: return remoteApplication(number) == word
    }
    return true
  }

  // MARK: The backing store that is still in registers

  /// The ring's index of the register whose place in the backing store is `address`, if that has not been stored.
  private func unstored(_ address: UInt64) -> Int? {
    guard address >= pointee.ar_bspstore, address < frameEnd, !isCollectionAddress(address) else { return nil }
    return Int((pointee.store_position + registersBetween(pointee.ar_bspstore, address)) & ringIndexMask)
  }

  /// The NaT collection of the 63 registers from `base` on, as far as they lie below `end`.
  private func collection(of base: UInt64, below end: UInt64) -> UInt64 {
    var word: UInt64 = 0
    for index in 0..<63 as Range<UInt64> where base + 8 * index < end {
      let isNaT = unstored(base + 8 * index).map { pointee.ring_nat[$0] != 0 } ?? (pointee.ar_rnat >> index & 1 != 0)
      if isNaT { word |= 1 << index }
    }
    return word
  }

  /// The word of the backing store at `address` where memory does not hold it yet.
  func unstoredWord(_ address: UInt64) -> UInt64? {
    if let index = unstored(address) { return pointee.ring[index] }
    guard isCollectionAddress(address), address >= pointee.ar_bspstore, address < frameEnd else { return nil }
    return collection(of: address & ~0x1ff, below: address)
  }

  func setUnstoredWord(_ address: UInt64, _ word: UInt64) -> Bool {
    guard let index = unstored(address) else { return false }
    pointee.ring[index] = word
    return true
  }

  /// Names of the general registers that hold a NaT.
  var natNames: [String] { (1..<32 + sof).filter { readNaT($0) }.map { "r\($0)" } }
}
