"""A shift: one person's time at one workstation, with its drawer counted; and the business day it is part of.

    open -> counting -> closed
      ^________|

The count is blind: what the books expect in the drawer is told only once a count was given, and from then on
there is no way back to selling. A shift owns what the books got at its workstation between the end of the
shift before it and its own end, by position in the books and not by the clock: nothing falls between two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from edge.errors import Invalid
from edge.money import check_fen

#: The most that one pay-in, pick-up or float may be (100,000 yuan): beyond it somebody mistyped.
MAX_CASH_FEN = 10_000_000

#: The most pieces of one denomination in a count, and the most counts and movements in one shift.
MAX_PIECES = 9_999
MAX_COUNTS = 20
MAX_MOVEMENTS = 500

#: The longest reason that is kept.
MAX_REASON = 120


class ShiftState(StrEnum):
    """OPEN: sales go on. COUNTING: no cash is taken. CLOSED: for good, with its Z number."""

    OPEN = "open"
    COUNTING = "counting"
    CLOSED = "closed"


class CashKind(StrEnum):
    """Cash that moved without a sale, or a drawer that was opened without one."""

    PAY_IN = "pay_in"
    PICK_UP = "pick_up"
    NO_SALE = "no_sale"


@dataclass(frozen=True, slots=True)
class Denomination:
    """A note or coin of the currency. key: as in counts, e.g. "note_100" for one yuan on paper."""

    key: str
    value_fen: int
    note: bool


#: What circulates of the renminbi: notes of 100, 50, 20, 10, 5 and 1 yuan, coins of 1 yuan, 5 and 1 jiao.
DENOMINATIONS = (
    *(Denomination(f"note_{value}", value, True) for value in (10_000, 5_000, 2_000, 1_000, 500, 100)),
    *(Denomination(f"coin_{value}", value, False) for value in (100, 50, 10)),
)
_VALUES = {one.key: one.value_fen for one in DENOMINATIONS}


@dataclass(frozen=True, slots=True)
class CashMovement:
    """Cash put in or taken out, or a drawer opened. amount_fen: positive; 0 when nothing moved. by: who."""

    movement_id: str
    kind: CashKind
    amount_fen: int
    reason: str
    by: str
    moved_at: int

    def __post_init__(self) -> None:
        """Refuse a movement without a reason or with an amount that its kind cannot have."""
        check_fen(self.amount_fen)
        if not self.reason.strip():
            raise Invalid("say why: a reason is needed when the drawer is opened without a sale")
        if self.kind is CashKind.NO_SALE:
            if self.amount_fen:
                raise Invalid("a drawer opened without a sale moves no money; use a pay-in or a pick-up")
        elif not 0 < self.amount_fen <= MAX_CASH_FEN:
            raise Invalid(f"{self.amount_fen} fen is not from 0.01 to {MAX_CASH_FEN // 100} yuan")

    @property
    def change_fen(self) -> int:
        """What it did to the drawer: positive in, negative out."""
        return -self.amount_fen if self.kind is CashKind.PICK_UP else self.amount_fen


@dataclass(frozen=True, slots=True)
class CashCount:
    """What was counted: (denomination, pieces) and what is none of these. by: who counted."""

    pieces: tuple[tuple[str, int], ...]
    loose_fen: int
    by: str
    counted_at: int

    @property
    def total_fen(self) -> int:
        """What the drawer holds."""
        return self.loose_fen + sum(_VALUES[key] * number for key, number in self.pieces)


def cash_count(pieces: Mapping[str, int], loose_fen: int, by: str, at: int) -> CashCount:
    """Return a count; raise Invalid for an unknown denomination or a number that no drawer holds."""
    for key, number in pieces.items():
        if key not in _VALUES:
            raise Invalid(f"{key!r} is no note or coin; one of {', '.join(_VALUES)}")
        if type(number) is not int or not 0 <= number <= MAX_PIECES:
            raise Invalid(f"{number!r} pieces of {key} is not from 0 to {MAX_PIECES}")
    if not 0 <= check_fen(loose_fen, "loose_fen") <= MAX_CASH_FEN:
        raise Invalid(f"{loose_fen} fen of other cash is not from 0 to {MAX_CASH_FEN}")
    return CashCount(tuple((key, pieces[key]) for key in _VALUES if pieces.get(key)), loose_fen, by, at)


@dataclass(frozen=True, slots=True)
class Shift:
    """One shift. cashier: who opened it, "" for one that a workstation without a cashier opens by itself.

    after, through: the positions in the books of the last posting before it and of its last one. movements,
    counts: oldest first; the last count counts. number: the Z number, gap-free per workstation. expected_fen:
    what the books say the drawer held at its end. reason: why it was over or short.
    """

    shift_id: str
    workstation: str
    cashier: str
    business_day: str
    opened_at: int
    float_fen: int
    after: int
    state: ShiftState = ShiftState.OPEN
    movements: tuple[CashMovement, ...] = ()
    counts: tuple[CashCount, ...] = ()
    through: int | None = None
    number: int | None = None
    expected_fen: int | None = None
    closed_at: int | None = None
    closed_by: str = ""
    reason: str = ""

    @property
    def automatic(self) -> bool:
        """Whether it opened by itself, for a workstation that sells without a cashier."""
        return not self.cashier

    @property
    def counted_fen(self) -> int | None:
        """What the last count found; None without one."""
        return self.counts[-1].total_fen if self.counts else None

    @property
    def over_short_fen(self) -> int | None:
        """Counted minus expected: positive over, negative short; None while either is not known."""
        if self.counted_fen is None or self.expected_fen is None:
            return None
        return self.counted_fen - self.expected_fen

    def cash_moved_fen(self, kind: CashKind) -> int:
        """Return the sum of the movements of one kind, positive."""
        return sum(one.amount_fen for one in self.movements if one.kind is kind)


@dataclass(frozen=True, slots=True)
class BusinessDay:
    """A trading day that was closed. day: ISO date. report: its totals as JSON, as they were told to HQ."""

    day: str
    closed_at: int
    closed_by: str
    report: str


def open_shift(
    shift_id: str, workstation: str, cashier: str, business_day: str, at: int, float_fen: int, after: int
) -> Shift:
    """Return a new shift; raise Invalid for a float that no drawer gets."""
    if not 0 <= check_fen(float_fen, "float_fen") <= MAX_CASH_FEN:
        raise Invalid(f"a float of {float_fen} fen is not from 0 to {MAX_CASH_FEN // 100} yuan")
    return Shift(shift_id, workstation, cashier, business_day, at, float_fen, after)


def move_cash(shift: Shift, movement: CashMovement) -> Shift:
    """Return the shift with `movement`; raise Invalid unless it is open."""
    _need(shift, ShiftState.OPEN, "finish or break off the count first")
    if len(shift.movements) >= MAX_MOVEMENTS:
        raise Invalid(f"the shift at {shift.workstation} has {MAX_MOVEMENTS} cash movements; close it")
    clipped = replace(movement, reason=movement.reason.strip()[:MAX_REASON])
    return replace(shift, movements=(*shift.movements, clipped))


def begin_count(shift: Shift) -> Shift:
    """Return the shift being counted: from here on it takes no cash."""
    _need(shift, ShiftState.OPEN, "it is being counted")
    return replace(shift, state=ShiftState.COUNTING)


def break_off_count(shift: Shift) -> Shift:
    """Return the shift open again; raise Invalid once a count was given: what is expected is known then."""
    _need(shift, ShiftState.COUNTING, "nothing is being counted")
    if shift.counts:
        raise Invalid("a count was given and what is expected was shown; close the shift")
    return replace(shift, state=ShiftState.OPEN)


def give_count(shift: Shift, count: CashCount, expected_fen: int) -> Shift:
    """Return the shift with another count and what the books expected at that moment."""
    _need(shift, ShiftState.COUNTING, "begin the count first")
    if len(shift.counts) >= MAX_COUNTS:
        raise Invalid(f"the drawer was counted {MAX_COUNTS} times; close the shift with a reason")
    return replace(shift, counts=(*shift.counts, count), expected_fen=expected_fen)


def close_shift(
    shift: Shift, number: int, through: int, expected_fen: int, by: str, at: int, reason: str, limit_fen: int
) -> Shift:
    """Return the shift closed as Z `number`; raise Invalid for one whose cash is not explained.

    A cashier's shift needs a count, and a reason when it is over or short by more than limit_fen. An
    automatic one may close without: its workstation has no drawer, or nobody stood there.
    """
    if shift.state is ShiftState.CLOSED:
        raise Invalid(f"the shift at {shift.workstation} is closed already, as Z {shift.number}")
    if not shift.counts and not shift.automatic:
        raise Invalid(f"count the drawer of {shift.workstation} before its shift is closed")
    closed = replace(shift, expected_fen=expected_fen, reason=reason.strip()[:MAX_REASON])
    if abs(closed.over_short_fen or 0) > limit_fen and not closed.reason:
        raise Invalid(f"{closed.over_short_fen} fen over or short is beyond {limit_fen} fen; give a reason")
    return replace(
        closed, state=ShiftState.CLOSED, number=number, through=through, closed_at=at, closed_by=by
    )


def _need(shift: Shift, state: ShiftState, what: str) -> None:
    if shift.state is not state:
        raise Invalid(f"the shift at {shift.workstation} is {shift.state}: {what}")
