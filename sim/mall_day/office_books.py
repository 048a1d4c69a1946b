"""What must hold of a day's shifts, bills, pushes, commands and of its clock."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.retail.attempt import AttemptState
from edge.services.bill_records import BillDay
from edge.services.command_records import CommandState
from edge.services.obey_command import CommandKind
from edge.services.records import Unit
from edge.services.work_records import WorkItem, WorkKind
from sim.fakes.box import GATEWAY
from sim.mall_day.money import MOST, Heard
from sim.mall_day.office import DRAWERS, HqDesk
from sim.world.people.pushes import is_active, prices_in_force

if TYPE_CHECKING:
    from sim.mall_day.day import MallDay

#: By so much a step that was told may differ from the one that was made, in milliseconds.
NEAR_MS = 1_000


@dataclass(frozen=True, slots=True)
class BillSum:
    """All bills of a day together. explained: differences that lie before a person as money adrift."""

    days: int
    rows: int
    matched: int
    differences: int
    explained: int


def bill_sum(day: MallDay) -> BillSum:
    """Return what the comparisons came to."""
    done = day.house.read(lambda unit: unit.bills.days(99))
    items = day.house.read(lambda unit: (*unit.work_items.open(MOST), *unit.work_items.closed(MOST)))
    adrift = {_fact(one, "merchant_order_no") for one in items if one.kind is WorkKind.MONEY_ADRIFT}
    found = [one for one in items if one.kind is WorkKind.BILL_DIFFERENCE]
    # What was taken and could not be booked went back under the payment's own number and a B.
    explained = sum(_fact(one, "reference").removesuffix("B") in adrift for one in found)
    return BillSum(len(done), _sum(done, "rows"), _sum(done, "matched"), len(found), explained)


def office_violations(day: MallDay, told: Heard) -> Iterator[str]:
    """Yield what is wrong with what the office does."""
    yield from _shifts(day, told)
    yield from _bills(day)
    yield from _pushes(day, told)
    yield from _commands(day, told)
    yield from _clock(day, told)


def _shifts(day: MallDay, told: Heard) -> Iterator[str]:
    """Each drawer is opened and counted once, none is over or short, and together they have all the cash."""
    for kind in ("shift.opened", "shift.closed"):
        places = sorted(data["workstation"] for data in told.of(kind) if data["cashier"])
        if places != sorted(DRAWERS):
            yield f"{kind} was told of {places}"
    for data in told.of("shift.closed"):
        if data["over_short_fen"]:
            yield f"the drawer of {data['workstation']} is off by {data['over_short_fen']} fen"
    books_fen = day.house.read(lambda unit: unit.ledger.balances()).get("tender/cash", 0)
    if day.office.counted_fen != books_fen:
        yield f"{day.office.counted_fen} fen of cash were counted, the books have {books_fen}"


def _bills(day: MallDay) -> Iterator[str]:
    """Every day's bill was compared; what differs is explained, and each payment stands in a bill."""
    bills, days = bill_sum(day), day.office.bill.days()
    if bills.days != len(days):
        yield f"money moved on {len(days)} days, the bills of {bills.days} were compared"
    if bills.differences > bills.explained:
        yield f"{bills.differences} differences in the bills, {bills.explained} are explained"
    taken = {one.order_no for one in day.house.gateway.ledger if one.amount_fen > 0}
    unmarked = day.house.read(lambda unit: _unmarked(unit, sorted(taken)))
    if unmarked:
        yield f"{len(unmarked)} payments stand in a bill and are not marked, the first: {unmarked[0]}"


def _unmarked(unit: Unit, numbers: list[str]) -> list[str]:
    found: list[str] = []
    for at in range(0, len(numbers), 500):
        known = unit.bills.payments(GATEWAY, numbers[at : at + 500])
        found += [
            number
            for number, one in known.items()
            if one.state is AttemptState.APPROVED and not one.billed_on
        ]
    return found


def _pushes(day: MallDay, told: Heard) -> Iterator[str]:
    """Each content came into force once, whole."""
    publisher = day.office.publisher
    yield from publisher.broken
    applied = Counter((data["name"], data["version"]) for data in told.of("snapshot.applied"))
    wanted = Counter((one.content.name, one.content.version) for one in publisher.pushes)
    if applied != wanted:
        yield f"HQ published {dict(wanted)}, in force came {dict(applied)}"
    for push in publisher.pushes:
        if not day.house.read(lambda unit, one=push: is_active(unit, one)):  # type: ignore[misc]
            yield f"{push.content.name} version {push.content.version} is not in force"
    prices = [one.prices for one in publisher.pushes if one.prices]
    there = day.house.read(lambda unit: prices_in_force(unit, day.house.wall_at))
    if there != prices[-1]:
        yield f"prices are {there}, pushed were {prices[-1]}"


def _commands(day: MallDay, told: Heard) -> Iterator[str]:
    """Each command came to one end, the one that HQ heard of, and did what it is for once at most."""
    desk = day.office.desk
    ends = Counter(
        data["command_id"]
        for kind in ("command.done", "command.refused", "command.unknown")
        for data in told.of(kind)
    )
    if ends != Counter(desk.issued):
        yield f"HQ issued {desk.issued}, it was told of {dict(ends)}"
    for command_id in desk.issued:
        yield from _command(day, desk, command_id)


def _command(day: MallDay, desk: HqDesk, command_id: str) -> Iterator[str]:
    kept, answer = day.house.read(lambda unit: unit.commands.get(command_id)), desk.answers.get(command_id)
    if kept is None or kept.state is not answer:
        yield f"HQ heard that {command_id} is {answer}, the box has {kept and kept.state}"
        return
    acts = {CommandKind.OPEN_GATE: desk.pulses, CommandKind.SEND_BUNDLE: desk.bundles}
    done = acts.get(CommandKind(kept.kind))
    if done is not None and (done[command_id] > 1 or (answer is CommandState.DONE and not done[command_id])):
        yield f"{command_id} is {answer}, it was done {done[command_id]} times"


def _clock(day: MallDay, told: Heard) -> Iterator[str]:
    """Each step of the clock while the box ran was told of."""
    told_ms = [data["step_ms"] for data in told.of("clock.stepped") if not data["over_restart"]]
    made_ms = [ms for _, ms in sorted(day.plan.steps)]
    same = len(told_ms) == len(made_ms)
    if not same or any(abs(a - b) > NEAR_MS for a, b in zip(told_ms, made_ms, strict=True)):
        yield f"the clock was set by {made_ms} ms, HQ was told of {told_ms}"


def _fact(item: WorkItem, name: str) -> str:
    return str(json.loads(item.facts).get(name, ""))


def _sum(days: tuple[BillDay, ...], name: str) -> int:
    return sum(getattr(one, name) for one in days)
