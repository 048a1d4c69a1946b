"""What the command line tells a technician: a new scanner, the health of a box."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest
import zxingcpp
from click.testing import CliRunner, Result

from devices.scanner.learn import SHEET
from edge.cli import main
from edge.clock import SystemClock
from edge.store.sqlite_store import SqliteStore
from sim.clocks import unix_ms
from sim.gateway.credentials import Credentials, make_credentials
from sim.gateway.server import GatewayServer
from sim.scanner import SimulatedScanner


def edge(*arguments: str | Path) -> Result:
    """Run one command."""
    return CliRunner().invoke(main, [str(word) for word in arguments])


def digits(count: int) -> str:
    """Return digits that need not be unique here."""
    return "7" * count


class Hand(threading.Thread):
    """A technician who scans the sheet as soon as somebody listens."""

    def __init__(self, scanner: SimulatedScanner) -> None:
        super().__init__(daemon=True)
        self._scanner = scanner
        self._done = threading.Event()

    def run(self) -> None:
        """Wait for the listener, scan each code."""
        while not self._scanner.listened_to and not self._done.wait(0.01):
            pass
        for code in SHEET:
            self._scanner.scan(code)

    def stop(self) -> None:
        """Scan no more."""
        self._done.set()
        self.join(5)


def test_a_new_scanner_is_learned_from_the_sheet(tmp_path: Path) -> None:
    with SimulatedScanner(tmp_path / "scanner") as scanner:
        hand = Hand(scanner)
        hand.start()
        said = edge("scanner-learn", tmp_path / "scanner", "--timeout", "20")
        hand.stop()
    assert said.exit_code == 0, said.output
    assert "  ".join(SHEET) in said.output
    assert f'port = "{tmp_path / "scanner"}"' in said.output
    assert "baud = 9600" in said.output


def test_a_scanner_that_sends_nothing_gets_advice_and_a_failure(tmp_path: Path) -> None:
    with SimulatedScanner(tmp_path / "scanner"):
        said = edge("scanner-learn", tmp_path / "scanner", "--timeout", "0.2")
    assert said.exit_code == 1
    assert "advice: nothing came: check the cable" in said.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["/dev/nowhere", "--timeout", "1"], "no such port: /dev/nowhere"),
        ([], "--sheet FILE.png"),
        (["--sheet", "codes.jpg"], "must end in .png"),
        (["--sheet", "/nowhere/codes.png"], "cannot be written"),
        (["/dev/null", "--baud", "1"], "baud is 300-4000000"),
    ],
)
def test_what_cannot_be_learned_from_is_refused(arguments: list[str], words: str) -> None:
    said = edge("scanner-learn", *arguments)
    assert said.exit_code == 1
    assert words in said.output


def test_the_sheet_can_be_scanned_in_the_order_that_is_wanted(tmp_path: Path) -> None:
    assert edge("scanner-learn", "--sheet", tmp_path / "sheet.png").exit_code == 0
    found = zxingcpp.read_barcodes(cv2.imread(str(tmp_path / "sheet.png")))
    assert [one.text for one in sorted(found, key=lambda one: one.position.top_left.y)] == list(SHEET)


CONFIG = """
[box]
site = "s"
edge = "e"
data_dir = "{folder}/state"
public_url = "https://mall.example.com"
[hq]
port = {broker}
[[workstation]]
name = "K01"
[[scanner]]
name = "scanner-k01"
workstation = "K01"
port = "{scanner}"
[[printer]]
name = "printer-k01"
workstation = "K01"
kind = "tcp"
port = "127.0.0.1:9"
[[staff]]
name = "a"
pin_hash = "{salt}${digest}"
[wechat_pay]
appid = "{made.appid}"
mchid = "{made.mchid}"
store_id = "S001"
private_key_file = "{made.merchant_key}"
certificate_file = "{made.merchant_cert}"
base_url = "{gateway}"
backup_url = ""
notify_url = "https://mall.example.com/notify/wechat"
[mini_program]
appid = "{made.appid}"
app_secret_file = "{made.folder}/app_secret.txt"
base_url = "{gateway}"
[wechat_pay.platform_keys]
"{made.public_key_id}" = "{made.platform_public_key}"
"""


class Surroundings:
    """A gateway, a port where a broker could be, and a configuration that names them."""

    def __init__(self, folder: Path, made: Credentials, gateway: str, broker: int) -> None:
        self.folder = folder
        self.config = folder / "edge.toml"
        self.config.write_text(
            CONFIG.format(
                folder=folder,
                broker=broker,
                scanner="/dev/null",
                salt="ab" * 16,
                digest="cd" * 32,
                made=made,
                gateway=gateway,
            ),
            encoding="utf-8",
        )

    def store(self) -> SqliteStore:
        """Open the box's store, as a running service does."""
        (self.folder / "state").mkdir(exist_ok=True)
        return SqliteStore(self.folder / "state/edge.db", SystemClock().now().wall_at)


