"""The running service: duties over the use cases, the pages, and a start and stop in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Protocol

import structlog

from devices.types import DeviceStatus
from edge.duties.checking_pages import CheckingPages
from edge.duties.clearing_screens import ClearingScreens
from edge.duties.ending_days import EndingDays
from edge.duties.ending_validations import EndingValidations
from edge.duties.expiring_tickets import ExpiringTickets
from edge.duties.guiding import Guiding
from edge.duties.keeping_carts import KeepingCarts
from edge.duties.keeping_members import KeepingMembers
from edge.duties.lanes import Lanes
from edge.duties.obeying import Obeying
from edge.duties.paying import Paying
from edge.duties.printing import Printing
from edge.duties.publishing import Publishing
from edge.duties.reconciling import Reconciling
from edge.duties.refunding import Refunding
from edge.duties.renewing_keys import KeyRenewer, RenewingKeys
from edge.duties.scanning import Scanning
from edge.duties.serving_phones import ServingPhones
from edge.duties.sharing import Sharing
from edge.duties.showing_spaces import ShowingSpaces
from edge.duties.taking_in import TakingIn
from edge.duties.watching_cameras import CameraParts, WatchingCameras
from edge.duties.watching_clock import WatchingClock
from edge.duties.watching_devices import WatchingDevices
from edge.duties.watching_disk import WatchingDisk
from edge.errors import Unavailable
from edge.hq.commands import CommandDesk
from edge.hq.link import MqttLink
from edge.hq.requests import RequestDesk
from edge.hq.snapshots import SnapshotDesk
from edge.hq.topics import Topics
from edge.members.landing import LandingPage
from edge.services.box import Box
from edge.services.circle_points import PointsCircle
from edge.services.events import Data
from edge.services.import_tariffs import tariff_wishes
from edge.services.lane_ticket import exit_of
from edge.services.lane_wishes import lane_wishes
from edge.services.money_wishes import money_wishes
from edge.services.obey_command import Means
from edge.services.payment_ports import BillSource, CallbackReader
from edge.services.ports import Disk, Display, Gate, Printer, Scanner, SpaceBoard
from edge.services.records import Unit
from edge.services.recover import recover
from edge.services.see_loop import see_loop
from edge.services.see_plate import see_plate
from edge.services.snapshot_records import SnapshotState
from edge.services.staff import StaffBook
from edge.services.take_intake import Intake
from edge.services.take_snapshot import snapshot_figures
from edge.services.watch_clock import ALARM_AFTER_H
from edge.services.watch_disk import DiskMarks, Use
from edge.store.bundle_folder import BundleFolder
from edge.store.sqlite_store import SqliteStore
from edge.watchdog import Watchdog
from edge.web import counter, notify
from edge.web.api import stays, tickets
from edge.web.changes import Changes
from edge.web.desk import Json, WebSettings
from edge.web.factory import create_web
from edge.web.phone import api as phone_api
from edge.web.phone import go, kiosk_page, me, parking, pay, shop, ticket, way_out
from edge.web.service_desk import ServiceDesk
from edge.web.serving import WebServer
from edge.web.staff.pages import box_pages
from edge.web.staff_status import Insight
from edge.web.support_bundle import bundle_files
from edge.workers import Supervisor, Worker

VERSION = "0.1.0"

_log = structlog.get_logger("service")


class Closable(Protocol):
    """What can be released."""

    def close(self) -> None:
        """Release it."""


class Agent(Closable, Protocol):
    """A link to an agent beside a lane."""

    def start(self) -> None:
        """Connect in the background."""


@dataclass(frozen=True, slots=True)
class Devices:
    """The opened drivers. scanners, printers: by the workstation they belong to. space_boards: by zone.

    agents: links to those who have some of these devices. lines: shared wires.
    """

    scanners: tuple[tuple[str, Scanner], ...] = ()
    printers: Mapping[str, Printer] = field(default_factory=dict)
    gates: tuple[Gate, ...] = ()
    displays: tuple[Display, ...] = ()
    space_boards: Mapping[str, SpaceBoard] = field(default_factory=dict)
    agents: tuple[Agent, ...] = ()
    lines: tuple[Closable, ...] = ()

    def start(self) -> None:
        """Connect to the agents that have some of the devices."""
        for agent in self.agents:
            agent.start()

    def statuses(self) -> Sequence[tuple[str, str, DeviceStatus]]:
        """Return (workstation, role, status) of every device."""
        scanners = [(place, "scanner", scanner.status()) for place, scanner in self.scanners]
        printers = [(place, "printer", printer.status()) for place, printer in self.printers.items()]
        gates = [("", "gate", gate.status()) for gate in self.gates]
        displays = [("", "display", display.status()) for display in self.displays]
        boards = [("", "space board", board.status()) for board in self.space_boards.values()]
        return [*scanners, *printers, *gates, *displays, *boards]

    def close(self) -> None:
        """Release every device."""
        drivers: tuple[Closable, ...] = (
            *(scanner for _, scanner in self.scanners),
            *self.printers.values(),
            *self.gates,
            *self.displays,
            *self.space_boards.values(),
            *self.agents,
            *self.lines,
        )
        for driver in drivers:
            driver.close()


@dataclass(frozen=True, slots=True)
class Parts:
    """What the composition root hands over: opened adapters that the service runs and closes.

    bundles: where support bundles go, None refuses them. config_text: what they say of the configuration.
    bills_from_minute: of the day, from which yesterday's bills are compared. clock_alarm_h: hours without a
    time source until the alarm. renewers: gateways whose keys are fetched. cameras: those at lanes that
    recognise plates. circle: who is told of points, None nobody.
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
    bills: tuple[BillSource, ...] = ()
    bills_from_minute: int = 630
    clock_alarm_h: int = ALARM_AFTER_H
    renewers: tuple[KeyRenewer, ...] = ()
    callbacks: Mapping[str, CallbackReader] = field(default_factory=dict)
    cameras: CameraParts | None = None
    circle: PointsCircle | None = None


