"""Every reading that a scanned string has the shape of, or why it is not what it looks like.

Each recogniser looks for one family of codes and answers Found, Refused or None.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from edge.codes.check_digits import has_mod10, is_digits, mod10
from edge.codes.describe import gs1_fields, house_fields, item_fields, label_fields, payment_fields
from edge.codes.digital_link import is_digital_link, parse_digital_link
from edge.codes.gs1 import GS, GS1_AIMS, Gs1Message, parse_element_string, parse_parenthesised
from edge.codes.gtin import (
    GTIN_LENGTHS,
    Gtin,
    GtinForm,
    ItemCode,
    expand_upc_e,
    gtin_keys,
    is_upc_e,
    parse_gtin,
)
from edge.codes.house import HouseCode, match_form, read_house_code, read_link, split_link
from edge.codes.payment import WALLET_SHAPES, not_a_payment_code, parse_payment_code
from edge.codes.reading import CodeKind, CodeReading, CodeRules, Context, Field, Payload
from edge.codes.scale_label import ScaleLabel, match_layout, read_label
from edge.errors import Invalid

#: The longest string that is looked at; no symbol of the trade holds more that matters.
MAX_LENGTH = 2048

#: What a shop's own stock code may look like.
STOCK_CODE = re.compile(r"[0-9A-Za-z][0-9A-Za-z ._/+#*:%$\-]{0,47}", re.ASCII)


class Family(IntEnum):
    """The families that readings are ranked by."""

    LABEL = 0
    HOUSE = 1
    PAYMENT = 2
    GS1 = 3
    ITEM = 4
    UPC_E = 5
    STOCK = 6


@dataclass(frozen=True, slots=True)
class Scan:
    """One string to be read: blanks stripped, with what is known about it. digits: 0-9 and nothing else."""

    text: str
    aim: str | None
    rules: CodeRules
    context: Context
    digits: bool

    @property
    def symbol(self) -> str:
        """The class letter of the AIM id, "" when there is none."""
        return self.aim[1:2] if self.aim else ""


@dataclass(frozen=True, slots=True)
class Found:
    """A possible reading. rival: whether a winner over it is ambiguous."""

    family: Family
    reading: CodeReading
    rival: bool = True


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a string that has the shape of something is not that. final: it is no stock code either."""

    reason: str
    final: bool = True


Outcome = Found | Refused | None