@pytest.fixture
def around(tmp_path: Path) -> Iterator[Surroundings]:
    """What a box is connected to."""
    made = make_credentials(tmp_path / "keys", digits)
    with GatewayServer(made, unix_ms, digits) as gateway, socket.create_server(("127.0.0.1", 0)) as broker:
        yield Surroundings(tmp_path, made, gateway.url, broker.getsockname()[1])


def lines_of(said: Result) -> dict[str, str]:
    """Return each finding's line by what was looked at."""
    return {line[7:].split("  ")[0].strip(): line for line in said.output.splitlines()}


def test_doctor_finds_what_is_well_and_what_is_not(around: Surroundings) -> None:
    store = around.store()
    said = edge("doctor", "--config", around.config)
    store.close()
    found = lines_of(said)
    assert found["configuration"].startswith("ok"), said.output
    assert found["service"] == "ok     service        running"
    assert "journal wal" in found["database"]
    assert found["HQ broker"].startswith("ok")
    assert found["WeChat Pay"].startswith("ok")
    assert found["clock skew"].startswith("ok")
    assert found["mini-program"].startswith("ok")
    assert found["scanner-k01"].startswith("ok")
    assert found["printer-k01"].startswith("DOUBT")
    assert said.exit_code == 1


def test_doctor_sees_a_box_that_never_ran_and_a_damaged_database(around: Surroundings) -> None:
    assert "does not exist yet" in lines_of(edge("doctor", "--config", around.config))["database"]
    store = around.store()
    store.close()
    path = around.folder / "state/edge.db"
    path.write_bytes(path.read_bytes()[:4096] + b"\xff" * 8192)
    found = lines_of(edge("doctor", "--config", around.config))
    assert found["service"].startswith("DOUBT")
    assert found["database"].startswith("DOUBT")


def test_doctor_sees_an_app_secret_that_does_not_fit(around: Surroundings) -> None:
    secret = around.folder / "secret.txt"
    secret.write_text("0" * 32, encoding="ascii")
    text = around.config.read_text("utf-8")
    text = text.replace(f"{around.folder}/keys/app_secret.txt", str(secret))
    around.config.write_text(text, encoding="utf-8")
    found = lines_of(edge("doctor", "--config", around.config))
    assert found["mini-program"].startswith("DOUBT")
    assert "40125" in found["mini-program"]
    assert "0" * 32 not in "".join(found.values())
    secret.unlink()
    found = lines_of(edge("doctor", "--config", around.config))
    assert "cannot be read" in found["mini-program"]


def test_doctor_goes_on_when_the_keys_cannot_be_read(around: Surroundings) -> None:
    text = around.config.read_text("utf-8")
    around.config.write_text(text.replace('private_key_file = "', 'private_key_file = "/nowhere'), "utf-8")
    found = lines_of(edge("doctor", "--config", around.config))
    assert "cannot read the merchant private key" in found["WeChat Pay"]
    assert found["HQ broker"].startswith("ok")
