"""Trade item numbers: EAN-13, EAN-8, UPC-A, UPC-E and ITF-14, and the keys under which they are looked up.

Source: GS1 General Specifications, sections 3.3 (GTIN), 5.2 (EAN/UPC) and 7.9 (check digits).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from edge.codes.check_digits import has_mod10, is_digits, mod10
from edge.errors import Invalid


class GtinForm(StrEnum):
    """The written form of a trade item number."""

    EAN_13 = "EAN-13"
    EAN_8 = "EAN-8"
    UPC_A = "UPC-A"
    UPC_E = "UPC-E"
    ITF_14 = "GTIN-14"


@dataclass(frozen=True, slots=True)
class Gtin:
    """A trade item number with a right check digit; equal when the 14 digits are, whatever the form.

    gtin14: 14 digits, the canonical key. form: how it was written.
    """

    gtin14: str
    form: GtinForm = field(compare=False)


@dataclass(frozen=True, slots=True)
class ItemCode:
    """A code that names goods.

    text: as scanned, without an add-on. gtin: None for a shop's own stock code. keys: what to look up
    in the catalogue, first match wins. add_on: the 2 or 5 digits beside an EAN on magazines and books.
    """

    text: str
    gtin: Gtin | None
    keys: tuple[str, ...]
    add_on: str | None = None


#: The lengths that belong to trade item numbers; such a number must have a right check digit.
GTIN_LENGTHS = (8, 12, 13, 14)

_FORMS = {8: GtinForm.EAN_8, 12: GtinForm.UPC_A, 13: GtinForm.EAN_13, 14: GtinForm.ITF_14}

#: First and last GS1 prefix (three digits of an EAN-13) and what it says; the first match counts.
_PREFIXES = (
    (0, 19, "United States and Canada (UPC)"),
    (20, 29, "in-store number: means something only in the shop that printed it"),
    (30, 39, "United States (drugs)"),
    (40, 49, "in-store number: means something only in the shop that printed it"),
    (50, 59, "coupon of a manufacturer (United States)"),
    (60, 139, "United States and Canada (UPC)"),
    (200, 299, "in-store number: means something only in the shop that printed it"),
    (300, 379, "France"),
    (400, 440, "Germany"),
    (450, 459, "Japan"),
    (460, 469, "Russia"),
    (471, 471, "Taiwan, China"),
    (489, 489, "Hong Kong, China"),
    (490, 499, "Japan"),
    (500, 509, "United Kingdom"),
    (540, 549, "Belgium and Luxembourg"),
    (570, 579, "Denmark"),
    (690, 699, "mainland China"),
    (760, 769, "Switzerland"),
    (800, 839, "Italy"),
    (840, 849, "Spain"),
    (870, 879, "Netherlands"),
    (880, 880, "South Korea"),
    (885, 885, "Thailand"),
    (888, 888, "Singapore"),
    (893, 893, "Vietnam"),
    (899, 899, "Indonesia"),
    (930, 939, "Australia"),
    (940, 949, "New Zealand"),
    (955, 955, "Malaysia"),
    (958, 958, "Macao, China"),
    (977, 977, "serial publication (ISSN)"),
    (978, 979, "book (ISBN)"),
    (980, 980, "refund receipt"),
    (981, 984, "coupon, common currency"),
    (990, 999, "coupon"),
)


def parse_gtin(text: str) -> Gtin:
    """Return the trade item number written in 8, 12, 13 or 14 digits; 8 digits are EAN-8 if they can be.

    Raises Invalid that names the length or the check digit that was expected.
    """
    if not is_digits(text) or len(text) not in GTIN_LENGTHS:
        raise Invalid(f"{text!r} is not 8, 12, 13 or 14 digits; scan the whole code again")
    if has_mod10(text):
        return Gtin(text.zfill(14), _FORMS[len(text)])
    if is_upc_e(text):
        return Gtin(expand_upc_e(text).zfill(14), GtinForm.UPC_E)
    raise Invalid(f"check digit of {text} is {text[-1]}, expected {mod10(text[:-1])}; scan it again")


def is_upc_e(text: str) -> bool:
    """Return whether `text` is 8 digits, number system 0 or 1, whose expansion has the right check digit."""
    return len(text) == 8 and is_digits(text) and text[0] in "01" and has_mod10(_expand(text))


def expand_upc_e(text: str) -> str:
    """Return the 12-digit UPC-A of an 8-digit UPC-E of number system 0 or 1; raise Invalid otherwise."""
    if len(text) != 8 or not is_digits(text) or text[0] not in "01":
        raise Invalid(f"{text!r} is not a UPC-E: 8 digits that begin with 0 or 1 are needed")
    expanded = _expand(text)
    if not has_mod10(expanded):
        raise Invalid(
            f"check digit of UPC-E {text} is {text[-1]}, expected {mod10(expanded[:-1])}; scan it again"
        )
    return expanded


def compress_upc_a(text: str) -> str | None:
    """Return the 8-digit UPC-E of a 12-digit UPC-A, or None when it has none."""
    if len(text) != 12 or not is_digits(text) or text[0] not in "01":
        return None
    maker, item = text[1:6], text[6:11]
    short = _short_form(maker, item)
    return None if short is None else text[0] + short + text[11]


def canonical_key(code: str) -> str:
    """Return the key under which the catalogue stores `code`: GTIN-14, or the stripped text itself.

    It is always one of `lookup_keys` of the same code in any of its written forms.
    """
    try:
        return parse_gtin(code.strip()).gtin14
    except Invalid:
        return code.strip()


def lookup_keys(code: str) -> tuple[str, ...]:
    """Return what to look up for `code`, best first and without repeats.

    As scanned, GTIN-14, GTIN-13, GTIN-12, GTIN-8, UPC-E, without leading zeros.
    """
    text = code.strip()
    try:
        return gtin_keys(text, parse_gtin(text))
    except Invalid:
        return (text,) if text else ()


def gtin_keys(text: str, gtin: Gtin) -> tuple[str, ...]:
    """Return the lookup keys of `gtin`, scanned as `text`, as `lookup_keys` does."""
    number = gtin.gtin14
    keys = [text, number]
    for zeros in (1, 2, 6):
        if number.startswith("0" * zeros):
            keys.append(number[zeros:])
    if number.startswith("00"):
        keys.append(compress_upc_a(number[2:]) or text)
    keys.append(number.lstrip("0") or "0")
    return tuple(dict.fromkeys(keys))


def prefix_meaning(gtin: Gtin) -> str:
    """Return in words what the GS1 prefix says: who issued the number, or that it is an in-store one."""
    if gtin.form is GtinForm.EAN_8:
        first = int(gtin.gtin14[6:9])
        if first < 100 or 200 <= first <= 299:
            return "in-store number: means something only in the shop that printed it"
    else:
        first = int(gtin.gtin14[1:4])
    for low, high, meaning in _PREFIXES:
        if low <= first <= high:
            return meaning
    return "another GS1 member organisation"


def _expand(upc_e: str) -> str:
    system, digits, last, check = upc_e[0], upc_e[1:6], upc_e[6], upc_e[7]
    if last in "012":
        body = digits[:2] + last + "0000" + digits[2:]
    elif last == "3":
        body = digits[:3] + "00000" + digits[3:]
    elif last == "4":
        body = digits[:4] + "00000" + digits[4]
    else:
        body = digits + "0000" + last
    return system + body + check


def _short_form(maker: str, item: str) -> str | None:
    """Return the six middle digits of the UPC-E, by the first of the four rules that fits."""
    if maker[3:] == "00" and maker[2] in "012" and item[:2] == "00":
        return maker[:2] + item[2:] + maker[2]
    if maker[3:] == "00" and item[:3] == "000":
        return maker[:3] + item[3:] + "3"
    return _short_form_of_small_item(maker, item)


def _short_form_of_small_item(maker: str, item: str) -> str | None:
    if item[:4] != "0000":
        return None
    if maker[4] == "0":
        return maker[:4] + item[4] + "4"
    return maker + item[4] if item[4] in "56789" else None
