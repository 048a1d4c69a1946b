"""Passes (月卡, 储值卡 ...): how long they run, what they cover of a stay, what a use takes from them. Pure.

A period pass covers the time in which it runs; a stored one is used up by stays, each use a row of its ledger
under a key, so that a repeat takes nothing twice. Several cars may share fewer spaces: of those inside, the
ones that entered first hold the spaces; a later one is a visitor until it moves up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta, tzinfo
from enum import StrEnum

from edge.errors import Invalid
from edge.parking.benefit import Benefit, BenefitKind
from edge.parking.calendar import Calendar
from edge.parking.hours import Hours, covered_ms, dates_of, day_start
from edge.parking.plate import PlateKind
from edge.parking.vehicle import VehicleClass

DAY_MS = 86_400_000
MINUTE_MS = 60_000

#: Limits of one pass: cars, spaces, months bought at once, and what a stored one may hold.
MAX_PLATES = 50
MAX_TERMS = 24
MAX_BALANCE = 10_000_000
MAX_TEXT = 60

#: Passes are taken off before coupons of lesser reach: a stay that is covered spends nothing else.
PASS_ORDER = -100
VALUE_ORDER = 900


class PassKind(StrEnum):
    """The seven kinds: four run for a time, three are used up (yuan in fen, visits, calendar days)."""

    MONTH = "month"
    QUARTER = "quarter"
    HALF_YEAR = "half_year"
    YEAR = "year"
    STORED_VALUE = "stored_value"
    STORED_TIMES = "stored_times"
    STORED_DAYS = "stored_days"

    @property
    def stored(self) -> bool:
        """Whether it is used up by stays."""
        return self not in MONTHS


#: How many calendar months one term of a period pass has.
MONTHS = {PassKind.MONTH: 1, PassKind.QUARTER: 3, PassKind.HALF_YEAR: 6, PassKind.YEAR: 12}

_LABELS = {
    PassKind.MONTH: ("月卡", "monthly pass"),
    PassKind.QUARTER: ("季卡", "quarterly pass"),
    PassKind.HALF_YEAR: ("半年卡", "half-year pass"),
    PassKind.YEAR: ("年卡", "yearly pass"),
    PassKind.STORED_VALUE: ("储值卡", "stored value"),
    PassKind.STORED_TIMES: ("次卡", "stored visits"),
    PassKind.STORED_DAYS: ("储天卡", "stored days"),
}


class PassState(StrEnum):
    """ACTIVE; BLOCKED until somebody lifts it; CANCELLED for good."""

    ACTIVE = "active"
    BLOCKED = "blocked"
    CANCELLED = "cancelled"


class PassEntryKind(StrEnum):
    """A line of a stored pass's ledger: put in, used by a stay, a use taken back, put right by a person."""

    TOP_UP = "top_up"
    USE = "use"
    REVERSAL = "reversal"
    CORRECTION = "correction"


@dataclass(frozen=True, slots=True)
class ParkingPass:
    """A pass for one or more cars. spaces: how many of them may be inside on it at once.

    hours: when it runs, from `hours.valid_from` to before `hours.valid_to`, and on which days and minutes. A
    stored pass may run without end. zones: where, () for all. vehicle_class: UNKNOWN for any. from_hq: HQ's
    snapshot keeps it, so that nobody changes it here. price_fen: what was paid for it last.
    """

    pass_id: str
    kind: PassKind
    holder: str
    plates: tuple[str, ...]
    hours: Hours
    spaces: int = 1
    zones: tuple[str, ...] = ()
    vehicle_class: VehicleClass = VehicleClass.UNKNOWN
    price_fen: int = 0
    state: PassState = PassState.ACTIVE
    issued_at: int = 0
    issued_by: str = ""
    note: str = ""
    from_hq: bool = False


