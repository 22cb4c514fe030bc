"""Branches, loops, calls and returns, checks, moves of branch registers, predicates and ip, nop, hint and break (formats B1
to B9, I18 to I25, M20 to M23, M37, M48, F14 to F16, X1, X3 to X5)."""
from compare import physical
from integer import predicate
from kit import *

B1_LOW, B1_SIGN = 13, 36
BSPSTORE = 0x30000


def displacement(rng):
    return rng.choice((-0x400, -1, 0, 1, 4, 0xfffff, rng.randrange(-0x400, 0x100000)))


def relative(units):
    """Fields of a 21-bit displacement in bundles."""
    return [Field(13, 20, units & 0xfffff), Field(36, 1, units >> 63 & 1 if units >= 0 else 1)]


def rotated(cfm):
    """cfm after a rotation by one."""
    sor, gr, fr, pr = (cfm >> 14 & 15) * 8, cfm >> 18 & 127, cfm >> 25 & 127, cfm >> 32 & 63
    gr = (gr or sor) - 1 if sor else 0
    return cfm & 0x3ffff | gr << 18 | ((fr or 96) - 1) << 25 | ((pr or 48) - 1) << 32


def head(qp):
    return '(p%d) ' % qp if qp else ''


def make(maker):
    rng = maker.random
    conditional(maker)
    for kind in ('cloop', 'ctop', 'cexit', 'wtop', 'wexit'):
        loops(maker, kind)
    calls(maker)
    returns(maker)
    long_branches(maker)
    checks(maker)
    moves(maker)
    idle(maker)
    rotation_clears(maker)


def trap(maker, vector, code, slot, psr, target, **cr):
    final = maker.fault(vector, slot, code, psr, target, iipa=CODE, **cr)
    final['cr']['ipsr'] = psr
    return final


def conditional(maker):
    rng = maker.random
    for variant in ['taken'] * 10 + ['off'] * 4 + ['rotating'] * 2 + ['tb', 'ss', 'tbss', 'tboff', 'ssoff']:
        for form in ('relative', 'indirect'):
            qp = rng.choice((0, 6, 40)) if 'off' not in variant else 7
            cfm = ROTATING if variant == 'rotating' else CFM
            psr = IC if variant in ('tb', 'ss', 'tbss', 'tboff', 'ssoff') else 0
            psr |= (TB if 'tb' in variant else 0) | (SS if 'ss' in variant else 0)
            initial = {'cfm': cfm}
            if psr:
                initial['psr'] = psr
            if qp:
                initial['pr'] = predicate(qp, cfm, 'off' not in variant)
            unit = rng.choice(('B', 'B0', 'B1'))
            slot = FRAMES[unit][1]
            fields = []
            if form == 'relative':
                units = displacement(rng)
                fields = relative(units)
                target = CODE + 16 * units
                text = head(qp) + 'br.cond.%s.%s @next' % (rng.choice(('sptk', 'dpnt')), rng.choice(('few', 'many')))
            else:
                target = rng.getrandbits(40)
                register = rng.randrange(8)
                initial['br'] = {register: target}
                target &= ~15
                text = head(qp) + 'br.cond.sptk.few b%d' % register
            final = {} if 'off' in variant else {'ip': target}
            if variant in ('tb', 'tbss'):
                final = trap(maker, TAKEN, 4 | (8 if 'ss' in variant else 0), slot, psr, target)
            elif variant == 'ss':
                final = trap(maker, STEP, 8, slot, psr, target)
            elif variant == 'ssoff':
                after = CODE + 16 if slot == 2 else CODE
                final = trap(maker, STEP, 8, slot, psr, after)
                final['cr']['ipsr'] = psr | (0 if slot == 2 else slot + 1) << 41
            maker.case('%s %s' % (text, variant), unit, text, initial, final, fields, events=2 if psr and variant != 'tboff' else 1)


