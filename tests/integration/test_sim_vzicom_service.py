"""The simulated Vzicom camera against the whole service: repeats, an outage, its back-fill, comet, words."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edge.app import build_service
from edge.config import parse_config
from edge.parking.observation import PlateRead
from edge.parking.passage import PassageEnd
from edge.service import Service
from edge.services.answer_guard import open_by_hand
from sim.cameras.console import CameraConsole, ConsoleHabits
from sim.cameras.sight import Read
from sim.cameras.vzicom import CameraActions, SimVzicom, VzicomHabits
from sim.clocks import unix_ms
from tests.integration.camera_lane import TOKEN

PATIENCE_S = 20.0
LANE = "in"


def eventually(holds: Callable[[], bool]) -> bool:
    """Poll until it holds or patience ends."""
    for _ in range(int(PATIENCE_S / 0.02)):
        if holds():
            return True
        threading.Event().wait(0.02)
    return False


@contextmanager
def service(folder: Path, **camera: object) -> Iterator[Service]:
    (folder / "token").write_text(TOKEN, "utf-8")
    eye = {"name": "front", "lane": LANE, "kind": "vzicom", "token_file": str(folder / "token"), **camera}
    raw = {
        "box": {"site": "s", "edge": "e", "data_dir": str(folder / "data")},
        "web": {"port": 0},
        "hq": {"port": 1},
        "workstation": [{"name": "K1"}],
        "zone": [{"name": "B2", "spaces": 10}],
        "lane": [{"name": LANE, "way": "entry", "zone": "B2", "gate": "front" if "comet" in camera else ""}],
        "camera": [eye],
    }
    running = build_service(parse_config(raw, "test"))
    running.start()
    try:
        yield running
    finally:
        running.stop()


@contextmanager
def camera(running: Service, **habits: object) -> Iterator[tuple[SimVzicom, list[str]]]:
    opened: list[str] = []
    wanted = VzicomHabits(address_of(running), retry_s=0.05, **habits)  # type: ignore[arg-type]
    actions = CameraActions(lambda: opened.append("opened"))
    with SimVzicom(wanted, unix_ms, actions) as made:
        yield made, opened


def address_of(running: Service) -> str:
    return f"http://127.0.0.1:{running.web.port}/camera/{TOKEN}"


def reads(running: Service) -> list[PlateRead]:
    """Return what the service knows, in the order in which it came."""
    return list(reversed(running.box.store.read(lambda unit: unit.plate_reads.recent(LANE, 20))))


def inside(running: Service) -> list[str]:
    stays = running.box.store.read(lambda unit: unit.sessions.last_of("粤B12345", 5))
    return [one.plate for one in stays]


def test_a_record_that_comes_twice_opens_once_and_is_one_stay(tmp_path: Path) -> None:
    with service(tmp_path) as running, camera(running) as (eye, opened):
        eye.faults.duplicate = True
        eye.see(Read("粤B12345", 7, unix_ms()))
        assert eventually(lambda: eye.counts.answered >= 3)
        assert opened == ["opened"]
        assert len(reads(running)) == 1
        assert inside(running) == ["粤B12345"]


def test_an_answer_that_is_lost_after_the_commit_is_asked_for_again_and_opens_no_second_stay(
    tmp_path: Path,
) -> None:
    with service(tmp_path) as running, camera(running) as (eye, opened):
        assert eventually(lambda: eye.counts.answered >= 1)
        eye.faults.drop = 1
        eye.see(Read("粤B12345", 8, unix_ms()))
        assert eventually(lambda: len(reads(running)) == 1 and eye.counts.answered >= 2)
        assert inside(running) == ["粤B12345"]
        # The answer that opened was lost: the repeat does not open, the guard is asked instead.
        assert opened == []
        assert eventually(lambda: _asked(running))


def test_what_an_outage_kept_back_begins_stays_in_their_own_time_and_opens_nothing(tmp_path: Path) -> None:
    with service(tmp_path) as running, camera(running, heartbeat_s=0.1) as (eye, opened):
        eye.faults.outage = True
        seen_at = unix_ms() - 60_000
        eye.see(Read("粤B12345", 9, seen_at))
        eye.see(Read("粤B67890", 10, seen_at + 30_000))
        assert eventually(lambda: eye.stored() == 2)
        eye.faults.outage = False
        assert eventually(lambda: len(reads(running)) == 2)
        assert [one.plate for one in reads(running)] == ["粤B67890", "粤B12345"]
        assert opened == []
        [stay] = running.box.store.read(lambda unit: unit.sessions.last_of("粤B12345", 5))
        assert abs(stay.entered_at - seen_at) < 2_000
        assert running.box.store.read(lambda unit: unit.sessions.count_inside("B2")) == 2


def test_a_camera_in_comet_mode_opens_at_any_time(tmp_path: Path) -> None:
    with service(tmp_path, comet=True) as running, camera(running, comet=True) as (eye, opened):
        assert eventually(lambda: eye.counts.answered >= 1)
        open_by_hand(running.box, LANE, "张军", "试开")
        assert eventually(lambda: opened == ["opened"])
        assert reads(running) == []


def test_a_camera_is_worked_by_words(tmp_path: Path) -> None:
    said: list[str] = []
    with service(tmp_path) as running:
        habits = ConsoleHabits("vzicom", address_of(running))
        with CameraConsole(habits, unix_ms, said.append) as hand:
            assert "粤B12345" not in hand.command("see 粤B12345")
            assert eventually(lambda: said == ["the gate opens"])
            [read] = reads(running)
            assert (read.plate, len(read.photos)) == ("粤B12345", 2)
            assert eventually(lambda: hand.gate.opened == 1)
            hand.command("turned_back 粤B12345")
            assert eventually(lambda: _last_end(running) is PassageEnd.TURNED_BACK)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("fly", "unknown: 'fly'"),
        ("see X", "no plate of 7 or 8 characters"),
        ("see ???????", "no plate has the character '?'"),
        ("drop many", "'many' is no number"),
        ("clock soon", "invalid literal"),
    ],
)
def test_words_that_mean_nothing_are_named_with_those_that_do(line: str, why: str) -> None:
    hand = CameraConsole(ConsoleHabits("hikvision", "http://127.0.0.1:9"), unix_ms, print)
    told = hand.command(line)
    assert why in told
    assert "outage on|off" in told
    assert hand.status().startswith("0 posts")


def test_faults_are_switched_by_words() -> None:
    hand = CameraConsole(ConsoleHabits("dahua", "http://127.0.0.1:9"), unix_ms, print)
    for line in ("outage on", "drop 3", "half 2", "delay 4", "duplicate on", "clock -60"):
        told = hand.command(line)
    assert "outage=True, drop=3, delay_s=4.0, duplicate=True, half=2, clock_ms=-60000" in told
    assert "only a vzicom" in hand.command("loop 0 on")


def test_an_unknown_maker_is_named() -> None:
    with pytest.raises(ValueError, match="vzicom, hikvision, dahua, not 'acme'"):
        CameraConsole(ConsoleHabits("acme", "http://127.0.0.1:9"), unix_ms, print)


def _asked(running: Service) -> bool:
    passage = running.box.store.read(lambda unit: unit.passages.current(LANE))
    return passage is not None and passage.question is not None


def _last_end(running: Service) -> PassageEnd | None:
    last = running.box.store.read(lambda unit: unit.passages.last(LANE))
    return None if last is None else last.end
