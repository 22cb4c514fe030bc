"""Encodings that no instruction has, those that only assemblers know, and br.ia.

Which unused encodings are an Illegal Operation always, which only where their predicate is 1, and which do nothing, is
Documentation/architecture.md's section on encodings; the two tables agree.
"""
from branch import head
from integer import predicate
from kit import *

TRANSITION = 0x40


def make(maker):
    unused(maker)
    zero_fields(maker)
    branches(maker)
    unused_hints(maker)
    model_specific(maker)
    transition(maker)


def word(major, **fields):
    """A slot by its major opcode and fields given as name_low_width."""
    bits = major << 37
    for name, number in fields.items():
        _, low, width = name.split('_')
        assert number < 1 << int(width)
        bits |= number << int(low)
    return bits


def slot_case(maker, unit, bits, faults, label, cfm=CFM, pr=None, psr=IC):
    """A nop of the unit with all its bits replaced."""
    nop = {'M': 'nop.m 0', 'I': 'nop.i 0', 'I2': 'nop.i 0', 'M2': 'nop.m 0', 'F': 'nop.f 0', 'B': 'nop.b 0', 'B0': 'nop.b 0',
           'B1': 'nop.b 0', 'X': 'nop.x 0'}[unit]
    initial = {'psr': psr, 'cfm': cfm}
    if pr is not None:
        initial['pr'] = pr
    final = maker.fault(GENERAL, FRAMES[unit][1], ILLEGAL, psr) if faults else None
    maker.case('unused %s %s' % (unit[0], label), unit, nop, initial, final, [Field(0, 41, bits)])


def predicated(maker, unit, bits, label):
    """An encoding that is illegal where its predicate is 1, and nothing where it is 0."""
    rng = maker.random
    slot_case(maker, unit, bits, True, label)
    for cfm in (CFM, ROTATING):
        for on in (True, False):
            qp = rng.choice((6, 15, 16, 40, 63))
            slot_case(maker, unit, bits | qp, on, '%s p%d %s' % (label, qp, 'on' if on else 'off'), cfm, predicate(qp, cfm, on))


UNUSED = {
    'M': [word(0, x3_33_3=0, x4_27_4=2, x2_31_2=0), word(0, x3_33_3=0, x4_27_4=8, x2_31_2=1), word(0, x3_33_3=0, x4_27_4=15, x2_31_2=3),
          word(0, x3_33_3=1), word(0, x3_33_3=3), word(1, x3_33_3=0, x6_27_6=0x23), word(1, x3_33_3=0, x6_27_6=0x3f), word(1, x3_33_3=2),
          word(1, x3_33_3=7), word(2), word(3), word(4, x_27_1=1, x6_30_6=0x0c), word(0xa), word(0xb), word(0xf)],
    'I': [word(0, x3_33_3=0, x6_27_6=2), word(0, x3_33_3=0, x6_27_6=0x3f), word(0, x3_33_3=4), word(0, x3_33_3=5), word(0, x3_33_3=6),
          word(1), word(2), word(3), word(6), word(0xa), word(0xb), word(0xf), word(8, x2a_34_2=1, ve_33_1=1)],
    'F': [word(0, x_33_1=0, x6_27_6=2), word(0, x_33_1=0, x6_27_6=0x3f), word(1, x_33_1=0, x6_27_6=0x22), word(2), word(3), word(6), word(7),
          word(0xf)],
    'X': [word(0, x3_33_3=0, x6_27_6=2), word(0, x3_33_3=0, x6_27_6=0x3f), word(0, x3_33_3=3), word(1), word(2), word(3), word(4), word(5),
          word(7), word(8), word(9), word(0xa), word(0xb), word(0xc, btype_6_3=3), word(0xe), word(0xf)],
    'B': [word(0, x6_27_6=n) for n in (3, 6, 7, 9, 0x0f, 0x11, 0x1a, 0x1f)],
}


def unused(maker):
    for unit, encodings in UNUSED.items():
        for bits in encodings:
            predicated(maker, maker.random.choice([u for u in FRAMES if u[0] == unit and ';' not in u]), bits, '%011x' % bits)


def zero_fields(maker):
    """Fields that must be zero in instructions that have a predicate: comparisons with zero (the place of r2), popcnt and
    clz (the same), tf (the place of r3)."""
    for unit, text, low in (('M', word(0xd, x2_34_2=0, ta_33_1=0, tb_36_1=1, p1_6_6=8, p2_27_6=9, r3_20_7=5), 13),
                            ('I', word(7, za_36_1=0, zb_33_1=1, x2a_34_2=1, x2b_28_2=1, x2c_30_2=2, r1_6_7=9, r3_20_7=5), 13)):
        for bit in (0, 3, 6):
            predicated(maker, unit, text | 1 << low + bit, 'with bit %d' % (low + bit))