def loops(maker, kind):
    rng = maker.random
    for variant in range(26):
        lc = rng.choice((0, 0, 1, 2, M64, rng.getrandbits(64)))
        ec = rng.choice((0, 1, 2, 63, rng.randrange(64)))
        cfm = rng.choice((CFM, ROTATING, 16 | 8 << 7 | 2 << 14, 16 | 8 << 7 | 1 << 14 | 1 << 18 | 95 << 25 | 47 << 32))
        units = displacement(rng)
        word = rng.getrandbits(64) | 1
        qp = 0
        if kind[0] == 'w':
            qp = rng.choice((0, 6, 16, 40))
        text = head(qp) + 'br.%s.sptk.few @next' % kind
        initial = {'cfm': cfm, 'pr': word, 'ar': {'lc': lc, 'ec': ec}}
        initial['gr'] = {n: value(rng) for n in rng.sample(range(32, 48), 2)}
        initial['fr'] = {40: (0xffff, 1 << 63)}
        p63 = physical(63, cfm)
        condition = bool(word >> physical(qp, cfm) & 1)
        final = {'ar': {}}
        new = word
        rotates = True
        if kind == 'cloop':
            rotates, taken = False, lc != 0
            if lc:
                final['ar']['lc'] = lc - 1
        elif kind[0] == 'c' and lc:
            final['ar']['lc'] = lc - 1
            new |= 1 << p63
            goes_on = True
        elif kind[0] == 'w' and condition:
            new &= ~(1 << p63)
            goes_on = True
        else:
            new &= ~(1 << p63)
            rotates, goes_on = ec != 0, ec > 1
            if ec:
                final['ar']['ec'] = ec - 1
        if kind != 'cloop':
            taken = goes_on == kind.endswith('top')
            final['pr'] = new
        if rotates:
            final['cfm'] = rotated(cfm)
        if taken:
            final['ip'] = CODE + 16 * units
        maker.case('%s lc %d ec %d' % (text, lc, ec), 'B', text, initial, final, relative(units))
    for _ in range(3):   # not in slot 2
        psr = IC
        initial = {'cfm': CFM, 'psr': psr, 'ar': {'lc': 5, 'ec': 3}, 'pr': rng.getrandbits(64) | 1}
        text = 'br.cond.sptk.few @next'
        code = {'cloop': 5, 'ctop': 7, 'cexit': 6, 'wtop': 3, 'wexit': 2}[kind]
        unit = rng.choice(('B0', 'B1'))
        maker.case('br.%s slot %d' % (kind, FRAMES[unit][1]), unit, text, initial,
                   maker.fault(GENERAL, FRAMES[unit][1], ILLEGAL, psr), [Field(6, 3, code)])


def calls(maker):
    rng = maker.random
    for variant in ['value'] * 14 + ['off'] * 3 + ['rotating'] * 3 + ['tb', 'nat', 'cross', 'user']:
        for form in ('relative', 'indirect', 'long'):
            cfm = ROTATING if variant == 'rotating' else rng.choice((CFM, 0, 5 | 5 << 7, 96 | 40 << 7, 8))
            if variant in ('nat', 'cross'):
                cfm = CFM
            psr = (IC | TB if variant == 'tb' else 0) | (CPL3 if variant == 'user' else 0)
            sof, sol = cfm & 127, cfm >> 7 & 127
            link = rng.randrange(8)
            ec = rng.randrange(64)
            bspstore = 0x30000 + 8 * rng.randrange(20) if variant != 'cross' else 0x301e0
            initial = {'cfm': cfm, 'ar': {'ec': ec, 'bspstore': bspstore}, 'psr': psr,
                       'gr': {32 + n: value(rng) for n in range(min(sof, 12))}}
            if not psr:
                del initial['psr']
            qp = 7 if variant == 'off' else rng.choice((0, 6))
            if qp:
                initial['pr'] = predicate(qp, cfm, variant != 'off')
            unit, fields = rng.choice(('B', 'B0')), []
            if form == 'indirect':
                target, source = rng.getrandbits(40), rng.randrange(8)
                initial['br'] = {source: target}
                target &= ~15
                text = head(qp) + 'br.call.sptk.many b%d=b%d' % (link, source)
            elif form == 'relative':
                units = displacement(rng)
                fields, target = relative(units), CODE + 16 * units
                text = head(qp) + 'br.call.sptk.many b%d=@next' % link
            else:
                unit, target = 'X', CODE + 64
                text = head(qp) + 'brl.call.sptk.many b%d=@next' % link
            slot = FRAMES[unit][1]
            sor, rrb = (cfm >> 14 & 15) * 8, cfm >> 18 & 127
            physical_values = [0] * 96
            for number, bits in initial['gr'].items():
                offset = number - 32
                physical_values[(offset + rrb) % sor if offset < sor else offset] = bits
            nats = [False] * 96
            if variant == 'nat':
                initial['nat'] = [33, 38, 44]
                for n in (1, 6, 12):
                    nats[n] = True
            pfs = cfm | ec << 52 | (psr >> 32 & 3) << 62
            dirty = [[physical_values[n], nats[n]] for n in range(sol)]
            final = {'ip': target, 'cfm': sof - sol, 'ar': {'pfs': pfs}, 'br': {link: CODE + 16}, 'rse': {'dirty': dirty}}
            if variant == 'off':
                final = {}
            elif variant == 'tb':
                end = trap(maker, TAKEN, 4, slot, psr, target)
                end.update({k: final[k] for k in ('cfm', 'ar', 'br', 'rse')})
                final = end
            maker.case('%s %s' % (text, variant), unit, text, initial, final, fields, events=2 if psr & TB else 1)


