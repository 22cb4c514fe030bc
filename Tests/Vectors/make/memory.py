"""Loads, stores, semaphores and line prefetches of general registers (formats M1 to M5, M13 to M17), in physical mode."""
from kit import *

SIZES = {'1': 1, '2': 2, '4': 4, '8': 8}


def stored(value, size, big):
    return (value & (1 << 8 * size) - 1).to_bytes(size, 'big' if big else 'little')


def data_address(rng, size, aligned=True):
    address = DATA + rng.randrange(0, 0x200)
    return address - address % size if aligned else address | 1


def make(maker):
    for size in SIZES:
        for completer in ('', '.s', '.a', '.sa', '.bias', '.acq', '.c.clr', '.c.nc', '.c.clr.acq'):
            for update in ('none', 'register', 'immediate'):
                loads(maker, 'ld%s%s' % (size, completer), SIZES[size], update)
        for completer in ('', '.rel'):
            for update in ('none', 'immediate'):
                stores(maker, 'st%s%s' % (size, completer), SIZES[size], update)
    for update in ('none', 'register', 'immediate'):
        loads(maker, 'ld8.fill', 8, update, spill=True)
    for update in ('none', 'immediate'):
        stores(maker, 'st8.spill', 8, update, spill=True)
    for mnemonic in ('ld16', 'ld16.acq'):
        wide(maker, mnemonic, True)
    for mnemonic in ('st16', 'st16.rel'):
        wide(maker, mnemonic, False)
    for size in SIZES:
        for order in ('acq', 'rel'):
            semaphores(maker, 'cmpxchg%s.%s' % (size, order), SIZES[size], 'cmpxchg')
            if size in '48':
                semaphores(maker, 'fetchadd%s.%s' % (size, order), SIZES[size], 'fetchadd')
        semaphores(maker, 'xchg' + size, SIZES[size], 'xchg')
    for order in ('acq', 'rel'):
        semaphores(maker, 'cmp8xchg16.' + order, 8, 'cmp8xchg16')
    for mnemonic in ('lfetch', 'lfetch.excl', 'lfetch.fault', 'lfetch.fault.excl'):
        for update in ('none', 'register', 'immediate'):
            fetches(maker, mnemonic, update)


def imm9(rng):
    return rng.choice((-256, -8, -1, 0, 1, 8, 255, rng.randrange(-256, 256)))


VALUES = ['value'] * 6 + ['big', 'big', 'rotating', 'unaligned', 'ac', 'off', 'nataddress', 'clears']


class Shape:
    """What every memory case has: registers, predicate, address."""

    def __init__(self, maker, variant, registers_needed, size, aligned=None):
        rng = self.rng = maker.random
        self.variant = variant
        cfm = ROTATING if variant == 'rotating' else CFM
        self.numbers = registers(rng, registers_needed)
        self.qp = rng.choice((0, 0, 6, 33)) if variant != 'off' else 7
        self.psr = {'big': BE, 'ac': AC}.get(variant, 0)
        if variant in ('zerotarget', 'outside', 'nataddress', 'natdata', 'ac', 'same', 'fault', 'natupdate', 'unalignedfault'):
            self.psr |= IC
        self.initial = {'cfm': cfm, 'gr': {}}
        if self.qp:
            from integer import predicate
            self.initial['pr'] = predicate(self.qp, cfm, variant != 'off')
        aligned = variant not in ('unaligned', 'ac', 'unalignedfault') if aligned is None else aligned
        self.address = data_address(rng, size, aligned)
        if self.psr:
            self.initial['psr'] = self.psr
        self.big = variant == 'big'

    def head(self):
        return '(p%d) ' % self.qp if self.qp else ''


def updated(shape, update, numbers):
    """The text of the update, the increment, and the source register of it."""
    if update == 'none':
        return '', 0
    if update == 'immediate':
        increment = imm9(shape.rng)
        return ',%d' % increment, increment
    increment = value(shape.rng)
    shape.initial['gr'][numbers[2]] = increment
    return ',r%d' % numbers[2], increment


