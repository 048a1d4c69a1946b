"""What a unit of work can read and write: one small protocol for each kind of record.

A write inside a unit is durable only when the whole unit is committed (ports.Store.write). `get`
returns None for what is not there; `put` inserts or replaces by id.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from edge.members.landing import LandingPage
from edge.retail.attempt import PaymentAttempt
from edge.retail.basket import Basket
from edge.retail.catalogue import CatalogueEntry, Listing, Price, Product, Tenant
from edge.retail.ledger import Posting
from edge.retail.order import Order
from edge.retail.receipt import Receipt
from edge.services.command_records import Commands


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


@dataclass(frozen=True, slots=True)
class OutboxMessage:
    """One event on its way to HQ; `body` is exactly what goes on the wire (CloudEvents 1.0 JSON).

    sequence: gap-free per box, from 1. kind: the event type, e.g. "order.paid". urgent: it is sent before
    older ones that are not.
    """

    sequence: int
    event_id: str
    kind: str
    source: str
    body: bytes
    created_at: int
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class OutboxDepth:
    """How far HQ is behind. Instants are Unix milliseconds, None when there is none.

    oldest_sequence: of the oldest row, None when nothing waits. waiting_bytes: of all bodies. dead: events
    that HQ rejected and nobody has dealt with.
    """

    count: int
    oldest_created_at: int | None
    last_sequence: int
    acked_through: int
    last_ack_at: int | None
    oldest_sequence: int | None = None
    waiting_bytes: int = 0
    dead: int = 0


@dataclass(frozen=True, slots=True)
class OutboxPace:
    """How many events had been written at a moment (Unix milliseconds)."""

    noted_at: int
    last_sequence: int


class DeadState(StrEnum):
    """What became of an event that HQ rejected."""

    DEAD = "dead"
    RESENT = "resent"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event that HQ rejected, kept as it was sent.

    reason: HQ's own. note: why a person dropped it. resent_as: the sequence of the event that took its
    place in the outbox.
    """

    message: OutboxMessage
    reason: str
    rejected_at: int
    state: DeadState = DeadState.DEAD
    closed_at: int | None = None
    note: str = ""
    resent_as: int | None = None


class SnapshotState(StrEnum):
    """Where a snapshot is: on its way, in force, or the one that was in force before."""

    COMING = "coming"
    ACTIVE = "active"
    PREVIOUS = "previous"


@dataclass(frozen=True, slots=True)
class SnapshotRow:
    """One version of a snapshot from HQ. manifest: as HQ sent it. changed_at: of its state."""

    name: str
    version: int
    state: SnapshotState
    manifest: bytes
    changed_at: int


@dataclass(frozen=True, slots=True)
class SnapshotRefusal:
    """Why a snapshot was not taken. digest: SHA-256 of its manifest. version: 0 when it could not be read."""

    name: str
    digest: str
    version: int
    reason: str
    detail: str
    refused_at: int


#: The tables that an import leaves replaced rows in, in the order in which they are tidied.
TIDY_TABLES = ("products", "prices", "product_keys")


@dataclass(frozen=True, slots=True)
class Staged:
    """What one chunk of an import changes. dropped: keys that their products no longer have, with the sku."""

    added: int
    changed: int
    unchanged: int
    dropped: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class KeyChange:
    """`sku` claims a look-up key, or drops it."""

    key: str
    sku: str
    dropped: bool = False


class Catalogue(Protocol):
    """Products, found by any of their barcodes."""

    @property
    def intake(self) -> CatalogueIntake: ...

    def find(self, keys: Sequence[str], at: int) -> Product | None:
        """Return the product that has the first matching barcode key, with its price at `at`.

        None for a product that is withdrawn or whose first price lies in the future.
        """

    def by_sku(self, sku: str, at: int) -> Product | None:
        """Return a product by its own id, with its price at `at`; None as for `find`."""

    def tenant(self, tenant_id: str) -> Tenant | None:
        """Return a tenant."""

    def entry(self, sku: str) -> CatalogueEntry | None:
        """Return all that is known of a product, also when it is withdrawn or not sold yet."""

    def put_price(self, price: Price) -> None:
        """Write a price; another one from the same moment is replaced. Raises Invalid for no such sku."""


