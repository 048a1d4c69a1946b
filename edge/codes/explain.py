"""A reading as lines of text for a technician: every field, why it was taken so, what else it could be."""

from __future__ import annotations

import re
import unicodedata

from edge.codes.classify import classify
from edge.codes.describe import label_fields
from edge.codes.payment import PaymentCode
from edge.codes.reading import Alternative, CodeKind, CodeReading, CodeRules, Context, Field
from edge.codes.scale_label import ScaleLabel
from edge.errors import Invalid

#: How a kind is called in the output.
KIND_NAMES = {
    CodeKind.ITEM: "goods 商品",
    CodeKind.SCALE_LABEL: "scale label 称重标签",
    CodeKind.GS1: "GS1 data",
    CodeKind.PAYMENT: "payment code 付款码",
    CodeKind.MEMBER: "member 会员",
    CodeKind.TICKET: "counter ticket 开单",
    CodeKind.COUPON: "coupon 券",
    CodeKind.PARKING: "parking ticket 停车票",
    CodeKind.RECEIPT: "receipt 小票",
    CodeKind.STAFF: "staff badge 工牌",
    CodeKind.UNKNOWN: "unknown",
}

_GS_SPELLINGS = re.compile(r"<GS>|\{GS\}|<FNC1>|\{FNC1\}|\\x1d|\\u001d|\^\]|␝", re.IGNORECASE)
_AIM = re.compile(r"\][A-Za-z][0-9A-Fa-f]", re.ASCII)


def typed_scan(text: str) -> tuple[str, str | None]:
    r"""Return (text, AIM id or None) of a code as a person types it on a command line.

    A leading AIM id such as "]C1" is split off. GS may be written <GS>, {GS}, <FNC1>, {FNC1}, \x1d,
    ^] or as the control character itself.
    """
    match = _AIM.match(text)
    aim = match.group() if match else None
    rest = text[3:] if match else text
    return _GS_SPELLINGS.sub("\x1d", rest), aim


def explain_code(
    code: str,
    aim: str | None = None,
    rules: CodeRules | None = None,
    context: str = "idle",
    reveal: bool = False,
) -> str:
    """Return the explanation of a code as typed (see `typed_scan`), ready to print.

    aim overrides one that the code begins with. Raises Invalid for an unknown context.
    """
    names = [one.value for one in Context]
    if context not in names:
        raise Invalid(f"context {context!r} is not one of {', '.join(names)}")
    text, typed_aim = typed_scan(code)
    reading = classify(text, aim or typed_aim, rules or CodeRules(), Context(context))
    return "\n".join(explain(reading, reveal))


def explain(reading: CodeReading, reveal: bool = False) -> list[str]:
    """Return the lines that explain a reading: table of fields, "Taken as ...", "Also possible: ...".

    Payment codes stay masked unless `reveal` is set. Control characters are written as <GS> or \\x...
    """
    head = f"{_shown(reading.text)}" + (f"   AIM {_shown(reading.aim)}" if reading.aim else "")
    lines = [head if not reveal else _revealed(reading) or head, ""]
    lines += _table(_fields(reading, reveal))
    lines += _taken(reading)
    for alternative in reading.also:
        lines += _also(alternative, reveal)
    return lines


def _fields(reading: CodeReading, reveal: bool) -> tuple[Field, ...]:
    payload = reading.payload
    if reveal and isinstance(payload, ScaleLabel):
        return label_fields(payload)
    if not reveal or not isinstance(payload, PaymentCode):
        return reading.fields
    return tuple(
        Field(field.name, payload.code, field.meaning) if field.value == payload.masked else field
        for field in reading.fields
    )


def _revealed(reading: CodeReading) -> str | None:
    """Return the full text of a masked reading, if any reading of it is a payment code."""
    for one in (reading, *(alternative.reading for alternative in reading.also)):
        if isinstance(one.payload, PaymentCode):
            return one.payload.code + (f"   AIM {_shown(reading.aim)}" if reading.aim else "")
    return None


def _taken(reading: CodeReading) -> list[str]:
    first, *more = reading.reasons or ("no rule says more",)
    lines = [f"Taken as {KIND_NAMES[reading.kind]}, because {_shown(first)}."]
    lines += [f"  - {_shown(reason)}." for reason in more]
    if reading.ambiguous:
        lines.append("AMBIGUOUS: the context alone decided; ask before money moves.")
    if reading.keys:
        lines.append("Looked up in the catalogue as: " + ", ".join(map(_shown, reading.keys)))
    return lines


def _also(alternative: Alternative, reveal: bool) -> list[str]:
    reading = alternative.reading
    because = _shown(alternative.lost_because)
    lines = ["", f"Also possible: {KIND_NAMES[reading.kind]}; it lost because {because}."]
    return lines + ["  " + line for line in _table(_fields(reading, reveal)) if line]


def _table(fields: tuple[Field, ...]) -> list[str]:
    if not fields:
        return []
    rows = [("field", "value", "meaning")] + [
        (one.name, _shown(one.value), _shown(one.meaning)) for one in fields
    ]
    widths = [max(_width(row[column]) for row in rows) for column in (0, 1)]
    lines = [
        f"{_pad(name, widths[0])}  {_pad(value, widths[1])}  {meaning}".rstrip()
        for name, value, meaning in rows
    ]
    return [*lines, ""]


def _pad(text: str, width: int) -> str:
    return text + " " * (width - _width(text))


def _width(text: str) -> int:
    """Return how many columns of a terminal `text` takes; Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _shown(text: str) -> str:
    """Return `text` with GS as <GS> and every other character that would not print as an escape."""
    spelled = text.replace("\x1d", "<GS>")
    if spelled.isprintable():
        return spelled
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in spelled)
