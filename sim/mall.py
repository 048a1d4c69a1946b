"""A whole mall on loopback: broker, HQ, gateway, scanner, printer, the service itself and a shopper."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

from devices.signals import stop_on_signals
from sim.broker import Broker
from sim.gateway.alipay_keys import make_alipay_keys
from sim.gateway.credentials import Credentials, make_credentials
from sim.gateway.server import GatewayServer
from sim.goods import catalogue_csv, demo_goods
from sim.guard import RobotGuard
from sim.mall_config import CONFIG, DEMO_PIN, NOTIFY_URL, PAID_TEMPLATE, PIN_HASH
from sim.mall_drivers import END_S, Traffic, some_plate, visit_by_car
from sim.mall_lanes import TARIFF, MallLanes
from sim.mall_tenants import register_tenants, tenants_config
from sim.phone import PhoneServer, PhoneSettings
from sim.pictures import draw_pictures
from sim.ports import free_ports
from sim.printer import SimPrinter
from sim.relay import PublicHost
from sim.scanner import SimulatedScanner
from sim.shopper import Shop, ShopperError, trips
from sim.wires import PtyWire

#: Seconds that the service may take until it is ready, and to stop.
READY_S = 30.0
STOP_S = 15.0

#: Seconds, at pace 1, that a question of a lane is left to whoever watches before the robot guard answers.
GUARD_S = 15.0

#: Seconds within which HQ acknowledges all that happened.
SETTLE_S = 30.0


@dataclass(frozen=True, slots=True)
class MallSettings:
    """Where the mall is. port: of the service; hq_port, gateway_port: of the simulators' pages.

    Port 0 takes a free one. goods: a catalogue file instead of the demonstration's. rules, hq: lines of
    the configuration's [rules] and [hq]. relay_port: of HQ's public host, by which phones reach the box.
    phone_port: of the simulated phone.
    """

    folder: Path
    port: int = 8080
    hq_port: int = 8090
    gateway_port: int = 8091
    pace_s: float = 1.0
    visits: int = 0
    goods: Path | None = None
    rules: str = "poll_ms = 1000"
    relay_port: int = 0
    lanes_port: int = 0
    phone_port: int = 0
    hq: str = ""


class Mall:
    """Everything that a box is connected to, and the box as a process of its own."""

    def __init__(
        self,
        settings: MallSettings,
        now_ms: Callable[[], int],
        digits: Callable[[int], str],
        say: Callable[[str], None] = lambda _: None,
        broker: Broker | None = None,
    ) -> None:
        """now_ms: Unix milliseconds. digits: that many random decimal digits. say: tells of the lanes.

        broker: instead of one of the usual kind.
        """
        self._settings = settings
        self.stop = threading.Event()
        folder = settings.folder
        (folder / "dev").mkdir(parents=True, exist_ok=True)
        draw_pictures(folder / "pictures")
        free = free_ports(2)
        self.port = settings.port or free[0]
        self.hq_port = settings.hq_port or free[1]
        self.config = folder / "edge.toml"
        self.credentials = make_credentials(folder / "keys", digits)
        self._put_member_key(digits)
        self.alipay = make_alipay_keys(folder / "keys" / "alipay", digits)
        self.gateway = GatewayServer(
            self.credentials, now_ms, digits, port=settings.gateway_port, store=folder / "gateway.db"
        )
        register_tenants(self.gateway)
        self.broker = broker or Broker()
        self.printer = SimPrinter(folder / "receipts")
        self.printer_wire = PtyWire(self.printer, folder / "dev" / "printer-k01")
        self.scanner = SimulatedScanner(folder / "dev" / "scanner-k01")
        self.lanes = MallLanes(
            folder, self.url, now_ms, digits, say, settings.lanes_port, settings.pace_s, self.stop
        )
        self._processes: list[subprocess.Popen[bytes]] = []
        self._running = ExitStack()
        self.edge: subprocess.Popen[bytes] | None = None
        self.phones: PublicHost | None = None
        self.phone: PhoneServer | None = None

    def _put_member_key(self, digits: Callable[[int], str]) -> None:
        """Write the key under which HQ and its boxes hash phones and plates, once."""
        path = self._settings.folder / "keys" / "members.key"
        if not path.exists():
            path.touch(0o600)
            path.write_text(digits(40), encoding="ascii")

    @property
    def url(self) -> str:
        """The address of the service."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def hq_url(self) -> str:
        """The address of HQ's page."""
        return f"http://127.0.0.1:{self.hq_port}"

    @property
    def public_url(self) -> str:
        """The address by which phones reach the box through HQ, once the mall is open."""
        assert self.phones is not None
        return self.phones.url("demo-mall", "edge-1")

    def open(self, serves: bool = True) -> None:
        """Start everything and wait until the service is ready. serves: else the caller starts the service.

        Raises ShopperError when it is not, OSError when a port is taken; `close` is due even then.
        """
        self._running.callback(self.scanner.unplug)
        self._running.enter_context(self.gateway)
        self._running.enter_context(self.broker)
        self.phones = self._running.enter_context(PublicHost(self.broker.port, self._settings.relay_port))
        self.gateway.office.notices.wire.routes[NOTIFY_URL] = f"{self.public_url}/notify/wechat"
        self.phone = self._running.enter_context(PhoneServer(self._phone_settings()))
        self._running.enter_context(self.printer_wire)
        self._running.enter_context(self.lanes)
        self._running.callback(self._end_processes)
        self._start_hq()
        self._register_template()
        self.write_config()
        if not (self._settings.folder / "state" / "edge.db").exists():
            self._import_goods()
        if not (self._settings.folder / "tariff.csv").exists():
            self._import_tariff()
        if serves:
            self.start_edge()
        self.lanes.start()

    def _phone_settings(self) -> PhoneSettings:
        return PhoneSettings(
            public_url=self.public_url,
            gateway=self.gateway.url,
            service=self.url,
            appid=self.credentials.appid,
            port=self._settings.phone_port,
            receipts=self._settings.folder / "receipts",
            lanes=("B1-out",),
            touchpoints=("poster-door", "poster-market"),
            counters=(("C01", "chen"), ("C02", "lin")),
            pin=DEMO_PIN,
        )

    def why(self, error: Exception) -> str:
        """Return what to tell a person about a failure: that the service died, when it did."""
        if self.edge is None or self.edge.poll() is None:
            return str(error)
        log = self._settings.folder / "edge.log"
        return (
            f"the service ended with {self.edge.returncode}, see {log}; make demo again carries on from there"
        )

    def start_edge(self, environment: Mapping[str, str] | None = None) -> None:
        """Start the service as its own process; raises ShopperError when it does not become ready.

        environment: beside the present one.
        """
        command = ("edge", "serve", "--config", str(self.config))
        self.edge = self._start("edge.log", *command, environment=environment)
        for _ in range(int(READY_S / 0.1)):
            if is_ready(self.url):
                return
            if self.edge.poll() is not None or self.stop.wait(0.1):
                break
        raise ShopperError(f"the service is not ready; see {self._settings.folder / 'edge.log'}")

    def kill_edge(self) -> None:
        """End the service by SIGKILL: it can neither finish nor write anything."""
        assert self.edge is not None
        self.edge.kill()
        self.edge.wait()

    def _import_goods(self) -> None:
        goods = self._settings.goods
        if goods is None:
            goods = self._settings.folder / "goods.csv"
            goods.write_bytes(catalogue_csv(demo_goods()))
        command = [sys.executable, "-m", "edge", "catalogue", "import", str(goods)]
        if subprocess.run([*command, "--config", str(self.config)], check=False).returncode:
            raise ShopperError(f"the goods of {goods} could not be imported")

    def _import_tariff(self) -> None:
        """Put the car park's prices in force, once for each folder."""
        tariff = self._settings.folder / "tariff.csv"
        if tariff.exists():
            return
        draft = tariff.with_suffix(".draft")
        draft.write_text(TARIFF, encoding="utf-8")
        command = [sys.executable, "-m", "edge", "tariff", "import", str(draft)]
        if subprocess.run([*command, "--config", str(self.config)], check=False).returncode:
            raise ShopperError(f"the tariff of {draft} could not be imported")
        draft.replace(tariff)

    def _register_template(self) -> None:
        """Have the mini-program own the message that is sent after payment, as its console would."""
        body = json.dumps(PAID_TEMPLATE).encode()
        request = urllib.request.Request(
            f"{self.gateway.url}/sim/weixin/templates", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=10):
            pass

    def _start_hq(self) -> None:
        ports = ("--broker-port", str(self.broker.port), "--port", str(self.hq_port))
        self._start("hq.log", "sim", "hq", *ports, "--dir", str(self._settings.folder / "hq"))

    def _start(
        self, log_name: str, module: str, *arguments: str, environment: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """Start one program of ours, with its output in a log of the folder."""
        with (self._settings.folder / log_name).open("ab") as log:
            command = [sys.executable, "-m", module, *arguments]
            told = {**os.environ, **(environment or {})}
            process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, env=told)
        self._processes.append(process)
        return process

    def write_config(self) -> None:
        """Write the service's configuration for this mall."""
        made: Credentials = self.credentials
        text = CONFIG.format(
            folder=self._settings.folder.resolve(),
            port=self.port,
            public_url=self.public_url,
            rules=self._settings.rules,
            hq=self._settings.hq,
            broker_port=self.broker.port,
            gateway=self.gateway.url,
            appid=made.appid,
            mchid=made.mchid,
            paid_template=PAID_TEMPLATE["template_id"],
            app_secret=made.folder.resolve() / "app_secret.txt",
            merchant_key=made.merchant_key.resolve(),
            apiv3_key=made.apiv3_key_file.resolve(),
            notify_url=NOTIFY_URL,
            merchant_cert=made.merchant_cert.resolve(),
            public_key_id=made.public_key_id,
            platform_public_key=made.platform_public_key.resolve(),
            alipay_app_id=self.alipay.app_id,
            alipay_app_key=self.alipay.app_key.resolve(),
            alipay_public_key=self.alipay.alipay_public_key.resolve(),
            pin_hash=PIN_HASH,
        )
        self.config.write_text(text + tenants_config() + self.lanes.config(), encoding="utf-8")

    def shop(self, say: Callable[[str], None]) -> Shop:
        """Return where the shopper is."""
        return Shop(
            kiosk=self.url,
            workstation="K01",
            wallets=self.gateway.url,
            pin=DEMO_PIN,
            scan=self.scanner.scan,
            stop=self.stop,
            say=say,
            pace_s=self._settings.pace_s,
        )

    def close(self) -> None:
        """Stop everything, the service first; what was never started is left alone."""
        self.stop.set()
        self._running.close()

    def _end_processes(self) -> None:
        for process in reversed(self._processes):
            process.terminate()
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def run(settings: MallSettings, now_ms: Callable[[], int], digits: Callable[[int], str]) -> int:
    """Run the demonstration until Ctrl+C, or for `visits` visits; return the exit code."""
    taken = _taken_port(settings)
    if taken:
        print(f"demonstration failed: {taken}", file=sys.stderr)
        return 1
    print(
        f"starting broker, HQ, gateway, scanner, printer and the service in {settings.folder} ...", flush=True
    )
    mall = Mall(settings, now_ms, digits, _print)
    stop_on_signals(mall.stop)
    try:
        mall.open()
        _announce(mall, settings)
        return _shop_on(mall, settings, digits)
    except (ShopperError, OSError) as error:
        if mall.stop.is_set():
            return 0
        print(f"demonstration failed: {mall.why(error)}", file=sys.stderr)
        return 1
    finally:
        mall.close()
        print(f"the mall is closed; its books, receipts and logs are in {settings.folder}", flush=True)


