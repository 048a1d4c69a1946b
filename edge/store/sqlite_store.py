"""The store: one writer with group commit, readers beside it.

Callers that write at the same time share one transaction and one sync: whoever comes first runs every
waiting unit of work, each under its own savepoint, then commits once for all. Nobody is answered before
that commit, and after it nobody waits for the next one: the lead goes to the first who came meanwhile.
A lone caller pays neither a thread hand-over nor a savepoint.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Generic, TypeVar

from sqlite_utils import Database

from edge.errors import Corrupt, EdgeError, Invalid, Unavailable
from edge.services.records import Unit
from edge.store.alarms import AlarmTable
from edge.store.baskets import BasketTable, WorkstationTable
from edge.store.bills import BillTable
from edge.store.boots import BootTable
from edge.store.catalogue import CatalogueTable
from edge.store.collections import CollectionTable
from edge.store.commands import CommandTable
from edge.store.database import (
    check_at_start,
    is_checked_at_start,
    is_damage,
    is_full,
    lock_writer,
    note_doubt,
    open_reader,
    open_writer,
    table_damage,
    tables_of,
)
from edge.store.exits import CartTable, ExitTable
from edge.store.guide_money import CreditTable, GuideTaskTable
from edge.store.journeys import JourneyTable
from edge.store.landings import LandingTable
from edge.store.lanes import GateCommandTable, LaneHoldTable, PassageTable, PlateReadTable
from edge.store.lists import PlateListTable
from edge.store.members import MemberTable
from edge.store.migrate import migrate, schema_steps
from edge.store.orders import OrderTable
from edge.store.outbox import OutboxTable
from edge.store.papers import PaperTable
from edge.store.passes import PassTable
from edge.store.payments import AttemptTable, LedgerTable
from edge.store.people import PeopleTable
from edge.store.phones import PhoneNoticeTable, PhoneTable
from edge.store.plates import PlateTable
from edge.store.points import PointsTable
from edge.store.receipts import ReceiptTable, ScanTable
from edge.store.refunds import RefundTable
from edge.store.reserve import Reserve
from edge.store.shifts import ShiftTable
from edge.store.snapshots import SnapshotTable
from edge.store.splits import SplitTable
from edge.store.stay_money import AutopayTable, DebtTable, SettlementTable, StayChargeTable
from edge.store.stays import OccupancyTable, SessionTable
from edge.store.tariffs import CalendarTable, TariffTable
from edge.store.tickets import TicketTable
from edge.store.traces import TraceTable
from edge.store.validations import ValidationTable
from edge.store.work_items import WorkItemTable

T = TypeVar("T")

#: The ids of what is written first in any chain of events; each is a look at the end of an index.
_NEWEST_ID = """
SELECT max(id) FROM (
    SELECT max(scan_id) AS id FROM scans UNION ALL SELECT max(basket_id) FROM baskets
    UNION ALL SELECT max(order_id) FROM orders UNION ALL SELECT max(attempt_id) FROM attempts
    UNION ALL SELECT max(refund_id) FROM refunds UNION ALL SELECT max(receipt_id) FROM receipts
    UNION ALL SELECT max(posting_id) FROM postings UNION ALL SELECT max(shift_id) FROM shifts
    UNION ALL SELECT max(movement_id) FROM shift_cash UNION ALL SELECT max(paper_id) FROM papers
    UNION ALL SELECT max(read_id) FROM plate_reads UNION ALL SELECT max(passage_id) FROM passages
    UNION ALL SELECT max(session_id) FROM sessions UNION ALL SELECT max(ticket_id) FROM tickets)
"""

#: Units of work that may share one commit, and read connections kept open.
MAX_GROUP = 64
MAX_READERS = 8


class CarParkUnit:
    """What happens in the car park, over one connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.settlements = SettlementTable(connection)
        self.stay_charges = StayChargeTable(connection)
        self.debts = DebtTable(connection)
        self.autopays = AutopayTable(connection)
        self.sessions = SessionTable(connection)
        self.occupancies = OccupancyTable(connection)
        self.plate_reads = PlateReadTable(connection)
        self.passages = PassageTable(connection)
        self.gate_commands = GateCommandTable(connection)
        self.lane_holds = LaneHoldTable(connection)
        self.plates = PlateTable(connection)
        self.passes = PassTable(connection)


