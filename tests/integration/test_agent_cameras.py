"""A camera of an agent beside the lane, from both files to the gate: what it sees opens, unless it is old."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from devices.agent.agent import Agent, AgentDevices
from devices.agent.command import build_agent_devices
from devices.agent.remote import AgentLink
from devices.agent.settings import AgentConfig
from devices.building import Buses
from devices.runtime import boottime_ns
from devices.settings_reader import read_settings
from devices.types import LoopSeen, PlateSeen
from edge.app.cameras import build_cameras
from edge.clock import SystemClock
from edge.config import Config, parse_config
from edge.services.camera_ports import PlateCamera
from edge.services.see_plate import see_plate
from edge.services.take_camera_news import LaneCameras
from sim.broker import Broker
from sim.cameras.asked import AskedHabits, SimAskedCamera
from sim.cameras.sight import Read
from sim.clocks import unix_ms
from sim.fakes.photos import FakePhotos
from tests.integration.lane_agent_rig import start_agent, start_link
from tests.unit.lane_rig import IN, LaneRig

PLATE = "粤B12345"


class HandCamera:
    """A camera that saw what a test says."""

    def __init__(self) -> None:
        self.saw: queue.Queue[PlateSeen] = queue.Queue()

    def read(self, timeout_s: float) -> PlateSeen | LoopSeen | None:
        try:
            return self.saw.get(timeout=timeout_s)
        except queue.Empty:
            return None

    def done(self, seen: PlateSeen | LoopSeen) -> None:
        """The agent has it."""

    def close(self) -> None:
        """Nothing to release."""


def box_config(tmp_path: Path) -> Config:
    """Return a box whose only camera is that of agent lane-1."""
    raw = {
        "box": {"site": "mall-1", "edge": "e", "data_dir": str(tmp_path)},
        "zone": [{"name": "p1"}],
        "lane": [{"name": IN, "way": "entry", "zone": "p1"}],
        "agent": [{"name": "lane-1"}],
        "camera": [{"name": "cam-in", "lane": IN, "agent": "lane-1"}],
    }
    return parse_config(raw, "test")


class Gatehouse:
    """A box on the real clock with one entry, and the camera of its agent there."""

    def __init__(self, camera: PlateCamera) -> None:
        self.camera = camera
        self.rig = LaneRig()
        self.rig.box = replace(self.rig.box, clock=SystemClock())
        self.rig.loops(IN, True, False)
        self.lanes = LaneCameras(self.rig.box, FakePhotos(), see_plate, lambda lane, seen: None)

    def take(self) -> str:
        """Take the camera's next read as its worker does; return what was decided."""
        news = self.camera.read(10)
        assert news is not None, "nothing came"
        answer = self.lanes.take(IN, news)
        self.camera.done(news)
        assert answer is not None
        self.rig.work(IN)
        return answer.outcome


@contextmanager
def agent_of(broker: Broker, devices: AgentDevices, folder: Path) -> Iterator[tuple[Agent, AgentLink]]:
    """Yield a running agent and its box's link, which are there for each other."""
    agent = start_agent(broker, devices, folder)
    link = start_link(broker)
    try:
        assert link.await_ready(15), link.why_absent()
        yield agent, link
    finally:
        link.close()
        agent.close()


@pytest.fixture
def broker() -> Iterator[Broker]:
    with Broker() as one:
        yield one


def test_a_camera_in_the_agents_file_opens_the_gate_of_the_box(broker: Broker, tmp_path: Path) -> None:
    with SimAskedCamera("hikvision", AskedHabits(alive_s=0.1), unix_ms) as maker:
        (tmp_path / "password").write_text(f"{maker.habits.password}\n", "utf-8")
        seeing = {
            "name": "cam-in", "kind": "hikvision_pull", "url": maker.url, "username": "admin",
            "password_file": str(tmp_path / "password"),
        }  # fmt: skip
        named = {"site": "mall-1", "name": "lane-1", "data_dir": str(tmp_path)}
        config = read_settings({"agent": named, "camera": [seeing]}, AgentConfig, "agent.toml")
        devices = build_agent_devices(config, Buses())
        try:
            with agent_of(broker, devices, tmp_path) as (_, link):
                [(lane, camera)] = build_cameras(box_config(tmp_path), {"lane-1": link}).parts.asked
                until(maker)
                maker.see(Read(PLATE, 8, unix_ms(), scene=b"\xff\xd8scene\xff\xd9"))
                house = Gatehouse(camera)
                house.take()
        finally:
            devices.cameras["cam-in"].close()
    assert (lane, house.rig.gates[IN].pulses) == (IN, 1)
    [stay] = house.rig.box.store.read(lambda unit: unit.sessions.inside(PLATE))
    assert stay.entry_lane == IN


def until(maker: SimAskedCamera) -> None:
    """Wait until somebody listens to the camera's stream."""
    pause = threading.Event()
    for _ in range(500):
        if maker.listeners():
            return
        pause.wait(0.02)
    raise AssertionError("nobody asked the camera for its stream")


@pytest.mark.parametrize(("age_s", "pulses"), [(0, 1), (60, 0)])
def test_a_read_is_as_old_as_it_was_when_the_agent_got_it_and_an_old_one_opens_nothing(
    broker: Broker, tmp_path: Path, age_s: int, pulses: int
) -> None:
    hand = HandCamera()
    with agent_of(broker, AgentDevices(cameras={"cam-in": hand}), tmp_path) as (agent, link):
        [(_, camera)] = build_cameras(box_config(tmp_path), {"lane-1": link}).parts.asked
        house = Gatehouse(camera)
        hand.saw.put(PlateSeen("cam-in", "key-1", PLATE, boottime_ns() - age_s * 1_000_000_000))
        house.take()
        assert house.rig.gates[IN].pulses == pulses
        # It is in the books all the same, and the agent may forget it.
        [read] = house.rig.box.store.read(lambda unit: unit.plate_reads.recent(IN, 9))
        assert (read.plate, read.age_ms // 10_000) == (PLATE, age_s // 10)
        pause = threading.Event()
        for _ in range(500):
            if agent._journal.count() == 0:
                break
            pause.wait(0.02)
        assert agent._journal.count() == 0
