"""What a unit of work can read and write: one small protocol for each kind of record.

A write inside a unit is durable only when the whole unit is committed (ports.Store.write). `get`
returns None for what is not there; `put` inserts or replaces by id.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from edge.retail.attempt import AttemptStep, PaymentAttempt
from edge.retail.basket import Basket
from edge.retail.ledger import Posting
from edge.retail.order import Order
from edge.retail.receipt import Receipt
from edge.services.alarm_records import Alarms
from edge.services.bill_records import BillBook
from edge.services.boot_records import Boots
from edge.services.cart_records import Carts, Exits
from edge.services.catalogue_records import Catalogue
from edge.services.charge_records import Autopays, Debts, StayCharges
from edge.services.collection_records import Collections
from edge.services.command_records import Commands
from edge.services.journey_records import Credits, GuideTasks, Journeys
from edge.services.landing_records import Landings
from edge.services.list_records import CalendarDays, PlateLists, Tariffs
from edge.services.member_records import Members
from edge.services.outbox_records import Outbox
from edge.services.paper_records import Papers
from edge.services.parking_records import Sessions, Settlements
from edge.services.pass_records import Passes
from edge.services.passage_records import GateCommands, LaneHolds, Occupancies, Passages, PlateReads
from edge.services.people_records import People, PointsBook
from edge.services.phone_records import PhoneNotices, Phones
from edge.services.plate_records import Plates
from edge.services.refund_records import Refunds
from edge.services.shift_records import Shifts
from edge.services.snapshot_records import Snapshots
from edge.services.split_records import Splits
from edge.services.ticket_records import Tickets
from edge.services.trace_records import Traces
from edge.services.validation_records import Validations
from edge.services.work_records import WorkItems


@dataclass(frozen=True, slots=True)
class WorkstationState:
    """What a workstation is busy with; one row per kiosk or till.

    basket_id, order_id: the present ones. help_at: when help was called. notice: JSON of the banner on
    the screen. touched_at: the last sign of a person (wall). touched_boot, touched_ns: the same by boot
    time, so that a jumping clock neither empties a basket nor keeps it for ever.
    """

    workstation: str
    language: str
    basket_id: str | None = None
    order_id: str | None = None
    help_at: int | None = None
    notice: str = ""
    touched_at: int = 0
    touched_boot: str = ""
    touched_ns: int = 0


@dataclass(frozen=True, slots=True)
class ScanRecord:
    """One scan as it came and what became of it; kept for support.

    raw: the bytes, masked for payment codes. text: masked likewise. outcome: a word such as "added",
    "duplicate", "stale", "unknown_code", "payment". line_id: the line it made or would repeat.
    """

    scan_id: str
    workstation: str
    device: str
    raw: bytes
    text: str
    aim: str
    kind: str
    outcome: str
    scanned_at: int
    boot_id: str
    read_ns: int
    line_id: str = ""


#: The tables that an import leaves replaced rows in, in the order in which they are tidied.
class Baskets(Protocol):
    """Baskets, open and held."""

    def get(self, basket_id: str) -> Basket | None:
        """Return a basket with its lines."""

    def put(self, basket: Basket) -> None:
        """Write a basket and its lines."""

    def held(self, workstation: str, limit: int) -> tuple[Basket, ...]:
        """Return the held baskets of a workstation, newest first."""


class Orders(Protocol):
    """Orders with lines and tenders."""

    def get(self, order_id: str) -> Order | None:
        """Return an order with its lines and tenders."""

    def put(self, order: Order) -> None:
        """Write an order; its lines never change, tenders are only added."""

    def take_number(self, business_day: str) -> int:
        """Return the next running number of that day, from 1; gap-free with the unit's commit."""


class Attempts(Protocol):
    """Payment attempts."""

    def get(self, attempt_id: str) -> PaymentAttempt | None:
        """Return an attempt."""

    def put(self, attempt: PaymentAttempt) -> None:
        """Write an attempt."""

    def of_order(self, order_id: str) -> tuple[PaymentAttempt, ...]:
        """Return an order's attempts, oldest first."""

    def open(self, limit: int) -> tuple[PaymentAttempt, ...]:
        """Return attempts whose money may still move, the one due first first."""

    def doubted(self, limit: int) -> tuple[PaymentAttempt, ...]:
        """Return attempts that have a trail and are over, newest first."""

    def trail(self, attempt_id: str) -> tuple[AttemptStep, ...]:
        """Return what was asked and answered about an attempt, oldest first."""

    def put_trail(self, attempt_id: str, trail: tuple[AttemptStep, ...]) -> None:
        """Write an attempt's trail; only its last entry may differ from what is kept, or be new."""


