"""What a technician asks of a box: which devices are there, how a scanner is set, whether all is well."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from devices.types import DeviceAbsent, PrintResult
from edge.app import DATABASE, build_gateways, build_printer, printer_profile
from edge.app.files import given_file
from edge.app.phone import build_mini_program
from edge.clock import SystemClock
from edge.config import Config
from edge.errands.configuration import check_config
from edge.errands.outbox import read_outbox
from edge.errors import EdgeError, Invalid, Unavailable
from edge.gateways.alipay.client import AlipayGateway
from edge.gateways.wechat_pay.certificates import certificate_end
from edge.gateways.wechat_pay.client import WeChatPayGateway
from edge.gateways.wechat_pay.mini_program import WeixinMiniProgram
from edge.ids import TimeOrderedIds
from edge.store.database import lock_writer, open_reader, quick_check

#: Doubts begin here: free bytes on the disk, seconds between our clock and the gateway's, age of events.
LEAST_FREE = 1 << 30
MOST_SKEW_S = 60
MOST_LATE_S = 600

#: A certificate that ends sooner is a doubt: a new one takes days to get.
LEAST_DAYS = 30

_CONNECT_S = 3.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    sound: bool
    what: str
    detail: str

    def __str__(self) -> str:
        """Say it in one line, doubts standing out."""
        return f"{'ok   ' if self.sound else 'DOUBT'}  {self.what:<14} {self.detail}"


def list_devices() -> list[str]:
    """Return lines that name every serial port and input device as the configuration wants them."""
    from devices.scanner.hid_driver import list_input_devices
    from devices.transport import list_serial_ports

    lines = ["serial ports:"]
    for port in list_serial_ports():
        lines.append(f"  {port.best_name}  {port.description} {port.reason}".rstrip())
    found = list_input_devices()
    lines.append("input devices:")
    for device in found.devices:
        names = (*device.by_id, *device.by_path, device.path)
        ids = f"{device.vendor:04x}:{device.product:04x}"
        lines.append(f"  {names[0]}  {ids} {device.name} {device.hint} {device.reason}".rstrip())
    return [*lines, f"  none: {found.unavailable}"] if found.unavailable else lines


def print_test_page(config: Config, name: str) -> PrintResult:
    """Print the test page on the printer `name`; raises Invalid for one that is not configured."""
    from devices.printer.codec import test_page

    wanted = next((one for one in config.printer if one.name == name), None)
    if wanted is None:
        known = ", ".join(one.name for one in config.printer) or "none"
        raise Invalid(f"no printer {name!r} is configured; known: {known}")
    ids = TimeOrderedIds(lambda: SystemClock().now().wall_at)
    printer = build_printer(wanted, config.box.data_dir)
    try:
        return printer.print_job(test_page(printer_profile(wanted), ids.new_id()))
    finally:
        printer.close()


def write_sheet(path: Path) -> None:
    """Draw the codes that `learn_scanner` wants to be scanned as a picture (PNG); raises Invalid."""
    import cv2
    import numpy as np
    import zxingcpp

    from devices.scanner.learn import SHEET

    kinds = (zxingcpp.BarcodeFormat.EAN13, zxingcpp.BarcodeFormat.EAN8, zxingcpp.BarcodeFormat.Code128)
    page = np.full((1100, 800), 255, np.uint8)
    for place, (text, kind) in enumerate(zip(SHEET, kinds, strict=True)):
        bars = np.array(zxingcpp.create_barcode(text, kind).to_image(scale=3))
        top, left = 80 + 340 * place, (page.shape[1] - bars.shape[1]) // 2
        page[top : top + bars.shape[0], left : left + bars.shape[1]] = bars
        label = (left, top + bars.shape[0] + 40)
        cv2.putText(page, f"{place + 1}. {text}", label, cv2.FONT_HERSHEY_SIMPLEX, 1.0, (0,), 2)
    if path.suffix.lower() != ".png":
        raise Invalid(f"{path} must end in .png")
    try:
        path.write_bytes(cv2.imencode(".png", page)[1].tobytes())
    except OSError as error:
        raise Invalid(f"{path} cannot be written: {error.strerror}") from error


def learn_scanner(port: str, baud: int, timeout_s: float, say: Callable[[str], None]) -> bool:
    """Have the known codes scanned and say which settings fit; return whether any do.

    Raises Invalid when the port cannot be used.
    """
    from devices.scanner.learn import SHEET, has_all, learn
    from devices.scanner.serial_driver import capture
    from devices.transport import SerialSettings

    say(f"within {timeout_s:.0f} s, scan once each, in this order: {'  '.join(SHEET)}")
    try:
        data = capture(SerialSettings(port, baud), has_all, timeout_s)
    except (DeviceAbsent, ValueError) as error:
        raise Invalid(f"{error}. A running service holds its ports: stop it first") from error
    learned = learn(data)
    for line in learned.advice:
        say(f"advice: {line}")
    if learned.framing is None:
        return False
    say("put into the [[scanner]]:")
    say(f'port = "{port}"')
    say(f"baud = {baud}")
    ends = learned.framing.terminators
    if ends:
        say(f"terminators = {json.dumps(sorted(one.value for one in ends))}")
    if learned.framing.prefix:
        say(f"prefix = {json.dumps(learned.framing.prefix.decode('utf-8', 'backslashreplace'))}")
    if learned.framing.idle_ms:
        say(f"framing_idle_ms = {learned.framing.idle_ms}")
    return True


def examine(config: Config) -> Iterator[Finding]:
    """Look at everything that a sale needs and yield what was found; reads and asks, changes nothing."""
    yield from _configuration(config)
    yield _clock()
    yield _disk(config.box.data_dir)
    running = _is_running(config)
    yield Finding(running, "service", "running" if running else "not running")
    yield from _database(config)
    yield _broker(config)
    yield from _wechat_pay(config)
    yield from _mini_program(config)
    yield from _alipay(config)
    yield from _devices(config)


def _configuration(config: Config) -> Iterator[Finding]:
    try:
        doubts = check_config(config)
    except EdgeError as error:
        doubts = [str(error)]
    yield from (Finding(False, "configuration", doubt) for doubt in doubts)
    if not doubts:
        yield Finding(True, "configuration", "sound")


def _clock() -> Finding:
    trusted = SystemClock().now().trusted
    return Finding(trusted, "clock", "synchronised" if trusted else "not synchronised by systemd-timesyncd")


def _disk(folder: Path) -> Finding:
    place = folder if folder.exists() else Path("/")
    free = shutil.disk_usage(place).free
    return Finding(free >= LEAST_FREE, "disk", f"{free / (1 << 30):.1f} GiB free at {place}")


def _is_running(config: Config) -> bool:
    if not (config.box.data_dir / DATABASE).exists():
        return False
    try:
        lock_writer(config.box.data_dir / DATABASE).close()
    except (Unavailable, OSError):
        return True
    return False


def _database(config: Config) -> Iterator[Finding]:
    path = config.box.data_dir / DATABASE
    if not path.exists():
        yield Finding(False, "database", f"{path} does not exist yet; start the service once")
        return
    connection = open_reader(path)
    try:
        quick_check(connection, path)
        mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
        yield Finding(mode == "wal", "database", f"sound, journal {mode}, {path.stat().st_size >> 10} KiB")
        depth, now_at = read_outbox(config)
        late_s = max(0, now_at - (depth.oldest_created_at or now_at)) // 1000
        yield Finding(late_s <= MOST_LATE_S, "outbox", f"{depth.count} events wait for HQ, oldest {late_s} s")
    except (EdgeError, sqlite3.Error) as error:
        yield Finding(False, "database", str(error))
    finally:
        connection.close()


def _broker(config: Config) -> Finding:
    return _reachable("HQ broker", config.hq.host, config.hq.port)


def _reachable(what: str, host: str, port: int) -> Finding:
    try:
        socket.create_connection((host, port), _CONNECT_S).close()
    except OSError as error:
        return Finding(False, what, f"{host}:{port} cannot be reached: {error}")
    return Finding(True, what, f"{host}:{port} answers")


def _wechat_pay(config: Config) -> Iterator[Finding]:
    clock = SystemClock()
    try:
        gateway = build_gateways(config, clock, TimeOrderedIds(lambda: clock.now().wall_at)).get("wechat_pay")
        if not isinstance(gateway, WeChatPayGateway):
            return
        try:
            if gateway.fetches_certificates:
                gateway.refresh_certificates()
            report = gateway.echo("mall-edge doctor")
            keys = gateway.key_reports()
        finally:
            gateway.close()
    except EdgeError as error:
        yield Finding(False, "WeChat Pay", str(error))
        return
    skewed = abs(report.skew_s) > MOST_SKEW_S
    yield Finding(True, "WeChat Pay", f"signed and verified in {report.took_ms} ms with key {report.serial}")
    yield Finding(not skewed, "clock skew", f"{report.skew_s:+} s at the gateway; it refuses more than 300 s")
    now_s = clock.now().wall_at // 1000
    fetched = {f"platform {key.serial}": key.valid_to for key in keys if key.valid_to is not None}
    for name, end_s in (_configured_ends(config) | fetched).items():
        days = (end_s - now_s) // 86_400
        yield Finding(days >= LEAST_DAYS, f"certificate {name}", f"ends in {days} days")


def _configured_ends(config: Config) -> dict[str, int]:
    """Return when the configured certificates of WeChat Pay end, Unix seconds."""
    wallet = config.wechat_pay
    if wallet is None:
        return {}
    platform = {serial: path for serial, path in wallet.platform_keys.items() if "PUB_KEY_ID" not in serial}
    ends = {f"platform {serial}": certificate_end(given_file(path)) for serial, path in platform.items()}
    return {"of the merchant": certificate_end(given_file(wallet.certificate_file))} | ends


def _mini_program(config: Config) -> Iterator[Finding]:
    """Get an access token, which shows that appid and AppSecret fit and that this address may ask."""
    clock = SystemClock()
    try:
        program = build_mini_program(config, clock)
        if not isinstance(program, WeixinMiniProgram):
            return
        begun = clock.now()
        try:
            program.check()
        finally:
            program.close()
    except EdgeError as error:
        yield Finding(False, "mini-program", str(error))
        return
    yield Finding(True, "mini-program", f"gave an access token in {clock.now().since_ms(begun)} ms")


def _alipay(config: Config) -> Iterator[Finding]:
    """Ask for an order that nobody made: its verified absence shows that both sides' keys fit."""
    clock = SystemClock()
    try:
        gateway = build_gateways(config, clock, TimeOrderedIds(lambda: clock.now().wall_at)).get("alipay")
        if not isinstance(gateway, AlipayGateway):
            return
        begun = clock.now()
        try:
            gateway.query("mall_edge_doctor")
        finally:
            gateway.close()
    except EdgeError as error:
        yield Finding(False, "Alipay", str(error))
        return
    yield Finding(True, "Alipay", f"signed and verified in {clock.now().since_ms(begun)} ms")


def _devices(config: Config) -> Iterator[Finding]:
    for scanner in config.scanner:
        yield _node(scanner.name, scanner.port)
    for printer in config.printer:
        look = _network if printer.kind == "tcp" else _node
        yield look(printer.name, printer.port)
    for gate in config.gate:
        yield _node(gate.name, gate.port)
    for display in config.display:
        yield _node(display.name, display.port)


def _network(name: str, address: str) -> Finding:
    host, _, port = address.rpartition(":")
    if not (host and port.isascii() and port.isdigit()):
        return Finding(False, name, f"{address!r} must be host:port")
    return _reachable(name, host, int(port))


def _node(name: str, port: str) -> Finding:
    path = Path(port)
    if not port.startswith("/"):
        return Finding(True, name, "is found by its ids; see: devices")
    if not path.exists():
        return Finding(False, name, f"{path} is not there; plug it in, or see: devices")
    usable = os.access(path, os.R_OK | os.W_OK)
    return Finding(usable, name, f"{path} {'can be used' if usable else 'cannot be opened by this user'}")
