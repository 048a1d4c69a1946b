"""What the value of a GS1 element means: check digits, dates, decimals, country and currency numbers.

Each rule takes the component's text and either returns words for `explain` or raises Invalid.
Source: GS1 General Specifications, sections 3 and 7.12 (century of a two-digit year).
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable
from datetime import date
from urllib.parse import unquote

from edge.codes.check_digits import has_mod10, mod10, model_check
from edge.codes.gs1_table import Ai, Component
from edge.errors import Invalid

_ALPHABETS = {
    "n": re.compile(r"[0-9]*", re.ASCII),
    "x": re.compile(r"[!\"%&'()*+,\-./0-9:;<=>?A-Z_a-z]*", re.ASCII),
    "y": re.compile(r"[#\-/0-9A-Z]*", re.ASCII),
    "z": re.compile(r"[0-9A-Za-z_\-=]*", re.ASCII),
}
_ALPHABET_NAMES = {
    "n": "digits",
    "x": "GS1's 82 characters",
    "y": "GS1's 39 characters",
    "z": "base64url characters",
}
_CURRENCIES = {
    "156": "CNY",
    "344": "HKD",
    "392": "JPY",
    "410": "KRW",
    "446": "MOP",
    "840": "USD",
    "901": "TWD",
    "978": "EUR",
}
_COUNTRIES = {
    "156": "China",
    "344": "Hong Kong",
    "392": "Japan",
    "410": "South Korea",
    "446": "Macao",
    "840": "United States",
}


def check_value(ai: Ai, value: str, year: int) -> str:
    """Return the meaning of `value` in words ("" when it says nothing more than itself).

    Raises Invalid that says what is wrong with it, without the AI or its place, which the caller knows.
    """
    words = []
    rest = value
    for component in ai.components:
        part, rest = _take(component, rest)
        if part or not component.optional:
            words.append(_check_part(component, part, year))
    if rest:
        raise Invalid(f"{len(value)} characters are too many, {ai.longest} at most")
    if ai.decimals is not None:
        number = value[3:] if ai.components[0].rule == "currency" else value
        words.append(decimal_text(number, ai.decimals))
    return ", ".join(word for word in words if word)


def decimal_text(digits: str, places: int) -> str:
    """Return digits with the decimal point put in, e.g. ("001250", 3) gives "1.250"."""
    whole = digits[: len(digits) - places] if places < len(digits) else ""
    return f"{int(whole or '0')}.{digits[len(whole) :].zfill(places)}" if places else str(int(digits))


def gs1_date(digits: str, year: int, day_zero: bool = True) -> date:
    """Return the date of YYMMDD; day 00 is the last day of the month.

    The century is the one that brings the year within 49 before and 50 after `year`. Raises Invalid.
    """
    short, month, day = int(digits[:2]), int(digits[2:4]), int(digits[4:6])
    full = year - year % 100 + short
    if short - year % 100 >= 51:
        full -= 100
    elif short - year % 100 <= -50:
        full += 100
    if not 1 <= month <= 12:
        raise Invalid(f"month {digits[2:4]} in {digits} does not exist")
    last = monthrange(full, month)[1]
    if day > last or (day == 0 and not day_zero):
        raise Invalid(f"day {digits[4:6]} in {digits} does not exist")
    return date(full, month, day or last)


def _take(component: Component, rest: str) -> tuple[str, str]:
    """Split off what belongs to `component`; it takes as much as it may."""
    return rest[: component.longest], rest[component.longest :]


def _check_part(component: Component, part: str, year: int) -> str:
    if len(part) < component.shortest:
        needed = (
            str(component.shortest)
            if component.shortest == component.longest
            else f"at least {component.shortest}"
        )
        raise Invalid(f"{len(part)} characters where {needed} are needed")
    match = _ALPHABETS[component.alphabet].match(part)
    good = match.end() if match else 0
    if good < len(part):
        raise Invalid(f"{part[good]!r} is not one of {_ALPHABET_NAMES[component.alphabet]}")
    rule = _RULES.get(component.rule)
    return rule(part, year) if rule else ""


def _check_digit(part: str, _year: int) -> str:
    if not has_mod10(part):
        raise Invalid(f"check digit of {part} is {part[-1]}, expected {mod10(part[:-1])}")
    return ""


def _date_or_month(part: str, year: int) -> str:
    return gs1_date(part, year).isoformat()


def _date(part: str, year: int) -> str:
    return gs1_date(part, year, day_zero=False).isoformat()


def _time(part: str, _year: int) -> str:
    if part[:2] > "23" or part[2:] > "59":
        raise Invalid(f"{part} is not a time of day")
    return f"{part[:2]}:{part[2:]}"


def _date_hour(part: str, year: int) -> str:
    if part[6:] > "23":
        raise Invalid(f"{part[6:]} is not an hour")
    return f"{_date(part[:6], year)} {part[6:]}h"


def _minutes(part: str, _year: int) -> str:
    if len(part) == 3 or part[:2] > "59" or part[2:] > "59":
        raise Invalid(f"{part} is not minutes or minutes and seconds")
    return f"{part[:2]} min"


def _birth(part: str, _year: int) -> str:
    try:
        return date(int(part[:4]), int(part[4:6]), int(part[6:])).isoformat()
    except ValueError:
        raise Invalid(f"{part} is not a date YYYYMMDD") from None


def _currency(part: str, _year: int) -> str:
    return _CURRENCIES.get(part, f"currency {part}")


def _country(part: str, _year: int) -> str:
    return _COUNTRIES.get(part, f"country {part}")


def _countries(part: str, year: int) -> str:
    if len(part) % 3:
        raise Invalid(f"{part} is not a list of 3-digit country numbers")
    return ", ".join(_country(part[i : i + 3], year) for i in range(0, len(part), 3))


def _flag(part: str, _year: int) -> str:
    if part not in "01":
        raise Invalid(f"{part} is neither 0 (no) nor 1 (yes)")
    return "yes" if part == "1" else "no"


def _zero(part: str, _year: int) -> str:
    if part != "0":
        raise Invalid(f"the first digit is {part}, expected 0")
    return ""


def _pieces(part: str, _year: int) -> str:
    piece, total = int(part[:2]), int(part[2:])
    if not 1 <= piece <= total:
        raise Invalid(f"piece {piece} of {total} does not exist")
    return f"piece {piece} of {total}"


def _minus(part: str, _year: int) -> str:
    if part != "-":
        raise Invalid(f"{part!r} may only be a minus sign")
    return "below zero"


def _letters(part: str, _year: int) -> str:
    if not re.fullmatch(r"[A-Z]{2}", part, re.ASCII):
        raise Invalid(f"{part} is not a country of two letters")
    return ""


def _key(part: str, _year: int) -> str:
    if not part[:4].isdigit():
        raise Invalid(f"{part} does not begin with the digits of a GS1 company prefix")
    return ""


def _latitude(part: str, _year: int) -> str:
    return _degrees(part, 90, 1_800_000_000)


def _longitude(part: str, _year: int) -> str:
    return _degrees(part, 180, 3_600_000_000)


def _degrees(part: str, offset: int, most: int) -> str:
    if int(part) > most:
        raise Invalid(f"{part} is more than {most}")
    return f"{(int(part) - offset * 10_000_000) / 10_000_000:.7f} degrees"


def _percent(part: str, _year: int) -> str:
    if "%" not in part:
        return ""
    try:
        return unquote(part, errors="strict")
    except UnicodeDecodeError:
        raise Invalid(f"{part} is not percent-encoded UTF-8") from None


def _sex(part: str, _year: int) -> str:
    if part not in "0129":
        raise Invalid(f"{part} is not 0, 1, 2 or 9 (ISO/IEC 5218)")
    return ""


def _nonzero(part: str, _year: int) -> str:
    if not part.strip("0"):
        raise Invalid(f"{part} must not be zero")
    return ""


def _no_leading_zero(part: str, _year: int) -> str:
    if part[0] == "0" and part != "0":
        raise Invalid(f"{part} must not begin with 0")
    return ""


def _iban(part: str, _year: int) -> str:
    if (
        len(part) < 5
        or not part.isalnum()
        or int("".join(str(int(c, 36)) for c in part[4:] + part[:4])) % 97 != 1
    ):
        raise Invalid(f"{part} is not an IBAN: its check digits are wrong")
    return ""


def _model(part: str, _year: int) -> str:
    expected = model_check(part[:-2]) if len(part) > 2 else "two characters"
    if part[-2:] != expected:
        raise Invalid(f"check characters of {part} are {part[-2:]}, expected {expected}")
    return ""


_RULES: dict[str, Callable[[str, int], str]] = {
    "check": _check_digit,
    "date0": _date_or_month,
    "date": _date,
    "time": _time,
    "datehour": _date_hour,
    "minutes": _minutes,
    "birth": _birth,
    "currency": _currency,
    "country": _country,
    "processor": _country,
    "countries": _countries,
    "flag": _flag,
    "zero": _zero,
    "pieces": _pieces,
    "minus": _minus,
    "letters": _letters,
    "key": _key,
    "percent": _percent,
    "sex": _sex,
    "nonzero": _nonzero,
    "nolead": _no_leading_zero,
    "iban": _iban,
    "model": _model,
    "latitude": _latitude,
    "longitude": _longitude,
}
