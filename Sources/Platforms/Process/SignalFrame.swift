// The frame of a signal handler as Linux 6.1/ia64 lays it out on the stack (arch/ia64/kernel/sigframe.h, struct
// sigcontext in arch/ia64/include/uapi/asm/sigcontext.h), and the registers around it (arch/ia64/kernel/signal.c,
// gate.S). The kernel enters a trampoline in the gate page, which spills the interrupted frame, switches the register
// backing store where the handler runs on a stack of its own, calls the handler and asks for rt_sigreturn; here all
// but the last of these is done at once.
import CSupport
import FloatingPoint
import Machine

/// Offsets in struct sigcontext, in bytes.
private enum Context {
  static let flags = 0, nat = 8, stack = 16, ip = 40, cfm = 48, userMask = 56, rsc = 64, bsp = 72, rnat = 80
  static let ccv = 88, unat = 96, fpsr = 104, pfs = 112, lc = 120, predicates = 128, branches = 136, general = 200
  static let floats = 464, storeBase = 2512, loadrs = 2520, csd = 2528, ssd = 2536, mask = 2640
  static let size = 2656
  /// IA64_SC_FLAG_ONSTACK, IA64_SC_FLAG_FPH_VALID.
  static let onStack: UInt64 = 1, highFloats: UInt64 = 4
}

/// Offsets in struct sigframe: the handler's three arguments, its descriptor, siginfo, sigcontext.
private enum Frame {
  static let handler = 24, info = 32, context = 160
  static let size = context + Context.size
}

/// The page of region 5 that every process has (GATE_ADDR): handlers return to the bundle in it.
package enum GatePage {
  package static let address: UInt64 = 0xa000_0000_0000_0000
  /// [MI;I] adds r15 = 1181 (rt_sigreturn), r0 ;; break.i 0x100000
  private static let bundle: [UInt8] = [
    0x03, 0x78, 0x74, 0x00, 0x09, 0x21, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x08,
  ]
  /// Where the bundle stands: not at the page's first one, which no jump to the bare address may find.
  package static let signalReturn = address + 0x40
  nonisolated(unsafe) package static let host: UnsafeMutableRawPointer = {
    let page = UnsafeMutableRawPointer.allocate(byteCount: 4096, alignment: 4096)
    // Elsewhere the page holds break 0 (all bits zero).
    page.initializeMemory(as: UInt8.self, repeating: 0, count: 4096)
    (page + 0x40).copyMemory(from: bundle, byteCount: bundle.count)
    return page
  }()
}

/// Scratch registers, which a handler may change and rt_sigreturn brings back: all static ones but r4 to r7.
private let scratchRegisters = Array(1...3) + Array(8...31)

/// The words of a frame as it is put together or read.
private struct FrameBytes {
  var bytes: [UInt8]

  func word(_ offset: Int) -> UInt64 {
    bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: UInt64.self) }
  }
  mutating func set(_ offset: Int, _ value: UInt64) {
    bytes.withUnsafeMutableBytes { $0.storeBytes(of: value, toByteOffset: offset, as: UInt64.self) }
  }
}

extension LinuxProcess {
  /// Enters the handler of `action` with the registers of the current thread as they are; false where its stack can't
  /// take the frame. `info` is the siginfo.
  func enterHandler(_ signal: Int32, _ info: [UInt8], _ action: SignalAction) -> Bool {
    guard let cpu = current.cpu, let entry = try? memory.load(action.handler, as: UInt64.self),
      let pointer = try? memory.load(action.handler &+ 8, as: UInt64.self)
    else { return false }
    let interrupted = cpu.readGR(12)
    guard let place = framePlace(cpu, action),
      memory.accessibleLength(place.address, UInt64(Frame.size), .write) == UInt64(Frame.size)
    else { return false }
    var frame = FrameBytes(bytes: [UInt8](repeating: 0, count: Frame.size))
    frame.set(0, UInt64(signal))
    frame.set(8, place.address + UInt64(Frame.info))
    frame.set(16, place.address + UInt64(Frame.context))
    frame.set(Frame.handler, action.handler)
    frame.bytes.replaceSubrange(Frame.info..<Frame.info + info.count, with: info)
    saveRegisters(cpu, &frame, interrupted: interrupted)
    spillFrame(cpu, &frame, newStore: place.store)
    guard (try? memory.write(frame.bytes, to: place.address)) != nil, cpu.rseAlloc(sof: 3, sol: 0, sor: 0) == .done
    else { return false }
    for register in scratchRegisters { cpu.staticNaT[register] = 0 }
    for index in 0..<3 { cpu.writeGR(32 + index, frame.word(8 * index), nat: false) }
    cpu.rseCall()
    cpu.writeGR(1, pointer)
    cpu.writeGR(12, place.address - 16)
    cpu.branches[0] = GatePage.signalReturn
    cpu.pointee.ar_fpsr = 0x9804_c027_0033f
    cpu.setPSR(cpu.pointee.psr & ~(PSR.be | PSR.oneShot))
    cpu.pointee.ip = entry & ~15
    cpu.pointee.ri = 0
    return true
  }

