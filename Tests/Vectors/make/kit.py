"""What all makers of state vectors share: cases, encodings by the GNU assembler, interruptions, and writing files.

Expected values are computed here, with Python's integers and fractions, from what the architecture manual says of each
instruction; nothing in this folder runs Kittson or reads its sources.
"""
import json
import os
import random
import re
import subprocess
import tempfile

CODE = 0x4000
IVA = 0x8000
DATA = 0x20000
M64 = (1 << 64) - 1

# Processor status register bits.
BE, UP, AC, MFL, MFH, IC, I, PK = (1 << n for n in (1, 2, 3, 4, 5, 13, 14, 15))
DT, DFL, DFH, SP, PP, DI, SI, DB, LP, TB, RT = (1 << n for n in (17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27))
CPL3, IT, ID, DA, DD, SS, ED, BN, IA = 3 << 32, 1 << 36, 1 << 37, 1 << 38, 1 << 39, 1 << 40, 1 << 43, 1 << 44, 1 << 45
MC = 1 << 35
# What survives the delivery of an interruption when dcr.be and dcr.pp are clear.
KEPT = UP | MFL | MFH | PK | DT | RT | MC | IT

# Interruption status register bits.
ISR_X, ISR_W, ISR_R, ISR_NA, ISR_SP, ISR_RS, ISR_IR, ISR_NI, ISR_SO = (1 << n for n in range(32, 41))
ISR_ED = 1 << 43

GENERAL, DISABLED_FP, NAT, SPECULATION, UNALIGNED, UNSUPPORTED = 0x5400, 0x5500, 0x5600, 0x5700, 0x5a00, 0x5b00
FP_FAULT, FP_TRAP, LOWER, TAKEN, STEP, BREAK = 0x5c00, 0x5d00, 0x5e00, 0x5f00, 0x6000, 0x2c00
ILLEGAL, PRIVILEGED_OP, PRIVILEGED_REG, RESERVED = 0x00, 0x10, 0x20, 0x30

# Bundles in which an instruction of a unit stands, and its slot.
FRAMES = {
    'M': ('.mii', 0, '{}\nnop.i 0\nnop.i 0'),
    'M;': ('.mmi', 0, '{} ;;\nnop.m 0\nnop.i 0'),   # what must end its group
    'A': ('.mii', 0, '{}\nnop.i 0\nnop.i 0'),
    'I': ('.mii', 1, 'nop.m 0\n{}\nnop.i 0'),
    'I2': ('.mii', 2, 'nop.m 0\nnop.i 0\n{}'),
    'M2': ('.mmi', 1, 'nop.m 0\n{}\nnop.i 0'),
    'F': ('.mfi', 1, 'nop.m 0\n{}\nnop.i 0'),
    'B': ('.mib', 2, 'nop.m 0\nnop.i 0\n{}'),
    'B0': ('.bbb', 0, '{}\nnop.b 0\nnop.b 0'),
    'B1': ('.bbb', 1, 'nop.b 0\n{}\nnop.b 0'),
    'X': ('.mlx', 1, 'nop.m 0\n{}'),
}


def hx(value):
    return '0x%x' % value


class Field:
    """A bit field of a slot that overrides what the assembler put there: for encodings that it refuses."""

    def __init__(self, low, width, value):
        self.low, self.width, self.value = low, width, value


def r1(value):
    return Field(6, 7, value)