def branches(maker):
    """The B unit: encodings that are illegal whatever stands in the predicate's place, and those that are ignored."""
    always = [word(0, x6_27_6=n) for n in (0x22, 0x2a, 0x30, 0x3f)] + [word(0, x6_27_6=0x20, btype_6_3=n) for n in (2, 7)]
    always += [word(0, x6_27_6=0x21, btype_6_3=n) for n in (0, 1, 7)] + [word(4, btype_6_3=1), word(4, btype_6_3=4)]
    always += [word(n) for n in range(8, 16)]
    ignored = [word(0, x6_27_6=1), word(3), word(6), word(3, rest_6_31=0x2aaaaaaa), word(6, rest_6_31=0x15555555)]
    ignored += [word(2, x6_27_6=n) for n in (2, 3, 0x0f, 0x12, 0x20, 0x3f)]
    for encodings, faults in ((always, True), (ignored, False)):
        for bits in encodings:
            for qp, word_ in ((0, None), (6, predicate(6, CFM, True)), (7, predicate(7, CFM, False))):
                slot_case(maker, maker.random.choice(('B', 'B0', 'B1')), bits | qp, faults, '%011x p%d' % (bits, qp), CFM, word_)
    # Of the instructions without a predicate: cover, bsw.1, epc, br.cloop with one.
    for bits, unit in ((word(0, x6_27_6=2), 'B'), (word(0, x6_27_6=0x0d), 'B0'), (word(0, x6_27_6=0x10), 'B1'), (word(4, btype_6_3=5), 'B')):
        for qp in (1, 6, 63):
            slot_case(maker, unit, bits | qp, True, '%011x predicate %d' % (bits, qp))


def unused_hints(maker):
    """Hints without a name change nothing: the instruction is done as without a hint."""
    for text, ram, gr in (('ld8 r9=[r8],8', '0807060504030201', {8: DATA + 8, 9: 0x0102030405060708}),
                          ('ld1 r9=[r8],8', 'ff07060504030201', {8: DATA + 8, 9: 0xff})):
        maker.case(text + ' hint 2', 'M', text, {'gr': {8: DATA}, 'ram': [[DATA, ram]]}, {'gr': gr}, [Field(28, 2, 2)])
    for hint in (1, 2):
        maker.case('st4 [r8]=r9,4 hint %d' % hint, 'M', 'st4 [r8]=r9,4', {'gr': {8: DATA, 9: 0x04030201}},
                   {'gr': {8: DATA + 4}, 'ram': [[DATA, '01020304']]}, [Field(28, 2, hint)])
    maker.case('xchg4 r9=[r8],r10 hint 2', 'M', 'xchg4 r9=[r8],r10', {'gr': {8: DATA, 10: 0x04030201}, 'ram': [[DATA, '0a000000']]},
               {'gr': {9: 10}, 'ram': [[DATA, '01020304']]}, [Field(28, 2, 2)])
    maker.case('mov b6=r9 hint 3', 'I', 'mov b6=r9', {'gr': {9: 0x5000}}, {'br': {6: 0x5000}}, [Field(20, 2, 3)])
    for hint in (0, 2, 4, 6):
        maker.case('br.call b0=b6 hint %d' % hint, 'B', 'br.call.sptk.few b0=b6', {'cfm': CFM, 'br': {6: 0x5008}},
                   {'ip': 0x5000, 'cfm': 8, 'br': {0: CODE + 16}, 'ar': {'pfs': CFM}, 'rse': {'dirty': [[0, False]] * 8}}, [Field(32, 3, hint)])
        maker.case('(p7) br.call b0=b6 hint %d' % hint, 'B', '(p7) br.call.sptk.few b0=b6', {'cfm': CFM, 'br': {6: 0x5008}}, None,
                   [Field(32, 3, hint)])


def model_specific(maker):
    """Known to assemblers; unused encodings to the architecture."""
    rng = maker.random
    for text in ('mov msr[r8]=r9', 'mov r9=msr[r8]'):
        for number in range(22):
            unit = rng.choice(('M', 'M2'))
            psr = IC | rng.choice((0, 0, BN, AC, 1 << 32, CPL3))
            qp = rng.choice((0, 6, 40))
            on = qp == 0 or rng.randrange(3) > 0
            initial = {'psr': psr, 'cfm': CFM, 'gr': {8: value(rng), 9: value(rng)}}
            if qp:
                initial['pr'] = predicate(qp, CFM, on)
            if number % 4 == 0:
                initial['nat'] = [rng.choice((8, 9))]
            maker.case('%s%s %d psr %x' % (head(qp), text, number, psr), unit, head(qp) + text, initial,
                       maker.fault(GENERAL, FRAMES[unit][1], ILLEGAL, psr) if on else None)


def transition(maker):
    """br.ia: there is no IA-32 instruction set to go to. Dirty registers come first."""
    rng = maker.random
    for number in range(24):
        unit = rng.choice(('B', 'B0', 'B1'))
        psr = IC | rng.choice((0, DI, DI, CPL3, DI | CPL3, TB, SS, LP, DFH))
        dirty = [[value(rng), False] for _ in range(rng.choice((0, 0, 1, 9)))]
        initial = {'psr': psr, 'cfm': rng.choice((0, CFM, ROTATING)), 'br': {6: rng.getrandbits(32)}, 'ar': {'bspstore': 0x30000},
                   'rse': {'dirty': dirty}}
        text = 'br.ia.%s.%s b6' % (rng.choice(('sptk', 'dptk')), rng.choice(('few', 'many')))
        final = maker.fault(GENERAL, FRAMES[unit][1], ILLEGAL if dirty else TRANSITION, psr)
        maker.case('%s %d psr %x, %d dirty' % (text, number, psr, len(dirty)), unit, text, initial, final)
    final = {'ip': IVA + GENERAL, 'psr': 0, 'cr': {'isr': TRANSITION | 2 << 41 | ISR_NI}}
    maker.case('br.ia.sptk.few b6 nothing collected', 'B', 'br.ia.sptk.few b6', {'br': {6: 64}}, final)
