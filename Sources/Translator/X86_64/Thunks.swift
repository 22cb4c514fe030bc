// The code every block shares: leaving, slow loads and stores, the interpreter's function, and the lookup of indirect
// branch targets. Emitted once at the start of the code cache.
import CSupport

/// What emitted code leaves in rax when it leaves: a kind in the low byte, a number above it.
enum ExitCode: UInt8 {
  case link = 0       // an exit that is not linked (or must look at events): number of its record
  case interpret = 1  // the interpreter is to execute the instruction of the exit record
  case resume = 2     // as link, but never linked
  case budget = 3     // the budget would end within the block: its number
  case lookup = 4     // ip is set
  case status = 5     // a service returned the status in the next byte: state is as it says
  case next = 6       // behind the instruction at ip/ri, which was the last of its bundle if the number is 1
}

/// Addresses in the writable mapping.
struct Thunks {
  var leave: UnsafeMutablePointer<UInt8>
  var load: UnsafeMutablePointer<UInt8>
  var store: UnsafeMutablePointer<UInt8>
  var interpret: UnsafeMutablePointer<UInt8>
  var indirect: UnsafeMutablePointer<UInt8>
  /// Where a return goes on that no landing has taken.
  var returning: UnsafeMutablePointer<UInt8>
  /// Brings bof, frame and frame_nat up to r15; registers are kept.
  var sync: UnsafeMutablePointer<UInt8>
  var float: UnsafeMutablePointer<UInt8>
  var pack: UnsafeMutablePointer<UInt8>
  var interpretFloat: UnsafeMutablePointer<UInt8>
  var nearLoad: UnsafeMutablePointer<UInt8>
  var nearStore: UnsafeMutablePointer<UInt8>
  var settle: UnsafeMutablePointer<UInt8>
  var indirectCache: UnsafeMutablePointer<IndirectLine>?
  var end: UnsafeMutablePointer<UInt8>
}

/// A line of the indirect-branch cache: 32 bytes.
struct IndirectLine {
  var target: UInt64 = ~0
  var key: UInt64 = 0
  var code: UInt64 = 0
  var reserved: UInt64 = 0

  static let count = 4096
  @inline(__always) static func index(_ target: UInt64, _ key: UInt64) -> Int {
    Int((target >> 4 ^ key) & UInt64(count - 1))
  }
}

enum ThunkEmitter {
  private static func state(_ offset: Int32) -> Address { Address(.rbx, offset - Int32(KT_CPU_BIAS)) }
  private static let saved: [Register] = [.rdx, .rsi, .rdi, .r8, .r9, .r10, .r11]
  /// nat_live, stop_request and event_check are bytes 0, 2 and 3 of one word.
  private static let attention: Int32 = Int32(bitPattern: 0xffff_00ff)

  /// Vector registers hold values across calls of the thunks that keep registers: their place above what is pushed.
  private static let vectorArea: Int32 = 112

  private static func saveVectors(_ a: inout Assembler) {
    a.arithmetic(.sub, .rsp, immediate: vectorArea)
    for x in Lowering.firstVector..<16 { a.storeDouble(Address(.rsp, Int32(x - Lowering.firstVector) * 8), x) }
  }

  /// Flags are kept.
  private static func restoreVectors(_ a: inout Assembler) {
    for x in Lowering.firstVector..<16 { a.loadDouble(x, Address(.rsp, Int32(x - Lowering.firstVector) * 8)) }
    a.loadEffectiveAddress(.rsp, Address(.rsp, vectorArea))
  }

  static func emit(
    at start: UnsafeMutablePointer<UInt8>, indirectCache: UnsafeMutablePointer<IndirectLine>?
  ) -> Thunks {
    var a = Assembler(at: start)
    let leave = a.cursor
    let leaveCode = kt_leave_address()
    a.move(.rcx, immediate: Int64(Int(bitPattern: leaveCode)))
    a.jump(.rcx)
    a.align(16)
    let load = a.cursor
    memoryThunk(&a, leave, isLoad: true)
    a.align(16)
    let store = a.cursor
    memoryThunk(&a, leave, isLoad: false)
    a.align(16)
    let interpret = a.cursor
    interpretThunk(&a, leave)
    a.align(16)
    let indirect = a.cursor
    indirectThunk(&a, leave)
    a.align(16)
    let returning = a.cursor
    returnThunk(&a, indirect, indirectCache, leave)
    a.align(16)
    let sync = a.cursor
    syncFrameIfMoved(&a)
    a.ret()
    a.align(16)
    let float = a.cursor
    floatThunk(&a)
    a.align(16)
    let pack = a.cursor
    packThunk(&a)
    a.align(16)
    let interpretFloat = a.cursor
    interpretFloatThunk(&a, leave)
    a.align(16)
    let nearLoad = a.cursor
    nearThunk(&a, tag: 0)
    a.align(16)
    let nearStore = a.cursor
    nearThunk(&a, tag: 8)
    a.align(16)
    let settle = a.cursor
    settleThunk(&a)
    a.align(16)
    return Thunks(
      leave: leave, load: load, store: store, interpret: interpret, indirect: indirect, returning: returning,
      sync: sync, float: float, pack: pack,
      interpretFloat: interpretFloat, nearLoad: nearLoad, nearStore: nearStore,
      settle: settle, indirectCache: indirectCache, end: a.cursor)
  }

