"""Issue passes and change them: renew, top up, block, lift, cancel, edit; HQ is told of each."""

from __future__ import annotations

from dataclasses import dataclass, replace

from edge.clock import Instant
from edge.codes.sheet import MAX_AT
from edge.errors import Invalid
from edge.parking.hours import Hours, day_start
from edge.parking.parking_pass import (
    MAX_BALANCE,
    MAX_TEXT,
    ParkingPass,
    PassEntry,
    PassEntryKind,
    PassKind,
    PassState,
    check_pass,
    renew,
    term_end,
)
from edge.parking.plate import require_plate
from edge.parking.vehicle import VehicleClass
from edge.services.box import Box
from edge.services.events import EventKind, record_event
from edge.services.parking_right_events import pass_changed
from edge.services.records import Unit


@dataclass(frozen=True, slots=True)
class PassAsk:
    """What a new pass is to be. terms: of a period pass. amount: fen, visits or days of a stored one.

    plates: as people type them. from_at: its first day, None for today. to_at: the end of a stored pass, None
    for none. pass_id: made before the form was shown, so that sending it twice issues one pass.
    """

    pass_id: str
    kind: PassKind
    holder: str
    plates: tuple[str, ...]
    spaces: int = 1
    terms: int = 1
    amount: int = 0
    price_fen: int = 0
    zones: tuple[str, ...] = ()
    vehicle_class: VehicleClass = VehicleClass.UNKNOWN
    from_at: int | None = None
    to_at: int | None = None
    note: str = ""


def issue_pass(box: Box, ask: PassAsk, by: str) -> ParkingPass:
    """Issue a pass; the same ask again returns it and does nothing. Raises Invalid naming what is wrong."""
    now = box.clock.now()

    def work(unit: Unit) -> ParkingPass:
        known = unit.passes.get(ask.pass_id)
        if known is not None:
            return known
        one = _made(unit, box, ask, by, now)
        unit.passes.put(one)
        if one.kind.stored:
            _top_up(unit, one.pass_id, f"issue:{one.pass_id}", ask.amount, by, "", now)
        _tell(unit, box, one, "issued", by, one.price_fen, now)
        return one

    return box.store.write(work)


def renew_pass(box: Box, pass_id: str, terms: int, price_fen: int, by: str, key: str) -> ParkingPass:
    """Renew a period pass by so many terms; raise Invalid when it cannot be.

    key: of the form that asked for it, so that sending it twice renews once.
    """
    now = box.clock.now()

    def work(unit: Unit) -> ParkingPass:
        one = _wanted(unit, pass_id)
        renewed = renew(one, terms, price_fen, now.wall_at, box.parking.passes, box.rules.zone)
        note = f"{one.hours.valid_to}>{renewed.hours.valid_to}"
        line = PassEntry(pass_id, f"renew:{key}", PassEntryKind.CORRECTION, 0, now.wall_at, "", by, note)
        if not unit.passes.enter(line):
            return one
        unit.passes.put(renewed)
        _tell(unit, box, renewed, "renewed", by, price_fen, now)
        return renewed

    return box.store.write(work)


def top_up_pass(box: Box, pass_id: str, amount: int, price_fen: int, by: str, key: str) -> int:
    """Put fen, visits or days into a stored pass; return what it holds then. Raises Invalid.

    key: of the form that asked for it, so that sending it twice puts in once.
    """
    now = box.clock.now()

    def work(unit: Unit) -> int:
        one = _wanted(unit, pass_id)
        if not one.kind.stored:
            raise Invalid(f"a {one.kind} pass is renewed, not topped up")
        if one.state is not PassState.ACTIVE:
            raise Invalid(f"pass of {one.holder} is {one.state}; lift that first")
        if _top_up(unit, pass_id, f"top_up:{key}", amount, by, "", now):
            _tell(unit, box, one, "topped_up", by, price_fen, now)
        return unit.passes.balance(pass_id)

    return box.store.write(work)


_WHAT = {PassState.ACTIVE: "unblocked", PassState.BLOCKED: "blocked", PassState.CANCELLED: "cancelled"}


