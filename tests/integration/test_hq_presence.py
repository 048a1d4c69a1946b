"""Presence tells the truth: kills, restarts, take-overs, old wills, clocks that step back."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest

from edge.clock import SystemClock
from edge.hq.connection import LinkSettings
from edge.hq.link import MqttLink
from edge.hq.sessions import SessionNumbers
from sim.broker import Broker, BrokerKind, installed
from sim.hq import HqServer
from tests.integration.mosquitto_files import eventually
from tests.unit.hq_samples import ORIGIN, ManualClock

pytestmark = pytest.mark.broker

STATE = "mall/demo-mall/edge/till-1/state/v1"
ROOT = Path(__file__).parents[2]

#: A box as a process of its own, so that it can be killed: link, session file, nothing else.
PROGRAM = """
import sys, threading
from pathlib import Path
from edge.clock import SystemClock
from edge.hq.connection import LinkSettings
from edge.hq.link import MqttLink
from edge.hq.sessions import SessionNumbers
from tests.unit.hq_samples import ORIGIN
settings = LinkSettings("127.0.0.1", int(sys.argv[1]), first_delay_s=0.1, last_delay_s=0.2)
MqttLink(settings, ORIGIN, SystemClock(), SessionNumbers(Path(sys.argv[2]))).start()
threading.Event().wait()
"""


class Ear:
    """Hears the box's state, and can say something in its place."""

    def __init__(self, port: int) -> None:
        self.states: list[dict[str, Any]] = []
        self.retained: list[dict[str, Any]] = []
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self._client.on_connect = lambda client, *rest: client.subscribe(STATE, 1)
        self._client.on_message = self._hear
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def say(self, state: str, session: int) -> None:
        payload = json.dumps({"state": state, "session": session})
        self._client.publish(STATE, payload, qos=1, retain=True).wait_for_publish(5)

    def last(self) -> tuple[str, int] | None:
        return (self.states[-1]["state"], self.states[-1]["session"]) if self.states else None

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _hear(self, client: mqtt.Client, userdata: object, message: mqtt.MQTTMessage) -> None:
        self.states.append(json.loads(message.payload))


@pytest.fixture(
    params=[
        pytest.param(
            kind, marks=pytest.mark.skipif(not installed(kind), reason=f"{kind} is not installed"), id=kind
        )
        for kind in BrokerKind
    ]
)
def broker(request: pytest.FixtureRequest) -> Iterator[Broker]:
    with Broker(request.param) as one:
        yield one


@pytest.fixture
def ear(broker: Broker) -> Iterator[Ear]:
    one = Ear(broker.port)
    yield one
    one.close()


@pytest.fixture
def begin(broker: Broker) -> Iterator[Callable[..., MqttLink]]:
    opened: list[MqttLink] = []

    def start(path: Path | None = None, **given: Any) -> MqttLink:
        settings = LinkSettings("127.0.0.1", broker.port, first_delay_s=0.1, last_delay_s=0.3)
        link = MqttLink(settings, ORIGIN, given.get("clock") or SystemClock(), SessionNumbers(path))
        link.start()
        opened.append(link)
        return link

    yield start
    for link in opened:
        link.close()


def is_last(ear: Ear, state: str, above: int = 0) -> int:
    def look() -> int | None:
        last = ear.last()
        return last[1] if last and last[0] == state and last[1] > above else None

    return int(eventually(look, lambda: f"{state} above {above}; heard {ear.states}"))


def test_a_killed_box_is_lost_and_its_next_start_is_a_later_session(
    broker: Broker, ear: Ear, tmp_path: Path
) -> None:
    session = 0
    for _ in range(3):
        command = [sys.executable, "-c", PROGRAM, str(broker.port), str(tmp_path / "session")]
        box = subprocess.Popen(command, cwd=ROOT)
        born = is_last(ear, "online", session)
        box.kill()
        box.wait(10)
        eventually(lambda: ear.last() == ("lost", born), lambda: str(ear.states))  # noqa: B023 - used at once
        session = born


