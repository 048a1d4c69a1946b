"""What WeChat's business circle (智慧商圈) is told that payments earned: a queue that outlives everything.

What is so and what was told stand side by side, so that a refund before, while or after it is told needs no
more than being told again; the gateway takes the same word twice as one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from edge.clock import Instant
from edge.errors import Declined, EdgeError, OutcomeUnknown, Unavailable
from edge.members.points import PointsKind
from edge.money import allocate
from edge.retail.attempt import PaymentAttempt
from edge.retail.order import Order
from edge.services.box import Box
from edge.services.people_records import CircleNotice
from edge.services.records import Unit

#: Notices told in one go, the first and the longest pause before one is told again, and how often at most.
MAX_AT_ONCE = 20
PAUSE_MS = 30_000
LONGEST_PAUSE_MS = 3_600_000
MAX_TRIES = 200


class PointsCircle(Protocol):
    """The business circle as this box speaks to it."""

    def notify_points(self, notice: CircleNotice) -> None:
        """Tell what a payment earned; the same again is taken as the same.

        Raises Declined for good, Unavailable or OutcomeUnknown: tell it again later.
        """


def queue_notices(unit: Unit, box: Box, order: Order, now: Instant) -> None:
    """Have the circle told what an order's payments earned, in the unit that moved its points."""
    if not box.members.circle_gateway:
        return
    paid = _paid_by(unit, order, box.members.circle_gateway)
    if not paid or not order.paid_fen:
        return
    rest_fen = order.paid_fen - sum(fen for _, fen in paid)
    parts = allocate(_earned(unit, order), [*(fen for _, fen in paid), rest_fen])
    for (attempt, _), part in zip(paid, parts, strict=False):
        _queue(unit, order, attempt, part, now.wall_at)


def tell_circle(box: Box, circle: PointsCircle) -> int:
    """Tell what is due; return how many were told. What cannot be told is tried again ever more slowly.

    One planned impossibly far ahead means that the clock was set back: it is due.
    """
    now = box.clock.now()
    told, far_at = 0, now.wall_at + 2 * LONGEST_PAUSE_MS
    for notice in box.store.read(lambda unit: unit.points.due_notices(now.wall_at, far_at, MAX_AT_ONCE)):
        try:
            circle.notify_points(notice)
            answer = replace(notice, told=notice.points, tries=0, why="")
            told += 1
        except (Unavailable, OutcomeUnknown) as error:
            answer = _later(notice, error, now)
        except Declined as error:
            answer = replace(notice, refused=True, why=str(error)[:200])
        _keep(box, notice, answer)
    return told


def _paid_by(unit: Unit, order: Order, gateway: str) -> list[tuple[PaymentAttempt, int]]:
    """Return the payments of a shopper whom the circle's gateway names, each with its amount in fen."""
    ids = [
        (tender.attempt_id, tender.amount_fen) for tender in order.tenders if tender.attempt_id is not None
    ]
    known = [(unit.attempts.get(attempt_id), fen) for attempt_id, fen in ids]
    return [(one, fen) for one, fen in known if one is not None and _is_of(one, gateway)]


def _is_of(attempt: PaymentAttempt, gateway: str) -> bool:
    return attempt.gateway == gateway and bool(attempt.transaction_id and attempt.payer)


def _earned(unit: Unit, order: Order) -> int:
    kinds = (PointsKind.EARN, PointsKind.REVERSE_EARN)
    lines = [one for one in unit.points.of_source(order.order_id) if one.kind in kinds]
    return sum(one.points - max(0, one.owed) for one in lines)


def _queue(unit: Unit, order: Order, attempt: PaymentAttempt, points: int, at: int) -> None:
    transaction_id, payer = attempt.transaction_id or "", attempt.payer or ""
    known = unit.points.notice(transaction_id)
    if known is None:
        unit.points.put_notice(CircleNotice(transaction_id, order.order_id, payer, points, at, at))
    elif known.points != points:
        unit.points.put_notice(replace(known, points=points, changed_at=at, next_at=at, tries=0))


def _later(notice: CircleNotice, error: EdgeError, now: Instant) -> CircleNotice:
    pause_ms = min(PAUSE_MS << min(notice.tries, 8), LONGEST_PAUSE_MS)
    tries = notice.tries + 1
    return replace(
        notice,
        tries=tries,
        next_at=now.wall_at + pause_ms,
        refused=tries >= MAX_TRIES,
        why=str(error)[:200],
    )


def _keep(box: Box, asked: CircleNotice, answer: CircleNotice) -> None:
    """Write what came of telling; points that moved meanwhile stay moved, and are told next."""

    def work(unit: Unit) -> None:
        known = unit.points.notice(asked.transaction_id) or asked
        unit.points.put_notice(replace(answer, points=known.points, changed_at=known.changed_at))

    box.store.write(work)
