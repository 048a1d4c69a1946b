"""An agent beside a lane and its box, with a real broker between them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from devices.agent.agent import Agent, AgentDevices, AgentGate
from devices.agent.command import machine_moment
from devices.agent.journal import AgentJournal
from devices.agent.messages import Topics
from devices.agent.remote import AgentLink
from devices.agent.wire import BrokerSettings
from sim.broker import Broker

TOPICS = Topics("mall-1", "lane-1")


def start_agent(broker: Broker, devices: AgentDevices, folder: Path, patience_s: float = 60.0) -> Agent:
    """Return a running agent whose journal is in `folder`."""
    journal = AgentJournal(folder / "agent.db")
    agent = Agent(TOPICS, BrokerSettings(port=broker.port), devices, journal, machine_moment, patience_s)
    agent.start()
    return agent


def start_link(broker: Broker, session: str = "box-1") -> AgentLink:
    """Return the box's side, connected as soon as the broker lets it."""
    link = AgentLink(TOPICS, BrokerSettings(port=broker.port), session)
    link.start()
    return link


@contextmanager
def linked(gates: Mapping[str, AgentGate]) -> Iterator[AgentLink]:
    """Yield a link to an agent that drives these gates."""
    with Broker() as broker, tempfile.TemporaryDirectory() as folder:
        agent = start_agent(broker, AgentDevices(gates=gates), Path(folder))
        link = start_link(broker)
        try:
            assert link.await_ready(10), link.why_absent()
            yield link
        finally:
            link.close()
            agent.close()
