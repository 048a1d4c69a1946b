"""Reports as JSON and back, for keeping them as they were told."""

from __future__ import annotations

import json
from typing import TypeVar

import cattrs

from edge.errors import Corrupt
from edge.retail.shift_report import DayReport, ShiftReport

T = TypeVar("T", ShiftReport, DayReport)


def encode_report(report: ShiftReport | DayReport) -> str:
    """Return a report as JSON."""
    return json.dumps(cattrs.unstructure(report), ensure_ascii=False, separators=(",", ":"))


def decode_report(text: str) -> ShiftReport:
    """Return the shift's report behind its JSON; raise Corrupt for anything else."""
    return _decode(text, ShiftReport)


def decode_day(text: str) -> DayReport:
    """Return the day's report behind its JSON; raise Corrupt for anything else."""
    return _decode(text, DayReport)


def _decode(text: str, kind: type[T]) -> T:
    try:
        return cattrs.structure(json.loads(text), kind)
    except (ValueError, cattrs.BaseValidationError) as error:
        raise Corrupt(f"a kept {kind.__name__} cannot be read: {text[:80]!r}") from error
