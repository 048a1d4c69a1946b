"""The running service: workers over the use cases, the pages, and a start and stop in order."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Protocol

import structlog

from devices.types import DeviceStatus, Health, Scan
from edge.clock import wait
from edge.errors import EdgeError, Invalid, Unavailable
from edge.hq.commands import CommandDesk
from edge.hq.link import MqttLink
from edge.hq.requests import RequestDesk
from edge.hq.snapshots import SnapshotDesk
from edge.hq.topics import Topics
from edge.members.landing import LandingPage
from edge.retail.receipt import PrintState
from edge.services.box import Box
from edge.services.command_records import CommandState
from edge.services.events import Data
from edge.services.obey_command import CommandKind, Means, describe_command, end_orphans, obey_command
from edge.services.ports import Disk, Display, Gate, Printer, Scanner
from edge.services.print_receipt import print_next
from edge.services.publish_events import PublishCursor, publish_events
from edge.services.receive_scan import receive_scan
from edge.services.records import Unit
from edge.services.recover import recover
from edge.services.reset_idle import reset_idle
from edge.services.resolve_attempts import resolve_attempts
from edge.services.settle_attempt import void_unsent
from edge.services.snapshot_kinds import snapshot_kinds
from edge.services.snapshot_records import SnapshotState
from edge.services.staff import StaffBook
from edge.services.take_intake import Intake, take_intake
from edge.services.take_payment import submit
from edge.services.take_snapshot import FetchCursor, Shelf, snapshot_figures, take_snapshots
from edge.services.watch_disk import (
    DiskMarks,
    DiskState,
    Use,
    describe_space,
    refuses,
    spare_bytes,
    watch_disk,
)
from edge.store.bundle_folder import BundleFolder
from edge.store.sqlite_store import SqliteStore
from edge.watchdog import Watchdog
from edge.web.changes import Changes
from edge.web.desk import Json, WebSettings
from edge.web.factory import create_web
from edge.web.service_desk import ServiceDesk
from edge.web.serving import WebServer
from edge.web.staff_status import DiskWord, Insight
from edge.web.support_bundle import bundle_files
from edge.workers import Supervisor, Worker

VERSION = "0.1.0"

#: Charges that may wait for a free payment worker, and how many go on at once.
MAX_CHARGES = 64
PAYMENT_WORKERS = 4

#: The longest that a payment worker may take: a charge's read time-out and a query after it, with a margin.
PAYMENT_LONGEST_S = 120.0

#: Pauses of the workers that look for something to do, in seconds.
SCAN_TURN_S = 0.5
SCAN_RETRY_S = (0.1, 0.4, 1.0)
RESOLVE_EVERY_S = 1.0
IDLE_EVERY_S = 1.0
PRINT_RETRY_S = 3.0
PRINT_LOOK_S = 10.0
INTAKE_EVERY_S = 1.0
INTAKE_LONGEST_S = 1_800.0
COMMAND_TURN_S = 1.0

_log = structlog.get_logger("service")


class Closable(Protocol):
    """What can be released."""

    def close(self) -> None:
        """Release it."""


@dataclass(frozen=True, slots=True)
class Devices:
    """The opened drivers. scanners, printers: by the workstation they belong to. lines: shared wires."""

    scanners: tuple[tuple[str, Scanner], ...] = ()
    printers: Mapping[str, Printer] = field(default_factory=dict)
    gates: tuple[Gate, ...] = ()
    displays: tuple[Display, ...] = ()
    lines: tuple[Closable, ...] = ()

    def statuses(self) -> Sequence[tuple[str, str, DeviceStatus]]:
        """Return (workstation, role, status) of every device."""
        scanners = [(place, "scanner", scanner.status()) for place, scanner in self.scanners]
        printers = [(place, "printer", printer.status()) for place, printer in self.printers.items()]
        gates = [("", "gate", gate.status()) for gate in self.gates]
        displays = [("", "display", display.status()) for display in self.displays]
        return [*scanners, *printers, *gates, *displays]

    def close(self) -> None:
        """Release every device."""
        drivers: tuple[Closable, ...] = (
            *(scanner for _, scanner in self.scanners),
            *self.printers.values(),
            *self.gates,
            *self.displays,
            *self.lines,
        )
        for driver in drivers:
            driver.close()


@dataclass(frozen=True, slots=True)
class Parts:
    """What the composition root hands over: opened adapters that the service runs and closes.

    bundles: where support bundles go, None refuses them. config_text: what they say of the configuration.
    """

    box: Box
    store: SqliteStore
    link: MqttLink
    devices: Devices
    staff: StaffBook
    web: WebSettings
    landings: tuple[LandingPage, ...] = ()
    intake: Intake | None = None
    disk: Disk | None = None
    marks: DiskMarks = field(default_factory=DiskMarks)
    relay: bool = True
    bundles: BundleFolder | None = None
    config_text: str = ""


class Service:
    """The running service of one box."""

    def __init__(self, parts: Parts) -> None:
        """Take the adapters over and listen on the web port; nothing runs before `start`."""
        self._parts = parts
        self.changes = Changes()
        self.box = replace(parts.box, changed=self._changed, closed=self._closed)
        self._charges: queue.Queue[tuple[str, str]] = queue.Queue(MAX_CHARGES)
        self._cursor = PublishCursor()
        self._disk = DiskState()
        origin, kinds = self.box.origin, snapshot_kinds(self.box.rules.zone)
        self._shelf = Shelf(self.box.store, self.box.clock, self.box.ids, origin, kinds)
        self._fetching = FetchCursor()
        # A newer import ends an older one, so that a file and a snapshot must not meet.
        self._importing = threading.Lock()
        self._snapshots = SnapshotDesk(Topics(origin), parts.link.say)
        #: Set when HQ wants this process to end and be started anew.
        self.ended = threading.Event()
        self._frozen = False
        topics = Topics(parts.box.origin)
        self._commands = CommandDesk(topics, parts.link.say)
        parts.link.listen(topics.commands, self._commands.take)
        # By workstation, why its last scan could not be kept.
        self._deaf: dict[str, str] = {}
        # A printer's own news must not wake it: without paper it would try again for ever without a pause.
        quiet = replace(self.box, changed=self._redraw)
        self._printer_workers = {
            place: Worker(f"print-{place}", _printing(quiet, place), 180.0)
            for place in parts.devices.printers
        }
        self._publisher = Worker("publish", self._publish, wake=parts.link.wake)
        self._supervisor = Supervisor(self._workers())
        self._watchdog = Watchdog()
        self._desk = self._make_desk()
        app = create_web(self._desk, parts.web)
        self.web = WebServer(app, parts.web)
        self._relayed = RequestDesk(app, topics, parts.link.say, parts.box.clock)
        for wanted in (topics.manifests, topics.chunks):
            parts.link.listen(wanted, self._snapshots.hear)
        if parts.relay:
            parts.link.listen(topics.requests, self._relayed.take)

    def start(self) -> None:
        """Look at what the last stop left, begin all work, and say that the service is ready."""
        found = recover(self.box)
        cut_off = end_orphans(self.box)
        self._frozen = self._is_frozen()
        self._put_landings()
        self._relayed.start()
        self._parts.link.start()
        self._supervisor.start()
        self.web.start()
        self._watchdog.ready()
        _log.info(
            "ready",
            port=self.web.port,
            open_payments=found.attempts,
            half_printed=found.papers,
            cut_off_commands=cut_off,
            frozen=self._frozen,
            workstations=list(self.box.workstations),
        )

    def stop(self) -> None:
        """End all work in order: no new requests, finish steps, close wires, close the store."""
        self._watchdog.stopping()
        self.changes.close()
        self.web.close()
        self._relayed.close()
        for worker in self._supervisor.workers:
            worker.stop()
        self._parts.devices.close()
        late = self._supervisor.stop()
        self._parts.link.close()
        self._parts.store.close()
        _log.info("stopped", late=list(late))

    def take_scan(self, workstation: str, scan: Scan) -> None:
        """Take one scan; a payment code goes on to a payment worker."""
        outcome = receive_scan(self.box, workstation, scan)
        _log.info("scan", workstation=workstation, device=scan.device, outcome=outcome.outcome)
        if outcome.attempt_id:
            try:
                self._charges.put_nowait((outcome.attempt_id, outcome.code))
            except queue.Full:
                # Only when every worker hangs in a gateway call; the shopper may try again at once.
                _log.error("too many charges wait", attempt=outcome.attempt_id)
                void_unsent(self.box, outcome.attempt_id)

    def _put_landings(self) -> None:
        def work(unit: Unit) -> None:
            # Pages that HQ has sent outweigh those of the configuration.
            if unit.snapshots.get("landing-pages", SnapshotState.ACTIVE) is not None:
                return
            for page in self._parts.landings:
                unit.landings.put(page)

        self.box.store.write(work)

    def _make_desk(self) -> ServiceDesk:
        insight = Insight(
            devices=self._statuses,
            workers=self._worker_states,
            stuck=self._supervisor.stuck,
            version=VERSION,
            store=self._store_word,
            disk=self._disk_word,
            figures=self._link_figures,
        )
        return ServiceDesk(self.box, self._parts.staff, self.changes, insight, self.take_scan)

    def _link_figures(self) -> Mapping[str, float]:
        link, relay = asdict(self._parts.link.counts()), asdict(self._relayed.counts())
        figures = {f"hq_{name}_total": float(value) for name, value in link.items()}
        figures |= {f"relay_{name}_total": float(value) for name, value in relay.items()}
        figures |= self.box.store.read(snapshot_figures)
        commands = asdict(self._commands.counts())
        figures |= {f"commands_{name}_total": float(value) for name, value in commands.items()}
        left_s = self._parts.link.certificate_left_s()
        return figures if left_s is None else {**figures, "hq_certificate_left_seconds": left_s}

    def _store_word(self) -> str:
        given_up = self._parts.store.reserve.given_up
        return "the disk is full: make room; sales open again by themselves" if given_up else "ok"

    def _worker_states(self) -> Sequence[Json]:
        return [
            {
                "name": state.name,
                "quiet_s": round(state.quiet_s, 1),
                "crashes": state.crashes,
                "last_error": state.last_error,
            }
            for state in (worker.state() for worker in self._supervisor.workers)
        ]

    def _redraw(self, workstation: str) -> None:
        self.changes.bump(workstation)

    def _changed(self, workstation: str) -> None:
        self._redraw(workstation)
        self._publisher.wake()
        printer = self._printer_workers.get(workstation)
        if printer is not None:
            printer.wake()

    def _disk_word(self) -> DiskWord:
        level, space = self._disk.level.name.lower(), self._disk.space
        if space is None:
            return DiskWord(level)
        spare = spare_bytes(space, self._parts.marks)
        return DiskWord(level, describe_space(space), space.free_bytes, spare)

    def _closed(self) -> str:
        """Say why no new sale is begun, "" while sales are open."""
        if refuses(self._disk.level, Use.SALE):
            return "disk_full"
        return "frozen" if self._frozen else ""

    def _is_frozen(self) -> bool:
        return self.box.store.read(lambda unit: unit.commands.freeze()) is not None

    def _obey(self) -> float:
        """Obey one command; the one worker that does."""
        order = self._commands.next(COMMAND_TURN_S)
        if order is None:
            end_orphans(self.box)
            return 0.0
        obeyed = obey_command(self.box, self._means(), order.command)
        record = obeyed.record
        _log.warning("command", repeated=obeyed.repeated, what=describe_command(record))
        self._refresh_frozen()
        self._publisher.wake()
        self._commands.answer(order, obeyed)
        if record.kind == CommandKind.RELOAD and record.state is CommandState.DONE and not obeyed.repeated:
            self.ended.set()
        return 0.0

    def _refresh_frozen(self) -> None:
        frozen = self._is_frozen()
        if frozen != self._frozen:
            self._frozen = frozen
            for workstation in self.box.workstations:
                self._redraw(workstation)

    def _means(self) -> Means:
        return Means(self._make_bundle, {gate.name: gate for gate in self._parts.devices.gates})

    def _make_bundle(self, command_id: str) -> Data:
        folder = self._parts.bundles
        if folder is None or refuses(self._disk.level, Use.PICTURE):
            raise Unavailable("the disk has no room for one")
        files = bundle_files(self.box, self._desk.status(), self._parts.config_text)
        bundle = folder.put(command_id, files)
        return {"file": bundle.path.name, "bytes": bundle.size, "sha256": bundle.digest}

    def _workers(self) -> list[Worker]:
        scanning = [
            Worker(f"scan-{scanner.name}", self._scanning(place, scanner))
            for place, scanner in self._parts.devices.scanners
        ]
        # A large catalogue takes minutes on a slow card; the tills go on meanwhile.
        intake = self._parts.intake
        taking_in = [Worker("intake", self._taking_in(intake), INTAKE_LONGEST_S)] if intake else []
        disk = self._parts.disk
        watching = [Worker("disk", self._watching(disk))] if disk else []
        paying = [Worker(f"pay-{index}", self._pay, PAYMENT_LONGEST_S) for index in range(PAYMENT_WORKERS)]
        return [
            *scanning,
            *watching,
            *paying,
            *self._printer_workers.values(),
            self._publisher,
            Worker("commands", self._obey),
            Worker("resolve", self._resolve, 120.0),
            Worker("idle", self._reset_idle),
            *taking_in,
            Worker("snapshots", self._take_snapshots, INTAKE_LONGEST_S, self._snapshots.wake),
            Worker("watchdog", self._ping_watchdog),
        ]

    def _scanning(self, place: str, scanner: Scanner) -> Callable[[], float]:
        def step() -> float:
            scan = scanner.read(SCAN_TURN_S)
            if scan is not None:
                self._take_surely(place, scan)
            return 0.0

        return step

    def _take_surely(self, place: str, scan: Scan) -> None:
        """Take a scan; while the store cannot, try again and then say so where people look."""
        for pause_s in (*SCAN_RETRY_S, None):
            try:
                self.take_scan(place, scan)
            except Unavailable as error:
                if pause_s is None:
                    self._deaf[place] = f"the last scan was lost: {error}"
                    self.changes.bump(place)
                    raise
                wait(threading.Event(), pause_s)
            else:
                if self._deaf.pop(place, None):
                    self.changes.bump(place)
                return

    def _statuses(self) -> Sequence[tuple[str, str, DeviceStatus]]:
        """Return every device's status; a scanner whose scans are lost is at fault for whoever uses it."""
        deaf = dict(self._deaf)
        return [
            (place, role, replace(status, health=Health.FAULT, detail=deaf[place]))
            if role == "scanner" and place in deaf
            else (place, role, status)
            for place, role, status in self._parts.devices.statuses()
        ]

    def _pay(self) -> float:
        try:
            attempt_id, code = self._charges.get(timeout=1.0)
        except queue.Empty:
            return 0.0
        try:
            state = submit(self.box, attempt_id, code)
        except Invalid as error:
            # It waited so long that it was voided; that is no reason to keep the next shopper waiting.
            _log.warning("charge not sent", attempt=attempt_id, why=str(error))
            return 0.0
        _log.info("payment", attempt=attempt_id, state=state.value)
        return 0.0

    def _publish(self) -> float:
        step = publish_events(self.box.store, self.box.link, self.box.clock, self._cursor)
        self._cursor = step.cursor
        if step.unfillable:
            _log.error("HQ misses events that it acknowledged before", sequences=list(step.unfillable))
        return step.wait_ms / 1000

    def _watching(self, disk: Disk) -> Callable[[], float]:
        def step() -> float:
            parts, box = self._parts, self.box
            done = watch_disk(box.store, disk, box.clock, box.ids, box.origin, parts.marks, self._disk)
            self._disk = done.state
            if done.changed and done.state.space is not None:
                level = done.state.level.name.lower()
                _log.warning("disk", level=level, space=describe_space(done.state.space))
                for workstation in box.workstations:
                    self._redraw(workstation)
            return done.wait_ms / 1000

        return step

    def _resolve(self) -> float:
        resolve_attempts(self.box)
        return RESOLVE_EVERY_S

    def _taking_in(self, intake: Intake) -> Callable[[], float]:
        def step() -> float:
            room, box = not refuses(self._disk.level, Use.IMPORT), self.box
            with self._importing:
                done = take_intake(box.store, box.clock, box.rules.zone, intake, room, self._shelf)
            if done is None:
                return INTAKE_EVERY_S
            name, report = done
            _log.info("intake", file=name, taken=report.taken, lines=list(report.lines[-5:]))
            return 0.0

        return step

    def _take_snapshots(self) -> float:
        room = not refuses(self._disk.level, Use.IMPORT)
        with self._importing:
            step = take_snapshots(self._shelf, self._snapshots, self._fetching, room)
        self._fetching = step.cursor
        for word in step.news:
            _log.info("snapshot", news=word)
            self._publisher.wake()
        return step.wait_ms / 1000

    def _reset_idle(self) -> float:
        for workstation in self.box.workstations:
            try:
                reset_idle(self.box, workstation)
            except EdgeError as error:
                # One workstation's contradiction must not keep the others' screens.
                _log.error("cannot go back to the start", workstation=workstation, why=str(error))
        return IDLE_EVERY_S

    def _ping_watchdog(self) -> float:
        stuck = self._supervisor.stuck()
        depth = self.box.store.read(lambda unit: unit.outbox.depth())
        self._desk.note_depth(depth.count)
        if stuck:
            _log.error("workers are stuck", workers=list(stuck))
        else:
            self._watchdog.alive(f"{depth.count} events wait for HQ")
        return min(self._watchdog.ping_s or 5.0, 5.0)


def _printing(box: Box, place: str) -> Callable[[], float]:
    def step() -> float:
        state = print_next(box, place)
        if state is None:
            box.printers[place].printer_status()
            return PRINT_LOOK_S
        return PRINT_RETRY_S if state is PrintState.QUEUED else 0.0

    return step
