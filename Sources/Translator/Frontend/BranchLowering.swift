// Branches, calls, returns, loop branches and alloc to IR (formats B1–B5, X3, X4, M34). The frame marker is known at
// translation, so that frames are arithmetic on constants; only a return's marker is found at run time.
import CSupport
import IA64
import Machine

extension Frontend {
  /// A branch to `target` under the instruction's predicate.
  mutating func branch(to target: UInt64) {
    let condition = builder.predicate
    if condition < 0 { return leave(.direct, to: target) }
    builder.exit(if: condition, .direct, to: target, backward: target <= bundle)
  }

  /// Goes on at a forward branch's target where the branch is always taken, or said to be likely taken (its hint is sptk
  /// or dptk); then the other way leaves. Forward within the granule only, so that a block stays one range of addresses.
  private mutating func follow(_ i: Instruction, _ target: UInt64) -> Bool {
    guard options.contains(.following), target > bundle, target & ~0xfff == page else { return false }
    let condition = builder.predicate
    if condition >= 0 {
      guard i.hint >> 1 & 1 == 0, builder.known(condition) == nil else { return false }
      builder.exit(if: builder.complement(condition), .direct, to: next)
      builder.learn(condition, true)
    }
    redirect = target
    return true
  }

  /// Leaves to the next instruction where the predicate is false, so that what follows is unconditional.
  private mutating func continueOnlyIfPredicate() {
    guard builder.predicate >= 0 else { return }
    let inverse = builder.complement(builder.predicate)
    let condition = builder.predicate
    builder.predicate = -1
    builder.issued += 1
    builder.exit(if: inverse, .direct, to: next)
    builder.learn(condition, true)
    builder.issued -= 1
  }

  /// In physical mode there are addresses that a branch may not lead to: its trap is the interpreter's.
  func mayTrap(at target: UInt64) -> Bool {
    builder.block.mode & Mode.it == 0 && target & unimplementedPhysicalBits != 0
  }

  /// Leaves, the branch at hand not yet executed, where its target is not implemented.
  private mutating func requireImplemented(_ address: Int32) {
    guard builder.block.mode & Mode.it == 0 else { return }
    builder.issued -= 1
    let bits = builder.shift(.shiftRight, builder.shift(.shiftLeft, address, 1), 51)
    builder.exit(
      if: builder.compare(.notEqual, bits, builder.constant(Int64(0)), size: 8), .interpret, to: here)
    builder.issued += 1
  }

  mutating func lowerBranch(_ i: Instruction) {
    let target = bundle &+ UInt64(bitPattern: i.imm)
    if i.flags.contains(.relative) && mayTrap(at: target) {
      builder.predicate = -1  // the interpreter looks at it
      return leaveToInterpreter()
    }
    builder.issued += 1  // a branch that is taken has been issued
    defer { builder.issued -= 1 }
    switch i.opcode {
    case .nop_b, .hint_b, .brp, .brp_indirect, .brp_ret: return
    case .br_cond, .brl_cond: if !follow(i, target) { branch(to: target) }
    case .br_cloop, .br_ctop, .br_cexit, .br_wtop, .br_wexit:
      if slot != 2 {
        builder.issued -= 1
        builder.predicate = -1  // illegal whatever the predicate says
        leaveToInterpreter()
        builder.issued += 1
      } else if i.opcode == .br_cloop {
        lowerCountedLoop(target)
      } else {
        lowerRotatingLoop(i, target)
      }
    case .br_call, .brl_call:
      beginConditional()
      let returning = call(i)
      leaveByCall(-1, builder.makeExit(.direct, to: target, backward: target <= bundle), returning)
    case .br_call_indirect:
      beginConditional()
      let address = builder.read(Slot.branches + Int(i.b2))
      requireImplemented(address)
      let returning = call(i)
      leaveByCall(address, 0, returning)
    case .br_cond_indirect:
      beginConditional()
      let address = builder.read(Slot.branches + Int(i.b2))
      requireImplemented(address)
      _ = builder.emit(.exitIndirect, address)
      ended = true
    case .br_ret:
      beginConditional()
      let pfs = builder.read(Slot.pfs), address = builder.read(Slot.branches + Int(i.b2))
      requireImplemented(address)
      builder.issued -= 1
      let refused = builder.makeExit(.interpret, to: here)
      builder.issued += 1
      _ = builder.emit(.returnFrame, pfs, address, imm: refused)
      ended = true
    default:
      builder.issued -= 1
      leaveToInterpreter()
      builder.issued += 1
    }
  }

  private mutating func beginConditional() {
    builder.issued -= 1
    continueOnlyIfPredicate()
    builder.issued += 1
  }

  /// The frame part of a call; gives the exit where the guest goes on behind it.
  private mutating func call(_ i: Instruction) -> Int64 {
    let old = builder.marker
    builder.put(Slot.branches + Int(i.b1), builder.constant(bundle &+ 16))
    let ec = builder.shift(.shiftLeft, builder.read(Slot.ec), 52)
    let fixed = old | (builder.block.mode & 3) << 62
    builder.put(Slot.pfs, builder.orImmediate(ec, Int64(bitPattern: fixed)))
    let sol = CFM.sol(old)
    builder.marker = UInt64(CFM.sof(old) - sol)
    _ = builder.emit(.callFrame, imm: Int64(sol) | Int64(builder.marker) << 8)
    builder.frameMoved = true
    builder.forgetState()
    let called = builder.marker
    builder.marker = old
    defer { builder.marker = called }
    return builder.makeExit(.direct, to: bundle &+ 16)
  }

