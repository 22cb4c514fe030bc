"""Floating-point arithmetic, comparison, conversion, merging, the parallel forms and the status register (formats F1 to
F14)."""
from fractions import Fraction
from math import isqrt

from arithmetic import *
from compare import outcome, physical
from floats import *
from fpmemory import FLOAT_REGISTERS, disabled, memory_value, modified, register_value
from integer import predicate
from kit import BN, CODE, IVA, KEPT, GENERAL, FP_FAULT, FP_TRAP, DISABLED_FP, IC, ILLEGAL, RESERVED, CFM, ROTATING, FRAMES, M64, Field, r1, signed, value

FPSR = 0x9804c0270033f
INTEGER = 0x1003e


def controls(ftz=0, wre=0, pc=3, rc=0, td=0):
    return ftz | wre << 1 | pc << 2 | rc << 4 | td << 6


def with_field(fpsr, number, bits):
    low = 6 + 13 * number
    return fpsr & ~(0x7f << low) | bits << low


def with_flags(fpsr, number, flags):
    return fpsr | flags << 13 + 13 * number


def tail(field):
    return '.s%d' % field if field else '.s0'


class Case:
    """An instruction in an F slot: registers, predicate, what all of them share."""

    def __init__(self, maker, sources, variant='value', target=True):
        self.maker, self.rng, self.variant = maker, maker.random, variant
        rng = self.rng
        self.cfm = ROTATING if variant == 'rotating' else 0
        numbers = rng.sample(FLOAT_REGISTERS, sources + 1)
        self.target, self.sources = numbers[0], numbers[1:]
        if rng.randrange(6) == 0 and sources and variant == 'value':
            self.target = self.sources[0]
        self.qp = 7 if variant == 'off' else rng.choice((0, 0, 6, 44))
        self.psr = 0
        self.initial = {'fr': {self.target: register_value(rng)}}
        if self.cfm:
            self.initial['cfm'] = self.cfm
        if self.qp:
            self.initial['pr'] = predicate(self.qp, self.cfm, variant != 'off')
        self.fpsr = FPSR

    def load(self, *registers_):
        for number, register in zip(self.sources, registers_):
            self.initial['fr'][number] = register

    def finish(self, text, result, flags=0, field=0, fields=(), fault=0, label=''):
        """`text` has {0} for the target and {1}… for the sources."""
        shown = text.format(*('f%d' % n for n in [self.target] + self.sources))
        if self.qp:
            shown = '(p%d) ' % self.qp + shown
        final = {'fr': {self.target: result}, 'psr': self.psr | modified(self.target)}
        if with_flags(self.fpsr, field, flags) != self.fpsr:
            final['ar'] = {'fpsr': with_flags(self.fpsr, field, flags)}
        if self.variant == 'off':
            final = {}
        elif self.variant == 'disabled':
            bits, code = disabled([self.target] + self.sources)
            self.psr |= bits | IC
            final = self.maker.fault(DISABLED_FP, 1, code, self.psr)
        elif self.variant == 'badtarget':
            self.psr |= IC
            fields = list(fields) + [r1(self.rng.randrange(2))]
            final = self.maker.fault(GENERAL, 1, ILLEGAL, self.psr)
        elif fault:
            self.psr |= IC
            final = self.maker.fault(FP_FAULT, 1, fault, self.psr)
        if self.psr:
            self.initial['psr'] = self.psr
        if self.fpsr != FPSR:
            self.initial['ar'] = {'fpsr': self.fpsr}
        self.maker.case(('%s %s %s' % (shown, self.variant if self.variant != 'value' else '', label)).strip(), 'F', shown,
                        self.initial, final, fields)


COMMON = ['rotating', 'off', 'disabled', 'badtarget', 'natval']


def make(maker):
    multiply_adds(maker)
    traps(maker)
    parallel_multiply_adds(maker)
    fixed(maker)
    comparisons(maker)
    classes(maker)
    selections(maker)
    merges(maker)
    conversions(maker)
    approximations(maker)
    status(maker)


def normal(rng, span=200):
    return (rng.randrange(2) << 17 | 0xffff + rng.randrange(-span, span), 1 << 63 | rng.getrandbits(63))


def operand(rng):
    kind = rng.randrange(12)
    if kind < 7:
        return normal(rng, rng.choice((2, 30, 126, 1000)))
    if kind == 7:
        return (rng.randrange(2) << 17, 0)
    if kind == 8:
        return (rng.randrange(2) << 17 | 0x1ffff, 1 << 63)
    if kind == 9:
        return (rng.randrange(2) << 17 | 0xffff + rng.randrange(-20, 20), rng.getrandbits(rng.randrange(1, 63)) | 1)
    if kind == 10:
        return (INTEGER, rng.getrandbits(63))
    return (rng.randrange(2) << 17 | 0xffff, 1 << 63)


def nan(rng, signaling=False):
    return (rng.randrange(2) << 17 | 0x1ffff, 1 << 63 | (0 if signaling else 1 << 62) | rng.getrandbits(61) | 1)


