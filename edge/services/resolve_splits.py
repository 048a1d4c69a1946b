"""Send what is planned of payments to whom it belongs, follow it up, and take back what refunds took back.

A split keeps its number for life, and so does a return, so that a repeat after a crash or a time-out moves
nothing twice. What cannot be shared goes free to the mall and is owed: the settlement and a work item say so.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace

from edge.clock import Instant
from edge.errors import Corrupt, EdgeError, OutcomeUnknown, Unavailable
from edge.retail.money_share import (
    PaymentSplit,
    ShareReturn,
    ShareState,
    SplitState,
    finish_shares,
)
from edge.services.box import Box
from edge.services.events import EventKind, record_event
from edge.services.records import Unit
from edge.services.settle_tenants import book_return, book_shares
from edge.services.split_events import payment_shared
from edge.services.split_ports import (
    ReturnAsk,
    SharingAnswer,
    SharingAsk,
    SharingRefused,
    SharingState,
    SplitGateway,
)
from edge.services.work_items import raise_work
from edge.services.work_records import WorkKind

#: Splits and returns looked at in one go; none is begun after TURN_MS, see resolve_attempts.
MAX_AT_ONCE = 20
TURN_MS = 30_000

#: The longest pause between two looks; each pause is twice the one before.
LONGEST_PAUSE_MS = 3_600_000
MAX_DOUBLINGS = 9

MAX_TRAIL = 200


def resolve_splits(box: Box) -> int:
    """Take one step with every split and return that is due; return how many were looked at.

    One that raises is put off and the others are looked at before its error is raised.
    """
    began = box.clock.now()
    splits, returns = box.store.read(
        lambda unit: (unit.splits.moving(MAX_AT_ONCE), unit.splits.moving_returns(MAX_AT_ONCE))
    )
    first: EdgeError | None = None
    looked_at = 0
    both: tuple[PaymentSplit | ShareReturn, ...] = (*splits, *returns)
    for one in both:
        if not _is_due(one, began) or box.clock.now().since_ms(began) >= TURN_MS:
            continue
        looked_at += 1
        try:
            if isinstance(one, PaymentSplit):
                _resolve_split(box, one)
            else:
                _resolve_return(box, one)
        except EdgeError as error:
            first = first or error
            with contextlib.suppress(EdgeError):
                _put_off(box, one, str(error))
    if first is not None:
        raise first
    return looked_at


def _is_due(one: PaymentSplit | ShareReturn, now: Instant) -> bool:
    """Whether to look now; a step planned impossibly far ahead means that the clock was set back."""
    ahead_ms = one.next_step_at - now.wall_at
    return not 0 < ahead_ms <= 2 * LONGEST_PAUSE_MS


def _resolve_split(box: Box, split: PaymentSplit) -> None:
    try:
        gateway = _gateway(box, split.gateway)
        answer = _step(box, gateway, split)
    except SharingRefused as refusal:
        _refuse_split(box, split, refusal)
        return
    except (OutcomeUnknown, Unavailable) as doubt:
        _put_off(box, split, str(doubt))
        return
    if answer.state is SharingState.DONE:
        _finish_split(box, split, answer)
    else:
        _put_off(box, split, answer.detail)


def _step(box: Box, gateway: SplitGateway, split: PaymentSplit) -> SharingAnswer:
    if split.state is SplitState.PLANNED:
        split = box.store.write(lambda unit: _submitted(unit, split.split_id))
    else:
        answer = gateway.query_share(_ask(box, split))
        if answer.state is not SharingState.ABSENT:
            return answer
    for one in split.shares:
        if one.state is ShareState.PLANNED:
            gateway.add_receiver(split.payee, one.merchant)
    return gateway.share(_ask(box, split))


def _submitted(unit: Unit, split_id: str) -> PaymentSplit:
    """Mark a split as submitted as it is now: a refund may have changed its shares since it was read."""
    split = unit.splits.get(split_id)
    if split is None:
        raise Corrupt(f"split {split_id} is not in the store; call support")
    submitted = replace(split, state=SplitState.SUBMITTED)
    unit.splits.put(submitted)
    return submitted


def _finish_split(box: Box, split: PaymentSplit, answer: SharingAnswer) -> None:
    now = box.clock.now()

    def work(unit: Unit) -> None:
        current = unit.splits.get(split.split_id)
        if current is None or current.state is SplitState.DONE:
            return
        failed = {
            one.tenant_id: one.why or answer.failed.get(one.merchant, "")
            for one in current.shares
            if one.state is ShareState.FAILED or one.merchant in answer.failed
        }
        done = replace(finish_shares(current, failed, now.wall_at), trail=answer.detail[:MAX_TRAIL])
        unit.splits.put(done)
        book_shares(unit, box, done, now)
        for one in done.shares:
            if one.state is ShareState.FAILED:
                reference = f"{done.split_id}/{one.tenant_id}"
                _call_person(unit, box, reference, done, one.tenant_id, one.amount_fen, one.why, now)
        data = payment_shared(done)
        record_event(
            unit, box.ids, now, box.origin, EventKind.PAYMENT_SHARED, done.split_id, data, done.order_id
        )

    box.store.write(work)


def _refuse_split(box: Box, split: PaymentSplit, refusal: SharingRefused) -> None:
    """Note that nothing goes on; the next step gives everything free to whom it was paid."""
    now = box.clock.now()

    def work(unit: Unit) -> None:
        current = unit.splits.get(split.split_id)
        if current is None or current.state is SplitState.DONE:
            return
        if all(one.state is ShareState.FAILED for one in current.shares):
            # Not even freeing it is taken: there is nothing that waits, or nothing that we may move.
            done = replace(current, state=SplitState.DONE, trail=refusal.detail, closed_at=now.wall_at)
            unit.splits.put(done)
            _call_person(unit, box, done.split_id, done, "", done.amount_fen, refusal.detail, now)
            return
        shares = tuple(
            replace(one, state=ShareState.FAILED, why=refusal.detail[:MAX_TRAIL]) for one in current.shares
        )
        unit.splits.put(
            replace(
                current,
                shares=shares,
                state=SplitState.PLANNED,
                next_step_at=now.wall_at + box.rules.poll_ms,
                trail=refusal.detail[:MAX_TRAIL],
            )
        )

    box.store.write(work)


def _resolve_return(box: Box, returned: ShareReturn) -> None:
    split = box.store.read(lambda unit: unit.splits.get(returned.split_id))
    if split is None:
        raise Corrupt(f"return {returned.return_no} has no split; call support")
    if split.state is not SplitState.DONE:
        _put_off(box, returned, "waits for the sharing itself")
        return
    share = next((one for one in split.shares if one.tenant_id == returned.tenant_id), None)
    if share is None or share.state is not ShareState.DONE:
        _end_return(box, returned, ShareState.DROPPED, "the share never arrived")
        return
    ask = ReturnAsk(
        *(split.payee, split.sharing_no, returned.return_no, returned.merchant, returned.amount_fen),
        _description(box),
    )
    try:
        answer = _step_return(box, _gateway(box, split.gateway), returned, ask)
    except SharingRefused as refusal:
        _end_return(box, returned, ShareState.FAILED, refusal.detail)
        return
    except (OutcomeUnknown, Unavailable) as doubt:
        _put_off(box, returned, str(doubt))
        return
    if answer.state is SharingState.DONE:
        _end_return(box, returned, ShareState.DONE, answer.detail)
    elif answer.state is SharingState.FAILED:
        _end_return(box, returned, ShareState.FAILED, answer.detail)
    else:
        _put_off(box, returned, answer.detail)


def _step_return(box: Box, gateway: SplitGateway, returned: ShareReturn, ask: ReturnAsk) -> SharingAnswer:
    if returned.state is ShareState.PLANNED:
        submitted = replace(returned, state=ShareState.SUBMITTED)
        box.store.write(lambda unit: unit.splits.put_return(submitted))
        return gateway.give_back(ask)
    answer = gateway.query_return(ask)
    return gateway.give_back(ask) if answer.state is SharingState.ABSENT else answer


def _end_return(box: Box, returned: ShareReturn, state: ShareState, trail: str) -> None:
    now = box.clock.now()

    def work(unit: Unit) -> None:
        split = unit.splits.get(returned.split_id)
        if split is None:
            raise Corrupt(f"return {returned.return_no} has no split; call support")
        unit.splits.put_return(replace(returned, state=state, trail=trail[:MAX_TRAIL], closed_at=now.wall_at))
        if state is ShareState.DONE:
            book_return(unit, box, split, returned, now)
        if state is ShareState.FAILED:
            who = (returned.tenant_id, returned.amount_fen, trail)
            _call_person(unit, box, returned.return_id, split, *who, now)

    box.store.write(work)


def _put_off(box: Box, one: PaymentSplit | ShareReturn, trail: str) -> None:
    now = box.clock.now()
    pause_ms = min(box.rules.poll_ms << min(one.polls, MAX_DOUBLINGS), LONGEST_PAUSE_MS)

    def work(unit: Unit) -> None:
        if isinstance(one, PaymentSplit):
            split = unit.splits.get(one.split_id)
            if split is not None and split.state is not SplitState.DONE:
                unit.splits.put(
                    replace(
                        split,
                        polls=split.polls + 1,
                        next_step_at=now.wall_at + pause_ms,
                        trail=trail[:MAX_TRAIL],
                    )
                )
            return
        for kept in unit.splits.returns_of(one.split_id):
            if kept.return_id == one.return_id and kept.state in (ShareState.PLANNED, ShareState.SUBMITTED):
                later = replace(kept, polls=kept.polls + 1, next_step_at=now.wall_at + pause_ms)
                unit.splits.put_return(replace(later, trail=trail[:MAX_TRAIL]))

    box.store.write(work)


def _ask(box: Box, split: PaymentSplit) -> SharingAsk:
    shares: dict[str, int] = {}
    for one in split.shares:
        if one.state is ShareState.PLANNED:
            shares[one.merchant] = shares.get(one.merchant, 0) + one.amount_fen
    return SharingAsk(split.payee, split.transaction_id, split.sharing_no, shares, _description(box))


def _description(box: Box) -> str:
    return f"{box.rules.shop_name or box.origin.site} 分账"[:24]


def _gateway(box: Box, name: str) -> SplitGateway:
    try:
        return box.splitters[name]
    except KeyError:
        raise Unavailable(f"shares wait for gateway {name}; configure its share_permille again") from None


def _call_person(
    unit: Unit,
    box: Box,
    reference: str,
    split: PaymentSplit,
    tenant_id: str,
    amount_fen: int,
    why: str,
    now: Instant,
) -> None:
    order = unit.orders.get(split.order_id)
    facts: dict[str, str | int] = {
        "number": order.number if order else "",
        "tenant": box.tenant(tenant_id).name if tenant_id else "",
        "amount_fen": amount_fen,
        "problem": why,
    }
    raise_work(unit, box, now, WorkKind.SHARE_STUCK, reference, facts, order.business_day if order else "")
