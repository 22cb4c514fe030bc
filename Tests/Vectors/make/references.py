"""References beside those of access.py: 16 bytes in either byte order, levels one after the other, instruction breakpoints, and
what the table walker will not insert.

What is expected here is derived by hand from the manual: vol. 2, 4.1.5 to 4.1.8 (the walker), 7.1 (breakpoints); vol. 3, ld, st,
cmp8xchg16.
"""
from kit import *
from system import CPL, DEBUG, DTLB, NESTED, RIGHTS, VHPT, case, entry

VA, PA, RID = 0x50000, 0x20000, 5
RR = RID << 8 | 14 << 2
WORDS = (0x1122334455667788, 0xaabbccddeeff0011)
RAM = [[PA, b''.join(w.to_bytes(8, 'little') for w in WORDS).hex()]]
V = IC | DT
UC, WC = 4, 6
WHERE = {'ifa': VA, 'itir': RR}


def state(psr=V, **fields):
    """A processor whose r8 points to two words by way of a page with the given fields."""
    return {'psr': psr, 'gr': {8: VA}, 'rr': {0: RR}, 'dtr': [entry(VA, PA, rid=RID, **fields)], 'ram': RAM}


def make(maker):
    orders(maker)
    unaligned(maker)
    breakpoints(maker)
    levels(maker)
    walker(maker)


def orders(maker):
    """ld16, st16, cmp8xchg16: the general register's word stands at the lower address in either byte order."""
    for psr in (0, BE):
        order = 'big' if psr else 'little'
        image = (WORDS[0].to_bytes(8, order) + WORDS[1].to_bytes(8, order)).hex()
        for form in ('', '.acq'):
            case(maker, 'ld16%s r9,ar.csd=[r8]' % form, 'M', {'psr': psr, 'gr': {8: PA}, 'ram': [[PA, image]]},
                 {'gr': {9: WORDS[0]}, 'ar': {'csd': WORDS[1]}}, label=order)
        registers_ = {'psr': psr, 'gr': {8: PA, 9: WORDS[0]}, 'ar': {'csd': WORDS[1]}}
        for form in ('', '.rel'):
            case(maker, 'st16%s [r8]=r9,ar.csd' % form, 'M', registers_, {'ram': [[PA, image]]}, label=order)
        for offset in (0, 8):
            old = 0x0102030405060708
            start = dict(registers_, ram=[[PA + offset, old.to_bytes(8, order).hex()]])
            start['gr'] = {8: PA + offset, 9: WORDS[0]}
            start['ar'] = {'csd': WORDS[1], 'ccv': old}
            case(maker, 'cmp8xchg16.acq r10=[r8],r9,ar.csd,ar.ccv', 'M', start, {'gr': {10: old}, 'ram': [[PA, image]]},
                 label='%s at +%d' % (order, offset))


def unaligned(maker):
    """Whether an unaligned access faults is psr.ac's say alone, also for pairs of singles."""
    for text, psr, deferred in (('ldfps f9,f10=[r8]', 0, False), ('ldfps.a f9,f10=[r8]', 0, False), ('ldfps f9,f10=[r8]', IC, False),
                                ('ldfps f9,f10=[r8]', IC | AC, None), ('ldfps.s f9,f10=[r8]', AC, True), ('ldfps.s f9,f10=[r8]', IC | AC, None)):
        image = (0x3f8000003fc00000).to_bytes(8, 'big')   # 1.0 and 1.5
        for offset in (1, 4, 6):
            initial = {'psr': psr, 'gr': {8: DATA + offset}, 'ram': [[DATA + offset, (image[3::-1] + image[:3:-1]).hex()]]}
            final = {'psr': psr | MFL, 'fr': {9: (0xffff, 1 << 63), 10: (0xffff, 3 << 62)}}
            if deferred:
                final['fr'] = {9: (0x1fffe, 0), 10: (0x1fffe, 0)}
            if deferred is None:
                final = maker.fault(UNALIGNED, 0, ISR_R | (ISR_SP if '.s ' in text else 0), psr, ifa=DATA + offset)
            case(maker, text, 'M', initial, final, label='unaligned by %d psr %x' % (offset, psr), ignore=['alat'])


def breakpoints(maker):
    """The low four bits of an instruction breakpoint's address are ignored."""
    for low in (0, 1, 4, 15):
        for mask in ((1 << 56) - 1, (1 << 56) - 16):
            start = {'psr': IC | DB, 'ibr': {0: CODE | low, 1: 1 << 63 | 0xf << 56 | mask}}
            case(maker, 'nop.m 0', 'M', start, maker.fault(DEBUG, 0, ISR_X, IC | DB, ifa=CODE), label='breakpoint +%d mask %#x' % (low, mask))
    case(maker, 'nop.m 0', 'M', {'psr': IC | DB, 'ibr': {0: CODE + 16, 1: 1 << 63 | 0xf << 56 | (1 << 56) - 1}}, {}, label='breakpoint on the next bundle')


def levels(maker):
    """What one level may do says nothing about the next."""
    for level, other in ((1, 3), (2, 3), (1, 2)):
        for text, isr in (('ld8 r9=[r8]', ISR_R), ('st8 [r8]=r0', ISR_W)):
            start = state(V | CPL[level], pl=level, access=2)
            start.update(br={6: 0x5000}, ar={'pfs': other << 62})
            psr = V | CPL[other]
            final = maker.fault(RIGHTS, 0, isr, psr, 0x5000, **WHERE)
            if isr == ISR_R:
                final['gr'] = {9: WORDS[0]}
            else:
                final['ram'] = [[PA, '00' * 8]]
            again = text.replace('r9', 'r10')
            maker.case('%s at level %d, then at %d' % (text, level, other), 'M2', text, start, final, events=6, stop_ip=IVA + RIGHTS,
                       bundles=[(CODE + 16, '.mib', 'nop.m 0\nnop.i 0\nbr.ret.sptk.few b6'), (0x5000, '.mii', again + '\nnop.i 0\nnop.i 0')])


