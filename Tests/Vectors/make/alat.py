"""Data speculation with an ALAT: advanced and check loads, chk.a, invala, stores that remove entries, and registers that
calls, rotation and banks rename (formats M1 to M12, M20 to M27).

An entry is a physical register and the bytes that an advanced load read. What stands here is what the manual says of a
table that loses no entry by itself, as no case has more than a few.
"""
from fpmemory import *
from kit import *

OTHER = {'fr': 30, 'pa': 0x100000, 'size': 8}   # an entry that nothing here touches
DEBUG_MISS = 0x1000                              # alternate data TLB


def gr(number, address, size):
    return {'gr': number, 'pa': address, 'size': size}


def fr(number, address, size):
    return {'fr': number, 'pa': address, 'size': size}


def memory(address, bits, size, order='little'):
    return [[address, (bits & (1 << 8 * size) - 1).to_bytes(size, order).hex()]]


def make(maker):
    for size in (1, 2, 4, 8):
        advanced(maker, size)
        checks(maker, size)
        stores(maker, size)
    wide_stores(maker)
    semaphores(maker)
    floats(maker)
    speculation_checks(maker)
    invalidations(maker)
    renaming(maker)
    memory_attributes(maker)


def case(maker, text, unit, initial, final, label='', **options):
    entries = initial.get('alat', [])
    initial = dict(initial, alat=[OTHER] + entries)
    final = dict(final)
    if 'alat' in final:
        final['alat'] = [OTHER] + final['alat']
    maker.case((text + ' ' + label).strip(), unit, text, initial, final, options.pop('fields', ()), **options)


def advanced(maker, size):
    rng = maker.random
    for suffix in ('.a', '.sa'):
        name = 'ld%d%s' % (size, suffix)
        for update in ('', ',r10', ',%d'):
            for label in ('', 'big-endian', 'in place of another', 'of other registers', 'off', 'unaligned'):
                address = DATA + rng.randrange(64) * 16 + (1 if label == 'unaligned' and size > 1 else 0)
                bits, increment = rng.getrandbits(8 * size), rng.choice((-8, 1, 200))
                initial = {'gr': {8: address, 9: 1, 10: increment & M64}, 'ram': memory(address, bits, size)}
                entries = [gr(9, address, size)]
                if label == 'big-endian':
                    initial.update(psr=BE, ram=memory(address, bits, size, 'big'))
                if label == 'in place of another':
                    initial['alat'] = [gr(9, 0x30000, 8)]
                if label == 'of other registers':
                    initial['alat'] = [gr(10, address, size), fr(9, address, size)]
                    entries = initial['alat'] + entries
                text = '%s r9=[r8]%s' % (name, update % increment if '%' in update else update)
                final = {'gr': {9: bits}, 'alat': entries}
                if update:
                    final['gr'][8] = address + increment & M64
                if label == 'off':
                    text, final = '(p7) ' + text, {}
                case(maker, text, 'M', initial, final, label)
        text = name + ' r9=[r8]'
        if suffix == '.sa':
            case(maker, text, 'M', {'nat': [8], 'alat': [gr(9, DATA, size)]}, {'nat': [8, 9], 'alat': []}, 'NaT')
        else:
            case(maker, text, 'M', {'psr': IC, 'nat': [8]}, maker.fault(NAT, 0, ISR_R | 0x10), 'NaT')
        case(maker, text, 'M', {'psr': IC, 'cfm': CFM}, maker.fault(GENERAL, 0, ILLEGAL), 'outside', fields=[r1(48)])


