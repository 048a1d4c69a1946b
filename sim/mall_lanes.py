"""The demonstration's car park: an entry and an exit with cameras, gates and boards, and who drives there."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path

from sim.cameras.hikvision import HikvisionHabits, SimHikvision
from sim.cameras.vzicom import SimVzicom, VzicomHabits
from sim.display import SimBoard
from sim.gate import GateHabits, SimGate
from sim.lane import Car, Habit, Happening, SimLane
from sim.lane_page import LanePage
from sim.lane_state import Watched
from sim.plates import Conditions, Light, Plate, Sight, lane_picture, plate_kind_of
from sim.scanner import SimulatedScanner
from sim.wires import PtyWire

#: A purchase from which parking is free for two hours, as the landing page says.
THRESHOLD_FEN = 5_000

#: Seconds that a car may need for its whole way through a lane, and the longest that its driver waits for the
#: boom to come down behind the car before.
PASS_S = 60.0
CLOSING_S = 10.0
_LOOK_S = 0.2

#: How many times as fast as real cars these drive at most: the service looks at their loops in real time.
MOST_SPEED = 3.0

#: 6 yuan for each begun hour from the first minute, so that everybody who did not buy has something to pay.
TARIFF = """\
tariff_id,name,valid_from,step_min,price,free_min,day_cap
standard,示范停车场,2026-01-01,60,6,0,60
"""

CONFIG = """
[parking]
name = "示范商场停车场"

[[zone]]
name = "B1"
spaces = 120

[[lane]]
name = "B1-in"
way = "entry"
zone = "B1"
gate = "gate-in"
display = "board-in"
loops = 2

[[lane]]
name = "B1-out"
way = "exit"
zone = "B1"
gate = "gate-out"
display = "board-out"
workstation = "out-1"
loops = 2

[[workstation]]
name = "out-1"
kind = "lane"

[[scanner]]
name = "scanner-out"
workstation = "out-1"
port = "{folder}/dev/scanner-out"

[[gate]]
name = "gate-in"
port = "{folder}/dev/gate-in"
boom_up = 0
boom_down = 1
loops = [2, 3]

[[gate]]
name = "gate-out"
port = "{folder}/dev/gate-out"
boom_up = 0
boom_down = 1
loops = [2, 3]

[[display]]
name = "board-in"
port = "{folder}/dev/board-in"

[[display]]
name = "board-out"
port = "{folder}/dev/board-out"

[[camera]]
name = "camera-in"
lane = "B1-in"
kind = "vzicom"
token_file = "{folder}/keys/camera-in"
address = "127.0.0.1"
serial = "fe71e106-57263272"

[[camera]]
name = "camera-out"
lane = "B1-out"
kind = "hikvision_push"
token_file = "{folder}/keys/camera-out"
address = "127.0.0.1"

[[validation_rule]]
id = "mall-50"

