"""What a body or a query must look like, and the refusals for those that do not."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from sim.gateway.messages import Json, Refusal, parameter_error

#: The numbers behind PARAM_ERROR: missing or of another kind, out of range, not known to the call.
WRONG, OUT_OF_RANGE, UNKNOWN = "268435461", "268435464", "270924358"

MOST_FEN = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Shape:
    """What a value must look like.

    kind: str, int, bool, dict or list. pattern: for text. least, most: a number's range, or how many items a
    list may have. fields: of an object, whose other fields are refused. item: of a list.
    """

    required: bool = False
    kind: type = str
    pattern: str = r"[\s\S]{1,256}"
    fields: Mapping[str, Shape] = field(default_factory=dict)
    least: int = 0
    most: int = MOST_FEN
    item: Shape | None = None


ORDER_NO = Shape(True, pattern=r"[0-9A-Za-z_\-*|@]{6,32}")
REFUND_NO = Shape(True, pattern=r"[0-9A-Za-z_\-*|@]{1,64}")
AMOUNT_FEN = Shape(True, int, least=1)
CURRENCY = Shape(pattern="CNY")
TIME = Shape(pattern=r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\+\d\d:\d\d|Z)")
URL = Shape(pattern=r"https?://[^\s?#]{1,240}")
MERCHANT: Mapping[str, Shape] = {"appid": Shape(True), "mchid": Shape(True)}


def check_body(raw: bytes, shape: Shape) -> Json:
    """Return the body as an object of that shape; raise Refusal 400 PARAM_ERROR that names the field."""
    try:
        value = json.loads(raw)
    except ValueError:
        raise parameter_error("/", "is not JSON") from None
    return _check_object(value, shape, "")


def check_query(target: str, fields: Mapping[str, Shape]) -> Mapping[str, str]:
    """Return the query of a request-target; raise Refusal 400 PARAM_ERROR for what is unknown or missing."""
    given: Json = {}
    for name, text in parse_qsl(target.partition("?")[2], keep_blank_values=True):
        if name in given:
            raise _query_error(name, "is given twice", text, WRONG)
        given[name] = text
    for name in given:
        if name not in fields:
            raise _query_error(name, "is not known to this call", given[name], UNKNOWN)
    for name, shape in fields.items():
        _check_text_of_query(name, given.get(name), shape)
    return {name: str(text) for name, text in given.items()}


def child(body: Json, name: str) -> Json:
    """Return an object inside a checked body, empty when it is absent."""
    value = body.get(name)
    return value if isinstance(value, dict) else {}


def children(body: Json, name: str) -> tuple[Json, ...]:
    """Return the objects of a list inside a checked body."""
    value = body.get(name)
    return tuple(one for one in value if isinstance(one, dict)) if isinstance(value, list) else ()


def text(body: Json, name: str) -> str:
    """Return a text inside a checked body, "" when it is absent."""
    value = body.get(name)
    return value if isinstance(value, str) else ""


def number(body: Json, name: str) -> int:
    """Return a whole number inside a checked body, 0 when it is absent."""
    value = body.get(name)
    return value if type(value) is int else 0


def _check_object(value: object, shape: Shape, path: str) -> Json:
    if not isinstance(value, dict):
        raise parameter_error(path or "/", "is not an object", number=WRONG)
    for name in value:
        if name not in shape.fields:
            raise parameter_error(f"{path}/{name}", "is not known to this call", number=UNKNOWN)
    for name, inner in shape.fields.items():
        _check_value(value.get(name), inner, f"{path}/{name}")
    return value


def _check_value(value: object, shape: Shape, path: str) -> None:
    if value is None:
        if shape.required:
            raise parameter_error(path, "is missing")
        return
    if shape.kind is dict:
        _check_object(value, shape, path)
    elif type(value) is not shape.kind:
        raise parameter_error(path, f"is not {shape.kind.__name__}", value)
    elif isinstance(value, list):
        _check_list(value, shape, path)
    elif isinstance(value, str) and not re.fullmatch(shape.pattern, value):
        raise parameter_error(path, "has a form that is not allowed", value, OUT_OF_RANGE)
    elif type(value) is int and not shape.least <= value <= shape.most:
        raise parameter_error(path, f"is not {shape.least} to {shape.most}", value, OUT_OF_RANGE)


def _check_list(value: list[object], shape: Shape, path: str) -> None:
    if not shape.least <= len(value) <= shape.most:
        raise parameter_error(path, f"has not {shape.least} to {shape.most} items", len(value), OUT_OF_RANGE)
    assert shape.item is not None
    for index, one in enumerate(value):
        _check_value(one, shape.item, f"{path}/{index}")


def _check_text_of_query(name: str, value: object, shape: Shape) -> None:
    if value is None:
        if shape.required:
            raise _query_error(name, "is missing", "", WRONG)
    elif not re.fullmatch(shape.pattern, str(value)):
        raise _query_error(name, "has a form that is not allowed", value, OUT_OF_RANGE)


def _query_error(name: str, issue: str, value: object, number: str) -> Refusal:
    refusal = parameter_error(name, issue, value, number)
    assert refusal.detail is not None
    refusal.detail["location"] = "query"
    return refusal
