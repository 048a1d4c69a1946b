"""What must hold of every run, checked on the world's own history: the gateway's ledger, the events that HQ
applied, the papers that came out, and what waits for a person. Of the service's own tables only the books,
the work items and the marks of bills are asked.
"""

from __future__ import annotations

import json
import traceback
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from devices.types import Columns, PrintJob, TextLine
from edge.parking.validation import Validation
from edge.retail.bill import BillKind
from edge.services.records import Unit
from edge.services.work_records import WorkItem, WorkKind
from sim.fakes.box import GATEWAY, TILL
from sim.world.garage.motorists import Motorist, Prepayer
from sim.world.garage.pushed import tariff_violations
from sim.world.garage.truth import garage_violations
from sim.world.people.buyers import Buyer, Driver
from sim.world.people.collectors import Collector, collector_violations
from sim.world.people.counters import CounterSale, ticket_violations
from sim.world.people.headquarters import command_violations
from sim.world.people.parkers import Parker, stay_violations
from sim.world.people.patrons import points_violations
from sim.world.people.phone_shoppers import PhoneShopper, phone_violations
from sim.world.people.pushes import push_violations
from sim.world.people.walkers import touch_violations
from sim.world.promised import promised
from sim.world.world import OWNERS, Stuck, World

Event = dict[str, Any]

#: Work items looked at; a scenario has a few.
MOST = 99


def violations(world: World) -> list[str]:
    """Return a line for each property that the run broke, with its promise's number; empty when all held."""
    events = [json.loads(message.body) for message in world.hq.applied]
    checks = (
        promised("P4", _delivery(world)),
        promised("P2", _charges(world, events)),
        promised("P1", _once_each(world, events)),
        promised("P17", _orders(world, events)),
        promised("P17", _tenders(events)),
        promised("P6", _books(world, events)),
        promised("P6", _purses(world, events)),
        promised("P8", _papers(world, events)),
        promised("P16", _refunds(world, events)),
        promised("P21", _work(world, events)),
        promised("P19", _shifts(world, events)),
        promised("P20", _bills(world)),
        promised("P25", _validations(world, events)),
        promised("P26", stay_violations(world)),
        garage_violations(world, events),
        promised("P40", command_violations(world, events)),
        promised("P13", push_violations(world, events)),
        promised("P27", tariff_violations(world)),
        points_violations(world, events),
        promised("P38", touch_violations(world, events)),
        promised("P6", collector_violations(world, events)),
        promised("P32", phone_violations(world, events)),
        promised("P41", ticket_violations(world, events)),
    )
    return [line for check in checks for line in check]


def outcome(world: World) -> list[str]:
    """Run a world to its rest and return what it broke; one that breaks off has broken something.

    This is the supervisor of worlds: whatever a service lets out is told with the run that it was in.
    """
    try:
        return violations(world.run())
    except Stuck as stuck:
        return list(promised("P17", [f"{stuck}; {_waiting(world)}"]))
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(where.filename).name}:{where.lineno}"
        return list(promised("P17", [f"it broke off: {type(error).__name__}: {error} ({place})"]))


def _waiting(world: World) -> str:
    """Return who does not get on, and what somebody was told last."""
    waiting = ", ".join(type(person).__name__ for person in world.people if not person.done)
    told = (name.split(" | told: ")[1] for name in reversed(world.steps.names) if " | told: " in name)
    return f"{waiting or 'nobody'} is not done; told last: {next(told, 'nothing')}"


def _delivery(world: World) -> Iterator[str]:
    """Every committed event has exactly one effect at HQ, and the sequences have no gap."""
    applied = [(message.sequence, message.event_id) for message in world.hq.applied]
    committed = [(message.sequence, message.event_id) for message in world.history.events]
    if len(applied) != len(set(applied)):
        yield f"HQ applied an event twice: {applied}"
    if sorted(applied) != committed:
        yield f"HQ applied {sorted(applied)}, committed were {committed}"
    if [sequence for sequence, _ in committed] != list(range(1, len(committed) + 1)):
        yield f"the sequences have a gap: {committed}"


