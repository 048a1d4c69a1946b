"""What must hold of a day's purchases: people, receipts and papers, points, the ways that they came by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from devices.types import Columns, PrintJob
from edge.members.points import earned
from edge.parking.stay_charge import PARKING_SKU
from edge.retail.receipt import PrintState
from sim.mall_day.money import Event, Heard
from sim.mall_day.shoppers import Member
from sim.mall_day.site import PLACES
from sim.world.garage.motorists import Prepayer
from sim.world.people.patrons import MEMBERS

if TYPE_CHECKING:
    from sim.mall_day.day import MallDay


def purchase_violations(day: MallDay, told: Heard) -> Iterator[str]:
    """Yield what is wrong with the day's purchases."""
    yield from _people(day, told)
    yield from _receipts(told)
    yield from _papers(day, told)
    yield from _points(day, told)
    yield from _credits(told)
    yield from _ways(told)


def _people(day: MallDay, told: Heard) -> Iterator[str]:
    """Nobody sees "paid" for an order that is not, and nobody is sold what they did not take."""
    goods = _purchases(told)
    happy = sum(one.has_paid for one in day.shoppers.people if not isinstance(one, Prepayer))
    if happy > len(goods):
        yield f"{happy} people saw their purchase paid, {len(goods)} purchases are"
    if len(goods) > day.buyers:
        yield f"{day.buyers} people bought {len(goods)} times"


def _purchases(told: Heard) -> list[Event]:
    """Return the paid orders but for those of parking fees."""
    return [data for data in told.of("order.paid") if any(one["sku"] != PARKING_SKU for one in data["lines"])]


def _receipts(told: Heard) -> Iterator[str]:
    """Each paid order has one receipt."""
    orders = {data["order_id"] for data in told.of("order.paid")}
    issued = [data["order_id"] for data in told.of("receipt.issued")]
    if sorted(issued) != sorted(orders):
        yield f"{len(orders)} orders are paid, {len(issued)} receipts issued for {len(set(issued))}"


def _papers(day: MallDay, told: Heard) -> Iterator[str]:
    """Each receipt came out once at most; not at all only where the printer was in trouble."""
    jobs = [job for printer in day.house.printers.values() for job in printer.printed]
    papers = Counter(_number_on(job) for job in jobs)
    # Numbers begin anew in the small hours, where somebody may still buy.
    sold = Counter(data["number"] for data in told.of("order.paid"))
    for number, orders in sold.items():
        if papers[number] > orders:
            yield f"{orders} orders are {number}, it has {papers[number]} papers"
    for data in told.of("order.paid"):
        if not papers[data["number"]] and data["workstation"] in PLACES:
            yield from _no_paper(day, data)


def _no_paper(day: MallDay, paid: Event) -> Iterator[str]:
    receipt = day.house.read(lambda unit: unit.receipts.of_order(paid["order_id"]))
    if receipt is None or receipt.print_state is PrintState.PRINTED:
        yield f"order {paid['number']} has no paper, and its receipt counts as printed"


def _number_on(job: PrintJob) -> str:
    """Return the order's number on a receipt, something else of any other paper."""
    first = next((block.left for block in job.blocks if isinstance(block, Columns)), "")
    return first.split()[-1] if first else ""


def _points(day: MallDay, told: Heard) -> Iterator[str]:
    """A member's order earns what the rules say, once; what went back takes the points back."""
    paid = {data["order_id"]: data for data in told.of("order.paid")}
    members = [one.order_id for one in day.shoppers.people if isinstance(one, Member)]
    mine = {order_id: paid[order_id] for order_id in members if order_id in paid}
    back, got = _given_back(told), _earned(told)
    for order_id, data in mine.items():
        kept = _kept(data, back)
        if got[order_id] != kept:
            yield f"order {order_id} left {got[order_id]} points, not {kept}"
    yield from (f"{got[one]} points of order {one}, which no member has" for one in got if one not in mine)


def _given_back(told: Heard) -> Counter[tuple[str, str]]:
    """Return what went back of each order and tenant."""
    back: Counter[tuple[str, str]] = Counter()
    for data in told.of("refund.approved"):
        for part in data["tenants"]:
            back[data["order_id"], part["tenant_id"]] += part["amount_fen"]
    return back


def _earned(told: Heard) -> Counter[str]:
    """Return the points that each order has left its member."""
    got: Counter[str] = Counter()
    for data in told.of("points.changed"):
        for entry in data["entries"]:
            got[data["source"]] += entry["points"] - max(0, entry["owed"])
    return got


def _kept(paid: Event, back: Mapping[tuple[str, str], int]) -> int:
    """Return the points that an order earns; members here bring back all of it or nothing."""
    spent: Counter[str] = Counter()
    for line in paid["lines"]:
        spent[line["tenant_id"]] += line["amount_fen"]
    kept = {tenant: fen for tenant, fen in spent.items() if not back.get((paid["order_id"], tenant))}
    return sum(earned(MEMBERS.points, tenant, fen, "") for tenant, fen in kept.items())


def _credits(told: Heard) -> Iterator[str]:
    """Each purchase is credited once, to the fen."""
    paid = {data["order_id"] for data in _purchases(told)}
    credited = Counter(data["order_id"] for data in told.of("sale.attributed"))
    if paid - set(credited) or sum(credited.values()) > len(credited):
        yield f"{len(paid)} purchases are paid, {len(credited)} are credited {sum(credited.values())} times"
    for data in told.of("sale.attributed"):
        if sum(one["amount_fen"] for one in data["credits"]) != data["amount_fen"]:
            yield f"the credits of {data['number']} do not sum to {data['amount_fen']}"


def _ways(told: Heard) -> Iterator[str]:
    """All the steps of the way to a purchase are at HQ; a member is credited over all ways."""
    steps: dict[str, set[str]] = {}
    ways: dict[str, set[str]] = {}
    for data in told.of("conversion.step"):
        steps.setdefault(data["correlation"], set()).add(data["touchpoint"])
        ways.setdefault(data["member_id"], set()).add(data["correlation"])
    ways.pop("", None)
    for data in told.of("sale.attributed"):
        mine = {data["correlation"], *ways.get(data["member_id"], ())}
        touched = {one["touchpoint"] for one in data["touches"]}
        missing = touched.difference(*(steps.get(way, set()) for way in mine))
        if missing:
            yield f"the way to order {data['number']} is not whole: {sorted(missing)}"
