"""The settings of devices that a box, or an agent beside the lane, drives: sections of their TOML files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class GateConfig:
    """[[gate]]: one boom gate behind a relay board on RS-485, on the box's own GPIO lines, or at an agent."""

    name: str
    port: str = ""
    agent: str = ""
    baud: int = 9600
    local_echo: bool = False
    family: Literal["waveshare", "clone", "coil", "kmtronic", "gpio"] = "waveshare"
    address: int = 1
    relay: int = 0
    pulse_s: float = 0.7
    timeout_s: float = 0.5
    boom_up: int | None = None
    boom_down: int | None = None
    loops: tuple[int, ...] = ()
    inverted: tuple[int, ...] = ()
    active_low: bool = False
    pull_up: bool = True


@dataclass(frozen=True, slots=True)
class DisplayConfig:
    """[[display]]: one lane's text and voice board on RS-485, or at an agent."""

    name: str
    port: str = ""
    agent: str = ""
    baud: int = 9600
    local_echo: bool = False
    lines: int = 2
    cells: int = 8


@dataclass(frozen=True, slots=True)
class SpaceBoardConfig:
    """[[space_board]]: a board on RS-485 that shows the free spaces of a zone, or one at an agent."""

    name: str
    port: str = ""
    agent: str = ""
    zone: str = ""
    baud: int = 9600
    few: int = 20


def check_way(kind: str, config: GateConfig | DisplayConfig | SpaceBoardConfig) -> None:
    """Raise ValueError unless a device has a port of this machine or the name of an agent, and not both."""
    if bool(config.port) is bool(config.agent):
        raise ValueError(f"{kind} {config.name}: give its port, or the agent that has it; not both")