def checks(maker, size):
    rng = maker.random
    for suffix, clears in (('.c.clr', True), ('.c.nc', False), ('.c.clr.acq', True)):
        name = 'ld%d%s' % (size, suffix)
        for update in ('', ',r10', ',16'):
            text = name + ' r9=[r8]' + update
            increment = 24 if 'r10' in update else 16
            for label in ('hit', 'miss', 'other register', 'other bank of memory', 'off'):
                address = DATA + rng.randrange(64) * 16
                bits, old = rng.getrandbits(8 * size), rng.getrandbits(64)
                initial = {'gr': {8: address, 9: old, 10: 24}, 'ram': memory(address, bits, size)}
                own = gr(9, address, size)
                found = label == 'hit' or label == 'off'
                if found:
                    initial['alat'] = [own]
                if label == 'other register':
                    initial['alat'] = [gr(10, address, size), fr(9, address, size)]
                final = {'gr': {9: old if found else bits}}
                final['alat'] = [e for e in initial.get('alat', []) if e != own] + ([] if clears else [own])
                if update:
                    final['gr'][8] = address + increment
                if label == 'off':
                    case(maker, '(p7) ' + text, 'M', initial, {}, label)
                else:
                    case(maker, text, 'M', initial, final, label)
        text = name + ' r9=[r8]'
        own = gr(9, DATA, size)
        # What is there already is not read: no translation is needed. Without the entry it is.
        psr = IC | DT
        base = {'psr': psr, 'gr': {8: DATA, 9: 77}}
        case(maker, text, 'M', dict(base, alat=[own]), {'alat': [] if clears else [own]}, 'hit, nothing mapped')
        case(maker, text, 'M', base, maker.fault(DEBUG_MISS, 0, ISR_R, psr, ifa=DATA, itir=14 << 2), 'miss, nothing mapped')
        case(maker, text, 'M', {'psr': IC, 'nat': [8], 'alat': [own]}, maker.fault(NAT, 0, ISR_R | 0x10), 'hit, NaT address')
        case(maker, text, 'M', {'gr': {8: DATA}, 'nat': [9], 'alat': [own]}, {'alat': [] if clears else [own]}, 'hit, NaT value')
        case(maker, text, 'M', {'psr': IC, 'cfm': CFM}, maker.fault(GENERAL, 0, ILLEGAL), 'outside', fields=[r1(48)])


OFFSETS = (-17, -16, -9, -8, -7, -4, -3, -2, -1, 0, 1, 2, 3, 4, 7, 8, 9, 16)


def overlaps(store, size, entry):
    return store < entry['pa'] + entry['size'] and entry['pa'] < store + size


def stores(maker, size):
    rng = maker.random
    names = ['st%d' % size, 'st%d.rel' % size] + {8: ['st8.spill']}.get(size, [])
    for name in names:
        for offset in OFFSETS:
            address = DATA + 0x40 + offset // size * size
            bits = rng.getrandbits(64)
            entries = [gr(9, DATA + 0x40, 8), gr(10, DATA + 0x44, 2), fr(11, DATA + 0x3f, 1), gr(12, DATA + 0x1040, 8)]
            final = {'ram': memory(address, bits, size), 'alat': [e for e in entries if not overlaps(address, size, e)]}
            options = {'ignore': ['ar.unat']} if 'spill' in name else {}
            case(maker, '%s [r8]=r14' % name, 'M', {'gr': {8: address, 14: bits}, 'alat': entries}, final, 'at %d' % offset, **options)
        entries = [gr(9, DATA, 8)]
        case(maker, '(p7) %s [r8]=r14' % name, 'M', {'gr': {8: DATA, 14: 1}, 'alat': entries}, {}, 'off')
        # Physical addresses count: one page at two places.
        psr = DT | IC
        pages = [dict(va=va, ps=14, pte=0x661 | DATA, rid=0, key=0, slot=n) for n, va in enumerate((0x80000, 0xc0000))]
        for page in (0x80000, 0xc0000):
            initial = {'psr': psr, 'gr': {8: page + 8, 14: 5}, 'dtr': pages, 'alat': [gr(9, DATA + 8, 8), gr(10, DATA + 16, 8)]}
            final = {'ram': memory(DATA + 8, 5, size), 'alat': [gr(10, DATA + 16, 8)]}
            case(maker, '%s [r8]=r14' % name, 'M', initial, final, 'by way of %#x' % page, **({'ignore': ['ar.unat']} if 'spill' in name else {}))


