// What the execution of an opcode needs to know beside the instruction's own fields: which family of semantics it
// belongs to and the completers that select a variant, as numbers. Derived once from the opcode's name, whose
// completers say it all (`ld8_c_clr_i`: 8 bytes, check load, clear, immediate post-increment).
import CSupport
import IA64

/// A family of instructions that one function executes.
enum Kind: UInt8 {
  case other        // told apart by opcode
  case integer      // general registers in, one general register out
  case compare, testBit
  case load, store, semaphore
  case floatLoad, floatStore, floatLoadPair
  case lineFetch
  case floatCompute
}

/// Where an integer instruction's operands a and b come from.
enum OperandForm: UInt8 {
  case registers    // a = r2, b = r3
  case immediate    // a = the immediate, b = r3
  case first        // a = r2
  case second       // b = r3
  case constant     // a = the immediate
}

/// How a memory instruction changes its base register.
enum BaseUpdate: UInt8 {
  case none, register, immediate
}

/// How a test writes its two predicates (SDM vol. 3, cmp).
enum PredicateType: UInt8 {
  case normal, unconditional, and, or, orAndComplement
}

enum Relation: UInt8 {
  case equal, notEqual, less, lessUnsigned, greater, lessOrEqual, greaterOrEqual
}

struct Completers: OptionSet {
  let rawValue: UInt16
  static let speculative = Completers(rawValue: 1)   // .s, .sa
  static let advanced = Completers(rawValue: 2)      // .a, .sa
  static let check = Completers(rawValue: 4)         // .c
  static let clear = Completers(rawValue: 8)         // .clr
  static let spill = Completers(rawValue: 16)        // .fill, .spill
  static let exclusive = Completers(rawValue: 32)    // lfetch.excl
  static let faulting = Completers(rawValue: 64)     // lfetch.fault
  static let narrow = Completers(rawValue: 128)      // cmp4
  static let nonzero = Completers(rawValue: 256)     // .nz
}

struct Recipe {
  var kind = Kind.other
  var form: UInt8 = 0       // OperandForm or BaseUpdate
  var size: UInt8 = 0       // bytes of memory
  var type = PredicateType.normal
  var relation = Relation.equal
  /// The instruction looks at its qualifying predicate itself (`unc` types, frcpa, counted and while branches).
  var ownPredicate = false
  var completers: Completers = []

  @inline(__always) var operandForm: OperandForm { OperandForm(rawValue: form).unsafelyUnwrapped }
  @inline(__always) var baseUpdate: BaseUpdate { BaseUpdate(rawValue: form).unsafelyUnwrapped }
}

/// The recipe of an opcode. `prepareRecipes` must have run.
@inline(__always)
func opcodeRecipe(_ opcode: Opcode) -> Recipe {
  kt_recipes().unsafelyUnwrapped.assumingMemoryBound(to: Recipe.self)[opcode.index]
}

/// Fills the recipe table, once.
func prepareRecipes() { _ = recipesPrepared }

private let recipesPrepared: Bool = {
  let table = UnsafeMutablePointer<Recipe>.allocate(capacity: Opcode.rowCount + 1)
  for opcode in Opcode.allCases { (table + opcode.index).initialize(to: makeRecipe(opcode)) }
  kt_set_recipes(table)
  return true
}()

private func makeRecipe(_ opcode: Opcode) -> Recipe {
  if let form = integerForm(opcode) {
    return Recipe(kind: .integer, form: form.rawValue)
  }
  let parts = String(describing: opcode).split(separator: "_").map(String.init)
  let stem = parts[0], rest = Array(parts.dropFirst())
  switch stem {
  case "cmp", "cmp4": return compareRecipe(rest, narrow: stem == "cmp4")
  case "tbit", "tnat", "tf": return testBitRecipe(rest)
  case "ld1", "ld2", "ld4", "ld8", "ld16":
    return memoryRecipe(.load, size: UInt8(stem.dropFirst(2))!, rest)
  case "st1", "st2", "st4", "st8", "st16":
    return memoryRecipe(.store, size: UInt8(stem.dropFirst(2))!, rest)
  case "ldfe", "ldf8", "ldfs", "ldfd", "ldf": return memoryRecipe(.floatLoad, size: floatSize(stem), rest)
  case "stfe", "stf8", "stfs", "stfd", "stf": return memoryRecipe(.floatStore, size: floatSize(stem), rest)
  case "ldfp8", "ldfps", "ldfpd": return memoryRecipe(.floatLoadPair, size: stem == "ldfps" ? 8 : 16, rest)
  case "lfetch": return rest.first == "count" ? Recipe() : memoryRecipe(.lineFetch, size: 1, rest)
  case "cmpxchg1", "xchg1": return Recipe(kind: .semaphore, size: 1)
  case "cmpxchg2", "xchg2": return Recipe(kind: .semaphore, size: 2)
  case "cmpxchg4", "xchg4", "fetchadd4": return Recipe(kind: .semaphore, size: 4)
  case "cmpxchg8", "xchg8", "fetchadd8": return Recipe(kind: .semaphore, size: 8)
  case "cmp8xchg16": return Recipe(kind: .semaphore, size: 16)
  default: return otherRecipe(opcode)
  }
}

