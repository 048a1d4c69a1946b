"""What must hold after a mall day: the truth of people, cars, wires and paper against the box and HQ."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from edge.parking.debt import DebtState
from edge.parking.gate_command import GateCommand
from edge.parking.session import SessionState
from edge.services.count_zone import count_zone
from edge.services.quote_session import quote_session
from edge.services.records import Unit
from edge.services.watch_clock import BEAT_MS
from sim.mall_day.drivers import Car
from sim.mall_day.house import OPENS_H
from sim.mall_day.money import Heard, money_violations
from sim.mall_day.office_books import office_violations
from sim.mall_day.purchases import purchase_violations
from sim.mall_day.site import ENTRIES, EXITS
from sim.traffic import HOUR_MS, MINUTE_MS, Way

if TYPE_CHECKING:
    from sim.mall_day.day import MallDay

#: The longest that a car may stand at a barrier, a power cut and a guard's help included.
TRAPPED_MS = 300_000

#: How far the books may be from the moment at which a car really passed.
CLOSE_MS = 20_000

#: From the return of the power to the first decision.
FIRST_MS = 60_000

#: How long the machine takes to start, and ran at most since its last heartbeat: when the clock was set, only
#: what the runs prove is charged for over a cut.
UNPROVEN_MS = 12_000 + BEAT_MS

#: What an hour costs, what is free, and the most of a day: the tariff again, told by somebody else.
HOUR_FEN, FREE_MS, DAY_FEN = 500, 15 * MINUTE_MS, 4_000


def heard(day: MallDay) -> Heard:
    """Return what HQ was told on that day."""
    return Heard([json.loads(message.body) for message in day.house.hq.applied])


def violations(day: MallDay, told: Heard) -> list[str]:
    """Return everything that is not as it must be after a day, in words; nothing when all is well."""
    checks = (
        _rest(day),
        _delivery(day),
        money_violations(day, told),
        purchase_violations(day, told),
        office_violations(day, told),
        _cars(day, told),
        _gates(day),
        _fees(day),
        _occupancy(day),
        _cuts(day),
    )
    return [line for check in checks for line in check]


def _rest(day: MallDay) -> Iterator[str]:
    """Everybody has done what they came for, and nothing is on its way any more."""
    waits = [one for one in day.shoppers.people if not one.done]
    if waits:
        yield f"{len(waits)} people never got to an end, the first: {waits[0]}"
    still = day.house.read(lambda unit: (len(unit.attempts.open(99)), unit.outbox.depth().count))
    if any(still):
        yield f"{still[0]} payments are open at the end, {still[1]} events wait for HQ"


def _delivery(day: MallDay) -> Iterator[str]:
    """Every committed event has exactly one effect at HQ, and the sequences have no gap."""
    applied = sorted((one.sequence, one.event_id) for one in day.house.hq.applied)
    committed = [(one.sequence, one.event_id) for one in day.house.history.events]
    if applied != committed:
        missing, extra = set(committed) - set(applied), set(applied) - set(committed)
        yield f"HQ lacks {len(missing)} events and has {len(extra)} that were never committed"
    if [sequence for sequence, _ in committed] != list(range(1, len(committed) + 1)):
        yield "the sequences of the events have a gap"


def _cars(day: MallDay, told: Heard) -> Iterator[str]:
    """Every car left by its own stay, at its own moments; nobody was trapped; HQ heard of it once."""
    cars = visits(day)
    for car in cars:
        yield from _stay(day, car)
    whose = Counter(car.session_id for car in cars)
    yield from (f"{count} cars had stay {one!r}" for one, count in whose.items() if count > 1)
    ghosts = {data["session_id"] for data in told.of("parking.never_entered")}
    for kind in ("parking.entered", "parking.left"):
        count = Counter(data["session_id"] for data in told.of(kind))
        wrong = {one for one, times in count.items() if times > 1} | (set(count) - ghosts) ^ set(whose)
        if wrong:
            yield f"{len(cars)} cars came; {kind} was told otherwise of {len(wrong)}: {sorted(wrong)[:3]}"


def _stay(day: MallDay, car: Car) -> Iterator[str]:
    if car.came_ms is None or car.went_ms is None:
        yield f"{car.plate} has not left: it is {car.where}"
        return
    if car.waited_ms > TRAPPED_MS:
        yield f"{car.plate} stood at a barrier for {car.waited_ms} ms"
    stay = day.house.read(lambda unit: unit.sessions.get(car.session_id))
    if stay is None or stay.state is not SessionState.LEFT or stay.left_at is None:
        yield f"{car.plate} left, its stay {car.session_id!r} is {stay and stay.state}"
        return
    off_ms, true_ms = _slack(day, car), car.went_ms - car.came_ms
    if abs(stay.left_at - stay.entered_at - true_ms) > off_ms or abs(stay.left_at - car.went_at) > off_ms:
        yield f"{car.plate} was here for {true_ms} ms, by its stay for {stay.left_at - stay.entered_at}"


def _slack(day: MallDay, car: Car) -> int:
    """Return how far the books may be off: by what the power or the clock did while the car passed."""
    came, went = car.came_ms or 0, car.went_ms or 0
    # A stay begins with the read at the entry: a car may have gone through in the dark, which is later.
    dark_ms = _dark_ms(day, car.drove_up_ms, went)
    blind_ms = _stepped_ms(day, car.drove_up_ms, went) + dark_ms if dark_ms else 0
    moments = [(cut.at_ms, cut.off_ms + 120_000) for cut in day.house.cuts]
    moments += [(round((hour - OPENS_H) * HOUR_MS), abs(ms) + 30_000) for hour, ms in day.plan.steps]
    near = [
        most
        for at_ms, most in moments
        for passed_ms in (came, went)
        if abs(passed_ms - at_ms) < most + 300_000
    ]
    return CLOSE_MS + blind_ms + max([car.waited_ms, *near])


def _dark_ms(day: MallDay, came: int, went: int) -> int:
    """Return by how much less than the truth the runs of the machine prove, over the cuts in between."""
    return sum(cut.off_ms + UNPROVEN_MS for cut in day.house.cuts if came < cut.at_ms < went)


def _stepped_ms(day: MallDay, came: int, went: int) -> int:
    """Return by how much the clock was set meanwhile; over a start of the machine nobody can tell."""
    steps = sum(abs(ms) for hour, ms in day.plan.steps if came < (hour - OPENS_H) * HOUR_MS < went)
    return steps + sum(abs(ms) for hour, _, ms in day.plan.cuts if came < (hour - OPENS_H) * HOUR_MS < went)


def visits(day: MallDay) -> list[Car]:
    """Return the cars that came; one whose plate was still inside stayed at home."""
    return [car for car in day.drivers.cars if car.visited]


def _gates(day: MallDay) -> Iterator[str]:
    """A gate opened once for each car, but where a board was in trouble; never without a decision."""
    commands = day.house.read(_commands)
    for lane, boom in day.house.garage.booms.items():
        sent = [one for one in commands[lane] if one.tries]
        asked = day.office.desk.by_gate[boom.name]
        if boom.pulses > sum(one.tries for one in sent) + asked:
            yield f"gate {boom.name} was pulsed {boom.pulses} times, decided were {len(sent)}, by HQ {asked}"
        unasked = Counter(one.passage_id for one in sent if not one.by)
        yield from (f"{lane}: passage {one} was opened {n} times" for one, n in unasked.items() if n > 1)


def _fees(day: MallDay) -> Iterator[str]:
    """Who paid at the exit paid what the hours cost; passes paid nothing; nobody left owing unseen."""
    for car in visits(day):
        if not car.session_id:
            continue
        paid_fen, owes_fen, due_fen = day.house.read(lambda unit, car=car: _settled(unit, day, car))  # type: ignore[misc]
        # A plate that was misread at both ends is a stranger's to the box; its driver must ask the guard.
        known = car.plate in (look.text for look in car.looks)
        if car.trip.way is Way.PASS and paid_fen and known and not car.helped:
            yield f"{car.plate} has a pass and paid {paid_fen} fen"
        if due_fen and not owes_fen and not car.helped:
            yield f"{car.plate} left owing {due_fen} fen, and nobody wrote it down"
        if car.trip.way in (Way.CODE, Way.CASH) and not car.helped:
            least, most = _cost(day, car)
            if not least <= paid_fen + owes_fen <= most:
                yield f"{car.plate} settled {paid_fen} and owes {owes_fen} fen; its hours cost {least}-{most}"


def _settled(unit: Unit, day: MallDay, car: Car) -> tuple[int, int, int]:
    paid_fen = sum(one.amount_fen for one in unit.settlements.of_session(car.session_id))
    debts = unit.debts.of_session(car.session_id)
    owes_fen = sum(one.amount_fen for one in debts if one.state is DebtState.OPEN)
    stay = unit.sessions.get(car.session_id)
    if stay is None or stay.left_at is None:
        return paid_fen, owes_fen, 0
    quote = quote_session(unit, day.house.box, stay, stay.left_at - car.waited_ms)
    return paid_fen, owes_fen, quote.due_fen


def _cost(day: MallDay, car: Car) -> tuple[int, int]:
    """Return the least and the most that a car's true hours may cost, by how long it stood at the exit.

    What was bought for the plate on another visit of the day may be an hour that is not used up yet.
    """
    came, went = car.came_ms or 0, car.went_ms or 0
    steps = _stepped_ms(day, car.drove_up_ms, went)
    least_ms = went - came - car.waited_ms - CLOSE_MS - steps - _dark_ms(day, car.drove_up_ms, went)
    least_ms -= HOUR_MS * sum(one.plate == car.plate and one.trip.way is Way.SPEND for one in visits(day))
    return _price(least_ms), _price(went - came + CLOSE_MS + steps)


def _price(stay_ms: int) -> int:
    if stay_ms <= FREE_MS:
        return 0
    days, rest_ms = divmod(stay_ms, 24 * HOUR_MS)
    return days * DAY_FEN + min(DAY_FEN, HOUR_FEN * -(-rest_ms // HOUR_MS))


def _occupancy(day: MallDay) -> Iterator[str]:
    """The count is that of the cars inside, at each look of the day; those at the lanes may count or not."""
    wrong = [one for one in day.samples if abs(one.counted - one.inside) > one.at_lanes]
    if wrong:
        first = wrong[0]
        clock = f"{first.at_ms // HOUR_MS}:{first.at_ms // MINUTE_MS % 60:02d}"
        yield f"{len(wrong)} counts are wrong; at {clock} {first.inside} are inside, {first.counted} counted"
    early = day.house.garage.owners.too_early
    yield from (f"the owner of {plate} was charged while the car stood at a lane" for plate in early)
    zone = day.house.parking.facility.zones[0]
    left = day.house.read(lambda unit: count_zone(unit, zone).inside)
    if left or day.drivers.inside:
        yield f"{left} are counted inside at the end of the day, {day.drivers.inside} are"


def _cuts(day: MallDay) -> Iterator[str]:
    """The power went as often as planned, and the box decided again soon after it was back."""
    if len(day.house.cuts) != len(day.plan.cuts):
        yield f"{len(day.plan.cuts)} power cuts were planned, {len(day.house.cuts)} came"
    for cut in day.house.cuts:
        if cut.first_ms > FIRST_MS:
            yield f"after the power cut at {cut.at_ms} ms the first decision took {cut.first_ms} ms"


def _commands(unit: Unit) -> dict[str, tuple[GateCommand, ...]]:
    return {lane: unit.gate_commands.recent(lane, 100_000) for lane in (*ENTRIES, *EXITS)}