def wide_stores(maker):
    rng = maker.random
    for name, size, source in (('st16', 16, 'r14,ar.csd'), ('stfs', 4, 'f1'), ('stfd', 8, 'f1'), ('stf8', 8, 'f1'), ('stfe', 10, 'f1'), ('stf.spill', 16, 'f1')):
        for offset in (-16, 0, 16, 32):
            address = DATA + 0x40 + offset
            entries = [gr(9, DATA + 0x40, 8), gr(10, DATA + 0x4f, 1), fr(11, DATA + 0x49, 1), gr(12, DATA + 0x30, 4)]
            kept = [e for e in entries if not overlaps(address, size, e)]
            data = {'st16': bytes(16), 'stfs': bytes((0, 0, 0x80, 0x3f)), 'stfd': bytes(6) + bytes((0xf0, 0x3f)), 'stf8': bytes(7) + b'\x80',
                    'stfe': bytes(7) + bytes((0x80, 0xff, 0x3f)), 'stf.spill': bytes(7) + bytes((0x80, 0xff, 0xff)) + bytes(6)}[name]
            case(maker, '%s [r8]=%s' % (name, source), 'M', {'gr': {8: address}, 'alat': entries},
                 {'ram': [[address, data.hex()]], 'alat': kept}, 'at %d' % offset)


def semaphores(maker):
    rng = maker.random
    for name, size in (('xchg1', 1), ('xchg2', 2), ('xchg4', 4), ('xchg8', 8), ('cmpxchg4.acq', 4), ('cmpxchg8.rel', 8),
                       ('fetchadd4.acq', 4), ('fetchadd8.rel', 8), ('cmp8xchg16.acq', 16)):
        for offset in (-16, 0, 16):
            address = DATA + 0x40 + offset
            entries = [gr(10, DATA + 0x40, 1), fr(11, DATA + 0x3f, 1), gr(12, DATA + 0x48, 8), gr(9, DATA + 0x1000, 8)]
            kept = [e for e in entries if not overlaps(address, size, e)]
            operands = {'x': 'r9=[r8],r14', 'f': 'r9=[r8],1', 'c': 'r9=[r8],r14,ar.ccv'}[name[0]]
            if name.startswith('cmp8'):
                operands = 'r9=[r8],r14,ar.csd,ar.ccv'
            new = 1 if name[0] == 'f' else 5
            final = {'gr': {9: 0}, 'ram': memory(address, new, min(size, 8)), 'alat': kept}
            case(maker, '%s %s' % (name, operands), 'M', {'gr': {8: address, 14: 5, 9: 3}, 'alat': entries}, final, 'at %d' % offset)


FLOATS = {'ldfs': (4, lambda b: bytes((0, 0, 0x80, 0x3f))), 'ldfd': (8, lambda b: bytes(6) + bytes((0xf0, 0x3f))),
          'ldf8': (8, lambda b: bytes(7) + b'\x80'), 'ldfe': (10, lambda b: bytes(7) + bytes((0x80, 0xff, 0x3f)))}
ONE, INTEGER = (0xffff, 1 << 63), (0x1003e, 1 << 63)
NATVAL = (0x1fffe, 0)
MODIFIED = {9: MFL, 40: MFH}