def test_numbers_grow_although_the_clock_steps_back_over_a_restart(
    ear: Ear, begin: Callable[..., MqttLink], tmp_path: Path
) -> None:
    first = begin(tmp_path / "session")
    born = is_last(ear, "online")
    first.close()
    is_last(ear, "offline")
    begin(tmp_path / "session", clock=ManualClock(wall_at=1_000))
    assert is_last(ear, "online", born) == born + 1


def test_an_old_will_is_corrected_by_the_box(ear: Ear, begin: Callable[..., MqttLink]) -> None:
    begin()
    session = is_last(ear, "online")
    ear.say("lost", session - 1)
    eventually(lambda: ear.states[-2:] == [{"state": "lost", "session": session - 1},
                                           {"state": "online", "session": session}],
               lambda: str(ear.states))  # fmt: skip


def test_corrections_have_an_end(ear: Ear, begin: Callable[..., MqttLink]) -> None:
    begin()
    session = is_last(ear, "online")
    before = len(ear.states)
    for number in range(1, 11):
        ear.say("lost", session - 1)
        # The lie and its correction, each time: the last word alone is also that of the time before.
        heard = before + 2 * number
        eventually(
            lambda heard=heard: ear.last() == ("online", session) and len(ear.states) >= heard,
            lambda: str(ear.states),
        )
    ear.say("lost", session - 1)
    eventually(lambda: ear.last() == ("lost", session - 1), lambda: str(ear.states))
    assert not threading.Event().wait(0.3)
    assert ear.last() == ("lost", session - 1)


def test_a_box_that_lost_its_number_begins_above_what_the_broker_knows(
    ear: Ear, begin: Callable[..., MqttLink], tmp_path: Path
) -> None:
    ahead = SystemClock().now().wall_at + 10_000_000
    ear.say("lost", ahead)
    link = begin(tmp_path / "session")
    assert is_last(ear, "online", ahead) == ahead + 1
    assert int((tmp_path / "session").read_text(encoding="ascii")) == ahead + 1
    eventually(lambda: link.status().connected, lambda: link.status().detail)


@pytest.mark.parametrize("words", ["", "[]", '{"state":"online","session":1e99}', '{"state":"x"}', "\0"])
def test_nonsense_in_its_place_is_replaced_by_the_truth(
    ear: Ear, begin: Callable[..., MqttLink], words: str
) -> None:
    begin()
    session = is_last(ear, "online")
    seen = len(ear.states)
    ear._client.on_message = lambda client, userdata, message: ear.retained.append(message.payload)  # type: ignore[arg-type]
    ear._client.publish(STATE, words, qos=1).wait_for_publish(5)
    wanted = json.dumps({"state": "online", "session": session}, separators=(",", ":")).encode()
    eventually(lambda: wanted in ear.retained, lambda: f"{ear.retained} after {seen}")


@pytest.mark.parametrize("content", ["", "x", "-5", "9" * 30])
def test_a_torn_session_file_is_begun_anew(
    ear: Ear, begin: Callable[..., MqttLink], tmp_path: Path, content: str
) -> None:
    (tmp_path / "session").write_text(content, encoding="ascii")
    begin(tmp_path / "session")
    assert str(is_last(ear, "online")) == (tmp_path / "session").read_text(encoding="ascii").strip()


def test_a_session_file_that_cannot_be_written_stops_nothing(
    ear: Ear, begin: Callable[..., MqttLink], tmp_path: Path
) -> None:
    begin(tmp_path / "absent" / "session")
    is_last(ear, "online")


def test_hq_believes_the_latest_session_alone(
    broker: Broker, ear: Ear, begin: Callable[..., MqttLink]
) -> None:
    with HqServer(broker.port) as hq:

        def shown() -> list[Any]:
            rows = hq.ledger.rows("SELECT presence, session FROM edges")
            return [tuple(row.values()) for row in rows]

        begin()
        session = is_last(ear, "online")
        eventually(lambda: shown() == [("online", session)], lambda: str(shown()))
        ear.say("lost", session - 1)
        is_last(ear, "online")
        ear.say("offline", session)
        eventually(lambda: ear.last() == ("online", session), lambda: str(ear.states))
        eventually(lambda: shown() == [("online", session)], lambda: str(shown()))
