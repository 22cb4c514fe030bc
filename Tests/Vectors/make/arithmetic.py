"""Exact arithmetic on register-format numbers: classes of operands, rounding, exceptions (SDM volume 1, 5.2 to 5.4)."""
from fractions import Fraction

from floats import NATVAL

INDEFINITE = (0x3ffff, 3 << 62)
V, D, Z, O, U, I = 1, 2, 4, 8, 16, 32
# Exponent ranges by their bits: largest and smallest unbiased exponent.
RANGES = {8: (127, -126), 11: (1023, -1022), 15: (16383, -16382), 17: (65535, -65534)}
NEAREST, DOWN, UP, ZERO = range(4)


def sign(register):
    return register[0] >> 17


def is_infinity(register):
    return register[0] & 0x1ffff == 0x1ffff and register[1] == 1 << 63


def is_nan(register):
    return register[0] & 0x1ffff == 0x1ffff and register[1] >> 63 and register[1] << 1 & (1 << 64) - 1 != 0


def is_signaling(register):
    return is_nan(register) and not register[1] >> 62 & 1


def is_unsupported(register):
    return register[0] & 0x1ffff == 0x1ffff and not register[1] >> 63


def is_natval(register):
    return register == NATVAL


def is_zero(register):
    return register[0] & 0x1ffff != 0x1ffff and register[1] == 0 and not is_natval(register)


def is_unnormal(register):
    return register[0] & 0x1ffff != 0x1ffff and register[1] != 0 and (not register[1] >> 63 or register[0] & 0x1ffff == 0)


def quieted(register):
    return (register[0], register[1] | 1 << 62)


def exact(register):
    """The value of a finite register."""
    exponent = register[0] & 0x1ffff or 0xc001
    return (-1 if sign(register) else 1) * Fraction(register[1]) * Fraction(2) ** (exponent - 0xffff - 63)


def exponent_of(x):
    """e with 2^e <= x < 2^(e+1)."""
    e = x.numerator.bit_length() - x.denominator.bit_length()
    return e if Fraction(2) ** e <= x else e - 1


def rounded_integer(x, mode, negative):
    """A magnitude to an integer."""
    low = x.numerator // x.denominator
    rest = x - low
    if mode == NEAREST:
        up = rest > Fraction(1, 2) or rest == Fraction(1, 2) and low & 1
    elif mode == ZERO:
        up = False
    else:
        up = rest and (mode == DOWN) == negative
    return low + int(bool(up)), rest != 0


def rounded(x, precision, range_bits, mode, ftz=False):
    """A nonzero exact value as a register, and flags."""
    negative, x = x < 0, abs(x)
    top, bottom = RANGES[range_bits]
    e = exponent_of(x)
    significand, inexact = rounded_integer(x / Fraction(2) ** (e - precision + 1), mode, negative)
    if significand >> precision:
        significand, e = significand >> 1, e + 1
    signed = int(negative) << 17
    if e > top:
        away = mode == NEAREST or (mode == DOWN) == negative and mode != ZERO
        if away:
            return (signed | 0x1ffff, 1 << 63), O | I
        return (signed | top + 0xffff, ((1 << precision) - 1) << 64 - precision), O | I
    if e < bottom:
        if ftz:
            return (signed, 0), U | I
        significand, inexact = rounded_integer(x / Fraction(2) ** (bottom - precision + 1), mode, negative)
        flags = (U | I) if inexact else 0
        if significand == 0:
            return (signed, 0), flags
        # With 15 bits a denormal has the exponent 0, as one that was loaded.
        return (signed | (0 if range_bits == 15 else bottom + 0xffff), significand << 64 - precision), flags
    return (signed | e + 0xffff, significand << 64 - precision), I if inexact else 0


def multiply_add(a, b, c, precision, range_bits, mode, ftz=False, product_only=False):
    """a · b + c; `product_only`: c is f0, and the sign of a zero product stays."""
    operands = (a, b, c)
    if any(map(is_natval, operands)):
        return NATVAL, 0
    if any(map(is_unsupported, operands)):
        return INDEFINITE, V
    if any(map(is_nan, operands)):
        flags = V if any(map(is_signaling, operands)) else 0
        if not flags and (is_infinity(a) and is_zero(b) or is_zero(a) and is_infinity(b)):
            return None, 0      # left alone: which of the two wins is not for a vector to say
        return quieted(next(x for x in (a, c, b) if is_nan(x))), flags
    product_sign = sign(a) ^ sign(b)
    if is_infinity(a) and is_zero(b) or is_zero(a) and is_infinity(b):
        return INDEFINITE, V
    if is_infinity(a) or is_infinity(b):
        if is_infinity(c) and sign(c) != product_sign:
            return INDEFINITE, V
        return (product_sign << 17 | 0x1ffff, 1 << 63), D if any(map(is_unnormal, operands)) else 0
    flags = D if any(map(is_unnormal, operands)) else 0
    if is_infinity(c):
        return c, flags
    x = exact(a) * exact(b) + exact(c)
    if x == 0:
        if product_only and exact(a) * exact(b) == 0:
            return (product_sign << 17, 0), flags
        negative = product_sign if product_sign == sign(c) else mode == DOWN
        return (int(negative) << 17, 0), flags
    result, more = rounded(x, precision, range_bits, mode, ftz)
    return result, flags | more


def negated(register):
    return register if is_natval(register) or is_nan(register) or is_unsupported(register) else (register[0] ^ 1 << 17, register[1])
