"""Those who run the mall on its day: cashiers with drawers, HQ with pushes and commands, an accountant."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import cast

from edge.errors import Unavailable
from edge.retail.bill import BillKind, BillRow
from edge.retail.shift import Shift, ShiftState
from edge.services.close_shift import begin_count, give_count
from edge.services.obey_command import CommandKind, Means
from edge.services.open_shift import open_shift
from edge.services.ports import Gate
from edge.services.reconcile import BILL_ZONE, bill_hours, reconcile
from sim.fakes.box import GATEWAY
from sim.fakes.clock import START_AT, FakeClock
from sim.mall_day.house import OPENED_AT, OPENS_H, House
from sim.mall_day.ports import Entry
from sim.mall_day.site import BOOTH, ENTRIES, EXITS, TILLS
from sim.mall_day.timeline import Process
from sim.mall_lists import lists_csv
from sim.snapshots import Content
from sim.traffic import HOUR_MS, MINUTE_MS
from sim.world.garage.site import Boom
from sim.world.people.headquarters import Headquarters
from sim.world.people.person import Place
from sim.world.people.pushes import CHUNK_BYTES, NEW, NEWER, Publisher, Push, price_list

#: Where cash is taken, what a cashier begins with, and pauses between what somebody of the office does.
DRAWERS, FLOAT_FEN, SOON, LATER = (*TILLS, BOOTH), 30_000, 3_000, MINUTE_MS

#: Hours at which tills open, HQ pushes and commands, and in the morning yesterday's bill is fetched.
OPEN_H, PUSHES_H, COMMANDS_H, MORNING_H = 8.05, (10.5, 11.1, 17.6), (9.2, 10.2, 17.3), 10

#: HQ has a gate opened for who has stood at it for so long, and asks so often whether it may.
STANDS_MS, ASKS_EVERY = 20_000, 5_000

#: A plate that nobody drives.
BLOCKED = "粤B00BAD"


class DayBill:
    """Implements BillSource over the gateway's own ledger; it breaks off in the middle by lot."""

    name = GATEWAY
    merchant = "merchant-1"

    def __init__(self, house: House) -> None:
        """Nothing was read yet."""
        self._house = house

    def trade_bill(self, day: date) -> Iterator[BillRow]:
        """Yield the rows of one calendar day."""
        begins_at, ends_at = bill_hours(day)
        moves = [one for one in self._house.gateway.ledger if begins_at <= OPENED_AT + one.at < ends_at]
        broken = self._house.faults.draw("bills", ("cut off",)) is not None
        for number, one in enumerate(moves[: len(moves) // 2] if broken else moves):
            yield self._row(number, one)
        if broken:
            raise Unavailable("the bill broke off in the middle; fetch it again")

    def days(self) -> list[date]:
        """Return the days on which money moved."""
        moments = {OPENED_AT + one.at for one in self._house.gateway.ledger}
        return sorted({datetime.fromtimestamp(at / 1000, UTC).astimezone(BILL_ZONE).date() for at in moments})

    def _row(self, number: int, move: Entry) -> BillRow:
        kind = BillKind.PAYMENT if move.amount_fen > 0 else BillKind.REFUND
        return BillRow(
            kind=kind,
            merchant_order_no=move.order_no,
            merchant_refund_no=move.refund_no,
            transaction_id=f"t-{move.order_no}",
            refund_id=f"r-{number}" if kind is BillKind.REFUND else "",
            amount_fen=abs(move.amount_fen),
            fee_fen=0,
            happened_at=OPENED_AT + move.at,
            state="REFUND" if kind is BillKind.REFUND else "SUCCESS",
            attach=self._house.gateway.attached(move.order_no),
        )


@dataclass(slots=True)
class _Counted:
    """A gate as HQ's commands reach it: pulses are counted where they arrive."""

    gate: Boom
    desk: HqDesk

    @property
    def name(self) -> str:
        return self.gate.name

    def pulse(self) -> None:
        """Open."""
        self.desk.pulses[self.desk.issued[-1]] += 1
        self.desk.by_gate[self.gate.name] += 1
        self.gate.pulse()


@dataclass(slots=True, kw_only=True)
class HqDesk(Headquarters):
    """Commands, each sent again until its answer is heard; the first answer to each is lost.

    pulses, bundles: what really was done, by command. by_gate: pulses by gate.
    """

    house: House = field(repr=False)
    wishes: list[CommandKind] = field(
        default_factory=lambda: [CommandKind.SEND_BUNDLE, CommandKind.BLOCK_PLATE, CommandKind.OPEN_GATE]
    )
    deaf: int = 1
    pulses: Counter[str] = field(default_factory=Counter)
    bundles: Counter[str] = field(default_factory=Counter)
    by_gate: Counter[str] = field(default_factory=Counter)
    _gate: str = ""

    def act(self, place: Place) -> None:
        """Do the next thing."""
        self.clock.passed_ms = OPENED_AT - START_AT + self.house.clock.passed_ms
        if not self.wishes:
            self.done = True
        elif self.issued and self.issued[-1] not in self.answers:
            self._send(place)
        elif self.house.hour >= COMMANDS_H[-len(self.wishes)] and not self.house.hq.away:
            self._gate = self._stuck() if self.wishes[0] is CommandKind.OPEN_GATE else ""
            if self._gate or self.wishes[0] is not CommandKind.OPEN_GATE:
                self._send(place)

    def _send(self, place: Place) -> None:
        kind = self.wishes[0]
        gates = {boom.name: boom for boom in place.garage.booms.values()}
        wired = {name: cast(Gate, place.wired(_Counted(boom, self), "gate")) for name, boom in gates.items()}
        arguments = {CommandKind.OPEN_GATE: {"gate": self._gate}, CommandKind.BLOCK_PLATE: {"plate": BLOCKED}}
        self.command(place, kind, Means(self._bundle, wired), **arguments.get(kind, {}))

    def _bundle(self, command_id: str) -> dict[str, str | int | bool | None]:
        self.bundles[command_id] += 1
        return {"bytes": 1_000}

    def _stuck(self) -> str:
        """Return the gate of somebody who stands there for long, "" when nobody does."""
        garage = self.house.garage
        for lane in (*EXITS, *ENTRIES):
            car, boom = garage.first(lane), garage.booms[lane]
            if car is None or car.driven or boom.is_up:
                continue
            if self.house.clock.passed_ms - car.since_ms >= STANDS_MS:
                car.helped += 1
                return boom.name
        return ""


class Office:
    """The office of one day.

    is_evening: tills may close. counts: what each cashier counted but for the float, in fen. compared: days
    whose bills were compared. read: how often one was fetched.
    """

    def __init__(self, house: House) -> None:
        """Nobody has come yet."""
        self._house = house
        self.is_evening = False
        self.compared: list[date] = []
        self.read = 0
        self.counts: dict[str, int] = {}
        self.bill = DayBill(house)
        self.publisher = Publisher(house.air, _pushes())
        self.desk = HqDesk(clock=FakeClock(), house=house)
        self._closed: set[str] = set()
        self._reconciled = False

    @property
    def counted_fen(self) -> int:
        """What lay in the drawers in the evening but for the floats, by the cashiers' own counts."""
        return sum(self.counts.values())

    @property
    def done(self) -> bool:
        """Whether the tills are closed, HQ has what it wanted, and the bills are compared."""
        return self._reconciled and self.publisher.done

    def processes(self) -> Iterator[Process]:
        """Yield what goes on all day."""
        for till in DRAWERS:
            yield self._keep_till(till)
        yield self._publish()
        yield self._command()
        yield self._account()

    def _keep_till(self, till: str) -> Process:
        """Open a shift with a float, and count the drawer in the evening."""
        house = self._house
        yield house.until(OPEN_H)
        while self._shift(till) is None:
            house.do(lambda: open_shift(house.box, till, f"cashier of {till}", FLOAT_FEN))
            yield SOON
        while not self.is_evening:
            yield LATER
        while (shift := self._shift(till)) is not None:
            if shift.state is ShiftState.OPEN:
                house.do(lambda: begin_count(house.box, till))
            else:
                self.counts[till] = in_drawer(house, till)
                house.do(lambda: self._count(till))
            yield SOON
        self._closed.add(till)

    def _count(self, till: str) -> Shift:
        counted_fen = FLOAT_FEN + self.counts[till]
        return give_count(self._house.box, till, {}, counted_fen, f"cashier of {till}")

    def _shift(self, till: str) -> Shift | None:
        """Return the cashier's shift that goes on, None without one."""
        shift = self._house.read(lambda unit: unit.shifts.current(till))
        return None if shift is None or shift.automatic else shift

    def _publish(self) -> Process:
        """Have HQ push prices and lists, and look that they are in force whole."""
        house, publisher = self._house, self.publisher
        while not publisher.done:
            house.do(lambda: publisher.act(house))
            yield SOON if house.is_fetching else LATER

    def _command(self) -> Process:
        house, desk = self._house, self.desk
        while not desk.done:
            house.do(lambda: desk.act(house))
            yield ASKS_EVERY

    def _account(self) -> Process:
        """Fetch the bill of each day on the morning after it, until it could be read."""
        while len(self._closed) < len(DRAWERS):
            yield LATER
        house = self._house
        house.is_quiet = True
        for day in self.bill.days():
            yield max(0, bill_hours(day)[1] + MORNING_H * HOUR_MS - OPENED_AT - house.clock.passed_ms)
            while day not in self.compared:
                self.read += 1
                if house.do(lambda day=day: reconcile(house.box, self.bill, day)) is not None:  # type: ignore[misc]
                    self.compared.append(day)
                yield SOON
        self._reconciled = True


def in_drawer(house: House, till: str) -> int:
    """Return the cash that sales brought a till less what was handed out there, by what was told of them."""
    fen = 0
    for message in house.history.events:
        if message.kind in ("order.paid", "refund.done"):
            data = json.loads(message.body)["data"]
            fen += _moved(data, "tenders" if message.kind == "order.paid" else "legs", till)
    return fen


def _moved(data: dict[str, object], parts: str, till: str) -> int:
    if data["workstation"] != till or data.get("cancels_order"):
        return 0
    cash = [one for one in cast(list[dict[str, object]], data[parts]) if one["kind"] == "cash"]
    fen = sum(cast(int, one["amount_fen"]) for one in cash if one.get("state") != "replaced")
    return fen if parts == "tenders" else -fen


def _pushes() -> tuple[Push, ...]:
    """Return prices, lists of plates, and other prices as a delta."""
    first = price_list(1, NEW)
    lists = Content("lists", 1, lists_csv(12), chunk_bytes=CHUNK_BYTES)
    contents = (first, lists, price_list(2, NEWER, first))
    said: tuple[dict[str, int], ...] = (NEW, {}, NEWER)
    return tuple(
        Push(one, _from(hour), prices) for one, hour, prices in zip(contents, PUSHES_H, said, strict=True)
    )


def _from(hour: float) -> Callable[[Place], bool]:
    return lambda place: place.garage.clock.passed_ms >= (hour - OPENS_H) * HOUR_MS
