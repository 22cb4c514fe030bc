"""Integer arithmetic, shifts, bit fields, parallel operations, long immediates: formats A1 to A5, A9, A10, I1 to I15, I29,
X2."""
from kit import *


def sat(value, low, high):
    return max(low, min(high, value))


def addp4(total, pointer):
    return total & 0xffffffff | (pointer >> 30 & 3) << 61


def per_lane(bits, function):
    return lambda a, b: joined([function(x, y) for x, y in zip(lanes(a, bits), lanes(b, bits))], bits)


def arithmetic(bits, kind, minus):
    """padd and psub with their saturations: result, first and second operand signed or not."""
    mask = (1 << bits) - 1

    def lane(x, y):
        if kind == '':
            return (x - y if minus else x + y) & mask
        if kind == 'sss':
            x, y = signed(x, bits), signed(y, bits)
            return sat(x - y if minus else x + y, -(1 << bits - 1), (1 << bits - 1) - 1) & mask
        if kind == 'uus':
            y = signed(y, bits)
        return sat(x - y if minus else x + y, 0, mask)
    return per_lane(bits, lane)


def compare(bits, greater):
    mask = (1 << bits) - 1
    return per_lane(bits, lambda x, y: mask if (signed(x, bits) > signed(y, bits) if greater else x == y) else 0)


def shift_left_add(a, count, b):
    out = []
    for x, y in zip(lanes(a, 16), lanes(b, 16)):
        shifted = signed(x, 16) << count
        if not -32768 <= shifted <= 32767:
            out.append(sat(shifted, -32768, 32767))
        else:
            out.append(sat(shifted + signed(y, 16), -32768, 32767))
    return joined(out, 16)


def shift_right_add(a, count, b):
    return joined([sat((signed(x, 16) >> count) + signed(y, 16), -32768, 32767)
                   for x, y in zip(lanes(a, 16), lanes(b, 16))], 16)


def mix(bits, left):
    def function(a, b):
        x, y = lanes(a, bits), lanes(b, bits)
        out = []
        for n in range(1 if left else 0, len(x), 2):
            out += [y[n], x[n]]
        return joined(out, bits)
    return function


def unpack(bits, high):
    def function(a, b):
        x, y = lanes(a, bits), lanes(b, bits)
        half = len(x) // 2
        out = []
        for n in range(half if high else 0, len(x) if high else half):
            out += [y[n], x[n]]
        return joined(out, bits)
    return function


def pack(bits, low, high):
    half = bits // 2
    return lambda a, b: joined([sat(signed(x, bits), low, high) for x in lanes(a, bits) + lanes(b, bits)], half)


def multiply(left):
    def function(a, b):
        x, y = lanes(a, 16), lanes(b, 16)
        first = 1 if left else 0
        return joined([signed(x[n], 16) * signed(y[n], 16) for n in (first, first + 2)], 32)
    return function


def multiply_shift(a, b, count, unsigned):
    out = []
    for x, y in zip(lanes(a, 16), lanes(b, 16)):
        product = x * y if unsigned else signed(x, 16) * signed(y, 16)
        out.append(product >> count)
    return joined(out, 16)


PERMUTATIONS = {  # the source byte of each result byte, lowest first
    '@brcst': [0] * 8, '@mix': [0, 4, 2, 6, 1, 5, 3, 7], '@shuf': [0, 4, 1, 5, 2, 6, 3, 7],
    '@alt': [0, 2, 4, 6, 1, 3, 5, 7], '@rev': [7, 6, 5, 4, 3, 2, 1, 0],
}


def first_zero(bits, left):
    def function(a):
        elements = lanes(a, bits)
        if left:
            elements.reverse()
        return elements.index(0) if 0 in elements else len(elements)
    return function


def shift_right(bits, unsigned):
    def lane(x, count):
        if unsigned:
            return x >> count if count < bits else 0
        return signed(x, bits) >> min(count, bits)
    return lambda a, count: joined([lane(x, count) for x in lanes(a, bits)], bits)


