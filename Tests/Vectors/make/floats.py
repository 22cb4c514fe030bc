"""The floating-point register format and its images in memory (SDM volume 1, chapter 5)."""

NATVAL = (0x1fffe, 0)


def from_single(bits):
    sign, exponent, fraction = bits >> 31, bits >> 23 & 0xff, bits & 0x7fffff
    return widened(sign, exponent, fraction << 40, 0xff, 127, 0xff81)


def from_double(bits):
    sign, exponent, fraction = bits >> 63, bits >> 52 & 0x7ff, bits & (1 << 52) - 1
    return widened(sign, exponent, fraction << 11, 0x7ff, 1023, 0xfc01)


def widened(sign, exponent, fraction, top, bias, denormal):
    if exponent == 0:
        return (sign << 17 | (denormal if fraction else 0), fraction)
    if exponent == top:
        return (sign << 17 | 0x1ffff, 1 << 63 | fraction)
    return (sign << 17 | exponent - bias + 0xffff, 1 << 63 | fraction)


def from_extended(significand, sign_exponent):
    sign, exponent = sign_exponent >> 15, sign_exponent & 0x7fff
    if exponent == 0:
        return (sign << 17, significand)
    if exponent == 0x7fff:
        return (sign << 17 | 0x1ffff, significand)
    return (sign << 17 | exponent - 16383 + 0xffff, significand)


def from_integer(bits):
    return (0x1003e, bits)


def from_spill(low, high):
    return (high & 0x3ffff, low)


def to_single(register):
    exponent, significand = register
    stored = exponent >> 9 & 0x80 | exponent & 0x7f if significand >> 63 else 0
    return exponent >> 17 << 31 | stored << 23 | significand >> 40 & 0x7fffff


def to_double(register):
    exponent, significand = register
    stored = exponent >> 6 & 0x400 | exponent & 0x3ff if significand >> 63 else 0
    return exponent >> 17 << 63 | stored << 52 | significand >> 11 & (1 << 52) - 1


def to_extended(register):
    """Significand; sign and exponent in 16 bits."""
    exponent, significand = register
    return significand, exponent >> 17 << 15 | exponent >> 2 & 0x4000 | exponent & 0x3fff
