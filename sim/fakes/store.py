"""The store in memory: dictionaries, all or nothing, with the rules that the tables enforce.

What was not committed is gone after an error or a crash; what was committed stays. One thread.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Any, Generic, TypeVar

from edge.elapsed import Boot
from edge.errors import Corrupt, Invalid, Unavailable
from edge.retail.attempt import AttemptStep, PaymentAttempt
from edge.retail.basket import Basket, BasketState
from edge.retail.ledger import Posting
from edge.retail.order import Order
from edge.retail.receipt import PrintState, Receipt
from edge.retail.refund import Refund
from edge.services.alarm_records import Alarm
from edge.services.paper_records import Paper
from edge.services.records import ScanRecord, Unit, WorkstationState
from edge.services.work_records import WorkItem
from sim.fakes.alarms import FakeAlarms
from sim.fakes.bills import BilledBooks, BillRows, FakeBills
from sim.fakes.boots import FakeBoots
from sim.fakes.catalogue import CatalogueRows, FakeCatalogue
from sim.fakes.collections import CollectionRows, FakeCollections
from sim.fakes.commands import CommandRows, FakeCommands
from sim.fakes.exits import ExitRows, FakeCarts, FakeExits
from sim.fakes.journeys import FakeCredits, FakeGuideTasks, FakeJourneys, JourneyRows
from sim.fakes.landings import FakeLandings, LandingRows
from sim.fakes.lanes import (
    FakeGateCommands,
    FakeLaneHolds,
    FakePassages,
    FakePlateReads,
    LaneRows,
)
from sim.fakes.members import (
    FakeCalendarDays,
    FakeMembers,
    FakePlateLists,
    FakeTariffs,
    ListRows,
    MemberRows,
)
from sim.fakes.outbox import FakeOutbox, OutboxRows
from sim.fakes.papers import FakePapers
from sim.fakes.passes import FakePasses, PassRows
from sim.fakes.people import FakePeople, FakePoints, PeopleRows
from sim.fakes.phones import FakePhoneNotices, FakePhones, PhoneRows
from sim.fakes.plates import FakePlates, PlateRows
from sim.fakes.refunds import FakeRefunds
from sim.fakes.shifts import Books, FakeShifts, ShiftRows
from sim.fakes.snapshots import FakeSnapshots, SnapshotRows
from sim.fakes.splits import FakeSplits, SplitRows
from sim.fakes.stay_money import FakeAutopays, FakeDebts, FakeSettlements, FakeStayCharges, StayMoneyRows
from sim.fakes.stays import FakeOccupancies, FakeSessions, StayRows
from sim.fakes.tickets import FakeTickets, TicketRows
from sim.fakes.traces import FakeTraces, TracedRows
from sim.fakes.validations import FakeValidations, ValidationRows
from sim.fakes.work_items import FakeWorkItems

T = TypeVar("T")
R = TypeVar("R")

Writing = Callable[[], None]


@dataclass
class Rows:
    """All state; the values are frozen, so that copying the dictionaries copies everything."""

    catalogue: CatalogueRows = field(default_factory=CatalogueRows)
    baskets: dict[str, Basket] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    attempts: dict[str, PaymentAttempt] = field(default_factory=dict)
    trails: dict[str, tuple[AttemptStep, ...]] = field(default_factory=dict)
    postings: dict[tuple[str, str], Posting] = field(default_factory=dict)
    refunds: dict[str, Refund] = field(default_factory=dict)
    receipts: dict[str, Receipt] = field(default_factory=dict)
    touches: dict[tuple[str, str], int] = field(default_factory=dict)
    scans: dict[str, ScanRecord] = field(default_factory=dict)
    workstations: dict[str, WorkstationState] = field(default_factory=dict)
    landings: LandingRows = field(default_factory=LandingRows)
    outbox: OutboxRows = field(default_factory=OutboxRows)
    snapshots: SnapshotRows = field(default_factory=SnapshotRows)
    members: MemberRows = field(default_factory=MemberRows)
    lists: ListRows = field(default_factory=ListRows)
    commands: CommandRows = field(default_factory=CommandRows)
    shifts: ShiftRows = field(default_factory=ShiftRows)
    papers: dict[str, Paper] = field(default_factory=dict)
    work_items: dict[str, WorkItem] = field(default_factory=dict)
    alarms: dict[str, Alarm] = field(default_factory=dict)
    boots: dict[int, Boot] = field(default_factory=dict)
    bills: BillRows = field(default_factory=BillRows)
    validations: ValidationRows = field(default_factory=ValidationRows)
    stay_money: StayMoneyRows = field(default_factory=StayMoneyRows)
    journeys: JourneyRows = field(default_factory=JourneyRows)
    stays: StayRows = field(default_factory=StayRows)
    lanes: LaneRows = field(default_factory=LaneRows)
    phones: PhoneRows = field(default_factory=PhoneRows)
    plates: PlateRows = field(default_factory=PlateRows)
    passes: PassRows = field(default_factory=PassRows)
    people: PeopleRows = field(default_factory=PeopleRows)
    tickets: TicketRows = field(default_factory=TicketRows)
    collections: CollectionRows = field(default_factory=CollectionRows)
    splits: SplitRows = field(default_factory=SplitRows)
    exits: ExitRows = field(default_factory=ExitRows)
    base: Rows | None = None

    def draft(self) -> Rows:
        """Return rows that can be changed without changing these; a table is copied when it is asked for."""
        draft = object.__new__(Rows)
        draft.base = self
        return draft

    def kept(self) -> Rows:
        """Return a draft as rows of their own; what it did not ask for is that of its base."""
        self.__dict__ = {**vars(self.base), **self.__dict__, "base": None}
        return self

    def __getattr__(self, name: str) -> Any:
        """Copy a table of the base that this draft has not asked for yet."""
        if name not in _TABLES:
            raise AttributeError(name)
        table = getattr(self.base, name).copy()
        setattr(self, name, table)
        return table


_TABLES = frozenset(one.name for one in fields(Rows)) - {"base"}


class FakeStore:
    """Implements ports.Store."""

    def __init__(self) -> None:
        self._committed = Rows()
        self._reader = FakeUnit(self._committed, _refuse)
        self._busy = False
        self._closed = False

    def write(self, work: Callable[[Unit], T]) -> T:
        """Run `work` on a copy that takes the place of the state when it ends well."""
        self._require_open()
        if self._busy:
            raise Invalid("a unit of work called the store again; use the unit that it was given")
        self._busy = True
        try:
            draft = self._committed.draft()
            result = work(FakeUnit(draft, _allow))
            self._committed = draft.kept()
            self._reader = FakeUnit(self._committed, _refuse)
        finally:
            self._busy = False
        return result

    def read(self, query: Callable[[Unit], T]) -> T:
        """Run `query` on committed state."""
        self._require_open()
        return query(self._reader)

    def close(self) -> None:
        """Refuse everything from now on."""
        self._closed = True

    def _require_open(self) -> None:
        if self._closed:
            raise Unavailable("the store is closed; the service is stopping")


class _Record(Generic[R]):
    """A record of a unit of work, made when it is first asked for: a unit asks for a few of them."""

    def __init__(self, make: Callable[[Rows, Writing], R]) -> None:
        self._make = make

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, unit: FakeUnit, owner: type) -> R:
        made = self._make(unit.rows, unit.writing)
        setattr(unit, self._name, made)
        return made


class FakeUnit:
    """Implements records.Unit over rows. writing: called before anything is written."""

    def __init__(self, rows: Rows, writing: Writing) -> None:
        self.rows = rows
        self.writing = writing

    alarms = _Record(lambda rows, writing: FakeAlarms(rows.alarms, writing))
    boots = _Record(lambda rows, writing: FakeBoots(rows.boots, writing))
    settlements = _Record(lambda rows, writing: FakeSettlements(rows.stay_money.settlements, writing))
    stay_charges = _Record(lambda rows, writing: FakeStayCharges(rows.stay_money.charges, writing))
    debts = _Record(lambda rows, writing: FakeDebts(rows.stay_money.debts, writing))
    autopays = _Record(
        lambda rows, writing: FakeAutopays(rows.stay_money.autopays, rows.stays.sessions, writing)
    )
    sessions = _Record(lambda rows, writing: FakeSessions(rows.stays, writing))
    occupancies = _Record(lambda rows, writing: FakeOccupancies(rows.stays, writing))
    plate_reads = _Record(lambda rows, writing: FakePlateReads(rows.lanes, writing))
    passages = _Record(lambda rows, writing: FakePassages(rows.lanes, writing))
    gate_commands = _Record(lambda rows, writing: FakeGateCommands(rows.lanes, writing))
    lane_holds = _Record(lambda rows, writing: FakeLaneHolds(rows.lanes, writing))
    plates = _Record(lambda rows, writing: FakePlates(rows.plates, rows.stays, writing))
    passes = _Record(lambda rows, writing: FakePasses(rows.passes, writing))
    catalogue = _Record(lambda rows, writing: FakeCatalogue(rows.catalogue, writing))
    baskets = _Record(lambda rows, writing: _Baskets(rows, writing))
    orders = _Record(lambda rows, writing: _Orders(rows, writing))
    attempts = _Record(lambda rows, writing: _Attempts(rows, writing))
    ledger = _Record(lambda rows, writing: _Ledger(rows, writing))
    refunds = _Record(lambda rows, writing: FakeRefunds(rows.refunds, rows.orders, rows.attempts, writing))
    receipts = _Record(lambda rows, writing: _Receipts(rows, writing))
    scans = _Record(lambda rows, writing: _Scans(rows, writing))
    workstations = _Record(lambda rows, writing: _Workstations(rows, writing))
    outbox = _Record(lambda rows, writing: FakeOutbox(rows.outbox, writing))
    landings = _Record(lambda rows, writing: FakeLandings(rows.landings, writing))
    snapshots = _Record(lambda rows, writing: FakeSnapshots(rows.snapshots, writing))
    members = _Record(lambda rows, writing: FakeMembers(rows.members, writing))
    plate_lists = _Record(lambda rows, writing: FakePlateLists(rows.lists, writing))
    tariffs = _Record(lambda rows, writing: FakeTariffs(rows.lists, writing))
    calendar_days = _Record(lambda rows, writing: FakeCalendarDays(rows.lists, writing))
    commands = _Record(lambda rows, writing: FakeCommands(rows.commands, writing))
    shifts = _Record(
        lambda rows, writing: FakeShifts(
            rows.shifts, Books(rows.postings, rows.orders, rows.attempts), writing
        )
    )
    papers = _Record(lambda rows, writing: FakePapers(rows.papers, writing))
    validations = _Record(lambda rows, writing: FakeValidations(rows.validations, writing))
    people = _Record(lambda rows, writing: FakePeople(rows.people, writing))
    points = _Record(lambda rows, writing: FakePoints(rows.people, writing))
    work_items = _Record(lambda rows, writing: FakeWorkItems(rows.work_items, writing))
    bills = _Record(
        lambda rows, writing: FakeBills(
            rows.bills, BilledBooks(rows.orders, rows.attempts, rows.refunds), writing
        )
    )
    journeys = _Record(lambda rows, writing: FakeJourneys(rows.journeys, writing))
    credits = _Record(lambda rows, writing: FakeCredits(rows.journeys, writing))
    guide_tasks = _Record(lambda rows, writing: FakeGuideTasks(rows.journeys, writing))
    phones = _Record(lambda rows, writing: FakePhones(rows.phones, writing))
    phone_notices = _Record(lambda rows, writing: FakePhoneNotices(rows.phones, writing))
    traces = _Record(lambda rows, writing: FakeTraces(_traced(rows), writing))
    carts = _Record(lambda rows, writing: FakeCarts(rows.exits, rows.baskets, rows.orders, writing))
    exits = _Record(lambda rows, writing: FakeExits(rows.exits, writing))
    tickets = _Record(lambda rows, writing: FakeTickets(rows.tickets, writing))
    collections = _Record(lambda rows, writing: FakeCollections(rows.collections, writing))
    splits = _Record(lambda rows, writing: FakeSplits(rows.splits, writing))


def _traced(rows: Rows) -> TracedRows:
    def ordered(basket_id: str) -> bool:
        return any(one.basket_id == basket_id for one in rows.orders.values())

    places = (rows.journeys, rows.validations, rows.landings, rows.people, rows.stays, rows.members)
    return TracedRows(*places, rows.tickets.tickets, rows.attempts, ordered)


class _Table:
    def __init__(self, rows: Rows, writing: Callable[[], None]) -> None:
        self._rows = rows
        self._writing = writing


class _Baskets(_Table):
    def get(self, basket_id: str) -> Basket | None:
        return self._rows.baskets.get(basket_id)

    def put(self, basket: Basket) -> None:
        self._writing()
        known = self._rows.baskets.get(basket.basket_id, basket)
        self._rows.baskets[basket.basket_id] = replace(basket, opened_at=known.opened_at)

    def held(self, workstation: str, limit: int) -> tuple[Basket, ...]:
        here = [one for one in self._rows.baskets.values() if one.workstation == workstation]
        held = [one for one in here if one.state is BasketState.HELD]
        return tuple(sorted(held, key=lambda one: one.changed_at, reverse=True)[:limit])


class _Orders(_Table):
    def get(self, order_id: str) -> Order | None:
        return self._rows.orders.get(order_id)

    def put(self, order: Order) -> None:
        self._writing()
        known = self._rows.orders.get(order.order_id)
        if known is None:
            others = self._rows.orders.values()
            taken = {(one.business_day, one.number) for one in others}
            _require((order.business_day, order.number) not in taken, f"order number {order.number}")
            known = replace(order, tenders=())
        have = {tender.tender_id for tender in known.tenders}
        added = tuple(tender for tender in order.tenders if tender.tender_id not in have)
        for attempt_id in (tender.attempt_id for tender in added if tender.attempt_id is not None):
            _require(attempt_id in self._rows.attempts, f"attempt {attempt_id}")
            _require(attempt_id not in self._tendered(), f"tender of attempt {attempt_id}")
        tenders = tuple(sorted((*known.tenders, *added), key=lambda one: one.tender_id))
        self._rows.orders[order.order_id] = replace(
            known, state=order.state, closed_at=order.closed_at, tenders=tenders
        )

    def take_number(self, business_day: str) -> int:
        self._writing()
        self._rows.numbers[business_day] = self._rows.numbers.get(business_day, 0) + 1
        return self._rows.numbers[business_day]

    def _tendered(self) -> set[str | None]:
        return {tender.attempt_id for order in self._rows.orders.values() for tender in order.tenders}


class _Attempts(_Table):
    def get(self, attempt_id: str) -> PaymentAttempt | None:
        return self._rows.attempts.get(attempt_id)

    def put(self, attempt: PaymentAttempt) -> None:
        self._writing()
        known = self._rows.attempts.get(attempt.attempt_id)
        if known is None:
            numbers = {one.merchant_order_no for one in self._rows.attempts.values()}
            _require(attempt.merchant_order_no not in numbers, attempt.merchant_order_no)
            _require(attempt.order_id in self._rows.orders, f"order {attempt.order_id}")
            known = attempt
        self._rows.attempts[attempt.attempt_id] = replace(
            known,
            give_up_at=attempt.give_up_at,
            next_step_at=attempt.next_step_at,
            state=attempt.state,
            polls=attempt.polls,
            transaction_id=attempt.transaction_id,
            payer=attempt.payer,
            trail=attempt.trail,
            closed_at=attempt.closed_at,
            reversal_at=attempt.reversal_at,
            pay_url=attempt.pay_url,
            parts=tuple(
                replace(kept, transaction_id=given.transaction_id)
                for kept, given in zip(known.parts, attempt.parts, strict=True)
            ),
        )

    def doubted(self, limit: int) -> tuple[PaymentAttempt, ...]:
        over = [one for one in self._rows.attempts.values() if one.closed_at is not None]
        mine = [one for one in over if one.attempt_id in self._rows.trails]
        return tuple(sorted(mine, key=lambda one: one.attempt_id, reverse=True)[:limit])

    def trail(self, attempt_id: str) -> tuple[AttemptStep, ...]:
        return self._rows.trails.get(attempt_id, ())

    def put_trail(self, attempt_id: str, trail: tuple[AttemptStep, ...]) -> None:
        self._writing()
        _require(attempt_id in self._rows.attempts, f"attempt {attempt_id}")
        kept = self._rows.trails.get(attempt_id, ())
        self._rows.trails[attempt_id] = (*kept[: len(trail) - 1], trail[-1])

    def of_order(self, order_id: str) -> tuple[PaymentAttempt, ...]:
        mine = [one for one in self._rows.attempts.values() if one.order_id == order_id]
        return tuple(sorted(mine, key=lambda one: one.attempt_id))

    def open(self, limit: int) -> tuple[PaymentAttempt, ...]:
        still = [one for one in self._rows.attempts.values() if one.is_open]
        return tuple(sorted(still, key=lambda one: one.next_step_at)[:limit])


class _Ledger(_Table):
    def post(self, posting: Posting) -> None:
        self._writing()
        key = (posting.kind, posting.reference)
        _require(key not in self._rows.postings, f"posting {posting.kind} of {posting.reference}")
        self._rows.postings[key] = posting

    def balances(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for entry in (entry for posting in self._rows.postings.values() for entry in posting.entries):
            found[entry.account] = found.get(entry.account, 0) + entry.amount_fen
        return dict(sorted(found.items()))

    def moved(self, begins_at: int, ends_at: int) -> dict[tuple[str, str], int]:
        found: dict[tuple[str, str], int] = {}
        for posting in self._rows.postings.values():
            for entry in posting.entries if begins_at <= posting.posted_at < ends_at else ():
                key = (posting.kind, entry.account)
                found[key] = found.get(key, 0) + entry.amount_fen
        return dict(sorted(found.items()))


class _Receipts(_Table):
    def get(self, receipt_id: str) -> Receipt | None:
        return self._rows.receipts.get(receipt_id)

    def by_token(self, token: str) -> Receipt | None:
        return self._first(lambda one: one.token == token)

    def of_order(self, order_id: str) -> Receipt | None:
        return self._first(lambda one: one.order_id == order_id)

    def put(self, receipt: Receipt) -> None:
        self._writing()
        known = self._rows.receipts.get(receipt.receipt_id)
        if known is None:
            _require(receipt.order_id in self._rows.orders, f"order {receipt.order_id}")
            _require(self.of_order(receipt.order_id) is None, f"receipt of order {receipt.order_id}")
            _require(self.by_token(receipt.token) is None, "receipt with that token")
            known = receipt
        self._rows.receipts[receipt.receipt_id] = replace(
            known,
            print_state=receipt.print_state,
            print_problem=receipt.print_problem,
            copies=receipt.copies,
        )

    def mark_touched(self, receipt_id: str, touchpoint: str, at: int) -> bool:
        self._writing()
        first = (receipt_id, touchpoint) not in self._rows.touches
        self._rows.touches.setdefault((receipt_id, touchpoint), at)
        return first

    def to_print(self, workstation: str) -> Receipt | None:
        return self._first(
            lambda one: one.workstation == workstation and one.print_state is PrintState.QUEUED
        )

    def printing(self) -> tuple[Receipt, ...]:
        rows = sorted(self._rows.receipts.items())
        return tuple(one for _, one in rows if one.print_state is PrintState.PRINTING)

    def _first(self, wanted: Callable[[Receipt], bool]) -> Receipt | None:
        return next((one for _, one in sorted(self._rows.receipts.items()) if wanted(one)), None)


class _Scans(_Table):
    def append(self, record: ScanRecord) -> None:
        self._writing()
        _require(record.scan_id not in self._rows.scans, f"scan {record.scan_id}")
        self._rows.scans[record.scan_id] = record

    def get(self, scan_id: str) -> ScanRecord | None:
        return self._rows.scans.get(scan_id)

    def last_added(self, workstation: str, text: str) -> ScanRecord | None:
        added = [one for one in self._of(workstation) if one.text == text and one.outcome == "added"]
        return added[0] if added else None

    def recent(self, workstation: str, limit: int) -> tuple[ScanRecord, ...]:
        return tuple(self._of(workstation)[:limit])

    def _of(self, workstation: str) -> list[ScanRecord]:
        rows = sorted(self._rows.scans.items(), reverse=True)
        return [one for _, one in rows if one.workstation == workstation]


class _Workstations(_Table):
    def get(self, workstation: str) -> WorkstationState | None:
        return self._rows.workstations.get(workstation)

    def put(self, state: WorkstationState) -> None:
        self._writing()
        _require(state.basket_id is None or state.basket_id in self._rows.baskets, f"{state.basket_id}")
        _require(state.order_id is None or state.order_id in self._rows.orders, f"{state.order_id}")
        self._rows.workstations[state.workstation] = state


def _allow() -> None:
    """Writing is what a unit of work is for."""


def _refuse() -> None:
    raise Invalid("a query tried to write")


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise Corrupt(f"{what} contradicts what is stored")