  /// rax: address; ecx: size and, from bit 16, slots to give back if it faults; a store's value is in store_value.
  /// A load's value comes back in rax; a store compares event_check with 0 last. Other registers are kept. A fault leaves.
  private static func memoryThunk(_ a: inout Assembler, _ leave: UnsafeMutablePointer<UInt8>, isLoad: Bool) {
    saveVectors(&a)
    syncFrameIfMoved(&a)
    for r in saved { a.push(r) }
    a.push(.rcx)
    a.arithmetic(.sub, .rsp, immediate: 8)  // 16-byte aligned; [rsp] takes a load's value
    a.move32(.rdx, .rcx)
    a.shift(.right, .rdx, by: 16, .long)
    a.arithmetic(.add, .r13, .rdx)
    a.store(state(StateOffset.budget), .r13)
    a.loadEffectiveAddress(.rdi, Address(.rbx, -Int32(KT_CPU_BIAS)))
    a.move(.rsi, .rax)
    a.zeroExtend(.rdx, .rcx, .word)
    if isLoad {
      a.move(.rcx, .rsp)
    } else {
      a.load(.rcx, state(StateOffset.storeValue))
    }
    mergeInexact(&a)
    a.call(state(isLoad ? StateOffset.load : StateOffset.store))
    clearHostFlags(&a)
    a.load(.r13, state(StateOffset.budget))
    a.test(.rax, .rax, .long)
    let fault = a.shortJump(if: .notEqual)
    a.load(.rcx, Address(.rsp, 8))
    a.shift(.right, .rcx, by: 16, .long)
    a.arithmetic(.sub, .r13, .rcx)
    if isLoad { a.load(.rax, Address(.rsp)) }
    a.arithmetic(.add, .rsp, immediate: 8)
    a.pop(.rcx)
    for r in saved.reversed() { a.pop(r) }
    restoreVectors(&a)
    if !isLoad { a.arithmetic(.cmp, state(StateOffset.eventCheck), immediate: 0, .byte) }
    a.ret()
    a.bindShort(fault)
    a.arithmetic(.add, .rsp, immediate: 8 + 8 * 8 + vectorArea + 8)
    leaveWithStatus(&a, leave)
  }

  /// Computes floating-point results that are put off. All registers but rax and rcx are kept.
  private static func settleThunk(_ a: inout Assembler) {
    saveVectors(&a)
    for r in saved { a.push(r) }
    a.loadEffectiveAddress(.rdi, Address(.rbx, -Int32(KT_CPU_BIAS)))
    a.call(state(StateOffset.settle))
    for r in saved.reversed() { a.pop(r) }
    restoreVectors(&a)
    a.ret()
  }

  /// rax: what a tag is compared with; ecx: byte offset of a near line, which takes the line of that address where its
  /// tag at `tag` matches: flags as of that comparison. rcx and xmm0 are used.
  private static func nearThunk(_ a: inout Assembler, tag: Int32) {
    a.push(.rdx)
    a.move32(.rdx, .rax)
    a.shift(.right, .rdx, by: 7, .long)
    a.arithmetic(.and, .rdx, immediate: Int32(KT_STLB_LINES - 1) << 5, .long)
    a.arithmetic(.cmp, .rax, Address(.r14, tag, index: .rdx))
    let other = a.shortJump(if: .notEqual)
    for half in [Int32(0), 16] {
      a.loadVector(0, Address(.r14, half, index: .rdx))
      a.storeVector(Address(.r14, half, index: .rcx), 0)
    }
    a.bindShort(other)
    a.load(.rax, Address(.r14, 16, index: .rdx))
    a.pop(.rdx)
    a.ret()
  }