_BARE_GS1 = re.compile(r"0[123]\d{14}|00\d{18}", re.ASCII)
_PLATE = re.compile(r"[\u4e00-\u9fff][A-Z][·・ ]?[0-9A-Z]{4,6}[0-9A-Z\u4e00-\u9fff]?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def scan_of(text: str, aim: str | None, rules: CodeRules, context: Context) -> Scan:
    """Return the scan of a raw string: blanks, line ends and NULs around it are dropped."""
    clean = text.strip(" \t\r\n\0")
    return Scan(clean, aim or None, rules, context, is_digits(clean))


def outcomes(scan: Scan) -> list[Outcome]:
    """Return what every recogniser that applies says of the scan."""
    if not 0 < len(scan.text) <= MAX_LENGTH:
        return [Refused(_wrong_length(scan.text))]
    if scan.text[:8].lower().startswith(("http://", "https://")):
        return [_link(scan)]
    if scan.aim in GS1_AIMS or scan.text[0] == "(" or GS in scan.text:
        return [_gs1(scan)]
    if scan.digits:
        return [recognise(scan) for recognise in _FOR_DIGITS]
    problem = _unreadable(scan.text)
    return [Refused(problem)] if problem else [_house(scan), _bare_gs1(scan)]


def stock(scan: Scan) -> Found | None:
    """Return the reading as a shop's own stock code, which any short printable text can be."""
    if not STOCK_CODE.fullmatch(scan.text):
        return None
    item = ItemCode(scan.text, None, (scan.text,))
    reason = "it is no standard code; the catalogue may know it as a stock code"
    return Found(
        Family.STOCK, _reading(scan, CodeKind.ITEM, reason, item, item_fields(item), item.keys), rival=False
    )


def _wrong_length(text: str) -> str:
    if not text:
        return "the scan is empty"
    return f"{len(text)} characters are too many for any code; {MAX_LENGTH} at most"


def _unreadable(text: str) -> str | None:
    """Return why no code can be in `text`, or None."""
    if text.isascii():
        if _CONTROL.search(text):
            return "it holds control characters: check the scanner's settings"
        return not_a_payment_code(text)
    if _PLATE.fullmatch(text):
        return "it is a licence plate, not a code: enter it on the parking page"
    if text.isdigit():
        return "its digits are not 0-9: switch the input method to English, or let the scanner send ASCII"
    return "it holds characters that no code of ours has: check the scanner's encoding"


def _link(scan: Scan) -> Outcome:
    wallet = not_a_payment_code(scan.text)
    if wallet:
        return Refused(wallet)
    try:
        if split_link(scan.text).path.startswith("/phone/"):
            return _house_found(
                scan, read_link(scan.text, scan.rules.public_hosts), "a link of this mall's public host"
            )
        if is_digital_link(scan.text):
            message = parse_digital_link(scan.text, scan.rules.year)
            return _gs1_found(scan, message, "its path is a GS1 Digital Link")
    except Invalid as error:
        return Refused(str(error))
    return Refused("it is a web address, neither one of ours nor a GS1 Digital Link")


def _gs1(scan: Scan) -> Outcome:
    printed = scan.text.startswith("(")
    reason = _gs1_reason(scan, printed)
    parse = parse_parenthesised if printed else parse_element_string
    try:
        return _gs1_found(scan, parse(scan.text, scan.rules.year), reason)
    except Invalid as error:
        return Refused(f"{reason}, but {error}")


def _gs1_reason(scan: Scan, printed: bool) -> str:
    if scan.aim in GS1_AIMS:
        return f"AIM id {scan.aim} says GS1 data"
    if printed:
        return "it is written with AIs in parentheses"
    return "it holds the GS1 separator (FNC1)"


def _bare_gs1(scan: Scan) -> Outcome:
    """Element strings from scanners that send neither AIM id nor FNC1: only 00, 01, 02 and 03 are safe."""
    if scan.symbol in ("E", "I") or not _BARE_GS1.match(scan.text):
        return None
    try:
        message = parse_element_string(scan.text, scan.rules.year)
    except Invalid:
        return None
    reason = f"it begins with AI {scan.text[:2]} and every element and check digit is right"
    return _gs1_found(scan, message, reason + "; switch AIM ids on in the scanner to be sure")


def _payment(scan: Scan) -> Outcome:
    code = parse_payment_code(scan.text)
    if code is None:
        return None
    if scan.symbol not in ("", "C", "Q"):
        return Refused(
            f"AIM id {scan.aim}: payment codes come as Code 128 or QR only, so it is none", final=False
        )
    reason = f"it is {WALLET_SHAPES[code.wallet]}, as {code.wallet.value} payment codes are"
    return Found(Family.PAYMENT, _reading(scan, CodeKind.PAYMENT, reason, code, payment_fields(code)))


def _label(scan: Scan) -> Outcome:
    layout = match_layout(scan.text, scan.rules.layouts)
    if layout is None or (scan.symbol == "E" and layout.length != 13):
        return None
    if scan.symbol not in ("", "E", "C", "I"):
        return Refused(f"AIM id {scan.aim}: scale labels are linear symbols, so it is none", final=False)
    try:
        label = read_label(scan.text, layout)
    except Invalid as error:
        return Refused(f"it fits scale layout {layout.pattern}, but {error}")
    if not label.weight_g and not label.amount_fen:
        return Refused(
            f"it fits scale layout {layout.pattern}, but weight and amount are zero: an item number",
            final=False,
        )
    return _label_found(scan, label)


def _label_found(scan: Scan, label: ScaleLabel) -> Found:
    reason = f"prefix and length fit scale layout {label.layout.pattern} and the check digit is right"
    fields = label_fields(label)
    return Found(Family.LABEL, _reading(scan, CodeKind.SCALE_LABEL, reason, label, fields, label.keys))


def _item(scan: Scan) -> Outcome:
    text, add_on = _split_add_on(scan)
    if len(text) not in GTIN_LENGTHS:
        return None
    if scan.symbol == "I" and len(text) not in scan.rules.itf_lengths:
        return None
    if not has_mod10(text):
        return None if _may_be_upc_e(scan) else _wrong_check(scan, text)
    if scan.aim == "]E0" and _may_be_upc_e(scan):
        return None  # an EAN-8 would have come as ]E4
    gtin = parse_gtin(text)
    reason = f"it is {len(text)} digits with the right check digit: {gtin.form.value}"
    return _item_found(scan, Family.ITEM, gtin, reason, ItemCode(text, gtin, gtin_keys(text, gtin), add_on))


def _upc_e(scan: Scan) -> Outcome:
    if not _may_be_upc_e(scan):
        return None
    gtin = Gtin(expand_upc_e(scan.text).zfill(14), GtinForm.UPC_E)
    reason = f"it is 8 digits with the check digit of UPC-E, short for {gtin.gtin14[2:]}"
    return _item_found(
        scan, Family.UPC_E, gtin, reason, ItemCode(scan.text, gtin, gtin_keys(scan.text, gtin))
    )


def _item_found(scan: Scan, family: Family, gtin: Gtin, reason: str, item: ItemCode) -> Found:
    in_label = family == Family.ITEM and match_layout(scan.text, scan.rules.layouts) is not None
    reading = _reading(scan, CodeKind.ITEM, reason, item, item_fields(item), item.keys)
    return Found(family, reading, rival=not in_label)


def _may_be_upc_e(scan: Scan) -> bool:
    return scan.symbol in ("", "E") and scan.aim != "]E4" and is_upc_e(scan.text)


def _wrong_check(scan: Scan, text: str) -> Refused:
    reason = (
        f"check digit of its {len(text)} digits is {text[-1]}, expected {mod10(text[:-1])}: scan it again"
    )
    if len(text) == 12:
        reason += ", or set the scanner to send the check digit"
    return Refused(reason, final=scan.symbol in ("", "E", "I", "e"))


def _split_add_on(scan: Scan) -> tuple[str, str | None]:
    if scan.aim == "]E3" and len(scan.text) in (15, 18):
        return scan.text[:13], scan.text[13:]
    return scan.text, None


def _house(scan: Scan) -> Outcome:
    form = match_form(scan.text, scan.rules.house_forms)
    if form is None:
        return None
    try:
        code = read_house_code(scan.text, form)
    except Invalid as error:
        return Refused(f"it begins like one of our {form.kind.value} codes ({form.prefix}), but {error}")
    check = "its check character is right" if form.checked else "its length fits"
    return _house_found(scan, code, f"it begins with {form.prefix} and {check}")


def _partial(scan: Scan) -> Outcome:
    """Refuse what scanners make of good codes: parts of ITF symbols, add-ons alone, two codes in one."""
    text = scan.text
    if scan.symbol == "I" and len(text) not in scan.rules.itf_lengths:
        allowed = ", ".join(map(str, scan.rules.itf_lengths))
        return Refused(f"ITF symbols are easily read in part: {len(text)} digits are not of length {allowed}")
    if scan.aim in ("]E1", "]E2"):
        return Refused("only the add-on beside the EAN was read: scan the main code")
    if len(text) == 26 and has_mod10(text[:13]) and has_mod10(text[13:]):
        return Refused("two EAN-13 were read as one: scan them one after the other")
    return None


def _gs1_found(scan: Scan, message: Gs1Message, reason: str) -> Found:
    number = message.gtin14
    keys = gtin_keys(number, Gtin(number, GtinForm.ITF_14)) if number else ()
    return Found(Family.GS1, _reading(scan, CodeKind.GS1, reason, message, gs1_fields(message), keys))


def _house_found(scan: Scan, code: HouseCode, reason: str) -> Found:
    kind = CodeKind(code.kind.value)
    return Found(Family.HOUSE, _reading(scan, kind, reason, code, house_fields(code)))


def _reading(
    scan: Scan,
    kind: CodeKind,
    reason: str,
    payload: Payload,
    fields: tuple[Field, ...],
    keys: tuple[str, ...] = (),
) -> CodeReading:
    return CodeReading(kind, payload, scan.text, fields, (reason,), keys, aim=scan.aim, context=scan.context)


_FOR_DIGITS: tuple[Callable[[Scan], Outcome], ...] = (
    _label,
    _house,
    _payment,
    _bare_gs1,
    _item,
    _upc_e,
    _partial,
)