  /// Leaves to `address`, or where it is none by the exit `target`.
  private mutating func leaveByCall(_ address: Int32, _ target: Int64, _ returning: Int64) {
    ended = true
    if options.contains(.returns) {
      _ = builder.emit(.exitCall, address, imm: target | returning << 32)
    } else if address >= 0 {
      _ = builder.emit(.exitIndirect, address)
    } else {
      _ = builder.emit(.exitAlways, imm: target)
    }
  }

  private mutating func lowerCountedLoop(_ target: UInt64) {
    let count = builder.read(Slot.lc)
    let more = builder.compare(.notEqual, count, builder.constant(Int64(0)), size: 8)
    if let known = builder.known(more) {
      if known == 0 { return }
      builder.put(Slot.lc, builder.addImmediate(count, -1))
      return leave(.direct, to: target)
    }
    // A loop's end is rare: the block goes on behind the branch with the count known to be 0.
    builder.put(Slot.lc, builder.addImmediate(count, -1))
    let exit = builder.makeExit(.direct, to: target, backward: target <= bundle)
    _ = builder.emit(.exitIf, more, imm: exit)
    builder.put(Slot.lc, builder.constant(Int64(0)))
  }

  /// The marker with all rename bases one down.
  private func rotated(_ cfm: UInt64) -> UInt64 {
    let sor = CFM.sor(cfm)
    let gr = CFM.rrbGR(cfm), fr = CFM.rrbFR(cfm), pr = CFM.rrbPR(cfm)
    let newGR = sor == 0 ? 0 : gr == 0 ? sor - 1 : gr - 1
    return cfm & 0x3ffff | UInt64(newGR) << 18 | UInt64(fr == 0 ? 95 : fr - 1) << 25
      | UInt64(pr == 0 ? 47 : pr - 1) << 32
  }

  private mutating func lowerRotatingLoop(_ i: Instruction, _ target: UInt64) {
    let old = builder.marker, new = rotated(builder.marker)
    let stage = predicateSlot(63)
    let exits = i.opcode == .br_cexit || i.opcode == .br_wexit
    let continuing = exits ? next : target, finishing = exits ? target : next
    let more: Int32
    if i.opcode == .br_ctop || i.opcode == .br_cexit {
      let count = builder.read(Slot.lc)
      more = builder.compare(.notEqual, count, builder.constant(Int64(0)), size: 8)
      builder.put(Slot.lc, builder.addImmediate(count, -1))
      builder.put(stage, builder.constant(Int64(1)))
      builder.predicate = -1
      rotatingExit(more, continuing, new, old)
      builder.put(Slot.lc, builder.constant(Int64(0)))
      builder.put(stage, builder.constant(Int64(0)))
    } else {
      // While loops: the qualifying predicate is the condition.
      more = predicate(i.qp)
      builder.predicate = -1
      // The stage predicate may be the qualifying predicate itself: its value was read above.
      builder.put(stage, builder.constant(Int64(0)))
      rotatingExit(more, continuing, new, old)
    }
    let epilogue = builder.read(Slot.ec)
    let none = builder.compare(.equal, epilogue, builder.constant(Int64(0)), size: 8)
    builder.exit(if: none, .direct, to: finishing, backward: finishing <= bundle)
    let last = builder.compare(.equal, epilogue, builder.constant(Int64(1)), size: 8)
    builder.put(Slot.ec, builder.addImmediate(epilogue, -1))
    rotatingExit(last, finishing, new, old)
    builder.marker = new
    leave(.direct, to: continuing)
  }

  private mutating func rotatingExit(_ condition: Int32, _ target: UInt64, _ new: UInt64, _ old: UInt64) {
    builder.marker = new
    builder.exit(if: condition, .direct, to: target, backward: target <= bundle)
    builder.marker = old
  }

  // MARK: alloc

  mutating func lowerAlloc(_ i: Instruction) {
    let old = builder.marker
    let sof = Int(i.sof), sol = Int(i.sol), sor = Int(i.sor)
    // Refusals (frame too large, not writable in the new frame, renamed registers) are the interpreter's.
    if sof > 96 || sol > sof || sor << 3 > sof || builder.predicate >= 0 || i.r1 == 0
      || (i.r1 >= 32 && Int(i.r1) - 32 >= sof) || (sor << 3 != CFM.sor(old) && old >> 18 != 0) {
      return leaveToInterpreter()
    }
    if sof > CFM.sof(old) {
      let refused = builder.makeExit(.interpret, to: here)
      _ = builder.emit(.growFrame, imm: Int64(sof) | refused << 8)
    }
    builder.marker = CFM.make(sof: sof, sol: sol, sor: sor << 3) | old & ~0x3ffff
    if builder.marker != old {
      _ = builder.emit(.setMarker, imm: Int64(builder.marker))
    }
    let pfs = builder.read(Slot.pfs)
    setGR(i.r1, pfs)
  }
}
