"""Data references of particular kinds: what speculative loads defer and what they do not, memory that is not cacheable,
breakpoints on references that are no access, fc and protection keys.

Documentation/architecture.md names the sources under Translation, Data speculation and Memory attributes.
"""
from kit import *
from system import ACCESS_BIT, ALT_DTLB, CPL, DEBUG, KEY_MISS, KEY_PERMISSION, NOT_PRESENT, RIGHTS, case, entry

VA, PA, RR = 0x50000, 0x20000, 5 << 8 | 14 << 2
DM, DP, DK, DX, DR, DA_, DD_ = (1 << n for n in range(8, 15))
WORD = 0x1122334455667788
RAM = [[PA, WORD.to_bytes(8, 'little').hex()]]


def make(maker):
    deferrals(maker)
    unaligned(maker)
    uncacheable(maker)
    breakpoints(maker)
    flushes(maker)


def deferrals(maker):
    """Under ITLB.ed the bits of dcr choose what is deferred. What is deferred hides nothing else, except that a page which
    is not there or not present hides all but a breakpoint."""
    key = {'key': 9}
    for label, page, dcr, level, vector in (
            ('key missing', key, DK, 0, None), ('key missing, not accessed', dict(key, a=0), DK, 0, ACCESS_BIT),
            ('key missing, not accessed', dict(key, a=0), DA_, 0, KEY_MISS), ('key missing, not accessed', dict(key, a=0), DK | DA_, 0, None),
            ('key without rights, execute only', dict(key=5, access=7, pl=3), DX, 3, RIGHTS),
            ('key without rights, execute only', dict(key=5, access=7, pl=3), DR, 3, KEY_PERMISSION),
            ('key without rights, execute only', dict(key=5, access=7, pl=3), DX | DR, 3, None),
            ('execute only, not accessed', dict(key=6, access=7, pl=3, a=0), DR, 3, ACCESS_BIT),
            ('execute only, not accessed', dict(key=6, access=7, pl=3, a=0), DA_, 3, RIGHTS),
            ('execute only, not accessed', dict(key=6, access=7, pl=3, a=0), DR | DA_, 3, None),
            ('not present, key missing', dict(key, p=0), DP, 0, None), ('not present, key missing', dict(key, p=0), DK, 0, NOT_PRESENT),
            ('nothing there', None, DM, 0, None), ('nothing there', None, 0x7f00 & ~DM, 0, ALT_DTLB),
            ('breakpoint', dict(key=6), DD_, 0, None), ('breakpoint', dict(key=6), 0x7f00 & ~DD_, 0, DEBUG),
            ('breakpoint, nothing there', None, DM, 0, DEBUG), ('breakpoint, nothing there', None, DM | DD_, 0, None),
            ('breakpoint, not present', dict(key=6, p=0), DP, 0, DEBUG), ('breakpoint, not present', dict(key=6, p=0), DD_, 0, NOT_PRESENT),
            ('breakpoint, key missing', key, DK, 0, DEBUG), ('breakpoint, key missing', key, DK | DD_, 0, None)):
        psr = IC | DT | IT | PK | CPL[level] | (DB if 'breakpoint' in label else 0)
        initial = {'psr': psr, 'gr': {8: VA}, 'rr': {0: RR}, 'itr': [entry(CODE, rid=5, pl=3, ed=1, key=6)], 'cr': {'dcr': dcr},
                   'ram': RAM, 'pkr': {0: 5 << 8 | 7, 1: 6 << 8 | 1}, 'dbr': {0: VA, 1: 3 << 62 | 15 << 56 | (1 << 56) - 1}}
        if page is not None:
            initial['dtr'] = [entry(VA, PA, rid=5, **page)]
        where = {'ifa': VA} if vector == DEBUG else {'ifa': VA, 'itir': RR}
        for text, deferred in (('ld8.s r9=[r8]', {'nat': [9]}), ('ld4.sa r9=[r8]', {'nat': [9]}), ('ldf8.s f9=[r8]', {'fr': {9: (0x1fffe, 0)}})):
            final = dict(deferred) if vector is None else maker.fault(vector, 0, ISR_R | ISR_SP | ISR_ED, psr, **where)
            if vector is None and 'fr' in final:
                final['psr'] = psr | MFL
            case(maker, text, 'M', initial, final, label='%s, dcr %x' % (label, dcr))
    # An address that is not implemented is always deferred, and so is a NaT page.
    for psr in (IC, 0, IC | ED):
        for text in ('ld8.s r9=[r8]', 'ld1.sa r9=[r8]'):
            for address in (1 << 55, 1 << 63 | 1 << 50):
                case(maker, text, 'M', {'psr': psr, 'gr': {8: address, 9: 5}}, {'nat': [9], 'psr': psr & ~ED}, label='%#x psr %x' % (address, psr))
    initial = {'psr': IC | DT | IT, 'gr': {8: VA}, 'rr': {0: RR}, 'itr': [entry(CODE, rid=5)], 'dtr': [entry(VA, PA, rid=5, ma=7)]}
    case(maker, 'ld8.s r9=[r8]', 'M', initial, {'nat': [9]}, label='NaT page')


