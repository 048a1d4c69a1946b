"""The data of what HQ is told of shoppers' ways, credited sales and guides' tasks."""

from __future__ import annotations

from collections.abc import Sequence

from edge.members.attribution import Attribution, Credit, Touch
from edge.members.commission import CommissionEntry
from edge.members.conversion import Conversion
from edge.members.guide_task import GuideTask
from edge.services.events import Data, Json


def conversion_step(one: Conversion) -> Data:
    """Return the data of "conversion.step": which step, where, on whose way."""
    return {
        "conversion_id": one.conversion_id,
        "correlation": one.correlation,
        "step": one.step.value,
        "at": one.at,
        "business_day": one.day,
        "hour": one.hour,
        "touchpoint": one.touchpoint,
        "origin": one.origin,
        "first": one.first,
        "tenant_id": one.tenant_id,
        "guide": one.guide,
        "served": one.served,
        "campaign": one.campaign,
        "variant": one.variant,
        "member_id": one.member_id,
        "order_id": one.order_id,
        "currency": "CNY",
        "amount_fen": one.amount_fen,
    }


def sale_attributed(
    one: Attribution, touches: Sequence[Touch], entries: Sequence[CommissionEntry], words: tuple[str, str]
) -> Data:
    """Return the data of "sale.attributed": a paid order with its whole chain. words: in Chinese, English."""
    return {
        **_sale(one),
        "rule": one.rule.kind.value,
        "window_days": one.rule.window_days,
        "guide_permille": one.rule.guide_permille,
        "touches": [_touch(touch) for touch in touches],
        "credits": [_credit(credit) for credit in one.credits],
        "commission": [_entry(entry) for entry in entries],
        "explained": words[0],
        "explained_en": words[1],
    }


def sale_reversed(
    one: Attribution, refund_id: str, credits: Sequence[Credit], entries: Sequence[CommissionEntry]
) -> Data:
    """Return the data of "sale.reversed": what is left of a credited sale, and commission taken back."""
    return {
        **_sale(one),
        "refund_id": refund_id,
        "credits": [_credit(credit) for credit in credits],
        "commission": [_entry(entry) for entry in entries],
    }


def guide_task_told(one: GuideTask) -> Data:
    """Return the data of "guide.task": a task as it has become. The note stays on the box."""
    return {
        "task_id": one.task_id,
        "kind": one.kind.value,
        "state": one.state.value,
        "member_id": one.member_id,
        "guide": one.guide,
        "tenant_id": one.tenant_id,
        "after_order": one.after_order,
        "due_at": one.due_at,
        "expires_at": one.expires_at,
        "until": one.until,
        "closed_at": one.closed_at,
        "closed_by": one.closed_by,
        "met_by": one.met_by,
    }


def _sale(one: Attribution) -> dict[str, Json]:
    return {
        "order_id": one.order_id,
        "number": one.number,
        "correlation": one.correlation,
        "member_id": one.member_id,
        "business_day": one.day,
        "sold_at": one.at,
        "currency": "CNY",
        "amount_fen": one.amount_fen,
        "left_fen": one.left_fen,
    }


def _touch(one: Touch) -> dict[str, Json]:
    return {
        "touchpoint": one.touchpoint,
        "guide": one.guide,
        "campaign": one.campaign,
        "first_at": one.first_at,
        "last_at": one.last_at,
    }


def _credit(one: Credit) -> dict[str, Json]:
    return {
        "touchpoint": one.touchpoint,
        "guide": one.guide,
        "campaign": one.campaign,
        "amount_fen": one.amount_fen,
    }


def _entry(one: CommissionEntry) -> dict[str, Json]:
    return {
        "entry_id": one.entry_id,
        "guide": one.guide,
        "business_day": one.day,
        "base_fen": one.base_fen,
        "permille": one.permille,
        "amount_fen": one.amount_fen,
    }