def loads(maker, mnemonic, size, update, spill=False):
    speculative = '.s' in mnemonic
    variants = VALUES + ['zerotarget', 'outside', 'zerotarget', 'value', 'value', 'off']
    if update != 'none':
        variants += ['same', 'badbase']
    if update == 'register':
        variants += ['natupdate', 'natupdate']
    if size == 1:
        variants = ['value' if v in ('unaligned', 'ac') else v for v in variants]
    for variant in variants:
        if speculative and variant in ('unaligned', 'ac'):
            variant = 'value'   # references.py has them
        shape = Shape(maker, variant, 3, size)
        target, base, _ = shape.numbers
        gr = shape.initial['gr']
        gr[base] = shape.address
        tail, increment = updated(shape, update, shape.numbers)
        bits = value(shape.rng) & (1 << 8 * size) - 1
        if variant == 'badbase':
            shape.initial['psr'] = IC
            shape.psr = IC
        shape.initial['ram'] = [[shape.address, stored(bits, size, shape.big).hex()]]
        final = {'gr': {target: bits}}
        nats = []
        if spill:
            unat = shape.rng.getrandbits(64)
            shape.initial['ar'] = {'unat': unat}
            if unat >> (shape.address >> 3 & 63) & 1:
                nats.append(target)
                del final['gr'][target]
        if update != 'none':
            final['gr'][base] = shape.address + increment & M64
        fields = []
        if variant == 'off':
            final = {}
            nats = None
        elif variant == 'nataddress':
            shape.initial['nat'] = [base]
            if speculative:
                final, nats = {}, [target, base]
            else:
                final, nats = maker.fault(NAT, 0, ISR_R | 0x10, shape.psr), None
        elif variant == 'clears':
            shape.initial['nat'] = [target]
        elif variant == 'natupdate':
            shape.initial['nat'] = [shape.numbers[2]]
            final = {'gr': {target: bits}} if target not in nats else {}
            nats += [base, shape.numbers[2]]
        elif variant == 'ac':
            final, nats = maker.fault(UNALIGNED, 0, ISR_R, shape.psr, ifa=shape.address), None
        elif variant in ('zerotarget', 'outside', 'same', 'badbase'):
            number = {'zerotarget': 0, 'outside': 48 + shape.rng.randrange(80), 'same': base}.get(variant)
            fields = [r1(number)] if number is not None else [Field(20, 7, shape.rng.choice((0, 48, 127)))]
            final, nats = maker.fault(GENERAL, 0, ILLEGAL, shape.psr), None
        if nats is not None and (nats or 'nat' in shape.initial):
            final['nat'] = sorted(nats)
        text = '%s%s r%d=[r%d]%s' % (shape.head(), mnemonic, target, base, tail)
        maker.case(text + ('' if variant == 'value' else ' ' + variant), 'M', text, shape.initial, final, fields,
                   ignore=['alat'] if '.a' in mnemonic or '.sa' in mnemonic else ())