def floats(maker):
    for name, (size, encoded) in FLOATS.items():
        result = INTEGER if name == 'ldf8' else ONE
        ram = [[DATA, encoded(0).hex()]]
        for target in (9, 40):
            modified = MODIFIED[target]
            own = fr(target, DATA, size)
            for suffix in ('.a', '.sa'):
                for update, base in (('', DATA), (',r10', DATA + 64), (',16', DATA + 16)):
                    text = '%s%s f%d=[r8]%s' % (name, suffix, target, update)
                    initial = {'gr': {8: DATA, 10: 64}, 'ram': ram}
                    for label, old in (('', []), ('in place of another', [fr(target, 0x30000, 8)]), ('beside others', [gr(9, DATA, 8)])):
                        kept = [e for e in old if 'gr' in e]
                        case(maker, text, 'M', dict(initial, alat=old),
                             {'psr': modified, 'fr': {target: result}, 'gr': {8: base}, 'alat': kept + [own]}, label)
                    case(maker, '(p7) ' + text, 'M', initial, {}, 'off')
            for suffix, clears in (('.c.clr', True), ('.c.nc', False)):
                for update, base in (('', DATA), (',r10', DATA + 64), (',16', DATA + 16)):
                    text = '%s%s f%d=[r8]%s' % (name, suffix, target, update)
                    initial = {'gr': {8: DATA, 10: 64}, 'ram': ram, 'fr': {target: (0x10005, 3 << 62)}}
                    after = [] if clears else [own]
                    case(maker, text, 'M', dict(initial, alat=[own]), {'gr': {8: base}, 'alat': after}, 'hit')
                    case(maker, text, 'M', dict(initial, alat=[gr(9, DATA, 8)]),
                         {'psr': modified, 'fr': {target: result}, 'gr': {8: base}, 'alat': [gr(9, DATA, 8)] + after}, 'miss')
                    case(maker, '(p7) ' + text, 'M', dict(initial, alat=[own]), {}, 'off')
        case(maker, '%s.sa f9=[r8]' % name, 'M', {'nat': [8], 'alat': [fr(9, DATA, size)]}, {'psr': MFL, 'fr': {9: NATVAL}, 'alat': []}, 'NaT')
        case(maker, '%s.a f9=[r8]' % name, 'M', {'psr': IC, 'nat': [8]}, maker.fault(NAT, 0, ISR_R | 0x10), 'NaT')
        for suffix in ('.a', '.c.clr', '.c.nc'):
            case(maker, '%s%s f9=[r8]' % (name, suffix), 'M', {'psr': IC | DFL, 'gr': {8: DATA}, 'alat': [fr(9, DATA, size)]},
                 maker.fault(DISABLED_FP, 0, ISR_R | 1, IC | DFL), 'disabled')
    pairs = {'ldfps': (8, bytes((0, 0, 0x80, 0x3f)) * 2, ONE), 'ldfpd': (16, (bytes(6) + bytes((0xf0, 0x3f))) * 2, ONE),
             'ldfp8': (16, (bytes(7) + b'\x80') * 2, INTEGER)}
    for name, (size, encoded, result) in pairs.items():
        ram, own = [[DATA, encoded.hex()]], fr(9, DATA, size)   # the pair goes by its first register
        for update, base in (('', DATA), (',%d' % size, DATA + size)):
            both = {'psr': MFL, 'fr': {9: result, 10: result}, 'gr': {8: base}, 'alat': [own]}
            initial = {'gr': {8: DATA}, 'ram': ram}
            for suffix in ('.a', '.sa'):
                text = '%s%s f9,f10=[r8]%s' % (name, suffix, update)
                case(maker, text, 'M', initial, both)
                case(maker, text, 'M', dict(initial, alat=[fr(9, 0x30000, 8)]), both, 'in place of another')
                case(maker, '(p7) ' + text, 'M', initial, {}, 'off')
            for suffix, clears in (('.c.clr', True), ('.c.nc', False)):
                text = '%s%s f9,f10=[r8]%s' % (name, suffix, update)
                after = [] if clears else [own]
                old = dict(initial, fr={9: (0x10005, 3 << 62), 10: (0x10001, 1 << 63)})
                case(maker, text, 'M', dict(old, alat=[own]), {'gr': {8: base}, 'alat': after}, 'hit')
                case(maker, text, 'M', old, dict(both, alat=after), 'miss')
                case(maker, '(p7) ' + text, 'M', dict(old, alat=[own]), {}, 'off')


def speculation_checks(maker):
    for suffix, clears in (('nc', False), ('clr', True)):
        for kind, numbers in (('r', (9, 16, 33, 47)), ('f', (9, 31, 32, 127))):
            make_entry = gr if kind == 'r' else fr
            for number in numbers:
                own = make_entry(number, DATA, 8)
                text = 'chk.a.%s %s%d,@next' % (suffix, kind, number)
                initial = {'cfm': CFM, 'alat': [own]}
                case(maker, text, 'M', initial, {'alat': [] if clears else [own]}, 'hit')
                case(maker, text, 'M', {'cfm': CFM}, {'ip': CODE + 64}, 'miss')
                other = (fr if kind == 'r' else gr)(9, DATA, 8)
                case(maker, text, 'M', {'cfm': CFM, 'alat': [other]}, {'ip': CODE + 64}, 'other file')
                case(maker, '(p7) ' + text, 'M', {'cfm': CFM}, {}, 'off, miss')
                case(maker, '(p7) ' + text, 'M', initial, {}, 'off, hit')
        case(maker, 'chk.a.%s f9,@next' % suffix, 'M', {'psr': IC | DFL, 'alat': [fr(9, DATA, 8)]},
             {'alat': [] if clears else [fr(9, DATA, 8)]}, 'disabled')
        case(maker, 'chk.a.%s r9,@next' % suffix, 'M', {'nat': [9], 'alat': [gr(9, DATA, 8)]},
             {'alat': [] if clears else [gr(9, DATA, 8)]}, 'NaT')