def unaligned(maker):
    """An unaligned speculative load is deferred under ITLB.ed, and where interruptions are not collected."""
    for text, deferred, offset in (('ld8.s r9=[r8]', {'nat': [9]}, 4), ('ld2.sa r9=[r8]', {'nat': [9]}, 1), ('ldfs.s f9=[r8]', None, 2),
                                   ('ldfe.s f9=[r8]', None, 8), ('ldfp8.s f9,f10=[r8]', 'pair', 8)):
        for ed in (0, 1):
            for state in (IC | AC | DT | IT, AC | DT | IT):
                initial = {'psr': state, 'gr': {8: VA + offset}, 'rr': {0: RR}, 'itr': [entry(CODE, rid=5, ed=ed)],
                           'dtr': [entry(VA, PA, rid=5)], 'ram': RAM}
                final = deferred
                if final is None or final == 'pair':
                    final = {'fr': {n: (0x1fffe, 0) for n in ((9,) if deferred is None else (9, 10))}, 'psr': state | MFL}
                if not ed and state & IC:
                    final = maker.fault(UNALIGNED, 0, ISR_R | ISR_SP, state, ifa=VA + offset)
                case(maker, text, 'M', initial, final, label='unaligned, ed %d psr %x' % (ed, state))
    for text, code in (('ld8 r9=[r8]', ISR_R), ('xchg8 r9=[r8],r10', ISR_R | ISR_W)):
        state = IC | AC | DT | IT
        initial = {'psr': state, 'gr': {8: VA + 4}, 'rr': {0: RR}, 'itr': [entry(CODE, rid=5, ed=1)], 'dtr': [entry(VA, PA, rid=5)]}
        case(maker, text, 'M', initial, maker.fault(UNALIGNED, 0, code | ISR_ED, state, ifa=VA + 4), label='unaligned under ITLB.ed')


def uncacheable(maker):
    """Semaphores, 16-byte integers and 10-byte floating point want cacheable memory."""
    both = ISR_R | ISR_W
    texts = [('xchg1 r9=[r8],r10', both), ('xchg8 r9=[r8],r10', both), ('cmpxchg4.acq r9=[r8],r10,ar.ccv', both),
             ('cmpxchg8.rel r9=[r8],r10,ar.ccv', both), ('fetchadd4.acq r9=[r8],1', both), ('fetchadd8.rel r9=[r8],-4', both),
             ('cmp8xchg16.acq r9=[r8],r10,ar.csd,ar.ccv', both), ('ld16 r9,ar.csd=[r8]', ISR_R), ('ld16.acq r9,ar.csd=[r8]', ISR_R),
             ('st16 [r8]=r9,ar.csd', ISR_W), ('ldfe f9=[r8]', ISR_R), ('ldfe f9=[r8],16', ISR_R), ('stfe [r8]=f9', ISR_W)]
    for text, code in texts:
        for attribute in (4, 5, 6):
            psr = IC | DT
            initial = {'psr': psr, 'gr': {8: VA}, 'rr': {0: RR}, 'dtr': [entry(VA, PA, rid=5, ma=attribute)], 'ram': RAM}
            case(maker, text, 'M', initial, maker.fault(UNSUPPORTED, 0, code, psr, ifa=VA), label='attribute %d' % attribute)
        case(maker, text, 'M', {'psr': IC, 'gr': {8: 1 << 63 | DATA}}, maker.fault(UNSUPPORTED, 0, code, IC, ifa=1 << 63 | DATA),
             label='physical, uncacheable')
    # Other accesses of such memory are as good as any, and alignment comes first.
    for attribute in (4, 5, 6):
        initial = {'psr': IC | DT, 'gr': {8: VA, 9: 0}, 'rr': {0: RR}, 'dtr': [entry(VA, PA, rid=5, ma=attribute)], 'ram': RAM}
        case(maker, 'ld8 r9=[r8]', 'M', initial, {'gr': {9: WORD}}, label='attribute %d' % attribute)
        case(maker, 'st4 [r8]=r9', 'M', initial, {'ram': [[PA, '00000000']]}, label='attribute %d' % attribute)
        case(maker, 'ldf.fill f9=[r8]', 'M', initial, {'fr': {9: (0, WORD)}, 'psr': IC | DT | MFL}, label='attribute %d' % attribute)
        case(maker, 'xchg4 r9=[r8],r10', 'M', dict(initial, gr={8: VA + 2}), maker.fault(UNALIGNED, 0, both, IC | DT, ifa=VA + 2),
             label='attribute %d, unaligned' % attribute)


