"""Who looks when something breaks: staff at their pages, HQ at its ledger; and neighbours, who go on."""

from __future__ import annotations

import json
import re
import sqlite3
import threading
import time
import urllib.parse
import urllib.request
from contextlib import closing
from http.cookiejar import CookieJar
from pathlib import Path

from sim.guard import questions_of
from sim.lane import Car, SimLane
from sim.mall import Mall
from sim.mall_config import DEMO_PIN
from tests.system.mall_process import Person, code_of, eventually

#: Within what a sale at a till and a car's opening are done while nothing is broken, on a busy machine.
SALE_S, OPEN_S = 4.0, 6.0

BREAD = "BK-001"


class Watcher:
    """Somebody who is signed in to the staff pages."""

    def __init__(self, mall: Mall, language: str = "en") -> None:
        self._url, self._language = mall.url, language
        jar = urllib.request.HTTPCookieProcessor(CookieJar())
        self._open = urllib.request.build_opener(jar).open
        self.post("/staff/login", pin=DEMO_PIN)

    def page(self, path: str) -> str:
        """Return a page's HTML."""
        with self._open(f"{self._url}{path}?language={self._language}", timeout=10) as answer:
            return str(answer.read().decode())

    def post(self, path: str, **fields: str) -> None:
        """Press a button."""
        body = urllib.parse.urlencode(fields).encode()
        request = urllib.request.Request(self._url + path, body, {"Origin": self._url})
        self._open(request, timeout=10).close()

    def health(self, device: str) -> str:
        """Return how a device is, as its page says."""
        row = re.search(rf'data-device="{device}".*?class="health (\w+)"', self.page("/staff/devices"), re.S)
        assert row is not None, f"{device} is not on the page"
        return row.group(1)

    def alarms(self) -> set[str]:
        """Return the names of the alarms on the page of devices."""
        return set(re.findall(r'data-alarm="([^"]+)"', self.page("/staff/devices")))

    def troubles(self, lane: str) -> set[str]:
        """Return what the guard's page says does not work at a lane."""
        card = self.page("/staff/lanes").split(f'data-lane="{lane}"')[1].split("<section")[0]
        return set(re.findall(r'data-trouble="(\w+)"', card))

    def question(self, lane: str) -> tuple[str, str] | None:
        """Return what a lane asks and of which passage, None while it asks nothing."""
        asked = next((one for one in questions_of(self.page("/staff/lanes")) if one.lane == lane), None)
        return None if asked is None else (asked.text, asked.passage)

    def answers(self, lane: str, answer: str, reason: str = "") -> None:
        """Answer what a lane asks."""
        asked = self.question(lane)
        assert asked is not None, f"{lane} asks nothing"
        self.post(f"/staff/lanes/{lane}/answer", passage=asked[1], answer=answer, reason=reason)


def ready(mall: Mall) -> Watcher:
    """Return somebody at the staff pages once the service has its devices in its hands."""
    staff = Watcher(mall)
    for device in ("gate-in", "gate-out", "board-in", "board-out"):
        eventually(lambda name=device: staff.health(name) == "connected" or None, device)  # type: ignore[misc]
    return staff


class Neighbours:
    """What goes on beside a fault: a sale at the till T01, and a car that a lane lets through."""

    def __init__(self, mall: Mall, lane: SimLane, car: Car) -> None:
        """Begin at once. car: one that the lane opens for without money."""
        self._mall, self._lane, self._car = mall, lane, car
        self._took: dict[str, float] = {}
        self._threads = [threading.Thread(target=one) for one in (self._sell, self._drive)]
        for thread in self._threads:
            thread.start()

    def went_on(self) -> None:
        """Fail unless both were done within their usual time."""
        for thread in self._threads:
            thread.join(30)
        assert self._took.keys() == {"sale", "car"}, f"only {self._took} went on"
        assert self._took["sale"] < SALE_S, self._took
        assert self._took["car"] < OPEN_S, self._took

    def _sell(self) -> None:
        begun = time.monotonic()
        sell(Person(self._mall, "T01"))
        self._took["sale"] = time.monotonic() - begun

    def _drive(self) -> None:
        eventually(lambda: (self._lane.empty and not self._lane.gate.boom_up) or None, "an empty lane")
        self._lane.arrive(self._car)
        plate = self._car.plate.text
        seen = eventually(lambda: moment(self._lane, "seen", plate), "the camera to see the car")
        opened = eventually(lambda: moment(self._lane, "opened", plate), "the boom to open")
        self._took["car"] = (opened - seen) / 1000


def sell(till: Person) -> str:
    """Sell one article at a till by a payment code; return the order's number."""
    till.touch("type_code", text=code_of(BREAD))
    till.touch("checkout")
    till.touch("type_code", text=till.shows_code()[1])
    number = str(till.sees("paid")["order"]["number"])  # type: ignore[index]
    till.touch("done")
    return number


def moment(lane: SimLane, what: str, plate: str) -> int | None:
    """Return when something happened to a car at a lane last, in Unix milliseconds."""
    found = [one.at_ms for one in list(lane.happened) if (one.what, one.plate) == (what, plate)]
    return found[-1] if found else None


def hq_alarms(folder: Path) -> list[tuple[str, str, str]]:
    """Return what HQ's own ledger holds of alarms: (kind, alarm, level), in order."""
    with closing(sqlite3.connect(f"file:{folder}/hq/hq.db?mode=ro", uri=True)) as db:
        rows = db.execute("SELECT kind, data FROM events WHERE kind LIKE 'alarm.%' ORDER BY sequence")
        told = [(kind, json.loads(data)) for kind, data in rows]
    return [(kind.removeprefix("alarm."), data["alarm"], data["level"]) for kind, data in told]


def hq_knows(folder: Path, kind: str, alarm: str, patience_s: float = 20.0) -> str:
    """Wait until HQ's ledger holds an alarm of that name; return its last level."""

    def look() -> str | None:
        found = [level for said, name, level in hq_alarms(folder) if (said, name) == (kind, alarm)]
        return found[-1] if found else None

    return eventually(look, f"alarm.{kind} of {alarm} at HQ", patience_s)


def box_rows(folder: Path, query: str) -> list[tuple[object, ...]]:
    """Ask the box's books."""
    with closing(sqlite3.connect(f"file:{folder}/state/edge.db?mode=ro", uri=True)) as db:
        return db.execute(query).fetchall()