def environment(rng, completer):
    """Controls of a status field, and the precision and range that follow."""
    pc, rc, wre, ftz = rng.choice((0, 2, 3)), rng.randrange(4), rng.choice((0, 0, 1)), rng.choice((0, 0, 0, 1))
    precision, range_ = {'': {0: (24, 15), 2: (53, 15), 3: (64, 15)}[pc], '.s': (24, 8), '.d': (53, 11)}[completer]
    return controls(ftz, wre, pc, rc), precision, 17 if wre else range_, rc, ftz


def multiply_adds(maker):
    rng = maker.random
    for stem in ('fma', 'fms', 'fnma'):
        for completer in ('', '.s', '.d'):
            variants = ['value'] * 18 + ['tiny'] * 4 + ['huge'] * 3 + ['cancel'] * 2 + ['nan', 'nan', 'snan', 'unsupported', 'invalid',
                                                                                   'product', 'product', 'fault', 'dfault'] + COMMON
            for variant in variants:
                case = Case(maker, 3, variant)
                field = rng.randrange(4)
                bits, precision, range_, mode, ftz = environment(rng, completer)
                case.fpsr = with_field(FPSR, field, bits)
                a, b, c = operand(rng), operand(rng), operand(rng)
                top, bottom = RANGES[range_]
                if variant == 'tiny':
                    a = (rng.randrange(2) << 17 | 0xffff + bottom // 2 - rng.randrange(0, precision // 2), 1 << 63 | rng.getrandbits(63))
                    b = (rng.randrange(2) << 17 | 0xffff + bottom - bottom // 2 - rng.randrange(0, precision // 2), 1 << 63 | rng.getrandbits(rng.choice((63, 1))))
                    c = rng.choice(((0, 0), (1 << 17, 0)))
                elif variant == 'huge':
                    a = (rng.randrange(2) << 17 | 0xffff + top // 2, M64 - rng.getrandbits(4))
                    b = (rng.randrange(2) << 17 | 0xffff + top - top // 2, M64 - rng.getrandbits(4))
                elif variant == 'cancel':
                    b = (0xffff, 1 << 63)
                    c = a if stem == 'fms' else (a[0] ^ (0 if stem == 'fnma' else 1 << 17), a[1])
                elif variant in ('nan', 'snan', 'unsupported'):
                    special = {'nan': nan(rng), 'snan': nan(rng, True), 'unsupported': (0x1ffff, rng.getrandbits(62) | 1)}[variant]
                    a, b, c = normal(rng), normal(rng), normal(rng)
                    a, b, c = rng.choice(((special, b, c), (a, special, c), (a, b, special)))
                elif variant in ('invalid', 'fault'):
                    a, b = (0x1ffff, 1 << 63), (rng.randrange(2) << 17, 0)
                elif variant == 'dfault':
                    a, b, c = (0xffff, 1 << 40 | 5), normal(rng), normal(rng)
                elif variant == 'natval':
                    a, b, c = rng.choice(((NATVAL, b, c), (a, NATVAL, c), (a, b, NATVAL)))
                signed_b = negated(b) if stem == 'fnma' else b
                signed_c = negated(c) if stem == 'fms' else c
                zero = variant == 'product'
                if zero:
                    c = signed_c = (0, 0)
                    if stem == 'fms':
                        signed_c = (1 << 17, 0)
                result, flags = multiply_add(a, signed_b, signed_c, precision, range_, mode, bool(ftz), zero)
                if result is None:
                    continue
                fault = 0
                if variant in ('fault', 'dfault'):
                    fault = V if variant == 'fault' else D
                    case.fpsr &= ~fault
                    if field:       # a set td bit would disable it all the same
                        case.fpsr &= ~(1 << 12 + 13 * field)
                case.load(a, b, c)
                text = '%s%s%s {0}={1},{2},{3}' % (stem, completer, tail(field))
                if zero:
                    case.sources = case.sources[:2]
                    del_number = [n for n in case.initial['fr'] if n not in case.sources and n != case.target]
                    for n in del_number:
                        del case.initial['fr'][n]
                    text = text.replace('{3}', 'f0')
                case.finish(text, result, flags, field, fault=fault, label='%s rc %d wre %d ftz %d' % (precision, mode, range_ == 17, ftz))


# Traps: the result is written, and the trap says which enabled exceptions there were and whether the result's magnitude was
# rounded up. Overflow and underflow, enabled, give the result of an unbounded range with the exponent's low 17 bits.

def unbounded(x, precision, mode):
    """A nonzero exact value rounded without limits: register, exponent, whether inexact, whether away from zero."""
    negative, x = x < 0, abs(x)
    e = exponent_of(x)
    unit = Fraction(2) ** (e - precision + 1)
    significand, inexact = rounded_integer(x / unit, mode, negative)
    away = significand * unit > x
    if significand >> precision:
        significand, e = significand >> 1, e + 1
    return (int(negative) << 17 | e + 0xffff & 0x1ffff, significand << 64 - precision), e, inexact, away


def trapped(x, precision, range_, mode, enabled):
    """Result, flags and ISR.code of a nonzero exact value, with those exceptions' traps enabled."""
    wrapped, e, inexact, away = unbounded(x, precision, mode)
    top, bottom = RANGES[range_]
    kind = O if e > top else U if e < bottom else 0
    if kind & enabled:
        result, flags = wrapped, kind | (I if inexact else 0)
    else:
        result, flags = rounded(x, precision, range_, mode)
        away = is_infinity(result) or abs(exact(result)) > abs(x)
    code = (flags & enabled & (O | U | I)) << 8
    return result, flags, code | 1 | (0x4000 if away else 0) if code else 0


def traps(maker):
    rng = maker.random
    for stem in ('fma', 'fms', 'fnma'):
        for completer, range_bits, precision in (('', 15, 64), ('.s', 8, 24), ('.d', 11, 53)):
            for number in range(36):
                enabled = (O, U, I, O | U, O | I, U | I, O | U | I)[number % 7]
                field, mode, range_ = rng.randrange(4), rng.randrange(4), rng.choice((range_bits, range_bits, 17))
                top, bottom = RANGES[range_]
                goal = (top, bottom, 0, top, bottom)[number % 5]
                half = goal // 2
                a = (rng.randrange(2) << 17 | 0xffff + half, 1 << 63 | rng.getrandbits(63))
                b = (rng.randrange(2) << 17 | 0xffff + goal - half + rng.randrange(-2, 2), 1 << 63 | rng.choice((0, rng.getrandbits(63))))
                c = rng.choice(((0, 0), (0xffff, 1 << 63), (0x1ffff, 1 << 63)))
                if c[0] == 0x1ffff:     # exact: an infinite sum traps for nothing
                    result, flags, code = (c[0] ^ (1 << 17 if stem == 'fms' else 0), c[1]), 0, 0
                else:
                    x = exact(a) * exact(b) * (-1 if stem == 'fnma' else 1) + exact(c) * (-1 if stem == 'fms' else 1)
                    if x == 0:
                        continue
                    result, flags, code = trapped(x, precision, range_, mode, enabled)
                fpsr = with_field(FPSR, field, controls(0, int(range_ == 17), 3, mode)) & ~enabled
                trap_case(maker, '%s%s%s' % (stem, completer, tail(field)), (a, b, c), fpsr, field, result, flags, code,
                          'enabled %x rc %d wre %d' % (enabled, mode, range_ == 17))


def trap_case(maker, stem, operands, fpsr, field, result, flags, code, label):
    numbers = maker.random.sample(FLOAT_REGISTERS, 4)
    text = '%s f%d=f%d,f%d,f%d' % ((stem,) + tuple(numbers))
    psr = IC | modified(numbers[0])
    final = {'psr': psr, 'fr': {numbers[0]: result}}
    if with_flags(fpsr, field, flags) != fpsr:
        final['ar'] = {'fpsr': with_flags(fpsr, field, flags)}
    if code:
        final.update(ip=IVA + FP_TRAP, psr=psr & KEPT)
        final['cr'] = {'ipsr': psr | 2 << 41, 'iip': CODE, 'isr': code | 1 << 41, 'iipa': CODE}
    initial = {'psr': IC, 'ar': {'fpsr': fpsr}, 'fr': dict(zip(numbers[1:], operands))}
    maker.case('%s trap, %s' % (text, label), 'F', text, initial, final, (), events=2 if code else 1)


# Parallel: two single-precision numbers in a significand

def single_register(bits):
    return from_single(bits)


def packed_single(register):
    """A rounded single-precision result as 32 bits."""
    exponent, significand = register
    if exponent & 0x1ffff == 0x1ffff:
        return exponent >> 17 << 31 | 0xff << 23 | significand >> 40 & 0x7fffff
    if significand >> 63:
        return exponent >> 17 << 31 | ((exponent & 0x1ffff) - 0xffff + 127) << 23 | significand >> 40 & 0x7fffff
    return exponent >> 17 << 31 | significand >> 40 & 0x7fffff


def number_single(rng):
    kind = rng.randrange(10)
    if kind < 6:
        return rng.randrange(2) << 31 | rng.randrange(60, 190) << 23 | rng.getrandbits(23)
    return rng.choice((0, 1 << 31, 0x7f800000, 0xff800000, 0x3f800000, rng.getrandbits(22) | 1, 0x7f7fffff, 0x00800000))


def parallel_multiply_adds(maker):
    rng = maker.random
    for stem in ('fpma', 'fpms', 'fpnma'):
        for variant in ['value'] * 18 + COMMON:
            case = Case(maker, 3, variant)
            field, mode, ftz = rng.randrange(4), rng.randrange(4), rng.choice((0, 0, 1))
            case.fpsr = with_field(FPSR, field, controls(ftz, 0, rng.choice((0, 3)), mode))
            lanes_, flags = [], 0
            sources = [0, 0, 0]
            for shift in (0, 32):
                a, b, c = (number_single(rng) for _ in range(3))
                for n, bits in enumerate((a, b, c)):
                    sources[n] |= bits << shift
                ra, rb, rc = map(single_register, (a, b, c))
                if stem == 'fpnma':
                    rb = negated(rb)
                if stem == 'fpms':
                    rc = negated(rc)
                result, raised = multiply_add(ra, rb, rc, 24, 8, mode, bool(ftz))
                flags |= raised
                lanes_.append(packed_single(result))
            registers_ = [(INTEGER, s) for s in sources]
            result = (INTEGER, lanes_[0] | lanes_[1] << 32)
            if variant == 'natval':
                registers_[rng.randrange(3)] = NATVAL
                result, flags = NATVAL, 0
            case.load(*registers_)
            case.finish('%s%s {0}={1},{2},{3}' % (stem, tail(field)), result, flags, field, label='rc %d ftz %d' % (mode, ftz))


def fixed(maker):
    rng = maker.random
    for text, function in (('xma.l {0}={1},{2},{3}', lambda a, b, c: a * b + c),
                           ('xma.hu {0}={1},{2},{3}', lambda a, b, c: a * b + c >> 64),
                           ('xma.h {0}={1},{2},{3}', lambda a, b, c: signed(a) * signed(b) + c >> 64),
                           ('fselect {0}={1},{2},{3}', lambda a, b, c: a & c | b & ~c)):
        for variant in ['value'] * 16 + COMMON:
            case = Case(maker, 3, variant)
            registers_ = [(rng.choice((INTEGER, 0xffff)), value(rng)) for _ in range(3)]
            result = (INTEGER, function(*(r[1] for r in registers_)) & M64)
            if variant == 'natval':
                registers_[rng.randrange(3)] = NATVAL
                result = NATVAL
            case.load(*registers_)
            case.finish(text, result)


# Comparisons

def relation_holds(name, a, b):
    """Relation of two registers, and flags."""
    if any(map(is_unsupported, (a, b))):
        return name == 'unord', V
    if is_nan(a) or is_nan(b):
        invalid = is_signaling(a) or is_signaling(b) or name in ('lt', 'le')
        return name == 'unord', V if invalid else 0

    def key(x):
        return (2 if not sign(x) else -2, 0) if is_infinity(x) else (0, exact(x))
    flags = D if is_unnormal(a) or is_unnormal(b) else 0
    x, y = key(a), key(b)
    return {'eq': x == y, 'lt': x < y, 'le': x <= y, 'unord': False}[name], flags


def comparisons(maker):
    rng = maker.random
    for name in ('eq', 'lt', 'le', 'unord'):
        for kind in ('', 'unc'):
            for variant in ['value'] * 14 + ['same', 'nan', 'snan', 'unsupported', 'off', 'off', 'natval', 'rotating', 'disabled', 'sametarget', 'fault']:
                a, b = operand(rng), operand(rng)
                if variant == 'same':
                    b = a
                if variant == 'nan':
                    a, b = rng.choice(((nan(rng), b), (a, nan(rng))))
                if variant in ('snan', 'fault'):
                    b = nan(rng, True)
                if variant == 'unsupported':
                    a = (0x1ffff, rng.getrandbits(62))
                if variant == 'natval':
                    b = NATVAL
                field = rng.randrange(4)
                holds, flags = (False, 0) if variant == 'natval' else relation_holds(name, a, b)
                predicates(maker, 'fcmp.%s%s%s' % (name, '.' + kind if kind else '', tail(field)), kind, variant, [a, b], holds, flags, field)


def predicates(maker, stem, kind, variant, operands, holds, flags, field, last=None):
    rng = maker.random
    cfm = ROTATING if variant == 'rotating' else 0
    f = rng.sample(FLOAT_REGISTERS, len(operands))
    p1, p2 = rng.sample(range(1, 64), 2)
    qp = rng.choice((0, 0, 6, 44)) if variant != 'off' else 7
    while qp and qp in (p1, p2):
        p1, p2 = rng.sample(range(1, 64), 2)
    word = rng.getrandbits(64) | 1
    bit = 1 << physical(qp, cfm)
    word = (word & ~bit if variant == 'off' else word | bit) | 1
    initial = {'pr': word, 'fr': dict(zip(f, operands))}
    if cfm:
        initial['cfm'] = cfm
    nat = any(map(is_natval, operands))
    if stem.startswith('fclass') and int(last, 16) & 0x100:
        nat = False     # it is what was asked for
    written = outcome(kind, holds, nat) if variant != 'off' else (0, 0) if kind == 'unc' else None
    new = word
    if written:
        for target, value_ in zip((p1, p2), written):
            place = 1 << physical(target, cfm)
            new = new & ~place | (place if value_ else 0)
    final = {'pr': new | 1} if new != word else {}
    fpsr = FPSR
    if variant != 'off' and flags:
        final['ar'] = {'fpsr': with_flags(FPSR, field, flags)}
    psr, fields = 0, []
    if variant == 'disabled':
        bits, code = disabled(f)
        psr = bits | IC
        final = maker.fault(DISABLED_FP, 1, code, psr)
    elif variant == 'sametarget':
        psr = IC
        fields = [Field(6, 6, p2)]
        final = maker.fault(GENERAL, 1, ILLEGAL, psr)
    elif variant == 'fault':
        psr = IC
        fpsr = FPSR & ~1
        if field:
            fpsr &= ~(1 << 12 + 13 * field)
        initial['ar'] = {'fpsr': fpsr}
        final = maker.fault(FP_FAULT, 1, V, psr)
    if psr:
        initial['psr'] = psr
    text = '%s%s p%d,p%d=%s' % ('(p%d) ' % qp if qp else '', stem, p1, p2, ','.join(['f%d' % n for n in f] + ([last] if last else [])))
    maker.case('%s %s' % (text, variant) if variant != 'value' else text, 'F', text, initial, final, fields)


def classes(maker):
    rng = maker.random

    def member(register, mask):
        if is_natval(register):
            return bool(mask & 0x100)
        if is_unsupported(register):
            return False
        if is_nan(register):
            return bool(mask & (0x40 if is_signaling(register) else 0x80))
        side = 2 if sign(register) else 1
        if is_infinity(register):
            return bool(mask & 0x20 and mask & side)
        if is_zero(register):
            return bool(mask & 4 and mask & side)
        return bool(mask & (8 if is_unnormal(register) else 16) and mask & side)
    for kind in ('', 'unc'):
        for variant in ['value'] * 24 + ['off', 'off', 'natval', 'natval', 'rotating', 'disabled', 'sametarget']:
            register = rng.choice((operand(rng), nan(rng), nan(rng, True), (0x1ffff, 5)))
            if variant == 'natval':
                register = NATVAL
            mask = rng.getrandbits(9)
            if not mask & 3:
                mask |= 3       # the assembler takes a class without a sign for both signs
            predicates(maker, 'fclass.m' + ('.unc' if kind else ''), kind, variant, [register], member(register, mask), 0, 0, '0x%x' % mask)


# Minimum, maximum

def selected(name, a, b):
    """fmin and its kind: the second operand where the relation does not hold, and flags."""
    if any(map(is_unsupported, (a, b))):
        return b, V
    if is_nan(a) or is_nan(b):
        return b, V
    x, y = (a[0] & 0x1ffff, a[1]), (b[0] & 0x1ffff, b[1])
    if name in ('famin', 'famax'):
        less = relation_holds('lt', x, y)[0] if name == 'famin' else relation_holds('lt', y, x)[0]
    else:
        less = relation_holds('lt', a, b)[0] if name == 'fmin' else relation_holds('lt', b, a)[0]
    return (a if less else b), D if is_unnormal(a) or is_unnormal(b) else 0


def selections(maker):
    rng = maker.random
    for name in ('fmin', 'fmax', 'famin', 'famax'):
        for variant in ['value'] * 16 + ['same', 'zeros', 'nan', 'snan'] + COMMON:
            case = Case(maker, 2, variant)
            field = rng.randrange(4)
            a, b = operand(rng), operand(rng)
            if variant == 'same':
                b = a
            if variant == 'zeros':
                a, b = (0, 0), (1 << 17, 0)
            if variant in ('nan', 'snan'):
                special = nan(rng, variant == 'snan')
                a, b = rng.choice(((special, b), (a, special)))
            result, flags = selected(name, a, b)
            if variant == 'natval':
                a, b = rng.choice(((NATVAL, b), (a, NATVAL)))
                result, flags = NATVAL, 0
            case.load(a, b)
            case.finish('%s%s {0}={1},{2}' % (name, tail(field)), result, flags, field)
        for variant in ['value'] * 18 + COMMON:
            case = Case(maker, 2, variant)
            field = rng.randrange(4)
            x = y = out = flags = 0
            for shift in (0, 32):
                a, b = number_single(rng), number_single(rng)
                if rng.randrange(6) == 0:
                    a = rng.choice((0x7fc00001, 0x7f800001))
                ra, rb = single_register(a), single_register(b)
                result, raised = selected(name, ra, rb)
                flags |= raised
                x, y, out = x | a << shift, y | b << shift, out | (a if result is ra else b) << shift
            registers_, result = [(INTEGER, x), (INTEGER, y)], (INTEGER, out)
            if variant == 'natval':
                registers_[rng.randrange(2)] = NATVAL
                result, flags = NATVAL, 0
            case.load(*registers_)
            case.finish('fp%s%s {0}={1},{2}' % (name[1:], tail(field)), result, flags, field)
    for name, base, inverted in (('eq', 'eq', 0), ('lt', 'lt', 0), ('le', 'le', 0), ('unord', 'unord', 0), ('neq', 'eq', 1), ('nlt', 'lt', 1),
                                 ('nle', 'le', 1), ('ord', 'unord', 1)):
        for variant in ['value'] * 18 + COMMON:
            case = Case(maker, 2, variant)
            field = rng.randrange(4)
            x = y = out = flags = 0
            for shift in (0, 32):
                a = number_single(rng)
                b = rng.choice((a, number_single(rng), number_single(rng)))
                if rng.randrange(6) == 0:
                    a = rng.choice((0x7fc00001, 0x7f800001))
                holds, raised = relation_holds(base, single_register(a), single_register(b))
                flags |= raised
                x, y, out = x | a << shift, y | b << shift, out | (0xffffffff if holds != bool(inverted) else 0) << shift
            registers_, result = [(INTEGER, x), (INTEGER, y)], (INTEGER, out)
            if variant == 'natval':
                registers_[rng.randrange(2)] = NATVAL
                result, flags = NATVAL, 0
            case.load(*registers_)
            case.finish('fpcmp.%s%s {0}={1},{2}' % (name, tail(field)), result, flags, field)


# Merges, mixes, logic

def merges(maker):
    rng = maker.random
    low = (1 << 32) - 1

    def lane(high, low_):
        return lambda a, b: (INTEGER, high(a[1], b[1]) << 32 | low_(a[1], b[1]))

    def both(function):
        return lambda a, b: (INTEGER, function(a[1] >> 32, b[1] >> 32) << 32 | function(a[1] & low, b[1] & low))
    top = 1 << 31
    table = {
        'fmerge.s': lambda a, b: (a[0] & 1 << 17 | b[0] & 0x1ffff, b[1]),
        'fmerge.ns': lambda a, b: (~a[0] & 1 << 17 | b[0] & 0x1ffff, b[1]),
        'fmerge.se': lambda a, b: (a[0], b[1]),
        'fmix.lr': lane(lambda a, b: a >> 32, lambda a, b: b & low), 'fmix.r': lane(lambda a, b: a & low, lambda a, b: b & low),
        'fmix.l': lane(lambda a, b: a >> 32, lambda a, b: b >> 32),
        'fsxt.r': lane(lambda a, b: low if a & top else 0, lambda a, b: b & low),
        'fsxt.l': lane(lambda a, b: low if a >> 63 else 0, lambda a, b: b >> 32),
        'fpack': lambda a, b: (INTEGER, to_single(a) << 32 | to_single(b)),
        'fswap': lane(lambda a, b: b & low, lambda a, b: a >> 32),
        'fswap.nl': lane(lambda a, b: b & low ^ top, lambda a, b: a >> 32),
        'fswap.nr': lane(lambda a, b: b & low, lambda a, b: a >> 32 ^ top),
        'fand': lambda a, b: (INTEGER, a[1] & b[1]), 'fandcm': lambda a, b: (INTEGER, a[1] & ~b[1]),
        'for': lambda a, b: (INTEGER, a[1] | b[1]), 'fxor': lambda a, b: (INTEGER, a[1] ^ b[1]),
        'fpmerge.s': both(lambda a, b: a & top | b & ~top), 'fpmerge.ns': both(lambda a, b: ~a & top | b & ~top),
        'fpmerge.se': both(lambda a, b: a & 0x1ff << 23 | b & (1 << 23) - 1),
    }
    for name, function in table.items():
        for variant in ['value'] * 16 + COMMON:
            case = Case(maker, 2, variant)
            a, b = register_value(rng), register_value(rng)
            if is_natval(a) or is_natval(b):
                a, b = (0xffff, value(rng)), (0xfffe, value(rng))
            result = function(a, b)
            if variant == 'natval':
                a, b = rng.choice(((NATVAL, b), (a, NATVAL)))
                result = NATVAL
            case.load(a, b)
            case.finish('%s {0}={1},{2}' % name, result)


# Conversions

def to_integer(register, mode, unsigned, bits):
    """fcvt.fx and its kind: the integer (as `bits` bits), and flags."""
    bad = 1 << bits - 1
    if is_nan(register) or is_unsupported(register) or is_infinity(register):
        return bad, V
    flags = D if is_unnormal(register) else 0
    x = exact(register)
    magnitude, inexact = rounded_integer(abs(x), mode, x < 0)
    result = -magnitude if x < 0 else magnitude
    if unsigned and not 0 <= result < 1 << bits or not unsigned and not -(1 << bits - 1) <= result < 1 << bits - 1:
        return bad, V
    return result & (1 << bits) - 1, flags | (I if inexact else 0)


def conversions(maker):
    rng = maker.random
    for unsigned in (False, True):
        for truncated in (False, True):
            name = 'fcvt.fx%s%s' % ('u' if unsigned else '', '.trunc' if truncated else '')
            for variant in ['value'] * 16 + ['large'] * 4 + ['nan', 'snan', 'infinity', 'fault'] + COMMON:
                case = Case(maker, 1, variant)
                field, mode = rng.randrange(4), rng.randrange(4)
                case.fpsr = with_field(FPSR, field, controls(0, 0, 3, mode))
                a = (rng.randrange(2) << 17 | 0xffff + rng.randrange(-3, 66), 1 << 63 | rng.getrandbits(rng.choice((63, 2))) << 0)
                if rng.randrange(3) == 0:
                    a = (rng.randrange(2) << 17 | 0xffff + rng.randrange(0, 8), rng.choice((3 << 62, 5 << 61, 7 << 61, 9 << 60)))
                if variant == 'large':
                    a = rng.choice(((0x1003e, 1 << 63), (0x3003e, 1 << 63), (0x3003e, 1 << 63 | 1), (0x1003f, 1 << 63), (0x1003e, M64), (0x1003d, M64)))
                elif variant in ('nan', 'snan', 'fault'):
                    a = nan(rng, variant != 'nan')
                elif variant == 'infinity':
                    a = (rng.randrange(2) << 17 | 0x1ffff, 1 << 63)
                bits, flags = to_integer(a, ZERO if truncated else mode, unsigned, 64)
                result, fault = (INTEGER, bits), 0
                if variant == 'natval':
                    a, result, flags = NATVAL, NATVAL, 0
                if variant == 'fault':
                    fault = V
                    case.fpsr &= ~1
                    if field:
                        case.fpsr &= ~(1 << 12 + 13 * field)
                case.load(a)
                case.finish(name + tail(field) + ' {0}={1}', result, flags, field, fault=fault, label='rc %d' % mode)
            name = 'fpcvt.fx%s%s' % ('u' if unsigned else '', '.trunc' if truncated else '')
            for variant in ['value'] * 18 + COMMON:
                case = Case(maker, 1, variant)
                field, mode = rng.randrange(4), rng.randrange(4)
                case.fpsr = with_field(FPSR, field, controls(0, 0, 3, mode))
                a = out = flags = 0
                for shift in (0, 32):
                    single = rng.choice((number_single(rng), rng.randrange(2) << 31 | rng.randrange(120, 160) << 23 | rng.getrandbits(23)))
                    bits, raised = to_integer(single_register(single), ZERO if truncated else mode, unsigned, 32)
                    a, out, flags = a | single << shift, out | bits << shift, flags | raised
                register, result = (INTEGER, a), (INTEGER, out)
                if variant == 'natval':
                    register, result, flags = NATVAL, NATVAL, 0
                case.load(register)
                case.finish(name + tail(field) + ' {0}={1}', result, flags, field, label='rc %d' % mode)
    for variant in ['value'] * 18 + COMMON:
        case = Case(maker, 1, variant)
        bits = value(rng)
        number = signed(bits)
        result = rounded(Fraction(number), 64, 17, NEAREST)[0] if number else (0, 0)
        register = (INTEGER, bits)
        if variant == 'natval':
            register = result = NATVAL
        case.load(register)
        case.finish('fcvt.xf {0}={1}', result)


# Approximations

def reciprocal(register):
    """frcpa's table: 1/x in the middle of 256 intervals, to 11 bits."""
    index = register[1] >> 55 & 0xff
    middle = 1 + Fraction(2 * index + 1, 512)
    table, _ = rounded_integer(1 / middle * (1 << 11), NEAREST, False)
    return (0x1fffd - (register[0] & 0x1ffff), table << 53)


def reciprocal_root(register):
    """frsqrta's: 1/√x for even and odd exponents, 128 intervals each, to 11 bits."""
    exponent = (register[0] & 0x1ffff) - 0xffff
    index = register[1] >> 56 & 0x7f
    middle = (1 + Fraction(2 * index + 1, 256)) * (2 if exponent & 1 else 1)
    # The nearest of 11 bits to 1/√m, a number of [1/2, 1): compared by squares.
    scaled = Fraction(1 << 24) / middle          # (2^12 / √m)²
    root = isqrt(scaled.numerator // scaled.denominator)
    table = root + 1 >> 1
    half = exponent >> 1
    return (0xffff - half - 1, table << 53)


def approximations(maker):
    rng = maker.random
    for name in ('frcpa', 'frsqrta'):
        for variant in ['value'] * 24 + ['off', 'off', 'natval', 'rotating', 'disabled', 'badtarget', 'zero', 'zero', 'nan', 'snan', 'infinity', 'special', 'zerofault']:
            sources = 2 if name == 'frcpa' else 1
            case = Case(maker, sources, variant)
            field = rng.randrange(4)
            a, b = normal(rng, 1000), normal(rng, 1000)
            flags, p2, fault = 0, 1, 0
            if name == 'frsqrta':
                b = (b[0] & 0x1ffff, b[1])
            if variant in ('zero', 'zerofault'):
                b = (rng.randrange(2) << 17, 0)
            elif variant in ('nan', 'snan'):
                b = nan(rng, variant == 'snan')
            elif variant == 'infinity':
                b = (rng.randrange(2) << 17 | 0x1ffff, 1 << 63) if name == 'frcpa' else (0x1ffff, 1 << 63)
            elif variant == 'natval':
                b = NATVAL
            elif variant == 'special':
                if name == 'frcpa':
                    a = rng.choice(((rng.randrange(2) << 17, 0), (rng.randrange(2) << 17 | 0x1ffff, 1 << 63)))
                else:
                    b = (b[0] | 1 << 17, b[1])
            negative = (sign(a) ^ sign(b)) << 17
            if variant == 'natval':
                result, p2 = NATVAL, 0
            elif variant in ('nan', 'snan'):
                result, p2, flags = quieted(b), 0, V if variant == 'snan' else 0
            elif name == 'frcpa':
                if variant in ('zero', 'zerofault'):
                    result, p2, flags = (negative | 0x1ffff, 1 << 63), 0, Z
                elif variant == 'infinity':
                    result, p2 = (negative, 0), 0
                elif variant == 'special':
                    result, p2 = (negative | a[0] & 0x1ffff, a[1]), 0
                else:
                    exponent, significand = reciprocal(b)
                    result = (sign(b) << 17 | exponent, significand)
            else:
                if variant in ('zero', 'zerofault'):
                    result, p2 = b, 0
                elif variant == 'infinity':
                    result, p2 = b, 0
                elif variant == 'special':
                    result, p2, flags = INDEFINITE, 0, V
                else:
                    result = reciprocal_root(b)
            if variant == 'zerofault' and name == 'frcpa':
                fault = Z
                case.fpsr = FPSR & ~4
                if field:
                    case.fpsr &= ~(1 << 12 + 13 * field)
            approximated(maker, case, name + tail(field), (a, b) if sources == 2 else (b,), result, p2, flags, field, fault)
        for variant in ['value'] * 20 + ['off', 'off', 'natval', 'rotating', 'disabled', 'badtarget']:
            sources = 2 if name == 'frcpa' else 1
            case = Case(maker, sources, variant)
            field = rng.randrange(4)
            a = b = out = 0
            for shift in (0, 32):
                x = rng.randrange(2) << 31 | rng.randrange(100, 150) << 23 | rng.getrandbits(23)
                y = (rng.randrange(2) << 31 if name == 'frcpa' else 0) | rng.randrange(100, 150) << 23 | rng.getrandbits(23)
                register = single_register(y)
                exponent, significand = reciprocal(register) if name == 'frcpa' else reciprocal_root(register)
                a, b = a | x << shift, b | y << shift
                out |= packed_single((sign(register) << 17 | exponent, significand)) << shift
            p2, result = 1, (INTEGER, out)
            registers_ = [(INTEGER, a), (INTEGER, b)]
            if variant == 'natval':
                registers_[1] = result = NATVAL
                p2 = 0
            approximated(maker, case, 'fp%s%s' % (name[1:], tail(field)), registers_ if sources == 2 else registers_[1:], result, p2, 0, field, 0)


def approximated(maker, case, stem, operands, result, p2, flags, field, fault):
    rng = maker.random
    case.load(*operands)
    number = rng.choice([n for n in range(1, 64) if n != case.qp])
    word = (case.initial.get('pr', rng.getrandbits(64)) | 1)
    case.initial['pr'] = word
    place = 1 << physical(number, case.cfm)
    on = case.variant not in ('off',)
    text = stem + ' {0},p%d={1}' % number + (',{2}' if len(operands) == 2 else '')
    before = len(maker.cases)
    case.finish(text, result, flags, field, fault=fault)
    # p2 beside the register: cleared where the predicate is off, too.
    entry = list(maker.cases[before])
    final = dict(entry[7])
    if case.variant not in ('disabled', 'badtarget') and not fault:
        new = word & ~place | (place if p2 and on else 0)
        if new != word:
            final['pr'] = new | 1
    entry[7] = final
    maker.cases[before] = tuple(entry)


# The status register

def status(maker):
    rng = maker.random
    for field in range(4):
        for number in range(8):
            fpsr = FPSR | rng.getrandbits(6) << 13 + 13 * field
            main = fpsr >> 6 & 0x7f
            while True:
                amask, omask = rng.getrandbits(7), rng.getrandbits(7)
                new = main & amask | omask
                if new >> 2 & 3 != 1:
                    break
            if field == 0:
                amask, omask = amask & 0x3f, omask & 0x3f   # sf0 has no td bit
                new = main & amask | omask
                if new >> 2 & 3 == 1:
                    continue
            text = 'fsetc%s 0x%x,0x%x' % (tail(field), amask, omask)
            low = 6 + 13 * field
            maker.case(text + ' %d' % number, 'F', text, {'ar': {'fpsr': fpsr}}, {'ar': {'fpsr': fpsr & ~(0x7f << low) | new << low}})
            text = 'fclrf' + tail(field)
            maker.case('%s %x' % (text, fpsr), 'F', text, {'ar': {'fpsr': fpsr}}, {'ar': {'fpsr': fpsr & ~(0x3f << 13 + 13 * field)}})
            # fchkf: a flag that sf0 has not, or whose trap is enabled.
            state = fpsr & ~0x3f | rng.choice((0x3f, 0x3f, rng.getrandbits(6)))
            state |= rng.getrandbits(6) << 13
            flags, main_flags, traps = state >> 13 + 13 * field & 0x3f, state >> 13 & 0x3f, ~state & 0x3f
            taken = bool(flags & traps or flags & ~main_flags)
            text = 'fchkf%s @next' % tail(field)
            maker.case('%s %x' % (text, state), 'F', text, {'ar': {'fpsr': state}}, {'ip': 0x4040} if taken else {})
    for field in (1, 2):
        text = 'fsetc%s 0x0,0x4' % tail(field)
        maker.case(text + ' reserved precision', 'F', text, {'psr': IC}, maker.fault(GENERAL, 1, RESERVED))
    for text in ('fsetc.s1 0,0', 'fclrf.s1', 'fchkf.s1 @next'):
        maker.case('(p7) ' + text, 'F', '(p7) ' + text, {'ar': {'fpsr': FPSR | 0x3f << 26}}, {})