  /// Where the frame goes, and where the handler's register backing store begins if that is switched as well.
  private func framePlace(_ cpu: CPU, _ action: SignalAction) -> (address: UInt64, store: UInt64?)? {
    let stack = current.alternateStack
    var top = cpu.readGR(12)
    var store: UInt64?
    if action.flags & SignalAction.onStack != 0, stack.flags & 2 == 0 {
      if !stack.holds(top) {
        top = stack.base &+ stack.size
        if cpu.pointee.ar_bspstore &- stack.base >= stack.size { store = (stack.base &+ 7) & ~7 }
      } else if !stack.holds((top &- UInt64(Frame.size)) & ~15) {
        return nil  // it would overflow
      }
    }
    return ((top &- UInt64(Frame.size)) & ~15, store)
  }

  private func saveRegisters(_ cpu: CPU, _ frame: inout FrameBytes, interrupted: UInt64) {
    func set(_ offset: Int, _ value: UInt64) { frame.set(Frame.context + offset, value) }
    var nat: UInt64 = 0
    for register in 1..<32 {
      if cpu.readNaT(register) { nat |= 1 << UInt64(register) }
      set(Context.general + 8 * register, cpu.readGR(register))
    }
    let stack = current.alternateStack
    let high = cpu.pointee.psr & PSR.mfh != 0
    set(Context.flags, (stack.holds(interrupted) ? Context.onStack : 0) | (high ? Context.highFloats : 0))
    set(Context.nat, nat)
    set(Context.stack, stack.base)
    set(Context.stack + 8, UInt64(UInt32(bitPattern: stack.flags)))
    set(Context.stack + 16, stack.size)
    set(Context.ip, cpu.pointee.ip | UInt64(cpu.pointee.ri))
    set(Context.userMask, cpu.pointee.psr & PSR.userMask)
    set(Context.rsc, cpu.pointee.ar_rsc)
    set(Context.ccv, cpu.pointee.ar_ccv)
    set(Context.unat, cpu.pointee.ar_unat)
    set(Context.fpsr, cpu.pointee.ar_fpsr)
    set(Context.pfs, cpu.pointee.ar_pfs)
    set(Context.lc, cpu.pointee.ar_lc)
    set(Context.predicates, cpu.physicalPredicates)
    set(Context.csd, cpu.pointee.ar_csd)
    set(Context.ssd, cpu.pointee.ar_ssd)
    set(Context.mask, current.mask)
    for index in 0..<8 { set(Context.branches + 8 * index, cpu.branches[index]) }
    for index in 2..<(high ? 128 : 32) {
      let value = cpu.unpack(cpu.floats[index])
      set(Context.floats + 16 * index, value.significand)
      set(Context.floats + 16 * index + 8, value.sign_exponent)
    }
    if stack.flags & GuestThread.AlternateStack.autoDisarm != 0 { current.alternateStack = .init() }
  }

  /// Puts the interrupted frame among the dirty registers. Where the backing store is switched these are stored before,
  /// which the register stack engine may do at any time, so that a longjmp out of the handler finds them; what can't be
  /// stored goes to the new backing store, and how much that is is noted for the way back.
  private func spillFrame(_ cpu: CPU, _ frame: inout FrameBytes, newStore: UInt64?) {
    func set(_ offset: Int, _ value: UInt64) { frame.set(Frame.context + offset, value) }
    set(Context.cfm, cpu.pointee.frame_incomplete != 0 ? cpu.rseAbandonFrame() : cpu.rseCover())
    set(Context.bsp, cpu.readBSP())
    guard let newStore else { return }
    if cpu.rseFlush() != .done { cpu.pointee.trap.pending = 0 }
    set(Context.storeBase, newStore)
    set(Context.rnat, cpu.pointee.ar_rnat)
    cpu.writeBSPSTORE(newStore)
    set(Context.loadrs, (cpu.readBSP() &- newStore) << 16)
  }