  /// rax: the word of `computeFloat`. All registers but rax and rcx are kept; flags as of comparing its answer with 0.
  private static func floatThunk(_ a: inout Assembler) {
    saveVectors(&a)
    for r in saved { a.push(r) }
    a.loadEffectiveAddress(.rdi, Address(.rbx, -Int32(KT_CPU_BIAS)))
    a.move(.rsi, .rax)
    a.move(.rax, immediate: Int64(unsafeBitCast(computeFloat, to: Int.self)))
    a.call(.rax)
    for r in saved.reversed() { a.pop(r) }
    restoreVectors(&a)
    a.test(.rax, .rax, .long)
    a.ret()
  }

  /// rax: significand, rcx: sign and exponent of a canonical register. ZF: rax is the packed double of the same value;
  /// otherwise there is none. All other registers are kept.
  private static func packThunk(_ a: inout Assembler) {
    a.push(.rdx)
    a.push(.rsi)
    a.move(.rdx, .rcx)
    a.arithmetic(.and, .rcx, immediate: 0x1ffff, .long)
    a.shift(.right, .rdx, by: 17)
    a.shift(.left, .rdx, by: 63)
    a.test(.rax, .rax)
    let isNonzero = a.shortJump(if: .notEqual)
    a.arithmetic(.or, .rax, .rdx)
    a.test(.rcx, .rcx, .long)
    let zero = a.shortJump()
    a.bindShort(isNonzero)
    let unnormal = a.shortJump(if: .notSign)
    a.test(.rax, immediate: 0x7ff, .long)
    let wide = a.shortJump(if: .notEqual)
    a.arithmetic(.sub, .rcx, immediate: 0xfc00, .long)
    a.loadEffectiveAddress(.rsi, Address(.rcx, -1))
    a.arithmetic(.cmp, .rsi, immediate: 0x7fd, .long)
    let outside = a.shortJump(if: .above)
    a.shift(.left, .rax, by: 1)
    a.shift(.right, .rax, by: 12)
    a.shift(.left, .rcx, by: 52)
    a.arithmetic(.or, .rax, .rcx)
    a.arithmetic(.or, .rax, .rdx)
    a.arithmetic(.cmp, .rsp, .rsp)
    let done = a.shortJump()
    for refused in [unnormal, wide, outside] { a.bindShort(refused) }
    a.test(.rsp, .rsp)
    a.bindShort(zero)
    a.bindShort(done)
    a.pop(.rsi)
    a.pop(.rdx)
    a.ret()
  }

  /// As the interpret thunk, with the instruction in rax, and registers kept.
  private static func interpretFloatThunk(_ a: inout Assembler, _ leave: UnsafeMutablePointer<UInt8>) {
    saveVectors(&a)
    syncFrameIfMoved(&a)
    for r in saved { a.push(r) }
    a.push(.rbp)
    a.arithmetic(.sub, .rsp, immediate: 8)
    a.move32(.rbp, .rcx)
    a.shift(.right, .rcx, by: 16, .long)
    a.arithmetic(.add, .r13, .rcx)
    a.store(state(StateOffset.budget), .r13)
    mergeInexact(&a)
    a.store(Address(.rsp), .rax)
    a.loadEffectiveAddress(.rdi, Address(.rbx, -Int32(KT_CPU_BIAS)))
    a.call(state(StateOffset.settle))
    a.loadEffectiveAddress(.rdi, Address(.rbx, -Int32(KT_CPU_BIAS)))
    a.load(.rsi, Address(.rsp))
    a.call(state(StateOffset.execute))
    clearHostFlags(&a)
    a.load(.r13, state(StateOffset.budget))
    a.test(.rax, .rax, .long)
    let ended = a.shortJump(if: .notEqual)
    a.shift(.right, .rbp, by: 16, .long)
    a.arithmetic(.sub, .r13, .rbp)
    a.arithmetic(.add, .rsp, immediate: 8)
    a.pop(.rbp)
    for r in saved.reversed() { a.pop(r) }
    restoreVectors(&a)
    a.ret()
    a.bindShort(ended)
    a.arithmetic(.add, .rsp, immediate: 8 + 8 + 8 * 7 + vectorArea + 8)
    leaveWithStatus(&a, leave)
  }

