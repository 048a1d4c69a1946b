"""Multipart bodies, whole or endless: bytes in, parts out, with a limit on everything.

    reader = MultipartReader(boundary_of(content_type))
    for part in reader.feed(data): ...
    last = reader.end()

A part ends where its Content-Length says or, without one, at the next boundary. Source: RFC 2046 §5.1,
RFC 7578; cameras leave the dashes of the boundary out of the header, or write them there too. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from devices.types import BadPush

MAX_HEAD_BYTES = 8 * 1024
MAX_PART_BYTES = 4 * 1024 * 1024
MAX_PARTS = 32

_BOUNDARY = re.compile(r'boundary\s*=\s*(?:"([^"]{1,100})"|([^\s;,]{1,100}))', re.IGNORECASE)
_NAME = re.compile(r'(?<![a-z])name\s*=\s*(?:"([^"]{0,100})"|([^\s;]{1,100}))', re.IGNORECASE)
_FILE = re.compile(r'filename\s*=\s*(?:"([^"]{0,200})"|([^\s;]{1,200}))', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Part:
    """One part. kind: its content type without parameters, in lower case. name: of the form field or file."""

    kind: str
    name: str
    body: bytes


class MultipartReader:
    """Cuts a stream into parts; raises BadPush for a part or head over its limit, and is done for then."""

    def __init__(self, boundary: str) -> None:
        """boundary: as in the content type, with or without leading dashes."""
        bare = boundary.lstrip("-").encode("latin-1", "replace")
        if not bare:
            raise BadPush("the multipart boundary is empty")
        self._mark = re.compile(rb"(?:\A|\r?\n)-*" + re.escape(bare) + rb"(--)?[ \t]*(?:\r?\n|\Z)")
        self._longest_mark = len(bare) + 80
        self._data = bytearray()
        self._inside = False
        self._head: dict[str, str] | None = None
        self._searched = 0

    def feed(self, data: bytes) -> list[Part]:
        """Take bytes; return the parts that they complete."""
        self._data += data
        parts = []
        while (part := self._next()) is not None:
            parts.append(part)
        return parts

    def end(self) -> list[Part]:
        """Say that nothing follows; return a last part that no boundary closed."""
        if self._head is None or not self._data.strip():
            return []
        return [self._take(len(self._data))]

    def _next(self) -> Part | None:
        if not self._inside and not self._skip_to_mark():
            return None
        if self._head is None and not self._read_head():
            return None
        return self._read_body()

    def _skip_to_mark(self) -> bool:
        while (found := self._find_mark(self._data)) is not None:
            del self._data[: found.end()]
            if found[1] is None:
                self._inside = True
                return True
        # What stands before the first boundary is nobody's; the start of one may be among its last bytes.
        if len(self._data) > MAX_HEAD_BYTES:
            del self._data[: -self._longest_mark]
        return False

    def _find_mark(self, data: bytearray, start: int = 0) -> re.Match[bytes] | None:
        for found in self._mark.finditer(data, start):
            # At the very end of what has come, more may follow that makes it no boundary.
            if found.end() < len(data) or found.group().endswith(b"\n"):
                return found
        return None

    def _read_head(self) -> bool:
        end = re.search(rb"\r?\n\r?\n|\A\r?\n", self._data[: MAX_HEAD_BYTES + 4])
        if end is None:
            if len(self._data) > MAX_HEAD_BYTES:
                raise BadPush(f"a part's head has more than {MAX_HEAD_BYTES} bytes")
            return False
        self._head = _headers(bytes(self._data[: end.start()]))
        del self._data[: end.end()]
        self._searched = 0
        return True

    def _read_body(self) -> Part | None:
        told = self._told_length()
        if told is not None:
            return self._take(told) if len(self._data) >= told else None
        found = self._find_mark(self._data, self._searched)
        if found is not None:
            return self._take(found.start())
        self._searched = max(0, len(self._data) - self._longest_mark)
        if len(self._data) > MAX_PART_BYTES:
            raise BadPush(f"a part has more than {MAX_PART_BYTES} bytes")
        return None

    def _told_length(self) -> int | None:
        text = (self._head or {}).get("content-length", "")
        if not (text.isascii() and text.isdigit()):
            return None
        if len(text) > 9 or int(text) > MAX_PART_BYTES:
            raise BadPush(f"a part of {text[:20]} bytes is announced; at most {MAX_PART_BYTES} are taken")
        return int(text)

    def _take(self, size: int) -> Part:
        head = self._head or {}
        body = bytes(self._data[:size])
        del self._data[:size]
        self._head, self._inside = None, False
        kind = head.get("content-type", "").partition(";")[0].strip().lower()
        place = head.get("content-disposition", "")
        return Part(kind, _first(_NAME, place) or _first(_FILE, place), body)


def boundary_of(content_type: str) -> str:
    """Return the boundary that a content type names; raise BadPush when it names none."""
    found = _BOUNDARY.search(content_type)
    if found is None:
        raise BadPush("the content type is multipart but names no boundary")
    return found[1] or found[2]


def whole_body(content_type: str, body: bytes) -> list[Part]:
    """Return the parts of a whole body; raise BadPush for more than MAX_PARTS of them, or for none."""
    reader = MultipartReader(boundary_of(content_type))
    parts = [*reader.feed(body + b"\r\n"), *reader.end()]
    if not parts:
        raise BadPush("the multipart body has no part with the boundary of its content type")
    if len(parts) > MAX_PARTS:
        raise BadPush(f"the multipart body has {len(parts)} parts, at most {MAX_PARTS} are taken")
    return parts


def _headers(head: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in head.decode("utf-8", "replace").splitlines():
        name, colon, value = line.partition(":")
        if colon:
            found.setdefault(name.strip().lower(), value.strip())
    return found


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return (found[1] or found[2] or "") if found else ""
