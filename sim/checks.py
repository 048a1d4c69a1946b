"""What must hold of every run, checked on the world's own history: the gateway's ledger, the events that HQ
applied, and the papers that came out. Of the service's own tables only the books are asked, for their sum.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from devices.types import Columns, TextLine
from edge.services.records import Unit
from sim.fakes.box import GATEWAY
from sim.world import World

Event = dict[str, Any]


def violations(world: World) -> list[str]:
    """Return a line for each property that the run broke; empty when all held."""
    events = [json.loads(message.body) for message in world.hq.applied]
    checks = (
        _delivery(world),
        _charges(world, events),
        _orders(world, events),
        _tenders(events),
        _books(world, events),
        _papers(world, events),
        _refunds(world, events),
    )
    return [line for check in checks for line in check]


def _delivery(world: World) -> Iterator[str]:
    """Every committed event has exactly one effect at HQ, and the sequences have no gap."""
    applied = [(message.sequence, message.event_id) for message in world.hq.applied]
    committed = [(message.sequence, message.event_id) for message in world.committed]
    if len(applied) != len(set(applied)):
        yield f"HQ applied an event twice: {applied}"
    if sorted(applied) != committed:
        yield f"HQ applied {sorted(applied)}, committed were {committed}"
    if [sequence for sequence, _ in committed] != list(range(1, len(committed) + 1)):
        yield f"the sequences have a gap: {committed}"


def _charges(world: World, events: list[Event]) -> Iterator[str]:
    """No order is charged twice, and no money is taken that no paid order accounts for."""
    approved = {data["merchant_order_no"]: data for data in _of(events, "payment.approved")}
    paid = {data["order_id"] for data in _of(events, "order.paid")}
    back = _given_back(events)
    charged = {
        number: world.gateway.charged_fen(number)
        + back.get(approved[number]["attempt_id"] if number in approved else "", 0)
        for number in world.gateway.asked
    }
    for number, amount_fen in charged.items():
        told = approved.get(number)
        if amount_fen and told is None:
            yield f"{number}: {amount_fen} fen were taken and nobody was told"
        if amount_fen and told is not None and told["order_id"] not in paid:
            yield f"{number}: {amount_fen} fen were taken for an order that is not paid"
    for number, data in approved.items():
        if charged.get(number, 0) != data["amount_fen"]:
            yield f"{number}: told {data['amount_fen']} fen, the gateway took {charged.get(number, 0)}"
    taken = [data["order_id"] for number, data in approved.items() if charged.get(number)]
    per_order = Counter(taken)
    for order_id, count in per_order.items():
        if count > 1:
            yield f"order {order_id} was charged {count} times"


def _orders(world: World, events: list[Event]) -> Iterator[str]:
    """A paid order is covered by its tenders; nobody buys twice, and nobody sees "paid" for nothing."""
    paid = list(_of(events, "order.paid"))
    for data in paid:
        covered_fen = sum(tender["amount_fen"] for tender in data["tenders"])
        goods_fen = sum(line["amount_fen"] for line in data["lines"])
        if not covered_fen == goods_fen == data["total_fen"]:
            yield f"order {data['number']}: {covered_fen} fen of tenders, {goods_fen} of goods"
    twice = [order for order, count in Counter(data["order_id"] for data in paid).items() if count > 1]
    if twice:
        yield f"paid twice: {twice}"
    if len(paid) > len(world.people):
        yield f"{len(world.people)} people bought {len(paid)} times"
    happy = sum(person.has_paid for person in world.people)
    if happy > len(paid):
        yield f"{happy} people saw a paid screen, {len(paid)} orders are paid"


def _tenders(events: list[Event]) -> Iterator[str]:
    """Each code tender of a paid order is money that the gateway said it took."""
    approved = {data["attempt_id"]: data["amount_fen"] for data in _of(events, "payment.approved")}
    for data in _of(events, "order.paid"):
        for tender in data["tenders"]:
            attempt_id = tender["attempt_id"]
            if tender["kind"] != "cash" and approved.get(attempt_id) != tender["amount_fen"]:
                yield f"order {data['number']} is paid by attempt {attempt_id}, which was not approved so"


def _books(world: World, events: list[Event]) -> Iterator[str]:
    """The ledger sums to zero and agrees with the gateway and with what was sold."""
    balances = world.store.read(lambda unit: unit.ledger.balances())
    if sum(balances.values()):
        yield f"the ledger sums to {sum(balances.values())} fen"
    held_fen = balances.get(f"tender/{GATEWAY}", 0)
    if held_fen != world.gateway.total_fen():
        yield f"the books hold {held_fen} fen, the gateway {world.gateway.total_fen()}"
    sold_fen = sum(data["total_fen"] for data in _of(events, "order.paid"))
    sold_fen -= sum(data["amount_fen"] for data in _done(events) if not data["cancels_order"])
    sales_fen = -sum(amount for account, amount in balances.items() if account.startswith("sales/"))
    if sales_fen != sold_fen:
        yield f"the books have sales of {sales_fen} fen, HQ was told of {sold_fen}"
    owing = {account: fen for account, fen in balances.items() if account.startswith("due/") and fen}
    if owing:
        yield f"still due: {owing}"


def _papers(world: World, events: list[Event]) -> Iterator[str]:
    """Each paid order has one paper at most; without a crash exactly one."""
    papers: Counter[str] = Counter()
    for printer in world.printers.values():
        for job in printer.printed:
            if any(isinstance(block, TextLine) and "COPY" in block.text for block in job.blocks):
                continue
            heads = [block.left for block in job.blocks if isinstance(block, Columns)]
            papers[heads[0].split()[-1]] += 1
    numbers = {data["number"] for data in _of(events, "order.paid")}
    for number, count in papers.items():
        if count > 1 or number not in numbers:
            yield f"order {number} has {count} papers; paid are {sorted(numbers)}"
    if not world.crashes and set(papers) != numbers:
        yield f"papers of {sorted(papers)}, paid are {sorted(numbers)}"


def _refunds(world: World, events: list[Event]) -> Iterator[str]:
    """What HQ heard of went back, once, and nothing else; no tender gives more than it took."""
    done = _done(events)
    legs = [leg for data in done for leg in _kept(data)]
    told = {leg["merchant_refund_no"]: leg["amount_fen"] for leg in legs if leg["kind"] == GATEWAY}
    given = world.refunds.given_fen()
    if told != given:
        yield f"HQ heard of refunds {told}, the gateway gave {given}"
    left = Counter(_tenders_taken(world))
    left.subtract(_sums(legs, "tender_id"))
    over = {tender: fen for tender, fen in left.items() if fen < 0}
    if over:
        yield f"more was given back than was taken: {over}"
    approved = sorted(data["refund_id"] for data in _of(events, "refund.approved"))
    if approved != sorted(data["refund_id"] for data in done):
        yield f"approved were {approved}, done are others"
    yield from (line for data in done for line in _misfits(data))


def _misfits(data: Event) -> Iterator[str]:
    """The legs of a refund, and its lines where it has any, sum to its amount."""
    if sum(leg["amount_fen"] for leg in _kept(data)) != data["amount_fen"]:
        yield f"refund {data['number']}: its legs do not sum to {data['amount_fen']} fen"
    goods_fen = sum(one["amount_fen"] for one in data["lines"])
    if not data["cancels_order"] and goods_fen != data["amount_fen"]:
        yield f"refund {data['number']}: its lines do not sum to {data['amount_fen']} fen"


def _sums(rows: list[Event], key: str) -> Counter[str]:
    sums: Counter[str] = Counter()
    for row in rows:
        sums[row[key]] += row["amount_fen"]
    return sums


def _tenders_taken(world: World) -> dict[str, int]:
    """Return what each tender took, as the orders in the store have it."""

    def query(unit: Unit) -> dict[str, int]:
        orders = [unit.orders.get(refund.order_id) for refund in unit.refunds.recent(99)]
        return {one.tender_id: one.amount_fen for order in orders if order for one in order.tenders}

    return world.store.read(query)


def _given_back(events: list[Event]) -> dict[str, int]:
    """Return what went back through the gateway, by the attempt that took it."""
    tenders = {
        tender["tender_id"]: tender["attempt_id"]
        for data in _of(events, "order.paid")
        for tender in data["tenders"]
    }
    back: Counter[str] = Counter()
    for data in _done(events):
        for leg in _kept(data):
            if leg["kind"] == GATEWAY:
                back[tenders.get(leg["tender_id"], "")] += leg["amount_fen"]
    return back


def _kept(data: Event) -> list[Event]:
    return [leg for leg in data["legs"] if leg["state"] != "replaced"]


def _done(events: list[Event]) -> list[Event]:
    return list(_of(events, "refund.done"))


def _of(events: list[Event], kind: str) -> Iterator[Event]:
    return (event["data"] for event in events if event["type"] == f"cn.mall.{kind}.v1")