def stores(maker, mnemonic, size, update, spill=False):
    variants = VALUES + ['natdata', 'natdata', 'value', 'value', 'value', 'value']
    if update != 'none':
        variants += ['badbase', 'badbase']
    if size == 1:
        variants = ['value' if v in ('unaligned', 'ac') else v for v in variants]
    for variant in variants:
        if variant == 'clears':
            variant = 'value'
        shape = Shape(maker, variant, 3, size)
        source, base, _ = shape.numbers
        if shape.rng.randrange(8) == 0 and variant == 'value' and not spill:
            source = 0
        gr = shape.initial['gr']
        gr[base] = shape.address
        bits = value(shape.rng) if source else 0
        if source:
            gr[source] = bits
        tail, increment = updated(shape, update, shape.numbers)
        final = {'ram': [[shape.address, stored(bits, size, shape.big).hex()]]}
        old = value(shape.rng)
        shape.initial['ram'] = [[shape.address & ~7, stored(old, 8, False).hex()], ]
        if spill:
            unat = shape.rng.getrandbits(64)
            place = 1 << (shape.address >> 3 & 63)
            shape.initial['ar'] = {'unat': unat}
            final['ar'] = {'unat': unat | place if variant == 'natdata' else unat & ~place}
        if update != 'none':
            final['gr'] = {base: shape.address + increment & M64}
        fields = []
        if variant == 'off':
            final = {}
        elif variant == 'natdata':
            shape.initial['nat'] = [source]
            if not spill:
                final = maker.fault(NAT, 0, ISR_W | 0x10, shape.psr)
        elif variant == 'nataddress':
            shape.initial['nat'] = [base]
            final = maker.fault(NAT, 0, ISR_W | 0x10, shape.psr)
        elif variant == 'ac':
            final = maker.fault(UNALIGNED, 0, ISR_W, shape.psr, ifa=shape.address)
        elif variant == 'badbase':
            shape.psr = shape.initial['psr'] = IC
            fields = [Field(20, 7, shape.rng.choice((0, 48, 127)))]
            final = maker.fault(GENERAL, 0, ILLEGAL, shape.psr)
        text = '%s%s [r%d]=r%d%s' % (shape.head(), mnemonic, base, source, tail)
        maker.case(text + ('' if variant == 'value' else ' ' + variant), 'M', text, shape.initial, final, fields)


def wide(maker, mnemonic, load):
    for variant in ['value'] * 8 + ['big', 'big', 'off', 'nataddress', 'natdata', 'rotating', 'rotating', 'off',
                                    'unalignedfault', 'unalignedfault', 'zerotarget', 'outside']:
        if not load and variant in ('zerotarget', 'outside') or load and variant == 'natdata':
            variant = 'value'
        shape = Shape(maker, variant, 2, 16)
        if variant == 'unalignedfault':
            shape.address = shape.address & ~15 | shape.rng.choice((1, 4, 8))
        register, base = shape.numbers
        low, high = value(shape.rng), value(shape.rng)
        order = 'big' if shape.big else 'little'     # of each word: the general register's stands first
        image = (low.to_bytes(8, order) + high.to_bytes(8, order)).hex()
        gr = shape.initial['gr']
        gr[base] = shape.address
        fields = []
        if load:
            shape.initial['ram'] = [[shape.address, image]]
            final = {'gr': {register: low}, 'ar': {'csd': high}}
            text = '%s%s r%d,ar.csd=[r%d]' % (shape.head(), mnemonic, register, base)
        else:
            gr[register] = low
            shape.initial['ar'] = {'csd': high}
            final = {'ram': [[shape.address, image]]}
            text = '%s%s [r%d]=r%d,ar.csd' % (shape.head(), mnemonic, base, register)
        direction = ISR_R if load else ISR_W
        if variant == 'off':
            final = {}
        elif variant in ('nataddress', 'natdata'):
            shape.initial['nat'] = [base if variant == 'nataddress' else register]
            final = maker.fault(NAT, 0, direction | 0x10, shape.psr)
        elif variant == 'unalignedfault':
            final = maker.fault(UNALIGNED, 0, direction, shape.psr, ifa=shape.address)
        elif variant in ('zerotarget', 'outside'):
            fields = [r1(0 if variant == 'zerotarget' else 48)]
            final = maker.fault(GENERAL, 0, ILLEGAL, shape.psr)
        maker.case(text + ('' if variant == 'value' else ' ' + variant), 'M', text, shape.initial, final, fields)


