"""What a number plate says and what it can be: syntax by kind, colours, look-alike characters, masking. Pure.

Sources: GA 36-2018 (number plates of motor vehicles of the People's Republic of China) with its serials of
six for new energy; the forms of 2012 for military and armed police; the emergency plates of 2019.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from edge.errors import Invalid
from edge.parking.vehicle import PlateColour

#: The short names of provinces, autonomous regions and municipalities.
PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"

#: Letters of issuing offices and of serials: no I, no O.
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"

#: The longest text that is kept of a plate.
MAX_PLATE = 12

#: What cameras write for a vehicle without a plate, after normalising.
_NONE = frozenset({"无", "无牌", "无牌车", "无车牌", "未识别", "未知", "NOPLATE", "UNKNOWN", "NONE", "NULL"})


class PlateKind(StrEnum):
    """What a plate is for. CUSTOM: foreign, factory and site plates, which follow no rule of ours."""

    STANDARD = "standard"
    ENERGY_SMALL = "energy_small"
    ENERGY_LARGE = "energy_large"
    POLICE = "police"
    EMBASSY = "embassy"
    CONSULATE = "consulate"
    HONG_KONG = "hong_kong"
    MACAU = "macau"
    LEARNER = "learner"
    TRAILER = "trailer"
    ARMED_POLICE = "armed_police"
    MILITARY = "military"
    CIVIL_AVIATION = "civil_aviation"
    EMERGENCY = "emergency"
    TEMPORARY = "temporary"
    CUSTOM = "custom"


class PlateDoubt(StrEnum):
    """Why a text can hardly be a plate as it stands.

    EIGHTH_MISSING: seven characters on a green ground. SERIAL: a character that its place does not allow.
    COLOUR: no kind of that form has that ground.
    """

    EMPTY = "empty"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    PROVINCE = "province"
    OFFICE = "office"
    SERIAL = "serial"
    EIGHTH_MISSING = "eighth_missing"
    COLOUR = "colour"


@dataclass(frozen=True, slots=True)
class _Form:
    kind: PlateKind
    shape: re.Pattern[str]
    colours: frozenset[PlateColour]


_P, _L, _S = f"[{PROVINCES}]", f"[{LETTERS}]", f"[{LETTERS}0-9]"
_BLUE, _YELLOW, _WHITE, _BLACK = PlateColour.BLUE, PlateColour.YELLOW, PlateColour.WHITE, PlateColour.BLACK
_GREEN, _GREEN_YELLOW = PlateColour.GREEN, PlateColour.GREEN_YELLOW


def _form(kind: PlateKind, shape: str, *colours: PlateColour) -> _Form:
    return _Form(kind, re.compile(shape), frozenset(colours))


# Black without 港 or 澳 are foreigners' plates of before 2007, still on the road.
_FORMS = (
    _form(PlateKind.STANDARD, f"{_P}[A-HJ-Z]{_S}{{5}}", _BLUE, _YELLOW, _BLACK),
    _form(PlateKind.ENERGY_SMALL, rf"{_P}{_L}[A-HJK]{_S}\d{{4}}", _GREEN),
    _form(PlateKind.ENERGY_LARGE, rf"{_P}{_L}\d{{5}}[A-HJK]", _GREEN_YELLOW, _GREEN),
    _form(PlateKind.POLICE, f"{_P}{_L}{_S}{{4}}警", _WHITE),
    _form(PlateKind.EMBASSY, r"使\d{6}|\d{6}使", _BLACK),
    _form(PlateKind.CONSULATE, f"{_P}{_L}{_S}{{4}}领", _BLACK),
    _form(PlateKind.HONG_KONG, f"粤Z{_S}{{4}}港", _BLACK),
    _form(PlateKind.MACAU, f"粤Z{_S}{{4}}澳", _BLACK),
    _form(PlateKind.LEARNER, f"{_P}{_L}{_S}{{4}}学", _YELLOW),
    _form(PlateKind.TRAILER, f"{_P}{_L}{_S}{{4}}挂", _YELLOW),
    _form(PlateKind.ARMED_POLICE, rf"WJ{_P}?\d{{4}}[0-9A-HJ-NP-Z]", _WHITE),
    _form(PlateKind.MILITARY, rf"[A-HJ-NP-Z]{{2}}{_S}\d{{4}}", _WHITE),
    _form(PlateKind.CIVIL_AVIATION, rf"民航{_S}\d{{4}}", _GREEN, _GREEN_YELLOW, _WHITE),
    _form(PlateKind.EMERGENCY, rf"{_P}[SX]{_S}{{4}}应急", _WHITE),
    _form(PlateKind.TEMPORARY, f"{_P}{_L}{_S}{{4,6}}临|临{_L}{_S}{{4,6}}", _BLUE, _WHITE, _YELLOW, _GREEN),
)

_CUSTOM = re.compile(r"[A-Z0-9\u4e00-\u9fff]*[0-9][A-Z0-9\u4e00-\u9fff]*")
_CIVIL = re.compile(f"{_P}[A-Z][A-Z0-9]{{5,6}}")
_NO_LOOK_ALIKE = str.maketrans("IO", "10")
_DIGITS = frozenset("0123456789")

# How readers take one character for another, as a share of all wrong reads of the first, in thousandths. From
# the remaining failures of readers on real pictures: 0/O/Q/D, 1/T/I, 7/Z, E/F and 8/B above all.
_PAIRS = """
0D 300 0Q 350 0O 400 0U 30 DQ 200 DO 200 QO 300 1T 350 1I 400 1L 80 1J 30 1Y 30 TI 150 TY 60 7Z 350 7T 60
7Y 40 2Z 300 EF 400 EB 30 8B 400 83 60 86 50 80 30 B3 40 BR 60 BD 60 5S 400 56 60 6G 300 6C 30 GC 150 CQ 40
4A 300 MN 200 MW 80 HN 100 HM 100 VY 200 UV 150 VW 60 KX 150 XY 80 PR 200 PF 80 39 40 UJ 60 LC 20
"""

#: Characters that a group stands for when candidates are looked up; each by the first of its group.
_GROUPS = ("0OQD", "1ITL", "2Z7", "8B3", "EF", "5S", "6GC", "4A", "MNHW", "VYU", "KX", "PR")


def normalise(text: str) -> str:
    """Return a plate as it is stored and compared: upper case, no marks, no full-width forms; "" for none.

    A civil plate has no I and no O in its serial, so they become 1 and 0 there. Never raises: what is no
    plate at all is returned as what is left of it, `MAX_PLATE` characters at most.
    """
    folded = unicodedata.normalize("NFKC", text[: 8 * MAX_PLATE]).upper()
    kept = "".join(one for one in folded if _is_kept(one))[:MAX_PLATE]
    if kept in _NONE:
        return ""
    if _CIVIL.fullmatch(kept):
        return kept[:2] + kept[2:].translate(_NO_LOOK_ALIKE)
    return kept


def kinds_of(text: str, colour: PlateColour = PlateColour.UNKNOWN) -> tuple[PlateKind, ...]:
    """Return the kinds that a normalised text and its ground can be, CUSTOM only when no other is.

    An unknown colour rules nothing out. () for what cannot be a plate at all.
    """
    fitting = [form for form in _FORMS if form.shape.fullmatch(text)]
    if fitting:
        return tuple(form.kind for form in fitting if colour in form.colours or colour is PlateColour.UNKNOWN)
    return (PlateKind.CUSTOM,) if 3 <= len(text) <= MAX_PLATE and _CUSTOM.fullmatch(text) else ()


def require_plate(text: str) -> str:
    """Return what a person typed as a plate, normalised; raise Invalid for what can be none."""
    plate = normalise(text)
    if not kinds_of(plate):
        raise Invalid(f"{text!r:.30} can be no plate; write it like 粤B12345 or 粤BD12345")
    return plate


def is_plausible(text: str, colour: PlateColour = PlateColour.UNKNOWN) -> bool:
    """Return whether a normalised text can be a plate by the rules, of that ground; CUSTOM is not enough."""
    return why_not(text, colour) is None


def why_not(text: str, colour: PlateColour = PlateColour.UNKNOWN) -> PlateDoubt | None:
    """Return why a normalised text can hardly be a plate as it stands, None when it can."""
    if not text:
        return PlateDoubt.EMPTY
    if any(kind is not PlateKind.CUSTOM for kind in kinds_of(text, colour)):
        return None
    green = colour in (_GREEN, _GREEN_YELLOW)
    if green and len(text) == 7 and text[0] in PROVINCES:
        return PlateDoubt.EIGHTH_MISSING
    if any(form.shape.fullmatch(text) for form in _FORMS):
        return PlateDoubt.COLOUR
    if not 7 <= len(text) <= 8:
        return PlateDoubt.TOO_SHORT if len(text) < 7 else PlateDoubt.TOO_LONG
    if text[0] not in PROVINCES:
        return PlateDoubt.PROVINCE
    return PlateDoubt.OFFICE if text[1] not in LETTERS else PlateDoubt.SERIAL


def confusion(true: str, read: str) -> float:
    """Return how often `true`, when it is misread, is read as `read`: a share, the same both ways.

    Provinces are taken for each other alike. A pair that is not known as look-alike has a small share.
    """
    pair = CONFUSABLE.get((true, read))
    if pair is not None:
        return pair
    if true in PROVINCES and read in PROVINCES:
        return 0.03
    return 0.004


def is_confusable(true: str, read: str) -> bool:
    """Return whether two characters are known to be taken for each other."""
    return (true, read) in CONFUSABLE


def fold(text: str) -> str:
    """Return a text with each character replaced by that of its look-alike group; for looking up only."""
    return text.translate(_FOLD)


def lookup_keys(plate: str) -> tuple[str, ...]:
    """Return the keys by which plates that differ little share at least one; sorted, 22 at most for 8.

    They are the folded serial without province and office, and it with one and two characters taken out;
    of serials above seven only one is. () for "".
    """
    serial = fold(plate[2:] if plate[:1] in PROVINCES else plate)
    if not serial:
        return ()
    keys = {serial} | set(_without_one(serial))
    if 4 <= len(serial) <= 7:
        keys |= {less for one in tuple(keys - {serial}) for less in _without_one(one)}
    return tuple(sorted(keys))


def mask_plate(plate: str) -> str:
    """Return a plate as strangers and receipts may show it: without its last two characters, "粤B·123··".

    Its length stays to be seen; of four or fewer characters the first alone is shown.
    """
    if len(plate) <= 4:
        return plate[:1] + "·" * max(len(plate) - 1, 0)
    hidden = min(2, len(plate) - 4)
    return f"{plate[:2]}·{plate[2 : len(plate) - hidden]}{'·' * hidden}"


def _is_kept(one: str) -> bool:
    return "A" <= one <= "Z" or one in _DIGITS or "\u4e00" <= one <= "\u9fff"


def _without_one(text: str) -> Iterator[str]:
    return (text[:at] + text[at + 1 :] for at in range(len(text)))


def _confusable() -> dict[tuple[str, str], float]:
    words = _PAIRS.split()
    pairs: dict[tuple[str, str], float] = {}
    for pair, share in zip(words[::2], words[1::2], strict=True):
        first, second = pair[0], pair[1]
        pairs[first, second] = pairs[second, first] = int(share) / 1000
    return pairs


#: Look-alike characters, both ways, with their share of all misreads of the first.
CONFUSABLE: Mapping[tuple[str, str], float] = _confusable()
_FOLD = str.maketrans({one: group[0] for group in _GROUPS for one in group[1:]})