def returns(maker):
    rng = maker.random
    for variant in ['value'] * 12 + ['off'] * 2 + ['rotating', 'deeper', 'nat', 'tb', 'demote', 'lp', 'lptb', 'nopromote', 'fill',
                                                   'fill', 'fillnat', 'fillcross', 'empty']:
        caller = rng.choice((16 | 8 << 7, 5 | 5 << 7, 20 | 3 << 7, 16 | 8 << 7 | 1 << 14 | 2 << 18 | 9 << 25 | 3 << 32))
        if variant.startswith('fill'):
            caller = 16 | 8 << 7
        sof, sol = caller & 127, caller >> 7 & 127
        callee = rng.choice((0, 4, sof - sol, 12))
        ec = rng.randrange(64)
        level = 3 if variant in ('demote', 'lp', 'lptb') else 0
        psr = {'tb': IC | TB, 'lp': IC | LP, 'lptb': IC | LP | TB, 'nopromote': CPL3}.get(variant, 0)
        register = rng.randrange(8)
        target = rng.getrandbits(40) if not variant.startswith('fill') else 0x5000
        extra = rng.randrange(4)
        count = 0 if variant.startswith('fill') else sol + extra
        dirty = [[value(rng), False] for _ in range(count)]
        if variant == 'nat':
            for n in range(0, count, 3):
                dirty[n][1] = True
        bspstore = {'fillcross': 0x30010 + 0x200}.get(variant, 0x30100)
        initial = {'cfm': callee, 'br': {register: target}, 'psr': psr, 'rse': {'dirty': dirty},
                   'ar': {'pfs': caller | ec << 52 | level << 62, 'bspstore': bspstore}}
        if not psr:
            del initial['psr']
        qp = 7 if variant == 'off' else rng.choice((0, 6))
        if qp:
            initial['pr'] = predicate(qp, callee, variant != 'off')
        text = head(qp) + 'br.ret.sptk.many b%d' % register
        unit = rng.choice(('B', 'B0'))
        slot = FRAMES[unit][1]
        final = {'ip': target & ~15, 'cfm': caller, 'rse': {'dirty': dirty[:extra]}, 'ar': {'ec': ec}}
        events, bundles = 1, []
        frame = {}
        sor, rrb = (caller >> 14 & 15) * 8, caller >> 18 & 127
        for offset in range(sol):   # the number by which each restored register is known
            number = (offset - rrb) % sor if offset < sor else offset
            if count:
                frame[32 + number] = (dirty[extra + offset][0], dirty[extra + offset][1])
        if variant == 'demote':
            final['psr'] = CPL3
        elif variant == 'nopromote':
            pass
        elif variant in ('lp', 'lptb'):
            after = psr | CPL3
            end = trap(maker, LOWER, 2 | (4 if variant == 'lptb' else 0), slot, after, target & ~15)
            end.update({k: final[k] for k in ('cfm', 'rse', 'ar')})
            final, events = end, 2
        elif variant == 'tb':
            end = trap(maker, TAKEN, 4, slot, psr, target & ~15)
            end.update({k: final[k] for k in ('cfm', 'rse', 'ar')})
            final, events = end, 2
        if variant.startswith('fill'):
            # The registers stand in memory: they are there once the next instruction has been executed.
            bundles, events = [(0x5000, '.mii', 'nop.m 0\nnop.i 0\nnop.i 0')], 2
            rnat = rng.getrandbits(63) if variant != 'fill' else 0
            initial['ar']['rnat'] = rnat
            collection = rng.getrandbits(63)
            words, address, bits = {}, bspstore, rnat
            values = []
            while len(values) < sol:
                address -= 8
                if address & 0x1f8 == 0x1f8:
                    words[address] = bits = collection
                    continue
                words[address] = value(rng)
                values.append((words[address], bool(bits >> (address >> 3 & 63) & 1)))
            values.reverse()
            frame = {32 + n: v for n, v in enumerate(values)}
            initial['ram'] = [[a, w.to_bytes(8, 'little').hex()] for a, w in sorted(words.items())]
            final['ip'] = 0x5001
            final['ar'].update({'bspstore': address})
            if bits != rnat:
                final['ar']['rnat'] = bits
        if variant == 'off':
            final, frame = {}, {}
        final['gr'] = {n: bits for n, (bits, nat) in frame.items() if not nat}
        if any(nat for _, nat in frame.values()):
            final['nat'] = sorted(n for n, (_, nat) in frame.items() if nat)
        maker.case('%s %s' % (text, variant), unit, text, initial, final, [], events=events, bundles=bundles)


