"""How Chinese plates are written: the kinds, and which symbol may stand in which place. Pure.

GA 36-2018 has the civil, police, embassy, consular, Hong Kong and Macau, trailer and learner plates; the
armed police and the army number their own. I and O are not given out in serials, because they look like
1 and 0; O stands in second place on old plates of the authorities.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
DIGITS = "0123456789"
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
TAILS = "警学港澳使领挂试超应急"
SYMBOLS = DIGITS + LETTERS + "O" + PROVINCES + TAILS
"""Every symbol of every kind; the index of a symbol here is its index in the decoder's arrays."""

COLOURS = ("blue", "yellow", "green", "green_yellow", "white", "black")

_SERIAL = DIGITS + LETTERS
_CITY = LETTERS + "O"
_ENERGY = "DFABCEGHJK"
SELDOM = {"O": 1.5}
"""Symbols that are rare where they are allowed, and by how much (natural logarithm)."""
_ARMY = "VKHBSLJNGCZE"


@dataclass(frozen=True, slots=True)
class Syntax:
    """One kind of plate. slots: the allowed symbols of each place. colours: those it is made in.

    rarity: natural logarithm of how much rarer than an ordinary plate it is taken to be, 0 or below.
    """

    kind: str
    slots: tuple[str, ...]
    colours: frozenset[str]
    rarity: float = 0.0

    def __len__(self) -> int:
        """Return the number of symbols."""
        return len(self.slots)

    def accepts(self, text: str) -> bool:
        """Say whether `text` is a plate of this kind."""
        return len(text) == len(self.slots) and all(
            one in slot for one, slot in zip(text, self.slots, strict=True)
        )


def _syntax(kind: str, slots: list[str], colours: str, rarity: float) -> Syntax:
    return Syntax(kind, tuple(slots), frozenset(colours.split()), rarity)


def _tailed(kind: str, tail: str, colours: str, rarity: float) -> Syntax:
    return _syntax(kind, [PROVINCES, _CITY, *[_SERIAL] * 4, tail], colours, rarity)


SYNTAXES: tuple[Syntax, ...] = (
    _syntax("civil", [PROVINCES, _CITY, *[_SERIAL] * 5], "blue yellow black", 0.0),
    _syntax("energy_small", [PROVINCES, LETTERS, _ENERGY, _SERIAL, *[DIGITS] * 4], "green", 0.0),
    _syntax("energy_large", [PROVINCES, LETTERS, *[DIGITS] * 5, _ENERGY], "green green_yellow", -1.0),
    _tailed("police", "警", "white", -1.0),
    _tailed("learner", "学", "yellow", -1.0),
    _tailed("trailer", "挂", "yellow", -1.0),
    _syntax("hong_kong_macau", ["粤", "Z", *[_SERIAL] * 4, "港澳"], "black", -1.0),
    _syntax("consular", [PROVINCES, LETTERS, *[DIGITS] * 4, "领"], "black", -1.5),
    _syntax("embassy", ["使", *[DIGITS] * 6], "black", -1.5),
    _syntax("embassy_new", [*[DIGITS] * 6, "使"], "black green", -1.5),
    _tailed("trial", "试超", "yellow", -3.0),
    _syntax("rescue", [PROVINCES, "XS", *[DIGITS] * 4, "应", "急"], "white", -2.0),
    _syntax("armed_police", ["W", "J", PROVINCES, *[DIGITS] * 4, _SERIAL], "white", -2.0),
    _syntax("armed_police_staff", ["W", "J", *[DIGITS] * 4, _SERIAL], "white", -3.0),
    _syntax("army", [_ARMY, LETTERS, *[DIGITS] * 5], "white", -3.0),
)

UPPER_ROW = (_syntax("upper_row", [PROVINCES, _CITY], "yellow blue black", 0.0),)
LOWER_ROW = (
    _syntax("lower_row", [_SERIAL] * 5, "yellow blue black", 0.0),
    _syntax("lower_row_tail", [*[_SERIAL] * 4, "挂学警"], "yellow blue white", -1.0),
)
"""The rows of two-row plates (lorries' and buses' rear plates, trailers, motorcycles)."""


def kind_of(text: str) -> str | None:
    """Return the kind of the first syntax that accepts `text`, None when none does.

    A 7-symbol plate that ends in 警, 学, 挂 and so on is told from a civil one by that symbol alone.
    """
    return next((syntax.kind for syntax in SYNTAXES if syntax.accepts(text)), None)


@lru_cache(maxsize=64)
def slot_indices(slot: str) -> tuple[int, ...]:
    """Return the indices in SYMBOLS of a slot's symbols."""
    return tuple(SYMBOLS.index(one) for one in slot)