def _charges(world: World, events: list[Event]) -> Iterator[str]:
    """No money is taken that no paid order accounts for."""
    approved = {data["merchant_order_no"]: data for data in _of(events, "payment.approved")}
    charged = _charged(world, events, approved)
    yield from _untold(world, events, approved, charged)
    for number, data in approved.items():
        if charged.get(number, 0) != data["amount_fen"]:
            yield f"{number}: told {data['amount_fen']} fen, the gateway took {charged.get(number, 0)}"


def _once_each(world: World, events: list[Event]) -> Iterator[str]:
    """No order is charged twice."""
    approved = {data["merchant_order_no"]: data for data in _of(events, "payment.approved")}
    charged = _charged(world, events, approved)
    per_order = Counter(data["order_id"] for number, data in approved.items() if charged.get(number))
    for order_id, count in per_order.items():
        if count > 1:
            yield f"order {order_id} was charged {count} times"


def _charged(world: World, events: list[Event], approved: dict[str, Event]) -> dict[str, int]:
    """Return what each payment took at the gateway, with what went back of it by refunds."""
    back = _given_back(events)
    attempts = {number: data["attempt_id"] for number, data in approved.items()}
    parts = _parts(world, attempts)
    taken: Counter[str] = Counter()
    for number in world.gateway.asked:
        taken[parts.get(number, number)] += world.gateway.charged_fen(number)
    at_gateway = {number: fen + back.get(attempts.get(number, ""), 0) for number, fen in taken.items()}
    return at_gateway | world.garage.owners.taken_fen


def _parts(world: World, attempts: dict[str, str]) -> dict[str, str]:
    """Return the number of the whole payment for each part of one to several merchants."""

    def query(unit: Unit) -> dict[str, str]:
        found = [unit.attempts.get(attempt_id) for attempt_id in attempts.values()]
        return {part.merchant_order_no: one.merchant_order_no for one in found if one for part in one.parts}

    return world.store.read(query)


def _untold(
    world: World, events: list[Event], approved: dict[str, Event], charged: dict[str, int]
) -> Iterator[str]:
    paid = {data["order_id"] for data in _of(events, "order.paid")}
    billed = _billed_fen(world)
    for number, amount_fen in charged.items():
        told = approved.get(number)
        if amount_fen and told is None and billed.get(number) != amount_fen:
            yield f"{number}: {amount_fen} fen were taken and nobody was told"
        if amount_fen and told is not None and told["order_id"] not in paid:
            yield f"{number}: {amount_fen} fen were taken for an order that is not paid"


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
    everybody = [one for person in world.people for one in (person, *person.company)]
    payers = (Buyer, Parker, Prepayer, Motorist, PhoneShopper, CounterSale, Collector)
    buyers = [person for person in everybody if isinstance(person, payers)]
    if len(paid) > len(buyers):
        yield f"{len(buyers)} people bought {len(paid)} times"
    happy = sum(person.has_paid for person in buyers)
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
    held_fen = balances.get(f"tender/{GATEWAY}", 0) + sum(_billed_fen(world).values())
    if held_fen != world.gateway.total_fen():
        yield f"the books hold {held_fen} fen, the gateway {world.gateway.total_fen()}"
    owners_fen = sum(world.garage.owners.taken_fen.values())
    if balances.get(f"tender/{OWNERS}", 0) != owners_fen:
        yield f"the books hold {balances.get(f'tender/{OWNERS}', 0)} fen of owners, {owners_fen} were taken"
    cash_fen = _cash_fen(events)
    if balances.get("tender/cash", 0) != cash_fen:
        yield f"the books hold {balances.get('tender/cash', 0)} fen of cash, {cash_fen} lie in the drawers"
    sold_fen = sum(data["total_fen"] for data in _of(events, "order.paid"))
    sold_fen -= sum(data["amount_fen"] for data in _done(events) if not data["cancels_order"])
    sales_fen = -sum(amount for account, amount in balances.items() if account.startswith("sales/"))
    if sales_fen != sold_fen:
        yield f"the books have sales of {sales_fen} fen, HQ was told of {sold_fen}"
    owing = {account: fen for account, fen in balances.items() if account.startswith("due/") and fen}
    if owing:
        yield f"still due: {owing}"