def walker(maker):
    """An entry with reserved bits or encodings is as none; the fault of a table that is not mapped is about the table."""
    base, size = 0x100000, 20
    tag = RID << 39 ^ VA >> 14
    place = base | ((VA >> 14 ^ RID) << 5) & (1 << size) - 1
    pta = base | 1 << 8 | size << 2 | 1
    good = 0x661 | PA

    def start(words, pta=pta, place=place, **fields):
        table = dict({'rid': RID, 'ps': size}, **fields)
        return {'psr': V, 'gr': {8: VA}, 'rr': {0: RR | 1}, 'cr': {'pta': pta}, 'dtr': [entry(base, base, **table)],
                'ram': RAM + [[place, b''.join(w.to_bytes(8, 'little') for w in words).hex()]]}

    def miss(at=place):
        return maker.fault(DTLB, 0, ISR_R, V, iha=at, **WHERE)

    text = 'ld8 r9=[r8]'
    for label, pte, itir in [('size %d' % n, good, n << 2) for n in (0, 3, 11, 15, 17, 31, 33, 63)] + [
            ('attribute %d' % n, good | n << 2, 14 << 2) for n in (1, 2, 3)] + [
            ('bit 1', good | 2, 14 << 2), ('bit 50', good | 1 << 50, 14 << 2), ('bit 51', good | 1 << 51, 14 << 2), ('itir bit 0', good, 14 << 2 | 1),
            ('itir bit 1', good, 14 << 2 | 2), ('itir bit 32', good, 14 << 2 | 1 << 32), ('itir bit 63', good, 14 << 2 | 1 << 63),
            ('not present, size 3', PA, 3 << 2)]:
        case(maker, text, 'M', start((pte, itir, tag, 0)), miss(), label='long format, ' + label)
    # Short format: the linear table in the region itself, the size the region's.
    short = base | size << 2 | 1
    linear = base & ~((1 << size) - 1) | VA >> 14 << 3
    for label, pte in [('attribute %d' % n, good | n << 2) for n in (1, 2, 3)] + [('bit 1', good | 2), ('bit 50', good | 1 << 50), ('bit 51', good | 1 << 51)]:
        case(maker, text, 'M', start((pte,), short, linear), miss(linear), label='short format, ' + label)
    case(maker, text, 'M', start((good,), short, linear),
         {'gr': {9: WORDS[0]}, 'dtc': [{'va': VA, 'ps': 14, 'pte': good, 'rid': RID, 'key': RID}]}, label='short format', ignore=['cr.iha'])
    # The table's own page.
    for label, fields in (('not present', {'p': 0}), ('a NaT page', {'ma': 7}), ('not accessed', {'a': 0}), ('uncacheable', {'ma': UC}), ('write-coalescing', {'ma': WC})):
        case(maker, text, 'M', start((good, 14 << 2, tag, 0), **fields), miss(), label='table ' + label)
    case(maker, text, 'M', dict(start((good, 14 << 2, tag, 0)), psr=V | PK), maker.fault(DTLB, 0, ISR_R, V | PK, iha=place, **WHERE), label='table without a key')
    watched = dict(start((good, 14 << 2, tag, 0)), psr=V | DB, dbr={0: place, 1: 1 << 63 | 1 << 56 | (1 << 56) - 1})
    case(maker, text, 'M', watched, maker.fault(DTLB, 0, ISR_R, V | DB, iha=place, **WHERE), label='table watched')
    # cr.itir of a VHPT fault: the region that the table is in.
    other = 7 << 8 | 16 << 2
    far = 4 << 61 | place
    bare = {'psr': V, 'gr': {8: VA}, 'rr': {0: RR | 1, 4: other}, 'cr': {'pta': pta | 4 << 61}}
    for text, isr in (('ld8 r9=[r8]', ISR_R), ('st1 [r8]=r9', ISR_W), ('lfetch.fault [r8]', ISR_R | ISR_NA | 4)):
        case(maker, text, 'M', bare, maker.fault(VHPT, 0, isr, V, iha=far, ifa=VA, itir=other), label='table in another region')
    case(maker, 'ld8 r9=[r8]', 'M', dict(bare, psr=DT), {'ip': IVA + NESTED, 'psr': DT}, label='table in another region, nested')
    place = base | ((CODE >> 14 ^ RID) << 5) & (1 << size) - 1
    state_ = V | IT
    case(maker, 'nop.m 0', 'M', dict(bare, psr=state_), maker.fault(VHPT, 0, ISR_X, state_, iha=4 << 61 | place, ifa=CODE, itir=other),
         label='fetch, table in another region')
    tag = RID << 39 ^ CODE >> 14
    for label, pte, itir in (('size 11', 0x661 | CODE, 11 << 2), ('attribute 1', 0x665 | CODE, 14 << 2), ('bit 50', 1 << 50 | 0x661 | CODE, 14 << 2)):
        fetch = dict(start((pte, itir, tag, 0), place=place), psr=state_)
        case(maker, 'nop.m 0', 'M', fetch, maker.fault(0x0400, 0, ISR_X, state_, iha=place, ifa=CODE, itir=RR), label='fetch, long format, ' + label)
