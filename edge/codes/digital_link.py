"""GS1 Digital Link: a web address whose path names a product, e.g. https://id.gs1.org/01/09521234543213/10/ABC.

Any host may carry one. Compressed links are not read. Source: GS1 Digital Link URI Syntax 1.4.
"""

from __future__ import annotations

from urllib.parse import quote, unquote

from edge.codes.gs1 import Element, Gs1Message, element
from edge.codes.gs1_table import AIS, PRIMARY_KEYS
from edge.codes.house import split_link
from edge.errors import Invalid

#: How many attributes of one link are read; further ones are passed over with a note.
MAX_ATTRIBUTES = 50


def is_digital_link(text: str) -> bool:
    """Return whether the path of an http(s) address holds a GS1 primary key; the values may be wrong."""
    try:
        return _key_place(_segments(text)) is not None
    except Invalid:
        return False


def parse_digital_link(text: str, year: int) -> Gs1Message:
    """Return the elements of a GS1 Digital Link, short GTINs padded to 14 digits.

    Raises Invalid that names the AI and the fault; attributes that are unknown or wrong are only noted.
    """
    segments = _segments(text)
    place = _key_place(segments)
    if place is None:
        raise Invalid("not a GS1 Digital Link: no primary key such as /01/ in its path")
    key, qualifiers = segments[place], segments[place + 2 :: 2]
    _check_order(key, qualifiers)
    elements = [
        _path_element(ai, value, year)
        for ai, value in zip(segments[place::2], segments[place + 1 :: 2], strict=True)
    ]
    attributes, notes = _attributes(text, year, {found.ai for found in elements})
    return Gs1Message(tuple(elements) + attributes, notes)


def build_digital_link(
    host: str, path: tuple[tuple[str, str], ...], query: tuple[tuple[str, str], ...] = ()
) -> str:
    """Return the https link of path pairs (primary key first) and query pairs; raise Invalid for bad ones."""
    for ai, value in path + query:
        element(ai, value, 2026)
    _check_order(path[0][0], [ai for ai, _ in path[1:]])
    link = f"https://{host}" + "".join(f"/{ai}/{quote(value, safe='')}" for ai, value in path)
    return link + ("?" + "&".join(f"{ai}={quote(value, safe='')}" for ai, value in query) if query else "")


def _segments(text: str) -> list[str]:
    return split_link(text).path.rstrip("/").split("/")


def _key_place(segments: list[str]) -> int | None:
    """Return the last place from which on the path is key, value, then pairs of AI and value."""
    for place in range(len(segments) - 2, -1, -2):
        if segments[place] in PRIMARY_KEYS and all(ai in AIS for ai in segments[place::2]):
            return place
    return None


def _check_order(key: str, qualifiers: list[str]) -> None:
    if key not in PRIMARY_KEYS:
        raise Invalid(f"GS1 Digital Link: ({key}) is not a primary key")
    for allowed in PRIMARY_KEYS[key]:
        rest = iter(allowed)
        if all(ai in rest for ai in qualifiers):
            return
    orders = " or ".join(", ".join(allowed) or "none" for allowed in PRIMARY_KEYS[key])
    raise Invalid(
        f"GS1 Digital Link: after ({key}) come {', '.join(qualifiers)}; allowed in this order: {orders}"
    )


def _path_element(ai: str, escaped: str, year: int) -> Element:
    return element(ai, _padded(ai, _unescaped(ai, escaped)), year)


def _padded(ai: str, value: str) -> str:
    return value.zfill(14) if ai in ("01", "02") and len(value) in (8, 12, 13) else value


def _unescaped(ai: str, escaped: str) -> str:
    try:
        return unquote(escaped, errors="strict")
    except UnicodeDecodeError:
        raise Invalid(f"GS1 AI ({ai}): {escaped[:40]!r} is not percent-encoded UTF-8") from None


def _attributes(text: str, year: int, taken: set[str]) -> tuple[tuple[Element, ...], tuple[str, ...]]:
    """Return the attributes of the query that are GS1 elements, and notes on what was passed over."""
    elements: list[Element] = []
    notes: list[str] = []
    pairs = [pair for pair in split_link(text).query.replace(";", "&").split("&") if pair]
    if len(pairs) > MAX_ATTRIBUTES:
        notes.append(f"only the first {MAX_ATTRIBUTES} of {len(pairs)} attributes were read")
    for pair in pairs[:MAX_ATTRIBUTES]:
        ai, _, escaped = pair.partition("=")
        if not (ai.isascii() and ai.isdigit()):
            continue
        if ai in taken:
            notes.append(f"attribute {ai} repeats an element that is there already; it was passed over")
            continue
        try:
            elements.append(_path_element(ai, escaped, year))
            taken.add(ai)
        except Invalid as error:
            notes.append(f"attribute passed over: {error}")
    return tuple(elements), tuple(notes)
