"""Shoppers who come by codes, and what must hold of their ways: each paid order's chain is whole, once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edge.members.attribution import AttributionKind, AttributionRule
from edge.members.touchpoint import Guide, Touchpoint, build_book
from edge.services.journey_records import FunnelBy, FunnelFilter, LinkKind
from edge.services.record_conversion import adopt_way, scan_touchpoint
from edge.services.records import Unit
from edge.services.touch_rules import TouchRules
from sim.world.people.buyers import Returner
from sim.world.people.person import Place

if TYPE_CHECKING:
    from sim.world.world import World

#: What the phone keeps of its way in the addresses that it opens.
WAY = "walker-way-1"
CODES = ("poster", "guide.li")

#: The guide has 60 % of each sale, and 5 % of that as commission.
TOUCH = TouchRules(
    build_book([Touchpoint("poster")], [Guide("li", "李", commission_permille=50)], ["kiosk-1", "till-1"]),
    AttributionRule(AttributionKind.GUIDE, 30, 600),
)

Event = dict[str, Any]


@dataclass(slots=True)
class Walker(Returner):
    """A Returner whose phone scanned a poster and a guide's code, and who shows it at the kiosk."""

    scanned: int = 0

    def act(self, place: Place) -> None:
        """Do the next thing."""
        if self.scanned < len(CODES):
            scan_touchpoint(place.box, CODES[self.scanned], WAY)
            self.scanned += 1
        elif not self.went and self._hands_over(place):
            return
        else:
            Returner.act(self, place)

    def _hands_over(self, place: Place) -> bool:
        """Have the basket on the screen go on with the phone's way; return whether it had to be done."""
        box, basket = place.box, place.look(self.workstation)["basket"]
        if basket is None or place.look(self.workstation)["screen"] != "basket":
            return False
        known = box.store.read(lambda unit: unit.journeys.linked(LinkKind.BASKET, basket["id"]))
        if known == WAY:
            return False
        now = box.clock.now()
        box.store.write(lambda unit: adopt_way(unit, box, LinkKind.BASKET, basket["id"], WAY, now))
        return True


def touch_violations(world: World, events: list[Event]) -> Iterator[str]:
    """Every paid order is credited once with all its steps at HQ, and no other; commission is to the fen."""
    if world.scenario.touch is None:
        told = [one["type"] for one in events if one["type"].startswith(("cn.mall.conv", "cn.mall.sale"))]
        if told:
            yield f"nobody records ways here, HQ heard {told}"
        return
    steps, sales = list(_of(events, "conversion.step")), list(_of(events, "sale.attributed"))
    paid = sorted(data["order_id"] for data in _of(events, "order.paid"))
    if sorted(sale["order_id"] for sale in sales) != paid:
        yield f"credited are {sorted(sale['order_id'] for sale in sales)}, paid are {paid}"
    same = Counter((one["correlation"], one["step"], one["touchpoint"], one["order_id"]) for one in steps)
    if any(count > 1 for count in same.values()):
        yield f"a step was told twice: {[key for key, count in same.items() if count > 1]}"
    for sale in sales:
        yield from _chain(sale, steps)
        yield from _commission(sale, events)
    yield from _counted(world, steps)


def _chain(sale: Event, steps: list[Event]) -> Iterator[str]:
    mine = [one for one in steps if one["correlation"] == sale["correlation"]]
    bought = [one for one in mine if one["step"] == "bought" and one["order_id"] == sale["order_id"]]
    if len(bought) != 1:
        yield f"order {sale['number']} was told as bought {len(bought)} times on its way"
    missing = {touch["touchpoint"] for touch in sale["touches"]} - {one["touchpoint"] for one in mine}
    if missing or not sale["touches"]:
        yield f"the chain of {sale['number']} is not whole: {sorted(missing)} of {sale['touches']}"
    if sum(one["amount_fen"] for one in sale["credits"]) != sale["amount_fen"]:
        yield f"the credits of {sale['number']} do not sum to {sale['amount_fen']}"
    if sale["correlation"] == WAY and not set(CODES) <= {one["touchpoint"] for one in sale["touches"]}:
        yield f"{sale['number']} is on the phone's way and not credited to its codes"


def _commission(sale: Event, events: list[Event]) -> Iterator[str]:
    after = [one for one in _of(events, "sale.reversed") if one["order_id"] == sale["order_id"]]
    latest = min(after, key=lambda one: int(one["left_fen"]), default=sale)
    back = (one for one in _of(events, "refund.done") if one["order_id"] == sale["order_id"])
    kept_fen: int = sale["amount_fen"] - sum(int(one["amount_fen"]) for one in back)
    if latest.get("left_fen", sale["amount_fen"]) != kept_fen:
        yield f"{kept_fen} fen of {sale['number']} were kept, credited are {latest.get('left_fen', 'all')}"
    base = sum(one["amount_fen"] for one in latest["credits"] if one["guide"])
    earned = sum(entry["amount_fen"] for one in (sale, *after) for entry in one["commission"])
    if earned != base * 50 // 1_000:
        yield f"{sale['number']} leaves {earned} fen of commission on {base}"


def _counted(world: World, steps: list[Event]) -> Iterator[str]:
    days = sorted({one["business_day"] for one in steps})
    if not days:
        return

    def query(unit: Unit) -> Counter[str]:
        found: Counter[str] = Counter()
        for _, one in unit.journeys.counts(FunnelFilter(days[0], days[-1]), FunnelBy.DAY):
            found[one.step.value] += one.times
        return found

    counted, told = world.store.read(query), Counter(one["step"] for one in steps)
    if counted != told:
        yield f"the funnel counts {dict(counted)}, HQ heard {dict(told)}"


def _of(events: list[Event], kind: str) -> Iterator[Event]:
    return (one["data"] for one in events if one["type"] == f"cn.mall.{kind}.v1")
