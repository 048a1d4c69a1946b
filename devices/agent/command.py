"""The command line of an agent, and how its parts are put together."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections import Counter
from pathlib import Path

import click

from devices.agent.agent import Agent, AgentCamera, AgentDevices
from devices.agent.journal import AgentJournal, Moment
from devices.agent.messages import Topics
from devices.agent.settings import AgentConfig
from devices.agent.wire import BrokerSettings
from devices.building import Buses, build_counter, build_display, build_gate
from devices.camera.building import build_asked
from devices.runtime import boottime_ns
from devices.settings import AskedCameraConfig, DisplayConfig, GateConfig, SpaceBoardConfig, check_view
from devices.settings_reader import load_settings
from devices.signals import stop_on_signals
from devices.types import DeviceError

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_EXAMPLE = "systemd/examples/agent.toml"

_log = logging.getLogger("agent")


@click.group()
def main() -> None:
    """Drivers on their own."""


@main.command()
@click.option(
    "--config",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help=f"Start from {_EXAMPLE}.",
)
@click.option("--check", is_flag=True, help="Only say whether the configuration can be used.")
def agent(path: Path, check: bool) -> None:
    """Drive the gates and boards of a lane for a box elsewhere in the store, until SIGTERM."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
    try:
        config = load_settings(path, AgentConfig, _EXAMPLE)
        buses = Buses()
        devices = build_agent_devices(config, buses)
        if check:
            names = ", ".join((*devices.names(), *devices.cameras)) or "nothing"
            click.echo(f"{path}: agent {config.agent.name} drives {names}")
            _close(devices)
            return
        running = build_agent(config, devices)
    except (ValueError, DeviceError, OSError, sqlite3.Error) as error:
        raise click.ClickException(str(error)) from error
    try:
        _serve(running, devices, buses)
    except DeviceError as error:
        raise click.ClickException(str(error)) from error


def build_agent_devices(config: AgentConfig, buses: Buses) -> AgentDevices:
    """Return the drivers of an agent; raise ValueError for what cannot be, also for two of one name."""
    here: list[GateConfig | DisplayConfig | SpaceBoardConfig] = [
        *config.gate,
        *config.display,
        *config.space_board,
    ]
    if away := next((one for one in here if one.agent), None):
        raise ValueError(f"{away.name}: an agent drives its devices itself; give the port and no agent")
    names = Counter(one.name for one in (*here, *config.camera))
    name, uses = max(names.items(), key=lambda item: item[1], default=("", 0))
    if uses > 1:
        raise ValueError(f"two devices are named {name!r}; give each its own name")
    return AgentDevices(
        gates={one.name: build_gate(one, buses) for one in config.gate},
        displays={one.name: build_display(one, buses) for one in config.display},
        counters={one.name: build_counter(one, buses) for one in config.space_board},
        cameras={one.name: _camera(one) for one in config.camera},
    )


def _camera(config: AskedCameraConfig) -> AgentCamera:
    try:
        check_view(config.url, config.region, config.least_width)
        path = config.password_file
        password = "" if path is None else path.read_text("utf-8").strip()
    except (ValueError, OSError) as error:
        raise ValueError(f"camera {config.name}: {error}") from None
    return build_asked(config, password)


def build_agent(config: AgentConfig, devices: AgentDevices) -> Agent:
    """Return the agent; raise OSError or sqlite3.Error when its journal cannot be opened."""
    section = config.agent
    section.data_dir.mkdir(parents=True, exist_ok=True)
    broker = BrokerSettings(
        section.host,
        section.port,
        section.username,
        section.password_file,
        section.ca_file,
        section.keepalive_s,
    )
    journal = AgentJournal(section.data_dir / "agent.db")
    return Agent(Topics(section.site, section.name), broker, devices, journal, machine_moment)


def machine_moment() -> Moment:
    """Return now, as this machine has it."""
    boot_id = _BOOT_ID.read_text(encoding="ascii").strip()
    return Moment(boot_id, boottime_ns(), time.clock_gettime_ns(time.CLOCK_REALTIME) // 1_000_000)


def _serve(running: Agent, devices: AgentDevices, buses: Buses) -> None:
    stop = threading.Event()
    stop_on_signals(stop)
    running.start()
    _log.info("ready")
    stop.wait()
    running.close()
    _close(devices)
    for bus in buses.opened.values():
        bus.close()
    _log.info("stopped")


def _close(devices: AgentDevices) -> None:
    for camera in devices.cameras.values():
        camera.close()