class CounterUnit(CarParkUnit):
    """What counters write and the central cashier collects, over the same connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        self.tickets = TicketTable(connection)
        self.collections = CollectionTable(connection)
        self.splits = SplitTable(connection)


class SqliteUnit(CounterUnit):
    """All records over one connection; implements records.Unit."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        self.catalogue = CatalogueTable(connection)
        self.baskets = BasketTable(connection)
        self.orders = OrderTable(connection)
        self.attempts = AttemptTable(connection)
        self.ledger = LedgerTable(connection)
        self.refunds = RefundTable(connection)
        self.receipts = ReceiptTable(connection)
        self.scans = ScanTable(connection)
        self.workstations = WorkstationTable(connection)
        self.outbox = OutboxTable(connection)
        self.landings = LandingTable(connection)
        self.snapshots = SnapshotTable(connection)
        self.members = MemberTable(connection)
        self.plate_lists = PlateListTable(connection)
        self.tariffs = TariffTable(connection)
        self.calendar_days = CalendarTable(connection)
        self.commands = CommandTable(connection)
        self.shifts = ShiftTable(connection)
        self.papers = PaperTable(connection)
        self.work_items = WorkItemTable(connection)
        self.bills = BillTable(connection)
        self.validations = ValidationTable(connection)
        self.people = PeopleTable(connection)
        self.points = PointsTable(connection)
        self.traces = TraceTable(connection)
        self.journeys = JourneyTable(connection)
        self.credits = CreditTable(connection)
        self.guide_tasks = GuideTaskTable(connection)
        self.phones = PhoneTable(connection)
        self.phone_notices = PhoneNoticeTable(connection)
        self.carts = CartTable(connection)
        self.exits = ExitTable(connection)
        self.alarms = AlarmTable(connection)
        self.boots = BootTable(connection)