  /// Moves the host's flags for an inexact result and a denormal operand to sf0: ar.fpsr may be seen or changed by what
  /// is called now, or host code may set them for itself. `clearHostFlags` must follow the call. rax, rcx and the stack above rsp are kept.
  private static func mergeInexact(_ a: inout Assembler) {
    let place = Address(.rsp, -8)
    a.storeVectorControl(place)
    for (flag, bit) in [(0x20, 1 << 18), (2, 1 << 14)] as [(Int32, Int32)] {
      a.test(place, immediate: flag, .byte)
      let none = a.shortJump(if: .equal)
      a.arithmetic(.or, state(StateOffset.fpsr), immediate: bit, .long)
      a.bindShort(none)
    }
  }

  /// Host code that was called may have left flags of its own.
  private static func clearHostFlags(_ a: inout Assembler) {
    let place = Address(.rsp, -8)
    a.store(place, immediate: 0x1f80, .long)
    a.loadVectorControl(place)
  }

  private static func leaveWithStatus(_ a: inout Assembler, _ leave: UnsafeMutablePointer<UInt8>) {
    a.shift(.left, .rax, by: 8, .long)
    a.arithmetic(.or, .rax, immediate: Int32(ExitCode.status.rawValue), .long)
    a.jump(to: leave)
  }

  /// rsi: the instruction; ecx: 1 if it ends its bundle, and from bit 16 the slots to give back if the block ends here.
  private static func interpretThunk(_ a: inout Assembler, _ leave: UnsafeMutablePointer<UInt8>) {
    syncFrameIfMoved(&a)
    a.push(.rbp)
    a.move32(.rbp, .rcx)
    a.shift(.right, .rcx, by: 16, .long)
    a.arithmetic(.add, .r13, .rcx)
    a.store(state(StateOffset.budget), .r13)
    mergeInexact(&a)
    a.arithmetic(.cmp, state(StateOffset.deferredMask), immediate: 0, .long)
    let settled = a.shortJump(if: .equal)
    a.push(.rsi)
    a.arithmetic(.sub, .rsp, immediate: 8)
    a.loadEffectiveAddress(.rdi, Address(.rbx, -Int32(KT_CPU_BIAS)))
    a.call(state(StateOffset.settle))
    a.arithmetic(.add, .rsp, immediate: 8)
    a.pop(.rsi)
    a.bindShort(settled)
    a.loadEffectiveAddress(.rdi, Address(.rbx, -Int32(KT_CPU_BIAS)))
    a.call(state(StateOffset.execute))
    clearHostFlags(&a)
    a.load(.r13, state(StateOffset.budget))
    a.test(.rax, .rax, .long)
    let ended = a.shortJump(if: .notEqual)
    a.test(state(StateOffset.natLive), immediate: attention, .long)
    let leaving = a.shortJump(if: .notEqual)
    a.move32(.rcx, .rbp)
    a.shift(.right, .rcx, by: 16, .long)
    a.arithmetic(.sub, .r13, .rcx)
    // The instruction may have brought an event nearer than the block's end.
    let short = a.shortJump(if: .sign)
    a.pop(.rbp)
    a.loadEffectiveAddress(.rdi, Address(.rbx, -Int32(KT_CPU_BIAS)))
    a.move(.rax, immediate: Int64(Int(bitPattern: kt_place_frame_address())))
    a.arithmetic(.sub, .rsp, immediate: 8)
    a.call(.rax)
    a.arithmetic(.add, .rsp, immediate: 8)
    a.move(.r15, .rax)
    a.ret()
    a.bindShort(short)
    a.arithmetic(.add, .r13, .rcx)
    a.bindShort(leaving)
    a.zeroExtend(.rax, .rbp, .byte)
    a.shift(.left, .rax, by: 8, .long)
    a.arithmetic(.or, .rax, immediate: Int32(ExitCode.next.rawValue), .long)
    a.arithmetic(.add, .rsp, immediate: 16)
    a.jump(to: leave)
    a.bindShort(ended)
    a.arithmetic(.add, .rsp, immediate: 16)
    leaveWithStatus(&a, leave)
  }

  /// rax: target (slot 0), rcx: key. Jumps to the block where it is remembered and nothing wants attention; rdx and rsi
  /// are used. Each indirect exit has a jump of its own, which the host predicts by itself.
  static func jumpIfRemembered(_ a: inout Assembler, _ cache: UnsafeMutablePointer<IndirectLine>) {
    let misses = findRemembered(&a, cache)
    a.jump(Address(.rdx, 16))
    for miss in misses { a.bindShort(miss) }
  }

