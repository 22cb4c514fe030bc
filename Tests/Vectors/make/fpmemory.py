"""Floating-point loads, stores, load pairs and transfers to and from general registers (formats M6 to M12, M18, M19)."""
from floats import *
from kit import *
from memory import Shape, updated

FLOAT_REGISTERS = list(range(2, 32)) + list(range(32, 128))

# Size, alignment.
FORMATS = {'ldfs': 4, 'ldfd': 8, 'ldf8': 8, 'ldfe': 16, 'ldf.fill': 16}


def memory_value(rng, size):
    """An image in memory: numbers of all classes."""
    if size == 4:
        return rng.choice((0, 0x80000000, 1, 0x7fffff, 0x807fffff, 0x00800000, 0x3f800000, 0x7f800000, 0xff800000, 0x7fc00000,
                           0x7f800001, 0xffffffff, rng.getrandbits(32), rng.getrandbits(32), rng.getrandbits(32)))
    if size == 8:
        return rng.choice((0, 1 << 63, 1, (1 << 52) - 1, 1 << 52, 0x3ff0000000000000, 0x7ff0000000000000, 0xfff0000000000000,
                           0x7ff8000000000000, 0x7ff0000000000001, M64, rng.getrandbits(64), rng.getrandbits(64),
                           rng.getrandbits(64)))
    significand = rng.choice((0, 1, 1 << 63, 1 << 62, M64, rng.getrandbits(64), rng.getrandbits(64) | 1 << 63))
    exponent = rng.choice((0, 1, 0x3fff, 0x7ffe, 0x7fff, rng.getrandbits(15)))
    return (exponent | rng.randrange(2) << 15) << 64 | significand


def register_value(rng):
    """A register: all classes, unnormal ones among them."""
    kind = rng.randrange(10)
    sign = rng.randrange(2) << 17
    if kind == 0:
        return (sign, 0)
    if kind == 1:
        return (sign | 0x1ffff, 1 << 63)
    if kind == 2:
        return (sign | 0x1ffff, 1 << 63 | rng.getrandbits(63))
    if kind == 3:
        return (sign | rng.choice((0, 0xc001, 0xfc01, 0xff81, 0x1fffe, rng.getrandbits(17) % 0x1fffe)), rng.getrandbits(63))
    if kind == 4:
        return (0x1003e, rng.getrandbits(64))
    if kind < 7:
        return (sign | 0xffff + rng.randrange(-126, 128), 1 << 63 | rng.getrandbits(63))
    if kind < 9:
        return (sign | 0xffff + rng.randrange(-1022, 1024), 1 << 63 | rng.getrandbits(63))
    return (sign | rng.randrange(1, 0x1ffff), 1 << 63 | rng.getrandbits(63))


def converted(stem, bits):
    if stem == 'ldfs':
        return from_single(bits)
    if stem == 'ldfd':
        return from_double(bits)
    if stem == 'ldf8':
        return from_integer(bits)
    if stem == 'ldfe':
        return from_extended(bits & M64, bits >> 64 & 0xffff)
    return from_spill(bits & M64, bits >> 64)


def modified(*numbers):
    return sum({MFL if n < 32 else MFH for n in numbers})


def disabled(numbers):
    """psr bits that disable one of the registers, and what the fault's code is then."""
    low = any(2 <= n < 32 for n in numbers)
    high = any(n >= 32 for n in numbers)
    return (DFL if low else 0) | (DFH if high else 0), (1 if low else 0) | (2 if high else 0)


def make(maker):
    for stem in FORMATS:
        for completer in ('', '.s', '.a', '.sa', '.c.clr', '.c.nc') if stem != 'ldf.fill' else ('',):
            for update in ('none', 'register', 'immediate'):
                loads(maker, stem, stem + completer, update)
    for stem in ('stfs', 'stfd', 'stf8', 'stfe', 'stf.spill'):
        for update in ('none', 'immediate'):
            stores(maker, stem, update)
    for stem in ('ldfps', 'ldfpd', 'ldfp8'):
        for completer in ('', '.s', '.a', '.sa', '.c.clr', '.c.nc'):
            for update in (False, True):
                pairs(maker, stem, stem + completer, update)
    for form in ('sig', 'exp', 's', 'd'):
        transfers(maker, form)


