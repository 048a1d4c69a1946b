"""Three ledgers of one day, each from its own records, and what must hold between them.

The gateway wrote down what it moved; HQ sums the events that it applied; the box has its books.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from edge.services.work_records import WorkKind
from sim.fakes.box import GATEWAY

if TYPE_CHECKING:
    from sim.mall_day.day import MallDay

Event = dict[str, Any]

#: Work items looked at.
MOST = 10_000


@dataclass
class Heard:
    """What HQ was told, by kind, in the order in which it took effect."""

    events: list[Event] = field(repr=False)

    @cached_property
    def _kinds(self) -> dict[str, list[Event]]:
        found: dict[str, list[Event]] = {}
        for event in self.events:
            found.setdefault(event["type"].removeprefix("cn.mall.").removesuffix(".v1"), []).append(
                event["data"]
            )
        return found

    def of(self, kind: str) -> list[Event]:
        """Return the data of all events of a kind."""
        return self._kinds.get(kind, [])

    @cached_property
    def legs(self) -> list[Event]:
        """The parts of refunds that moved money."""
        return [leg for data in self.of("refund.done") for leg in data["legs"] if leg["state"] != "replaced"]


@dataclass(frozen=True, slots=True)
class Line:
    """One way of paying in the three ledgers, in fen. gateway: None where money moves by hand."""

    name: str
    gateway_fen: int | None
    hq_fen: int
    box_fen: int

    @property
    def off_fen(self) -> int:
        """The largest difference between two of them."""
        known = [one for one in (self.gateway_fen, self.hq_fen, self.box_fen) if one is not None]
        return max(known) - min(known)


def ledgers(day: MallDay, heard: Heard) -> tuple[Line, ...]:
    """Return the three ledgers of the day, by way of paying, and what was sold."""
    balances = day.house.read(lambda unit: unit.ledger.balances())
    paid: Counter[str] = Counter()
    for data in heard.of("order.paid"):
        for tender in data["tenders"]:
            paid[tender["kind"]] += tender["amount_fen"]
    for leg in heard.legs:
        paid[leg["kind"]] -= leg["amount_fen"]
    owners = sum(day.house.garage.owners.taken_fen.values())
    gateway = sum(one.amount_fen for one in day.house.gateway.ledger)
    sold = sum(data["total_fen"] for data in heard.of("order.paid"))
    sold -= sum(data["amount_fen"] for data in heard.of("refund.done") if not data["cancels_order"])
    books = -sum(fen for account, fen in balances.items() if account.startswith("sales/"))
    return (
        Line("wechat_pay", gateway, paid[GATEWAY], balances.get(f"tender/{GATEWAY}", 0)),
        Line("owners", owners, paid["vehicle"], balances.get("tender/vehicle", 0)),
        Line("cash", None, paid["cash"], balances.get("tender/cash", 0)),
        Line("sales", None, sold, books),
    )


def money_violations(day: MallDay, heard: Heard) -> Iterator[str]:
    """Yield what is wrong with the day's money."""
    for line in ledgers(day, heard):
        if line.off_fen:
            yield f"{line.name}: the gateway has {line.gateway_fen}, HQ {line.hq_fen}, the box {line.box_fen}"
    balances = day.house.read(lambda unit: unit.ledger.balances())
    if sum(balances.values()):
        yield f"the books do not close: {sum(balances.values())} fen"
    yield from (f"still due: {one} {fen}" for one, fen in balances.items() if one.startswith("due/") and fen)
    yield from _charges(day, heard)
    yield from _orders(heard)
    yield from _looked_at(day, heard)


def _charges(day: MallDay, heard: Heard) -> Iterator[str]:
    """Each payment took what HQ was told of it, no other took anything, and no order was charged twice."""
    taken: Counter[str] = Counter(day.house.garage.owners.taken_fen)
    for one in day.house.gateway.ledger:
        taken[one.order_no] += one.amount_fen
    approved = {data["merchant_order_no"]: data for data in heard.of("payment.approved")}
    back = _given_back(heard)
    for number, data in approved.items():
        told_fen = data["amount_fen"] - back[data["attempt_id"]]
        if taken[number] != told_fen:
            yield f"payment {number}: HQ was told of {told_fen} fen, the gateway keeps {taken[number]}"
    for number, fen in taken.items():
        if fen and number not in approved:
            yield f"the gateway keeps {fen} fen of payment {number}, which nobody was told of"
    per_order = Counter(data["order_id"] for number, data in approved.items() if taken[number])
    yield from (f"order {one} was charged {count} times" for one, count in per_order.items() if count > 1)


def _given_back(heard: Heard) -> Counter[str]:
    """Return what went back through the gateways, by the attempt that had taken it."""
    attempts = {
        tender["tender_id"]: tender["attempt_id"]
        for data in heard.of("order.paid")
        for tender in data["tenders"]
    }
    back: Counter[str] = Counter()
    for leg in heard.legs:
        if leg["kind"] != "cash":
            back[attempts.get(leg["tender_id"], "")] += leg["amount_fen"]
    return back


def _orders(heard: Heard) -> Iterator[str]:
    """A paid order is paid once, and covered by its tenders to the fen."""
    paid = heard.of("order.paid")
    for data in paid:
        covered_fen = sum(tender["amount_fen"] for tender in data["tenders"])
        goods_fen = sum(line["amount_fen"] for line in data["lines"])
        if not covered_fen == goods_fen == data["total_fen"]:
            yield f"order {data['number']}: {covered_fen} fen of tenders, {goods_fen} of goods"
    twice = [one for one, count in Counter(data["order_id"] for data in paid).items() if count > 1]
    yield from (f"order {one} was told as paid twice" for one in twice)


def _looked_at(day: MallDay, heard: Heard) -> Iterator[str]:
    """Money that went back unbooked lies before a person."""
    items = day.house.read(lambda unit: (*unit.work_items.open(MOST), *unit.work_items.closed(MOST)))
    adrift = {item.reference for item in items if item.kind is WorkKind.MONEY_ADRIFT}
    for data in heard.of("payment.refunded"):
        if data["attempt_id"] not in adrift:
            yield f"payment {data['merchant_order_no']} went back and nobody looks at it"