def long_branches(maker):
    rng = maker.random
    for variant in ['taken'] * 16 + ['off'] * 4:
        qp = 7 if variant == 'off' else rng.choice((0, 6, 40))
        initial = {'cfm': CFM}
        if qp:
            initial['pr'] = predicate(qp, CFM, variant != 'off')
        units = rng.choice((4, -4, rng.randrange(0, 1 << 45)))
        fields = [Field(13, 20, units & 0xfffff), Field(36, 1, 1 if units < 0 else 0)]
        # The 39 bits in between stand in the L slot, two bits from its bottom.
        middle = units >> 20 & (1 << 39) - 1
        text = head(qp) + 'brl.cond.sptk.few @next'
        maker.case('%s %d %s' % (text, units, variant), 'X', text, initial,
                   {} if variant == 'off' else {'ip': CODE + 16 * units}, fields + [Field(2 - 41, 39, middle)])


def checks(maker):
    rng = maker.random
    for stem, unit in (('chk.s.i', 'I'), ('chk.s.m', 'M')):
        for variant in ['fine'] * 9 + ['nat'] * 9 + ['off'] * 2 + ['rotating']:
            register = rng.randrange(32, 40)
            cfm = ROTATING if variant == 'rotating' else CFM
            units = displacement(rng) & ~0 if True else 0
            qp = 7 if variant == 'off' else 0
            initial = {'cfm': cfm, 'gr': {register: value(rng)}}
            if qp:
                initial['pr'] = predicate(qp, cfm, False)
            if variant in ('nat', 'off', 'rotating'):
                initial['nat'] = [register]
            text = head(qp) + '%s r%d,@next' % (stem, register)
            taken = variant in ('nat', 'rotating')
            fields = [Field(6, 7, units & 127), Field(20, 13, units >> 7 & 0x1fff), Field(36, 1, 1 if units < 0 else 0)]
            maker.case('%s %s' % (text, variant), unit, text, initial, {'ip': CODE + 16 * units} if taken else {}, fields)
    for variant in ['fine'] * 9 + ['nat'] * 7 + ['off'] * 2 + ['disabled'] * 2:
        register = rng.randrange(2, 128)
        initial = {'fr': {register: (0x1fffe, 0) if variant != 'fine' else (0xffff, rng.getrandbits(64))}}
        qp = 7 if variant == 'off' else 0
        if qp:
            initial['pr'] = 1
        if variant == 'disabled':
            initial['psr'] = IC | (DFL if register < 32 else DFH)
        text = head(qp) + 'chk.s f%d,@next' % register
        final = {'ip': CODE + 64} if variant == 'nat' else {}
        if variant == 'disabled':
            final = maker.fault(DISABLED_FP, 0, 1 if register < 32 else 2, initial['psr'])
        maker.case('%s %s' % (text, variant), 'M', text, initial, final)
    for stem in ('chk.a.nc', 'chk.a.clr'):
        for file in 'rf':
            for number in range(20):   # an ALAT without the entry: the recovery code
                register = rng.randrange(2, 40)
                qp = rng.choice((0, 0, 0, 7))
                initial = {'cfm': CFM}
                if qp:
                    initial['pr'] = 1
                if file == 'f' and number < 2:
                    initial['psr'] = IC | DFL | DFH     # the register itself is not touched
                text = head(qp) + '%s %s%d,@next' % (stem, file, register)
                maker.case(text, 'M', text, initial, {} if qp else {'ip': CODE + 64})