  /// As above, up to the jump, which goes where [rdx + 16] says; gives the jumps of what is not to be jumped to.
  static func findRemembered(
    _ a: inout Assembler, _ cache: UnsafeMutablePointer<IndirectLine>
  ) -> [UnsafeMutablePointer<UInt8>] {
    var misses: [UnsafeMutablePointer<UInt8>] = []
    a.arithmetic(.cmp, state(StateOffset.stopRequest), immediate: 0, .word)
    misses.append(a.shortJump(if: .notEqual))
    a.move(.rdx, .rax)
    a.shift(.right, .rdx, by: 4)
    a.arithmetic(.xor, .rdx, .rcx)
    a.arithmetic(.and, .rdx, immediate: Int32(IndirectLine.count - 1), .long)
    a.shift(.left, .rdx, by: 5, .long)
    a.move(.rsi, immediate: Int64(Int(bitPattern: cache)))
    a.arithmetic(.add, .rdx, .rsi)
    a.arithmetic(.cmp, .rax, Address(.rdx))
    misses.append(a.shortJump(if: .notEqual))
    a.arithmetic(.cmp, .rcx, Address(.rdx, 8))
    misses.append(a.shortJump(if: .notEqual))
    return misses
  }

  /// A return that no landing has taken (Lowering+Frames.swift says what is in which register): what is remembered of calls
  /// is forgotten, and the target's block looked up.
  private static func returnThunk(
    _ a: inout Assembler, _ indirect: UnsafeMutablePointer<UInt8>, _ cache: UnsafeMutablePointer<IndirectLine>?,
    _ leave: UnsafeMutablePointer<UInt8>
  ) {
    var refusals: [UnsafeMutablePointer<UInt8>] = []
    a.load(.rsp, state(StateOffset.stackBase))
    a.move(.r8, .rcx)
    a.shift(.right, .r8, by: 62)
    a.move32(.r9, .rdx)
    a.arithmetic(.and, .r9, immediate: Int32(Mode.cpl), .long)
    a.arithmetic(.cmp, .r8, .r9)
    refusals.append(a.jump(if: .above))
    // A frame with rotating registers, or a marker that no frame can have: the interpreter's.
    a.move(.r8, .rcx)
    a.shift(.left, .r8, by: 26)
    a.shift(.right, .r8, by: 26 + 14)
    refusals.append(a.jump(if: .notEqual))
    a.move32(.r8, .rcx)
    a.shift(.right, .r8, by: 7, .long)
    a.arithmetic(.and, .r8, immediate: 0x7f, .long)
    a.shift(.left, .r8, by: 3, .long)
    a.move(.r9, .r15)
    a.arithmetic(.sub, .r9, .r8)
    a.arithmetic(.cmp, .r9, state(StateOffset.frameLow))
    refusals.append(a.jump(if: .below))
    a.move32(.r8, .rcx)
    a.arithmetic(.and, .r8, immediate: 0x7f, .long)
    a.loadEffectiveAddress(.r8, Address(.r9, 0, index: .r8, scale: 3))
    a.arithmetic(.cmp, .r8, state(StateOffset.frameHigh))
    refusals.append(a.jump(if: .above))
    a.move(.r15, .r9)
    a.move(.r8, .rcx)
    a.shift(.left, .r8, by: 26)
    a.shift(.right, .r8, by: 26)
    a.store(state(StateOffset.cfm), .r8)
    a.shift(.right, .rcx, by: 52)
    a.arithmetic(.and, .rcx, immediate: 0x3f, .long)
    a.store(state(StateOffset.ec), .rcx)
    a.move(.rcx, .rdx)
    a.shift(.left, .rcx, by: UInt8(Mode.shift))
    a.arithmetic(.or, .rcx, .r8)
    if let cache { jumpIfRemembered(&a, cache) }
    a.jump(to: indirect)
    for refused in refusals { a.bind(refused) }
    a.arithmetic(.add, .r13, .rdi)
    a.move(.rax, .rsi)
    a.jump(to: leave)
  }

  /// rdi: the processor. bof, frame and frame_nat follow r15. Registers that a C function may change are not kept.
  private static func syncFrame(_ a: inout Assembler) {
    a.move(.rsi, .r15)
    a.move(.rax, immediate: Int64(Int(bitPattern: kt_sync_frame_address())))
    a.call(.rax)
  }