def invalidations(maker):
    entries = [gr(9, DATA, 8), gr(10, DATA + 8, 4), fr(9, DATA, 8), fr(40, DATA, 16)]
    for count in range(5):
        initial = {'alat': entries[:count]}
        maker.case('invala %d' % count, 'M', 'invala', dict(initial, alat=[OTHER] + entries[:count]), {'alat': []}, ())
        case(maker, '(p7) invala', 'M', initial, {}, 'off %d' % count)
    for text, gone in (('invala.e r9', 0), ('invala.e r10', 1), ('invala.e f9', 2), ('invala.e f40', 3), ('invala.e r11', 9), ('invala.e f10', 9)):
        case(maker, text, 'M', {'alat': entries}, {'alat': [e for n, e in enumerate(entries) if n != gone]})
        case(maker, '(p7) ' + text, 'M', {'alat': entries}, {}, 'off')


def renaming(maker):
    """Entries stay with the physical register."""
    word = 0x1122334455667788
    def second(text, at=CODE + 64):
        return [(at, '.mii', text + '\nnop.i 0\nnop.i 0')]
    sor8 = 16 | 8 << 7 | 1 << 14
    rotated = sor8 | 7 << 18 | 95 << 25 | 47 << 32
    ram = memory(DATA, word, 8)
    for register, found in ((33, True), (32, False), (34, False)):
        initial = {'cfm': sor8, 'gr': {8: DATA, 32: 5, 33: 6, 39: 7}, 'ar': {'lc': 3}, 'ram': ram, 'alat': [gr(32, DATA, 8)]}
        text = 'ld8.c.clr r%d=[r8]' % register
        # br.ctop: r32 becomes r33, f32 becomes f33.
        final = {'cfm': rotated, 'ar': {'lc': 2}, 'pr': 1 | 1 << 63, 'ip': CODE + 65}
        if found:
            final['alat'] = []
        else:
            final['gr'] = {register: word}
        case(maker, 'br.ctop.sptk @next', 'B', initial, final, text, events=2, bundles=second(text))
    for register, found in ((33, True), (32, False), (127, False)):
        initial = {'cfm': sor8, 'gr': {8: DATA}, 'ar': {'lc': 3}, 'ram': memory(DATA, 1 << 63, 8), 'alat': [fr(32, DATA, 8)]}
        text = 'ldf8.c.clr f%d=[r8]' % register
        final = {'cfm': rotated, 'ar': {'lc': 2}, 'pr': 1 | 1 << 63, 'ip': CODE + 65}
        if found:
            final['alat'] = []
        else:
            final.update(fr={register: INTEGER}, psr=MFH)
        case(maker, 'br.ctop.sptk @next', 'B', initial, final, text, events=2, bundles=second(text))
    # A call: the output register 40 is the callee's 32, and a local's entry waits for the return.
    for register, entry_ in ((32, 40), (33, 41), (39, 47)):
        initial = {'cfm': CFM, 'gr': {8: DATA, entry_: 5}, 'ram': ram, 'alat': [gr(entry_, DATA, 8)]}
        text = 'ld8.c.nc r%d=[r8]' % register
        final = {'cfm': 8, 'br': {0: CODE + 16}, 'ar': {'pfs': CFM}, 'ip': CODE + 65, 'rse': {'dirty': [[0, False]] * 8}}
        case(maker, 'br.call.sptk.many b0=@next', 'B', initial, final, text, events=2, bundles=second(text))
    # A bank's registers are its own.
    for psr, text, found in ((BN, 'bsw.1', True), (BN, 'bsw.0', False), (0, 'bsw.0', True), (0, 'bsw.1', False)):
        initial = {'psr': psr, 'gr': {8: DATA, 16: 5}, 'bank': {'gr': {16: 6}}, 'ram': ram, 'alat': [gr(16, DATA, 8)]}
        check = 'ld8.c.nc r16=[r8]'
        final = {'psr': BN if text == 'bsw.1' else 0, 'ip': CODE + 17}
        if found:
            final['gr'] = {16: 5}
        else:
            final.update(gr={16: word}, bank={'gr': {16: 5}})
        case(maker, text, 'B', initial, final, check, events=2, bundles=second(check, CODE + 16), ignore=() if found else ['alat'])


