"""The blocks of a queued paper as JSON and back: what is kept is what is printed."""

from __future__ import annotations

import json
from collections.abc import Sequence

from devices.types import Align, Columns, Drawer, PrintBlock, Rule, TextLine
from edge.errors import Corrupt, Invalid


def encode_blocks(blocks: Sequence[PrintBlock]) -> str:
    """Return blocks as JSON; raise Invalid for one that no paper of ours has."""
    return json.dumps([_encode(block) for block in blocks], ensure_ascii=False)


def decode_blocks(text: str) -> tuple[PrintBlock, ...]:
    """Return the blocks behind their JSON; raise Corrupt for anything else."""
    try:
        return tuple(_decode(*raw) for raw in json.loads(text))
    except (ValueError, TypeError) as error:
        raise Corrupt(f"a queued paper cannot be read: {text[:80]!r}") from error


def _encode(block: PrintBlock) -> list[object]:
    match block:
        case TextLine(text, align, bold, scale):
            return ["text", text, align.value, bold, scale]
        case Columns(left, right, bold):
            return ["columns", left, right, bold]
        case Rule():
            return ["rule"]
        case Drawer():
            return ["drawer"]
    raise Invalid(f"{type(block).__name__} is no block of a queued paper")


def _decode(kind: str, *values: object) -> PrintBlock:
    match kind, values:
        case "text", (str(text), str(align), bool(bold), int(scale)):
            return TextLine(text, Align(align), bold, scale)
        case "columns", (str(left), str(right), bool(bold)):
            return Columns(left, right, bold)
        case "rule", ():
            return Rule()
        case "drawer", ():
            return Drawer()
    raise ValueError(f"{kind} {values}")