def psr_of(shape, bits):
    shape.psr |= bits
    shape.initial['psr'] = shape.psr


KINDS = ['value'] * 9 + ['big', 'big', 'rotating', 'rotating', 'off', 'nataddress', 'nataddress', 'disabled', 'disabled',
                         'unaligned', 'value']


def loads(maker, stem, mnemonic, update):
    size = FORMATS[stem]
    speculative = '.s' in mnemonic
    for variant in KINDS + ['badtarget'] + (['badbase'] if update != 'none' else []):
        if variant == 'unaligned' and (speculative or size == 16):
            variant = 'value'
        shape = Shape(maker, variant, 3, size)
        rng = shape.rng
        _, base, _ = shape.numbers
        target = rng.choice(FLOAT_REGISTERS)
        shape.initial['gr'][base] = shape.address
        tail, increment = updated(shape, update, shape.numbers)
        bits = memory_value(rng, size if stem in ('ldfs', 'ldfd', 'ldf8') else 16)
        if stem == 'ldf.fill':
            bits = bits & M64 | register_value(rng)[0] << 64
        length = 10 if stem == 'ldfe' else size
        image = bits.to_bytes(length, 'big' if shape.big else 'little').hex()
        shape.initial['ram'] = [[shape.address, image]]
        shape.initial['fr'] = {target: register_value(rng)}
        final = {'fr': {target: converted(stem, bits)}, 'psr': shape.psr | modified(target)}
        if update != 'none':
            final['gr'] = {base: shape.address + increment & M64}
        fields = []
        isr = ISR_R | (ISR_SP if speculative else 0)
        if variant == 'off':
            final = {}
        elif variant == 'nataddress':
            shape.initial['nat'] = [base]
            if speculative:
                final = {'fr': {target: NATVAL}, 'psr': shape.psr | modified(target), 'nat': [base]}
            else:
                final = maker.fault(NAT, 0, ISR_R | 0x10, shape.psr)
        elif variant == 'disabled':
            bits_, code = disabled([target])
            psr_of(shape, bits_ | IC)
            final = maker.fault(DISABLED_FP, 0, isr | code, shape.psr)
        elif variant == 'badtarget':
            psr_of(shape, IC)
            fields = [r1(rng.randrange(2))]
            final = maker.fault(GENERAL, 0, ILLEGAL, shape.psr)
        elif variant == 'badbase':
            psr_of(shape, IC)
            fields = [Field(20, 7, 0)]
            final = maker.fault(GENERAL, 0, ILLEGAL, shape.psr)
        text = '%s%s f%d=[r%d]%s' % (shape.head(), mnemonic, target, base, tail)
        maker.case(text + ('' if variant == 'value' else ' ' + variant), 'M', text, shape.initial, final, fields,
                   ignore=['alat'] if '.a' in mnemonic or '.sa' in mnemonic else ())


