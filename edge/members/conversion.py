"""Conversion: a shopper's steps from the first touch to the sale and back again, and how they are counted.

All steps of one shopper's way carry one correlation id, born at the first touch. A step is counted once in a
way however often it happens, so that a step's rate is people, not clicks. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from edge.errors import Invalid

#: A correlation id in a URL: what edge.ids makes, and what another box or mini-program made like it.
_CORRELATION = re.compile(r"[A-Za-z0-9_-]{8,64}", re.ASCII)

MAX_VARIANT = 32


class ConversionStep(StrEnum):
    """One step of a way, in the order in which a funnel shows them."""

    SHOWN = "shown"
    SCANNED = "scanned"
    OPENED = "opened"
    IDENTIFIED = "identified"
    JOINED = "joined"
    BOUGHT = "bought"
    PARKED = "parked"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class Conversion:
    """One step that happened. day: the business day; hour: the local hour, 0 to 23.

    origin: the touchpoint of the way's first touch; touchpoint: where this step happened. key: what a
    repeat in the same way has in common with it. first: the way's first of this step, which alone is counted
    as a shopper. guide: who served last on the way; served: whether it was at this step.
    """

    conversion_id: str
    key: str
    correlation: str
    step: ConversionStep
    at: int
    day: str
    hour: int
    touchpoint: str
    origin: str
    first: bool = True
    tenant_id: str = ""
    guide: str = ""
    campaign: str = ""
    variant: str = ""
    member_id: str = ""
    order_id: str = ""
    amount_fen: int = 0
    served: bool = False


@dataclass(frozen=True, slots=True)
class Journey:
    """What is known of one shopper's way so far. origin: the touchpoint that it began at.

    guide: who served last. variant: the version of a page that was shown last.
    """

    correlation: str
    begun_at: int
    origin: str
    guide: str = ""
    campaign: str = ""
    variant: str = ""
    member_id: str = ""


@dataclass(frozen=True, slots=True)
class StepCount:
    """How often one step happened in some stretch. shoppers: ways that have it; times: repeats as well."""

    step: ConversionStep
    shoppers: int = 0
    times: int = 0
    amount_fen: int = 0


@dataclass(frozen=True, slots=True)
class StepRate:
    """One line of a funnel. of_previous_permille: of those at the nearest step before that no fewer took.

    of_first_permille: of those at the step before that most took. previous: the step that
    of_previous_permille is a share of; the steps are no chain, so it need not be the one above. All None
    where there is no such step, as a way may begin at any step.
    """

    count: StepCount
    of_previous_permille: int | None
    of_first_permille: int | None
    previous: ConversionStep | None = None


def check_correlation(text: str) -> str:
    """Return a correlation id; raise Invalid for what is none."""
    if _CORRELATION.fullmatch(text) is None:
        raise Invalid("a correlation id is 8 to 64 letters, digits, - and _; scan the code again")
    return text


def is_correlation(text: str) -> bool:
    """Return whether this may stand as a correlation id."""
    return _CORRELATION.fullmatch(text) is not None


def step_key(step: ConversionStep, touchpoint: str, subject: str = "") -> str:
    """Return what a repeat of a step in one way has in common with it. subject: an order, page or coupon."""
    return f"{step.value}:{touchpoint}:{subject}"


def add_counts(counts: Iterable[StepCount]) -> tuple[StepCount, ...]:
    """Return one count for each step, in their order; steps that nobody took are zero."""
    sums = {step: [0, 0, 0] for step in ConversionStep}
    for one in counts:
        held = sums[one.step]
        held[0] += one.shoppers
        held[1] += one.times
        held[2] += one.amount_fen
    return tuple(StepCount(step, *held) for step, held in sums.items())


def rates(counts: Sequence[StepCount]) -> tuple[StepRate, ...]:
    """Return the funnel of counts as `add_counts` returns them, in thousandths rounded down."""
    found = []
    for place, one in enumerate(counts):
        before = [each for each in counts[:place] if each.shoppers >= max(1, one.shoppers)]
        if not before:
            found.append(StepRate(one, None, None))
            continue
        nearest, most = before[-1], max(each.shoppers for each in before)
        of_nearest = _permille(one.shoppers, nearest.shoppers)
        found.append(StepRate(one, of_nearest, _permille(one.shoppers, most), nearest.step))
    return tuple(found)


def _permille(part: int, whole: int) -> int:
    return part * 1_000 // whole