class SqliteStore:
    """Implements ports.Store on one SQLite file."""

    def __init__(self, path: Path, at: int, reserve_bytes: int = 0) -> None:
        """Open `path`, check it and bring it to the newest schema; `at` dates the migration.

        reserve_bytes: room kept back beside it, given up once the disk is full.
        Raises Corrupt for a damaged file, one with odd pragmas or one of a newer program; Unavailable
        while another process writes it, when the disk is full or the file may not be written; Invalid
        for a folder that cannot be used.
        """
        self._path = path
        self._lock = lock_writer(path)
        #: Whether the file was too large for a start to look at all of it; see `check_table`.
        self.unchecked = path.exists() and not is_checked_at_start(path)
        self._checking: sqlite3.Connection | None = None
        try:
            self.reserve = Reserve(path.with_suffix(".reserve"), reserve_bytes)
            self._db: Database = _open_with_reserve(path, at, self.reserve)
        except BaseException:
            self._lock.close()
            raise
        self._unit = SqliteUnit(self._db.conn)
        self._writer = threading.Lock()
        # Guards who waits and whether somebody leads; held for a few instructions only.
        self._door = threading.Lock()
        self._waiting: deque[_Waiting[Any]] = deque()
        self._led = False
        self._damage = ""
        self._when_damaged: Callable[[], None] = lambda: None
        self._readers: deque[tuple[sqlite3.Connection, SqliteUnit]] = deque()
        self._closed = False

    def when_damaged(self, act: Callable[[], None]) -> None:
        """Have `act` called, once, when SQLite finds the file damaged; nothing is read or written after that.

        A page that was read wrong stays in memory and may be written back: only a new start looks afresh.
        """
        self._when_damaged = act

    def write(self, work: Callable[[Unit], T]) -> T:
        """Run `work` in one transaction; return its result after the commit is on disk.

        On a full disk it is run once more, in the room of the reserve, as long as there was one.
        """
        had_reserve = self.reserve.held
        try:
            return self._write(work)
        except Unavailable as error:
            if not (had_reserve and is_full(error.__cause__)):
                raise
        self.reserve.give_up()
        return self._write(work)

    def newest_id(self) -> str | None:
        """Return the newest of the ids kept here, None in a new database; raise Corrupt for a damaged one."""
        try:
            with self._writer:
                row = self._db.conn.execute(_NEWEST_ID).fetchone()
        except sqlite3.Error as error:
            self._note_damage(error)
            raise _translated(error, self._path) from error
        return row[0] if row else None

    def read(self, query: Callable[[Unit], T]) -> T:
        """Run `query` on one committed snapshot; writing in it raises Invalid."""
        connection, unit = self._take_reader()
        try:
            connection.execute("BEGIN")
            try:
                return query(unit)
            finally:
                connection.execute("ROLLBACK")
        except sqlite3.Error as error:
            if "readonly" in str(error):
                raise Invalid(f"{self._path.name}: a query tried to write") from error
            self._note_damage(error)
            raise _translated(error, self._path) from error
        finally:
            self._give_back(connection, unit)

    def tables(self) -> tuple[str, ...]:
        """Return the names of all tables, for `check_table`."""
        connection, unit = self._take_reader()
        try:
            return tables_of(connection)
        finally:
            self._give_back(connection, unit)

    def check_table(self, table: str) -> None:
        """Look at every page of a table and its indices while others read and write.

        A file that is damaged is given up as when a query met the damage, and the next start refuses it.
        `stop_checking` interrupts it, which raises Unavailable.
        """
        with closing(open_reader(self._path)) as connection:
            self._checking = connection
            try:
                damage = "" if self._closed else table_damage(connection, table)
            except sqlite3.OperationalError as error:
                raise _translated(error, self._path) from error
            finally:
                self._checking = None
        if damage:
            self._give_up(f"table {table}: {damage}")

    def stop_checking(self) -> None:
        """Interrupt `check_table`."""
        checking = self._checking
        if checking is not None:
            # It may have come to its end just now.
            with suppress(sqlite3.ProgrammingError):
                checking.interrupt()

    def reusable_bytes(self) -> int:
        """Return the size of the freed pages in the file, which new rows take first."""
        connection, unit = self._take_reader()
        try:
            pages, size = (
                connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("freelist_count", "page_size")
            )
        except sqlite3.Error as error:
            raise _translated(error, self._path) from error
        finally:
            self._give_back(connection, unit)
        return int(pages * size)

    def compact(self, pages: int) -> int:
        """Give up to `pages` freed pages back to the disk; return the bytes.

        A file that was made without auto-vacuum keeps its pages: 0.
        """

        def work(unit: Unit) -> int:
            before = self._db.conn.execute("PRAGMA page_count").fetchone()[0]
            self._db.conn.execute(f"PRAGMA incremental_vacuum({int(pages)})").fetchall()
            after = self._db.conn.execute("PRAGMA page_count").fetchone()[0]
            return int((before - after) * self._db.conn.execute("PRAGMA page_size").fetchone()[0])

        return self.write(work)

    def close(self) -> None:
        """Close every connection; the last one checkpoints the log into the file."""
        with self._writer:
            self._closed = True
            while self._readers:
                self._readers.pop()[0].close()
            self._db.conn.close()
            self._lock.close()

    def _write(self, work: Callable[[Unit], T]) -> T:
        mine = _Waiting(work)
        with self._door:
            self._waiting.append(mine)
            first, self._led = not self._led, True
        if not first:
            self._await_turn(mine)
        if not mine.done:
            try:
                with self._writer:
                    self._commit_group()
            finally:
                with self._door:
                    # An interrupted leader may not even have begun; nobody may wait for it.
                    self._forget(mine)
                    self._hand_over()
        return mine.answer(self._path)

    def _await_turn(self, mine: _Waiting[Any]) -> None:
        """Wait until the unit is done or its caller leads."""
        try:
            mine.turn.wait()
        except BaseException:
            # The caller was interrupted: its unit is not run any more, and the others must not wait for it.
            with self._door:
                self._forget(mine)
                if mine.turn.is_set() and not mine.done:
                    self._hand_over()
            raise

    def _forget(self, mine: _Waiting[Any]) -> None:
        """Take a unit that nobody will run out of the queue; the caller holds the door."""
        if mine in self._waiting:
            self._waiting.remove(mine)

    def _hand_over(self) -> None:
        """Let the first who waits lead; the caller holds the door."""
        self._led = bool(self._waiting)
        if self._waiting:
            self._waiting[0].turn.set()

    def _commit_group(self) -> None:
        with self._door:
            group = [self._waiting.popleft() for _ in range(min(len(self._waiting), MAX_GROUP))]
        try:
            self._require_open()
            self._require_clean()
            with self._db.atomic():
                self._run_group(group)
        # Whatever broke the shared commit is raised again in each caller's own thread by answer().
        except Exception as error:
            self._note_damage(error)
            _fail(group, error)
        # An interrupt of this thread is its own; the others' work was undone with it, so they are told.
        except BaseException:
            _fail(group, Unavailable(f"{self._path.name}: the commit was interrupted; try again"))
            raise
        finally:
            for waiting in group:
                waiting.done = True
                waiting.turn.set()

    def _run_group(self, group: list[_Waiting[Any]]) -> None:
        if len(group) == 1:
            group[0].value = group[0].work(self._unit)
            return
        for waiting in group:
            try:
                with _savepoint(self._db.conn):
                    waiting.value = waiting.work(self._unit)
            # One unit's error must not undo the others; its owner gets it from answer().
            except Exception as error:
                if not self._db.conn.in_transaction or is_damage(error):
                    raise
                waiting.error = error

    def _require_open(self) -> None:
        if self._closed:
            raise Unavailable(f"{self._path.name} is closed; the service is stopping")
        if self._damage:
            raise Corrupt(f"{self._path.name} is damaged ({self._damage}); the service starts anew")

    def _note_damage(self, error: Exception) -> None:
        """Stop working on a file that SQLite found damaged."""
        if is_damage(error):
            self._give_up(str(error))

    def _give_up(self, damage: str) -> None:
        if not self._damage:
            self._damage = damage
            note_doubt(self._path)
            self._when_damaged()

    def _require_clean(self) -> None:
        # A transaction left open by a failed ROLLBACK would swallow every later commit as a savepoint.
        if self._db.conn.in_transaction:
            self._db.conn.execute("ROLLBACK")

    def _take_reader(self) -> tuple[sqlite3.Connection, SqliteUnit]:
        self._require_open()
        try:
            return self._readers.pop()
        except IndexError:
            pass
        try:
            connection = open_reader(self._path)
        except sqlite3.Error as error:
            raise _translated(error, self._path) from error
        return connection, SqliteUnit(connection)

    def _give_back(self, connection: sqlite3.Connection, unit: SqliteUnit) -> None:
        if self._closed or len(self._readers) >= MAX_READERS:
            connection.close()
        else:
            self._readers.append((connection, unit))


