"""What a decoded code is, how symbologies are called and which of them prove themselves. Pure.

Names: EAN-13, EAN-8, UPC-A, UPC-E, Code-128, Code-39, Code-93, ITF, DataBar-14, DataBar-Lim, DataBar-Exp,
QR, DataMatrix (and PDF417, Aztec, Codabar where a caller asks for them). An EAN-13 with a leading zero is
a UPC-A: the bars are the same (GS1 General Specifications 5.2).
"""

from __future__ import annotations

from dataclasses import dataclass

Point = tuple[float, float]
Quad = tuple[Point, Point, Point, Point]

MATRIX = frozenset({"QR", "DataMatrix", "PDF417", "Aztec"})
"""Symbologies with Reed-Solomon error correction: one read is proof enough."""

DEFAULT_SYMBOLOGIES = (
    "EAN-13",
    "EAN-8",
    "UPC-A",
    "UPC-E",
    "Code-128",
    "Code-39",
    "Code-93",
    "ITF",
    "DataBar-14",
    "DataBar-Lim",
    "DataBar-Exp",
    "QR",
    "DataMatrix",
)
DEFAULT_ITF_LENGTHS = tuple(range(6, 41, 2))


@dataclass(frozen=True, slots=True)
class DecodedCode:
    """One code found in one picture.

    symbology: a name of this module. text: what a person would write down; UPC-A 12 digits, UPC-E 8, GS1
    content with its application identifiers in parentheses. payload: what a scanner that reports `aim`
    would send (EAN/UPC as 13 digits under ]E0, GS separators as "\\x1d"). raw: the payload's bytes as they
    stand in the symbol. aim: AIM id with its bracket (ISO/IEC 15424). engine: the engine and step whose read
    settled it. votes: how many reads agreed. box: corners in pixels of the picture as given, clockwise in
    the code's own direction.
    """

    symbology: str
    text: str
    payload: str
    raw: bytes
    aim: str | None
    engine: str
    box: Quad
    votes: int = 1


def retail_names(digits: str) -> tuple[str, str]:
    """Return (symbology, text) of 13 EAN digits: UPC-A with 12 digits where the first is zero."""
    if len(digits) == 13 and digits[0] == "0":
        return "UPC-A", digits[1:]
    return "EAN-13", digits


def expand_upc_e(text: str) -> str:
    """Return the 13 digits that the 8 digits of a UPC-E stand for (ISO/IEC 15420, zero suppression).

    Raises ValueError unless `text` is 8 digits.
    """
    if len(text) != 8 or not text.isascii() or not text.isdigit():
        raise ValueError(f"a UPC-E is 8 digits, got {text!r}")
    system, body, check = text[0], text[1:7], text[7]
    rule = body[5]
    if rule in "012":
        middle = body[:2] + rule + "0000" + body[2:5]
    elif rule == "3":
        middle = body[:3] + "00000" + body[3:5]
    elif rule == "4":
        middle = body[:4] + "00000" + body[4]
    else:
        middle = body[:5] + "0000" + rule
    return "0" + system + middle + check


def usable(symbology: str, text: str, itf_lengths: tuple[int, ...]) -> bool:
    """Say whether a read can be a code at all: not empty, and an ITF of an allowed number of digits.

    Any even run of bars inside a picture can look like a short ITF, so its lengths are listed.
    """
    if not text:
        return False
    return symbology != "ITF" or len(text) in itf_lengths


def bounds(box: Quad) -> tuple[float, float, float, float]:
    """Return left, top, right, bottom of a box."""
    xs = [point[0] for point in box]
    ys = [point[1] for point in box]
    return min(xs), min(ys), max(xs), max(ys)


def overlap(one: Quad, other: Quad, slack: float = 4.0) -> bool:
    """Say whether two boxes touch, within `slack` pixels."""
    left, top, right, bottom = bounds(one)
    left2, top2, right2, bottom2 = bounds(other)
    across = left - slack <= right2 and left2 - slack <= right
    return across and top - slack <= bottom2 and top2 - slack <= bottom
