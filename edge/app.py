"""The composition root: the only file that knows every adapter; from a configuration to a service.

Drivers are imported only when one of their kind is configured: OpenCV alone is 40 MB.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from edge.clock import SystemClock, wall_ms
from edge.codes.house import DEFAULT_FORMS
from edge.codes.reading import CodeRules, code_rules
from edge.codes.scale_label import CHINA_LAYOUTS
from edge.config import (
    Config,
    DisplayConfig,
    GateConfig,
    HqConfig,
    PrinterConfig,
    ScannerConfig,
    WeChatPayConfig,
    WorkstationConfig,
    effective,
    secret_file,
)
from edge.errors import Invalid
from edge.hq.connection import LinkSettings
from edge.hq.link import MqttLink
from edge.hq.sessions import SessionNumbers
from edge.hq.tls import TlsFiles, TlsSettings
from edge.ids import TimeOrderedIds
from edge.members.landing import LandingPage
from edge.service import Devices, Parts, Service
from edge.services.box import Box, Rules, Workstation, WorkstationKind
from edge.services.events import Origin
from edge.services.payment_ports import PaymentGateway
from edge.services.ports import Clock, Display, Gate, IdSource, Printer, Scanner
from edge.services.staff import StaffBook, StaffMember
from edge.services.watch_disk import DiskMarks
from edge.store.bundle_folder import BundleFolder
from edge.store.disk import DataDisk
from edge.store.intake_folder import IntakeFolder
from edge.store.sqlite_store import SqliteStore
from edge.web.desk import WebSettings

if TYPE_CHECKING:
    from devices.printer.profile import PrinterProfile
    from devices.rs485 import Rs485Bus

DATABASE = "edge.db"

#: The last session number at the broker.
SESSIONS = "hq-session"

INCOMING = "incoming"
BUNDLES = "bundles"

#: Printable dots of the usual printers by characters on a line.
_DOTS = {32: 384, 42: 504, 48: 576}


def build_service(config: Config) -> Service:
    """Return the service of one box with every adapter opened; raise Invalid or Corrupt when it cannot be."""
    clock = SystemClock()
    ids = TimeOrderedIds(wall_ms)
    rules, devices, link = build_rules(config), build_devices(config), build_link(config, clock)
    try:
        config.box.data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Invalid(f"box.data_dir {config.box.data_dir} cannot be made: {error.strerror}") from None
    marks = build_marks(config)
    store = SqliteStore(config.box.data_dir / DATABASE, clock.now().wall_at, marks.reserve_bytes)
    newest = store.newest_id()
    if newest is not None:
        ids.continue_after(newest)
    box = Box(
        origin=Origin(config.box.site, config.box.edge),
        clock=clock,
        ids=ids,
        store=store,
        link=link,
        gateways=build_gateways(config, clock, ids),
        printers=devices.printers,
        workstations={one.name: _workstation(one) for one in config.workstation},
        rules=rules,
    )
    staff = StaffBook([StaffMember(one.name, one.role, one.pin_hash) for one in config.staff], clock)
    intake = IntakeFolder(config.box.data_dir / INCOMING)
    web, landings = web_settings(config), landing_pages(config)
    disk = DataDisk(config.box.data_dir, store)
    return Service(
        Parts(
            box,
            store,
            link,
            devices,
            staff,
            web,
            landings,
            intake,
            disk,
            marks,
            relay=config.hq.relay,
            bundles=BundleFolder(config.box.data_dir / BUNDLES),
            config_text=effective(config),
        )
    )


def landing_pages(config: Config) -> tuple[LandingPage, ...]:
    """Return the configured pages after payment."""
    return tuple(
        LandingPage(page.tenant or "mall", page.tenant, page.title, page.title_en, page.picture, page.block)
        for page in config.landing
    )


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
        house_forms=codes.house_forms or DEFAULT_FORMS,
        year=year,
    )


def build_devices(config: Config) -> Devices:
    """Return drivers for every configured device; none of them is opened yet."""
    buses = Buses()
    return Devices(
        scanners=tuple((one.workstation, build_scanner(one)) for one in config.scanner),
        printers={one.workstation: build_printer(one, config.box.data_dir) for one in config.printer},
        gates=tuple(build_gate(one, buses) for one in config.gate),
        displays=tuple(build_display(one, buses) for one in config.display),
        lines=tuple(buses.opened.values()),
    )


def build_scanner(config: ScannerConfig) -> Scanner:
    """Return the driver of one scanner."""
    if config.kind == "hid":
        return _hid_scanner(config)
    if config.kind == "camera":
        return _camera_scanner(config)
    return _serial_scanner(config)


def _serial_scanner(config: ScannerConfig) -> Scanner:
    from devices.scanner.codec import Framing, Terminator
    from devices.scanner.serial_driver import SerialScanner
    from devices.transport import SerialSettings

    terminators = frozenset(Terminator(one) for one in config.terminators) or None
    try:
        framing = Framing(
            terminators,
            config.prefix.encode(),
            config.framing_idle_ms,
            max_length=config.max_length,
            aim_ids=config.aim_ids,
        )
        settings = SerialSettings(config.port, config.baud)
    except ValueError as error:
        raise Invalid(f"scanner {config.name}: {error}") from error
    return SerialScanner(config.name, settings, framing)


def _hid_scanner(config: ScannerConfig) -> Scanner:
    from devices.scanner.hid_driver import Adoption, HidScanner

    try:
        vendor, product = (int(one, 16) if one else None for one in (config.vendor, config.product))
        adoption = Adoption(config.port, vendor, product, config.serial, config.phys)
    except ValueError as error:
        raise Invalid(f"scanner {config.name}: {error}") from error
    return HidScanner(config.name, adoption)


def _camera_scanner(config: ScannerConfig) -> Scanner:
    from devices.camera.agreement import AgreementSettings
    from devices.camera.barcodes import BarcodeReader
    from devices.camera.driver import OpenCvCamera
    from devices.camera.scanner import CameraScanner

    try:
        agreement = AgreementSettings(config.frames_needed, config.frames_window, config.gone_ms)
    except ValueError as error:
        raise Invalid(f"scanner {config.name}: {error}") from error
    camera = OpenCvCamera(config.name, config.port)
    return CameraScanner(config.name, camera, BarcodeReader(), agreement)


def build_printer(config: PrinterConfig, data_dir: Path) -> Printer:
    """Return the driver of one printer."""
    from devices.printer.driver import EscPosPrinter, PrinterLimits
    from devices.printer.journal import JobJournal
    from devices.printer.link import Address, SerialAddress, TcpAddress, UsbAddress

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
        address = SerialAddress(config.port, config.baud, config.rtscts, config.xonxoff)
    limits = PrinterLimits(job_s=config.job_timeout_s)
    return EscPosPrinter(
        config.name, address, printer_profile(config), limits, JobJournal(data_dir / f"{config.name}.jobs")
    )


def build_gate(config: GateConfig, buses: Buses) -> Gate:
    """Return the driver of one boom gate; devices on one RS-485 line share its bus."""
    from devices.gate.driver import BoardFamily, BoardSettings, InputMap, RelayGate

    inputs = InputMap(config.boom_up, config.boom_down, config.loops, frozenset(config.inverted))
    _check_inputs(config)
    try:
        board = BoardSettings(
            BoardFamily(config.family),
            config.address,
            config.relay,
            config.pulse_s,
            config.timeout_s,
            inputs,
        )
    except ValueError as error:
        raise Invalid(f"gate {config.name}: {error}") from error
    return RelayGate(config.name, buses.on(config.port, config.baud, config.local_echo), board)


def _check_inputs(config: GateConfig) -> None:
    """Raise Invalid for inputs that no board numbers so, or that are inverted without being wired."""
    wired = [
        *config.loops,
        *(number for number in (config.boom_up, config.boom_down) if number is not None),
    ]
    if any(number < 0 for number in wired):
        raise Invalid(f"gate {config.name}: inputs are counted from 0, got {min(wired)}")
    stray = sorted(set(config.inverted) - set(wired))
    if stray:
        raise Invalid(
            f"gate {config.name}: input {stray[0]} is inverted but neither boom_up, boom_down nor a loop"
        )
    if not 0.05 <= config.timeout_s <= 5:
        raise Invalid(f"gate {config.name}: timeout_s is 0.05-5, got {config.timeout_s}")


def build_display(config: DisplayConfig, buses: Buses) -> Display:
    """Return the driver of one lane's text and voice board."""
    from devices.display.driver import BoardLayout, LaneBoard

    try:
        layout = BoardLayout(config.lines, config.cells)
    except ValueError as error:
        raise Invalid(f"display {config.name}: {error}") from error
    return LaneBoard(config.name, buses.on(config.port, config.baud, config.local_echo), layout)


