"""What WeChat is told about paid orders: that goods were handed over, and messages to the shopper.

The money of a mini-program's order stays frozen until it is told (发货信息管理), so nothing of this may be
lost: a notice is written with the state that it tells of, told until WeChat has taken it, ever more slowly,
and shown to a person when it cannot be told for long.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from edge.clock import Instant, local
from edge.errors import EdgeError, OutcomeUnknown, Unavailable
from edge.money import format_yuan
from edge.retail.attempt import PaymentAttempt, PayWay
from edge.retail.order import Order, OrderState
from edge.services.box import Box
from edge.services.phone_ports import MiniProgram, NoticeRefused
from edge.services.phone_records import NoticeKind, PhoneNotice
from edge.services.records import Unit
from edge.services.stay_lines import asks_for_stays
from edge.services.work_items import SERVICE, end_work, raise_work
from edge.services.work_records import WorkKind

#: Notices told in one go, the first and the longest pause before one is told again, and how often at most.
MAX_AT_ONCE = 20
PAUSE_MS = 15_000
LONGEST_PAUSE_MS = 3_600_000
MAX_TRIES = 1_000

#: No further notice is begun in one go after this; WeChat may take its whole time-out for each.
TURN_MS = 30_000

#: After so long a person is told of a hand-over that WeChat does not take; a message is of no use any more.
LONG_MS = 6 * 3_600_000
MESSAGE_LIFE_MS = 3_600_000

#: How long notices that are done are kept.
KEEP_MS = 30 * 86_400_000

#: The longest text of what was handed over, in characters.
MAX_TEXT = 40

#: The page of the mini-program that a message after payment opens.
PAID_PAGE = "pages/paid/paid"


def queue_hand_over(unit: Unit, box: Box, order: Order, description: str, now: Instant) -> int:
    """Have WeChat told that what an order bought was handed over, in the unit that handed it over.

    Only what was paid inside the mini-program is told of, each payment and each part of one for itself;
    calling it again for an order changes nothing. Returns how many notices are new.
    """
    added = 0
    for attempt in _paid_inside(unit, order):
        numbers = [one.transaction_id for one in attempt.parts] or [attempt.transaction_id or ""]
        for number in numbers:
            if not number or unit.phone_notices.find(NoticeKind.HAND_OVER, order.order_id, number):
                continue
            text, openid = description[:MAX_TEXT], attempt.payer or attempt.openid
            kind, at = NoticeKind.HAND_OVER, now.wall_at
            unit.phone_notices.put(
                PhoneNotice(box.ids.new_id(), kind, order.order_id, number, openid, text, at, at)
            )
            added += 1
    return added


def queue_message(
    unit: Unit,
    box: Box,
    order: Order,
    openid: str,
    template_id: str,
    page: str,
    fields: Mapping[str, str],
    now: Instant,
) -> bool:
    """Have a subscribe message sent to a shopper, once for each order and template; return whether it is new.

    Each message uses up one "accept" of the shopper; without one WeChat refuses it, and nothing else happens.
    """
    if not openid or unit.phone_notices.find(NoticeKind.MESSAGE, order.order_id, template_id):
        return False
    text, at = json.dumps(dict(fields), ensure_ascii=False), now.wall_at
    notice = PhoneNotice(
        *(box.ids.new_id(), NoticeKind.MESSAGE, order.order_id, template_id, openid, text, at, at), page
    )
    unit.phone_notices.put(notice)
    return True


def want_messages(box: Box, order_id: str, openid: str, templates: Sequence[str]) -> None:
    """Note which messages about an order its shopper wants; one that is paid already sends its own now."""
    if not openid:
        return
    now = box.clock.now()

    def work(unit: Unit) -> None:
        for template_id in templates:
            unit.phones.accept(order_id, template_id, now.wall_at)
        order = unit.orders.get(order_id)
        if order is not None and order.state is OrderState.PAID:
            _queue_paid(unit, box, order, now)

    box.store.write(work)


def note_paid(unit: Unit, box: Box, order: Order, now: Instant) -> None:
    """Queue a paid order's message and, of what is in the shopper's hands already, the hand-over.

    Goods of counter tickets are handed over later, whoever does so tells of it.
    Call it in the transaction that completed the order.
    """
    _queue_paid(unit, box, order, now)
    if not unit.tickets.of_order(order.order_id):
        queue_hand_over(unit, box, order, describe(order), now)


def describe(order: Order) -> str:
    """Return what an order bought, as a shopper reads it in WeChat."""
    names = [line.name for line in order.lines]
    more = f" 等{len(names)}件" if len(names) > 1 else ""
    return (names[0][: MAX_TEXT - len(more)] if names else order.number) + more


def tell_notices(box: Box) -> int:
    """Tell WeChat what is due; return how many it took. What cannot be told now is told ever more slowly.

    One planned impossibly far ahead means that the clock was set back: it is due.
    """
    if box.mini_program is None:
        return 0
    now = box.clock.now()
    told = 0
    far_at = now.wall_at + 2 * LONGEST_PAUSE_MS
    for notice in box.store.read(lambda unit: unit.phone_notices.due(now.wall_at, far_at, MAX_AT_ONCE)):
        if box.clock.now().since_ms(now) >= TURN_MS:
            break
        answer = _tell(box, box.mini_program, notice, now)
        told += answer.done_at is not None
        box.store.write(lambda unit, one=answer: _keep(unit, box, one, now))  # type: ignore[misc]
    return told


def tidy_notices(box: Box) -> int:
    """Forget notices that were told long ago; return how many."""
    before = box.clock.now().wall_at - KEEP_MS
    return box.store.write(lambda unit: unit.phone_notices.tidy(before))


def _tell(box: Box, program: MiniProgram, notice: PhoneNotice, now: Instant) -> PhoneNotice:
    try:
        if notice.kind is NoticeKind.MESSAGE:
            if now.wall_at - notice.at > MESSAGE_LIFE_MS:
                return replace(notice, refused=True, why="too late to be of use")
            program.send_message(notice.openid, notice.reference, notice.page, json.loads(notice.text))
        else:
            order = box.store.read(lambda unit: unit.orders.get(notice.order_id))
            carried = order is None or not asks_for_stays(order.lines)
            program.tell_hand_over(notice.reference, notice.openid, notice.text, notice.at, carried=carried)
    except NoticeRefused as refusal:
        return replace(notice, tries=notice.tries + 1, refused=True, why=str(refusal)[:200])
    except (Unavailable, OutcomeUnknown) as error:
        return _later(notice, error, now)
    return replace(notice, tries=notice.tries + 1, done_at=now.wall_at, why="")


def _later(notice: PhoneNotice, error: EdgeError, now: Instant) -> PhoneNotice:
    pause_ms = min(PAUSE_MS << min(notice.tries, 8), LONGEST_PAUSE_MS)
    tries = notice.tries + 1
    return replace(
        notice,
        tries=tries,
        next_at=now.wall_at + pause_ms,
        refused=tries >= MAX_TRIES,
        why=str(error)[:200],
    )


def _keep(unit: Unit, box: Box, answer: PhoneNotice, now: Instant) -> None:
    unit.phone_notices.put(answer)
    if answer.kind is not NoticeKind.HAND_OVER:
        return
    if answer.done_at is not None:
        end_work(unit, now, WorkKind.HAND_OVER_UNTOLD, answer.notice_id, SERVICE, "told after all")
    elif answer.refused or now.wall_at - answer.at >= LONG_MS:
        order = unit.orders.get(answer.order_id)
        if unit.refunds.of_order(answer.order_id):
            # The money went back, or part of it: nothing stays frozen that is not looked at already.
            return
        day, number = ("", "") if order is None else (order.business_day, order.number)
        facts: dict[str, str | int] = {"number": number, "problem": answer.why}
        facts["amount_fen"] = 0 if order is None else order.total_fen
        raise_work(unit, box, now, WorkKind.HAND_OVER_UNTOLD, answer.notice_id, facts, day)


def _queue_paid(unit: Unit, box: Box, order: Order, now: Instant) -> None:
    rules = box.phone
    if not rules.paid_template or rules.paid_template not in unit.phones.accepted(order.order_id):
        return
    session = unit.phones.by_order(order.order_id)
    receipt = unit.receipts.of_order(order.order_id)
    if session is None or receipt is None:
        return
    at = local(receipt.issued_at, box.rules.zone)
    filled = {
        "number": order.number,
        "amount": f"{format_yuan(order.total_fen)}元",
        "shop": (box.rules.shop_name or box.origin.site)[:20],
        "time": f"{at:%Y-%m-%d %H:%M}",
    }
    fields = {name: filled[what] for name, what in rules.paid_fields}
    page = f"{PAID_PAGE}?receipt={receipt.token}"
    queue_message(unit, box, order, session.openid, rules.paid_template, page, fields, now)


def _paid_inside(unit: Unit, order: Order) -> list[PaymentAttempt]:
    ids = [tender.attempt_id for tender in order.tenders if tender.attempt_id is not None]
    known = (unit.attempts.get(attempt_id) for attempt_id in ids)
    return [one for one in known if one is not None and one.way is PayWay.JSAPI]
