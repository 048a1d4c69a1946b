"""What must hold of a car park after a run: the truth of the cars against gates, stays, money and counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from edge.parking.decision import Why
from edge.parking.gate_command import GateCommand
from edge.parking.quote import Settlement
from edge.parking.session import Session, SessionState
from edge.parking.stay_charge import PARKING_SKU
from edge.parking.validation import Holder
from edge.services.records import Unit
from sim.world.garage.fees import fee_violations, in_doubt, most_fen
from sim.world.garage.motorists import Motorist, Where
from sim.world.garage.opener import opening_violations
from sim.world.promised import promised

if TYPE_CHECKING:
    from sim.world.world import World

Event = dict[str, Any]

#: The longest that a car may stand at a barrier, restarts and a guard's help included; a power cut is not.
TRAPPED_MS = 300_000

#: What a stay costs in these scenarios: the first hour.
FEE_FEN = 500

#: More passages and openings than any scenario has.
MOST = 99

#: Reasons for which an exit opens though nothing was settled, each with what else must show it.
_UNPAID = frozenset({Why.DEBT, Why.UNCONFIRMED, Why.AUTOPAY, Why.BY_HAND})
_FREE = frozenset({Why.FREE, Why.NO_FEE, Why.PASS, Why.LISTED, Why.AGAIN, Why.CLOCK})


def garage_violations(world: World, events: list[Event]) -> Iterator[str]:
    """Yield what is wrong; nothing for a world without cars."""
    cars = [person for person in world.people if isinstance(person, Motorist)]
    if not cars:
        return
    yield from promised("P23", _through(world, cars))
    yield from promised("P48", _stays(world, cars))
    yield from promised("P48", _stays_told(cars, events))
    yield from promised("P24", _others(world, cars))
    yield from promised("P22", _openings(world))
    yield from promised("P26", _unearned(world))
    yield from promised("P22", opening_violations(world))
    yield from promised("P26", _money(world, cars, events))
    yield from promised("P48", _inside(world, cars))
    yield from promised("P39", fee_violations(world, cars))
    yield from promised("P26", _owners(world))
    yield from promised("P25", _benefits(world, cars))


def _through(world: World, cars: list[Motorist]) -> Iterator[str]:
    """Nobody is trapped: every car has gone, and none stood for long while there was power."""
    habits = world.conditions.clock
    dark_ms = habits.dark_ms if habits.cuts else 0
    for car in cars:
        if car.where is not Where.GONE:
            yield f"{car.plate} is {car.where}"
        if car.waited_ms > TRAPPED_MS + dark_ms:
            yield f"{car.plate} stood at a barrier for {car.waited_ms} ms"
    for lane in world.garage.lanes:
        left = world.store.read(lambda unit, lane=lane: unit.passages.current(lane))  # type: ignore[misc]
        if left is not None:
            yield f"lane {lane} still has a passage: {left.state}, {left.plate}"


def _stays(world: World, cars: list[Motorist]) -> Iterator[str]:
    """Each car had a stay, which has ended."""
    for car in cars:
        stay = _stay(world, car.session_id)
        if stay is None or stay.state is not SessionState.LEFT:
            yield f"{car.plate} left, its stay {car.session_id!r} is {stay and stay.state}"


def _others(world: World, cars: list[Motorist]) -> Iterator[str]:
    """No car had another's stay."""
    whose = Counter(car.session_id for car in cars if car.session_id)
    yield from (f"{count} cars had stay {one!r}" for one, count in whose.items() if count > 1)
    for car in cars:
        stay = _stay(world, car.session_id)
        its = {car.plate, *(look.text for look in car.looks)}
        if stay is not None and stay.plate not in its and not car.helped:
            yield f"{car.plate} left by the stay of {stay.plate}"


def _stays_told(cars: list[Motorist], events: list[Event]) -> Iterator[str]:
    """Each stay was told to begin once and to end once, and each car had one."""
    begun, ended = _told(events, "parking.entered"), _told(events, "parking.left")
    ghosts = _told(events, "parking.never_entered")
    for what, told in (("entered", begun), ("left", ended)):
        twice = [one for one, count in told.items() if count > 1]
        if twice:
            yield f"stays {twice} were told to have {what} more than once"
    if len(begun) - len(ghosts) != len(cars) or len(ended) != len(cars):
        yield f"{len(cars)} cars; {len(begun)} stays began, {len(ghosts)} never were, {len(ended)} ended"


def _openings(world: World) -> Iterator[str]:
    """A gate opened at most once for each opening that was decided, and each has an end."""
    for lane, boom in world.garage.booms.items():
        commands = _commands(world, lane)
        sent = [one for one in commands if one.tries]
        if any(one.tries > 1 for one in sent) or boom.pulses > len(sent):
            yield f"gate {boom.name} was pulsed {boom.pulses} times for {[one.tries for one in sent]}"
        going_on = [one.command_id for one in commands if not one.is_over and one.state.value != "doubtful"]
        if going_on:
            yield f"openings {going_on} at {lane} have no end"