private func otherRecipe(_ opcode: Opcode) -> Recipe {
  var recipe = Recipe()
  switch opcode {
  case .br_wexit, .br_wtop, .br_cloop, .br_cexit, .br_ctop: recipe.ownPredicate = true
  case .fcmp_eq_unc, .fcmp_lt_unc, .fcmp_le_unc, .fcmp_unord_unc, .fclass_m_unc, .frcpa, .fprcpa, .frsqrta, .fprsqrta:
    recipe.kind = .floatCompute
    recipe.ownPredicate = true
  default:
    if opcode.index >= Opcode.fma.index && opcode.index <= Opcode.fcvt_xf.index { recipe.kind = .floatCompute }
  }
  return recipe
}

private func floatSize(_ stem: String) -> UInt8 {
  switch stem.last! {
  case "s": return 4
  case "e": return 10
  case "f": return 16
  default: return 8
  }
}

private func memoryRecipe(_ kind: Kind, size: UInt8, _ completers: [String]) -> Recipe {
  var recipe = Recipe(kind: kind, size: size)
  for completer in completers {
    switch completer {
    case "s": recipe.completers.insert(.speculative)
    case "a": recipe.completers.insert(.advanced)
    case "sa": recipe.completers.formUnion([.speculative, .advanced])
    case "c": recipe.completers.insert(.check)
    case "clr": recipe.completers.insert(.clear)
    case "fill", "spill": recipe.completers.insert(.spill)
    case "excl": recipe.completers.insert(.exclusive)
    case "fault": recipe.completers.insert(.faulting)
    case "r": recipe.form = BaseUpdate.register.rawValue
    case "i": recipe.form = BaseUpdate.immediate.rawValue
    default: break // acq, rel, bias, nc: ordering and hints, which one processor at a time need not see
    }
  }
  return recipe
}

private func predicateType(_ completers: [String]) -> PredicateType {
  if completers.contains("unc") { return .unconditional }
  if completers.contains("andcm") { return .orAndComplement }
  if completers.contains("or") { return .or }
  return completers.contains("and") ? .and : .normal
}

private func compareRecipe(_ completers: [String], narrow: Bool) -> Recipe {
  var recipe = Recipe(kind: .compare)
  recipe.type = predicateType(completers)
  recipe.ownPredicate = recipe.type == .unconditional
  if narrow { recipe.completers.insert(.narrow) }
  switch completers[0] {
  case "eq": recipe.relation = .equal
  case "ne": recipe.relation = .notEqual
  case "lt": recipe.relation = .less
  case "ltu": recipe.relation = .lessUnsigned
  case "gt": recipe.relation = .greater
  case "le": recipe.relation = .lessOrEqual
  default: recipe.relation = .greaterOrEqual
  }
  let form: OperandForm =
    completers.last == "imm" ? .immediate : completers.last == "zero" ? .second : .registers
  recipe.form = form.rawValue
  return recipe
}

private func testBitRecipe(_ completers: [String]) -> Recipe {
  var recipe = Recipe(kind: .testBit)
  recipe.type = predicateType(completers)
  recipe.ownPredicate = recipe.type == .unconditional
  if completers[0] == "nz" { recipe.completers.insert(.nonzero) }
  return recipe
}

/// The operand form of an instruction that `executeInteger` computes; nil for every other.
private func integerForm(_ opcode: Opcode) -> OperandForm? {
  switch opcode {
  case .add, .add_1, .sub, .sub_1, .addp4, .and, .andcm, .or, .xor, .shladd, .shladdp4, .padd1, .padd1_sss,
    .padd1_uuu, .padd1_uus, .padd2, .padd2_sss, .padd2_uuu, .padd2_uus, .padd4, .psub1, .psub1_sss, .psub1_uuu,
    .psub1_uus, .psub2, .psub2_sss, .psub2_uuu, .psub2_uus, .psub4, .pavg1, .pavg1_raz, .pavg2, .pavg2_raz,
    .pavgsub1, .pavgsub2, .pcmp1_eq, .pcmp1_gt, .pcmp2_eq, .pcmp2_gt, .pcmp4_eq, .pcmp4_gt, .pshladd2, .pshradd2,
    .pmpyshr2, .pmpyshr2_u, .pmpy2_r, .pmpy2_l, .mpy4, .mpyshl4, .mix1_r, .mix2_r, .mix4_r, .mix1_l, .mix2_l,
    .mix4_l, .pack2_uss, .pack2_sss, .pack4_sss, .unpack1_h, .unpack2_h, .unpack4_h, .unpack1_l, .unpack2_l,
    .unpack4_l, .pmin1_u, .pmax1_u, .pmin2, .pmax2, .psad1, .pshr2, .pshr4, .shr, .pshr2_u, .pshr4_u, .shr_u,
    .pshl2, .pshl4, .shl, .shrp, .dep:
    return .registers
  case .sub_imm, .and_imm, .andcm_imm, .or_imm, .xor_imm, .adds, .addp4_imm, .addl, .dep_imm:
    return .immediate
  case .popcnt, .clz, .extr_u, .extr, .zxt1, .zxt2, .zxt4, .sxt1, .sxt2, .sxt4, .czx1_l, .czx2_l, .czx1_r,
    .czx2_r, .pshr2_imm, .pshr4_imm, .pshr2_u_imm, .pshr4_u_imm:
    return .second
  case .mux1, .mux2, .pshl2_imm, .pshl4_imm, .dep_z:
    return .first
  case .dep_z_imm, .movl:
    return .constant
  default:
    return nil
  }
}
