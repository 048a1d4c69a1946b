"""What must hold after a day of traffic: the truth of the cars against sessions, gates, money and events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from edge.parking.quote import Settlement
from edge.parking.session import SessionState
from edge.services.count_zone import count_zone
from edge.services.quote_session import quote_session
from edge.services.records import Unit
from sim.parking_day.cars import TRAPPED_MS, Car
from sim.parking_day.day import ParkingDay
from sim.parking_day.garage import ENTRIES, EXITS, MIDNIGHT_AT
from sim.traffic import HOUR_MS, Way

#: How far the books may be from the moment at which a car really passed, in milliseconds.
CLOSE_MS = 60_000

#: Settlements and events of a day.
MOST = 200_000


def violations(day: ParkingDay) -> list[str]:
    """Return everything that is not as it must be after a day, in words; nothing when all is well."""
    return [*_cars(day), *_lanes(day), *_money(day), *_occupancy(day), *_events(day)]


def takings(day: ParkingDay) -> int:
    """Return what was settled for parking, in fen."""
    return sum(one.amount_fen for one in _settled(day))


def _cars(day: ParkingDay) -> Iterator[str]:
    """Every car left by its own stay, at its own moments, and nobody waited too long."""
    whose: Counter[str] = Counter()
    for car in _visits(day):
        session = day.session(car.session_id)
        whose[car.session_id] += 1
        if session.state is not SessionState.LEFT or session.left_at is None:
            yield f"{car.trip.plate} left, its stay is {session.state}"
        elif abs(session.left_at - (car.left_at or 0)) > CLOSE_MS:
            yield f"{car.trip.plate} left at {car.left_at}, its stay ended at {session.left_at}"
        if abs(session.entered_at - (car.entered_at or 0)) > CLOSE_MS:
            yield f"{car.trip.plate} came at {car.entered_at}, its stay began at {session.entered_at}"
        if car.waited_ms >= TRAPPED_MS:
            yield f"{car.trip.plate} stood at a barrier for {car.waited_ms} ms"
    yield from (f"{count} cars had stay {one}" for one, count in whose.items() if count > 1)


def _lanes(day: ParkingDay) -> Iterator[str]:
    """A gate opened once for each passage, and never by a repeat or a back-fill."""
    for word in ("trapped", "repeats that did something", "back-fills that opened"):
        if day.figures[word]:
            yield f"{day.figures[word]} {word}"
    visits = len(_visits(day))
    for names in (ENTRIES, EXITS):
        pulses = sum(day.gates[name].pulses for name in names)
        if pulses != visits:
            yield f"the gates of {', '.join(names)} opened {pulses} times for {visits} cars"


def _money(day: ParkingDay) -> Iterator[str]:
    """What was settled is what the stays cost, and what gateway and drawer took for it."""
    settled = _settled(day)
    by_stay: Counter[str] = Counter()
    for one in settled:
        by_stay[one.session_id] += one.amount_fen
    for car in _visits(day):
        session = day.session(car.session_id)
        quote = day.store.read(lambda unit, session=session: _quote(unit, day, session))  # type: ignore[misc]
        paid = by_stay[car.session_id]
        if quote.due_fen:
            yield f"{car.trip.plate} left owing {quote.due_fen} fen"
        if paid != quote.total_fen and car.trip.way not in (Way.SPEND, Way.KIOSK):
            yield f"{car.trip.plate} paid {paid} fen for a stay of {quote.total_fen}"
        # A plate that was misread at both ends is a stranger's to the box; its driver must ask the guard.
        if car.trip.way is Way.PASS and paid and car.trip.plate in (car.trip.entry.text, car.trip.exit.text):
            yield f"{car.trip.plate} has a pass and paid {paid} fen"
    balances = day.store.read(lambda unit: unit.ledger.balances())
    if sum(balances.values()):
        yield f"the books do not close: {balances}"
    charged = day.ports.gateway.total_fen()
    if balances.get("tender:wechat_pay", charged) != charged:
        yield f"the gateway took {charged} fen, the books say {balances.get('tender:wechat_pay')}"


def _occupancy(day: ParkingDay) -> Iterator[str]:
    """Nobody is inside any more, by the cars and by the count."""
    for zone in day.box.parking.facility.zones:
        count = day.store.read(lambda unit, zone=zone: count_zone(unit, zone))  # type: ignore[misc]
        if count.inside:
            yield f"zone {zone.name} counts {count.inside} inside; everybody has left"


def _events(day: ParkingDay) -> Iterator[str]:
    """HQ is told of each entry and each exit once."""
    told = day.store.read(_told)
    visits = len(_visits(day))
    for kind in ("parking.entered", "parking.left"):
        if told[kind] != visits:
            yield f"{told[kind]} events {kind} for {visits} cars"


def _visits(day: ParkingDay) -> list[Car]:
    """The cars that came; a plate that was still inside stayed at home."""
    return [car for car in day.cars if car.entered_at is not None]


def _settled(day: ParkingDay) -> tuple[Settlement, ...]:
    until_at = MIDNIGHT_AT + 48 * HOUR_MS
    return day.store.read(lambda unit: tuple(unit.settlements.between(0, until_at, MOST)))


def _quote(unit: Unit, day: ParkingDay, session):  # type: ignore[no-untyped-def]
    return quote_session(unit, day.box, session, session.left_at or day.now)


def _told(unit: Unit) -> Counter[str]:
    kinds: Counter[str] = Counter()
    after = 0
    for _ in range(MOST):
        batch = unit.outbox.window(after, 500)
        if not batch:
            break
        kinds.update(one.kind for one in batch)
        after = batch[-1].sequence
    return kinds
