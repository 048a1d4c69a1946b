"""HQ pushes prices, tariffs and lists of plates while people buy and park; what must hold of it.

The shipped machinery takes them: manifests that a broker retains, chunks that are asked for and get lost,
doubled or late on the way, and kinds that put them in force. HQ, its broker and the wire outlive the box.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from edge.services.records import Unit
from edge.services.snapshot_kinds import snapshot_kinds
from edge.services.snapshot_records import SnapshotState
from sim.fakes.box import BREAD, COLA, KIOSK, SHELF, WORKSTATIONS, weight_label
from sim.fakes.clock import START_AT
from sim.mall_lists import lists_csv
from sim.snapshots import Content
from sim.world.air import SnapshotAir
from sim.world.people.buyers import Buyer
from sim.world.people.person import Person, Place
from sim.world.scenario import Scenario

if TYPE_CHECKING:
    from sim.world.world import World

Event = dict[str, Any]

#: What the world's box takes.
KINDS = snapshot_kinds(ZoneInfo("Asia/Shanghai"))

#: Prices in fen by sku, as they are and as they come; small chunks make several of each content.
OLD = {one.product.sku: one.product.price_fen for one in SHELF}
NEW, NEWER = ({sku: fen + more for sku, fen in OLD.items()} for more in (50, 120))
CHUNK_BYTES = 48
DAY_MS = 86_400_000

#: Goods that take a while to scan: cola, bread, half a kilogram of apples.
GOODS = ((COLA, "cola"), (BREAD, "bread"), (weight_label("101", 500), "apple"))
WEIGHT_G = {"apple": 500}


@dataclass(frozen=True, slots=True)
class Push:
    """One content that HQ publishes as soon as `when` says so.

    prices: what it says, if it says any. dated: makes the content for the moment at which it is published.
    """

    content: Content
    when: Callable[[Place], bool]
    prices: Mapping[str, int] = field(default_factory=dict)
    dated: Callable[[int], Content] | None = field(default=None, repr=False)


@dataclass(slots=True)
class Publisher(Person):
    """Publishes one content after another, each when the one before is in force, and looks at what is there.

    broken: what it saw that must not be, half of a content for instance. seen_fen: what each line of a basket
    cost when it was first seen.
    """

    air: SnapshotAir = field(repr=False)
    pushes: Sequence[Push] = field(repr=False)
    sent: int = 0
    broken: list[str] = field(default_factory=list)
    seen_fen: dict[str, int] = field(default_factory=dict)

    def act(self, place: Place) -> None:
        """Do the next thing."""
        self._watch_prices(place)
        self._watch_basket(place)
        if self.sent and not place.box.store.read(lambda unit: is_active(unit, self.pushes[self.sent - 1])):
            return
        if self.sent == len(self.pushes):
            self.done = True
        elif self.pushes[self.sent].when(place):
            self._publish(self.pushes[self.sent], START_AT + place.garage.clock.passed_ms)

    def _publish(self, push: Push, now_at: int) -> None:
        content = push.content if push.dated is None else push.dated(now_at)
        self.air.publish(content)
        self.pushes = [
            *self.pushes[: self.sent],
            replace(push, content=content),
            *self.pushes[self.sent + 1 :],
        ]
        self.sent += 1

    def _watch_prices(self, place: Place) -> None:
        at = place.box.clock.now().wall_at
        there = place.box.store.read(lambda unit: prices_in_force(unit, at))
        if there not in (OLD, *(one.prices for one in self.pushes[: self.sent])):
            self.broken.append(f"prices are half in force: {there}")

    def _watch_basket(self, place: Place) -> None:
        basket = place.look(KIOSK)["basket"] or {"lines": []}
        for line in basket["lines"]:
            seen_fen = self.seen_fen.setdefault(line["id"], line["unit_price_fen"])
            if seen_fen != line["unit_price_fen"]:
                self.broken.append(
                    f"{line['sku']} was {seen_fen} fen in the basket, now {line['unit_price_fen']}"
                )


def is_active(unit: Unit, push: Push) -> bool:
    """Return whether a content, or a later one of its name, is in force."""
    row = unit.snapshots.get(push.content.name, SnapshotState.ACTIVE)
    return row is not None and row.version >= push.content.version


def prices_in_force(unit: Unit, at: int) -> dict[str, int]:
    """Return what each product costs at a moment."""
    found = {sku: unit.catalogue.by_sku(sku, at) for sku in OLD}
    return {sku: one.price_fen for sku, one in found.items() if one is not None}


def push_violations(world: World, events: list[Event]) -> Iterator[str]:
    """Each content came into force once, whole; a basket kept its prices, and that is what was paid."""
    for hq in (person for person in world.people if isinstance(person, Publisher)):
        yield from hq.broken
        told = Counter(
            (event["data"]["name"], event["data"]["version"]) for event in _of(events, "snapshot.applied")
        )
        wanted = Counter((one.content.name, one.content.version) for one in hq.pushes)
        if told != wanted:
            yield f"HQ published {dict(wanted)}, in force came {dict(told)}"
        last = {one.content.name: one for one in hq.pushes}
        for push in last.values():
            if not world.store.read(lambda unit, one=push: is_active(unit, one)):  # type: ignore[misc]
                yield f"{push.content.name} version {push.content.version} is not in force"
        yield from _sold(world, hq, events)


def _sold(world: World, hq: Publisher, events: list[Event]) -> Iterator[str]:
    prices = [one.prices for one in hq.pushes if one.prices]
    # By a clock that was set back since, the prices before still hold.
    later = world.clock.now().wall_at + DAY_MS
    there = world.store.read(lambda unit: prices_in_force(unit, later))
    if prices and there != prices[-1]:
        yield f"prices are {there}, pushed were {prices[-1]}"
    for line in (line for data in _paid(events) for line in data["lines"] if line["sku"] in OLD):
        if line["unit_price_fen"] not in {one[line["sku"]] for one in (OLD, *prices)}:
            yield f"{line['sku']} was sold for {line['unit_price_fen']} fen, which HQ never said"
        if line["amount_fen"] != _amount_fen(line):
            yield f"{line['sku']} was sold for {line['amount_fen']} fen, {_amount_fen(line)} were said"


def _amount_fen(line: Event) -> int:
    weight_g = line["weight_g"]
    return int(line["unit_price_fen"] * (line["quantity"] if weight_g is None else weight_g / 1000))


def _paid(events: list[Event]) -> Iterator[Event]:
    """Yield what was sold where goods cost what the catalogue says; guides at counters lower prices."""
    paid = (event["data"] for event in _of(events, "order.paid"))
    return (data for data in paid if data["workstation"] in WORKSTATIONS)


def _of(events: list[Event], kind: str) -> Iterator[Event]:
    return (event for event in events if event["type"] == f"cn.mall.{kind}.v1")


def price_list(version: int, prices: Mapping[str, int], base: Content | None = None) -> Content:
    """Return prices in fen as HQ sends them."""
    lines = "".join(f"{sku},{fen // 100}.{fen % 100:02d},\n" for sku, fen in prices.items())
    data = f"sku,price,valid_from\n{lines}".encode()
    return Content("prices", version, data, chunk_bytes=CHUNK_BYTES, base=base)


def _at_once(place: Place) -> bool:
    return True


def price_pushes() -> tuple[Push, ...]:
    """Return prices, then others as a delta, and lists of plates in between: a basket is filled meanwhile."""
    first = price_list(1, NEW)
    return (
        Push(first, _at_once, NEW),
        Push(Content("lists", 1, lists_csv(12), chunk_bytes=CHUNK_BYTES), _at_once),
        Push(price_list(2, NEWER, first), _at_once, NEWER),
    )


def _sale(world: World) -> Sequence[Person]:
    codes = [world.code() for _ in range(4)]
    return [Publisher(world.air, price_pushes()), Buyer(KIOSK, GOODS, codes=codes)]


def push_scenarios() -> tuple[Scenario, ...]:
    """Return the scenarios in which HQ pushes prices while somebody buys."""
    return (Scenario("prices and lists pushed during a sale", _sale, takes=KINDS),)
