"""Reading a JSON answer field by field; what is missing or of another kind is named. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from edge.gateways.line import Unreadable
from edge.gateways.wechat_pay.answers import Json, parse_object
from edge.money import MAX_FEN

_MAX_TEXT = 2 << 20
_MAX_ITEMS = 1000
_MAX_NUMBER = 1 << 53


class Fields:
    """A view of one JSON object. Every getter raises Unreadable that names the field's path.

    Getters called `need_...` refuse a field that is missing, null or empty; the others return None for it.
    """

    __slots__ = ("_path", "_values")

    def __init__(self, values: Json, path: str = "") -> None:
        self._values: Final = values
        self._path: Final = path

    @classmethod
    def parse(cls, body: bytes) -> Fields:
        """Return the view of a JSON object in `body`; raise Unreadable."""
        return cls(parse_object(body))

    def text(self, name: str, longest: int = 256) -> str | None:
        """Return a text of at most `longest` characters, never empty."""
        value = self._values.get(name)
        if value is None or value == "":
            return None
        if not isinstance(value, str) or len(value) > min(longest, _MAX_TEXT):
            raise self._wrong(name, f"is not a text of {longest} characters at most")
        return value

    def need_text(self, name: str, longest: int = 256) -> str:
        """Return a text that must be there."""
        value = self.text(name, longest)
        if value is None:
            raise self._wrong(name, "is missing")
        return value

    def expect(self, name: str, wanted: str) -> None:
        """Raise Unreadable unless the text is `wanted`; the values themselves are not told."""
        if self._values.get(name) != wanted:
            raise self._wrong(name, "is not ours; it is about something else")

    def number(self, name: str) -> int | None:
        """Return a whole number from 0 on."""
        value = self._values.get(name)
        if value is None:
            return None
        if type(value) is not int or not 0 <= value <= _MAX_NUMBER:
            raise self._wrong(name, "is not a whole number")
        return value

    def signed(self, name: str) -> int | None:
        """Return a whole number that may be negative."""
        value = self._values.get(name)
        if value is None:
            return None
        if type(value) is not int or abs(value) > _MAX_NUMBER:
            raise self._wrong(name, "is not a whole number")
        return value

    def need_number(self, name: str) -> int:
        """Return a whole number that must be there."""
        value = self.number(name)
        if value is None:
            raise self._wrong(name, "is missing")
        return value

    def fen(self, name: str) -> int | None:
        """Return an amount in fen, 0 to MAX_FEN."""
        value = self.number(name)
        if value is not None and value > MAX_FEN:
            raise self._wrong(name, f"is beyond {MAX_FEN} fen")
        return value

    def need_fen(self, name: str) -> int:
        """Return an amount in fen that must be there."""
        value = self.fen(name)
        if value is None:
            raise self._wrong(name, "is missing")
        return value

    def flag(self, name: str) -> bool | None:
        """Return true or false."""
        value = self._values.get(name)
        if value is not None and not isinstance(value, bool):
            raise self._wrong(name, "is neither true nor false")
        return value

    def instant(self, name: str) -> int | None:
        """Return an RFC 3339 time with a zone as Unix milliseconds."""
        text = self.text(name, 40)
        if text is None:
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise self._wrong(name, "is not an RFC 3339 time") from None
        if moment.tzinfo is None:
            raise self._wrong(name, "has no time zone")
        return int(moment.timestamp() * 1000)

    def within(self, name: str) -> Fields:
        """Return the object under `name`; an empty view when there is none."""
        value = self._values.get(name)
        if value is None:
            return Fields({}, self._at(name))
        if not isinstance(value, Mapping):
            raise self._wrong(name, "is not an object")
        return Fields(value, self._at(name))

    def each(self, name: str, most: int = _MAX_ITEMS) -> tuple[Fields, ...]:
        """Return the objects of the list under `name`, () when there is none; `most` at most."""
        value = self._values.get(name)
        if value is None:
            return ()
        if not isinstance(value, list) or len(value) > most:
            raise self._wrong(name, f"is not a list of {most} at most")
        views = []
        for place, item in enumerate(value):
            if not isinstance(item, Mapping):
                raise self._wrong(f"{name}[{place}]", "is not an object")
            views.append(Fields(item, f"{self._at(name)}[{place}]"))
        return tuple(views)

    def has(self, name: str) -> bool:
        """Whether the field is there and not null."""
        return self._values.get(name) is not None

    def _at(self, name: str) -> str:
        return f"{self._path}.{name}" if self._path else name

    def _wrong(self, name: str, what: str) -> Unreadable:
        return Unreadable(f"the answer's {self._at(name)} {what}")