class Service:
    """The running service of one box."""

    def __init__(self, parts: Parts) -> None:
        """Take the adapters over and listen on the web port; nothing runs before `start`."""
        self._parts = parts
        self.changes = Changes()
        self.box = replace(parts.box, changed=self._changed, closed=self._closed, wake_lane=self._wake_lane)
        self._take_up_duties()
        self._supervisor = Supervisor(self._workers())
        #: Set when HQ wants this process to end and be started anew, and when the database turns out damaged.
        self.ended = self._obeying.ended
        parts.store.when_damaged(self.ended.set)
        parts.store.reserve.when_given_up(self._disk.wake)
        self._watchdog = Watchdog()
        self._desk = self._make_desk()
        pages = box_pages(
            self.box,
            parts.web,
            self._taking_in.return_snapshot,
            parts.staff,
            self._reconciling.ask,
            parts.cameras.photos if parts.cameras else None,
            self._statuses,
        )
        cameras = self._cameras.desk if self._cameras else None
        apart = (
            parking.blueprint(self.box, parts.web),
            go.blueprint(self.box, parts.web),
            phone_api.blueprint(self.box, parts.web),
            pay.blueprint(self.box, parts.web),
            shop.blueprint(self.box, parts.web),
            kiosk_page.blueprint(self.box, parts.web),
            way_out.blueprint(self.box, parts.web),
            me.blueprint(self.box, parts.web),
            stays.blueprint(self.box, parts.web, parts.cameras.photos if parts.cameras else None),
            tickets.blueprint(self.box),
            ticket.blueprint(self.box, parts.web),
            counter.blueprint(self.box, parts.web, parts.staff, self.changes, self.scanning.take_scan),
            notify.blueprint(self.box, parts.callbacks),
        )
        app = create_web(self._desk, parts.web, pages, cameras, apart)
        self.web = WebServer(app, parts.web)
        topics = Topics(parts.box.origin)
        self._relayed = RequestDesk(app, topics, parts.link.say, parts.box.clock)
        if parts.relay:
            parts.link.listen(topics.requests, self._relayed.take)

    def start(self) -> None:
        """Look at what the last stop left, begin all work, and say that the service is ready."""
        found = recover(self.box)
        cut_off, doubtful = self._obeying.begin(), self._lanes.begin()
        self._put_landings()
        self._relayed.start()
        self._parts.link.start()
        self._parts.devices.start()
        self._supervisor.start()
        self.web.start()
        self._watchdog.ready()
        _log.info(
            "ready",
            port=self.web.port,
            open_payments=found.attempts,
            half_printed=found.papers,
            cut_off_commands=cut_off,
            doubtful_openings=doubtful,
            frozen=self._obeying.frozen,
            workstations=list(self.box.workstations),
        )

    def stop(self) -> None:
        """End all work in order: no new requests, finish steps, close wires, close the store."""
        self._watchdog.stopping()
        self.changes.close()
        self._pages.close()
        if self._cameras is not None:
            self._cameras.close()
        self.web.close()
        self._relayed.close()
        for worker in self._supervisor.workers:
            worker.stop()
        self._parts.devices.close()
        late = self._supervisor.stop()
        self._parts.link.close()
        for gateway in self.box.gateways.values():
            gateway.close()
        if self.box.mini_program is not None:
            self.box.mini_program.close()
        self._parts.store.close()
        _log.info("stopped", late=list(late))

    def _take_up_duties(self) -> None:
        parts, topics = self._parts, Topics(self._parts.box.origin)
        redraw = self._redraw
        self._disk = WatchingDisk(self.box, parts.disk, parts.marks, redraw)
        self._pages = CheckingPages(parts.store)
        self._publishing = Publishing(self.box, parts.link.wake)
        self._cameras = None if parts.cameras is None else self._watch_cameras(parts.cameras)
        self._paying = Paying(self.box)
        self._refunding = Refunding(self.box)
        self._sharing = Sharing(self.box)
        self.scanning = Scanning(self.box, parts.devices.scanners, self._paying.charge, redraw)
        # A printer's own news must not wake it: without paper it would try again for ever without a pause.
        self._printing = Printing(replace(self.box, changed=redraw))
        snapshots = SnapshotDesk(topics, parts.link.say)
        for wanted in (topics.manifests, topics.chunks):
            parts.link.listen(wanted, snapshots.hear)
        self._reconciling = Reconciling(self.box, parts.bills, parts.bills_from_minute)
        self._taking_in = TakingIn(
            self.box,
            parts.intake,
            snapshots,
            lambda: not self._disk.refuses(Use.IMPORT),
            self._publishing.wake,
            {
                **money_wishes(self.box, parts.bills),
                **tariff_wishes(self.box.store, self.box.rules.zone),
                **lane_wishes(self.box),
            },
        )
        self._commands = CommandDesk(topics, parts.link.say)
        parts.link.listen(topics.commands, self._commands.take)
        gates = {gate.name: gate for gate in parts.devices.gates}
        displays = {one.name: one for one in parts.devices.displays}
        self._lanes = Lanes(self.box, gates, displays, self._tell_loops)
        means = Means(self._make_bundle, self._lanes.remote_gates(gates))
        self._obeying = Obeying(self.box, self._commands, means, redraw, self._publishing.wake)

    def _watch_cameras(self, parts: CameraParts) -> WatchingCameras:
        return WatchingCameras(
            self.box,
            parts,
            see_plate,
            lambda lane, seen: see_loop(self.box, lane, seen.loop, seen.occupied),
            lambda: not self._disk.refuses(Use.PICTURE),
        )

    def _tell_loops(self, lane: str, occupied: bool | None) -> None:
        if self._cameras is not None:
            self._cameras.hear_loops(lane, occupied)

    def _workers(self) -> list[Worker]:
        duties = (
            self.scanning,
            self._disk,
            WatchingClock(self.box, self._parts.clock_alarm_h),
            WatchingDevices(self.box, self._statuses, self._redraw),
            self._paying,
            self._refunding,
            self._sharing,
            self._printing,
            self._publishing,
            self._obeying,
            self._taking_in,
            self._reconciling,
            self._lanes,
            self._pages,
            ShowingSpaces(self.box, self._parts.devices.space_boards),
            ClearingScreens(self.box),
            EndingDays(self.box),
            EndingValidations(self.box),
            ExpiringTickets(self.box),
            Guiding(self.box),
            KeepingMembers(self.box, self._parts.circle),
            KeepingCarts(self.box),
            RenewingKeys(self._parts.renewers),
            ServingPhones(self.box),
        )
        workers = [worker for duty in duties for worker in duty.workers()]
        if self._cameras is not None:
            workers += self._cameras.workers()
        return [*workers, Worker("watchdog", self._ping_watchdog)]

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
            disk=self._disk.word,
            figures=self._link_figures,
        )
        return ServiceDesk(self.box, self._parts.staff, self.changes, insight, self.scanning.take_scan)

    def _link_figures(self) -> Mapping[str, float]:
        link, relay = asdict(self._parts.link.counts()), asdict(self._relayed.counts())
        figures = {f"hq_{name}_total": float(value) for name, value in link.items()}
        figures |= {f"relay_{name}_total": float(value) for name, value in relay.items()}
        figures["relay_waiting"] = float(self._relayed.waiting())
        figures |= self.box.store.read(snapshot_figures)
        commands = asdict(self._commands.counts())
        figures |= {f"commands_{name}_total": float(value) for name, value in commands.items()}
        if self._cameras is not None:
            figures |= self._cameras.figures()
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

    def _statuses(self) -> Sequence[tuple[str, str, DeviceStatus]]:
        statuses = self.scanning.statuses(self._parts.devices.statuses())
        return statuses if self._cameras is None else [*statuses, *self._cameras.statuses()]

    def _redraw(self, workstation: str) -> None:
        self.changes.bump(workstation)

    def _changed(self, workstation: str) -> None:
        self._redraw(workstation)
        self._publishing.wake()
        self._printing.wake(workstation)
        lane = exit_of(self.box, workstation)
        if lane is not None:
            # Its display tells how the payment goes.
            self._lanes.wake(lane.name)

    def _wake_lane(self, lane: str) -> None:
        self._lanes.wake(lane)
        self._publishing.wake()

    def _closed(self) -> str:
        """Say why no new sale is begun, "" while sales are open."""
        if self._disk.refuses(Use.SALE):
            return "disk_full"
        return "frozen" if self._obeying.frozen else ""

    def _make_bundle(self, command_id: str) -> Data:
        folder = self._parts.bundles
        if folder is None or self._disk.refuses(Use.PICTURE):
            raise Unavailable("the disk has no room for one")
        files = bundle_files(self.box, self._desk.status(), self._parts.config_text)
        bundle = folder.put(command_id, files)
        return {"file": bundle.path.name, "bytes": bundle.size, "sha256": bundle.digest}

    def _ping_watchdog(self) -> float:
        stuck = self._supervisor.stuck()
        depth = self.box.store.read(lambda unit: unit.outbox.depth())
        self._desk.note_depth(depth.count)
        if stuck:
            _log.error("workers are stuck", workers=list(stuck))
        else:
            self._watchdog.alive(f"{depth.count} events wait for HQ")
        return min(self._watchdog.ping_s or 5.0, 5.0)