class Buses:
    """The RS-485 lines of this box, one for each port."""

    def __init__(self) -> None:
        self.opened: dict[str, Rs485Bus] = {}
        self._habits: dict[str, tuple[int, bool]] = {}

    def on(self, port: str, baud: int, local_echo: bool = False) -> Rs485Bus:
        """Return the line on `port`; raise Invalid when two devices disagree about its speed or echo."""
        from devices.rs485 import Rs485Bus
        from devices.transport import SerialSettings

        habits = self._habits.setdefault(port, (baud, local_echo))
        if habits != (baud, local_echo):
            raise Invalid(
                f"RS-485 line {port}: its devices disagree, baud {habits[0]} local_echo {habits[1]} "
                f"and baud {baud} local_echo {local_echo}; one line has one setting"
            )
        if port not in self.opened:
            try:
                self.opened[port] = Rs485Bus(SerialSettings(port, baud), local_echo)
            except ValueError as error:
                raise Invalid(f"RS-485 line {port}: {error}") from error
        return self.opened[port]


def build_gateways(config: Config, clock: Clock, ids: IdSource) -> dict[str, PaymentGateway]:
    """Return the payment gateways by name."""
    if config.wechat_pay is None:
        return {}
    return {"wechat_pay": _wechat_pay(config.wechat_pay, clock, ids)}