@dataclass(frozen=True, slots=True)
class PassEntry:
    """One change of what a stored pass holds: fen, visits or days. amount: below 0 for a use.

    key: unique within the pass, by which a repeat is known. session_id: the stay that used it.
    """

    pass_id: str
    key: str
    kind: PassEntryKind
    amount: int
    at: int
    session_id: str = ""
    by: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class PassRules:
    """The mall's rules. grace_days: an expired pass covers so long after its end. warn_days: below so many
    days it is told that it ends. renew_within_days: renewed so soon after its end it goes on from there, else
    from the day of renewal. free_kinds: plates that never pay, by law or custom. reserve_early_min: so long
    before its time a reservation holds a space and lets in; reserve_hold_min: and so long after its start.
    """

    grace_days: int = 0
    warn_days: int = 6
    renew_within_days: int = 30
    free_kinds: frozenset[PlateKind] = frozenset(
        {PlateKind.EMERGENCY, PlateKind.POLICE, PlateKind.ARMED_POLICE, PlateKind.MILITARY}
    )
    reserve_early_min: int = 30
    reserve_hold_min: int = 60


@dataclass(frozen=True, slots=True)
class StaySpan:
    """The stay that a right is asked for: entered_at to `at`; equal at the entry. session_id: "" there."""

    session_id: str
    zone: str
    vehicle_class: VehicleClass
    entered_at: int
    at: int


@dataclass(frozen=True, slots=True)
class PassUsage:
    """What is known of a pass beside itself. balance: of a stored one, without what this stay has used.

    used: what this very stay has used already. days: local dates that are paid already. holds_from: since
    when the car holds one of the pass's spaces in this stay, None while it holds none.
    """

    balance: int = 0
    used: int = 0
    days: frozenset[str] = frozenset()
    holds_from: int | None = 0