class _Waiting(Generic[T]):
    """One unit of work on its way to a commit."""

    def __init__(self, work: Callable[[Unit], T]) -> None:
        self.work = work
        self.turn = threading.Event()
        self.done = False
        self.value: T | None = None
        self.error: Exception | None = None

    def answer(self, path: Path) -> T:
        """Return the unit's result, or raise its error in the caller's own thread."""
        if isinstance(self.error, sqlite3.Error):
            raise _translated(self.error, path) from self.error
        if self.error is not None:
            raise self.error
        return self.value  # type: ignore[return-value]  # set by the work that raised nothing


def _open_with_reserve(path: Path, at: int, reserve: Reserve) -> Database:
    try:
        return _open(path, at)
    except Unavailable as error:
        if not (reserve.held and is_full(error.__cause__)):
            raise
    reserve.give_up()
    return _open(path, at)


def _open(path: Path, at: int) -> Database:
    try:
        db = open_writer(path)
        try:
            check_at_start(db.conn, path)
            migrate(db.conn, schema_steps(), at)
        except BaseException:
            db.close()
            raise
    except sqlite3.Error as error:
        raise _translated(error, path) from error
    return db


@contextmanager
def _savepoint(connection: sqlite3.Connection) -> Iterator[None]:
    # Always the same name, so that SQLite's statements stay prepared.
    connection.execute("SAVEPOINT unit")
    try:
        yield
    except BaseException:
        # An error such as a full disk may have ended the whole transaction.
        if connection.in_transaction:
            connection.execute("ROLLBACK TO unit")
            connection.execute("RELEASE unit")
        raise
    connection.execute("RELEASE unit")


def _fail(group: list[_Waiting[Any]], error: Exception) -> None:
    for waiting in group:
        waiting.error = waiting.error or error


def _translated(error: sqlite3.Error, path: Path) -> EdgeError:
    """Return our error for one of SQLite's: who is at fault decides what may be done next."""
    text = str(error)
    if isinstance(error, sqlite3.IntegrityError):
        return Corrupt(f"{path.name}: {text}; two records contradict each other")
    if isinstance(error, sqlite3.OperationalError):
        return Unavailable(f"{path.name}: {text}; nothing of this step was kept, try again")
    return Corrupt(f"{path.name}: {text}; keep the file and restore the latest backup")
