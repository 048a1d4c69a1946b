"""Labels that a weighing scale prints: item, weight and amount inside a 13- or 18-digit number.

A layout is written as it looks, for example "21PPPPPWWWWWC": the prefix in digits, then fields of
P = item, W = weight, A = amount, V = verifier of the amount, and C = the EAN check digit at the end.
Sources: GS1 General Specifications 2.1.12 (restricted circulation) and 7.9 (verifiers); China's
18-digit label carries item, amount and weight, with an EAN check digit over its 17 digits.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from edge.codes.check_digits import PRICE_FIELD_WIDTHS, has_mod10, is_digits, mod10, price_check_digit
from edge.errors import Invalid


@dataclass(frozen=True, slots=True)
class ScaleLayout:
    """Where the fields of a label are; make one with `parse_layout`.

    pattern: as configured. prefix: its leading digits. item, weight, amount, verifier: (start, end) or
    None. weight_factor: grams for one unit of W. amount_factor: fen for one unit of A.
    """

    pattern: str
    prefix: str
    length: int
    item: tuple[int, int]
    weight: tuple[int, int] | None
    amount: tuple[int, int] | None
    verifier: tuple[int, int] | None
    weight_factor: int
    amount_factor: int


@dataclass(frozen=True, slots=True)
class ScaleLabel:
    """One label, read.

    text: all digits. item: the item field, leading zeros kept. weight_g, amount_fen: None where the
    layout has no such field. keys: what to look up in the catalogue, first match wins. Its repr leaves
    the digits out, because 18 of them may be a payment code after all.
    """

    text: str
    layout: ScaleLayout
    item: str
    weight_g: int | None
    amount_fen: int | None
    keys: tuple[str, ...]

    def __repr__(self) -> str:
        """Show the layout and the item only."""
        return f"ScaleLabel({self.layout.pattern}, item {self.item})"


#: How long a label may be.
LABEL_LENGTHS = (13, 18)

#: How many layouts one box may have.
MAX_LAYOUTS = 32

_LETTERS = {"P": "item", "W": "weight", "A": "amount", "V": "verifier of the amount", "C": "check digit"}
_RUNS = re.compile(r"([A-Z])\1*", re.ASCII)
_DECIMALS = re.compile(r"([WA])([0-9])", re.ASCII)
_MAX_DECIMALS = {"W": 3, "A": 2}


def parse_layout(text: str) -> ScaleLayout:
    """Return the layout written as pattern and, if needed, decimals: "21PPPPPWWWWWC" or "21PPPPPWWWWWC W2".

    W3 (default) means kilograms with three decimals, so grams; A2 (default) yuan with two, so fen.
    Raises Invalid that names the pattern and what is wrong with it.
    """
    pattern, _, options = text.strip().upper().partition(" ")
    prefix = pattern[: len(pattern) - len(pattern.lstrip("0123456789"))]
    spans = _spans(pattern, len(prefix))
    _check_spans(pattern, prefix, spans)
    decimals = _decimals(pattern, options)
    return ScaleLayout(
        pattern=pattern,
        prefix=prefix,
        length=len(pattern),
        item=spans["P"],
        weight=spans.get("W"),
        amount=spans.get("A"),
        verifier=spans.get("V"),
        weight_factor=10 ** (3 - decimals["W"]),
        amount_factor=10 ** (2 - decimals["A"]),
    )


def parse_layouts(texts: Sequence[str]) -> tuple[ScaleLayout, ...]:
    """Return the layouts, longest prefix first; raise Invalid when two would read the same labels.

    Two layouts overlap when they have one length and one prefix. A longer prefix inside a shorter one
    is allowed: it is the exception and is tried first.
    """
    if len(texts) > MAX_LAYOUTS:
        raise Invalid(f"{len(texts)} scale layouts are too many; {MAX_LAYOUTS} at most")
    layouts = [parse_layout(text) for text in texts]
    taken: dict[tuple[int, str], str] = {}
    for layout in layouts:
        other = taken.setdefault((layout.length, layout.prefix), layout.pattern)
        if other is not layout.pattern:
            raise Invalid(
                f"scale layouts {other} and {layout.pattern} both read {layout.length}-digit labels that "
                f"begin with {layout.prefix}; keep one of them or give one a longer prefix"
            )
    return tuple(sorted(layouts, key=lambda layout: -len(layout.prefix)))


#: What most scales in China are set to. 20 and 21 differ between makers, so check them on the box.
CHINA_LAYOUTS = ("20PPPPPAAAAAC", "21PPPPPWWWWWC", "02PPPPPAAAAAC", "26PPPPPAAAAAWWWWWC")


def match_layout(text: str, layouts: Sequence[ScaleLayout]) -> ScaleLayout | None:
    """Return the first layout whose length and prefix `text` has; nothing is verified yet."""
    length = len(text)
    for layout in layouts:
        if layout.length == length and text.startswith(layout.prefix):
            return layout
    return None


def read_label(text: str, layout: ScaleLayout) -> ScaleLabel:
    """Return the fields of a label that fits `layout`; raise Invalid for a wrong check digit or verifier."""
    if match_layout(text, (layout,)) is None or not is_digits(text):
        raise Invalid(f"these {len(text)} characters do not fit scale layout {layout.pattern}")
    if not has_mod10(text):
        raise Invalid(f"the check digit is {text[-1]}, expected {mod10(text[:-1])}; scan it again")
    _check_verifier(text, layout)
    weight, amount = _cut(text, layout.weight), _cut(text, layout.amount)
    return ScaleLabel(
        text=text,
        layout=layout,
        item=text[slice(*layout.item)],
        weight_g=None if weight is None else int(weight) * layout.weight_factor,
        amount_fen=None if amount is None else int(amount) * layout.amount_factor,
        keys=_keys(text, layout),
    )


def build_label(layout: ScaleLayout, item: str, weight_g: int = 0, amount_fen: int = 0) -> str:
    """Return the digits of a label; the inverse of `read_label`. Raises Invalid for what does not fit."""
    digits = list(layout.pattern)
    amount = _units(amount_fen, layout.amount_factor, layout.amount, "amount_fen")
    fields = (
        (layout.item, item.zfill(layout.item[1] - layout.item[0])),
        (layout.weight, _units(weight_g, layout.weight_factor, layout.weight, "weight_g")),
        (layout.amount, amount),
        (layout.verifier, str(price_check_digit(amount)) if layout.verifier else ""),
    )
    for span, value in fields:
        if span is None:
            continue
        if not is_digits(value) or len(value) != span[1] - span[0]:
            raise Invalid(f"{value!r} does not fit {span[1] - span[0]} digits of layout {layout.pattern}")
        digits[slice(*span)] = value
    body = "".join(digits[:-1])
    return body + str(mod10(body))


def _spans(pattern: str, start: int) -> dict[str, tuple[int, int]]:
    spans: dict[str, tuple[int, int]] = {}
    if not pattern.isascii() or len(pattern) not in LABEL_LENGTHS:
        raise Invalid(f"scale layout {pattern!r} has {len(pattern)} places; a label has 13 or 18")
    position = start
    for run in _RUNS.finditer(pattern, start):
        letter = run.group(1)
        if run.start() != position or letter not in _LETTERS:
            break
        if letter in spans:
            raise Invalid(
                f"scale layout {pattern} splits the {_LETTERS[letter]} field {letter}; keep it together"
            )
        spans[letter] = run.span()
        position = run.end()
    if position != len(pattern):
        raise Invalid(
            f"scale layout {pattern}: {pattern[position]!r} at place {position + 1} means nothing; write the "
            "prefix in digits first, then P item, W weight, A amount, V verifier, C check digit"
        )
    return spans


def _check_spans(pattern: str, prefix: str, spans: dict[str, tuple[int, int]]) -> None:
    problem = ""
    if not prefix:
        problem = "has no prefix; without one it would swallow every number of its length"
    elif spans.get("C") != (len(pattern) - 1, len(pattern)):
        problem = "must end with exactly one check digit C"
    elif "P" not in spans:
        problem = "has no item field P"
    elif "W" not in spans and "A" not in spans:
        problem = "has neither weight W nor amount A; a plain item code needs no layout"
    elif "V" in spans:
        problem = _verifier_problem(spans)
    if problem:
        raise Invalid(f"scale layout {pattern} {problem}")


def _verifier_problem(spans: dict[str, tuple[int, int]]) -> str:
    start, end = spans["V"]
    amount = spans.get("A", (0, 0))
    if end - start != 1:
        return "has a verifier V of more than one digit"
    if amount[1] - amount[0] not in PRICE_FIELD_WIDTHS:
        return "has a verifier V, which needs an amount A of 4 or 5 digits"
    return ""


def _decimals(pattern: str, options: str) -> dict[str, int]:
    decimals = {"W": 3, "A": 2}
    for option in options.split():
        match = _DECIMALS.fullmatch(option)
        if match is None or int(match.group(2)) > _MAX_DECIMALS[match.group(1)]:
            raise Invalid(f"scale layout {pattern}: {option!r} is not W0 to W3 or A0 to A2 (decimals)")
        decimals[match.group(1)] = int(match.group(2))
    return decimals


def _cut(text: str, span: tuple[int, int] | None) -> str | None:
    return None if span is None else text[slice(*span)]


def _check_verifier(text: str, layout: ScaleLayout) -> None:
    price, verifier = _cut(text, layout.amount), _cut(text, layout.verifier)
    if price is None or verifier is None:
        return
    expected = price_check_digit(price)
    if int(verifier) != expected:
        raise Invalid(
            f"verifier of amount {price} in the label is {verifier}, expected {expected}; scan it again"
        )


def _keys(text: str, layout: ScaleLayout) -> tuple[str, ...]:
    """Return the ways in which shops store a weighed item.

    The item number; prefix and item; the number of the whole label with weight, amount and verifier at
    zero and the check digit anew, in 13 or 18 digits and as GTIN-14; the item without leading zeros.
    """
    item = text[slice(*layout.item)]
    zeroed = [digit if place < len(layout.prefix) else "0" for place, digit in enumerate(text[:-1])]
    zeroed[slice(*layout.item)] = item
    body = "".join(zeroed)
    product = body + str(mod10(body))
    keys = (item, layout.prefix + item, product, product.zfill(14), item.lstrip("0") or "0")
    return tuple(dict.fromkeys(keys))


def _units(value: int, factor: int, span: tuple[int, int] | None, name: str) -> str:
    if span is None:
        return ""
    if value < 0 or value % factor:
        raise Invalid(f"{name} {value} is not a positive multiple of {factor}")
    return str(value // factor).zfill(span[1] - span[0])
