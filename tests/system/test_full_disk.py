"""The disk of a running mall fills up: what is in flight is finished, new sales are refused, cars leave.

The data folder is a disk of its own (a tmpfs), filled to the last byte while a payment waits for its
password, and emptied again; nobody restarts anything.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from sim.gateway.books import Habit
from sim.lane import Car
from sim.mall import Mall, MallSettings, read_health
from sim.mall_config import DEMO_PIN
from tests.proof import LATER, PROOF, Counted, Tally
from tests.system.books import box_books, leaks, tracebacks
from tests.system.mall_process import Person, audit, code_of, eventually, open_mall
from tests.system.watchers import BREAD, Watcher, box_rows, hq_alarms, hq_knows, ready, sell

pytestmark = pytest.mark.broker

#: The fast part plays those of which most can be learned.
whole = pytest.mark.skipif(not PROOF, reason=LATER)

#: The disk, and the share of it that is kept back for what is in flight.
SIZE = "96m"
RULES = "poll_ms = 200\nrepeat_window_ms = 200\npaid_idle_ms = 600000\n\n[disk]\nreserve_mb = 2"

#: Within what screens close once the disk is full, and open once there is room.
CLOSED_S, OPEN_S = 6.0, 6.0

PAUSED = {"zh": "扫码购暂停", "en": "Scan and go pauses"}


@dataclass
class Scene:
    """A mall on a small disk."""

    mall: Mall
    folder: Path
    shopper: Person
    staff: Watcher

    @property
    def disk(self) -> Path:
        """Where the service keeps all it has."""
        return self.folder / "state"

    def fill(self) -> None:
        """Leave not a byte free."""
        with (self.disk / "filler").open("ab", buffering=0) as file:
            for size in (1024 * 1024, 4096, 64):
                with suppress(OSError):
                    while os.write(file.fileno(), b"x" * size) == size:
                        pass

    def empty(self) -> None:
        """Make room again."""
        (self.disk / "filler").unlink(missing_ok=True)

    def phone(self, language: str) -> str:
        """Return the page on which shoppers scan with their phones."""
        url = f"{self.mall.public_url}/phone/shop?language={language}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return str(answer.read().decode())


@pytest.fixture(scope="module")
def mall_of_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("full")
    state = folder / "state"
    state.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(state)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small disk can be mounted by root alone")
    try:
        with open_mall(folder, MallSettings(folder, rules=RULES, pace_s=0.3)) as mall:
            yield Scene(mall, folder, Person(mall), ready(mall))
    finally:
        subprocess.run(["umount", "-l", str(state)], check=True)


@pytest.fixture
def scene(mall_of_all: Scene, tally: Tally) -> Iterator[Scene]:
    mall_of_all.shopper.sees("attract")
    # What is recorded after the test would not be in its report.
    tally.add(Counted.FAULTS, 1)
    yield mall_of_all
    mall_of_all.empty()
    assert tracebacks(mall_of_all.folder) == []
    assert leaks(mall_of_all.folder) == []


def test_a_full_disk_finishes_what_is_in_flight_refuses_new_sales_and_opens_by_itself(scene: Scene) -> None:
    """Shoppers see it on every screen, staff on the device page, HQ as an alarm; room opens sales again."""
    mall, process = scene.mall, scene.mall.edge
    inside = mall.lanes.car("粤B70001")
    assert mall.lanes.enter(inside)
    order_no, wallet_id = _waits_for_password(scene)
    free = shutil.disk_usage(scene.disk).free
    scene.fill()
    assert shutil.disk_usage(scene.disk).free < free
    _all_screens_refuse(scene)
    _a_car_leaves(scene, inside)
    assert "disk" in scene.staff.alarms()
    assert hq_knows(scene.folder, "raised", "disk") == "full"
    mall.gateway.books.enter_password(order_no, Habit.TYPES)
    paid = scene.shopper.sees("paid")
    _taken_once(scene, wallet_id, paid)
    scene.shopper.touch("done")
    scene.shopper.sees("closed")
    scene.empty()
    Person(mall, "K02").sees("attract", OPEN_S)
    assert PAUSED["en"] not in scene.phone("en")
    sell(Person(mall, "T01"))
    assert hq_knows(scene.folder, "cleared", "disk") == "ample"
    eventually(lambda: "disk" not in scene.staff.alarms() or None, "the end of the alarm for staff")
    eventually(lambda: (scene.disk / "edge.reserve").exists() or None, "the reserve in its place again")
    assert mall.edge is process
    assert process is not None
    assert process.poll() is None, "nobody started it anew"
    audit(mall, scene.folder)


@whole
def test_a_disk_that_fills_up_again_and_again_loses_nothing(scene: Scene) -> None:
    """Each round closes and opens by itself; what was sold in between is at HQ."""
    before = len(box_books(scene.folder).paid)
    for _ in range(2):
        scene.fill()
        Person(scene.mall, "K02").sees("closed", CLOSED_S)
        scene.empty()
        Person(scene.mall, "K02").sees("attract", OPEN_S)
        sell(Person(scene.mall, "T01"))
    box, _ = audit(scene.mall, scene.folder)
    assert len(box.paid) == before + 2
    told = [
        kind
        for kind, alarm, level in hq_alarms(scene.folder)
        if alarm == "disk" and level in ("full", "ample")
    ]
    assert told[:2] == ["raised", "cleared"]
    assert read_health(scene.mall.url)["ready"] is True


def _waits_for_password(scene: Scene) -> tuple[str, str]:
    """Let a payment be on its way; return its number at the gateway and the wallet."""
    shopper, books = scene.shopper, scene.mall.gateway.books
    shopper.scan(code_of(BREAD))
    shopper.sees("basket")
    shopper.touch("checkout")
    shopper.sees("checkout")
    wallet, code = shopper.shows_code(password_above_fen=0)
    books.change_wallet(wallet.wallet_id, habit=Habit.WAITS)
    shopper.scan(code)
    shopper.sees("waiting")
    asked = eventually(lambda: books.orders(wallet.wallet_id) or None, "the password question")
    return asked[0].charge.order_no, wallet.wallet_id


def _all_screens_refuse(scene: Scene) -> None:
    """Kiosk, till, counter and phone say that no sale is begun, and why; none is."""
    for place in ("K02", "T01"):
        view = Person(scene.mall, place).sees("closed", CLOSED_S)
        assert view["closed"] == "disk_full"
    till = Person(scene.mall, "T01")
    till.touch("type_code", text=code_of(BREAD))
    assert till.view()["screen"] == "closed"
    assert _counter_closed(scene) == "disk_full"
    for language, words in PAUSED.items():
        page = scene.phone(language)
        assert words in page
        assert 'name="code"' not in page
    assert scene.shopper.view()["screen"] == "waiting", "what has begun is not taken away"


def _counter_closed(scene: Scene) -> object:
    """Sign in at the counter's tablet; return why it opens no ticket."""
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())

    def call(path: str, **values: object) -> object:
        body = json.dumps(values).encode() if values else None
        headers = {"Content-Type": "application/json", "Origin": scene.mall.url}
        request = urllib.request.Request(f"{scene.mall.url}/api/counter/C01/{path}", body, headers)
        with opener.open(request, timeout=10) as answer:
            return json.loads(answer.read() or b"null")

    call("sign-in", guide="chen", pin=DEMO_PIN)
    view = call("view")
    assert isinstance(view, dict)
    return view["closed"]


def _a_car_leaves(scene: Scene, car: Car) -> None:
    """A car pays its fee and drives out while the disk is full."""
    lanes = scene.mall.lanes
    lanes.exit.arrive(car)
    out = Person(scene.mall, "out-1")
    out.sees("checkout")
    assert lanes.scanner.scan(out.shows_code()[1])
    assert lanes.exit.await_left(car.plate.text, 20)
    query = f"SELECT state FROM sessions WHERE plate = '{car.plate.text}'"
    eventually(lambda: box_rows(scene.folder, query) == [("left",)] or None, "the end of the stay")


def _taken_once(scene: Scene, wallet_id: str, paid: object) -> None:
    assert isinstance(paid, dict)
    entries = [one.amount_fen for one in scene.mall.gateway.books.ledger() if one.wallet_id == wallet_id]
    assert entries == [paid["order"]["total_fen"]]
    assert paid["order"]["due_fen"] == 0