def shift_left(bits):
    return lambda a, count: joined([x << count if count < bits else 0 for x in lanes(a, bits)], bits)


def field(position, length):
    return (1 << min(length, 64 - position)) - 1


def extract(a, position, length, unsigned):
    length = min(length, 64 - position)
    bits = a >> position & (1 << length) - 1
    return bits if unsigned else signed(bits, length) & M64


def deposit(a, into, position, length):
    mask = field(position, length)
    return into & ~(mask << position) & M64 | (a & mask) << position


TWO = []       # unit, text, function of two registers
for mnemonic, function in {
        'add {1}={2},{3}': lambda a, b: a + b, 'add {1}={2},{3},1': lambda a, b: a + b + 1,
        'sub {1}={2},{3}': lambda a, b: a - b, 'sub {1}={2},{3},1': lambda a, b: a - b - 1,
        'addp4 {1}={2},{3}': lambda a, b: addp4(a + b, b), 'and {1}={2},{3}': lambda a, b: a & b,
        'andcm {1}={2},{3}': lambda a, b: a & ~b, 'or {1}={2},{3}': lambda a, b: a | b,
        'xor {1}={2},{3}': lambda a, b: a ^ b}.items():
    TWO.append(('A', mnemonic, function))
for bits, size in ((8, '1'), (16, '2'), (32, '4')):
    for minus, stem in ((False, 'padd'), (True, 'psub')):
        for kind in ('', 'sss', 'uus', 'uuu') if bits < 32 else ('',):
            name = stem + size + ('.' + kind if kind else '')
            TWO.append(('A', name + ' {1}={2},{3}', arithmetic(bits, kind, minus)))
    for greater, stem in ((False, 'eq'), (True, 'gt')):
        TWO.append(('A', 'pcmp%s.%s {1}={2},{3}' % (size, stem), compare(bits, greater)))
    if bits < 32:
        TWO.append(('A', 'pavg%s {1}={2},{3}' % size, per_lane(bits, lambda x, y: x + y >> 1 | x + y & 1)))
        TWO.append(('A', 'pavg%s.raz {1}={2},{3}' % size, per_lane(bits, lambda x, y: x + y + 1 >> 1)))
        TWO.append(('A', 'pavgsub%s {1}={2},{3}' % size, per_lane(bits, lambda x, y: x - y >> 1 | x - y & 1)))
    TWO.append(('I', 'mix%s.l {1}={2},{3}' % size, mix(bits, True)))
    TWO.append(('I', 'mix%s.r {1}={2},{3}' % size, mix(bits, False)))
    TWO.append(('I', 'unpack%s.h {1}={2},{3}' % size, unpack(bits, True)))
    TWO.append(('I', 'unpack%s.l {1}={2},{3}' % size, unpack(bits, False)))
