"""Check digits and check characters of the codes that this service reads and prints.

Every function takes ASCII text that the caller has already found to be of the right alphabet.
"""

from __future__ import annotations

_ALNUM = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ALNUM_VALUE = {character: value for value, character in enumerate(_ALNUM)}

#: GS1's weighted products of a digit, by weighting factor (GS1 General Specifications, 7.9.2).
_TWO_MINUS = (0, 2, 4, 6, 8, 9, 1, 3, 5, 7)
_THREE = (0, 3, 6, 9, 2, 5, 8, 1, 4, 7)
_FIVE_PLUS = (0, 5, 1, 6, 2, 7, 3, 8, 4, 9)
_FIVE_MINUS = (0, 5, 9, 4, 8, 3, 7, 2, 6, 1)

_CSET_82 = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
_CSET_32 = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83)

#: How wide a price field may be for `price_check_digit`.
PRICE_FIELD_WIDTHS = (4, 5)


def is_digits(text: str) -> bool:
    """Return whether `text` is one or more of 0-9 and nothing else (no full-width or other digits)."""
    return text.isascii() and text.isdigit()


def mod10(body: str) -> int:
    """Return the EAN/UPC/GS1 check digit of the digits `body`, weights 3, 1, 3, ... from the right."""
    digits = body.encode()
    offset = 48 * (len(digits) + 2 * ((len(digits) + 1) // 2))  # what the byte value of "0" adds
    return (offset - 3 * sum(digits[::-2]) - sum(digits[-2::-2])) % 10


def has_mod10(code: str) -> bool:
    """Return whether the last of two or more digits is the EAN/UPC/GS1 check digit of the others."""
    return ord(code[-1]) - 48 == mod10(code[:-1])


def price_check_digit(price: str) -> int:
    """Return the verifier of a price field of 4 or 5 digits in an in-store label.

    Source: GS1 General Specifications, 7.9.3 and 7.9.4; 2875 gives 9, 14685 gives 6.
    """
    digits = [int(digit) for digit in price]
    if len(digits) == 4:
        products = (
            table[d] for table, d in zip((_TWO_MINUS, _TWO_MINUS, _THREE, _FIVE_MINUS), digits, strict=True)
        )
        return sum(products) * 3 % 10
    weights = (_FIVE_PLUS, _TWO_MINUS, _FIVE_MINUS, _FIVE_PLUS, _TWO_MINUS)
    total = sum(table[d] for table, d in zip(weights, digits, strict=True))
    return _FIVE_MINUS.index(-total % 10)


def model_check(body: str) -> str:
    """Return the two check characters of a GS1 model number or device group of up to 23 characters.

    Source: GS1 General Specifications, 7.9.5; 1987654Ad4X4bL5ttr2310c gives 2K.
    """
    weights = _PRIMES[len(body) - 1 :: -1] if body else ()
    total = sum(weight * _CSET_82.index(one) for weight, one in zip(weights, body, strict=True)) % 1021
    return _CSET_32[total >> 5] + _CSET_32[total & 31]


def mod37_36(body: str) -> str:
    """Return the check character of upper-case alphanumerics (ISO/IEC 7064, MOD 37,36).

    It catches every single wrong character and every swap of neighbours.
    """
    check = 36
    for character in body:
        check = (check + _ALNUM_VALUE[character]) % 36 or 36
        check = check * 2 % 37
    return _ALNUM[(37 - check) % 36]