def breakpoints(maker):
    """Of the references that read or write nothing, probe.fault and lfetch.fault meet breakpoints, at the level they ask for."""
    watched = {'dbr': {4: VA, 5: 3 << 62 | 1 << 56 | (1 << 56) - 1}}
    user = {'dbr': {4: VA, 5: 3 << 62 | 8 << 56 | (1 << 56) - 1}}
    for text, kind, code in (('probe.r.fault r8,%d', 1 << 63, ISR_R | 5), ('probe.w.fault r8,%d', 1 << 62, ISR_W | 5),
                             ('probe.rw.fault r8,%d', 3 << 62, ISR_R | ISR_W | 5), ('lfetch.fault [r8]', 1 << 63, ISR_R | 4),
                             ('lfetch.fault.excl [r8]', 1 << 63, ISR_R | 4)):
        for label, extra, level, state, hit in (
                ('hit', watched, 0, 0, True), ('other level', user, 0, 0, False), ('level 3', user, 3, 0, 'probe' in text),
                ('psr.dd', watched, 0, DD, False), ('write only', {'dbr': {4: VA, 5: 1 << 62 | 1 << 56 | (1 << 56) - 1}}, 0, 0, bool(kind & 1 << 62))):
            if '%' not in text and level:
                continue
            for virtual in (DT, 0):
                psr = IC | DB | state | virtual
                initial = dict({'psr': psr, 'gr': {8: VA}, 'rr': {0: RR}, 'dtr': [entry(VA, PA, rid=5, pl=3)]}, **extra)
                body = text % level if '%' in text else text
                final = maker.fault(DEBUG, 0, ISR_NA | code, psr, ifa=VA) if hit else {'psr': psr & ~DD}
                case(maker, body, 'M', initial, final, label='breakpoint %s psr %x' % (label, psr))
    for text, final in (('probe.r r9=r8,0', {'gr': {9: 1}}), ('fc r8', {}), ('lfetch [r8]', {}), ('tpa r9=r8', {'gr': {9: PA}})):
        initial = dict({'psr': IC | DB | DT, 'gr': {8: VA}, 'rr': {0: RR}, 'dtr': [entry(VA, PA, rid=5, pl=3)]}, **watched)
        case(maker, text, 'M', initial, final, label='no breakpoint')


def flushes(maker):
    """fc asks for no protection key, at any level."""
    for text in ('fc r8', 'fc.i r8'):
        for level in (0, 3):
            for keys in ({}, {3: 9 << 8 | 7}):
                psr = IC | DT | PK | CPL[level]
                initial = {'psr': psr, 'gr': {8: VA}, 'rr': {0: RR}, 'pkr': keys, 'dtr': [entry(VA, PA, rid=5, key=9, pl=3, ma=4)]}
                case(maker, text, 'M', initial, {}, label='cpl %d, %s' % (level, 'key without rights' if keys else 'no key'))
        psr = IC | DT | CPL3
        initial = {'psr': psr, 'gr': {8: VA}, 'rr': {0: RR}, 'dtr': [entry(VA, PA, rid=5)]}
        case(maker, text, 'M', initial, maker.fault(RIGHTS, 0, ISR_R | ISR_NA | 1, psr, ifa=VA, itir=RR), label='cpl 3, a page of level 0')