def build_marks(config: Config) -> DiskMarks:
    """Return where the disk's levels begin; raise Invalid for marks out of order."""
    return DiskMarks(**asdict(config.disk))


def build_link(config: Config, clock: Clock) -> MqttLink:
    """Return the wire to HQ, not connected yet."""
    sessions = SessionNumbers(config.box.data_dir / SESSIONS)
    return MqttLink(link_settings(config.hq), Origin(config.box.site, config.box.edge), clock, sessions)


def link_settings(config: HqConfig) -> LinkSettings:
    """Return how to reach the broker; raise Invalid for what cannot work, also a password file.

    Certificate files are not opened: a bad one must not keep the shop closed, the link's status tells it.
    """
    return LinkSettings(
        host=config.host,
        port=config.port,
        username=config.username,
        password=_password(config.password_file),
        window=config.window,
        keepalive_s=config.keepalive_s,
        connect_s=config.connect_s,
        stall_s=config.stall_s,
        first_delay_s=config.first_delay_s,
        last_delay_s=config.last_delay_s,
        tls=_tls(config),
    )


def link_doubts(config: HqConfig, clock: Clock) -> list[str]:
    """Return what is doubtful about the way to HQ: certificate files, their end, or no encryption."""
    settings = link_settings(config)
    if settings.tls is None:
        return ["hq: the link is not encrypted; set hq.ca_file"] if settings.exposed else []
    files, now = TlsFiles(settings.tls), clock.now()
    files.renewed()
    own = files.own
    found = [files.problem, (own.trouble(now) or own.warning(now)) if own else ""]
    return [one for one in found if one]


def given_file(path: Path) -> Path:
    """Return the file that a configured path stands for in this process; see `secret_file`."""
    return secret_file(path, os.environ.get("CREDENTIALS_DIRECTORY"))


def read_images(paths: Sequence[Path], as_json: bool) -> Iterator[tuple[list[str], bool]]:
    """Yield (lines, whether it failed) for each picture below `paths`, through the cameras' own reader."""
    from devices.camera.barcodes import BarcodeReader
    from devices.camera.read_images import read_paths, to_json_line, to_text_lines

    for result in read_paths(paths, BarcodeReader()):
        lines = [to_json_line(result)] if as_json else to_text_lines(result)
        yield lines, result.error is not None


def _tls(config: HqConfig) -> TlsSettings | None:
    files = (config.ca_file, config.certificate_file, config.key_file)
    if not config.tls and not any(files):
        return None
    return TlsSettings(*(given_file(one) if one else None for one in files))


def _password(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        return given_file(path).read_text(encoding="utf-8").strip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"hq.password_file {path} cannot be read: {error}") from error


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
        merchant_serial=load_merchant_serial(given_file(config.certificate_file)),
        private_key=load_private_key(given_file(config.private_key_file)),
        verifiers=load_verifiers({serial: given_file(one) for serial, one in config.platform_keys.items()}),
        store_id=config.store_id,
        device_ip=config.device_ip,
        base_url=config.base_url,
        backup_url=config.backup_url,
        connect_s=config.connect_s,
        read_s=config.read_s,
        codepay_read_s=config.codepay_read_s,
    )
    return WeChatPayGateway(settings, clock, ids)


def printer_profile(config: PrinterConfig) -> PrinterProfile:
    """Return what a printer can do; raise Invalid for what no printer can."""
    from devices.printer.profile import Barrier, Chinese, Cut, PrinterProfile, Qr

    if config.font_path and not Path(config.font_path).is_file():
        raise Invalid(f"printer {config.name}: there is no font {config.font_path}")
    try:
        return PrinterProfile(
            width=config.width,
            dots=config.dots or _DOTS[config.width],
            chinese=Chinese(config.chinese),
            cut=Cut(config.cut),
            drawer_pin=config.drawer_pin,
            qr=Qr(config.qr),
            barrier=Barrier(config.barrier),
            font_path=config.font_path,
        )
    except ValueError as error:
        raise Invalid(f"printer {config.name}: {error}") from error


def _workstation(config: WorkstationConfig) -> Workstation:
    return Workstation(config.name, WorkstationKind(config.kind), config.language, config.cash)


def web_settings(config: Config) -> WebSettings:
    """Return how the pages are served; raise Invalid for settings that cannot work."""
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
        zone=config.box.time_zone,
        staff_idle_s=web.staff_idle_s,
    )
