"""An agent beside a lane over a real broker: what happens when either side, or the broker, begins anew."""

from __future__ import annotations

import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from devices.agent.agent import AgentDevices
from devices.agent.journal import AgentJournal
from devices.agent.messages import Op, Outcome, Reply, Request, decode_reply, encode_request
from devices.agent.remote import AgentLink, RemoteCamera, RemoteCounter, RemoteDisplay, RemoteGate
from devices.agent.wire import BrokerSettings, Retained, Wire
from devices.runtime import boottime_ns
from devices.types import DeviceAbsent, DeviceSilent, Health, LoopSeen, Photo, PlateSeen
from sim.broker import Broker
from sim.fakes.gate import FakeGate
from sim.gate import SimGate
from sim.wires import PtyWire
from tests.integration.lane_agent_rig import TOPICS, start_agent, start_link

SEEN = PlateSeen(
    "cam-1", "key-1", "粤B12345", 0, "blue", "small", (0.99,) * 7, photos=(Photo("scene", b"\xff\xd8"),)
)


class QueueCamera:
    """A camera that gives what a test puts in, and counts what it was told is kept."""

    def __init__(self) -> None:
        self.reads: queue.Queue[PlateSeen] = queue.Queue()
        self.kept = 0

    def read(self, timeout_s: float) -> PlateSeen | LoopSeen | None:
        try:
            return self.reads.get(timeout=timeout_s)
        except queue.Empty:
            return None

    def done(self, seen: PlateSeen | LoopSeen) -> None:
        self.kept += 1

    def close(self) -> None:
        """Nothing to release."""


class Board:
    """A text board and a space board in one."""

    def __init__(self) -> None:
        self.said: queue.Queue[object] = queue.Queue()

    def show(self, lines: Sequence[str]) -> None:
        self.said.put(("show", *lines))

    def say(self, text: str) -> None:
        self.said.put(("say", text))

    def show_count(self, free: int) -> None:
        self.said.put(("count", free))


@pytest.fixture
def broker() -> Iterator[Broker]:
    with Broker() as one:
        yield one


def until(true: Callable[[], object], timeout_s: float = 10.0) -> bool:
    pause = threading.Event()
    for _ in range(int(timeout_s / 0.02)):
        if true():
            return True
        pause.wait(0.02)
    return bool(true())


def ready(link: AgentLink) -> AgentLink:
    assert link.await_ready(15), link.why_absent()
    return link


def test_the_same_request_opens_once_and_gets_the_same_answer(broker: Broker, tmp_path: Path) -> None:
    gate = FakeGate("out-1")
    agent = start_agent(broker, AgentDevices(gates={"out-1": gate}), tmp_path)
    answers: queue.Queue[Reply] = queue.Queue()
    beats: queue.Queue[bytes] = queue.Queue()
    hears = {
        TOPICS.of("replies"): lambda raw: answers.put(decode_reply(raw)),
        TOPICS.of("beats"): beats.put,
    }
    box = Wire(BrokerSettings(port=broker.port), "test-box", Retained("test/box", b"1", b"0"), hears)
    box.start()
    assert box.await_connected(10)
    beats.get(timeout=10)
    beats.get(timeout=10)
    request = encode_request(Request("r-1", "out-1", Op.PULSE, beat=agent._beat, after_ms=0))
    try:
        for _ in range(5):
            assert box.say(TOPICS.of("requests"), request)
        outcomes = [answers.get(timeout=10) for _ in range(5)]
    finally:
        box.close()
        agent.close()
    assert outcomes == [Reply("r-1", Outcome.DONE)] * 5
    assert gate.pulses == 1


def test_a_request_that_was_long_under_way_opens_nothing(broker: Broker, tmp_path: Path) -> None:
    gate = FakeGate("out-1")
    agent = start_agent(broker, AgentDevices(gates={"out-1": gate}), tmp_path)
    answers: queue.Queue[Reply] = queue.Queue()
    hears = {TOPICS.of("replies"): lambda raw: answers.put(decode_reply(raw))}
    box = Wire(BrokerSettings(port=broker.port), "test-box", Retained("test/box", b"1", b"0"), hears)
    box.start()
    assert box.await_connected(10)
    assert until(lambda: agent._beat >= 4)
    old = Request("r-old", "out-1", Op.PULSE, beat=agent._beat - 3, after_ms=0)
    unknown = Request("r-before", "out-1", Op.PULSE, beat=999_999, after_ms=0)
    try:
        for request in (old, unknown):
            assert box.say(TOPICS.of("requests"), encode_request(request))
            answer = answers.get(timeout=10)
            assert answer.outcome is Outcome.ABSENT
            assert "too late" in answer.detail
    finally:
        box.close()
        agent.close()
    assert gate.pulses == 0


def test_an_opening_that_a_death_cut_off_is_silence_and_not_repeated(tmp_path: Path) -> None:
    before = AgentJournal(tmp_path / "agent.db")
    assert before.begin("r-1") is None
    before.close()
    after = AgentJournal(tmp_path / "agent.db")
    cut_off = after.begin("r-1")
    after.close()
    assert cut_off is not None
    assert cut_off.outcome is Outcome.SILENT