  /// Before a call that may look at the frame, or end there: rax, rcx and all other registers are kept.
  private static func syncFrameIfMoved(_ a: inout Assembler) {
    a.arithmetic(.cmp, .r15, state(StateOffset.frameBase))
    let still = a.shortJump(if: .equal)
    for r in saved + [.rax, .rcx, .rbp] { a.push(r) }
    a.move(.rbp, .rsp)
    a.arithmetic(.and, .rsp, immediate: -16)
    a.loadEffectiveAddress(.rdi, Address(.rbx, -Int32(KT_CPU_BIAS)))
    syncFrame(&a)
    a.move(.rsp, .rbp)
    for r in (saved + [.rax, .rcx, .rbp]).reversed() { a.pop(r) }
    a.bindShort(still)
  }

  /// rax: target (slot 0), which the exit has not found remembered. All guest state is home.
  private static func indirectThunk(_ a: inout Assembler, _ leave: UnsafeMutablePointer<UInt8>) {
    a.store(state(StateOffset.ip), .rax)
    a.store(state(StateOffset.ri), immediate: 0, .long)
    a.move(.rax, immediate: Int64(ExitCode.lookup.rawValue))
    a.jump(to: leave)
  }
}

/// The callables of the operations as emitted code reaches them: two pointers an operation within the code cache's own
/// memory, and a veneer for each direct callable, which calls go through where it lies out of their ±2 GiB.
struct CallablePointers: @unchecked Sendable {
  /// indirect, direct for each operation; writable mapping.
  var pointers: UnsafeMutablePointer<UInt64>
  var veneers: UnsafeMutablePointer<UInt8>
  /// Distance from the writable to the executable mapping.
  var executableOffset: Int
  static let veneerSize = 8

  /// Lays the pointers and veneers out at `start`; gives the end.
  static func emit(
    at start: UnsafeMutablePointer<UInt8>, executableOffset: Int
  ) -> (CallablePointers, UnsafeMutablePointer<UInt8>) {
    let count = Int(KT_OP_COUNT.rawValue)
    let pointers = UnsafeMutableRawPointer(start).bindMemory(to: UInt64.self, capacity: count * 2)
    pointers.update(repeating: 0, count: count * 2)
    var a = Assembler(at: start + count * 16)
    let veneers = a.cursor
    for operation in 0..<count {
      a.jumpRelative(UnsafeMutablePointer<UInt8>(bitPattern: UInt(bitPattern: pointers + operation * 2 + 1))!)
      a.align(veneerSize)
    }
    let callables = CallablePointers(pointers: pointers, veneers: veneers, executableOffset: executableOffset)
    return (callables, a.cursor)
  }

  /// Takes the present bindings over: each pointer one aligned store.
  func refresh(_ table: UnsafeMutablePointer<kt_site_table>) {
    let slots = kt_operation_slots(table)
    for operation in 0..<Int(KT_OP_COUNT.rawValue) {
      pointers[operation * 2] = UInt64(UInt(bitPattern: unsafeBitCast(slots[operation].indirect, to: Int.self)))
      pointers[operation * 2 + 1] = UInt64(UInt(bitPattern: unsafeBitCast(slots[operation].direct, to: Int.self)))
    }
  }

  /// The six bytes of a call, in the low 48 bits, for a call that stands at `place`.
  func callBytes(_ place: UnsafeMutablePointer<UInt8>, operation: Int, direct: Bool) -> UInt64 {
    if direct {
      // A prefix that means nothing makes call rel32 six bytes long.
      return 0xe840 | UInt64(UInt32(bitPattern: directDistance(place + 6, operation))) << 16
    }
    let cell = UnsafeMutableRawPointer(pointers + operation * 2) - UnsafeMutableRawPointer(place + 6)
    return 0x15ff | UInt64(UInt32(bitPattern: Int32(cell))) << 16
  }

  /// From the end of a call to what it calls: the callable itself, or the veneer.
  private func directDistance(_ end: UnsafeMutablePointer<UInt8>, _ operation: Int) -> Int32 {
    let callable = Int(truncatingIfNeeded: pointers[operation * 2 + 1])
    let running = Int(bitPattern: end) &+ executableOffset
    return Int32(exactly: callable &- running) ?? Int32(veneers + operation * CallablePointers.veneerSize - end)
  }

  func emitCall(_ a: inout Assembler, operation: Int, direct: Bool) {
    let bytes = callBytes(a.cursor, operation: operation, direct: direct)
    for index in 0..<6 { a.byte(UInt8(truncatingIfNeeded: bytes >> UInt64(index * 8))) }
  }
}
