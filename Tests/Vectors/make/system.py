"""System instructions: moves of application, control, status and indirect registers, the register stack, translations,
probes, protection, interrupts, return from interruptions (formats M24 to M36, M38 to M52, I26 to I28, B8).

What is expected here is derived by hand from the manual's tables: which register numbers exist, which fields are reserved,
which fault a reference takes, and what it leaves in the interruption registers.
"""
from integer import predicate
from kit import *

CPL = {n: n << 32 for n in range(4)}
ALT_DTLB, DTLB, VHPT, NESTED, KEY_MISS, DIRTY, ACCESS_BIT = 0x1000, 0x0800, 0x0000, 0x1400, 0x1c00, 0x2000, 0x2800
NOT_PRESENT, KEY_PERMISSION, RIGHTS, EXTERNAL, DEBUG = 0x5000, 0x5100, 0x5300, 0x3000, 0x5900
TRANSFER = 0x5e00     # lower-privilege transfer, unimplemented instruction address
IALT, IRIGHTS, INOT_PRESENT, IACCESS_BIT, IKEY_MISS = 0x0c00, 0x5200, 0x5000, 0x2400, 0x1800


def make(maker):
    application_registers(maker)
    control_registers(maker)
    status_register(maker)
    indirect_registers(maker)
    stack(maker)
    returns(maker)
    caches(maker)
    hashes(maker)
    references(maker)
    rights(maker)
    probes(maker)
    fetches(maker)
    interrupts(maker)
    serialization(maker)
    steps(maker)
    debug(maker)
    unimplemented(maker)
    hints(maker)
    long_table(maker)
    stack_faults(maker)
    loads_registers(maker, 0x30800, [], 98 * 8)   # all 96, and two collections


def case(maker, text, unit, initial, final, fields=(), **options):
    label = options.pop('label', '')
    if unit == 'M' and any(name in text for name in ('itc.d', 'itc.i', 'ptc.g')):
        unit = 'M;'
    maker.case((text + ' ' + label).strip(), unit, text, initial, final, fields, **options)


def general(maker, code, slot, psr):
    return maker.fault(GENERAL, slot, code, psr)


# Application registers

AR_NUMBERS = {'k%d' % n: n for n in range(8)}
AR_NUMBERS.update(rsc=16, bsp=17, bspstore=18, rnat=19, fcr=21, eflag=24, csd=25, ssd=26, cflg=27, fsr=28, fir=29, fdr=30,
                  ccv=32, unat=36, fpsr=40, pfs=64, lc=65, ec=66)
PLAIN_ARS = ['fcr', 'eflag', 'csd', 'ssd', 'fsr', 'fir', 'fdr', 'ccv', 'unat']


def application_registers(maker):
    rng = maker.random
    for _ in range(2):
        for name in PLAIN_ARS + ['k0', 'k3', 'k7', 'lc', 'pfs', 'ec', 'cflg', 'lc', 'ec', 'lc', 'ec']:
            unit, letter = ('I', 'i') if AR_NUMBERS[name] >= 64 else ('M', 'm')
            old, new = value(rng), value(rng)
            kept = new
            if name == 'ec':
                old &= 63
                kept &= 63
            if name == 'pfs':
                legal = ~(0x3fff << 38 | 0xf << 58) & M64
                old, new = old & legal, new & legal
                kept = new
            case(maker, 'mov.%s ar.%s=r9' % (letter, name), unit, {'gr': {9: new}, 'ar': {name: old}}, {'ar': {name: kept}})
            case(maker, 'mov.%s r9=ar.%s' % (letter, name), unit, {'gr': {9: new}, 'ar': {name: old}}, {'gr': {9: old}})
            imm = rng.randrange(-128, 128)
            if name not in ('pfs',):
                kept = imm & (63 if name == 'ec' else M64)
                case(maker, 'mov.%s ar.%s=%d' % (letter, name, imm), unit, {'ar': {name: old}}, {'ar': {name: kept}})
    for name in ('ccv', 'unat', 'lc', 'ec', 'pfs', 'k1'):
        unit, letter = ('I', 'i') if AR_NUMBERS[name] >= 64 else ('M', 'm')
        slot = FRAMES[unit][1]
        text = 'mov.%s ar.%s=r9' % (letter, name)
        case(maker, text, unit, {'psr': IC, 'gr': {9: 1}, 'nat': [9]}, maker.fault(NAT, slot, 0x10), label='NaT')
        case(maker, '(p7) ' + text, unit, {'gr': {9: 5}}, {}, label='off')
        text = 'mov.%s r9=ar.%s' % (letter, name)
        case(maker, text, unit, {'psr': IC, 'cfm': CFM}, general(maker, ILLEGAL, slot, IC), [r1(0)], label='r0')
        case(maker, text, unit, {'psr': IC, 'cfm': CFM}, general(maker, ILLEGAL, slot, IC), [r1(48)], label='outside')
        case(maker, text, unit, {'nat': [9], 'ar': {name: 3}}, {'gr': {9: 3}, 'nat': []}, label='clears NaT')
    for imm in (-1, 0, 100):
        case(maker, 'mov.i ar.lc=%d' % imm, 'I', {'ar': {'lc': 7}}, {'ar': {'lc': imm & M64}}, label='again')
    # Reserved numbers, and those of the other unit.
    for number in (8, 15, 20, 22, 23, 31, 33, 37, 41, 47, 67, 100, 111):
        unit = 'M' if number < 64 else 'I'
        letter, slot = unit.lower(), FRAMES[unit][1]
        base = 'ar.ccv' if unit == 'M' else 'ar.lc'
        ar = Field(20, 7, number)
        case(maker, 'mov.%s %s=r9' % (letter, base), unit, {'psr': IC}, general(maker, ILLEGAL, slot, IC), [ar], label='ar%d' % number)
        case(maker, 'mov.%s r9=%s' % (letter, base), unit, {'psr': IC}, general(maker, ILLEGAL, slot, IC), [ar], label='ar%d' % number)
        case(maker, 'mov.%s %s=5' % (letter, base), unit, {'psr': IC}, general(maker, ILLEGAL, slot, IC), [ar], label='ar%d' % number)
    for number in (48, 63, 112, 127):   # ignored: read as zero, written without effect
        for unit, base in (('M', 'ar.ccv'), ('I', 'ar.lc')):
            ar = Field(20, 7, number)
            letter = unit.lower()
            case(maker, 'mov.%s %s=r9' % (letter, base), unit, {'gr': {9: 5}}, {}, [ar], label='ar%d' % number)
            case(maker, 'mov.%s r9=%s' % (letter, base), unit, {'gr': {9: 5}}, {'gr': {9: 0}}, [ar], label='ar%d' % number)
            case(maker, 'mov.%s %s=5' % (letter, base), unit, {'gr': {9: 5}}, {}, [ar], label='ar%d' % number)
    # Kernel registers and the interval counter need privilege to be written.
    for level in (1, 3):
        psr = IC | CPL[level]
        for name in ('k0', 'k7', 'itc'):
            case(maker, 'mov.m ar.%s=r9' % name, 'M', {'psr': psr, 'gr': {9: 7}}, general(maker, PRIVILEGED_REG, 0, psr), label='cpl %d' % level)
        case(maker, 'mov.m r9=ar.k7', 'M', {'psr': psr, 'ar': {'k7': 9}}, {'gr': {9: 9}}, label='cpl %d' % level)
        case(maker, 'mov.m r9=ar.itc', 'M', {'psr': psr | SI}, general(maker, PRIVILEGED_REG, 0, psr | SI), label='psr.si')
    # ar.rsc: a level below the present one is raised to it; bits 4:0 and 29:16 exist.
    for level, bits in ((0, 0x3fff001f), (0, 0), (3, 0), (3, 0xc), (2, 4), (1, 0x10), (0, 0xb), (2, 0xf)):
        kept = bits & ~0xc | max(bits >> 2 & 3, level) << 2
        case(maker, 'mov.m ar.rsc=r9', 'M', {'psr': CPL[level], 'gr': {9: bits}}, {'ar': {'rsc': kept}}, label='%#x cpl %d' % (bits, level))
    for bit in (5, 15, 30, 63):
        case(maker, 'mov.m ar.rsc=r9', 'M', {'psr': IC, 'gr': {9: 1 << bit}}, general(maker, RESERVED, 0, IC), label='bit %d' % bit)
    # bspstore and rnat only in enforced lazy mode; bsp only read.
    for mode in (0, 1, 2, 3):
        for name in ('bspstore', 'rnat'):
            initial = {'psr': IC, 'gr': {9: 0x40005}, 'ar': {'rsc': mode, 'bspstore': 0x30000, 'rnat': 0x123}}
            kept = 0x40000 if name == 'bspstore' else 0x40005
            case(maker, 'mov.m ar.%s=r9' % name, 'M', initial,
                 general(maker, ILLEGAL, 0, IC) if mode else {'ar': {name: kept}}, label='mode %d' % mode,
                 ignore=['ar.rnat'] if name == 'bspstore' and not mode else ())
            case(maker, 'mov.m r9=ar.%s' % name, 'M', initial,
                 general(maker, ILLEGAL, 0, IC) if mode else {'gr': {9: initial['ar'][name]}}, label='mode %d' % mode)
        case(maker, 'mov.m r9=ar.bsp', 'M', {'ar': {'rsc': mode, 'bspstore': 0x301e8}, 'rse': {'dirty': [[1, False]] * 3}},
             {'gr': {9: 0x30208}}, label='over a collection, mode %d' % mode)
    case(maker, 'mov.m ar.ccv=r9', 'M', {'psr': IC, 'gr': {9: 5}}, general(maker, ILLEGAL, 0, IC), [Field(20, 7, 17)], label='bsp')
    case(maker, 'mov.m ar.rnat=r9', 'M', {'gr': {9: M64}}, {'ar': {'rnat': M64 >> 1}}, label='bit 63')
    dirty = [[n, n == 2] for n in range(5)]
    case(maker, 'mov.m ar.bspstore=r9', 'M', {'gr': {9: 0x501e8}, 'ar': {'bspstore': 0x30000}, 'rse': {'dirty': dirty, 'clean': 4}},
         {'ar': {'bspstore': 0x501e8}, 'rse': {'dirty': dirty, 'clean': 0}}, label='with dirty registers', ignore=['ar.rnat'])
    # ar.fpsr: reserved fields.
    fpsr = 0x9804c0270033f
    for bits, legal in ((fpsr, True), (0, True), (fpsr | 1 << 58, False), (fpsr | 1 << 63, False), (fpsr | 1 << 12, False),
                        (fpsr & ~(3 << 8) | 1 << 8, False), (fpsr & ~(3 << 21) | 1 << 21, False), (fpsr | 0x3f, True)):
        case(maker, 'mov.m ar.fpsr=r9', 'M', {'psr': IC, 'gr': {9: bits}},
             {'ar': {'fpsr': bits}} if legal else general(maker, RESERVED, 0, IC), label=hx(bits))
    for bit in (38, 51, 58, 61):
        case(maker, 'mov.i ar.pfs=r9', 'I', {'psr': IC, 'gr': {9: 1 << bit}}, general(maker, RESERVED, 1, IC), label='bit %d' % bit)
    case(maker, 'mov.m r9=ar.itc', 'M', {'ar': {'itc': 1000}}, {'gr': {9: 1000}}, ignore=['gr.9'])


# Control registers

CR_NUMBERS = dict(dcr=0, itm=1, iva=2, pta=8, ipsr=16, isr=17, iip=19, ifa=20, itir=21, iipa=22, ifs=23, iim=24, iha=25,
                  lid=64, tpr=66, itv=72, pmv=73, cmcv=74, lrr0=80, lrr1=81)