class Maker:
    """Collects cases and writes them."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.bundles = {}
        self.cases = []

    def encode(self, unit, text):
        """Notes a bundle to be assembled; gives its key, the slot of the instruction and that of the next one."""
        template, slot, frame = FRAMES[unit]
        return self.bundle(template, frame.format(text)), slot

    def bundle(self, template, text):
        key = '{ %s\n%s\n;; }' % (template, text)
        return self.bundles.setdefault(key, len(self.bundles))

    def case(self, name, unit, text, initial, final, fields=(), events=1, ip=None, bundles=None, stop_ip=None, ignore=()):
        """One case. `bundles`: further (address, template, text); `final` None: the ip goes on and nothing changes."""
        key, slot = self.encode(unit, text)
        start = CODE | slot if ip is None else ip
        initial = dict(initial)
        self.cases.append((name, key, slot, unit, fields, start, initial, final, events, bundles or [], stop_ip, ignore))
        for extra in bundles or []:
            self.bundle(extra[1], extra[2])

    # Interruptions

    def fault(self, vector, slot, code=0, psr=IC, iip=CODE, **cr):
        """The final state of a fault at `slot` of the bundle at `iip` with psr.ic set."""
        registers = {'ipsr': psr | slot << 41, 'iip': iip, 'isr': code | slot << 41}
        registers.update(cr)
        return {'ip': IVA + vector, 'psr': psr & KEPT, 'cr': registers}

    # Writing

    def assemble(self):
        lines = ['.text']
        for key, number in self.bundles.items():
            body = key.replace('@next', 'here%d+64' % number)
            if '@next' in key:
                lines.append('here%d:' % number)
            lines.append(body)
        with tempfile.TemporaryDirectory() as folder:
            source, target, binary = (os.path.join(folder, n) for n in ('v.s', 'v.o', 'v.bin'))
            with open(source, 'w') as file:
                file.write('\n'.join(lines) + '\n')
            done = subprocess.run(['ia64-linux-gnu-as', '-mhint.b=ok', '-o', target, source], capture_output=True, text=True)
            errors = [l for l in done.stderr.splitlines() if 'Error' in l]
            if errors:
                numbered = open(source).read().splitlines()
                for error in errors[:20]:
                    line = int(re.search(r':(\d+):', error).group(1))
                    print(error, '|', ' / '.join(numbered[max(0, line - 3):line + 1]))
                raise SystemExit('the assembler refuses %d lines' % len(errors))
            subprocess.run(['ia64-linux-gnu-objcopy', '-O', 'binary', '-j', '.text', target, binary], check=True)
            with open(binary, 'rb') as file:
                code = file.read()
        assert len(code) == 16 * len(self.bundles), (len(code), len(self.bundles))
        return [code[16 * n:16 * n + 16] for n in range(len(self.bundles))]

    def write(self, path, limit=900_000):
        """Writes all cases, over several files where one would be too large."""
        code = self.assemble()
        lines = [self.line(case, code) for case in self.cases]
        files, size = [[]], 0
        for line in lines:
            if size + len(line) > limit:
                files.append([])
                size = 0
            files[-1].append(line)
            size += len(line) + 2
        stem, end = os.path.splitext(path)
        for number, part in enumerate(files):
            name = path if len(files) == 1 else '%s-%d%s' % (stem, number + 1, end)
            with open(name, 'w') as file:
                file.write('[\n' + ',\n'.join(part) + '\n]\n')
            print('%s: %d vectors' % (os.path.basename(name), len(part)))

    def line(self, case, code):
        name, key, slot, unit, fields, start, initial, final, events, bundles, stop_ip, ignore = case
        bytes_ = patched(code[key], 2 if unit == 'X' else slot, fields)
        state = {'ip': start}
        state.update(initial)
        ram = [[CODE, bytes_.hex()]]
        for address, template, body in bundles:
            ram.append([address, code[self.bundle(template, body)].hex()])
        state['ram'] = ram + state.get('ram', [])
        cr = dict(state.get('cr', {}))
        after = CODE + 16 if slot == 2 or unit == 'X' else CODE | slot + 1
        final = {} if final is None else dict(final)
        final.setdefault('ip', after)
        if final['ip'] >= IVA and final['ip'] < IVA + 0x8000:
            cr.setdefault('iva', IVA)
        if cr:
            state['cr'] = cr
        stop = {'events': events}
        if stop_ip is not None:
            stop['ip'] = stop_ip
        vector = {'name': name, 'initial': text(state), 'stop': text(stop), 'final': text(final)}
        if ignore:
            vector['ignore'] = list(ignore)
        return json.dumps(vector, separators=(',', ':'))


PLAIN = {'slot', 'ps', 'clean', 'events'}


def text(value, key=None):
    """Numbers as the format has them: registers in hexadecimal strings."""
    if isinstance(value, dict):
        return {str(k): text(v, k) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [text(v, key) for v in value]
    if isinstance(value, bool) or isinstance(value, str):
        return value
    return value if key in PLAIN or key in ('nat', 'pending', 'inservice') else hx(value)


def patched(code, slot, fields):
    """A bundle with bit fields of one slot replaced."""
    whole = int.from_bytes(code, 'little')
    for field in fields:
        low = 5 + 41 * slot + field.low
        mask = ((1 << field.width) - 1) << low
        whole = whole & ~mask | field.value << low
    return whole.to_bytes(16, 'little')


BOUNDARY = [0, 1, M64, 1 << 63, (1 << 63) - 1, 0xffffffff, 0x80000000, 0x7fffffff, 0x8000800080008000,
            0x7fff7fff7fff7fff, 0x8080808080808080, 0x7f7f7f7f7f7f7f7f, 0x00ff00ff00ff00ff, 0x0123456789abcdef]


def value(rng):
    """A register value: boundaries, small numbers, random bits."""
    kind = rng.randrange(4)
    if kind == 0:
        return rng.choice(BOUNDARY)
    if kind == 1:
        return rng.randrange(130) * rng.choice((1, M64)) & M64
    return rng.getrandbits(64)


def signed(value, bits=64):
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> bits - 1 else value


def lanes(value, bits):
    return [value >> n & (1 << bits) - 1 for n in range(0, 64, bits)]


def joined(elements, bits):
    result = 0
    for n, element in enumerate(elements):
        result |= (element & (1 << bits) - 1) << n * bits
    return result


CFM = 16 | 8 << 7          # 16 registers, 8 of them locals
ROTATING = 16 | 8 << 7 | 1 << 14 | 3 << 18 | 5 << 25 | 7 << 32  # 8 of them rotating, all bases set


def registers(rng, count, distinct=True, base=None):
    """Register numbers to work with: static ones and those of a frame of 16."""
    pool = base or list(range(2, 12)) + list(range(14, 16)) + list(range(32, 48))
    return rng.sample(pool, count)