[[validation_rule.step]]
from_fen = 5000
benefit = "minutes"
value = 120
label = "满50元免2小时"
label_en = "2 h for 50"
"""

_WORDS = {
    "seen": "the camera sees {plate}",
    "opened": "the boom is up for {plate}",
    "told": "the board shows: {words}",
    "passed": "{plate} is through",
    "turned_back": "{plate} turned back",
}


class Left(StrEnum):
    """How a car came out."""

    FREE = "free"
    PAID = "paid"
    STANDS = "stands"


class MallLanes:
    """Two lanes that run in real time; `enter` and `leave` return when the car is through."""

    def __init__(
        self,
        folder: Path,
        url: str,
        now_ms: Callable[[], int],
        digits: Callable[[int], str],
        say: Callable[[str], None],
        page_port: int = 0,
        pace_s: float = 1.0,
        stop: threading.Event | None = None,
    ) -> None:
        """url: of the service. digits: that many random decimal digits, for the cameras' tokens.

        pace_s: below 1 cars and booms hurry, to `MOST_SPEED` times as fast at most. stop: ends the waiting
        for cars, too.
        """
        self._folder, self._now_ms, self._say, self._page_port = folder.resolve(), now_ms, say, page_port
        self._stop, self._running = stop or threading.Event(), ExitStack()
        self._tokens = {name: f"sim{digits(24)}" for name in ("camera-in", "camera-out")}
        for name, token in self._tokens.items():
            path = folder / "keys" / name
            path.write_text(token, encoding="ascii")
            path.chmod(0o600)
        posts = {name: f"{url}/camera/{token}" for name, token in self._tokens.items()}
        self.camera_in = SimVzicom(VzicomHabits(posts["camera-in"]), now_ms)
        self.camera_out = SimHikvision(HikvisionHabits(posts["camera-out"]), now_ms)
        first = now_ms() // 1000 % 1_000_000_000
        self.entry = SimLane("B1-in", self.camera_in, *_board_and_gate(), now_ms, self._tell("entry"), first)
        self.exit = SimLane("B1-out", self.camera_out, *_board_and_gate(), now_ms, self._tell("exit"), first)
        self.scanner = SimulatedScanner(folder / "dev" / "scanner-out")
        self.page: LanePage | None = None
        self._speed = min(MOST_SPEED, 1 / max(pace_s, 0.01))

    def config(self) -> str:
        """Return the sections of the service's configuration."""
        return CONFIG.format(folder=self._folder)

    def __enter__(self) -> MallLanes:
        """Put the devices on their wires; the cameras begin with `start`, when the service is there."""
        self._running.callback(self.scanner.unplug)
        for side, lane in (("in", self.entry), ("out", self.exit)):
            self._running.enter_context(PtyWire(lane.gate, self._folder / "dev" / f"gate-{side}"))
            self._running.enter_context(PtyWire(lane.board, self._folder / "dev" / f"board-{side}"))
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._running.close()

    def start(self) -> None:
        """Let the cameras work, the cars drive and the page be looked at."""
        self._running.enter_context(self.camera_in)
        self._running.enter_context(self.camera_out)
        watched = (
            Watched(self.entry, self.camera_in, "Vzicom"),
            Watched(self.exit, self.camera_out, "Hikvision"),
        )
        self.page = self._running.enter_context(LanePage(watched, self._page_port))
        for lane in (self.entry, self.exit):
            thread = threading.Thread(
                target=lane.run, args=(self._stop, self._speed), name=f"sim-{lane.name}", daemon=True
            )
            thread.start()
            self._running.callback(thread.join, 10)
        self._running.callback(self._stop.set)

    def car(self, text: str, habit: Habit = Habit.DRIVES, read_as: str = "") -> Car:
        """Return a car with pictures of it, taken by day. read_as: what the camera takes its plate for."""
        plate = Plate(text, plate_kind_of(text))
        picture = lane_picture(Sight(plate, Conditions(light=Light.DAY, plate_px=190), sum(map(ord, text))))
        read = read_as or text
        sure = tuple(97 if char == true else 55 for char, true in zip(read, text, strict=True))
        return Car(plate, habit, 3.0, read, sure, picture.jpeg(), picture.plate_jpeg())

    def enter(self, car: Car) -> bool:
        """Let a car come in; return whether it got through, or turned back, in time."""
        return self._through(self.entry, car, lambda: None)

    def leave(self, car: Car, pay: Callable[[], str]) -> Left:
        """Let a car go out; `pay` returns a payment code, shown once the board names a sum."""
        text, paid = car.plate.text, False

        def settle() -> None:
            nonlocal paid
            if not paid and self._asked(text):
                self._say(f"exit: {text} shows a payment code")
                paid = bool(self.scanner.scan(pay()))

        if not self._through(self.exit, car, settle):
            return Left.STANDS
        return Left.PAID if paid else Left.FREE

    def plate_at(self, lane_name: str) -> str:
        """Return the plate of the car at a lane's barrier as people see it, "" when nobody is there."""
        cars = next((lane.cars() for lane in (self.entry, self.exit) if lane.name == lane_name), [])
        return cars[0][0] if cars else ""

    def _asked(self, text: str) -> bool:
        """Whether the board told this car's driver a sum after it was seen."""
        mine = [one for one in self.exit.happened if one.plate == text]
        seen = max((at for at, one in enumerate(mine) if one.what == "seen"), default=len(mine))
        return any(one.what == "told" and "元" in one.words for one in mine[seen:])

    def _through(self, lane: SimLane, car: Car, meanwhile: Callable[[], None]) -> bool:
        self._await_boom(lane)
        lane.arrive(car)
        for _ in range(int(PASS_S / _LOOK_S)):
            if lane.await_left(car.plate.text, _LOOK_S):
                return True
            meanwhile()
            if self._stop.is_set():
                return False
        return False

    def _await_boom(self, lane: SimLane) -> None:
        """Wait until the boom is down behind the car before (一车一杆), unless it is held open."""
        for _ in range(int(CLOSING_S / _LOOK_S)):
            if not lane.gate.boom_up or self._stop.wait(_LOOK_S):
                return

    def _tell(self, side: str) -> Callable[[Happening], None]:
        def tell(happening: Happening) -> None:
            words = _WORDS.get(happening.what)
            if words is not None:
                self._say(f"{side}: {words.format(plate=happening.plate, words=happening.words)}")

        return tell


def _board_and_gate() -> tuple[SimGate, SimBoard]:
    return SimGate(GateHabits(real_time=False)), SimBoard()
