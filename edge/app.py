"""The composition root: the only file that knows every adapter.

From a configuration to a running service and back: `Service(config).start()`, `.stop()`.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import structlog

from devices.types import DeviceStatus, Scan
from edge.clock import SystemClock
from edge.codes.reading import CodeRules, code_rules
from edge.codes.scale_label import CHINA_LAYOUTS
from edge.config import (
    Config,
    PrinterConfig,
    ScannerConfig,
    WeChatPayConfig,
    WorkstationConfig,
)
from edge.errors import Invalid
from edge.hq.connection import LinkSettings
from edge.hq.link import MqttLink
from edge.ids import TimeOrderedIds
from edge.members.landing import LandingPage
from edge.retail.receipt import PrintState
from edge.services.box import Box, Rules, Workstation, WorkstationKind
from edge.services.events import Origin
from edge.services.ports import Clock, Gate, IdSource, PaymentGateway, Printer, Scanner
from edge.services.print_receipt import print_next
from edge.services.publish_events import PublishCursor, publish_events
from edge.services.receive_scan import receive_scan
from edge.services.records import Unit
from edge.services.recover import recover
from edge.services.reset_idle import reset_idle
from edge.services.resolve_attempts import resolve_attempts
from edge.services.staff import StaffBook, StaffMember
from edge.services.take_payment import submit
from edge.store.sqlite_store import SqliteStore
from edge.watchdog import Watchdog
from edge.web.changes import Changes
from edge.web.desk import Json, WebSettings
from edge.web.factory import create_web
from edge.web.service_desk import Insight, ServiceDesk
from edge.web.serving import WebServer
from edge.workers import Supervisor, Worker

VERSION = "0.1.0"

#: Charges that may wait for a free payment worker, and how many go on at once.
MAX_CHARGES = 64
PAYMENT_WORKERS = 4

#: Pauses of the workers that look for something to do, in seconds.
SCAN_TURN_S = 0.5
RESOLVE_EVERY_S = 1.0
IDLE_EVERY_S = 1.0
PRINT_RETRY_S = 3.0
PRINT_LOOK_S = 30.0

_log = structlog.get_logger("app")


@dataclass(frozen=True, slots=True)
class Devices:
    """The opened drivers. scanners, printers: with the workstation they belong to."""

    scanners: tuple[tuple[str, Scanner], ...] = ()
    printers: Mapping[str, Printer] = field(default_factory=dict)
    gates: tuple[Gate, ...] = ()

    def statuses(self) -> Sequence[tuple[str, str, DeviceStatus]]:
        """Return (workstation, role, status) of every device."""
        scanners = [(place, "scanner", scanner.status()) for place, scanner in self.scanners]
        printers = [(place, "printer", printer.status()) for place, printer in self.printers.items()]
        return [*scanners, *printers, *(("", "gate", gate.status()) for gate in self.gates)]

    def close(self) -> None:
        """Release every device."""
        for _, scanner in self.scanners:
            scanner.close()
        for printer in self.printers.values():
            printer.close()
        for gate in self.gates:
            gate.close()


class Service:
    """The running service of one box."""

    def __init__(self, config: Config) -> None:
        """Open store, devices and web port; raise Invalid or Corrupt when the box cannot work so."""
        self.config = config
        config.box.data_dir.mkdir(parents=True, exist_ok=True)
        self.clock = SystemClock()
        self.store = SqliteStore(config.box.data_dir / "edge.db", self.clock.now().wall_at)
        ids = TimeOrderedIds(lambda: self.clock.now().wall_at)
        self.devices = build_devices(config)
        self.changes = Changes()
        self.link = build_link(config, self.clock)
        self.box = Box(
            origin=Origin(config.box.site, config.box.edge),
            clock=self.clock,
            ids=ids,
            store=self.store,
            link=self.link,
            gateways=build_gateways(config, self.clock, ids),
            printers=self.devices.printers,
            workstations={one.name: _workstation(one) for one in config.workstation},
            rules=build_rules(config),
            changed=self._changed,
        )
        self._charges: queue.Queue[tuple[str, str]] = queue.Queue(MAX_CHARGES)
        self._cursor = PublishCursor()
        self._printer_workers: dict[str, Worker] = {}
        self._publisher = Worker("publish", self._publish, wake=self.link.wake)
        self._supervisor = Supervisor(self._workers())
        self._watchdog = Watchdog()
        self.web = WebServer(create_web(self._desk(), _web_settings(config)), _web_settings(config))

    def start(self) -> None:
        """Look at what the last stop left, begin all work, and say that the service is ready."""
        found = recover(self.box)
        put_landings(self.box, self.config)
        self.link.start()
        self._supervisor.start()
        self.web.start()
        self._watchdog.ready()
        _log.info(
            "ready",
            port=self.web.port,
            open_payments=found.attempts,
            half_printed=found.papers,
            workstations=list(self.box.workstations),
        )

    def stop(self) -> None:
        """End all work in order: no new requests, finish steps, close wires, close the store."""
        self._watchdog.stopping()
        self.changes.close()
        self.web.close()
        for worker in self._supervisor.workers:
            worker.stop()
        self.devices.close()
        late = self._supervisor.stop()
        self.link.close()
        self.store.close()
        _log.info("stopped", late=list(late))

    def take_scan(self, workstation: str, scan: Scan) -> None:
        """Take one scan; a payment code goes on to a payment worker."""
        outcome = receive_scan(self.box, workstation, scan)
        _log.info("scan", workstation=workstation, device=scan.device, outcome=outcome.outcome)
        if outcome.attempt_id:
            # Full only when every worker hangs in a gateway call: the attempt is then voided as never sent.
            try:
                self._charges.put_nowait((outcome.attempt_id, outcome.code))
            except queue.Full:
                _log.error("too many charges wait", attempt=outcome.attempt_id)

    def _desk(self) -> ServiceDesk:
        members = [StaffMember(one.name, one.role, one.pin_hash) for one in self.config.staff]
        insight = Insight(
            devices=self.devices.statuses,
            workers=self._worker_states,
            stuck=self._supervisor.stuck,
            version=VERSION,
        )
        return ServiceDesk(self.box, StaffBook(members, self.clock), self.changes, insight, self.take_scan)

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

    def _changed(self, workstation: str) -> None:
        self.changes.bump(workstation)
        self._publisher.wake()
        printer = self._printer_workers.get(workstation)
        if printer is not None:
            printer.wake()

    def _workers(self) -> list[Worker]:
        for place in self.devices.printers:
            self._printer_workers[place] = Worker(f"print-{place}", _printing(self.box, place), 180.0)
        scanning = [
            Worker(f"scan-{scanner.name}", self._scanning(place, scanner))
            for place, scanner in self.devices.scanners
        ]
        paying = [Worker(f"pay-{index}", self._pay) for index in range(PAYMENT_WORKERS)]
        return [
            *scanning,
            *paying,
            *self._printer_workers.values(),
            self._publisher,
            Worker("resolve", self._resolve, 120.0),
            Worker("idle", self._reset_idle),
            Worker("watchdog", self._ping_watchdog),
        ]

    def _scanning(self, place: str, scanner: Scanner) -> Callable[[], float]:
        def step() -> float:
            scan = scanner.read(SCAN_TURN_S)
            if scan is not None:
                self.take_scan(place, scan)
            return 0.0

        return step

    def _pay(self) -> float:
        try:
            attempt_id, code = self._charges.get(timeout=1.0)
        except queue.Empty:
            return 0.0
        state = submit(self.box, attempt_id, code)
        _log.info("payment", attempt=attempt_id, state=state.value)
        return 0.0

    def _publish(self) -> float:
        step = publish_events(self.store, self.link, self.clock, self._cursor)
        self._cursor = step.cursor
        if step.unfillable:
            _log.error("HQ misses events that it acknowledged before", sequences=list(step.unfillable))
        return step.wait_ms / 1000

    def _resolve(self) -> float:
        resolve_attempts(self.box)
        return RESOLVE_EVERY_S

    def _reset_idle(self) -> float:
        for workstation in self.box.workstations:
            reset_idle(self.box, workstation)
        return IDLE_EVERY_S

    def _ping_watchdog(self) -> float:
        stuck = self._supervisor.stuck()
        depth = self.store.read(lambda unit: unit.outbox.depth())
        if stuck:
            _log.error("workers are stuck", workers=list(stuck))
        else:
            self._watchdog.alive(f"{depth.count} events wait for HQ")
        return min(self._watchdog.ping_s or 5.0, 5.0)


def build_rules(config: Config) -> Rules:
    """Return the use cases' rules; raise Invalid for a time zone or label layout that is none."""
    try:
        zone = ZoneInfo(config.box.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise Invalid(
            f"box.time_zone {config.box.time_zone!r} is none; write it like Asia/Shanghai"
        ) from None
    rules = config.rules
    return Rules(
        zone=zone,
        day_starts_h=config.box.day_starts_h,
        repeat_window_ms=rules.repeat_window_ms,
        stale_scan_ms=rules.stale_scan_ms,
        idle_ms=rules.idle_ms,
        paid_idle_ms=rules.paid_idle_ms,
        pay_deadline_ms=rules.pay_deadline_ms,
        poll_ms=rules.poll_ms,
        reverse_age_ms=rules.reverse_age_ms,
        public_url=config.box.public_url,
        shop_name=config.box.shop_name,
        codes=build_code_rules(config),
        wallets={"wechat": "wechat_pay"},
    )


def build_code_rules(config: Config | None) -> CodeRules:
    """Return how scanned strings are read; without a configuration, the usual way."""
    year = int(SystemClock().now().wall_at / 31_556_952_000) + 1970
    if config is None:
        return code_rules(year=year)
    codes = config.codes
    return code_rules(
        codes.scale_layouts or CHINA_LAYOUTS,
        public_hosts=codes.public_hosts,
        itf_lengths=codes.itf_lengths,
        year=year,
    )


def build_devices(config: Config) -> Devices:
    """Return drivers for every configured device; none of them is opened yet."""
    return Devices(
        scanners=tuple((one.workstation, build_scanner(one)) for one in config.scanner),
        printers={one.workstation: build_printer(one, config.box.data_dir) for one in config.printer},
        gates=tuple(build_gate(one) for one in config.gate),
    )


def build_scanner(config: ScannerConfig) -> Scanner:
    """Return the driver of one scanner."""
    if config.kind == "hid":
        return _hid_scanner(config)
    if config.kind == "camera":
        return _camera_scanner(config)
    from devices.scanner.codec import Framing, Terminator
    from devices.scanner.serial_driver import SerialScanner
    from devices.transport import SerialSettings

    terminators = frozenset(Terminator(one) for one in config.terminators) or None
    try:
        framing = Framing(terminators, config.prefix.encode(), config.framing_idle_ms)
    except ValueError as error:
        raise Invalid(f"scanner {config.name}: {error}") from error
    return SerialScanner(config.name, SerialSettings(config.port, config.baud), framing)


def build_printer(config: PrinterConfig, data_dir: Path) -> Printer:
    """Return the driver of one printer."""
    from devices.printer.driver import EscPosPrinter, PrinterLimits
    from devices.printer.journal import JobJournal
    from devices.printer.link import Address, SerialAddress, TcpAddress, UsbAddress
    from devices.printer.profile import Chinese, PrinterProfile

    address: Address
    if config.kind == "tcp":
        host, _, port = config.port.rpartition(":")
        if not (host and port.isascii() and port.isdigit()):
            raise Invalid(
                f"printer {config.name}: port {config.port!r} must be host:port, like 10.0.0.9:9100"
            )
        address = TcpAddress(host, int(port))
    elif config.kind == "usb":
        address = UsbAddress(config.port)
    else:
        address = SerialAddress(config.port, config.baud)
    dots = 384 if config.width == 32 else 576
    dots -= dots % config.width
    profile = PrinterProfile(width=config.width, dots=dots, chinese=Chinese(config.chinese))
    limits = PrinterLimits(job_s=config.job_timeout_s)
    return EscPosPrinter(config.name, address, profile, limits, JobJournal(data_dir / f"{config.name}.jobs"))


def build_gateways(config: Config, clock: Clock, ids: IdSource) -> dict[str, PaymentGateway]:
    """Return the payment gateways by name."""
    if config.wechat_pay is None:
        return {}
    return {"wechat_pay": _wechat_pay(config.wechat_pay, clock, ids)}


def build_link(config: Config, clock: Clock) -> MqttLink:
    """Return the wire to HQ, not connected yet."""
    origin = Origin(config.box.site, config.box.edge)
    return MqttLink(
        LinkSettings(host=config.hq.host, port=config.hq.port, window=config.hq.window), origin, clock
    )


def put_landings(box: Box, config: Config) -> None:
    """Write the configured pages after payment."""

    def work(unit: Unit) -> None:
        for page in config.landing:
            landing_id = page.tenant or "mall"
            unit.landings.put(
                LandingPage(landing_id, page.tenant, page.title, page.title_en, page.picture, page.block)
            )

    box.store.write(work)


def _printing(box: Box, place: str) -> Callable[[], float]:
    def step() -> float:
        state = print_next(box, place)
        if state is None:
            return PRINT_LOOK_S
        return PRINT_RETRY_S if state is PrintState.QUEUED else 0.0

    return step


def _wechat_pay(config: WeChatPayConfig, clock: Clock, ids: IdSource) -> PaymentGateway:
    from edge.gateways.wechat_pay.client import WeChatPayGateway
    from edge.gateways.wechat_pay.settings import (
        WeChatPaySettings,
        load_merchant_serial,
        load_private_key,
        load_verifiers,
    )

    settings = WeChatPaySettings(
        appid=config.appid,
        mchid=config.mchid,
        merchant_serial=load_merchant_serial(config.certificate_file),
        private_key=load_private_key(config.private_key_file),
        verifiers=load_verifiers(config.platform_keys),
        store_id=config.store_id,
        device_ip=config.device_ip,
        base_url=config.base_url,
        backup_url=config.backup_url,
        codepay_read_s=config.codepay_read_s,
    )
    return WeChatPayGateway(settings, clock, ids)


def _workstation(config: WorkstationConfig) -> Workstation:
    return Workstation(config.name, WorkstationKind(config.kind), config.language, config.cash)


def _web_settings(config: Config) -> WebSettings:
    web = config.web
    return WebSettings(
        host=web.host,
        port=web.port,
        threads=web.threads,
        max_streams=web.max_streams,
        trusted_networks=web.trusted_networks,
        secure_cookies=web.secure_cookies,
        pictures=web.pictures,
        shop_name=config.box.shop_name,
        shop_name_en=config.box.shop_name_en,
        sound=web.sound,
    )
