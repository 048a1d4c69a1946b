"""Values in few words, for whoever reads a story: what tells most first, no defaults, no heads of ids."""

from __future__ import annotations

import re
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any

#: The longest that one value is told.
LONGEST = 120

#: What stands first, and what says little to a person. Moments are told when they come or go.
_FIRST = {"state": 0, "print_state": 0, "phase": 0, "amount_fen": 1, "legs": 1, "tenders": 1, "entries": 1}
_SILENT = ("_ns", "_boot", "workstation", "business_day", "token", "source", "changed_at", "touched_at")
_TELLING = ("entered_at",)
_ID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?([0-9a-f]{12})")

#: The world stands in Shanghai.
_HERE = timedelta(hours=8)

#: Wall times before this are those of a clock without a battery.
_DATED_MS = 86_400_000


def brief(value: object, within: bool = False) -> str:
    """Return a value as short as it can be understood.

    within: it is part of another, of which a few words must do.
    """
    if isinstance(value, Enum):
        return str(value.value)
    if is_dataclass(value) and not isinstance(value, type):
        told = [one for one in _said(value) if not (within and one[0].endswith(("_id", "_no")))]
        said = [_named(name, one) for name, one in told or _said(value)]
        return f"{type(value).__name__}({', '.join(said[: 3 if within else None])})"
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(brief(one, within=True) for one in value[:4])}{', ...' * (len(value) > 4)}]"
    if isinstance(value, BaseException):
        return f"{type(value).__name__}: {value}"
    return short(str(value))[:LONGEST]


def short(text: str) -> str:
    """Return a text without the heads of its ids."""
    return _ID.sub(lambda found: f"~{found.group(1).lstrip('0') or '0'}", text)


def changed(value: Any, before: Any) -> str:
    """Return which record this is, and what of it has become another than it was `before`."""
    said = [
        _named(one.name, getattr(value, one.name))
        for one in sorted(fields(value), key=lambda one: _FIRST.get(one.name, 2))
        if getattr(value, one.name) != getattr(before, one.name) and _speaks(one)
    ]
    which = brief(getattr(value, fields(value)[0].name))
    return f"{type(value).__name__}({which}: {', '.join(said) or 'as it was'})"


def _said(value: Any) -> list[tuple[str, object]]:
    """Return the fields that say something, what tells most first."""
    told = []
    for one in fields(value):
        found = getattr(value, one.name)
        if found != _default(one) and found not in (None, "", ()) and _speaks(one):
            told.append((one.name, found))
    return sorted(told, key=lambda named: _FIRST.get(named[0], 2))


def _speaks(field: Field[Any]) -> bool:
    """Return whether a field says something: a moment that every record has does not."""
    moment = field.name.endswith("_at") and field.name not in _TELLING
    return not field.name.endswith(_SILENT) and not (moment and _default(field) is MISSING)


def _default(field: Field[Any]) -> object:
    return field.default_factory() if field.default_factory is not MISSING else field.default


def _named(name: str, value: object) -> str:
    if name.endswith("_at") and isinstance(value, int) and value:
        return f"{name}={_moment(value)}"
    return f"{name}={brief(value, within=True)}"


def _moment(at: int) -> str:
    """Return a wall time as a clock on the wall shows it."""
    shown = datetime.fromtimestamp(at / 1_000, UTC) + _HERE
    return shown.strftime("%H:%M:%S" if at > _DATED_MS else "%Y-%m-%d %H:%M:%S")