TWO += [
    ('I', 'pmpy2.l {1}={2},{3}', multiply(True)), ('I', 'pmpy2.r {1}={2},{3}', multiply(False)),
    ('I', 'pack2.uss {1}={2},{3}', pack(16, 0, 255)), ('I', 'pack2.sss {1}={2},{3}', pack(16, -128, 127)),
    ('I', 'pack4.sss {1}={2},{3}', pack(32, -32768, 32767)),
    ('I', 'pmin1.u {1}={2},{3}', per_lane(8, min)), ('I', 'pmax1.u {1}={2},{3}', per_lane(8, max)),
    ('I', 'pmin2 {1}={2},{3}', per_lane(16, lambda x, y: min(signed(x, 16), signed(y, 16)))),
    ('I', 'pmax2 {1}={2},{3}', per_lane(16, lambda x, y: max(signed(x, 16), signed(y, 16)))),
    ('I', 'psad1 {1}={2},{3}', lambda a, b: sum(abs(x - y) for x, y in zip(lanes(a, 8), lanes(b, 8)))),
    ('I', 'mpy4 {1}={2},{3}', lambda a, b: (a & 0xffffffff) * (b & 0xffffffff)),
    ('I', 'mpyshl4 {1}={2},{3}', lambda a, b: (a >> 32) * (b & 0xffffffff) << 32),
]
# Shifts by a register: the count is the second source of the text for right shifts of the first, and so on.
SHIFTS = [
    ('I', 'shr {1}={2},{3}', shift_right(64, False)), ('I', 'shr.u {1}={2},{3}', shift_right(64, True)),
    ('I', 'shl {1}={2},{3}', shift_left(64)),
    ('I', 'pshr2 {1}={2},{3}', shift_right(16, False)), ('I', 'pshr2.u {1}={2},{3}', shift_right(16, True)),
    ('I', 'pshr4 {1}={2},{3}', shift_right(32, False)), ('I', 'pshr4.u {1}={2},{3}', shift_right(32, True)),
    ('I', 'pshl2 {1}={2},{3}', shift_left(16)), ('I', 'pshl4 {1}={2},{3}', shift_left(32)),
]
ONE = [
    ('I', 'popcnt {1}={2}', lambda a: bin(a).count('1')), ('I', 'clz {1}={2}', lambda a: 64 - a.bit_length()),
    ('I', 'zxt1 {1}={2}', lambda a: a & 0xff), ('I', 'zxt2 {1}={2}', lambda a: a & 0xffff),
    ('I', 'zxt4 {1}={2}', lambda a: a & 0xffffffff), ('I', 'sxt1 {1}={2}', lambda a: signed(a, 8)),
    ('I', 'sxt2 {1}={2}', lambda a: signed(a, 16)), ('I', 'sxt4 {1}={2}', lambda a: signed(a, 32)),
    ('I', 'czx1.l {1}={2}', first_zero(8, True)), ('I', 'czx1.r {1}={2}', first_zero(8, False)),
    ('I', 'czx2.l {1}={2}', first_zero(16, True)), ('I', 'czx2.r {1}={2}', first_zero(16, False)),
]


def imm8(rng):
    return rng.choice((-128, -1, 0, 1, 127, rng.randrange(-128, 128)))


def imm14(rng):
    return rng.choice((-8192, -1, 0, 1, 8191, rng.randrange(-8192, 8192)))


def imm22(rng):
    return rng.choice((-(1 << 21), -1, 0, 1, (1 << 21) - 1, rng.randrange(-(1 << 21), 1 << 21)))


def place(rng, longest=64):
    return rng.choice((0, 1, 31, 32, 63, rng.randrange(64))), rng.choice((1, 2, longest, rng.randrange(1, longest + 1)))


