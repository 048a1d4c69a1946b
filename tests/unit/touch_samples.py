"""A shopper's way, a credited sale and a guide's task, as the events tell of them."""

from __future__ import annotations

from edge.members.attribution import Attribution, AttributionRule, Credit, Touch
from edge.members.commission import CommissionEntry
from edge.members.conversion import Conversion, ConversionStep
from edge.members.guide_task import GuideTask, TaskKind
from edge.services.conversion_events import conversion_step, guide_task_told, sale_attributed, sale_reversed
from edge.services.events import Data, EventKind

AT = 1_795_312_800_000
DAY = "2026-11-22"
WAY = "way-00000001"

STEP = Conversion(
    "c-1", "scanned:poster:", WAY, ConversionStep.SCANNED, AT, DAY, 9, "poster", "poster", guide="li"
)
TOUCH = Touch("poster", "li", "spring", AT, AT)
CREDITS = (Credit("poster", "li", "spring", 990),)
SALE = Attribution("order-1", "k-0001", WAY, AttributionRule(), DAY, AT, 990, 990, CREDITS, "m-1")
EARNED = CommissionEntry("e-1", "li", DAY, "order-1", "", 990, 50, 49, AT)
BACK = CommissionEntry("e-2", "li", DAY, "order-1", "r-1", 0, 50, -49, AT)
TASK = GuideTask("t-1", TaskKind.REPLENISH, "m-1", "li", "t-tea", "order-1", AT, AT + 1)


def touch_samples() -> dict[EventKind, Data]:
    """Return one sample of each kind."""
    return {
        EventKind.CONVERSION_STEP: conversion_step(STEP),
        EventKind.SALE_ATTRIBUTED: sale_attributed(SALE, (TOUCH,), (EARNED,), ("最后触点", "the last touch")),
        EventKind.SALE_REVERSED: sale_reversed(SALE, "r-1", CREDITS, (BACK,)),
        EventKind.GUIDE_TASK: guide_task_told(TASK),
    }