def moves(maker):
    rng = maker.random
    for variant in ['value'] * 12 + ['off', 'off', 'rotating', 'nat', 'nat', 'value', 'value', 'value']:
        for text_ in ('mov b{b}=r{r}', 'mov.ret.sptk b{b}=r{r},@next', 'mov r{r}=b{b}', 'mov r{r}=ip', 'mov r{r}=pr',
                      'mov pr=r{r},{m}', 'mov pr.rot={i}'):
            cfm = ROTATING if variant == 'rotating' else CFM
            general, branch = registers(rng, 1)[0], rng.randrange(8)
            to_branch = text_.startswith('mov b') or text_.startswith('mov.ret')
            kind = variant
            qp = 7 if variant == 'off' else rng.choice((0, 6))
            initial = {'cfm': cfm, 'gr': {general: value(rng)}, 'br': {branch: value(rng)}}
            word = predicate(qp, cfm, variant != 'off') if rng.randrange(2) else rng.getrandbits(64) | 1
            place = 1 << physical(qp, cfm)
            word = word & ~place | (0 if variant == 'off' else place)
            initial['pr'] = word | 1
            mask = rng.choice((0x1fffe, 0xfe, 0, rng.getrandbits(16) & ~1)) | -rng.randrange(2) << 16 if 'm}' in text_ else 0
            imm = rng.getrandbits(27) << 16 | -rng.randrange(2) << 43
            bits = initial['gr'][general]
            if text_.startswith('mov pr=') or to_branch:
                reads = True
            else:
                reads = False
            if variant == 'nat' and not reads:
                kind = 'clears' if 'r{r}=' in text_ else 'value'
            if kind in ('nat', 'clears'):
                initial['nat'] = [general]
            unit = 'I'
            if text_ == 'mov r{r}=ip' or text_.startswith('mov'):
                unit = 'I'
            if to_branch:
                final = {'br': {branch: bits}}
            elif text_ == 'mov r{r}=b{b}':
                final = {'gr': {general: initial['br'][branch]}}
            elif text_ == 'mov r{r}=ip':
                final = {'gr': {general: CODE}}
            elif text_ == 'mov r{r}=pr':
                final = {'gr': {general: word | 1}}
            elif text_.startswith('mov pr='):
                full = mask & M64 & ~1
                # The mask's topmost bit stands for p16 to p63.
                full = full & 0xffff | (M64 ^ 0xffff if mask >> 16 & 1 else 0)
                final = {'pr': word & ~full | bits & full | 1}
            else:
                final = {'pr': word & 0xffff | imm & M64 & ~0xffff | 1}
            if kind == 'off':
                final = {}
            elif kind == 'nat':
                initial['psr'] = IC
                final = maker.fault(NAT, 1, 0x10, IC)
            elif kind == 'clears':
                final['nat'] = []
            shown = text_.format(r=general, b=branch, m=signed(mask & 0x1fffe, 17), i=imm)
            text = head(qp) + shown
            maker.case('%s %s' % (text, kind), unit, text, initial, final)
    for text_ in ('mov r{r}=b3', 'mov r{r}=ip', 'mov r{r}=pr'):
        for number in (0, 48, 127):
            text = text_.format(r=5)
            maker.case(text + ' r%d' % number, 'I', text, {'cfm': CFM, 'psr': IC}, maker.fault(GENERAL, 1, ILLEGAL),
                       [r1(number)])


def idle(maker):
    """nop, hint, break and branch predictions."""
    rng = maker.random
    units = {'M': 'm', 'I': 'i', 'F': 'f', 'B': 'b', 'X': 'x'}
    for unit, letter in units.items():
        for stem in ('nop', 'hint', 'break'):
            for _ in range(20):
                bits = rng.getrandbits(18 if stem == 'hint' else 21)
                qp = rng.choice((0, 0, 7))
                on = qp == 0 or rng.randrange(2)
                if unit == 'X':
                    bits = rng.getrandbits(18 if stem == 'hint' else 62)
                text = head(qp) + '%s.%s %d' % (stem, letter, bits)
                initial = {'pr': 0x81 if on else 1} if qp else {}
                final = {}
                if stem == 'break' and on:
                    initial['psr'] = IC
                    iim = 0 if unit == 'B' else bits & 0x1fffff
                    final = maker.fault(BREAK, FRAMES[unit][1], 0, IC, iim=iim)
                maker.case(text, unit, text, initial, final)
    for stem in ('brp.sptk', 'brp.loop.imp', 'brp.exit', 'brp.sptk.imp'):
        for register in range(8):   # predictions change nothing
            for text in ('%s @next,@next' % stem, 'brp.sptk b%d,@next' % register, 'brp.ret.sptk b%d,@next' % register):
                maker.case('%s %s %d' % (text, stem, register), 'B', text, {'br': {register: rng.getrandbits(64)}}, {})


def rotation_clears(maker):
    rng = maker.random
    for number in range(20):
        cfm = 32 | 8 << 7 | rng.randrange(5) << 14
        if cfm >> 14:
            cfm |= rng.randrange((cfm >> 14 & 15) * 8) << 18
        cfm |= rng.randrange(96) << 25 | rng.randrange(48) << 32
        maker.case('clrrrb %d' % number, 'B', 'clrrrb', {'cfm': cfm}, {'cfm': cfm & 0x3ffff})
        maker.case('clrrrb.pr %d' % number, 'B', 'clrrrb.pr', {'cfm': cfm}, {'cfm': cfm & 0xffffffff})