# With an immediate: unit, text with {i} and {j}, how many registers, immediates, function(immediates, registers…)
WITH = [
    ('A', 'sub {1}={i},{2}', 1, lambda r: (imm8(r),), lambda i, a: i[0] - a),
    ('A', 'and {1}={i},{2}', 1, lambda r: (imm8(r),), lambda i, a: i[0] & a),
    ('A', 'andcm {1}={i},{2}', 1, lambda r: (imm8(r),), lambda i, a: i[0] & ~a),
    ('A', 'or {1}={i},{2}', 1, lambda r: (imm8(r),), lambda i, a: i[0] | a),
    ('A', 'xor {1}={i},{2}', 1, lambda r: (imm8(r),), lambda i, a: i[0] ^ a),
    ('A', 'adds {1}={i},{2}', 1, lambda r: (imm14(r),), lambda i, a: i[0] + a),
    ('A', 'addp4 {1}={i},{2}', 1, lambda r: (imm14(r),), lambda i, a: addp4(i[0] + a, a)),
    ('A', 'shladd {1}={2},{i},{3}', 2, lambda r: (r.randrange(1, 5),), lambda i, a, b: (a << i[0]) + b),
    ('A', 'shladdp4 {1}={2},{i},{3}', 2, lambda r: (r.randrange(1, 5),), lambda i, a, b: addp4((a << i[0]) + b, b)),
    ('A', 'pshladd2 {1}={2},{i},{3}', 2, lambda r: (r.randrange(1, 4),), lambda i, a, b: shift_left_add(a, i[0], b)),
    ('A', 'pshradd2 {1}={2},{i},{3}', 2, lambda r: (r.randrange(1, 4),), lambda i, a, b: shift_right_add(a, i[0], b)),
    ('I', 'pmpyshr2 {1}={2},{3},{i}', 2, lambda r: (r.choice((0, 7, 15, 16)),),
     lambda i, a, b: multiply_shift(a, b, i[0], False)),
    ('I', 'pmpyshr2.u {1}={2},{3},{i}', 2, lambda r: (r.choice((0, 7, 15, 16)),),
     lambda i, a, b: multiply_shift(a, b, i[0], True)),
    ('I', 'mux1 {1}={2},{i}', 1, lambda r: (r.choice(sorted(PERMUTATIONS)),),
     lambda i, a: joined([lanes(a, 8)[n] for n in PERMUTATIONS[i[0]]], 8)),
    ('I', 'mux2 {1}={2},{i}', 1, lambda r: (r.randrange(256),),
     lambda i, a: joined([lanes(a, 16)[i[0] >> 2 * n & 3] for n in range(4)], 16)),
    ('I', 'pshr2 {1}={2},{i}', 1, lambda r: (r.randrange(32),), lambda i, a: shift_right(16, False)(a, i[0])),
    ('I', 'pshr2.u {1}={2},{i}', 1, lambda r: (r.randrange(32),), lambda i, a: shift_right(16, True)(a, i[0])),
    ('I', 'pshr4 {1}={2},{i}', 1, lambda r: (r.randrange(32),), lambda i, a: shift_right(32, False)(a, i[0])),
    ('I', 'pshr4.u {1}={2},{i}', 1, lambda r: (r.randrange(32),), lambda i, a: shift_right(32, True)(a, i[0])),
    ('I', 'pshl2 {1}={2},{i}', 1, lambda r: (r.randrange(32),), lambda i, a: shift_left(16)(a, i[0])),
    ('I', 'pshl4 {1}={2},{i}', 1, lambda r: (r.randrange(32),), lambda i, a: shift_left(32)(a, i[0])),
    ('I', 'shrp {1}={2},{3},{i}', 2, lambda r: (place(r)[0],), lambda i, a, b: (a << 64 | b) >> i[0]),
    ('I', 'extr {1}={2},{i},{j}', 1, place, lambda i, a: extract(a, *i, False)),
    ('I', 'extr.u {1}={2},{i},{j}', 1, place, lambda i, a: extract(a, *i, True)),
    ('I', 'dep.z {1}={2},{i},{j}', 1, place, lambda i, a: deposit(a, 0, *i)),
    ('I', 'dep.z {1}={k},{i},{j}', 0, lambda r: place(r) + (imm8(r),), lambda i: deposit(i[2] & M64, 0, *i[:2])),
    ('I', 'dep {1}={k},{2},{i},{j}', 1, lambda r: place(r) + (-r.randrange(2),), lambda i, a: deposit(i[2] & M64, a, *i[:2])),
    ('I', 'dep {1}={2},{3},{i},{j}', 2, lambda r: place(r, 16), lambda i, a, b: deposit(a, b, *i)),
    ('X', 'movl {1}={i}', 0, lambda r: (value(r),), lambda i: i[0]),
]


def make(maker):
    for unit, text, function in TWO:
        family(maker, unit, text, 2, lambda r: (), lambda i, *a: function(*a))
    for unit, text, function in SHIFTS:
        family(maker, unit, text, 2, lambda r: (), lambda i, *a: function(*a), counts=True)
    for unit, text, function in ONE:
        family(maker, unit, text, 1, lambda r: (), lambda i, *a: function(*a))
    for unit, text, sources, immediates, function in WITH:
        family(maker, unit, text, sources, immediates, function)
    family(maker, 'A', 'addl {1}={i},{2}', 1, lambda r: (imm22(r),), lambda i, a: i[0] + a, sources_from=[1, 2, 3])


