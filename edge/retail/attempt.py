"""A payment attempt: one try to charge one payment code for one order.

    intended -> submitted -> approved -> refunded
        |           |-> declined
        |           |-> unknown -> approved | declined | voided | refunded
        '-> voided  '-> voided

INTENDED is written before the gateway is called, SUBMITTED is the last thing written before the call:
what is found INTENDED after a crash was never sent, what is found SUBMITTED may have been. Money that the
gateway reports for a DECLINED or VOIDED attempt makes it UNKNOWN again: it is booked or given back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from edge.errors import Invalid
from edge.retail.split import OrderPart


class AttemptState(StrEnum):
    """Where an attempt stands; see the module's drawing."""

    INTENDED = "intended"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    DECLINED = "declined"
    UNKNOWN = "unknown"
    VOIDED = "voided"
    REFUNDED = "refunded"


class PayWay(StrEnum):
    """How the money is to come.

    CODE: we charge the code on the shopper's phone. The phone pays by itself: after it has scanned a QR code
    (NATIVE), or on a page inside the wallet (JSAPI). AUTOPAY: the plate's owner agreed to be charged after
    leaving the car park.
    """

    CODE = "code"
    NATIVE = "native"
    JSAPI = "jsapi"
    AUTOPAY = "autopay"


TRANSITIONS: dict[AttemptState, frozenset[AttemptState]] = {
    AttemptState.INTENDED: frozenset({AttemptState.SUBMITTED, AttemptState.VOIDED}),
    AttemptState.SUBMITTED: frozenset(
        {AttemptState.APPROVED, AttemptState.DECLINED, AttemptState.UNKNOWN, AttemptState.VOIDED}
    ),
    AttemptState.UNKNOWN: frozenset(
        {AttemptState.APPROVED, AttemptState.DECLINED, AttemptState.VOIDED, AttemptState.REFUNDED}
    ),
    AttemptState.APPROVED: frozenset({AttemptState.REFUNDED}),
    AttemptState.DECLINED: frozenset({AttemptState.UNKNOWN}),
    AttemptState.VOIDED: frozenset({AttemptState.UNKNOWN}),
    AttemptState.REFUNDED: frozenset(),
}

#: Entries of one attempt's trail.
MAX_STEPS = 100

#: States in which the shopper's money may still move.
OPEN_STATES = frozenset({AttemptState.INTENDED, AttemptState.SUBMITTED, AttemptState.UNKNOWN})


@dataclass(frozen=True, slots=True)
class PaymentAttempt:
    """One try to charge a payment code.

    merchant_order_no: our key at the gateway, unique for life. code_tail: the last four digits of the
    payment code, never more. created_boot, created_ns: boot id and boot time at `created_at`, from which
    its age is told. give_up_at: from when a pending attempt is reversed. next_step_at: when it is looked
    at again. polls: how often it was queried. trail: the last gateway word. reversal_at: since when a
    reversal may be on its way, so that money that comes in goes back; None when there is none. pay_url: what
    the phone opens to pay, where it pays by itself: an address, for JSAPI the parameters of the wallet's call
    as JSON. openid: of the one shopper who may pay it, "" for anybody. parts: of a payment to several
    merchants at once, all paid or none; merchant_order_no is then the number of them together.
    frozen: the money waits at the gateway until it is shared.
    """

    attempt_id: str
    order_id: str
    workstation: str
    gateway: str
    merchant_order_no: str
    amount_fen: int
    code_tail: str
    created_at: int
    give_up_at: int
    next_step_at: int
    state: AttemptState = AttemptState.INTENDED
    polls: int = 0
    transaction_id: str | None = None
    payer: str | None = None
    trail: str = ""
    closed_at: int | None = None
    created_boot: str = ""
    created_ns: int = 0
    reversal_at: int | None = None
    way: PayWay = PayWay.CODE
    pay_url: str = ""
    openid: str = ""
    frozen: bool = False
    parts: tuple[OrderPart, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether the shopper's money may still move."""
        return self.state in OPEN_STATES


class StepKind(StrEnum):
    """What was done: it was SENT, QUERIED, a REVERSAL was sent, it was SETTLED, or a PERSON chose."""

    SENT = "sent"
    QUERIED = "queried"
    REVERSAL = "reversal"
    SETTLED = "settled"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class AttemptStep:
    """One entry of an attempt's trail. state: the attempt's after it. detail: the gateway's or person's word.

    times: how often in a row the same was seen, from first_at to last_at (Unix milliseconds).
    """

    what: StepKind
    state: AttemptState
    detail: str
    first_at: int
    last_at: int
    times: int = 1


def add_step(trail: tuple[AttemptStep, ...], step: AttemptStep) -> tuple[AttemptStep, ...]:
    """Return the trail with `step`, which only counts up the last entry when it is the same again.

    At MAX_STEPS entries the last one gives way, so that the beginning and the end are kept.
    """
    last = trail[-1] if trail else None
    if last is not None and (last.what, last.state, last.detail) == (step.what, step.state, step.detail):
        return (*trail[:-1], replace(last, last_at=step.last_at, times=last.times + 1))
    return (*trail[: MAX_STEPS - 1], step)


def advance(attempt: PaymentAttempt, state: AttemptState, at: int, trail: str = "") -> PaymentAttempt:
    """Return the attempt in `state`; raise Invalid for a transition that is not in the drawing."""
    if state not in TRANSITIONS[attempt.state]:
        raise Invalid(f"attempt {attempt.attempt_id} is {attempt.state}; it cannot become {state}")
    closed_at = None if state in OPEN_STATES else at
    return replace(attempt, state=state, trail=trail or attempt.trail, closed_at=closed_at)