  // MARK: The way back

  /// rt_sigreturn: takes back what the frame at r12 + 16 holds.
  func signalReturn(_ call: SystemCall) throws(Errno) -> SystemCallResult {
    var result = SystemCallResult.success(0)
    result.keepsRegisters = true
    guard let cpu = current.cpu,
      let bytes = try? memory.read(cpu.readGR(12) &+ UInt64(16 + Frame.context), UInt64(Context.size)),
      restoreRegisters(cpu, FrameBytes(bytes: bytes))
    else {
      // The kernel kills what can't return.
      result.end = .killed(signal: 11)
      return result
    }
    return result
  }

  private func restoreRegisters(_ cpu: CPU, _ frame: FrameBytes) -> Bool {
    // A handler can write anything there; a processor takes no reserved field.
    let fpsr = FPSR(bits: frame.word(Context.fpsr))
    guard fpsr.isLegal, restoreBackingStore(cpu, frame) else { return false }
    let nat = frame.word(Context.nat)
    for register in scratchRegisters {
      cpu.writeGR(register, frame.word(Context.general + 8 * register), nat: nat >> UInt64(register) & 1 != 0)
    }
    cpu.pointee.ar_rsc = frame.word(Context.rsc) & 0x3fff_001f | 0xc
    cpu.pointee.ar_unat = frame.word(Context.unat)
    cpu.pointee.ar_fpsr = fpsr.bits
    cpu.pointee.ar_pfs = frame.word(Context.pfs)
    cpu.pointee.ar_ccv = frame.word(Context.ccv)
    cpu.pointee.ar_lc = frame.word(Context.lc)
    cpu.pointee.ar_csd = frame.word(Context.csd)
    cpu.pointee.ar_ssd = frame.word(Context.ssd)
    cpu.physicalPredicates = frame.word(Context.predicates)
    for index in [0, 6, 7] { cpu.branches[index] = frame.word(Context.branches + 8 * index) }
    let high = frame.word(Context.flags) & Context.highFloats != 0
    for index in Array(6...15) + (high ? Array(32...127) : []) {
      cpu.floats[index] = kt_fr(
        significand: frame.word(Context.floats + 16 * index),
        sign_exponent: frame.word(Context.floats + 16 * index + 8) & 0x3ffff)
    }
    cpu.setPSR(cpu.pointee.psr & ~(PSR.userMask | PSR.oneShot) | frame.word(Context.userMask) & PSR.userMask)
    cpu.pointee.ip = frame.word(Context.ip) & ~15
    cpu.pointee.ri = UInt32(min(2, frame.word(Context.ip) & 3))
    cpu.rseRestoreInterruptedFrame(frame.word(Context.cfm) | 1 << 63)
    current.alternateStack = .init(
      base: frame.word(Context.stack), flags: Int32(truncatingIfNeeded: frame.word(Context.stack + 8)) & ~1,
      size: frame.word(Context.stack + 16))
    setMask(frame.word(Context.mask))
    return true
  }

  /// Switches back to the interrupted backing store: what of it went to the handler's is loaded from there first.
  private func restoreBackingStore(_ cpu: CPU, _ frame: FrameBytes) -> Bool {
    cpu.pointee.cfm = 0
    let base = frame.word(Context.bsp), present = cpu.readBSP()
    if base == present { return true }
    let dirty = frame.word(Context.loadrs) >> 16
    guard dirty < 1 << 20, cpu.rseLoad(bytes: dirty) == .done else { return false }
    cpu.writeBSPSTORE(skipRegisters(base, -registersBetween(present &- dirty, present)))
    cpu.pointee.ar_rnat = frame.word(Context.rnat)
    return true
  }
}

extension UnsafeMutablePointer where Pointee == kt_cpu {
  /// The predicates in the order of their physical numbers, as `mov r1=pr` gives them (SDM vol. 3, mov pr).
  var physicalPredicates: UInt64 {
    get {
      var word: UInt64 = 0
      for index in 0..<64 where predicates[index] != 0 { word |= 1 << UInt64(index) }
      return word
    }
    nonmutating set {
      for index in 1..<64 { predicates[index] = UInt8(newValue >> UInt64(index) & 1) }
    }
  }
}
