"""HQ pushes a dearer tariff, and dearer prices, while a car stands inside and somebody buys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from sim.fakes.box import KIOSK
from sim.fakes.clock import START_AT
from sim.snapshots import Content
from sim.world.garage.motorists import Guard, Motorist, Where
from sim.world.garage.scenarios import PAID_AT_EXIT
from sim.world.garage.truth import FEE_FEN
from sim.world.people.buyers import Buyer
from sim.world.people.person import Person, Place
from sim.world.people.pushes import CHUNK_BYTES, GOODS, KINDS, NEW, Publisher, Push, price_list
from sim.world.world import World

#: What an hour costs by the new tariff, and how long after the car came it is in force: well within its stay,
#: and later than any clock of the box can have dated its entry.
DEARER_FEN = 2 * FEE_FEN
SOON_MS = 20_000


def _tariffs(now_at: int) -> Content:
    """Return the tariff as it is and, from soon on, a dearer one of the same id."""
    head = "tariff_id,name,valid_from,step_min,price\n"
    lines = ((0, FEE_FEN), (now_at + SOON_MS, DEARER_FEN))
    rows = "".join(f"standard,标准,{at},60,{fen // 100}.{fen % 100:02d}\n" for at, fen in lines)
    return Content("tariffs", 1, (head + rows).encode(), chunk_bytes=CHUNK_BYTES)


def _pushed(world: World) -> Sequence[Person]:
    car, guard, *_ = PAID_AT_EXIT.prepare(world)
    assert isinstance(car, Motorist)
    assert isinstance(guard, Guard)

    def stands_inside(place: Place) -> bool:
        return car.where is not Where.COMING and car.where is not Where.AT_ENTRY

    tariffs = Push(_tariffs(START_AT), stands_inside, dated=_tariffs)
    pushes = (tariffs, Push(price_list(1, NEW), lambda place: True, NEW))
    buyer = Buyer(KIOSK, GOODS, codes=[world.code() for _ in range(4)])
    return [Publisher(world.air, pushes), car, guard, buyer]


def tariff_violations(world: World) -> Iterator[str]:
    """The dearer tariff is in force for those who come now, whatever happened while it was pushed."""
    pushed = [push for one in world.people if isinstance(one, Publisher) for push in one.pushes]
    if not any(push.content.name == "tariffs" for push in pushed):
        return
    there = world.store.read(lambda unit: unit.tariffs.all())
    fees = [one.lines[0].price_fen for one in sorted(there, key=lambda one: one.valid_from)]
    if fees != [FEE_FEN, DEARER_FEN]:
        yield f"an hour costs {fees} one after another, {[FEE_FEN, DEARER_FEN]} were said"


TARIFF_PUSHED = replace(
    PAID_AT_EXIT, name="car: a dearer tariff pushed meanwhile", prepare=_pushed, takes=KINDS
)