INTERRUPTION_CRS = ['ipsr', 'isr', 'iip', 'ifa', 'itir', 'iipa', 'ifs', 'iim', 'iha']
CR_VALUES = dict(dcr=[0x7f07, 0, 1, 2, 4, 0x4000], iva=[0x10000, 0x18000, 0], pta=[15 << 2, 61 << 2 | 1, 20 << 2 | 0x100 | 1],
                 ipsr=[0, IC | BN, CPL3], isr=[0, ISR_R | 5], iip=[0x10, M64 & ~15], ifa=[M64, 5], itir=[14 << 2, 28 << 2 | 7 << 8],
                 iipa=[0x40], ifs=[1 << 63, 1 << 63 | (1 << 38) - 1], iim=[0, 0x1fffff], iha=[0x1000, M64 & ~3], lid=[0x1230000], lrr0=[0x10000, 0xa7ef],
                 lrr1=[0x10000, 0x2ef],
                 tpr=[0xf0, 0x100f0, 0], itv=[0x10000, 0xef], pmv=[0x10000], cmcv=[0x100ef])


def control_registers(maker):
    for name, values in CR_VALUES.items():
        for bits in values:
            case(maker, 'mov cr.%s=r9' % name, 'M', {'gr': {9: bits}}, {'cr': {name: bits}}, label=hx(bits))
            case(maker, 'mov r9=cr.%s' % name, 'M', {'cr': {name: bits}}, {'gr': {9: bits}}, label=hx(bits))
    # Bits that are ignored: they read as zero.
    for name, bits, kept in (('tpr', M64 & ~0xff00, 0x100f0), ('itv', M64 & ~0xef00, 0x100ff), ('pmv', M64 & ~0xef00, 0x100ff),
                             ('cmcv', M64 & ~0xef00, 0x100ff), ('lid', M64 & ~0xffff, 0xffff0000), ('iva', M64, M64 & ~0x7fff),
                             ('iha', M64, M64 & ~3), ('lrr0', M64 & ~0x4f00, 0x1a0ff), ('lrr1', M64 & ~0x4a00, 0x1a5ff)):
        case(maker, 'mov cr.%s=r9' % name, 'M', {'gr': {9: bits}}, {'cr': {name: kept}}, label='ignored bits')
    for name in INTERRUPTION_CRS:   # out of reach while interruptions are collected
        case(maker, 'mov cr.%s=r9' % name, 'M', {'psr': IC}, general(maker, ILLEGAL, 0, IC), label='psr.ic')
        case(maker, 'mov r9=cr.%s' % name, 'M', {'psr': IC}, general(maker, ILLEGAL, 0, IC), label='psr.ic')
    for number in (3, 7, 9, 15, 18, 26, 63, 82, 127):
        field = Field(20, 7, number)
        case(maker, 'mov cr.dcr=r9', 'M', {'psr': IC}, general(maker, ILLEGAL, 0, IC), [field], label='cr%d' % number)
        case(maker, 'mov r9=cr.dcr', 'M', {'psr': IC}, general(maker, ILLEGAL, 0, IC), [field], label='cr%d' % number)
    for number in (65, 68, 71):     # ivr and the request registers are only read
        case(maker, 'mov cr.dcr=r9', 'M', {'psr': IC}, general(maker, ILLEGAL, 0, IC), [Field(20, 7, number)], label='cr%d' % number)
    for level in (1, 2, 3):
        psr = IC | CPL[level]
        case(maker, 'mov cr.dcr=r9', 'M', {'psr': psr}, general(maker, PRIVILEGED_OP, 0, psr), label='cpl %d' % level)
        case(maker, 'mov r9=cr.iva', 'M', {'psr': psr}, general(maker, PRIVILEGED_OP, 0, psr), label='cpl %d' % level)
        case(maker, 'mov cr.ifa=r9', 'M', {'psr': psr}, general(maker, ILLEGAL, 0, psr), label='illegal before privilege')
    for name, bits in (('dcr', 8), ('dcr', 1 << 63), ('pta', 2), ('pta', 14 << 2), ('pta', 62 << 2), ('tpr', 1 << 8), ('tpr', 1 << 15),
                       ('itv', 1 << 8), ('pmv', 1 << 13), ('cmcv', 1 << 15), ('lid', 1), ('ipsr', 1), ('ipsr', 1 << 12), ('ipsr', 1 << 28), ('ipsr', 1 << 63), ('ifs', 1 << 40),
                       ('isr', 1 << 24), ('isr', 1 << 31), ('isr', 1 << 44), ('isr', 1 << 63), ('isr', 3 << 41), ('lrr0', 1 << 11),
                       ('lrr1', 1 << 14), ('lrr0', 1 << 8), ('lrr1', 3 << 8), ('lrr0', 6 << 8)):
        psr = 0 if name in INTERRUPTION_CRS else IC
        final = {'ip': IVA + GENERAL, 'psr': 0, 'cr': {'isr': RESERVED | ISR_NI}} if not psr else general(maker, RESERVED, 0, IC)
        case(maker, 'mov cr.%s=r9' % name, 'M', {'psr': psr, 'gr': {9: bits}}, final, label='reserved ' + hx(bits))
    case(maker, 'mov cr.dcr=r9', 'M', {'psr': IC, 'nat': [9]}, maker.fault(NAT, 0, 0x10), label='NaT')
    case(maker, 'mov cr.dcr=r9', 'M', {'psr': IC, 'nat': [9]}, general(maker, ILLEGAL, 0, IC), [Field(20, 7, 3)], label='illegal before NaT')
    case(maker, 'mov r9=cr.dcr', 'M', {'psr': IC}, general(maker, ILLEGAL, 0, IC), [r1(0)], label='r0')
    case(maker, '(p7) mov cr.dcr=r9', 'M', {'gr': {9: 1}}, {}, label='off')


# Processor status

USER, SYSTEM = 0x3e, 0xfe_e03e
LOWER = SYSTEM | DB | LP | TB | RT


def status_register(maker):
    rng = maker.random
    for _ in range(18):
        old, new = rng.getrandbits(32) & LOWER & ~I, rng.getrandbits(32) & LOWER & ~I
        upper = rng.getrandbits(32) << 32
        case(maker, 'mov psr.l=r9', 'M', {'psr': old, 'gr': {9: new | upper}}, {'psr': new}, label='%x %x' % (old, new))
        case(maker, 'mov r9=psr', 'M', {'psr': old | BN | MC}, {'gr': {9: old | MC}}, label='%x' % old)
        user = rng.getrandbits(6) & USER
        mask = USER & ~UP if old & SP else USER
        case(maker, 'mov psr.um=r9', 'M', {'psr': old, 'gr': {9: user}}, {'psr': old & ~mask | user & mask}, label='%x %x' % (old, user))
        case(maker, 'mov r9=psr.um', 'M', {'psr': old}, {'gr': {9: old & USER}}, label='%x' % old)
        case(maker, 'sum %d' % user, 'M', {'psr': old}, {'psr': old | user & mask}, label='%x' % old)
        case(maker, 'rum %d' % user, 'M', {'psr': old}, {'psr': old & ~(user & mask)}, label='%x' % old)
        imm = rng.getrandbits(24) & SYSTEM & ~I
        case(maker, 'ssm %d' % imm, 'M', {'psr': old}, {'psr': old | imm}, label='%x' % old)
        case(maker, 'rsm %d' % imm, 'M', {'psr': old}, {'psr': old & ~imm}, label='%x' % old)
    for text in ('mov psr.l=r9', 'mov r9=psr', 'ssm 4', 'rsm 4'):
        for level in (1, 3):
            psr = IC | CPL[level]
            case(maker, text, 'M', {'psr': psr}, general(maker, PRIVILEGED_OP, 0, psr), label='cpl %d' % level)
        case(maker, '(p7) ' + text, 'M', {'psr': IC | CPL3}, {}, label='off')
    for bits in (1, 1 << 6, 1 << 12, 1 << 16, 1 << 28, 1 << 31):
        case(maker, 'mov psr.l=r9', 'M', {'psr': IC, 'gr': {9: bits}}, general(maker, RESERVED, 0, IC), label=hx(bits))
        if bits < 1 << 24:
            case(maker, 'ssm %d' % bits, 'M', {'psr': IC}, general(maker, RESERVED, 0, IC))
            case(maker, 'rsm %d' % bits, 'M', {'psr': IC}, general(maker, RESERVED, 0, IC))
            case(maker, 'sum %d' % bits, 'M', {'psr': IC}, general(maker, RESERVED, 0, IC))
            case(maker, 'rum %d' % bits, 'M', {'psr': IC}, general(maker, RESERVED, 0, IC))
            case(maker, 'mov psr.um=r9', 'M', {'psr': IC, 'gr': {9: bits}}, general(maker, RESERVED, 0, IC), label=hx(bits))
    for text in ('mov psr.l=r9', 'mov psr.um=r9'):
        case(maker, text, 'M', {'psr': IC, 'nat': [9]}, maker.fault(NAT, 0, 0x10), label='NaT')
    for text in ('mov r9=psr', 'mov r9=psr.um'):
        case(maker, text, 'M', {'psr': IC}, general(maker, ILLEGAL, 0, IC), [r1(0)], label='r0')
        case(maker, text, 'M', {'psr': AC, 'nat': [9]}, {'gr': {9: AC}, 'nat': []}, label='clears NaT')


# Region, key, debug, performance and identification registers

FILES = {'rr': 8, 'pkr': 16, 'dbr': 16, 'ibr': 16, 'pmc': 32, 'pmd': 32}


def indirect_registers(maker):
    rng = maker.random
    for name, count in FILES.items():
        for _ in range(18):
            number = rng.randrange(count)
            index = number << 61 | rng.getrandbits(61) if name == 'rr' else number | rng.getrandbits(56) << 8
            bits = {'rr': lambda: rng.getrandbits(24) << 8 | rng.choice((12, 13, 14, 16, 20, 24, 26, 28)) << 2 | rng.randrange(2),
                    'pkr': lambda: rng.getrandbits(24) << 8 | rng.getrandbits(4)}.get(name, lambda: rng.getrandbits(64))()
            if name in ('dbr', 'ibr') and number & 1:
                bits &= ~(7 << 60) & M64 if name == 'ibr' else ~(3 << 60) & M64   # ignored bits of the masks
            ignored = {'ibr': 7 << 60, 'dbr': 3 << 60}.get(name, 0) if number & 1 else 0
            case(maker, 'mov %s[r8]=r9' % name, 'M', {'gr': {8: index, 9: bits | ignored}}, {name: {number: bits}}, label="%d" % number)
            case(maker, 'mov r9=%s[r8]' % name, 'M', {'gr': {8: index}, name: {number: bits}}, {'gr': {9: bits}}, label='%d' % number)
        psr = IC | CPL3
        case(maker, 'mov %s[r8]=r9' % name, 'M', {'psr': psr}, general(maker, PRIVILEGED_OP, 0, psr), label='cpl 3')
        if name != 'pmd':
            case(maker, 'mov r9=%s[r8]' % name, 'M', {'psr': psr}, general(maker, PRIVILEGED_OP, 0, psr), label='cpl 3')
        for register in (8, 9):
            case(maker, 'mov %s[r8]=r9' % name, 'M', {'psr': IC, 'nat': [register]}, maker.fault(NAT, 0, 0x10), label='NaT r%d' % register)
        case(maker, 'mov r9=%s[r8]' % name, 'M', {'psr': IC, 'nat': [8]}, maker.fault(NAT, 0, 0x10), label='NaT')
        case(maker, 'mov r9=%s[r8]' % name, 'M', {'psr': IC}, general(maker, ILLEGAL, 0, IC), [r1(0)], label='r0')
        case(maker, '(p7) mov %s[r8]=r9' % name, 'M', {'gr': {8: 0, 9: 56}}, {}, label='off')
        case(maker, '(p7) mov r9=%s[r8]' % name, 'M', {'gr': {9: 5}}, {}, label='off')
        if name != 'rr':
            case(maker, 'mov r9=%s[r8]' % name, 'M', {'psr': IC, 'gr': {8: 200}}, general(maker, RESERVED, 0, IC), label='200')
            case(maker, 'mov %s[r8]=r9' % name, 'M', {'psr': IC, 'gr': {8: 200}}, general(maker, RESERVED, 0, IC), label='200')
    for bits in (56 | 2, 56 | 1 << 32, 11 << 2, 15 << 2, 63 << 2):
        case(maker, 'mov rr[r8]=r9', 'M', {'psr': IC, 'gr': {9: bits}}, general(maker, RESERVED, 0, IC), label=hx(bits))
    for bits in (1 << 4, 1 << 7, 1 << 32):
        case(maker, 'mov pkr[r8]=r9', 'M', {'psr': IC, 'gr': {9: bits}}, general(maker, RESERVED, 0, IC), label=hx(bits))
    # A key stands in one valid register: writing it into another one invalidates the first.
    case(maker, 'mov pkr[r8]=r9', 'M', {'gr': {8: 3, 9: 0x700 | 1}, 'pkr': {1: 0x700 | 5, 2: 0x800 | 1, 4: 0x702}},
         {'pkr': {1: 0x704, 3: 0x701}}, label='key in two')
    for number in (0, 1, 2, 3, 4, 0, 1, 2, 4):
        bits = rng.getrandbits(64)
        for level in (0, 3):
            case(maker, 'mov r9=cpuid[r8]', 'M', {'psr': CPL[level], 'gr': {8: number | 0x500}, 'cpuid': {3: 4, number: bits} if number != 3 else {3: 4}},
                 {'gr': {9: bits if number != 3 else 4}}, label='%d cpl %d' % (number, level))
    case(maker, 'mov r9=cpuid[r8]', 'M', {'psr': IC, 'gr': {8: 255}, 'cpuid': {3: 4}}, general(maker, RESERVED, 0, IC), label='255')
    case(maker, 'mov r9=cpuid[r8]', 'M', {'psr': IC, 'nat': [8]}, maker.fault(NAT, 0, 0x10), label='NaT')
    # Counters above level 0: hidden by psr.sp, or by the counter's privileged monitor bit.
    for psr, pmc, shown in ((CPL3, 0, 77), (CPL3 | SP, 0, 0), (CPL3, 1 << 6, 0), (SP, 1 << 6, 77)):
        case(maker, 'mov r9=pmd[r8]', 'M', {'psr': psr, 'gr': {8: 4}, 'pmc': {4: pmc}, 'pmd': {4: 77}}, {'gr': {9: shown}},
             label='psr %x pmc %x' % (psr, pmc))