class CatalogueIntake(Protocol):
    """How a whole catalogue comes in: staged unseen in many small units, shown by one short one.

    begin, (tidy), stage, stage_withdrawn, stage_keys, finish, (tidy). Every write with the number of an
    import that is no longer the present one raises Invalid and keeps nothing.
    """

    def tenants(self) -> tuple[Tenant, ...]:
        """Return all tenants."""

    def live_skus(self, after: str, limit: int, tenant_id: str | None) -> tuple[str, ...]:
        """Return skus that are not withdrawn, in order, above `after`, of one tenant or of all."""

    def owners(self, keys: Sequence[str]) -> dict[str, str]:
        """Return the sku behind each key, for keys of products that are not withdrawn."""

    def tenants_of(self, skus: Sequence[str]) -> dict[str, str]:
        """Return the tenant_id of each sku that is not withdrawn."""

    def preview(self, listings: Sequence[Listing], at: int) -> Staged:
        """Return what `stage` would do, without doing it."""

    def begin(self) -> tuple[int, bool]:
        """Start an import and end any other; return its number and whether left-overs need `tidy` first."""

    def stage(self, import_no: int, listings: Sequence[Listing], at: int) -> Staged:
        """Write the listings' products and prices, unseen; `at`: the valid-from of those that give none."""

    def stage_withdrawn(self, import_no: int, skus: Sequence[str]) -> int:
        """Mark products as no longer sold, unseen; return how many were not so before."""

    def stage_keys(self, import_no: int, changes: Sequence[KeyChange]) -> None:
        """Write look-up keys, unseen."""

    def finish(self, import_no: int, tenants: Sequence[Tenant], untidy: bool) -> None:
        """Show everything that was staged, with these tenants; `untidy`: it leaves replaced rows."""

    def tidy(self, table: str, after: str, limit: int) -> str | None:
        """Delete unseen and replaced rows of one of `TIDY_TABLES`; return where to go on, None at the end."""

    def tidied(self) -> None:
        """Note that nothing is left to tidy, unless an import has begun since."""


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


class Ledger(Protocol):
    """The books."""

    def post(self, posting: Posting) -> None:
        """Append a posting; postings are never changed."""

    def balances(self) -> dict[str, int]:
        """Return every account's balance in fen."""


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


class Outbox(Protocol):
    """Events on their way to HQ."""

    def next_sequence(self) -> int:
        """Return the sequence that the next appended event must carry."""

    def append(self, message: OutboxMessage) -> None:
        """Add an event; raise Corrupt unless its sequence is the next one."""

    def window(
        self, after_sequence: int, limit: int, urgent: bool | None = None
    ) -> tuple[OutboxMessage, ...]:
        """Return unacknowledged events with a sequence above `after_sequence`, oldest first.

        urgent: those of one lane alone, None for all.
        """

    def count_through(self, sequence: int, limit: int, urgent: bool) -> int:
        """Return how many events of one lane wait up to `sequence`, counting to `limit` at most."""

    def acknowledge(
        self, through_sequence: int, holes: Iterable[int], at: int, also: Iterable[int] = ()
    ) -> int:
        """Remove what HQ has applied, `also` being above `through_sequence`; return how many rows left."""

    def depth(self) -> OutboxDepth:
        """Return how far HQ is behind."""

    def set_aside(self, sequence: int, reason: str, at: int) -> bool:
        """Move an event that HQ rejected to the dead letters; return False when it does not wait."""

    def dead_letter(self, sequence: int) -> DeadLetter | None:
        """Return one dead letter, also one that was dealt with."""

    def dead_letters(self, limit: int) -> tuple[DeadLetter, ...]:
        """Return the dead letters that nobody has dealt with, oldest first."""

    def close_letter(self, letter: DeadLetter) -> None:
        """Write what became of a dead letter; raise Corrupt unless it was open."""

    def note_pace(self, at: int) -> None:
        """Note how many events have been written by now; what is older than a week is forgotten."""

    def pace(self) -> tuple[OutboxPace, ...]:
        """Return the notes, oldest first."""


class Landings(Protocol):
    """Pages after payment."""

    def pages(self) -> tuple[LandingPage, ...]:
        """Return all pages, the mall's own among them."""

    def put(self, page: LandingPage) -> None:
        """Write a page."""

    def clear(self) -> None:
        """Delete all pages."""


class Snapshots(Protocol):
    """Snapshots from HQ: of each name at most one in each state."""

    def all(self) -> tuple[SnapshotRow, ...]:
        """Return every snapshot, by name and version."""

    def get(self, name: str, state: SnapshotState) -> SnapshotRow | None:
        """Return the snapshot of that name in that state."""

    def begin(self, row: SnapshotRow) -> None:
        """Write a snapshot that is coming, in place of any other of its name that was."""

    def drop(self, name: str, state: SnapshotState) -> None:
        """Delete the snapshot in that state, with its chunks, if there is one."""

    def put_chunks(self, name: str, version: int, chunks: Mapping[int, bytes]) -> None:
        """Keep chunks of a snapshot that is here; one that is kept already stays as it is."""

    def have(self, name: str, version: int) -> frozenset[int]:
        """Return the numbers of the chunks that are kept."""

    def chunks(self, name: str, version: int) -> tuple[bytes, ...]:
        """Return the chunks that are kept, in order."""

    def activate(self, name: str, at: int) -> None:
        """Make the coming one active and the active one the previous; the one before that is deleted."""

    def swap(self, name: str, at: int) -> None:
        """Let the active and the previous one change places."""

    def refusal(self, name: str) -> SnapshotRefusal | None:
        """Return the last refusal of a name."""

    def refusals(self) -> tuple[SnapshotRefusal, ...]:
        """Return the last refusal of every name."""

    def refuse(self, refusal: SnapshotRefusal) -> None:
        """Write a refusal in place of the last one of that name."""


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
    def commands(self) -> Commands: ...