class Ledger(Protocol):
    """The books."""

    def post(self, posting: Posting) -> None:
        """Append a posting; postings are never changed."""

    def balances(self) -> dict[str, int]:
        """Return every account's balance in fen."""

    def moved(self, begins_at: int, ends_at: int) -> dict[tuple[str, str], int]:
        """Return what postings from begins_at to before ends_at moved, by (kind of posting, account)."""


class Receipts(Protocol):
    """Receipts and their way to paper."""

    def get(self, receipt_id: str) -> Receipt | None:
        """Return a receipt."""

    def by_token(self, token: str) -> Receipt | None:
        """Return the receipt behind a page address."""

    def of_order(self, order_id: str) -> Receipt | None:
        """Return an order's receipt."""

    def put(self, receipt: Receipt) -> None:
        """Write a receipt."""

    def mark_touched(self, receipt_id: str, touchpoint: str, at: int) -> bool:
        """Note the first time that a step was taken on a receipt's page; return whether it was the first."""

    def to_print(self, workstation: str) -> Receipt | None:
        """Return the oldest receipt of that workstation that is queued for paper."""

    def printing(self) -> tuple[Receipt, ...]:
        """Return receipts that were on their way to paper when the service last stopped."""


class Scans(Protocol):
    """The scan history."""

    def append(self, record: ScanRecord) -> None:
        """Add a scan; the oldest go when the history is full."""

    def get(self, scan_id: str) -> ScanRecord | None:
        """Return one scan."""

    def last_added(self, workstation: str, text: str) -> ScanRecord | None:
        """Return the newest scan of `text` on that workstation whose outcome is "added"."""

    def recent(self, workstation: str, limit: int) -> tuple[ScanRecord, ...]:
        """Return the newest scans of a workstation, newest first."""


class Workstations(Protocol):
    """What each workstation is busy with."""

    def get(self, workstation: str) -> WorkstationState | None:
        """Return a workstation's state."""

    def put(self, state: WorkstationState) -> None:
        """Write a workstation's state."""


class Unit(Protocol):
    """One unit of work over all records."""

    @property
    def catalogue(self) -> Catalogue: ...
    @property
    def baskets(self) -> Baskets: ...
    @property
    def orders(self) -> Orders: ...
    @property
    def attempts(self) -> Attempts: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def refunds(self) -> Refunds: ...
    @property
    def receipts(self) -> Receipts: ...
    @property
    def scans(self) -> Scans: ...
    @property
    def workstations(self) -> Workstations: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def landings(self) -> Landings: ...
    @property
    def snapshots(self) -> Snapshots: ...
    @property
    def members(self) -> Members: ...
    @property
    def plate_lists(self) -> PlateLists: ...
    @property
    def tariffs(self) -> Tariffs: ...
    @property
    def calendar_days(self) -> CalendarDays: ...
    @property
    def commands(self) -> Commands: ...
    @property
    def work_items(self) -> WorkItems: ...
    @property
    def bills(self) -> BillBook: ...
    @property
    def shifts(self) -> Shifts: ...
    @property
    def papers(self) -> Papers: ...
    @property
    def settlements(self) -> Settlements: ...
    @property
    def stay_charges(self) -> StayCharges: ...
    @property
    def debts(self) -> Debts: ...
    @property
    def autopays(self) -> Autopays: ...
    @property
    def validations(self) -> Validations: ...
    @property
    def people(self) -> People: ...
    @property
    def points(self) -> PointsBook: ...
    @property
    def traces(self) -> Traces: ...
    @property
    def journeys(self) -> Journeys: ...
    @property
    def credits(self) -> Credits: ...
    @property
    def guide_tasks(self) -> GuideTasks: ...
    @property
    def phones(self) -> Phones: ...
    @property
    def phone_notices(self) -> PhoneNotices: ...
    @property
    def plates(self) -> Plates: ...
    @property
    def passes(self) -> Passes: ...
    @property
    def sessions(self) -> Sessions: ...
    @property
    def plate_reads(self) -> PlateReads: ...
    @property
    def passages(self) -> Passages: ...
    @property
    def gate_commands(self) -> GateCommands: ...
    @property
    def lane_holds(self) -> LaneHolds: ...
    @property
    def tickets(self) -> Tickets: ...
    @property
    def collections(self) -> Collections: ...
    @property
    def splits(self) -> Splits: ...
    @property
    def carts(self) -> Carts: ...
    @property
    def exits(self) -> Exits: ...
    @property
    def occupancies(self) -> Occupancies: ...
    @property
    def alarms(self) -> Alarms: ...
    @property
    def boots(self) -> Boots: ...