def change_state(box: Box, pass_id: str, state: PassState, by: str, reason: str) -> ParkingPass:
    """Block a pass, lift that, or cancel it for good; raise Invalid without a reason or when it cannot be."""
    now = box.clock.now()
    words = " ".join(reason.split())[:MAX_TEXT]
    if not words or not by:
        raise Invalid("say who does it and why, such as: the card was lost")

    def work(unit: Unit) -> ParkingPass:
        one = _wanted(unit, pass_id)
        if one.state is PassState.CANCELLED or one.state is state:
            raise Invalid(f"pass of {one.holder} is {one.state} already")
        changed = replace(one, state=state, note=words)
        unit.passes.put(changed)
        _tell(unit, box, changed, _WHAT[state], by, 0, now)
        return changed

    return box.store.write(work)


def edit_pass(box: Box, pass_id: str, plates: tuple[str, ...], spaces: int, by: str) -> ParkingPass:
    """Give a pass other cars or spaces; raise Invalid when it cannot be."""
    now = box.clock.now()

    def work(unit: Unit) -> ParkingPass:
        one = _wanted(unit, pass_id)
        changed = check_pass(replace(one, plates=tuple(map(require_plate, plates)), spaces=spaces))
        _refuse_clash(unit, changed)
        unit.passes.put(changed)
        _tell(unit, box, changed, "edited", by, 0, now)
        return changed

    return box.store.write(work)


def _made(unit: Unit, box: Box, ask: PassAsk, by: str, now: Instant) -> ParkingPass:
    begin = day_start(now.wall_at if ask.from_at is None else ask.from_at, box.rules.zone)
    if ask.kind.stored:
        end = MAX_AT if ask.to_at is None else ask.to_at
    else:
        end = term_end(ask.kind, begin, ask.terms, box.rules.zone)
    known = {zone.name for zone in box.parking.facility.zones}
    strange = sorted(set(ask.zones) - known)
    if strange:
        raise Invalid(f"this box has no zone {strange[0]!r}; it has {', '.join(sorted(known)) or 'none'}")
    one = ParkingPass(
        ask.pass_id,
        ask.kind,
        ask.holder.strip(),
        tuple(map(require_plate, ask.plates)),
        Hours(begin, end),
        ask.spaces,
        ask.zones,
        ask.vehicle_class,
        ask.price_fen,
        PassState.ACTIVE,
        now.wall_at,
        by,
        ask.note.strip(),
    )
    _refuse_clash(unit, check_pass(one))
    return one


def _refuse_clash(unit: Unit, one: ParkingPass) -> None:
    """A plate has one running pass of a kind: with two of them nobody could say which is used."""
    for plate in one.plates:
        for other in unit.passes.of_plate(plate):
            same = other.pass_id != one.pass_id and other.kind is one.kind and other.zones == one.zones
            overlap = (
                other.hours.valid_from < one.hours.valid_to and one.hours.valid_from < other.hours.valid_to
            )
            if same and overlap and other.state is not PassState.CANCELLED:
                raise Invalid(f"{plate} has such a pass already, of {other.holder}; renew or cancel that one")


def _wanted(unit: Unit, pass_id: str) -> ParkingPass:
    one = unit.passes.get(pass_id)
    if one is None:
        raise Invalid(f"there is no pass {pass_id!r:.64}; look at the list again")
    if one.from_hq:
        raise Invalid("HQ keeps this pass; change it there")
    return one


def _top_up(unit: Unit, pass_id: str, key: str, amount: int, by: str, note: str, now: Instant) -> bool:
    if not 1 <= amount <= MAX_BALANCE:
        raise Invalid(f"{amount} is nothing to put in; give 1 to {MAX_BALANCE}")
    line = PassEntry(pass_id, key, PassEntryKind.TOP_UP, amount, now.wall_at, "", by, note)
    return unit.passes.enter(line)


def _tell(unit: Unit, box: Box, one: ParkingPass, what: str, by: str, paid_fen: int, now: Instant) -> None:
    data = pass_changed(one, what, by, paid_fen, unit.passes.balance(one.pass_id))
    record_event(unit, box.ids, now, box.origin, EventKind.PASS_CHANGED, one.pass_id, data)
