// Conversions between register format and memory formats: what ldf*, stf*, setf and getf do to the bits.
//
// SDM volume 1, section 5.3 (figures 5-4 to 5-9). They are pure rearrangements: nothing is rounded and no
// exception is raised, so a store of a value that does not fit the format stores the bits the figures name.
// NaT and NaTVal are the caller's: loads and setf know nothing of them, getf and stores of NaTVal differ by
// instruction (a fault for stores other than stf.spill, a NaT bit for getf).

extension RegisterFloat {
  // MARK: Loads and setf

  /// ldfs, setf.s. A single denormal becomes an unnormal with the smallest single exponent, 0x0ff81.
  @inlinable package init(single bits: UInt32) {
    let exponent = UInt64(bits >> 23) & 0xff
    let fraction = UInt64(bits & 0x7f_ffff) << 40
    self.init(
      sign: bits >> 31 != 0, memoryExponent: exponent, all: 0xff, rebias: 0xffff - 127, denormal: 0xff81,
      fraction: fraction)
  }

  /// ldfd, setf.d. A double denormal becomes an unnormal with the smallest double exponent, 0x0fc01.
  @inlinable package init(double bits: UInt64) {
    let exponent = bits >> 52 & 0x7ff
    let fraction = (bits & 0xf_ffff_ffff_ffff) << 11
    self.init(
      sign: bits >> 63 != 0, memoryExponent: exponent, all: 0x7ff, rebias: 0xffff - 1023, denormal: 0xfc01,
      fraction: fraction)
  }

  @inlinable init(
    sign: Bool, memoryExponent: UInt64, all: UInt64, rebias: UInt64, denormal: UInt64, fraction: UInt64
  ) {
    let signBit = sign ? RegisterFloat.signBit : 0
    if memoryExponent == 0 {
      self.init(significand: fraction, signExponent: signBit | (fraction == 0 ? 0 : denormal))
    } else {
      let exponent = memoryExponent == all ? RegisterFloat.specialExponent : memoryExponent + rebias
      self.init(significand: fraction | RegisterFloat.integerBit, signExponent: signBit | exponent)
    }
  }

  /// ldfe. The significand is taken as it is; an exponent of zero stays zero (a double-extended denormal).
  /// - Parameter signExponent: the upper 16 bits of the 80: sign in bit 15, exponent below.
  @inlinable package init(extendedSignificand significand: UInt64, signExponent bits: UInt16) {
    let exponent = UInt64(bits & 0x7fff)
    let mapped = exponent == 0 ? 0 : exponent == 0x7fff ? RegisterFloat.specialExponent : exponent + 0xc000
    self.init(significand: significand, signExponent: (bits >> 15 != 0 ? RegisterFloat.signBit : 0) | mapped)
  }

  /// setf.exp: sign in bit 17, exponent in bits 16:0 of the general register; the significand is 1.0.
  @inlinable package init(setfExponent bits: UInt64) {
    self.init(significand: RegisterFloat.integerBit, signExponent: bits)
  }

  /// ldf.fill, from the two 8-byte words at the lower and the higher address (little-endian memory).
  @inlinable package init(spillLow: UInt64, spillHigh: UInt64) {
    self.init(significand: spillLow, signExponent: spillHigh)
  }

  // MARK: Stores and getf

  /// stfs, getf.s: exponent bits 16 and 6:0 and the upper 23 fraction bits; without the integer bit, exponent 0.
  @inlinable package var single: UInt32 {
    let exponent = significand >> 63 == 0 ? 0 : (signExponent >> 16 & 1) << 7 | (signExponent & 0x7f)
    let sign = signExponent >> 17 & 1
    return UInt32(truncatingIfNeeded: sign << 31 | exponent << 23 | (significand >> 40 & 0x7f_ffff))
  }

  /// stfd, getf.d: exponent bits 16 and 9:0 and the upper 52 fraction bits; without the integer bit, exponent 0.
  @inlinable package var double: UInt64 {
    let exponent = significand >> 63 == 0 ? 0 : (signExponent >> 16 & 1) << 10 | (signExponent & 0x3ff)
    let sign = signExponent >> 17 & 1
    return sign << 63 | exponent << 52 | (significand >> 11 & 0xf_ffff_ffff_ffff)
  }

  /// stfe's upper 16 bits: sign, exponent bits 16 and 13:0. The lower 64 are the significand.
  @inlinable package var extendedSignExponent: UInt16 {
    let upper = (signExponent >> 17 & 1) << 15 | (signExponent >> 16 & 1) << 14
    return UInt16(truncatingIfNeeded: upper | (signExponent & 0x3fff))
  }

  /// getf.exp: sign in bit 17, exponent in bits 16:0.
  @inlinable package var getfExponent: UInt64 { signExponent }
}