def semaphores(maker, mnemonic, size, kind):
    variants = ['value'] * 6 + ['hit'] * 4 + ['big', 'off', 'nataddress', 'natdata', 'zerotarget', 'outside', 'rotating',
                                              'clears', 'unalignedfault', 'unalignedfault']
    for variant in variants:
        if variant == 'natdata' and kind == 'fetchadd' or variant == 'unalignedfault' and size == 1:
            variant = 'value'
        shape = Shape(maker, variant, 3, size)
        rng = shape.rng
        target, base, source = shape.numbers
        old, new, compare = value(rng) & (1 << 8 * size) - 1, value(rng), value(rng)
        if variant in ('hit', 'big'):
            compare = old
        gr = shape.initial['gr']
        gr[base] = shape.address
        whole = shape.address & ~15
        shape.initial['ram'] = [[shape.address, stored(old, size, shape.big).hex()]]
        final = {'gr': {target: old}}
        if kind == 'fetchadd':
            increment = rng.choice((-16, -8, -4, -1, 1, 4, 8, 16))
            final['ram'] = [[shape.address, stored(old + increment, size, shape.big).hex()]]
            text = '%s%s r%d=[r%d],%d' % (shape.head(), mnemonic, target, base, increment)
        else:
            gr[source] = new
            text = '%s%s r%d=[r%d],r%d' % (shape.head(), mnemonic, target, base, source)
            if kind == 'xchg':
                final['ram'] = [[shape.address, stored(new, size, shape.big).hex()]]
            else:
                shape.initial['ar'] = {'ccv': compare}
                text += ',ar.ccv'
                if kind == 'cmp8xchg16':
                    high = value(rng)
                    shape.initial['ar']['csd'] = high
                    text = text.replace(',ar.ccv', ',ar.csd,ar.ccv')
                    if compare == old:
                        order = 'big' if shape.big else 'little'
                        image = (new.to_bytes(8, order) + high.to_bytes(8, order)).hex()
                        final['ram'] = [[whole, image]]
                elif compare == old:
                    final['ram'] = [[shape.address, stored(new, size, shape.big).hex()]]
        fields = []
        if variant == 'off':
            final = {}
        elif variant in ('nataddress', 'natdata'):
            shape.initial['nat'] = [base if variant == 'nataddress' else source]
            final = maker.fault(NAT, 0, ISR_R | ISR_W | 0x10, shape.psr)
        elif variant == 'unalignedfault':
            final = maker.fault(UNALIGNED, 0, ISR_R | ISR_W, shape.psr, ifa=shape.address)
        elif variant in ('zerotarget', 'outside'):
            fields = [r1(0 if variant == 'zerotarget' else 100)]
            final = maker.fault(GENERAL, 0, ILLEGAL, shape.psr)
        elif variant == 'clears':
            shape.initial['nat'] = [target]
            final['nat'] = []
        maker.case(text + ('' if variant in ('value', 'hit') else ' ' + variant), 'M', text, shape.initial, final, fields)


def fetches(maker, mnemonic, update):
    faulting = 'fault' in mnemonic
    for variant in ['value'] * 10 + ['nowhere', 'nowhere', 'off', 'off', 'nataddress', 'nataddress', 'rotating', 'badbase',
                                     'natupdate', 'value']:
        if update == 'none' and variant == 'badbase' or update != 'register' and variant == 'natupdate':
            variant = 'value'
        shape = Shape(maker, variant, 3, 1)
        _, base, _ = shape.numbers
        if variant == 'nowhere' and not faulting:
            shape.address = shape.rng.getrandbits(64) | 1 << 60   # no such physical address: not a fault here
        shape.initial['gr'][base] = shape.address
        tail, increment = updated(shape, update, shape.numbers)
        final = {} if update == 'none' else {'gr': {base: shape.address + increment & M64}}
        fields = []
        if variant == 'off':
            final = {}
        elif variant == 'nataddress':
            shape.initial['nat'] = [base]
            final = {} if not faulting else maker.fault(NAT, 0, ISR_R | ISR_NA | 0x14, shape.psr)
        elif variant == 'natupdate':
            shape.initial['nat'] = [shape.numbers[2]]
            final = {'nat': [base, shape.numbers[2]]}
        elif variant == 'badbase':
            shape.psr = shape.initial['psr'] = IC
            fields = [Field(20, 7, 0)]
            final = maker.fault(GENERAL, 0, ILLEGAL, shape.psr)
        text = '%s%s [r%d]%s' % (shape.head(), mnemonic, base, tail)
        maker.case(text + ('' if variant == 'value' else ' ' + variant), 'M', text, shape.initial, final, fields)