def _taken_port(settings: MallSettings) -> str:
    """Return what to tell about the first port that cannot be had, "" when all can; 0 is always to be had."""
    wanted = (
        ("the service's pages", "--port", settings.port),
        ("HQ's page", "--hq-port", settings.hq_port),
        ("the phones", "--gateway-port", settings.gateway_port),
        ("HQ's public host", "--relay-port", settings.relay_port),
        ("the lanes' page", "--lanes-port", settings.lanes_port),
        ("the simulated phone", "--phone-port", settings.phone_port),
    )
    for what, option, port in wanted:
        try:
            with socket.socket() as probe:
                # As the servers themselves do it: a port that was left a moment ago is free.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            other = f"{option} {port + 1000}" if 0 < port < 64_000 else f"{option} 9080"
            return (
                f"port {port} for {what} cannot be had ({getattr(error, 'strerror', error)}); end what holds "
                f"it, perhaps another demonstration, or choose another: make demo ARGS='{other}'"
            )
    return ""


def _shop_on(mall: Mall, settings: MallSettings, digits: Callable[[int], str]) -> int:
    shop = mall.shop(_print)
    traffic = Traffic(mall.lanes, mall.gateway.url, digits, _print, mall.stop, settings.pace_s)
    guard = RobotGuard(mall.url, DEMO_PIN, mall.lanes.plate_at, _print, GUARD_S * settings.pace_s)
    cars = threading.Thread(target=traffic.run, name="sim-traffic", daemon=True)
    threading.Thread(target=guard.watch, args=(mall.stop,), name="sim-guard", daemon=True).start()
    cars.start()
    for done, trip in enumerate(trips(), 1):
        visit_by_car(mall.lanes, shop, trip, some_plate(digits))
        if settings.visits and done >= settings.visits:
            traffic.ends.set()
            cars.join(END_S)
            await_empty_outbox(mall)
            break
        if mall.stop.wait(3 * settings.pace_s):
            break
    return 0


