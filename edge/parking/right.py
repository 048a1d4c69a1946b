"""By what right a vehicle parks: lists, passes, reservations in one ordered chain, each step told. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from enum import StrEnum

from edge.parking.benefit import Benefit, BenefitKind
from edge.parking.calendar import Calendar
from edge.parking.hours import Hours, covered_ms
from edge.parking.parking_pass import (
    MINUTE_MS,
    PASS_ORDER,
    Coverage,
    ParkingPass,
    PassKind,
    PassNotice,
    PassRules,
    PassUsage,
    StaySpan,
    cover,
)
from edge.parking.plate import kinds_of
from edge.parking.plate_list import PlateEntry, PlateListKind
from edge.parking.reservation import Reservation
from edge.parking.vehicle import PlateColour, VehicleClass


class RightKind(StrEnum):
    """By what a vehicle parks. OFFICIAL: police, rescue and others that never pay. BLACK: not let in."""

    BLACK = "black"
    OFFICIAL = "official"
    FREE = "free"
    PASS = "pass"
    RESERVED = "reserved"
    WHITE = "white"
    VISITOR = "visitor"


class StepOutcome(StrEnum):
    """What a step of the chain came to: it decides, it does not apply, or it applies but does not hold."""

    DECIDES = "decides"
    NONE = "none"
    FAILS = "fails"


@dataclass(frozen=True, slots=True)
class RightStep:
    """One step. ref: of the pass, reservation or command. note: why it fails, or the words of a list."""

    kind: RightKind
    outcome: StepOutcome
    ref: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Right:
    """By what right a vehicle parks.

    refused: why it may not come in, "" when it may; a vehicle that is inside leaves all the same. benefit:
    what the right takes off the fee, None for nothing. notices: what to tell about its passes, with days or
    what is left. even_when_full: a space is there for it though its zone is counted full.
    """

    kind: RightKind
    benefit: Benefit | None = None
    refused: str = ""
    pass_id: str = ""
    reservation_id: str = ""
    notices: Mapping[PassNotice, int] = field(default_factory=dict)
    steps: tuple[RightStep, ...] = ()

    @property
    def even_when_full(self) -> bool:
        """Whether the vehicle may come in while its zone is full."""
        return self.kind in (RightKind.PASS, RightKind.RESERVED, RightKind.FREE, RightKind.OFFICIAL)


@dataclass(frozen=True, slots=True)
class Standing:
    """All that is known of a plate. blocked_by: HQ's command that blocks it now, "" for none."""

    plate: str
    colour: PlateColour
    entries: Sequence[PlateEntry] = ()
    passes: Sequence[tuple[ParkingPass, PassUsage]] = ()
    reservations: Sequence[Reservation] = ()
    blocked_by: str = ""
    blocked_note: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where and by which rules it is decided."""

    rules: PassRules
    zone: tzinfo
    calendar: Calendar = field(default_factory=Calendar)


def decide_right(standing: Standing, stay: StaySpan, place: Place) -> Right:
    """Return by what right a vehicle parks; the first step that decides does.

    The order: blocked by HQ, black list, official plate, free list, the pass that covers most, reservation,
    white list; else it is a visitor, told why its passes do not hold.
    """
    steps: list[RightStep] = []
    notices: dict[PassNotice, int] = {}
    for right, step in _chain(standing, stay, place, notices):
        steps.append(step)
        if right is not None:
            told = right.notices or notices
            return Right(
                right.kind,
                right.benefit,
                right.refused,
                right.pass_id,
                right.reservation_id,
                told,
                tuple(steps),
            )
    return Right(RightKind.VISITOR, notices=notices, steps=(*steps, _decides(RightKind.VISITOR)))


_Step = tuple[Right | None, RightStep]


def _chain(
    standing: Standing, stay: StaySpan, place: Place, notices: dict[PassNotice, int]
) -> Iterator[_Step]:
    yield _blocked(standing)
    yield _black(standing, stay, place)
    yield _official(standing, place)
    yield _free(standing, stay, place)
    yield from _passes(standing, stay, place, notices)
    yield _reserved(standing, stay, place)
    yield _white(standing, stay, place)


def _blocked(standing: Standing) -> _Step:
    if not standing.blocked_by:
        return None, _none(RightKind.BLACK)
    why = standing.blocked_note or "blocked by HQ"
    return Right(RightKind.BLACK, refused=why), _decides(RightKind.BLACK, standing.blocked_by, why)


def _black(standing: Standing, stay: StaySpan, place: Place) -> _Step:
    entry = _holding(standing, PlateListKind.BLACK, stay, place)
    if entry is None:
        return None, _none(RightKind.BLACK)
    why = entry.note or "on the black list"
    return Right(RightKind.BLACK, refused=why), _decides(RightKind.BLACK, "", why)


def _official(standing: Standing, place: Place) -> _Step:
    kinds = set(kinds_of(standing.plate, standing.colour)) & place.rules.free_kinds
    # All of them have a white ground; without it the letters of a foreign plate would be enough.
    if not kinds or standing.colour is not PlateColour.WHITE:
        return None, _none(RightKind.OFFICIAL)
    kind = min(kinds)
    benefit = Benefit(f"official:{kind}", BenefitKind.ALL, 0, "", "公务免费", "official vehicle", PASS_ORDER)
    return Right(RightKind.OFFICIAL, benefit), _decides(RightKind.OFFICIAL, "", kind)


def _free(standing: Standing, stay: StaySpan, place: Place) -> _Step:
    best, entry = 0, None
    for one in standing.entries:
        if one.kind is not PlateListKind.FREE or not _class_fits(one, stay.vehicle_class):
            continue
        covered = covered_ms(_hours(one), stay.entered_at, stay.at, place.zone, place.calendar)
        now = stay.at == stay.entered_at and _hours(one).holds(stay.at, place.zone, place.calendar)
        if now or covered > best:
            best, entry = covered, one
    if entry is None:
        listed = any(one.kind is PlateListKind.FREE for one in standing.entries)
        return None, RightStep(RightKind.FREE, StepOutcome.FAILS if listed else StepOutcome.NONE)
    label = entry.note or "免费车"
    key = f"free:{standing.plate}"
    if best == stay.at - stay.entered_at:
        benefit = Benefit(key, BenefitKind.ALL, 0, "", label, "free list", PASS_ORDER)
    else:
        minutes = -(-best // MINUTE_MS)
        benefit = Benefit(key, BenefitKind.MINUTES, minutes, "", label, "free list", PASS_ORDER)
    return Right(RightKind.FREE, benefit), _decides(RightKind.FREE, "", entry.note)


def _passes(
    standing: Standing, stay: StaySpan, place: Place, notices: dict[PassNotice, int]
) -> Iterator[_Step]:
    if not standing.passes:
        yield None, _none(RightKind.PASS)
    found = [
        (one, cover(one, usage, stay, place.rules, place.zone, place.calendar))
        for one, usage in standing.passes
    ]
    for one, coverage in sorted(found, key=_reach, reverse=True):
        if coverage.benefit is None:
            notices.update(coverage.notices)
            why = next(iter(coverage.notices), PassNotice.NOT_YET)
            yield None, RightStep(RightKind.PASS, StepOutcome.FAILS, one.pass_id, why)
            continue
        right = Right(RightKind.PASS, coverage.benefit, pass_id=one.pass_id, notices=coverage.notices)
        yield right, _decides(RightKind.PASS, one.pass_id, one.kind)


def _reserved(standing: Standing, stay: StaySpan, place: Place) -> _Step:
    rules, late = place.rules, ""
    for one in standing.reservations:
        if one.zone == stay.zone and (
            one.session_id == stay.session_id != ""
            or one.lets_in(stay.at, rules.reserve_early_min, rules.reserve_hold_min)
        ):
            right = Right(RightKind.RESERVED, reservation_id=one.reservation_id)
            return right, _decides(RightKind.RESERVED, one.reservation_id)
        late = one.reservation_id
    outcome = StepOutcome.FAILS if late else StepOutcome.NONE
    return None, RightStep(RightKind.RESERVED, outcome, late)


def _white(standing: Standing, stay: StaySpan, place: Place) -> _Step:
    entry = _holding(standing, PlateListKind.WHITE, stay, place)
    if entry is None:
        return None, _none(RightKind.WHITE)
    return Right(RightKind.WHITE), _decides(RightKind.WHITE, "", entry.note)


def _holding(standing: Standing, kind: PlateListKind, stay: StaySpan, place: Place) -> PlateEntry | None:
    for one in standing.entries:
        if (
            one.kind is kind
            and _class_fits(one, stay.vehicle_class)
            and _hours(one).holds(stay.at, place.zone, place.calendar)
        ):
            return one
    return None


def _reach(found: tuple[ParkingPass, Coverage]) -> tuple[int, int, str]:
    """All of the stay, then part of it, then money; period passes before those that are used up."""
    one, coverage = found
    if coverage.benefit is None:
        return (-1, 0, one.pass_id)
    reach = {BenefitKind.ALL: 3, BenefitKind.MINUTES: 2}.get(coverage.benefit.kind, 1)
    cost = (PassKind.STORED_VALUE, PassKind.STORED_TIMES, PassKind.STORED_DAYS)
    return (reach, cost.index(one.kind) if one.kind in cost else len(cost), one.pass_id)


def _hours(entry: PlateEntry) -> Hours:
    return Hours(entry.valid_from, entry.valid_to, entry.days, entry.from_min, entry.to_min)


def _class_fits(entry: PlateEntry, seen: VehicleClass) -> bool:
    """A list's class that is a size of vehicle must be the vehicle's; any other word is a group's name."""
    sizes = set(VehicleClass) - {VehicleClass.UNKNOWN}
    return entry.plate_class not in sizes or seen in (VehicleClass.UNKNOWN, entry.plate_class)


def _none(kind: RightKind) -> RightStep:
    return RightStep(kind, StepOutcome.NONE)


def _decides(kind: RightKind, ref: str = "", note: str = "") -> RightStep:
    return RightStep(kind, StepOutcome.DECIDES, ref, note)