def memory_attributes(maker):
    """Uncacheable memory is not speculative: advanced loads give 0 and no entry, speculative ones NaT."""
    psr = DT | IC
    bits = 0x1122334455667788
    for attribute in (0, 4, 5, 6):
        page = dict(va=0x80000, ps=14, pte=0x661 | DATA | attribute << 2, rid=0, key=0, slot=0)
        speculative = attribute in (0, 6)
        for size in (1, 2, 4, 8):
            value_ = bits & (1 << 8 * size) - 1
            initial = {'psr': psr, 'gr': {8: 0x80000, 9: 3}, 'dtr': [page], 'ram': memory(DATA, bits, 8)}
            label = 'attribute %d' % attribute
            own = [gr(9, DATA, size)]
            good = {'gr': {9: value_}}
            case(maker, 'ld%d r9=[r8]' % size, 'M', initial, good, label)
            case(maker, 'ld%d.a r9=[r8]' % size, 'M', initial, dict(good, alat=own) if speculative else {'gr': {9: 0}}, label)
            case(maker, 'ld%d.a r9=[r8]' % size, 'M', dict(initial, alat=[gr(9, 0x30000, 8)]),
                 dict(good, alat=own) if speculative else {'gr': {9: 0}, 'alat': []}, label + ', in place of another')
            case(maker, 'ld%d.s r9=[r8]' % size, 'M', initial, good if speculative else {'nat': [9]}, label)
            case(maker, 'ld%d.sa r9=[r8]' % size, 'M', initial, dict(good, alat=own) if speculative else {'nat': [9]}, label)
            case(maker, 'ld%d.c.nc r9=[r8]' % size, 'M', initial, good, label, ignore=['alat'])
        for name in ('ldf8', 'ldfd'):
            initial = {'psr': psr, 'gr': {8: 0x80000}, 'dtr': [page], 'ram': memory(DATA, 1 << 63 if name == 'ldf8' else 0x3ff << 52, 8), 'fr': {9: (0x10001, 1 << 63)}}
            result = INTEGER if name == 'ldf8' else ONE
            zero, now = (0, 0), psr | MFL
            own = [fr(9, DATA, 8)]
            good = {'psr': now, 'fr': {9: result}}
            case(maker, name + ' f9=[r8]', 'M', initial, good, label)
            case(maker, name + '.a f9=[r8]', 'M', initial, dict(good, alat=own) if speculative else {'psr': now, 'fr': {9: zero}}, label)
            case(maker, name + '.s f9=[r8]', 'M', initial, good if speculative else {'psr': now, 'fr': {9: NATVAL}}, label)
            case(maker, name + '.sa f9=[r8]', 'M', initial, dict(good, alat=own) if speculative else {'psr': now, 'fr': {9: NATVAL}}, label)
    # Physical addresses with bit 63 are uncacheable.
    for text, final in (('ld8.a r9=[r8]', {'gr': {9: 0}}), ('ld8.s r9=[r8]', {'nat': [9]}), ('ld8.sa r9=[r8]', {'nat': [9]}),
                        ('ld8 r9=[r8]', {'gr': {9: bits}})):
        case(maker, text, 'M', {'gr': {8: DATA | 1 << 63}, 'ram': memory(DATA, bits, 8)}, final, 'physical, uncacheable')
