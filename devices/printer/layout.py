"""Where the characters of a receipt stand, in cells: a Latin character is 1 cell, a Chinese one is 2.

A printer in Chinese mode prints every two-byte character 2 cells wide, also those that Unicode calls
narrow or ambiguous (× · ° α), so the width follows the encoding and not only Unicode's table.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from devices.printer.profile import Chinese
from devices.types import Align, Columns, Drawer, PrintBlock, QrCode, Rule, TextLine

MISSING = "□"
# GBK has the full-width signs only; a receipt is full of the others.
_ALIKE = str.maketrans({"¥": "￥", "\u00a0": " ", "–": "-", "−": "-", "•": "·", "©": "C", "®": "R"})
_NARROWEST_NAME = 8


def printable(text: str, chinese: Chinese) -> str:
    """Return `text` as it can be printed: composed, without control characters, □ for what is missing."""
    composed = unicodedata.normalize("NFC", text).translate(_ALIKE)
    return "".join(_printable_character(character, chinese) for character in composed)


def cells(text: str, chinese: Chinese) -> int:
    """Return how many cells printable `text` takes."""
    return sum(_cell(character, chinese) for character in text)


def wrap(text: str, width: int, chinese: Chinese) -> list[str]:
    """Break printable `text` into lines of at most `width` cells (width >= 2), at spaces where there are any.

    Returns at least one line, which may be empty.
    """
    lines = []
    rest = text
    while cells(rest, chinese) > width:
        end = _fitting(rest, width, chinese)
        space = rest.rfind(" ", 1, end + 1)
        if space > 0 and rest[end] != " " and _splits_word(rest, end):
            end = space
        lines.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    return [*lines, rest]


def columns(left: str, right: str, width: int, chinese: Chinese) -> list[str]:
    """Set two printable texts on `width` cells: the left one wraps, the right one ends the last line.

    A right text that would leave the name under 8 cells gets lines of its own, right-aligned.
    """
    room = width - cells(right, chinese) - 1
    if room < min(_NARROWEST_NAME, max(1, cells(left, chinese))):
        return [
            *wrap(left, width, chinese),
            *(_right(line, width, chinese) for line in wrap(right, width, chinese)),
        ]
    *above, last = wrap(left, max(2, room), chinese)
    gap = width - cells(last, chinese) - cells(right, chinese)
    return [*above, last + " " * gap + right]


def lay_out(
    blocks: tuple[PrintBlock, ...], width: int, chinese: Chinese
) -> Iterator[TextLine | QrCode | Drawer]:
    """Yield what goes on paper line by line: each TextLine is printable and fits `width` / scale cells."""
    for block in blocks:
        match block:
            case TextLine():
                yield from _text(block, width, chinese)
            case Columns(left, right, bold):
                texts = printable(left, chinese), printable(right, chinese)
                for line in columns(*texts, width, chinese):
                    yield TextLine(line, bold=bold)
            case Rule():
                yield TextLine("-" * width)
            case _:
                yield block


def _text(block: TextLine, width: int, chinese: Chinese) -> Iterator[TextLine]:
    scale = 2 if block.scale >= 2 else 1
    for paragraph in block.text.split("\n"):
        for line in wrap(printable(paragraph, chinese), width // scale, chinese):
            yield TextLine(line, block.align, block.bold, scale)


def _printable_character(character: str, chinese: Chinese) -> str:
    if " " <= character <= "~":
        return character
    category = unicodedata.category(character)
    if category in ("Cf", "Mn", "Me"):
        return ""
    if category[0] in "CZ":
        return " " if character.isspace() else MISSING
    return character if _has(character, chinese) else MISSING


def _has(character: str, chinese: Chinese) -> bool:
    """Whether the printer's font can be expected to have it.

    GB18030 encodes all of Unicode, but of its four-byte half printers carry at most CJK Extension A.
    """
    if chinese in (Chinese.UTF8, Chinese.RASTER):
        return ord(character) <= 0xFFFF
    try:
        encoded = character.encode(chinese.value)
    except UnicodeEncodeError:
        return False
    return len(encoded) == 2 or "\u3400" <= character <= "\u4dbf"


def _cell(character: str, chinese: Chinese) -> int:
    if character <= "~":
        return 1
    if chinese in (Chinese.GB18030, Chinese.GBK):
        return 2
    return 2 if unicodedata.east_asian_width(character) in "WFA" else 1


def _fitting(text: str, width: int, chinese: Chinese) -> int:
    taken = 0
    for index, character in enumerate(text):
        taken += _cell(character, chinese)
        if taken > width:
            return index
    return len(text)


def _splits_word(text: str, end: int) -> bool:
    return text[end - 1].isascii() and text[end].isascii()


def _right(line: str, width: int, chinese: Chinese) -> str:
    return " " * (width - cells(line, chinese)) + line


def aligned(line: TextLine, width: int, chinese: Chinese) -> int:
    """Return how many cells of `width` stand empty before a centred or left line."""
    return (width - cells(line.text, chinese)) // 2 if line.align is Align.CENTER else 0
