"""Links to the agents beside lanes, and the devices that they have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from devices.runtime import boottime_ns
from edge.app.files import given_file
from edge.config import AgentConfig, Config
from edge.errors import Invalid

if TYPE_CHECKING:
    from devices.agent.remote import AgentLink


class AtAgent(Protocol):
    """What the file says of a device that an agent has."""

    @property
    def name(self) -> str: ...
    @property
    def agent(self) -> str: ...


def build_agents(config: Config) -> Mapping[str, AgentLink]:
    """Return a link to each agent by name, not connected yet."""
    return {one.name: _link(config.box.site, one) for one in config.agent}


def link_of(kind: str, config: AtAgent, agents: Mapping[str, AgentLink]) -> AgentLink:
    """Return the link to the agent that has a device; raise Invalid for one that is not configured."""
    if config.agent not in agents:
        known = ", ".join(agents) or "none"
        raise Invalid(f"{kind} {config.name} belongs to agent {config.agent!r}; known: {known}")
    return agents[config.agent]


def _link(site: str, config: AgentConfig) -> AgentLink:
    from devices.agent.messages import Topics
    from devices.agent.remote import AgentLink
    from devices.agent.wire import BrokerSettings

    broker = BrokerSettings(
        config.host,
        config.port,
        config.username,
        config.password_file and given_file(config.password_file),
        config.ca_file,
        config.keepalive_s,
    )
    return AgentLink(Topics(site, config.name), broker, f"{boottime_ns():x}")