def _unearned(world: World) -> Iterator[str]:
    """An exit opens for what is settled, for a right to go, for a debt that is written down, or a person."""
    sent = {one.passage_id for one in _commands(world, world.garage.exit) if one.tries}
    for passage_id in sorted(sent):
        yield from _opened_for_nothing(world, passage_id)


def _opened_for_nothing(world: World, passage_id: str) -> Iterator[str]:
    passage = world.store.read(lambda unit: unit.passages.get(passage_id))
    if passage is None or passage.decision is None or passage.decision.by:
        return
    why, session_id = passage.decision.why, passage.session_id
    settled_fen = sum(one.amount_fen for one in _settled(world, session_id))
    owed = world.store.read(lambda unit: unit.debts.of_session(session_id))
    if why is Why.PAID and settled_fen < FEE_FEN and not in_doubt(world, session_id):
        yield f"the exit opened for a stay as paid, {settled_fen} fen are settled"
    elif why in (Why.DEBT, Why.UNCONFIRMED) and not owed:
        yield f"the exit opened for a debt that nobody wrote down: {session_id}"
    elif why not in _UNPAID | _FREE | {Why.PAID} and not why.value.startswith("gate_"):
        yield f"the exit opened, and why is {why}"
    elif why in _FREE and not _is_free(world, session_id) and not settled_fen:
        yield f"the exit opened for {why}, though the stay {session_id} costs {FEE_FEN} fen"


def _is_free(world: World, session_id: str) -> bool:
    cars = [person for person in world.people if isinstance(person, Motorist)]
    return any(car.owes_nothing or car.helped for car in cars if car.session_id == session_id)


def _money(world: World, cars: list[Motorist], events: list[Event]) -> Iterator[str]:
    """What was paid for parking settles the stays that it was paid for, no more and no less, once."""
    for car in cars:
        yield from _paid(world, car)
    settled = [one for car in cars for one in _settled(world, car.session_id)]
    settled_fen = sum(one.amount_fen for one in settled)
    paid_fen = sum(
        line["amount_fen"]
        for data in _of(events, "order.paid")
        for line in data["lines"]
        if line["sku"] == PARKING_SKU
    )
    if settled_fen != paid_fen:
        yield f"{paid_fen} fen were paid for parking, {settled_fen} settle the stays of these cars"


def _paid(world: World, car: Motorist) -> Iterator[str]:
    mine_fen = sum(one.amount_fen for one in _settled(world, car.session_id))
    debts = world.store.read(lambda unit: unit.debts.of_session(car.session_id))
    cost_fen = 0 if car.owes_nothing else max(FEE_FEN, most_fen(world, car))
    if len(debts) > 1:
        yield f"{car.plate} has {len(debts)} debts"
    if mine_fen > cost_fen:
        yield f"{car.plate} paid {mine_fen} fen, its stay cost {cost_fen}"
    if not (mine_fen or debts or car.owes_nothing or car.helped):
        yield f"{car.plate} left without paying, and nobody wrote it down"


def _owners(world: World) -> Iterator[str]:
    """Owners are charged once their car is gone, or it may yet stay."""
    early = world.garage.owners.too_early
    if early:
        yield f"the owners of {early} were charged while their cars stood at a lane"


def _benefits(world: World, cars: list[Motorist]) -> Iterator[str]:
    """What a purchase gave a car for this visit is not there for the next one."""
    for car in cars:
        holder = Holder(plate=car.plate)
        open_still = world.store.read(lambda unit, holder=holder: unit.validations.open_of(holder))  # type: ignore[misc]
        if open_still and car.where is Where.GONE:
            yield f"{car.plate} has left, and its validated parking is good for another visit"


def _inside(world: World, cars: list[Motorist]) -> Iterator[str]:
    """The count of each zone is that of the cars that are in it."""
    true = sum(car.where in (Where.INSIDE, Where.AT_EXIT) for car in cars)
    zones = [zone.name for zone in world.scenario.parking.facility.zones]
    counted = world.store.read(lambda unit: sum(unit.sessions.count_inside(zone) for zone in zones))
    if counted != true:
        yield f"{true} cars are inside, {counted} are counted"


def _told(events: list[Event], kind: str) -> Counter[str]:
    return Counter(data["session_id"] for data in _of(events, kind))


def _of(events: list[Event], kind: str) -> Iterator[Event]:
    return (event["data"] for event in events if event["type"] == f"cn.mall.{kind}.v1")


def _stay(world: World, session_id: str) -> Session | None:
    return world.store.read(lambda unit: unit.sessions.get(session_id))


def _settled(world: World, session_id: str) -> tuple[Settlement, ...]:
    def query(unit: Unit) -> tuple[Settlement, ...]:
        return tuple(unit.settlements.of_session(session_id))

    return world.store.read(query) if session_id else ()


def _commands(world: World, lane: str) -> tuple[GateCommand, ...]:
    return world.store.read(lambda unit: unit.gate_commands.recent(lane, MOST))