def stores(maker, stem, update):
    size = FORMATS[{'stfs': 'ldfs', 'stfd': 'ldfd', 'stf8': 'ldf8', 'stfe': 'ldfe', 'stf.spill': 'ldf.fill'}[stem]]
    for variant in KINDS + ['natval', 'value', 'value'] + (['badbase'] if update != 'none' else []):
        if variant == 'unaligned' and size == 16:
            variant = 'value'
        shape = Shape(maker, variant, 2, size)
        rng = shape.rng
        _, base = shape.numbers
        source = rng.choice(FLOAT_REGISTERS + [0, 1])
        if variant in ('disabled', 'natval'):
            source = rng.choice(FLOAT_REGISTERS)
        register = {0: (0, 0), 1: (0xffff, 1 << 63)}.get(source) or register_value(rng)
        if variant == 'natval':
            register = NATVAL
            psr_of(shape, IC)
        shape.initial['gr'][base] = shape.address
        if source > 1:
            shape.initial['fr'] = {source: register}
        order = 'big' if shape.big else 'little'
        if stem == 'stfs':
            image = to_single(register).to_bytes(4, order)
        elif stem == 'stfd':
            image = to_double(register).to_bytes(8, order)
        elif stem == 'stf8':
            image = register[1].to_bytes(8, order)
        elif stem == 'stfe':
            significand, exponent = to_extended(register)
            image = (exponent << 64 | significand).to_bytes(10, order)
        else:
            image = (register[0] << 64 | register[1]).to_bytes(16, order)
        tail, increment = updated(shape, update, shape.numbers)
        final = {'ram': [[shape.address, image.hex()]]}
        if update != 'none':
            final['gr'] = {base: shape.address + increment & M64}
        fields = []
        if variant == 'off':
            final = {}
        elif variant == 'nataddress' or variant == 'natval' and stem != 'stf.spill':
            if variant == 'nataddress':
                shape.initial['nat'] = [base]
            final = maker.fault(NAT, 0, ISR_W | 0x10, shape.psr)
        elif variant == 'disabled':
            bits, code = disabled([source])
            psr_of(shape, bits | IC)
            final = maker.fault(DISABLED_FP, 0, ISR_W | code, shape.psr)
        elif variant == 'badbase':
            psr_of(shape, IC)
            fields = [Field(20, 7, 0)]
            final = maker.fault(GENERAL, 0, ILLEGAL, shape.psr)
        text = '%s%s [r%d]=f%d%s' % (shape.head(), stem, base, source, tail)
        maker.case(text + ('' if variant == 'value' else ' ' + variant), 'M', text, shape.initial, final, fields)


def pairs(maker, stem, mnemonic, update):
    one = 4 if stem == 'ldfps' else 8
    single = {'ldfps': 'ldfs', 'ldfpd': 'ldfd', 'ldfp8': 'ldf8'}[stem]
    speculative = '.s' in mnemonic
    for variant in KINDS + ['parity', 'badtarget']:
        if variant == 'unaligned':
            variant = 'value'
        shape = Shape(maker, variant, 1, 2 * one)
        rng = shape.rng
        base = shape.numbers[0]
        f1 = rng.choice(FLOAT_REGISTERS)
        same_file = [n for n in FLOAT_REGISTERS if (n < 32) == (f1 < 32) and (n - f1) & 1]
        f2 = rng.choice(same_file)
        if variant == 'disabled' and rng.randrange(2):   # one of each half
            f2 = rng.choice([n for n in FLOAT_REGISTERS if (n < 32) != (f1 < 32) and (n - f1) & 1])
        if variant == 'rotating':   # rotated numbers wrap from 127 to 32, which keeps parities
            shape.initial['cfm'] = CFM | 4 << 25
        shape.initial['gr'][base] = shape.address
        x, y = memory_value(rng, one), memory_value(rng, one)
        order = 'big' if shape.big else 'little'
        shape.initial['ram'] = [[shape.address, (x.to_bytes(one, order) + y.to_bytes(one, order)).hex()]]
        if variant == 'rotating' and shape.qp:
            del shape.initial['pr']
            shape.qp = 0
        final = {'fr': {f1: converted(single, x), f2: converted(single, y)}, 'psr': shape.psr | modified(f1, f2)}
        if update:
            final['gr'] = {base: shape.address + 2 * one}
        fields = []
        if variant == 'off':
            final = {}
        elif variant == 'nataddress':
            shape.initial['nat'] = [base]
            if speculative:
                final = {'fr': {f1: NATVAL, f2: NATVAL}, 'psr': shape.psr | modified(f1, f2), 'nat': [base]}
            else:
                final = maker.fault(NAT, 0, ISR_R | 0x10, shape.psr)
        elif variant == 'disabled':
            bits, code = disabled([f1, f2])
            psr_of(shape, bits | IC)
            final = maker.fault(DISABLED_FP, 0, ISR_R | (ISR_SP if speculative else 0) | code, shape.psr)
        elif variant in ('parity', 'badtarget'):
            psr_of(shape, IC)
            fields = [r1(rng.randrange(2))] if variant == 'badtarget' else [Field(13, 7, f1)]
            final = maker.fault(GENERAL, 0, ILLEGAL, shape.psr)
        text = '%s%s f%d,f%d=[r%d]%s' % (shape.head(), mnemonic, f1, f2, base, ',%d' % (2 * one) if update else '')
        maker.case(text + ('' if variant == 'value' else ' ' + variant), 'M', text, shape.initial, final, fields,
                   ignore=['alat'] if '.a' in mnemonic or '.sa' in mnemonic else ())