def test_without_its_agent_a_gate_is_absent_and_works_again_when_it_is_back(
    broker: Broker, tmp_path: Path
) -> None:
    gate = FakeGate("out-1")
    link = start_link(broker)
    remote = RemoteGate("out-1", link)
    with pytest.raises(DeviceAbsent, match=r"not connected|not online"):
        remote.pulse()
    assert remote.status().health is Health.ABSENT
    for _ in range(2):
        agent = start_agent(broker, AgentDevices(gates={"out-1": gate}), tmp_path)
        ready(link)
        remote.pulse()
        agent.close()
        assert until(lambda: link.why_absent())
        with pytest.raises(DeviceAbsent):
            remote.pulse()
    link.close()
    assert gate.pulses == 2


def test_a_broker_that_dies_costs_nothing_but_the_time_until_it_is_back(
    broker: Broker, tmp_path: Path
) -> None:
    gate = FakeGate("out-1")
    agent = start_agent(broker, AgentDevices(gates={"out-1": gate}), tmp_path)
    link = ready(start_link(broker))
    remote = RemoteGate("out-1", link)
    broker.kill()
    assert until(lambda: link.why_absent())
    with pytest.raises(DeviceAbsent):
        remote.pulse()
    broker.start()
    ready(link)
    remote.pulse()
    link.close()
    agent.close()
    assert gate.pulses == 1


def test_an_agent_that_hangs_is_silence_for_what_was_sent_and_absence_afterwards(
    broker: Broker, tmp_path: Path
) -> None:
    go_on = threading.Event()

    class Hanging(FakeGate):
        def pulse(self) -> None:
            go_on.wait(20)
            super().pulse()

    gate = Hanging("out-1")
    agent = start_agent(broker, AgentDevices(gates={"out-1": gate}), tmp_path)
    link = ready(start_link(broker))
    with pytest.raises(DeviceSilent, match="look at the lane"):
        RemoteGate("out-1", link).pulse()
    go_on.set()
    # The second try of the same request was waiting behind the first: it is answered, not done again.
    assert until(lambda: gate.pulses == 1)
    assert RemoteGate("out-1", link).inputs().boom_up
    link.close()
    agent.close()
    assert gate.pulses == 1


def test_what_a_camera_saw_outlives_both_sides_until_the_box_has_kept_it(
    broker: Broker, tmp_path: Path
) -> None:
    camera = QueueCamera()
    devices = AgentDevices(cameras={"cam-1": camera})
    agent = start_agent(broker, devices, tmp_path)
    camera.reads.put(SEEN)
    assert until(lambda: camera.kept == 1)
    agent.close()

    agent = start_agent(broker, devices, tmp_path)
    link = ready(start_link(broker, "box-1"))
    first = RemoteCamera("cam-1", link).read(10)
    link.close()  # the box dies before it has kept it

    link = ready(start_link(broker, "box-2"))
    remote = RemoteCamera("cam-1", link)
    again = remote.read(10)
    assert isinstance(first, PlateSeen)
    assert isinstance(again, PlateSeen)
    assert (first.key, first.plate, first.photos) == (again.key, again.plate, again.photos)
    # It was seen when the machine had just booted, whatever way it took to here.
    assert boottime_ns() - again.read_ns > 0.9 * boottime_ns() - 1e9
    remote.done(again)
    assert until(lambda: agent._journal.count() == 0)
    assert remote.read(0.2) is None
    link.close()
    agent.close()


def test_boards_show_and_speak_and_ask_for_patience_when_the_box_is_gone(
    broker: Broker, tmp_path: Path
) -> None:
    board = Board()
    devices = AgentDevices(displays={"board": board}, counters={"hall": board})
    agent = start_agent(broker, devices, tmp_path, patience_s=1.0)
    link = ready(start_link(broker))
    RemoteDisplay("board", link).show(["粤B12345", "欢迎光临"])
    RemoteDisplay("board", link).say("请缴费5元")
    RemoteCounter("hall", link).show_count(12)
    assert board.said.get(timeout=10) == ("show", "粤B12345", "欢迎光临")
    assert {board.said.get(timeout=10), board.said.get(timeout=10)} == {("say", "请缴费5元"), ("count", 12)}
    with pytest.raises(DeviceAbsent, match="board cannot pulse"):
        RemoteGate("board", link).pulse()
    with pytest.raises(DeviceAbsent, match="has no 'nobody'; it has board, hall"):
        RemoteGate("nobody", link).pulse()
    link.close()
    asked = board.said.get(timeout=10)
    agent.close()
    assert asked == ("show", "系统连接中", "请稍候 Please wait")


def test_a_killed_agent_is_noticed_and_its_next_start_serves_again(broker: Broker, tmp_path: Path) -> None:
    sim = SimGate()
    with PtyWire(sim) as wire:
        file = tmp_path / "agent.toml"
        file.write_text(
            f"""
[agent]
site = "{TOPICS.site}"
name = "{TOPICS.agent}"
data_dir = "{tmp_path}/journal"
port = {broker.port}
keepalive_s = 2

[[gate]]
name = "out-1"
port = "{wire.path}"
pulse_s = 0.1
boom_up = 0
boom_down = 1
""",
            "utf-8",
        )
        command = [sys.executable, "-m", "devices", "agent", "--config", str(file)]
        link = start_link(broker)
        gate = RemoteGate("out-1", link)
        for number in (1, 2):
            process = subprocess.Popen(command)
            ready(link)
            gate.pulse()
            assert sim.opened == number
            process.kill()
            process.wait(10)
            assert until(lambda: link.why_absent(), 15)
            with pytest.raises(DeviceAbsent):
                gate.pulse()
        process = subprocess.Popen(command)
        ready(link)
        process.terminate()
        assert process.wait(15) == 0
        assert until(lambda: "not online" in link.why_absent())
        link.close()