def _print(text: str) -> None:
    print(text, flush=True)


def await_empty_outbox(mall: Mall) -> None:
    """Wait until HQ has acknowledged everything; raise ShopperError when it does not."""
    health: dict[str, object] = {}
    for _ in range(int(SETTLE_S / 0.1)):
        health = read_health(mall.url)
        if health.get("outbox_depth") == 0:
            return
        if mall.stop.wait(0.1):
            return
    raise ShopperError(f"HQ has not acknowledged everything in {SETTLE_S:.0f} s: {health}")


def _announce(mall: Mall, settings: MallSettings) -> None:
    print(
        f"""
A mall is open on this machine; a shopper is on the way. Open:

  kiosk            {mall.url}/kiosk/K01  (the robot shopper's)  and  {mall.url}/kiosk/K02  (yours)
  counters (PIN {DEMO_PIN})  {mall.url}/counter/C01  and  {mall.url}/counter/C02
  lanes, drawn     {mall.lanes.page.url if mall.lanes.page else ""}/
  a phone to hold  {mall.phone.url if mall.phone else ""}/  (WeChat, the mini-program, scanning, paying)
  guard            {mall.url}/staff/lanes  and  {mall.url}/staff/parking
  driver's phone   {mall.url}/phone/parking
  scan and go      {mall.public_url}/phone/shop  (barcodes such as 2900010000015)
  way out          {mall.url}/staff/exit/E01
  till with cash   {mall.url}/till/T01
  staff (PIN {DEMO_PIN})  {mall.url}/staff
  HQ               {mall.hq_url}/
  MQTT broker      {mall.broker.kind} on {mall.broker.host}:{mall.broker.port}
  phones, wallets  {mall.gateway.url}/
  public host      {mall.public_url}/  (receipts on phones, by way of HQ)
  receipts         {settings.folder / "receipts"}

Ctrl+C ends it.
""",
        flush=True,
    )


def is_ready(url: str) -> bool:
    """Whether the service at `url` says that it is ready."""
    return read_health(url).get("ready") is True


def read_health(url: str) -> dict[str, object]:
    """Return what the service says of itself, nothing while it does not answer."""
    try:
        with urllib.request.urlopen(f"{url}/health/ready", timeout=2) as answer:
            said = json.load(answer)
    except (OSError, ValueError, HTTPException):
        return {}
    return said if isinstance(said, dict) else {}