def _cash_fen(events: list[Event]) -> int:
    """Return what paid orders brought in cash, less what refunds of them took."""
    tenders = [one for data in _of(events, "order.paid") for one in data["tenders"]]
    refunds = [data for data in _done(events) if not data["cancels_order"]]
    back = [leg["amount_fen"] for data in refunds for leg in _kept(data) if leg["kind"] == "cash"]
    in_fen: int = sum(one["amount_fen"] for one in tenders if one["kind"] == "cash")
    return in_fen - int(sum(back))


def _purses(world: World, events: list[Event]) -> Iterator[str]:
    """The drawers have what people remember to have left there, less what was given back to them."""
    purses = [one.purse for person in world.people for one in (person, *person.company)]
    back_fen = sum(
        leg["amount_fen"] for data in _done(events) for leg in _kept(data) if leg["kind"] == "cash"
    )
    least_fen = sum(one.kept_fen for one in purses) - back_fen
    most_fen = least_fen + sum(one.unsure_fen for one in purses)
    held_fen = world.store.read(lambda unit: unit.ledger.balances()).get("tender/cash", 0)
    if not least_fen <= held_fen <= most_fen:
        yield f"the books hold {held_fen} fen of cash, people left {least_fen} to {most_fen} at the tills"


def _papers(world: World, events: list[Event]) -> Iterator[str]:
    """Each paid order has one paper at most, be it torn; without a crash exactly one."""
    jobs = [job for printer in world.printers.values() for job in (*printer.printed, *printer.torn)]
    papers = Counter(_number_on(job) for job in jobs if not _is_copy(job))
    here = [data for data in _of(events, "order.paid") if data["workstation"] in world.places]
    numbers = {data["number"] for data in here}
    for number, count in papers.items():
        if count > 1 or number not in numbers:
            yield f"order {number} has {count} papers; paid are {sorted(numbers)}"
    if not world.crashes and set(papers) != numbers:
        yield f"papers of {sorted(papers)}, paid are {sorted(numbers)}"


def _is_copy(job: PrintJob) -> bool:
    return any(isinstance(block, TextLine) and "COPY" in block.text for block in job.blocks)


def _number_on(job: PrintJob) -> str:
    return next(block.left for block in job.blocks if isinstance(block, Columns)).split()[-1]


def _work(world: World, events: list[Event]) -> Iterator[str]:
    """Money that went back unbooked has somebody look at it, and so has an order paid behind its shopper."""
    items = _items(world)
    adrift = {item.reference for item in items if item.kind is WorkKind.MONEY_ADRIFT}
    for data in _of(events, "payment.refunded"):
        if data["attempt_id"] not in adrift:
            yield f"payment {data['merchant_order_no']} went back and nobody looks at it"
    stuck = {item.reference.replace("-", "") for item in items if item.kind is WorkKind.REFUND_STUCK}
    for number in _replaced(events) - stuck:
        yield f"refund leg {number} came to nothing and nobody was told"
    late = {item.reference for item in items if item.kind is WorkKind.LATE_PAYMENT}
    approved = {data["attempt_id"] for data in _of(events, "payment.approved")}
    if late - approved:
        yield f"late payments {late - approved} were not approved"
    if world.scenario.places:
        # A fee that is paid behind its driver has found its stay; nobody need look at it.
        return
    gone = [person for person in world.people if isinstance(person, Buyer) and not person.has_paid]
    unseen = sum(1 for _ in _of(events, "order.paid")) - (_buyers(world) - len(gone))
    if unseen > len(late):
        yield f"{unseen} orders were paid behind their shoppers, {len(late)} are looked at"


def _shifts(world: World, events: list[Event]) -> Iterator[str]:
    """A cashier's shift is opened and closed once, nothing is over or short, and it has all the cash."""
    if not world.scenario.rules.cash_needs_shift:
        return
    opened = [data["shift_id"] for data in _of(events, "shift.opened")]
    closed = list(_of(events, "shift.closed"))
    mine = [data for data in closed if data["workstation"] == TILL]
    if opened != [data["shift_id"] for data in mine]:
        yield f"shifts {opened} were opened, {[data['shift_id'] for data in mine]} closed"
    numbers = [data["number"] for data in mine]
    if numbers != list(range(1, len(mine) + 1)):
        yield f"the Z numbers are {numbers}"
    off_fen = [data["over_short_fen"] for data in mine if data["over_short_fen"]]
    if off_fen:
        yield f"the drawer is off by {off_fen} fen"
    counted_fen = sum(data["counted_fen"] - data["float_fen"] for data in mine)
    held_fen = world.store.read(lambda unit: unit.ledger.balances()).get("tender/cash", 0)
    if counted_fen != held_fen:
        yield f"{counted_fen} fen were counted, the books have {held_fen}"


