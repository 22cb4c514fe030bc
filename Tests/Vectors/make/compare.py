"""Instructions that write two predicates from general registers: cmp, cmp4, tbit, tnat, tf (formats A6 to A8, I16, I17,
I30)."""
from kit import *

RELATIONS = {
    'eq': lambda a, b, bits: a == b, 'ne': lambda a, b, bits: a != b,
    'lt': lambda a, b, bits: signed(a, bits) < signed(b, bits), 'le': lambda a, b, bits: signed(a, bits) <= signed(b, bits),
    'gt': lambda a, b, bits: signed(a, bits) > signed(b, bits), 'ge': lambda a, b, bits: signed(a, bits) >= signed(b, bits),
    'ltu': lambda a, b, bits: a < b,
}


def physical(number, cfm):
    if number < 16:
        return number
    number += cfm >> 32 & 63
    return number if number < 64 else number - 48


def outcome(kind, result, nat):
    """What is written to the two targets: (p1, p2), None where nothing is."""
    if kind in ('', 'unc'):
        return (0, 0) if nat else (int(result), int(not result))
    if kind == 'and':
        return (0, 0) if nat or not result else None
    if nat or not result:
        return None
    return (1, 1) if kind == 'or' else (1, 0)


def make(maker):
    for bits, stem in ((64, 'cmp'), (32, 'cmp4')):
        for relation in ('lt', 'ltu', 'eq'):
            for kind in ('', 'unc'):
                numbers(maker, stem, relation, kind, bits, 'register')
                numbers(maker, stem, relation, kind, bits, 'immediate')
        for relation in ('eq', 'ne'):
            for kind in ('and', 'or', 'or.andcm'):
                numbers(maker, stem, relation, kind, bits, 'register')
                numbers(maker, stem, relation, kind, bits, 'immediate')
        for relation in ('gt', 'le', 'ge', 'lt'):
            for kind in ('and', 'or', 'or.andcm'):
                numbers(maker, stem, relation, kind, bits, 'zero')
    for sense in ('z', 'nz'):
        for kind in ('', 'unc', 'and', 'or', 'or.andcm') if sense == 'z' else ('and', 'or', 'or.andcm'):
            for stem in ('tbit', 'tnat', 'tf'):
                numbers(maker, stem, sense, kind, 64, stem)


def numbers(maker, stem, relation, kind, bits, shape):
    kinds = ['value'] * 11 + ['equal', 'off', 'off', 'rotating', 'rotating', 'sametarget', 'offsame', 'p0', 'p0']
    if shape != 'tf':
        kinds += ['nat', 'nat']
    else:
        kinds += ['value', 'value']
    for variant in kinds:
        one(maker, stem, relation, kind, bits, shape, variant)


def one(maker, stem, relation, kind, bits, shape, variant):
    rng = maker.random
    cfm = ROTATING if variant == 'rotating' else CFM
    unit = 'A' if shape in ('register', 'immediate', 'zero') else 'I'
    p1, p2 = rng.sample(range(1, 64), 2)
    qp = rng.choice([0, 0, 1, 6, 15, 20, 50])
    if variant in ('off', 'offsame'):
        qp = rng.choice([2, 7, 33])
    while qp and qp in (p1, p2):
        p1, p2 = rng.sample(range(1, 64), 2)
    if variant == 'p0':
        p1, p2 = (0, p2) if rng.randrange(2) else (p1, 0)
    a, b = registers(rng, 2)
    x, y = value(rng), value(rng)
    if variant == 'equal' or rng.randrange(4) == 0:
        y = x
    initial = {'cfm': cfm}
    nats = []
    name = '.'.join([stem, relation] + ([kind] if kind else []))
    if shape == 'register':
        operands, values = 'r%d,r%d' % (a, b), (x, y)
        initial['gr'] = {a: x, b: y}
        sources = [a, b]
    elif shape == 'immediate':
        imm = rng.choice([-127, -1, 0, 1, 127, rng.randrange(-126, 127)])
        if rng.randrange(3) == 0:
            y = imm & M64
        operands, values = '%d,r%d' % (imm, b), (imm & M64, y)
        initial['gr'] = {b: y}
        sources = [b]
    elif shape == 'zero':
        y = rng.choice([0, 1, M64, 1 << 63, 1 << 31, y])
        operands, values = 'r0,r%d' % b, (0, y)
        initial['gr'] = {b: y}
        sources = [b]
    elif shape == 'tbit':
        position = rng.choice([0, 1, 31, 32, 63, rng.randrange(64)])
        operands = 'r%d,%d' % (b, position)
        initial['gr'] = {b: y}
        sources = [b]
    elif shape == 'tnat':
        operands = 'r%d' % b
        initial['gr'] = {b: y}
        sources = [b]
    else:
        position = rng.randrange(32, 64)
        feature = rng.getrandbits(64)
        operands = '%d' % position
        initial['cpuid'] = {4: feature}
        sources = []
    if variant == 'nat':
        nats = [rng.choice(sources)]
        initial['nat'] = nats
    if shape in ('register', 'immediate', 'zero'):
        mask = (1 << bits) - 1
        result = RELATIONS[relation](values[0] & mask, values[1] & mask, bits)
    elif shape == 'tbit':
        result = (y >> position & 1) == (relation == 'nz')
    elif shape == 'tnat':
        result = bool(nats) == (relation == 'nz')
    else:
        result = (feature >> position & 1) == (relation == 'nz')
    on = variant not in ('off', 'offsame')
    word = rng.getrandbits(64) | 1
    if qp:
        bit = 1 << physical(qp, cfm)
        word = word | bit if on else word & ~bit
    initial['pr'] = word
    written = outcome(kind, result, bool(nats) and shape != 'tnat') if on else (0, 0) if kind == 'unc' else None
    new = word
    if written:
        for target, bit in zip((p1, p2), written):
            place = 1 << physical(target, cfm)
            new = new & ~place | (place if bit else 0)
        new |= 1
    final = {'pr': new} if new != word else {}
    fields = []
    if variant in ('sametarget', 'offsame'):
        fields = [Field(6, 6, p2)]
        final = {}
        if on or kind == 'unc':
            initial['psr'] = IC
            final = maker.fault(GENERAL, FRAMES[unit][1], ILLEGAL)
    text = '%s%s p%d,p%d=%s' % ('(p%d) ' % qp if qp else '', name, p1, p2, operands)
    maker.case(text + ('' if variant == 'value' else ' ' + variant), unit, text, initial, final, fields)