def family(maker, unit, pattern, sources, immediates, function, counts=False, sources_from=None):
    """All cases of an instruction that computes one general register."""
    rng = maker.random

    def operands(count):
        pool = registers(rng, count + 1)
        if sources_from:
            pool[1:] = rng.sample(sources_from, count)
        return pool

    def text(qp, numbers, imm):
        names = dict(zip('ijk', imm))
        names['2' if sources else 'none'] = 'r0'
        for position, number in enumerate(numbers):
            names[str(position + 1)] = 'r%d' % number
        head = '(p%d) ' % qp if qp else ''
        return head + re.sub(r'\{(\w)\}', lambda m: str(names[m.group(1)]), pattern)

    def one(kind, **options):
        numbers = operands(sources)
        if kind == 'same' and not sources_from and sources:
            numbers[1] = numbers[0]
        if kind == 'zero' and sources and not sources_from:
            numbers[-1] = 0
        imm = immediates(rng)
        values = {n: 0 if n == 0 else value(rng) for n in numbers[1:]}
        if counts and numbers[-1] != 0:
            values[numbers[-1]] = rng.choice((0, 1, 15, 16, 17, 31, 32, 33, 63, 64, 65, M64, rng.randrange(70)))
        qp = rng.choice((0, 0, 0, 1, 6, 15, 16, 40, 63))
        target = numbers[0]
        initial = {'cfm': ROTATING if kind == 'rotating' else CFM, 'gr': {n: v for n, v in values.items() if n}}
        initial['gr'].setdefault(target, value(rng))
        initial['pr'] = predicate(qp, initial['cfm'], kind != 'off')
        if kind == 'off' and qp == 0:
            qp = 6
            initial['pr'] = 1 | 1 << 7
        result = function(imm, *(values[n] for n in numbers[1:])) & M64
        final = {'gr': {target: result}}
        fields = []
        if kind == 'off':
            final = {}
        if kind == 'offzero':
            qp, initial['pr'], final = 7, 1 | 1 << 6, {}
            fields = [r1(0)]
        if kind.startswith('nat'):
            source = numbers[1 + int(kind[3:])]
            if source == 0 or source == target:
                source = next((n for n in numbers[1:] if n not in (0, target)), None)
            if source is None:
                return
            initial['nat'] = [source]
            final = {'nat': [source, target]}
        if kind == 'clears':
            initial['nat'] = [target] + ([47] if 47 not in numbers else [])
            if target in numbers[1:]:
                return
            final['nat'] = initial['nat'][1:]
        if kind in ('zerotarget', 'outside', 'faultnat'):
            fields = [r1(0 if kind == 'zerotarget' else 48 if kind == 'outside' else 127)]
            initial['psr'] = IC
            if kind == 'faultnat' and sources and numbers[1] not in (0,):
                initial['nat'] = [numbers[1]]
            slot = FRAMES[unit][1]
            final = maker.fault(GENERAL, slot, ILLEGAL)
        if not qp:
            del initial['pr']
        shown = text(qp, numbers, imm)
        maker.case(shown + ' ' + kind if kind != 'value' else shown, unit, shown, initial, final, fields)

    for kind in ['value'] * 10 + ['same', 'zero', 'rotating', 'rotating', 'off', 'offzero', 'clears', 'clears',
                                  'zerotarget', 'outside', 'faultnat', 'value']:
        one(kind)
    for number in range(sources):
        one('nat%d' % number)


def predicate(qp, cfm, on):
    """All predicates as a word in which `qp` is as wanted; numbers above 15 rotate."""
    physical = qp
    if qp >= 16:
        physical = qp + (cfm >> 32 & 63)
        if physical > 63:
            physical -= 48
    word = 1 | 0x5a5a5a5a5a5a5a5a
    return word & ~(1 << physical) | (1 << physical if on or qp == 0 else 0) | 1