# Register stack

def stack(maker):
    rng = maker.random
    for _ in range(14):
        sof = rng.randrange(1, 97)
        sol = rng.randrange(sof + 1)
        sor = rng.randrange(sof // 8 + 1)
        old = rng.choice((0, CFM, 96 | 96 << 7))
        pfs = value(rng) & ~(0x3fff << 38 | 0xf << 58)
        target = rng.choice((9, 32, 31 + sof))
        ins, locs = rng.randrange(sol + 1), 0
        text = 'alloc r%d=ar.pfs,%d,%d,%d,%d' % (9, 0, sol, sof - sol, 8 * sor)
        initial = {'cfm': old, 'ar': {'pfs': pfs}, 'gr': {9: 1}}
        case(maker, text, 'M', initial, {'cfm': sof | sol << 7 | sor << 14, 'gr': {target: pfs}}, [r1(target)], label='into r%d' % target)
    text = 'alloc r9=ar.pfs,0,8,8,0'
    illegal = general(maker, ILLEGAL, 0, IC)
    for fields, label in (([r1(0)], 'r0'), ([r1(48)], 'outside'), ([Field(13, 7, 97), Field(20, 7, 97)], 'sof 97'),
                          ([Field(20, 7, 17)], 'sol above sof'), ([Field(27, 4, 3)], 'sor above sof'), ([Field(0, 6, 5)], 'predicate')):
        case(maker, text, 'M', {'psr': IC, 'cfm': CFM, 'pr': 33}, illegal, fields, label=label)
    case(maker, 'alloc r9=ar.pfs,0,8,8,0', 'M', {'psr': IC, 'cfm': ROTATING}, general(maker, RESERVED, 0, IC), label='renamed, other sor')
    case(maker, 'alloc r9=ar.pfs,0,8,8,8', 'M', {'cfm': ROTATING}, {'cfm': ROTATING, 'gr': {9: 0}}, label='renamed, same sor')
    # Mandatory stores: 90 dirty registers and a frame of 16 are ten too many.
    for base, nats in ((0x30000, []), (0x301d0, [1, 4, 7]), (0x301f8, [0])):
        dirty = [[value(rng), n in nats] for n in range(90)]
        rnat = rng.getrandbits(63)
        ram, address, bits = spilled(dirty[:10], base, rnat)
        initial = {'ar': {'bspstore': base, 'rnat': rnat, 'pfs': 7}, 'rse': {'dirty': dirty}}
        final = {'cfm': CFM, 'gr': {9: 7}, 'ar': {'bspstore': address}, 'rse': {'dirty': dirty[10:]}, 'ram': ram}
        case(maker, text, 'M', initial, final, label='spills from %#x' % base,
             ignore=['ar.rnat'] + ['gr.%d' % n for n in range(32, 48)])   # exposed registers hold anything
    for number in range(20):
        base = rng.choice((0x30000, 0x301e0, 0x30008, 0x301f0))
        count = rng.choice((0, 1, 5, 20, 70))
        dirty = [[value(rng), rng.randrange(4) == 0] for _ in range(count)]
        rnat = rng.getrandbits(63) & (1 << (base >> 3 & 63)) - 1
        ram, address, bits = spilled(dirty, base, rnat)
        initial = {'ar': {'bspstore': base, 'rnat': rnat}, 'rse': {'dirty': dirty}}
        case(maker, 'flushrs', 'M', initial, {'ar': {'bspstore': address, 'rnat': bits}, 'rse': {'dirty': []}, 'ram': ram},
             label='%d from %#x' % (count, base), ignore=['rse.clean'])
    for number in range(18):
        base = rng.choice((0x30200, 0x30210, 0x301e8, 0x30400))
        dirty = [[value(rng), rng.randrange(4) == 0] for _ in range(rng.choice((0, 3, 10)))]
        want = rng.choice((0, 0, 8, 40, 200, 512))
        loads_registers(maker, base, dirty, want)
    # 96 registers are all there are: 97 and the two collections between them can't be had.
    for base, words in ((0x30800, 99), (0x30608, 99), (0x30800, 0x7ff)):
        case(maker, 'loadrs', 'M', {'psr': IC, 'ar': {'rsc': words << 19, 'bspstore': base}}, illegal, label='%d words below %#x' % (words, base))
    for label, rsc, cfm in (('mode', 3, 0), ('frame not empty', 8 << 16, CFM)):
        case(maker, 'loadrs', 'M', {'psr': IC, 'cfm': cfm, 'ar': {'rsc': rsc}}, illegal, label=label)
    for number in range(20):
        cfm = rng.choice((0, CFM, ROTATING, 96 | 96 << 7, 7))
        psr = rng.choice((0, IC))
        sof, sor, rrb = cfm & 127, (cfm >> 14 & 15) * 8, cfm >> 18 & 127
        values = {32 + n: value(rng) for n in range(min(sof, 10))}
        physical = [0] * 96
        for register, bits in values.items():
            offset = register - 32
            physical[(offset + rrb) % sor if offset < sor else offset] = bits
        final = {'cfm': 0, 'rse': {'dirty': [[bits, False] for bits in physical[:sof]]}}
        if not psr:
            final['cr'] = {'ifs': 1 << 63 | cfm}
        case(maker, 'cover', 'B', {'cfm': cfm, 'psr': psr, 'gr': values, 'ar': {'bspstore': 0x30000}}, final, label='%x psr %x' % (cfm, psr))


def spilled(registers_, address, rnat):
    """What storing registers from `address` on leaves: memory, the pointer, the collection."""
    ram = []
    for bits, nat in registers_:
        if address & 0x1f8 == 0x1f8:
            ram.append([address, (rnat & M64 >> 1).to_bytes(8, 'little').hex()])
            address, rnat = address + 8, 0
        ram.append([address, bits.to_bytes(8, 'little').hex()])
        bit = 1 << (address >> 3 & 63)
        rnat = rnat | bit if nat else rnat & ~bit
        address += 8
    if registers_ and address & 0x1f8 == 0x1f8:
        ram.append([address, (rnat & M64 >> 1).to_bytes(8, 'little').hex()])
        address, rnat = address + 8, 0
    return ram, address, rnat


def loads_registers(maker, base, dirty, want):
    """loadrs with `want` bytes below bsp to be dirty."""
    rng = maker.random
    bsp = base
    for _ in dirty:
        if bsp & 0x1f8 == 0x1f8:
            bsp += 8
        bsp += 8
    if bsp & 0x1f8 == 0x1f8:
        bsp += 8
    tear = bsp - want
    present, address = [], base
    words = {}
    for bits, nat in dirty:
        if address & 0x1f8 == 0x1f8:
            address += 8
        present.append((address, bits, nat))
        address += 8
    rnat = rng.getrandbits(63)
    address, collection = base, rnat
    loaded = []
    while address > tear:
        address -= 8
        bits = value(rng)
        words[address] = bits
        if address & 0x1f8 == 0x1f8:
            words[address] = collection = bits & M64 >> 1
        else:
            loaded.append((address, bits, bool(collection >> (address >> 3 & 63) & 1)))
    final = sorted(loaded) + [p for p in present if p[0] >= tear]
    initial = {'ar': {'bspstore': base, 'rnat': rnat, 'rsc': want << 16}, 'rse': {'dirty': dirty},
               'ram': [[a, b.to_bytes(8, 'little').hex()] for a, b in sorted(words.items())]}
    case(maker, 'loadrs', 'M', initial, {'ar': {'bspstore': tear, 'bsp': bsp}, 'rse': {'dirty': [[b, n] for _, b, n in final], 'clean': 0}},
         label='%d bytes, %d dirty from %#x' % (want, len(dirty), base), ignore=['ar.rnat'])


# Returns, banks, epc

def returns(maker):
    rng = maker.random
    for number in range(20):
        ipsr = rng.choice((0, IC, BN, IC | BN | AC, CPL3 | BN | IC, CPL[1], IC | DT | RT, SS | IC, MFL | MFH | UP))
        slot = rng.randrange(3)
        target = rng.getrandbits(30) & ~15
        ifs = rng.choice((0, 1 << 63 | CFM, 1 << 63, 0x123))
        dirty = [[value(rng), False] for _ in range(16 + rng.randrange(3))] if ifs >> 63 else []
        old = rng.choice((0, 3))
        initial = {'cfm': old, 'cr': {'ipsr': ipsr | slot << 41, 'iip': target | rng.randrange(16), 'ifs': ifs},
                   'rse': {'dirty': dirty}, 'ar': {'bspstore': 0x30000}, 'gr': {16: 1, 31: 2}, 'bank': {'gr': {16: 3, 31: 4}}}
        final = {'ip': target | slot, 'psr': ipsr, 'cfm': ifs & (1 << 38) - 1 if ifs >> 63 else old}
        if ifs >> 63:
            count = len(dirty) - (ifs & 127)
            final['rse'] = {'dirty': dirty[:count]}
            final['gr'] = {32 + n: dirty[count + n][0] for n in range(ifs & 127)}
        if ipsr & BN:
            final.setdefault('gr', {}).update({16: 3, 31: 4})
            final['bank'] = {'gr': {16: 1, 31: 2}}
        case(maker, 'rfi', 'B', initial, final, label='%x slot %d ifs %x' % (ipsr, slot, ifs))
    for level in (1, 3):
        psr = IC | CPL[level]
        case(maker, 'rfi', 'B', {'psr': psr}, general(maker, PRIVILEGED_OP, 2, psr), label='cpl %d' % level)
    for text, bank in (('bsw.0', 0), ('bsw.1', BN)):
        for number in range(20):
            psr = rng.choice((0, BN)) | rng.choice((0, AC, UP))
            a = {n: value(rng) for n in (16, 20, 31)}
            b = {n: value(rng) for n in (16, 20, 31)}
            initial = {'psr': psr, 'gr': a, 'bank': {'gr': b, 'nat': [18]}, 'nat': [17]}
            final = {'psr': psr & ~BN | bank}
            if psr & BN != bank:
                final.update({'gr': b, 'nat': [18], 'bank': {'gr': a, 'nat': [17]}})
            case(maker, text, 'B', initial, final, label='%x %d' % (psr, number))
        psr = IC | CPL3
        case(maker, text, 'B', {'psr': psr}, general(maker, PRIVILEGED_OP, 2, psr), label='cpl 3')
    for text in ('vmsw.0', 'vmsw.1'):   # a processor without virtual machines
        for unit in ('B', 'B0', 'B1'):
            for psr in (IC, IC | CPL3, IC | CPL[1], IC | BN, IC | AC | UP, IC | MFL, IC | DFH):
                slot = FRAMES[unit][1]
                case(maker, text, unit, {'psr': psr}, general(maker, ILLEGAL, slot, psr), label='psr %x' % psr)
    # epc: level 0 in physical mode; pfs.ppl must not be more privileged than the present level.
    for level in range(4):
        for ppl in range(4):
            psr = IC | CPL[level]
            final = general(maker, ILLEGAL, 2, psr) if ppl < level else {'psr': IC}
            case(maker, 'epc', 'B', {'psr': psr, 'ar': {'pfs': ppl << 62}}, final, label='cpl %d ppl %d' % (level, ppl))
    # On a page with access rights 7 the page's level; elsewhere the present one stays.
    for access, pl, level in ((7, 0, 3), (7, 1, 3), (7, 2, 3), (7, 0, 1), (3, 3, 3), (1, 3, 2), (7, 2, 1)):
        psr = IC | IT | CPL[level]
        new = min(pl, level) if access == 7 else level
        case(maker, 'epc', 'B', {'psr': psr, 'ar': {'pfs': 3 << 62}, 'itr': [entry(CODE, access=access, pl=pl)]},
             {'psr': IC | IT | CPL[new]}, label='ar %d pl %d cpl %d' % (access, pl, level))


def entry(va, pa=None, slot=0, ps=14, p=1, ma=0, a=1, d=1, pl=0, access=3, rid=0, key=0, ed=0):
    """A translation as vectors write it."""
    pa = va if pa is None else pa
    size = 1 << ps
    pte = p | ma << 2 | a << 5 | d << 6 | pl << 7 | access << 9 | pa & ~(size - 1) & 0x3fffffffff000 | ed << 52
    result = {'va': va & ~(size - 1), 'ps': ps, 'pte': pte, 'rid': rid, 'key': key}
    if slot is not None:
        result['slot'] = slot
    return result


# Translation registers and caches

def caches(maker):
    rng = maker.random
    sizes = (12, 13, 14, 16, 18, 20, 22, 24, 26, 28)
    for name, kind in (('itc.d', 'dtc'), ('itc.i', 'itc'), ('itr.d', 'dtr'), ('itr.i', 'itr')):
        def text(register=9):
            return '%s r9' % name if kind.endswith('c') else '%s %s[r8]=r9' % (name, kind)
        for number in range(14):
            ps, region, rid, key = rng.choice(sizes), rng.randrange(8), rng.getrandbits(24), rng.getrandbits(24)
            va = region << 61 | rng.getrandbits(61)
            pa = rng.getrandbits(49)
            slot = rng.randrange(16) if kind.endswith('r') else None
            new = entry(va, pa, slot, ps, ma=rng.choice((0, 4, 5, 6, 7)), a=rng.randrange(2), d=rng.randrange(2),
                        pl=rng.randrange(4), access=rng.randrange(8), rid=rid, key=key, ed=rng.randrange(2))
            if number == 3:
                new['pte'] = rng.getrandbits(64) & ~1      # not present: anything goes
            initial = {'gr': {8: (slot or 0) | rng.getrandbits(32) << 8, 9: new['pte']}, 'rr': {region: rid << 8 | 14 << 2},
                       'cr': {'ifa': va, 'itir': key << 8 | ps << 2}}
            case(maker, text(), 'M', initial, {kind: [new]}, label='ps %d' % ps)
        # What the new entry overlaps leaves the cache; other regions' and identifiers' entries stay.
        old = [entry(0x100000, slot=None, ps=14), entry(0x104000, slot=None, ps=14), entry(0x100000, slot=None, ps=14, rid=5)]
        new = entry(0x100000, slot=2 if kind.endswith('r') else None, ps=14)
        cache = kind[0] + 'tc'
        initial = {'gr': {8: 2, 9: new['pte']}, 'cr': {'ifa': 0x100000, 'itir': 14 << 2}, cache: old}
        final = {cache: old[1:] + ([new] if kind == cache else [])}
        if kind != cache:
            final[kind] = [new]
        case(maker, text(), 'M', initial, final, label='overlap')
        for label, changes in (('psr.ic', {'psr': IC}), ('cpl 3', {'psr': CPL3}), ('NaT', {'nat': [9]}),
                               ('page size 11', {'cr': {'ifa': 0, 'itir': 11 << 2}}), ('page size 15', {'cr': {'ifa': 0, 'itir': 15 << 2}}),
                               ('itir bit 0', {'cr': {'ifa': 0, 'itir': 14 << 2 | 1}}), ('itir bit 32', {'cr': {'ifa': 0, 'itir': 14 << 2 | 1 << 32}}),
                               ('attribute 1', {'gr': {9: 0x661 | 1 << 2}}), ('attribute 3', {'gr': {9: 0x661 | 3 << 2}}),
                               ('bit 1', {'gr': {9: 0x663}}), ('bit 50', {'gr': {9: 0x661 | 1 << 50}})):
            initial = {'gr': {8: 0, 9: 0x661}, 'cr': {'ifa': 0x4000, 'itir': 14 << 2}}
            initial.update(changes)
            psr = initial.get('psr', 0)
            if label == 'psr.ic':
                final = general(maker, ILLEGAL, 0, IC)
            else:
                code = {'cpl 3': PRIVILEGED_OP, 'NaT': 0x10}.get(label, RESERVED)
                final = {'ip': IVA + (NAT if label == 'NaT' else GENERAL), 'psr': 0, 'cr': {'isr': code | ISR_NI}}
            case(maker, text(), 'M', initial, final, label=label)
        if kind.endswith('r'):
            for slot in (16, 200, 255):
                final = {'ip': IVA + GENERAL, 'psr': 0, 'cr': {'isr': RESERVED | ISR_NI}}
                case(maker, text(), 'M', {'gr': {8: slot, 9: 0x661}, 'cr': {'itir': 14 << 2}}, final, label='slot %d' % slot)
    for text, files, registers_ in (('ptc.l r8,r9', ('itc', 'dtc'), False), ('ptc.g r8,r9', ('itc', 'dtc'), False),
                                    ('ptc.ga r8,r9', ('itc', 'dtc'), False), ('ptr.d r8,r9', ('dtc',), 'dtr'), ('ptr.i r8,r9', ('itc',), 'itr')):
        for number in range(16):
            ps = rng.choice((12, 14, 16, 20))
            va = 0x100000 + rng.randrange(64) * 0x4000
            rid = rng.choice((0, 0, 7))
            def present(slot=None):
                return [entry(0x100000 + 0x4000 * n, slot=slot + i if slot is not None else None, rid=r, ps=p)
                        for i, (n, r, p) in enumerate(((0, 0, 14), (1, 0, 14), (5, 0, 14), (16, 0, 16), (33, 7, 14), (63, 0, 14), (40, 7, 16)))]
            def kept(entries):
                return [e for e in entries if e['rid'] != rid or (e['va'] ^ va) >> max(ps, e['ps'])]
            initial = {'gr': {8: va, 9: ps << 2}, 'rr': {0: rid << 8 | 14 << 2}, 'itc': present(), 'dtc': present(),
                       'itr': present(3), 'dtr': present(3)}
            final = {f: kept(initial[f]) for f in files}
            if registers_:
                final[registers_] = kept(initial[registers_])
            if not registers_:
                for f in ('itr', 'dtr'):
                    initial[f] = []
            case(maker, text, 'M', initial, final, label='%#x ps %d rid %d' % (va, ps, rid))
        psr = IC | CPL3
        case(maker, text, 'M', {'psr': psr}, general(maker, PRIVILEGED_OP, 0, psr), label='cpl 3')
        for register in (8, 9):
            case(maker, text, 'M', {'psr': IC, 'nat': [register]}, maker.fault(NAT, 0, 0x10), label='NaT r%d' % register)
        case(maker, '(p7) ' + text, 'M', {'gr': {9: 14 << 2}, 'dtc': [entry(0, slot=None)]}, {}, label='off')
    for number in range(18):
        entries = [entry(0x4000 * n, slot=None, rid=n) for n in range(number % 5)]
        case(maker, 'ptc.e r8', 'M', {'gr': {8: rng.getrandbits(64)}, 'itc': entries, 'dtc': entries, 'dtr': [entry(0x8000)], 'itr': [entry(0x8000)]},
             {'itc': [], 'dtc': []}, label='%d' % number)
    case(maker, 'ptc.e r8', 'M', {'itc': [entry(0, slot=None)], 'dtc': [entry(0, slot=None)], 'dtr': [entry(0x8000)]}, {'itc': [], 'dtc': []})
    case(maker, 'ptc.e r8', 'M', {'psr': IC | CPL3}, general(maker, PRIVILEGED_OP, 0, IC | CPL3), label='cpl 3')
    case(maker, 'ptc.e r8', 'M', {'psr': IC, 'nat': [8]}, maker.fault(NAT, 0, 0x10), label='NaT')


def hashes(maker):
    rng = maker.random
    for number in range(24):
        va, rid, ps = rng.getrandbits(64), rng.getrandbits(24), rng.choice((12, 13, 14, 16, 20, 28))
        size = rng.choice((15, 16, 20, 25, 32, 61))
        base = rng.getrandbits(61) & ~((1 << size) - 1) & ~0x7fff
        region = va >> 61
        # Short format: the page number indexes a linear table in the address's own region.
        page = (va & (1 << 61) - 1) >> ps
        mask = (1 << size) - 1
        short = va & 7 << 61 | base & ~mask & (1 << 61) - 1 | page << 3 & mask
        initial = {'gr': {8: va}, 'rr': {region: rid << 8 | ps << 2}, 'cr': {'pta': base | size << 2 | number & 1}}
        case(maker, 'thash r9=r8', 'M', initial, {'gr': {9: short}}, label='short, ps %d, size %d' % (ps, size))
        # The tag, with the hash, identifies region identifier and page; its bits are the implementation's, but for bit 63.
        nat = dict(initial)
        nat['nat'] = [8]
        if number & 1:
            case(maker, '(p7) ttag r9=r8', 'M', initial, {}, label='off')
        if number < 4:
            case(maker, 'thash r9=r8', 'M', nat, {'nat': [8, 9]}, label='NaT')
            case(maker, 'ttag r9=r8', 'M', nat, {'nat': [8, 9]}, label='NaT')
            case(maker, 'ttag r9=r8', 'M', {'psr': IC}, general(maker, ILLEGAL, 0, IC), [r1(0)], label='r0')
            case(maker, '(p7) thash r9=r8', 'M', initial, {}, label='off')


# Data references in virtual mode

def references(maker):
    rng = maker.random
    psr = IC | DT
    va, pa = 0x50000, 0x20000
    word = 0x1122334455667788
    rr = 5 << 8 | 14 << 2
    data = [[pa + 8, word.to_bytes(8, 'little').hex()]]
    registers_ = {'ifa': va + 8, 'itir': rr}

    def both(label, translation, load, store, extra=None, psr=psr, **more):
        initial = {'psr': psr, 'gr': {8: va + 8, 9: 5}, 'rr': {0: rr}, 'ram': data}
        if translation is not None:
            translation = dict({'slot': 0, 'rid': 5}, **translation)
            initial['dtr'] = [entry(va, pa, **translation)]
        for key, bits in (extra or {}).items():
            initial[key] = {**initial.get(key, {}), **bits} if isinstance(bits, dict) else bits
        for text, vector, isr in (('ld8 r9=[r8]', load, ISR_R), ('st8 [r8]=r9', store, ISR_W), ('xchg8 r9=[r8],r10', store, ISR_R | ISR_W)):
            if vector is None:
                final = {'gr': {9: word}} if text[0] == 'l' else {'ram': [[pa + 8, (5).to_bytes(8, 'little').hex()]]}
                if text[0] == 'x':
                    final = {'gr': {9: word}, 'ram': [[pa + 8, '00' * 8]]}
            else:
                code = more.get('code', 0)
                cr = {k: v for k, v in registers_.items() if not (k == 'itir' and vector in (NAT, UNALIGNED))}
                cr.update(more.get('cr', {}))
                final = maker.fault(vector, 0, isr | code, psr, **cr)
            case(maker, text, 'M', initial, final, label=label)

    both('mapped', {}, None, None)
    both('key ignored', {'key': 9}, None, None)
    both('large page', {'ps': 16}, None, None)
    both('nothing', None, ALT_DTLB, ALT_DTLB)
    both('other region identifier', {'rid': 6}, ALT_DTLB, ALT_DTLB)
    both('not present', {'p': 0}, NOT_PRESENT, NOT_PRESENT)
    both('NaT page', {'ma': 7}, NAT, NAT, code=0x20)
    both('not accessed', {'a': 0}, ACCESS_BIT, ACCESS_BIT)
    both('not dirty', {'d': 0}, None, DIRTY)
    both('neither', {'d': 0, 'a': 0}, ACCESS_BIT, DIRTY)
    both('read only', {'access': 0}, None, RIGHTS)
    both('rights before dirty', {'access': 0, 'd': 0}, None, RIGHTS)
    both('not present before rights', {'access': 0, 'p': 0}, NOT_PRESENT, NOT_PRESENT)
    both('execute only', {'access': 7, 'pl': 3}, RIGHTS, RIGHTS, psr=psr | CPL3)
    both('kernel page', {'access': 3, 'pl': 0}, RIGHTS, RIGHTS, psr=psr | CPL3)
    pk = psr | PK
    both('key missing', {'key': 9}, KEY_MISS, KEY_MISS, psr=pk)
    both('key there', {'key': 9}, None, None, psr=pk, extra={'pkr': {3: 9 << 8 | 1}})
    both('key not valid', {'key': 9}, KEY_MISS, KEY_MISS, psr=pk, extra={'pkr': {3: 9 << 8}})
    both('key without rights', {'key': 9}, KEY_PERMISSION, KEY_PERMISSION, psr=pk, extra={'pkr': {3: 9 << 8 | 7}})
    both('key before rights', {'key': 9, 'access': 0}, KEY_MISS, KEY_MISS, psr=pk)
    # With the walker on: the table has no translation; the table's entry; an entry that is not present.
    pta = 0x100000 | 15 << 2 | 1
    table = va >> 14 << 3 | 0x100000
    walking = {'cr': {'pta': pta}, 'rr': {0: rr | 1}}
    both('no table', None, VHPT, VHPT, extra=walking, cr={'iha': table})
    slot_ram = (pa | 0x661).to_bytes(8, 'little').hex()
    for label, word_, fault, text in (('walked', pa | 0x661, None, 'ld8 r9=[r8]'), ('walked, not present', pa, NOT_PRESENT, 'ld8 r9=[r8]'),
                                      ('walked, not dirty', pa | 0x621, DIRTY, 'st8 [r8]=r9')):
        initial = {'psr': psr, 'gr': {8: va + 8, 9: 5}, 'rr': {0: rr | 1}, 'cr': {'pta': pta},
                   'dtr': [entry(0x100000, 0x100000, rid=5, ps=14)], 'ram': data + [[table, word_.to_bytes(8, 'little').hex()]]}
        inserted = [{'va': va, 'ps': 14, 'pte': word_, 'rid': 5, 'key': 5}]
        final = {'gr': {9: word}} if fault is None else maker.fault(fault, 0, ISR_W if 'st8' in text else ISR_R, psr, ifa=va + 8, itir=rr)
        final['dtc'] = inserted
        case(maker, text, 'M', initial, final, label=label, ignore=['cr.iha', 'cr.ifa', 'cr.itir'] if fault is None else ['cr.iha'])
    # Translation comes before alignment.
    for text, isr in (('ld8 r9=[r8]', ISR_R), ('st8 [r8]=r9', ISR_W), ('xchg8 r9=[r8],r10', ISR_R | ISR_W), ('ld16 r9,ar.csd=[r8]', ISR_R)):
        state = psr | AC
        initial = {'psr': state, 'gr': {8: va + 3}, 'rr': {0: rr}}
        where = {'ifa': va + 3, 'itir': rr}
        case(maker, text, 'M', initial, maker.fault(ALT_DTLB, 0, isr, state, **where), label='unaligned, nothing there')
        case(maker, text, 'M', dict(initial, dtr=[entry(va, pa, rid=5, p=0)]), maker.fault(NOT_PRESENT, 0, isr, state, **where), label='unaligned, not present')
        case(maker, text, 'M', dict(initial, dtr=[entry(va, pa, rid=5)]), maker.fault(UNALIGNED, 0, isr, state, ifa=va + 3), label='unaligned, mapped')
    # While interruptions are not collected a miss is nested: all interruption registers stay, cr.isr too.
    for text in ('ld8 r9=[r8]', 'st8 [r8]=r9'):
        case(maker, text, 'M', {'psr': DT, 'gr': {8: va}, 'rr': {0: rr}, 'cr': {'isr': 0x1234, 'ifa': 7, 'iip': 0x40}},
             {'ip': IVA + NESTED, 'psr': DT}, label='nested')
    # A speculative load's miss is deferred where interruptions are not collected, and taken where they are.
    case(maker, 'ld8.s r9=[r8]', 'M', {'psr': DT, 'gr': {8: va}, 'rr': {0: rr}}, {'nat': [9]}, label='deferred')
    case(maker, 'ld8.s r9=[r8]', 'M', {'psr': psr, 'gr': {8: va + 8}, 'rr': {0: rr}},
         maker.fault(ALT_DTLB, 0, ISR_R | ISR_SP, psr, **registers_), label='taken')
    case(maker, 'ld8.s r9=[r8]', 'M', {'psr': psr | ED, 'gr': {8: va}, 'rr': {0: rr}}, {'nat': [9], 'psr': psr}, label='psr.ed')
    for bit, miss in ((8, None), (9, {'p': 0}), (11, {'key': 9}), (12, {'access': 7, 'pl': 3}), (13, {'a': 0})):
        for deferring in (0, 1):
            state = psr | IT | (CPL3 if bit == 12 else 0) | (PK if bit == 11 else 0)
            initial = {'psr': state, 'gr': {8: va + 8}, 'rr': {0: rr}, 'itr': [entry(CODE, rid=5, pl=3, ed=1)],
                       'cr': {'dcr': deferring << bit}, 'ram': data, 'pkr': {1: 5 << 8 | 1, 0: 1, 2: 9 << 8 | 7}}
            if miss is not None:
                initial['dtr'] = [entry(va, pa, rid=5, **miss)]
            vector = {8: ALT_DTLB, 9: NOT_PRESENT, 11: KEY_PERMISSION, 12: RIGHTS, 13: ACCESS_BIT}[bit]
            final = {'nat': [9]} if deferring else maker.fault(vector, 0, ISR_R | ISR_SP | ISR_ED, state, **registers_)
            case(maker, 'ld8.s r9=[r8]', 'M', initial, final, label='dcr bit %d %s' % (bit, 'set' if deferring else 'clear'))
    # fc needs a translation and the right to read (none at level 0); lfetch.fault is a read that is no access.
    for text in ('fc r8', 'fc.i r8'):
        for number in range(12):
            case(maker, text, 'M', {'gr': {8: DATA + 8 * number}}, {}, label='%d' % number)
        case(maker, text, 'M', {'psr': psr, 'gr': {8: va + 8}, 'rr': {0: rr}, 'dtr': [entry(va, pa, rid=5, a=0, d=0)]}, {}, label='mapped')
        case(maker, text, 'M', {'psr': psr, 'gr': {8: va + 8}, 'rr': {0: rr}},
             maker.fault(ALT_DTLB, 0, ISR_R | ISR_NA | 1, psr, **registers_), label='nothing')
        case(maker, text, 'M', {'psr': IC, 'nat': [8]}, maker.fault(NAT, 0, ISR_R | ISR_NA | 0x11), label='NaT')
        for number in range(8):
            case(maker, '(p7) ' + text, 'M', {'gr': {8: M64 - number}}, {}, label='off %d' % number)


def rights(maker):
    """Access rights against privilege levels: the manual's table, row by row."""
    table = {0: {3: 'R R R R', 2: '- R R R', 1: '- - R R', 0: '- - - R'},
             1: {3: 'RX RX RX RX', 2: '- RX RX RX', 1: '- - RX RX', 0: '- - - RX'},
             2: {3: 'RW RW RW RW', 2: '- RW RW RW', 1: '- - RW RW', 0: '- - - RW'},
             3: {3: 'RWX RWX RWX RWX', 2: '- RWX RWX RWX', 1: '- - RWX RWX', 0: '- - - RWX'},
             4: {3: 'R RW RW RW', 2: '- R RW RW', 1: '- - R RW', 0: '- - - RW'},
             5: {3: 'RX RX RX RWX', 2: '- RX RX RWX', 1: '- - RX RWX', 0: '- - - RWX'},
             6: {3: 'RWX RW RW RW', 2: '- RWX RW RW', 1: '- - RWX RW', 0: '- - - RW'},
             7: {3: 'X X X RX', 2: 'X X X RX', 1: 'X X X RX', 0: 'X X X RX'}}
    va, pa, rr = 0x50000, 0x20000, 14 << 2
    for access, rows in table.items():
        for pl, row in rows.items():
            for level, may in zip((3, 2, 1, 0), row.split()):
                label = 'ar %d pl %d cpl %d' % (access, pl, level)
                psr = IC | DT | CPL[level]
                initial = {'psr': psr, 'gr': {8: va, 9: 1}, 'rr': {0: rr}, 'dtr': [entry(va, pa, access=access, pl=pl)]}
                final = {'gr': {9: 0}} if 'R' in may else maker.fault(RIGHTS, 0, ISR_R, psr, ifa=va, itir=rr)
                case(maker, 'ld8 r9=[r8]', 'M', initial, final, label=label)
                final = {'ram': [[pa, '0100000000000000']]} if 'W' in may else maker.fault(RIGHTS, 0, ISR_W, psr, ifa=va, itir=rr)
                case(maker, 'st8 [r8]=r9', 'M', initial, final, label=label)
                for text, right in (('probe.r r9=r8,0', 'R'), ('probe.w r9=r8,0', 'W')):
                    case(maker, text, 'M', initial, {'gr': {9: int(right in may)}}, label=label)
                psr = IC | IT | CPL[level]
                initial = {'psr': psr, 'rr': {0: rr}, 'itr': [entry(CODE, access=access, pl=pl)]}
                final = {} if 'X' in may else maker.fault(IRIGHTS, 0, ISR_X, psr, ifa=CODE, itir=rr)
                case(maker, 'nop.m 0', 'M', initial, final, label=label)


def probes(maker):
    rng = maker.random
    va, pa, rr = 0x50000, 0x20000, 5 << 8 | 14 << 2
    cr = {'ifa': va, 'itir': rr}
    for text, right, by_register in (('probe.r r9=r8,r10', 'R', True), ('probe.w r9=r8,r10', 'W', True),
                                     ('probe.r r9=r8,%d', 'R', False), ('probe.w r9=r8,%d', 'W', False)):
        kind = ISR_R if right == 'R' else ISR_W
        for number in range(16):
            level, asked, pl = rng.randrange(4), rng.randrange(4), rng.randrange(4)
            access = rng.choice((0, 2, 3))
            effective = max(level, asked)
            allowed = effective <= pl and (right == 'R' or access != 0)
            psr = IC | rng.choice((DT, 0)) | CPL[level]
            initial = {'psr': psr, 'gr': {8: va, 10: asked | rng.getrandbits(62) << 2, 9: 7}, 'rr': {0: rr},
                       'dtr': [entry(va, pa, access=access, pl=pl, rid=5, a=0, d=0)]}
            shown = text if by_register else text % asked
            case(maker, shown, 'M', initial, {'gr': {9: int(allowed)}},
                 label='ar %d pl %d cpl %d asked %d psr %x' % (access, pl, level, asked, psr))
        shown = text if by_register else text % 0
        base = {'psr': IC | DT, 'gr': {8: va}, 'rr': {0: rr}}
        probe = kind | ISR_NA | 2
        case(maker, shown, 'M', base, maker.fault(ALT_DTLB, 0, probe, IC | DT, **cr), label='nothing')
        case(maker, shown, 'M', dict(base, psr=IC), maker.fault(ALT_DTLB, 0, probe, IC, **cr), label='nothing, psr.dt clear')
        case(maker, shown, 'M', dict(base, psr=DT), {'ip': IVA + NESTED, 'psr': DT}, label='nested')
        case(maker, shown, 'M', dict(base, dtr=[entry(va, pa, p=0, rid=5)]), maker.fault(NOT_PRESENT, 0, probe, IC | DT, **cr), label='not present')
        case(maker, shown, 'M', dict(base, dtr=[entry(va, pa, ma=7, rid=5)]), maker.fault(NAT, 0, probe | 0x20, IC | DT, ifa=va), label='NaT page')
        pk = IC | DT | PK
        case(maker, shown, 'M', dict(base, psr=pk, dtr=[entry(va, pa, key=9, rid=5)]), maker.fault(KEY_MISS, 0, probe, pk, **cr), label='key missing')
        case(maker, shown, 'M', dict(base, psr=pk, pkr={0: 9 << 8 | 7}, dtr=[entry(va, pa, key=9, rid=5)]), {'gr': {9: 0}}, label='key forbids')
        case(maker, shown, 'M', {'psr': IC, 'nat': [8]}, maker.fault(NAT, 0, probe | 0x10), label='NaT')
        if by_register:
            case(maker, shown, 'M', {'psr': IC, 'nat': [10]}, maker.fault(NAT, 0, probe | 0x10), label='NaT level')
        case(maker, shown, 'M', {'psr': IC}, general(maker, ILLEGAL, 0, IC), [r1(0)], label='r0')
        case(maker, '(p7) ' + shown, 'M', {'gr': {9: 5}}, {}, label='off')
    for text, kind in (('probe.r.fault r8,%d', ISR_R), ('probe.w.fault r8,%d', ISR_W), ('probe.rw.fault r8,%d', ISR_R | ISR_W)):
        code = kind | ISR_NA | 5
        writes = bool(kind & ISR_W)
        for label, translation, asked, level, vector in (
                ('fine', {'pl': 3}, 0, 0, None), ('fine', {'pl': 3}, 3, 0, None), ('fine', {'pl': 3}, 0, 3, None), ('fine', {'pl': 2}, 1, 2, None),
                ('level', {'pl': 0}, 3, 0, RIGHTS), ('level', {'pl': 2}, 3, 1, RIGHTS), ('level', {'pl': 0}, 0, 1, RIGHTS),
                ('read only', {'access': 0}, 0, 0, RIGHTS if writes else None), ('not dirty', {'d': 0}, 0, 0, DIRTY if writes else None),
                ('not present', {'p': 0}, 0, 0, NOT_PRESENT), ('nothing', None, 0, 0, ALT_DTLB), ('NaT page', {'ma': 7}, 0, 0, NAT),
                ('not accessed', {'a': 0}, 0, 0, ACCESS_BIT)):
            psr = IC | DT | CPL[level]
            initial = {'psr': psr, 'gr': {8: va}, 'rr': {0: rr}}
            if translation is not None:
                initial['dtr'] = [entry(va, pa, rid=5, **translation)]
            where = {'ifa': va} if vector == NAT else cr
            final = {} if vector is None else maker.fault(vector, 0, code | (0x20 if vector == NAT else 0), psr, **where)
            case(maker, text % asked, 'M', initial, final, label='%s %s asked %d cpl %d' % (label, translation, asked, level))
        case(maker, text % 0, 'M', {'psr': IC, 'nat': [8]}, maker.fault(NAT, 0, code | 0x10), label='NaT')
        for number in range(4):
            case(maker, text % number, 'M', {'gr': {8: DATA}}, {}, label='physical')
            case(maker, '(p7) ' + text % number, 'M', {'psr': IC | DT, 'gr': {8: va}}, {}, label='off')
    # tpa and tak look the address up whatever psr.dt says.
    for dt in (DT, 0):
        for number in range(9):
            ps = rng.choice((12, 14, 16, 20, 24))
            physical, offset = rng.getrandbits(49) >> ps << ps, rng.getrandbits(ps)
            where = (7 << 61 | rng.getrandbits(60)) >> ps << ps
            key = rng.getrandbits(24)
            initial = {'psr': IC | dt, 'gr': {8: where | offset}, 'rr': {7: rr}, 'dtr': [entry(where, physical, ps=ps, rid=5, key=key, a=0, d=0)]}
            case(maker, 'tpa r9=r8', 'M', initial, {'gr': {9: physical | offset}}, label='ps %d psr %x' % (ps, IC | dt))
            case(maker, 'tak r9=r8', 'M', initial, {'gr': {9: key << 8}}, label='ps %d psr %x' % (ps, IC | dt))
        base = {'psr': IC | dt, 'gr': {8: va}, 'rr': {0: rr}}
        case(maker, 'tpa r9=r8', 'M', base, maker.fault(ALT_DTLB, 0, ISR_NA, IC | dt, **cr), label='nothing psr %x' % dt)
        case(maker, 'tak r9=r8', 'M', base, {'gr': {9: 1}}, label='nothing psr %x' % dt)
        missing = dict(base, dtr=[entry(va, pa, p=0, rid=5)])
        case(maker, 'tpa r9=r8', 'M', missing, maker.fault(NOT_PRESENT, 0, ISR_NA, IC | dt, **cr), label='not present psr %x' % dt)
        case(maker, 'tak r9=r8', 'M', missing, {'gr': {9: 1}}, label='not present psr %x' % dt)
    for text, code in (('tpa r9=r8', 0), ('tak r9=r8', 3)):
        psr = IC | CPL3
        case(maker, text, 'M', {'psr': psr}, general(maker, PRIVILEGED_OP, 0, psr), label='cpl 3')
        case(maker, text, 'M', {'psr': IC, 'nat': [8]}, maker.fault(NAT, 0, ISR_NA | 0x10 | code), label='NaT')
        case(maker, text, 'M', {'psr': IC}, general(maker, ILLEGAL, 0, IC), [r1(0)], label='r0')


def fetches(maker):
    """Instruction references in virtual mode."""
    rr = 5 << 8 | 14 << 2
    for label, psr, translation, extra, vector, code in (
            ('mapped', IC | IT, {}, {}, None, 0), ('nothing', IC | IT, None, {}, IALT, 0), ('not present', IC | IT, {'p': 0}, {}, INOT_PRESENT, 0),
            ('not accessed', IC | IT, {'a': 0}, {}, IACCESS_BIT, 0), ('not accessed, psr.ia', IC | IT | IA, {'a': 0}, {}, None, 0),
            ('NaT page', IC | IT, {'ma': 7}, {}, NAT, 0x20), ('no execution', IC | IT, {'access': 2}, {}, IRIGHTS, 0),
            ('kernel page', IC | IT | CPL3, {'pl': 0}, {}, IRIGHTS, 0), ('key missing', IC | IT | PK, {'key': 3}, {}, IKEY_MISS, 0),
            ('key forbids', IC | IT | PK, {'key': 3}, {'pkr': {2: 3 << 8 | 9}}, KEY_PERMISSION, 0),
            ('key allows', IC | IT | PK, {'key': 3}, {'pkr': {2: 3 << 8 | 7}}, None, 0)):
        initial = dict({'psr': psr, 'rr': {0: rr}}, **extra)
        if translation is not None:
            initial['itr'] = [entry(CODE, rid=5, **translation)]
        where = {'ifa': CODE} if vector == NAT else {'ifa': CODE, 'itir': rr}
        final = {} if vector is None else maker.fault(vector, 0, ISR_X | code, psr, **where)
        if label.endswith('psr.ia'):
            final = {'psr': psr & ~IA}
        case(maker, 'nop.m 0', 'M', initial, final, label='fetch ' + label)


# External interrupts

def interrupts(maker):
    def order(vectors):
        return max(vectors, key=lambda v: {2: 1000, 0: 999}.get(v, v))
    psr = IC | I
    for label, state, extra, taken in (
            ('pending', psr, {'pending': [0x41]}, True), ('masked by psr.i', IC, {'pending': [0x41]}, False),
            ('task priority', psr, {'pending': [0x41], 'cr': {'tpr': 0x40}}, False), ('above it', psr, {'pending': [0x51], 'cr': {'tpr': 0x40}}, True),
            ('all masked', psr, {'pending': [0xff], 'cr': {'tpr': 0x10000}}, False), ('NMI', psr, {'pending': [2], 'cr': {'tpr': 0x100f0}}, True),
            ('NMI masked by psr.i', IC, {'pending': [2]}, False), ('lower than in service', psr, {'pending': [0x41], 'inservice': [0x51]}, False),
            ('higher than in service', psr, {'pending': [0x61], 'inservice': [0x51]}, True), ('ExtINT', psr, {'pending': [0], 'cr': {'tpr': 0xf0}}, True),
            ('not collected', I, {'pending': [0x41]}, 'nested')):
        initial = dict({'psr': state}, **extra)
        final = {}
        if taken == 'nested':
            final = {'ip': IVA + EXTERNAL, 'psr': 0, 'cr': {'isr': ISR_NI}}
        elif taken:
            final = maker.fault(EXTERNAL, 0, 0, state)
        case(maker, 'nop.m 0', 'M', initial, final, label='interrupt ' + label)
    for pending, served, tpr in (([0x41], [], 0), ([0x41, 0x52], [], 0), ([0x41], [0x52], 0), ([0x62, 2], [0x52], 0), ([0, 0xff], [], 0),
                                 ([0x41], [], 0x40), ([0x50], [], 0x40), ([], [], 0), ([2], [], 0x10000), ([0xff], [], 0x10000), ([0xf0], [0xf0], 0),
                                 ([0xf1], [0xf0], 0), ([0x10], [], 0), ([0x10], [], 0x10)):
        def rank(vector):
            return {2: 1000, 0: 999}.get(vector, vector)
        result = 15
        if pending:
            best = order(pending)
            above = all(rank(best) > rank(s) for s in served)
            open_ = best == 2 or not tpr & 0x10000 and (best == 0 or best >> 4 > (tpr >> 4 & 15))
            if above and open_:
                result = best
        final = {'gr': {9: result}}
        if result != 15:
            final['pending'] = [v for v in pending if v != result]
            final['inservice'] = sorted(served + [result])
        case(maker, 'mov r9=cr.ivr', 'M', {'pending': pending, 'inservice': served, 'cr': {'tpr': tpr}}, final,
             label='%s %s %x' % (pending, served, tpr))
    for served in ([], [0x41], [0x41, 0x52], [2, 0xff], [0, 0xff]):
        left = [v for v in served if v != order(served)] if served else []
        case(maker, 'mov cr.eoi=r0', 'M', {'inservice': served}, {'inservice': left}, label=str(served))
    words = {0x41: 1, 0xff: 3, 0x10: 0, 0x90: 2}
    for vector, word in words.items():
        case(maker, 'mov r9=cr.irr%d' % word, 'M', {'pending': [vector]}, {'gr': {9: 1 << (vector & 63)}}, label='%x' % vector)


def serialization(maker):
    for text in ('mf', 'mf.a', 'srlz.d', 'srlz.i', 'sync.i', 'fwb', 'invala', 'invala.e r9', 'invala.e f9'):
        for number in range(10):
            case(maker, text, 'M', {'gr': {9: number}}, {}, label='%d' % number)
            case(maker, '(p7) ' + text, 'M', {'gr': {9: number}}, {}, label='off %d' % number)
    # The register itself is not touched.
    case(maker, 'invala.e f9', 'M', {'psr': IC | DFL}, {}, label='disabled')


def steps(maker):
    """The single-step trap, and psr bits that hold for one instruction."""
    psr = IC | SS
    for unit, text, changes in (('M', 'nop.m 0', {}), ('I', 'nop.i 0', {}), ('F', 'nop.f 0', {}), ('M', 'add r9=r8,r8', {'gr': {9: 10}}),
                                ('X', 'movl r9=77', {'gr': {9: 77}}), ('I', '(p7) add r9=r8,r8', {}), ('B', 'nop.b 0', {})):
        slot = FRAMES[unit][1]
        last = unit == 'X' or slot == 2
        final = maker.fault(STEP, slot, 8, psr, CODE + 16 if last else CODE, iipa=CODE)
        final['cr']['ipsr'] = psr | (0 if last else slot + 1) << 41
        final.update(changes)
        case(maker, text, unit, {'psr': psr, 'gr': {8: 5}}, final, label='single step', events=2)
    for bit, name in ((ID, 'id'), (DA, 'da'), (DD, 'dd'), (ED, 'ed'), (IA, 'ia')):
        case(maker, 'add r9=r8,r8', 'M', {'psr': IC | bit, 'gr': {8: 5}}, {'psr': IC, 'gr': {9: 10}}, label='psr.' + name)
        case(maker, '(p7) add r9=r8,r8', 'M', {'psr': IC | bit, 'gr': {8: 5}}, {'psr': IC}, label='psr.%s off' % name)
    # A fault keeps them in cr.ipsr.
    state = IC | ID | DA | DD | SS
    case(maker, 'break.m 5', 'M', {'psr': state}, maker.fault(BREAK, 0, 0, state, iim=5), label='one-instruction bits')


def debug(maker):
    """Data breakpoints."""
    psr = IC | DB
    for label, mask, state, text, hit in (
            ('read', 1 << 63 | 1 << 56, psr, 'ld8 r9=[r8]', True), ('write', 1 << 62 | 1 << 56, psr, 'st8 [r8]=r9', True),
            ('read only', 1 << 63 | 1 << 56, psr, 'st8 [r8]=r9', False), ('write only', 1 << 62 | 1 << 56, psr, 'ld8 r9=[r8]', False),
            ('other level', 1 << 63 | 1 << 59, psr, 'ld8 r9=[r8]', False), ('psr.db clear', 1 << 63 | 1 << 56, IC, 'ld8 r9=[r8]', False),
            ('psr.dd', 1 << 63 | 1 << 56, psr | DD, 'ld8 r9=[r8]', False), ('level 3', 1 << 63 | 1 << 59, psr | CPL3, 'ld8 r9=[r8]', True),
            ('part of it', 1 << 63 | 1 << 56, psr, 'ld4 r9=[r8]', False)):
        full = mask | (1 << 56) - 1
        initial = {'psr': state, 'gr': {8: DATA}, 'dbr': {2: DATA, 3: full}}
        if label == 'part of it':
            initial['dbr'] = {2: DATA + 4, 3: full}
        isr = ISR_R if text[0] == 'l' else ISR_W
        final = {'gr': {9: 0}} if not hit else maker.fault(DEBUG, 0, isr, state, ifa=DATA)
        if not hit and text[0] == 's':
            final = {}
        if label == 'psr.dd':
            final['psr'] = psr
        case(maker, text, 'M', initial, final, label='breakpoint ' + label)

    # Instruction breakpoints name bundles.
    for label, control, state, hit in (
            ('hit', 1 << 63 | 1 << 56, psr, True), ('off', 1 << 56, psr, False), ('other level', 1 << 63 | 2 << 56, psr, False),
            ('psr.id', 1 << 63 | 1 << 56, psr | ID, False), ('psr.db clear', 1 << 63 | 1 << 56, IC, False)):
        for unit in ('M', 'I', 'F'):
            slot = FRAMES[unit][1]
            initial = {'psr': state, 'ibr': {4: CODE, 5: control | (1 << 56) - 1}}
            final = {} if not hit else maker.fault(DEBUG, slot, ISR_X, state, ifa=CODE)
            if label == 'psr.id':
                final = {'psr': psr}
            case(maker, 'nop.%s 0' % unit.lower(), unit, initial, final, label='instruction breakpoint ' + label)


# Unimplemented instruction addresses: bits 62:50 in physical mode

def unimplemented(maker):
    rng = maker.random
    below = '@next-%d' % (CODE + 64 + 16)     # sixteen bytes below address 0

    def trap(slot, code, psr, target, iipa=CODE):
        if not psr & IC:
            return {'ip': IVA + TRANSFER, 'psr': psr & KEPT, 'cr': {'isr': code | slot << 41 | ISR_NI}}
        final = maker.fault(TRANSFER, slot, code, psr, target, iipa=iipa)
        final['cr']['ipsr'] = psr
        return final

    targets = [1 << 50, 1 << 62 | 0x40, 0x123 << 50 | 0x4000, 1 << 63 | 1 << 55, M64 & ~15]
    for target in targets:
        loose = target | rng.randrange(16)    # the low four bits of a branch register do not count
        for psr, extra in ((IC, 0), (0, 0), (IC | TB, 4), (IC | SS, 8), (IC | TB | SS, 12), (IC | LP, 0)):
            for text in ('br.cond.sptk.few b6', 'br.cond.dpnt.many b6'):
                case(maker, text, 'B', {'psr': psr, 'br': {6: loose}}, trap(2, 0x10 | extra, psr, target), events=2,
                     label='to %#x psr %x' % (loose, psr))
        for unit in ('B0', 'B1'):
            case(maker, 'br.cond.sptk.few b6', unit, {'psr': IC, 'br': {6: loose}}, trap(FRAMES[unit][1], 0x10, IC, target), events=2,
                 label='to %#x' % loose)
        final = trap(2, 0x10, IC, target)
        final.update(br={0: CODE + 16}, ar={'pfs': CFM}, cfm=8, rse={'dirty': [[0, False]] * 8})
        case(maker, 'br.call.sptk.many b0=b6', 'B', {'psr': IC, 'cfm': CFM, 'br': {6: loose}}, final, events=2, label='to %#x' % loose)
        for level, psr, extra in ((0, IC | LP, 0), (3, IC, 0), (3, IC | LP, 2), (2, IC | LP | TB, 6)):
            new = psr | CPL[level]
            case(maker, 'br.ret.sptk.many b6', 'B', {'psr': psr, 'br': {6: loose}, 'ar': {'pfs': level << 62}},
                 trap(2, 0x10 | extra, new, target), events=2, label='to %#x cpl %d psr %x' % (loose, level, psr))
        case(maker, '(p7) br.cond.sptk.few b6', 'B', {'psr': IC, 'br': {6: loose}}, {}, label='off')
        # Virtual addresses have no such bits: the branch is done, whatever the fetch then finds.
        state = IC | IT
        case(maker, 'br.cond.sptk.few b6', 'B', {'psr': state, 'br': {6: loose}, 'itr': [entry(CODE)]}, {'ip': target}, label='virtual %#x' % loose)
        # rfi goes back first; the trap stands at the address it came to, and a single step waits for what is there.
        for number in range(8):
            ipsr = rng.choice((IC, 0, IC | BN, IC | SS, IC | CPL3, IC | TB))
            slot = rng.randrange(3)
            initial = {'cr': {'ipsr': ipsr | slot << 41, 'iip': loose, 'ifs': rng.choice((0, 1 << 63))}}
            final = trap(2, 0x10, ipsr, target)
            if ipsr & IC:
                final['cr'].update(ipsr=ipsr | slot << 41, ifs=0)
            case(maker, 'rfi', 'B', initial, final, events=2, label='to %#x psr %x slot %d' % (loose, ipsr, slot))
        initial = {'cr': {'ipsr': IC | IT, 'iip': loose}}
        case(maker, 'rfi', 'B', initial, {'ip': target, 'psr': IC | IT}, label='virtual %#x' % loose)
    # Bit 63 of a physical address is its attribute.
    case(maker, 'br.cond.sptk.few b6', 'B', {'psr': IC, 'br': {6: 1 << 63 | CODE}}, {'ip': 1 << 63 | CODE}, label='uncacheable')
    case(maker, 'br.cond.sptk.few b6', 'B', {'psr': IC, 'br': {6: (1 << 50) - 16}}, {'ip': (1 << 50) - 16}, label='the last one')
    # Relative branches reach them from the ends of the address space.
    low = M64 & ~15
    for text, unit, changes in (('br.cond.sptk.few ' + below, 'B', {}), ('br.cond.sptk.few ' + below, 'B1', {}),
                                ('br.cloop.sptk.few ' + below, 'B', {'ar': {'lc': 4}}), ('br.call.sptk.many b0=' + below, 'B', {'br': {0: CODE + 16}})):
        initial = {'psr': IC, 'ar': {'lc': 5}} if 'cloop' in text else {'psr': IC}
        final = trap(FRAMES[unit][1], 0x10, IC, low)
        final.update(changes)
        case(maker, text, unit, initial, final, events=2, label='below 0')
    case(maker, 'br.cloop.sptk.few ' + below, 'B', {'psr': IC}, {}, label='below 0, not taken')
    case(maker, 'br.ctop.sptk.few ' + below, 'B', {'psr': IC, 'ar': {'lc': 1}},
         dict(trap(2, 0x10, IC, low), ar={'lc': 0}, cfm=95 << 25 | 47 << 32, pr=1 | 1 << 63), events=2, label='below 0')
    case(maker, 'chk.s.m r9,' + below, 'M', {'psr': IC, 'nat': [9]}, trap(0, 0x10, IC, low), events=2, label='below 0')
    case(maker, 'chk.s.i r9,' + below, 'I', {'psr': IC, 'nat': [9]}, trap(1, 0x10, IC, low), events=2, label='below 0')
    case(maker, 'chk.s.m r9,' + below, 'M', {'psr': IC}, {}, label='below 0, nothing to recover')
    case(maker, 'chk.a.nc r9,' + below, 'M', {'psr': IC}, trap(0, 0x10, IC, low), events=2, label='below 0')
    case(maker, '(p7) chk.a.nc r9,' + below, 'M', {'psr': IC}, {}, label='below 0, off')
    for distance in (1 << 50, 1 << 62):
        text = 'brl.cond.sptk.few @next+%d' % (distance - 64)
        case(maker, text, 'X', {'psr': IC}, trap(1, 0x10, IC, CODE + distance), events=2, label='far away')
        case(maker, '(p7) ' + text, 'X', {'psr': IC}, {}, label='far away, off')
        final = trap(1, 0x10, IC, CODE + distance)
        final['br'] = {0: CODE + 16}
        case(maker, 'brl.call.sptk.few b0=@next+%d' % (distance - 64), 'X', {'psr': IC}, final, events=2, label='far away')


# Data access hints, of which this processor makes nothing

def hints(maker):
    rng = maker.random
    for number in range(8):
        for bits in (0, 0xffff, rng.getrandbits(16)):
            case(maker, 'mov dahr%d=%d' % (number, bits), 'M', {'gr': {9: 5}}, {})
            case(maker, '(p7) mov dahr%d=%d' % (number, bits), 'M', {'gr': {9: 5}}, {}, label='off')
        for psr in (0, IC | CPL3):
            index = number | rng.getrandbits(56) << 8
            case(maker, 'mov r9=dahr[r8]', 'M', {'psr': psr, 'gr': {8: index, 9: 5}}, {'gr': {9: 0}}, label='%#x psr %x' % (index, psr))
    for index in (8, 255):
        case(maker, 'mov r9=dahr[r8]', 'M', {'psr': IC, 'gr': {8: index}}, general(maker, RESERVED, 0, IC), label='%d' % index)
    case(maker, 'mov r9=dahr[r8]', 'M', {'psr': IC, 'nat': [8]}, maker.fault(NAT, 0, 0x10), label='NaT')
    case(maker, 'mov r9=dahr[r8]', 'M', {'gr': {8: 1}, 'nat': [9]}, {'gr': {9: 0}, 'nat': []}, label='clears NaT')
    case(maker, 'mov r9=dahr[r8]', 'M', {'psr': IC}, general(maker, ILLEGAL, 0, IC), [r1(0)], label='r0')
    case(maker, 'mov r9=dahr[r8]', 'M', {'psr': IC, 'cfm': CFM}, general(maker, ILLEGAL, 0, IC), [r1(48)], label='outside')
    case(maker, '(p7) mov r9=dahr[r8]', 'M', {'gr': {9: 5}}, {}, label='off')
    for count, stride, place in ((1, 64, ''), (4, 64, '.nt1'), (16, 128, '.nt2'), (64, -64, '.nta'), (2, -512, ''), (32, 448, '.nt1')):
        text = 'lfetch.count%s [r8],%d,%d' % (place, count, stride)
        for label, initial in (('', {'gr': {8: DATA}}), ('nothing mapped', {'psr': IC | DT, 'gr': {8: DATA}}),
                               ('NaT', {'psr': IC, 'nat': [8]}), ('unimplemented', {'psr': IC, 'gr': {8: 1 << 55}})):
            case(maker, text, 'M', initial, {}, label=label)


# The walker and the long format

def long_table(maker):
    """The table's index and tag are the implementation's choice: here page and region identifier as architecture.md has them."""
    va, pa, rid, ps = 0x50000, 0x20000, 5, 14
    psr = IC | DT
    size, base = 20, 0x100000
    place = base | ((va >> ps ^ rid) << 5) & (1 << size) - 1
    tag = rid << 39 ^ va >> ps
    rr = rid << 8 | ps << 2
    word = 0x1122334455667788
    pta = base | 1 << 8 | size << 2 | 1

    def table(pte, itir=ps << 2, tag=tag, order='little'):
        return [[place, b''.join(w.to_bytes(8, order) for w in (pte, itir, tag, 0xdead)).hex()]]

    for text, isr in (('ld8 r9=[r8]', ISR_R), ('ld4 r9=[r8]', ISR_R), ('st8 [r8]=r9', ISR_W), ('xchg8 r9=[r8],r10', ISR_R | ISR_W)):
        where = {'ifa': va + 8, 'itir': rr}
        for label, pte, itir, its_tag, vector in (
                ('found', 0x661 | pa, ps << 2, tag, None), ('with a key', 0x661 | pa, 0x77 << 8 | ps << 2, tag, None),
                ('of another size', 0x661 | pa, 16 << 2, tag, None), ('tag of another page', 0x661 | pa, ps << 2, tag ^ 1, DTLB),
                ('tag of another region', 0x661 | pa, ps << 2, tag ^ 1 << 39, DTLB), ('invalid tag', 0x661 | pa, ps << 2, tag | 1 << 63, DTLB),
                ('not present', pa, ps << 2, tag, NOT_PRESENT), ('not accessed', 0x641 | pa, ps << 2, tag, ACCESS_BIT),
                ('read only', 0x061 | pa, ps << 2, tag, None if isr == ISR_R else RIGHTS)):
            initial = {'psr': psr, 'gr': {8: va + 8, 9: 5}, 'rr': {0: rr | 1}, 'cr': {'pta': pta},
                       'dtr': [entry(base, base, rid=rid, ps=size)], 'ram': [[pa + 8, word.to_bytes(8, 'little').hex()]] + table(pte, itir, its_tag)}
            shift = itir >> 2 & 63
            inserted = [{'va': va & ~((1 << shift) - 1), 'ps': shift, 'pte': pte, 'rid': rid, 'key': itir >> 8}]
            if vector is None:
                if text.startswith('st'):
                    final = {'ram': [[pa + 8, (5).to_bytes(8, 'little').hex()]]}
                else:
                    final = {'gr': {9: word & (0xffffffff if '4' in text else M64)}}
                    if text[0] == 'x':
                        final['ram'] = [[pa + 8, '00' * 8]]
            else:
                final = maker.fault(vector, 0, isr, psr, **where)
                if vector == DTLB:
                    final['cr']['iha'] = place
            if vector != DTLB:
                final['dtc'] = inserted
            case(maker, text, 'M', initial, final, label='long format, ' + label, ignore=() if vector == DTLB else ['cr.iha'])
        bare = {'psr': psr, 'gr': {8: va + 8, 9: 5}, 'rr': {0: rr | 1}, 'cr': {'pta': pta}}
        case(maker, text, 'M', bare, maker.fault(VHPT, 0, isr, psr, iha=place, **where), label='long format, no translation of the table')
        case(maker, text, 'M', dict(bare, psr=DT), {'ip': IVA + NESTED, 'psr': DT}, label='long format, nested')
        case(maker, text, 'M', dict(bare, rr={0: rr}), maker.fault(ALT_DTLB, 0, isr, psr, **where), label='long format, walker off in the region')
        case(maker, text, 'M', dict(bare, cr={'pta': pta & ~1}), maker.fault(ALT_DTLB, 0, isr, psr, **where), label='long format, walker off')
    big = {'psr': psr, 'gr': {8: va + 8, 9: 5}, 'rr': {0: rr | 1}, 'cr': {'pta': pta, 'dcr': 2}, 'dtr': [entry(base, base, rid=rid, ps=size)],
           'ram': [[pa + 8, word.to_bytes(8, 'little').hex()]] + table(0x661 | pa, order='big')}
    case(maker, 'ld8 r9=[r8]', 'M', big, {'gr': {9: word}, 'dtc': [{'va': va, 'ps': ps, 'pte': 0x661 | pa, 'rid': rid, 'key': 0}]}, label='long format, dcr.be',
         ignore=['cr.iha'])
    # Fetches: the walker needs psr.dt, psr.it and psr.ic.
    place = base | ((CODE >> ps ^ rid) << 5) & (1 << size) - 1
    tag = rid << 39 ^ CODE >> ps
    state = IC | DT | IT
    for label, pte, its_tag, vector in (('found', 0x661, tag, None), ('tag of another page', 0x661, tag ^ 2, 0x0400), ('invalid tag', 0x661, tag | 1 << 63, 0x0400),
                                        ('not present', 0, tag, INOT_PRESENT), ('no execution', 0x461, tag, IRIGHTS), ('not accessed', 0x641, tag, IACCESS_BIT)):
        pte |= CODE
        initial = {'psr': state, 'rr': {0: rr | 1}, 'cr': {'pta': pta}, 'dtr': [entry(base, base, rid=rid, ps=size)], 'ram': table(pte, tag=its_tag)}
        final = {} if vector is None else maker.fault(vector, 0, ISR_X, state, ifa=CODE, itir=rr)
        if vector == 0x0400:
            final['cr']['iha'] = place
        else:
            final['itc'] = [{'va': CODE, 'ps': ps, 'pte': pte, 'rid': rid, 'key': 0}]
        case(maker, 'nop.m 0', 'M', initial, final, label='fetch, long format, ' + label, ignore=() if vector == 0x0400 else ['cr.iha'])


# Faults of the register stack's references

def stack_faults(maker):
    psr = IC | DT | RT
    rr = 5 << 8 | 14 << 2
    reasons = [('nothing', None, ALT_DTLB, ALT_DTLB, 0), ('not present', {'p': 0}, NOT_PRESENT, NOT_PRESENT, 0), ('NaT page', {'ma': 7}, NAT, NAT, 0x20),
               ('not accessed', {'a': 0}, ACCESS_BIT, ACCESS_BIT, 0), ('not dirty', {'d': 0}, None, DIRTY, 0), ('read only', {'access': 0}, None, RIGHTS, 0),
               ('execute only', {'access': 7, 'pl': 0}, RIGHTS, RIGHTS, 0), ('kernel page for rsc.pl 3', {'rsc': 3, 'pl': 0}, RIGHTS, RIGHTS, 0)]
    for base in (0x30000, 0x301d0, 0x33f00):
        for label, page, load, store, code in reasons:
            page = None if page is None else dict(page)
            rsc = (page or {}).pop('rsc', 3 if label == 'execute only' else 0) << 2
            dtr = [] if page is None else [entry(0x30000, 0x30000, rid=5, **page)]
            def final(vector, kind, address, cr=()):
                where = {'ifa': address} if vector == NAT else {'ifa': address, 'itir': rr}
                return maker.fault(vector, 0, kind | ISR_RS | code, psr, **dict(where, **dict(cr)))
            # alloc and flushrs store; nothing has been stored when the first reference faults.
            if store:
                dirty = [[n, False] for n in range(90)]
                state = {'psr': psr, 'rr': {0: rr}, 'dtr': dtr, 'ar': {'bspstore': base, 'rsc': rsc}, 'rse': {'dirty': dirty}}
                case(maker, 'alloc r9=ar.pfs,0,8,8,0', 'M', state, final(store, ISR_W, base), label='store at %#x: %s' % (base, label))
                case(maker, 'flushrs', 'M', state, final(store, ISR_W, base), label='store at %#x: %s' % (base, label))
            if load:
                state = {'psr': psr, 'rr': {0: rr}, 'dtr': dtr, 'ar': {'bspstore': base + 0x20, 'rsc': rsc | 16 << 16}}
                case(maker, 'loadrs', 'M', state, final(load, ISR_R, base + 0x18), label='load at %#x: %s' % (base + 0x18, label), ignore=['ar.rnat'])
                # A return comes back first; the frame is missing at its target.
                frame = 4 | 4 << 7
                state = {'psr': psr, 'rr': {0: rr}, 'dtr': dtr, 'ar': {'bspstore': base + 0x20, 'rsc': rsc, 'pfs': frame}, 'br': {6: 0x9000}}
                gone = final(load, ISR_R | ISR_IR, base + 0x18)
                gone['cr']['iip'] = 0x9000
                gone.update(cfm=frame, ar={'bsp': base})
                case(maker, 'br.ret.sptk.many b6', 'B', state, gone, events=2, label='load at %#x: %s' % (base + 0x18, label),
                     ignore=['gr.32', 'gr.33', 'gr.34', 'gr.35', 'rse', 'ar.rnat'])
                state = {'rr': {0: rr}, 'dtr': dtr, 'ar': {'bspstore': base + 0x20, 'rsc': rsc}, 'cr': {'ipsr': psr, 'iip': 0x9000, 'ifs': 1 << 63 | frame}}
                gone = dict(gone, cr=dict(gone['cr'], ifs=0))
                case(maker, 'rfi', 'B', state, gone, events=2, label='load at %#x: %s' % (base + 0x18, label),
                     ignore=['gr.32', 'gr.33', 'gr.34', 'gr.35', 'rse', 'ar.rnat'])