class PassNotice(StrEnum):
    """What is told about a pass. ENDS_SOON, EXPIRED, IN_GRACE come with days; LOW with what is left."""

    ENDS_SOON = "ends_soon"
    EXPIRED = "expired"
    IN_GRACE = "in_grace"
    NOT_YET = "not_yet"
    BLOCKED = "blocked"
    OTHER_ZONE = "other_zone"
    OTHER_CLASS = "other_class"
    SPACES_TAKEN = "spaces_taken"
    LOW = "low"
    EMPTY = "empty"
    PART = "part"


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a pass covers of a stay: a benefit, or None and why not."""

    benefit: Benefit | None
    notices: Mapping[PassNotice, int] = field(default_factory=dict)


def check_pass(one: ParkingPass) -> ParkingPass:
    """Return a pass as it may be kept; raise Invalid naming what is wrong and what to do."""
    if not one.plates or len(one.plates) > MAX_PLATES or len(set(one.plates)) != len(one.plates):
        raise Invalid(f"a pass has 1 to {MAX_PLATES} plates, each once")
    if not all(one.plates):
        raise Invalid("a plate of the pass is empty; write it like 粤B12345")
    if not 1 <= one.spaces <= len(one.plates):
        raise Invalid(
            f"{one.spaces} spaces for {len(one.plates)} plates; give 1 to as many as there are plates"
        )
    if not one.holder.strip() or len(one.holder) > MAX_TEXT or len(one.note) > MAX_TEXT:
        raise Invalid(f"a pass needs a holder, and holder and note have {MAX_TEXT} characters at most")
    if one.hours.valid_to <= one.hours.valid_from:
        raise Invalid("the pass ends before it begins; look at its dates")
    if not 0 <= one.price_fen <= MAX_BALANCE:
        raise Invalid(f"price {one.price_fen} fen must be 0 to {MAX_BALANCE}")
    return one


def term_end(kind: PassKind, from_at: int, terms: int, zone: tzinfo) -> int:
    """Return when a period pass ends that begins at a moment: midnight, so many calendar months on.

    The day is that of the beginning, or the month's last. Raises Invalid for a stored kind or bad terms.
    """
    if kind.stored:
        raise Invalid(f"a {kind} pass has no term; give it an end or none")
    if not 1 <= terms <= MAX_TERMS:
        raise Invalid(f"{terms} terms; buy 1 to {MAX_TERMS} at once")
    begin = datetime.fromtimestamp(from_at / 1000, zone).date()
    month = begin.month - 1 + MONTHS[kind] * terms
    year, month = begin.year + month // 12, month % 12 + 1
    following = datetime(year + month // 12, month % 12 + 1, 1).date()
    last = (following - timedelta(days=1)).day
    end = datetime.combine(begin.replace(year=year, month=month, day=min(begin.day, last)), time(), zone)
    return int(end.timestamp()) * 1000


def renew(
    one: ParkingPass, terms: int, price_fen: int, at: int, rules: PassRules, zone: tzinfo
) -> ParkingPass:
    """Return a period pass renewed by so many terms; raise Invalid for one that cannot be.

    Until `renew_within_days` after its end it goes on without a gap; after that it begins anew today.
    """
    if one.from_hq:
        raise Invalid("HQ keeps this pass; renew it there")
    if one.state is not PassState.ACTIVE:
        raise Invalid(f"pass of {one.holder} is {one.state}; lift that first")
    goes_on = at <= one.hours.valid_to + rules.renew_within_days * DAY_MS
    begin = one.hours.valid_to if goes_on else day_start(at, zone)
    first = one.hours.valid_from if goes_on else begin
    hours = replace(one.hours, valid_from=first, valid_to=term_end(one.kind, begin, terms, zone))
    return check_pass(replace(one, hours=hours, price_fen=price_fen))


def cover(
    one: ParkingPass, usage: PassUsage, stay: StaySpan, rules: PassRules, zone: tzinfo, calendar: Calendar
) -> Coverage:
    """Return what a pass covers of a stay, and what is to be told about it."""
    unfit = _unfit(one, usage, stay)
    if unfit is not None:
        return Coverage(None, {unfit: 0})
    notices = _end_notices(one, stay.at, rules)
    hours = replace(one.hours, valid_to=one.hours.valid_to + rules.grace_days * DAY_MS)
    begin = max(stay.entered_at, usage.holds_from or 0)
    covered = covered_ms(hours, begin, stay.at, zone, calendar)
    whole = covered == stay.at - stay.entered_at and (covered > 0 or hours.holds(stay.at, zone, calendar))
    if not whole and covered <= 0:
        return Coverage(None, notices or {PassNotice.NOT_YET: 0})
    if not one.kind.stored:
        return _period(one, covered, whole, notices)
    return _stored(one, usage, stay, notices, zone) if whole else Coverage(None, notices)


def uses_of(
    one: ParkingPass, usage: PassUsage, stay: StaySpan, taken_fen: int, zone: tzinfo
) -> tuple[PassEntry, ...]:
    """Return the lines that a stay writes when it leaves on a stored pass; () for a period pass.

    taken_fen: what the pass took off the fee, by the stay's last quote. Nothing was taken, nothing is used.
    """
    if not one.kind.stored or taken_fen <= 0:
        return ()
    if one.kind is PassKind.STORED_DAYS:
        dates = [day for day in dates_of(stay.entered_at, stay.at, zone) if day not in usage.days]
        return tuple(_use(one, day, 1, stay) for day in dates[: max(usage.balance, 0)])
    amount = min(taken_fen, usage.balance) if one.kind is PassKind.STORED_VALUE else 1
    return (_use(one, stay.session_id, amount, stay),) if 0 < amount <= usage.balance else ()


def reversal(use: PassEntry, at: int, by: str, note: str) -> PassEntry:
    """Return the line that takes a use back; a use is taken back once."""
    if use.kind is not PassEntryKind.USE:
        raise Invalid(f"line {use.key} is a {use.kind}, not a use")
    key = f"{use.key}!"
    return PassEntry(use.pass_id, key, PassEntryKind.REVERSAL, -use.amount, at, use.session_id, by, note)


def moves_up_at(
    entered_at: int, session_id: str, others: Sequence[tuple[int, str, int | None]], spaces: int
) -> int | None:
    """Return since when a car holds one of the spaces that it shares, None while all are held by others.

    others: entered_at, session id and left_at of the stays of the pass's other cars. Of those inside at a
    moment the ones that entered first hold the spaces; equal entries go by id.
    """
    before = [
        left
        for entered, key, left in others
        if (entered, key) < (entered_at, session_id) and (left is None or left > entered_at)
    ]
    too_many = len(before) - spaces + 1
    if too_many <= 0:
        return entered_at
    left = sorted(one for one in before if one is not None)
    return left[too_many - 1] if len(left) >= too_many else None


def pass_label(kind: PassKind) -> tuple[str, str]:
    """Return what people call a kind, in Chinese and English."""
    return _LABELS[kind]


def _unfit(one: ParkingPass, usage: PassUsage, stay: StaySpan) -> PassNotice | None:
    known = (VehicleClass.UNKNOWN, stay.vehicle_class)
    fits_class = one.vehicle_class in known or stay.vehicle_class is VehicleClass.UNKNOWN
    checks = (
        (one.state is not PassState.ACTIVE, PassNotice.BLOCKED),
        (bool(one.zones) and stay.zone not in one.zones, PassNotice.OTHER_ZONE),
        (not fits_class, PassNotice.OTHER_CLASS),
        (one.hours.valid_from > stay.at, PassNotice.NOT_YET),
        (usage.holds_from is None, PassNotice.SPACES_TAKEN),
    )
    return next((notice for wrong, notice in checks if wrong), None)


def _end_notices(one: ParkingPass, at: int, rules: PassRules) -> dict[PassNotice, int]:
    left_ms = one.hours.valid_to - at
    if left_ms <= 0:
        days = -left_ms // DAY_MS
        return {PassNotice.IN_GRACE if days < rules.grace_days else PassNotice.EXPIRED: days}
    days = left_ms // DAY_MS
    return {PassNotice.ENDS_SOON: days} if days < rules.warn_days else {}


def _period(one: ParkingPass, covered: int, whole: bool, notices: dict[PassNotice, int]) -> Coverage:
    zh, en = _LABELS[one.kind]
    if whole:
        return Coverage(Benefit(one.pass_id, BenefitKind.ALL, 0, "", zh, en, PASS_ORDER), notices)
    minutes = -(-covered // MINUTE_MS)
    part = Benefit(one.pass_id, BenefitKind.MINUTES, minutes, "", zh, en, PASS_ORDER)
    return Coverage(part, {**notices, PassNotice.PART: minutes})


def _stored(
    one: ParkingPass, usage: PassUsage, stay: StaySpan, notices: dict[PassNotice, int], zone: tzinfo
) -> Coverage:
    zh, en = _LABELS[one.kind]
    holds = usage.balance + usage.used
    if holds <= 0 and not usage.days:
        return Coverage(None, {**notices, PassNotice.EMPTY: 0})
    if one.kind is PassKind.STORED_VALUE:
        return Coverage(Benefit(one.pass_id, BenefitKind.AMOUNT, holds, "", zh, en, VALUE_ORDER), notices)
    whole = Benefit(one.pass_id, BenefitKind.ALL, 0, "", zh, en, PASS_ORDER)
    if one.kind is PassKind.STORED_TIMES:
        return Coverage(whole, {**notices, PassNotice.LOW: holds} if holds <= 2 else notices)
    return _stored_days(whole, usage, stay, notices, zone)


def _stored_days(
    whole: Benefit, usage: PassUsage, stay: StaySpan, notices: dict[PassNotice, int], zone: tzinfo
) -> Coverage:
    dates = dates_of(stay.entered_at, stay.at, zone)
    left, covered = usage.balance, 0
    for day in dates:
        left -= day not in usage.days
        if left < 0:
            break
        covered += 1
    if covered == len(dates):
        return Coverage(whole, notices)
    if not covered:
        return Coverage(None, {**notices, PassNotice.EMPTY: 0})
    end = day_start(stay.entered_at, zone, covered)
    minutes = -(-(end - stay.entered_at) // MINUTE_MS)
    part = replace(whole, kind=BenefitKind.MINUTES, value=minutes)
    return Coverage(part, {**notices, PassNotice.PART: minutes})


def _use(one: ParkingPass, key: str, amount: int, stay: StaySpan) -> PassEntry:
    return PassEntry(one.pass_id, key, PassEntryKind.USE, -amount, stay.at, stay.session_id)