def _bills(world: World) -> Iterator[str]:
    """A comparison finds what is wrong in the bill and nothing else, and marks what stands in it."""
    if not world.bill.read:
        return
    found = sorted((facts["reference"], facts["kind"]) for facts in _differences(world))
    told = sorted({*world.bill.planted, *((number, "status") for number in _billed_fen(world))})
    if found != told:
        yield f"the comparison found {found}, wrong are {told}"
    unmarked = [number for number, day in _marks(world).items() if day != world.bill.day]
    if unmarked:
        yield f"in the bill and not marked: {unmarked}"


def _validations(world: World, events: list[Event]) -> Iterator[str]:
    """A paid order validates its driver's car exactly once; what refunds leave decides whether it holds."""
    rules = world.scenario.parking.validation.rules
    drivers = [person for person in world.people if isinstance(person, Driver)]
    if not rules or not drivers:
        return
    paid = {data["order_id"]: data["total_fen"] for data in _of(events, "order.paid")}
    given = [data["order_id"] for data in _of(events, "validation.granted")]
    if sorted(given) != sorted(paid):
        yield f"parking was validated for {given}, paid are {sorted(paid)}"
    back = Counter(dict.fromkeys(paid, 0))
    for data in _done(events):
        back[data["order_id"]] += data["amount_fen"]
    for order_id, total_fen in paid.items():
        holds = total_fen - back[order_id] >= rules[0].steps[0].from_fen
        states = [one.state.value for one in _validated(world, order_id)]
        if states != ["granted" if holds else "revoked"]:
            yield f"order {order_id} keeps {total_fen - back[order_id]} fen, its parking is {states}"


def _validated(world: World, order_id: str) -> tuple[Validation, ...]:
    return world.store.read(lambda unit: unit.validations.of_order(order_id))


def _marks(world: World) -> dict[str, str]:
    """Return for all of ours that stands in the bill in which bill the books say it is."""
    rows = world.bill.rows()
    payments = [row.merchant_order_no for row in rows if row.kind is BillKind.PAYMENT]
    refunds = [row.merchant_refund_no for row in rows if row.merchant_refund_no]

    def query(unit: Unit) -> dict[str, str]:
        paid = unit.bills.payments(GATEWAY, payments)
        back = unit.bills.refunds(GATEWAY, refunds)
        marks = {number: one.billed_on for number, one in paid.items()}
        return marks | {number: one.billed_on for number, one in back.items()}

    return world.store.read(query)


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


def _billed_fen(world: World) -> dict[str, int]:
    """Return the money that only the gateway's bill told of, by order number; a person looks at it."""
    planted = {number for number, _ in world.bill.planted}
    return {
        facts["reference"]: facts["channel_fen"] - facts["local_fen"]
        for facts in _differences(world)
        if facts["reference"] not in planted
    }


def _differences(world: World) -> list[Event]:
    items = [item for item in _items(world) if item.kind is WorkKind.BILL_DIFFERENCE]
    return [json.loads(item.facts) for item in items]


def _items(world: World) -> tuple[WorkItem, ...]:
    return world.store.read(lambda unit: (*unit.work_items.open(MOST), *unit.work_items.closed(MOST)))


def _buyers(world: World) -> int:
    return sum(isinstance(person, (Buyer, PhoneShopper)) for person in world.people)


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


def _replaced(events: list[Event]) -> set[str]:
    legs = [leg for data in _done(events) for leg in data["legs"]]
    return {leg["merchant_refund_no"] for leg in legs if leg["state"] == "replaced"}


def _kept(data: Event) -> list[Event]:
    return [leg for leg in data["legs"] if leg["state"] != "replaced"]


def _done(events: list[Event]) -> list[Event]:
    return list(_of(events, "refund.done"))


def _of(events: list[Event], kind: str) -> Iterator[Event]:
    return (event["data"] for event in events if event["type"] == f"cn.mall.{kind}.v1")
