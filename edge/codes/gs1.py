"""GS1 element strings: reading, typed access and writing.

Source: GS1 General Specifications, sections 3 and 7.8; AIM ids from ISO/IEC 15424.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from edge.codes.gs1_table import AIS, Ai
from edge.codes.gs1_values import check_value, gs1_date
from edge.errors import Invalid
from edge.money import MAX_FEN


@dataclass(frozen=True, slots=True)
class Element:
    """One AI with its value.

    value: as written. meaning: in words, "" when the value says it all. day: for dates. decimals: how
    many of the value's digits come after the point, None where that means nothing.
    """

    ai: str
    value: str
    title: str
    meaning: str
    decimals: int | None = None
    day: date | None = None


@dataclass(frozen=True, slots=True)
class Gs1Message:
    """The elements of one symbol, in its order. notes: what was passed over, in sentences."""

    elements: tuple[Element, ...]
    notes: tuple[str, ...] = ()

    def find(self, ai: str) -> Element | None:
        """Return the element of this AI; "310n" finds whichever of 3100 to 3109 is there."""
        for element in self.elements:
            if element.ai == ai or (ai[-1] == "n" and len(ai) == 4 and element.ai[:3] == ai[:3]):
                return element
        return None

    def text(self, ai: str) -> str | None:
        """Return the value of this AI as written, or None."""
        element = self.find(ai)
        return None if element is None else element.value

    @property
    def gtin14(self) -> str | None:
        """The trade item, 14 digits: AI 01, made-to-order 03, or the first 14 digits of a piece 8006."""
        piece = self.text("8006")
        return self.text("01") or self.text("03") or (piece[:14] if piece else None)

    @property
    def weight_g(self) -> int | None:
        """The net weight (310n) in grams, rounded half up."""
        element = self.find("310n")
        return None if element is None else _scaled(element, 1000)

    @property
    def amount_fen(self) -> int | None:
        """The price of this item (392n, or 393n in yuan) in fen; None when it is no whole fen."""
        element = self.find("392n")
        if element is None:
            element = self.find("393n")
            if element is None or element.value[:3] != "156":
                return None
        return _exact_fen(element)

    @property
    def expires_on(self) -> date | None:
        """The last day of use: expiry (17, 7003), else best before (15), else sell by (16)."""
        for ai in ("17", "7003", "15", "16"):
            element = self.find(ai)
            if element is not None:
                return element.day
        return None

    @property
    def count(self) -> int | None:
        """How many pieces (30, else 37)."""
        value = self.text("30") or self.text("37")
        return None if value is None else int(value)


#: AIM ids of symbols that begin with FNC1 or carry GS1 data by definition.
GS1_AIMS = frozenset(("]C1", "]e0", "]e1", "]d2", "]Q3", "]J1", "]z5"))
GS = "\x1d"

_PARENTHESES = re.compile(r"\((\d{2,4})\)", re.ASCII)
_DATE_RULES = ("date0", "date", "datehour")


def parse_element_string(text: str, year: int) -> Gs1Message:
    """Return the elements of a symbol's data without AIM id; a leading GS (FNC1) is passed over.

    year: the present year, for the century of dates. Raises Invalid that names AI, place and fault.
    """
    pairs: list[tuple[str, str, int]] = []
    place = 0
    while place < len(text):
        if text[place] == GS:
            place += 1
            continue
        ai = _ai_at(text, place)
        start = place + len(ai.ai)
        end = _value_end(text, ai, start)
        pairs.append((ai.ai, text[start:end], place + 1))
        place = end
    return _message(pairs, year)


def parse_parenthesised(text: str, year: int) -> Gs1Message:
    """Return the elements of the printed form, e.g. "(01)09521234543213(10)ABC123"; raises Invalid."""
    marks = [mark for mark in _PARENTHESES.finditer(text) if mark.group(1) in AIS]
    if not marks or marks[0].start() != 0:
        found = _PARENTHESES.match(text)
        named = (
            f"({found.group(1)}) is not a GS1 AI" if found else "it does not begin with an AI in parentheses"
        )
        raise Invalid(f"GS1 text cannot be read: {named}")
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    pairs = [
        (mark.group(1), text[mark.end() : end], mark.start() + 1)
        for mark, end in zip(marks, ends, strict=True)
    ]
    return _message(pairs, year)


def build_element_string(pairs: Sequence[tuple[str, str]]) -> str:
    """Return the data of a GS1 symbol for (AI, value) pairs, GS only where one is needed.

    Raises Invalid for an unknown AI or a value that the AI does not allow.
    """
    parts = []
    for position, (ai, value) in enumerate(pairs):
        element(ai, value, 2026)
        last = position == len(pairs) - 1
        parts.append(ai + value + ("" if last or AIS[ai].predefined else GS))
    return "".join(parts)


def element(ai: str, value: str, year: int, place: int | None = None) -> Element:
    """Return the element of one AI and value; raise Invalid that names the AI, the place and the fault."""
    known = AIS.get(ai)
    where = f"GS1 AI ({ai})" + (f" at character {place}" if place else "")
    if known is None:
        raise Invalid(f"{where} does not exist")
    try:
        meaning = check_value(known, value, year)
    except Invalid as error:
        raise Invalid(f"{where} {known.title}: {error}") from None
    dated = known.components[0].rule in _DATE_RULES
    day = gs1_date(value[:6], year) if dated else None
    return Element(ai, value, known.title, meaning, known.decimals, day)


def _ai_at(text: str, place: int) -> Ai:
    for length in (2, 3, 4):
        ai = AIS.get(text[place : place + length])
        if ai is not None:
            return ai
    raise Invalid(
        f"GS1 data: no AI begins with {text[place : place + 4]!r} at character {place + 1}{_hint(place)}"
    )


def _hint(place: int) -> str:
    if place == 0:
        return ""
    return "; if the value before it has a variable length, the scanner may not be sending GS (FNC1) after it"


def _value_end(text: str, ai: Ai, start: int) -> int:
    """Return where the value ends: by its fixed length, or at the next GS or the end of the data."""
    stop = text.find(GS, start)
    stop = len(text) if stop < 0 else stop
    if ai.predefined:
        return min(start + ai.longest, stop)
    if stop - start > ai.longest:
        raise Invalid(
            f"GS1 AI ({ai.ai}) at character {start - len(ai.ai) + 1} {ai.title}: {stop - start} characters, "
            f"{ai.longest} at most; set the scanner to send GS (FNC1, 0x1D) after it"
        )
    return stop


def _message(pairs: Sequence[tuple[str, str, int]], year: int) -> Gs1Message:
    elements: list[Element] = []
    values: dict[str, str] = {}
    for ai, value, place in pairs:
        if values.setdefault(ai, value) != value:
            raise Invalid(f"GS1 AI ({ai}) at character {place} comes twice with different values")
        elements.append(element(ai, value, year, place))
    if not elements:
        raise Invalid("GS1 data is empty")
    return Gs1Message(tuple(elements))


def _scaled(found: Element, unit: int) -> int:
    scale: int = 10 ** (found.decimals or 0)
    return (2 * int(found.value) * unit + scale) // (2 * scale)


def _exact_fen(found: Element) -> int | None:
    digits = found.value[3:] if found.ai[:3] == "393" else found.value
    amount_fen, rest = divmod(int(digits) * 100, 10 ** (found.decimals or 0))
    return amount_fen if rest == 0 and amount_fen <= MAX_FEN else None