def transfers(maker, form):
    for variant in ['value'] * 12 + ['rotating', 'rotating', 'off', 'nat', 'nat', 'disabled', 'badtarget', 'value', 'value']:
        shape = Shape(maker, variant, 1, 1)
        rng = shape.rng
        general, float_ = shape.numbers[0], rng.choice(FLOAT_REGISTERS)
        bits = value(rng)
        if form == 's':
            bits = bits >> 32 << 32 | memory_value(rng, 4)
        if form == 'd':
            bits = memory_value(rng, 8)
        shape.initial['gr'][general] = bits
        shape.initial['fr'] = {float_: register_value(rng)}
        register = {'sig': lambda: (0x1003e, bits), 'exp': lambda: (bits & 0x3ffff, 1 << 63),
                    's': lambda: from_single(bits & 0xffffffff), 'd': lambda: from_double(bits)}[form]()
        final = {'fr': {float_: register}, 'psr': shape.psr | modified(float_)}
        fields = []
        if variant == 'off':
            final = {}
        elif variant == 'nat':
            shape.initial['nat'] = [general]
            final['fr'] = {float_: NATVAL}
        elif variant == 'disabled':
            bits_, code = disabled([float_])
            psr_of(shape, bits_ | IC)
            final = maker.fault(DISABLED_FP, 0, code, shape.psr)
        elif variant == 'badtarget':
            psr_of(shape, IC)
            fields = [r1(rng.randrange(2))]
            final = maker.fault(GENERAL, 0, ILLEGAL, shape.psr)
        text = '%ssetf.%s f%d=r%d' % (shape.head(), form, float_, general)
        maker.case(text + ('' if variant == 'value' else ' ' + variant), 'M', text, shape.initial, final, fields)
    for variant in ['value'] * 13 + ['rotating', 'rotating', 'off', 'natval', 'natval', 'disabled', 'badtarget', 'outside', 'value']:
        shape = Shape(maker, variant, 1, 1)
        rng = shape.rng
        general, float_ = shape.numbers[0], rng.choice(FLOAT_REGISTERS)
        register = register_value(rng) if variant != 'natval' else NATVAL
        shape.initial['gr'][general] = value(rng)
        shape.initial['fr'] = {float_: register}
        result = {'sig': lambda: register[1], 'exp': lambda: register[0], 's': lambda: to_single(register),
                  'd': lambda: to_double(register)}[form]()
        final = {'gr': {general: result}}
        fields = []
        if variant == 'off':
            final = {}
        elif variant == 'natval':
            final = {'nat': [general]}
        elif variant == 'disabled':
            bits, code = disabled([float_])
            psr_of(shape, bits | IC)
            final = maker.fault(DISABLED_FP, 0, code, shape.psr)
        elif variant in ('badtarget', 'outside'):
            psr_of(shape, IC)
            fields = [r1(0 if variant == 'badtarget' else 50)]
            final = maker.fault(GENERAL, 0, ILLEGAL, shape.psr)
        text = '%sgetf.%s r%d=f%d' % (shape.head(), form, general, float_)
        maker.case(text + ('' if variant == 'value' else ' ' + variant), 'M', text, shape.initial, final, fields)
