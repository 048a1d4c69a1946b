"""Drivers who pay for their parking, and what must hold of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edge.errors import Declined
from edge.parking.facility import Facility, Lane, LaneWay, UnconfirmedPolicy, Zone
from edge.parking.passage import Passage, PassageState
from edge.parking.session import Session
from edge.parking.tariff_document import RateLine, Tariff
from edge.retail.attempt import PayWay
from edge.services.box import Workstation, WorkstationKind
from edge.services.charge_stay import charge_stay
from edge.services.check_out import leave
from edge.services.parking_rules import ParkingRules
from edge.services.pay_by_phone import begin_phone_payment
from edge.services.records import Unit
from sim.fakes.box import TILL
from sim.world.people.person import Person, Place

if TYPE_CHECKING:
    from sim.world.world import World

EXIT, OUT = "exit-1", "out-1"
STAY = "stay-1"
HOUR_MS = 3_600_000

#: What a stay of one and a half hours costs.
FEE_FEN = 1_000

_TARIFF = Tariff("standard", "标准", 0, 0, None, (RateLine(60, 500),))


def garage(policy: UnconfirmedPolicy) -> ParkingRules:
    """Return a car park with one exit of that policy."""
    lane = Lane(OUT, LaneWay.EXIT, "p1", "gate-out", workstation=EXIT, unconfirmed=policy)
    return ParkingRules(Facility("garage", (Zone("p1", 100),), (lane,)))


#: The place to pay of the exit.
EXITS = {EXIT: Workstation(EXIT, WorkstationKind.LANE)}


def park(world: World) -> None:
    """Have a vehicle that came an hour and a half ago stand at the exit."""
    now = world.clock.now()
    stay = Session(STAY, "p1", "粤B12345", now.wall_at - 3 * HOUR_MS // 2, "in-1")
    waits = Passage(
        "passage-1",
        OUT,
        LaneWay.EXIT,
        now.wall_at,
        now.boot_id,
        now.boottime_ns,
        PassageState.WAITING,
        plate=stay.plate,
        fresh=True,
        session_id=STAY,
    )

    def work(unit: Unit) -> None:
        unit.tariffs.replace((_TARIFF,))
        unit.sessions.put(stay)
        unit.passages.put(waits)

    world.store.write(work)


@dataclass(slots=True)
class Parker(Person):
    """A driver at the exit, who pays by codes, by phone or with cash at the guard's till.

    looked: how often the screen was at its start after something was tried.
    """

    codes: list[str] = field(default_factory=list)
    phone: bool = False
    cash_fen: int = 0
    paid_phone: bool = False
    shown: int = 0
    looked: int = 0

    def act(self, place: Place) -> None:
        """Do the next thing."""
        where = TILL if self.cash_fen else EXIT
        screen = place.look(where)
        self.purse.recall(screen)
        kind = screen["screen"]
        if kind == "paid":
            self.has_paid = True
            leave(place.box, where)
        elif kind == "attract":
            self._begin(place, where)
        elif kind == "checkout" and self.phone:
            begin_phone_payment(place.box, STAY)
        elif kind == "checkout" and self.cash_fen:
            self.purse.hand_over(place.box, where, self.cash_fen, screen)
        elif kind == "checkout" and self.codes:
            self.shown += 1
            place.scan(where, self.codes.pop(0))
        elif kind == "waiting" and self.phone and not self.paid_phone:
            self.paid_phone = self._pay(place)

    def _begin(self, place: Place, where: str) -> None:
        if self.has_paid or self.shown or self.paid_phone:
            self.looked += 1
        try:
            charge_stay(place.box, STAY, where)
        except Declined:
            # Nothing is due any more, or it is a debt by now: the vehicle may go.
            self.done = True
            return
        owed = place.box.store.read(lambda unit: unit.debts.of_session(STAY))
        self.done = bool(owed) or self.looked > 3

    def _pay(self, place: Place) -> bool:
        attempts = place.box.store.read(lambda unit: unit.attempts.open(9))
        urls = [one.pay_url for one in attempts if one.way is PayWay.NATIVE and one.pay_url]
        return bool(urls) and place.pay_url(urls[0])


def stay_violations(world: World) -> Iterator[str]:
    """Yield what is wrong: a settlement without its money, an opening without either, or twice."""
    if OUT not in {lane.name for lane in world.scenario.parking.facility.lanes}:
        return
    settled = world.store.read(lambda unit: unit.settlements.of_session(STAY))
    paid_fen = sum(one.amount_fen for one in settled)
    orders = [world.store.read(lambda unit, one=one: unit.orders.get(one.order_id)) for one in settled]  # type: ignore[misc]
    for order in orders:
        if order is None or order.due_fen or not order.tenders:
            yield f"a stay was settled by an order that is not paid: {order}"
    if len(settled) > 1:
        yield f"the stay was settled {len(settled)} times"
    held_fen = sum(fen for name, fen in _balances(world).items() if name.startswith("tender/"))
    if held_fen != paid_fen:
        yield f"{held_fen} fen were taken, {paid_fen} are settled"
    yield from _openings(world, settled_fen=paid_fen)


def _openings(world: World, settled_fen: int) -> Iterator[str]:
    debts = world.store.read(lambda unit: unit.debts.of_session(STAY))
    commands = world.store.read(lambda unit: unit.gate_commands.of_passage("passage-1"))
    if len(commands) > 1:
        yield f"the gate was to open {len(commands)} times"
    if bool(commands) != bool(settled_fen or debts):
        yield f"{len(commands)} openings, {settled_fen} fen settled, {len(debts)} debts"
    if len(debts) > 1:
        yield f"the stay has {len(debts)} debts"
    for debt in debts:
        if (debt.state.value == "settled") is not bool(settled_fen):
            yield f"the debt is {debt.state}, {settled_fen} fen are settled"


def _balances(world: World) -> dict[str, int]:
    return world.store.read(lambda unit: unit.ledger.balances())
